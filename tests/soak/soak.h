/* SPDX-License-Identifier: MIT */
/*
 * soak: a database under mixed load for as long as is wanted, closed and killed and opened again,
 * and after each opening compared in whole with what was acknowledged.
 *
 * The picture is that oracle. It is of one size from the first to the last moment, so that it does
 * not show in the memory that is measured, and in memory that a child shares with its parent, so
 * that the parent knows what a killed child was told. A value follows from its place and version
 * alone: the picture holds versions, and whole values are compared.
 *
 * Each worker owns its keys, and says what it is about to do (its intent) before it does. Of what a
 * kill cuts short, all is there or nothing.
 */
#ifndef LIGHTNING_TESTS_SOAK_H
#define LIGHTNING_TESTS_SOAK_H

#include "base/histogram.h"
#include "base/random.h"
#include "check.h"
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

#define SOAK_WORKERS 2u
#define SOAK_STORES 3u          /* the default store and two named ones */
#define SOAK_COUNTS SOAK_STORES /* stands for a store: keys that all workers count in */
#define SOAK_SLOTS 8000u        /* keys of a worker in each store */
#define SOAK_COUNTERS 8u        /* keys that hold a count of each worker */
#define SOAK_CHANGES_MAX 64u    /* of one commit */
#define SOAK_VALUE_MAX (130u << 10)
#define SOAK_KEY_SIZE 12u
#define SOAK_BUDGET (UINT64_C (16) << 20)

/* ---- the picture (picture.c) ---- */

struct change
{
  uint32_t store;   /* or SOAK_COUNTS */
  uint32_t slot;    /* or the counter */
  uint32_t version; /* afterwards; 0 = absent; of a counter: the worker's count */
};

struct intent
{
  _Atomic uint32_t count;    /* of changes; 0 = nothing is under way */
  _Atomic bool acknowledged; /* it is committed, and perhaps not all in the picture */
  struct change changes[SOAK_CHANGES_MAX];
};

enum soak_kind
{
  SOAK_GET,
  SOAK_GET_MANY,
  SOAK_SCAN_FORWARD,
  SOAK_SCAN_BACKWARD,
  SOAK_SNAPSHOT, /* a held one is read */
  SOAK_PUT,
  SOAK_PUT_FULL, /* durable before it is acknowledged */
  SOAK_DELETE,
  SOAK_DELETE_RANGE,
  SOAK_BATCH,
  SOAK_TRANSACTION,
  SOAK_CONFLICT, /* two transactions of which the second must be refused */
  SOAK_STORE,    /* made, filled, read, dropped */
  SOAK_FLUSH,
  SOAK_CHECKPOINT,
  SOAK_COMPACT,
  SOAK_WORK_KINDS,
  SOAK_OPEN = SOAK_WORK_KINDS,
  SOAK_RECOVER, /* an opening after a kill */
  SOAK_COMPARE,
  SOAK_BACKUP,
  SOAK_CLOSE,
  SOAK_KINDS,
};

struct soak_totals
{
  _Atomic uint64_t operations;
  _Atomic uint64_t commits;
  _Atomic uint64_t conflicts; /* of workers with each other */
  _Atomic uint64_t snapshots; /* held, and read in whole */
};

/* All that parent and child share. */
struct picture
{
  uint32_t versions[SOAK_WORKERS][SOAK_STORES + 1][SOAK_SLOTS];
  uint32_t newest[SOAK_WORKERS]; /* version that was given last */
  struct intent intents[SOAK_WORKERS];
  struct soak_totals totals;
  struct histogram latency[SOAK_KINDS]; /* ns */
};
extern struct picture *picture;
void picture_new (void);

struct bytes picture_key (uint8_t to[SOAK_KEY_SIZE], unsigned worker, uint32_t slot);
struct bytes picture_counter_key (uint8_t to[SOAK_KEY_SIZE], uint32_t counter);
/* False: it is none of a worker's. */
bool picture_key_parse (struct bytes key, unsigned *worker, uint32_t *slot);
size_t picture_value_size (unsigned worker, uint32_t store, uint32_t slot, uint32_t version);
struct bytes picture_value (uint8_t *to, unsigned worker, uint32_t store, uint32_t slot,
                            uint32_t version);
/* From a value's first bytes. */
uint32_t picture_value_version (struct bytes value);
uint64_t picture_live_bytes (void);

void picture_intend (unsigned worker, const struct change *changes, uint32_t count);
void picture_withdraw (unsigned worker); /* it was refused */
void picture_acknowledge (unsigned worker);

struct soak_database
{
  struct engine *engine;
  engine_store stores[SOAK_STORES];
};
extern const char *const soak_store_names[SOAK_STORES];

/* What was under way when a process was killed: takes up what is there, demands that it be
 * whole. */
void picture_resolve (const struct soak_database *database);
/* Compares every key and value of every store, from one end or the other. */
void picture_compare (const struct soak_database *database, bool backward);

/* Says what is wrong, with the command that does it again, and aborts. */
_Noreturn void soak_differs (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
uint64_t soak_now (void); /* ns, from some moment on */
void soak_record (enum soak_kind kind, uint64_t since);

/* ---- load (worker.c) ---- */

struct held_snapshot
{
  struct engine_snapshot *snapshot; /* NULL: none */
  uint32_t store;                   /* the one that it is read of */
  uint64_t until;                   /* operation at which it is */
  uint32_t versions[SOAK_SLOTS];    /* of the worker in that store when it was taken */
};

#define SOAK_HELD 3u
struct worker
{
  const struct soak_database *database;
  unsigned number;          /* below SOAK_WORKERS */
  struct random random;     /* decides all */
  uint64_t operations;      /* to do; UINT64_MAX: until `stop` */
  uint64_t done;            /* operations */
  uint64_t rate;            /* operations a second, at most; 0 = no limit */
  bool lossless;            /* its process may be killed: no commit in the mode `none` */
  const _Atomic bool *stop; /* it ends when this is true */
  struct engine_batch *batch;
  struct held_snapshot held[SOAK_HELD];
  uint8_t value[SOAK_VALUE_MAX], got[SOAK_VALUE_MAX]; /* what there should be, what there is */
};
void *worker_main (void *worker); /* a thread's body */

/* ---- a feed that is followed (follower.c) ---- */

void follower_start (const struct soak_database *database);
/* Reads the rest, and compares what it made of the changes with the picture. False: it fell behind
 * by more than is kept, and could not. */
bool follower_finish (void);

/* ---- what the process takes (census.c) ---- */

struct soak_census
{
  uint64_t memory; /* anonymous, and the log's mapping */
  uint64_t disk;   /* of the database's files */
  unsigned descriptors;
};
void census_take (const char *path, struct soak_census *out);

/* Least squares over points that are not kept. */
struct slope
{
  double count, x, y, xx, xy; /* sums */
  double first, last;         /* x */
  double least, most;         /* y */
};
void slope_add (struct slope *slope, double x, double y);
double slope_growth (const struct slope *slope); /* of y from the first x to the last */

#endif
