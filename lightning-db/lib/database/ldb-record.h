/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_RECORD (ldb_record_get_type ())

LDB_AVAILABLE_IN_ALL
GType ldb_record_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbRecord *ldb_record_new (GBytes *key, GBytes *value);
LDB_AVAILABLE_IN_ALL
LdbRecord *ldb_record_ref (LdbRecord *self);
LDB_AVAILABLE_IN_ALL
void ldb_record_unref (LdbRecord *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_record_get_key (LdbRecord *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_record_get_value (LdbRecord *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbRecord, ldb_record_unref)

G_END_DECLS
