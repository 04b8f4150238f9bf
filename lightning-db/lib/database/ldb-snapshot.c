/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <pthread.h>

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-snapshot-private.h"

/**
 * LdbSnapshot:
 *
 * The state of a database at one moment, over all stores.
 *
 * A snapshot costs nothing to take, but keeps what it sees from being cleaned up: close it when it
 * is no longer needed. Its reads never wait for writers.
 *
 * Threads: any number at once. After [method@Ldb.Snapshot.close], or when its database handle is
 * closed, every read fails with %LDB_ERROR_CLOSED; cursors made before go on until the database is
 * closed.
 *
 * Since: 0.1
 */
struct _LdbSnapshot
{
  GObject parent_instance;

  LdbDatabase *database; /* owned */
  guint64 sequence;      /* the newest commit it sees */
  pthread_mutex_t lock;  /* guards pin */
  LdbPin *pin;           /* NULL once closed */
};

G_DEFINE_FINAL_TYPE (LdbSnapshot, ldb_snapshot, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_SEQUENCE,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

LdbPin *
ldb_pin_ref (LdbPin *pin)
{
  g_atomic_int_inc (&pin->references);
  return pin;
}

void
ldb_pin_unref (LdbPin *pin)
{
  if (!g_atomic_int_dec_and_test (&pin->references))
    return;
  engine_snapshot_free (pin->snapshot);
  g_free (pin);
}

LdbPin *
ldb_snapshot_pin (LdbSnapshot *self)
{
  pthread_mutex_lock (&self->lock);
  LdbPin *pin = self->pin != NULL ? ldb_pin_ref (self->pin) : NULL;
  pthread_mutex_unlock (&self->lock);
  return pin;
}

status
ldb_pin_new (struct engine *engine, LdbPin **out, guint64 *sequence, struct failure *failure)
{
  struct engine_snapshot *snapshot;
  status code = engine_snapshot_new (engine, &snapshot, failure);
  if (code != STATUS_OK)
    return code;
  LdbPin *pin = g_new (LdbPin, 1);
  pin->references = 1;
  pin->engine = engine;
  pin->snapshot = snapshot;
  *sequence = engine_snapshot_sequence (snapshot);
  *out = pin;
  return STATUS_OK;
}

LdbSnapshot *
ldb_snapshot_new_for_pin (LdbDatabase *database, LdbPin *pin)
{
  LdbSnapshot *self = g_object_new (LDB_TYPE_SNAPSHOT, NULL);
  self->database = g_object_ref (database);
  self->sequence = engine_snapshot_sequence (pin->snapshot);
  self->pin = ldb_pin_ref (pin);
  return self;
}

LdbSnapshot *
ldb_snapshot_new (LdbDatabase *database, GError **error)
{
  struct failure failure = FAILURE_INIT;
  LdbPin *pin = NULL;
  guint64 sequence;
  struct engine *engine = ldb_database_enter (database, error);
  if (engine == NULL
      || !ldb_error_check (error, ldb_pin_new (engine, &pin, &sequence, &failure), &failure))
    return NULL;
  LdbSnapshot *self = ldb_snapshot_new_for_pin (database, pin);
  ldb_pin_unref (pin);
  return self;
}

static void
ldb_snapshot_dispose (GObject *object)
{
  ldb_snapshot_close (LDB_SNAPSHOT (object));
  G_OBJECT_CLASS (ldb_snapshot_parent_class)->dispose (object);
}

static void
ldb_snapshot_finalize (GObject *object)
{
  LdbSnapshot *self = LDB_SNAPSHOT (object);
  pthread_mutex_destroy (&self->lock);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_snapshot_parent_class)->finalize (object);
}

static void
ldb_snapshot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbSnapshot *self = LDB_SNAPSHOT (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, self->sequence);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_snapshot_class_init (LdbSnapshotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_snapshot_dispose;
  object_class->finalize = ldb_snapshot_finalize;
  object_class->get_property = ldb_snapshot_get_property;

  /**
   * LdbSnapshot:database:
   *
   * The database it was taken of.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE] = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbSnapshot:sequence:
   *
   * The newest commit it sees.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_snapshot_init (LdbSnapshot *self)
{
  pthread_mutex_init (&self->lock, NULL);
}

/**
 * ldb_snapshot_get_database:
 * @self: a snapshot
 *
 * Gets the database the snapshot was taken of.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_snapshot_get_database (LdbSnapshot *self)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  return self->database;
}

/**
 * ldb_snapshot_get_sequence:
 * @self: a snapshot
 *
 * Gets the sequence number of the newest commit it sees.
 *
 * Any thread; also after it was closed.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_snapshot_get_sequence (LdbSnapshot *self)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), 0);
  return self->sequence;
}

/**
 * ldb_snapshot_is_closed:
 * @self: a snapshot
 *
 * Whether [method@Ldb.Snapshot.close] was called.
 *
 * Any thread.
 *
 * Returns: %TRUE if it was
 *
 * Since: 0.1
 */
gboolean
ldb_snapshot_is_closed (LdbSnapshot *self)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), TRUE);
  pthread_mutex_lock (&self->lock);
  gboolean closed = self->pin == NULL;
  pthread_mutex_unlock (&self->lock);
  return closed;
}

/**
 * ldb_snapshot_close:
 * @self: a snapshot
 *
 * Lets go of the state. Closing it again does nothing; the last unref closes it too.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_snapshot_close (LdbSnapshot *self)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  pthread_mutex_lock (&self->lock);
  LdbPin *pin = g_steal_pointer (&self->pin);
  pthread_mutex_unlock (&self->lock);
  if (pin != NULL)
    ldb_pin_unref (pin);
}

static gboolean
place_of (LdbSnapshot *self, LdbStore *store, LdbPlace *place, GError **error)
{
  if (!ldb_place_init (place, self->database, store, error))
    return FALSE;
  place->snapshot = self;
  return TRUE;
}

static gpointer
get_form (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length, LdbForm form,
          const GVariantType *type, GCancellable *cancellable, GError **error)
{
  LdbPlace place;
  return place_of (self, store, &place, error)
             ? ldb_place_get (&place, key, key_length, form, type, cancellable, error)
             : NULL;
}

static void
get_form_async (LdbSnapshot *self, LdbStore *store, const LdbReply *reply, gconstpointer key,
                gsize key_length, LdbForm form, const GVariantType *type)
{
  LdbPlace place;
  GError *error = NULL;
  if (!place_of (self, store, &place, &error))
    ldb_reply_error (reply, error);
  else
    ldb_place_get_async (&place, reply, key, key_length, form, type);
}

/**
 * ldb_snapshot_get:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value as it was.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there was none
 *
 * Since: 0.1
 */
GBytes *
ldb_snapshot_get (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                  GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  return get_form (self, store, key, key_length, LDB_FORM_BYTES, NULL, cancellable, error);
}

/**
 * ldb_snapshot_get_async:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Gets a value as it was, without blocking: see [method@Ldb.Snapshot.get].
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_snapshot_get_async (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  get_form_async (self, store,
                  LDB_REPLY (self, ldb_snapshot_get_async, cancellable, callback, user_data), key,
                  key_length, LDB_FORM_BYTES, NULL);
}

/**
 * ldb_snapshot_get_finish:
 * @self: a snapshot
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Snapshot.get_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there was none
 *
 * Since: 0.1
 */
GBytes *
ldb_snapshot_get_finish (LdbSnapshot *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_snapshot_get_async, error);
}

/**
 * ldb_snapshot_lookup:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @value: (out) (transfer full) (nullable) (array length=value_length) (element-type guint8): the
 *   value; %NULL when it is empty or there is none
 * @value_length: (out): its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a value up and copies it, as it was.
 *
 * The cheapest read from Python and JavaScript, which make their own bytes of the copy. In C,
 * [method@Ldb.Snapshot.get] shares large values instead.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there is a value; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_snapshot_lookup (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                     guint8 **value, gsize *value_length, GCancellable *cancellable, GError **error)
{
  *value = NULL;
  *value_length = 0;
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), FALSE);
  LdbPlace place;
  return place_of (self, store, &place, error)
         && ldb_place_copy (&place, key, key_length, value, value_length, cancellable, error);
}

/**
 * ldb_snapshot_get_string:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a value as it was, as text.
 *
 * Fails as [method@Ldb.Database.get_string] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there was none
 *
 * Since: 0.1
 */
char *
ldb_snapshot_get_string (LdbSnapshot *self, LdbStore *store, const char *key,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return get_form (self, store, key, strlen (key), LDB_FORM_STRING, NULL, cancellable, error);
}

/**
 * ldb_snapshot_get_string_async:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key; copied
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Snapshot.get_string], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_snapshot_get_string_async (LdbSnapshot *self, LdbStore *store, const char *key,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  g_return_if_fail (key != NULL);
  get_form_async (self, store,
                  LDB_REPLY (self, ldb_snapshot_get_string_async, cancellable, callback, user_data),
                  key, strlen (key), LDB_FORM_STRING, NULL);
}

/**
 * ldb_snapshot_get_string_finish:
 * @self: a snapshot
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Snapshot.get_string_async].
 *
 * Returns: (transfer full) (nullable): the text; %NULL without an error when there was none
 *
 * Since: 0.1
 */
char *
ldb_snapshot_get_string_finish (LdbSnapshot *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_snapshot_get_string_async, error);
}

/**
 * ldb_snapshot_get_variant:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes
 * @type: (nullable): what type it must have; %NULL for any
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets a variant as it was.
 *
 * Fails as [method@Ldb.Database.get_variant] does. Blocks while a page is read; any thread.
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there was none
 *
 * Since: 0.1
 */
GVariant *
ldb_snapshot_get_variant (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                          const GVariantType *type, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  return get_form (self, store, key, key_length, LDB_FORM_VARIANT, type, cancellable, error);
}

/**
 * ldb_snapshot_get_variant_async:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @type: (nullable): what type it must have; %NULL for any
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Snapshot.get_variant], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_snapshot_get_variant_async (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                                gsize key_length, const GVariantType *type,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  get_form_async (
      self, store,
      LDB_REPLY (self, ldb_snapshot_get_variant_async, cancellable, callback, user_data), key,
      key_length, LDB_FORM_VARIANT, type);
}

/**
 * ldb_snapshot_get_variant_finish:
 * @self: a snapshot
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Snapshot.get_variant_async].
 *
 * Returns: (transfer full) (nullable): the variant; %NULL without an error when there was none
 *
 * Since: 0.1
 */
GVariant *
ldb_snapshot_get_variant_finish (LdbSnapshot *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_snapshot_get_variant_async, error);
}

/**
 * ldb_snapshot_contains:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Whether there was a value, without handing it out.
 *
 * Fails as [method@Ldb.Database.get] does. Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there was one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_snapshot_contains (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), FALSE);
  LdbPlace place;
  return place_of (self, store, &place, error)
         && ldb_place_contains (&place, key, key_length, cancellable, error);
}

/**
 * ldb_snapshot_contains_async:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Snapshot.contains], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_snapshot_contains_async (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                             gsize key_length, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  LdbPlace place;
  const LdbReply *reply
      = LDB_REPLY (self, ldb_snapshot_contains_async, cancellable, callback, user_data);
  GError *error = NULL;
  if (!place_of (self, store, &place, &error))
    ldb_reply_error (reply, error);
  else
    ldb_place_contains_async (&place, reply, key, key_length);
}

/**
 * ldb_snapshot_contains_finish:
 * @self: a snapshot
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Snapshot.contains_async].
 *
 * Returns: %TRUE if there was one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_snapshot_contains_finish (LdbSnapshot *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_snapshot_contains_async, error);
}

/**
 * ldb_snapshot_get_many:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @keys: (array length=n_keys): the keys
 * @n_keys: how many
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets many values as they were, faster than one by one.
 *
 * Fails as [method@Ldb.Database.get_many] does. Blocks while pages are read; any thread.
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an
 *   element is %NULL where there was none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_snapshot_get_many (LdbSnapshot *self, LdbStore *store, GBytes *const *keys, gsize n_keys,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  g_return_val_if_fail (keys != NULL || n_keys == 0, NULL);
  LdbPlace place;
  if (!place_of (self, store, &place, error))
    return NULL;
  return ldb_place_get_many (&place, keys, n_keys, cancellable, error);
}

/**
 * ldb_snapshot_get_many_async:
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @keys: (array length=n_keys): the keys
 * @n_keys: how many
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Gets many values as they were, without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_snapshot_get_many_async (LdbSnapshot *self, LdbStore *store, GBytes *const *keys, gsize n_keys,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (LDB_IS_SNAPSHOT (self));
  g_return_if_fail (keys != NULL || n_keys == 0);
  LdbPlace place;
  const LdbReply *reply
      = LDB_REPLY (self, ldb_snapshot_get_many_async, cancellable, callback, user_data);
  GError *error = NULL;
  if (!place_of (self, store, &place, &error))
    ldb_reply_error (reply, error);
  else
    ldb_place_get_many_async (&place, reply, keys, n_keys);
}

/**
 * ldb_snapshot_get_many_finish:
 * @self: a snapshot
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Snapshot.get_many_async].
 *
 * Returns: (transfer container) (element-type GBytes): the values in the order of the keys; an
 *   element is %NULL where there was none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_snapshot_get_many_finish (LdbSnapshot *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_snapshot_get_many_async, error);
}

/**
 * ldb_snapshot_scan:
 * @self: a snapshot
 * @store: (nullable): what to scan; %NULL for the default store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the range
 * @end_length: its bytes; 0 leaves the range open
 * @flags: how to go through it
 * @error: return location for an error
 *
 * Makes a cursor over a range as it was.
 *
 * Fails as [method@Ldb.Database.scan] does. Does not block; any thread.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_snapshot_scan (LdbSnapshot *self, LdbStore *store, gconstpointer start, gsize start_length,
                   gconstpointer end, gsize end_length, LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  LdbPlace place;
  if (!place_of (self, store, &place, error))
    return NULL;
  return ldb_place_scan (&place, start, start_length, end, end_length, flags, error);
}

/**
 * ldb_snapshot_scan_prefix:
 * @self: a snapshot
 * @store: (nullable): what to scan; %NULL for the default store
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): what the keys start with
 * @prefix_length: its bytes; 0 for all keys
 * @flags: how to go through them
 * @error: return location for an error
 *
 * Makes a cursor over the keys with a prefix as they were.
 *
 * Fails as [method@Ldb.Database.scan_prefix] does. Does not block; any thread.
 *
 * Returns: (transfer full): a cursor before the first record
 *
 * Since: 0.1
 */
LdbCursor *
ldb_snapshot_scan_prefix (LdbSnapshot *self, LdbStore *store, gconstpointer prefix,
                          gsize prefix_length, LdbScanFlags flags, GError **error)
{
  g_return_val_if_fail (LDB_IS_SNAPSHOT (self), NULL);
  LdbPlace place;
  if (!place_of (self, store, &place, error))
    return NULL;
  return ldb_place_scan_prefix (&place, prefix, prefix_length, flags, error);
}

/**
 * ldb_snapshot_peek: (skip)
 * @self: a snapshot
 * @store: (nullable): where to look; %NULL for the default store
 * @key: the key
 * @key_length: its bytes
 * @view: (out caller-allocates): filled in; clear it with ldb_view_clear()
 * @error: return location for an error
 *
 * Lends a value as it was, without copying it or allocating memory.
 *
 * Blocks while a page is read; any thread.
 *
 * Returns: %TRUE if there was one; %FALSE without an error if not
 *
 * Since: 0.1
 */
gboolean
ldb_snapshot_peek (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                   LdbView *view, GError **error)
{
  LdbPlace place;
  if (!place_of (self, store, &place, error))
    {
      *view = (LdbView) LDB_VIEW_INIT;
      return FALSE;
    }
  return ldb_place_peek (&place, key, key_length, view, error);
}
