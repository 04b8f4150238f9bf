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
 * A frame of up to LDB_LIST_STEPS_MOST runs is told exactly as it is: one signal a run, and no row
 * in it that stays. A signal costs a view as much as some dozens of rows do, whatever it is about;
 * beyond that number, runs that are close together are told as one, and so are those between which
 * nobody holds a row, the closest first, until there are no more than that. A row that somebody
 * holds and that stays is thus never said to have gone unless it is within BRIDGE_ROWS rows of one
 * that has; and it is the same object afterwards. docs/design/list-model.md has the figures.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-database-private.h"
#include "ldb-range-map-private.h"

#define BRIDGE_ROWS 64 /* that stay and that somebody holds are told together with others at most */
#define AT_ONCE_CHANGES 16 /* a frame of up to so many keys that come or go … */
#define AT_ONCE_STEPS 2048 /* … and records walked over is planned on the spot, if memory answers */
#define AT_ONCE_MOST 1024 /* … unless it has more changes than this, of whatever kind */

/* What the world is told at once. */
typedef struct
{
  guint position; /* in the list as it is then */
  guint removed;  /* rows */
  guint added;    /* rows */
  guint end;      /* behind the last edit that belongs to it; 0: it has none */
} Step;

/* ---- runs ---- */

static const LdbListEdit *
plan_edit (const LdbListPlan *plan, guint at)
{
  return &g_array_index (plan->edits, LdbListEdit, at);
}

static const LdbListRun *
plan_run (const LdbListPlan *plan, guint at)
{
  return &g_array_index (plan->runs, LdbListRun, at);
}

/* The first run that is behind the row of a rank. */
static guint
find_run_behind (const LdbListPlan *plan, guint64 rank)
{
  guint low = 0, high = plan->runs->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (plan_run (plan, middle)->rank <= rank)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Whether the row of a rank stays between two runs that are to be told apart for its sake; the
 * first of them then. */
static gboolean
holds_apart (const LdbListPlan *plan, guint64 rank, guint *run)
{
  guint behind = find_run_behind (plan, rank);
  if (behind == 0 || behind == plan->runs->len)
    return FALSE;
  const LdbListRun *before = plan_run (plan, behind - 1);
  guint64 start = before->rank + before->removed;
  *run = behind - 1;
  return rank >= start && plan_run (plan, behind)->rank - start > BRIDGE_ROWS;
}

static gint
compare_runs (gconstpointer a, gconstpointer b)
{
  guint left = *(const guint *) a, right = *(const guint *) b;
  return (left > right) - (left < right);
}

/* Runs that are told apart from the next one, rising: all, or those that have to be, and of the
 * others those with the widest gaps, up to as many as there may be signals. The last one is
 * always. */
static GArray *
find_cuts (LdbListModel *self, const LdbListPlan *plan)
{
  GArray *cuts = g_array_new (FALSE, FALSE, sizeof (guint));
  guint last = plan->runs->len - 1, run;
  if (plan->runs->len <= LDB_LIST_STEPS_MOST)
    {
      for (guint i = 0; i < plan->runs->len; i++)
        g_array_append_val (cuts, i);
      return cuts;
    }
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GHashTable) apart = g_hash_table_new (NULL, NULL);
  ldb_list_rows_sweep (self);
  ldb_rank_index_list_marks (self->index, held);
  for (guint i = 0; i < held->len; i++)
    if (holds_apart (plan, g_array_index (held, guint64, i), &run)
        && g_hash_table_add (apart, GUINT_TO_POINTER (run)))
      g_array_append_val (cuts, run);
  for (guint i = 0; i < plan->gaps->len && cuts->len + 1 < LDB_LIST_STEPS_MOST; i++)
    {
      run = g_array_index (plan->gaps, LdbListGap, i).run;
      if (!g_hash_table_contains (apart, GUINT_TO_POINTER (run)))
        g_array_append_val (cuts, run);
    }
  g_array_append_val (cuts, last);
  g_array_sort (cuts, compare_runs);
  return cuts;
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

/* By how many rows the edits of the runs before one, and up to it, move what is behind. */
static guint64
moved_before (const LdbListPlan *plan, guint run)
{
  return run > 0 ? plan_edit (plan, plan_run (plan, run - 1)->end - 1)->moved : 0;
}

/* The runs first … last are told together, with the rows in between. The list had `total` rows, of
 * which `at` were gone through. */
static void
find_group (Finder *finder, const LdbListPlan *plan, guint first, guint last, guint64 total,
            guint64 *at)
{
  const LdbListRun *low = plan_run (plan, first), *high = plan_run (plan, last);
  guint64 removed = high->rank + high->removed - low->rank;
  guint64 added = removed + moved_before (plan, last + 1) - moved_before (plan, first);
  guint64 start = finder->reverse ? total - high->rank - high->removed : low->rank;
  find_same (finder, start - *at, FALSE);
  *at = start + removed;
  if (finder->before + removed <= finder->shown_before
      && finder->after + added <= finder->shown_after)
    {
      find_change (finder, removed, added, high->end);
      return;
    }
  /* A part of it is not shown: what is, one by one. */
  guint64 from = start;
  for (guint i = 0; i <= last - first; i++)
    {
      const LdbListRun *run = plan_run (plan, finder->reverse ? last - i : first + i);
      start = finder->reverse ? total - run->rank - run->removed : run->rank;
      find_same (finder, start - from, TRUE);
      find_change (finder, run->removed, run->added, run->end);
      from = start + run->removed;
    }
}

static GArray *
find_steps (LdbListModel *self, const LdbListPlan *plan)
{
  guint64 before = ldb_rank_index_get_total (self->index), at = 0;
  guint64 total = before + moved_before (plan, plan->runs->len);
  Finder finder = {
    .steps = g_array_new (FALSE, FALSE, sizeof (Step)),
    .reverse = ldb_list_model_is_reverse (self),
    .shown_before = self->shown,
    .shown_after = MIN (total, self->max_items),
  };
  if (plan->runs->len > 0)
    {
      g_autoptr (GArray) cuts = find_cuts (self, plan);
      for (guint i = 0; i < cuts->len; i++)
        {
          guint place = finder.reverse ? cuts->len - 1 - i : i;
          guint first = place > 0 ? g_array_index (cuts, guint, place - 1) + 1 : 0;
          find_group (&finder, plan, first, g_array_index (cuts, guint, place), before, &at);
        }
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
  const LdbListPlan *plan; /* what happens; borrowed */
  guint done;              /* edits that are in the index */
  guint rest;              /* of the plan's `rest`, likewise */
  GPtrArray *gone;         /* of LdbListRow: marks of rows that went; owned */
} Showing;

static void
keep_gone (gpointer mark, gpointer data)
{
  g_ptr_array_add (data, mark);
}

static const LdbListEdit *
edit_at (const Showing *showing, guint at)
{
  return plan_edit (showing->plan, at);
}

/* Rows added less rows removed by the edits before one; may wrap around. */
static guint64
moved_by (const Showing *showing, guint at)
{
  return at > 0 ? edit_at (showing, at - 1)->moved : 0;
}

/* By how many rows edits that are done moved those of the next edit's bucket. */
static guint64
shift_of_next (const Showing *showing)
{
  const LdbListEdit *edit = edit_at (showing, showing->done);
  LdbRankPlace place = ldb_rank_index_find_key (showing->self->index, edit->key);
  return edit->rank + moved_by (showing, showing->done) - place.first - edit->offset;
}

/* The edits up to `end` but for the spans, at once. */
static void
apply_keys (Showing *showing, guint end)
{
  LdbRankIndex *index = showing->self->index;
  const LdbListEdit *next = edit_at (showing, showing->done);
  if (next->bucket == NULL) /* there was no row: it is the only edit */
    {
      ldb_rank_index_edit (index, next->key, 0, 0, next->added, NULL, NULL);
      return;
    }
  LdbRankEdit *edits = (LdbRankEdit *) (void *) showing->plan->ranks->data;
  guint first = showing->done > 0 ? edit_at (showing, showing->done - 1)->ranks : 0;
  guint behind = edit_at (showing, end - 1)->ranks;
  guint64 shift = showing->done > 0 ? shift_of_next (showing) : 0;
  for (guint i = first; i < behind && edits[i].bucket == next->bucket; i++)
    edits[i].offset += shift;
  ldb_rank_index_edit_many (index, edits + first, behind - first, keep_gone, showing->gone);
}

/* What the edits up to `end` need beyond that, in their order. */
static void
apply_rest (Showing *showing, guint end)
{
  const GArray *rest = showing->plan->rest;
  LdbRankIndex *index = showing->self->index;
  guint at;
  for (; showing->rest < rest->len && (at = g_array_index (rest, guint, showing->rest)) < end;
       showing->rest++)
    {
      const LdbListEdit *edit = edit_at (showing, at);
      if (edit->span)
        ldb_rank_index_remove_range (index, edit->key, edit->last,
                                     edit->rank + moved_by (showing, at), edit->removed, keep_gone,
                                     showing->gone);
      if (edit->division != NULL)
        ldb_rank_index_divide (index, edit->key, edit->division);
    }
}

static void
apply (Showing *showing, guint end)
{
  if (end <= showing->done)
    return;
  apply_keys (showing, end);
  apply_rest (showing, end);
  showing->done = end;
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
  const GArray *rest = showing->plan->rest;
  for (guint i = 0; i < rest->len; i++)
    {
      const LdbListEdit *edit = edit_at (showing, g_array_index (rest, guint, i));
      if (edit->tidy || edit->span)
        ldb_rank_index_tidy (index, edit->key);
      if (edit->span && edit->last.size > 0)
        ldb_rank_index_tidy (index, edit->last);
    }
}

/* M1: everything is as in the new state. */
static void
settle (Showing *showing)
{
  LdbListModel *self = showing->self;
  apply (showing, showing->plan->edits->len);
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
  g_autoptr (GPtrArray) gone = g_ptr_array_new ();
  Showing showing = { .self = self, .frame = frame, .plan = plan, .gone = gone };
  self->showing = TRUE;
  g_autoptr (GArray) steps = find_steps (self, plan);
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
  if (changes->len > AT_ONCE_MOST)
    return FALSE;
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
plan_at_once (LdbListModel *self, LdbListPlan *plan, struct failure *failure)
{
  if (!is_small (self->frame->changes))
    return STATUS_BUSY;
  LdbListWalk walk = ldb_list_model_walk (self);
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
  if (!ldb_database_is_usable (self->place.database, NULL))
    {
      ldb_list_model_fail (self, STATUS_CLOSED, NULL);
      return;
    }
  status code = plan_at_once (self, &plan, &failure);
  if (code == STATUS_BUSY)
    plan_later (self);
  else
    show_plan (self, code, &plan, &failure);
}

void
ldb_list_frame_run (LdbListJob *job)
{
  LdbListWalk walk = ldb_list_job_walk (job);
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
