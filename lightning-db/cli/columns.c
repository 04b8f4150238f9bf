/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <stdio.h>

int
column_width (const char *text)
{
  int width = 0;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar letter = g_utf8_get_char (text);
      if (!g_unichar_iszerowidth (letter))
        width += g_unichar_iswide (letter) ? 2 : 1;
    }
  return width;
}

static int
room_beside (const char *text, int width)
{
  return MAX (width - column_width (text), 0);
}

void
column_append_left (GString *to, const char *text, int width)
{
  g_string_append_printf (to, "%s%*s", text, room_beside (text, width), "");
}

void
column_append_right (GString *to, const char *text, int width)
{
  g_string_append_printf (to, "%*s%s", room_beside (text, width), "", text);
}

/* How many bytes of the text there is room for. */
static gsize
bytes_within (const char *text, int width)
{
  const char *at = text;
  for (int used = 0; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar letter = g_utf8_get_char (at);
      used += g_unichar_iszerowidth (letter) ? 0 : g_unichar_iswide (letter) ? 2 : 1;
      if (used > width)
        break;
    }
  return (gsize) (at - text);
}

void
column_append_cut (GString *to, const char *text, int width)
{
  if (column_width (text) <= width)
    {
      column_append_left (to, text, width);
      return;
    }
  g_autofree char *beginning = g_strndup (text, bytes_within (text, width - 1));
  g_autofree char *cut = g_strconcat (beginning, "…", NULL);
  column_append_left (to, cut, width);
}

void
column_print_left (const char *text, int width)
{
  printf ("%s%*s", text, room_beside (text, width), "");
}

void
column_print_right (const char *text, int width)
{
  printf ("%*s%s", room_beside (text, width), "", text);
}
