/* SPDX-License-Identifier: MIT */
/*
 * pacing: writers go slower while flushes or merges are behind, so that nobody has to stop for
 * long; and while somebody reads as fast as he can.
 *
 * Invariants
 *   P1  While memtables wait to be flushed a writer slows towards the flush's own rate.
 *   P2  The more runs there are above those that are meant to be there, the slower, without an end:
 *       what comes in becomes as little as merges can take. Each run costs memory and an open file,
 *       and a read looks into all of them.
 *   P3  One nap is at most 5 ms for a small commit, longer in proportion for a large one, and never
 *       much above a second.
 *   P4  While somebody reads as fast as he can (readers.h) a writer rests PACING_REST times as long as
 *       its commits take; for what takes its time by nature, as waiting for the disk, no longer.
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

/* Microseconds to rest for a commit of `bytes` that took so many nanoseconds (P4). */
#define PACING_REST 2.0
double pacing_rest (uint64_t took, size_t bytes);

/* Sleeps off what the calling thread owes, now and then. */
void pacing_pay (struct engine *engine, size_t bytes);
/* A commit that began then, nanoseconds, has ended: its thread owes a rest. */
void pacing_owe_rest (uint64_t began, size_t bytes);

/* A commit begins. Returns when, if it is to be told of its end, else 0. */
static inline uint64_t
pacing_begin (struct engine *engine, size_t bytes)
{
  bool fast = readers_are_fast (&engine->readers);
  readers_note_writer (&engine->readers);
  if (__builtin_expect ((atomic_load_explicit (&engine->frozen_count, memory_order_relaxed)
                         | atomic_load_explicit (&engine->crowding, memory_order_relaxed) | fast)
                            == 0,
                        1))
    return 0;
  pacing_pay (engine, bytes);
  return fast ? metrics_now () : 0;
}

static inline void
pacing_end (uint64_t began, size_t bytes)
{
  if (__builtin_expect (began != 0, 0))
    pacing_owe_rest (began, bytes);
}

#endif
