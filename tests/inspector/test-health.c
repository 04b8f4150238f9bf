/* SPDX-License-Identifier: MIT */
/* Upkeep through an inspector: a backup is made and verified, a damaged one is found out. */
#include <glib/gstdio.h>
#include <string.h>

#include "insp-issue-row.h"
#include "insp-upkeep.h"

#define LIMIT (20 * G_USEC_PER_SEC)

typedef struct
{
  char *directory;
  LdbDatabase *database;
  LdbRunningList *list;
  InspSession *session;
  GtkWidget *window, *upkeep; /* the upkeep is the window's */
} Fixture;

static void
iterate_until (gboolean (*reached) (gpointer data), gpointer data)
{
  gint64 end = g_get_monotonic_time () + LIMIT;
  while (!reached (data))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (1000);
    }
}

static gboolean
is_shared (gpointer list)
{
  return g_list_model_get_n_items (list) > 0;
}

static gboolean
is_live (gpointer session)
{
  return insp_session_get_state (session) == INSP_SESSION_LIVE;
}

static void
set_up (Fixture *self, gconstpointer allowed)
{
  g_autoptr (GError) error = NULL;
  self->directory = g_dir_make_tmp ("inspector-health-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (self->directory, "database", NULL);
  self->database = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_object_set (self->database, "inspectable", TRUE, "control-allowed", allowed != NULL, NULL);
  ldb_database_put_string (self->database, "key", "value", NULL, &error);
  g_assert_no_error (error);
  self->list = ldb_running_list_new ();
  iterate_until (is_shared, self->list);
  g_autoptr (LdbRunningDatabase) running = g_list_model_get_item (G_LIST_MODEL (self->list), 0);
  self->session = insp_session_new (running);
  iterate_until (is_live, self->session);
  self->window = gtk_window_new ();
  self->upkeep = insp_upkeep_new (self->session);
  gtk_window_set_child (GTK_WINDOW (self->window), self->upkeep);
  gtk_widget_show (self->window);
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  for (const char *name; (name = g_dir_read_name (directory)) != NULL;)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_directory (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

static void
tear_down (Fixture *self, gconstpointer allowed)
{
  gtk_window_destroy (GTK_WINDOW (self->window));
  insp_session_close (self->session);
  g_object_unref (self->session);
  g_object_unref (self->list);
  ldb_database_close (self->database, NULL, NULL);
  g_object_unref (self->database);
  remove_directory (self->directory);
  g_free (self->directory);
}

/* Whether a label says something in or below a widget. */
static gboolean
is_said (GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL (widget) && strstr (gtk_label_get_text (GTK_LABEL (widget)), text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (is_said (child, text))
      return TRUE;
  return FALSE;
}

typedef struct
{
  GtkWidget *widget;
  const char *text;
} Saying;

static gboolean
says (gpointer data)
{
  const Saying *saying = data;
  return is_said (saying->widget, saying->text);
}

static void
wait_for (Fixture *self, const char *text)
{
  g_test_message ("waiting for “%s”", text);
  Saying saying = { self->upkeep, text };
  iterate_until (says, &saying);
}

/* Breaks the largest file of a backup. */
static void
damage (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  g_autofree char *largest = NULL;
  gsize most = 0;
  for (const char *name; (name = g_dir_read_name (directory)) != NULL;)
    {
      g_autofree char *file = g_build_filename (path, name, NULL), *contents = NULL;
      gsize size;
      if (g_file_get_contents (file, &contents, &size, NULL) && size >= most)
        {
          most = size;
          g_free (largest);
          largest = g_steal_pointer (&file);
        }
    }
  g_assert_nonnull (largest);
  g_autofree char *contents = NULL;
  g_assert_true (g_file_get_contents (largest, &contents, &most, NULL));
  memset (contents + most / 8, 0x5a, most / 4);
  g_assert_true (g_file_set_contents (largest, contents, (gssize) most, NULL));
}

static void
test_backup (Fixture *self, gconstpointer allowed)
{
  g_autofree char *path = g_build_filename (self->directory, "backup", NULL);
  g_autoptr (GFile) folder = g_file_new_for_path (path);
  insp_upkeep_back_up (INSP_UPKEEP (self->upkeep), folder);
  wait_for (self, "1 file with");
  g_assert_true (is_said (self->upkeep, path));
  insp_upkeep_verify (INSP_UPKEEP (self->upkeep), folder);
  wait_for (self, "Sound:");
  damage (path);
  insp_upkeep_verify (INSP_UPKEEP (self->upkeep), folder);
  g_assert_true (is_said (self->upkeep, "Cancel"));
  wait_for (self, "found:");
}

static void
test_refused (Fixture *self, gconstpointer allowed)
{
  g_autofree char *path = g_build_filename (self->directory, "backup", NULL);
  g_autoptr (GFile) folder = g_file_new_for_path (path);
  insp_upkeep_back_up (INSP_UPKEEP (self->upkeep), folder);
  wait_for (self, "does not allow inspectors to change anything");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* What this program opened itself takes nobody's consent: a folder that is only looked into. */
static void
test_own (Fixture *self, gconstpointer allowed)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *database = g_build_filename (self->directory, "database", NULL);
  g_autofree char *path = g_build_filename (self->directory, "backup", NULL);
  g_autoptr (GFile) folder = g_file_new_for_path (path);
  g_assert_true (ldb_database_flush (self->database, NULL, &error));
  g_autoptr (LdbDatabase) reader
      = ldb_database_open (database, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  insp_session_set_database (self->session, reader);
  insp_upkeep_back_up (INSP_UPKEEP (self->upkeep), folder);
  wait_for (self, path);
  insp_upkeep_verify (INSP_UPKEEP (self->upkeep), folder);
  wait_for (self, "Sound:");
  g_assert_true (ldb_database_close (reader, NULL, &error));
}

static void
test_evidence (void)
{
  g_autoptr (GVariant) evidence = g_variant_ref_sink (g_variant_new_parsed (
      "{'free_bytes': <uint64 65536>, 'age_ns': <uint64 12000000>, 'share': <0.25>, "
      "'ratio': <1.5>, 'runs': <uint64 30>, 'cause': <'no room'>, 'foreign_owner': <true>}"));
  g_autofree char *text = insp_evidence_format (evidence);
  g_assert_cmpstr (text, ==,
                   "free: 65.5 kB · age: 12 ms · share: 25 % · ratio: 1.50 · runs: 30 · "
                   "cause: no room · foreign owner: yes");
}

int
main (int argument_count, char **arguments)
{
  gtk_test_init (&argument_count, &arguments);
  g_test_add ("/health/backup", Fixture, "allowed", set_up, test_backup, tear_down);
  g_test_add ("/health/refused", Fixture, NULL, set_up, test_refused, tear_down);
  g_test_add ("/health/own", Fixture, NULL, set_up, test_own, tear_down);
  g_test_add_func ("/health/evidence", test_evidence);
  return g_test_run ();
}
