/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-edit-row.h"
#include "insp-review.h"

struct _InspReview
{
  GtkWidget parent_instance;

  InspEdits *edits; /* owned */
  GtkWidget *box;   /* child */
  GtkWidget *leave;
  GtkWidget *commit;
  GtkWidget *title;
  GtkWidget *text; /* what to do */
  GtkWidget *list;
};

G_DEFINE_FINAL_TYPE (InspReview, insp_review, GTK_TYPE_WIDGET)

enum
{
  COMMIT,
  LEFT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- showing ---- */

static void
review (InspReview *self)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->edits));
  guint conflicts = insp_edits_count_conflicts (self->edits);
  g_autofree char *title = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u Staged Change", "%u Staged Changes", count), count);
  g_autofree char *text
      = conflicts > 0
            ? g_strdup_printf (
                g_dngettext (GETTEXT_PACKAGE,
                             "Nothing was written: %u key is not as it was. Decide what "
                             "becomes of it, then commit again.",
                             "Nothing was written: %u keys are not as they were. Decide "
                             "what becomes of them, then commit again.",
                             conflicts),
                conflicts)
            : g_strdup (
                _ ("They are written in one transaction: all of them, or none when one of the "
                   "keys was written meanwhile."));
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_label_set_text (GTK_LABEL (self->text), text);
  if (conflicts > 0)
    gtk_widget_add_css_class (self->text, "insp-conflict");
  else
    gtk_widget_remove_css_class (self->text, "insp-conflict");
  gtk_widget_set_sensitive (self->commit, insp_edits_can_commit (self->edits));
  gtk_widget_set_sensitive (self->list, !insp_edits_is_busy (self->edits));
}

void
insp_review_focus (InspReview *self)
{
  if (!gtk_widget_is_sensitive (self->commit) || !gtk_widget_grab_focus (self->commit))
    gtk_widget_grab_focus (self->leave);
}

static GtkWidget *
make_row (gpointer edit, gpointer self)
{
  GtkWidget *row = gtk_list_box_row_new ();
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row),
                              insp_edit_row_new (INSP_REVIEW (self)->edits, edit));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  return row;
}

/* ---- the widget ---- */

static void
on_commit (InspReview *self)
{
  g_signal_emit (self, signals[COMMIT], 0);
}

static void
on_leave (InspReview *self)
{
  g_signal_emit (self, signals[LEFT], 0);
}

static void
insp_review_dispose (GObject *object)
{
  InspReview *self = INSP_REVIEW (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->edits);
  G_OBJECT_CLASS (insp_review_parent_class)->dispose (object);
}

static void
insp_review_class_init (InspReviewClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_review_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  signals[COMMIT] = g_signal_new ("commit", INSP_TYPE_REVIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
  signals[LEFT] = g_signal_new ("left", INSP_TYPE_REVIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 0);
}

static GtkWidget *
make_header (InspReview *self)
{
  GtkWidget *header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->leave = gtk_button_new_from_icon_name ("go-previous-symbolic");
  self->title = gtk_label_new (NULL);
  self->commit = gtk_button_new_with_label (C_ ("button", "Commit"));
  gtk_widget_set_tooltip_text (self->leave, _ ("Back"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->leave), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Back"), -1);
  gtk_widget_add_css_class (self->leave, "flat");
  gtk_widget_add_css_class (self->title, "heading");
  gtk_widget_add_css_class (self->commit, "suggested-action");
  gtk_label_set_xalign (GTK_LABEL (self->title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->title, TRUE);
  g_signal_connect_swapped (self->leave, "clicked", G_CALLBACK (on_leave), self);
  g_signal_connect_swapped (self->commit, "clicked", G_CALLBACK (on_commit), self);
  gtk_box_append (GTK_BOX (header), self->leave);
  gtk_box_append (GTK_BOX (header), self->title);
  gtk_box_append (GTK_BOX (header), self->commit);
  gtk_widget_add_css_class (header, "insp-toolbar");
  return header;
}

static void
insp_review_init (InspReview *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->text = gtk_label_new (NULL);
  self->list = gtk_list_box_new ();
  gtk_label_set_wrap (GTK_LABEL (self->text), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->text), 0);
  gtk_widget_add_css_class (self->text, "insp-toolbar");
  gtk_list_box_set_selection_mode (GTK_LIST_BOX (self->list), GTK_SELECTION_NONE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Staged Changes"), -1);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->list);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_box_append (GTK_BOX (self->box), make_header (self));
  gtk_box_append (GTK_BOX (self->box), self->text);
  gtk_box_append (GTK_BOX (self->box), scroller);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_review_new (InspEdits *edits)
{
  InspReview *self = g_object_new (INSP_TYPE_REVIEW, NULL);
  self->edits = g_object_ref (edits);
  gtk_list_box_bind_model (GTK_LIST_BOX (self->list), G_LIST_MODEL (edits), make_row, self, NULL);
  g_signal_connect_object (edits, "changed", G_CALLBACK (review), self, G_CONNECT_SWAPPED);
  review (self);
  return GTK_WIDGET (self);
}
