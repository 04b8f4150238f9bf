/* SPDX-License-Identifier: MIT */
/*
 * merge-private: one merge, as the files that choose, plan, write and install it share it.
 *
 *   inputs      newest   ├──a──┤      ├─b─┤            ├──c──┤
 *               older       ├──d──┤            ├─e─┤     ├──f──┤ ├──g──┤
 *   plan        part [a d], moved b, moved e, part [c f], moved g
 *
 * A segment that overlaps no other input is moved: it becomes part of the output run in the manifest
 * edit, its file stays as it is. What overlaps is rewritten, each stretch of it cut into parts that
 * threads write side by side.
 *
 * Invariants
 *   J1  Inputs of a merge are adjacent in order, so what they say of a key is older than all newer
 *       runs and newer than all older ones; the output stands in the place of the newest input.
 *   J2  A busy run is in one merge only.
 *   J3  Inputs are unlinked only after the edit that drops them is durable; moved ones never.
 *   J4  `bottom` holds only when the inputs reach the oldest run of the view.
 *   J5  No key and no range delete of a moved segment concerns any other input; parts do not
 *       overlap each other, nor what is moved; a key's versions are in one part.
 */
#ifndef LIGHTNING_MERGE_PRIVATE_H
#define LIGHTNING_MERGE_PRIVATE_H

#include "core/blob-collect.h"

/* The inputs of one merge: view->runs[first … first + count), referenced. */
struct merge_job
{
  struct run **runs; /* newest first; malloc'd, owned references */
  size_t count;
  bool bottom;             /* J4 */
  bool settled;            /* the output is (close to) all there is */
  bool counts_as_settling; /* decided while quiet: its output counts towards the bound */
  bool whole;              /* nothing is moved */
  bool foreground;         /* run by a caller's thread */
  const struct blob_collection *collection; /* large values to be written anew; may be NULL */
  bool only_collects;                       /* what the collection does not concern is moved */
  uint64_t bytes;                           /* of the inputs' files */
  engine_progress progress;                 /* NULL: background, cancelled by closing */
  void *progress_data;
};

/* A stretch of the key space that is rewritten. */
struct merge_part
{
  struct run **runs; /* newest first: the inputs' segments that reach into it; owned */
  size_t count;
  struct bytes start, end; /* [start, end); malloc'd; data NULL = open */
  struct flushed output;   /* filled by merge_write */
};

struct merge_plan
{
  struct segment **moved; /* rising keys; borrowed from the inputs */
  size_t moved_count;
  struct merge_part *parts; /* rising keys */
  size_t part_count;
  uint64_t rewritten; /* file bytes of the segments in parts */
};

/* merge-plan.c: `workers` is how many threads will write. */
status merge_plan_make (struct engine *engine, const struct merge_job *job, unsigned workers,
                        struct merge_plan *out, struct failure *failure);
void merge_plan_clear (struct merge_plan *plan);
/* For each run of the view, file bytes of segments that a merge of any of them would move. */
status merge_apart_bytes (struct engine *engine, const struct view *view, uint64_t *apart,
                          struct failure *failure);

/* merge-write.c: writes every part; on failure no file is left. */
status merge_write (struct engine *engine, const struct merge_job *job, struct merge_plan *plan,
                    unsigned workers, struct failure *failure);
/* Replaces the inputs by what was written and moved. */
status merge_install (struct engine *engine, const struct merge_job *job, struct merge_plan *plan,
                      struct failure *failure);
void merge_plan_unlink (struct engine *engine, const struct merge_plan *plan);
uint64_t merge_plan_written (const struct merge_plan *plan); /* file bytes */

#endif
