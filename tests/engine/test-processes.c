/* SPDX-License-Identifier: MIT */
/*
 * One process writes, others read beside it and follow: what they see was committed, in order,
 * soon, and whatever ends or stops whenever, nobody is held up and nothing is left behind.
 *
 *   test-engine-processes [--long]
 */
#include "check.h"
#include "core/sharing.h"
#include "engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct failure failure;

#define TEXT(string) BYTES (string, strlen (string))
#define PATIENCE 20000000u /* microseconds after which something is not coming */

static uint64_t
now (void)
{
  struct timespec at;
  clock_gettime (CLOCK_MONOTONIC, &at);
  return (uint64_t) at.tv_sec * 1000000 + (uint64_t) at.tv_nsec / 1000;
}

static void
choose (struct engine_options *options)
{
  engine_options_init (options);
  options->memory_budget = 10 << 20;
  options->memtable_size = 128 << 10;
  options->log_segment_size = 64 << 10;
  options->segment_file_size = 256 << 10;
}

static struct engine *
open_flags (const char *path, unsigned flags)
{
  struct engine_options options;
  struct engine *engine;
  choose (&options);
  CHECK_OK (engine_open (path, flags, &options, &engine, &failure));
  return engine;
}

static struct engine *
open_writer (const char *path)
{
  return open_flags (path, ENGINE_OPEN_CREATE);
}

static struct engine *
open_reader (const char *path)
{
  return open_flags (path, ENGINE_OPEN_READ_ONLY);
}

static void
close_engine (struct engine *engine)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

static uint64_t
put (struct engine *engine, engine_store store, const char *key, const char *value)
{
  uint64_t sequence;
  CHECK_OK (engine_put (engine, store, TEXT (key), TEXT (value), ENGINE_SYNC_DEFAULT, &sequence,
                        &failure));
  return sequence;
}

/* NULL: it is not there. malloc'd. */
static char *
get_at (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
        const char *key)
{
  struct engine_value value;
  failure = FAILURE_INIT;
  status result = engine_get_value (engine, snapshot, store, TEXT (key), &value, &failure);
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    fprintf (stderr, "%s: %s\n", status_name (result), failure.message);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  if (result == STATUS_NOT_FOUND)
    return NULL;
  char *text = malloc (value.data.size + 1);
  CHECK (text != NULL);
  memcpy (text, value.data.data, value.data.size);
  text[value.data.size] = '\0';
  engine_value_release (&value);
  return text;
}

static void
expect_at (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
           const char *key, const char *expected)
{
  char *got = get_at (engine, snapshot, store, key);
  if (expected == NULL ? got != NULL : got == NULL || strcmp (got, expected) != 0)
    {
      fprintf (stderr, "%s is %.60s, not %.60s\n", key, got != NULL ? got : "absent",
               expected != NULL ? expected : "absent");
      abort ();
    }
  free (got);
}

static void
expect (struct engine *engine, engine_store store, const char *key, const char *expected)
{
  expect_at (engine, NULL, store, key, expected);
}

/* ---- awaiting ---- */

struct waiting
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool woken;
};

static void
wake_up (void *data)
{
  struct waiting *waiting = data;
  pthread_mutex_lock (&waiting->lock);
  waiting->woken = true;
  pthread_cond_signal (&waiting->changed);
  pthread_mutex_unlock (&waiting->lock);
}

/* By the listener alone. */
static bool
await_for (struct engine *engine, uint64_t sequence, uint64_t microseconds)
{
  uint64_t until = now () + microseconds;
  while (engine_sequence (engine) < sequence && now () < until)
    {
      struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
      struct timespec at;
      clock_gettime (CLOCK_REALTIME, &at);
      at.tv_sec += (time_t) (microseconds / 1000000) + 1;
      engine_await_commit (engine, sequence - 1, wake_up, &waiting);
      pthread_mutex_lock (&waiting.lock);
      while (!waiting.woken
             && pthread_cond_timedwait (&waiting.changed, &waiting.lock, &at) != ETIMEDOUT)
        ;
      pthread_mutex_unlock (&waiting.lock);
      engine_await_commit (engine, 0, NULL, NULL);
      if (!waiting.woken)
        break;
    }
  return engine_sequence (engine) >= sequence;
}

static void
await (struct engine *engine, uint64_t sequence)
{
  if (!await_for (engine, sequence, PATIENCE))
    {
      fprintf (stderr, "commit %llu does not come, %llu is the newest\n",
               (unsigned long long) sequence, (unsigned long long) engine_sequence (engine));
      abort ();
    }
}

/* ---- what is followed ---- */

/* The reader takes over what the writer made of its segments, although no commit calls for it. */
static void
expect_same_files (struct engine *reader, struct engine *writer)
{
  struct engine_statistics ours, theirs;
  uint64_t until = now () + PATIENCE;
  CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
  do
    {
      usleep (1000);
      engine_statistics (reader, &ours);
      engine_statistics (writer, &theirs);
    }
  while (ours.data_bytes != theirs.data_bytes && now () < until);
  CHECK (theirs.data_bytes > 0);
  CHECK_INT (ours.data_bytes, theirs.data_bytes);
}

/* Everything that a writer can do, seen from a reader. */
static void
test_everything (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  engine_store films, seen;
  struct engine_batch *batch;
  uint64_t sequence;
  static char large[50001];
  memset (large, 'L', 50000);
  put (writer, 1, "before", "1");
  reader = open_reader (path);
  CHECK (engine_is_read_only (reader));
  CHECK_INT (engine_sequence (reader), 1);
  expect (reader, 1, "before", "1");

  await (reader, put (writer, 1, "after", "2"));
  expect (reader, 1, "after", "2");
  CHECK_OK (engine_store_open (writer, "films", true, &films, &failure));
  await (reader, put (writer, films, "Heat", "1995"));
  CHECK_OK (engine_store_open (reader, "films", false, &seen, &failure));
  CHECK (seen == films);
  expect (reader, films, "Heat", "1995");
  await (reader, put (writer, films, "large", large));
  expect (reader, films, "large", large);
  CHECK_OK (engine_delete (writer, 1, TEXT ("before"), ENGINE_SYNC_FULL, &sequence, &failure));
  await (reader, sequence);
  expect (reader, 1, "before", NULL);

  CHECK_OK (engine_batch_new (&batch, &failure));
  for (int i = 0; i < 5000; i++)
    {
      char key[32];
      snprintf (key, sizeof key, "batch-%04d", i);
      CHECK_OK (engine_batch_put (batch, 1, TEXT (key), TEXT ("in one"), &failure));
    }
  CHECK_OK (engine_write (writer, batch, ENGINE_SYNC_ASYNC, &sequence, &failure));
  engine_batch_free (batch);
  await (reader, sequence);
  expect (reader, 1, "batch-0000", "in one");
  expect (reader, 1, "batch-4999", "in one");
  CHECK_OK (engine_flush (writer, &failure)); /* runs now, which the reader takes over */
  CHECK_OK (engine_delete_range (writer, 1, TEXT ("batch-1"), TEXT ("batch-2"), ENGINE_SYNC_ASYNC,
                                 &sequence, &failure));
  await (reader, sequence);
  expect (reader, 1, "batch-0999", "in one");
  expect (reader, 1, "batch-1000", NULL);
  expect (reader, 1, "batch-2000", "in one");

  struct engine_loader *loader;
  CHECK_OK (engine_loader_new (writer, &loader, &failure));
  for (int i = 0; i < 3000; i++)
    {
      char key[32];
      snprintf (key, sizeof key, "load-%04d", i);
      CHECK_OK (engine_loader_put (loader, films, TEXT (key), TEXT ("in bulk"), &failure));
    }
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  await (reader, sequence);
  expect (reader, films, "load-0000", "in bulk");
  expect (reader, films, "load-2999", "in bulk");

  CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
  await (reader, put (writer, 1, "after", "3"));
  expect (reader, 1, "after", "3");
  expect (reader, films, "Heat", "1995");
  expect_same_files (reader, writer);
  CHECK_OK (engine_store_drop (writer, "films", &failure));
  await (reader, engine_sequence (writer));
  expect (reader, films, "Heat", NULL);
  CHECK_INT (engine_store_open (reader, "films", false, &seen, NULL), STATUS_NOT_FOUND);
  CHECK_FAILS (engine_put (reader, 1, TEXT ("k"), TEXT ("v"), ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_READ_ONLY);
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* A snapshot, a cursor and a transaction see what they saw, whatever the writer merges away. */
static void
test_snapshots (void)
{
  char *path = fresh_directory (), key[32], old[40], fresh[40];
  struct engine *writer = open_writer (path), *reader;
  static char large[30001];
  memset (large, 'L', 30000);
  for (int i = 0; i < 2000; i++)
    {
      snprintf (key, sizeof key, "key-%04d", i);
      snprintf (old, sizeof old, "old %d", i);
      put (writer, 1, key, old);
    }
  put (writer, 1, "large", large);
  reader = open_reader (path);
  struct engine_snapshot *snapshot;
  struct engine_transaction *transaction;
  struct engine_cursor *cursor;
  CHECK_OK (engine_snapshot_new (reader, &snapshot, &failure));
  CHECK_OK (
      engine_transaction_begin (reader, ENGINE_TRANSACTION_READ_ONLY, &transaction, &failure));
  struct engine_cursor_settings settings = { .store = 1 };
  CHECK_OK (engine_cursor_new (reader, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  uint64_t sequence = 0;
  for (int round = 0; round < 5; round++)
    {
      for (int i = 0; i < 2000; i++)
        {
          snprintf (key, sizeof key, "key-%04d", i);
          snprintf (fresh, sizeof fresh, "new %d of %d", i, round);
          if (i % 3 == 0 && round == 4)
            CHECK_OK (engine_delete (writer, 1, TEXT (key), ENGINE_SYNC_ASYNC, NULL, &failure));
          else
            put (writer, 1, key, fresh);
        }
      sequence = put (writer, 1, "large", "small");
      CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
      await (reader, sequence);
    }
  await (reader, put (writer, 1, "last", "one"));
  struct engine_value value;
  for (int i = 0; i < 2000; i++)
    {
      snprintf (key, sizeof key, "key-%04d", i);
      snprintf (old, sizeof old, "old %d", i);
      snprintf (fresh, sizeof fresh, "new %d of 4", i);
      expect_at (reader, snapshot, 1, key, old);
      expect (reader, 1, key, i % 3 == 0 ? NULL : fresh);
      CHECK (engine_cursor_valid (cursor) && bytes_equal (engine_cursor_key (cursor), TEXT (key)));
      struct bytes seen;
      CHECK_OK (engine_cursor_value (cursor, &seen, &failure));
      CHECK (bytes_equal (seen, TEXT (old)));
      CHECK_OK (engine_cursor_next (cursor, &failure));
      CHECK_OK (engine_transaction_get_value (transaction, 1, TEXT (key), &value, &failure));
      CHECK (bytes_equal (value.data, TEXT (old)));
      engine_value_release (&value);
    }
  expect_at (reader, snapshot, 1, "large", large);
  expect (reader, 1, "large", "small");
  CHECK_INT (engine_snapshot_sequence (snapshot), 2001);
  engine_snapshot_free (snapshot);
  engine_transaction_free (transaction);
  close_engine (reader);
  engine_cursor_free (cursor); /* outlives it */
  close_engine (writer);
  remove_directory (path);
}

/* Feeds in a reader give what the writer commits; what is retained can be read from the past. */
static void
test_feeds (void)
{
  char *path = fresh_directory (), key[32];
  struct engine_options options;
  struct engine *writer, *reader;
  struct engine_feed *feed, *past;
  struct engine_change change;
  struct engine_value value;
  uint64_t sequence;
  static char large[20001];
  memset (large, 'L', 20000);
  choose (&options);
  options.change_retention = 64 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &writer, &failure));
  for (int i = 0; i < 4000; i++)
    {
      snprintf (key, sizeof key, "key-%d", i % 100);
      put (writer, 1, key, i % 500 == 0 ? large : "small");
    }
  CHECK_OK (engine_checkpoint (writer, &failure));
  reader = open_reader (path);
  CHECK_INT (engine_history_oldest (reader), 0);
  CHECK_OK (engine_feed_new (reader, ENGINE_FEED_NOW, &feed, &failure));
  CHECK_OK (engine_feed_new (reader, 0, &past, &failure));
  CHECK_FAILS (engine_feed_new (reader, 5000, &past, &failure), STATUS_HISTORY_GONE);
  for (uint64_t i = 1; i <= 4000; i++)
    {
      CHECK_OK (engine_feed_next_commit (past, &sequence, &failure));
      CHECK_INT (sequence, i);
      CHECK_OK (engine_feed_next_change (past, &change, &failure));
      snprintf (key, sizeof key, "key-%d", (int) (i - 1) % 100);
      CHECK (change.kind == ENGINE_CHANGE_PUT && bytes_equal (change.key, TEXT (key)));
      CHECK_OK (engine_feed_value (past, &value, &failure));
      CHECK_INT (value.data.size, (i - 1) % 500 == 0 ? 20000 : 5);
      engine_value_release (&value);
    }
  CHECK_INT (engine_feed_next_commit (past, &sequence, NULL), STATUS_NOT_FOUND);
  await (reader, put (writer, 1, "new", "one"));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, 4001);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (bytes_equal (change.key, TEXT ("new")) && bytes_equal (change.value, TEXT ("one")));
  CHECK_OK (engine_feed_next_commit (past, &sequence, &failure));
  CHECK_INT (sequence, 4001);
  close_engine (reader);
  CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CLOSED);
  engine_feed_free (feed);
  engine_feed_free (past);
  close_engine (writer);

  reader = open_flags (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC); /* the same without */
  CHECK_OK (engine_feed_new (reader, 3999, &feed, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
  engine_feed_free (feed);
  close_engine (reader);
  remove_directory (path);
}

/* Writers come and go; a reader follows from one to the next. */
static void
test_successors (void)
{
  char *path = fresh_directory (), value[32];
  struct engine *writer = open_writer (path), *reader, *still;
  put (writer, 1, "key", "0");
  close_engine (writer);
  reader = open_reader (path);
  still = open_flags (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC);
  for (int life = 1; life < 8; life++)
    {
      writer = open_writer (path);
      snprintf (value, sizeof value, "%d", life);
      uint64_t sequence = put (writer, 1, "key", value);
      if (life % 2 == 0)
        {
          await (reader, sequence);
          expect (reader, 1, "key", value);
        }
      close_engine (writer);
      await (reader, sequence); /* the last word of a life */
      expect (reader, 1, "key", value);
    }
  expect (still, 1, "key", "0");
  CHECK_INT (engine_sequence (still), 1);
  close_engine (still);
  close_engine (reader);
  remove_directory (path);
}

/* ---- processes ---- */

#define SLOTS 64u
#define READERS 4u

/* What the processes of one run share, in a file that all map. */
struct board
{
  _Atomic uint64_t acknowledged;       /* newest number that the writer was told to be committed */
  _Atomic uint64_t seen[READERS];      /* newest number of each reader */
  _Atomic uint64_t snapshots[READERS]; /* that were verified */
  _Atomic uint64_t resyncs[READERS];   /* of its feed's replica */
  _Atomic uint64_t opened;             /* when the last writer had opened, microseconds */
  _Atomic uint32_t full_speed;         /* the writer does not pause */
  _Atomic uint32_t stop;               /* all end */
};

static struct board *
board_map (const char *path)
{
  int descriptor = open (path, O_RDWR | O_CREAT, 0600);
  CHECK (descriptor >= 0 && ftruncate (descriptor, sizeof (struct board)) == 0);
  struct board *board
      = mmap (NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  CHECK (board != MAP_FAILED);
  close (descriptor);
  return board;
}

/* Runs this program again, in another role. */
static pid_t
start (const char *role, const char *path, const char *board, unsigned number)
{
  char text[16];
  snprintf (text, sizeof text, "%u", number);
  fflush (NULL);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL); /* none outlives a test that failed */
      execl ("/proc/self/exe", "test-engine-processes", role, path, board, text, (char *) NULL);
      _exit (127);
    }
  return child;
}

static void
end (pid_t child, int number)
{
  int how;
  if (number != 0)
    kill (child, number);
  CHECK (waitpid (child, &how, 0) == child);
  bool fine = number != 0 ? WIFSIGNALED (how) || (WIFEXITED (how) && WEXITSTATUS (how) == 0)
                          : WIFEXITED (how) && WEXITSTATUS (how) == 0;
  if (!fine || (WIFSIGNALED (how) && WTERMSIG (how) != number))
    {
      fprintf (stderr, "a process ended with %s %d\n", WIFSIGNALED (how) ? "signal" : "status",
               WIFSIGNALED (how) ? WTERMSIG (how) : WEXITSTATUS (how));
      abort ();
    }
}

/* Slot values follow from the number that was written. */
static struct bytes
slot_value (uint64_t number)
{
  static uint8_t bytes[20000];
  size_t size = number % 97 == 0 ? 10000 + number % 9000 : 8 + number % 150;
  for (size_t i = 0; i < size; i += 8)
    {
      uint64_t word = (number + i) * UINT64_C (0x9e3779b97f4a7c15);
      memcpy (bytes + i, &word, size - i < 8 ? size - i : 8);
    }
  return BYTES (bytes, size);
}

static void
slot_key (char key[16], uint64_t number)
{
  snprintf (key, 16, "slot-%02u", (unsigned) (number % SLOTS));
}

/* The number of the newest batch; 0 = none. */
static uint64_t
read_number (struct engine *engine, struct engine_snapshot *snapshot)
{
  uint64_t number = 0;
  size_t size;
  struct failure cause = FAILURE_INIT;
  status result
      = engine_get (engine, snapshot, 1, TEXT ("number"), &number, sizeof number, &size, &cause);
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    fprintf (stderr, "%s: %s\n", status_name (result), cause.message);
  CHECK (result == STATUS_NOT_FOUND || (result == STATUS_OK && size == sizeof number));
  return number;
}

/* Writes batch after batch: a number, its slot, and each slot deleted once in a while. */
static int
write_role (const char *path, struct board *board)
{
  struct engine *engine = NULL;
  struct engine_options options;
  choose (&options);
  for (uint64_t until = now () + PATIENCE;;)
    {
      failure = FAILURE_INIT;
      status result = engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure);
      if (result == STATUS_OK)
        break;
      if (result != STATUS_LOCKED || now () > until)
        {
          fprintf (stderr, "a writer cannot open: %s\n", failure.message);
          return 1;
        }
      usleep (1000);
    }
  atomic_store (&board->opened, now ());
  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  uint64_t number = read_number (engine, NULL);
  CHECK (number >= atomic_load (&board->acknowledged));
  while (atomic_load (&board->stop) == 0)
    {
      char key[16];
      number++;
      engine_batch_clear (batch);
      CHECK_OK (
          engine_batch_put (batch, 1, TEXT ("number"), BYTES (&number, sizeof number), &failure));
      slot_key (key, number);
      CHECK_OK (engine_batch_put (batch, 1, TEXT (key), slot_value (number), &failure));
      enum engine_sync sync = number % 500 == 0 ? ENGINE_SYNC_FULL
                              : number % 3 == 0 ? ENGINE_SYNC_NONE
                                                : ENGINE_SYNC_ASYNC;
      CHECK_OK (engine_write (engine, batch, sync, NULL, &failure));
      atomic_store (&board->acknowledged, number);
      if (number % 20000 == 0)
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      if (atomic_load (&board->full_speed) == 0 && number % 50 == 0)
        usleep (1000);
    }
  engine_batch_free (batch);
  close_engine (engine);
  return 0;
}

/* All of a snapshot: each slot holds what the newest number for it left there. */
static void
verify_snapshot (struct engine *engine, struct engine_snapshot *snapshot, uint64_t number)
{
  for (uint64_t slot = 0; slot < SLOTS; slot++)
    {
      uint64_t expected = number - (number - slot) % SLOTS; /* the newest with this remainder */
      char key[16];
      struct engine_value value;
      slot_key (key, slot);
      failure = FAILURE_INIT;
      status result = engine_get_value (engine, snapshot, 1, TEXT (key), &value, &failure);
      if (number < slot || expected == 0)
        {
          CHECK_INT (result, STATUS_NOT_FOUND);
          continue;
        }
      if (result != STATUS_OK || !bytes_equal (value.data, slot_value (expected)))
        {
          fprintf (stderr, "%s at number %llu: %s (%s), not what %llu wrote\n", key,
                   (unsigned long long) number, status_name (result), failure.message,
                   (unsigned long long) expected);
          abort ();
        }
      engine_value_release (&value);
    }
}

/* A replica of the numbers in slots, kept by a feed. */
struct replica
{
  struct engine_feed *feed;
  uint64_t number; /* the newest */
  uint64_t sums[SLOTS];
};

static uint64_t
sum_of (struct bytes value)
{
  uint64_t sum = value.size;
  for (size_t i = 0; i < value.size; i++)
    sum = (sum ^ value.data[i]) * UINT64_C (1099511628211);
  return sum;
}

static void
replica_copy (struct replica *replica, struct engine *engine, struct engine_snapshot *snapshot)
{
  struct engine_value value;
  char key[16];
  replica->number = read_number (engine, snapshot);
  for (unsigned slot = 0; slot < SLOTS; slot++)
    {
      slot_key (key, slot);
      status result = engine_get_value (engine, snapshot, 1, TEXT (key), &value, NULL);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
      replica->sums[slot] = result == STATUS_OK ? sum_of (value.data) : 0;
      if (result == STATUS_OK)
        engine_value_release (&value);
    }
}

/* False: a value is no longer kept. */
static bool
replica_apply (struct replica *replica, struct engine_feed *feed)
{
  struct engine_change change;
  struct failure cause = FAILURE_INIT;
  status result;
  while ((result = engine_feed_next_change (feed, &change, &cause)) == STATUS_OK)
    {
      struct engine_value value;
      unsigned slot;
      char text[16] = "";
      CHECK (change.kind == ENGINE_CHANGE_PUT && change.key.size < sizeof text);
      memcpy (text, change.key.data, change.key.size);
      result = engine_feed_value (feed, &value, &cause);
      if (result == STATUS_HISTORY_GONE)
        return false;
      CHECK (result == STATUS_OK);
      if (sscanf (text, "slot-%u", &slot) == 1)
        replica->sums[slot] = sum_of (value.data);
      else
        memcpy (&replica->number, value.data.data, sizeof replica->number);
      engine_value_release (&value);
    }
  CHECK (result == STATUS_NOT_FOUND);
  return true;
}

/* Brings the replica to the snapshot, by the feed, or anew when that fell behind. Whether by the
 * feed. */
static bool
replica_follow (struct replica *replica, struct engine *engine, struct engine_snapshot *snapshot)
{
  uint64_t goal = engine_snapshot_sequence (snapshot), sequence;
  struct failure cause = FAILURE_INIT;
  bool whole = replica->feed != NULL;
  while (whole && engine_feed_position (replica->feed) < goal)
    {
      status result = engine_feed_next_commit (replica->feed, &sequence, &cause);
      whole = result == STATUS_OK && replica_apply (replica, replica->feed);
      if (result != STATUS_OK && result != STATUS_HISTORY_GONE)
        fprintf (stderr, "a reader's feed: %s (%s)\n", status_name (result), cause.message);
      CHECK (result == STATUS_OK || result == STATUS_HISTORY_GONE);
    }
  if (whole)
    return true;
  engine_feed_free (replica->feed);
  replica->feed = NULL;
  failure = FAILURE_INIT;
  status result = engine_feed_new (engine, goal, &replica->feed, &failure);
  CHECK (result == STATUS_OK || result == STATUS_HISTORY_GONE);
  replica_copy (replica, engine, snapshot);
  return false;
}

/* Reads snapshot after snapshot, each whole, each as new as the one before at least. */
static int
read_role (const char *path, struct board *board, unsigned number)
{
  struct engine *engine = open_reader (path);
  struct replica replica = { .feed = NULL }, other = { .feed = NULL };
  uint64_t before = 0, sequence_before = 0;
  while (atomic_load (&board->stop) == 0)
    {
      struct engine_snapshot *snapshot;
      await_for (engine, sequence_before + 1, 50000);
      CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
      uint64_t seen = read_number (engine, snapshot),
               sequence = engine_snapshot_sequence (snapshot);
      CHECK (seen >= before && sequence >= sequence_before);
      CHECK (seen > 0 || sequence == 0);
      before = seen;
      sequence_before = sequence;
      verify_snapshot (engine, snapshot, seen);
      if (!replica_follow (&replica, engine, snapshot))
        atomic_fetch_add (&board->resyncs[number], 1);
      else
        {
          replica_copy (&other, engine, snapshot);
          CHECK (replica.number == other.number
                 && memcmp (replica.sums, other.sums, sizeof other.sums) == 0);
        }
      engine_snapshot_free (snapshot);
      atomic_store (&board->seen[number], seen);
      atomic_fetch_add (&board->snapshots[number], 1);
    }
  engine_feed_free (replica.feed);
  close_engine (engine);
  return 0;
}

static uint64_t
next_random (uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static uint64_t
await_seen (struct board *board, unsigned reader, uint64_t number)
{
  uint64_t until = now () + PATIENCE;
  while (atomic_load (&board->seen[reader]) < number && now () < until)
    usleep (500);
  return atomic_load (&board->seen[reader]);
}

/* One writer and four readers; each is killed, or stopped for a while, at random. Whoever is killed
 * gets a successor. */
static void
test_kills (unsigned kills)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  uint64_t random = UINT64_C (88172645463325252), worst_open = 0;
  unsigned killed_writers = 0, stopped = 0;
  pid_t writer, readers[READERS];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  writer = start ("--writer", path, file, 0);
  while (atomic_load (&board->acknowledged) == 0)
    usleep (1000);
  for (unsigned i = 0; i < READERS; i++)
    readers[i] = start ("--reader", path, file, i);
  for (unsigned i = 0; i < kills; i++)
    {
      unsigned victim = (unsigned) (next_random (&random) % (READERS + 1));
      pid_t *child = victim == READERS ? &writer : &readers[victim];
      atomic_store (&board->full_speed, next_random (&random) % 2);
      usleep ((useconds_t) (next_random (&random) % 15000));
      if (next_random (&random) % 3 == 0)
        {
          kill (*child, SIGSTOP);
          stopped++;
          usleep ((useconds_t) (next_random (&random) % 40000));
          if (next_random (&random) % 2 == 0)
            {
              kill (*child, SIGCONT);
              continue;
            }
        }
      end (*child, SIGKILL);
      if (victim == READERS)
        {
          uint64_t began = now ();
          killed_writers++;
          atomic_store (&board->opened, 0);
          writer = start ("--writer", path, file, 0);
          while (atomic_load (&board->opened) == 0 && now () < began + PATIENCE)
            usleep (200);
          CHECK (atomic_load (&board->opened) != 0);
          uint64_t took = now () - began;
          worst_open = took > worst_open ? took : worst_open;
        }
      else
        {
          atomic_store (&board->seen[victim], 0);
          readers[victim] = start ("--reader", path, file, victim);
        }
    }
  uint64_t goal = atomic_load (&board->acknowledged);
  for (unsigned i = 0; i < READERS; i++)
    CHECK (await_seen (board, i, goal) >= goal);
  atomic_store (&board->stop, 1);
  end (writer, 0);
  for (unsigned i = 0; i < READERS; i++)
    end (readers[i], 0);
  struct engine *engine = open_flags (path, 0);
  CHECK (read_number (engine, NULL) >= atomic_load (&board->acknowledged));
  close_engine (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  uint64_t snapshots = 0, resyncs = 0;
  for (unsigned i = 0; i < READERS; i++)
    {
      snapshots += board->snapshots[i];
      resyncs += board->resyncs[i];
    }
  printf ("%u kills (%u of the writer, whose successors were there within %llu ms), %u stops: %llu "
          "commits, %llu snapshots verified, %llu replicas begun anew\n",
          kills, killed_writers, (unsigned long long) worst_open / 1000, stopped,
          (unsigned long long) board->acknowledged, (unsigned long long) snapshots,
          (unsigned long long) resyncs);
  CHECK (snapshots > kills);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* ---- how soon ---- */

static int
time_role (const char *path, struct board *board)
{
  struct engine *engine = open_writer (path);
  while (atomic_load (&board->stop) == 0)
    {
      bool full_speed = atomic_load (&board->full_speed) != 0;
      if (!full_speed)
        usleep (20000 + (useconds_t) (now () % 7000));
      uint64_t at = now ();
      CHECK_OK (engine_put (engine, 1, TEXT ("time"), BYTES (&at, sizeof at), ENGINE_SYNC_ASYNC,
                            NULL, &failure));
      atomic_fetch_add (&board->acknowledged, 1);
    }
  close_engine (engine);
  return 0;
}

static int
compare_numbers (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
  return (a > b) - (a < b);
}

#define SAMPLES 80u

static void
print_latency (struct engine *engine, const char *what)
{
  uint64_t samples[SAMPLES];
  for (unsigned i = 0; i < SAMPLES; i++)
    {
      uint64_t at;
      size_t size;
      await (engine, engine_sequence (engine) + 1);
      CHECK_OK (engine_get (engine, NULL, 1, TEXT ("time"), &at, sizeof at, &size, &failure));
      samples[i] = now () - at;
    }
  qsort (samples, SAMPLES, sizeof *samples, compare_numbers);
  printf ("%s: visible in the reader after %llu µs (median), %llu µs (99 of 100)\n", what,
          (unsigned long long) samples[SAMPLES / 2],
          (unsigned long long) samples[SAMPLES * 99 / 100]);
}

static void
test_latency (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t writer = start ("--timer", path, file, 0);
  while (atomic_load (&board->acknowledged) == 0)
    usleep (1000);
  struct engine *engine = open_reader (path);
  print_latency (engine, "isolated commits");
  atomic_store (&board->full_speed, 1);
  print_latency (engine, "at full speed");
  close_engine (engine);
  atomic_store (&board->stop, 1);
  end (writer, 0);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* ---- waiting to write ---- */

struct turn_taking
{
  struct engine_turn *turn;
  const char *path;
  struct engine *engine; /* NULL: it was cancelled */
  _Atomic uint64_t at;   /* when it was taken */
};

static void *
take_turn (void *data)
{
  struct turn_taking *taking = data;
  struct engine_options options;
  struct failure cause;
  choose (&options);
  for (;;)
    {
      cause = FAILURE_INIT;
      status result = engine_open (taking->path, 0, &options, &taking->engine, &cause);
      if (result == STATUS_OK)
        break;
      CHECK_INT (result, STATUS_LOCKED);
      result = engine_turn_wait (taking->turn, &cause);
      CHECK (result == STATUS_OK || result == STATUS_CANCELLED);
      if (result == STATUS_CANCELLED)
        return NULL;
    }
  atomic_store (&taking->at, now ());
  return NULL;
}

static void
begin_turn (struct turn_taking *taking, const char *path, pthread_t *thread)
{
  taking->path = path;
  taking->engine = NULL;
  atomic_store (&taking->at, 0);
  CHECK_OK (engine_turn_new (path, NULL, &taking->turn, &failure));
  CHECK (pthread_create (thread, NULL, take_turn, taking) == 0);
}

/* ---- at rest ---- */

/* How often this process's threads went to sleep or were interrupted, all together. */
static uint64_t
count_switches (void)
{
  uint64_t sum = 0;
  DIR *tasks = opendir ("/proc/self/task");
  CHECK (tasks != NULL);
  for (struct dirent *entry; (entry = readdir (tasks)) != NULL;)
    {
      char name[64], line[128];
      if (entry->d_name[0] == '.' || atoi (entry->d_name) == getpid ())
        continue;
      snprintf (name, sizeof name, "/proc/self/task/%.20s/status", entry->d_name);
      FILE *file = fopen (name, "r");
      unsigned long long count;
      while (file != NULL && fgets (line, sizeof line, file) != NULL)
        if (sscanf (line, "voluntary_ctxt_switches: %llu", &count) == 1)
          sum += count;
      if (file != NULL)
        fclose (file);
    }
  closedir (tasks);
  return sum;
}

/* A writer, its reader and one who waits to write, when nothing is committed: no thread runs. (But
 * that of ThreadSanitizer, which wakes up ten times a second.) */
static void
test_rest (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader = open_reader (path);
  struct turn_taking taking;
  pthread_t thread;
  begin_turn (&taking, path, &thread);
  await (reader, put (writer, 1, "key", "value"));
  uint64_t before = 0, after = 1;
  for (uint64_t until = now () + PATIENCE; before != after && now () < until;)
    {
      before = count_switches (); /* the log's timer, and settling, come to an end */
      usleep (1000000);
      after = count_switches ();
    }
  CHECK_INT (after, before);
  close_engine (reader);
  await_for (writer, 2, 1000);
  for (uint64_t until = now () + PATIENCE; now () < until;)
    {
      before = count_switches ();
      usleep (500000);
      after = count_switches ();
      if (before == after)
        break;
    }
  CHECK_INT (after, before);
  close_engine (writer);
  pthread_join (thread, NULL);
  close_engine (taking.engine);
  engine_turn_free (taking.turn);
  remove_directory (path);
}

/* ---- ill will and ill luck ---- */

static bool vandal_stops;

/* Another process of the same user does what it likes to the page. */
static void *
vandal_main (void *data)
{
  int descriptor = open (data, O_RDWR);
  uint64_t random = 12345;
  CHECK (descriptor >= 0);
  while (!__atomic_load_n (&vandal_stops, __ATOMIC_RELAXED))
    {
      uint64_t draw = next_random (&random), word = next_random (&random);
      if (draw % 50 == 0)
        CHECK (ftruncate (descriptor, (off_t) (draw >> 8) % 3 * 2048) == 0);
      else if (draw % 5 == 0)
        CHECK (pwrite (descriptor, &word, 8, (off_t) (draw >> 8) % 128) == 8);
      else
        CHECK (pwrite (descriptor, &word, 4, (off_t) SHARED_CHANGE + (draw >> 8) % 2 * 4) == 4);
      if (draw % 7 == 0)
        usleep (500);
    }
  close (descriptor);
  return NULL;
}

static void
test_vandal (void)
{
  char *path = fresh_directory (), page[600], value[32];
  struct engine *writer = open_writer (path), *reader;
  pthread_t vandal;
  snprintf (page, sizeof page, "%s/%s", path, SHARED_PAGE_NAME);
  reader = open_reader (path);
  CHECK (pthread_create (&vandal, NULL, vandal_main, page) == 0);
  uint64_t before = 0;
  for (int i = 0; i < 3000; i++)
    {
      snprintf (value, sizeof value, "%d", i);
      put (writer, 1, "key", value);
      uint64_t sequence = engine_sequence (reader);
      CHECK (sequence >= before);
      before = sequence;
      if (i % 500 == 0)
        {
          CHECK_OK (engine_flush (writer, &failure));
          struct engine *other = open_reader (path);
          close_engine (other);
        }
      if (i % 10 == 0)
        usleep (300);
    }
  __atomic_store_n (&vandal_stops, true, __ATOMIC_RELAXED);
  pthread_join (vandal, NULL);
  usleep (1100000); /* both look again, a second after they found the page cut */
  await (reader, put (writer, 1, "key", "at last"));
  expect (reader, 1, "key", "at last");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* Threads ("task") or descriptors ("fd") of this process. */
static unsigned
count_own (const char *what)
{
  char path[32];
  unsigned count = 0;
  snprintf (path, sizeof path, "/proc/self/%s", what);
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  while (readdir (directory) != NULL)
    count++;
  closedir (directory);
  return count;
}

/* Readers leave nothing behind, and hold no more files open than there are to be read. */
static void
test_leaks (void)
{
  char *path = fresh_directory (), key[32];
  struct engine *writer = open_writer (path), *reader;
  put (writer, 1, "first", "one");
  reader = open_reader (path);
  await (reader, put (writer, 1, "second", "one"));
  close_engine (reader);
  unsigned descriptors = count_own ("fd"), threads = count_own ("task");
  for (int round = 0; round < 20; round++)
    {
      reader = open_reader (path);
      uint64_t sequence = 0;
      for (int i = 0; i < 500; i++)
        {
          snprintf (key, sizeof key, "key-%d", i);
          sequence = put (writer, 1, key, "some value that takes a little room in the memtable");
        }
      CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
      await (reader, sequence);
      struct engine_statistics statistics;
      engine_statistics (reader, &statistics);
      CHECK (statistics.memory_used <= statistics.memory_budget);
      CHECK (statistics.descriptors < 60);
      close_engine (reader);
      CHECK_INT (count_own ("task"), threads);
    }
  CHECK_OK (engine_wait_settled (writer, PATIENCE, &failure));
  CHECK (count_own ("fd") <= descriptors + 12); /* the writer's own log and segments */
  close_engine (writer);
  remove_directory (path);
}

/* A writer that is stopped delays nobody but by the second that an open waits for an answer; one
 * that is killed left all it committed. */
static void
test_stopped_writer (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t writer = start ("--writer", path, file, 0);
  while (atomic_load (&board->acknowledged) < 3000)
    usleep (1000);
  struct engine *follower = open_reader (path), *late;
  kill (writer, SIGSTOP);
  usleep (50000);
  uint64_t acknowledged = atomic_load (&board->acknowledged);
  late = open_reader (path);
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_snapshot_new (late, &snapshot, &failure));
  verify_snapshot (late, snapshot, read_number (late, snapshot));
  engine_snapshot_free (snapshot);
  kill (writer, SIGKILL);
  end (writer, 0 + SIGKILL);
  struct engine *readers[] = { follower, late };
  for (int i = 0; i < 2; i++)
    {
      for (uint64_t until = now () + PATIENCE;
           read_number (readers[i], NULL) < acknowledged && now () < until;)
        usleep (1000);
      CHECK (read_number (readers[i], NULL) >= acknowledged);
      CHECK_OK (engine_snapshot_new (readers[i], &snapshot, &failure));
      verify_snapshot (readers[i], snapshot, read_number (readers[i], snapshot));
      engine_snapshot_free (snapshot);
      close_engine (readers[i]);
    }
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* What happens to a database that is destroyed, or replaced, is none of what a reader has open. */
static void
test_destroyed (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  put (writer, 1, "key", "value");
  CHECK_OK (engine_flush (writer, &failure));
  reader = open_reader (path);
  close_engine (writer);
  CHECK_OK (engine_destroy (path, NULL, &failure));
  expect (reader, 1, "key", "value");
  writer = open_writer (path); /* another one */
  put (writer, 1, "key", "other");
  usleep (30000);
  expect (reader, 1, "key", "value");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

static void
test_fork (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader = open_reader (path);
  await (reader, put (writer, 1, "key", "1"));
  pid_t child = fork ();
  if (child == 0)
    {
      size_t size;
      CHECK_FAILS (engine_get (reader, NULL, 1, TEXT ("key"), NULL, 0, &size, &failure),
                   STATUS_FORKED);
      engine_unref (reader);
      engine_unref (writer);
      usleep (200000); /* outlives the parent's closing: none of its locks may be here */
      _exit (0);
    }
  await (reader, put (writer, 1, "key", "2"));
  uint64_t sequence = engine_sequence (writer);
  close_engine (writer);
  writer = open_writer (path);
  CHECK_INT (put (writer, 1, "key", "3"), sequence + 1);
  await (reader, sequence + 1);
  expect (reader, 1, "key", "3");
  close_engine (reader);
  close_engine (writer);
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how) && WEXITSTATUS (how) == 0);
  remove_directory (path);
}

/* ---- where it is read ---- */

/* Runs `body` in a child with its own mounts and process numbers, as a sandbox has them; what it
 * returns is the child's status. False where the system does not let us. */
static bool
run_in_namespace (int (*body) (const char *path), const char *path)
{
#ifdef __SANITIZE_THREAD__ /* it lets no forked child have threads */
  return false;
#endif
  fflush (NULL);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      if (unshare (CLONE_NEWPID | CLONE_NEWNS) != 0
          && unshare (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0)
        _exit (77);
      mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
      pid_t inner = fork (); /* the first process of the new numbers */
      if (inner == 0)
        _exit (body (path));
      int how;
      _exit (waitpid (inner, &how, 0) == inner && WIFEXITED (how) ? WEXITSTATUS (how) : 1);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how));
  if (WEXITSTATUS (how) == 77)
    return false;
  CHECK_INT (WEXITSTATUS (how), 0);
  return true;
}

/* Follows the parent's commits up to the key "end". */
static int
follow_to_end (const char *path)
{
  struct engine *engine = open_reader (path);
  char *end = NULL;
  for (uint64_t until = now () + PATIENCE; end == NULL && now () < until;)
    {
      await_for (engine, engine_sequence (engine) + 1, 1000000);
      end = get_at (engine, NULL, 1, "end");
    }
  int result = end == NULL;
  free (end);
  close_engine (engine);
  return result;
}

static int
follow_in_sandbox (const char *path)
{
  CHECK_INT (getpid (), 1);
  return follow_to_end (path);
}

/* The same where the directory is mounted for reading only: nothing can be written, all is
 * followed. */
static int
follow_read_only_mount (const char *path)
{
  if (mount (path, path, NULL, MS_BIND, NULL) != 0
      || mount (NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
    return 77;
  char file[600];
  snprintf (file, sizeof file, "%s/new", path);
  CHECK (open (file, O_RDWR | O_CREAT, 0600) < 0 && errno == EROFS);
  return follow_to_end (path);
}

struct writing
{
  struct engine *engine;
  _Atomic bool done;
};

static void *
write_slowly (void *data)
{
  struct writing *writing = data;
  struct failure cause = FAILURE_INIT;
  char value[32];
  for (int i = 0; !atomic_load (&writing->done); i++)
    {
      snprintf (value, sizeof value, "%d", i);
      const char *key = i >= 200 ? "end" : "key";
      CHECK (
          engine_put (writing->engine, 1, TEXT (key), TEXT (value), ENGINE_SYNC_ASYNC, NULL, &cause)
          == STATUS_OK);
      usleep (2000);
    }
  return NULL;
}

static void
test_sandbox (const char *what, int (*body) (const char *path))
{
  char *path = fresh_directory ();
  struct writing writing = { .engine = open_writer (path) };
  pthread_t thread;
  CHECK (pthread_create (&thread, NULL, write_slowly, &writing) == 0);
  bool ran = run_in_namespace (body, path);
  atomic_store (&writing.done, true);
  pthread_join (thread, NULL);
  printf ("%s: %s\n", what, ran ? "followed" : "not tried here: it is not allowed");
  close_engine (writing.engine);
  remove_directory (path);
}

/* Read-only media: as they are. */
static int
read_medium (const char *path)
{
  char medium[600], command[1400];
  snprintf (medium, sizeof medium, "%s-medium", path);
  CHECK (mkdir (medium, 0700) == 0);
  if (mount ("none", medium, "tmpfs", 0, NULL) != 0)
    {
      rmdir (medium);
      return 77;
    }
  snprintf (command, sizeof command, "cp -r '%s' '%s/copy'", path, medium);
  CHECK (system (command) == 0
         && mount ("none", medium, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
  snprintf (command, sizeof command, "%s/copy", medium);
  struct engine *engine = open_reader (command);
  expect (engine, 1, "key", "value");
  expect (engine, 1, "logged", "only");
  CHECK (!await_for (engine, engine_sequence (engine) + 1, 20000));
  close_engine (engine);
  umount2 (medium, MNT_DETACH);
  rmdir (medium);
  return 0;
}

static void
test_medium (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path);
  put (writer, 1, "key", "value");
  CHECK_OK (engine_checkpoint (writer, &failure));
  put (writer, 1, "logged", "only");
  bool ran = run_in_namespace (read_medium, path); /* a copy as a crash leaves it */
  printf ("a read-only medium: %s\n", ran ? "read" : "not tried here: it is not allowed");
  close_engine (writer);
  remove_directory (path);
}

static status
open_with_other_table (const struct vfs *vfs, const char *path, bool create,
                       struct vfs_directory **out, struct failure *cause)
{
  status result = vfs_posix ()->directory_open (vfs_posix (), path, create, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = vfs;
  return result;
}

/* Commits that wait for the disk. */
static _Atomic bool sync_held, sync_waits;

static status
sync_slowly (struct vfs_file *file, struct failure *cause)
{
  while (atomic_load (&sync_held) && strstr (file->name, ".log") != NULL)
    {
      atomic_store (&sync_waits, true);
      usleep (500);
    }
  return vfs_posix ()->sync_data (file, cause);
}

static status
open_slow (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  status result = vfs_posix ()->open (directory, name, flags, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = directory->vfs;
  return result;
}

static void *
put_durably (void *data)
{
  struct failure cause = FAILURE_INIT;
  CHECK_OK (engine_put (data, 1, TEXT ("key"), TEXT ("durable"), ENGINE_SYNC_FULL, NULL, &cause));
  return NULL;
}

/* What is not durable yet, and so not visible to the writer, no reader sees either, though the log
 * has it. */
static void
test_undurable (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *writer, *reader;
  struct vfs slow = *vfs_posix ();
  pthread_t thread;
  slow.directory_open = open_with_other_table;
  slow.open = open_slow;
  slow.sync_data = sync_slowly;
  choose (&options);
  options.vfs = &slow;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &writer, &failure));
  put (writer, 1, "key", "before");
  atomic_store (&sync_held, true);
  CHECK (pthread_create (&thread, NULL, put_durably, writer) == 0);
  while (!atomic_load (&sync_waits))
    usleep (500);
  usleep (20000); /* by now it is in the log, whoever waits for the disk */
  reader = open_reader (path);
  CHECK_INT (engine_sequence (writer), 1);
  CHECK_INT (engine_sequence (reader), 1);
  expect (reader, 1, "key", "before");
  atomic_store (&sync_held, false);
  pthread_join (thread, NULL);
  await (reader, 2);
  expect (reader, 1, "key", "durable");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

static enum vfs_reach reach; /* of the directories of test_network */

static enum vfs_reach
reach_out (struct vfs_directory *directory, const char **file_system)
{
  (void) directory;
  *file_system = "a network";
  return reach;
}

/* Where a reader would not see what others write it is told so, and may read what is there. */
static void
test_network (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct vfs network = *vfs_posix ();
  network.directory_open = open_with_other_table;
  network.reach = reach_out;
  choose (&options);
  options.vfs = &network;
  reach = VFS_REACH_NETWORK;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure),
               STATUS_UNSUPPORTED);
  CHECK (strstr (failure.message, "(a network)") != NULL);
  reach = VFS_REACH_LAYERED; /* written by programs of one system, seen by who comes the same way */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put (engine, 1, "key", "value");
  close_engine (engine);
  for (reach = VFS_REACH_LAYERED; reach <= VFS_REACH_NETWORK; reach++)
    {
      CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
                   STATUS_UNSUPPORTED);
      CHECK (strstr (failure.message, "(a network)") != NULL);
    }
  reach = VFS_REACH_NETWORK;
  CHECK_OK (
      engine_open (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, &options, &engine, &failure));
  expect (engine, 1, "key", "value");
  close_engine (engine);

  struct engine *reader;
  options.network_allowed = true; /* told otherwise */
  CHECK_OK (engine_open (path, 0, &options, &engine, &failure));
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  await (reader, put (engine, 1, "key", "followed"));
  expect (reader, 1, "key", "followed");
  close_engine (reader);
  close_engine (engine);
  remove_directory (path);
}

/* Readers wait to write: until the writer closes, or is killed, or they give up; one after the
 * other; also when somebody deletes LOCK under the writer. */
static void
test_turns (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  struct turn_taking taking[3];
  pthread_t threads[3];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t child = start ("--writer", path, file, 0);
  while (atomic_load (&board->acknowledged) < 100)
    usleep (1000);
  struct engine *reader = open_reader (path);
  for (int i = 0; i < 3; i++)
    begin_turn (&taking[i], path, &threads[i]);
  usleep (100000);
  uint64_t acknowledged = atomic_load (&board->acknowledged);
  engine_turn_cancel (taking[2].turn);
  pthread_join (threads[2], NULL);
  CHECK (taking[2].engine == NULL);
  uint64_t killed = now ();
  end (child, SIGKILL);
  for (uint64_t until = now () + PATIENCE;
       atomic_load (&taking[0].at) == 0 && atomic_load (&taking[1].at) == 0 && now () < until;)
    usleep (100);
  int first = atomic_load (&taking[0].at) != 0 ? 0 : 1;
  CHECK (atomic_load (&taking[first].at) != 0 && atomic_load (&taking[1 - first].at) == 0);
  pthread_join (threads[first], NULL);
  printf ("a killed writer's successor was there after %llu ms\n",
          (unsigned long long) (taking[first].at - killed) / 1000);
  CHECK (read_number (taking[first].engine, NULL) >= acknowledged);
  uint64_t sequence = put (taking[first].engine, 1, "turn", "first");
  await (reader, sequence);
  expect (reader, 1, "turn", "first");
  snprintf (file, sizeof file, "%s/LOCK", path);
  CHECK (unlink (file) == 0); /* its other lock, and the lock of its life, do */
  usleep (50000);
  CHECK (atomic_load (&taking[1 - first].at) == 0);
  close_engine (taking[first].engine);
  pthread_join (threads[1 - first], NULL);
  await (reader, put (taking[1 - first].engine, 1, "turn", "second"));
  expect (reader, 1, "turn", "second");
  close_engine (taking[1 - first].engine);
  for (int i = 0; i < 3; i++)
    engine_turn_free (taking[i].turn);
  close_engine (reader);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* Without arguments the short form; --long: 2,000 kills. The others are for its own processes. */
int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "--writer") == 0)
    return write_role (argv[2], board_map (argv[3]));
  if (argc == 5 && strcmp (argv[1], "--reader") == 0)
    return read_role (argv[2], board_map (argv[3]), (unsigned) atoi (argv[4]));
  if (argc == 5 && strcmp (argv[1], "--timer") == 0)
    return time_role (argv[2], board_map (argv[3]));
  bool is_long = argc == 2 && strcmp (argv[1], "--long") == 0;
  if (argc != 1 && !is_long)
    {
      fprintf (stderr, "usage: %s [--long]\n", argv[0]);
      return 2;
    }
  test_everything ();
  test_snapshots ();
  test_feeds ();
  test_successors ();
#ifndef __SANITIZE_THREAD__
  test_rest ();
#else
  (void) test_rest;
#endif
  test_vandal ();
  test_leaks ();
  test_stopped_writer ();
  test_destroyed ();
  test_fork ();
  test_sandbox ("another process numbering", follow_in_sandbox);
  test_sandbox ("a mount for reading only", follow_read_only_mount);
  test_medium ();
  test_network ();
  test_undurable ();
  test_turns ();
  test_latency ();
  test_kills (is_long ? 2000 : 60);
  return 0;
}
