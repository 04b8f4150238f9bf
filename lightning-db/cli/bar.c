/* SPDX-License-Identifier: MIT */
/* Bars of characters. */
#include "storage.h"

#include <math.h>

void
bar_append (GString *to, double share, guint width)
{
  static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  gboolean blocks = g_get_charset (NULL);
  guint filled = (guint) lround (CLAMP (share, 0, 1) * width * 8);
  if (filled == 0 && share > 0)
    filled = 1;
  if (!blocks)
    filled = (filled + 4) / 8 * 8;
  guint done = 0;
  for (; done < filled / 8; done++)
    g_string_append (to, blocks ? "█" : "#");
  if (filled % 8 > 0 && done < width)
    {
      g_string_append (to, eighths[filled % 8]);
      done++;
    }
  for (; done < width; done++)
    g_string_append (to, blocks ? " " : ".");
}
