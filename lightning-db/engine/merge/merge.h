/* SPDX-License-Identifier: MIT */
/*
 * merge: many sorted sources as one, and the rules that say which versions a merge may drop.
 *
 * merge_source yields every version of every child in order. While one child holds the smallest
 * key by a margin it is walked alone: the next comparison is against the runner-up only.
 *
 * survivor_source stands on a merge and yields only what must be kept:
 *   G1  for each snapshot still live, and for the present, the newest version it can see;
 *   G2  the newest version of a key is kept when it is newer than the oldest live snapshot, deletes
 *       and versions under range deletes included: conflict checks look for it;
 *   G3  a delete at or below the oldest snapshot is dropped only when `bottom` (no older run can
 *       hold the key), together with everything it hides;
 *   G4  a record hidden by a range delete at or below every snapshot that could see it is dropped;
 *       range deletes themselves are carried over (merge_range_deletes) unless bottom and at or
 *       below the oldest snapshot;
 *   G5  when `bottom`, a record at or below the oldest snapshot gets sequence 0.
 *
 * "Snapshots" are all sequences at which anybody may still read or check conflicts. Later ones must
 * not be below a sequence that is merged: if the inputs hold commits that are not visible yet, the
 * newest visible sequence is one of the snapshots too.
 *
 * The reasoning, and what a merge of part of a run must keep to: docs/design/merge.md.
 *
 * Threads: one at a time.
 */
#ifndef LIGHTNING_MERGE_H
#define LIGHTNING_MERGE_H

#include "base/range-set.h"
#include "base/source.h"

/* Takes over the children (released with it, also on failure). children[0] is the newest; equal
 * (key, sequence) pairs come from the newest only. */
status merge_source_new (struct source **children, size_t count, struct source **out,
                         struct failure *failure);

/* Walks several segments of one run as one source: `open` makes the source of the i-th segment when
 * it is first needed; smallest/largest bound each (inclusive), rising. Records below a segment's
 * smallest bound are passed over: the bounds of the manifest are authoritative (V7). Everything is
 * copied or referenced by `context`, which `release` frees. */
struct run_source_settings
{
  size_t count;
  status (*open) (void *context, size_t index, struct source **out, struct failure *failure);
  struct bytes (*smallest) (void *context, size_t index);
  struct bytes (*largest) (void *context, size_t index);
  bool (*narrowed) (void *context, size_t index); /* whether the segment has records below that */
  void (*release) (void *context);
  void *context;
  size_t keep; /* sources kept open at once, at most 8; 0 = 1 */
};
status run_source_new (const struct run_source_settings *settings, struct source **out,
                       struct failure *failure);

struct survivor_settings
{
  const uint64_t *snapshots; /* live ones, rising; copied. The present is implied. */
  size_t snapshot_count;
  bool bottom;                    /* no run older than the inputs may hold any of the keys */
  const struct range_set *ranges; /* of all inputs together; referenced */
  /* May be NULL. False drops the record (expiry, collection): it becomes a delete of the same
     sequence, itself dropped where G3 allows. Sees surviving puts and blobs only. */
  bool (*keep) (void *context, const struct record *record);
  void *context;
};
struct survivor_statistics
{
  uint64_t read, kept;         /* versions */
  uint64_t dropped_hidden;     /* older versions nobody can see */
  uint64_t dropped_deletes;    /* point deletes that hid nothing any more */
  uint64_t dropped_ranges;     /* records under range deletes */
  uint64_t dropped_blob_bytes; /* of values whose reference was dropped */
};
/* Forward only (first, seek, next). Takes over `merged`. */
status survivor_source_new (struct source *merged, const struct survivor_settings *settings,
                            struct source **out, struct failure *failure);
void survivor_source_statistics (const struct source *survivors, struct survivor_statistics *out);

/* The range deletes a merge's output must carry (G4), as a new set (NULL when none). */
status merge_range_deletes (const struct range_set *ranges, const uint64_t *snapshots,
                            size_t snapshot_count, bool bottom, struct range_set **out,
                            struct failure *failure);
/* The union of several sets. */
status range_sets_join (struct range_set *const *sets, size_t count, struct range_set **out,
                        struct failure *failure);

#endif
