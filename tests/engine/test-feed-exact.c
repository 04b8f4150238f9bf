/* SPDX-License-Identifier: MIT */
/* A feed beside writers, flushes and checkpoints, each commit held against what was written. */
#include "fed-engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define WRITERS 3u
#define COMMITS_MOST 4000000u
#define KEYS 500u
#define LAG_MOST 100u /* commits that the feed may be behind: no more than the log keeps for it */

/* What the commits of a run said, by number: a hash of each one's operations in order. */
struct history
{
  struct engine *engine;
  engine_store stores[2];
  enum engine_sync sync;    /* DEFAULT: each at random */
  unsigned commits;         /* a writer makes */
  uint64_t *said;           /* by sequence; 0: nothing */
  _Atomic uint64_t given;   /* the newest commit that the feed gave */
  _Atomic unsigned writers; /* still at work */
  unsigned seed;
};

static uint64_t
mix (uint64_t hash, const void *data, size_t size)
{
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * UINT64_C (1099511628211);
  return hash;
}

static uint64_t
mix_change (uint64_t hash, unsigned kind, engine_store store, struct bytes key, struct bytes second)
{
  uint64_t numbers[] = { kind, store, key.size, second.size };
  hash = mix (hash, numbers, sizeof numbers);
  hash = mix (hash, key.data, key.size);
  return mix (hash, second.data, second.size);
}

static uint64_t
next_random (uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

struct writer
{
  struct history *history;
  unsigned number;
};

/* One random operation, into the batch and the hash. */
static uint64_t
add_operation (struct history *history, struct engine_batch *batch, uint64_t *random, uint64_t hash,
               bool *ranged)
{
  static const uint8_t filler[20000];
  struct failure cause = FAILURE_INIT;
  char key[32], end[32];
  uint8_t value[20000];
  uint64_t draw = next_random (random);
  engine_store store = history->stores[draw & 1];
  snprintf (key, sizeof key, "key-%04u", (unsigned) (draw >> 8) % KEYS);
  if (draw % 16 < 12)
    {
      size_t size = draw % 199 == 0 ? 10000 + (draw >> 20) % 10000 : (draw >> 20) % 100;
      memcpy (value, filler, size);
      memcpy (value, random, size < 8 ? size : 8);
      CHECK (engine_batch_put (batch, store, TEXT (key), BYTES (value, size), &cause) == STATUS_OK);
      return mix_change (hash, ENGINE_CHANGE_PUT, store, TEXT (key), BYTES (value, size));
    }
  if (draw % 16 < 15 || *ranged)
    {
      CHECK (engine_batch_delete (batch, store, TEXT (key), &cause) == STATUS_OK);
      return mix_change (hash, ENGINE_CHANGE_DELETE, store, TEXT (key), BYTES_NONE);
    }
  *ranged = true; /* one a batch, first: none of the others is dead */
  snprintf (end, sizeof end, "key-%04u-", (unsigned) (draw >> 8) % KEYS + 3);
  CHECK (engine_batch_delete_range (batch, store, TEXT (key), TEXT (end), &cause) == STATUS_OK);
  return mix_change (hash, ENGINE_CHANGE_DELETE_RANGE, store, TEXT (key), TEXT (end));
}

static void *
write_main (void *data)
{
  const struct writer *writer = data;
  struct history *history = writer->history;
  struct failure cause = FAILURE_INIT;
  struct engine_batch *batch;
  uint64_t random = (history->seed * 31 + writer->number + 1) * UINT64_C (0x9e3779b97f4a7c15);
  CHECK (engine_batch_new (&batch, &cause) == STATUS_OK);
  for (unsigned i = 0; i < history->commits; i++)
    {
      uint64_t hash = UINT64_C (14695981039346656037), sequence, draw = next_random (&random);
      enum engine_sync sync
          = history->sync != ENGINE_SYNC_DEFAULT
                ? history->sync
                : (enum engine_sync) (ENGINE_SYNC_FULL + (draw % 50 == 0 ? 0 : 1 + draw % 2));
      unsigned operations = draw % 500 == 0 ? 1500 : 1 + (unsigned) (draw >> 32) % 4;
      bool ranged = false;
      engine_batch_clear (batch);
      for (unsigned o = 0; o < operations; o++)
        {
          hash = add_operation (history, batch, &random, hash, &ranged);
          ranged = true;
        }
      CHECK (engine_write (history->engine, batch, sync, &sequence, &cause) == STATUS_OK);
      CHECK (sequence < COMMITS_MOST);
      history->said[sequence] = hash;
      while (sequence > atomic_load (&history->given) + (operations > 4 ? 0 : LAG_MOST))
        usleep (100);
    }
  engine_batch_free (batch);
  atomic_fetch_sub (&history->writers, 1);
  return NULL;
}

/* What keeps the log moving, never by more than a round past what the feed gave: a feed that waits
 * for a core falls behind by LAG_MOST commits and no more of the log than is kept for it. */
static void *
flush_main (void *data)
{
  struct history *history = data;
  struct failure cause = FAILURE_INIT;
  for (unsigned round = 0; atomic_load (&history->writers) > 0; round++)
    {
      uint64_t sequence = engine_sequence (history->engine);
      status result = round % 3 == 0   ? engine_checkpoint (history->engine, &cause)
                      : round % 3 == 1 ? engine_flush (history->engine, &cause)
                                       : engine_sync (history->engine, &cause);
      CHECK (result == STATUS_OK);
      do
        usleep (3000);
      while (atomic_load (&history->given) < sequence && atomic_load (&history->writers) > 0);
    }
  return NULL;
}

struct gathered
{
  uint64_t *hashes; /* by sequence */
  uint64_t newest;
  uint64_t values; /* in blob files that were read */
};

static uint64_t
gather_commit (struct engine_feed *feed, struct gathered *gathered)
{
  struct failure cause = FAILURE_INIT;
  struct engine_change change;
  uint64_t hash = UINT64_C (14695981039346656037);
  status result;
  while ((result = engine_feed_next_change (feed, &change, &cause)) == STATUS_OK)
    {
      struct engine_value value = { .holder_kind = 0 };
      struct bytes second = change.kind == ENGINE_CHANGE_PUT ? change.value : change.end;
      if (change.kind == ENGINE_CHANGE_PUT && change.value.data == NULL)
        {
          status got = engine_feed_value (feed, &value, &cause);
          if (got != STATUS_OK)
            fprintf (stderr, "%s\n", cause.message);
          CHECK (got == STATUS_OK);
          second = value.data;
          gathered->values++;
        }
      hash = mix_change (hash, change.kind, change.store, change.key, second);
      engine_value_release (&value);
    }
  if (result != STATUS_NOT_FOUND)
    fprintf (stderr, "%s: %s\n", status_name (result), cause.message);
  CHECK (result == STATUS_NOT_FOUND);
  return hash;
}

/* Reads what is there, checking that it is visible and that nothing is left out. */
static void
gather (struct history *history, struct engine_feed *feed, struct gathered *gathered)
{
  struct failure cause = FAILURE_INIT;
  uint64_t sequence;
  status result;
  while ((result = engine_feed_next_commit (feed, &sequence, &cause)) == STATUS_OK)
    {
      CHECK (sequence == gathered->newest + 1 && sequence <= engine_sequence (history->engine));
      gathered->hashes[sequence] = gather_commit (feed, gathered);
      gathered->newest = sequence;
      atomic_store (&history->given, sequence);
    }
  if (result != STATUS_NOT_FOUND)
    fprintf (stderr, "%s: %s\n", status_name (result), cause.message);
  CHECK (result == STATUS_NOT_FOUND);
}

struct waiting
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned wakes;
};

static void
wake_up (void *data)
{
  struct waiting *waiting = data;
  pthread_mutex_lock (&waiting->lock);
  waiting->wakes++;
  pthread_cond_signal (&waiting->changed);
  pthread_mutex_unlock (&waiting->lock);
}

#define WAKE_PATIENCE 120 /* seconds after which no call is coming */

/* Until there were more calls than `seen`; the next commit would be the one behind `newest`. */
static void
await_wake (struct waiting *waiting, unsigned *seen, uint64_t newest, uint64_t last)
{
  struct timespec until;
  int late = 0;
  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += WAKE_PATIENCE;
  pthread_mutex_lock (&waiting->lock);
  while (waiting->wakes == *seen && late != ETIMEDOUT)
    late = pthread_cond_timedwait (&waiting->changed, &waiting->lock, &until);
  if (waiting->wakes == *seen)
    {
      fprintf (stderr, "the listener is not called for commit %llu, of %llu that are to come\n",
               (unsigned long long) newest + 1, (unsigned long long) last);
      abort ();
    }
  *seen = waiting->wakes;
  pthread_mutex_unlock (&waiting->lock);
}

/* Follows by the listener until the writers are done; nothing but wakes makes it go on. */
static void
follow (struct history *history, struct engine_feed *feed, uint64_t last, struct gathered *gathered)
{
  struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
  unsigned seen = 0;
  for (;;)
    {
      gather (history, feed, gathered);
      if (gathered->newest >= last)
        break;
      engine_await_commit (history->engine, gathered->newest, wake_up, &waiting);
      await_wake (&waiting, &seen, gathered->newest, last);
    }
  engine_await_commit (history->engine, 0, NULL, NULL);
}

static void
history_begin (struct history *history, struct engine *engine, enum engine_sync sync,
               unsigned commits, unsigned seed)
{
  *history = (struct history){ .engine = engine, .sync = sync, .commits = commits, .seed = seed };
  history->said = calloc (COMMITS_MOST, sizeof *history->said);
  history->stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "other", true, &history->stores[1], &failure));
  history->writers = WRITERS;
}

static void
history_run (struct history *history, pthread_t threads[WRITERS + 1],
             struct writer writers[WRITERS])
{
  for (unsigned i = 0; i < WRITERS; i++)
    {
      writers[i] = (struct writer){ history, i };
      CHECK (pthread_create (&threads[i], NULL, write_main, &writers[i]) == 0);
    }
  CHECK (pthread_create (&threads[WRITERS], NULL, flush_main, history) == 0);
}

static void
history_check (const struct history *history, const struct gathered *gathered, uint64_t from)
{
  for (uint64_t i = from; i <= gathered->newest; i++)
    CHECK (history->said[i] == 0 || gathered->hashes[i] == history->said[i]);
}

void
ample_written_log (struct engine_options *options)
{
  ample_log (options);
  options->log_mapping = false;
}

void
small_written_log (struct engine_options *options)
{
  small_log (options);
  options->log_mapping = false;
}

/* Writers in every mode beside flushes and checkpoints; one feed from the first commit on. */
void
test_exact (const char *name, void (*change) (struct engine_options *options),
            enum engine_sync sync, unsigned commits)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, change);
  struct history history;
  struct gathered gathered = { .hashes = calloc (COMMITS_MOST, sizeof *gathered.hashes) };
  pthread_t threads[WRITERS + 1];
  struct writer writers[WRITERS];
  struct engine_feed *feed = feed_from (engine, 0);
  history_begin (&history, engine, sync, commits, 1);
  history_run (&history, threads, writers);
  follow (&history, feed, 1 + WRITERS * commits, &gathered);
  for (unsigned i = 0; i <= WRITERS; i++)
    pthread_join (threads[i], NULL);
  history_check (&history, &gathered, 1);
  CHECK_INT (gathered.newest, engine_sequence (engine));
  engine_feed_free (feed);
  struct engine_statistics statistics;
  release (engine);
  engine_statistics (engine, &statistics);
  printf ("%s: %llu commits, %llu large values, %llu flushes\n", name,
          (unsigned long long) gathered.newest, (unsigned long long) gathered.values,
          (unsigned long long) statistics.flushes);
  CHECK (statistics.flushes > 3);
  CHECK ((statistics.history_bytes > 0) == (change == retaining_much));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  free (history.said);
  free (gathered.hashes);
  remove_directory (path);
}
