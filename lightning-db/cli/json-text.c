/* SPDX-License-Identifier: MIT */
#include "json-text.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>

/* ---- pieces ---- */

/* One of these reads a piece that begins at *at and moves *at behind it. A reason: it is none. */

static gboolean
read_four_digits (const char **at, const char *end, guint *unit)
{
  *unit = 0;
  for (int i = 0; i < 4; i++, (*at)++)
    {
      if (*at == end || !g_ascii_isxdigit (**at))
        return FALSE;
      *unit = *unit * 16 + (guint) g_ascii_xdigit_value (**at);
    }
  return TRUE;
}

/* Behind the backslash and the u. */
static const char *
read_unicode_escape (const char **at, const char *end)
{
  guint unit, second = 0;
  if (!read_four_digits (at, end, &unit))
    return _ ("\\u stands before four hex digits");
  gboolean high = unit >= 0xd800 && unit < 0xdc00;
  gboolean low = unit >= 0xdc00 && unit < 0xe000;
  if (high && end - *at >= 2 && (*at)[0] == '\\' && (*at)[1] == 'u')
    {
      *at += 2;
      high = !read_four_digits (at, end, &second) || second < 0xdc00 || second >= 0xe000;
    }
  return high || low ? _ ("half of a surrogate pair, which is no character") : NULL;
}

static const char *
read_string (const char **at, const char *end)
{
  (*at)++;
  while (*at < end && **at != '"')
    {
      if ((guint8) **at < 0x20)
        return _ ("a control character in a string; JSON writes it as \\u00NN");
      if (*(*at)++ != '\\')
        continue;
      char kind = *at < end ? *(*at)++ : '\0';
      const char *fault = kind == 'u' ? read_unicode_escape (at, end) : NULL;
      if (fault != NULL)
        return fault;
      if (kind == '\0' || strchr ("\"\\/bfnrtu", kind) == NULL)
        return _ ("an escape that JSON does not have; a backslash itself is doubled");
    }
  if (*at == end)
    return _ ("a string without its closing quote");
  (*at)++;
  return NULL;
}

static gsize
read_digits (const char **at, const char *end)
{
  const char *begin = *at;
  while (*at < end && g_ascii_isdigit (**at))
    (*at)++;
  return (gsize) (*at - begin);
}

static const char *
read_number (const char **at, const char *end)
{
  const char *fault = _ ("a number that JSON does not have");
  if (**at == '-')
    (*at)++;
  const char *first = *at;
  gsize digits = read_digits (at, end);
  if (digits == 0 || (digits > 1 && *first == '0'))
    return fault;
  if (*at < end && **at == '.' && (++*at, read_digits (at, end) == 0))
    return fault;
  if (*at < end && (**at == 'e' || **at == 'E'))
    {
      ++*at;
      if (*at < end && (**at == '+' || **at == '-'))
        ++*at;
      if (read_digits (at, end) == 0)
        return fault;
    }
  return NULL;
}

static const char *
read_word (const char **at, const char *end)
{
  static const char *const words[] = { "true", "false", "null" };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize length = strlen (words[i]);
      if ((gsize) (end - *at) < length || memcmp (*at, words[i], length) != 0)
        continue;
      *at += length;
      return NULL;
    }
  return _ ("something that JSON does not have; names and texts are in double quotes");
}

static const char *
read_scalar (const char **at, const char *end)
{
  if (**at == '"')
    return read_string (at, end);
  if (**at == '-' || g_ascii_isdigit (**at))
    return read_number (at, end);
  return read_word (at, end);
}

/* ---- the whole ---- */

/* What may come next. */
enum expected
{
  EXPECTED_VALUE,
  EXPECTED_VALUE_OR_END, /* of an array that has just begun */
  EXPECTED_NAME,
  EXPECTED_NAME_OR_END, /* of an object that has just begun */
  EXPECTED_COLON,
  EXPECTED_COMMA_OR_END,
  EXPECTED_NOTHING,
};

struct reading
{
  char open[JSON_TEXT_DEPTH_MAX]; /* the brackets we are in, from the outside */
  guint depth;                    /* how many there are */
  enum expected expected;
};

static const char *
open_bracket (struct reading *reading, char bracket)
{
  if (reading->depth == JSON_TEXT_DEPTH_MAX)
    return _ ("nested deeper than 256 levels");
  reading->open[reading->depth++] = bracket;
  reading->expected = bracket == '{' ? EXPECTED_NAME_OR_END : EXPECTED_VALUE_OR_END;
  return NULL;
}

/* TRUE when the bracket ends what we are in, at a place where that may end. */
static gboolean
close_bracket (struct reading *reading, char bracket)
{
  char open = reading->depth > 0 ? reading->open[reading->depth - 1] : '\0';
  enum expected empty = open == '{' ? EXPECTED_NAME_OR_END : EXPECTED_VALUE_OR_END;
  if ((bracket != '}' || open != '{') && (bracket != ']' || open != '['))
    return FALSE;
  if (reading->expected != EXPECTED_COMMA_OR_END && reading->expected != empty)
    return FALSE;
  reading->depth--;
  reading->expected = reading->depth > 0 ? EXPECTED_COMMA_OR_END : EXPECTED_NOTHING;
  return TRUE;
}

static const char *
read_value (struct reading *reading, const char **at, const char *end)
{
  if (**at == '{' || **at == '[')
    return open_bracket (reading, *(*at)++);
  reading->expected = EXPECTED_COMMA_OR_END;
  return read_scalar (at, end);
}

/* One step, at something that is no space. */
static const char *
read_next (struct reading *reading, const char **at, const char *end)
{
  if (close_bracket (reading, **at))
    return (*at)++, NULL;
  switch (reading->expected)
    {
    case EXPECTED_VALUE:
    case EXPECTED_VALUE_OR_END:
      return read_value (reading, at, end);
    case EXPECTED_NAME:
    case EXPECTED_NAME_OR_END:
      if (**at != '"')
        return _ ("something other than a name; names are in double quotes");
      reading->expected = EXPECTED_COLON;
      return read_string (at, end);
    case EXPECTED_COLON:
      if (*(*at)++ != ':')
        return _ ("a name without a colon behind it");
      reading->expected = EXPECTED_VALUE;
      return NULL;
    case EXPECTED_COMMA_OR_END:
      if (*(*at)++ != ',')
        return _ ("something other than a comma or the end behind a value");
      reading->expected
          = reading->open[reading->depth - 1] == '{' ? EXPECTED_NAME : EXPECTED_VALUE;
      return NULL;
    case EXPECTED_NOTHING:
    default:
      return _ ("something follows the object; each line is one object");
    }
}

static gboolean
is_space (char byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

const char *
json_text_find_fault (const char *text, gsize size)
{
  struct reading reading = { .expected = EXPECTED_VALUE };
  const char *at = text, *end = text + size, *fault = NULL;
  while (at < end && is_space (*at))
    at++;
  if (at == end || *at != '{')
    return _ ("not a JSON object; each line is one");
  while (at < end && fault == NULL)
    if (is_space (*at))
      at++;
    else
      fault = read_next (&reading, &at, end);
  if (fault == NULL && reading.expected != EXPECTED_NOTHING)
    return _ ("the object does not end on the line that it begins on");
  return fault;
}

/* ---- for the parser ---- */

/* A string: \u0000 is replaced. */
static void
append_string (GString *to, const char *begin, const char *end)
{
  for (const char *at = begin; at < end;)
    {
      gboolean zero = g_str_has_prefix (at, JSON_TEXT_ZERO_ESCAPE);
      gsize taken = zero ? strlen (JSON_TEXT_ZERO_ESCAPE) : *at == '\\' ? 2 : 1;
      if (zero)
        g_string_append (to, JSON_TEXT_ZERO_MARK);
      else
        g_string_append_len (to, at, (gssize) taken);
      at += taken;
    }
}

static gboolean
is_large_integer (const char *begin, const char *end)
{
  if (end - begin < 19)
    return FALSE;
  g_autofree char *number = g_strndup (begin, (gsize) (end - begin));
  errno = 0;
  g_ascii_strtoll (number, NULL, 10);
  return errno == ERANGE && strpbrk (number, ".eE") == NULL;
}

GString *
json_text_prepare (const char *text, gsize size)
{
  GString *to = g_string_sized_new (size);
  const char *at = text, *end = text + size;
  while (at < end)
    {
      const char *begin = at;
      if (*at == '"')
        {
          read_string (&at, end);
          append_string (to, begin, at);
        }
      else if (*at == '-' || g_ascii_isdigit (*at))
        {
          read_number (&at, end);
          const char *quote = is_large_integer (begin, at) ? "\"" : "";
          g_string_append (to, quote);
          g_string_append_len (to, begin, (gssize) (at - begin));
          g_string_append (to, quote);
        }
      else
        g_string_append_c (to, *at++);
    }
  return to;
}
