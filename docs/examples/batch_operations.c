/* SPDX-License-Identifier: MIT */
/* Many records at once: batches, reading many, ranges, bulk loads: batch_operations DIRECTORY */
#include <lightning-db.h>

static guint
count (LdbDatabase *db, const char *prefix, GError **error)
{
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (db, prefix, strlen (prefix), LDB_SCAN_KEYS_ONLY, error);
  guint found = 0;
  while (cursor != NULL && ldb_cursor_next (cursor, NULL, error))
    found++;
  return found;
}

static gboolean
write_many (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  guint64 before = ldb_database_get_sequence (db);
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("item:%04u", i);
      g_autofree char *value = g_strdup_printf ("%u", i);
      if (!ldb_batch_put_string (batch, NULL, key, value, error))
        return FALSE;
    }
  if (!ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, error))
    return FALSE;
  g_print ("%u records in %u commit\n", count (db, "item:", error),
           (guint) (ldb_database_get_sequence (db) - before));
  return TRUE;
}

static gboolean
read_many (LdbDatabase *db, GError **error)
{
  g_autoptr (GBytes) first = g_bytes_new_static ("item:0000", 9);
  g_autoptr (GBytes) middle = g_bytes_new_static ("item:0500", 9);
  g_autoptr (GBytes) none = g_bytes_new_static ("item:none", 9);
  GBytes *keys[] = { first, middle, none };
  g_autoptr (GPtrArray) values = ldb_database_get_many (db, keys, 3, NULL, error);
  if (values == NULL)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      GBytes *value = values->pdata[i];
      if (value != NULL)
        g_print ("%.*s ", (int) g_bytes_get_size (value),
                 (const char *) g_bytes_get_data (value, NULL));
      else
        g_print ("(none)\n");
    }
  return TRUE;
}

/* Records in any order, which appear all at once; faster than writing when there are very many. */
static gboolean
load (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, error);
  if (loader == NULL)
    return FALSE;
  for (guint i = 10000; i-- > 0;)
    {
      g_autofree char *key = g_strdup_printf ("loaded:%05u", i);
      if (!ldb_loader_put (loader, NULL, key, strlen (key), "x", 1, error))
        return FALSE;
    }
  if (!ldb_loader_commit (loader, NULL, error))
    return FALSE;
  g_print ("%u loaded\n", count (db, "loaded:", error));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argc > 1 ? argv[1] : ".", "batch.db", NULL);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  if (db == NULL || !write_many (db, &error) || !read_many (db, &error)
      || !ldb_database_delete_range (db, "item:0500", 9, "item:1000", 9, NULL, &error))
    goto failed;
  g_print ("%u left\n", count (db, "item:", &error));
  if (!load (db, &error) || !ldb_database_close (db, NULL, &error))
    goto failed;
  return 0;

failed:
  g_printerr ("%s\n", error->message);
  return 1;
}
