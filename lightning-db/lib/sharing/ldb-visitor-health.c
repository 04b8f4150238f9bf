/* SPDX-License-Identifier: MIT */
/*
 * What a visitor is told of a database's health and events, and what it may do about an issue.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include "ldb-error-private.h"
#include "ldb-event-private.h"
#include "ldb-health-private.h"

#define QUEUE_BYTES ((gsize) 1 << 20) /* beyond which events are left out */

static void
examined (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  g_autoptr (LdbHealth) health
      = ldb_database_examine_health_finish (LDB_DATABASE (source), result, &error);
  if (health == NULL)
    ldb_visit_fail (self, error);
  else
    ldb_visit_return (
        self, g_variant_new ("(@" LDB_HEALTH_VARIANT_TYPE ")", ldb_health_to_variant (health)));
}

void
ldb_visit_get_health (LdbVisit *self)
{
  ldb_database_examine_health_async (self->export->handle, self->cancellable, examined, self);
}

/* ---- events ---- */

void
ldb_visit_list_events (LdbVisit *self)
{
  guint64 after;
  GError *error = NULL;
  GVariantBuilder all;
  g_variant_get (self->arguments, "(t)", &after);
  g_autoptr (GPtrArray) events = ldb_database_list_events (self->export->handle, after, &error);
  if (events == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a" LDB_EVENT_VARIANT_TYPE));
  for (guint i = 0; i < events->len; i++)
    g_variant_builder_add_value (&all, ldb_event_to_variant (g_ptr_array_index (events, i)));
  ldb_visit_return (self, g_variant_new ("(a" LDB_EVENT_VARIANT_TYPE ")", &all));
}

static void
tell_event (LdbHealthWatch *watch, LdbEvent *event, gpointer data)
{
  LdbVisitorFollow *self = data;
  if (ldb_peer_get_waiting (self->visitor->peer) <= QUEUE_BYTES)
    ldb_visitor_send_signal (
        self->visitor, self->of, "Event",
        g_variant_new ("(@" LDB_EVENT_VARIANT_TYPE ")", ldb_event_to_variant (event)));
}

void
ldb_visitor_follow_free (gpointer data)
{
  LdbVisitorFollow *self = data;
  g_signal_handlers_disconnect_by_data (self->watch, self);
  ldb_health_watch_close (self->watch);
  g_object_unref (self->watch);
  ldb_export_unref (self->of);
  g_free (self);
}

static void
stop_following (LdbVisitor *self, LdbExport *export)
{
  for (guint i = self->follows->len; i > 0; i--)
    if (((LdbVisitorFollow *) g_ptr_array_index (self->follows, i - 1))->of == export)
      g_ptr_array_remove_index_fast (self->follows, i - 1);
}

/* One of each database is enough: to follow again is nothing new. */
void
ldb_visit_follow_events (LdbVisit *self)
{
  gboolean wanted;
  GError *error = NULL;
  g_variant_get (self->arguments, "(b)", &wanted);
  stop_following (self->visitor, self->export);
  LdbHealthWatch *watch
      = wanted ? ldb_health_watch_new_of_events (self->export->handle, &error) : NULL;
  if (wanted && watch == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  if (wanted)
    {
      LdbVisitorFollow *follow = g_new0 (LdbVisitorFollow, 1);
      follow->visitor = self->visitor;
      follow->of = ldb_export_ref (self->export);
      follow->watch = watch;
      g_signal_connect (watch, "event", G_CALLBACK (tell_event), follow);
      g_ptr_array_add (self->visitor->follows, follow);
    }
  ldb_visit_return (self, NULL);
}

/* ---- remedies ---- */

static void
applied (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  if (ldb_database_apply_remedy_finish (LDB_DATABASE (source), result, &error))
    ldb_visit_return (self, NULL);
  else
    ldb_visit_fail (self, error);
}

/* What is done is what is wrong now, whatever the visitor has seen before. */
static void
examined_to_apply (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  LdbDatabase *database = LDB_DATABASE (source);
  GError *error = NULL;
  const char *id;
  g_variant_get (self->arguments, "(&s)", &id);
  g_autoptr (LdbHealth) health = ldb_database_examine_health_finish (database, result, &error);
  const LdbHealthIssue *issue = health != NULL ? ldb_health_find_issue (health, id) : NULL;
  if (health == NULL)
    ldb_visit_fail (self, error);
  else if (issue == NULL)
    ldb_visit_refuse (self, LDB_ERROR_NOT_FOUND,
                      "The database has no such issue (any more); ask for its health.");
  else
    ldb_database_apply_remedy_async (database, issue, self->cancellable, applied, self);
}

void
ldb_visit_apply_remedy (LdbVisit *self)
{
  ldb_database_examine_health_async (self->export->handle, self->cancellable, examined_to_apply,
                                     self);
}
