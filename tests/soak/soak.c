/* SPDX-License-Identifier: MIT */
/*
 * soak: hours of mixed load under a budget of 16 MB, and what it costs.
 *
 *   soak                           a few openings, some seconds
 *   soak --minutes N               as many openings as fit, each for 15 seconds
 *        [--seconds N]             for so long
 *        [--rate N]                operations a second, of both workers (2000; 0: no limit)
 *        [--seed S]
 *        [--episodes N]            so many openings, with
 *        [--operations N]          so many operations of each worker
 *
 * Two workers do at random, each with keys of its own in three stores and both in shared counters,
 * what worker.c lists: reads, scans both ways, puts (one in 64 of up to 130 KiB), deletes, range
 * deletes, batches, transactions that run into each other, snapshots that are held, stores that are
 * made and dropped, flushes, checkpoints, compactions. A feed is followed beside them. Every third
 * opening is of a child that is killed; other ones end with a close, some with a backup before it,
 * and some have one in their middle. After each opening all of it is compared with the picture
 * (soak.h), and now and then checked deeply.
 *
 * The files lie below $TMPDIR (else /tmp). It asserts in every form that nothing is lost or wrong
 * and that a closed database has no descriptor open; from five minutes on also the limits that it
 * prints.
 */
#include "soak.h"

#include "sound-database.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define MIB ((double) (1 << 20))
#define SAMPLE_INTERVAL 250000u /* microseconds */
#define WARM_UP 0.5             /* of the time: what grows then does not count */
#define EPISODE_WARM_UP 0.4     /* of each opening, for memory: the cache fills */
#define PROGRESS_INTERVAL 120.0 /* seconds */
#define LIMITED_FROM 5.0        /* minutes; shorter runs have too few samples */

static struct
{
  double minutes;      /* 0: by the number of episodes */
  double seconds;      /* of an episode, when by time */
  uint64_t rate;       /* operations a second */
  uint64_t seed;       /* of all random numbers */
  uint64_t episodes;   /* when not by time */
  uint64_t operations; /* of each worker in an episode, then */
} settings = { .seconds = 15, .rate = 2000, .seed = 1, .episodes = 6, .operations = 4000 };

static char *path, *backup_path; /* below `root` */
static char *root;
static struct soak_database database;
static struct worker workers[SOAK_WORKERS];
static pthread_t threads[SOAK_WORKERS];
static _Atomic bool stop;
static uint64_t begun, ends; /* ns; 0 = by the number of episodes */
static uint64_t episode;
static bool in_child;

static struct
{
  uint64_t closes, kills, backups, checks, feeds, lapsed, compared_bytes, most_live;
  struct soak_census base; /* before the first opening */
  struct slope memory, rest, heap,
      descriptors;   /* under load; closed; closed, by malloc; under load */
  struct slope disk; /* under load, bytes for each live byte at the opening */
  uint64_t most_memory, most_disk;
  uint64_t most_accounted, most_beside; /* of memory: by the engine's own account; the rest */
} seen;

/* ---- telling ---- */

uint64_t
soak_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

void
soak_record (enum soak_kind kind, uint64_t since)
{
  histogram_record (&picture->latency[kind], soak_now () - since);
}

/* Whatever ends the process says how to come there again; the files stay. */
static void
tell_again (int number)
{
  dprintf (2, "files: %s\nagain: soak --seed %llu", root, (unsigned long long) settings.seed);
  if (settings.minutes > 0)
    dprintf (2, " --minutes %g --seconds %g --rate %llu\n", settings.minutes, settings.seconds,
             (unsigned long long) settings.rate);
  else
    dprintf (2, " --episodes %llu --operations %llu\n", (unsigned long long) settings.episodes,
             (unsigned long long) settings.operations);
  signal (number, SIG_DFL);
  raise (number);
}

_Noreturn void
soak_differs (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  fprintf (stderr, "episode %llu%s: ", (unsigned long long) episode,
           in_child ? ", in the child to be killed" : "");
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  abort ();
}

static double
since_begin (void)
{
  return (double) (soak_now () - begun) / 1e9;
}

/* ---- opening ---- */

static bool
drop_temporary (void *data, const char *name, engine_store store)
{
  struct failure failure;
  (void) data;
  (void) store;
  if (strncmp (name, "temporary-", 10) == 0)
    CHECK_OK (engine_store_drop (database.engine, name, &failure));
  return true;
}

static bool
count_store (void *data, const char *name, engine_store store)
{
  unsigned *others = data;
  for (uint32_t i = 0; i < SOAK_STORES; i++)
    if (strcmp (name, soak_store_names[i]) == 0 && store == database.stores[i])
      return true;
  ++*others;
  return true;
}

static void
open_stores (bool create)
{
  struct failure failure;
  unsigned others = 0;
  for (uint32_t i = 0; i < SOAK_STORES; i++)
    CHECK_OK (engine_store_open (database.engine, soak_store_names[i], create, &database.stores[i],
                                 &failure));
  CHECK_OK (engine_store_list (database.engine, count_store, &others, &failure));
  CHECK_INT (others, 0);
}

/* After a kill a store of a moment may be left. */
static void
open_database (bool first, bool killed)
{
  struct failure failure;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = SOAK_BUDGET;
  options.log_mapping = episode % 2 == 0;
  uint64_t since = soak_now ();
  CHECK_OK (engine_open (path, first ? ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE : 0, &options,
                         &database.engine, &failure));
  soak_record (killed ? SOAK_RECOVER : SOAK_OPEN, since);
  if (killed)
    CHECK_OK (engine_store_list (database.engine, drop_temporary, NULL, &failure));
  open_stores (first);
  if (killed)
    picture_resolve (&database);
  picture_compare (&database, episode % 2 != 0);
  seen.compared_bytes += picture_live_bytes ();
}

static void
close_database (void)
{
  struct failure failure;
  uint64_t since = soak_now ();
  CHECK_OK (engine_close (database.engine, &failure));
  engine_unref (database.engine);
  database.engine = NULL;
  soak_record (SOAK_CLOSE, since);
}

static void
check_deeply (const char *of)
{
  check_sound (of);
  seen.checks++;
}

/* ---- backups ---- */

static void
back_up (void)
{
  struct failure failure;
  struct engine_backup_result result;
  uint64_t since = soak_now ();
  CHECK_OK (engine_backup (database.engine, backup_path, false, NULL, NULL, &result, &failure));
  soak_record (SOAK_BACKUP, since);
  seen.backups++;
}

/* Nobody writes: what the backup holds is known. */
static void
back_up_and_compare (void)
{
  struct failure failure;
  struct soak_database original = database;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = SOAK_BUDGET;
  back_up ();
  CHECK_OK (engine_open (backup_path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, &options,
                         &database.engine, &failure));
  open_stores (false);
  picture_compare (&database, episode % 2 == 0);
  CHECK_OK (engine_close (database.engine, &failure));
  engine_unref (database.engine);
  database = original;
}

/* ---- load ---- */

static void
start_workers (bool to_be_killed)
{
  atomic_store (&stop, false);
  for (unsigned i = 0; i < SOAK_WORKERS; i++)
    {
      struct worker *worker = &workers[i];
      worker->database = &database;
      worker->number = i;
      worker->random
          = (struct random){ settings.seed * UINT64_C (0x9e3779b97f4a7c15) + episode * 16 + i };
      worker->operations = ends > 0 || to_be_killed ? UINT64_MAX : settings.operations;
      worker->rate = settings.rate / SOAK_WORKERS;
      worker->lossless = to_be_killed;
      worker->stop = &stop;
      CHECK (pthread_create (&threads[i], NULL, worker_main, worker) == 0);
    }
}

static void
join_workers (void)
{
  for (unsigned i = 0; i < SOAK_WORKERS; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
}

static bool
is_warm (void)
{
  return ends == 0 || soak_now () > begun + (uint64_t) ((double) (ends - begun) * WARM_UP);
}

/* `part`: of the episode, 0 … 1. */
static void
sample (double part, uint64_t live)
{
  struct soak_census now;
  struct engine_statistics statistics;
  engine_statistics (database.engine, &statistics);
  census_take (path, &now);
  uint64_t memory = now.memory > seen.base.memory ? now.memory - seen.base.memory : 0;
  uint64_t accounted = statistics.memory_used;
  uint64_t beside = memory > accounted ? memory - accounted : 0;
  seen.most_accounted = accounted > seen.most_accounted ? accounted : seen.most_accounted;
  seen.most_beside = beside > seen.most_beside ? beside : seen.most_beside;
  seen.most_memory = memory > seen.most_memory ? memory : seen.most_memory;
  seen.most_disk = now.disk > seen.most_disk ? now.disk : seen.most_disk;
  if (!is_warm ())
    return;
  if (part > EPISODE_WARM_UP)
    slope_add (&seen.memory, since_begin (), (double) memory);
  slope_add (&seen.descriptors, since_begin (), now.descriptors);
  slope_add (&seen.disk, since_begin (), (double) now.disk / (double) (live > 0 ? live : 1));
}

/* Samples while the workers work, by time. */
static void
watch_for_a_while (bool with_backup)
{
  uint64_t from = soak_now (), until = from + (uint64_t) (settings.seconds * 1e9);
  uint64_t live = picture_live_bytes ();
  for (uint64_t now = from; now < until; now = soak_now ())
    {
      double part = (double) (now - from) / (double) (until - from);
      sample (part, live);
      if (with_backup && part > 0.1)
        {
          back_up ();
          check_deeply (backup_path);
          with_backup = false;
        }
      usleep (SAMPLE_INTERVAL);
    }
  atomic_store (&stop, true);
}

static void
run_and_close (bool killed_before)
{
  bool with_backup = episode % 6 == 3;
  open_database (episode == 0, killed_before);
  follower_start (&database);
  start_workers (false);
  if (ends > 0)
    watch_for_a_while (with_backup);
  else
    {
      if (with_backup)
        {
          back_up ();
          check_deeply (backup_path);
        }
    }
  join_workers ();
  bool whole = follower_finish ();
  seen.feeds += whole;
  seen.lapsed += !whole;
  uint64_t live = picture_live_bytes ();
  seen.most_live = live > seen.most_live ? live : seen.most_live;
  if (episode % 6 == 1)
    back_up_and_compare ();
  close_database ();
  seen.closes++;
}

/* ---- kills ---- */

static _Noreturn void
child_main (bool killed_before)
{
  struct random random = { settings.seed + episode };
  uint64_t at = atomic_load (&picture->totals.operations) + 1
                + random_below (&random, settings.operations * SOAK_WORKERS);
  uint64_t until = soak_now () + (uint64_t) (settings.seconds * 1e9);
  in_child = true;
  open_database (episode == 0, killed_before);
  follower_start (&database);
  start_workers (true);
  while (ends > 0 ? soak_now () < until : atomic_load (&picture->totals.operations) < at)
    usleep (200);
  kill (getpid (), SIGKILL);
  for (;;)
    pause ();
}

static void
run_and_kill (bool killed_before)
{
  int how;
  fflush (NULL);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    child_main (killed_before);
  while (waitpid (child, &how, 0) < 0)
    CHECK (errno == EINTR);
  if (!WIFSIGNALED (how) || WTERMSIG (how) != SIGKILL)
    exit (EXIT_FAILURE); /* it has said why */
  seen.kills++;
}

/* ---- all of it ---- */

static void
rest (void)
{
  struct soak_census now;
  malloc_trim (0);
  census_take (path, &now);
  if (now.descriptors != seen.base.descriptors)
    soak_differs ("the closed database leaves %u descriptors open, before it there were %u",
                  now.descriptors, seen.base.descriptors);
  if (!is_warm ())
    return;
  slope_add (&seen.rest, since_begin (), (double) now.memory - (double) seen.base.memory);
  slope_add (&seen.heap, since_begin (), (double) mallinfo2 ().uordblks);
}

/* A line now and then. */
static void
tell_progress (void)
{
  static double told;
  if (ends == 0 || since_begin () < told + PROGRESS_INTERVAL)
    return;
  told = since_begin ();
  printf ("%6.0f s: %llu openings, %llu commits; memory under load %.1f … %.1f MiB, closed %.2f, "
          "growth "
          "since the warm-up %.2f and %.2f\n",
          told, (unsigned long long) episode + 1, (unsigned long long) picture->totals.commits,
          seen.memory.least / MIB, seen.memory.most / MIB, seen.rest.most / MIB,
          slope_growth (&seen.memory) / MIB, slope_growth (&seen.rest) / MIB);
}

static bool
is_over (void)
{
  return ends > 0 ? soak_now () >= ends : episode >= settings.episodes;
}

static void
soak (void)
{
  bool killed = false;
  census_take (root, &seen.base);
  begun = soak_now ();
  ends = settings.minutes > 0 ? begun + (uint64_t) (settings.minutes * 60e9) : 0;
  for (episode = 0; !is_over (); episode++)
    {
      bool kill_it = episode % 3 == 2;
      if (kill_it)
        run_and_kill (killed);
      else
        run_and_close (killed);
      killed = kill_it;
      if (!kill_it)
        rest ();
      if (episode % 12 == 4)
        check_deeply (path);
      tell_progress ();
    }
  open_database (episode == 0, killed);
  close_database ();
  rest ();
  check_deeply (path);
}

static void
print_latencies (void)
{
  static const char *const names[SOAK_KINDS] = {
    [SOAK_GET] = "get",
    [SOAK_GET_MANY] = "get of 16",
    [SOAK_SCAN_FORWARD] = "scan of 40, forward",
    [SOAK_SCAN_BACKWARD] = "scan of 40, backward",
    [SOAK_SNAPSHOT] = "held snapshot, read",
    [SOAK_PUT] = "put",
    [SOAK_PUT_FULL] = "put, full",
    [SOAK_DELETE] = "delete",
    [SOAK_DELETE_RANGE] = "delete range",
    [SOAK_BATCH] = "batch",
    [SOAK_TRANSACTION] = "transaction, with its retries",
    [SOAK_CONFLICT] = "two in conflict",
    [SOAK_STORE] = "store made, filled, dropped",
    [SOAK_FLUSH] = "flush",
    [SOAK_CHECKPOINT] = "checkpoint",
    [SOAK_COMPACT] = "compact",
    [SOAK_OPEN] = "open",
    [SOAK_RECOVER] = "open after a kill",
    [SOAK_COMPARE] = "compare in whole",
    [SOAK_BACKUP] = "backup",
    [SOAK_CLOSE] = "close",
  };
  printf ("\n%-30s %9s %10s %10s %10s %10s  microseconds\n", "", "count", "median", "99 %",
          "99.9 %", "most");
  for (unsigned i = 0; i < SOAK_KINDS; i++)
    {
      const struct histogram *of = &picture->latency[i];
      printf (
          "%-30s %9llu %10.1f %10.1f %10.1f %10.1f\n", names[i],
          (unsigned long long) histogram_count (of), (double) histogram_percentile (of, 0.5) / 1e3,
          (double) histogram_percentile (of, 0.99) / 1e3,
          (double) histogram_percentile (of, 0.999) / 1e3, (double) histogram_maximum (of) / 1e3);
    }
}

static void
print_totals (void)
{
  printf (
      "%llu operations, %llu commits, %llu conflicts between workers; %llu held snapshots read in "
      "whole\n",
      (unsigned long long) picture->totals.operations, (unsigned long long) picture->totals.commits,
      (unsigned long long) picture->totals.conflicts,
      (unsigned long long) picture->totals.snapshots);
  printf ("%llu openings (%llu closed, %llu killed), compared in whole: %.0f MB; %llu backups, "
          "%llu deep "
          "checks; %llu feeds followed, %llu fell behind\n",
          (unsigned long long) (seen.closes + seen.kills + 1), (unsigned long long) seen.closes,
          (unsigned long long) seen.kills, (double) seen.compared_bytes / 1e6,
          (unsigned long long) seen.backups, (unsigned long long) seen.checks,
          (unsigned long long) seen.feeds, (unsigned long long) seen.lapsed);
  print_latencies ();
  printf ("\n");
}

/* Prints a figure beside its limit. False: it is above, and that counts. */
static bool
hold_to (const char *what, double value, double limit, const char *unit, bool counts)
{
  bool good = value <= limit;
  printf ("%-58s %8.2f %s, limit %.2f%s\n", what, value, unit, limit,
          good     ? ""
          : counts ? ": TOO MUCH"
                   : " (of longer runs)");
  return good || !counts;
}

static bool
print_limits (void)
{
  bool count = settings.minutes >= LIMITED_FROM, good = true;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  count = false; /* a sanitizer's own memory is not to be told from ours */
#endif
  double budget = (double) SOAK_BUDGET / MIB;
  printf ("memory under load, at most, beyond the program's           %8.2f MiB\n",
          (double) seen.most_memory / MIB);
  good &= hold_to ("  by the engine's own account, at most", (double) seen.most_accounted / MIB,
                   budget * 1.1, "MiB", count);
  good &= hold_to ("  beside it, at most (values, batches, other databases)",
                   (double) seen.most_beside / MIB, budget * 0.75, "MiB", count);
  good &= hold_to ("  growth in the second half (least squares)", slope_growth (&seen.memory) / MIB, 1,
                   "MiB", count);
  good &= hold_to ("memory when closed: growth in the second half", slope_growth (&seen.rest) / MIB, 1,
                   "MiB", count);
  good &= hold_to ("  of what malloc has given out", slope_growth (&seen.heap) / MIB, 0.1, "MiB",
                   count);
  good &= hold_to ("descriptors under load, at most", seen.descriptors.most, 128, "", count);
  good &= hold_to ("  growth in the second half", slope_growth (&seen.descriptors), 8, "", count);
  good &= hold_to ("bytes on disk for a live byte, at most", seen.disk.most, 6, "", count);
  good &= hold_to ("  growth in the second half", slope_growth (&seen.disk), 0.5, "", count);
  printf (
      "%.0f samples of memory, of %.1f … %.1f MiB; at most %.1f MB of live data, %.1f MB on disk\n",
      seen.memory.count, seen.memory.least / MIB, seen.memory.most / MIB,
      (double) seen.most_live / 1e6, (double) seen.most_disk / 1e6);
  return good;
}

static void
read_arguments (int argc, char **argv)
{
  for (int i = 1; i < argc; i += 2)
    {
      double value = i + 1 < argc ? strtod (argv[i + 1], NULL) : -1;
      if (value >= 0 && strcmp (argv[i], "--minutes") == 0)
        settings.minutes = value;
      else if (value > 0 && strcmp (argv[i], "--seconds") == 0)
        settings.seconds = value;
      else if (value >= 0 && strcmp (argv[i], "--rate") == 0)
        settings.rate = (uint64_t) value;
      else if (value >= 0 && strcmp (argv[i], "--seed") == 0)
        settings.seed = (uint64_t) value;
      else if (value > 0 && strcmp (argv[i], "--episodes") == 0)
        settings.episodes = (uint64_t) value;
      else if (value > 0 && strcmp (argv[i], "--operations") == 0)
        settings.operations = (uint64_t) value;
      else
        {
          fprintf (stderr, "soak [--minutes N [--seconds N] [--rate N]] [--seed S] [--episodes N] "
                           "[--operations N]\n");
          exit (2);
        }
    }
  if (settings.minutes <= 0)
    settings.rate = 0;
}

int
main (int argc, char **argv)
{
  read_arguments (argc, argv);
  setvbuf (stdout, NULL, _IOLBF, 0);
  root = fresh_directory ();
  signal (SIGABRT, tell_again);
  signal (SIGSEGV, tell_again);
  path = malloc (1024);
  backup_path = malloc (1024);
  CHECK (path != NULL && backup_path != NULL);
  snprintf (path, 1024, "%s/database", root);
  snprintf (backup_path, 1024, "%s/backup", root);
  picture_new ();
  memset (workers, 0, sizeof workers);
  soak ();
  print_totals ();
  bool good = settings.minutes <= 0 || print_limits ();
  free (path);
  free (backup_path);
  remove_directory (root);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
