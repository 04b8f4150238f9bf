/* SPDX-License-Identifier: MIT */
/*
 * No thread can be started, as when a process has as many as it may: what needs one says so or waits
 * for better times, and nothing waits for ever.
 */
#include "ldb-test.h"
#include "watch-test.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

static gint refused; /* boolean: no thread is started; atomic */
static gint asked;   /* times one was refused; atomic */

/* Whether the library calls from there. GLib does not live without its threads. */
static gboolean
is_ours (const void *caller)
{
  Dl_info info;
  return dladdr (caller, &info) != 0 && strstr (info.dli_fname, "liblightning-db") != NULL;
}

/* All threads of the process are started through this. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*run) (void *),
                void *data)
{
  static int (*create) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
  if (create == NULL)
    *(void **) &create = dlsym (RTLD_NEXT, "pthread_create");
  if (!g_atomic_int_get (&refused) || !is_ours (__builtin_return_address (0)))
    return create (thread, attributes, run, data);
  g_atomic_int_inc (&asked);
  return EAGAIN;
}

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint count = 0;
  while (g_dir_read_name (tasks) != NULL)
    count++;
  return count;
}

static void
count_changes (LdbWatch *watch, LdbChangeSet *changes, guint *count)
{
  *count += ldb_change_set_get_n_changes (changes);
}

/* A watch is told as soon as there are threads again. */
static void
test_watch (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint count = 0;
  g_atomic_int_set (&refused, TRUE);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (count_changes), &count);
  put (db, "k", "v");
  gint before = g_atomic_int_get (&asked);
  wait_until (g_atomic_int_get (&asked) > before + 2); /* it is tried again and again */
  g_assert_cmpuint (count, ==, 0);
  g_atomic_int_set (&refused, FALSE);
  wait_until (count == 1);
}

static LdbFeed *
make_feed (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  LdbFeed *feed = ldb_database_create_feed (db, ldb_database_get_sequence (db), NULL, &error);
  g_assert_no_error (error);
  return feed;
}

/* Who only waits for a commit has no main loop that could try again. */
static void
test_feed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbFeed) feed = make_feed (db);
  GAsyncResult *result = NULL;
  g_atomic_int_set (&refused, TRUE);
  g_assert_false (ldb_feed_wait (feed, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NO_MEMORY, "thread");
  ldb_feed_wait_async (feed, NULL, KEEP (result));
  g_autoptr (GAsyncResult) waited = ldb_test_wait (&result);
  g_assert_false (ldb_feed_wait_finish (feed, waited, &error));
  assert_ldb_error (error, LDB_ERROR_NO_MEMORY, "thread");
  ldb_feed_read_commit_async (feed, NULL, KEEP (result));
  g_autoptr (GAsyncResult) read = ldb_test_wait (&result);
  g_assert_null (ldb_feed_read_commit_finish (feed, read, &error));
  assert_ldb_error (error, LDB_ERROR_NO_MEMORY, "thread");
  g_atomic_int_set (&refused, FALSE);
  put (db, "k", "v");
  g_assert_true (ldb_feed_wait (feed, NULL, &error)); /* nothing is left of what failed */
  g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit (feed, NULL, &error);
  g_assert_cmpuint (ldb_change_set_get_n_changes (commit), ==, 1);
}

/* They wait when the thread that looks after them has gone, for want of work. */
static void
test_feed_at_rest (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbFeed) waiting = make_feed (db);
  g_autoptr (LdbFeed) reading = make_feed (db);
  GAsyncResult *wait_result = NULL, *read_result = NULL;
  guint threads = count_threads ();
  ldb_feed_wait_async (waiting, NULL, KEEP (wait_result));
  ldb_feed_read_commit_async (reading, NULL, KEEP (read_result));
  wait_until (count_threads () > threads);
  wait_until (count_threads () <= threads);
  g_atomic_int_set (&refused, TRUE);
  put (db, "k", "v");
  g_autoptr (GAsyncResult) waited = ldb_test_wait (&wait_result);
  g_assert_true (ldb_feed_wait_finish (waiting, waited, &error)); /* there is one */
  g_autoptr (GAsyncResult) read = ldb_test_wait (&read_result);
  g_assert_null (ldb_feed_read_commit_finish (reading, read, &error)); /* which takes a thread */
  assert_ldb_error (error, LDB_ERROR_NO_MEMORY, "synchronous");
  g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit (reading, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_change_set_get_n_changes (commit), ==, 1);
  g_atomic_int_set (&refused, FALSE);
}

static void
put_many (LdbDatabase *db, guint first, guint count)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = first; i < first + count; i++)
    {
      char key[16];
      g_snprintf (key, sizeof key, "%08u", i);
      ldb_batch_put_string (batch, NULL, key, "v", &error);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
}

/* A list goes on where it was, whatever it had wanted a thread for. */
static void
test_list (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint threads = count_threads ();
  wait_until (count_threads () <= threads);
  put_many (db, 0, 50000);
  g_atomic_int_set (&refused, TRUE);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_list_model_get_pending (list)); /* it is to be counted elsewhere */
  run_for (250);
  g_assert_no_error (ldb_list_model_get_error (list));
  g_atomic_int_set (&refused, FALSE);
  wait_until (!ldb_list_model_get_pending (list));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 50000);
  put_many (db, 50000, 5000); /* planned elsewhere */
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 55000);
  g_assert_no_error (ldb_list_model_get_error (list));

  /* One that is let go of meanwhile. */
  wait_until (count_threads () <= threads);
  g_atomic_int_set (&refused, TRUE);
  g_autoptr (LdbListModel) other
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  run_for (20);
  g_clear_object (&other);
  ldb_list_model_close (list);
  run_for (250);
  g_atomic_int_set (&refused, FALSE);
}

/* An asynchronous call fails, and its synchronous form does not need one. */
static void
test_calls (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  GAsyncResult *result = NULL;
  guint threads = count_threads ();
  wait_until (count_threads () <= threads); /* those of other tests have gone */
  g_atomic_int_set (&refused, TRUE);
  ldb_database_open_async (place->path, LDB_OPEN_NONE, NULL, NULL, KEEP (result));
  g_autoptr (GAsyncResult) opened = ldb_test_wait (&result);
  g_assert_null (ldb_database_open_finish (opened, &error));
  assert_ldb_error (error, LDB_ERROR_NO_MEMORY, "synchronous");
  put (db, "k", "v");
  g_atomic_int_set (&refused, FALSE);
}

int
main (int argc, char *argv[])
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_print ("1..0 # SKIP a sanitizer has a pthread_create of its own\n");
  return 0;
#endif
  g_test_init (&argc, &argv, NULL);
  add_test ("/no-thread/calls", test_calls);
  add_test ("/no-thread/watch", test_watch);
  add_test ("/no-thread/list", test_list);
  add_test ("/no-thread/feed", test_feed);
  add_test ("/no-thread/feed-at-rest", test_feed_at_rest);
  return g_test_run ();
}
