/* SPDX-License-Identifier: MIT */
/*
 * pacing: writers go slower while flushes or merges are behind, so that nobody has to stop for
 * long.
 *
 * Invariants
 *   P1  While memtables wait to be flushed a writer slows towards the flush's own rate.
 *   P2  The more runs there are above those that are meant to be there, the slower, without an end:
 *       what comes in becomes as little as merges can take. Each run costs memory and an open file,
 *       and a read looks into all of them.
 *   P3  One nap is at most 5 ms for a small commit, longer in proportion for a large one, and never
 *       much above a second.
 *
 * Threads: any, without locks.
 */
#ifndef LIGHTNING_CORE_PACING_H
#define LIGHTNING_CORE_PACING_H

#include "core/engine-private.h"

/* What there is to be waited for. */
struct pacing
{
  unsigned frozen; /* memtables that wait to be flushed */
  double fill;     /* of the active one, 0 … 1 and a little more; of no meaning when none waits */
  unsigned crowding;   /* runs above RUNS_CROWDED */
  uint64_t flush_rate; /* bytes a second of recent flushes; 0 = not known yet */
};

/* Microseconds that `bytes` are to take; 0: as few as they like. */
double pacing_debt (const struct pacing *pacing, size_t bytes);
/* Microseconds that a commit of `bytes`, whose thread owes so much, is to sleep now; 0: later. */
uint64_t pacing_nap (double owed, size_t bytes);

/* Sleeps off what the calling thread owes, now and then. */
void pacing_pay (struct engine *engine, size_t bytes);

static inline void
pacing_apply (struct engine *engine, size_t bytes)
{
  if (__builtin_expect ((atomic_load_explicit (&engine->frozen_count, memory_order_relaxed)
                         | atomic_load_explicit (&engine->crowding, memory_order_relaxed))
                            != 0,
                        0))
    pacing_pay (engine, bytes);
}

#endif
