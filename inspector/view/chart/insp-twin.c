/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-twin.h"

struct _InspTwin
{
  GtkWidget parent_instance;

  GtkWidget *header;  /* child */
  GtkWidget *picture; /* child */
  GtkWidget *table;   /* child; one of the two is visible */
  GtkWidget *title;   /* in the header */
  GtkWidget *toggle;  /* in the header */
};

G_DEFINE_FINAL_TYPE (InspTwin, insp_twin, GTK_TYPE_WIDGET)

static void
on_toggled (InspTwin *self)
{
  gboolean as_table = gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (self->toggle));
  gtk_widget_set_visible (self->picture, !as_table);
  gtk_widget_set_visible (self->table, as_table);
}

static void
insp_twin_dispose (GObject *object)
{
  InspTwin *self = INSP_TWIN (object);
  g_clear_pointer (&self->header, gtk_widget_unparent);
  g_clear_pointer (&self->picture, gtk_widget_unparent);
  g_clear_pointer (&self->table, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_twin_parent_class)->dispose (object);
}

static void
insp_twin_class_init (InspTwinClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_twin_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-card");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
insp_twin_init (InspTwin *self)
{
  GtkLayoutManager *layout = gtk_widget_get_layout_manager (GTK_WIDGET (self));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (layout), GTK_ORIENTATION_VERTICAL);
  gtk_box_layout_set_spacing (GTK_BOX_LAYOUT (layout), 6);
  self->title = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->title, "heading");
  gtk_label_set_xalign (GTK_LABEL (self->title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->title, TRUE);
  self->toggle = gtk_toggle_button_new ();
  gtk_button_set_icon_name (GTK_BUTTON (self->toggle), "view-list-symbolic");
  gtk_widget_set_tooltip_text (self->toggle, _ ("Show as table"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Show as table"), -1);
  gtk_widget_add_css_class (self->toggle, "flat");
  g_signal_connect_swapped (self->toggle, "toggled", G_CALLBACK (on_toggled), self);
  self->header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (self->header), self->title);
  gtk_box_append (GTK_BOX (self->header), self->toggle);
  gtk_widget_set_parent (self->header, GTK_WIDGET (self));
}

GtkWidget *
insp_twin_new (const char *title, GtkWidget *picture, GtkWidget *table)
{
  InspTwin *self = g_object_new (INSP_TYPE_TWIN, NULL);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  self->picture = picture;
  self->table = table;
  gtk_widget_set_vexpand (GTK_WIDGET (self),
                          gtk_widget_compute_expand (picture, GTK_ORIENTATION_VERTICAL));
  gtk_widget_set_parent (picture, GTK_WIDGET (self));
  gtk_widget_set_parent (table, GTK_WIDGET (self));
  on_toggled (self);
  return GTK_WIDGET (self);
}

void
insp_twin_add_control (InspTwin *self, GtkWidget *control)
{
  gtk_box_insert_child_after (GTK_BOX (self->header), control, self->title);
}
