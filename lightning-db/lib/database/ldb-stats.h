/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_STATS (ldb_stats_get_type ())

/**
 * LdbStats:
 * @sequence: the newest visible commit
 * @durable_sequence: the newest commit that is on disk
 * @keys: about how many keys there are; exact once everything has settled
 * @data_bytes: keys and values in segments, uncompressed, in bytes
 * @disk_bytes: all files, in bytes
 * @log_bytes: the write-ahead log, in bytes
 * @spare_log_bytes: log segments kept for reuse, in bytes
 * @blob_bytes: files of large values, in bytes
 * @segment_bytes: B+Tree files, in bytes
 * @memtable_bytes: what the tables in memory take, in bytes
 * @memtable_records: records in them
 * @frozen_memtables: full tables waiting to be written out
 * @runs: sorted runs; 1 when settled
 * @segments: B+Tree files
 * @blobs: files of large values
 * @tree_depth: of the largest segment
 * @page_utilisation: used part of the pages, 0 to 1
 * @compression_ratio: logical bytes per stored byte; 1 is none
 * @memory_used: of the budget, in bytes
 * @memory_budget: [property@Ldb.Options:cache-size], in bytes
 * @cache_capacity: what the page cache may hold now, in bytes
 * @cache_used: what it holds, in bytes
 * @cache_hits: keys looked up that memory alone could answer
 * @cache_misses: keys looked up for which pages had to be read
 * @cache_evictions: pages dropped from the cache
 * @cache_pinned: pages whose bytes somebody holds, so that they stay in memory, in the cache or dropped from it
 * @gets: keys looked up
 * @gets_found: of these, found
 * @puts: records put
 * @deletes: keys deleted
 * @range_deletes: ranges deleted
 * @commits: commits
 * @cursors: cursors made
 * @transactions_active: open read-write transactions
 * @transactions_committed: transactions committed
 * @transactions_aborted: transactions rolled back, timed out or failed
 * @conflicts: commits refused because of a conflict
 * @snapshots: live snapshots
 * @oldest_snapshot: the sequence number of the oldest, or 0
 * @flushes: tables in memory written out
 * @merges: merges (compactions)
 * @flush_bytes: written by flushes
 * @merge_bytes_read: read by merges
 * @merge_bytes_written: written by merges
 * @user_bytes: bytes of keys and values committed
 * @log_written_bytes: bytes written to the log
 * @log_syncs: times the log was synced
 * @pending_compaction_bytes: bytes that merges still have to go through
 * @stalls: times a writer had to wait for background work
 * @stall_microseconds: the sum of these waits
 * @worst_stall_microseconds: the longest
 * @descriptors: files held open
 * @pages: pages of B+Tree files
 *
 * What a database has done since it was opened, and what it looks like now. Numbers only grow while
 * it stays open, unless they describe a state.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbStats
{
  guint64 sequence;
  guint64 durable_sequence;
  guint64 keys;
  guint64 data_bytes;
  guint64 disk_bytes;
  guint64 log_bytes;
  guint64 spare_log_bytes;
  guint64 blob_bytes;
  guint64 segment_bytes;
  guint64 memtable_bytes;
  guint64 memtable_records;
  guint64 frozen_memtables;
  guint64 runs;
  guint64 segments;
  guint64 blobs;
  guint64 tree_depth;
  double page_utilisation;
  double compression_ratio;
  guint64 memory_used;
  guint64 memory_budget;
  guint64 cache_capacity;
  guint64 cache_used;
  guint64 cache_hits;
  guint64 cache_misses;
  guint64 cache_evictions;
  guint64 cache_pinned;
  guint64 gets;
  guint64 gets_found;
  guint64 puts;
  guint64 deletes;
  guint64 range_deletes;
  guint64 commits;
  guint64 cursors;
  guint64 transactions_active;
  guint64 transactions_committed;
  guint64 transactions_aborted;
  guint64 conflicts;
  guint64 snapshots;
  guint64 oldest_snapshot;
  guint64 flushes;
  guint64 merges;
  guint64 flush_bytes;
  guint64 merge_bytes_read;
  guint64 merge_bytes_written;
  guint64 user_bytes;
  guint64 log_written_bytes;
  guint64 log_syncs;
  guint64 pending_compaction_bytes;
  guint64 stalls;
  guint64 stall_microseconds;
  guint64 worst_stall_microseconds;
  guint64 descriptors;
  guint64 pages;
};

LDB_AVAILABLE_IN_ALL
GType ldb_stats_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbStats *ldb_stats_copy (const LdbStats *self);
LDB_AVAILABLE_IN_ALL
void ldb_stats_free (LdbStats *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbStats, ldb_stats_free)

G_END_DECLS
