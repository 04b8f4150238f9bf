/* SPDX-License-Identifier: MIT */
/*
 * open: from a path to an engine, and back.
 *
 *   probe ─► lock ─► manifest ─► runs ─► recover the log (recovery.c) ─► fresh log ─► threads
 *
 * A path that holds something else, or a newer format, is refused before a byte is written.
 */
#include "core/memory.h"

#include "base/cpu.h"
#include "core/feed.h"
#include "core/recovery.h"
#include "core/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C (1) << 20)

/* ---- fork ---- */

_Atomic unsigned engine_fork_generation;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;

static void
note_fork (void)
{
  atomic_fetch_add (&engine_fork_generation, 1);
}

static void
watch_forks (void)
{
  pthread_atfork (NULL, NULL, note_fork);
}

static bool
is_forked (const struct engine *engine)
{
  return engine->fork_generation != atomic_load (&engine_fork_generation);
}

status
engine_enter_slow (struct engine *engine, struct failure *failure)
{
  if (is_forked (engine))
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

void
engine_emit (struct engine *engine, enum engine_event_kind kind, uint64_t bytes,
             uint64_t microseconds, const struct failure *failure)
{
  if (engine->listen == NULL)
    return;
  struct engine_event event = { kind, bytes, microseconds, failure };
  engine->listen (engine->listen_data, &event);
}

void
engine_listen (struct engine *engine, void (*listen) (void *data, const struct engine_event *),
               void *data)
{
  engine->listen_data = data;
  engine->listen = listen;
}

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
    .build_index = true,
    .map_plain = engine->options.map_segments,
    .read_around = engine->options.prefetch && memory_is_large_for (atomic_load (&engine->run_bytes)),
    .verify = true,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  return settings;
}

/* ---- building the struct ---- */

static void
init_condition (pthread_cond_t *condition)
{
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (condition, &attributes);
  pthread_condattr_destroy (&attributes);
}

static void
init_locks (struct engine *engine)
{
  pthread_mutex_init (&engine->commit_lock, NULL);
  pthread_mutex_init (&engine->blob_lock, NULL);
  pthread_mutex_init (&engine->feed_lock, NULL);
  pthread_mutex_init (&engine->sync_lock, NULL);
  pthread_mutex_init (&engine->manifest_lock, NULL);
  pthread_mutex_init (&engine->view_lock, NULL);
  pthread_mutex_init (&engine->work_lock, NULL);
  pthread_mutex_init (&engine->transactions_lock, NULL);
  init_condition (&engine->room);
  init_condition (&engine->log_work);
  init_condition (&engine->flush_work);
  init_condition (&engine->merge_work);
  init_condition (&engine->idle);
}

static void
balance (void *engine)
{
  engine_rebalance (engine);
}

static status
engine_new (const char *path, unsigned flags, const struct engine_options *options,
            struct engine **out, struct failure *failure)
{
  size_t size = (sizeof (struct engine) + 63) & ~(size_t) 63; /* its counters want whole lines */
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
  pthread_once (&fork_watch, watch_forks);
  atomic_init (&engine->references, 1);
  atomic_init (&engine->state, ENGINE_STATE_OPEN);
  engine->fork_generation = atomic_load (&engine_fork_generation);
  engine->read_only = (flags & ENGINE_OPEN_READ_ONLY) != 0;
  engine->options = *options;
  engine->vfs = options->vfs != NULL ? options->vfs : vfs_posix ();
  engine->ledger.budget = options->memory_budget;
  snapshots_init (&engine->snapshots);
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

/* Frees everything that outlives close. Nobody refers to the engine any more. */
static void
engine_free (struct engine *engine)
{
  if (!is_forked (engine))
    epoch_collect (true); /* views and segments give back pages, arenas and names */
  hot_records_free (atomic_load (&engine->hot_records));
  cache_free (engine->cache);
  memtable_pool_free (engine->pool);
  memtable_pool_free (engine->transaction_pool);
  vfs_directory_close (engine->directory);
  snapshots_clear (&engine->snapshots);
  pthread_mutex_destroy (&engine->commit_lock);
  pthread_mutex_destroy (&engine->blob_lock);
  pthread_mutex_destroy (&engine->feed_lock);
  pthread_mutex_destroy (&engine->sync_lock);
  pthread_mutex_destroy (&engine->manifest_lock);
  pthread_mutex_destroy (&engine->view_lock);
  pthread_mutex_destroy (&engine->work_lock);
  pthread_mutex_destroy (&engine->transactions_lock);
  pthread_cond_destroy (&engine->room);
  pthread_cond_destroy (&engine->log_work);
  pthread_cond_destroy (&engine->flush_work);
  pthread_cond_destroy (&engine->merge_work);
  pthread_cond_destroy (&engine->idle);
  free (engine->dropped_stores);
  free (engine->left_blobs);
  free (engine->spoiled_blobs);
  free (engine->path);
  free (engine);
}

/* ---- the directory ---- */

static status
refuse_presence (const struct engine *engine, enum manifest_presence presence, unsigned flags,
                 struct failure *failure)
{
  if (presence == MANIFEST_FOREIGN)
    return fail (failure, STATUS_NOT_A_DATABASE,
                 "%s holds files but no database, and was left untouched; choose another directory",
                 engine->path);
  if (presence == MANIFEST_EMPTY && (flags & ENGINE_OPEN_CREATE) == 0)
    return fail (failure, STATUS_NOT_FOUND,
                 "there is no database in %s; create it, or check the path", engine->path);
  if (presence == MANIFEST_PRESENT && (flags & ENGINE_OPEN_EXCLUSIVE) != 0)
    return fail (failure, STATUS_EXISTS,
                 "there is a database in %s already; open it, or choose another directory",
                 engine->path);
  return STATUS_OK;
}

static status
open_directory (struct engine *engine, unsigned flags, enum manifest_presence *presence,
                struct failure *failure)
{
  bool create = (flags & ENGINE_OPEN_CREATE) != 0 && !engine->read_only;
  status result
      = vfs_directory_open (engine->vfs, engine->path, create, &engine->directory, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_NOT_FOUND,
                 "there is no directory %s; create the database, or check the path", engine->path);
  if (result == STATUS_OK)
    result = manifest_probe (engine->directory, presence, failure);
  if (result == STATUS_OK)
    result = refuse_presence (engine, *presence, flags, failure);
  return result;
}

/* ---- parts ---- */

static status
make_memory (struct engine *engine, struct failure *failure)
{
  status result = cache_new (&engine->ledger, engine->options.page_size,
                             engine->options.memory_budget / 2, &engine->cache, failure);
  if (result == STATUS_OK)
    result = memtable_pool_new (&engine->ledger, engine->memtable_size, &engine->pool, failure);
  if (result == STATUS_OK)
    result = memtable_pool_new (&engine->ledger, 64 * 1024, &engine->transaction_pool, failure);
  if (result == STATUS_OK)
    memtable_pool_set_counted (engine->transaction_pool);
  return result;
}

/* Opens the segments of one run: state->segments[first … end). */
static status
open_run (struct engine *engine, const struct manifest_state *state, size_t first, size_t end,
          struct run **out, struct failure *failure)
{
  struct flushed part = { state->segments + first, end - first };
  return flushed_open (engine, &part, state->segments[first].order, out, failure);
}

/* The view of what the manifest lists, without memtables. */
static status
open_view (struct engine *engine, const struct manifest_state *state, struct view **out,
           struct failure *failure)
{
  struct view empty = { 0 }, *view;
  uint64_t bytes = 0;
  for (size_t i = 0; i < state->segment_count; i++)
    bytes += state->segments[i].information.file_size;
  atomic_store_explicit (&engine->run_bytes, bytes, memory_order_relaxed);
  status result = view_copy (&empty, state->segment_count, state->blob_count, &view, failure);
  if (result != STATUS_OK)
    return result;
  for (size_t first = 0, end; result == STATUS_OK && first < state->segment_count; first = end)
    {
      for (end = first + 1;
           end < state->segment_count && state->segments[end].run == state->segments[first].run;)
        end++;
      result = open_run (engine, state, first, end, &view->runs[view->run_count], failure);
      view->run_count += result == STATUS_OK;
    }
  for (size_t i = 0; result == STATUS_OK && i < state->blob_count; i++)
    {
      result = blob_file_open (engine->directory, engine->database_id, state->blobs[i].number,
                               &view->blobs[i], failure);
      if (result == STATUS_OK)
        engine_keep_blobs (engine, view->blobs[view->blob_count++]);
    }
  view->flushed_sequence = state->flushed_sequence;
  if (result == STATUS_OK)
    *out = view;
  else
    view_unref (view);
  return result;
}

static uint64_t
next_file_number (void *context)
{
  return manifest_next_number (((struct engine *) context)->manifest);
}

static status
open_log (struct engine *engine, struct failure *failure)
{
  if (!engine->options.log_enabled)
    return STATUS_OK;
  struct wal_settings settings = {
    .directory = engine->directory,
    .ledger = &engine->ledger,
    .segment_size = memory_log_segment (engine),
    .allow_mapping = engine->options.log_mapping,
    .next_number = next_file_number,
    .next_number_context = engine,
    .next_sequence = engine->last_sequence + 1,
    .retention = engine->options.change_retention,
    .reader_bytes = memory_reader_bytes (engine),
    .reader_referred_bytes = BLOB_BYTES_MAX,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  return wal_open (&settings, &engine->wal, failure);
}

static status
open_blob_writer (struct engine *engine, struct failure *failure)
{
  struct blob_writer_settings settings = {
    .directory = engine->directory,
    .file_size = BLOB_FILE_SIZE,
    .next_number = next_file_number,
    .next_number_context = engine,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  return blob_writer_new (&settings, &engine->blob_writer, failure);
}

static status
add_active (struct engine *engine, struct failure *failure)
{
  struct generation *generation;
  status result = generation_new (engine->pool, &generation, failure);
  struct view *next;
  if (result == STATUS_OK)
    {
      result = view_copy (atomic_load (&engine->view), 0, 0, &next, failure);
      if (result != STATUS_OK)
        generation_unref (generation);
    }
  if (result == STATUS_OK)
    {
      next->active = generation;
      engine->active = generation_ref (generation);
      engine_view_replace (engine, next);
    }
  return result;
}

/* ---- opening ---- */

static status
adopt_state (struct engine *engine, const struct manifest_state *state, struct failure *failure)
{
  memcpy (engine->database_id, state->database_id, sizeof engine->database_id);
  engine->options.page_size = state->page_size;
  engine->next_order = 1;
  for (size_t i = 0; i < state->segment_count; i++)
    if (state->segments[i].order >= engine->next_order)
      engine->next_order = state->segments[i].order + 1;
  engine->last_sequence = state->flushed_sequence;
  atomic_store (&engine->published, state->flushed_sequence);
  status result = make_memory (engine, failure);
  struct view *view;
  if (result == STATUS_OK)
    result = open_view (engine, state, &view, failure);
  if (result == STATUS_OK)
    engine_view_replace (engine, view);
  return result;
}

static status
open_writer (struct engine *engine, unsigned flags, struct failure *failure)
{
  enum manifest_presence presence;
  status result = open_directory (engine, flags, &presence, failure);
  if (result == STATUS_OK)
    result = writer_lock_take (&engine->writer_lock, engine->directory, true,
                               "close it there, or open it read-only", failure);
  if (result == STATUS_OK) /* somebody may have been creating it until just now */
    result = manifest_probe (engine->directory, &presence, failure);
  if (result == STATUS_OK)
    result = refuse_presence (engine, presence, flags, failure);
  if (result == STATUS_OK)
    result = presence == MANIFEST_PRESENT
                 ? manifest_open (engine->directory, &engine->manifest, failure)
                 : manifest_create (engine->directory, engine->options.page_size, &engine->manifest,
                                    failure);
  if (result == STATUS_OK)
    result = adopt_state (engine, manifest_state (engine->manifest), failure);
  if (result == STATUS_OK)
    result = open_blob_writer (engine, failure);
  if (result == STATUS_OK)
    result = recover_into_runs (engine, failure);
  if (result == STATUS_OK)
    result = open_log (engine, failure);
  if (result == STATUS_OK)
    result = recover_clean (engine, failure);
  if (result == STATUS_OK)
    result = add_active (engine, failure);
  if (result == STATUS_OK)
    {
      engine_rebalance (engine);
      blob_collect (engine);
      result = background_start (engine, failure);
    }
  return result;
}

static status
open_reader_once (struct engine *engine, struct failure *failure)
{
  struct manifest_state state = { 0 };
  status result = manifest_load (engine->directory, &state, failure);
  if (result == STATUS_OK)
    result = adopt_state (engine, &state, failure);
  if (result == STATUS_OK)
    result = add_active (engine, failure);
  if (result == STATUS_OK)
    result = recover_into_memory (engine, failure);
  manifest_state_clear (&state);
  return result;
}

/* Whether a writer brought commits that we do not have to runs, and perhaps gave their log back,
 * between our reading of the manifest and of the log. */
static bool
reader_is_behind (struct engine *engine)
{
  struct manifest_state now = { 0 };
  bool behind = manifest_load (engine->directory, &now, NULL) == STATUS_OK
                && now.flushed_sequence > engine->last_sequence;
  manifest_state_clear (&now);
  return behind;
}

#define READER_ATTEMPTS_MAX 9

/* A writer beside us may replace files between the manifest and their opening: look again. */
static status
open_reader (struct engine *engine, struct failure *failure)
{
  enum manifest_presence presence;
  status result = open_directory (engine, ENGINE_OPEN_EXISTING, &presence, failure);
  for (int attempt = 0; result == STATUS_OK; attempt++)
    {
      struct failure cause = FAILURE_INIT;
      status opened = open_reader_once (engine, &cause);
      bool again = opened == STATUS_NOT_FOUND || opened == STATUS_CORRUPT || opened == STATUS_IO
                   || (opened == STATUS_OK && reader_is_behind (engine));
      if (!again || attempt + 1 == READER_ATTEMPTS_MAX)
        {
          if (opened != STATUS_OK)
            fail (failure, opened, "%s", cause.message);
          return opened == STATUS_NOT_FOUND ? STATUS_CORRUPT : opened;
        }
      engine_view_replace (engine, NULL);
      generation_unref (engine->active);
      engine->active = NULL;
      epoch_collect (true);
      cache_free (engine->cache);
      memtable_pool_free (engine->pool);
      memtable_pool_free (engine->transaction_pool);
      engine->cache = NULL;
      engine->pool = engine->transaction_pool = NULL;
      nanosleep (&(struct timespec){ 0, 2000000 }, NULL);
    }
  return result;
}

status
engine_open (const char *path, unsigned flags, const struct engine_options *options,
             struct engine **out, struct failure *failure)
{
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  struct engine_options defaults;
  if (options == NULL)
    {
      engine_options_init (&defaults);
      options = &defaults;
    }
  status result = engine_options_check (options, failure);
  struct engine *engine;
  if (result == STATUS_OK)
    result = engine_new (path, flags, options, &engine, failure);
  if (result != STATUS_OK)
    return result;
  result = engine->read_only ? open_reader (engine, failure) : open_writer (engine, flags, failure);
  if (result != STATUS_OK)
    {
      struct failure ignored = FAILURE_INIT;
      engine_close (engine, &ignored);
      engine_unref (engine);
      return result;
    }
  engine_emit (engine, ENGINE_EVENT_OPENED, 0, 0, NULL);
  *out = engine;
  return STATUS_OK;
}

/* ---- closing ---- */

/* No commit starts after this; those under way have ended. */
static void
close_gate (struct engine *engine)
{
  const struct timespec moment = { 0, 200000 };
  pthread_mutex_lock (&engine->commit_lock);
  atomic_store (&engine->state, ENGINE_STATE_CLOSING);
  pthread_cond_broadcast (&engine->room);
  while (engine->first_waiter != NULL || engine->sync_led)
    {
      pthread_mutex_unlock (&engine->commit_lock);
      nanosleep (&moment, NULL);
      pthread_mutex_lock (&engine->commit_lock);
    }
  pthread_mutex_unlock (&engine->commit_lock);
  atomic_store (&engine->cancel_merges, true);
  while (atomic_load (&engine->operations) > 0)
    nanosleep (&moment, NULL);
}

/* Writes what only the log holds to runs. *flushed: all of it, so that the log may go. */
static status
close_flush_runs (struct engine *engine, bool *flushed, struct failure *failure)
{
  status result = STATUS_OK;
  bool did = true;
  while (result == STATUS_OK && did)
    result = flush_oldest (engine, &did, failure);
  if (result == STATUS_OK)
    {
      pthread_mutex_lock (&engine->commit_lock);
      result = commit_switch (engine, false, failure);
      pthread_mutex_unlock (&engine->commit_lock);
    }
  if (result == STATUS_OK)
    result = flush_oldest (engine, &did, failure);
  if (result == STATUS_OK && !atomic_load (&engine->write_failed))
    result = flush_numbers (engine, failure);
  /* Flushing does nothing once writes have failed, be it only while old files were collected. */
  *flushed = result == STATUS_OK && !atomic_load (&engine->write_failed);
  return result;
}

/* Makes everything durable: in runs, or where that is impossible at least in the log. */
static status
close_flush (struct engine *engine, bool *flushed, struct failure *failure)
{
  *flushed = false;
  if (engine->manifest == NULL || engine->active == NULL)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT, sync_cause = FAILURE_INIT;
  status result = close_flush_runs (engine, flushed, &cause);
  if (*flushed)
    return STATUS_OK;
  if (engine->wal != NULL
      && commit_sync_log (engine, engine->last_sequence, &sync_cause) == STATUS_OK)
    return STATUS_OK; /* durable in the log: the next open recovers it */
  if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  return fail (failure, engine->write_failure.code,
               "%s is closed; whether its last commits are on disk is unknown: %.250s; open it "
               "again to see",
               engine->path, engine->write_failure.message);
}

/* A program that opens, writes a little and closes leaves a run each time and never lives long
 * enough for a background merge: a merge that is due and cheap is made now. */
#define CLOSE_MERGE_BYTES (UINT64_C (2) << 20)

static void
close_merge (struct engine *engine)
{
  bool did;
  struct failure ignored = FAILURE_INIT; /* nothing is lost: it is due again at the next open */
  atomic_store (&engine->cancel_merges, false); /* the threads are gone */
  if (engine->options.merge_enabled)
    merge_one (engine, CLOSE_MERGE_BYTES, &did, &ignored);
}

/* What was deleted under us is told now: at the next open it is too late to ask who did it. */
static status
close_look_around (struct engine *engine, struct failure *failure)
{
  char missing[FILE_NAME_SIZE];
  if (engine->manifest == NULL || engine->active == NULL)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT;
  status result = manifest_secure (engine->manifest, &cause);
  if (result != STATUS_OK)
    return fail (failure, result, "%s",
                 engine->write_failed ? engine->write_failure.message : cause.message);
  result = upkeep_find_missing (engine->directory, manifest_state (engine->manifest), missing,
                                failure);
  if (result == STATUS_OK && missing[0] != '\0')
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s was deleted by another program while the database was open, and what it "
                 "held is lost; restore a backup, or run repair",
                 engine->directory->path, missing);
  return result;
}

/* Gives back the memory that a closed handle has no use for and nothing is pinned in: somebody may
 * keep the handle for long. The directory stays open: a file that is no longer part of the database
 * is deleted through it when the last value lent from it is released. */
static void
close_trim (struct engine *engine)
{
  if (engine->cache != NULL) /* an opening that failed may have come less far */
    cache_evict_fraction (engine->cache, 1);
  if (engine->pool != NULL)
    memtable_pool_trim (engine->pool);
  if (engine->transaction_pool != NULL)
    memtable_pool_trim (engine->transaction_pool);
  if (hot_records_drop (&engine->hot_records) > 0)
    engine_collect ();
  codec_trim ();
}

status
engine_close (struct engine *engine, struct failure *failure)
{
  if (is_forked (engine))
    return STATUS_OK;
  int open = ENGINE_STATE_OPEN;
  if (!atomic_compare_exchange_strong (&engine->state, &open, ENGINE_STATE_CLOSING))
    {
      while (atomic_load (&engine->state) != ENGINE_STATE_CLOSED) /* another thread is at it */
        nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
      return STATUS_OK;
    }
  close_gate (engine);
  feed_close (engine);
  background_stop (engine);
  bool flushed;
  status result = close_flush (engine, &flushed, failure);
  if (flushed)
    close_merge (engine);
  if (flushed && blob_writer_seal (engine->blob_writer, NULL) == STATUS_OK)
    blob_collect (engine);
  if (result == STATUS_OK)
    result = close_look_around (engine, failure);
  if (result == STATUS_OK && flushed && engine->manifest != NULL)
    manifest_condense (engine->manifest, NULL); /* as good as it can be */
  if (engine->blob_writer != NULL)
    blob_writer_free (engine->blob_writer);
  feed_detach_all (engine);
  if (engine->wal != NULL)
    wal_close (engine->wal, flushed);
  manifest_close (engine->manifest);
  engine->blob_writer = NULL;
  engine->wal = NULL;
  engine->manifest = NULL;
  pthread_mutex_lock (&engine->view_lock);
  engine_view_replace (engine, NULL);
  pthread_mutex_unlock (&engine->view_lock);
  generation_unref (engine->active);
  engine->active = NULL;
  engine_collect ();
  writer_lock_release (&engine->writer_lock);
  close_trim (engine);
  atomic_store (&engine->state, ENGINE_STATE_CLOSED);
  return result;
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
  if (is_forked (engine))
    return; /* the threads and locks of the parent can't be taken apart here */
  struct failure ignored = FAILURE_INIT;
  engine_close (engine, &ignored);
  engine_free (engine);
}

/* ---- destroying ---- */

struct file_list
{
  char (*names)[FILE_NAME_SIZE];
  size_t count, capacity;
  bool foreign, no_memory;
};

static bool
collect_name (void *data, const char *name)
{
  struct file_list *list = data;
  enum file_kind kind;
  uint64_t number;
  bool ours = file_name_parse (name, &kind, &number) || strcmp (name, "CURRENT") == 0
              || strcmp (name, WRITER_LOCK_NAME) == 0 || strcmp (name, BACKUP_NOTE_NAME) == 0;
  if (!ours || strlen (name) >= FILE_NAME_SIZE)
    {
      list->foreign = true;
      return true;
    }
  if (list->count == list->capacity)
    {
      size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
      void *names = realloc (list->names, capacity * sizeof *list->names);
      list->no_memory = names == NULL;
      if (names == NULL)
        return false;
      list->names = names;
      list->capacity = capacity;
    }
  strcpy (list->names[list->count++], name);
  return true;
}

/* The files that are manifests, or all that are not; CURRENT and LOCK are neither. */
static status
remove_listed (struct vfs_directory *directory, const struct file_list *list, bool manifests,
               struct failure *failure)
{
  status result = STATUS_OK;
  for (size_t i = 0; result == STATUS_OK && i < list->count; i++)
    {
      enum file_kind kind;
      uint64_t number;
      bool is_manifest = file_name_parse (list->names[i], &kind, &number) && kind == FILE_MANIFEST;
      if (is_manifest == manifests && strcmp (list->names[i], WRITER_LOCK_NAME) != 0)
        result = vfs_unlink (directory, list->names[i], failure);
    }
  return result;
}

/* CURRENT first: once it is gone there is no database, whatever is left. Manifests last: while there
 * is anything else, they tell that it is ours, so that this can be done again when it was cut short. */
static status
remove_files (struct vfs_directory *directory, struct failure *failure)
{
  struct file_list list = { 0 };
  status result = vfs_directory_list (directory, collect_name, &list, failure);
  if (result == STATUS_OK && list.no_memory)
    result = fail_memory (failure, list.capacity * sizeof *list.names, "a list of files");
  if (result == STATUS_OK)
    result = vfs_unlink (directory, "CURRENT", failure);
  if (result == STATUS_OK)
    result = vfs_directory_sync (directory, failure);
  if (result == STATUS_OK)
    result = remove_listed (directory, &list, false, failure);
  if (result == STATUS_OK)
    result = vfs_directory_sync (directory, failure);
  if (result == STATUS_OK)
    result = remove_listed (directory, &list, true, failure);
  if (result == STATUS_OK)
    result = vfs_unlink (directory, WRITER_LOCK_NAME, failure);
  free (list.names);
  return result;
}

/* Whether there is no database, but what the making or the deleting of one left when it was cut
 * short. */
static bool
has_remains (struct vfs_directory *directory)
{
  struct file_list list = { 0 };
  enum manifest_presence presence;
  bool remains = directory != NULL && manifest_probe (directory, &presence, NULL) == STATUS_OK
                 && presence == MANIFEST_EMPTY
                 && vfs_directory_list (directory, collect_name, &list, NULL) == STATUS_OK
                 && list.count > 0;
  free (list.names);
  return remains;
}

status
engine_destroy (const char *path, const struct vfs *vfs, struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.vfs = vfs;
  struct engine *engine;
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  status result = engine_new (path, 0, &options, &engine, failure);
  if (result != STATUS_OK)
    return result;
  enum manifest_presence presence;
  struct failure cause = FAILURE_INIT;
  result = open_directory (engine, ENGINE_OPEN_EXISTING, &presence, &cause);
  if (result == STATUS_NOT_FOUND && has_remains (engine->directory))
    result = STATUS_OK;
  else if (result != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = cause;
  if (result == STATUS_OK)
    result = writer_lock_take (&engine->writer_lock, engine->directory, true,
                               "close it there first", failure);
  if (result == STATUS_OK)
    result = remove_files (engine->directory, failure);
  if (result == STATUS_OK && engine->vfs == vfs_posix ())
    rmdir (path); /* stays when it holds something else */
  writer_lock_release (&engine->writer_lock);
  atomic_store (&engine->state, ENGINE_STATE_CLOSED);
  engine_free (engine);
  return result;
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
  return atomic_load (&engine->published);
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
