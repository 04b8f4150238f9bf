/* SPDX-License-Identifier: MIT */
/*
 * The inside of hub and observers, for ldb-hub*.c and ldb-observer.c. The contract is in
 * ldb-hub-private.h.
 *
 * What happens to an observer
 *
 *          new                 round                    push               context
 *   (none) ───▶ joined, quiet ───────▶ joined, pending ───────▶ QUEUED ───────────▶ HANDLING ─┐
 *                     ▲                  │     ▲                  │ pause, loss               │ done
 *                     │                  │     └──────────────────┘                           │
 *                     │                  ▼ too much, or the feed failed                       │
 *                     └───────────────  lost ──▶ QUEUED (resync) ──▶ HANDLING ────────────────┘
 *
 * `way` (NONE, QUEUED, HANDLING) is the frame's, under the hub's lock; joined, pending and lost are
 * the hub's thread's. Both go on beside each other: while a frame is handled the next touches
 * gather.
 */
#pragma once

#include "base/metrics.h"
#include "ldb-hub-private.h"
#include "ldb-outbox-private.h"
#include "ldb-range-map-private.h"
#include "ldb-touch-private.h"

#include <pthread.h>

G_BEGIN_DECLS

/* Where the frame of an observer is. */
typedef enum
{
  LDB_WAY_NONE,     /* there is none */
  LDB_WAY_QUEUED,   /* in the outbox, or just out of it */
  LDB_WAY_HANDLING, /* with the owner */
} LdbWay;

/* What other threads have to say to the hub's. */
typedef enum
{
  LDB_NOTICE_JOIN = 1 << 0,  /* it is new, or its resync is being handled: it goes on from `join` */
  LDB_NOTICE_LEAVE = 1 << 1, /* it was closed */
  LDB_NOTICE_SETTINGS = 1 << 2, /* paused, interval or limit are others */
  LDB_NOTICE_RETURNED = 1 << 3, /* `frame` comes back undelivered, or a resync does */
  LDB_NOTICE_REPLAY = 1 << 4,   /* it begins anew at `replay` */
  LDB_NOTICE_RESUMED = 1 << 5,  /* all that is visible by now comes in its next frame */
} LdbNotice;

struct _LdbObserver
{
  gint references;       /* of the owner, the hub's lists and a delivery; atomic */
  LdbHub *hub;           /* a reference */
  LdbDatabase *database; /* whose handle it belongs to; borrowed, only compared */
  GWeakRef owner;        /* who handles frames */
  LdbFrameFunc handle;   /* how */
  GMainContext *context; /* where; a reference, which keeps outbox */
  LdbOutbox *outbox;     /* of context */
  LdbDelivery delivery;  /* in the outbox while QUEUED */
  LdbBound lower, upper; /* what is observed; owned */
  gboolean single;       /* exactly one key */
  guint flags;           /* LdbWatchFlags and LDB_OBSERVE_… */
  guint limit;           /* keys and ranges; atomic */
  guint64 id;            /* its number in the hub */

  /* What it was told; written in its context, atomic. */
  guint64 deliveries; /* how often */
  guint64 changes;    /* without resyncs */
  guint64 resyncs;    /* how often that everything is to be read anew */
  guint64 lag;        /* commits that it was behind when it was told last */

  guint64 coalesced; /* changes that went up in others; written on the hub's thread, atomic */

  /* Guarded by the hub's lock. */
  LdbWay way;               /* of the frame */
  guint64 pushed;           /* when it was QUEUED: nanoseconds, monotonic */
  LdbFrame *frame;          /* while QUEUED, and RETURNED; NULL for a resync; owned */
  gboolean closed;          /* no more frames */
  gboolean end_due;         /* the owner is still to be told that its handle was closed */
  gboolean last;            /* nothing follows the frame that is under way: the store is gone */
  gboolean paused;          /* no frames for now */
  gint64 interval;          /* microseconds */
  guint listed;             /* position in hub->observers, plus 1; 0: not in there */
  guint notices;            /* LdbNotice, unread */
  LdbObserver *next_notice; /* in hub->notices while there are notices; the list has a reference */
  LdbPin *join;             /* the state to go on from; owned */
  guint64 join_sequence;    /* the commit it stands at */
  struct engine_feed *replay; /* at the commit from which to begin anew; owned */

  /* The hub's thread's, or guarded by hub->lock while there is none. */
  guint live;            /* position in hub->live, plus 1; 0: not joined, or lost */
  guint waits;           /* position in hub->waiting, plus 1; 0: not in there */
  gboolean lost;         /* too much gathered: a resync is due or under way */
  gboolean emptied;      /* all of its store was deleted: perhaps that was dropped */
  gboolean dropped;      /* it was: its next frame is the last */
  LdbStoreName *name;    /* of its store; owned; NULL: every store, or not known */
  guint64 told;          /* commits up to here are known, when that is more than the hub has read */
  LdbPin *base;          /* the state at which the pending began; NULL: the hub's newest; owned */
  guint64 base_sequence; /* the commit it stands at */
  gboolean baseless;     /* the pending began at base_sequence, but nothing holds that state */
  GPtrArray *pending;    /* LdbTouch, to be told; owned; NULL when there never was one */
  guint64 oldest;        /* when the first of them was committed, nanoseconds, monotonic; M3 */
  gsize pending_bytes;   /* what they would take if they were its own, about */
  gint64 sent;           /* when its last frame was, monotonic; 0: there was none */
  guint64 shown;         /* the commit that `after` of it stands at, or of the join */
  guint64 shown_files;   /* the hub's `files` then */
};

typedef struct _LdbTiming LdbTiming;

/* A cursor over an older state, for all frames that are made at one time. */
typedef struct
{
  guint64 sequence;             /* the commit it stands at */
  engine_store store;           /* it goes through */
  gboolean keys_only;           /* it reads no values */
  LdbPin *state;                /* it shows; owned */
  struct engine_cursor *cursor; /* owned */
} LdbHubCursor;

struct _LdbHub
{
  gint references;         /* of the share and of observers; atomic */
  struct engine *engine;   /* a reference */
  struct metrics *metrics; /* the engine's, in which what is told is counted */
  guint generation;        /* ldb_fork_generation when it was made */
  pthread_mutex_t lock;    /* guards what follows up to the next remark */
  pthread_cond_t work;     /* something for the thread; by the monotonic clock */
  pthread_cond_t gone;     /* the thread has ended */

  gboolean running;     /* there is a thread */
  gboolean stopping;    /* the engine is about to be closed: no thread, no observers any more */
  gboolean roused;      /* there is something to look at */
  gboolean wants_done;  /* the thread waits for frames to be handled */
  LdbObserver *notices; /* those with notices, newest first */
  GPtrArray *observers; /* all that are not closed; borrowed */
  LdbAwaiter *awaiters; /* who waits for a commit */
  guint64 turns;        /* how often somebody began to wait */
  guint64 armed;        /* the engine tells of the first commit above it, if it was armed */
  LdbFrame *garbage;    /* large frames, to be freed by the thread, linked by next_garbage */
  guint64 last_id;      /* of an observer */
  LdbTiming *timing;    /* what is noted for who looks on; NULL: nobody ever did; owned */
  gboolean timed;       /* it is; set on the thread, atomic */
  LdbObserver *kicked;  /* in whose context a thread will be started again; a reference */
  LdbDelivery kick;     /* that will do it */

  /* The thread's, or guarded by the lock while there is none. */
  struct engine_feed *feed; /* at `position`; NULL: none, or it failed; owned */
  guint64 position;         /* commits up to here were read */
  LdbPin *newest;           /* the state at `position`; NULL while there are no observers; owned */
  guint64 files;            /* how often it was taken anew, as its files were not those of now */
  gint64 read_at;           /* when it was read last, monotonic */
  gint64 renewed_at;        /* when states were renewed last, monotonic */
  GPtrArray *live;          /* observers that are joined; references */
  GPtrArray *waiting;       /* observers that have pending or are lost; borrowed */
  GPtrArray *hasty;         /* live ones with an interval below LDB_FRAME_INTERVAL; borrowed */
  guint ahead;              /* live ones with `told` set */
  LdbRangeMap map;          /* of the live ones */
  gboolean live_changed;    /* map and hasty are to be made anew */
  gsize touch_bytes;        /* what touches take, each counted once */
  gsize pending_count;      /* of all observers: touches in their pending */
  GHashTable *names;        /* engine_store → LdbStoreName or NULL */
  GArray *cursors;          /* of LdbHubCursor; empty but while frames are made */
  GHashTable *touched;      /* the keys of this round: a set of LdbTouch */
  GPtrArray *answers;       /* of LdbTouch: those with a change; empty but while frames are made */
};

/* Bounds on what gathers, beside each observer's own limit. */
#define LDB_PENDING_BYTES_MAX ((gsize) 16 << 20)     /* of one observer */
#define LDB_ALL_PENDING_BYTES_MAX ((gsize) 64 << 20) /* of all */
#define LDB_FRAME_BYTES_MAX ((gsize) 64 << 20)       /* values of one frame with several changes */

/* ---- ldb-hub.c ---- */

/* With the lock held: tells the thread. */
void ldb_hub_notice (LdbHub *self, LdbObserver *observer, LdbNotice notice);
/* With the lock held: has the thread look. */
void ldb_hub_rouse (LdbHub *self);

/* On the thread: has the engine tell of a commit above that one. */
void ldb_hub_await_above (LdbHub *self, guint64 sequence);

/* ---- ldb-hub-timing.c ---- */

/* With the lock held, on the hub's thread: whether anybody looks on. */
void ldb_hub_review_timing (LdbHub *self);
/* With the lock held: there is a commit above `armed`. */
void ldb_hub_mark_commit (LdbHub *self);
/* With the lock held: the engine will say when. */
void ldb_hub_note_armed (LdbHub *self);
/* On the hub's thread, which sleeps until `at` though there are commits up to `visible`: has the next ones
 * timed. Returns when to wake up for that, at the latest at `at`. */
gint64 ldb_hub_time_commits (LdbHub *self, guint64 visible, gint64 at);
/* On the hub's thread: nanoseconds, monotonic; 0: not known. */
guint64 ldb_hub_find_commit_time (LdbHub *self, guint64 sequence);
/* The frame is about to be handled. Any thread. */
void ldb_hub_note_delivery (LdbHub *self, const LdbObserver *observer, const LdbFrame *frame);

/* ---- ldb-hub-read.c, on the hub's thread ---- */

/* Takes the observer up behind the commit `sequence`, where `base` (taken over) stands. */
void ldb_hub_join (LdbHub *self, LdbObserver *observer, LdbPin *base, guint64 sequence);
/* The same without a state: everything since the feed's place (taken over) is told. */
void ldb_hub_replay (LdbHub *self, LdbObserver *observer, struct engine_feed *feed);
/* Lets go of it, whatever it is doing. */
void ldb_hub_leave (LdbHub *self, LdbObserver *observer);
/* Forgets what gathered for it: its next frame is a resync. */
void ldb_hub_lose (LdbHub *self, LdbObserver *observer);
/* Takes back a frame that was not delivered. */
void ldb_hub_take_back (LdbHub *self, LdbObserver *observer, LdbFrame *frame);
/* Finds out whether the observer's store was dropped, as of a state; NULL: now. */
void ldb_hub_look_for_store (LdbHub *self, LdbObserver *observer, LdbPin *state);
/* Forgets the pending of an observer. */
void ldb_hub_settle (LdbHub *self, LdbObserver *observer);
/* Reads what is visible by now. FALSE: the engine is closed. */
gboolean ldb_hub_read (LdbHub *self);
/* With no observer left to read for: holds nothing. */
void ldb_hub_rest (LdbHub *self);
void ldb_hub_list_waiting (LdbHub *self, LdbObserver *observer);
void ldb_hub_unlist_waiting (LdbHub *self, LdbObserver *observer);
/* Sorts the pending, with one touch of each key. */
void ldb_hub_compact (LdbHub *self, LdbObserver *observer);

/* ---- ldb-hub-frame.c, on the hub's thread ---- */

/* Makes a frame of what is pending. OK with NULL: nothing changed after all. TOO_MANY: it would be
 * too large. Else what the engine said. */
status ldb_frame_build (LdbHub *hub, LdbObserver *observer, LdbFrame **out);
/* After the frames of one time: lets go of what they had in common. */
void ldb_hub_end_frames (LdbHub *self);
LdbFrame *ldb_frame_new (LdbHub *hub, LdbPin *before, guint64 since, LdbPin *after,
                         guint64 sequence, GPtrArray *changes);
/* A frame that says that nothing is known but the state `after` (taken over). Any thread. */
LdbFrame *ldb_frame_new_resync (LdbObserver *observer, LdbPin *after, guint64 sequence);
/* A frame of the newest state, in which nothing that the observer knows is different. */
LdbFrame *ldb_frame_new_state (LdbHub *hub, LdbObserver *observer);
/* Now, whoever calls. */
void ldb_frame_free (LdbFrame *self);

/* ---- ldb-observer.c ---- */

static inline guint
ldb_observer_get_limit (const LdbObserver *self)
{
  return __atomic_load_n (&self->limit, __ATOMIC_RELAXED);
}

/* On the hub's thread: so many more went up in others, or came to nothing. */
static inline void
ldb_observer_count_coalesced (LdbObserver *self, guint64 more)
{
  __atomic_store_n (&self->coalesced, self->coalesced + more, __ATOMIC_RELAXED);
}

LdbObserver *ldb_observer_ref (LdbObserver *self);
void ldb_observer_unref (gpointer self);
/* With the lock held, on the hub's thread: sends a frame (taken over), or a resync when NULL. */
void ldb_observer_push (LdbObserver *self, LdbFrame *frame);
/* With the lock held: takes what is QUEUED back, if it can still be had; *frame is it, or NULL for
 * a resync. The delivery's reference becomes the caller's. */
gboolean ldb_observer_pull (LdbObserver *self, LdbFrame **frame);
/* With the lock held: the handle was closed, or the store is gone. */
void ldb_observer_end (LdbObserver *self);

G_END_DECLS
