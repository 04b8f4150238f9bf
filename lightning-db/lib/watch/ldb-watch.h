/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_WATCH (ldb_watch_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbWatch, ldb_watch, LDB, WATCH, GObject)

/* Signal, in the main context that was the thread's default when the watch was made:
 * changed (LdbChangeSet *changes). */
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_watch_get_database (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
LdbStore *ldb_watch_get_store (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
LdbWatchFlags ldb_watch_get_flags (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_watch_get_sequence (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
guint ldb_watch_get_batch_interval (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_set_batch_interval (LdbWatch *self, guint milliseconds);
LDB_AVAILABLE_IN_ALL
guint ldb_watch_get_max_changes (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_set_max_changes (LdbWatch *self, guint max_changes);
LDB_AVAILABLE_IN_ALL
gboolean ldb_watch_get_paused (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_set_paused (LdbWatch *self, gboolean paused);
LDB_AVAILABLE_IN_ALL
void ldb_watch_pause (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_resume (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_watch_replay (LdbWatch *self, guint64 since, GCancellable *cancellable,
                           GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_watch_replay_async (LdbWatch *self, guint64 since, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_watch_replay_finish (LdbWatch *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_watch_is_closed (LdbWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_watch_close (LdbWatch *self);

G_END_DECLS
