/* SPDX-License-Identifier: MIT */
/* JSON lines as a source of records: each line is an object; one of its members is the key, the
 * line as it stands is the value. */
#include "import.h"
#include "json-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE_MAX ((gsize) 1 << 30)
struct json_source
{
  struct input *input; /* borrowed */
  char **path;         /* of the key's member, from the outside; owned */
  const char *name;    /* the same with dots; borrowed */
  JsonParser *parser;  /* owned */
  GString *line;       /* owned */
};

/* The key of the parsed object: a string or an integer, of which all digits count. NULL: it has
 * none. */
static char *
find_key (const struct json_source *source, JsonNode *node)
{
  for (gsize i = 0; source->path[i] != NULL; i++)
    {
      if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
        return NULL;
      node = json_object_get_member (json_node_get_object (node), source->path[i]);
    }
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return g_strdup_printf ("%" PRId64, json_node_get_int (node));
  return NULL;
}

static gboolean
read_line (struct json_source *source, guint64 *line, GError **error)
{
  do
    {
      *line = source->input->line;
      if (!input_read_line (source->input, source->line, LINE_SIZE_MAX, error))
        return FALSE;
    }
  while (source->line->str[strspn (source->line->str, " \t\r")] == '\0'
         && strlen (source->line->str) == source->line->len);
  return TRUE;
}

static gboolean
parse_line (struct json_source *source, GError **error)
{
  g_autoptr (GString) text = NULL;
  const GString *line = source->line;
  text = json_text_prepare (line->str, line->len);
  return json_parser_load_from_data (source->parser, text->str, (gssize) text->len, error);
}

static enum import_result
next_line (gpointer state, struct import_record *record, GError **error)
{
  struct json_source *source = state;
  GError *failure = NULL;
  if (!read_line (source, &record->line, &failure))
    {
      if (failure == NULL)
        return IMPORT_END;
      g_propagate_error (error, failure);
      return IMPORT_FAILED;
    }
  const GString *line = source->line;
  if (!g_utf8_validate_len (line->str, line->len, NULL))
    return import_bad (source->input, record->line, error, "%s", _ ("not UTF-8; JSON always is"));
  const char *fault = json_text_find_fault (line->str, line->len);
  if (fault != NULL)
    return import_bad (source->input, record->line, error, "%s", fault);
  if (!parse_line (source, &failure))
    {
      enum import_result result
          = import_bad (source->input, record->line, error, "%s", failure->message);
      g_error_free (failure);
      return result;
    }
  JsonNode *root = json_parser_get_root (source->parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return import_bad (source->input, record->line, error, "%s",
                       _ ("not a JSON object; each line is one"));
  g_autofree char *key = find_key (source, root);
  if (key == NULL || key[0] == '\0')
    return import_bad (source->input, record->line, error,
                       _ ("no member “%s” that is a string or an integer"), source->name);
  if (strstr (key, JSON_TEXT_ZERO_MARK) != NULL
      && strstr (line->str, JSON_TEXT_ZERO_ESCAPE) != NULL)
    return import_bad (source->input, record->line, error, "%s",
                       _ ("a zero character, \\u0000, in the key; leave it out"));
  g_string_assign (record->key, key);
  g_string_truncate (record->value, 0);
  g_string_append_len (record->value, line->str, (gssize) line->len);
  return IMPORT_RECORD;
}

enum exit_status
import_json_run (struct invocation *invocation)
{
  g_autofree char *key = NULL;
  struct import_options import_options = { 0 };
  const GOptionEntry entries[] = {
    { "key", 'k', 0, G_OPTION_ARG_STRING, &key,
      N_ ("The member that is the key; a.b is member b of member a; “id” without this"),
      N_ ("MEMBER") },
    { NULL },
  };
  GError *error = NULL;
  struct input *input
      = import_begin (invocation, entries,
                      _ ("Reads JSON lines: each line is an object, and is stored as it stands; - "
                         "is standard input. All records appear in one commit; of lines with the "
                         "same key the last one wins."),
                      &import_options, &error);
  if (input == NULL)
    return command_fail (invocation, error);
  struct json_source source = { .input = input,
                                .name = key != NULL ? key : "id",
                                .parser = json_parser_new_immutable (),
                                .line = g_string_new (NULL) };
  source.path = g_strsplit (source.name, ".", -1);
  enum exit_status status = import_run (invocation, &import_options, input,
                                        &(struct import_source){ &source, next_line });
  g_strfreev (source.path);
  g_object_unref (source.parser);
  g_string_free (source.line, TRUE);
  input_free (input);
  return status;
}
