/* SPDX-License-Identifier: MIT */
/*
 * epoch: slots, clock and retire lists.
 *
 *   retire ──push──▶ [fresh: lock-free stack] ──batch, stamped──▶ [limbo: queue] ──▶ release
 *                                                                                       │
 *                                       slow part ◀──taken whole── [deferred: stack] ◀──push
 *
 * A reader publishes its clock, then reads a shared pointer; a collector has unlinked an object,
 * then scans the slots (base/barrier.h): either it sees that the reader is inside, or the reader
 * cannot find the object. That the published clock may be older than the present one only makes the
 * object wait longer.
 *
 * Invariants
 *   C1  Slots live for ever: chunks are appended to the list and never freed, so a scan needs no
 *       protection. A slot beyond its chunk's high-water mark has never been entered.
 *   C2  limbo is touched only by the holder of `collecting`, and its stamps never decrease.
 *   C3  A batch is stamped with the clock read by epoch_advance after it was taken off the stack,
 *       so the stamp is not before any of its retirements; it is free when epoch_oldest exceeds it.
 */
#include "base/epoch.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS_PER_CHUNK 256u
#define CASCADE_DEPTH 16u  /* how long a chain of releases that retire a waiting collect follows */
#define LOOKS_YIELDING 64u /* turns of who waits before it sleeps between them, */
#define LOOK_NANOSECONDS 100000 /* for so long */

struct slot_chunk
{
  struct epoch_slot slots[SLOTS_PER_CHUNK]; /* one cache line each */
  _Atomic unsigned used;              /* high-water mark: slots at or beyond it were never used */
  _Atomic (struct slot_chunk *) next; /* appended once, never removed (C1) */
};

struct shared_slot
{
  struct epoch_slot slot; /* entered by the first inside, left by the last */
  pthread_mutex_t lock;   /* guards count */
  unsigned inside;        /* threads in a section through this slot */
};

struct retired
{
  alignas (EPOCH_CACHE_LINE) _Atomic (struct epoch_link *) fresh; /* stack, newest first */
  _Atomic unsigned fresh_count; /* pushed since the stack was last taken, about */
  _Atomic bool collecting;      /* a try-lock; its holder owns limbo */
  _Atomic unsigned cascades;    /* retirements by release functions and their slow parts */
  _Atomic (struct epoch_link *) deferred; /* stack of what is slow, newest first */
  _Atomic unsigned deferring;             /* threads that took some of it and are at it */
  struct epoch_link *limbo;               /* queue, oldest first (C2) */
  struct epoch_link *limbo_end;           /* the last of it; meaningless when limbo is NULL */
};

__thread struct epoch_thread epoch_self __attribute__ ((tls_model ("initial-exec")));
struct epoch_clock epoch_clock = { 1 };

static __thread bool releasing __attribute__ ((tls_model ("initial-exec"))); /* holds collecting */
static __thread bool deferring __attribute__ ((tls_model ("initial-exec"))); /* runs a slow part */

static struct slot_chunk first_chunk;
static struct shared_slot shared = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct retired retired;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key; /* its value is the thread's slot */
static bool thread_key_works;    /* written once by start */

/* --- slots ------------------------------------------------------------------------------------ */

/* The thread ends, and can no longer be looking at anything. Other destructors that run later may
 * enter again: they claim anew, and this runs again. */
static void
give_slot_back (void *data)
{
  struct epoch_slot *slot = data;
  epoch_self = (struct epoch_thread){ NULL, 0 };
  atomic_store_explicit (&slot->entered, 0, memory_order_release);
  atomic_store_explicit (&slot->claimed, false, memory_order_release);
}

static void
clear_chunk (struct slot_chunk *chunk)
{
  for (unsigned i = 0; i < SLOTS_PER_CHUNK; i++)
    if (&chunk->slots[i] != epoch_self.slot)
      {
        atomic_store_explicit (&chunk->slots[i].entered, 0, memory_order_relaxed);
        atomic_store_explicit (&chunk->slots[i].claimed, false, memory_order_relaxed);
      }
}

/* Only the forking thread lives on in the child. Lists may have been cut in mid-change and belong
 * to the parent: they are dropped. */
static void
after_fork_in_child (void)
{
  for (struct slot_chunk *chunk = &first_chunk; chunk != NULL;
       chunk = atomic_load_explicit (&chunk->next, memory_order_relaxed))
    clear_chunk (chunk);

  pthread_mutex_init (&shared.lock, NULL);
  shared.inside = epoch_self.slot == NULL && epoch_self.depth > 0 ? 1 : 0;
  if (shared.inside == 0)
    atomic_store_explicit (&shared.slot.entered, 0, memory_order_relaxed);

  atomic_store_explicit (&retired.fresh, NULL, memory_order_relaxed);
  atomic_store_explicit (&retired.fresh_count, 0, memory_order_relaxed);
  atomic_store_explicit (&retired.collecting, releasing, memory_order_relaxed);
  atomic_store_explicit (&retired.deferred, NULL, memory_order_relaxed);
  atomic_store_explicit (&retired.deferring, deferring ? 1 : 0, memory_order_relaxed);
  retired.limbo = NULL;
}

static void
start (void)
{
  barrier_start ();
  pthread_atfork (NULL, NULL, after_fork_in_child);
  thread_key_works = pthread_key_create (&thread_key, give_slot_back) == 0;
}

/* `first`: the number of the chunk's first slot. */
static struct epoch_slot *
claim_in (struct slot_chunk *chunk, uint32_t first)
{
  for (unsigned i = 0; i < SLOTS_PER_CHUNK; i++)
    {
      struct epoch_slot *slot = &chunk->slots[i];
      if (atomic_load_explicit (&slot->claimed, memory_order_relaxed)
          || atomic_exchange_explicit (&slot->claimed, true, memory_order_acq_rel))
        continue;
      slot->number = first + i;
      unsigned used = atomic_load (&chunk->used);
      while (used <= i && !atomic_compare_exchange_weak (&chunk->used, &used, i + 1))
        ;
      return slot;
    }
  return NULL;
}

/* The chunk after `chunk`, made when there is none; NULL when out of memory. */
static struct slot_chunk *
following_chunk (struct slot_chunk *chunk)
{
  struct slot_chunk *next = atomic_load (&chunk->next);
  if (next != NULL)
    return next;
  struct slot_chunk *made = aligned_alloc (EPOCH_CACHE_LINE, sizeof *made);
  if (made == NULL)
    return NULL;
  memset (made, 0, sizeof *made);
  if (atomic_compare_exchange_strong (&chunk->next, &next, made))
    return made;
  free (made); /* another thread was first */
  return next;
}

/* For other threads to ask how much the calling one has run. */
static void
note_clock (struct epoch_slot *slot)
{
  clockid_t clock;
  if (pthread_getcpuclockid (pthread_self (), &clock) != 0)
    clock = INT_MAX; /* there is none of that number */
  atomic_store_explicit (&slot->clock, clock, memory_order_relaxed);
}

/* NULL when out of memory, or of thread-specific keys. */
static struct epoch_slot *
claim_slot (void)
{
  pthread_once (&start_once, start);
  if (!thread_key_works)
    return NULL;
  struct epoch_slot *slot = NULL;
  uint32_t first = 0;
  for (struct slot_chunk *chunk = &first_chunk; chunk != NULL && slot == NULL;
       chunk = slot == NULL ? following_chunk (chunk) : NULL, first += SLOTS_PER_CHUNK)
    slot = claim_in (chunk, first);
  if (slot != NULL && pthread_setspecific (thread_key, slot) != 0)
    {
      atomic_store_explicit (&slot->claimed, false, memory_order_release);
      slot = NULL;
    }
  if (slot != NULL)
    note_clock (slot);
  return slot;
}

bool
epoch_thread_time (uint32_t number, uint64_t *out)
{
  struct slot_chunk *chunk = &first_chunk;
  for (; chunk != NULL && number >= SLOTS_PER_CHUNK; number -= SLOTS_PER_CHUNK)
    chunk = atomic_load (&chunk->next);
  if (chunk == NULL)
    return false;
  struct epoch_slot *slot = &chunk->slots[number];
  struct timespec time;
  if (!atomic_load_explicit (&slot->claimed, memory_order_relaxed)
      || clock_gettime (atomic_load_explicit (&slot->clock, memory_order_relaxed), &time) != 0)
    return false;
  *out = (uint64_t) time.tv_sec * 1000000000 + (uint64_t) time.tv_nsec;
  return true;
}

/* First section of this thread, or no memory when it last tried. depth is already counted. */
void
epoch_enter_unslotted (void)
{
  struct epoch_slot *slot = claim_slot ();
  if (slot != NULL)
    {
      epoch_self.slot = slot;
      epoch_publish (slot);
      return;
    }
  pthread_mutex_lock (&shared.lock);
  if (shared.inside++ == 0)
    epoch_publish (&shared.slot);
  pthread_mutex_unlock (&shared.lock);
}

void
epoch_leave_unslotted (void)
{
  pthread_mutex_lock (&shared.lock);
  assert (shared.inside > 0);
  if (--shared.inside == 0)
    atomic_store_explicit (&shared.slot.entered, 0, memory_order_release);
  pthread_mutex_unlock (&shared.lock);
}

size_t
epoch_thread_count (void)
{
  size_t count = 0;
  for (struct slot_chunk *chunk = &first_chunk; chunk != NULL; chunk = atomic_load (&chunk->next))
    {
      unsigned used = atomic_load (&chunk->used);
      for (unsigned i = 0; i < used; i++)
        count += atomic_load_explicit (&chunk->slots[i].claimed, memory_order_relaxed);
    }
  return count;
}

/* --- the clock -------------------------------------------------------------------------------- */

uint64_t
epoch_advance (void)
{
  return atomic_fetch_add (&epoch_clock.now, 1);
}

static uint64_t
older (uint64_t oldest, struct epoch_slot *slot)
{
  uint64_t entered = atomic_load (&slot->entered);
  return entered != 0 && entered < oldest ? entered : oldest;
}

uint64_t
epoch_oldest (void)
{
  pthread_once (&start_once, start);
  uint64_t oldest = atomic_fetch_add (&epoch_clock.now, 0);
  barrier_all ();
  for (struct slot_chunk *chunk = &first_chunk; chunk != NULL; chunk = atomic_load (&chunk->next))
    {
      unsigned used = atomic_load (&chunk->used);
      for (unsigned i = 0; i < used; i++)
        oldest = older (oldest, &chunk->slots[i]);
    }
  return older (oldest, &shared.slot);
}

/* --- retiring --------------------------------------------------------------------------------- */

static bool
take_collecting (void)
{
  return !atomic_load_explicit (&retired.collecting, memory_order_relaxed)
         && !atomic_exchange_explicit (&retired.collecting, true, memory_order_acquire);
}

static void
drop_collecting (void)
{
  atomic_store_explicit (&retired.collecting, false, memory_order_release);
}

/* Moves the fresh stack to the end of limbo, oldest first; returns the stamp (C3). */
static uint64_t
stamp_fresh (void)
{
  struct epoch_link *link = atomic_exchange_explicit (&retired.fresh, NULL, memory_order_acquire);
  struct epoch_link *oldest_first = NULL, *newest = link;
  atomic_store_explicit (&retired.fresh_count, 0, memory_order_relaxed);
  uint64_t now = epoch_advance ();
  while (link != NULL)
    {
      struct epoch_link *next = link->next;
      link->epoch = now;
      link->next = oldest_first;
      oldest_first = link;
      link = next;
    }
  if (oldest_first == NULL)
    return now;
  if (retired.limbo == NULL)
    retired.limbo = oldest_first;
  else
    retired.limbo_end->next = oldest_first;
  retired.limbo_end = newest;
  return now;
}

/* One turn, by the holder of `collecting`. Returns the stamp that all now fresh got. */
static uint64_t
collect_once (void)
{
  uint64_t now = stamp_fresh ();
  uint64_t oldest = epoch_oldest ();
  releasing = true;
  while (retired.limbo != NULL && retired.limbo->epoch < oldest)
    {
      struct epoch_link *link = retired.limbo;
      retired.limbo = link->next;
      link->next = NULL;
      link->release (link);
    }
  releasing = false;
  return now;
}

static void
push (_Atomic (struct epoch_link *) *stack, struct epoch_link *link)
{
  link->next = atomic_load_explicit (stack, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit (stack, &link->next, link, memory_order_release,
                                                 memory_order_relaxed))
    ;
}

/* Not by who holds `collecting`. */
static void
run_deferred (void)
{
  if (atomic_load_explicit (&retired.deferred, memory_order_relaxed) == NULL)
    return;
  atomic_fetch_add (&retired.deferring, 1); /* before taking it: who waits sees one or the other */
  struct epoch_link *link = atomic_exchange (&retired.deferred, NULL);
  deferring = true;
  while (link != NULL)
    {
      struct epoch_link *next = link->next;
      link->release (link);
      link = next;
    }
  deferring = false;
  atomic_fetch_sub (&retired.deferring, 1);
}

/* Between two looks at what other threads do: a turn of the processor at first, then longer. */
static void
pause_for_others (unsigned *looks)
{
  if (++*looks <= LOOKS_YIELDING)
    sched_yield ();
  else
    nanosleep (&(struct timespec){ 0, LOOK_NANOSECONDS }, NULL);
}

/* Until nobody has slow parts left. */
static void
finish_deferred (void)
{
  unsigned looks = 0;
  run_deferred ();
  while (atomic_load (&retired.deferred) != NULL || atomic_load (&retired.deferring) > 0)
    {
      pause_for_others (&looks);
      run_deferred ();
    }
}

static void
collect_and_wait (void)
{
  uint64_t target = UINT64_MAX; /* the stamp that must be free */
  unsigned followed = 0;        /* cascades whose retirements the target includes */
  unsigned turns_left = CASCADE_DEPTH;
  for (unsigned looks = 0;; pause_for_others (&looks))
    {
      if (!take_collecting ())
        continue;
      unsigned cascades = atomic_load (&retired.cascades);
      uint64_t now = collect_once ();
      if (target == UINT64_MAX || (cascades != followed && turns_left-- > 0))
        {
          target = now;
          followed = cascades;
        }
      bool free = retired.limbo == NULL || retired.limbo->epoch > target;
      drop_collecting ();
      finish_deferred ();
      bool chase = turns_left > 0 && atomic_load (&retired.cascades) != followed;
      if (free && !chase)
        return;
    }
}

void
epoch_collect (bool wait)
{
  assert (!epoch_inside ());
  if (releasing || deferring || epoch_inside ())
    return;
  if (wait)
    {
      collect_and_wait ();
      return;
    }
  epoch_collect_memory ();
  run_deferred ();
}

void
epoch_collect_memory (void)
{
  if (releasing || epoch_inside () || !take_collecting ())
    return;
  collect_once ();
  drop_collecting ();
}

void
epoch_defer (struct epoch_link *link, void (*release) (struct epoch_link *))
{
  link->release = release;
  push (&retired.deferred, link);
}

void
epoch_retire (struct epoch_link *link, void (*release) (struct epoch_link *))
{
  link->release = release;
  push (&retired.fresh, link);
  if (releasing || deferring)
    atomic_fetch_add (&retired.cascades, 1);
  unsigned count = atomic_fetch_add_explicit (&retired.fresh_count, 1, memory_order_relaxed) + 1;
  if (count >= EPOCH_BATCH && !releasing && !epoch_inside ())
    epoch_collect_memory ();
}
