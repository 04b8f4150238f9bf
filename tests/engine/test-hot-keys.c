/* SPDX-License-Identifier: MIT */
/*
 * Which keys it happens to most: what is noted, and that no count is further off than it says.
 */
#include "small-engine.h"

#include "base/random.h"
#include "core/engine-private.h"

#include <pthread.h>
#include <string.h>

#define KEYS 3000u
#define STREAM 200000u

static struct failure failure;
static struct engine_hot_key hot[ENGINE_HOT_KEYS];

static const struct engine_hot_key *
find_hot (size_t count, struct bytes key)
{
  for (size_t i = 0; i < count; i++)
    if (hot[i].key_size == key.size && memcmp (hot[i].key, key.data, key.size) == 0)
      return &hot[i];
  return NULL;
}

/* Checks that the key, as the `at`th, was noted so often exactly. */
static void
check_hot (size_t at, const char *key, uint64_t count)
{
  CHECK_INT (hot[at].key_size, strlen (key));
  CHECK (memcmp (hot[at].key, key, strlen (key)) == 0);
  CHECK_INT (hot[at].count, count);
  CHECK_INT (hot[at].error, 0);
}

static void
conflict_about (struct engine *engine, struct bytes key, unsigned times)
{
  for (unsigned i = 0; i < times; i++)
    {
      struct engine_transaction *transaction;
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      CHECK_OK (
          engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, key, BYTES_NONE, &failure));
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, key, BYTES_NONE, ENGINE_SYNC_DEFAULT,
                            NULL, &failure));
      CHECK_FAILS (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure),
                   STATUS_CONFLICT);
      engine_transaction_free (transaction);
    }
}

static void
test_conflicts (struct engine *engine)
{
  uint64_t total;
  char large[100];
  memset (large, 'l', sizeof large);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_CONFLICTS, hot, &total), 0);
  CHECK_INT (total, 0);
  int64_t uncharged = metrics_gauge (engine->metrics, GAUGE_MEMORY_OTHER);
  uint64_t before = engine_wall ();
  conflict_about (engine, BYTES_LITERAL ("seldom"), 2);
  conflict_about (engine, BYTES_LITERAL ("often"), 5);
  conflict_about (engine, BYTES (large, sizeof large), 3);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_CONFLICTS, hot, &total), 3);
  CHECK_INT (total, 10);
  check_hot (0, "often", 5);
  CHECK_INT (hot[1].count, 3);
  CHECK_INT (hot[1].key_size, sizeof large);
  CHECK (memcmp (hot[1].key, large, sizeof hot[1].key) == 0);
  check_hot (2, "seldom", 2);
  CHECK (hot[0].last >= before && hot[0].last <= engine_wall ());
  CHECK_INT (hot[0].store, ENGINE_STORE_DEFAULT);
  int64_t charged = metrics_gauge (engine->metrics, GAUGE_MEMORY_OTHER) - uncharged;
  CHECK (charged > (int64_t) sizeof hot && charged < 2 * (int64_t) sizeof hot);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_WRITES, hot, &total), 0); /* nothing is sampled */
}

static void
test_reads (struct engine *engine)
{
  uint64_t total;
  size_t size;
  char buffer[16];
  struct engine_value values[3];
  status results[3];
  struct engine_trace trace;
  struct bytes keys[3]
      = { BYTES_LITERAL ("often"), BYTES_LITERAL ("nothing"), BYTES_LITERAL ("seldom") };
  engine_set_sampling (engine, 1);
  for (unsigned i = 0; i < 4; i++)
    CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, keys[0], buffer, sizeof buffer, &size,
                          &failure));
  CHECK_OK (engine_contains (engine, NULL, ENGINE_STORE_DEFAULT, keys[2], false, &failure));
  CHECK_OK (
      engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, keys, 3, values, results, &failure));
  CHECK_INT (results[1], STATUS_NOT_FOUND);
  engine_value_release (&values[0]);
  engine_value_release (&values[2]);
  CHECK_OK (engine_trace_get (engine, NULL, ENGINE_STORE_DEFAULT, keys[2], &values[0], &trace,
                              &failure)); /* no sample of what is done otherwise */
  engine_value_release (&values[0]);
  engine_set_sampling (engine, 0);
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, keys[0], buffer, sizeof buffer, &size,
                        &failure));
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_READS, hot, &total), 3);
  CHECK_INT (total, 8);
  check_hot (0, "often", 5);
  check_hot (1, "seldom", 2);
  check_hot (2, "nothing", 1); /* which is read as well */
  CHECK_INT (hot[0].last, 0);
}

static void
test_writes (struct engine *engine)
{
  uint64_t total;
  char name[32];
  struct engine_batch batch;
  engine_set_sampling (engine, 1);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("one"), BYTES_NONE,
                        ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("one"), ENGINE_SYNC_DEFAULT,
                           NULL, &failure));
  batch_init (&batch);
  CHECK_OK (
      engine_batch_put (&batch, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("one"), BYTES_NONE, &failure));
  CHECK_OK (engine_batch_delete_range (&batch, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("r"),
                                       BYTES_LITERAL ("s"), &failure)); /* no key */
  CHECK_OK (engine_batch_delete (&batch, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("two"), &failure));
  CHECK_OK (engine_write (engine, &batch, ENGINE_SYNC_DEFAULT, NULL, &failure));
  batch_clear_memory (&batch);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_WRITES, hot, &total), 2);
  CHECK_INT (total, 4);
  check_hot (0, "one", 3);
  check_hot (1, "two", 1);

  /* Of many one in ten counts for ten. */
  batch_init (&batch);
  for (unsigned i = 0; i < 10 * HOT_KEYS_OF_CALL; i++)
    CHECK_OK (engine_batch_put (&batch, ENGINE_STORE_DEFAULT, number_key (name, i), BYTES_NONE,
                                &failure));
  CHECK_OK (engine_write (engine, &batch, ENGINE_SYNC_DEFAULT, NULL, &failure));
  batch_clear_memory (&batch);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_WRITES, hot, &total), 2 + HOT_KEYS_OF_CALL);
  CHECK_INT (total, 4 + 10 * HOT_KEYS_OF_CALL);
  CHECK_INT (hot[0].count, 10);
  engine_set_sampling (engine, 0);
}

/* H1: each count is as far as it says from what really was. */
static void
check_bounds (struct engine *engine, enum engine_hot_kind kind, const double truth[KEYS],
              double whole)
{
  char name[32];
  uint64_t total;
  double sum = 0;
  size_t count = engine_hot_keys (engine, kind, hot, &total);
  CHECK_INT (count, ENGINE_HOT_KEYS);
  CHECK (total >= (uint64_t) whole && total <= (uint64_t) whole + 2);
  for (size_t i = 0; i < count; i++)
    {
      double real = truth[strtoul ((char *) hot[i].key + 4, NULL, 10)];
      sum += (double) hot[i].count;
      CHECK ((double) hot[i].count >= real);
      CHECK ((double) (hot[i].count - hot[i].error) <= real);
      CHECK (kind != ENGINE_HOT_CONFLICTS || hot[i].error <= total / ENGINE_HOT_KEYS);
      CHECK (i == 0 || hot[i].count - hot[i].error <= hot[i - 1].count - hot[i - 1].error);
    }
  CHECK (kind != ENGINE_HOT_CONFLICTS || sum == (double) total);
  for (unsigned key = 0; key < KEYS; key++)
    CHECK (truth[key] <= whole / ENGINE_HOT_KEYS + 2
           || find_hot (count, number_key (name, key)) != NULL);
}

/* A stream of many more keys than there is room for, in which key n comes about as often as 1/n.
 * Looked at when counts were halved, too: later those of seldom keys have been given on. */
static void
test_bounds (struct engine *engine, enum engine_hot_kind kind)
{
  static double truth[KEYS];
  struct random random = { 20261129 };
  char name[32];
  uint64_t total;
  double whole = 0;
  memset (truth, 0, sizeof truth);
  engine_hot_keys (engine, kind, hot, &total);
  CHECK_INT (total, 0);
  for (unsigned n = 0; n < STREAM; n++)
    {
      unsigned key = (unsigned) random_below (&random, 1 + random_below (&random, KEYS));
      hot_keys_note (engine, kind, ENGINE_STORE_DEFAULT, number_key (name, key), 1, 0);
      truth[key] += 1;
      whole += 1;
      if (kind != ENGINE_HOT_CONFLICTS && whole >= HOT_KEYS_HALVED)
        {
          whole /= 2;
          for (unsigned i = 0; i < KEYS; i++)
            truth[i] /= 2;
          check_bounds (engine, kind, truth, whole);
        }
    }
  check_bounds (engine, kind, truth, whole);
}

/* ---- several threads ---- */

static void *
note_some (void *engine)
{
  char name[32];
  for (unsigned i = 0; i < 1000; i++)
    hot_keys_note (engine, ENGINE_HOT_CONFLICTS, ENGINE_STORE_DEFAULT, number_key (name, i % 8), 1,
                   0);
  return NULL;
}

static void
test_threads (struct engine *engine)
{
  pthread_t threads[4];
  uint64_t total;
  for (unsigned i = 0; i < 4; i++)
    CHECK_INT (pthread_create (&threads[i], NULL, note_some, engine), 0);
  for (unsigned i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  CHECK_INT (engine_hot_keys (engine, ENGINE_HOT_CONFLICTS, hot, &total), 8);
  CHECK_INT (total, 4000);
  for (unsigned i = 0; i < 8; i++)
    CHECK_INT (hot[i].count, 500);
}

static void
with_engine (void (*first) (struct engine *), void (*second) (struct engine *),
             void (*third) (struct engine *))
{
  struct engine_options options = small_options ();
  char *path = fresh_directory ();
  options.sync = ENGINE_SYNC_NONE;
  options.sampling_interval = 0;
  struct engine *engine = open_with (path, &options);
  first (engine);
  if (second != NULL)
    second (engine);
  if (third != NULL)
    third (engine);
  close_it (engine);
  remove_directory (path);
}

static void
test_exact_bounds (struct engine *engine)
{
  test_bounds (engine, ENGINE_HOT_CONFLICTS);
  test_bounds (engine, ENGINE_HOT_READS);
}

int
main (void)
{
  with_engine (test_conflicts, test_reads, test_writes);
  with_engine (test_exact_bounds, NULL, NULL);
  with_engine (test_threads, NULL, NULL);
  return 0;
}
