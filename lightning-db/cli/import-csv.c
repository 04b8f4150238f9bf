/* SPDX-License-Identifier: MIT */
/* Comma-separated values as a source of records: a row is a JSON object of its columns, or one of
 * its columns as it stands. */
#include "csv.h"
#include "import.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct csv_source
{
  struct csv_reader reader; /* owned */
  GPtrArray *names;         /* of the columns, char *; owned */
  guint key_column;         /* from 0 */
  guint value_column;       /* from 0; G_MAXUINT: all, as JSON */
};

struct csv_options
{
  char *key_column;   /* --key-column: name or number from 1; owned */
  char *value_column; /* --value-column; owned */
  char *delimiter;    /* --delimiter; owned */
  gboolean no_header; /* --no-header */
};

/* What is wrong with the row that the reader is at. */
#define bad(source, error, ...)                                                                    \
  import_bad ((source)->reader.input, (source)->reader.line, error, __VA_ARGS__)

static enum import_result
append_row (struct csv_source *source, GString *value, GError **error)
{
  g_string_append_c (value, '{');
  for (guint i = 0; i < source->names->len; i++)
    {
      gsize size;
      const char *field = csv_reader_field (&source->reader, i, &size);
      const char *name = source->names->pdata[i];
      if (memchr (field, '\0', size) != NULL)
        return bad (source, error, _ ("a zero byte in column “%s”; remove it"), name);
      if (!g_utf8_validate_len (field, size, NULL))
        return bad (source, error,
                    _ ("column “%s” is not UTF-8; convert the file, for example with iconv"), name);
      if (i > 0)
        g_string_append_c (value, ',');
      text_form_append_json_string (value, name, strlen (name));
      g_string_append_c (value, ':');
      text_form_append_json_string (value, field, size);
    }
  g_string_append_c (value, '}');
  return IMPORT_RECORD;
}

static enum import_result
bad_count (struct csv_source *source, guint count, GError **error)
{
  guint expected = source->names->len;
  g_autofree char *fields = g_strdup_printf (ngettext ("%u field", "%u fields", count), count);
  g_autofree char *columns
      = g_strdup_printf (ngettext ("%u column", "%u columns", expected), expected);
  /* Translators: "3 fields", "2 columns". */
  return bad (source, error, _ ("%s, but the file has %s"), fields, columns);
}

static enum import_result
next_row (gpointer state, struct import_record *record, GError **error)
{
  struct csv_source *source = state;
  enum csv_result result = csv_reader_next (&source->reader, error);
  if (result != CSV_RECORD)
    return result == CSV_END ? IMPORT_END : result == CSV_BAD ? IMPORT_BAD : IMPORT_FAILED;
  record->line = source->reader.line;
  guint count = csv_reader_count (&source->reader);
  if (count != source->names->len)
    return bad_count (source, count, error);
  gsize size;
  const char *key = csv_reader_field (&source->reader, source->key_column, &size);
  if (size == 0)
    return bad (source, error, _ ("the key in column “%s” is empty"),
                (const char *) source->names->pdata[source->key_column]);
  g_string_truncate (record->key, 0);
  g_string_append_len (record->key, key, (gssize) size);
  g_string_truncate (record->value, 0);
  if (source->value_column == G_MAXUINT)
    return append_row (source, record->value, error);
  const char *value = csv_reader_field (&source->reader, source->value_column, &size);
  g_string_append_len (record->value, value, (gssize) size);
  return IMPORT_RECORD;
}

/* The column that `text` names, or numbers from 1. FALSE: error with the names. */
static gboolean
find_column (const struct csv_source *source, const char *text, guint *column, GError **error)
{
  for (*column = 0; *column < source->names->len; (*column)++)
    if (strcmp (source->names->pdata[*column], text) == 0)
      return TRUE;
  guint64 number;
  if (g_ascii_string_to_unsigned (text, 10, 1, source->names->len, &number, NULL))
    {
      *column = (guint) number - 1;
      return TRUE;
    }
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < source->names->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            (const char *) source->names->pdata[i]);
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               _ ("there is no column “%s”; the columns are %s"), text, names->str);
  return FALSE;
}

/* The first line: the names of the columns, or, without a header, the first row itself, which is
 * then read again; its columns are called 1, 2, … */
static gboolean
read_header (struct csv_source *source, gboolean no_header, GError **error)
{
  enum csv_result result = csv_reader_next (&source->reader, error);
  if (result == CSV_END)
    g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                 _ ("%s is empty: there is not even a header line"), source->reader.input->name);
  if (result != CSV_RECORD)
    return FALSE;
  for (guint i = 0; i < csv_reader_count (&source->reader); i++)
    {
      gsize size;
      const char *field = csv_reader_field (&source->reader, i, &size);
      if (!no_header && !g_utf8_validate_len (field, size, NULL))
        {
          bad (source, error,
               _ ("the header is not UTF-8; convert the file, for example with "
                  "iconv"));
          return FALSE;
        }
      char *name = no_header ? g_strdup_printf ("%u", i + 1) : g_strndup (field, size);
      gboolean twice = g_ptr_array_find_with_equal_func (source->names, name, g_str_equal, NULL);
      g_ptr_array_add (source->names, name);
      if (twice)
        {
          bad (source, error, _ ("two columns are called “%s”; rename one"), name);
          return FALSE;
        }
    }
  source->reader.again = no_header;
  return TRUE;
}

static gboolean
source_begin (struct csv_source *source, struct input *input, const struct csv_options *options,
              GError **error)
{
  const char *delimiter = options->delimiter != NULL ? options->delimiter : ",";
  if (strcmp (delimiter, "\\t") == 0 || strcmp (delimiter, "tab") == 0)
    delimiter = "\t";
  csv_reader_init (&source->reader, input, delimiter[0]);
  if (strlen (delimiter) != 1 || strchr ("\"\r\n", delimiter[0]) != NULL)
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("--delimiter is one byte other than a quote or a line end, or “tab”; not "
                      "“%s”"),
                   delimiter);
      return FALSE;
    }
  return read_header (source, options->no_header, error)
         && (options->key_column == NULL
             || find_column (source, options->key_column, &source->key_column, error))
         && (options->value_column == NULL
             || find_column (source, options->value_column, &source->value_column, error));
}

static enum exit_status
run (struct invocation *invocation, struct input *input, const struct csv_options *options,
     const struct import_options *import_options)
{
  GError *error = NULL;
  struct csv_source source
      = { .names = g_ptr_array_new_with_free_func (g_free), .value_column = G_MAXUINT };
  enum exit_status status;
  if (source_begin (&source, input, options, &error))
    status = import_run (invocation, import_options, input,
                         &(struct import_source){ &source, next_row });
  else
    status = command_fail (invocation, error);
  csv_reader_clear (&source.reader);
  g_ptr_array_unref (source.names);
  input_free (input);
  return status;
}

enum exit_status
import_csv_run (struct invocation *invocation)
{
  struct csv_options options = { 0 };
  struct import_options import_options = { 0 };
  const GOptionEntry entries[] = {
    { "key-column", 'k', 0, G_OPTION_ARG_STRING, &options.key_column,
      N_ ("The column with the keys, by name or number; the first one without this"),
      N_ ("COLUMN") },
    { "value-column", 'v', 0, G_OPTION_ARG_STRING, &options.value_column,
      N_ ("Store this column as it is; without this, the row as a JSON object"), N_ ("COLUMN") },
    { "delimiter", 'd', 0, G_OPTION_ARG_STRING, &options.delimiter,
      N_ ("What stands between fields, instead of a comma; tab is the tabulator"), N_ ("BYTE") },
    { "no-header", 0, 0, G_OPTION_ARG_NONE, &options.no_header,
      N_ ("The first line is a record; columns are called 1, 2, …"), NULL },
    { NULL },
  };
  GError *error = NULL;
  struct input *input
      = import_begin (invocation, entries,
                      _ ("Reads comma-separated values as in RFC 4180; - is standard input. All "
                         "records appear in one commit; of rows with the same key the last one "
                         "wins."),
                      &import_options, &error);
  enum exit_status status = input != NULL ? run (invocation, input, &options, &import_options)
                                          : command_fail (invocation, error);
  g_free (options.key_column);
  g_free (options.value_column);
  g_free (options.delimiter);
  return status;
}
