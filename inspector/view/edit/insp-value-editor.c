/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-bytes.h"
#include "insp-choice.h"
#include "insp-json.h"
#include "insp-value-editor.h"
#include "insp-value-form.h"
#include "insp-value-text.h"

typedef enum
{
  TEXT,
  JSON,
  HEX,
} Form;

struct _InspValueEditor
{
  GtkWidget parent_instance;

  GBytes *key;           /* of the record; NULL: a new one; owned */
  Form form;             /* of the text */
  gboolean is_beginning; /* it is being filled */
  gboolean is_changed;   /* something was typed since it began */

  GtkWidget *box; /* child */
  GtkWidget *name;
  GtkEditable *new_key;
  GtkDropDown *forms;
  GtkWidget *view;
  GtkTextBuffer *text;
  GtkWidget *message;
  GtkWidget *stage;
};

G_DEFINE_FINAL_TYPE (InspValueEditor, insp_value_editor, GTK_TYPE_WIDGET)

enum
{
  DONE,
  LEFT,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- what is written ---- */

static char *
get_text (InspValueEditor *self)
{
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds (self->text, &start, &end);
  return gtk_text_buffer_get_text (self->text, &start, &end, FALSE);
}

/* The place of an offset in bytes, as people count. */
static void
set_json_error (const char *text, gsize offset, GError **error)
{
  glong line = 1;
  const char *begin = text;
  for (const char *at = text; at < text + offset; at++)
    if (*at == '\n')
      {
        line++;
        begin = at + 1;
      }
  glong column = g_utf8_strlen (begin, text + offset - begin) + 1;
  if (text[offset] == '\0')
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _ ("Line %ld, column %ld: something is missing at the end of the JSON."), line,
                 column);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _ ("Line %ld, column %ld: this does not belong there in JSON."), line, column);
}

/* `offset`: where it is wrong, if that is known. */
static GBytes *
parse (Form form, const char *text, gssize *offset, GError **error)
{
  gsize size = strlen (text);
  *offset = -1;
  if (form == HEX)
    return insp_bytes_from_hex (text, error);
  if (form == JSON)
    *offset = insp_json_find_error (text, size);
  if (*offset < 0)
    return g_bytes_new (text, size);
  set_json_error (text, (gsize) *offset, error);
  return NULL;
}

GBytes *
insp_value_editor_get_value (InspValueEditor *self)
{
  gssize offset;
  g_autofree char *text = get_text (self);
  return parse (self->form, text, &offset, NULL);
}

static GBytes *
parse_key (InspValueEditor *self, GError **error)
{
  if (self->key != NULL)
    return g_bytes_ref (self->key);
  g_autoptr (GBytes) key = insp_bytes_unescape (gtk_editable_get_text (self->new_key), error);
  if (key == NULL || g_bytes_get_size (key) > 0)
    return g_steal_pointer (&key);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       _ ("A key has at least a byte."));
  return NULL;
}

GBytes *
insp_value_editor_get_key (InspValueEditor *self)
{
  return parse_key (self, NULL);
}

/* ---- what is wrong ---- */

static void
say (InspValueEditor *self, const char *text)
{
  gtk_label_set_text (GTK_LABEL (self->message), text != NULL ? text : "");
  gtk_widget_set_sensitive (self->stage, text == NULL);
}

static void
underline (InspValueEditor *self, const char *text, gssize offset)
{
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds (self->text, &start, &end);
  gtk_text_buffer_remove_tag_by_name (self->text, "wrong", &start, &end);
  if (offset < 0)
    return;
  glong character = g_utf8_strlen (text, offset);
  gtk_text_buffer_get_iter_at_offset (self->text, &start, (int) character);
  end = start;
  if (!gtk_text_iter_forward_char (&end))
    gtk_text_iter_backward_char (&start);
  gtk_text_buffer_apply_tag_by_name (self->text, "wrong", &start, &end);
}

static void
review (InspValueEditor *self)
{
  gssize offset;
  g_autoptr (GError) key_error = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = get_text (self);
  g_autoptr (GBytes) key = parse_key (self, &key_error);
  g_autoptr (GBytes) value = parse (self->form, text, &offset, &error);
  underline (self, text, offset);
  say (self, key_error != NULL ? key_error->message : error != NULL ? error->message : NULL);
  gtk_accessible_update_state (
      GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_STATE_INVALID,
      error != NULL ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_typed (InspValueEditor *self)
{
  if (self->is_beginning)
    return;
  self->is_changed = TRUE;
  review (self);
}

void
insp_value_editor_refuse (InspValueEditor *self, const char *reason)
{
  say (self, reason);
}

void
insp_value_editor_remind (InspValueEditor *self)
{
  gtk_label_set_text (GTK_LABEL (self->message),
                      _ ("What you wrote is not staged yet. Stage it first, or cancel."));
  gtk_widget_grab_focus (self->view);
}

gboolean
insp_value_editor_is_changed (InspValueEditor *self)
{
  return self->is_changed;
}

/* ---- forms ---- */

static gboolean
suits (Form form, GBytes *value)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (value, &size);
  if (form == HEX)
    return TRUE;
  return insp_bytes_are_text (value, TRUE)
         && (form == TEXT || size == 0 || insp_json_find_error (data, size) < 0);
}

static void
show_value (InspValueEditor *self, Form form, GBytes *value)
{
  gsize size;
  const char *data = g_bytes_get_data (value, &size);
  g_autofree char *text
      = form == HEX ? insp_bytes_to_hex (value) : g_strndup (data != NULL ? data : "", size);
  self->form = form;
  self->is_beginning = TRUE;
  insp_value_text_set (GTK_TEXT_VIEW (self->view), text, FALSE);
  gtk_drop_down_set_selected (self->forms, form);
  self->is_beginning = FALSE;
  review (self);
}

/* The same bytes in another form. */
static void
on_form (InspValueEditor *self)
{
  Form form = (Form) gtk_drop_down_get_selected (self->forms);
  if (self->is_beginning || form == self->form)
    return;
  g_autoptr (GBytes) value = insp_value_editor_get_value (self);
  if (value != NULL && (form != TEXT || suits (TEXT, value))
      && (form == HEX || insp_bytes_are_text (value, TRUE)))
    {
      show_value (self, form, value);
      return;
    }
  self->is_beginning = TRUE;
  gtk_drop_down_set_selected (self->forms, self->form);
  self->is_beginning = FALSE;
  say (self, value != NULL
                 ? _ ("These bytes are no text: they can be edited as hexadecimal digits.")
                 : _ ("Mend what is wrong before it is shown in another form."));
  gtk_widget_set_sensitive (self->stage, value != NULL);
}

static Form
guess (GBytes *value)
{
  gsize size;
  const char *data = g_bytes_get_data (value, &size);
  if (size > 0 && (data[0] == '{' || data[0] == '[') && suits (JSON, value))
    return JSON;
  return suits (TEXT, value) ? TEXT : HEX;
}

void
insp_value_editor_edit (InspValueEditor *self, GBytes *key, GBytes *value)
{
  GBytes *held = key != NULL ? g_bytes_ref (key) : NULL;
  g_autofree char *text = key != NULL ? insp_bytes_escape (key, 1000) : g_strdup (_ ("New Key"));
  g_clear_pointer (&self->key, g_bytes_unref);
  self->key = held;
  gtk_label_set_text (GTK_LABEL (self->name), text);
  gtk_widget_set_visible (GTK_WIDGET (self->new_key), key == NULL);
  self->is_beginning = TRUE;
  gtk_editable_set_text (self->new_key, "");
  self->is_changed = FALSE;
  show_value (self, guess (value), value);
  GtkTextIter start;
  gtk_text_buffer_get_start_iter (self->text, &start);
  gtk_text_buffer_place_cursor (self->text, &start);
  if (key == NULL)
    say (self, NULL);
  gtk_widget_set_sensitive (self->stage, key != NULL);
  gtk_widget_grab_focus (key == NULL ? GTK_WIDGET (self->new_key) : self->view);
}

/* ---- the widget ---- */

static void
on_done (InspValueEditor *self)
{
  review (self);
  if (gtk_widget_is_sensitive (self->stage))
    g_signal_emit (self, signals[DONE], 0);
}

static void
on_left (InspValueEditor *self)
{
  g_signal_emit (self, signals[LEFT], 0);
}

static gboolean
on_done_key (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  on_done (INSP_VALUE_EDITOR (widget));
  return GDK_EVENT_STOP;
}

static gboolean
on_left_key (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  on_left (INSP_VALUE_EDITOR (widget));
  return GDK_EVENT_STOP;
}

static void
insp_value_editor_dispose (GObject *object)
{
  InspValueEditor *self = INSP_VALUE_EDITOR (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->key, g_bytes_unref);
  G_OBJECT_CLASS (insp_value_editor_parent_class)->dispose (object);
}

static void
insp_value_editor_class_init (InspValueEditorClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_value_editor_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  signals[DONE] = g_signal_new ("done", INSP_TYPE_VALUE_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
  signals[LEFT] = g_signal_new ("left", INSP_TYPE_VALUE_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_VALUE_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static GtkDropDown *
make_forms (InspValueEditor *self)
{
  const char *names[] = { _ ("Text"), _ ("JSON"), _ ("Hex"), NULL };
  GtkWidget *forms = insp_choice_new_from_strings (names, _ ("Edit Value As"));
  gtk_widget_set_tooltip_text (forms, _ ("Edit Value As"));
  g_signal_connect_swapped (forms, "notify::selected", G_CALLBACK (on_form), self);
  return GTK_DROP_DOWN (forms);
}

static GtkWidget *
make_header (InspValueEditor *self)
{
  GtkWidget *header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->name = gtk_label_new (NULL);
  self->forms = make_forms (self);
  gtk_label_set_xalign (GTK_LABEL (self->name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->name), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_add_css_class (self->name, "heading");
  gtk_widget_add_css_class (self->name, "monospace");
  gtk_widget_set_hexpand (self->name, TRUE);
  gtk_box_append (GTK_BOX (header), self->name);
  gtk_box_append (GTK_BOX (header), GTK_WIDGET (self->forms));
  gtk_widget_add_css_class (header, "insp-toolbar");
  return header;
}

static GtkWidget *
make_new_key (InspValueEditor *self)
{
  GtkWidget *entry = gtk_entry_new ();
  self->new_key = GTK_EDITABLE (entry);
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _ ("Key"));
  gtk_widget_add_css_class (entry, "monospace");
  gtk_widget_add_css_class (entry, "insp-new-key");
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Key"),
                                  -1);
  g_signal_connect_swapped (entry, "changed", G_CALLBACK (on_typed), self);
  return entry;
}

static GtkWidget *
make_text (InspValueEditor *self)
{
  self->view = insp_value_text_new (_ ("New Value"));
  self->text = gtk_text_view_get_buffer (GTK_TEXT_VIEW (self->view));
  gtk_text_buffer_create_tag (self->text, "wrong", "underline", PANGO_UNDERLINE_ERROR, NULL);
  g_signal_connect_swapped (self->text, "changed", G_CALLBACK (on_typed), self);
  return gtk_widget_get_parent (self->view);
}

static GtkWidget *
make_buttons (InspValueEditor *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *cancel = gtk_button_new_with_label (_ ("Cancel"));
  self->message = gtk_label_new (NULL);
  self->stage = gtk_button_new_with_label (_ ("Stage"));
  gtk_label_set_wrap (GTK_LABEL (self->message), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->message), 0);
  gtk_widget_set_hexpand (self->message, TRUE);
  gtk_widget_set_valign (cancel, GTK_ALIGN_END);
  gtk_widget_set_valign (self->stage, GTK_ALIGN_END);
  gtk_widget_set_tooltip_text (self->stage,
                               _ ("Keep the change until it is committed (Ctrl+Return)"));
  gtk_widget_add_css_class (self->stage, "suggested-action");
  g_signal_connect_swapped (cancel, "clicked", G_CALLBACK (on_left), self);
  g_signal_connect_swapped (self->stage, "clicked", G_CALLBACK (on_done), self);
  gtk_box_append (GTK_BOX (box), self->message);
  gtk_box_append (GTK_BOX (box), cancel);
  gtk_box_append (GTK_BOX (box), self->stage);
  gtk_widget_add_css_class (box, "insp-toolbar");
  return box;
}

/* Before the text view has them: it takes Ctrl+Return for a new line. */
static void
add_keys (InspValueEditor *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  GtkShortcutController *shortcuts = GTK_SHORTCUT_CONTROLLER (controller);
  gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_CAPTURE);
  gtk_shortcut_controller_add_shortcut (
      shortcuts,
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("<Control>Return|<Control>KP_Enter"),
                        gtk_callback_action_new (on_done_key, NULL, NULL)));
  gtk_shortcut_controller_add_shortcut (
      shortcuts, gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                                   gtk_callback_action_new (on_left_key, NULL, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

static void
insp_value_editor_init (InspValueEditor *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->is_beginning = TRUE;
  gtk_box_append (GTK_BOX (self->box), make_header (self));
  gtk_box_append (GTK_BOX (self->box), make_new_key (self));
  gtk_box_append (GTK_BOX (self->box), make_text (self));
  gtk_box_append (GTK_BOX (self->box), make_buttons (self));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Editor"), -1);
  add_keys (self);
}

GtkWidget *
insp_value_editor_new (void)
{
  return g_object_new (INSP_TYPE_VALUE_EDITOR, NULL);
}
