/* SPDX-License-Identifier: MIT */
/*
 * Contacts, in a window that writes or in one that follows: contacts [DATABASE]
 *
 * The first process on a database writes. The windows of others show at once what it commits, and
 * when it has ended one of them goes on writing. They are written in any language: what is stored
 * is, below "contact:", the name as it sorts, a tab, an id, and as the value a document of name,
 * email and phone.
 */
#include <adwaita.h>
#include <lightning-db.h>

/* ---- a row of the list, which sets key and value, also when the value changes ---- */

#define CONTACT_TYPE (contact_get_type ())
G_DECLARE_FINAL_TYPE (Contact, contact, CONTACTS, CONTACT, GObject)

struct _Contact
{
  GObject parent_instance;
  char *key;       /* of its record */
  GVariant *value; /* the document */
};

enum
{
  PROP_KEY = 1,
  PROP_VALUE,
  PROP_NAME,
  PROP_EMAIL,
  PROP_PHONE,
  N_PROPERTIES
};
static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (Contact, contact, G_TYPE_OBJECT)

/* The text of a field, "" when there is none. */
static const char *
contact_peek (Contact *self, const char *field)
{
  const char *text = "";
  if (self->value != NULL)
    g_variant_lookup (self->value, field, "&s", &text);
  return text;
}

static void
contact_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  Contact *self = CONTACTS_CONTACT (object);
  if (id == PROP_KEY)
    g_value_set_string (value, self->key);
  else if (id == PROP_VALUE)
    g_value_set_variant (value, self->value);
  else
    g_value_set_string (value, contact_peek (self, pspec->name));
}

static void
contact_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  Contact *self = CONTACTS_CONTACT (object);
  if (id == PROP_KEY)
    {
      g_free (self->key);
      self->key = g_value_dup_string (value);
      return;
    }
  g_clear_pointer (&self->value, g_variant_unref);
  self->value = g_value_dup_variant (value);
  for (guint i = PROP_NAME; i < N_PROPERTIES; i++)
    g_object_notify_by_pspec (object, properties[i]);
}

static void
contact_finalize (GObject *object)
{
  Contact *self = CONTACTS_CONTACT (object);
  g_free (self->key);
  g_clear_pointer (&self->value, g_variant_unref);
  G_OBJECT_CLASS (contact_parent_class)->finalize (object);
}

static void
contact_class_init (ContactClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = contact_get_property;
  object_class->set_property = contact_set_property;
  object_class->finalize = contact_finalize;
  properties[PROP_KEY] = g_param_spec_string ("key", NULL, NULL, NULL, G_PARAM_READWRITE);
  properties[PROP_VALUE]
      = g_param_spec_variant ("value", NULL, NULL, G_VARIANT_TYPE_VARDICT, NULL, G_PARAM_READWRITE);
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE);
  properties[PROP_EMAIL] = g_param_spec_string ("email", NULL, NULL, NULL, G_PARAM_READABLE);
  properties[PROP_PHONE] = g_param_spec_string ("phone", NULL, NULL, NULL, G_PARAM_READABLE);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
contact_init (Contact *self)
{
}

/* ---- the window ---- */

#define CONTACTS_TYPE_WINDOW (contacts_window_get_type ())
G_DECLARE_FINAL_TYPE (ContactsWindow, contacts_window, CONTACTS, WINDOW, AdwApplicationWindow)

struct _ContactsWindow
{
  AdwApplicationWindow parent_instance;
  char *path;                /* of the database */
  GCancellable *cancellable; /* ends the waiting for the role of the writer */
  LdbDatabase *db;           /* read-only while we follow; NULL until it is open */
  Contact *removed;          /* the last contact that was, until it is put back */
  AdwToast *offer;           /* to do so */
  /* Parts of the template: */
  AdwStatusPage *failed;
  GtkFilterListModel *found;
  GtkInfoBar *follows;
  GtkSearchEntry *search;
  GtkSingleSelection *selection;
  GtkStack *stack;
  AdwToastOverlay *toasts;
};

G_DEFINE_FINAL_TYPE (ContactsWindow, contacts_window, ADW_TYPE_APPLICATION_WINDOW)

static void
say (ContactsWindow *self, const char *text)
{
  g_autofree char *title = g_markup_escape_text (text, -1);
  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (title));
}

/* ---- writing ---- */

static void
on_written (GObject *database, GAsyncResult *result, gpointer data)
{
  g_autoptr (ContactsWindow) self = data;
  g_autoptr (GError) error = NULL;
  if (!ldb_database_write_batch_finish (LDB_DATABASE (database), result, &error))
    say (self, error->message);
}

/* In one commit: what is at old_key goes, the document at key comes. Either key may be NULL. */
static void
replace (ContactsWindow *self, const char *old_key, const char *key, GVariant *document)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  if ((old_key == NULL || ldb_batch_delete_string (batch, NULL, old_key, &error))
      && (key == NULL || ldb_batch_put_variant (batch, NULL, key, strlen (key), document, &error)))
    ldb_database_write_batch_async (self->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, on_written,
                                    g_object_ref (self));
  else
    say (self, error->message);
}

/* Contacts are in the order of their keys, so a new name is a new key; the id stays. */
static char *
make_key (const char *name, const char *old_key)
{
  g_autofree char *normal = g_utf8_normalize (name, -1, G_NORMALIZE_ALL);
  g_autofree char *folded = g_utf8_casefold (normal, -1);
  g_autofree char *new_id = g_uuid_string_random ();
  const char *tab = old_key != NULL ? strrchr (old_key, '\t') : NULL;
  return g_strdup_printf ("contact:%s\t%s", folded, tab != NULL ? tab + 1 : new_id);
}

static void
remove_contact (ContactsWindow *self, Contact *contact)
{
  replace (self, contact->key, NULL, NULL);

  g_autofree char *title = g_markup_printf_escaped ("“%s” removed", contact_peek (contact, "name"));
  if (self->offer != NULL)
    adw_toast_dismiss (self->offer);
  g_set_object (&self->removed, contact);
  g_clear_object (&self->offer);
  self->offer = g_object_ref (adw_toast_new (title));
  adw_toast_set_button_label (self->offer, "_Undo");
  adw_toast_set_action_name (self->offer, "contact.undo");
  adw_toast_overlay_add_toast (self->toasts, self->offer);
}

/* ---- the dialog ---- */

static const char *fields[] = { "name", "email", "phone" };

typedef struct
{
  ContactsWindow *window;
  Contact *contact;     /* NULL: a new one */
  GtkEditable *rows[3]; /* one for each field; borrowed from the dialog */
} Form;

static void
form_free (gpointer data, GClosure *closure)
{
  Form *form = data;
  g_clear_object (&form->contact);
  g_free (form);
}

static void
on_name_changed (GtkEditable *name, AdwMessageDialog *dialog)
{
  adw_message_dialog_set_response_enabled (dialog, "save", *gtk_editable_get_text (name) != '\0');
}

static void
on_response (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  Form *form = data;
  if (g_str_equal (response, "save"))
    {
      g_auto (GVariantDict) document = G_VARIANT_DICT_INIT (NULL);
      for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
        g_variant_dict_insert (&document, fields[i], "s", gtk_editable_get_text (form->rows[i]));
      const char *old_key = form->contact != NULL ? form->contact->key : NULL;
      g_autofree char *key = make_key (gtk_editable_get_text (form->rows[0]), old_key);
      replace (form->window, old_key, key, g_variant_dict_end (&document));
    }
  else if (g_str_equal (response, "remove"))
    remove_contact (form->window, form->contact);
}

/* Asks for a new contact, or what there is to change about one. */
static void
edit (ContactsWindow *self, Contact *contact)
{
  g_autoptr (GtkBuilder) builder
      = gtk_builder_new_from_resource ("/org/example/Contacts/dialog.ui");
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (gtk_builder_get_object (builder, "dialog"));
  Form *form = g_new0 (Form, 1);
  form->window = self;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    form->rows[i] = GTK_EDITABLE (gtk_builder_get_object (builder, fields[i]));
  g_signal_connect (form->rows[0], "changed", G_CALLBACK (on_name_changed), dialog);
  if (contact != NULL)
    {
      form->contact = g_object_ref (contact);
      for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
        gtk_editable_set_text (form->rows[i], contact_peek (contact, fields[i]));
      adw_message_dialog_set_heading (dialog, "Edit Contact");
      adw_message_dialog_add_response (dialog, "remove", "_Remove");
      adw_message_dialog_set_response_appearance (dialog, "remove", ADW_RESPONSE_DESTRUCTIVE);
    }
  g_signal_connect_data (dialog, "response", G_CALLBACK (on_response), form, form_free, 0);
  gtk_window_set_transient_for (GTK_WINDOW (dialog), GTK_WINDOW (self));
  gtk_window_present (GTK_WINDOW (dialog));
}

/* ---- actions ---- */

/* While the window follows there are none, and what would start them is insensitive. */

static void
add_activated (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  edit (self, NULL);
}

static void
remove_activated (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  ContactsWindow *self = data;
  Contact *contact = gtk_single_selection_get_selected_item (self->selection);
  if (contact != NULL)
    remove_contact (self, contact);
}

static void
undo_activated (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  ContactsWindow *self = data;
  if (self->removed == NULL)
    return;
  replace (self, NULL, self->removed->key, self->removed->value);
  g_clear_object (&self->removed);
  adw_toast_dismiss (self->offer);
}

static void
allow_writing (ContactsWindow *self)
{
  const GActionEntry entries[] = {
    { .name = "add", .activate = add_activated },
    { .name = "remove", .activate = remove_activated },
    { .name = "undo", .activate = undo_activated },
  };
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (actions), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "contact", G_ACTION_GROUP (actions));
}

/* ---- opening ---- */

static void
on_items_changed (GListModel *found, guint position, guint removed, guint added, gpointer data)
{
  ContactsWindow *self = data;
  gboolean searched = *gtk_editable_get_text (GTK_EDITABLE (self->search)) != '\0';
  gtk_stack_set_visible_child_name (self->stack, g_list_model_get_n_items (found) > 0 ? "list"
                                                 : searched                           ? "nothing"
                                                                                      : "empty");
}

static void
fail (ContactsWindow *self, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the window was closed */
  adw_status_page_set_description (self->failed, error->message);
  gtk_stack_set_visible_child_name (self->stack, "failed");
}

/* Shows what is there, and from now on whatever is committed, here or elsewhere. */
static void
show_contacts (ContactsWindow *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbListModel) contacts = ldb_list_model_new_prefix (
      self->db, NULL, "contact:", strlen ("contact:"), LDB_LIST_BLOCKING, CONTACT_TYPE, &error);
  if (contacts == NULL)
    return fail (self, error);
  gtk_filter_list_model_set_model (self->found, G_LIST_MODEL (contacts));
  on_items_changed (G_LIST_MODEL (self->found), 0, 0, 0, self);
}

/* The other one's window has ended: this one writes, and its list goes on. */
static void
on_taken_over (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (ContactsWindow) self = data;
  g_autoptr (GError) error = NULL;
  if (!ldb_database_take_over_finish (self->db, result, &error))
    return fail (self, error);
  gtk_widget_set_visible (GTK_WIDGET (self->follows), FALSE);
  allow_writing (self);
}

/* The other one's window writes: shows what it does, and waits until it has ended. */
static void
on_opened_to_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (ContactsWindow) self = data;
  g_autoptr (GError) error = NULL;
  self->db = ldb_database_open_finish (result, &error);
  if (self->db == NULL)
    return fail (self, error);
  show_contacts (self);
  gtk_widget_set_visible (GTK_WIDGET (self->follows), TRUE);
  ldb_database_take_over_async (self->db, self->cancellable, on_taken_over, g_object_ref (self));
}

static void
on_opened_to_write (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (ContactsWindow) self = data;
  g_autoptr (GError) error = NULL;
  self->db = ldb_database_open_finish (result, &error);
  if (self->db != NULL)
    {
      show_contacts (self);
      allow_writing (self);
    }
  else if (g_error_matches (error, LDB_ERROR, LDB_ERROR_LOCKED))
    ldb_database_open_async (self->path, LDB_OPEN_READ_ONLY, NULL, self->cancellable,
                             on_opened_to_read, g_object_ref (self));
  else
    fail (self, error);
}

/* ---- its life ---- */

static void
on_activate (GtkListView *list, guint position, gpointer data)
{
  ContactsWindow *self = data;
  g_autoptr (Contact) contact = g_list_model_get_item (G_LIST_MODEL (self->selection), position);
  if (!ldb_database_is_read_only (self->db))
    edit (self, contact);
}

static gboolean
on_close_request (GtkWindow *window, gpointer data)
{
  ContactsWindow *self = CONTACTS_WINDOW (window);
  g_cancellable_cancel (self->cancellable);
  if (self->db != NULL)
    ldb_database_close (self->db, NULL, NULL);
  return GDK_EVENT_PROPAGATE;
}

static void
contacts_window_finalize (GObject *object)
{
  ContactsWindow *self = CONTACTS_WINDOW (object);
  g_free (self->path);
  g_object_unref (self->cancellable);
  g_clear_object (&self->db);
  g_clear_object (&self->removed);
  g_clear_object (&self->offer);
  G_OBJECT_CLASS (contacts_window_parent_class)->finalize (object);
}

static void
contacts_window_class_init (ContactsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = contacts_window_finalize;
  g_type_ensure (CONTACT_TYPE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/example/Contacts/window.ui");
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, failed);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, follows);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, found);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, search);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, selection);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, ContactsWindow, toasts);
  gtk_widget_class_bind_template_callback (widget_class, on_activate);
  gtk_widget_class_bind_template_callback (widget_class, on_close_request);
  gtk_widget_class_bind_template_callback (widget_class, on_items_changed);
}

static void
contacts_window_init (ContactsWindow *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
activate (GtkApplication *application, gpointer path)
{
  ContactsWindow *self = g_object_new (CONTACTS_TYPE_WINDOW, "application", application, NULL);
  self->path = g_strdup (path);
  ldb_database_open_async (self->path, LDB_OPEN_CREATE, NULL, self->cancellable, on_opened_to_write,
                           g_object_ref (self));
  gtk_window_present (GTK_WINDOW (self));
}

int
main (int argc, char **argv)
{
  g_autoptr (AdwApplication) application
      = adw_application_new ("org.example.Contacts", G_APPLICATION_NON_UNIQUE);
  g_signal_connect (application, "activate", G_CALLBACK (activate),
                    argc > 1 ? argv[1] : "contacts.db");
  return g_application_run (G_APPLICATION (application), 1, argv);
}
