/* SPDX-License-Identifier: MIT */
/*
 * merge-private: one merge, as the files that choose, plan, write and install it share it.
 *
 *   inputs      newest   ├──a──┤      ├─b─┤            ├──c──┤
 *               older       ├──d──┤            ├─e─┤     ├──f──┤ ├──g──┤
 *   plan        part [a d], moved b, moved e, part [c f], moved g
 *
 * A segment that overlaps no other input is moved: it becomes part of the output run in the
 * manifest edit, its file stays as it is. What overlaps is rewritten, each stretch of it cut into
 * parts that threads write side by side. A part is installed as soon as it and all before it are
 * written, so that what it replaces gives its space back while the rest is still being merged.
 *
 * Invariants
 *   J1  Inputs of a merge are adjacent in order, so what they say of a key is older than all newer
 *       runs and newer than all older ones; the output stands in the place of the oldest input,
 *       whose run id and order it bears.
 *   J2  A busy run is in one merge only.
 *   J3  Inputs are unlinked only after the edit that drops them is durable; moved ones never.
 *   J4  `bottom` holds only when the inputs reach the oldest run of the view.
 *   J5  No key and no range delete of a moved segment concerns any other input; parts do not
 *       overlap each other, nor what is moved; a key's versions are in one part.
 *   J6  Installed up to a key F, the oldest input's run holds all that the inputs said below F, and
 *       no input says anything below F any more: segments below are gone, one that reaches across F
 *       has F as its bound. From F on nothing has changed. So what a crash or a failure leaves is a
 *       set of runs like any other.
 *   J7  A segment with range deletes is never narrowed: they would have to be cut to its bound.
 */
#ifndef LIGHTNING_MERGE_PRIVATE_H
#define LIGHTNING_MERGE_PRIVATE_H

#include "core/blob-collect.h"

/* The inputs of one merge: view->runs[first … first + count), referenced. */
struct merge_job
{
  struct run **runs; /* newest first, as they are in the view by now; NULL = nothing is left of it;
                        malloc'd, owned references; changed by installing, under view_lock */
  size_t count;
  uint64_t output_run, output_order, output_created; /* J1; of the run that the output is */
  bool bottom;                                       /* J4 */
  bool settled;                                      /* the output is (close to) all there is */
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
  uint8_t *from;           /* start, or the least key of the stretch that it begins; malloc'd */
  size_t from_size;        /* bytes of it */
  size_t moved_before;     /* how many moved segments lie below it */
  bool divides;            /* the merge may be installed up to here and no further (J7) */
  bool written;            /* output is complete; the installing lock */
  struct flushed output;   /* filled by merge_write, handed over by installing */
};

struct merge_plan
{
  struct segment **moved; /* rising keys; borrowed from the inputs */
  size_t moved_count;
  struct merge_part *parts; /* rising keys */
  size_t part_count;
  uint64_t rewritten; /* file bytes of the segments in parts */

  /* How far it is installed; manifest_lock. */
  size_t parts_installed, moves_installed; /* of parts and moved */
  size_t done;      /* first segments of the oldest input's run that are output already */
  uint64_t written; /* file bytes of installed parts */
};

/* merge-plan.c */
status merge_plan_make (struct engine *engine, const struct merge_job *job, struct merge_plan *out,
                        struct failure *failure);
void merge_plan_clear (struct merge_plan *plan);
/* For each run of the view, file bytes of segments that a merge of any of them would move. */
status merge_apart_bytes (struct engine *engine, const struct view *view, uint64_t *apart,
                          struct failure *failure);

void merge_part_clear (struct merge_part *part);

/* shadowing.c: bytes of runs[index] that hide older versions of their keys, about; may read pages,
 * the first time. Without locks. */
uint64_t run_shadowing_bytes (struct engine *engine, const struct view *view, size_t index);

/* merge-write.c: writes every part and installs all but the last ones. On failure the files of
 * parts that were not installed are gone. */
status merge_write (struct engine *engine, struct merge_job *job, struct merge_plan *plan,
                    unsigned workers, struct failure *failure);
void merge_plan_unlink (struct engine *engine, const struct merge_plan *plan);

/* merge-install.c: replaces inputs by what was written and moved, of parts [parts_installed, end)
 * and up to the next part; `end` part_count: of all that is left. The directory has been synced. */
status merge_install (struct engine *engine, struct merge_job *job, struct merge_plan *plan,
                      size_t end, struct failure *failure);

#endif
