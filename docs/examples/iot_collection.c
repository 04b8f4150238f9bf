/* SPDX-License-Identifier: MIT */
/*
 * Measurements of many sensors: iot_collection DIRECTORY
 *
 * A key is the sensor's number and the time, both big-endian, so that one sensor's measurements lie
 * together in the order of time. They arrive in batches, are read by ranges, and old ones are
 * deleted by ranges, whatever their number.
 */
#include <lightning-db.h>

#define KEY_SIZE 12

static void
make_key (guint8 key[KEY_SIZE], guint32 sensor, guint64 time)
{
  guint32 sensor_bytes = GUINT32_TO_BE (sensor);
  guint64 time_bytes = GUINT64_TO_BE (time);
  memcpy (key, &sensor_bytes, 4);
  memcpy (key + 4, &time_bytes, 8);
}

/* One batch for each second; what is lost in a crash is at most the last second. */
static gboolean
collect (LdbDatabase *db, guint32 sensors, guint64 from, guint64 to, GError **error)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint64 time = from; time < to; time++)
    {
      ldb_batch_clear (batch);
      for (guint32 sensor = 0; sensor < sensors; sensor++)
        {
          guint8 key[KEY_SIZE];
          double value = (double) sensor + (double) (time % 10) / 10;
          make_key (key, sensor, time);
          if (!ldb_batch_put (batch, NULL, key, KEY_SIZE, &value, sizeof value, error))
            return FALSE;
        }
      if (!ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, error))
        return FALSE;
    }
  return TRUE;
}

/* The mean of a sensor's measurements in [from, to). */
static gboolean
average (LdbDatabase *db, guint32 sensor, guint64 from, guint64 to, GError **error)
{
  guint8 start[KEY_SIZE], end[KEY_SIZE];
  make_key (start, sensor, from);
  make_key (end, sensor, to);
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan (db, start, KEY_SIZE, end, KEY_SIZE, LDB_SCAN_NONE, error);
  if (cursor == NULL)
    return FALSE;
  double sum = 0;
  guint count = 0;
  while (ldb_cursor_next (cursor, NULL, error))
    {
      gsize length;
      const guint8 *bytes = ldb_cursor_peek_value (cursor, &length, error);
      double value;
      g_return_val_if_fail (length == sizeof value, FALSE);
      memcpy (&value, bytes, sizeof value);
      sum += value;
      count++;
    }
  if (count == 0)
    g_print ("sensor %u: nothing\n", sensor);
  else
    g_print ("sensor %u: %u measurements, mean %.2f\n", sensor, count, sum / count);
  return TRUE;
}

/* Forgets what a sensor measured before a time. */
static gboolean
forget (LdbDatabase *db, guint32 sensor, guint64 before, GError **error)
{
  guint8 start[KEY_SIZE], end[KEY_SIZE];
  make_key (start, sensor, 0);
  make_key (end, sensor, before);
  return ldb_database_delete_range (db, start, KEY_SIZE, end, KEY_SIZE, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argc > 1 ? argv[1] : ".", "sensors.db", NULL);
  g_autoptr (LdbOptions) options = ldb_options_new_for_profile (LDB_PROFILE_LOW_MEMORY);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error);
  if (db == NULL || !collect (db, 20, 1000, 1600, &error) || !average (db, 7, 1100, 1160, &error)
      || !forget (db, 7, 1150, &error) || !average (db, 7, 1100, 1160, &error)
      || !average (db, 8, 1100, 1160, &error) || !average (db, 99, 0, 2000, &error)
      || !ldb_database_close (db, NULL, &error))
    {
      g_printerr ("%s\n", error != NULL ? error->message : "a measurement is damaged");
      return 1;
    }
  return 0;
}
