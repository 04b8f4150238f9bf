/* SPDX-License-Identifier: MIT */
/* lightning-cli benchmark: the rows of the project's own benchmark, or a mix of operations as the inspector's
 * load tests have, on a database of their own. */
#include "benchmark.h"

#include "columns.h"
#include "mix.h"
#include "progress.h"
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_DIRECTORY "bench_db"
#define DEFAULT_FILL "fillrandom-batch,settle"
#define DEFAULT_ROWS                                                                               \
  "fillseq,fillrandom,fillseq-batch,bulkload," DEFAULT_FILL                                        \
  ",readseq,readreverse,seek,readrandom,readhot,readmissing,multiget,mixed,mixed@8,overwrite,"     \
  "deleterandom"
#define FIGURES_COLUMN 42  /* where the figures of a row begin */
#define SHARE_MOST 1000000 /* of a kind in a mix */

/* The options of the command line, as typed. */
struct request
{
  char *rows;              /* --rows; owned */
  char *mix;               /* --mix; owned */
  char *order;             /* --order; owned */
  int threads;             /* --threads; 0: not said */
  char *budget;            /* --cache-size; owned */
  gint64 records;          /* --records */
  int key_size;            /* --key-size */
  int value_size;          /* --value-size */
  double seconds;          /* --seconds */
  gboolean sync;           /* --sync */
  gboolean no_compression; /* --no-compression */
  gboolean keep;           /* --keep */
};

static gboolean
fail (GError **error, int code)
{
  g_set_error_literal (error, COMMAND_ERROR, code, driver_failure ());
  return FALSE;
}

static bool
is_stopped (void *data)
{
  return command_is_interrupted ();
}

static gboolean
fill_in (const struct request *request, const char *directory, struct benchmark *benchmark,
         GError **error)
{
  guint64 budget = 256 << 20;
  if (request->budget != NULL && !settings_parse_size (request->budget, &budget))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("“%s” is no size; write for example 64MiB"), request->budget);
      return FALSE;
    }
  *benchmark = (struct benchmark){
    .driver = &benchmark_driver,
    .options = {
      .directory = directory,
      .budget = budget,
      .records = (guint64) MAX (request->records, 0),
      .key_size = (gsize) MAX (request->key_size, 0),
      .value_size = (gsize) MAX (request->value_size, 0),
      .threads = 1,
      .sync = request->sync,
      .compression = !request->no_compression,
    },
    .settings = {
      .seconds = request->seconds,
      .warming = 0.2,
      .seed = 1,
      .stopped = is_stopped,
    },
  };
  return TRUE;
}

/* "name@threads"; NULL, with an error: there is no such row. */
static const struct workload *
parse_row (const char *text, unsigned *threads, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "@", 2);
  guint64 number = 1;
  const struct workload *workload = parts[0] != NULL ? workload_find (parts[0]) : NULL;
  if (workload == NULL || strcmp (workload->name, "kill") == 0
      || (parts[1] != NULL
          && !g_ascii_string_to_unsigned (parts[1], 10, 1, WORKLOAD_THREADS_MAXIMUM, &number,
                                          NULL)))
    {
      GString *names = g_string_new (NULL);
      for (const struct workload *row = workload_list; row->name != NULL; row++)
        if (strcmp (row->name, "kill") != 0)
          g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", row->name);
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("there is no row “%s”; there are, each also as NAME@THREADS: %s"), text,
                   names->str);
      g_string_free (names, TRUE);
      return NULL;
    }
  *threads = (unsigned) number;
  return workload;
}

/* "KIND=SHARE,…" */
static gboolean
parse_mix (const char *text, struct mix *mix, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint64 share = 0, sum = 0;
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      char *equals = strchr (parts[i], '=');
      unsigned kind = 0;
      if (equals != NULL)
        *equals++ = '\0';
      while (kind < MIX_KINDS && strcmp (parts[i], mix_kind_names[kind].id) != 0)
        kind++;
      if (kind == MIX_KINDS || equals == NULL
          || !g_ascii_string_to_unsigned (equals, 10, 0, SHARE_MOST, &share, NULL))
        {
          g_autoptr (GString) names = g_string_new (NULL);
          for (kind = 0; kind < MIX_KINDS; kind++)
            g_string_append_printf (names, "%s%s", kind > 0 ? ", " : "", mix_kind_names[kind].id);
          g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("a mix is KIND=SHARE,…, as in reads=80,writes=20; kinds are: %s"),
                       names->str);
          return FALSE;
        }
      mix->shares[kind] = (unsigned) share;
    }
  for (unsigned kind = 0; kind < MIX_KINDS; kind++)
    sum += mix->shares[kind];
  if (sum > 0)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("give at least one kind of operation a share"));
  return FALSE;
}

static gboolean
parse_order (const char *text, struct mix *mix, GError **error)
{
  unsigned order = 0;
  while (text != NULL && order < MIX_ORDERS && strcmp (text, mix_order_names[order].id) != 0)
    order++;
  mix->order = (enum mix_order) order;
  if (order < MIX_ORDERS)
    return TRUE;
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               _ ("there is no order “%s”; there are: %s, %s, %s"), text,
               mix_order_names[MIX_EVENLY].id, mix_order_names[MIX_HOT].id,
               mix_order_names[MIX_IN_ORDER].id);
  return FALSE;
}

/* What --mix, --order and --threads say; without --mix the others say nothing. */
static gboolean
parse_mix_options (const struct request *request, struct mix *mix, GError **error)
{
  if (request->mix != NULL && request->rows == NULL && request->threads >= 0
      && request->threads <= WORKLOAD_THREADS_MAXIMUM)
    return parse_mix (request->mix, mix, error) && parse_order (request->order, mix, error);
  if (request->mix == NULL && request->order == NULL && request->threads == 0)
    return TRUE;
  if (request->mix != NULL && request->rows == NULL)
    g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _ ("from 1 to %d threads are possible"),
                 WORKLOAD_THREADS_MAXIMUM);
  else
    g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                         _ ("--mix is run instead of rows; --order and --threads are of a mix"));
  return FALSE;
}

/* ---- Output ---- */

static char *
format_duration (guint64 nanoseconds)
{
  if (nanoseconds < 1000)
    return g_strdup_printf (_ ("%.0f ns"), (double) nanoseconds);
  if (nanoseconds < 1000000)
    return g_strdup_printf (_ ("%.2f µs"), (double) nanoseconds / 1e3);
  return g_strdup_printf (_ ("%.2f ms"), (double) nanoseconds / 1e6);
}

static void
print_latency (const struct latency *latency)
{
  static const struct
  {
    const char *title;
    double fraction;
  } percentiles[] = { { "P50", 0.5 }, { "P99", 0.99 }, { "P99.9", 0.999 } };
  if (latency->count == 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
    {
      g_autofree char *text
          = format_duration (latency_percentile (latency, percentiles[i].fraction));
      printf ("  %s %s", percentiles[i].title, text);
    }
}

static void
print_rate (const char *title, double rate, const char *unit, const struct latency *latency)
{
  g_autofree char *count = command_format_count ((guint64) rate);
  column_print_left (title, FIGURES_COLUMN);
  printf ("%12s %s/s", count, unit);
  if (latency != NULL)
    print_latency (latency);
  putchar ('\n');
  fflush (stdout);
}

static void
print_row (const struct workload *workload, unsigned threads, const struct workload_result *result)
{
  g_autoptr (GString) title = g_string_new (_ (workload->title));
  if (threads > 1)
    g_string_append_printf (title, _ (", %u threads"), threads);
  g_string_append_c (title, ' ');
  if (workload->unit[0] == '\0')
    {
      g_autofree char *time = command_format_seconds ((gint64) (result->seconds * 1e6));
      column_print_left (title->str, FIGURES_COLUMN);
      printf ("%12s\n", time);
      return;
    }
  double rate = result->seconds > 0 ? (double) result->operations / result->seconds : 0;
  /* What a call of many records takes is no latency of one. */
  gboolean batch = (workload->use & WORKLOAD_BATCHES) != 0;
  print_rate (title->str, rate, _ (workload->unit), batch ? NULL : &result->latency);
}

static void
add_real (JsonBuilder *builder, const char *name, double number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, number);
}

static void
add_latency (JsonBuilder *builder, const struct latency *latency)
{
  if (latency->count == 0)
    return;
  command_add_number (builder, "p50_ns", latency_percentile (latency, 0.5));
  command_add_number (builder, "p99_ns", latency_percentile (latency, 0.99));
  command_add_number (builder, "p999_ns", latency_percentile (latency, 0.999));
  command_add_number (builder, "longest_ns", latency->maximum);
}

static void
print_json_row (const struct workload *workload, unsigned threads,
                const struct workload_result *result)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "row", workload->name);
  command_add_number (builder, "threads", threads);
  command_add_number (builder, "operations", result->operations);
  add_real (builder, "seconds", result->seconds);
  if (result->seconds > 0)
    add_real (builder, "per_second", (double) result->operations / result->seconds);
  if (result->other_seconds > 0)
    add_real (builder, "writes_per_second",
              (double) result->other_operations / result->other_seconds);
  add_latency (builder, &result->latency);
  command_add_number (builder, "written_bytes", result->written);
  command_add_number (builder, "disk_bytes", result->disk);
  command_add_number (builder, "memory_bytes", result->peak_memory);
  json_builder_end_object (builder);
  command_print_json (builder);
}

/* A line for each kind of a mix. */
static void
print_mix (struct invocation *invocation, const struct mix *mix, const struct mix_tally *tally,
           unsigned threads, double seconds)
{
  for (unsigned kind = 0; kind < MIX_KINDS; kind++)
    {
      double rate = seconds > 0 ? (double) tally->operations[kind] / seconds : 0;
      if (mix->shares[kind] == 0)
        continue;
      if (!invocation->json)
        {
          print_rate (_ (mix_kind_names[kind].title), rate, _ ("operations"),
                      &tally->latencies[kind]);
          continue;
        }
      JsonBuilder *builder = json_builder_new ();
      json_builder_begin_object (builder);
      command_add_text (builder, "row", "mix");
      command_add_text (builder, "kind", mix_kind_names[kind].id);
      command_add_number (builder, "share", mix->shares[kind]);
      command_add_number (builder, "threads", threads);
      command_add_number (builder, "operations", tally->operations[kind]);
      add_real (builder, "seconds", seconds);
      add_real (builder, "per_second", rate);
      add_latency (builder, &tally->latencies[kind]);
      json_builder_end_object (builder);
      command_print_json (builder);
    }
}

/* ---- Running ---- */

/* A fill begins with an empty database, which replaces the one before it. */
static gboolean
start_anew (struct benchmark *benchmark, GError **error)
{
  gboolean was_open = benchmark->database != NULL;
  if (was_open && !benchmark_close (benchmark))
    return fail (error, COMMAND_ERROR_OUTPUT);
  if (was_open && !ldb_database_destroy (benchmark->options.directory, NULL, error))
    return FALSE;
  return benchmark_open (benchmark, false) || fail (error, COMMAND_ERROR_OUTPUT);
}

static gboolean
run_row (struct invocation *invocation, struct benchmark *benchmark, const char *text,
         GError **error)
{
  unsigned threads;
  const struct workload *workload = parse_row (text, &threads, error);
  if (workload == NULL)
    return FALSE;
  gboolean fills = (workload->use & WORKLOAD_FILLS) != 0;
  if (fills && !start_anew (benchmark, error))
    return FALSE;
  struct progress progress;
  progress_begin (&progress, _ (workload->title), FALSE, invocation->quiet);
  progress_wait (&progress, _ (workload->title));
  g_autofree struct workload_result *result = g_new0 (struct workload_result, 1);
  gboolean done = workload_run (benchmark, workload, threads, result);
  progress_end (&progress);
  if (!done)
    return fail (error, COMMAND_ERROR_OUTPUT);
  if (command_interrupted (error))
    return FALSE;
  if (invocation->json)
    print_json_row (workload, threads, result);
  else
    print_row (workload, threads, result);
  return TRUE;
}

static gboolean
check_rows (char **rows, GError **error)
{
  unsigned threads;
  for (gsize i = 0; rows[i] != NULL; i++)
    if (parse_row (rows[i], &threads, error) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
run_filling (struct invocation *invocation, struct benchmark *benchmark, GError **error)
{
  g_auto (GStrv) rows = g_strsplit (DEFAULT_FILL, ",", -1);
  for (gsize i = 0; rows[i] != NULL; i++)
    if (!run_row (invocation, benchmark, rows[i], error))
      return FALSE;
  return TRUE;
}

/* All rows; reading ones find a filled database. */
static gboolean
run_rows (struct invocation *invocation, struct benchmark *benchmark, const char *rows,
          GError **error)
{
  g_auto (GStrv) asked = g_strsplit (rows, ",", -1);
  if (!check_rows (asked, error))
    return FALSE;
  unsigned threads;
  const struct workload *first = asked[0] != NULL ? parse_row (asked[0], &threads, NULL) : NULL;
  if (first != NULL && (first->use & WORKLOAD_FILLS) == 0
      && !run_filling (invocation, benchmark, error))
    return FALSE;
  for (gsize i = 0; asked[i] != NULL; i++)
    if (!run_row (invocation, benchmark, asked[i], error))
      return FALSE;
  return TRUE;
}

/* Wrong values are counted, and the first one told. */
static gboolean
run_mix (struct invocation *invocation, struct benchmark *benchmark, struct mix *mix,
         unsigned threads, GError **error)
{
  g_autofree struct mix_board *board = g_new0 (struct mix_board, 1);
  g_autofree struct mix_tally *tally = g_new0 (struct mix_tally, 1);
  g_autofree struct workload_result *result = g_new0 (struct workload_result, 1);
  struct progress progress;
  if (!run_filling (invocation, benchmark, error))
    return FALSE;
  mix_board_init (board);
  mix->board = board;
  benchmark->mix = mix;
  progress_begin (&progress, _ ("a mix of operations"), FALSE, invocation->quiet);
  progress_wait (&progress, _ ("a mix of operations"));
  gboolean done = workload_run (benchmark, &mix_workload, threads, result);
  progress_end (&progress);
  benchmark->mix = NULL;
  mix_board_read (board, tally);
  done = (done || fail (error, COMMAND_ERROR_OUTPUT)) && !command_interrupted (error);
  if (done && tally->wrong > 0)
    g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_OUTPUT,
                 ngettext ("%" PRIu64 " wrong value was read: %s",
                           "%" PRIu64 " wrong values were read, the first: %s", tally->wrong),
                 tally->wrong, board->wrong);
  else if (done)
    print_mix (invocation, mix, tally, threads, result->seconds);
  mix_board_clear (board);
  return done && tally->wrong == 0;
}

static gboolean
measure (struct invocation *invocation, const struct request *request, const char *directory,
         GError **error)
{
  struct benchmark benchmark;
  struct mix mix = { .order = MIX_EVENLY };
  if (!parse_mix_options (request, &mix, error))
    return FALSE;
  if (g_file_test (directory, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("%s is there already; the benchmark makes a database of its own: name a "
                      "path that is free"),
                   directory);
      return FALSE;
    }
  if (!fill_in (request, directory, &benchmark, error))
    return FALSE;
  command_catch_interrupts ();
  gboolean done
      = request->mix != NULL
            ? run_mix (invocation, &benchmark, &mix, (unsigned) MAX (request->threads, 1), error)
            : run_rows (invocation, &benchmark,
                        request->rows != NULL ? request->rows : DEFAULT_ROWS, error);
  gboolean made = benchmark.database != NULL;
  if (made && !benchmark_close (&benchmark) && done)
    done = fail (error, COMMAND_ERROR_OUTPUT);
  if (made && !request->keep)
    done = ldb_database_destroy (directory, NULL, done ? error : NULL) && done;
  return done;
}

enum exit_status
benchmark_run (struct invocation *invocation)
{
  struct request request = { .records = 1000000, .key_size = 16, .value_size = 100, .seconds = 5 };
  const GOptionEntry entries[] = {
    { "rows", 0, 0, G_OPTION_ARG_STRING, &request.rows, N_ ("Only these, in this order"),
      N_ ("ROW[@THREADS],…") },
    { "mix", 0, 0, G_OPTION_ARG_STRING, &request.mix,
      N_ ("Instead of rows, operations by their shares: reads, missing, writes, deletes, scans, "
          "transactions"),
      N_ ("KIND=SHARE,…") },
    { "order", 0, 0, G_OPTION_ARG_STRING, &request.order,
      N_ ("Keys of a mix: evenly, hot or in-order (evenly)"), N_ ("ORDER") },
    { "threads", 0, 0, G_OPTION_ARG_INT, &request.threads, N_ ("That do a mix (1)"),
      N_ ("NUMBER") },
    { "records", 0, 0, G_OPTION_ARG_INT64, &request.records, N_ ("How many (1,000,000)"),
      N_ ("NUMBER") },
    { "key-size", 0, 0, G_OPTION_ARG_INT, &request.key_size,
      N_ ("Bytes of each key: 8, or 16 and more (16)"), N_ ("BYTES") },
    { "value-size", 0, 0, G_OPTION_ARG_INT, &request.value_size, N_ ("Bytes of each value (100)"),
      N_ ("BYTES") },
    { "cache-size", 0, 0, G_OPTION_ARG_STRING, &request.budget, N_ ("Memory budget (256MiB)"),
      N_ ("SIZE") },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &request.seconds,
      N_ ("After which a row ends that is no fill (5)"), N_ ("SECONDS") },
    { "sync", 0, 0, G_OPTION_ARG_NONE, &request.sync,
      N_ ("Every commit is durable before it returns"), NULL },
    { "no-compression", 0, 0, G_OPTION_ARG_NONE, &request.no_compression,
      N_ ("Store pages as they are"), NULL },
    { "keep", 0, 0, G_OPTION_ARG_NONE, &request.keep, N_ ("Leave the database there"), NULL },
    { NULL },
  };
  GError *error = NULL;
  gboolean parsed = command_parse (
      invocation, entries, NULL,
      _ ("Fills a new database in DIRECTORY (bench_db), with zstd, a cache of 256 MiB, read-ahead "
         "and background merging, reads and changes it, verifies every byte that it reads, and "
         "prints how many operations a second that made and how long single calls took. The "
         "database is removed afterwards. On a busy machine the figures mean little."),
      &error);
  const char *directory = DEFAULT_DIRECTORY;
  if (parsed && invocation->next_argument < invocation->argument_count)
    directory = command_take (invocation, _ ("DIRECTORY"), &error);
  gboolean done = parsed && command_finish (invocation, &error)
                  && measure (invocation, &request, directory, &error);
  g_free (request.rows);
  g_free (request.budget);
  g_free (request.mix);
  g_free (request.order);
  return done ? EXIT_STATUS_DONE : command_fail (invocation, error);
}
