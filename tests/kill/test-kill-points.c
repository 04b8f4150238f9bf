/* SPDX-License-Identifier: MIT */
/*
 * kill-points: a process is killed at points that have names, each as often as is asked, and
 * another process judges what is left.
 *
 *   test-kill-points [--long] [--hits N] [--kills N] [--seed S] [--point NAME] [--list]
 *
 * A point is before, amid or after something that is done to a file: by a commit, by the engine's
 * own threads, or in the middle of a recovery, a backup, a repair (killing-disk.h). `--list` prints
 * how often each was passed in a few unharmed runs.
 *
 * After each kill the database is opened, and
 *   - every acknowledged commit is there, each commit is whole (writer.h);
 *   - there is no hole: the numbers of the acknowledged commits, and of those that had got through
 *     unacknowledged, are all there are;
 *   - a bulk load is there as a whole or not at all; a backup stands at the commit it says, and one
 *     that was cut short can be continued; a restore and a repair can be done again, and their
 *     source is as it was;
 *   - now and then everything is checked deeply.
 */
#include "kill-judge.h"
#include "kill-places.h"

#include "check.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE 4000000u /* microseconds until a child that does not come to its point is killed */
#define MISSES_MOST 40u   /* in a row, at the first turn: then a point is out of reach */

static char *base; /* all of it is below */
static const char *program;

static struct
{
  uint64_t seed;
  uint64_t hits, kills; /* how often each point, or how many in all; 0 = the other says */
  bool brief;           /* each place at one of its moments, which follows from the seed */
  bool list;            /* only tell what there is */
  const char *point;    /* NULL = all of them */
} settings = { .seed = 1, .hits = 1, .brief = true };

/* ---- killing ---- */

static void
hear (const struct acknowledgement *told)
{
  round_now.acknowledged++;
  if (told->writer < WRITERS)
    judge_learn (told->writer, told->number, told->sequence, told->sequence);
  else if (told->what == TOLD_LOAD)
    {
      judge_learn (WRITERS, told->number, told->sequence, told->sequence);
      totals.loads++;
    }
  else
    {
      round_now.acknowledged--;
      behind.complete = true;
      behind.least = told->sequence;
      totals.backups++;
    }
}

/* Starts a child that dies at its point, or by our hand after so many acknowledgements, or when we
 * lose patience, or ends by itself. */
static void
run_child (enum activity activity, uint64_t variant, uint64_t most)
{
  int ends[2];
  struct acknowledgement told;
  enum acknowledged how = ACKNOWLEDGED;
  uint64_t until = writer_now () + PATIENCE, heard = 0;
  atomic_store (&order->at, 0);
  atomic_store (&order->hit, false);
  CHECK (pipe (ends) == 0);
  fflush (stdout);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      signal (SIGABRT, SIG_DFL);
      close (ends[0]);
      kill_child_main (activity, variant, ends[1]);
    }
  close (ends[1]);
  while (heard < most && (how = read_acknowledgement (ends[0], until, &told)) == ACKNOWLEDGED)
    {
      hear (&told);
      heard++;
    }
  if (how != ACKNOWLEDGED_END)
    {
      kill (child, SIGKILL);
      while (read_acknowledgement (ends[0], UINT64_MAX, &told) == ACKNOWLEDGED)
        hear (&told);
    }
  close (ends[0]);
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  bool killed = WIFSIGNALED (ended) && WTERMSIG (ended) == SIGKILL;
  CHECK (killed || (WIFEXITED (ended) && WEXITSTATUS (ended) == 0));
  totals.kills += killed;
}

/* ---- rounds ---- */

static void
prepare (enum activity activity, uint64_t variant)
{
  struct kill_point none = { 0 };
  struct kill_point point = order->point;
  uint64_t turn = order->turn;
  if (activity == ACTIVITY_RECOVER || activity == ACTIVITY_REPAIR)
    { /* a log to recover: a writer that dies at any moment */
      order->point = none;
      order->turn = 0;
      run_child (ACTIVITY_WRITE, variant, 1 + random_below (&chances, 200));
      order->point = point;
      order->turn = turn;
    }
  else if (activity == ACTIVITY_BACKUP && (!behind.complete || random_below (&chances, 3) == 0))
    judge_forget_backup ();
  else if (activity == ACTIVITY_RESTORE && !behind.complete)
    judge_make_backup (variant);
  else if (activity == ACTIVITY_DESTROY)
    judge_prepare_made (variant);
}

static void
begin_round (void)
{
  round_now.acknowledged = round_now.extra = 0;
  round_now.unseen = 0;
  round_now.loads = false;
  for (unsigned i = 0; i <= WRITERS; i++)
    round_now.least[i] = newest;
}

static void
verify (enum activity activity, uint64_t variant)
{
  struct failure failure;
  round_now.loads = activity == ACTIVITY_LOAD;
  struct engine *engine = judge_database (variant, true);
  if (activity == ACTIVITY_BACKUP)
    judge_backup (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  if (activity == ACTIVITY_CREATE)
    judge_made (variant);
  else if (activity == ACTIVITY_DESTROY)
    judge_destroyed ();
  else if (activity == ACTIVITY_RESTORE)
    judge_restored ();
  else if (activity == ACTIVITY_REPAIR)
    judge_repaired ();
  if (random_below (&chances, 16) == 0)
    judge_deeply (database);
}

/* True: the process died at the point. */
static bool
run_round (const struct kill_point *point, uint64_t turn, uint64_t most)
{
  uint64_t variant = random_below (&chances, 6);
  begin_round ();
  order->point = *point;
  order->turn = turn;
  order->part = random_below (&chances, 1000);
  prepare (point->activity, variant);
  if (point->activity == ACTIVITY_RESTORE)
    begin_round ();
  run_child (point->activity, variant, most);
  bool hit = atomic_load (&order->hit);
  if (hit && point->activity == ACTIVITY_RECOVER && random_below (&chances, 2) == 0)
    run_child (point->activity, variant, most); /* and the recovery of that */
  verify (point->activity, variant);
  return hit;
}

static void
set_up (void)
{
  struct failure failure;
  struct engine *engine;
  engine_store stores[WRITER_STORES];
  base = fresh_directory ();
  snprintf (database, sizeof database, "%s/database", base);
  snprintf (backup, sizeof backup, "%s/backup", base);
  snprintf (restored, sizeof restored, "%s/restored", base);
  snprintf (repaired, sizeof repaired, "%s/repaired", base);
  snprintf (made, sizeof made, "%s/made", base);
  order = mmap (NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (order != MAP_FAILED);
  CHECK_OK (kill_open (database, ENGINE_OPEN_CREATE, 0, &engine, &failure));
  kill_open_stores (engine, stores);
  newest = engine_sequence (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* ---- which point, and the how manyth time ---- */

struct progress
{
  struct kill_point point;
  uint64_t hits;
  uint64_t reach;  /* times that a process passes it */
  unsigned misses; /* in a row */
};
static struct progress points[KILL_PLACES_MOST * 3];
static size_t point_count;

static bool
is_wanted (const struct kill_point *point, size_t place)
{
  if (point->moment == MOMENT_AMID && point->operation != OPERATION_WRITE)
    return false;
  if (settings.point != NULL)
    return strcmp (settings.point, kill_point_name (point)) == 0;
  uint64_t turn = settings.seed + place;
  enum moment chosen = point->operation == OPERATION_WRITE ? turn % 3 : turn % 2 * 2;
  return !settings.brief || point->moment == chosen;
}

static void
add_points (void)
{
  for (size_t i = 0; i < kill_place_count; i++)
    for (enum moment moment = MOMENT_BEFORE; moment <= MOMENT_AFTER; moment++)
      {
        struct kill_point point
            = { kill_places[i].activity, kill_places[i].operation, kill_places[i].kind, moment };
        if (is_wanted (&point, i))
          points[point_count++] = (struct progress){ .point = point };
      }
  if (point_count == 0)
    {
      fprintf (stderr, "there is no point “%s”\n", settings.point);
      exit (2);
    }
}

/* One of those with the fewest hits. */
static struct progress *
choose_point (void)
{
  struct progress *chosen = NULL;
  uint64_t ties = 0;
  for (size_t i = 0; i < point_count; i++)
    if (chosen == NULL || points[i].hits < chosen->hits)
      {
        chosen = &points[i];
        ties = 1;
      }
    else if (points[i].hits == chosen->hits && random_below (&chances, ++ties) == 0)
      chosen = &points[i];
  return chosen;
}

static void
kill_at (struct progress *progress)
{
  const struct kill_point *point = &progress->point;
  _Atomic uint64_t *seen = &order->seen[point->activity][point->operation][point->kind];
  uint64_t before = atomic_load (seen);
  uint64_t most = progress->reach < 12 ? progress->reach : 12;
  uint64_t turn = progress->misses > 0 || most == 0 ? 1 : 1 + random_below (&chances, most);
  bool hit = run_round (point, turn, UINT64_MAX);
  uint64_t passed = atomic_load (seen) - before;
  progress->reach = passed > progress->reach ? passed : progress->reach;
  if (hit)
    {
      progress->hits++;
      progress->misses = 0;
      totals.hits++;
      return;
    }
  totals.missed++;
  if (++progress->misses < MISSES_MOST)
    return;
  fprintf (stderr, "no process comes to the point “%s”\n", kill_point_name (point));
  abort ();
}

static void
list_points (void)
{
  for (enum activity activity = ACTIVITY_WRITE; activity < ACTIVITIES; activity++)
    for (unsigned i = 0; i < 6; i++)
      run_round (&(struct kill_point){ .activity = activity }, 0, 300);
  for (unsigned activity = 0; activity < ACTIVITIES; activity++)
    for (unsigned operation = 0; operation < OPERATIONS; operation++)
      for (unsigned kind = 0; kind < KINDS; kind++)
        {
          struct kill_point point = { activity, operation, kind, MOMENT_AFTER };
          uint64_t seen = atomic_load (&order->seen[activity][operation][kind]);
          if (seen > 0)
            printf ("%8" PRIu64 "  %s\n", seen, kill_point_name (&point));
        }
}

/* What failed, for the parent alone; the files stay. */
static void
tell_where (int signal_number)
{
  dprintf (2,
           "killed at the point “%s”, turn %" PRIu64 "; what is left is in %s\n"
           "such kills again:  %s --seed %" PRIu64 " --hits 20 --point '%s'\n",
           kill_point_name (&order->point), order->turn, base, program, settings.seed,
           kill_point_name (&order->point));
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

static void
read_arguments (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
      if (strcmp (name, "--list") == 0)
        settings.list = true;
      else if (strcmp (name, "--long") == 0)
        {
          settings.hits = 20;
          settings.brief = false;
        }
      else if (strcmp (name, "--seed") == 0)
        settings.seed = strtoull (argv[++i], NULL, 10);
      else if (strcmp (name, "--point") == 0)
        settings.point = argv[++i];
      else if (strcmp (name, "--hits") == 0 || strcmp (name, "--kills") == 0)
        {
          settings.hits = strcmp (name, "--hits") == 0 ? strtoull (value, NULL, 10) : 0;
          settings.kills = settings.hits == 0 ? strtoull (value, NULL, 10) : 0;
          settings.brief = false;
          i++;
        }
      else
        {
          fprintf (stderr, "%s: no such option\n", name);
          exit (2);
        }
    }
}

int
main (int argc, char **argv)
{
  program = argv[0];
  read_arguments (argc, argv);
  chances = (struct random){ settings.seed };
  add_points ();
  set_up ();
  signal (SIGABRT, tell_where);
  if (settings.list)
    list_points ();
  else
    while (settings.kills > 0 ? totals.hits < settings.kills
                              : choose_point ()->hits < settings.hits)
      kill_at (choose_point ());
  signal (SIGABRT, SIG_DFL);
  remove_directory (base);
  printf ("%" PRIu64 " kills, %" PRIu64 " of them at %zu points, each at least %" PRIu64
          " times (%" PRIu64 " did not come to theirs); %" PRIu64
          " acknowledged commits, none lost; %" PRIu64
          " had got through unacknowledged; no hole in %" PRIu64 " recoveries; %" PRIu64
          " bulk loads, each whole or not there; %" PRIu64 " backups, %" PRIu64
          " of killed ones continued; %" PRIu64 " restores and %" PRIu64
          " repairs done again; %" PRIu64 " deep checks\n",
          totals.kills, totals.hits, point_count, choose_point ()->hits, totals.missed,
          totals.acknowledged, totals.extra, totals.holes_looked_for, totals.loads, totals.backups,
          totals.continued, totals.restores, totals.repairs, totals.checks);
  return 0;
}
