/* SPDX-License-Identifier: MIT */
/*
 * The program of one engine: opens one database, runs the rows asked for in their order and prints
 * a line of JSON for each. tests/benchmarks/run starts it; see docs/benchmarks.md.
 */
#include "workload.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options_known[] = {
  { "directory", required_argument, NULL, 'd' },
  { "rows", required_argument, NULL, 'r' },
  { "records", required_argument, NULL, 'n' },
  { "key-size", required_argument, NULL, 'k' },
  { "value-size", required_argument, NULL, 'v' },
  { "budget", required_argument, NULL, 'b' },
  { "operations", required_argument, NULL, 'o' },
  { "seconds", required_argument, NULL, 's' },
  { "warming", required_argument, NULL, 'w' },
  { "seed", required_argument, NULL, 'e' },
  { "existing", no_argument, NULL, 'x' },
  { "sync", no_argument, NULL, 'y' },
  { "compression", no_argument, NULL, 'c' },
  { "list", no_argument, NULL, 'L' },
  { "help", no_argument, NULL, 'h' },
  { NULL, 0, NULL, 0 },
};

static const char help[]
    = "Usage: %s --directory DIRECTORY --rows ROW[@THREADS][,…] [OPTION…]\n"
      "  --records N        records in the database (1000000)\n"
      "  --key-size BYTES   8, or 16 and more (16)\n"
      "  --value-size BYTES (100)\n"
      "  --budget BYTES     cache (268435456)\n"
      "  --operations N     of rows that can be short (as many as records, or 2 to 10 times that)\n"
      "  --seconds S        after which such a row ends (5)\n"
      "  --warming PART     of a row that reads, run before it untimed (0.2)\n"
      "  --seed N           (1)\n"
      "  --existing         the database is there, filled with the same settings\n"
      "  --sync             each commit is durable before it is acknowledged\n"
      "  --compression      the engine's best codec\n"
      "  --list             print the rows and end\n";

struct command_line
{
  struct benchmark benchmark; /* filled with the settings */
  char *rows;                 /* separated by commas; changed while read */
  bool existing;              /* the database is there */
};

static void
list_rows (const struct driver *driver)
{
  for (const struct workload *workload = workload_list; workload->name != NULL; workload++)
    printf ("%s\t%s\t%s\t%s\n", workload->name, workload->unit,
            workload->possible == NULL || workload->possible (driver) ? "yes" : "no",
            workload->title);
}

static uint64_t
number_of (const char *text)
{
  char *end;
  errno = 0;
  unsigned long long number = strtoull (text, &end, 10);
  if (errno == 0 && *end == '\0' && end != text)
    return number;
  fprintf (stderr, "“%s” is no number\n", text);
  exit (2);
}

static void
take_option (struct command_line *line, int option, const char *program)
{
  struct benchmark *benchmark = &line->benchmark;
  switch (option)
    {
    case 'd':
      benchmark->options.directory = optarg;
      break;
    case 'r':
      line->rows = optarg;
      break;
    case 'n':
      benchmark->options.records = number_of (optarg);
      break;
    case 'k':
      benchmark->options.key_size = number_of (optarg);
      break;
    case 'v':
      benchmark->options.value_size = number_of (optarg);
      break;
    case 'b':
      benchmark->options.budget = number_of (optarg);
      break;
    case 'o':
      benchmark->settings.operations = number_of (optarg);
      break;
    case 's':
      benchmark->settings.seconds = atof (optarg);
      break;
    case 'w':
      benchmark->settings.warming = atof (optarg);
      break;
    case 'e':
      benchmark->settings.seed = number_of (optarg);
      break;
    case 'x':
      line->existing = true;
      break;
    case 'y':
      benchmark->options.sync = true;
      break;
    case 'c':
      benchmark->options.compression = true;
      break;
    case 'L':
      list_rows (benchmark->driver);
      exit (0);
    case 'h':
      printf (help, program);
      exit (0);
    default:
      fprintf (stderr, help, program);
      exit (2);
    }
}

/* "row@threads": the row; NULL: there is none of this name. */
static const struct workload *
parse_row (char *text, unsigned *threads)
{
  char *at = strchr (text, '@');
  *threads = 1;
  if (at != NULL)
    {
      *at = '\0';
      *threads = (unsigned) number_of (at + 1);
    }
  return workload_find (text);
}

/* What the rows need from the opening on. */
static void
look_ahead (struct command_line *line)
{
  struct driver_options *options = &line->benchmark.options;
  options->threads = 1;
  options->transactions = strstr (line->rows, "transactions") != NULL;
  for (const char *at = line->rows; (at = strchr (at, '@')) != NULL; at++)
    {
      unsigned threads = (unsigned) strtoul (at + 1, NULL, 10);
      options->threads = threads > options->threads ? threads : options->threads;
    }
  if (strstr (line->rows, "readwhilewriting") != NULL && options->threads < 2)
    options->threads = 2;
}

static void
print_text (const char *name, const char *text)
{
  printf ("\"%s\": \"", name);
  for (; *text != '\0'; text++)
    if (*text == '"' || *text == '\\')
      printf ("\\%c", *text);
    else
      putchar ((unsigned char) *text < ' ' ? ' ' : *text);
  putchar ('"');
}

static void
print_engine (const struct benchmark *benchmark)
{
  putchar ('{');
  print_text ("engine", benchmark->driver->name);
  printf (", ");
  print_text ("version", benchmark->driver->version ());
  printf (", ");
  print_text ("settings", benchmark->driver->settings (&benchmark->options));
  if (benchmark->first_read > 0)
    printf (", \"first_read\": %.9f", (double) benchmark->first_read / 1e9);
  puts ("}");
}

static void
print_latency (const char *name, const struct latency *latency)
{
  if (latency->count == 0)
    return;
  printf (
      ", \"%s\": {\"count\": %" PRIu64 ", \"mean\": %.1f, \"p50\": %" PRIu64 ", \"p95\": %" PRIu64
      ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64 ", \"max\": %" PRIu64 "}",
      name, latency->count, (double) latency->sum / (double) latency->count,
      latency_percentile (latency, 0.5), latency_percentile (latency, 0.95),
      latency_percentile (latency, 0.99), latency_percentile (latency, 0.999), latency->maximum);
}

static void
print_result (const struct workload *workload, unsigned threads,
              const struct workload_result *result)
{
  putchar ('{');
  print_text ("row", workload->name);
  printf (", \"threads\": %u, \"operations\": %" PRIu64 ", \"seconds\": %.6f", threads,
          result->operations, result->seconds);
  if (result->seconds > 0)
    printf (", \"rate\": %.1f", (double) result->operations / result->seconds);
  if (result->other_seconds > 0)
    printf (", \"other_rate\": %.1f", (double) result->other_operations / result->other_seconds);
  print_latency ("latency", &result->latency);
  print_latency ("other_latency", &result->other_latency);
  printf (", \"written\": %" PRIu64 ", \"disk\": %" PRIu64 ", \"memory\": %" PRIu64 "}\n",
          result->written, result->disk, result->peak_memory);
  fflush (stdout);
}

static bool
is_possible (const struct workload *workload, const struct driver *driver, unsigned threads)
{
  bool writes = (workload->use & WORKLOAD_CHANGES) != 0;
  bool shared = threads > 1 || (workload->use & WORKLOAD_TWO_SIDES) != 0;
  if (driver->writes_alone && writes && shared)
    return false;
  return workload->possible == NULL || workload->possible (driver);
}

static bool
run_row (struct benchmark *benchmark, char *text)
{
  unsigned threads;
  const struct workload *workload = parse_row (text, &threads);
  if (workload == NULL)
    return driver_fail ("there is no row “%s”; --list prints all", text);
  if (!is_possible (workload, benchmark->driver, threads))
    {
      printf ("{\"row\": \"%s\", \"threads\": %u, \"impossible\": true}\n", workload->name,
              threads);
      return true;
    }
  struct workload_result *result = calloc (1, sizeof *result);
  if (result == NULL)
    return driver_fail ("memory is short");
  bool done = workload_run (benchmark, workload, threads, result);
  if (done)
    print_result (workload, threads, result);
  free (result);
  return done;
}

int
main (int argc, char **argv)
{
  struct command_line line = {
    .benchmark = {
      .driver = &benchmark_driver,
      .options = { .budget = 256 << 20, .records = 1000000, .key_size = 16, .value_size = 100 },
      .settings = { .seconds = 5, .warming = 0.2, .seed = 1 },
    },
  };
  for (int option; (option = getopt_long (argc, argv, "", options_known, NULL)) != -1;)
    take_option (&line, option, argv[0]);
  if (line.rows == NULL || line.benchmark.options.directory == NULL || optind < argc)
    {
      fprintf (stderr, help, argv[0]);
      return 2;
    }
  look_ahead (&line);

  bool done = benchmark_open (&line.benchmark, line.existing);
  if (done)
    {
      print_engine (&line.benchmark);
      for (char *row = strtok (line.rows, ","); done && row != NULL; row = strtok (NULL, ","))
        done = run_row (&line.benchmark, row);
    }
  if (!done)
    {
      fflush (stdout);
      fprintf (stderr, "%s: %s\n", benchmark_driver.name, driver_failure ());
      _Exit (1); /* an engine in an unknown state is not closed */
    }
  if (!benchmark_close (&line.benchmark))
    {
      fprintf (stderr, "%s: %s\n", benchmark_driver.name, driver_failure ());
      return 1;
    }
  return 0;
}
