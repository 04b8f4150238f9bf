/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-choice.h"
#include "insp-data-page.h"
#include "insp-key-browser.h"
#include "insp-permission.h"
#include "insp-record-pane.h"
#include "insp-refresher.h"
#include "insp-split.h"
#include "insp-status.h"

#define STORES_INTERVAL 2000 /* milliseconds between looks at which stores there are */
#define DELIMITERS ":/.|#_-"

struct _InspDataPage
{
  GtkWidget parent_instance;

  InspSession *session;  /* owned */
  InspRefresher *stores; /* which there are; owned */
  GtkStringList *names;  /* of stores; owned by the drop-down */
  gboolean is_filling;   /* the names are being changed */

  GtkWidget *stack; /* child: what is there, or why nothing is */
  InspStatus *status;
  GtkDropDown *store;
  GtkToggleButton *as_tree;
  GtkDropDown *delimiter;
  GtkToggleButton *reverse;
  GtkEditable *prefix;
  GtkEditable *go_to;
  GtkWidget *count;
  InspKeyBrowser *browser;
  GtkToggleButton *edits;
  InspPermission *permission;
  InspRecordPane *record;
};

G_DEFINE_FINAL_TYPE (InspDataPage, insp_data_page, GTK_TYPE_WIDGET)

/* ---- what is listed ---- */

static const char *
get_store (InspDataPage *self)
{
  guint selected = gtk_drop_down_get_selected (self->store);
  return selected != GTK_INVALID_LIST_POSITION ? gtk_string_list_get_string (self->names, selected)
                                               : NULL;
}

/* The bytes that an entry's text stands for; NULL: it is wrong, and says so. */
static GBytes *
read_entry (GtkEditable *entry)
{
  g_autoptr (GError) error = NULL;
  GBytes *bytes = insp_bytes_unescape (gtk_editable_get_text (entry), &error);
  if (bytes != NULL)
    gtk_widget_remove_css_class (GTK_WIDGET (entry), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (entry), "error");
  gtk_widget_set_tooltip_text (GTK_WIDGET (entry), error != NULL ? error->message : NULL);
  gtk_accessible_update_state (
      GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_STATE_INVALID,
      error != NULL ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  return bytes;
}

static void
list_keys (InspDataPage *self)
{
  g_autoptr (GBytes) prefix = read_entry (self->prefix);
  const char *store = get_store (self);
  guint delimiter = gtk_drop_down_get_selected (self->delimiter);
  if (prefix == NULL || store == NULL || self->is_filling)
    return;
  InspKeyQuery query
      = { .store = store,
          .prefix = prefix,
          .reverse = gtk_toggle_button_get_active (self->reverse),
          .as_tree = gtk_toggle_button_get_active (self->as_tree),
          .delimiter
          = delimiter > 0 && delimiter < sizeof DELIMITERS ? DELIMITERS[delimiter - 1] : '\0' };
  insp_record_pane_set_store (self->record, store);
  insp_key_browser_list (self->browser, &query);
}

static void
on_tree_toggled (InspDataPage *self)
{
  gboolean as_tree = gtk_toggle_button_get_active (self->as_tree);
  gtk_widget_set_visible (GTK_WIDGET (self->delimiter), as_tree);
  gtk_widget_set_sensitive (GTK_WIDGET (self->reverse), !as_tree);
  list_keys (self);
}

static void
on_go_to (InspDataPage *self)
{
  g_autoptr (GBytes) key = read_entry (self->go_to);
  if (key == NULL)
    return;
  gtk_toggle_button_set_active (self->as_tree, FALSE);
  insp_key_browser_go_to (self->browser, key);
}

static void
on_progressed (InspDataPage *self)
{
  g_autofree char *text = insp_key_browser_describe (self->browser);
  gtk_label_set_text (GTK_LABEL (self->count), text);
}

/* Another record, or the same one was written. */
static void
on_selected (InspDataPage *self)
{
  insp_record_pane_select (self->record, insp_key_browser_get_key (self->browser));
}

/* ---- edits ---- */

static void
on_edits_toggled (InspDataPage *self)
{
  if (gtk_toggle_button_get_active (self->edits))
    insp_permission_ask (self->permission);
  else
    insp_permission_give_up (self->permission);
}

static void
on_permission (InspDataPage *self)
{
  gtk_toggle_button_set_active (self->edits, insp_permission_is_granted (self->permission)
                                                 || insp_permission_is_pending (self->permission));
}

static void
on_record_left (InspDataPage *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->browser));
}

/* ---- stores ---- */

static guint
find_store (InspDataPage *self, const char *name)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->names));
  for (guint i = 0; name != NULL && i < count; i++)
    if (g_str_equal (gtk_string_list_get_string (self->names, i), name))
      return i;
  return GTK_INVALID_LIST_POSITION;
}

static gboolean
has_stores (InspDataPage *self, char **names)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->names));
  for (guint i = 0; i < count; i++)
    if (names[i] == NULL || !g_str_equal (names[i], gtk_string_list_get_string (self->names, i)))
      return FALSE;
  return names[count] == NULL;
}

static void
set_stores (InspDataPage *self, char **names)
{
  g_autofree char *old = g_strdup (get_store (self));
  if (has_stores (self, names))
    return;
  self->is_filling = TRUE;
  gtk_string_list_splice (self->names, 0, g_list_model_get_n_items (G_LIST_MODEL (self->names)),
                          (const char *const *) names);
  guint position = find_store (self, old != NULL ? old : "default");
  gtk_drop_down_set_selected (self->store, position != GTK_INVALID_LIST_POSITION ? position : 0);
  self->is_filling = FALSE;
  if (g_strcmp0 (old, get_store (self)) != 0)
    list_keys (self);
}

static void
ask_stores (gpointer page, LdbInspector *inspector, GCancellable *cancellable,
            GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_stores_async (inspector, cancellable, answered, data);
}

static gboolean
take_stores (gpointer page, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_auto (GStrv) names = ldb_inspector_list_stores_finish (inspector, result, error);
  if (names != NULL)
    set_stores (page, names);
  return names != NULL;
}

static void
say (InspDataPage *self, const char *icon, const char *title, const char *text)
{
  insp_status_say (self->status, icon, title, text);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "status");
}

static void
tell_stores (gpointer page, const GError *error)
{
  InspDataPage *self = page;
  if (error == NULL)
    gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "data");
  else if (get_store (self) == NULL)
    say (self, "dialog-warning-symbolic", _ ("The Data Cannot Be Read"), error->message);
}

static void
review_state (InspDataPage *self)
{
  InspSessionState state = insp_session_get_state (self->session);
  gtk_widget_set_sensitive (GTK_WIDGET (self->edits), state == INSP_SESSION_LIVE);
  if (get_store (self) != NULL)
    return; /* what was seen stays */
  if (state == INSP_SESSION_CONNECTING || state == INSP_SESSION_LIVE)
    {
      insp_status_wait (self->status, _ ("Connecting"),
                        _ ("The application is asked for its database."));
      gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "status");
    }
  else if (state == INSP_SESSION_FAILED)
    say (self, "dialog-warning-symbolic", _ ("The Data Cannot Be Read"),
         insp_session_get_error (self->session));
  else
    say (self, "insp-data-symbolic", _ ("The Database Was Closed"),
         _ ("Its data was not looked at before."));
}

/* ---- keys ---- */

static gboolean
on_find (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  return gtk_widget_get_mapped (widget)
         && gtk_widget_grab_focus (GTK_WIDGET (INSP_DATA_PAGE (widget)->prefix));
}

static gboolean
on_go_to_key (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  return gtk_widget_get_mapped (widget)
         && gtk_widget_grab_focus (GTK_WIDGET (INSP_DATA_PAGE (widget)->go_to));
}

static gboolean
on_refresh (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  InspDataPage *self = INSP_DATA_PAGE (widget);
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  insp_refresher_ask (self->stores);
  list_keys (self);
  insp_record_pane_refresh (self->record);
  return TRUE;
}

static gboolean
on_edit (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  insp_record_pane_edit (INSP_DATA_PAGE (widget)->record);
  return TRUE;
}

static gboolean
on_add (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  insp_record_pane_add (INSP_DATA_PAGE (widget)->record);
  return TRUE;
}

static gboolean
on_review (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  insp_record_pane_review (INSP_DATA_PAGE (widget)->record);
  return TRUE;
}

/* Where text is written the keys undo what was written. */
static gboolean
on_undo (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));
  if (!gtk_widget_get_mapped (widget) || GTK_IS_TEXT (focus)
      || (GTK_IS_TEXT_VIEW (focus) && gtk_text_view_get_editable (GTK_TEXT_VIEW (focus))))
    return FALSE;
  insp_record_pane_undo (INSP_DATA_PAGE (widget)->record);
  return TRUE;
}

static gboolean
on_delete (GtkWidget *browser, GVariant *arguments, gpointer page)
{
  insp_record_pane_delete (INSP_DATA_PAGE (page)->record);
  return TRUE;
}

/* In the list alone: entries have the key for themselves. */
static void
add_delete_key (InspDataPage *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (controller),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Delete, 0),
                        gtk_callback_action_new (on_delete, self, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self->browser), controller);
}

/* They work wherever the keyboard is, while the page is shown. */
static void
add_keys (InspDataPage *self)
{
  static const struct
  {
    const char *keys;
    GtkShortcutFunc pressed;
  } shortcuts[] = {
    { "<Control>f", on_find },
    { "<Control>l", on_go_to_key },
    { "F5", on_refresh },
    { "F2", on_edit },
    { "<Control><Shift>n", on_add },
    { "<Control>s", on_review },
    { "<Control><Shift>z", on_undo },
  };
  GtkEventController *controller = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_set_scope (GTK_SHORTCUT_CONTROLLER (controller),
                                     GTK_SHORTCUT_SCOPE_GLOBAL);
  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new (gtk_shortcut_trigger_parse_string (shortcuts[i].keys),
                          gtk_callback_action_new (shortcuts[i].pressed, NULL, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

/* ---- the widget ---- */

static void
name_widget (gpointer widget, const char *name)
{
  gtk_widget_set_tooltip_text (widget, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static GtkToggleButton *
make_toggle (InspDataPage *self, const char *icon, const char *name, GCallback toggled)
{
  GtkWidget *button = gtk_toggle_button_new ();
  gtk_button_set_icon_name (GTK_BUTTON (button), icon);
  gtk_widget_add_css_class (button, "flat");
  name_widget (button, name);
  g_signal_connect_swapped (button, "toggled", toggled, self);
  return GTK_TOGGLE_BUTTON (button);
}

static GtkDropDown *
make_delimiters (InspDataPage *self)
{
  const char *names[]
      = { /* Translators: by which character keys become a tree: the one that suits */
          _ ("Automatic"), ":", "/", ".", "|", "#", "_", "-", NULL
        };
  GtkWidget *delimiters = insp_choice_new_from_strings (names, _ ("Delimiter"));
  gtk_widget_set_tooltip_text (delimiters, _ ("Delimiter"));
  gtk_widget_set_visible (delimiters, FALSE);
  g_signal_connect_swapped (delimiters, "notify::selected", G_CALLBACK (list_keys), self);
  return GTK_DROP_DOWN (delimiters);
}

static GtkWidget *
make_choices (InspDataPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->names = gtk_string_list_new (NULL);
  self->store = GTK_DROP_DOWN (insp_choice_new_of_strings (self->names, _ ("Store")));
  self->as_tree
      = make_toggle (self, "insp-tree-symbolic", _ ("Show as Tree"), G_CALLBACK (on_tree_toggled));
  self->delimiter = make_delimiters (self);
  self->reverse
      = make_toggle (self, "insp-reverse-symbolic", _ ("Last Keys First"), G_CALLBACK (list_keys));
  self->edits = make_toggle (self, "document-edit-symbolic", _ ("Allow Edits"),
                             G_CALLBACK (on_edits_toggled));
  self->count = gtk_label_new (NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->store), _ ("Store"));
  g_signal_connect_swapped (self->store, "notify::selected", G_CALLBACK (list_keys), self);
  gtk_label_set_xalign (GTK_LABEL (self->count), 1);
  gtk_label_set_ellipsize (GTK_LABEL (self->count), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->count, TRUE);
  gtk_widget_add_css_class (self->count, "dim-label");
  gtk_widget_add_css_class (self->count, "numeric");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->store));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->as_tree));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->delimiter));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->reverse));
  gtk_box_append (GTK_BOX (box), self->count);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->edits));
  return box;
}

static GtkWidget *
make_entries (InspDataPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *prefix = gtk_search_entry_new (), *go_to = gtk_entry_new ();
  self->prefix = GTK_EDITABLE (prefix);
  self->go_to = GTK_EDITABLE (go_to);
  g_object_set (prefix, "placeholder-text", _ ("Keys that begin with…"), NULL);
  gtk_entry_set_placeholder_text (GTK_ENTRY (go_to), _ ("Go to key"));
  gtk_entry_set_icon_from_icon_name (GTK_ENTRY (go_to), GTK_ENTRY_ICON_PRIMARY, "go-jump-symbolic");
  gtk_accessible_update_property (GTK_ACCESSIBLE (prefix), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Keys That Begin With"), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (go_to), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Go to Key"), -1);
  gtk_editable_set_width_chars (self->prefix, 8);
  gtk_editable_set_width_chars (self->go_to, 8);
  gtk_widget_set_hexpand (prefix, TRUE);
  gtk_widget_set_hexpand (go_to, TRUE);
  g_signal_connect_swapped (prefix, "search-changed", G_CALLBACK (list_keys), self);
  g_signal_connect_swapped (go_to, "activate", G_CALLBACK (on_go_to), self);
  gtk_box_append (GTK_BOX (box), prefix);
  gtk_box_append (GTK_BOX (box), go_to);
  return box;
}

static void
insp_data_page_dispose (GObject *object)
{
  InspDataPage *self = INSP_DATA_PAGE (object);
  g_clear_pointer (&self->stores, insp_refresher_free);
  g_clear_pointer (&self->stack, gtk_widget_unparent);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_data_page_parent_class)->dispose (object);
}

static void
insp_data_page_class_init (InspDataPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_data_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
insp_data_page_init (InspDataPage *self)
{
  add_keys (self);
}

static GtkWidget *
make_content (InspDataPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *tools = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_add_css_class (tools, "insp-toolbar");
  gtk_box_append (GTK_BOX (tools), make_choices (self));
  gtk_box_append (GTK_BOX (tools), make_entries (self));
  self->browser = INSP_KEY_BROWSER (insp_key_browser_new (self->session));
  self->permission = INSP_PERMISSION (insp_permission_new (self->session));
  self->record = INSP_RECORD_PANE (insp_record_pane_new (self->session, self->permission));
  insp_key_browser_set_edits (self->browser, insp_record_pane_get_edits (self->record));
  g_signal_connect_swapped (self->browser, "selected", G_CALLBACK (on_selected), self);
  g_signal_connect_swapped (self->browser, "progressed", G_CALLBACK (on_progressed), self);
  GtkWidget *split = insp_split_new (GTK_WIDGET (self->browser), GTK_WIDGET (self->record), 0.45);
  g_signal_connect_swapped (self->permission, "changed", G_CALLBACK (on_permission), self);
  g_signal_connect_swapped (self->record, "left", G_CALLBACK (on_record_left), self);
  add_delete_key (self);
  gtk_widget_set_vexpand (split, TRUE);
  gtk_box_append (GTK_BOX (box), tools);
  gtk_box_append (GTK_BOX (box), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->permission));
  gtk_box_append (GTK_BOX (box), split);
  return box;
}

GtkWidget *
insp_data_page_new (InspSession *session)
{
  InspDataPage *self = g_object_new (INSP_TYPE_DATA_PAGE, NULL);
  self->session = g_object_ref (session);
  self->stack = gtk_stack_new ();
  self->status = INSP_STATUS (insp_status_new (NULL, "", ""));
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->status), "status");
  gtk_stack_add_named (GTK_STACK (self->stack), make_content (self), "data");
  gtk_widget_set_parent (self->stack, GTK_WIDGET (self));
  self->stores = insp_refresher_new (GTK_WIDGET (self), session, STORES_INTERVAL, ask_stores,
                                     take_stores, tell_stores);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (review_state), self,
                           G_CONNECT_SWAPPED);
  review_state (self);
  return GTK_WIDGET (self);
}
