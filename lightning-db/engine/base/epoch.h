/* SPDX-License-Identifier: MIT */
/*
 * epoch: readers look at shared structures without locks; what a writer unlinks is freed only when
 * no reader can still be looking.
 *
 *   reader    epoch_enter ();  p = atomic_load (&shared);  … use p …  epoch_leave ();
 *   writer    old = atomic_exchange (&shared, new);  epoch_retire (old, free_it);
 *
 * One process-wide clock and one slot per thread, claimed on first use and given back when the
 * thread ends. enter costs one load and one exchange, leave one store; both nest. A section must
 * be short and must not block on another thread; anything longer takes a reference or a pin on
 * what it found and leaves.
 *
 * Invariants
 *   E1  A retired object is freed only after every thread that was inside when it was retired has
 *       left at least once.
 *   E2  Retiring never frees on the caller's stack while the caller is inside a section.
 *   E3  No timer: freeing happens in epoch_retire, epoch_collect and the caches' own evictors.
 *
 * Threads: everything here may be called from any thread.
 * After fork() the child's slots of other threads are cleared (pthread_atfork).
 */
#ifndef LIGHTNING_BASE_EPOCH_H
#define LIGHTNING_BASE_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

void epoch_enter (void);
void epoch_leave (void);
bool epoch_inside (void); /* for asserts */

/* Frees `object` with `release (object)` once E1 allows. Must be called outside a section or inside
 * one; `release` runs on some later caller's thread, outside any section. Never fails: the link is
 * embedded in the object. */
struct epoch_link {
  struct epoch_link *next;               /* the retire list's, or NULL */
  void (*release) (struct epoch_link *); /* set by epoch_retire */
  uint64_t epoch;                        /* the clock when it was retired */
};
void epoch_retire (struct epoch_link *link, void (*release) (struct epoch_link *));

/* Frees what may be freed now; `wait`: spins (yielding) until all that was retired before the call
 * is free. Only for closing, never inside a section. */
void epoch_collect (bool wait);

/* For evictors that keep their own lists: the present clock, advanced by one; and the oldest clock
 * any thread may still be inside of. What was unlinked at `now` is free when oldest > now. */
uint64_t epoch_advance (void);
uint64_t epoch_oldest (void);

#endif
