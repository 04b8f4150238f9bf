/* SPDX-License-Identifier: MIT */
/*
 * How long operations take, in what shows it: known numbers appear in the tables, and where they belong
 * in the heat map, exactly.
 */
#include <math.h>
#include <string.h>

#include "insp-comparison.h"
#include "insp-decades.h"
#include "insp-heat-map.h"
#include "insp-heat-table.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-slow-table.h"
#include "insp-time-split.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static const char *const no_values[] = { NULL };
static const char *const histograms[] = { "put", "get", "seek", NULL };
static const InspOperation reads = { "Reads", "get seek", 0 };
static const InspOperation writes = { "Writes", "put", 0 };

typedef struct
{
  InspHistory *history;
  InspAxis *axis;
  InspDistribution *distribution;
  GtkWidget *window;
  gint64 recorded[3 * INSP_BARS]; /* until now */
} Fixture;

static guint
bar_of (double nanoseconds)
{
  guint bar = 0;
  while (insp_history_bar_end (bar) < nanoseconds)
    bar++;
  return bar;
}

static void
record (Fixture *self, guint histogram, double nanoseconds, guint count)
{
  self->recorded[histogram * INSP_BARS + bar_of (nanoseconds)] += count;
}

static void
look (Fixture *self, gint64 time)
{
  const gint64 nothing = 0;
  insp_history_append (self->history, time, &nothing, self->recorded);
  insp_axis_set_now (self->axis, time);
}

/* Ten looks, a second apart: gets of 5 µs, a seek of 2 ms in each; from the sixth on gets of 50 µs. */
static void
set_up (Fixture *self, gconstpointer data)
{
  self->history = insp_history_new (100);
  insp_history_set_names (self->history, no_values, histograms);
  self->axis = insp_axis_new (600 * SECOND);
  self->distribution = insp_distribution_new (self->history, &reads);
  self->window = gtk_window_new ();
  look (self, 1000 * SECOND);
  for (guint i = 1; i <= 10; i++)
    {
      record (self, 1, i <= 5 ? 5e3 : 50e3, 99);
      record (self, 2, 2e6, 1);
      record (self, 0, 3e6, 7);
      look (self, (1000 + i) * SECOND);
    }
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (self->window));
  g_object_unref (self->distribution);
  g_object_unref (self->axis);
  g_object_unref (self->history);
}

static void
show (Fixture *self, GtkWidget *child)
{
  gint64 end = g_get_monotonic_time () + 100000;
  gtk_window_set_default_size (GTK_WINDOW (self->window), 600, 400);
  gtk_window_set_child (GTK_WINDOW (self->window), child);
  gtk_widget_show (self->window);
  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

static void
assert_text (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
test_table (Fixture *self, gconstpointer data)
{
  GtkWidget *table = insp_heat_table_new (self->distribution, self->axis);
  show (self, table);
  /* A cell is half a second: every other one has nothing, and is left out. */
  g_assert_cmpint (insp_heat_map_step (self->axis), ==, SECOND / 2);
  for (guint row = 0; row < 10; row++)
    {
      gboolean late = row < 5; /* the newest are first */
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 1), "0");
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 2), late ? "0" : "99");
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 3), late ? "99" : "0");
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 4), "0");
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 5), "1");
      assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), row, 8), "100");
    }
  g_assert_null (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), 10, 1));
  insp_distribution_set_operation (self->distribution, &writes);
  assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), 0, 5), "7");
  assert_text (insp_heat_table_get_cell (INSP_HEAT_TABLE (table), 9, 8), "7");
}

static void
test_comparison (Fixture *self, gconstpointer data)
{
  GtkWidget *widget = insp_comparison_new (self->distribution, self->axis);
  InspComparison *comparison = INSP_COMPARISON (widget);
  show (self, widget);
  insp_comparison_set_span (comparison, 0, 1000 * SECOND, 1005 * SECOND);
  insp_comparison_set_span (comparison, 1, 1005 * SECOND, 1010 * SECOND);
  assert_text (insp_comparison_get_cell (comparison, 8, 1), "1 k");
  g_object_ref (widget);
  assert_text (insp_comparison_get_cell (comparison, 8, 2), "500");
  assert_text (insp_comparison_get_cell (comparison, 8, 3), "500");
  assert_text (insp_comparison_get_cell (comparison, 8, 4), "0 %");
  g_autofree char *median_a = insp_comparison_get_cell (comparison, 0, 2);
  g_autofree char *median_b = insp_comparison_get_cell (comparison, 0, 3);
  g_assert_cmpfloat (fabs (log2 (g_ascii_strtod (median_a, NULL) / 5)), <=,
                     1.0 / INSP_BARS_PER_OCTAVE);
  g_assert_cmpfloat (fabs (log2 (g_ascii_strtod (median_b, NULL) / 50)), <=,
                     1.0 / INSP_BARS_PER_OCTAVE);
  insp_comparison_set_span (comparison, 1, 0, 0);
  assert_text (insp_comparison_get_cell (comparison, 0, 3), "–");
  assert_text (insp_comparison_get_cell (comparison, 0, 4), "–");
  g_object_unref (widget);
}

static void
test_decades (void)
{
  guint64 bars[INSP_BARS] = { 0 };
  InspDecades empty = insp_decades_of (bars);
  g_assert_cmpint (empty.high, >, empty.low);
  bars[bar_of (5e3)] = 1;
  InspDecades one = insp_decades_of (bars);
  g_assert_cmpint (one.low, ==, 3);
  g_assert_cmpint (one.high, ==, 5);
  bars[bar_of (2e6)] = 1;
  InspDecades two = insp_decades_of (bars);
  g_assert_cmpint (two.high, ==, 7);
  g_assert_cmpfloat_with_epsilon (insp_decades_place (two, 1e5), 0.5, 1e-9);
  g_assert_cmpfloat_with_epsilon (insp_decades_at (two, 0.25), 1e4, 1e-6);
}

/* The pixels of what a widget draws. */
static guint32 *
pixels_of (GtkWidget *widget, int *width, int *height)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  *width = gtk_widget_get_width (widget);
  *height = gtk_widget_get_height (widget);
  gdk_paintable_snapshot (paintable, snapshot, *width, *height);
  g_autoptr (GskRenderNode) node = gtk_snapshot_free_to_node (snapshot);
  GskRenderer *renderer = gtk_native_get_renderer (gtk_widget_get_native (widget));
  g_autoptr (GdkTexture) texture = gsk_renderer_render_texture (
      renderer, node, &GRAPHENE_RECT_INIT (0, 0, (float) *width, (float) *height));
  guint32 *pixels = g_new (guint32, (gsize) *width * (gsize) *height);
  gdk_texture_download (texture, (guchar *) pixels, (gsize) *width * 4);
  return pixels;
}

/* How strong the palette's first colour is there: it has more blue than red. */
static int
strength (guint32 pixel)
{
  return (int) (pixel & 0xff) - (int) (pixel >> 16 & 0xff);
}

static void
test_picture (Fixture *self, gconstpointer data)
{
  int width, height;
  GtkWidget *map = insp_heat_map_new (self->distribution, self->axis);
  insp_axis_show (self->axis, 1000 * SECOND, 1010 * SECOND);
  show (self, map);
  g_autofree guint32 *pixels = pixels_of (map, &width, &height);
  double plot = height - insp_plot_labels_height (map);
  guint64 bars[INSP_BARS] = { 0 };
  insp_distribution_add (self->distribution, 0, 2000 * SECOND, bars);
  InspDecades decades = insp_decades_of (bars);
  for (guint i = 1; i <= 10; i++)
    {
      /* A cell is a quarter of a second, and ends at the sample. */
      int x = (int) ((i - 0.125) / 10 * width);
      double half_bar = exp2 (-0.5 / INSP_BARS_PER_OCTAVE);
      const double values[] = { 5e3, 50e3, 2e6 };
      for (guint j = 0; j < 3; j++)
        {
          double middle = insp_history_bar_end (bar_of (values[j])) * half_bar;
          int y = (int) ((1 - insp_decades_place (decades, middle)) * plot);
          int found = strength (pixels[y * width + x]);
          gboolean expected = j == 2 || (j == 0) == (i <= 5);
          g_assert_cmpint (found > 10, ==, expected);
        }
    }
}

static void
on_selected (InspHeatMap *map, guint *times)
{
  ++*times;
}

static void
test_region (Fixture *self, gconstpointer data)
{
  guint times = 0;
  GtkWidget *widget = insp_heat_map_new (self->distribution, self->axis);
  InspHeatMap *map = INSP_HEAT_MAP (widget);
  InspRegion region = { 1001 * SECOND, 1002 * SECOND, 1e3, 1e6 };
  g_object_ref_sink (widget);
  g_signal_connect (map, "selected", G_CALLBACK (on_selected), &times);
  g_assert_null (insp_heat_map_get_region (map));
  insp_heat_map_set_region (map, NULL);
  g_assert_cmpuint (times, ==, 0);
  insp_heat_map_set_region (map, &region);
  g_assert_cmpuint (times, ==, 1);
  g_assert_cmpint (insp_heat_map_get_region (map)->to, ==, 1002 * SECOND);
  insp_heat_map_set_region (map, NULL);
  g_assert_null (insp_heat_map_get_region (map));
  g_object_unref (widget);
}

static void
test_split (void)
{
  LdbSlowOperation operation
      = { .duration = 1000, .page_read = 600, .decompress = 100, .log_sync = 1 };
  InspTimeParts parts = { { 0 } };
  insp_time_parts_add (&parts, &operation);
  g_assert_cmpuint (insp_time_parts_sum (&parts), ==, 1000);
  assert_text (insp_time_parts_format (&parts),
               "reading pages 60 %, else 30 %, decompressing 10 %");
  operation = (LdbSlowOperation){ .duration = 10, .lock = 500, .stall = 500 }; /* waits overlap */
  memset (&parts, 0, sizeof parts);
  insp_time_parts_add (&parts, &operation);
  assert_text (insp_time_parts_format (&parts), "waiting for commits 50 %, stalled 50 %");
  memset (&parts, 0, sizeof parts);
  assert_text (insp_time_parts_format (&parts), "");
}

int
main (int argument_count, char **arguments)
{
  gtk_test_init (&argument_count, &arguments);
  g_test_add ("/latency/table", Fixture, NULL, set_up, test_table, tear_down);
  g_test_add ("/latency/comparison", Fixture, NULL, set_up, test_comparison, tear_down);
  g_test_add ("/latency/picture", Fixture, NULL, set_up, test_picture, tear_down);
  g_test_add ("/latency/region", Fixture, NULL, set_up, test_region, tear_down);
  g_test_add_func ("/latency/decades", test_decades);
  g_test_add_func ("/latency/split", test_split);
  return g_test_run ();
}
