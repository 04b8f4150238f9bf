/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-hub-private.h"
#include "ldb-watch-delivery.h"

G_DEFINE_BOXED_TYPE (LdbWatchDelivery, ldb_watch_delivery, ldb_watch_delivery_copy,
                     ldb_watch_delivery_free)

/**
 * ldb_watch_delivery_copy:
 * @self: a delivery
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbWatchDelivery *
ldb_watch_delivery_copy (const LdbWatchDelivery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_watch_delivery_free:
 * @self: (transfer full) (nullable): a delivery, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_delivery_free (LdbWatchDelivery *self)
{
  g_free (self);
}

/**
 * ldb_database_list_deliveries:
 * @self: a database
 * @after: the number of the last one that is known, or 0
 * @error: return location for an error
 *
 * Lists what watches, entries and lists were told, of all handles of this process: when, how much, and
 * when it had been committed.
 *
 * Deliveries are noted from the first call on, and for ten seconds after the last one: who wants to
 * follow them calls again and again. The newest 1,024 are kept. While nobody asks nothing is noted, and
 * neither commits nor deliveries take any longer. Times of commits are those when they became visible,
 * to about a millisecond; where the library had no core meanwhile, that of an earlier commit is told,
 * never of a later one.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbWatchDelivery): those with a number above @after, the oldest
 *   first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_deliveries (LdbDatabase *self, guint64 after, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  const LdbDatabase *own;
  LdbHub *hub = NULL;
  if (!ldb_database_is_usable (self, error) || !ldb_share_find_hub (self, &hub, &own, error))
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_watch_delivery_free);
  if (hub == NULL)
    return list;
  ldb_hub_list_deliveries (hub, after, list);
  ldb_hub_unref (hub);
  return list;
}
