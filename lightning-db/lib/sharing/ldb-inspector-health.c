/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector: health and events of the running process's database.
 */
#include "config.h"

#include "ldb-event-private.h"
#include "ldb-health-private.h"
#include "ldb-inspector-private.h"

static gpointer
answer_health (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) health = g_variant_get_child_value (reply, 0);
  return ldb_health_from_variant (health);
}

static gpointer
answer_events (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (reply, 0);
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_event_free);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (list, i);
      g_ptr_array_add (events, ldb_event_from_variant (one));
    }
  return events;
}

/**
 * ldb_inspector_examine_health:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the application examine the database: see [method@Ldb.Database.examine_health].
 *
 * Blocks until the other process has answered; any thread.
 *
 * Returns: (transfer full): the verdict
 *
 * Since: 0.1
 */
LdbHealth *
ldb_inspector_examine_health (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call
      = ldb_inspector_call_new_long (self, "GetHealth", NULL, "(" LDB_HEALTH_VARIANT_TYPE ")",
                                     answer_health, (GDestroyNotify) ldb_health_unref);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_examine_health_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.examine_health], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_examine_health_async (LdbInspector *self, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call
      = ldb_inspector_call_new_long (self, "GetHealth", NULL, "(" LDB_HEALTH_VARIANT_TYPE ")",
                                     answer_health, (GDestroyNotify) ldb_health_unref);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_examine_health_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_examine_health_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.examine_health_async].
 *
 * Returns: (transfer full): the verdict
 *
 * Since: 0.1
 */
LdbHealth *
ldb_inspector_examine_health_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_examine_health_async, error);
}

/**
 * ldb_inspector_list_events:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists what happened to the database: see [method@Ldb.Database.list_events].
 *
 * Blocks until the other process has answered; any thread.
 *
 * Returns: (transfer container) (element-type LdbEvent): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_events (LdbInspector *self, guint64 after, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = ldb_inspector_call_new (self, "ListEvents", g_variant_new ("(t)", after),
                                          "(a" LDB_EVENT_VARIANT_TYPE ")", answer_events,
                                          (GDestroyNotify) g_ptr_array_unref);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_list_events_async:
 * @self: an inspector
 * @after: the number of the last one that is known, or 0
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_events], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_events_async (LdbInspector *self, guint64 after, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "ListEvents", g_variant_new ("(t)", after),
                                          "(a" LDB_EVENT_VARIANT_TYPE ")", answer_events,
                                          (GDestroyNotify) g_ptr_array_unref);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_list_events_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_events_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_events_async].
 *
 * Returns: (transfer container) (element-type LdbEvent): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_events_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_events_async, error);
}

/**
 * ldb_inspector_follow_events:
 * @self: an inspector
 * @follow: whether it is to
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has [signal@Ldb.Inspector::event] tell of each event of the database from now on, or no longer.
 *
 * Blocks until the other process has answered; any thread.
 *
 * Returns: %TRUE if that is so
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_follow_events (LdbInspector *self, gboolean follow, GCancellable *cancellable,
                             GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new (self, "FollowEvents",
                                          g_variant_new ("(b)", follow != FALSE), NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_follow_events_async:
 * @self: an inspector
 * @follow: whether it is to
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.follow_events], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_follow_events_async (LdbInspector *self, gboolean follow, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "FollowEvents",
                                          g_variant_new ("(b)", follow != FALSE), NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_follow_events_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_follow_events_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.follow_events_async].
 *
 * Returns: %TRUE if that is so
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_follow_events_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_follow_events_async, error);
}

/**
 * ldb_inspector_apply_remedy:
 * @self: an inspector
 * @issue: what is wrong
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the application do what an issue names as its `action`, if it has that issue now: see
 * [method@Ldb.Database.apply_remedy]. Needs control.
 *
 * Blocks until the other process has answered; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_apply_remedy (LdbInspector *self, const LdbHealthIssue *issue,
                            GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new_long (self, "ApplyRemedy",
                                               g_variant_new ("(s)", issue->id), NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_apply_remedy_async:
 * @self: an inspector
 * @issue: what is wrong
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.apply_remedy], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_apply_remedy_async (LdbInspector *self, const LdbHealthIssue *issue,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new_long (self, "ApplyRemedy",
                                               g_variant_new ("(s)", issue->id), NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_apply_remedy_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_apply_remedy_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.apply_remedy_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_apply_remedy_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_apply_remedy_async, error);
}
