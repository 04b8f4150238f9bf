/* SPDX-License-Identifier: MIT */
/*
 * How soon a watch tells what was committed, and what that costs who commits, through the public C
 * API:
 *
 *   bench-watch --directory DIR [--commits N] [--seconds S] [--rounds N] [--places LIST]
 *               [--watches LIST] [--intervals LIST] [--markdown FILE] [--quick]
 *
 * One thread commits puts of 16 + 100 bytes to 1000 keys in turns, either one every 25 ms, so that
 * each finds a quiet frame, or one after the other as fast as it can. Watches follow in the same
 * thread (which runs its main loop after each commit, at full speed after 64), in another thread,
 * or in another process that reads; all of all keys, or each of a part of its own.
 *
 * Latency is the time from before the call that commits to the beginning of the handler, of each
 * change that is told in each watch: where commits were coalesced, of the newest.
 *
 * The cost is what a commit's call takes with and without watches: the same load in turns within a
 * round, the order changing from round to round. CPU time is the committing thread's; what else
 * runs at full speed on the same cores is in the time by the clock. Isolated: medians of all
 * commits. At full speed: medians of the rounds.
 *
 * Every emission is verified in whole: it continues the last one, has each of its keys that was
 * written between the two states once, with the newest value in between, and nothing else; a resync
 * is compared with the snapshot. After each segment all has to arrive, and nothing more.
 */
#include "program.h"
#include "table.h"
#include "watcher-elsewhere.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET 25000               /* microseconds before an isolated commit */
#define COMMITS_BETWEEN_TURNS 64u /* of the same thread's main loop, at full speed */
#define ROUNDS_MAX 99

static const char *const place_names[N_PLACES] = { "same thread", "other thread", "other process" };
static const char *const place_options[N_PLACES] = { "thread", "other-thread", "process" };

static char *places_wanted, *watches_wanted, *intervals_wanted;
static gint commits_wanted = 300, rounds_wanted = 5;
static gdouble seconds_wanted = 0.5;

/* ---- who writes ---- */

/* Of commits, with or without watches. */
typedef struct
{
  struct latency each, each_cpu;              /* isolated: of each one */
  gdouble round[ROUNDS_MAX], cpu[ROUNDS_MAX]; /* full speed: ns a commit, of each round */
  guint rounds;                               /* of them */
} Cost;

typedef struct
{
  const char *path; /* of the database */
  LdbDatabase *db;  /* owned */
  guint64 base;     /* see Watcher */
  guint64 number;   /* of the last commit */
} Bench;

static guint64
cpu_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (guint64) now.tv_sec * 1000000000u + (guint64) now.tv_nsec;
}

static void
commit (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  guint8 key[KEY_SIZE + 1], value[VALUE_SIZE] = { 0 };
  Stamp stamp = { 0, ++bench->number };
  make_key (key, key_of (stamp.number));
  stamp.time = latency_now ();
  memcpy (value, &stamp, sizeof stamp);
  if (!ldb_database_put (bench->db, key, KEY_SIZE, value, VALUE_SIZE, NULL, &error))
    check_error (error);
}

static gboolean
note_time (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Nothing happens for a while; handlers of this thread run. */
static void
be_quiet (WatchPlace place)
{
  gboolean over = FALSE;
  if (place != SAME_THREAD)
    {
      g_usleep (QUIET);
      return;
    }
  g_timeout_add (QUIET / 1000, note_time, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static void
write_isolated (Bench *bench, const Case *what, guint commits, Cost *cost)
{
  for (guint i = 0; i < commits; i++)
    {
      be_quiet (what->place);
      guint64 cpu = cpu_now (), begun = latency_now ();
      commit (bench);
      latency_record (&cost->each, latency_now () - begun);
      latency_record (&cost->each_cpu, cpu_now () - cpu);
    }
}

static void
write_at_full_speed (Bench *bench, const Case *what, Cost *cost)
{
  guint64 clock = 0, cpu = 0, first = bench->number;
  gint64 end = g_get_monotonic_time () + (gint64) (seconds_wanted * 1e6);
  while (g_get_monotonic_time () < end)
    {
      guint64 cpu_begun = cpu_now (), begun = latency_now ();
      for (guint i = 0; i < COMMITS_BETWEEN_TURNS; i++)
        commit (bench);
      clock += latency_now () - begun;
      cpu += cpu_now () - cpu_begun;
      while (what->place == SAME_THREAD && g_main_context_iteration (NULL, FALSE))
        ;
    }
  gdouble commits = (gdouble) (bench->number - first);
  cost->round[cost->rounds] = (gdouble) clock / commits;
  cost->cpu[cost->rounds] = (gdouble) cpu / commits;
  cost->rounds++;
}

static void
write_segment (Bench *bench, const Case *what, Cost *cost)
{
  guint commits = ((guint) commits_wanted + (guint) rounds_wanted - 1) / (guint) rounds_wanted;
  if (what->isolated)
    write_isolated (bench, what, commits, cost);
  else
    write_at_full_speed (bench, what, cost);
}

/* The load, watched. */
static void
run_watched (Bench *bench, const Case *what, Cost *cost, Told *told)
{
  Watcher watcher;
  Neighbour neighbour;
  Process process;
  Told new_told;
  switch (what->place)
    {
    case SAME_THREAD:
      watcher_begin (&watcher, bench->db, what, bench->base, NULL);
      write_segment (bench, what, cost);
      watcher_end (&watcher, bench->number);
      told_add (told, &watcher.told);
      break;
    case OTHER_THREAD:
      neighbour_begin (&neighbour, bench->db, what, bench->base);
      write_segment (bench, what, cost);
      neighbour_end (&neighbour, bench->number);
      told_add (told, &neighbour.watcher.told);
      break;
    case OTHER_PROCESS:
    case N_PLACES:
    default:
      process_begin (&process, bench->path, what, bench->base);
      write_segment (bench, what, cost);
      process_end (&process, bench->number, &new_told);
      told_add (told, &new_told);
    }
  check (ldb_database_get_sequence (bench->db) == bench->base + bench->number,
         "there are other commits than ours");
}

/* ---- tables ---- */

typedef enum
{
  LATENCY_TABLE,
  COST_TABLE,
  N_TABLES,
} TableKind;

#define COLUMNS 9

static const char *const headings[N_TABLES][COLUMNS] = {
  { "handler in", "watches", "interval, ms", "median, µs", "P99, µs", "most, µs", "emissions",
    "changes each", "resyncs" },
  { "handler in", "watches", "interval, ms", "unwatched, ns", "watched, ns", "more, ns",
    "unwatched, CPU ns", "watched, CPU ns", "more, CPU ns" },
};

static void
add_row (Table *table, const Case *what, const char *const texts[COLUMNS - 3])
{
  char **row = g_new0 (char *, COLUMNS + 1);
  const char *keys = what->watches == 1 ? "" : what->apart ? ", keys of their own" : ", all keys";
  row[0] = g_strdup (place_names[what->place]);
  row[1] = g_strdup_printf ("%u%s", what->watches, keys);
  row[2] = g_strdup_printf ("%u", what->interval);
  for (guint i = 3; i < COLUMNS; i++)
    row[i] = g_strdup (texts[i - 3]);
  table_add (table, row);
}

/* Into one of six places, which take turns. */
static const char *
print_number (gdouble number, int digits)
{
  static char texts[6][32];
  static guint next;
  char *text = texts[next++ % G_N_ELEMENTS (texts)];
  g_snprintf (text, sizeof texts[0], "%.*f", digits, number);
  return text;
}

static void
add_latency_row (Table *table, const Case *what, const Told *told)
{
  const struct latency *latency = &told->latency;
  guint64 full = told->emissions - told->resyncs;
  gboolean some = latency->count > 0;
  add_row (table, what,
           (const char *[]){
               some ? print_number ((gdouble) latency_percentile (latency, 0.5) / 1e3, 1) : "–",
               some ? print_number ((gdouble) latency_percentile (latency, 0.99) / 1e3, 1) : "–",
               some ? print_number ((gdouble) latency->maximum / 1e3, 1) : "–",
               print_number ((gdouble) told->emissions, 0),
               full > 0 ? print_number ((gdouble) told->changes / (gdouble) full, 1) : "–",
               print_number ((gdouble) told->resyncs, 0) });
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  gdouble left = *(const gdouble *) a, right = *(const gdouble *) b;
  return (left > right) - (left < right);
}

static gdouble
median_of (gdouble *numbers, guint count)
{
  qsort (numbers, count, sizeof *numbers, compare_numbers);
  return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

static void
add_cost_row (Table *table, const Case *what, Cost costs[2])
{
  gdouble clock[2], cpu[2];
  for (guint i = 0; i < 2; i++)
    {
      Cost *cost = &costs[i];
      clock[i] = what->isolated ? (gdouble) latency_percentile (&cost->each, 0.5)
                                : median_of (cost->round, cost->rounds);
      cpu[i] = what->isolated ? (gdouble) latency_percentile (&cost->each_cpu, 0.5)
                              : median_of (cost->cpu, cost->rounds);
    }
  add_row (table, what,
           (const char *[]){ print_number (clock[0], 0), print_number (clock[1], 0),
                             print_number (clock[1] - clock[0], 0), print_number (cpu[0], 0),
                             print_number (cpu[1], 0), print_number (cpu[1] - cpu[0], 0) });
}

static void
print_tables (Table tables[N_TABLES], gboolean isolated, FILE *file)
{
  static const char *const titles[2][N_TABLES] = {
    { "Full speed: from commit to handler", "Full speed: what a commit costs" },
    { "Isolated commits: from commit to handler", "Isolated commits: what a commit costs" },
  };
  for (guint kind = 0; kind < N_TABLES; kind++)
    {
      printf ("\n%s\n", titles[isolated][kind]);
      table_print (&tables[kind], stdout);
      if (file == NULL)
        continue;
      fprintf (file, "**%s**\n\n", titles[isolated][kind]);
      table_print_markdown (&tables[kind], file);
      fputc ('\n', file);
    }
}

/* ---- all of it ---- */

/* Whether `name` is in a list, or there is none. */
static gboolean
is_wanted (const char *list, const char *name)
{
  if (list == NULL)
    return TRUE;
  g_auto (GStrv) names = g_strsplit (list, ",", 0);
  return g_strv_contains ((const char *const *) names, name);
}

static gboolean
is_number_wanted (const char *list, guint number)
{
  g_autofree char *name = g_strdup_printf ("%u", number);
  return is_wanted (list, name);
}

static void
run_case (Bench *bench, const Case *what, Table tables[N_TABLES])
{
  g_autofree Cost *costs = g_new0 (Cost, 2);
  g_autofree Told *told = g_new0 (Told, 1);
  for (guint round = 0; round < (guint) rounds_wanted; round++)
    for (guint half = 0; half < 2; half++)
      if ((round + half) % 2 == 0)
        write_segment (bench, what, &costs[0]);
      else
        run_watched (bench, what, &costs[1], told);
  add_latency_row (&tables[LATENCY_TABLE], what, told);
  add_cost_row (&tables[COST_TABLE], what, costs);
  fputc ('.', stderr);
}

static void
run_cases (Bench *bench, gboolean isolated, FILE *file)
{
  static const guint counts[] = { 1, 10, 1000 }, intervals[] = { 16, 0 };
  Table tables[N_TABLES];
  for (guint i = 0; i < N_TABLES; i++)
    table_begin (&tables[i], headings[i], COLUMNS, 2);
  for (guint place = 0; place < N_PLACES; place++)
    for (guint count = 0; count < G_N_ELEMENTS (counts); count++)
      for (guint apart = 0; apart < (counts[count] == 1 ? 1 : 2); apart++)
        for (guint interval = 0; interval < G_N_ELEMENTS (intervals); interval++)
          {
            Case what = { isolated, place, counts[count], apart, intervals[interval] };
            if (is_wanted (places_wanted, place_options[place])
                && is_number_wanted (watches_wanted, what.watches)
                && is_number_wanted (intervals_wanted, what.interval))
              run_case (bench, &what, tables);
          }
  fputc ('\n', stderr);
  print_tables (tables, isolated, file);
  for (guint i = 0; i < N_TABLES; i++)
    table_end (&tables[i]);
}

static void
measure (const char *path, FILE *file)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { .path = path };
  bench.db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  check_error (error);
  bench.base = ldb_database_get_sequence (bench.db);
  for (guint i = 0; i < KEYS; i++) /* each key is there */
    commit (&bench);
  run_cases (&bench, TRUE, file);
  run_cases (&bench, FALSE, file);
  check (ldb_database_close (bench.db, NULL, &error), "the database did not close");
  g_object_unref (bench.db);
}

static gboolean
is_sensible (void)
{
  return commits_wanted > 0 && seconds_wanted > 0 && rounds_wanted > 0
         && rounds_wanted <= ROUNDS_MAX;
}

static void
shorten (void)
{
  commits_wanted = 4;
  rounds_wanted = 2;
  seconds_wanted = 0.02;
}

int
main (int argc, char **argv)
{
  static const GOptionEntry options[] = {
    { "commits", 0, 0, G_OPTION_ARG_INT, &commits_wanted, "Isolated ones of a case (300)", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds_wanted, "Full speed, of a round (0.5)", "S" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds_wanted, "Of each case (5)", "N" },
    { "places", 0, 0, G_OPTION_ARG_STRING, &places_wanted,
      "Only these of thread, other-thread, process", "LIST" },
    { "watches", 0, 0, G_OPTION_ARG_STRING, &watches_wanted, "Only these of 1, 10, 1000", "LIST" },
    { "intervals", 0, 0, G_OPTION_ARG_STRING, &intervals_wanted, "Only these of 16, 0", "LIST" },
    { NULL },
  };
  static const Program program = { options, is_sensible, shorten, measure };
  if (argc == 3 && strcmp (argv[1], "--follow") == 0)
    return process_main (argv[2]);
  return program_run (&program, argc, argv);
}
