/* SPDX-License-Identifier: MIT */
/* What the inspector keeps of what it saw, and what it reckons from that: exact, sample by sample. */
#include <math.h>
#include <string.h>

#include "insp-sample-list.h"
#include "insp-series.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define CAPACITY 8u

static const char *const names[] = { "reads", "missed", "bytes", NULL };
static const char *const histograms[] = { "get", "put", NULL };

static InspHistory *
new_history (void)
{
  InspHistory *history = insp_history_new (CAPACITY);
  insp_history_set_names (history, names, histograms);
  return history;
}

static void
append (InspHistory *history, gint64 time, gint64 reads, gint64 missed, gint64 bytes)
{
  const gint64 values[] = { reads, missed, bytes };
  insp_history_append (history, time, values, NULL);
}

static double
newest (InspSeries *series)
{
  return insp_series_get (series, insp_history_get_end (insp_series_get_history (series)) - 1);
}

static void
assert_value (double value, double expected)
{
  if (isnan (expected))
    g_assert_true (isnan (value));
  else
    g_assert_cmpfloat_with_epsilon (value, expected, 1e-9);
}

static void
test_ring (void)
{
  g_autoptr (InspHistory) history = new_history ();
  for (gint64 i = 0; i < 20; i++)
    {
      append (history, SECOND * (i + 1), 10 * i, i, 100);
      g_assert_cmpuint (insp_history_get_end (history), ==, i + 1);
      g_assert_cmpuint (insp_history_get_first (history), ==, MAX (i + 1 - (gint64) CAPACITY, 0));
    }
  for (guint64 number = 12; number < 20; number++)
    {
      g_assert_cmpint (insp_history_get_time (history, number), ==, SECOND * (gint64) (number + 1));
      g_assert_cmpint (insp_history_get_value (history, number, 0), ==, 10 * (gint64) number);
    }
  g_assert_cmpuint (insp_history_seek (history, 0), ==, 12);
  g_assert_cmpuint (insp_history_seek (history, 15 * SECOND), ==, 14);
  g_assert_cmpuint (insp_history_seek (history, 15 * SECOND + 1), ==, 15);
  g_assert_cmpuint (insp_history_seek (history, 99 * SECOND), ==, 20);
  g_assert_cmpint (insp_history_find (history, "bytes"), ==, 2);
  g_assert_cmpint (insp_history_find (history, "get"), ==, -1);
  g_assert_cmpint (insp_history_find_histogram (history, "put"), ==, 1);
}

/* Names that change begin anew; the same ones do not. */
static void
test_names (void)
{
  static const char *const others[] = { "reads", NULL };
  g_autoptr (InspHistory) history = new_history ();
  append (history, SECOND, 1, 2, 3);
  insp_history_set_names (history, names, histograms);
  g_assert_cmpuint (insp_history_get_end (history) - insp_history_get_first (history), ==, 1);
  insp_history_set_names (history, others, histograms);
  g_assert_cmpuint (insp_history_get_end (history) - insp_history_get_first (history), ==, 0);
  g_assert_cmpint (insp_history_find (history, "bytes"), ==, -1);
}

static void
test_series (void)
{
  g_autoptr (InspHistory) history = new_history ();
  g_autoptr (InspSeries) value
      = insp_series_new_value (history, "value", INSP_UNIT_BYTES, "bytes missed nonsense");
  g_autoptr (InspSeries) rate
      = insp_series_new_rate (history, "rate", INSP_UNIT_PER_SECOND, "reads");
  g_autoptr (InspSeries) share = insp_series_new_share (history, "share", "missed", "reads", FALSE);
  g_autoptr (InspSeries) rest = insp_series_new_share (history, "rest", "missed", "reads", TRUE);
  g_autoptr (InspSeries) mean
      = insp_series_new_mean (history, "mean", INSP_UNIT_NANOSECONDS, "bytes", "reads");
  static const struct
  {
    gint64 time, reads, missed, bytes;
    double value, rate, share, rest, mean;
  } samples[] = {
    { 1 * SECOND, 100, 10, 1000, 1010, NAN, NAN, NAN, NAN },
    { 2 * SECOND, 300, 60, 1400, 1460, 200, 0.25, 0.75, 2 },
    { 2 * SECOND + SECOND / 4, 350, 60, 1400, 1460, 200, 0, 1, 0 },
    { 4 * SECOND, 350, 60, 1400, 1460, 0, NAN, NAN, NAN }, /* nothing was read */
    { 5 * SECOND, 20, 5, 90, 95, NAN, NAN, NAN, NAN },     /* counting began anew */
    { 6 * SECOND, 30, 15, 190, 205, 10, 1, 0, 10 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    {
      append (history, samples[i].time, samples[i].reads, samples[i].missed, samples[i].bytes);
      assert_value (newest (value), samples[i].value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    {
      assert_value (insp_series_get (value, i), samples[i].value);
      assert_value (insp_series_get (rate, i), samples[i].rate);
      assert_value (insp_series_get (share, i), samples[i].share);
      assert_value (insp_series_get (rest, i), samples[i].rest);
      assert_value (insp_series_get (mean, i), samples[i].mean);
    }
  double least, greatest;
  g_assert_true (insp_series_get_extent (rate, 0, 6, &least, &greatest));
  assert_value (least, 0);
  assert_value (greatest, 200);
  g_assert_false (insp_series_get_extent (rate, 0, 1, &least, &greatest));
  /* A series that is made later reckons the same. */
  g_autoptr (InspSeries) late
      = insp_series_new_rate (history, "late", INSP_UNIT_PER_SECOND, "reads");
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    assert_value (insp_series_get (late, i), samples[i].rate);
}

static guint
bar_of (double value)
{
  guint bar = 0;
  while (insp_history_bar_end (bar) < value)
    bar++;
  return bar;
}

/* Percentiles are of what came in the last second, at most half a bar off. */
static void
test_percentiles (void)
{
  g_autoptr (InspHistory) history = new_history ();
  g_autoptr (InspSeries) series = insp_series_new_percentile (history, "99 %", "get put", 0.99);
  const gint64 values[] = { 0, 0, 0 };
  gint64 recorded[2 * INSP_BARS] = { 0 };
  recorded[bar_of (50)] = 1000; /* before it looked: not told of */
  insp_history_append (history, SECOND, values, recorded);
  assert_value (newest (series), NAN);
  recorded[bar_of (1000)] += 980;
  recorded[INSP_BARS + bar_of (300000)] += 20;
  insp_history_append (history, 2 * SECOND, values, recorded);
  g_assert_cmpfloat (fabs (log2 (newest (series) / 300000)), <=, 1.0 / INSP_BARS_PER_OCTAVE);
  insp_history_append (history, 2 * SECOND + SECOND / 2, values, recorded);
  g_assert_cmpfloat (newest (series), >, 250000); /* still within a second */
  insp_history_append (history, 4 * SECOND, values, recorded);
  assert_value (newest (series), NAN);
  guint64 bars[INSP_BARS] = { 0 };
  g_assert_cmpuint (insp_history_add_bars (history, 0, 0, 4, bars), ==, 980);
  g_assert_cmpuint (bars[bar_of (1000)], ==, 980);
}

/* All values, and the greatest there is, have a bar; bars rise. */
static void
test_bars (void)
{
  for (guint i = 1; i < INSP_BARS; i++)
    g_assert_cmpfloat (insp_history_bar_end (i), >, insp_history_bar_end (i - 1));
  g_assert_cmpfloat (insp_history_bar_end (INSP_BARS - 1), >, 60e9); /* a minute */
  guint64 bars[INSP_BARS] = { 0 };
  assert_value (insp_history_percentile (bars, 0.5), NAN);
  bars[10] = 1;
  bars[20] = 1;
  g_assert_cmpfloat (insp_history_percentile (bars, 0.5), <=, insp_history_bar_end (10));
  g_assert_cmpfloat (insp_history_percentile (bars, 0.51), >, insp_history_bar_end (19));
  g_assert_cmpfloat (insp_history_percentile (bars, 1), <=, insp_history_bar_end (20));
}

static void
test_axis (void)
{
  guint changes = 0;
  g_autoptr (InspAxis) axis = insp_axis_new (600 * SECOND);
  g_signal_connect_swapped (axis, "changed", G_CALLBACK (g_atomic_int_inc), &changes);
  insp_axis_set_now (axis, 1000 * SECOND);
  g_assert_cmpint (insp_axis_get_end (axis), ==, 1000 * SECOND);
  g_assert_cmpint (insp_axis_get_start (axis), ==, 880 * SECOND);
  g_assert_cmpuint (changes, ==, 1);
  insp_axis_show (axis, 900 * SECOND, 920 * SECOND);
  g_assert_false (insp_axis_get_following (axis));
  insp_axis_set_now (axis, 1001 * SECOND);
  g_assert_cmpint (insp_axis_get_start (axis), ==, 900 * SECOND);
  g_assert_cmpint (insp_axis_get_span (axis), ==, 20 * SECOND);
  g_assert_cmpuint (changes, ==, 2);
  insp_axis_zoom (axis, 2, 910 * SECOND); /* which stays in the middle */
  g_assert_cmpint (insp_axis_get_start (axis), ==, 890 * SECOND);
  g_assert_cmpint (insp_axis_get_end (axis), ==, 930 * SECOND);
  for (guint i = 0; i < 50; i++)
    insp_axis_zoom (axis, 0.5, 910 * SECOND);
  g_assert_cmpint (insp_axis_get_span (axis), ==, INSP_AXIS_SPAN_LEAST);
  for (guint i = 0; i < 50; i++)
    insp_axis_zoom (axis, 2, 910 * SECOND);
  g_assert_cmpint (insp_axis_get_span (axis), ==, 600 * SECOND);
  g_assert_cmpint (insp_axis_get_end (axis), <=, 1001 * SECOND);
  insp_axis_reset (axis);
  g_assert_true (insp_axis_get_following (axis));
  g_assert_cmpint (insp_axis_get_end (axis), ==, 1001 * SECOND);
}

/* ---- the list of samples ---- */

/* What a view of the list believes: numbers, kept by its signals alone. */
static void
apply (GListModel *list, guint position, guint removed, guint added, GArray *belief)
{
  g_assert_cmpuint (position + removed, <=, belief->len);
  g_assert_cmpuint (belief->len - removed + added, ==, g_list_model_get_n_items (list));
  g_array_remove_range (belief, position, removed);
  for (guint i = 0; i < added; i++)
    {
      g_autoptr (InspSample) sample = g_list_model_get_item (list, position + i);
      guint64 number = insp_sample_get_number (sample);
      g_array_insert_val (belief, position + i, number);
    }
}

static void
assert_belief (GListModel *list, GArray *belief)
{
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, belief->len);
  for (guint i = 0; i < belief->len; i++)
    {
      g_autoptr (InspSample) sample = g_list_model_get_item (list, i);
      g_assert_cmpuint (insp_sample_get_number (sample), ==, g_array_index (belief, guint64, i));
    }
  g_assert_null (g_list_model_get_item (list, belief->len));
}

static void
test_sample_list (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  g_autoptr (InspHistory) history = new_history ();
  g_autoptr (InspAxis) axis = insp_axis_new (600 * SECOND);
  g_autoptr (InspSampleList) samples = insp_sample_list_new (history, axis);
  g_autoptr (GArray) belief = g_array_new (FALSE, FALSE, sizeof (guint64));
  GListModel *list = G_LIST_MODEL (samples);
  g_signal_connect (list, "items-changed", G_CALLBACK (apply), belief);
  for (gint64 now = 1000 * SECOND, i = 0; i < 3000; i++)
    {
      now += g_rand_int_range (random, 1, 20) * SECOND;
      append (history, now, i, i, i);
      switch (g_rand_int_range (random, 0, 6))
        {
        case 0:
          insp_axis_show (axis, now - 90 * SECOND, now - g_rand_int_range (random, 0, 80) * SECOND);
          break;
        case 1:
          insp_axis_zoom (axis, g_rand_double_range (random, 0.3, 3), now - 10 * SECOND);
          break;
        case 2:
          insp_axis_reset (axis);
          break;
        default:
          break;
        }
      insp_axis_set_now (axis, now);
      assert_belief (list, belief);
      guint expected = 0;
      for (guint64 n = insp_history_get_first (history); n < insp_history_get_end (history); n++)
        expected += insp_history_get_time (history, n) >= insp_axis_get_start (axis)
                    && insp_history_get_time (history, n) <= insp_axis_get_end (axis);
      if (insp_axis_get_following (axis))
        g_assert_cmpuint (belief->len, ==, expected);
    }
}

static void
test_units (void)
{
  static const struct
  {
    InspUnit unit;
    double value;
    const char *text;
  } cases[] = {
    { INSP_UNIT_COUNT, 0, "0" },
    { INSP_UNIT_COUNT, 999, "999" },
    { INSP_UNIT_COUNT, 12345, "12.3 k" },
    { INSP_UNIT_PER_SECOND, 1.5, "1.50/s" },
    { INSP_UNIT_BYTES, 999.9, "1.00 kB" },
    { INSP_UNIT_BYTES, 65536, "65.5 kB" },
    { INSP_UNIT_BYTES_PER_SECOND, 2e6, "2 MB/s" },
    { INSP_UNIT_NANOSECONDS, 87, "87 ns" },
    { INSP_UNIT_NANOSECONDS, 1234567, "1.23 ms" },
    { INSP_UNIT_SHARE, 0.9876, "98.8 %" },
    { INSP_UNIT_SHARE, NAN, "–" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = insp_unit_format (cases[i].unit, cases[i].value);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
  assert_value (insp_unit_round_up (INSP_UNIT_BYTES, 0), 1);
  assert_value (insp_unit_round_up (INSP_UNIT_BYTES, 200), 200);
  assert_value (insp_unit_round_up (INSP_UNIT_BYTES, 201), 250);
  assert_value (insp_unit_round_up (INSP_UNIT_BYTES, 750), 1000);
  assert_value (insp_unit_round_up (INSP_UNIT_SHARE, 0.2), 1);
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add_func ("/history/ring", test_ring);
  g_test_add_func ("/history/names", test_names);
  g_test_add_func ("/history/series", test_series);
  g_test_add_func ("/history/percentiles", test_percentiles);
  g_test_add_func ("/history/bars", test_bars);
  g_test_add_func ("/history/axis", test_axis);
  g_test_add_func ("/history/sample-list", test_sample_list);
  g_test_add_func ("/history/units", test_units);
  return g_test_run ();
}
