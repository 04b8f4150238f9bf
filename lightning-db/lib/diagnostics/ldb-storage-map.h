/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-storage-node.h"
#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_STORAGE_MAP (ldb_storage_map_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbStorageMap, ldb_storage_map, LDB, STORAGE_MAP, GObject)

LDB_AVAILABLE_IN_ALL
LdbStorageNode *ldb_storage_map_get_root (LdbStorageMap *self);
LDB_AVAILABLE_IN_ALL
GListModel *ldb_storage_map_get_stores (LdbStorageMap *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_storage_map_get_faults (LdbStorageMap *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_storage_map_get_sequence (LdbStorageMap *self);
LDB_AVAILABLE_IN_ALL
gint64 ldb_storage_map_get_time (LdbStorageMap *self);
LDB_AVAILABLE_IN_ALL
LdbStorageNode *ldb_storage_map_find_segment (LdbStorageMap *self, guint64 number);
LDB_AVAILABLE_IN_ALL
char *ldb_storage_map_to_json (LdbStorageMap *self);

LDB_AVAILABLE_IN_ALL
LdbStorageMap *ldb_database_load_storage_map (LdbDatabase *self, GCancellable *cancellable,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_load_storage_map_async (LdbDatabase *self, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbStorageMap *ldb_database_load_storage_map_finish (LdbDatabase *self, GAsyncResult *result,
                                                     GError **error);

G_END_DECLS
