/* SPDX-License-Identifier: MIT */
/*
 * How fast each kind of work is, in this language on this machine: final_benchmark DIRECTORY
 *
 * What was done goes to the standard output, how fast it was to the standard error.
 */
#include <lightning-db.h>

#define RECORDS 10000
#define RECORDS_A_BATCH 100
#define STEP 7919 /* a prime: by steps of it each record is met once, out of order */

static char value[101]; /* of each record */

static char *
key (const char *prefix, guint number)
{
  return g_strdup_printf ("%s:%05u", prefix, number);
}

static gboolean
put_single (LdbDatabase *db, GError **error)
{
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autofree char *its = key ("single", i);
      if (!ldb_database_put_string (db, its, value, NULL, error))
        return FALSE;
    }
  g_print ("%u put one by one\n", RECORDS);
  return TRUE;
}

static gboolean
put_in_batches (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autofree char *its = key ("batch", i);
      if (!ldb_batch_put_string (batch, NULL, its, value, error))
        return FALSE;
      if ((i + 1) % RECORDS_A_BATCH != 0)
        continue;
      if (!ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, error))
        return FALSE;
      ldb_batch_clear (batch);
    }
  g_print ("%u put in batches of %u\n", RECORDS, RECORDS_A_BATCH);
  return TRUE;
}

static gboolean
get (LdbDatabase *db, GError **error)
{
  guint found = 0;
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autofree char *its = key ("single", i * STEP % RECORDS);
      g_autofree char *text = ldb_database_get_string (db, its, NULL, error);
      if (text == NULL)
        return FALSE;
      found += g_str_equal (text, value);
    }
  g_print ("%u got, out of order\n", found);
  return TRUE;
}

static gboolean
scan (LdbDatabase *db, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  guint found = 0;
  if (cursor == NULL)
    return FALSE;
  const guint8 *its, *bytes;
  gsize its_length, length;
  while (ldb_cursor_peek_next (cursor, &its, &its_length, &bytes, &length, &failed))
    found += bytes != NULL && length == strlen (value) && memcmp (bytes, value, length) == 0;
  g_print ("%u scanned\n", found);
  return failed == NULL || (g_propagate_error (error, g_steal_pointer (&failed)), FALSE);
}

static gboolean
delete_single (LdbDatabase *db, GError **error)
{
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autofree char *its = key ("single", i);
      if (!ldb_database_delete_string (db, its, NULL, error))
        return FALSE;
    }
  g_print ("%u deleted one by one\n", RECORDS);
  return TRUE;
}

static gboolean
measure (LdbDatabase *db, const char *name, guint count,
         gboolean (*work) (LdbDatabase *, GError **), GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  if (!work (db, error))
    return FALSE;
  double seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  g_printerr ("%-8s %10.0f a second\n", name, count / seconds);
  return TRUE;
}

static gboolean
use (LdbDatabase *db, GError **error)
{
  memset (value, 'v', sizeof value - 1);
  return measure (db, "put", RECORDS, put_single, error)
         && measure (db, "batch", RECORDS, put_in_batches, error)
         && measure (db, "get", RECORDS, get, error)
         && measure (db, "scan", 2 * RECORDS, scan, error)
         && measure (db, "delete", RECORDS, delete_single, error)
         && ldb_database_close (db, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argc > 1 ? argv[1] : ".", "benchmark.db", NULL);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  if (db == NULL || !use (db, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  return 0;
}
