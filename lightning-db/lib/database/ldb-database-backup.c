/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, copies: backup and restore.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-mark-private.h"
#include "ldb-report-private.h"

static gboolean
run_backup (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_backup_result result = { 0 };
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL || !ldb_check_flags (call->flags, LDB_BACKUP_VERIFY, "LdbBackupFlags", error))
    return FALSE;
  gint64 begun = ldb_mark_begin ();
  status code = engine_backup (engine, call->path, (call->flags & LDB_BACKUP_VERIFY) != 0,
                               ldb_progress_report, &call->progress, &result, &failure);
  ldb_mark_end (begun, "backup", NULL);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  call->result = ldb_backup_result_new (&result);
  return TRUE;
}

static LdbCall *
new_backup (LdbDatabase *self, const char *path, LdbBackupFlags flags)
{
  LdbCall *call = ldb_call_new (run_backup, &self->place);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_backup_result_free;
  return call;
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
 * A database that is open read-only can be backed up while nobody writes to it, also from a medium
 * that can't be written; else this fails with %LDB_ERROR_LOCKED. When its log holds commits that no
 * other file has, as after a crash, it fails with %LDB_ERROR_READ_ONLY: then
 * [func@Ldb.Database.restore] copies it.
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
  LdbCall *call = new_backup (self, path, flags);
  ldb_call_tell_here (call, progress, progress_data);
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
  LdbCall *call = new_backup (self, path, flags);
  ldb_database_settle_paths (call);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_backup_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_backup_with_closure_async: (rename-to ldb_database_backup_async)
 * @self: a database
 * @path: (type filename): where to; a new directory, or an earlier backup of this database
 * @flags: how
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.backup], without blocking: the form of
 * ldb_database_backup_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_backup_with_closure_async (LdbDatabase *self, const char *path, LdbBackupFlags flags,
                                        GClosure *progress, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (path != NULL);
  ldb_database_backup_async (self, path, flags, progress != NULL ? ldb_closure_progress : NULL,
                             ldb_closure_hold (progress), ldb_closure_release, cancellable,
                             callback, user_data);
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
  return ldb_error_check_path (error, code, &failure, call->path);
}

static LdbCall *
new_restore (const char *backup_path, const char *path)
{
  LdbCall *call = ldb_call_new (run_restore, NULL);
  call->path = g_strdup (backup_path);
  call->other_path = g_strdup (path);
  return call;
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
  LdbCall *call = new_restore (backup_path, path);
  ldb_call_tell_here (call, progress, progress_data);
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
  LdbCall *call = new_restore (backup_path, path);
  ldb_database_settle_paths (call);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (NULL, ldb_database_restore_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_restore_with_closure_async: (rename-to ldb_database_restore_async)
 * @backup_path: (type filename): a backup, or any database that is not open
 * @path: (type filename): where to; there must be nothing
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.restore], without blocking: the form of
 * ldb_database_restore_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_restore_with_closure_async (const char *backup_path, const char *path,
                                         GClosure *progress, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (backup_path != NULL);
  g_return_if_fail (path != NULL);
  ldb_database_restore_async (backup_path, path, progress != NULL ? ldb_closure_progress : NULL,
                              ldb_closure_hold (progress), ldb_closure_release, cancellable,
                              callback, user_data);
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
