/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "insp-greeter.h"

struct _InspGreeter
{
  AdwBin parent_instance;

  GtkListBox *running;
  LdbRunningList *list;      /* owned by the filter */
  GtkFilterListModel *shown; /* those of other programs; owned */
};

G_DEFINE_FINAL_TYPE (InspGreeter, insp_greeter, ADW_TYPE_BIN)

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gboolean
is_of_others (gpointer item, gpointer data)
{
  return ldb_running_database_get_process_id (item) != (guint) getpid ();
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

static void
insp_greeter_dispose (GObject *object)
{
  InspGreeter *self = INSP_GREETER (object);
  gtk_widget_dispose_template (GTK_WIDGET (self), INSP_TYPE_GREETER);
  g_clear_object (&self->shown);
  G_OBJECT_CLASS (insp_greeter_parent_class)->dispose (object);
}

static void
insp_greeter_class_init (InspGreeterClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_greeter_dispose;
  signals[CHOSEN] = g_signal_new ("chosen", INSP_TYPE_GREETER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, LDB_TYPE_RUNNING_DATABASE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/lightningdb/Inspector/insp-greeter.ui");
  gtk_widget_class_bind_template_child (widget_class, InspGreeter, running);
  gtk_widget_class_bind_template_callback (widget_class, on_row);
}

static void
insp_greeter_init (InspGreeter *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  GtkFilter *filter = GTK_FILTER (gtk_custom_filter_new (is_of_others, NULL, NULL));
  self->list = ldb_running_list_new ();
  self->shown = gtk_filter_list_model_new (G_LIST_MODEL (self->list), filter);
  gtk_list_box_bind_model (self->running, G_LIST_MODEL (self->shown), make_row, NULL, NULL);
}
