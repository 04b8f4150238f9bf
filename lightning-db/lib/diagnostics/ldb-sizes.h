/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_BIG_VALUE (ldb_big_value_get_type ())
typedef struct _LdbBigValue LdbBigValue;

/**
 * LdbBigValue:
 * @key: its key
 * @size: bytes of the value
 *
 * One of the largest values that [method@Ldb.Database.measure_sizes] found.
 *
 * Since: 0.1
 */
struct _LdbBigValue
{
  GBytes *key;
  guint64 size;
};

LDB_AVAILABLE_IN_ALL
GType ldb_big_value_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbBigValue *ldb_big_value_copy (const LdbBigValue *self);
LDB_AVAILABLE_IN_ALL
void ldb_big_value_free (LdbBigValue *self);

#define LDB_TYPE_SIZE_BUCKET (ldb_size_bucket_get_type ())
typedef struct _LdbSizeBucket LdbSizeBucket;

/**
 * LdbSizeBucket:
 * @least: the smallest size that counts here
 * @most: the largest
 * @count: how many were of such a size
 *
 * One bar of a histogram of sizes. Each goes up to twice the one before.
 *
 * Since: 0.1
 */
struct _LdbSizeBucket
{
  guint64 least;
  guint64 most;
  guint64 count;
};

LDB_AVAILABLE_IN_ALL
GType ldb_size_bucket_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbSizeBucket *ldb_size_bucket_copy (const LdbSizeBucket *self);
LDB_AVAILABLE_IN_ALL
void ldb_size_bucket_free (LdbSizeBucket *self);

#define LDB_TYPE_SIZES (ldb_sizes_get_type ())
typedef struct _LdbSizes LdbSizes;

/**
 * LdbSizes:
 * @records: keys that were seen
 * @key_bytes: of them
 * @value_bytes: of their values
 * @share: about which part of the range was seen, 0 to 1
 * @faults: stretches that were left out, because a page there does not verify
 *
 * How large keys and values are: from [method@Ldb.Database.measure_sizes].
 *
 * Only the library makes these; they do not change; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbSizes
{
  guint64 records;
  guint64 key_bytes;
  guint64 value_bytes;
  double share;
  guint64 faults;
  /*< private >*/
  gpointer keys;
  gpointer values;
  GPtrArray *biggest;
  char *first_fault;
};

LDB_AVAILABLE_IN_ALL
GType ldb_sizes_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbSizes *ldb_sizes_copy (const LdbSizes *self);
LDB_AVAILABLE_IN_ALL
void ldb_sizes_free (LdbSizes *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_sizes_get_key_percentile (LdbSizes *self, double fraction);
LDB_AVAILABLE_IN_ALL
guint64 ldb_sizes_get_value_percentile (LdbSizes *self, double fraction);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_sizes_list_key_buckets (LdbSizes *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_sizes_list_value_buckets (LdbSizes *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_sizes_get_biggest (LdbSizes *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_sizes_get_first_fault (LdbSizes *self);

LDB_AVAILABLE_IN_ALL
LdbSizes *ldb_database_measure_sizes (LdbDatabase *self, LdbStore *store, gconstpointer start,
                                      gsize start_length, gconstpointer end, gsize end_length,
                                      guint time_limit, guint n_biggest, LdbProgressFunc progress,
                                      gpointer progress_data, GCancellable *cancellable,
                                      GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_measure_sizes_async (LdbDatabase *self, LdbStore *store, gconstpointer start,
                                       gsize start_length, gconstpointer end, gsize end_length,
                                       guint time_limit, guint n_biggest, LdbProgressFunc progress,
                                       gpointer progress_data, GDestroyNotify progress_destroy,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_measure_sizes_with_closure_async (
    LdbDatabase *self, LdbStore *store, gconstpointer start, gsize start_length, gconstpointer end,
    gsize end_length, guint time_limit, guint n_biggest, GClosure *progress,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbSizes *ldb_database_measure_sizes_finish (LdbDatabase *self, GAsyncResult *result,
                                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbBigValue, ldb_big_value_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbSizeBucket, ldb_size_bucket_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbSizes, ldb_sizes_free)

G_END_DECLS
