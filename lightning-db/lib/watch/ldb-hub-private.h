/* SPDX-License-Identifier: MIT */
/*
 * LdbHub: what is committed, told to whoever observes a part of it. Each shared engine has one,
 * from its first observer on. It reads the engine's feed once for all observers, finds those that a
 * change concerns, and makes frames of what changed for each of them.
 *
 * LdbObserver: one range of keys that somebody wants to follow. LdbWatch, LdbEntry and LdbListModel
 * each have one (a list one for its range, not one for each row).
 *
 * LdbFrame: all that changed in the range between two states of the database, both held by the
 * frame: `before` is what the observer knows, `after` is what it knows once it has handled the
 * frame.
 *   1. Frames of an observer chain: `before` of each is `after` of the last one, the first one's is
 *      the state at which the observer was made. What lies between two frames that do not touch is
 *      a time in which nothing in the range changed.
 *   2. Changes are disjoint and in rising order of keys: no key is in two of them, not in a range
 *      and a key either. So they may be applied in any order.
 *        PUT           the value after differs from the one before, or there was none
 *        DELETE        there was a value, now there is none
 *        DELETE_RANGE  what was between key and end is gone; there was something
 *        RESYNC        what is between key and end is unknown: read it anew in `after`. A bulk load
 *                      leaves it, for its range; lagging too far, for the whole observed range,
 *                      which is then the only change of the frame, and `before` is NULL.
 *      A key whose value is as it was at `before` is not among them, whatever happened to it
 *      meanwhile, unless LDB_WATCH_UNCHANGED asks for that.
 *   3. `before` is NULL where the state before is not held any more: after a resync and in the
 *      first frame of a replay (ldb_observer_replay). Whoever keeps rows lets go of what he derived
 *      from it.
 *   4. At most one frame of an observer is under way. The next one is made when that was handled,
 *      so a slow observer gets few large frames rather than many small ones, and its handler is
 *      never entered while it runs, also when it runs the main loop.
 *   5. A frame whose changes all vanished is not delivered.
 *   6. When the one store that is observed was dropped, a frame says what became of what was in it,
 *      which may be nothing; then comes the end, as if the database handle were closed.
 *   7. Who holds `after` of the last frame (LDB_OBSERVE_STATE) holds all that is overwritten since,
 *      wherever. So when nothing changed in the range for long, he is given a newer state in a frame
 *      without changes, and without `before`.
 *
 * What gathers for an observer is bounded: distinct keys and their bytes, never values. Beyond
 * the limit all is forgotten and the next frame is a resync.
 *
 * Threads
 *   Functions here: any thread, any time, also for the same observer. The hub works on a thread of
 *   its own, which goes after a few idle seconds; no function of an owner runs on it, and no
 *   GObject is unreferenced on it. Frames are delivered in the main context that was the thread's
 *   default when the observer was made.
 * Locks
 *   One mutex a hub, held for moments and never over a call of the engine; an engine's wake
 *   function takes it.
 */
#pragma once

#include "ldb-change-private.h"
#include "ldb-place-private.h"
#include "ldb-snapshot-private.h"

G_BEGIN_DECLS

typedef struct _LdbHub LdbHub;
typedef struct _LdbObserver LdbObserver;

typedef struct _LdbFrame LdbFrame;

struct _LdbFrame
{
  gint references;    /* free at 0; atomic */
  LdbPin *before;     /* the state before; NULL: not held (see 3); owned */
  LdbPin *after;      /* the state after; owned */
  guint64 since;      /* the commit `before` stands at, or would; 0 of a resync */
  guint64 sequence;   /* the commit `after` stands at */
  guint64 committed;  /* when the first commit it tells of became visible, nanoseconds, monotonic;
                           * 0: not known */
  gboolean resync;    /* everything is to be read anew (see 2) */
  GPtrArray *changes; /* of LdbChange; owned; see 2 */
  LdbHub *hub;        /* that frees it when it is large; a reference */
  LdbFrame *next_garbage; /* in the hub's list of such */
};

/* Handles a frame, in the observer's context, while `owner` is held. TRUE: it is handled. FALSE: it
 * is being handled, and ldb_observer_done() is called later, once; the frame is then to be
 * referenced. `frame` NULL: the observer's database handle was closed, or its store was dropped;
 * nothing follows. */
typedef gboolean (*LdbFrameFunc) (gpointer owner, LdbFrame *frame);

/* Beside LdbWatchFlags. */
#define LDB_OBSERVE_COMMIT_ORDER (1u << 16) /* changes in the order of their commits, not of keys */
#define LDB_OBSERVE_STATE (1u << 17)        /* see 7 */

#define LDB_FRAME_INTERVAL 16000 /* microseconds between two frames of an observer by default */
#define LDB_FRAME_CHANGES 65536  /* keys and ranges that gather for one frame at most, by default */

/* Begins to observe [lower, upper) of the place's store (BYTES_NONE leaves a side open), or every
 * store but the catalogue when `every_store`. Bytes are copied. `owner` is not referenced; it calls
 * ldb_observer_close() when it is disposed. Of the flags, VALUES and OLD_VALUES fill in the values
 * of changes. `base` and `sequence`, which may be NULL, receive the state from which the first
 * frame leads; the caller owns the pin. Fails with CLOSED, FORKED, NO_MEMORY, and
 * NOT_FOUND when memory says that the store was dropped. Takes no disk access. */
LdbObserver *ldb_observer_new (gpointer owner, const LdbPlace *place, gboolean every_store,
                               struct bytes lower, struct bytes upper, LdbWatchFlags flags,
                               LdbFrameFunc handle, LdbPin **base, guint64 *sequence,
                               GError **error);

/* The same for one key, of place's store. */
LdbObserver *ldb_observer_new_key (gpointer owner, const LdbPlace *place, struct bytes key,
                                   LdbWatchFlags flags, LdbFrameFunc handle, LdbPin **base,
                                   guint64 *sequence, GError **error);

/* After a frame for which the function returned FALSE. */
void ldb_observer_done (LdbObserver *self);

/* No frame while paused: what changes gathers, and a frame that is under way but not yet handled is
 * taken back into it. */
void ldb_observer_set_paused (LdbObserver *self, gboolean paused);

/* The least time between two frames in microseconds; 0: as soon as the last one was handled. */
void ldb_observer_set_interval (LdbObserver *self, gint64 interval);

/* As many keys and ranges gather at most; at least 1. */
void ldb_observer_set_limit (LdbObserver *self, guint changes);

/* Begins anew behind the commit `since`: the next frame leads from there, without `before`, and
 * tells every key touched since, also one that is as it was. HISTORY_GONE; may read from the
 * disk. */
gboolean ldb_observer_replay (LdbObserver *self, guint64 since, GError **error);

/* No frame from now on; on another thread than the context's one may be in the middle of being
 * handled. Idempotent. */
void ldb_observer_close (LdbObserver *self);
gboolean ldb_observer_is_closed (LdbObserver *self);
/* Closes it, and gives the caller's reference back. */
void ldb_observer_free (LdbObserver *self);

LdbFrame *ldb_frame_ref (LdbFrame *self);
/* Any thread. Frees little at once; many changes are left to the hub's thread. */
void ldb_frame_unref (LdbFrame *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbFrame, ldb_frame_unref)

/* ---- for LdbShare ---- */

LdbHub *ldb_hub_new (struct engine *engine);
LdbHub *ldb_hub_ref (LdbHub *self);
/* The engine whose commits it tells. */
struct engine *ldb_hub_get_engine (LdbHub *self);
void ldb_hub_unref (LdbHub *self);
/* A handle was closed: its observers end. */
void ldb_hub_end_handle (LdbHub *self, LdbDatabase *database);
/* The engine is about to be closed: gives everything of it back, and waits for the thread to
 * end. */
void ldb_hub_stop (LdbHub *self);

/* ---- for who looks on (ldb-hub-timing.c); any thread ---- */

/* Adds who observes, as LdbActiveWatch. `own`: the handle of inspectors, or NULL. */
void ldb_hub_list_observers (LdbHub *self, const LdbDatabase *own, GPtrArray *list);
/* Adds what they were told, as LdbWatchDelivery, and has it noted for a while. */
void ldb_hub_list_deliveries (LdbHub *self, guint64 after, GPtrArray *list);

/* ---- for whoever only waits for a commit ---- */

typedef struct _LdbAwaiter LdbAwaiter;

struct _LdbAwaiter
{
  guint64 sequence;                 /* for one above this */
  LdbDatabase *database;            /* of whose handle; borrowed, only compared */
  void (*ready) (LdbAwaiter *self); /* called once, on any thread, without locks, when there is one,
                                     * or when the handle was closed, or `unattended`; it calls no
                                     * engine */
  gboolean unattended;              /* there is no thread to look after it, and none to be had */
  LdbAwaiter *next, *previous;      /* in the hub's list; guarded by its lock */
  guint64 turn;                     /* which waiting it is of all; the same */
};

/* The turn; 0: the engine is being closed, or it is `unattended`; `ready` will not be called. */
guint64 ldb_hub_await (LdbHub *self, LdbAwaiter *awaiter);
/* Gives up the waiting of a turn, since the awaiter may have begun another one; 0: whichever it is.
 * FALSE: `ready` is being called, or was. */
gboolean ldb_hub_forsake (LdbHub *self, LdbAwaiter *awaiter, guint64 turn);

G_END_DECLS
