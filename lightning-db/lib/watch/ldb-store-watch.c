/* SPDX-License-Identifier: MIT */
/*
 * LdbStore, following what is committed.
 */
#include "config.h"

#include "ldb-entry-private.h"
#include "ldb-store-private.h"
#include "ldb-watch-private.h"

/**
 * ldb_store_watch_key:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches one key: what is committed to it from now on. The key need not be there.
 *
 * When the store is dropped the watch tells that its key is gone, if it was there, and is closed
 * ([property@Ldb.Watch:closed]). A store of that name that is made later is another one.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED,
 * %LDB_ERROR_NOT_FOUND if the store was dropped, %LDB_ERROR_UNSUPPORTED or %LDB_ERROR_NO_MEMORY.
 * Does not block: of a store that was dropped in another process, a watch may be made and closes
 * then. Any thread, in whose thread-default main context the watch tells.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_store_watch_key (LdbStore *self, gconstpointer key, gsize key_length, LdbWatchFlags flags,
                     GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_watch_new_key (&self->place, self, key, key_length, flags, error);
}

/**
 * ldb_store_watch_prefix:
 * @self: a store
 * @prefix: (array length=prefix_length) (element-type guint8) (nullable): what the keys begin with;
 *   copied; empty for every key
 * @prefix_length: its bytes
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches all keys that begin with @prefix: see [method@Ldb.Store.watch_key].
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_store_watch_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                        LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_watch_new_prefix (&self->place, self, prefix, prefix_length, flags, error);
}

/**
 * ldb_store_watch_range:
 * @self: a store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key; copied
 * @start_length: its bytes; 0 to begin at the start
 * @end: (array length=end_length) (element-type guint8) (nullable): the key to end before; copied
 * @end_length: its bytes; 0 to go on to the end
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches the keys from @start on and before @end: see [method@Ldb.Store.watch_key].
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when the range is empty.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_store_watch_range (LdbStore *self, gconstpointer start, gsize start_length, gconstpointer end,
                       gsize end_length, LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_watch_new_range (&self->place, self, start, start_length, end, end_length, flags,
                              error);
}

/**
 * ldb_store_watch_all:
 * @self: a store
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches every key: see [method@Ldb.Store.watch_key].
 *
 * When the store is dropped, that is a deleted range, the last thing the watch tells before it is
 * closed.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_store_watch_all (LdbStore *self, LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_watch_new_range (&self->place, self, NULL, 0, NULL, 0, flags, error);
}

/**
 * ldb_store_watch_entry:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @error: return location for an error
 *
 * Makes an object of a key, whose properties follow what is committed. The key need not be there.
 *
 * Fails as [method@Ldb.Store.watch_key] does. Does not block: a value that has to be read from the
 * disk comes later. Any thread, in whose thread-default main context the entry notifies.
 *
 * Returns: (transfer full): the entry
 *
 * Since: 0.1
 */
LdbEntry *
ldb_store_watch_entry (LdbStore *self, gconstpointer key, gsize key_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_entry_new (&self->place, self, key, key_length, error);
}
