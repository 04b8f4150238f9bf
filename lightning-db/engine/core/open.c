/* SPDX-License-Identifier: MIT */
/*
 * open: from a path to an engine.
 *
 *   probe ─► lock ─► manifest ─► runs ─► recover the log (recovery.c) ─► fresh log ─► threads
 *
 * A path that holds something else, or a newer format, is refused before a byte is written.
 */
#include "core/memory.h"

#include "core/follow.h"
#include "core/recovery.h"
#include "core/sharing.h"
#include "core/upkeep.h"

#include <time.h>

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

/* What is there when nobody makes, deletes or writes it: a directory that changes while it is listed
 * may look like anything. LOCKED when somebody does. */
static status
probe_settled (struct engine *engine, enum manifest_presence *presence, struct failure *failure)
{
  struct writer_lock lock;
  status result
      = writer_lock_take (&lock, engine->directory, false,
                          "perhaps it is just being created or deleted; try again", failure);
  if (result != STATUS_OK)
    return result;
  result = manifest_probe (engine->directory, presence, failure);
  writer_lock_release (&lock);
  return result;
}

status
engine_open_directory (struct engine *engine, unsigned flags, enum manifest_presence *presence,
                       struct failure *failure)
{
  bool create = (flags & ENGINE_OPEN_CREATE) != 0 && !engine->read_only;
  status result
      = vfs_directory_open (engine->vfs, engine->path, false, &engine->directory, failure);
  engine->makes_directory = create && result == STATUS_NOT_FOUND;
  if (engine->makes_directory)
    result = vfs_directory_open (engine->vfs, engine->path, true, &engine->directory, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_NOT_FOUND,
                 "there is no directory %s; create the database, or check the path", engine->path);
  if (result == STATUS_OK)
    result = manifest_probe (engine->directory, presence, failure);
  if (result == STATUS_OK && *presence == MANIFEST_FOREIGN)
    result = probe_settled (engine, presence, failure);
  if (result == STATUS_OK)
    result = refuse_presence (engine, *presence, flags, failure);
  return result;
}

status
engine_finish (struct engine *engine, struct failure *failure)
{
  pthread_mutex_lock (&engine->manifest_lock);
  status result = manifest_finish (engine->manifest, failure);
  pthread_mutex_unlock (&engine->manifest_lock);
  return result;
}

/* ---- parts ---- */

static status
make_memory (struct engine *engine, struct failure *failure)
{
  status result = cache_new (&engine->ledger, engine->options.page_size,
                             engine->options.memory_budget / 2, &engine->cache, failure);
  if (result == STATUS_OK)
    cache_set_metrics (engine->cache, engine->metrics);
  if (result == STATUS_OK)
    result = memtable_pool_new (&engine->ledger, engine->memtable_size, &engine->pool, failure);
  if (result == STATUS_OK)
    result = memtable_pool_new (&engine->ledger, 64 * 1024, &engine->transaction_pool, failure);
  if (result == STATUS_OK)
    memtable_pool_set_counted (engine->transaction_pool);
  if (result == STATUS_OK && engine->read_only)
    memtable_pool_hash_all (engine->pool);
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

/* What only a reader of the log still needed may be collected, when nothing else moves. The reader
 * goes on, then looks whether the collector rests; that one says it rests, then looks at
 * readers. */
static void
wake_collector (void *context)
{
  struct engine *engine = context;
  atomic_thread_fence (memory_order_seq_cst);
  if (atomic_load_explicit (&engine->collector_rests, memory_order_relaxed)
      && atomic_exchange (&engine->collector_rests, false))
    background_wake_merge (engine);
}

static status
open_log (struct engine *engine, struct failure *failure)
{
  if (!engine->options.log_enabled)
    return STATUS_OK;
  struct wal_settings settings = {
    .directory = engine->directory,
    .ledger = &engine->ledger,
    .metrics = engine->metrics,
    .segment_size = memory_log_segment (engine),
    .allow_mapping = engine->options.log_mapping,
    .next_number = next_file_number,
    .next_number_context = engine,
    .next_sequence = engine->last_sequence + 1,
    .retention = engine->options.change_retention,
    .reader_bytes = memory_reader_bytes (engine),
    .reader_referred_bytes = BLOB_BYTES_MAX,
    .reader_went_on = wake_collector,
    .reader_went_on_context = engine,
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
  metrics_set_database (engine->metrics, engine->database_id);
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

/* Other machines may not see the lock, and what is synced is where they say it is. */
static status
refuse_network (struct engine *engine, struct failure *failure)
{
  const char *name;
  if (engine->options.network_allowed || vfs_reach (engine->directory, &name) != VFS_REACH_NETWORK)
    return STATUS_OK;
  return fail (failure, STATUS_UNSUPPORTED,
               "%s is on a network file system (%s), where locks may not reach other machines and "
               "synced commits may be lost with the server; move it to a local disk, or set "
               "network-file-systems",
               engine->path, name);
}

/* All that a later version may have written is looked at before the manifest is written anew. */
static status
take_over_files (struct engine *engine, struct failure *failure)
{
  struct manifest *manifest;
  status result = manifest_read (engine->directory, &manifest, failure);
  if (result != STATUS_OK)
    return result;
  result = adopt_state (engine, manifest_state (manifest), failure);
  if (result == STATUS_OK)
    result = upkeep_refuse_newer (engine->directory, manifest_state (manifest), failure);
  if (result == STATUS_OK)
    result = manifest_begin (manifest, failure);
  if (result == STATUS_OK)
    engine->manifest = manifest;
  else
    manifest_close (manifest);
  return result;
}

static status
make_first_files (struct engine *engine, unsigned flags, struct failure *failure)
{
  bool unfinished = (flags & ENGINE_OPEN_UNFINISHED) != 0;
  status result = (unfinished ? manifest_create_unfinished : manifest_create) (
      engine->directory, engine->options.page_size, &engine->manifest, failure);
  return result == STATUS_OK ? adopt_state (engine, manifest_state (engine->manifest), failure)
                             : result;
}

static status
open_writer (struct engine *engine, unsigned flags, struct failure *failure)
{
  enum manifest_presence presence;
  bool making = false;
  status result = engine_open_directory (engine, flags, &presence, failure);
  if (result == STATUS_OK)
    result = refuse_network (engine, failure);
  if (result == STATUS_OK)
    result = writer_lock_take (&engine->writer_lock, engine->directory, true,
                               "close it there, or open it read-only", failure);
  if (result == STATUS_OK) /* somebody may have been creating it until just now */
    result = manifest_probe (engine->directory, &presence, failure);
  if (result == STATUS_OK)
    result = refuse_presence (engine, presence, flags, failure);
  if (result == STATUS_OK)
    {
      making = presence == MANIFEST_EMPTY;
      result
          = making ? make_first_files (engine, flags, failure) : take_over_files (engine, failure);
    }
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
      sharing_start (engine, NULL); /* without it, others see our commits when they open */
      result = background_start (engine, failure);
    }
  engine->unmade = making ? result : STATUS_OK;
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
    result = upkeep_refuse_newer (engine->directory, &state, failure);
  if (result == STATUS_OK)
    result = add_active (engine, failure);
  if (result == STATUS_OK)
    result = follow_load (engine, failure);
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

static bool
has_current (struct engine *engine)
{
  struct vfs_file *file;
  if (vfs_open (engine->directory, "CURRENT", VFS_READ, &file, NULL) != STATUS_OK)
    return false;
  vfs_close (file);
  return true;
}

/* What may come of looking once more. */
enum reader_hope
{
  HOPE_NONE,
  HOPE_SETTLED, /* nobody writes, or nobody was asked yet */
  HOPE_WRITER,  /* it may have become another database, or becomes one */
};

/* Whether a writer beside us may be why an opening failed. */
static bool
may_be_replaced (status result)
{
  return result == STATUS_NOT_FOUND || result == STATUS_CORRUPT || result == STATUS_IO
         || result == STATUS_NOT_A_DATABASE;
}

/* What a reader is told that could not open what was there when it looked first: `cause`, which is
 * damage when something is missing; or that the database is just being deleted or made, or was
 * deleted meanwhile. */
static status
explain_reader (struct engine *engine, status result, const struct failure *cause,
                enum reader_hope *hope, struct failure *failure)
{
  enum manifest_presence presence;
  struct failure other = FAILURE_INIT;
  *hope = HOPE_NONE;
  if (!may_be_replaced (result))
    return fail (failure, result, "%s", cause->message);
  status settled = probe_settled (engine, &presence, &other);
  if (settled == STATUS_OK && presence != MANIFEST_PRESENT)
    return refuse_presence (engine, presence, ENGINE_OPEN_EXISTING, failure);
  if (settled == STATUS_LOCKED && !has_current (engine)) /* a writer's is never missing */
    return fail (failure, settled, "%s", other.message);
  *hope = settled == STATUS_OK ? HOPE_SETTLED : HOPE_WRITER;
  if (cause->message[0] == '\0')
    return fail (failure, STATUS_LOCKED,
                 "%s was deleted and created while it was being opened; open it again",
                 engine->path);
  return fail (failure, result == STATUS_NOT_FOUND ? STATUS_CORRUPT : result, "%s", cause->message);
}

/* Gives back what an attempt that failed has made. */
static void
undo_reader (struct engine *engine)
{
  engine_view_replace (engine, NULL);
  generation_unref (engine->active);
  engine->active = NULL;
  epoch_collect (true);
  cache_free (engine->cache);
  memtable_pool_free (engine->pool);
  memtable_pool_free (engine->transaction_pool);
  engine->cache = NULL;
  engine->pool = engine->transaction_pool = NULL;
}

#define READER_ATTEMPTS_MAX 9

/* A writer beside us may replace files between the manifest and their opening: look again.
 * `failures`: how often it may fail. */
static status
attempt_reader (struct engine *engine, int failures, struct failure *failure)
{
  struct failure cause;
  status result;
  bool again;
  for (int attempt = 1;; attempt++)
    {
      cause = FAILURE_INIT;
      result = open_reader_once (engine, &cause);
      again = result == STATUS_OK ? reader_is_behind (engine) : may_be_replaced (result);
      if (!again || attempt >= (result == STATUS_OK ? READER_ATTEMPTS_MAX : failures))
        break;
      undo_reader (engine);
      nanosleep (&(struct timespec){ 0, 2000000 }, NULL);
    }
  return result == STATUS_OK ? result : fail (failure, result, "%s", cause.message);
}

#define READER_ROUNDS_MAX 5
#define SETTLED_ROUNDS_MAX 3

/* What changes under us as a whole, database and all, is looked at anew. Where nobody writes, what
 * failed once will fail again: it is tried a few times, since a writer may come and go in between. */
static status
open_reader (struct engine *engine, unsigned flags, struct failure *failure)
{
  enum manifest_presence presence;
  struct failure told;
  enum reader_hope hope = HOPE_SETTLED;
  status result = engine_open_directory (engine, ENGINE_OPEN_EXISTING, &presence, failure);
  if (result != STATUS_OK)
    return result;
  for (int round = 1, settled = 0;; round++)
    {
      struct failure cause = FAILURE_INIT;
      told = FAILURE_INIT;
      result = follow_begin (engine, (flags & ENGINE_OPEN_STATIC) != 0, failure);
      if (result != STATUS_OK)
        return result;
      result = attempt_reader (engine, hope == HOPE_SETTLED ? 1 : READER_ATTEMPTS_MAX, &cause);
      if (result != STATUS_OK)
        result = explain_reader (engine, result, &cause, &hope, &told);
      else
        hope = follow_is_right (engine) ? HOPE_NONE : HOPE_WRITER;
      settled += hope == HOPE_SETTLED;
      if (hope == HOPE_NONE || round == READER_ROUNDS_MAX || settled == SETTLED_ROUNDS_MAX)
        break;
      undo_reader (engine);
      follow_free (engine);
      nanosleep (&(struct timespec){ 0, 2000000 }, NULL);
    }
  return result == STATUS_OK ? follow_start (engine, failure)
                             : fail (failure, result, "%s", told.message);
}

status
engine_open (const char *path, unsigned flags, const struct engine_options *options,
             struct engine **out, struct failure *failure)
{
  struct engine_options defaults;
  if (options == NULL)
    {
      engine_options_init (&defaults);
      options = &defaults;
    }
  status result = engine_options_check (options, failure);
  if (path == NULL || *path == '\0')
    result = fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  struct engine *engine;
  if (result == STATUS_OK)
    result = engine_new (path, flags, options, &engine, failure);
  if (result != STATUS_OK)
    {
      if (options->metrics_release != NULL)
        options->metrics_release (options->metrics_data);
      return result;
    }
  result = engine->read_only ? open_reader (engine, flags, failure)
                             : open_writer (engine, flags, failure);
  if (result != STATUS_OK)
    {
      struct failure ignored = FAILURE_INIT;
      engine_close (engine, &ignored);
      if (engine->makes_directory)
        destroy_directory (engine);
      engine_unref (engine);
      return result;
    }
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_OPENED });
  *out = engine;
  return STATUS_OK;
}
