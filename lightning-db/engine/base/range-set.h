/* SPDX-License-Identifier: MIT */
/*
 * range-set: the range deletes of one memtable, segment or merge, cut into fragments that do not
 * overlap, so that "is this key hidden at this snapshot" is one binary search.
 *
 *      a────────────────f   @9            [a,c) 9   [c,f) 9,4   [f,h) 4
 *            c──────────────h   @4
 *
 * A set is immutable once built; it owns copies of all its bytes; references are counted.
 * Threads: any number may read one set; ref/unref are atomic.
 */
#ifndef LIGHTNING_BASE_RANGE_SET_H
#define LIGHTNING_BASE_RANGE_SET_H

#include "base/record.h"
#include "base/status.h"

struct range_set;

struct range_fragment
{
  struct bytes start; /* inclusive; borrowed from the set */
  struct bytes end;   /* exclusive */
  uint64_t newest;    /* sequence of the newest range delete that covers it */
};

/* Any order, overlaps allowed, up to RANGE_SET_MAX of them; entries with start >= end,
 * or a sequence above SEQUENCE_MAX, are INVALID.
 * Duplicates are dropped. Time and memory grow as n log n, however the ranges are nested. No range
 * deletes give NULL. */
#define RANGE_SET_MAX UINT32_C (0x7fffffff)
status range_set_build (const struct range_delete *deletes, size_t count, struct range_set **out,
                        struct failure *failure);
struct range_set *range_set_ref (struct range_set *set); /* NULL is the empty set everywhere */
void range_set_unref (struct range_set *set);

/* The newest range delete with sequence <= snapshot that covers `key`, or 0. A record of `key` is
 * hidden by it when record.sequence < the result. */
uint64_t range_set_cover (const struct range_set *set, struct bytes key, uint64_t snapshot);

/* Whether any range delete newer than `since` touches [start, end); end NULL = no upper bound. */
bool range_set_touches (const struct range_set *set, struct bytes start, const struct bytes *end,
                        uint64_t since);

/* What it was built from, without duplicates, by rising start, then end, then falling sequence. To
 * join or filter sets, build anew from these: fragments would multiply. */
size_t range_set_delete_count (const struct range_set *set);
struct range_delete range_set_delete (const struct range_set *set, size_t index);

/* Fragments are in order and do not overlap; two neighbours may differ in older deletes only. */
size_t range_set_fragment_count (const struct range_set *set);
struct range_fragment range_set_fragment (const struct range_set *set, size_t index);
/* The newest range delete with sequence <= snapshot that covers the fragment, or 0. Asked again
 * with one less than its answer, it gives them all, newest first. */
uint64_t range_set_fragment_newest (const struct range_set *set, size_t index, uint64_t snapshot);
/* Index of the first fragment whose end is > key; fragment_count when there is none. */
size_t range_set_find (const struct range_set *set, struct bytes key);
size_t range_set_memory (const struct range_set *set); /* bytes held */

#endif
