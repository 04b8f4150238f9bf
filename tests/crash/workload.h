/* SPDX-License-Identifier: MIT */
/*
 * workload: a short program of calls to the engine, what the database must hold after each of its
 * commits, and the judge of what a recovery found.
 *
 * Keys come from a small pool, values follow from a number, so what a database holds is a table of
 * numbers, and every commit's is kept. A recovered database names the commit it stands at: it must
 * hold exactly that table, and that commit must lie between what had been promised when the crash
 * came and what had been begun.
 */
#ifndef LIGHTNING_TESTS_WORKLOAD_H
#define LIGHTNING_TESTS_WORKLOAD_H

#include "engine.h"
#include "simulated-disk.h"

#define WORKLOAD_PATH "/db"
#define WORKLOAD_BACKUP_PATH "/backup"

enum call_kind
{
  /* The twelve of which every sequence of up to three is run. */
  CALL_PUT_ASYNC,
  CALL_PUT_FULL,
  CALL_PUT_NONE,
  CALL_DELETE_FULL,
  CALL_DELETE_RANGE,
  CALL_BATCH,       /* full, over two stores */
  CALL_TRANSACTION, /* async, with a large value */
  CALL_SYNC,
  CALL_FLUSH,
  CALL_COMPACT,
  CALL_REOPEN,
  CALL_QUIET, /* two seconds pass: timers, settling */
  CALLS_EXHAUSTIVE,
  /* More, for the random ones. */
  CALL_LARGE = CALLS_EXHAUSTIVE, /* async */
  CALL_LOADER,
  CALL_BACKUP,
  CALL_DROP, /* the second store; or makes it again */
  CALL_MANY, /* async puts, until a memtable or log segment is full */
  CALLS,
};
const char *call_name (enum call_kind kind);

#define WORKLOAD_KEYS 10u
#define WORKLOAD_STORES 2u

struct table
{
  uint32_t values[WORKLOAD_STORES][WORKLOAD_KEYS]; /* 0 = absent */
  bool second;                                     /* the second store is there */
};

/* The points of the journal at which a call began and had returned, and what was promised then. */
struct call_record
{
  enum call_kind kind;
  size_t first, last; /* changes in the journal */
  uint64_t sequence;  /* newest commit when it had returned */
  uint64_t durable;   /* commits that must survive a power cut */
  uint64_t kept;      /* commits that must survive the process's death */
  uint64_t backup;    /* commit at which the last complete backup stands; 0 = none */
};

/* What the engine is opened with, from the bits of a number. */
#define WORKLOAD_MAPPED 1u       /* the log is mapped */
#define WORKLOAD_LARGE_LOGGED 2u /* large values go to the log, which then rotates, not to blobs */
#define WORKLOAD_RETAINED 4u     /* changes are kept, all of them */
#define WORKLOAD_VARIANTS 8u

struct workload
{
  unsigned variant;
  uint64_t seed;
  struct random random;
  struct disk *disk;
  struct disk_journal journal;
  struct disk *empty; /* before anything */
  struct engine *engine;
  engine_store second; /* 0 = none */
  uint64_t backed_up;  /* commit at which the last complete backup stands; 0 = none */
  uint32_t next_value;
  struct table now;
  struct table *tables; /* by sequence */
  size_t table_count, table_room;
  struct call_record *calls;
  size_t call_count, call_room;
};

void workload_options (unsigned variant, const struct vfs *vfs, struct engine_options *out);
/* Opens a new database on a new disk, runs the calls and closes it. Any failure aborts. */
void workload_run (struct workload *workload, unsigned variant, uint64_t seed, unsigned one_in,
                   const enum call_kind *calls, size_t count);
/* The disk alone, with the two directories. */
void workload_prepare (struct workload *workload, unsigned variant, uint64_t seed);
/* One call (not of those that are several: reopen, many). `next` is changed to what is there when
 * it succeeds. The message is valid until the next call. */
status workload_call (struct workload *workload, enum call_kind kind, struct table *next,
                      const char **message);
/* Whether all commits so far are durable once it succeeded. */
bool call_is_durable (enum call_kind kind);
/* The commits up to `sequence` that were not there before left what is in `now`. */
void workload_remember (struct workload *workload, uint64_t sequence);
void workload_clear (struct workload *workload);

/* What must and may be found after a crash at a point. */
struct promise
{
  uint64_t least, most; /* commits */
  uint64_t backup_least, backup_most;
  uint64_t
      gap; /* commits from here on may be empty: a bulk load takes its number before it counts */
  size_t call; /* the one under way, or the last */
  bool kill;   /* the machine went on */
};
struct promise workload_promise (const struct workload *workload, size_t point, bool kill);

/* Reads everything and compares it with the table of a commit. False with a reason. */
bool workload_matches (const struct workload *workload, struct engine *engine, uint64_t commit,
                       char reason[256]);
bool table_matches (const struct table *table, struct engine *engine, char reason[256]);
/* Follows the change feed from where it begins to a commit, and compares what it tells with the
 * tables (workload-feed.c). */
bool workload_feed_matches (const struct workload *workload, struct engine *engine,
                            const struct promise *promise, uint64_t commit, char reason[256]);
struct bytes workload_key (unsigned key);
/* The value that a number other than 0 stands for; valid until the next call. */
struct bytes workload_value (uint32_t number);
/* The judge's own key, beside the pool. */
struct bytes workload_mark_key (void);

#endif
