/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-key-text.h"

#define BYTES_MOST 64u  /* that are written */
#define PREFIX_BYTES 4u /* of a key without a delimiter */

static char *
format (const char *bytes, gsize size, gboolean whole)
{
  gsize end = size;
  /* What is cut may end inside a character. */
  while (!whole && end > 0 && size - end < 4 && !g_utf8_validate_len (bytes, end, NULL))
    end--;
  g_autoptr (GBytes) part = g_bytes_new (bytes, end);
  g_autofree char *text = insp_bytes_escape (part, 0);
  return g_strconcat (text, whole ? "" : "…", NULL);
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
insp_key_text_of_range (GBytes *start, gsize start_length, GBytes *end, gsize end_length)
{
  g_autofree char *first = insp_key_text_of (start, start_length);
  g_autofree char *last = insp_key_text_of (end, end_length);
  if (start == NULL && end == NULL)
    return g_strdup (_ ("All keys"));
  if (start == NULL)
    /* Translators: all keys before one */
    return g_strdup_printf (_ ("before %s"), last);
  if (end == NULL)
    /* Translators: a key and those behind it */
    return g_strdup_printf (_ ("from %s"), first);
  /* Translators: keys from one on and before another */
  return g_strdup_printf (_ ("%s to %s"), first, last);
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
