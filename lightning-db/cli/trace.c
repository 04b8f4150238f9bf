/* SPDX-License-Identifier: MIT */
/*
 * trace: one lookup of a key, step by step, in the application that has the database open when it lets
 * that be inspected, else here.
 */
#include "columns.h"
#include "live.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Steps first, then what they waited for: all add up to the duration. */
static const struct
{
  const char *name; /* in JSON, and shown */
  gsize offset;     /* in LdbTrace */
} steps[] = {
  { "visibility", G_STRUCT_OFFSET (LdbTrace, visibility) },
  { "memtables", G_STRUCT_OFFSET (LdbTrace, memtables) },
  { "hot_records", G_STRUCT_OFFSET (LdbTrace, hot_records) },
  { "filter", G_STRUCT_OFFSET (LdbTrace, filter) },
  { "index", G_STRUCT_OFFSET (LdbTrace, index) },
  { "page", G_STRUCT_OFFSET (LdbTrace, page) },
  { "leaf", G_STRUCT_OFFSET (LdbTrace, leaf) },
  { "handing_out", G_STRUCT_OFFSET (LdbTrace, handing_out) },
  { "other", G_STRUCT_OFFSET (LdbTrace, other) },
  { "page_read", G_STRUCT_OFFSET (LdbTrace, page_read) },
  { "decompress", G_STRUCT_OFFSET (LdbTrace, decompress) },
  { "blob_read", G_STRUCT_OFFSET (LdbTrace, blob_read) },
};

static LdbTrace *
trace_key (struct invocation *invocation, GBytes *key, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (key, &size);
  if (invocation->inspector != NULL)
    return ldb_inspector_trace_get (invocation->inspector, command_get_store_name (invocation), data,
                                    size, NULL, error);
  if (!command_choose_store (invocation, FALSE, error))
    return NULL;
  return ldb_database_trace_get (invocation->database, invocation->store, data, size, NULL, error);
}

static guint64
step_of (const LdbTrace *trace, guint i)
{
  return G_STRUCT_MEMBER (guint64, trace, steps[i].offset);
}

static void
print_json (struct invocation *invocation, GBytes *key, const LdbTrace *trace)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  const char *store = command_get_store_name (invocation);
  g_autoptr (GString) line = g_string_new ("{");
  text_form_append_json_member (line, "key", data, size);
  g_string_append_c (line, ',');
  text_form_append_json_member (line, "store", (const guint8 *) store, strlen (store));
  g_string_append_printf (line,
                          ",\"running\":%s,\"found\":%s,\"size\":%" PRIu64 ",\"filters\":%" PRIu64
                          ",\"leaves\":%" PRIu64 ",\"nanoseconds\":%" PRIu64 ",\"steps\":{",
                          invocation->inspector != NULL ? "true" : "false",
                          trace->found ? "true" : "false", trace->value_length, trace->filters,
                          trace->leaves, trace->duration);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    g_string_append_printf (line, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", steps[i].name,
                            step_of (trace, i));
  g_string_append (line, "}}");
  puts (line->str);
}

static void
print_step (const char *name, guint64 nanoseconds, const LdbTrace *trace)
{
  g_autofree char *count = command_format_count (nanoseconds);
  printf ("  %-12s ", name);
  column_print_right (count, 13);
  printf (" ns  %5.1f%%\n", 100 * (double) nanoseconds / (double) MAX (trace->duration, 1));
}

/* What took no time was not done. */
static void
print_text (const LdbTrace *trace)
{
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (step_of (trace, i) > 0)
      print_step (steps[i].name, step_of (trace, i), trace);
  print_step ("total", trace->duration, trace);
  g_autofree char *size = g_strdup_printf ("%" PRIu64, trace->value_length);
  if (trace->found)
    printf (_ ("Found, with a value of %s bytes. Filters asked: %u, leaves searched: %u.\n"), size,
            (unsigned) trace->filters, (unsigned) trace->leaves);
  else
    printf (_ ("Not found. Filters asked: %u, leaves searched: %u.\n"), (unsigned) trace->filters,
            (unsigned) trace->leaves);
}

enum exit_status
trace_run (struct invocation *invocation)
{
  g_autofree char *input_name = NULL;
  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name,
      N_ ("Keys and values on the command line are text, hex (two digits a byte) or escaped "
          "(\\n, \\t, \\xNN)"),
      N_ ("FORM") },
    { NULL },
  };
  GError *error = NULL;
  enum text_form input = TEXT_FORM_TEXT;
  const char *argument;
  g_autoptr (GBytes) key = NULL;
  g_autoptr (LdbTrace) trace = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Looks the key up once, in the application that has the database open and "
                         "shares it, else here, where it is cold. Exit status: 1 when the key is "
                         "not there."),
                      &error)
      || (input_name != NULL && !text_form_parse_name (input_name, &input, &error))
      || !command_open_look (invocation, &error)
      || (argument = command_take (invocation, _ ("KEY"), &error)) == NULL
      || !command_finish (invocation, &error)
      || (key = text_form_parse (input, argument, &error)) == NULL
      || (trace = trace_key (invocation, key, &error)) == NULL)
    return command_fail (invocation, error);
  if (invocation->json)
    print_json (invocation, key, trace);
  else
    print_text (trace);
  return trace->found ? EXIT_STATUS_DONE : EXIT_STATUS_NEGATIVE;
}
