/* SPDX-License-Identifier: MIT */
/*
 * barrier: one side looks often and pays nothing, the other seldom and pays for both.
 *
 *   often     barrier_publish (&mine, what);   look at what is shared
 *   seldom    unlink something shared;         barrier_all ();   look at every `mine`
 *
 * Of the two looks at least one sees what the other side wrote: either the seldom side finds `what`
 * published, or the often side no longer finds what was unlinked.
 *
 * Why a plain store is enough. The often side publishes (P), then looks (L), in program order. The
 * seldom side has unlinked (U), then makes every thread of the process pass a full barrier (B,
 * membarrier), then scans what is published (S). In each thread B falls somewhere. If P comes
 * before it, S sees P. If P comes after it, so does L, which then sees U.
 *
 * Where there is no membarrier the often side publishes by an exchange, and P and S are
 * sequentially consistent: if S misses P, then P comes after S, so L comes after U.
 *
 * Where there was one and it is refused later (a sandbox that a program enters once its files are
 * open; a kernel short of memory) others may already rely on it. Then barrier_all waits, far longer
 * than a store stays in a processor's buffer (microseconds; interrupts and switches of threads
 * empty it): a P that S misses was made after U was visible everywhere, and so was L.
 *
 * Threads: any. In a forked child it is decided anew whether there is a membarrier.
 */
#ifndef LIGHTNING_BASE_BARRIER_H
#define LIGHTNING_BASE_BARRIER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The seldom side makes the often side's barriers. Decided by barrier_start. */
extern bool barrier_asymmetric __attribute__ ((visibility ("hidden")));

/* Before the first use of the others, by each who uses them; any number of times. */
void barrier_start (void);

/* After everything that was unlinked, before looking at what is published. */
void barrier_all (void);

/* Stores `what`, before anything that follows it. An exchange or fence would keep the cache misses
 * of one call from overlapping with those of the next: it waits for every earlier store (and mfence
 * costs hundreds of ns beside misses). */
static inline void
barrier_publish (_Atomic uint64_t *mine, uint64_t what)
{
  if (__builtin_expect (barrier_asymmetric, 1))
    {
      atomic_store_explicit (mine, what, memory_order_release);
      atomic_signal_fence (memory_order_seq_cst); /* the compiler keeps the order too */
      return;
    }
#if defined(__x86_64__) || defined(__i386__)
  (void) atomic_exchange_explicit (mine, what, memory_order_seq_cst);
#else
  atomic_store_explicit (mine, what, memory_order_release);
  atomic_thread_fence (memory_order_seq_cst);
#endif
}

#endif
