/* SPDX-License-Identifier: MIT */
/*
 * States, in the order of the scan
 *   BEFORE   before the first record: next() goes to it
 *   ON       on a record: so is the engine's cursor
 *   CUT      the limit ended the scan: the engine's cursor is still on the last record given
 *   AFTER    behind the last record: previous() goes to it
 * A move that fails going forward leaves AFTER, one going back leaves BEFORE, so that a loop over
 * next() or previous() ends.
 */
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
 * while (ldb_cursor_next (cursor, NULL, &error))
 *   {
 *     gsize length;
 *     const guint8 *key = ldb_cursor_peek_key (cursor, &length);
 *     …
 *   }
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
typedef enum
{
  STATE_BEFORE,
  STATE_ON,
  STATE_CUT,
  STATE_AFTER,
} CursorState;

typedef enum
{
  MOVE_NEXT,
  MOVE_PREVIOUS,
  MOVE_FIRST,
  MOVE_LAST,
  MOVE_SEEK,
} CursorMove;

struct _LdbCursor
{
  GObject parent_instance;

  LdbDatabase *database;        /* owned */
  LdbTransaction *transaction;  /* owned, or NULL */
  LdbPin *pin;                  /* of the snapshot it reads, or NULL; owned */
  struct engine_cursor *cursor; /* NULL once closed */
  LdbScanFlags flags;           /* how it goes */
  CursorState state;            /* where it is */
  guint64 limit;                /* records that next() gives; 0 = all */
  guint64 given;                /* records that next() gave since the last first, last or seek */
  gint own_busy;                /* taken while a call is under way, unless it has a transaction */
  gint *busy;                   /* own_busy, or the transaction's */
};

G_DEFINE_FINAL_TYPE (LdbCursor, ldb_cursor, G_TYPE_OBJECT)

enum
{
  PROP_FLAGS = 1,
  PROP_LIMIT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

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
    }
  if (place->transaction != NULL)
    settings.transaction = place->transaction->transaction;
  status code = engine_cursor_new (engine, &settings, &self->cursor, &failure);
  if (code != STATUS_OK)
    {
      self->cursor = NULL;
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
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
  g_clear_pointer (&self->cursor, engine_cursor_free);
  g_clear_pointer (&self->pin, ldb_pin_unref);
  self->state = STATE_AFTER;
}

struct engine_cursor *
ldb_cursor_steal (LdbCursor *self)
{
  self->state = STATE_AFTER;
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

/* ---- moving ---- */

static gboolean
is_reverse (LdbCursor *self)
{
  return (self->flags & LDB_SCAN_REVERSE) != 0;
}

/* The greatest key up to `key`, for a scan that goes down. */
static status
seek_down (struct engine_cursor *cursor, struct bytes key, struct failure *failure)
{
  status code = engine_cursor_seek (cursor, key, failure);
  if (code != STATUS_OK
      || (engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), key)))
    return code;
  return engine_cursor_seek_before (cursor, key, failure);
}

static status
move_engine (LdbCursor *self, CursorMove move, struct bytes key, struct failure *failure)
{
  gboolean reverse = is_reverse (self);
  switch (move)
    {
    case MOVE_NEXT:
      return reverse ? engine_cursor_previous (self->cursor, failure)
                     : engine_cursor_next (self->cursor, failure);
    case MOVE_PREVIOUS:
      return reverse ? engine_cursor_next (self->cursor, failure)
                     : engine_cursor_previous (self->cursor, failure);
    case MOVE_FIRST:
      return reverse ? engine_cursor_last (self->cursor, failure)
                     : engine_cursor_first (self->cursor, failure);
    case MOVE_LAST:
      return reverse ? engine_cursor_first (self->cursor, failure)
                     : engine_cursor_last (self->cursor, failure);
    case MOVE_SEEK:
    default:
      return reverse ? seek_down (self->cursor, key, failure)
                     : engine_cursor_seek (self->cursor, key, failure);
    }
}

/* What next() and previous() come down to, seen from the state. FALSE: no record that way. */
static gboolean
plan_step (LdbCursor *self, CursorMove *move)
{
  if (*move == MOVE_NEXT)
    {
      if (self->state == STATE_AFTER || self->state == STATE_CUT)
        return FALSE;
      if (self->limit > 0 && self->given >= self->limit)
        {
          self->state = self->state == STATE_ON ? STATE_CUT : STATE_AFTER;
          return FALSE;
        }
      if (self->state == STATE_BEFORE)
        *move = MOVE_FIRST;
      return TRUE;
    }
  if (*move == MOVE_PREVIOUS)
    {
      if (self->state == STATE_BEFORE)
        return FALSE;
      if (self->state == STATE_AFTER)
        *move = MOVE_LAST;
    }
  return TRUE;
}

/* With the cursor claimed. */
static gboolean
move_claimed (LdbCursor *self, CursorMove asked, struct bytes key, GError **error)
{
  struct failure failure;
  CursorMove move = asked;
  if (self->cursor == NULL)
    return ldb_error_set (error, LDB_ERROR_CLOSED,
                          "The cursor is closed, or its transaction has ended; make a new one.");
  if (ldb_database_enter (self->database, error) == NULL || !plan_step (self, &move))
    return FALSE;
  if (asked == MOVE_PREVIOUS && self->state == STATE_CUT)
    {
      self->state = STATE_ON;
      return TRUE;
    }
  failure.code = STATUS_OK;
  failure.message[0] = '\0';
  status code = move_engine (self, move, key, &failure);
  gboolean valid = code == STATUS_OK && engine_cursor_valid (self->cursor);
  if (valid)
    self->state = STATE_ON;
  else
    self->state = asked == MOVE_PREVIOUS || asked == MOVE_LAST ? STATE_BEFORE : STATE_AFTER;
  if (asked == MOVE_NEXT)
    self->given += valid;
  else if (asked == MOVE_PREVIOUS)
    self->given -= MIN (self->given, 1);
  else
    self->given = valid;
  return valid || (code != STATUS_OK && ldb_error_take_failure (error, code, &failure));
}

static gboolean
move_sync (LdbCursor *self, CursorMove move, struct bytes key, GCancellable *cancellable,
           GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_busy_enter (self->busy, self->transaction != NULL ? "transaction" : "cursor", error))
    return FALSE;
  gboolean moved = move_claimed (self, move, key, error);
  ldb_busy_leave (self->busy);
  return moved;
}

static gboolean
run_move (LdbCall *call, GError **error)
{
  struct bytes key = BYTES_NONE;
  if (call->first != NULL)
    key.data = g_bytes_get_data (call->first, &key.size);
  return move_claimed (LDB_CURSOR (call->subject), call->flags, key, error);
}

/* Claims the cursor and sends `call` (taken over) to a worker. */
static void
start_claimed (LdbCursor *self, LdbCall *call, gpointer tag, const char *name,
               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GError *error = NULL;
  call->subject = G_OBJECT (g_object_ref (self));
  call->place.database = g_object_ref (self->database);
  if (!ldb_busy_enter (self->busy, self->transaction != NULL ? "transaction" : "cursor", &error))
    {
      ldb_call_complete (call, self, tag, name, cancellable, callback, user_data, error);
      return;
    }
  call->busy = self->busy;
  ldb_call_start (call, self, tag, name, LDB_WORK_SHORT, cancellable, callback, user_data);
}

static void
move_async (LdbCursor *self, CursorMove move, GBytes *key, gpointer tag, const char *name,
            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  LdbCall *call = ldb_call_new (run_move, NULL);
  call->flags = move;
  call->first = key;
  start_claimed (self, call, tag, name, cancellable, callback, user_data);
}

/**
 * ldb_cursor_next:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the next record; on a new cursor, to the first.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_PENDING, %LDB_ERROR_TIMED_OUT (transaction),
 * %LDB_ERROR_CORRUPT or %LDB_ERROR_IO. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_next (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return move_sync (self, MOVE_NEXT, BYTES_NONE, cancellable, error);
}

/**
 * ldb_cursor_next_async:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Cursor.next], without blocking.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_next_async (LdbCursor *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  move_async (self, MOVE_NEXT, NULL, ldb_cursor_next_async, "ldb_cursor_next_async", cancellable,
              callback, user_data);
}

/**
 * ldb_cursor_next_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.next_async].
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_next_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_cursor_next_async, error);
}

/**
 * ldb_cursor_previous:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the record before; from behind the last one, to the last.
 *
 * Fails as [method@Ldb.Cursor.next] does. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_previous (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return move_sync (self, MOVE_PREVIOUS, BYTES_NONE, cancellable, error);
}

/**
 * ldb_cursor_previous_async:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Cursor.previous], without blocking.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_previous_async (LdbCursor *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  move_async (self, MOVE_PREVIOUS, NULL, ldb_cursor_previous_async, "ldb_cursor_previous_async",
              cancellable, callback, user_data);
}

/**
 * ldb_cursor_previous_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.previous_async].
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_previous_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_cursor_previous_async, error);
}

/**
 * ldb_cursor_first:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the first record of the scan.
 *
 * Fails as [method@Ldb.Cursor.next] does. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_first (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return move_sync (self, MOVE_FIRST, BYTES_NONE, cancellable, error);
}

/**
 * ldb_cursor_first_async:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Cursor.first], without blocking.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_first_async (LdbCursor *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  move_async (self, MOVE_FIRST, NULL, ldb_cursor_first_async, "ldb_cursor_first_async", cancellable,
              callback, user_data);
}

/**
 * ldb_cursor_first_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.first_async].
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_first_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_cursor_first_async, error);
}

/**
 * ldb_cursor_last:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the last record of the scan, whatever the limit.
 *
 * Fails as [method@Ldb.Cursor.next] does. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_last (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return move_sync (self, MOVE_LAST, BYTES_NONE, cancellable, error);
}

/**
 * ldb_cursor_last_async:
 * @self: a cursor
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Cursor.last], without blocking.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_last_async (LdbCursor *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  move_async (self, MOVE_LAST, NULL, ldb_cursor_last_async, "ldb_cursor_last_async", cancellable,
              callback, user_data);
}

/**
 * ldb_cursor_last_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.last_async].
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_last_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_cursor_last_async, error);
}

/**
 * ldb_cursor_seek:
 * @self: a cursor
 * @key: (array length=key_length) (element-type guint8): where to go
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the first record that is not before a key in the order of the scan: the smallest key that
 * is not smaller, or with %LDB_SCAN_REVERSE the greatest that is not greater.
 *
 * Fails as [method@Ldb.Cursor.next] does, and with %LDB_ERROR_INVALID_ARGUMENT or
 * %LDB_ERROR_KEY_TOO_LARGE for what is no key. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_seek (LdbCursor *self, gconstpointer key, gsize key_length, GCancellable *cancellable,
                 GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  struct bytes bytes;
  return ldb_check_key (key, key_length, &bytes, error)
         && move_sync (self, MOVE_SEEK, bytes, cancellable, error);
}

/**
 * ldb_cursor_seek_async:
 * @self: a cursor
 * @key: (array length=key_length) (element-type guint8): where to go; copied
 * @key_length: its bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Goes to a key without blocking: see [method@Ldb.Cursor.seek].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_cursor_seek_async (LdbCursor *self, gconstpointer key, gsize key_length,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_CURSOR (self));
  struct bytes bytes;
  GError *error = NULL;
  if (!ldb_check_key (key, key_length, &bytes, &error))
    ldb_call_complete (ldb_call_new (run_move, NULL), self, ldb_cursor_seek_async,
                       "ldb_cursor_seek_async", cancellable, callback, user_data, error);
  else
    move_async (self, MOVE_SEEK, g_bytes_new (key, key_length), ldb_cursor_seek_async,
                "ldb_cursor_seek_async", cancellable, callback, user_data);
}

/**
 * ldb_cursor_seek_finish:
 * @self: a cursor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Cursor.seek_async].
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_seek_finish (LdbCursor *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_cursor_seek_async, error);
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
  if (self->cursor == NULL || self->state != STATE_ON)
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
         && move_claimed (self, MOVE_NEXT, BYTES_NONE, &local))
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
 * Returns: (transfer container) (element-type LdbRecord): the records, perhaps none; values are %NULL
 *   when only keys are read
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
  start_claimed (self, call, ldb_cursor_read_async, "ldb_cursor_read_async", cancellable, callback,
                 user_data);
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
  return g_atomic_int_get (self->busy) == 0 && self->cursor != NULL && self->state == STATE_ON;
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
  start_claimed (self, call, ldb_cursor_get_value_async, "ldb_cursor_get_value_async", cancellable,
                 callback, user_data);
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
  struct bytes key = ldb_cursor_is_valid (self) ? engine_cursor_key (self->cursor) : BYTES_NONE;
  *length = key.size;
  return key.data;
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
  struct failure failure = FAILURE_INIT;
  struct bytes value = BYTES_NONE;
  *length = 0;
  if (!ldb_cursor_is_valid (self) || (self->flags & LDB_SCAN_KEYS_ONLY))
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
