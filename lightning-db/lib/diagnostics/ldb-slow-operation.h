/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_SLOW_OPERATION (ldb_slow_operation_get_type ())
typedef struct _LdbSlowOperation LdbSlowOperation;

/**
 * LdbSlowOperation:
 * @number: which slow operation of the database it was, from 1
 * @ended: when it ended, in microseconds since 1970
 * @duration: how long it took, in nanoseconds; unless it was @sampled, from its first wait on
 * @kind: what it was
 * @sampled: whether it was timed as a whole
 * @key: (nullable): the beginning of its key, 64 bytes at most; %NULL when it is about several
 * @key_length: how long the key is, in bytes; 0 when it is about several
 * @size: bytes of the value or the commit; the number of keys that were looked up at once
 * @page_read: nanoseconds of reading pages
 * @decompress: nanoseconds of decompressing them
 * @blob_read: nanoseconds of reading large values
 * @lock: nanoseconds of waiting for other commits
 * @stall: nanoseconds of waiting for a table in memory to be written out
 * @nap: nanoseconds of waiting so that flushes and merges keep up, and readers get on
 * @log_change: nanoseconds of going on in the log's next segment
 * @log_sync: nanoseconds of making the log durable
 * @turn: nanoseconds of waiting for others to make it durable, or visible
 *
 * An operation that took longer than the threshold, and what it waited for.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbSlowOperation
{
  guint64 number;
  gint64 ended;
  guint64 duration;
  LdbOperationKind kind;
  gboolean sampled;
  GBytes *key;
  gsize key_length;
  gsize size;
  guint64 page_read;
  guint64 decompress;
  guint64 blob_read;
  guint64 lock;
  guint64 stall;
  guint64 nap;
  guint64 log_change;
  guint64 log_sync;
  guint64 turn;
};

LDB_AVAILABLE_IN_ALL
GType ldb_slow_operation_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbSlowOperation *ldb_slow_operation_copy (const LdbSlowOperation *self);
LDB_AVAILABLE_IN_ALL
void ldb_slow_operation_free (LdbSlowOperation *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_slow_operations (LdbDatabase *self, guint64 after, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_set_slow_threshold (LdbDatabase *self, guint64 microseconds, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbSlowOperation, ldb_slow_operation_free)

G_END_DECLS
