/* SPDX-License-Identifier: MIT */
/* liblightning-db-1 and liblightning_db_ffi in one process have an engine each. The second to open
 * a path for writing is refused, and told so; nothing is harmed, whoever came first. */
#include <glib/gstdio.h>
#include <lightning-db.h>

#include "lightning_db_ffi.h"

static char *directory, *path;

static void
assert_refused (LdbDatabase *database, GError **error)
{
  g_assert_null (database);
  g_assert_error (*error, LDB_ERROR, LDB_ERROR_LOCKED);
  g_assert_nonnull (strstr ((*error)->message, path));
  g_clear_error (error);
}

static void
put (LightningDB *db, const char *key)
{
  g_assert_cmpint (
      lightning_db_put (db, (const uint8_t *) key, strlen (key), (const uint8_t *) "1", 1), ==,
      Success);
}

static void
assert_keys (LdbDatabase *database, const char *first, ...)
{
  va_list names;
  g_autoptr (GError) error = NULL;
  va_start (names, first);
  for (const char *name = first; name != NULL; name = va_arg (names, const char *))
    g_assert_true (ldb_database_contains (database, name, strlen (name), NULL, &error));
  va_end (names);
  g_assert_no_error (error);
}

static void
test_flat_first (void)
{
  g_autoptr (GError) error = NULL;
  LightningDB *db = lightning_db_create (path, NULL);
  g_assert_nonnull (db);
  put (db, "flat");
  assert_refused (ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error), &error);
  g_assert_false (ldb_database_destroy (path, NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_LOCKED);
  g_clear_error (&error);
  put (db, "flat-after"); /* the refused opening took nothing away */
  assert_refused (ldb_database_open (path, LDB_OPEN_NONE, NULL, NULL, &error), &error);
  g_autoptr (LdbDatabase) reader = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_keys (reader, "flat", "flat-after", NULL);
  g_assert_true (ldb_database_close (reader, NULL, &error));
  g_assert_cmpint (lightning_db_close (db), ==, Success);
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_keys (database, "flat", "flat-after", NULL);
  g_assert_true (ldb_database_close (database, NULL, &error));
}

static void
test_library_first (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_put_string (database, "library", "1", NULL, &error));
  g_assert_null (lightning_db_create (path, NULL));
  g_assert_cmpint (lightning_db_last_error (), ==, DatabaseLocked);
  g_assert_nonnull (strstr (lightning_db_last_error_message (), path));
  g_assert_nonnull (strstr (lightning_db_last_error_message (), "another library"));
  g_assert_cmpint (lightning_db_destroy (path), ==, DatabaseLocked);
  g_assert_true (ldb_database_put_string (database, "library-after", "1", NULL, &error));
  g_assert_null (lightning_db_open (path, NULL));
  LightningDB *reader = lightning_db_open_with (path, NULL, LightningDBOpenReadOnly);
  g_assert_nonnull (reader);
  g_assert_cmpint (lightning_db_contains (reader, (const uint8_t *) "library-after", 13), ==,
                   Success);
  lightning_db_free (reader);
  g_assert_true (ldb_database_close (database, NULL, &error));
  LightningDB *db = lightning_db_open (path, NULL);
  g_assert_nonnull (db);
  g_assert_cmpint (lightning_db_contains (db, (const uint8_t *) "library-after", 13), ==, Success);
  g_assert_cmpint (lightning_db_close (db), ==, Success);
  g_assert_cmpint (lightning_db_check (path, 1), ==, Success);
}

/* Threads of both try for it all the time; each that has it counts up. */
static gint turns[2];

static gpointer
take_turns (gpointer data)
{
  gint which = GPOINTER_TO_INT (data);
  while (g_atomic_int_get (&turns[0]) < 10 || g_atomic_int_get (&turns[1]) < 10)
    {
      guint64 count = 0;
      if (which == 0)
        {
          g_autoptr (LdbDatabase) database
              = ldb_database_open (path, LDB_OPEN_NONE, NULL, NULL, NULL);
          g_autofree char *text
              = database != NULL ? ldb_database_get_string (database, "count", NULL, NULL) : NULL;
          g_autofree char *next = g_strdup_printf (
              "%" G_GUINT64_FORMAT, (text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0) + 1);
          if (database != NULL && ldb_database_put_string (database, "count", next, NULL, NULL)
              && ldb_database_close (database, NULL, NULL))
            g_atomic_int_inc (&turns[0]);
        }
      else
        {
          LightningDBResult text = { NULL, 0 };
          LightningDB *db = lightning_db_open (path, NULL);
          if (db == NULL)
            g_assert_cmpint (lightning_db_last_error (), ==, DatabaseLocked);
          else
            {
              g_assert_cmpint (lightning_db_get (db, (const uint8_t *) "count", 5, &text), ==,
                               Success);
              g_autofree char *whole = g_strndup ((char *) text.data, text.len);
              count = (whole != NULL ? g_ascii_strtoull (whole, NULL, 10) : 0) + 1; /* it may be first */
              g_autofree char *next = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
              lightning_db_free_result (text.data, text.len);
              g_assert_cmpint (lightning_db_put (db, (const uint8_t *) "count", 5,
                                                 (const uint8_t *) next, strlen (next)),
                               ==, Success);
              g_assert_cmpint (lightning_db_close (db), ==, Success);
              g_atomic_int_inc (&turns[1]);
            }
        }
      g_usleep (500);
    }
  return NULL;
}

static void
test_turns (void)
{
  g_autoptr (GError) error = NULL;
  GThread *threads[] = { g_thread_new ("library", take_turns, GINT_TO_POINTER (0)),
                         g_thread_new ("flat", take_turns, GINT_TO_POINTER (1)) };
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *text = ldb_database_get_string (database, "count", NULL, &error);
  g_assert_cmpuint (g_ascii_strtoull (text, NULL, 10), ==, (guint) (turns[0] + turns[1]));
  g_assert_true (ldb_database_close (database, NULL, &error));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("lightning-one-path-XXXXXX", &error);
  path = g_build_filename (directory, "database", NULL);
  g_test_add_func ("/one-path/flat-first", test_flat_first);
  g_test_add_func ("/one-path/library-first", test_library_first);
  g_test_add_func ("/one-path/turns", test_turns);
  int failed = g_test_run ();
  g_assert_true (ldb_database_destroy (path, NULL, &error));
  g_rmdir (directory);
  return failed;
}
