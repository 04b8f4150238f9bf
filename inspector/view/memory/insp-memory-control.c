/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-deed.h"
#include "insp-flow.h"
#include "insp-memory-control.h"

#define MEGABYTE 1e6
#define LEAST 11     /* megabytes: a database takes no less than 10 MiB */
#define MOST 1048576 /* megabytes that can be typed */

struct _InspMemoryControl
{
  GtkWidget parent_instance;

  InspPage *page;    /* it holds this; borrowed */
  GtkWidget *flow;   /* child */
  GtkWidget *budget; /* a spin button, of megabytes */
  GtkWidget *back;   /* a button: the former budget */
  double now;        /* bytes; 0: not known yet */
  double former;     /* before it was changed here first; 0: it was not */
};

G_DEFINE_FINAL_TYPE (InspMemoryControl, insp_memory_control, GTK_TYPE_WIDGET)

/* ---- what is done ---- */

static void
begin_budget (LdbInspector *inspector, gpointer bytes, GAsyncReadyCallback answered,
              gpointer answered_data)
{
  ldb_inspector_set_memory_budget_async (inspector, *(const guint64 *) bytes, NULL, answered,
                                         answered_data);
}

static void
begin_eviction (LdbInspector *inspector, gpointer fraction, GAsyncReadyCallback answered,
                gpointer answered_data)
{
  ldb_inspector_evict_cache_async (inspector, *(const double *) fraction, NULL, answered,
                                   answered_data);
}

static const InspDeed setting = { begin_budget, ldb_inspector_set_memory_budget_finish };
static const InspDeed evicting = { begin_eviction, ldb_inspector_evict_cache_finish };

static void
set_budget (InspMemoryControl *self, double bytes)
{
  guint64 whole = (guint64) bytes;
  insp_deed_do (&setting, self->page, g_memdup2 (&whole, sizeof whole), g_free);
}

static void
on_set (InspMemoryControl *self)
{
  gtk_spin_button_update (GTK_SPIN_BUTTON (self->budget));
  if (self->former == 0)
    self->former = self->now;
  set_budget (self, gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->budget)) * MEGABYTE);
}

static void
on_back (InspMemoryControl *self)
{
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->budget), self->former / MEGABYTE);
  set_budget (self, self->former);
}

static void
evict (InspMemoryControl *self, double fraction)
{
  insp_deed_do (&evicting, self->page, g_memdup2 (&fraction, sizeof fraction), g_free);
}

static void
on_evict_half (InspMemoryControl *self)
{
  evict (self, 0.5);
}

static void
on_evict_all (InspMemoryControl *self)
{
  evict (self, 1);
}

/* ---- the object ---- */

static void
review (InspMemoryControl *self)
{
  InspSession *session = insp_page_get_session (self->page);
  gboolean live = insp_session_get_state (session) == INSP_SESSION_LIVE;
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  if (!live && root != NULL && gtk_widget_get_focus_child (self->flow) != NULL)
    gtk_root_set_focus (root, NULL); /* an entry that becomes insensitive would keep the keyboard */
  gtk_widget_set_sensitive (self->flow, live);
  gtk_widget_set_sensitive (self->back, self->former > 0 && fabs (self->former - self->now) >= 1);
}

void
insp_memory_control_set_budget (InspMemoryControl *self, double budget)
{
  if (self->now == 0 && budget > 0)
    gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->budget), budget / MEGABYTE);
  self->now = budget;
  review (self);
}

static void
insp_memory_control_dispose (GObject *object)
{
  g_clear_pointer (&INSP_MEMORY_CONTROL (object)->flow, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_memory_control_parent_class)->dispose (object);
}

static void
insp_memory_control_class_init (InspMemoryControlClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_memory_control_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
add_button (InspMemoryControl *self, GtkWidget *box, const char *label,
            void (*pressed) (InspMemoryControl *))
{
  GtkWidget *button = gtk_button_new_with_label (label);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (pressed), self);
  gtk_box_append (GTK_BOX (box), button);
  return button;
}

static void
insp_memory_control_init (InspMemoryControl *self)
{
  GtkWidget *sizes = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *changes = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *evictions = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  /* Translators: megabytes */
  GtkWidget *unit = gtk_label_new (_ ("MB"));
  self->flow = insp_flow_new (3, 6);
  self->budget = gtk_spin_button_new_with_range (LEAST, MOST, 1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->budget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Memory budget in megabytes"), -1);
  gtk_box_append (GTK_BOX (sizes), self->budget);
  gtk_box_append (GTK_BOX (sizes), unit);
  add_button (self, changes, _ ("Set Budget"), on_set);
  /* Translators: a button: the budget as it was before it was changed */
  self->back = add_button (self, changes, _ ("Undo"), on_back);
  gtk_widget_set_halign (evictions, GTK_ALIGN_END);
  add_button (self, evictions, _ ("Evict Half"), on_evict_half);
  add_button (self, evictions, _ ("Evict All"), on_evict_all);
  insp_flow_add (self->flow, sizes);
  insp_flow_add (self->flow, changes);
  insp_flow_add (self->flow, evictions);
  gtk_widget_set_parent (self->flow, GTK_WIDGET (self));
}

GtkWidget *
insp_memory_control_new (InspPage *page)
{
  InspMemoryControl *self = g_object_new (INSP_TYPE_MEMORY_CONTROL, NULL);
  self->page = page;
  g_signal_connect_object (insp_page_get_session (page), "notify::state", G_CALLBACK (review), self,
                           G_CONNECT_SWAPPED);
  review (self);
  return GTK_WIDGET (self);
}
