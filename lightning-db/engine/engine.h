/* SPDX-License-Identifier: MIT */
/*
 * engine: the whole storage engine behind one header, and engine-storage.h for who looks at where
 * everything lies. The GObject library and the flat ABI stand on these and include nothing else of
 * the engine (but of base/ status.h, bytes.h, record.h, barrier.h, metrics.h and histogram.h).
 *
 * Threads
 *   An engine, its snapshots and stores: any thread, any number at once.
 *   A batch, transaction, cursor, loader, feed: one thread at a time.
 * Lifetime
 *   An engine is counted; cursors, snapshots, transactions, loaders, feeds hold a reference.
 *   engine_close ends work on it: every later call on it or on what was made from it gives
 *   STATUS_CLOSED, never worse. Values obtained before stay valid until released, also after close.
 * Fork
 *   In a child process every call gives STATUS_FORKED; engine_unref is safe and touches no file.
 * Keys are 1 … KEY_SIZE_MAX bytes, values 0 … VALUE_SIZE_MAX bytes. Sequence numbers count commits
 * from 1 and stay below 2^53.
 */
#ifndef LIGHTNING_ENGINE_H
#define LIGHTNING_ENGINE_H

#include "base/bytes.h"
#include "base/record.h"
#include "base/status.h"

#include <stdbool.h>

struct engine;
struct engine_snapshot;
struct engine_transaction;
struct engine_cursor;
struct engine_batch;
struct engine_loader;
struct engine_feed;
struct histogram;
struct metrics;
struct metrics_reader;
struct vfs;

/* ---- options ---- */

enum engine_sync
{
  ENGINE_SYNC_DEFAULT = 0, /* what the database was opened with */
  ENGINE_SYNC_FULL,        /* durable on disk before it is acknowledged or visible */
  ENGINE_SYNC_ASYNC,       /* survives a kill at once, on disk within sync_interval */
  ENGINE_SYNC_NONE,        /* logged with the next record of another mode or at the next sync */
};

enum engine_compression
{
  ENGINE_COMPRESSION_ADAPTIVE
  = 0, /* LZ4 for fresh runs, zstd when settling, raw where it doesn't pay */
  ENGINE_COMPRESSION_NONE,
  ENGINE_COMPRESSION_ZSTD,
  ENGINE_COMPRESSION_LZ4,
  ENGINE_COMPRESSION_SNAPPY,
};

struct engine_options
{
  uint32_t page_size;     /* 4096 … 65536, power of two; fixed at creation */
  uint64_t memory_budget; /* bytes, from ENGINE_MEMORY_BUDGET_LEAST on (option cache-size) */
  enum engine_compression compression;
  int compression_level;          /* zstd, 1 … 19 */
  enum engine_sync sync;          /* never DEFAULT */
  uint64_t sync_interval;         /* microseconds; async log sync delay */
  bool log_enabled;               /* false: nothing survives a kill but checkpoints and close */
  uint64_t log_segment_size;      /* bytes */
  bool log_mapping;               /* allow the mapped log where it is safe */
  uint64_t change_retention;      /* bytes of past changes that are kept for feeds, also by close,
                                     beyond what the log holds anyway */
  uint64_t blob_threshold;        /* bytes; values from this size go to blob files */
  uint32_t transactions_max;      /* active read-write transactions */
  uint64_t transaction_timeout;   /* microseconds; 0 = none */
  uint64_t transaction_bytes_max; /* of one transaction's or batch's writes */
  bool prefetch;                  /* read ahead of scans */
  uint32_t prefetch_distance;     /* pages */
  bool merge_enabled;             /* background merging (option background-compaction) */
  uint64_t merge_interval;        /* microseconds; longest wait before a due merge */
  uint32_t merge_workers;         /* threads */
  bool map_segments;              /* map plain segments; never for untrusted files */
  bool simd;                      /* false: scalar kernels only (process-wide) */
  uint64_t rate_limit;            /* operations per second; 0 = none */
  uint64_t memtable_size;         /* bytes; 0 = chosen from the budget (tests set tiny ones) */
  uint64_t segment_file_size;     /* bytes; 0 = chosen (tests set tiny ones) */
  bool network_allowed;           /* also on network file systems (and, to follow, FUSE) */
  uint32_t sampling_interval;     /* calls of a thread for each that is timed; 0 = none is */
  const struct vfs *vfs;          /* NULL = the operating system */
  /* Where the metrics are kept, for other processes to see: at least engine_metrics_size () bytes,
   * zeros, at a multiple of 64; NULL = in memory of the engine's own. The caller's, until
   * `metrics_release` (may be NULL) is called with `metrics_data`: when opening failed, or the last
   * reference to the engine goes, which values may hold. */
  void *metrics_memory;
  size_t metrics_memory_size;                        /* bytes */
  uint64_t metrics_process, metrics_process_started; /* as in struct metrics_header */
  void (*metrics_release) (void *data);              /* any thread; it may not call the engine */
  void *metrics_data;
};

void engine_options_init (struct engine_options *options); /* the defaults */
/* INVALID naming the field and its range. */
status engine_options_check (const struct engine_options *options, struct failure *failure);

/* ---- opening ---- */

enum engine_open_flags
{
  ENGINE_OPEN_EXISTING = 0,
  ENGINE_OPEN_CREATE = 1 << 0,    /* create when missing */
  ENGINE_OPEN_EXCLUSIVE = 1 << 1, /* with CREATE: EXISTS when there is one */
  ENGINE_OPEN_READ_ONLY
  = 1 << 2,                    /* writes nothing, takes no lock that a writer waits for. It follows
                                     the process that writes, from one writer to the next: new
                                     commits become visible within milliseconds of a commit, in order,
                                     and listeners and feeds work. What a snapshot or cursor saw it
                                     keeps seeing, whatever files the writer removes. */
  ENGINE_OPEN_STATIC = 1 << 3, /* with READ_ONLY: does not follow, but stays as of the opening; also
                                     where a process may not see what others write (network file
                                     systems, FUSE), which is UNSUPPORTED else (network_allowed) */
};

/* Creates the directory (one level) when asked. Codes: NOT_FOUND, EXISTS, NOT_A_DATABASE, LOCKED,
 * NEWER_FORMAT, CORRUPT, READ_ONLY, IO, … */
status engine_open (const char *path, unsigned flags, const struct engine_options *options,
                    struct engine **out, struct failure *failure);
/* Flushes and syncs everything committed, stops the workers, gives the lock back. Waits for commits
 * under way, never for readers. Even when it fails the engine is closed. A second call: OK. */
status engine_close (struct engine *engine, struct failure *failure);
struct engine *engine_ref (struct engine *engine);
void engine_unref (struct engine *engine); /* the last one closes first, if need be */
/* Waiting to write: for who was told LOCKED and would rather wait than ask again and again. The
 * holder's death counts as its end, at once. Costs a thread that sleeps. One wait at a time. */
struct engine_turn;
/* `vfs` NULL: the operating system's. */
status engine_turn_new (const char *path, const struct vfs *vfs, struct engine_turn **out,
                        struct failure *failure);
/* OK when nobody writes any more, or so it seems: open then, and wait again when another was
 * quicker (LOCKED). CANCELLED. */
status engine_turn_wait (struct engine_turn *turn, struct failure *failure);
void engine_turn_cancel (struct engine_turn *turn); /* for good; any thread, any time before free */
void engine_turn_free (struct engine_turn *turn);   /* NULL: nothing */
/* Deletes the database's files and, when then empty, its directory; also what is left of one whose
 * making or deleting was cut short. LOCKED while open; refuses (NOT_A_DATABASE) a directory that
 * holds something else. */
status engine_destroy (const char *path, const struct vfs *vfs, struct failure *failure);

bool engine_is_closed (struct engine *engine);
bool engine_is_read_only (struct engine *engine);
const struct engine_options *engine_get_options (struct engine *engine); /* as in force */
uint64_t engine_sequence (struct engine *engine);                        /* newest visible commit */
uint64_t engine_durable_sequence (struct engine *engine);                /* newest commit on disk */
void engine_database_id (struct engine *engine, uint8_t to[16]);

/* ---- stores ---- */

typedef uint32_t engine_store;
#define ENGINE_STORE_SYSTEM 0u  /* the catalogue; not for callers */
#define ENGINE_STORE_DEFAULT 1u /* always there, named "default" */
#define STORE_NAME_SIZE_MAX 255u

/* UTF-8 name, 1 … STORE_NAME_SIZE_MAX bytes. NOT_FOUND when missing and !create. */
status engine_store_open (struct engine *engine, const char *name, bool create, engine_store *out,
                          struct failure *failure);
/* Whether the store, which once had that name, is there in a snapshot (NULL = now): NOT_FOUND when
 * it was dropped. `cached_only`: BUSY when a page would have to be read. */
status engine_store_check (struct engine *engine, struct engine_snapshot *snapshot,
                           const char *name, engine_store store, bool cached_only,
                           struct failure *failure);
/* One commit: the catalogue entry and everything in it. The default store is emptied instead. From
 * then on commits to the store are refused with NOT_FOUND. */
status engine_store_drop (struct engine *engine, const char *name, struct failure *failure);
status engine_store_list (struct engine *engine,
                          bool (*visit) (void *data, const char *name, engine_store store),
                          void *data, struct failure *failure);
/* Those that a snapshot shows. */
status engine_store_list_at (struct engine *engine, struct engine_snapshot *snapshot,
                             bool (*visit) (void *data, const char *name, engine_store store),
                             void *data, struct failure *failure);

/* ---- values ---- */

/* A value lent without copying where possible. Zero-initialise is not needed; release what a
 * successful get returned. `data` stays valid until engine_value_release, from any thread. */
struct engine_value
{
  struct bytes data;
  uint64_t sequence;    /* of the commit that wrote it; 0 = settled long ago */
  void *holder;         /* what keeps it alive; private */
  struct engine *owner; /* of the holder, where it needs one; private */
  unsigned holder_kind;
};
void engine_value_release (struct engine_value *value);

/* ---- reading (snapshot NULL = the newest commits) ---- */

/* Copies the value to `buffer` if it fits (*size <= capacity), else nothing of use is there, and a
 * large value is not read; *size is the value's size either way. NOT_FOUND when absent. Allocates
 * nothing. */
status engine_get (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                   struct bytes key, void *buffer, size_t capacity, size_t *size,
                   struct failure *failure);
status engine_get_value (struct engine *engine, struct engine_snapshot *snapshot,
                         engine_store store, struct bytes key, struct engine_value *out,
                         struct failure *failure);
/* The same when memory alone can answer; STATUS_BUSY when a page would have to be read. */
status engine_get_value_cached (struct engine *engine, struct engine_snapshot *snapshot,
                                engine_store store, struct bytes key, struct engine_value *out,
                                struct failure *failure);
/* OK or NOT_FOUND; reads no value. `cached_only`: STATUS_BUSY when a page would have to be read. */
status engine_contains (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                        struct bytes key, bool cached_only, struct failure *failure);
/* All keys at one snapshot. results[i]: OK (values[i] to be released), NOT_FOUND or an error. The
 * returned status is OK unless nothing could be read at all; the first error's message is kept. */
status engine_get_many (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                        const struct bytes *keys, size_t count, struct engine_value *values,
                        status *results, struct failure *failure);

status engine_snapshot_new (struct engine *engine, struct engine_snapshot **out,
                            struct failure *failure);
uint64_t engine_snapshot_sequence (const struct engine_snapshot *snapshot);
void engine_snapshot_free (struct engine_snapshot *snapshot);
/* Where another process writes a snapshot holds its files open: whether they are still the files of
 * now. Elsewhere it holds none, and true. */
bool engine_snapshot_is_current (const struct engine_snapshot *snapshot);
/* Closes files that only snapshots and cursors held which were freed since. It is done sooner or
 * later anyway, not while nothing happens. Takes its time; any thread. */
void engine_collect_files (struct engine *engine);

/* ---- writing ---- */

status engine_put (struct engine *engine, engine_store store, struct bytes key, struct bytes value,
                   enum engine_sync sync, uint64_t *sequence, struct failure *failure);
/* Deleting what is absent is OK. */
status engine_delete (struct engine *engine, engine_store store, struct bytes key,
                      enum engine_sync sync, uint64_t *sequence, struct failure *failure);
/* [start, end); either BYTES_NONE = open. INVALID when start >= end. */
status engine_delete_range (struct engine *engine, engine_store store, struct bytes start,
                            struct bytes end, enum engine_sync sync, uint64_t *sequence,
                            struct failure *failure);

status engine_batch_new (struct engine_batch **out, struct failure *failure);
void engine_batch_free (struct engine_batch *batch);
void engine_batch_clear (struct engine_batch *batch); /* keeps its memory for reuse */
status engine_batch_put (struct engine_batch *batch, engine_store store, struct bytes key,
                         struct bytes value, struct failure *failure);
status engine_batch_delete (struct engine_batch *batch, engine_store store, struct bytes key,
                            struct failure *failure);
status engine_batch_delete_range (struct engine_batch *batch, engine_store store,
                                  struct bytes start, struct bytes end, struct failure *failure);
size_t engine_batch_count (const struct engine_batch *batch); /* operations */
size_t engine_batch_size (const struct engine_batch *batch);  /* bytes of keys and values */
/* All or nothing, in the batch's order (later operations win). The batch is unchanged. */
status engine_write (struct engine *engine, struct engine_batch *batch, enum engine_sync sync,
                     uint64_t *sequence, struct failure *failure);

/* ---- transactions ---- */

enum engine_transaction_flags
{
  ENGINE_TRANSACTION_READ_ONLY = 1 << 0,
  ENGINE_TRANSACTION_SERIALIZABLE = 1 << 1, /* else snapshot isolation */
};

/* Takes its snapshot now. TOO_MANY beyond transactions_max (read-only ones don't count). */
status engine_transaction_begin (struct engine *engine, unsigned flags,
                                 struct engine_transaction **out, struct failure *failure);
uint64_t engine_transaction_id (const struct engine_transaction *transaction);       /* from 1 */
uint64_t engine_transaction_snapshot (const struct engine_transaction *transaction); /* sequence */
/* Reads see the transaction's own writes. TIMED_OUT once it outlived transaction_timeout. */
status engine_transaction_get_value (struct engine_transaction *transaction, engine_store store,
                                     struct bytes key, struct engine_value *out,
                                     struct failure *failure);
/* As engine_get: a value that is larger than the buffer is not read. */
status engine_transaction_get (struct engine_transaction *transaction, engine_store store,
                               struct bytes key, void *buffer, size_t capacity, size_t *size,
                               struct failure *failure);
status engine_transaction_contains (struct engine_transaction *transaction, engine_store store,
                                    struct bytes key, struct failure *failure);
status engine_transaction_put (struct engine_transaction *transaction, engine_store store,
                               struct bytes key, struct bytes value, struct failure *failure);
status engine_transaction_delete (struct engine_transaction *transaction, engine_store store,
                                  struct bytes key, struct failure *failure);
status engine_transaction_delete_range (struct engine_transaction *transaction, engine_store store,
                                        struct bytes start, struct bytes end,
                                        struct failure *failure);
/* Promotes a read: commit conflicts if anyone else writes the key meanwhile. */
status engine_transaction_lock_key (struct engine_transaction *transaction, engine_store store,
                                    struct bytes key, struct failure *failure);
status engine_transaction_savepoint (struct engine_transaction *transaction, uint64_t *out,
                                     struct failure *failure);
/* Undoes every write since; the savepoint stays usable, later ones are gone. */
status engine_transaction_rollback_to (struct engine_transaction *transaction, uint64_t savepoint,
                                       struct failure *failure);
/* Ends it. CONFLICT names the key (printable form) in the message. *sequence 0 when it wrote
 * nothing. After commit or rollback every call but free gives CLOSED. */
status engine_transaction_commit (struct engine_transaction *transaction, enum engine_sync sync,
                                  uint64_t *sequence, struct failure *failure);
void engine_transaction_rollback (struct engine_transaction *transaction);
bool engine_transaction_is_active (const struct engine_transaction *transaction);
void engine_transaction_free (struct engine_transaction *transaction); /* rolls back if active */

/* ---- cursors ---- */

struct engine_cursor_settings
{
  engine_store store;
  struct engine_snapshot *snapshot;       /* NULL = now */
  struct engine_transaction *transaction; /* NULL; else its snapshot and its writes */
  struct bytes lower;                     /* inclusive; BYTES_NONE = open. Copied. */
  struct bytes upper;                     /* exclusive; BYTES_NONE = open. Copied. */
  bool keys_only;                         /* values are not fetched (blobs) */
  bool cached_only; /* moves and values give BUSY where something would have to be read */
  bool past_cache;  /* for who looks at everything once: leaves don't go through the cache */
};
status engine_cursor_new (struct engine *engine, const struct engine_cursor_settings *settings,
                          struct engine_cursor **out, struct failure *failure);
/* Moves: OK and valid, OK and not valid (ran out), or an error (not valid). */
status engine_cursor_first (struct engine_cursor *cursor, struct failure *failure);
status engine_cursor_last (struct engine_cursor *cursor, struct failure *failure);
status engine_cursor_seek (struct engine_cursor *cursor, struct bytes key, struct failure *failure);
status engine_cursor_seek_before (struct engine_cursor *cursor, struct bytes key,
                                  struct failure *failure); /* last key < `key` */
status engine_cursor_next (struct engine_cursor *cursor, struct failure *failure);
status engine_cursor_previous (struct engine_cursor *cursor, struct failure *failure);
/* The same where it is but a few instructions; false: the cursor stands as before, ask one of
 * those. What was borrowed of its key is no longer valid either way. Looks ahead: until the next
 * call for the cursor but for looking, engine_cursor_step_ahead may go on the same way. */
bool engine_cursor_step (struct engine_cursor *cursor, bool backward);
/* Where the cursor stands, kept up to date by every move and valid as long as the cursor: for those
 * who look at each record. */
struct engine_cursor_place
{
  const struct record_place *shown; /* the record; borrowed until the next move or free */
  const struct record_place *last;  /* of those that were looked at ahead, else `shown` */
};
struct engine_cursor_place *engine_cursor_place (struct engine_cursor *cursor);
/* A step to a record that was looked at ahead. False: it stands as before, and there is none. */
static inline bool
engine_cursor_step_ahead (struct engine_cursor_place *place)
{
  if (place->shown == place->last)
    return false;
  place->shown++;
  return true;
}
bool engine_cursor_valid (const struct engine_cursor *cursor);
/* Borrowed until the next move or free. The value of a blob is read on the first call. */
struct bytes engine_cursor_key (const struct engine_cursor *cursor);
status engine_cursor_value (struct engine_cursor *cursor, struct bytes *out,
                            struct failure *failure);
/* The value kept beyond the next move, without copying where possible. */
status engine_cursor_take_value (struct engine_cursor *cursor, struct engine_value *out,
                                 struct failure *failure);
uint64_t engine_cursor_sequence (const struct engine_cursor *cursor);
/* From now on `go_on` is asked now and then while a move passes records that it does not show
 * (deleted, or newer than the snapshot); false: the move ends with CANCELLED. NULL: a move goes on
 * until it is done. It may not use the cursor. */
#define ENGINE_CURSOR_PATIENCE 1024u /* records that are passed before it is asked, each time */
void engine_cursor_limit (struct engine_cursor *cursor, bool (*go_on) (void *data), void *data);
/* After a move that `go_on` ended: the first key that was not looked at yet. A forward move passed
 * what is before it, and goes on from it; a backward one passed what is behind it, and goes on with
 * it. Each lies further in the move's direction than where the move began. Borrowed until the next
 * move or free; BYTES_NONE after any other move. */
struct bytes engine_cursor_reached (const struct engine_cursor *cursor);
void engine_cursor_free (struct engine_cursor *cursor);

/* ---- bulk loading ---- */

/* Input of any order goes to sorted segments beside the database and appears in one commit; of
 * equal keys the last added wins, and it replaces what the database held. */
status engine_loader_new (struct engine *engine, struct engine_loader **out,
                          struct failure *failure);
status engine_loader_put (struct engine_loader *loader, engine_store store, struct bytes key,
                          struct bytes value, struct failure *failure);
/* Durable when it returns OK. After NO_SPACE or BUSY it may be tried again (then a put that failed
 * too); once it gives CLOSED the load is over. */
status engine_loader_commit (struct engine_loader *loader, uint64_t *sequence,
                             struct failure *failure);
uint64_t engine_loader_count (const struct engine_loader *loader);
void engine_loader_free (struct engine_loader *loader); /* without commit: nothing happened */

/* ---- changes ---- */

/* Every commit stands in the log, in order; a feed reads it there. Whoever reacts to changes awaits
 * a commit, takes a snapshot, then reads the feed up to the snapshot's sequence: what it tells and
 * what the snapshot shows agree. */

enum engine_change_kind
{
  ENGINE_CHANGE_PUT,
  ENGINE_CHANGE_DELETE,       /* also of what was absent */
  ENGINE_CHANGE_DELETE_RANGE, /* a dropped store: of everything in it */
  ENGINE_CHANGE_LOADED,       /* a bulk load may have put something between key and end */
};

struct engine_change
{
  enum engine_change_kind kind;
  engine_store store;
  struct bytes key;   /* DELETE_RANGE, LOADED: inclusive start; BYTES_NONE = open */
  struct bytes end;   /* DELETE_RANGE, LOADED: exclusive; BYTES_NONE = open */
  struct bytes value; /* PUT: data NULL when it is in a blob file: engine_feed_value */
};

#define ENGINE_FEED_NOW UINT64_MAX

/* Commits after `since` (0 = from the first; ENGINE_FEED_NOW = from now on: engine_feed_position
 * tells which that is). HISTORY_GONE when they are not all kept, or when there never was a commit
 * `since` (the database was restored, or lost its last commits in a crash). While a feed is open
 * what it has not read is kept, up to about as much as the log may hold anyway. */
status engine_feed_new (struct engine *engine, uint64_t since, struct engine_feed **out,
                        struct failure *failure);
/* The next visible commit, *sequence always one more than the last; NOT_FOUND when there is none
 * yet: later calls go on. HISTORY_GONE when it is no longer kept, since the feed fell too far
 * behind: it stays where it is. What was not asked for of the commit before is passed over. A
 * commit without changes for callers (in the catalogue only, or empty) is given too. */
status engine_feed_next_commit (struct engine_feed *feed, uint64_t *sequence,
                                struct failure *failure);
/* The commit's next change; whoever applies them one by one has the commit's effect (of one key
 * there may be several). NOT_FOUND behind the last one. Borrowed until the next call on the
 * feed. */
status engine_feed_next_change (struct engine_feed *feed, struct engine_change *out,
                                struct failure *failure);
/* The value of the present change, a PUT, to be released. HISTORY_GONE when its blob file is gone,
 * which can be only where there is no log, or for commits from before the feed was opened when
 * nothing is retained. */
status engine_feed_value (struct engine_feed *feed, struct engine_value *out,
                          struct failure *failure);
/* The newest commit of which everything was given or passed over: a feed from there goes on behind
 * it. */
uint64_t engine_feed_position (const struct engine_feed *feed);
void engine_feed_free (struct engine_feed *feed);
/* The lowest `since` a feed may start from. */
uint64_t engine_history_oldest (struct engine *engine);

/* Calls `wake` once, as soon as a commit above `sequence` is visible, the engine closes, or snapshots
 * hold files that are not those of now (engine_snapshot_is_current): at once, on this thread, when
 * that is so already, else on the thread that publishes or closes. It must only set something and
 * return; it may not call the engine. One listener an engine; a second call replaces the first.
 * `wake` NULL: none any more, and when this returns none is being called. */
void engine_await_commit (struct engine *engine, uint64_t sequence, void (*wake) (void *data),
                          void *data);

/* ---- upkeep ---- */

/* Called on the calling thread, at most about 100 times a second. False cancels. */
typedef bool (*engine_progress) (void *data, uint64_t done, uint64_t total, const char *step);

status engine_sync (struct engine *engine,
                    struct failure *failure); /* all commits so far durable */
status engine_flush (struct engine *engine, struct failure *failure); /* memtable to segments */
status engine_checkpoint (struct engine *engine,
                          struct failure *failure); /* flush; the log is empty */
/* Merges everything to one run, whatever it costs. STATUS_BUSY within its own progress. */
status engine_compact (struct engine *engine, engine_progress progress, void *data,
                       struct failure *failure);
/* Waits until background work has nothing left to do (tests, benchmarks). */
status engine_wait_settled (struct engine *engine, uint64_t timeout_microseconds,
                            struct failure *failure);
/* While saving (the battery runs low) background merges wait; what is asked for is done all the
 * same, and pieces are still merged when they get too many. */
void engine_set_saving (struct engine *engine, bool saving);
/* Gives the fraction (0 … 1) of cached pages, idle arenas and spare log segments back. Returns
 * bytes. */
uint64_t engine_evict_cache (struct engine *engine, double fraction);

/* From now on all memory of the database keeps to another budget. A smaller one is kept to when this
 * returns, but for what an application pins, one slab of the cache (2 MiB), merges that are under way,
 * and the present segment of the log, which goes with the next commit. Waits for a flush if a memtable
 * is too large for it; readers and writers go on. INVALID: it is not from ENGINE_MEMORY_BUDGET_LEAST to
 * …_MOST. */
#define ENGINE_MEMORY_BUDGET_LEAST (UINT64_C (10) << 20)
#define ENGINE_MEMORY_BUDGET_MOST (UINT64_C (1) << 46)
status engine_set_memory_budget (struct engine *engine, uint64_t bytes, struct failure *failure);

/* Hot backup into `path` (created, or an earlier backup of this database, which is brought up to
 * date: only files it lacks are copied). Sealed files are reflinked or hard-linked where possible.
 * Every file is verified afterwards when `verify`. Of a database that is open read-only: as its
 * files are now; LOCKED beside a writer, READ_ONLY when its log holds commits that are in no other
 * file. */
struct engine_backup_result
{
  uint64_t sequence;     /* the commit it stands at */
  uint64_t files, bytes; /* segments and blob files of the backup */
  uint64_t copied_files, copied_bytes, linked_files, reflinked_files, kept_files;
};
status engine_backup (struct engine *engine, const char *path, bool verify,
                      engine_progress progress, void *data, struct engine_backup_result *out,
                      struct failure *failure);
/* Copies a backup (or any closed database) to a new directory and verifies it. The copy shares no
 * file with its source. LOCKED while the source is open for writing. */
status engine_restore (const char *backup_path, const char *path, engine_progress progress,
                       void *data, struct failure *failure);

struct engine_check_report
{
  uint64_t pages, bytes; /* read and verified */
  uint64_t segments, blobs, logs;
  uint64_t records;                                                   /* versions seen (deep) */
  uint64_t faults;                                                    /* reported */
  bool page_checksums, tree_structure, log, no_orphans, blobs_intact; /* each: fine */
};
/* Calls `fault` for each one found: file, page (UINT64_MAX: none), reason. deep: every page and
 * value is read; else headers, footers, manifest, log. Returns CORRUPT if there are faults.
 * no_orphans is a note: leftovers of a crash go at the next open and are no fault; beside a writer
 * it is always true. Works on a path (opened read-only) so that a database that does not open can
 * be checked too. */
status engine_check (const char *path, bool deep,
                     void (*fault) (void *data, const char *file, uint64_t page,
                                    const char *reason),
                     engine_progress progress, void *data, struct engine_check_report *out,
                     struct failure *failure);
/* The same on an open database, beside its users. */
status engine_check_open (struct engine *engine, bool deep,
                          void (*fault) (void *data, const char *file, uint64_t page,
                                         const char *reason),
                          engine_progress progress, void *data, struct engine_check_report *out,
                          struct failure *failure);

struct engine_repair_report
{
  uint64_t records;    /* keys in the new database, of all stores */
  uint64_t lost_pages; /* that did not verify */
  uint64_t lost_log_bytes;
  uint64_t files_skipped;
};
/* Salvages all that verifies of the database at `path` into a new database at `destination`; the
 * original is only read. `lost` is told of each thing that could not be saved, and for pages and
 * segments also of the span of keys that may be missing or have an older value (what older files
 * hold of them is saved). */
status engine_repair (const char *path, const char *destination,
                      void (*lost) (void *data, const char *file, uint64_t page,
                                    const char *reason),
                      engine_progress progress, void *data, struct engine_repair_report *out,
                      struct failure *failure);

/* ---- seeing ---- */

/* All that the engine counts about itself, in a block that describes itself (base/metrics.h). */

/* What a call is, for those that are timed. */
enum engine_call
{
  ENGINE_CALL_GET,
  ENGINE_CALL_MULTI_GET,
  ENGINE_CALL_CONTAINS,
  ENGINE_CALL_SEEK,
  ENGINE_CALL_PUT,
  ENGINE_CALL_DELETE,
  ENGINE_CALL_BATCH, /* a delete of a range among them */
  ENGINE_CALL_TRANSACTION_COMMIT,
  ENGINE_CALLS,
};

/* What a call waits for: each is timed, whether the call is sampled or not. */
enum engine_wait
{
  ENGINE_WAIT_PAGE_READ,
  ENGINE_WAIT_DECOMPRESS,
  ENGINE_WAIT_BLOB_READ,
  ENGINE_WAIT_LOCK,  /* other commits */
  ENGINE_WAIT_STALL, /* a memtable to be flushed */
  ENGINE_WAIT_NAP,   /* flushes and merges to keep up, and readers to get on */
  ENGINE_WAIT_LOG_CHANGE,
  ENGINE_WAIT_LOG_SYNC,
  ENGINE_WAIT_TURN, /* to be durable, or visible */
  ENGINE_WAITS,
};

/* What it does meanwhile, in the order of a get, then of a commit. */
enum engine_step
{
  ENGINE_STEP_VISIBILITY,
  ENGINE_STEP_MEMTABLES,
  ENGINE_STEP_HOT_RECORDS,
  ENGINE_STEP_FILTER,
  ENGINE_STEP_INDEX,
  ENGINE_STEP_PAGE,
  ENGINE_STEP_LEAF,
  ENGINE_STEP_COPY,
  ENGINE_STEP_VALIDATE,
  ENGINE_STEP_LOG_APPEND,
  ENGINE_STEP_INSERT,
  ENGINE_STEP_OTHER,
  ENGINE_STEPS,
};

#define ENGINE_SLOW_CALLS 256u                    /* that are kept: the newest */
#define ENGINE_SLOW_KEY_MAX 64u                   /* bytes of a key that are kept */
#define ENGINE_SLOW_THRESHOLD UINT64_C (10000000) /* nanoseconds, unless set */

struct engine_slow_call
{
  uint64_t number;   /* from 1 */
  uint64_t ended;    /* microseconds since 1970 */
  uint64_t duration; /* nanoseconds: of a sampled call all of it, else from its first wait on */
  uint64_t waited[ENGINE_WAITS]; /* nanoseconds of it, by what for */
  enum engine_call call;
  bool sampled;
  engine_store store;               /* 0: of several */
  size_t size;                      /* bytes of the value or commit; keys of a multi-get */
  size_t key_size;                  /* bytes; 0: of several */
  uint8_t key[ENGINE_SLOW_KEY_MAX]; /* its beginning. Nothing else of what is kept tells a key. */
};
/* 0: none is slow. Any time. */
void engine_set_slow_threshold (struct engine *engine, uint64_t nanoseconds);
/* Copies those with a number above `after` that are still kept, oldest first, `room` at most.
 * Returns how many. Any thread. */
size_t engine_slow_calls (struct engine *engine, uint64_t after, struct engine_slow_call *out,
                          size_t room);

/* From now on each slow call is told to `note`, NULL: to nobody, on its own thread, when it is over and
 * no lock is held. Any thread. */
typedef void engine_slow_call_note (const struct engine_slow_call *call);
void engine_watch_slow_calls (struct engine *engine, engine_slow_call_note *note);

/* Keys that something happens to more than to others (core/hot-keys.h). */
enum engine_hot_kind
{
  ENGINE_HOT_CONFLICTS, /* commits were refused because another changed it: each of them counts */
  ENGINE_HOT_READS,     /* gets and lookups; of calls that are sampled */
  ENGINE_HOT_WRITES,    /* puts and deletes; of calls that are sampled */
  ENGINE_HOT_KINDS,
};

#define ENGINE_HOT_KEYS 256u /* that are kept of each kind */

struct engine_hot_key
{
  uint64_t count; /* at most so often, */
  uint64_t error; /* and at least this less */
  uint64_t last;  /* microseconds since 1970; conflicts only */
  engine_store store;
  size_t key_size;                  /* bytes */
  uint8_t key[ENGINE_SLOW_KEY_MAX]; /* its beginning; with zeros behind. Of a range that a conflict
                                       was about, its start, if it is not known which key it was */
};
/* Copies what is kept, those first of which it is sure that they are the most. Returns how many
 * there are. `*total`: all that happened, so that a share can be told; an error is never above the
 * 256th part of it. Reads and writes: of the newest 65,536 samples, older ones counting half, then
 * a quarter. Nothing is kept when the engine was opened. Any thread. */
size_t engine_hot_keys (struct engine *engine, enum engine_hot_kind kind,
                        struct engine_hot_key out[ENGINE_HOT_KEYS], uint64_t *total);

/* One get, step by step. */
struct engine_trace
{
  uint64_t duration;            /* nanoseconds */
  uint64_t taken[ENGINE_STEPS]; /* nanoseconds, without what was waited for */
  uint32_t times[ENGINE_STEPS]; /* how often; 0: it did not come to that */
  uint64_t waited[ENGINE_WAITS];
};
/* As engine_get_value, and how. Also counts like one. */
status engine_trace_get (struct engine *engine, struct engine_snapshot *snapshot,
                         engine_store store, struct bytes key, struct engine_value *out,
                         struct engine_trace *trace, struct failure *failure);

/* A read-write transaction that is open. */
struct engine_transaction_information
{
  uint64_t id;                /* engine_transaction_id */
  uint64_t snapshot;          /* the commit it reads at */
  uint64_t age;               /* nanoseconds since it began */
  uint64_t left;              /* nanoseconds until it is rolled back; UINT64_MAX: it has all time */
  uint64_t operations, bytes; /* written so far */
  uint64_t reads;             /* keys and ranges that nobody else may change until it commits:
                                 those that were locked, of a serializable one all that it read */
  bool serializable;
};
/* Those that are open now, `room` at most, the newest first. Returns how many there are. */
size_t engine_transactions (struct engine *engine, struct engine_transaction_information *out,
                            size_t room);
/* A key or range that a transaction wrote or depends on. */
enum engine_access
{
  ENGINE_ACCESS_PUT,
  ENGINE_ACCESS_DELETE,
  ENGINE_ACCESS_DELETE_RANGE,
  ENGINE_ACCESS_READ, /* nobody else may change it until the commit: locked, or of a serializable one read */
  ENGINE_ACCESS_READ_RANGE,
};
struct engine_transaction_key
{
  enum engine_access access;
  engine_store store;
  uint8_t key[64];   /* the beginning; of a range, its start */
  uint8_t end[64];   /* of a range: the beginning of its end, which is not in it */
  size_t key_size;   /* of the whole key, in bytes */
  size_t end_size;   /* of the whole end; 0: the end of the store */
  size_t value_size; /* bytes put */
};
#define ENGINE_TRANSACTION_KEYS 1000u
/* Those of one that is open: the first ENGINE_TRANSACTION_KEYS that it wrote, in this order, then as
 * many that it depends on. `out` has room for both; *count: how many they are. NOT_FOUND when none of
 * that id is open (any more), or it is just being committed. Any thread; its owner may have to wait
 * meanwhile, some twenty microseconds. */
status engine_transaction_keys (struct engine *engine, uint64_t id,
                                struct engine_transaction_key *out, size_t *count);
/* Rolls one back, from any thread, as if its timeout had passed: its owner is told TIMED_OUT by its
 * next call. NOT_FOUND when none of that id is open (any more), or it is just being committed. */
status engine_transaction_abort (struct engine *engine, uint64_t id);

/* A commit that somebody reads at: versions that are newer are kept beside what it sees. */
struct engine_snapshot_information
{
  uint64_t sequence; /* of the commit */
  uint64_t behind;   /* commits since then */
  size_t holders;    /* snapshots, transactions and cursors that read there */
};
/* Those that are held, the oldest first, `room` at most. *count: how many there are. Any time. */
status engine_snapshots (struct engine *engine, struct engine_snapshot_information *out,
                         size_t room, size_t *count, struct failure *failure);

/* As sampling_interval; on the calling thread at once, on others when their next sample is due, or
 * after some hundred calls where none was taken. */
void engine_set_sampling (struct engine *engine, uint32_t interval);
/* Bytes of it, for options.metrics_memory. */
size_t engine_metrics_size (void);
/* For reading it, for as long as the engine is referenced, also once it is closed. Any thread. */
void engine_metrics (struct engine *engine, struct metrics_reader *out);
/* The same block, for what is built on the engine to count in; it lasts as long as the engine. */
struct metrics *engine_metrics_block (struct engine *engine);

struct engine_statistics
{
  uint64_t sequence, durable_sequence;
  uint64_t approximate_keys; /* records minus deletes; exact once settled to one run */
  uint64_t data_bytes;       /* keys and values in segments, uncompressed */
  uint64_t disk_bytes;       /* all files */
  uint64_t log_bytes, spare_log_bytes, blob_bytes, segment_bytes;
  uint64_t history_bytes; /* of the log's segments that are kept for feeds only */
  uint64_t memtable_bytes, memtable_records, frozen_memtables;
  uint64_t runs, segments, blobs;
  uint64_t tree_depth;      /* of the largest segment */
  double page_utilisation;  /* 0 … 1: used of logical page bytes */
  double compression_ratio; /* logical / stored page bytes; 1 = none */
  uint64_t memory_used, memory_budget;
  uint64_t cache_capacity, cache_used, cache_hits, cache_misses, cache_evictions;
  uint64_t cache_pinned; /* pages that readers hold, also ones that left the cache since */
  uint64_t gets, gets_found, puts, deletes, range_deletes, commits, cursors;
  uint64_t transactions_active, transactions_committed, transactions_aborted, conflicts;
  uint64_t snapshots, oldest_snapshot; /* sequence; 0 = none */
  uint64_t flushes, merges, flush_bytes, merge_bytes_read, merge_bytes_written;
  uint64_t user_bytes, log_written_bytes, log_syncs;
  uint64_t pending_merge_bytes;
  uint64_t stalls, stall_microseconds, worst_stall_microseconds;
  uint64_t descriptors; /* files held open */
  uint64_t pages;       /* of segments: leaves and inner ones */
};
void engine_statistics (struct engine *engine, struct engine_statistics *out);

/* ---- events ---- */

enum engine_event_kind
{
  ENGINE_EVENT_OPENED,
  ENGINE_EVENT_RECOVERED,
  ENGINE_EVENT_FLUSHED,
  ENGINE_EVENT_MERGED,
  ENGINE_EVENT_LOADED, /* a bulk load was committed */
  ENGINE_EVENT_BACKED_UP,
  ENGINE_EVENT_STALLED, /* a writer had to wait for a flush */
  ENGINE_EVENT_CONFLICT,
  ENGINE_EVENT_TIMED_OUT, /* a transaction was rolled back by its timeout, or by another thread */
  ENGINE_EVENT_FAILED,    /* a flush, a merge, a sync, or following another process */
  ENGINE_EVENT_CORRUPT,   /* something that was read does not verify */
  ENGINE_EVENT_HEALED,    /* what had FAILED works again */
  ENGINE_EVENT_HEALTH,    /* engine_note_health */
  ENGINE_EVENTS,
};

#define ENGINE_EVENTS_KEPT 256u  /* the newest */
#define ENGINE_EVENT_KEY_MAX 64u /* bytes of a key that are kept */

struct engine_event
{
  uint64_t number; /* from 1 */
  uint64_t time;   /* microseconds since 1970, when it was over */
  uint64_t last;   /* the same of its newest repetition */
  uint64_t times;  /* how often: an error, damage or a key in conflict that follows itself only
                      counts here, and has no number */
  uint64_t
      bytes; /* written: FLUSHED, MERGED; read back: RECOVERED; records: LOADED; all: BACKED_UP */
  uint64_t bytes_read;   /* MERGED */
  uint64_t microseconds; /* how long it took; 0: it has no length */
  enum engine_event_kind kind;
  status code;                        /* FAILED, CORRUPT */
  engine_store store;                 /* CONFLICT */
  size_t key_size;                    /* CONFLICT: bytes of the key */
  uint8_t key[ENGINE_EVENT_KEY_MAX];  /* its beginning */
  char message[FAILURE_MESSAGE_SIZE]; /* FAILED, CORRUPT, TIMED_OUT, HEALTH; else empty */
};
/* Copies those with a number above `after` that are still kept, oldest first, `room` at most; *lost,
 * unless NULL, is how many above `after` are not kept. Returns how many were copied. Any thread. */
size_t engine_events (struct engine *engine, uint64_t after, struct engine_event *out, size_t room,
                      uint64_t *lost);
uint64_t engine_newest_event (struct engine *engine); /* number; 0: none yet */
/* Calls `wake` with the kind and number of each event from now on, on the thread on which it happens, whatever
 * that holds. It must only note it and return; it may not call the engine. One listener an engine; a
 * second call replaces the first. `wake` NULL: none any more, and when this returns none is being
 * called. */
typedef void engine_event_wake (void *data, enum engine_event_kind kind, uint64_t number);
void engine_watch_events (struct engine *engine, engine_event_wake *wake, void *data);
/* For who judges the database's health: notes that the verdict changed. */
void engine_note_health (struct engine *engine, const char *message);

/* What does not work at present, each with its cause; STATUS_OK: it works. */
struct engine_condition
{
  struct failure writing;    /* writes are refused until every handle is closed */
  struct failure flushing;   /* tried again with the next write */
  struct failure following;  /* of a reading process: what another writes can't be read */
  bool merging_rests;        /* a merge failed; tried again after the next flush */
  uint64_t corruptions;      /* how often something that was read did not verify */
  struct failure corruption; /* the newest of these */
};
void engine_condition (struct engine *engine, struct engine_condition *out);
/* Of the file system that the database is on, in bytes; what this process may still use of it.
 * UNSUPPORTED where nobody knows. */
status engine_disk_space (struct engine *engine, uint64_t *total, uint64_t *available,
                          struct failure *failure);
/* The name of that file system, where files may change without this system's seeing it: on others' machines
 * (`network`), or by a program that serves it; else NULL. */
const char *engine_foreign_file_system (struct engine *engine, bool *network);

#endif
