/* SPDX-License-Identifier: MIT */
/*
 * call: how a call of the engine begins and ends, as metrics see it.
 *
 * One in so many calls of each thread is sampled: timed as a whole and step by step. How many, is
 * drawn anew each time around the interval, so that no rhythm of the application hides from it. The
 * others pay for a decrement and a branch when they begin, and a load and a branch when they end.
 *
 * Threads: any.
 */
#ifndef LIGHTNING_CORE_CALL_H
#define LIGHTNING_CORE_CALL_H

#include "base/timing.h"
#include "core/engine-private.h"

/* The thread's turn came: whether this call is to be sampled. Draws the next one. */
bool call_take_sample (struct engine *engine);
void call_end_slowly (struct engine *engine, struct steps *steps, enum engine_call kind,
                      engine_store store, struct bytes key, size_t size);

/* slow-calls.c; all but the number. */
void call_note_slow (struct engine *engine, const struct engine_slow_call *call);

/* A call begins; whether it is to be sampled. */
static inline bool
call_is_due (struct engine *engine)
{
  return timing_begin () && call_take_sample (engine);
}

/* The same. Returns `taken` when the call is sampled, else NULL. */
static inline struct steps *
call_begin (struct engine *engine, struct steps *taken)
{
  return __builtin_expect (call_is_due (engine), 0) ? steps_begin (taken) : NULL;
}

/* `size`: bytes of the value, or of all that the call is about. */
static inline void
call_end (struct engine *engine, struct steps *steps, enum engine_call kind, engine_store store,
          struct bytes key, size_t size)
{
  if (__builtin_expect (steps != NULL, 0) || timing_may_have_waited ())
    call_end_slowly (engine, steps, kind, store, key, size);
}

#endif
