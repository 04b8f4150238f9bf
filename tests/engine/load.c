/* SPDX-License-Identifier: MIT */
/*
 * load: measures what the engine promises about memory, disk, waking up and waiting. Run by hand:
 *
 *   engine-load [--directory DIR] [--megabytes N] [--budget 10|64|256] [--small]
 *               [--compressed | --uncompressed] WHAT…
 *
 *   budget         memory while loading, settling, reading at random and scanning, at 10, 64 and 256 MB
 *   idle           context switches of an open, settled database's threads in 60 s
 *   open           time to open a settled database of a million records
 *   amplification  bytes written for a random fill and settling, files afterwards, by compression
 *   overwrite      bytes rewritten by settling after 1 % was overwritten, and reads beside it
 *   latency        every put's time in a random load, the worst one's cause, the most disk used
 *   churn          the most disk used while every record is overwritten four times at random
 *
 * --megabytes scales budget (2048), overwrite (5120), latency (4096) and churn (1024).
 * --uncompressed is for overwrite, latency and churn; budget measures both ways unless one is
 * named, and three kinds of data unless --small. DIR must be on a disk: in memory the kernel counts
 * no writes. It asserts nothing: it prints figures beside their limits.
 */
#include "measured-engine.h"

#include <dirent.h>

/* ---- idle, open ---- */

static void
fill_million (const struct engine_options *options)
{
  new_directory ();
  open_database (options);
  for (uint64_t i = 0; i < 1000000; i++)
    put (i, 0);
  settle ();
}

static void
measure_idle (void)
{
  struct engine_options options;
  engine_options_init (&options);
  fill_million (&options);
  usleep (3000000);
  uint64_t before = switches_of_others ();
  sleep (60);
  uint64_t after = switches_of_others ();
  printf ("idle: %lu context switches of its threads in 60 s; limit 0: %s\n", after - before,
          after == before ? "kept" : "MISSED");
  close_database ();
  drop_directory ();
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static void
measure_open (void)
{
  enum
  {
    TIMES = 21
  };
  struct engine_options options;
  double took[TIMES];
  engine_options_init (&options);
  fill_million (&options);
  close_database ();
  for (unsigned i = 0; i < TIMES; i++)
    {
      double started = now ();
      open_database (&options);
      took[i] = (now () - started) * 1e3;
      read_at_random (1000000, 10);
      close_database ();
    }
  qsort (took, TIMES, sizeof *took, compare_doubles);
  printf ("open: a settled million: median %.2f ms, least %.2f, most %.2f; limit 10 ms: %s\n",
          took[TIMES / 2], took[0], took[TIMES - 1], took[TIMES / 2] < 10 ? "kept" : "MISSED");
  drop_directory ();
}

/* ---- write amplification and size ---- */

static void
measure_amplification_of (enum engine_compression compression, const char *name, double limit)
{
  struct engine_options options;
  struct engine_statistics statistics;
  engine_options_init (&options);
  options.compression = compression;
  options.memtable_size = 8 * MIB; /* the data is above eight of them */
  uint64_t before = written_bytes ();
  fill_million (&options);
  CHECK_OK (engine_checkpoint (engine, &failure));
  settle ();
  engine_statistics (engine, &statistics);
  double data = 1000000.0 * RECORD_SIZE;
  double counted = (double) (statistics.flush_bytes + statistics.merge_bytes_written
                             + statistics.log_written_bytes);
  uint64_t spare = statistics.spare_log_bytes;
  close_database ();
  uint64_t written = written_bytes () - before, files = disk_bytes ();
  printf (
      "amplification, %s: %.2f by the kernel's count, %.2f by the engine's (log %.2f, flushes "
      "%.2f, merges %.2f); limit 3.5: %s; files %.3f x the data (%lu runs, spare log of %.1f MB "
      "not in it); limit %.2f: %s\n",
      name, (double) written / data, counted / data, (double) statistics.log_written_bytes / data,
      (double) statistics.flush_bytes / data, (double) statistics.merge_bytes_written / data,
      (double) written / data <= 3.5 ? "kept" : "MISSED",
      (double) (files - (files > spare ? spare : 0)) / data, statistics.runs,
      (double) spare / (double) MIB, limit,
      (double) (files - (files > spare ? spare : 0)) / data <= limit ? "kept" : "MISSED");
  drop_directory ();
}

static void
measure_amplification (void)
{
  measure_amplification_of (ENGINE_COMPRESSION_NONE, "not compressed", 1.1);
  measure_amplification_of (ENGINE_COMPRESSION_ADAPTIVE, "compressed", 0.65);
}

/* ---- overwriting a little of much ---- */

static void
measure_overwrite (void)
{
  struct engine_options options;
  struct engine_statistics before, after;
  uint64_t size = (megabytes > 0 ? megabytes : 5120) * MIB, count = size / RECORD_SIZE;
  struct engine_loader *loader;
  struct random random = { 5 };
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  choose_options (&options);
  new_directory ();
  open_database (&options);
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (uint64_t i = 0; i < count; i++)
    CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, make_key (key, i),
                                 make_value (value, i, 0), &failure));
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  settle ();
  read_at_random (count, 200000);
  double settled = read_at_random (count, 500000);
  engine_statistics (engine, &before);
  for (uint64_t i = 0; i < count / 100; i++)
    put (random_below (&random, count), 1);
  settle ();
  engine_statistics (engine, &after);
  read_at_random (count, 200000);
  double later = read_at_random (count, 500000);
  double user = (double) (after.user_bytes - before.user_bytes);
  double rewritten = (double) (after.merge_bytes_written - before.merge_bytes_written);
  printf ("overwrite: %lu MB settled (%lu runs), 1 %% (%.1f MB) overwritten: merges wrote %.1f MB, "
          "%.2f x what was written, %lu runs; limit 10: %s; a get %.2f us, before %.2f us: %.2f x; "
          "limit 1.5: %s\n",
          size / MIB, before.runs, user / (double) MIB, rewritten / (double) MIB, rewritten / user,
          after.runs, rewritten / user <= 10 ? "kept" : "MISSED", later, settled, later / settled,
          later / settled <= 1.5 ? "kept" : "MISSED");
  close_database ();
  drop_directory ();
}

/* ---- overwriting everything, again and again ---- */

static void
measure_churn (void)
{
  enum
  {
    ROUNDS = 4
  };
  struct engine_options options;
  struct engine_statistics statistics;
  uint64_t size = (megabytes > 0 ? megabytes : 1024) * MIB, count = size / RECORD_SIZE;
  struct random random = { 7 };
  double data = (double) count * RECORD_SIZE, most[1 + ROUNDS];
  choose_options (&options);
  new_directory ();
  open_database (&options);
  sampler.base = (struct memory){ 0 };
  double started = now ();
  for (unsigned round = 0; round <= ROUNDS; round++)
    {
      sampler_start (false);
      for (uint64_t i = 0; i < count; i++)
        put (round == 0 ? i : random_below (&random, count), round);
      sampler_stop ();
      most[round] = (double) sampler.most / data;
    }
  double took = now () - started;
  engine_statistics (engine, &statistics);
  sampler_start (false);
  settle ();
  sampler_stop ();
  double settling = (double) sampler.most / data, worst = settling;
  printf (
      "churn: %lu MB, overwritten %d times at random, %.0f puts/s; flushes and merges wrote %.2f "
      "bytes per user byte\n  most disk used, x the data: loading %.2f, rounds",
      size / MIB, ROUNDS, (double) count * (1 + ROUNDS) / took,
      (double) (statistics.flush_bytes + statistics.merge_bytes_written)
          / (double) statistics.user_bytes,
      most[0]);
  for (unsigned round = 0; round <= ROUNDS; round++)
    {
      worst = most[round] > worst ? most[round] : worst;
      if (round > 0)
        printf (" %.2f", most[round]);
    }
  printf (", settling %.2f; limit 2.2: %s; after settling %.2f x\n", settling,
          worst <= 2.2 ? "kept" : "MISSED", (double) disk_bytes () / data);
  close_database ();
  drop_directory ();
}

/* ---- which ---- */

static const struct
{
  const char *name;
  void (*measure) (void);
} measurements[] = {
  { "budget", measure_budget },       { "idle", measure_idle },
  { "open", measure_open },           { "amplification", measure_amplification },
  { "overwrite", measure_overwrite }, { "latency", measure_latency },
  { "churn", measure_churn },
};

int
main (int argc, char **argv)
{
  unsigned done = 0;
  setvbuf (stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < argc; i++)
    if (i + 1 < argc && strcmp (argv[i], "--directory") == 0)
      parent = argv[++i];
    else if (i + 1 < argc && strcmp (argv[i], "--budget") == 0)
      only = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--megabytes") == 0)
      megabytes = strtoull (argv[++i], NULL, 10);
    else if (strcmp (argv[i], "--uncompressed") == 0)
      uncompressed = true;
    else if (strcmp (argv[i], "--compressed") == 0)
      compressed = true;
    else if (strcmp (argv[i], "--small") == 0)
      only_small = true;
    else
      for (size_t m = 0; m < sizeof measurements / sizeof *measurements; m++)
        if (strcmp (argv[i], measurements[m].name) == 0)
          {
            measurements[m].measure ();
            done++;
          }
  if (done > 0)
    return 0;
  fprintf (
      stderr,
      "usage: %s [--directory DIR] [--megabytes N] [--budget N] [--small] "
      "[--compressed | --uncompressed] budget|idle|open|amplification|overwrite|latency|churn …\n",
      argv[0]);
  return 2;
}
