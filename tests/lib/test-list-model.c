/* SPDX-License-Identifier: MIT */
/* LdbListModel: making lists, counting, rows that are not in memory, large values. */
#include "list-test.h"

/* ---- making ---- */

static void
test_new (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put (db, "a:1", "one");
  put (db, "b:1", "two");
  put (db, "b:2", "three");
  put (db, "c:1", "four");
  g_autoptr (LdbListModel) all = list_all (db, LDB_LIST_NONE);
  g_assert_false (ldb_list_model_get_pending (all));
  g_assert_cmpuint (count (all), ==, 4);
  g_assert_cmpuint (g_list_model_get_item_type (G_LIST_MODEL (all)), ==, LDB_TYPE_ENTRY);
  g_assert_true (ldb_list_model_get_database (all) == db);
  g_assert_null (ldb_list_model_get_store (all));
  g_assert_cmpuint (ldb_list_model_get_sequence (all), ==, 4);
  g_assert_null (ldb_list_model_get_error (all));
  g_assert_false (ldb_list_model_is_closed (all));
  assert_row (all, 0, "a:1", "one");
  assert_row (all, 3, "c:1", "four");
  g_assert_null (entry_at (all, 4));

  g_autoptr (LdbListModel) prefix
      = ldb_list_model_new_prefix (db, NULL, "b:", 2, LDB_LIST_REVERSE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (prefix), ==, 2);
  assert_row (prefix, 0, "b:2", "three");
  assert_row (prefix, 1, "b:1", "two");

  g_autoptr (LdbListModel) range
      = ldb_list_model_new (db, NULL, "a:2", 3, "b:2", 3, LDB_LIST_NONE, G_TYPE_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (range), ==, 1);
  assert_row (range, 0, "b:1", "two");

  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbListModel) empty
      = ldb_list_model_new (db, store, SCAN_ALL, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_list_model_get_store (empty) == store);
  g_assert_cmpuint (count (empty), ==, 0);
  g_assert_null (entry_at (empty, 0));
}

/* A row keeps its object for as long as somebody holds it. */
static void
test_identity (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 2000, 2);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  settle (list);
  g_autoptr (LdbEntry) held = entry_at (list, 500);
  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < 1000; i++)
      {
        g_autoptr (LdbEntry) entry = entry_at (list, i);
        g_assert_true ((entry == held) == (i == 500));
      }
  put_numbers (db, 1, 2001, 2);
  settle (list);
  g_autoptr (LdbEntry) moved = entry_at (list, 1000);
  g_assert_true (moved == held);
}

/* What is read right after a step is of the new state, also when only values are different. */
static void
test_fresh (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 10, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  ldb_list_model_set_batch_interval (list, 0);
  for (guint round = 0; round < 100; round++)
    {
      g_autofree char *value = g_strdup_printf ("round %u", round);
      put (db, "n00000003", value);
      settle (list);
      assert_row (list, 3, "n00000003", value);
    }
}

static void
test_bad_input (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *other_path = g_build_filename (place->directory, "other", NULL);
  g_autoptr (LdbDatabase) other
      = ldb_database_open (other_path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_autoptr (LdbStore) store = ldb_database_open_store (other, "s", LDB_OPEN_CREATE, NULL, &error);
  g_assert_null (ldb_list_model_new (db, NULL, "b", 1, "a", 1, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_assert_null (ldb_list_model_new (db, store, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "belongs to");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_STRING, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "gchararray", "no class");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_OBJECT, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "GObject", "key");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_LIST_MODEL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "GListModel");
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  g_assert_cmpint (ldb_list_model_find (list, "", 0, &error), ==, -1);
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  ldb_database_close (db, NULL, NULL);
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  /* A binding can make one by its type alone. */
  g_autoptr (LdbListModel) bare = g_object_new (LDB_TYPE_LIST_MODEL, NULL);
  g_assert_cmpuint (count (bare), ==, 0);
  g_assert_null (entry_at (bare, 0));
  ldb_list_model_set_max_items (bare, 0);
  g_assert_cmpuint (ldb_list_model_get_max_items (bare), ==, 1);
  g_assert_null (ldb_list_model_create_snapshot (bare, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_cmpint (ldb_list_model_find (bare, "a", 1, &error), ==, -1);
  g_assert_no_error (error);
  ldb_list_model_close (bare);
  g_assert_true (ldb_list_model_is_closed (bare));
}

/* ---- counting ---- */

/* More rows only ever come at the end. */
static void
only_appended (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  guint *rows = data;
  g_assert_cmpuint (position, ==, *rows);
  g_assert_cmpuint (removed, ==, 0);
  *rows += added;
}

static void
test_fill (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 150000, 1);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, flags);
  g_assert_true (ldb_list_model_get_pending (list));
  guint rows = count (list);
  g_assert_cmpuint (rows, <, 150000);
  g_signal_connect (list, "items-changed", G_CALLBACK (only_appended), &rows);
  settle (list);
  g_assert_cmpuint (rows, ==, 150000);
  g_assert_cmpuint (count (list), ==, 150000);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  assert_row (list, reverse ? 149999 : 0, "n00000000", "value of 0");
  assert_row (list, reverse ? 0 : 149999, "n00149999", "value of 149999");
  assert_row (list, reverse ? 49999 : 100000, "n00100000", "value of 100000");
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

/* What is written while the rows are still being counted is told once, in its place. */
static void
test_write_while_filling (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 60000, 2);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, flags | LDB_LIST_BLOCKING);
  ListValidator *validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  guint steps = 0;
  for (; ldb_list_model_get_pending (list) || steps < 50; steps++)
    {
      guint key = (guint) g_rand_int_range (random, 0, 60000);
      put_numbers (db, key, key + 1, 1);
      turn (FALSE);
    }
  put (db, "n", "last");
  Watched watched = { db, list, validator };
  watched_check (&watched);
  watched_clear (&watched);
}

static void
test_max_items (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_REVERSE | LDB_LIST_BLOCKING);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), TRUE, LIST_VALIDATOR_SOME);
  ldb_list_model_set_max_items (list, 10);
  g_assert_false (ldb_list_model_get_pending (list));
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 9, "n00019990", "value of 19990");
  put (db, "z", "newest");
  settle (list);
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 0, "z", "newest");
  assert_row (list, 9, "n00019991", "value of 19991");
  g_assert_cmpint (ldb_list_model_find (list, "n00019990", 9, NULL), ==, -1);
  /* What is far behind is let go of, and counted anew when it comes into sight. */
  g_assert_true (ldb_database_delete_range (db, "n00000500", 9, "z", 1, NULL, NULL));
  settle (list);
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 9, "n00000491", "value of 491");
  ldb_list_model_set_max_items (list, LDB_LIST_MAX_ITEMS);
  settle (list);
  g_assert_cmpuint (count (list), ==, 501);
  put_numbers (db, 500, 9000, 1);
  settle (list);
  ldb_list_model_set_max_items (list, 100);
  settle (list);
  ldb_list_model_set_max_items (list, 7000);
  settle (list);
  g_assert_cmpuint (count (list), ==, 7000);
  list_validator_check (validator);
  assert_equals_database (list);
}

/* The longest keys there can be: nothing fits behind one of them but the next one. */
static void
test_long_keys (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *key = g_malloc (65536);
  memset (key, 0xff, 65536);
  for (guint i = 0; i < 256; i++)
    {
      key[65535] = (char) i;
      ldb_database_put (db, key, 65536, "x", 1, NULL, &error);
      g_assert_no_error (error);
    }
  g_autoptr (LdbListModel) list = list_all (db, flags | LDB_LIST_BLOCKING);
  settle (list);
  g_assert_cmpuint (count (list), ==, 256);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0, 0);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 3; i < 256; i += 4)
    {
      key[65535] = (char) i;
      ldb_batch_delete (batch, NULL, key, 65536, &error);
    }
  ldb_batch_delete_range (batch, NULL, key, 65535, key, 65536, &error);
  g_assert_no_error (error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  settle (list);
  list_validator_check (validator);
  assert_equals_database (list);
  g_assert_null (ldb_list_model_get_error (list));
}

/* ---- rows that are not in memory ---- */

static void
test_cold (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  settle (list);
  g_autoptr (LdbListModel) blocking = list_all (db, LDB_LIST_BLOCKING);
  settle (blocking);
  ldb_database_evict_cache (db, 1, NULL);
  LdbEntry *rows[20];
  guint notified = 0;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      rows[i] = entry_at (list, i * 1000 + 7);
      g_assert_false (ldb_entry_get_loaded (rows[i]));
      g_assert_null (ldb_entry_get_value (rows[i]));
      g_signal_connect (rows[i], "notify::loaded", G_CALLBACK (count_notify), &notified);
    }
  /* One of them moves before it is there, and another one's value is not what it was. */
  put (db, "n00003000a", "more");
  put (db, "n00005007", "new");
  settle (list);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i * 1000 + 7);
      wait_loaded (rows[i]);
      assert_bytes (ldb_entry_get_key (rows[i]), key);
      g_autoptr (LdbEntry) same = entry_at (list, i * 1000 + 7 + (i > 3 || i == 3));
      g_assert_true (same == rows[i]);
    }
  g_assert_cmpuint (notified, ==, G_N_ELEMENTS (rows));
  g_autofree char *text = ldb_entry_dup_text (rows[5]);
  g_assert_cmpstr (text, ==, "new");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_object_unref (rows[i]);
  g_assert_null (ldb_list_model_get_error (list));

  ldb_database_evict_cache (db, 1, NULL);
  g_autoptr (LdbEntry) at_once = entry_at (blocking, 12345);
  g_assert_true (ldb_entry_get_loaded (at_once));
}

/* Where a list ends that has not counted everything: the bucket there begins at the edge. */
static void
test_cold_edge (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, flags);
  settle (list);
  for (guint round = 0; round < 10; round++)
    {
      ldb_list_model_set_max_items (list, 10);
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_set_max_items (list, 1000000);
      /* Counting goes on and reads the same page: who comes first differs. */
      guint rows = count (list);
      g_assert_cmpuint (rows, >, 1000);
      g_assert_cmpuint (rows, <, 2000);
      guint number = (flags & LDB_LIST_REVERSE) != 0 ? 20000 - rows : rows - 1;
      g_autofree char *key = g_strdup_printf ("n%08u", number);
      g_autofree char *value = g_strdup_printf ("value of %u", number);
      assert_row (list, rows - 1, key, value);
      settle (list);
    }
  assert_equals_database (list);
}

/* ---- large values ---- */

/* A large value is read when it is wanted, and again when it has changed. */
static void
test_large (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree guint8 *large = g_malloc0 (1 << 20);
  g_assert_true (ldb_database_put (db, "a", 1, large, 1 << 20, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  g_autoptr (LdbEntry) entry = entry_at (list, 0);
  g_assert_false (ldb_entry_get_loaded (entry));
  assert_bytes (ldb_entry_get_key (entry), "a");
  wait_loaded (entry);
  g_assert_cmpuint (g_bytes_get_size (ldb_entry_get_value (entry)), ==, 1 << 20);
  g_assert_true (ldb_database_put (db, "a", 1, large, 1 << 19, NULL, NULL));
  while (g_bytes_get_size (ldb_entry_get_value (entry)) != 1 << 19)
    turn (TRUE);
  g_assert_true (ldb_entry_get_loaded (entry));

  g_autoptr (LdbListModel) keys = list_all (db, LDB_LIST_KEYS_ONLY);
  g_autoptr (LdbEntry) key = entry_at (keys, 0);
  assert_bytes (ldb_entry_get_key (key), "a");
  g_assert_false (ldb_entry_get_loaded (key));
  g_assert_null (ldb_entry_get_value (key));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/list/new", test_new);
  add_test ("/list/identity", test_identity);
  add_test ("/list/fresh", test_fresh);
  add_test ("/list/bad-input", test_bad_input);
  add_both_ways ("/list/fill", test_fill);
  add_both_ways ("/list/write-while-filling", test_write_while_filling);
  add_test ("/list/max-items", test_max_items);
  add_test ("/list/cold", test_cold);
  add_both_ways ("/list/cold-edge", test_cold_edge);
  add_both_ways ("/list/long-keys", test_long_keys);
  add_test ("/list/large", test_large);
  return g_test_run ();
}
