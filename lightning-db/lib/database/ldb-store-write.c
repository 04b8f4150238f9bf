/* SPDX-License-Identifier: MIT */
/*
 * LdbStore, writing. Every call is its place and one function of ldb-place; LdbDatabase has the
 * same surface, so what changes here changes there.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-store-private.h"

/**
 * ldb_store_put:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value
 * @value_length: its bytes, up to 1 GiB
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts a record into the store, replacing any that has the key, in a commit of its own.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put (LdbStore *self, gconstpointer key, gsize key_length, gconstpointer value,
               gsize value_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_put (&self->place, key, key_length, value, value_length, cancellable, error);
}

/**
 * ldb_store_put_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value; copied
 * @value_length: its bytes, up to 1 GiB
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.put], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_put_async (LdbStore *self, gconstpointer key, gsize key_length, gconstpointer value,
                     gsize value_length, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_store_put_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, key_length), ldb_bytes_copy (value, value_length));
}

/**
 * ldb_store_put_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.put_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_put_async, error);
}

/**
 * ldb_store_put_bytes:
 * @self: a store
 * @key: the key
 * @value: the value
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts a record: [method@Ldb.Store.put] with bytes.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_bytes (LdbStore *self, GBytes *key, GBytes *value, GCancellable *cancellable,
                     GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  gsize key_length, value_length;
  gconstpointer key_data = g_bytes_get_data (key, &key_length);
  gconstpointer value_data = g_bytes_get_data (value, &value_length);
  return ldb_place_put (&self->place, key_data, key_length, value_data, value_length, cancellable,
                        error);
}

/**
 * ldb_store_put_bytes_async:
 * @self: a store
 * @key: the key
 * @value: the value
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.put_bytes], without blocking and without copying the bytes.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_put_bytes_async (LdbStore *self, GBytes *key, GBytes *value, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_store_put_bytes_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, g_bytes_ref (key), g_bytes_ref (value));
}

/**
 * ldb_store_put_bytes_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.put_bytes_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_put_bytes_async, error);
}

/**
 * ldb_store_put_string:
 * @self: a store
 * @key: the key
 * @value: the text
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts text: [method@Ldb.Store.put] without the terminating zeros.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_string (LdbStore *self, const char *key, const char *value, GCancellable *cancellable,
                      GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  return ldb_place_put (&self->place, key, strlen (key), value, strlen (value), cancellable, error);
}

/**
 * ldb_store_put_string_async:
 * @self: a store
 * @key: the key
 * @value: the text
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.put_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_put_string_async (LdbStore *self, const char *key, const char *value,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_store_put_string_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, strlen (key)), ldb_bytes_copy (value, strlen (value)));
}

/**
 * ldb_store_put_string_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.put_string_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_string_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_put_string_async, error);
}

/**
 * ldb_store_put_variant:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: the variant; a floating reference is taken
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts a variant together with its type, in a form that every machine reads.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_variant (LdbStore *self, gconstpointer key, gsize key_length, GVariant *value,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_autoptr (GBytes) bytes = ldb_variant_to_bytes (value);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return ldb_place_put (&self->place, key, key_length, data, length, cancellable, error);
}

/**
 * ldb_store_put_variant_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: the variant; a floating reference is taken
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.put_variant], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_put_variant_async (LdbStore *self, gconstpointer key, gsize key_length, GVariant *value,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_store_put_variant_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, key_length), ldb_variant_to_bytes (value));
}

/**
 * ldb_store_put_variant_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.put_variant_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_store_put_variant_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_put_variant_async, error);
}

/**
 * ldb_store_delete:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key from the store. Deleting what is absent succeeds.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete (LdbStore *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
                  GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_delete (&self->place, key, key_length, cancellable, error);
}

/**
 * ldb_store_delete_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.delete], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_delete_async (LdbStore *self, gconstpointer key, gsize key_length,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_write_async (&self->place,
                         LDB_REPLY (self, ldb_store_delete_async, cancellable, callback, user_data),
                         LDB_WRITE_DELETE, ldb_bytes_copy (key, key_length), NULL);
}

/**
 * ldb_store_delete_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.delete_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_delete_async, error);
}

/**
 * ldb_store_delete_bytes:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key: [method@Ldb.Store.delete] with bytes.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_bytes (LdbStore *self, GBytes *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_delete (&self->place, data, length, cancellable, error);
}

/**
 * ldb_store_delete_bytes_async:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.delete_bytes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_delete_bytes_async (LdbStore *self, GBytes *key, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_store_delete_bytes_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE, g_bytes_ref (key), NULL);
}

/**
 * ldb_store_delete_bytes_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.delete_bytes_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_delete_bytes_async, error);
}

/**
 * ldb_store_delete_string:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key that is text: see [method@Ldb.Store.delete].
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_string (LdbStore *self, const char *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  return ldb_place_delete (&self->place, key, strlen (key), cancellable, error);
}

/**
 * ldb_store_delete_string_async:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.delete_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_delete_string_async (LdbStore *self, const char *key, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_store_delete_string_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE, ldb_bytes_copy (key, strlen (key)), NULL);
}

/**
 * ldb_store_delete_string_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.delete_string_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_string_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_delete_string_async, error);
}

/**
 * ldb_store_delete_range:
 * @self: a store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the
 *   range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the
 *   range
 * @end_length: its bytes; 0 leaves the range open
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes all keys of a range, however many, in one small commit.
 *
 * Fails as [method@Ldb.Database.put] does; %LDB_ERROR_INVALID_ARGUMENT also when the start does
 * not come before the end. Blocks for the log; any thread.
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_range (LdbStore *self, gconstpointer start, gsize start_length, gconstpointer end,
                        gsize end_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_delete_range (&self->place, start, start_length, end, end_length, cancellable,
                                 error);
}

/**
 * ldb_store_delete_range_async:
 * @self: a store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the
 *   range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the
 *   range
 * @end_length: its bytes; 0 leaves the range open
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.delete_range], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_delete_range_async (LdbStore *self, gconstpointer start, gsize start_length,
                              gconstpointer end, gsize end_length, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_store_delete_range_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE_RANGE, ldb_bytes_copy (start, start_length),
      ldb_bytes_copy (end, end_length));
}

/**
 * ldb_store_delete_range_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.delete_range_async].
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_range_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_delete_range_async, error);
}

/**
 * ldb_store_delete_prefix:
 * @self: a store
 * @prefix: (array length=prefix_length) (element-type guint8): what the keys start with
 * @prefix_length: its bytes, at least 1
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes all keys with a prefix, however many, in one small commit.
 *
 * Fails as [method@Ldb.Database.put] does; %LDB_ERROR_INVALID_ARGUMENT for an empty prefix.
 * Blocks for the log; any thread.
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_delete_prefix (&self->place, prefix, prefix_length, cancellable, error);
}

/**
 * ldb_store_delete_prefix_async:
 * @self: a store
 * @prefix: (array length=prefix_length) (element-type guint8): what the keys start with
 * @prefix_length: its bytes, at least 1
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.delete_prefix], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_delete_prefix_async (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_store_delete_prefix_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE_PREFIX, ldb_bytes_copy (prefix, prefix_length), NULL);
}

/**
 * ldb_store_delete_prefix_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.delete_prefix_async].
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_store_delete_prefix_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_delete_prefix_async, error);
}
