/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-event-log.h"
#include "insp-plot.h"
#include "insp-seen.h"

struct _InspEventLog
{
  GObject parent_instance;

  InspRowList *list; /* of LdbEvent, the newest first; owned */
};

G_DEFINE_FINAL_TYPE (InspEventLog, insp_event_log, G_TYPE_OBJECT)

static guint changed;

static void
insp_event_log_finalize (GObject *object)
{
  g_object_unref (INSP_EVENT_LOG (object)->list);
  G_OBJECT_CLASS (insp_event_log_parent_class)->finalize (object);
}

static void
insp_event_log_class_init (InspEventLogClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_event_log_finalize;
  changed = g_signal_new ("changed", INSP_TYPE_EVENT_LOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                          G_TYPE_NONE, 0);
}

static void
insp_event_log_init (InspEventLog *self)
{
}

static void
on_items (InspEventLog *self)
{
  g_signal_emit (self, changed, 0);
}

InspEventLog *
insp_event_log_new (InspRowList *list)
{
  InspEventLog *self = g_object_new (INSP_TYPE_EVENT_LOG, NULL);
  self->list = g_object_ref (list);
  g_signal_connect_object (list, "items-changed", G_CALLBACK (on_items), self, G_CONNECT_SWAPPED);
  return self;
}

InspRowList *
insp_event_log_get_list (InspEventLog *self)
{
  return self->list;
}

void
insp_event_log_add (InspEventLog *self, GPtrArray *events)
{
  insp_seen_add_events (self->list, events);
}

const char *
insp_event_name (LdbEventKind kind)
{
  static const char *const names[] = {
    /* Translators: what happened to a database, from here to “Health” */
    [LDB_EVENT_OPENED] = N_ ("Opened"),      [LDB_EVENT_RECOVERED] = N_ ("Recovered"),
    [LDB_EVENT_FLUSHED] = N_ ("Flush"),      [LDB_EVENT_MERGED] = N_ ("Merge"),
    [LDB_EVENT_LOADED] = N_ ("Bulk load"),   [LDB_EVENT_BACKED_UP] = N_ ("Backup"),
    [LDB_EVENT_STALLED] = N_ ("Stall"),      [LDB_EVENT_CONFLICT] = N_ ("Conflict"),
    [LDB_EVENT_TIMED_OUT] = N_ ("Time-out"), [LDB_EVENT_FAILED] = N_ ("Failure"),
    [LDB_EVENT_CORRUPT] = N_ ("Damage"),     [LDB_EVENT_HEALED] = N_ ("Healed"),
    [LDB_EVENT_HEALTH] = N_ ("Health"),
  };
  return kind < G_N_ELEMENTS (names) ? _ (names[kind]) : _ ("Other");
}

gboolean
insp_event_is_work (LdbEventKind kind)
{
  return kind == LDB_EVENT_FLUSHED || kind == LDB_EVENT_MERGED || kind == LDB_EVENT_STALLED;
}

void
insp_event_get_span (const LdbEvent *event, gint64 *from, gint64 *to)
{
  *to = event->time;
  *from = *to - (gint64) (event->duration / 1000);
}
