/* SPDX-License-Identifier: MIT */
/* A C program that uses the installed library. */
#include <glib/gstdio.h>
#include <lightning-db.h>

#include <stdio.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("lightning-consumer-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "notes.db", NULL);
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  if (database == NULL || !ldb_database_put_string (database, "user:1", "Ada", NULL, &error)
      || !ldb_database_put_string (database, "user:2", "Grace", NULL, &error))
    g_error ("%s", error->message);

  unsigned count = 0;
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (database, "user:", 5, LDB_SCAN_NONE, &error);
  while (cursor != NULL && ldb_cursor_next (cursor, NULL, &error))
    count++;
  g_assert_no_error (error);
  g_assert_cmpuint (count, ==, 2);
  g_clear_object (&cursor);
  if (!ldb_database_close (database, NULL, &error) || !ldb_database_destroy (path, NULL, &error))
    g_error ("%s", error->message);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  printf ("%u records\n", count);
  return 0;
}
