/* SPDX-License-Identifier: MIT */
/*
 * From a frame of changes to signals.
 *
 *   changes ─► plan: edits of ranks ─► runs: edits that touch ─► steps: what is seen of them
 *
 * A step is one items-changed. The changes of a frame are seldom in one place, so it takes several
 * steps, and in between the list is neither as before nor as after: it goes over to the new state
 * from the lowest key up, and each signal is true of the list as it is then.
 *
 * A frame of up to STEPS_MOST runs is told exactly as it is: one signal a run, and no row in it that
 * stays. A signal costs a view as much as some dozens of rows do, whatever it is about; beyond that
 * number, runs that are close together are told as one, and so are those between which nobody holds
 * a row, the closest first, until there are no more than STEPS_MOST. A row that somebody holds and that
 * stays is thus never said to have gone unless it is within BRIDGE_ROWS rows of one that has; and it is
 * the same object afterwards. docs/design/list-model.md has the figures.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-database-private.h"

#define STEPS_MOST                                                                                 \
  32 /* signals for a frame, unless it has runs that are far apart and between them */
#define BRIDGE_ROWS 64     /* rows that somebody holds */
#define AT_ONCE_CHANGES 16 /* a frame of up to so many keys that come or go … */
#define AT_ONCE_STEPS 2048 /* … and records walked over is planned on the spot, if memory answers */

/* Edits that touch: rows go and come in one place. */
typedef struct
{
  guint64 rank;     /* of the first row, before all of them */
  guint64 removed;  /* rows */
  guint64 added;    /* rows */
  guint end;        /* behind its last edit */
  gboolean bridged; /* is told together with the next one */
} Run;

/* What the world is told at once. */
typedef struct
{
  guint position; /* in the list as it is then */
  guint removed;  /* rows */
  guint added;    /* rows */
  guint end;      /* behind the last edit that belongs to it; 0: it has none */
} Step;

/* ---- runs ---- */

static GArray *
find_runs (const GArray *edits)
{
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (Run));
  for (guint i = 0; i < edits->len; i++)
    {
      const LdbListEdit *edit = &g_array_index (edits, LdbListEdit, i);
      Run *last = runs->len > 0 ? &g_array_index (runs, Run, runs->len - 1) : NULL;
      if (last != NULL && last->rank + last->removed == edit->rank)
        {
          last->removed += edit->removed;
          last->added += edit->added;
          last->end = i + 1;
          continue;
        }
      Run run = { edit->rank, edit->removed, edit->added, i + 1, FALSE };
      g_array_append_val (runs, run);
    }
  return runs;
}

/* Rows that stay between a run and the next one. */
typedef struct
{
  guint64 rows;
  guint run; /* which one is before them */
} Gap;

static int
compare_gaps (gconstpointer a, gconstpointer b)
{
  const Gap *left = a, *right = b;
  if (left->rows != right->rows)
    return left->rows < right->rows ? -1 : 1;
  return (left->run > right->run) - (left->run < right->run);
}

/* The first of some ranks, which rise, that is not below one. */
static guint
find_rank (const GArray *ranks, guint64 rank)
{
  guint low = 0, high = ranks->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (g_array_index (ranks, guint64, middle) < rank)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* `held`: ranks of rows that somebody holds. */
static gboolean
may_bridge (const GArray *held, const Run *run, guint64 rows)
{
  guint64 start = run->rank + run->removed;
  return rows <= BRIDGE_ROWS || find_rank (held, start) == find_rank (held, start + rows);
}

/* Has runs told as one until few enough are left. */
static void
bridge_runs (LdbListModel *self, GArray *runs)
{
  if (runs->len <= STEPS_MOST)
    return;
  Run *all = (Run *) (void *) runs->data;
  guint count = runs->len - 1, left = runs->len;
  g_autofree Gap *gaps = g_new (Gap, count);
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (guint64));
  ldb_list_rows_sweep (self);
  ldb_rank_index_list_marks (self->index, held);
  for (guint i = 0; i < count; i++)
    gaps[i] = (Gap){ all[i + 1].rank - (all[i].rank + all[i].removed), i };
  qsort (gaps, count, sizeof *gaps, compare_gaps);
  for (guint i = 0; i < count && left > STEPS_MOST; i++)
    if (may_bridge (held, &all[gaps[i].run], gaps[i].rows))
      {
        all[gaps[i].run].bridged = TRUE;
        left--;
      }
}

/* ---- steps ---- */

/* Finding the steps: going through the list in its order, before and after at once. */
typedef struct
{
  GArray *steps;         /* of Step, in the list's order */
  gboolean reverse;      /* the list is shown from the highest key down */
  gboolean open;         /* the last step may grow */
  guint64 between;       /* rows that stay, since it, and are to be told with it if it grows */
  guint unseen;          /* behind edits since it that are not of what is shown */
  guint64 before, after; /* rows gone through */
  guint64 shown_before, shown_after; /* rows that are shown */
} Finder;

static guint64
seen (guint64 rows, guint64 at, guint64 shown)
{
  return at < shown ? MIN (rows, shown - at) : 0;
}

/* Rows of the list go and come, and `end` says which edits that needs. */
static void
find_change (Finder *finder, guint64 removed, guint64 added, guint end)
{
  guint64 gone = seen (removed, finder->before, finder->shown_before);
  guint64 come = seen (added, finder->after, finder->shown_after);
  if (gone > 0 || come > 0)
    {
      if (!finder->open)
        {
          /* What is below in keys has changed already when it is told: see show(). */
          guint64 position = finder->reverse ? MIN (finder->before, finder->shown_before)
                                             : MIN (finder->after, finder->shown_after);
          Step fresh = { .position = (guint) position };
          g_array_append_val (finder->steps, fresh);
          finder->between = 0;
        }
      Step *step = &g_array_index (finder->steps, Step, finder->steps->len - 1);
      step->removed += (guint) (finder->between + gone);
      step->added += (guint) (finder->between + come);
      finder->between = 0;
      step->end = MAX (step->end, MAX (end, finder->unseen));
      finder->unseen = 0;
      finder->open = TRUE;
    }
  else
    finder->unseen = MAX (finder->unseen, end);
  finder->before += removed;
  finder->after += added;
}

/* Rows stay; but some may leave what is shown at its end, or come in. */
static void
find_same (Finder *finder, guint64 rows, gboolean bridged)
{
  guint64 same = MIN (seen (rows, finder->before, finder->shown_before),
                      seen (rows, finder->after, finder->shown_after));
  if (same > 0 && !bridged)
    finder->open = FALSE;
  finder->between += same;
  finder->before += same;
  finder->after += same;
  if (rows > same)
    find_change (finder, rows - same, rows - same, 0);
}

static GArray *
find_steps (LdbListModel *self, const GArray *runs, guint64 *total)
{
  guint64 before = ldb_rank_index_get_total (self->index), at = 0;
  *total = before;
  for (guint i = 0; i < runs->len; i++)
    *total += g_array_index (runs, Run, i).added - g_array_index (runs, Run, i).removed;
  Finder finder = {
    .steps = g_array_new (FALSE, FALSE, sizeof (Step)),
    .reverse = ldb_list_model_is_reverse (self),
    .shown_before = self->shown,
    .shown_after = MIN (*total, self->max_items),
  };
  for (guint i = 0; i < runs->len; i++)
    {
      guint place = finder.reverse ? runs->len - 1 - i : i;
      const Run *run = &g_array_index (runs, Run, place);
      guint64 start = finder.reverse ? before - run->rank - run->removed : run->rank;
      gboolean bridged
          = i > 0 && g_array_index (runs, Run, finder.reverse ? place : place - 1).bridged;
      find_same (&finder, start - at, bridged);
      find_change (&finder, run->removed, run->added, run->end);
      at = start + run->removed;
    }
  find_same (&finder, before - at, FALSE);
  return finder.steps;
}

/* ---- showing ---- */

/* A frame that is being shown. */
typedef struct
{
  LdbListModel *self;
  LdbFrame *frame;
  const GArray *edits; /* of LdbListEdit */
  guint done;          /* edits that are in the index */
  guint64 moved;       /* rows added less rows removed by them; may wrap around */
  GPtrArray *gone;     /* of LdbListRow: marks of rows that went; owned */
} Showing;

static void
keep_gone (gpointer mark, gpointer data)
{
  g_ptr_array_add (data, mark);
}

static const LdbListEdit *
edit_at (const Showing *showing, guint at)
{
  return &g_array_index (showing->edits, LdbListEdit, at);
}

/* By how many rows earlier edits moved those of the edit's bucket. */
static guint64
shift_of (const Showing *showing, const LdbListEdit *edit)
{
  LdbRankPlace place = ldb_rank_index_find_key (showing->self->index, edit->key);
  return edit->rank + showing->moved - place.first - edit->offset;
}

/* The edits up to `end` but for the spans, at once. */
static void
apply_keys (Showing *showing, guint end)
{
  g_autoptr (GArray) batch = g_array_new (FALSE, FALSE, sizeof (LdbRankEdit));
  const LdbBucket *begun = edit_at (showing, showing->done)->bucket;
  guint64 shift = begun != NULL ? shift_of (showing, edit_at (showing, showing->done)) : 0;
  for (guint i = showing->done; i < end; i++)
    {
      const LdbListEdit *edit = edit_at (showing, i);
      guint64 offset = edit->offset + (edit->bucket == begun ? shift : 0);
      LdbRankEdit rank_edit = { edit->bucket, offset, edit->removed, edit->added };
      if (edit->bucket == NULL) /* there was no row: it is the only edit */
        ldb_rank_index_edit (showing->self->index, edit->key, 0, 0, edit->added, NULL, NULL);
      else if (!edit->span)
        g_array_append_val (batch, rank_edit);
    }
  ldb_rank_index_edit_many (showing->self->index, (LdbRankEdit *) (void *) batch->data, batch->len,
                            keep_gone, showing->gone);
}

/* What the edits need beyond that, in their order. */
static void
apply_spans (Showing *showing, guint end)
{
  for (; showing->done < end; showing->done++)
    {
      const LdbListEdit *edit = edit_at (showing, showing->done);
      if (edit->span)
        ldb_rank_index_remove_range (showing->self->index, edit->key, edit->last,
                                     edit->rank + showing->moved, edit->removed, keep_gone,
                                     showing->gone);
      showing->moved += edit->added - edit->removed;
      if (edit->division != NULL)
        ldb_rank_index_divide (showing->self->index, edit->key, edit->division);
    }
}

static void
apply (Showing *showing, guint end)
{
  if (end <= showing->done)
    return;
  apply_keys (showing, end);
  apply_spans (showing, end);
}

/* M1: up to where the list is as in the new state. */
static void
set_seam (Showing *showing)
{
  const LdbListEdit *last = edit_at (showing, showing->done - 1);
  GByteArray *seam = showing->self->seam;
  gboolean open = last->span && last->last.size == 0;
  g_byte_array_set_size (seam, 0);
  g_byte_array_append (seam, last->last.data, (guint) last->last.size);
  if (!last->span)
    g_byte_array_append (seam, (const guint8 *) "", 1);
  if (open || !ldb_bound_fit (seam)) /* nothing of the old state is left */
    g_clear_pointer (&showing->self->before, ldb_pin_unref);
}

/* Buckets that have become small are joined with others. */
static void
tidy (const Showing *showing)
{
  LdbRankIndex *index = showing->self->index;
  gint64 growth = 0; /* of the bucket */
  for (guint i = 0; i < showing->edits->len; i++)
    {
      const LdbListEdit *edit = edit_at (showing, i);
      gboolean last
          = i + 1 == showing->edits->len || edit_at (showing, i + 1)->bucket != edit->bucket;
      growth += (gint64) edit->added - (gint64) edit->removed;
      if (last && growth < 0)
        ldb_rank_index_tidy (index, edit->key);
      if (edit->span && edit->last.size > 0)
        ldb_rank_index_tidy (index, edit->last);
      if (last)
        growth = 0;
    }
}

/* M1: everything is as in the new state. */
static void
settle (Showing *showing)
{
  LdbListModel *self = showing->self;
  apply (showing, showing->edits->len);
  tidy (showing);
  g_clear_pointer (&self->before, ldb_pin_unref);
  ldb_list_rows_reset (self);
  self->sequence = showing->frame->sequence;
}

/* From the lowest key up: in reverse the last step comes first. */
static void
show_steps (Showing *showing, const GArray *steps)
{
  LdbListModel *self = showing->self;
  for (guint i = 0; i < steps->len && !self->closed; i++)
    {
      gboolean is_last = i == steps->len - 1;
      guint at = ldb_list_model_is_reverse (self) ? steps->len - 1 - i : i;
      const Step *step = &g_array_index (steps, Step, at);
      if (is_last)
        settle (showing);
      else
        {
          apply (showing, step->end);
          if (showing->done > 0)
            set_seam (showing);
          ldb_list_rows_reset (self);
        }
      self->shown += step->added - step->removed;
      ldb_list_model_changed (self, step->position, step->removed, step->added);
    }
}

static void
tell_rows (Showing *showing, const GPtrArray *updates)
{
  LdbListModel *self = showing->self;
  for (guint i = 0; i < showing->gone->len; i++)
    ldb_list_rows_gone (self, g_ptr_array_index (showing->gone, i));
  if (!self->closed)
    ldb_list_rows_update (self, updates);
}

/* The list goes from the state it shows to the frame's. */
static void
show (LdbListModel *self, LdbFrame *frame, const LdbListPlan *plan)
{
  guint64 total;
  g_autoptr (GPtrArray) gone = g_ptr_array_new ();
  g_autoptr (GArray) runs = find_runs (plan->edits);
  Showing showing = { .self = self, .frame = frame, .edits = plan->edits, .gone = gone };
  self->showing = TRUE;
  bridge_runs (self, runs);
  g_autoptr (GArray) steps = find_steps (self, runs, &total);
  g_byte_array_set_size (self->seam, 0);
  self->before = g_steal_pointer (&self->state);
  self->state = ldb_pin_ref (frame->after);
  ldb_rank_index_set_stamp (self->index, ++self->stamp);
  if (steps->len > 0)
    show_steps (&showing, steps);
  else
    settle (&showing);
  tell_rows (&showing, plan->updates);
  self->showing = FALSE;
}

/* ---- frames ---- */

/* Handled; what has gathered since may come. */
static void
finish (LdbListModel *self)
{
  g_clear_pointer (&self->frame, ldb_frame_unref);
  if (!self->closed)
    ldb_list_model_tell_sequence (self);
  gboolean owed = self->owed;
  self->owed = FALSE;
  if (owed && self->observer != NULL)
    ldb_observer_done (self->observer);
  ldb_list_model_proceed (self);
}

static void
show_plan (LdbListModel *self, status code, const LdbListPlan *plan, const struct failure *failure)
{
  if (code != STATUS_OK)
    {
      ldb_list_model_fail (self, code, failure);
      return;
    }
  g_autoptr (LdbFrame) frame = ldb_frame_ref (self->frame);
  show (self, frame, plan);
  finish (self);
}

/* Few keys come and go, and nothing is about a range. */
static gboolean
is_small (const GPtrArray *changes)
{
  guint keys = 0;
  for (guint i = 0; i < changes->len; i++)
    {
      const LdbChange *change = g_ptr_array_index (changes, i);
      gboolean stays = change->kind == LDB_CHANGE_PUT && change->before == LDB_BEFORE_PRESENT;
      if (ldb_change_is_range (change) || (!stays && ++keys > AT_ONCE_CHANGES))
        return FALSE;
    }
  return TRUE;
}

static status
plan_at_once (LdbListModel *self, struct engine *engine, LdbListPlan *plan, struct failure *failure)
{
  if (!is_small (self->frame->changes))
    return STATUS_BUSY;
  LdbListWalk walk = ldb_list_model_walk (self, engine);
  walk.cached_only = TRUE;
  walk.steps_max = AT_ONCE_STEPS;
  return ldb_list_plan (&walk, self->index, self->state, self->frame->after, self->frame->changes,
                        plan, failure);
}

static void
plan_later (LdbListModel *self)
{
  LdbListJob *job = self->job = ldb_list_job_new (self, LDB_LIST_JOB_PLAN);
  job->before = g_steal_pointer (&job->state);
  job->state = ldb_pin_ref (self->frame->after);
  job->index = ldb_rank_index_ref (self->index);
  job->frame = ldb_frame_ref (self->frame);
  ldb_list_job_start (job);
}

void
ldb_list_frame_begin (LdbListModel *self)
{
  struct failure failure = FAILURE_INIT;
  g_auto (LdbListPlan) plan = { NULL };
  struct engine *engine = ldb_database_enter (self->place.database, NULL);
  if (engine == NULL)
    {
      ldb_list_model_fail (self, STATUS_CLOSED, NULL);
      return;
    }
  status code = plan_at_once (self, engine, &plan, &failure);
  if (code == STATUS_BUSY)
    plan_later (self);
  else
    show_plan (self, code, &plan, &failure);
}

void
ldb_list_frame_run (LdbListJob *job, struct engine *engine)
{
  LdbListWalk walk = ldb_list_job_walk (job, engine);
  job->code = ldb_list_plan (&walk, job->index, job->before, job->state, job->frame->changes,
                             &job->plan, &job->failure);
}

void
ldb_list_frame_done (LdbListModel *self, LdbListJob *job)
{
  show_plan (self, job->code, &job->plan, &job->failure);
}

gboolean
ldb_list_frame_come (gpointer owner, LdbFrame *frame)
{
  LdbListModel *self = LDB_LIST_MODEL (owner);
  if (frame == NULL)
    {
      ldb_list_model_close (self);
      return TRUE;
    }
  self->frame = ldb_frame_ref (frame);
  if (self->job == NULL && !self->showing)
    ldb_list_frame_begin (self);
  self->owed = self->frame != NULL;
  return !self->owed;
}
