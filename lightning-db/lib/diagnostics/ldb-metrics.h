/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_METRICS (ldb_metrics_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbMetrics, ldb_metrics, LDB, METRICS, GObject)

LDB_AVAILABLE_IN_ALL
LdbMetrics *ldb_database_get_metrics (LdbDatabase *self, GError **error);
LDB_AVAILABLE_IN_ALL
LdbMetrics *ldb_metrics_new_from_bytes (GBytes *bytes, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_metrics_refresh (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint ldb_metrics_get_interval (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
void ldb_metrics_set_interval (LdbMetrics *self, guint milliseconds);

/* By name: all that the engine counts. */
LDB_AVAILABLE_IN_ALL
char **ldb_metrics_list_names (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_metrics_describe (LdbMetrics *self, const char *name, LdbMetricKind *kind,
                               LdbMetricUnit *unit, const char **text);
LDB_AVAILABLE_IN_ALL
gint64 ldb_metrics_get_value (LdbMetrics *self, const char *name);
LDB_AVAILABLE_IN_ALL
gint64 ldb_metrics_get_sum (LdbMetrics *self, const char *name);
LDB_AVAILABLE_IN_ALL
gint64 ldb_metrics_get_maximum (LdbMetrics *self, const char *name);
LDB_AVAILABLE_IN_ALL
gint64 ldb_metrics_get_percentile (LdbMetrics *self, const char *name, double fraction);
LDB_AVAILABLE_IN_ALL
gint64 ldb_metrics_get_count_at_most (LdbMetrics *self, const char *name, gint64 value);
LDB_AVAILABLE_IN_ALL
gint64 *ldb_metrics_list_counts_at_most (LdbMetrics *self, const char *name, const gint64 *values,
                                         gsize n_values);

/* Properties, as of the last look. */
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_operations_per_second (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_reads_per_second (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_writes_per_second (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_average_read_latency (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_average_write_latency (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
double ldb_metrics_get_cache_hit_rate (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_total_reads (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_total_writes (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_active_transactions (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_committed_transactions (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_aborted_transactions (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_conflicts (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_memory_used_bytes (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_memory_budget_bytes (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_active_snapshots (LdbMetrics *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_metrics_get_stalls (LdbMetrics *self);

G_END_DECLS
