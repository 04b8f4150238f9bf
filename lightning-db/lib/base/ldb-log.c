/* SPDX-License-Identifier: MIT */
/* Also part of the monitor's library, so it has no log domain of its own. */
#include "ldb-log-private.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 12 /* of a line, those that every line has included */

static const struct
{
  const char *name;     /* LDB_EVENT */
  GLogLevelFlags level; /* of its lines */
  const char *domain;   /* GLIB_DOMAIN */
  const char *id;       /* MESSAGE_ID */
} kinds[] = {
#define LDB_LOG_KIND(constant, name, level, domain, id, fields)                                    \
  { name, G_LOG_LEVEL_##level, domain, id },
#include "ldb-log-list.h"
#undef LDB_LOG_KIND
};

struct _LdbLogLine
{
  LdbLogKind kind;               /* what it is about */
  GString *message;              /* owned */
  guint fields;                  /* set so far */
  const char *names[FIELDS_MAX]; /* of the fields; static */
  char *values[FIELDS_MAX];      /* of them; owned */
};

/* ---- the environment ---- */

#define LEVEL_VARIABLE "LIGHTNING_DB_LOG_LEVEL"

static const struct
{
  const char *name;     /* in the variable */
  GLogLevelFlags least; /* the least grave level that appears */
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL },  { "warning", G_LOG_LEVEL_WARNING },
  { "message", G_LOG_LEVEL_MESSAGE }, { "info", G_LOG_LEVEL_INFO },
  { "debug", G_LOG_LEVEL_DEBUG },
};

/* What the variable says; 0: nothing, or nothing that is understood. */
static GLogLevelFlags
least_level (void)
{
  const char *text = g_getenv (LEVEL_VARIABLE);
  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (levels); i++)
    if (g_ascii_strcasecmp (levels[i].name, text) == 0)
      return levels[i].least;
  return 0;
}

/* Whether GLib's own writer would drop it, were there not our variable. */
static gboolean
is_dropped_by_default (LdbLogKind kind)
{
  return g_log_writer_default_would_drop (kinds[kind].level, kinds[kind].domain);
}

gboolean
ldb_log_would_drop (LdbLogKind kind)
{
  GLogLevelFlags least = least_level ();
  if (least != 0 && kinds[kind].level <= least) /* graver levels are smaller numbers */
    return FALSE;
  return least != 0 ? g_log_writer_default_would_drop (G_LOG_LEVEL_DEBUG, kinds[kind].domain)
                    : is_dropped_by_default (kind);
}

static void
warn_of (const char *variable, const char *consequence)
{
  LdbLogLine *line = ldb_log_line_new (LDB_LOG_VARIABLE);
  g_autofree char *value = ldb_log_show (g_getenv (variable), 60);
  ldb_log_line_set (line, "LDB_VARIABLE", "%s", variable);
  ldb_log_line_set (line, "LDB_VARIABLE_VALUE", "%s", value);
  ldb_log_line_say (line, "The environment variable %s cannot be \"%s\"; %s", variable, value,
                    consequence);
  ldb_log_line_write (line);
}

static gboolean
is_set (const char *variable)
{
  const char *text = g_getenv (variable);
  return text != NULL && text[0] != '\0';
}

void
ldb_log_check_environment (void)
{
  static gsize checked;
  if (!g_once_init_enter (&checked))
    return;
  const char *inspect = g_getenv ("LIGHTNING_INSPECT");
  if (is_set (LEVEL_VARIABLE) && least_level () == 0)
    warn_of (LEVEL_VARIABLE, "it is error, warning, message, info or debug. Levels are GLib's.");
  if (is_set ("LIGHTNING_INSPECT") && strcmp (inspect, "0") != 0 && strcmp (inspect, "1") != 0)
    warn_of ("LIGHTNING_INSPECT", "it is 1 or 0. Databases are shared where the program says so.");
  g_once_init_leave (&checked, 1);
}

/* ---- lines ---- */

LdbLogLine *
ldb_log_line_new (LdbLogKind kind)
{
  LdbLogLine *self = g_new0 (LdbLogLine, 1);
  self->kind = kind;
  self->message = g_string_new (NULL);
  return self;
}

void
ldb_log_line_free (LdbLogLine *self)
{
  for (guint i = 0; i < self->fields; i++)
    g_free (self->values[i]);
  g_string_free (self->message, TRUE);
  g_free (self);
}

void
ldb_log_line_set (LdbLogLine *self, const char *name, const char *format, ...)
{
  va_list arguments;
  g_return_if_fail (self->fields < FIELDS_MAX);
  va_start (arguments, format);
  self->names[self->fields] = name;
  self->values[self->fields++] = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

/* A line is one line, whatever a path has in it: GLib's writers let new lines through. */
static void
append_in_line (GString *to, const char *text)
{
  for (; *text != '\0'; text++)
    if (*text == '\n' || *text == '\r' || *text == '\t')
      g_string_append_printf (to, "\\%c", *text == '\n' ? 'n' : *text == '\r' ? 'r' : 't');
    else if ((guchar) *text < 0x20 || *text == 0x7f)
      g_string_append_printf (to, "\\x%02x", (guint) (guchar) *text);
    else
      g_string_append_c (to, *text);
}

void
ldb_log_line_say (LdbLogLine *self, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  append_in_line (self->message, text);
}

/* As in syslog(3). */
static const char *
priority_of (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK)
    {
    case G_LOG_LEVEL_WARNING:
      return "4";
    case G_LOG_LEVEL_MESSAGE:
      return "5";
    case G_LOG_LEVEL_INFO:
      return "6";
    default:
      return "7";
    }
}

/* The application's log writer has it, if it has one; but for what GLib's own would drop, as it does not
 * know of our variable: that goes where GLib's would have put it. */
static void
write_fields (LdbLogKind kind, const GLogField *fields, gsize count)
{
  GLogLevelFlags level = kinds[kind].level;
  if (!is_dropped_by_default (kind))
    g_log_structured_array (level, fields, count);
  else if (!g_log_writer_is_journald (fileno (stderr))
           || g_log_writer_journald (level, fields, count, NULL) != G_LOG_WRITER_HANDLED)
    g_log_writer_standard_streams (level, fields, count, NULL);
}

void
ldb_log_line_write (LdbLogLine *self)
{
  GLogField fields[FIELDS_MAX + 5] = {
    { "GLIB_DOMAIN", kinds[self->kind].domain, -1 },
    { "PRIORITY", priority_of (kinds[self->kind].level), -1 },
    { "MESSAGE", self->message->str, -1 },
    { "MESSAGE_ID", kinds[self->kind].id, -1 },
    { "LDB_EVENT", kinds[self->kind].name, -1 },
  };
  for (guint i = 0; i < self->fields; i++)
    fields[5 + i] = (GLogField){ self->names[i], self->values[i], -1 };
  if (!ldb_log_would_drop (self->kind))
    write_fields (self->kind, fields, 5 + self->fields);
  ldb_log_line_free (self);
}

char *
ldb_log_show (const char *text, gsize most)
{
  g_autofree char *cut = g_strndup (text, most);
  g_autofree char *escaped = g_strescape (cut, NULL);
  return g_strconcat (escaped, strlen (text) > most ? "…" : NULL, NULL);
}

/* ---- the rate ---- */

gboolean
ldb_log_rate_take (LdbLogRate *self, guint64 *held_back)
{
  gint64 now = g_get_monotonic_time ();
  gint64 more = self->counted == 0 ? LDB_LOG_AT_ONCE
                                   : (now - self->counted) / (LDB_LOG_SECONDS * G_USEC_PER_SEC);
  if (more > 0)
    {
      self->left = (guint) MIN (LDB_LOG_AT_ONCE, self->left + more);
      self->counted = now;
    }
  if (self->left == 0)
    {
      self->held_back++;
      return FALSE;
    }
  self->left--;
  *held_back = self->held_back;
  self->held_back = 0;
  return TRUE;
}

void
ldb_log_line_set_held_back (LdbLogLine *self, guint64 held_back)
{
  if (held_back == 0)
    return;
  ldb_log_line_set (self, "LDB_HELD_BACK", "%" G_GUINT64_FORMAT, held_back);
  ldb_log_line_say (self, "(%" G_GUINT64_FORMAT " like this one were not logged.) ", held_back);
}
