/* SPDX-License-Identifier: MIT */
/*
 * LdbEventRelay: the way of an engine's events to those in this process who listen.
 *
 *   event ─► relay (on the event's thread) ─► outbox ─► listener's context: events since the last
 *
 * Invariants
 *   V1  Nothing gathers but a number: a delivery reads the engine's ring when it comes, so a main loop
 *       that hangs holds no memory, and what the ring has not kept is a gap in the numbers.
 *   V2  A listener's delivery is in the outbox, or just out of it, exactly while it is `queued`; it
 *       then has a reference on the listener.
 *   V3  An event that its owner does not want when it happens wakes nobody.
 *   V4  The relay's lock is a leaf but for the outbox's: it is taken on the event's thread under the
 *       engine's locks, and held over no call of the engine and none of the application's.
 *
 * Threads: any, but handlers are called in the context of the listener.
 */
#pragma once

#include "engine.h"
#include "ldb-event.h"
#include "ldb-log-private.h"

G_BEGIN_DECLS

typedef struct _LdbEventRelay LdbEventRelay;
typedef struct _LdbEventListener LdbEventListener;

/* Handles one event, in the listener's context. */
typedef void (*LdbEventHandler) (gpointer owner, LdbEvent *event);
/* Whether there is a use for an event of that kind now: on any thread, with locks held, and with an
 * owner that may be in the middle of its dispose. */
typedef gboolean (*LdbEventInterest) (gpointer owner, LdbEventKind kind);

/* Listens to the engine, which no other relay may. */
LdbEventRelay *ldb_event_relay_new (struct engine *engine);
LdbEventRelay *ldb_event_relay_ref (LdbEventRelay *self);
void ldb_event_relay_unref (LdbEventRelay *self);
/* The events that were not taken yet, oldest first (element-type LdbEvent): of all callers, each event
 * goes to one. */
GPtrArray *ldb_event_relay_take (LdbEventRelay *self);
/* Whether a line of that kind may be written now: ldb_log_rate_take. */
gboolean ldb_event_relay_may_log (LdbEventRelay *self, LdbLogKind kind, guint64 *held_back);
/* Before the engine is closed: no events from then on. */
void ldb_event_relay_stop (LdbEventRelay *self);

/* Tells of events from now on. `owner` is held weakly and is to close the listener before it is
 * finalized; `is_wanted` NULL: all are wanted. */
LdbEventListener *ldb_event_listener_new (LdbEventRelay *relay, GObject *owner,
                                          GMainContext *context, LdbEventHandler handle,
                                          LdbEventInterest is_wanted);
/* Events above that number are to be told, also those that were before. In the listener's
 * context. */
void ldb_event_listener_go_back (LdbEventListener *self, guint64 after);
/* `handle` is not called any more, but for one that another thread is just in. Takes the reference
 * over. */
void ldb_event_listener_close (LdbEventListener *self);

G_END_DECLS
