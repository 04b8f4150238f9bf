/* SPDX-License-Identifier: MIT */
/*
 * judge: takes a disk as a crash left it, recovers it with the engine and compares what it finds
 * with what was promised.
 */
#ifndef LIGHTNING_TESTS_JUDGE_H
#define LIGHTNING_TESTS_JUDGE_H

#include "crash-states.h"
#include "workload.h"

struct judge
{
  const struct workload *workload;
  uint64_t seed;                /* of the recovery's threads and random bytes */
  unsigned one_in;              /* how often threads change; see simulated-threads.h */
  struct promise promise;       /* what must be found */
  bool thorough;                /* read-only first, deep check, then write, close and open again */
  struct disk_journal *journal; /* NULL; else what the recovery does to the disk is noted here */
  struct disk *base;            /* with `journal`: the disk as it was; for the caller to free */
  size_t recovered;             /* with `journal`: changes when the database had been opened */
  uint64_t commit;              /* found */
  uint64_t recoveries;          /* opens made; counted up */
  char reason[512];             /* of a failure */
};

/* Judges and frees the disk. False with a reason when a promise was broken. */
bool judge_disk (struct judge *judge, struct disk *disk);

#endif
