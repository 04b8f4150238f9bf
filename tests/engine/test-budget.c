/* SPDX-License-Identifier: MIT */
/*
 * The promise about memory (docs/design/memory.md): with the smallest budget, loading ten times as
 * much, settling, reading at random and scanning take no more than the budget and 2 MB, above the
 * same program without a database. Memory is what the kernel counts as anonymous, and the log's
 * mapping.
 *
 * A sanitizer's own memory is not to be told from ours: under one only the ledger is held to it,
 * with a quarter of the data.
 */
#include "base/random.h"
#include "check.h"
#include "core/memory.h"
#include "process-memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define MIB ((uint64_t) 1 << 20)
#define BUDGET (10 * MIB)
#define LIMIT (BUDGET + 2 * MIB)
#define VALUE_SIZE_MOST 20000u /* some values are in blob files */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_OURS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_OURS false
#endif
#endif
#ifndef MEMORY_IS_OURS
#define MEMORY_IS_OURS true
#endif

#define RECORDS (MEMORY_IS_OURS ? 600000u : 150000u) /* 100 MB, 25 MB */

static struct failure failure;
static struct engine *engine;
static char *path;

/* ---- measuring ---- */

static struct
{
  pthread_t thread;
  _Atomic bool stop;
  _Atomic unsigned samples; /* since it was started */
  uint64_t base, most, most_ledger;
} sampler;

static void *
sample (void *data)
{
  (void) data;
  while (!atomic_load (&sampler.stop))
    {
      if (MEMORY_IS_OURS)
        {
          uint64_t memory = process_anonymous_memory () + process_log_memory (path);
          memory = memory > sampler.base ? memory - sampler.base : 0;
          sampler.most = memory > sampler.most ? memory : sampler.most;
        }
      if (engine != NULL)
        {
          uint64_t used = (uint64_t) ledger_total (&engine->ledger);
          sampler.most_ledger = used > sampler.most_ledger ? used : sampler.most_ledger;
        }
      atomic_fetch_add (&sampler.samples, 1);
      usleep (5000);
    }
  return NULL;
}

static void
sampler_start (void)
{
  atomic_store (&sampler.stop, false);
  atomic_store (&sampler.samples, 0);
  sampler.most = sampler.most_ledger = 0;
  CHECK_INT (pthread_create (&sampler.thread, NULL, sample, NULL), 0);
}

static void
sampler_stop (const char *phase)
{
  while (atomic_load (&sampler.samples) < 5) /* of which its own memory is seen by the second */
    usleep (1000);
  atomic_store (&sampler.stop, true);
  pthread_join (sampler.thread, NULL);
  if (phase == NULL)
    return;
  printf ("%s: at most %.1f MB, the ledger %.1f MB\n", phase, (double) sampler.most / (double) MIB,
          (double) sampler.most_ledger / (double) MIB);
  CHECK (sampler.most_ledger <= LIMIT);
  CHECK (sampler.most <= LIMIT);
}

/* ---- the work ---- */

static struct bytes
make_key (uint8_t to[16], uint64_t number)
{
  uint64_t words[2] = { random_next (&(struct random){ number }), number };
  memcpy (to, words, sizeof words);
  return BYTES (to, sizeof words);
}

/* Mostly 100 bytes, half of them noise; one in 500 large. */
static struct bytes
make_value (uint8_t to[VALUE_SIZE_MOST], uint64_t number)
{
  struct random random = { number * 3 };
  size_t size = number % 500 == 0 ? VALUE_SIZE_MOST : 100;
  memset (to, 'x', size);
  for (size_t i = 0; i + 8 <= size / 2; i += 8)
    {
      uint64_t word = random_next (&random);
      memcpy (to + i, &word, 8);
    }
  return BYTES (to, size);
}

static void
load (uint64_t count)
{
  static uint8_t value[VALUE_SIZE_MOST];
  uint8_t key[16];
  for (uint64_t i = 0; i < count; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, make_key (key, i), make_value (value, i),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
read_at_random (uint64_t count, uint64_t reads)
{
  static uint8_t expected[VALUE_SIZE_MOST], got[VALUE_SIZE_MOST];
  struct random random = { 5 };
  uint8_t key[16];
  for (uint64_t i = 0; i < reads; i++)
    {
      uint64_t number = random_below (&random, count);
      struct bytes value = make_value (expected, number);
      size_t size;
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, make_key (key, number), got,
                            sizeof got, &size, &failure));
      CHECK (size == value.size && memcmp (got, expected, size) == 0);
    }
}

static void
scan (uint64_t count)
{
  struct engine_cursor *cursor;
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .keys_only = true };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  uint64_t seen = 0;
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); seen++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  CHECK (seen == count);
  engine_cursor_free (cursor);
}

static void
test_budget (enum engine_compression compression, uint64_t count)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = BUDGET;
  options.compression = compression;
  path = fresh_directory ();
  engine = NULL;
  sampler.base = 0;
  sampler_start (); /* its own memory is not the database's */
  load (0);
  sampler_stop (NULL);
  sampler.base = sampler.most;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  sampler_start ();
  load (count);
  sampler_stop ("load");
  sampler_start ();
  CHECK_OK (engine_wait_settled (engine, 120000000, &failure));
  sampler_stop ("settle");
  sampler_start ();
  read_at_random (count, count / 3);
  sampler_stop ("read");
  sampler_start ();
  scan (count);
  sampler_stop ("scan");
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- memtables ---- */

static void
open_small (void)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = BUDGET;
  path = fresh_directory ();
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
}

static void
close_small (void)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

static void *
ask_pending (void *data)
{
  (void) data;
  merge_pending_bytes (engine);
  bool did;
  CHECK_INT (merge_one (engine, UINT64_MAX, &did, NULL), STATUS_OK);
  return NULL;
}

/* Waits until nobody refers to the view but the engine. A thread in the background may for a moment. */
static void
await_sole_reference (struct view *view)
{
  for (unsigned i = 0; i < 60000 && atomic_load (&view->references) != 1; i++)
    usleep (1000);
  CHECK_INT (atomic_load (&view->references), 1);
}

/* Who waits for the manifest's lock refers to no memtable meanwhile (R4). */
static void
test_waiting_for_the_manifest (void)
{
  pthread_t thread;
  open_small ();
  load (1000);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  load (1000);
  pthread_mutex_lock (&engine->manifest_lock);
  pthread_mutex_lock (&engine->view_lock); /* none is published, so that it is the same one below */
  struct view *view = atomic_load (&engine->view);
  await_sole_reference (view);
  CHECK_INT (pthread_create (&thread, NULL, ask_pending, NULL), 0);
  for (unsigned i = 0; i < 20; i++)
    usleep (5000); /* it needs far less to arrive at the lock */
  await_sole_reference (view);
  pthread_mutex_unlock (&engine->view_lock);
  pthread_mutex_unlock (&engine->manifest_lock);
  pthread_join (thread, NULL);
  close_small ();
}

/* Memtables whose memory is not given back: once so many are left, however late background threads let
 * go of theirs. */
static void
await_memtables (size_t count)
{
  for (unsigned tries = 0; tries < 10000 && memtable_pool_users (engine->pool) != count; tries++)
    {
      usleep (1000);
      engine_collect ();
    }
  CHECK_INT (memtable_pool_users (engine->pool), count);
}

/* A view that is held keeps its memtables; writers go on beside it, and are as strict as before
 * once it is let go (U4). */
static void
test_held_view (void)
{
  open_small ();
  load (1000);
  struct view *view = engine_view (engine);
  struct view *files;
  CHECK_OK (engine_view_of_files (engine, &files, &failure));
  load (60000); /* eight memtables */
  CHECK_OK (engine_flush (engine, &failure));
  await_memtables (2);
  view_unref (view);
  await_memtables (1); /* the copy of its files holds none */
  view_unref (files);
  for (unsigned tries = 0; tries < 1000 && atomic_load (&engine->arenas_held) != 0; tries++)
    {
      load (100); /* a flush counts those that are left; the last reader may be a moment late */
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_INT (atomic_load (&engine->arenas_held), 0);
  close_small ();
}

int
main (void)
{
  test_waiting_for_the_manifest ();
  test_held_view ();
  test_budget (ENGINE_COMPRESSION_NONE, RECORDS);
  test_budget (ENGINE_COMPRESSION_ADAPTIVE, RECORDS);
  return 0;
}
