/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_CHANGE_SET (ldb_change_set_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbChangeSet, ldb_change_set, LDB, CHANGE_SET, GObject)

LDB_AVAILABLE_IN_ALL
guint ldb_change_set_get_n_changes (LdbChangeSet *self);
LDB_AVAILABLE_IN_ALL
LdbChange *ldb_change_set_get_change (LdbChangeSet *self, guint position);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_change_set_list (LdbChangeSet *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_change_set_get_since (LdbChangeSet *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_change_set_get_sequence (LdbChangeSet *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_change_set_get_resync (LdbChangeSet *self);
LDB_AVAILABLE_IN_ALL
LdbSnapshot *ldb_change_set_get_snapshot (LdbChangeSet *self);

G_END_DECLS
