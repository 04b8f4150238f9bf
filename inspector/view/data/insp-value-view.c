/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   V1  `cancellable` is there exactly while the value is being read.
 *   V2  What is shown is `value` in a form; it is all of the record's unless `is_part`.
 *   V3  `decoding` is there exactly while an image of `value` is decoded.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-bytes.h"
#include "insp-choice.h"
#include "insp-image.h"
#include "insp-status.h"
#include "insp-unit.h"
#include "insp-value-form.h"
#include "insp-value-text.h"
#include "insp-value-view.h"

#define PART 65536u           /* bytes that are read at first */
#define SHOWN_MAX (1u << 20)  /* bytes that a text view is given, in a form */
#define TEXT_MAX (6u << 20)   /* and as which it is given them: a dump of all takes 5 MB */
#define LINE_SHOWN (1u << 19) /* and in a line, which it has to lay out at once: half a second */
#define AUTOMATIC 0u          /* row of the forms; the others are an InspValueForm and 1 */

struct _InspValueView
{
  GtkWidget parent_instance;

  LdbInspector *inspector;   /* NULL: none; owned */
  char *store;               /* owned */
  GBytes *key;               /* NULL: nothing is shown; owned */
  GBytes *value;             /* NULL: not there; owned */
  gboolean is_part;          /* V2 */
  GCancellable *cancellable; /* V1; owned */
  GCancellable *decoding;    /* V3; owned */
  guint hiding;              /* source that hides `part`; 0: none */

  GtkWidget *stack; /* child: what is shown, or why nothing is */
  InspStatus *status;
  GtkWidget *name; /* the key */
  GtkWidget *size;
  GtkDropDown *forms;
  GtkWidget *changes; /* buttons that edit and delete */
  GtkWidget *part;    /* that it is one, and a button for the rest */
  GtkWidget *part_text;
  GtkWidget *views; /* a GtkStack of text and image */
  GtkTextView *text;
  GtkPicture *image;
};

G_DEFINE_FINAL_TYPE (InspValueView, insp_value_view, GTK_TYPE_WIDGET)

enum
{
  EDIT,
  DELETE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- showing ---- */

static void
say (InspValueView *self, const char *icon, const char *title, const char *text)
{
  insp_status_say (self->status, icon, title, text);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "status");
}

static void
say_nothing (InspValueView *self)
{
  say (self, "insp-data-symbolic", _ ("No Key Selected"),
       _ ("Select a key to see its value, as text, bytes, JSON, document or image."));
}

static void
show_lines (InspValueView *self, const char *text, gboolean whole_lines)
{
  insp_value_text_set (self->text, text, whole_lines);
  gtk_stack_set_visible_child_name (GTK_STACK (self->views), "text");
}

static void
show_text (InspValueView *self, const char *text)
{
  show_lines (self, text, FALSE);
}

static void
stop_decoding (InspValueView *self)
{
  g_cancellable_cancel (self->decoding);
  g_clear_object (&self->decoding);
}

static void
on_decoded (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspValueView) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkTexture) texture = insp_image_load_finish (result, &error);
  if (g_task_get_cancellable (G_TASK (result)) != self->decoding)
    return; /* V3 */
  g_clear_object (&self->decoding);
  if (texture == NULL)
    show_text (self, error->message);
  else
    {
      gtk_picture_set_paintable (self->image, GDK_PAINTABLE (texture));
      gtk_stack_set_visible_child_name (GTK_STACK (self->views), "image");
    }
}

static void
show_image (InspValueView *self)
{
  if (self->is_part)
    {
      show_text (self, _ ("Load all of the value to see the image."));
      return;
    }
  self->decoding = g_cancellable_new (); /* V3 */
  insp_image_load_async (self->value, self->decoding, on_decoded, g_object_ref (self));
}

static InspValueForm
form_of (InspValueView *self, GBytes *shown, gboolean whole)
{
  guint chosen = gtk_drop_down_get_selected (self->forms);
  return chosen != AUTOMATIC && chosen != GTK_INVALID_LIST_POSITION
             ? (InspValueForm) (chosen - 1)
             : insp_value_form_guess (shown, whole);
}

static const char *
refusal (InspValueForm form, gboolean whole)
{
  if (form == INSP_VALUE_DOCUMENT && !whole)
    return _ ("Load all of the value to see the document.");
  return form == INSP_VALUE_JSON ? _ ("The value is no JSON.") : _ ("The value is no document.");
}

static gboolean
hide_part (gpointer data)
{
  InspValueView *self = data;
  self->hiding = 0;
  gtk_widget_set_visible (self->part, FALSE);
  return G_SOURCE_REMOVE;
}

/* Where a text view of GTK 4.8 grows and has not laid out its text, it lays out all of it at once to draw a
 * frame: that took four seconds for a dump of 1 MiB. So it grows when all of the text is laid out. */
static void
set_part_visible (InspValueView *self, gboolean visible)
{
  g_clear_handle_id (&self->hiding, g_source_remove);
  gtk_widget_set_opacity (self->part, visible ? 1 : 0);
  gtk_widget_set_sensitive (self->part, visible);
  if (visible || !gtk_widget_get_mapped (self->part))
    gtk_widget_set_visible (self->part, visible);
  else
    self->hiding = g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, hide_part, self, NULL);
}

/* `shown`: bytes of the value; `is_cut`: or less of them. */
static void
show_part (InspValueView *self, gsize shown, gboolean is_cut)
{
  gsize size = g_bytes_get_size (self->value);
  g_autofree char *shown_text = insp_unit_format (INSP_UNIT_BYTES, (double) shown);
  g_autofree char *size_text = insp_unit_format (INSP_UNIT_BYTES, (double) size);
  g_autofree char *text
      /* Translators: a size in bytes: of a value only that much is shown */
      = g_strdup_printf (_ ("The first %s are shown."), shown_text);
  g_autofree char *more
      /* Translators: a size in bytes: the value has more than that */
      = g_strdup_printf (_ ("more than %s"), size_text);
  gtk_label_set_text (GTK_LABEL (self->part_text),
                      is_cut ? _ ("Only the beginning is shown.") : text);
  set_part_visible (self, shown < size || self->is_part || is_cut);
  gtk_widget_set_visible (gtk_widget_get_next_sibling (self->part_text), self->is_part);
  gtk_label_set_text (GTK_LABEL (self->size), self->is_part ? more : size_text);
}

/* How much of a text is given to a text view. */
static gsize
bearable_length (const char *text)
{
  const char *line = text, *end;
  while (*line != '\0' && (gsize) (line - text) < TEXT_MAX)
    {
      end = strchrnul (line, '\n');
      if (end - line > LINE_SHOWN)
        {
          for (line += LINE_SHOWN; (*line & 0xc0) == 0x80;)
            line--; /* to where a character begins */
          break;
        }
      line = *end != '\0' ? end + 1 : end;
    }
  return (gsize) (line - text);
}

/* V2 */
static void
show_value (InspValueView *self)
{
  gsize size = self->value != NULL ? g_bytes_get_size (self->value) : 0;
  stop_decoding (self);
  if (self->value == NULL)
    return;
  gsize shown_size = MIN (size, SHOWN_MAX);
  gboolean whole = !self->is_part && shown_size == size, is_cut = FALSE;
  g_autoptr (GBytes) shown = g_bytes_new_from_bytes (self->value, 0, shown_size);
  InspValueForm form = form_of (self, shown, whole);
  g_autofree char *text = insp_value_form_print (form, shown, whole);
  gsize length = text != NULL ? bearable_length (text) : 0;
  if (text != NULL && text[length] != '\0')
    {
      text[length] = '\0';
      is_cut = TRUE;
    }
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "value");
  show_part (self, form == INSP_VALUE_IMAGE ? size : shown_size, is_cut);
  if (form == INSP_VALUE_IMAGE)
    show_image (self);
  else
    show_lines (self, text != NULL ? text : refusal (form, whole), form == INSP_VALUE_HEX);
}

static void
set_value (InspValueView *self, GBytes *value, gboolean is_part)
{
  g_clear_pointer (&self->value, g_bytes_unref);
  self->value = value != NULL ? g_bytes_ref (value) : NULL;
  self->is_part = is_part;
  if (value != NULL)
    show_value (self);
  else
    say (self, "edit-delete-symbolic", _ ("The Key Is Gone"),
         _ ("It was deleted since it was listed."));
}

/* ---- reading ---- */

static void
stop (InspValueView *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static gboolean
is_wanted (InspValueView *self, GAsyncResult *result, const GError *error)
{
  if (g_task_get_cancellable (G_TASK (result)) != self->cancellable)
    return FALSE; /* V1 */
  g_clear_object (&self->cancellable);
  if (error != NULL && self->value == NULL)
    say (self, "dialog-warning-symbolic", _ ("The Value Cannot Be Read"), error->message);
  return error == NULL;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) records
      = ldb_inspector_read_finish (LDB_INSPECTOR (source), result, &error);
  g_autoptr (InspValueView) self = data;
  if (!is_wanted (self, result, error))
    return;
  GBytes *value = records->len > 0 ? ldb_record_get_value (records->pdata[0]) : NULL;
  set_value (self, value, value != NULL && g_bytes_get_size (value) == PART);
}

static void
on_all_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) value = ldb_inspector_get_finish (LDB_INSPECTOR (source), result, &error);
  g_autoptr (InspValueView) self = data;
  if (is_wanted (self, result, error))
    set_value (self, value, FALSE);
}

static void
read_value (InspValueView *self, gboolean all)
{
  gsize size, end_size;
  gconstpointer key = g_bytes_get_data (self->key, &size);
  g_autoptr (GBytes) next = insp_bytes_successor (self->key);
  gconstpointer end = g_bytes_get_data (next, &end_size);
  stop (self);
  self->cancellable = g_cancellable_new ();
  if (all)
    ldb_inspector_get_async (self->inspector, 0, self->store, key, size, self->cancellable,
                             on_all_read, g_object_ref (self));
  else
    ldb_inspector_read_async (self->inspector, 0, self->store, key, size, end, end_size,
                              LDB_SCAN_NONE, 1, PART, self->cancellable, on_read,
                              g_object_ref (self));
}

void
insp_value_view_refresh (InspValueView *self)
{
  if (self->key != NULL && self->inspector != NULL && self->cancellable == NULL)
    read_value (self,
                self->value != NULL && !self->is_part && g_bytes_get_size (self->value) >= PART);
}

void
insp_value_view_show (InspValueView *self, LdbInspector *inspector, const char *store, GBytes *key)
{
  g_autofree char *text = key != NULL ? insp_bytes_escape (key, 1000) : NULL;
  g_autoptr (GBytes) held = key != NULL ? g_bytes_ref (key) : NULL;
  stop (self);
  g_set_object (&self->inspector, inspector);
  g_free (self->store);
  self->store = g_strdup (store);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  self->key = g_steal_pointer (&held);
  stop_decoding (self);
  gtk_picture_set_paintable (self->image, NULL); /* it was another one's */
  if (self->key == NULL)
    {
      say_nothing (self);
      return;
    }
  gtk_label_set_text (GTK_LABEL (self->name), text);
  if (inspector != NULL)
    read_value (self, FALSE);
}

GBytes *
insp_value_view_get_key (InspValueView *self)
{
  return self->key;
}

static void
on_load_all (GtkWidget *widget, const char *action, GVariant *parameter)
{
  InspValueView *self = INSP_VALUE_VIEW (widget);
  if (self->key != NULL && self->inspector != NULL)
    read_value (self, TRUE);
}

/* ---- copying ---- */

static void
on_copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  InspValueView *self = INSP_VALUE_VIEW (widget);
  const char *what;
  gint32 literal;
  g_variant_get (parameter, "(&si)", &what, &literal);
  GBytes *bytes = g_str_equal (what, "key") ? self->key : self->value;
  if (bytes == NULL)
    return;
  g_autofree char *text = insp_bytes_to_literal (bytes, (InspLiteral) literal);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
}

static void
add_copies (GMenu *menu, const char *title, const char *what)
{
  static const char *const names[] = { N_ ("Text"), "C", "Python", "JavaScript" };
  g_autoptr (GMenu) section = g_menu_new ();
  for (gint32 i = 0; i < (gint32) G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GMenuItem) item = g_menu_item_new (i == 0 ? _ (names[i]) : names[i], NULL);
      g_menu_item_set_action_and_target (item, "value.copy", "(si)", what, i);
      g_menu_append_item (section, item);
    }
  g_menu_append_section (menu, title, G_MENU_MODEL (section));
}

/* ---- the widget ---- */

void
insp_value_view_set_editable (InspValueView *self, gboolean editable)
{
  gtk_widget_set_visible (self->changes, editable);
}

static void
on_edit (InspValueView *self)
{
  g_signal_emit (self, signals[EDIT], 0);
}

static void
on_delete (InspValueView *self)
{
  g_signal_emit (self, signals[DELETE], 0);
}

static void
add_button (GtkWidget *box, const char *icon, const char *name, const char *tip, GCallback pressed,
            InspValueView *self)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, tip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_signal_connect_swapped (button, "clicked", pressed, self);
  gtk_box_append (GTK_BOX (box), button);
}

static GtkWidget *
make_changes (InspValueView *self)
{
  self->changes = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  add_button (self->changes, "document-edit-symbolic", _ ("Edit"), _ ("Edit (F2)"),
              G_CALLBACK (on_edit), self);
  add_button (self->changes, "edit-delete-symbolic", C_ ("button", "Delete"),
              _ ("Stage the deletion of this key (Delete)"), G_CALLBACK (on_delete), self);
  gtk_widget_set_valign (self->changes, GTK_ALIGN_CENTER);
  gtk_widget_set_visible (self->changes, FALSE);
  return self->changes;
}

static GtkWidget *
make_copy_button (void)
{
  g_autoptr (GMenu) menu = g_menu_new ();
  GtkWidget *button = gtk_menu_button_new ();
  add_copies (menu, _ ("Copy Key As"), "key");
  add_copies (menu, _ ("Copy Value As"), "value");
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (button), G_MENU_MODEL (menu));
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "edit-copy-symbolic");
  gtk_widget_set_tooltip_text (button, _ ("Copy"));
  gtk_widget_add_css_class (button, "flat");
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Copy"), -1);
  return button;
}

static GtkDropDown *
make_forms (InspValueView *self)
{
  const char *names[] = { /* Translators: the form of a value that suits it */
                          _ ("Automatic"), _ ("Text"), _ ("Hex"), _ ("JSON"),
                          /* Translators: a GVariant */
                          _ ("Document"), _ ("Image"), NULL
  };
  GtkWidget *forms = insp_choice_new_from_strings (names, _ ("Show Value As"));
  gtk_widget_set_tooltip_text (forms, _ ("Show Value As"));
  g_signal_connect_swapped (forms, "notify::selected", G_CALLBACK (show_value), self);
  return GTK_DROP_DOWN (forms);
}

static GtkWidget *
make_header (InspValueView *self)
{
  GtkWidget *header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *names = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->name = gtk_label_new (NULL);
  self->size = gtk_label_new (NULL);
  self->forms = make_forms (self);
  gtk_label_set_ellipsize (GTK_LABEL (self->name), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_xalign (GTK_LABEL (self->name), 0);
  gtk_label_set_xalign (GTK_LABEL (self->size), 0);
  gtk_label_set_selectable (GTK_LABEL (self->name), TRUE);
  gtk_widget_add_css_class (self->name, "heading");
  gtk_widget_add_css_class (self->name, "monospace");
  gtk_widget_add_css_class (self->size, "dim-label");
  gtk_widget_add_css_class (self->size, "caption");
  gtk_widget_set_hexpand (names, TRUE);
  gtk_widget_set_valign (GTK_WIDGET (self->forms), GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (names), self->name);
  gtk_box_append (GTK_BOX (names), self->size);
  gtk_box_append (GTK_BOX (header), names);
  gtk_box_append (GTK_BOX (header), GTK_WIDGET (self->forms));
  gtk_box_append (GTK_BOX (header), make_copy_button ());
  gtk_box_append (GTK_BOX (header), make_changes (self));
  gtk_widget_add_css_class (header, "insp-toolbar");
  return header;
}

static GtkWidget *
make_part (InspValueView *self)
{
  GtkWidget *load = gtk_button_new_with_label (_ ("Load All"));
  self->part = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->part_text = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->part_text), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->part_text), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->part_text, TRUE);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (load), "value.load-all");
  gtk_box_append (GTK_BOX (self->part), self->part_text);
  gtk_box_append (GTK_BOX (self->part), load);
  gtk_widget_add_css_class (self->part, "insp-toolbar");
  return self->part;
}

static GtkWidget *
make_text (InspValueView *self)
{
  GtkWidget *view = insp_value_text_new (_ ("Value"));
  self->text = GTK_TEXT_VIEW (view);
  gtk_text_view_set_editable (self->text, FALSE);
  return gtk_widget_get_parent (view);
}

static void
insp_value_view_dispose (GObject *object)
{
  InspValueView *self = INSP_VALUE_VIEW (object);
  stop (self);
  stop_decoding (self);
  g_clear_handle_id (&self->hiding, g_source_remove);
  g_clear_object (&self->inspector);
  g_clear_pointer (&self->stack, gtk_widget_unparent);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_clear_pointer (&self->store, g_free);
  G_OBJECT_CLASS (insp_value_view_parent_class)->dispose (object);
}

static void
insp_value_view_class_init (InspValueViewClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_value_view_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  signals[EDIT] = g_signal_new ("edit", INSP_TYPE_VALUE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
  signals[DELETE] = g_signal_new ("delete", INSP_TYPE_VALUE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
  gtk_widget_class_install_action (widget_class, "value.copy", "(si)", on_copy);
  gtk_widget_class_install_action (widget_class, "value.load-all", NULL, on_load_all);
}

static void
insp_value_view_init (InspValueView *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->stack = gtk_stack_new ();
  self->views = gtk_stack_new ();
  self->image = GTK_PICTURE (gtk_picture_new ());
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->image), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Value"), -1);
  gtk_picture_set_can_shrink (self->image, TRUE);
  gtk_stack_add_named (GTK_STACK (self->views), make_text (self), "text");
  gtk_stack_add_named (GTK_STACK (self->views), GTK_WIDGET (self->image), "image");
  gtk_box_append (GTK_BOX (box), make_header (self));
  gtk_box_append (GTK_BOX (box), self->views);
  gtk_box_append (GTK_BOX (box), make_part (self));
  self->status = INSP_STATUS (insp_status_new (NULL, "", ""));
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->status), "status");
  gtk_stack_add_named (GTK_STACK (self->stack), box, "value");
  gtk_widget_set_parent (self->stack, GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Record"), -1);
  say_nothing (self);
}

GtkWidget *
insp_value_view_new (void)
{
  return g_object_new (INSP_TYPE_VALUE_VIEW, NULL);
}
