/* SPDX-License-Identifier: MIT */
/* LdbListModel: every kind of change, and changes at random from another thread. */
#include "list-test.h"

/* ---- all kinds of change ---- */

static void
assert_one_signal (Watched *watched, guint position, guint removed, guint added)
{
  g_autoptr (GArray) signals = list_validator_take_signals (watched->validator);
  g_assert_cmpuint (signals->len, ==, 1);
  const ListSignal *told = &g_array_index (signals, ListSignal, 0);
  g_assert_cmpuint (told->position, ==, position);
  g_assert_cmpuint (told->removed, ==, removed);
  g_assert_cmpuint (told->added, ==, added);
}

static void
test_ranges (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  Watched watched = watch_list (place, 10000, flags);
  ldb_database_delete_range (watched.db, "n00001000", 9, "n00009000", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, 1000, 8000, 0);
  ldb_database_delete_range (watched.db, "n00000990", 9, "n00000995", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, reverse ? 1005 : 990, 5, 0);
  ldb_database_delete_range (watched.db, NULL, 0, "n00000100", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, reverse ? 1895 : 0, 100, 0);

  /* All goes, and some of it comes again, in one commit. */
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_delete_range (batch, NULL, NULL, 0, NULL, 0, NULL);
  for (guint i = 0; i < 10000; i += 100)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i);
      ldb_batch_put_string (batch, NULL, key, "anew", NULL);
    }
  ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 100);
  ldb_database_delete_range (watched.db, NULL, 0, NULL, 0, NULL, NULL);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 0);
  put_numbers (watched.db, 0, 3000, 1);
  watched_check (&watched);
  watched_clear (&watched);
}

static void
test_load (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 3000, flags);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbEntry) kept = entry_at (watched.list, 1500);
  G_GNUC_UNUSED g_autofree char *text = ldb_entry_dup_text (kept); /* loads the row */
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (watched.db, &error);
  for (guint i = 1000; i < 200000; i += 3)
    {
      char key[16];
      g_snprintf (key, sizeof key, "n%08u", i);
      ldb_loader_put (loader, NULL, key, 9, "loaded", 6, &error);
    }
  g_assert_no_error (error);
  g_assert_true (ldb_loader_commit (loader, NULL, &error));
  watched_check (&watched);
  g_autoptr (LdbEntry) again = NULL;
  gsize size;
  const char *key = g_bytes_get_data (ldb_entry_get_key (kept), &size);
  gint position = ldb_list_model_find (watched.list, key, size, &error);
  g_assert_cmpint (position, >=, 0);
  again = entry_at (watched.list, (guint) position);
  g_assert_true (again == kept);
  watched_clear (&watched);
}

static void
test_drop_store (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      ldb_store_put_string (store, key, "v", NULL, &error);
    }
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, store, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error);
  g_autoptr (LdbEntry) entry = entry_at (list, 3);
  while (ldb_list_model_get_pending (list))
    turn (TRUE);
  g_assert_cmpuint (count (list), ==, 500);
  ldb_database_drop_store (db, "s", NULL, &error);
  g_assert_no_error (error);
  while (count (list) > 0)
    turn (TRUE);
  g_assert_false (ldb_entry_get_exists (entry));
  /* A store of the same name is another one. */
  g_autoptr (LdbStore) anew = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  ldb_store_put_string (anew, "k", "v", NULL, &error);
  for (guint i = 0; i < 10; i++)
    turn (FALSE);
  g_assert_cmpuint (count (list), ==, 0);
}

/* When all that is committed concerns others, the list moves on to a newer state at last, without a
 * signal: what it would hold else is all that was overwritten since. */
static void
test_elsewhere (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 500, GPOINTER_TO_UINT (data));
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) other
      = ldb_database_open_store (watched.db, "other", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbEntry) kept = entry_at (watched.list, 250);
  guint notified = 0;
  g_signal_connect (watched.list, "notify::sequence", G_CALLBACK (count_notify), &notified);
  for (guint round = 1; round <= 2; round++)
    {
      for (guint i = 0; i < 100; i++)
        g_assert_true (ldb_store_put_string (other, "k", i % 2 ? "1" : "2", NULL, &error));
      settle (watched.list);
      g_assert_cmpuint (notified, >=, round);
      g_assert_cmpuint (list_validator_get_n_signals (watched.validator), ==, 0);
      g_autoptr (LdbSnapshot) snapshot = ldb_list_model_create_snapshot (watched.list, &error);
      g_assert_cmpuint (ldb_snapshot_get_sequence (snapshot), ==,
                        ldb_database_get_sequence (watched.db));
      g_autoptr (LdbEntry) again = entry_at (watched.list, 250);
      g_assert_true (again == kept);
      watched_check (&watched);
    }
  /* A change is told as ever. */
  g_assert_true (ldb_database_delete (watched.db, "n00000000", 9, NULL, &error));
  watched_check (&watched);
  assert_one_signal (&watched, GPOINTER_TO_UINT (data) == LDB_LIST_REVERSE ? 499 : 0, 1, 0);
  watched_clear (&watched);
}

/* Up to 32 signals for a frame: all of them. More: told together where they are close. */
static void
test_scattered (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 100, flags);
  g_autoptr (LdbBatch) few = ldb_batch_new (), many = ldb_batch_new ();
  for (guint i = 0; i < 32; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u.", i * 2);
      ldb_batch_put_string (few, NULL, key, "", NULL);
    }
  ldb_database_write_batch (watched.db, few, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_autoptr (GArray) exact = list_validator_take_signals (watched.validator);
  g_assert_cmpuint (exact->len, ==, 32);

  put_numbers (watched.db, 1000, 101000, 100);
  watched_check (&watched);
  g_array_unref (list_validator_take_signals (watched.validator));
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u!", 1000 + i * 100);
      ldb_batch_put_string (many, NULL, key, "", NULL);
    }
  ldb_database_write_batch (watched.db, many, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_autoptr (GArray) bridged = list_validator_take_signals (watched.validator);
  g_assert_cmpuint (bridged->len, ==, 32);
  watched_clear (&watched);
}

/* Between rows that nobody holds it does not matter how far apart they are; a row that is held, and
 * stays, is not said to have gone. */
static void
test_scattered_far (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 100000, 1);
  g_autoptr (LdbListModel) list = list_all (db, flags | LDB_LIST_BLOCKING);
  settle (list);
  guint place_of_held = (flags & LDB_LIST_REVERSE) != 0 ? 100000 - 1 - 50150 : 50150;
  g_autoptr (LdbEntry) held = entry_at (list, place_of_held);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < 333; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i * 300);
      ldb_batch_delete_string (batch, NULL, key, NULL);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  settle (list);
  g_autoptr (GArray) signals = list_validator_take_signals (validator);
  g_assert_cmpuint (signals->len, ==, 32);
  guint at = place_of_held;
  for (guint i = 0; i < signals->len; i++)
    {
      const ListSignal *told = &g_array_index (signals, ListSignal, i);
      g_assert_true (at < told->position || at >= told->position + told->removed);
      if (at >= told->position)
        at -= told->removed - told->added;
    }
  g_autoptr (LdbEntry) again = entry_at (list, at);
  g_assert_true (again == held);
  list_validator_check (validator);
}

/* Where what is shown ends among runs that are told together, nothing is told that stays. */
static void
test_scattered_window (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 1000, flags);
  for (guint round = 0; round < 60; round++)
    {
      g_autoptr (LdbBatch) batch = ldb_batch_new ();
      ldb_list_model_set_max_items (watched.list, 50 + 7 * round);
      for (guint i = 0; i < 1000; i += 5)
        {
          /* One goes, one comes: what is behind stays where it is. */
          g_autofree char *old = g_strdup_printf ("n%08u%s", i, round % 2 ? "!" : "");
          g_autofree char *new = g_strdup_printf ("n%08u%s", i, round % 2 ? "" : "!");
          ldb_batch_delete_string (batch, NULL, old, NULL);
          ldb_batch_put_string (batch, NULL, new, "", NULL);
        }
      ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
      watched_check (&watched);
    }
  watched_clear (&watched);
}

/* ---- at random ---- */

#define KEYS_AT_RANDOM 5000

static void
commit_at_random (LdbDatabase *db, GRand *random)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  guint kind = (guint) g_rand_int_range (random, 0, 200);
  guint count = kind < 150 ? 1 : kind < 190 ? 5 : kind < 198 ? 100 : 1;
  for (guint i = 0; i < count; i++)
    {
      char key[16], value[16];
      g_snprintf (key, sizeof key, "n%06u", (guint) g_rand_int_range (random, 0, KEYS_AT_RANDOM));
      g_snprintf (value, sizeof value, "%u", g_rand_int (random) % 1000);
      if (kind >= 198)
        ldb_batch_delete_range (batch, NULL, key, 7, "n9", 2, NULL);
      else if (g_rand_int_range (random, 0, 100) < 45)
        ldb_batch_delete_string (batch, NULL, key, NULL);
      else
        ldb_batch_put_string (batch, NULL, key, value, NULL);
      if (kind >= 198) /* not everything each time */
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *end = g_strdup_printf ("%.5s~", key);
          ldb_batch_clear (batch);
          ldb_batch_delete_range (batch, NULL, key, 7, end, strlen (end), &error);
          g_assert_no_error (error);
        }
    }
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL));
}

typedef struct
{
  LdbDatabase *db;
  guint commits; /* to be made */
} Writer;

static gpointer
write_at_random (gpointer data)
{
  Writer *writer = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (writer->commits);
  for (guint i = 0; i < writer->commits; i++)
    commit_at_random (writer->db, random);
  return NULL;
}

/* Lists of all kinds at once, while another thread writes as fast as it can. */
static void
test_random (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  guint rounds = g_test_slow () ? 1000 : 20, commits = g_test_slow () ? 10000 : 5000;
  struct
  {
    LdbListModel *list;
    ListValidator *validator;
  } lists[6];
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      LdbListFlags flags = i % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE;
      ListValidatorFlags look = LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS;
      /* The validator wants to see every row at once. */
      lists[i].list = list_all (db, flags | LDB_LIST_BLOCKING);
      if (i >= 4)
        ldb_list_model_set_max_items (lists[i].list, 100);
      lists[i].validator = list_validator_new (G_LIST_MODEL (lists[i].list), i % 2 != 0,
                                               i >= 2 ? look | LIST_VALIDATOR_HOLD : look);
    }
  LdbListModel *cold = list_all (db, LDB_LIST_NONE);
  for (guint round = 0; round < rounds; round++)
    {
      g_autofree char *mark = g_strdup_printf ("%u", round);
      Writer writer = { db, commits };
      GThread *thread = g_thread_new ("writer", write_at_random, &writer);
      while (turn (FALSE))
        ;
      g_thread_join (thread);
      put (db, "a", mark); /* first of all … */
      put (db, "z", mark); /* … and last */
      for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
        {
          settle (lists[i].list);
          list_validator_check (lists[i].validator);
          assert_equals_database (lists[i].list);
        }
      ldb_database_evict_cache (db, 1, NULL);
      settle (cold);
      assert_equals_database (cold);
    }
  g_object_unref (cold);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      list_validator_free (lists[i].validator);
      g_object_unref (lists[i].list);
    }
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both_ways ("/list/ranges", test_ranges);
  add_both_ways ("/list/load", test_load);
  add_test ("/list/drop-store", test_drop_store);
  add_both_ways ("/list/elsewhere", test_elsewhere);
  add_both_ways ("/list/scattered", test_scattered);
  add_both_ways ("/list/scattered-far", test_scattered_far);
  add_both_ways ("/list/scattered-window", test_scattered_window);
  add_test ("/list/random", test_random);
  return g_test_run ();
}
