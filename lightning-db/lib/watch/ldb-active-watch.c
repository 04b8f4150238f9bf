/* SPDX-License-Identifier: MIT */
/*
 * Watches, entries and lists, as others see them.
 */
#include "config.h"

#include "ldb-active-watch.h"
#include "ldb-database-private.h"
#include "ldb-hub-private.h"

G_DEFINE_BOXED_TYPE (LdbActiveWatch, ldb_active_watch, ldb_active_watch_copy, ldb_active_watch_free)

/**
 * ldb_active_watch_copy:
 * @self: an active watch
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbActiveWatch *
ldb_active_watch_copy (const LdbActiveWatch *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbActiveWatch *copy = g_memdup2 (self, sizeof *self);
  copy->store = g_strdup (self->store);
  copy->start = self->start != NULL ? g_bytes_ref (self->start) : NULL;
  copy->end = self->end != NULL ? g_bytes_ref (self->end) : NULL;
  return copy;
}

/**
 * ldb_active_watch_free:
 * @self: (transfer full) (nullable): an active watch, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_active_watch_free (LdbActiveWatch *self)
{
  if (self == NULL)
    return;
  g_free (self->store);
  g_clear_pointer (&self->start, g_bytes_unref);
  g_clear_pointer (&self->end, g_bytes_unref);
  g_free (self);
}

/**
 * ldb_database_list_watches:
 * @self: a database
 * @error: return location for an error
 *
 * Lists who is told of changes in this process, of all handles: watches, entries and lists. They are
 * counted as gauge “watches” in [class@Ldb.Metrics], too.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbActiveWatch): the watches, in no order
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_watches (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  const LdbDatabase *own;
  LdbHub *hub = NULL;
  if (!ldb_database_is_usable (self, error) || !ldb_share_find_hub (self, &hub, &own, error))
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_active_watch_free);
  if (hub == NULL) /* nobody ever watched */
    return list;
  ldb_hub_list_observers (hub, own, list);
  ldb_hub_unref (hub);
  return list;
}
