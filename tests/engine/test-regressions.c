/* SPDX-License-Identifier: MIT */
/* What the hard tests found in the engine once, each in its smallest form. */
#include "base/epoch.h"
#include "check.h"
#include "engine.h"

#include <pthread.h>
#include <semaphore.h>

static struct failure failure;

static struct engine *
open_small (const char *path)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 64 << 10;
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static struct bytes
number_key (char to[32], unsigned number)
{
  return BYTES (to, (size_t) sprintf (to, "key-%08u", number));
}

static void
put_range (struct engine *engine, unsigned from, unsigned to)
{
  char key[32];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                          BYTES_LITERAL ("a value of some length that fills pages"),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
}

/* Validation has to read pages when what changed was flushed and is not cached. */
static void
test_validation_reads_pages (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *one, *two;
  char key[32];
  CHECK_OK (engine_transaction_begin (engine, 0, &one, &failure));
  CHECK_OK (engine_transaction_begin (engine, 0, &two, &failure));
  put_range (engine, 0, 2000);
  CHECK_OK (engine_flush (engine, &failure));
  engine_evict_cache (engine, 1);
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, number_key (key, 1234),
                                    BYTES_LITERAL ("late"), &failure));
  CHECK_FAILS (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-0000123x"),
                                    BYTES_LITERAL ("new"), &failure));
  CHECK_OK (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_transaction_free (one);
  engine_transaction_free (two);
  engine_unref (engine);
  remove_directory (path);
}

/* The file that large values are still appended to stays, even while nothing refers to it. */
static void
test_open_blob_file_stays (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  static uint8_t large[20000], back[20000];
  struct bytes key = BYTES_LITERAL ("large");
  size_t size;
  for (unsigned round = 0; round < 3; round++)
    {
      memset (large, 'a' + (int) round, sizeof large);
      CHECK_OK (engine_put (engine, 1, key, BYTES (large, sizeof large), 0, NULL, &failure));
      CHECK_OK (engine_get (engine, NULL, 1, key, back, sizeof back, &size, &failure));
      CHECK (size == sizeof large && memcmp (large, back, size) == 0);
      CHECK_OK (engine_flush (engine, &failure)); /* now segments refer to the file */
      CHECK_OK (engine_delete (engine, 1, key, 0, NULL, &failure));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure)); /* and now nothing does */
    }
  engine_unref (engine);
  remove_directory (path);
}

/* A file of large values that were all overwritten before a flush is removed by then. */
static void
test_unflushed_blob_files_go (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  static uint8_t large[20000];
  CHECK_OK (
      engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES (large, sizeof large), 0, NULL, &failure));
  CHECK_OK (engine_delete (engine, 1, BYTES_LITERAL ("k"), 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans);
  remove_directory (path);
}

static sem_t entered, leave;

static void *
linger (void *data)
{
  (void) data;
  epoch_enter ();
  sem_post (&entered);
  sem_wait (&leave);
  epoch_leave ();
  return NULL;
}

/* A reader that is not scheduled for a while holds no transaction's memory back. */
static void
test_transactions_beside_a_slow_reader (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  pthread_t reader;
  sem_init (&entered, 0, 0);
  sem_init (&leave, 0, 0);
  CHECK (pthread_create (&reader, NULL, linger, NULL) == 0);
  sem_wait (&entered);
  for (unsigned i = 0; i < 8000; i++)
    {
      struct engine_transaction *transaction;
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      CHECK_OK (engine_transaction_put (transaction, 1, BYTES_LITERAL ("k"), BYTES_NONE, &failure));
      engine_transaction_free (transaction);
    }
  sem_post (&leave);
  pthread_join (reader, NULL);
  engine_unref (engine);
  remove_directory (path);
}

int
main (void)
{
  test_validation_reads_pages ();
  test_open_blob_file_stays ();
  test_transactions_beside_a_slow_reader ();
  test_unflushed_blob_files_go ();
  puts ("regressions: all passed");
  return 0;
}
