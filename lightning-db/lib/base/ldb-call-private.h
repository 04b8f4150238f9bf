/* SPDX-License-Identifier: MIT */
/*
 * LdbCall: one asynchronous operation: its arguments, its work, its outcome.
 *
 * The work runs on a small pool of threads of our own, never on GTask's; everything else happens in
 * the main context the operation was started in: progress, completion, and the release of all that
 * the caller handed over. After the work has begun, cancelling is up to the work.
 */
#pragma once

#include <pthread.h>

#include "engine.h"
#include "ldb-outbox-private.h"
#include "ldb-place-private.h"

G_BEGIN_DECLS

/* Short work may wait for one disk access or sync; long work may take as long as it likes. Endless
 * work waits for somebody else, perhaps for days, on a thread of its own. */
typedef enum
{
  LDB_WORK_SHORT,
  LDB_WORK_LONG,
  LDB_WORK_ENDLESS,
} LdbWorkKind;

typedef struct _LdbCall LdbCall;

/* Does the work and fills in `result`. FALSE with `error` unset is a result too (absent, ended). */
typedef gboolean (*LdbCallFunc) (LdbCall *call, GError **error);

/* Progress of long work; on the stack of a synchronous call, or in an LdbCall. */
typedef struct _LdbProgress
{
  LdbProgressFunc func;      /* the caller's, or NULL */
  gpointer data;             /* for it */
  GDestroyNotify destroy;    /* of data, or NULL */
  GCancellable *cancellable; /* stops the work; borrowed, may be NULL */
  GMainContext *context;     /* where to call func; NULL = here and now. Owned. */
  pthread_mutex_t lock;      /* guards the rest; used only with a context */
  GSource *source;           /* about to call func, or NULL; owned */
  guint64 done, total;       /* newest */
  char *step;                /* newest */
  LdbDatabase *database;     /* that is worked on; borrowed, may be NULL */

  const struct _LdbProgress *outer; /* set while func runs: the one that was running before */
} LdbProgress;

/* Makes the result of a call of another process from its reply. NULL: error. */
typedef gpointer (*LdbAnswerFunc) (GVariant *reply, GError **error);

struct _LdbCall
{
  LdbCallFunc run;            /* the work */
  LdbPlace place;             /* what it works on; owned, fields may be NULL */
  GObject *subject;           /* cursor, batch, loader; owned, or NULL */
  GBytes *first;              /* key, start or prefix; owned */
  GBytes *second;             /* value or end; owned */
  GPtrArray *array;           /* keys or records; owned */
  GVariantType *type;         /* wanted; owned */
  LdbOptions *options;        /* owned */
  GVariant *arguments;        /* of a call of another process; owned */
  const char *reply_type;     /* of such a call; static */
  LdbAnswerFunc answer;       /* of such a call, or NULL */
  gpointer wish;              /* of several such calls; owned */
  GDestroyNotify wish_free;   /* of wish */
  char *path;                 /* path or name; owned */
  char *other_path;           /* owned */
  guint flags;                /* of the operation, or which move */
  guint64 number;             /* of the operation */
  guint64 start, count;       /* a stretch, or how many are wanted */
  LdbForm form;               /* what to return a value as */
  LdbProgress progress;       /* of long work */
  GCancellable *cancellable;  /* borrowed from the task */
  gint *busy;                 /* released on completion, or NULL; see ldb_busy_enter */
  gboolean succeeded;         /* what run returned */
  gpointer result;            /* when result_free is set: what the operation returns */
  GDestroyNotify result_free; /* set by whoever starts a call that returns a pointer */
  GError *error;              /* why it failed */
  GTask *task;                /* while a worker or an outbox has it; owned */
  LdbCall *next;              /* in the pool's queue */
  LdbOutbox *outbox;          /* of its context, which the task holds */
  LdbDelivery delivery;       /* through the outbox */
  /* Called in the context before the end is told, or NULL. */
  void (*returning) (LdbCall *call);
};

LdbCall *ldb_call_new (LdbCallFunc run, const LdbPlace *place);

/* Takes `call` over and runs it. A closed or forked database fails without a thread. */
void ldb_call_start (LdbCall *call, const LdbReply *reply, LdbWorkKind kind);

/* The same for an object that works on one call at a time: see ldb_busy_enter. */
void ldb_call_start_alone (LdbCall *call, const LdbReply *reply, LdbWorkKind kind, gint *busy,
                           const char *what);

/* Takes `call` over and completes it with what it holds, or with `error` (transfer full). */
void ldb_call_complete (LdbCall *call, const LdbReply *reply, GError *error);

/* Takes `call` over, to be run when ldb_call_go_on() is called, once, on any thread: what starts it
 * then is not the caller. */
void ldb_call_hold (LdbCall *call, const LdbReply *reply);
/* Has it run by a worker; `here`: on this thread, since it only looks at what is known by now. */
void ldb_call_go_on (LdbCall *call, gboolean here);
/* Ends it without running it: it failed with `error` (transfer full), or did what it was to do. */
void ldb_call_end (LdbCall *call, GError *error);

/* For ldb-worker.c: does the work, on a worker. */
void ldb_call_run (LdbCall *call);

/* Completes a call that could not even begin; `error` (transfer full). */
void ldb_reply_error (const LdbReply *reply, GError *error);

/* Takes `call` over and runs it here: the synchronous form. */
gboolean ldb_call_now (LdbCall *call, GCancellable *cancellable, GError **error);
gpointer ldb_call_now_pointer (LdbCall *call, GCancellable *cancellable, GError **error);

gboolean ldb_call_finish (gpointer source, GAsyncResult *result, gpointer tag, GError **error);
gpointer ldb_call_finish_pointer (gpointer source, GAsyncResult *result, gpointer tag,
                                  GError **error);

/* Has the progress of a synchronous call told in its own thread; `func` may be NULL. */
void ldb_call_tell_here (LdbCall *call, LdbProgressFunc func, gpointer data);
/* Has it told in the thread-default main context of this thread. */
void ldb_call_tell_later (LdbCall *call, LdbProgressFunc func, gpointer data,
                          GDestroyNotify destroy);

/* A closure (may be NULL) as LdbProgressFunc, data and GDestroyNotify. */
void ldb_closure_progress (guint64 done, guint64 total, const char *step, gpointer closure);
gpointer ldb_closure_hold (GClosure *closure);
void ldb_closure_release (gpointer closure);

/* Of type engine_progress; `data` is an LdbProgress. */
bool ldb_progress_report (void *data, uint64_t done, uint64_t total, const char *step);

/* Whether this thread is in the progress function of a synchronous operation on `database`, which
 * cannot end before the function does. */
gboolean ldb_call_is_within (LdbDatabase *database);

/* One operation at a time on an object: FALSE with LDB_ERROR_PENDING while another is under way. */
gboolean ldb_busy_enter (gint *busy, const char *what, GError **error);
void ldb_busy_leave (gint *busy);
/* The same without claiming the object, for what only that one thread may do beside. */
gboolean ldb_busy_check (const gint *busy, const char *what, GError **error);

/* Whether no call is under way, for what needs no claim. */
static inline gboolean
ldb_busy_is_free (const gint *busy)
{
  return __atomic_load_n (busy, __ATOMIC_ACQUIRE) == 0;
}

/* The same around a synchronous call on an object of one thread at a time. Without the locked
 * instructions, which cost as much as the move of a cursor: two threads that break the rule at the
 * very same moment are not told. */
static inline gboolean
ldb_busy_enter_here (gint *busy, const char *what, GError **error)
{
  if (G_UNLIKELY (__atomic_load_n (busy, __ATOMIC_ACQUIRE) != 0))
    return ldb_busy_enter (busy, what, error);
  __atomic_store_n (busy, 1, __ATOMIC_RELAXED);
  return TRUE;
}

static inline void
ldb_busy_leave_here (gint *busy)
{
  __atomic_store_n (busy, 0, __ATOMIC_RELEASE);
}

G_END_DECLS
