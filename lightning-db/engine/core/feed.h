/* SPDX-License-Identifier: MIT */
/*
 * feed: what was committed, commit by commit, and the call that says when there is more. The public
 * part is in engine.h.
 *
 * Invariants
 *   D1  A feed gives each commit after its start once, in order, when it is visible and not before.
 *   D2  Nothing is captured when commits are made: the log is the feed. A commit pays one load, of
 *       the listener.
 *   D3  A listener is looked at under the commit lock, behind the publication: who sets one under
 *       the same lock either sees the commit, or is seen.
 *   D4  A listener is called without locks, once; who takes it away waits for the call.
 */
#ifndef LIGHTNING_FEED_H
#define LIGHTNING_FEED_H

#include "core/engine-private.h"

/* Listeners to be called, taken from the engine. */
struct wakes
{
  struct listener *taken[LISTENERS]; /* whose calls they are */
  void (*calls[LISTENERS]) (void *data);
  void *data[LISTENERS];
  unsigned count;
};

/* Takes those that what is visible by now is for. commit_lock held, behind the publication. */
void feed_take_wakes_slow (struct engine *engine, struct wakes *out);
static inline void
feed_take_wakes (struct engine *engine, struct wakes *out)
{
  out->count = 0;
  if (__builtin_expect (atomic_load_explicit (&engine->published, memory_order_relaxed)
                            > engine->awaited,
                        0)) /* D2 */
    feed_take_wakes_slow (engine, out);
}
void feed_call_slow (struct engine *engine, const struct wakes *wakes);
/* Calls what was taken. Without locks. */
static inline void
feed_call (struct engine *engine, const struct wakes *wakes)
{
  if (__builtin_expect (wakes->count > 0, 0))
    feed_call_slow (engine, wakes);
}
/* Calls all who wait, as the files are others. Without locks. */
void feed_wake (struct engine *engine);
/* Like engine_await_commit, for any kind of listener. */
void feed_await (struct engine *engine, enum listener_kind kind, uint64_t sequence,
                 void (*call) (void *data), void *data);
/* The log closes: feeds no longer touch it. Behind engine_close's gate. */
void feed_detach_all (struct engine *engine);
/* The engine is closing: whoever waits is told. Without locks. */
void feed_close (struct engine *engine);

#endif
