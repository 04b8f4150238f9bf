/* SPDX-License-Identifier: MIT */
#include "ldb-log-private.h"

#include <pthread.h>
#include <unistd.h>

struct _LdbLogQueue
{
  gatomicrefcount references;      /* of this */
  GMainContext *context;           /* where it writes; owned */
  pid_t process;                   /* that it is of: the child of a fork writes nothing */
  pthread_mutex_t lock;            /* guards what follows */
  GQueue waiting;                  /* of LdbLogLine, owned */
  GSource *source;                 /* that writes them, while there are any; a reference */
  LdbLogRate rates[LDB_LOG_KINDS]; /* by kind */
  gboolean closed;                 /* nothing more is written */
};

LdbLogQueue *
ldb_log_queue_new (GMainContext *context)
{
  LdbLogQueue *self = g_new0 (LdbLogQueue, 1);
  g_atomic_ref_count_init (&self->references);
  pthread_mutex_init (&self->lock, NULL);
  g_queue_init (&self->waiting);
  self->process = getpid ();
  self->context = g_main_context_ref (context != NULL ? context : g_main_context_default ());
  return self;
}

LdbLogQueue *
ldb_log_queue_ref (LdbLogQueue *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
ldb_log_queue_unref (LdbLogQueue *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_queue_clear_full (&self->waiting, (GDestroyNotify) ldb_log_line_free);
  g_main_context_unref (self->context);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* ---- out ---- */

static gboolean
write_next (gpointer data)
{
  LdbLogQueue *self = data;
  if (self->process != getpid ()) /* the lock may be a thread's that is not here */
    return G_SOURCE_REMOVE;
  pthread_mutex_lock (&self->lock);
  LdbLogLine *line = g_queue_pop_head (&self->waiting);
  gboolean more = self->waiting.length > 0;
  if (!more)
    g_clear_pointer (&self->source, g_source_unref);
  pthread_mutex_unlock (&self->lock);
  if (line != NULL)
    ldb_log_line_write (line);
  return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
ldb_log_queue_close (LdbLogQueue *self)
{
  LdbLogLine *line;
  pthread_mutex_lock (&self->lock);
  GQueue waiting = self->waiting;
  g_queue_init (&self->waiting);
  GSource *source = g_steal_pointer (&self->source);
  self->closed = TRUE;
  pthread_mutex_unlock (&self->lock);
  if (source != NULL)
    g_source_destroy (source);
  g_clear_pointer (&source, g_source_unref);
  while ((line = g_queue_pop_head (&waiting)) != NULL)
    ldb_log_line_write (line);
}

/* ---- in ---- */

/* With the lock held. */
static gboolean
may_write (LdbLogQueue *self, LdbLogRate *rate, guint64 *held_back)
{
  if (!self->closed && self->waiting.length < LDB_LOG_WAITING)
    return ldb_log_rate_take (rate, held_back);
  rate->held_back++;
  return FALSE;
}

LdbLogLine *
ldb_log_queue_begin (LdbLogQueue *self, LdbLogKind kind)
{
  guint64 held_back = 0;
  if (ldb_log_would_drop (kind))
    return NULL;
  pthread_mutex_lock (&self->lock);
  gboolean may = may_write (self, &self->rates[kind], &held_back);
  pthread_mutex_unlock (&self->lock);
  LdbLogLine *line = may ? ldb_log_line_new (kind) : NULL;
  if (line != NULL)
    ldb_log_line_set_held_back (line, held_back);
  return line;
}

void
ldb_log_queue_push (LdbLogQueue *self, LdbLogLine *line)
{
  pthread_mutex_lock (&self->lock);
  if (self->closed)
    ldb_log_line_free (line);
  else
    g_queue_push_tail (&self->waiting, line);
  if (self->source == NULL && !self->closed)
    {
      self->source = g_idle_source_new ();
      g_source_set_static_name (self->source, "[lightning-db] log");
      g_source_set_callback (self->source, write_next, ldb_log_queue_ref (self),
                             (GDestroyNotify) ldb_log_queue_unref);
      g_source_attach (self->source, self->context);
    }
  pthread_mutex_unlock (&self->lock);
}
