/* SPDX-License-Identifier: MIT */
/* What the properties of LdbMetrics give, for C. */
#include "config.h"

#include "ldb-metrics-private.h"

/**
 * ldb_metrics_get_operations_per_second: (attributes org.gtk.Method.get_property=operations-per-second)
 * @self: metrics
 *
 * Reads and writes a second, over the time between the last two looks.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_operations_per_second (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->operations_per_second;
}

/**
 * ldb_metrics_get_reads_per_second: (attributes org.gtk.Method.get_property=reads-per-second)
 * @self: metrics
 *
 * Keys looked up and cursors positioned a second, over the time between the last two looks.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_reads_per_second (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->reads_per_second;
}

/**
 * ldb_metrics_get_writes_per_second: (attributes org.gtk.Method.get_property=writes-per-second)
 * @self: metrics
 *
 * Records put, keys deleted and ranges deleted a second, over the time between the last two looks.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_writes_per_second (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->writes_per_second;
}

/**
 * ldb_metrics_get_average_read_latency: (attributes org.gtk.Method.get_property=average-read-latency)
 * @self: metrics
 *
 * What looking one key up takes on average, in microseconds, of the calls that were sampled since the opening; 0
 * while there are none.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_average_read_latency (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->average_read_latency;
}

/**
 * ldb_metrics_get_average_write_latency: (attributes org.gtk.Method.get_property=average-write-latency)
 * @self: metrics
 *
 * What committing one record takes on average, in microseconds, of the calls that were sampled since the opening; 0
 * while there are none.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_average_write_latency (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->average_write_latency;
}

/**
 * ldb_metrics_get_cache_hit_rate: (attributes org.gtk.Method.get_property=cache-hit-rate)
 * @self: metrics
 *
 * Which part of the keys looked up since the opening memory alone could answer, 0 to 1; 0 while none was.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
double
ldb_metrics_get_cache_hit_rate (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->cache_hit_rate;
}

/**
 * ldb_metrics_get_total_reads: (attributes org.gtk.Method.get_property=total-reads)
 * @self: metrics
 *
 * Keys looked up and cursors positioned since the opening.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_total_reads (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->total_reads;
}

/**
 * ldb_metrics_get_total_writes: (attributes org.gtk.Method.get_property=total-writes)
 * @self: metrics
 *
 * Records put, keys deleted and ranges deleted since the opening.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_total_writes (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->total_writes;
}

/**
 * ldb_metrics_get_active_transactions: (attributes org.gtk.Method.get_property=active-transactions)
 * @self: metrics
 *
 * Read-write transactions that are open.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_active_transactions (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->active_transactions;
}

/**
 * ldb_metrics_get_committed_transactions: (attributes org.gtk.Method.get_property=committed-transactions)
 * @self: metrics
 *
 * Transactions committed since the opening.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_committed_transactions (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->committed_transactions;
}

/**
 * ldb_metrics_get_aborted_transactions: (attributes org.gtk.Method.get_property=aborted-transactions)
 * @self: metrics
 *
 * Transactions rolled back, timed out, refused or failed since the opening.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_aborted_transactions (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->aborted_transactions;
}

/**
 * ldb_metrics_get_conflicts: (attributes org.gtk.Method.get_property=conflicts)
 * @self: metrics
 *
 * Commits that were refused since the opening because another changed what they depend on.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_conflicts (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->conflicts;
}

/**
 * ldb_metrics_get_memory_used_bytes: (attributes org.gtk.Method.get_property=memory-used-bytes)
 * @self: metrics
 *
 * Memory in use, of [property@Ldb.Metrics:memory-budget-bytes].
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_memory_used_bytes (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->memory_used_bytes;
}

/**
 * ldb_metrics_get_memory_budget_bytes: (attributes org.gtk.Method.get_property=memory-budget-bytes)
 * @self: metrics
 *
 * The memory budget, [property@Ldb.Options:cache-size].
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_memory_budget_bytes (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->memory_budget_bytes;
}

/**
 * ldb_metrics_get_active_snapshots: (attributes org.gtk.Method.get_property=active-snapshots)
 * @self: metrics
 *
 * Snapshots that are held, those of transactions and cursors among them.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_active_snapshots (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->active_snapshots;
}

/**
 * ldb_metrics_get_stalls: (attributes org.gtk.Method.get_property=stalls)
 * @self: metrics
 *
 * How often a writer had to wait for background work since the opening.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: as of the last look
 *
 * Since: 0.1
 */
guint64
ldb_metrics_get_stalls (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  ldb_metrics_arm (self);
  return self->stalls;
}
