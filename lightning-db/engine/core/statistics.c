/* SPDX-License-Identifier: MIT */
#include "core/engine-private.h"

/* Bytes of a file of ours, 0 when it is gone meanwhile. */
struct disk_use
{
  struct engine *engine;
  uint64_t total, blobs, segments;
};

static bool
add_file (void *data, const char *name)
{
  struct disk_use *use = data;
  struct vfs_file *file;
  struct vfs_file_information information;
  enum file_kind kind;
  uint64_t number;
  if (vfs_open (use->engine->directory, name, VFS_READ, &file, NULL) != STATUS_OK)
    return true;
  if (vfs_information (file, &information, NULL) == STATUS_OK)
    {
      use->total += information.size;
      if (file_name_parse (name, &kind, &number))
        {
          use->blobs += kind == FILE_BLOB ? information.size : 0;
          use->segments += kind == FILE_SEGMENT ? information.size : 0;
        }
    }
  vfs_close (file);
  return true;
}

static void
add_view (struct engine *engine, const struct view *view, struct engine_statistics *out)
{
  struct memtable_statistics table;
  uint64_t deletes = 0, used = 0, logical = 0, stored = 0, largest = 0;
  for (int i = -1; i < (int) view->frozen_count; i++)
    {
      const struct generation *generation = i < 0 ? view->active : view->frozen[i];
      if (generation == NULL)
        continue;
      memtable_statistics (generation->table, &table);
      out->memtable_bytes += table.memory;
      out->memtable_records += table.records;
      out->approximate_keys += table.records - table.deletes;
      deletes += table.deletes;
    }
  out->frozen_memtables = view->frozen_count;
  out->runs = view->run_count;
  out->blobs = view->blob_count;
  for (size_t r = 0; r < view->run_count; r++)
    for (size_t s = 0; s < view->runs[r]->count; s++)
      {
        const struct segment_information *information
            = segment_information (view->runs[r]->segments[s]);
        struct segment_shape shape;
        segment_shape (view->runs[r]->segments[s], &shape);
        out->segments++;
        out->approximate_keys += information->records - information->deletes;
        deletes += information->deletes;
        out->data_bytes += information->key_bytes + information->value_bytes;
        used += shape.used_bytes;
        logical += shape.logical_bytes;
        stored += shape.stored_bytes;
        out->pages += shape.leaves + shape.inner_pages;
        if (information->file_size > largest)
          {
            largest = information->file_size;
            out->tree_depth = shape.depth;
          }
      }
  out->approximate_keys = out->approximate_keys > deletes ? out->approximate_keys - deletes : 0;
  out->page_utilisation = logical > 0 ? (double) used / (double) logical : 0;
  out->compression_ratio = stored > 0 ? (double) logical / (double) stored : 1;
  out->descriptors = out->segments + out->blobs;
}

static void
add_counters (struct engine *engine, struct engine_statistics *out)
{
  const struct metrics *from = engine->metrics;
  const struct histogram *stalls = &from->histograms[HISTOGRAM_STALL];
  out->gets_found = metrics_thread_total (from, THREAD_GETS_HOT)
                    + metrics_thread_total (from, THREAD_GETS_MEMTABLE)
                    + metrics_thread_total (from, THREAD_GETS_RUN);
  out->gets = out->gets_found + metrics_thread_total (from, THREAD_GETS_MISSING)
              + metrics_thread_total (from, THREAD_GETS_DELETED)
              + metrics_thread_total (from, THREAD_GETS_FAILED);
  out->cache_misses = metrics_thread_total (from, THREAD_GETS_DISK);
  out->cursors = metrics_thread_total (from, THREAD_CURSORS);
  out->puts = metrics_shared_total (from, SHARED_PUTS);
  out->deletes = metrics_shared_total (from, SHARED_DELETES);
  out->range_deletes = metrics_shared_total (from, SHARED_RANGE_DELETES);
  out->commits = metrics_shared_total (from, SHARED_COMMITS);
  out->user_bytes = metrics_shared_total (from, SHARED_USER_BYTES);
  out->transactions_active = (uint64_t) metrics_gauge (from, GAUGE_TRANSACTIONS_ACTIVE);
  out->transactions_committed = metrics_shared_total (from, SHARED_TRANSACTIONS_COMMITTED);
  out->transactions_aborted = metrics_shared_total (from, SHARED_TRANSACTIONS_ABORTED);
  out->conflicts = metrics_shared_total (from, SHARED_CONFLICTS);
  out->flushes = metrics_shared_total (from, SHARED_FLUSHES);
  out->flush_bytes = metrics_shared_total (from, SHARED_FLUSH_BYTES);
  out->merges = metrics_shared_total (from, SHARED_MERGES);
  out->merge_bytes_read = metrics_shared_total (from, SHARED_MERGE_BYTES_READ);
  out->merge_bytes_written = metrics_shared_total (from, SHARED_MERGE_BYTES_WRITTEN);
  out->stalls = metrics_shared_total (from, SHARED_STALLS);
  out->stall_microseconds = histogram_sum (stalls) / 1000;
  out->worst_stall_microseconds = histogram_maximum (stalls) / 1000;
}

static void
add_log (struct engine *engine, struct engine_statistics *out)
{
  struct wal_statistics log;
  wal_statistics (engine->wal, &log);
  out->log_bytes = log.live_bytes;
  out->spare_log_bytes = log.spare_bytes;
  out->history_bytes = log.history_bytes;
  out->log_written_bytes = log.written_bytes;
  out->log_syncs = log.syncs;
}

void
engine_statistics (struct engine *engine, struct engine_statistics *out)
{
  *out = (struct engine_statistics){ 0 };
  add_counters (engine, out);
  out->sequence = engine_sequence (engine);
  out->durable_sequence = engine_durable_sequence (engine);
  if (engine_begin (engine, NULL) != STATUS_OK)
    return;
  struct view *view = engine_view (engine);
  if (view != NULL)
    add_view (engine, view, out);
  view_unref (view);
  struct disk_use use = { .engine = engine };
  vfs_directory_list (engine->directory, add_file, &use, NULL);
  out->disk_bytes = use.total;
  out->blob_bytes = use.blobs;
  out->segment_bytes = use.segments;
  if (engine->wal != NULL)
    add_log (engine, out);

  struct cache_statistics cache;
  cache_statistics (engine->cache, &cache);
  out->cache_capacity = cache.capacity;
  out->cache_used = cache.used;
  out->cache_evictions = cache.evictions;
  out->cache_pinned = cache.pinned_pages;
  out->cache_hits = out->gets > out->cache_misses ? out->gets - out->cache_misses : 0;
  out->memory_used = (uint64_t) ledger_total (&engine->ledger);
  out->memory_budget = engine->ledger.budget;
  out->snapshots = (uint64_t) metrics_gauge (engine->metrics, GAUGE_SNAPSHOTS_ACTIVE);
  out->oldest_snapshot = snapshots_oldest (&engine->snapshots, 0);
  out->pending_merge_bytes = engine->read_only ? 0 : merge_pending_bytes (engine);
  engine_end (engine);
}

/* ---- metrics ---- */

size_t
engine_metrics_size (void)
{
  return sizeof (struct metrics);
}

void
engine_metrics (struct engine *engine, struct metrics_reader *out)
{
  struct failure ignored = FAILURE_INIT; /* our own block is one */
  metrics_reader_init (out, engine->metrics, sizeof *engine->metrics, &ignored);
}

struct metrics *
engine_metrics_block (struct engine *engine)
{
  return engine->metrics;
}

uint64_t
engine_evict_cache (struct engine *engine, double fraction)
{
  if (engine_begin (engine, NULL) != STATUS_OK)
    return 0;
  uint64_t freed = cache_evict_fraction (engine->cache, fraction);
  if (fraction >= 1)
    freed += hot_records_drop (&engine->hot_records);
  int64_t before = ledger_used (&engine->ledger, LEDGER_MEMTABLE);
  memtable_pool_trim (engine->pool);
  memtable_pool_trim (engine->transaction_pool);
  int64_t after = ledger_used (&engine->ledger, LEDGER_MEMTABLE);
  engine_end (engine);
  return freed + (before > after ? (uint64_t) (before - after) : 0);
}

status
engine_snapshots (struct engine *engine, struct engine_snapshot_information *out, size_t room,
                  size_t *count, struct failure *failure)
{
  uint64_t *sequences, published = atomic_load (&engine->published);
  size_t held, kinds = 0;
  status result = snapshots_list (&engine->snapshots, &sequences, &held, failure);
  if (result != STATUS_OK)
    return result;
  for (size_t i = 0; i < held; i++)
    {
      bool is_first = i == 0 || sequences[i] != sequences[i - 1];
      kinds += is_first;
      if (kinds > room)
        continue;
      if (is_first)
        out[kinds - 1] = (struct engine_snapshot_information){
          .sequence = sequences[i],
          .behind = published > sequences[i] ? published - sequences[i] : 0,
        };
      out[kinds - 1].holders++;
    }
  free (sequences);
  *count = kinds;
  return STATUS_OK;
}
