/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector: what the storage of the running process's database is made of. What is large comes in
 * parts.
 */
#include "config.h"

#include "ldb-error-private.h"
#include "ldb-inspector-private.h"
#include "ldb-storage-variant-private.h"
#include "ldb-visitor-private.h"

/* Which pages a call asks for. */
typedef struct
{
  guint64 segment; /* its number */
  guint64 first;   /* page, or the only one */
  guint count;     /* of pages that are still wanted */
  gboolean read;   /* whether to read them */
} Wish;

static LdbCall *
new_wish (LdbInspector *self, LdbCallFunc run, GDestroyNotify free)
{
  LdbCall *call = ldb_call_new (run, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->wish = g_new0 (Wish, 1);
  call->wish_free = g_free;
  call->result_free = free;
  return call;
}

/* Waits for as long as it takes. */
static GVariant *
ask (LdbCall *call, const char *method, GVariant *arguments, const char *reply_type, GError **error)
{
  return ldb_inspector_ask (LDB_INSPECTOR (call->subject), method, arguments, reply_type, TRUE,
                            call->cancellable, error);
}

static gboolean
fail_wrong (GError **error)
{
  return ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave a wrong answer.");
}

/* ---- the map ---- */

#define MAP_TYPE "(utxa" LDB_NODE_VARIANT_TYPE "a" LDB_FAULT_VARIANT_TYPE "u)"

/* One part. *first: of the next one; 0: that was the last. */
static gboolean
take_map_part (LdbStorageReading *reading, GVariant *reply, guint32 *map, guint32 *first,
               GError **error)
{
  guint64 sequence;
  gint64 time;
  guint32 before = *first;
  g_autoptr (GVariant) nodes = NULL;
  g_autoptr (GVariant) faults = NULL;
  g_variant_get (reply, "(utx@a" LDB_NODE_VARIANT_TYPE "@a" LDB_FAULT_VARIANT_TYPE "u)", map,
                 &sequence, &time, &nodes, &faults, first);
  if (reading->map == NULL)
    ldb_storage_reading_begin (reading, sequence, time);
  gsize told = g_variant_n_children (nodes) + g_variant_n_children (faults);
  if (*first != 0 && (told == 0 || *first != before + told)) /* or it might go on for ever */
    return fail_wrong (error);
  return ldb_storage_reading_add (reading, nodes, faults, error);
}

static gboolean
run_load (LdbCall *call, GError **error)
{
  LdbStorageReading reading = { NULL };
  guint32 map = 0, first = 0;
  gboolean fine = TRUE;
  do
    {
      g_autoptr (GVariant) reply
          = ask (call, "LoadStorageMap", g_variant_new ("(uu)", map, first), MAP_TYPE, error);
      fine = reply != NULL && take_map_part (&reading, reply, &map, &first, error);
    }
  while (fine && first != 0);
  if (fine)
    call->result = ldb_storage_reading_end (&reading, error);
  ldb_storage_reading_clear (&reading);
  return call->result != NULL;
}

/* ---- pages ---- */

static gboolean
list_some (LdbCall *call, Wish *wish, GPtrArray *pages, gboolean *more, GError **error)
{
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) reply
      = ask (call, "ListPages",
             g_variant_new ("(ttub)", wish->segment, wish->first, wish->count, wish->read),
             "(a" LDB_PAGE_VARIANT_TYPE ")", error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(@a" LDB_PAGE_VARIANT_TYPE ")", &list);
  guint count = (guint) MIN (g_variant_n_children (list), wish->count);
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GVariant) told = g_variant_get_child_value (list, i);
      g_ptr_array_add (pages, ldb_page_from_variant (told));
    }
  wish->first += count;
  wish->count -= count;
  *more = count > 0 && wish->count > 0;
  return TRUE;
}

static gboolean
run_list (LdbCall *call, GError **error)
{
  gboolean more = TRUE;
  g_autoptr (GPtrArray) pages = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_page_free);
  while (more)
    if (!list_some (call, call->wish, pages, &more, error))
      return FALSE;
  call->result = g_steal_pointer (&pages);
  return TRUE;
}

static LdbCall *
new_list (LdbInspector *self, guint64 segment, guint64 first, guint n_pages, gboolean read)
{
  LdbCall *call = new_wish (self, run_list, (GDestroyNotify) g_ptr_array_unref);
  Wish *wish = call->wish;
  wish->segment = segment;
  wish->first = first;
  wish->count = n_pages;
  wish->read = read != FALSE;
  return call;
}

static gboolean
read_some (LdbCall *call, LdbPageReading *reading, gboolean *more, GError **error)
{
  const Wish *wish = call->wish;
  GPtrArray *records = reading->contents->records;
  guint64 bytes = MAX (reading->stored->len, reading->decoded->len), before = bytes + records->len;
  g_autoptr (GVariant) reply
      = ask (call, "ReadPage",
             g_variant_new ("(tttu)", wish->segment, wish->first, bytes, (guint32) records->len),
             "(" LDB_CONTENTS_VARIANT_TYPE "b)", error);
  if (reply == NULL || !ldb_page_reading_add (reading, reply, error))
    return FALSE;
  bytes = MAX (reading->stored->len, reading->decoded->len);
  g_variant_get_child (reply, g_variant_n_children (reply) - 1, "b", more);
  return !*more || bytes + records->len > before || fail_wrong (error);
}

static gboolean
run_read (LdbCall *call, GError **error)
{
  LdbPageReading reading;
  gboolean more = TRUE, fine = TRUE;
  ldb_page_reading_begin (&reading);
  while (fine && more)
    fine = read_some (call, &reading, &more, error);
  if (fine)
    call->result = ldb_page_reading_end (&reading);
  ldb_page_reading_clear (&reading);
  return fine;
}

static LdbCall *
new_read (LdbInspector *self, guint64 segment, guint64 page)
{
  LdbCall *call = new_wish (self, run_read, (GDestroyNotify) ldb_page_contents_free);
  Wish *wish = call->wish;
  wish->segment = segment;
  wish->first = page;
  return call;
}

/* ---- keys ---- */

static gpointer
answer_places (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (reply, 0);
  GPtrArray *places = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_key_location_free);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (list, i);
      g_ptr_array_add (places, ldb_key_location_from_variant (one));
    }
  return places;
}

static LdbCall *
new_locate (LdbInspector *self, const char *store, gconstpointer key, gsize key_length)
{
  return ldb_inspector_call_new (
      self, "LocateKey",
      g_variant_new ("(s@ay)", store != NULL ? store : "", ldb_inspector_bytes (key, key_length)),
      "(aa{sv})", answer_places, (GDestroyNotify) g_ptr_array_unref);
}

static gpointer
answer_sizes (GVariant *reply, GError **error)
{
  g_autoptr (GVariant) told = g_variant_get_child_value (reply, 0);
  return ldb_sizes_from_variant (told);
}

static LdbCall *
new_measure (LdbInspector *self, const char *store, gconstpointer start, gsize start_length,
             gconstpointer end, gsize end_length, guint time_limit, guint n_biggest)
{
  return ldb_inspector_call_new_long (
      self, "MeasureSizes",
      g_variant_new ("(s@ay@ayuu)", store != NULL ? store : "",
                     ldb_inspector_bytes (start, start_length),
                     ldb_inspector_bytes (end, end_length), time_limit, n_biggest),
      "(" LDB_SIZES_VARIANT_TYPE ")", answer_sizes, (GDestroyNotify) ldb_sizes_free);
}

/* ---- the calls ---- */

/**
 * ldb_inspector_load_storage_map:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has the application make a map of its storage: see [method@Ldb.Database.load_storage_map]. What is large is
 * told in parts, all of one map.
 *
 * Fails as that does, and with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other
 * process; any thread.
 *
 * Returns: (transfer full): the map
 *
 * Since: 0.1
 */
LdbStorageMap *
ldb_inspector_load_storage_map (LdbInspector *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (new_wish (self, run_load, g_object_unref), cancellable, error);
}

/**
 * ldb_inspector_load_storage_map_async:
 * @self: an inspector
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.load_storage_map], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_load_storage_map_async (LdbInspector *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_wish (self, run_load, g_object_unref),
      LDB_REPLY (self, ldb_inspector_load_storage_map_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_load_storage_map_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.load_storage_map_async].
 *
 * Returns: (transfer full): the map
 *
 * Since: 0.1
 */
LdbStorageMap *
ldb_inspector_load_storage_map_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_load_storage_map_async, error);
}

/**
 * ldb_inspector_list_pages:
 * @self: an inspector
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @first: the first page
 * @n_pages: how many, as far as there are so many
 * @read: whether to read and verify each; else only what the page directory and the cache know
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists pages of a segment: see [method@Ldb.Database.list_pages].
 *
 * Fails as that does, and with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other
 * process; any thread.
 *
 * Returns: (transfer container) (element-type LdbPage): the pages
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_pages (LdbInspector *self, guint64 segment, guint64 first, guint n_pages,
                          gboolean read, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (new_list (self, segment, first, n_pages, read), cancellable, error);
}

/**
 * ldb_inspector_list_pages_async:
 * @self: an inspector
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @first: the first page
 * @n_pages: how many, as far as there are so many
 * @read: whether to read and verify each; else only what the page directory and the cache know
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.list_pages], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_list_pages_async (LdbInspector *self, guint64 segment, guint64 first, guint n_pages,
                                gboolean read, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_list (self, segment, first, n_pages, read),
      LDB_REPLY (self, ldb_inspector_list_pages_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_list_pages_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.list_pages_async].
 *
 * Returns: (transfer container) (element-type LdbPage): the pages
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_list_pages_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_list_pages_async, error);
}

/**
 * ldb_inspector_read_page:
 * @self: an inspector
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @page: the number of the page
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Reads one page of a segment and takes it apart: see [method@Ldb.Database.read_page].
 *
 * Fails as that does, and with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other
 * process; any thread.
 *
 * Returns: (transfer full): what is in it
 *
 * Since: 0.1
 */
LdbPageContents *
ldb_inspector_read_page (LdbInspector *self, guint64 segment, guint64 page,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (new_read (self, segment, page), cancellable, error);
}

/**
 * ldb_inspector_read_page_async:
 * @self: an inspector
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @page: the number of the page
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.read_page], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_read_page_async (LdbInspector *self, guint64 segment, guint64 page,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (new_read (self, segment, page),
                  LDB_REPLY (self, ldb_inspector_read_page_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_read_page_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.read_page_async].
 *
 * Returns: (transfer full): what is in it
 *
 * Since: 0.1
 */
LdbPageContents *
ldb_inspector_read_page_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_read_page_async, error);
}

/**
 * ldb_inspector_locate_key:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Finds out where a key is: see [method@Ldb.Database.locate_key].
 *
 * Fails as that does, and with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other
 * process; any thread.
 *
 * Returns: (transfer container) (element-type LdbKeyLocation): the places, newest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_locate_key (LdbInspector *self, const char *store, gconstpointer key,
                          gsize key_length, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (new_locate (self, store, key, key_length), cancellable, error);
}

/**
 * ldb_inspector_locate_key_async:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.locate_key], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_locate_key_async (LdbInspector *self, const char *store, gconstpointer key,
                                gsize key_length, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_locate (self, store, key, key_length),
      LDB_REPLY (self, ldb_inspector_locate_key_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_locate_key_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.locate_key_async].
 *
 * Returns: (transfer container) (element-type LdbKeyLocation): the places, newest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_inspector_locate_key_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_locate_key_async, error);
}

/**
 * ldb_inspector_measure_sizes:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key
 * @start_length: its length; 0 for an open range
 * @end: (array length=end_length) (element-type guint8) (nullable): behind the last key
 * @end_length: its length; 0 for an open range
 * @time_limit: milliseconds after which it ends with what it has seen, up to 10,000; 0: 10,000
 * @n_biggest: how many of the largest values to name, up to 1,000
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Measures how large the keys and values of a range are: see [method@Ldb.Database.measure_sizes]. Of a large
 * range it sees, in 10 seconds, a part that is spread evenly over it. One inspector is served at a time.
 *
 * Fails as that does, and with %LDB_ERROR_CLOSED once the connection has ended. Blocks for the other
 * process; any thread.
 *
 * Returns: (transfer full): the sizes
 *
 * Since: 0.1
 */
LdbSizes *
ldb_inspector_measure_sizes (LdbInspector *self, const char *store, gconstpointer start,
                             gsize start_length, gconstpointer end, gsize end_length,
                             guint time_limit, guint n_biggest, GCancellable *cancellable,
                             GError **error)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return ldb_call_now_pointer (
      new_measure (self, store, start, start_length, end, end_length, time_limit, n_biggest),
      cancellable, error);
}

/**
 * ldb_inspector_measure_sizes_async:
 * @self: an inspector
 * @store: (nullable): the name of a store, or %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key
 * @start_length: its length; 0 for an open range
 * @end: (array length=end_length) (element-type guint8) (nullable): behind the last key
 * @end_length: its length; 0 for an open range
 * @time_limit: milliseconds after which it ends with what it has seen, up to 10,000; 0: 10,000
 * @n_biggest: how many of the largest values to name, up to 1,000
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Inspector.measure_sizes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_measure_sizes_async (LdbInspector *self, const char *store, gconstpointer start,
                                   gsize start_length, gconstpointer end, gsize end_length,
                                   guint time_limit, guint n_biggest, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  ldb_call_start (
      new_measure (self, store, start, start_length, end, end_length, time_limit, n_biggest),
      LDB_REPLY (self, ldb_inspector_measure_sizes_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_measure_sizes_finish:
 * @self: an inspector
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Inspector.measure_sizes_async].
 *
 * Returns: (transfer full): the sizes
 *
 * Since: 0.1
 */
LdbSizes *
ldb_inspector_measure_sizes_finish (LdbInspector *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_inspector_measure_sizes_async, error);
}
