/* SPDX-License-Identifier: MIT */
/* Ranges of keys, and the command that prints them: scan. */
#include "records.h"

#include <inttypes.h>
#include <stdio.h>

#define OUTPUT_BLOCK 65536

void
range_options_clear (key_range_options *options)
{
  g_clear_pointer (&options->prefix, g_free);
  g_clear_pointer (&options->from, g_free);
  g_clear_pointer (&options->to, g_free);
}

void
key_range_clear (key_range *range)
{
  g_clear_pointer (&range->start, g_bytes_unref);
  g_clear_pointer (&range->end, g_bytes_unref);
}

/* The first key behind all that begin with `prefix`; NULL: there is none. */
static GBytes *
prefix_end (GBytes *prefix)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (prefix, &size);
  while (size > 0 && data[size - 1] == 0xff)
    size--;
  if (size == 0)
    return NULL;
  guint8 *end = g_memdup2 (data, size);
  end[size - 1]++;
  return g_bytes_new_take (end, size);
}

gboolean
key_range_parse (const key_range_options *options, enum text_form input, key_range *to,
                 GError **error)
{
  if (options->prefix != NULL && (options->from != NULL || options->to != NULL))
    {
      g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                           _ ("--prefix cannot stand beside --from or --to; choose one"));
      return FALSE;
    }
  const char *start = options->prefix != NULL ? options->prefix : options->from;
  to->given = start != NULL || options->to != NULL;
  if (start != NULL && (to->start = text_form_parse (input, start, error)) == NULL)
    return FALSE;
  if (options->to != NULL && (to->end = text_form_parse (input, options->to, error)) == NULL)
    return FALSE;
  if (options->prefix != NULL)
    to->end = prefix_end (to->start);
  return TRUE;
}

struct scan
{
  enum text_form form;  /* of what is printed */
  gboolean keys_only;   /* --keys-only */
  gboolean values_only; /* --values-only */
  gboolean count_only;  /* --count */
  gboolean reverse;     /* --reverse */
  gint64 limit;         /* --limit; G_MAXINT64: none */
  guint64 seen;         /* records so far */
  GString *output;      /* not written yet; owned */
};

static LdbCursor *
open_cursor (struct invocation *invocation, const struct scan *scan, const key_range *range,
             GError **error)
{
  gsize start_size = 0, end_size = 0;
  const void *start = range->start != NULL ? g_bytes_get_data (range->start, &start_size) : NULL;
  const void *end = range->end != NULL ? g_bytes_get_data (range->end, &end_size) : NULL;
  LdbScanFlags flags = LDB_SCAN_NONE;
  if (scan->reverse)
    flags |= LDB_SCAN_REVERSE;
  if (scan->keys_only || scan->count_only)
    flags |= LDB_SCAN_KEYS_ONLY;
  LdbTransaction *transaction = invocation->session->transaction;
  if (transaction != NULL)
    return ldb_transaction_scan (transaction, invocation->store, start, start_size, end, end_size,
                                 flags, error);
  return ldb_store_scan (invocation->store, start, start_size, end, end_size, flags, error);
}

static void
append_bytes (const struct scan *scan, const guint8 *data, gsize size)
{
  if (scan->form == TEXT_FORM_HEX)
    text_form_append_hex (scan->output, data, size);
  else
    text_form_append_escaped (scan->output, data, size);
}

static gboolean
append_record (const struct scan *scan, LdbCursor *cursor, GError **error)
{
  gsize key_size, size = 0;
  const guint8 *key = ldb_cursor_peek_key (cursor, &key_size);
  const guint8 *value = NULL;
  if (!scan->keys_only)
    {
      GError *failure = NULL;
      value = ldb_cursor_peek_value (cursor, &size, &failure);
      if (failure != NULL)
        return g_propagate_error (error, failure), FALSE;
    }
  gboolean json = scan->form == TEXT_FORM_JSON;
  if (json)
    g_string_append_c (scan->output, '{');
  if (!scan->values_only && json)
    text_form_append_json_member (scan->output, "key", key, key_size);
  else if (!scan->values_only)
    append_bytes (scan, key, key_size);
  if (!scan->values_only && !scan->keys_only)
    g_string_append_c (scan->output, json ? ',' : '\t');
  if (!scan->keys_only && json)
    text_form_append_json_member (scan->output, "value", value, size);
  else if (!scan->keys_only)
    append_bytes (scan, value, size);
  g_string_append (scan->output, json ? "}\n" : "\n");
  return TRUE;
}

static gboolean
fail_interrupted (GError **error)
{
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_INTERRUPTED,
                       _ ("interrupted; there are more records"));
  return FALSE;
}

static gboolean
write_output (struct scan *scan, gsize least, GError **error)
{
  if (scan->output->len < least)
    return TRUE;
  gboolean written = fwrite (scan->output->str, 1, scan->output->len, stdout) == scan->output->len;
  if (!written && command_write_interrupted ())
    return fail_interrupted (error);
  g_string_truncate (scan->output, 0);
  if (!written)
    g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_OUTPUT,
                         _ ("standard output cannot be written; is the disk full?"));
  return written;
}

static gboolean
scan_all (struct scan *scan, LdbCursor *cursor, GError **error)
{
  GError *failure = NULL;
  while (scan->seen < (guint64) scan->limit && !command_is_interrupted ()
         && ldb_cursor_next (cursor, NULL, &failure))
    {
      scan->seen++;
      if (!scan->count_only
          && (!append_record (scan, cursor, error) || !write_output (scan, OUTPUT_BLOCK, error)))
        return FALSE;
    }
  if (!write_output (scan, 1, failure == NULL ? error : NULL))
    return g_clear_error (&failure), FALSE;
  if (failure != NULL)
    return g_propagate_error (error, failure), FALSE;
  return command_is_interrupted () ? fail_interrupted (error) : TRUE;
}

static void
print_count (struct invocation *invocation, const struct scan *scan)
{
  if (!invocation->json)
    {
      printf ("%" PRIu64 "\n", scan->seen);
      return;
    }
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_number (builder, "count", scan->seen);
  json_builder_end_object (builder);
  command_print_json (builder);
}

static gboolean
scan_check (struct invocation *invocation, struct scan *scan, const char *format, GError **error)
{
  scan->form = invocation->json ? TEXT_FORM_JSON : TEXT_FORM_ESCAPED;
  if (format != NULL && !text_form_parse_name (format, &scan->form, error))
    return FALSE;
  if (scan->limit < 0)
    {
      g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                           _ ("--limit is a number of records, 0 or more"));
      return FALSE;
    }
  if (!scan->keys_only || !scan->values_only)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("--keys-only and --values-only together leave nothing to print"));
  return FALSE;
}

enum exit_status
scan_run (struct invocation *invocation)
{
  struct scan scan = { .limit = G_MAXINT64 };
  g_auto (key_range_options) options = { 0 };
  g_autofree char *format = NULL;
  g_autofree char *input_name = NULL;
  const GOptionEntry entries[] = {
    { "reverse", 'r', 0, G_OPTION_ARG_NONE, &scan.reverse, N_ ("From the last key to the first"),
      NULL },
    { "limit", 'n', 0, G_OPTION_ARG_INT64, &scan.limit, N_ ("Stop after this many records"),
      N_ ("COUNT") },
    { "keys-only", 'k', 0, G_OPTION_ARG_NONE, &scan.keys_only, N_ ("Print keys only"), NULL },
    { "values-only", 'v', 0, G_OPTION_ARG_NONE, &scan.values_only, N_ ("Print values only"), NULL },
    { "count", 0, 0, G_OPTION_ARG_NONE, &scan.count_only, N_ ("Print how many there are"), NULL },
    { "format", 'f', 0, G_OPTION_ARG_STRING, &format, N_ ("Print as escaped text, hex or json"),
      N_ ("FORM") },
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name,
      N_ ("What --prefix, --from and --to are: text, escaped or hex"), N_ ("FORM") },
    { NULL },
  };
  const GOptionEntry range_entries[] = RANGE_ENTRIES (options);
  GError *error = NULL;
  enum text_form input = TEXT_FORM_TEXT;
  g_auto (key_range) range = { 0 };
  g_autoptr (LdbCursor) cursor = NULL;
  gboolean done = command_parse (invocation, entries, range_entries,
                                 _ ("One record a line, key and value with a tabulator between "
                                    "them. Bytes that would break the line are escaped: \\n, \\t, "
                                    "\\r, \\\\, \\xNN."),
                                 &error)
                  && scan_check (invocation, &scan, format, &error)
                  && (input_name == NULL || text_form_parse_name (input_name, &input, &error))
                  && key_range_parse (&options, input, &range, &error)
                  && command_open_store (invocation, LDB_OPEN_READ_ONLY, &error)
                  && command_finish (invocation, &error)
                  && (cursor = open_cursor (invocation, &scan, &range, &error)) != NULL;
  if (done)
    {
      command_catch_interrupts ();
      scan.output = g_string_new (NULL);
      done = scan_all (&scan, cursor, &error);
      g_string_free (scan.output, TRUE);
    }
  if (!done)
    return command_fail (invocation, error);
  if (scan.count_only)
    print_count (invocation, &scan);
  return EXIT_STATUS_DONE;
}
