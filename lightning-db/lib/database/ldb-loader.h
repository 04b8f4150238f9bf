/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_LOADER (ldb_loader_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbLoader, ldb_loader, LDB, LOADER, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_loader_get_database (LdbLoader *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_loader_put (LdbLoader *self, LdbStore *store, gconstpointer key, gsize key_length,
                         gconstpointer value, gsize value_length, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_loader_put_many (LdbLoader *self, LdbStore *store, LdbRecord *const *records,
                              gsize n_records, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_loader_put_many_async (LdbLoader *self, LdbStore *store, LdbRecord *const *records,
                                gsize n_records, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_loader_put_many_finish (LdbLoader *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_loader_commit (LdbLoader *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_loader_commit_async (LdbLoader *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_loader_commit_finish (LdbLoader *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
guint64 ldb_loader_get_count (LdbLoader *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_loader_get_commit_sequence (LdbLoader *self);
LDB_AVAILABLE_IN_ALL
void ldb_loader_close (LdbLoader *self);

G_END_DECLS
