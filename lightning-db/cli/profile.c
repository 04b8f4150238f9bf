/* SPDX-License-Identifier: MIT */
/*
 * What takes how long: latency and profile. Of an application that shares its database they read the
 * memory in which that counts, which also works while it is stopped, or ask for a copy of it where that
 * memory is not shared; else they open the database and read at random themselves.
 */
#include "columns.h"
#include "live.h"
#include "own-load.h"
#include "storage.h"

#include <stdio.h>

#define BAR_WIDTH 24u              /* characters */
#define SLICE_MICROSECONDS 1000000 /* of waiting, between two looks at Ctrl+C */

/* What is looked at. */
typedef struct timed_database
{
  LdbMetrics *metrics;  /* as of the last look; owned */
  struct own_load load; /* not opened: somebody else is at work */
  LdbInspector
      *inspector; /* whom to ask for the next ones; owned; NULL: they follow by themselves */
  char *path;     /* as given; owned */
} timed_database;

static void
timed_database_clear (timed_database *self)
{
  g_clear_object (&self->metrics);
  own_load_clear (&self->load);
  g_clear_object (&self->inspector);
  g_clear_pointer (&self->path, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (timed_database, timed_database_clear)

/* ---- the database ---- */

/* At the counters of who has it open. */
static gboolean
look_into (timed_database *self, LdbRunningDatabase *running, GError **error)
{
  GError *failure = NULL;
  self->metrics = ldb_running_database_get_metrics (running, &failure);
  if (g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND)) /* it shares none */
    {
      g_clear_error (&failure);
      self->inspector = command_connect (running, error);
      if (self->inspector != NULL)
        self->metrics = ldb_inspector_get_metrics (self->inspector, NULL, error);
    }
  else if (failure != NULL)
    g_propagate_error (error, failure);
  return self->metrics != NULL;
}

static gboolean
timed_database_open (struct invocation *invocation, timed_database *self, GError **error)
{
  const char *path = command_take (invocation, _ ("the database"), error);
  if (path == NULL || !command_finish (invocation, error))
    return FALSE;
  self->path = g_strdup (path);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  if (running != NULL)
    return look_into (self, running, error);
  if (!own_load_open (&self->load, path, error))
    return FALSE;
  self->metrics = ldb_database_get_metrics (self->load.database, error);
  return self->metrics != NULL;
}

/* Takes what it counts now. */
static gboolean
look_again (timed_database *self, GError **error)
{
  if (self->inspector == NULL)
    {
      ldb_metrics_refresh (self->metrics);
      return TRUE;
    }
  LdbMetrics *metrics = ldb_inspector_get_metrics (self->inspector, NULL, error);
  if (metrics == NULL)
    return FALSE;
  g_object_unref (self->metrics);
  self->metrics = metrics;
  return TRUE;
}

/* Lets the time pass, with a load of our own or without. */
static gboolean
let_pass (timed_database *self, double seconds, GError **error)
{
  gint64 until = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC), left;
  if (self->load.database != NULL)
    return own_load_run (&self->load, until, error);
  while ((left = until - g_get_monotonic_time ()) > 0 && !command_is_interrupted ())
    g_usleep ((gulong) MIN (left, SLICE_MICROSECONDS));
  return TRUE;
}

/* ---- latency ---- */

static const double fractions[] = { 0.5, 0.9, 0.99, 0.999 };
static const char *const fraction_names[] = { "p50", "p90", "p99", "p999" };

static gboolean
is_time (LdbMetrics *metrics, const char *name)
{
  LdbMetricKind kind;
  LdbMetricUnit unit;
  return ldb_metrics_describe (metrics, name, &kind, &unit, NULL) && kind == LDB_METRIC_HISTOGRAM
         && unit == LDB_METRIC_NANOSECONDS && ldb_metrics_get_value (metrics, name) > 0;
}

/* Nanoseconds, in seven characters. */
static char *
format_time (gint64 nanoseconds)
{
  double time = (double) nanoseconds;
  if (time < 1e4)
    return g_strdup_printf ("%.0f ns", time);
  if (time < 1e7)
    return g_strdup_printf ("%.0f µs", time / 1e3);
  if (time < 1e10)
    return g_strdup_printf ("%.0f ms", time / 1e6);
  return g_strdup_printf ("%.0f s", time / 1e9);
}

static void
print_time (gint64 nanoseconds)
{
  g_autofree char *text = format_time (nanoseconds);
  column_print_right (text, 9);
}

static void
print_latency (LdbMetrics *metrics, const char *name)
{
  gint64 count = ldb_metrics_get_value (metrics, name);
  printf ("%-20s %12" G_GINT64_FORMAT, name, count);
  print_time (ldb_metrics_get_sum (metrics, name) / MAX (count, 1));
  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
    print_time (ldb_metrics_get_percentile (metrics, name, fractions[i]));
  print_time (ldb_metrics_get_maximum (metrics, name));
  putchar ('\n');
}

static void
add_latency (JsonBuilder *builder, LdbMetrics *metrics, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  command_add_number (builder, "count", (guint64) ldb_metrics_get_value (metrics, name));
  command_add_number (builder, "sum", (guint64) ldb_metrics_get_sum (metrics, name));
  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
    command_add_number (builder, fraction_names[i],
                        (guint64) ldb_metrics_get_percentile (metrics, name, fractions[i]));
  command_add_number (builder, "max", (guint64) ldb_metrics_get_maximum (metrics, name));
  json_builder_end_object (builder);
}

static void
print_latencies (const struct invocation *invocation, const timed_database *timed)
{
  g_auto (GStrv) names = ldb_metrics_list_names (timed->metrics);
  if (!invocation->json)
    {
      /* In the order of the columns below, which numbers follow. */
      column_print_left (_ ("WHAT"), 21);
      column_print_right (C_ ("heading", "COUNT"), 12);
      column_print_right (_ ("MEAN"), 9);
      printf ("%9s%9s%9s%9s", "P50", "P90", "P99", "P99.9");
      column_print_right (_ ("MAX"), 9);
      putchar ('\n');
      for (guint i = 0; names[i] != NULL; i++)
        if (is_time (timed->metrics, names[i]))
          print_latency (timed->metrics, names[i]);
      return;
    }
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "path", timed->path);
  json_builder_set_member_name (builder, "running");
  json_builder_add_boolean_value (builder, timed->load.database == NULL);
  json_builder_set_member_name (builder, "nanoseconds");
  json_builder_begin_object (builder);
  for (guint i = 0; names[i] != NULL; i++)
    if (is_time (timed->metrics, names[i]))
      add_latency (builder, timed->metrics, names[i]);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  command_print_json (builder);
}

enum exit_status
latency_run (struct invocation *invocation)
{
  double seconds = 2;
  GError *error = NULL;
  g_auto (timed_database) timed = { NULL };
  const GOptionEntry entries[] = {
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
      N_ ("How long to read at random where no application is at work (2)"), N_ ("SECONDS") },
    { NULL },
  };
  if (!command_parse (invocation, entries, NULL,
                      _ ("Prints how long operations, and what they wait for, take: of an "
                         "application that has the database open and lets it be inspected, since "
                         "it opened it, also while it is stopped. Operations are sampled, waits "
                         "are not. Of a database that nobody shares, keys are read at random."),
                      &error)
      || !own_load_check_duration (seconds, &error)
      || !timed_database_open (invocation, &timed, &error))
    return command_fail (invocation, error);
  command_catch_interrupts ();
  gboolean fine = timed.load.database == NULL || let_pass (&timed, seconds, &error);
  command_forget_interrupt ();
  if (!fine)
    return command_fail (invocation, error);
  print_latencies (invocation, &timed);
  return EXIT_STATUS_DONE;
}

/* ---- profile ---- */

/* Something that time is spent on: a step, which is timed in sampled operations, or a wait, which is
 * always timed. Both are without what is counted in another one. */
static const struct category
{
  const char *name;   /* as shown */
  const char *metric; /* nanoseconds: of a step its counter, of a wait the sum of its histogram */
  const char *times;  /* how often: likewise; NULL: a wait */
} categories[] = {
  { "Snapshot::visibility", "step_visibility_time", "step_visibility" },
  { "Memtable::search", "step_memtables_time", "step_memtables" },
  { "HotRecords::get", "step_hot_records_time", "step_hot_records" },
  { "Filter::probe", "step_filter_time", "step_filter" },
  { "BTree::index", "step_index_time", "step_index" },
  { "Cache::get", "step_page_time", "step_page" },
  { "BTree::search", "step_leaf_time", "step_leaf" },
  { "Value::copy", "step_copy_time", "step_copy" },
  { "Transaction::validate", "step_validate_time", "step_validate" },
  { "Log::append", "step_log_append_time", "step_log_append" },
  { "Memtable::insert", "step_insert_time", "step_insert" },
  { "Other", "step_other_time", "step_other" },
  { "Page::read", "page_read", NULL },
  { "Compression::decompress", "decompress", NULL },
  { "Blob::read", "blob_read", NULL },
  { "Commit::lock", "commit_lock", NULL },
  { "Commit::turn", "commit_turn", NULL },
  { "Commit::pace", "nap", NULL },
  { "Commit::stall", "stall", NULL },
  { "Log::change", "log_change", NULL },
};

#define CATEGORIES G_N_ELEMENTS (categories)

/* What it was at one moment, or between two. */
struct spent
{
  gint64 time[CATEGORIES];  /* nanoseconds: of steps in sampled operations only */
  gint64 times[CATEGORIES]; /* how often */
  gint64 samples;           /* operations that were sampled */
};

static void
take (LdbMetrics *metrics, struct spent *out)
{
  for (guint i = 0; i < CATEGORIES; i++)
    {
      const struct category *category = &categories[i];
      out->time[i] = category->times != NULL ? ldb_metrics_get_value (metrics, category->metric)
                                             : ldb_metrics_get_sum (metrics, category->metric);
      out->times[i] = ldb_metrics_get_value (metrics, category->times != NULL ? category->times
                                                                              : category->metric);
    }
  out->samples = ldb_metrics_get_value (metrics, "samples");
}

/* What passed between the two, where each sampled step stands for `interval` of them. */
static void
subtract (struct spent *now, const struct spent *before, gint64 interval)
{
  for (guint i = 0; i < CATEGORIES; i++)
    {
      gint64 weight = categories[i].times != NULL ? interval : 1;
      now->time[i] = MAX (now->time[i] - before->time[i], 0) * weight;
      now->times[i] = MAX (now->times[i] - before->times[i], 0) * weight;
    }
  now->samples -= before->samples;
}

/* The categories' numbers, those first that took longest. */
static gint
compare_time (gconstpointer a, gconstpointer b, gpointer data)
{
  const struct spent *spent = data;
  gint64 left = spent->time[*(const guint *) a], right = spent->time[*(const guint *) b];
  return left < right ? 1 : left > right ? -1 : 0;
}

static void
print_profile (const struct spent *spent, const guint order[CATEGORIES], double whole,
               double seconds)
{
  g_autofree char *samples = command_format_count ((guint64) spent->samples);
  printf (_ ("Top operations by time, in %.1f s, of %s sampled operations:\n"), seconds, samples);
  for (guint i = 0; i < CATEGORIES; i++)
    {
      gint64 time = spent->time[order[i]];
      if (time == 0)
        continue;
      g_autoptr (GString) line = g_string_new (NULL);
      g_autofree char *taken = format_time (time);
      g_string_append_printf (line, "  %-24s %5.1f%%  ", categories[order[i]].name,
                              (double) time / whole * 100);
      bar_append (line, (double) time / whole, BAR_WIDTH);
      printf ("%s %s\n", line->str, taken);
    }
}

static void
add_profile (JsonBuilder *builder, const struct spent *spent, const guint order[CATEGORIES],
             double whole)
{
  json_builder_set_member_name (builder, "categories");
  json_builder_begin_array (builder);
  for (guint i = 0; i < CATEGORIES; i++)
    {
      const struct category *category = &categories[order[i]];
      if (spent->time[order[i]] == 0)
        continue;
      json_builder_begin_object (builder);
      command_add_text (builder, "name", category->name);
      json_builder_set_member_name (builder, "share");
      json_builder_add_double_value (builder, (double) spent->time[order[i]] / whole);
      command_add_number (builder, "nanoseconds", (guint64) spent->time[order[i]]);
      command_add_number (builder, "times", (guint64) spent->times[order[i]]);
      json_builder_set_member_name (builder, "sampled");
      json_builder_add_boolean_value (builder, category->times != NULL);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
show_profile (const struct invocation *invocation, const timed_database *timed,
              const struct spent *spent, double seconds)
{
  guint order[CATEGORIES];
  double whole = 0;
  for (guint i = 0; i < CATEGORIES; i++)
    {
      order[i] = i;
      whole += (double) spent->time[i];
    }
  g_qsort_with_data (order, CATEGORIES, sizeof *order, compare_time, (gpointer) spent);
  if (!invocation->json && whole == 0)
    puts (_ ("Nothing was sampled, and nothing waited for."));
  else if (!invocation->json)
    print_profile (spent, order, whole, seconds);
  if (!invocation->json)
    return;
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "path", timed->path);
  json_builder_set_member_name (builder, "running");
  json_builder_add_boolean_value (builder, timed->load.database == NULL);
  json_builder_set_member_name (builder, "seconds");
  json_builder_add_double_value (builder, seconds);
  command_add_number (builder, "samples", (guint64) spent->samples);
  add_profile (builder, spent, order, whole);
  json_builder_end_object (builder);
  command_print_json (builder);
}

enum exit_status
profile_run (struct invocation *invocation)
{
  double seconds = 10;
  GError *error = NULL;
  struct spent before, now;
  g_auto (timed_database) timed = { NULL };
  const GOptionEntry entries[] = {
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, N_ ("How long to look (10)"),
      N_ ("SECONDS") },
    { NULL },
  };
  if (!command_parse (invocation, entries, NULL,
                      _ ("Prints what operations spend their time on: those of an application that "
                         "has the database open and lets it be inspected; else keys are read at "
                         "random meanwhile. Steps are timed in operations that are sampled, waits "
                         "always; flushes and merges in the background are left out."),
                      &error)
      || !own_load_check_duration (seconds, &error)
      || !timed_database_open (invocation, &timed, &error))
    return command_fail (invocation, error);
  command_catch_interrupts ();
  gint64 began = g_get_monotonic_time ();
  take (timed.metrics, &before);
  gboolean fine = let_pass (&timed, seconds, &error) && look_again (&timed, &error);
  take (timed.metrics, &now);
  seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  command_forget_interrupt ();
  if (!fine)
    return command_fail (invocation, error);
  subtract (&now, &before, ldb_metrics_get_value (timed.metrics, "sampling_interval"));
  show_profile (invocation, &timed, &now, seconds);
  return EXIT_STATUS_DONE;
}
