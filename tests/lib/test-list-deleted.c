/* SPDX-License-Identifier: MIT */
/*
 * Lists over many keys that are deleted, of which no merge has taken anything away yet: counting is
 * ended where its time is over, though it has found nothing, and goes on from there, while keys come
 * and go before and behind that place. The clock is this program's own: each look at it takes longer
 * than counting may, if the test says so.
 */
#include "list-test.h"

#include <time.h>

#define RECORDS 12000u /* of which the first and last 10 are left */

static gboolean hurried; /* the clock is; atomic */

/* In the place of GLib's, for the library. */
__attribute__ ((visibility ("default"))) gint64
g_get_monotonic_time (void)
{
  static _Thread_local guint looks;
  struct timespec now;
  gint64 ahead = 0;
  clock_gettime (CLOCK_MONOTONIC, &now);
  if (g_atomic_int_get (&hurried)) /* never so far that what waits for a time would wait long */
    ahead = looks++ % 16 * (G_USEC_PER_SEC / 100);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + ahead;
}

static void
write_all (LdbDatabase *db, guint from, guint to, gboolean deletes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = from; i < to; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      if (deletes)
        ldb_batch_delete_string (batch, NULL, key, &error);
      else
        ldb_batch_put_string (batch, NULL, key, "v", &error);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
}

/* The snapshot still has what was deleted, so merges leave that where it is. */
static LdbDatabase *
open_emptied (Place *place, LdbSnapshot **before)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = place_open (place, NULL);
  write_all (db, 0, RECORDS, FALSE);
  *before = ldb_database_create_snapshot (db, &error);
  g_assert_no_error (error);
  write_all (db, 10, RECORDS - 10, TRUE);
  return db;
}

/* Puts a key somewhere, or takes one away. */
static void
disturb (LdbDatabase *db, GRand *random)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key
      = g_strdup_printf ("%05u", (guint) g_rand_int_range (random, 0, (gint) RECORDS));
  if (g_rand_boolean (random))
    put (db, key, "new");
  else
    ldb_database_delete_string (db, key, NULL, &error);
  g_assert_no_error (error);
}

static void
test_deleted (Place *place, gconstpointer flags)
{
  g_autoptr (LdbSnapshot) before = NULL;
  g_autoptr (LdbDatabase) db = open_emptied (place, &before);
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  for (guint round = 0; round < 8; round++)
    {
      guint turns = 0;
      g_atomic_int_set (&hurried, TRUE);
      g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_BLOCKING | GPOINTER_TO_UINT (flags));
      g_autoptr (ListValidator) validator
          = list_validator_new (G_LIST_MODEL (list), GPOINTER_TO_UINT (flags) != 0, 0);
      g_assert_true (ldb_list_model_get_pending (list));
      g_assert_cmpuint (count (list), <, 1000);
      for (; ldb_list_model_get_pending (list) && turns < 200; turns++)
        {
          disturb (db, random);
          turn (TRUE);
        }
      settle (list);
      g_atomic_int_set (&hurried, FALSE);
      list_validator_check (validator);
      assert_equals_database (list);
      g_assert_cmpuint (turns, >, 0);
      ldb_list_model_close (list);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/list-deleted/forward", Place, GUINT_TO_POINTER (LDB_LIST_NONE), place_set_up,
              test_deleted, place_tear_down);
  g_test_add ("/list-deleted/reverse", Place, GUINT_TO_POINTER (LDB_LIST_REVERSE), place_set_up,
              test_deleted, place_tear_down);
  return g_test_run ();
}
