/* SPDX-License-Identifier: MIT */
/*
 * What is counted of watches, entries and lists (LdbMetrics): each counter moves by what was done, and
 * by nothing else.
 */
#include "watch-test.h"

static const char *const names[]
    = { "watches",         "watches_waiting", "watch_emissions", "watch_changes",
        "watch_coalesced", "watch_resyncs",   "watch_lag",       "watch_delay" };

/* In the order of `names`: gauges as they are, else by how much each moved; `behind` is the sum of
 * "watch_lag". */
typedef struct
{
  gint64 watches, waiting, emissions, changes, coalesced, resyncs, behind;
} Counted;

typedef struct
{
  LdbMetrics *metrics;               /* owned */
  gint64 last[G_N_ELEMENTS (names)]; /* as last looked at */
  gint64 behind;                     /* likewise */
} Counters;

static void
counters_begin (Counters *self, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  self->metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    self->last[i] = ldb_metrics_get_value (self->metrics, names[i]);
  self->behind = ldb_metrics_get_sum (self->metrics, "watch_lag");
}

static void
check_counted (Counters *self, const Counted *expected, int line)
{
  const gint64 moves[] = { expected->emissions,
                           expected->changes,
                           expected->coalesced,
                           expected->resyncs,
                           expected->emissions - expected->resyncs,
                           expected->emissions };
  const gint64 states[] = { expected->watches, expected->waiting };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gint64 now = ldb_metrics_get_value (self->metrics, names[i]);
      gint64 should = i < G_N_ELEMENTS (states) ? states[i]
                                                : self->last[i] + moves[i - G_N_ELEMENTS (states)];
      if (now != should)
        g_error ("line %d: %s is %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT, line, names[i], now,
                 should);
      self->last[i] = now;
    }
  gint64 behind = ldb_metrics_get_sum (self->metrics, "watch_lag");
  g_assert_cmpint (behind - self->behind, ==, expected->behind);
  self->behind = behind;
}

#define COUNTED(counters, ...) check_counted (counters, &(const Counted){ __VA_ARGS__ }, __LINE__)

static void
add_emission (LdbWatch *watch, LdbChangeSet *changes, guint *emissions)
{
  (*emissions)++;
}

static LdbWatch *
watch_prefix (LdbDatabase *db, const char *prefix, guint *emissions)
{
  g_autoptr (GError) error = NULL;
  LdbWatch *watch
      = ldb_database_watch_prefix (db, prefix, (gssize) strlen (prefix), LDB_WATCH_NONE, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (add_emission), emissions);
  return watch;
}

static void
test_told (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint emissions = 0, others = 0;
  Counters counters;
  counters_begin (&counters, db);
  COUNTED (&counters, .watches = 0);
  g_autoptr (LdbWatch) watch = watch_prefix (db, "k", &emissions);
  COUNTED (&counters, .watches = 1);
  ldb_test_put (db, "k1", "1");
  wait_until (emissions == 1);
  COUNTED (&counters, .watches = 1, .emissions = 1, .changes = 1, .behind = 1);
  ldb_test_put (db, "other", "1"); /* is nobody's */
  g_autoptr (LdbWatch) second = watch_prefix (db, "k1", &others);
  ldb_test_put (db, "k1", "2");
  wait_until (emissions == 2 && others == 1);
  g_autoptr (GError) error = NULL;
  gint64 behind = ldb_metrics_get_sum (counters.metrics, "watch_lag") - counters.behind;
  g_assert_true (behind == 2 || behind == 3); /* whether "other" was read with "k1" or before */
  COUNTED (&counters, .watches = 2, .emissions = 2, .changes = 2, .behind = behind);
  ldb_watch_close (watch);
  COUNTED (&counters, .watches = 1);
  ldb_watch_close (second);
  COUNTED (&counters, .watches = 0);
  g_object_unref (counters.metrics);
}

/* Of five commits one change is left to tell: a key that was put three times; and one that was put
 * and deleted again came to nothing. */
static void
test_coalesced (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  guint emissions = 0;
  Counters counters;
  g_autoptr (LdbWatch) watch = watch_prefix (db, "k", &emissions);
  counters_begin (&counters, db);
  ldb_watch_pause (watch);
  ldb_test_put (db, "k1", "1");
  ldb_test_put (db, "k1", "2");
  ldb_test_put (db, "k2", "1");
  ldb_test_put (db, "k1", "3");
  ldb_database_delete_string (db, "k2", NULL, &error);
  g_assert_no_error (error);
  run_for (50);
  g_assert_cmpuint (emissions, ==, 0);
  ldb_watch_resume (watch);
  wait_until (emissions == 1);
  COUNTED (&counters, .watches = 1, .emissions = 1, .changes = 1, .coalesced = 4, .behind = 5);
  g_object_unref (counters.metrics);
}

/* What is told of a range that was deleted counts as one, whatever was in it before. */
static void
test_ranges (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  guint emissions = 0;
  Counters counters;
  ldb_test_put (db, "k0", "1");
  g_autoptr (LdbWatch) watch = watch_prefix (db, "k", &emissions);
  counters_begin (&counters, db);
  ldb_watch_pause (watch);
  ldb_test_put (db, "k1", "1");
  ldb_test_put (db, "k2", "1");
  ldb_database_delete_range (db, "k", 1, "l", 1, NULL, &error);
  g_assert_no_error (error);
  run_for (50);
  ldb_watch_resume (watch);
  wait_until (emissions == 1);
  COUNTED (&counters, .watches = 1, .emissions = 1, .changes = 1, .coalesced = 2, .behind = 3);
  g_object_unref (counters.metrics);
}

/* More than may gather is forgotten: one resync, no change, nothing put together. */
static void
test_resync (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint emissions = 0;
  Counters counters;
  g_autoptr (LdbWatch) watch = watch_prefix (db, "k", &emissions);
  counters_begin (&counters, db);
  ldb_watch_set_max_changes (watch, 1);
  ldb_watch_pause (watch);
  for (guint i = 0; i < 5; i++)
    {
      char key[8];
      g_snprintf (key, sizeof key, "k%u", i);
      ldb_test_put (db, key, "1");
    }
  run_for (50);
  ldb_watch_resume (watch);
  wait_until (emissions == 1);
  COUNTED (&counters, .watches = 1, .emissions = 1, .resyncs = 1);
  g_object_unref (counters.metrics);
}

/* A main loop that does not run: somebody who looks sees that a watch waits for it. */
static void
test_waiting (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint emissions = 0;
  Counters counters;
  g_autoptr (LdbWatch) watch = watch_prefix (db, "k", &emissions);
  counters_begin (&counters, db);
  ldb_test_put (db, "k1", "1");
  while (ldb_metrics_get_value (counters.metrics, "watches_waiting") == 0)
    g_usleep (1000);
  COUNTED (&counters, .watches = 1, .waiting = 1);
  gint64 began = g_get_monotonic_time ();
  g_usleep (20000);
  wait_until (emissions == 1);
  COUNTED (&counters, .watches = 1, .emissions = 1, .changes = 1, .behind = 1);
  gint64 waited = ldb_metrics_get_maximum (counters.metrics, "watch_delay");
  g_assert_cmpint (waited, >=, 20000000);
  g_assert_cmpint (waited / 1000, <, g_get_monotonic_time () - began + 300 * G_TIME_SPAN_SECOND);
  ldb_test_put (db, "k1", "2"); /* closed while it waits: nothing is told, nothing waits */
  while (ldb_metrics_get_value (counters.metrics, "watches_waiting") == 0)
    g_usleep (1000);
  ldb_watch_close (watch);
  COUNTED (&counters, .watches = 0);
  g_object_unref (counters.metrics);
}

/* Entries and lists are told by the same way. */
static void
test_entries_and_lists (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  Counters counters;
  ldb_test_put (db, "k1", "1");
  counters_begin (&counters, db);
  g_autoptr (LdbEntry) entry = ldb_database_watch_entry (db, "k1", 2, &error);
  g_assert_no_error (error);
  COUNTED (&counters, .watches = 1);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new_prefix (db, NULL, "k", 1, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  COUNTED (&counters, .watches = 2);
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 1);
  ldb_test_put (db, "k2", "1"); /* is the list's alone */
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 2);
  COUNTED (&counters, .watches = 2, .emissions = 1, .changes = 1, .behind = 1);
  g_object_unref (counters.metrics);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/watch-counters/told", test_told);
  add_test ("/watch-counters/coalesced", test_coalesced);
  add_test ("/watch-counters/ranges", test_ranges);
  add_test ("/watch-counters/resync", test_resync);
  add_test ("/watch-counters/waiting", test_waiting);
  add_test ("/watch-counters/entries-and-lists", test_entries_and_lists);
  return g_test_run ();
}
