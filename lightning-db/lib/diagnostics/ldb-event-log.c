/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-event-log-private.h"
#include "ldb-event-private.h"

#include "ldb-mark-private.h"

#include "ldb-enum-types.h"

/* The kind of line for each kind of event; LDB_LOG_KINDS: none, another one says it. */
static const LdbLogKind kinds[] = {
  [LDB_EVENT_OPENED] = LDB_LOG_KINDS,        [LDB_EVENT_RECOVERED] = LDB_LOG_RECOVERED,
  [LDB_EVENT_FLUSHED] = LDB_LOG_FLUSHED,     [LDB_EVENT_MERGED] = LDB_LOG_MERGED,
  [LDB_EVENT_LOADED] = LDB_LOG_LOADED,       [LDB_EVENT_BACKED_UP] = LDB_LOG_BACKED_UP,
  [LDB_EVENT_STALLED] = LDB_LOG_STALLED,     [LDB_EVENT_CONFLICT] = LDB_LOG_CONFLICT,
  [LDB_EVENT_TIMED_OUT] = LDB_LOG_TIMED_OUT, [LDB_EVENT_FAILED] = LDB_LOG_FAILED,
  [LDB_EVENT_CORRUPT] = LDB_LOG_CORRUPT,     [LDB_EVENT_HEALED] = LDB_LOG_HEALED,
  [LDB_EVENT_HEALTH] = LDB_LOG_HEALTH,
};

static gboolean
is_logged (LdbEventKind kind)
{
  return kinds[kind] != LDB_LOG_KINDS && !ldb_log_would_drop (kinds[kind]);
}

/* The name of an event's mark, of those that take their time; NULL: it has none. */
static const char *
mark_of (LdbEventKind kind)
{
  switch (kind)
    {
    case LDB_EVENT_RECOVERED:
      return "recovery";
    case LDB_EVENT_FLUSHED:
      return "flush";
    case LDB_EVENT_MERGED:
      return "merge";
    case LDB_EVENT_STALLED:
      return "stall";
    default:
      return NULL;
    }
}

gboolean
ldb_event_log_wants (LdbEventKind kind)
{
  return is_logged (kind) || (mark_of (kind) != NULL && ldb_mark_is_wanted ());
}

static void
mark_event (const LdbEvent *event)
{
  if (mark_of (event->kind) == NULL || !ldb_mark_is_wanted ())
    return;
  g_autofree char *text = ldb_event_describe_in (event, FALSE);
  ldb_mark_past (event->time, event->duration, mark_of (event->kind), text);
}

static void
set_figures (LdbLogLine *line, const LdbEvent *event)
{
  const char *size = event->kind == LDB_EVENT_LOADED ? "LDB_RECORDS" : "LDB_BYTES";
  if (event->size > 0)
    ldb_log_line_set (line, size, "%" G_GUINT64_FORMAT, event->size);
  if (event->size_read > 0)
    ldb_log_line_set (line, "LDB_BYTES_READ", "%" G_GUINT64_FORMAT, event->size_read);
  if (event->duration > 0)
    ldb_log_line_set (line, "LDB_DURATION_USEC", "%" G_GUINT64_FORMAT, event->duration / 1000);
  if (event->code >= 0)
    ldb_database_set_log_error (line, event->code);
}

/* Damage in many places is an event each. */
static gboolean
may_write (LdbEventRelay *relay, LdbEventKind kind, guint64 *held_back)
{
  if (!is_logged (kind))
    return FALSE;
  return (kind != LDB_EVENT_FAILED && kind != LDB_EVENT_CORRUPT)
         || ldb_event_relay_may_log (relay, kinds[kind], held_back);
}

static void
write_event (LdbEventRelay *relay, LdbDatabase *database, const LdbEvent *event)
{
  guint64 held_back = 0;
  if (!may_write (relay, event->kind, &held_back))
    return;
  g_autofree char *text = ldb_event_describe_in (event, FALSE);
  LdbLogLine *line = ldb_database_log_line (database, kinds[event->kind]);
  set_figures (line, event);
  ldb_log_line_set_held_back (line, held_back);
  ldb_log_line_say (line, "Database \"%s\": %s", ldb_database_get_path (database), text);
  ldb_log_line_write (line);
}

void
ldb_event_log_write (LdbEventRelay *relay, LdbDatabase *database)
{
  g_autoptr (GPtrArray) events = ldb_event_relay_take (relay);
  for (guint i = 0; i < events->len; i++)
    {
      mark_event (g_ptr_array_index (events, i));
      write_event (relay, database, g_ptr_array_index (events, i));
    }
}
