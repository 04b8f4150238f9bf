/* SPDX-License-Identifier: MIT */
/*
 * merging: runs become fewer, in the background.
 *
 *   pick (merge/picker.h) ─► mark busy ─► read past the cache, keep survivors, write ─► manifest edit
 *   ─► publish ─► inputs are obsolete: unlinked with their last reader
 *
 * Invariants
 *   J1  Inputs of a merge are adjacent in order, so what they say of a key is older than all newer
 *       runs and newer than all older ones; the output stands in the place of the newest input.
 *   J2  A busy run is in one merge only.
 *   J3  Inputs are unlinked only after the edit that drops them is durable.
 *   J4  `bottom` holds only when the inputs reach the oldest run of the view.
 */
#include "core/engine-private.h"

#include "merge/picker.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

/* The inputs of one merge: view->runs[first … first + count), referenced. */
struct merge_job {
  struct run **runs;          /* newest first; malloc'd, owned references */
  size_t count;
  bool bottom;                /* J4 */
  bool settled;               /* the output is (close to) all there is */
  bool counts_as_settling;    /* decided while quiet: its output counts towards the bound */
  uint64_t bytes;             /* of the inputs' files */
  engine_progress progress;   /* NULL: background, cancelled by closing */
  void *progress_data;
};

static void
merge_job_clear (struct merge_job *job)
{
  for (size_t i = 0; i < job->count; i++)
    run_unref (job->runs[i]);
  free (job->runs);
}

/* ---- choosing ---- */

/* Takes runs [first, first + count) of the view. view_lock held. */
static status
merge_job_take (struct merge_job *job, struct view *view, size_t first, size_t count,
                struct failure *failure)
{
  *job = (struct merge_job){ 0 };
  job->runs = malloc (count * sizeof *job->runs);
  if (job->runs == NULL)
    return fail_memory (failure, count * sizeof *job->runs, "a merge");
  for (size_t i = 0; i < count; i++)
    {
      job->runs[i] = run_ref (view->runs[first + i]);
      job->runs[i]->busy = true;
      job->bytes += job->runs[i]->bytes;
    }
  job->count = count;
  job->bottom = first + count == view->run_count;
  job->settled = job->bottom;
  return STATUS_OK;
}

static void
merge_job_release (struct engine *engine, struct merge_job *job)
{
  pthread_mutex_lock (&engine->view_lock);
  for (size_t i = 0; i < job->count; i++)
    job->runs[i]->busy = false;
  pthread_mutex_unlock (&engine->view_lock);
  merge_job_clear (job);
}

/* ---- merging ---- */

static status
merge_open (struct engine *engine, const struct merge_job *job, struct source **merged,
            struct range_set **ranges, struct failure *failure)
{
  struct segment_source_settings settings = engine_source_settings (engine, true);
  size_t segments = 0;
  for (size_t i = 0; i < job->count; i++)
    segments += job->runs[i]->count;
  struct source **sources = calloc (job->count, sizeof *sources);
  struct range_set **sets = calloc (segments, sizeof *sets);
  size_t opened = 0, set_count = 0;
  status result = sources != NULL && sets != NULL
                      ? STATUS_OK
                      : fail_memory (failure, segments * sizeof *sets, "a merge");
  while (result == STATUS_OK && opened < job->count)
    {
      const struct run *run = job->runs[opened];
      for (size_t s = 0; s < run->count; s++)
        {
          const struct range_set *set = segment_range_deletes (run->segments[s]);
          if (set != NULL)
            sets[set_count++] = range_set_ref ((struct range_set *) set);
        }
      result = run_source (job->runs[opened], &settings, &sources[opened], failure);
      opened += result == STATUS_OK;
    }
  if (result == STATUS_OK)
    result = range_sets_join (sets, set_count, ranges, failure);
  if (result == STATUS_OK)
    {
      result = merge_source_new (sources, job->count, merged, failure);
      opened = 0; /* taken over, also on failure */
    }
  for (size_t i = 0; i < opened; i++)
    source_release (sources[i]);
  for (size_t i = 0; sets != NULL && i < set_count; i++)
    range_set_unref (sets[i]);
  free (sources);
  free (sets);
  return result;
}

static bool
merge_report (void *data, uint64_t bytes)
{
  const struct merge_job *job = data;
  return job->progress (job->progress_data, bytes < job->bytes ? bytes : job->bytes, job->bytes,
                        "merging");
}

static status
merge_write (struct engine *engine, const struct merge_job *job, struct flushed *out,
             struct failure *failure)
{
  struct source *merged = NULL, *survivors = NULL;
  struct range_set *ranges = NULL, *kept = NULL;
  uint64_t *snapshots = NULL;
  size_t snapshot_count = 0;
  status result = snapshots_collect (&engine->snapshots, atomic_load (&engine->published),
                                     &snapshots, &snapshot_count, failure);
  if (result == STATUS_OK)
    result = merge_open (engine, job, &merged, &ranges, failure);
  if (result == STATUS_OK)
    result = merge_range_deletes (ranges, snapshots, snapshot_count, job->bottom, &kept, failure);
  if (result == STATUS_OK)
    {
      struct survivor_settings settings = {
        .snapshots = snapshots,
        .snapshot_count = snapshot_count,
        .bottom = job->bottom,
        .ranges = ranges,
      };
      result = survivor_source_new (merged, &settings, &survivors, failure);
    }
  else if (merged != NULL)
    source_release (merged);
  if (result == STATUS_OK)
    {
      struct output_settings settings = {
        .settled = job->settled,
        .expected_bytes = job->bytes,
        .cancel = &engine->cancel_merges,
        .progress = job->progress != NULL ? merge_report : NULL,
        .progress_data = (void *) job,
      };
      result = output_write (engine, survivors, kept, &settings, out, failure);
    }
  source_release (survivors);
  range_set_unref (kept);
  range_set_unref (ranges);
  free (snapshots);
  return result;
}

/* ---- installing ---- */

struct merge_edit {
  const struct merge_job *job;
  struct run *output; /* NULL when nothing survived */
};

static void
merge_edit_view (void *data, struct view *view)
{
  struct merge_edit *edit = data;
  size_t first = 0;
  while (view->runs[first]->id != edit->job->runs[0]->id)
    first++;
  size_t count = edit->job->count;
  for (size_t i = 0; i < count; i++)
    {
      assert (view->runs[first + i] == edit->job->runs[i]); /* J1, J2 */
      run_unref (view->runs[first + i]);
    }
  size_t tail = first + count;
  if (edit->output != NULL)
    view->runs[first++] = run_ref (edit->output);
  memmove (view->runs + first, view->runs + tail,
           (view->run_count - tail) * sizeof *view->runs);
  view->run_count = first + view->run_count - tail;
}

static status
merge_install (struct engine *engine, const struct merge_job *job, struct flushed *flushed,
               struct failure *failure)
{
  size_t removed = 0, total = 0;
  for (size_t i = 0; i < job->count; i++)
    total += job->runs[i]->count;
  uint64_t *numbers = malloc (total * sizeof *numbers);
  if (numbers == NULL)
    return fail_memory (failure, total * sizeof *numbers, "a merge");
  for (size_t i = 0; i < job->count; i++)
    for (size_t s = 0; s < job->runs[i]->count; s++)
      numbers[removed++] = segment_information (job->runs[i]->segments[s])->number;

  pthread_mutex_lock (&engine->manifest_lock);
  struct run *output = NULL;
  uint64_t run_id = manifest_next_run (engine->manifest);
  for (size_t i = 0; i < flushed->count; i++)
    {
      flushed->segments[i].run = run_id;
      flushed->segments[i].order = job->runs[0]->order; /* J1 */
    }
  status result = STATUS_OK;
  struct view *view = engine_view (engine);
  bool settled = view != NULL && view->run_count == job->count; /* nothing was flushed meanwhile */
  view_unref (view);
  if (flushed->count > 0)
    result = flushed_open (engine, flushed, job->runs[0]->order, &output, failure);
  if (result == STATUS_OK)
    {
      struct manifest_edit edit = {
        .add_segments = flushed->segments,
        .add_segment_count = flushed->count,
        .remove_segments = numbers,
        .remove_segment_count = removed,
        .settled = settled,
      };
      struct merge_edit merge_edit = { job, output };
      result = install (engine, &edit, 0, 0, merge_edit_view, &merge_edit, failure);
    }
  if (result == STATUS_OK && settled)
    engine->settle_written = 0;
  else if (result == STATUS_OK && job->counts_as_settling)
    for (size_t i = 0; i < flushed->count; i++)
      engine->settle_written += flushed->segments[i].information.file_size;
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result == STATUS_OK)
    for (size_t i = 0; i < job->count; i++)
      for (size_t s = 0; s < job->runs[i]->count; s++)
        segment_mark_obsolete (job->runs[i]->segments[s]); /* J3 */
  run_unref (output);
  free (numbers);
  return result;
}

static status
merge_run (struct engine *engine, struct merge_job *job, struct failure *failure)
{
  uint64_t started = engine_now (), written = 0;
  struct flushed flushed = { 0 };
  status result = merge_write (engine, job, &flushed, failure);
  if (result == STATUS_OK)
    result = merge_install (engine, job, &flushed, failure);
  for (size_t i = 0; i < flushed.count; i++)
    {
      written += flushed.segments[i].information.file_size;
      if (result != STATUS_OK && !manifest_failed (engine->manifest))
        {
          char name[FILE_NAME_SIZE];
          file_name (name, FILE_SEGMENT, flushed.segments[i].information.number);
          vfs_unlink (engine->directory, name, NULL);
        }
    }
  flushed_clear (&flushed);
  if (result != STATUS_OK)
    return result;
  COUNT (engine, merges, 1);
  COUNT (engine, merge_bytes_read, job->bytes);
  COUNT (engine, merge_bytes_written, written);
  engine_emit (engine, ENGINE_EVENT_MERGED, written, engine_now () - started, NULL);
  blob_collect (engine);
  epoch_collect (false); /* old views, their files and arenas go now */
  engine_rebalance (engine);
  return STATUS_OK;
}

/* ---- the background's turn, and the user's ---- */

static bool
is_anything_busy (const struct view *view)
{
  for (size_t i = 0; i < view->run_count; i++)
    if (view->runs[i]->busy)
      return true;
  return false;
}

static uint64_t
run_logical_bytes (const struct run *run)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < run->count; i++)
    {
      const struct segment_information *information = segment_information (run->segments[i]);
      bytes += information->key_bytes + information->value_bytes;
    }
  return bytes;
}

/* What is due now; nothing when memory for the question is out. view_lock and manifest_lock held. */
static struct picker_decision
choose (struct engine *engine, const struct view *view, bool quiet)
{
  struct picker_run *runs = calloc (view->run_count + 1, sizeof *runs);
  if (runs == NULL)
    return (struct picker_decision){ 0 };
  for (size_t i = 0; i < view->run_count; i++)
    {
      runs[i].bytes = view->runs[i]->bytes;
      runs[i].logical_bytes = run_logical_bytes (view->runs[i]);
      runs[i].busy = view->runs[i]->busy;
    }
  const struct manifest_state *state = manifest_state (engine->manifest);
  struct picker_settings settings = {
    .runs = runs,
    .count = view->run_count,
    .whole = true,
    .memtable_size = engine->memtable_size,
    .quiet = quiet,
    .user_bytes = state->user_bytes,
    .user_bytes_since_settled = state->user_bytes - state->settle_debt_base,
    .settle_written = engine->settle_written,
  };
  struct picker_decision decision = picker_choose (&settings);
  free (runs);
  return decision;
}

status
merge_one (struct engine *engine, bool *did, struct failure *failure)
{
  *did = false;
  if (atomic_load (&engine->write_failed) || atomic_load (&engine->cancel_merges))
    return STATUS_OK;
  bool quiet = background_is_quiet (engine);
  struct view *view = engine_view (engine);
  if (view == NULL)
    return STATUS_OK;
  struct merge_job job;
  status result = STATUS_OK;
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock);
  struct picker_decision decision = { 0 };
  if (view == atomic_load (&engine->view)) /* else somebody else's edit wakes us again */
    decision = choose (engine, view, quiet);
  else
    *did = true;
  if (decision.count > 0)
    result = merge_job_take (&job, view, decision.first, decision.count, failure);
  pthread_mutex_unlock (&engine->view_lock);
  pthread_mutex_unlock (&engine->manifest_lock);
  view_unref (view);
  if (decision.count == 0 || result != STATUS_OK)
    return result;
  job.counts_as_settling = quiet;
  result = merge_run (engine, &job, failure);
  merge_job_release (engine, &job);
  *did = result == STATUS_OK;
  return result;
}

uint64_t
merge_pending_bytes (struct engine *engine)
{
  uint64_t bytes = 0;
  struct view *view = engine_view (engine);
  if (view == NULL || !engine->options.merge_enabled)
    {
      view_unref (view);
      return 0;
    }
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock);
  struct picker_decision decision = choose (engine, view, true);
  for (size_t i = 0; i < view->run_count; i++)
    if (view->runs[i]->busy || (i >= decision.first && i < decision.first + decision.count))
      bytes += view->runs[i]->bytes;
  pthread_mutex_unlock (&engine->view_lock);
  pthread_mutex_unlock (&engine->manifest_lock);
  view_unref (view);
  return bytes;
}

status
merge_everything (struct engine *engine, engine_progress progress, void *data,
                  struct failure *failure)
{
  for (;;)
    {
      status result = engine_enter (engine, failure);
      if (result != STATUS_OK)
        return result;
      struct view *view = engine_view (engine);
      if (view == NULL)
        return engine_enter_slow (engine, failure);
      struct merge_job job = { 0 };
      bool done = false;
      pthread_mutex_lock (&engine->view_lock);
      if (view == atomic_load (&engine->view) && !is_anything_busy (view))
        {
          done = view->run_count == 0;
          if (!done)
            result = merge_job_take (&job, view, 0, view->run_count, failure);
        }
      pthread_mutex_unlock (&engine->view_lock);
      view_unref (view);
      if (done || result != STATUS_OK)
        return result;
      if (job.count == 0) /* a background merge is under way: wait for it */
        {
          nanosleep (&(struct timespec){ 0, 5000000 }, NULL);
          continue;
        }
      job.progress = progress;
      job.progress_data = data;
      result = merge_run (engine, &job, failure);
      merge_job_release (engine, &job);
      return result;
    }
}

status
engine_compact (struct engine *engine, engine_progress progress, void *data,
                struct failure *failure)
{
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (engine->read_only)
    result = fail (failure, STATUS_READ_ONLY, "%s is open read-only; open it for writing",
                   engine->path);
  if (result == STATUS_OK)
    result = engine_flush (engine, failure);
  if (result == STATUS_OK)
    result = merge_everything (engine, progress, data, failure);
  engine_end (engine);
  return result;
}
