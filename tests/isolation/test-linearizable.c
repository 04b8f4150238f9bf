/* SPDX-License-Identifier: MIT */
/*
 * linearizable: each key by itself is a register. Whatever a thread was told has happened at one
 * moment between its call and its return, and every other thread sees it from then on.
 *
 *   test-linearizable [--long] [--seed S] [--windows N] [--seconds N] [--yields N]
 *
 * Four threads put, delete, read and change a few new keys, through every call of the engine that
 * does, in one window of a dozen calls each after another. Between windows all wait for each other,
 * so that each can be judged by itself (linearizable.h). Beside them memtables are flushed, runs
 * merged, pages and hot records given back.
 */
#include "linearizable.h"
#include "schedule.h"

#include "base/random.h"
#include "check.h"
#include "engine.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define THREADS 4u
#define REGISTERS 3u         /* of a window */
#define CALLS 12u            /* of a thread in a window; all of them may go to one register */
#define EPISODE_WINDOWS 500u /* between two openings */
#define LARGE 700u           /* bytes of a value that goes to a blob file */

static struct
{
  uint64_t seed, windows, seconds;
  unsigned yields; /* of a thousand */
} settings = { .seed = 1, .windows = 3000, .yields = 250 };

static struct engine *engine;
static _Atomic uint64_t clock_moment;
static _Atomic unsigned arrived; /* threads that were at the end of a window, so far */
static uint64_t window;          /* its number; changed while all wait */

struct worker
{
  unsigned number;
  struct random random;
  uint64_t values; /* made so far */
  struct register_operation calls[REGISTERS][CALLS];
  size_t count[REGISTERS];
  uint64_t reads, writes, changes, conflicts;
};
static struct worker workers[THREADS];
static uint64_t judged; /* operations */

/* Relaxed: the order must come from the database alone. */
static uint64_t
moment (void)
{
  return atomic_fetch_add_explicit (&clock_moment, 1, memory_order_relaxed) + 1;
}

/* ---- registers ---- */

static struct bytes
register_key (char to[32], unsigned number)
{
  return BYTES (to, (size_t) snprintf (to, 32, "w%09" PRIu64 "/%u", window, number));
}

static struct bytes
store_value (uint8_t to[LARGE], uint64_t value)
{
  size_t size = value % 8 == 0 ? LARGE : 8 + value % 50;
  memset (to, (int) (value & 0x7f), size);
  memcpy (to, &value, sizeof value);
  return BYTES (to, size);
}

static uint64_t
load_value (struct bytes value)
{
  uint64_t number;
  uint8_t expected[LARGE];
  CHECK (value.size >= sizeof number);
  memcpy (&number, value.data, sizeof number);
  CHECK (bytes_equal (value, store_value (expected, number)));
  return number;
}

/* What a call that may say NOT_FOUND gave; the value is released. */
static uint64_t
take_value (status result, struct engine_value *value, const struct failure *failure)
{
  if (result == STATUS_NOT_FOUND)
    return 0;
  if (result != STATUS_OK)
    fprintf (stderr, "%s (%s)\n", status_name (result), failure->message);
  CHECK_INT (result, STATUS_OK);
  uint64_t number = load_value (value->data);
  engine_value_release (value);
  return number;
}

/* ---- reading ---- */

static uint64_t
read_copy (struct bytes key)
{
  struct failure failure = FAILURE_INIT;
  uint8_t buffer[LARGE];
  size_t size;
  status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, key, buffer, sizeof buffer, &size,
                              &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  return result == STATUS_OK ? load_value (BYTES (buffer, size)) : 0;
}

static uint64_t
read_lent (struct bytes key)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  status result
      = engine_get_value_cached (engine, NULL, ENGINE_STORE_DEFAULT, key, &value, &failure);
  if (result == STATUS_BUSY)
    result = engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, key, &value, &failure);
  return take_value (result, &value, &failure);
}

static uint64_t
read_many (struct bytes key)
{
  struct failure failure;
  struct bytes keys[3] = { BYTES_LITERAL ("a"), key, BYTES_LITERAL ("z") };
  struct engine_value values[3];
  status results[3];
  CHECK_OK (
      engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, keys, 3, values, results, &failure));
  CHECK (results[0] == STATUS_NOT_FOUND && results[2] == STATUS_NOT_FOUND);
  return take_value (results[1], &values[1], &failure);
}

static uint64_t
read_snapshot (struct bytes key)
{
  struct failure failure;
  struct engine_snapshot *snapshot;
  struct engine_value value;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  sched_yield ();
  status result = engine_get_value (engine, snapshot, ENGINE_STORE_DEFAULT, key, &value, &failure);
  uint64_t number = take_value (result, &value, &failure);
  engine_snapshot_free (snapshot);
  return number;
}

static uint64_t
read_cursor (struct bytes key)
{
  struct failure failure;
  struct engine_cursor *cursor;
  struct engine_cursor_settings at = { .store = ENGINE_STORE_DEFAULT };
  struct bytes value;
  uint64_t number = 0;
  CHECK_OK (engine_cursor_new (engine, &at, &cursor, &failure));
  CHECK_OK (engine_cursor_seek (cursor, key, &failure));
  if (engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), key))
    {
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      number = load_value (value);
    }
  engine_cursor_free (cursor);
  return number;
}

static uint64_t
read_transaction (struct bytes key)
{
  struct failure failure;
  struct engine_transaction *transaction;
  struct engine_value value;
  CHECK_OK (
      engine_transaction_begin (engine, ENGINE_TRANSACTION_READ_ONLY, &transaction, &failure));
  status result
      = engine_transaction_get_value (transaction, ENGINE_STORE_DEFAULT, key, &value, &failure);
  uint64_t number = take_value (result, &value, &failure);
  engine_transaction_free (transaction);
  return number;
}

static uint64_t
read_register (struct worker *worker, struct bytes key)
{
  static uint64_t (*const ways[]) (struct bytes)
      = { read_copy, read_lent, read_many, read_snapshot, read_cursor, read_transaction };
  return ways[random_below (&worker->random, sizeof ways / sizeof ways[0])](key);
}

/* ---- writing ---- */

static enum engine_sync
any_sync (struct worker *worker)
{
  uint64_t shape = random_below (&worker->random, 400);
  return shape == 0 ? ENGINE_SYNC_FULL : shape < 20 ? ENGINE_SYNC_NONE : ENGINE_SYNC_ASYNC;
}

static void
write_batch (struct worker *worker, struct bytes key, struct bytes value)
{
  struct failure failure;
  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  CHECK_OK (engine_batch_delete_range (batch, ENGINE_STORE_DEFAULT, key, BYTES_NONE, &failure));
  if (value.size > 0)
    CHECK_OK (engine_batch_put (batch, ENGINE_STORE_DEFAULT, key, value, &failure));
  CHECK_OK (engine_write (engine, batch, any_sync (worker), NULL, &failure));
  engine_batch_free (batch);
}

static void
write_loaded (struct bytes key, struct bytes value)
{
  struct failure failure;
  struct engine_loader *loader;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, key, value, &failure));
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
}

/* An empty value: a delete. The batch's range reaches over all later keys, so only the last
 * register of a window is written so. */
static void
write_register (struct worker *worker, unsigned number, struct bytes key, struct bytes value)
{
  struct failure failure;
  uint64_t shape = random_below (&worker->random, 3000);
  if (shape < 600 && number == REGISTERS - 1)
    write_batch (worker, key, value);
  else if (shape == 2999 && value.size > 0)
    write_loaded (key, value);
  else if (value.size > 0)
    CHECK_OK (
        engine_put (engine, ENGINE_STORE_DEFAULT, key, value, any_sync (worker), NULL, &failure));
  else
    CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, key, any_sync (worker), NULL, &failure));
}

/* False: a conflict, and nothing happened. */
static bool
change_register (struct worker *worker, struct bytes key, struct bytes value, uint64_t *expected)
{
  struct failure failure;
  struct engine_transaction *transaction;
  struct engine_value found;
  unsigned flags = random_below (&worker->random, 2) == 0 ? ENGINE_TRANSACTION_SERIALIZABLE : 0;
  CHECK_OK (engine_transaction_begin (engine, flags, &transaction, &failure));
  status result
      = engine_transaction_get_value (transaction, ENGINE_STORE_DEFAULT, key, &found, &failure);
  *expected = take_value (result, &found, &failure);
  if (random_below (&worker->random, 1000) < settings.yields)
    sched_yield ();
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, key, value, &failure));
  failure = FAILURE_INIT;
  result = engine_transaction_commit (transaction, any_sync (worker), NULL, &failure);
  engine_transaction_free (transaction);
  CHECK (result == STATUS_OK || result == STATUS_CONFLICT);
  return result == STATUS_OK;
}

/* ---- windows ---- */

static void
call (struct worker *worker)
{
  char room[32];
  uint8_t scratch[LARGE];
  unsigned number = (unsigned) random_below (&worker->random, REGISTERS);
  uint64_t shape = random_below (&worker->random, 20);
  struct bytes key = register_key (room, number), value = BYTES_NONE;
  struct register_operation *it = &worker->calls[number][worker->count[number]];
  *it = (struct register_operation){ .thread = worker->number, .kind = REGISTER_READ };
  if (shape >= 10)
    it->kind = shape < 16 ? REGISTER_WRITE : REGISTER_CHANGE;
  if (shape >= 10 && shape != 10 && shape != 11) /* else a delete */
    {
      it->value = ++worker->values * THREADS + worker->number;
      value = store_value (scratch, it->value);
    }
  bool happened = true;
  it->called = moment ();
  if (it->kind == REGISTER_READ)
    it->value = read_register (worker, key);
  else if (it->kind == REGISTER_WRITE)
    write_register (worker, number, key, value);
  else
    happened = change_register (worker, key, value, &it->expected);
  it->returned = moment ();
  worker->count[number] += happened;
  worker->conflicts += !happened;
  worker->reads += it->kind == REGISTER_READ;
  worker->writes += it->kind == REGISTER_WRITE;
  worker->changes += it->kind == REGISTER_CHANGE && happened;
}

static const char *program;

/* Whatever ends the process says how to come there again. */
static void
tell_again (int number)
{
  dprintf (2, "%s  %s --seed %" PRIu64 " --windows %" PRIu64 " --yields %u\n",
           schedule_is_exact () ? "the same run again:" : "such a run (the kernel schedules):",
           program, settings.seed, settings.windows, settings.yields);
  signal (number, SIG_DFL);
  raise (number);
}

static _Noreturn void
report (const struct register_operation *operations, size_t count, unsigned number)
{
  fprintf (stderr, "register %u of window %" PRIu64 " is not linearizable:\n", number, window);
  window_print (operations, count, stderr);
  abort ();
}

/* By the last thread that arrives; the others wait. */
static void
judge_window (void)
{
  struct register_operation all[THREADS * CALLS];
  _Static_assert(THREADS * CALLS <= WINDOW_OPERATIONS_MOST, "a register's operations fit");
  for (unsigned number = 0; number < REGISTERS; number++)
    {
      size_t count = 0;
      for (unsigned i = 0; i < THREADS; i++)
        {
          memcpy (all + count, workers[i].calls[number], workers[i].count[number] * sizeof *all);
          count += workers[i].count[number];
          workers[i].count[number] = 0;
        }
      judged += count;
      if (!window_is_linearizable (all, count, 0))
        report (all, count, number);
    }
  window++;
}

static void
meet (unsigned round)
{
  if (atomic_fetch_add (&arrived, 1) + 1 == (round * 2 + 1) * THREADS)
    {
      judge_window ();
      atomic_fetch_add (&arrived, THREADS);
    }
  while (atomic_load (&arrived) < (round + 1) * 2 * THREADS)
    sched_yield ();
}

static void
maintain (struct worker *worker)
{
  struct failure failure;
  uint64_t shape = random_below (&worker->random, 16000);
  if (shape < 6)
    CHECK_OK (engine_flush (engine, &failure));
  else if (shape == 6)
    CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  else if (shape < 80)
    engine_evict_cache (engine, 1);
}

static void *
worker_main (void *data)
{
  struct worker *worker = data;
  for (unsigned round = 0; round < EPISODE_WINDOWS; round++)
    {
      for (unsigned i = 0; i < CALLS; i++)
        {
          if (random_below (&worker->random, 1000) < settings.yields)
            sched_yield ();
          call (worker);
          maintain (worker);
        }
      meet (round);
    }
  return NULL;
}

/* ---- episodes ---- */

static void
run_episode (uint64_t episode)
{
  struct failure failure;
  struct engine_options options;
  pthread_t threads[THREADS];
  const char *path;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536;
  options.log_mapping = episode % 2 == 0;
  options.blob_threshold = 512;
  options.vfs = schedule_begin (settings.seed * 1000003 + episode, settings.yields, &path);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  arrived = 0;
  for (unsigned i = 0; i < THREADS; i++)
    {
      workers[i].number = i;
      workers[i].random = (struct random){ (settings.seed * 1000003 + episode) * THREADS + i };
    }
  for (unsigned i = 0; i < THREADS; i++)
    CHECK (pthread_create (&threads[i], NULL, worker_main, &workers[i]) == 0);
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join (threads[i], NULL);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  schedule_end ();
}

int
main (int argc, char **argv)
{
  program = argv[0];
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      settings.windows = 100000;
    else if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      settings.seed = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--windows") == 0)
      settings.windows = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--seconds") == 0)
      settings.seconds = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--yields") == 0)
      settings.yields = (unsigned) strtoul (argv[++i], NULL, 10);
    else
      {
        fprintf (stderr, "%s: no such option\n", argv[i]);
        return 2;
      }
  signal (SIGABRT, tell_again);
  signal (SIGSEGV, tell_again);
  time_t until = time (NULL) + (time_t) settings.seconds;
  for (uint64_t episode = 0; settings.seconds > 0 ? time (NULL) < until : window < settings.windows;
       episode++)
    run_episode (episode);
  uint64_t reads = 0, writes = 0, changes = 0, conflicts = 0;
  for (unsigned i = 0; i < THREADS; i++)
    {
      reads += workers[i].reads;
      writes += workers[i].writes;
      changes += workers[i].changes;
      conflicts += workers[i].conflicts;
    }
  CHECK_INT (judged, reads + writes + changes);
  printf ("%" PRIu64 " windows, %" PRIu64 " operations on %" PRIu64 " keys: %" PRIu64
          " reads, %" PRIu64 " writes, %" PRIu64 " changes (%" PRIu64
          " more met a conflict): all linearizable; inside of calls %" PRIu64
          " times another thread was let run\n",
          window, judged, window * REGISTERS, reads, writes, changes, conflicts,
          schedule_changes ());
  return 0;
}
