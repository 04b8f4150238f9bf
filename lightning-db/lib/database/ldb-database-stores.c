/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, what it gives out: stores, transactions, snapshots, loaders.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-loader-private.h"
#include "ldb-snapshot-private.h"
#include "ldb-store-private.h"
#include "ldb-transaction-private.h"

static gboolean
check_name (const char *name, GError **error)
{
  gsize length = strlen (name);
  if (length == 0 || length > STORE_NAME_SIZE_MAX || !g_utf8_validate (name, -1, NULL))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "\"%s\" is no name for a store: it must be UTF-8 text of 1 to %u bytes.",
                          name, STORE_NAME_SIZE_MAX);
  return TRUE;
}

static gboolean
run_open_store (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  LdbDatabase *database = call->place.database;
  engine_store id = 0;
  gboolean create = (call->flags & LDB_OPEN_CREATE) != 0;
  gboolean read_only = ldb_database_is_read_only (database); /* before the engine is looked up */
  struct engine *engine = ldb_database_enter (database, error);
  if (engine == NULL || !check_name (call->path, error)
      || !ldb_check_flags (call->flags, LDB_OPEN_KNOWN, "LdbOpenFlags", error))
    return FALSE;
  status code = engine_store_open (engine, call->path, create && !read_only, &id, &failure);
  if (code == STATUS_NOT_FOUND)
    return ldb_error_set (error, create ? LDB_ERROR_READ_ONLY : LDB_ERROR_NOT_FOUND,
                          create ? "The store \"%s\" does not exist in \"%s\", and a read-only "
                                   "handle cannot create it."
                                 : "There is no store \"%s\" in \"%s\"; check the name, or ask "
                                   "for it to be created.",
                          call->path, database->path);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  LdbStore *store = g_object_new (LDB_TYPE_STORE, NULL);
  store->name = g_strdup (call->path);
  store->place
      = (LdbPlace){ .database = g_object_ref (database), .store = id, .name = store->name };
  call->result = store;
  return TRUE;
}

/**
 * ldb_database_open_store:
 * @self: a database
 * @name: its name: UTF-8, 1 to 255 bytes
 * @flags: %LDB_OPEN_CREATE to create it when it is missing; other flags do not matter
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a store by name.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_READ_ONLY or
 * %LDB_ERROR_CLOSED, and when it is created as [method@Ldb.Database.put] does. Blocks for the log
 * when it is created; any thread.
 *
 * Returns: (transfer full): the store
 *
 * Since: 0.1
 */
LdbStore *
ldb_database_open_store (LdbDatabase *self, const char *name, LdbOpenFlags flags,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  LdbCall *call = ldb_call_new (run_open_store, &self->place);
  call->path = g_strdup (name);
  call->flags = flags;
  call->result_free = (GDestroyNotify) g_object_unref;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_open_store_async:
 * @self: a database
 * @name: its name: UTF-8, 1 to 255 bytes
 * @flags: %LDB_OPEN_CREATE to create it when it is missing; other flags do not matter
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.open_store], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_open_store_async (LdbDatabase *self, const char *name, LdbOpenFlags flags,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (name != NULL);
  LdbCall *call = ldb_call_new (run_open_store, &self->place);
  call->path = g_strdup (name);
  call->flags = flags;
  call->result_free = (GDestroyNotify) g_object_unref;
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_open_store_async, cancellable, callback, user_data),
                  LDB_WORK_SHORT);
}

/**
 * ldb_database_open_store_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.open_store_async].
 *
 * Returns: (transfer full): the store
 *
 * Since: 0.1
 */
LdbStore *
ldb_database_open_store_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_open_store_async, error);
}

static bool
note_name (void *data, const char *name, engine_store store)
{
  g_hash_table_insert (data, GUINT_TO_POINTER (store), g_strdup (name));
  return true;
}

GHashTable *
ldb_store_list_names (struct engine *engine, GError **error)
{
  struct failure failure = FAILURE_INIT;
  g_autoptr (GHashTable) names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (!ldb_error_check (error, engine_store_list (engine, note_name, names, &failure), &failure))
    return NULL;
  return g_steal_pointer (&names);
}

static bool
collect_name (void *data, const char *name, engine_store store)
{
  g_strv_builder_add (data, name);
  return true;
}

static gboolean
run_list_stores (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  status code = engine_store_list (engine, collect_name, builder, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  call->result = g_strv_builder_end (builder);
  return TRUE;
}

/**
 * ldb_database_list_stores:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists the stores, with the default one.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_CORRUPT or %LDB_ERROR_IO. Blocks while a page is read;
 * any thread.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names
 *
 * Since: 0.1
 */
char **
ldb_database_list_stores (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  LdbCall *call = ldb_call_new (run_list_stores, &self->place);
  call->result_free = (GDestroyNotify) g_strfreev;
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_list_stores_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.list_stores], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_list_stores_async (LdbDatabase *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_list_stores, &self->place);
  call->result_free = (GDestroyNotify) g_strfreev;
  ldb_call_start (
      call, LDB_REPLY (self, ldb_database_list_stores_async, cancellable, callback, user_data),
      LDB_WORK_SHORT);
}

/**
 * ldb_database_list_stores_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.list_stores_async].
 *
 * Returns: (transfer full) (array zero-terminated=1): the names
 *
 * Since: 0.1
 */
char **
ldb_database_list_stores_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_list_stores_async, error);
}

static gboolean
run_drop_store (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter_write (call->place.database, error);
  if (engine == NULL || !check_name (call->path, error))
    return FALSE;
  status code = engine_store_drop (engine, call->path, &failure);
  if (code == STATUS_NOT_FOUND)
    return ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                          "There is no store \"%s\" in \"%s\"; check the name.", call->path,
                          call->place.database->path);
  return ldb_error_check (error, code, &failure);
}

/**
 * ldb_database_drop_store:
 * @self: a database
 * @name: its name
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Deletes a store with everything in it, in one commit. The default store is emptied instead.
 *
 * Where it is open it is empty from then on, and writes to it fail with %LDB_ERROR_NOT_FOUND; also
 * when another store of that name is made. Its watches tell that all is gone and are closed, as are
 * entries, which have no value any more, and lists, which become empty; new ones are refused with
 * %LDB_ERROR_NOT_FOUND.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, and as [method@Ldb.Database.put] does. Blocks for the log; any
 * thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_drop_store (LdbDatabase *self, const char *name, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  LdbCall *call = ldb_call_new (run_drop_store, &self->place);
  call->path = g_strdup (name);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_drop_store_async:
 * @self: a database
 * @name: its name
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.drop_store], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_drop_store_async (LdbDatabase *self, const char *name, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (name != NULL);
  LdbCall *call = ldb_call_new (run_drop_store, &self->place);
  call->path = g_strdup (name);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_drop_store_async, cancellable, callback, user_data),
                  LDB_WORK_SHORT);
}

/**
 * ldb_database_drop_store_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.drop_store_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_drop_store_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_drop_store_async, error);
}

/**
 * ldb_database_begin:
 * @self: a database
 * @flags: what the transaction is for
 * @error: return location for an error
 *
 * Begins a transaction, which reads the state as of now. [method@Ldb.Database.run_transaction]
 * begins, commits and retries by itself.
 *
 * Fails with %LDB_ERROR_TOO_MANY_TRANSACTIONS, %LDB_ERROR_READ_ONLY, %LDB_ERROR_CLOSED or
 * %LDB_ERROR_NO_MEMORY. Does not block; any thread.
 *
 * Returns: (transfer full): the transaction
 *
 * Since: 0.1
 */
LdbTransaction *
ldb_database_begin (LdbDatabase *self, LdbTransactionFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_transaction_new (self, flags, error);
}

/**
 * ldb_database_create_snapshot:
 * @self: a database
 * @error: return location for an error
 *
 * Takes a snapshot of the state as of now.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_NO_MEMORY. Does not block; any thread.
 *
 * Returns: (transfer full): the snapshot
 *
 * Since: 0.1
 */
LdbSnapshot *
ldb_database_create_snapshot (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_snapshot_new (self, error);
}

/**
 * ldb_database_create_loader:
 * @self: a database
 * @error: return location for an error
 *
 * Makes a loader, which brings many records in at once.
 *
 * Fails with %LDB_ERROR_READ_ONLY, %LDB_ERROR_CLOSED, %LDB_ERROR_IO or %LDB_ERROR_NO_MEMORY. Does
 * not wait for the disk; any thread.
 *
 * Returns: (transfer full): the loader
 *
 * Since: 0.1
 */
LdbLoader *
ldb_database_create_loader (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_loader_new (self, error);
}
