/* SPDX-License-Identifier: MIT */
/* The operations of the differential test that need no handle but the engine. */
#include "differential.h"

#include <stdarg.h>

/* ---- choosing ---- */

uint64_t
pick (struct trial *trial, uint64_t bound)
{
  return random_below (&trial->random, bound);
}

position
pick_key (struct trial *trial)
{
  position count = trial->oracle.count;
  if (pick (trial, 10) < 4) /* a few popular keys, so that versions pile up */
    return (trial->hot + (position) pick (trial, 50)) % count;
  return (position) pick (trial, (uint64_t) count);
}

struct oracle_value
pick_value (struct trial *trial)
{
  uint64_t shape = pick (trial, 1000);
  uint64_t threshold = trial->options.blob_threshold;
  uint64_t size = shape < 40    ? 0
                  : shape < 800 ? pick (trial, 120)
                  : shape < 960 ? pick (trial, 1200)
                  : shape < 985 ? threshold - 3 + pick (trial, 6)
                  : shape < 999 ? pick (trial, 12000)
                                : pick (trial, 200000);
  return (struct oracle_value){ (uint32_t) size, (uint32_t) pick (trial, ORACLE_POOL_SIZE - size) };
}

struct oracle_store *
pick_store (struct trial *trial)
{
  if (pick (trial, 2) == 0)
    return &trial->oracle.stores[0]; /* the default one */
  for (;;)
    {
      struct oracle_store *store = &trial->oracle.stores[pick (trial, ORACLE_STORES_MAX)];
      if (store->used && !store->dropped)
        return store;
    }
}

void
pick_range (struct trial *trial, position *from, position *to)
{
  position count = trial->oracle.count, width = 1 + (position) pick (trial, 12);
  uint64_t shape = pick (trial, 100);
  if (shape == 0)
    width = 1 + (position) pick (trial, (uint64_t) count);
  *from = 2 * (position) pick (trial, (uint64_t) count);
  *to = *from + 2 * width;
  if (shape == 1 && count < 5000)
    *from = POSITION_START;
  if (*to > 2 * count || (shape == 2 && count < 5000))
    *to = 2 * count;
}

/* ---- reporting ---- */

_Noreturn void
trial_differs (struct trial *trial, const char *file, int line, const char *format, ...)
{
  va_list arguments;
  fflush (stdout);
  fprintf (stderr, "%s:%d: seed %llu, operation %llu (%s): ", file, line,
           (unsigned long long) trial->seed, (unsigned long long) trial->index, trial->doing);
  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fprintf (stderr, "\nreplay: test-engine-differential --seed %llu --operations %llu\n",
           (unsigned long long) trial->seed, (unsigned long long) trial->target);
  abort ();
}

void
trial_expect_value (struct trial *trial, struct bytes got, struct oracle_value expected,
                    position rank)
{
  EXPECT (got.size == expected.size, "key %lld has a value of %zu bytes, not %u", (long long) rank,
          got.size, expected.size);
  EXPECT (bytes_equal (got, oracle_bytes (&trial->oracle, expected)),
          "key %lld has another value of %u bytes", (long long) rank, expected.size);
}

/* ---- keeping the oracle ---- */

void
trial_refresh_oldest (struct trial *trial)
{
  uint64_t oldest = trial->oracle.sequence;
  for (unsigned i = 0; i < SNAPSHOTS_MAX; i++)
    if (trial->snapshots[i].snapshot != NULL && trial->snapshots[i].sequence < oldest)
      oldest = trial->snapshots[i].sequence;
  for (unsigned i = 0; i < TRANSACTIONS_MAX; i++)
    if (trial->transactions[i].transaction != NULL && trial->transactions[i].sequence < oldest)
      oldest = trial->transactions[i].sequence;
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    if (trial->cursors[i].cursor != NULL && trial->cursors[i].sequence < oldest)
      oldest = trial->cursors[i].sequence;
  if (trial->loader.loader != NULL && trial->loader.sequence < oldest)
    oldest = trial->loader.sequence; /* its writes name stores that may be dropped meanwhile */
  if (trial->replica.count > 0 && trial->replica.position < oldest)
    oldest
        = trial->replica.position; /* for bulk loads, of which a feed tells only where they were */
  trial->oracle.oldest = oldest;
}

bool
trial_has_writers (const struct trial *trial)
{
  for (unsigned i = 0; i < TRANSACTIONS_MAX; i++)
    if (trial->transactions[i].transaction != NULL && !trial->transactions[i].read_only)
      return true;
  return false;
}

void
trial_commit (struct trial *trial, const struct oracle_writes *writes, uint64_t sequence)
{
  EXPECT (sequence == trial->oracle.sequence + 1, "commit %llu follows commit %llu",
          (unsigned long long) sequence, (unsigned long long) trial->oracle.sequence);
  oracle_commit (&trial->oracle, writes, sequence);
  trial->totals->commits++;
}

static void
commit_one (struct trial *trial, struct oracle_store *store, bool range, position from, position to,
            struct oracle_value value, uint64_t sequence)
{
  struct oracle_writes writes = { .count = 0 };
  oracle_write_add (&writes, store, range, from, to, value);
  trial_commit (trial, &writes, sequence);
}

/* ---- writing ---- */

static enum engine_sync
sync_of (enum kind kind)
{
  return kind == KIND_PUT_FULL    ? ENGINE_SYNC_FULL
         : kind == KIND_PUT_ASYNC ? ENGINE_SYNC_ASYNC
         : kind == KIND_PUT_NONE  ? ENGINE_SYNC_NONE
                                  : ENGINE_SYNC_DEFAULT;
}

void
do_put (struct trial *trial, enum kind kind)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  struct oracle_value value = pick_value (trial);
  uint64_t sequence;
  EXPECT_OK (engine_put (trial->engine, store->id, oracle_key (&trial->oracle, 2 * rank),
                         oracle_bytes (&trial->oracle, value), sync_of (kind), &sequence,
                         &failure));
  commit_one (trial, store, false, 2 * rank, 0, value, sequence);
  if (kind == KIND_PUT_FULL && trial->options.log_enabled)
    EXPECT (engine_durable_sequence (trial->engine) >= sequence,
            "commit %llu was to be durable, but only %llu is", (unsigned long long) sequence,
            (unsigned long long) engine_durable_sequence (trial->engine));
  EXPECT (engine_sequence (trial->engine) == sequence, "the newest commit is not visible");
}

void
do_delete (struct trial *trial, enum kind kind)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  uint64_t sequence;
  EXPECT_OK (engine_delete (trial->engine, store->id, oracle_key (&trial->oracle, 2 * rank),
                            sync_of (kind), &sequence, &failure));
  commit_one (trial, store, false, 2 * rank, 0, (struct oracle_value){ ORACLE_ABSENT, 0 },
              sequence);
}

void
do_delete_range (struct trial *trial, enum kind kind)
{
  struct oracle_store *store = pick_store (trial);
  position from, to;
  uint64_t sequence;
  pick_range (trial, &from, &to);
  EXPECT_OK (engine_delete_range (trial->engine, store->id, oracle_key (&trial->oracle, from),
                                  oracle_key (&trial->oracle, to), sync_of (kind), &sequence,
                                  &failure));
  commit_one (trial, store, true, from, to, (struct oracle_value){ ORACLE_ABSENT, 0 }, sequence);
}

void
do_batch (struct trial *trial, enum kind kind)
{
  (void) kind;
  struct engine_batch *batch;
  struct oracle_writes writes = { .count = 0 };
  size_t count = pick (trial, 20) == 0 ? pick (trial, ORACLE_WRITES_MAX) : pick (trial, 12);
  position near = pick_key (trial); /* keys close together, so that operations meet */
  EXPECT_OK (engine_batch_new (&batch, &failure));
  while (writes.count < count)
    {
      struct oracle_store *store = pick_store (trial);
      uint64_t shape = pick (trial, 10);
      position rank = pick (trial, 2) == 0
                          ? pick_key (trial)
                          : (near + (position) pick (trial, 8)) % trial->oracle.count;
      struct bytes key = oracle_key (&trial->oracle, 2 * rank);
      struct oracle_value value = { ORACLE_ABSENT, 0 };
      if (shape < 6)
        {
          value = pick_value (trial);
          EXPECT_OK (engine_batch_put (batch, store->id, key, oracle_bytes (&trial->oracle, value),
                                       &failure));
        }
      else if (shape < 9)
        EXPECT_OK (engine_batch_delete (batch, store->id, key, &failure));
      else
        {
          position from = 2 * rank, to = from + 2 * (1 + (position) pick (trial, 8));
          to = to < 2 * trial->oracle.count ? to : 2 * trial->oracle.count;
          EXPECT_OK (engine_batch_delete_range (batch, store->id, key,
                                                oracle_key (&trial->oracle, to), &failure));
          oracle_write_add (&writes, store, true, from, to, value);
          continue;
        }
      oracle_write_add (&writes, store, false, 2 * rank, 0, value);
    }
  EXPECT (engine_batch_count (batch) == count, "the batch has %zu operations, not %zu",
          engine_batch_count (batch), count);
  /* A batch may be written again: its second commit is the one that counts. */
  unsigned times = count > 0 && pick (trial, 10) == 0 ? 2 : 1;
  for (; times > 0; times--)
    {
      uint64_t sequence;
      EXPECT_OK (engine_write (trial->engine, batch, ENGINE_SYNC_DEFAULT, &sequence, &failure));
      if (count > 0)
        trial_commit (trial, &writes, sequence);
      else
        EXPECT (sequence == trial->oracle.sequence, "an empty batch was a commit");
    }
  engine_batch_free (batch);
}

/* ---- reading ---- */

/* Takes the value over: kept or released. */
static void
keep_or_release (struct trial *trial, struct engine_value *value, struct oracle_value expected)
{
  struct trial_held *held = &trial->held[pick (trial, HELD_MAX)];
  if (pick (trial, 20) != 0)
    {
      engine_value_release (value);
      return;
    }
  trial_release_held (trial, held);
  *held = (struct trial_held){ *value, expected, true };
}

void
trial_release_held (struct trial *trial, struct trial_held *held)
{
  if (!held->used)
    return;
  trial_expect_value (trial, held->value.data, held->expected, -1);
  engine_value_release (&held->value);
  held->used = false;
}

static void
expect_sequence (struct trial *trial, uint64_t got, uint64_t expected)
{
  EXPECT (got == 0 || got == expected, "the value is of commit %llu, not %llu",
          (unsigned long long) got, (unsigned long long) expected);
}

static void
get_at (struct trial *trial, struct engine_snapshot *snapshot, uint64_t at)
{
  static uint8_t buffer[4096];
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  uint64_t ignored;
  struct oracle_value expected = oracle_get (store, NULL, rank, at, &ignored);
  size_t capacity = pick (trial, 4) == 0 ? pick (trial, 64) : sizeof buffer, size = 77;
  struct bytes key = oracle_key (&trial->oracle, 2 * rank);
  bool absent = expected.size == ORACLE_ABSENT;
  EXPECT_STATUS (
      engine_get (trial->engine, snapshot, store->id, key, buffer, capacity, &size, &failure),
      absent ? STATUS_NOT_FOUND : STATUS_OK);
  if (absent)
    return;
  EXPECT (size == expected.size, "key %lld has %zu bytes, not %u", (long long) rank, size,
          expected.size);
  if (size <= capacity)
    trial_expect_value (trial, BYTES (buffer, size), expected, rank);
}

static void
get_value_at (struct trial *trial, struct engine_snapshot *snapshot, uint64_t at, bool cached)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  uint64_t written;
  struct oracle_value expected = oracle_get (store, NULL, rank, at, &written);
  struct engine_value value;
  struct bytes key = oracle_key (&trial->oracle, 2 * rank);
  status wanted = expected.size == ORACLE_ABSENT ? STATUS_NOT_FOUND : STATUS_OK;
  struct failure cause = FAILURE_INIT;
  status result
      = cached ? engine_get_value_cached (trial->engine, snapshot, store->id, key, &value, &cause)
               : engine_get_value (trial->engine, snapshot, store->id, key, &value, &cause);
  if (cached && result == STATUS_BUSY)
    return;
  EXPECT (result == wanted, "key %lld gave %s, not %s (%s)", (long long) rank, status_name (result),
          status_name (wanted), cause.message);
  if (result != STATUS_OK)
    return;
  trial_expect_value (trial, value.data, expected, rank);
  expect_sequence (trial, value.sequence, written);
  keep_or_release (trial, &value, expected);
}

static void
get_many_at (struct trial *trial, struct engine_snapshot *snapshot, uint64_t at)
{
  struct bytes keys[64];
  position ranks[64];
  struct engine_value values[64];
  status results[64];
  struct oracle_store *store = pick_store (trial);
  size_t count = 1 + pick (trial, pick (trial, 8) == 0 ? 64 : 12);
  for (size_t i = 0; i < count; i++)
    {
      ranks[i] = pick_key (trial);
      keys[i] = oracle_key (&trial->oracle, 2 * ranks[i]);
    }
  EXPECT_OK (
      engine_get_many (trial->engine, snapshot, store->id, keys, count, values, results, &failure));
  for (size_t i = 0; i < count; i++)
    {
      uint64_t written;
      struct oracle_value expected = oracle_get (store, NULL, ranks[i], at, &written);
      status wanted = expected.size == ORACLE_ABSENT ? STATUS_NOT_FOUND : STATUS_OK;
      EXPECT (results[i] == wanted, "key %lld (%zu of %zu) gave %s, not %s", (long long) ranks[i],
              i, count, status_name (results[i]), status_name (wanted));
      if (results[i] != STATUS_OK)
        continue;
      trial_expect_value (trial, values[i].data, expected, ranks[i]);
      expect_sequence (trial, values[i].sequence, written);
      keep_or_release (trial, &values[i], expected);
    }
}

void
do_get (struct trial *trial, enum kind kind)
{
  (void) kind;
  get_at (trial, NULL, trial->oracle.sequence);
}

void
do_get_value (struct trial *trial, enum kind kind)
{
  get_value_at (trial, NULL, trial->oracle.sequence, kind == KIND_GET_CACHED);
}

void
do_get_many (struct trial *trial, enum kind kind)
{
  (void) kind;
  get_many_at (trial, NULL, trial->oracle.sequence);
}

void
do_snapshot (struct trial *trial, enum kind kind)
{
  struct trial_snapshot *at = &trial->snapshots[pick (trial, SNAPSHOTS_MAX)];
  if (kind == KIND_SNAPSHOT_GET)
    for (unsigned i = 0; i < SNAPSHOTS_MAX && at->snapshot == NULL; i++)
      at = &trial->snapshots[i];
  if (kind == KIND_SNAPSHOT_GET && at->snapshot != NULL)
    {
      uint64_t shape = pick (trial, 4);
      trial->totals->snapshot_reads++;
      if (shape < 2)
        get_at (trial, at->snapshot, at->sequence);
      else if (shape == 2)
        get_value_at (trial, at->snapshot, at->sequence, false);
      else
        get_many_at (trial, at->snapshot, at->sequence);
      return;
    }
  engine_snapshot_free (at->snapshot);
  at->snapshot = NULL;
  if (kind == KIND_SNAPSHOT_FREE)
    return;
  EXPECT_OK (engine_snapshot_new (trial->engine, &at->snapshot, &failure));
  at->sequence = engine_snapshot_sequence (at->snapshot);
  EXPECT (at->sequence == trial->oracle.sequence, "the snapshot is at %llu, not %llu",
          (unsigned long long) at->sequence, (unsigned long long) trial->oracle.sequence);
}

/* ---- stores ---- */

static struct oracle_store *
store_named (struct trial *trial, const char *name)
{
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      struct oracle_store *store = &trial->oracle.stores[i];
      if (store->used && !store->dropped && strcmp (store->name, name) == 0)
        return store;
    }
  return NULL;
}

static unsigned
places_taken (const struct trial *trial)
{
  unsigned taken = 0;
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    taken += trial->oracle.stores[i].used;
  return taken;
}

void
do_store_open (struct trial *trial, enum kind kind)
{
  (void) kind;
  char name[24];
  snprintf (name, sizeof name, "store \xc3\xa9%u", (unsigned) pick (trial, 8));
  struct oracle_store *known = store_named (trial, name);
  bool create = pick (trial, 4) != 0 && places_taken (trial) < ORACLE_STORES_MAX - 4;
  engine_store id = 0;
  EXPECT_STATUS (engine_store_open (trial->engine, name, create, &id, &failure),
                 known != NULL || create ? STATUS_OK : STATUS_NOT_FOUND);
  if (known != NULL)
    EXPECT (id == known->id, "store %s is %u, not %u", name, id, known->id);
  else if (create)
    {
      for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
        EXPECT (!trial->oracle.stores[i].used || trial->oracle.stores[i].id != id,
                "id %u was given out again", id);
      oracle_store_new (&trial->oracle, name, id);
      trial_commit (trial, &(struct oracle_writes){ .count = 0 }, trial->oracle.sequence + 1);
    }
  EXPECT (engine_sequence (trial->engine) == trial->oracle.sequence,
          "commit %llu is the newest, not %llu",
          (unsigned long long) engine_sequence (trial->engine),
          (unsigned long long) trial->oracle.sequence);
}

void
do_store_drop (struct trial *trial, enum kind kind)
{
  (void) kind;
  char name[24];
  snprintf (name, sizeof name, "store \xc3\xa9%u", (unsigned) pick (trial, 4) * 2);
  if (pick (trial, 2000) == 0)
    strcpy (name, "default"); /* is emptied */
  struct oracle_store *known = store_named (trial, name);
  EXPECT_STATUS (engine_store_drop (trial->engine, name, &failure),
                 known != NULL ? STATUS_OK : STATUS_NOT_FOUND);
  if (known == NULL)
    return;
  commit_one (trial, known, true, POSITION_START, 2 * trial->oracle.count,
              (struct oracle_value){ ORACLE_ABSENT, 0 }, trial->oracle.sequence + 1);
  if (known == &trial->oracle.stores[0])
    return;
  known->dropped = true;
  known->dropped_at = trial->oracle.sequence;
  EXPECT_STATUS (engine_put (trial->engine, known->id, BYTES_LITERAL ("late"), BYTES_NONE,
                             ENGINE_SYNC_DEFAULT, NULL, &failure),
                 STATUS_NOT_FOUND);
}

/* ---- misuse ---- */

void
do_misuse (struct trial *trial, enum kind kind)
{
  (void) kind;
  static const uint8_t large[KEY_SIZE_MAX + 1] = { 1 };
  struct bytes too_large = BYTES (large, sizeof large), b = BYTES_LITERAL ("b");
  struct engine *engine = trial->engine, *second = NULL;
  struct engine_value value;
  uint8_t buffer[8];
  size_t size;
  switch (pick (trial, 8))
    {
    case 0:
      EXPECT_STATUS (engine_put (engine, 1, BYTES_NONE, b, ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_INVALID);
      break;
    case 1:
      EXPECT_STATUS (engine_put (engine, 1, too_large, b, ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_KEY_TOO_LARGE);
      break;
    case 2:
      EXPECT_STATUS (engine_get (engine, NULL, 1, BYTES_NONE, buffer, 8, &size, &failure),
                     STATUS_INVALID);
      break;
    case 3:
      EXPECT_STATUS (engine_delete_range (engine, 1, b, b, ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_INVALID);
      break;
    case 4:
      EXPECT_STATUS (
          engine_open (trial->path, ENGINE_OPEN_EXISTING, &trial->options, &second, &failure),
          STATUS_LOCKED);
      break;
    case 5:
      EXPECT_STATUS (engine_store_open (engine, "\xff", true, &(engine_store){ 0 }, &failure),
                     STATUS_INVALID);
      break;
    case 6:
      EXPECT_STATUS (engine_get_value (engine, NULL, 1, too_large, &value, &failure),
                     STATUS_KEY_TOO_LARGE);
      break;
    default:
      EXPECT_STATUS (engine_delete (engine, 1, BYTES_NONE, ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_INVALID);
    }
}
