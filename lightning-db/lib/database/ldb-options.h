/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_OPTIONS (ldb_options_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbOptions, ldb_options, LDB, OPTIONS, GObject)

LDB_AVAILABLE_IN_ALL
LdbOptions *ldb_options_new (void);
LDB_AVAILABLE_IN_ALL
LdbOptions *ldb_options_new_for_profile (LdbProfile profile);
LDB_AVAILABLE_IN_ALL
LdbOptions *ldb_options_copy (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_load_from_file (LdbOptions *self, const char *path, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_check (LdbOptions *self, GError **error);

LDB_AVAILABLE_IN_ALL
guint ldb_options_get_page_size (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_page_size (LdbOptions *self, guint page_size);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_cache_size (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_cache_size (LdbOptions *self, guint64 cache_size);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_mmap_size (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_mmap_size (LdbOptions *self, guint64 mmap_size);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_compression_enabled (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_compression_enabled (LdbOptions *self, gboolean compression_enabled);
LDB_AVAILABLE_IN_ALL
LdbCompressionType ldb_options_get_compression_type (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_compression_type (LdbOptions *self, LdbCompressionType compression_type);
LDB_AVAILABLE_IN_ALL
int ldb_options_get_compression_level (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_compression_level (LdbOptions *self, int compression_level);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_max_active_transactions (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_max_active_transactions (LdbOptions *self, guint max_active_transactions);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_transaction_timeout (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_transaction_timeout (LdbOptions *self, guint transaction_timeout);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_use_optimized_transactions (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_use_optimized_transactions (LdbOptions *self,
                                                 gboolean use_optimized_transactions);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_wal_enabled (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_wal_enabled (LdbOptions *self, gboolean wal_enabled);
LDB_AVAILABLE_IN_ALL
LdbSyncMode ldb_options_get_wal_sync_mode (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_wal_sync_mode (LdbOptions *self, LdbSyncMode wal_sync_mode);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_improved_wal (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_improved_wal (LdbOptions *self, gboolean improved_wal);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_prefetch_enabled (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_prefetch_enabled (LdbOptions *self, gboolean prefetch_enabled);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_prefetch_distance (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_prefetch_distance (LdbOptions *self, guint prefetch_distance);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_prefetch_workers (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_prefetch_workers (LdbOptions *self, guint prefetch_workers);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_use_lock_free_cache (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_use_lock_free_cache (LdbOptions *self, gboolean use_lock_free_cache);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_background_compaction (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_background_compaction (LdbOptions *self, gboolean background_compaction);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_compaction_interval (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_compaction_interval (LdbOptions *self, guint compaction_interval);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_parallel_compaction_workers (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_parallel_compaction_workers (LdbOptions *self,
                                                  guint parallel_compaction_workers);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_use_simd (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_use_simd (LdbOptions *self, gboolean use_simd);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_rate_limit_ops_per_second (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_rate_limit_ops_per_second (LdbOptions *self,
                                                guint64 rate_limit_ops_per_second);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_wal_segment_size (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_wal_segment_size (LdbOptions *self, guint64 wal_segment_size);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_sync_interval (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_sync_interval (LdbOptions *self, guint sync_interval);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_blob_threshold (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_blob_threshold (LdbOptions *self, guint64 blob_threshold);
LDB_AVAILABLE_IN_ALL
guint64 ldb_options_get_change_retention (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_change_retention (LdbOptions *self, guint64 change_retention);
LDB_AVAILABLE_IN_ALL
guint ldb_options_get_sampling_interval (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_sampling_interval (LdbOptions *self, guint sampling_interval);
LDB_AVAILABLE_IN_ALL
gboolean ldb_options_get_network_file_systems (LdbOptions *self);
LDB_AVAILABLE_IN_ALL
void ldb_options_set_network_file_systems (LdbOptions *self, gboolean network_file_systems);

G_END_DECLS
