/* SPDX-License-Identifier: MIT */
/*
 * memtable: the newest commits, in memory, ordered, every version kept.
 *
 * A B+tree of small nodes (512 B – 1 KiB: fence-derived prefix, 4-byte key heads, 4-byte references
 * into an arena), each guarded by a seqlock. A record's key stands in the arena once; its versions
 * hang from it in a chain, newest first, so an overwrite is one release store. A side hash
 * answers gets and says "not here" in one cache miss; the tree has the last word on keys that came
 * in a long rising row, until they are hashed, too.
 *
 * Invariants
 *   M1  One writer at a time (the commit leader, under the engine's commit lock); any number of
 *       readers beside it, without locks; a reader never waits for the writer beyond a node copy.
 *   M2  Arena memory never moves and is never reused while the memtable has a reference.
 *   M3  After memtable_reserve succeeded, the inserts it covers cannot fail.
 *   M4  Versions of a key are chained in falling sequence order; the writer inserts in rising
 *       order.
 *   M5  Once frozen nothing is inserted.
 *
 * ThreadSanitizer: its build reads seqlocked nodes through relaxed scalar atomics; SIMD kernels
 * have scalar twins (base/cpu.h decides) and an equivalence test.
 */
#ifndef LIGHTNING_MEMTABLE_H
#define LIGHTNING_MEMTABLE_H

#include "base/ledger.h"
#include "base/range-set.h"
#include "base/record.h"
#include "base/source.h"
#include "base/status.h"

struct memtable;
struct
    memtable_pool; /* keeps arenas of dead memtables: a first touch costs 0.1 to 3 ns a byte */

status memtable_pool_new (struct ledger *ledger, size_t arena_size, struct memtable_pool **out,
                          struct failure *failure);
/* For memtables whose every reader holds a reference (transactions): their memory comes back with
 * the last one, at once, not an epoch later, and more arenas are kept for many short lives. Before
 * use. */
void memtable_pool_set_counted (struct memtable_pool *pool);
/* For memtables with which nobody calls memtable_catch_up; those of a counted pool are of them. */
void memtable_pool_hash_all (struct memtable_pool *pool);
/* Memtables are expected to reach another size from now on. Any thread. */
void memtable_pool_set_size (struct memtable_pool *pool, size_t arena_size);
void memtable_pool_trim (struct memtable_pool *pool); /* frees kept arenas (idle, low memory) */
/* Memtables whose memory is not given back yet: living ones, and dead ones that a reader may still
 * see. */
size_t memtable_pool_users (struct memtable_pool *pool);
void memtable_pool_free (struct memtable_pool *pool); /* after all its memtables */

/* An empty memtable with one reference. `arena_size` of the pool is a goal, not a limit: a commit
 * larger than it grows the arena. Arena memory is touched only as it is used. */
status memtable_new (struct memtable_pool *pool, struct memtable **out, struct failure *failure);
struct memtable *memtable_ref (struct memtable *table);
void memtable_unref (struct memtable *table); /* the last one frees after the present epoch */
/* Gives back memory that the one before it left, beyond what is in use and expected. Writer only. */
void memtable_trim (struct memtable *table);

/* Makes room for `records` inserts with `bytes` of keys and values together, and `range_deletes`
 * with `range_bytes`; charges the ledger. NO_MEMORY leaves the table unchanged. Writer only. */
status memtable_reserve (struct memtable *table, size_t records, size_t bytes, size_t range_deletes,
                         size_t range_bytes, struct failure *failure);
/* A hint, worth a third of an insert: `hash` will be inserted soon. Writer only. */
void memtable_prefetch (struct memtable *table, uint64_t hash);
/* A hint: `hash` will be looked for soon. */
void memtable_prefetch_get (const struct memtable *table, uint64_t hash);
/* Adds a version; copies key and value. `hash` = key_hash (record->key). Writer only. */
void memtable_insert (struct memtable *table, uint64_t hash, const struct record *record);
void memtable_delete_range (struct memtable *table, const struct range_delete *range);
/* Entries that came in a long rising row are found by the tree alone until somebody looks for keys:
 * this gives some of them the place in the side hash that makes gets quick. Whether there are more.
 * For when no more is written; writer only. */
bool memtable_catch_up (struct memtable *table);
/* Whether somebody looked for a key while entries were put off. Any thread. */
bool memtable_is_wanted (struct memtable *table);
void memtable_freeze (struct memtable *table);

/* The newest version of `key` with sequence <= snapshot. False when there is none. Range deletes
 * are NOT applied (memtable_cover). *out borrows from the arena: valid while a reference, or the
 * caller's epoch section, lasts. */
bool memtable_get (struct memtable *table, struct bytes key, uint64_t hash, uint64_t snapshot,
                   struct record *out);
/* Sequence of the newest version of `key` (delete included), 0 when there is none. */
uint64_t memtable_newest (struct memtable *table, struct bytes key, uint64_t hash);
/* Newest range delete <= snapshot covering key, or 0. One load when the table has none. */
uint64_t memtable_cover (struct memtable *table, struct bytes key, uint64_t snapshot);
bool memtable_has_range_deletes (struct memtable *table); /* one load */
/* A set of all its range deletes so far (NULL when none), built for the caller: for writing them
 * out. */
status memtable_range_deletes (struct memtable *table, struct range_set **out,
                               struct failure *failure);
/* The first key in [start, end) (end NULL = unbounded) with a version newer than `since`, range
 * deletes included. True: *key is set (borrowed from the arena, or from `start`). */
bool memtable_changed_since (struct memtable *table, struct bytes start, const struct bytes *end,
                             uint64_t since, struct bytes *key);

/* All versions in order. Holds a reference. Safe beside the writer: what was inserted before the
 * source was positioned is seen; later inserts may or may not be. */
status memtable_source_new (struct memtable *table, struct source **out, struct failure *failure);

struct memtable_statistics
{
  uint64_t records; /* versions inserted, deletes included */
  uint64_t deletes; /* point deletes among them */
  uint64_t range_deletes;
  uint64_t data_bytes;     /* keys and values */
  uint64_t memory;         /* arena and hash bytes in use */
  uint64_t first_sequence; /* 0 when empty */
  uint64_t last_sequence;
};
/* Any thread; each field is atomic by itself. */
void memtable_statistics (struct memtable *table, struct memtable_statistics *out);
size_t memtable_memory (struct memtable *table); /* the `memory` field alone, cheap */
bool memtable_is_empty (struct memtable *table); /* one load */

#endif
