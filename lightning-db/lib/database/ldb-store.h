/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"
#include "ldb-view.h"

G_BEGIN_DECLS

#define LDB_TYPE_STORE (ldb_store_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbStore, ldb_store, LDB, STORE, GObject)

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_store_get_database (LdbStore *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_store_get_name (LdbStore *self);

/* Reading: NULL or FALSE without error when the key is absent. */
LDB_AVAILABLE_IN_ALL
GBytes *ldb_store_get (LdbStore *self, gconstpointer key, gsize key_length,
                       GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_get_async (LdbStore *self, gconstpointer key, gsize key_length,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_store_get_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_lookup (LdbStore *self, gconstpointer key, gsize key_length, guint8 **value,
                           gsize *value_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_store_get_bytes (LdbStore *self, GBytes *key, GCancellable *cancellable,
                             GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_get_bytes_async (LdbStore *self, GBytes *key, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_store_get_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
char *ldb_store_get_string (LdbStore *self, const char *key, GCancellable *cancellable,
                            GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_get_string_async (LdbStore *self, const char *key, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_store_get_string_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_store_get_variant (LdbStore *self, gconstpointer key, gsize key_length,
                                 const GVariantType *type, GCancellable *cancellable,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_get_variant_async (LdbStore *self, gconstpointer key, gsize key_length,
                                  const GVariantType *type, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_store_get_variant_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_store_get_many (LdbStore *self, GBytes *const *keys, gsize n_keys,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_get_many_async (LdbStore *self, GBytes *const *keys, gsize n_keys,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_store_get_many_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_contains (LdbStore *self, gconstpointer key, gsize key_length,
                             GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_contains_async (LdbStore *self, gconstpointer key, gsize key_length,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_contains_finish (LdbStore *self, GAsyncResult *result, GError **error);

/* Writing: each call is one commit. Deleting what is absent succeeds. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put (LdbStore *self, gconstpointer key, gsize key_length, gconstpointer value,
                        gsize value_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_put_async (LdbStore *self, gconstpointer key, gsize key_length, gconstpointer value,
                          gsize value_length, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_bytes (LdbStore *self, GBytes *key, GBytes *value, GCancellable *cancellable,
                              GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_put_bytes_async (LdbStore *self, GBytes *key, GBytes *value,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_string (LdbStore *self, const char *key, const char *value,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_put_string_async (LdbStore *self, const char *key, const char *value,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_string_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_variant (LdbStore *self, gconstpointer key, gsize key_length,
                                GVariant *value, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_put_variant_async (LdbStore *self, gconstpointer key, gsize key_length,
                                  GVariant *value, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_put_variant_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete (LdbStore *self, gconstpointer key, gsize key_length,
                           GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_delete_async (LdbStore *self, gconstpointer key, gsize key_length,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_bytes (LdbStore *self, GBytes *key, GCancellable *cancellable,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_delete_bytes_async (LdbStore *self, GBytes *key, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_bytes_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_string (LdbStore *self, const char *key, GCancellable *cancellable,
                                  GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_delete_string_async (LdbStore *self, const char *key, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_string_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_range (LdbStore *self, gconstpointer start, gsize start_length,
                                 gconstpointer end, gsize end_length, GCancellable *cancellable,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_delete_range_async (LdbStore *self, gconstpointer start, gsize start_length,
                                   gconstpointer end, gsize end_length, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_range_finish (LdbStore *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                                  GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_store_delete_prefix_async (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_delete_prefix_finish (LdbStore *self, GAsyncResult *result, GError **error);

/* Scanning: the cursor reads one snapshot, taken now. */
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_store_scan (LdbStore *self, gconstpointer start, gsize start_length,
                           gconstpointer end, gsize end_length, LdbScanFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_store_scan_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                                  LdbScanFlags flags, GError **error);

/* C only: nothing is allocated. TRUE when found; FALSE without error when absent. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_get_into (LdbStore *self, gconstpointer key, gsize key_length, gpointer buffer,
                             gsize capacity, gsize *size, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_store_peek (LdbStore *self, gconstpointer key, gsize key_length, LdbView *view,
                         GError **error);

/* ---- following what is committed ---- */

LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_store_watch_key (LdbStore *self, gconstpointer key, gsize key_length,
                               LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_store_watch_prefix (LdbStore *self, gconstpointer prefix, gsize prefix_length,
                                  LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_store_watch_range (LdbStore *self, gconstpointer start, gsize start_length,
                                 gconstpointer end, gsize end_length, LdbWatchFlags flags,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_store_watch_all (LdbStore *self, LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbEntry *ldb_store_watch_entry (LdbStore *self, gconstpointer key, gsize key_length,
                                 GError **error);

G_END_DECLS
