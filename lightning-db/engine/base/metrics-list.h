/* SPDX-License-Identifier: MIT */
/*
 * metrics-list: the names of everything the database counts about itself, in one place. Each entry
 * is X (ID, "name", UNIT, "what it says"). Names are for good: readers of other versions find a
 * metric by it. Entries may be added anywhere; their order is this build's alone.
 * docs/design/metrics.md says where each is counted.
 */
#ifndef LIGHTNING_BASE_METRICS_LIST_H
#define LIGHTNING_BASE_METRICS_LIST_H

/* Counted by whichever thread it happens on, in a line of its own: gets above all, which add to one
 * of the first six each. */
#define METRICS_THREAD_COUNTERS(X)                                                                 \
  X (GETS_HOT, "gets_hot", COUNT, "keys found among the hot records")                              \
  X (GETS_MEMTABLE, "gets_memtable", COUNT, "keys found in a memtable")                            \
  X (GETS_RUN, "gets_run", COUNT, "keys found in a run")                                           \
  X (GETS_MISSING, "gets_missing", COUNT, "keys looked up of which nothing was known")             \
  X (GETS_DELETED, "gets_deleted", COUNT, "keys looked up that had been deleted")                  \
  X (GETS_FAILED, "gets_failed", COUNT, "keys whose lookup ended in an error")                     \
  X (GETS_DISK, "gets_disk", COUNT, "lookups that memory alone could not answer")                  \
  X (MULTI_GETS, "multi_gets", COUNT, "calls that look up several keys at once")                   \
  X (MULTI_GET_KEYS, "multi_get_keys", COUNT, "keys that these looked up")                         \
  X (CONTAINS, "contains", COUNT, "lookups that asked only whether a key is there")                \
  X (FILTERS_EXCLUDED, "filters_excluded", COUNT, "segments that a filter ruled out for a key")    \
  X (FILTERS_MISLED, "filters_misled", COUNT, "segments that it did not, and without the key")     \
  X (CURSORS, "cursors", COUNT, "cursors made")                                                    \
  X (SEEKS, "seeks", COUNT, "times a cursor was positioned anew")                                  \
  X (CURSOR_STEPS, "cursor_steps", COUNT, "records that cursors went on to, next or previous")     \
  X (PAGE_HITS, "page_hits", COUNT, "leaves that lookups and cursors found in memory")             \
  X (SAMPLES, "samples", COUNT, "calls that were timed step by step")                              \
  X (STEP_VISIBILITY, "step_visibility", COUNT, "which commits a lookup sees, in sampled calls")   \
  X (STEP_VISIBILITY_TIME, "step_visibility_time", NANOSECONDS, "what that took")                  \
  X (STEP_MEMTABLES, "step_memtables", COUNT, "looking in the memtables, in sampled calls")        \
  X (STEP_MEMTABLES_TIME, "step_memtables_time", NANOSECONDS, "what that took")                    \
  X (STEP_HOT_RECORDS, "step_hot_records", COUNT,                                                  \
     "looking among the hot records, in sampled calls")                                            \
  X (STEP_HOT_RECORDS_TIME, "step_hot_records_time", NANOSECONDS, "what that took")                \
  X (STEP_FILTER, "step_filter", COUNT, "asking a segment's filter, in sampled calls")             \
  X (STEP_FILTER_TIME, "step_filter_time", NANOSECONDS, "what that took")                          \
  X (STEP_INDEX, "step_index", COUNT, "finding the leaf, in sampled calls")                        \
  X (STEP_INDEX_TIME, "step_index_time", NANOSECONDS, "what that took")                            \
  X (STEP_PAGE, "step_page", COUNT, "finding the leaf's page in memory, in sampled calls")         \
  X (STEP_PAGE_TIME, "step_page_time", NANOSECONDS, "what that took")                              \
  X (STEP_LEAF, "step_leaf", COUNT, "finding the record in its leaf, in sampled calls")            \
  X (STEP_LEAF_TIME, "step_leaf_time", NANOSECONDS, "what that took")                              \
  X (STEP_COPY, "step_copy", COUNT, "handing the value out, in sampled calls")                     \
  X (STEP_COPY_TIME, "step_copy_time", NANOSECONDS, "what that took")                              \
  X (STEP_VALIDATE, "step_validate", COUNT, "validating a transaction, in sampled calls")          \
  X (STEP_VALIDATE_TIME, "step_validate_time", NANOSECONDS, "what that took")                      \
  X (STEP_LOG_APPEND, "step_log_append", COUNT, "appending to the log, in sampled calls")          \
  X (STEP_LOG_APPEND_TIME, "step_log_append_time", NANOSECONDS, "what that took")                  \
  X (STEP_INSERT, "step_insert", COUNT, "inserting into the memtable, in sampled calls")           \
  X (STEP_INSERT_TIME, "step_insert_time", NANOSECONDS, "what that took")                          \
  X (STEP_OTHER, "step_other", COUNT, "all else, in sampled calls")                                \
  X (STEP_OTHER_TIME, "step_other_time", NANOSECONDS, "what that took")

/* Counted under a lock of the engine, or by its own threads. */
#define METRICS_SHARED_COUNTERS(X)                                                                 \
  X (COMMITS, "commits", COUNT, "commits")                                                         \
  X (PUTS, "puts", COUNT, "records put")                                                           \
  X (DELETES, "deletes", COUNT, "keys deleted")                                                    \
  X (RANGE_DELETES, "range_deletes", COUNT, "ranges deleted")                                      \
  X (USER_BYTES, "user_bytes", BYTES, "keys and values committed")                                 \
  X (TRANSACTIONS_BEGUN, "transactions_begun", COUNT, "transactions begun")                        \
  X (TRANSACTIONS_COMMITTED, "transactions_committed", COUNT, "transactions committed")            \
  X (TRANSACTIONS_ABORTED, "transactions_aborted", COUNT,                                          \
     "transactions rolled back, timed out, refused or failed")                                     \
  X (TRANSACTIONS_TIMED_OUT, "transactions_timed_out", COUNT,                                      \
     "of these: that outlived the timeout")                                                        \
  X (TRANSACTIONS_UNWRITTEN, "transactions_unwritten", COUNT,                                      \
     "read-write transactions committed without a write")                                          \
  X (CONFLICTS, "conflicts", COUNT, "commits refused because another changed what they depend on") \
  X (FLUSHES, "flushes", COUNT, "memtables written to runs")                                       \
  X (FLUSH_BYTES, "flush_bytes", BYTES, "written by flushes")                                      \
  X (MERGES, "merges", COUNT, "merges finished")                                                   \
  X (MERGE_BYTES_READ, "merge_bytes_read", BYTES, "read by merges")                                \
  X (MERGE_BYTES_WRITTEN, "merge_bytes_written", BYTES, "written by merges")                       \
  X (EVENTS, "events", COUNT, "events, repeated ones too")                                         \
  X (SLOW_CALLS, "slow_calls", COUNT, "calls that took longer than the threshold")                 \
  X (STALLS, "stalls", COUNT, "times a writer waited for background work")                         \
  X (PAGE_BYTES_READ, "page_bytes_read", BYTES, "pages read, as they are stored")                  \
  X (PAGE_BYTES_DECOMPRESSED, "page_bytes_decompressed", BYTES,                                    \
     "pages, as decompressing made them")                                                          \
  X (CACHE_EVICTIONS, "cache_evictions", COUNT, "pages dropped from the cache")                    \
  X (CACHE_GHOST_HITS, "cache_ghost_hits", COUNT, "pages read again that had just been dropped")   \
  X (LOG_RECORDS, "log_records", COUNT, "records appended to the log")                             \
  X (LOG_BYTES, "log_bytes", BYTES, "appended to the log, heads of records included")              \
  X (WATCH_EMISSIONS, "watch_emissions", COUNT,                                                    \
     "times a watch, entry or list was told of changes")                                           \
  X (WATCH_CHANGES, "watch_changes", COUNT, "changes that these were told of")                     \
  X (WATCH_COALESCED, "watch_coalesced", COUNT,                                                    \
     "changes of theirs that went up in a later one of the key, or came to nothing")               \
  X (WATCH_RESYNCS, "watch_resyncs", COUNT, "times one of them was told to read everything anew")

/* States, as they are now. The first are the ledger's accounts, in its order (ledger.h). */
#define METRICS_GAUGES(X)                                                                          \
  X (MEMORY_CACHE, "memory_cache_bytes", BYTES, "frames of decoded pages")                         \
  X (MEMORY_PAGE_TABLE, "memory_page_table_bytes", BYTES, "page tables of open segments")          \
  X (MEMORY_INDEX, "memory_index_bytes", BYTES, "flat indexes of segments")                        \
  X (MEMORY_FILTER, "memory_filter_bytes", BYTES, "filters held in memory")                        \
  X (MEMORY_MEMTABLE, "memory_memtable_bytes", BYTES, "arenas of memtables")                       \
  X (MEMORY_LOG, "memory_log_bytes", BYTES, "mapped log segments")                                 \
  X (MEMORY_MERGE, "memory_merge_bytes", BYTES, "buffers of flushes and merges")                   \
  X (MEMORY_SEGMENT, "memory_segment_bytes", BYTES, "open segments themselves")                    \
  X (MEMORY_OTHER, "memory_other_bytes", BYTES, "hot records, and what has no account")            \
  X (MEMORY_BUDGET, "memory_budget_bytes", BYTES, "what all of these together should keep to")     \
  X (TRANSACTIONS_ACTIVE, "transactions_active", COUNT, "read-write transactions that are open")   \
  X (SNAPSHOTS_ACTIVE, "snapshots_active", COUNT,                                                  \
     "snapshots held, those of transactions and cursors too")                                      \
  X (WRITERS_STALLED, "writers_stalled", COUNT, "writers that wait for background work now")       \
  X (FROZEN_MEMTABLES, "frozen_memtables", COUNT, "full memtables that wait to be written out")    \
  X (RUNS, "runs", COUNT, "sorted runs")                                                           \
  X (RUN_BYTES, "run_bytes", BYTES, "files of runs")                                               \
  X (MERGES_RUNNING, "merges_running", COUNT, "merges under way")                                  \
  X (CACHE_CAPACITY, "cache_capacity_bytes", BYTES, "what the cache may hold now")                 \
  X (CACHE_T1, "cache_t1_pages", COUNT, "cached pages that were wanted once lately")               \
  X (CACHE_T2, "cache_t2_pages", COUNT, "cached pages that were wanted more often")                \
  X (CACHE_SCAN, "cache_scan_pages", COUNT, "cached pages that scans brought")                     \
  X (CACHE_B1, "cache_b1_ghosts", COUNT, "pages that are remembered of those dropped from T1")     \
  X (CACHE_B2, "cache_b2_ghosts", COUNT, "pages that are remembered of those dropped from T2")     \
  X (CACHE_TARGET, "cache_t1_target", COUNT, "pages that T1 should have")                          \
  X (WATCHES, "watches", COUNT, "watches, entries and lists that are told of changes")             \
  X (WATCHES_WAITING, "watches_waiting", COUNT,                                                    \
     "of these: whose main loop has not come to it yet")                                           \
  X (SAMPLING_INTERVAL, "sampling_interval", COUNT, "calls for each that is sampled; 0 = none")

/* How often which value occurred: times in nanoseconds unless they say otherwise. */
#define METRICS_HISTOGRAMS(X)                                                                      \
  X (GET, "get", NANOSECONDS, "looking one key up; sampled")                                       \
  X (MULTI_GET, "multi_get", NANOSECONDS, "looking several keys up at once; sampled")              \
  X (CONTAINS, "contains_time", NANOSECONDS, "asking whether a key is there; sampled")             \
  X (SEEK, "seek", NANOSECONDS, "positioning a cursor; sampled")                                   \
  X (PUT, "put", NANOSECONDS, "committing one record; sampled")                                    \
  X (DELETE, "delete", NANOSECONDS, "committing one delete; sampled")                              \
  X (BATCH, "batch", NANOSECONDS, "committing a batch; sampled")                                   \
  X (TRANSACTION_COMMIT, "transaction_commit", NANOSECONDS, "committing a transaction; sampled")   \
  X (TRANSACTION, "transaction", NANOSECONDS, "a transaction from begin to end")                   \
  X (KEY_SIZE, "key_size", BYTES, "keys of records put one by one; sampled")                       \
  X (VALUE_SIZE, "value_size", BYTES, "values of these")                                           \
  X (PAGE_READ, "page_read", NANOSECONDS, "reading a page, without decompressing it")              \
  X (DECOMPRESS, "decompress", NANOSECONDS, "decompressing a page")                                \
  X (BLOB_READ, "blob_read", NANOSECONDS, "reading a large value")                                 \
  X (COMMIT_LOCK, "commit_lock", NANOSECONDS, "a commit's wait for others to get on")              \
  X (COMMIT_TURN, "commit_turn", NANOSECONDS, "a commit's wait to be durable or visible")          \
  X (NAP, "nap", NANOSECONDS,                                                                      \
     "a writer's sleep for flushes and merges to keep up, and readers to get on")                  \
  X (LOG_CHANGE, "log_change", NANOSECONDS, "going on in the next segment of the log")             \
  X (LOG_SYNC, "log_sync", NANOSECONDS, "making the log durable, with the values it refers to")    \
  X (FLUSH, "flush", NANOSECONDS, "writing a memtable to a run, and installing that")              \
  X (MERGE, "merge", NANOSECONDS, "merging runs")                                                  \
  X (STALL, "stall", NANOSECONDS, "a writer's wait for background work")                           \
  X (WATCH_LAG, "watch_lag", COUNT, "commits that a watch was behind when it was told")            \
  X (WATCH_DELAY, "watch_delay", NANOSECONDS, "until the main loop came to what a watch is told")

#endif
