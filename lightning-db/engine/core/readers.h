/* SPDX-License-Identifier: MIT */
/*
 * readers: whether anybody reads as fast as a processor allows. Each byte that is committed makes
 * pages that were not there before, which readers have to fetch, and drives others out of the caches:
 * the faster one thread writes, the slower another one reads, though each has a processor to itself.
 * So a writer is told to rest while that is so (pacing, P4).
 *
 * Invariants
 *   D1  A thread reads fast that was running for half of the time since the last review at least,
 *       looked up a record every 20 microseconds of it at least, and committed nothing.
 *   D2  What is not known (threads that share a line, a system that does not tell) reads slowly.
 *
 * Threads: noting, from any that commits; reviews are the flush's.
 */
#ifndef LIGHTNING_CORE_READERS_H
#define LIGHTNING_CORE_READERS_H

#include "base/metrics.h"

struct readers
{
  _Atomic uint32_t writers; /* a bit for each line of metrics: it committed since the last review */
  _Atomic bool fast;        /* somebody reads fast, as of the last review */
  uint64_t reviewed;        /* when: nanoseconds, monotonic; the flush's, like those below */
  uint64_t reads[METRICS_LINES]; /* that each line had counted then */
  uint64_t times[METRICS_LINES]; /* that its thread had run; 0: not known */
};

/* `times`: what each line's thread has run, nanoseconds, 0 where that is not known; `now`: likewise,
 * monotonic. */
void readers_review (struct readers *readers, const struct metrics *metrics,
                     const uint64_t times[METRICS_LINES], uint64_t now);
/* The same with what the system says. */
void readers_review_now (struct readers *readers, const struct metrics *metrics);

static inline bool
readers_are_fast (const struct readers *readers)
{
  return atomic_load_explicit (&readers->fast, memory_order_relaxed);
}

/* The calling thread commits. */
static inline void
readers_note_writer (struct readers *readers)
{
  uint32_t bit = UINT32_C (1) << metrics_line_number ();
  if (__builtin_expect ((atomic_load_explicit (&readers->writers, memory_order_relaxed) & bit) == 0,
                        0))
    atomic_fetch_or_explicit (&readers->writers, bit, memory_order_relaxed);
}

#endif
