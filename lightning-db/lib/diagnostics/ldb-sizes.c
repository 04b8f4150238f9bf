/* SPDX-License-Identifier: MIT */
/*
 * How large keys and values are.
 */
#include "config.h"

#include "base/histogram.h"
#include "engine-storage.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-sizes.h"
#include "ldb-store.h"

G_DEFINE_BOXED_TYPE (LdbBigValue, ldb_big_value, ldb_big_value_copy, ldb_big_value_free)
G_DEFINE_BOXED_TYPE (LdbSizeBucket, ldb_size_bucket, ldb_size_bucket_copy, ldb_size_bucket_free)
G_DEFINE_BOXED_TYPE (LdbSizes, ldb_sizes, ldb_sizes_copy, ldb_sizes_free)

/**
 * ldb_big_value_copy:
 * @self: a big value
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbBigValue *
ldb_big_value_copy (const LdbBigValue *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbBigValue *copy = g_memdup2 (self, sizeof *self);
  g_bytes_ref (copy->key);
  return copy;
}

/**
 * ldb_big_value_free:
 * @self: (transfer full) (nullable): a big value, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_big_value_free (LdbBigValue *self)
{
  if (self == NULL)
    return;
  g_bytes_unref (self->key);
  g_free (self);
}

/**
 * ldb_size_bucket_copy:
 * @self: a bucket
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbSizeBucket *
ldb_size_bucket_copy (const LdbSizeBucket *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_size_bucket_free:
 * @self: (transfer full) (nullable): a bucket, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_size_bucket_free (LdbSizeBucket *self)
{
  g_free (self);
}

/**
 * ldb_sizes_copy:
 * @self: sizes
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbSizes *
ldb_sizes_copy (const LdbSizes *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire ((gpointer) self);
}

static void
sizes_clear (gpointer data)
{
  LdbSizes *self = data;
  free (self->keys);
  free (self->values);
  g_clear_pointer (&self->biggest, g_ptr_array_unref);
  g_free (self->first_fault);
}

/**
 * ldb_sizes_free:
 * @self: (transfer full) (nullable): sizes, or %NULL
 *
 * Frees them.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_sizes_free (LdbSizes *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, sizes_clear);
}

/* ---- looking ---- */

/**
 * ldb_sizes_get_key_percentile:
 * @self: sizes
 * @fraction: 0 to 1: 0.5 for the median, 0.99 for the 99th percentile, 1 for the largest
 *
 * Gets the size that so many of the keys do not exceed, to within 1 %.
 *
 * Any thread.
 *
 * Returns: bytes; 0 when there are no keys
 *
 * Since: 0.1
 */
guint64
ldb_sizes_get_key_percentile (LdbSizes *self, double fraction)
{
  g_return_val_if_fail (self != NULL, 0);
  return histogram_percentile (self->keys, CLAMP (fraction, 0, 1));
}

/**
 * ldb_sizes_get_value_percentile:
 * @self: sizes
 * @fraction: 0 to 1: 0.5 for the median, 0.99 for the 99th percentile, 1 for the largest
 *
 * Gets the size that so many of the values do not exceed, to within 1 %.
 *
 * Any thread.
 *
 * Returns: bytes; 0 when there are no values
 *
 * Since: 0.1
 */
guint64
ldb_sizes_get_value_percentile (LdbSizes *self, double fraction)
{
  g_return_val_if_fail (self != NULL, 0);
  return histogram_percentile (self->values, CLAMP (fraction, 0, 1));
}

static void
add_bucket (GPtrArray *list, guint64 least, guint64 most, guint64 count)
{
  LdbSizeBucket *bucket = g_new (LdbSizeBucket, 1);
  *bucket = (LdbSizeBucket){ least, most, count };
  g_ptr_array_add (list, bucket);
}

/* 0, 1, 2–3, 4–7, …: the histogram's own buckets end there, too, so the counts are exact. */
static GPtrArray *
list_buckets (const struct histogram *histogram)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_size_bucket_free);
  guint64 all = histogram_count (histogram), before = 0;
  for (unsigned bit = 0; before < all && bit <= 40; bit++)
    {
      guint64 least = bit == 0 ? 0 : G_GUINT64_CONSTANT (1) << (bit - 1);
      guint64 most = (G_GUINT64_CONSTANT (1) << bit) - 1;
      guint64 now = bit == 40 ? all : histogram_count_at_most (histogram, most);
      if (now > before || list->len > 0)
        add_bucket (list, least, most, now - before);
      before = now;
    }
  return list;
}

/**
 * ldb_sizes_list_key_buckets:
 * @self: sizes
 *
 * Gets the histogram of the keys' sizes, from the first size that there is to the last, in buckets
 * that double.
 *
 * Any thread.
 *
 * Returns: (transfer container) (element-type LdbSizeBucket): the buckets
 *
 * Since: 0.1
 */
GPtrArray *
ldb_sizes_list_key_buckets (LdbSizes *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return list_buckets (self->keys);
}

/**
 * ldb_sizes_list_value_buckets:
 * @self: sizes
 *
 * Gets the histogram of the values' sizes, from the first size that there is to the last, in
 * buckets that double.
 *
 * Any thread.
 *
 * Returns: (transfer container) (element-type LdbSizeBucket): the buckets
 *
 * Since: 0.1
 */
GPtrArray *
ldb_sizes_list_value_buckets (LdbSizes *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return list_buckets (self->values);
}

/**
 * ldb_sizes_get_biggest:
 * @self: sizes
 *
 * Gets the largest values that were seen, the largest first, as many as were asked for.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbBigValue): the values
 *
 * Since: 0.1
 */
GPtrArray *
ldb_sizes_get_biggest (LdbSizes *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->biggest;
}

/**
 * ldb_sizes_get_first_fault:
 * @self: sizes
 *
 * Gets what is wrong with the first stretch that was left out.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the fault, in English; %NULL when nothing was left out
 *
 * Since: 0.1
 */
const char *
ldb_sizes_get_first_fault (LdbSizes *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->first_fault;
}

/* ---- measuring ---- */

static LdbSizes *
sizes_from_engine (struct engine_sizes *from)
{
  LdbSizes *sizes = g_atomic_rc_box_new0 (LdbSizes);
  sizes->records = from->records;
  sizes->key_bytes = from->key_bytes;
  sizes->value_bytes = from->value_bytes;
  sizes->share = from->share;
  sizes->faults = from->faults;
  sizes->keys = g_steal_pointer (&from->keys);
  sizes->values = g_steal_pointer (&from->values);
  sizes->biggest = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_big_value_free);
  for (size_t i = 0; i < from->biggest_count; i++)
    {
      LdbBigValue *value = g_new (LdbBigValue, 1);
      value->key = g_bytes_new (from->biggest[i].key, from->biggest[i].key_size);
      value->size = from->biggest[i].value_size;
      g_ptr_array_add (sizes->biggest, value);
    }
  if (from->faults > 0)
    sizes->first_fault = g_utf8_make_valid (from->first_fault.message, -1);
  return sizes;
}

static struct bytes
bytes_of (GBytes *bytes)
{
  gsize size = 0;
  const void *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  return BYTES (data, size);
}

static gboolean
run_measure (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_sizes sizes;
  struct bytes start = bytes_of (call->first), end = bytes_of (call->second);
  struct engine_sizes_settings settings = {
    .store = call->place.store,
    .time_limit = call->number * 1000,
    .biggest = (uint32_t) call->count,
  };
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL
      || !ldb_check_range (start.data, start.size, end.data, end.size, &settings.lower,
                           &settings.upper, error))
    return FALSE;
  status code = engine_storage_sizes (engine, &settings, ldb_progress_report, &call->progress,
                                      &sizes, &failure);
  if (!ldb_error_check (error, code, &failure))
    return FALSE;
  call->result = sizes_from_engine (&sizes);
  engine_sizes_clear (&sizes);
  return TRUE;
}

static LdbCall *
new_measure (const LdbPlace *place, gconstpointer start, gsize start_length, gconstpointer end,
             gsize end_length, guint time_limit, guint n_biggest)
{
  LdbCall *call = ldb_call_new (run_measure, place);
  call->first = ldb_bytes_copy (start, start_length);
  call->second = ldb_bytes_copy (end, end_length);
  call->number = time_limit;
  call->count = n_biggest;
  call->result_free = (GDestroyNotify) ldb_sizes_free;
  return call;
}

/**
 * ldb_database_measure_sizes:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key
 * @start_length: its length; 0 for an open range
 * @end: (array length=end_length) (element-type guint8) (nullable): behind the last key
 * @end_length: its length; 0 for an open range
 * @time_limit: milliseconds after which it ends with what it has seen; 0: none
 * @n_biggest: how many of the largest values to name, up to 10,000
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Measures how large the keys and values of a range are, as a snapshot of now has them. It goes
 * through all of the range past the cache, so that what is cached stays cached; large values
 * are not read. With a time limit what it has seen by then is spread evenly over the range.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE or
 * %LDB_ERROR_NO_MEMORY. Blocks for as long as it takes; any thread.
 *
 * Returns: (transfer full): the sizes
 *
 * Since: 0.1
 */
LdbSizes *
ldb_database_measure_sizes (LdbDatabase *self, LdbStore *store, gconstpointer start,
                            gsize start_length, gconstpointer end, gsize end_length,
                            guint time_limit, guint n_biggest, LdbProgressFunc progress,
                            gpointer progress_data, GCancellable *cancellable, GError **error)
{
  LdbPlace place;
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (store == NULL || LDB_IS_STORE (store), NULL);
  if (!ldb_place_init (&place, self, store, error))
    return NULL;
  LdbCall *call = new_measure (&place, start, start_length, end, end_length, time_limit, n_biggest);
  ldb_call_tell_here (call, progress, progress_data);
  return ldb_call_now_pointer (call, cancellable, error);
}

/**
 * ldb_database_measure_sizes_async:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key
 * @start_length: its length; 0 for an open range
 * @end: (array length=end_length) (element-type guint8) (nullable): behind the last key
 * @end_length: its length; 0 for an open range
 * @time_limit: milliseconds after which it ends with what it has seen; 0: none
 * @n_biggest: how many of the largest values to name, up to 10,000
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.measure_sizes], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_measure_sizes_async (LdbDatabase *self, LdbStore *store, gconstpointer start,
                                  gsize start_length, gconstpointer end, gsize end_length,
                                  guint time_limit, guint n_biggest, LdbProgressFunc progress,
                                  gpointer progress_data, GDestroyNotify progress_destroy,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  LdbPlace place;
  GError *error = NULL;
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (store == NULL || LDB_IS_STORE (store));
  gboolean good = ldb_place_init (&place, self, store, &error);
  if (!good)
    place = self->place;
  LdbCall *call = new_measure (&place, start, start_length, end, end_length, time_limit, n_biggest);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  const LdbReply *reply
      = LDB_REPLY (self, ldb_database_measure_sizes_async, cancellable, callback, user_data);
  if (good)
    ldb_call_start (call, reply, LDB_WORK_LONG);
  else
    ldb_call_complete (call, reply, error);
}

/**
 * ldb_database_measure_sizes_with_closure_async: (rename-to ldb_database_measure_sizes_async)
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key
 * @start_length: its length; 0 for an open range
 * @end: (array length=end_length) (element-type guint8) (nullable): behind the last key
 * @end_length: its length; 0 for an open range
 * @time_limit: milliseconds after which it ends with what it has seen; 0: none
 * @n_biggest: how many of the largest values to name, up to 10,000
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.measure_sizes], without blocking: the form of
 * ldb_database_measure_sizes_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_measure_sizes_with_closure_async (LdbDatabase *self, LdbStore *store,
                                               gconstpointer start, gsize start_length,
                                               gconstpointer end, gsize end_length,
                                               guint time_limit, guint n_biggest,
                                               GClosure *progress, GCancellable *cancellable,
                                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_database_measure_sizes_async (self, store, start, start_length, end, end_length, time_limit,
                                    n_biggest, progress != NULL ? ldb_closure_progress : NULL,
                                    ldb_closure_hold (progress), ldb_closure_release, cancellable,
                                    callback, user_data);
}

/**
 * ldb_database_measure_sizes_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.measure_sizes_async].
 *
 * Returns: (transfer full): the sizes
 *
 * Since: 0.1
 */
LdbSizes *
ldb_database_measure_sizes_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_measure_sizes_async, error);
}
