/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_ACTIVE_WATCH (ldb_active_watch_get_type ())
typedef struct _LdbActiveWatch LdbActiveWatch;

/**
 * LdbActiveWatch:
 * @id: its number, which no other watch of the database has in this process
 * @kind: what it is, and what it watches
 * @store: (nullable): the name of the store it was made in; %NULL for the default store, and of
 *   %LDB_WATCH_KIND_STORES
 * @start: (nullable): the beginning of the first key, or of the prefix, 64 bytes at most; %NULL: from the
 *   first key on
 * @start_length: how long that is, in bytes
 * @end: (nullable): the beginning of the key that it ends before, 64 bytes at most; %NULL: to the last key,
 *   or it is about one key or is of %LDB_WATCH_KIND_PREFIX
 * @end_length: how long that is, in bytes
 * @inspector: whether an inspector follows changes with it
 * @paused: whether it is [paused][method@Ldb.Watch.pause]
 * @waiting: whether something is on its way to it, or is being handled
 * @batch_interval: the least time between two deliveries, in microseconds
 * @deliveries: how often it was told of changes
 * @changes: how many changes these were, without resyncs
 * @resyncs: how many of @deliveries said that everything has to be read anew
 * @lag: how many commits it was behind when it was told last
 * @coalesced: how many changes it was not told of, as a later one of the key or a delete of its range stood
 *   for them, or the value was as before in the end; without those that a resync stood for
 *
 * A watch, an entry or a list that is told of changes.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbActiveWatch
{
  guint64 id;
  LdbWatchKind kind;
  char *store;
  GBytes *start;
  gsize start_length;
  GBytes *end;
  gsize end_length;
  gboolean inspector;
  gboolean paused;
  gboolean waiting;
  guint64 batch_interval;
  guint64 deliveries;
  guint64 changes;
  guint64 resyncs;
  guint64 lag;
  guint64 coalesced;
};

LDB_AVAILABLE_IN_ALL
GType ldb_active_watch_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbActiveWatch *ldb_active_watch_copy (const LdbActiveWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_active_watch_free (LdbActiveWatch *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_watches (LdbDatabase *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbActiveWatch, ldb_active_watch_free)

G_END_DECLS
