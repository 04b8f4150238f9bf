/* SPDX-License-Identifier: MIT */
/* The change feed: every commit once, in order, when it is visible, and a clear word when it is no
 * longer kept. */
#include "check.h"
#include "engine.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

static struct failure failure;

#define TEXT(string) BYTES (string, strlen (string))

static struct engine *
open_with (const char *path, void (*change) (struct engine_options *options))
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.log_segment_size = 64 << 10;
  if (change != NULL)
    change (&options);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

/* All that can be released is, when this returns. */
static void
release (struct engine *engine)
{
  CHECK_OK (engine_checkpoint (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
}

static uint64_t
put (struct engine *engine, engine_store store, const char *key, const char *value)
{
  uint64_t sequence;
  CHECK_OK (engine_put (engine, store, TEXT (key), TEXT (value), ENGINE_SYNC_DEFAULT, &sequence,
                        &failure));
  return sequence;
}

static struct engine_feed *
feed_from (struct engine *engine, uint64_t since)
{
  struct engine_feed *feed;
  CHECK_OK (engine_feed_new (engine, since, &feed, &failure));
  CHECK_INT (engine_feed_position (feed),
             since == ENGINE_FEED_NOW ? engine_sequence (engine) : since);
  return feed;
}

static void
expect_commit (struct engine_feed *feed, uint64_t expected)
{
  uint64_t sequence;
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, expected);
}

static void
expect_change (struct engine_feed *feed, enum engine_change_kind kind, engine_store store,
               struct bytes key, struct bytes value)
{
  struct engine_change change;
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK_INT (change.kind, kind);
  CHECK_INT (change.store, store);
  CHECK (bytes_equal (change.key, key) && (change.key.data == NULL) == (key.data == NULL));
  struct bytes other = kind == ENGINE_CHANGE_PUT ? change.value : change.end;
  CHECK (bytes_equal (other, value) && (other.data == NULL) == (value.data == NULL));
}

static void
expect_end (struct engine_feed *feed)
{
  struct engine_change change;
  uint64_t sequence;
  CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
  CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
}

/* ---- what a feed says ---- */

static void
test_kinds (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  struct engine_batch *batch;
  engine_store store;
  expect_end (feed);

  uint64_t first = put (engine, ENGINE_STORE_DEFAULT, "a", "1");
  CHECK_INT (first, 1);
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure)); /* 2: catalogue only */
  put (engine, store, "b", "");
  CHECK_OK (
      engine_delete (engine, ENGINE_STORE_DEFAULT, TEXT ("a"), ENGINE_SYNC_FULL, NULL, &failure));
  CHECK_OK (engine_batch_new (&batch, &failure));
  CHECK_OK (engine_batch_put (batch, store, TEXT ("dead"), TEXT ("x"), &failure));
  CHECK_OK (engine_batch_delete_range (batch, store, TEXT ("c"), TEXT ("e"), &failure));
  CHECK_OK (engine_batch_put (batch, store, TEXT ("d"), TEXT ("alive"), &failure));
  CHECK_OK (
      engine_batch_delete_range (batch, ENGINE_STORE_DEFAULT, TEXT ("k"), BYTES_NONE, &failure));
  CHECK_OK (engine_write (engine, batch, ENGINE_SYNC_NONE, NULL, &failure)); /* 5 */
  CHECK_OK (engine_store_drop (engine, "films", &failure));                  /* 6 */

  expect_commit (feed, 1);
  CHECK_INT (engine_feed_position (feed), 0);
  expect_change (feed, ENGINE_CHANGE_PUT, ENGINE_STORE_DEFAULT, TEXT ("a"), TEXT ("1"));
  expect_commit (feed, 2); /* without asking for the end of 1 */
  CHECK_INT (engine_feed_position (feed), 1);
  struct engine_change change;
  CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
  CHECK_INT (engine_feed_position (feed), 2);
  expect_commit (feed, 3);
  expect_change (feed, ENGINE_CHANGE_PUT, store, TEXT ("b"), TEXT (""));
  expect_commit (feed, 4);
  expect_change (feed, ENGINE_CHANGE_DELETE, ENGINE_STORE_DEFAULT, TEXT ("a"), BYTES_NONE);
  expect_commit (feed, 5);
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, store, TEXT ("c"), TEXT ("e"));
  expect_change (feed, ENGINE_CHANGE_PUT, store, TEXT ("d"), TEXT ("alive"));
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, ENGINE_STORE_DEFAULT, TEXT ("k"), BYTES_NONE);
  struct engine_value value;
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_INVALID);
  expect_commit (feed, 6);
  expect_change (feed, ENGINE_CHANGE_DELETE_RANGE, store, BYTES_NONE, BYTES_NONE);
  expect_end (feed);
  CHECK_INT (engine_feed_position (feed), 6);
  engine_feed_free (feed);

  feed = feed_from (engine, 4); /* in the middle */
  expect_commit (feed, 5);
  expect_commit (feed, 6);
  engine_feed_free (feed);
  CHECK_FAILS (engine_feed_new (engine, 7, &feed, &failure), STATUS_HISTORY_GONE);
  engine_batch_free (batch);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_feed_new (engine, 6, &feed, &failure), STATUS_CLOSED);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  struct engine_change change;
  struct engine_value value, other;
  uint64_t sequence;
  static uint8_t large[300000];
  memset (large, 'L', sizeof large);
  put (engine, ENGINE_STORE_DEFAULT, "small", "few bytes");
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("large"), BYTES (large, sizeof large),
                        ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_INVALID);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK_OK (engine_feed_value (feed, &value, &failure));
  CHECK (bytes_equal (value.data, TEXT ("few bytes")) && value.sequence == 1);
  engine_value_release (&value);
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (change.kind == ENGINE_CHANGE_PUT && change.value.data == NULL);
  CHECK_OK (engine_feed_value (feed, &other, &failure));
  CHECK_INT (other.sequence, 2);
  CHECK (bytes_equal (other.data, BYTES (large, sizeof large)));
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_feed_next_change (feed, &change, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_CLOSED);
  engine_unref (engine);
  engine_feed_free (feed);
  CHECK (bytes_equal (other.data, BYTES (large, sizeof large))); /* outlives them all */
  engine_value_release (&other);
  remove_directory (path);
}

/* ---- the listener ---- */

static void
note_wake (void *data)
{
  atomic_fetch_add ((_Atomic unsigned *) data, 1);
}

static void
test_listener (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  _Atomic unsigned wakes = 0, others = 0;
  engine_await_commit (engine, 0, note_wake, &wakes);
  CHECK_INT (wakes, 0);
  put (engine, ENGINE_STORE_DEFAULT, "a", "1");
  CHECK_INT (wakes, 1);
  put (engine, ENGINE_STORE_DEFAULT, "a", "2");
  CHECK_INT (wakes, 1);
  engine_await_commit (engine, 1, note_wake, &wakes); /* there already */
  CHECK_INT (wakes, 2);
  engine_await_commit (engine, 4, note_wake, &wakes);
  put (engine, ENGINE_STORE_DEFAULT, "a", "3");
  put (engine, ENGINE_STORE_DEFAULT, "a", "4");
  CHECK_INT (wakes, 2);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("a"), TEXT ("5"), ENGINE_SYNC_FULL,
                        NULL, &failure));
  CHECK_INT (wakes, 3);
  engine_await_commit (engine, 5, note_wake, &wakes);
  engine_await_commit (engine, 5, note_wake, &others);
  put (engine, ENGINE_STORE_DEFAULT, "a", "6");
  CHECK (wakes == 3 && others == 1);
  engine_await_commit (engine, 6, note_wake, &others);
  engine_await_commit (engine, 6, NULL, NULL);
  put (engine, ENGINE_STORE_DEFAULT, "a", "7");
  CHECK_INT (others, 1);
  engine_await_commit (engine, 7, note_wake, &wakes);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_INT (wakes, 4);
  engine_await_commit (engine, 7, note_wake, &wakes);
  CHECK_INT (wakes, 5);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- bulk loads ---- */

static void
test_loads (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, ENGINE_FEED_NOW), *late;
  struct engine_loader *loader;
  engine_store store;
  uint64_t sequence;
  CHECK_OK (engine_store_open (engine, "films", true, &store, &failure)); /* 1 */
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  const char *keys[] = { "m", "c", "x", "d" };
  for (int i = 0; i < 4; i++)
    CHECK_OK (
        engine_loader_put (loader, ENGINE_STORE_DEFAULT, TEXT (keys[i]), TEXT ("v"), &failure));
  CHECK_OK (engine_loader_put (loader, store, TEXT ("only"), TEXT ("v"), &failure));
  put (engine, ENGINE_STORE_DEFAULT, "between", "2"); /* goes past the loader's guess */
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  CHECK (sequence > 3);

  expect_commit (feed, 1);
  expect_commit (feed, 2);
  expect_change (feed, ENGINE_CHANGE_PUT, ENGINE_STORE_DEFAULT, TEXT ("between"), TEXT ("2"));
  for (uint64_t empty = 3; empty < sequence; empty++)
    {
      struct engine_change change;
      expect_commit (feed, empty);
      CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
    }
  expect_commit (feed, sequence);
  expect_change (feed, ENGINE_CHANGE_LOADED, ENGINE_STORE_DEFAULT, TEXT ("c"), BYTES ("x\0", 2));
  expect_change (feed, ENGINE_CHANGE_LOADED, store, TEXT ("only"), BYTES ("only\0", 5));
  expect_end (feed);
  late = feed_from (engine, sequence);
  expect_end (late);
  engine_feed_free (late);
  engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- against what was written ---- */

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
      pthread_mutex_lock (&waiting.lock);
      while (waiting.wakes == seen)
        pthread_cond_wait (&waiting.changed, &waiting.lock);
      seen = waiting.wakes;
      pthread_mutex_unlock (&waiting.lock);
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

static void
small_log (struct engine_options *options)
{
  options->memtable_size = 128 << 10;
}

/* Which holds more than a feed can be behind here. */
static void
ample_log (struct engine_options *options)
{
  options->memtable_size = 1 << 20;
}

static void
ample_written_log (struct engine_options *options)
{
  ample_log (options);
  options->log_mapping = false;
}

static void
small_written_log (struct engine_options *options)
{
  small_log (options);
  options->log_mapping = false;
}

static void
small_without_log (struct engine_options *options)
{
  small_log (options);
  options->log_enabled = false;
  options->memory_budget = 64 << 20; /* of which the feed may take 12 */
  options->blob_threshold = 1 << 20;
}

static void
retaining_much (struct engine_options *options)
{
  small_log (options);
  options->change_retention = 1 << 30;
}

/* Writers in every mode beside flushes and checkpoints; one feed from the first commit on. */
static void
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

/* ---- what is kept ---- */

/* Commit number `sequence` of a run that anybody can check. */
static void
put_numbered (struct engine *engine, uint64_t sequence, size_t size)
{
  static uint8_t value[200000];
  char key[32];
  uint64_t got;
  snprintf (key, sizeof key, "key-%llu", (unsigned long long) sequence % 20);
  memset (value, (int) (sequence % 251), size);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT (key), BYTES (value, size),
                        ENGINE_SYNC_ASYNC, &got, &failure));
  CHECK_INT (got, sequence);
}

static void
put_many (struct engine *engine, unsigned count, size_t size)
{
  uint64_t sequence = engine_sequence (engine);
  for (unsigned i = 0; i < count; i++)
    put_numbered (engine, ++sequence, size);
}

static void
expect_numbered (struct engine_feed *feed, uint64_t sequence, size_t size)
{
  struct engine_change change;
  struct engine_value value;
  char key[32];
  expect_commit (feed, sequence);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  snprintf (key, sizeof key, "key-%llu", (unsigned long long) sequence % 20);
  CHECK (change.kind == ENGINE_CHANGE_PUT && bytes_equal (change.key, TEXT (key)));
  CHECK_OK (engine_feed_value (feed, &value, &failure));
  CHECK (value.data.size == size && value.data.data[0] == sequence % 251
         && value.data.data[size - 1] == sequence % 251);
  engine_value_release (&value);
}

static void
expect_many (struct engine *engine, uint64_t since, size_t size)
{
  struct engine_feed *feed = feed_from (engine, since);
  for (uint64_t i = since + 1; i <= engine_sequence (engine); i++)
    expect_numbered (feed, i, size);
  expect_end (feed);
  engine_feed_free (feed);
}

/* A feed that is a little behind is passed by no flush; one that is far behind is told. */
static void
test_lapped (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, small_log);
  struct engine_feed *feed = feed_from (engine, 0), *lost = feed_from (engine, 0);
  struct engine_statistics statistics;
  uint64_t sequence;
  for (int round = 0; round < 3; round++)
    {
      put_many (engine, 1000, 100);
      CHECK_OK (engine_checkpoint (engine, &failure));
    }
  for (uint64_t i = 1; i <= 3000; i++)
    expect_numbered (feed, i, 100);
  expect_end (feed);
  expect_numbered (lost, 1, 100);
  for (int round = 0; round < 30; round++)
    {
      put_many (engine, 1000, 100);
      CHECK_OK (engine_checkpoint (engine, &failure));
      for (uint64_t i = 3000 + (uint64_t) round * 1000; i < 4000 + (uint64_t) round * 1000; i++)
        expect_numbered (feed, i + 1, 100);
    }
  uint64_t position = 1;
  status result;
  while ((result = engine_feed_next_commit (lost, &sequence, &failure)) == STATUS_OK)
    CHECK_INT (sequence, ++position); /* the segment it stands in, no more */
  CHECK_INT (result, STATUS_HISTORY_GONE);
  CHECK_INT (engine_feed_position (lost), position);
  CHECK_FAILS (engine_feed_next_commit (lost, &sequence, &failure), STATUS_HISTORY_GONE);
  CHECK (engine_history_oldest (engine) > position);
  struct engine_feed *none;
  CHECK_FAILS (engine_feed_new (engine, position, &none, &failure), STATUS_HISTORY_GONE);
  release (engine);
  engine_statistics (engine, &statistics);
  CHECK (statistics.history_bytes <= 3 * (128 + 64) << 10); /* as long as `lost` is open */
  expect_many (engine, engine_history_oldest (engine), 100);
  engine_feed_free (lost);
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.history_bytes, 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_feed_free (feed);
  engine_unref (engine);
  remove_directory (path);
}

static unsigned
count_files (const char *path, const char *suffix)
{
  unsigned count = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      size_t length = strlen (entry->d_name), behind = strlen (suffix);
      count += length > behind && strcmp (entry->d_name + length - behind, suffix) == 0;
    }
  closedir (directory);
  return count;
}

static void
retaining (struct engine_options *options)
{
  small_log (options);
  options->change_retention = 1 << 20;
}

static void
reopen (struct engine **engine, const char *path, void (*change) (struct engine_options *options))
{
  CHECK_OK (engine_close (*engine, &failure));
  engine_unref (*engine);
  *engine = open_with (path, change);
}

static void
test_retention (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining);
  struct engine_feed *feed;
  struct engine_statistics statistics;
  put_many (engine, 2000, 100);
  CHECK_INT (engine_history_oldest (engine), 0);
  for (int life = 0; life < 4; life++)
    {
      reopen (&engine, path, retaining);
      CHECK_INT (count_files (path, ".log"), 0);
      CHECK_INT (engine_history_oldest (engine), 0);
      put_many (engine, 500, 100);
      if (life % 2 == 0)
        CHECK_OK (engine_checkpoint (engine, &failure));
      expect_many (engine, 0, 100);
    }
  put_many (engine, 20000, 100); /* more than is retained */
  release (engine);
  engine_statistics (engine, &statistics);
  uint64_t oldest = engine_history_oldest (engine);
  printf ("retained: commits from behind %llu of %llu on, in %llu bytes\n",
          (unsigned long long) oldest, (unsigned long long) engine_sequence (engine),
          (unsigned long long) statistics.history_bytes);
  CHECK (statistics.history_bytes <= 1 << 20 && statistics.history_bytes > 3 << 18);
  CHECK (oldest > 0 && engine_sequence (engine) - oldest > (1 << 20) / 200);
  CHECK_FAILS (engine_feed_new (engine, oldest - 1, &feed, &failure), STATUS_HISTORY_GONE);
  expect_many (engine, oldest, 100);
  reopen (&engine, path, retaining);
  CHECK (engine_history_oldest (engine) >= oldest);
  expect_many (engine, engine_history_oldest (engine), 100);
  CHECK (count_files (path, ".history") > 10);

  reopen (&engine, path, small_log); /* asked for no longer */
  CHECK_INT (count_files (path, ".history"), 0);
  CHECK_INT (engine_history_oldest (engine), engine_sequence (engine));
  put_many (engine, 10, 100);
  expect_many (engine, engine_sequence (engine) - 10, 100);
  reopen (&engine, path, retaining);
  put_many (engine, 10, 100);
  reopen (&engine, path, small_without_log); /* commits that no history has */
  put_many (engine, 10, 100);
  reopen (&engine, path, retaining);
  CHECK_INT (engine_history_oldest (engine), engine_sequence (engine));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

static void *
checkpoint_main (void *engine)
{
  struct failure cause = FAILURE_INIT;
  CHECK (engine_checkpoint (engine, &cause) == STATUS_OK);
  return NULL;
}

static void
retaining_later (struct engine_options *options)
{
  ample_log (options);
  options->change_retention = 1 << 20;
}

/* A segment becomes history while a feed is in the middle of it. */
static void
test_sealing (void)
{
  for (unsigned round = 0; round < 6; round++)
    {
      char *path = fresh_directory ();
      struct engine *engine = open_with (path, retaining_later);
      pthread_t thread;
      put_many (engine, 2000, 50); /* two segments, one memtable */
      struct engine_feed *feed = feed_from (engine, 0);
      expect_numbered (feed, 1, 50);
      CHECK (pthread_create (&thread, NULL, checkpoint_main, engine) == 0);
      for (uint64_t i = 2; i <= 2000; i++)
        {
          if (i % 100 == 0) /* so that the one is in some round where the other is */
            usleep (150 * round);
          expect_numbered (feed, i, 50);
        }
      CHECK (pthread_join (thread, NULL) == 0);
      release (engine);
      CHECK (count_files (path, ".history") > 0);
      expect_end (feed);
      engine_feed_free (feed);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

/* Values that only history refers to stay as long as it does. */
static void
test_retained_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  for (int life = 0; life < 3; life++)
    {
      put_many (engine, 100, 20000);
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      put_many (engine, 50, 20000);
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      expect_many (engine, 0, 20000);
      reopen (&engine, path, retaining_much);
      expect_many (engine, 0, 20000);
    }
  struct engine_check_report report;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans);
  engine = open_with (path, small_log);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes < 3 * 150 * 20000 / 2);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  engine = open_with (path, retaining); /* values count */
  put_many (engine, 250, 200000);
  release (engine);
  CHECK (engine_sequence (engine) - engine_history_oldest (engine) < 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* A blob file that never came into the manifest, since all its values were deleted at once. */
static void
test_left_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  struct engine_check_report report;
  put_many (engine, 40, 20000);
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
  for (int life = 0; life < 2; life++)
    {
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans);
      CHECK_INT (count_files (path, ".blob"), 1);
      engine = open_with (path, retaining_much);
      struct engine_feed *feed = feed_from (engine, 0);
      for (uint64_t i = 1; i <= 40; i++)
        expect_numbered (feed, i, 20000);
      expect_commit (feed, 41);
      engine_feed_free (feed);
    }
  reopen (&engine, path, small_log);
  CHECK_INT (count_files (path, ".blob"), 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Large values that only a feed still needed give their space back when it goes or has read on,
 * though nothing is committed any more. */
static void
test_pinned_values (bool reads_on)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  static const uint8_t large[200000];
  struct engine_statistics statistics;
  char key[16];
  for (unsigned i = 0; i < 60; i++)
    {
      snprintf (key, sizeof key, "key-%02u", i);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT (key), BYTES (large, sizeof large),
                            ENGINE_SYNC_NONE, NULL, &failure));
    }
  release (engine);
  for (unsigned i = 0; i < 60; i++)
    if (i % 5 != 0) /* some of the file stay alive */
      {
        snprintf (key, sizeof key, "key-%02u", i);
        put (engine, ENGINE_STORE_DEFAULT, key, "small now");
      }
  release (engine);
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes > 60 * sizeof large);
  if (reads_on)
    {
      for (uint64_t i = 1; i <= engine_sequence (engine); i++)
        expect_commit (feed, i);
      uint64_t sequence;
      CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
    }
  else
    engine_feed_free (feed);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes < 13 * sizeof large);
  if (reads_on)
    engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* A killed writer's history is all that it acknowledged. */
static void
test_killed (void)
{
  char *path = fresh_directory ();
  uint64_t newest = 0;
  for (int life = 0; life < 5; life++)
    {
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          struct engine *engine = open_with (path, retaining_much);
          if (life > 0)
            expect_many (engine, 0, 100);
          put_many (engine, 1500, 100);
          if (life % 2 == 1)
            CHECK_OK (engine_flush (engine, &failure));
          put_many (engine, 300 * (unsigned) life, 100);
          kill (getpid (), SIGKILL);
        }
      int how;
      CHECK (waitpid (child, &how, 0) == child && WIFSIGNALED (how) && WTERMSIG (how) == SIGKILL);
      newest += 1500 + 300 * (unsigned) life;
    }
  struct engine *engine = open_with (path, retaining_much);
  CHECK_INT (engine_sequence (engine), newest);
  expect_many (engine, 0, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* The name of the history file in the middle. */
static void
middle_history (const char *path, char file[600])
{
  unsigned numbers[500], count = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL && count < 500;)
    {
      char rest[16];
      if (sscanf (entry->d_name, "%u.%15s", &numbers[count], rest) == 2
          && strcmp (rest, "history") == 0)
        count++;
    }
  closedir (directory);
  CHECK (count >= 5);
  for (unsigned i = 1; i < count; i++)
    for (unsigned k = i; k > 0 && numbers[k - 1] > numbers[k]; k--)
      {
        unsigned moved = numbers[k];
        numbers[k] = numbers[k - 1];
        numbers[k - 1] = moved;
      }
  snprintf (file, 600, "%s/%u.history", path, numbers[count / 2]);
}

static void
flip (const char *file, long offset, int whence)
{
  FILE *stream = fopen (file, "r+b");
  CHECK (stream != NULL && fseek (stream, offset, whence) == 0);
  int byte = fgetc (stream);
  CHECK (byte != EOF && fseek (stream, -1, SEEK_CUR) == 0 && fputc (byte ^ 4, stream) != EOF);
  CHECK (fclose (stream) == 0);
}

/* History that was lost or damaged ends there, and the database is none the worse. */
static void
test_damage (void)
{
  for (int how = 0; how < 3; how++)
    {
      char *path = fresh_directory (), file[600];
      struct engine *engine = open_with (path, retaining);
      put_many (engine, 4000, 100);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      middle_history (path, file);
      if (how == 0)
        CHECK_INT (unlink (file), 0);
      else if (how == 1)
        flip (file, -30, SEEK_END); /* its note */
      else
        flip (file, 5000, SEEK_SET); /* a record */
      engine = open_with (path, retaining);
      uint64_t oldest = engine_history_oldest (engine), sequence;
      struct engine_feed *feed = feed_from (engine, oldest);
      if (how < 2)
        {
          CHECK (oldest > 1000 && oldest < 3000);
          expect_many (engine, oldest, 100);
        }
      else
        {
          status result;
          while ((result = engine_feed_next_commit (feed, &sequence, &failure)) == STATUS_OK)
            ;
          CHECK_INT (result, STATUS_CORRUPT);
          CHECK (strstr (failure.message, ".history") != NULL);
          uint64_t position = engine_feed_position (feed);
          CHECK (position > 1000 && position < 3000);
          failure = FAILURE_INIT;
          CHECK_INT (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CORRUPT);
        }
      engine_feed_free (feed);
      put_many (engine, 10, 100);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

/* Backups and what is restored from them have no history, and say so. */
static void
test_backup (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), backup[600], restored[600];
  struct engine *engine = open_with (path, retaining);
  struct engine_backup_result result;
  struct engine_feed *feed;
  put_many (engine, 1000, 100);
  snprintf (backup, sizeof backup, "%s/backup", parent);
  snprintf (restored, sizeof restored, "%s/restored", parent);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  put_many (engine, 100, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_INT (count_files (backup, ".history"), 0);
  CHECK_OK (engine_restore (backup, restored, NULL, NULL, &failure));
  engine = open_with (restored, retaining);
  CHECK_INT (engine_sequence (engine), 1000);
  CHECK_FAILS (engine_feed_new (engine, 999, &feed, &failure), STATUS_HISTORY_GONE);
  CHECK_FAILS (engine_feed_new (engine, 1100, &feed, &failure), STATUS_HISTORY_GONE);
  CHECK (strstr (failure.message, "restored") != NULL);
  expect_many (engine, 1000, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
  remove_directory (parent);
}

/* Without a log changes are kept in memory from the first feed to the last. */
static void
test_without_log (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, small_without_log);
  struct engine_feed *feed, *other;
  put_many (engine, 10, 100);
  CHECK_FAILS (engine_feed_new (engine, 9, &feed, &failure), STATUS_HISTORY_GONE);
  feed = feed_from (engine, 10);
  put_many (engine, 10, 100);
  other = feed_from (engine, 15);
  CHECK_OK (engine_flush (engine, &failure));
  for (uint64_t i = 11; i <= 20; i++)
    expect_numbered (feed, i, 100);
  expect_numbered (other, 16, 100);
  engine_feed_free (feed);
  put_many (engine, 30, 150000);
  for (uint64_t i = 17; i <= 20; i++)
    expect_numbered (other, i, 100);
  for (uint64_t i = 21; i <= 50; i++)
    expect_numbered (other, i, 150000);
  expect_end (other);
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  uint64_t used = statistics.memory_used;
  put_many (engine, 300, 150000); /* 45 MB: more than memory is for */
  uint64_t sequence;
  CHECK_FAILS (engine_feed_next_commit (other, &sequence, &failure), STATUS_HISTORY_GONE);
  expect_many (engine, engine_history_oldest (engine), 150000);
  engine_feed_free (other);
  CHECK_FAILS (engine_feed_new (engine, engine_sequence (engine) - 1, &feed, &failure),
               STATUS_HISTORY_GONE);
  (void) used;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- ends ---- */

struct reader
{
  struct engine *engine;
  _Atomic unsigned *wakes;
  uint64_t read;
};

/* Reads some commits. The log may move on past the feed whenever this thread waits for a core. */
static status
read_some (struct engine_feed *feed, uint64_t *read, struct failure *cause)
{
  struct engine_change change;
  uint64_t sequence;
  status result = STATUS_OK;
  for (unsigned i = 0; i < 2000 && result == STATUS_OK; i++)
    {
      result = engine_feed_next_commit (feed, &sequence, cause);
      if (result == STATUS_OK)
        result = engine_feed_next_change (feed, &change, cause);
      *read += result == STATUS_OK;
    }
  return result;
}

/* Opens, reads and frees feeds until the engine closes. */
static void *
read_main (void *data)
{
  struct reader *reader = data;
  struct engine_feed *feed;
  for (;;)
    {
      struct failure cause = FAILURE_INIT;
      status result
          = engine_feed_new (reader->engine, engine_history_oldest (reader->engine), &feed, &cause);
      if (result == STATUS_OK)
        {
          result = read_some (feed, &reader->read, &cause);
          engine_await_commit (reader->engine, engine_feed_position (feed), note_wake,
                               reader->wakes);
          engine_feed_free (feed);
        }
      if (result == STATUS_CLOSED)
        return NULL;
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND || result == STATUS_HISTORY_GONE);
    }
}

static void *
put_main (void *data)
{
  struct failure cause = FAILURE_INIT;
  struct engine *engine = data;
  status result;
  do
    result = engine_put (engine, ENGINE_STORE_DEFAULT, TEXT ("key"), TEXT ("some value"),
                         ENGINE_SYNC_ASYNC, NULL, &cause);
  while (result == STATUS_OK);
  CHECK_INT (result, STATUS_CLOSED);
  return NULL;
}

/* Close comes at any time, beside feeds that are read, opened and freed. */
static void
test_closing (void)
{
  uint64_t read = 0;
  for (unsigned round = 0; round < 20; round++)
    {
      char *path = fresh_directory ();
      struct engine *engine = open_with (path, round % 3 == 0   ? small_log
                                               : round % 3 == 1 ? small_without_log
                                                                : retaining);
      _Atomic unsigned wakes = 0;
      struct reader readers[2] = { { engine, &wakes, 0 }, { engine, &wakes, 0 } };
      pthread_t threads[3];
      struct engine_feed *feed = feed_from (engine, 0);
      CHECK (pthread_create (&threads[0], NULL, put_main, engine) == 0);
      CHECK (pthread_create (&threads[1], NULL, read_main, &readers[0]) == 0);
      CHECK (pthread_create (&threads[2], NULL, read_main, &readers[1]) == 0);
      usleep (10000 + round * 1000);
      CHECK_OK (engine_close (engine, &failure));
      for (int i = 0; i < 3; i++)
        pthread_join (threads[i], NULL);
      engine_await_commit (engine, 0, NULL, NULL);
      engine_unref (engine);
      engine_feed_free (feed); /* the last one to hold the engine */
      read += readers[0].read + readers[1].read;
      remove_directory (path);
    }
  printf ("closed beside feeds that had read %llu commits\n", (unsigned long long) read);
  CHECK (read > 0);
}

static void
test_fork (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  _Atomic unsigned wakes = 0;
  put_many (engine, 10, 100);
  expect_numbered (feed, 1, 100);
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine_feed *none;
      struct engine_change change;
      uint64_t sequence;
      CHECK_FAILS (engine_feed_next_commit (feed, &sequence, &failure), STATUS_FORKED);
      CHECK_FAILS (engine_feed_next_change (feed, &change, &failure), STATUS_FORKED);
      CHECK_FAILS (engine_feed_new (engine, 0, &none, &failure), STATUS_FORKED);
      engine_await_commit (engine, 0, note_wake, &wakes);
      CHECK_INT (wakes, 0);
      engine_feed_free (feed);
      engine_unref (engine);
      _exit (0);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how) && WEXITSTATUS (how) == 0);
  for (uint64_t i = 2; i <= 10; i++)
    expect_numbered (feed, i, 100);
  engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Without arguments the short form; --long: three million commits beside flushes. */
int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--long") == 0)
    {
      test_exact ("long", ample_log, ENGINE_SYNC_DEFAULT, 1000000);
      test_exact ("long, written", ample_written_log, ENGINE_SYNC_NONE, 1000000);
      return 0;
    }
  if (argc != 1)
    {
      fprintf (stderr, "usage: %s [--long]\n", argv[0]);
      return 2;
    }
  test_kinds ();
  test_values ();
  test_listener ();
  test_loads ();
  test_lapped ();
  test_retention ();
  test_sealing ();
  test_retained_values ();
  test_left_values ();
  test_pinned_values (false);
  test_pinned_values (true);
  test_killed ();
  test_damage ();
  test_backup ();
  test_without_log ();
  test_closing ();
  test_fork ();
  test_exact ("every mode", small_log, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("written, every mode", small_written_log, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("full", small_log, ENGINE_SYNC_FULL, 300);
  test_exact ("none", small_log, ENGINE_SYNC_NONE, 4000);
  test_exact ("retained", retaining_much, ENGINE_SYNC_DEFAULT, 4000);
  test_exact ("without a log", small_without_log, ENGINE_SYNC_ASYNC, 4000);
  return 0;
}
