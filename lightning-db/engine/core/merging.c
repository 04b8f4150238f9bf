/* SPDX-License-Identifier: MIT */
/*
 * merging: runs become fewer, in the background.
 *
 *   pick (merge/picker.h) ─► mark busy ─► plan (merge-plan.c) ─► read past the cache, keep survivors,
 *   write ─► manifest edit ─► publish (merge-write.c) ─► inputs are obsolete: unlinked with their
 *   last reader
 *
 * Invariants: core/merge-private.h.
 */
#include "core/merge-private.h"

#include "merge/picker.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

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

/* A merging thread takes up to 8 MiB for what it reads, its filter and its codec's dictionary. */
unsigned
merge_workers_affordable (const struct engine *engine)
{
  uint64_t affordable = engine->options.memory_budget / (UINT64_C (16) << 20);
  if (affordable >= engine->options.merge_workers)
    return engine->options.merge_workers;
  return affordable > 0 ? (unsigned) affordable : 1;
}

/* Threads for one merge: those that other merges leave idle. */
static unsigned
merge_worker_count (struct engine *engine, bool background)
{
  pthread_mutex_lock (&engine->work_lock);
  unsigned others = engine->merges_running - (background && engine->merges_running > 0);
  pthread_mutex_unlock (&engine->work_lock);
  unsigned workers = merge_workers_affordable (engine);
  return workers > others + 1 ? workers - others : 1;
}

static status
merge_run (struct engine *engine, struct merge_job *job, struct failure *failure)
{
  uint64_t started = engine_now (), written = 0;
  unsigned workers = merge_worker_count (engine, job->progress == NULL && !job->whole);
  struct merge_plan plan;
  status result = merge_plan_make (engine, job, workers, &plan, failure);
  if (result != STATUS_OK)
    return result;
  result = merge_write (engine, job, &plan, workers, failure);
  if (result == STATUS_OK)
    {
      result = merge_install (engine, job, &plan, failure);
      /* Once writes have failed it is unknown what the manifest refers to: the next open cleans up. */
      if (result != STATUS_OK && !atomic_load (&engine->write_failed))
        merge_plan_unlink (engine, &plan);
    }
  if (result == STATUS_OK)
    {
      written = merge_plan_written (&plan);
      COUNT (engine, merges, 1);
      COUNT (engine, merge_bytes_read, plan.rewritten);
      COUNT (engine, merge_bytes_written, written);
      engine_emit (engine, ENGINE_EVENT_MERGED, written, engine_now () - started, NULL);
      blob_collect (engine);
    }
  merge_plan_clear (&plan);
  if (result != STATUS_OK)
    return result;
  engine_collect (); /* old views, their files and arenas go now */
  engine_rebalance (engine);
  malloc_trim (
      0); /* a merge's memory lies in its threads' arenas, which the allocator would keep */
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

/* What the picker must know of a view's runs, newest first; malloc'd. Without locks. */
static status
describe_runs (struct engine *engine, const struct view *view, struct picker_run **out,
               struct failure *failure)
{
  struct picker_run *runs = calloc (view->run_count + 1, sizeof *runs);
  uint64_t *apart = calloc (view->run_count + 1, sizeof *apart);
  status result = runs != NULL && apart != NULL
                      ? merge_apart_bytes (engine, view, apart, failure)
                      : fail_memory (failure, view->run_count * sizeof *runs, "a list of runs");
  for (size_t i = 0; result == STATUS_OK && i < view->run_count; i++)
    runs[i] = (struct picker_run){
      .bytes = view->runs[i]->bytes,
      .apart = apart[i],
      .logical_bytes = run_logical_bytes (view->runs[i]),
    };
  free (apart);
  if (result != STATUS_OK)
    free (runs);
  else
    *out = runs;
  return result;
}

/* What is due now. view_lock and manifest_lock held. */
static struct picker_decision
choose (struct engine *engine, const struct view *view, struct picker_run *runs, bool quiet)
{
  for (size_t i = 0; i < view->run_count; i++)
    runs[i].busy = view->runs[i]->busy;
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
  return picker_choose (&settings);
}

static uint64_t
decision_bytes (const struct picker_run *runs, struct picker_decision decision)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < decision.count; i++)
    bytes += runs[decision.first + i].bytes;
  return bytes;
}

status
merge_one (struct engine *engine, uint64_t bytes_max, bool *did, struct failure *failure)
{
  *did = false;
  if (atomic_load (&engine->write_failed) || atomic_load (&engine->cancel_merges))
    return STATUS_OK;
  bool quiet = background_is_quiet (engine);
  struct view *view = engine_view (engine);
  if (view == NULL)
    return STATUS_OK;
  struct merge_job job;
  struct picker_run *runs;
  status result = describe_runs (engine, view, &runs, failure);
  if (result != STATUS_OK)
    {
      view_unref (view);
      return result;
    }
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock);
  struct picker_decision decision = { 0 };
  if (view == atomic_load (&engine->view)) /* else somebody else's edit wakes us again */
    decision = choose (engine, view, runs, quiet);
  else
    *did = true;
  if (decision_bytes (runs, decision) > bytes_max)
    decision.count = 0;
  if (decision.count > 0)
    result = merge_job_take (&job, view, decision.first, decision.count, failure);
  pthread_mutex_unlock (&engine->view_lock);
  pthread_mutex_unlock (&engine->manifest_lock);
  view_unref (view);
  free (runs);
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
  struct picker_run *runs;
  if (view == NULL || !engine->options.merge_enabled
      || describe_runs (engine, view, &runs, NULL) != STATUS_OK)
    {
      view_unref (view);
      return 0;
    }
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock);
  struct picker_decision decision = choose (engine, view, runs, true);
  for (size_t i = 0; i < view->run_count; i++)
    if (view->runs[i]->busy || (i >= decision.first && i < decision.first + decision.count))
      bytes += view->runs[i]->bytes;
  pthread_mutex_unlock (&engine->view_lock);
  pthread_mutex_unlock (&engine->manifest_lock);
  view_unref (view);
  free (runs);
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
      job.whole = true;
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
