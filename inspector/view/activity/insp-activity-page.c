/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-activity-page.h"
#include "insp-choice.h"
#include "insp-event-table.h"
#include "insp-export.h"
#include "insp-flow.h"
#include "insp-gantt.h"
#include "insp-refresher.h"
#include "insp-slow-groups.h"
#include "insp-slow-table.h"
#include "insp-twin.h"
#include "insp-work-figures.h"

#define INTERVAL 1000 /* milliseconds between requests */

struct _InspActivityPage
{
  InspPage parent_instance;

  InspRefresher *refresher;
  InspEventLog *log; /* owned */
  InspEventTable *events;
  InspSlowGroups *groups;
  InspSlowTable *slow;
  GtkWidget *kinds;    /* a drop-down: all kinds, and each */
  GtkWidget *search;   /* an entry */
  GtkWidget *grouping; /* a drop-down, by InspGrouping */
};

G_DEFINE_FINAL_TYPE (InspActivityPage, insp_activity_page, INSP_TYPE_PAGE)

/* ---- asking ---- */

static void
ask (gpointer page, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  InspRowList *events = insp_event_log_get_list (INSP_ACTIVITY_PAGE (page)->log);
  guint64 newest = insp_seen_get_newest_event (events);
  ldb_inspector_list_events_async (inspector, newest, cancellable, answered, data);
}

static gboolean
take (gpointer page, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) events = ldb_inspector_list_events_finish (inspector, result, error);
  if (events == NULL)
    return FALSE;
  insp_event_log_add (INSP_ACTIVITY_PAGE (page)->log, events);
  return TRUE;
}

static void
insp_activity_page_refresh (InspPage *page)
{
  InspActivityPage *self = INSP_ACTIVITY_PAGE (page);
  insp_refresher_ask (self->refresher);
  insp_slow_table_refresh (self->slow);
}

/* ---- using ---- */

static void
insp_activity_page_search (InspPage *page)
{
  gtk_widget_grab_focus (INSP_ACTIVITY_PAGE (page)->search);
}

static void
on_kind (InspActivityPage *self)
{
  int index = (int) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->kinds));
  insp_event_table_set_kind (self->events, index - 1);
}

static void
on_search (InspActivityPage *self)
{
  insp_event_table_set_text (self->events, gtk_editable_get_text (GTK_EDITABLE (self->search)));
}

static void
on_grouping (InspActivityPage *self)
{
  insp_slow_groups_set_grouping (
      self->groups, (InspGrouping) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->grouping)));
}

/* ---- the object ---- */

static void
insp_activity_page_dispose (GObject *object)
{
  InspActivityPage *self = INSP_ACTIVITY_PAGE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_object (&self->log);
  G_OBJECT_CLASS (insp_activity_page_parent_class)->dispose (object);
}

static void
insp_activity_page_class_init (InspActivityPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_activity_page_dispose;
  INSP_PAGE_CLASS (class)->refresh = insp_activity_page_refresh;
  INSP_PAGE_CLASS (class)->search = insp_activity_page_search;
}

static void
insp_activity_page_init (InspActivityPage *self)
{
}

static GtkWidget *
make_choice (InspActivityPage *self, const char *name, GtkStringList *choices,
             void (*chosen) (InspActivityPage *))
{
  GtkWidget *choice = insp_choice_new (G_LIST_MODEL (choices), NULL, name);
  gtk_widget_set_halign (choice, GTK_ALIGN_START);
  g_signal_connect_swapped (choice, "notify::selected", G_CALLBACK (chosen), self);
  return choice;
}

static void
add_events (InspActivityPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6), *flow = insp_flow_new (2, 6);
  GtkStringList *kinds = gtk_string_list_new (NULL);
  gtk_string_list_append (kinds, _ ("All kinds"));
  for (guint i = LDB_EVENT_OPENED; i <= LDB_EVENT_HEALTH; i++)
    gtk_string_list_append (kinds, insp_event_name ((LdbEventKind) i));
  self->kinds = make_choice (self, _ ("Kind of event"), kinds, on_kind);
  self->search = gtk_search_entry_new ();
  g_object_set (self->search, "placeholder-text", _ ("Search events"), NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Search events"), -1);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (on_search), self);
  self->events = INSP_EVENT_TABLE (insp_event_table_new (self->log));
  insp_flow_add (flow, self->kinds);
  insp_flow_add (flow, self->search);
  gtk_box_append (GTK_BOX (box), flow);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->events));
  insp_page_add_section (INSP_PAGE (self), _ ("Events"), NULL, box);
}

static void
add_slow_operations (InspActivityPage *self, InspSession *session)
{
  GtkStringList *choices = gtk_string_list_new (NULL);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_string_list_append (choices, _ ("By kind"));
  gtk_string_list_append (choices, _ ("By key prefix"));
  self->grouping = make_choice (self, _ ("Groups"), choices, on_grouping);
  self->slow = INSP_SLOW_TABLE (insp_slow_table_new (session));
  self->groups = INSP_SLOW_GROUPS (insp_slow_groups_new (insp_slow_table_get_list (self->slow)));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->groups));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->slow));
  insp_page_add_section (INSP_PAGE (self), _ ("Slow Operations"), self->grouping, box);
}

GtkWidget *
insp_activity_page_new (InspSession *session)
{
  InspActivityPage *self = g_object_new (INSP_TYPE_ACTIVITY_PAGE, "session", session, NULL);
  InspAxis *axis = insp_session_get_axis (session);
  InspHistory *history = insp_session_get_history (session);
  self->log = insp_event_log_new (insp_session_get_events (session));
  insp_page_add (INSP_PAGE (self), insp_work_figures_new (history, axis));
  insp_page_add (INSP_PAGE (self),
                 insp_twin_new (_ ("Jobs over Time"), insp_gantt_new (self->log, session),
                                insp_event_table_new_of_work (self->log)));
  add_events (self);
  add_slow_operations (self, session);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  insp_export_offer (GTK_WIDGET (self), "activity");
  return GTK_WIDGET (self);
}
