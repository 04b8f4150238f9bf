/* SPDX-License-Identifier: MIT */
#include "ldb-counted-stats.h"

/* What is counted, and as which figure it is shown. */
static const struct
{
  const char *source; /* what LdbMetrics calls it */
  gsize offset;       /* in LdbStats */
} shared[] = {
#define SHARED(source, member)                                                                     \
  {                                                                                                \
    source, G_STRUCT_OFFSET (LdbStats, member)                                                     \
  }
  SHARED ("frozen_memtables", frozen_memtables),
  SHARED ("memory_budget_bytes", memory_budget),
  SHARED ("cache_capacity_bytes", cache_capacity),
  SHARED ("memory_cache_bytes", cache_used),
  SHARED ("gets_disk", cache_misses),
  SHARED ("cache_evictions", cache_evictions),
  SHARED ("puts", puts),
  SHARED ("deletes", deletes),
  SHARED ("range_deletes", range_deletes),
  SHARED ("commits", commits),
  SHARED ("cursors", cursors),
  SHARED ("transactions_active", transactions_active),
  SHARED ("transactions_committed", transactions_committed),
  SHARED ("transactions_aborted", transactions_aborted),
  SHARED ("conflicts", conflicts),
  SHARED ("snapshots_active", snapshots),
  SHARED ("flushes", flushes),
  SHARED ("merges", merges),
  SHARED ("flush_bytes", flush_bytes),
  SHARED ("merge_bytes_read", merge_bytes_read),
  SHARED ("merge_bytes_written", merge_bytes_written),
  SHARED ("user_bytes", user_bytes),
  SHARED ("log_bytes", log_written_bytes),
  SHARED ("log_sync", log_syncs),
  SHARED ("stalls", stalls),
#undef SHARED
};

void
ldb_counted_stats_take (LdbStats *stats, LdbMetrics *metrics)
{
  static const char *const lookups[]
      = { "gets_hot", "gets_memtable", "gets_run", "gets_missing", "gets_deleted", "gets_failed" };
  for (gsize i = 0; i < G_N_ELEMENTS (shared); i++)
    G_STRUCT_MEMBER (guint64, stats, shared[i].offset)
        = (guint64) ldb_metrics_get_value (metrics, shared[i].source);
  stats->gets = stats->gets_found = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (lookups); i++)
    {
      guint64 count = (guint64) ldb_metrics_get_value (metrics, lookups[i]);
      stats->gets += count;
      stats->gets_found += i < 3 ? count : 0;
    }
  stats->cache_hits = stats->gets - MIN (stats->cache_misses, stats->gets);
  stats->memory_used = ldb_metrics_get_memory_used_bytes (metrics);
  stats->stall_microseconds = (guint64) ldb_metrics_get_sum (metrics, "stall") / 1000;
  stats->worst_stall_microseconds = (guint64) ldb_metrics_get_maximum (metrics, "stall") / 1000;
}

gboolean
ldb_counted_stats_have (gsize offset)
{
  static const gsize others[] = {
    G_STRUCT_OFFSET (LdbStats, gets),
    G_STRUCT_OFFSET (LdbStats, gets_found),
    G_STRUCT_OFFSET (LdbStats, cache_hits),
    G_STRUCT_OFFSET (LdbStats, memory_used),
    G_STRUCT_OFFSET (LdbStats, stall_microseconds),
    G_STRUCT_OFFSET (LdbStats, worst_stall_microseconds),
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shared); i++)
    if (shared[i].offset == offset)
      return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (others[i] == offset)
      return TRUE;
  return FALSE;
}
