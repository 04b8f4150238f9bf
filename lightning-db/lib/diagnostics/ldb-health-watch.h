/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_HEALTH_WATCH (ldb_health_watch_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbHealthWatch, ldb_health_watch, LDB, HEALTH_WATCH, GObject)

/* Signals, in the main context that was the thread's default when it was made: event (LdbEvent
 * *event), notify::health. */
LDB_AVAILABLE_IN_ALL
LdbHealthWatch *ldb_database_watch_health (LdbDatabase *self, guint interval, GError **error);
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_health_watch_get_health (LdbHealthWatch *self);
LDB_AVAILABLE_IN_ALL
const GError *ldb_health_watch_get_error (LdbHealthWatch *self);
LDB_AVAILABLE_IN_ALL
void ldb_health_watch_replay (LdbHealthWatch *self, guint64 after);
LDB_AVAILABLE_IN_ALL
void ldb_health_watch_close (LdbHealthWatch *self);

G_END_DECLS
