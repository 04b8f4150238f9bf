/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-faults.h"
#include "insp-job-row.h"
#include "insp-unit.h"
#include "insp-upkeep.h"

struct _InspUpkeep
{
  GtkWidget parent_instance;

  InspSession *session; /* owned */
  GtkWidget *list;      /* child */
  InspJobRow *check;    /* in the list; likewise below */
  InspJobRow *backup;
  InspJobRow *verification;
  GtkWidget *verify; /* whether a backup is to be verified */
  gboolean deep;     /* how thorough the check is */
  GFile *target;     /* of the backup; NULL: none; owned */
};

G_DEFINE_FINAL_TYPE (InspUpkeep, insp_upkeep, GTK_TYPE_WIDGET)

/* ---- what came of it ---- */

static char *
describe_report (LdbCheckReport *report)
{
  g_autofree char *size = insp_unit_format (INSP_UNIT_BYTES, (double) report->bytes);
  g_autofree char *pages = insp_unit_format (INSP_UNIT_COUNT, (double) report->pages);
  if (report->fault_count == 0)
    /* Translators: what a check found: the number of pages that were read, and their size */
    return g_strdup_printf (_ ("Sound: %s pages, %s, were verified."), pages, size);
  return insp_faults_describe (report);
}

/* Takes report and error. */
static void
end_check (InspJobRow *row, LdbCheckReport *its_report, GError *its_error)
{
  g_autoptr (LdbCheckReport) report = its_report;
  g_autoptr (GError) error = its_error;
  g_autofree char *text = report != NULL ? describe_report (report) : g_strdup (error->message);
  insp_job_row_end (row, text);
}

/* Whether the application lets us; else the row says why not. */
static gboolean
is_granted (GObject *inspector, GAsyncResult *result, InspJobRow *row)
{
  g_autoptr (GError) error = NULL;
  if (ldb_inspector_request_control_finish (LDB_INSPECTOR (inspector), result, &error))
    return TRUE;
  insp_job_row_end (row, error->message);
  return FALSE;
}

/* The work that is to be done, once there is control; `granted` owns a reference. */
static void
begin_with_control (InspUpkeep *self, InspJobRow *row, GAsyncReadyCallback granted)
{
  LdbInspector *inspector = insp_session_get_inspector (self->session);
  if (inspector == NULL)
    return;
  ldb_inspector_request_control_async (inspector, insp_job_row_begin (row), granted,
                                       g_object_ref (self));
}

/* How far the work of a row is: an LdbProgressFunc. */
static void
tell_progress (guint64 done, guint64 total, const char *step, gpointer row)
{
  if (total > 0)
    insp_job_row_progress (INSP_JOB_ROW (row), (double) done / (double) total);
}

/* ---- checking ---- */

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspUpkeep) self = data;
  GError *error = NULL;
  LdbCheckReport *report = LDB_IS_INSPECTOR (source)
                               ? ldb_inspector_check_finish (LDB_INSPECTOR (source), result, &error)
                               : ldb_database_check_finish (LDB_DATABASE (source), result, &error);
  end_check (self->check, report, error);
}

static LdbCheckFlags
check_flags (InspUpkeep *self)
{
  return self->deep ? LDB_CHECK_DEEP : LDB_CHECK_NONE;
}

static void
on_check_granted (GObject *inspector, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspUpkeep) self = data;
  if (is_granted (inspector, result, self->check))
    ldb_inspector_check_async (LDB_INSPECTOR (inspector), check_flags (self), tell_progress,
                               g_object_ref (self->check), g_object_unref,
                               insp_job_row_get_cancellable (self->check), on_checked,
                               g_object_ref (self));
}

/* What this program opened itself takes nobody's consent; so it is with a backup. */
static void
check (InspUpkeep *self, gboolean deep)
{
  LdbDatabase *own = insp_session_get_database (self->session);
  self->deep = deep;
  if (own == NULL)
    begin_with_control (self, self->check, on_check_granted);
  else
    ldb_database_check_async (own, check_flags (self), tell_progress, g_object_ref (self->check),
                              g_object_unref, insp_job_row_begin (self->check), on_checked,
                              g_object_ref (self));
}

static void
on_check (InspUpkeep *self)
{
  check (self, FALSE);
}

static void
on_deep_check (InspUpkeep *self)
{
  check (self, TRUE);
}

/* ---- backing up ---- */

static void
on_backed_up (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspUpkeep) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBackupResult) backup
      = LDB_IS_INSPECTOR (source)
            ? ldb_inspector_backup_finish (LDB_INSPECTOR (source), result, &error)
            : ldb_database_backup_finish (LDB_DATABASE (source), result, &error);
  if (backup == NULL)
    {
      insp_job_row_end (self->backup, error->message);
      return;
    }
  g_autofree char *size = insp_unit_format (INSP_UNIT_BYTES, (double) backup->bytes);
  g_autofree char *path = g_file_get_parse_name (self->target);
  /* Translators: of a backup: the number of its files, their size, and where it is */
  g_autofree char *text
      = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%d file with %s is in %s.",
                                      "%d files with %s are in %s.", (gulong) backup->files),
                         (int) MIN (backup->files, G_MAXINT), size, path);
  insp_job_row_end (self->backup, text);
}

static LdbBackupFlags
backup_flags (InspUpkeep *self)
{
  return gtk_check_button_get_active (GTK_CHECK_BUTTON (self->verify)) ? LDB_BACKUP_VERIFY
                                                                       : LDB_BACKUP_NONE;
}

static void
on_backup_granted (GObject *inspector, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspUpkeep) self = data;
  if (is_granted (inspector, result, self->backup))
    ldb_inspector_backup_async (LDB_INSPECTOR (inspector), g_file_peek_path (self->target),
                                backup_flags (self), tell_progress, g_object_ref (self->backup),
                                g_object_unref, insp_job_row_get_cancellable (self->backup),
                                on_backed_up, g_object_ref (self));
}

void
insp_upkeep_back_up (InspUpkeep *self, GFile *folder)
{
  LdbDatabase *own = insp_session_get_database (self->session);
  g_set_object (&self->target, folder);
  if (own == NULL)
    begin_with_control (self, self->backup, on_backup_granted);
  else
    ldb_database_backup_async (own, g_file_peek_path (folder), backup_flags (self), tell_progress,
                               g_object_ref (self->backup), g_object_unref,
                               insp_job_row_begin (self->backup), on_backed_up,
                               g_object_ref (self));
}

/* ---- verifying a backup ---- */

static void
on_verified (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspUpkeep) self = data;
  GError *error = NULL;
  LdbCheckReport *report = ldb_database_check_path_finish (result, &error);
  end_check (self->verification, report, error);
}

void
insp_upkeep_verify (InspUpkeep *self, GFile *folder)
{
  GCancellable *cancellable = insp_job_row_begin (self->verification);
  ldb_database_check_path_async (g_file_peek_path (folder), LDB_CHECK_DEEP, tell_progress,
                                 g_object_ref (self->verification), g_object_unref, cancellable,
                                 on_verified, g_object_ref (self));
}

/* ---- asking where ---- */

static void
on_chosen (GtkNativeDialog *dialog, int response, InspUpkeep *self)
{
  void (*use) (InspUpkeep *, GFile *) = g_object_get_data (G_OBJECT (dialog), "insp-use");
  g_autoptr (GFile) folder = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && folder != NULL && g_file_peek_path (folder) != NULL)
    use (self, folder);
  g_object_unref (dialog);
}

static void
ask_where (InspUpkeep *self, const char *title, const char *accept,
           void (*use) (InspUpkeep *, GFile *))
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                     GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, accept, _ ("_Cancel"));
  g_object_set_data (G_OBJECT (dialog), "insp-use", use);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_chosen), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
on_back_up (InspUpkeep *self)
{
  ask_where (self, _ ("Back Up Into a Folder"), _ ("_Back Up"), insp_upkeep_back_up);
}

static void
on_verify (InspUpkeep *self)
{
  ask_where (self, _ ("Verify a Backup"), _ ("_Verify"), insp_upkeep_verify);
}

/* ---- the object ---- */

static void
review_state (InspUpkeep *self)
{
  gboolean live = insp_session_get_state (self->session) == INSP_SESSION_LIVE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->check), live);
  gtk_widget_set_sensitive (GTK_WIDGET (self->backup), live);
}

static void
insp_upkeep_dispose (GObject *object)
{
  InspUpkeep *self = INSP_UPKEEP (object);
  g_clear_pointer (&self->list, gtk_widget_unparent);
  g_clear_object (&self->target);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_upkeep_parent_class)->dispose (object);
}

static void
insp_upkeep_class_init (InspUpkeepClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_upkeep_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static InspJobRow *
add_row (InspUpkeep *self, const char *title, const char *text)
{
  GtkWidget *row = insp_job_row_new (title, text);
  gtk_list_box_append (GTK_LIST_BOX (self->list), row);
  gtk_widget_set_focusable (gtk_widget_get_parent (row), FALSE);
  return INSP_JOB_ROW (row);
}

static void
insp_upkeep_init (InspUpkeep *self)
{
  self->list = gtk_list_box_new ();
  gtk_list_box_set_selection_mode (GTK_LIST_BOX (self->list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class (self->list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Upkeep"), -1);
  gtk_widget_set_parent (self->list, GTK_WIDGET (self));
  self->check = add_row (self, _ ("Integrity Check"),
                         _ ("The application verifies the checksums of all pages, and the log; "
                            "thoroughly: each record, too. Nothing is written."));
  insp_job_row_add_button (self->check, _ ("Check"), G_CALLBACK (on_check), self);
  insp_job_row_add_button (self->check, _ ("Check Thoroughly"), G_CALLBACK (on_deep_check), self);
  self->backup = add_row (self, _ ("Backup"),
                          _ ("The application writes a copy of the database as it is now into a "
                             "folder, while it goes on."));
  insp_job_row_add_button (self->backup, _ ("Back Up…"), G_CALLBACK (on_back_up), self);
  self->verify = gtk_check_button_new_with_label (_ ("Verify"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self->verify), TRUE);
  insp_job_row_add (self->backup, self->verify);
  self->verification = add_row (self, _ ("Verify a Backup"),
                                _ ("All that a backup has is read and verified here. Nothing is "
                                   "written."));
  insp_job_row_add_button (self->verification, _ ("Choose a Backup…"), G_CALLBACK (on_verify),
                           self);
}

GtkWidget *
insp_upkeep_new (InspSession *session)
{
  InspUpkeep *self = g_object_new (INSP_TYPE_UPKEEP, NULL);
  self->session = g_object_ref (session);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (review_state), self,
                           G_CONNECT_SWAPPED);
  review_state (self);
  return GTK_WIDGET (self);
}
