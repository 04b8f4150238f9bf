/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-enum-types.h"
#include "ldb-event-private.h"
#include "ldb-event-relay-private.h"
#include "ldb-mark-private.h"
#include "ldb-outbox-private.h"

#include <pthread.h>

struct _LdbEventRelay
{
  gint references;                 /* atomic */
  struct engine *engine;           /* a reference */
  pthread_mutex_t lock;            /* V4; guards what follows, and what listeners say it guards */
  GPtrArray *listeners;            /* those that are not closed; borrowed */
  guint64 taken;                   /* events up to here are */
  LdbLogRate rates[LDB_LOG_KINDS]; /* of lines about events, by kind */
};

struct _LdbEventListener
{
  gint references;            /* of the owner and of a delivery; atomic */
  LdbEventRelay *relay;       /* a reference */
  gpointer borrowed;          /* the owner, for is_wanted; good while it is in relay->listeners */
  GWeakRef owner;             /* for handle */
  GMainContext *context;      /* where; a reference */
  LdbEventHandler handle;     /* how */
  LdbEventInterest is_wanted; /* or NULL */
  LdbDelivery delivery;       /* in the context's outbox while queued */
  gint closed;                /* boolean; atomic */
  gboolean queued;            /* V2; guarded by the relay's lock */
  guint64 told;               /* events up to here are; guarded by the relay's lock */
};

static void
listener_unref (LdbEventListener *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_weak_ref_clear (&self->owner);
  g_main_context_unref (self->context);
  ldb_event_relay_unref (self->relay);
  g_free (self);
}

/* With the lock held. */
static void
queue (LdbEventListener *self)
{
  if (self->queued)
    return;
  self->queued = TRUE;
  g_atomic_int_inc (&self->references);
  ldb_outbox_push (ldb_outbox_of (self->context), &self->delivery);
}

static void
mark_slow_call (const struct engine_slow_call *call)
{
  GEnumClass *kinds = g_type_class_ref (LDB_TYPE_OPERATION_KIND);
  ldb_mark_past ((gint64) call->ended, call->duration, "slow operation",
                 g_enum_get_value (kinds, (gint) call->call)->value_nick);
  g_type_class_unref (kinds);
}

/* With the engine's locks held, on the thread of the event. */
static void
note_event (void *data, enum engine_event_kind kind, uint64_t number)
{
  LdbEventRelay *self = data;
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < self->listeners->len; i++)
    {
      LdbEventListener *listener = g_ptr_array_index (self->listeners, i);
      if (listener->is_wanted == NULL
          || listener->is_wanted (listener->borrowed, (LdbEventKind) kind))
        queue (listener);
      else if (!listener->queued)
        listener->told = number; /* V3 */
    }
  pthread_mutex_unlock (&self->lock);
}

LdbEventRelay *
ldb_event_relay_new (struct engine *engine)
{
  LdbEventRelay *self = g_new0 (LdbEventRelay, 1);
  self->references = 1;
  self->engine = engine_ref (engine);
  self->listeners = g_ptr_array_new ();
  pthread_mutex_init (&self->lock, NULL);
  engine_watch_events (engine, note_event, self);
  if (ldb_mark_is_wanted ())
    engine_watch_slow_calls (engine, mark_slow_call);
  return self;
}

LdbEventRelay *
ldb_event_relay_ref (LdbEventRelay *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_event_relay_unref (LdbEventRelay *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  engine_unref (self->engine);
  g_ptr_array_unref (self->listeners);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

GPtrArray *
ldb_event_relay_take (LdbEventRelay *self)
{
  guint64 newest = engine_newest_event (self->engine);
  pthread_mutex_lock (&self->lock);
  guint64 after = self->taken;
  self->taken = MAX (newest, after);
  pthread_mutex_unlock (&self->lock);
  GPtrArray *events = ldb_events_list (self->engine, after);
  while (events->len > 0
         && ((LdbEvent *) g_ptr_array_index (events, events->len - 1))->number > newest)
    g_ptr_array_remove_index (events, events->len - 1);
  return events;
}

gboolean
ldb_event_relay_may_log (LdbEventRelay *self, LdbLogKind kind, guint64 *held_back)
{
  pthread_mutex_lock (&self->lock);
  gboolean may = ldb_log_rate_take (&self->rates[kind], held_back);
  pthread_mutex_unlock (&self->lock);
  return may;
}

void
ldb_event_relay_stop (LdbEventRelay *self)
{
  engine_watch_events (self->engine, NULL, NULL);
}

/* ---- in the context ---- */

/* Tells the owner of those that it was not told of, one by one. */
static void
tell (LdbEventListener *self, GObject *owner, guint64 after)
{
  g_autoptr (GPtrArray) events = ldb_events_list (self->relay->engine, after);
  for (guint i = 0; i < events->len && !g_atomic_int_get (&self->closed); i++)
    {
      LdbEvent *event = g_ptr_array_index (events, i);
      pthread_mutex_lock (&self->relay->lock);
      gboolean new = event->number > self->told;
      self->told = MAX (self->told, event->number);
      pthread_mutex_unlock (&self->relay->lock);
      if (new) /* a handler may have run the context, and so us */
        self->handle (owner, event);
    }
}

static void
deliver (LdbDelivery *delivery)
{
  LdbEventListener *self
      = (LdbEventListener *) (gpointer) ((char *) delivery
                                         - G_STRUCT_OFFSET (LdbEventListener, delivery));
  pthread_mutex_lock (&self->relay->lock);
  self->queued = FALSE;
  guint64 after = self->told;
  pthread_mutex_unlock (&self->relay->lock);
  GObject *owner = g_atomic_int_get (&self->closed) ? NULL : g_weak_ref_get (&self->owner);
  if (owner != NULL)
    tell (self, owner, after);
  g_clear_object (&owner);
  listener_unref (self);
}

LdbEventListener *
ldb_event_listener_new (LdbEventRelay *relay, GObject *owner, GMainContext *context,
                        LdbEventHandler handle, LdbEventInterest is_wanted)
{
  LdbEventListener *self = g_new0 (LdbEventListener, 1);
  self->references = 1;
  self->relay = ldb_event_relay_ref (relay);
  self->borrowed = owner;
  g_weak_ref_init (&self->owner, owner);
  self->context = g_main_context_ref (context);
  self->handle = handle;
  self->is_wanted = is_wanted;
  self->delivery.deliver = deliver;
  self->told = engine_newest_event (relay->engine);
  pthread_mutex_lock (&relay->lock);
  g_ptr_array_add (relay->listeners, self);
  pthread_mutex_unlock (&relay->lock);
  return self;
}

void
ldb_event_listener_go_back (LdbEventListener *self, guint64 after)
{
  pthread_mutex_lock (&self->relay->lock);
  self->told = after;
  if (!g_atomic_int_get (&self->closed))
    queue (self);
  pthread_mutex_unlock (&self->relay->lock);
}

void
ldb_event_listener_close (LdbEventListener *self)
{
  pthread_mutex_lock (&self->relay->lock);
  g_atomic_int_set (&self->closed, TRUE);
  g_ptr_array_remove_fast (self->relay->listeners, self);
  gboolean withdrawn
      = self->queued && ldb_outbox_withdraw (ldb_outbox_of (self->context), &self->delivery);
  pthread_mutex_unlock (&self->relay->lock);
  if (withdrawn)
    listener_unref (self);
  listener_unref (self);
}
