/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-report.h"
#include "ldb-types.h"
#include "ldb-view.h"

G_BEGIN_DECLS

#define LDB_TYPE_DATABASE (ldb_database_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbDatabase, ldb_database, LDB, DATABASE, GObject)

/* Opening. Handles on one path share one engine within a process. `options` may be NULL. */
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_open (const char *path, LdbOpenFlags flags, LdbOptions *options,
                                GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_open_async (const char *path, LdbOpenFlags flags, LdbOptions *options,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_open_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_create (const char *path, LdbOptions *options, GCancellable *cancellable,
                                  GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_create_async (const char *path, LdbOptions *options, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_create_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_open_default (const char *application_id, LdbOptions *options,
                                        GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_open_default_async (const char *application_id, LdbOptions *options,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_database_open_default_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_destroy (const char *path, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_destroy_async (const char *path, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_destroy_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_open (void);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_close (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_close_async (LdbDatabase *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_close_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

LDB_AVAILABLE_IN_ALL
gboolean ldb_database_take_over (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_take_over_async (LdbDatabase *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_take_over_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

LDB_AVAILABLE_IN_ALL
gboolean ldb_database_is_closed (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_is_read_only (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_database_get_path (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_database_get_id (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
LdbOptions *ldb_database_get_options (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_database_get_sequence (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_database_get_durable_sequence (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
guint ldb_database_get_max_retries (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
void ldb_database_set_max_retries (LdbDatabase *self, guint max_retries);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_get_inspectable (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
void ldb_database_set_inspectable (LdbDatabase *self, gboolean inspectable);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_get_control_allowed (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
void ldb_database_set_control_allowed (LdbDatabase *self, gboolean control_allowed);

/* Reading: NULL or FALSE without error when the key is absent. */
LDB_AVAILABLE_IN_ALL
GBytes *ldb_database_get (LdbDatabase *self, gconstpointer key, gsize key_length,
                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_get_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_database_get_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_lookup (LdbDatabase *self, gconstpointer key, gsize key_length,
                              guint8 **value, gsize *value_length, GCancellable *cancellable,
                              GError **error);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_database_get_bytes (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                                GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_get_bytes_async (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_database_get_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
char *ldb_database_get_string (LdbDatabase *self, const char *key, GCancellable *cancellable,
                               GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_get_string_async (LdbDatabase *self, const char *key, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_database_get_string_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_database_get_variant (LdbDatabase *self, gconstpointer key, gsize key_length,
                                    const GVariantType *type, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_get_variant_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                     const GVariantType *type, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_database_get_variant_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_get_many (LdbDatabase *self, GBytes *const *keys, gsize n_keys,
                                  GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_get_many_async (LdbDatabase *self, GBytes *const *keys, gsize n_keys,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_get_many_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_contains (LdbDatabase *self, gconstpointer key, gsize key_length,
                                GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_contains_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_contains_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

/* Writing: each call is one commit. Deleting what is absent succeeds. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put (LdbDatabase *self, gconstpointer key, gsize key_length,
                           gconstpointer value, gsize value_length, GCancellable *cancellable,
                           GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_put_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                             gconstpointer value, gsize value_length, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_bytes (LdbDatabase *self, GBytes *key, GBytes *value,
                                 GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_put_bytes_async (LdbDatabase *self, GBytes *key, GBytes *value,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_string (LdbDatabase *self, const char *key, const char *value,
                                  GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_put_string_async (LdbDatabase *self, const char *key, const char *value,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_string_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_variant (LdbDatabase *self, gconstpointer key, gsize key_length,
                                   GVariant *value, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_put_variant_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                     GVariant *value, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_put_variant_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete (LdbDatabase *self, gconstpointer key, gsize key_length,
                              GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_delete_async (LdbDatabase *self, gconstpointer key, gsize key_length,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_bytes (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_delete_bytes_async (LdbDatabase *self, GBytes *key, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_bytes_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_string (LdbDatabase *self, const char *key, GCancellable *cancellable,
                                     GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_delete_string_async (LdbDatabase *self, const char *key,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_string_finish (LdbDatabase *self, GAsyncResult *result,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_range (LdbDatabase *self, gconstpointer start, gsize start_length,
                                    gconstpointer end, gsize end_length, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_delete_range_async (LdbDatabase *self, gconstpointer start, gsize start_length,
                                      gconstpointer end, gsize end_length,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_range_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                                     GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_delete_prefix_async (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_delete_prefix_finish (LdbDatabase *self, GAsyncResult *result,
                                            GError **error);

/* Scanning: the cursor reads one snapshot, taken now. */
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_database_scan (LdbDatabase *self, gconstpointer start, gsize start_length,
                              gconstpointer end, gsize end_length, LdbScanFlags flags,
                              GError **error);
LDB_AVAILABLE_IN_ALL
LdbCursor *ldb_database_scan_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                                     LdbScanFlags flags, GError **error);

/* C only: nothing is allocated. TRUE when found; FALSE without error when absent. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_get_into (LdbDatabase *self, gconstpointer key, gsize key_length,
                                gpointer buffer, gsize capacity, gsize *size, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_peek (LdbDatabase *self, gconstpointer key, gsize key_length, LdbView *view,
                            GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_peek_many (LdbDatabase *self, const gconstpointer *keys,
                                 const gsize *key_lengths, gsize n_keys, LdbView *views,
                                 GError **error);

/* Many operations, one commit, over any stores. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_write_batch (LdbDatabase *self, LdbBatch *batch, LdbSyncMode sync,
                                   GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_write_batch_async (LdbDatabase *self, LdbBatch *batch, LdbSyncMode sync,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_write_batch_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

/* Transactions and snapshots. */
LDB_AVAILABLE_IN_ALL
LdbTransaction *ldb_database_begin (LdbDatabase *self, LdbTransactionFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_run_transaction (LdbDatabase *self, LdbTransactionFlags flags,
                                       LdbTransactionFunc func, gpointer func_data,
                                       GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_run_transaction_async (LdbDatabase *self, LdbTransactionFlags flags,
                                         LdbTransactionFunc func, gpointer func_data,
                                         GDestroyNotify func_destroy, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_run_transaction_finish (LdbDatabase *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
LdbSnapshot *ldb_database_create_snapshot (LdbDatabase *self, GError **error);

/* Stores: named key spaces of their own; the default one is the database itself. */
LDB_AVAILABLE_IN_ALL
LdbStore *ldb_database_open_store (LdbDatabase *self, const char *name, LdbOpenFlags flags,
                                   GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_open_store_async (LdbDatabase *self, const char *name, LdbOpenFlags flags,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbStore *ldb_database_open_store_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
char **ldb_database_list_stores (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_list_stores_async (LdbDatabase *self, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char **ldb_database_list_stores_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_drop_store (LdbDatabase *self, const char *name, GCancellable *cancellable,
                                  GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_drop_store_async (LdbDatabase *self, const char *name, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_drop_store_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

/* Bulk loading. */
LDB_AVAILABLE_IN_ALL
LdbLoader *ldb_database_create_loader (LdbDatabase *self, GError **error);

/* Upkeep. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_sync (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_sync_async (LdbDatabase *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_sync_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_flush (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_flush_async (LdbDatabase *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_flush_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_checkpoint (LdbDatabase *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_checkpoint_async (LdbDatabase *self, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_checkpoint_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_wait_settled (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_wait_settled_async (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_wait_settled_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_compact (LdbDatabase *self, LdbProgressFunc progress, gpointer progress_data,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_compact_async (LdbDatabase *self, LdbProgressFunc progress,
                                 gpointer progress_data, GDestroyNotify progress_destroy,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_compact_with_closure_async (LdbDatabase *self, GClosure *progress,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_compact_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbBackupResult *ldb_database_backup (LdbDatabase *self, const char *path, LdbBackupFlags flags,
                                      LdbProgressFunc progress, gpointer progress_data,
                                      GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_backup_async (LdbDatabase *self, const char *path, LdbBackupFlags flags,
                                LdbProgressFunc progress, gpointer progress_data,
                                GDestroyNotify progress_destroy, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_backup_with_closure_async (LdbDatabase *self, const char *path,
                                             LdbBackupFlags flags, GClosure *progress,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbBackupResult *ldb_database_backup_finish (LdbDatabase *self, GAsyncResult *result,
                                             GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_restore (const char *backup_path, const char *path, LdbProgressFunc progress,
                               gpointer progress_data, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_restore_async (const char *backup_path, const char *path,
                                 LdbProgressFunc progress, gpointer progress_data,
                                 GDestroyNotify progress_destroy, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_restore_with_closure_async (const char *backup_path, const char *path,
                                              GClosure *progress, GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_restore_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_database_check (LdbDatabase *self, LdbCheckFlags flags,
                                    LdbProgressFunc progress, gpointer progress_data,
                                    GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_check_async (LdbDatabase *self, LdbCheckFlags flags, LdbProgressFunc progress,
                               gpointer progress_data, GDestroyNotify progress_destroy,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_check_with_closure_async (LdbDatabase *self, LdbCheckFlags flags,
                                            GClosure *progress, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_database_check_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_database_check_path (const char *path, LdbCheckFlags flags,
                                         LdbProgressFunc progress, gpointer progress_data,
                                         GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_check_path_async (const char *path, LdbCheckFlags flags, LdbProgressFunc progress,
                                    gpointer progress_data, GDestroyNotify progress_destroy,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_check_path_with_closure_async (const char *path, LdbCheckFlags flags,
                                                 GClosure *progress, GCancellable *cancellable,
                                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_database_check_path_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbRepairReport *ldb_database_repair (const char *path, const char *destination,
                                      LdbProgressFunc progress, gpointer progress_data,
                                      GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_repair_async (const char *path, const char *destination, LdbProgressFunc progress,
                                gpointer progress_data, GDestroyNotify progress_destroy,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_database_repair_with_closure_async (const char *path, const char *destination,
                                             GClosure *progress, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbRepairReport *ldb_database_repair_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_set_memory_budget (LdbDatabase *self, guint64 bytes,
                                         GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_set_memory_budget_async (LdbDatabase *self, guint64 bytes,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_set_memory_budget_finish (LdbDatabase *self, GAsyncResult *result,
                                                GError **error);
LDB_AVAILABLE_IN_ALL
guint64 ldb_database_evict_cache (LdbDatabase *self, double fraction, GError **error);
LDB_AVAILABLE_IN_ALL
LdbStats *ldb_database_get_stats (LdbDatabase *self, GError **error);

/* ---- following what is committed ---- */

LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_database_watch_key (LdbDatabase *self, gconstpointer key, gsize key_length,
                                  LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_database_watch_prefix (LdbDatabase *self, gconstpointer prefix, gsize prefix_length,
                                     LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_database_watch_range (LdbDatabase *self, gconstpointer start, gsize start_length,
                                    gconstpointer end, gsize end_length, LdbWatchFlags flags,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_database_watch_all (LdbDatabase *self, LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbWatch *ldb_database_watch_stores (LdbDatabase *self, LdbWatchFlags flags, GError **error);
LDB_AVAILABLE_IN_ALL
LdbEntry *ldb_database_watch_entry (LdbDatabase *self, gconstpointer key, gsize key_length,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
LdbFeed *ldb_database_create_feed (LdbDatabase *self, guint64 since, GCancellable *cancellable,
                                   GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_create_feed_async (LdbDatabase *self, guint64 since, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbFeed *ldb_database_create_feed_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
guint64 ldb_database_get_history_start (LdbDatabase *self, GError **error);

G_END_DECLS
