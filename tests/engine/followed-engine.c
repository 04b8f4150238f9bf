/* SPDX-License-Identifier: MIT */
#include "followed-engine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

struct failure failure;

uint64_t
now (void)
{
  struct timespec at;
  clock_gettime (CLOCK_MONOTONIC, &at);
  return (uint64_t) at.tv_sec * 1000000 + (uint64_t) at.tv_nsec / 1000;
}

void
choose (struct engine_options *options)
{
  engine_options_init (options);
  options->memory_budget = 10 << 20;
  options->memtable_size = 128 << 10;
  options->log_segment_size = 64 << 10;
  options->segment_file_size = 256 << 10;
}

struct engine *
open_flags (const char *path, unsigned flags)
{
  struct engine_options options;
  struct engine *engine;
  choose (&options);
  CHECK_OK (engine_open (path, flags, &options, &engine, &failure));
  return engine;
}

struct engine *
open_writer (const char *path)
{
  return open_flags (path, ENGINE_OPEN_CREATE);
}

struct engine *
open_reader (const char *path)
{
  return open_flags (path, ENGINE_OPEN_READ_ONLY);
}

void
close_engine (struct engine *engine)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

uint64_t
put (struct engine *engine, engine_store store, const char *key, const char *value)
{
  uint64_t sequence;
  CHECK_OK (engine_put (engine, store, TEXT (key), TEXT (value), ENGINE_SYNC_DEFAULT, &sequence,
                        &failure));
  return sequence;
}

char *
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

void
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

void
expect (struct engine *engine, engine_store store, const char *key, const char *expected)
{
  expect_at (engine, NULL, store, key, expected);
}

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

bool
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

void
await (struct engine *engine, uint64_t sequence)
{
  if (!await_for (engine, sequence, PATIENCE))
    {
      fprintf (stderr, "commit %llu does not come, %llu is the newest\n",
               (unsigned long long) sequence, (unsigned long long) engine_sequence (engine));
      abort ();
    }
}

struct board *
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

pid_t
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

void
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

struct bytes
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

void
slot_key (char key[16], uint64_t number)
{
  snprintf (key, 16, "slot-%02u", (unsigned) (number % SLOTS));
}

uint64_t
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

void
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

uint64_t
next_random (uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

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

void
begin_turn (struct turn_taking *taking, const char *path, pthread_t *thread)
{
  taking->path = path;
  taking->engine = NULL;
  atomic_store (&taking->at, 0);
  CHECK_OK (engine_turn_new (path, NULL, &taking->turn, &failure));
  CHECK (pthread_create (thread, NULL, take_turn, taking) == 0);
}
