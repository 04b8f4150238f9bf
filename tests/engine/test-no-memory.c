/* SPDX-License-Identifier: MIT */
/* What could not be made whole because memory ran out is not taken for whole. The linker sends the
 * engine's calls of malloc and realloc here. */
#include "base/range-set.h"
#include "check.h"
#include "engine.h"
#include "version/manifest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct failure failure;
static size_t refused; /* the size of calls that get nothing, */
static unsigned turn;  /* when it is their turn; 0 = none */
static bool missed;    /* one did */

void *__real_realloc (void *memory, size_t size);
void *__wrap_realloc (void *memory, size_t size);

void *
__wrap_realloc (void *memory, size_t size)
{
  if (turn == 0 || size != refused || --turn > 0)
    return __real_realloc (memory, size);
  missed = true;
  return NULL;
}

#define CHUNK_LEAST ((size_t) 64 << 10) /* of commits that are kept for feeds, where no log is */
#define CHUNK_HEAD_MOST ((size_t) 256)

static size_t refused_always; /* malloc of so many bytes gets nothing; 0: none */
static bool no_chunks;      /* calls for one get nothing */
static unsigned chunks_missed; /* so many did */

void *__real_malloc (size_t size);
void *__wrap_malloc (size_t size);

void *
__wrap_malloc (size_t size)
{
  if (refused_always > 0 && size == refused_always)
    {
      missed = true;
      return NULL;
    }
  if (!no_chunks || size < CHUNK_LEAST || size > CHUNK_LEAST + CHUNK_HEAD_MOST)
    return __real_malloc (size);
  chunks_missed++;
  return NULL;
}

static struct engine *
open_database (const char *path)
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static void
put (struct engine *engine, const char *key)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
crash (const char *path)
{
  int outcome;
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      put (open_database (path), "key");
      _exit (0);
    }
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
}

/* Recovery removes the old log before a new one begins, all of it or the open fails. */
static void
test_old_logs (void)
{
  char *path = fresh_directory ();
  struct engine *engine = NULL;
  bool list = false;
  size_t size;
  crash (path);
  refused = 64 * 2 * sizeof (uint64_t); /* a number and what kind of file it is */
  for (unsigned which = 1; engine == NULL; which++)
    {
      turn = which;
      missed = false;
      failure = FAILURE_INIT;
      status result = engine_open (path, 0, NULL, &engine, &failure);
      CHECK_INT (result, missed ? STATUS_NO_MEMORY : STATUS_OK);
      list |= missed && strstr (failure.message, "the list of log segments") != NULL;
    }
  CHECK (list);
  turn = 0;
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), NULL, 0, &size,
                        &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Puts the keys from `first` on, so many, each with itself as its value. */
static void
put_numbers (struct engine *engine, unsigned first, unsigned count)
{
  char key[1000];
  memset (key, 'k', sizeof key);
  for (unsigned i = first; i < first + count; i++)
    {
      snprintf (key, 32, "%u", i);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                            BYTES (key, sizeof key), ENGINE_SYNC_DEFAULT, NULL, &failure));
    }
}

static void
expect_number (struct engine_feed *feed, uint64_t expected)
{
  struct engine_change change;
  uint64_t sequence;
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, expected);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (change.key.size == 1000 && bytes_equal (change.key, change.value));
  CHECK_INT (atoi ((const char *) change.key.data), (int) expected);
}

/* Commits that could not be kept for feeds are gone, and no others are given for them. */
static void
test_recent_commits (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct engine_feed *feed, *late;
  uint64_t sequence;
  engine_options_init (&options);
  options.log_enabled = false;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  CHECK_OK (engine_feed_new (engine, 0, &feed, &failure));
  CHECK_OK (engine_feed_new (engine, 0, &late, &failure));
  put_numbers (engine, 1, 10);
  expect_number (feed, 1);
  no_chunks = true;
  put_numbers (engine, 11, 90); /* twice what is in one */
  no_chunks = false;
  CHECK (chunks_missed > 1);
  put_numbers (engine, 101, 10);
  unsigned position = 1;
  status result;
  while ((result = engine_feed_next_commit (feed, &sequence, &failure)) == STATUS_OK)
    CHECK_INT (sequence, ++position); /* what it stands in */
  CHECK_INT (result, STATUS_HISTORY_GONE);
  CHECK (position > 10 && position < 100);
  CHECK_FAILS (engine_feed_next_commit (late, &sequence, &failure), STATUS_HISTORY_GONE);
  engine_feed_free (late);
  uint64_t oldest = engine_history_oldest (engine);
  CHECK (oldest > position);
  CHECK_OK (engine_feed_new (engine, oldest, &late, &failure));
  for (uint64_t i = oldest + 1; i <= 110; i++)
    expect_number (late, i);
  CHECK_INT (engine_feed_next_commit (late, &sequence, &failure), STATUS_NOT_FOUND);
  engine_feed_free (late);
  engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* R2 of memtable/memtable-range.c: what can't be gathered into a set is looked through one by one. */
static void
test_range_deletes (void)
{
  enum
  {
    RANGES = 20, /* a further gathering would begin anew with all */
    TAIL = 16
  };
  char *path = fresh_directory (), key[8], end[8];
  struct engine *engine = open_database (path);
  size_t size;
  for (unsigned i = 0; i < RANGES; i++)
    {
      snprintf (key, sizeof key, "%03u", i);
      put (engine, key);
    }
  missed = false;
  refused_always = TAIL * sizeof (struct range_delete);
  for (unsigned i = 0; i < RANGES; i++)
    {
      snprintf (key, sizeof key, "%03u", i);
      snprintf (end, sizeof end, "%03u", i + 1);
      CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES (key, 3), BYTES (end, 3),
                                     ENGINE_SYNC_DEFAULT, NULL, &failure));
    }
  CHECK (missed);
  refused_always = 0;
  for (unsigned i = 0; i < RANGES; i++)
    {
      snprintf (key, sizeof key, "%03u", i);
      CHECK_FAILS (
          engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (key, 3), NULL, 0, &size, &failure),
          STATUS_NOT_FOUND);
    }
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

int
main (void)
{
  test_range_deletes ();
  test_old_logs ();
  test_recent_commits ();
  return 0;
}
