/* SPDX-License-Identifier: MIT */
/*
 * Where a key is.
 */
#include "config.h"

#include "engine-storage.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-key-location.h"
#include "ldb-store.h"

G_DEFINE_BOXED_TYPE (LdbKeyLocation, ldb_key_location, ldb_key_location_copy, ldb_key_location_free)

/**
 * ldb_key_location_copy:
 * @self: a location
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbKeyLocation *
ldb_key_location_copy (const LdbKeyLocation *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbKeyLocation *copy = g_memdup2 (self, sizeof *self);
  copy->fault = g_strdup (self->fault);
  return copy;
}

/**
 * ldb_key_location_free:
 * @self: (transfer full) (nullable): a location, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_key_location_free (LdbKeyLocation *self)
{
  if (self == NULL)
    return;
  g_free (self->fault);
  g_free (self);
}

typedef struct
{
  GPtrArray *locations;      /* of LdbKeyLocation; owned */
  GCancellable *cancellable; /* borrowed */
} Search;

static bool
add_location (void *data, const struct engine_location *from)
{
  Search *search = data;
  LdbKeyLocation *location = g_new0 (LdbKeyLocation, 1);
  location->verdict = (LdbLocationVerdict) from->verdict;
  location->decides = from->decides;
  location->in_memory = from->in_memory;
  location->memtable = from->memtable;
  location->run = from->run;
  location->level = from->level;
  location->segment = from->segment;
  location->filter = (LdbFilterKind) from->filter;
  location->filter_loaded = from->filter_loaded;
  location->page = from->page;
  location->slot = from->slot;
  location->heat = (LdbPageHeat) from->heat;
  location->kind = (LdbVersionKind) from->kind;
  location->sequence = from->sequence;
  location->value_size = from->value_size;
  location->blob_file = from->blob_file;
  location->range_delete = from->range_delete;
  location->fault = from->fault != NULL ? g_utf8_make_valid (from->fault->message, -1) : NULL;
  g_ptr_array_add (search->locations, location);
  return !g_cancellable_is_cancelled (search->cancellable);
}

static gboolean
run_locate (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  gsize size;
  const void *data = g_bytes_get_data (call->first, &size);
  struct bytes key = BYTES (data, size);
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL || !ldb_check_key (data, size, &key, error))
    return FALSE;
  Search search = { g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_key_location_free),
                    call->progress.cancellable };
  status code
      = engine_storage_locate (engine, call->place.store, key, add_location, &search, &failure);
  if (!ldb_error_check (error, code, &failure))
    {
      g_ptr_array_unref (search.locations);
      return FALSE;
    }
  call->result = search.locations;
  return TRUE;
}

static LdbCall *
new_locate (const LdbPlace *place, gconstpointer key, gsize key_length)
{
  LdbCall *call = ldb_call_new (run_locate, place);
  call->first = g_bytes_new (key, key != NULL ? key_length : 0);
  call->result_free = (GDestroyNotify) g_ptr_array_unref;
  return call;
}

/**
 * ldb_database_locate_key:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Finds out where a key is: asks each table in memory, then each sorted run, newest first, what it
 * has of the newest commits, also behind the place that decides. It looks past the cache, so that
 * nothing in it changes.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE or
 * %LDB_ERROR_NO_MEMORY. Blocks for the disk; any thread.
 *
 * Returns: (transfer container) (element-type LdbKeyLocation): the places, newest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_locate_key (LdbDatabase *self, LdbStore *store, gconstpointer key, gsize key_length,
                         GCancellable *cancellable, GError **error)
{
  LdbPlace place;
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (store == NULL || LDB_IS_STORE (store), NULL);
  if (!ldb_place_init (&place, self, store, error))
    return NULL;
  return ldb_call_now_pointer (new_locate (&place, key, key_length), cancellable, error);
}

/**
 * ldb_database_locate_key_async:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.locate_key], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_locate_key_async (LdbDatabase *self, LdbStore *store, gconstpointer key,
                               gsize key_length, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  LdbPlace place;
  GError *error = NULL;
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (store == NULL || LDB_IS_STORE (store));
  const LdbReply *reply
      = LDB_REPLY (self, ldb_database_locate_key_async, cancellable, callback, user_data);
  if (ldb_place_init (&place, self, store, &error))
    ldb_call_start (new_locate (&place, key, key_length), reply, LDB_WORK_SHORT);
  else
    ldb_reply_error (reply, error);
}

/**
 * ldb_database_locate_key_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.locate_key_async].
 *
 * Returns: (transfer container) (element-type LdbKeyLocation): the places, newest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_locate_key_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_locate_key_async, error);
}
