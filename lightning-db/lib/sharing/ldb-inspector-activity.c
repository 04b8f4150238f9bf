/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector, the work that is going on: slow operations, transactions, held states, hot keys, who watches
 * and what he was told, one get step by step.
 */
#include "config.h"

#include "ldb-error-private.h"
#include "ldb-inspector-private.h"
#include "ldb-visitor-private.h"

/* ---- answers ---- */

static GPtrArray *
list_of (GVariant *all, gpointer (*from_variant) (GVariant *dictionary), GDestroyNotify free)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (free);
  for (gsize i = 0; i < g_variant_n_children (all); i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (all, i);
      g_ptr_array_add (list, from_variant (one));
    }
  return list;
}

static gpointer
answer_slow_operations (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_slow_operation_from_variant, (GDestroyNotify) ldb_slow_operation_free);
}

static gpointer
answer_transactions (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_active_transaction_from_variant,
                  (GDestroyNotify) ldb_active_transaction_free);
}

static gpointer
answer_transaction_keys (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_transaction_key_from_variant, (GDestroyNotify) ldb_transaction_key_free);
}

static gpointer
answer_snapshots (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_held_snapshot_from_variant, (GDestroyNotify) ldb_held_snapshot_free);
}

static gpointer
answer_watches (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_active_watch_from_variant, (GDestroyNotify) ldb_active_watch_free);
}

static gpointer
answer_deliveries (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  return list_of (all, ldb_watch_delivery_from_variant, (GDestroyNotify) ldb_watch_delivery_free);
}

static gpointer
answer_trace (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) figures = g_variant_get_child_value (reply, 0);
  return ldb_trace_from_variant (figures);
}

/* The list, and out of how many. */
typedef struct
{
  GPtrArray *keys; /* of LdbHotKey; owned */
  guint64 total;   /* of all keys */
} HotKeys;

static void
hot_keys_free (gpointer data)
{
  HotKeys *self = data;
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_free (self);
}

static gpointer
answer_hot_keys (GVariant *reply, GError **error)
{
  HotKeys *answer = g_new0 (HotKeys, 1);
  g_autoptr (GVariant) all = NULL;
  g_variant_get (reply, "(t@aa{sv})", &answer->total, &all);
  answer->keys = list_of (all, ldb_hot_key_from_variant, (GDestroyNotify) ldb_hot_key_free);
  return answer;
}

/* Takes the answer, which may be NULL, over. */
static GPtrArray *
give_hot_keys (HotKeys *answer, guint64 *total)
{
  if (answer == NULL)
    return NULL;
  GPtrArray *keys = g_steal_pointer (&answer->keys);
  if (total != NULL)
    *total = answer->total;
  hot_keys_free (answer);
  return keys;
}

/* ---- calls ---- */

static LdbCall *
new_list_slow_operations (LdbInspector *self, guint64 after)
{
  return ldb_inspector_call_new (self, "ListSlowOperations", g_variant_new ("(t)", after),
                                 "(aa{sv})", answer_slow_operations,
                                 (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_slow_operations:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the operations that took long, as [method@Ldb.Database.list_slow_operations] does there.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbSlowOperation): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_slow_operations (LdbInspector *self, guint64 after, GCancellable *cancellable,
                                    GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_slow_operations (self, after);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_slow_operations_async:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_slow_operations], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_slow_operations_async (LdbInspector *self, guint64 after,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_slow_operations (self, after);
  ldb_call_start (
      call,
      LDB_REPLY (self, ldb_inspector_list_slow_operations_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_slow_operations_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_slow_operations_async].
 *
 * Returns: (transfer container) (element-type LdbSlowOperation): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_slow_operations_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_slow_operations_async, error);
}

static LdbCall *
new_list_transactions (LdbInspector *self)
{
  return ldb_inspector_call_new (self, "ListTransactions", NULL, "(aa{sv})", answer_transactions,
                                 (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_transactions:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the read-write transactions that are open there, as [method@Ldb.Database.list_transactions]
 * does.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbActiveTransaction): the transactions, the newest first, up to
 *   1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_transactions (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_transactions (self);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_transactions_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_transactions], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_transactions_async (LdbInspector *self, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_transactions (self);
  ldb_call_start (
      call,
      LDB_REPLY (self, ldb_inspector_list_transactions_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_transactions_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_transactions_async].
 *
 * Returns: (transfer container) (element-type LdbActiveTransaction): the transactions, the newest first, up to
 *   1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_transactions_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_transactions_async, error);
}

static LdbCall *
new_list_transaction_keys (LdbInspector *self, guint64 id)
{
  return ldb_inspector_call_new (self, "ListTransactionKeys", g_variant_new ("(t)", id), "(aa{sv})",
                                 answer_transaction_keys, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_transaction_keys:
 * @self: an inspector
 * @id: the number of a transaction, as in [struct@Ldb.ActiveTransaction]
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the keys of a transaction, as [method@Ldb.Database.list_transaction_keys] does there.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when no transaction of that number is open (any more),
 * %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer container) (element-type LdbTransactionKey): the keys and ranges
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_transaction_keys (LdbInspector *self, guint64 id, GCancellable *cancellable,
                                     GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_transaction_keys (self, id);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_transaction_keys_async:
 * @self: an inspector
 * @id: the number of a transaction, as in [struct@Ldb.ActiveTransaction]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_transaction_keys], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_transaction_keys_async (LdbInspector *self, guint64 id,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_transaction_keys (self, id);
  ldb_call_start (
      call,
      LDB_REPLY (self, ldb_inspector_list_transaction_keys_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_transaction_keys_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_transaction_keys_async].
 *
 * Returns: (transfer container) (element-type LdbTransactionKey): the keys and ranges
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_transaction_keys_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_transaction_keys_async, error);
}

static LdbCall *
new_list_snapshots (LdbInspector *self)
{
  return ldb_inspector_call_new (self, "ListSnapshots", NULL, "(aa{sv})", answer_snapshots,
                                 (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_snapshots:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the states that are held there, as [method@Ldb.Database.list_snapshots] does.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbHeldSnapshot): the states, the oldest first, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_snapshots (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_snapshots (self);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_snapshots_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_snapshots], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_snapshots_async (LdbInspector *self, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_snapshots (self);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_snapshots_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_snapshots_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_snapshots_async].
 *
 * Returns: (transfer container) (element-type LdbHeldSnapshot): the states, the oldest first, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_snapshots_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_snapshots_async, error);
}

static LdbCall *
new_list_hot_keys (LdbInspector *self, LdbHotKeyKind kind)
{
  return ldb_inspector_call_new (self, "ListHotKeys", g_variant_new ("(u)", (guint32) kind),
                                 "(taa{sv})", answer_hot_keys, hot_keys_free);
}

/**
 * ldb_inspector_list_hot_keys:
 * @self: an inspector
 * @kind: what happens to them
 * @total: (out) (optional): return location for how often it happened to all keys
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the keys that something happens to most, as [method@Ldb.Database.list_hot_keys] does there.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbHotKey): the keys, the hottest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_hot_keys (LdbInspector *self, LdbHotKeyKind kind, guint64 *total,
                             GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_hot_keys (self, kind);
  return give_hot_keys (ldb_call_now_pointer (call, cancellable, error), total);
}

/**
 * ldb_inspector_list_hot_keys_async:
 * @self: an inspector
 * @kind: what happens to them
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_hot_keys], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_hot_keys_async (LdbInspector *self, LdbHotKeyKind kind,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_hot_keys (self, kind);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_hot_keys_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_hot_keys_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @total: (out) (optional): return location for how often it happened to all keys
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_hot_keys_async].
 *
 * Returns: (transfer container) (element-type LdbHotKey): the keys, the hottest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_hot_keys_finish (LdbInspector *self, GAsyncResult *result, guint64 *total,
                                    GError **error)
{
  return give_hot_keys (
      ldb_call_finish_pointer (self, result, ldb_inspector_list_hot_keys_async, error), total);
}

static LdbCall *
new_list_watches (LdbInspector *self)
{
  return ldb_inspector_call_new (self, "ListWatches", NULL, "(aa{sv})", answer_watches,
                                 (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_watches:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists who is told of changes there, as [method@Ldb.Database.list_watches] does.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbActiveWatch): the watches, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_watches (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_watches (self);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_watches_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_watches], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_watches_async (LdbInspector *self, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_watches (self);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_watches_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_watches_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_watches_async].
 *
 * Returns: (transfer container) (element-type LdbActiveWatch): the watches, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_watches_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_watches_async, error);
}

static LdbCall *
new_list_deliveries (LdbInspector *self, guint64 after)
{
  return ldb_inspector_call_new (self, "ListDeliveries", g_variant_new ("(t)", after), "(aa{sv})",
                                 answer_deliveries, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * ldb_inspector_list_deliveries:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists what watches, entries and lists were told, as [method@Ldb.Database.list_deliveries] does there: they
 * are noted from the first call on, and for ten seconds after the last one.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer container) (element-type LdbWatchDelivery): those with a number above @after, the oldest
 *   first, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_deliveries (LdbInspector *self, guint64 after, GCancellable *cancellable,
                               GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_list_deliveries (self, after);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_deliveries_async:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_deliveries], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_deliveries_async (LdbInspector *self, guint64 after, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_list_deliveries (self, after);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_deliveries_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_deliveries_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_deliveries_async].
 *
 * Returns: (transfer container) (element-type LdbWatchDelivery): those with a number above @after, the oldest
 *   first, up to 1,000
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_deliveries_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_deliveries_async, error);
}

static LdbCall *
new_trace_get (LdbInspector *self, const char *store, gconstpointer key, gsize key_length)
{
  return ldb_inspector_call_new (
      self, "TraceGet",
      g_variant_new ("(s@ay)", store != NULL ? store : "", ldb_inspector_bytes (key, key_length)),
      "(a{sv})", answer_trace, (GDestroyNotify) ldb_trace_free);
}

/**
 * ldb_inspector_trace_get:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a key up there, step by step, as [method@Ldb.Database.trace_get] does.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended, and as that does. Blocks for the other process;
 * any thread.
 *
 * Returns: (transfer full): the trace
 *
 * Since: 0.1
 */
LdbTrace *
ldb_inspector_trace_get (LdbInspector *self, const char *store, gconstpointer key, gsize key_length,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_trace_get (self, store, key, key_length);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_trace_get_async:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.trace_get], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_trace_get_async (LdbInspector *self, const char *store, gconstpointer key,
                               gsize key_length, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_trace_get (self, store, key, key_length);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_trace_get_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_trace_get_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.trace_get_async].
 *
 * Returns: (transfer full): the trace
 *
 * Since: 0.1
 */
LdbTrace *
ldb_inspector_trace_get_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_trace_get_async, error);
}

static LdbCall *
new_abort_transaction (LdbInspector *self, guint64 id)
{
  return ldb_inspector_call_new (self, "AbortTransaction", g_variant_new ("(t)", id), NULL, NULL,
                                 NULL);
}

/**
 * ldb_inspector_abort_transaction:
 * @self: an inspector
 * @id: the number of a transaction
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Rolls a transaction back, as [method@Ldb.Database.abort_transaction] does there. Needs control.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended,
 * %LDB_ERROR_PERMISSION_DENIED without control, %LDB_ERROR_INVALID_ARGUMENT when it is not open. Blocks for the other process;
 * any thread.
 *
 * Returns: whether it was rolled back
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_abort_transaction (LdbInspector *self, guint64 id, GCancellable *cancellable,
                                 GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = new_abort_transaction (self, id);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_abort_transaction_async:
 * @self: an inspector
 * @id: the number of a transaction
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.abort_transaction], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_abort_transaction_async (LdbInspector *self, guint64 id, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_abort_transaction (self, id);
  ldb_call_start (
      call,
      LDB_REPLY (self, ldb_inspector_abort_transaction_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_abort_transaction_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.abort_transaction_async].
 *
 * Returns: whether it was rolled back
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_abort_transaction_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_abort_transaction_async, error);
}
