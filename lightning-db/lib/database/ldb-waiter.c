/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. A queue is listed, and has its thread, exactly while somebody is in it.
 *   2. Who is in a queue is taken out once, and whoever did that calls `ended`.
 *   3. A queue's thread lies in the kernel only after somebody was told LOCKED and nothing was
 *      heard of since: whoever comes then is LOCKED, too.
 */
#include "config.h"

#include "ldb-waiter-private.h"

#include <pthread.h>

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-worker-private.h"

typedef struct _LdbWaitQueue LdbWaitQueue;

struct _LdbWaitQueue
{
  char *path;               /* absolute; owned */
  GQueue waiters;           /* in the order in which they came */
  LdbWaiter *trying;        /* the first of them, while the thread tries it without the lock */
  gboolean roused;          /* something happened since the thread began to try */
  struct engine_turn *turn; /* kept from one wait to the next; NULL: none yet, or cancelled */
  LdbWaitQueue *next;       /* in the list */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all queues and waiters */
static LdbWaitQueue *queues;                             /* all of them */

/* ---- with the lock held ---- */

static LdbWaitQueue *
find_queue (const char *path)
{
  LdbWaitQueue *queue = queues;
  while (queue != NULL && strcmp (queue->path, path) != 0)
    queue = queue->next;
  return queue;
}

static void
put_in (LdbWaitQueue *queue, LdbWaiter *waiter)
{
  waiter->link = (GList){ .data = waiter };
  waiter->queue = queue;
  g_queue_push_tail_link (&queue->waiters, &waiter->link);
}

static void
take_out (LdbWaiter *waiter)
{
  g_queue_unlink (&waiter->queue->waiters, &waiter->link);
  waiter->queue = NULL;
}

static void
rouse (LdbWaitQueue *queue)
{
  queue->roused = TRUE;
  if (queue->turn != NULL)
    engine_turn_cancel (queue->turn);
}

static void
unlist (LdbWaitQueue *queue)
{
  LdbWaitQueue **place = &queues;
  while (*place != queue)
    place = &(*place)->next;
  *place = queue->next;
}

/* ---- the thread of a queue; lock held, and given back meanwhile ---- */

static void
end (LdbWaiter *waiter, GError *error)
{
  take_out (waiter);
  pthread_mutex_unlock (&lock);
  waiter->ended (waiter, error);
  pthread_mutex_lock (&lock);
}

/* Tries one after the other, until all have ended or one is LOCKED. */
static void
try_each (LdbWaitQueue *queue)
{
  gboolean locked = FALSE;
  while (!locked && queue->waiters.length > 0)
    {
      GError *error = NULL;
      LdbWaiter *waiter = queue->trying = g_queue_peek_head (&queue->waiters);
      pthread_mutex_unlock (&lock);
      gboolean done = ldb_share_try (waiter->handle, waiter->takes_over, &locked, &error);
      pthread_mutex_lock (&lock);
      queue->trying = NULL;
      if (!done && waiter->reason != NULL)
        {
          g_clear_error (&error);
          error = g_steal_pointer (&waiter->reason);
        }
      else if (!done && locked)
        {
          g_clear_error (&error);
          continue;
        }
      g_clear_error (&waiter->reason);
      end (waiter, error);
    }
}

/* All of them fail for the same reason. */
static void
fail_all (LdbWaitQueue *queue, status code, const struct failure *failure)
{
  LdbWaiter *waiter;
  while ((waiter = g_queue_peek_head (&queue->waiters)) != NULL)
    {
      GError *error = NULL;
      ldb_error_check_path (&error, code, failure, queue->path);
      end (waiter, error);
    }
}

/* Until nobody writes, or something happened here. */
static void
lie_in_wait (LdbWaitQueue *queue)
{
  struct failure failure = FAILURE_INIT;
  struct engine_turn *turn = queue->turn;
  status code = STATUS_OK;
  pthread_mutex_unlock (&lock);
  if (turn == NULL)
    code = engine_turn_new (queue->path, NULL, &turn, &failure);
  pthread_mutex_lock (&lock);
  queue->turn = turn;
  if (code == STATUS_OK && !queue->roused)
    {
      pthread_mutex_unlock (&lock);
      code = engine_turn_wait (turn, &failure);
      pthread_mutex_lock (&lock);
    }
  if (code != STATUS_OK || queue->roused) /* a turn is cancelled for good */
    g_clear_pointer (&queue->turn, engine_turn_free);
  if (code != STATUS_OK && code != STATUS_CANCELLED)
    fail_all (queue, code, &failure);
}

static void *
serve (void *data)
{
  LdbWaitQueue *queue = data;
  ldb_worker_name_thread ("ldb-waiter");
  pthread_mutex_lock (&lock);
  while (queue->waiters.length > 0)
    {
      queue->roused = FALSE;
      try_each (queue);
      if (queue->waiters.length > 0 && !queue->roused)
        lie_in_wait (queue);
    }
  unlist (queue); /* 1 */
  pthread_mutex_unlock (&lock);
  engine_turn_free (queue->turn);
  g_free (queue->path);
  g_free (queue);
  return NULL;
}

/* ---- coming and going ---- */

/* With the lock held. NULL: no thread could be started. */
static LdbWaitQueue *
add_queue (const char *path)
{
  LdbWaitQueue *queue = g_new0 (LdbWaitQueue, 1);
  queue->path = g_strdup (path);
  if (ldb_worker_start_thread (serve, queue) != 0)
    {
      g_free (queue->path);
      g_free (queue);
      return NULL;
    }
  queue->next = queues;
  queues = queue;
  return queue;
}

void
ldb_waiter_begin (LdbWaiter *self)
{
  pthread_mutex_lock (&lock);
  GError *error = g_steal_pointer (&self->reason);
  LdbWaitQueue *queue = error == NULL ? find_queue (self->handle->location) : NULL;
  if (error == NULL && queue == NULL)
    queue = add_queue (self->handle->location);
  if (queue != NULL)
    put_in (queue, self);
  pthread_mutex_unlock (&lock);
  if (queue == NULL && error == NULL)
    ldb_error_set (&error, LDB_ERROR_NO_MEMORY,
                   "No thread could be started to wait until \"%s\" can be written; try again "
                   "later.",
                   self->handle->path);
  if (queue == NULL)
    self->ended (self, error);
}

void
ldb_waiter_give_up (LdbWaiter *self, GError *reason)
{
  pthread_mutex_lock (&lock);
  LdbWaitQueue *queue = self->queue;
  gboolean taken = queue != NULL && queue->trying != self;
  if (taken)
    {
      take_out (self);
      if (queue->waiters.length == 0)
        rouse (queue);
    }
  else if (self->reason == NULL)
    self->reason = g_steal_pointer (&reason);
  pthread_mutex_unlock (&lock);
  if (taken)
    self->ended (self, g_steal_pointer (&reason));
  g_clear_error (&reason);
}

/* With the lock held: one that waits for the handle still. */
static LdbWaiter *
find_waiter (const LdbDatabase *handle)
{
  for (LdbWaitQueue *queue = queues; queue != NULL; queue = queue->next)
    for (GList *link = queue->waiters.head; link != NULL; link = link->next)
      {
        LdbWaiter *waiter = link->data;
        if (waiter->handle == handle && waiter->reason == NULL)
          return waiter;
      }
  return NULL;
}

static GError *
new_closed_error (const LdbDatabase *handle)
{
  GError *error = NULL;
  ldb_error_set (&error, LDB_ERROR_CLOSED,
                 "The database \"%s\" was closed while it waited to write; open it again.",
                 handle->path);
  return error;
}

void
ldb_waiter_close_handle (LdbDatabase *handle)
{
  LdbWaiter *waiter;
  pthread_mutex_lock (&lock);
  while ((waiter = find_waiter (handle)) != NULL)
    {
      LdbWaitQueue *queue = waiter->queue;
      GError *error = new_closed_error (handle);
      if (queue->trying == waiter)
        {
          waiter->reason = error;
          continue;
        }
      if (queue->waiters.length == 1)
        rouse (queue);
      end (waiter, error);
    }
  pthread_mutex_unlock (&lock);
}

void
ldb_waiter_rouse_all (void)
{
  pthread_mutex_lock (&lock);
  for (LdbWaitQueue *queue = queues; queue != NULL; queue = queue->next)
    rouse (queue);
  pthread_mutex_unlock (&lock);
}

void
ldb_waiter_forget (void)
{
  lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  queues = NULL;
}

/* ---- who waits ---- */

static void
on_cancelled (GCancellable *cancellable, gpointer waiter)
{
  GError *reason = NULL;
  if (g_cancellable_set_error_if_cancelled (cancellable, &reason))
    ldb_waiter_give_up (waiter, reason);
}

/* Before it begins: from then on it may be over. */
static gulong
heed (GCancellable *cancellable, LdbWaiter *waiter)
{
  return cancellable != NULL
             ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), waiter, NULL)
             : 0;
}

/* A thread that waits. */
typedef struct
{
  LdbWaiter waiter;
  pthread_mutex_t lock; /* guards the rest */
  pthread_cond_t news;  /* over was set */
  gboolean over;
  GError *error; /* what came of it; owned */
} Blocked;

static void
end_blocked (LdbWaiter *waiter, GError *error)
{
  Blocked *self = (Blocked *) waiter;
  pthread_mutex_lock (&self->lock);
  self->error = error;
  self->over = TRUE;
  pthread_cond_signal (&self->news);
  pthread_mutex_unlock (&self->lock);
}

static gboolean
wait_here (LdbDatabase *handle, gboolean takes_over, GCancellable *cancellable, GError **error)
{
  Blocked self = { .waiter = { .handle = handle, .takes_over = takes_over, .ended = end_blocked } };
  pthread_mutex_init (&self.lock, NULL);
  pthread_cond_init (&self.news, NULL);
  gulong cancelling = heed (cancellable, &self.waiter);
  ldb_waiter_begin (&self.waiter);
  pthread_mutex_lock (&self.lock);
  while (!self.over)
    pthread_cond_wait (&self.news, &self.lock);
  pthread_mutex_unlock (&self.lock);
  g_cancellable_disconnect (cancellable, cancelling);
  pthread_cond_destroy (&self.news);
  pthread_mutex_destroy (&self.lock);
  g_clear_error (&self.waiter.reason);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return self.error == NULL;
}

gboolean
ldb_waiter_try (LdbDatabase *handle, gboolean takes_over, gboolean waits, GCancellable *cancellable,
                GError **error)
{
  GError *cause = NULL;
  gboolean locked;
  if (ldb_share_try (handle, takes_over, &locked, &cause))
    return TRUE;
  if (locked && waits)
    {
      g_clear_error (&cause);
      return wait_here (handle, takes_over, cancellable, error);
    }
  g_propagate_error (error, cause);
  return FALSE;
}

/* A call that waits; the call has it. */
typedef struct
{
  LdbWaiter waiter;
  LdbCall *call;     /* it */
  gulong cancelling; /* the handler of its cancellable, or 0 */
} Suspended;

static void
suspended_free (gpointer data)
{
  Suspended *self = data;
  g_clear_error (&self->waiter.reason);
  g_free (self);
}

static void
end_suspended (LdbWaiter *waiter, GError *error)
{
  LdbCall *call = ((Suspended *) waiter)->call;
  if (error == NULL && !waiter->takes_over)
    ldb_database_note_opened (waiter->handle);
  if (error == NULL && call->result_free != NULL)
    call->result = g_object_ref (waiter->handle);
  ldb_call_end (call, error);
}

/* In the call's context, before its end is told. */
static void
return_suspended (LdbCall *call)
{
  Suspended *self = call->wish;
  g_cancellable_disconnect (call->cancellable, self->cancelling);
  ldb_database_tell_role (self->waiter.handle);
}

void
ldb_waiter_start (LdbCall *call, const LdbReply *reply, LdbDatabase *handle, gboolean takes_over)
{
  Suspended *self = g_new0 (Suspended, 1);
  self->waiter = (LdbWaiter){ .handle = handle, .takes_over = takes_over, .ended = end_suspended };
  self->call = call;
  call->wish = self;
  call->wish_free = suspended_free;
  call->returning = return_suspended;
  ldb_call_hold (call, reply);
  self->cancelling = heed (reply->cancellable, &self->waiter);
  ldb_waiter_begin (&self->waiter);
}
