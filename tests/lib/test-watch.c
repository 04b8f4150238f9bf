/* SPDX-License-Identifier: MIT */
/*
 * LdbWatch: what it tells, when, where, and that it stops. The exactness under load is in
 * test-watch-exact.c, what gathers and what is past in test-watch-lag.c.
 */
#include "watch-listener.h"

/* ---- what is told ---- */

static void
test_kinds (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) all = { 0 }, key = { 0 }, prefix = { 0 }, range = { 0 };
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  listen_to (&key, ldb_database_watch_key (db, "b", 1, LDB_WATCH_NONE, &error));
  listen_to (&prefix, ldb_database_watch_prefix (db, "b", 1, LDB_WATCH_NONE, &error));
  listen_to (&range, ldb_database_watch_range (db, "a", 1, "b", 1, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  put (db, "a", "1");
  expect (&all, "put a");
  expect (&range, "put a");
  put (db, "b", "1");
  expect (&all, "put b");
  expect (&key, "put b");
  expect (&prefix, "put b");
  put (db, "bb", "1");
  expect (&all, "put bb");
  expect (&prefix, "put bb");
  delete (db, "b");
  expect (&all, "delete b");
  expect (&key, "delete b");
  expect (&prefix, "delete b");
  delete (db, "bb");
  expect (&prefix, "delete bb");
  expect (&all, "delete bb");
  expect_nothing_more (&key);
  g_assert_cmpuint (all.sequence, ==, ldb_database_get_sequence (db));
  g_assert_cmpuint (all.count, ==, 5);
  g_assert_cmpuint (range.count, ==, 1);
}

static void
test_values (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) both = { 0 }, new = { 0 }, old = { 0 };
  put (db, "a", "0");
  listen_to (&both, ldb_database_watch_all (db, LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error));
  listen_to (&new, ldb_database_watch_all (db, LDB_WATCH_VALUES, &error));
  listen_to (&old, ldb_database_watch_all (db, LDB_WATCH_OLD_VALUES, &error));
  put (db, "a", "1");
  expect (&both, "put a=1<0");
  expect (&new, "put a=1");
  expect (&old, "put a<0");
  put (db, "b", "");
  expect (&both, "put b=");
  expect (&new, "put b=");
  expect (&old, "put b");
  delete (db, "a");
  expect (&both, "delete a<1");
  expect (&new, "delete a");
  expect (&old, "delete a<1");
  /* One whose value is in a file of its own. */
  g_autofree char *large = g_strnfill (100000, 'x');
  put (db, "c", large);
  g_autofree char *told = g_strdup_printf ("put c=%s", large);
  expect (&both, told);
  delete (db, "c");
  g_autofree char *untold = g_strdup_printf ("delete c<%s", large);
  expect (&both, untold);
}

/* The handler reads what it was told, whatever was written since, also after it has returned. */
static void
read_snapshot (LdbWatch *watch, LdbChangeSet *changes, LdbSnapshot **kept)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  LdbDatabase *db = ldb_watch_get_database (watch);
  g_assert_nonnull (snapshot);
  g_assert_cmpuint (ldb_snapshot_get_sequence (snapshot), ==,
                    ldb_change_set_get_sequence (changes));
  if (*kept != NULL)
    return;
  put (db, "a", "later");
  g_autofree char *text = ldb_snapshot_get_string (snapshot, NULL, "a", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "1");
  *kept = g_steal_pointer (&snapshot);
}

static void
keep_changes (LdbWatch *watch, LdbChangeSet *changes, LdbChangeSet **kept)
{
  g_set_object (kept, changes);
}

static void
test_snapshot (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbSnapshot) kept = NULL;
  g_autoptr (LdbChangeSet) set = NULL;
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_autoptr (LdbWatch) other = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  gulong handler = g_signal_connect (watch, "changed", G_CALLBACK (read_snapshot), &kept);
  g_signal_connect (other, "changed", G_CALLBACK (keep_changes), &set);
  put (db, "a", "1");
  wait_until (kept != NULL && set != NULL && ldb_change_set_get_sequence (set) == 2);
  g_autofree char *text = ldb_snapshot_get_string (kept, NULL, "a", NULL, &error);
  g_assert_cmpstr (text, ==, "1");
  g_signal_handler_disconnect (watch, handler);
  /* Nobody asked while the handler ran: a set that is kept holds no state. */
  g_assert_null (ldb_change_set_get_snapshot (set));
  g_assert_cmpuint (ldb_change_set_get_n_changes (set), ==, 1);
  g_assert_null (ldb_change_set_get_change (set, 1));
  g_autoptr (GPtrArray) list = ldb_change_set_list (set);
  g_assert_cmpuint (list->len, ==, 1);
  g_assert_true (g_ptr_array_index (list, 0) == ldb_change_set_get_change (set, 0));
}

static void
test_unchanged (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) changed = { 0 }, written = { 0 }, both = { 0 };
  put (db, "a", "1");
  listen_to (&changed, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  listen_to (&written, ldb_database_watch_all (db, LDB_WATCH_UNCHANGED, &error));
  listen_to (&both, ldb_database_watch_all (
                        db, LDB_WATCH_UNCHANGED | LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error));
  put (db, "a", "1");
  expect (&written, "put a");
  expect (&both, "put a=1<1");
  delete (db, "nothing");
  expect (&written, "delete nothing");
  expect (&both, "delete nothing");
  /* There and back within one emission. */
  ldb_watch_pause (changed.watch);
  ldb_watch_pause (written.watch);
  ldb_watch_pause (both.watch);
  put (db, "a", "2");
  put (db, "b", "2");
  delete (db, "b");
  put (db, "a", "1");
  ldb_watch_resume (changed.watch);
  ldb_watch_resume (written.watch);
  ldb_watch_resume (both.watch);
  expect (&written, "delete b, put a");
  expect (&both, "delete b, put a=1<1");
  expect_nothing_more (&changed);
  put (db, "c", "1");
  expect (&changed, "put c");
  g_assert_cmpuint (changed.count, ==, 1);
}

/* The newest change of each key, in the order of the commits. */
static void
test_coalescing (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) all = { 0 };
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error));
  put (db, "c", "1");
  expect (&all, "put c=1");
  ldb_watch_pause (all.watch);
  put (db, "a", "1");
  put (db, "c", "2");
  put (db, "b", "1");
  put (db, "a", "2");
  put (db, "c", "3");
  delete (db, "d");
  ldb_watch_resume (all.watch);
  expect (&all, "put b=1, put a=2, put c=3<1");
}

static void
test_commits_stay_whole (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people
      = ldb_database_open_store (db, "people", LDB_OPEN_CREATE, NULL, &error);
  g_auto (Listener) stores = { 0 }, one = { 0 }, other = { 0 };
  listen_to (&stores, ldb_database_watch_stores (db, LDB_WATCH_VALUES, &error));
  listen_to (&one, ldb_database_watch_all (db, LDB_WATCH_VALUES, &error));
  listen_to (&other, ldb_store_watch_all (people, LDB_WATCH_VALUES, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_watch_get_store (other.watch) == people);
  g_assert_null (ldb_watch_get_store (one.watch));
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_put_string (batch, people, "bob", "Paris", &error);
  ldb_batch_put_string (batch, NULL, "a", "1", &error);
  ldb_batch_put_string (batch, NULL, "a", "2", &error);
  ldb_batch_put_string (batch, NULL, "b", "1", &error);
  ldb_batch_delete_string (batch, NULL, "b", &error);
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  expect (&stores, "put a=2, people/put bob=Paris");
  expect (&one, "put a=2");
  expect (&other, "people/put bob=Paris");
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  ldb_transaction_put_string (transaction, people, "eve", "Rome", &error);
  ldb_transaction_put_string (transaction, NULL, "c", "3", &error);
  expect_nothing_more (&stores);
  g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_FULL, NULL, &error));
  expect (&stores, "put c=3, people/put eve=Rome");
  expect (&one, "put c=3");
  expect (&other, "people/put eve=Rome");
  g_assert_no_error (error);
}

/* ---- ranges ---- */

static void
test_ranges (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) all = { 0 }, prefix = { 0 }, key = { 0 }, each = { 0 }, old = { 0 };
  for (const char *name = "abcdefg"; *name != '\0'; name++)
    put (db, (const char[]){ *name, '\0' }, "1");
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  listen_to (&prefix, ldb_database_watch_prefix (db, "b", 1, LDB_WATCH_NONE, &error));
  listen_to (&key, ldb_database_watch_key (db, "c", 1, LDB_WATCH_OLD_VALUES, &error));
  listen_to (&each, ldb_database_watch_all (db, LDB_WATCH_EACH_KEY, &error));
  listen_to (&old, ldb_database_watch_all (db, LDB_WATCH_EACH_KEY | LDB_WATCH_OLD_VALUES, &error));
  delete_range (db, "b", "d");
  expect (&all, "range [b,d)");
  expect (&prefix, "range [b,c)");
  expect (&key, "delete c<1");
  expect (&each, "delete b, delete c");
  expect (&old, "delete b<1, delete c<1");
  /* There is nothing left in it. */
  delete_range (db, "b", "d");
  expect_nothing_more (&all);
  expect_nothing_more (&each);
  /* What is put into it again cuts it; what is as it was has not changed. */
  ldb_watch_pause (all.watch);
  ldb_watch_pause (each.watch);
  delete_range (db, "a", "f");
  put (db, "e", "1");
  put (db, "cc", "3");
  delete (db, "cc");
  put (db, "bb", "2");
  expect (&prefix, "put bb"); /* so all of it was seen */
  ldb_watch_resume (all.watch);
  ldb_watch_resume (each.watch);
  expect (&all, "range [a,bb), range [bb\\00,e), put bb");
  g_assert_no_error (error);
}

/* A key as long as can be cuts a deleted range: behind it comes none with a byte more. */
static void
test_longest_key (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) all = { 0 };
  g_autofree char *longest = g_strnfill (65536, 'k'), *behind = g_strnfill (65536, 'k');
  behind[65535] = 'l';
  put (db, "a", "1");
  put (db, longest, "1");
  put (db, "z", "1");
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_delete_range (batch, NULL, NULL, 0, NULL, 0, &error);
  ldb_batch_put_string (batch, NULL, longest, "2", &error);
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_no_error (error);
  g_autofree char *text
      = g_strdup_printf ("range [,%s), put %s, range [%s,)", longest, longest, behind);
  expect (&all, text);
}

static void
scan_range (LdbDatabase *db, LdbChange *change)
{
  g_autoptr (GError) error = NULL;
  gsize start_size = 0, end_size = 0;
  GBytes *start = ldb_change_get_key (change), *end = ldb_change_get_end (change);
  gconstpointer lower = start != NULL ? g_bytes_get_data (start, &start_size) : NULL;
  gconstpointer upper = end != NULL ? g_bytes_get_data (end, &end_size) : NULL;
  guint found = 0;
  g_assert_cmpint (ldb_change_get_kind (change), ==, LDB_CHANGE_RESYNC);
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan (db, lower, start_size, upper, end_size, LDB_SCAN_KEYS_ONLY, &error);
  g_assert_no_error (error);
  while (ldb_cursor_next (cursor, NULL, &error))
    found++;
  g_assert_no_error (error);
  g_assert_cmpuint (found, ==, 2);
}

static void
scan_told (LdbWatch *watch, LdbChangeSet *changes, guint *told)
{
  scan_range (ldb_watch_get_database (watch), ldb_change_set_get_change (changes, 0));
  ++*told;
}

/* The end of what was loaded is a bound that can be scanned up to, also behind the longest keys. */
static void
test_loaded (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 3; round++)
    {
      g_autofree char *path = g_strdup_printf ("%s-%u", place->path, round);
      g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
      g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
      g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
      g_autofree char *last = g_strnfill (65536, round == 1 ? 'k' : '\xff');
      guint told = 0;
      g_signal_connect (watch, "changed", G_CALLBACK (scan_told), &told);
      ldb_loader_put (loader, NULL, "a", 1, "v", 1, &error);
      ldb_loader_put (loader, NULL, last, round == 0 ? 1 : 65536, "v", 1, &error);
      g_assert_true (ldb_loader_commit (loader, NULL, &error));
      g_assert_no_error (error);
      wait_until (told == 1);
      g_autoptr (LdbFeed) feed = ldb_database_create_feed (db, 0, NULL, &error);
      g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit (feed, NULL, &error);
      g_assert_no_error (error);
      scan_range (db, ldb_change_set_get_change (commit, 0));
    }
}

static void
test_stores (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people
      = ldb_database_open_store (db, "people", LDB_OPEN_CREATE, NULL, &error);
  g_auto (Listener) stores = { 0 }, store = { 0 }, one = { 0 }, key = { 0 };
  ldb_store_put_string (people, "bob", "Paris", NULL, &error);
  listen_to (&stores, ldb_database_watch_stores (db, LDB_WATCH_NONE, &error));
  listen_to (&store, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
  listen_to (&one, ldb_store_watch_prefix (people, "b", 1, LDB_WATCH_EACH_KEY, &error));
  listen_to (&key, ldb_store_watch_key (people, "bob", 3, LDB_WATCH_NONE, &error));
  g_assert_true (ldb_database_drop_store (db, "people", NULL, &error));
  expect (&stores, "people/range [,)");
  expect (&store, "people/range [,)");
  expect (&one, "people/delete bob");
  expect (&key, "people/delete bob");
  /* One of the same name is another store. */
  g_autoptr (LdbStore) again
      = ldb_database_open_store (db, "people", LDB_OPEN_CREATE, NULL, &error);
  ldb_store_put_string (again, "bob", "Rome", NULL, &error);
  expect (&stores, "people/put bob");
  expect_nothing_more (&store);
  /* The default store is emptied. */
  g_auto (Listener) all = { 0 };
  put (db, "a", "1");
  expect (&stores, "put a");
  listen_to (&all, ldb_database_watch_range (db, "a", 1, "m", 1, LDB_WATCH_NONE, &error));
  g_assert_true (ldb_database_drop_store (db, "default", NULL, &error));
  expect (&all, "range [a,m)");
  expect (&stores, "range [,)");
  g_assert_no_error (error);
}

/* ---- handlers that do something ---- */

typedef struct
{
  LdbWatch *watch; /* that calls the handler; owned, NULL once dropped */
  guint calls;     /* so far */
  guint depth;     /* handlers that have not returned */
  guint64 since;   /* of the next emission at least */
  GString *keys;   /* told */
} Actor;

static void
enter_actor (Actor *actor, LdbChangeSet *changes)
{
  g_assert_cmpuint (++actor->depth, ==, 1);
  g_assert_cmpuint (ldb_change_set_get_since (changes), >=, actor->since);
  actor->since = ldb_change_set_get_sequence (changes);
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    append_bytes (actor->keys, ldb_change_get_key (ldb_change_set_get_change (changes, i)));
  actor->calls++;
}

static void
write_on (LdbWatch *watch, LdbChangeSet *changes, Actor *actor)
{
  LdbDatabase *db = ldb_watch_get_database (watch);
  enter_actor (actor, changes);
  if (actor->calls < 6)
    put (db, (const char[]){ (char) ('a' + actor->calls), '\0' }, "1");
  actor->depth--;
}

static void
run_loop_within (LdbWatch *watch, LdbChangeSet *changes, Actor *actor)
{
  LdbDatabase *db = ldb_watch_get_database (watch);
  enter_actor (actor, changes);
  if (actor->calls < 6)
    {
      put (db, (const char[]){ (char) ('a' + actor->calls), '\0' }, "1");
      run_for (25);
    }
  actor->depth--;
}

/* Whatever the handler does, each key is told once, in order, and the handler is not entered
 * twice. */
static void
check_actor (Place *place, GCallback handler, guint interval)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Actor actor = { .keys = g_string_new (NULL) };
  delete_range (db, NULL, NULL);
  actor.watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  ldb_watch_set_batch_interval (actor.watch, interval);
  g_signal_connect (actor.watch, "changed", handler, &actor);
  put (db, "a", "1");
  wait_until (actor.calls == 6);
  run_for (40);
  g_assert_cmpuint (actor.calls, ==, 6);
  g_assert_cmpstr (actor.keys->str, ==, "abcdef");
  g_string_free (actor.keys, TRUE);
  g_object_unref (actor.watch);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
}

static void
test_handler_writes (Place *place, gconstpointer data)
{
  check_actor (place, G_CALLBACK (write_on), 0);
  check_actor (place, G_CALLBACK (write_on), 16);
}

static void
test_handler_runs_loop (Place *place, gconstpointer data)
{
  check_actor (place, G_CALLBACK (run_loop_within), 0);
  check_actor (place, G_CALLBACK (run_loop_within), 16);
}

static void
pause_within (LdbWatch *watch, LdbChangeSet *changes, guint *calls)
{
  ++*calls;
  ldb_watch_pause (watch);
  put (ldb_watch_get_database (watch), "b", "1");
}

static void
close_within (LdbWatch *watch, LdbChangeSet *changes, guint *calls)
{
  ++*calls;
  put (ldb_watch_get_database (watch), "b", "2");
  ldb_watch_close (watch);
}

static void
drop_within (LdbWatch *watch, LdbChangeSet *changes, LdbWatch **dropped)
{
  put (ldb_watch_get_database (watch), "b", "3");
  g_clear_object (dropped);
}

static void
close_database_within (LdbWatch *watch, LdbChangeSet *changes, guint *calls)
{
  g_autoptr (GError) error = NULL;
  ++*calls;
  g_assert_true (ldb_database_close (ldb_watch_get_database (watch), NULL, &error));
  g_assert_true (ldb_watch_is_closed (watch));
  /* The state it was told of went with the database. */
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  g_assert_null (ldb_snapshot_get_string (snapshot, NULL, "a", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "open it again");
}

static void
test_handler_ends_it (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint paused = 0, closed = 0, ended = 0;
  g_autoptr (LdbWatch) pausing = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_autoptr (LdbWatch) closing = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  LdbWatch *dropping = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_signal_connect (pausing, "changed", G_CALLBACK (pause_within), &paused);
  g_signal_connect (closing, "changed", G_CALLBACK (close_within), &closed);
  g_signal_connect (dropping, "changed", G_CALLBACK (drop_within), &dropping);
  put (db, "a", "1");
  wait_until (paused == 1 && closed == 1 && dropping == NULL);
  run_for (40);
  g_assert_cmpuint (paused, ==, 1);
  g_assert_cmpuint (closed, ==, 1);
  g_assert_true (ldb_watch_is_closed (closing));
  ldb_watch_resume (pausing);
  wait_until (paused == 2);
  g_autoptr (LdbWatch) last = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_signal_connect (last, "changed", G_CALLBACK (close_database_within), &ended);
  put (db, "c", "1");
  wait_until (ended == 1);
  g_assert_true (ldb_database_is_closed (db));
  run_for (20);
  g_assert_true (ldb_watch_is_closed (pausing));
  g_assert_no_error (error);
}

/* ---- pace ---- */

/* With an interval of an hour the first change is told at once, the next one not; a shorter one
 * holds from then on. */
static void
test_interval (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) slow = { 0 }, quick = { 0 };
  listen_to (&slow, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  listen_to (&quick, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  g_assert_cmpuint (ldb_watch_get_batch_interval (slow.watch), ==, 16);
  g_object_set (slow.watch, "batch-interval", 3600000, NULL);
  ldb_watch_set_batch_interval (quick.watch, 0);
  put (db, "a", "1");
  expect (&slow, "put a");
  expect (&quick, "put a");
  put (db, "b", "1");
  expect (&quick, "put b");
  put (db, "c", "1");
  expect (&quick, "put c");
  expect_nothing_more (&slow);
  ldb_watch_set_batch_interval (slow.watch, 16);
  expect (&slow, "put b, put c");
}

/* One that goes no longer sets the pace: nothing looks at it when the next commit is read. (That it
 * is not there any more is for AddressSanitizer to see.) */
static void
test_hasty_goes (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) stays = { 0 };
  listen_to (&stays, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  for (guint round = 0; round < 20; round++)
    {
      g_auto (Listener) hasty = { 0 };
      listen_to (&hasty, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
      ldb_watch_set_batch_interval (hasty.watch, 0);
      put (db, "a", round % 2 == 0 ? "1" : "2");
      expect (&hasty, "put a");
      expect (&stays, "put a");
      g_clear_object (&hasty.watch);
      put (db, "b", round % 2 == 0 ? "1" : "2");
      expect (&stays, "put b");
    }
}

static void
count_notify (GObject *object, GParamSpec *pspec, guint *count)
{
  ++*count;
}

static void
test_pause (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) paused = { 0 }, other = { 0 };
  guint notified = 0;
  listen_to (&paused, ldb_database_watch_all (db, LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error));
  listen_to (&other, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  g_signal_connect (paused.watch, "notify::paused", G_CALLBACK (count_notify), &notified);
  put (db, "a", "1");
  /* The emission is on its way by now, most likely; it is taken back. */
  g_usleep (30000);
  ldb_watch_pause (paused.watch);
  ldb_watch_pause (paused.watch);
  g_assert_cmpuint (notified, ==, 1);
  g_assert_true (ldb_watch_get_paused (paused.watch));
  expect (&other, "put a");
  put (db, "a", "2");
  expect (&other, "put a");
  expect_nothing_more (&paused);
  ldb_watch_resume (paused.watch);
  expect (&paused, "put a=2");
  put (db, "a", "3");
  expect (&paused, "put a=3<2");
  g_assert_cmpuint (notified, ==, 2);
}

/* All that was committed before comes in one emission, whatever of it was read when. */
static void
test_resume (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) paused = { 0 };
  listen_to (&paused, ldb_database_watch_all (db, LDB_WATCH_VALUES, &error));
  for (guint round = 0; round < 30; round++)
    {
      g_autofree char *value = g_strdup_printf ("%u", round);
      g_autofree char *text = g_strdup_printf ("put a=%u, put b=%u", round, round);
      ldb_watch_pause (paused.watch);
      put (db, "a", value);
      g_usleep (round * 700);
      put (db, "b", value);
      ldb_watch_resume (paused.watch);
      expect (&paused, text);
    }
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/watch/kinds", test_kinds);
  add_test ("/watch/values", test_values);
  add_test ("/watch/snapshot", test_snapshot);
  add_test ("/watch/unchanged", test_unchanged);
  add_test ("/watch/coalescing", test_coalescing);
  add_test ("/watch/commits-stay-whole", test_commits_stay_whole);
  add_test ("/watch/ranges", test_ranges);
  add_test ("/watch/longest-key", test_longest_key);
  add_test ("/watch/loaded", test_loaded);
  add_test ("/watch/stores", test_stores);
  add_test ("/watch/handler-writes", test_handler_writes);
  add_test ("/watch/handler-runs-loop", test_handler_runs_loop);
  add_test ("/watch/handler-ends-it", test_handler_ends_it);
  add_test ("/watch/interval", test_interval);
  add_test ("/watch/hasty-goes", test_hasty_goes);
  add_test ("/watch/pause", test_pause);
  add_test ("/watch/resume", test_resume);
  return g_test_run ();
}
