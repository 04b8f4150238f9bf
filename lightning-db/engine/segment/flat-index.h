/* SPDX-License-Identifier: MIT */
/*
 * flat-index: which leaf of a segment may hold a key, without touching inner pages.
 *
 * The separators of all leaves but the first, shortened to a head: the 8 bytes after the prefix
 * they all share, as a number. Heads stand in a static 16-way S+tree: nodes of 16 heads (two cache
 * lines), layers in one block, children found by arithmetic:
 *
 *     layer 2                        [ node 0 ]
 *     layer 1        [ 0 ]    [ 1 ]    …    [ 16 ]          node k's children: 17 k … 17 k + 16
 *     layer 0   [0][1]…[16] [17]…                           all heads, in order
 *
 * A key's leaf is the number of separators at or below it. Equal heads are told apart by the
 * separators' sizes (up to 8 bytes) or by the bytes behind the head, kept only for longer ones.
 * Costs about 10 bytes a leaf.
 *
 * Threads: immutable once finished; any number may search.
 */
#ifndef LIGHTNING_SEGMENT_FLAT_INDEX_H
#define LIGHTNING_SEGMENT_FLAT_INDEX_H

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/epoch.h"
#include "base/ledger.h"
#include "base/status.h"
#include "cache/cache.h"

#define FLAT_INDEX_BATCH 32u

struct flat_index;

/* For exactly `count` separators, each of which begins with `prefix` (copied). */
status flat_index_new (uint32_t count, struct bytes prefix, struct flat_index **out,
                       struct failure *failure);
/* The next one. INVALID when it is below the one before, lacks the prefix or is one too many. */
status flat_index_add (struct flat_index *index, struct bytes separator, struct failure *failure);
/* After the last; INVALID when some are missing. */
status flat_index_finish (struct flat_index *index, struct failure *failure);
void flat_index_free (struct flat_index *index);
size_t flat_index_memory (const struct flat_index *index);
/* What an index over so many separators takes at least. */
size_t flat_index_estimate (uint32_t count);

/* The number of separators <= key. `table` (may be NULL): the slots of the leaves it can still be
 * are prefetched before the last compare. */
uint32_t flat_index_find (const struct flat_index *index, struct bytes key, enum cpu_level level,
                          struct page_table *table);
/* A key that is looked for. */
struct flat_index_probe
{
  const struct flat_index *index;
  struct page_table *table; /* or NULL */
  struct bytes key;         /* borrowed */
  uint32_t found;           /* set: separators <= key */
};
/* The same for up to FLAT_INDEX_BATCH keys, in one index or in several, level by level, so that
 * cache misses overlap. */
void flat_index_find_many (struct flat_index_probe *probes, size_t count, enum cpu_level level);

/* Frees once no reader can look (epoch.h) and refunds `charged` bytes of LEDGER_INDEX then. */
void flat_index_retire (struct flat_index *index, struct ledger *ledger, size_t charged);

#endif
