/* SPDX-License-Identifier: MIT */
/*
 * slow-calls: the newest calls that took longer than the threshold, with what they waited for; and
 * one get, step by step, on request.
 */
#include "core/call.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int) ENGINE_WAITS == (int) WAITS && (int) ENGINE_STEPS == (int) STEPS
                   && (int) ENGINE_WAIT_TURN == (int) WAIT_TURN
                   && (int) ENGINE_STEP_OTHER == (int) STEP_OTHER,
               "what callers see agrees with what is timed");

void
engine_set_slow_threshold (struct engine *engine, uint64_t nanoseconds)
{
  atomic_store_explicit (&engine->slow_threshold, nanoseconds, memory_order_relaxed);
}

void
call_note_slow (struct engine *engine, const struct engine_slow_call *call)
{
  struct slow_calls *slow = &engine->slow_calls;
  pthread_mutex_lock (&slow->lock);
  count_locked (engine->metrics, SHARED_SLOW_CALLS, 1);
  if (slow->ring == NULL)
    slow->ring = malloc (ENGINE_SLOW_CALLS * sizeof *slow->ring);
  slow->count++;
  if (slow->ring != NULL)
    {
      struct engine_slow_call *place = &slow->ring[slow->count % ENGINE_SLOW_CALLS];
      *place = *call;
      place->number = slow->count;
      slow->kept += slow->kept < ENGINE_SLOW_CALLS;
    }
  pthread_mutex_unlock (&slow->lock);
  engine_slow_call_note *note = atomic_load_explicit (&engine->slow_note, memory_order_relaxed);
  if (note != NULL)
    note (call);
}

void
engine_watch_slow_calls (struct engine *engine, engine_slow_call_note *note)
{
  atomic_store_explicit (&engine->slow_note, note, memory_order_relaxed);
}

size_t
engine_slow_calls (struct engine *engine, uint64_t after, struct engine_slow_call *out, size_t room)
{
  struct slow_calls *slow = &engine->slow_calls;
  size_t given = 0;
  pthread_mutex_lock (&slow->lock);
  uint64_t oldest = slow->count - slow->kept + 1, number = after + 1 > oldest ? after + 1 : oldest;
  for (; number <= slow->count && given < room && after < UINT64_MAX; number++)
    out[given++] = slow->ring[number % ENGINE_SLOW_CALLS];
  pthread_mutex_unlock (&slow->lock);
  return given;
}
