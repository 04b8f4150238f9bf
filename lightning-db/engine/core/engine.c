/* SPDX-License-Identifier: MIT */
/*
 * engine: the handle: what is made before anything is opened and outlives closing, what every call
 * passes through, and the views that readers take.
 */
#include "core/memory.h"
#include "core/recovery.h"

#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- fork ---- */

_Atomic unsigned engine_fork_generation;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;

/* Collections that were asked for and not done. Above 0: there is a thread for it. */
static _Atomic unsigned collections;

static void
note_fork (void)
{
  atomic_fetch_add (&engine_fork_generation, 1);
  atomic_store (&collections, 0); /* that thread is not here */
}

static void
watch_forks (void)
{
  pthread_atfork (NULL, NULL, note_fork);
}

bool
engine_is_forked (const struct engine *engine)
{
  return engine->fork_generation != atomic_load (&engine_fork_generation);
}

status
engine_enter_slow (struct engine *engine, struct failure *failure)
{
  if (engine_is_forked (engine))
    return fail (failure, STATUS_FORKED,
                 "%s was opened before fork(); open it again in the child, once the parent has "
                 "closed it",
                 engine->path);
  if (atomic_load (&engine->state) != ENGINE_STATE_OPEN)
    return fail (failure, STATUS_CLOSED, "the database %s is closed; open it again", engine->path);
  return STATUS_OK;
}

status
engine_begin (struct engine *engine, struct failure *failure)
{
  atomic_fetch_add (&engine->operations, 1);
  status result = engine_enter_slow (engine, failure); /* in order with the counter: close does the
                                                          two the other way round */
  if (result != STATUS_OK)
    engine_end (engine);
  return result;
}

void
engine_end (struct engine *engine)
{
  atomic_fetch_sub (&engine->operations, 1);
}

/* ---- small things everybody uses ---- */

const char *
engine_printable (struct bytes key, char to[256])
{
  char *at = to;
  size_t shown = key.size < 48 ? key.size : 48;
  for (size_t i = 0; i < shown; i++)
    if (key.data[i] >= 0x20 && key.data[i] < 0x7f && key.data[i] != '\\')
      *at++ = (char) key.data[i];
    else
      at += snprintf (at, 5, "\\x%02x", key.data[i]);
  strcpy (at, shown < key.size ? "…" : "");
  return to;
}

void
engine_collect (void)
{
  /* A view releases its segments, a segment its pages: each retires the next. */
  for (int depth = 0; depth < 3; depth++)
    epoch_collect (false);
}

static void *
collect_main (void *data)
{
  unsigned seen;
  (void) data;
  pthread_setname_np (pthread_self (), "ldb-collect");
  do
    {
      seen = atomic_load (&collections);
      epoch_collect (true);
    }
  while (!atomic_compare_exchange_strong (&collections, &seen, 0));
  return NULL;
}

void
engine_collect_soon (void)
{
  pthread_t thread;
  if (atomic_fetch_add (&collections, 1) > 0)
    return;
  if (engine_start_thread (&thread, collect_main, NULL, NULL) == STATUS_OK)
    pthread_detach (thread);
  else
    atomic_store (&collections, 0); /* whoever collects next */
}

void
engine_collect_files (struct engine *engine)
{
  if (engine_enter_slow (engine, NULL) != STATUS_FORKED)
    engine_collect ();
}

struct view *
engine_view (struct engine *engine)
{
  struct view *view;
  epoch_enter ();
  do
    view = atomic_load_explicit (&engine->view, memory_order_acquire);
  while (view != NULL && !view_try_ref (view));
  epoch_leave ();
  return view;
}

status
engine_view_of_files (struct engine *engine, struct view **out, struct failure *failure)
{
  struct view *view = engine_view (engine);
  *out = NULL;
  status result = view != NULL ? view_copy_files (view, out, failure) : STATUS_OK;
  view_unref (view);
  return result;
}

void
engine_view_replace (struct engine *engine, struct view *view)
{
  uint64_t bytes = 0;
  bool crowded = view != NULL && view->run_count > RUNS_CROWDED && engine->options.merge_enabled;
  atomic_store (&engine->frozen_count, view != NULL ? view->frozen_count : 0);
  atomic_store (&engine->crowding, crowded ? (unsigned) (view->run_count - RUNS_CROWDED) : 0);
  if (view != NULL && view->runs_id == 0)
    view->runs_id = ++engine->runs_ids;
  for (size_t i = 0; view != NULL && i < view->run_count; i++)
    {
      bytes += view->runs[i]->bytes;
      if (view->runs[i]->max_sequence > view->runs_sequence)
        view->runs_sequence = view->runs[i]->max_sequence;
    }
  atomic_store_explicit (&engine->run_bytes, bytes, memory_order_relaxed);
  gauge_set (engine->metrics, GAUGE_RUN_BYTES, (int64_t) bytes);
  gauge_set (engine->metrics, GAUGE_RUNS, view != NULL ? (int64_t) view->run_count : 0);
  gauge_set (engine->metrics, GAUGE_FROZEN_MEMTABLES, view != NULL ? view->frozen_count : 0);
  struct view *before = atomic_exchange_explicit (&engine->view, view, memory_order_acq_rel);
  view_unref (before);
}

struct segment_source_settings
engine_source_settings (const struct engine *engine, bool merge)
{
  return (struct segment_source_settings){
    .prefetch = engine->options.prefetch ? engine->options.prefetch_distance : 0,
    .scan = true,
    .bypass = merge,
  };
}

struct segment_reader_settings
engine_reader_settings (struct engine *engine)
{
  struct segment_reader_settings settings = {
    .directory = engine->directory,
    .cache = engine->cache,
    .ledger = &engine->ledger,
    .metrics = engine->metrics,
    .build_index = true,
    .map_plain = engine->options.map_segments,
    .read_around
    = engine->options.prefetch && memory_is_large_for (atomic_load (&engine->run_bytes)),
    .verify = true,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  return settings;
}

/* ---- building the struct ---- */

void
engine_init_condition (pthread_cond_t *condition)
{
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (condition, &attributes);
  pthread_condattr_destroy (&attributes);
}

/* Held for less than a microsecond as a rule: who finds it taken looks a few times before it
 * sleeps. */
static void
init_commit_lock (struct engine *engine)
{
  pthread_mutexattr_t kind;
  pthread_mutexattr_init (&kind);
  pthread_mutexattr_settype (&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init (&engine->commit_lock, &kind);
  pthread_mutexattr_destroy (&kind);
}

static void
init_locks (struct engine *engine)
{
  pthread_mutex_init (&engine->budget_lock, NULL);
  init_commit_lock (engine);
  pthread_mutex_init (&engine->blob_lock, NULL);
  pthread_mutex_init (&engine->feed_lock, NULL);
  pthread_mutex_init (&engine->sync_lock, NULL);
  pthread_mutex_init (&engine->catalogue_lock, NULL);
  pthread_mutex_init (&engine->manifest_lock, NULL);
  pthread_mutex_init (&engine->view_lock, NULL);
  pthread_mutex_init (&engine->work_lock, NULL);
  pthread_mutex_init (&engine->transactions_lock, NULL);
  pthread_mutex_init (&engine->slow_calls.lock, NULL);
  hot_keys_init (engine->hot_keys);
  engine_init_condition (&engine->room);
  engine_init_condition (&engine->log_work);
  engine_init_condition (&engine->flush_work);
  engine_init_condition (&engine->merge_work);
  engine_init_condition (&engine->idle);
}

static void
balance (void *engine)
{
  engine_rebalance (engine);
}

/* The ledger counts among the gauges, which begin with its accounts. */
_Static_assert((int) GAUGE_MEMORY_CACHE == (int) LEDGER_CACHE
                   && (int) GAUGE_MEMORY_PAGE_TABLE == (int) LEDGER_PAGE_TABLE
                   && (int) GAUGE_MEMORY_INDEX == (int) LEDGER_INDEX
                   && (int) GAUGE_MEMORY_FILTER == (int) LEDGER_FILTER
                   && (int) GAUGE_MEMORY_MEMTABLE == (int) LEDGER_MEMTABLE
                   && (int) GAUGE_MEMORY_LOG == (int) LEDGER_LOG
                   && (int) GAUGE_MEMORY_MERGE == (int) LEDGER_MERGE
                   && (int) GAUGE_MEMORY_SEGMENT == (int) LEDGER_SEGMENT
                   && (int) GAUGE_MEMORY_OTHER == (int) LEDGER_OTHER && LEDGER_ACCOUNTS == 9,
               "accounts and gauges agree");

status
engine_new (const char *path, unsigned flags, const struct engine_options *options,
            struct engine **out, struct failure *failure)
{
  size_t size = (sizeof (struct engine) + 63) & ~(size_t) 63; /* `threads` wants whole lines */
  struct engine *engine = aligned_alloc (64, size);
  if (engine == NULL)
    return fail_memory (failure, size, "a database handle");
  memset (engine, 0, size);
  engine->path = strdup (path);
  if (engine->path == NULL)
    {
      free (engine);
      return fail_memory (failure, strlen (path), "a path");
    }
  struct metrics_origin origin = {
    .process = options->metrics_process,
    .process_started = options->metrics_process_started,
    .opened = engine_wall (),
  };
  status result = metrics_new (options->metrics_memory, &origin, &engine->metrics, failure);
  if (result != STATUS_OK)
    {
      free (engine->path);
      free (engine);
      return result;
    }
  result = events_init (&engine->events, failure);
  if (result != STATUS_OK)
    {
      events_clear (&engine->events);
      metrics_free (engine->metrics, options->metrics_memory != NULL);
      free (engine->path);
      free (engine);
      return result;
    }
  pthread_once (&fork_watch, watch_forks);
  atomic_init (&engine->references, 1);
  atomic_init (&engine->state, ENGINE_STATE_OPEN);
  engine->fork_generation = atomic_load (&engine_fork_generation);
  engine->read_only = (flags & ENGINE_OPEN_READ_ONLY) != 0;
  engine->options = *options;
  engine->vfs = options->vfs != NULL ? options->vfs : vfs_posix ();
  engine->awaited = UINT64_MAX;
  engine->ledger.budget = options->memory_budget;
  engine->ledger.elsewhere = &engine->metrics->gauges[GAUGE_MEMORY_CACHE];
  gauge_set (engine->metrics, GAUGE_MEMORY_BUDGET, (int64_t) options->memory_budget);
  engine_set_sampling (engine, options->sampling_interval);
  engine_set_slow_threshold (engine, ENGINE_SLOW_THRESHOLD);
  snapshots_init (&engine->snapshots, engine->metrics);
  init_locks (engine);
  memory_choose (engine);
  engine->ledger.balance = balance;
  engine->ledger.balance_data = engine;
  engine->rate_refilled = engine_now ();
  engine->rate_tokens = options->rate_limit;
  if (!options->simd)
    cpu_limit (CPU_SCALAR);
  *out = engine;
  return STATUS_OK;
}

void
engine_free (struct engine *engine)
{
  if (!engine_is_forked (engine))
    epoch_collect (true); /* views and segments give back pages, arenas and names */
  hot_records_free (atomic_load (&engine->hot_records));
  cache_free (engine->cache);
  memtable_pool_free (engine->pool);
  memtable_pool_free (engine->transaction_pool);
  recover_let_go (engine); /* when no thread did */
  vfs_directory_close (engine->directory);
  snapshots_clear (&engine->snapshots);
  pthread_mutex_destroy (&engine->budget_lock);
  pthread_mutex_destroy (&engine->commit_lock);
  pthread_mutex_destroy (&engine->blob_lock);
  pthread_mutex_destroy (&engine->feed_lock);
  pthread_mutex_destroy (&engine->sync_lock);
  pthread_mutex_destroy (&engine->catalogue_lock);
  pthread_mutex_destroy (&engine->manifest_lock);
  pthread_mutex_destroy (&engine->view_lock);
  pthread_mutex_destroy (&engine->work_lock);
  pthread_mutex_destroy (&engine->transactions_lock);
  pthread_mutex_destroy (&engine->slow_calls.lock);
  free (engine->slow_calls.ring);
  events_clear (&engine->events);
  hot_keys_clear (engine->hot_keys, &engine->ledger);
  pthread_cond_destroy (&engine->room);
  pthread_cond_destroy (&engine->log_work);
  pthread_cond_destroy (&engine->flush_work);
  pthread_cond_destroy (&engine->merge_work);
  pthread_cond_destroy (&engine->idle);
  free (engine->dropped_stores);
  free (engine->left_blobs);
  free (engine->spoiled_blobs);
  free (engine->path);
  metrics_free (engine->metrics, engine->options.metrics_memory != NULL);
  if (engine->options.metrics_release != NULL)
    engine->options.metrics_release (engine->options.metrics_data);
  free (engine);
}

struct engine *
engine_ref (struct engine *engine)
{
  atomic_fetch_add_explicit (&engine->references, 1, memory_order_relaxed);
  return engine;
}

void
engine_unref (struct engine *engine)
{
  if (engine == NULL
      || atomic_fetch_sub_explicit (&engine->references, 1, memory_order_acq_rel) != 1)
    return;
  if (engine_is_forked (engine))
    return; /* the threads and locks of the parent can't be taken apart here */
  struct failure ignored = FAILURE_INIT;
  engine_close (engine, &ignored);
  engine_free (engine);
}

/* ---- asking ---- */

bool
engine_is_closed (struct engine *engine)
{
  return atomic_load (&engine->state) != ENGINE_STATE_OPEN;
}

bool
engine_is_read_only (struct engine *engine)
{
  return engine->read_only;
}

const struct engine_options *
engine_get_options (struct engine *engine)
{
  return &engine->options;
}

uint64_t
engine_sequence (struct engine *engine)
{
  if (!atomic_load_explicit (&engine->follows, memory_order_acquire))
    return atomic_load_explicit (&engine->published, memory_order_acquire);
  epoch_enter ();
  const struct view *view = atomic_load_explicit (&engine->view, memory_order_acquire);
  uint64_t sequence = view != NULL ? engine_visible_in (engine, view) : engine->published;
  epoch_leave ();
  return sequence;
}

uint64_t
engine_durable_sequence (struct engine *engine)
{
  struct failure ignored = FAILURE_INIT;
  uint64_t durable = 0;
  struct view *view = engine_view (engine);
  if (view != NULL)
    durable = view->flushed_sequence;
  view_unref (view);
  if (engine_begin (engine, &ignored) == STATUS_OK)
    {
      if (engine->wal != NULL && wal_synced (engine->wal) > durable)
        durable = wal_synced (engine->wal);
      engine_end (engine);
    }
  return durable;
}

void
engine_database_id (struct engine *engine, uint8_t to[16])
{
  memcpy (to, engine->database_id, 16);
}
