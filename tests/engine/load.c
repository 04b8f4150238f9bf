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
#include "base/random.h"
#include "check.h"
#include "core/engine-private.h"
#include "process-memory.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define KEY_SIZE 16u
#define VALUE_SIZE 100u
#define RECORD_SIZE (KEY_SIZE + VALUE_SIZE)
#define MIB ((uint64_t) 1 << 20)
#define SETTLE_TIMEOUT (UINT64_C (900) * 1000000)

static const char *parent = "/tmp";
static uint64_t megabytes; /* 0 = each measurement's own */
static uint64_t only;      /* the one budget to measure; 0 = all three */
static bool uncompressed, compressed;
static bool only_small; /* budget: the small records alone */
static char path[512];
static struct engine *engine;
static struct failure failure;

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* ---- records ---- */

/* A permutation of 64 bits: distinct numbers give distinct keys, in random order. */
static uint64_t
scatter (uint64_t number)
{
  return random_next (&(struct random){ number });
}

static struct bytes
make_key (uint8_t to[KEY_SIZE], uint64_t number)
{
  uint64_t high = __builtin_bswap64 (scatter (number)), low = __builtin_bswap64 (number);
  memcpy (to, &high, 8);
  memcpy (to + 8, &low, 8);
  return BYTES (to, KEY_SIZE);
}

/* The number, then half noise, half text. */
static struct bytes
make_value (uint8_t to[VALUE_SIZE], uint64_t number, uint64_t round)
{
  static const char text[] = "the quick brown fox jumps over the lazy dog; ";
  struct random random = { number ^ round << 40 };
  memcpy (to, &number, 8);
  for (unsigned i = 8; i < 56; i += 8)
    {
      uint64_t word = random_next (&random);
      memcpy (to + i, &word, 8);
    }
  memcpy (to + 56, text, VALUE_SIZE - 56);
  return BYTES (to, VALUE_SIZE);
}

static void
put (uint64_t number, uint64_t round)
{
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, make_key (key, number),
                        make_value (value, number, round), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

/* Reads `reads` of `count` records at random; returns microseconds each. */
static double
read_at_random (uint64_t count, uint64_t reads)
{
  struct random random = { 99 };
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  double started = now ();
  for (uint64_t i = 0; i < reads; i++)
    {
      uint64_t number = random_below (&random, count), got;
      size_t size;
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, make_key (key, number), value,
                            sizeof value, &size, &failure));
      memcpy (&got, value, 8);
      CHECK (got == number);
    }
  return (now () - started) * 1e6 / (double) reads;
}

/* ---- opening ---- */

static void
choose_options (struct engine_options *options)
{
  engine_options_init (options);
  if (uncompressed)
    options->compression = ENGINE_COMPRESSION_NONE;
}

static void
open_database (const struct engine_options *options)
{
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, options, &engine, &failure));
}

static void
close_database (void)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

static void
new_directory (void)
{
  snprintf (path, sizeof path, "%s/engine-load-XXXXXX", parent);
  CHECK (mkdtemp (path) != NULL);
}

static void
drop_directory (void)
{
  CHECK_OK (engine_destroy (path, NULL, &failure));
}

static void
settle (void)
{
  CHECK_OK (engine_wait_settled (engine, SETTLE_TIMEOUT, &failure));
}

/* ---- what the system says ---- */

/* Bytes of this process that are its own, by what they are for. */
struct memory
{
  uint64_t anonymous; /* all that is not the log, at one moment */
  uint64_t log;       /* the log's mapping */
  uint64_t heap;      /* of the anonymous: the allocator's first heap */
  uint64_t heaps;     /* its others, for threads */
  uint64_t stacks;    /* of threads */
  uint64_t mapped;    /* other anonymous mappings: buffers, memtables, the page cache */
  uint64_t program;   /* variables of program and libraries, the first stack */
};

#define ARENA_SIZE (UINT64_C (64) << 20) /* of the allocator's further heaps, and their alignment */

static uint64_t
memory_sum (const struct memory *memory)
{
  return memory->anonymous + memory->log;
}

/* A mapping, as the kernel lists it. Those that touch and are alike are one to it. */
struct mapping
{
  uint64_t start, end;
  bool guard;                   /* cannot be touched */
  char name[512];               /* of a file, or in brackets; empty for most anonymous ones */
  uint64_t resident, anonymous; /* bytes of it in memory; of those, its own */
};

/* Adds `one` to what it counts as; `before` and `after` are its neighbours. */
static void
memory_add (struct memory *memory, const struct mapping *before, const struct mapping *one,
            const struct mapping *after)
{
  if (strstr (one->name, path) != NULL && strstr (one->name, ".log") != NULL)
    memory->log += one->resident;
  else if (strcmp (one->name, "[heap]") == 0)
    memory->heap += one->anonymous;
  else if (one->name[0] != '\0')
    memory->program += one->anonymous;
  else if (one->start % ARENA_SIZE == 0 && after->guard && after->end == one->start + ARENA_SIZE)
    memory->heaps += one->anonymous;
  else if (before->guard && before->end == one->start && before->end - before->start == 4096)
    memory->stacks += one->anonymous;
  else
    memory->mapped += one->anonymous;
}

/* What it is made of, about: the kernel lists a few mappings at a time, so that what moves
 * meanwhile is counted twice, or not at all. The log is exact but for that. */
static struct memory
own_memory (void)
{
  uint64_t anonymous = process_anonymous_memory ();
  FILE *maps = fopen ("/proc/self/smaps", "r");
  struct memory memory = { 0 };
  static struct mapping three[3]; /* the one before, this one, the next */
  char line[1024], access[8];
  uint64_t value;
  memset (three, 0, sizeof three);
  CHECK (maps != NULL);
  while (fgets (line, sizeof line, maps) != NULL)
    if (strncmp (line, "Anonymous:", 10) == 0 && sscanf (line + 10, "%lu kB", &value) == 1)
      three[2].anonymous = value << 10;
    else if (strncmp (line, "Rss:", 4) == 0 && sscanf (line + 4, "%lu kB", &value) == 1)
      three[2].resident = value << 10;
    else if (((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f'))
             && strstr (line, " kB") == NULL)
      {
        memory_add (&memory, &three[0], &three[1], &three[2]);
        three[0] = three[1];
        three[1] = three[2];
        three[2] = (struct mapping){ 0 };
        sscanf (line, "%lx-%lx %7s %*x %*s %*u %511s", &three[2].start, &three[2].end, access,
                three[2].name);
        three[2].guard = access[0] == '-';
      }
  fclose (maps);
  memory_add (&memory, &three[0], &three[1], &three[2]);
  memory_add (&memory, &three[1], &three[2], &(struct mapping){ 0 });
  memory.anonymous = anonymous;
  return memory;
}

static uint64_t
written_bytes (void)
{
  FILE *io = fopen ("/proc/self/io", "r");
  char line[128];
  uint64_t bytes = 0;
  CHECK (io != NULL);
  while (fgets (line, sizeof line, io) != NULL)
    sscanf (line, "write_bytes: %lu", &bytes);
  fclose (io);
  return bytes;
}

static uint64_t
disk_bytes (void)
{
  DIR *directory = opendir (path);
  struct dirent *entry;
  uint64_t bytes = 0;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      struct stat information;
      if (fstatat (dirfd (directory), entry->d_name, &information, 0) == 0
          && S_ISREG (information.st_mode))
        bytes += (uint64_t) information.st_blocks * 512;
    }
  if (directory != NULL)
    closedir (directory);
  return bytes;
}

/* Context switches of all threads but this one. */
static uint64_t
switches_of_others (void)
{
  DIR *tasks = opendir ("/proc/self/task");
  struct dirent *entry;
  uint64_t count = 0, value;
  CHECK (tasks != NULL);
  while ((entry = readdir (tasks)) != NULL)
    {
      char name[300], line[256];
      if (entry->d_name[0] == '.' || atoi (entry->d_name) == getpid ())
        continue;
      snprintf (name, sizeof name, "/proc/self/task/%s/status", entry->d_name);
      FILE *file = fopen (name, "r");
      while (file != NULL && fgets (line, sizeof line, file) != NULL)
        if (sscanf (line, "voluntary_ctxt_switches: %lu", &value) == 1
            || sscanf (line, "nonvoluntary_ctxt_switches: %lu", &value) == 1)
          count += value;
      if (file != NULL)
        fclose (file);
    }
  closedir (tasks);
  return count;
}

/* ---- sampling beside the work ---- */

static struct
{
  pthread_t thread;
  _Atomic bool stop;
  bool memory;        /* memory, else disk */
  struct memory base; /* before there is a database */
  uint64_t most, samples;
  struct memory at_most;                   /* what the most was made of, the base still in it */
  int64_t ledger_at_most[LEDGER_ACCOUNTS]; /* what the ledger said then */
  struct mallinfo2 heaps_at_most;          /* and the allocator */
  int64_t most_ledger;                     /* what the ledger had at most, by itself */
  double sum;
} sampler;

static void
sample_memory (void)
{
  struct memory memory = own_memory ();
  uint64_t value = memory_sum (&memory), base = memory_sum (&sampler.base);
  value = value > base ? value - base : 0;
  sampler.sum += (double) value;
  sampler.samples++;
  if (engine != NULL && ledger_total (&engine->ledger) > sampler.most_ledger)
    sampler.most_ledger = ledger_total (&engine->ledger);
  if (value <= sampler.most)
    return;
  sampler.most = value;
  sampler.at_most = memory;
  sampler.heaps_at_most = mallinfo2 ();
  for (int account = 0; account < LEDGER_ACCOUNTS && engine != NULL; account++)
    sampler.ledger_at_most[account] = ledger_used (&engine->ledger, (enum ledger_account) account);
}

static void
sample_disk (void)
{
  uint64_t value = disk_bytes ();
  sampler.most = value > sampler.most ? value : sampler.most;
}

static void *
sample_main (void *data)
{
  (void) data;
  while (!atomic_load (&sampler.stop))
    {
      if (sampler.memory)
        sample_memory ();
      else
        sample_disk ();
      usleep (sampler.memory ? 10000 : 100000);
    }
  return NULL;
}

static void
sampler_start (bool memory)
{
  sampler.memory = memory;
  sampler.most = sampler.samples = 0;
  sampler.most_ledger = 0;
  sampler.sum = 0;
  atomic_store (&sampler.stop, false);
  CHECK (pthread_create (&sampler.thread, NULL, sample_main, NULL) == 0);
}

static void
sampler_stop (void)
{
  atomic_store (&sampler.stop, true);
  pthread_join (sampler.thread, NULL);
}

/* ---- budget ---- */

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

static void
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

/* ---- latency ---- */

#define SLOTS 4096u /* of a log-linear count: 64 a power of two, from 1/16 us */

static uint64_t slots[SLOTS];
static _Thread_local double stalled; /* microseconds the present put waited for a place */
static _Atomic uint64_t flushes, merges;

static void
listen_to (void *data, const struct engine_event *event)
{
  (void) data;
  if (event->kind == ENGINE_EVENT_STALLED)
    stalled += (double) event->microseconds;
  else if (event->kind == ENGINE_EVENT_FLUSHED)
    atomic_fetch_add (&flushes, 1);
  else if (event->kind == ENGINE_EVENT_MERGED)
    atomic_fetch_add (&merges, 1);
}

static void
count_latency (double microseconds)
{
  uint64_t units = (uint64_t) (microseconds * 16) + 64;
  unsigned power = 63 - (unsigned) __builtin_clzll (units);
  unsigned slot = (power - 6) * 64 + (unsigned) (units >> (power - 6) & 63);
  slots[slot < SLOTS ? slot : SLOTS - 1]++;
}

static double
latency_at (double share, uint64_t count)
{
  uint64_t wanted = (uint64_t) ((double) count * share), seen = 0;
  for (unsigned slot = 0; slot < SLOTS; slot++)
    if ((seen += slots[slot]) > wanted)
      return ((double) ((64 + slot % 64) << (slot / 64)) - 64) / 16;
  return 0;
}

struct worst
{
  double microseconds, stalled, second;
  long voluntary, involuntary, faults; /* of this thread, in the put and up to 255 before it */
  uint64_t flushes, merges;            /* that ended during it */
};

static bool bare; /* puts go to an array: what the machine does to any program */

static void
put_bare (uint64_t number)
{
  static uint8_t array[1 << 24];
  uint8_t *to = array + number % (sizeof array / 128) * 128;
  make_key (to, number);
  make_value (to + KEY_SIZE, number, 0);
}

/* The puts above 20 ms, by what their thread did meanwhile. */
struct slow
{
  uint64_t all, waited, preempted;
};

/* `count` puts, each timed. */
static void
put_timed (uint64_t count, struct worst *worst, struct slow *slow)
{
  struct rusage usage, usage_then = { 0 };
  double started = now ();
  memset (slots, 0, sizeof slots);
  for (uint64_t i = 0; i < count; i++)
    {
      if (i % 256 == 0)
        getrusage (RUSAGE_THREAD, &usage_then);
      stalled = 0;
      uint64_t flushes_then = atomic_load (&flushes), merges_then = atomic_load (&merges);
      double at = now ();
      if (bare)
        put_bare (i);
      else
        put (i, 0);
      double took = (now () - at) * 1e6;
      count_latency (took);
      if (took <= 20000 && took <= worst->microseconds)
        continue;
      getrusage (RUSAGE_THREAD, &usage);
      struct worst this = { took,
                            stalled,
                            at - started,
                            usage.ru_nvcsw - usage_then.ru_nvcsw,
                            usage.ru_nivcsw - usage_then.ru_nivcsw,
                            usage.ru_minflt - usage_then.ru_minflt,
                            atomic_load (&flushes) - flushes_then,
                            atomic_load (&merges) - merges_then };
      slow->all += took > 20000;
      slow->waited += took > 20000 && stalled > took / 2;
      slow->preempted += took > 20000 && stalled <= took / 2 && this.involuntary > 0;
      if (took > worst->microseconds)
        *worst = this;
    }
}

static void
print_latency (const char *what, uint64_t count, double took, const struct slow *slow,
               const struct worst *worst)
{
  printf ("  %s: %.0f puts/s: P50 %.2f us, P99 %.2f, P99.9 %.1f, P99.99 %.1f us; above 20 ms: %lu, "
          "of which %lu waited for a flush, %lu were preempted\n",
          what, (double) count / took, latency_at (0.5, count), latency_at (0.99, count),
          latency_at (0.999, count), latency_at (0.9999, count), slow->all, slow->waited,
          slow->preempted);
  printf (
      "    worst put: %.1f ms at second %.1f, of which it waited %.1f ms for a flush; its thread "
      "then had %ld voluntary and %ld involuntary switches and %ld page faults; %lu flushes and "
      "%lu merges ended meanwhile\n",
      worst->microseconds / 1e3, worst->second, worst->stalled / 1e3, worst->voluntary,
      worst->involuntary, worst->faults, worst->flushes, worst->merges);
}

static void *
burn (void *data)
{
  setpriority (PRIO_PROCESS, 0, getpriority (PRIO_PROCESS, 0) + (data != NULL ? 5 : 0));
  for (volatile uint64_t turns = 0; !atomic_load (&sampler.stop); turns++)
    ;
  return NULL;
}

/* The same loop on an array, for `seconds`, beside threads that are as busy as flush and merges. */
static void
measure_control (double seconds)
{
  struct worst worst = { 0 };
  struct slow slow = { 0 };
  pthread_t threads[3];
  uint64_t count = 0, part = 1000000;
  atomic_store (&sampler.stop, false);
  for (size_t i = 0; i < 3; i++)
    CHECK (pthread_create (&threads[i], NULL, burn, i > 0 ? &bare : NULL) == 0);
  bare = true;
  double started = now ();
  put_timed (part, &worst, &slow); /* how fast it is here */
  count = (uint64_t) ((double) part * seconds / (now () - started));
  worst = (struct worst){ 0 };
  slow = (struct slow){ 0 };
  started = now ();
  put_timed (count, &worst, &slow);
  double took = now () - started;
  bare = false;
  atomic_store (&sampler.stop, true);
  for (size_t i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  print_latency ("control, an array beside three busy threads", count, took, &slow, &worst);
}

static void
measure_latency (void)
{
  struct engine_options options;
  struct engine_statistics statistics;
  struct worst worst = { 0 };
  struct slow slow = { 0 };
  uint64_t size = (megabytes > 0 ? megabytes : 4096) * MIB, count = size / RECORD_SIZE;
  choose_options (&options);
  new_directory ();
  open_database (&options);
  engine_listen (engine, listen_to, NULL);
  sampler.base = (struct memory){ 0 };
  sampler_start (false);
  double started = now ();
  put_timed (count, &worst, &slow);
  double loading = now () - started;
  printf ("latency: %lu MB; P99.99 %.1f us; limit 20 ms: %s\n", size / MIB,
          latency_at (0.9999, count), latency_at (0.9999, count) < 20000 ? "kept" : "MISSED");
  print_latency ("engine", count, loading, &slow, &worst);
  engine_statistics (engine, &statistics);
  settle ();
  sampler_stop ();
  double data = (double) count * RECORD_SIZE;
  printf ("  stalls: %lu, the worst %.1f ms; most disk used %.2f x the data; limit 2.2: %s; after "
          "settling %.2f x\n",
          statistics.stalls, (double) statistics.worst_stall_microseconds / 1e3,
          (double) sampler.most / data, (double) sampler.most / data <= 2.2 ? "kept" : "MISSED",
          (double) disk_bytes () / data);
  close_database ();
  drop_directory ();
  measure_control (loading < 10 ? loading : 10);
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
