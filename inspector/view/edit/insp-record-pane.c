/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   P1  `cancellable` and `changed` are there exactly while the value of that key is read, to be edited or
 *       deleted; another one may be selected meanwhile.
 *   P2  While the editor is open `edited_store` and `expected` are those of its record.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-edits.h"
#include "insp-record-pane.h"
#include "insp-review.h"
#include "insp-sentence.h"
#include "insp-value-editor.h"
#include "insp-value-view.h"

struct _InspRecordPane
{
  GtkWidget parent_instance;

  InspSession *session;       /* owned */
  InspPermission *permission; /* owned */
  InspEdits *edits;           /* owned */
  char *store;                /* that is shown; NULL: none yet */
  char *edited_store;         /* P2 */
  GBytes *expected;           /* P2; NULL: no such key; owned */
  GBytes *changed;            /* P1: of this key; NULL: none; owned */
  GCancellable *cancellable;  /* P1; owned */

  GtkWidget *box;   /* child */
  GtkWidget *stack; /* of value, editor, review */
  InspValueView *value;
  InspValueEditor *editor;
  InspReview *review;
  GtkWidget *bar;
  GtkWidget *message;
  GtkWidget *buttons; /* while the value is shown */
  GtkWidget *undo;
  GtkWidget *open_review;
};

G_DEFINE_FINAL_TYPE (InspRecordPane, insp_record_pane, GTK_TYPE_WIDGET)

enum
{
  LEFT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- what is said ---- */

static gboolean
shows (InspRecordPane *self, const char *name)
{
  return g_strcmp0 (gtk_stack_get_visible_child_name (GTK_STACK (self->stack)), name) == 0;
}

static gboolean
is_writing (InspRecordPane *self)
{
  return shows (self, "editor") && insp_value_editor_is_changed (self->editor);
}

/* What would be lost: also what stands in the editor and is not staged yet. */
static void
review_loss (InspRecordPane *self)
{
  insp_session_set_staged (self->session, g_list_model_get_n_items (G_LIST_MODEL (self->edits))
                                              + (is_writing (self) ? 1 : 0));
}

/* Something else is asked for. TRUE: what stands in the editor would be lost, which it says instead. */
static gboolean
keeps_writing (InspRecordPane *self)
{
  if (!is_writing (self))
    return FALSE;
  insp_value_editor_remind (self->editor);
  return TRUE;
}

static void
review_bar (InspRecordPane *self)
{
  gboolean says = gtk_label_get_text (GTK_LABEL (self->message))[0] != '\0';
  gtk_widget_set_visible (self->message, says);
  gtk_widget_set_visible (self->buttons, shows (self, "value"));
  gtk_widget_set_visible (self->bar, insp_permission_is_granted (self->permission)
                                         && (says || shows (self, "value")));
}

static void
say (InspRecordPane *self, const char *text)
{
  g_autofree char *sentence = text != NULL ? insp_sentence_of (text) : NULL;
  gtk_label_set_text (GTK_LABEL (self->message), sentence != NULL ? sentence : "");
  review_bar (self);
}

static void
show_child (InspRecordPane *self, const char *name)
{
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), name);
  review_bar (self);
  review_loss (self);
}

static void
review_edits (InspRecordPane *self)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->edits));
  g_autofree char *label
      /* Translators: a button that shows so many staged changes */
      = g_strdup_printf (
          g_dngettext (GETTEXT_PACKAGE, "Review %u Change", "Review %u Changes", count), count);
  gtk_button_set_label (GTK_BUTTON (self->open_review), label);
  gtk_widget_set_visible (self->open_review, count > 0);
  gtk_widget_set_sensitive (self->undo, insp_edits_can_undo (self->edits));
  review_loss (self);
  if (count == 0 && shows (self, "review") && !insp_edits_is_busy (self->edits))
    show_child (self, "value");
}

static void
review_permission (InspRecordPane *self)
{
  gboolean granted = insp_permission_is_granted (self->permission);
  review_bar (self);
  insp_value_view_set_editable (self->value, granted);
  if (!granted && !insp_permission_is_pending (self->permission))
    show_child (self, "value");
}

static gboolean
is_permitted (InspRecordPane *self)
{
  if (!insp_permission_is_granted (self->permission))
    insp_permission_ask (self->permission);
  return insp_permission_is_granted (self->permission) && !insp_edits_is_busy (self->edits);
}

static void
leave (InspRecordPane *self)
{
  show_child (self, "value");
  if (g_list_model_get_n_items (G_LIST_MODEL (self->edits)) > 0)
    gtk_widget_grab_focus (self->open_review);
  else
    g_signal_emit (self, signals[LEFT], 0);
}

/* ---- reading what is to be changed ---- */

static void
stop (InspRecordPane *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->changed, g_bytes_unref);
}

static void
read_value (InspRecordPane *self, GBytes *key, GAsyncReadyCallback callback)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (key, &size);
  self->changed = g_bytes_ref (key);
  self->cancellable = g_cancellable_new ();
  ldb_inspector_get_async (insp_session_get_inspector (self->session), 0, self->store, data, size,
                           self->cancellable, callback, g_object_ref (self));
}

/* The answer, if it is wanted still, and whose it is; errors are said. FALSE: nothing is to be done. */
static gboolean
take_value (InspRecordPane *self, GObject *source, GAsyncResult *result, GBytes **key,
            GBytes **value)
{
  g_autoptr (GError) error = NULL;
  *value = ldb_inspector_get_finish (LDB_INSPECTOR (source), result, &error);
  if (g_task_get_cancellable (G_TASK (result)) != self->cancellable)
    return FALSE;
  g_clear_object (&self->cancellable);
  *key = g_steal_pointer (&self->changed);
  if (error != NULL)
    say (self, error->message);
  return error == NULL;
}

/* ---- editing ---- */

static void
open_editor (InspRecordPane *self, GBytes *key, GBytes *expected, GBytes *value)
{
  GBytes *held = expected != NULL ? g_bytes_ref (expected) : NULL;
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);
  if (value != NULL && g_bytes_get_size (value) > INSP_VALUE_EDITOR_MAX)
    {
      g_clear_pointer (&held, g_bytes_unref);
      say (self, _ ("The value is too large to be edited here. The key can be deleted."));
      return;
    }
  g_clear_pointer (&self->expected, g_bytes_unref);
  self->expected = held;
  g_free (self->edited_store);
  self->edited_store = g_strdup (self->store);
  say (self, NULL);
  show_child (self, "editor");
  insp_value_editor_edit (self->editor, key, value != NULL ? value : none);
}

static void
on_read_to_edit (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspRecordPane) self = data;
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) value = NULL;
  if (!take_value (self, source, result, &key, &value))
    return;
  if (value == NULL)
    say (self, _ ("The key is gone: it was deleted since it was listed."));
  else
    open_editor (self, key, value, value);
}

void
insp_record_pane_edit (InspRecordPane *self)
{
  GBytes *key = insp_value_view_get_key (self->value);
  if (keeps_writing (self) || key == NULL || self->store == NULL || !is_permitted (self))
    return;
  InspEdit *edit = insp_edits_find (self->edits, self->store, key);
  GBytes *value = edit != NULL ? insp_edit_get_value (edit) : NULL;
  stop (self);
  if (edit != NULL)
    open_editor (self, key, insp_edit_get_expected (edit),
                 value != NULL ? value : insp_edit_get_expected (edit));
  else
    read_value (self, key, on_read_to_edit);
}

void
insp_record_pane_add (InspRecordPane *self)
{
  if (keeps_writing (self) || self->store == NULL || !is_permitted (self))
    return;
  stop (self);
  open_editor (self, NULL, NULL, NULL);
}

static void
stage (InspRecordPane *self, const char *store, GBytes *key, GBytes *expected, GBytes *value)
{
  insp_edits_stage (self->edits, store, key, expected, value);
  say (self, insp_edits_find (self->edits, store, key) == NULL
                 ? _ ("Nothing is staged: that is what there is already.")
                 : NULL);
  leave (self);
}

/* Whether there is such a key already. */
static void
on_read_to_add (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspRecordPane) self = data;
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) there = NULL;
  if (!take_value (self, source, result, &key, &there) || !shows (self, "editor"))
    return;
  g_autoptr (GBytes) value = insp_value_editor_get_value (self->editor);
  if (there != NULL)
    insp_value_editor_refuse (self->editor,
                              _ ("There is such a key. Select it to change its value."));
  else if (value != NULL)
    stage (self, self->edited_store, key, NULL, value);
}

static void
on_edited (InspRecordPane *self)
{
  g_autoptr (GBytes) key = insp_value_editor_get_key (self->editor);
  g_autoptr (GBytes) value = insp_value_editor_get_value (self->editor);
  if (key == NULL || value == NULL || insp_edits_is_busy (self->edits))
    return;
  stop (self);
  if (self->expected == NULL && insp_edits_find (self->edits, self->edited_store, key) == NULL)
    read_value (self, key, on_read_to_add);
  else
    stage (self, self->edited_store, key, self->expected, value);
}

/* ---- deleting ---- */

static void
on_read_to_delete (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspRecordPane) self = data;
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) value = NULL;
  if (!take_value (self, source, result, &key, &value))
    return;
  if (value != NULL)
    stage (self, self->store, key, value, NULL);
  else
    say (self, _ ("The key is gone: it was deleted since it was listed."));
}

void
insp_record_pane_delete (InspRecordPane *self)
{
  GBytes *key = insp_value_view_get_key (self->value);
  if (keeps_writing (self) || key == NULL || self->store == NULL || !is_permitted (self))
    return;
  InspEdit *edit = insp_edits_find (self->edits, self->store, key);
  stop (self);
  if (edit != NULL)
    {
      stage (self, self->store, key, NULL, NULL);
      return;
    }
  read_value (self, key, on_read_to_delete);
}

/* ---- committing ---- */

void
insp_record_pane_review (InspRecordPane *self)
{
  if (keeps_writing (self) || !insp_permission_is_granted (self->permission)
      || g_list_model_get_n_items (G_LIST_MODEL (self->edits)) == 0)
    return;
  show_child (self, "review");
  insp_review_focus (self->review);
}

static void
tell_outcome (InspRecordPane *self, guint count, const GError *error, gboolean is_undo)
{
  g_autofree char *text = NULL;
  if (g_error_matches (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED))
    insp_permission_lose (self->permission, error);
  else if (g_error_matches (error, LDB_ERROR, LDB_ERROR_CONFLICT))
    insp_record_pane_review (self);
  else if (error != NULL)
    text = g_strdup (error->message);
  else if (is_undo)
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "Undone: %u record is as it was.",
                                         "Undone: %u records are as they were.", count),
                            count);
  else
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "Committed: %u record was written.",
                                         "Committed: %u records were written.", count),
                            count);
  say (self, text);
  if (error == NULL)
    leave (self);
  insp_value_view_refresh (self->value);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspRecordPane) self = data;
  g_autoptr (GError) error = NULL;
  guint count = insp_edits_finish (INSP_EDITS (source), result, &error);
  if (self->box != NULL)
    tell_outcome (self, count, error, FALSE);
}

static void
on_undone (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspRecordPane) self = data;
  g_autoptr (GError) error = NULL;
  guint count = insp_edits_finish (INSP_EDITS (source), result, &error);
  if (self->box != NULL)
    tell_outcome (self, count, error, TRUE);
}

static void
on_commit (InspRecordPane *self)
{
  LdbInspector *inspector = insp_session_get_inspector (self->session);
  if (inspector != NULL && insp_edits_can_commit (self->edits))
    insp_edits_commit_async (self->edits, inspector, NULL, on_committed, g_object_ref (self));
}

void
insp_record_pane_undo (InspRecordPane *self)
{
  LdbInspector *inspector = insp_session_get_inspector (self->session);
  if (!keeps_writing (self) && inspector != NULL && insp_permission_is_granted (self->permission)
      && insp_edits_can_undo (self->edits))
    insp_edits_undo_async (self->edits, inspector, NULL, on_undone, g_object_ref (self));
}

/* ---- what is shown ---- */

void
insp_record_pane_set_store (InspRecordPane *self, const char *store)
{
  if (g_strcmp0 (self->store, store) == 0)
    return;
  stop (self);
  g_free (self->store);
  self->store = g_strdup (store);
}

void
insp_record_pane_select (InspRecordPane *self, GBytes *key)
{
  GBytes *shown = insp_value_view_get_key (self->value);
  if (key != NULL && shown != NULL && g_bytes_equal (key, shown))
    insp_value_view_refresh (self->value);
  else if (key != shown)
    insp_value_view_show (self->value, insp_session_get_inspector (self->session), self->store,
                          key);
}

void
insp_record_pane_refresh (InspRecordPane *self)
{
  insp_value_view_refresh (self->value);
}

/* ---- the widget ---- */

static void
insp_record_pane_dispose (GObject *object)
{
  InspRecordPane *self = INSP_RECORD_PANE (object);
  stop (self);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->edits);
  g_clear_object (&self->permission);
  g_clear_object (&self->session);
  g_clear_pointer (&self->expected, g_bytes_unref);
  g_clear_pointer (&self->edited_store, g_free);
  g_clear_pointer (&self->store, g_free);
  G_OBJECT_CLASS (insp_record_pane_parent_class)->dispose (object);
}

static void
insp_record_pane_class_init (InspRecordPaneClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_record_pane_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
  signals[LEFT] = g_signal_new ("left", INSP_TYPE_RECORD_PANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
insp_record_pane_init (InspRecordPane *self)
{
  self->edits = insp_edits_new ();
}

static GtkWidget *
make_buttons (InspRecordPane *self)
{
  GtkWidget *new_key = gtk_button_new_with_label (_ ("New Key"));
  self->buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->undo = gtk_button_new_with_label (_ ("Undo Last Commit"));
  self->open_review = gtk_button_new_with_label ("");
  gtk_widget_set_tooltip_text (new_key, _ ("Stage a new key (Ctrl+Shift+N)"));
  gtk_widget_set_tooltip_text (self->undo, _ ("Take back what was committed last (Ctrl+Shift+Z)"));
  gtk_widget_set_tooltip_text (self->open_review, _ ("Show what is staged, to commit it (Ctrl+S)"));
  gtk_label_set_ellipsize (GTK_LABEL (gtk_button_get_child (GTK_BUTTON (self->undo))),
                           PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (new_key, "flat");
  gtk_widget_add_css_class (self->undo, "flat");
  gtk_widget_add_css_class (self->open_review, "suggested-action");
  gtk_widget_set_hexpand (self->open_review, TRUE);
  gtk_widget_set_halign (self->open_review, GTK_ALIGN_END);
  g_signal_connect_swapped (new_key, "clicked", G_CALLBACK (insp_record_pane_add), self);
  g_signal_connect_swapped (self->undo, "clicked", G_CALLBACK (insp_record_pane_undo), self);
  g_signal_connect_swapped (self->open_review, "clicked", G_CALLBACK (insp_record_pane_review),
                            self);
  gtk_box_append (GTK_BOX (self->buttons), new_key);
  gtk_box_append (GTK_BOX (self->buttons), self->undo);
  gtk_box_append (GTK_BOX (self->buttons), self->open_review);
  return self->buttons;
}

static GtkWidget *
make_bar (InspRecordPane *self)
{
  self->bar = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->message = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->message), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->message), 0);
  gtk_widget_set_visible (self->message, FALSE);
  gtk_box_append (GTK_BOX (self->bar), self->message);
  gtk_box_append (GTK_BOX (self->bar), make_buttons (self));
  gtk_widget_add_css_class (self->bar, "insp-toolbar");
  return self->bar;
}

static void
make_children (InspRecordPane *self)
{
  self->value = INSP_VALUE_VIEW (insp_value_view_new ());
  self->editor = INSP_VALUE_EDITOR (insp_value_editor_new ());
  self->review = INSP_REVIEW (insp_review_new (self->edits));
  g_signal_connect_swapped (self->value, "edit", G_CALLBACK (insp_record_pane_edit), self);
  g_signal_connect_swapped (self->value, "delete", G_CALLBACK (insp_record_pane_delete), self);
  g_signal_connect_swapped (self->editor, "done", G_CALLBACK (on_edited), self);
  g_signal_connect_swapped (self->editor, "left", G_CALLBACK (leave), self);
  g_signal_connect_swapped (self->editor, "changed", G_CALLBACK (review_loss), self);
  g_signal_connect_swapped (self->review, "commit", G_CALLBACK (on_commit), self);
  g_signal_connect_swapped (self->review, "left", G_CALLBACK (leave), self);
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->value), "value");
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->editor), "editor");
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->review), "review");
}

InspEdits *
insp_record_pane_get_edits (InspRecordPane *self)
{
  return self->edits;
}

GtkWidget *
insp_record_pane_new (InspSession *session, InspPermission *permission)
{
  InspRecordPane *self = g_object_new (INSP_TYPE_RECORD_PANE, NULL);
  self->session = g_object_ref (session);
  self->permission = g_object_ref (permission);
  self->stack = gtk_stack_new ();
  make_children (self);
  gtk_widget_set_vexpand (self->stack, TRUE);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_box_append (GTK_BOX (self->box), self->stack);
  gtk_box_append (GTK_BOX (self->box), make_bar (self));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  g_signal_connect_object (self->edits, "changed", G_CALLBACK (review_edits), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (permission, "changed", G_CALLBACK (review_permission), self,
                           G_CONNECT_SWAPPED);
  review_edits (self);
  review_permission (self);
  return GTK_WIDGET (self);
}
