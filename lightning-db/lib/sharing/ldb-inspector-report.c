/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector: a report on the running process's database.
 */
#include "config.h"

#include "ldb-facts-private.h"
#include "ldb-inspector-private.h"

static gboolean
run_report (LdbCall *call, GError **error)
{
  LdbReportSource source = { .inspector = LDB_INSPECTOR (call->subject) };
  call->result = ldb_report_write (&source, (LdbReportFormat) call->number, call->flags,
                                   call->cancellable, error);
  return call->result != NULL;
}

static LdbCall *
new_report (LdbInspector *self, LdbReportFormat format, LdbReportFlags flags)
{
  LdbCall *call = ldb_call_new (run_report, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->number = (guint64) format;
  call->flags = flags;
  call->result_free = g_free;
  return call;
}

/**
 * ldb_inspector_generate_report:
 * @self: an inspector
 * @format: how it is written
 * @flags: whether it tells keys
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes a report on the database of the running application: see
 * [method@Ldb.Database.generate_report]. It is written here, of what the application tells: its health,
 * statistics, storage, timings and options as they are there.
 *
 * Fails with the errors of what it asks for, %LDB_ERROR_INVALID_ARGUMENT, and %LDB_ERROR_CLOSED once the
 * connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer full): the report, UTF-8
 *
 * Since: 0.1
 */
char *
ldb_inspector_generate_report (LdbInspector *self, LdbReportFormat format, LdbReportFlags flags,
                               GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (new_report (self, format, flags), cancellable, error);
}

/**
 * ldb_inspector_generate_report_async:
 * @self: an inspector
 * @format: how it is written
 * @flags: whether it tells keys
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.generate_report], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_generate_report_async (LdbInspector *self, LdbReportFormat format,
                                     LdbReportFlags flags, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_report (self, format, flags),
      LDB_REPLY (self, ldb_inspector_generate_report_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_generate_report_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.generate_report_async].
 *
 * Returns: (transfer full): the report, UTF-8
 *
 * Since: 0.1
 */
char *
ldb_inspector_generate_report_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_generate_report_async, error);
}
