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
  const struct engine_counters *from = &engine->counters;
#define COPY(field) out->field = atomic_load_explicit (&from->field, memory_order_relaxed)
  for (unsigned i = 0; i < READ_COUNTER_LINES; i++)
    {
      uint64_t counts[READ_COUNTERS];
      for (unsigned which = 0; which < READ_COUNTERS; which++)
        counts[which]
            = atomic_load_explicit (&from->reads[i].counters[which], memory_order_relaxed);
      out->gets_found += counts[READS_FOUND];
      out->gets += counts[READS_FOUND] + counts[READS_MISSING];
      out->cache_misses += counts[READS_DISK];
    }
  COPY (puts);
  COPY (deletes);
  COPY (range_deletes);
  COPY (commits);
  COPY (cursors);
  COPY (transactions_active);
  COPY (transactions_committed);
  COPY (transactions_aborted);
  COPY (conflicts);
  COPY (flushes);
  COPY (merges);
  COPY (flush_bytes);
  COPY (merge_bytes_read);
  COPY (merge_bytes_written);
  COPY (user_bytes);
  COPY (stalls);
  COPY (stall_microseconds);
  COPY (worst_stall_microseconds);
#undef COPY
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
  out->cache_hits = out->gets > out->cache_misses ? out->gets - out->cache_misses : 0;
  out->memory_used = (uint64_t) ledger_total (&engine->ledger);
  out->memory_budget = engine->ledger.budget;
  out->snapshots = atomic_load (&engine->snapshots.held);
  out->oldest_snapshot = snapshots_oldest (&engine->snapshots, 0);
  out->pending_merge_bytes = engine->read_only ? 0 : merge_pending_bytes (engine);
  engine_end (engine);
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
