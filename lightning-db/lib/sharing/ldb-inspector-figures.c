/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector, looking: figures, options, stores.
 */
#include "config.h"

#include "ldb-inspector-private.h"
#include "ldb-visitor-private.h"

/* ---- answers ---- */

static gpointer
answer_stats (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) figures = g_variant_get_child_value (reply, 0);
  return ldb_stats_from_variant (figures);
}

static gpointer
answer_options (GVariant *reply, GError **error)
{
  GHashTable *options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GVariant) all = g_variant_get_child_value (reply, 0);
  char *name, *text;
  for (gsize i = 0; i < g_variant_n_children (all); i++)
    {
      g_variant_get_child (all, i, "{ss}", &name, &text);
      g_hash_table_replace (options, name, text);
    }
  return options;
}

static gpointer
answer_names (GVariant *reply, GError **error)
{
  char **names;
  g_variant_get (reply, "(^as)", &names);
  return names;
}

static gpointer
answer_metrics (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) block = g_variant_get_child_value (reply, 0);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (block);
  return ldb_metrics_new_from_bytes (bytes, error);
}

/* ---- looking ---- */

/**
 * ldb_inspector_get_stats:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets what the database has done since it was opened, and what it looks like now.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any
 * thread.
 *
 * Returns: (transfer full): the statistics
 *
 * Since: 0.1
 */
LdbStats *
ldb_inspector_get_stats (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = ldb_inspector_call_new (self, "GetStatistics", NULL, "(a{sv})", answer_stats,
                                          (GDestroyNotify) ldb_stats_free);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_get_stats_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.get_stats], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_get_stats_async (LdbInspector *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "GetStatistics", NULL, "(a{sv})", answer_stats,
                                          (GDestroyNotify) ldb_stats_free);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_get_stats_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_get_stats_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.get_stats_async].
 *
 * Returns: (transfer full): the statistics
 *
 * Since: 0.1
 */
LdbStats *
ldb_inspector_get_stats_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_get_stats_async, error);
}

/**
 * ldb_inspector_get_options:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets the options in force, as text, by the names of the properties of [class@Ldb.Options].
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any
 * thread.
 *
 * Returns: (transfer container) (element-type utf8 utf8): the options
 *
 * Since: 0.1
 */
GHashTable *
ldb_inspector_get_options (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = ldb_inspector_call_new (self, "GetOptions", NULL, "(a{ss})", answer_options,
                                          (GDestroyNotify) g_hash_table_unref);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_get_options_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.get_options], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_get_options_async (LdbInspector *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "GetOptions", NULL, "(a{ss})", answer_options,
                                          (GDestroyNotify) g_hash_table_unref);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_get_options_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_get_options_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.get_options_async].
 *
 * Returns: (transfer container) (element-type utf8 utf8): the options
 *
 * Since: 0.1
 */
GHashTable *
ldb_inspector_get_options_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_get_options_async, error);
}

/**
 * ldb_inspector_list_stores:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the stores, the default one among them.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any
 * thread.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names
 *
 * Since: 0.1
 */
char **
ldb_inspector_list_stores (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = ldb_inspector_call_new (self, "ListStores", NULL, "(as)", answer_names,
                                          (GDestroyNotify) g_strfreev);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_stores_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_stores], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_stores_async (LdbInspector *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "ListStores", NULL, "(as)", answer_names,
                                          (GDestroyNotify) g_strfreev);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_stores_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_stores_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_stores_async].
 *
 * Returns: (transfer full) (array zero-terminated=1): their names
 *
 * Since: 0.1
 */
char **
ldb_inspector_list_stores_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_stores_async, error);
}

/**
 * ldb_inspector_get_metrics:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a copy of what the database counts, as it is now: the properties of the result stand still, and its
 * rates are 0. [method@Ldb.RunningDatabase.get_metrics] costs the application nothing and answers also while that is
 * stopped; this is for where no counters are shared: no memory file system, another sandbox.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended, and with %LDB_ERROR_UNSUPPORTED when the other
 * process counts in a way that this version does not know. Blocks for the other process; any thread.
 *
 * Returns: (transfer full): the metrics
 *
 * Since: 0.1
 */
LdbMetrics *
ldb_inspector_get_metrics (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (
      ldb_inspector_call_new (self, "GetMetrics", NULL, "(ay)", answer_metrics, g_object_unref),
      cancellable, error);
}

/**
 * ldb_inspector_get_metrics_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.get_metrics], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_get_metrics_async (LdbInspector *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      ldb_inspector_call_new (self, "GetMetrics", NULL, "(ay)", answer_metrics, g_object_unref),
      LDB_REPLY (self, ldb_inspector_get_metrics_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_get_metrics_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.get_metrics_async].
 *
 * Returns: (transfer full): the metrics
 *
 * Since: 0.1
 */
LdbMetrics *
ldb_inspector_get_metrics_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_get_metrics_async, error);
}
