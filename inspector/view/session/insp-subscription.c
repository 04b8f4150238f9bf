/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-subscription.h"

struct _InspSubscription
{
  GObject parent_instance;

  InspSession *session;  /* owned */
  GCancellable *request; /* for one; NULL: none is under way; owned */
  guint number;          /* of the one that there is; 0: none */
  gboolean is_connected; /* to the inspector's signal */
};

enum
{
  BEGUN,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (InspSubscription, insp_subscription, G_TYPE_OBJECT)

static void
on_changed (InspSubscription *self, guint number, LdbChangeSet *changes)
{
  if (number == self->number && number != 0)
    g_signal_emit (self, signals[CHANGED], 0, changes);
}

static void
on_begun (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspSubscription) self = data;
  g_autoptr (GError) error = NULL;
  LdbInspector *inspector = LDB_INSPECTOR (source);
  guint number = ldb_inspector_subscribe_finish (inspector, result, &error);
  if (self->request == NULL || g_task_get_cancellable (G_TASK (result)) != self->request)
    {
      if (number != 0) /* it came, though nobody wants it any more */
        ldb_inspector_unsubscribe_async (inspector, number, NULL, NULL, NULL);
      return;
    }
  g_clear_object (&self->request);
  self->number = number;
  g_signal_emit (self, signals[BEGUN], 0, error);
}

void
insp_subscription_begin (InspSubscription *self, const char *store, GBytes *prefix,
                         LdbWatchFlags flags, guint interval)
{
  LdbInspector *inspector = insp_session_get_inspector (self->session);
  gsize size = 0;
  gconstpointer start = prefix != NULL ? g_bytes_get_data (prefix, &size) : NULL;
  g_return_if_fail (inspector != NULL && !insp_subscription_is_active (self));
  if (!self->is_connected)
    g_signal_connect_object (inspector, "changed", G_CALLBACK (on_changed), self,
                             G_CONNECT_SWAPPED);
  self->is_connected = TRUE;
  self->request = g_cancellable_new ();
  ldb_inspector_subscribe_async (inspector, store, start, size, flags, interval, self->request,
                                 on_begun, g_object_ref (self));
}

void
insp_subscription_end (InspSubscription *self)
{
  LdbInspector *inspector = insp_session_get_inspector (self->session);
  g_cancellable_cancel (self->request);
  g_clear_object (&self->request);
  if (self->number != 0 && inspector != NULL && !ldb_inspector_is_closed (inspector))
    ldb_inspector_unsubscribe_async (inspector, self->number, NULL, NULL, NULL);
  self->number = 0;
}

gboolean
insp_subscription_is_active (InspSubscription *self)
{
  return self->request != NULL || self->number != 0;
}

static void
insp_subscription_dispose (GObject *object)
{
  InspSubscription *self = INSP_SUBSCRIPTION (object);
  if (self->session != NULL)
    insp_subscription_end (self);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_subscription_parent_class)->dispose (object);
}

static void
insp_subscription_class_init (InspSubscriptionClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_subscription_dispose;
  signals[BEGUN] = g_signal_new ("begun", INSP_TYPE_SUBSCRIPTION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_SUBSCRIPTION, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, LDB_TYPE_CHANGE_SET);
}

static void
insp_subscription_init (InspSubscription *self)
{
}

InspSubscription *
insp_subscription_new (InspSession *session)
{
  InspSubscription *self = g_object_new (INSP_TYPE_SUBSCRIPTION, NULL);
  self->session = g_object_ref (session);
  return self;
}
