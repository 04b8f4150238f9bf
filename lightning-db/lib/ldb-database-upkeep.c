/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, upkeep: what keeps the files well, copies them, looks them over.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-report-private.h"

/* TRUE when `code` is fine; else sets the error. */
static gboolean
check_status (status code, const struct failure *failure, GError **error)
{
  return code == STATUS_OK || ldb_error_take_failure (error, code, failure);
}

/* Names what is missing where the engine's answer is only that something is. */
static gboolean
check_path_status (status code, const struct failure *failure, const char *path, GError **error)
{
  if (code == STATUS_NOT_FOUND && failure->message[0] == '\0')
    return ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                          "There is no database \"%s\"; check the path.", path);
  return check_status (code, failure, error);
}

static gboolean
run_sync (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL && check_status (engine_sync (engine, &failure), &failure, error);
}

/**
 * ldb_database_sync:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes all commits so far durable, whatever mode they were made in.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_sync (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_sync, &place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_sync_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.sync], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_sync_async (LdbDatabase *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_sync, &place);
  ldb_call_start (call, self, ldb_database_sync_async, "ldb_database_sync_async", LDB_WORK_SHORT,
                  cancellable, callback, user_data);
}

/**
 * ldb_database_sync_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.sync_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_sync_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_sync_async, error);
}

static gboolean
run_flush (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL && check_status (engine_flush (engine, &failure), &failure, error);
}

/**
 * ldb_database_flush:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes the tables in memory out to sorted files.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_flush (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_flush, &place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_flush_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.flush], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_flush_async (LdbDatabase *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_flush, &place);
  ldb_call_start (call, self, ldb_database_flush_async, "ldb_database_flush_async", LDB_WORK_LONG,
                  cancellable, callback, user_data);
}

/**
 * ldb_database_flush_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.flush_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_flush_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_flush_async, error);
}

static gboolean
run_checkpoint (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL && check_status (engine_checkpoint (engine, &failure), &failure, error);
}

/**
 * ldb_database_checkpoint:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes everything to sorted files, so that the write-ahead log is empty and the next opening
 * has nothing to recover.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_checkpoint (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_checkpoint, &place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_checkpoint_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.checkpoint], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_checkpoint_async (LdbDatabase *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_checkpoint, &place);
  ldb_call_start (call, self, ldb_database_checkpoint_async, "ldb_database_checkpoint_async",
                  LDB_WORK_LONG, cancellable, callback, user_data);
}

/**
 * ldb_database_checkpoint_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.checkpoint_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_checkpoint_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_checkpoint_async, error);
}

static gboolean
run_wait_settled (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL
         && check_status (engine_wait_settled (engine, call->number, &failure), &failure, error);
}

/**
 * ldb_database_wait_settled:
 * @self: a database
 * @timeout: the longest wait, in milliseconds
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Waits until the background work has nothing left to do: for tests and benchmarks.
 *
 * Fails with %LDB_ERROR_TIMED_OUT when it takes longer, or %LDB_ERROR_CLOSED. Blocks; any thread.
 *
 * Returns: %TRUE if all has settled
 *
 * Since: 0.1
 */
gboolean
ldb_database_wait_settled (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_wait_settled, &place);
  call->number = (guint64) timeout * 1000;
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_wait_settled_async:
 * @self: a database
 * @timeout: the longest wait, in milliseconds
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.wait_settled], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_wait_settled_async (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_wait_settled, &place);
  call->number = (guint64) timeout * 1000;
  ldb_call_start (call, self, ldb_database_wait_settled_async, "ldb_database_wait_settled_async",
                  LDB_WORK_LONG, cancellable, callback, user_data);
}

/**
 * ldb_database_wait_settled_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.wait_settled_async].
 *
 * Returns: %TRUE if all has settled
 *
 * Since: 0.1
 */
gboolean
ldb_database_wait_settled_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_wait_settled_async, error);
}

static gboolean
run_compact (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL
         && check_status (engine_compact (engine, ldb_progress_report, &call->progress, &failure),
                          &failure, error);
}

/**
 * ldb_database_compact:
 * @self: a database
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Merges everything into one sorted run, whatever it costs. A database does what is worth while
 * by itself; this is for before copying or measuring it.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for as long as it takes; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_compact (LdbDatabase *self, LdbProgressFunc progress, gpointer progress_data,
                      GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_compact, &place);
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_compact_async:
 * @self: a database
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.compact], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_compact_async (LdbDatabase *self, LdbProgressFunc progress, gpointer progress_data,
                            GDestroyNotify progress_destroy, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_compact, &place);
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, self, ldb_database_compact_async, "ldb_database_compact_async",
                  LDB_WORK_LONG, cancellable, callback, user_data);
}

/**
 * ldb_database_compact_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.compact_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_compact_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_compact_async, error);
}

static gboolean
run_backup (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_backup_result result = { 0 };
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  status code = engine_backup (engine, call->path, (call->flags & LDB_BACKUP_VERIFY) != 0,
                               ldb_progress_report, &call->progress, &result, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  call->result = ldb_backup_result_new (&result);
  return TRUE;
}

/**
 * ldb_database_backup:
 * @self: a database
 * @path: (type filename): where to; a new directory, or an earlier backup of this database
 * @flags: how
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes a copy of the database as it is now, while it is in use. An earlier backup is brought up
 * to date: only what it lacks is copied. Files that never change are linked or share their blocks
 * where the file system can.
 *
 * Fails with %LDB_ERROR_EXISTS or %LDB_ERROR_NOT_A_DATABASE when something else is there,
 * %LDB_ERROR_CLOSED, %LDB_ERROR_CORRUPT, %LDB_ERROR_NO_SPACE or %LDB_ERROR_IO. Blocks for as long
 * as it takes; any thread.
 *
 * Returns: (transfer full): what was done
 *
 * Since: 0.1
 */
LdbBackupResult *
ldb_database_backup (LdbDatabase *self, const char *path, LdbBackupFlags flags,
                     LdbProgressFunc progress, gpointer progress_data, GCancellable *cancellable,
                     GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (path != NULL, NULL);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_backup, &place);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_backup_result_free;
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_backup_async:
 * @self: a database
 * @path: (type filename): where to; a new directory, or an earlier backup of this database
 * @flags: how
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.backup], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_backup_async (LdbDatabase *self, const char *path, LdbBackupFlags flags,
                           LdbProgressFunc progress, gpointer progress_data,
                           GDestroyNotify progress_destroy, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (path != NULL);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_backup, &place);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_backup_result_free;
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, self, ldb_database_backup_async, "ldb_database_backup_async", LDB_WORK_LONG,
                  cancellable, callback, user_data);
}

/**
 * ldb_database_backup_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.backup_async].
 *
 * Returns: (transfer full): what was done
 *
 * Since: 0.1
 */
LdbBackupResult *
ldb_database_backup_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_backup_async, error);
}

static gboolean
run_restore (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  status code = engine_restore (call->path, call->other_path, ldb_progress_report, &call->progress,
                                &failure);
  return check_path_status (code, &failure, call->path, error);
}

/**
 * ldb_database_restore:
 * @backup_path: (type filename): a backup, or any database that is not open
 * @path: (type filename): where to; there must be nothing
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Copies a backup to a new place and verifies the copy.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, %LDB_ERROR_NOT_A_DATABASE, %LDB_ERROR_EXISTS,
 * %LDB_ERROR_LOCKED, %LDB_ERROR_CORRUPT, %LDB_ERROR_NO_SPACE or %LDB_ERROR_IO. Blocks for as long
 * as it takes; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_restore (const char *backup_path, const char *path, LdbProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (backup_path != NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  LdbCall *call = ldb_call_new (run_restore, NULL);
  call->path = g_strdup (backup_path);
  call->other_path = g_strdup (path);
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_restore_async:
 * @backup_path: (type filename): a backup, or any database that is not open
 * @path: (type filename): where to; there must be nothing
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.restore], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_restore_async (const char *backup_path, const char *path, LdbProgressFunc progress,
                            gpointer progress_data, GDestroyNotify progress_destroy,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (backup_path != NULL);
  g_return_if_fail (path != NULL);
  LdbCall *call = ldb_call_new (run_restore, NULL);
  call->path = g_strdup (backup_path);
  call->other_path = g_strdup (path);
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, NULL, ldb_database_restore_async, "ldb_database_restore_async",
                  LDB_WORK_LONG, cancellable, callback, user_data);
}

/**
 * ldb_database_restore_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.restore_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_restore_finish (GAsyncResult *result, GError **error)
{
  return ldb_call_finish (NULL, result, ldb_database_restore_async, error);
}

/* What a check or repair tells us while it runs: the engine has one `data` for both. */
typedef struct
{
  LdbProgress *progress; /* of the call */
  GPtrArray *faults;     /* found so far */
} Survey;

static bool
survey_progress (void *data, uint64_t done, uint64_t total, const char *step)
{
  Survey *survey = data;
  return ldb_progress_report (survey->progress, done, total, step);
}

static void
survey_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  Survey *survey = data;
  ldb_faults_add (survey->faults, file, page, reason);
}

/* A check that found faults has done its work: they are its result, not its failure. */
static gboolean
finish_check (LdbCall *call, status code, const struct engine_check_report *report,
              GPtrArray *faults, const struct failure *failure, GError **error)
{
  if (code == STATUS_OK || (code == STATUS_CORRUPT && (report->faults > 0 || faults->len > 0)))
    {
      call->result = ldb_check_report_new (report, faults);
      return TRUE;
    }
  g_ptr_array_unref (faults);
  return check_path_status (code, failure, call->path != NULL ? call->path : "", error);
}

static gboolean
run_check (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report = { 0 };
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  GPtrArray *faults = ldb_faults_new ();
  Survey survey = { &call->progress, faults };
  status code = engine_check_open (engine, (call->flags & LDB_CHECK_DEEP) != 0, survey_fault,
                                   survey_progress, &survey, &report, &failure);
  return finish_check (call, code, &report, faults, &failure, error);
}

/**
 * ldb_database_check:
 * @self: a database
 * @flags: how thoroughly
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Verifies the files of the database while it is in use. Faults are in the report; they are not
 * an error of the check.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_IO or %LDB_ERROR_NO_MEMORY. Blocks for as long as it
 * takes; any thread.
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_database_check (LdbDatabase *self, LdbCheckFlags flags, LdbProgressFunc progress,
                    gpointer progress_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_check, &place);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_check_async:
 * @self: a database
 * @flags: how thoroughly
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.check], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_check_async (LdbDatabase *self, LdbCheckFlags flags, LdbProgressFunc progress,
                          gpointer progress_data, GDestroyNotify progress_destroy,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbPlace place = { .database = self };
  LdbCall *call = ldb_call_new (run_check, &place);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, self, ldb_database_check_async, "ldb_database_check_async", LDB_WORK_LONG,
                  cancellable, callback, user_data);
}

/**
 * ldb_database_check_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.check_async].
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_database_check_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_check_async, error);
}

static gboolean
run_check_path (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report = { 0 };
  GPtrArray *faults = ldb_faults_new ();
  Survey survey = { &call->progress, faults };
  status code = engine_check (call->path, (call->flags & LDB_CHECK_DEEP) != 0, survey_fault,
                              survey_progress, &survey, &report, &failure);
  return finish_check (call, code, &report, faults, &failure, error);
}

/**
 * ldb_database_check_path:
 * @path: (type filename): the database
 * @flags: how thoroughly
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Verifies the files of a database that need not open. Nothing is written.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, %LDB_ERROR_NOT_A_DATABASE, %LDB_ERROR_NEWER_FORMAT,
 * %LDB_ERROR_IO or %LDB_ERROR_NO_MEMORY. Blocks for as long as it takes; any thread.
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_database_check_path (const char *path, LdbCheckFlags flags, LdbProgressFunc progress,
                         gpointer progress_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  LdbCall *call = ldb_call_new (run_check_path, NULL);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_check_path_async:
 * @path: (type filename): the database
 * @flags: how thoroughly
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.check_path], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_check_path_async (const char *path, LdbCheckFlags flags, LdbProgressFunc progress,
                               gpointer progress_data, GDestroyNotify progress_destroy,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (path != NULL);
  LdbCall *call = ldb_call_new (run_check_path, NULL);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, NULL, ldb_database_check_path_async, "ldb_database_check_path_async",
                  LDB_WORK_LONG, cancellable, callback, user_data);
}

/**
 * ldb_database_check_path_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.check_path_async].
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_database_check_path_finish (GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (NULL, result, ldb_database_check_path_async, error);
}

static gboolean
run_repair (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_repair_report report = { 0 };
  g_autoptr (GPtrArray) lost = ldb_faults_new ();
  Survey survey = { &call->progress, lost };
  status code = engine_repair (call->path, call->other_path, survey_fault, survey_progress, &survey,
                               &report, &failure);
  if (code != STATUS_OK)
    return check_path_status (code, &failure, call->path, error);
  call->result = ldb_repair_report_new (&report, g_steal_pointer (&lost));
  return TRUE;
}

/**
 * ldb_database_repair:
 * @path: (type filename): the damaged database; it is only read
 * @destination: (type filename): where to; there must be nothing
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Saves everything that still verifies into a new database.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, %LDB_ERROR_NOT_A_DATABASE, %LDB_ERROR_NEWER_FORMAT,
 * %LDB_ERROR_EXISTS, %LDB_ERROR_LOCKED, %LDB_ERROR_NO_SPACE or %LDB_ERROR_IO. Blocks for as long
 * as it takes; any thread.
 *
 * Returns: (transfer full): what was saved and what was lost
 *
 * Since: 0.1
 */
LdbRepairReport *
ldb_database_repair (const char *path, const char *destination, LdbProgressFunc progress,
                     gpointer progress_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (destination != NULL, NULL);
  LdbCall *call = ldb_call_new (run_repair, NULL);
  call->path = g_strdup (path);
  call->other_path = g_strdup (destination);
  call->result_free = (GDestroyNotify) ldb_repair_report_free;
  call->progress.func = progress;
  call->progress.data = progress_data;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_repair_async:
 * @path: (type filename): the damaged database; it is only read
 * @destination: (type filename): where to; there must be nothing
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.repair], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_repair_async (const char *path, const char *destination, LdbProgressFunc progress,
                           gpointer progress_data, GDestroyNotify progress_destroy,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (path != NULL);
  g_return_if_fail (destination != NULL);
  LdbCall *call = ldb_call_new (run_repair, NULL);
  call->path = g_strdup (path);
  call->other_path = g_strdup (destination);
  call->result_free = (GDestroyNotify) ldb_repair_report_free;
  ldb_call_set_progress (call, progress, progress_data, progress_destroy);
  ldb_call_start (call, NULL, ldb_database_repair_async, "ldb_database_repair_async", LDB_WORK_LONG,
                  cancellable, callback, user_data);
}

/**
 * ldb_database_repair_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.repair_async].
 *
 * Returns: (transfer full): what was saved and what was lost
 *
 * Since: 0.1
 */
LdbRepairReport *
ldb_database_repair_finish (GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (NULL, result, ldb_database_repair_async, error);
}

/**
 * ldb_database_evict_cache:
 * @self: a database
 * @fraction: how much of the cache, from 0 to 1
 * @error: return location for an error
 *
 * Gives memory back: a part of the cached pages, and what lies idle. The library does this by
 * itself when the system runs short of memory.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not touch
 * the disk; any thread.
 *
 * Returns: the bytes given back
 *
 * Since: 0.1
 */
guint64
ldb_database_evict_cache (LdbDatabase *self, double fraction, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  /* Written so that a NaN fails too. */
  if (!(fraction >= 0.0 && fraction <= 1.0))
    {
      ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                     "The fraction is %g; it must be from 0 to 1.", fraction);
      return 0;
    }
  struct engine *engine = ldb_database_enter (self, error);
  return engine != NULL ? engine_evict_cache (engine, fraction) : 0;
}
