/* SPDX-License-Identifier: MIT */
/*
 * Where a key is: the index knows how many rows come before its bucket, the database how many come
 * before it in there. What memory cannot answer is counted on a worker. By then the bucket may have
 * changed: it is counted again.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"

/* ---- counting in a bucket ---- */

/* What is counted: rows from `start` on that are below the key, which is not below `start`. */
typedef struct
{
  LdbPin *state;           /* borrowed */
  LdbPin *before;          /* with `seam`, see M1; borrowed, or NULL */
  struct bytes seam;       /* borrowed */
  struct bytes start, key; /* borrowed */
} Question;

static status
count_below (struct engine_cursor *cursor, struct bytes from, struct bytes key, guint64 *rows,
             gboolean *found, struct failure *failure)
{
  status code = from.size > 0 ? engine_cursor_seek (cursor, from, failure)
                              : engine_cursor_first (cursor, failure);
  while (code == STATUS_OK && engine_cursor_valid (cursor)
         && bytes_compare (engine_cursor_key (cursor), key) < 0)
    {
      *rows += 1;
      code = engine_cursor_next (cursor, failure);
    }
  *found = engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), key);
  return code;
}

static status
count_in (const LdbListWalk *walk, LdbPin *state, struct bytes from, struct bytes key,
          guint64 *rows, gboolean *found, struct failure *failure)
{
  struct engine_cursor *cursor;
  status code
      = ldb_list_walk_cursor (walk, state, walk->lower, walk->upper, TRUE, &cursor, failure);
  if (code != STATUS_OK)
    return code;
  code = count_below (cursor, from, key, rows, found, failure);
  engine_cursor_free (cursor);
  return code;
}

static status
answer (const LdbListWalk *walk, const Question *question, guint64 *rows, gboolean *found,
        struct failure *failure)
{
  struct bytes start = question->start, key = question->key, seam = question->seam;
  gboolean behind = question->before != NULL && bytes_compare (key, seam) >= 0;
  status code = STATUS_OK;
  *rows = 0;
  if (behind && bytes_compare (start, seam) < 0) /* a part of the bucket is of the new state */
    {
      code = count_in (walk, question->state, start, seam, rows, found, failure);
      start = seam;
    }
  if (code != STATUS_OK)
    return code;
  return count_in (walk, behind ? question->before : question->state, start, key, rows, found,
                   failure);
}

/* ---- finding ---- */

/* Where a search has come to. */
typedef struct
{
  LdbRankPlace place; /* the key's bucket; its bucket is NULL: there is none */
  struct bytes start; /* where the walk to its rows begins */
  gint position;      /* -1: it is not shown */
} Search;

static gint
to_position (LdbListModel *self, guint64 rank)
{
  guint64 position = ldb_list_model_turn (self, rank);
  return position < self->shown ? (gint) position : -1;
}

/* What memory, or, if that is wanted, also the disk says. With BUSY the search knows its place. */
static status
find (LdbListModel *self, struct bytes key, gboolean cached_only, Search *search,
      struct failure *failure)
{
  *search = (Search){ .position = -1 };
  if (self->closed)
    return STATUS_OK;
  LdbRankPlace place = ldb_rank_index_find_key (self->index, key);
  LdbListWalk walk = ldb_list_model_walk (self);
  if (place.bucket == NULL || bytes_compare (key, walk.lower) < 0
      || (walk.upper.size > 0 && bytes_compare (key, walk.upper) >= 0))
    return STATUS_OK;
  if (!ldb_database_is_usable (self->place.database, NULL))
    return STATUS_CLOSED;
  walk.cached_only = cached_only;
  search->place = place;
  search->start = ldb_list_rows_start (self, place.bucket, &walk);
  Question question = {
    .state = self->state,
    .before = self->before,
    .seam = BYTES (self->seam->data, self->seam->len),
    .start = search->start,
    .key = key,
  };
  guint64 rows;
  gboolean found = FALSE;
  status code = answer (&walk, &question, &rows, &found, failure);
  if (code == STATUS_OK && found)
    search->position = to_position (self, place.first + rows);
  return code;
}

static gboolean
take_failure (LdbListModel *self, status code, struct failure *failure, GError **error)
{
  if (code == STATUS_CLOSED)
    return ldb_database_is_usable (self->place.database, error);
  return ldb_error_check (error, code, failure);
}

/**
 * ldb_list_model_find:
 * @self: a list
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @error: return location for an error
 *
 * Finds the row of a key.
 *
 * A row that was not counted yet, or is beyond [property@Ldb.ListModel:max-items], is not found.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE, and as reading does. Blocks
 * while a page is read; in the list's thread.
 *
 * Returns: its position; -1 without an error when there is no such row, and with an error
 *
 * Since: 0.1
 */
gint
ldb_list_model_find (LdbListModel *self, gconstpointer key, gsize key_length, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct bytes bytes;
  Search search;
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), -1);
  if (!ldb_check_key (key, key_length, &bytes, error))
    return -1;
  status code = find (self, bytes, FALSE, &search, &failure);
  return take_failure (self, code, &failure, error) ? search.position : -1;
}

/* ---- without blocking ---- */

/* A task's data is the key. Returned in a later turn of the loop than it was made in, it calls back
 * at once: so what is returned is true of the list as it is then. */
static void
send_job (LdbListModel *self, GTask *task, const Search *search)
{
  struct bytes boundary = ldb_bucket_boundary (search->place.bucket);
  LdbListJob *job = ldb_list_job_new (self, LDB_LIST_JOB_FIND);
  job->find = g_object_ref (task);
  job->key = g_bytes_ref (g_task_get_task_data (task));
  job->boundary = g_bytes_new (boundary.data, boundary.size);
  job->start = g_bytes_new (search->start.data, search->start.size);
  /* While a frame is being shown buckets have its stamp before it is over. */
  job->stamp = self->before != NULL ? self->stamp - 1 : self->stamp;
  if (self->before != NULL)
    {
      job->before = ldb_pin_ref (self->before);
      job->seam = g_bytes_new (self->seam->data, self->seam->len);
    }
  ldb_list_job_start (job);
  ldb_list_job_unref (job);
}

static gboolean
try_find (gpointer data)
{
  GTask *task = data;
  LdbListModel *self = g_task_get_source_object (task);
  struct failure failure = FAILURE_INIT;
  GError *error = NULL;
  Search search;
  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;
  status code = find (self, ldb_bytes_of (g_task_get_task_data (task)), TRUE, &search, &failure);
  if (code == STATUS_BUSY)
    send_job (self, task, &search);
  else if (take_failure (self, code, &failure, &error))
    g_task_return_int (task, search.position);
  else
    g_task_return_error (task, error);
  return G_SOURCE_REMOVE;
}

void
ldb_list_find_run (LdbListJob *job)
{
  LdbListWalk walk = ldb_list_job_walk (job);
  Question question = {
    .state = job->state,
    .before = job->before,
    .seam = ldb_bytes_of (job->seam),
    .start = ldb_bytes_of (job->start),
    .key = ldb_bytes_of (job->key),
  };
  job->code = answer (&walk, &question, &job->below, &job->found, &job->failure);
}

/* Nothing has happened to the bucket since the job was sent. */
static gboolean
is_valid_still (LdbListModel *self, const LdbListJob *job, const LdbRankPlace *place)
{
  return !self->closed && place->bucket != NULL
         && bytes_equal (ldb_bucket_boundary (place->bucket), ldb_bytes_of (job->boundary))
         && !ldb_bucket_changed (place->bucket, job->stamp, self->stamp);
}

void
ldb_list_find_done (LdbListModel *self, LdbListJob *job)
{
  GError *error = NULL;
  LdbRankPlace place = ldb_rank_index_find_key (self->index, ldb_bytes_of (job->key));
  if (!take_failure (self, job->code, &job->failure, &error))
    g_task_return_error (job->find, error);
  else if (!is_valid_still (self, job, &place))
    try_find (job->find);
  else if (!g_task_return_error_if_cancelled (job->find))
    g_task_return_int (job->find, job->found ? to_position (self, place.first + job->below) : -1);
}

/**
 * ldb_list_model_find_async:
 * @self: a list
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the position
 * @user_data: for @callback
 *
 * Finds the row of a key, without blocking: [method@Ldb.ListModel.find]. The position is that at
 * the moment at which the callback is called.
 *
 * In the list's thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_list_model_find_async (LdbListModel *self, gconstpointer key, gsize key_length,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GError *error = NULL;
  struct bytes bytes;
  g_return_if_fail (LDB_IS_LIST_MODEL (self));
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  /* In parentheses: GLib's macro would name the task after the expression. */
  (g_task_set_source_tag) (task, ldb_list_model_find_async);
  g_task_set_name (task, "ldb_list_model_find_async");
  if (!ldb_check_key (key, key_length, &bytes, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_static_name (source, "[lightning-db] ldb_list_model_find_async");
  g_task_set_task_data (task, g_bytes_new (key, key_length), (GDestroyNotify) g_bytes_unref);
  g_task_attach_source (task, source, try_find);
}

/**
 * ldb_list_model_find_finish:
 * @self: a list
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.ListModel.find_async].
 *
 * Returns: the position; -1 without an error when there is no such row, and with an error
 *
 * Since: 0.1
 */
gint
ldb_list_model_find_finish (LdbListModel *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), -1);
  g_return_val_if_fail (g_async_result_is_tagged (result, ldb_list_model_find_async), -1);
  return (gint) g_task_propagate_int (G_TASK (result), error);
}
