/* SPDX-License-Identifier: MIT */
/* The change feed: every commit once, in order, when it is visible, and a clear word when it is no
 * longer kept. */
#include "fed-engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

/* ---- what a feed says ---- */

static void
test_kinds (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  struct engine_batch *batch;
  engine_store store;
  expect_end (feed);

  uint64_t first = put (engine, ENGINE_STORE_DEFAULT, "a", "1");
  CHECK_INT (first, 1);
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure)); /* 2: catalogue only */
  put (engine, store, "b", "");
  CHECK_OK (
      engine_delete (engine, ENGINE_STORE_DEFAULT, TEXT ("a"), ENGINE_SYNC_FULL, NULL, &failure));
  CHECK_OK (engine_batch_new (&batch, &failure));
  CHECK_OK (engine_batch_put (batch, store, TEXT ("dead"), TEXT ("x"), &failure));
  CHECK_OK (engine_batch_delete_range (batch, store, TEXT ("c"), TEXT ("e"), &failure));
  CHECK_OK (engine_batch_put (batch, store, TEXT ("d"), TEXT ("alive"), &failure));
  CHECK_OK (
      engine_batch_delete_range (batch, ENGINE_STORE_DEFAULT, TEXT ("k"), BYTES_NONE, &failure));
  CHECK_OK (engine_write (engine, batch, ENGINE_SYNC_NONE, NULL, &failure)); /* 5 */
  CHECK_OK (engine_store_drop (engine, "films", &failure));                  /* 6 */

  expect_commit (feed, 1);
  CHECK_INT (engine_feed_position (feed), 0);
  expect_change (feed, ENGINE_CHANGE_PUT, ENGINE_STORE_DEFAULT, TEXT ("a"), TEXT ("1"));
  expect_commit (feed, 2); /* without asking for the end of 1 */
  CHECK_INT (engine_feed_position (feed), 1);
  struct engine_change change;
  CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
  CHECK_INT (engine_feed_position (feed), 2);
  expect_commit (feed, 3);
  expect_change (feed, ENGINE_CHANGE_PUT, store, TEXT ("b"), TEXT (""));
  expect_commit (feed, 4);
  expect_change (feed, ENGINE_CHANGE_DELETE, ENGINE_STORE_DEFAULT, TEXT ("a"), BYTES_NONE);
  expect_commit (feed, 5);
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, store, TEXT ("c"), TEXT ("e"));
  expect_change (feed, ENGINE_CHANGE_PUT, store, TEXT ("d"), TEXT ("alive"));
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, ENGINE_STORE_DEFAULT, TEXT ("k"), BYTES_NONE);
  struct engine_value value;
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_INVALID);
  expect_commit (feed, 6);
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, store, BYTES_NONE, BYTES_NONE);
  expect_end (feed);
  CHECK_INT (engine_feed_position (feed), 6);
  engine_feed_free (feed);

  feed = feed_from (engine, 4); /* in the middle */
  expect_commit (feed, 5);
  expect_commit (feed, 6);
  engine_feed_free (feed);
  CHECK_FAILS (engine_feed_new (engine, 7, &feed, &failure), STATUS_HISTORY_GONE);
  engine_batch_free (batch);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_feed_new (engine, 6, &feed, &failure), STATUS_CLOSED);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  struct engine_change change;
  struct engine_value value, other;
  uint64_t sequence;
  static uint8_t large[300000];
  memset (large, 'L', sizeof large);
  put (engine, ENGINE_STORE_DEFAULT, "small", "few bytes");
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("large"), BYTES (large, sizeof large),
                        ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_INVALID);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK_OK (engine_feed_value (feed, &value, &failure));
  CHECK (bytes_equal (value.data, TEXT ("few bytes")) && value.sequence == 1);
  engine_value_release (&value);
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (change.kind == ENGINE_CHANGE_PUT && change.value.data == NULL);
  CHECK_OK (engine_feed_value (feed, &other, &failure));
  CHECK_INT (other.sequence, 2);
  CHECK (bytes_equal (other.data, BYTES (large, sizeof large)));
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_feed_next_change (feed, &change, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_CLOSED);
  engine_unref (engine);
  engine_feed_free (feed);
  CHECK (bytes_equal (other.data, BYTES (large, sizeof large))); /* outlives them all */
  engine_value_release (&other);
  remove_directory (path);
}

/* ---- the listener ---- */

static void
note_wake (void *data)
{
  atomic_fetch_add ((_Atomic unsigned *) data, 1);
}

static void
test_listener (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  _Atomic unsigned wakes = 0, others = 0;
  engine_await_commit (engine, 0, note_wake, &wakes);
  CHECK_INT (wakes, 0);
  put (engine, ENGINE_STORE_DEFAULT, "a", "1");
  CHECK_INT (wakes, 1);
  put (engine, ENGINE_STORE_DEFAULT, "a", "2");
  CHECK_INT (wakes, 1);
  engine_await_commit (engine, 1, note_wake, &wakes); /* there already */
  CHECK_INT (wakes, 2);
  engine_await_commit (engine, 4, note_wake, &wakes);
  put (engine, ENGINE_STORE_DEFAULT, "a", "3");
  put (engine, ENGINE_STORE_DEFAULT, "a", "4");
  CHECK_INT (wakes, 2);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("a"), TEXT ("5"), ENGINE_SYNC_FULL,
                        NULL, &failure));
  CHECK_INT (wakes, 3);
  engine_await_commit (engine, 5, note_wake, &wakes);
  engine_await_commit (engine, 5, note_wake, &others);
  put (engine, ENGINE_STORE_DEFAULT, "a", "6");
  CHECK (wakes == 3 && others == 1);
  engine_await_commit (engine, 6, note_wake, &others);
  engine_await_commit (engine, 6, NULL, NULL);
  put (engine, ENGINE_STORE_DEFAULT, "a", "7");
  CHECK_INT (others, 1);
  engine_await_commit (engine, 7, note_wake, &wakes);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_INT (wakes, 4);
  engine_await_commit (engine, 7, note_wake, &wakes);
  CHECK_INT (wakes, 5);
  engine_unref (engine);
  remove_directory (path);
}

struct slow_call
{
  struct engine *engine;
  _Atomic bool inside, left; /* where the call is */
};

static void
wake_slowly (void *data)
{
  struct slow_call *call = data;
  call->inside = true;
  usleep (50000);
  call->left = true;
}

static void *
put_beside (void *data)
{
  put (((struct slow_call *) data)->engine, ENGINE_STORE_DEFAULT, "a", "1");
  return NULL;
}

/* Who no longer listens is not being called any more. */
static void
test_listener_leaves (void)
{
  char *path = fresh_directory ();
  struct slow_call call = { .engine = open_with (path, NULL) };
  pthread_t thread;
  engine_await_commit (call.engine, 0, wake_slowly, &call);
  CHECK (pthread_create (&thread, NULL, put_beside, &call) == 0);
  while (!call.inside)
    usleep (100);
  engine_await_commit (call.engine, 0, NULL, NULL);
  CHECK (call.left);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK_OK (engine_close (call.engine, &failure));
  engine_unref (call.engine);
  remove_directory (path);
}

/* ---- bulk loads ---- */

static void
test_loads (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, ENGINE_FEED_NOW), *late;
  struct engine_loader *loader;
  engine_store store;
  uint64_t sequence;
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure)); /* 1 */
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  const char *keys[] = { "m", "c", "x", "d" };
  for (int i = 0; i < 4; i++)
    CHECK_OK (
        engine_loader_put (loader, ENGINE_STORE_DEFAULT, TEXT (keys[i]), TEXT ("v"), &failure));
  CHECK_OK (engine_loader_put (loader, store, TEXT ("only"), TEXT ("v"), &failure));
  put (engine, ENGINE_STORE_DEFAULT, "between", "2"); /* goes past the loader's guess */
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  CHECK (sequence > 3);

  expect_commit (feed, 1);
  expect_commit (feed, 2);
  expect_change (feed, ENGINE_CHANGE_PUT, ENGINE_STORE_DEFAULT, TEXT ("between"), TEXT ("2"));
  for (uint64_t empty = 3; empty < sequence; empty++)
    {
      struct engine_change change;
      expect_commit (feed, empty);
      CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
    }
  expect_commit (feed, sequence);
  expect_change (feed, ENGINE_CHANGE_LOADED, ENGINE_STORE_DEFAULT, TEXT ("c"), BYTES ("x\0", 2));
  expect_change (feed, ENGINE_CHANGE_LOADED, store, TEXT ("only"), BYTES ("only\0", 5));
  expect_end (feed);
  late = feed_from (engine, sequence);
  expect_end (late);
  engine_feed_free (late);
  engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- ends ---- */

struct reader
{
  struct engine *engine;
  _Atomic unsigned *wakes;
  _Atomic uint64_t read; /* commits */
};

/* Reads some commits. The log may move on past the feed whenever this thread waits for a core. */
static status
read_some (struct engine_feed *feed, _Atomic uint64_t *read, struct failure *cause)
{
  struct engine_change change;
  uint64_t sequence;
  status result = STATUS_OK;
  for (unsigned i = 0; i < 2000 && result == STATUS_OK; i++)
    {
      result = engine_feed_next_commit (feed, &sequence, cause);
      if (result == STATUS_OK)
        result = engine_feed_next_change (feed, &change, cause);
      atomic_fetch_add (read, result == STATUS_OK);
    }
  return result;
}

/* Opens, reads and frees feeds until the engine closes. */
static void *
read_main (void *data)
{
  struct reader *reader = data;
  struct engine_feed *feed;
  for (;;)
    {
      struct failure cause = FAILURE_INIT;
      status result
          = engine_feed_new (reader->engine, engine_history_oldest (reader->engine), &feed, &cause);
      if (result == STATUS_OK)
        {
          result = read_some (feed, &reader->read, &cause);
          engine_await_commit (reader->engine, engine_feed_position (feed), note_wake,
                               reader->wakes);
          engine_feed_free (feed);
        }
      if (result == STATUS_CLOSED)
        return NULL;
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND || result == STATUS_HISTORY_GONE);
    }
}

static void *
put_main (void *data)
{
  struct failure cause = FAILURE_INIT;
  struct engine *engine = data;
  status result;
  do
    result = engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("key"), TEXT ("some value"),
                         ENGINE_SYNC_ASYNC, NULL, &cause);
  while (result == STATUS_OK);
  CHECK_INT (result, STATUS_CLOSED);
  return NULL;
}

/* Close comes at any time, beside feeds that are read, opened and freed; once not before they have
 * been read, however long that takes. */
static void
test_closing (void)
{
  uint64_t read = 0;
  for (unsigned round = 0; round < 20; round++)
    {
      char *path = fresh_directory ();
      struct engine *engine = open_with (path, round % 3 == 0   ? small_log
                                               : round % 3 == 1 ? small_without_log
                                                                : retaining);
      _Atomic unsigned wakes = 0;
      struct reader readers[2] = { { engine, &wakes, 0 }, { engine, &wakes, 0 } };
      pthread_t threads[3];
      struct engine_feed *feed = feed_from (engine, 0);
      CHECK (pthread_create (&threads[0], NULL, put_main, engine) == 0);
      CHECK (pthread_create (&threads[1], NULL, read_main, &readers[0]) == 0);
      CHECK (pthread_create (&threads[2], NULL, read_main, &readers[1]) == 0);
      usleep (10000 + round * 1000);
      while (round == 0 && atomic_load (&readers[0].read) + atomic_load (&readers[1].read) == 0)
        usleep (1000);
      CHECK_OK (engine_close (engine, &failure));
      for (int i = 0; i < 3; i++)
        pthread_join (threads[i], NULL);
      engine_await_commit (engine, 0, NULL, NULL);
      engine_unref (engine);
      engine_feed_free (feed); /* the last one to hold the engine */
      read += readers[0].read + readers[1].read;
      remove_directory (path);
    }
  printf ("closed beside feeds that had read %llu commits\n", (unsigned long long) read);
  CHECK (read > 0);
}

static void
test_fork (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  _Atomic unsigned wakes = 0;
  put_many (engine, 10, 100);
  expect_numbered (feed, 1, 100);
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine_feed *none;
      struct engine_change change;
      uint64_t sequence;
      CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_FORKED);
      CHECK_FAILS (engine_feed_next_change (feed, &change, &failure), STATUS_FORKED);
      CHECK_FAILS (engine_feed_new (engine, 0, &none, &failure), STATUS_FORKED);
      engine_await_commit (engine, 0, note_wake, &wakes);
      CHECK_INT (wakes, 0);
      engine_feed_free (feed);
      engine_unref (engine);
      _exit (0);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how) && WEXITSTATUS (how) == 0);
  for (uint64_t i = 2; i <= 10; i++)
    expect_numbered (feed, i, 100);
  engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Without arguments the short form; --long: three million commits beside flushes. */
int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--long") == 0)
    {
      test_exact ("long", ample_log, ENGINE_SYNC_DEFAULT, 1000000);
      test_exact ("long, written", ample_written_log, ENGINE_SYNC_NONE, 1000000);
      return 0;
    }
  if (argc != 1)
    {
      fprintf (stderr, "usage: %s [--long]\n", argv[0]);
      return 2;
    }
  test_kinds ();
  test_values ();
  test_listener ();
  test_listener_leaves ();
  test_loads ();
  test_lapped ();
  test_retention ();
  test_sealing ();
  test_note_room ();
  test_history_files ();
  test_retained_values ();
  test_left_values ();
  test_collected_value ();
  test_pinned_values (false);
  test_pinned_values (true);
  test_killed ();
  test_killed_at_once ();
  test_damage ();
  test_damaged_note ();
  test_backup ();
  test_without_log ();
  test_closing ();
  test_fork ();
  test_exact ("every mode", small_log, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("written, every mode", small_written_log, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("full", small_log, ENGINE_SYNC_FULL, 300);
  test_exact ("none", small_log, ENGINE_SYNC_NONE, 4000);
  test_exact ("retained", retaining_much, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("without a log", small_without_log, ENGINE_SYNC_ASYNC, 4000);
  return 0;
}
