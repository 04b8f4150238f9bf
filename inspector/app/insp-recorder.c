/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>

#include "insp-leaving.h"
#include "insp-recorder.h"

#define SUFFIX ".ldb-recording"

gboolean
insp_recorder_knows (GFile *file)
{
  g_autofree char *name = g_file_get_basename (file);
  return name != NULL && g_str_has_suffix (name, SUFFIX);
}

static GtkFileChooserNative *
new_dialog (InspWindow *window, const char *title, GtkFileChooserAction action, const char *accept)
{
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, GTK_WINDOW (window), action, accept, _ ("_Cancel"));
  g_autoptr (GtkFileFilter) recordings = gtk_file_filter_new ();
  gtk_file_filter_set_name (recordings, _ ("Recordings"));
  gtk_file_filter_add_suffix (recordings, &SUFFIX[1]);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), recordings);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  return dialog;
}

/* The file that a dialog was answered with; NULL: it was not. The dialog goes. */
static GFile *
answer (GtkNativeDialog *dialog, int response)
{
  GFile *file = response == GTK_RESPONSE_ACCEPT
                    ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                    : NULL;
  g_object_unref (dialog);
  return file;
}

/* ---- saving ---- */

static void
on_saved (GObject *view, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspWindow) window = data;
  g_autoptr (GError) error = NULL;
  gboolean is_open = gtk_window_get_application (GTK_WINDOW (window)) != NULL;
  if (!ldb_inspector_view_save_recording_finish (LDB_INSPECTOR_VIEW (view), result, &error))
    {
      if (is_open)
        insp_window_say (window, _ ("The Recording Cannot Be Saved"), error->message);
      else
        g_message ("%s", error->message);
    }
  g_application_release (g_application_get_default ());
}

static void
on_save_chosen (GtkNativeDialog *dialog, int response, gpointer window)
{
  g_autoptr (GFile) file = answer (dialog, response);
  if (file == NULL)
    return;
  g_application_hold (g_application_get_default ()); /* also when the window is closed meanwhile */
  ldb_inspector_view_save_recording_async (insp_window_get_view (window), file, NULL, on_saved,
                                           g_object_ref (window));
}

static void
on_record (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *when = g_date_time_format (now, "%Y-%m-%d %H-%M-%S");
  g_autofree char *name = g_strconcat (when, SUFFIX, NULL);
  GtkFileChooserNative *dialog
      = new_dialog (window, _ ("Save a Recording"), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"));
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_save_chosen), window, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* ---- opening ---- */

static void
on_opened (GObject *view, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspWindow) window = data;
  g_autoptr (GError) error = NULL;
  if (ldb_inspector_view_open_recording_finish (LDB_INSPECTOR_VIEW (view), result, &error))
    insp_window_show_recording (window);
  else
    insp_window_say (window, _ ("The Recording Cannot Be Opened"), error->message);
}

static void
leave_to_recording (InspWindow *window, gpointer file)
{
  ldb_inspector_view_open_recording_async (insp_window_get_view (window), file, NULL, on_opened,
                                           g_object_ref (window));
}

void
insp_recorder_open (InspWindow *window, GFile *file)
{
  insp_leaving_ask (window, leave_to_recording, g_object_ref (file), g_object_unref);
}

static void
on_open_chosen (GtkNativeDialog *dialog, int response, gpointer window)
{
  g_autoptr (GFile) file = answer (dialog, response);
  if (file != NULL)
    insp_recorder_open (window, file);
}

static void
on_open (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  GtkFileChooserNative *dialog
      = new_dialog (window, _ ("Open a Recording"), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"));
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_open_chosen), window, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* Only what is shown can be recorded. */
static void
review (InspWindow *window)
{
  GAction *record = g_action_map_lookup_action (G_ACTION_MAP (window), "record");
  g_simple_action_set_enabled (G_SIMPLE_ACTION (record),
                               ldb_inspector_view_get_title (insp_window_get_view (window))
                                   != NULL);
}

void
insp_recorder_add_actions (InspWindow *window)
{
  static const GActionEntry actions[] = {
    { .name = "record", .activate = on_record },
    { .name = "open-recording", .activate = on_open },
  };
  g_action_map_add_action_entries (G_ACTION_MAP (window), actions, G_N_ELEMENTS (actions), window);
  g_signal_connect_object (insp_window_get_view (window), "notify::title", G_CALLBACK (review),
                           window, G_CONNECT_SWAPPED);
  review (window);
}
