/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"
#include "ldb-view.h"

G_BEGIN_DECLS

#define LDB_TYPE_TRANSACTION (ldb_transaction_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbTransaction, ldb_transaction, LDB, TRANSACTION, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_transaction_get_database (LdbTransaction *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_transaction_get_id (LdbTransaction *self);
LDB_AVAILABLE_IN_ALL
LdbTransactionFlags ldb_transaction_get_flags (LdbTransaction *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_transaction_get_snapshot_sequence (LdbTransaction *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_transaction_get_commit_sequence (LdbTransaction *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_is_active (LdbTransaction *self);

/* Reads see the transaction's own writes. */
LDB_AVAILABLE_IN_ALL
GBytes *ldb_transaction_get (LdbTransaction *self, LdbStore *store, gconstpointer key,
                             gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_get_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                gsize key_length, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_transaction_get_finish (LdbTransaction *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_lookup (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                 gsize key_length, guint8 **value, gsize *value_length,
                                 GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
char *ldb_transaction_get_string (LdbTransaction *self, LdbStore *store, const char *key,
                                  GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_get_string_async (LdbTransaction *self, LdbStore *store, const char *key,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_transaction_get_string_finish (LdbTransaction *self, GAsyncResult *result,
                                         GError **error);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_transaction_get_variant (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                       gsize key_length, const GVariantType *type,
                                       GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_get_variant_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                        gsize key_length, const GVariantType *type,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_transaction_get_variant_finish (LdbTransaction *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_contains (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                   gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_contains_async (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                     gsize key_length, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_contains_finish (LdbTransaction *self, GAsyncResult *result,
                                          GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_transaction_scan (LdbTransaction *self, LdbStore *store, gconstpointer start,
                                 gsize start_length, gconstpointer end, gsize end_length,
                                 LdbScanFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_transaction_scan_prefix (LdbTransaction *self, LdbStore *store, gconstpointer prefix,
                                        gsize prefix_length, LdbScanFlags flags, GError **error);

/* Writes stay in memory until the commit: they never block. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_put (LdbTransaction *self, LdbStore *store, gconstpointer key,
                              gsize key_length, gconstpointer value, gsize value_length,
                              GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_put_bytes (LdbTransaction *self, LdbStore *store, GBytes *key,
                                    GBytes *value, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_put_string (LdbTransaction *self, LdbStore *store, const char *key,
                                     const char *value, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_put_variant (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                      gsize key_length, GVariant *value, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_delete (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                 gsize key_length, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_delete_string (LdbTransaction *self, LdbStore *store, const char *key,
                                        GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_delete_range (LdbTransaction *self, LdbStore *store, gconstpointer start,
                                       gsize start_length, gconstpointer end, gsize end_length,
                                       GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_lock_key (LdbTransaction *self, LdbStore *store, gconstpointer key,
                                   gsize key_length, GError **error);

LDB_AVAILABLE_IN_ALL
guint64 ldb_transaction_savepoint (LdbTransaction *self, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_rollback_to (LdbTransaction *self, guint64 savepoint, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_commit (LdbTransaction *self, LdbSyncMode sync, GCancellable *cancellable,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_commit_async (LdbTransaction *self, LdbSyncMode sync,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_commit_finish (LdbTransaction *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_rollback (LdbTransaction *self, GError **error);

/* C only: no copy where possible. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_transaction_peek (LdbTransaction *self, LdbStore *store, gconstpointer key,
                               gsize key_length, LdbView *view, GError **error);

G_END_DECLS
