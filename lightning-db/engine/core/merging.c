/* SPDX-License-Identifier: MIT */
/*
 * merging: runs become fewer, in the background.
 *
 *   pick (merge/picker.h) ─► mark busy ─► plan (merge-plan.c) ─► read past the cache, keep survivors,
 *   write (merge-write.c) ─► manifest edit ─► publish (merge-install.c) ─► inputs are obsolete:
 *   unlinked with their last reader
 *
 * Invariants: core/merge-private.h.
 */
#include "core/memory.h"
#include "core/merge-private.h"

#include "base/probes.h"
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
merge_job_take (struct merge_job *job, const struct view *view, size_t first, size_t count,
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
  job->output_run = job->runs[count - 1]->id;
  job->output_order = job->runs[count - 1]->order;
  job->output_created = job->runs[count - 1]->created;
  job->bottom = first + count == view->run_count;
  job->settled = job->bottom;
  return STATUS_OK;
}

static void
merge_job_release (struct engine *engine, struct merge_job *job)
{
  pthread_mutex_lock (&engine->view_lock);
  for (size_t i = 0; i < job->count; i++)
    if (job->runs[i] != NULL)
      job->runs[i]->busy = false;
  pthread_mutex_unlock (&engine->view_lock);
  merge_job_clear (job);
}

/* ---- merging ---- */

/* Threads for one merge: those that other merges leave idle. */
static unsigned
merge_worker_count (struct engine *engine, bool background)
{
  pthread_mutex_lock (&engine->work_lock);
  unsigned others = engine->merges_running - (background && engine->merges_running > 0);
  pthread_mutex_unlock (&engine->work_lock);
  unsigned workers = memory_merge_workers (engine);
  return workers > others + 1 ? workers - others : 1;
}

/* Writes and installs what was planned. */
static status
merge_carry_out (struct engine *engine, struct merge_job *job, struct merge_plan *plan,
                 unsigned workers, struct failure *failure)
{
  uint64_t started = metrics_now ();
  PROBE2 (merge_begin, engine->path, plan->rewritten);
  status result = merge_write (engine, job, plan, workers, failure);
  if (result == STATUS_OK)
    result = merge_install (engine, job, plan, plan->part_count, failure);
  PROBE3 (merge_end, engine->path, plan->written, (int) result);
  if (result != STATUS_OK)
    {
      /* Once writes have failed it is unknown what the manifest refers to: the next open cleans
       * up. */
      if (!atomic_load (&engine->write_failed))
        merge_plan_unlink (engine, plan);
      return result;
    }
  uint64_t took = metrics_now () - started;
  count_shared (engine->metrics, SHARED_MERGES, 1);
  count_shared (engine->metrics, SHARED_MERGE_BYTES_READ, plan->rewritten);
  metrics_record (engine->metrics, HISTOGRAM_MERGE, took);
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_MERGED,
                                             .bytes = plan->written,
                                             .bytes_read = plan->rewritten,
                                             .microseconds = took / 1000 });
  return STATUS_OK;
}

/* The job's collection is set; its new files are guarded until the edit. */
static status
merge_collecting (struct engine *engine, struct merge_job *job, struct merge_plan *plan,
                  unsigned workers, struct failure *failure)
{
  struct blob_guard guard;
  status result = blob_guard_enter_new (engine, &guard, failure);
  if (result != STATUS_OK)
    return result == STATUS_CLOSED ? STATUS_CANCELLED : result;
  result = merge_carry_out (engine, job, plan, workers, failure);
  blob_guard_leave (engine, &guard);
  if (result != STATUS_OK) /* so that what was copied can go at once */
    blob_writer_seal (engine->blob_writer, NULL);
  return result;
}

static status
merge_run (struct engine *engine, struct merge_job *job, struct failure *failure)
{
  unsigned workers = merge_worker_count (engine, !job->foreground);
  struct blob_collection *collection = NULL;
  struct merge_plan plan;
  status result = STATUS_OK;
  if (job->collection == NULL && engine_enter (engine, NULL) == STATUS_OK) /* not while closing */
    result = blob_collection_new (engine, job->whole, &collection, failure);
  if (collection != NULL)
    job->collection = collection;
  if (result == STATUS_OK)
    result = merge_plan_make (engine, job, &plan, failure);
  if (result == STATUS_OK)
    {
      result = job->collection != NULL ? merge_collecting (engine, job, &plan, workers, failure)
                                       : merge_carry_out (engine, job, &plan, workers, failure);
      merge_plan_clear (&plan);
      blob_collect (engine);
    }
  if (collection != NULL)
    job->collection = NULL;
  blob_collection_free (collection);
  if (result != STATUS_OK)
    return result;
  engine_collect (); /* old views, their files and arenas go now */
  engine_rebalance (engine);
  return STATUS_OK;
}

/* ---- choosing what is due ---- */

static bool
is_anything_busy (const struct view *view)
{
  for (size_t i = 0; i < view->run_count; i++)
    if (view->runs[i]->busy)
      return true;
  return false;
}

/* Asked only when it may decide something: what is below all others is new by itself. */
static void
describe_shadowing (struct engine *engine, const struct view *view, struct picker_run *runs)
{
  uint64_t total = 0, above = 0;
  for (size_t i = 0; i < view->run_count; i++)
    {
      total += view->runs[i]->bytes;
      above += i + 1 < view->run_count ? view->runs[i]->bytes : 0;
    }
  if (above >= total / PICKER_DEAD_PART)
    for (size_t i = 0; i + 1 < view->run_count; i++)
      runs[i].shadowing = run_shadowing_bytes (engine, view, i);
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
    };
  if (result == STATUS_OK)
    describe_shadowing (engine, view, runs);
  free (apart);
  if (result != STATUS_OK)
    free (runs);
  else
    *out = runs;
  return result;
}

/* Whether the runs of `view`, a copy, are still the present ones. view_lock held. */
static bool
are_present (struct engine *engine, const struct view *view)
{
  const struct view *now = atomic_load (&engine->view);
  return now != NULL && now->runs_id == view->runs_id;
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

/* ---- large values ---- */

/* Bytes of the run that would be rewritten. */
static uint64_t
concerned_bytes (const struct run *run, const struct blob_collection *collection)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < run->count; i++)
    if (blob_collection_concerns (collection, run->segments[i]))
      bytes += segment_information (run->segments[i])->file_size;
  return bytes;
}

/* The oldest run to be rewritten for its large values, so that space comes back; view->run_count
 * when there is none. Rewriting costs no more than it gives: live values are fewer than dead ones
 * in the files, and all segments that refer to them must be smaller than what is dead. */
static size_t
choose_collecting (const struct view *view, const struct blob_collection *collection)
{
  uint64_t cost = 0;
  size_t chosen = view->run_count;
  for (size_t i = 0; i < view->run_count; i++)
    {
      uint64_t bytes = concerned_bytes (view->runs[i], collection);
      cost += bytes;
      if (bytes > 0 && !view->runs[i]->busy)
        chosen = i;
    }
  return cost <= blob_collection_dead (collection) ? chosen : view->run_count;
}

static status
collect_one (struct engine *engine, bool *did, struct failure *failure)
{
  struct blob_collection *collection;
  status result = blob_collection_due (engine, true, &collection, failure);
  if (result != STATUS_OK || collection == NULL)
    return result;
  struct merge_job job = { 0 };
  pthread_mutex_lock (&engine->view_lock);
  const struct view *view = atomic_load (&engine->view);
  size_t chosen = view != NULL ? choose_collecting (view, collection) : 0;
  if (view != NULL && chosen < view->run_count)
    result = merge_job_take (&job, view, chosen, 1, failure);
  pthread_mutex_unlock (&engine->view_lock);
  if (job.count > 0)
    {
      job.collection = collection;
      job.only_collects = true;
      result = merge_run (engine, &job, failure);
      merge_job_release (engine, &job);
      *did = result == STATUS_OK;
    }
  blob_collection_free (collection);
  return result;
}

/* Bytes of runs that wait to be rewritten for their large values. */
static uint64_t
pending_collecting (struct engine *engine, const struct view *view)
{
  struct blob_collection *collection;
  uint64_t bytes = 0;
  if (blob_collection_due (engine, false, &collection, NULL) != STATUS_OK || collection == NULL)
    return 0;
  pthread_mutex_lock (&engine->view_lock);
  if (choose_collecting (view, collection) < view->run_count)
    for (size_t i = 0; i < view->run_count; i++)
      bytes += concerned_bytes (view->runs[i], collection);
  pthread_mutex_unlock (&engine->view_lock);
  blob_collection_free (collection);
  return bytes;
}

/* ---- the background's turn, and the user's ---- */

status
merge_one (struct engine *engine, uint64_t bytes_max, bool *did, struct failure *failure)
{
  *did = false;
  if (atomic_load (&engine->write_failed) || atomic_load (&engine->cancel_merges))
    return STATUS_OK;
  bool quiet = background_is_quiet (engine);
  struct view *view;
  status result = engine_view_of_files (engine, &view, failure); /* R4 */
  if (result != STATUS_OK || view == NULL)
    return result;
  struct merge_job job;
  struct picker_run *runs;
  result = describe_runs (engine, view, &runs, failure);
  if (result != STATUS_OK)
    {
      view_unref (view);
      return result;
    }
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock);
  struct picker_decision decision = { 0 };
  if (are_present (engine, view)) /* else somebody else's edit wakes us again */
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
  if (result == STATUS_OK && decision.count == 0 && quiet && !*did && bytes_max == UINT64_MAX)
    return collect_one (engine, did, failure);
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
  struct view *view;
  struct picker_run *runs;
  if (!engine->options.merge_enabled
      || engine_view_of_files (engine, &view, NULL) != STATUS_OK) /* R4 */
    return 0;
  if (view == NULL || describe_runs (engine, view, &runs, NULL) != STATUS_OK)
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
  if (bytes == 0)
    bytes = pending_collecting (engine, view);
  view_unref (view);
  free (runs);
  return bytes;
}

/* Takes all runs once nothing else merges them; none when there are none. */
static status
take_everything (struct engine *engine, struct merge_job *job, struct failure *failure)
{
  for (;;)
    {
      status result = engine_enter (engine, failure);
      if (result != STATUS_OK)
        return result;
      *job = (struct merge_job){ 0 };
      pthread_mutex_lock (&engine->view_lock);
      const struct view *view = atomic_load (&engine->view);
      bool taken = view != NULL && !is_anything_busy (view);
      if (taken && view->run_count > 0)
        result = merge_job_take (job, view, 0, view->run_count, failure);
      pthread_mutex_unlock (&engine->view_lock);
      if (view == NULL)
        return engine_enter_slow (engine, failure);
      if (taken)
        return result;
      nanosleep (&(struct timespec){ 0, 5000000 }, NULL); /* a background merge is under way */
    }
}

/* What turned out to be dead while everything was merged gives its space back. */
static status
collect_everything (struct engine *engine, engine_progress progress, void *data,
                    struct failure *failure)
{
  struct blob_collection *collection;
  status result = blob_collection_new (engine, true, &collection, failure);
  if (result != STATUS_OK || collection == NULL)
    return result;
  struct merge_job job = { 0 };
  result = take_everything (engine, &job, failure);
  if (result == STATUS_OK && job.count > 0)
    {
      job.collection = collection;
      job.only_collects = true;
      job.foreground = true;
      job.progress = progress;
      job.progress_data = data;
      result = merge_run (engine, &job, failure);
      merge_job_release (engine, &job);
    }
  blob_collection_free (collection);
  return result;
}

status
merge_everything (struct engine *engine, engine_progress progress, void *data,
                  struct failure *failure)
{
  struct merge_job job;
  status result = commit_sync_blobs (engine, true, failure);
  if (result == STATUS_OK)
    result = take_everything (engine, &job, failure);
  if (result != STATUS_OK || job.count == 0)
    return result;
  job.whole = true;
  job.foreground = true;
  job.progress = progress;
  job.progress_data = data;
  result = merge_run (engine, &job, failure);
  merge_job_release (engine, &job);
  return result == STATUS_OK ? collect_everything (engine, progress, data, failure) : result;
}

/* A compaction whose progress is being told. */
struct telling
{
  const struct engine *engine;
  engine_progress progress;
  void *data;
  const struct telling *outer; /* of this thread, that is being told as well; or NULL */
};

static _Thread_local const struct telling *innermost_telling;

static bool
tell (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct telling *telling = data;
  telling->outer = innermost_telling;
  innermost_telling = telling;
  bool go_on = telling->progress (telling->data, done, total, step);
  innermost_telling = telling->outer;
  return go_on;
}

/* It waits for all others to end, so one within another would wait for itself. */
static status
refuse_within (const struct engine *engine, struct failure *failure)
{
  for (const struct telling *telling = innermost_telling; telling != NULL; telling = telling->outer)
    if (telling->engine == engine)
      return fail (failure, STATUS_BUSY,
                   "%s is being compacted, and this is told how that goes; compact it again when "
                   "it has ended",
                   engine->path);
  return STATUS_OK;
}

status
engine_compact (struct engine *engine, engine_progress progress, void *data,
                struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct telling telling = { .engine = engine, .progress = progress, .data = data };
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (engine->read_only)
    result = fail (failure, STATUS_READ_ONLY, "%s is open read-only; open it for writing",
                   engine->path);
  if (result == STATUS_OK)
    result = refuse_within (engine, failure);
  if (result == STATUS_OK)
    result = engine_flush (engine, failure);
  if (result == STATUS_OK)
    result = merge_everything (engine, progress != NULL ? tell : NULL, &telling, &cause);
  bool closing = result == STATUS_CANCELLED && atomic_load (&engine->cancel_merges);
  engine_end (engine);
  if (closing && engine_enter (engine, failure) != STATUS_OK)
    return STATUS_CLOSED; /* the caller cancelled nothing */
  if (cause.code != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = cause;
  return result;
}
