/* SPDX-License-Identifier: MIT */
/*
 * differential: one episode of random operations on an engine and an oracle side by side.
 * Everything about it follows from its seed: keys, values, options and operations; only the moments
 * at which flushes and merges run in the background differ from one time to the next.
 */
#ifndef LIGHTNING_TESTS_DIFFERENTIAL_H
#define LIGHTNING_TESTS_DIFFERENTIAL_H

#include "check.h"
#include "oracle.h"

#define SNAPSHOTS_MAX 6u
#define TRANSACTIONS_MAX 4u
#define CURSORS_MAX 8u
#define HELD_MAX 12u
#define SAVEPOINTS_MAX 8u

/* What is counted, one by one: at least one in a hundred of all operations each. */
enum kind
{
  KIND_PUT,
  KIND_PUT_FULL,
  KIND_PUT_ASYNC,
  KIND_PUT_NONE,
  KIND_GET,
  KIND_GET_VALUE,
  KIND_GET_CACHED,
  KIND_GET_MANY,
  KIND_DELETE,
  KIND_DELETE_RANGE,
  KIND_BATCH,
  KIND_SNAPSHOT_NEW,
  KIND_SNAPSHOT_GET,
  KIND_SNAPSHOT_FREE,
  KIND_BEGIN,
  KIND_TRANSACTION_PUT,
  KIND_TRANSACTION_GET,
  KIND_TRANSACTION_DELETE,
  KIND_TRANSACTION_DELETE_RANGE,
  KIND_LOCK_KEY,
  KIND_SAVEPOINT,
  KIND_ROLLBACK_TO,
  KIND_COMMIT,
  KIND_ROLLBACK,
  KIND_CURSOR_NEW,
  KIND_CURSOR_FIRST,
  KIND_CURSOR_LAST,
  KIND_CURSOR_SEEK,
  KIND_CURSOR_SEEK_BEFORE,
  KIND_CURSOR_NEXT,
  KIND_CURSOR_PREVIOUS,
  KIND_CURSOR_VALUE,
  KIND_CURSOR_FREE,
  KIND_STORE_OPEN,
  KIND_STORE_DROP,
  KIND_LOADER,
  KIND_FEED,
  KIND_MISUSE,
  KIND_UPKEEP,
  KIND_COUNT,
};

struct trial_snapshot
{
  struct engine_snapshot *snapshot; /* NULL: the place is free */
  uint64_t sequence;
};

struct trial_transaction
{
  struct engine_transaction *transaction; /* NULL: the place is free */
  bool read_only, serializable;
  uint64_t sequence; /* of its snapshot */
  struct oracle_writes writes;
  struct oracle_intervals reads;     /* what its commit depends on besides the writes */
  bool locks_keys;                   /* some of them were locked: checked without writes too */
  size_t savepoints[SAVEPOINTS_MAX]; /* writes at each */
  size_t savepoint_count;
};

enum ahead /* which way the cursor may have been looking ahead */
{
  AHEAD_NONE,
  AHEAD_FORWARD,
  AHEAD_BACKWARD
};

struct trial_cursor
{
  struct engine_cursor *cursor; /* NULL: the place is free */
  struct oracle_store *store;
  struct trial_transaction *transaction; /* NULL: none */
  bool ended;                            /* its transaction is over */
  bool keys_only, valid;
  enum ahead ahead;
  uint64_t sequence;         /* commits up to it are seen */
  position lower, upper;     /* bounds */
  position rank;             /* where it stands, when valid */
  struct oracle_value value; /* there */
  uint64_t value_sequence;   /* of the commit that wrote it; 0 = own */
  struct oracle_writes own;  /* the transaction's, as of positioning */
  size_t span;               /* index into the transaction's reads */
  bool has_span;
};

struct trial_loader
{
  struct engine_loader *loader; /* NULL: none is open */
  uint64_t sequence;            /* of the newest commit when it was made */
  struct oracle_writes writes;
};

/* What the change feed told, as a database. */
struct trial_replica
{
  struct engine_feed *feed; /* NULL: none is open */
  uint64_t opened_at;       /* the newest commit then */
  uint64_t position;        /* commits up to it are in the replica */
  struct replica_store
  {
    engine_store id;
    uint64_t *sums; /* of each rank's value; malloc'd */
  } * stores;       /* malloc'd */
  size_t count;     /* of stores; 0: there is no replica yet */
};

/* A value that is kept to see that it stays as it was, come what may. */
struct trial_held
{
  struct engine_value value;
  struct oracle_value expected;
  bool used;
};

struct trial_totals
{
  uint64_t kinds[KIND_COUNT];
  uint64_t operations, episodes, reopenings, flushes, merges, commits, conflicts, verifications;
  uint64_t snapshot_reads, loads, backups, checks, repairs, replicas;
};

struct trial
{
  uint64_t seed;
  uint64_t target, index; /* operations to do, done */
  struct random random;
  char *path;
  struct engine_options options;
  struct engine *engine;
  struct oracle oracle;
  position hot; /* the first key of the popular ones */
  struct trial_snapshot snapshots[SNAPSHOTS_MAX];
  struct trial_transaction transactions[TRANSACTIONS_MAX];
  struct trial_cursor cursors[CURSORS_MAX];
  struct trial_loader loader;
  struct trial_replica replica;
  struct trial_held held[HELD_MAX];
  bool has_leftovers; /* a loader or value was held when the engine was closed */
  bool renumbered;    /* the engine is a repaired copy: other sequences */
  struct trial_totals *totals;
  const char *doing; /* name of the operation */
};

/* Prints where it happened and how to see it again, then aborts. */
_Noreturn void trial_differs (struct trial *trial, const char *file, int line, const char *format,
                              ...) __attribute__ ((format (printf, 4, 5)));

#define EXPECT(condition, ...)                                                                     \
  do                                                                                               \
    if (!(condition))                                                                              \
      trial_differs (trial, __FILE__, __LINE__, __VA_ARGS__);                                      \
  while (0)

/* Runs a call whose last argument is `&failure` of this very macro. */
#define EXPECT_STATUS(call, expected)                                                              \
  do                                                                                               \
    {                                                                                              \
      struct failure failure = FAILURE_INIT;                                                       \
      status expect_status = (call), expect_wanted = (expected);                                   \
      EXPECT (expect_status == expect_wanted, "%s gave %s, not %s (%s)", #call,                    \
              status_name (expect_status), status_name (expect_wanted), failure.message);          \
    }                                                                                              \
  while (0)
#define EXPECT_OK(call) EXPECT_STATUS (call, STATUS_OK)

/* ---- choosing (differential.c) ---- */

uint64_t pick (struct trial *trial, uint64_t bound);
position pick_key (struct trial *trial);
struct oracle_value pick_value (struct trial *trial);
struct oracle_store *pick_store (struct trial *trial);
/* [*from, *to), not empty, each at a key or open; mostly narrow. */
void pick_range (struct trial *trial, position *from, position *to);
void trial_expect_value (struct trial *trial, struct bytes got, struct oracle_value expected,
                         position rank);
void trial_refresh_oldest (struct trial *trial);
bool trial_has_writers (const struct trial *trial);
void trial_commit (struct trial *trial, const struct oracle_writes *writes, uint64_t sequence);

/* ---- episodes (differential-episode.c) ---- */

const char *kind_name (enum kind kind);
/* A new database with options, keys and stores that follow from the seed. */
void episode_begin (struct trial *trial, uint64_t seed, uint64_t operations,
                    struct trial_totals *totals);
/* One operation; what else it draws comes from trial->random. */
void episode_step (struct trial *trial, enum kind kind);
/* The same for an operation that follows from the seed and its number. */
void episode_random_step (struct trial *trial);
/* Compares everything, before and after a reopening, then repairs a copy; removes the database. */
void episode_end (struct trial *trial);

/* ---- operations ---- */

void do_put (struct trial *trial, enum kind kind);
void do_get (struct trial *trial, enum kind kind);
void do_get_value (struct trial *trial, enum kind kind);
void do_get_many (struct trial *trial, enum kind kind);
void do_delete (struct trial *trial, enum kind kind);
void do_delete_range (struct trial *trial, enum kind kind);
void do_batch (struct trial *trial, enum kind kind);
void do_snapshot (struct trial *trial, enum kind kind);
void do_store_open (struct trial *trial, enum kind kind);
void do_store_drop (struct trial *trial, enum kind kind);
void do_misuse (struct trial *trial, enum kind kind);
void trial_release_held (struct trial *trial, struct trial_held *held);

/* differential-upkeep.c */
void do_loader (struct trial *trial, enum kind kind);
void loader_free (struct trial *trial);
void do_upkeep (struct trial *trial, enum kind kind);
void trial_verify_everything (struct trial *trial);
void trial_open (struct trial *trial, unsigned flags);
void trial_choose_options (struct trial *trial);
void trial_close (struct trial *trial);
void trial_reopen (struct trial *trial);
void trial_repair (struct trial *trial); /* the closed database, to a copy that is compared */

/* differential-feed.c */
void do_feed (struct trial *trial, enum kind kind);
void feed_free (struct trial *trial);
void replica_clear (struct trial *trial);

/* differential-transaction.c */
void do_begin (struct trial *trial, enum kind kind);
void do_transaction (struct trial *trial, enum kind kind);
void transaction_free (struct trial *trial, struct trial_transaction *of);

/* differential-cursor.c */
void do_cursor_new (struct trial *trial, enum kind kind);
void do_cursor (struct trial *trial, enum kind kind);
void cursor_free (struct trial_cursor *of);
void trial_verify_store (struct trial *trial, struct oracle_store *store, bool backward);

#endif
