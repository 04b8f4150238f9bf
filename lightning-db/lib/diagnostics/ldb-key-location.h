/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-enums.h"
#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_KEY_LOCATION (ldb_key_location_get_type ())
typedef struct _LdbKeyLocation LdbKeyLocation;

/**
 * LdbKeyLocation:
 * @verdict: what the search met here
 * @decides: whether what a reader gets follows from here; of several places the newest does
 * @in_memory: whether it is a table in memory, else a run
 * @memtable: which: 0 is the active one, then the frozen ones, newest first
 * @run: the number of the run
 * @level: its level
 * @segment: the number of the segment that was looked at; 0 when none reaches over the key
 * @filter: the filter that was asked
 * @filter_loaded: whether it was in memory
 * @page: the leaf where the key is or would be, if it came to that
 * @slot: which record of the leaf, if it was found
 * @heat: what the cache knows of the leaf
 * @kind: what the newest visible version here says, if it was found
 * @sequence: the commit that wrote it; 0 settled long ago
 * @value_size: bytes of its value
 * @blob_file: the number of the file of large values it is in, or 0
 * @range_delete: the newest commit here that deleted a range with the key, or 0
 * @fault: (nullable): why it could not be looked at, in English
 *
 * What the search for a key met at one place: a table in memory, or a sorted run.
 *
 * Only the library makes these; they do not change; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbKeyLocation
{
  LdbLocationVerdict verdict;
  gboolean decides;
  gboolean in_memory;
  guint memtable;
  guint64 run;
  guint level;
  guint64 segment;
  LdbFilterKind filter;
  gboolean filter_loaded;
  guint64 page;
  guint64 slot;
  LdbPageHeat heat;
  LdbVersionKind kind;
  guint64 sequence;
  guint64 value_size;
  guint64 blob_file;
  guint64 range_delete;
  char *fault;
};

LDB_AVAILABLE_IN_ALL
GType ldb_key_location_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbKeyLocation *ldb_key_location_copy (const LdbKeyLocation *self);
LDB_AVAILABLE_IN_ALL
void ldb_key_location_free (LdbKeyLocation *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_locate_key (LdbDatabase *self, LdbStore *store, gconstpointer key,
                                    gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_locate_key_async (LdbDatabase *self, LdbStore *store, gconstpointer key,
                                    gsize key_length, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_locate_key_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbKeyLocation, ldb_key_location_free)

G_END_DECLS
