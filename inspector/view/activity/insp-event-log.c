/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-event-log.h"
#include "insp-plot.h"

#define KEPT_MOST 5000u /* events */

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

static guint64
identity (gconstpointer contents)
{
  return ((const LdbEvent *) contents)->number;
}

static void
insp_event_log_init (InspEventLog *self)
{
  self->list = insp_row_list_new (identity, (GDestroyNotify) ldb_event_free);
}

InspEventLog *
insp_event_log_new (void)
{
  return g_object_new (INSP_TYPE_EVENT_LOG, NULL);
}

InspRowList *
insp_event_log_get_list (InspEventLog *self)
{
  return self->list;
}

guint64
insp_event_log_get_newest (InspEventLog *self)
{
  const LdbEvent *newest = insp_row_list_get (self->list, 0);
  return newest != NULL ? newest->number : 0;
}

void
insp_event_log_add (InspEventLog *self, GPtrArray *events)
{
  if (events->len == 0)
    return;
  insp_row_list_prepend_reversed (self->list, events, KEPT_MOST);
  g_signal_emit (self, changed, 0);
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
  *to = insp_plot_from_clock (event->time);
  *from = *to - (gint64) (event->duration / 1000);
}
