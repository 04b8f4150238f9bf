/* SPDX-License-Identifier: MIT */
/*
 * A chart and its twin, a table: a known series appears in both, exactly. What is drawn is read back
 * from the picture.
 */
#include <math.h>

#include "insp-chart-card.h"
#include "insp-palette.h"
#include "insp-plot.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define SAMPLES 100

static const char *const names[] = { "value", NULL };
static const char *const no_names[] = { NULL };

typedef struct
{
  InspHistory *history;
  InspAxis *axis;
  GtkWidget *window, *card; /* the card is the window's */
} Fixture;

static double
value_at (guint i)
{
  return i % 10 == 9 ? 1000 : 10 * (double) i;
}

static void
append (Fixture *self, guint i)
{
  gint64 value = (gint64) value_at (i), time = (1000 + i) * SECOND;
  insp_history_append (self->history, time, &value, NULL);
  insp_axis_set_now (self->axis, time);
}

static void
iterate (guint milliseconds)
{
  gint64 end = g_get_monotonic_time () + milliseconds * 1000;
  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->history = insp_history_new (SAMPLES);
  insp_history_set_names (self->history, names, no_names);
  self->axis = insp_axis_new (600 * SECOND);
  self->card = insp_chart_card_new ("Values", self->axis);
  g_autoptr (InspSeries) series
      = insp_series_new_value (self->history, "Value", INSP_UNIT_COUNT, "value");
  insp_chart_card_add (INSP_CHART_CARD (self->card), series);
  for (guint i = 0; i < SAMPLES; i++)
    append (self, i);
  insp_axis_show (self->axis, 1000 * SECOND, 1099 * SECOND);
  self->window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (self->window), 600, 300);
  gtk_window_set_child (GTK_WINDOW (self->window), self->card);
  gtk_window_present (GTK_WINDOW (self->window));
  while (!gtk_widget_get_mapped (self->card) || gtk_widget_get_width (self->card) == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (self->window));
  iterate (1);
  g_object_unref (self->history);
  g_object_unref (self->axis);
}

static void
test_table (Fixture *self, gconstpointer data)
{
  for (guint row = 0; row < SAMPLES; row++)
    {
      g_autofree char *cell = insp_chart_card_get_cell (INSP_CHART_CARD (self->card), row, 0);
      g_autofree char *expected = insp_unit_format (INSP_UNIT_COUNT, value_at (SAMPLES - 1 - row));
      g_assert_cmpstr (cell, ==, expected);
    }
  g_assert_null (insp_chart_card_get_cell (INSP_CHART_CARD (self->card), SAMPLES, 0));
}

/* The chart as GTK draws it, without its surroundings. */
static cairo_surface_t *
draw (Fixture *self, int *width, int *height)
{
  GtkWidget *chart = GTK_WIDGET (insp_chart_card_get_chart (INSP_CHART_CARD (self->card)));
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (chart);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  *width = gtk_widget_get_width (chart);
  *height = gtk_widget_get_height (chart);
  gdk_paintable_snapshot (paintable, snapshot, *width, *height);
  GskRenderNode *node = gtk_snapshot_to_node (snapshot);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, *width, *height);
  cairo_t *cairo = cairo_create (surface);
  gsk_render_node_draw (node, cairo);
  cairo_destroy (cairo);
  gsk_render_node_unref (node);
  cairo_surface_flush (surface);
  return surface;
}

/* The rows of a column in which the line is, from the first to the last; FALSE: none. */
static gboolean
find_line (cairo_surface_t *surface, int column, int height, int *top, int *bottom)
{
  GdkRGBA color = insp_palette_color (0, FALSE);
  gboolean found = FALSE;
  for (int row = 0; row < height; row++)
    {
      const guint8 *line
          = cairo_image_surface_get_data (surface) + row * cairo_image_surface_get_stride (surface);
      const guint8 *pixel = line + 4 * column; /* blue, green, red, alpha */
      gboolean is_line = abs (pixel[0] - (int) (color.blue * 255)) < 40
                         && abs (pixel[1] - (int) (color.green * 255)) < 40
                         && abs (pixel[2] - (int) (color.red * 255)) < 40 && pixel[3] > 200;
      if (!is_line)
        continue;
      if (!found)
        *top = row;
      *bottom = row;
      found = TRUE;
    }
  return found;
}

/* Each tenth sample is a peak that reaches the top: the greatest of a column is never lost. Else the
 * line is where its value is. */
static void
test_picture (Fixture *self, gconstpointer data)
{
  int width, height, top = 0, bottom = 0;
  guint peaks = 0;
  cairo_surface_t *surface = draw (self, &width, &height);
  int plot = height - 18;
  for (guint i = 0; i < SAMPLES; i++)
    {
      int column = MIN ((int) (i * (guint) width / (SAMPLES - 1)), width - 1);
      double expected = plot * (1 - value_at (i) / 1000);
      gboolean near = FALSE;
      for (int beside = MAX (column - 1, 0); beside <= MIN (column + 1, width - 1); beside++)
        if (find_line (surface, beside, plot, &top, &bottom))
          near |= top <= expected + 3 && bottom >= MIN (expected, plot - 1) - 3;
      g_assert_true (near);
      peaks += value_at (i) == 1000;
    }
  g_assert_cmpuint (peaks, ==, SAMPLES / 10);
  cairo_surface_destroy (surface);
}

/* One more sample, and the picture and the table have it. */
static void
test_following (Fixture *self, gconstpointer data)
{
  g_autofree char *before = insp_chart_card_get_cell (INSP_CHART_CARD (self->card), 0, 0);
  insp_axis_set_following (self->axis, TRUE);
  append (self, SAMPLES + 3);
  g_autofree char *after = insp_chart_card_get_cell (INSP_CHART_CARD (self->card), 0, 0);
  g_autofree char *expected = insp_unit_format (INSP_UNIT_COUNT, value_at (SAMPLES + 3));
  g_assert_cmpstr (before, !=, after);
  g_assert_cmpstr (after, ==, expected);
}

/* It takes what room there is, and no more than lines are read in. */
static void
test_height (Fixture *self, gconstpointer data)
{
  static const int heights[][2] = { { 300, 300 }, { 600, 600 }, { 900, 720 }, { 1900, 720 } };
  GtkWidget *card = gtk_widget_get_first_child (self->card);
  for (guint i = 0; i < G_N_ELEMENTS (heights); i++)
    {
      int least;
      gtk_widget_measure (self->card, GTK_ORIENTATION_VERTICAL, 800, &least, NULL, NULL, NULL);
      g_assert_cmpint (least, <=, heights[i][0]);
      gtk_widget_allocate (self->card, 800, heights[i][0], -1, NULL);
      graphene_rect_t bounds;
      g_assert_true (gtk_widget_compute_bounds (card, self->card, &bounds));
      g_assert_cmpfloat (bounds.origin.y, ==, 0);
      g_assert_cmpfloat (bounds.size.height, ==, heights[i][1]);
    }
}

/* The first widget of a type, at any depth; NULL: there is none. */
static GtkWidget *
find (GtkWidget *above, GType type)
{
  GtkWidget *found = G_TYPE_CHECK_INSTANCE_TYPE (above, type) ? above : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (above); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find (child, type);
  return found;
}

/* Times are below the plot, and have room there however large people have their text. */
static void
test_large_text (Fixture *self, gconstpointer data)
{
  static const int scales[] = { 96, 120, 192, 288 };
  int was, before = 0;
  g_object_get (gtk_settings_get_default (), "gtk-xft-dpi", &was, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scales); i++)
    {
      int height;
      g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", scales[i] * 1024, NULL);
      iterate (50);
      GtkWidget *chart = find (self->card, INSP_TYPE_CHART);
      g_autoptr (PangoLayout) label = gtk_widget_create_pango_layout (chart, "−30 s");
      pango_layout_get_pixel_size (label, NULL, &height);
      g_assert_cmpint (height, >, before);
      g_assert_cmpfloat (insp_plot_of (chart).size.height + (float) height, <,
                         gtk_widget_get_height (chart) + 1);
      before = height;
    }
  g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", was, NULL);
}

/* GTK's own themes of high contrast are told from the others. */
static void
test_contrast (void)
{
  static const struct
  {
    const char *theme;
    gboolean dark, high;
  } themes[] = { { "Default", FALSE, FALSE },
                 { "HighContrast", FALSE, TRUE },
                 { "Default", TRUE, FALSE },
                 { "HighContrast", TRUE, TRUE } };
  GtkWidget *window = gtk_window_new (), *label = gtk_label_new ("text");
  gtk_window_set_child (GTK_WINDOW (window), label);
  gtk_window_present (GTK_WINDOW (window));
  for (guint i = 0; i < G_N_ELEMENTS (themes); i++)
    {
      g_object_set (gtk_settings_get_default (), "gtk-theme-name", themes[i].theme,
                    "gtk-application-prefer-dark-theme", themes[i].dark, NULL);
      iterate (50);
      g_assert_cmpint (insp_palette_is_high_contrast (label), ==, themes[i].high);
      g_assert_cmpint (insp_palette_faint (label, 0.12).alpha > 0.3f, ==, themes[i].high);
    }
  gtk_window_destroy (GTK_WINDOW (window));
  iterate (1);
}

int
main (int argument_count, char **arguments)
{
  g_unsetenv ("GTK_THEME"); /* a test has several */
  gtk_test_init (&argument_count, &arguments);
  g_test_add ("/chart/table", Fixture, NULL, set_up, test_table, tear_down);
  g_test_add ("/chart/picture", Fixture, NULL, set_up, test_picture, tear_down);
  g_test_add ("/chart/following", Fixture, NULL, set_up, test_following, tear_down);
  g_test_add ("/chart/height", Fixture, NULL, set_up, test_height, tear_down);
  g_test_add ("/chart/large-text", Fixture, NULL, set_up, test_large_text, tear_down);
  g_test_add_func ("/chart/contrast", test_contrast);
  return g_test_run ();
}
