/* SPDX-License-Identifier: MIT */
/* hot-records.h: what is kept is what comes back, whole; and gets of the same keys over and over
 * see every overwrite, delete, flush and merge between them. */
#include "core/hot-records.h"

#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "core/engine-private.h"
#include "replaced-vfs.h"
#include "stepped.h"

#include <pthread.h>
#include <unistd.h>

#define KEYS 300u
#define LOOKUPS_TO_BEGIN 6000u /* more than a thread lets pass before it looks */

static struct failure failure;

/* ---- the table ---- */

static struct bytes
numbered_key (uint8_t to[64], unsigned number, size_t size)
{
  memset (to, 'k', 64);
  memcpy (to, "\0\0\0\1", 4);
  for (size_t at = 4; at < size && at < 8; at++, number >>= 8)
    to[at] = (uint8_t) number;
  return BYTES (to, size);
}

static bool
get (struct hot_records *records, uint64_t runs_id, struct bytes key, uint64_t sequence,
     uint8_t *buffer, size_t capacity, size_t *size)
{
  return hot_records_get (records, runs_id, key, key_hash (key), sequence, buffer, capacity, size);
}

static void
test_sizes (struct hot_records *records)
{
  uint8_t key_bytes[64], value[200], buffer[256];
  size_t size;
  unsigned kept = 0;
  for (size_t key_size = 5; key_size <= 60; key_size++)
    for (size_t value_size = 0; value_size <= sizeof value; value_size++)
      {
        uint64_t runs = value_size * 64 + key_size + 10; /* short keys come again */
        struct bytes key = numbered_key (key_bytes, (unsigned) value_size, key_size);
        for (size_t i = 0; i < value_size; i++)
          value[i] = (uint8_t) (i * 7 + key_size);
        hot_records_keep (records, runs, key, key_hash (key), 5, BYTES (value, value_size));
        memset (buffer, 0xee, sizeof buffer);
        if (!get (records, runs, key, 5, buffer, value_size, &size))
          continue; /* too large */
        kept++;
        CHECK_INT (size, value_size);
        CHECK (value_size == 0 || memcmp (buffer, value, value_size) == 0);
        CHECK_INT (buffer[value_size], 0xee);
        CHECK (!get (records, runs + 1, key, 5, buffer, sizeof buffer, &size)); /* other runs */
        CHECK (!get (records, runs, key, 4, buffer, sizeof buffer, &size)); /* an older snapshot */
        if (value_size > 0)
          {
            memset (buffer, 0xee, sizeof buffer);
            CHECK (get (records, runs, key, 5, buffer, value_size - 1, &size));
            CHECK_INT (size, value_size); /* it does not fit, and says so */
            CHECK_INT (buffer[0], 0xee);
          }
      }
  CHECK (kept > 56 * 90);
}

/* ---- threads ---- */

struct race
{
  struct hot_records *records;
  _Atomic bool stop;
  _Atomic unsigned writing; /* threads that keep versions by now */
  _Atomic uint64_t hits;
};

static void *
keep_versions (void *data)
{
  struct race *race = data;
  uint8_t key_bytes[64], value[100];
  for (uint64_t sequence = 1; !atomic_load (&race->stop); sequence++)
    {
      struct bytes key = numbered_key (key_bytes, sequence % 4, 20);
      memset (value, (int) (sequence % 251), sizeof value);
      hot_records_keep (race->records, 7, key, key_hash (key), sequence % 251,
                        BYTES (value, 20 + sequence % 80));
      if (sequence == 4)
        atomic_fetch_add (&race->writing, 1);
    }
  return NULL;
}

static void *
get_versions (void *data)
{
  struct race *race = data;
  uint8_t key_bytes[64], value[128];
  for (unsigned i = 0; i < 400000; i++)
    {
      size_t size;
      if (!get (race->records, 7, numbered_key (key_bytes, i % 4, 20), SEQUENCE_MAX, value,
                sizeof value, &size))
        continue;
      atomic_fetch_add (&race->hits, 1);
      for (size_t at = 1; at < size; at++)
        CHECK_INT (value[at], value[0]);
    }
  return NULL;
}

/* Whoever reads while others write gets a whole record or none. */
static void
test_race (struct hot_records *records)
{
  struct race race = { .records = records };
  pthread_t writers[2], readers[2];
  for (unsigned i = 0; i < 2; i++)
    pthread_create (&writers[i], NULL, keep_versions, &race);
  while (atomic_load (&race.writing) < 2)
    usleep (100);
  for (unsigned i = 0; i < 2; i++)
    pthread_create (&readers[i], NULL, get_versions, &race);
  for (unsigned i = 0; i < 2; i++)
    pthread_join (readers[i], NULL);
  atomic_store (&race.stop, true);
  for (unsigned i = 0; i < 2; i++)
    pthread_join (writers[i], NULL);
  CHECK (race.hits > 0);
}

/* ---- instruction by instruction ---- */

struct meeting
{
  struct hot_records *records;
  uint64_t at; /* the step behind which another version is kept */
  uint8_t value[128];
  size_t size;
  bool found;
};

/* Of one key; its bytes are all the same, and tell its size. */
static void
keep_version (struct hot_records *records, uint8_t version)
{
  uint8_t key[64], value[90];
  struct bytes name = numbered_key (key, 1, 20);
  memset (value, version, version);
  hot_records_keep (records, 7, name, key_hash (name), version, BYTES (value, version));
}

static void
keep_first (void *data)
{
  keep_version (((struct meeting *) data)->records, 40);
}

static void
get_it (void *data)
{
  struct meeting *meeting = data;
  uint8_t key[64];
  meeting->found = get (meeting->records, 7, numbered_key (key, 1, 20), SEQUENCE_MAX,
                        meeting->value, sizeof meeting->value, &meeting->size);
}

static void
keep_at (void *data, uint64_t step)
{
  struct meeting *meeting = data;
  if (step < meeting->at)
    return;
  step_no_more ();
  keep_version (meeting->records, 60);
}

/* H2: a version that is kept while another one is read, or kept, is there as a whole or not at
 * all. */
static void
test_steps (struct hot_records *records)
{
  void (*const run[]) (void *data) = { get_it, keep_first };
  for (unsigned i = 0; i < 2; i++)
    {
      struct meeting meeting = { .records = records };
      uint64_t steps = 0, found = 0;
      for (meeting.at = 1; meeting.at == steps + 1; meeting.at++)
        {
          keep_version (records, 80);
          steps = step_through (run[i], keep_at, &meeting);
          if (run[i] == keep_first)
            get_it (&meeting);
          found += meeting.found;
          for (size_t at = 0; meeting.found && at < meeting.size; at++)
            CHECK_INT (meeting.value[at], meeting.size);
        }
      CHECK (!STEPPED || (steps > 100 && found > steps / 4));
    }
}

static void
test_budget (void)
{
  struct ledger small = { .budget = 1 << 20 }, large = { .budget = UINT64_C (1) << 30 };
  _Atomic (struct hot_records *) place = NULL;
  CHECK (hot_records_provide (&place, &small) == NULL);
  CHECK (hot_records_provide (&place, &large) != NULL);
  CHECK (hot_records_provide (&place, &large) == atomic_load (&place));
  CHECK (ledger_total (&large) > 0);
  CHECK (hot_records_drop (&place) > 0);
  epoch_collect (true);
  CHECK_INT (ledger_total (&large), 0);
  CHECK_INT (hot_records_drop (&place), 0);
}

/* ---- the engine ---- */

struct model
{
  struct engine *engine;
  unsigned values[KEYS]; /* what each key's value says; 0 = absent */
};

static void
check_get (struct engine *engine, struct engine_snapshot *snapshot, unsigned key, unsigned expected)
{
  char name[32], text[64], buffer[64];
  size_t size = 0;
  int key_size = snprintf (name, sizeof name, "key-%06u", key);
  int value_size = snprintf (text, sizeof text, "value %u of key %u", expected, key);
  status result = engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, BYTES (name, key_size),
                              buffer, sizeof buffer, &size, &failure);
  CHECK_INT (result, expected > 0 ? STATUS_OK : STATUS_NOT_FOUND);
  if (expected > 0)
    CHECK (size == (size_t) value_size && memcmp (buffer, text, size) == 0);
}

static void
check_all (struct model *model, struct random *random, unsigned lookups)
{
  for (unsigned i = 0; i < lookups; i++)
    {
      unsigned key = (unsigned) random_below (random, KEYS);
      check_get (model->engine, NULL, key, model->values[key]);
    }
}

static void
change (struct model *model, struct random *random, unsigned round)
{
  for (unsigned i = 0; i < KEYS / 4; i++)
    {
      char name[32], text[64];
      unsigned key = (unsigned) random_below (random, KEYS);
      bool gone = random_below (random, 4) == 0;
      int key_size = snprintf (name, sizeof name, "key-%06u", key);
      int value_size = snprintf (text, sizeof text, "value %u of key %u", round, key);
      struct bytes bytes = BYTES (name, key_size);
      if (gone)
        CHECK_OK (engine_delete (model->engine, ENGINE_STORE_DEFAULT, bytes, ENGINE_SYNC_DEFAULT,
                                 NULL, &failure));
      else
        CHECK_OK (engine_put (model->engine, ENGINE_STORE_DEFAULT, bytes, BYTES (text, value_size),
                              ENGINE_SYNC_DEFAULT, NULL, &failure));
      model->values[key] = gone ? 0 : round;
    }
}

static void
delete_some (struct model *model, unsigned from, unsigned to)
{
  char start[32], end[32];
  int start_size = snprintf (start, sizeof start, "key-%06u", from);
  int end_size = snprintf (end, sizeof end, "key-%06u", to);
  CHECK_OK (engine_delete_range (model->engine, ENGINE_STORE_DEFAULT, BYTES (start, start_size),
                                 BYTES (end, end_size), ENGINE_SYNC_DEFAULT, NULL, &failure));
  for (unsigned key = from; key < to; key++)
    model->values[key] = 0;
}

static void
test_engine (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct model model = { NULL };
  struct random random = { 3 };
  engine_options_init (&options);
  options.memory_budget = 16 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &model.engine, &failure));
  for (unsigned round = 1; round <= 24; round++)
    {
      struct engine_snapshot *snapshot;
      unsigned before[KEYS];
      change (&model, &random, round);
      CHECK_OK (engine_snapshot_new (model.engine, &snapshot, &failure));
      memcpy (before, model.values, sizeof before);
      check_all (&model, &random, LOOKUPS_TO_BEGIN);
      if (round % 2 == 0)
        CHECK_OK (engine_flush (model.engine, &failure));
      check_all (&model, &random, LOOKUPS_TO_BEGIN);
      if (round % 5 == 0)
        delete_some (&model, round * 3, round * 3 + 40);
      change (&model, &random, round + 100);
      if (round % 3 == 0)
        CHECK_OK (engine_flush (model.engine, &failure));
      if (round % 7 == 0)
        CHECK_OK (engine_compact (model.engine, NULL, NULL, &failure));
      check_all (&model, &random, LOOKUPS_TO_BEGIN);
      for (unsigned key = 0; key < KEYS; key++)
        check_get (model.engine, snapshot, key, before[key]);
      engine_snapshot_free (snapshot);
    }
  CHECK_OK (engine_flush (model.engine, &failure));
  check_all (&model, &random, 4 * LOOKUPS_TO_BEGIN);
  CHECK (engine_evict_cache (model.engine, 1) > 0);
  check_all (&model, &random, 4 * LOOKUPS_TO_BEGIN);
  engine_unref (model.engine);
  remove_directory (path);
}

/* ---- a table that goes away during a get ---- */

static struct vfs dropping;
static struct engine *dropping_engine; /* of which the next read drops the hot records; or NULL */

static status
dropping_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
               struct failure *cause)
{
  struct engine *engine = dropping_engine;
  dropping_engine = NULL;
  if (engine != NULL)
    {
      CHECK (engine_evict_cache (engine, 1) > 0);
      epoch_collect (true);
    }
  return vfs_posix ()->read (file, offset, to, size, got, cause);
}

/* What is read from the disk is kept in the table that is there then. */
static void
test_dropped_while_reading (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct model model = { NULL };
  struct random random = { 5 };
  dropping = replaced_vfs ();
  dropping.read = dropping_read;
  engine_options_init (&options);
  options.vfs = &dropping;
  options.memory_budget
      = UINT64_C (256)
        << 20; /* AddressSanitizer, or MALLOC_MMAP_THRESHOLD_=131072, shows a use of the one dropped */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &model.engine, &failure));
  for (unsigned round = 1; round <= 12; round++)
    change (&model, &random, round);
  CHECK_OK (engine_flush (model.engine, &failure));
  check_all (&model, &random, 4 * LOOKUPS_TO_BEGIN);
  unsigned key = 0;
  while (model.values[key] == 0)
    key++;
  for (unsigned round = 0; round < 4; round++)
    {
      /* The page is gone, the table new and empty: the get has to read, and keeps what it read. */
      CHECK (engine_evict_cache (model.engine, 1) > 0);
      epoch_collect (true);
      dropping_engine = model.engine;
      check_get (model.engine, NULL, key, model.values[key]);
      CHECK (dropping_engine == NULL); /* it did read */
      check_get (model.engine, NULL, key, model.values[key]);
    }
  /* A closed handle keeps no table. */
  int64_t with_table = ledger_used (&model.engine->ledger, LEDGER_OTHER);
  CHECK_OK (engine_close (model.engine, &failure));
  CHECK (ledger_used (&model.engine->ledger, LEDGER_OTHER) < with_table);
  engine_unref (model.engine);
  remove_directory (path);
}

int
main (void)
{
  struct ledger ledger = { .budget = UINT64_C (256) << 20 };
  _Atomic (struct hot_records *) place = NULL;
  struct hot_records *records = hot_records_provide (&place, &ledger);
  CHECK (records != NULL);
  test_sizes (records);
  test_race (records);
  test_steps (records);
  hot_records_free (records);
  test_budget ();
  test_engine ();
  test_dropped_while_reading ();
  return 0;
}
