/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <unistd.h>

#include "ldb-counters-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-metrics-private.h"

/**
 * LdbMetrics:
 *
 * What a database has done since it was opened, and does now.
 *
 * The properties are what most people want to see; everything that is counted can be asked for by
 * name ([method@Ldb.Metrics.list_names]). Counting is always on; this only looks.
 *
 * Properties stand still between two looks. It looks when it is made, when
 * [method@Ldb.Metrics.refresh] is called, and, while somebody is connected to its `notify` signal,
 * every [property@Ldb.Metrics:interval]; then they notify, those that changed. Nothing runs while
 * nobody is connected: connecting is seen within an interval of making, reading a property or
 * refreshing, which each who binds to a property does.
 *
 * ```python
 * metrics = db.get_metrics()
 * metrics.connect("notify::reads-per-second", lambda m, p: label.set_text(f"{m.props.reads_per_second:.0f}"))
 * ```
 *
 * What is asked for by name is as it is at that moment; of another process
 * ([method@Ldb.RunningDatabase.get_metrics]), as it was at the last look, and of a copy
 * ([method@Ldb.Inspector.get_metrics], [ctor@Ldb.Metrics.new_from_bytes]) as it was when that was made. Times are in
 * nanoseconds there. Names are for good; a later version may have more, and one of another process fewer: what is not
 * there is 0, and [method@Ldb.Metrics.describe] says so. A histogram's value is how many it holds; its sum, maximum
 * and percentiles have calls of their own.
 *
 * ```python
 * for name in metrics.list_names():
 *     known, kind, unit, text = metrics.describe(name)
 *     print(name, metrics.get_value(name), unit.value_nick, text)
 * print(metrics.get_percentile("get", 0.99), "ns")
 * ```
 *
 * It does not keep the database open, and goes on showing the last figures when it is closed.
 *
 * Threads: the one whose default main context it was made in.
 *
 * Since: 0.1
 */

G_DEFINE_FINAL_TYPE (LdbMetrics, ldb_metrics, G_TYPE_OBJECT)

#define INTERVAL_LEAST 10u /* milliseconds; shorter times give no rates */
#define INTERVAL_USUAL 1000u

enum
{
  PROP_0,
  PROP_INTERVAL,
  PROP_OPERATIONS_PER_SECOND,
  PROP_READS_PER_SECOND,
  PROP_WRITES_PER_SECOND,
  PROP_AVERAGE_READ_LATENCY,
  PROP_AVERAGE_WRITE_LATENCY,
  PROP_CACHE_HIT_RATE,
  PROP_TOTAL_READS,
  PROP_TOTAL_WRITES,
  PROP_ACTIVE_TRANSACTIONS,
  PROP_COMMITTED_TRANSACTIONS,
  PROP_ABORTED_TRANSACTIONS,
  PROP_CONFLICTS,
  PROP_MEMORY_USED_BYTES,
  PROP_MEMORY_BUDGET_BYTES,
  PROP_ACTIVE_SNAPSHOTS,
  PROP_STALLS,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static double
average_of (LdbMetrics *self, const char *name)
{
  const struct histogram *histogram = ldb_metrics_histogram_of (self, name);
  guint64 count = histogram_count (histogram);
  return count > 0 ? (double) histogram_sum (histogram) / (double) count / 1000 : 0;
}

/* ---- looking ---- */

static guint64
sum_of (LdbMetrics *self, const char *const *names)
{
  guint64 sum = 0;
  for (guint i = 0; names[i] != NULL; i++)
    sum += ldb_metrics_value_of (self, names[i]);
  return sum;
}

static void
set_number (LdbMetrics *self, double *place, double value, guint property)
{
  if (*place == value)
    return;
  *place = value;
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
set_count (LdbMetrics *self, guint64 *place, guint64 value, guint property)
{
  if (*place == value)
    return;
  *place = value;
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
look_at_rates (LdbMetrics *self, guint64 reads, guint64 writes)
{
  gint64 now = g_get_monotonic_time (), passed = now - self->looked;
  if (self->looked != 0 && passed < (gint64) INTERVAL_LEAST * 1000)
    return;
  if (self->looked != 0)
    {
      double read = (double) (reads - self->reads) * 1e6 / (double) passed;
      double written = (double) (writes - self->writes) * 1e6 / (double) passed;
      set_number (self, &self->reads_per_second, read, PROP_READS_PER_SECOND);
      set_number (self, &self->writes_per_second, written, PROP_WRITES_PER_SECOND);
      set_number (self, &self->operations_per_second, read + written, PROP_OPERATIONS_PER_SECOND);
    }
  self->looked = now;
  self->reads = reads;
  self->writes = writes;
}

/* Takes what is there now, if it can be read; else the figures stay. */
static gboolean
take_bytes (LdbMetrics *self, GBytes *bytes, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct metrics_reader reader;
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GBytes) aligned
      = (guintptr) data % 8 == 0 ? g_bytes_ref (bytes) : g_bytes_new (data, size);
  data = g_bytes_get_data (aligned, &size);
  if (!ldb_error_check (error, metrics_reader_init (&reader, data, size, &failure), &failure))
    return FALSE;
  g_clear_pointer (&self->bytes, g_bytes_unref);
  self->bytes = g_steal_pointer (&aligned);
  self->reader = reader;
  return TRUE;
}

static void
look_again (LdbMetrics *self)
{
  g_autoptr (GBytes) bytes = self->counters >= 0 ? ldb_counters_copy (self->counters, NULL) : NULL;
  if (bytes != NULL)
    take_bytes (self, bytes, NULL);
}

static void
look (LdbMetrics *self)
{
  static const char *const lookup_names[]
      = { "gets_hot",     "gets_memtable", "gets_run", "gets_missing",
          "gets_deleted", "gets_failed",   NULL };
  static const char *const write_names[] = { "puts", "deletes", "range_deletes", NULL };
  static const char *const memory_names[] = { "memory_cache_bytes",    "memory_page_table_bytes",
                                              "memory_index_bytes",    "memory_filter_bytes",
                                              "memory_memtable_bytes", "memory_log_bytes",
                                              "memory_merge_bytes",    "memory_segment_bytes",
                                              "memory_other_bytes",    NULL };
  guint64 lookups = sum_of (self, lookup_names), writes = sum_of (self, write_names);
  guint64 reads = lookups + ldb_metrics_value_of (self, "seeks"),
          missed = ldb_metrics_value_of (self, "gets_disk");
  double hits = lookups > missed ? (double) (lookups - missed) / (double) lookups : 0;

  g_object_freeze_notify (G_OBJECT (self));
  look_at_rates (self, reads, writes);
  set_number (self, &self->average_read_latency, average_of (self, "get"),
              PROP_AVERAGE_READ_LATENCY);
  set_number (self, &self->average_write_latency, average_of (self, "put"),
              PROP_AVERAGE_WRITE_LATENCY);
  set_number (self, &self->cache_hit_rate, hits, PROP_CACHE_HIT_RATE);
  set_count (self, &self->total_reads, reads, PROP_TOTAL_READS);
  set_count (self, &self->total_writes, writes, PROP_TOTAL_WRITES);
  set_count (self, &self->active_transactions, ldb_metrics_value_of (self, "transactions_active"),
             PROP_ACTIVE_TRANSACTIONS);
  set_count (self, &self->committed_transactions,
             ldb_metrics_value_of (self, "transactions_committed"), PROP_COMMITTED_TRANSACTIONS);
  set_count (self, &self->aborted_transactions, ldb_metrics_value_of (self, "transactions_aborted"),
             PROP_ABORTED_TRANSACTIONS);
  set_count (self, &self->conflicts, ldb_metrics_value_of (self, "conflicts"), PROP_CONFLICTS);
  set_count (self, &self->memory_used_bytes, sum_of (self, memory_names), PROP_MEMORY_USED_BYTES);
  set_count (self, &self->memory_budget_bytes, ldb_metrics_value_of (self, "memory_budget_bytes"),
             PROP_MEMORY_BUDGET_BYTES);
  set_count (self, &self->active_snapshots, ldb_metrics_value_of (self, "snapshots_active"),
             PROP_ACTIVE_SNAPSHOTS);
  set_count (self, &self->stalls, ldb_metrics_value_of (self, "stalls"), PROP_STALLS);
  g_object_thaw_notify (G_OBJECT (self));
}

/* ---- while somebody is connected ---- */

static gboolean
is_observed (LdbMetrics *self)
{
  static gsize notify;
  if (g_once_init_enter (&notify))
    g_once_init_leave (&notify, g_signal_lookup ("notify", G_TYPE_OBJECT));
  if (g_signal_has_handler_pending (self, (guint) notify, 0, TRUE)) /* of all properties */
    return TRUE;
  for (guint i = PROP_INTERVAL + 1; i < N_PROPS; i++)
    if (g_signal_has_handler_pending (self, (guint) notify,
                                      g_quark_from_static_string (properties[i]->name), TRUE))
      return TRUE;
  return FALSE;
}

static void
drop_timer (LdbMetrics *self)
{
  if (self->timer == NULL)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static gboolean
on_time (gpointer data)
{
  LdbMetrics *self = g_weak_ref_get (data);
  gboolean goes_on = self != NULL && self->timer == g_main_current_source () && is_observed (self);
  if (goes_on)
    {
      look_again (self);
      look (self);
    }
  else if (self != NULL && self->timer == g_main_current_source ())
    g_clear_pointer (&self->timer, g_source_unref);
  g_clear_object (&self);
  return goes_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
weak_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

/* Somebody looks: whoever is connected by the time it fires is told from then on. */
void
ldb_metrics_arm (LdbMetrics *self)
{
  if (self->timer != NULL || (self->bytes != NULL && self->counters < 0))
    return;
  GWeakRef *weak = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak, self);
  self->timer = g_timeout_source_new (self->interval);
  g_source_set_static_name (self->timer, "[lightning-db] metrics");
  g_source_set_callback (self->timer, on_time, weak, weak_free);
  g_source_attach (self->timer, self->context);
}

/* ---- the object ---- */

static void
ldb_metrics_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  LdbMetrics *self = LDB_METRICS (object);
  if (property != PROP_INTERVAL)
    ldb_metrics_arm (self);
  switch (property)
    {
    case PROP_INTERVAL:
      g_value_set_uint (value, self->interval);
      break;
    case PROP_OPERATIONS_PER_SECOND:
      g_value_set_double (value, self->operations_per_second);
      break;
    case PROP_READS_PER_SECOND:
      g_value_set_double (value, self->reads_per_second);
      break;
    case PROP_WRITES_PER_SECOND:
      g_value_set_double (value, self->writes_per_second);
      break;
    case PROP_AVERAGE_READ_LATENCY:
      g_value_set_double (value, self->average_read_latency);
      break;
    case PROP_AVERAGE_WRITE_LATENCY:
      g_value_set_double (value, self->average_write_latency);
      break;
    case PROP_CACHE_HIT_RATE:
      g_value_set_double (value, self->cache_hit_rate);
      break;
    case PROP_TOTAL_READS:
      g_value_set_uint64 (value, self->total_reads);
      break;
    case PROP_TOTAL_WRITES:
      g_value_set_uint64 (value, self->total_writes);
      break;
    case PROP_ACTIVE_TRANSACTIONS:
      g_value_set_uint64 (value, self->active_transactions);
      break;
    case PROP_COMMITTED_TRANSACTIONS:
      g_value_set_uint64 (value, self->committed_transactions);
      break;
    case PROP_ABORTED_TRANSACTIONS:
      g_value_set_uint64 (value, self->aborted_transactions);
      break;
    case PROP_CONFLICTS:
      g_value_set_uint64 (value, self->conflicts);
      break;
    case PROP_MEMORY_USED_BYTES:
      g_value_set_uint64 (value, self->memory_used_bytes);
      break;
    case PROP_MEMORY_BUDGET_BYTES:
      g_value_set_uint64 (value, self->memory_budget_bytes);
      break;
    case PROP_ACTIVE_SNAPSHOTS:
      g_value_set_uint64 (value, self->active_snapshots);
      break;
    case PROP_STALLS:
      g_value_set_uint64 (value, self->stalls);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
    }
}

static void
ldb_metrics_set_property (GObject *object, guint property, const GValue *value, GParamSpec *spec)
{
  if (property == PROP_INTERVAL)
    ldb_metrics_set_interval (LDB_METRICS (object), g_value_get_uint (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
ldb_metrics_finalize (GObject *object)
{
  LdbMetrics *self = LDB_METRICS (object);
  drop_timer (self);
  engine_unref (self->engine);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  if (self->counters >= 0)
    close (self->counters);
  g_free (self->scratch);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (ldb_metrics_parent_class)->finalize (object);
}

static void
install_number (guint property, const char *name, const char *blurb)
{
  properties[property]
      = g_param_spec_double (name, NULL, blurb, 0, G_MAXDOUBLE, 0,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
}

static void
install_count (guint property, const char *name, const char *blurb)
{
  properties[property]
      = g_param_spec_uint64 (name, NULL, blurb, 0, G_MAXUINT64, 0,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
}

static void
ldb_metrics_class_init (LdbMetricsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = ldb_metrics_get_property;
  object_class->set_property = ldb_metrics_set_property;
  object_class->finalize = ldb_metrics_finalize;

  /**
   * LdbMetrics:interval: (attributes org.gtk.Property.get=ldb_metrics_get_interval org.gtk.Property.set=ldb_metrics_set_interval)
   *
   * Milliseconds between two looks while somebody is connected, 10 or more.
   *
   * Since: 0.1
   */
  properties[PROP_INTERVAL] = g_param_spec_uint (
      "interval", NULL, "milliseconds between two looks", INTERVAL_LEAST, G_MAXINT, INTERVAL_USUAL,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbMetrics:operations-per-second: (attributes org.gtk.Property.get=ldb_metrics_get_operations_per_second)
   *
   * Reads and writes a second, over the time between the last two looks.
   *
   * Since: 0.1
   */
  install_number (PROP_OPERATIONS_PER_SECOND, "operations-per-second", "reads and writes a second");
  /**
   * LdbMetrics:reads-per-second: (attributes org.gtk.Property.get=ldb_metrics_get_reads_per_second)
   *
   * Keys looked up and cursors positioned a second, over the time between the last two looks.
   *
   * Since: 0.1
   */
  install_number (PROP_READS_PER_SECOND, "reads-per-second", "reads a second");
  /**
   * LdbMetrics:writes-per-second: (attributes org.gtk.Property.get=ldb_metrics_get_writes_per_second)
   *
   * Records put, keys deleted and ranges deleted a second, over the time between the last two looks.
   *
   * Since: 0.1
   */
  install_number (PROP_WRITES_PER_SECOND, "writes-per-second", "writes a second");
  /**
   * LdbMetrics:average-read-latency: (attributes org.gtk.Property.get=ldb_metrics_get_average_read_latency)
   *
   * What looking one key up takes on average, in microseconds, of the calls that were sampled since the opening; 0
   * while there are none.
   *
   * Since: 0.1
   */
  install_number (PROP_AVERAGE_READ_LATENCY, "average-read-latency",
                  "of looking one key up, in microseconds");
  /**
   * LdbMetrics:average-write-latency: (attributes org.gtk.Property.get=ldb_metrics_get_average_write_latency)
   *
   * What committing one record takes on average, in microseconds, of the calls that were sampled since the opening; 0
   * while there are none.
   *
   * Since: 0.1
   */
  install_number (PROP_AVERAGE_WRITE_LATENCY, "average-write-latency",
                  "of committing one record, in microseconds");
  /**
   * LdbMetrics:cache-hit-rate: (attributes org.gtk.Property.get=ldb_metrics_get_cache_hit_rate)
   *
   * Which part of the keys looked up since the opening memory alone could answer, 0 to 1; 0 while none was.
   *
   * Since: 0.1
   */
  install_number (PROP_CACHE_HIT_RATE, "cache-hit-rate",
                  "part of the lookups that memory answered");
  /**
   * LdbMetrics:total-reads: (attributes org.gtk.Property.get=ldb_metrics_get_total_reads)
   *
   * Keys looked up and cursors positioned since the opening.
   *
   * Since: 0.1
   */
  install_count (PROP_TOTAL_READS, "total-reads", "reads since the opening");
  /**
   * LdbMetrics:total-writes: (attributes org.gtk.Property.get=ldb_metrics_get_total_writes)
   *
   * Records put, keys deleted and ranges deleted since the opening.
   *
   * Since: 0.1
   */
  install_count (PROP_TOTAL_WRITES, "total-writes", "writes since the opening");
  /**
   * LdbMetrics:active-transactions: (attributes org.gtk.Property.get=ldb_metrics_get_active_transactions)
   *
   * Read-write transactions that are open.
   *
   * Since: 0.1
   */
  install_count (PROP_ACTIVE_TRANSACTIONS, "active-transactions", "open read-write transactions");
  /**
   * LdbMetrics:committed-transactions: (attributes org.gtk.Property.get=ldb_metrics_get_committed_transactions)
   *
   * Transactions committed since the opening.
   *
   * Since: 0.1
   */
  install_count (PROP_COMMITTED_TRANSACTIONS, "committed-transactions",
                 "transactions committed since the opening");
  /**
   * LdbMetrics:aborted-transactions: (attributes org.gtk.Property.get=ldb_metrics_get_aborted_transactions)
   *
   * Transactions rolled back, timed out, refused or failed since the opening.
   *
   * Since: 0.1
   */
  install_count (PROP_ABORTED_TRANSACTIONS, "aborted-transactions",
                 "transactions that came to nothing");
  /**
   * LdbMetrics:conflicts: (attributes org.gtk.Property.get=ldb_metrics_get_conflicts)
   *
   * Commits that were refused since the opening because another changed what they depend on.
   *
   * Since: 0.1
   */
  install_count (PROP_CONFLICTS, "conflicts", "commits refused because of a conflict");
  /**
   * LdbMetrics:memory-used-bytes: (attributes org.gtk.Property.get=ldb_metrics_get_memory_used_bytes)
   *
   * Memory in use, of [property@Ldb.Metrics:memory-budget-bytes].
   *
   * Since: 0.1
   */
  install_count (PROP_MEMORY_USED_BYTES, "memory-used-bytes", "memory in use, of the budget");
  /**
   * LdbMetrics:memory-budget-bytes: (attributes org.gtk.Property.get=ldb_metrics_get_memory_budget_bytes)
   *
   * The memory budget, [property@Ldb.Options:cache-size].
   *
   * Since: 0.1
   */
  install_count (PROP_MEMORY_BUDGET_BYTES, "memory-budget-bytes", "the memory budget");
  /**
   * LdbMetrics:active-snapshots: (attributes org.gtk.Property.get=ldb_metrics_get_active_snapshots)
   *
   * Snapshots that are held, those of transactions and cursors among them.
   *
   * Since: 0.1
   */
  install_count (PROP_ACTIVE_SNAPSHOTS, "active-snapshots", "snapshots held");
  /**
   * LdbMetrics:stalls: (attributes org.gtk.Property.get=ldb_metrics_get_stalls)
   *
   * How often a writer had to wait for background work since the opening.
   *
   * Since: 0.1
   */
  install_count (PROP_STALLS, "stalls", "waits of writers for background work");

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
ldb_metrics_init (LdbMetrics *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->interval = INTERVAL_USUAL;
  self->counters = -1;
}

/**
 * ldb_database_get_metrics:
 * @self: a database
 * @error: return location for an error
 *
 * Gets the metrics of a database: a new object each time, that looks when its owner wants.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer full): the metrics
 *
 * Since: 0.1
 */
LdbMetrics *
ldb_database_get_metrics (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  LdbMetrics *metrics = g_object_new (LDB_TYPE_METRICS, NULL);
  metrics->engine = engine_ref (engine);
  engine_metrics (engine, &metrics->reader);
  look (metrics);
  ldb_metrics_arm (metrics);
  return metrics;
}

/**
 * ldb_metrics_new_from_bytes:
 * @bytes: a copy of the memory in which a database, perhaps of another process, keeps its metrics
 * @error: return location for an error
 *
 * Shows metrics as they were when @bytes were copied. They are not trusted.
 *
 * Fails with %LDB_ERROR_CORRUPT when @bytes are no metrics, and %LDB_ERROR_UNSUPPORTED when they are of a
 * layout that this version does not know. Does not block; any thread.
 *
 * Returns: (transfer full): the metrics
 *
 * Since: 0.1
 */
LdbMetrics *
ldb_metrics_new_from_bytes (GBytes *bytes, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_autoptr (LdbMetrics) metrics = g_object_new (LDB_TYPE_METRICS, NULL);
  if (!take_bytes (metrics, bytes, error))
    return NULL;
  look (metrics);
  return g_steal_pointer (&metrics);
}

LdbMetrics *
ldb_metrics_new_for_counters (int counters, GError **error)
{
  g_autoptr (LdbMetrics) metrics = g_object_new (LDB_TYPE_METRICS, NULL);
  metrics->counters = counters;
  g_autoptr (GBytes) bytes = ldb_counters_copy (counters, error);
  if (bytes == NULL || !take_bytes (metrics, bytes, error))
    return NULL;
  look (metrics);
  ldb_metrics_arm (metrics);
  return g_steal_pointer (&metrics);
}

/**
 * ldb_metrics_refresh:
 * @self: metrics
 *
 * Looks now: properties that changed notify before this returns. Rates are over the time since the
 * look before, if that was 10 ms ago at least.
 *
 * Does not block. The thread of its main context.
 *
 * Since: 0.1
 */
void
ldb_metrics_refresh (LdbMetrics *self)
{
  g_return_if_fail (LDB_IS_METRICS (self));
  look_again (self);
  look (self);
  ldb_metrics_arm (self);
}

/**
 * ldb_metrics_get_interval: (attributes org.gtk.Method.get_property=interval)
 * @self: metrics
 *
 * Gets how often they look while somebody is connected.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
ldb_metrics_get_interval (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  return self->interval;
}

/**
 * ldb_metrics_set_interval: (attributes org.gtk.Method.set_property=interval)
 * @self: metrics
 * @milliseconds: 10 or more
 *
 * Sets how often they look while somebody is connected.
 *
 * Does not block. The thread of its main context.
 *
 * Since: 0.1
 */
void
ldb_metrics_set_interval (LdbMetrics *self, guint milliseconds)
{
  g_return_if_fail (LDB_IS_METRICS (self));
  g_return_if_fail (milliseconds >= INTERVAL_LEAST && milliseconds <= G_MAXINT);
  if (self->interval == milliseconds)
    return;
  self->interval = milliseconds;
  if (self->timer != NULL)
    {
      drop_timer (self);
      ldb_metrics_arm (self);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INTERVAL]);
}
