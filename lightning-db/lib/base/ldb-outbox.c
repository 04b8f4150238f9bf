/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. An outbox is ready exactly while deliveries are in it.
 *   2. It stays with its context for good: a context has at most one.
 *   3. Each delivery is taken out before it is delivered, so it can be pushed again at once.
 */
#include "config.h"

#include "ldb-outbox-private.h"

#include <pthread.h>

/* An outbox lets the other sources of its context have their turn after so many deliveries, or
 * sooner when they take long, so that a burst does not hold a main loop up. */
#define DELIVERY_MAX 64
#define DELIVERY_MICROSECONDS 500

struct _LdbOutbox
{
  GSource source;        /* attached to its context */
  GMainContext *context; /* borrowed: it destroys the source when it goes */
  pthread_mutex_t lock;  /* guards the rest */
  LdbDelivery *first;    /* the next one to be delivered, or NULL */
  LdbDelivery *last;     /* the newest, or NULL */
  guint length;          /* how many there are */
};

static pthread_mutex_t outboxes_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *outboxes; /* of all contexts so far that live; owned; guarded by outboxes_lock */

/* With the lock held. */
static void
append (LdbOutbox *self, LdbDelivery *delivery)
{
  delivery->next = NULL;
  delivery->previous = self->last;
  *(self->last != NULL ? &self->last->next : &self->first) = delivery;
  self->last = delivery;
  if (self->length++ == 0)
    g_source_set_ready_time (&self->source, 0);
}

/* With the lock held. */
static gboolean
contains (LdbOutbox *self, LdbDelivery *delivery)
{
  return delivery->previous != NULL || self->first == delivery;
}

/* With the lock held. */
static void
take_out (LdbOutbox *self, LdbDelivery *delivery)
{
  *(delivery->next != NULL ? &delivery->next->previous : &self->last) = delivery->previous;
  *(delivery->previous != NULL ? &delivery->previous->next : &self->first) = delivery->next;
  delivery->next = delivery->previous = NULL;
  if (--self->length == 0)
    g_source_set_ready_time (&self->source, -1);
}

static LdbDelivery *
pop (LdbOutbox *self)
{
  pthread_mutex_lock (&self->lock);
  LdbDelivery *delivery = self->first;
  if (delivery != NULL)
    take_out (self, delivery);
  pthread_mutex_unlock (&self->lock);
  return delivery;
}

/* What comes in meanwhile waits for the next turn. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  LdbOutbox *self = (LdbOutbox *) source;
  LdbDelivery *delivery;
  pthread_mutex_lock (&self->lock);
  guint count = MIN (self->length, DELIVERY_MAX);
  pthread_mutex_unlock (&self->lock);
  gint64 until = g_get_monotonic_time () + DELIVERY_MICROSECONDS;
  while (count-- > 0 && (delivery = pop (self)) != NULL)
    {
      delivery->deliver (delivery);
      if (g_get_monotonic_time () >= until)
        break;
    }
  return G_SOURCE_CONTINUE;
}

/* The context has gone, perhaps with another thread: what others did to the outbox, and what they
 * read of it while they looked for theirs, comes first. Never called with outboxes_lock held. */
static void
finalize (GSource *source)
{
  LdbOutbox *self = (LdbOutbox *) source;
  pthread_mutex_lock (&outboxes_lock);
  pthread_mutex_unlock (&outboxes_lock);
  pthread_mutex_lock (&self->lock);
  pthread_mutex_unlock (&self->lock);
  pthread_mutex_destroy (&self->lock);
}

static GSourceFuncs functions = { .dispatch = dispatch, .finalize = finalize };

static LdbOutbox *
outbox_new (GMainContext *context)
{
  LdbOutbox *self = (LdbOutbox *) g_source_new (&functions, sizeof (LdbOutbox));
  self->context = context;
  pthread_mutex_init (&self->lock, NULL);
  g_source_set_static_name (&self->source, "[lightning-db] deliveries");
  g_source_set_can_recurse (&self->source, TRUE);
  g_source_attach (&self->source, context);
  return self;
}

LdbOutbox *
ldb_outbox_of (GMainContext *context)
{
  LdbOutbox *found = NULL;
  g_autoptr (GPtrArray) dead = NULL;
  pthread_mutex_lock (&outboxes_lock);
  if (outboxes == NULL)
    outboxes = g_ptr_array_new ();
  for (guint i = outboxes->len; i > 0 && found == NULL; i--)
    {
      LdbOutbox *outbox = g_ptr_array_index (outboxes, i - 1);
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

void
ldb_outbox_push (LdbOutbox *self, LdbDelivery *delivery)
{
  pthread_mutex_lock (&self->lock);
  append (self, delivery);
  pthread_mutex_unlock (&self->lock);
}

gboolean
ldb_outbox_withdraw (LdbOutbox *self, LdbDelivery *delivery)
{
  pthread_mutex_lock (&self->lock);
  gboolean there = contains (self, delivery);
  if (there)
    take_out (self, delivery);
  pthread_mutex_unlock (&self->lock);
  return there;
}

void
ldb_outbox_forget (void)
{
  outboxes_lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  outboxes = NULL;
}
