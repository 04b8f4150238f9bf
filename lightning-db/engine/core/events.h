/* SPDX-License-Identifier: MIT */
/*
 * events: what happened to a database that does not happen with every call: flushes, merges, stalls,
 * conflicts, failures. The newest are kept, for whoever asks, and one caller can be woken.
 *
 * Invariants
 *   E1  Events have numbers from 1, without gaps, in the order in which they were noted.
 *   E2  Two rings: what a load brings with it (flushes, merges, stalls, conflicts) never drives out
 *       what is rare. Each has the newest of its kinds; what is in neither any more was lost, and
 *       whoever lists is told how many of those that is.
 *   E3  What says the same as the newest of its ring (a key in conflict, an error) only counts
 *       there: a page that can't be read is one event, however often somebody tries. What fails
 *       again and again (a flush to a full disk, each second, to another file each time) counts
 *       with the last that said the same but for its numbers, and has the newest message, until it
 *       works again.
 *   E4  Noting allocates nothing and waits for nothing but the lock, which is held for moments. A
 *       get or a commit that succeeds never comes here.
 *
 * Threads: any, with whichever locks held: the lock is a leaf.
 */
#ifndef LIGHTNING_CORE_EVENTS_H
#define LIGHTNING_CORE_EVENTS_H

#include "engine.h"

#include <pthread.h>

struct metrics;

/* What is to be noted; all but the kind may be left out. */
struct event_note
{
  enum engine_event_kind kind;
  uint64_t bytes, bytes_read, microseconds; /* as in struct engine_event */
  const struct failure *failure;            /* its code and message */
  struct bytes internal_key;                /* CONFLICT: with the store before it */
};

struct event_ring
{
  uint8_t *places;   /* by the number within the ring, modulo capacity; malloc'd */
  size_t place_size; /* bytes: whole events, or without the message */
  uint64_t capacity; /* places */
  uint64_t count;    /* events that went there, ever */
};

struct events
{
  pthread_mutex_t lock;          /* guards all that follows */
  uint64_t count;                /* events ever: the newest one's number */
  struct event_ring often, rare; /* E2 */
  engine_event_wake *wake;       /* engine_watch_events; NULL: nobody */
  void *wake_data;               /* for it */
  uint64_t corruptions;          /* CORRUPT, repeats too */
  struct failure corruption;     /* the newest */
  struct failure following;      /* why another process is not followed; STATUS_OK: it is */
};

status events_init (struct events *events, struct failure *failure);
void events_clear (struct events *events);
void events_note (struct events *events, struct metrics *metrics, const struct event_note *note);
/* Following another process fails since now; NULL: it works again. */
void events_note_following (struct engine *engine, const struct failure *cause);

#endif
