/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-chart-card.h"
#include "insp-export.h"
#include "insp-page.h"
#include "insp-save.h"
#include "insp-table.h"

static void
on_written (GObject *file, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkWidget) widget = data;
  g_autoptr (GError) error = NULL;
  if (!insp_save_finish (G_FILE (file), result, &error))
    insp_page_tell_from (widget, error);
}

static void
on_chosen (GtkNativeDialog *dialog, int response, GtkWidget *widget)
{
  InspExportMake make = (InspExportMake) g_object_get_data (G_OBJECT (dialog), "insp-make");
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    {
      g_autofree char *name = g_file_get_basename (file);
      g_autoptr (GBytes) text = make (widget, name);
      insp_save_async (file, text, G_FILE_CREATE_PRIVATE, NULL, on_written, g_object_ref (widget));
    }
  g_object_unref (dialog);
}

void
insp_export_ask (GtkWidget *widget, const char *title, const char *name, InspExportMake make)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                     GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Export"), _ ("_Cancel"));
  g_object_set_data (G_OBJECT (dialog), "insp-make", (gpointer) make);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_chosen), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* ---- charts and tables ---- */

static void
collect (GtkWidget *widget, GPtrArray *sheets)
{
  InspSheet *sheet = NULL;
  InspExportSheet make = (InspExportSheet) g_object_get_data (G_OBJECT (widget), "insp-sheet");
  if (make != NULL)
    sheet = make (widget);
  else if (INSP_IS_TABLE (widget))
    sheet = insp_table_to_sheet (INSP_TABLE (widget));
  else if (INSP_IS_CHART_CARD (widget))
    sheet = insp_chart_card_to_sheet (INSP_CHART_CARD (widget));
  else
    for (GtkWidget *its = gtk_widget_get_first_child (widget); its != NULL;
         its = gtk_widget_get_next_sibling (its))
      collect (its, sheets);
  if (sheet != NULL && insp_sheet_count_rows (sheet) > 0)
    g_ptr_array_add (sheets, sheet);
  else if (sheet != NULL)
    insp_sheet_free (sheet);
}

void
insp_export_set_sheet (GtkWidget *part, InspExportSheet make)
{
  g_object_set_data (G_OBJECT (part), "insp-sheet", (gpointer) make);
}

GBytes *
insp_export_tables (gpointer widget, const char *name)
{
  g_autoptr (GPtrArray) sheets = g_ptr_array_new_with_free_func (insp_sheet_free);
  collect (widget, sheets);
  return g_str_has_suffix (name, ".json") ? insp_sheets_to_json (sheets)
                                          : insp_sheets_to_csv (sheets);
}

void
insp_export_ask_tables (GtkWidget *page, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".csv", NULL);
  insp_export_ask (page, _ ("Export Charts and Tables"), file, insp_export_tables);
}

static gboolean
on_offered (GtkWidget *page, GVariant *arguments, gpointer name)
{
  if (!gtk_widget_get_mapped (page))
    return GDK_EVENT_PROPAGATE;
  insp_export_ask_tables (page, name);
  return GDK_EVENT_STOP;
}

void
insp_export_offer (GtkWidget *page, const char *name)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_set_scope (GTK_SHORTCUT_CONTROLLER (controller),
                                     GTK_SHORTCUT_SCOPE_GLOBAL);
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (controller),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_e, GDK_CONTROL_MASK),
                        gtk_callback_action_new (on_offered, (gpointer) name, NULL)));
  gtk_widget_add_controller (page, controller);
}
