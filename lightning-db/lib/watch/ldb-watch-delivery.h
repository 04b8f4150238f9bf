/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_WATCH_DELIVERY (ldb_watch_delivery_get_type ())
typedef struct _LdbWatchDelivery LdbWatchDelivery;

/**
 * LdbWatchDelivery:
 * @number: its own; later ones have higher numbers
 * @watch: the number of the watch, [struct@Ldb.ActiveWatch]
 * @committed: when the first commit that it tells of became visible, in microseconds since 1970; 0 when
 *   that is not known, and of a resync
 * @delivered: when its main loop came to it, just before its handler, in microseconds since 1970
 * @changes: how many changes it has
 * @resync: whether it says that everything has to be read anew
 *
 * That a watch, an entry or a list was told of changes.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbWatchDelivery
{
  guint64 number;
  guint64 watch;
  gint64 committed;
  gint64 delivered;
  guint64 changes;
  gboolean resync;
};

LDB_AVAILABLE_IN_ALL
GType ldb_watch_delivery_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbWatchDelivery *ldb_watch_delivery_copy (const LdbWatchDelivery *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_delivery_free (LdbWatchDelivery *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_deliveries (LdbDatabase *self, guint64 after, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbWatchDelivery, ldb_watch_delivery_free)

G_END_DECLS
