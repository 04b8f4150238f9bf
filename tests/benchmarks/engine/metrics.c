/* SPDX-License-Identifier: MIT */
/*
 * What sampling costs (docs/design/metrics.md): gets of a hundred hot keys, random gets and random
 * puts, on two engines of the same content, one of which samples one call in `interval`, the other
 * none. The two take turns in slices of some ten milliseconds, each first as often as second, and
 * the medians of the slices are compared, so that what else the machine does falls on both. Time is
 * the processor's that the thread had: what it waited for is not sampling's.
 *
 *   metrics DIRECTORY [SLICES [INTERVAL]]
 */
#include "base/random.h"
#include "engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORDS 200000u
#define HOT 100u
#define VALUE_SIZE 100u
#define SLICES_MOST 10000u

enum row
{
  READHOT,
  READRANDOM,
  FILLRANDOM,
  ROWS,
};

static const char *const names[ROWS] = { "readhot", "readrandom", "fillrandom" };
static const unsigned calls[ROWS] = { 200000, 50000, 20000 }; /* of a slice */

static struct failure failure;
static char value[VALUE_SIZE];

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
require (status result)
{
  if (result == STATUS_OK)
    return;
  fprintf (stderr, "%s\n", failure.message);
  exit (1);
}

static struct bytes
key_of (char to[32], uint64_t number)
{
  return BYTES (to, (size_t) snprintf (to, 32, "key-%012" PRIu64, number));
}

static void
put (struct engine *engine, uint64_t number)
{
  char key[32];
  require (engine_put (engine, ENGINE_STORE_DEFAULT, key_of (key, number),
                       BYTES (value, sizeof value), ENGINE_SYNC_ASYNC, NULL, &failure));
}

static struct engine *
open_filled (const char *directory, const char *name, uint32_t interval)
{
  char path[4096];
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = UINT64_C (256) << 20;
  options.sampling_interval = interval;
  snprintf (path, sizeof path, "%s/%s", directory, name);
  require (
      engine_open (path, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &options, &engine, &failure));
  for (uint64_t i = 0; i < RECORDS; i++)
    put (engine, i);
  require (engine_compact (engine, NULL, NULL, &failure));
  return engine;
}

static void
call (struct engine *engine, enum row row, struct random *random)
{
  char key[32], to[VALUE_SIZE];
  size_t size;
  uint64_t number = random_below (random, row == READHOT ? HOT : RECORDS);
  if (row == FILLRANDOM)
    put (engine, number);
  else
    require (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, key_of (key, number), to, sizeof to,
                         &size, &failure));
}

static double
slice (struct engine *engine, enum row row, uint64_t seed)
{
  struct random random = { seed };
  double began = now ();
  for (unsigned i = 0; i < calls[row]; i++)
    call (engine, row, &random);
  return (now () - began) * 1e9 / calls[row];
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static void
measure (struct engine *engines[2], enum row row, unsigned slices)
{
  static double times[2][SLICES_MOST];
  for (unsigned i = 0; i < 2; i++) /* caches, hot records */
    slice (engines[i], row, 1);
  for (unsigned s = 0; s < slices; s++)
    for (unsigned turn = 0; turn < 2; turn++)
      {
        unsigned which = (s + turn) % 2;
        times[which][s] = slice (engines[which], row, s);
      }
  for (unsigned i = 0; i < 2; i++)
    qsort (times[i], slices, sizeof *times[i], compare_doubles);
  double without = times[0][slices / 2], with = times[1][slices / 2];
  printf ("%-12s %8.1f ns %8.1f ns  %+.2f %%\n", names[row], without, with,
          (with / without - 1) * 100);
}

int
main (int argc, char **argv)
{
  if (argc < 2)
    {
      fprintf (stderr, "usage: metrics DIRECTORY [SLICES [INTERVAL]]\n");
      return 2;
    }
  unsigned slices = argc > 2 ? (unsigned) atoi (argv[2]) : 101;
  unsigned interval = argc > 3 ? (unsigned) atoi (argv[3]) : 1024;
  if (slices == 0 || slices > SLICES_MOST)
    slices = 101;
  memset (value, 'v', sizeof value);
  struct engine *engines[2]
      = { open_filled (argv[1], "without", 0), open_filled (argv[1], "with", interval) };
  printf ("%u slices, one call in %u sampled; the key's making is part of each call\n", slices,
          interval);
  printf ("row           without        with        more\n");
  for (unsigned row = 0; row < ROWS; row++)
    measure (engines, (enum row) row, slices);
  for (unsigned i = 0; i < 2; i++)
    {
      require (engine_close (engines[i], &failure));
      engine_unref (engines[i]);
    }
  return 0;
}
