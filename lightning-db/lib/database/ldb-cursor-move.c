/* SPDX-License-Identifier: MIT */
/*
 * LdbCursor, moving.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-cursor-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"

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
move_engine (LdbCursor *self, LdbCursorMove move, struct bytes key, struct failure *failure)
{
  gboolean reverse = is_reverse (self);
  switch (move)
    {
    case LDB_CURSOR_MOVE_NEXT:
      return reverse ? engine_cursor_previous (self->cursor, failure)
                     : engine_cursor_next (self->cursor, failure);
    case LDB_CURSOR_MOVE_PREVIOUS:
      return reverse ? engine_cursor_next (self->cursor, failure)
                     : engine_cursor_previous (self->cursor, failure);
    case LDB_CURSOR_MOVE_FIRST:
      return reverse ? engine_cursor_last (self->cursor, failure)
                     : engine_cursor_first (self->cursor, failure);
    case LDB_CURSOR_MOVE_LAST:
      return reverse ? engine_cursor_first (self->cursor, failure)
                     : engine_cursor_last (self->cursor, failure);
    case LDB_CURSOR_MOVE_SEEK:
    default:
      return reverse ? seek_down (self->cursor, key, failure)
                     : engine_cursor_seek (self->cursor, key, failure);
    }
}

/* What next() and previous() come down to, seen from the state. FALSE: no record that way. */
static gboolean
plan_step (LdbCursor *self, LdbCursorMove *move)
{
  if (*move == LDB_CURSOR_MOVE_NEXT)
    {
      if (self->state == LDB_CURSOR_STATE_AFTER || self->state == LDB_CURSOR_STATE_CUT)
        return FALSE;
      if (self->limit > 0 && self->given >= self->limit)
        {
          self->state
              = self->state == LDB_CURSOR_STATE_ON ? LDB_CURSOR_STATE_CUT : LDB_CURSOR_STATE_AFTER;
          return FALSE;
        }
      if (self->state == LDB_CURSOR_STATE_BEFORE)
        *move = LDB_CURSOR_MOVE_FIRST;
      return TRUE;
    }
  if (*move == LDB_CURSOR_MOVE_PREVIOUS)
    {
      if (self->state == LDB_CURSOR_STATE_BEFORE)
        return FALSE;
      if (self->state == LDB_CURSOR_STATE_AFTER)
        *move = LDB_CURSOR_MOVE_LAST;
    }
  return TRUE;
}

static inline __attribute__ ((always_inline)) gboolean
move_claimed (LdbCursor *self, LdbCursorMove asked, struct bytes key, GError **error)
{
  struct failure failure;
  LdbCursorMove move = asked;
  if (self->cursor == NULL)
    return ldb_error_set (error, LDB_ERROR_CLOSED,
                          "The cursor is closed, or its transaction has ended; make a new one.");
  if (ldb_database_enter (self->database, error) == NULL || !plan_step (self, &move))
    return FALSE;
  if (asked == LDB_CURSOR_MOVE_PREVIOUS && self->state == LDB_CURSOR_STATE_CUT)
    {
      self->state = LDB_CURSOR_STATE_ON;
      return TRUE;
    }
  failure_reset (&failure);
  status code = move_engine (self, move, key, &failure);
  gboolean valid = code == STATUS_OK && engine_cursor_valid (self->cursor);
  if (valid)
    self->state = LDB_CURSOR_STATE_ON;
  else
    self->state = asked == LDB_CURSOR_MOVE_PREVIOUS || asked == LDB_CURSOR_MOVE_LAST
                      ? LDB_CURSOR_STATE_BEFORE
                      : LDB_CURSOR_STATE_AFTER;
  if (asked == LDB_CURSOR_MOVE_NEXT)
    self->given += valid;
  else if (asked == LDB_CURSOR_MOVE_PREVIOUS)
    self->given -= MIN (self->given, 1);
  else
    self->given = valid;
  return valid || (code != STATUS_OK && ldb_error_take_failure (error, code, &failure));
}

gboolean
ldb_cursor_move_claimed (LdbCursor *self, LdbCursorMove move, struct bytes key, GError **error)
{
  return move_claimed (self, move, key, error);
}

static inline gboolean
move_sync (LdbCursor *self, LdbCursorMove move, struct bytes key, GCancellable *cancellable,
           GError **error)
{
  if ((cancellable != NULL && g_cancellable_set_error_if_cancelled (cancellable, error))
      || !ldb_busy_enter_here (self->busy, self->transaction != NULL ? "transaction" : "cursor",
                               error))
    return FALSE;
  gboolean moved = move_claimed (self, move, key, error);
  ldb_busy_leave_here (self->busy);
  return moved;
}

static gboolean
run_move (LdbCall *call, GError **error)
{
  struct bytes key = BYTES_NONE;
  if (call->first != NULL)
    key.data = g_bytes_get_data (call->first, &key.size);
  return ldb_cursor_move_claimed (LDB_CURSOR (call->subject), call->flags, key, error);
}

void
ldb_cursor_start_claimed (LdbCursor *self, LdbCall *call, const LdbReply *reply)
{
  call->subject = G_OBJECT (g_object_ref (self));
  g_set_object (&call->place.database, self->database);
  ldb_call_start_alone (call, reply, LDB_WORK_SHORT, self->busy,
                        self->transaction != NULL ? "transaction" : "cursor");
}

static void
move_async (LdbCursor *self, LdbCursorMove move, GBytes *key, const LdbReply *reply)
{
  LdbCall *call = ldb_call_new (run_move, NULL);
  call->flags = move;
  call->first = key;
  ldb_cursor_start_claimed (self, call, reply);
}

/* Goes from one record to the next where that is no more than a step inside a page, to a record
 * that the engine looked at ahead or one that it steps to: neither needs the claim or a place for a
 * failure. FALSE: it stands as before. */
static inline gboolean
step_on (LdbCursor *self)
{
  if (self->state != LDB_CURSOR_STATE_ON || self->limit != 0 || !ldb_busy_is_free (self->busy)
      || !ldb_database_is_open (self->database)
      || !(engine_cursor_step_ahead (self->place)
           || engine_cursor_step (self->cursor, is_reverse (self))))
    return FALSE;
  self->given++;
  return TRUE;
}

static __attribute__ ((noinline)) gboolean
next_record (LdbCursor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  return move_sync (self, LDB_CURSOR_MOVE_NEXT, BYTES_NONE, cancellable, error);
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
  if (G_LIKELY (ldb_cursor_is (self) && cancellable == NULL && step_on (self)))
    return TRUE;
  return next_record (self, cancellable, error);
}

/* What it is on, where that is not simply there. */
static __attribute__ ((noinline)) gboolean
peek_record (LdbCursor *self, const guint8 **key, gsize *key_length, const guint8 **value,
             gsize *value_length, GError **error)
{
  GError *failed = NULL;
  *key = ldb_cursor_peek_key (self, key_length);
  *value = NULL;
  *value_length = 0;
  if (!(self->flags & LDB_SCAN_KEYS_ONLY))
    *value = ldb_cursor_peek_value (self, value_length, &failed);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, failed);
  return FALSE;
}

static __attribute__ ((noinline)) gboolean
peek_next_otherwise (LdbCursor *self, const guint8 **key, gsize *key_length, const guint8 **value,
                     gsize *value_length, GError **error)
{
  return move_sync (self, LDB_CURSOR_MOVE_NEXT, BYTES_NONE, NULL, error)
         && peek_record (self, key, key_length, value, value_length, error);
}

/**
 * ldb_cursor_peek_next: (skip)
 * @self: a cursor
 * @key: (out): the key
 * @key_length: (out): its bytes
 * @value: (out) (nullable): the value; %NULL when it is empty, and with %LDB_SCAN_KEYS_ONLY
 * @value_length: (out): its bytes
 * @error: return location for an error
 *
 * Goes to the next record, as [method@Ldb.Cursor.next] does, and borrows it until the next move or
 * close. The cheapest way through many records from C: one call for each of them.
 *
 * Fails as [method@Ldb.Cursor.next] does; when it is the value that cannot be read, the cursor is
 * on that record. Without a record, @key and @value are %NULL. Blocks while a page or a large value
 * is read; allocates nothing else; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_peek_next (LdbCursor *self, const guint8 **key, gsize *key_length, const guint8 **value,
                      gsize *value_length, GError **error)
{
  if (G_UNLIKELY (!ldb_cursor_is (self) || !step_on (self)))
    {
      *key = *value = NULL;
      *key_length = *value_length = 0;
      g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
      return peek_next_otherwise (self, key, key_length, value, value_length, error);
    }
  const struct record_place *record = self->place->shown;
  if (G_UNLIKELY (record->apart || record->value.size == 0
                  || (self->flags & LDB_SCAN_KEYS_ONLY) != 0))
    return peek_record (self, key, key_length, value, value_length, error);
  *key = record->key.data;
  *key_length = record->key.size;
  *value = record->value.data;
  *value_length = record->value.size;
  return TRUE;
}

/**
 * ldb_cursor_fetch:
 * @self: a cursor
 * @key: (out) (transfer full) (nullable) (array length=key_length) (element-type guint8): the key
 * @key_length: (out): its bytes
 * @value: (out) (transfer full) (nullable) (array length=value_length) (element-type guint8): the
 *   value; %NULL when it is empty, and with %LDB_SCAN_KEYS_ONLY
 * @value_length: (out): its bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the next record, as [method@Ldb.Cursor.next] does, and copies it.
 *
 * The cheapest way through many records from Python and JavaScript, which make their own bytes of
 * the copies. C code borrows them instead, with ldb_cursor_peek_next().
 *
 * Fails as [method@Ldb.Cursor.next] does, and with %LDB_ERROR_NO_MEMORY; the cursor is then on the
 * record that could not be copied. Blocks while a page is read; one thread at a time.
 *
 * Returns: %TRUE on a record; %FALSE without an error when there is none
 *
 * Since: 0.1
 */
gboolean
ldb_cursor_fetch (LdbCursor *self, guint8 **key, gsize *key_length, guint8 **value,
                  gsize *value_length, GCancellable *cancellable, GError **error)
{
  *key = *value = NULL;
  *key_length = *value_length = 0;
  g_return_val_if_fail (LDB_IS_CURSOR (self), FALSE);
  gboolean stepped = cancellable == NULL && step_on (self);
  if (!stepped && !move_sync (self, LDB_CURSOR_MOVE_NEXT, BYTES_NONE, cancellable, error))
    return FALSE;
  GError *failed = NULL;
  struct bytes bytes;
  bytes.data = ldb_cursor_peek_key (self, &bytes.size);
  if (!ldb_bytes_give (bytes, key, key_length, error))
    return FALSE;
  if (self->flags & LDB_SCAN_KEYS_ONLY)
    return TRUE;
  bytes.data = ldb_cursor_peek_value (self, &bytes.size, &failed);
  if (failed == NULL)
    ldb_bytes_give (bytes, value, value_length, &failed);
  if (failed == NULL)
    return TRUE;
  g_clear_pointer (key, g_free);
  *key_length = 0;
  g_propagate_error (error, failed);
  return FALSE;
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
  move_async (self, LDB_CURSOR_MOVE_NEXT, NULL,
              LDB_REPLY (self, ldb_cursor_next_async, cancellable, callback, user_data));
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
  return move_sync (self, LDB_CURSOR_MOVE_PREVIOUS, BYTES_NONE, cancellable, error);
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
  move_async (self, LDB_CURSOR_MOVE_PREVIOUS, NULL,
              LDB_REPLY (self, ldb_cursor_previous_async, cancellable, callback, user_data));
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
  return move_sync (self, LDB_CURSOR_MOVE_FIRST, BYTES_NONE, cancellable, error);
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
  move_async (self, LDB_CURSOR_MOVE_FIRST, NULL,
              LDB_REPLY (self, ldb_cursor_first_async, cancellable, callback, user_data));
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
  return move_sync (self, LDB_CURSOR_MOVE_LAST, BYTES_NONE, cancellable, error);
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
  move_async (self, LDB_CURSOR_MOVE_LAST, NULL,
              LDB_REPLY (self, ldb_cursor_last_async, cancellable, callback, user_data));
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
         && move_sync (self, LDB_CURSOR_MOVE_SEEK, bytes, cancellable, error);
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
  const LdbReply *reply = LDB_REPLY (self, ldb_cursor_seek_async, cancellable, callback, user_data);
  GError *error = NULL;
  if (!ldb_check_key (key, key_length, &bytes, &error))
    ldb_reply_error (reply, error);
  else
    move_async (self, LDB_CURSOR_MOVE_SEEK, g_bytes_new (key, key_length), reply);
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
