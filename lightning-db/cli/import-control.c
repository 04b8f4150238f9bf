/* SPDX-License-Identifier: MIT */
/* Debian control stanzas as a source of records, as `apt-cache dumpavail` prints them: paragraphs
 * of `Field: value` lines with continuation lines, an empty line behind each. A stanza as it stands
 * is the value; the key is made of its fields. */
#include "import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE_MAX ((gsize) 1 << 24)
#define STANZA_SIZE_MAX ((gsize) 1 << 30)

struct control_source
{
  struct input *input; /* borrowed */
  char **fields;       /* that make the key; owned */
  GString *line;       /* owned */
};

/* A line of only blanks ends a stanza. */
static gboolean
is_blank (const GString *line)
{
  for (gsize i = 0; i < line->len; i++)
    if (line->str[i] != ' ' && line->str[i] != '\t')
      return FALSE;
  return TRUE;
}

/* What is wrong with a line of a stanza; NULL: nothing. */
static const char *
find_fault (const GString *stanza, const GString *line)
{
  char first = line->str[0];
  if (stanza->len > STANZA_SIZE_MAX - line->len)
    return _ ("the stanza is longer than 1 GiB");
  if (first == ' ' || first == '\t')
    return stanza->len == 0 ? _ ("a continuation line stands before any field") : NULL;
  const char *colon = memchr (line->str, ':', line->len);
  if (colon == NULL || colon == line->str)
    return _ ("neither “Field: value” nor a continuation line, which begins with a blank");
  for (const char *byte = line->str; byte < colon; byte++)
    if (!g_ascii_isgraph (*byte))
      return _ ("the name of a field has only printable letters without blanks");
  return NULL;
}

/* Reads up to the empty line behind a stanza. `*fault` is what is wrong with it, `*fault_line`
 * where. FALSE: there is no more, or an error. */
static gboolean
read_stanza (struct control_source *source, struct import_record *record, const char **fault,
             guint64 *fault_line, GError **error)
{
  GString *stanza = record->value;
  GError *failure = NULL;
  gboolean begun = FALSE;
  g_string_truncate (stanza, 0);
  *fault = NULL;
  for (;;)
    {
      guint64 line = source->input->line;
      if (!input_read_line (source->input, source->line, LINE_SIZE_MAX, &failure))
        break;
      if (is_blank (source->line) && begun)
        break;
      if (is_blank (source->line) || source->line->str[0] == '#')
        continue;
      if (!begun)
        record->line = line;
      begun = TRUE;
      if (*fault == NULL && (*fault = find_fault (stanza, source->line)) != NULL)
        *fault_line = line;
      if (*fault == NULL)
        {
          g_string_append_len (stanza, source->line->str, (gssize) source->line->len);
          g_string_append_c (stanza, '\n');
        }
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return begun && failure == NULL;
}

/* The value of a field in a stanza; names compare without regard to case. */
static const char *
find_field (const GString *stanza, const char *name, gsize *size)
{
  gsize length = strlen (name);
  const char *line = stanza->str;
  while (line < stanza->str + stanza->len)
    {
      const char *end = memchr (line, '\n', (gsize) (stanza->str + stanza->len - line));
      if ((gsize) (end - line) > length && line[length] == ':'
          && g_ascii_strncasecmp (line, name, length) == 0)
        {
          const char *value = line + length + 1;
          while (value < end && (*value == ' ' || *value == '\t'))
            value++;
          while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
          *size = (gsize) (end - value);
          return value;
        }
      line = end + 1;
    }
  return NULL;
}

static enum import_result
next_stanza (gpointer state, struct import_record *record, GError **error)
{
  struct control_source *source = state;
  GError *failure = NULL;
  const char *fault;
  guint64 fault_line = 0;
  if (!read_stanza (source, record, &fault, &fault_line, &failure))
    {
      if (failure == NULL)
        return IMPORT_END;
      g_propagate_error (error, failure);
      return IMPORT_FAILED;
    }
  if (fault != NULL)
    return import_bad (source->input, fault_line, error, "%s", fault);
  g_string_truncate (record->key, 0);
  for (gsize i = 0; source->fields[i] != NULL; i++)
    {
      gsize size = 0;
      const char *value = find_field (record->value, source->fields[i], &size);
      if (value == NULL || size == 0)
        return import_bad (source->input, record->line, error, _ ("the stanza has no field “%s”"),
                           source->fields[i]);
      if (i > 0)
        g_string_append_c (record->key, ':');
      g_string_append_len (record->key, value, (gssize) size);
    }
  return IMPORT_RECORD;
}

enum exit_status
import_control_run (struct invocation *invocation)
{
  g_autofree char *key = NULL;
  struct import_options import_options = { 0 };
  const GOptionEntry entries[] = {
    { "key", 'k', 0, G_OPTION_ARG_STRING, &key,
      N_ ("The fields that make the key, joined by “:”; “Package” without this"),
      N_ ("FIELD[:FIELD…]") },
    { NULL },
  };
  GError *error = NULL;
  struct input *input
      = import_begin (invocation, entries,
                      _ ("Reads Debian control stanzas, as “apt-cache dumpavail” prints them; - is "
                         "standard input. A stanza is stored as it stands. All records appear in "
                         "one commit; of stanzas with the same key the last one wins: with --key "
                         "Package:Version every version is kept."),
                      &import_options, &error);
  if (input == NULL)
    return command_fail (invocation, error);
  struct control_source source = { .input = input,
                                   .fields = g_strsplit (key != NULL ? key : "Package", ":", -1),
                                   .line = g_string_new (NULL) };
  enum exit_status status = import_run (invocation, &import_options, input,
                                        &(struct import_source){ &source, next_stanza });
  g_strfreev (source.fields);
  g_string_free (source.line, TRUE);
  input_free (input);
  return status;
}
