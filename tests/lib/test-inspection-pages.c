/* SPDX-License-Identifier: MIT */
/*
 * Pages of records that are cut short because their time is over, also where all that was passed is
 * deleted. The clock is this program's own: on the inspection thread each look at it takes longer
 * than a page may, if the test says so.
 */
#include "inspector-client.h"

#include <pthread.h>
#include <time.h>

#define RECORDS 8000u /* of which the first and last 10 are left */
#define LONGEST 65536u

static gboolean hurried; /* the clock is; atomic */

/* In the place of GLib's, for the library. */
__attribute__ ((visibility ("default")))
gint64
g_get_monotonic_time (void)
{
  static _Thread_local gint64 ahead;
  struct timespec now;
  char name[16] = "";
  clock_gettime (CLOCK_MONOTONIC, &now);
  if (g_atomic_int_get (&hurried) && pthread_getname_np (pthread_self (), name, sizeof name) == 0
      && strcmp (name, "ldb-inspect") == 0)
    ahead += G_USEC_PER_SEC / 10;
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + ahead;
}

static LdbDatabase *
open_emptied (Place *place)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = place_open (place, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_autofree char *longest = g_strnfill (LONGEST, 'z');
  for (guint i = 0; i < RECORDS; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      g_assert_true (ldb_batch_put (batch, NULL, key, 5, "v", 1, &error));
      if (i >= 10 && i < RECORDS - 10)
        g_assert_true (ldb_batch_delete (batch, NULL, key, 5, &error));
    }
  g_assert_true (ldb_batch_put (batch, NULL, longest, LONGEST, "v", 1, &error));
  longest[LONGEST - 1] = '~';
  g_assert_true (ldb_batch_put (batch, NULL, longest, LONGEST, "v", 1, &error));
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_no_error (error);
  ldb_database_set_inspectable (db, TRUE);
  return db;
}

static void
test_cut (Place *place, gconstpointer flags)
{
  Client client;
  gboolean more = TRUE, reverse = GPOINTER_TO_UINT (flags) != 0;
  guint count = 0, empty = 0;
  g_autoptr (GVariant) next = g_variant_ref_sink (text_variant (""));
  g_autoptr (LdbDatabase) db = open_emptied (place);
  client_open (&client);
  g_atomic_int_set (&hurried, TRUE);
  while (more)
    {
      g_autoptr (GVariant) records = NULL;
      g_autoptr (GVariant) from = g_steal_pointer (&next);
      g_autoptr (GVariant) open = g_variant_ref_sink (text_variant (""));
      g_autoptr (GVariant) reply = client_call (
          &client, "Read",
          g_variant_new ("(us@ay@ayuuu)", 0, "", reverse ? open : from, reverse ? from : open,
                         GPOINTER_TO_UINT (flags), 100, 100));
      g_variant_get (reply, "(@a(ayayt)b@ay)", &records, &more, &next);
      g_assert_cmpuint (g_variant_n_children (records), <=, 1);
      g_assert_cmpuint (g_variant_get_size (next), <=, LONGEST);
      count += (guint) g_variant_n_children (records);
      empty += g_variant_n_children (records) == 0;
    }
  g_atomic_int_set (&hurried, FALSE);
  g_assert_cmpuint (count, ==, 22);
  g_assert_cmpuint (empty, >=, 4);
  client_close (&client);
}

#ifndef __SANITIZE_THREAD__ /* GDBusConnection's thread is GIO's, which is not built for it */
static void
assert_all (LdbInspector *inspector, LdbScanFlags flags)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) records = ldb_inspector_read (inspector, 0, NULL, NULL, 0, NULL, 0, flags,
                                                      100, 100, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (records->len, ==, 22);
  for (guint i = 1; i < records->len; i++)
    {
      gint order = g_bytes_compare (ldb_record_get_key (g_ptr_array_index (records, i - 1)),
                                    ldb_record_get_key (g_ptr_array_index (records, i)));
      g_assert_true (flags == LDB_SCAN_REVERSE ? order > 0 : order < 0);
    }
}

/* Who asks through the library gets them in one. */
static void
test_inspector (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_emptied (place);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  LdbRunningDatabase *running = ldb_running_list_find (list, place->path);
  g_assert_nonnull (running);
  g_autoptr (LdbInspector) inspector = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
  g_atomic_int_set (&hurried, TRUE);
  assert_all (inspector, LDB_SCAN_NONE);
  assert_all (inspector, LDB_SCAN_REVERSE);
  g_atomic_int_set (&hurried, FALSE);
  ldb_inspector_close (inspector);
}
#endif

int
main (int argc, char **argv)
{
  g_autofree char *runtime = runtime_directory_make ();
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/inspection-pages/cut/forward", Place, GUINT_TO_POINTER (0), place_set_up, test_cut,
              place_tear_down);
  g_test_add ("/inspection-pages/cut/reverse", Place, GUINT_TO_POINTER (1), place_set_up, test_cut,
              place_tear_down);
#ifndef __SANITIZE_THREAD__
  add_test ("/inspection-pages/inspector", test_inspector);
#endif
  int status = g_test_run ();
  ldb_test_remove (runtime);
  return status;
}
