/* SPDX-License-Identifier: MIT */
/*
 * merge-write: the parts of a merge are written, by several threads when there are several, and
 * installed in one edit.
 *
 *   each thread: take the next part ─► join its inputs ─► keep survivors ─► write segments ─► …
 *   then, once: sync the directory ─► manifest edit ─► publish ─► what was rewritten is obsolete
 *
 * The first failure, or a cancelled job, ends all threads at their next look; nothing stays behind.
 */
#include "core/merge-private.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define CHUNK_SMALL (UINT64_C (32) << 10)  /* bytes read at once from an input, at least */
#define CHUNK_LARGE (UINT64_C (256) << 10) /* and at most */

/* What the threads of one merge share. */
struct merge_work
{
  struct engine *engine;
  const struct merge_job *job;
  struct merge_plan *plan;
  uint64_t *snapshots; /* rising; malloc'd */
  size_t snapshot_count;
  _Atomic size_t next;      /* part to be taken */
  _Atomic uint64_t written; /* bytes, by all */
  _Atomic unsigned running; /* threads beside the first */
  _Atomic bool abandoned;   /* somebody failed */
  pthread_mutex_t lock;     /* the two below */
  status result;            /* the first failure's */
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
  /* All inputs together read ahead no more than an eighth of the budget. */
  uint64_t chunk = engine->options.memory_budget / 8 / (part->count > 0 ? part->count : 1);
  settings.chunk_most
      = chunk > CHUNK_SMALL ? chunk < CHUNK_LARGE ? chunk : CHUNK_LARGE : CHUNK_SMALL;
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
          status result = fail (&failure, STATUS_CANCELLED, "cancelled; nothing was changed");
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
merge_write (struct engine *engine, const struct merge_job *job, struct merge_plan *plan,
             unsigned workers, struct failure *failure)
{
  struct merge_work work = { .engine = engine, .job = job, .plan = plan };
  status result = snapshots_collect (&engine->snapshots, atomic_load (&engine->published),
                                     &work.snapshots, &work.snapshot_count, failure);
  if (result != STATUS_OK)
    return result;
  pthread_mutex_init (&work.lock, NULL);
  pthread_t threads[MERGE_WORKERS_MAX];
  struct merge_worker worker = { .work = &work, .leads = true };
  unsigned started = start_workers (&work, workers, threads);
  write_parts (&worker);
  wait_for_workers (&work, threads, started);
  pthread_mutex_destroy (&work.lock);
  free (work.snapshots);

  result = work.result;
  if (result != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = work.failure;
  if (result == STATUS_OK && has_output (plan))
    result = vfs_directory_sync (engine->directory, failure);
  if (result != STATUS_OK)
    merge_plan_unlink (engine, plan);
  return result;
}

void
merge_plan_unlink (struct engine *engine, const struct merge_plan *plan)
{
  for (size_t i = 0; i < plan->part_count; i++)
    flushed_unlink (engine, &plan->parts[i].output);
}

uint64_t
merge_plan_written (const struct merge_plan *plan)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < plan->part_count; i++)
    for (size_t s = 0; s < plan->parts[i].output.count; s++)
      bytes += plan->parts[i].output.segments[s].information.file_size;
  return bytes;
}

/* ---- installing ---- */

struct merge_edit
{
  const struct merge_job *job;
  struct run *output;            /* NULL when nothing survived */
  const struct new_blobs *blobs; /* where collected values are now */
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
  memmove (view->runs + first, view->runs + tail, (view->run_count - tail) * sizeof *view->runs);
  view->run_count = first + view->run_count - tail;
  view_add_blobs (view, edit->blobs);
}

/* The output run as the manifest will list it: what was written, and what is moved. */
struct merge_output
{
  struct manifest_segment *segments; /* malloc'd; their information is borrowed */
  struct segment **open;             /* the same ones, open; malloc'd, owned references */
  size_t count, open_count;
  uint64_t *removed; /* all inputs' file numbers; malloc'd */
  size_t removed_count;
};

static int
compare_segments (const void *left, const void *right)
{
  const struct segment_information *a = segment_information (*(struct segment *const *) left);
  const struct segment_information *b = segment_information (*(struct segment *const *) right);
  return bytes_compare (BYTES (a->smallest, a->smallest_size),
                        BYTES (b->smallest, b->smallest_size));
}

static void
merge_output_clear (struct merge_output *output)
{
  for (size_t i = 0; i < output->open_count; i++)
    segment_unref (output->open[i]);
  free (output->open);
  free (output->segments);
  free (output->removed);
}

static status
merge_output_new (const struct merge_job *job, const struct merge_plan *plan,
                  struct merge_output *output, struct failure *failure)
{
  size_t inputs = 0, outputs = plan->moved_count;
  for (size_t i = 0; i < job->count; i++)
    inputs += job->runs[i]->count;
  for (size_t i = 0; i < plan->part_count; i++)
    outputs += plan->parts[i].output.count;
  *output = (struct merge_output){
    .segments = calloc (outputs + 1, sizeof *output->segments),
    .open = calloc (outputs + 1, sizeof *output->open),
    .removed = malloc ((inputs + 1) * sizeof *output->removed),
  };
  if (output->segments == NULL || output->open == NULL || output->removed == NULL)
    return fail_memory (failure, outputs * sizeof *output->segments, "a merge");
  for (size_t i = 0; i < job->count; i++)
    for (size_t s = 0; s < job->runs[i]->count; s++)
      output->removed[output->removed_count++]
          = segment_information (job->runs[i]->segments[s])->number;
  return STATUS_OK;
}

static uint64_t
created_of (const struct merge_job *job, const struct segment *segment)
{
  for (size_t i = 0; i < job->count; i++)
    if (run_find (job->runs[i], BYTES (segment_information (segment)->smallest,
                                       segment_information (segment)->smallest_size))
        == segment)
      return job->runs[i]->created;
  return engine_wall ();
}

/* Opens what was written, lists it with what is moved; `run_id`: of the output. */
static status
merge_output_fill (struct engine *engine, const struct merge_job *job,
                   const struct merge_plan *plan, uint64_t run_id, struct merge_output *output,
                   struct failure *failure)
{
  struct segment_reader_settings settings = engine_reader_settings (engine);
  struct manifest_segment place = { .run = run_id, .order = job->runs[0]->order }; /* J1 */
  for (size_t i = 0; i < plan->part_count; i++)
    for (size_t s = 0; s < plan->parts[i].output.count; s++)
      {
        const struct manifest_segment *written = &plan->parts[i].output.segments[s];
        status result = segment_open (&settings, &written->information,
                                      &output->open[output->open_count], failure);
        if (result != STATUS_OK)
          return result;
        output->open_count++;
        place.information = written->information;
        place.created = written->created;
        output->segments[output->count++] = place;
      }
  for (size_t i = 0; i < plan->moved_count; i++)
    {
      output->open[output->open_count++] = segment_ref (plan->moved[i]);
      place.information = *segment_information (plan->moved[i]);
      place.created = created_of (job, plan->moved[i]);
      output->segments[output->count++] = place;
    }
  return STATUS_OK;
}

static status
merge_output_open (const struct merge_job *job, struct merge_output *output, uint64_t run_id,
                   struct run **out, struct failure *failure)
{
  *out = NULL;
  if (output->count == 0)
    return STATUS_OK;
  qsort (output->open, output->open_count, sizeof *output->open, compare_segments);
  uint64_t created = job->count == 1 ? job->runs[0]->created : engine_wall ();
  status result = run_new (run_id, job->runs[0]->order, created, output->open, output->open_count,
                           out, failure);
  output->open_count = 0; /* taken over, also on failure */
  return result;
}

static bool
is_moved (const struct merge_plan *plan, const struct segment *segment)
{
  size_t low = 0, high = plan->moved_count;
  while (low < high)
    {
      size_t middle = (low + high) / 2;
      const struct segment *here = plan->moved[middle];
      if (here == segment)
        return true;
      if (compare_segments (&here, &segment) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return false;
}

/* C3 */
static status
find_new_blobs (struct engine *engine, const struct merge_plan *plan, struct new_blobs *blobs,
                struct failure *failure)
{
  status result = blob_writer_sync (engine->blob_writer, failure);
  for (size_t i = 0; result == STATUS_OK && i < plan->part_count; i++)
    result = new_blobs_find (engine, &plan->parts[i].output, blobs, failure);
  return result == STATUS_OK ? new_blobs_lend (engine, blobs, failure) : result;
}

/* manifest_lock held. */
static status
merge_install_locked (struct engine *engine, const struct merge_job *job,
                      const struct merge_plan *plan, struct failure *failure)
{
  struct merge_output output;
  struct new_blobs blobs = { 0 };
  struct run *run = NULL;
  uint64_t run_id = manifest_next_run (engine->manifest);
  struct view *view = engine_view (engine);
  bool settled = view != NULL && view->run_count == job->count; /* nothing was flushed meanwhile */
  view_unref (view);
  status result = merge_output_new (job, plan, &output, failure);
  if (result == STATUS_OK)
    result = merge_output_fill (engine, job, plan, run_id, &output, failure);
  if (result == STATUS_OK)
    result = merge_output_open (job, &output, run_id, &run, failure);
  if (result == STATUS_OK && job->collection != NULL)
    result = find_new_blobs (engine, plan, &blobs, failure);
  if (result == STATUS_OK)
    {
      struct manifest_edit edit = {
        .add_segments = output.segments,
        .add_segment_count = output.count,
        .remove_segments = output.removed,
        .remove_segment_count = output.removed_count,
        .add_blobs = blobs.entries,
        .add_blob_count = blobs.count,
        .settled = settled,
      };
      struct merge_edit merge_edit = { job, run, &blobs };
      result = install (engine, &edit, 0, blobs.count, merge_edit_view, &merge_edit, failure);
    }
  if (result == STATUS_OK && settled)
    engine->settle_written = 0;
  else if (result == STATUS_OK && job->counts_as_settling)
    engine->settle_written += merge_plan_written (plan);
  new_blobs_clear (&blobs);
  merge_output_clear (&output);
  run_unref (run);
  return result;
}

status
merge_install (struct engine *engine, const struct merge_job *job, struct merge_plan *plan,
               struct failure *failure)
{
  pthread_mutex_lock (&engine->manifest_lock);
  status result = merge_install_locked (engine, job, plan, failure);
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result != STATUS_OK)
    return result;
  for (size_t i = 0; i < job->count; i++)
    for (size_t s = 0; s < job->runs[i]->count; s++)
      if (!is_moved (plan, job->runs[i]->segments[s]))
        segment_mark_obsolete (job->runs[i]->segments[s]); /* J3 */
  return STATUS_OK;
}
