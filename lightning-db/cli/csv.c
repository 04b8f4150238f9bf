/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include "command.h"

#include <inttypes.h>
#include <string.h>

/* A record larger than the largest value cannot be stored. */
#define RECORD_SIZE_MAX ((gsize) 1 << 30)

void
csv_reader_init (struct csv_reader *reader, struct input *input, char delimiter)
{
  *reader = (struct csv_reader){ .input = input,
                                 .delimiter = delimiter,
                                 .text = g_string_new (NULL),
                                 .ends = g_array_new (FALSE, FALSE, sizeof (gsize)) };
  static const guint8 mark[] = { 0xef, 0xbb, 0xbf };
  if (input_have (input, sizeof mark)
      && memcmp (input->block + input->position, mark, sizeof mark) == 0)
    input->position += sizeof mark;
}

void
csv_reader_clear (struct csv_reader *reader)
{
  g_string_free (reader->text, TRUE);
  g_array_unref (reader->ends);
}

guint
csv_reader_count (const struct csv_reader *reader)
{
  return reader->ends->len;
}

const char *
csv_reader_field (const struct csv_reader *reader, guint index, gsize *size)
{
  gsize start = index > 0 ? g_array_index (reader->ends, gsize, index - 1) : 0;
  *size = g_array_index (reader->ends, gsize, index) - start;
  return reader->text->str + start;
}

static gboolean
is_line_end (struct input *input, int byte)
{
  return byte == '\n' || byte == INPUT_END || (byte == '\r' && input_peek (input) == '\n');
}

static void
skip_line (struct input *input)
{
  int byte;
  do
    byte = input_next (input);
  while (byte != '\n' && byte != INPUT_END);
}

static enum csv_result
bad (struct csv_reader *reader, const char *reason, GError **error)
{
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT, "%s, line %" PRIu64 ": %s",
               reader->input->name, reader->line, reason);
  return CSV_BAD;
}

static gboolean
is_too_long (struct csv_reader *reader)
{
  return reader->text->len > RECORD_SIZE_MAX;
}

/* There may be no line feed either, so reading does not go on behind it. */
static enum csv_result
too_long (struct csv_reader *reader, GError **error)
{
  bad (reader, _ ("the record is longer than 1 GiB"), error);
  return CSV_FAILED;
}

/* Behind the opening quote; up to and with the closing one. FALSE: it never comes. */
static gboolean
read_quoted (struct csv_reader *reader)
{
  for (;;)
    {
      int byte = input_next (reader->input);
      if (byte == INPUT_END || is_too_long (reader))
        return FALSE;
      if (byte == '"' && input_peek (reader->input) != '"')
        return TRUE;
      if (byte == '"')
        input_next (reader->input);
      g_string_append_c (reader->text, (char) byte);
    }
}

/* One field and the delimiter or line end behind it. `*last`: that was a line end. */
static enum csv_result
read_field (struct csv_reader *reader, gboolean *last, GError **error)
{
  struct input *input = reader->input;
  gboolean quoted = input_peek (input) == '"';
  if (quoted)
    {
      input_next (input);
      gboolean closed = read_quoted (reader);
      if (is_too_long (reader))
        return too_long (reader, error);
      if (!closed)
        return bad (reader, _ ("the closing quote is missing; a quote inside a field is doubled"),
                    error);
    }
  for (;;)
    {
      int byte = input_next (input);
      *last = is_line_end (input, byte);
      if (*last && byte == '\r')
        input_next (input);
      if (*last || byte == (guint8) reader->delimiter)
        break;
      if (is_too_long (reader))
        return too_long (reader, error);
      const char *reason = NULL;
      if (quoted)
        reason = _ ("text behind a closing quote; a quote inside a field is doubled");
      else if (byte == '"')
        reason = _ ("a quote in a field that is not quoted; quote the field and double the quote");
      else if (byte == '\r')
        reason = _ (
            "a carriage return without a line feed; quote the field, or convert the line ends");
      if (reason != NULL)
        {
          skip_line (input);
          return bad (reader, reason, error);
        }
      g_string_append_c (reader->text, (char) byte);
    }
  g_array_append_val (reader->ends, reader->text->len);
  return CSV_RECORD;
}

static void
skip_empty_lines (struct input *input)
{
  for (;;)
    {
      int byte = input_peek (input);
      if (byte == '\r' && input_have (input, 2) && input->block[input->position + 1] == '\n')
        input_next (input);
      else if (byte != '\n')
        return;
      input_next (input);
    }
}

enum csv_result
csv_reader_next (struct csv_reader *reader, GError **error)
{
  if (reader->again)
    {
      reader->again = FALSE;
      return CSV_RECORD;
    }
  g_string_truncate (reader->text, 0);
  g_array_set_size (reader->ends, 0);
  skip_empty_lines (reader->input);
  reader->line = reader->input->line;
  if (input_peek (reader->input) == INPUT_END)
    return input_failed (reader->input, error) ? CSV_FAILED : CSV_END;
  gboolean last = FALSE;
  while (!last)
    {
      enum csv_result result = read_field (reader, &last, error);
      if (result != CSV_RECORD)
        return result;
    }
  if (reader->input->system_error != 0)
    return input_failed (reader->input, error), CSV_FAILED;
  return CSV_RECORD;
}
