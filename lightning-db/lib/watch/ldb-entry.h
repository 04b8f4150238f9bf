/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_ENTRY (ldb_entry_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbEntry, ldb_entry, LDB, ENTRY, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_entry_get_database (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
LdbStore *ldb_entry_get_store (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_entry_get_key (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_entry_get_value (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
char *ldb_entry_dup_text (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_entry_dup_variant (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_entry_get_exists (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_entry_get_loaded (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_entry_get_sequence (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_entry_is_closed (LdbEntry *self);
LDB_AVAILABLE_IN_ALL
void ldb_entry_close (LdbEntry *self);

G_END_DECLS
