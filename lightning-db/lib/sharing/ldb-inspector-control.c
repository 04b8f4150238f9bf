/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector, control: what it has the running process do.
 */
#include "config.h"

#include "ldb-error-private.h"
#include "ldb-inspector-private.h"

#define OPERATIONS_TYPE "a(sayaaybaay)"

static gpointer
answer_sequence (GVariant *reply, GError **error)
{
  guint64 sequence;
  g_variant_get (reply, "(t)", &sequence);
  return g_memdup2 (&sequence, sizeof sequence);
}

static gboolean
refuse_operations (LdbCall *call, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "The operations of a commit are of the type \"" OPERATIONS_TYPE "\".");
}

static LdbCall *
new_commit (LdbInspector *self, GVariant *operations)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (operations);
  gboolean fits = g_variant_is_of_type (held, G_VARIANT_TYPE (OPERATIONS_TYPE));
  LdbCall *call = ldb_inspector_call_new_long (
      self, "Commit", fits ? g_variant_new ("(@" OPERATIONS_TYPE ")", held) : NULL, "(t)",
      answer_sequence, g_free);
  if (!fits)
    call->run = refuse_operations;
  return call;
}

/**
 * ldb_inspector_request_control:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Asks for control, which the calls that change something need. It is granted if the application
 * allows it: [property@Ldb.Database:control-allowed]. It is lost when that changes.
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED when it is refused, %LDB_ERROR_CLOSED once the
 * connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was granted
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_request_control (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new (self, "RequestControl", NULL, NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_request_control_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.request_control], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_request_control_async (LdbInspector *self, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "RequestControl", NULL, NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_request_control_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_request_control_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.request_control_async].
 *
 * Returns: %TRUE if it was granted
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_request_control_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_request_control_async, error);
}

/**
 * ldb_inspector_flush:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has what is in memory only written to files: [method@Ldb.Database.flush].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_flush (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new_long (self, "Flush", NULL, NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_flush_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.flush], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_flush_async (LdbInspector *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new_long (self, "Flush", NULL, NULL, NULL, NULL);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_flush_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_flush_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.flush_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_flush_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_flush_async, error);
}

/**
 * ldb_inspector_checkpoint:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the write-ahead log emptied: [method@Ldb.Database.checkpoint].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_checkpoint (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new_long (self, "Checkpoint", NULL, NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_checkpoint_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.checkpoint], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_checkpoint_async (LdbInspector *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new_long (self, "Checkpoint", NULL, NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_checkpoint_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_checkpoint_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.checkpoint_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_checkpoint_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_checkpoint_async, error);
}

/**
 * ldb_inspector_sync:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has all commits so far made durable: [method@Ldb.Database.sync].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_sync (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new_long (self, "Sync", NULL, NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_sync_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.sync], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_sync_async (LdbInspector *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new_long (self, "Sync", NULL, NULL, NULL, NULL);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_sync_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_sync_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.sync_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_sync_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_sync_async, error);
}

/**
 * ldb_inspector_evict_cache:
 * @self: an inspector
 * @fraction: which part, 0 to 1
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has a part of the cache given back: [method@Ldb.Database.evict_cache].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, %LDB_ERROR_CLOSED once the connection
 * has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_evict_cache (LdbInspector *self, double fraction, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call
      = ldb_inspector_call_new (self, "Evict", g_variant_new ("(d)", fraction), NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_evict_cache_async:
 * @self: an inspector
 * @fraction: which part, 0 to 1
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.evict_cache], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_evict_cache_async (LdbInspector *self, double fraction, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call
      = ldb_inspector_call_new (self, "Evict", g_variant_new ("(d)", fraction), NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_evict_cache_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_evict_cache_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.evict_cache_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_evict_cache_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_evict_cache_async, error);
}

static LdbCall *
new_set_budget (LdbInspector *self, guint64 bytes)
{
  return ldb_inspector_call_new_long (self, "SetMemoryBudget", g_variant_new ("(t)", bytes), NULL,
                                      NULL, NULL);
}

/**
 * ldb_inspector_set_memory_budget:
 * @self: an inspector
 * @bytes: the budget, 10,485,760 (10 MiB) or more
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the database keep to another memory budget: [method@Ldb.Database.set_memory_budget].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, the errors of that call,
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: %TRUE if it is in force
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_set_memory_budget (LdbInspector *self, guint64 bytes, GCancellable *cancellable,
                                 GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  return ldb_call_now (new_set_budget (self, bytes), cancellable, error);
}

/**
 * ldb_inspector_set_memory_budget_async:
 * @self: an inspector
 * @bytes: the budget, 10,485,760 (10 MiB) or more
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.set_memory_budget], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_set_memory_budget_async (LdbInspector *self, guint64 bytes, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_set_budget (self, bytes),
      LDB_REPLY (self, ldb_inspector_set_memory_budget_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_set_memory_budget_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.set_memory_budget_async].
 *
 * Returns: %TRUE if it is in force
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_set_memory_budget_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_set_memory_budget_async, error);
}

/**
 * ldb_inspector_commit:
 * @self: an inspector
 * @operations: of the type `a(sayaaybaay)`, see above
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Commits operations, all or none. Each is a store ("" for the default one), a key, the new
 * value (an array of one, or none to delete), whether the old value is to be as expected, and
 * that value (an array of one, or none if there is to be no value).
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED without control, %LDB_ERROR_CONFLICT when an old value
 * is not as expected, %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_CLOSED once the connection has
 * ended. Blocks for the other process; any thread.
 *
 * Returns: the commit; 0 with @error set
 *
 * Since: 0.1
 */
guint64
ldb_inspector_commit (LdbInspector *self, GVariant *operations, GCancellable *cancellable,
                      GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), 0);
  g_autofree guint64 *sequence
      = ldb_call_now_pointer (new_commit (self, operations), cancellable, error);
  return sequence != NULL ? *sequence : 0;
}

/**
 * ldb_inspector_commit_async:
 * @self: an inspector
 * @operations: of the type `a(sayaaybaay)`, see above
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.commit], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_commit_async (LdbInspector *self, GVariant *operations, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_commit (self, operations);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_commit_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_commit_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.commit_async].
 *
 * Returns: the commit; 0 with @error set
 *
 * Since: 0.1
 */
guint64
ldb_inspector_commit_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  g_autofree guint64 *sequence
      = ldb_call_finish_pointer (self, result, ldb_inspector_commit_async, error);
  return sequence != NULL ? *sequence : 0;
}
