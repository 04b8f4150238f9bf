/* SPDX-License-Identifier: MIT */
#include "own-load.h"

#define KEYS_MAX 100000u     /* that are read */
#define SAMPLING 16u         /* of how many operations one is timed */
#define DURATION_MAX 86400.0 /* seconds */

void
own_load_clear (struct own_load *self)
{
  g_clear_object (&self->database);
  g_clear_pointer (&self->keys, g_ptr_array_unref);
}

static gboolean
gather_keys (struct own_load *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (self->database, NULL, 0, LDB_SCAN_KEYS_ONLY, error);
  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (cursor == NULL)
    return FALSE;
  while (self->keys->len < KEYS_MAX && ldb_cursor_next (cursor, NULL, &failure))
    g_ptr_array_add (self->keys, ldb_cursor_get_key (cursor));
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
own_load_open (struct own_load *self, const char *path, GError **error)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_sampling_interval (options, SAMPLING);
  self->database = ldb_database_open (path, LDB_OPEN_READ_ONLY, options, NULL, error);
  return self->database != NULL && gather_keys (self, error);
}

gboolean
own_load_run (struct own_load *self, gint64 until, GError **error)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GError *failure = NULL;
  do
    for (guint i = 0; i < 100 && self->keys->len > 0 && failure == NULL; i++)
      {
        gint32 which = g_rand_int_range (random, 0, (gint32) self->keys->len);
        GBytes *key = g_ptr_array_index (self->keys, (guint) which);
        gsize size;
        gconstpointer data = g_bytes_get_data (key, &size);
        g_autoptr (GBytes) value = ldb_database_get (self->database, data, size, NULL, &failure);
      }
  while (self->keys->len > 0 && failure == NULL && g_get_monotonic_time () < until
         && !command_is_interrupted ());
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
own_load_check_duration (double seconds, GError **error)
{
  if (seconds > 0 && seconds <= DURATION_MAX)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("--duration is a number of seconds, up to a day"));
  return FALSE;
}
