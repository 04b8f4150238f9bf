/* SPDX-License-Identifier: MIT */
#include "soak.h"

#include "base/coding.h"

#include <string.h>
#include <sys/mman.h>

struct picture *picture;
const char *const soak_store_names[SOAK_STORES] = { "default", "second", "third" };

void
picture_new (void)
{
  picture = mmap (NULL, sizeof *picture, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (picture != MAP_FAILED);
  memset (picture, 0, sizeof *picture);
}

/* ---- keys and values ---- */

struct bytes
picture_key (uint8_t to[SOAK_KEY_SIZE], unsigned worker, uint32_t slot)
{
  char text[32];
  snprintf (text, sizeof text, "worker%u%05u", worker % 10, slot % 100000);
  memcpy (to, text, SOAK_KEY_SIZE);
  return BYTES (to, SOAK_KEY_SIZE);
}

struct bytes
picture_counter_key (uint8_t to[SOAK_KEY_SIZE], uint32_t counter)
{
  char text[32];
  snprintf (text, sizeof text, "counter%05u", counter % 100000);
  memcpy (to, text, SOAK_KEY_SIZE);
  return BYTES (to, SOAK_KEY_SIZE);
}

bool
picture_key_parse (struct bytes key, unsigned *worker, uint32_t *slot)
{
  char text[SOAK_KEY_SIZE + 1] = { 0 };
  if (key.size != SOAK_KEY_SIZE)
    return false;
  memcpy (text, key.data, key.size);
  return sscanf (text, "worker%1u%5u", worker, slot) == 2 && *worker < SOAK_WORKERS
         && *slot < SOAK_SLOTS;
}

static struct random
value_random (unsigned worker, uint32_t store, uint32_t slot, uint32_t version)
{
  return (struct random){ ((uint64_t) version << 32 | slot) * UINT64_C (0x9e3779b97f4a7c15)
                          + worker * 31 + store };
}

static size_t
draw_size (struct random *random)
{
  if (random_below (random, 64) == 0)
    return 8192 + (size_t) random_below (random, SOAK_VALUE_MAX - 8192);
  return 20 + (size_t) random_below (random, 400);
}

size_t
picture_value_size (unsigned worker, uint32_t store, uint32_t slot, uint32_t version)
{
  struct random random = value_random (worker, store, slot, version);
  return draw_size (&random);
}

/* The version, then words of which about half repeat. */
struct bytes
picture_value (uint8_t *to, unsigned worker, uint32_t store, uint32_t slot, uint32_t version)
{
  struct random random = value_random (worker, store, slot, version);
  size_t size = draw_size (&random);
  store_u32 (to, version);
  for (size_t at = 4; at < size; at += 8)
    {
      uint64_t drawn = random_next (&random);
      uint64_t word = (drawn & 1) != 0 ? UINT64_C (0x6e696e746867696c) : drawn;
      memcpy (to + at, &word, size - at < 8 ? size - at : 8);
    }
  return BYTES (to, size);
}

uint32_t
picture_value_version (struct bytes value)
{
  return value.size >= 4 ? load_u32 (value.data) : 0;
}

uint64_t
picture_live_bytes (void)
{
  uint64_t bytes = 0;
  for (unsigned worker = 0; worker < SOAK_WORKERS; worker++)
    for (uint32_t store = 0; store < SOAK_STORES; store++)
      for (uint32_t slot = 0; slot < SOAK_SLOTS; slot++)
        {
          uint32_t version = picture->versions[worker][store][slot];
          if (version != 0)
            bytes += SOAK_KEY_SIZE + picture_value_size (worker, store, slot, version);
        }
  return bytes;
}

/* ---- what is under way ---- */

void
picture_intend (unsigned worker, const struct change *changes, uint32_t count)
{
  struct intent *intent = &picture->intents[worker];
  CHECK (count > 0 && count <= SOAK_CHANGES_MAX);
  memcpy (intent->changes, changes, count * sizeof *changes);
  atomic_store (&intent->acknowledged, false);
  atomic_store (&intent->count, count);
}

void
picture_withdraw (unsigned worker)
{
  atomic_store (&picture->intents[worker].count, 0);
}

void
picture_acknowledge (unsigned worker)
{
  struct intent *intent = &picture->intents[worker];
  uint32_t count = atomic_load (&intent->count);
  atomic_store (&intent->acknowledged, true);
  for (uint32_t i = 0; i < count; i++)
    {
      const struct change *change = &intent->changes[i];
      picture->versions[worker][change->store][change->slot] = change->version;
    }
  atomic_store (&intent->count, 0);
  atomic_fetch_add (&picture->totals.commits, 1);
}

/* The version that stands in the database. */
static uint32_t
stored_version (const struct soak_database *database, unsigned worker, const struct change *change)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  uint8_t key[SOAK_KEY_SIZE];
  bool count = change->store == SOAK_COUNTS;
  struct bytes name
      = count ? picture_counter_key (key, change->slot) : picture_key (key, worker, change->slot);
  status result = engine_get_value (database->engine, NULL,
                                    count ? ENGINE_STORE_DEFAULT : database->stores[change->store],
                                    name, &value, &failure);
  if (result == STATUS_NOT_FOUND)
    return 0;
  CHECK_INT (result, STATUS_OK);
  if (count)
    CHECK_INT (value.data.size, 4 * SOAK_WORKERS);
  uint32_t version = count ? load_u32 (value.data.data + (size_t) 4 * worker)
                           : picture_value_version (value.data);
  engine_value_release (&value);
  return version;
}

static void
resolve_intent (const struct soak_database *database, unsigned worker)
{
  struct intent *intent = &picture->intents[worker];
  uint32_t count = atomic_load (&intent->count);
  bool acknowledged = atomic_load (&intent->acknowledged), is_new = true, is_old = !acknowledged;
  for (uint32_t i = 0; i < count; i++)
    {
      const struct change *change = &intent->changes[i];
      uint32_t version = stored_version (database, worker, change);
      is_new &= version == change->version;
      is_old &= version == picture->versions[worker][change->store][change->slot];
    }
  if (!is_new && !is_old)
    soak_differs (
        "after a kill %s commit of worker %u, of %u changes, is there in part or not at all",
        acknowledged ? "an acknowledged" : "a", worker, count);
  if (is_new && count > 0)
    picture_acknowledge (worker);
  else
    picture_withdraw (worker);
}

void
picture_resolve (const struct soak_database *database)
{
  for (unsigned worker = 0; worker < SOAK_WORKERS; worker++)
    resolve_intent (database, worker);
}

/* ---- comparing in whole ---- */

/* A walk over all keys that a store should hold, in either direction. */
struct walk
{
  const struct soak_database *database;
  struct engine_cursor *cursor;
  uint32_t store;
  bool backward;
  uint8_t *value; /* SOAK_VALUE_MAX; what there should be */
};

static void
expect (struct walk *walk, struct bytes key, struct bytes value)
{
  struct failure failure;
  struct bytes found;
  const char *store = soak_store_names[walk->store];
  if (!engine_cursor_valid (walk->cursor))
    soak_differs ("store %s ends before the key %.*s", store, (int) key.size,
                  (const char *) key.data);
  found = engine_cursor_key (walk->cursor);
  if (!bytes_equal (found, key))
    soak_differs ("store %s has the key %.*s where %.*s should stand", store, (int) found.size,
                  (const char *) found.data, (int) key.size, (const char *) key.data);
  CHECK_OK (engine_cursor_value (walk->cursor, &found, &failure));
  if (!bytes_equal (found, value))
    soak_differs (
        "store %s, key %.*s: the value of %zu bytes, version %u, is not that of %zu bytes, "
        "version %u",
        store, (int) key.size, (const char *) key.data, found.size, picture_value_version (found),
        value.size, picture_value_version (value));
  CHECK_OK (walk->backward ? engine_cursor_previous (walk->cursor, &failure)
                           : engine_cursor_next (walk->cursor, &failure));
}

static void
expect_counters (struct walk *walk)
{
  uint8_t key[SOAK_KEY_SIZE], value[4 * SOAK_WORKERS];
  for (uint32_t i = 0; walk->store == 0 && i < SOAK_COUNTERS; i++)
    {
      uint32_t counter = walk->backward ? SOAK_COUNTERS - 1 - i : i, sum = 0;
      for (unsigned worker = 0; worker < SOAK_WORKERS; worker++)
        {
          uint32_t count = picture->versions[worker][SOAK_COUNTS][counter];
          store_u32 (value + (size_t) 4 * worker, count);
          sum += count;
        }
      if (sum > 0)
        expect (walk, picture_counter_key (key, counter), BYTES (value, sizeof value));
    }
}

static void
expect_slots (struct walk *walk)
{
  uint8_t key[SOAK_KEY_SIZE];
  for (uint32_t i = 0; i < SOAK_WORKERS * SOAK_SLOTS; i++)
    {
      uint32_t at = walk->backward ? SOAK_WORKERS * SOAK_SLOTS - 1 - i : i;
      unsigned worker = at / SOAK_SLOTS;
      uint32_t slot = at % SOAK_SLOTS, version = picture->versions[worker][walk->store][slot];
      if (version != 0)
        expect (walk, picture_key (key, worker, slot),
                picture_value (walk->value, worker, walk->store, slot, version));
    }
}

static void
compare_store (struct walk *walk)
{
  struct failure failure;
  struct engine_cursor_settings settings = { .store = walk->database->stores[walk->store] };
  CHECK_OK (engine_cursor_new (walk->database->engine, &settings, &walk->cursor, &failure));
  CHECK_OK (walk->backward ? engine_cursor_last (walk->cursor, &failure)
                           : engine_cursor_first (walk->cursor, &failure));
  if (!walk->backward)
    expect_counters (walk);
  expect_slots (walk);
  if (walk->backward)
    expect_counters (walk);
  if (engine_cursor_valid (walk->cursor))
    soak_differs ("store %s holds more than was put into it", soak_store_names[walk->store]);
  engine_cursor_free (walk->cursor);
}

void
picture_compare (const struct soak_database *database, bool backward)
{
  static uint8_t value[SOAK_VALUE_MAX + 8];
  struct walk walk = { .database = database, .backward = backward, .value = value };
  uint64_t since = soak_now ();
  for (walk.store = 0; walk.store < SOAK_STORES; walk.store++)
    compare_store (&walk);
  soak_record (SOAK_COMPARE, since);
}
