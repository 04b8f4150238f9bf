/* SPDX-License-Identifier: MIT */
/*
 * Who reads fast: reviews of counters and times that are made up, then a database that is read and
 * written.
 */
#include "small-engine.h"

#include "core/engine-private.h"

#include <string.h>

#define WINDOW UINT64_C (100000000) /* nanoseconds from one review to the next */
#define READER 3u                   /* a line of metrics; likewise: */
#define WRITER 5u

struct played
{
  struct readers readers;
  struct metrics *metrics;
  uint64_t times[METRICS_LINES], now;
};

/* What the reader does between two reviews. */
struct reading
{
  uint64_t gets, steps, ran;
  bool writes;
};

static struct played *
begin (void)
{
  struct played *played = calloc (1, sizeof *played);
  CHECK (played != NULL);
  CHECK_INT (metrics_new (NULL, &(struct metrics_origin){ 0 }, &played->metrics, NULL), STATUS_OK);
  played->now = 12345678;
  played->times[READER] = played->times[WRITER] = 1000;
  readers_review (&played->readers, played->metrics, played->times, played->now);
  CHECK (!readers_are_fast (&played->readers));
  return played;
}

static void
end (struct played *played)
{
  metrics_free (played->metrics, false);
  free (played);
}

static bool
review (struct played *played, uint32_t line, struct reading reading)
{
  count_in_line (played->metrics, line, THREAD_GETS_RUN, reading.gets);
  count_in_line (played->metrics, line, THREAD_CURSOR_STEPS, reading.steps);
  played->times[line] += reading.ran;
  played->times[WRITER] += WINDOW;
  played->now += WINDOW;
  played->readers.writers |= UINT32_C (1) << WRITER;
  if (reading.writes)
    played->readers.writers |= UINT32_C (1) << line;
  readers_review (&played->readers, played->metrics, played->times, played->now);
  CHECK_INT (played->readers.writers, 0);
  return readers_are_fast (&played->readers);
}

/* D1: with each condition in turn missed by a little. */
static void
test_conditions (void)
{
  struct played *played = begin ();
  uint64_t half = WINDOW / 2, least = half / 20000;
  CHECK (review (played, READER, (struct reading){ .gets = 100000, .ran = WINDOW }));
  CHECK (review (played, READER, (struct reading){ .gets = 100000, .ran = half }));
  CHECK (!review (played, READER, (struct reading){ .gets = 100000, .ran = half - 1 }));
  CHECK (review (played, READER, (struct reading){ .gets = least, .ran = half }));
  CHECK (!review (played, READER, (struct reading){ .gets = least - 1, .ran = half }));
  CHECK (review (played, READER, (struct reading){ .steps = 16 * least, .ran = half }));
  CHECK (!review (played, READER, (struct reading){ .steps = 16 * least - 16, .ran = half }));
  CHECK (!review (played, READER, (struct reading){ .ran = WINDOW }));
  CHECK (review (played, READER, (struct reading){ .gets = 100000, .ran = WINDOW }));
  CHECK (
      !review (played, READER, (struct reading){ .gets = 100000, .ran = WINDOW, .writes = true }));
  end (played);
}

/* D2. */
static void
test_unknown (void)
{
  struct played *played = begin ();
  struct reading fast = { .gets = 100000, .ran = WINDOW };
  for (unsigned i = 0; i < 3; i++)
    CHECK (!review (played, METRICS_LINES - 1, fast)); /* it is shared */
  CHECK (!review (played, 7, fast));                   /* a thread that was not there before */
  CHECK (review (played, 7, fast));
  played->times[7] = 500; /* another one that has its line now */
  CHECK (!review (played, 7, (struct reading){ .gets = 100000 }));
  CHECK (review (played, 7, fast));
  played->times[7] = 0; /* it has ended */
  CHECK (!review (played, 7, (struct reading){ 0 }));
  end (played);
}

/* ---- a database ---- */

static _Atomic bool reading, started;

static void
read_once (struct engine *engine, unsigned i)
{
  struct failure failure;
  char key[32], value[100];
  size_t size;
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, i % 10000), value,
                        sizeof value, &size, &failure));
}

static void *
read_on (void *data)
{
  for (unsigned i = 0; atomic_load (&reading); i++)
    {
      read_once (data, i);
      atomic_store (&started, true);
    }
  return NULL;
}

/* Whether the system tells what threads run, and this build, on this machine, reads fast enough. */
static bool
can_be_seen (struct engine *engine)
{
  uint64_t before, after;
  read_once (engine, 0);
  if (!epoch_thread_time (metrics_line_number (), &before))
    return false;
  for (unsigned i = 0; i < 10000; i++)
    read_once (engine, i);
  CHECK (epoch_thread_time (metrics_line_number (), &after));
  printf ("%llu ns a read\n", (unsigned long long) (after - before) / 10000);
  return (after - before) / 10000 < 5000;
}

static void
write_once (struct engine *engine, unsigned i)
{
  static const char value[100];
  struct failure failure;
  char key[32];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i % 10000),
                        BYTES (value, sizeof value), ENGINE_SYNC_NONE, NULL, &failure));
}

/* Writes until somebody reads fast, or nobody, for so long at most. */
static bool
write_until (struct engine *engine, bool fast, unsigned seconds)
{
  uint64_t until = engine_now () + seconds * UINT64_C (1000000);
  for (unsigned i = 0; readers_are_fast (&engine->readers) != fast; i++)
    {
      write_once (engine, i);
      if (i % 1000 == 0 && engine_now () > until)
        break;
    }
  return readers_are_fast (&engine->readers);
}

static void
test_database (void)
{
  struct engine_options options = small_options ();
  char *path = fresh_directory ();
  pthread_t reader;
  options.memtable_size = 1 << 20;
  struct engine *engine = open_with (path, &options);
  for (unsigned i = 0; i < 10000; i++)
    write_once (engine, i);
  CHECK (!write_until (engine, true, 1)); /* nobody reads */
  bool seen = can_be_seen (engine);
  atomic_store (&reading, true);
  CHECK_INT (pthread_create (&reader, NULL, read_on, engine), 0);
  while (!atomic_load (&started))
    sched_yield ();
  CHECK (write_until (engine, true, seen ? 60 : 1) || !seen);
  atomic_store (&reading, false);
  pthread_join (reader, NULL);
  CHECK (!write_until (engine, false, 60));
  close_it (engine);
  remove_directory (path);
}

int
main (void)
{
  test_conditions ();
  test_unknown ();
  test_database ();
  return 0;
}
