/* SPDX-License-Identifier: MIT */
/*
 * oracle: what a database must hold, kept in the plainest form that can be right: for each store an
 * array of version chains, one per key of a fixed, sorted pool.
 *
 * Because every key comes from the pool, a key is its rank in it, and every place between keys is a
 * `position`: 2 * rank at the key, 2 * rank + 1 just behind it, POSITION_START before everything,
 * 2 * count behind everything. Each dependency and each change is an interval of positions, so a
 * conflict is an overlap, predicted exactly.
 *
 * Threads: one.
 */
#ifndef LIGHTNING_TESTS_ORACLE_H
#define LIGHTNING_TESTS_ORACLE_H

#include "base/random.h"
#include "engine.h"

typedef int64_t position;
#define POSITION_START ((position) -1)

#define ORACLE_ABSENT UINT32_MAX
#define ORACLE_STORES_MAX 64u
#define ORACLE_POOL_SIZE (4u << 20)

/* A value is a slice of the value pool. */
struct oracle_value
{
  uint32_t size;   /* bytes; ORACLE_ABSENT = deleted */
  uint32_t offset; /* into the value pool */
};

struct oracle_version
{
  struct oracle_version *older; /* NULL at the end */
  uint64_t sequence;
  struct oracle_value value;
};

struct oracle_store
{
  bool used;    /* the place is taken */
  bool dropped; /* by the commit `dropped_at`; older snapshots still see it */
  uint64_t dropped_at;
  engine_store id;
  char name[24];
  struct oracle_version **newest; /* by rank */
  uint64_t *present;              /* a bit for each rank that has a version */
};

/* A change or a dependency: positions [from, to) of a store. */
struct oracle_interval
{
  uint64_t sequence; /* of the change; unused in a dependency */
  engine_store store;
  position from, to;
};
struct oracle_intervals
{
  struct oracle_interval *list; /* malloc'd */
  size_t count, room;
};

/* A write of a batch or transaction, in order. */
struct oracle_write
{
  struct oracle_store *store;
  bool range; /* a range delete of [from, to), else a put or delete at `from` */
  position from, to;
  struct oracle_value value; /* ORACLE_ABSENT: a delete */
};
#define ORACLE_WRITES_MAX 96u
struct oracle_writes
{
  size_t count;
  struct oracle_write list[ORACLE_WRITES_MAX];
};

struct oracle
{
  struct bytes *keys; /* the pool: sorted, distinct; each malloc'd */
  position count;     /* keys in it */
  uint8_t *values;    /* the value pool */
  struct oracle_store stores[ORACLE_STORES_MAX];
  uint64_t sequence;               /* the newest commit */
  uint64_t oldest;                 /* nobody reads below this commit */
  struct oracle_intervals history; /* changes, by rising sequence */
};

void oracle_init (struct oracle *oracle, struct random *random, size_t keys, unsigned giants);
void oracle_clear (struct oracle *oracle);

/* The key at an even position; BYTES_NONE at either end. */
struct bytes oracle_key (const struct oracle *oracle, position at);
struct bytes oracle_bytes (const struct oracle *oracle, struct oracle_value value);

struct oracle_store *oracle_store_new (struct oracle *oracle, const char *name, engine_store id);

/* Applies one commit's writes under `sequence` and notes them in the history. */
void oracle_commit (struct oracle *oracle, const struct oracle_writes *writes, uint64_t sequence);
/* Whether a later commit than `since` touched the interval. */
bool oracle_changed (const struct oracle *oracle, engine_store store, position from, position to,
                     uint64_t since);

/* What a reader at `sequence` with `own` writes (may be NULL) on top sees. `*sequence_out` is the
 * commit's, 0 for an own write. */
struct oracle_value oracle_get (const struct oracle_store *store, const struct oracle_writes *own,
                                position rank, uint64_t sequence, uint64_t *sequence_out);
/* Whether its own writes decide about the key. */
bool oracle_is_own (const struct oracle_store *store, const struct oracle_writes *own,
                    position rank);
/* The first rank from `rank` up (or down) to the bound (excluded) that is visible; -1 = none. */
position oracle_next (const struct oracle *oracle, const struct oracle_store *store,
                      const struct oracle_writes *own, position rank, position bound,
                      uint64_t sequence);
position oracle_previous (const struct oracle *oracle, const struct oracle_store *store,
                          const struct oracle_writes *own, position rank, position bound,
                          uint64_t sequence);

/* Forgets versions and stores nobody can see; history when `keep_history` is false. */
void oracle_prune (struct oracle *oracle, bool keep_history);

void oracle_note (struct oracle_intervals *intervals, uint64_t sequence, engine_store store,
                  position from, position to);
void oracle_write_add (struct oracle_writes *writes, struct oracle_store *store, bool range,
                       position from, position to, struct oracle_value value);

#endif
