/* SPDX-License-Identifier: MIT */
/*
 * The picker's policy, played: loads are simulated with runs as numbers (bytes, and how many of the
 * keys they hold), decisions are carried out at once, and what was written is counted.
 */
#include "base/random.h"
#include "check.h"
#include "merge/picker.h"

#define MIB (UINT64_C (1) << 20)
#define RUNS 80

struct database
{
  struct picker_run runs[RUNS]; /* newest first */
  size_t count, most;           /* most: ever, after decisions were carried out */
  uint64_t memtable_size;
  uint64_t keys_bytes;       /* bytes of all keys there can be; 0: each write is a new key */
  uint64_t user, settled_at; /* user bytes ever, and at the last settling */
  uint64_t flushed, merged;  /* bytes written */
  uint64_t settle_written;   /* by quiet merges since the last settling */
  uint64_t largest;          /* bytes in all runs, ever */
};

/* Size of the union of two sets of random keys. */
static uint64_t
join (const struct database *database, uint64_t a, uint64_t b)
{
  if (database->keys_bytes == 0)
    return a + b;
  double n = (double) database->keys_bytes;
  return (uint64_t) ((double) a + (double) b - (double) a * (double) b / n);
}

/* What a new run in front of runs[first …] hides of them. */
static uint64_t
hidden_by (const struct database *database, uint64_t bytes, size_t first)
{
  uint64_t older = 0;
  for (size_t i = first; i < database->count; i++)
    older = join (database, older, database->runs[i].bytes);
  return older + bytes - join (database, older, bytes);
}

static struct picker_decision
ask (const struct database *database, bool quiet)
{
  struct picker_settings settings = {
    .runs = database->runs,
    .count = database->count,
    .whole = true,
    .memtable_size = database->memtable_size,
    .quiet = quiet,
    .user_bytes_since_settled = database->user - database->settled_at,
    .settle_written = database->settle_written,
  };
  return picker_choose (&settings);
}

static void
carry_out (struct database *database, struct picker_decision decision, bool quiet)
{
  uint64_t bytes = 0;
  CHECK (decision.count >= 2 && decision.first + decision.count <= database->count); /* Q1 */
  CHECK (decision.bottom == (decision.first + decision.count == database->count));
  CHECK (decision.settles == (decision.bottom && decision.first == 0));
  for (size_t i = decision.first; i < decision.first + decision.count; i++)
    bytes = join (database, bytes, database->runs[i].bytes);
  size_t tail = decision.first + decision.count;
  uint64_t shadowing = hidden_by (database, bytes, tail);
  database->runs[decision.first] = (struct picker_run){ .bytes = bytes, .shadowing = shadowing };
  memmove (database->runs + decision.first + 1, database->runs + tail,
           (database->count - tail) * sizeof *database->runs);
  database->count -= decision.count - 1;
  database->merged += bytes;
  if (quiet)
    database->settle_written += bytes;
  if (decision.settles)
    {
      database->settled_at = database->user;
      database->settle_written = 0;
    }
}

static void
flush (struct database *database, uint64_t bytes)
{
  CHECK (database->count < RUNS);
  uint64_t shadowing = hidden_by (database, bytes, 0);
  memmove (database->runs + 1, database->runs, database->count * sizeof *database->runs);
  database->runs[0] = (struct picker_run){ .bytes = bytes, .shadowing = shadowing };
  database->count++;
  database->user += bytes;
  database->flushed += bytes;
  for (struct picker_decision decision; (decision = ask (database, false)).count > 0;)
    carry_out (database, decision, false);
  if (database->count > database->most)
    database->most = database->count;
  uint64_t all = 0;
  for (size_t i = 0; i < database->count; i++)
    all += database->runs[i].bytes;
  if (all > database->largest)
    database->largest = all;
}

static void
load (struct database *database, uint64_t bytes)
{
  for (uint64_t left = bytes; left > 0;)
    {
      uint64_t part = left < database->memtable_size ? left : database->memtable_size;
      flush (database, part);
      left -= part;
    }
}

/* Settles as far as the picker wants; returns the bytes written. Q2: at most count - 1 merges. */
static uint64_t
rest (struct database *database)
{
  uint64_t before = database->merged;
  size_t bound = database->count;
  for (struct picker_decision decision; (decision = ask (database, true)).count > 0; bound--)
    {
      CHECK (bound > 1);
      carry_out (database, decision, true);
    }
  CHECK_INT (ask (database, true).count, 0);
  return database->merged - before;
}

static double
amplification (const struct database *database)
{
  return (double) (database->flushed + database->merged) / (double) database->user;
}

static void
report (const char *name, const struct database *database)
{
  printf ("%-34s runs %zu, most %zu; written per user byte %.2f (and the log)\n", name,
          database->count, database->most, amplification (database));
}

/* How the cost grows with the number of memtables: the rows of docs/design/merge.md. */
static void
test_rows (void)
{
  static const struct
  {
    unsigned memtables;
    double limit; /* flushes, merges and settling, per user byte */
  } rows[] = { { 8, 2.0 },   { 16, 2.0 },   { 31, 2.0 },   { 48, 2.6 },   { 64, 2.7 },
               { 128, 2.9 }, { 256, 3.05 }, { 512, 3.75 }, { 1024, 3.9 }, { 4096, 4.9 } };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    {
      struct database database = { .memtable_size = 16 * MIB };
      load (&database, rows[i].memtables * 16 * MIB);
      double during = amplification (&database);
      size_t most = database.most;
      rest (&database);
      printf ("random fill of %4u memtables: %.2f, most runs %zu; settled %.2f\n",
              rows[i].memtables, during, most, amplification (&database));
      CHECK (database.count == 1 && most <= PICKER_RUNS_MAX);
      CHECK (amplification (&database) <= rows[i].limit);
    }
}

static void
test_fill (void)
{
  struct database small = { .memtable_size = 16 * MIB };
  load (&small, 116 * MIB);
  CHECK_INT (small.merged, 0);
  rest (&small);
  report ("116 MB random fill, settled", &small);
  CHECK (small.count == 1 && amplification (&small) <= 2.0);

  struct database large = { .memtable_size = 16 * MIB };
  load (&large, 4096 * MIB);
  report ("4 GB random fill", &large);
  CHECK (large.most <= PICKER_RUNS_MAX && amplification (&large) <= 2.01);
  rest (&large);
  report ("4 GB random fill, settled", &large);
  CHECK (large.count == 1 && amplification (&large) <= 3.01);

  struct database huge = { .memtable_size = 16 * MIB };
  load (&huge, 65536 * MIB);
  rest (&huge);
  report ("64 GB random fill, settled", &huge);
  CHECK (huge.count == 1 && huge.most <= PICKER_RUNS_MAX && amplification (&huge) <= 5.0);
}

/* 5 GB settled, then 1 % overwritten, again and again with pauses. */
static void
test_bounded_settling (void)
{
  struct database database = { .memtable_size = 16 * MIB, .keys_bytes = 5120 * MIB };
  database.runs[0] = (struct picker_run){ .bytes = 5120 * MIB };
  database.count = 1;
  database.user = database.settled_at = 5120 * MIB;
  uint64_t total = 0, base = database.user;
  bool settled = false;
  for (int round = 0; round < 100; round++)
    {
      uint64_t before = database.merged;
      load (&database, 51 * MIB);
      uint64_t written = rest (&database);
      total += database.merged - before;
      if (round == 0)
        CHECK (written <= 510 * MIB && database.runs[database.count - 1].bytes == 5120 * MIB);
      CHECK (database.count <= 10);
      settled |= database.count == 1;
      CHECK (total <= PICKER_SETTLE_FACTOR * (database.user - base));
    }
  CHECK (settled);
  printf ("5 GB, 1 %% overwritten 100 times     runs %zu; rewritten per user byte %.2f\n",
          database.count, (double) total / (double) (database.user - base));
}

/* Little is written between opening and closing, which flushes; no pause is long enough to settle,
 * or each is. */
static void
test_tiny_writes (bool pauses)
{
  struct database database = { .memtable_size = 16 * MIB, .keys_bytes = 100 * MIB };
  database.runs[0] = (struct picker_run){ .bytes = 100 * MIB };
  database.count = 1;
  database.user = database.settled_at = 100 * MIB;
  for (int round = 0; round < 20000; round++)
    {
      flush (&database, 1024);
      if (pauses)
        rest (&database);
    }
  database.user -= 100 * MIB;
  report (pauses ? "1 KB writes, each settled" : "1 KB writes, reopened each time", &database);
  CHECK (database.most <= PICKER_RUNS_MAX);
  CHECK (amplification (&database) <= (pauses ? 12 : 40));
}

/* 100 MB of keys overwritten at random for long: dead versions must not pile up. */
static void
test_overwriting (void)
{
  struct database database = { .memtable_size = 16 * MIB, .keys_bytes = 100 * MIB };
  load (&database, 4096 * MIB);
  report ("100 MB overwritten 40 times", &database);
  CHECK (database.most <= PICKER_RUNS_MAX);
  database.largest = 0;
  load (&database, 2048 * MIB);
  printf ("  its files at most %.2f times the data\n",
          (double) database.largest / (double) database.keys_bytes);
  CHECK (database.largest <= 2 * database.keys_bytes + 2 * database.memtable_size);
  CHECK (amplification (&database) <= 3.0);
}

/* Runs that overlap nothing cost nothing to bring together. */
static void
test_apart (void)
{
  struct picker_run runs[5];
  struct picker_settings settings = { .runs = runs,
                                      .count = 5,
                                      .whole = true,
                                      .quiet = true,
                                      .memtable_size = MIB,
                                      .user_bytes_since_settled = MIB };
  for (int i = 0; i < 5; i++)
    runs[i] = (struct picker_run){ .bytes = 1000 * MIB, .apart = 1000 * MIB };
  CHECK (picker_choose (&settings).settles);
  runs[4].apart = 985 * MIB;
  CHECK_INT (picker_choose (&settings).count, 4);
  runs[0].apart = 0;
  CHECK_INT (picker_choose (&settings).count, 0);
}

/* Any input: Q1 and Q2, with busy runs and extreme sizes. */
static void
test_random (void)
{
  struct random random = { 31 };
  for (int round = 0; round < 20000; round++)
    {
      struct picker_run runs[RUNS];
      struct picker_settings settings = { .runs = runs };
      settings.count = random_below (&random, RUNS);
      settings.whole = random_below (&random, 4) > 0;
      settings.quiet = random_below (&random, 2) == 0;
      settings.memtable_size = random_next (&random) >> random_below (&random, 64);
      settings.user_bytes_since_settled = random_next (&random) >> random_below (&random, 64);
      settings.settle_written = random_next (&random) >> random_below (&random, 64);
      for (size_t i = 0; i < settings.count; i++)
        {
          runs[i].bytes = random_next (&random) >> random_below (&random, 64);
          runs[i].apart = random_next (&random) >> random_below (&random, 64);
          runs[i].shadowing = random_next (&random) >> random_below (&random, 64);
          runs[i].busy = random_below (&random, 8) == 0;
        }
      struct picker_decision decision = picker_choose (&settings);
      size_t end = decision.first + decision.count;
      CHECK (decision.count == 0 || (decision.count >= 2 && end <= settings.count));
      for (size_t i = decision.first; i < end; i++)
        CHECK (!runs[i].busy);
      CHECK (!decision.bottom || (settings.whole && end == settings.count));
    }
}

int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  test_rows ();
  test_fill ();
  test_bounded_settling ();
  test_tiny_writes (false);
  test_tiny_writes (true);
  test_overwriting ();
  test_apart ();
  test_random ();
  CHECK_INT (picker_segment_size (0), 16 * MIB);
  CHECK_INT (picker_segment_size (4096 * MIB), 64 * MIB);
  CHECK_INT (picker_segment_size (UINT64_MAX), 256 * MIB);
  return 0;
}
