/* SPDX-License-Identifier: MIT */
/* The change feed: every commit once, in order, when it is visible, and a clear word when it is no
 * longer kept. */
#include "check.h"
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static struct failure failure;

#define TEXT(string) BYTES (string, strlen (string))

static struct engine *
open_with (const char *path, void (*change) (struct engine_options *options))
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.log_segment_size = 64 << 10;
  if (change != NULL)
    change (&options);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static uint64_t
put (struct engine *engine, engine_store store, const char *key, const char *value)
{
  uint64_t sequence;
  CHECK_OK (engine_put (engine, store, TEXT (key), TEXT (value), ENGINE_SYNC_DEFAULT, &sequence,
                        &failure));
  return sequence;
}

static struct engine_feed *
feed_from (struct engine *engine, uint64_t since)
{
  struct engine_feed *feed;
  CHECK_OK (engine_feed_new (engine, since, &feed, &failure));
  CHECK_INT (engine_feed_position (feed), since);
  return feed;
}

static void
expect_commit (struct engine_feed *feed, uint64_t expected)
{
  uint64_t sequence;
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, expected);
}

static void
expect_change (struct engine_feed *feed, enum engine_change_kind kind, engine_store store,
               struct bytes key, struct bytes value)
{
  struct engine_change change;
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK_INT (change.kind, kind);
  CHECK_INT (change.store, store);
  CHECK (bytes_equal (change.key, key) && (change.key.data == NULL) == (key.data == NULL));
  struct bytes other = kind == ENGINE_CHANGE_PUT ? change.value : change.end;
  CHECK (bytes_equal (other, value) && (other.data == NULL) == (value.data == NULL));
}

static void
expect_end (struct engine_feed *feed)
{
  struct engine_change change;
  uint64_t sequence;
  CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
  CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
}

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

int
main (void)
{
  test_kinds ();
  test_values ();
  test_listener ();
  return 0;
}
