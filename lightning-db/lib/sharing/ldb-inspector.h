/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-database-report.h"
#include "ldb-health.h"
#include "ldb-key-location.h"
#include "ldb-metrics.h"
#include "ldb-page.h"
#include "ldb-report.h"
#include "ldb-running-database.h"
#include "ldb-sizes.h"
#include "ldb-stats.h"
#include "ldb-storage-map.h"
#include "ldb-trace.h"

G_BEGIN_DECLS

#define LDB_TYPE_INSPECTOR (ldb_inspector_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbInspector, ldb_inspector, LDB, INSPECTOR, GObject)

/* Signals, in the main context that was the thread's default when it was connected:
 * changed (guint subscription, LdbChangeSet *changes), ended (). */
LDB_AVAILABLE_IN_ALL
LdbInspector *ldb_inspector_open (LdbRunningDatabase *running, GCancellable *cancellable,
                                  GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_open_async (LdbRunningDatabase *running, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbInspector *ldb_inspector_open_finish (GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbRunningDatabase *ldb_inspector_get_running_database (LdbInspector *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_is_closed (LdbInspector *self);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_close (LdbInspector *self);

/* Looking, and following. */
LDB_AVAILABLE_IN_ALL
LdbStats *ldb_inspector_get_stats (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_get_stats_async (LdbInspector *self, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbStats *ldb_inspector_get_stats_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbMetrics *ldb_inspector_get_metrics (LdbInspector *self, GCancellable *cancellable,
                                       GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_get_metrics_async (LdbInspector *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbMetrics *ldb_inspector_get_metrics_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
LdbStorageMap *ldb_inspector_load_storage_map (LdbInspector *self, GCancellable *cancellable,
                                               GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_load_storage_map_async (LdbInspector *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbStorageMap *ldb_inspector_load_storage_map_finish (LdbInspector *self, GAsyncResult *result,
                                                      GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_pages (LdbInspector *self, guint64 segment, guint64 first,
                                     guint n_pages, gboolean read, GCancellable *cancellable,
                                     GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_pages_async (LdbInspector *self, guint64 segment, guint64 first,
                                     guint n_pages, gboolean read, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_pages_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
LdbPageContents *ldb_inspector_read_page (LdbInspector *self, guint64 segment, guint64 page,
                                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_read_page_async (LdbInspector *self, guint64 segment, guint64 page,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbPageContents *ldb_inspector_read_page_finish (LdbInspector *self, GAsyncResult *result,
                                                 GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_locate_key (LdbInspector *self, const char *store, gconstpointer key,
                                     gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_locate_key_async (LdbInspector *self, const char *store, gconstpointer key,
                                     gsize key_length, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_locate_key_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
LdbSizes *ldb_inspector_measure_sizes (LdbInspector *self, const char *store, gconstpointer start,
                                       gsize start_length, gconstpointer end, gsize end_length,
                                       guint time_limit, guint n_biggest, GCancellable *cancellable,
                                       GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_measure_sizes_async (LdbInspector *self, const char *store, gconstpointer start,
                                        gsize start_length, gconstpointer end, gsize end_length,
                                        guint time_limit, guint n_biggest,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbSizes *ldb_inspector_measure_sizes_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
char *ldb_inspector_generate_report (LdbInspector *self, LdbReportFormat format,
                                     LdbReportFlags flags, GCancellable *cancellable,
                                     GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_generate_report_async (LdbInspector *self, LdbReportFormat format,
                                          LdbReportFlags flags, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_inspector_generate_report_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
GHashTable *ldb_inspector_get_options (LdbInspector *self, GCancellable *cancellable,
                                       GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_get_options_async (LdbInspector *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GHashTable *ldb_inspector_get_options_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
char **ldb_inspector_list_stores (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_stores_async (LdbInspector *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char **ldb_inspector_list_stores_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
guint ldb_inspector_open_snapshot (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_open_snapshot_async (LdbInspector *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
guint ldb_inspector_open_snapshot_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_close_snapshot (LdbInspector *self, guint snapshot,
                                       GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_close_snapshot_async (LdbInspector *self, guint snapshot,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_close_snapshot_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_inspector_get (LdbInspector *self, guint snapshot, const char *store, gconstpointer key,
                           gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_get_async (LdbInspector *self, guint snapshot, const char *store,
                              gconstpointer key, gsize key_length, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_inspector_get_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_read (LdbInspector *self, guint snapshot, const char *store,
                               gconstpointer start, gsize start_length, gconstpointer end,
                               gsize end_length, LdbScanFlags flags, guint limit, guint value_limit,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_read_async (LdbInspector *self, guint snapshot, const char *store,
                               gconstpointer start, gsize start_length, gconstpointer end,
                               gsize end_length, LdbScanFlags flags, guint limit, guint value_limit,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_read_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
guint ldb_inspector_subscribe (LdbInspector *self, const char *store, gconstpointer prefix,
                               gsize prefix_length, LdbWatchFlags flags, guint interval,
                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_subscribe_async (LdbInspector *self, const char *store, gconstpointer prefix,
                                    gsize prefix_length, LdbWatchFlags flags, guint interval,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
LDB_AVAILABLE_IN_ALL
guint ldb_inspector_subscribe_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_unsubscribe (LdbInspector *self, guint subscription,
                                    GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_unsubscribe_async (LdbInspector *self, guint subscription,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_unsubscribe_finish (LdbInspector *self, GAsyncResult *result,
                                           GError **error);

/* The work that is going on. */
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_slow_operations (LdbInspector *self, guint64 after,
                                               GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_slow_operations_async (LdbInspector *self, guint64 after,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_slow_operations_finish (LdbInspector *self, GAsyncResult *result,
                                                      GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_transactions (LdbInspector *self, GCancellable *cancellable,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_transactions_async (LdbInspector *self, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_transactions_finish (LdbInspector *self, GAsyncResult *result,
                                                   GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_transaction_keys (LdbInspector *self, guint64 id,
                                                GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_transaction_keys_async (LdbInspector *self, guint64 id,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_transaction_keys_finish (LdbInspector *self, GAsyncResult *result,
                                                       GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_snapshots (LdbInspector *self, GCancellable *cancellable,
                                         GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_snapshots_async (LdbInspector *self, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_snapshots_finish (LdbInspector *self, GAsyncResult *result,
                                                GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_watches (LdbInspector *self, GCancellable *cancellable,
                                       GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_watches_async (LdbInspector *self, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_watches_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_deliveries (LdbInspector *self, guint64 after,
                                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_deliveries_async (LdbInspector *self, guint64 after,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_deliveries_finish (LdbInspector *self, GAsyncResult *result,
                                                 GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_hot_keys (LdbInspector *self, LdbHotKeyKind kind, guint64 *total,
                                        GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_hot_keys_async (LdbInspector *self, LdbHotKeyKind kind,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_hot_keys_finish (LdbInspector *self, GAsyncResult *result,
                                               guint64 *total, GError **error);
LDB_AVAILABLE_IN_ALL
LdbTrace *ldb_inspector_trace_get (LdbInspector *self, const char *store, gconstpointer key,
                                   gsize key_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_trace_get_async (LdbInspector *self, const char *store, gconstpointer key,
                                    gsize key_length, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbTrace *ldb_inspector_trace_get_finish (LdbInspector *self, GAsyncResult *result, GError **error);

/* What needs control. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_request_control (LdbInspector *self, GCancellable *cancellable,
                                        GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_request_control_async (LdbInspector *self, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_request_control_finish (LdbInspector *self, GAsyncResult *result,
                                               GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_flush (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_flush_async (LdbInspector *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_flush_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_checkpoint (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_checkpoint_async (LdbInspector *self, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_checkpoint_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_sync (LdbInspector *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_sync_async (LdbInspector *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_sync_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_set_memory_budget (LdbInspector *self, guint64 bytes,
                                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_set_memory_budget_async (LdbInspector *self, guint64 bytes,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_set_memory_budget_finish (LdbInspector *self, GAsyncResult *result,
                                                 GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_evict_cache (LdbInspector *self, double fraction, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_evict_cache_async (LdbInspector *self, double fraction,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_evict_cache_finish (LdbInspector *self, GAsyncResult *result,
                                           GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_compact (LdbInspector *self, LdbProgressFunc progress,
                                gpointer progress_data, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_compact_async (LdbInspector *self, LdbProgressFunc progress,
                                  gpointer progress_data, GDestroyNotify progress_destroy,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_compact_with_closure_async (LdbInspector *self, GClosure *progress,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_compact_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_inspector_check (LdbInspector *self, LdbCheckFlags flags,
                                     LdbProgressFunc progress, gpointer progress_data,
                                     GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_check_async (LdbInspector *self, LdbCheckFlags flags, LdbProgressFunc progress,
                                gpointer progress_data, GDestroyNotify progress_destroy,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_check_with_closure_async (LdbInspector *self, LdbCheckFlags flags,
                                             GClosure *progress, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_inspector_check_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error);
LDB_AVAILABLE_IN_ALL
LdbBackupResult *ldb_inspector_backup (LdbInspector *self, const char *path, LdbBackupFlags flags,
                                       LdbProgressFunc progress, gpointer progress_data,
                                       GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_backup_async (LdbInspector *self, const char *path, LdbBackupFlags flags,
                                 LdbProgressFunc progress, gpointer progress_data,
                                 GDestroyNotify progress_destroy, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_backup_with_closure_async (LdbInspector *self, const char *path,
                                              LdbBackupFlags flags, GClosure *progress,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbBackupResult *ldb_inspector_backup_finish (LdbInspector *self, GAsyncResult *result,
                                              GError **error);
LDB_AVAILABLE_IN_ALL
guint64 ldb_inspector_commit (LdbInspector *self, GVariant *operations, GCancellable *cancellable,
                              GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_commit_async (LdbInspector *self, GVariant *operations,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
LDB_AVAILABLE_IN_ALL
guint64 ldb_inspector_commit_finish (LdbInspector *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_abort_transaction (LdbInspector *self, guint64 id, GCancellable *cancellable,
                                          GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_abort_transaction_async (LdbInspector *self, guint64 id,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_abort_transaction_finish (LdbInspector *self, GAsyncResult *result,
                                                 GError **error);

/* Health and events. */
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_inspector_examine_health (LdbInspector *self, GCancellable *cancellable,
                                         GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_examine_health_async (LdbInspector *self, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_inspector_examine_health_finish (LdbInspector *self, GAsyncResult *result,
                                                GError **error);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_events (LdbInspector *self, guint64 after, GCancellable *cancellable,
                                      GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_list_events_async (LdbInspector *self, guint64 after, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_inspector_list_events_finish (LdbInspector *self, GAsyncResult *result,
                                             GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_follow_events (LdbInspector *self, gboolean follow,
                                      GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_follow_events_async (LdbInspector *self, gboolean follow,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_follow_events_finish (LdbInspector *self, GAsyncResult *result,
                                             GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_apply_remedy (LdbInspector *self, const LdbHealthIssue *issue,
                                     GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_inspector_apply_remedy_async (LdbInspector *self, const LdbHealthIssue *issue,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_inspector_apply_remedy_finish (LdbInspector *self, GAsyncResult *result,
                                            GError **error);

G_END_DECLS
