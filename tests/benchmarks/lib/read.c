/* SPDX-License-Identifier: MIT */
/*
 * What reads cost through the public C API, beside a plain array behind the same generator and
 * verifier: the price of making the key, touching the memory and checking every byte.
 *
 *   read DIRECTORY [-n RECORDS] [-l LARGE] [-r ROUNDS] [-w WORKLOAD]…
 *
 * The database is made (and settled) when DIRECTORY holds none; else it is only read, so that two
 * builds of the library can be run in turns on one database. Keys have 16 bytes, values 100, half
 * of each random; the budget is 256 MB, nothing is compressed. Every figure is the median of the
 * rounds, with the least and the most; workloads take turns within a round.
 */
#include <lightning-db.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 16
#define VALUE_SIZE 100
#define LARGE_SIZE 100000
#define BATCH 100
#define ROUNDS_MAX 101

typedef struct
{
  LdbDatabase *database; /* what is measured */
  guint64 records;       /* of VALUE_SIZE bytes */
  guint64 large;         /* records of LARGE_SIZE bytes */
  guint8 *array;         /* of the limit rows: values in the order of their numbers */
  guint32 *hot;          /* numbers drawn from a zipf distribution over 1 % of the keys */
  guint32 hot_count;     /* of them, a power of two */
  guint64 state;         /* of the generator */
  guint64 found;         /* records seen and verified, so that nothing is optimised away */
} Bench;

typedef guint64 (*Workload) (Bench *bench); /* returns how many operations it did */

static void
check (gboolean fine, const char *what)
{
  if (fine)
    return;
  fprintf (stderr, "read: %s\n", what);
  exit (1);
}

static void
check_error (GError *error)
{
  check (error == NULL, error != NULL ? error->message : "");
}

/* ---- generator and verifier ---- */

static inline guint64
mix (guint64 number)
{
  number = (number ^ (number >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  number = (number ^ (number >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return number ^ (number >> 31);
}

static inline guint64
draw (Bench *bench)
{
  bench->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint64) (((unsigned __int128) mix (bench->state) * bench->records) >> 64);
}

/* 16 decimal digits; missing ones end in a letter. */
static inline void
make_key (guint8 *to, guint64 number)
{
  static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                              "25262728293031323334353637383940414243444546474849"
                              "50515253545556575859606162636465666768697071727374"
                              "75767778798081828384858687888990919293949596979899";
  for (int at = KEY_SIZE - 2; at >= 0; at -= 2, number /= 100)
    memcpy (to + at, pairs + 2 * (number % 100), 2);
}

/* The value's words: random ones, then a repeated one. */
static inline void
make_value (guint8 *to, guint64 number, gsize size)
{
  guint64 word = mix (number + 1);
  for (gsize at = 0; at + 8 <= size; at += 8)
    {
      if (at < size / 2)
        word = word * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + at;
      memcpy (to + at, &word, 8);
    }
  memset (to + (size & ~(gsize) 7), (int) (number & 0xff), size & 7);
}

static inline void
verify (Bench *bench, const guint8 *value, gsize size, guint64 number)
{
  guint64 word = mix (number + 1), wrong = size ^ VALUE_SIZE;
  for (gsize at = 0; at + 8 <= VALUE_SIZE; at += 8)
    {
      guint64 there;
      if (at < VALUE_SIZE / 2)
        word = word * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + at;
      memcpy (&there, value + at, 8);
      wrong |= there ^ word;
    }
  guint32 rest;
  memcpy (&rest, value + (VALUE_SIZE & ~7), 4);
  wrong |= rest ^ (guint32) ((number & 0xff) * 0x01010101u);
  check (wrong == 0, "a value is wrong");
  bench->found++;
}

/* ---- workloads ---- */

#define GETS 300000u

static guint64
limit_random (Bench *bench)
{
  guint8 key[KEY_SIZE], value[VALUE_SIZE];
  for (guint i = 0; i < GETS; i++)
    {
      guint64 number = draw (bench);
      make_key (key, number);
      memcpy (value, bench->array + number * VALUE_SIZE, VALUE_SIZE);
      __asm__ volatile("" : : "r"(key), "r"(value) : "memory");
      verify (bench, value, VALUE_SIZE, number);
    }
  return GETS;
}

static inline void
get_one (Bench *bench, guint64 number)
{
  GError *error = NULL;
  guint8 key[KEY_SIZE], value[VALUE_SIZE];
  gsize size = 0;
  make_key (key, number);
  if (!ldb_database_get_into (bench->database, key, KEY_SIZE, value, sizeof value, &size, &error))
    check_error (error);
  verify (bench, value, size, number);
}

static guint64
get_random (Bench *bench)
{
  for (guint i = 0; i < GETS; i++)
    get_one (bench, draw (bench));
  return GETS;
}

static guint64
peek_random (Bench *bench)
{
  GError *error = NULL;
  for (guint i = 0; i < GETS; i++)
    {
      LdbView view = LDB_VIEW_INIT;
      guint8 key[KEY_SIZE];
      guint64 number = draw (bench);
      make_key (key, number);
      if (!ldb_database_peek (bench->database, key, KEY_SIZE, &view, &error))
        check_error (error);
      verify (bench, view.data, view.size, number);
      ldb_view_clear (&view);
    }
  return GETS;
}

static guint64
limit_hot (Bench *bench)
{
  guint8 key[KEY_SIZE], value[VALUE_SIZE];
  for (guint i = 0; i < GETS; i++)
    {
      guint64 number = bench->hot[i & (bench->hot_count - 1)];
      make_key (key, number);
      memcpy (value, bench->array + number * VALUE_SIZE, VALUE_SIZE);
      __asm__ volatile("" : : "r"(key), "r"(value) : "memory");
      verify (bench, value, VALUE_SIZE, number);
    }
  return GETS;
}

static guint64
get_hot (Bench *bench)
{
  for (guint i = 0; i < GETS; i++)
    get_one (bench, bench->hot[i & (bench->hot_count - 1)]);
  return GETS;
}

static guint64
get_missing (Bench *bench)
{
  GError *error = NULL;
  guint8 key[KEY_SIZE], value[VALUE_SIZE];
  gsize size;
  for (guint i = 0; i < GETS; i++)
    {
      make_key (key, draw (bench));
      key[KEY_SIZE - 1] = 'x';
      check (!ldb_database_get_into (bench->database, key, KEY_SIZE, value, sizeof value, &size,
                                     &error),
             "a missing key is there");
    }
  check_error (error);
  return GETS;
}

static guint64
get_many (Bench *bench)
{
  GError *error = NULL;
  GBytes *keys[BATCH];
  guint64 numbers[BATCH];
  guint8 key[KEY_SIZE];
  for (guint i = 0; i < GETS; i += BATCH)
    {
      for (guint j = 0; j < BATCH; j++)
        {
          numbers[j] = draw (bench);
          make_key (key, numbers[j]);
          keys[j] = g_bytes_new (key, KEY_SIZE);
        }
      GPtrArray *values = ldb_database_get_many (bench->database, keys, BATCH, NULL, &error);
      check_error (error);
      for (guint j = 0; j < BATCH; j++)
        {
          gsize size = 0;
          const guint8 *value = g_bytes_get_data (values->pdata[j], &size);
          verify (bench, value, size, numbers[j]);
          g_bytes_unref (keys[j]);
        }
      g_ptr_array_unref (values);
    }
  return GETS;
}

static guint64
scan (Bench *bench, LdbScanFlags flags)
{
  GError *error = NULL;
  guint8 expected[KEY_SIZE];
  LdbCursor *cursor = ldb_database_scan (bench->database, "0", 1, ":", 1, flags, &error);
  check_error (error);
  guint64 number = flags & LDB_SCAN_REVERSE ? bench->records - 1 : 0, count = 0;
  while (ldb_cursor_next (cursor, NULL, &error))
    {
      gsize key_size, size;
      const guint8 *key = ldb_cursor_peek_key (cursor, &key_size);
      const guint8 *value = ldb_cursor_peek_value (cursor, &size, &error);
      make_key (expected, number);
      check (key_size == KEY_SIZE && memcmp (key, expected, KEY_SIZE) == 0, "a key is wrong");
      verify (bench, value, size, number);
      number += flags & LDB_SCAN_REVERSE ? -1 : 1;
      count++;
    }
  check_error (error);
  check (count == bench->records, "a scan has lost records");
  g_object_unref (cursor);
  return count;
}

static guint64
scan_forward (Bench *bench)
{
  return scan (bench, LDB_SCAN_NONE);
}

static guint64
scan_backward (Bench *bench)
{
  return scan (bench, LDB_SCAN_REVERSE);
}

static guint64
seek_ten (Bench *bench)
{
  GError *error = NULL;
  LdbCursor *cursor = ldb_database_scan (bench->database, "0", 1, ":", 1, LDB_SCAN_NONE, &error);
  check_error (error);
  for (guint i = 0; i < GETS / 10; i++)
    {
      guint8 key[KEY_SIZE];
      guint64 number = draw (bench);
      make_key (key, number);
      gboolean there = ldb_cursor_seek (cursor, key, KEY_SIZE, NULL, &error);
      check (there, "a seek found nothing");
      for (guint step = 0; there && step <= 10; step++)
        {
          gsize size;
          const guint8 *value = ldb_cursor_peek_value (cursor, &size, &error);
          verify (bench, value, size, number + step);
          there = step < 10 && ldb_cursor_next (cursor, NULL, &error);
        }
    }
  check_error (error);
  g_object_unref (cursor);
  return GETS / 10;
}

/* Values too large for a page, lent. */
static guint64
peek_large (Bench *bench)
{
  GError *error = NULL;
  for (guint i = 0; bench->large > 0 && i < 4000; i++)
    {
      LdbView view = LDB_VIEW_INIT;
      guint8 key[KEY_SIZE];
      guint64 number = draw (bench) % bench->large;
      make_key (key, number);
      key[0] = 'L';
      if (!ldb_database_peek (bench->database, key, KEY_SIZE, &view, &error))
        check_error (error);
      guint64 sum = 0, word;
      for (gsize at = 0; at + 8 <= view.size; at += 8)
        {
          memcpy (&word, (const guint8 *) view.data + at, 8);
          sum ^= word;
        }
      check (view.size == LARGE_SIZE && sum != 0, "a large value is wrong");
      ldb_view_clear (&view);
    }
  return 4000;
}

static const struct
{
  const char *name;
  Workload run;
} workloads[] = {
  { "limit random", limit_random },
  { "get random", get_random },
  { "peek random", peek_random },
  { "limit hot", limit_hot },
  { "get hot", get_hot },
  { "get missing", get_missing },
  { "get many", get_many },
  { "scan forward", scan_forward },
  { "scan backward", scan_backward },
  { "seek + 10", seek_ten },
  { "peek large", peek_large },
};

/* ---- making ---- */

static LdbDatabase *
open_database (const char *path)
{
  GError *error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 256 << 20);
  ldb_options_set_compression_enabled (options, FALSE);
  LdbDatabase *database = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error);
  check_error (error);
  return database;
}

static void
fill (Bench *bench)
{
  GError *error = NULL;
  LdbBatch *batch = ldb_batch_new ();
  guint8 key[KEY_SIZE], value[VALUE_SIZE];
  guint8 *large = g_malloc (LARGE_SIZE);
  for (guint64 i = 0; i < bench->records; i++)
    {
      guint64 number = (i * 611953) % bench->records; /* every number once, far from in order */
      make_key (key, number);
      make_value (value, number, VALUE_SIZE);
      ldb_batch_put (batch, NULL, key, KEY_SIZE, value, VALUE_SIZE, &error);
      if (i % 1000 == 999 || i + 1 == bench->records)
        {
          ldb_database_write_batch (bench->database, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
          ldb_batch_clear (batch);
        }
      check_error (error);
    }
  for (guint64 number = 0; number < bench->large; number++)
    {
      make_key (key, number);
      key[0] = 'L';
      make_value (large, number, LARGE_SIZE);
      ldb_database_put (bench->database, key, KEY_SIZE, large, LARGE_SIZE, NULL, &error);
      check_error (error);
    }
  g_free (large);
  g_object_unref (batch);
  ldb_database_compact (bench->database, NULL, NULL, NULL, &error);
  check_error (error);
}

static void
make_inputs (Bench *bench)
{
  bench->array = g_malloc (bench->records * VALUE_SIZE);
  for (guint64 number = 0; number < bench->records; number++)
    make_value (bench->array + number * VALUE_SIZE, number, VALUE_SIZE);
  /* Zipf with an exponent of 0.99 over 1 % of the keys, by inverting its distribution. */
  guint ranks = (guint) MAX (bench->records / 100, 1);
  double *sums = g_new (double, ranks), sum = 0;
  for (guint rank = 0; rank < ranks; rank++)
    sums[rank] = sum += __builtin_pow (rank + 1, -0.99);
  bench->hot_count = 1 << 18;
  bench->hot = g_new (guint32, bench->hot_count);
  for (guint i = 0; i < bench->hot_count; i++)
    {
      double wanted = (double) (mix (i + 77) >> 11) / (double) (1ull << 53) * sum;
      guint low = 0, high = ranks - 1;
      while (low < high)
        if (sums[(low + high) / 2] < wanted)
          low = (low + high) / 2 + 1;
        else
          high = (low + high) / 2;
      bench->hot[i] = (guint32) (mix (low) % bench->records);
    }
  g_free (sums);
}

static int
compare (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static gboolean
is_wanted (char **wanted, const char *name)
{
  return wanted == NULL || g_strv_contains ((const char *const *) wanted, name);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  int rounds = 5;
  gint64 records = 1000000, large = 400;
  g_auto (GStrv) wanted = NULL;
  GOptionEntry entries[] = {
    { "records", 'n', 0, G_OPTION_ARG_INT64, &records, "in a new database", "N" },
    { "large", 'l', 0, G_OPTION_ARG_INT64, &large, "large values in it; 0: none", "N" },
    { "rounds", 'r', 0, G_OPTION_ARG_INT, &rounds, "of each workload", "N" },
    { "workload", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &wanted, "only this one", "NAME" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("DIRECTORY");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
    {
      fprintf (stderr, "read: %s\n", error != NULL ? error->message : "name a directory");
      return 2;
    }

  Bench bench = { .database = open_database (argv[1]),
                  .records = (guint64) MAX (records, 1000),
                  .large = (guint64) MAX (large, 0),
                  .state = 1 };
  if (ldb_database_get_sequence (bench.database) == 0)
    fill (&bench);
  make_inputs (&bench);
  rounds = CLAMP (rounds, 1, ROUNDS_MAX);
  double times[G_N_ELEMENTS (workloads)][ROUNDS_MAX];
  for (int round = -1; round < rounds; round++) /* the first one warms up */
    for (guint i = 0; i < G_N_ELEMENTS (workloads); i++)
      if (is_wanted (wanted, workloads[i].name))
        {
          gint64 start = g_get_monotonic_time ();
          guint64 operations = workloads[i].run (&bench);
          if (round >= 0)
            times[i][round]
                = (double) (g_get_monotonic_time () - start) * 1000 / (double) operations;
        }
  for (guint i = 0; i < G_N_ELEMENTS (workloads); i++)
    if (is_wanted (wanted, workloads[i].name))
      {
        qsort (times[i], (size_t) rounds, sizeof (double), compare);
        double median = times[i][rounds / 2];
        printf ("%-14s %8.1f ns  (%.1f … %.1f)  %8.2f M/s\n", workloads[i].name, median,
                times[i][0], times[i][rounds - 1], 1000 / median);
      }
  ldb_database_close (bench.database, NULL, &error);
  check_error (error);
  g_object_unref (bench.database);
  g_free (bench.array);
  g_free (bench.hot);
  return 0;
}
