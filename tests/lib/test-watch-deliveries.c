/* SPDX-License-Identifier: MIT */
/*
 * Who watches, and what he was told when, for who looks on.
 */
#include "watch-listener.h"

static GPtrArray *
list_watches (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *list = ldb_database_list_watches (db, &error);
  g_assert_no_error (error);
  return list;
}

static GPtrArray *
list_deliveries (LdbDatabase *db, guint64 after)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *list = ldb_database_list_deliveries (db, after, &error);
  g_assert_no_error (error);
  return list;
}

static char *
describe (const LdbActiveWatch *watch)
{
  static const char *const kinds[] = { "key", "prefix", "range", "all", "stores", "entry", "list" };
  GString *text = g_string_new (kinds[watch->kind]);
  g_string_append_printf (text, " %s [", watch->store != NULL ? watch->store : "-");
  append_bytes (text, watch->start);
  g_string_append_printf (text, ":%zu,", watch->start_length);
  append_bytes (text, watch->end);
  g_string_append_printf (text, ":%zu)", watch->end_length);
  return g_string_free (text, FALSE);
}

/* Takes the error, if any, as a failure. */
static void
assert_listed (LdbDatabase *db, const char *expected)
{
  g_autoptr (GPtrArray) list = list_watches (db);
  g_assert_cmpuint (list->len, ==, 1);
  g_autoptr (LdbActiveWatch) copy = ldb_active_watch_copy (g_ptr_array_index (list, 0));
  g_autofree char *text = describe (copy);
  g_assert_cmpstr (text, ==, expected);
  g_assert_false (copy->inspector);
  g_assert_false (copy->paused);
}

#define ASSERT_LISTED(db, expected, type, make)                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    GError **error = &error_;                                                                      \
    g_autoptr (type) made_ = make;                                                                 \
    g_assert_no_error (error_);                                                                    \
    assert_listed (db, expected);                                                                  \
    g_assert_nonnull (made_);                                                                      \
  }                                                                                                \
  G_STMT_END

/* Each is listed as what it is, with what it watches, while it is there. */
static void
test_kinds (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &failure);
  g_autofree char *long_key = g_strnfill (100, 'k');
  g_autofree char *told = g_strdup_printf ("key s [%.64s:100,:0)", long_key);
  g_assert_no_error (failure);
  g_autoptr (GPtrArray) none = list_watches (db);
  g_assert_cmpuint (none->len, ==, 0);
  ASSERT_LISTED (db, "key - [a:1,:0)", LdbWatch, ldb_database_watch_key (db, "a", 1, 0, error));
  ASSERT_LISTED (db, told, LdbWatch, ldb_store_watch_key (store, long_key, 100, 0, error));
  ASSERT_LISTED (db, "prefix - [user::5,:0)", LdbWatch,
                 ldb_database_watch_prefix (db, "user:", 5, 0, error));
  ASSERT_LISTED (db, "prefix - [a\\ff\\ff:3,:0)", LdbWatch,
                 ldb_database_watch_prefix (db, "a\xff\xff", 3, 0, error));
  ASSERT_LISTED (db, "range s [b:1,dd:2)", LdbWatch,
                 ldb_store_watch_range (store, "b", 1, "dd", 2, 0, error));
  ASSERT_LISTED (db, "range - [b:1,:0)", LdbWatch,
                 ldb_database_watch_range (db, "b", 1, NULL, 0, 0, error));
  ASSERT_LISTED (db, "all s [:0,:0)", LdbWatch, ldb_store_watch_all (store, 0, error));
  ASSERT_LISTED (db, "stores - [:0,:0)", LdbWatch, ldb_database_watch_stores (db, 0, error));
  ASSERT_LISTED (db, "entry - [e:1,:0)", LdbEntry, ldb_database_watch_entry (db, "e", 1, error));
  ASSERT_LISTED (
      db, "list - [list::5,list;:5)", LdbListModel, /* a prefix, or from it on? */
      ldb_list_model_new_prefix (db, NULL, "list:", 5, LDB_LIST_BLOCKING, LDB_TYPE_ENTRY, error));
  ASSERT_LISTED (
      db, "list - [b:1,:0)", LdbListModel,
      ldb_list_model_new (db, NULL, "b", 1, NULL, 0, LDB_LIST_BLOCKING, LDB_TYPE_ENTRY, error));
  g_autoptr (GPtrArray) gone = list_watches (db);
  g_assert_cmpuint (gone->len, ==, 0);
}

/* The same watch has the same number, and what it was told adds up. */
static void
test_counts (Place *place, gconstpointer data)
{
  g_auto (Listener) listener = { NULL };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  listen_to (&listener, ldb_database_watch_prefix (db, "k", 1, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  ldb_watch_set_batch_interval (listener.watch, 20);
  g_autoptr (GPtrArray) before = list_watches (db);
  const LdbActiveWatch *first = g_ptr_array_index (before, 0);
  g_assert_cmpuint (first->deliveries + first->changes + first->resyncs, ==, 0);
  g_assert_cmpuint (first->batch_interval, ==, 20000);
  g_assert_true (ldb_database_put_string (db, "k1", "1", NULL, &error));
  expect (&listener, "put k1");
  ldb_watch_pause (listener.watch);
  g_assert_true (ldb_database_put_string (db, "k1", "2", NULL, &error));
  g_assert_true (ldb_database_put_string (db, "k2", "2", NULL, &error));
  g_autoptr (GPtrArray) meanwhile = list_watches (db);
  g_assert_true (((const LdbActiveWatch *) g_ptr_array_index (meanwhile, 0))->paused);
  ldb_watch_resume (listener.watch);
  expect (&listener, "put k1, put k2");
  g_autoptr (GPtrArray) after = list_watches (db);
  const LdbActiveWatch *last = g_ptr_array_index (after, 0);
  g_assert_cmpuint (last->id, ==, first->id);
  g_assert_cmpuint (last->deliveries, ==, 2);
  g_assert_cmpuint (last->changes, ==, 3);
  g_assert_cmpuint (last->resyncs, ==, 0);
  g_assert_cmpuint (last->lag, ==, 2);
  g_assert_cmpuint (last->coalesced, ==, 0);
}

/* What is not told by itself counts at each watch that it was for: k1 was put three times, k2 came to nothing.
 * Another one, of one key, and one of other keys. */
static void
test_coalesced (Place *place, gconstpointer data)
{
  static const guint64 expected[] = { 4, 2, 0 };
  g_auto (Listener) all = { NULL }, one = { NULL }, other = { NULL };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  listen_to (&all, ldb_database_watch_prefix (db, "k", 1, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  listen_to (&one, ldb_database_watch_key (db, "k1", 2, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  listen_to (&other, ldb_database_watch_prefix (db, "x", 1, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  ldb_watch_pause (all.watch);
  ldb_watch_pause (one.watch);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *value = g_strdup_printf ("%u", i);
      g_assert_true (ldb_database_put_string (db, "k1", value, NULL, &error));
      if (i == 1)
        g_assert_true (ldb_database_put_string (db, "k2", "1", NULL, &error));
    }
  g_assert_true (ldb_database_delete_string (db, "k2", NULL, &error));
  g_assert_no_error (error);
  ldb_watch_resume (all.watch);
  ldb_watch_resume (one.watch);
  expect (&all, "put k1");
  expect (&one, "put k1");
  g_autoptr (GPtrArray) list = list_watches (db);
  g_assert_cmpuint (list->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < list->len; i++)
    g_assert_cmpuint (((const LdbActiveWatch *) g_ptr_array_index (list, i))->coalesced, ==,
                      expected[i]);
}

/* However many go up in others: of two watches, each of the changes of its keys is told or counted. */
static void
test_all_counted (Place *place, gconstpointer data)
{
  enum
  {
    PUTS = 3000,
    KEYS = 10
  };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbWatch) all = ldb_database_watch_prefix (db, "k", 1, LDB_WATCH_NONE, &error);
  g_assert_no_error (error);
  g_autoptr (LdbWatch) one = ldb_database_watch_key (db, "k7", 2, LDB_WATCH_NONE, &error);
  g_assert_no_error (error);
  ldb_watch_set_batch_interval (one, 40);
  for (guint i = 0; i < PUTS; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i % KEYS);
      g_autofree char *value = g_strdup_printf ("%u", i);
      g_assert_true (ldb_database_put_string (db, key, value, NULL, &error));
      if (i % 100 == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  for (;;)
    {
      g_autoptr (GPtrArray) list = list_watches (db);
      const LdbActiveWatch *of_all = g_ptr_array_index (list, 0);
      const LdbActiveWatch *of_one = g_ptr_array_index (list, 1);
      g_assert_cmpuint (of_all->resyncs + of_one->resyncs, ==, 0);
      g_assert_cmpuint (of_all->changes + of_all->coalesced, <=, PUTS);
      g_assert_cmpuint (of_one->changes + of_one->coalesced, <=, PUTS / KEYS);
      if (of_all->changes + of_all->coalesced == PUTS
          && of_one->changes + of_one->coalesced == PUTS / KEYS)
        break;
      g_main_context_iteration (NULL, TRUE);
    }
}

/* Puts and waits to be told until that was noted with its time; returns its number. */
static guint64
begin_looking (LdbDatabase *db, Listener *listener)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *value = g_strdup_printf ("%u", i);
      g_autoptr (GPtrArray) list = list_deliveries (db, 0);
      const LdbWatchDelivery *last = list->len > 0 ? g_ptr_array_index (list, list->len - 1) : NULL;
      if (last != NULL && last->committed != 0)
        return last->number;
      g_assert_true (ldb_database_put_string (db, "k", value, NULL, &error));
      expect (listener, "put k");
    }
  g_error ("no delivery is noted");
}

/* Nothing is noted before somebody asks; then each delivery is, once, with both its times in order. */
static void
test_deliveries (Place *place, gconstpointer data)
{
  g_auto (Listener) listener = { NULL };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) never = list_deliveries (db, 0);
  g_assert_cmpuint (never->len, ==, 0);
  listen_to (&listener, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  g_assert_true (ldb_database_put_string (db, "k", "before", NULL, &error));
  expect (&listener, "put k");
  g_autoptr (GPtrArray) unasked = list_deliveries (db, 0);
  g_assert_cmpuint (unasked->len, ==, 0);
  gint64 began = g_get_real_time ();
  guint64 last = begin_looking (db, &listener);
  g_autoptr (GPtrArray) watches = list_watches (db);
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *value = g_strdup_printf ("again %u", i);
      g_assert_true (ldb_database_put_string (db, "k", value, NULL, &error));
      expect (&listener, "put k");
      g_autoptr (GPtrArray) list = list_deliveries (db, last);
      g_assert_cmpuint (list->len, ==, 1);
      g_autoptr (LdbWatchDelivery) its = ldb_watch_delivery_copy (g_ptr_array_index (list, 0));
      g_assert_cmpuint (its->number, ==, ++last);
      g_assert_cmpuint (its->watch, ==, ((LdbActiveWatch *) g_ptr_array_index (watches, 0))->id);
      g_assert_cmpuint (its->changes, ==, 1);
      g_assert_false (its->resync);
      g_assert_cmpint (its->committed, >=, began - 10000); /* clocks may be set */
      g_assert_cmpint (its->committed, <=, its->delivered);
    }
  g_autoptr (GPtrArray) newest = list_deliveries (db, last);
  g_assert_cmpuint (newest->len, ==, 0);
}

/* The time until a delivery is from the commit on: a main loop that does not run is seen. */
static void
test_delay (Place *place, gconstpointer data)
{
  g_auto (Listener) listener = { NULL };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  gint64 delay = 0;
  listen_to (&listener, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  guint64 last = begin_looking (db, &listener);
  /* On a crowded machine the library may not have come to ask for the time yet. */
  for (guint i = 0; i < 50 && delay < 49000; i++)
    {
      g_autofree char *value = g_strdup_printf ("hang %u", i);
      run_for (20);
      g_assert_true (ldb_database_put_string (db, "k", value, NULL, &error));
      g_usleep (50000);
      expect (&listener, "put k");
      g_autoptr (GPtrArray) list = list_deliveries (db, last++);
      g_assert_cmpuint (list->len, ==, 1);
      const LdbWatchDelivery *its = g_ptr_array_index (list, 0);
      delay = its->committed != 0 ? its->delivered - its->committed : 0;
    }
  g_assert_cmpint (delay, >=, 49000);
}

/* More than may gather: told as a resync, of which no commit is the first. The newest 1,024 are kept. */
static void
test_bounds (Place *place, gconstpointer data)
{
  g_auto (Listener) listener = { NULL };
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  listen_to (&listener, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  guint64 last = begin_looking (db, &listener);
  ldb_watch_set_max_changes (listener.watch, 1);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      ldb_batch_put_string (batch, NULL, key, "1", &error);
    }
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  expect (&listener, "resync [,)");
  g_autoptr (GPtrArray) list = list_deliveries (db, last);
  g_assert_cmpuint (list->len, ==, 1);
  const LdbWatchDelivery *its = g_ptr_array_index (list, 0);
  g_assert_true (its->resync);
  g_assert_cmpint (its->committed, ==, 0);
  g_assert_cmpuint (its->changes, ==, 0);
  ldb_watch_set_batch_interval (listener.watch, 0);
  for (guint i = 0; i < 1100; i++)
    {
      g_autofree char *value = g_strdup_printf ("many %u", i);
      g_assert_true (ldb_database_put_string (db, "k", value, NULL, &error));
      expect (&listener, "put k");
      if (i % 100 == 0)
        g_ptr_array_unref (list_deliveries (db, G_MAXUINT64)); /* goes on */
    }
  g_autoptr (GPtrArray) kept = list_deliveries (db, 0);
  g_assert_cmpuint (kept->len, ==, 1024);
  const LdbWatchDelivery *newest = g_ptr_array_index (kept, 1023);
  const LdbWatchDelivery *oldest = g_ptr_array_index (kept, 0);
  g_assert_cmpuint (newest->number, ==, last + 1101);
  g_assert_cmpuint (oldest->number, ==, newest->number - 1023);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/watch-deliveries/kinds", test_kinds);
  add_test ("/watch-deliveries/counts", test_counts);
  add_test ("/watch-deliveries/coalesced", test_coalesced);
  add_test ("/watch-deliveries/all-counted", test_all_counted);
  add_test ("/watch-deliveries/deliveries", test_deliveries);
  add_test ("/watch-deliveries/delay", test_delay);
  add_test ("/watch-deliveries/bounds", test_bounds);
  return g_test_run ();
}
