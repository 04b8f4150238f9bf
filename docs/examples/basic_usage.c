/* SPDX-License-Identifier: MIT */
/* Opening, writing, reading, scanning, deleting: basic_usage DIRECTORY */
#include <lightning-db.h>

static gboolean
use (const char *path, GError **error)
{
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, error);
  if (db == NULL || !ldb_database_put_string (db, "greeting", "hello", NULL, error))
    return FALSE;

  /* What is not there is no error. */
  g_autofree char *greeting = ldb_database_get_string (db, "greeting", NULL, error);
  g_autoptr (GBytes) missing = ldb_database_get (db, "missing", 7, NULL, error);
  g_print ("greeting: %s\n", greeting);
  g_print ("missing: %s\n", missing != NULL ? "?" : "(none)");

  if (!ldb_database_put_string (db, "user:1", "Ada", NULL, error)
      || !ldb_database_put_string (db, "user:2", "Bo", NULL, error)
      || !ldb_database_put_string (db, "user:3", "Cy", NULL, error))
    return FALSE;

  /* Keys are ordered, so those with a common beginning lie together. */
  g_autoptr (LdbCursor) users = ldb_database_scan_prefix (db, "user:", 5, LDB_SCAN_NONE, error);
  if (users == NULL)
    return FALSE;
  const guint8 *key, *value;
  gsize key_length, value_length;
  while (ldb_cursor_peek_next (users, &key, &key_length, &value, &value_length, error))
    g_print ("%.*s %.*s\n", (int) key_length, (const char *) key, (int) value_length,
             (const char *) value);

  /* Backwards, and only the first. */
  g_autoptr (LdbCursor) last = ldb_database_scan_prefix (db, "user:", 5, LDB_SCAN_REVERSE, error);
  if (last == NULL || !ldb_cursor_next (last, NULL, error))
    return FALSE;
  g_autoptr (GBytes) last_key = ldb_cursor_get_key (last);
  g_print ("last user: %.*s\n", (int) g_bytes_get_size (last_key),
           (const char *) g_bytes_get_data (last_key, NULL));

  if (!ldb_database_delete_string (db, "user:2", NULL, error))
    return FALSE;
  guint count = 0;
  g_autoptr (LdbCursor) left = ldb_database_scan_prefix (db, "user:", 5, LDB_SCAN_KEYS_ONLY, error);
  while (left != NULL && ldb_cursor_next (left, NULL, error))
    count++;
  g_print ("after deleting user:2: %u users\n", count);
  return ldb_database_close (db, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argc > 1 ? argv[1] : ".", "basic.db", NULL);
  if (!use (path, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  return 0;
}
