/* SPDX-License-Identifier: MIT */
/*
 * feed: what was committed, commit by commit, and the call that says when there is more. The public
 * part is in engine.h.
 *
 * Invariants
 *   D1  A feed gives each commit after its start once, in order, when it is visible and not before.
 *   D2  Nothing is captured when commits are made: the log is the feed. A commit pays one load, of the
 *       listener.
 *   D3  A listener is looked at under the commit lock, behind the publication: who sets one under the
 *       same lock either sees the commit, or is seen.
 *   D4  A listener is called without locks, once; who takes it away waits for the call.
 */
#ifndef LIGHTNING_FEED_H
#define LIGHTNING_FEED_H

#include "core/engine-private.h"

/* Takes the listener if what is visible by now is what it waits for. commit_lock held, behind the
 * publication. */
struct wake feed_take_wake_slow (struct engine *engine);
static inline struct wake
feed_take_wake (struct engine *engine)
{
  if (__builtin_expect (engine->listener.call == NULL, 1)) /* D2 */
    return (struct wake){ NULL, NULL };
  return feed_take_wake_slow (engine);
}
void feed_call_slow (struct engine *engine, struct wake wake);
/* Calls what was taken. Without locks. */
static inline void
feed_call (struct engine *engine, struct wake wake)
{
  if (__builtin_expect (wake.call != NULL, 0))
    feed_call_slow (engine, wake);
}
/* The log closes: feeds no longer touch it. Behind engine_close's gate. */
void feed_detach_all (struct engine *engine);
/* The engine is closing: whoever waits is told. Without locks. */
void feed_close (struct engine *engine);

#endif
