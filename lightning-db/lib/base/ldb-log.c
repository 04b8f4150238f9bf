/* SPDX-License-Identifier: MIT */
/*
 * The library's log: structured messages of the domain "Ldb" with a field LDB_EVENT.
 *
 * LIGHTNING_DB_LOG_LEVEL=error|warning|info|debug makes messages up to that level appear; so does
 * G_MESSAGES_DEBUG=Ldb, as for any GLib library. Called on the application's threads only, since
 * the application may have a log writer of its own.
 */
#include "config.h"

#include <stdarg.h>

#include "ldb-share-private.h"

/* The levels that the environment asks for. */
static GLogLevelFlags
wanted_levels (void)
{
  static const struct
  {
    const char *name;      /* in the variable */
    GLogLevelFlags levels; /* what it lets through */
  } table[] = {
    { "error", G_LOG_LEVEL_CRITICAL },
    { "warning", G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING },
    { "info", G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO },
    { "debug", G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG },
  };
  const char *text = g_getenv ("LIGHTNING_DB_LOG_LEVEL");
  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (table); i++)
    if (g_ascii_strcasecmp (table[i].name, text) == 0)
      return table[i].levels;
  return 0;
}

void
ldb_log (GLogLevelFlags level, const char *event, const char *format, ...)
{
  gboolean asked_for = (wanted_levels () & level) != 0;
  if (!asked_for && g_log_writer_default_would_drop (level, G_LOG_DOMAIN))
    return;
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  const GLogField fields[] = {
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    { "LDB_EVENT", event, -1 },
    { "MESSAGE", message, -1 },
  };
  if (asked_for && g_log_writer_default_would_drop (level, G_LOG_DOMAIN))
    g_log_writer_standard_streams (level, fields, G_N_ELEMENTS (fields), NULL);
  else
    g_log_structured_array (level, fields, G_N_ELEMENTS (fields));
}
