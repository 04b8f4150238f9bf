/* SPDX-License-Identifier: MIT */
/*
 * Handles under abuse: stale, doubled, truncated, made up, of the wrong kind; and threads that use
 * what others free. Nothing here may crash, and with ThreadSanitizer nothing may race.
 */
#include "ffi-check.h"

#include <pthread.h>
#include <stdatomic.h>

#define KEY TEXT ("key")
#define VALUE TEXT ("value")

static char *directory;
static LightningDB *db;

/* ---- each function with any handle ---- */

/* All functions that take a database; the last error of what they return, which is to be a
 * failure. */
static void
check_database_refused (LightningDB *handle, LightningDBError expected)
{
  uint64_t number = 7;
  size_t size = 9;
  uint8_t byte;
  const uint8_t *keys[1] = { (const uint8_t *) "key" };
  const size_t lengths[1] = { 3 };
  LightningDBResult result = { (uint8_t *) "stale", 5 };
  LightningDBStats stats;
  CHECK_FAILS (lightning_db_put (handle, KEY, VALUE), expected);
  CHECK_FAILS (lightning_db_get (handle, KEY, &result), expected);
  CHECK (result.data == NULL && result.len == 0);
  CHECK_FAILS (lightning_db_get_into (handle, KEY, &byte, 1, &size), expected);
  CHECK_FAILS (lightning_db_contains (handle, KEY), expected);
  CHECK_FAILS (lightning_db_delete (handle, KEY), expected);
  CHECK_FAILS (lightning_db_delete_range (handle, NULL, 0, NULL, 0), expected);
  CHECK_FAILS (lightning_db_multi_get (handle, keys, lengths, 1, &result), expected);
  CHECK_FAILS (lightning_db_begin_transaction (handle, &number), expected);
  CHECK_FAILS (lightning_db_begin_transaction_with (handle, 0, &number), expected);
  CHECK_FAILS (lightning_db_put_tx (handle, 1, KEY, VALUE), expected);
  CHECK_FAILS (lightning_db_get_tx (handle, 1, KEY, &result), expected);
  CHECK_FAILS (lightning_db_contains_tx (handle, 1, KEY), expected);
  CHECK_FAILS (lightning_db_delete_tx (handle, 1, KEY), expected);
  CHECK_FAILS (lightning_db_delete_range_tx (handle, 1, NULL, 0, NULL, 0), expected);
  CHECK_FAILS (lightning_db_lock_key_tx (handle, 1, KEY), expected);
  CHECK_FAILS (lightning_db_savepoint_tx (handle, 1, &number), expected);
  CHECK_FAILS (lightning_db_rollback_to_tx (handle, 1, 1), expected);
  CHECK_FAILS (lightning_db_commit_transaction (handle, 1), expected);
  CHECK_FAILS (lightning_db_commit_transaction_with (handle, 1, LightningDBSyncFull), expected);
  CHECK_FAILS (lightning_db_abort_transaction (handle, 1), expected);
  CHECK_NONE (lightning_db_scan (handle, NULL, 0, NULL, 0, 0), expected);
  CHECK_NONE (lightning_db_scan_prefix (handle, NULL, 0, 0), expected);
  CHECK_NONE (lightning_db_scan_tx (handle, 1, NULL, 0, NULL, 0, 0), expected);
  CHECK_NONE (lightning_db_scan_prefix_tx (handle, 1, NULL, 0, 0), expected);
  CHECK_NONE (lightning_db_open_store (handle, "store", 1), expected);
  CHECK_FAILS (lightning_db_drop_store (handle, "store"), expected);
  CHECK_FAILS (lightning_db_list_stores (handle, &result), expected);
  CHECK_NONE (lightning_db_snapshot (handle), expected);
  CHECK_FAILS (lightning_db_sync (handle), expected);
  CHECK_FAILS (lightning_db_checkpoint (handle), expected);
  CHECK_FAILS (lightning_db_compact (handle), expected);
  CHECK_FAILS (lightning_db_evict_cache (handle, 0.5), expected);
  CHECK_FAILS (lightning_db_backup (handle, inside (directory, "backup")), expected);
  CHECK_FAILS (lightning_db_stats (handle, &stats, sizeof stats), expected);
  LightningDBBatch *batch = lightning_db_batch_new ();
  CHECK_FAILS (lightning_db_write_batch (handle, batch, LightningDBSyncDefault), expected);
  if (handle != NULL) /* the default store */
    {
      CHECK_FAILS (lightning_db_batch_put (batch, handle, KEY, VALUE), expected);
      CHECK_FAILS (lightning_db_batch_delete (batch, handle, KEY), expected);
      CHECK_FAILS (lightning_db_batch_delete_range (batch, handle, NULL, 0, NULL, 0), expected);
    }
  lightning_db_batch_free (batch);
  CHECK_FAILS (lightning_db_close (handle), expected);
  lightning_db_free (handle);
}

static void
check_config_refused (LightningDBConfig *handle, LightningDBError expected)
{
  CHECK_FAILS (lightning_db_config_set_page_size (handle, 4096), expected);
  CHECK_FAILS (lightning_db_config_set_cache_size (handle, 1 << 26), expected);
  CHECK_FAILS (lightning_db_config_set_rate_limit (handle, 0), expected);
  if (handle != NULL) /* the defaults */
    CHECK_NONE (lightning_db_create (inside (directory, "refused"), handle), expected);
  lightning_db_config_free (handle);
}

static void
check_iterator_refused (LightningDBIterator *handle, LightningDBError expected)
{
  LightningDBEntry entry;
  memset (&entry, 0x55, sizeof entry);
  CHECK_FAILS (lightning_db_iterator_next (handle, &entry), expected);
  CHECK (entry.key == NULL && entry.value == NULL);
  CHECK_FAILS (lightning_db_iterator_seek (handle, KEY), expected);
  lightning_db_iterator_free (handle);
}

static void
check_batch_refused (LightningDBBatch *handle, LightningDBError expected)
{
  size_t count;
  CHECK_FAILS (lightning_db_batch_put (handle, NULL, KEY, VALUE), expected);
  CHECK_FAILS (lightning_db_batch_put (handle, db, KEY, VALUE), expected);
  CHECK_FAILS (lightning_db_batch_delete (handle, NULL, KEY), expected);
  CHECK_FAILS (lightning_db_batch_delete_range (handle, NULL, NULL, 0, NULL, 0), expected);
  CHECK_FAILS (lightning_db_batch_count (handle, &count), expected);
  CHECK_FAILS (lightning_db_batch_clear (handle), expected);
  CHECK_FAILS (lightning_db_write_batch (db, handle, LightningDBSyncDefault), expected);
  lightning_db_batch_free (handle);
}

static void
check_refused (uintptr_t number, LightningDBError expected)
{
  check_database_refused ((LightningDB *) number, expected);
  check_config_refused ((LightningDBConfig *) number, expected);
  check_iterator_refused ((LightningDBIterator *) number, expected);
  check_batch_refused ((LightningDBBatch *) number, expected);
}

/* ---- what is no handle ---- */

static void
check_small (const void *handle)
{
  uintptr_t number = (uintptr_t) handle;
  CHECK (number >= 4096 && number < (uintptr_t) 1 << 31);
}

static void
test_made_up (void)
{
  int local;
  void *heap = malloc (64);
  const uintptr_t numbers[] = {
    1,
    7,
    4095,
    60000,
    ((uintptr_t) 1 << 30) - 1,
    (uintptr_t) 1 << 30,
    ((uintptr_t) 1 << 31) - 1,
    (uintptr_t) 1 << 31,
    UINT32_MAX,
    (uintptr_t) 1 << 32,
    (uintptr_t) db + ((uintptr_t) 1 << 31),
    (uintptr_t) db + ((uintptr_t) 1 << 32),
    (uintptr_t) db | ((uintptr_t) 1 << 63),
    (uintptr_t) db + 1,
    (uintptr_t) &local,
    (uintptr_t) heap,
    (uintptr_t) &directory,
    (uintptr_t) check_refused,
    INTPTR_MAX,
    (uintptr_t) INTPTR_MIN,
    UINTPTR_MAX,
    0xdeadbeef,
  };
  check_refused (0, NullPointer);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    check_refused (numbers[i], InvalidHandle);
  free (heap);
  CHECK_OK (lightning_db_put (db, KEY, VALUE));
  check_value (db, "key", "value");
}

/* Passed through a 32-bit integer, with or without its sign, they are the same. */
static void
test_truncated (void)
{
  LightningDB *store = lightning_db_open_store (db, "truncated", 1);
  LightningDBIterator *iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
  LightningDBBatch *batch = lightning_db_batch_new ();
  LightningDBConfig *config = lightning_db_config_new ();
  check_small (db);
  check_small (store);
  check_small (iterator);
  check_small (batch);
  check_small (config);
  LightningDBEntry entry;
  int32_t number = (int32_t) (intptr_t) store;
  CHECK_OK (lightning_db_put ((LightningDB *) (intptr_t) number, KEY, VALUE));
  CHECK_OK (lightning_db_iterator_next (
      (LightningDBIterator *) (intptr_t) (int32_t) (intptr_t) iterator, &entry));
  CHECK_OK (lightning_db_batch_put ((LightningDBBatch *) (uintptr_t) (uint32_t) (uintptr_t) batch,
                                    (LightningDB *) (intptr_t) number, KEY, VALUE));
  CHECK_OK (lightning_db_config_set_page_size (
      (LightningDBConfig *) (intptr_t) (int32_t) (intptr_t) config, 4096));
  lightning_db_free ((LightningDB *) (intptr_t) number);
  check_database_refused (store, InvalidHandle);
  lightning_db_iterator_free (iterator);
  lightning_db_batch_free (batch);
  lightning_db_config_free (config);
  check_iterator_refused (iterator, InvalidHandle);
  check_batch_refused (batch, InvalidHandle);
  check_config_refused (config, InvalidHandle);
}

static void
test_wrong_kind (void)
{
  LightningDBIterator *iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
  LightningDBBatch *batch = lightning_db_batch_new ();
  LightningDBConfig *config = lightning_db_config_new ();
  check_database_refused ((LightningDB *) (void *) iterator, InvalidHandle);
  check_database_refused ((LightningDB *) (void *) batch, InvalidHandle);
  check_database_refused ((LightningDB *) (void *) config, InvalidHandle);
  check_config_refused ((LightningDBConfig *) (void *) db, InvalidHandle);
  check_config_refused ((LightningDBConfig *) (void *) batch, InvalidHandle);
  check_iterator_refused ((LightningDBIterator *) (void *) db, InvalidHandle);
  check_iterator_refused ((LightningDBIterator *) (void *) config, InvalidHandle);
  check_batch_refused ((LightningDBBatch *) (void *) iterator, InvalidHandle);
  check_batch_refused ((LightningDBBatch *) (void *) db, InvalidHandle);
  LightningDBEntry entry; /* all of them are as they were */
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  CHECK_OK (lightning_db_batch_put (batch, NULL, KEY, VALUE));
  CHECK_OK (lightning_db_config_set_page_size (config, 4096));
  lightning_db_iterator_free (iterator);
  lightning_db_batch_free (batch);
  lightning_db_config_free (config);
}

/* Thousands at once, freed in another order: each number is its own, and no freed one finds
 * another. */
static void
test_many (void)
{
  enum
  {
    COUNT = 3000
  };
  static LightningDBBatch *batches[COUNT], *stale[COUNT];
  size_t count;
  for (int round = 0; round < 3; round++)
    {
      for (int i = 0; i < COUNT; i++)
        {
          batches[i] = lightning_db_batch_new ();
          check_small (batches[i]);
          for (int k = 0; k <= i % 5; k++)
            CHECK_OK (lightning_db_batch_put (batches[i], NULL, KEY, VALUE));
        }
      for (int i = 0; round > 0 && i < COUNT; i++)
        CHECK_FAILS (lightning_db_batch_count (stale[i], &count), InvalidHandle);
      for (int i = 0; i < COUNT; i++)
        {
          int k = (int) ((unsigned) i * 1129u % COUNT);
          CHECK_OK (lightning_db_batch_count (batches[k], &count));
          CHECK (count == (size_t) (k % 5 + 1));
          lightning_db_batch_free (batches[k]);
          CHECK_FAILS (lightning_db_batch_count (batches[k], &count), InvalidHandle);
          stale[k] = batches[k];
        }
    }
}

/* ---- threads ---- */

static void *
see_no_error (void *data)
{
  CHECK (lightning_db_last_error () == Success);
  CHECK (strcmp (lightning_db_last_error_message (), "") == 0);
  CHECK_FAILS (lightning_db_put (db, NULL, 1, VALUE), NullPointer);
  return NULL;
}

static void
test_last_error_is_the_threads (void)
{
  pthread_t thread;
  CHECK_FAILS (lightning_db_sync (NULL), NullPointer);
  for (int i = 0; i < 20; i++) /* the second inherits what the first left */
    {
      CHECK (pthread_create (&thread, NULL, see_no_error, NULL) == 0);
      CHECK (pthread_join (thread, NULL) == 0);
    }
  CHECK (strstr (lightning_db_last_error_message (), "database handle") != NULL);
}

struct race
{
  LightningDB *db, *store;
  LightningDBIterator *iterator;
  LightningDBBatch *batch;
  uint64_t tx;
  _Atomic int started; /* threads that are at it */
  _Atomic unsigned successes, refusals;
};

/* Whatever a call gives while others end what it uses. */
static void
note (struct race *race, LightningDBError code)
{
  switch (code)
    {
    case Success:
      atomic_fetch_add_explicit (&race->successes, 1, memory_order_relaxed);
      break;
    case InvalidHandle:
    case InvalidTransaction:
    case DatabaseClosed:
    case TransactionConflict: /* everybody writes the same keys */
      atomic_fetch_add_explicit (&race->refusals, 1, memory_order_relaxed);
      break;
    default:
      fprintf (stderr, "a racing call gave %d: %s\n", (int) code,
               lightning_db_last_error_message ());
      abort ();
    }
}

static void
use_everything (struct race *race, unsigned i)
{
  LightningDBResult result;
  LightningDBEntry entry;
  uint64_t tx;
  char key[16];
  size_t length = (size_t) sprintf (key, "r%u", i % 50);
  LightningDB *place = i % 2 == 0 ? race->db : race->store;
  note (race, lightning_db_put (place, (uint8_t *) key, length, VALUE));
  LightningDBError code = lightning_db_get (place, (uint8_t *) key, length, &result);
  note (race, code);
  if (result.data != NULL)
    {
      CHECK (code == Success && result.len == 5 && memcmp (result.data, "value", 5) == 0);
      lightning_db_free_result (result.data, result.len);
    }
  note (race, lightning_db_put_tx (race->db, race->tx, (uint8_t *) key, length, VALUE));
  note (race, lightning_db_iterator_next (race->iterator, &entry));
  note (race, lightning_db_iterator_seek (race->iterator, TEXT ("r")));
  note (race, lightning_db_batch_put (race->batch, race->store, (uint8_t *) key, length, VALUE));
  if (i % 8 == 0)
    note (race, lightning_db_write_batch (race->db, race->batch, LightningDBSyncDefault));
  code = lightning_db_begin_transaction (place, &tx);
  note (race, code);
  if (code == Success)
    {
      note (race, lightning_db_put_tx (place, tx, (uint8_t *) key, length, VALUE));
      LightningDBIterator *own = lightning_db_scan_tx (place, tx, NULL, 0, NULL, 0, 0);
      note (race,
            own == NULL ? lightning_db_last_error () : lightning_db_iterator_next (own, &entry));
      lightning_db_iterator_free (own);
      note (race, i % 3 == 0 ? lightning_db_abort_transaction (place, tx)
                             : lightning_db_commit_transaction (place, tx));
    }
  LightningDB *then = lightning_db_snapshot (place);
  note (race, then == NULL ? lightning_db_last_error ()
                           : lightning_db_get (then, TEXT ("never"), &result));
  lightning_db_free (then);
}

static void *
race_users (void *data)
{
  struct race *race = data;
  atomic_fetch_add (&race->started, 1);
  /* Until long after the end: what is refused stays refused. */
  for (unsigned i = 0, late = 0; late < 20; i++)
    {
      unsigned before = atomic_load_explicit (&race->refusals, memory_order_relaxed);
      use_everything (race, i);
      late += atomic_load_explicit (&race->refusals, memory_order_relaxed) != before
              && lightning_db_contains (race->db, KEY) == InvalidHandle;
    }
  return NULL;
}

static _Atomic unsigned closed; /* handles that somebody's close ended */

static void *
race_closer (void *data)
{
  struct race *race = data;
  if (lightning_db_close (race->db) == Success)
    atomic_fetch_add (&closed, 1);
  return NULL;
}

/* Threads use a database and all that hangs on it, two close it at once. */
static void
test_race_close (unsigned cycles)
{
  enum
  {
    USERS = 3,
    CLOSERS = 2
  };
  unsigned successes = 0, refusals = 0;
  for (unsigned cycle = 0; cycle < cycles; cycle++)
    {
      pthread_t threads[USERS + CLOSERS];
      struct race race = { 0 };
      race.db = lightning_db_create (inside (directory, "race"), NULL);
      CHECK (race.db != NULL);
      race.store = lightning_db_open_store (race.db, "store", 1);
      race.iterator = lightning_db_scan (race.db, NULL, 0, NULL, 0, 0);
      race.batch = lightning_db_batch_new ();
      CHECK_OK (lightning_db_begin_transaction (race.db, &race.tx));
      atomic_store (&closed, 0);
      for (int i = 0; i < USERS; i++)
        CHECK (pthread_create (&threads[i], NULL, race_users, &race) == 0);
      while (atomic_load (&race.started) < USERS)
        usleep (100);
      usleep (cycle % 4 * 1500);
      if (cycle % 3 == 0)
        lightning_db_free (race.store);
      if (cycle % 5 == 0)
        lightning_db_abort_transaction (race.db, race.tx);
      for (int i = USERS; i < USERS + CLOSERS; i++)
        CHECK (pthread_create (&threads[i], NULL, race_closer, &race) == 0);
      if (cycle % 2 == 0)
        lightning_db_iterator_free (race.iterator);
      for (int i = 0; i < USERS + CLOSERS; i++)
        CHECK (pthread_join (threads[i], NULL) == 0);
      CHECK (atomic_load (&closed) == 1);
      lightning_db_iterator_free (race.iterator);
      lightning_db_batch_free (race.batch);
      lightning_db_free (race.store);
      successes += atomic_load (&race.successes);
      refusals += atomic_load (&race.refusals);
    }
  CHECK (successes > cycles && refusals > cycles);
}

/* One transaction and one iterator, used by several threads: calls wait for each other, nothing is
 * lost or seen twice, and one commit succeeds. */
struct shared
{
  uint64_t tx;
  LightningDBIterator *iterator;
  _Atomic unsigned seen, commits;
  _Atomic int next;       /* number of the next thread */
  pthread_barrier_t half; /* all have written */
};

#define SHARERS 4
#define PUTS_EACH 200

static void *
share (void *data)
{
  struct shared *shared = data;
  int number = atomic_fetch_add (&shared->next, 1);
  char key[24];
  for (int i = 0; i < PUTS_EACH; i++)
    {
      size_t length = (size_t) sprintf (key, "shared%d/%03d", number, i);
      CHECK_OK (lightning_db_put_tx (db, shared->tx, (uint8_t *) key, length, VALUE));
    }
  pthread_barrier_wait (&shared->half);
  if (lightning_db_commit_transaction (db, shared->tx) == Success)
    atomic_fetch_add (&shared->commits, 1);
  else
    CHECK (lightning_db_last_error () == InvalidTransaction);
  if (pthread_barrier_wait (&shared->half) == PTHREAD_BARRIER_SERIAL_THREAD)
    shared->iterator = lightning_db_scan_prefix (db, TEXT ("shared"), 0);
  pthread_barrier_wait (&shared->half);
  for (;;)
    {
      LightningDBEntry entry;
      CHECK_OK (lightning_db_iterator_next (shared->iterator, &entry));
      if (entry.key == NULL)
        return NULL;
      atomic_fetch_add (&shared->seen, 1);
    }
}

static void
test_shared (void)
{
  struct shared shared = { 0 };
  pthread_t threads[SHARERS];
  pthread_barrier_init (&shared.half, NULL, SHARERS);
  CHECK_OK (lightning_db_begin_transaction (db, &shared.tx));
  for (int i = 0; i < SHARERS; i++)
    CHECK (pthread_create (&threads[i], NULL, share, &shared) == 0);
  for (int i = 0; i < SHARERS; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK (atomic_load (&shared.commits) == 1);
  CHECK (atomic_load (&shared.seen) == SHARERS * PUTS_EACH);
  lightning_db_iterator_free (shared.iterator);
  pthread_barrier_destroy (&shared.half);
}

/* Handles made and freed by many threads at once, each used by its neighbour meanwhile. */
static _Atomic uintptr_t offered[SHARERS];
static _Atomic int churners;

static void *
churn (void *data)
{
  int number = atomic_fetch_add (&churners, 1) % SHARERS;
  LightningDBEntry entry;
  for (int i = 0; i < 400; i++)
    {
      LightningDBIterator *iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
      CHECK (iterator != NULL);
      atomic_store (&offered[number], (uintptr_t) iterator);
      for (int k = 0; k < 3; k++)
        {
          uintptr_t other = atomic_load (&offered[(number + 1) % SHARERS]);
          LightningDBError code
              = lightning_db_iterator_next ((LightningDBIterator *) other, &entry);
          CHECK (code == Success || code == InvalidHandle || (other == 0 && code == NullPointer));
        }
      LightningDB *then = lightning_db_snapshot (db);
      LightningDBResult result;
      CHECK_OK (lightning_db_get (then, KEY, &result));
      lightning_db_free_result (result.data, result.len);
      lightning_db_free (then);
      CHECK_FAILS (lightning_db_get (then, KEY, &result), InvalidHandle);
      lightning_db_iterator_free (iterator);
      CHECK_FAILS (lightning_db_iterator_next (iterator, &entry), InvalidHandle);
    }
  return NULL;
}

static void
test_churn (void)
{
  pthread_t threads[SHARERS];
  for (int i = 0; i < SHARERS; i++)
    CHECK (pthread_create (&threads[i], NULL, churn, NULL) == 0);
  for (int i = 0; i < SHARERS; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
}

/* Threads that come and go leave nothing behind that a later free would wait for. */
static void *
call_once (void *data)
{
  check_value (db, "key", "value");
  return NULL;
}

static void
test_short_lived_threads (void)
{
  for (int i = 0; i < 300; i++)
    {
      pthread_t thread;
      CHECK (pthread_create (&thread, NULL, call_once, NULL) == 0);
      CHECK (pthread_join (thread, NULL) == 0);
    }
}

int
main (void)
{
  directory = fresh_directory ();
  db = lightning_db_create (inside (directory, "main"), NULL);
  CHECK (db != NULL);
  test_made_up ();
  test_truncated ();
  test_wrong_kind ();
  test_many ();
  test_last_error_is_the_threads ();
  test_shared ();
  test_churn ();
  test_short_lived_threads ();
  test_race_close (30);
  lightning_db_free (db);
  check_database_refused (db, InvalidHandle);
  remove_directory (directory);
  return 0;
}
