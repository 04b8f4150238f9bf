/* SPDX-License-Identifier: MIT */
/* LdbListModel: what handlers may do while they are told. */
#include "list-test.h"

typedef struct
{
  LdbDatabase *db;
  guint left;    /* times to do it */
  gboolean busy; /* in the handler */
} Meddler;

static void
write_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy);
  meddler->busy = TRUE;
  if (meddler->left > 0)
    {
      g_autofree char *key = g_strdup_printf ("from handler %u", meddler->left--);
      put (meddler->db, key, "x");
    }
  meddler->busy = FALSE;
}

static void
test_write_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 10, LDB_LIST_NONE);
  Meddler meddler = { watched.db, 20, FALSE };
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (write_in_handler), &meddler);
  put (watched.db, "a", "x");
  while (meddler.left > 0)
    turn (TRUE);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 31);
  watched_clear (&watched);
}

static void
iterate_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy); /* not entered again, whatever the loop brings */
  meddler->busy = TRUE;
  if (meddler->left > 0)
    {
      meddler->left--;
      put (meddler->db, "while handling", meddler->left % 2 != 0 ? "x" : "y");
      gint64 until = g_get_monotonic_time () + 20000;
      while (g_get_monotonic_time () < until)
        turn (FALSE);
    }
  meddler->busy = FALSE;
}

static void
test_loop_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 2000, LDB_LIST_NONE);
  Meddler meddler = { watched.db, 6, FALSE };
  ldb_database_evict_cache (watched.db, 1, NULL);
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (iterate_in_handler), &meddler);
  for (guint i = 0; i < 6; i++)
    {
      put_numbers (watched.db, 100000 + i, 500000 + i, 50000);
      while (meddler.left > 5 - i)
        turn (TRUE);
    }
  watched_check (&watched);
  watched_clear (&watched);
}

static void
close_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  if (ldb_list_model_is_closed (LDB_LIST_MODEL (list)))
    g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
  else
    ldb_list_model_close (LDB_LIST_MODEL (list));
}

static void
test_close_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 100, LDB_LIST_NONE);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (close_in_handler), NULL);
  ldb_batch_put_string (batch, NULL, "a", "", NULL);
  ldb_batch_put_string (batch, NULL, "z", "", NULL);
  ldb_batch_delete_string (batch, NULL, "n00000050", NULL);
  ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  while (!ldb_list_model_is_closed (watched.list))
    turn (TRUE);
  g_assert_cmpuint (count (watched.list), ==, 0);
  list_validator_check (watched.validator);
  watched_clear (&watched);
}

/* All handlers of a signal are told of it before the list ends, in whatever order they were
 * connected. */
static void
test_close_first (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  put_numbers (db, 0, 100, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_BLOCKING);
  settle (list);
  g_signal_connect (list, "items-changed", G_CALLBACK (close_in_handler), NULL);
  g_autoptr (ListValidator) validator = list_validator_new (G_LIST_MODEL (list), FALSE, 0);
  ldb_batch_put_string (batch, NULL, "a", "", NULL);
  ldb_batch_put_string (batch, NULL, "z", "", NULL);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  while (!ldb_list_model_is_closed (list))
    turn (TRUE);
  g_autoptr (GArray) signals = list_validator_take_signals (validator);
  g_assert_cmpuint (signals->len, ==, 2);
  g_assert_cmpuint (count (list), ==, 0);
}

static void
limit_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  guint rows = g_list_model_get_n_items (list);
  if (rows > 10)
    ldb_list_model_set_max_items (LDB_LIST_MODEL (list), rows / 2);
}

/* So they are when one of them wants fewer rows, while they come in and while they are counted. */
static void
test_limit_first (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 60000, 1);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, LDB_LIST_BLOCKING);
  g_signal_connect (list, "items-changed", G_CALLBACK (limit_in_handler), NULL);
  ListValidator *validator = list_validator_new (G_LIST_MODEL (list), FALSE, LIST_VALIDATOR_SOME);
  put (db, "a", "");
  settle (list);
  g_assert_cmpuint (count (list), <=, 10);
  list_validator_check (validator);
  list_validator_free (validator);
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

static void
loop_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy);
  meddler->busy = TRUE;
  put_numbers (meddler->db, meddler->left, meddler->left + 1, 1);
  meddler->left += 500;
  gint64 until = g_get_monotonic_time () + 3000;
  while (g_get_monotonic_time () < until)
    turn (FALSE);
  meddler->busy = FALSE;
}

/* A handler that runs the loop while rows are being counted is not entered again either. */
static void
test_loop_while_filling (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 200000, 2);
  db = reopen_cold (place, db);
  Meddler meddler = { db, 1, FALSE };
  LdbListModel *list = list_all (db, LDB_LIST_BLOCKING);
  g_signal_connect (list, "items-changed", G_CALLBACK (loop_in_handler), &meddler);
  ListValidator *validator = list_validator_new (G_LIST_MODEL (list), FALSE, LIST_VALIDATOR_SOME);
  while (ldb_list_model_get_pending (list))
    turn (TRUE);
  g_signal_handlers_disconnect_by_func (list, loop_in_handler, &meddler);
  put (db, "a", "");
  settle (list);
  g_assert_cmpuint (meddler.left, >, 501);
  Watched watched = { db, list, validator };
  watched_check (&watched);
  watched_clear (&watched);
}

static void
drop_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  LdbListModel **dropped = data;
  g_clear_object (dropped);
}

static void
test_drop_in_handler (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 100, 1);
  LdbListModel *list = list_all (db, LDB_LIST_NONE);
  gpointer weak = list;
  g_object_add_weak_pointer (G_OBJECT (list), &weak);
  g_signal_connect (list, "items-changed", G_CALLBACK (drop_in_handler), &list);
  put (db, "a", "");
  while (weak != NULL)
    turn (TRUE);
  g_assert_null (list);
}

static void
shrink_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  ldb_list_model_set_max_items (LDB_LIST_MODEL (list), 20);
}

static void
test_shrink_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 9000, LDB_LIST_NONE);
  put (watched.db, "b", "");
  settle (watched.list);
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (shrink_in_handler), NULL);
  put (watched.db, "a", "");
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 20);
  watched_clear (&watched);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/list/handler/write", test_write_in_handler);
  add_test ("/list/handler/loop", test_loop_in_handler);
  add_test ("/list/handler/close", test_close_in_handler);
  add_test ("/list/handler/close-first", test_close_first);
  add_test ("/list/handler/limit-first", test_limit_first);
  add_test ("/list/handler/loop-filling", test_loop_while_filling);
  add_test ("/list/handler/drop", test_drop_in_handler);
  add_test ("/list/handler/shrink", test_shrink_in_handler);
  return g_test_run ();
}
