/* SPDX-License-Identifier: MIT */
/*
 * One process writes, others read beside it and follow: what they see was committed, in order,
 * soon, and whatever ends or stops whenever, nobody is held up and nothing is left behind.
 *
 *   test-engine-processes [--long]
 */
#include "followed-engine.h"

#include <dirent.h>

/* ---- what is followed ---- */

/* The reader takes over what the writer made of its segments, although no commit calls for it. */
static void
expect_same_files (struct engine *reader, struct engine *writer)
{
  struct engine_statistics ours, theirs;
  uint64_t until = now () + PATIENCE;
  CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
  do
    {
      usleep (1000);
      engine_statistics (reader, &ours);
      engine_statistics (writer, &theirs);
    }
  while (ours.data_bytes != theirs.data_bytes && now () < until);
  CHECK (theirs.data_bytes > 0);
  CHECK_INT (ours.data_bytes, theirs.data_bytes);
}

/* Everything that a writer can do, seen from a reader. */
static void
test_everything (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  engine_store films, seen;
  struct engine_batch *batch;
  uint64_t sequence;
  static char large[50001];
  memset (large, 'L', 50000);
  put (writer, 1, "before", "1");
  reader = open_reader (path);
  CHECK (engine_is_read_only (reader));
  CHECK_INT (engine_sequence (reader), 1);
  expect (reader, 1, "before", "1");

  await (reader, put (writer, 1, "after", "2"));
  expect (reader, 1, "after", "2");
  CHECK_OK (engine_store_open (writer, "films", true, &films, &failure));
  await (reader, put (writer, films, "Heat", "1995"));
  CHECK_OK (engine_store_open (reader, "films", false, &seen, &failure));
  CHECK (seen == films);
  expect (reader, films, "Heat", "1995");
  await (reader, put (writer, films, "large", large));
  expect (reader, films, "large", large);
  CHECK_OK (engine_delete (writer, 1, TEXT ("before"), ENGINE_SYNC_FULL, &sequence, &failure));
  await (reader, sequence);
  expect (reader, 1, "before", NULL);

  CHECK_OK (engine_batch_new (&batch, &failure));
  for (int i = 0; i < 5000; i++)
    {
      char key[32];
      snprintf (key, sizeof key, "batch-%04d", i);
      CHECK_OK (engine_batch_put (batch, 1, TEXT (key), TEXT ("in one"), &failure));
    }
  CHECK_OK (engine_write (writer, batch, ENGINE_SYNC_ASYNC, &sequence, &failure));
  engine_batch_free (batch);
  await (reader, sequence);
  expect (reader, 1, "batch-0000", "in one");
  expect (reader, 1, "batch-4999", "in one");
  CHECK_OK (engine_flush (writer, &failure)); /* runs now, which the reader takes over */
  CHECK_OK (engine_delete_range (writer, 1, TEXT ("batch-1"), TEXT ("batch-2"), ENGINE_SYNC_ASYNC,
                                 &sequence, &failure));
  await (reader, sequence);
  expect (reader, 1, "batch-0999", "in one");
  expect (reader, 1, "batch-1000", NULL);
  expect (reader, 1, "batch-2000", "in one");

  struct engine_loader *loader;
  CHECK_OK (engine_loader_new (writer, &loader, &failure));
  for (int i = 0; i < 3000; i++)
    {
      char key[32];
      snprintf (key, sizeof key, "load-%04d", i);
      CHECK_OK (engine_loader_put (loader, films, TEXT (key), TEXT ("in bulk"), &failure));
    }
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  await (reader, sequence);
  expect (reader, films, "load-0000", "in bulk");
  expect (reader, films, "load-2999", "in bulk");

  CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
  await (reader, put (writer, 1, "after", "3"));
  expect (reader, 1, "after", "3");
  expect (reader, films, "Heat", "1995");
  expect_same_files (reader, writer);
  CHECK_OK (engine_store_drop (writer, "films", &failure));
  await (reader, engine_sequence (writer));
  expect (reader, films, "Heat", NULL);
  CHECK_INT (engine_store_open (reader, "films", false, &seen, NULL), STATUS_NOT_FOUND);
  CHECK_FAILS (engine_put (reader, 1, TEXT ("k"), TEXT ("v"), ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_READ_ONLY);
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* A snapshot, a cursor and a transaction see what they saw, whatever the writer merges away. */
static void
test_snapshots (void)
{
  char *path = fresh_directory (), key[32], old[40], fresh[40];
  struct engine *writer = open_writer (path), *reader;
  static char large[30001];
  memset (large, 'L', 30000);
  for (int i = 0; i < 2000; i++)
    {
      snprintf (key, sizeof key, "key-%04d", i);
      snprintf (old, sizeof old, "old %d", i);
      put (writer, 1, key, old);
    }
  put (writer, 1, "large", large);
  reader = open_reader (path);
  struct engine_snapshot *snapshot;
  struct engine_transaction *transaction;
  struct engine_cursor *cursor;
  CHECK_OK (engine_snapshot_new (reader, &snapshot, &failure));
  CHECK_OK (
      engine_transaction_begin (reader, ENGINE_TRANSACTION_READ_ONLY, &transaction, &failure));
  struct engine_cursor_settings settings = { .store = 1 };
  CHECK_OK (engine_cursor_new (reader, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  uint64_t sequence = 0;
  for (int round = 0; round < 5; round++)
    {
      for (int i = 0; i < 2000; i++)
        {
          snprintf (key, sizeof key, "key-%04d", i);
          snprintf (fresh, sizeof fresh, "new %d of %d", i, round);
          if (i % 3 == 0 && round == 4)
            CHECK_OK (engine_delete (writer, 1, TEXT (key), ENGINE_SYNC_ASYNC, NULL, &failure));
          else
            put (writer, 1, key, fresh);
        }
      sequence = put (writer, 1, "large", "small");
      CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
      await (reader, sequence);
    }
  await (reader, put (writer, 1, "last", "one"));
  struct engine_value value;
  for (int i = 0; i < 2000; i++)
    {
      snprintf (key, sizeof key, "key-%04d", i);
      snprintf (old, sizeof old, "old %d", i);
      snprintf (fresh, sizeof fresh, "new %d of 4", i);
      expect_at (reader, snapshot, 1, key, old);
      expect (reader, 1, key, i % 3 == 0 ? NULL : fresh);
      CHECK (engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), TEXT (key)));
      struct bytes seen;
      CHECK_OK (engine_cursor_value (cursor, &seen, &failure));
      CHECK (bytes_equal (seen, TEXT (old)));
      CHECK_OK (engine_cursor_next (cursor, &failure));
      CHECK_OK (engine_transaction_get_value (transaction, 1, TEXT (key), &value, &failure));
      CHECK (bytes_equal (value.data, TEXT (old)));
      engine_value_release (&value);
    }
  expect_at (reader, snapshot, 1, "large", large);
  expect (reader, 1, "large", "small");
  CHECK_INT (engine_snapshot_sequence (snapshot), 2001);
  engine_snapshot_free (snapshot);
  engine_transaction_free (transaction);
  close_engine (reader);
  engine_cursor_free (cursor); /* outlives it */
  close_engine (writer);
  remove_directory (path);
}

/* Feeds in a reader give what the writer commits; what is retained can be read from the past. */
static void
test_feeds (void)
{
  char *path = fresh_directory (), key[32];
  struct engine_options options;
  struct engine *writer, *reader;
  struct engine_feed *feed, *past;
  struct engine_change change;
  struct engine_value value;
  uint64_t sequence;
  static char large[20001];
  memset (large, 'L', 20000);
  choose (&options);
  options.change_retention = 64 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &writer, &failure));
  for (int i = 0; i < 4000; i++)
    {
      snprintf (key, sizeof key, "key-%d", i % 100);
      put (writer, 1, key, i % 500 == 0 ? large : "small");
    }
  CHECK_OK (engine_checkpoint (writer, &failure));
  reader = open_reader (path);
  CHECK_INT (engine_history_oldest (reader), 0);
  CHECK_OK (engine_feed_new (reader, ENGINE_FEED_NOW, &feed, &failure));
  CHECK_OK (engine_feed_new (reader, 0, &past, &failure));
  CHECK_FAILS (engine_feed_new (reader, 5000, &past, &failure), STATUS_HISTORY_GONE);
  for (uint64_t i = 1; i <= 4000; i++)
    {
      CHECK_OK (engine_feed_next_commit (past, &sequence, &failure));
      CHECK_INT (sequence, i);
      CHECK_OK (engine_feed_next_change (past, &change, &failure));
      snprintf (key, sizeof key, "key-%d", (int) (i - 1) % 100);
      CHECK (change.kind == ENGINE_CHANGE_PUT && bytes_equal (change.key, TEXT (key)));
      CHECK_OK (engine_feed_value (past, &value, &failure));
      CHECK_INT (value.data.size, (i - 1) % 500 == 0 ? 20000 : 5);
      engine_value_release (&value);
    }
  CHECK_INT (engine_feed_next_commit (past, &sequence, NULL), STATUS_NOT_FOUND);
  await (reader, put (writer, 1, "new", "one"));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, 4001);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (bytes_equal (change.key, TEXT ("new")) && bytes_equal (change.value, TEXT ("one")));
  CHECK_OK (engine_feed_next_commit (past, &sequence, &failure));
  CHECK_INT (sequence, 4001);
  close_engine (reader);
  CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CLOSED);
  engine_feed_free (feed);
  engine_feed_free (past);
  close_engine (writer);

  reader = open_flags (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC); /* the same without */
  CHECK_OK (engine_feed_new (reader, 3999, &feed, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
  engine_feed_free (feed);
  close_engine (reader);
  remove_directory (path);
}

/* Writers come and go; a reader follows from one to the next. */
static void
test_successors (void)
{
  char *path = fresh_directory (), value[32];
  struct engine *writer = open_writer (path), *reader, *still;
  put (writer, 1, "key", "0");
  close_engine (writer);
  reader = open_reader (path);
  still = open_flags (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC);
  for (int life = 1; life < 8; life++)
    {
      writer = open_writer (path);
      snprintf (value, sizeof value, "%d", life);
      uint64_t sequence = put (writer, 1, "key", value);
      if (life % 2 == 0)
        {
          await (reader, sequence);
          expect (reader, 1, "key", value);
        }
      close_engine (writer);
      await (reader, sequence); /* the last word of a life */
      expect (reader, 1, "key", value);
    }
  expect (still, 1, "key", "0");
  CHECK_INT (engine_sequence (still), 1);
  close_engine (still);
  close_engine (reader);
  remove_directory (path);
}

/* ---- at rest ---- */

/* How often this process's threads went to sleep or were interrupted, all together. */
static uint64_t
count_switches (void)
{
  uint64_t sum = 0;
  DIR *tasks = opendir ("/proc/self/task");
  CHECK (tasks != NULL);
  for (struct dirent *entry; (entry = readdir (tasks)) != NULL;)
    {
      char name[64], line[128];
      if (entry->d_name[0] == '.' || atoi (entry->d_name) == getpid ())
        continue;
      snprintf (name, sizeof name, "/proc/self/task/%.20s/status", entry->d_name);
      FILE *file = fopen (name, "r");
      unsigned long long count;
      while (file != NULL && fgets (line, sizeof line, file) != NULL)
        if (sscanf (line, "voluntary_ctxt_switches: %llu", &count) == 1)
          sum += count;
      if (file != NULL)
        fclose (file);
    }
  closedir (tasks);
  return sum;
}

/* A writer, its reader and one who waits to write, when nothing is committed: no thread runs. (But
 * that of ThreadSanitizer, which wakes up ten times a second.) */
static void
test_rest (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader = open_reader (path);
  struct turn_taking taking;
  pthread_t thread;
  begin_turn (&taking, path, &thread);
  await (reader, put (writer, 1, "key", "value"));
  uint64_t before = 0, after = 1;
  for (uint64_t until = now () + PATIENCE; before != after && now () < until;)
    {
      before = count_switches (); /* the log's timer, and settling, come to an end */
      usleep (1000000);
      after = count_switches ();
    }
  CHECK_INT (after, before);
  close_engine (reader);
  await_for (writer, 2, 1000);
  for (uint64_t until = now () + PATIENCE; now () < until;)
    {
      before = count_switches ();
      usleep (500000);
      after = count_switches ();
      if (before == after)
        break;
    }
  CHECK_INT (after, before);
  close_engine (writer);
  pthread_join (thread, NULL);
  close_engine (taking.engine);
  engine_turn_free (taking.turn);
  remove_directory (path);
}

/* ---- where it is read ---- */

/* Without arguments the short form; --long: 2,000 kills; --kills N [--seed S]: these alone, as a
 * failure printed it. The others are for its own processes. */
int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "--writer") == 0)
    return write_role (argv[2], board_map (argv[3]));
  if (argc == 5 && strcmp (argv[1], "--reader") == 0)
    return read_role (argv[2], board_map (argv[3]), (unsigned) atoi (argv[4]));
  if (argc == 5 && strcmp (argv[1], "--last-words") == 0)
    return last_words_role (argv[2], board_map (argv[3]));
  if (argc == 5 && strcmp (argv[1], "--timer") == 0)
    return time_role (argv[2], board_map (argv[3]));
  bool is_long = argc == 2 && strcmp (argv[1], "--long") == 0;
  bool has_seed = argc == 5 && strcmp (argv[3], "--seed") == 0;
  if ((argc == 3 || has_seed) && strcmp (argv[1], "--kills") == 0)
    {
      test_kills (argv[0], (unsigned) atoi (argv[2]), has_seed ? strtoull (argv[4], NULL, 10) : 1);
      return 0;
    }
  if (argc != 1 && !is_long)
    {
      fprintf (stderr, "usage: %s [--long | --kills N [--seed S]]\n", argv[0]);
      return 2;
    }
  test_everything ();
  test_snapshots ();
  test_feeds ();
  test_successors ();
#ifndef __SANITIZE_THREAD__
  test_rest ();
#else
  (void) test_rest;
#endif
  test_vandal ();
  test_damaged_page ();
  test_cut_page ();
  test_leaks ();
  test_stopped_writer ();
  test_last_words ();
  test_destroyed ();
  test_put_back ();
  test_found_often ();
  test_second_try ();
  test_lost_history ();
  test_fork ();
  test_sandbox ("another process numbering", follow_in_sandbox);
  test_sandbox ("a mount for reading only", follow_read_only_mount);
  test_medium ();
  test_overlay ();
  test_network ();
  test_destroyed_while_opened ();
  test_being_destroyed ();
  test_destroyed_while_listed ();
  test_made_anew_while_opened ();
  test_opened_while_made ();
  test_undurable ();
  test_turns ();
  test_latency ();
  test_kills (argv[0], is_long ? 2000 : 60, 1);
  return 0;
}
