/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_CHANGE (ldb_change_get_type ())

LDB_AVAILABLE_IN_ALL
GType ldb_change_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbChange *ldb_change_ref (LdbChange *self);
LDB_AVAILABLE_IN_ALL
void ldb_change_unref (LdbChange *self);
LDB_AVAILABLE_IN_ALL
LdbChangeKind ldb_change_get_kind (LdbChange *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_change_get_store (LdbChange *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_change_get_sequence (LdbChange *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_change_get_key (LdbChange *self);
LDB_AVAILABLE_IN_ALL
gconstpointer ldb_change_peek_key (LdbChange *self, gsize *size);
LDB_AVAILABLE_IN_ALL
char *ldb_change_dup_key_string (LdbChange *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_change_get_end (LdbChange *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_change_get_value (LdbChange *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_change_get_old_value (LdbChange *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbChange, ldb_change_unref)

G_END_DECLS
