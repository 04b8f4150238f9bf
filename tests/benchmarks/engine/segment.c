/* SPDX-License-Identifier: MIT */
/*
 * What a segment costs: building, getting, walking. Keys are 16 bytes (store id and 12 digits),
 * values 100 bytes; everything is cached before it is timed.
 *
 *   segment DIRECTORY [RECORDS [CODEC [NAME]]]    CODEC: 0 none, 1 zstd, 2 LZ4, 3 Snappy;
 *                                                 NAME: only what is called so, e.g. "get dep"
 *
 * "ind": a loop over ready keys. "dep": the next key waits for the last value. Each figure is the
 * median of five rounds.
 */
#include "segment/segment.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEY_SIZE 16u
#define VALUE_SIZE 100u
#define PROBES 1000000u
#define ROUNDS 5
#define BATCH 100u

struct bench
{
  struct segment *segment; /* what is measured */
  uint64_t records;        /* in it */
  uint8_t *keys;           /* PROBES random ones of its keys, KEY_SIZE bytes each */
  const char *only;        /* measure nothing else; NULL: all */
  uint64_t sum;            /* of everything read, so that nothing is optimised away */
};

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
require (status result, const struct failure *failure)
{
  if (result == STATUS_OK)
    return;
  fprintf (stderr, "%s: %s\n", status_name (result), failure->message);
  exit (1);
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

/* Key number `n`; odd numbers are missing ones. */
static void
make_key (uint8_t to[KEY_SIZE], uint64_t n)
{
  memcpy (to, "\0\0\0\1", 4);
  for (unsigned i = 0; i < 12; i++, n /= 10)
    to[KEY_SIZE - 1 - i] = (uint8_t) ('0' + n % 10);
}

static void
build (struct vfs_directory *directory, struct ledger *ledger, uint64_t records, enum codec codec,
       struct segment_information *out)
{
  struct failure failure = FAILURE_INIT;
  struct segment_settings settings = { .directory = directory,
                                       .number = 1,
                                       .page_size = 4096,
                                       .codec = codec,
                                       .compression_level = 3,
                                       .filter = FILTER_FUSE8,
                                       .direct = getenv ("DIRECT") != NULL,
                                       .ledger = ledger };
  struct segment_writer *writer;
  struct random random = { 1 };
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  double start = now ();
  require (segment_writer_open (&settings, &writer, &failure), &failure);
  for (uint64_t i = 0; i < records; i++)
    {
      make_key (key, 2 * i);
      for (unsigned at = 0; at < VALUE_SIZE; at += 4)
        {
          uint32_t word = (uint32_t) random_next (&random) & (at < 48 ? UINT32_MAX : 0x0f0f0f0f);
          memcpy (value + at, &word, 4);
        }
      struct record record = { BYTES (key, KEY_SIZE), BYTES (value, VALUE_SIZE), 0, 0, RECORD_PUT };
      require (segment_writer_add (writer, &record, &failure), &failure);
    }
  double added = now ();
  require (segment_writer_finish (writer, out, &failure), &failure);
  double end = now ();
  double data = (double) records * (KEY_SIZE + VALUE_SIZE);
  printf ("build           %7.1f ns/record  %7.1f MB/s  (adding %.1f ns/record)\n",
          (end - start) * 1e9 / (double) records, data / 1e6 / (end - start),
          (added - start) * 1e9 / (double) records);
  printf ("file            %7.1f bytes/record  %.3f of the data\n",
          (double) out->file_size / (double) records, (double) out->file_size / data);
}

static void
get_independent (struct bench *bench)
{
  for (unsigned i = 0; i < PROBES; i++)
    {
      struct bytes key = BYTES (bench->keys + (size_t) i * KEY_SIZE, KEY_SIZE);
      struct segment_lookup lookup;
      uint64_t copy[13];
      epoch_enter ();
      if (segment_get (bench->segment, key, key_hash (key), SEQUENCE_MAX, &lookup, NULL)
          == STATUS_OK)
        {
          memcpy (copy, lookup.record.value.data, VALUE_SIZE);
          bench->sum += copy[0] + copy[11];
        }
      epoch_leave ();
    }
}

static void
get_dependent (struct bench *bench)
{
  uint64_t at = 0;
  for (unsigned i = 0; i < PROBES; i++)
    {
      struct bytes key = BYTES (bench->keys + at * KEY_SIZE, KEY_SIZE);
      struct segment_lookup lookup;
      uint64_t copy[13] = { 0 };
      epoch_enter ();
      if (segment_get (bench->segment, key, key_hash (key), SEQUENCE_MAX, &lookup, NULL)
          == STATUS_OK)
        memcpy (copy, lookup.record.value.data, VALUE_SIZE);
      epoch_leave ();
      bench->sum += copy[11];
      at = (at + 1 + (copy[11] & 1)) % PROBES;
    }
}

static void
get_missing (struct bench *bench)
{
  for (unsigned i = 0; i < PROBES; i++)
    {
      uint8_t raw[KEY_SIZE];
      memcpy (raw, bench->keys + (size_t) i * KEY_SIZE, KEY_SIZE);
      raw[KEY_SIZE - 1] |= 1;
      struct bytes key = BYTES (raw, KEY_SIZE);
      struct segment_lookup lookup;
      epoch_enter ();
      bench->sum += segment_get (bench->segment, key, key_hash (key), SEQUENCE_MAX, &lookup, NULL)
                    == STATUS_OK;
      epoch_leave ();
    }
}

static void
get_many (struct bench *bench)
{
  struct segment *segments[BATCH];
  struct bytes keys[BATCH];
  uint64_t hashes[BATCH];
  struct segment_lookup lookups[BATCH];
  status results[BATCH];
  struct failure failure = FAILURE_INIT;
  for (unsigned i = 0; i < PROBES; i += BATCH)
    {
      for (unsigned j = 0; j < BATCH; j++)
        {
          segments[j] = bench->segment;
          keys[j] = BYTES (bench->keys + (size_t) (i + j) * KEY_SIZE, KEY_SIZE);
          hashes[j] = key_hash (keys[j]);
          results[j] = STATUS_BUSY;
        }
      epoch_enter ();
      segment_get_many (segments, keys, hashes, BATCH, SEQUENCE_MAX, lookups, results, &failure);
      for (unsigned j = 0; j < BATCH; j++)
        if (results[j] == STATUS_OK)
          {
            bench->sum += lookups[j].record.value.data[VALUE_SIZE - 1];
            cache_unpin (lookups[j].page);
          }
      epoch_leave ();
    }
}

static void
walk (struct bench *bench, bool backward, bool bypass)
{
  struct segment_source_settings settings = { .prefetch = 16, .bypass = bypass };
  struct failure failure = FAILURE_INIT;
  struct source *source;
  require (segment_source_new (bench->segment, &settings, &source, &failure), &failure);
  require (backward ? source_last (source, &failure) : source_first (source, &failure), &failure);
  while (source->valid)
    {
      bench->sum += source->record.key.data[KEY_SIZE - 1] + source->record.value.data[0];
      require (backward ? source_previous (source, &failure) : source_next (source, &failure),
               &failure);
    }
  source_release (source);
}

static void
walk_forward (struct bench *bench)
{
  walk (bench, false, false);
}

static void
walk_backward (struct bench *bench)
{
  walk (bench, true, false);
}

static void
walk_past_cache (struct bench *bench)
{
  walk (bench, false, true);
}

#define SEEKS (PROBES / 10)

static void
seek_ten (struct bench *bench)
{
  struct segment_source_settings settings = { 0 };
  struct failure failure = FAILURE_INIT;
  struct source *source;
  require (segment_source_new (bench->segment, &settings, &source, &failure), &failure);
  for (unsigned i = 0; i < SEEKS; i++)
    {
      struct bytes key = BYTES (bench->keys + (size_t) i * KEY_SIZE, KEY_SIZE);
      require (source_seek (source, key, &failure), &failure);
      for (unsigned step = 0; step < 10 && source->valid; step++)
        {
          bench->sum += source->record.value.data[0];
          require (source_next (source, &failure), &failure);
        }
    }
  source_release (source);
}

static void
measure (struct bench *bench, const char *name, void (*run) (struct bench *), uint64_t operations)
{
  double times[ROUNDS];
  if (bench->only != NULL && strcmp (bench->only, name) != 0)
    return;
  run (bench);
  for (unsigned round = 0; round < ROUNDS; round++)
    {
      double start = now ();
      run (bench);
      times[round] = (now () - start) * 1e9 / (double) operations;
    }
  qsort (times, ROUNDS, sizeof *times, compare_doubles);
  printf ("%-15s %7.1f ns  (%.1f … %.1f)\n", name, times[ROUNDS / 2], times[0], times[ROUNDS - 1]);
}

int
main (int argc, char **argv)
{
  struct failure failure = FAILURE_INIT;
  struct ledger ledger = { .budget = UINT64_C (4) << 30 };
  struct vfs_directory *directory;
  struct segment_information information;
  struct cache *cache;
  struct bench bench = { .records = 1000000 };
  enum codec codec = argc > 3 ? (enum codec) atoi (argv[3]) : CODEC_NONE;
  if (argc < 2)
    {
      fprintf (stderr, "usage: %s DIRECTORY [RECORDS [CODEC [NAME]]]\n", argv[0]);
      return 2;
    }
  if (argc > 2)
    bench.records = strtoull (argv[2], NULL, 10);

  if (argc > 4)
    bench.only = argv[4];

  require (vfs_directory_open (vfs_posix (), argv[1], true, &directory, &failure), &failure);
  build (directory, &ledger, bench.records, codec, &information);
  require (cache_new (&ledger, 4096, UINT64_C (3) << 30, &cache, &failure), &failure);
  struct segment_reader_settings settings = {
    .directory = directory, .cache = cache, .ledger = &ledger, .build_index = true, .verify = true
  };
  require (segment_open (&settings, &information, &bench.segment, &failure), &failure);
  bench.keys = malloc ((size_t) PROBES * KEY_SIZE);
  struct random random = { 2 };
  for (unsigned i = 0; i < PROBES; i++)
    make_key (bench.keys + (size_t) i * KEY_SIZE, 2 * random_below (&random, bench.records));

  double start = now ();
  walk_forward (&bench);
  printf ("first walk      %7.1f ns/record\n", (now () - start) * 1e9 / (double) bench.records);
  measure (&bench, "get ind", get_independent, PROBES);
  measure (&bench, "get dep", get_dependent, PROBES);
  measure (&bench, "get missing", get_missing, PROBES);
  measure (&bench, "get many", get_many, PROBES);
  measure (&bench, "walk forward", walk_forward, bench.records);
  measure (&bench, "walk backward", walk_backward, bench.records);
  measure (&bench, "walk past cache", walk_past_cache, bench.records);
  measure (&bench, "seek + 10", seek_ten, SEEKS);
  struct segment_shape shape;
  segment_shape (bench.segment, &shape);
  printf ("memory          index %.2f, filter %.2f, page table %.2f bytes/record; %" PRIu64
          " leaves, depth %u\n",
          (double) shape.index_memory / (double) bench.records,
          (double) shape.filter_memory / (double) bench.records,
          (double) shape.table_memory / (double) bench.records, shape.leaves, shape.depth);
  printf ("sum %" PRIx64 "\n", bench.sum);
  segment_mark_obsolete (bench.segment);
  segment_unref (bench.segment);
  segment_information_clear (&information);
  epoch_collect (true);
  cache_free (cache);
  vfs_directory_close (directory);
  free (bench.keys);
  return 0;
}
