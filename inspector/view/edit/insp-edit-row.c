/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-diff.h"
#include "insp-difference.h"
#include "insp-edit-row.h"

#define KEY_LIMIT 300 /* bytes of a key that are shown */

struct _InspEditRow
{
  GtkWidget parent_instance;

  InspEdits *edits; /* owned */
  InspEdit *edit;   /* owned */
  GtkWidget *box;   /* child */
  GtkWidget *kind;
  GtkWidget *difference; /* a box of lines; likewise below */
  GtkWidget *conflict;   /* a box: what is there now, and what to do */
  GtkWidget *conflict_text;
  GtkWidget *now;
};

G_DEFINE_FINAL_TYPE (InspEditRow, insp_edit_row, GTK_TYPE_WIDGET)

/* ---- what is shown ---- */

static const char *
name_kind (InspEdit *edit)
{
  if (insp_edit_get_expected (edit) == NULL)
    return _ ("New Key");
  return insp_edit_get_value (edit) != NULL ? _ ("Changed Value") : _ ("Deleted Key");
}

static void
show_conflict (InspEditRow *self)
{
  GBytes *now = insp_edit_get_now (self->edit);
  gboolean is_conflict = insp_edit_is_conflict (self->edit);
  gtk_widget_set_visible (self->conflict, is_conflict);
  if (!is_conflict)
    return;
  g_autoptr (GPtrArray) lines = insp_diff_compare_values (insp_edit_get_expected (self->edit), now);
  gtk_label_set_text (GTK_LABEL (self->conflict_text),
                      now != NULL ? _ ("Somebody else wrote this key meanwhile:")
                                  : _ ("Somebody else deleted this key meanwhile:"));
  insp_difference_show (self->now, lines);
}

static void
show (InspEditRow *self)
{
  g_autoptr (GPtrArray) lines = insp_diff_compare_values (insp_edit_get_expected (self->edit),
                                                          insp_edit_get_value (self->edit));
  gtk_label_set_text (GTK_LABEL (self->kind), name_kind (self->edit));
  insp_difference_show (self->difference, lines);
  show_conflict (self);
}

/* ---- what is done ---- */

static void
on_drop (InspEditRow *self)
{
  g_autoptr (InspEditRow) held = g_object_ref (self); /* its list drops it */
  insp_edits_drop (self->edits, self->edit);
}

static void
on_restage (InspEditRow *self)
{
  g_autoptr (InspEditRow) held = g_object_ref (self);
  insp_edits_restage (self->edits, self->edit);
}

/* ---- the widget ---- */

static void
insp_edit_row_dispose (GObject *object)
{
  InspEditRow *self = INSP_EDIT_ROW (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->edits);
  g_clear_object (&self->edit);
  G_OBJECT_CLASS (insp_edit_row_parent_class)->dispose (object);
}

static void
insp_edit_row_class_init (InspEditRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_edit_row_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-edit");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static GtkWidget *
add_label (GtkWidget *box, const char *style)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, style);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static GtkWidget *
make_header (InspEditRow *self)
{
  GtkWidget *header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *names = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *drop = gtk_button_new_from_icon_name ("edit-undo-symbolic");
  g_autofree char *key = insp_bytes_escape (insp_edit_get_key (self->edit), KEY_LIMIT);
  g_autofree char *name = g_strdup_printf (_ ("Discard the Change of %s"), key);
  GtkWidget *key_label = add_label (names, "monospace");
  self->kind = add_label (names, "caption");
  gtk_widget_add_css_class (self->kind, "dim-label");
  gtk_label_set_text (GTK_LABEL (key_label), key);
  gtk_label_set_ellipsize (GTK_LABEL (key_label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_hexpand (names, TRUE);
  gtk_widget_add_css_class (drop, "flat");
  gtk_widget_set_valign (drop, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (drop, _ ("Discard"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (drop), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_signal_connect_swapped (drop, "clicked", G_CALLBACK (on_drop), self);
  gtk_box_append (GTK_BOX (header), names);
  gtk_box_append (GTK_BOX (header), drop);
  return header;
}

static GtkWidget *
make_button (InspEditRow *self, const char *label, const char *tip, GCallback pressed)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_widget_set_tooltip_text (button, tip);
  g_signal_connect_swapped (button, "clicked", pressed, self);
  return button;
}

static GtkWidget *
make_conflict (InspEditRow *self)
{
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->conflict = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->conflict_text = add_label (self->conflict, "insp-conflict");
  gtk_label_set_wrap (GTK_LABEL (self->conflict_text), TRUE);
  self->now = insp_difference_new (_ ("What Is There Now"));
  gtk_box_append (GTK_BOX (self->conflict), self->now);
  gtk_box_append (GTK_BOX (buttons),
                  make_button (self, _ ("Take Theirs"), _ ("Leave what is there, drop this change"),
                               G_CALLBACK (on_drop)));
  gtk_box_append (GTK_BOX (buttons),
                  make_button (self, _ ("Keep Mine"), _ ("Stage this change of what is there now"),
                               G_CALLBACK (on_restage)));
  gtk_box_append (GTK_BOX (self->conflict), buttons);
  return self->conflict;
}

static void
insp_edit_row_init (InspEditRow *self)
{
}

GtkWidget *
insp_edit_row_new (InspEdits *edits, InspEdit *edit)
{
  InspEditRow *self = g_object_new (INSP_TYPE_EDIT_ROW, NULL);
  g_autofree char *key = insp_bytes_escape (insp_edit_get_key (edit), KEY_LIMIT);
  self->edits = g_object_ref (edits);
  self->edit = g_object_ref (edit);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (self->box), make_header (self));
  self->difference = insp_difference_new (_ ("Difference"));
  gtk_box_append (GTK_BOX (self->box), self->difference);
  gtk_box_append (GTK_BOX (self->box), make_conflict (self));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, key, -1);
  g_signal_connect_object (edit, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  show (self);
  return GTK_WIDGET (self);
}
