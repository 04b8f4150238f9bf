/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "insp-curve.h"
#include "insp-decades.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-raster.h"
#include "insp-unit.h"

#define LINE_WIDTH 2.0 /* pixels */
#define NINES 4.0      /* to the right: 99.99 % */

struct _InspCurve
{
  GtkWidget parent_instance;

  guint64 bars[INSP_CURVE_LINES][INSP_BARS];
  GdkTexture *texture; /* NULL: is to be drawn; owned */
  InspDecades decades; /* of the texture */
};

G_DEFINE_FINAL_TYPE (InspCurve, insp_curve, GTK_TYPE_WIDGET)

static double
fraction_at (double place)
{
  return 1 - pow (10, -NINES * place);
}

static double
place_of (double fraction)
{
  return -log10 (1 - fraction) / NINES;
}

static void
draw_line (InspCurve *self, InspRaster *raster, guint index, double thickness)
{
  GdkRGBA color = insp_palette_color (index, insp_palette_is_dark (GTK_WIDGET (self)));
  double before = NAN;
  for (int column = 0; column < raster->width; column++)
    {
      double value = insp_history_percentile (self->bars[index],
                                              fraction_at ((column + 1.0) / raster->width));
      if (isnan (value))
        return;
      double y = raster->height * (1 - insp_decades_place (self->decades, value));
      double from = isnan (before) ? y : before;
      insp_raster_span (raster, column, MIN (y, from) - thickness / 2,
                        MAX (y, from) + thickness / 2, &color);
      before = y;
    }
}

static void
draw_texture (InspCurve *self, int width, int height, int factor)
{
  InspRaster raster;
  guint64 all[INSP_BARS] = { 0 };
  for (guint i = 0; i < INSP_CURVE_LINES; i++)
    for (guint j = 0; j < INSP_BARS; j++)
      all[j] += self->bars[i][j];
  g_clear_object (&self->texture);
  self->decades = insp_decades_of (all);
  insp_raster_init (&raster, width * factor, height * factor);
  for (guint i = INSP_CURVE_LINES; i-- > 0;)
    draw_line (self, &raster, i, LINE_WIDTH * factor);
  self->texture = insp_raster_finish (&raster);
}

static void
append_fractions (GtkWidget *widget, GtkSnapshot *snapshot)
{
  static const double fractions[] = { 0.5, 0.9, 0.99, 0.999 };
  graphene_rect_t plot = insp_plot_of (widget);
  GdkRGBA line = insp_palette_faint (widget, 0.07), text = insp_palette_faint (widget, 0.65);
  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
    {
      double x = floor (plot.size.width * place_of (fractions[i]));
      g_autofree char *label = insp_unit_format (INSP_UNIT_SHARE, fractions[i]);
      insp_plot_append_box (snapshot, x, 0, 1, plot.size.height, &line);
      insp_plot_append_text (widget, snapshot, label, x, plot.size.height + 1, 0.5, &text);
    }
}

static void
insp_curve_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspCurve *self = INSP_CURVE (widget);
  graphene_rect_t plot = insp_plot_of (widget);
  int width = (int) plot.size.width, height = (int) plot.size.height;
  int factor = gtk_widget_get_scale_factor (widget);
  if (width < 1)
    return;
  if (self->texture == NULL || gdk_texture_get_width (self->texture) != width * factor
      || gdk_texture_get_height (self->texture) != height * factor)
    draw_texture (self, width, height, factor);
  insp_decades_append_grid (self->decades, widget, snapshot);
  append_fractions (widget, snapshot);
  gtk_snapshot_append_texture (snapshot, self->texture, &plot);
}

static void
insp_curve_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 140;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : 220;
}

/* ---- the object ---- */

static void
insp_curve_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (insp_curve_parent_class)->css_changed (widget, change);
  g_clear_object (&INSP_CURVE (widget)->texture);
}

static void
insp_curve_dispose (GObject *object)
{
  g_clear_object (&INSP_CURVE (object)->texture);
  G_OBJECT_CLASS (insp_curve_parent_class)->dispose (object);
}

static void
insp_curve_class_init (InspCurveClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_curve_dispose;
  widget_class->snapshot = insp_curve_snapshot;
  widget_class->measure = insp_curve_measure;
  widget_class->css_changed = insp_curve_css_changed;
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_curve_init (InspCurve *self)
{
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
insp_curve_new (const char *title)
{
  InspCurve *self = g_object_new (INSP_TYPE_CURVE, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}

void
insp_curve_set (InspCurve *self, const guint64 bars[INSP_CURVE_LINES][INSP_BARS])
{
  g_autofree char *median
      = insp_unit_format (INSP_UNIT_NANOSECONDS, insp_history_percentile (bars[0], 0.5));
  g_autofree char *most
      = insp_unit_format (INSP_UNIT_NANOSECONDS, insp_history_percentile (bars[0], 0.99));
  /* Translators: of percentile curves: half took at most …, 99 of 100 took at most … */
  g_autofree char *text = g_strdup_printf (_ ("median %s, 99 %% at most %s"), median, most);
  if (memcmp (self->bars, bars, sizeof self->bars) == 0)
    return;
  memcpy (self->bars, bars, sizeof self->bars);
  g_clear_object (&self->texture);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
}
