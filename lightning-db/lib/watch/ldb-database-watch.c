/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, following what is committed.
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-entry-private.h"
#include "ldb-feed-private.h"
#include "ldb-watch-private.h"

/**
 * ldb_database_watch_key:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches one key of the default store: what is committed to it from now on. The key need not be
 * there.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED,
 * %LDB_ERROR_UNSUPPORTED or %LDB_ERROR_NO_MEMORY. Does not block; any thread, in whose
 * thread-default main context the watch tells.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_database_watch_key (LdbDatabase *self, gconstpointer key, gsize key_length, LdbWatchFlags flags,
                        GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_watch_new_key (&self->place, NULL, key, key_length, flags, error);
}

/**
 * ldb_database_watch_prefix:
 * @self: a database
 * @prefix: (array length=prefix_length) (element-type guint8) (nullable): what the keys begin with;
 *   copied; empty for every key
 * @prefix_length: its bytes
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches all keys of the default store that begin with @prefix: see
 * [method@Ldb.Database.watch_key].
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_database_watch_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                           LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_watch_new_prefix (&self->place, NULL, prefix, prefix_length, flags, error);
}

/**
 * ldb_database_watch_range:
 * @self: a database
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key; copied
 * @start_length: its bytes; 0 to begin at the start
 * @end: (array length=end_length) (element-type guint8) (nullable): the key to end before; copied
 * @end_length: its bytes; 0 to go on to the end
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches the keys of the default store from @start on and before @end: see
 * [method@Ldb.Database.watch_key].
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when the range is empty.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_database_watch_range (LdbDatabase *self, gconstpointer start, gsize start_length,
                          gconstpointer end, gsize end_length, LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_watch_new_range (&self->place, NULL, start, start_length, end, end_length, flags,
                              error);
}

/**
 * ldb_database_watch_all:
 * @self: a database
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches every key of the default store: see [method@Ldb.Database.watch_key].
 *
 * [method@Ldb.Database.watch_stores] watches the other stores too.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_database_watch_all (LdbDatabase *self, LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_watch_new_range (&self->place, NULL, NULL, 0, NULL, 0, flags, error);
}

/**
 * ldb_database_watch_stores:
 * @self: a database
 * @flags: what to tell
 * @error: return location for an error
 *
 * Watches every key of every store, also of those that are created later: see
 * [method@Ldb.Database.watch_key]. Commits are told whole, whichever stores they span.
 *
 * Returns: (transfer full): the watch; it ends with its last reference
 *
 * Since: 0.1
 */
LdbWatch *
ldb_database_watch_stores (LdbDatabase *self, LdbWatchFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_watch_new_stores (&self->place, flags, error);
}

/**
 * ldb_database_watch_entry:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @error: return location for an error
 *
 * Makes an object of a key of the default store, whose properties follow what is committed. The key
 * need not be there.
 *
 * Fails as [method@Ldb.Database.watch_key] does. Does not block: a value that has to be read from
 * the disk comes later. Any thread, in whose thread-default main context the entry notifies.
 *
 * Returns: (transfer full): the entry
 *
 * Since: 0.1
 */
LdbEntry *
ldb_database_watch_entry (LdbDatabase *self, gconstpointer key, gsize key_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_entry_new (&self->place, NULL, key, key_length, error);
}

/**
 * ldb_database_create_feed:
 * @self: a database
 * @since: a commit; 0 for all
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes a feed of all commits behind @since.
 *
 * Fails with %LDB_ERROR_HISTORY_GONE when changes that old are no longer kept: then read
 * everything, in a snapshot, and make a feed behind its sequence number;
 * [property@Ldb.Options:change-retention] keeps more. Fails with %LDB_ERROR_CLOSED,
 * %LDB_ERROR_UNSUPPORTED, %LDB_ERROR_IO or %LDB_ERROR_NO_MEMORY. Blocks while the log is read; any
 * thread.
 *
 * Returns: (transfer full): the feed
 *
 * Since: 0.1
 */
LdbFeed *
ldb_database_create_feed (LdbDatabase *self, guint64 since, GCancellable *cancellable,
                          GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (ldb_feed_new_call (&self->place, since), cancellable, error);
}

/**
 * ldb_database_create_feed_async:
 * @self: a database
 * @since: a commit; 0 for all
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.create_feed], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_create_feed_async (LdbDatabase *self, guint64 since, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (
      ldb_feed_new_call (&self->place, since),
      LDB_REPLY (self, ldb_database_create_feed_async, cancellable, callback, user_data),
      LDB_WORK_SHORT);
}

/**
 * ldb_database_create_feed_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.create_feed_async].
 *
 * Returns: (transfer full): the feed
 *
 * Since: 0.1
 */
LdbFeed *
ldb_database_create_feed_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_create_feed_async, error);
}

/**
 * ldb_database_get_history_start:
 * @self: a database
 * @error: return location for an error
 *
 * Gets the commit behind which changes are still kept: the lowest that
 * [method@Ldb.Database.create_feed] and [method@Ldb.Watch.replay] take. It rises as the log is
 * reused.
 *
 * Fails with %LDB_ERROR_CLOSED. Does not block; any thread.
 *
 * Returns: the sequence number, below 2^53; 0 also when it fails
 *
 * Since: 0.1
 */
guint64
ldb_database_get_history_start (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  struct engine *engine = ldb_database_enter (self, error);
  return engine != NULL ? engine_history_oldest (engine) : 0;
}
