/* SPDX-License-Identifier: MIT */
/*
 * kill: a process that writes is killed again and again, at any moment, and nothing it acknowledged
 * is ever missing (writer.h).
 *
 *   test-kill [--long] [--seed S] [--kills N]
 */
#include "writer.h"

#include "base/random.h"
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define OPEN_LIMIT 300000000u /* microseconds: longer is a hang */

static writer_picture known[WRITERS]; /* as after done[writer] operations */
static uint64_t done[WRITERS];

/* ---- the child ---- */

static char *path;
static engine_store stores[WRITER_STORES];
static struct engine *engine;
static int pipe_end;
static const char *program;
static uint64_t seed = 1;

static status
open_database (unsigned flags, uint64_t round, struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536 << (round % 3);
  options.log_mapping = round % 2 == 0;
  options.sync_interval = 5000;
  return engine_open (path, flags, &options, &engine, failure);
}

static void
maintain (struct writer *writer, uint64_t operation)
{
  struct failure failure;
  if (writer->number == 0 && operation % 97 == 0)
    CHECK_OK (engine_flush (engine, &failure));
  if (writer->number == 1 && operation % 211 == 0)
    CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
}

/* `closing`: closes while the others still write, and leaves. */
static _Noreturn void
child_main (uint64_t round, bool only_open, bool closing)
{
  struct failure failure;
  pthread_t threads[WRITERS];
  struct writer writers[WRITERS];
  signal (SIGABRT, SIG_DFL);
  CHECK_OK (open_database (ENGINE_OPEN_CREATE, round, &failure));
  stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "second", true, &stores[1], &failure));
  for (unsigned i = 0; i < WRITERS && !only_open; i++)
    {
      writers[i]
          = (struct writer){ engine, { stores[0], stores[1] }, i, done[i] + 1, pipe_end, maintain,
                             NULL };
      CHECK (pthread_create (&threads[i], NULL, writer_main, &writers[i]) == 0);
    }
  if (closing)
    {
      usleep (30000);
      fclose (stderr); /* the others fail their checks with CLOSED now, as they must */
      signal (SIGABRT, SIG_DFL);
      engine_close (engine, &failure);
      _exit (0);
    }
  for (;;)
    pause ();
}

/* ---- killing ---- */

static struct
{
  uint64_t kills, acknowledged, extra, opens, slowest, sum, leftovers, openers, read_only, checks;
} totals;

/* Reads what comes until `until`, or the end. False: the end. */
static bool
read_acknowledgements (int from, uint64_t until)
{
  struct acknowledgement got;
  enum acknowledged how;
  while ((how = read_acknowledgement (from, until, &got)) == ACKNOWLEDGED)
    {
      CHECK (got.writer < WRITERS);
      CHECK_INT (got.number, done[got.writer] + 1);
      writer_apply (known[got.writer], got.writer, got.number);
      done[got.writer] = got.number;
      totals.acknowledged++;
    }
  return how != ACKNOWLEDGED_END;
}

static void
kill_a_writer (uint64_t round, struct random *random)
{
  int ends[2];
  bool closing = random_below (random, 25) == 0;
  uint64_t delay = random_below (random, 5) == 0 ? random_below (random, 8000)
                                                 : 8000 + random_below (random, 90000);
  CHECK (pipe (ends) == 0);
  fflush (stdout);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      close (ends[0]);
      pipe_end = ends[1];
      child_main (round, false, closing);
    }
  close (ends[1]);
  if (read_acknowledgements (ends[0], writer_now () + delay))
    {
      kill (child, SIGKILL);
      read_acknowledgements (ends[0], UINT64_MAX);
    }
  close (ends[0]);
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  bool as_expected = WIFSIGNALED (ended) ? WTERMSIG (ended) == SIGKILL || closing
                                         : closing && WEXITSTATUS (ended) == 0;
  CHECK (as_expected);
  totals.kills++;
}

/* Kills that hit an open, or what it does right behind. */
static void
kill_openers (uint64_t round, struct random *random)
{
  for (uint64_t left = random_below (random, 3); left > 0; left--)
    {
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        child_main (round + left, true, false);
      usleep ((unsigned) random_below (random, 6000));
      kill (child, SIGKILL);
      CHECK (waitpid (child, NULL, 0) == child);
      totals.kills++;
      totals.openers++;
    }
}

/* ---- verifying ---- */

static unsigned
count_files (void)
{
  unsigned count = 0;
  DIR *directory = opendir (path);
  while (directory != NULL && readdir (directory) != NULL)
    count++;
  if (directory != NULL)
    closedir (directory);
  return count;
}

static void
verify_writer (unsigned writer)
{
  char message[200], other[200];
  if (writer_difference (engine, stores, writer, known[writer], message, sizeof message) == NULL)
    return;
  writer_picture next;
  memcpy (next, known[writer], sizeof next);
  writer_apply (next, writer, done[writer] + 1);
  if (writer_difference (engine, stores, writer, next, other, sizeof other) != NULL)
    {
      fprintf (stderr, "writer %u acknowledged %llu operations, but %s (with the next one: %s)\n",
               writer, (unsigned long long) done[writer], message, other);
      abort ();
    }
  memcpy (known[writer], next, sizeof next);
  done[writer]++;
  totals.extra++;
}

static void
verify (uint64_t round, struct random *random)
{
  struct failure failure;
  bool read_only = random_below (random, 2) == 0;
  unsigned files = count_files ();
  uint64_t started = writer_now ();
  failure = FAILURE_INIT;
  status result
      = open_database (read_only ? ENGINE_OPEN_READ_ONLY : ENGINE_OPEN_CREATE, round, &failure);
  if (read_only && result == STATUS_NOT_FOUND) /* killed before there was anything */
    return;
  if (result != STATUS_OK)
    fprintf (stderr, "opening: %s (%s)\n", status_name (result), failure.message);
  CHECK_INT (result, STATUS_OK);
  uint64_t took = writer_now () - started;
  CHECK (took < OPEN_LIMIT);
  totals.opens++;
  totals.sum += took;
  totals.slowest = took > totals.slowest ? took : totals.slowest;
  totals.read_only += read_only;
  totals.leftovers += !read_only && count_files () < files;
  stores[0] = ENGINE_STORE_DEFAULT;
  result = engine_store_open (engine, "second", !read_only, &stores[1], &failure);
  CHECK (result == STATUS_OK || (read_only && result == STATUS_NOT_FOUND));
  if (result == STATUS_NOT_FOUND)
    stores[1] = 1000; /* nothing in it */
  for (unsigned writer = 0; writer < WRITERS; writer++)
    verify_writer (writer);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  if (round % 16 == 0 && !read_only)
    {
      struct engine_check_report report;
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK_INT (report.faults, 0);
      totals.checks++;
    }
}

/* Kills that hit the making of a database: the next attempt must succeed. */
static void
kill_creations (unsigned count, struct random *random)
{
  struct failure failure;
  for (; count > 0; count--)
    {
      path = fresh_directory ();
      for (unsigned attempt = 0; attempt < 3; attempt++)
        {
          pid_t child = fork ();
          CHECK (child >= 0);
          if (child == 0)
            child_main (count, true, false);
          usleep ((unsigned) random_below (random, 5000));
          kill (child, SIGKILL);
          CHECK (waitpid (child, NULL, 0) == child);
          totals.kills++;
          totals.openers++;
        }
      CHECK_OK (open_database (ENGINE_OPEN_CREATE, count, &failure));
      CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

/* What failed, for the parent alone; the files stay. */
static void
tell_where (int signal_number)
{
  dprintf (2, "what is left is in %s\nsuch kills again:  %s --seed %llu\n", path, program,
           (unsigned long long) seed);
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

int
main (int argc, char **argv)
{
  uint64_t kills = 200;
  program = argv[0];
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      kills = 2000;
    else if (i + 1 < argc && strcmp (argv[i], "--kills") == 0)
      kills = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      seed = strtoull (argv[++i], NULL, 10);
  struct random random = { seed };
  signal (SIGABRT, tell_where);
  kill_creations (kills / 20, &random);
  path = fresh_directory ();
  for (uint64_t round = 0; totals.kills < kills + kills / 20 * 3; round++)
    {
      kill_a_writer (round, &random);
      kill_openers (round, &random);
      verify (round, &random);
    }
  remove_directory (path);
  printf (
      "%llu kills (%llu of them in or right behind an open), %llu acknowledged operations, none "
      "lost, none halved; %llu had got through unacknowledged; %llu opens (%llu read-only), "
      "slowest %.1f ms, mean %.1f ms; leftovers of a flush or merge cleared in %llu; %llu deep "
      "checks\n",
      (unsigned long long) totals.kills, (unsigned long long) totals.openers,
      (unsigned long long) totals.acknowledged, (unsigned long long) totals.extra,
      (unsigned long long) totals.opens, (unsigned long long) totals.read_only,
      (double) totals.slowest / 1000, (double) totals.sum / 1000 / (double) totals.opens,
      (unsigned long long) totals.leftovers, (unsigned long long) totals.checks);
  return 0;
}
