/* SPDX-License-Identifier: MIT */
/*
 * Another budget while work goes on (U5 of core/memory.h): readers, a scan and a writer never notice,
 * nothing is lost, and what was taken under a larger budget gives way.
 */
#include "base/random.h"
#include "check.h"
#include "core/memory.h"
#include "lingering-reader.h"
#include "replaced-vfs.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB ((uint64_t) 1 << 20)
#define RECORDS 200000u /* 40 MB: more than the small budget, less than the large one */
#define VALUE_SIZE 200u
#define LARGE_VALUE 700000u /* a 16th of 10 MB is less */
#define SLAB (2 * MIB)      /* what the cache has at least, with slabs of a large budget */

/* On any thread. */
#define CHECK_FINE(call) CHECK_INT (call, STATUS_OK)

static struct failure failure;
static struct engine *engine;
static _Atomic bool stop;
static _Atomic uint64_t reads, scans, writes; /* how often each was done */

static struct bytes
make_key (uint8_t to[16], uint64_t number)
{
  snprintf ((char *) to, 16, "%015llu", (unsigned long long) number);
  return BYTES (to, 15);
}

/* Noise, so that it is not compressed. */
static struct bytes
make_value (uint8_t to[VALUE_SIZE], uint64_t number)
{
  struct random random = { number + 1 };
  for (size_t i = 0; i < VALUE_SIZE; i += 8)
    {
      uint64_t word = random_next (&random);
      memcpy (to + i, &word, 8);
    }
  return BYTES (to, VALUE_SIZE);
}

static void
put (uint64_t number)
{
  uint8_t key[16], value[VALUE_SIZE];
  struct failure own = FAILURE_INIT;
  CHECK_FINE (engine_put (engine, ENGINE_STORE_DEFAULT, make_key (key, number),
                          make_value (value, number), ENGINE_SYNC_DEFAULT, NULL, &own));
}

static void
check_record (uint64_t number)
{
  uint8_t key[16], expected[VALUE_SIZE], got[VALUE_SIZE];
  struct failure own = FAILURE_INIT;
  size_t size;
  make_value (expected, number);
  CHECK_FINE (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, make_key (key, number), got,
                          sizeof got, &size, &own));
  CHECK (size == VALUE_SIZE && memcmp (got, expected, size) == 0);
}

/* ---- threads ---- */

static void *
read_all_the_time (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data };
  while (!atomic_load (&stop))
    {
      check_record (random_below (&random, RECORDS));
      atomic_fetch_add (&reads, 1);
    }
  return NULL;
}

static void *
scan_all_the_time (void *data)
{
  struct failure own = FAILURE_INIT;
  (void) data;
  while (!atomic_load (&stop))
    {
      struct engine_cursor *cursor;
      struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
      uint64_t count = 0;
      CHECK_FINE (engine_cursor_new (engine, &settings, &cursor, &own));
      CHECK_FINE (engine_cursor_first (cursor, &own));
      while (engine_cursor_valid (cursor) && !atomic_load (&stop))
        {
          count++;
          CHECK_FINE (engine_cursor_next (cursor, &own));
        }
      CHECK (atomic_load (&stop) || count >= RECORDS);
      engine_cursor_free (cursor);
      atomic_fetch_add (&scans, 1);
    }
  return NULL;
}

static void *
write_all_the_time (void *data)
{
  (void) data;
  while (!atomic_load (&stop))
    put (RECORDS + atomic_fetch_add (&writes, 1));
  return NULL;
}

/* ---- checks ---- */

static void
set_budget (uint64_t bytes)
{
  CHECK_OK (engine_set_memory_budget (engine, bytes, &failure));
}

/* With nobody at work: what is kept to, the log's present segment, which waits for a commit, apart. */
static void
expect_within (uint64_t bytes)
{
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  uint64_t used = (uint64_t) ledger_total (&engine->ledger);
  uint64_t log = (uint64_t) ledger_used (&engine->ledger, LEDGER_LOG);
  CHECK_INT (statistics.memory_budget, bytes);
  if (used > bytes + SLAB + log)
    printf ("%llu of %llu, of which the log has %llu\n", (unsigned long long) used,
            (unsigned long long) bytes, (unsigned long long) log);
  CHECK (used <= bytes + SLAB + log);
}

static void
open_engine (const char *path, uint64_t budget)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = budget;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
}

static void
test_refusal (const char *path)
{
  struct failure own = FAILURE_INIT;
  open_engine (path, 64 * MIB);
  CHECK_INT (engine_set_memory_budget (engine, 10 * MIB - 1, &own), STATUS_INVALID);
  CHECK (strstr (own.message, "10485760") != NULL);
  CHECK_INT (engine_set_memory_budget (engine, UINT64_MAX, &own), STATUS_INVALID);
  expect_within (64 * MIB);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_INT (engine_set_memory_budget (engine, 20 * MIB, &own), STATUS_CLOSED);
  engine_unref (engine);
}

/* The cache holds all of it, then a part, then all of it again. */
static void
test_shrink_and_grow (const char *path)
{
  struct engine_statistics statistics;
  open_engine (path, 256 * MIB);
  for (uint64_t i = 0; i < RECORDS; i++)
    put (i);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (uint64_t i = 0; i < RECORDS; i++)
    check_record (i);
  engine_statistics (engine, &statistics);
  CHECK (statistics.cache_used > 40 * MIB);
  CHECK (ledger_used (&engine->ledger, LEDGER_INDEX) > 0);

  set_budget (10 * MIB);
  engine_statistics (engine, &statistics);
  CHECK (statistics.cache_used < 10 * MIB);
  CHECK (statistics.cache_capacity < 10 * MIB);
  expect_within (10 * MIB);
  put (RECORDS); /* the log's segment is another one */
  engine_statistics (engine, &statistics);
  CHECK (ledger_used (&engine->ledger, LEDGER_INDEX) + ledger_used (&engine->ledger, LEDGER_FILTER)
         <= (int64_t) (10 * MIB / 4));
  for (uint64_t i = 0; i <= RECORDS; i++)
    check_record (i);
  expect_within (10 * MIB);

  set_budget (256 * MIB);
  for (uint64_t i = 0; i <= RECORDS; i++)
    check_record (i);
  engine_statistics (engine, &statistics);
  CHECK (statistics.cache_used > 40 * MIB);
}

/* Puts records from that number on until the memtable takes 12 MiB. Returns the next number. */
static uint64_t
fill_memtable (uint64_t number)
{
  set_budget (256 * MIB);
  CHECK_OK (engine_flush (engine, &failure));
  while (memtable_memory (engine->active->table) < 12 * MIB)
    put (number++);
  return number;
}

/* A memtable that fills a large budget's place is written out, and the log goes on in small segments. */
static void
test_memtable (void)
{
  uint64_t number = fill_memtable (RECORDS + 1);
  set_budget (10 * MIB);
  CHECK (memtable_memory (engine->active->table) < 2 * MIB);
  expect_within (10 * MIB);
  for (uint64_t i = 0; i < 20000; i++)
    put (number++);
  /* The large segment leaves once it is synced, by the log's thread. What stays is of the new size:
   * what is not flushed, and one that waits. */
  CHECK_OK (engine_sync (engine, &failure));
  for (unsigned waited = 0; ledger_used (&engine->ledger, LEDGER_LOG) > (int64_t) (4 * MIB);
       waited++)
    {
      CHECK (waited < 3000); /* 30 s */
      put (number++);
      nanosleep (&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
  expect_within (10 * MIB);
  atomic_store (&writes, number - RECORDS);
}

/* A value that a small budget has no place for is read past the cache. */
static void
test_large_value (void)
{
  static uint8_t value[LARGE_VALUE], got[LARGE_VALUE];
  struct engine_statistics before, after;
  size_t size;
  memset (value, 'v', sizeof value);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES ((const uint8_t *) "zz", 2),
                        BYTES (value, sizeof value), ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_flush (engine, &failure));
  set_budget (10 * MIB);
  engine_statistics (engine, &before);
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES ((const uint8_t *) "zz", 2), got,
                        sizeof got, &size, &failure));
  CHECK (size == sizeof value && memcmp (got, value, size) == 0);
  engine_statistics (engine, &after);
  CHECK (after.cache_used < before.cache_used + LARGE_VALUE);
}

/* A memtable that has the memory of one before it gives it back, however little is in it. */
static void
test_memory_of_another (void)
{
  uint64_t number = fill_memtable (RECORDS + atomic_load (&writes));
  CHECK_OK (engine_flush (engine, &failure));
  /* The flush thread gives it back in its own time. */
  while (memtable_pool_users (engine->pool) > 1)
    nanosleep (&(struct timespec){ .tv_nsec = 1000000 }, NULL);
  put (number++);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK (memtable_memory (engine->active->table) < 1 * MIB);
  CHECK (ledger_used (&engine->ledger, LEDGER_MEMTABLE) >= (int64_t) (12 * MIB));
  set_budget (10 * MIB);
  expect_within (10 * MIB);
  atomic_store (&writes, number - RECORDS);
}

static void
test_under_load (unsigned rounds)
{
  static const uint64_t budgets[] = { 10, 128, 11, 32, 10, 64 };
  pthread_t threads[4];
  uint64_t before[3];
  CHECK_INT (pthread_create (&threads[0], NULL, read_all_the_time, (void *) 1), 0);
  CHECK_INT (pthread_create (&threads[1], NULL, read_all_the_time, (void *) 2), 0);
  CHECK_INT (pthread_create (&threads[2], NULL, scan_all_the_time, NULL), 0);
  CHECK_INT (pthread_create (&threads[3], NULL, write_all_the_time, NULL), 0);
  for (unsigned i = 0; i < rounds; i++)
    {
      before[0] = atomic_load (&reads);
      before[1] = atomic_load (&writes);
      set_budget (budgets[i % 6] * MIB);
      while (atomic_load (&reads) < before[0] + 200 || atomic_load (&writes) < before[1] + 200)
        usleep (1000); /* both go on */
    }
  set_budget (10 * MIB);
  atomic_store (&stop, true);
  for (unsigned i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  expect_within (10 * MIB);
  printf ("%llu reads, %llu writes\n", (unsigned long long) atomic_load (&reads),
          (unsigned long long) atomic_load (&writes));
  for (uint64_t i = 0; i < RECORDS + atomic_load (&writes); i++)
    check_record (i);
}

/* ---- flushes ---- */

/* Bytes that were charged to flushes and merges, at most: those who write segments note it. */
static _Atomic int64_t merge_most;

static status
note_memory (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
             struct failure *cause)
{
  int64_t used
      = strstr (file->name, ".seg") != NULL ? ledger_used (&engine->ledger, LEDGER_MERGE) : 0;
  int64_t most = atomic_load (&merge_most);
  while (used > most && !atomic_compare_exchange_weak (&merge_most, &most, used))
    continue;
  return vfs_posix ()->write (file, offset, from, size, cause);
}

/* U2 and U3 of core/memory.h: before a flush begins the cache has given up what it may take, and it takes
 * no more than it was told. */
static void
test_flush (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct vfs disk = replaced_vfs ();
  disk.write = note_memory;
  engine_options_init (&options);
  options.vfs = &disk;
  options.memory_budget = 10 * MIB;
  options.memtable_size = 8 * MIB;
  options.merge_enabled = false;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  for (uint64_t i = 0; i < 20000; i++)
    put (i);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK (atomic_load (&merge_most) > 0
         && atomic_load (&merge_most) <= (int64_t) memory_of_flush (engine));

  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  engine_rebalance (engine);
  uint64_t at_rest = atomic_load (&engine->cache_capacity);
  memory_begin_writing (engine);
  CHECK (atomic_load (&engine->cache_capacity) + memory_of_flush (engine) <= at_rest);
  memory_end_writing (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- readers of memtables ---- */

static sem_t flushing, may_flush; /* segments that are being synced */

static void *
flush_all (void *data)
{
  struct failure own = FAILURE_INIT;
  (void) data;
  CHECK_FINE (engine_flush (engine, &own));
  return NULL;
}

static status
sync_slowly (struct vfs_file *file, struct failure *cause)
{
  if (strstr (file->name, ".seg") != NULL)
    {
      sem_post (&flushing);
      sem_wait (&may_flush);
    }
  return vfs_posix ()->sync_data (file, cause);
}

/* U4 of core/memory.h: a flushed memtable that a reader still looks at counts as one of the three. */
static void
test_readers_of_memtables (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct vfs disk = replaced_vfs ();
  pthread_t reader, flusher;
  disk.sync_data = sync_slowly;
  engine_options_init (&options);
  options.vfs = &disk;
  options.memory_budget = 10 * MIB;
  options.merge_enabled = false;
  sem_init (&entered, 0, 0);
  sem_init (&leave, 0, 0);
  sem_init (&flushing, 0, 0);
  sem_init (&may_flush, 0, 1);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put (1);
  CHECK (pthread_create (&reader, NULL, linger, NULL) == 0);
  sem_wait (&entered);
  CHECK_OK (engine_flush (engine, &failure)); /* the first memtable has a reader, */
  sem_wait (&flushing);
  put (2);
  CHECK (pthread_create (&flusher, NULL, flush_all, NULL) == 0);
  sem_wait (&flushing); /* the second is being flushed, the third is written to */
  memory_begin_release (engine);
  CHECK (!memory_has_place (engine));
  sem_post (&leave);
  pthread_join (reader, NULL);
  memory_end_release (engine); /* frees what nobody looks at */
  memory_begin_release (engine);
  CHECK (memory_has_place (engine));
  memory_end_release (engine);
  sem_post (&may_flush);
  pthread_join (flusher, NULL);
  sem_post (&may_flush);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

int
main (void)
{
  test_flush ();
  test_readers_of_memtables ();
  char *path = fresh_directory ();
  test_refusal (path);
  test_shrink_and_grow (path);
  test_memtable ();
  test_large_value ();
  test_memory_of_another ();
  test_under_load (36);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  open_engine (path, 10 * MIB);
  for (uint64_t i = 0; i < RECORDS + atomic_load (&writes); i++)
    check_record (i);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
  return 0;
}
