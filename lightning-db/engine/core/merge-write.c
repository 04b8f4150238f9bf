/* SPDX-License-Identifier: MIT */
/*
 * merge-write: the parts of a merge are written, by several threads when there are several.
 *
 *   each thread: take the next part ─► join its inputs ─► keep survivors ─► write segments ─► install
 *   what is complete from the lowest part on (merge-install.c) ─► …
 *
 * The first failure, or a cancelled job, ends all threads at their next look. What was installed
 * until then stays (J6), of the rest nothing.
 */
#include "core/memory.h"
#include "core/merge-private.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* What the threads of one merge share. */
struct merge_work
{
  struct engine *engine;
  struct merge_job *job;
  struct merge_plan *plan;
  uint64_t *snapshots; /* rising; malloc'd */
  size_t snapshot_count;
  _Atomic size_t next;        /* part to be taken */
  _Atomic uint64_t written;   /* bytes, by all */
  _Atomic unsigned running;   /* threads beside the first */
  _Atomic bool abandoned;     /* somebody failed */
  pthread_mutex_t installing; /* one step at a time; each part's `written` */
  pthread_mutex_t lock;       /* the two below */
  status result;              /* the first failure's */
  struct failure failure;
};

/* One thread's share. */
struct merge_worker
{
  struct merge_work *work;
  uint64_t reported; /* bytes of its present part that `written` holds */
  bool leads;        /* it is the caller's thread, which reports progress */
};

static void
work_failed (struct merge_work *work, status result, const struct failure *failure)
{
  pthread_mutex_lock (&work->lock);
  if (work->result == STATUS_OK)
    {
      work->result = result;
      work->failure = *failure;
    }
  pthread_mutex_unlock (&work->lock);
  atomic_store (&work->abandoned, true);
}

/* ---- one part ---- */

static status
part_open (struct engine *engine, const struct merge_part *part, struct source **merged,
           struct range_set **ranges, struct failure *failure)
{
  struct segment_source_settings settings = engine_source_settings (engine, true);
  settings.chunk_most = memory_merge_chunk (engine, part->count);
  size_t segments = 0;
  for (size_t i = 0; i < part->count; i++)
    segments += part->runs[i]->count;
  struct source **sources = calloc (part->count + 1, sizeof *sources);
  struct range_set **sets = calloc (segments + 1, sizeof *sets);
  size_t opened = 0, set_count = 0;
  status result = sources != NULL && sets != NULL
                      ? STATUS_OK
                      : fail_memory (failure, segments * sizeof *sets, "a merge");
  while (result == STATUS_OK && opened < part->count)
    {
      struct run *run = part->runs[opened];
      for (size_t s = 0; s < run->count; s++)
        {
          const struct range_set *set = segment_range_deletes (run->segments[s]);
          if (set != NULL)
            sets[set_count++] = range_set_ref ((struct range_set *) set);
        }
      result = run_source (run, &settings, &sources[opened], failure);
      opened += result == STATUS_OK;
    }
  if (result == STATUS_OK)
    result = range_sets_join (sets, set_count, ranges, failure);
  if (result == STATUS_OK)
    {
      result = merge_source_new (sources, part->count, merged, failure);
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
job_report (const struct merge_work *work)
{
  const struct merge_job *job = work->job;
  uint64_t done = atomic_load (&work->written), total = work->plan->rewritten;
  return job->progress (job->progress_data, done < total ? done : total, total, "merging");
}

/* False ends the part. */
static bool
part_progress (void *data, uint64_t bytes)
{
  struct merge_worker *worker = data;
  struct merge_work *work = worker->work;
  atomic_fetch_add (&work->written, bytes - worker->reported);
  worker->reported = bytes;
  if (worker->leads && work->job->progress != NULL && !job_report (work))
    return false;
  return !atomic_load (&work->abandoned);
}

static status
part_write (struct merge_worker *worker, struct merge_part *part, struct failure *failure)
{
  struct merge_work *work = worker->work;
  const struct merge_job *job = work->job;
  struct source *merged = NULL, *survivors = NULL;
  struct range_set *ranges = NULL, *kept = NULL;
  status result = part_open (work->engine, part, &merged, &ranges, failure);
  if (result == STATUS_OK)
    result = merge_range_deletes (ranges, work->snapshots, work->snapshot_count, job->bottom, &kept,
                                  failure);
  if (result == STATUS_OK)
    {
      struct survivor_settings settings = {
        .snapshots = work->snapshots,
        .snapshot_count = work->snapshot_count,
        .bottom = job->bottom,
        .ranges = ranges,
      };
      result = survivor_source_new (merged, &settings, &survivors, failure);
      if (result == STATUS_OK && job->collection != NULL)
        result = blob_collection_source (work->engine, job->collection, survivors, &survivors,
                                         failure);
    }
  else
    source_release (merged);
  if (result == STATUS_OK)
    {
      struct output_settings settings = {
        .settled = job->settled,
        .expected_bytes = work->plan->rewritten,
        .start = part->start,
        .end = part->end,
        .part = true,
        .cancel = &work->engine->cancel_merges,
        .progress = part_progress,
        .progress_data = worker,
      };
      worker->reported = 0;
      result = output_write (work->engine, survivors, kept, &settings, &part->output, failure);
    }
  source_release (survivors);
  range_set_unref (kept);
  range_set_unref (ranges);
  return result;
}

/* Installs what is complete, but for the last part: that is the caller's, who ends the merge. */
static status
install_ready (struct merge_work *work, struct failure *failure)
{
  const struct merge_plan *plan = work->plan;
  size_t end = plan->parts_installed;
  for (size_t i = end; i + 1 < plan->part_count && plan->parts[i].written; i++)
    if (plan->parts[i].divides)
      end = i + 1;
  if (end == plan->parts_installed)
    return STATUS_OK;
  status result = vfs_directory_sync (work->engine->directory, failure);
  return result == STATUS_OK ? merge_install (work->engine, work->job, work->plan, end, failure)
                             : result;
}

/* ---- the threads ---- */

static void
write_parts (struct merge_worker *worker)
{
  struct merge_work *work = worker->work;
  size_t index;
  while (!atomic_load (&work->abandoned)
         && (index = atomic_fetch_add (&work->next, 1)) < work->plan->part_count)
    {
      struct failure failure = FAILURE_INIT;
      status result = part_write (worker, &work->plan->parts[index], &failure);
      if (result == STATUS_OK)
        {
          pthread_mutex_lock (&work->installing);
          work->plan->parts[index].written = true;
          if (!atomic_load (&work->abandoned))
            result = install_ready (work, &failure);
          pthread_mutex_unlock (&work->installing);
          if (result == STATUS_OK && worker->leads && work->job->progress != NULL
              && !job_report (work))
            result = fail (&failure, STATUS_CANCELLED,
                           "cancelled; the contents are the same as before");
        }
      if (result != STATUS_OK)
        work_failed (work, result, &failure);
    }
}

static void *
worker_main (void *data)
{
  struct merge_work *work = data;
  struct merge_worker worker = { .work = work };
  pthread_setname_np (pthread_self (), "ldb-merge-part");
  write_parts (&worker);
  atomic_fetch_sub (&work->running, 1);
  return NULL;
}

/* As many as there is work for; fewer, when the system gives no more. */
static unsigned
start_workers (struct merge_work *work, unsigned workers, pthread_t threads[MERGE_WORKERS_MAX])
{
  size_t wanted = work->plan->part_count < workers ? work->plan->part_count : workers;
  unsigned started = 0;
  sigset_t all, before;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before); /* the application's signals stay its own */
  while (started + 1 < wanted && started < MERGE_WORKERS_MAX)
    {
      atomic_fetch_add (&work->running, 1);
      if (pthread_create (&threads[started], NULL, worker_main, work) != 0)
        {
          atomic_fetch_sub (&work->running, 1);
          break;
        }
      started++;
    }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return started;
}

/* The caller still hears of progress, and may cancel, while others finish. */
static void
wait_for_workers (struct merge_work *work, const pthread_t *threads, unsigned started)
{
  while (work->job->progress != NULL && atomic_load (&work->running) > 0)
    {
      if (!atomic_load (&work->abandoned) && !job_report (work))
        {
          struct failure failure = FAILURE_INIT;
          status result
              = fail (&failure, STATUS_CANCELLED, "cancelled; the contents are the same as before");
          work_failed (work, result, &failure);
        }
      nanosleep (&(struct timespec){ 0, 10000000 }, NULL);
    }
  for (unsigned i = 0; i < started; i++)
    pthread_join (threads[i], NULL);
}

static bool
has_output (const struct merge_plan *plan)
{
  for (size_t i = 0; i < plan->part_count; i++)
    if (plan->parts[i].output.count > 0)
      return true;
  return false;
}

status
merge_write (struct engine *engine, struct merge_job *job, struct merge_plan *plan,
             unsigned workers, struct failure *failure)
{
  struct merge_work work = { .engine = engine, .job = job, .plan = plan };
  status result = snapshots_collect (&engine->snapshots, atomic_load (&engine->published),
                                     &work.snapshots, &work.snapshot_count, failure);
  if (result != STATUS_OK)
    return result;
  pthread_mutex_init (&work.lock, NULL);
  pthread_mutex_init (&work.installing, NULL);
  pthread_t threads[MERGE_WORKERS_MAX];
  struct merge_worker worker = { .work = &work, .leads = true };
  unsigned started = start_workers (&work, workers, threads);
  write_parts (&worker);
  wait_for_workers (&work, threads, started);
  pthread_mutex_destroy (&work.lock);
  pthread_mutex_destroy (&work.installing);
  free (work.snapshots);

  result = work.result;
  if (result != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = work.failure;
  if (result == STATUS_OK && has_output (plan))
    result = vfs_directory_sync (engine->directory, failure);
  return result;
}

void
merge_plan_unlink (struct engine *engine, const struct merge_plan *plan)
{
  for (size_t i = 0; i < plan->part_count; i++)
    flushed_unlink (engine, &plan->parts[i].output);
}
