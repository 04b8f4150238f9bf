/* SPDX-License-Identifier: MIT */
/*
 * picker: which runs to merge next. A pure function of what is there; it keeps no state.
 *
 * While writes go on, merging is lazy: nothing is merged until there are PICKER_RUNS_MAX runs. Then
 * the oldest PICKER_GROUP and as many more as there are larger runs, of those of the smallest size
 * class that lie together, become one: first few, because the load may be about to end and settling
 * writes everything once anyway, later more, because it may be long. When the database is quiet it
 * settles to one run, at a bounded cost.
 *
 * Invariants
 *   Q1  A decision is nothing, or at least two runs, adjacent in order, none of them busy.
 *   Q2  Carrying decisions out on a database that is not written ends: each makes runs fewer.
 *   Q3  While quiet, no decision rewrites more than PICKER_SETTLE_FACTOR bytes for each user byte
 *       written since the last settling, what was rewritten since then (`settle_written`) counted
 *       in. If settling to one run costs more, runs remain whose sizes grow about twofold.
 *       Merges that are due by number (Q4) are made all the same: a program that opens the
 *       database, writes a few bytes and closes it again leaves a run each time.
 *   Q4  While merges keep up there are at most PICKER_RUNS_MAX runs.
 *   Q5  Versions that newer ones hide take at most about 1/PICKER_DEAD_PART of the files: then
 *       everything is merged, also while writes go on.
 *
 * Threads: none of its own; any thread.
 */
#ifndef LIGHTNING_PICKER_H
#define LIGHTNING_PICKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICKER_RUNS_MAX 32u      /* runs in all */
#define PICKER_GROUP 8u          /* runs that are merged while there are no larger ones */
#define PICKER_GROUP_MIN 3u      /* fewer are not worth a merge only because there are many runs */
#define PICKER_DEAD_PART 3u      /* of all bytes may be dead */
#define PICKER_SETTLE_FACTOR 10u /* bytes rewritten per user byte by settling */

struct picker_run
{
  uint64_t bytes;     /* of its files */
  uint64_t apart;     /* of them in segments that overlap no other run: a merge moves those
                             without rewriting. 0 when the caller does not look, or cannot move */
  uint64_t shadowing; /* about how many of them hide older versions in the runs below */
  bool busy;          /* in a merge that is under way */
};

struct picker_settings
{
  const struct picker_run *runs; /* newest first */
  size_t count;
  bool whole;                        /* the last of `runs` is the oldest run there is */
  uint64_t memtable_size;            /* bytes: about what a flush writes, uncompressed */
  bool quiet;                        /* nothing was written for a short while */
  uint64_t user_bytes_since_settled; /* of them since the last settling */
  uint64_t settle_written; /* bytes that merges decided while quiet have written since then;
                              0 when it is not known any more, e.g. after reopening */
};

struct picker_decision
{
  size_t first, count; /* runs [first, first + count); count 0: nothing to do */
  bool bottom;         /* they reach the oldest run */
  bool settles;        /* they are all there is: afterwards the database is settled */
};

struct picker_decision picker_choose (const struct picker_settings *settings);

/* Size at which an output segment, and with it a part, of a merge of `total` bytes is cut. */
uint64_t picker_segment_size (uint64_t total);

#endif
