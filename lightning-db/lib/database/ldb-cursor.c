/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-cursor-private.h"
#include "ldb-database-private.h"
#include "ldb-enum-types.h"
#include "ldb-error-private.h"
#include "ldb-record.h"
#include "ldb-snapshot-private.h"
#include "ldb-transaction-private.h"

/**
 * LdbCursor:
 *
 * A way through a range of keys, in either direction, at one snapshot.
 *
 * A new cursor stands before the first record:
 *
 * ```c
 * g_autoptr(LdbCursor) cursor = ldb_database_scan_prefix (db, "user:", 5, LDB_SCAN_NONE, &error);
 * const guint8 *key, *value;
 * gsize key_length, value_length;
 * while (ldb_cursor_peek_next (cursor, &key, &key_length, &value, &value_length, &error))
 *   …
 * ```
 *
 * All moves are meant in the order of the scan: with %LDB_SCAN_REVERSE, [method@Ldb.Cursor.first]
 * goes to the greatest key and [method@Ldb.Cursor.next] to smaller ones.
 *
 * A cursor of a transaction sees the transaction's writes as of its last move, and closes when the
 * transaction ends. Other cursors keep the snapshot they were made at.
 *
 * Threads: one thread at a time. A call while an asynchronous one is under way fails with
 * %LDB_ERROR_PENDING; for a cursor of a transaction that goes for the whole transaction. After
 * [method@Ldb.Cursor.close], or when its database handle is closed, moves fail with
 * %LDB_ERROR_CLOSED.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbCursor, ldb_cursor, G_TYPE_OBJECT)

enum
{
  PROP_FLAGS = 1,
  PROP_LIMIT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];
gpointer ldb_cursor_class;

LdbCursor *
ldb_cursor_new (const LdbPlace *place, struct bytes lower, struct bytes upper, LdbScanFlags flags,
                GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_cursor_settings settings = {
    .store = place->store,
    .lower = lower,
    .upper = upper,
    .keys_only = (flags & LDB_SCAN_KEYS_ONLY) != 0,
  };
  if (!ldb_check_flags (flags, LDB_SCAN_REVERSE | LDB_SCAN_KEYS_ONLY, "LdbScanFlags", error))
    return NULL;
  struct engine *engine = ldb_database_enter (place->database, error);
  if (engine == NULL)
    return NULL;
  g_autoptr (LdbCursor) self = g_object_new (LDB_TYPE_CURSOR, NULL);
  self->database = g_object_ref (place->database);
  self->flags = flags;
  if (place->snapshot != NULL)
    {
      self->pin = ldb_snapshot_pin (place->snapshot);
      if (self->pin == NULL)
        {
          ldb_error_set (error, LDB_ERROR_CLOSED, "The snapshot is closed; take a new one.");
          return NULL;
        }
      settings.snapshot = self->pin->snapshot;
      engine = self->pin->engine;
    }
  if (place->transaction != NULL)
    {
      settings.transaction = place->transaction->transaction;
      engine = place->transaction->engine;
    }
  status code = engine_cursor_new (engine, &settings, &self->cursor, &failure);
  if (code != STATUS_OK)
    {
      self->cursor = NULL;
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  self->place = engine_cursor_place (self->cursor);
  if (place->transaction != NULL)
    {
      self->transaction = g_object_ref (place->transaction);
      self->busy = &self->transaction->busy;
      ldb_transaction_add_cursor (self->transaction, self);
    }
  return g_steal_pointer (&self);
}

void
ldb_cursor_close_claimed (LdbCursor *self)
{
  self->place = NULL;
  g_clear_pointer (&self->cursor, engine_cursor_free);
  g_clear_pointer (&self->pin, ldb_pin_unref);
  self->state = LDB_CURSOR_STATE_AFTER;
}

struct engine_cursor *
ldb_cursor_steal (LdbCursor *self)
{
  self->state = LDB_CURSOR_STATE_AFTER;
  self->place = NULL;
  return g_steal_pointer (&self->cursor);
}

static void
ldb_cursor_dispose (GObject *object)
{
  LdbCursor *self = LDB_CURSOR (object);
  if (self->transaction != NULL)
    ldb_transaction_remove_cursor (self->transaction, self);
  else
    ldb_cursor_close_claimed (self);
  G_OBJECT_CLASS (ldb_cursor_parent_class)->dispose (object);
}

static void
ldb_cursor_finalize (GObject *object)
{
  LdbCursor *self = LDB_CURSOR (object);
  g_clear_object (&self->transaction);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_cursor_parent_class)->finalize (object);
}

static void
ldb_cursor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbCursor *self = LDB_CURSOR (object);
  switch (id)
    {
    case PROP_FLAGS:
      g_value_set_flags (value, self->flags);
      break;
    case PROP_LIMIT:
      g_value_set_uint64 (value, self->limit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_cursor_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_LIMIT:
      ldb_cursor_set_limit (LDB_CURSOR (object), g_value_get_uint64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_cursor_class_init (LdbCursorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ldb_cursor_class = klass;
  object_class->dispose = ldb_cursor_dispose;
  object_class->finalize = ldb_cursor_finalize;
  object_class->get_property = ldb_cursor_get_property;
  object_class->set_property = ldb_cursor_set_property;

  /**
   * LdbCursor:flags:
   *
   * How the cursor goes through its range.
   *
   * Since: 0.1
   */
  properties[PROP_FLAGS] = g_param_spec_flags ("flags", NULL, NULL, LDB_TYPE_SCAN_FLAGS, 0,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbCursor:limit:
   *
   * How many records [method@Ldb.Cursor.next] gives, counted from where the scan started or was
   * moved to by `first`, `last` or `seek`; 0 for all.
   *
   * Since: 0.1
   */
  properties[PROP_LIMIT]
      = g_param_spec_uint64 ("limit", NULL, NULL, 0, G_MAXUINT64, 0,
                             G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_cursor_init (LdbCursor *self)
{
  self->busy = &self->own_busy;
}

/* ---- reading ---- */

static GBytes *
copy_key (LdbCursor *self)
{
  struct bytes key = engine_cursor_key (self->cursor);
  return g_bytes_new (key.data, key.size);
}

/* With the cursor claimed. */
static GBytes *
take_value (LdbCursor *self, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  if (self->cursor == NULL || self->state != LDB_CURSOR_STATE_ON)
    {
      ldb_error_set (error, self->cursor == NULL ? LDB_ERROR_CLOSED : LDB_ERROR_INVALID_ARGUMENT,
                     self->cursor == NULL ? "The cursor is closed; make a new one."
                                          : "The cursor is not on a record; move it to one.");
      return NULL;
    }
  if (self->flags & LDB_SCAN_KEYS_ONLY)
    {
      ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                     "The cursor reads keys only; scan without that flag to have values.");
      return NULL;
    }
  if (ldb_database_enter (self->database, error) == NULL)
    return NULL;
  status code = engine_cursor_take_value (self->cursor, &value, &failure);
  if (code == STATUS_OK)
    return ldb_value_to_bytes (&value);
  ldb_error_take_failure (error, code, &failure);
  return NULL;
}

static GPtrArray *
read_claimed (LdbCursor *self, guint count, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_record_unref);
  g_autoptr (GError) local = NULL;
  while (records->len < count && !g_cancellable_set_error_if_cancelled (cancellable, &local)
         && ldb_cursor_move_claimed (self, LDB_CURSOR_MOVE_NEXT, BYTES_NONE, &local))
    {
      g_autoptr (GBytes) key = copy_key (self);
      g_autoptr (GBytes) value = NULL;
      if (!(self->flags & LDB_SCAN_KEYS_ONLY))
        value = take_value (self, &local);
      if (local != NULL)
        break;
      g_ptr_array_add (records, ldb_record_new (key, value));
    }
  if (local == NULL)
    return g_steal_pointer (&records);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/**
 * ldb_cursor_read:
 * @self: a cursor
 * @count: how many records at most
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Reads the next records at once, as [method@Ldb.Cursor.next] would go to them one by one. The
 * cursor is left on the last of them. Fewer than @count mean that the scan has ended.
 *
 * Fails as [method@Ldb.Cursor.next] does; the records before the one that failed are then skipped.
 * Blocks while pages are read; one thread at a time.
 *
 * Returns: (transfer container) (element-type LdbRecord): the records, perhaps none; values are
 *   %NULL when only keys are read
 *
 * Since: 0.1
 */
GPtrArray *
ldb_cursor_read (LdbCursor *self, guint count, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), NULL);
  if (!ldb_busy_enter (self->busy, self->transaction != NULL ? "transaction" : "cursor", error))
    return NULL;
  GPtrArray *records = read_claimed (self, count, cancellable, error);
  ldb_busy_leave (self->busy);
  return records;
}

static gboolean
run_read (LdbCall *call, GError **error)
{
  call->result = read_claimed (LDB_CURSOR (call->subject), call->flags, call->cancellable, error);
  return call->result != NULL;
}

/**
 * ldb_cursor_read_async:
 * @self: a cursor
 * @count: how many records at most
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Reads the next records at once, without blocking: see [method@Ldb.Cursor.read].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_read_async (LdbCursor *self, guint count, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  LdbCall *call = ldb_call_new (run_read, NULL);
  call->flags = count;
  call->result_free = (GDestroyNotify) g_ptr_array_unref;
  ldb_cursor_start_claimed (
      self, call, LDB_REPLY (self, ldb_cursor_read_async, cancellable, callback, user_data));
}

/**
 * ldb_cursor_read_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.read_async].
 *
 * Returns: (transfer container) (element-type LdbRecord): the records, perhaps none
 *
 * Since: 0.1
 */
GPtrArray *
ldb_cursor_read_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_cursor_read_async, error);
}

static inline gboolean
is_on_record (LdbCursor *self)
{
  return ldb_busy_is_free (self->busy) && self->state == LDB_CURSOR_STATE_ON;
}

/**
 * ldb_cursor_is_valid:
 * @self: a cursor
 *
 * Whether the cursor is on a record.
 *
 * One thread at a time.
 *
 * Returns: %TRUE if it is
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_is_valid (LdbCursor *self)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return is_on_record (self);
}

/**
 * ldb_cursor_get_key:
 * @self: a cursor
 *
 * Gets the key it is on.
 *
 * Does not block; one thread at a time.
 *
 * Returns: (transfer full) (nullable): the key, or %NULL when it is on no record
 *
 * Since: 0.1
 */
GBytes *
ldb_cursor_get_key (LdbCursor *self)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), NULL);
  return ldb_cursor_is_valid (self) ? copy_key (self) : NULL;
}

/**
 * ldb_cursor_get_value:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets the value it is on, without copying it where that is possible.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when it is on no record or reads keys only,
 * %LDB_ERROR_PENDING, %LDB_ERROR_CLOSED, %LDB_ERROR_CORRUPT or %LDB_ERROR_IO. Blocks while a large
 * value is read; one thread at a time.
 *
 * Returns: (transfer full): the value
 *
 * Since: 0.1
 */
GBytes *
ldb_cursor_get_value (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), NULL);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_busy_enter (self->busy, self->transaction != NULL ? "transaction" : "cursor", error))
    return NULL;
  GBytes *value = take_value (self, error);
  ldb_busy_leave (self->busy);
  return value;
}

static gboolean
run_get_value (LdbCall *call, GError **error)
{
  call->result = take_value (LDB_CURSOR (call->subject), error);
  return call->result != NULL;
}

/**
 * ldb_cursor_get_value_async:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Gets the value it is on, without blocking: see [method@Ldb.Cursor.get_value].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_get_value_async (LdbCursor *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  LdbCall *call = ldb_call_new (run_get_value, NULL);
  call->result_free = (GDestroyNotify) g_bytes_unref;
  ldb_cursor_start_claimed (
      self, call, LDB_REPLY (self, ldb_cursor_get_value_async, cancellable, callback, user_data));
}

/**
 * ldb_cursor_get_value_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.get_value_async].
 *
 * Returns: (transfer full): the value
 *
 * Since: 0.1
 */
GBytes *
ldb_cursor_get_value_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_cursor_get_value_async, error);
}

/**
 * ldb_cursor_get_sequence:
 * @self: a cursor
 *
 * Gets the sequence number of the commit that wrote the record it is on.
 *
 * Does not block; one thread at a time.
 *
 * Returns: the sequence number; 0 when it settled long ago, or on no record
 *
 * Since: 0.1
 */
guint64
ldb_cursor_get_sequence (LdbCursor *self)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), 0);
  return ldb_cursor_is_valid (self) ? engine_cursor_sequence (self->cursor) : 0;
}

/**
 * ldb_cursor_get_flags:
 * @self: a cursor
 *
 * Gets how the cursor goes through its range.
 *
 * Any thread.
 *
 * Returns: the flags it was made with
 *
 * Since: 0.1
 */
LdbScanFlags
ldb_cursor_get_flags (LdbCursor *self)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), LDB_SCAN_NONE);
  return self->flags;
}

/**
 * ldb_cursor_get_limit:
 * @self: a cursor
 *
 * Gets [property@Ldb.Cursor:limit].
 *
 * One thread at a time.
 *
 * Returns: the limit, or 0
 *
 * Since: 0.1
 */
guint64
ldb_cursor_get_limit (LdbCursor *self)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), 0);
  return self->limit;
}

/**
 * ldb_cursor_set_limit:
 * @self: a cursor
 * @limit: how many records to give, or 0 for all
 *
 * Sets [property@Ldb.Cursor:limit].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
void
ldb_cursor_set_limit (LdbCursor *self, guint64 limit)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  if (self->limit == limit)
    return;
  self->limit = limit;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LIMIT]);
}

/**
 * ldb_cursor_close:
 * @self: a cursor
 *
 * Lets go of what the cursor holds. Closing it again does nothing; the last unref closes it too.
 * While an asynchronous call is under way nothing happens: close it when that has finished.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
void
ldb_cursor_close (LdbCursor *self)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  if (!ldb_busy_enter (self->busy, "cursor", NULL))
    return;
  ldb_cursor_close_claimed (self);
  ldb_busy_leave (self->busy);
}

/**
 * ldb_cursor_peek_key: (skip)
 * @self: a cursor
 * @length: (out): its bytes
 *
 * Borrows the key it is on, until the next move or close.
 *
 * Does not block and allocates nothing; one thread at a time.
 *
 * Returns: (transfer none) (nullable): the key, or %NULL when it is on no record
 *
 * Since: 0.1
 */
const guint8 *
ldb_cursor_peek_key (LdbCursor *self, gsize *length)
{
  if (G_UNLIKELY (!ldb_cursor_is (self) || !is_on_record (self)))
    {
      *length = 0;
      g_return_val_if_fail (LDB_IS_CURSOR (self), NULL);
      return NULL;
    }
  *length = self->place->shown->key.size;
  return self->place->shown->key.data;
}

/* What is not simply there: a large value, or an error. */
static __attribute__ ((noinline)) const guint8 *
peek_otherwise (LdbCursor *self, gsize *length, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct bytes value;
  *length = 0;
  g_return_val_if_fail (LDB_IS_CURSOR (self), NULL);
  if (!is_on_record (self) || (self->flags & LDB_SCAN_KEYS_ONLY))
    {
      ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                     "The cursor is on no record, or reads keys only.");
      return NULL;
    }
  if (ldb_database_enter (self->database, error) == NULL)
    return NULL;
  status code = engine_cursor_value (self->cursor, &value, &failure);
  if (code != STATUS_OK)
    {
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  *length = value.size;
  return value.size > 0 ? value.data : NULL;
}

/**
 * ldb_cursor_peek_value: (skip)
 * @self: a cursor
 * @length: (out): its bytes
 * @error: return location for an error
 *
 * Borrows the value it is on, until the next move or close.
 *
 * Fails as [method@Ldb.Cursor.get_value] does. Blocks while a large value is read; allocates
 * nothing else; one thread at a time.
 *
 * Returns: (transfer none) (nullable): the value; %NULL with @length 0 and no error for an empty
 * one
 *
 * Since: 0.1
 */
const guint8 *
ldb_cursor_peek_value (LdbCursor *self, gsize *length, GError **error)
{
  if (G_UNLIKELY (!ldb_cursor_is (self) || !is_on_record (self)
                  || (self->flags & LDB_SCAN_KEYS_ONLY) != 0
                  || !ldb_database_is_open (self->database) || self->place->shown->apart))
    return peek_otherwise (self, length, error);
  const struct bytes *value = &self->place->shown->value;
  *length = value->size;
  return value->size > 0 ? value->data : NULL;
}
