/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_FEED (ldb_feed_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbFeed, ldb_feed, LDB, FEED, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_feed_get_database (LdbFeed *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_feed_get_position (LdbFeed *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_feed_next_commit (LdbFeed *self, guint64 *sequence, GCancellable *cancellable,
                               GError **error);
LDB_AVAILABLE_IN_ALL
LdbChange *ldb_feed_next_change (LdbFeed *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
LdbChangeSet *ldb_feed_read_commit (LdbFeed *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_feed_read_commit_async (LdbFeed *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbChangeSet *ldb_feed_read_commit_finish (LdbFeed *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_feed_wait (LdbFeed *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_feed_wait_async (LdbFeed *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_feed_wait_finish (LdbFeed *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_feed_is_closed (LdbFeed *self);
LDB_AVAILABLE_IN_ALL
void ldb_feed_close (LdbFeed *self);

G_END_DECLS
