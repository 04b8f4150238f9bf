/* SPDX-License-Identifier: MIT */
/*
 * Counting the rows of a list. What memory answers within a millisecond is there when the list is
 * made; the rest is counted on a worker in slices that begin small, so that the first rows are
 * there soon, and end when they have taken some milliseconds, so that frames, which have to wait
 * for them, don't wait long. Each slice reads the state that the list shows at the time.
 *
 * A list counts no further than it may show, and some rows more. What is beyond that edge is
 * not in the index, and changes there mean nothing to it.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-database-private.h"

#define BEGIN_MICROSECONDS 1000 /* on the main loop, once */
#define SLICE_MICROSECONDS 8000 /* on a worker */
#define SLICE_ROWS_FIRST 256
#define SLICE_ROWS_MOST (1u << 20)
#define SPARE_MOST (4 * LDB_LIST_SPARE) /* buckets behind the edge are let go from there on */

static guint64
rows_wanted (LdbListModel *self)
{
  guint64 most = (guint64) self->max_items + LDB_LIST_SPARE;
  guint64 total = ldb_rank_index_get_total (self->index);
  return self->complete || total >= most ? 0 : most - total;
}

gboolean
ldb_list_fill_is_due (LdbListModel *self)
{
  return rows_wanted (self) > 0;
}

/* Takes over what was counted behind the edge. */
static void
take (LdbListModel *self, LdbListCount *count)
{
  if (ldb_list_model_is_reverse (self))
    {
      if (self->edge != NULL)
        ldb_rank_index_set_start (self->index, ldb_bytes_of (self->edge));
      ldb_rank_index_join_before (self->index, count->index);
    }
  else
    ldb_rank_index_join_behind (self->index, count->index);
  self->complete = count->complete;
  if (count->complete || count->edge != NULL)
    g_clear_pointer (&self->edge, g_bytes_unref);
  if (count->edge != NULL)
    self->edge = g_steal_pointer (&count->edge);
  ldb_list_rows_reset (self);
}

static guint
rows_to_show (LdbListModel *self)
{
  return (guint) MIN (ldb_rank_index_get_total (self->index), self->max_items);
}

/* What is left to be counted. */
static void
remaining (LdbListModel *self, GBytes **lower, GBytes **upper)
{
  if (self->edge != NULL)
    *(ldb_list_model_is_reverse (self) ? upper : lower) = self->edge;
}

void
ldb_list_fill_begin (LdbListModel *self)
{
  struct failure failure = FAILURE_INIT;
  g_auto (LdbListCount) count = { NULL };
  self->slice = SLICE_ROWS_FIRST;
  if (!ldb_database_is_usable (self->place.database, NULL))
    return;
  LdbListWalk walk = ldb_list_model_walk (self);
  walk.cached_only = TRUE;
  gint64 until = g_get_monotonic_time () + BEGIN_MICROSECONDS;
  status code = ldb_list_count (&walk, self->state, ldb_list_model_is_reverse (self),
                                rows_wanted (self), until, &count, &failure);
  if (code == STATUS_OK || code == STATUS_BUSY)
    take (self, &count);
  self->shown = self->told_items = rows_to_show (self);
  ldb_list_model_proceed (self);
}

void
ldb_list_fill_continue (LdbListModel *self)
{
  LdbListJob *job = self->job = ldb_list_job_new (self, LDB_LIST_JOB_COUNT);
  GBytes *lower = self->lower, *upper = self->upper;
  remaining (self, &lower, &upper);
  ldb_list_job_set_range (job, lower, upper);
  job->rows = MIN (rows_wanted (self), self->slice);
  self->slice = MIN (4 * self->slice, SLICE_ROWS_MOST);
  ldb_list_job_start (job);
}

void
ldb_list_fill_run (LdbListJob *job)
{
  LdbListWalk walk = ldb_list_job_walk (job);
  gint64 until = g_get_monotonic_time () + SLICE_MICROSECONDS;
  job->code = ldb_list_count (&walk, job->state, job->reverse, job->rows, until, &job->count,
                              &job->failure);
}

void
ldb_list_fill_done (LdbListModel *self, LdbListJob *job)
{
  if (job->code != STATUS_OK)
    {
      ldb_list_model_fail (self, job->code, &job->failure);
      return;
    }
  take (self, &job->count);
  guint shown = self->shown;
  self->shown = rows_to_show (self);
  if (self->shown > shown)
    ldb_list_model_changed (self, shown, 0, self->shown - shown);
  ldb_list_model_proceed (self);
}

/* A row behind the edge is forgotten, not told that it is gone. */
static void
forget_row (gpointer row, gpointer data)
{
  ldb_list_row_free (row);
}

void
ldb_list_fill_trim (LdbListModel *self)
{
  g_autoptr (GBytes) edge = NULL;
  guint64 most = self->max_items;
  if (ldb_rank_index_get_total (self->index) <= most + SPARE_MOST)
    return;
  gboolean trimmed
      = ldb_list_model_is_reverse (self)
            ? ldb_rank_index_trim_start (self->index, most + LDB_LIST_SPARE, &edge, forget_row,
                                         NULL)
            : ldb_rank_index_trim_end (self->index, most + LDB_LIST_SPARE, &edge, forget_row, NULL);
  if (!trimmed)
    return;
  self->complete = FALSE;
  g_clear_pointer (&self->edge, g_bytes_unref);
  self->edge = g_steal_pointer (&edge);
  ldb_list_rows_reset (self);
}

gboolean
ldb_list_fill_adjust (LdbListModel *self)
{
  guint before = self->shown, after = rows_to_show (self);
  self->shown = after;
  if (after < before)
    ldb_list_model_changed (self, after, before - after, 0);
  else if (after > before)
    ldb_list_model_changed (self, before, 0, after - before);
  return after != before;
}
