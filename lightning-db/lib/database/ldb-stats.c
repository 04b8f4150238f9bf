/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "engine.h"
#include "ldb-database-private.h"
#include "ldb-stats.h"

G_DEFINE_BOXED_TYPE (LdbStats, ldb_stats, ldb_stats_copy, ldb_stats_free)

/**
 * ldb_stats_copy:
 * @self: statistics
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbStats *
ldb_stats_copy (const LdbStats *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_stats_free:
 * @self: (transfer full): statistics
 *
 * Frees statistics.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_stats_free (LdbStats *self)
{
  g_free (self);
}

static LdbStats *
stats_from_engine (const struct engine_statistics *from)
{
  LdbStats *stats = g_new0 (LdbStats, 1);
  stats->sequence = from->sequence;
  stats->durable_sequence = from->durable_sequence;
  stats->keys = from->approximate_keys;
  stats->data_bytes = from->data_bytes;
  stats->disk_bytes = from->disk_bytes;
  stats->log_bytes = from->log_bytes;
  stats->spare_log_bytes = from->spare_log_bytes;
  stats->blob_bytes = from->blob_bytes;
  stats->segment_bytes = from->segment_bytes;
  stats->memtable_bytes = from->memtable_bytes;
  stats->memtable_records = from->memtable_records;
  stats->frozen_memtables = from->frozen_memtables;
  stats->runs = from->runs;
  stats->segments = from->segments;
  stats->blobs = from->blobs;
  stats->tree_depth = from->tree_depth;
  stats->page_utilisation = from->page_utilisation;
  stats->compression_ratio = from->compression_ratio;
  stats->memory_used = from->memory_used;
  stats->memory_budget = from->memory_budget;
  stats->cache_capacity = from->cache_capacity;
  stats->cache_used = from->cache_used;
  stats->cache_hits = from->cache_hits;
  stats->cache_misses = from->cache_misses;
  stats->cache_evictions = from->cache_evictions;
  stats->cache_pinned = from->cache_pinned;
  stats->gets = from->gets;
  stats->gets_found = from->gets_found;
  stats->puts = from->puts;
  stats->deletes = from->deletes;
  stats->range_deletes = from->range_deletes;
  stats->commits = from->commits;
  stats->cursors = from->cursors;
  stats->transactions_active = from->transactions_active;
  stats->transactions_committed = from->transactions_committed;
  stats->transactions_aborted = from->transactions_aborted;
  stats->conflicts = from->conflicts;
  stats->snapshots = from->snapshots;
  stats->oldest_snapshot = from->oldest_snapshot;
  stats->flushes = from->flushes;
  stats->merges = from->merges;
  stats->flush_bytes = from->flush_bytes;
  stats->merge_bytes_read = from->merge_bytes_read;
  stats->merge_bytes_written = from->merge_bytes_written;
  stats->user_bytes = from->user_bytes;
  stats->log_written_bytes = from->log_written_bytes;
  stats->log_syncs = from->log_syncs;
  stats->pending_compaction_bytes = from->pending_merge_bytes;
  stats->stalls = from->stalls;
  stats->stall_microseconds = from->stall_microseconds;
  stats->worst_stall_microseconds = from->worst_stall_microseconds;
  stats->descriptors = from->descriptors;
  stats->pages = from->pages;
  return stats;
}

/**
 * ldb_database_get_stats:
 * @self: a database
 * @error: return location for an error
 *
 * Gets what the database has done since it was opened, and what it looks like now.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer full): the statistics
 *
 * Since: 0.1
 */
LdbStats *
ldb_database_get_stats (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct engine_statistics statistics = { 0 };
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  engine_statistics (engine, &statistics);
  return stats_from_engine (&statistics);
}
