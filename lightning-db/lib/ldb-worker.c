/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. A call is owned by one thread at a time: the starter, then a worker, then its context.
 *   2. A thread of a pool is counted in `threads`, and in `idle` exactly while it waits for work.
 *   3. While calls are queued, each has an idle thread that was woken for it, or all threads that
 *      the pool may have are at work.
 *   4. An outbox is ready exactly while calls are in it, and stays with its context for good: a
 *      context has at most one.
 */
#include "config.h"

#include "ldb-worker-private.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "ldb-error-private.h"

/* Commits that wait for a sync share it, so more threads than processors make sense. */
#define SHORT_THREADS 8
#define LONG_THREADS 4
/* A thread without work waits so long for more. */
#define IDLE_SECONDS 5
/* An outbox lets the other sources of its context have their turn after so many calls. */
#define DELIVERY_MAX 64

typedef struct
{
  LdbCall *first; /* NULL when empty */
  LdbCall **end;  /* where the next one is linked in; meaningless when empty */
  guint length;   /* how many there are */
} Queue;

static void
queue_push (Queue *queue, LdbCall *call)
{
  call->next = NULL;
  *(queue->first != NULL ? queue->end : &queue->first) = call;
  queue->end = &call->next;
  queue->length++;
}

static LdbCall *
queue_pop (Queue *queue)
{
  LdbCall *call = queue->first;
  if (call == NULL)
    return NULL;
  queue->first = call->next;
  queue->length--;
  return call;
}

/* ---- the way back ---- */

typedef struct
{
  GSource source;        /* attached to its context; ready while calls are here */
  GMainContext *context; /* borrowed: it destroys the source when it goes */
  pthread_mutex_t lock;  /* guards calls */
  Queue calls;           /* that have been run */
} Outbox;

static pthread_mutex_t outboxes_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *outboxes; /* of all contexts so far that live; owned; guarded by the lock */

static LdbCall *
outbox_pop (Outbox *outbox)
{
  pthread_mutex_lock (&outbox->lock);
  LdbCall *call = queue_pop (&outbox->calls);
  if (outbox->calls.first == NULL)
    g_source_set_ready_time (&outbox->source, -1);
  pthread_mutex_unlock (&outbox->lock);
  return call;
}

/* What comes in meanwhile waits for the next turn. A callback may run the context itself, so each
 * call is taken out before its callback is called. */
static gboolean
outbox_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Outbox *outbox = (Outbox *) source;
  LdbCall *call;
  pthread_mutex_lock (&outbox->lock);
  guint count = MIN (outbox->calls.length, DELIVERY_MAX);
  pthread_mutex_unlock (&outbox->lock);
  while (count-- > 0 && (call = outbox_pop (outbox)) != NULL)
    ldb_call_returned (call);
  return G_SOURCE_CONTINUE;
}

/* The context has gone, perhaps with another thread: what others did to the outbox, and what they
 * read of it while they looked for theirs, comes first. Never called with outboxes_lock held. */
static void
outbox_finalize (GSource *source)
{
  Outbox *outbox = (Outbox *) source;
  pthread_mutex_lock (&outboxes_lock);
  pthread_mutex_unlock (&outboxes_lock);
  pthread_mutex_lock (&outbox->lock);
  pthread_mutex_unlock (&outbox->lock);
  pthread_mutex_destroy (&outbox->lock);
}

static GSourceFuncs outbox_funcs = { .dispatch = outbox_dispatch, .finalize = outbox_finalize };

static Outbox *
outbox_new (GMainContext *context)
{
  Outbox *outbox = (Outbox *) g_source_new (&outbox_funcs, sizeof (Outbox));
  outbox->context = context;
  pthread_mutex_init (&outbox->lock, NULL);
  g_source_set_static_name (&outbox->source, "[lightning-db] completions");
  g_source_set_can_recurse (&outbox->source, TRUE);
  g_source_attach (&outbox->source, context);
  return outbox;
}

/* The outbox of a context that is alive, and stays so while the caller has a call for it. */
static Outbox *
outbox_of (GMainContext *context)
{
  Outbox *found = NULL;
  g_autoptr (GPtrArray) dead = NULL;
  pthread_mutex_lock (&outboxes_lock);
  if (outboxes == NULL)
    outboxes = g_ptr_array_new ();
  for (guint i = outboxes->len; i > 0 && found == NULL; i--)
    {
      Outbox *outbox = g_ptr_array_index (outboxes, i - 1);
      /* A dead context's address may be another's now. */
      if (g_source_is_destroyed (&outbox->source))
        {
          if (dead == NULL)
            dead = g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref);
          g_ptr_array_add (dead, g_ptr_array_remove_index_fast (outboxes, i - 1));
        }
      else if (outbox->context == context)
        found = outbox;
    }
  if (found == NULL)
    {
      found = outbox_new (context);
      g_ptr_array_add (outboxes, found);
    }
  pthread_mutex_unlock (&outboxes_lock);
  return found;
}

static void
outbox_push (Outbox *outbox, LdbCall *call)
{
  pthread_mutex_lock (&outbox->lock);
  gboolean was_empty = outbox->calls.first == NULL;
  queue_push (&outbox->calls, call);
  if (was_empty)
    g_source_set_ready_time (&outbox->source, 0);
  pthread_mutex_unlock (&outbox->lock);
}

/* ---- the threads ---- */

typedef struct
{
  pthread_mutex_t lock; /* guards the rest */
  pthread_cond_t work;  /* a call was queued */
  gboolean clocked;     /* work waits by the monotonic clock */
  Queue calls;          /* to be run */
  guint threads, idle;  /* of the pool; those that wait */
  guint threads_max;    /* as many as there may be */
} Pool;

#define POOL_INIT(max)                                                                             \
  {                                                                                                \
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .threads_max = (max)                      \
  }
static Pool pools[] = {
  [LDB_WORK_SHORT] = POOL_INIT (SHORT_THREADS),
  [LDB_WORK_LONG] = POOL_INIT (LONG_THREADS),
};

/* With the lock held: the next call, or NULL when none came for a while. */
static LdbCall *
pool_wait (Pool *pool)
{
  struct timespec end;
  int outcome = 0;
  clock_gettime (CLOCK_MONOTONIC, &end);
  end.tv_sec += IDLE_SECONDS;
  pool->idle++;
  while (pool->calls.length == 0 && outcome == 0)
    outcome = pthread_cond_timedwait (&pool->work, &pool->lock, &end);
  pool->idle--;
  if (pool->calls.length == 0)
    return NULL;
  return queue_pop (&pool->calls);
}

static void *
work (void *data)
{
  Pool *pool = data;
  LdbCall *call;
  pthread_mutex_lock (&pool->lock);
  while ((call = pool_wait (pool)) != NULL)
    {
      pthread_mutex_unlock (&pool->lock);
      Outbox *outbox = call->outbox;
      ldb_call_run (call);
      outbox_push (outbox, call);
      pthread_mutex_lock (&pool->lock);
    }
  pool->threads--;
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

/* With the lock held. A thread of ours takes no signals: they are the application's. */
static int
pool_add_thread (Pool *pool)
{
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset (&all);
  pthread_attr_init (&attributes);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  int code = pthread_create (&thread, &attributes, work, pool);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  pthread_attr_destroy (&attributes);
  if (code != 0)
    return code;
  pthread_setname_np (thread, "ldb-worker");
  pool->threads++;
  return 0;
}

/* With the lock held, before the first thread. */
static void
pool_set_clock (Pool *pool)
{
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&pool->work, &attributes);
  pthread_condattr_destroy (&attributes);
  pool->clocked = TRUE;
}

void
ldb_worker_skip (LdbCall *call, GMainContext *context)
{
  outbox_push (outbox_of (context), call);
}

gboolean
ldb_worker_push (LdbCall *call, LdbWorkKind kind, GMainContext *context, GError **error)
{
  Pool *pool = &pools[kind];
  int code = 0;
  call->outbox = outbox_of (context);
  pthread_mutex_lock (&pool->lock);
  if (!pool->clocked)
    pool_set_clock (pool);
  if (pool->calls.length + 1 > pool->idle && pool->threads < pool->threads_max)
    code = pool_add_thread (pool);
  gboolean taken = pool->threads > 0;
  if (taken)
    {
      queue_push (&pool->calls, call);
      if (pool->idle > 0)
        pthread_cond_signal (&pool->work);
    }
  pthread_mutex_unlock (&pool->lock);
  return taken
         || ldb_error_set (error, LDB_ERROR_NO_MEMORY,
                           "No thread could be started for the operation: %s. Try again later, or "
                           "use the synchronous form.",
                           g_strerror (code));
}

void
ldb_worker_forget (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pools); i++)
    pools[i] = (Pool) POOL_INIT (pools[i].threads_max);
  outboxes_lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  outboxes = NULL; /* an outbox in the child may be locked by a thread that is not there */
}
