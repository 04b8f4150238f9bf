/* SPDX-License-Identifier: MIT */
/*
 * Shares of a budget of 16 sixteenths:
 *
 *   memtables 6 (3 × 2) │ mapped log 3 (3 × 1) │ indexes and filters 4 │ flush and merges 2 │ cache 1
 *
 * The cache has what the others do not use: nearly all of it in a database that is only read.
 */
#include "core/memory.h"

#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C (1) << 20)
#define SYSTEM_PART                                                                                \
  8u /* of the system's memory: what files may take of it without being a burden */
/* Inserts into a larger one wait for memory, not for the processor, and its arena is touched for
 * the first time for longer: docs/design/commit.md has the figures. */
#define MEMTABLE_MOST (16 * MIB)
#define MEMTABLE_STEPS 8u          /* times that a filling memtable makes the cache give way */
#define MERGE_SHARE 8u             /* of the budget, for flushes and merges together */
#define WORKER_LEAST (3 * MIB / 2) /* a merging thread beside the first is worth that much */
#define OVERHEAD MIB               /* U1 */
#define READERS_AWAITED 100u       /* milliseconds, at most */
#define CHUNK_LEAST ((size_t) 8 << 10)
#define CHUNK_MOST ((size_t) 256 << 10)

static uint64_t
budget (const struct engine *engine)
{
  return atomic_load_explicit (&engine->ledger.budget, memory_order_relaxed);
}

/* commit_lock held, or nobody else there. */
static void
choose_memtable_size (struct engine *engine)
{
  uint64_t size = budget (engine) / 8;
  if (size > MEMTABLE_MOST)
    size = MEMTABLE_MOST;
  if (engine->options.memtable_size > 0)
    size = engine->options.memtable_size;
  engine->memtable_size = size;
  engine->memtable_look = size / MEMTABLE_STEPS;
}

void
memory_choose (struct engine *engine)
{
  choose_memtable_size (engine);
  engine->segment_file_size = engine->options.segment_file_size;
  ledger_charge (&engine->ledger, LEDGER_OTHER, OVERHEAD);
}

bool
memory_is_large_for (uint64_t bytes)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
  return pages > 0 && size > 0 && bytes / (uint64_t) size < (uint64_t) pages / SYSTEM_PART;
}

uint64_t
memory_log_segment (const struct engine *engine)
{
  uint64_t most = budget (engine) / 16 / 65536 * 65536;
  return engine->options.log_segment_size < most ? engine->options.log_segment_size : most;
}

uint64_t
memory_recent_bytes (const struct engine *engine)
{
  return 3 * (budget (engine) / 16);
}

/* What the log may come to without anybody reading it, beyond what is retained. */
uint64_t
memory_reader_bytes (const struct engine *engine)
{
  return engine->options.change_retention
         + MEMORY_MEMTABLES * (engine->memtable_size + engine->options.log_segment_size);
}

/* ---- flushes and merges ---- */

static uint64_t
merge_share (const struct engine *engine)
{
  return budget (engine) / MERGE_SHARE;
}

size_t
memory_of_flush (const struct engine *engine)
{
  return (size_t) (merge_share (engine) / 4);
}

unsigned
memory_merge_workers (const struct engine *engine)
{
  uint64_t affordable = (merge_share (engine) - memory_of_flush (engine)) / WORKER_LEAST;
  if (affordable >= engine->options.merge_workers)
    return engine->options.merge_workers;
  return affordable > 0 ? (unsigned) affordable : 1;
}

size_t
memory_of_merge (const struct engine *engine)
{
  return (size_t) ((merge_share (engine) - memory_of_flush (engine))
                   / memory_merge_workers (engine));
}

/* A quarter of what the thread has. */
size_t
memory_merge_chunk (const struct engine *engine, size_t inputs)
{
  size_t chunk = memory_of_merge (engine) / 4 / (inputs > 0 ? inputs : 1);
  return chunk < CHUNK_LEAST ? CHUNK_LEAST : chunk > CHUNK_MOST ? CHUNK_MOST : chunk / 4096 * 4096;
}

uint64_t
memory_segment_size_most (const struct engine *engine)
{
  uint64_t size = 2 * budget (engine);
  return size > 16 * MIB ? size : 16 * MIB;
}

void
memory_begin_writing (struct engine *engine)
{
  if (atomic_fetch_add (&engine->writing, 1) == 0)
    engine_rebalance (engine);
}

void
memory_end_writing (struct engine *engine)
{
  atomic_fetch_sub (&engine->writing, 1);
}

/* ---- the cache ---- */

/* What will be taken before the cache is told again (U2). */
static int64_t
headroom (const struct engine *engine)
{
  bool bursting = atomic_load_explicit (&engine->settle_armed, memory_order_relaxed);
  int64_t room = bursting ? (int64_t) (engine->memtable_size / MEMTABLE_STEPS) : 0;
  int64_t merging = (int64_t) merge_share (engine) - ledger_used (&engine->ledger, LEDGER_MERGE);
  if (merging > 0
      && (bursting || atomic_load_explicit (&engine->writing, memory_order_relaxed) > 0))
    room += merging;
  return room;
}

/* While writes go on the log and flushes take and give back a few megabytes again and again. A cache
 * that followed would drop pages that it reads again, and have the system clear memory that it just
 * gave back. */
static int64_t
gain_least (const struct engine *engine, int64_t all)
{
  bool bursting = atomic_load_explicit (&engine->settle_armed, memory_order_relaxed);
  return bursting ? all / 32 : all / 256;
}

static void
balance_within (struct engine *engine, int64_t all)
{
  int64_t others = ledger_total (&engine->ledger) - ledger_used (&engine->ledger, LEDGER_CACHE);
  int64_t least = all / 16;
  int64_t left = all - others - headroom (engine);
  left = left < least ? least : left;
  int64_t before = (int64_t) atomic_load_explicit (&engine->cache_capacity, memory_order_relaxed);
  if (left - before < gain_least (engine, all) && before - left < all / 256)
    return;
  atomic_store_explicit (&engine->cache_capacity, (uint64_t) left, memory_order_relaxed);
  cache_set_capacity (engine->cache, (uint64_t) left);
}

/* Who shared out a budget that was replaced meanwhile does it again, so that the last word is the new
 * one's. */
void
engine_rebalance (struct engine *engine)
{
  uint64_t all;
  do
    balance_within (engine, (int64_t) (all = atomic_load (&engine->ledger.budget)));
  while (all != atomic_load (&engine->ledger.budget));
}

/* ---- memtables ---- */

/* Those that count: what was held before for longer than anybody waits does not any more. */
static size_t
memtables_alive (struct engine *engine)
{
  size_t users = memtable_pool_users (engine->pool), held = atomic_load (&engine->arenas_held);
  return users > held ? users - held : 0;
}

/* Whether only readers of flushed ones keep a memtable from being begun. */
static bool
readers_are_inside (struct engine *engine)
{
  return atomic_load (&engine->frozen_count) < FROZEN_MAX
         && memtables_alive (engine) >= MEMORY_MEMTABLES;
}

bool
memory_has_place (struct engine *engine)
{
  return atomic_load (&engine->frozen_count) < FROZEN_MAX
         && !(atomic_load (&engine->flush_ends) && readers_are_inside (engine));
}

void
memory_begin_release (struct engine *engine)
{
  atomic_store (&engine->flush_ends, true);
}

/* Not what else goes with a view: files are closed and unlinked while the writer is at work
 * again. */
static void
collect_memtables (void)
{
  epoch_collect_memory (); /* the view */
  epoch_collect_memory (); /* its memtable */
}

void
memory_end_release (struct engine *engine)
{
  unsigned waited = 0;
  collect_memtables ();
  while (waited < READERS_AWAITED && readers_are_inside (engine))
    {
      nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
      collect_memtables ();
      waited++;
    }
  size_t users = memtable_pool_users (engine->pool);
  size_t needed = 1 + atomic_load (&engine->frozen_count);
  size_t held = users > needed ? users - needed : 0;
  if (waited == READERS_AWAITED || held < atomic_load (&engine->arenas_held))
    atomic_store (&engine->arenas_held, held);
  pthread_mutex_lock (&engine->commit_lock);
  atomic_store (&engine->flush_ends, false);
  pthread_cond_broadcast (&engine->room);
  pthread_mutex_unlock (&engine->commit_lock);
}

void
memory_look (struct engine *engine, size_t memory)
{
  size_t step = engine->memtable_size / MEMTABLE_STEPS;
  engine->memtable_look = memory < engine->memtable_size ? memory + step : SIZE_MAX;
  engine->balance_due = true;
}

/* ---- another budget ---- */

static void
set_limits (struct engine *engine, uint64_t bytes)
{
  pthread_mutex_lock (&engine->commit_lock);
  atomic_store (&engine->ledger.budget, bytes);
  choose_memtable_size (engine);
  memtable_pool_set_size (engine->pool, engine->memtable_size);
  if (!engine->read_only)
    memtable_trim (engine->active->table);
  if (engine->wal != NULL)
    wal_set_segment_size (engine->wal, memory_log_segment (engine));
  gauge_set (engine->metrics, GAUGE_MEMORY_BUDGET, (int64_t) bytes);
  pthread_mutex_unlock (&engine->commit_lock);
}

/* Whether indexes and filters take more than their quarter. */
static bool
has_many_accelerators (const struct engine *engine)
{
  int64_t used
      = ledger_used (&engine->ledger, LEDGER_INDEX) + ledger_used (&engine->ledger, LEDGER_FILTER);
  return used > (int64_t) (budget (engine) / 4);
}

static void
trim_accelerators (struct engine *engine)
{
  struct view *view;
  if (!has_many_accelerators (engine) || engine_view_of_files (engine, &view, NULL) != STATUS_OK)
    return;
  for (size_t i = 0; i < view->run_count; i++)
    for (size_t j = 0; j < view->runs[i]->count && has_many_accelerators (engine); j++)
      segment_trim (view->runs[i]->segments[j]);
  view_unref (view);
  engine_collect ();
}

static bool
has_large_memtable (struct engine *engine)
{
  pthread_mutex_lock (&engine->commit_lock);
  bool large = memtable_memory (engine->active->table) > engine->memtable_size;
  pthread_mutex_unlock (&engine->commit_lock);
  return large;
}

status
engine_set_memory_budget (struct engine *engine, uint64_t bytes, struct failure *failure)
{
  if (bytes < ENGINE_MEMORY_BUDGET_LEAST || bytes > ENGINE_MEMORY_BUDGET_MOST)
    return fail (
        failure, STATUS_INVALID,
        "a memory budget of %llu bytes is not from %llu to %llu, which the database %s can "
        "be given; nothing was changed",
        (unsigned long long) bytes, (unsigned long long) ENGINE_MEMORY_BUDGET_LEAST,
        (unsigned long long) ENGINE_MEMORY_BUDGET_MOST, engine->path);
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  struct failure ignored = FAILURE_INIT; /* what fails is tried again, and told, by who needs it */
  pthread_mutex_lock (&engine->budget_lock);
  set_limits (engine, bytes);
  if (!engine->read_only)
    background_start_merging (engine, &ignored);
  if (!engine->read_only && has_large_memtable (engine))
    engine_flush (engine, &ignored);
  hot_records_drop (&engine->hot_records); /* made anew in a size that fits */
  trim_accelerators (engine);
  memtable_pool_trim (engine->pool);
  memtable_pool_trim (engine->transaction_pool);
  engine_rebalance (engine);
  pthread_mutex_unlock (&engine->budget_lock);
  engine_end (engine);
  return STATUS_OK;
}
