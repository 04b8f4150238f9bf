/* SPDX-License-Identifier: MIT */
/*
 * merge-install: a merge appears in the manifest and the view, step by step in rising key order.
 *
 *   parts written up to key F ─► sync the directory ─► edit: output below F joins the oldest input's
 *   run, segments below F go, those that reach across get F as their bound ─► publish ─► what went is
 *   obsolete
 *
 * Invariants: J1, J3, J6 and J7 of core/merge-private.h. The last step leaves the output alone.
 * Threads: one at a time, under the manifest lock.
 */
#include "core/merge-private.h"

#include <assert.h>
#include <stdlib.h>

/* One step, prepared. */
struct step
{
  const struct merge_job *job;
  const struct merge_plan *plan;
  size_t end;         /* parts below it are installed */
  size_t moves_end;   /* and moved segments below it */
  struct bytes bound; /* F; data NULL = everything */
  size_t done;        /* plan->done afterwards */

  struct manifest_segment *added; /* malloc'd; their information is borrowed */
  size_t added_count;
  uint64_t *removed; /* malloc'd */
  size_t removed_count;
  struct segment **gone; /* rewritten, by now useless; malloc'd; borrowed from the runs before */
  size_t gone_count;
  struct run **runs; /* the inputs afterwards; NULL = nothing is left; malloc'd, owned references */
  struct new_blobs blobs;
};

static struct bytes
smallest_of (const struct segment *segment)
{
  return BYTES (segment_information (segment)->smallest,
                segment_information (segment)->smallest_size);
}

static struct bytes
largest_of (const struct segment *segment)
{
  return BYTES (segment_information (segment)->largest,
                segment_information (segment)->largest_size);
}

static int
compare_segments (const void *left, const void *right)
{
  return bytes_compare (smallest_of (*(struct segment *const *) left),
                        smallest_of (*(struct segment *const *) right));
}

/* ---- what becomes of an input's segment ---- */

enum fate
{
  FATE_DONE,   /* it is output already */
  FATE_LATER,  /* it lies from F on */
  FATE_MOVED,  /* it becomes output as it is */
  FATE_GONE,   /* it was rewritten */
  FATE_NARROWS /* it was rewritten up to F */
};

/* A narrowed segment's file may begin where a moved one does: the segment itself is asked for. */
static bool
is_moved (const struct merge_plan *plan, const struct segment *segment)
{
  if (plan->moved_count == 0)
    return false;
  struct segment *const *found
      = bsearch (&segment, plan->moved, plan->moved_count, sizeof *plan->moved, compare_segments);
  return found != NULL && *found == segment;
}

static enum fate
fate_of (const struct step *step, size_t input, size_t index)
{
  const struct run *run = step->job->runs[input];
  const struct segment *segment = run->segments[index];
  if (input + 1 == step->job->count && index < step->plan->done)
    return FATE_DONE;
  if (step->bound.data != NULL && bytes_compare (run_smallest (run, index), step->bound) >= 0)
    return FATE_LATER;
  if (is_moved (step->plan, segment))
    return FATE_MOVED;
  if (step->bound.data == NULL || bytes_compare (largest_of (segment), step->bound) < 0)
    return FATE_GONE;
  assert (segment_information (segment)->range_deletes == 0); /* J7 */
  return FATE_NARROWS;
}

/* ---- the step ---- */

static void
step_clear (struct step *step)
{
  for (size_t i = 0; step->runs != NULL && i < step->job->count; i++)
    run_unref (step->runs[i]);
  free (step->runs);
  free (step->added);
  free (step->removed);
  free (step->gone);
  new_blobs_clear (&step->blobs);
}

static status
step_new (const struct merge_job *job, const struct merge_plan *plan, size_t end, struct step *step,
          struct failure *failure)
{
  size_t inputs = 0, outputs = 0;
  for (size_t i = 0; i < job->count; i++)
    inputs += job->runs[i] != NULL ? job->runs[i]->count : 0;
  for (size_t i = plan->parts_installed; i < end; i++)
    outputs += plan->parts[i].output.count;
  bool last = end == plan->part_count;
  *step = (struct step){
    .job = job,
    .plan = plan,
    .end = end,
    .moves_end = last ? plan->moved_count : plan->parts[end].moved_before,
    .bound = last ? BYTES_NONE : BYTES (plan->parts[end].from, plan->parts[end].from_size),
    .added = calloc (inputs + outputs + 1, sizeof *step->added),
    .removed = malloc ((inputs + 1) * sizeof *step->removed),
    .gone = malloc ((inputs + 1) * sizeof *step->gone),
    .runs = calloc (job->count, sizeof *step->runs),
  };
  if (step->added != NULL && step->removed != NULL && step->gone != NULL && step->runs != NULL)
    return STATUS_OK;
  return fail_memory (failure, (inputs + outputs) * sizeof *step->added, "a merge");
}

/* Adds a segment that the manifest has already, in another run or with a raised bound. */
static void
step_add_again (struct engine *engine, struct step *step, const struct segment *segment,
                uint64_t run, uint64_t order, const struct bytes *bound)
{
  const struct manifest_state *state = manifest_state (engine->manifest);
  uint64_t number = segment_information (segment)->number;
  for (size_t i = 0; i < state->segment_count; i++)
    if (state->segments[i].information.number == number)
      {
        struct manifest_segment *added = &step->added[step->added_count++];
        *added = state->segments[i];
        added->run = run;
        added->order = order;
        if (bound != NULL)
          {
            added->information.smallest = (uint8_t *) bound->data;
            added->information.smallest_size = bound->size;
          }
        step->removed[step->removed_count++] = number;
        return;
      }
  assert (false); /* the view has what the manifest has */
}

/* Opens what was written; the references go to list[*count …]. */
static status
step_open_outputs (struct engine *engine, struct step *step, struct segment **list, size_t *count,
                   struct failure *failure)
{
  struct segment_reader_settings settings = engine_reader_settings (engine);
  for (size_t i = step->plan->parts_installed; i < step->end; i++)
    for (size_t s = 0; s < step->plan->parts[i].output.count; s++)
      {
        const struct manifest_segment *written = &step->plan->parts[i].output.segments[s];
        status result = segment_open (&settings, &written->information, &list[*count], failure);
        if (result != STATUS_OK)
          return result;
        ++*count;
        struct manifest_segment *added = &step->added[step->added_count++];
        *added = *written;
        added->run = step->job->output_run;
        added->order = step->job->output_order;
      }
  return STATUS_OK;
}

/* Builds a run of `list`, taking over its references, with the bounds that go with it. */
static status
make_run (const struct run *like, struct segment *const *list, const struct bytes *bounds,
          size_t count, struct run **out, struct failure *failure)
{
  status result = STATUS_OK;
  if (count > 0)
    result = run_new (like->id, like->order, like->created, (struct segment **) list, count, out,
                      failure);
  for (size_t i = 0; result == STATUS_OK && i < count; i++)
    result = run_narrow (*out, i, bounds[i], failure);
  return result;
}

/* What an input's run is afterwards: what is output already, `fresh` (whose references are taken
 * over), and what the input still has. */
static status
step_make_run (struct step *step, size_t input, struct segment *const *fresh, size_t fresh_count,
               struct failure *failure)
{
  const struct merge_job *job = step->job;
  const struct run *before = job->runs[input];
  size_t most = fresh_count + (before != NULL ? before->count : 0), count = 0;
  struct segment **list = malloc ((most + 1) * sizeof *list);
  struct bytes *bounds = calloc (most + 1, sizeof *bounds);
  if (list == NULL || bounds == NULL)
    {
      for (size_t i = 0; i < fresh_count; i++)
        segment_unref (fresh[i]);
      free (list);
      free (bounds);
      return fail_memory (failure, most * sizeof *list, "a run");
    }
  for (size_t i = 0; before != NULL && i < before->count; i++)
    if (fate_of (step, input, i) == FATE_DONE)
      list[count++] = segment_ref (before->segments[i]);
  for (size_t i = 0; i < fresh_count; i++)
    list[count++] = fresh[i];
  if (input + 1 == job->count)
    step->done = count;
  for (size_t i = 0; before != NULL && i < before->count; i++)
    {
      enum fate fate = fate_of (step, input, i);
      if (fate != FATE_LATER && fate != FATE_NARROWS)
        continue;
      bounds[count] = fate == FATE_NARROWS ? step->bound : run_bound (before, i);
      list[count++] = segment_ref (before->segments[i]);
    }
  struct run like
      = { .id = job->output_run, .order = job->output_order, .created = job->output_created };
  status result = make_run (input + 1 < job->count ? before : &like, list, bounds, count,
                            &step->runs[input], failure);
  free (list);
  free (bounds);
  return result;
}

/* Notes what becomes of every segment; `fresh` takes references to what is moved. */
static void
step_sort_inputs (struct engine *engine, struct step *step, struct segment **fresh,
                  size_t *fresh_count)
{
  const struct merge_job *job = step->job;
  for (size_t i = 0; i < job->count; i++)
    for (size_t s = 0; job->runs[i] != NULL && s < job->runs[i]->count; s++)
      {
        struct segment *segment = job->runs[i]->segments[s];
        enum fate fate = fate_of (step, i, s);
        if (fate == FATE_MOVED)
          {
            fresh[(*fresh_count)++] = segment_ref (segment);
            if (i + 1 < job->count)
              step_add_again (engine, step, segment, job->output_run, job->output_order, NULL);
          }
        else if (fate == FATE_NARROWS)
          step_add_again (engine, step, segment, job->runs[i]->id, job->runs[i]->order,
                          &step->bound);
        else if (fate == FATE_GONE)
          {
            step->removed[step->removed_count++] = segment_information (segment)->number;
            step->gone[step->gone_count++] = segment;
          }
      }
}

static status
step_prepare (struct engine *engine, struct step *step, struct failure *failure)
{
  const struct merge_job *job = step->job;
  size_t room = step->moves_end - step->plan->moves_installed, fresh_count = 0;
  for (size_t i = step->plan->parts_installed; i < step->end; i++)
    room += step->plan->parts[i].output.count;
  struct segment **fresh = malloc ((room + 1) * sizeof *fresh);
  if (fresh == NULL)
    return fail_memory (failure, room * sizeof *fresh, "a merge");
  step_sort_inputs (engine, step, fresh, &fresh_count);
  status result = step_open_outputs (engine, step, fresh, &fresh_count, failure);
  for (size_t i = 0; result != STATUS_OK && i < fresh_count; i++)
    segment_unref (fresh[i]);
  if (result == STATUS_OK && fresh_count > 0)
    qsort (fresh, fresh_count, sizeof *fresh, compare_segments);
  if (result == STATUS_OK)
    result = step_make_run (step, job->count - 1, fresh, fresh_count, failure);
  free (fresh);
  for (size_t i = 0; result == STATUS_OK && i + 1 < job->count; i++)
    if (job->runs[i] != NULL)
      result = step_make_run (step, i, NULL, 0, failure);
  for (size_t i = 0; i < job->count; i++)
    if (step->runs[i] != NULL)
      step->runs[i]->busy = true; /* J2; not published yet */
  return result;
}

/* C3 */
static status
step_find_blobs (struct engine *engine, struct step *step, struct failure *failure)
{
  if (step->job->collection == NULL)
    return STATUS_OK;
  status result = commit_sync_blobs (engine, false, failure);
  for (size_t i = step->plan->parts_installed; result == STATUS_OK && i < step->end; i++)
    result = new_blobs_find (engine, &step->plan->parts[i].output, &step->blobs, failure);
  return result == STATUS_OK ? new_blobs_lend (engine, &step->blobs, failure) : result;
}

/* ---- carrying it out ---- */

static size_t
count_runs (struct run *const *runs, size_t count)
{
  size_t present = 0;
  for (size_t i = 0; i < count; i++)
    present += runs[i] != NULL;
  return present;
}

/* In the edit of a view, which has room for one more run. The step then holds the runs before. */
static void
step_edit_view (void *data, struct view *view)
{
  struct step *step = data;
  const struct merge_job *job = step->job;
  size_t before = count_runs (job->runs, job->count), after = count_runs (step->runs, job->count);
  size_t first = 0, input = 0;
  while (job->runs[input] == NULL)
    input++;
  while (view->runs[first] != job->runs[input])
    first++;
  size_t tail = first + before;
  for (size_t at = first; input < job->count; input++)
    if (job->runs[input] != NULL)
      {
        assert (view->runs[at] == job->runs[input]); /* J1, J2 */
        run_unref (view->runs[at++]);
      }
  memmove (view->runs + first + after, view->runs + tail,
           (view->run_count - tail) * sizeof *view->runs);
  view->run_count = view->run_count - before + after;
  for (size_t i = 0; i < job->count; i++)
    {
      struct run *replaced = job->runs[i];
      if (step->runs[i] != NULL)
        view->runs[first++] = run_ref (step->runs[i]);
      job->runs[i] = step->runs[i];
      step->runs[i] = replaced;
    }
  view_add_blobs (view, &step->blobs);
}

/* The plan goes on from here; what was rewritten is unlinked with its last reader. */
static void
step_finish (struct engine *engine, struct step *step, struct merge_plan *plan, bool settled)
{
  uint64_t written = 0;
  for (size_t i = 0; i < step->gone_count; i++)
    segment_mark_obsolete (step->gone[i]); /* J3 */
  for (size_t i = plan->parts_installed; i < step->end; i++)
    {
      for (size_t s = 0; s < plan->parts[i].output.count; s++)
        written += plan->parts[i].output.segments[s].information.file_size;
      merge_part_clear (&plan->parts[i]);
    }
  plan->written += written;
  plan->done = step->done;
  plan->parts_installed = step->end;
  plan->moves_installed = step->moves_end;
  count_shared (engine->metrics, SHARED_MERGE_BYTES_WRITTEN, written);
  if (settled)
    engine->settle_written = 0;
  else if (step->job->counts_as_settling)
    engine->settle_written += written;
}

/* manifest_lock held. */
static status
install_locked (struct engine *engine, struct merge_job *job, struct merge_plan *plan, size_t end,
                struct failure *failure)
{
  struct step step;
  struct view *view = engine_view (engine);
  bool settled = end == plan->part_count && view != NULL
                 && view->run_count == count_runs (job->runs, job->count); /* no flush meanwhile */
  view_unref (view);
  status result = step_new (job, plan, end, &step, failure);
  if (result == STATUS_OK)
    result = step_prepare (engine, &step, failure);
  if (result == STATUS_OK)
    result = step_find_blobs (engine, &step, failure);
  if (result == STATUS_OK)
    {
      struct manifest_edit edit = {
        .add_segments = step.added,
        .add_segment_count = step.added_count,
        .remove_segments = step.removed,
        .remove_segment_count = step.removed_count,
        .add_blobs = step.blobs.entries,
        .add_blob_count = step.blobs.count,
        .settled = settled,
      };
      result = install (engine, &edit, 1, step.blobs.count, step_edit_view, &step, failure);
    }
  if (result == STATUS_OK)
    step_finish (engine, &step, plan, settled);
  step_clear (&step);
  return result;
}

status
merge_install (struct engine *engine, struct merge_job *job, struct merge_plan *plan, size_t end,
               struct failure *failure)
{
  pthread_mutex_lock (&engine->manifest_lock);
  status result = install_locked (engine, job, plan, end, failure);
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result == STATUS_OK)
    engine_collect (); /* what is obsolete goes now, unless somebody reads it */
  return result;
}
