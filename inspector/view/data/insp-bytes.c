/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-bytes.h"

#define DUMP_WIDTH 16 /* bytes of a line */
#define MARKS_MAX 30  /* in a row on one character: no text has more (Unicode's stream-safe format) */

/* ---- text ---- */

/* The length of the UTF-8 character at `data` that can be shown, 0 if there is none. */
static gsize
character_length (const guint8 *data, gsize size)
{
  gunichar character = g_utf8_get_char_validated ((const char *) data, (gssize) MIN (size, 6));
  if (character == (gunichar) -1 || character == (gunichar) -2 || character == 0)
    return 0;
  return g_unichar_isprint (character) ? g_utf8_skip[*data] : 0;
}

/* The same of the character that comes next. More than so many marks, each on the one before, are not shown:
 * Pango takes the square of their number, seconds for 60 kB of them. `marks`: that came just before. */
static gsize
next_length (const guint8 *data, gsize size, guint *marks)
{
  gsize length = character_length (data, size);
  if (length > 1 && g_unichar_ismark (g_utf8_get_char ((const char *) data)))
    return ++*marks <= MARKS_MAX ? length : 0;
  if (length > 0)
    *marks = 0;
  return length;
}

/* The escape of a byte that has a name; NULL: it has none. */
static const char *
named_escape (guint8 byte)
{
  switch (byte)
    {
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return NULL;
    }
}

char *
insp_bytes_escape (GBytes *bytes, gsize limit)
{
  gsize size, length;
  guint marks = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < size; i += length)
    {
      const char *escape = named_escape (data[i]);
      if (limit != 0 && i >= limit)
        {
          g_string_append (text, "…");
          break;
        }
      length = escape == NULL ? next_length (data + i, size - i, &marks) : 0;
      if (escape != NULL)
        g_string_append (text, escape);
      else if (length > 0)
        g_string_append_len (text, (const char *) data + i, (gssize) length);
      else
        g_string_append_printf (text, "\\x%02x", data[i]);
      length = MAX (length, 1);
    }
  return g_string_free (text, FALSE);
}

/* What follows a backslash. Returns how many characters of `text` that is; 0: nothing known. */
static gsize
take_escape (const char *text, guint8 *byte)
{
  static const char names[] = "\\nrt", meanings[] = "\\\n\r\t";
  const char *name = text[0] != '\0' ? strchr (names, text[0]) : NULL;
  if (name != NULL)
    {
      *byte = (guint8) meanings[name - names];
      return 1;
    }
  if (text[0] != 'x' || !g_ascii_isxdigit (text[1]) || !g_ascii_isxdigit (text[2]))
    return 0;
  *byte = (guint8) (g_ascii_xdigit_value (text[1]) << 4 | g_ascii_xdigit_value (text[2]));
  return 3;
}

GBytes *
insp_bytes_unescape (const char *text, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (gsize i = 0; text[i] != '\0'; i++)
    {
      guint8 byte = (guint8) text[i];
      if (text[i] == '\\')
        {
          gsize length = take_escape (text + i + 1, &byte);
          if (length == 0)
            {
              g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                   _ ("A backslash stands before n, r, t, another backslash, or x "
                                      "and two hexadecimal digits."));
              return NULL;
            }
          i += length;
        }
      g_byte_array_append (bytes, &byte, 1);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

gsize
insp_bytes_text_length (GBytes *bytes)
{
  gsize size, at = 0, length = 0;
  guint marks = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  for (at = 0; at < size; at += length)
    {
      guint8 byte = data[at];
      gboolean plain
          = (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\r' || byte == '\t';
      marks = plain ? 0 : marks;
      length = plain ? 1 : next_length (data + at, size - at, &marks);
      if (length == 0)
        break;
    }
  return at;
}

gboolean
insp_bytes_are_text (GBytes *bytes, gboolean whole)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gsize length = insp_bytes_text_length (bytes);
  return length == size
         || (!whole && size - length < 6
             && g_utf8_get_char_validated ((const char *) data + length, (gssize) (size - length))
                    == (gunichar) -2);
}

/* ---- hex ---- */

static void
append_byte (GString *text, guint8 byte)
{
  static const char digits[] = "0123456789abcdef";
  g_string_append_c (text, digits[byte >> 4]);
  g_string_append_c (text, digits[byte & 15]);
}

char *
insp_bytes_dump (GBytes *bytes)
{
  return insp_bytes_dump_in (bytes, DUMP_WIDTH);
}

char *
insp_bytes_dump_in (GBytes *bytes, gsize width)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *text = g_string_sized_new (size * 5);
  for (gsize line = 0; line < size; line += width)
    {
      gsize count = MIN (size - line, width);
      g_string_append_printf (text, "%08" G_GSIZE_MODIFIER "x ", line);
      for (gsize i = 0; i < width; i++)
        {
          g_string_append (text, i == width / 2 ? "  " : " ");
          if (i < count)
            append_byte (text, data[line + i]);
          else
            g_string_append (text, "  ");
        }
      g_string_append (text, "  ");
      for (gsize i = 0; i < count; i++)
        g_string_append_c (text, g_ascii_isprint (data[line + i]) ? (char) data[line + i] : '.');
      g_string_append_c (text, '\n');
    }
  return g_string_free (text, FALSE);
}

char *
insp_bytes_to_hex (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *text = g_string_sized_new (size * 3);
  for (gsize i = 0; i < size; i++)
    {
      if (i > 0)
        g_string_append_c (text, i % DUMP_WIDTH == 0 ? '\n' : ' ');
      append_byte (text, data[i]);
    }
  return g_string_free (text, FALSE);
}

GBytes *
insp_bytes_from_hex (const char *text, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (const char *at = text; *at != '\0'; at++)
    {
      if (g_ascii_isspace (*at))
        continue;
      if (!g_ascii_isxdigit (at[0]) || !g_ascii_isxdigit (at[1]))
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                               _ ("A byte is two hexadecimal digits."));
          return NULL;
        }
      guint8 byte = (guint8) (g_ascii_xdigit_value (at[0]) << 4 | g_ascii_xdigit_value (at[1]));
      g_byte_array_append (bytes, &byte, 1);
      at++;
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

/* ---- literals ---- */

/* A string of C or of Python bytes: ASCII, all else escaped. In C a digit behind \xNN would belong to
 * it, so the string ends and begins anew. */
static char *
ascii_literal (GBytes *bytes, const char *begin, char quote, gboolean of_c)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *text = g_string_new (begin);
  gboolean behind_hex = FALSE;
  for (gsize i = 0; i < size; i++)
    {
      const char *escape = named_escape (data[i]);
      gboolean hex = escape == NULL && data[i] != quote && (data[i] < 0x20 || data[i] >= 0x7f);
      if (of_c && behind_hex && g_ascii_isxdigit (data[i]))
        g_string_append (text, "\" \"");
      if (escape != NULL)
        g_string_append (text, escape);
      else if (hex)
        g_string_append_printf (text, "\\x%02x", data[i]);
      else if (data[i] == quote || (of_c && data[i] == '?')) /* no trigraph */
        g_string_append_printf (text, "\\%c", data[i]);
      else
        g_string_append_c (text, (char) data[i]);
      behind_hex = hex;
    }
  g_string_append_c (text, quote);
  return g_string_free (text, FALSE);
}

/* A string where it is text, else an array of bytes. */
static char *
javascript_literal (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *text = g_string_new (NULL);
  if (insp_bytes_are_text (bytes, TRUE))
    {
      g_string_append_c (text, '\'');
      for (gsize i = 0; i < size; i++)
        {
          const char *escape = data[i] == '\'' ? "\\'" : named_escape (data[i]);
          if (escape != NULL)
            g_string_append (text, escape);
          else
            g_string_append_c (text, (char) data[i]);
        }
      g_string_append_c (text, '\'');
      return g_string_free (text, FALSE);
    }
  g_string_append (text, "new Uint8Array([");
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, i == 0 ? "0x%02x" : ", 0x%02x", data[i]);
  g_string_append (text, "])");
  return g_string_free (text, FALSE);
}

char *
insp_bytes_to_literal (GBytes *bytes, InspLiteral literal)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  switch (literal)
    {
    case INSP_LITERAL_C:
      return ascii_literal (bytes, "\"", '"', TRUE);
    case INSP_LITERAL_PYTHON:
      return ascii_literal (bytes, "b'", '\'', FALSE);
    case INSP_LITERAL_JAVASCRIPT:
      return javascript_literal (bytes);
    case INSP_LITERAL_TEXT:
    default:
      return insp_bytes_are_text (bytes, TRUE) ? g_strndup (data != NULL ? data : "", size)
                                               : insp_bytes_escape (bytes, 0);
    }
}

/* ---- order ---- */

GBytes *
insp_bytes_prefix_end (GBytes *prefix)
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

GBytes *
insp_bytes_successor (GBytes *key)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  guint8 *next = g_malloc0 (size + 1);
  if (size > 0)
    memcpy (next, data, size);
  return g_bytes_new_take (next, size + 1);
}

gboolean
insp_bytes_have_prefix (GBytes *bytes, GBytes *prefix)
{
  gsize size, prefix_size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  gconstpointer start = g_bytes_get_data (prefix, &prefix_size);
  return size >= prefix_size && (prefix_size == 0 || memcmp (data, start, prefix_size) == 0);
}
