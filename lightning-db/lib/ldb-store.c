/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-store-private.h"

/**
 * LdbStore:
 *
 * A named, ordered key space of its own within a database.
 *
 * Stores share the database's log, so one commit may span several of them: see [class@Ldb.Batch]
 * and [class@Ldb.Transaction]. A database itself stands for the store named `default`. Get one with
 * [method@Ldb.Database.open_store].
 *
 * Threads: any number at once. A store needs no closing; when its database handle is closed, calls
 * fail with %LDB_ERROR_CLOSED.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbStore, ldb_store, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_NAME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void
ldb_store_finalize (GObject *object)
{
  LdbStore *self = LDB_STORE (object);
  g_clear_object (&self->database);
  g_free (self->name);
  G_OBJECT_CLASS (ldb_store_parent_class)->finalize (object);
}

static void
ldb_store_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbStore *self = LDB_STORE (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_store_class_init (LdbStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = ldb_store_finalize;
  object_class->get_property = ldb_store_get_property;

  /**
   * LdbStore:database:
   *
   * The database it is part of.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE] = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbStore:name:
   *
   * Its name.
   *
   * Since: 0.1
   */
  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_store_init (LdbStore *self)
{
}

/**
 * ldb_store_get_database:
 * @self: a store
 *
 * Gets the database it is part of.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_store_get_database (LdbStore *self)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return self->database;
}

/**
 * ldb_store_get_name:
 * @self: a store
 *
 * Gets its name.
 *
 * Any thread.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
ldb_store_get_name (LdbStore *self)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return self->name;
}

static inline LdbPlace
place_of (LdbStore *self)
{
  return (LdbPlace){ .database = self->database, .store = self->id };
}

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
  LdbPlace place = place_of (self);
  return ldb_place_get (&place, key, key_length, LDB_FORM_BYTES, NULL, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_get_async (&place, self, ldb_store_get_async, "ldb_store_get_async", key, key_length,
                       LDB_FORM_BYTES, NULL, cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_get (&place, data, length, LDB_FORM_BYTES, NULL, cancellable, error);
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
  LdbPlace place = place_of (self);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  ldb_place_get_async (&place, self, ldb_store_get_bytes_async, "ldb_store_get_bytes_async", data,
                       length, LDB_FORM_BYTES, NULL, cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_get (&place, key, strlen (key), LDB_FORM_STRING, NULL, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_get_async (&place, self, ldb_store_get_string_async, "ldb_store_get_string_async", key,
                       strlen (key), LDB_FORM_STRING, NULL, cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_get (&place, key, key_length, LDB_FORM_VARIANT, type, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_get_async (&place, self, ldb_store_get_variant_async, "ldb_store_get_variant_async",
                       key, key_length, LDB_FORM_VARIANT, type, cancellable, callback, user_data);
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
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an element
 *   is %NULL where there is none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_store_get_many (LdbStore *self, GBytes *const *keys, gsize n_keys, GCancellable *cancellable,
                    GError **error)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  g_return_val_if_fail (keys != NULL || n_keys == 0, NULL);
  LdbPlace place = place_of (self);
  return ldb_place_get_many (&place, keys, n_keys, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_get_many_async (&place, self, ldb_store_get_many_async, "ldb_store_get_many_async",
                            keys, n_keys, cancellable, callback, user_data);
}

/**
 * ldb_store_get_many_finish:
 * @self: a store
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Store.get_many_async].
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an element
 *   is %NULL where there is none
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
  LdbPlace place = place_of (self);
  return ldb_place_contains (&place, key, key_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_contains_async (&place, self, ldb_store_contains_async, "ldb_store_contains_async", key,
                            key_length, cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_put (&place, key, key_length, value, value_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_put_async, "ldb_store_put_async", LDB_WRITE_PUT,
                         ldb_bytes_copy (key, key_length), ldb_bytes_copy (value, value_length),
                         cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  gsize key_length, value_length;
  gconstpointer key_data = g_bytes_get_data (key, &key_length);
  gconstpointer value_data = g_bytes_get_data (value, &value_length);
  return ldb_place_put (&place, key_data, key_length, value_data, value_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_put_bytes_async, "ldb_store_put_bytes_async",
                         LDB_WRITE_PUT, g_bytes_ref (key), g_bytes_ref (value), cancellable,
                         callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_put (&place, key, strlen (key), value, strlen (value), cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_put_string_async, "ldb_store_put_string_async",
                         LDB_WRITE_PUT, ldb_bytes_copy (key, strlen (key)),
                         ldb_bytes_copy (value, strlen (value)), cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  g_autoptr (GBytes) bytes = ldb_variant_to_bytes (value);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return ldb_place_put (&place, key, key_length, data, length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_put_variant_async, "ldb_store_put_variant_async",
                         LDB_WRITE_PUT, ldb_bytes_copy (key, key_length),
                         ldb_variant_to_bytes (value), cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_delete (&place, key, key_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_delete_async, "ldb_store_delete_async",
                         LDB_WRITE_DELETE, ldb_bytes_copy (key, key_length), NULL, cancellable,
                         callback, user_data);
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
  LdbPlace place = place_of (self);
  gsize length;
  gconstpointer data = g_bytes_get_data (key, &length);
  return ldb_place_delete (&place, data, length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_delete_bytes_async, "ldb_store_delete_bytes_async",
                         LDB_WRITE_DELETE, g_bytes_ref (key), NULL, cancellable, callback,
                         user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_delete (&place, key, strlen (key), cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (
      &place, self, ldb_store_delete_string_async, "ldb_store_delete_string_async",
      LDB_WRITE_DELETE, ldb_bytes_copy (key, strlen (key)), NULL, cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_delete_range (&place, start, start_length, end, end_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_delete_range_async, "ldb_store_delete_range_async",
                         LDB_WRITE_DELETE_RANGE, ldb_bytes_copy (start, start_length),
                         ldb_bytes_copy (end, end_length), cancellable, callback, user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_delete_prefix (&place, prefix, prefix_length, cancellable, error);
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
  LdbPlace place = place_of (self);
  ldb_place_write_async (&place, self, ldb_store_delete_prefix_async,
                         "ldb_store_delete_prefix_async", LDB_WRITE_DELETE_PREFIX,
                         ldb_bytes_copy (prefix, prefix_length), NULL, cancellable, callback,
                         user_data);
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
  LdbPlace place = place_of (self);
  return ldb_place_scan (&place, start, start_length, end, end_length, flags, error);
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
  LdbPlace place = place_of (self);
  return ldb_place_scan_prefix (&place, prefix, prefix_length, flags, error);
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
  LdbPlace place = place_of (self);
  return ldb_place_get_into (&place, key, key_length, buffer, capacity, size, error);
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
  LdbPlace place = place_of (self);
  return ldb_place_peek (&place, key, key_length, view, error);
}
