/* SPDX-License-Identifier: MIT */
#include "measured-engine.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#define SETTLE_TIMEOUT (UINT64_C (900) * 1000000)

const char *parent = "/tmp";
uint64_t megabytes; /* 0 = each measurement's own */
uint64_t only;      /* the one budget to measure; 0 = all three */
bool uncompressed, compressed;
bool only_small; /* budget: the small records alone */
static char path[512];
struct engine *engine;
struct failure failure;

double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* A permutation of 64 bits: distinct numbers give distinct keys, in random order. */
static uint64_t
scatter (uint64_t number)
{
  return random_next (&(struct random){ number });
}

struct bytes
make_key (uint8_t to[KEY_SIZE], uint64_t number)
{
  uint64_t high = __builtin_bswap64 (scatter (number)), low = __builtin_bswap64 (number);
  memcpy (to, &high, 8);
  memcpy (to + 8, &low, 8);
  return BYTES (to, KEY_SIZE);
}

struct bytes
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

void
put (uint64_t number, uint64_t round)
{
  uint8_t key[KEY_SIZE], value[VALUE_SIZE];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, make_key (key, number),
                        make_value (value, number, round), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

double
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

void
choose_options (struct engine_options *options)
{
  engine_options_init (options);
  if (uncompressed)
    options->compression = ENGINE_COMPRESSION_NONE;
}

void
open_database (const struct engine_options *options)
{
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, options, &engine, &failure));
}

void
close_database (void)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

void
new_directory (void)
{
  snprintf (path, sizeof path, "%s/engine-load-XXXXXX", parent);
  CHECK (mkdtemp (path) != NULL);
}

void
drop_directory (void)
{
  CHECK_OK (engine_destroy (path, NULL, &failure));
}

void
settle (void)
{
  CHECK_OK (engine_wait_settled (engine, SETTLE_TIMEOUT, &failure));
}

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

struct memory
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

uint64_t
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

uint64_t
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

uint64_t
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

struct sampler sampler;

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

void
sampler_start (bool memory)
{
  sampler.memory = memory;
  sampler.most = sampler.samples = 0;
  sampler.most_ledger = 0;
  sampler.sum = 0;
  atomic_store (&sampler.stop, false);
  CHECK (pthread_create (&sampler.thread, NULL, sample_main, NULL) == 0);
}

void
sampler_stop (void)
{
  atomic_store (&sampler.stop, true);
  pthread_join (sampler.thread, NULL);
}
