/* SPDX-License-Identifier: MIT */
/*
 * LdbTransaction, reading and writing: each call claims the transaction, makes a place of it and is
 * one function of ldb-place.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-error-private.h"
#include "ldb-transaction-private.h"

/* ---- reading and writing ---- */

/* Claims the transaction and fills `place` for one call on it. */
static gboolean
enter (LdbTransaction *self, LdbStore *store, LdbPlace *place, GError **error)
{
  if (!ldb_place_init (place, self->database, store, error) || !ldb_transaction_claim (self, error))
    return FALSE;
  place->transaction = self;
  return TRUE;
}

static void
leave (LdbTransaction *self)
{
  ldb_busy_leave (&self->busy);
}

static gpointer
get_form (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length, LdbForm form,
          const GVariantType *type, GCancellable *cancellable, GError **error)
{
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return NULL;
  gpointer value = ldb_place_get (&place, key, key_length, form, type, cancellable, error);
  leave (self);
  return value;
}

/* Fills `place` for an asynchronous call, which claims the transaction itself; or tells why not. */
static gboolean
place_later (LdbTransaction *self, LdbStore *store, LdbPlace *place, const LdbReply *reply)
{
  GError *error = NULL;
  if (!ldb_place_init (place, self->database, store, &error))
    {
      ldb_reply_error (reply, error);
      return FALSE;
    }
  place->transaction = self;
  return TRUE;
}

static void
get_form_async (LdbTransaction *self, LdbStore *store, const LdbReply *reply, gconstpointer key,
                gsize key_length, LdbForm form, const GVariantType *type)
{
  LdbPlace place;
  if (place_later (self, store, &place, reply))
    ldb_place_get_async (&place, reply, key, key_length, form, type);
}

/**
 * ldb_transaction_get:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value as the transaction sees it.
 *
 * Fails as [method@Ldb.Database.get] does, and with %LDB_ERROR_TIMED_OUT once the transaction has
 * outlived [property@Ldb.Options:transaction-timeout]. Blocks while a page is read; one thread at a
 * time.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_transaction_get (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  return get_form (self, store, key, key_length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_transaction_get_async:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Gets a value as the transaction sees it, without blocking. Until it has finished, other calls on
 * the transaction fail with %LDB_ERROR_PENDING.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_transaction_get_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                           gsize key_length, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_TRANSACTION (self));
  get_form_async (self, store,
                  LDB_REPLY (self, ldb_transaction_get_async, cancellable, callback, user_data),
                  key, key_length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_transaction_get_finish:
 * @self: a transaction
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Transaction.get_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_transaction_get_finish (LdbTransaction *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_transaction_get_async, error);
}

/**
 * ldb_transaction_lookup:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (out) (transfer full) (nullable) (array length=value_length) (element-type guint8): the
 *   value; %NULL when it is empty or there is none
 * @value_length: (out): its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a value up and copies it, as the transaction sees it.
 *
 * The cheapest read from Python and JavaScript, which make their own bytes of the copy. In C,
 * [method@Ldb.Transaction.get] shares large values instead.
 *
 * Fails as [method@Ldb.Transaction.get] does. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_lookup (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length,
                        guint8 **value, gsize *value_length, GCancellable *cancellable,
                        GError **error)
{
  *value = NULL;
  *value_length = 0;
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return FALSE;
  gboolean found
      = ldb_place_copy (&place, key, key_length, value, value_length, cancellable, error);
  leave (self);
  return found;
}

/**
 * ldb_transaction_get_string:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value as text, as the transaction sees it.
 *
 * Fails as [method@Ldb.Transaction.get] does, and with %LDB_ERROR_WRONG_TYPE when it is not UTF-8.
 * Blocks while a page is read; one thread at a time.
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there is none
 *
 * Since: 0.1
 */
char *
ldb_transaction_get_string (LdbTransaction *self, LdbStore *store, const char *key,
                            GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return get_form (self, store, key, strlen (key), LDB_FORM_STRING, NULL, cancellable, error);
}

/**
 * ldb_transaction_get_string_async:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key; copied
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Transaction.get_string], without blocking. Until it has finished, other
 * calls on the transaction fail with %LDB_ERROR_PENDING.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_transaction_get_string_async (LdbTransaction *self, LdbStore *store, const char *key,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (LDB_IS_TRANSACTION (self));
  g_return_if_fail (key != NULL);
  get_form_async (
      self, store,
      LDB_REPLY (self, ldb_transaction_get_string_async, cancellable, callback, user_data), key,
      strlen (key), LDB_FORM_STRING, NULL);
}

/**
 * ldb_transaction_get_string_finish:
 * @self: a transaction
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Transaction.get_string_async].
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there is none
 *
 * Since: 0.1
 */
char *
ldb_transaction_get_string_finish (LdbTransaction *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_transaction_get_string_async, error);
}

/**
 * ldb_transaction_get_variant:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value that was put as a variant, as the transaction sees it.
 *
 * Fails as [method@Ldb.Transaction.get] does, and with %LDB_ERROR_WRONG_TYPE. Blocks while a page
 * is read; one thread at a time.
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_transaction_get_variant (LdbTransaction *self, LdbStore *store, gconstpointer key,
                             gsize key_length, const GVariantType *type, GCancellable *cancellable,
                             GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  return get_form (self, store, key, key_length, LDB_FORM_VARIANT, type, cancellable, error);
}

/**
 * ldb_transaction_get_variant_async:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @type: (nullable): the type it has to have, or %NULL for any
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Transaction.get_variant], without blocking. Until it has finished, other
 * calls on the transaction fail with %LDB_ERROR_PENDING.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_transaction_get_variant_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                   gsize key_length, const GVariantType *type,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (LDB_IS_TRANSACTION (self));

  get_form_async (
      self, store,
      LDB_REPLY (self, ldb_transaction_get_variant_async, cancellable, callback, user_data), key,
      key_length, LDB_FORM_VARIANT, type);
}

/**
 * ldb_transaction_get_variant_finish:
 * @self: a transaction
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Transaction.get_variant_async].
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GVariant *
ldb_transaction_get_variant_finish (LdbTransaction *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_transaction_get_variant_async, error);
}

/**
 * ldb_transaction_contains:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Whether there is a value as the transaction sees it, without handing it out. To a serializable
 * transaction that is a read like any other.
 *
 * Fails as [method@Ldb.Transaction.get] does. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_contains (LdbTransaction *self, LdbStore *store, gconstpointer key,
                          gsize key_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return FALSE;
  gboolean found = ldb_place_contains (&place, key, key_length, cancellable, error);
  leave (self);
  return found;
}

/**
 * ldb_transaction_contains_async:
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Transaction.contains], without blocking. Until it has finished, other
 * calls on the transaction fail with %LDB_ERROR_PENDING.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_transaction_contains_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                gsize key_length, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_TRANSACTION (self));
  LdbPlace place;
  const LdbReply *reply
      = LDB_REPLY (self, ldb_transaction_contains_async, cancellable, callback, user_data);
  if (place_later (self, store, &place, reply))
    ldb_place_contains_async (&place, reply, key, key_length);
}

/**
 * ldb_transaction_contains_finish:
 * @self: a transaction
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Transaction.contains_async].
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_contains_finish (LdbTransaction *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_transaction_contains_async, error);
}

/**
 * ldb_transaction_scan:
 * @self: a transaction
 * @store: (nullable): what to scan; %NULL for the default store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the range
 * @end_length: its bytes; 0 leaves the range open
 * @flags: how to go through it
 * @error: return location for an error
 *
 * Makes a cursor over a range that sees the transaction's own writes. It closes when the
 * transaction ends.
 *
 * Fails as [method@Ldb.Database.scan] does. Does not block; one thread at a time.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_transaction_scan (LdbTransaction *self, LdbStore *store, gconstpointer start,
                      gsize start_length, gconstpointer end, gsize end_length, LdbScanFlags flags,
                      GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return NULL;
  LdbCursor *cursor = ldb_place_scan (&place, start, start_length, end, end_length, flags, error);
  leave (self);
  return cursor;
}

/**
 * ldb_transaction_scan_prefix:
 * @self: a transaction
 * @store: (nullable): what to scan; %NULL for the default store
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): what the keys start with
 * @prefix_length: its bytes; 0 for all keys
 * @flags: how to go through them
 * @error: return location for an error
 *
 * Makes a cursor over the keys with a prefix that sees the transaction's own writes. It closes when
 * the transaction ends.
 *
 * Fails as [method@Ldb.Database.scan_prefix] does. Does not block; one thread at a time.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_transaction_scan_prefix (LdbTransaction *self, LdbStore *store, gconstpointer prefix,
                             gsize prefix_length, LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return NULL;
  LdbCursor *cursor = ldb_place_scan_prefix (&place, prefix, prefix_length, flags, error);
  leave (self);
  return cursor;
}

/**
 * ldb_transaction_put:
 * @self: a transaction
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value; copied
 * @value_length: its bytes, up to 1 GiB
 * @error: return location for an error
 *
 * Puts a record, to be committed with the transaction.
 *
 * Fails as [method@Ldb.Database.put] does, and with %LDB_ERROR_TIMED_OUT or
 * %LDB_ERROR_LIMIT_EXCEEDED when the transaction has become too large. Does not block; one thread
 * at a time.
 *
 * Returns: %TRUE if it was put
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_put (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length,
                     gconstpointer value, gsize value_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return FALSE;
  gboolean put = ldb_place_put (&place, key, key_length, value, value_length, NULL, error);
  leave (self);
  return put;
}

/**
 * ldb_transaction_put_bytes:
 * @self: a transaction
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: the key
 * @value: the value
 * @error: return location for an error
 *
 * Puts a record, to be committed with the transaction: [method@Ldb.Transaction.put] with bytes.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was put
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_put_bytes (LdbTransaction *self, LdbStore *store, GBytes *key, GBytes *value,
                           GError **error)
{
  g_return_val_if_fail (key != NULL && value != NULL, FALSE);
  gsize key_length, value_length;
  gconstpointer key_data = g_bytes_get_data (key, &key_length);
  gconstpointer value_data = g_bytes_get_data (value, &value_length);
  return ldb_transaction_put (self, store, key_data, key_length, value_data, value_length, error);
}

/**
 * ldb_transaction_put_string:
 * @self: a transaction
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: the key
 * @value: the text
 * @error: return location for an error
 *
 * Puts text, to be committed with the transaction: [method@Ldb.Transaction.put] without the
 * terminating zeros.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was put
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_put_string (LdbTransaction *self, LdbStore *store, const char *key,
                            const char *value, GError **error)
{
  g_return_val_if_fail (key != NULL && value != NULL, FALSE);
  return ldb_transaction_put (self, store, key, strlen (key), value, strlen (value), error);
}

/**
 * ldb_transaction_put_variant:
 * @self: a transaction
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @value: the variant; a floating reference is taken
 * @error: return location for an error
 *
 * Puts a variant with its type, to be committed with the transaction.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was put
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_put_variant (LdbTransaction *self, LdbStore *store, gconstpointer key,
                             gsize key_length, GVariant *value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_autoptr (GBytes) bytes = ldb_variant_to_bytes (value);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return ldb_transaction_put (self, store, key, key_length, data, length, error);
}

/**
 * ldb_transaction_delete:
 * @self: a transaction
 * @store: (nullable): where to delete; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @error: return location for an error
 *
 * Deletes a key, to be committed with the transaction. Deleting what is absent succeeds.
 *
 * Fails as [method@Ldb.Transaction.put] does. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_delete (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length,
                        GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return FALSE;
  gboolean deleted = ldb_place_delete (&place, key, key_length, NULL, error);
  leave (self);
  return deleted;
}

/**
 * ldb_transaction_delete_string:
 * @self: a transaction
 * @store: (nullable): where to delete; %NULL for the default store
 * @key: the key
 * @error: return location for an error
 *
 * Deletes a key that is text: see [method@Ldb.Transaction.delete].
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_delete_string (LdbTransaction *self, LdbStore *store, const char *key,
                               GError **error)
{
  g_return_val_if_fail (key != NULL, FALSE);
  return ldb_transaction_delete (self, store, key, strlen (key), error);
}

/**
 * ldb_transaction_delete_range:
 * @self: a transaction
 * @store: (nullable): where to delete; %NULL for the default store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the range
 * @end_length: its bytes; 0 leaves the range open
 * @error: return location for an error
 *
 * Deletes a range, to be committed with the transaction.
 *
 * Fails as [method@Ldb.Database.delete_range] does. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_delete_range (LdbTransaction *self, LdbStore *store, gconstpointer start,
                              gsize start_length, gconstpointer end, gsize end_length,
                              GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  LdbPlace place;
  if (!enter (self, store, &place, error))
    return FALSE;
  gboolean deleted
      = ldb_place_delete_range (&place, start, start_length, end, end_length, NULL, error);
  leave (self);
  return deleted;
}

/**
 * ldb_transaction_lock_key:
 * @self: a transaction
 * @store: (nullable): where the key is; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @error: return location for an error
 *
 * Promotes a read: the commit will conflict if anyone else writes the key meanwhile, as if the
 * transaction had written it. Nobody waits for the lock.
 *
 * Fails as [method@Ldb.Transaction.put] does. Does not block; one thread at a time.
 *
 * Returns: %TRUE if the key counts as written
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_lock_key (LdbTransaction *self, LdbStore *store, gconstpointer key,
                          gsize key_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  struct failure failure = FAILURE_INIT;
  struct bytes bytes;
  LdbPlace place;
  if (!ldb_check_key (key, key_length, &bytes, error) || !enter (self, store, &place, error))
    return FALSE;
  status code = engine_transaction_lock_key (self->transaction, place.store, bytes, &failure);
  leave (self);
  return ldb_error_check (error, code, &failure);
}

/**
 * ldb_transaction_peek: (skip)
 * @self: a transaction
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key
 * @key_length: its bytes
 * @view: (out caller-allocates): filled in; clear it with ldb_view_clear()
 * @error: return location for an error
 *
 * Lends a value as the transaction sees it, without copying it where that is possible.
 *
 * Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE if there is one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_peek (LdbTransaction *self, LdbStore *store, gconstpointer key, gsize key_length,
                      LdbView *view, GError **error)
{
  LdbPlace place;
  if (!enter (self, store, &place, error))
    {
      *view = (LdbView) LDB_VIEW_INIT;
      return FALSE;
    }
  gboolean found = ldb_place_peek (&place, key, key_length, view, error);
  leave (self);
  return found;
}
