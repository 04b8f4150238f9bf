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
  X (CURSORS, "cursors", COUNT, "cursors made")

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
  X (CONFLICTS, "conflicts", COUNT, "commits refused because another changed what they depend on") \
  X (FLUSHES, "flushes", COUNT, "memtables written to runs")                                       \
  X (FLUSH_BYTES, "flush_bytes", BYTES, "written by flushes")                                      \
  X (MERGES, "merges", COUNT, "merges finished")                                                   \
  X (MERGE_BYTES_READ, "merge_bytes_read", BYTES, "read by merges")                                \
  X (MERGE_BYTES_WRITTEN, "merge_bytes_written", BYTES, "written by merges")                       \
  X (STALLS, "stalls", COUNT, "times a writer waited for background work")

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
  X (RUN_BYTES, "run_bytes", BYTES, "files of runs")

/* How often which value occurred: times in nanoseconds unless they say otherwise. */
#define METRICS_HISTOGRAMS(X)                                                                      \
  X (LOG_SYNC, "log_sync", NANOSECONDS, "making the log durable, with the values it refers to")    \
  X (FLUSH, "flush", NANOSECONDS, "writing a memtable to a run, and installing that")              \
  X (MERGE, "merge", NANOSECONDS, "merging runs")                                                  \
  X (STALL, "stall", NANOSECONDS, "a writer's wait for background work")

#endif
