/* SPDX-License-Identifier: MIT */
/*
 * Watches, entries and feeds: what is refused, what a number that is not kept gives, and every way to
 * end.
 */
#include "watch-test.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- what is refused ---- */

#define assert_refused(object, code, ...)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_null (object);                                                                        \
    assert_ldb_error (error, code, __VA_ARGS__);                                                   \
  }                                                                                                \
  G_STMT_END

static void
test_bad_input (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree char *long_key = g_strnfill (65537, 'k');
  const LdbWatchFlags none = LDB_WATCH_NONE;
  const LdbError wrong = LDB_ERROR_INVALID_ARGUMENT, large = LDB_ERROR_KEY_TOO_LARGE;
  assert_refused (ldb_database_watch_range (db, "b", 1, "b", 1, none, &error), wrong, "empty");
  assert_refused (ldb_database_watch_range (db, "c", 1, "b", 1, none, &error), wrong, "Swap");
  assert_refused (ldb_database_watch_key (db, "", 0, none, &error), wrong, "key");
  assert_refused (ldb_database_watch_entry (db, "", 0, &error), wrong, "key");
  assert_refused (ldb_database_watch_key (db, long_key, 65537, none, &error), large, "65537");
  assert_refused (ldb_database_watch_entry (db, long_key, 65537, &error), large, "65537");
  assert_refused (ldb_database_watch_prefix (db, long_key, 65537, none, &error), large, "65537");
  assert_refused (ldb_database_watch_range (db, NULL, 0, long_key, 65537, none, &error), large,
                  "65537");
}

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbFeed) feed = ldb_database_create_feed (db, 0, NULL, &error);
  g_autoptr (LdbEntry) entry = ldb_database_watch_entry (db, "a", 1, &error);
  g_autoptr (LdbWatch) watch = ldb_store_watch_all (store, LDB_WATCH_NONE, &error);
  GAsyncResult *result = NULL;
  const LdbError closed = LDB_ERROR_CLOSED;
  g_assert_no_error (error);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_true (ldb_watch_is_closed (watch));
  g_assert_true (ldb_entry_is_closed (entry));
  g_assert_true (ldb_feed_is_closed (feed));
  assert_refused (ldb_database_watch_key (db, "a", 1, LDB_WATCH_NONE, &error), closed, place->path);
  assert_refused (ldb_database_watch_prefix (db, "a", 1, LDB_WATCH_NONE, &error), closed, "open");
  assert_refused (ldb_database_watch_range (db, "a", 1, "b", 1, LDB_WATCH_NONE, &error), closed,
                  "open");
  assert_refused (ldb_database_watch_all (db, LDB_WATCH_NONE, &error), closed, "open");
  assert_refused (ldb_database_watch_stores (db, LDB_WATCH_NONE, &error), closed, "open");
  assert_refused (ldb_store_watch_all (store, LDB_WATCH_NONE, &error), closed, "open");
  assert_refused (ldb_database_watch_entry (db, "a", 1, &error), closed, "open");
  assert_refused (ldb_database_create_feed (db, 0, NULL, &error), closed, "open");
  assert_refused (
      ldb_list_model_new (db, store, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error),
      closed, "open");
  assert_refused (ldb_feed_read_commit (feed, NULL, &error), closed, place->path);
  g_assert_false (ldb_feed_wait (feed, NULL, &error));
  assert_ldb_error (error, closed, place->path);
  g_assert_false (ldb_watch_replay (watch, 0, NULL, &error));
  assert_ldb_error (error, closed, place->path);
  ldb_database_create_feed_async (db, 0, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  assert_refused (ldb_database_create_feed_finish (db, done, &error), closed, place->path);
  /* Settings of what is closed are harmless. */
  ldb_watch_set_batch_interval (watch, 5);
  ldb_watch_set_max_changes (watch, 5);
  ldb_watch_pause (watch);
  ldb_watch_resume (watch);
}

/* Bytes that are no text have no string, and are told all the same. */
static void
note_key (LdbWatch *watch, LdbChangeSet *changes, GBytes **key)
{
  LdbChange *change = ldb_change_set_get_change (changes, 0);
  g_assert_null (ldb_change_dup_key_string (change));
  *key = g_bytes_ref (ldb_change_get_key (change));
}

static void
test_no_text (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_autoptr (LdbEntry) entry = ldb_database_watch_entry (db, "\xff\xfe", 2, &error);
  g_autoptr (GBytes) key = NULL;
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (note_key), &key);
  g_assert_true (ldb_database_put (db, "\xff\xfe", 2, "\xc3\x28", 2, NULL, &error));
  wait_until (key != NULL && ldb_entry_get_exists (entry));
  assert_bytes (key, "\xff\xfe");
  assert_bytes (ldb_entry_get_key (entry), "\xff\xfe");
  assert_bytes (ldb_entry_get_value (entry), "\xc3\x28");
  g_assert_null (ldb_entry_dup_text (entry));
  g_assert_null (ldb_entry_dup_variant (entry));
  g_assert_null (ldb_database_get_string (db, "\xff\xfe", NULL, &error));
  g_assert_nonnull (error);
}

/* ---- commits that are not kept ---- */

/* Numbers of the future, the greatest one among them, and of a past that has gone. */
static void
test_history (Place *place, gconstpointer data)
{
  const guint64 future[] = { 1000, G_GUINT64_CONSTANT (1) << 53, G_MAXUINT64 - 1, G_MAXUINT64 };
  const LdbError gone = LDB_ERROR_HISTORY_GONE;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  GAsyncResult *result = NULL;
  put (db, "a", "1");
  for (guint i = 0; i < G_N_ELEMENTS (future); i++)
    {
      assert_refused (ldb_database_create_feed (db, future[i], NULL, &error), gone, "anew");
      g_assert_false (ldb_watch_replay (watch, future[i], NULL, &error));
      assert_ldb_error (error, gone, "anew");
    }
  ldb_database_create_feed_async (db, G_MAXUINT64, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  assert_refused (ldb_database_create_feed_finish (db, done, &error), gone, "anew");
  g_assert_true (ldb_database_close (db, NULL, &error)); /* its log goes, as nothing is retained */
  g_autoptr (LdbDatabase) later = place_open (place, NULL);
  guint64 oldest = ldb_database_get_history_start (later, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (oldest, >, 0);
  g_autoptr (LdbWatch) watching = ldb_database_watch_all (later, LDB_WATCH_NONE, &error);
  assert_refused (ldb_database_create_feed (later, oldest - 1, NULL, &error), gone,
                  "change-retention");
  g_assert_false (ldb_watch_replay (watching, oldest - 1, NULL, &error));
  assert_ldb_error (error, gone, "change-retention");
  g_assert_true (ldb_watch_replay (watching, oldest, NULL, &error));
  g_assert_no_error (error);
}

static void
count_changes (LdbWatch *watch, LdbChangeSet *changes, guint *count)
{
  g_assert_false (ldb_change_set_get_resync (changes));
  *count += ldb_change_set_get_n_changes (changes);
}

/* With change-retention it survives closing. */
static void
test_retention (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_change_retention (options, 64 << 20);
  LdbDatabase *db = place_open (place, options);
  put (db, "a", "1");
  guint64 since = ldb_database_get_sequence (db);
  for (guint i = 0; i < 100; i++)
    put (db, (const char[]){ 'b', (char) ('0' + i % 10), '\0' }, "1");
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_object_unref (db);
  db = place_open (place, options);
  guint count = 0;
  g_autoptr (LdbFeed) feed = ldb_database_create_feed (db, since, NULL, &error);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_signal_connect (watch, "changed", G_CALLBACK (count_changes), &count);
  g_assert_true (ldb_watch_replay (watch, since, NULL, &error));
  wait_until (count == 10);
  for (guint64 i = 1; i <= 100; i++)
    {
      g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit (feed, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_change_set_get_sequence (commit), ==, since + i);
      g_assert_cmpuint (ldb_change_set_get_since (commit), ==, since + i - 1);
    }
  g_object_unref (db);
}

/* ---- feeds that wait ---- */

/* What ends a wait. */
typedef enum
{
  END_COMMIT,
  END_CANCEL,
  END_FEED,
  END_DATABASE,
  N_ENDS,
} End;

static void
end_by (End end, LdbDatabase *db, LdbFeed *feed, GCancellable *cancellable)
{
  if (end == END_COMMIT)
    put (db, "k", "v");
  else if (end == END_CANCEL)
    g_cancellable_cancel (cancellable);
  else if (end == END_FEED)
    ldb_feed_close (feed);
  else
    g_assert_true (ldb_database_close (db, NULL, NULL));
}

/* Clears the error. */
static void
assert_ended (End end, gboolean success, GError **error)
{
  g_assert_true (success == (end == END_COMMIT));
  if (end == END_COMMIT)
    g_assert_no_error (*error);
  else if (end == END_CANCEL)
    g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else
    g_assert_error (*error, LDB_ERROR, LDB_ERROR_CLOSED);
  g_clear_error (error);
}

typedef struct
{
  LdbDatabase *db;           /* borrowed */
  LdbFeed *feed;             /* borrowed */
  GCancellable *cancellable; /* borrowed */
  End end;                   /* how */
} Ending;

static gpointer
end_soon (gpointer data)
{
  Ending *ending = data;
  g_usleep (3000);
  end_by (ending->end, ending->db, ending->feed, ending->cancellable);
  return NULL;
}

/* Another thread ends a wait that blocks. */
static void
test_wait (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 40; round++)
    {
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      g_autoptr (LdbFeed) feed
          = ldb_database_create_feed (db, ldb_database_get_sequence (db), NULL, &error);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Ending ending = { db, feed, cancellable, round % N_ENDS };
      GThread *thread = g_thread_new ("end", end_soon, &ending);
      gboolean there = ldb_feed_wait (feed, cancellable, &error);
      g_thread_join (thread);
      assert_ended (ending.end, there, &error);
      if (ending.end != END_CANCEL)
        continue;
      /* It goes on as if it had not been asked. */
      put (db, "k", "w");
      g_assert_true (ldb_feed_wait (feed, NULL, &error));
      g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit (feed, NULL, &error);
      g_assert_cmpuint (ldb_change_set_get_sequence (commit), ==, ldb_database_get_sequence (db));
      g_assert_no_error (error);
    }
}

/* An asynchronous one: the same, and nothing else may be asked of the feed meanwhile. */
static void
test_wait_async (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 80; round++)
    {
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      g_autoptr (LdbFeed) feed
          = ldb_database_create_feed (db, ldb_database_get_sequence (db), NULL, &error);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      End end = round % N_ENDS;
      gboolean reads = round / N_ENDS % 2, success;
      GAsyncResult *result = NULL, *second = NULL;
      if (round / N_ENDS % 4 == 3) /* before it begins */
        end_by (end, db, feed, cancellable);
      if (reads)
        ldb_feed_read_commit_async (feed, cancellable, KEEP (result));
      else
        ldb_feed_wait_async (feed, cancellable, KEEP (result));
      if (round / N_ENDS % 4 != 3)
        {
          ldb_feed_wait_async (feed, NULL, KEEP (second));
          g_autoptr (GAsyncResult) refused = ldb_test_wait (&second);
          g_assert_false (ldb_feed_wait_finish (feed, refused, &error));
          assert_ldb_error (error, LDB_ERROR_PENDING, "feed");
          assert_refused (ldb_feed_read_commit (feed, NULL, &error), LDB_ERROR_PENDING, "feed");
          g_assert_null (result);
          end_by (end, db, feed, cancellable);
        }
      g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
      g_autoptr (LdbChangeSet) commit = NULL;
      if (reads)
        success = (commit = ldb_feed_read_commit_finish (feed, done, &error)) != NULL;
      else
        success = ldb_feed_wait_finish (feed, done, &error);
      assert_ended (end, success, &error);
      if (end == END_CANCEL || (end == END_COMMIT && !reads)) /* nothing was passed over */
        {
          put (db, "k", "w");
          g_clear_object (&commit);
          commit = ldb_feed_read_commit (feed, NULL, &error);
          g_assert_no_error (error);
          g_assert_cmpuint (ldb_change_set_get_sequence (commit), ==,
                            ldb_database_get_sequence (db) - (end == END_COMMIT));
        }
    }
}

/* ---- ends ---- */

enum
{
  DATABASE,
  STORE,
  WATCH,
  STORES_WATCH,
  ENTRY,
  FEED,
  LIST,
  CHANGES,
  N_OBJECTS,
};

static void
keep_changes (LdbWatch *watch, LdbChangeSet *changes, GObject **kept)
{
  g_set_object (kept, G_OBJECT (changes));
  g_object_unref (ldb_change_set_get_snapshot (changes)); /* which it keeps from here on */
}

static void
make_all (Place *place, GObject *objects[N_OBJECTS])
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = place_open (place, NULL);
  LdbStore *store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  objects[DATABASE] = G_OBJECT (db);
  objects[STORE] = G_OBJECT (store);
  objects[WATCH] = G_OBJECT (ldb_store_watch_prefix (store, "k", 1, LDB_WATCH_VALUES, &error));
  objects[STORES_WATCH] = G_OBJECT (ldb_database_watch_stores (db, LDB_WATCH_UNCHANGED, &error));
  objects[ENTRY] = G_OBJECT (ldb_store_watch_entry (store, "k", 1, &error));
  objects[FEED]
      = G_OBJECT (ldb_database_create_feed (db, ldb_database_get_sequence (db), NULL, &error));
  objects[LIST] = G_OBJECT (
      ldb_list_model_new (db, store, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error));
  g_assert_no_error (error);
  gulong handler = g_signal_connect (objects[STORES_WATCH], "changed", G_CALLBACK (keep_changes),
                                     &objects[CHANGES]);
  g_assert_true (ldb_store_put_string (store, "k", "1", NULL, &error));
  wait_until (objects[CHANGES] != NULL);
  g_signal_handler_disconnect (objects[STORES_WATCH], handler);
}

static void
count_down (GObject *source, GAsyncResult *result, gpointer left)
{
  --*(guint *) left;
}

/* What still waits for a commit holds its feed, and that the database: it ends, too. */
static void
end_what_waits (guint *waiting)
{
  g_autoptr (GPtrArray) open = ldb_database_list_open ();
  for (guint i = 0; i < open->len; i++)
    g_assert_true (ldb_database_close (g_ptr_array_index (open, i), NULL, NULL));
  wait_until (*waiting == 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Whatever is closed or goes first, and whatever is under way then. */
static void
test_any_order (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (13);
  for (guint round = 0; round < 150; round++)
    {
      GObject *objects[N_OBJECTS] = { NULL };
      guint waiting = 2;
      make_all (place, objects);
      ldb_feed_read_commit_async (LDB_FEED (objects[FEED]), NULL, count_down, &waiting);
      ldb_watch_replay_async (LDB_WATCH (objects[WATCH]), 0, NULL, count_down, &waiting);
      for (gint i = g_rand_int_range (random, 0, 4); i > 0; i--)
        {
          ldb_store_put_string (LDB_STORE (objects[STORE]), "k", i % 2 ? "1" : "2", NULL, NULL);
          g_usleep ((gulong) g_rand_int_range (random, 0, 300));
        }
      if (g_rand_boolean (random))
        ldb_watch_close (LDB_WATCH (objects[WATCH]));
      if (g_rand_boolean (random))
        ldb_entry_close (LDB_ENTRY (objects[ENTRY]));
      if (g_rand_boolean (random))
        ldb_feed_close (LDB_FEED (objects[FEED]));
      if (g_rand_boolean (random))
        ldb_list_model_close (LDB_LIST_MODEL (objects[LIST]));
      if (g_rand_boolean (random))
        ldb_database_close (LDB_DATABASE (objects[DATABASE]), NULL, NULL);
      for (guint left = N_OBJECTS; left > 0; left--)
        {
          guint chosen = (guint) g_rand_int_range (random, 0, (gint32) left);
          g_object_unref (objects[chosen]);
          objects[chosen] = objects[left - 1];
          if (g_rand_boolean (random))
            g_main_context_iteration (NULL, FALSE);
        }
      end_what_waits (&waiting);
    }
}

/* In the child of a fork all of it refuses and does no harm. */
static void
use_in_child (Place *place, GObject *objects[N_OBJECTS])
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = LDB_DATABASE (objects[DATABASE]);
  LdbWatch *watch = LDB_WATCH (objects[WATCH]);
  g_assert_true (ldb_watch_is_closed (watch));
  g_assert_true (ldb_entry_is_closed (LDB_ENTRY (objects[ENTRY])));
  g_assert_true (ldb_feed_is_closed (LDB_FEED (objects[FEED])));
  assert_bytes (ldb_entry_get_value (LDB_ENTRY (objects[ENTRY])), "1");
  ldb_watch_pause (watch);
  ldb_watch_set_max_changes (watch, 5);
  g_assert_false (ldb_watch_replay (watch, 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, "anew");
  assert_refused (ldb_feed_read_commit (LDB_FEED (objects[FEED]), NULL, &error), LDB_ERROR_FORKED,
                  place->path);
  assert_refused (ldb_database_watch_all (db, LDB_WATCH_NONE, &error), LDB_ERROR_FORKED,
                  place->path);
  assert_refused (ldb_database_create_feed (db, 0, NULL, &error), LDB_ERROR_FORKED, place->path);
  ldb_feed_close (LDB_FEED (objects[FEED]));
  ldb_watch_close (watch);
  for (guint i = N_OBJECTS; i > 0; i--)
    g_object_unref (objects[i - 1]);
}

static void
test_fork (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GObject *objects[N_OBJECTS] = { NULL };
  guint count = 0;
  int state = 0;
  make_all (place, objects);
  wait_until (ldb_entry_get_exists (LDB_ENTRY (objects[ENTRY])));
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (300);
      use_in_child (place, objects);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_cmpint (state, ==, 0);
  /* The parent has not noticed. */
  g_signal_connect (objects[STORES_WATCH], "changed", G_CALLBACK (count_changes), &count);
  g_assert_true (ldb_store_put_string (LDB_STORE (objects[STORE]), "l", "1", NULL, &error));
  wait_until (count == 1 && g_list_model_get_n_items (G_LIST_MODEL (objects[LIST])) == 2);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LdbChangeSet) commit
          = ldb_feed_read_commit (LDB_FEED (objects[FEED]), NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_change_set_get_n_changes (commit), ==, 1);
    }
  for (guint i = 0; i < N_OBJECTS; i++)
    g_object_unref (objects[i]);
}

/* A frame that a pause took back holds two states of the database. It is let go of, too, when the
 * handle is closed before the hub has fetched it. */
static void
test_pause_and_end (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (LdbDatabase) other = place_open (place, NULL);
      g_autoptr (LdbWatch) watch = ldb_database_watch_all (other, LDB_WATCH_UNCHANGED, &error);
      g_assert_no_error (error);
      put (db, "a", "1");
      for (guint waits = 0; !g_main_context_pending (NULL); waits++)
        {
          g_assert_cmpuint (waits, <, 3000000);
          g_usleep (100);
        }
      ldb_watch_pause (watch);
      g_assert_true (ldb_database_close (other, NULL, &error));
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  guint64 held = 1;
  for (guint waits = 0; held > 0; waits++)
    {
      g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
      g_assert_no_error (error);
      held = stats->snapshots;
      g_assert_cmpuint (waits, <, 600);
      if (held > 0)
        g_usleep (100000); /* the hub's thread has things to do */
    }
}

/* Two threads that begin at the same moment. */
typedef struct
{
  LdbWatch *watch; /* of which each sets something else */
  gboolean pace;   /* how often it is told; else whether it is paused */
  gint waiting;    /* how many have not come yet; atomic */
} Contest;

static gpointer
contend (Contest *contest, gboolean holds_up)
{
  g_atomic_int_add (&contest->waiting, -1);
  while (g_atomic_int_get (&contest->waiting) > 0)
    g_thread_yield ();
  if (contest->pace)
    ldb_watch_set_batch_interval (contest->watch, holds_up ? 3600000 : 0);
  else
    ldb_watch_set_paused (contest->watch, holds_up);
  return NULL;
}

static gpointer
hold_it_up (gpointer contest)
{
  return contend (contest, TRUE);
}

static gpointer
let_it_go (gpointer contest)
{
  return contend (contest, FALSE);
}

/* Whoever was last, what the watch says of itself is what it does. */
static void
test_settings_on_threads (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_UNCHANGED, &error);
  guint count = 0;
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (count_changes), &count);
  ldb_watch_set_batch_interval (watch, 0);
  for (guint i = 1; i <= 1000; i++)
    {
      Contest contest = { .watch = watch, .pace = i % 2, .waiting = 2 };
      GThread *one = g_thread_new ("one", hold_it_up, &contest);
      GThread *two = g_thread_new ("two", let_it_go, &contest);
      g_thread_join (one);
      g_thread_join (two);
      ldb_watch_resume (watch);
      ldb_watch_set_batch_interval (watch, 0);
      g_assert_false (ldb_watch_get_paused (watch));
      g_assert_cmpuint (ldb_watch_get_batch_interval (watch), ==, 0);
      put (db, "a", "1");
      wait_until (count == i);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/watch-ends/bad-input", test_bad_input);
  add_test ("/watch-ends/closed", test_closed);
  add_test ("/watch-ends/no-text", test_no_text);
  add_test ("/watch-ends/history", test_history);
  add_test ("/watch-ends/retention", test_retention);
  add_test ("/watch-ends/wait", test_wait);
  add_test ("/watch-ends/wait-async", test_wait_async);
  add_test ("/watch-ends/any-order", test_any_order);
  add_test ("/watch-ends/fork", test_fork);
  add_test ("/watch-ends/pause-and-end", test_pause_and_end);
  add_test ("/watch-ends/settings-on-threads", test_settings_on_threads);
  return g_test_run ();
}
