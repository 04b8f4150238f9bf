/* SPDX-License-Identifier: MIT */
/*
 * flush: memtables become runs; and how any run is installed. (Written: output.c.)
 *
 *   write segments ─► sync each ─► sync directory ─► manifest edit (durable) ─► publish the view
 *   ─► give log segments and dropped files back
 *
 * Invariants
 *   F1  Frozen memtables are flushed oldest first: what is in runs is a prefix of the commits.
 *   F2  Blob files are durable before the manifest edit that makes their references permanent.
 *   F3  A failure before the edit leaves nothing but orphans, removed at once or at the next open.
 *   F5  Only visible commits are flushed: a snapshot may still be taken between two that are not,
 *       and no flush or merge would know that it must keep what such a snapshot sees. (F4:
 *       output.c)
 *   F6  Before a log goes, the manifest says that its newest commit is flushed, also when the last
 *       ones are empty: else their numbers would be given again, and a later log would miss them.
 *   F7  Once the edit is durable nothing can fail: memory for the view is there before.
 *   F8  Whoever asked for a flush is answered when its event is noted and its log is gone.
 */
#include "core/blob-collect.h"
#include "core/memory.h"
#include "core/sharing.h"

#include "base/probes.h"

#include <assert.h>
#include <stdlib.h>

/* ---- what is in memory, in order ---- */

void
flush_view_clear (struct flush_view *view)
{
  range_set_unref (view->kept);
  range_set_unref (view->ranges);
  free (view->snapshots);
}

status
flush_view_take (struct engine *engine, struct range_set *ranges, struct flush_view *out,
                 struct failure *failure)
{
  struct view *view = engine_view (engine);
  *out = (struct flush_view){ .ranges = ranges, .bottom = view != NULL && view->run_count == 0 };
  view_unref (view);
  status result = snapshots_collect (&engine->snapshots, atomic_load (&engine->published),
                                     &out->snapshots, &out->snapshot_count, failure);
  if (result == STATUS_OK)
    result = merge_range_deletes (ranges, out->snapshots, out->snapshot_count, out->bottom,
                                  &out->kept, failure);
  if (result != STATUS_OK)
    flush_view_clear (out);
  return result;
}

status
flush_write_seen (struct engine *engine, const struct flush_view *view, struct source *source,
                  const struct output_settings *settings, struct flushed *out,
                  struct failure *failure)
{
  struct survivor_settings seen = {
    .snapshots = view->snapshots,
    .snapshot_count = view->snapshot_count,
    .bottom = view->bottom,
    .ranges = view->ranges,
  };
  struct source *survivors;
  status result = survivor_source_new (source, &seen, &survivors, failure);
  if (result != STATUS_OK)
    return result;
  result = output_write (engine, survivors, view->kept, settings, out, failure);
  source_release (survivors);
  return result;
}

static status
flush_write (struct engine *engine, struct memtable *table, struct flushed *out,
             struct failure *failure)
{
  struct range_set *ranges = NULL;
  struct flush_view view;
  struct source *source;
  struct output_settings settings = {
    .expected_bytes = memtable_memory (table),
    .memory = memory_of_flush (engine),
  };
  status result = memtable_range_deletes (table, &ranges, failure);
  if (result == STATUS_OK)
    result = flush_view_take (engine, ranges, &view, failure);
  if (result != STATUS_OK)
    return result;
  result = memtable_source_new (table, &source, failure);
  if (result == STATUS_OK)
    result = flush_write_seen (engine, &view, source, &settings, out, failure);
  flush_view_clear (&view);
  return result;
}

status
flushed_open (struct engine *engine, const struct flushed *flushed, uint64_t order,
              struct run **out, struct failure *failure)
{
  struct segment_reader_settings settings = engine_reader_settings (engine);
  struct segment **segments = calloc (flushed->count, sizeof *segments);
  status result = segments != NULL ? STATUS_OK
                                   : fail_memory (failure, flushed->count * sizeof *segments,
                                                  "a list of segments");
  size_t opened = 0;
  while (result == STATUS_OK && opened < flushed->count)
    {
      result = segment_open (&settings, &flushed->segments[opened].information, &segments[opened],
                             failure);
      opened += result == STATUS_OK;
    }
  if (result == STATUS_OK)
    result = run_new (flushed->segments[0].run, order, flushed->segments[0].created, segments,
                      opened, out, failure);
  else
    for (size_t i = 0; i < opened; i++)
      segment_unref (segments[i]);
  free (segments);
  return result;
}

/* ---- installing ---- */

static void
note_failed_manifest (struct engine *engine, const struct failure *cause)
{
  if (!manifest_failed (engine->manifest))
    return;
  pthread_mutex_lock (&engine->commit_lock);
  commit_fail (engine, STATUS_UNKNOWN_OUTCOME, cause);
  pthread_mutex_unlock (&engine->commit_lock);
}

/* A view with room for what is there now and more. Runs and blob files are changed under
 * manifest_lock, which the caller holds: it still fits when it is filled. */
static status
reserve_view (struct engine *engine, size_t extra_runs, size_t extra_blobs, struct view **out,
              struct failure *failure)
{
  pthread_mutex_lock (&engine->view_lock);
  const struct view *now = atomic_load (&engine->view);
  size_t runs = now->run_count + extra_runs, blobs = now->blob_count + extra_blobs;
  pthread_mutex_unlock (&engine->view_lock);
  return view_reserve (runs, blobs, out, failure);
}

status
install (struct engine *engine, const struct manifest_edit *edit, size_t extra_runs,
         size_t extra_blobs, void (*edit_view) (void *data, struct view *view), void *data,
         struct failure *failure)
{
  struct view *next;
  status result = reserve_view (engine, extra_runs, extra_blobs, &next, failure); /* F7 */
  if (result != STATUS_OK)
    return result;
  struct failure cause = FAILURE_INIT;
  result = manifest_apply (engine->manifest, edit, &cause);
  if (result != STATUS_OK)
    {
      view_unref (next);
      if (failure != NULL && failure->code == STATUS_OK)
        *failure = cause;
      note_failed_manifest (engine, &cause);
      return result;
    }
  pthread_mutex_lock (&engine->view_lock);
  view_fill (next, atomic_load (&engine->view));
  edit_view (data, next);
  engine_view_replace (engine, next);
  pthread_mutex_unlock (&engine->view_lock);
  sharing_files_changed (engine);
  return STATUS_OK;
}

/* ---- the flush ---- */

struct flush_edit
{
  struct generation *generation; /* to be removed from the frozen ones; NULL = none (loader) */
  struct run *run;               /* to be put in front; NULL when nothing survived */
  struct new_blobs *blobs;
  uint64_t flushed_sequence;
};

static void
flush_edit_view (void *data, struct view *view)
{
  struct flush_edit *edit = data;
  if (edit->generation != NULL)
    {
      assert (view->frozen[view->frozen_count - 1] == edit->generation); /* F1 */
      view->frozen[--view->frozen_count] = NULL;
      generation_unref (edit->generation);
    }
  if (edit->run != NULL)
    {
      memmove (view->runs + 1, view->runs, view->run_count * sizeof *view->runs);
      view->runs[0] = run_ref (edit->run);
      view->run_count++;
    }
  view_add_blobs (view, edit->blobs);
  if (edit->flushed_sequence > view->flushed_sequence)
    view->flushed_sequence = edit->flushed_sequence;
}

status
flush_install (struct engine *engine, struct flushed *flushed, struct generation *generation,
               uint64_t flushed_sequence, uint64_t user_bytes, struct failure *failure)
{
  struct new_blobs blobs = { 0 };
  struct run *run = NULL;
  pthread_mutex_lock (&engine->manifest_lock);
  uint64_t run_id = manifest_next_run (engine->manifest);
  for (size_t i = 0; i < flushed->count; i++)
    {
      flushed->segments[i].run = run_id;
      flushed->segments[i].order = engine->next_order;
    }
  status result = commit_sync_blobs (engine, false, failure); /* F2 */
  if (result == STATUS_OK)
    result = new_blobs_find (engine, flushed, &blobs, failure);
  if (result == STATUS_OK)
    result = new_blobs_lend (engine, &blobs, failure);
  if (result == STATUS_OK && flushed->count > 0)
    result = flushed_open (engine, flushed, engine->next_order, &run, failure);
  if (result == STATUS_OK)
    {
      struct manifest_edit edit = {
        .add_segments = flushed->segments,
        .add_segment_count = flushed->count,
        .add_blobs = blobs.entries,
        .add_blob_count = blobs.count,
        .flushed_sequence = flushed_sequence,
        .user_bytes_added = user_bytes,
      };
      struct flush_edit flush_edit = { generation, run, &blobs, flushed_sequence };
      result = install (engine, &edit, 1, blobs.count, flush_edit_view, &flush_edit, failure);
    }
  if (result == STATUS_OK)
    engine->next_order++;
  else if (!atomic_load (&engine->write_failed))
    flushed_unlink (engine, flushed); /* F3; else it is unknown whether the manifest has them */
  pthread_mutex_unlock (&engine->manifest_lock);
  run_unref (run);
  new_blobs_clear (&blobs);
  return result;
}

status
flush_numbers (struct engine *engine, struct failure *failure)
{
  struct flushed nothing = { 0 };
  struct view *view = engine_view (engine);
  bool lacking = view != NULL && view->flushed_sequence < engine->last_sequence;
  view_unref (view);
  return lacking ? flush_install (engine, &nothing, NULL, engine->last_sequence, 0, failure)
                 : STATUS_OK;
}

static void
note_flush (struct engine *engine, const struct flushed *flushed, uint64_t data, uint64_t started)
{
  uint64_t bytes = 0, took = metrics_now () - started + 1;
  for (size_t i = 0; i < flushed->count; i++)
    bytes += flushed->segments[i].information.file_size;
  uint64_t rate = (uint64_t) ((double) data * 1e9 / (double) took);
  uint64_t before = atomic_load (&engine->flush_rate);
  atomic_store (&engine->flush_rate, before == 0 ? rate : (3 * before + rate) / 4);
  readers_review_now (&engine->readers, engine->metrics);
  count_shared (engine->metrics, SHARED_FLUSHES, 1);
  count_shared (engine->metrics, SHARED_FLUSH_BYTES, bytes);
  metrics_record (engine->metrics, HISTOGRAM_FLUSH, took);
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_FLUSHED,
                                             .bytes = bytes,
                                             .microseconds = took / 1000 });
}

/* The flush up to `sequence` is about to be installed (F8); 0: it is told of, or failed. */
static void
set_untold (struct engine *engine, uint64_t sequence)
{
  pthread_mutex_lock (&engine->commit_lock);
  engine->flush_untold = sequence;
  pthread_mutex_unlock (&engine->commit_lock);
}

status
flush_oldest (struct engine *engine, bool *did, struct failure *failure)
{
  *did = false;
  struct view *view = engine_view (engine);
  if (view == NULL || view->frozen_count == 0 || atomic_load (&engine->write_failed))
    {
      view_unref (view);
      return STATUS_OK;
    }
  struct generation *generation = generation_ref (view->frozen[view->frozen_count - 1]);
  view_unref (view);

  uint64_t started = metrics_now ();
  struct memtable_statistics statistics;
  memtable_statistics (generation->table, &statistics);
  PROBE2 (flush_begin, engine->path, statistics.data_bytes);
  struct flushed flushed = { 0 };
  status result = commit_await (engine, statistics.last_sequence, failure); /* F5 */
  if (result == STATUS_OK)
    result = flush_write (engine, generation->table, &flushed, failure);
  memory_begin_release (engine);
  if (result == STATUS_OK)
    {
      set_untold (engine, statistics.last_sequence);
      result = flush_install (engine, &flushed, generation, statistics.last_sequence,
                              statistics.data_bytes, failure);
      if (result != STATUS_OK)
        set_untold (engine, 0);
    }
  PROBE3 (flush_end, engine->path, statistics.last_sequence, (int) result);
  generation_unref (generation);
  memory_end_release (engine);
  if (result == STATUS_OK)
    {
      *did = true;
      note_flush (engine, &flushed, statistics.memory, started);
      if (engine->wal != NULL) /* not under the commit lock: it unmaps and unlinks files */
        wal_release (engine->wal, statistics.last_sequence, NULL); /* leftovers: next recovery */
      pthread_mutex_lock (&engine->commit_lock);
      engine->flush_untold = 0;
      bool healed = atomic_exchange (&engine->flush_failure, STATUS_OK) != STATUS_OK;
      pthread_cond_broadcast (&engine->room);
      pthread_mutex_unlock (&engine->commit_lock);
      if (healed)
        engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_HEALED });
      blob_collect (engine);
      engine_collect (); /* old views and their files go now */
      engine_rebalance (engine);
    }
  flushed_clear (&flushed);
  return result;
}

/* Whether commits up to `sequence` wait in memory. Later ones may pile up as fast as we flush. */
static bool
is_in_memory (struct engine *engine, uint64_t sequence)
{
  struct view *view = engine_view (engine);
  bool waits = view != NULL && view->frozen_count > 0 && view->flushed_sequence < sequence;
  view_unref (view);
  return waits;
}

/* Whether a flush that took some of these from memory has still to be told of (F8). commit_lock
 * held. */
static bool
is_untold (const struct engine *engine, uint64_t sequence)
{
  return engine->flush_untold != 0 && engine->flush_untold <= sequence;
}

status
engine_flush (struct engine *engine, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK || engine->read_only)
    return result;
  result = engine_begin (engine, failure); /* close lets the flush thread finish this first */
  if (result != STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->commit_lock);
  uint64_t begun
      = engine->flush_attempts; /* one that is under way may meet what is mended by now */
  result = commit_switch (engine, true, failure);
  if (atomic_load (&engine->flush_failure) != STATUS_OK)
    background_wake_flush (engine); /* try again at once what failed before */
  uint64_t target = engine->last_sequence;
  while (result == STATUS_OK && is_in_memory (engine, target))
    {
      if (atomic_load (&engine->write_failed))
        result = fail (failure, STATUS_UNKNOWN_OUTCOME, "%s", engine->write_failure.message);
      else if (engine->failed_attempt > begun)
        result = fail (failure, engine->flush_failed.code, "%s", engine->flush_failed.message);
      else
        pthread_cond_wait (&engine->room, &engine->commit_lock);
    }
  while (result == STATUS_OK && is_untold (engine, target)) /* soon, whatever fails (F7) */
    pthread_cond_wait (&engine->room, &engine->commit_lock);
  pthread_mutex_unlock (&engine->commit_lock);
  engine_end (engine);
  return result;
}

/* Whoever commits meanwhile may leave the new segment of the log, too: that costs room only. */
status
flush_deleted_log (struct engine *engine, struct failure *failure)
{
  if (!atomic_load_explicit (&engine->log_deleted, memory_order_relaxed))
    return STATUS_OK;
  struct failure cause = FAILURE_INIT;
  pthread_mutex_lock (&engine->commit_lock);
  wal_leave_segment (engine->wal);
  pthread_mutex_unlock (&engine->commit_lock);
  status result = engine_flush (engine, &cause);
  if (result == STATUS_OK)
    {
      atomic_store (&engine->log_deleted, false);
      return STATUS_OK;
    }
  return fail (failure, STATUS_UNKNOWN_OUTCOME,
               "another program deleted the log of %s, and what was only there can't be written "
               "to segments (%.200s); do not end the program before a flush succeeds",
               engine->path, cause.message);
}

status
engine_checkpoint (struct engine *engine, struct failure *failure)
{
  status result = engine_sync (engine, failure);
  if (result == STATUS_OK)
    result = engine_flush (engine, failure);
  if (result != STATUS_OK || engine->read_only || engine_begin (engine, failure) != STATUS_OK)
    return result;
  struct failure cause = FAILURE_INIT;
  pthread_mutex_lock (&engine->manifest_lock);
  result = manifest_secure (engine->manifest, &cause); /* also when there was nothing to flush */
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result != STATUS_OK)
    {
      note_failed_manifest (engine, &cause);
      fail (failure, result, "%s", cause.message);
    }
  engine_end (engine);
  return result;
}
