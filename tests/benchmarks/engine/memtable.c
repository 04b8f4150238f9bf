/* SPDX-License-Identifier: MIT */
/*
 * The memtable alone: nanoseconds per insert, overwrite, get, miss and step of an iterator, and
 * bytes per record beside the payload.
 *
 *   memtable [megabytes] [rounds]      default 32 MiB of 20-byte keys and 100-byte values
 *
 * Each figure is the median of the rounds. Arenas are warm from the first round on, as they are in
 * a database that has switched memtables before.
 */
#include "memtable/memtable.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEY_SIZE 20u
#define VALUE_SIZE 100u
#define ROUNDS_MAX 31

enum figure
{
  FIGURE_INSERT,
  FIGURE_OVERWRITE,
  FIGURE_HIT,
  FIGURE_HIT_DEPENDENT,
  FIGURE_MISS,
  FIGURE_NEXT,
  FIGURE_PREVIOUS,
  FIGURE_SEEK,
  FIGURES,
};

static const char *const figure_names[FIGURES]
    = { "insert", "overwrite", "hit", "hit, dependent", "miss", "next", "previous", "seek" };

enum order
{
  ORDER_RANDOM_DECIMAL,
  ORDER_RANDOM_BINARY,
  ORDER_RISING,
  ORDER_FALLING,
  ORDERS,
};

static const char *const order_names[ORDERS]
    = { "random decimal", "random binary", "rising", "falling" };

struct bench
{
  struct memtable_pool *pool;
  size_t count;                        /* records */
  uint8_t *keys;                       /* count * KEY_SIZE, in order of insertion */
  uint8_t *absent;                     /* as many keys that are not there */
  double figures[FIGURES][ROUNDS_MAX]; /* ns */
  double overhead;                     /* bytes per record beside key and value */
};

static volatile uint64_t sink;

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static void
make_key (uint8_t *to, enum order order, uint64_t index, size_t count)
{
  char text[32];
  uint64_t mixed = (index + 1) * UINT64_C (0x9e3779b97f4a7c15);
  uint64_t number = order == ORDER_RISING    ? index
                    : order == ORDER_FALLING ? count * 2 - index
                                             : mixed >> 16;
  snprintf (text, sizeof text, "%016llu",
            (unsigned long long) (number % UINT64_C (10000000000000000)));
  memcpy (to, "\0\0\0\1", 4);
  memcpy (to + 4, text, 16);
  if (order == ORDER_RANDOM_BINARY)
    {
      memcpy (to + 4, &mixed, 8);
      mixed *= UINT64_C (0xd1342543de82ef95);
      memcpy (to + 12, &mixed, 8);
    }
}

static struct bytes
key_at (const uint8_t *keys, size_t index)
{
  return BYTES (keys + index * KEY_SIZE, KEY_SIZE);
}

static void
fatal (const char *what)
{
  fprintf (stderr, "%s failed\n", what);
  exit (1);
}

static double
bench_writes (struct bench *bench, struct memtable *table, uint64_t first_sequence)
{
  uint8_t value[VALUE_SIZE] = { 1 };
  double start = now ();
  for (size_t i = 0; i < bench->count; i++)
    {
      struct record record = { .key = key_at (bench->keys, i),
                               .value = BYTES (value, VALUE_SIZE),
                               .sequence = first_sequence + i };
      if (memtable_reserve (table, 1, KEY_SIZE + VALUE_SIZE, 0, 0, NULL) != STATUS_OK)
        fatal ("memtable_reserve");
      memtable_insert (table, key_hash (record.key), &record);
    }
  return (now () - start) / (double) bench->count;
}

/* Keys are asked in another order than they were inserted in. Dependent: which key comes next is
 * known only when the value before was read. */
static inline __attribute__ ((always_inline)) double
bench_gets (struct bench *bench, struct memtable *table, const uint8_t *keys, bool dependent)
{
  uint64_t sum = 0;
  size_t index = 0;
  double start = now ();
  for (size_t i = 0; i < bench->count; i++)
    {
      struct record record;
      struct bytes key = key_at (keys, index);
      if (memtable_get (table, key, key_hash (key), UINT64_MAX, &record))
        sum += record.value.data[0];
      index += dependent ? 7919 + (sum & 1) : 7919;
      index -= index >= bench->count ? bench->count : 0;
    }
  sink += sum;
  return (now () - start) / (double) bench->count;
}

static double
bench_walk (struct bench *bench, struct memtable *table, bool forward)
{
  struct source *source;
  uint64_t sum = 0;
  if (memtable_source_new (table, &source, NULL) != STATUS_OK)
    fatal ("memtable_source_new");
  double start = now ();
  (forward ? source_first : source_last) (source, NULL);
  while (source->valid)
    {
      sum += source->record.value.size;
      (forward ? source_next : source_previous) (source, NULL);
    }
  double spent = now () - start;
  sink += sum;
  source_release (source);
  return spent / (double) bench->count;
}

static double
bench_seeks (struct bench *bench, struct memtable *table)
{
  struct source *source;
  size_t count = bench->count / 8;
  if (memtable_source_new (table, &source, NULL) != STATUS_OK)
    fatal ("memtable_source_new");
  double start = now ();
  for (size_t i = 0; i < count; i++)
    {
      source_seek (source, key_at (bench->absent, i), NULL);
      sink += source->valid;
    }
  double spent = now () - start;
  source_release (source);
  return spent / (double) count;
}

static void
bench_round (struct bench *bench, int round)
{
  struct memtable *table;
  if (memtable_new (bench->pool, &table, NULL) != STATUS_OK)
    fatal ("memtable_new");
  bench->figures[FIGURE_INSERT][round] = bench_writes (bench, table, 1);
  bench->overhead
      = (double) memtable_memory (table) / (double) bench->count - (double) (KEY_SIZE + VALUE_SIZE);
  bench->figures[FIGURE_HIT][round] = bench_gets (bench, table, bench->keys, false);
  bench->figures[FIGURE_HIT_DEPENDENT][round] = bench_gets (bench, table, bench->keys, true);
  bench->figures[FIGURE_MISS][round] = bench_gets (bench, table, bench->absent, false);
  bench->figures[FIGURE_NEXT][round] = bench_walk (bench, table, true);
  bench->figures[FIGURE_PREVIOUS][round] = bench_walk (bench, table, false);
  bench->figures[FIGURE_SEEK][round] = bench_seeks (bench, table);
  bench->figures[FIGURE_OVERWRITE][round] = bench_writes (bench, table, bench->count + 1);
  memtable_unref (table);
  epoch_collect (true);
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;
  return (left > right) - (left < right);
}

static void
bench_order (struct bench *bench, enum order order, int rounds)
{
  for (size_t i = 0; i < bench->count; i++)
    {
      make_key (bench->keys + i * KEY_SIZE, order, i, bench->count);
      make_key (bench->absent + i * KEY_SIZE, order, i + 3 * bench->count, bench->count);
    }
  for (int round = -1; round < rounds; round++)
    bench_round (bench, round < 0 ? 0 : round);
  printf ("%-15s", order_names[order]);
  for (int figure = 0; figure < FIGURES; figure++)
    {
      qsort (bench->figures[figure], (size_t) rounds, sizeof (double), compare_doubles);
      printf ("  %s %.1f", figure_names[figure], bench->figures[figure][rounds / 2]);
    }
  printf ("  bytes %+.1f\n", bench->overhead);
}

int
main (int argc, char **argv)
{
  size_t megabytes = argc > 1 ? strtoul (argv[1], NULL, 10) : 32;
  int rounds = argc > 2 ? atoi (argv[2]) : 5;
  if (megabytes == 0 || rounds < 1 || rounds > ROUNDS_MAX)
    {
      fprintf (stderr, "usage: %s [megabytes] [rounds up to %d]\n", argv[0], ROUNDS_MAX);
      return 2;
    }
  struct ledger ledger = { .budget = (uint64_t) 1 << 30 };
  struct bench bench = { .count = (megabytes << 20) / 136 };
  bench.keys = malloc (bench.count * KEY_SIZE);
  bench.absent = malloc (bench.count * KEY_SIZE);
  if (bench.keys == NULL || bench.absent == NULL
      || memtable_pool_new (&ledger, megabytes << 21, &bench.pool, NULL) != STATUS_OK)
    fatal ("setup");
  printf ("%zu records, %u + %u bytes, ns\n", bench.count, KEY_SIZE, VALUE_SIZE);
  for (int order = 0; order < ORDERS; order++)
    bench_order (&bench, (enum order) order, rounds);
  memtable_pool_free (bench.pool);
  free (bench.keys);
  free (bench.absent);
  return 0;
}
