/* SPDX-License-Identifier: MIT */
/* LdbListModel: every way to end. */
#include "list-test.h"

#include <sys/wait.h>
#include <unistd.h>

static void
test_close (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 100, LDB_LIST_NONE);
  guint notified = 0;
  g_autoptr (LdbEntry) entry = entry_at (watched.list, 5);
  g_signal_connect (watched.list, "notify::closed", G_CALLBACK (count_notify), &notified);
  ldb_list_model_close (watched.list);
  ldb_list_model_close (watched.list);
  g_assert_cmpuint (notified, ==, 1);
  g_assert_cmpuint (count (watched.list), ==, 0);
  g_assert_true (ldb_list_model_is_closed (watched.list));
  g_assert_cmpint (ldb_list_model_find (watched.list, "n00000001", 9, NULL), ==, -1);
  put (watched.db, "a", "");
  for (guint i = 0; i < 20; i++)
    turn (FALSE);
  g_assert_cmpuint (count (watched.list), ==, 0);
  assert_bytes (ldb_entry_get_value (entry), "value of 5");
  watched_clear (&watched);
}

static void
test_close_database (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 1000, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_BLOCKING);
  settle (list);
  G_GNUC_UNUSED g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), FALSE, 0);
  ldb_database_close (db, NULL, NULL);
  /* Until the list is told, its rows are there, with nothing in them. */
  g_autoptr (LdbEntry) entry = entry_at (list, 999);
  g_assert_nonnull (entry);
  while (!ldb_list_model_is_closed (list))
    turn (TRUE);
  g_assert_cmpuint (count (list), ==, 0);
  g_assert_null (ldb_list_model_get_error (list));
}

/* The end is told also when something was under way, which finds the database closed first. */
static void
test_close_database_busy (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 150000, 1);
  db = reopen_cold (place, db);
  for (guint round = 0; round < 6; round++)
    {
      g_autoptr (LdbListModel) list = list_all (db, round % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE);
      g_assert_true (ldb_list_model_get_pending (list));
      if (round / 2 > 0)
        put_numbers (db, 0, 150000, 100);
      if (round / 2 > 1)
        turn (FALSE);
      ldb_database_close (db, NULL, NULL);
      while (!ldb_list_model_is_closed (list))
        turn (TRUE);
      g_assert_cmpuint (count (list), ==, 0);
      g_assert_false (ldb_list_model_get_pending (list));
      g_assert_null (ldb_list_model_get_error (list));
      g_object_unref (db);
      db = place_open (place, NULL);
    }
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

/* In the child of a fork a list refuses, and does no harm. */
static void
test_fork (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put_numbers (db, 0, 1000, 1);
  LdbListModel *list = list_all (db, LDB_LIST_NONE);
  settle (list);
  LdbEntry *entry = entry_at (list, 7);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (30);
      LdbEntry *other = entry_at (list, 8);
      g_assert_false (ldb_entry_get_loaded (other));
      assert_bytes (ldb_entry_get_value (entry), "value of 7");
      g_assert_cmpint (ldb_list_model_find (list, "n00000001", 9, &error), ==, -1);
      assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
      g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
      assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
      g_object_unref (other);
      g_object_unref (entry);
      g_object_unref (list);
      g_object_unref (db);
      _exit (0);
    }
  int state = 0;
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_cmpint (state, ==, 0);
  put (db, "a", "the parent has not noticed");
  settle (list);
  assert_equals_database (list);
  g_object_unref (entry);
  g_object_unref (list);
  ldb_database_close (db, NULL, &error);
  g_object_unref (db);
}

/* Whatever goes first, and whatever is under way. */
static void
test_any_order (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (17);
  LdbDatabase *filled = place_open (place, NULL);
  put_numbers (filled, 0, 30000, 1);
  ldb_database_compact (filled, NULL, NULL, NULL, NULL);
  ldb_database_close (filled, NULL, NULL);
  g_object_unref (filled);
  for (guint round = 0; round < 60; round++)
    {
      LdbDatabase *db = place_open (place, NULL);
      LdbListModel *list = list_all (db, round % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE);
      LdbEntry *entry = entry_at (list, 0);
      for (gint i = g_rand_int_range (random, 0, 8); i > 0; i--)
        {
          put_numbers (db, round, 30000, 5000);
          ldb_database_delete_range (db, "n00020000", 9, "n00020100", 9, NULL, NULL);
          turn (FALSE);
        }
      if (g_rand_boolean (random))
        ldb_list_model_close (list);
      if (g_rand_boolean (random))
        ldb_database_close (db, NULL, NULL);
      if (g_rand_boolean (random))
        g_clear_object (&list);
      g_object_unref (db);
      g_clear_object (&entry);
      g_clear_object (&list);
      while (turn (FALSE))
        ;
    }
  while (turn (FALSE))
    ;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/list/close", test_close);
  add_test ("/list/close-database", test_close_database);
  add_test ("/list/close-database-busy", test_close_database_busy);
  add_test ("/list/fork", test_fork);
  add_test ("/list/any-order", test_any_order);
  return g_test_run ();
}
