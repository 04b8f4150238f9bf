/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-tab-stop.h"

struct _InspTabStop
{
  GtkWidget parent_instance;

  GtkWidget *list; /* child */
};

G_DEFINE_FINAL_TYPE (InspTabStop, insp_tab_stop, GTK_TYPE_WIDGET)

static gboolean
insp_tab_stop_focus (GtkWidget *widget, GtkDirectionType direction)
{
  gboolean by_tab = direction == GTK_DIR_TAB_FORWARD || direction == GTK_DIR_TAB_BACKWARD;
  if (by_tab && gtk_widget_get_focus_child (widget) != NULL)
    return FALSE;
  return gtk_widget_child_focus (INSP_TAB_STOP (widget)->list, direction);
}

static void
insp_tab_stop_dispose (GObject *object)
{
  g_clear_pointer (&INSP_TAB_STOP (object)->list, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_tab_stop_parent_class)->dispose (object);
}

static void
insp_tab_stop_class_init (InspTabStopClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_tab_stop_dispose;
  widget_class->focus = insp_tab_stop_focus;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
insp_tab_stop_init (InspTabStop *self)
{
}

GtkWidget *
insp_tab_stop_new (GtkWidget *list)
{
  InspTabStop *self = g_object_new (INSP_TYPE_TAB_STOP, NULL);
  self->list = list;
  gtk_widget_set_parent (list, GTK_WIDGET (self));
  return GTK_WIDGET (self);
}
