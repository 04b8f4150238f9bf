/* SPDX-License-Identifier: MIT */
/* What must outlive what: open and close leave no memory and no descriptor behind, files go when
 * nothing refers to them and not before, locks go with their owner, cursors stand rollbacks. */
#include "check.h"
#include "core/engine-private.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

static struct failure failure;

static struct engine *
open_small (const char *path)
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.log_segment_size = 64 << 10;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static void
put (struct engine *engine, const char *key, struct bytes value)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)), value,
                        ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
expect_value (struct engine *engine, const char *key, struct bytes expected)
{
  struct engine_value value;
  CHECK_OK (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)), &value,
                              &failure));
  CHECK (bytes_equal (value.data, expected));
  engine_value_release (&value);
}

/* ---- nothing is left behind ---- */

static unsigned
count_descriptors (void)
{
  unsigned count = 0;
  DIR *directory = opendir ("/proc/self/fd");
  CHECK (directory != NULL);
  while (readdir (directory) != NULL)
    count++;
  closedir (directory);
  return count;
}

/* One life of a database with everything in it. */
static void
live (const char *path, unsigned round)
{
  struct engine *engine = open_small (path);
  char key[32], text[200];
  uint8_t *large = calloc (1, 100000);
  large[0] = (uint8_t) round;
  for (unsigned i = 0; i < 2000; i++)
    {
      int size = snprintf (text, sizeof text, "value %u of round %u %0100u", i, round, i);
      snprintf (key, sizeof key, "key-%05u", i);
      put (engine, key, BYTES (text, (size_t) size));
    }
  put (engine, "large", BYTES (large, 100000));
  struct engine_snapshot *snapshot;
  struct engine_transaction *transaction;
  struct engine_cursor *cursor;
  struct engine_value value;
  engine_store store;
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure));
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  CHECK_OK (
      engine_transaction_begin (engine, ENGINE_TRANSACTION_SERIALIZABLE, &transaction, &failure));
  CHECK_OK (engine_transaction_put (transaction, store, BYTES_LITERAL ("k"), BYTES_LITERAL ("v"),
                                    &failure));
  struct engine_cursor_settings settings
      = { .store = ENGINE_STORE_DEFAULT, .transaction = transaction };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  unsigned count = 0;
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); count++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  CHECK_INT (count, 2001);
  CHECK_OK (engine_transaction_commit (transaction, ENGINE_SYNC_FULL, NULL, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_get_value (engine, snapshot, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-00007"),
                              &value, &failure));
  expect_value (engine, "large", BYTES (large, 100000));
  CHECK_OK (engine_close (engine, &failure));
  engine_cursor_free (cursor); /* all of them outlive close */
  engine_transaction_free (transaction);
  engine_snapshot_free (snapshot);
  engine_value_release (&value);
  engine_unref (engine);
  free (large);
}

static void
test_cycles (void)
{
  char *path = fresh_directory ();
  live (path, 0);
  live (path, 1); /* what is allocated once in a process is there now */
  unsigned descriptors = count_descriptors ();
  size_t before = mallinfo2 ().uordblks;
  for (unsigned round = 2; round < 12; round++)
    {
      live (path, round);
      CHECK_INT (count_descriptors (), descriptors);
    }
  size_t after = mallinfo2 ().uordblks; /* sanitizers answer 0 and look for leaks themselves */
  printf ("10 lives: %zu bytes in use before, %zu after; %u descriptors\n", before, after,
          descriptors);
  CHECK (after <= before + 4096);
  remove_directory (path);
}

static void
test_failed_opens (void)
{
  char *path = fresh_directory (), file[600];
  struct engine *engine = open_small (path), *other;
  snprintf (file, sizeof file, "%s/LOCK", path);
  unsigned descriptors = count_descriptors ();
  size_t before = 0;
  for (int i = 0; i < 20; i++)
    {
      if (i == 2)
        before = mallinfo2 ().uordblks;
      CHECK_FAILS (engine_open (path, 0, NULL, &other, &failure), STATUS_LOCKED);
      CHECK_FAILS (engine_open (file, 0, NULL, &other, &failure), STATUS_INVALID);
      CHECK_FAILS (engine_open ("/nowhere/at/all", 0, NULL, &other, &failure), STATUS_NOT_FOUND);
      CHECK_INT (count_descriptors (), descriptors);
    }
  CHECK (mallinfo2 ().uordblks <= before + 4096);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- blob files ---- */

/* A file whose values are all gone may be deleted; what is put next must not land in it. */
static void
test_blob_file_ends (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  size_t size = 50000;
  uint8_t *large = malloc (size);
  for (unsigned round = 1; round <= 3; round++)
    {
      memset (large, (int) round, size);
      put (engine, "large", BYTES (large, size));
      expect_value (engine, "large", BYTES (large, size));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      expect_value (engine, "large", BYTES (large, size));
      CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"),
                               ENGINE_SYNC_DEFAULT, NULL, &failure));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
    }
  memset (large, 9, size);
  put (engine, "large", BYTES (large, size));
  engine_unref (engine);
  engine = open_small (path);
  expect_value (engine, "large", BYTES (large, size));
  engine_unref (engine);
  free (large);
  remove_directory (path);
}

struct blob_race
{
  struct engine *engine;
  _Atomic bool stop;
  _Atomic unsigned reads;
};

static void *
read_large (void *data)
{
  struct blob_race *race = data;
  struct failure mine;
  while (!race->stop)
    {
      struct engine_value value;
      mine = FAILURE_INIT;
      status result = engine_get_value (race->engine, NULL, ENGINE_STORE_DEFAULT,
                                        BYTES_LITERAL ("large"), &value, &mine);
      if (result != STATUS_OK)
        fprintf (stderr, "%s: %s\n", status_name (result), mine.message);
      CHECK_INT (result, STATUS_OK);
      CHECK_INT (value.data.size, 20000);
      CHECK (value.data.data[0] == value.data.data[19999]);
      engine_value_release (&value);
      race->reads++;
    }
  return NULL;
}

/* A large value is overwritten, flushed and its file deleted again and again beside a reader. */
static void
test_blob_race (void)
{
  char *path = fresh_directory ();
  struct blob_race race = { .engine = open_small (path) };
  uint8_t large[20000];
  pthread_t threads[2];
  memset (large, 0, sizeof large);
  put (race.engine, "large", BYTES (large, sizeof large));
  for (int i = 0; i < 2; i++)
    CHECK (pthread_create (&threads[i], NULL, read_large, &race) == 0);
  for (int round = 1; round < 100; round++)
    {
      memset (large, round, sizeof large);
      put (race.engine, "large", BYTES (large, sizeof large));
      if (round % 3 == 0)
        CHECK_OK (engine_flush (race.engine, &failure));
      if (round % 7 == 0)
        CHECK_OK (engine_compact (race.engine, NULL, NULL, &failure));
    }
  while (race.reads < 10)
    usleep (1000);
  race.stop = true;
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  engine_unref (race.engine);
  remove_directory (path);
}

/* ---- the lock ---- */

/* A child that lives on holds the parent's descriptors, but not the writer role. */
static void
test_child_keeps_no_lock (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      pause ();
      _exit (0);
    }
  engine_unref (engine);
  engine = open_small (path);
  put (engine, "k", BYTES_LITERAL ("v"));
  engine_unref (engine);
  CHECK (kill (child, SIGKILL) == 0);
  CHECK (waitpid (child, NULL, 0) == child);
  remove_directory (path);
}

/* ---- cursors ---- */

/* As many own writes as before a rollback, but other ones. */
static void
test_cursor_after_rollback (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *transaction;
  struct engine_cursor *cursor;
  uint64_t savepoint;
  CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
  struct engine_cursor_settings settings
      = { .store = ENGINE_STORE_DEFAULT, .transaction = transaction };
  CHECK_OK (engine_transaction_savepoint (transaction, &savepoint, &failure));
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("b"),
                                    BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  CHECK (bytes_equal (engine_cursor_key (cursor), BYTES_LITERAL ("b")));
  CHECK_OK (engine_transaction_rollback_to (transaction, savepoint, &failure));
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("c"),
                                    BYTES_LITERAL ("2"), &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  CHECK (bytes_equal (engine_cursor_key (cursor), BYTES_LITERAL ("c")));
  engine_cursor_free (cursor);
  engine_transaction_free (transaction);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- closing beside other work ---- */

static pthread_t closer;

static void *
close_engine (void *engine)
{
  struct failure cause = FAILURE_INIT;
  CHECK (engine_close (engine, &cause) == STATUS_OK);
  return NULL;
}

/* Told how the compaction goes, from the middle of it: another thread closes the database, and comes
 * to where it tells merges to give up. */
static bool
close_beside (void *data, uint64_t done, uint64_t total, const char *step)
{
  static bool begun;
  struct engine *engine = data;
  (void) done;
  (void) total;
  (void) step;
  if (!begun)
    {
      CHECK (pthread_create (&closer, NULL, close_engine, engine) == 0);
      while (!atomic_load (&engine->cancel_merges))
        usleep (100);
      CHECK (engine_is_closed (engine));
    }
  begun = true;
  return true;
}

/* Who cancelled nothing is not told that he did. */
static void
test_compaction_closed (void)
{
  char *path = fresh_directory (), key[32];
  struct engine *engine = open_small (path);
  for (unsigned i = 0; i < 20000; i++)
    {
      sprintf (key, "key-%u", i);
      put (engine, key, BYTES_LITERAL ("a value of some length that fills pages"));
    }
  CHECK_FAILS (engine_compact (engine, close_beside, engine, &failure), STATUS_CLOSED);
  CHECK (pthread_join (closer, NULL) == 0);
  engine_unref (engine);
  remove_directory (path);
}

/* Per-thread caches of malloc count as memory in use: start again without them. */
static void
count_exactly (char **argv)
{
  if (getenv ("GLIBC_TUNABLES") != NULL)
    return;
  setenv ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1", 1);
  execv ("/proc/self/exe", argv);
}

int
main (int argc, char **argv)
{
  count_exactly (argv);
  static const struct
  {
    const char *name;
    void (*run) (void);
  } tests[] = {
    { "cycles", test_cycles },
    { "failed-opens", test_failed_opens },
    { "blob-file-ends", test_blob_file_ends },
    { "blob-race", test_blob_race },
    { "child-keeps-no-lock", test_child_keeps_no_lock },
    { "cursor-after-rollback", test_cursor_after_rollback },
    { "compaction-closed", test_compaction_closed },
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    if (argc < 2 || strcmp (argv[1], tests[i].name) == 0) /* all, or the one named */
      tests[i].run ();
  puts ("lifetime: all passed");
  return 0;
}
