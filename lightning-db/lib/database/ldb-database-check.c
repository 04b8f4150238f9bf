/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, faults: finding them and saving what they left.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-mark-private.h"
#include "ldb-report-private.h"

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
  return ldb_error_check_path (error, code, failure, call->path != NULL ? call->path : "");
}

static gboolean
run_check (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report = { 0 };
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL || !ldb_check_flags (call->flags, LDB_CHECK_DEEP, "LdbCheckFlags", error))
    return FALSE;
  GPtrArray *faults = ldb_faults_new ();
  Survey survey = { &call->progress, faults };
  gint64 begun = ldb_mark_begin ();
  status code = engine_check_open (engine, (call->flags & LDB_CHECK_DEEP) != 0, survey_fault,
                                   survey_progress, &survey, &report, &failure);
  ldb_mark_end (begun, "check", NULL);
  return finish_check (call, code, &report, faults, &failure, error);
}

static LdbCall *
new_check (LdbDatabase *self, LdbCheckFlags flags)
{
  LdbCall *call = ldb_call_new (run_check, &self->place);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  return call;
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
  LdbCall *call = new_check (self, flags);
  ldb_call_tell_here (call, progress, progress_data);
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
  LdbCall *call = new_check (self, flags);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_check_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_check_with_closure_async: (rename-to ldb_database_check_async)
 * @self: a database
 * @flags: how thoroughly
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.check], without blocking: the form of
 * ldb_database_check_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_check_with_closure_async (LdbDatabase *self, LdbCheckFlags flags, GClosure *progress,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_database_check_async (self, flags, progress != NULL ? ldb_closure_progress : NULL,
                            ldb_closure_hold (progress), ldb_closure_release, cancellable, callback,
                            user_data);
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
  if (!ldb_check_flags (call->flags, LDB_CHECK_DEEP, "LdbCheckFlags", error))
    return FALSE;
  GPtrArray *faults = ldb_faults_new ();
  Survey survey = { &call->progress, faults };
  status code = engine_check (call->path, (call->flags & LDB_CHECK_DEEP) != 0, survey_fault,
                              survey_progress, &survey, &report, &failure);
  return finish_check (call, code, &report, faults, &failure, error);
}

static LdbCall *
new_check_path (const char *path, LdbCheckFlags flags)
{
  LdbCall *call = ldb_call_new (run_check_path, NULL);
  call->path = g_strdup (path);
  call->flags = flags;
  call->result_free = (GDestroyNotify) ldb_check_report_free;
  return call;
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
  LdbCall *call = new_check_path (path, flags);
  ldb_call_tell_here (call, progress, progress_data);
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
  LdbCall *call = new_check_path (path, flags);
  ldb_database_settle_paths (call);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (NULL, ldb_database_check_path_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_check_path_with_closure_async: (rename-to ldb_database_check_path_async)
 * @path: (type filename): the database
 * @flags: how thoroughly
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.check_path], without blocking: the form of
 * ldb_database_check_path_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_check_path_with_closure_async (const char *path, LdbCheckFlags flags,
                                            GClosure *progress, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (path != NULL);
  ldb_database_check_path_async (path, flags, progress != NULL ? ldb_closure_progress : NULL,
                                 ldb_closure_hold (progress), ldb_closure_release, cancellable,
                                 callback, user_data);
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
    return ldb_error_check_path (error, code, &failure, call->path);
  call->result = ldb_repair_report_new (&report, g_steal_pointer (&lost));
  return TRUE;
}

static LdbCall *
new_repair (const char *path, const char *destination)
{
  LdbCall *call = ldb_call_new (run_repair, NULL);
  call->path = g_strdup (path);
  call->other_path = g_strdup (destination);
  call->result_free = (GDestroyNotify) ldb_repair_report_free;
  return call;
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
  LdbCall *call = new_repair (path, destination);
  ldb_call_tell_here (call, progress, progress_data);
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
  LdbCall *call = new_repair (path, destination);
  ldb_database_settle_paths (call);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (NULL, ldb_database_repair_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_repair_with_closure_async: (rename-to ldb_database_repair_async)
 * @path: (type filename): the damaged database; it is only read
 * @destination: (type filename): where to; there must be nothing
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.repair], without blocking: the form of
 * ldb_database_repair_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_repair_with_closure_async (const char *path, const char *destination,
                                        GClosure *progress, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (path != NULL);
  g_return_if_fail (destination != NULL);
  ldb_database_repair_async (path, destination, progress != NULL ? ldb_closure_progress : NULL,
                             ldb_closure_hold (progress), ldb_closure_release, cancellable,
                             callback, user_data);
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
