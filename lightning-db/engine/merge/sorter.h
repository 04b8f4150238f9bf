/* SPDX-License-Identifier: MIT */
/*
 * sorter: records that come in any order and are then read once, in key order: a log that is
 * replayed, a bulk load. Nobody looks for a key in it meanwhile, so it has no tree and no hash:
 * what a memtable pays with a handful of cache misses a record is here a few passes over an array.
 *
 * Invariants
 *   O1  Of records with one key the one that was added last comes first.
 *   O2  Sorting takes no memory that was not there before: what was added can be read.
 *   O3  Time grows as n log n, whatever the keys are.
 *
 * Threads: one at a time, but for sources of what is sorted.
 */
#ifndef LIGHTNING_SORTER_H
#define LIGHTNING_SORTER_H

#include "base/ledger.h"
#include "base/range-set.h"
#include "base/record.h"
#include "base/source.h"
#include "base/status.h"

struct sorter;

/* Empty. `ledger` outlives it; all it holds is charged to LEDGER_MEMTABLE. */
status sorter_new (struct ledger *ledger, struct sorter **out, struct failure *failure);
void sorter_free (struct sorter *sorter);  /* after its sources; NULL: nothing */
void sorter_clear (struct sorter *sorter); /* likewise: it is as new */
/* Adds a copy. NO_MEMORY leaves it as it was. Not while there is a source; after one it goes on. */
status sorter_add (struct sorter *sorter, const struct record *record, struct failure *failure);
status sorter_add_range (struct sorter *sorter, const struct range_delete *range,
                         struct failure *failure);

bool sorter_is_empty (const struct sorter *sorter);       /* neither records nor range deletes */
size_t sorter_used (const struct sorter *sorter);         /* bytes that what was added takes */
size_t sorter_memory (const struct sorter *sorter);       /* bytes held */
uint64_t sorter_data_bytes (const struct sorter *sorter); /* of keys and values, and of ranges */
/* A set of all range deletes (NULL when there is none), built for the caller. */
status sorter_range_deletes (const struct sorter *sorter, struct range_set **out,
                             struct failure *failure);

/* Sorts what is not sorted. */
void sorter_sort (struct sorter *sorter);
/* The key of the record with as many before it, `index` below sorter_count. Sorted. */
struct bytes sorter_key (const struct sorter *sorter, size_t index);
size_t sorter_count (const struct sorter *sorter); /* records */
/* All versions in order, sorted first; it walks forward (first, seek, next), and what it yields is the
 * sorter's. Of what is sorted already several threads may each have one. */
status sorter_source_new (struct sorter *sorter, struct source **out, struct failure *failure);

#endif
