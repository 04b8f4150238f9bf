/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "insp-application.h"
#include "insp-greeter.h"
#include "insp-recent.h"

struct _InspGreeter
{
  AdwBin parent_instance;

  GtkListBox *running;
  GtkMenuButton *menu;
  LdbRunningList *list;    /* owned by the filter */
  GtkSortListModel *shown; /* those of other programs, by name; owned */

  GtkWidget *recent_group;
  GtkListBox *recent;
  InspRecent *folders; /* owned */
};

G_DEFINE_FINAL_TYPE (InspGreeter, insp_greeter, ADW_TYPE_BIN)

enum
{
  CHOSEN,
  FOLDER_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gboolean
is_of_others (gpointer item, gpointer data)
{
  return ldb_running_database_get_process_id (item) != (guint) getpid ();
}

/* Free it. */
static char *
collation_of (const char *name)
{
  g_autofree char *shown = g_filename_display_name (name);
  return g_utf8_collate_key_for_filename (shown, -1);
}

static int
compare_names (const char *first, const char *second)
{
  g_autofree char *a = collation_of (first), *b = collation_of (second);
  int order = strcmp (a, b);
  return order != 0 ? order : strcmp (first, second);
}

/* By program, then by path: where it is in the runtime directory means nothing to anybody. */
static int
compare (gconstpointer first, gconstpointer second, gpointer data)
{
  LdbRunningDatabase *a = (LdbRunningDatabase *) first, *b = (LdbRunningDatabase *) second;
  int order
      = compare_names (ldb_running_database_get_program (a), ldb_running_database_get_program (b));
  if (order == 0)
    order = compare_names (ldb_running_database_get_path (a), ldb_running_database_get_path (b));
  return order;
}

static char *
subtitle_of (LdbRunningDatabase *running)
{
  g_autofree char *path = g_filename_display_name (ldb_running_database_get_path (running));
  return ldb_running_database_is_read_only (running)
             /* Translators: a folder of a database that a program only reads */
             ? g_strdup_printf (_ ("%s (read only)"), path)
             : g_steal_pointer (&path);
}

static GtkWidget *
make_row (gpointer item, gpointer data)
{
  LdbRunningDatabase *running = item;
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *subtitle = subtitle_of (running);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row),
                                 ldb_running_database_get_program (running));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row),
                             gtk_image_new_from_icon_name ("application-x-executable-symbolic"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row),
                             gtk_image_new_from_icon_name ("go-next-symbolic"));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), "insp-running", g_object_ref (running), g_object_unref);
  return row;
}

static void
on_row (InspGreeter *self, GtkListBoxRow *row)
{
  g_signal_emit (self, signals[CHOSEN], 0, g_object_get_data (G_OBJECT (row), "insp-running"));
}

/* ---- folders ---- */

static void
on_remove (GtkButton *button, InspGreeter *self)
{
  insp_recent_remove (self->folders, g_object_get_data (G_OBJECT (button), "insp-folder"));
}

static GtkWidget *
make_remove_button (InspGreeter *self, GFile *folder, const char *name)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("list-remove-symbolic");
  /* Translators: a button; %s is the name of a folder */
  g_autofree char *label = g_strdup_printf (_ ("Remove %s From the List"), name);
  gtk_widget_set_tooltip_text (button, _ ("Remove From the List"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  g_object_set_data_full (G_OBJECT (button), "insp-folder", g_object_ref (folder), g_object_unref);
  g_signal_connect (button, "clicked", G_CALLBACK (on_remove), self);
  return button;
}

static void
on_looked (GObject *folder, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkWidget) row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (folder), result, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return;
  g_autofree char *path = g_file_get_parse_name (G_FILE (folder));
  /* Translators: %s is a folder that was opened once */
  g_autofree char *text = g_strdup_printf (_ ("%s (not there any more)"), path);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  gtk_widget_add_css_class (row, "dim-label");
}

static GtkWidget *
make_recent_row (gpointer item, gpointer data)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *name = g_file_get_basename (item), *path = g_file_get_parse_name (item);
  g_autofree char *title = g_filename_display_name (name);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), path);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row),
                             gtk_image_new_from_icon_name ("folder-symbolic"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_remove_button (data, item, title));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), "insp-folder", g_object_ref (item), g_object_unref);
  g_file_query_info_async (item, G_FILE_ATTRIBUTE_STANDARD_TYPE, G_FILE_QUERY_INFO_NONE,
                           G_PRIORITY_DEFAULT, NULL, on_looked, g_object_ref (row));
  return row;
}

static void
on_recent_row (InspGreeter *self, GtkListBoxRow *row)
{
  g_signal_emit (self, signals[FOLDER_CHOSEN], 0,
                 g_object_get_data (G_OBJECT (row), "insp-folder"));
}

static void
review_recent (InspGreeter *self)
{
  gtk_widget_set_visible (self->recent_group,
                          g_list_model_get_n_items (G_LIST_MODEL (self->folders)) > 0);
}

void
insp_greeter_remember (InspGreeter *self, GFile *folder)
{
  insp_recent_add (self->folders, folder);
}

/* ---- the widget ---- */

static void
insp_greeter_dispose (GObject *object)
{
  InspGreeter *self = INSP_GREETER (object);
  gtk_widget_dispose_template (GTK_WIDGET (self), INSP_TYPE_GREETER);
  g_clear_object (&self->shown);
  g_clear_object (&self->folders);
  G_OBJECT_CLASS (insp_greeter_parent_class)->dispose (object);
}

static void
insp_greeter_class_init (InspGreeterClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_greeter_dispose;
  signals[CHOSEN] = g_signal_new ("chosen", INSP_TYPE_GREETER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, LDB_TYPE_RUNNING_DATABASE);
  signals[FOLDER_CHOSEN] = g_signal_new ("folder-chosen", INSP_TYPE_GREETER, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_FILE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/lightningdb/Inspector/insp-greeter.ui");
  gtk_widget_class_bind_template_child (widget_class, InspGreeter, menu);
  gtk_widget_class_bind_template_child (widget_class, InspGreeter, running);
  gtk_widget_class_bind_template_child (widget_class, InspGreeter, recent);
  gtk_widget_class_bind_template_child (widget_class, InspGreeter, recent_group);
  gtk_widget_class_bind_template_callback (widget_class, on_recent_row);
  gtk_widget_class_bind_template_callback (widget_class, on_row);
}

static void
insp_greeter_init (InspGreeter *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  insp_application_add_menu (self->menu);
  GtkFilter *filter = GTK_FILTER (gtk_custom_filter_new (is_of_others, NULL, NULL));
  self->list = ldb_running_list_new ();
  self->shown = gtk_sort_list_model_new (
      G_LIST_MODEL (gtk_filter_list_model_new (G_LIST_MODEL (self->list), filter)),
      GTK_SORTER (gtk_custom_sorter_new (compare, NULL, NULL)));
  gtk_list_box_bind_model (self->running, G_LIST_MODEL (self->shown), make_row, NULL, NULL);
  self->folders = insp_recent_new ();
  gtk_list_box_bind_model (self->recent, G_LIST_MODEL (self->folders), make_recent_row, self, NULL);
  g_signal_connect_object (self->folders, "items-changed", G_CALLBACK (review_recent), self,
                           G_CONNECT_SWAPPED);
  review_recent (self);
}
