/* SPDX-License-Identifier: MIT */
/*
 * view: what a reader reads: the memtables, newest first, then the sorted runs, newest first, and
 * the blob files they refer to. Immutable; each switch, flush and merge publishes a new one.
 *
 *   engine->view ──► [ active | frozen 0 … | run 0 | run 1 | … | blobs ]
 *
 * Invariants
 *   R1  Everything an older member says of a key has a lower sequence than what a newer one says
 *       (runs: a record whose sequence was zeroed stands in the oldest run only).
 *   R2  Bounds are authoritative: a merge that replaces its inputs part by part leaves a segment
 *       whose records below a bound do not count. In the process that merges the run tells; opened
 *       anew, the segment's information holds the bound. Such a segment has no range deletes.
 *   R3  A view references all it names; whoever holds a view, or stands in an epoch section since
 *       before it was replaced, may use all of it.
 *   R4  A held view keeps the memory of its memtables, which the budget has for three only. Who
 *       holds one while it waits for a lock, the disk or a merge holds a copy without them
 *       (engine_view_of_files).
 *
 *   R5  The runs of a view that follows another process lack versions that nobody there sees any
 *       more: it is read at `floor_sequence` or above. In a process that writes it is 0: there
 *       merges keep what snapshots see.
 *
 * Threads: building is the engine's (under its view lock); reading is anyone's.
 */
#ifndef LIGHTNING_VIEW_H
#define LIGHTNING_VIEW_H

#include "base/epoch.h"
#include "blob/blob.h"
#include "memtable/memtable.h"
#include "segment/segment.h"

#define FROZEN_MAX 2u

/* A memtable with what the engine must know beside it. */
struct generation
{
  _Atomic size_t references;
  struct memtable *table;       /* owned */
  _Atomic uint64_t oldest_blob; /* lowest blob file its records refer to; UINT64_MAX = none */
  uint64_t blob_bytes;          /* about, of values its records refer to; engine's commit lock */
  _Atomic (struct lent_blob *) lent; /* blob files that were installed while it was in the view */
};

/* A sorted run: segments that do not overlap, in key order. */
struct run
{
  _Atomic size_t references;
  uint64_t id;             /* never reused */
  uint64_t order;          /* higher is newer */
  uint64_t created;        /* microseconds, wall clock */
  uint64_t max_sequence;   /* of everything in it */
  uint64_t bytes, records; /* file bytes, versions */
  bool has_range_deletes;
  _Atomic unsigned
      shadowing;        /* 1 + thousandths of it that hide older versions; 0 = not asked yet */
  bool busy;            /* input of a running merge; engine's view lock */
  struct bytes prefix;  /* shared by all segments' smallest keys; borrowed from the first's */
  uint64_t *heads;      /* of each, the 8 bytes behind the prefix; behind `segments` */
  struct bytes *bounds; /* R2, of each segment, data NULL = it counts wholly; NULL = all do;
                                 malloc'd, as their keys */
  size_t count;         /* segments, at least 1 */
  struct segment *segments[]; /* owned references */
};

struct view
{
  struct epoch_link link; /* retired through it */
  _Atomic size_t references;
  struct generation *active;             /* NULL only in a read-only view without a log */
  struct generation *frozen[FROZEN_MAX]; /* newest first */
  unsigned frozen_count;
  struct run **runs; /* newest first; owned array and references */
  size_t run_count;
  struct blob_file **blobs; /* rising number; owned array and references */
  size_t blob_count;
  uint64_t flushed_sequence; /* every commit up to it is in runs */
  uint64_t floor_sequence;   /* not to be read below it; R5 */
  uint64_t runs_id;          /* of what `runs` holds, never reused; 0 until the view is published */
  uint64_t runs_sequence;    /* nothing in the runs is newer */
};

status generation_new (struct memtable_pool *pool, struct generation **out,
                       struct failure *failure);
/* Keeps the file open for readers of older views, which do not list it. One thread at a time. */
status generation_lend_blob (struct generation *generation, struct blob_file *file,
                             struct failure *failure);
struct generation *generation_ref (struct generation *generation);
void generation_unref (struct generation *generation);

/* Takes over the segment references. */
status run_new (uint64_t id, uint64_t order, uint64_t created, struct segment **segments,
                size_t count, struct run **out, struct failure *failure);
/* R2: before the run is published. Copies the key; nothing happens when its data is NULL. */
status run_narrow (struct run *run, size_t index, struct bytes bound, struct failure *failure);
/* The least key that counts of a segment. */
static inline struct bytes
run_smallest (const struct run *run, size_t index)
{
  if (__builtin_expect (run->bounds != NULL && run->bounds[index].data != NULL, 0))
    return run->bounds[index];
  const struct segment_information *information = segment_information (run->segments[index]);
  return BYTES (information->smallest, information->smallest_size);
}
/* The bound that the run itself gives a segment; data NULL = none. */
static inline struct bytes
run_bound (const struct run *run, size_t index)
{
  return run->bounds != NULL ? run->bounds[index] : BYTES_NONE;
}
/* Whether the segment holds records that do not count. */
bool run_is_narrowed (const struct run *run, size_t index);
struct run *run_ref (struct run *run);
void run_unref (struct run *run);
/* The segment that may hold `key`, or NULL. */
struct segment *run_find (const struct run *run, struct bytes key);
/* The only segment that may hold it, without looking whether it is above that one's keys: for
 * hints, and for the last run asked, where the segment's filter knows that as well. */
struct segment *run_find_last (const struct run *run, struct bytes key);
/* All versions of the run in order; holds a run reference. */
status run_source (struct run *run, const struct segment_source_settings *settings,
                   struct source **out, struct failure *failure);

/* An empty one with room for so many, and what makes it a copy of another that is no larger. */
status view_reserve (size_t runs, size_t blobs, struct view **out, struct failure *failure);
void view_fill (struct view *view, const struct view *from);
/* A copy with its own references, one reference itself, not yet published; to be edited. */
status view_copy (const struct view *from, size_t extra_runs, size_t extra_blobs, struct view **out,
                  struct failure *failure);
/* What of a published view is in files, its memtables not: never published itself. */
status view_copy_files (const struct view *from, struct view **out, struct failure *failure);
status view_new (struct view **out, struct failure *failure);
/* By who stands in an epoch section: false when the last reference is already gone (look again). */
bool view_try_ref (struct view *view);
/* The last one, true, frees after the present epoch. */
bool view_unref (struct view *view);
/* Borrowed; NULL when it is not installed (then it can be opened by its name) or unknown. */
struct blob_file *view_blob (const struct view *view, uint64_t number);

#endif
