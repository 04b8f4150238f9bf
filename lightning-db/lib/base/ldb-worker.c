/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. A call is owned by one thread at a time: the starter, then a worker, then its context.
 *   2. A thread of a pool is counted in `threads`, and in `idle` exactly while it waits for work.
 *   3. While calls are queued, each has an idle thread that was woken for it, or all threads that
 *      the pool may have are at work.
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

static void
run_call (LdbCall *call)
{
  ldb_call_run (call);
  ldb_outbox_push (call->outbox, &call->delivery);
}

static void *
work (void *data)
{
  Pool *pool = data;
  LdbCall *call;
  ldb_worker_name_thread ("ldb-worker");
  pthread_mutex_lock (&pool->lock);
  while ((call = pool_wait (pool)) != NULL)
    {
      pthread_mutex_unlock (&pool->lock);
      run_call (call);
      pthread_mutex_lock (&pool->lock);
    }
  pool->threads--;
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

void
ldb_worker_name_thread (const char *name)
{
  pthread_setname_np (pthread_self (), name);
}

int
ldb_worker_start_thread (void *(*run) (void *data), void *data)
{
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset (&all);
  pthread_attr_init (&attributes);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  int code = pthread_create (&thread, &attributes, run, data);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  pthread_attr_destroy (&attributes);
  return code;
}

/* With the lock held. */
static int
pool_add_thread (Pool *pool)
{
  int code = ldb_worker_start_thread (work, pool);
  if (code == 0)
    pool->threads++;
  return code;
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
  ldb_outbox_push (ldb_outbox_of (context), &call->delivery);
}

static void *
work_alone (void *data)
{
  ldb_worker_name_thread ("ldb-waiter");
  run_call (data);
  return NULL;
}

static gboolean
fail_no_thread (int code, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_NO_MEMORY,
                        "No thread could be started for the operation: %s. Try again later, or "
                        "use the synchronous form.",
                        g_strerror (code));
}

gboolean
ldb_worker_push (LdbCall *call, LdbWorkKind kind, GMainContext *context, GError **error)
{
  int code = 0;
  call->outbox = ldb_outbox_of (context);
  if (kind == LDB_WORK_ENDLESS)
    {
      code = ldb_worker_start_thread (work_alone, call);
      return code == 0 || fail_no_thread (code, error);
    }
  Pool *pool = &pools[kind];
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
  return taken || fail_no_thread (code, error);
}

void
ldb_worker_forget (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pools); i++)
    pools[i] = (Pool) POOL_INIT (pools[i].threads_max);
}
