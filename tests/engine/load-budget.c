/* SPDX-License-Identifier: MIT */
/* engine-load: memory while loading, settling, reading at random and scanning. */
#include "measured-engine.h"

#include <sys/wait.h>

/* What is stored while memory is measured. */
enum shape
{
  SHAPE_SMALL,  /* records of 116 bytes */
  SHAPE_MIXED,  /* four stores; values of 10 B to 100 KB, so that some are in blob files */
  SHAPE_LOADER, /* the small ones, by the bulk loader */
};

static uint64_t budget_most; /* over the phases of one measurement */

static double
phase_begin (void)
{
  sampler_start (true);
  return now ();
}

static double
in_megabytes (uint64_t now, uint64_t before)
{
  return ((double) now - (double) before) / (double) MIB;
}

/* What the most was made of: by the kernel, by the ledger. */
static void
print_parts (void)
{
  static const char *const accounts[LEDGER_ACCOUNTS] = {
    [LEDGER_CACHE] = "cache",    [LEDGER_PAGE_TABLE] = "page tables", [LEDGER_INDEX] = "indexes",
    [LEDGER_FILTER] = "filters", [LEDGER_MEMTABLE] = "memtables",     [LEDGER_LOG] = "log",
    [LEDGER_MERGE] = "merging",  [LEDGER_SEGMENT] = "segments",       [LEDGER_OTHER] = "other"
  };
  const struct memory *most = &sampler.at_most, *base = &sampler.base;
  printf ("      anonymous %.2f, log %.2f; about: mapped %.2f, heap %.2f, threads' heaps %.2f (of "
          "both %.2f in use), stacks "
          "%.2f, program %.2f\n      ledger:",
          in_megabytes (most->anonymous, base->anonymous), in_megabytes (most->log, base->log),
          in_megabytes (most->mapped, base->mapped), in_megabytes (most->heap, base->heap),
          in_megabytes (most->heaps, base->heaps), in_megabytes (sampler.heaps_at_most.uordblks, 0),
          in_megabytes (most->stacks, base->stacks), in_megabytes (most->program, base->program));
  double sum = 0;
  for (int account = 0; account < LEDGER_ACCOUNTS; account++)
    {
      double used = (double) sampler.ledger_at_most[account] / (double) MIB;
      printf (" %s %.2f,", accounts[account], used);
      sum += used;
    }
  printf (" sum %.2f\n", sum);
}

static void
phase_end (const char *name, double started)
{
  sampler_stop ();
  if (sampler.samples == 0)
    return;
  budget_most = sampler.most > budget_most ? sampler.most : budget_most;
  printf ("    %-8s most %6.2f MB, mean %6.2f, ledger at most %6.2f; %.1f s\n", name,
          (double) sampler.most / (double) MIB,
          sampler.sum / (double) sampler.samples / (double) MIB,
          (double) sampler.most_ledger / (double) MIB, now () - started);
  print_parts ();
}

static size_t
mixed_size (uint64_t number)
{
  struct random random = { number * 31 };
  size_t size = (size_t) 10 << random_below (&random, 9);
  return size + (size_t) random_below (&random, random_below (&random, 100) == 0 ? 100000 : size);
}

static uint64_t
load_mixed (uint64_t size, engine_store stores[4])
{
  static const char *const names[] = { "one", "two", "three", "four" };
  static uint8_t value[200000];
  uint8_t key[KEY_SIZE];
  uint64_t count = 0;
  for (size_t i = 0; i < 4; i++)
    CHECK_OK (engine_store_open (engine, names[i], true, &stores[i], &failure));
  for (uint64_t bytes = 0; bytes < size; count++)
    {
      size_t value_size = mixed_size (count);
      for (size_t i = 0; i < value_size; i += VALUE_SIZE)
        make_value (value + i, count, i);
      CHECK_OK (engine_put (engine, stores[count % 4], make_key (key, count),
                            BYTES (value, value_size), ENGINE_SYNC_DEFAULT, NULL, &failure));
      bytes += value_size + KEY_SIZE;
    }
  return count;
}

static void
read_mixed (const engine_store stores[4], uint64_t count, uint64_t reads)
{
  struct random random = { 98 };
  uint8_t key[KEY_SIZE];
  for (uint64_t i = 0; i < reads; i++)
    {
      struct engine_value value;
      uint64_t number = random_below (&random, count);
      CHECK_OK (engine_get_value (engine, NULL, stores[number % 4], make_key (key, number), &value,
                                  &failure));
      CHECK (value.data.size == mixed_size (number));
      engine_value_release (&value);
    }
}

static void
load_in_bulk (uint64_t count)
{
  struct engine_loader *loader;
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (uint64_t i = 0; i < count; i++)
    CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, make_key (key, i),
                                 make_value (value, i, 0), &failure));
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
}

static void
scan (engine_store store)
{
  struct engine_cursor *cursor;
  struct engine_cursor_settings settings = { .store = store };
  struct bytes value;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  while (engine_cursor_valid (cursor))
    {
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
}

static void
measure_budget_at (uint64_t budget, uint64_t size, enum engine_compression compression,
                   enum shape shape)
{
  static const char *const shapes[] = { "small records", "mixed sizes, 4 stores", "bulk loader" };
  struct engine_options options;
  engine_store stores[4];
  uint64_t count = size / RECORD_SIZE, reads = 2000000;
  engine_options_init (&options);
  options.memory_budget = budget * MIB;
  options.compression = compression;
  new_directory ();
  engine = NULL;
  budget_most = 0;
  sampler.base = (struct memory){ 0 };
  sampler_start (true); /* so that its own memory is in the base */
  usleep (100000);
  sampler_stop ();
  sampler.base = own_memory ();
  uint64_t tenth = options.memory_budget / 10;
  uint64_t limit = options.memory_budget + (tenth > 2 * MIB ? tenth : 2 * MIB);
  printf ("budget %3lu MB, %lu MB of %s, %s:\n", budget, size / MIB, shapes[shape],
          compression == ENGINE_COMPRESSION_NONE ? "not compressed" : "compressed");
  open_database (&options);
  double started = phase_begin ();
  if (shape == SHAPE_LOADER)
    load_in_bulk (count);
  else if (shape == SHAPE_MIXED)
    count = load_mixed (size, stores);
  else
    for (uint64_t i = 0; i < count; i++)
      put (i, 0);
  phase_end ("load", started);
  for (unsigned pass = 0; pass < 2; pass++)
    {
      started = phase_begin ();
      if (shape == SHAPE_MIXED)
        read_mixed (stores, count, reads / 10);
      else
        read_at_random (count, pass == 0 ? reads / 4 : reads);
      phase_end (pass == 0 ? "read" : "reread", started);
      started = phase_begin ();
      if (pass == 0)
        settle ();
      else
        scan (shape == SHAPE_MIXED ? stores[0] : ENGINE_STORE_DEFAULT);
      phase_end (pass == 0 ? "settle" : "scan", started);
    }
  printf ("  most %.1f MB, limit %.1f: %s\n", (double) budget_most / (double) MIB,
          (double) limit / (double) MIB, budget_most <= limit ? "kept" : "MISSED");
  close_database ();
  engine = NULL;
  drop_directory ();
}

/* In a process of its own: what the allocator keeps of one measurement is not in the base of the
 * next. */
static void
measure_budget_apart (uint64_t budget, uint64_t size, enum engine_compression compression,
                      enum shape shape)
{
  int result;
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      measure_budget_at (budget, size, compression, shape);
      exit (0);
    }
  CHECK (waitpid (child, &result, 0) == child && WIFEXITED (result) && WEXITSTATUS (result) == 0);
}

void
measure_budget (void)
{
  uint64_t size = (megabytes > 0 ? megabytes : 2048) * MIB;
  static const uint64_t budgets[] = { 10, 64, 256 };
  for (size_t i = 0; i < 3; i++)
    for (unsigned shape = 0; shape < 3; shape++)
      if ((only == 0 || only == budgets[i]) && (shape == SHAPE_SMALL || !only_small))
        {
          uint64_t part = shape == SHAPE_SMALL ? size : size / 4;
          if (!compressed)
            measure_budget_apart (budgets[i], part, ENGINE_COMPRESSION_NONE, (enum shape) shape);
          if (!uncompressed)
            measure_budget_apart (budgets[i], part, ENGINE_COMPRESSION_ADAPTIVE,
                                  (enum shape) shape);
        }
}
