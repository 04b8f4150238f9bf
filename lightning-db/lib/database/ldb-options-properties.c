/* SPDX-License-Identifier: MIT */
/*
 * The properties of LdbOptions one by one: documentation and accessors. What an option is called,
 * its range and its default stand in ldb_option_specs; here every getter and setter is one line,
 * whose macro defines ldb_options_get_X and ldb_options_set_X.
 */
#include "config.h"

#include "ldb-options-private.h"

/* Casts by way of a signed number, so that a negative one is out of range rather than large. */
#define OPTION_NUMBER(type, name, id)                                                              \
  type ldb_options_get_##name (LdbOptions *self)                                                   \
  {                                                                                                \
    g_return_val_if_fail (LDB_IS_OPTIONS (self), 0);                                               \
    return (type) ldb_options_get_number (self, id);                                               \
  }                                                                                                \
                                                                                                   \
  void ldb_options_set_##name (LdbOptions *self, type value)                                       \
  {                                                                                                \
    g_return_if_fail (LDB_IS_OPTIONS (self));                                                      \
    ldb_options_set_number (self, id, (guint64) (gint64) value, LDB_OPTION_SOURCE_CODE);           \
  }

#define OPTION_BOOLEAN(name, id)                                                                   \
  gboolean ldb_options_get_##name (LdbOptions *self)                                               \
  {                                                                                                \
    g_return_val_if_fail (LDB_IS_OPTIONS (self), FALSE);                                           \
    return ldb_options_get_number (self, id) != 0;                                                 \
  }                                                                                                \
                                                                                                   \
  void ldb_options_set_##name (LdbOptions *self, gboolean value)                                   \
  {                                                                                                \
    g_return_if_fail (LDB_IS_OPTIONS (self));                                                      \
    ldb_options_set_number (self, id, value != FALSE, LDB_OPTION_SOURCE_CODE);                     \
  }

/**
 * LdbOptions:page-size:
 *
 * The size of a page, in bytes: a power of two from 4096 to 65536. It is fixed when the database
 * is created and has no effect on one that exists.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_page_size:
 * @self: options
 *
 * Gets [property@Ldb.Options:page-size].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_page_size:
 * @self: options
 * @page_size: the value
 *
 * Sets [property@Ldb.Options:page-size]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, page_size, LDB_OPTION_PAGE_SIZE)

/**
 * LdbOptions:cache-size:
 *
 * The memory budget, in bytes, from 10 MiB: page cache, tables in memory, filters and indexes
 * all count against it.
 *
 * In a process that reads beside one that writes, what that has committed and not yet written to
 * its files comes on top: up to three quarters of the writer's budget, never more than 96 MiB, and
 * a transaction that is larger.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_cache_size:
 * @self: options
 *
 * Gets [property@Ldb.Options:cache-size].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_cache_size:
 * @self: options
 * @cache_size: the value
 *
 * Sets [property@Ldb.Options:cache-size]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, cache_size, LDB_OPTION_CACHE_SIZE)

/**
 * LdbOptions:mmap-size:
 *
 * Above 0, segments that are neither compressed nor encrypted are mapped into memory rather than
 * read through the cache. The kernel decides how much stays resident, so the amount itself sets
 * no further limit. Never turn it on for files that another user can truncate.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_mmap_size:
 * @self: options
 *
 * Gets [property@Ldb.Options:mmap-size].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_mmap_size:
 * @self: options
 * @mmap_size: the value
 *
 * Sets [property@Ldb.Options:mmap-size]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, mmap_size, LDB_OPTION_MMAP_SIZE)

/**
 * LdbOptions:compression-enabled:
 *
 * Whether pages are compressed at all.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_compression_enabled:
 * @self: options
 *
 * Gets [property@Ldb.Options:compression-enabled].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_compression_enabled:
 * @self: options
 * @compression_enabled: the value
 *
 * Sets [property@Ldb.Options:compression-enabled].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (compression_enabled, LDB_OPTION_COMPRESSION_ENABLED)

/**
 * LdbOptions:compression-type:
 *
 * How pages are compressed when [property@Ldb.Options:compression-enabled] is %TRUE.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_compression_type:
 * @self: options
 *
 * Gets [property@Ldb.Options:compression-type].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_compression_type:
 * @self: options
 * @compression_type: the value
 *
 * Sets [property@Ldb.Options:compression-type]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (LdbCompressionType, compression_type, LDB_OPTION_COMPRESSION_TYPE)

/**
 * LdbOptions:compression-level:
 *
 * The level of Zstandard, from 1 (fastest) to 19 (smallest).
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_compression_level:
 * @self: options
 *
 * Gets [property@Ldb.Options:compression-level].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_compression_level:
 * @self: options
 * @compression_level: the value
 *
 * Sets [property@Ldb.Options:compression-level]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (int, compression_level, LDB_OPTION_COMPRESSION_LEVEL)

/**
 * LdbOptions:max-active-transactions:
 *
 * How many read-write transactions may be open at once, from 1 to 1,000,000; one more fails with
 * %LDB_ERROR_TOO_MANY_TRANSACTIONS.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_max_active_transactions:
 * @self: options
 *
 * Gets [property@Ldb.Options:max-active-transactions].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_max_active_transactions:
 * @self: options
 * @max_active_transactions: the value
 *
 * Sets [property@Ldb.Options:max-active-transactions]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, max_active_transactions, LDB_OPTION_MAX_ACTIVE_TRANSACTIONS)

/**
 * LdbOptions:transaction-timeout:
 *
 * How long a read-write transaction may stay open, in milliseconds up to a day, before it fails
 * with %LDB_ERROR_TIMED_OUT; 0 for ever.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_transaction_timeout:
 * @self: options
 *
 * Gets [property@Ldb.Options:transaction-timeout].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_transaction_timeout:
 * @self: options
 * @transaction_timeout: the value
 *
 * Sets [property@Ldb.Options:transaction-timeout]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, transaction_timeout, LDB_OPTION_TRANSACTION_TIMEOUT)

/**
 * LdbOptions:use-optimized-transactions:
 *
 * Has no effect: there is one way to run transactions, and it is the optimised one. Kept so that
 * existing configurations load.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_use_optimized_transactions:
 * @self: options
 *
 * Gets [property@Ldb.Options:use-optimized-transactions].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_use_optimized_transactions:
 * @self: options
 * @use_optimized_transactions: the value
 *
 * Sets [property@Ldb.Options:use-optimized-transactions].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (use_optimized_transactions, LDB_OPTION_USE_OPTIMIZED_TRANSACTIONS)

/**
 * LdbOptions:wal-enabled:
 *
 * Whether commits go to the write-ahead log. Without it, nothing since the last checkpoint
 * survives a crash of the process.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_wal_enabled:
 * @self: options
 *
 * Gets [property@Ldb.Options:wal-enabled].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_wal_enabled:
 * @self: options
 * @wal_enabled: the value
 *
 * Sets [property@Ldb.Options:wal-enabled].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (wal_enabled, LDB_OPTION_WAL_ENABLED)

/**
 * LdbOptions:wal-sync-mode:
 *
 * When commits are durable, unless a commit says otherwise. %LDB_SYNC_MODE_DEFAULT is not
 * allowed here.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_wal_sync_mode:
 * @self: options
 *
 * Gets [property@Ldb.Options:wal-sync-mode].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_wal_sync_mode:
 * @self: options
 * @wal_sync_mode: the value
 *
 * Sets [property@Ldb.Options:wal-sync-mode]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (LdbSyncMode, wal_sync_mode, LDB_OPTION_WAL_SYNC_MODE)

/**
 * LdbOptions:improved-wal:
 *
 * Whether the log may be written through a shared mapping where the file system makes that safe,
 * which spares a system call a commit.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_improved_wal:
 * @self: options
 *
 * Gets [property@Ldb.Options:improved-wal].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_improved_wal:
 * @self: options
 * @improved_wal: the value
 *
 * Sets [property@Ldb.Options:improved-wal].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (improved_wal, LDB_OPTION_IMPROVED_WAL)

/**
 * LdbOptions:prefetch-enabled:
 *
 * Whether scans read ahead.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_prefetch_enabled:
 * @self: options
 *
 * Gets [property@Ldb.Options:prefetch-enabled].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_prefetch_enabled:
 * @self: options
 * @prefetch_enabled: the value
 *
 * Sets [property@Ldb.Options:prefetch-enabled].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (prefetch_enabled, LDB_OPTION_PREFETCH_ENABLED)

/**
 * LdbOptions:prefetch-distance:
 *
 * How many pages scans read ahead at first, from 1 to 1024; it doubles up to 1 MiB as a scan goes
 * on.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_prefetch_distance:
 * @self: options
 *
 * Gets [property@Ldb.Options:prefetch-distance].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_prefetch_distance:
 * @self: options
 * @prefetch_distance: the value
 *
 * Sets [property@Ldb.Options:prefetch-distance]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, prefetch_distance, LDB_OPTION_PREFETCH_DISTANCE)

/**
 * LdbOptions:prefetch-workers:
 *
 * Has no effect: reading ahead is left to the kernel and needs no threads. Kept, with its range
 * of 0 to 64, so that existing configurations load.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_prefetch_workers:
 * @self: options
 *
 * Gets [property@Ldb.Options:prefetch-workers].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_prefetch_workers:
 * @self: options
 * @prefetch_workers: the value
 *
 * Sets [property@Ldb.Options:prefetch-workers]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, prefetch_workers, LDB_OPTION_PREFETCH_WORKERS)

/**
 * LdbOptions:use-lock-free-cache:
 *
 * Has no effect: the page cache never takes a lock on a hit. Kept so that existing
 * configurations load.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_use_lock_free_cache:
 * @self: options
 *
 * Gets [property@Ldb.Options:use-lock-free-cache].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_use_lock_free_cache:
 * @self: options
 * @use_lock_free_cache: the value
 *
 * Sets [property@Ldb.Options:use-lock-free-cache].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (use_lock_free_cache, LDB_OPTION_USE_LOCK_FREE_CACHE)

/**
 * LdbOptions:background-compaction:
 *
 * Whether runs are merged in the background. Without it, reads slow down until
 * [method@Ldb.Database.compact] is called.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_background_compaction:
 * @self: options
 *
 * Gets [property@Ldb.Options:background-compaction].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_background_compaction:
 * @self: options
 * @background_compaction: the value
 *
 * Sets [property@Ldb.Options:background-compaction].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (background_compaction, LDB_OPTION_BACKGROUND_COMPACTION)

/**
 * LdbOptions:compaction-interval:
 *
 * The longest wait before a merge that is due, in milliseconds from a second to a day. Nothing is
 * woken while no merge is due.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_compaction_interval:
 * @self: options
 *
 * Gets [property@Ldb.Options:compaction-interval].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_compaction_interval:
 * @self: options
 * @compaction_interval: the value
 *
 * Sets [property@Ldb.Options:compaction-interval]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, compaction_interval, LDB_OPTION_COMPACTION_INTERVAL)

/**
 * LdbOptions:parallel-compaction-workers:
 *
 * How many threads merge, from 1 to 16. They run only while there is work.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_parallel_compaction_workers:
 * @self: options
 *
 * Gets [property@Ldb.Options:parallel-compaction-workers].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_parallel_compaction_workers:
 * @self: options
 * @parallel_compaction_workers: the value
 *
 * Sets [property@Ldb.Options:parallel-compaction-workers]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, parallel_compaction_workers, LDB_OPTION_PARALLEL_COMPACTION_WORKERS)

/**
 * LdbOptions:use-simd:
 *
 * Whether the processor's vector instructions are used. The setting is shared by the whole
 * process.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_use_simd:
 * @self: options
 *
 * Gets [property@Ldb.Options:use-simd].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_use_simd:
 * @self: options
 * @use_simd: the value
 *
 * Sets [property@Ldb.Options:use-simd].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (use_simd, LDB_OPTION_USE_SIMD)

/**
 * LdbOptions:rate-limit-ops-per-second:
 *
 * How many operations a second are allowed before they fail with %LDB_ERROR_RATE_LIMITED; 0 for
 * any number.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_rate_limit_ops_per_second:
 * @self: options
 *
 * Gets [property@Ldb.Options:rate-limit-ops-per-second].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_rate_limit_ops_per_second:
 * @self: options
 * @rate_limit_ops_per_second: the value
 *
 * Sets [property@Ldb.Options:rate-limit-ops-per-second]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, rate_limit_ops_per_second, LDB_OPTION_RATE_LIMIT_OPS_PER_SECOND)

/**
 * LdbOptions:wal-segment-size:
 *
 * The size of a file of the write-ahead log, in bytes: a multiple of 64 KiB from
 * 64 KiB to 1 GiB.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_wal_segment_size:
 * @self: options
 *
 * Gets [property@Ldb.Options:wal-segment-size].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_wal_segment_size:
 * @self: options
 * @wal_segment_size: the value
 *
 * Sets [property@Ldb.Options:wal-segment-size]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, wal_segment_size, LDB_OPTION_WAL_SEGMENT_SIZE)

/**
 * LdbOptions:sync-interval:
 *
 * How long a commit of mode %LDB_SYNC_MODE_ASYNC may wait before it reaches the disk, in
 * milliseconds up to an hour.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_sync_interval:
 * @self: options
 *
 * Gets [property@Ldb.Options:sync-interval].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_sync_interval:
 * @self: options
 * @sync_interval: the value
 *
 * Sets [property@Ldb.Options:sync-interval]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, sync_interval, LDB_OPTION_SYNC_INTERVAL)

/**
 * LdbOptions:blob-threshold:
 *
 * Values from this size, in bytes from 1 KiB to 1 GiB, go to files of their own.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_blob_threshold:
 * @self: options
 *
 * Gets [property@Ldb.Options:blob-threshold].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_blob_threshold:
 * @self: options
 * @blob_threshold: the value
 *
 * Sets [property@Ldb.Options:blob-threshold]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, blob_threshold, LDB_OPTION_BLOB_THRESHOLD)

/**
 * LdbOptions:change-retention:
 *
 * How many bytes of past changes are kept on disk for watches and feeds that start in the past,
 * with the large values they refer to, also after the database was closed. What the write-ahead log
 * holds anyway can be read in any case; 0 keeps no more than that. Older ones give
 * %LDB_ERROR_HISTORY_GONE. It needs the log: without [property@Ldb.Options:wal-enabled] nothing of
 * the past is kept, and what was kept before goes.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_change_retention:
 * @self: options
 *
 * Gets [property@Ldb.Options:change-retention].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_change_retention:
 * @self: options
 * @change_retention: the value
 *
 * Sets [property@Ldb.Options:change-retention]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint64, change_retention, LDB_OPTION_CHANGE_RETENTION)

/**
 * LdbOptions:sampling-interval:
 *
 * Of how many operations of a thread one is timed step by step, on average: that is where the latencies
 * of [class@Ldb.Metrics] and the keys of [method@Ldb.Database.list_hot_keys] that are read and written
 * come from. 0 for none; 1 for each, which costs more than the operations themselves. What is counted
 * does not depend on it.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_sampling_interval:
 * @self: options
 *
 * Gets [property@Ldb.Options:sampling-interval].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_sampling_interval:
 * @self: options
 * @sampling_interval: the value
 *
 * Sets [property@Ldb.Options:sampling-interval]. A value out of range is reported by
 * [method@Ldb.Options.check] and when the options are used.
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_NUMBER (guint, sampling_interval, LDB_OPTION_SAMPLING_INTERVAL)

/**
 * LdbOptions:network-file-systems:
 *
 * Whether a database on a network file system may be written to and followed, as long as one
 * machine uses it. There the lock may not keep a program of another machine out, a synced commit is
 * as safe as the server, and a process that reads sees what another one writes late, or only when
 * it opens. Without it, opening such a database fails with %LDB_ERROR_UNSUPPORTED, unless it is
 * opened with %LDB_OPEN_READ_ONLY and %LDB_OPEN_STATIC. The same holds for following, though not
 * for writing, on file systems that another program serves (FUSE), where who comes another way is
 * not seen.
 *
 * Since: 0.1
 */

/**
 * ldb_options_get_network_file_systems:
 * @self: options
 *
 * Gets [property@Ldb.Options:network-file-systems].
 *
 * One thread at a time.
 *
 * Returns: the value
 *
 * Since: 0.1
 */

/**
 * ldb_options_set_network_file_systems:
 * @self: options
 * @network_file_systems: the value
 *
 * Sets [property@Ldb.Options:network-file-systems].
 *
 * One thread at a time.
 *
 * Since: 0.1
 */
OPTION_BOOLEAN (network_file_systems, LDB_OPTION_NETWORK_FILE_SYSTEMS)
