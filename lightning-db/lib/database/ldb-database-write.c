/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, writing. Every call is its place and one function of ldb-place; LdbStore has the
 * same surface, so what changes here changes there.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"

/**
 * ldb_database_put:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value
 * @value_length: its bytes, up to 1 GiB
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts a record into the default store, replacing any that has the key, in a commit of its own.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_VALUE_TOO_LARGE,
 * %LDB_ERROR_READ_ONLY, %LDB_ERROR_CLOSED, %LDB_ERROR_NO_SPACE, %LDB_ERROR_IO,
 * %LDB_ERROR_NO_MEMORY, %LDB_ERROR_RATE_LIMITED or %LDB_ERROR_UNKNOWN_OUTCOME; only the last
 * leaves open whether it happened. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put (LdbDatabase *self, gconstpointer key, gsize key_length, gconstpointer value,
                  gsize value_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_put (&self->place, key, key_length, value, value_length, cancellable, error);
}

/**
 * ldb_database_put_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value; copied
 * @value_length: its bytes, up to 1 GiB
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.put], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_put_async (LdbDatabase *self, gconstpointer key, gsize key_length, gconstpointer value,
                        gsize value_length, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_database_put_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, key_length), ldb_bytes_copy (value, value_length));
}

/**
 * ldb_database_put_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.put_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_put_async, error);
}

/**
 * ldb_database_put_bytes:
 * @self: a database
 * @key: the key
 * @value: the value
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts a record: [method@Ldb.Database.put] with bytes.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_bytes (LdbDatabase *self, GBytes *key, GBytes *value, GCancellable *cancellable,
                        GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  gsize key_length, value_length;
  gconstpointer key_data = g_bytes_get_data (key, &key_length);
  gconstpointer value_data = g_bytes_get_data (value, &value_length);
  return ldb_place_put (&self->place, key_data, key_length, value_data, value_length, cancellable,
                        error);
}

/**
 * ldb_database_put_bytes_async:
 * @self: a database
 * @key: the key
 * @value: the value
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.put_bytes], without blocking and without copying the bytes.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_put_bytes_async (LdbDatabase *self, GBytes *key, GBytes *value,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_put_bytes_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, g_bytes_ref (key), g_bytes_ref (value));
}

/**
 * ldb_database_put_bytes_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.put_bytes_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_put_bytes_async, error);
}

/**
 * ldb_database_put_string:
 * @self: a database
 * @key: the key
 * @value: the text
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Puts text: [method@Ldb.Database.put] without the terminating zeros.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_string (LdbDatabase *self, const char *key, const char *value,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  return ldb_place_put (&self->place, key, strlen (key), value, strlen (value), cancellable, error);
}

/**
 * ldb_database_put_string_async:
 * @self: a database
 * @key: the key
 * @value: the text
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.put_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_put_string_async (LdbDatabase *self, const char *key, const char *value,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_put_string_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, strlen (key)), ldb_bytes_copy (value, strlen (value)));
}

/**
 * ldb_database_put_string_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.put_string_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_string_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_put_string_async, error);
}

/**
 * ldb_database_put_variant:
 * @self: a database
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
ldb_database_put_variant (LdbDatabase *self, gconstpointer key, gsize key_length, GVariant *value,
                          GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_autoptr (GBytes) bytes = ldb_variant_to_bytes (value);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return ldb_place_put (&self->place, key, key_length, data, length, cancellable, error);
}

/**
 * ldb_database_put_variant_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: the variant; a floating reference is taken
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.put_variant], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_put_variant_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                GVariant *value, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (value != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_put_variant_async, cancellable, callback, user_data),
      LDB_WRITE_PUT, ldb_bytes_copy (key, key_length), ldb_variant_to_bytes (value));
}

/**
 * ldb_database_put_variant_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.put_variant_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_put_variant_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_put_variant_async, error);
}

/**
 * ldb_database_delete:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key from the default store. Deleting what is absent succeeds.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete (LdbDatabase *self, gconstpointer key, gsize key_length,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_delete (&self->place, key, key_length, cancellable, error);
}

/**
 * ldb_database_delete_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.delete], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_delete_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_write_async (
      &self->place, LDB_REPLY (self, ldb_database_delete_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE, ldb_bytes_copy (key, key_length), NULL);
}

/**
 * ldb_database_delete_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.delete_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_delete_async, error);
}

/**
 * ldb_database_delete_bytes:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key: [method@Ldb.Database.delete] with bytes.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_bytes (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_delete (&self->place, data, length, cancellable, error);
}

/**
 * ldb_database_delete_bytes_async:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.delete_bytes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_delete_bytes_async (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_delete_bytes_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE, g_bytes_ref (key), NULL);
}

/**
 * ldb_database_delete_bytes_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.delete_bytes_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_delete_bytes_async, error);
}

/**
 * ldb_database_delete_string:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Deletes a key that is text: see [method@Ldb.Database.delete].
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_string (LdbDatabase *self, const char *key, GCancellable *cancellable,
                            GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  return ldb_place_delete (&self->place, key, strlen (key), cancellable, error);
}

/**
 * ldb_database_delete_string_async:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.delete_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_delete_string_async (LdbDatabase *self, const char *key, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_delete_string_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE, ldb_bytes_copy (key, strlen (key)), NULL);
}

/**
 * ldb_database_delete_string_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.delete_string_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_string_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_delete_string_async, error);
}

/**
 * ldb_database_delete_range:
 * @self: a database
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
ldb_database_delete_range (LdbDatabase *self, gconstpointer start, gsize start_length,
                           gconstpointer end, gsize end_length, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_delete_range (&self->place, start, start_length, end, end_length, cancellable,
                                 error);
}

/**
 * ldb_database_delete_range_async:
 * @self: a database
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
 * The same as [method@Ldb.Database.delete_range], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_delete_range_async (LdbDatabase *self, gconstpointer start, gsize start_length,
                                 gconstpointer end, gsize end_length, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_delete_range_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE_RANGE, ldb_bytes_copy (start, start_length),
      ldb_bytes_copy (end, end_length));
}

/**
 * ldb_database_delete_range_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.delete_range_async].
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_range_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_delete_range_async, error);
}

/**
 * ldb_database_delete_prefix:
 * @self: a database
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
ldb_database_delete_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                            GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_delete_prefix (&self->place, prefix, prefix_length, cancellable, error);
}

/**
 * ldb_database_delete_prefix_async:
 * @self: a database
 * @prefix: (array length=prefix_length) (element-type guint8): what the keys start with
 * @prefix_length: its bytes, at least 1
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.delete_prefix], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_delete_prefix_async (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_write_async (
      &self->place,
      LDB_REPLY (self, ldb_database_delete_prefix_async, cancellable, callback, user_data),
      LDB_WRITE_DELETE_PREFIX, ldb_bytes_copy (prefix, prefix_length), NULL);
}

/**
 * ldb_database_delete_prefix_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.delete_prefix_async].
 *
 * Returns: %TRUE if they are gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_delete_prefix_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_delete_prefix_async, error);
}
