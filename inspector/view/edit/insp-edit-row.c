/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-diff.h"
#include "insp-edit-row.h"

#define KEY_LIMIT 300  /* bytes of a key that are shown */
#define LINES_MAX 400u /* of a difference that are */

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

/* Lines of one kind: by a sign as well as by colour. */
static void
add_lines (GtkWidget *box, InspDiffKind kind, const char *text)
{
  static const char *const styles[] = { "insp-same", "insp-old", "insp-new", "insp-same" };
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_can_focus (label, FALSE); /* the keyboard has buttons to go to */
  gtk_widget_add_css_class (label, "monospace");
  gtk_widget_add_css_class (label, styles[kind]);
  gtk_box_append (GTK_BOX (box), label);
}

static void
show_lines (GtkWidget *box, GPtrArray *lines)
{
  static const char *const signs[] = { "  ", "− ", "+ ", "⋯" };
  GtkWidget *old;
  while ((old = gtk_widget_get_first_child (box)) != NULL)
    gtk_box_remove (GTK_BOX (box), old);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < lines->len && i < LINES_MAX; i++)
    {
      const InspDiffLine *line = lines->pdata[i];
      gboolean ends = i + 1 == MIN (lines->len, LINES_MAX)
                      || ((InspDiffLine *) lines->pdata[i + 1])->kind != line->kind;
      g_string_append (text, signs[line->kind]);
      g_string_append (text, line->text != NULL ? line->text : "");
      if (!ends)
        g_string_append_c (text, '\n');
      else
        {
          add_lines (box, line->kind, text->str);
          g_string_truncate (text, 0);
        }
    }
  if (lines->len > LINES_MAX)
    add_lines (box, INSP_DIFF_SKIPPED, signs[INSP_DIFF_SKIPPED]);
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
  show_lines (self->now, lines);
}

static void
show (InspEditRow *self)
{
  g_autoptr (GPtrArray) lines = insp_diff_compare_values (insp_edit_get_expected (self->edit),
                                                          insp_edit_get_value (self->edit));
  gtk_label_set_text (GTK_LABEL (self->kind), name_kind (self->edit));
  show_lines (self->difference, lines);
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
make_lines (const char *name)
{
  GtkWidget *box = g_object_new (GTK_TYPE_BOX, "orientation", GTK_ORIENTATION_VERTICAL,
                                 "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, NULL);
  gtk_widget_add_css_class (box, "insp-difference");
  gtk_accessible_update_property (GTK_ACCESSIBLE (box), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return box;
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
  self->now = make_lines (_ ("What Is There Now"));
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
  self->difference = make_lines (_ ("Difference"));
  gtk_box_append (GTK_BOX (self->box), self->difference);
  gtk_box_append (GTK_BOX (self->box), make_conflict (self));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, key, -1);
  g_signal_connect_object (edit, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  show (self);
  return GTK_WIDGET (self);
}
