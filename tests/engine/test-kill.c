/* SPDX-License-Identifier: MIT */
/*
 * kill: a writing child is killed again and again, and nothing it acknowledged is ever missing.
 *
 *   test-engine-kill [--long] [--seed S] [--kills N]
 *
 * Each of the child's threads owns its keys (in two stores) and goes through a sequence of
 * operations that follows from its number alone: puts, large values, deletes, range deletes, batches
 * and transactions over both stores, `async` and `full`. Behind each it writes the operation's number
 * into a pipe to the parent. So the parent knows for each thread the last acknowledged operation n,
 * and the thread's keys must be exactly as after n operations, or, if the next one had got through
 * unacknowledged, as after n + 1: a lost commit, half a batch, or an older value all show.
 */
#include "base/random.h"
#include "check.h"
#include "engine.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define THREADS 4u
#define KEYS 48u /* of each thread in each store */
#define STORES 2u
#define WRITES_MAX 12u
#define VALUE_MAX 40000u
#define OPEN_LIMIT 10000000u /* microseconds: longer is a hang */

/* ---- what operation n of a thread does ---- */

enum action
{
  ACTION_PUT,
  ACTION_DELETE,
  ACTION_DELETE_RANGE,
  ACTION_BATCH,
  ACTION_TRANSACTION
};

struct change
{
  bool range, absent; /* a range delete of [key, end); a delete */
  unsigned store, key, end;
  uint32_t size; /* of the value put */
};

struct plan
{
  enum action action;
  enum engine_sync sync;
  unsigned count;
  struct change changes[WRITES_MAX];
};

static void
plan_change (struct random *random, struct change *change)
{
  uint64_t shape = random_below (random, 20);
  *change = (struct change){ .store = (unsigned) random_below (random, STORES),
                             .key = (unsigned) random_below (random, KEYS) };
  if (shape == 0)
    {
      change->range = true;
      change->end = change->key + 1 + (unsigned) random_below (random, 8);
    }
  else if (shape < 5)
    change->absent = true;
  else if (shape == 19)
    change->size = 8000 + (uint32_t) random_below (random, VALUE_MAX - 8000); /* to a blob file */
  else
    change->size = 16 + (uint32_t) random_below (random, shape == 18 ? 3000 : 200);
}

static void
plan_operation (unsigned thread, uint64_t number, struct plan *plan)
{
  struct random random = { number * 8 + thread };
  random.state = random_next (&random);
  uint64_t shape = random_below (&random, 10);
  plan->sync = random_below (&random, 24) == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC;
  plan->count = shape < 6 ? 1 : 2 + (unsigned) random_below (&random, WRITES_MAX - 2);
  for (unsigned i = 0; i < plan->count; i++)
    plan_change (&random, &plan->changes[i]);
  const struct change *first = plan->changes;
  plan->action = shape >= 8      ? ACTION_TRANSACTION
                 : shape >= 6    ? ACTION_BATCH
                 : first->range  ? ACTION_DELETE_RANGE
                 : first->absent ? ACTION_DELETE
                                 : ACTION_PUT;
}

static struct bytes
make_key (char to[32], unsigned thread, unsigned key)
{
  return BYTES (to, (size_t) sprintf (to, "thread%u/%03u", thread, key));
}

/* Who wrote it, as what, then a pattern that follows from that. */
static struct bytes
make_value (uint8_t *to, unsigned thread, uint64_t number, unsigned key, uint32_t size)
{
  struct random random = { number * 31 + thread * 7 + key };
  memcpy (to, &number, 8);
  memcpy (to + 8, &thread, 4);
  memcpy (to + 12, &key, 4);
  for (uint32_t i = 16; i < size; i += 8)
    {
      uint64_t word = random_next (&random) & UINT64_C (0x0f0f0f0f0f0f0f0f);
      memcpy (to + i, &word, size - i < 8 ? size - i : 8);
    }
  return BYTES (to, size);
}

/* ---- the parent's picture ---- */

struct cell
{
  uint64_t number; /* of the operation that put it; 0 = absent */
  uint32_t size;
};
typedef struct cell picture[STORES][KEYS]; /* one thread's keys */

static picture known[THREADS]; /* as after done[thread] operations */
static uint64_t done[THREADS];

static void
apply (picture of, unsigned thread, uint64_t number)
{
  struct plan plan;
  plan_operation (thread, number, &plan);
  for (unsigned i = 0; i < plan.count; i++)
    {
      const struct change *change = &plan.changes[i];
      unsigned end = change->range ? change->end : change->key + 1;
      for (unsigned key = change->key; key < end && key < KEYS; key++)
        of[change->store][key] = change->range || change->absent
                                     ? (struct cell){ 0, 0 }
                                     : (struct cell){ number, change->size };
    }
}

/* ---- the child ---- */

static char *path;
static engine_store stores[STORES];
static struct engine *engine;
static int pipe_end;

static status
open_database (unsigned flags, uint64_t round, struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536 << (round % 3);
  options.log_mapping = round % 2 == 0;
  options.sync_interval = 5000;
  return engine_open (path, flags, &options, &engine, failure);
}

static void
change_batch (struct engine_batch *batch, unsigned thread, uint64_t number, const struct plan *plan,
              uint8_t *scratch)
{
  struct failure failure;
  char key[32], end[32];
  for (unsigned i = 0; i < plan->count; i++)
    {
      const struct change *change = &plan->changes[i];
      engine_store store = stores[change->store];
      struct bytes at = make_key (key, thread, change->key);
      if (change->range)
        CHECK_OK (engine_batch_delete_range (batch, store, at, make_key (end, thread, change->end),
                                             &failure));
      else if (change->absent)
        CHECK_OK (engine_batch_delete (batch, store, at, &failure));
      else
        CHECK_OK (engine_batch_put (batch, store, at,
                                    make_value (scratch, thread, number, change->key, change->size),
                                    &failure));
    }
}

static void
change_transaction (struct engine_transaction *transaction, unsigned thread, uint64_t number,
                    const struct plan *plan, uint8_t *scratch)
{
  struct failure failure;
  char key[32], end[32];
  for (unsigned i = 0; i < plan->count; i++)
    {
      const struct change *change = &plan->changes[i];
      engine_store store = stores[change->store];
      struct bytes at = make_key (key, thread, change->key);
      if (change->range)
        CHECK_OK (engine_transaction_delete_range (transaction, store, at,
                                                   make_key (end, thread, change->end), &failure));
      else if (change->absent)
        CHECK_OK (engine_transaction_delete (transaction, store, at, &failure));
      else
        CHECK_OK (engine_transaction_put (
            transaction, store, at, make_value (scratch, thread, number, change->key, change->size),
            &failure));
    }
}

static void
run_operation (unsigned thread, uint64_t number, struct engine_batch *batch, uint8_t *scratch)
{
  struct failure failure;
  struct plan plan;
  char key[32], end[32];
  plan_operation (thread, number, &plan);
  const struct change *first = plan.changes;
  engine_store store = stores[first->store];
  struct bytes at = make_key (key, thread, first->key);
  struct engine_transaction *transaction;
  switch (plan.action)
    {
    case ACTION_PUT:
      CHECK_OK (engine_put (engine, store, at,
                            make_value (scratch, thread, number, first->key, first->size),
                            plan.sync, NULL, &failure));
      break;
    case ACTION_DELETE:
      CHECK_OK (engine_delete (engine, store, at, plan.sync, NULL, &failure));
      break;
    case ACTION_DELETE_RANGE:
      CHECK_OK (engine_delete_range (engine, store, at, make_key (end, thread, first->end),
                                     plan.sync, NULL, &failure));
      break;
    case ACTION_BATCH:
      engine_batch_clear (batch);
      change_batch (batch, thread, number, &plan, scratch);
      CHECK_OK (engine_write (engine, batch, plan.sync, NULL, &failure));
      break;
    case ACTION_TRANSACTION:
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      change_transaction (transaction, thread, number, &plan, scratch);
      CHECK_OK (engine_transaction_commit (transaction, plan.sync, NULL, &failure));
      engine_transaction_free (transaction);
    }
}

struct acknowledgement
{
  uint32_t thread;
  uint64_t number;
};

static void *
child_thread (void *data)
{
  struct failure failure;
  unsigned thread = (unsigned) (uintptr_t) data;
  uint8_t *scratch = malloc (VALUE_MAX + 8);
  struct engine_batch *batch;
  CHECK (scratch != NULL);
  CHECK_OK (engine_batch_new (&batch, &failure));
  for (uint64_t number = done[thread] + 1;; number++)
    {
      run_operation (thread, number, batch, scratch);
      struct acknowledgement mine = { thread, number };
      if (write (pipe_end, &mine, sizeof mine) != sizeof mine)
        _exit (3);
      if (thread == 0 && number % 97 == 0)
        CHECK_OK (engine_flush (engine, &failure));
      if (thread == 1 && number % 211 == 0)
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
    }
  return NULL;
}

/* `closing`: closes while the others still write, and leaves. */
static _Noreturn void
child_main (uint64_t round, bool only_open, bool closing)
{
  struct failure failure;
  pthread_t threads[THREADS];
  CHECK_OK (open_database (ENGINE_OPEN_CREATE, round, &failure));
  stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "second", true, &stores[1], &failure));
  for (uintptr_t i = 0; i < THREADS && !only_open; i++)
    CHECK (pthread_create (&threads[i], NULL, child_thread, (void *) i) == 0);
  if (closing)
    {
      usleep (30000);
      fclose (stderr); /* the others fail their checks with CLOSED now, as they must */
      signal (SIGABRT, SIG_DFL);
      engine_close (engine, &failure);
      _exit (0);
    }
  for (;;)
    pause ();
}

/* ---- killing ---- */

static uint64_t
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (uint64_t) time.tv_sec * 1000000 + (uint64_t) time.tv_nsec / 1000;
}

static struct
{
  uint64_t kills, acknowledged, extra, opens, slowest, sum, leftovers, openers, read_only, checks;
} totals;

/* Reads what comes until `until`, or the end. False: the end. */
static bool
read_acknowledgements (int from, uint64_t until)
{
  struct acknowledgement got;
  for (;;)
    {
      uint64_t at = now ();
      struct pollfd wait = { .fd = from, .events = POLLIN };
      if (at >= until)
        return true;
      int ready = poll (&wait, 1, until == UINT64_MAX ? -1 : (int) ((until - at) / 1000 + 1));
      if (ready < 0 && errno == EINTR)
        continue;
      if (ready == 0)
        return true;
      ssize_t size = read (from, &got, sizeof got);
      if (size == 0)
        return false;
      CHECK_INT (size, sizeof got); /* written whole: shorter than PIPE_BUF */
      CHECK (got.thread < THREADS);
      CHECK_INT (got.number, done[got.thread] + 1);
      apply (known[got.thread], got.thread, got.number);
      done[got.thread] = got.number;
      totals.acknowledged++;
    }
}

static void
kill_a_writer (uint64_t round, struct random *random)
{
  int ends[2];
  bool closing = random_below (random, 25) == 0;
  uint64_t delay = random_below (random, 5) == 0 ? random_below (random, 8000)
                                                 : 8000 + random_below (random, 90000);
  CHECK (pipe (ends) == 0);
  fflush (stdout);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      close (ends[0]);
      pipe_end = ends[1];
      child_main (round, false, closing);
    }
  close (ends[1]);
  if (read_acknowledgements (ends[0], now () + delay))
    {
      kill (child, SIGKILL);
      read_acknowledgements (ends[0], UINT64_MAX);
    }
  close (ends[0]);
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  bool as_expected = WIFSIGNALED (ended) ? WTERMSIG (ended) == SIGKILL || closing
                                         : closing && WEXITSTATUS (ended) == 0;
  CHECK (as_expected);
  totals.kills++;
}

/* Kills that hit an open, or what it does right behind. */
static void
kill_openers (uint64_t round, struct random *random)
{
  for (uint64_t left = random_below (random, 3); left > 0; left--)
    {
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        child_main (round + left, true, false);
      usleep ((unsigned) random_below (random, 6000));
      kill (child, SIGKILL);
      CHECK (waitpid (child, NULL, 0) == child);
      totals.kills++;
      totals.openers++;
    }
}

/* ---- verifying ---- */

static unsigned
count_files (void)
{
  unsigned count = 0;
  DIR *directory = opendir (path);
  while (directory != NULL && readdir (directory) != NULL)
    count++;
  if (directory != NULL)
    closedir (directory);
  return count;
}

/* How one thread's keys differ from a picture; NULL when they don't. */
static const char *
difference (unsigned thread, picture of, char *message, size_t size)
{
  static uint8_t expected[VALUE_MAX + 8];
  struct failure failure;
  char key[32];
  for (unsigned store = 0; store < STORES; store++)
    for (unsigned i = 0; i < KEYS; i++)
      {
        const struct cell *cell = &of[store][i];
        struct engine_value value;
        failure = FAILURE_INIT;
        status result = engine_get_value (engine, NULL, stores[store], make_key (key, thread, i),
                                          &value, &failure);
        CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND
               || (fprintf (stderr, "%s: %s\n", key, failure.message), false));
        bool same = result == STATUS_NOT_FOUND
                        ? cell->number == 0
                        : cell->number != 0
                              && bytes_equal (value.data, make_value (expected, thread,
                                                                      cell->number, i, cell->size));
        uint64_t got = 0;
        if (result == STATUS_OK && value.data.size >= 8)
          memcpy (&got, value.data.data, 8);
        if (result == STATUS_OK)
          engine_value_release (&value);
        if (same)
          continue;
        snprintf (message, size, "%s in store %u is of operation %llu, not %llu", key, store,
                  (unsigned long long) got, (unsigned long long) cell->number);
        return message;
      }
  return NULL;
}

static void
verify_thread (unsigned thread)
{
  char message[200], other[200];
  if (difference (thread, known[thread], message, sizeof message) == NULL)
    return;
  picture next;
  memcpy (next, known[thread], sizeof next);
  apply (next, thread, done[thread] + 1);
  if (difference (thread, next, other, sizeof other) != NULL)
    {
      fprintf (stderr, "thread %u acknowledged %llu operations, but %s (with the next one: %s)\n",
               thread, (unsigned long long) done[thread], message, other);
      abort ();
    }
  memcpy (known[thread], next, sizeof next);
  done[thread]++;
  totals.extra++;
}

static void
verify (uint64_t round, struct random *random)
{
  struct failure failure;
  bool read_only = random_below (random, 2) == 0;
  unsigned files = count_files ();
  uint64_t started = now ();
  failure = FAILURE_INIT;
  status result
      = open_database (read_only ? ENGINE_OPEN_READ_ONLY : ENGINE_OPEN_CREATE, round, &failure);
  if (read_only && result == STATUS_NOT_FOUND) /* killed before there was anything */
    return;
  if (result != STATUS_OK)
    fprintf (stderr, "opening: %s (%s)\n", status_name (result), failure.message);
  CHECK_INT (result, STATUS_OK);
  uint64_t took = now () - started;
  CHECK (took < OPEN_LIMIT);
  totals.opens++;
  totals.sum += took;
  totals.slowest = took > totals.slowest ? took : totals.slowest;
  totals.read_only += read_only;
  totals.leftovers += !read_only && count_files () < files;
  stores[0] = ENGINE_STORE_DEFAULT;
  result = engine_store_open (engine, "second", !read_only, &stores[1], &failure);
  CHECK (result == STATUS_OK || (read_only && result == STATUS_NOT_FOUND));
  if (result == STATUS_NOT_FOUND)
    stores[1] = 1000; /* nothing in it */
  for (unsigned thread = 0; thread < THREADS; thread++)
    verify_thread (thread);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  if (round % 16 == 0 && !read_only)
    {
      struct engine_check_report report;
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK_INT (report.faults, 0);
      totals.checks++;
    }
}

/* Kills that hit the making of a database: the next attempt must succeed. */
static void
kill_creations (unsigned count, struct random *random)
{
  struct failure failure;
  for (; count > 0; count--)
    {
      path = fresh_directory ();
      for (unsigned attempt = 0; attempt < 3; attempt++)
        {
          pid_t child = fork ();
          CHECK (child >= 0);
          if (child == 0)
            child_main (count, true, false);
          usleep ((unsigned) random_below (random, 5000));
          kill (child, SIGKILL);
          CHECK (waitpid (child, NULL, 0) == child);
          totals.kills++;
          totals.openers++;
        }
      CHECK_OK (open_database (ENGINE_OPEN_CREATE, count, &failure));
      CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

int
main (int argc, char **argv)
{
  uint64_t kills = 200, seed = 1;
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      kills = 2000;
    else if (i + 1 < argc && strcmp (argv[i], "--kills") == 0)
      kills = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      seed = strtoull (argv[++i], NULL, 10);
  struct random random = { seed };
  kill_creations (kills / 20, &random);
  path = fresh_directory ();
  for (uint64_t round = 0; totals.kills < kills + kills / 20 * 3; round++)
    {
      kill_a_writer (round, &random);
      kill_openers (round, &random);
      verify (round, &random);
    }
  remove_directory (path);
  printf (
      "%llu kills (%llu of them in or right behind an open), %llu acknowledged operations, none "
      "lost, none halved; %llu had got through unacknowledged; %llu opens (%llu read-only), "
      "slowest %.1f ms, mean %.1f ms; leftovers of a flush or merge cleared in %llu; %llu deep "
      "checks\n",
      (unsigned long long) totals.kills, (unsigned long long) totals.openers,
      (unsigned long long) totals.acknowledged, (unsigned long long) totals.extra,
      (unsigned long long) totals.opens, (unsigned long long) totals.read_only,
      (double) totals.slowest / 1000, (double) totals.sum / 1000 / (double) totals.opens,
      (unsigned long long) totals.leftovers, (unsigned long long) totals.checks);
  return 0;
}
