/* SPDX-License-Identifier: MIT */
/*
 * engine-private: the open database, as the files of core/ share it.
 *
 * States
 *   OPEN ──close──► CLOSING (no new commit, flush and sync what there is) ──► CLOSED
 *   OPEN ──failed sync──► OPEN with `write_failure`: reads go on, every write is refused, close
 *   does not flush.
 *
 * Locks, in the order they may be taken
 *   manifest_lock  one edit of the manifest at a time, together with the view it leads to
 *   commit_lock    the commit pipeline: sequence numbers, log appends, the active memtable, waiters
 *   view_lock      replacing the view; busy flags of runs. Never held over I/O.
 *   sync_lock      one log sync at a time; taken without any of the above
 *   work_lock      what the background threads wait on
 *   transactions_lock  the list of read-write transactions; under it only events' lock is taken, and
 *                  each one's `looking`
 *   hot_keys[].lock  a table of hot keys; a leaf
 *   feed_lock      the list of feeds, and whether they may use the log; taken without any of the above
 * Readers take none of them.
 */
#ifndef LIGHTNING_ENGINE_PRIVATE_H
#define LIGHTNING_ENGINE_PRIVATE_H

#include "base/epoch.h"
#include "base/hash.h"
#include "base/ledger.h"
#include "base/metrics.h"
#include "base/vfs.h"
#include "base/wait-word.h"
#include "core/batch.h"
#include "core/events.h"
#include "core/hot-keys.h"
#include "core/hot-records.h"
#include "core/readers.h"
#include "core/snapshots.h"
#include "core/view.h"
#include "core/writer-lock.h"
#include "engine.h"
#include "log/wal.h"
#include "merge/merge.h"
#include "merge/sorter.h"
#include "version/manifest.h"

#include <pthread.h>
#include <stdatomic.h>

#define BLOB_FILE_SIZE (UINT64_C (256) << 20) /* at which a blob file is sealed */
#define RUNS_CROWDED 32u     /* from here on writers slow down; the picker's PICKER_RUNS_MAX */
#define BLOB_BYTES_MAX (UINT64_C (256) << 20) /* a memtable that refers to so much is switched */

enum engine_state
{
  ENGINE_STATE_OPEN,
  ENGINE_STATE_CLOSING,
  ENGINE_STATE_CLOSED
};

#define MERGE_WORKERS_MAX 16u
#define BACKUP_NOTE_NAME "BACKUP" /* file in a directory that a backup or restore fills: backup.c */
#define QUIET_MICROSECONDS 500000u /* without flushes: merges may settle */

/* A commit that waits for its turn to be visible. On the committer's stack. */
struct commit_waiter
{
  struct commit_waiter *next;
  uint64_t sequence;
  bool full;      /* becomes visible only once durable */
  bool done;      /* result is set */
  unsigned group; /* which of the engine's two */
  status result;
};

/* Who waits for a commit (feed.h). */
enum listener_kind
{
  LISTENER_CALLER,  /* engine_await_commit */
  LISTENER_SHARING, /* other processes */
  LISTENERS,
};

struct listener
{
  void (*call) (void *data); /* NULL: nobody */
  void *data;                /* for it */
  uint64_t after;            /* it waits for a commit above this */
  unsigned running;          /* calls under way */
};

/* What the engine keeps for each thread, by the number of its line of metrics; later threads share
 * the last one. */
struct engine_thread
{
  _Alignas(64) struct hot_trial hot; /* not in use where threads share it */
};

/* The newest slow calls (slow-calls.c). */
struct slow_calls
{
  pthread_mutex_t lock;          /* a leaf */
  struct engine_slow_call *ring; /* ENGINE_SLOW_CALLS of them, by number; NULL: none yet; malloc'd */
  uint64_t count;                /* that there were */
  uint64_t kept;                 /* of these, the newest */
};

struct engine
{
  _Atomic size_t references;
  _Atomic int state;        /* enum engine_state */
  unsigned fork_generation; /* of the process that opened it */
  bool read_only;
  bool makes_directory; /* it was not there when it was opened */
  status unmade;        /* why there is no database yet, of which nothing is to be left; else OK */
  char *path;           /* as given */
  const struct vfs *vfs;
  struct vfs_directory *directory;
  struct writer_lock writer_lock; /* not held when read-only, or once closed */
  struct engine_options options;  /* as in force; page_size is the database's */
  uint8_t database_id[16];
  _Atomic size_t memtable_size; /* bytes at which the active memtable is switched */
  size_t memtable_look;       /* bytes of it at which the cache is to be told again; commit_lock */
  bool balance_due;           /* it is to be told now, by who lets commit_lock go; commit_lock */
  uint64_t segment_file_size; /* bytes at which an output file is cut; 0 = by the total */

  pthread_mutex_t budget_lock; /* held while another budget is set; before all other locks */
  struct ledger ledger;
  struct cache *cache;
  _Atomic (struct hot_records *) hot_records; /* NULL until a thread tries it; owned */
  _Atomic uint64_t cache_capacity;            /* as last told to the cache */
  _Atomic unsigned writing;               /* flushes, parts of merges and bulk loads under way */
  struct memtable_pool *pool;             /* arenas of the engine's memtables */
  struct memtable_pool *transaction_pool; /* small arenas, not charged as memtables */

  /* Visibility. */
  _Atomic (struct view *) view; /* NULL once closed */
  _Atomic uint64_t published;   /* newest visible commit */
  uint64_t runs_ids;            /* handed out; view_lock */
  struct snapshots snapshots;

  pthread_mutex_t catalogue_lock; /* held while a store is made or dropped (store.c); before those
                                     of the commit pipeline */

  /* The commit pipeline (commit_lock). */
  pthread_mutex_t commit_lock;
  struct generation *active;     /* the view's active memtable; own reference */
  _Atomic unsigned frozen_count; /* the view's; written under view_lock */
  _Atomic bool flush_ends;    /* the flushed memtable's memory is about to be free (memory.h, U4) */
  _Atomic size_t arenas_held; /* beyond MEMORY_MEMTABLES, by who did not let go in time (U4) */
  _Atomic uint64_t run_bytes; /* of files of runs, of the view or of the one that is being opened */
  _Atomic unsigned crowding;  /* runs above RUNS_CROWDED, when merged at all; likewise */
  uint64_t last_sequence;     /* newest logged commit, visible or not */
  struct commit_waiter *first_waiter, *last_waiter; /* in sequence order */
  bool sync_led;                                    /* some waiter is syncing */
  wait_word groups[2]; /* waiters sleep on their group's: those that a sync covers, and who comes
                          meanwhile (K6) */
  unsigned group;      /* whose who comes now is */
  bool loading;                 /* a bulk load is being installed: commits wait for `room` */
  _Atomic unsigned waiting_full; /* full commits among the waiters; changes under commit_lock */
  unsigned committers;           /* full commits that there were about the last sync */
  uint64_t sync_microseconds;    /* that it took */
  pthread_cond_t room;          /* a frozen memtable was flushed, writes failed, or a bulk
                                           load was installed */
  _Atomic bool write_failed;    /* write_failure is set; sticky */
  struct failure write_failure; /* set once, under commit_lock */
  _Atomic int flush_failure;    /* status of the last flush; OK once it went well */
  struct failure flush_failed;  /* its failure; under commit_lock */
  uint64_t flush_attempts;      /* that were begun, ever; under commit_lock */
  uint64_t failed_attempt;      /* the newest of them that failed; under commit_lock */
  uint64_t flush_untold; /* newest commit of the flush that is being installed, until its event is
                            noted; 0 = none; under commit_lock */
  _Atomic bool log_deleted; /* when the log was last synced, a file of it had been deleted */
  struct listener listeners[LISTENERS]; /* by enum listener_kind */
  uint64_t awaited;                     /* the lowest of their `after`; UINT64_MAX: nobody waits */
  struct wal *wal;                      /* NULL: read-only or log disabled */
  struct recent *recent;                /* commits for feeds where there is no log; NULL: no feed */
  size_t recent_readers;                /* feeds that read there */
  struct blob_writer *blob_writer;      /* NULL when read-only */
  engine_store *dropped_stores;         /* ids dropped in this process run, rising; malloc'd */
  size_t dropped_count;
  _Atomic uint64_t next_transaction;   /* ids handed out */
  uint64_t rate_tokens, rate_refilled; /* token bucket: operations, microseconds */

  struct sharing *sharing; /* tells other processes; NULL: none; set before the threads start */
  struct follow *follow;   /* reads what another process writes; NULL: we write, or have closed */
  _Atomic bool follows;    /* the view is of what another process writes */

  pthread_mutex_t feed_lock;
  struct engine_feed *feeds; /* open ones; feed_lock */

  _Atomic size_t operations; /* long calls under way: close waits for them */

  /* Blob files that commits under way refer to before any memtable does (blob_lock). */
  pthread_mutex_t blob_lock;
  struct blob_guard *blob_guards;
  uint64_t
      blobs_swept; /* below it no file is left that never came into the manifest; manifest_lock */
  uint64_t *left_blobs; /* of earlier runs, in no manifest, kept for history; rising; malloc'd;
                           manifest_lock */
  size_t left_blob_count;
  struct vfs_file **gone; /* that opening has removed: see recover_let_go; owned */
  size_t gone_count;
  uint64_t *spoiled_blobs; /* not to be collected: a value did not verify; malloc'd */
  size_t spoiled_blob_count;

  pthread_mutex_t sync_lock;

  /* Read-write transactions. */
  pthread_mutex_t transactions_lock;
  struct engine_transaction *transactions;
  _Atomic uint64_t expiry_due; /* microseconds, monotonic; when to look; 0 = none; work_lock */

  /* Files. */
  pthread_mutex_t manifest_lock;
  struct manifest *manifest; /* NULL when read-only */
  uint64_t next_order;       /* of the next flushed run; manifest_lock */
  uint64_t settle_written;   /* bytes settling wrote since it last ended; manifest_lock */
  pthread_mutex_t view_lock;

  /* Background threads (work_lock). */
  pthread_mutex_t work_lock;
  pthread_cond_t log_work, flush_work, merge_work, idle;
  pthread_t log_thread, flush_thread, merge_threads[MERGE_WORKERS_MAX];
  bool log_thread_runs, flush_thread_runs;
  unsigned merge_thread_count;
  bool stop;                 /* threads end */
  bool sync_wanted;          /* an async commit waits for the timer */
  _Atomic bool sync_armed;   /* sync_wanted was set and not yet served */
  uint64_t sync_due;         /* microseconds, monotonic */
  _Atomic bool settle_armed; /* the flush thread watches for the end of a burst */
  _Atomic bool collector_rests; /* it looked, while quiet, for large values that nobody needs: a
                                   reader of the log that goes on must wake it */
  uint64_t settle_due;       /* microseconds, monotonic; 0 = not armed */
  uint64_t settle_sequence;  /* newest commit when it last looked */
  bool prepare_wanted;       /* the log's next segment is to be made */
  _Atomic bool prepare_armed;
  bool flush_wanted;
  uint64_t retry_due; /* microseconds, monotonic; after a flush that failed; 0 = none */
  bool flush_running;
  unsigned merges_running;
  _Atomic bool saving;         /* no settling: the battery is to last */
  uint64_t merge_generation;   /* raised when runs or activity changed */
  uint64_t settled_generation; /* for which a look, when it was quiet, found nothing to do */
  bool merge_paused;           /* a merge failed; tried again after the next flush */
  uint64_t last_write;         /* microseconds, monotonic, of the last flush or switch */
  _Atomic bool cancel_merges;  /* closing: give up merges under way */
  _Atomic uint64_t flush_rate; /* bytes a second of recent flushes, for pacing */
  struct readers readers;      /* likewise */

  struct metrics *metrics; /* all that is counted; the accounts of `ledger` are there */
  struct engine_thread threads[METRICS_LINES];
  _Atomic uint64_t slow_threshold; /* nanoseconds; 0 = no call is slow */
  struct slow_calls slow_calls;
  engine_slow_call_note *_Atomic slow_note; /* engine_watch_slow_calls; NULL: nobody */
  struct events events;
  struct hot_keys hot_keys[ENGINE_HOT_KINDS]; /* by enum engine_hot_kind */
};

/* ---- entering ---- */

extern _Atomic unsigned engine_fork_generation; /* raised in each fork's child */

/* OK, CLOSED or FORKED: the first thing of every call. */
status engine_enter_slow (struct engine *engine, struct failure *failure);
static inline status
engine_enter (struct engine *engine, struct failure *failure)
{
  if (__builtin_expect (
          atomic_load_explicit (&engine->state, memory_order_relaxed) == ENGINE_STATE_OPEN
              && engine->fork_generation
                     == atomic_load_explicit (&engine_fork_generation, memory_order_relaxed),
          1))
    return STATUS_OK;
  return engine_enter_slow (engine, failure);
}

/* Brackets a call that uses the log, manifest or blob writer outside the commit lock. */
status engine_begin (struct engine *engine, struct failure *failure);
void engine_end (struct engine *engine);

/* ---- the handle (engine.c, open.c) ---- */

/* A flag of engine_open beside those of engine.h: a new database is unfinished (V9 of the manifest)
 * until engine_finish has succeeded, which is for when all that it is to hold is in runs. */
#define ENGINE_OPEN_UNFINISHED (1u << 16)
status engine_finish (struct engine *engine, struct failure *failure);

/* Nothing is opened yet: to be freed by engine_free, as long as nothing is. */
status engine_new (const char *path, unsigned flags, const struct engine_options *options,
                   struct engine **out, struct failure *failure);
/* Frees everything that outlives close. Nobody refers to the engine any more. */
void engine_free (struct engine *engine);
/* Opens (CREATE: makes) the directory, and tells what is in it; refuses it as `flags` say. */
status engine_open_directory (struct engine *engine, unsigned flags,
                              enum manifest_presence *presence, struct failure *failure);
/* Takes back what an opening made that could not make all of it. The writer's role is ours. */
void destroy_unmade (struct engine *engine);
/* The directory itself, if nothing is in it. */
void destroy_directory (struct engine *engine);
/* Whether this is a forked child, in which the engine can't be used. */
bool engine_is_forked (const struct engine *engine);

uint64_t engine_now (void);                             /* microseconds, monotonic */
void engine_init_condition (pthread_cond_t *condition); /* timed by engine_now */
uint64_t engine_wall (void);                            /* microseconds since 1970 */
static inline void
engine_note (struct engine *engine, const struct event_note *note)
{
  events_note (&engine->events, engine->metrics, note);
}
/* Key bytes as a message shows them: printable ASCII as is, the rest \xNN, cut at 48 bytes. */
const char *engine_printable (struct bytes key, char to[256]);

/* ---- views ---- */

/* Frees replaced views and what only they held, files included, as far as no reader is inside. */
void engine_collect (void);
/* The same by a thread of its own, which then ends: what was let go of where nobody may be held up
 * by closing files, and perhaps nothing else happens for long. */
void engine_collect_soon (void);
/* A reference to the present view; NULL once closed. */
struct view *engine_view (struct engine *engine);
/* A copy of it without memtables (view.h, R4); NULL once closed. Its runs_id is the same. */
status engine_view_of_files (struct engine *engine, struct view **out, struct failure *failure);
/* Publishes `view` (taking over its reference) in place of the present one. view_lock held. */
void engine_view_replace (struct engine *engine, struct view *view);
/* Settings for a source over a run on behalf of a reader, a scan or a merge. */
struct segment_source_settings engine_source_settings (const struct engine *engine, bool merge);
struct segment_reader_settings engine_reader_settings (struct engine *engine);

/* ---- commit (commit.c) ---- */

struct commit
{
  const struct bytes *parts; /* the log record's payload */
  size_t part_count;
  size_t records, record_bytes; /* what the memtable must take */
  size_t ranges, range_bytes;
  size_t user_bytes;
  size_t operations;    /* for the rate limit and counters */
  uint64_t oldest_blob; /* lowest blob file referred to; UINT64_MAX = none */
  uint64_t blob_bytes;  /* about, of the values in blob files */
  enum engine_sync sync;
  const struct engine_batch *batch;       /* NULL: the single record below */
  uint8_t *scratch;                       /* COMMIT_SCRATCH_SIZE of the batch's largest key */
  struct record single;                   /* key, value, kind; sequence is filled in */
  uint64_t hash;                          /* of single.key */
  struct steps *steps;                    /* NULL: it is not sampled */
  struct engine_transaction *transaction; /* to be validated; NULL = blind */
};

/* Runs the pipeline: room, validation, log, memtable, visibility, durability. */
status commit_run (struct engine *engine, struct commit *commit, uint64_t *sequence,
                   struct failure *failure);
/* Commits a batch: moves large values to blob files, normalises, runs. */
status commit_batch (struct engine *engine, struct engine_batch *batch, enum engine_sync sync,
                     struct engine_transaction *transaction, uint64_t *sequence,
                     struct failure *failure);
/* Applies encoded operations to a memtable; room has been reserved. `scratch` as in the commit. */
#define COMMIT_SCRATCH_SIZE(largest_key) (2 * (STORE_ID_SIZE + (size_t) (largest_key)))
void commit_apply (struct memtable *table, struct bytes operations, uint64_t sequence,
                   uint8_t *scratch);
/* What one operation writes, its keys in `scratch`: a put or delete; a range delete. */
struct record operation_record (const struct operation *operation, uint64_t sequence,
                                uint8_t *scratch);
struct range_delete operation_range (const struct operation *operation, uint64_t sequence,
                                     uint8_t *scratch);
/* The commit's record goes to the log, or where there is none to those who read changes. On failure
 * nothing has happened, or writes fail from now on. commit_lock held. */
status commit_log (struct engine *engine, uint64_t sequence, const struct bytes *parts,
                   size_t part_count, bool store, struct failure *failure);
/* Makes the log (blobs first) durable up to `sequence`. Takes sync_lock. */
status commit_sync_log (struct engine *engine, uint64_t sequence, struct failure *failure);
/* Makes the blob files durable; or, `seal`, ends the one that is open, which makes nothing durable.
 * A failure stops writes (K4). commit_lock not held. */
status commit_sync_blobs (struct engine *engine, bool seal, struct failure *failure);
/* Freezes the active memtable, if it holds anything. commit_lock held. `wait`: until there is a
 * place for it. */
status commit_switch (struct engine *engine, bool wait, struct failure *failure);
/* Waits until this commit is visible (and durable when full). commit_lock held. */
status commit_wait_turn (struct engine *engine, uint64_t sequence, bool full,
                         struct failure *failure);
/* Waits until every commit up to `sequence`, which is logged, is visible. Without locks. */
status commit_await (struct engine *engine, uint64_t sequence, struct failure *failure);
/* Makes writes fail from now on. commit_lock held. */
void commit_fail (struct engine *engine, status code, const struct failure *failure);

/* Keeps a blob file from being collected while a commit is on its way to refer to it. */
struct blob_guard
{
  struct blob_guard *next;
  uint64_t file; /* this one and all later ones */
};
status blob_guard_enter (struct engine *engine, struct blob_guard *guard, struct failure *failure);
void blob_guard_leave (struct engine *engine, struct blob_guard *guard);
/* The lowest blob file that memtables, commits under way or later commits may refer to. */
uint64_t engine_oldest_unflushed_blob (struct engine *engine);
/* The same of those under way at this moment only: later ones may refer to any file that is
 * open. */
uint64_t engine_oldest_referred_blob (struct engine *engine);

/* ---- transactions (transaction.c, validation.c) ---- */

/* Whether anything the transaction depends on changed; CONFLICT names the key. The first half may
 * read pages and runs without locks, the second under commit_lock from memory. */
status transaction_validate_runs (struct engine_transaction *transaction, struct view *view,
                                  struct failure *failure);
status transaction_validate_memory (struct engine_transaction *transaction, struct view *view,
                                    struct failure *failure);

/* Lets it delete what is in the store, to which nobody else may commit any more. */
void transaction_set_drops (struct engine_transaction *transaction, engine_store store);
/* NULL: false. */
bool transaction_drops (const struct engine_transaction *transaction, engine_store store);

/* Ends those whose deadline has passed; returns the next deadline, 0 = none. */
uint64_t transactions_expire (struct engine *engine, uint64_t now);

/* ---- background (background.c, flush.c, merging.c) ---- */

/* With all signals blocked: the application's stay its own. */
status engine_start_thread (pthread_t *thread, void *(*body) (void *), void *data,
                            struct failure *failure);
status background_start (struct engine *engine, struct failure *failure);
/* As many merging threads as the budget has memory for; those that there are stay, and wait where it
 * has memory for fewer. Opening, or budget_lock held. */
status background_start_merging (struct engine *engine, struct failure *failure);
void background_stop (struct engine *engine);
void background_wake_flush (struct engine *engine);
void background_wake_merge (struct engine *engine);
void background_arm_sync (struct engine *engine);
void background_arm_prepare (struct engine *engine);
void background_arm_settle (struct engine *engine);
bool background_is_quiet (struct engine *engine);
void background_arm_expiry (struct engine *engine, uint64_t due);

/* Writes the oldest frozen memtable to a run and installs it. OK and *did false when none. */
status flush_oldest (struct engine *engine, bool *did, struct failure *failure);
/* Segments that were written, and synced, but not installed. */
struct flushed
{
  struct manifest_segment *segments; /* malloc'd; information owned */
  size_t count;
};
/* Writes what was sorted to the segments of a run, in several threads when it is much. */
status flush_write_sorted (struct engine *engine, struct sorter *sorter, struct flushed *out,
                           struct failure *failure);
void flushed_clear (struct flushed *flushed);
/* Removes files that were written but will never be installed. */
void flushed_unlink (struct engine *engine, const struct flushed *flushed);
/* Puts a written run in front of the others. `generation`: the memtable it replaces, or NULL. */
status flush_install (struct engine *engine, struct flushed *flushed, struct generation *generation,
                      uint64_t flushed_sequence, uint64_t user_bytes, struct failure *failure);
/* Makes the manifest name the newest commit when nothing of the last ones is in any memtable: they
 * are empty, as a bulk load that was cut short leaves them. For opening and closing (F6). */
status flush_numbers (struct engine *engine, struct failure *failure);
/* After a sync: when somebody deleted the log, what is in it is flushed, and the log goes on in another
 * file. UNKNOWN_OUTCOME when that fails. Under no lock. */
status flush_deleted_log (struct engine *engine, struct failure *failure);
/* Opens what was written, as a run. */
status flushed_open (struct engine *engine, const struct flushed *flushed, uint64_t order,
                     struct run **out, struct failure *failure);

/* Writes `source` (survivors in order) and range deletes to segments cut at the file size. */
struct output_settings
{
  bool settled;               /* codec and filter of a settled run, else of a fresh one */
  uint64_t expected_bytes;    /* of the whole output, to choose the file size */
  size_t memory;              /* bytes for the writer to get by with; 0 = a merge's */
  struct bytes start, end;    /* only keys in [start, end); data NULL = open */
  bool part;                  /* of an output: the caller syncs the directory once for all */
  const _Atomic bool *cancel; /* polled; may be NULL */
  bool (*progress) (void *data, uint64_t bytes); /* may be NULL; false cancels */
  void *progress_data;
};
status output_write (struct engine *engine, struct source *source, const struct range_set *ranges,
                     const struct output_settings *settings, struct flushed *out,
                     struct failure *failure);

/* Who looks at the records that are flushed: what nobody of them can see is not written. */
struct flush_view
{
  uint64_t *snapshots; /* rising; malloc'd */
  size_t snapshot_count;
  bool bottom;              /* there is no older run */
  struct range_set *ranges; /* deletes among the records; NULL: none; owned */
  struct range_set *kept;   /* those of them that are to be written; owned */
};
/* Takes `ranges` over, also on failure. */
status flush_view_take (struct engine *engine, struct range_set *ranges, struct flush_view *out,
                        struct failure *failure);
void flush_view_clear (struct flush_view *view);
/* Takes `source` over, also on failure. */
status flush_write_seen (struct engine *engine, const struct flush_view *view,
                         struct source *source, const struct output_settings *settings,
                         struct flushed *out, struct failure *failure);
/* Bytes at which segments of an output of `expected` bytes are cut. */
uint64_t output_file_size (const struct engine *engine, uint64_t expected);

/* Does one due merge, unless it would read more than bytes_max. *did: whether there was one. */
status merge_one (struct engine *engine, uint64_t bytes_max, bool *did, struct failure *failure);
/* Merges all runs of the present view to one. */
status merge_everything (struct engine *engine, engine_progress progress, void *data,
                         struct failure *failure);
/* Bytes of runs that are being merged or are due. Between engine_begin and engine_end. */
uint64_t merge_pending_bytes (struct engine *engine);

/* Adds and removes files in the manifest, then publishes the view that goes with it.
 * `edit_view` changes a fresh copy of the present view. */
status install (struct engine *engine, const struct manifest_edit *edit, size_t extra_runs,
                size_t extra_blobs, void (*edit_view) (void *data, struct view *view), void *data,
                struct failure *failure);
/* Drops blob files nobody refers to any more. */
void blob_collect (struct engine *engine);

/* ---- the catalogue (store.c) ---- */

/* Whether the store was dropped, or is about to be, in this process run. commit_lock held. */
bool store_is_dropped (const struct engine *engine, engine_store store);

/* For repair: */

/* Gives a store that has records but no name one. EXISTS when it is taken. */
status store_adopt (struct engine *engine, const char *name, engine_store store,
                    struct failure *failure);
/* New stores will have ids above it. */
status store_reserve (struct engine *engine, engine_store store, struct failure *failure);

/* ---- reading (read.c) ---- */

enum holder_kind
{
  HOLDER_NONE,    /* nothing to release */
  HOLDER_HEAP,    /* free */
  HOLDER_PAGE,    /* cache_unpin */
  HOLDER_TABLE,   /* memtable_unref, then the owner's pool may go */
  HOLDER_SEGMENT, /* segment_unref, likewise */
};

struct engine_snapshot
{
  struct engine *engine; /* referenced */
  snapshot_slot *slot;   /* holds the sequence; NULL: the view does */
  struct view *view;     /* while following another process, whose merges do not know of us: what is
                            read, referenced; else NULL, and whatever view there is */
  uint64_t sequence;     /* reads see commits up to it */
};

/* A process may have two engines on one database, one that reads and one that writes: whose cache
 * and files a state is of is not seen in what comes of it, so it is asserted. NULL is of any. */
static inline bool
snapshot_is_of (const struct engine_snapshot *snapshot, const struct engine *engine)
{
  return snapshot == NULL || snapshot->engine == engine;
}
/* Holds what is visible now. Nothing but `engine` of *out is read, which is not referenced here. */
status snapshot_hold (struct engine_snapshot *out, struct failure *failure);
/* Holds the same as another, which is held. */
status snapshot_share (const struct engine_snapshot *from, struct engine_snapshot *out,
                       struct failure *failure);
void snapshot_let_go (struct engine_snapshot *snapshot); /* also of nothing */
/* The newest commit that may be read in the view (L1: loaded before). */
static inline uint64_t
engine_visible_in (struct engine *engine, const struct view *view)
{
  uint64_t published = atomic_load_explicit (&engine->published, memory_order_acquire);
  return published > view->floor_sequence ? published : view->floor_sequence;
}

/* Values of a file that is to go into a view may be kept in the cache. */
void engine_keep_blobs (struct engine *engine, struct blob_file *file);
/* `view` is referenced by the caller. */
status blob_value (struct engine *engine, struct view *view, struct bytes reference,
                   struct engine_value *out, struct failure *failure);
/* Straight into the caller's buffer; nothing is read when it is too small. */
status blob_copy (struct engine *engine, struct view *view, struct bytes reference, void *buffer,
                  size_t capacity, size_t *size, struct failure *failure);

/* ---- what cursors need of a transaction ---- */

/* A transaction's own writes have sequences above every commit's: this plus the number of the
 * operation, from 1. */
#define OVERLAY_BASE (SEQUENCE_MAX + 1)

/* The span of keys a serializable transaction's cursor has looked at; grows as it moves. */
struct read_span
{
  struct read_span *next;
  uint8_t *start, *end; /* internal keys, [start, end); malloc'd */
  size_t start_size, end_size;
};

status transaction_check (struct engine_transaction *transaction, struct failure *failure);
const struct engine_snapshot *transaction_reading (const struct engine_transaction *transaction);
/* NULL when it has written nothing. */
struct memtable *transaction_index (const struct engine_transaction *transaction);
uint64_t transaction_operations (const struct engine_transaction *transaction);
bool transaction_is_serializable (const struct engine_transaction *transaction);
status transaction_span_new (struct engine_transaction *transaction, struct bytes start,
                             struct bytes end, struct read_span **out, struct failure *failure);
/* Widens the span of that transaction to reach `key` (included) and anything between. */
status transaction_span_reach (struct engine_transaction *transaction, struct read_span *span,
                               struct bytes key, bool including, struct failure *failure);

#endif
