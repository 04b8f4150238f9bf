/* SPDX-License-Identifier: MIT */
/* LdbListModel: where a key is, while rows come and go. */
#include "list-test.h"

/* A search, and what came of it. */
typedef struct
{
  const char *key; /* looked for once more then, or NULL */
  gint position;   /* found; -2: not begun */
  GError *error;   /* owned */
  gboolean done;   /* position and error are there */
} Found;

static void
keep_found (GObject *source, GAsyncResult *result, gpointer data)
{
  Found *found = data;
  LdbListModel *list = LDB_LIST_MODEL (source);
  found->position = ldb_list_model_find_finish (list, result, &found->error);
  found->done = TRUE;
  if (found->key != NULL && found->error == NULL)
    g_assert_cmpint (found->position, ==,
                     ldb_list_model_find (list, found->key, strlen (found->key), NULL));
}

static Found
find_later (LdbListModel *list, const char *key, GCancellable *cancellable)
{
  Found found = { .key = key };
  ldb_list_model_find_async (list, key, strlen (key), cancellable, keep_found, &found);
  g_assert_false (found.done);
  while (!found.done)
    turn (TRUE);
  return found;
}

static void
find_while_moving (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Found *found = data;
  if (found->position == -2)
    {
      found->position = -1;
      ldb_list_model_find_async (LDB_LIST_MODEL (list), found->key, strlen (found->key), NULL,
                                 keep_found, found);
    }
}

static void
test_find (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, flags);
  settle (list);
  for (guint round = 0; round < 2; round++)
    {
      gint expected = reverse ? 19999 - 12345 : 12345;
      if (round == 1)
        ldb_database_evict_cache (db, 1, NULL);
      Found found = find_later (list, "n00012345", NULL);
      g_assert_no_error (found.error);
      g_assert_cmpint (found.position, ==, expected);
      g_assert_cmpint (find_later (list, "n00012345!", NULL).position, ==, -1);
      g_assert_cmpint (find_later (list, "a", NULL).position, ==, -1);
      g_assert_cmpint (find_later (list, "z", NULL).position, ==, -1);
      g_assert_cmpint (ldb_list_model_find (list, "n00012345", 9, &error), ==, expected);
      g_assert_no_error (error);
    }
  Found wrong = find_later (list, "", NULL);
  g_assert_cmpint (wrong.position, ==, -1);
  assert_ldb_error (wrong.error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  ldb_database_evict_cache (db, 1, NULL);
  Found cancelled = find_later (list, "n00000007", cancellable);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&cancelled.error);

  /* The answer is right when it comes, whatever the list went through meanwhile. */
  for (guint round = 0; round < 20; round++)
    {
      Found found = { .key = "n00010000" };
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_find_async (list, "n00010000", 9, NULL, keep_found, &found);
      put_numbers (db, 30000 + round, 30001 + round, 1);
      g_autofree char *close_by = g_strdup_printf ("n00009999.%u", round);
      put (db, close_by, "");
      settle (list);
      while (!found.done)
        turn (TRUE);
      g_assert_no_error (found.error);
    }

  /* And also when it was asked in the middle of a step. */
  Found found = { "n00015000", -2, NULL, FALSE };
  g_signal_connect (list, "items-changed", G_CALLBACK (find_while_moving), &found);
  ldb_database_evict_cache (db, 1, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u/", 10000 + i * 1000);
      ldb_batch_put_string (batch, NULL, key, "", NULL);
      ldb_batch_put_string (batch, NULL, i % 2 ? "n00014999/" : "n00015000/", "", NULL);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  while (!found.done)
    turn (TRUE);
  g_assert_no_error (found.error);
  g_assert_cmpint (found.position, >=, 0);
  g_assert_cmpint (find_later (list, "n00000007", NULL).position, >=, 0);

  ldb_list_model_close (list);
  g_assert_cmpint (find_later (list, "n00000007", NULL).position, ==, -1);
}

/* A search that is under way when everything is closed ends, too. */
static void
test_find_closed (Place *place, gconstpointer data)
{
  for (guint round = 0; round < 4; round++)
    {
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      put_numbers (db, 0, 2000, 1);
      g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
      LdbListModel *list = list_all (db, LDB_LIST_NONE);
      Found found = { 0 };
      settle (list);
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_find_async (list, "n00000500", 9, NULL, keep_found, &found);
      if (round % 2)
        ldb_list_model_close (list);
      if (round / 2)
        ldb_database_close (db, NULL, NULL);
      g_object_unref (list);
      while (!found.done)
        turn (TRUE);
      if (found.error != NULL)
        assert_ldb_error (found.error, LDB_ERROR_CLOSED, "closed");
      else
        g_assert_cmpint (found.position, ==, round == 0 ? 500 : -1);
      ldb_database_close (db, NULL, NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both_ways ("/list/find", test_find);
  add_test ("/list/find-closed", test_find_closed);
  return g_test_run ();
}
