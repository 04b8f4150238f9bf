/* SPDX-License-Identifier: MIT */
/*
 * LdbWatch: what it tells, when, where, and that it stops. The exactness under load is in
 * test-watch-exact.c.
 */
#include "watch-test.h"

/* A watch whose emissions are written down. */
typedef struct
{
  LdbWatch *watch;   /* owned */
  GPtrArray *told;   /* a text for each emission not yet expected */
  guint count;       /* emissions so far */
  guint64 sequence;  /* of the newest one */
  GThread *thread;   /* in which the emissions are to come */
  gboolean resynced; /* the newest one was a resync */
} Listener;

static void
note (LdbWatch *watch, LdbChangeSet *changes, Listener *listener)
{
  g_assert_true (g_thread_self () == listener->thread);
  g_assert_cmpuint (ldb_change_set_get_n_changes (changes), >, 0);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), >=, listener->sequence);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), ==, ldb_watch_get_sequence (watch));
  g_assert_cmpuint (ldb_change_set_get_since (changes), <=, ldb_change_set_get_sequence (changes));
  g_ptr_array_add (listener->told, describe_changes (changes));
  listener->count++;
  listener->sequence = ldb_change_set_get_sequence (changes);
  listener->resynced = ldb_change_set_get_resync (changes);
}

/* Takes the watch over. */
static void
listen_to (Listener *listener, LdbWatch *watch)
{
  g_assert_nonnull (watch);
  *listener = (Listener){ .watch = watch, .thread = g_thread_self () };
  listener->told = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (watch, "changed", G_CALLBACK (note), listener);
}

static void
listener_clear (Listener *listener)
{
  if (listener->watch != NULL)
    g_signal_handlers_disconnect_by_data (listener->watch, listener);
  g_clear_object (&listener->watch);
  g_clear_pointer (&listener->told, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listener, listener_clear)

/* Waits for one emission, and for it alone. */
static void
expect (Listener *listener, const char *text)
{
  wait_until (listener->told->len > 0);
  g_assert_cmpuint (listener->told->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (listener->told, 0), ==, text);
  g_ptr_array_set_size (listener->told, 0);
}

/* Nothing came but what was expected. What would come, would come now: a change that another watch
 * sees in the same frame is awaited first. */
static void
expect_nothing_more (Listener *listener)
{
  run_for (40);
  g_assert_cmpuint (listener->told->len, ==, 0);
}

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

typedef struct
{
  guint emissions, changes; /* of all watches */
} Sum;

static void
add_up (LdbWatch *watch, LdbChangeSet *changes, Sum *sum)
{
  g_assert_false (ldb_change_set_get_resync (changes));
  sum->emissions++;
  sum->changes += ldb_change_set_get_n_changes (changes);
}

#define CROWD 400
#define CROWD_KEYS 1500

/* What gathers for many watches is one and the same, and takes memory once: none of them lags. */
static void
test_crowd (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GPtrArray) watches = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  Sum sum = { 0 };
  for (guint i = 0; i < CROWD; i++)
    {
      LdbWatch *watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
      g_assert_no_error (error);
      g_ptr_array_add (watches, watch);
      g_signal_connect (watch, "changed", G_CALLBACK (add_up), &sum);
      ldb_watch_pause (watch);
    }
  for (guint i = 0; i < CROWD_KEYS; i++)
    {
      char key[24];
      g_snprintf (key, sizeof key, "key-%012u", i);
      ldb_batch_put_string (batch, NULL, key, "1", &error);
    }
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  for (guint i = 0; i < CROWD; i++)
    ldb_watch_resume (g_ptr_array_index (watches, i));
  wait_until (sum.emissions == CROWD);
  g_assert_cmpuint (sum.changes, ==, CROWD * CROWD_KEYS);
  g_assert_no_error (error);
}

#define TOLD_KEYS 8000
#define TOLD_SIZE 7000

/* Beside a watch that is paused, values that another one is told do not stay: what gathers is keys.
 * Values that somebody holds count as memory in use. */
static void
test_values_go (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 16 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autoptr (LdbWatch) paused = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_autoptr (LdbWatch) told = ldb_database_watch_all (db, LDB_WATCH_VALUES, &error);
  g_autofree guint32 *value = g_malloc0 (TOLD_SIZE);
  Sum sum = { 0 };
  g_signal_connect (told, "changed", G_CALLBACK (add_up), &sum);
  ldb_watch_pause (paused);
  for (guint i = 0; i < TOLD_KEYS; i++)
    {
      value[0] = i;
      g_assert_true (ldb_database_put (db, &i, sizeof i, value, TOLD_SIZE, NULL, &error));
      if (i % 100 == 99)
        wait_until (sum.changes == i + 1);
    }
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_no_error (error);
  g_test_message ("%" G_GUINT64_FORMAT " bytes of memory in use", stats->memory_used);
  g_assert_cmpuint (stats->memory_used, <, 2 * stats->memory_budget);
  g_assert_cmpuint (stats->memory_budget, <, TOLD_KEYS * TOLD_SIZE / 3);
  /* The paused one is told of all of them all the same. */
  g_signal_connect (paused, "changed", G_CALLBACK (add_up), &sum);
  ldb_watch_resume (paused);
  wait_until (sum.changes == 2 * TOLD_KEYS);
}

static gboolean
newest_is (Listener *listener, const char *text)
{
  guint count = listener->told->len;
  return count > 0 && strcmp (g_ptr_array_index (listener->told, count - 1), text) == 0;
}

#define LAG_LIMIT 10

/* A watch that lagged was told so at last. Before that it may have been told of as many changes as
 * may gather, should the hub have got a core just then. */
static void
check_lagged (Listener *listener, const char *resync)
{
  g_assert_true (newest_is (listener, resync));
  for (guint i = 0; i + 1 < listener->told->len; i++)
    {
      const char *text = g_ptr_array_index (listener->told, i);
      guint changes = 1;
      for (const char *at = text; (at = strstr (at, ", ")) != NULL; at++)
        changes++;
      g_assert_true (strcmp (text, resync) == 0
                     || (g_str_has_prefix (text, "put k") && changes <= LAG_LIMIT));
    }
  g_ptr_array_set_size (listener->told, 0);
}

/* More changes than may gather: a resync, then exact again. Writers go on all the while. */
static void
test_lag (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) slow = { 0 }, other = { 0 }, key = { 0 };
  listen_to (&slow, ldb_database_watch_prefix (db, "k", 1, LDB_WATCH_VALUES, &error));
  listen_to (&other, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  listen_to (&key, ldb_database_watch_key (db, "k005", 4, LDB_WATCH_VALUES, &error));
  ldb_watch_set_max_changes (slow.watch, LAG_LIMIT);
  ldb_watch_set_max_changes (key.watch, 1);
  for (guint round = 0; round < 5; round++)
    {
      for (guint i = 0; i < 100; i++)
        {
          char name[8];
          g_snprintf (name, sizeof name, "k%03u", i);
          put (db, name, (const char[]){ (char) ('0' + round), '\0' });
        }
      g_usleep (20000);
    }
  wait_until (slow.resynced && slow.sequence == ldb_database_get_sequence (db));
  check_lagged (&slow, "resync [k,l)");
  wait_until (other.sequence == ldb_database_get_sequence (db));
  /* A single key never lags, however often it is told. */
  wait_until (newest_is (&key, "put k005=4"));
  for (guint i = 0; i < key.told->len; i++)
    g_assert_true (g_str_has_prefix (g_ptr_array_index (key.told, i), "put k005="));
  put (db, "k", "new");
  expect (&slow, "put k=new");
  /* Just as many as may be. */
  ldb_watch_pause (slow.watch);
  for (guint i = 0; i < 10; i++)
    for (guint repeat = 0; repeat < 5; repeat++)
      put (db, (const char[]){ 'k', (char) ('0' + i), '\0' },
           (const char[]){ (char) ('0' + repeat), '\0' });
  run_for (60);
  ldb_watch_resume (slow.watch);
  expect (&slow, "put k0=4, put k1=4, put k2=4, put k3=4, put k4=4, put k5=4, put k6=4, put k7=4, "
                 "put k8=4, put k9=4");
  ldb_watch_pause (slow.watch);
  for (guint i = 0; i < 11; i++)
    put (db, (const char[]){ 'k', (char) ('0' + i), '\0' }, "x");
  run_for (60);
  ldb_watch_resume (slow.watch);
  expect (&slow, "resync [k,l)");
  g_assert_no_error (error);
}

typedef struct
{
  guint changes;     /* told */
  gboolean resynced; /* or that everything is to be read anew */
} Tally;

static void
tally (LdbWatch *watch, LdbChangeSet *changes, Tally *self)
{
  if (ldb_change_set_get_resync (changes))
    self->resynced = TRUE;
  else
    self->changes += ldb_change_set_get_n_changes (changes);
}

#define LONG_KEY 50000

/* `read` is of a watch of the key "~", by which one knows that what was put before has been read:
 * a log that moves on too fast is a reason of its own to read anew. */
static void
put_long_keys (LdbDatabase *db, char prefix, guint count, const Tally *read)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key = g_strnfill (LONG_KEY, prefix);
  for (guint i = 0; i < count; i++)
    {
      char number[8];
      guint told = read->changes;
      memcpy (key + 1, number, (gsize) g_snprintf (number, sizeof number, "%04u", i));
      g_assert_true (ldb_database_put (db, key, LONG_KEY, "v", 1, NULL, &error));
      if (i % 40 != 39)
        continue;
      put (db, "~", number);
      wait_until (read->changes > told);
    }
}

#define TALLIES 6

/* Few keys, but long ones: what gathers for one watch takes 16 MiB at most, and for all 64 MiB. */
static void
test_long_keys (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  LdbWatch *watches[TALLIES];
  Tally tallies[TALLIES] = { 0 }, read = { 0 };
  guint resynced = 0;
  g_autoptr (LdbWatch) reading = ldb_database_watch_key (db, "~", 1, LDB_WATCH_NONE, &error);
  g_signal_connect (reading, "changed", G_CALLBACK (tally), &read);
  for (guint i = 0; i < TALLIES; i++)
    {
      char prefix = (char) ('a' + i);
      watches[i] = ldb_database_watch_prefix (db, &prefix, 1, LDB_WATCH_NONE, &error);
      g_assert_no_error (error);
      g_signal_connect (watches[i], "changed", G_CALLBACK (tally), &tallies[i]);
      ldb_watch_pause (watches[i]);
    }
  put_long_keys (db, 'a', 400, &read); /* 20 MB */
  ldb_watch_resume (watches[0]);
  wait_until (tallies[0].resynced || tallies[0].changes > 0);
  g_assert_true (tallies[0].resynced);
  for (guint i = 1; i < TALLIES; i++)
    put_long_keys (db, (char) ('a' + i), 320, &read); /* 16 MB each, 80 MB together */
  for (guint i = 1; i < TALLIES; i++)
    {
      ldb_watch_resume (watches[i]);
      wait_until (tallies[i].resynced || tallies[i].changes > 0);
      g_assert_true (tallies[i].resynced ? tallies[i].changes == 0 : tallies[i].changes == 320);
      resynced += tallies[i].resynced;
    }
  g_assert_cmpuint (resynced, >, 0);
  g_assert_cmpuint (resynced, <, TALLIES - 1);
  /* All are told of what comes. */
  for (guint i = 0; i < TALLIES; i++)
    {
      tallies[i] = (Tally){ 0 };
      put (db, (const char[]){ (char) ('a' + i), '\0' }, "1");
      wait_until (tallies[i].changes == 1);
      g_assert_false (tallies[i].resynced);
      g_object_unref (watches[i]);
    }
}

typedef struct
{
  LdbWatch *watch; /* borrowed */
  gint enough;     /* atomic */
} Meddler;

static gpointer
meddle (gpointer data)
{
  Meddler *meddler = data;
  for (guint i = 0; !g_atomic_int_get (&meddler->enough); i++)
    {
      ldb_watch_set_max_changes (meddler->watch, 1 + i % 7);
      ldb_watch_set_batch_interval (meddler->watch, i % 3);
      ldb_watch_set_paused (meddler->watch, i % 5 == 0);
      g_usleep (100);
    }
  return NULL;
}

/* Another thread changes the settings all the while. (ThreadSanitizer sees whether they are guarded.) */
static void
test_meddling (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) listener = { 0 };
  listen_to (&listener, ldb_database_watch_all (db, LDB_WATCH_VALUES, &error));
  Meddler meddler = { .watch = listener.watch };
  GThread *thread = g_thread_new ("meddler", meddle, &meddler);
  for (guint i = 0; i < 3000; i++)
    {
      put (db, (const char[]){ (char) ('a' + i % 20), '\0' }, i / 20 % 2 ? "1" : "2");
      if (i % 20 == 0)
        run_for (1);
    }
  g_atomic_int_set (&meddler.enough, 1);
  g_thread_join (thread);
  ldb_watch_resume (listener.watch);
  put (db, "z", "last");
  wait_until (listener.sequence == ldb_database_get_sequence (db));
}

/* ---- the past ---- */

static void
test_replay (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_auto (Listener) all = { 0 };
  GAsyncResult *result = NULL;
  put (db, "a", "1");
  put (db, "b", "1");
  guint64 since = ldb_database_get_sequence (db);
  put (db, "a", "2");
  put (db, "c", "1");
  delete (db, "b");
  put (db, "a", "1");
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_VALUES, &error));
  g_assert_cmpuint (ldb_watch_get_sequence (all.watch), ==, since + 4);
  g_assert_true (ldb_watch_replay (all.watch, since, NULL, &error));
  g_assert_no_error (error);
  expect (&all, "put c=1, delete b, put a=1");
  put (db, "d", "1");
  expect (&all, "put d=1");
  ldb_watch_replay_async (all.watch, since + 2, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_true (ldb_watch_replay_finish (all.watch, done, &error));
  expect (&all, "delete b, put a=1, put d=1");
  /* Behind the newest commit there is nothing to tell, yet. */
  g_assert_true (ldb_watch_replay (all.watch, since + 5, NULL, &error));
  expect_nothing_more (&all);
  put (db, "e", "1");
  expect (&all, "put e=1");
  g_assert_false (ldb_watch_replay (all.watch, since + 1000, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_HISTORY_GONE, "read the data anew");
  /* A watch that could not begin anew goes on. */
  put (db, "f", "1");
  expect (&all, "put f=1");
  g_assert_cmpuint (ldb_database_get_history_start (db, &error), <=, since);
}

/* A watch that others replay and write to meanwhile. */
typedef struct
{
  LdbWatch *watch; /* borrowed */
  LdbDatabase *db; /* borrowed */
  guint64 since;   /* the least to replay from */
  gint writing;    /* atomic */
} Replayed;

static gpointer
write_on_and_on (gpointer data)
{
  Replayed *replayed = data;
  for (guint i = 0; i < 15000; i++)
    {
      put (replayed->db, (const char[]){ (char) ('a' + i % 20), (char) ('a' + i / 20 % 3), '\0' },
           i / 60 % 2 ? "1" : "2");
      g_usleep (20);
    }
  g_atomic_int_set (&replayed->writing, 0);
  return NULL;
}

static gpointer
replay_on_and_on (gpointer data)
{
  Replayed *replayed = data;
  g_autoptr (GError) error = NULL;
  for (guint i = 0; g_atomic_int_get (&replayed->writing); i++)
    {
      guint64 told = ldb_watch_get_sequence (replayed->watch), back = i % 20;
      ldb_watch_replay (replayed->watch, MAX (replayed->since, told - MIN (back, told)), NULL,
                        &error);
      g_assert_no_error (error);
      g_usleep (i % 300);
    }
  return NULL;
}

/* Whatever is asked when: each emission leads to the state of the one before, or a later one (which
 * note() looks at), also when a resync has told more than was read. */
static void
test_replay_meanwhile (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_change_retention (options, 64 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_auto (Listener) all = { 0 };
  put (db, "a", "1");
  listen_to (&all, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  ldb_watch_set_max_changes (all.watch, 12);
  ldb_watch_set_batch_interval (all.watch, 0);
  Replayed replayed = { all.watch, db, ldb_database_get_sequence (db), 1 };
  GThread *writer = g_thread_new ("writer", write_on_and_on, &replayed);
  GThread *replayer = g_thread_new ("replayer", replay_on_and_on, &replayed);
  while (g_atomic_int_get (&replayed.writing))
    g_main_context_iteration (NULL, FALSE);
  g_thread_join (writer);
  g_thread_join (replayer);
  put (db, "z", "last");
  wait_until (all.sequence == ldb_database_get_sequence (db));
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
  add_test ("/watch/crowd", test_crowd);
  add_test ("/watch/values-go", test_values_go);
  add_test ("/watch/lag", test_lag);
  add_test ("/watch/long-keys", test_long_keys);
  add_test ("/watch/meddling", test_meddling);
  add_test ("/watch/replay", test_replay);
  add_test ("/watch/replay-meanwhile", test_replay_meanwhile);
  return g_test_run ();
}
