/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-key-text.h"

#define BYTES_MOST 64u  /* that are written */
#define PREFIX_BYTES 4u /* of a key without a delimiter */

static gboolean
is_text (const char *bytes, gsize size)
{
  if (size == 0 || !g_utf8_validate_len (bytes, size, NULL))
    return FALSE;
  for (const char *at = bytes; at < bytes + size; at = g_utf8_next_char (at))
    if (!g_unichar_isprint (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

static char *
format (const char *bytes, gsize size, gboolean whole)
{
  gsize end = size;
  /* What is cut may end inside a character. */
  while (!whole && end > 0 && size - end < 4 && !g_utf8_validate_len (bytes, end, NULL))
    end--;
  if (is_text (bytes, end))
    return g_strdup_printf ("%.*s%s", (int) end, bytes, whole ? "" : "…");
  GString *text = g_string_new (size > 0 ? "0x" : NULL);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", (guint8) bytes[i]);
  return g_string_free (g_string_append (text, whole ? "" : "…"), FALSE);
}

char *
insp_key_text_of (GBytes *bytes, gsize length)
{
  gsize size;
  if (bytes == NULL)
    return g_strdup ("–");
  const char *data = g_bytes_get_data (bytes, &size);
  gsize shown = MIN (size, BYTES_MOST);
  return format (data, shown, MAX (size, length) == shown);
}

char *
insp_key_text_prefix (GBytes *bytes)
{
  gsize size, end = 0;
  if (bytes == NULL)
    return g_strdup ("–");
  const char *data = g_bytes_get_data (bytes, &size);
  for (gsize i = 0; i + 1 < size; i++)
    if (g_ascii_ispunct (data[i]) && data[i] != '-' && data[i] != '_' && data[i] != '.')
      end = i + 1;
  if (end == 0)
    end = MIN (size, PREFIX_BYTES);
  return format (data, end, end == size);
}
