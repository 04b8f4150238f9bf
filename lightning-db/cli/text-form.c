/* SPDX-License-Identifier: MIT */
#include "text-form.h"

#include "command.h"

#include <string.h>

static const struct
{
  const char *name;    /* as typed */
  enum text_form form; /* what it means */
} form_names[] = {
  { "text", TEXT_FORM_TEXT },
  { "escaped", TEXT_FORM_ESCAPED },
  { "hex", TEXT_FORM_HEX },
  { "json", TEXT_FORM_JSON },
};

gboolean
text_form_parse_name (const char *name, enum text_form *form, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (form_names); i++)
    if (strcmp (name, form_names[i].name) == 0)
      {
        *form = form_names[i].form;
        return TRUE;
      }
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               _ ("there is no form “%s”; the forms are text, escaped, hex and json"), name);
  return FALSE;
}

/* The length of the UTF-8 character at `data`, 0 if there is none. */
static gsize
character_length (const guint8 *data, gsize size)
{
  gunichar character = g_utf8_get_char_validated ((const char *) data, MIN (size, 6));
  if (character == (gunichar) -1 || character == (gunichar) -2 || character == 0)
    return 0;
  return g_unichar_isprint (character) ? g_utf8_skip[*data] : 0;
}

void
text_form_append_escaped (GString *to, const guint8 *data, gsize size)
{
  for (gsize i = 0; i < size;)
    {
      guint8 byte = data[i];
      gsize length = 1;
      if (byte == '\\')
        g_string_append (to, "\\\\");
      else if (byte >= 0x20 && byte < 0x7f)
        g_string_append_c (to, (char) byte);
      else if (byte == '\n')
        g_string_append (to, "\\n");
      else if (byte == '\r')
        g_string_append (to, "\\r");
      else if (byte == '\t')
        g_string_append (to, "\\t");
      else if (byte >= 0x80 && (length = character_length (data + i, size - i)) > 0)
        g_string_append_len (to, (const char *) data + i, (gssize) length);
      else
        {
          length = 1;
          g_string_append_printf (to, "\\x%02x", byte);
        }
      i += length;
    }
}

char *
text_form_show (const char *text, const char *kept)
{
  GString *shown = g_string_new (NULL);
  const guint8 *data = (const guint8 *) text;
  for (gsize i = 0, length, size = strlen (text); i < size; i += length)
    {
      length = strchr (kept, text[i]) != NULL ? 1 : character_length (data + i, size - i);
      if (length > 0)
        g_string_append_len (shown, text + i, (gssize) length);
      else
        g_string_append_printf (shown, "\\x%02x", data[i]);
      length = MAX (length, 1);
    }
  return g_string_free (shown, FALSE);
}

/* Whether it is U+0080 … U+009F, which some terminals obey as they do escapes. */
static gboolean
is_second_control (const char *text, gsize left)
{
  return left > 1 && (guint8) text[0] == 0xc2 && (guint8) text[1] < 0xa0;
}

char *
text_form_show_json (const char *json)
{
  GString *shown = g_string_new (NULL);
  for (gsize i = 0, size = strlen (json); i < size; i++)
    if (is_second_control (json + i, size - i))
      g_string_append_printf (shown, "\\u%04x", (guint8) json[++i]);
    else
      g_string_append_c (shown, json[i]);
  return g_string_free (shown, FALSE);
}

void
text_form_append_hex (GString *to, const guint8 *data, gsize size)
{
  static const char digits[] = "0123456789abcdef";
  for (gsize i = 0; i < size; i++)
    {
      g_string_append_c (to, digits[data[i] >> 4]);
      g_string_append_c (to, digits[data[i] & 15]);
    }
}

void
text_form_append_json_string (GString *to, const char *text, gsize size)
{
  g_string_append_c (to, '"');
  for (gsize i = 0; i < size; i++)
    {
      guint8 byte = (guint8) text[i];
      if (byte == '"' || byte == '\\')
        {
          g_string_append_c (to, '\\');
          g_string_append_c (to, (char) byte);
        }
      else if (byte == '\n')
        g_string_append (to, "\\n");
      else if (byte == '\t')
        g_string_append (to, "\\t");
      else if (byte < 0x20 || byte == 0x7f)
        g_string_append_printf (to, "\\u%04x", byte);
      else if (is_second_control (text + i, size - i))
        g_string_append_printf (to, "\\u%04x", (guint8) text[++i]);
      else
        g_string_append_c (to, (char) byte);
    }
  g_string_append_c (to, '"');
}

void
text_form_append_json_member (GString *to, const char *name, const guint8 *data, gsize size)
{
  gboolean is_text = size == 0 || g_utf8_validate_len ((const char *) data, size, NULL);
  g_string_append_printf (to, "\"%s%s\":", name, is_text ? "" : "_hex");
  if (is_text)
    text_form_append_json_string (to, (const char *) data, size);
  else
    {
      g_string_append_c (to, '"');
      text_form_append_hex (to, data, size);
      g_string_append_c (to, '"');
    }
}

gboolean
text_form_parse_escaped (const char *text, gsize length, GByteArray *to, GError **error)
{
  for (gsize i = 0; i < length;)
    {
      const char *run = memchr (text + i, '\\', length - i);
      gsize plain = run != NULL ? (gsize) (run - (text + i)) : length - i;
      if (plain >= TEXT_FORM_SIZE_MAX - to->len)
        {
          g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                               _ ("this is larger than a value may be: 1 GiB"));
          return FALSE;
        }
      g_byte_array_append (to, (const guint8 *) text + i, (guint) plain);
      i += plain;
      if (i == length)
        break;
      char kind = i + 1 < length ? text[i + 1] : '\0';
      guint8 byte;
      gsize used = 2;
      if (kind == '\\')
        byte = '\\';
      else if (kind == 'n')
        byte = '\n';
      else if (kind == 'r')
        byte = '\r';
      else if (kind == 't')
        byte = '\t';
      else if (kind == 'x' && length - i >= 4 && g_ascii_isxdigit (text[i + 2])
               && g_ascii_isxdigit (text[i + 3]))
        {
          byte = (guint8) (g_ascii_xdigit_value (text[i + 2]) * 16
                           + g_ascii_xdigit_value (text[i + 3]));
          used = 4;
        }
      else
        {
          g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                       _ ("the escape at character %zu"
                          " is not one of \\\\ \\n \\r \\t \\xNN"),
                       i + 1);
          return FALSE;
        }
      g_byte_array_append (to, &byte, 1);
      i += used;
    }
  return TRUE;
}

gboolean
text_form_parse_hex (const char *text, gsize length, GByteArray *to, GError **error)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (text[i]))
      {
        g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                     _ ("character %zu of “%s” is not a hex digit"), i + 1, text);
        return FALSE;
      }
  if (length % 2 != 0)
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                   _ ("“%s” has an odd number of hex digits; a byte is two"), text);
      return FALSE;
    }
  for (gsize i = 0; i < length; i += 2)
    {
      guint8 byte
          = (guint8) (g_ascii_xdigit_value (text[i]) * 16 + g_ascii_xdigit_value (text[i + 1]));
      g_byte_array_append (to, &byte, 1);
    }
  return TRUE;
}

GBytes *
text_form_parse (enum text_form form, const char *argument, GError **error)
{
  gsize length = strlen (argument);
  if (form == TEXT_FORM_TEXT || form == TEXT_FORM_JSON)
    return g_bytes_new (argument, length);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gboolean parsed = form == TEXT_FORM_HEX
                        ? text_form_parse_hex (argument, length, bytes, error)
                        : text_form_parse_escaped (argument, length, bytes, error);
  return parsed ? g_byte_array_free_to_bytes (g_steal_pointer (&bytes)) : NULL;
}
