/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, health: verdicts, and what is done about them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-health-private.h"

/* ---- looking ---- */

/**
 * ldb_database_get_health:
 * @self: a database
 *
 * Gets [property@Ldb.Database:health].
 *
 * Does not block; any thread.
 *
 * Returns: (transfer full) (nullable): the last verdict; %NULL if there is none, or the handle is
 *   closed
 *
 * Since: 0.1
 */
LdbHealth *
ldb_database_get_health (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  LdbVitals *vitals = ldb_database_is_open (self) ? ldb_share_get_vitals (self, NULL) : NULL;
  LdbHealth *health = vitals != NULL ? ldb_vitals_get_newest (vitals) : NULL;
  g_clear_pointer (&vitals, ldb_vitals_unref);
  return health;
}

static gboolean
run_examine (LdbCall *call, GError **error)
{
  LdbDatabase *database = call->place.database;
  if (!ldb_database_is_usable (database, error))
    return FALSE;
  LdbVitals *vitals = ldb_share_get_vitals (database, error);
  if (vitals == NULL)
    return FALSE;
  call->result = ldb_vitals_examine (vitals, database->location);
  ldb_vitals_unref (vitals);
  return TRUE;
}

static LdbCall *
examine_call (LdbDatabase *self)
{
  LdbCall *call = ldb_call_new (run_examine, &self->place);
  call->result_free = (GDestroyNotify) ldb_health_unref;
  return call;
}

/**
 * ldb_database_examine_health:
 * @self: a database
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Looks whether anything is wrong with the database, or could be better: what does not work, room on
 * the disk, who may get at the files, waits, transactions, memory, what is stored. What is counted is
 * judged over the last minute or two, or since the database was opened.
 *
 * When the verdict is another one than the last, that is an event ([struct@Ldb.Event]), and
 * [property@Ldb.Database:health] of all handles of the process notifies.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the verdict, or %NULL
 *
 * Since: 0.1
 */
LdbHealth *
ldb_database_examine_health (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (examine_call (self), cancellable, error);
}

/**
 * ldb_database_examine_health_async:
 * @self: a database
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.examine_health], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_examine_health_async (LdbDatabase *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (
      examine_call (self),
      LDB_REPLY (self, ldb_database_examine_health_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_examine_health_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.examine_health_async].
 *
 * Returns: (transfer full): the verdict, or %NULL
 *
 * Since: 0.1
 */
LdbHealth *
ldb_database_examine_health_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_examine_health_async, error);
}

/* ---- doing ---- */

static gboolean
fail_to_restrict (const char *path, GError **error)
{
  return ldb_error_set (
      error, errno == EPERM || errno == EACCES ? LDB_ERROR_PERMISSION_DENIED : LDB_ERROR_IO,
      "The permissions of \"%s\" cannot be changed: %s.", path, g_strerror (errno));
}

/* Of the plain files in the directory; what goes meanwhile needs none. */
static gboolean
restrict_files (int directory, const char *path, GError **error)
{
  const char *name;
  g_autoptr (GDir) list = g_dir_open (path, 0, NULL);
  while (list != NULL && (name = g_dir_read_name (list)) != NULL)
    {
      struct stat information;
      if (fstatat (directory, name, &information, AT_SYMLINK_NOFOLLOW) == 0
          && S_ISREG (information.st_mode) && (information.st_mode & 077) != 0
          && fchmodat (directory, name, information.st_mode & 0700, 0) != 0 && errno != ENOENT)
        return fail_to_restrict (name, error);
    }
  return TRUE;
}

static gboolean
restrict_access (const char *path, GError **error)
{
  int directory = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return fail_to_restrict (path, error);
  gboolean done = fchmod (directory, 0700) == 0 ? restrict_files (directory, path, error)
                                                : fail_to_restrict (path, error);
  close (directory);
  return done;
}

static gboolean
abort_transaction (struct engine *engine, guint64 id, GError **error)
{
  return engine_transaction_abort (engine, id) == STATUS_OK
         || ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                           "Transaction %" G_GUINT64_FORMAT " has ended by itself meanwhile.", id);
}

static void
forget_fault (void *data, const char *file, uint64_t page, const char *reason)
{
}

static gboolean
check (struct engine *engine, LdbCall *call, GError **error)
{
  struct engine_check_report report = { 0 };
  struct failure failure = FAILURE_INIT;
  status code = engine_check_open (engine, true, forget_fault, ldb_progress_report, &call->progress,
                                   &report, &failure);
  if (code == STATUS_CORRUPT && report.faults > 0)
    return ldb_error_set (error, LDB_ERROR_CORRUPT,
                          "The check found %" G_GUINT64_FORMAT " faults in \"%s\"; restore a "
                          "backup, or repair it into a new directory.",
                          report.faults, call->place.database->path);
  return ldb_error_check (error, code, &failure);
}

static gboolean
run_remedy (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  LdbDatabase *database = call->place.database;
  struct engine *engine = ldb_database_enter (database, error);
  if (engine == NULL)
    return FALSE;
  switch ((LdbRemedy) call->flags)
    {
    case LDB_REMEDY_FLUSH:
      return ldb_error_check (error, engine_flush (engine, &failure), &failure);
    case LDB_REMEDY_COMPACT:
      return ldb_error_check (
          error, engine_compact (engine, ldb_progress_report, &call->progress, &failure), &failure);
    case LDB_REMEDY_RESTRICT_ACCESS:
      return restrict_access (database->location, error);
    case LDB_REMEDY_ABORT_TRANSACTION:
      return abort_transaction (engine, call->number, error);
    case LDB_REMEDY_CHECK:
      return check (engine, call, error);
    case LDB_REMEDY_NONE:
    default:
      return ldb_error_set (error, LDB_ERROR_UNSUPPORTED,
                            "Nothing can be done about it by a call: %s", call->path);
    }
}

static LdbCall *
remedy_call (LdbDatabase *self, const LdbHealthIssue *issue)
{
  LdbCall *call = ldb_call_new (run_remedy, &self->place);
  call->flags = (guint) issue->action;
  call->number = issue->target;
  call->path = g_strdup (issue->remedy);
  ldb_call_tell_here (call, NULL, NULL);
  return call;
}

/**
 * ldb_database_apply_remedy:
 * @self: a database
 * @issue: what is wrong with it
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Does what [struct@Ldb.HealthIssue] names as its `action`.
 *
 * Fails with %LDB_ERROR_UNSUPPORTED when there is none, with %LDB_ERROR_NOT_FOUND when the transaction
 * it is about has ended meanwhile, with %LDB_ERROR_CORRUPT when a check found faults,
 * with %LDB_ERROR_PERMISSION_DENIED when the files are somebody else's, and as the operation itself:
 * see [enum@Ldb.Remedy]. Blocks for as long as that takes; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_apply_remedy (LdbDatabase *self, const LdbHealthIssue *issue,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (issue != NULL, FALSE);
  return ldb_call_now (remedy_call (self, issue), cancellable, error);
}

/**
 * ldb_database_apply_remedy_async:
 * @self: a database
 * @issue: what is wrong with it
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.apply_remedy], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_apply_remedy_async (LdbDatabase *self, const LdbHealthIssue *issue,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (issue != NULL);
  ldb_call_start (
      remedy_call (self, issue),
      LDB_REPLY (self, ldb_database_apply_remedy_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_apply_remedy_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.apply_remedy_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_apply_remedy_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_apply_remedy_async, error);
}
