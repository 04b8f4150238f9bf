/* SPDX-License-Identifier: MIT */
/* LdbMetrics: figures by property and by name, rates, who is told when, and copies from elsewhere. */
#include "ldb-test.h"

static void
read_some (LdbDatabase *db, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *value = ldb_database_get_string (db, "key", NULL, &error);
      g_assert_no_error (error);
    }
}

static void
test_figures (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_metrics_get_total_reads (metrics), ==, 0);
  ldb_test_put (db, "key", "value");
  ldb_test_put (db, "other", "value");
  read_some (db, 10);
  g_assert_cmpuint (ldb_metrics_get_total_reads (metrics), ==, 0); /* not looked yet */
  ldb_metrics_refresh (metrics);
  g_assert_cmpuint (ldb_metrics_get_total_reads (metrics), ==, 10);
  g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, 2);
  g_assert_cmpfloat (ldb_metrics_get_cache_hit_rate (metrics), ==, 1);
  g_assert_cmpuint (ldb_metrics_get_active_transactions (metrics), ==, 0);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, 0, &error);
  g_assert_no_error (error);
  ldb_metrics_refresh (metrics);
  g_assert_cmpuint (ldb_metrics_get_active_transactions (metrics), ==, 1);
  g_assert_cmpuint (ldb_metrics_get_active_snapshots (metrics), ==, 1);
  ldb_transaction_rollback (transaction, &error);
  g_assert_no_error (error);
  ldb_metrics_refresh (metrics);
  g_assert_cmpuint (ldb_metrics_get_active_transactions (metrics), ==, 0);
  g_assert_cmpuint (ldb_metrics_get_aborted_transactions (metrics), ==, 1);
  g_assert_cmpuint (ldb_metrics_get_committed_transactions (metrics), ==, 0);
  g_assert_cmpuint (ldb_metrics_get_conflicts (metrics), ==, 0);
  g_assert_cmpuint (ldb_metrics_get_stalls (metrics), ==, 0);
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_no_error (error);
  ldb_metrics_refresh (metrics);
  g_assert_cmpuint (ldb_metrics_get_memory_budget_bytes (metrics), ==, stats->memory_budget);
  g_assert_cmpuint (ldb_metrics_get_memory_used_bytes (metrics), >, 0);
}

/* Between two looks at least 10 ms apart. */
static void
test_rates (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  ldb_test_put (db, "key", "value");
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  read_some (db, 1000);
  ldb_test_put (db, "key", "value");
  g_usleep (20000);
  gint64 before = g_get_monotonic_time ();
  ldb_metrics_refresh (metrics);
  double reads = ldb_metrics_get_reads_per_second (metrics);
  double writes = ldb_metrics_get_writes_per_second (metrics);
  g_assert_cmpfloat (reads, >, 0);
  g_assert_cmpfloat (reads, <=, 1000 / 0.02);
  g_assert_cmpfloat_with_epsilon (reads, 1000 * writes, 1e-6 * reads);
  g_assert_cmpfloat_with_epsilon (ldb_metrics_get_operations_per_second (metrics), reads + writes,
                                  1e-6 * reads);
  ldb_metrics_refresh (metrics); /* at once: no time to reckon with, unless it took that long */
  if (g_get_monotonic_time () - before < 10000)
    g_assert_cmpfloat (ldb_metrics_get_reads_per_second (metrics), ==, reads);
}

static void
test_names (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  g_auto (GStrv) names = ldb_metrics_list_names (metrics);
  guint histograms = 0;
  for (guint i = 0; names[i] != NULL; i++)
    {
      LdbMetricKind kind;
      LdbMetricUnit unit;
      const char *text;
      g_assert_true (ldb_metrics_describe (metrics, names[i], &kind, &unit, &text));
      g_assert_nonnull (text);
      histograms += kind == LDB_METRIC_HISTOGRAM;
    }
  g_assert_cmpuint (g_strv_length (names), >, 60);
  g_assert_cmpuint (histograms, >, 15);
  g_assert_false (ldb_metrics_describe (metrics, "nonsense", NULL, NULL, NULL));
  g_assert_cmpint (ldb_metrics_get_value (metrics, "nonsense"), ==, 0);
  g_assert_cmpint (ldb_metrics_get_percentile (metrics, "nonsense", 0.5), ==, 0);
  g_assert_cmpint (ldb_metrics_get_sum (metrics, "puts"), ==, 0); /* no histogram */

  ldb_test_put (db, "key", "value");
  g_assert_cmpint (ldb_metrics_get_value (metrics, "puts"), ==, 1); /* without a look */
  ldb_database_sync (db, NULL, &error);
  g_assert_no_error (error);
  gint64 syncs = ldb_metrics_get_value (metrics, "log_sync");
  g_assert_cmpint (syncs, >, 0);
  g_assert_cmpint (ldb_metrics_get_sum (metrics, "log_sync"), >, 0);
  gint64 maximum = ldb_metrics_get_maximum (metrics, "log_sync");
  g_assert_cmpint (ldb_metrics_get_percentile (metrics, "log_sync", 1), ==, maximum);
  g_assert_cmpint (ldb_metrics_get_count_at_most (metrics, "log_sync", G_MAXINT64), ==, syncs);
  g_assert_cmpint (ldb_metrics_get_count_at_most (metrics, "log_sync", -1), ==, 0);
  const gint64 values[] = { -1, 0, maximum / 2, maximum, G_MAXINT64 };
  g_autofree gint64 *counts
      = ldb_metrics_list_counts_at_most (metrics, "log_sync", values, G_N_ELEMENTS (values));
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_assert_cmpint (counts[i], ==, ldb_metrics_get_count_at_most (metrics, "log_sync", values[i]));
  g_assert_cmpint (counts[3], ==, syncs);
}

/* ---- who is told ---- */

static void
count_notify (LdbMetrics *metrics, GParamSpec *spec, gpointer data)
{
  ++*(guint *) data;
}

/* Whether anything would still happen in the context. */
static gboolean
is_awake (GMainContext *context)
{
  GPollFD polled[8];
  int priority, timeout;
  g_assert_true (g_main_context_acquire (context));
  gboolean ready = g_main_context_prepare (context, &priority);
  g_main_context_query (context, priority, &timeout, polled, G_N_ELEMENTS (polled));
  g_main_context_release (context);
  return ready || timeout != -1;
}

static void
test_observed (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  ldb_metrics_set_interval (metrics, 10);
  g_assert_cmpuint (ldb_metrics_get_interval (metrics), ==, 10);
  guint told = 0;
  gulong handler
      = g_signal_connect (metrics, "notify::total-writes", G_CALLBACK (count_notify), &told);
  for (guint i = 1; i <= 3; i++)
    {
      ldb_test_put (db, "key", "value");
      while (told < i)
        g_main_context_iteration (context, TRUE);
      g_assert_cmpuint (told, ==, i); /* once for each change */
      g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, i);
    }

  /* Nobody is connected any more: the timer fires once more at most, then nothing happens. */
  g_signal_handler_disconnect (metrics, handler);
  ldb_test_put (db, "key", "value");
  while (is_awake (context))
    g_main_context_iteration (context, TRUE);
  g_assert_cmpuint (told, ==, 3);

  /* Whoever binds to a property reads it, which is enough. */
  handler = g_signal_connect (metrics, "notify", G_CALLBACK (count_notify), &told);
  g_assert_false (is_awake (context));
  guint64 seen;
  g_object_get (metrics, "total-writes", &seen, NULL);
  g_assert_cmpuint (seen, ==, 3);
  while (told == 3)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, 4);
  g_signal_handler_disconnect (metrics, handler);

  /* It may go while its timer runs. */
  ldb_metrics_refresh (metrics);
  g_assert_true (is_awake (context));
  g_clear_object (&metrics);
  g_assert_false (is_awake (context));
  g_main_context_pop_thread_default (context);
}

/* ---- slow operations ---- */

/* A durable commit waits for the disk, or whatever is taken for one, so it is slow from 0.001 ms on. */
static void
test_slow (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_set_slow_threshold (db, 0, &error));
  ldb_test_put (db, "key", "value");
  ldb_database_sync (db, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) none = ldb_database_list_slow_operations (db, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);

  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_put (batch, NULL, (const guint8 *) "key", 3, (const guint8 *) "value", 5, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_set_slow_threshold (db, 1, &error));
  g_assert_no_error (error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_FULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) list = ldb_database_list_slow_operations (db, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, 1);
  g_autoptr (LdbSlowOperation) slow = ldb_slow_operation_copy (g_ptr_array_index (list, 0));
  g_assert_cmpuint (slow->number, ==, 1);
  g_assert_cmpint (slow->kind, ==, LDB_OPERATION_BATCH);
  g_assert_null (slow->key);
  g_assert_cmpuint (slow->size, ==, 8);
  g_assert_cmpuint (slow->log_sync, >, 0);
  g_assert_cmpuint (slow->duration, >=, slow->log_sync + slow->turn);
  g_assert_cmpint (slow->ended, >, 0);
  g_autoptr (GPtrArray) newer = ldb_database_list_slow_operations (db, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (newer->len, ==, 0);
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_database_list_slow_operations (db, 0, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (ldb_database_set_slow_threshold (db, 0, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CLOSED);
}

/* ---- closed, copied ---- */

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_assert_no_error (error);
  ldb_test_put (db, "key", "value");
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  ldb_metrics_refresh (metrics);
  g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, 1);
  g_assert_null (ldb_database_get_metrics (db, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CLOSED);
}

static void
test_bytes (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_assert_null (ldb_metrics_new_from_bytes (nothing, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CORRUPT);
  g_clear_error (&error);
  g_autofree char *zeros = g_malloc0 (4096);
  g_autoptr (GBytes) other = g_bytes_new (zeros, 4096);
  g_assert_null (ldb_metrics_new_from_bytes (other, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CORRUPT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/metrics/figures", test_figures);
  add_test ("/metrics/rates", test_rates);
  add_test ("/metrics/names", test_names);
  add_test ("/metrics/observed", test_observed);
  add_test ("/metrics/slow", test_slow);
  add_test ("/metrics/closed", test_closed);
  add_test ("/metrics/bytes", test_bytes);
  return g_test_run ();
}
