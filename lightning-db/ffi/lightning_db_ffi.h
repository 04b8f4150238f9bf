/* SPDX-License-Identifier: MIT */
/*
 * lightning_db_ffi.h: Lightning DB for every language that can call C.
 *
 *   LightningDB *db = lightning_db_create ("notes.db", NULL);
 *   lightning_db_put (db, (const uint8_t *) "user:1", 6, (const uint8_t *) "Ada", 3);
 *   lightning_db_free (db);
 *
 * docs/guides/flat-abi.md tells it as a story; here stands what each call promises.
 *
 * Handles
 *   What the library hands out as LightningDB *, LightningDBConfig *, LightningDBIterator * and
 *   LightningDBBatch * are numbers from 4096 to 2^31 - 1, not addresses: never dereference them.
 *   One that passed through a 32-bit integer still works. One that was freed, never existed or is
 *   of another kind gives InvalidHandle, NULL gives NullPointer, from any thread, also while
 *   another thread frees it. A number comes back only after about a billion later ones.
 *
 * Threads
 *   Any function from any thread. Calls with one LightningDB * run side by side; calls with one
 *   transaction, iterator, batch or config wait for each other. A call that is left before
 *   it returns, by pthread_cancel or a longjmp out of a signal handler, may leave a lock behind
 *   that later calls wait for without an end; no data is lost.
 *
 * Memory
 *   1. What lightning_db_get and its like put into a LightningDBResult is the caller's: give it to
 *      lightning_db_free_result, once, with or without its length.
 *   2. What an iterator shows is lent until the next call with that iterator.
 *   3. Handles end with their own free function. Freed once too often: InvalidHandle, no harm.
 *   4. Strings that are returned are never freed by the caller.
 *   Everything passed in is copied before the call returns.
 *
 * Errors
 *   A function that returns LightningDBError returns Success or a negative code; one that returns a
 *   handle returns NULL. What went wrong and what to do: lightning_db_last_error_message, on the
 *   same thread. Codes keep their numbers for ever; take those you don't know for UnknownError. The
 *   NotFound of lightning_db_get_into and lightning_db_contains is an answer and leaves no message.
 *
 * Limits
 *   Keys have 1 to 65536 bytes, values 0 to 2^30. Paths and names of stores are UTF-8 with a zero
 *   byte behind. Keys are ordered as unsigned bytes; a prefix comes before what it is a prefix of.
 *
 * Forks
 *   In a forked child every handle but a config gives ForkedProcess; open the database anew there.
 */
#ifndef LIGHTNING_DB_FFI_H
#define LIGHTNING_DB_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h> /* programs written to these names count on it */

#ifdef __cplusplus
extern "C"
{
#endif

#if defined(__GNUC__)
#define LIGHTNING_DB_API __attribute__ ((visibility ("default")))
#else
#define LIGHTNING_DB_API
#endif

  /* ---- types ---- */

  typedef enum LightningDBError
  {
#ifdef Success /* by <X11/X.h>, as 0: the name works as it is */
    LightningDBSuccess = 0,
#else
  Success = 0,
#endif
    NullPointer = -1,          /* a pointer or handle that has to be there is NULL */
    InvalidUtf8 = -2,          /* a path or name is not UTF-8 */
    IoError = -3,              /* a system call failed */
    CorruptedData = -4,        /* bytes of a file do not verify */
    InvalidArgument = -5,      /* out of range; the message names it */
    OutOfMemory = -6,          /* nothing was changed */
    DatabaseLocked = -7,       /* open for writing already: elsewhere, or in this process */
    TransactionConflict = -8,  /* another commit changed what it depends on: begin it again */
    InvalidHandle = -9,        /* freed, never handed out, or of another kind */
    InvalidTransaction = -10,  /* ended, never begun, or of another database */
    NotFound = -11,            /* no such database, store or key (lightning_db_get: data NULL) */
    AlreadyExists = -12,       /* asked to be the first, and there is one */
    NotADatabase = -13,        /* the directory holds something else */
    NewerFormat = -14,         /* written by a later version; left as it is */
    KeyTooLarge = -15,         /* above 65536 bytes */
    ValueTooLarge = -16,       /* above 2^30 bytes */
    DiskFull = -17,            /* make room; the next write tries again */
    PermissionDenied = -18,    /* the system's permissions forbid it */
    DatabaseReadOnly = -19,    /* a write to what can only be read */
    DatabaseClosed = -20,      /* its database was freed */
    ForkedProcess = -21,       /* the handle belongs to the parent process */
    TransactionTimedOut = -22, /* it was open for too long and is rolled back */
    LimitExceeded = -23,      /* too many transactions, a batch too large, …; the message tells */
    RateLimited = -24,        /* the configured rate is reached */
    OutcomeUnknown = -25,     /* a sync failed: on disk or not; open the database again to see */
    OperationCancelled = -26, /* the database was freed meanwhile; nothing was changed */
    OperationBusy = -27,      /* in use by another operation */
    OptionsMismatch = -28,    /* the options disagree with those in force */
    NotSupported = -29,       /* by this build, kernel or file system */
    HistoryGone = -30,        /* changes that old are no longer kept */
    BufferTooSmall = -31,     /* the length that is needed was stored */
    UnknownError = -99
  } LightningDBError;

  /* A database; or one store of it (lightning_db_open_store), or its past
   * (lightning_db_snapshot). */
  typedef struct LightningDB LightningDB;
  /* How a database is opened. */
  typedef struct LightningDBConfig LightningDBConfig;
  /* A walk over a range of keys. */
  typedef struct LightningDBIterator LightningDBIterator;
  /* Writes that are gathered to be committed together. */
  typedef struct LightningDBBatch LightningDBBatch;

  /* A value that was read. Absent: data is NULL. Empty: len is 0 and data is not NULL. */
  typedef struct LightningDBResult
  {
    uint8_t *data; /* the caller's, for lightning_db_free_result */
    size_t len;    /* bytes */
  } LightningDBResult;

  /* What an iterator stands on, lent until the next call with it. At the end: key is NULL. */
  typedef struct LightningDBEntry
  {
    const uint8_t *key;
    size_t key_len;
    const uint8_t *value; /* NULL with LightningDBScanKeysOnly */
    size_t value_len;
  } LightningDBEntry;

  typedef enum LightningDBCompression
  {
    LightningDBCompressionNone = 0,
    LightningDBCompressionZstd = 1,
    LightningDBCompressionLz4 = 2,
    LightningDBCompressionSnappy = 3,
    LightningDBCompressionAdaptive = 4 /* the default: LZ4 at first, Zstandard later, none where it
                                        does not pay */
  } LightningDBCompression;

  typedef enum LightningDBSyncMode
  {
    LightningDBSyncDefault = 0, /* what the database was opened with; in a config: Async */
    LightningDBSyncFull = 1,    /* on disk before the call returns: survives a power cut */
    LightningDBSyncAsync = 2,   /* survives a kill of the process at once, a power cut once it is on
                                 disk, within the sync interval (a second) */
    LightningDBSyncNone = 3     /* may be lost with the process, but never out of order */
  } LightningDBSyncMode;

  /* For lightning_db_open_with, combined by |. */
  typedef enum LightningDBOpenFlags
  {
    LightningDBOpenExisting = 0,
    LightningDBOpenCreate = 1,    /* make it when it is missing (one directory, not its parents) */
    LightningDBOpenExclusive = 2, /* with Create: AlreadyExists when there is one */
    LightningDBOpenReadOnly = 4   /* write nothing; also beside a writer, as of now */
  } LightningDBOpenFlags;

  /* For lightning_db_begin_transaction_with, combined by |. */
  typedef enum LightningDBTransactionFlags
  {
    LightningDBTransactionReadWrite = 0,
    LightningDBTransactionReadOnly = 1,
    LightningDBTransactionSerializable = 2 /* what it read must be unchanged at its commit, too */
  } LightningDBTransactionFlags;

  /* For scans, combined by |. */
  typedef enum LightningDBScanFlags
  {
    LightningDBScanForward = 0,
    LightningDBScanReverse = 1, /* from the last key of the range down to the first */
    LightningDBScanKeysOnly = 2 /* values are not read */
  } LightningDBScanFlags;

  /* Figures of an open database. Later versions append fields: lightning_db_stats is told the
   * size. */
  typedef struct LightningDBStats
  {
    uint64_t sequence;         /* newest commit */
    uint64_t durable_sequence; /* newest commit that is on disk */
    uint64_t approximate_keys; /* of all stores; exact once settled */
    uint64_t data_bytes;       /* keys and values in segments, uncompressed */
    uint64_t disk_bytes;       /* all files */
    uint64_t log_bytes;
    uint64_t segment_bytes;
    uint64_t large_value_bytes; /* files of large values */
    uint64_t memory_used;
    uint64_t memory_budget;
    uint64_t cache_hits;
    uint64_t cache_misses;
    uint64_t cache_evictions;
    uint64_t gets;
    uint64_t puts;
    uint64_t deletes;
    uint64_t commits;
    uint64_t transactions_active;
    uint64_t transactions_committed;
    uint64_t transactions_aborted;
    uint64_t conflicts;
    uint64_t tree_depth;            /* of the largest segment */
    uint64_t segments;              /* files */
    uint64_t pending_compact_bytes; /* that background compaction has before it */
    double page_utilisation;        /* 0 … 1 */
    double compression_ratio;       /* logical / stored; 1 = none */
  } LightningDBStats;

  /* ---- versions and errors ---- */

  /* The version of the library that is running, such as "0.1.0". */
  LIGHTNING_DB_API const char *lightning_db_version (void);
  /* The same, for programs that call it so. */
  LIGHTNING_DB_API const char *ldb_get_version (void);
  /* Does nothing and returns 0: there is nothing to initialise. */
  LIGHTNING_DB_API int ldb_initialize (void);

  /* What the code means, in English. Never NULL. */
  LIGHTNING_DB_API const char *lightning_db_error_string (LightningDBError error);
  /* The code of the last call on this thread that failed; Success when none did. */
  LIGHTNING_DB_API LightningDBError lightning_db_last_error (void);
  /* What it said: what happened, to what, and what to do. "" when none failed; never NULL. Good
 * until the next call on this thread that fails. */
  LIGHTNING_DB_API const char *lightning_db_last_error_message (void);

  /* ---- config ---- */

  /* With the defaults, which are good for most. NULL when out of memory. */
  LIGHTNING_DB_API LightningDBConfig *lightning_db_config_new (void);
  /* Databases that were opened with it are not affected. NULL: does nothing. */
  LIGHTNING_DB_API void lightning_db_config_free (LightningDBConfig *config);

  /* Each gives InvalidArgument, and changes nothing, when the value is out of range. */
  /* Bytes, a power of two from 4096 (the default) to 65536. Only of new databases. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_page_size (LightningDBConfig *config,
                                                                       size_t page_size);
  /* Bytes of memory for everything together; 64 MiB by default. Less than 10 MiB counts as 10
   * MiB. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_cache_size (LightningDBConfig *config,
                                                                        size_t cache_size);
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_compression (
      LightningDBConfig *config, LightningDBCompression compression);
  /* Of Zstandard, 1 … 19; 3 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_compression_level (LightningDBConfig *config, int level);
  /* Of commits that don't say otherwise; LightningDBSyncAsync by default. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_sync_mode (LightningDBConfig *config,
                                                                       LightningDBSyncMode mode);
  /* Milliseconds within which an Async commit is on disk, 1 … 3600000; 1000 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_sync_interval (LightningDBConfig *config, uint64_t milliseconds);
  /* 0: nothing survives a kill but what checkpoints and a clean end have written. On by default. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_wal_enabled (LightningDBConfig *config,
                                                                         int enabled);
  /* Bytes, a multiple of 65536 up to 2^30; 4 MiB by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_wal_segment_size (LightningDBConfig *config, size_t size);
  /* Whether the log may be written through a mapping where that is safe, without system calls; on
 * by default. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_wal_mapping (LightningDBConfig *config,
                                                                         int enabled);
  /* Values from so many bytes on go to files of their own, 512 … 2^31; 8192 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_blob_threshold (LightningDBConfig *config, size_t size);
  /* Read-write transactions open at once, 1 … 1000000; 1000 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_max_active_transactions (LightningDBConfig *config, uint32_t count);
  /* Milliseconds after which a read-write transaction is rolled back, up to a year; 0 never. 30000
 * by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_transaction_timeout (LightningDBConfig *config, uint64_t milliseconds);
  /* Bytes of one transaction's or batch's writes, 65536 … 2^40; 2 GiB by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_max_transaction_size (LightningDBConfig *config, uint64_t size);
  /* Reading ahead of scans; on by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_prefetch_enabled (LightningDBConfig *config, int enabled);
  /* Pages read ahead, up to 1024; 8 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_prefetch_distance (LightningDBConfig *config, uint32_t pages);
  /* On by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_background_compaction (LightningDBConfig *config, int enabled);
  /* Milliseconds, the longest wait before a compaction that is due, 1000 … a day; 60000 by
   * default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_compaction_interval (LightningDBConfig *config, uint64_t milliseconds);
  /* Threads, 1 … 16; 2 by default. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_compaction_workers (LightningDBConfig *config, uint32_t workers);
  /* Maps uncompressed segments into memory. Off by default; never for files that others can
   * change. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_mmap_enabled (LightningDBConfig *config,
                                                                          int enabled);
  /* Operations a second; 0, the default: no limit. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_rate_limit (LightningDBConfig *config,
                                                                        uint64_t operations);
  /* Of how many operations of a thread one is timed, for diagnostics; 1024 by default, 0: none. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_sampling_interval (LightningDBConfig *config, uint32_t operations);
  /* Bytes of past changes kept on disk, also over a restart, beyond what the log holds anyway: for
   * programs that watch this database or read a feed of it through liblightning-db-1 and were not
   * running meanwhile. 0, the default, … 2^50. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_change_retention (LightningDBConfig *config, uint64_t bytes);
  /* 0: no vector instructions, in the whole process, from the next opening on and for good. On by
   * default; results are the same. */
  LIGHTNING_DB_API LightningDBError lightning_db_config_set_use_simd (LightningDBConfig *config,
                                                                      int enabled);
  /* Writes also to a database on NFS, SMB and the like, where locks may not reach other machines:
   * only one machine at a time may have it open. Off by default: NotSupported. */
  LIGHTNING_DB_API LightningDBError
  lightning_db_config_set_network_file_systems (LightningDBConfig *config, int enabled);

  /* ---- databases ---- */

  /* Opens the database at `path`, a directory, and makes it if there is none. config NULL:
 * defaults. NULL on failure: NullPointer, InvalidUtf8, DatabaseLocked, NotADatabase, … */
  LIGHTNING_DB_API LightningDB *lightning_db_create (const char *path,
                                                     const LightningDBConfig *config);
  /* The same, but there must be one: else NotFound. */
  LIGHTNING_DB_API LightningDB *lightning_db_open (const char *path,
                                                   const LightningDBConfig *config);
  /* The same with flags of LightningDBOpenFlags. */
  LIGHTNING_DB_API LightningDB *
  lightning_db_open_with (const char *path, const LightningDBConfig *config, uint32_t flags);
  /* Makes everything durable and closes. Transactions that are open are rolled back; it waits for
 * calls under way on other threads, which may give DatabaseClosed. Stores, snapshots and iterators
 * give DatabaseClosed from then on, and are still to be freed. Of a store or snapshot: only frees
 * the handle. NULL: does nothing. */
  LIGHTNING_DB_API void lightning_db_free (LightningDB *db);
  /* The same, and says whether all went well. The handle is gone either way. */
  LIGHTNING_DB_API LightningDBError lightning_db_close (LightningDB *db);
  /* Deletes the database at `path`. DatabaseLocked while it is open. */
  LIGHTNING_DB_API LightningDBError lightning_db_destroy (const char *path);

  /* A handle of the store called `name`, for every function that takes a LightningDB *: what is
 * read and written through it is in that store. Numbers of transactions are good for all stores of
 * a database. NotFound when it is missing and `create` is 0. NULL on failure. */
  LIGHTNING_DB_API LightningDB *lightning_db_open_store (LightningDB *db, const char *name,
                                                         int create);
  /* Deletes the store and all in it, in one commit. The store "default" is emptied instead. Handles
   * of it read nothing from then on, and whatever they write is NotFound. */
  LIGHTNING_DB_API LightningDBError lightning_db_drop_store (LightningDB *db, const char *name);
  /* All names, each with a zero byte behind it; free as a value. */
  LIGHTNING_DB_API LightningDBError lightning_db_list_stores (LightningDB *db,
                                                              LightningDBResult *names);
  /* A handle of the same store as it is now: later commits are not seen through it, and writes
 * through it give DatabaseReadOnly. NULL on failure. */
  LIGHTNING_DB_API LightningDB *lightning_db_snapshot (LightningDB *db);

  /* ---- reading and writing ---- */

  LIGHTNING_DB_API LightningDBError lightning_db_put (LightningDB *db, const uint8_t *key,
                                                      size_t key_len, const uint8_t *value,
                                                      size_t value_len);
  /* Success with data NULL when the key is absent. */
  LIGHTNING_DB_API LightningDBError lightning_db_get (LightningDB *db, const uint8_t *key,
                                                      size_t key_len, LightningDBResult *result);
  /* Without allocating: copies the value to `buffer` if it fits, else BufferTooSmall. *value_len is
 * the value's length either way. NotFound when the key is absent. */
  LIGHTNING_DB_API LightningDBError lightning_db_get_into (LightningDB *db, const uint8_t *key,
                                                           size_t key_len, uint8_t *buffer,
                                                           size_t capacity, size_t *value_len);
  /* Success or NotFound; reads no value. */
  LIGHTNING_DB_API LightningDBError lightning_db_contains (LightningDB *db, const uint8_t *key,
                                                           size_t key_len);
  /* Deleting what is absent is Success. */
  LIGHTNING_DB_API LightningDBError lightning_db_delete (LightningDB *db, const uint8_t *key,
                                                         size_t key_len);
  /* All keys from `start` to before `end`, in one commit; length 0 leaves a side open.
 * InvalidArgument when start does not come before end. */
  LIGHTNING_DB_API LightningDBError lightning_db_delete_range (LightningDB *db,
                                                               const uint8_t *start,
                                                               size_t start_len, const uint8_t *end,
                                                               size_t end_len);
  /* All of `count` keys as of one moment: results[i] as lightning_db_get would set it, each to be
 * freed. On failure none is to be freed. */
  LIGHTNING_DB_API LightningDBError lightning_db_multi_get (LightningDB *db,
                                                            const uint8_t *const *keys,
                                                            const size_t *key_lens, size_t count,
                                                            LightningDBResult *results);
  /* data NULL: does nothing. */
  LIGHTNING_DB_API void lightning_db_free_result (uint8_t *data, size_t len);

  /* ---- transactions ---- */

  /* A transaction reads as of its beginning and sees its own writes; at its commit all of them come
 * into being, or none. *tx_id counts up from 1 and never returns. LimitExceeded when too many are
 * open. */
  LIGHTNING_DB_API LightningDBError lightning_db_begin_transaction (LightningDB *db,
                                                                    uint64_t *tx_id);
  /* The same with flags of LightningDBTransactionFlags. */
  LIGHTNING_DB_API LightningDBError lightning_db_begin_transaction_with (LightningDB *db,
                                                                         uint32_t flags,
                                                                         uint64_t *tx_id);
  LIGHTNING_DB_API LightningDBError lightning_db_put_tx (LightningDB *db, uint64_t tx_id,
                                                         const uint8_t *key, size_t key_len,
                                                         const uint8_t *value, size_t value_len);
  LIGHTNING_DB_API LightningDBError lightning_db_get_tx (LightningDB *db, uint64_t tx_id,
                                                         const uint8_t *key, size_t key_len,
                                                         LightningDBResult *result);
  LIGHTNING_DB_API LightningDBError lightning_db_contains_tx (LightningDB *db, uint64_t tx_id,
                                                              const uint8_t *key, size_t key_len);
  LIGHTNING_DB_API LightningDBError lightning_db_delete_tx (LightningDB *db, uint64_t tx_id,
                                                            const uint8_t *key, size_t key_len);
  LIGHTNING_DB_API LightningDBError lightning_db_delete_range_tx (LightningDB *db, uint64_t tx_id,
                                                                  const uint8_t *start,
                                                                  size_t start_len,
                                                                  const uint8_t *end,
                                                                  size_t end_len);
  /* The commit conflicts if anybody else writes the key meanwhile, though this one only read it. */
  LIGHTNING_DB_API LightningDBError lightning_db_lock_key_tx (LightningDB *db, uint64_t tx_id,
                                                              const uint8_t *key, size_t key_len);
  /* A point to come back to. */
  LIGHTNING_DB_API LightningDBError lightning_db_savepoint_tx (LightningDB *db, uint64_t tx_id,
                                                               uint64_t *savepoint);
  /* Undoes every write since; the savepoint stays, later ones are gone. */
  LIGHTNING_DB_API LightningDBError lightning_db_rollback_to_tx (LightningDB *db, uint64_t tx_id,
                                                                 uint64_t savepoint);
  /* Ends it, unless it gives DiskFull, OutOfMemory or RateLimited: then it may be tried again. */
  LIGHTNING_DB_API LightningDBError lightning_db_commit_transaction (LightningDB *db,
                                                                     uint64_t tx_id);
  LIGHTNING_DB_API LightningDBError lightning_db_commit_transaction_with (LightningDB *db,
                                                                          uint64_t tx_id,
                                                                          LightningDBSyncMode mode);
  /* Ends it; nothing was written. */
  LIGHTNING_DB_API LightningDBError lightning_db_abort_transaction (LightningDB *db,
                                                                    uint64_t tx_id);

  /* ---- scans ---- */

  /* An iterator over the keys from `start` to before `end`, as of now; length 0 leaves a side open.
 * `flags` of LightningDBScanFlags. NULL on failure. */
  LIGHTNING_DB_API LightningDBIterator *lightning_db_scan (LightningDB *db, const uint8_t *start,
                                                           size_t start_len, const uint8_t *end,
                                                           size_t end_len, uint32_t flags);
  /* Over the keys that begin with `prefix`. */
  LIGHTNING_DB_API LightningDBIterator *lightning_db_scan_prefix (LightningDB *db,
                                                                  const uint8_t *prefix,
                                                                  size_t prefix_len,
                                                                  uint32_t flags);
  /* As the transaction sees it, its own writes included; gives InvalidTransaction once that has
   * ended. */
  LIGHTNING_DB_API LightningDBIterator *lightning_db_scan_tx (LightningDB *db, uint64_t tx_id,
                                                              const uint8_t *start,
                                                              size_t start_len, const uint8_t *end,
                                                              size_t end_len, uint32_t flags);
  LIGHTNING_DB_API LightningDBIterator *
  lightning_db_scan_prefix_tx (LightningDB *db, uint64_t tx_id, const uint8_t *prefix,
                               size_t prefix_len, uint32_t flags);
  /* Moves on and fills *entry; Success with key NULL when there is no more. */
  LIGHTNING_DB_API LightningDBError lightning_db_iterator_next (LightningDBIterator *iterator,
                                                                LightningDBEntry *entry);
  /* The next key will be the first from `key` on in the iterator's direction (`key` itself
   * included). */
  LIGHTNING_DB_API LightningDBError lightning_db_iterator_seek (LightningDBIterator *iterator,
                                                                const uint8_t *key, size_t key_len);
  /* NULL: does nothing. */
  LIGHTNING_DB_API void lightning_db_iterator_free (LightningDBIterator *iterator);

  /* ---- batches ---- */

  /* NULL when out of memory. */
  LIGHTNING_DB_API LightningDBBatch *lightning_db_batch_new (void);
  /* store NULL: the default store. All stores of a batch must be of one database. */
  LIGHTNING_DB_API LightningDBError lightning_db_batch_put (LightningDBBatch *batch,
                                                            LightningDB *store, const uint8_t *key,
                                                            size_t key_len, const uint8_t *value,
                                                            size_t value_len);
  LIGHTNING_DB_API LightningDBError lightning_db_batch_delete (LightningDBBatch *batch,
                                                               LightningDB *store,
                                                               const uint8_t *key, size_t key_len);
  LIGHTNING_DB_API LightningDBError lightning_db_batch_delete_range (
      LightningDBBatch *batch, LightningDB *store, const uint8_t *start, size_t start_len,
      const uint8_t *end, size_t end_len);
  /* Operations in it. */
  LIGHTNING_DB_API LightningDBError lightning_db_batch_count (LightningDBBatch *batch,
                                                              size_t *count);
  LIGHTNING_DB_API LightningDBError lightning_db_batch_clear (LightningDBBatch *batch);
  /* Commits all of it or nothing; of operations on one key the last one counts. The batch stays as
 * it is, to be written again, cleared or freed. */
  LIGHTNING_DB_API LightningDBError lightning_db_write_batch (LightningDB *db,
                                                              LightningDBBatch *batch,
                                                              LightningDBSyncMode mode);
  /* NULL: does nothing. */
  LIGHTNING_DB_API void lightning_db_batch_free (LightningDBBatch *batch);

  /* ---- upkeep ---- */

  /* Makes all commits so far durable. */
  LIGHTNING_DB_API LightningDBError lightning_db_sync (LightningDB *db);
  /* The same, and moves them from the log to segments. */
  LIGHTNING_DB_API LightningDBError lightning_db_checkpoint (LightningDB *db);
  /* Rewrites everything to one run of segments, which reads best and takes least room. */
  LIGHTNING_DB_API LightningDBError lightning_db_compact (LightningDB *db);
  /* Gives a part of the cache, 0 … 1, back to the system. */
  LIGHTNING_DB_API LightningDBError lightning_db_evict_cache (LightningDB *db, double fraction);
  /* Copies the database, while it is in use, to the directory `path`, and verifies the copy. An
 * earlier backup there is brought up to date. */
  LIGHTNING_DB_API LightningDBError lightning_db_backup (LightningDB *db, const char *path);
  /* Copies the backup (or closed database) at `backup` to a new directory `path`, and verifies
   * it. */
  LIGHTNING_DB_API LightningDBError lightning_db_restore (const char *backup, const char *path);
  /* Reads and verifies the files of the database at `path`, open or not; `deep`: every page and
 * value. CorruptedData, and the first fault in the message, when something is wrong. */
  LIGHTNING_DB_API LightningDBError lightning_db_check (const char *path, int deep);
  /* Saves all that verifies of the database at `path` to a new one at `destination`. */
  LIGHTNING_DB_API LightningDBError lightning_db_repair (const char *path, const char *destination);
  /* Fills `size` bytes of *stats: pass sizeof (LightningDBStats). */
  LIGHTNING_DB_API LightningDBError lightning_db_stats (LightningDB *db, LightningDBStats *stats,
                                                        size_t size);

#ifdef __cplusplus
}
#endif

#endif /* LIGHTNING_DB_FFI_H */
