/* SPDX-License-Identifier: MIT */
/*
 * LdbWatch when much gathers: what that takes, and what is told when it is too much; and the past,
 * told once more.
 */
#include "watch-listener.h"

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
  add_test ("/watch/crowd", test_crowd);
  add_test ("/watch/values-go", test_values_go);
  add_test ("/watch/lag", test_lag);
  add_test ("/watch/long-keys", test_long_keys);
  add_test ("/watch/meddling", test_meddling);
  add_test ("/watch/replay", test_replay);
  add_test ("/watch/replay-meanwhile", test_replay_meanwhile);
  return g_test_run ();
}
