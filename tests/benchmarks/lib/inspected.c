/* SPDX-License-Identifier: MIT */
/*
 * What somebody who looks costs the application (docs/design/metrics.md): another process is connected
 * to the database and looks at what it counts four times a second, through the shared counters or by
 * asking for a copy. Slices with and without it take turns, each first as often as second; what is
 * compared is the processor time of the whole application, inspection thread included, for each call.
 *
 *   inspected DIRECTORY [PAIRS]      in the user's runtime directory, which is to be on tmpfs
 */
#include <lightning-db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORDS 200000
#define HOT 100
#define SLICE_SECONDS 1.0
#define LOOKS_PER_SECOND 4
#define REST_SECONDS 5
#define PAIRS_MOST 1000

static void
require (gboolean done, GError *error)
{
  if (!done)
    g_error ("%s", error != NULL ? error->message : "failed");
}

/* ---- who looks ---- */

/* Lines on standard input: "counters", "copy" or "rest"; each is answered when it is so. */
static gboolean
look (gpointer data)
{
  gpointer *all = data;
  const char *how = all[2];
  if (strcmp (how, "counters") == 0)
    ldb_metrics_refresh (all[1]);
  else if (strcmp (how, "copy") == 0)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LdbMetrics) copy = ldb_inspector_get_metrics (all[0], NULL, &error);
      require (copy != NULL, error);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
hear (GIOChannel *channel, GIOCondition condition, gpointer data)
{
  gpointer *all = data;
  char *line = NULL;
  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    exit (0);
  all[2] = g_strstrip (line);
  puts ("ok");
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

static int
be_client (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  require (running != NULL, NULL);
  LdbInspector *inspector = ldb_inspector_open (running, NULL, &error);
  require (inspector != NULL, error);
  LdbMetrics *metrics = ldb_running_database_get_metrics (running, &error);
  require (metrics != NULL, error);
  gpointer all[3] = { inspector, metrics, (char *) "rest" };
  g_io_add_watch (g_io_channel_unix_new (0), G_IO_IN | G_IO_HUP, hear, all);
  g_timeout_add (1000 / LOOKS_PER_SECOND, look, all);
  puts ("ok");
  fflush (stdout);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
  return 0;
}

/* ---- the application ---- */

typedef struct
{
  FILE *input;  /* of the client */
  FILE *output; /* of the client */
} Client;

static void
await (Client *client)
{
  char line[16];
  if (fgets (line, sizeof line, client->output) == NULL)
    g_error ("the client has ended");
}

static void
tell (Client *client, const char *how)
{
  fprintf (client->input, "%s\n", how);
  fflush (client->input);
  await (client);
}

static double
seconds (clockid_t clock)
{
  struct timespec time;
  clock_gettime (clock, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

/* Processor nanoseconds of a call. */
static double
slice (LdbDatabase *db, guint range)
{
  guint64 calls = 0;
  char key[32], value[128];
  double ends = seconds (CLOCK_MONOTONIC) + SLICE_SECONDS;
  double began = seconds (CLOCK_PROCESS_CPUTIME_ID);
  while (seconds (CLOCK_MONOTONIC) < ends)
    for (guint i = 0; i < 1000; i++, calls++)
      {
        gsize size;
        g_autoptr (GError) error = NULL;
        g_snprintf (key, sizeof key, "key-%08u", (guint) g_random_int_range (0, (gint) range));
        require (ldb_database_get_into (db, (const guint8 *) key, strlen (key), value, sizeof value,
                                        &size, &error),
                 error);
      }
  return (seconds (CLOCK_PROCESS_CPUTIME_ID) - began) * 1e9 / (double) calls;
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static void
measure (LdbDatabase *db, Client *client, const char *row, guint range, const char *how,
         guint pairs)
{
  static double times[2][PAIRS_MOST], more[PAIRS_MOST];
  slice (db, range);
  for (guint i = 0; i < pairs; i++)
    {
      for (guint turn = 0; turn < 2; turn++)
        {
          guint with = (i + turn) % 2;
          tell (client, with ? how : "rest");
          times[with][i] = slice (db, range);
        }
      more[i] = times[1][i] / times[0][i] - 1;
    }
  for (guint i = 0; i < 2; i++)
    qsort (times[i], pairs, sizeof *times[i], compare_doubles);
  qsort (more, pairs, sizeof *more, compare_doubles);
  printf ("%-11s %-9s %8.1f ns %8.1f ns  %+.2f %% (median of pairs %+.2f %%)\n", row, how,
          times[0][pairs / 2], times[1][pairs / 2],
          (times[1][pairs / 2] / times[0][pairs / 2] - 1) * 100, more[pairs / 2] * 100);
}

/* What it takes of an application that does nothing: microseconds of a processor in a second. */
static void
measure_rest (Client *client, const char *how)
{
  tell (client, how);
  double began = seconds (CLOCK_PROCESS_CPUTIME_ID);
  g_usleep (REST_SECONDS * G_USEC_PER_SEC);
  double taken = (seconds (CLOCK_PROCESS_CPUTIME_ID) - began) * 1e6 / REST_SECONDS;
  tell (client, "rest");
  printf ("at rest     %-9s %8.0f µs a second: %.3f %% of a processor\n", how, taken, taken / 1e4);
}

static LdbDatabase *
open_filled (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 256 << 20);
  LdbDatabase *db
      = ldb_database_open (path, LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE, options, NULL, &error);
  require (db != NULL, error);
  for (guint i = 0; i < RECORDS; i++)
    {
      char key[32];
      g_snprintf (key, sizeof key, "key-%08u", i);
      require (ldb_database_put_string (db, key, "a value of thirty bytes or so", NULL, &error),
               error);
    }
  require (ldb_database_compact (db, NULL, NULL, NULL, &error), error);
  return db;
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--client") == 0)
    return be_client (argv[2]);
  if (argc < 2)
    {
      fprintf (stderr, "usage: inspected DIRECTORY [PAIRS]\n");
      return 2;
    }
  guint pairs = argc > 2 ? (guint) CLAMP (atoi (argv[2]), 1, PAIRS_MOST) : 15;
  g_autofree char *path = g_build_filename (argv[1], "inspected.db", NULL);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  const char *const arguments[] = { program, "--client", path, NULL };
  int input, output;
  g_autoptr (GError) error = NULL;
  g_setenv ("LIGHTNING_INSPECT", "1", TRUE);
  g_autoptr (LdbDatabase) db = open_filled (path);
  require (g_spawn_async_with_pipes (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                     NULL, &input, &output, NULL, &error),
           error);
  Client client = { fdopen (input, "w"), fdopen (output, "r") };
  await (&client);
  printf ("%u pairs of slices of %.0f s; %d looks a second\n", pairs, SLICE_SECONDS,
          LOOKS_PER_SECOND);
  measure_rest (&client, "rest");
  measure_rest (&client, "counters");
  measure_rest (&client, "copy");
  printf ("row         how         without        with     more\n");
  measure (db, &client, "readhot", HOT, "counters", pairs);
  measure (db, &client, "readhot", HOT, "copy", pairs);
  measure (db, &client, "readrandom", RECORDS, "counters", pairs);
  measure (db, &client, "readrandom", RECORDS, "copy", pairs);
  fclose (client.input);
  fclose (client.output);
  return 0;
}
