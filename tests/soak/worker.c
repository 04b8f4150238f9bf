/* SPDX-License-Identifier: MIT */
/* What a worker does: operations drawn from its random numbers, each checked against the
 * picture. */
#include "soak.h"

#include "base/coding.h"

#include <string.h>
#include <time.h>

#define SCAN_LENGTH 40u
#define MANY 16u
#define TEMPORARY_KEYS 50u
#define CONFLICTS_MAX 100000u /* in a row: more is no progress */

static uint32_t *
version_of (struct worker *worker, uint32_t store, uint32_t slot)
{
  return &picture->versions[worker->number][store][slot];
}

static uint32_t
draw (struct worker *worker, uint32_t bound)
{
  return (uint32_t) random_below (&worker->random, bound);
}

/* Half of all go to a tenth of the keys. */
static uint32_t
draw_slot (struct worker *worker)
{
  return draw (worker, draw (worker, 2) == 0 ? SOAK_SLOTS / 10 : SOAK_SLOTS);
}

static enum engine_sync
draw_sync (struct worker *worker)
{
  return !worker->lossless && draw (worker, 8) == 0 ? ENGINE_SYNC_NONE : ENGINE_SYNC_ASYNC;
}

static struct change
draw_change (struct worker *worker, bool may_delete)
{
  struct change change = { draw (worker, SOAK_STORES), draw_slot (worker), 0 };
  if (!may_delete || draw (worker, 4) != 0)
    change.version = ++picture->newest[worker->number];
  return change;
}

/* Up to `most` changes of different keys. */
static uint32_t
draw_changes (struct worker *worker, struct change *changes, uint32_t most)
{
  uint32_t count = 0;
  for (uint32_t drawn = 0; drawn < most; drawn++)
    {
      struct change change = draw_change (worker, true);
      uint32_t same = 0;
      while (same < count
             && (changes[same].store != change.store || changes[same].slot != change.slot))
        same++;
      if (same == count)
        changes[count++] = change;
    }
  return count;
}

/* ---- reading ---- */

static void
check_value (struct worker *worker, const char *how, uint32_t store, uint32_t slot,
             uint32_t version, status result, struct bytes found)
{
  if (version == 0 && result == STATUS_NOT_FOUND)
    return;
  if (version == 0 || result != STATUS_OK)
    soak_differs ("%s of worker %u, store %s, key %u: %s, and version %u should be there", how,
                  worker->number, soak_store_names[store], slot, status_name (result), version);
  struct bytes value = picture_value (worker->value, worker->number, store, slot, version);
  if (!bytes_equal (found, value))
    soak_differs ("%s of worker %u, store %s, key %u: %zu bytes of version %u instead of %zu of %u",
                  how, worker->number, soak_store_names[store], slot, found.size,
                  picture_value_version (found), value.size, version);
}

static void
get (struct worker *worker)
{
  struct failure failure = FAILURE_INIT;
  uint32_t store = draw (worker, SOAK_STORES), slot = draw_slot (worker);
  uint8_t key[SOAK_KEY_SIZE];
  size_t size = 0;
  uint64_t since = soak_now ();
  status result = engine_get (worker->database->engine, NULL, worker->database->stores[store],
                              picture_key (key, worker->number, slot), worker->got,
                              sizeof worker->got, &size, &failure);
  soak_record (SOAK_GET, since);
  check_value (worker, "a get", store, slot, *version_of (worker, store, slot), result,
               BYTES (worker->got, size));
}

static void
get_many (struct worker *worker)
{
  struct failure failure;
  uint32_t store = draw (worker, SOAK_STORES), slots[MANY];
  uint8_t names[MANY][SOAK_KEY_SIZE];
  struct bytes keys[MANY];
  struct engine_value values[MANY];
  status results[MANY];
  for (unsigned i = 0; i < MANY; i++)
    keys[i] = picture_key (names[i], worker->number, slots[i] = draw_slot (worker));
  uint64_t since = soak_now ();
  CHECK_OK (engine_get_many (worker->database->engine, NULL, worker->database->stores[store], keys,
                             MANY, values, results, &failure));
  soak_record (SOAK_GET_MANY, since);
  for (unsigned i = 0; i < MANY; i++)
    {
      check_value (worker, "a get of many", store, slots[i], *version_of (worker, store, slots[i]),
                   results[i], results[i] == STATUS_OK ? values[i].data : BYTES_NONE);
      if (results[i] == STATUS_OK)
        engine_value_release (&values[i]);
    }
}

/* Reads the worker's keys from `from` on, `length` that are there or up to its last, in either
 * direction, and compares them with `versions`. */
static void
scan (struct worker *worker, struct engine_snapshot *snapshot, uint32_t store,
      const uint32_t *versions, uint32_t from, uint32_t length, bool backward)
{
  struct failure failure;
  uint8_t lower[SOAK_KEY_SIZE], upper[SOAK_KEY_SIZE], start[SOAK_KEY_SIZE];
  struct engine_cursor *cursor;
  struct engine_cursor_settings settings = {
    .store = worker->database->stores[store],
    .snapshot = snapshot,
    .lower = picture_key (lower, worker->number, 0),
    .upper = picture_key (upper, worker->number, SOAK_SLOTS),
  };
  CHECK_OK (engine_cursor_new (worker->database->engine, &settings, &cursor, &failure));
  struct bytes key = picture_key (start, worker->number, from);
  CHECK_OK (backward ? engine_cursor_seek_before (cursor, key, &failure)
                     : engine_cursor_seek (cursor, key, &failure));
  for (uint32_t slot = from; length > 0; length--)
    {
      struct bytes value = BYTES_NONE;
      if (backward)
        while (slot > 0 && versions[slot - 1] == 0)
          slot--;
      else
        while (slot < SOAK_SLOTS && versions[slot] == 0)
          slot++;
      bool end = backward ? slot == 0 : slot == SOAK_SLOTS;
      if (end != !engine_cursor_valid (cursor))
        soak_differs ("a scan of worker %u, store %s, at %u: it %s", worker->number,
                      soak_store_names[store], slot, end ? "does not end" : "ends");
      if (end)
        break;
      slot -= backward;
      key = picture_key (start, worker->number, slot);
      if (!bytes_equal (engine_cursor_key (cursor), key))
        soak_differs ("a scan of worker %u, store %s: the key %.*s instead of %.*s", worker->number,
                      soak_store_names[store], (int) engine_cursor_key (cursor).size,
                      (const char *) engine_cursor_key (cursor).data, (int) key.size,
                      (const char *) key.data);
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      check_value (worker, "a scan", store, slot, versions[slot], STATUS_OK, value);
      slot += !backward;
      CHECK_OK (backward ? engine_cursor_previous (cursor, &failure)
                         : engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
}

static void
scan_some (struct worker *worker, bool backward)
{
  uint32_t store = draw (worker, SOAK_STORES), from = draw (worker, SOAK_SLOTS);
  uint64_t since = soak_now ();
  scan (worker, NULL, store, picture->versions[worker->number][store], from, SCAN_LENGTH, backward);
  soak_record (backward ? SOAK_SCAN_BACKWARD : SOAK_SCAN_FORWARD, since);
}

/* ---- snapshots that are held ---- */

static void
read_held (struct worker *worker, struct held_snapshot *held)
{
  bool backward = draw (worker, 2) == 0;
  uint64_t since = soak_now ();
  scan (worker, held->snapshot, held->store, held->versions, backward ? SOAK_SLOTS : 0,
        SOAK_SLOTS + 1, backward);
  soak_record (SOAK_SNAPSHOT, since);
  engine_snapshot_free (held->snapshot);
  held->snapshot = NULL;
  atomic_fetch_add (&picture->totals.snapshots, 1);
}

static void
read_due (struct worker *worker, uint64_t until)
{
  for (unsigned i = 0; i < SOAK_HELD; i++)
    if (worker->held[i].snapshot != NULL && worker->held[i].until <= until)
      read_held (worker, &worker->held[i]);
}

static void
hold (struct worker *worker)
{
  struct failure failure;
  unsigned at = 0;
  while (at < SOAK_HELD && worker->held[at].snapshot != NULL)
    at++;
  if (at == SOAK_HELD)
    return;
  struct held_snapshot *held = &worker->held[at];
  held->store = draw (worker, SOAK_STORES);
  held->until = worker->done + 100 + draw (worker, 3000);
  memcpy (held->versions, picture->versions[worker->number][held->store], sizeof held->versions);
  CHECK_OK (engine_snapshot_new (worker->database->engine, &held->snapshot, &failure));
}

/* ---- writing ---- */

static void
write_one (struct worker *worker, enum soak_kind kind)
{
  struct failure failure;
  struct change change = draw_change (worker, false);
  enum engine_sync sync = kind == SOAK_PUT_FULL ? ENGINE_SYNC_FULL : draw_sync (worker);
  uint8_t name[SOAK_KEY_SIZE];
  struct bytes key = picture_key (name, worker->number, change.slot), value = BYTES_NONE;
  engine_store store = worker->database->stores[change.store];
  if (kind == SOAK_DELETE)
    change.version = 0;
  else
    value
        = picture_value (worker->value, worker->number, change.store, change.slot, change.version);
  picture_intend (worker->number, &change, 1);
  uint64_t since = soak_now ();
  if (kind == SOAK_DELETE)
    CHECK_OK (engine_delete (worker->database->engine, store, key, sync, NULL, &failure));
  else
    CHECK_OK (engine_put (worker->database->engine, store, key, value, sync, NULL, &failure));
  soak_record (kind, since);
  picture_acknowledge (worker->number);
}

static void
delete_range (struct worker *worker)
{
  struct failure failure;
  struct change changes[SOAK_CHANGES_MAX];
  uint32_t store = draw (worker, SOAK_STORES), start = draw (worker, SOAK_SLOTS), count = 0;
  uint32_t end = start + 1 + draw (worker, SOAK_CHANGES_MAX);
  uint8_t from[SOAK_KEY_SIZE], to[SOAK_KEY_SIZE];
  end = end < SOAK_SLOTS ? end : SOAK_SLOTS;
  for (uint32_t slot = start; slot < end; slot++)
    changes[count++] = (struct change){ store, slot, 0 };
  picture_intend (worker->number, changes, count);
  uint64_t since = soak_now ();
  CHECK_OK (engine_delete_range (worker->database->engine, worker->database->stores[store],
                                 picture_key (from, worker->number, start),
                                 picture_key (to, worker->number, end), draw_sync (worker), NULL,
                                 &failure));
  soak_record (SOAK_DELETE_RANGE, since);
  picture_acknowledge (worker->number);
}

static void
write_batch (struct worker *worker)
{
  struct failure failure;
  struct change changes[SOAK_CHANGES_MAX];
  uint32_t count = draw_changes (worker, changes, 4 + draw (worker, 28));
  uint8_t name[SOAK_KEY_SIZE];
  engine_batch_clear (worker->batch);
  for (uint32_t i = 0; i < count; i++)
    {
      engine_store store = worker->database->stores[changes[i].store];
      struct bytes key = picture_key (name, worker->number, changes[i].slot);
      if (changes[i].version == 0)
        CHECK_OK (engine_batch_delete (worker->batch, store, key, &failure));
      else
        CHECK_OK (engine_batch_put (worker->batch, store, key,
                                    picture_value (worker->value, worker->number, changes[i].store,
                                                   changes[i].slot, changes[i].version),
                                    &failure));
    }
  picture_intend (worker->number, changes, count);
  uint64_t since = soak_now ();
  CHECK_OK (
      engine_write (worker->database->engine, worker->batch, draw_sync (worker), NULL, &failure));
  soak_record (SOAK_BATCH, since);
  picture_acknowledge (worker->number);
}

/* ---- transactions ---- */

static struct engine_transaction *
begin (struct worker *worker)
{
  struct failure failure;
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (worker->database->engine,
                                      draw (worker, 2) == 0 ? ENGINE_TRANSACTION_SERIALIZABLE : 0,
                                      &transaction, &failure));
  return transaction;
}

static void
check_own (struct worker *worker, struct engine_transaction *transaction, uint32_t store,
           uint32_t slot, uint32_t version)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  uint8_t name[SOAK_KEY_SIZE];
  status result
      = engine_transaction_get_value (transaction, worker->database->stores[store],
                                      picture_key (name, worker->number, slot), &value, &failure);
  check_value (worker, "a transaction", store, slot, version, result,
               result == STATUS_OK ? value.data : BYTES_NONE);
  if (result == STATUS_OK)
    engine_value_release (&value);
}

static void
write_own (struct worker *worker, struct engine_transaction *transaction,
           const struct change *change)
{
  struct failure failure;
  uint8_t name[SOAK_KEY_SIZE];
  engine_store store = worker->database->stores[change->store];
  struct bytes key = picture_key (name, worker->number, change->slot);
  if (change->version == 0)
    CHECK_OK (engine_transaction_delete (transaction, store, key, &failure));
  else
    CHECK_OK (engine_transaction_put (
        transaction, store, key,
        picture_value (worker->value, worker->number, change->store, change->slot, change->version),
        &failure));
}

/* Raises the worker's own count in a key that all count in. */
static struct change
count_up (struct worker *worker, struct engine_transaction *transaction, uint32_t counter)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  uint8_t name[SOAK_KEY_SIZE], counts[4 * SOAK_WORKERS] = { 0 };
  struct bytes key = picture_counter_key (name, counter);
  uint8_t *own = counts + (size_t) 4 * worker->number;
  status result
      = engine_transaction_get_value (transaction, ENGINE_STORE_DEFAULT, key, &value, &failure);
  if (result == STATUS_OK)
    {
      CHECK_INT (value.data.size, sizeof counts);
      memcpy (counts, value.data.data, sizeof counts);
      engine_value_release (&value);
    }
  else
    CHECK_INT (result, STATUS_NOT_FOUND);
  struct change change = { SOAK_COUNTS, counter, load_u32 (own) };
  uint32_t known = *version_of (worker, SOAK_COUNTS, counter);
  if (change.version != known)
    soak_differs ("worker %u counted to %u in counter %u, where %u stands: an update was lost",
                  worker->number, known, counter, change.version);
  store_u32 (own, ++change.version);
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, key,
                                    BYTES (counts, sizeof counts), &failure));
  return change;
}

/* One attempt. False: another worker had counted meanwhile. */
static bool
transact_once (struct worker *worker, struct change *changes, uint32_t count, uint32_t counter)
{
  struct failure failure;
  struct engine_transaction *transaction = begin (worker);
  uint64_t savepoint;
  for (uint32_t i = 0; i < count; i++)
    {
      struct change *change = &changes[i];
      check_own (worker, transaction, change->store, change->slot,
                 *version_of (worker, change->store, change->slot));
      write_own (worker, transaction, change);
      check_own (worker, transaction, change->store, change->slot, change->version);
    }
  CHECK_OK (engine_transaction_savepoint (transaction, &savepoint, &failure));
  struct change undone = draw_change (worker, false);
  write_own (worker, transaction, &undone);
  CHECK_OK (engine_transaction_rollback_to (transaction, savepoint, &failure));
  changes[count] = count_up (worker, transaction, counter);
  picture_intend (worker->number, changes, count + 1);
  failure = FAILURE_INIT;
  status result = engine_transaction_commit (transaction, draw_sync (worker), NULL, &failure);
  if (result == STATUS_OK)
    picture_acknowledge (worker->number);
  else
    {
      if (result != STATUS_CONFLICT)
        soak_differs ("a transaction: %s (%s)", status_name (result), failure.message);
      picture_withdraw (worker->number);
      atomic_fetch_add (&picture->totals.conflicts, 1);
    }
  engine_transaction_free (transaction);
  return result == STATUS_OK;
}

static void
transact (struct worker *worker)
{
  struct change changes[SOAK_CHANGES_MAX];
  uint32_t count = draw_changes (worker, changes, 1 + draw (worker, 5)), attempts = 0;
  uint32_t counter = draw (worker, SOAK_COUNTERS);
  bool rolled_back = draw (worker, 10) == 0;
  uint64_t since = soak_now ();
  if (rolled_back)
    {
      struct engine_transaction *transaction = begin (worker);
      write_own (worker, transaction, &changes[0]);
      engine_transaction_rollback (transaction);
      engine_transaction_free (transaction);
      return;
    }
  while (!transact_once (worker, changes, count, counter))
    CHECK (++attempts < CONFLICTS_MAX);
  soak_record (SOAK_TRANSACTION, since);
}

/* Two of this worker write one key: the second has to be refused, whatever others do. */
static void
conflict (struct worker *worker)
{
  struct failure failure = FAILURE_INIT;
  uint64_t since = soak_now ();
  struct engine_transaction *first = begin (worker), *second = begin (worker);
  struct change change = draw_change (worker, false), other = change;
  other.version = ++picture->newest[worker->number];
  write_own (worker, first, &change);
  write_own (worker, second, &other);
  picture_intend (worker->number, &change, 1);
  CHECK_OK (engine_transaction_commit (first, draw_sync (worker), NULL, &failure));
  picture_acknowledge (worker->number);
  CHECK_FAILS (engine_transaction_commit (second, ENGINE_SYNC_ASYNC, NULL, &failure),
               STATUS_CONFLICT);
  engine_transaction_free (first);
  engine_transaction_free (second);
  soak_record (SOAK_CONFLICT, since);
}

/* ---- stores and upkeep ---- */

static void
make_and_drop_store (struct worker *worker)
{
  struct failure failure;
  struct engine *engine = worker->database->engine;
  struct engine_cursor *cursor;
  engine_store store;
  char name[64];
  uint8_t key[SOAK_KEY_SIZE];
  uint32_t found = 0, version = ++picture->newest[worker->number];
  uint64_t since = soak_now ();
  snprintf (name, sizeof name, "temporary-%u-%u", worker->number, version);
  CHECK_OK (engine_store_open (engine, name, true, &store, &failure));
  for (uint32_t i = 0; i < TEMPORARY_KEYS; i++)
    CHECK_OK (engine_put (engine, store, picture_key (key, worker->number, i),
                          picture_value (worker->value, worker->number, 0, i, version),
                          ENGINE_SYNC_ASYNC, NULL, &failure));
  struct engine_cursor_settings settings = { .store = store };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  while (engine_cursor_valid (cursor))
    {
      struct bytes value;
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      check_value (worker, "a store of a moment", 0, found++, version, STATUS_OK, value);
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  CHECK_INT (found, TEMPORARY_KEYS);
  engine_cursor_free (cursor);
  CHECK_OK (engine_store_drop (engine, name, &failure));
  CHECK_FAILS (engine_store_open (engine, name, false, &store, &failure), STATUS_NOT_FOUND);
  soak_record (SOAK_STORE, since);
}

static void
keep_up (struct worker *worker, enum soak_kind kind)
{
  struct failure failure;
  struct engine *engine = worker->database->engine;
  uint64_t since = soak_now ();
  if (kind == SOAK_FLUSH)
    CHECK_OK (engine_flush (engine, &failure));
  else if (kind == SOAK_CHECKPOINT)
    CHECK_OK (engine_checkpoint (engine, &failure));
  else
    {
      failure = FAILURE_INIT; /* the other worker may be at it */
      status result = engine_compact (engine, NULL, NULL, &failure);
      CHECK (result == STATUS_OK || result == STATUS_BUSY);
    }
  soak_record (kind, since);
}

/* ---- the worker ---- */

static const struct
{
  enum soak_kind kind;
  uint32_t weight; /* of a sum that is about 10,000 */
} mix[] = {
  { SOAK_GET, 2800 },          { SOAK_GET_MANY, 300 },     { SOAK_SCAN_FORWARD, 400 },
  { SOAK_SCAN_BACKWARD, 400 }, { SOAK_SNAPSHOT, 30 },      { SOAK_PUT, 3700 },
  { SOAK_PUT_FULL, 60 },       { SOAK_DELETE, 700 },       { SOAK_DELETE_RANGE, 60 },
  { SOAK_BATCH, 400 },         { SOAK_TRANSACTION, 1000 }, { SOAK_CONFLICT, 100 },
  { SOAK_STORE, 12 },          { SOAK_FLUSH, 6 },          { SOAK_CHECKPOINT, 2 },
  { SOAK_COMPACT, 1 },
};

static enum soak_kind
draw_kind (struct worker *worker)
{
  uint32_t sum = 0, drawn;
  size_t i = 0;
  for (size_t k = 0; k < sizeof mix / sizeof *mix; k++)
    sum += mix[k].weight;
  for (drawn = draw (worker, sum); drawn >= mix[i].weight; i++)
    drawn -= mix[i].weight;
  return mix[i].kind;
}

static void
work (struct worker *worker, enum soak_kind kind)
{
  switch (kind)
    {
    case SOAK_GET:
      get (worker);
      break;
    case SOAK_GET_MANY:
      get_many (worker);
      break;
    case SOAK_SCAN_FORWARD:
    case SOAK_SCAN_BACKWARD:
      scan_some (worker, kind == SOAK_SCAN_BACKWARD);
      break;
    case SOAK_SNAPSHOT:
      hold (worker);
      break;
    case SOAK_DELETE_RANGE:
      delete_range (worker);
      break;
    case SOAK_BATCH:
      write_batch (worker);
      break;
    case SOAK_TRANSACTION:
      transact (worker);
      break;
    case SOAK_CONFLICT:
      conflict (worker);
      break;
    case SOAK_STORE:
      make_and_drop_store (worker);
      break;
    case SOAK_FLUSH:
    case SOAK_CHECKPOINT:
    case SOAK_COMPACT:
      keep_up (worker, kind);
      break;
    default:
      write_one (worker, kind);
    }
}

/* Sleeps when the worker is ahead of its rate. */
static void
pace (const struct worker *worker, uint64_t begun)
{
  uint64_t due = worker->rate > 0 ? begun + worker->done * 1000000000 / worker->rate : 0;
  uint64_t now = due > 0 ? soak_now () : 0;
  if (due > now + 1000000)
    nanosleep (&(struct timespec){ (time_t) ((due - now) / 1000000000),
                                   (long) ((due - now) % 1000000000) },
               NULL);
}

void *
worker_main (void *data)
{
  struct worker *worker = data;
  struct failure failure;
  uint64_t begun = soak_now ();
  CHECK_OK (engine_batch_new (&worker->batch, &failure));
  for (worker->done = 0; worker->done < worker->operations && !atomic_load (worker->stop);
       worker->done++)
    {
      work (worker, draw_kind (worker));
      atomic_fetch_add (&picture->totals.operations, 1);
      read_due (worker, worker->done);
      pace (worker, begun);
    }
  read_due (worker, UINT64_MAX);
  engine_batch_free (worker->batch);
  return NULL;
}
