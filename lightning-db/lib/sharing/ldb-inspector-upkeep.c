/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector, upkeep: what takes long, and tells how it goes.
 */
#include "config.h"

#include "ldb-inspector-private.h"
#include "ldb-report-private.h"
#include "ldb-visitor-private.h"

static gpointer
answer_report (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) figures = NULL;
  g_autoptr (GVariant) told = NULL;
  const char *file, *reason;
  gint64 page;
  g_variant_get (reply, "(@a{sv}@a(sxs))", &figures, &told);
  GPtrArray *faults = ldb_faults_new ();
  for (gsize i = 0; i < g_variant_n_children (told); i++)
    {
      g_variant_get_child (told, i, "(&sx&s)", &file, &page, &reason);
      ldb_faults_add (faults, file, page >= 0 ? (uint64_t) page : UINT64_MAX, reason);
    }
  return ldb_check_report_from_variant (figures, faults);
}

static gpointer
answer_backup (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) figures = g_variant_get_child_value (reply, 0);
  return ldb_backup_result_from_variant (figures);
}

static LdbCall *
new_compact (LdbInspector *self)
{
  return ldb_inspector_call_new_long (self, "Compact", NULL, NULL, NULL, NULL);
}

static LdbCall *
new_check (LdbInspector *self, LdbCheckFlags flags)
{
  return ldb_inspector_call_new_long (
      self, "Check", g_variant_new ("(b)", (flags & LDB_CHECK_DEEP) != 0), "(a{sv}a(sxs))",
      answer_report, (GDestroyNotify) ldb_check_report_free);
}

static LdbCall *
new_backup (LdbInspector *self, const char *path, LdbBackupFlags flags)
{
  return ldb_inspector_call_new_long (
      self, "Backup", g_variant_new ("(^ayb)", path, (flags & LDB_BACKUP_VERIFY) != 0), "(a{st})",
      answer_backup, (GDestroyNotify) ldb_backup_result_free);
}

/**
 * ldb_inspector_compact:
 * @self: an inspector
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has everything merged to one run: [method@Ldb.Database.compact]. It ends when it is
 * cancelled, and with the connection.
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_compact (LdbInspector *self, LdbProgressFunc progress, gpointer progress_data,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = new_compact (self);
  ldb_call_tell_here (call, progress, progress_data);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_compact_async:
 * @self: an inspector
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.compact], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_compact_async (LdbInspector *self, LdbProgressFunc progress, gpointer progress_data,
                             GDestroyNotify progress_destroy, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_compact (self);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_compact_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_compact_with_closure_async: (rename-to ldb_inspector_compact_async)
 * @self: an inspector
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.compact], without blocking: the form of
 * ldb_inspector_compact_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_compact_with_closure_async (LdbInspector *self, GClosure *progress,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_inspector_compact_async (self, progress != NULL ? ldb_closure_progress : NULL,
                               ldb_closure_hold (progress), ldb_closure_release, cancellable,
                               callback, user_data);
}

/**
 * ldb_inspector_compact_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.compact_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_compact_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_compact_async, error);
}

/**
 * ldb_inspector_check:
 * @self: an inspector
 * @flags: how thoroughly
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the database checked: [method@Ldb.Database.check]. It ends when it is
 * cancelled, and with the connection.
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_inspector_check (LdbInspector *self, LdbCheckFlags flags, LdbProgressFunc progress,
                     gpointer progress_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_check (self, flags);
  ldb_call_tell_here (call, progress, progress_data);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_check_async:
 * @self: an inspector
 * @flags: how thoroughly
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.check], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_check_async (LdbInspector *self, LdbCheckFlags flags, LdbProgressFunc progress,
                           gpointer progress_data, GDestroyNotify progress_destroy,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_check (self, flags);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_check_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_check_with_closure_async: (rename-to ldb_inspector_check_async)
 * @self: an inspector
 * @flags: how thoroughly
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.check], without blocking: the form of
 * ldb_inspector_check_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_check_with_closure_async (LdbInspector *self, LdbCheckFlags flags, GClosure *progress,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_inspector_check_async (self, flags, progress != NULL ? ldb_closure_progress : NULL,
                             ldb_closure_hold (progress), ldb_closure_release, cancellable,
                             callback, user_data);
}

/**
 * ldb_inspector_check_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.check_async].
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_inspector_check_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_check_async, error);
}

/**
 * ldb_inspector_backup:
 * @self: an inspector
 * @path: (type filename): an absolute path, as the running process sees it
 * @flags: how
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has a backup made: [method@Ldb.Database.backup]. It ends when it is
 * cancelled, and with the connection.
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer full): what was done
 *
 * Since: 0.1
 */
LdbBackupResult *
ldb_inspector_backup (LdbInspector *self, const char *path, LdbBackupFlags flags,
                      LdbProgressFunc progress, gpointer progress_data, GCancellable *cancellable,
                      GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  g_return_val_if_fail (path != NULL, NULL);
  LdbCall *call = new_backup (self, path, flags);
  ldb_call_tell_here (call, progress, progress_data);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_backup_async:
 * @self: an inspector
 * @path: (type filename): an absolute path, as the running process sees it
 * @flags: how
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.backup], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_backup_async (LdbInspector *self, const char *path, LdbBackupFlags flags,
                            LdbProgressFunc progress, gpointer progress_data,
                            GDestroyNotify progress_destroy, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  g_return_if_fail (path != NULL);
  LdbCall *call = new_backup (self, path, flags);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_backup_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_backup_with_closure_async: (rename-to ldb_inspector_backup_async)
 * @self: an inspector
 * @path: (type filename): an absolute path, as the running process sees it
 * @flags: how
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.backup], without blocking: the form of
 * ldb_inspector_backup_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_backup_with_closure_async (LdbInspector *self, const char *path, LdbBackupFlags flags,
                                         GClosure *progress, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  g_return_if_fail (path != NULL);
  ldb_inspector_backup_async (self, path, flags, progress != NULL ? ldb_closure_progress : NULL,
                              ldb_closure_hold (progress), ldb_closure_release, cancellable,
                              callback, user_data);
}

/**
 * ldb_inspector_backup_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.backup_async].
 *
 * Returns: (transfer full): what was done
 *
 * Since: 0.1
 */
LdbBackupResult *
ldb_inspector_backup_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_backup_async, error);
}
