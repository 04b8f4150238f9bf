/* SPDX-License-Identifier: MIT */
/*
 * What the data page changes: staged edits, with a database that is written to by others too, what differs
 * between values, and where JSON is wrong.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "insp-diff.h"
#include "insp-edits.h"
#include "insp-json.h"

/* ---- JSON ---- */

static void
test_json_errors (void)
{
  static const struct
  {
    const char *text;
    int offset; /* -1: there is none */
  } cases[] = {
    { "{\"a\": [1, 2.5e-3, \"\\u00e4\\n\"], \"b\": null}", -1 },
    { " 7 ", -1 },
    { "", 0 },
    { "{\"a\": 1,}", 8 },
    { "[1, 2", 5 },
    { "[01]", 1 },
    { "[1.]", 1 },
    { "[+1]", 1 },
    { "[\"\\q\"]", 1 },
    { "[\"\\u12g4\"]", 1 },
    { "[1] 2", 4 },
    { "{a: 1}", 1 },
    { "[-inf]", 1 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (insp_json_find_error (cases[i].text, strlen (cases[i].text)), ==,
                     cases[i].offset);
}

/* ---- differences ---- */

static void
assert_lines (GPtrArray *found, const char *expected)
{
  static const char signs[] = { ' ', '-', '+', '~' };
  g_autoptr (GPtrArray) lines = found;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < lines->len; i++)
    {
      const InspDiffLine *line = lines->pdata[i];
      g_string_append_printf (text, "%c%s\n", signs[line->kind],
                              line->text != NULL ? line->text : "");
    }
  g_assert_cmpstr (text->str, ==, expected);
}

/* Of a long line what is around its first difference: a label that has all of it lays it out for minutes. */
static void
test_long_lines (void)
{
  g_autoptr (GString) old = g_string_new (NULL);
  for (guint i = 0; i < 20000; i++)
    g_string_append (old, "é");
  g_autofree char *new = g_strdup_printf ("%.*sNEW%s", 20000, old->str, old->str + 20000);
  g_autoptr (GPtrArray) lines = insp_diff_compare (old->str, new);
  g_assert_cmpuint (lines->len, ==, 2);
  for (guint i = 0; i < lines->len; i++)
    {
      const InspDiffLine *line = lines->pdata[i];
      g_assert_cmpuint (strlen (line->text), <, 500);
      g_assert_true (g_utf8_validate (line->text, -1, NULL));
      g_assert_true (g_str_has_prefix (line->text, "…é") && g_str_has_suffix (line->text, "é…"));
      g_assert_true ((strstr (line->text, "éNEWé") != NULL) == (line->kind == INSP_DIFF_NEW));
    }
  g_autoptr (GBytes) value = g_bytes_new (old->str, old->len);
  g_autoptr (GPtrArray) added = insp_diff_compare_values (NULL, value);
  g_assert_cmpuint (added->len, ==, 1);
  g_assert_true (g_str_has_suffix (((InspDiffLine *) added->pdata[0])->text, "é…"));
  g_assert_cmpuint (strlen (((InspDiffLine *) added->pdata[0])->text), <, 500);
}

static void
test_differences (void)
{
  assert_lines (insp_diff_compare ("a\nb\nc", "a\nB\nc"), " a\n-b\n+B\n c\n");
  assert_lines (insp_diff_compare ("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7"), "~\n 4\n 5\n-6\n+7\n");
  assert_lines (insp_diff_compare ("a\nb", "b\na"), "-a\n b\n+a\n");
  g_autoptr (GString) old = g_string_new (NULL);
  g_autoptr (GString) new = g_string_new (NULL);
  for (guint i = 0; i < 2000; i++)
    {
      g_string_append_printf (old, "old %u\n", i);
      g_string_append_printf (new, "new %u\n", i);
    }
  g_autoptr (GPtrArray) lines = insp_diff_compare (old->str, new->str); /* too many to be paired */
  g_assert_cmpuint (lines->len, ==, 4001);
}

static void
test_values (void)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("Ada", 3);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) binary = g_bytes_new_static ("\x00\xff", 2);
  g_autoptr (GBytes) json = g_bytes_new_static ("[1,2]", 5);
  g_autoptr (GBytes) spaced = g_bytes_new_static ("[1, 2]", 6);
  g_autoptr (GBytes) longer = g_bytes_new_static ("[1,2,3]", 7);
  assert_lines (insp_diff_compare_values (NULL, text), "+Ada\n");
  assert_lines (insp_diff_compare_values (text, NULL), "-Ada\n");
  assert_lines (insp_diff_compare_values (NULL, empty), "+\n");
  assert_lines (insp_diff_compare_values (json, longer), " [\n   1,\n-  2\n+  2,\n+  3\n ]\n");
  assert_lines (insp_diff_compare_values (json, spaced), "-[1,2]\n+[1, 2]\n");
  g_autoptr (GPtrArray) lines = insp_diff_compare_values (text, binary);
  g_assert_cmpuint (lines->len, ==, 2);
  g_assert_true (
      g_str_has_prefix (((InspDiffLine *) lines->pdata[0])->text, "00000000  41 64 61 "));
}

/* ---- edits ---- */

typedef struct
{
  char *directory;
  LdbDatabase *database;
  LdbInspector *inspector;
  InspEdits *edits;
  GAsyncResult *result; /* of what is under way; NULL: not yet */
} Fixture;

static void
on_found (GListModel *model, guint position, guint removed, guint added, GMainLoop *loop)
{
  g_main_loop_quit (loop);
}

static LdbInspector *
open_inspector (void)
{
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (list, "items-changed", G_CALLBACK (on_found), loop);
  if (ldb_running_list_get_n_items (list) == 0)
    g_main_loop_run (loop);
  g_autoptr (LdbRunningDatabase) running = g_list_model_get_item (G_LIST_MODEL (list), 0);
  g_autoptr (GError) error = NULL;
  LdbInspector *inspector = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
  return inspector;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->directory = g_dir_make_tmp ("inspector-edit-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (self->directory, "database", NULL);
  self->database
      = g_initable_new (LDB_TYPE_DATABASE, NULL, &error, "path", path, "flags", LDB_OPEN_CREATE,
                        "inspectable", TRUE, "control-allowed", TRUE, NULL);
  g_assert_no_error (error);
  ldb_database_put_string (self->database, "a", "1", NULL, &error);
  ldb_database_put_string (self->database, "b", "2", NULL, &error);
  g_assert_no_error (error);
  self->inspector = open_inspector ();
  ldb_inspector_request_control (self->inspector, NULL, &error);
  g_assert_no_error (error);
  self->edits = insp_edits_new ();
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "database", NULL);
  ldb_inspector_close (self->inspector);
  ldb_database_close (self->database, NULL, NULL);
  ldb_database_destroy (path, NULL, NULL);
  g_rmdir (self->directory);
  g_free (self->directory);
  g_object_unref (self->edits);
  g_object_unref (self->inspector);
  g_object_unref (self->database);
}

static GBytes *
bytes_of (const char *text)
{
  return text != NULL ? g_bytes_new (text, strlen (text)) : NULL;
}

static void
stage (Fixture *self, const char *key_text, const char *expected_text, const char *value_text)
{
  g_autoptr (GBytes) key = bytes_of (key_text);
  g_autoptr (GBytes) expected = bytes_of (expected_text);
  g_autoptr (GBytes) value = bytes_of (value_text);
  insp_edits_stage (self->edits, "default", key, expected, value);
}

static void
assert_value (Fixture *self, const char *key, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = ldb_database_get_string (self->database, key, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, expected);
}

static void
assert_count (Fixture *self, guint count)
{
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self->edits)), ==, count);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *self = data;
  self->result = g_object_ref (result);
}

static guint
finish (Fixture *self, GError **error)
{
  while (self->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_autoptr (GAsyncResult) result = g_steal_pointer (&self->result);
  return insp_edits_finish (self->edits, result, error);
}

static void
commit (Fixture *self, GError **error)
{
  insp_edits_commit_async (self->edits, self->inspector, NULL, on_done, self);
  g_assert_true (insp_edits_is_busy (self->edits));
  guint count = finish (self, error);
  g_assert_cmpuint (count > 0, ==, error == NULL || *error == NULL);
  g_assert_false (insp_edits_is_busy (self->edits));
}

static void
undo (Fixture *self, GError **error)
{
  insp_edits_undo_async (self->edits, self->inspector, NULL, on_done, self);
  finish (self, error);
}

static void
test_staging (Fixture *self, gconstpointer data)
{
  stage (self, "a", "1", "9");
  stage (self, "b", "2", NULL);
  stage (self, "c", NULL, "3");
  assert_count (self, 3);
  stage (self, "a", "8", "7"); /* what it expects stays */
  assert_count (self, 3);
  g_autoptr (InspEdit) edit = g_list_model_get_item (G_LIST_MODEL (self->edits), 0);
  g_autoptr (GBytes) one = bytes_of ("1");
  g_assert_true (g_bytes_equal (insp_edit_get_expected (edit), one));
  stage (self, "a", NULL, "1"); /* nothing would change */
  stage (self, "c", NULL, NULL);
  assert_count (self, 1);
  assert_value (self, "b", "2"); /* nothing is written unasked */
}

static void
test_commit (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  stage (self, "a", "1", "");
  stage (self, "b", "2", NULL);
  stage (self, "c", NULL, "3");
  g_assert_false (insp_edits_can_undo (self->edits));
  commit (self, &error);
  g_assert_no_error (error);
  assert_value (self, "a", "");
  assert_value (self, "b", NULL);
  assert_value (self, "c", "3");
  assert_count (self, 0);
  undo (self, &error);
  g_assert_no_error (error);
  assert_value (self, "a", "1");
  assert_value (self, "b", "2");
  assert_value (self, "c", NULL);
  undo (self, &error); /* and again as it was */
  g_assert_no_error (error);
  assert_value (self, "c", "3");
  stage (self, "c", "3", "4");
  g_assert_false (insp_edits_can_undo (self->edits));
}

static void
test_conflict (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  stage (self, "a", "1", "mine");
  stage (self, "b", "2", "mine");
  ldb_database_put_string (self->database, "a", "theirs", NULL, &error);
  g_assert_no_error (error);
  commit (self, &error);
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CONFLICT);
  g_clear_error (&error);
  assert_value (self, "b", "2"); /* all or none */
  g_assert_cmpuint (insp_edits_count_conflicts (self->edits), ==, 1);
  g_assert_false (insp_edits_can_commit (self->edits));
  g_autoptr (InspEdit) edit = g_list_model_get_item (G_LIST_MODEL (self->edits), 0);
  g_autoptr (GBytes) theirs = bytes_of ("theirs");
  g_assert_true (g_bytes_equal (insp_edit_get_now (edit), theirs));
  insp_edits_restage (self->edits, edit);
  commit (self, &error);
  g_assert_no_error (error);
  assert_value (self, "a", "mine");
  assert_value (self, "b", "mine");

  /* What was written since is not taken back unasked. */
  ldb_database_put_string (self->database, "b", "theirs", NULL, &error);
  g_assert_no_error (error);
  undo (self, &error);
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CONFLICT);
  g_clear_error (&error);
  assert_value (self, "a", "mine");
  assert_count (self, 2);
  g_assert_cmpuint (insp_edits_count_conflicts (self->edits), ==, 1);
  g_autoptr (InspEdit) other = g_list_model_get_item (G_LIST_MODEL (self->edits), 1);
  insp_edits_drop (self->edits, other);
  commit (self, &error);
  g_assert_no_error (error);
  assert_value (self, "a", "theirs"); /* which mine had replaced */
  assert_value (self, "b", "theirs");
}

static void
test_refusal (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ldb_database_set_control_allowed (self->database, FALSE);
  stage (self, "a", "1", "mine");
  commit (self, &error);
  g_assert_error (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED);
  assert_count (self, 1); /* it is kept */
  assert_value (self, "a", "1");
}

int
main (int argc, char **argv)
{
  g_autofree char *runtime = g_dir_make_tmp ("inspector-runtime-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/edit/json-errors", test_json_errors);
  g_test_add_func ("/edit/differences", test_differences);
  g_test_add_func ("/edit/long-lines", test_long_lines);
  g_test_add_func ("/edit/values", test_values);
  g_test_add ("/edit/staging", Fixture, NULL, set_up, test_staging, tear_down);
  g_test_add ("/edit/commit", Fixture, NULL, set_up, test_commit, tear_down);
  g_test_add ("/edit/conflict", Fixture, NULL, set_up, test_conflict, tear_down);
  g_test_add ("/edit/refusal", Fixture, NULL, set_up, test_refusal, tear_down);
  int status = g_test_run ();
  g_autofree char *shared = g_build_filename (runtime, "lightning-db-1", NULL);
  g_rmdir (shared);
  g_rmdir (runtime);
  return status;
}
