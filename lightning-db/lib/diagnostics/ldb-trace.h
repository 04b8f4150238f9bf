/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_TRACE (ldb_trace_get_type ())
typedef struct _LdbTrace LdbTrace;

/**
 * LdbTrace:
 * @found: whether the key is there
 * @value_length: bytes of its value
 * @duration: how long it took, in nanoseconds
 * @visibility: nanoseconds of finding out which commits are seen
 * @memtables: nanoseconds of looking in the tables in memory
 * @hot_records: nanoseconds of looking among the hot records
 * @filter: nanoseconds of asking filters
 * @index: nanoseconds of finding the leaf
 * @page: nanoseconds of finding the leaf's page in memory
 * @leaf: nanoseconds of finding the record in its leaf
 * @handing_out: nanoseconds of handing the value out
 * @other: nanoseconds of all else
 * @page_read: nanoseconds of reading pages from the disk
 * @decompress: nanoseconds of decompressing them
 * @blob_read: nanoseconds of reading a large value
 * @filters: how many filters were asked
 * @leaves: how many leaves were looked into
 *
 * One lookup, step by step. The steps and waits add up to @duration.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbTrace
{
  gboolean found;
  guint64 value_length;
  guint64 duration;
  guint64 visibility;
  guint64 memtables;
  guint64 hot_records;
  guint64 filter;
  guint64 index;
  guint64 page;
  guint64 leaf;
  guint64 handing_out;
  guint64 other;
  guint64 page_read;
  guint64 decompress;
  guint64 blob_read;
  guint64 filters;
  guint64 leaves;
};

LDB_AVAILABLE_IN_ALL
GType ldb_trace_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbTrace *ldb_trace_copy (const LdbTrace *self);
LDB_AVAILABLE_IN_ALL
void ldb_trace_free (LdbTrace *self);

LDB_AVAILABLE_IN_ALL
LdbTrace *ldb_database_trace_get (LdbDatabase *self, LdbStore *store, gconstpointer key,
                                  gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_trace_get_async (LdbDatabase *self, LdbStore *store, gconstpointer key,
                                   gsize key_length, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbTrace *ldb_database_trace_get_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbTrace, ldb_trace_free)

G_END_DECLS
