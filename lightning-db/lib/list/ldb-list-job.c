/* SPDX-License-Identifier: MIT */
/*
 * What a list has done on a worker. A job owns or counts all that it works with and holds its list
 * weakly: a list that nobody wants any more goes at once, and what the job found is dropped.
 *
 * When no thread can be started the list tries again after a while, as it would have to be made anew
 * otherwise; who waits for a row to be found is told.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"

/* When no thread can be started, the next try comes after so many milliseconds. */
#define RETRY_INTERVAL 100

LdbListJob *
ldb_list_job_new (LdbListModel *self, LdbListJobKind kind)
{
  LdbListJob *job = g_new0 (LdbListJob, 1);
  g_atomic_ref_count_init (&job->references);
  job->kind = kind;
  g_weak_ref_init (&job->model, self);
  job->database = g_object_ref (self->place.database);
  job->store = self->place.store;
  GBytes *lower, *upper;
  ldb_list_model_get_counted (self, &lower, &upper);
  ldb_list_job_set_range (job, lower, upper);
  job->state = ldb_pin_ref (self->state);
  job->reverse = ldb_list_model_is_reverse (self);
  job->keys_only = (self->flags & LDB_LIST_KEYS_ONLY) != 0;
  failure_reset (&job->failure);
  return job;
}

void
ldb_list_job_unref (LdbListJob *job)
{
  if (!g_atomic_ref_count_dec (&job->references))
    return;
  g_weak_ref_clear (&job->model);
  g_clear_pointer (&job->lower, g_bytes_unref);
  g_clear_pointer (&job->upper, g_bytes_unref);
  g_clear_pointer (&job->buckets, g_ptr_array_unref);
  g_clear_object (&job->find);
  g_clear_pointer (&job->key, g_bytes_unref);
  g_clear_pointer (&job->boundary, g_bytes_unref);
  g_clear_pointer (&job->start, g_bytes_unref);
  g_clear_pointer (&job->seam, g_bytes_unref);
  ldb_list_count_clear (&job->count);
  ldb_list_plan_clear (&job->plan);
  g_clear_pointer (&job->index, ldb_rank_index_unref);
  g_clear_pointer (&job->frame, ldb_frame_unref);
  g_clear_pointer (&job->before, ldb_pin_unref);
  g_clear_pointer (&job->state, ldb_pin_unref);
  g_clear_object (&job->database);
  g_free (job);
}

void
ldb_list_job_cancel (LdbListJob *job)
{
  g_atomic_int_set (&job->cancelled, 1);
}

void
ldb_list_job_set_range (LdbListJob *job, GBytes *lower, GBytes *upper)
{
  g_clear_pointer (&job->lower, g_bytes_unref);
  g_clear_pointer (&job->upper, g_bytes_unref);
  job->lower = lower != NULL ? g_bytes_ref (lower) : NULL;
  job->upper = upper != NULL ? g_bytes_ref (upper) : NULL;
}

LdbListWalk
ldb_list_job_walk (LdbListJob *job)
{
  return (LdbListWalk){
    .store = job->store,
    .lower = ldb_bytes_of (job->lower),
    .upper = ldb_bytes_of (job->upper),
    .cancelled = &job->cancelled,
  };
}

static gboolean
run_job (LdbCall *call, GError **error)
{
  LdbListJob *job = call->result;
  if (!ldb_database_is_usable (job->database, error))
    return FALSE;
  switch (job->kind)
    {
    case LDB_LIST_JOB_COUNT:
      ldb_list_fill_run (job);
      break;
    case LDB_LIST_JOB_PLAN:
      ldb_list_frame_run (job);
      break;
    case LDB_LIST_JOB_FIND:
      ldb_list_find_run (job);
      break;
    case LDB_LIST_JOB_READ:
    default:
      ldb_list_rows_run (job);
    }
  return TRUE;
}

static void
job_done (LdbListModel *self, LdbListJob *job)
{
  LdbListJob **place = job->kind == LDB_LIST_JOB_READ ? &self->reading : &self->job;
  if (job->kind == LDB_LIST_JOB_FIND)
    {
      ldb_list_find_done (self, job);
      return;
    }
  if (*place != job) /* it was cancelled, and another one may be under way */
    return;
  g_clear_pointer (place, ldb_list_job_unref);
  if (job->kind == LDB_LIST_JOB_COUNT)
    ldb_list_fill_done (self, job);
  else if (job->kind == LDB_LIST_JOB_PLAN)
    ldb_list_frame_done (self, job);
  else
    ldb_list_rows_done (self, job);
}

static gboolean
start_again (gpointer data)
{
  LdbListJob *job = data;
  if (g_atomic_int_get (&job->cancelled) == 0)
    ldb_list_job_start (job);
  return G_SOURCE_REMOVE;
}

/* Takes the reference over. */
static void
start_later (LdbListModel *self, LdbListJob *job)
{
  g_autoptr (GSource) source = g_timeout_source_new (RETRY_INTERVAL);
  g_source_set_static_name (source, "[lightning-db] thread for a list");
  g_source_set_callback (source, start_again, job, (GDestroyNotify) ldb_list_job_unref);
  g_source_attach (source, self->context);
}

static void
job_returned (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbListJob *job = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbListModel) self = g_weak_ref_get (&job->model);
  LdbListJob *done = ldb_call_finish_pointer (NULL, result, ldb_list_job_start, &error);
  if (self != NULL && job->kind != LDB_LIST_JOB_FIND
      && g_error_matches (error, LDB_ERROR, LDB_ERROR_NO_MEMORY))
    {
      start_later (self, job);
      return;
    }
  if (done == NULL) /* it was not even begun */
    {
      gboolean closed = g_error_matches (error, LDB_ERROR, LDB_ERROR_CLOSED);
      job->code = closed ? STATUS_CLOSED : STATUS_NO_MEMORY;
      fail (&job->failure, job->code, "%s", error->message);
    }
  if (self != NULL)
    job_done (self, job);
  g_clear_pointer (&done, ldb_list_job_unref);
  ldb_list_job_unref (job);
}

static LdbListJob *
job_ref (LdbListJob *job)
{
  g_atomic_ref_count_inc (&job->references);
  return job;
}

void
ldb_list_job_start (LdbListJob *job)
{
  LdbPlace place = { .database = job->database, .store = job->store };
  LdbCall *call = ldb_call_new (run_job, &place);
  call->result = job_ref (job);
  call->result_free = (GDestroyNotify) ldb_list_job_unref;
  ldb_call_start (call, LDB_REPLY (NULL, ldb_list_job_start, NULL, job_returned, job_ref (job)),
                  LDB_WORK_SHORT);
}
