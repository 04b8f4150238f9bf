/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-sentence.h"

char *
insp_sentence_of (const char *message)
{
  const char *rest = g_utf8_next_char (message);
  g_autofree char *first = g_utf8_strup (message, message[0] != '\0' ? rest - message : 0);
  gboolean ends = message[0] == '\0' || strchr (".!?:", message[strlen (message) - 1]) != NULL
                  || g_str_has_suffix (message, "…");
  return g_strconcat (first, message[0] != '\0' ? rest : "", ends ? "" : ".", NULL);
}
