/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector, reading: snapshots, records, change streams.
 */
#include "config.h"

#include "ldb-error-private.h"
#include "ldb-inspector-private.h"
#include "ldb-record.h"
#include "ldb-visitor-private.h"

#define PART_BYTES (512u << 10) /* of a value in one message */

static GBytes *
bytes_of (GVariant *array)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (array, &size, 1);
  return g_bytes_new (data, size);
}

/* ---- values, part by part ---- */

/* What a read asks for. */
typedef struct
{
  guint snapshot;      /* or 0 */
  char *store;         /* or ""; owned */
  GBytes *start, *end; /* of the range, or the key and NULL; owned */
  LdbScanFlags flags;  /* of the range */
  guint limit;         /* records that are still wanted */
  guint value_limit;   /* bytes of each value at most */
} Wish;

static void
wish_free (gpointer data)
{
  Wish *wish = data;
  g_free (wish->store);
  g_clear_pointer (&wish->start, g_bytes_unref);
  g_clear_pointer (&wish->end, g_bytes_unref);
  g_free (wish);
}

static GVariant *
bytes_argument (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return ldb_inspector_bytes (data, size);
}

/* FALSE: error. *whole: there is nothing behind this part. */
static gboolean
get_part (LdbCall *call, const Wish *wish, guint snapshot, GByteArray *value, gboolean *found,
          gboolean *whole, GError **error)
{
  guint64 size;
  g_autoptr (GVariant) part = NULL;
  g_autoptr (GVariant) reply = ldb_inspector_ask (LDB_INSPECTOR (call->subject), "Get",
                                                  g_variant_new ("(us@aytu)", snapshot, wish->store,
                                                                 bytes_argument (wish->start),
                                                                 (guint64) value->len, PART_BYTES),
                                                  "(btay)", FALSE, call->cancellable, error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(bt@ay)", found, &size, &part);
  gsize length = g_variant_get_size (part);
  if (size > VALUE_SIZE_MAX || (*found && length == 0 && value->len < size))
    return ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave a wrong answer.");
  g_byte_array_append (value, g_variant_get_data (part), (guint) length);
  *whole = !*found || value->len >= size;
  return TRUE;
}

/* The parts of a value that takes several are read from one snapshot. */
static gboolean
run_get (LdbCall *call, GError **error)
{
  const Wish *wish = call->wish;
  LdbInspector *self = LDB_INSPECTOR (call->subject);
  guint snapshot = wish->snapshot;
  gboolean found = FALSE, whole = FALSE;
  g_autoptr (GByteArray) value = g_byte_array_new ();
  gboolean fine = get_part (call, wish, snapshot, value, &found, &whole, error);
  if (fine && !whole && snapshot == 0)
    {
      snapshot = ldb_inspector_open_snapshot (self, call->cancellable, error);
      g_byte_array_set_size (value, 0);
      fine = snapshot != 0;
      if (!fine && (error == NULL || *error == NULL))
        ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave a wrong answer.");
    }
  while (fine && !whole)
    fine = get_part (call, wish, snapshot, value, &found, &whole, error);
  if (snapshot != 0 && snapshot != wish->snapshot)
    ldb_inspector_close_snapshot (self, snapshot, NULL, NULL);
  if (fine && found)
    call->result = g_byte_array_free_to_bytes (g_steal_pointer (&value));
  return fine && found;
}

static LdbCall *
new_wish (LdbInspector *self, LdbCallFunc run, guint snapshot, const char *store,
          GDestroyNotify free)
{
  LdbCall *call = ldb_call_new (run, NULL);
  Wish *wish = g_new0 (Wish, 1);
  wish->snapshot = snapshot;
  wish->store = g_strdup (store != NULL ? store : "");
  call->subject = G_OBJECT (g_object_ref (self));
  call->wish = wish;
  call->wish_free = wish_free;
  call->result_free = free;
  return call;
}

static LdbCall *
new_get (LdbInspector *self, guint snapshot, const char *store, gconstpointer key, gsize key_length)
{
  LdbCall *call = new_wish (self, run_get, snapshot, store, (GDestroyNotify) g_bytes_unref);
  ((Wish *) call->wish)->start = g_bytes_new (key, key_length);
  return call;
}

/* ---- ranges, page by page ---- */

/* Goes on with the page that begins, or from the end ends, at `next`. FALSE: that would be no further. */
static gboolean
advance (Wish *wish, GBytes *next)
{
  gboolean reverse = (wish->flags & LDB_SCAN_REVERSE) != 0;
  GBytes **bound = reverse ? &wish->end : &wish->start;
  gint order = g_bytes_compare (next, *bound);
  if (reverse ? order >= 0 && g_bytes_get_size (*bound) > 0 : order <= 0)
    return FALSE;
  g_bytes_unref (*bound);
  *bound = g_bytes_ref (next);
  return TRUE;
}

/* Whether a key comes behind the one before, and is in what was asked for. */
static gboolean
is_next (const Wish *wish, GPtrArray *records, GBytes *key)
{
  gboolean reverse = (wish->flags & LDB_SCAN_REVERSE) != 0;
  if (g_bytes_compare (key, wish->start) < 0
      || (g_bytes_get_size (wish->end) > 0 && g_bytes_compare (key, wish->end) >= 0))
    return FALSE;
  if (records->len == 0)
    return TRUE;
  int order = g_bytes_compare (key, ldb_record_get_key (records->pdata[records->len - 1]));
  return reverse ? order < 0 : order > 0;
}

/* FALSE: they are not what was asked for. */
static gboolean
take_records (Wish *wish, GVariant *page, GPtrArray *records)
{
  gsize count = MIN (g_variant_n_children (page), wish->limit);
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) key = NULL;
      g_autoptr (GVariant) value = NULL;
      g_variant_get_child (page, i, "(@ay@ayt)", &key, &value, NULL);
      g_autoptr (GBytes) key_bytes = bytes_of (key);
      g_autoptr (GBytes) value_bytes
          = (wish->flags & LDB_SCAN_KEYS_ONLY) == 0 ? bytes_of (value) : NULL;
      if (!is_next (wish, records, key_bytes))
        return FALSE;
      g_ptr_array_add (records, ldb_record_new (key_bytes, value_bytes));
    }
  wish->limit -= (guint) count;
  return TRUE;
}

static gboolean
read_page (LdbCall *call, Wish *wish, GPtrArray *records, gboolean *more, GError **error)
{
  g_autoptr (GVariant) page = NULL;
  g_autoptr (GVariant) next = NULL;
  g_autoptr (GVariant) reply
      = ldb_inspector_ask (LDB_INSPECTOR (call->subject), "Read",
                           g_variant_new ("(us@ay@ayuuu)", wish->snapshot, wish->store,
                                          bytes_argument (wish->start), bytes_argument (wish->end),
                                          (guint32) wish->flags, wish->limit, wish->value_limit),
                           "(a(ayayt)bay)", FALSE, call->cancellable, error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(@a(ayayt)b@ay)", &page, more, &next);
  g_autoptr (GBytes) next_bytes = bytes_of (next);
  gboolean fine = take_records (wish, page, records);
  *more = *more && wish->limit > 0;
  return (fine && (!*more || advance (wish, next_bytes)))
         || ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave a wrong answer.");
}

static gboolean
run_read (LdbCall *call, GError **error)
{
  gboolean more = ((Wish *) call->wish)->limit > 0;
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_record_unref);
  while (more)
    if (!read_page (call, call->wish, records, &more, error))
      return FALSE;
  call->result = g_steal_pointer (&records);
  return TRUE;
}

static LdbCall *
new_read (LdbInspector *self, guint snapshot, const char *store, gconstpointer start,
          gsize start_length, gconstpointer end, gsize end_length, LdbScanFlags flags, guint limit,
          guint value_limit)
{
  LdbCall *call = new_wish (self, run_read, snapshot, store, (GDestroyNotify) g_ptr_array_unref);
  Wish *wish = call->wish;
  wish->start = g_bytes_new (start, start_length);
  wish->end = g_bytes_new (end, end_length);
  wish->flags = flags;
  wish->limit = limit;
  wish->value_limit = value_limit;
  return call;
}

static LdbCall *
new_subscribe (LdbInspector *self, const char *store, gconstpointer prefix, gsize prefix_length,
               LdbWatchFlags flags, guint interval)
{
  gboolean every_store = g_strcmp0 (store, "*") == 0;
  return ldb_inspector_call_new (
      self, "Subscribe",
      g_variant_new ("(sb@ayuu)", store != NULL && !every_store ? store : "", every_store,
                     ldb_inspector_bytes (prefix, prefix_length), (guint32) flags, interval),
      "(ut)", ldb_inspector_answer_number, ldb_inspector_free_nothing);
}

/* ---- reading ---- */

/**
 * ldb_inspector_open_snapshot:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Takes a snapshot in the running process, for several reads of one state. It goes with the
 * connection, a minute after it was last used, and after ten minutes.
 *
 * Fails with %LDB_ERROR_LIMIT_EXCEEDED when the connection has four, %LDB_ERROR_CLOSED once the
 * connection has ended. Blocks for the other process; any thread.
 *
 * Returns: the snapshot's number; 0 with @error set
 *
 * Since: 0.1
 */
guint
ldb_inspector_open_snapshot (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), 0);
  LdbCall *call = ldb_inspector_call_new (self, "OpenSnapshot", NULL, "(ut)",
                                          ldb_inspector_answer_number, ldb_inspector_free_nothing);
  return GPOINTER_TO_UINT (ldb_call_now_pointer (call, cancellable, error));
}

/**
 * ldb_inspector_open_snapshot_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.open_snapshot], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_open_snapshot_async (LdbInspector *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "OpenSnapshot", NULL, "(ut)",
                                          ldb_inspector_answer_number, ldb_inspector_free_nothing);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_open_snapshot_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_open_snapshot_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.open_snapshot_async].
 *
 * Returns: the snapshot's number; 0 with @error set
 *
 * Since: 0.1
 */
guint
ldb_inspector_open_snapshot_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return GPOINTER_TO_UINT (
      ldb_call_finish_pointer (self, result, ldb_inspector_open_snapshot_async, error));
}

/**
 * ldb_inspector_close_snapshot:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gives a snapshot back.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any
 * thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_close_snapshot (LdbInspector *self, guint snapshot, GCancellable *cancellable,
                              GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new (self, "CloseSnapshot", g_variant_new ("(u)", snapshot),
                                          NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_close_snapshot_async:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.close_snapshot], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_close_snapshot_async (LdbInspector *self, guint snapshot, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "CloseSnapshot", g_variant_new ("(u)", snapshot),
                                          NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_close_snapshot_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_close_snapshot_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.close_snapshot_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_close_snapshot_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_close_snapshot_async, error);
}

/**
 * ldb_inspector_get:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's, or 0 for the newest state
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a value up, whole, in as many messages as it takes.
 *
 * Fails with the errors of [method@Ldb.Database.get], %LDB_ERROR_LIMIT_EXCEEDED when the value has more
 * than 64 MiB, %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_inspector_get (LdbInspector *self, guint snapshot, const char *store, gconstpointer key,
                   gsize key_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_get (self, snapshot, store, key, key_length);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_get_async:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's, or 0 for the newest state
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its bytes, 1 to 65,536
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.get], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_get_async (LdbInspector *self, guint snapshot, const char *store, gconstpointer key,
                         gsize key_length, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_get (self, snapshot, store, key, key_length);
  ldb_call_start (call, LDB_REPLY (self, ldb_inspector_get_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_get_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.get_async].
 *
 * Returns: (transfer full) (nullable): the value; %NULL without an error when there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_inspector_get_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_get_async, error);
}

/**
 * ldb_inspector_read:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's, or 0 for the newest state
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key, or %NULL
 * @start_length: its bytes; 0 leaves the side open
 * @end: (nullable) (array length=end_length) (element-type guint8): the key before which to
 *   stop, or %NULL
 * @end_length: its bytes; 0 leaves the side open
 * @flags: in which order, and whether keys only
 * @limit: how many records at most
 * @value_limit: bytes of each value at most, up to 65,536; the rest is left out
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Reads the first records of a range, in as many messages as it takes.
 *
 * Fails with %LDB_ERROR_NOT_FOUND when there is no such store, %LDB_ERROR_CLOSED once the
 * connection has ended. Blocks for the other process; any thread.
 *
 * Returns: (transfer container) (element-type LdbRecord): the records; fewer than @limit when there
 *   are no more
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_read (LdbInspector *self, guint snapshot, const char *store, gconstpointer start,
                    gsize start_length, gconstpointer end, gsize end_length, LdbScanFlags flags,
                    guint limit, guint value_limit, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  LdbCall *call = new_read (self, snapshot, store, start, start_length, end, end_length, flags,
                            limit, value_limit);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_inspector_read_async:
 * @self: an inspector
 * @snapshot: a snapshot of the connection's, or 0 for the newest state
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key, or %NULL
 * @start_length: its bytes; 0 leaves the side open
 * @end: (nullable) (array length=end_length) (element-type guint8): the key before which to
 *   stop, or %NULL
 * @end_length: its bytes; 0 leaves the side open
 * @flags: in which order, and whether keys only
 * @limit: how many records at most
 * @value_limit: bytes of each value at most, up to 65,536; the rest is left out
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.read], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_read_async (LdbInspector *self, guint snapshot, const char *store,
                          gconstpointer start, gsize start_length, gconstpointer end,
                          gsize end_length, LdbScanFlags flags, guint limit, guint value_limit,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_read (self, snapshot, store, start, start_length, end, end_length, flags,
                            limit, value_limit);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_read_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_read_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.read_async].
 *
 * Returns: (transfer container) (element-type LdbRecord): the records; fewer than @limit when there
 *   are no more
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_read_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_read_async, error);
}

/* ---- following ---- */

/**
 * ldb_inspector_subscribe:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): which keys to follow,
 *   or %NULL for all
 * @prefix_length: its bytes
 * @flags: what to be told
 * @interval: milliseconds for which changes gather
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Follows what is committed to the keys with a prefix: [signal@Ldb.Inspector::changed]. With the
 * store `*` those of all stores, whatever the prefix.
 *
 * Fails with %LDB_ERROR_LIMIT_EXCEEDED when the connection has 16 streams, %LDB_ERROR_NOT_FOUND
 * when there is no such store, %LDB_ERROR_CLOSED once the connection has ended. Blocks for the
 * other process; any thread.
 *
 * Returns: the change stream's number; 0 with @error set
 *
 * Since: 0.1
 */
guint
ldb_inspector_subscribe (LdbInspector *self, const char *store, gconstpointer prefix,
                         gsize prefix_length, LdbWatchFlags flags, guint interval,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), 0);
  LdbCall *call = new_subscribe (self, store, prefix, prefix_length, flags, interval);
  return GPOINTER_TO_UINT (ldb_call_now_pointer (call, cancellable, error));
}

/**
 * ldb_inspector_subscribe_async:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default one
 * @prefix: (nullable) (array length=prefix_length) (element-type guint8): which keys to follow,
 *   or %NULL for all
 * @prefix_length: its bytes
 * @flags: what to be told
 * @interval: milliseconds for which changes gather
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.subscribe], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_subscribe_async (LdbInspector *self, const char *store, gconstpointer prefix,
                               gsize prefix_length, LdbWatchFlags flags, guint interval,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = new_subscribe (self, store, prefix, prefix_length, flags, interval);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_inspector_subscribe_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_subscribe_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.subscribe_async].
 *
 * Returns: the change stream's number; 0 with @error set
 *
 * Since: 0.1
 */
guint
ldb_inspector_subscribe_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return GPOINTER_TO_UINT (
      ldb_call_finish_pointer (self, result, ldb_inspector_subscribe_async, error));
}

/**
 * ldb_inspector_unsubscribe:
 * @self: an inspector
 * @subscription: a change stream of the connection's
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Follows something no longer.
 *
 * Fails with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other process; any
 * thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_unsubscribe (LdbInspector *self, guint subscription, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), FALSE);
  LdbCall *call = ldb_inspector_call_new (self, "Unsubscribe", g_variant_new ("(u)", subscription),
                                          NULL, NULL, NULL);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_inspector_unsubscribe_async:
 * @self: an inspector
 * @subscription: a change stream of the connection's
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.unsubscribe], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_unsubscribe_async (LdbInspector *self, guint subscription, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  LdbCall *call = ldb_inspector_call_new (self, "Unsubscribe", g_variant_new ("(u)", subscription),
                                          NULL, NULL, NULL);
  ldb_call_start (
      call, LDB_REPLY (self, ldb_inspector_unsubscribe_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_unsubscribe_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.unsubscribe_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_unsubscribe_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_inspector_unsubscribe_async, error);
}
