/* SPDX-License-Identifier: MIT */
/*
 * hot-keys: which keys it happens to most: that commits conflict about, that are read, that are
 * written. Space-saving (Metwally, Agrawal, El Abbadi): a table of a fixed number of keys; a key
 * that is not in it takes the place of the one with the lowest count, and begins with that count,
 * which is then its error.
 *
 * Invariants
 *   H1  A key's true count lies between `count - error` and `count`. No error is above the whole
 *       divided by ENGINE_HOT_KEYS, so each key with a larger share is in the table.
 *   H2  Nothing is noted but conflicts, each of them, and keys of calls that are sampled: who is
 *       neither pays nothing.
 *   H3  Keys are not in the block of metrics (M4), nothing else of a record is kept.
 *
 * What is sampled ages: whenever HOT_KEYS_HALVED keys were noted, all counts are halved.
 *
 * Threads: any; the lock is a leaf, held for a look at the table.
 */
#ifndef LIGHTNING_CORE_HOT_KEYS_H
#define LIGHTNING_CORE_HOT_KEYS_H

#include "base/ledger.h"
#include "engine.h"

#include <pthread.h>

#define HOT_KEYS_HALVED 65536u /* the whole at which sampled counts are halved */
#define HOT_KEYS_OF_CALL 64u   /* keys that are noted of one call, at most */

struct hot_table;

struct hot_keys
{
  pthread_mutex_t lock;
  struct hot_table *table; /* NULL until something is noted; owned, charged to the ledger */
};

void hot_keys_init (struct hot_keys keys[ENGINE_HOT_KINDS]);
void hot_keys_clear (struct hot_keys keys[ENGINE_HOT_KINDS], struct ledger *ledger);

/* It happened `times` to the key, a user key, at `now` (microseconds since 1970; 0: nobody asks).
 * Without memory for the table it is not noted, nor in the catalogue of stores. */
void hot_keys_note (struct engine *engine, enum engine_hot_kind kind, engine_store store,
                    struct bytes key, uint64_t times, uint64_t now);
/* Those of a multi-get that was sampled; of encoded operations that were committed. Of more than
 * HOT_KEYS_OF_CALL one in so many is noted, for all of them. */
void hot_keys_note_many (struct engine *engine, engine_store store, const struct bytes *keys,
                         size_t count);
void hot_keys_note_operations (struct engine *engine, struct bytes operations, size_t count);

#endif
