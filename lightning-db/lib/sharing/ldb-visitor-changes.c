/* SPDX-License-Identifier: MIT */
/*
 * The change streams of a visitor: a watch each, in the host's context.
 *
 *   told ──too much waits, or the frame is too large──▶ lost ──the queue is empty──▶ told (resync)
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include "ldb-change-set.h"
#include "ldb-change.h"
#include "ldb-error-private.h"

#define SUBSCRIPTIONS_MAX 16          /* of a visitor */
#define QUEUE_BYTES ((gsize) 1 << 20) /* beyond which frames are dropped */
#define FRAME_BYTES ((gsize) 1 << 20) /* of one signal */
#define FRAME_CHANGES 4096            /* keys that gather for one signal */
#define INTERVAL_MAX 60000            /* milliseconds */

void
ldb_subscription_free (gpointer data)
{
  LdbSubscription *self = data;
  g_signal_handlers_disconnect_by_data (self->watch, self);
  ldb_watch_close (self->watch);
  g_object_unref (self->watch);
  ldb_export_unref (self->of);
  g_free (self);
}

/* ---- telling ---- */

static void
send_changed (LdbSubscription *self, guint64 since, guint64 sequence, gboolean resync,
              GVariant *changes)
{
  ldb_visitor_send_signal (
      self->visitor, self->of, "Changed",
      g_variant_new ("(uttb@a(usayayaayaay))", self->id, since, sequence, resync, changes));
}

static GVariant *
no_changes (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("(usayayaayaay)"), NULL, 0);
}

static void
send_resync (LdbSubscription *self)
{
  guint64 sequence = ldb_watch_get_sequence (self->watch);
  self->lost = FALSE;
  send_changed (self, 0, sequence, TRUE, no_changes ());
}

static GVariant *
bytes_variant (GBytes *bytes)
{
  gsize size = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* None, or one. */
static GVariant *
value_variant (GBytes *value)
{
  GVariant *child = value != NULL ? bytes_variant (value) : NULL;
  return g_variant_new_array (G_VARIANT_TYPE_BYTESTRING, &child, child != NULL ? 1 : 0);
}

static gsize
size_of (GBytes *bytes)
{
  return bytes != NULL ? g_bytes_get_size (bytes) : 0;
}

/* About as many bytes as a change takes in a message. */
static gsize
size_of_change (LdbChange *change)
{
  return 64 + size_of (ldb_change_get_key (change)) + size_of (ldb_change_get_end (change))
         + size_of (ldb_change_get_value (change)) + size_of (ldb_change_get_old_value (change));
}

/* NULL: it is too large. */
static GVariant *
changes_variant (LdbChangeSet *set)
{
  gsize bytes = 0;
  GVariantBuilder changes;
  guint count = ldb_change_set_get_n_changes (set);
  for (guint i = 0; i < count && bytes <= FRAME_BYTES; i++)
    bytes += size_of_change (ldb_change_set_get_change (set, i));
  if (bytes > FRAME_BYTES)
    return NULL;
  g_variant_builder_init (&changes, G_VARIANT_TYPE ("a(usayayaayaay)"));
  for (guint i = 0; i < count; i++)
    {
      LdbChange *change = ldb_change_set_get_change (set, i);
      const char *store = ldb_change_get_store (change);
      g_variant_builder_add (&changes, "(us@ay@ay@aay@aay)", (guint32) ldb_change_get_kind (change),
                             store != NULL ? store : "",
                             bytes_variant (ldb_change_get_key (change)),
                             bytes_variant (ldb_change_get_end (change)),
                             value_variant (ldb_change_get_value (change)),
                             value_variant (ldb_change_get_old_value (change)));
    }
  return g_variant_builder_end (&changes);
}

static void
changed (LdbWatch *watch, LdbChangeSet *set, gpointer data)
{
  LdbSubscription *self = data;
  gsize waiting = ldb_peer_get_waiting (self->visitor->peer);
  self->lost = self->lost || waiting > QUEUE_BYTES;
  if (self->lost && waiting > 0)
    return;
  GVariant *changes = self->lost || ldb_change_set_get_resync (set) ? NULL : changes_variant (set);
  if (changes == NULL)
    send_resync (self);
  else
    send_changed (self, ldb_change_set_get_since (set), ldb_change_set_get_sequence (set), FALSE,
                  changes);
}

/* It may leave while it is told: then nothing is subscribed to any more, and the host has forgotten it. */
void
ldb_visitor_resync (LdbVisitor *self)
{
  self->references++;
  for (guint i = 0; i < self->subscriptions->len; i++)
    {
      LdbSubscription *subscription = g_ptr_array_index (self->subscriptions, i);
      if (subscription->lost)
        send_resync (subscription);
    }
  ldb_visitor_unref (self);
}

/* ---- beginning and ending ---- */

static LdbWatch *
make_watch (LdbVisit *self, GError **error)
{
  const char *name;
  gboolean every_store;
  guint32 flags, interval;
  gsize size;
  g_autoptr (GVariant) prefix = NULL;
  g_autoptr (LdbStore) store = NULL;
  g_variant_get (self->arguments, "(&sb@ayuu)", &name, &every_store, &prefix, &flags, &interval);
  gconstpointer data = g_variant_get_fixed_array (prefix, &size, 1);
  LdbWatch *watch = NULL;
  if (every_store)
    watch = ldb_database_watch_stores (self->export->handle, flags, error);
  else if ((store = ldb_visit_open_store (self, name, error)) != NULL)
    watch = size > 0 ? ldb_store_watch_prefix (store, data, size, flags, error)
                     : ldb_store_watch_all (store, flags, error);
  if (watch != NULL)
    {
      ldb_watch_set_max_changes (watch, FRAME_CHANGES);
      ldb_watch_set_batch_interval (watch, MIN (interval, INTERVAL_MAX));
    }
  return watch;
}

void
ldb_visit_subscribe (LdbVisit *self)
{
  LdbVisitor *visitor = self->visitor;
  GError *error = NULL;
  if (visitor->subscriptions->len == SUBSCRIPTIONS_MAX)
    {
      ldb_visit_refuse (self, LDB_ERROR_LIMIT_EXCEEDED,
                        "The connection has 16 change streams open; end one.");
      return;
    }
  LdbWatch *watch = make_watch (self, &error);
  if (watch == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  LdbSubscription *subscription = g_new0 (LdbSubscription, 1);
  subscription->id = ++visitor->last_id;
  subscription->visitor = visitor;
  subscription->of = ldb_export_ref (self->export);
  subscription->watch = watch;
  g_ptr_array_add (visitor->subscriptions, subscription);
  g_signal_connect (watch, "changed", G_CALLBACK (changed), subscription);
  ldb_visit_return (self, g_variant_new ("(ut)", subscription->id, ldb_watch_get_sequence (watch)));
}

void
ldb_visit_unsubscribe (LdbVisit *self)
{
  guint32 id;
  GPtrArray *all = self->visitor->subscriptions;
  g_variant_get (self->arguments, "(u)", &id);
  for (guint i = 0; i < all->len; i++)
    {
      LdbSubscription *subscription = g_ptr_array_index (all, i);
      if (subscription->id == id && subscription->of == self->export)
        {
          g_ptr_array_remove_index_fast (all, i);
          ldb_visit_return (self, NULL);
          return;
        }
    }
  ldb_visit_refuse (self, LDB_ERROR_CLOSED, "There is no such change stream, or not any longer.");
}
