/* SPDX-License-Identifier: MIT */
/*
 * isolation: what transactions promise each other, judged from what their clients saw.
 *
 *   test-isolation [--long] [--seed S] [--episode N] [--episodes N] [--transactions N]
 *                  [--mode MODE] [--seconds N] [--yields N]
 *   test-isolation --judge FILE MODE
 *
 * An episode is some thousand random transactions on four threads (workload.h) and the judgement of
 * their history (anomalies.h), in each mode in turn, with and without deletes. Snapshot isolation
 * must show write skew, or the judge is blind; nothing else, ever.
 *
 * What is found wrong is printed with its cycle, and the whole history is kept in a file, which
 * --judge reads. Where threads are simulated the episode runs again with --seed and --episode.
 */
#include "anomalies.h"
#include "schedule.h"
#include "subject.h"
#include "workload.h"

#include "check.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define THREADS 4u
#define EPISODE_KEYS 65536u /* the keys of an episode begin at its number times so many */

static struct
{
  uint64_t seed, first, episodes, seconds;
  uint32_t transactions; /* of an episode */
  unsigned yields;
  int mode; /* enum workload_mode; -1 = each in turn */
} settings = { .seed = 1, .episodes = 24, .transactions = 2000, .yields = 250, .mode = -1 };

static struct
{
  struct workload_totals work;
  uint64_t episodes, reads, versions, ww, wr, rw, rt;
  uint64_t skewed, could_skew; /* episodes with write skew, of those that may have it */
} totals;

static const char *program;
static uint64_t present; /* the episode at hand */

/* ---- failing ---- */

/* Whatever ends the process says how to come there again. */
static void
tell_again (int number)
{
  dprintf (
      2, "%s  %s --seed %" PRIu64 " --episode %" PRIu64 " --transactions %" PRIu32 " --yields %u\n",
      schedule_is_exact () ? "the same run again:" : "such a run (the kernel schedules):", program,
      settings.seed, present, settings.transactions, settings.yields);
  signal (number, SIG_DFL);
  raise (number);
}

static _Noreturn void
report (const struct history *history, const struct findings *findings, unsigned forbidden,
        uint64_t episode, enum workload_mode mode)
{
  char path[600];
  const char *parent = getenv ("TMPDIR");
  snprintf (path, sizeof path, "%s/isolation-%" PRIu64 "-%" PRIu64 ".history",
            parent != NULL ? parent : "/tmp", settings.seed, episode);
  fprintf (stderr, "mode %s, seed %" PRIu64 ", episode %" PRIu64 "\n", workload_mode_name (mode),
           settings.seed, episode);
  findings_print (findings, forbidden, stderr);
  FILE *to = fopen (path, "w");
  if (to != NULL)
    {
      history_print (history, to);
      fclose (to);
      fprintf (stderr, "the judgement again:  %s --judge %s %s\n", program, path,
               workload_mode_name (mode));
    }
  abort ();
}

/* ---- an episode ---- */

static enum workload_mode
mode_of (uint64_t episode)
{
  return settings.mode >= 0 ? (enum workload_mode) settings.mode
                            : (enum workload_mode) (episode % WORKLOAD_MODES);
}

static void
judge (const struct history *history, enum workload_mode mode, uint64_t episode)
{
  struct findings findings;
  anomalies_find (history, &findings);
  unsigned forbidden = ~workload_allows (mode);
  if ((findings.found & forbidden) != 0)
    report (history, &findings, forbidden, episode, mode);
  totals.reads += findings.reads;
  totals.versions += findings.versions;
  totals.ww += findings.ww;
  totals.wr += findings.wr;
  totals.rw += findings.rw;
  totals.rt += findings.rt;
  totals.could_skew += forbidden != ~0u;
  totals.skewed += (findings.found & 1u << ANOMALY_G2) != 0;
  findings_clear (&findings);
}

/* Runs it and leaves its history; the mode it was in. */
static enum workload_mode
record_episode (uint64_t episode, struct history *history)
{
  const char *path;
  present = episode;
  struct workload workload = {
    .mode = mode_of (episode),
    .clears = episode / WORKLOAD_MODES % 2 == 1,
    .restless = episode % 3 == 2,
    .threads = THREADS,
    .transactions = settings.transactions,
    .first_key = (uint32_t) (episode % 32768 + 1) * EPISODE_KEYS,
    .seed = settings.seed * 1000003 + episode,
    .yields = settings.yields,
  };
  CHECK (workload_keys (workload.transactions) < EPISODE_KEYS);
  const struct vfs *vfs = schedule_begin (workload.seed, settings.yields, &path);
  subject_open (path, (unsigned) episode, vfs);
  workload_run (&workload, history, &totals.work);
  subject_close ();
  schedule_end ();
  totals.episodes++;
  return workload.mode;
}

static void
run_episode (uint64_t episode)
{
  struct history history = { 0 };
  enum workload_mode mode = record_episode (episode, &history);
  judge (&history, mode, episode);
  history_clear (&history);
}

static char *
text_of_episode (uint64_t episode)
{
  struct history history = { 0 };
  char *text = NULL;
  size_t size = 0;
  record_episode (episode, &history);
  FILE *to = open_memstream (&text, &size);
  history_print (&history, to);
  fclose (to);
  history_clear (&history);
  return text;
}

/* Else what --seed prints could not be run again. */
static void
check_exactness (uint64_t episode)
{
  char *once = text_of_episode (episode), *again = text_of_episode (episode);
  CHECK (strcmp (once, again) == 0);
  free (once);
  free (again);
}

/* ---- the command line ---- */

static int
mode_named (const char *name)
{
  for (int mode = 0; mode < WORKLOAD_MODES; mode++)
    if (strcmp (name, workload_mode_name ((enum workload_mode) mode)) == 0)
      return mode;
  fprintf (stderr, "there is no mode “%s”\n", name);
  exit (2);
}

static int
judge_file (const char *path, const char *mode)
{
  struct history history = { 0 };
  struct findings findings;
  unsigned line, forbidden = ~workload_allows ((enum workload_mode) mode_named (mode));
  char *text = NULL;
  size_t room = 0;
  FILE *from = fopen (path, "r");
  if (from == NULL || getdelim (&text, &room, '\0', from) < 0)
    {
      perror (path);
      return 2;
    }
  fclose (from);
  if (!history_parse (&history, text, &line))
    {
      fprintf (stderr, "%s:%u: this is no transaction\n", path, line);
      return 2;
    }
  anomalies_find (&history, &findings);
  findings_print (&findings, forbidden, stdout);
  bool wrong = (findings.found & forbidden) != 0;
  printf ("%zu transactions: %s\n", history.count, wrong ? "wrong" : "fine");
  findings_clear (&findings);
  history_clear (&history);
  free (text);
  return wrong;
}

static void
read_arguments (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
      if (strcmp (name, "--long") == 0)
        {
          settings.episodes = 104; /* a little above a million transactions */
          settings.transactions = 10000;
          continue;
        }
      if (strcmp (name, "--seed") == 0)
        settings.seed = strtoull (value, NULL, 10);
      else if (strcmp (name, "--episode") == 0)
        {
          settings.first = strtoull (value, NULL, 10);
          settings.episodes = 1;
        }
      else if (strcmp (name, "--episodes") == 0)
        settings.episodes = strtoull (value, NULL, 10);
      else if (strcmp (name, "--transactions") == 0)
        settings.transactions = (uint32_t) strtoul (value, NULL, 10);
      else if (strcmp (name, "--seconds") == 0)
        settings.seconds = strtoull (value, NULL, 10);
      else if (strcmp (name, "--yields") == 0)
        settings.yields = (unsigned) strtoul (value, NULL, 10);
      else if (strcmp (name, "--mode") == 0)
        settings.mode = mode_named (value);
      else
        {
          fprintf (stderr, "%s: no such option\n", name);
          exit (2);
        }
      i++;
    }
}

int
main (int argc, char **argv)
{
  program = argv[0];
  if (argc == 4 && strcmp (argv[1], "--judge") == 0)
    return judge_file (argv[2], argv[3]);
  read_arguments (argc, argv);
  signal (SIGABRT, tell_again);
  signal (SIGSEGV, tell_again);
  if (schedule_is_exact ())
    {
      check_exactness (settings.first);
      memset (&totals, 0, sizeof totals);
    }
  time_t until = time (NULL) + (time_t) settings.seconds;
  for (uint64_t i = 0; settings.seconds > 0 ? time (NULL) < until : i < settings.episodes; i++)
    run_episode (settings.first + i);
  printf ("%" PRIu64 " transactions in %" PRIu64 " episodes: %" PRIu64 " committed, %" PRIu64
          " conflicts, %" PRIu64 " rolled back; judged %" PRIu64 " reads of %" PRIu64
          " versions, %" PRIu64 " ww, %" PRIu64 " wr, %" PRIu64 " rw, %" PRIu64
          " rt; write skew in %" PRIu64 " of %" PRIu64
          " episodes that may have it; nothing else; inside of calls %" PRIu64
          " times another thread was let run\n",
          totals.work.transactions, totals.episodes, totals.work.committed, totals.work.conflicts,
          totals.work.rolled_back, totals.reads, totals.versions, totals.ww, totals.wr, totals.rw,
          totals.rt, totals.skewed, totals.could_skew, schedule_changes ());
  if (totals.could_skew > 0)
    CHECK (totals.skewed > 0);
  return 0;
}
