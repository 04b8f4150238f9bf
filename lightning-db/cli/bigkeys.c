/* SPDX-License-Identifier: MIT */
/* How large keys and values are: bigkeys. */
#include "progress.h"
#include "records.h"
#include "storage.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 32u
#define KEY_SHOWN 60u /* bytes of a key, for people */
#define LIMIT_MAX 10000
#define THERE_LIMIT 1000 /* largest values that an application names */
#define THERE_SECONDS 10 /* that it measures for */

static const struct
{
  const char *name; /* in JSON */
  double fraction;
} percentiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "max", 1 } };

static void
append_percentiles_json (GString *to, const char *name, LdbSizes *sizes,
                         guint64 (*percentile) (LdbSizes *sizes, double fraction))
{
  g_string_append_printf (to, ",\"%s\":{", name);
  for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
    g_string_append_printf (to, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", percentiles[i].name,
                            percentile (sizes, percentiles[i].fraction));
  g_string_append_c (to, '}');
}

static void
append_buckets_json (GString *to, const char *name, GPtrArray *buckets)
{
  g_string_append_printf (to, ",\"%s\":[", name);
  for (guint i = 0; i < buckets->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (buckets, i);
      g_string_append_printf (
          to, "%s{\"least\":%" PRIu64 ",\"most\":%" PRIu64 ",\"count\":%" PRIu64 "}",
          i > 0 ? "," : "", bucket->least, bucket->most, bucket->count);
    }
  g_string_append_c (to, ']');
}

static void
append_json (GString *to, const char *name, LdbSizes *sizes)
{
  char share[G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (GPtrArray) keys = ldb_sizes_list_key_buckets (sizes);
  g_autoptr (GPtrArray) values = ldb_sizes_list_value_buckets (sizes);
  GPtrArray *biggest = ldb_sizes_get_biggest (sizes);
  g_string_append (to, "{\"store\":");
  text_form_append_json_string (to, name, strlen (name));
  g_ascii_formatd (share, sizeof share, "%.6g", sizes->share);
  g_string_append_printf (to,
                          ",\"records\":%" PRIu64 ",\"key_bytes\":%" PRIu64
                          ",\"value_bytes\":%" PRIu64 ",\"share\":%s,\"faults\":%" PRIu64,
                          sizes->records, sizes->key_bytes, sizes->value_bytes, share,
                          sizes->faults);
  append_percentiles_json (to, "key_size", sizes, ldb_sizes_get_key_percentile);
  append_percentiles_json (to, "value_size", sizes, ldb_sizes_get_value_percentile);
  append_buckets_json (to, "key_sizes", keys);
  append_buckets_json (to, "value_sizes", values);
  g_string_append (to, ",\"biggest\":[");
  for (guint i = 0; i < biggest->len; i++)
    {
      const LdbBigValue *value = g_ptr_array_index (biggest, i);
      gsize size;
      const guint8 *data = g_bytes_get_data (value->key, &size);
      g_string_append (to, i > 0 ? ",{" : "{");
      text_form_append_json_member (to, "key", data, size);
      g_string_append_printf (to, ",\"size\":%" PRIu64 "}", value->size);
    }
  g_string_append (to, "]}\n");
}

static void
append_biggest (GString *to, LdbSizes *sizes)
{
  GPtrArray *biggest = ldb_sizes_get_biggest (sizes);
  for (guint i = 0; i < biggest->len; i++)
    {
      const LdbBigValue *value = g_ptr_array_index (biggest, i);
      gsize size;
      const guint8 *data = g_bytes_get_data (value->key, &size);
      g_autofree char *text = command_format_count (value->size);
      g_string_append_printf (to, "%14s  ", text);
      text_form_append_escaped (to, data, MIN (size, KEY_SHOWN));
      if (size > KEY_SHOWN)
        {
          g_autofree char *length = command_format_size (size);
          g_string_append_printf (to, "… (%s)", length);
        }
      g_string_append_c (to, '\n');
    }
}

static void
append_histogram (GString *to, LdbSizes *sizes)
{
  g_autoptr (GPtrArray) buckets = ldb_sizes_list_value_buckets (sizes);
  guint64 most = 1;
  for (guint i = 0; i < buckets->len; i++)
    most = MAX (most, ((LdbSizeBucket *) g_ptr_array_index (buckets, i))->count);
  for (guint i = 0; i < buckets->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (buckets, i);
      g_autofree char *size = command_format_size (bucket->most);
      g_autofree char *count = command_format_count (bucket->count);
      g_string_append_printf (to, _ ("up to %10s  "), size);
      bar_append (to, (double) bucket->count / (double) most, BAR_WIDTH);
      g_string_append_printf (to, " %12s\n", count);
    }
}

static void
append_words (GString *to, LdbSizes *sizes)
{
  g_autofree char *keys = command_format_count (sizes->records);
  g_autofree char *key_bytes = command_format_size (sizes->key_bytes);
  g_autofree char *value_bytes = command_format_size (sizes->value_bytes);
  g_autofree char *median = command_format_size (ldb_sizes_get_value_percentile (sizes, 0.5));
  g_autofree char *high = command_format_size (ldb_sizes_get_value_percentile (sizes, 0.99));
  g_autofree char *largest = command_format_size (ldb_sizes_get_value_percentile (sizes, 1));
  append_biggest (to, sizes);
  g_string_append_printf (to, _ ("%s keys, together %s; values, together %s\n"), keys,
                          key_bytes, value_bytes);
  g_string_append_printf (to, _ ("Values: half up to %s, 99%% up to %s, the largest %s\n"), median,
                          high, largest);
  append_histogram (to, sizes);
  if (sizes->share < 1)
    g_string_append_printf (to, _ ("About %.0f%% of the range was seen.\n"), sizes->share * 100);
}

struct bigkeys
{
  gint limit;        /* --limit: values to name */
  double time_limit; /* --time-limit, seconds; 0 = none */
};

static gboolean
check_limits (const struct bigkeys *wanted, GError **error)
{
  if (wanted->limit >= 0 && wanted->limit <= LIMIT_MAX && wanted->time_limit >= 0
      && wanted->time_limit <= 86400)
    return TRUE;
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               wanted->limit >= 0 && wanted->limit <= LIMIT_MAX
                   ? _ ("--time-limit is a number of seconds, up to a day")
                   : _ ("--limit is a number of values, 0 to %d"),
               LIMIT_MAX);
  return FALSE;
}

/* The application gives it a few seconds; the part of a large range that it sees in them is enough only
 * for who wants no more. */
static LdbSizes *
measure_there (struct invocation *invocation, const struct bigkeys *wanted, const key_range *range,
               GError **error)
{
  gsize start_size = 0, end_size = 0;
  const void *start = range->start != NULL ? g_bytes_get_data (range->start, &start_size) : NULL;
  const void *end = range->end != NULL ? g_bytes_get_data (range->end, &end_size) : NULL;
  guint milliseconds = (guint) (MIN (wanted->time_limit, THERE_SECONDS) * 1000);
  LdbSizes *sizes = ldb_inspector_measure_sizes (
      invocation->inspector, command_get_store_name (invocation), start, start_size, end, end_size,
      milliseconds, (guint) wanted->limit, NULL, error);
  gboolean enough = sizes == NULL || sizes->share >= 1 || wanted->time_limit > 0;
  if (!enough)
    g_clear_pointer (&sizes, ldb_sizes_free);
  return sizes;
}

static LdbSizes *
measure_here (struct invocation *invocation, const struct bigkeys *wanted, const key_range *range,
              GError **error)
{
  gsize start_size = 0, end_size = 0;
  const void *start = range->start != NULL ? g_bytes_get_data (range->start, &start_size) : NULL;
  const void *end = range->end != NULL ? g_bytes_get_data (range->end, &end_size) : NULL;
  guint milliseconds = (guint) (wanted->time_limit * 1000);
  if (wanted->time_limit > 0 && milliseconds == 0)
    milliseconds = 1;
  struct progress progress;
  progress_begin (&progress, _ ("Measuring"), FALSE, invocation->quiet);
  LdbSizes *sizes = ldb_database_measure_sizes (
      invocation->database, invocation->store, start, start_size, end, end_size, milliseconds,
      (guint) wanted->limit, progress_report, &progress, progress.cancellable, error);
  progress_end (&progress);
  return sizes;
}

/* Beside the application where it cannot tell all that is wanted. */
static LdbSizes *
measure (struct invocation *invocation, const struct bigkeys *wanted, const key_range *range,
         GError **error)
{
  GError *failure = NULL;
  LdbSizes *sizes = NULL;
  gboolean there = invocation->inspector != NULL && wanted->limit <= THERE_LIMIT
                   && wanted->time_limit <= THERE_SECONDS;
  if (there)
    sizes = measure_there (invocation, wanted, range, &failure);
  if (failure != NULL)
    g_propagate_error (error, failure);
  if (sizes != NULL || failure != NULL)
    return sizes;
  if (invocation->inspector != NULL
      && (!command_open_beside (invocation, error)
          || !command_choose_store (invocation, FALSE, error)))
    return NULL;
  return measure_here (invocation, wanted, range, error);
}

enum exit_status
bigkeys_run (struct invocation *invocation)
{
  struct bigkeys wanted = { .limit = 20 };
  g_auto (key_range_options) options = { 0 };
  g_auto (key_range) range = { 0 };
  g_autofree char *input_name = NULL;
  const GOptionEntry entries[] = {
    { "limit", 'n', 0, G_OPTION_ARG_INT, &wanted.limit, N_ ("Name so many of the largest (20)"),
      N_ ("COUNT") },
    { "time-limit", 0, 0, G_OPTION_ARG_DOUBLE, &wanted.time_limit,
      N_ ("End after this time with what was seen, spread evenly over the range"), N_ ("SECONDS") },
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name,
      N_ ("How keys on the command line are written: text, escaped or hex"), N_ ("FORM") },
    { NULL },
  };
  const GOptionEntry range_entries[] = RANGE_ENTRIES (options);
  GError *error = NULL;
  enum text_form input = TEXT_FORM_TEXT;
  g_autoptr (LdbSizes) sizes = NULL;
  if (!command_parse (invocation, entries, range_entries,
                      _ ("Prints the largest values with their keys, and how sizes are "
                         "distributed. Everything is read, past the cache; large values in files "
                         "of their own are not."),
                      &error)
      || !check_limits (&wanted, &error)
      || !(input_name == NULL || text_form_parse_name (input_name, &input, &error))
      || !key_range_parse (&options, input, &range, &error)
      || !command_open_look (invocation, &error)
      || !(invocation->inspector != NULL || command_choose_store (invocation, FALSE, &error))
      || !command_finish (invocation, &error)
      || (sizes = measure (invocation, &wanted, &range, &error)) == NULL)
    return command_fail (invocation, error);
  g_autoptr (GString) text = g_string_new (NULL);
  if (invocation->json)
    append_json (text, command_get_store_name (invocation), sizes);
  else
    append_words (text, sizes);
  command_print (invocation, text->str);
  if (sizes->faults == 0)
    return EXIT_STATUS_DONE;
  g_autofree char *fault = text_form_show (ldb_sizes_get_first_fault (sizes), "");
  fprintf (stderr, _ ("lightning-cli: left out, since it is damaged: %s\n"), fault);
  return EXIT_STATUS_NEGATIVE;
}
