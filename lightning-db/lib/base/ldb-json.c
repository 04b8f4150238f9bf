/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-json-private.h"

#include <math.h>
#include <string.h>

void
ldb_json_init (LdbJson *json)
{
  *json = (LdbJson){ .text = g_string_new (NULL) };
}

char *
ldb_json_end_text (LdbJson *json)
{
  return g_string_free (g_steal_pointer (&json->text), FALSE);
}

static void
append_string (GString *to, const char *text, gsize size)
{
  g_string_append_c (to, '"');
  for (gsize i = 0; i < size; i++)
    if (text[i] == '"' || text[i] == '\\')
      g_string_append_printf (to, "\\%c", text[i]);
    else if ((guchar) text[i] < 0x20 || text[i] == 0x7f)
      g_string_append_printf (to, "\\u%04x", text[i]);
    else
      g_string_append_c (to, text[i]);
  g_string_append_c (to, '"');
}

static void
begin_member (LdbJson *json, const char *name, const char *suffix)
{
  if (json->behind)
    g_string_append_c (json->text, ',');
  if (name != NULL)
    g_string_append_printf (json->text, "\"%s%s\":", name, suffix);
  json->behind = TRUE;
}

void
ldb_json_begin (LdbJson *json, const char *name, char bracket)
{
  begin_member (json, name, "");
  g_string_append_c (json->text, bracket);
  json->behind = FALSE;
}

void
ldb_json_end (LdbJson *json, char bracket)
{
  g_string_append_c (json->text, bracket);
  json->behind = TRUE;
}

void
ldb_json_number (LdbJson *json, const char *name, guint64 number)
{
  begin_member (json, name, "");
  g_string_append_printf (json->text, "%" G_GUINT64_FORMAT, number);
}

void
ldb_json_real (LdbJson *json, const char *name, double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  begin_member (json, name, "");
  g_string_append (
      json->text, isfinite (number) ? g_ascii_formatd (text, sizeof text, "%.6g", number) : "null");
}

void
ldb_json_flag (LdbJson *json, const char *name, gboolean flag)
{
  begin_member (json, name, "");
  g_string_append (json->text, flag ? "true" : "false");
}

void
ldb_json_text (LdbJson *json, const char *name, const char *text)
{
  begin_member (json, name, "");
  if (text == NULL)
    {
      g_string_append (json->text, "null");
      return;
    }
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  append_string (json->text, valid, strlen (valid));
}

void
ldb_json_bytes (LdbJson *json, const char *name, GBytes *bytes)
{
  if (bytes == NULL || json->without_keys)
    return;
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  gboolean is_text = g_utf8_validate_len (data != NULL ? data : "", size, NULL);
  begin_member (json, name, is_text ? "" : "_hex");
  if (is_text)
    {
      append_string (json->text, data, size);
      return;
    }
  g_string_append_c (json->text, '"');
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (json->text, "%02x", (guchar) data[i]);
  g_string_append_c (json->text, '"');
}
