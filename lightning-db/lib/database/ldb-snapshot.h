/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"
#include "ldb-view.h"

G_BEGIN_DECLS

#define LDB_TYPE_SNAPSHOT (ldb_snapshot_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbSnapshot, ldb_snapshot, LDB, SNAPSHOT, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_snapshot_get_database (LdbSnapshot *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_snapshot_get_sequence (LdbSnapshot *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_snapshot_is_closed (LdbSnapshot *self);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_close (LdbSnapshot *self);

LDB_AVAILABLE_IN_ALL
GBytes *ldb_snapshot_get (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_get_async (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                             gsize key_length, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_snapshot_get_finish (LdbSnapshot *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_snapshot_lookup (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                              gsize key_length, guint8 **value, gsize *value_length,
                              GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
char *ldb_snapshot_get_string (LdbSnapshot *self, LdbStore *store, const char *key,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_get_string_async (LdbSnapshot *self, LdbStore *store, const char *key,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_snapshot_get_string_finish (LdbSnapshot *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_snapshot_get_variant (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                                    gsize key_length, const GVariantType *type,
                                    GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_get_variant_async (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                                     gsize key_length, const GVariantType *type,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_snapshot_get_variant_finish (LdbSnapshot *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_snapshot_contains (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                                gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_contains_async (LdbSnapshot *self, LdbStore *store, gconstpointer key,
                                  gsize key_length, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_snapshot_contains_finish (LdbSnapshot *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_snapshot_get_many (LdbSnapshot *self, LdbStore *store, GBytes *const *keys,
                                  gsize n_keys, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_snapshot_get_many_async (LdbSnapshot *self, LdbStore *store, GBytes *const *keys,
                                  gsize n_keys, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_snapshot_get_many_finish (LdbSnapshot *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_snapshot_scan (LdbSnapshot *self, LdbStore *store, gconstpointer start,
                              gsize start_length, gconstpointer end, gsize end_length,
                              LdbScanFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_snapshot_scan_prefix (LdbSnapshot *self, LdbStore *store, gconstpointer prefix,
                                     gsize prefix_length, LdbScanFlags flags, GError **error);

/* C only: no allocation, no copy. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_snapshot_peek (LdbSnapshot *self, LdbStore *store, gconstpointer key, gsize key_length,
                            LdbView *view, GError **error);

G_END_DECLS
