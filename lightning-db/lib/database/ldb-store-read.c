/* SPDX-License-Identifier: MIT */
/*
 * LdbStore, reading. Every call is its place and one function of ldb-place; LdbDatabase has the
 * same surface, so what changes here changes there.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-store-private.h"

/**
 * ldb_store_get:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value from the store. Small values are copied; larger ones are lent by the cache,
 * without a copy, for as long as the bytes live.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_store_get (LdbStore *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
               GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_place_get (&self->place, key, key_length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_store_get_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.get], without blocking. What memory can answer takes no detour
 * over another thread.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_get_async (LdbStore *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_get_async (&self->place,
                       LDB_REPLY (self, ldb_store_get_async, cancellable, callback, user_data), key,
                       key_length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_store_get_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_store_get_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_store_get_async, error);
}

/**
 * ldb_store_lookup:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (out) (transfer full) (nullable) (array length=value_length) (element-type guint8): the
 *   value; %NULL when it is empty or there is none
 * @value_length: (out): its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a value up and copies it.
 *
 * The cheapest read from Python and JavaScript, which make their own bytes of the copy. In C,
 * [method@Ldb.Store.get] shares large values instead.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_store_lookup (LdbStore *self, gconstpointer key, gsize key_length, guint8 **value,
                  gsize *value_length, GCancellable *cancellable, GError **error)
{
  *value = NULL;
  *value_length = 0;
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_copy (&self->place, key, key_length, value, value_length, cancellable, error);
}

/**
 * ldb_store_get_bytes:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value: [method@Ldb.Store.get] with bytes.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_store_get_bytes (LdbStore *self, GBytes *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_get (&self->place, data, length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_store_get_bytes_async:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.get_bytes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_get_bytes_async (LdbStore *self, GBytes *key, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  ldb_place_get_async (
      &self->place, LDB_REPLY (self, ldb_store_get_bytes_async, cancellable, callback, user_data),
      data, length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_store_get_bytes_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_bytes_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_store_get_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_store_get_bytes_async, error);
}

/**
 * ldb_store_get_string:
 * @self: a store
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
ldb_store_get_string (LdbStore *self, const char *key, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return ldb_place_get (&self->place, key, strlen (key), LDB_FORM_STRING, NULL, cancellable, error);
}

/**
 * ldb_store_get_string_async:
 * @self: a store
 * @key: the key
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.get_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_get_string_async (LdbStore *self, const char *key, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (key != NULL);
  ldb_place_get_async (
      &self->place, LDB_REPLY (self, ldb_store_get_string_async, cancellable, callback, user_data),
      key, strlen (key), LDB_FORM_STRING, NULL);
}

/**
 * ldb_store_get_string_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_string_async].
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there is none
 *
 * Since: 0.1
 */
char *
ldb_store_get_string_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_store_get_string_async, error);
}

/**
 * ldb_store_get_variant:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value that was put with [method@Ldb.Store.put_variant].
 *
 * Fails as [method@Ldb.Database.get] does, and with %LDB_ERROR_WRONG_TYPE when the value is no
 * variant or one of another type. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_store_get_variant (LdbStore *self, gconstpointer key, gsize key_length,
                       const GVariantType *type, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_place_get (&self->place, key, key_length, LDB_FORM_VARIANT, type, cancellable, error);
}

/**
 * ldb_store_get_variant_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.get_variant], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_get_variant_async (LdbStore *self, gconstpointer key, gsize key_length,
                             const GVariantType *type, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_get_async (
      &self->place, LDB_REPLY (self, ldb_store_get_variant_async, cancellable, callback, user_data),
      key, key_length, LDB_FORM_VARIANT, type);
}

/**
 * ldb_store_get_variant_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_variant_async].
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_store_get_variant_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_store_get_variant_async, error);
}

/**
 * ldb_store_get_many:
 * @self: a store
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
ldb_store_get_many (LdbStore *self, GBytes *const *keys, gsize n_keys, GCancellable *cancellable,
                    GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  g_return_val_if_fail (keys != NULL || n_keys == 0, NULL);
  return ldb_place_get_many (&self->place, keys, n_keys, cancellable, error);
}

/**
 * ldb_store_get_many_async:
 * @self: a store
 * @keys: (array length=n_keys): the keys
 * @n_keys: how many
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.get_many], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_get_many_async (LdbStore *self, GBytes *const *keys, gsize n_keys,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  g_return_if_fail (keys != NULL || n_keys == 0);
  ldb_place_get_many_async (
      &self->place, LDB_REPLY (self, ldb_store_get_many_async, cancellable, callback, user_data),
      keys, n_keys);
}

/**
 * ldb_store_get_many_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_many_async].
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an
 *   element is %NULL where there is none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_store_get_many_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_store_get_many_async, error);
}

/**
 * ldb_store_contains:
 * @self: a store
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
ldb_store_contains (LdbStore *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
                    GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), FALSE);
  return ldb_place_contains (&self->place, key, key_length, cancellable, error);
}

/**
 * ldb_store_contains_async:
 * @self: a store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Store.contains], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_store_contains_async (LdbStore *self, gconstpointer key, gsize key_length,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_STORE (self));
  ldb_place_contains_async (
      &self->place, LDB_REPLY (self, ldb_store_contains_async, cancellable, callback, user_data),
      key, key_length);
}

/**
 * ldb_store_contains_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.contains_async].
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_store_contains_finish (LdbStore *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_store_contains_async, error);
}

/**
 * ldb_store_scan:
 * @self: a store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the
 *   range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the
 *   range
 * @end_length: its bytes; 0 leaves the range open
 * @flags: how to go through it
 * @error: return location for an error
 *
 * Makes a cursor over a range of the store, at a snapshot taken now.
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
ldb_store_scan (LdbStore *self, gconstpointer start, gsize start_length, gconstpointer end,
                gsize end_length, LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_place_scan (&self->place, start, start_length, end, end_length, flags, error);
}

/**
 * ldb_store_scan_prefix:
 * @self: a store
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): what the keys start
 *   with
 * @prefix_length: its bytes; 0 for all keys
 * @flags: how to go through them
 * @error: return location for an error
 *
 * Makes a cursor over the keys of the store with a prefix, at a snapshot taken now.
 *
 * Fails with %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED or %LDB_ERROR_NO_MEMORY. Does not block;
 * any thread.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_store_scan_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                       LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return ldb_place_scan_prefix (&self->place, prefix, prefix_length, flags, error);
}

/**
 * ldb_store_get_into: (skip)
 * @self: a store
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
ldb_store_get_into (LdbStore *self, gconstpointer key, gsize key_length, gpointer buffer,
                    gsize capacity, gsize *size, GError **error)
{
  return ldb_place_get_into (&self->place, key, key_length, buffer, capacity, size, error);
}

/**
 * ldb_store_peek: (skip)
 * @self: a store
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
ldb_store_peek (LdbStore *self, gconstpointer key, gsize key_length, LdbView *view, GError **error)
{
  return ldb_place_peek (&self->place, key, key_length, view, error);
}
