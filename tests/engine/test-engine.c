/* SPDX-License-Identifier: MIT */
/* The engine through its one header: the whole scenario, reopening after a clean close and after a
 * kill, bad input, and the states of its handles. */
#include "small-engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct failure failure;

static struct bytes
number_value (char *to, unsigned number, unsigned round)
{
  return BYTES (to, (size_t) sprintf (to, "value %u of round %u %0*u", number, round,
                                      (int) (number % 90), number));
}

static void
put_range (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  char key[64], value[256];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                          number_value (value, i, round), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_range_of (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  char key[64], value[256], got[256];
  size_t size;
  for (unsigned i = from; i < to; i++)
    {
      struct bytes expected = number_value (value, i, round);
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, i), got,
                            sizeof got, &size, &failure));
      CHECK (bytes_equal (expected, BYTES (got, size)));
    }
}

static unsigned
count_forward (struct engine *engine)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  unsigned count = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); count++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  unsigned back = 0;
  CHECK_OK (engine_cursor_last (cursor, &failure));
  for (; engine_cursor_valid (cursor); back++)
    CHECK_OK (engine_cursor_previous (cursor, &failure));
  CHECK_INT (back, count);
  engine_cursor_free (cursor);
  return count;
}

static void
test_fill_and_reopen (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  put_range (engine, 0, 20000, 1);
  check_range_of (engine, 0, 20000, 1);
  put_range (engine, 5000, 6000, 2);
  CHECK_OK (engine_wait_settled (engine, 300000000, &failure));
  check_range_of (engine, 0, 5000, 1);
  check_range_of (engine, 5000, 6000, 2);
  CHECK_INT (count_forward (engine), 20000);
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK (statistics.flushes > 5 && statistics.merges > 0);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_sync (engine, &failure), STATUS_CLOSED);
  engine_unref (engine);

  engine = open_small (path);
  check_range_of (engine, 6000, 20000, 1);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  CHECK_INT (statistics.approximate_keys, 20000);
  check_range_of (engine, 5000, 6000, 2);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_snapshots_and_deletes (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  char key[64], got[256];
  size_t size;
  put_range (engine, 0, 3000, 1);
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-00001000"),
                                 BYTES_LITERAL ("key-00002000"), ENGINE_SYNC_DEFAULT, NULL,
                                 &failure));
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, 7), ENGINE_SYNC_DEFAULT,
                           NULL, &failure));
  put_range (engine, 1500, 1501, 3);
  for (int pass = 0; pass < 3; pass++)
    {
      CHECK_INT (count_forward (engine), 2000);
      CHECK_INT (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, 1200), got,
                             sizeof got, &size, &failure),
                 STATUS_NOT_FOUND);
      CHECK_INT (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, 7), got,
                             sizeof got, &size, &failure),
                 STATUS_NOT_FOUND);
      CHECK_OK (engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, number_key (key, 1200), got,
                            sizeof got, &size, &failure));
      CHECK_OK (engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, number_key (key, 7), got,
                            sizeof got, &size, &failure));
      check_range_of (engine, 1500, 1501, 3);
      if (pass == 0)
        CHECK_OK (engine_flush (engine, &failure));
      else
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
    }
  engine_snapshot_free (snapshot);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (count_forward (engine), 2000);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_transactions (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *one, *two;
  struct engine_value value;
  struct bytes a = BYTES_LITERAL ("a"), b = BYTES_LITERAL ("b");
  put_range (engine, 0, 100, 1);
  CHECK_OK (engine_transaction_begin (engine, 0, &one, &failure));
  CHECK_OK (engine_transaction_begin (engine, 0, &two, &failure));
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, a, BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, a, BYTES_LITERAL ("2"), &failure));
  CHECK_OK (engine_transaction_get_value (one, ENGINE_STORE_DEFAULT, a, &value, &failure));
  CHECK (bytes_equal (value.data, BYTES_LITERAL ("1")));
  engine_value_release (&value);
  uint64_t savepoint;
  CHECK_OK (engine_transaction_savepoint (one, &savepoint, &failure));
  CHECK_OK (engine_transaction_delete_range (one, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                             &failure));
  CHECK_INT (engine_transaction_get_value (one, ENGINE_STORE_DEFAULT, a, &value, &failure),
             STATUS_NOT_FOUND);
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, b, BYTES_LITERAL ("b"), &failure));
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .transaction = one };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  CHECK (engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), b));
  CHECK_OK (engine_cursor_next (cursor, &failure));
  CHECK (!engine_cursor_valid (cursor));
  CHECK_OK (engine_transaction_rollback_to (one, savepoint, &failure));
  CHECK_OK (engine_cursor_last (cursor, &failure));
  CHECK (bytes_equal (engine_cursor_key (cursor), BYTES_LITERAL ("key-00000099")));
  engine_cursor_free (cursor);
  uint64_t sequence;
  CHECK_OK (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, &sequence, &failure));
  CHECK_INT (sequence, 101);
  CHECK_FAILS (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  CHECK_FAILS (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure), STATUS_CLOSED);
  engine_transaction_free (one);
  engine_transaction_free (two);
  engine_unref (engine);
  remove_directory (path);
}

/* A transaction that only locks a key conflicts like one that writes it. */
static void
test_locked_keys (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *transaction;
  char key[64];
  for (unsigned round = 0; round < 4; round++) /* somebody else writes; flushed or not */
    {
      put_range (engine, 0, 10, round);
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      CHECK_OK (engine_transaction_lock_key (transaction, ENGINE_STORE_DEFAULT, number_key (key, 5),
                                             &failure));
      if (round % 2 == 1)
        put_range (engine, 5, 6, round + 10);
      if (round >= 2)
        CHECK_OK (engine_flush (engine, &failure));
      failure = FAILURE_INIT;
      CHECK_INT (engine_transaction_commit (transaction, 0, NULL, &failure),
                 round % 2 == 1 ? STATUS_CONFLICT : STATUS_OK);
      engine_transaction_free (transaction);
    }
  engine_unref (engine);
  remove_directory (path);
}

#define TRANSACTION_TIMEOUT 100000 /* microseconds */

static uint64_t
microseconds_now (void)
{
  struct timespec at;
  clock_gettime (CLOCK_MONOTONIC, &at);
  return (uint64_t) at.tv_sec * 1000000 + (uint64_t) at.tv_nsec / 1000;
}

/* A transaction that is quick is committed. One that waited for a core meanwhile may be too late. */
static void
commit_quickly (struct engine *engine)
{
  struct engine_transaction *quick;
  status result;
  do
    {
      uint64_t begun = microseconds_now ();
      CHECK_OK (engine_transaction_begin (engine, 0, &quick, &failure));
      failure = FAILURE_INIT;
      result = engine_transaction_commit (quick, 0, NULL, &failure);
      engine_transaction_free (quick);
      CHECK (result == STATUS_OK
             || (result == STATUS_TIMED_OUT && microseconds_now () - begun >= TRANSACTION_TIMEOUT));
    }
  while (result != STATUS_OK);
}

/* Nobody touches the transaction: the timer alone lets its snapshot go. */
static void
test_timeout (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  options.transaction_timeout = TRANSACTION_TIMEOUT;
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  struct engine_transaction *late;
  struct engine_statistics statistics;
  commit_quickly (engine);
  uint64_t begun = microseconds_now ();
  CHECK_OK (engine_transaction_begin (engine, 0, &late, &failure));
  engine_statistics (engine, &statistics);
  CHECK (statistics.snapshots == 1 || microseconds_now () - begun >= TRANSACTION_TIMEOUT);
  while (statistics.snapshots > 0) /* for good, if it never times out */
    {
      usleep (10000);
      engine_statistics (engine, &statistics);
    }
  CHECK (microseconds_now () - begun >= TRANSACTION_TIMEOUT);
  CHECK_FAILS (engine_transaction_put (late, 1, BYTES_LITERAL ("k"), BYTES_NONE, &failure),
               STATUS_TIMED_OUT);
  CHECK_FAILS (engine_transaction_commit (late, 0, NULL, &failure), STATUS_TIMED_OUT);
  engine_transaction_free (late);
  engine_unref (engine);
  remove_directory (path);
}

/* x and y both read, one written by each: snapshot isolation lets it pass, serializable does
 * not. */
static status
write_skew (struct engine *engine, unsigned flags)
{
  struct engine_transaction *one, *two;
  struct engine_value value;
  struct bytes x = BYTES_LITERAL ("x"), y = BYTES_LITERAL ("y");
  struct engine_transaction **both[2] = { &one, &two };
  for (int i = 0; i < 2; i++)
    {
      CHECK_OK (engine_transaction_begin (engine, flags, both[i], &failure));
      CHECK_INT (engine_transaction_get_value (*both[i], ENGINE_STORE_DEFAULT, x, &value, &failure),
                 STATUS_NOT_FOUND);
      CHECK_INT (engine_transaction_get_value (*both[i], ENGINE_STORE_DEFAULT, y, &value, &failure),
                 STATUS_NOT_FOUND);
    }
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, x, BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, y, BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, NULL, &failure));
  failure = FAILURE_INIT;
  status result = engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure);
  engine_transaction_free (one);
  engine_transaction_free (two);
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
  return result;
}

static void
test_isolation (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  CHECK_INT (write_skew (engine, 0), STATUS_OK);
  CHECK_INT (write_skew (engine, ENGINE_TRANSACTION_SERIALIZABLE), STATUS_CONFLICT);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_stores_and_blobs (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  engine_store store;
  CHECK_FAILS (engine_store_open (engine, "films", false, &store, &failure), STATUS_NOT_FOUND);
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure));
  size_t size = 300000, got;
  uint8_t *large = malloc (size), *back = malloc (size);
  for (size_t i = 0; i < size; i++)
    large[i] = (uint8_t) (i * 7 + i / 251);
  CHECK_OK (engine_put (engine, store, BYTES_LITERAL ("alien"), BYTES (large, size),
                        ENGINE_SYNC_FULL, NULL, &failure));
  for (int pass = 0; pass < 3; pass++)
    {
      CHECK_OK (
          engine_get (engine, NULL, store, BYTES_LITERAL ("alien"), back, size, &got, &failure));
      CHECK (got == size && memcmp (large, back, size) == 0);
      CHECK_INT (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("alien"), back,
                             size, &got, &failure),
                 STATUS_NOT_FOUND);
      if (pass == 0)
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      else if (pass == 1)
        {
          engine_unref (engine);
          engine = open_small (path);
        }
    }
  CHECK_OK (engine_store_drop (engine, "films", &failure));
  CHECK_FAILS (engine_put (engine, store, BYTES_LITERAL ("k"), BYTES_LITERAL ("v"),
                           ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_NOT_FOUND);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.blobs, 0);
  engine_store again;
  CHECK_OK (engine_store_open (engine, "films", true, &again, &failure));
  CHECK (again != store);
  free (large);
  free (back);
  engine_unref (engine);
  remove_directory (path);
}

/* Stores that are dropped in any order take no writes any more; those between them do. */
static void
test_many_drops (void)
{
  char *path = fresh_directory (), name[32];
  struct engine *engine = open_small (path);
  engine_store stores[60];
  const unsigned count = sizeof stores / sizeof *stores;
  struct bytes key = BYTES_LITERAL ("k");
  for (unsigned i = 0; i < count; i++)
    {
      snprintf (name, sizeof name, "store-%u", i);
      CHECK_OK (engine_store_open (engine, name, true, &stores[i], &failure));
    }
  for (unsigned i = 0; i < count; i += 2)
    {
      snprintf (name, sizeof name, "store-%u", i * 7 % count); /* all the even ones */
      CHECK_OK (engine_store_drop (engine, name, &failure));
    }
  for (unsigned i = 0; i < count; i++)
    CHECK_FAILS (engine_put (engine, stores[i], key, key, ENGINE_SYNC_DEFAULT, NULL, &failure),
                 i % 2 == 0 ? STATUS_NOT_FOUND : STATUS_OK);
  CHECK_OK (
      engine_put (engine, ENGINE_STORE_DEFAULT, key, key, ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_unref (engine);
  remove_directory (path);
}

static bool
no (void *data)
{
  ++*(unsigned *) data;
  return false;
}

/* Walks as far as there are records with a cursor that is told to give up as often as it asks, and
 * goes on from where it came to each time, which is always further on. How often it asked. */
static unsigned
walk_in_parts (struct engine *engine, struct engine_snapshot *snapshot, bool backward,
               unsigned expected)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT,
                                             .snapshot = snapshot,
                                             .lower = BYTES_LITERAL ("key-00000000"),
                                             .upper = BYTES_LITERAL ("key-00005000") };
  struct engine_cursor *cursor;
  unsigned asked = 0, stops = 0, count = 0;
  char at[32] = "";
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  engine_cursor_limit (cursor, no, &asked);
  status result
      = backward ? engine_cursor_last (cursor, &failure) : engine_cursor_first (cursor, &failure);
  while (result == STATUS_CANCELLED || engine_cursor_valid (cursor))
    {
      bool stopped = result == STATUS_CANCELLED;
      struct bytes key = stopped ? engine_cursor_reached (cursor) : engine_cursor_key (cursor);
      CHECK (stopped || engine_cursor_reached (cursor).size == 0);
      CHECK (key.size == 12 && !(stopped && engine_cursor_valid (cursor)));
      int order = strncmp ((const char *) key.data, at, 12);
      CHECK (at[0] == '\0' || (backward ? order < 0 : order > 0) || (order == 0 && !stopped));
      snprintf (at, sizeof at, "%.12s", (const char *) key.data);
      count += !stopped;
      stops += stopped;
      failure_reset (&failure);
      if (!stopped)
        result = backward ? engine_cursor_previous (cursor, &failure)
                          : engine_cursor_next (cursor, &failure);
      else if (backward)
        result = engine_cursor_seek_before (cursor, BYTES (at, 13), &failure);
      else
        result = engine_cursor_seek (cursor, BYTES (at, 12), &failure);
    }
  CHECK_OK (result);
  CHECK_INT (count, expected);
  CHECK (stops <= asked && asked <= stops + 1);
  engine_cursor_free (cursor);
  return stops;
}

/* Passing what was deleted, or is newer than the snapshot, can be ended on the way. */
static void
test_limited_cursor (void)
{
  char *path = fresh_directory (), key[64];
  struct engine_options options = small_options ();
  struct engine *engine;
  struct engine_snapshot *before;
  options.memtable_size = 8 << 20; /* which is not flushed by itself */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_range (engine, 10, 20, 1);
  CHECK_OK (engine_snapshot_new (engine, &before, &failure));
  put_range (engine, 0, 5000, 2);
  for (unsigned i = 20; i < 4990; i++)
    CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, i), ENGINE_SYNC_DEFAULT,
                             NULL, &failure));
  for (unsigned round = 0; round < 2; round++)
    {
      for (unsigned backward = 0; backward < 2; backward++)
        {
          unsigned deleted = walk_in_parts (engine, NULL, backward, 30);
          unsigned newer = walk_in_parts (engine, before, backward, 10);
          CHECK (deleted >= 4 && deleted <= 10);
          CHECK (newer >= 4 && newer <= 10);
        }
      CHECK_INT (count_forward (engine), 30);
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK (walk_in_parts (engine, NULL, false, 0) >= 4);
  CHECK (walk_in_parts (engine, NULL, true, 0) >= 4);
  /* A thousand versions of one key are one key: there the walk gets on, too. */
  for (unsigned i = 0; i < 3000; i++)
    put_range (engine, 7, 8, i);
  CHECK (walk_in_parts (engine, NULL, false, 1) >= 4);
  CHECK (walk_in_parts (engine, NULL, true, 1) >= 4);
  CHECK (walk_in_parts (engine, before, false, 10) >= 4);
  CHECK (walk_in_parts (engine, before, true, 10) >= 4);
  engine_snapshot_free (before);
  close_it (engine);
  remove_directory (path);
}

/* What a walk over what memory has comes to: BUSY before anything is read, every record after that,
 * and never the value that stands in a file of its own. */
static void
walk_cached (struct engine *engine, unsigned expected, bool backward, bool cached)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .cached_only = true };
  struct engine_cursor *cursor;
  struct bytes value;
  unsigned count = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  status result
      = backward ? engine_cursor_last (cursor, &failure) : engine_cursor_first (cursor, &failure);
  CHECK_INT (result, cached ? STATUS_OK : STATUS_BUSY);
  for (; engine_cursor_valid (cursor); count++)
    {
      bool large = bytes_equal (engine_cursor_key (cursor), BYTES_LITERAL ("key-large"));
      CHECK_INT (engine_cursor_value (cursor, &value, &failure), large ? STATUS_BUSY : STATUS_OK);
      CHECK_OK (backward ? engine_cursor_previous (cursor, &failure)
                         : engine_cursor_next (cursor, &failure));
    }
  CHECK_INT (count, cached ? expected : 0);
  CHECK_INT (engine_cursor_seek (cursor, BYTES_LITERAL ("key-00000500"), &failure),
             cached ? STATUS_OK : STATUS_BUSY);
  CHECK_INT (engine_cursor_valid (cursor), cached);
  engine_cursor_free (cursor);
}

#define MAKERS 200u /* threads that make stores */
#define MADE 2u     /* by each: one of its own, and one that all make */

struct maker
{
  struct engine *engine;
  unsigned number;
  engine_store stores[MADE];
};

static void *
make_stores (void *data)
{
  struct maker *maker = data;
  struct failure cause = FAILURE_INIT;
  char name[32];
  for (unsigned i = 0; i < MADE; i++)
    {
      snprintf (name, sizeof name, "store of %u", i == 0 ? maker->number : MAKERS);
      CHECK_OK (engine_store_open (maker->engine, name, true, &maker->stores[i], &cause));
      if (i == 0 && maker->number % 2 == 0)
        CHECK_OK (engine_store_drop (maker->engine, name, &cause));
    }
  return NULL;
}

/* However many make and drop stores at the same time, each of them succeeds; here each commit takes
 * as long as the disk does. */
static void
test_stores_at_once (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  options.sync = ENGINE_SYNC_FULL;
  struct engine *engine = open_with (path, &options);
  static struct maker makers[MAKERS];
  pthread_t threads[MAKERS];
  for (unsigned i = 0; i < MAKERS; i++)
    {
      makers[i] = (struct maker){ .engine = engine, .number = i };
      CHECK (pthread_create (&threads[i], NULL, make_stores, &makers[i]) == 0);
    }
  for (unsigned i = 0; i < MAKERS; i++)
    pthread_join (threads[i], NULL);
  bool taken[2 + MAKERS * MADE] = { false };
  for (unsigned i = 0; i < MADE; i++)
    for (unsigned maker = 0; maker < MAKERS; maker++)
      {
        engine_store store = makers[maker].stores[i];
        CHECK (store >= 2 && store < 2 + MAKERS * MADE);
        CHECK (i == 1 && maker > 0 ? store == makers[0].stores[i] : !taken[store]);
        taken[store] = true;
      }
  engine_unref (engine);
  remove_directory (path);
}

static void
test_cached_cursor (void)
{
  static const uint8_t large[20000];
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  struct engine *engine;
  options.memtable_size = 1 << 20; /* which is not flushed by itself */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_range (engine, 0, 1000, 1);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-large"),
                        BYTES (large, sizeof large), ENGINE_SYNC_DEFAULT, NULL, &failure));
  walk_cached (engine, 1001, false, true);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (unsigned round = 0; round < 2; round++)
    {
      engine_evict_cache (engine, 1);
      walk_cached (engine, 0, false, false);
      walk_cached (engine, 0, true, false);
      CHECK_INT (count_forward (engine), 1001);
      walk_cached (engine, 1001, false, true);
      walk_cached (engine, 1001, true, true);
    }
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

static void
test_many (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  put_range (engine, 0, 5000, 1);
  CHECK_OK (engine_flush (engine, &failure));
  put_range (engine, 0, 100, 2);
  enum
  {
    COUNT = 300
  };
  char names[COUNT][64], expected[256];
  struct bytes keys[COUNT];
  struct engine_value values[COUNT];
  status results[COUNT];
  for (unsigned i = 0; i < COUNT; i++)
    keys[i] = number_key (names[i], i * 37);
  CHECK_OK (
      engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, keys, COUNT, values, results, &failure));
  for (unsigned i = 0; i < COUNT; i++)
    {
      CHECK_INT (results[i], i * 37 < 5000 ? STATUS_OK : STATUS_NOT_FOUND);
      if (results[i] != STATUS_OK)
        continue;
      CHECK (bytes_equal (values[i].data, number_value (expected, i * 37, i * 37 < 100 ? 2 : 1)));
      struct engine_value alone;
      CHECK_OK (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, keys[i], &alone, &failure));
      CHECK_INT (values[i].sequence, alone.sequence);
      engine_value_release (&alone);
    }
  engine_unref (engine);
  for (unsigned i = 0; i < COUNT; i++)
    if (results[i] == STATUS_OK) /* outlives the engine */
      {
        CHECK (bytes_equal (values[i].data, number_value (expected, i * 37, i * 37 < 100 ? 2 : 1)));
        engine_value_release (&values[i]);
      }
  remove_directory (path);
}

/* While power is saved runs stay as they are; afterwards they settle. */
static void
test_saving (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_statistics statistics;
  engine_set_saving (engine, true);
  for (unsigned i = 0; i < 3; i++)
    {
      put_range (engine, 0, 300, i);
      CHECK_OK (engine_flush (engine, &failure));
    }
  usleep (1200000); /* longer than a burst's end takes to be noticed */
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 3);
  engine_set_saving (engine, false);
  CHECK_OK (engine_wait_settled (engine, 300000000, &failure));
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  engine_unref (engine);
  remove_directory (path);
}

/* Many short lives leave few files behind. */
static void
test_short_lives (void)
{
  char *path = fresh_directory ();
  struct engine_statistics statistics;
  for (unsigned i = 0; i < 100; i++)
    {
      struct engine *engine = open_small (path);
      put_range (engine, i, i + 1, 1);
      engine_unref (engine);
    }
  struct engine *engine = open_small (path);
  engine_statistics (engine, &statistics);
  CHECK (statistics.runs <= 32); /* PICKER_RUNS_MAX: up to here nothing is merged */
  check_range_of (engine, 0, 100, 1);
  engine_unref (engine);
  remove_directory (path);
}

/* A child commits and reports each acknowledged number through a pipe until it is killed. */
static void
test_kill (void)
{
  char *path = fresh_directory ();
  unsigned next = 0;
  for (int round = 0; round < 15; round++)
    {
      int acknowledged[2];
      CHECK (pipe (acknowledged) == 0);
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          struct engine *engine = open_small (path);
          for (unsigned i = next;; i++)
            {
              put_range (engine, i, i + 1, 1);
              if (write (acknowledged[1], &i, sizeof i) != sizeof i)
                _exit (1);
            }
        }
      close (acknowledged[1]);
      unsigned last = next, number, count = 0, stop = 200 + (unsigned) round * 331;
      while (read (acknowledged[0], &number, sizeof number) == sizeof number)
        {
          last = number + 1;
          if (++count == stop)
            kill (child, SIGKILL);
        }
      close (acknowledged[0]);
      CHECK (waitpid (child, NULL, 0) == child);
      struct engine *engine = open_small (path);
      check_range_of (engine, 0, last, 1);
      CHECK (engine_sequence (engine) >= last);
      next = last;
      engine_unref (engine);
    }
  remove_directory (path);
}

static void
test_bad_input (void)
{
  char *path = fresh_directory ();
  struct engine *engine, *other;
  struct engine_options options = small_options ();
  CHECK_FAILS (engine_open (path, 0, &options, &engine, &failure), STATUS_NOT_FOUND);
  engine = open_small (path);
  CHECK_FAILS (engine_open (path, 0, &options, &other, &failure), STATUS_LOCKED);
  CHECK (strstr (failure.message, path) != NULL);
  CHECK_FAILS (engine_put (engine, 1, BYTES_NONE, BYTES_NONE, 0, NULL, &failure), STATUS_INVALID);
  uint8_t *huge = calloc (1, KEY_SIZE_MAX + 1);
  CHECK_FAILS (
      engine_put (engine, 1, BYTES (huge, KEY_SIZE_MAX + 1), BYTES_NONE, 0, NULL, &failure),
      STATUS_KEY_TOO_LARGE);
  CHECK_OK (engine_put (engine, 1, BYTES (huge, KEY_SIZE_MAX), BYTES_NONE, 0, NULL, &failure));
  CHECK_FAILS (
      engine_delete_range (engine, 1, BYTES_LITERAL ("b"), BYTES_LITERAL ("a"), 0, NULL, &failure),
      STATUS_INVALID);
  engine_unref (engine);
  CHECK_FAILS (
      engine_open (path, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &options, &engine, &failure),
      STATUS_EXISTS);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure));
  CHECK_FAILS (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure),
               STATUS_READ_ONLY);
  engine_unref (engine);
  CHECK_OK (engine_destroy (path, NULL, &failure));
  CHECK (access (path, F_OK) != 0);
  free (huge);
  free (path);

  path = fresh_directory ();
  char file[600];
  snprintf (file, sizeof file, "%s/letter.txt", path);
  FILE *letter = fopen (file, "w");
  fputs ("dear database", letter);
  fclose (letter);
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_FAILS (engine_open (file, ENGINE_OPEN_CREATE, &options, &engine, &failure), STATUS_INVALID);
  remove_directory (path);
}

static void
test_fork (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  put_range (engine, 0, 10, 1);
  pid_t child = fork ();
  if (child == 0)
    {
      failure = FAILURE_INIT;
      status result = engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure);
      engine_unref (engine);
      _exit (result == STATUS_FORKED ? 0 : 1);
    }
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  CHECK_INT (ended, 0);
  put_range (engine, 10, 20, 1);
  check_range_of (engine, 0, 20, 1);
  engine_unref (engine);
  remove_directory (path);
}

/* Whatever a deletion that was cut short left, it can be done again; tests/kill cuts it
 * everywhere. */
static void
test_destroy_again (void)
{
  static const char *const commands[] = {
    "cd $DATABASE && rm CURRENT",                  /* right behind the first step */
    "cd $DATABASE && rm CURRENT *.seg",            /* amid */
    "cd $DATABASE && rm CURRENT *.seg MANIFEST-*", /* LOCK is left */
    "cd $DATABASE && rm * && touch LOCK 1.tmp",    /* amid the making of one */
  };
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    {
      struct engine *engine;
      char *path = fresh_directory ();
      CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, NULL, &engine, &failure));
      CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_LITERAL ("v"), 0, NULL, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      setenv ("DATABASE", path, 1);
      CHECK_INT (system (commands[i]), 0);
      CHECK_OK (engine_destroy (path, NULL, &failure));
      CHECK (access (path, F_OK) != 0);
      free (path);
    }
  char *path = fresh_directory (); /* nobody's: it stays */
  CHECK_FAILS (engine_destroy (path, NULL, &failure), STATUS_NOT_FOUND);
  CHECK (failure.message[0] != '\0' && access (path, F_OK) == 0);
  remove_directory (path);
}

int
main (void)
{
  test_bad_input ();
  test_fill_and_reopen ();
  test_snapshots_and_deletes ();
  test_transactions ();
  test_timeout ();
  test_locked_keys ();
  test_isolation ();
  test_stores_and_blobs ();
  test_many_drops ();
  test_stores_at_once ();
  test_cached_cursor ();
  test_limited_cursor ();
  test_many ();
  test_fork ();
  test_saving ();
  test_short_lives ();
  test_destroy_again ();
  test_kill ();
  puts ("engine: all passed");
  return 0;
}
