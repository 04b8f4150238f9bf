/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>

#include "insp-application.h"
#include "insp-explanation.h"
#include "insp-greeter.h"
#include "insp-host.h"
#include "insp-leaving.h"
#include "insp-recorder.h"
#include "insp-sentence.h"
#include "insp-window.h"

struct _InspWindow
{
  AdwApplicationWindow parent_instance;

  GtkStack *content; /* greeter, database, or why it cannot be opened */
  InspGreeter *greeter;
  InspExplanation *explanation;
  AdwLeaflet *leaflet;
  GtkLabel *sidebar_title;
  AdwWindowTitle *page_title;
  GtkScrolledWindow *sidebar;
  GtkButton *back;
  GtkMenuButton *menu;
  LdbInspectorView *view;
  GSettings *settings; /* owned */
  GFile *folder;       /* that was opened last, or could not be; NULL: none; owned */
  InspHost *host;      /* a database that this program opened; NULL: none; owned */
};

G_DEFINE_FINAL_TYPE (InspWindow, insp_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- pages ---- */

static GtkStackPage *
page_at (InspWindow *self, guint index)
{
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self->view);
  g_autoptr (GObject) page = g_list_model_get_item (G_LIST_MODEL (pages), index);
  return (GtkStackPage *) page; /* the view holds it */
}

static void
show_page (InspWindow *self, guint index)
{
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self->view);
  GtkStackPage *page = page_at (self, index);
  if (page == NULL)
    return;
  gtk_selection_model_select_item (pages, index, TRUE);
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

/* The title of the page that is shown. */
static void
tell_page (InspWindow *self, guint position, guint count, GtkSelectionModel *pages)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (pages)); i++)
    if (gtk_selection_model_is_selected (pages, i))
      adw_window_title_set_title (self->page_title, gtk_stack_page_get_title (page_at (self, i)));
}

static void
on_page_row (InspWindow *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

static void
on_page (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  InspWindow *self = window;
  if (gtk_stack_get_visible_child (self->content) == GTK_WIDGET (self->leaflet))
    show_page (self, (guint) g_variant_get_int32 (parameter) - 1);
}

/* ---- what is shown ---- */

/* What is not shown is not there for assistive technology either. */
static void
show_content (InspWindow *self, GtkWidget *content)
{
  gtk_widget_set_visible (content, TRUE);
  gtk_stack_set_visible_child (self->content, content);
  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self->content)); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    gtk_widget_set_visible (child, child == content);
}

AdwMessageDialog *
insp_window_new_message (InspWindow *self, const char *heading, const char *text)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (self), heading, text);
  g_object_set_data_full (G_OBJECT (dialog), "insp-window", g_object_ref (self), g_object_unref);
  return ADW_MESSAGE_DIALOG (dialog);
}

void
insp_window_say (InspWindow *self, const char *heading, const char *message)
{
  g_autofree char *text = insp_sentence_of (message);
  AdwMessageDialog *dialog = insp_window_new_message (self, heading, text);
  adw_message_dialog_add_response (dialog, "close", _ ("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

void
insp_window_show_database (InspWindow *self, LdbRunningDatabase *running)
{
  ldb_inspector_view_set_running_database (self->view, running);
  g_autofree char *path = g_filename_display_name (ldb_running_database_get_path (running));
  gtk_label_set_text (self->sidebar_title, ldb_inspector_view_get_title (self->view));
  adw_window_title_set_subtitle (self->page_title, path);
  show_content (self, GTK_WIDGET (self->leaflet));
  show_page (self, 0);
}

void
insp_window_show_recording (InspWindow *self)
{
  g_clear_object (&self->host);
  gtk_label_set_text (self->sidebar_title, ldb_inspector_view_get_title (self->view));
  adw_window_title_set_subtitle (self->page_title, _ ("Recording"));
  show_content (self, GTK_WIDGET (self->leaflet));
  show_page (self, 0);
}

LdbInspectorView *
insp_window_get_view (InspWindow *self)
{
  return self->view;
}

static void
leave_to_greeter (InspWindow *self, gpointer data)
{
  show_content (self, GTK_WIDGET (self->greeter));
  ldb_inspector_view_set_running_database (self->view, NULL);
  g_clear_object (&self->host);
}

static void
show_greeter (InspWindow *self)
{
  insp_leaving_ask (self, leave_to_greeter, NULL, NULL);
}

static void
on_greeter (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  show_greeter (window);
}

static void
on_chosen (InspWindow *self, LdbRunningDatabase *running)
{
  insp_window_show_database (self, running);
}

static void
on_hosted (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspWindow) self = data;
  g_autoptr (GError) error = NULL;
  LdbRunningDatabase *running = insp_host_share_finish (INSP_HOST (source), result, &error);
  if (self->host != INSP_HOST (source))
    return; /* another was opened meanwhile */
  if (running != NULL)
    {
      if (self->folder != NULL)
        insp_greeter_remember (self->greeter, self->folder);
      insp_window_show_database (self, running);
      ldb_inspector_view_set_database (self->view, insp_host_get_database (self->host));
    }
  else
    {
      insp_explanation_explain (self->explanation, insp_host_get_path (self->host), error);
      show_content (self, GTK_WIDGET (self->explanation));
      g_clear_object (&self->host);
    }
}

/* `folder` NULL: the one for trying. */
static void
host (InspWindow *self, GFile *folder, InspHost *new_host)
{
  g_set_object (&self->folder, folder);
  g_clear_object (&self->host);
  self->host = new_host;
  insp_host_share_async (self->host, on_hosted, g_object_ref (self));
}

static void
leave_to_folder (InspWindow *self, gpointer folder)
{
  host (self, folder, insp_host_new_for_folder (folder, FALSE));
}

void
insp_window_open_folder (InspWindow *self, GFile *folder)
{
  insp_leaving_ask (self, leave_to_folder, g_object_ref (folder), g_object_unref);
}

/* What could not be opened, once more. */
static void
open_again (InspWindow *self, gboolean is_static)
{
  g_autoptr (GFile) folder = self->folder != NULL ? g_object_ref (self->folder) : NULL;
  host (self, folder,
        folder != NULL ? insp_host_new_for_folder (folder, is_static) : insp_host_new_for_demo ());
}

static void
on_again (InspWindow *self)
{
  open_again (self, FALSE);
}

static void
on_static (InspWindow *self)
{
  open_again (self, TRUE);
}

static void
on_folder_chosen (GtkNativeDialog *dialog, int response, gpointer window)
{
  g_autoptr (GFile) folder = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && folder != NULL)
    insp_window_open_folder (window, folder);
  g_object_unref (dialog);
}

static void
on_open (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_ ("Open a Database"), window,
                                                              GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
                                                              _ ("_Open"), _ ("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_folder_chosen), window, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
leave_to_demo (InspWindow *self, gpointer data)
{
  host (self, NULL, insp_host_new_for_demo ());
}

static void
on_demo (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  insp_leaving_ask (window, leave_to_demo, NULL, NULL);
}

static gboolean
on_drop (InspWindow *self, const GValue *value)
{
  if (!G_VALUE_HOLDS (value, G_TYPE_FILE) || g_value_get_object (value) == NULL)
    return FALSE;
  insp_window_open_folder (self, g_value_get_object (value));
  return TRUE;
}

/* ---- the window ---- */

static void
insp_window_dispose (GObject *object)
{
  InspWindow *self = INSP_WINDOW (object);
  g_clear_object (&self->host);
  g_clear_object (&self->folder);
  g_clear_object (&self->settings);
  gtk_widget_dispose_template (GTK_WIDGET (self), INSP_TYPE_WINDOW);
  G_OBJECT_CLASS (insp_window_parent_class)->dispose (object);
}

static void
leave_for_good (InspWindow *self, gpointer data)
{
  gtk_window_destroy (GTK_WINDOW (self));
}

static gboolean
insp_window_close_request (GtkWindow *window)
{
  if (ldb_inspector_view_get_staged_changes (INSP_WINDOW (window)->view) == 0)
    return GTK_WINDOW_CLASS (insp_window_parent_class)->close_request (window);
  insp_leaving_ask (INSP_WINDOW (window), leave_for_good, NULL, NULL);
  return GDK_EVENT_STOP;
}

static void
insp_window_class_init (InspWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_window_dispose;
  GTK_WINDOW_CLASS (class)->close_request = insp_window_close_request;
  g_type_ensure (INSP_TYPE_EXPLANATION);
  g_type_ensure (INSP_TYPE_GREETER);
  g_type_ensure (LDB_TYPE_INSPECTOR_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/lightningdb/Inspector/insp-window.ui");
  gtk_widget_class_bind_template_child (widget_class, InspWindow, content);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, greeter);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, explanation);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, leaflet);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, sidebar_title);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, page_title);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, back);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, menu);
  gtk_widget_class_bind_template_child (widget_class, InspWindow, view);
  gtk_widget_class_bind_template_callback (widget_class, on_again);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_static);
  gtk_widget_class_bind_template_callback (widget_class, insp_window_open_folder);
  gtk_widget_class_bind_template_callback (widget_class, show_greeter);
}

static void
on_back (InspWindow *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
}

static void
remember (InspWindow *self)
{
  self->settings = g_settings_new (APPLICATION_ID);
  g_settings_bind (self->settings, "width", self, "default-width", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (self->settings, "height", self, "default-height", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (self->settings, "maximized", self, "maximized", G_SETTINGS_BIND_DEFAULT);
}

static void
insp_window_init (InspWindow *self)
{
  static const GActionEntry actions[] = {
    { .name = "open", .activate = on_open },
    { .name = "demo", .activate = on_demo },
    { .name = "greeter", .activate = on_greeter },
    { .name = "page", .activate = on_page, .parameter_type = "i" },
  };
  gtk_widget_init_template (GTK_WIDGET (self));
  insp_application_add_menu (self->menu);
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  insp_recorder_add_actions (self);
  g_autoptr (GPropertyAction) paused = g_property_action_new ("paused", self->view, "paused");
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (paused));
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self->view);
  GtkWidget *sidebar = ldb_inspector_view_new_sidebar (self->view);
  gtk_scrolled_window_set_child (self->sidebar, sidebar);
  g_signal_connect_object (sidebar, "row-activated", G_CALLBACK (on_page_row), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (pages, "selection-changed", G_CALLBACK (tell_page), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_swapped (self->back, "clicked", G_CALLBACK (on_back), self);
  GtkDropTarget *drop = gtk_drop_target_new (G_TYPE_FILE, GDK_ACTION_COPY);
  g_signal_connect_swapped (drop, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  remember (self);
}

GtkWidget *
insp_window_new (GtkApplication *application)
{
  return g_object_new (INSP_TYPE_WINDOW, "application", application, NULL);
}
