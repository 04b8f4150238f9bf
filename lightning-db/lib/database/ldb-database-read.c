/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, reading. Every call is its place and one function of ldb-place; LdbStore has the
 * same surface, so what changes here changes there.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"

/**
 * ldb_database_get:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value from the default store. Small values are copied; larger ones are lent by the
 * cache, without a copy, for as long as the bytes live.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT or %LDB_ERROR_KEY_TOO_LARGE for what is no key,
 * %LDB_ERROR_CLOSED, %LDB_ERROR_CORRUPT, %LDB_ERROR_IO, %LDB_ERROR_NO_MEMORY or
 * %LDB_ERROR_RATE_LIMITED. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_database_get (LdbDatabase *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
                  GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_place_get (&self->place, key, key_length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_database_get_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.get], without blocking. What memory can answer takes no detour
 * over another thread.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_get_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_get_async (&self->place,
                       LDB_REPLY (self, ldb_database_get_async, cancellable, callback, user_data),
                       key, key_length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_database_get_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.get_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_database_get_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_get_async, error);
}

/**
 * ldb_database_lookup:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (out) (transfer full) (nullable) (array length=value_length) (element-type guint8): the
 *   value; %NULL when it is empty or there is none
 * @value_length: (out): its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a value of the default store up and copies it.
 *
 * The cheapest read from Python and JavaScript, which make their own bytes of the copy. In C,
 * [method@Ldb.Database.get] shares large values instead.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_database_lookup (LdbDatabase *self, gconstpointer key, gsize key_length, guint8 **value,
                     gsize *value_length, GCancellable *cancellable, GError **error)
{
  *value = NULL;
  *value_length = 0;
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_copy (&self->place, key, key_length, value, value_length, cancellable, error);
}

/**
 * ldb_database_get_bytes:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value: [method@Ldb.Database.get] with bytes.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_database_get_bytes (LdbDatabase *self, GBytes *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_get (&self->place, data, length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_database_get_bytes_async:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.get_bytes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_get_bytes_async (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  ldb_place_get_async (
      &self->place,
      LDB_REPLY (self, ldb_database_get_bytes_async, cancellable, callback, user_data), data,
      length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_database_get_bytes_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.get_bytes_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_database_get_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_get_bytes_async, error);
}

/**
 * ldb_database_get_string:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value as text.
 *
 * Fails as [method@Ldb.Database.get] does, and with %LDB_ERROR_WRONG_TYPE when the value is not
 * UTF-8. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there is none
 *
 * Since: 0.1
 */
char *
ldb_database_get_string (LdbDatabase *self, const char *key, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return ldb_place_get (&self->place, key, strlen (key), LDB_FORM_STRING, NULL, cancellable, error);
}

/**
 * ldb_database_get_string_async:
 * @self: a database
 * @key: the key
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.get_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_get_string_async (LdbDatabase *self, const char *key, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (key != NULL);
  ldb_place_get_async (
      &self->place,
      LDB_REPLY (self, ldb_database_get_string_async, cancellable, callback, user_data), key,
      strlen (key), LDB_FORM_STRING, NULL);
}

/**
 * ldb_database_get_string_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.get_string_async].
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there is none
 *
 * Since: 0.1
 */
char *
ldb_database_get_string_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_get_string_async, error);
}

/**
 * ldb_database_get_variant:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value that was put with [method@Ldb.Database.put_variant].
 *
 * Fails as [method@Ldb.Database.get] does, and with %LDB_ERROR_WRONG_TYPE when the value is no
 * variant or one of another type. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_database_get_variant (LdbDatabase *self, gconstpointer key, gsize key_length,
                          const GVariantType *type, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_place_get (&self->place, key, key_length, LDB_FORM_VARIANT, type, cancellable, error);
}

/**
 * ldb_database_get_variant_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.get_variant], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_get_variant_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                const GVariantType *type, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_get_async (
      &self->place,
      LDB_REPLY (self, ldb_database_get_variant_async, cancellable, callback, user_data), key,
      key_length, LDB_FORM_VARIANT, type);
}

/**
 * ldb_database_get_variant_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.get_variant_async].
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_database_get_variant_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_get_variant_async, error);
}

/**
 * ldb_database_get_many:
 * @self: a database
 * @keys: (array length=n_keys): the keys
 * @n_keys: how many
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets many values at one snapshot, faster than one by one.
 *
 * Fails as [method@Ldb.Database.get] does; a message about a key says which one. Blocks while
 * pages are read; any thread.
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an
 *   element is %NULL where there is none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_get_many (LdbDatabase *self, GBytes *const *keys, gsize n_keys,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (keys != NULL || n_keys == 0, NULL);
  return ldb_place_get_many (&self->place, keys, n_keys, cancellable, error);
}

/**
 * ldb_database_get_many_async:
 * @self: a database
 * @keys: (array length=n_keys): the keys
 * @n_keys: how many
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.get_many], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_get_many_async (LdbDatabase *self, GBytes *const *keys, gsize n_keys,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (keys != NULL || n_keys == 0);
  ldb_place_get_many_async (
      &self->place, LDB_REPLY (self, ldb_database_get_many_async, cancellable, callback, user_data),
      keys, n_keys);
}

/**
 * ldb_database_get_many_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.get_many_async].
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an
 *   element is %NULL where there is none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_get_many_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_get_many_async, error);
}

/**
 * ldb_database_contains:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Whether there is a value, without handing it out.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_database_contains (LdbDatabase *self, gconstpointer key, gsize key_length,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_place_contains (&self->place, key, key_length, cancellable, error);
}

/**
 * ldb_database_contains_async:
 * @self: a database
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.contains], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_contains_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_place_contains_async (
      &self->place, LDB_REPLY (self, ldb_database_contains_async, cancellable, callback, user_data),
      key, key_length);
}

/**
 * ldb_database_contains_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.contains_async].
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_database_contains_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_contains_async, error);
}

/**
 * ldb_database_scan:
 * @self: a database
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the
 *   range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the
 *   range
 * @end_length: its bytes; 0 leaves the range open
 * @flags: how to go through it
 * @error: return location for an error
 *
 * Makes a cursor over a range of the default store, at a snapshot taken now.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when the start does not come before the end,
 * %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED or %LDB_ERROR_NO_MEMORY. Does not block; any
 * thread.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_database_scan (LdbDatabase *self, gconstpointer start, gsize start_length, gconstpointer end,
                   gsize end_length, LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_place_scan (&self->place, start, start_length, end, end_length, flags, error);
}

/**
 * ldb_database_scan_prefix:
 * @self: a database
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): what the keys start
 *   with
 * @prefix_length: its bytes; 0 for all keys
 * @flags: how to go through them
 * @error: return location for an error
 *
 * Makes a cursor over the keys of the default store with a prefix, at a snapshot taken now.
 *
 * Fails with %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED or %LDB_ERROR_NO_MEMORY. Does not block;
 * any thread.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_database_scan_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                          LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_place_scan_prefix (&self->place, prefix, prefix_length, flags, error);
}

/**
 * ldb_database_get_into: (skip)
 * @self: a database
 * @key: the key
 * @key_length: its bytes, 1 to 65,536
 * @buffer: (nullable): where to copy the value to
 * @capacity: the bytes of @buffer
 * @size: (out) (optional): the bytes of the value, also when it does not fit
 * @error: return location for an error
 *
 * Copies a value into memory of the caller; when it is larger than @capacity, nothing is copied.
 * Allocates nothing, except for values in blob files.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_database_get_into (LdbDatabase *self, gconstpointer key, gsize key_length, gpointer buffer,
                       gsize capacity, gsize *size, GError **error)
{
  return ldb_place_get_into (&self->place, key, key_length, buffer, capacity, size, error);
}

/**
 * ldb_database_peek: (skip)
 * @self: a database
 * @key: the key
 * @key_length: its bytes, 1 to 65,536
 * @view: (out caller-allocates): filled in; clear it with ldb_view_clear()
 * @error: return location for an error
 *
 * Lends a value without copying it or allocating memory.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_database_peek (LdbDatabase *self, gconstpointer key, gsize key_length, LdbView *view,
                   GError **error)
{
  return ldb_place_peek (&self->place, key, key_length, view, error);
}

/**
 * ldb_database_peek_many: (skip)
 * @self: a database
 * @keys: the keys
 * @key_lengths: the bytes of each, 1 to 65,536
 * @n_keys: how many
 * @views: (out caller-allocates): @n_keys views, filled in; clear each with ldb_view_clear()
 * @error: return location for an error
 *
 * Lends many values, all of one moment, without copying them. The data of an absent key's view is
 * %NULL. Allocates nothing for up to 128 keys. Faster for each key than [method@Ldb.Database.peek],
 * as the waits for memory overlap.
 *
 * Fails as [method@Ldb.Database.get] does; then no view needs to be cleared. Blocks while pages are
 * read; any thread.
 *
 * Returns: %TRUE if all keys were looked up
 *
 * Since: 0.1
 */
gboolean
ldb_database_peek_many (LdbDatabase *self, const gconstpointer *keys, const gsize *key_lengths,
                        gsize n_keys, LdbView *views, GError **error)
{
  return ldb_place_peek_many (&self->place, keys, key_lengths, n_keys, views, error);
}
