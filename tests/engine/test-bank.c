/* SPDX-License-Identifier: MIT */
/*
 * Bank transfers: what isolation promises, under threads.
 *
 *   test-engine-bank [--long]
 *
 * Ten accounts, eight threads that move money between them in transactions, and a reader that sums
 * all accounts up in one snapshot all the time. The amounts of successful transfers are added up
 * beside the database, so that a lost update shows even when the sum is right.
 */
#include "base/random.h"
#include "check.h"
#include "engine.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ACCOUNTS 10u
#define THREADS 8u
#define OPENING_BALANCE 1000000
/* In one of so many attempts all threads have read and written before one commits: of eight
 * transfers between ten accounts at most five have no account in common, so that 7.5 % conflict at
 * least, on however few cores. */
#define MEETING_EVERY 5u

static pthread_barrier_t meeting; /* of all transferring threads */
static struct engine *engine;
static unsigned flags; /* of the transfers' transactions */
static uint64_t attempts_each;
static _Atomic uint64_t committed, conflicts, sums;
static _Atomic int64_t expected[ACCOUNTS]; /* balances, from the successful transfers alone */
static _Atomic bool done;

static struct bytes
account_key (char to[16], unsigned account)
{
  return BYTES (to, (size_t) sprintf (to, "account%u", account));
}

static int64_t
balance_of (struct bytes value)
{
  int64_t balance;
  CHECK_INT (value.size, sizeof balance);
  memcpy (&balance, value.data, sizeof balance);
  return balance;
}

static struct engine *
open_bank (const char *path)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 256 << 10; /* so that flushes and merges happen beside the transfers */
  struct engine *opened;
  struct failure failure;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &opened, &failure));
  return opened;
}

static void
put_balance (unsigned account, int64_t balance)
{
  struct failure failure;
  char key[16];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, account_key (key, account),
                        BYTES (&balance, sizeof balance), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

/* ---- transfers ---- */

static int64_t
read_balance (struct engine_transaction *transaction, unsigned account)
{
  struct failure failure;
  struct engine_value value;
  char key[16];
  CHECK_OK (engine_transaction_get_value (transaction, ENGINE_STORE_DEFAULT,
                                          account_key (key, account), &value, &failure));
  int64_t balance = balance_of (value.data);
  engine_value_release (&value);
  return balance;
}

static void
write_balance (struct engine_transaction *transaction, unsigned account, int64_t balance)
{
  struct failure failure;
  char key[16];
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, account_key (key, account),
                                    BYTES (&balance, sizeof balance), &failure));
}

static void
attempt (struct random *random, bool meets)
{
  struct failure failure = FAILURE_INIT;
  struct engine_transaction *transaction;
  unsigned from = (unsigned) random_below (random, ACCOUNTS);
  unsigned to = (from + 1 + (unsigned) random_below (random, ACCOUNTS - 1)) % ACCOUNTS;
  int64_t amount = 1 + (int64_t) random_below (random, 100);
  CHECK_OK (engine_transaction_begin (engine, flags, &transaction, &failure));
  write_balance (transaction, from, read_balance (transaction, from) - amount);
  write_balance (transaction, to, read_balance (transaction, to) + amount);
  if (meets)
    pthread_barrier_wait (&meeting);
  status result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure);
  engine_transaction_free (transaction);
  if (result == STATUS_CONFLICT)
    {
      atomic_fetch_add (&conflicts, 1);
      return;
    }
  CHECK_INT (result, STATUS_OK);
  atomic_fetch_add (&committed, 1);
  atomic_fetch_sub (&expected[from], amount);
  atomic_fetch_add (&expected[to], amount);
}

static void *
transfer_main (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data };
  for (uint64_t i = 0; i < attempts_each; i++)
    attempt (&random, i % MEETING_EVERY == 0);
  return NULL;
}

/* ---- the auditor ---- */

static int64_t
sum_by_cursor (struct engine_snapshot *snapshot)
{
  struct failure failure;
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .snapshot = snapshot };
  struct engine_cursor *cursor;
  int64_t sum = 0;
  unsigned seen = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); seen++)
    {
      struct bytes value;
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      sum += balance_of (value);
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
  CHECK_INT (seen, ACCOUNTS);
  return sum;
}

static int64_t
sum_by_keys (struct engine_snapshot *snapshot)
{
  struct failure failure;
  char names[ACCOUNTS][16];
  struct bytes keys[ACCOUNTS];
  struct engine_value values[ACCOUNTS];
  status results[ACCOUNTS];
  int64_t sum = 0;
  for (unsigned i = 0; i < ACCOUNTS; i++)
    keys[i] = account_key (names[i], i);
  CHECK_OK (engine_get_many (engine, snapshot, ENGINE_STORE_DEFAULT, keys, ACCOUNTS, values,
                             results, &failure));
  for (unsigned i = 0; i < ACCOUNTS; i++)
    {
      CHECK_INT (results[i], STATUS_OK);
      sum += balance_of (values[i].data);
      engine_value_release (&values[i]);
    }
  return sum;
}

static void *
audit_main (void *data)
{
  (void) data;
  struct failure failure;
  while (!atomic_load (&done))
    {
      struct engine_snapshot *snapshot;
      CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
      CHECK_INT (sum_by_cursor (snapshot), ACCOUNTS * OPENING_BALANCE);
      CHECK_INT (sum_by_keys (snapshot), ACCOUNTS * OPENING_BALANCE);
      engine_snapshot_free (snapshot);
      CHECK_INT (sum_by_keys (NULL), ACCOUNTS * OPENING_BALANCE);
      atomic_fetch_add (&sums, 3);
    }
  return NULL;
}

static void
check_balances (void)
{
  struct failure failure;
  for (unsigned i = 0; i < ACCOUNTS; i++)
    {
      int64_t balance;
      size_t size;
      char key[16];
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, account_key (key, i), &balance,
                            sizeof balance, &size, &failure));
      CHECK_INT (balance, atomic_load (&expected[i])); /* no lost update */
    }
}

static void
test_transfers (unsigned with_flags, uint64_t attempts, const char *name)
{
  struct failure failure;
  char *path = fresh_directory ();
  pthread_t threads[THREADS], auditor;
  engine = open_bank (path);
  flags = with_flags;
  attempts_each = attempts / THREADS;
  atomic_store (&done, false);
  atomic_store (&committed, 0);
  atomic_store (&conflicts, 0);
  atomic_store (&sums, 0);
  for (unsigned i = 0; i < ACCOUNTS; i++)
    {
      put_balance (i, OPENING_BALANCE);
      atomic_store (&expected[i], OPENING_BALANCE);
    }
  CHECK (pthread_barrier_init (&meeting, NULL, THREADS) == 0);
  CHECK (pthread_create (&auditor, NULL, audit_main, NULL) == 0);
  for (unsigned i = 0; i < THREADS; i++)
    CHECK (pthread_create (&threads[i], NULL, transfer_main, (void *) (uintptr_t) (i + 1)) == 0);
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join (threads[i], NULL);
  atomic_store (&done, true);
  pthread_join (auditor, NULL);
  pthread_barrier_destroy (&meeting);
  check_balances ();
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.conflicts, atomic_load (&conflicts));
  CHECK_INT (statistics.transactions_active, 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  engine = open_bank (path);
  check_balances ();
  engine_unref (engine);
  remove_directory (path);
  uint64_t all = attempts_each * THREADS;
  double share = 100.0 * (double) atomic_load (&conflicts) / (double) all;
  CHECK_INT (atomic_load (&committed) + atomic_load (&conflicts), all);
  printf ("%s: %llu attempts, %llu transfers, %.1f %% conflicts, %llu sums checked, %llu flushes, "
          "%llu merges\n",
          name, (unsigned long long) all, (unsigned long long) atomic_load (&committed), share,
          (unsigned long long) atomic_load (&sums), (unsigned long long) statistics.flushes,
          (unsigned long long) statistics.merges);
  CHECK (share > 5.0); /* else the test tested little */
}

/* ---- one after the other ---- */

static void
test_sequential (void)
{
  char *path = fresh_directory ();
  struct random random = { 7 };
  engine = open_bank (path);
  flags = 0;
  atomic_store (&committed, 0);
  for (unsigned i = 0; i < ACCOUNTS; i++)
    {
      put_balance (i, OPENING_BALANCE);
      atomic_store (&expected[i], OPENING_BALANCE);
    }
  for (unsigned i = 0; i < 500; i++)
    attempt (&random, false);
  CHECK_INT (atomic_load (&committed), 500);
  CHECK_INT (sum_by_keys (NULL), ACCOUNTS * OPENING_BALANCE);
  check_balances ();
  engine_unref (engine);
  remove_directory (path);
  puts ("one after the other: 500 of 500 transfers");
}

/* ---- write skew ---- */

/* Two doctors on call; each may go off call when the other is on. */
#define SKEW_ROUNDS 400u

static _Atomic unsigned skew_gate, skew_off;
static unsigned skew_rounds;

static void
go_off_call (unsigned doctor)
{
  struct failure failure = FAILURE_INIT;
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (engine, flags, &transaction, &failure));
  /* Both have begun before either goes on: without this the race is rarely met. */
  atomic_fetch_add (&skew_gate, 1);
  while (atomic_load (&skew_gate) % 2 != 0)
    sched_yield ();
  bool free = read_balance (transaction, 0) + read_balance (transaction, 1) == 2;
  if (free)
    write_balance (transaction, doctor, 0);
  status result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure);
  CHECK (result == STATUS_OK || result == STATUS_CONFLICT);
  if (free && result == STATUS_OK)
    atomic_fetch_add (&skew_off, 1);
  engine_transaction_free (transaction);
}

static pthread_barrier_t skew_barrier;

static void *
skew_main (void *data)
{
  unsigned doctor = (unsigned) (uintptr_t) data;
  for (unsigned i = 0; i < SKEW_ROUNDS; i++)
    {
      if (doctor == 0)
        {
          put_balance (0, 1);
          put_balance (1, 1);
          atomic_store (&skew_off, 0);
        }
      pthread_barrier_wait (&skew_barrier);
      go_off_call (doctor);
      pthread_barrier_wait (&skew_barrier);
      if (doctor == 0 && atomic_load (&skew_off) == 2)
        skew_rounds++;
    }
  return NULL;
}

static unsigned
count_skews (unsigned with_flags)
{
  char *path = fresh_directory ();
  pthread_t threads[2];
  engine = open_bank (path);
  flags = with_flags;
  skew_rounds = 0;
  pthread_barrier_init (&skew_barrier, NULL, 2);
  for (unsigned i = 0; i < 2; i++)
    CHECK (pthread_create (&threads[i], NULL, skew_main, (void *) (uintptr_t) i) == 0);
  for (unsigned i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  pthread_barrier_destroy (&skew_barrier);
  engine_unref (engine);
  remove_directory (path);
  return skew_rounds;
}

static void
test_write_skew (void)
{
  unsigned snapshot = count_skews (0);
  unsigned serializable = count_skews (ENGINE_TRANSACTION_SERIALIZABLE);
  printf ("write skew in %u rounds: %u with snapshot isolation, %u serializable\n", SKEW_ROUNDS,
          snapshot, serializable);
  CHECK (snapshot > 0); /* positive control: the test can see it */
  CHECK_INT (serializable, 0);
}

int
main (int argc, char **argv)
{
  uint64_t attempts = argc > 1 && strcmp (argv[1], "--long") == 0 ? 1000000 : 50000;
  setvbuf (stdout, NULL, _IOLBF, 0);
  test_sequential ();
  test_write_skew ();
  test_transfers (0, attempts, "snapshot isolation");
  test_transfers (ENGINE_TRANSACTION_SERIALIZABLE, attempts / 4, "serializable");
  return 0;
}
