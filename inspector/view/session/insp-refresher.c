/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   R1  `cancellable` is there exactly while a request is under way whose answer is wanted.
 *   R2  A timer runs only while nothing is under way.
 */
#include "config.h"

#include "insp-refresher.h"

struct _InspRefresher
{
  GtkWidget *widget;         /* it holds this; borrowed */
  InspSession *session;      /* owned */
  guint interval;            /* milliseconds, from an answer to the next request */
  InspRefresherAsk ask;      /* begins a request */
  InspRefresherTake take;    /* takes its answer */
  InspRefresherTell tell;    /* is told what came of it; NULL: nobody */
  GCancellable *cancellable; /* R1; owned */
  guint timer;               /* R2; 0: none */
};

/* What an answer needs: that whoever asked may be gone. */
typedef struct
{
  InspRefresher *refresher;  /* valid unless cancelled */
  GCancellable *cancellable; /* owned */
} Request;

static void review (InspRefresher *self);

static gboolean
can_ask (InspRefresher *self)
{
  return insp_session_get_state (self->session) == INSP_SESSION_LIVE
         && gtk_widget_get_mapped (self->widget);
}

static void
stop (InspRefresher *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static gboolean
on_time (gpointer data)
{
  InspRefresher *self = data;
  self->timer = 0;
  review (self);
  return G_SOURCE_REMOVE;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Request *request = data;
  InspRefresher *self = request->refresher;
  gboolean wanted = !g_cancellable_is_cancelled (request->cancellable);
  g_object_unref (request->cancellable);
  g_free (request);
  if (!wanted)
    return; /* self may be gone */
  g_autoptr (GtkWidget) widget = g_object_ref (self->widget);
  g_clear_object (&self->cancellable);
  if (insp_session_get_looking (self->session) && can_ask (self))
    self->timer = g_timeout_add (self->interval, on_time, self);
  InspRefresherTell tell = self->tell;
  g_autoptr (GError) error = NULL;
  gboolean taken = self->take (widget, LDB_INSPECTOR (source), result, &error);
  if (tell != NULL)
    tell (widget, taken ? NULL : error);
}

static void
ask (InspRefresher *self)
{
  Request *request = g_new (Request, 1);
  self->cancellable = g_cancellable_new ();
  *request = (Request){ .refresher = self, .cancellable = g_object_ref (self->cancellable) };
  self->ask (self->widget, insp_session_get_inspector (self->session), self->cancellable, on_answer,
             request);
}

static void
review (InspRefresher *self)
{
  if (!can_ask (self) || !insp_session_get_looking (self->session))
    stop (self);
  else if (self->cancellable == NULL && self->timer == 0)
    ask (self);
}

InspRefresher *
insp_refresher_new (GtkWidget *widget, InspSession *session, guint interval,
                    InspRefresherAsk ask_for, InspRefresherTake take, InspRefresherTell tell)
{
  InspRefresher *self = g_new0 (InspRefresher, 1);
  self->widget = widget;
  self->session = g_object_ref (session);
  self->interval = interval;
  self->ask = ask_for;
  self->take = take;
  self->tell = tell;
  g_signal_connect_swapped (widget, "map", G_CALLBACK (review), self);
  g_signal_connect_swapped (widget, "unmap", G_CALLBACK (stop), self);
  g_signal_connect_swapped (session, "notify::state", G_CALLBACK (review), self);
  g_signal_connect_swapped (session, "notify::looking", G_CALLBACK (review), self);
  review (self);
  return self;
}

void
insp_refresher_free (InspRefresher *self)
{
  stop (self);
  g_signal_handlers_disconnect_by_data (self->widget, self);
  g_signal_handlers_disconnect_by_data (self->session, self);
  g_object_unref (self->session);
  g_free (self);
}

void
insp_refresher_ask (InspRefresher *self)
{
  stop (self);
  if (can_ask (self))
    ask (self);
}
