/* SPDX-License-Identifier: MIT */
/*
 * epoch: readers look at shared structures without locks; what a writer unlinks is freed only when
 * no reader can still be looking.
 *
 *   reader    epoch_enter ();  p = atomic_load (&shared);  … use p …  epoch_leave ();
 *   writer    old = atomic_exchange (&shared, new);  epoch_retire (old, free_it);
 *
 * One process-wide clock and one slot per thread, claimed on first use and given back when the
 * thread ends. enter costs one load and one plain store, leave one store; both nest. The barrier
 * that a reader would need between its store and its first look is made by whoever collects, in
 * all threads at once (membarrier); where the kernel cannot, readers pay for it with an exchange.
 * A section must be short and must not block on another thread; anything longer takes a reference
 * or a pin on what it found and leaves.
 *
 * Invariants
 *   E1  A retired object is freed only after every thread that was inside when it was retired has
 *       left at least once.
 *   E2  Retiring never frees on the caller's stack while the caller is inside a section.
 *   E3  No timer: freeing happens in epoch_retire, epoch_collect and the caches' own evictors. What
 *       was deferred is left to epoch_collect.
 *
 * Threads: everything here may be called from any thread.
 * After fork() the child's slots of other threads are cleared (pthread_atfork). What was retired
 * before the fork is never released in the child: its files and locks are the parent's.
 * When no memory is left for a slot, a thread enters through one shared slot instead: slower, and
 * holding back more, but never failing.
 */
#ifndef LIGHTNING_BASE_EPOCH_H
#define LIGHTNING_BASE_EPOCH_H

#include "base/barrier.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EPOCH_CACHE_LINE 64

/* Private to the inline functions below. */
struct epoch_slot
{
  alignas (EPOCH_CACHE_LINE) _Atomic uint64_t entered; /* the clock at entry; 0 = outside */
  _Atomic bool claimed;                                /* some thread owns it */
  uint32_t number;                                     /* of the slot, from 0; its owner's */
  _Atomic int clock; /* a clockid_t: the owner's processor time; of no meaning when not claimed */
};

struct epoch_thread
{
  struct epoch_slot *slot; /* owned by this thread; NULL before first use, or out of memory */
  uint32_t depth;          /* sections entered and not left */
};

struct epoch_clock
{
  alignas (EPOCH_CACHE_LINE) _Atomic uint64_t now; /* starts at 1, so that 0 can mean outside */
};

extern __thread struct epoch_thread epoch_self
    __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));
extern struct epoch_clock epoch_clock __attribute__ ((visibility ("hidden")));

void epoch_enter_unslotted (void);
void epoch_leave_unslotted (void);

/* Publishes the present clock, before anything the section reads. */
static inline void
epoch_publish (struct epoch_slot *slot)
{
  barrier_publish (&slot->entered, atomic_load_explicit (&epoch_clock.now, memory_order_acquire));
}

static inline void
epoch_enter (void)
{
  if (epoch_self.depth++ > 0)
    return;
  if (__builtin_expect (epoch_self.slot != NULL, 1))
    epoch_publish (epoch_self.slot);
  else
    epoch_enter_unslotted ();
}

static inline void
epoch_leave (void)
{
  if (--epoch_self.depth > 0)
    return;
  if (__builtin_expect (epoch_self.slot != NULL, 1))
    atomic_store_explicit (&epoch_self.slot->entered, 0, memory_order_release);
  else
    epoch_leave_unslotted ();
}

static inline bool
epoch_inside (void) /* for asserts */
{
  return epoch_self.depth > 0;
}

/* Frees `object` with `release (object)` once E1 allows. Must be called outside a section or inside
 * one; `release` runs on some later caller's thread, outside any section, and may retire more.
 * Never fails: the link is embedded in the object. Collection is amortised over EPOCH_BATCH calls:
 * after retiring something large, call epoch_collect (false) outside a section. */
struct epoch_link
{
  struct epoch_link *next;               /* the retire list's, or NULL */
  void (*release) (struct epoch_link *); /* set by epoch_retire */
  uint64_t epoch; /* a clock not before it was retired; unused once deferred */
};
#define EPOCH_BATCH 64
void epoch_retire (struct epoch_link *link, void (*release) (struct epoch_link *));

/* Frees what may be freed now; `wait`: looks again and again until all that was retired before the
 * call is free, and what its release functions retired in turn. Only for closing, never inside a
 * section or a release function (it returns at once there). */
void epoch_collect (bool wait);

/* Frees what may be freed now but for what was deferred, so that it takes no longer than memory
 * does. */
void epoch_collect_memory (void);

/* For a release function: what is slow about it (closing and unlinking files) is done by `release
 * (object)` behind it, when others may collect again: else all that was retired meanwhile,
 * memtables above all, waited for the disk. By epoch_collect, on its caller's thread. It may retire
 * more. */
void epoch_defer (struct epoch_link *link, void (*release) (struct epoch_link *));

/* For evictors that keep their own lists: returns the present clock and advances it by one; and the
 * oldest clock any thread may still be inside of. What was unlinked before `now = epoch_advance ()`
 * is free when epoch_oldest () > now. */
uint64_t epoch_advance (void);
uint64_t epoch_oldest (void);

/* The calling thread's present section, for what nobody else can have seen: it is free when that is
 * over, whatever other threads are inside of. */
struct epoch_visit
{
  const struct epoch_slot *slot; /* of the thread; NULL = it has none: nothing can be said */
  uint64_t entered;              /* what it published */
};
static inline struct epoch_visit
epoch_visit (void)
{
  const struct epoch_slot *slot = epoch_self.slot;
  return (struct epoch_visit){
    slot, slot != NULL ? atomic_load_explicit (&slot->entered, memory_order_relaxed) : 0
  };
}
/* By any thread. Not certain before the clock has advanced and the thread entered again, or is
 * outside. */
static inline bool
epoch_visit_is_over (const struct epoch_visit *visit)
{
  return atomic_load_explicit (&visit->slot->entered, memory_order_acquire) != visit->entered;
}

/* Threads that own a slot now. */
size_t epoch_thread_count (void);

#define EPOCH_NO_NUMBER UINT32_MAX

/* A small number that no other living thread has, for figures kept per thread: what its last owner
 * wrote is visible to the next. EPOCH_NO_NUMBER before the thread's first section, or without
 * memory for a slot. */
static inline uint32_t
epoch_thread_number (void)
{
  return epoch_self.slot != NULL ? epoch_self.slot->number : EPOCH_NO_NUMBER;
}

/* The processor time of the thread with that number, nanoseconds. False when there is none, or when
 * the system doesn't tell. The number may become another thread's meanwhile. */
bool epoch_thread_time (uint32_t number, uint64_t *out);

#endif
