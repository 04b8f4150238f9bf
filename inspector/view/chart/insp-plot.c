/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-palette.h"
#include "insp-plot.h"

#define LABELS_HEIGHT 18 /* pixels, at least */
#define LABEL_WIDTH 90   /* likewise, with the room between two of them */

int
insp_plot_text_height (GtkWidget *widget)
{
  int height;
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, "0");
  pango_layout_get_pixel_size (layout, NULL, &height);
  return height;
}

int
insp_plot_labels_height (GtkWidget *widget)
{
  return MAX (LABELS_HEIGHT, insp_plot_text_height (widget) + 1);
}

graphene_rect_t
insp_plot_of (GtkWidget *widget)
{
  int height = gtk_widget_get_height (widget) - insp_plot_labels_height (widget);
  return GRAPHENE_RECT_INIT (0, 0, (float) gtk_widget_get_width (widget), (float) MAX (height, 1));
}

double
insp_plot_x_of (GtkWidget *widget, InspAxis *axis, gint64 time)
{
  return (double) (time - insp_axis_get_start (axis)) / (double) insp_axis_get_span (axis)
         * gtk_widget_get_width (widget);
}

gint64
insp_plot_time_at (GtkWidget *widget, InspAxis *axis, double x)
{
  int width = MAX (gtk_widget_get_width (widget), 1);
  return insp_axis_get_start (axis) + (gint64) (x / width * (double) insp_axis_get_span (axis));
}

void
insp_plot_append_text (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x,
                       double y, double align, const GdkRGBA *color)
{
  int width, height;
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, text);
  pango_layout_get_pixel_size (layout, &width, &height);
  x = CLAMP (x - align * width, 0, MAX (gtk_widget_get_width (widget) - width, 0));
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) floor (x), (float) floor (y)));
  gtk_snapshot_append_layout (snapshot, layout, color);
  gtk_snapshot_restore (snapshot);
}

void
insp_plot_append_box (GtkSnapshot *snapshot, double x, double y, double width, double height,
                      const GdkRGBA *color)
{
  gtk_snapshot_append_color (
      snapshot, color, &GRAPHENE_RECT_INIT ((float) x, (float) y, (float) width, (float) height));
}

static char *
time_label (gint64 before_end)
{
  gint64 seconds = before_end / (gint64) G_USEC_PER_SEC;
  if (seconds < 120)
    /* Translators: a moment on a time axis: so many seconds before its end */
    return g_strdup_printf (_ ("−%d s"), (int) seconds);
  /* Translators: a moment on a time axis: minutes and seconds before its end */
  return g_strdup_printf (_ ("−%d:%02d"), (int) (seconds / 60), (int) (seconds % 60));
}

void
insp_plot_append_times (GtkWidget *widget, InspAxis *axis, GtkSnapshot *snapshot)
{
  static const gint64 steps[] = { 1, 5, 10, 15, 30, 60, 120, 300, 600 };
  graphene_rect_t plot = insp_plot_of (widget);
  GdkRGBA text = insp_palette_faint (widget, 0.65), line = insp_palette_faint (widget, 0.07);
  gint64 span = insp_axis_get_span (axis), step = steps[0] * (gint64) G_USEC_PER_SEC;
  int width = MAX (LABEL_WIDTH, 4 * insp_plot_text_height (widget));
  double room = MAX (plot.size.width / (float) width, 1); /* labels that there is room for */
  for (guint i = 0; i < G_N_ELEMENTS (steps) && (double) span / (double) step > room; i++)
    step = steps[i] * (gint64) G_USEC_PER_SEC;
  for (gint64 before = step; before < span; before += step)
    {
      g_autofree char *label = time_label (before);
      double x = floor (plot.size.width * (1 - (double) before / (double) span));
      insp_plot_append_box (snapshot, x, 0, 1, plot.size.height, &line);
      insp_plot_append_text (widget, snapshot, label, x, plot.size.height + 1, 0.5, &text);
    }
}

void
insp_plot_append_cursor (GtkWidget *widget, InspAxis *axis, GtkSnapshot *snapshot)
{
  graphene_rect_t plot = insp_plot_of (widget);
  gint64 cursor = insp_axis_get_cursor (axis);
  GdkRGBA color = insp_palette_faint (widget, 0.55);
  double x = cursor != 0 ? insp_plot_x_of (widget, axis, cursor) : -1;
  if (x >= 0 && x <= plot.size.width)
    insp_plot_append_box (snapshot, floor (x), 0, 1, plot.size.height, &color);
}

char *
insp_plot_format_clock (gint64 clock)
{
  g_autoptr (GDateTime) then
      = clock >= 0 ? g_date_time_new_from_unix_local (clock / G_USEC_PER_SEC) : NULL;
  g_autofree char *text = then != NULL ? g_date_time_format (then, "%T") : NULL;
  if (text == NULL)
    return g_strdup ("–");
  return g_strdup_printf ("%s.%d", text, (int) (clock % G_USEC_PER_SEC / 100000));
}
