/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-change-stream.h"
#include "insp-changes-page.h"
#include "insp-chart-card.h"
#include "insp-export.h"
#include "insp-figure.h"
#include "insp-refresher.h"
#include "insp-twin.h"
#include "insp-watch-lanes.h"
#include "insp-watch-tables.h"

#define WATCHES_INTERVAL 1000   /* milliseconds between requests */
#define DELIVERIES_INTERVAL 500 /* likewise */
#define AIM 12e6                /* nanoseconds in which those who watch should be told */

struct _InspChangesPage
{
  InspPage parent_instance;

  InspChangeStream *stream;  /* NULL: of a recording, which has no keys and no values */
  InspWatchLog *log;         /* the session's */
  InspRefresher *watches;    /* who is told */
  InspRefresher *deliveries; /* and what */
};

G_DEFINE_FINAL_TYPE (InspChangesPage, insp_changes_page, INSP_TYPE_PAGE)

/* ---- asking ---- */

static void
ask_watches (gpointer page, LdbInspector *inspector, GCancellable *cancellable,
             GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_watches_async (inspector, cancellable, answered, data);
}

static gboolean
take_watches (gpointer page, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) watches = ldb_inspector_list_watches_finish (inspector, result, error);
  if (watches == NULL)
    return FALSE;
  insp_watch_log_set_watches (INSP_CHANGES_PAGE (page)->log, watches);
  return TRUE;
}

static void
ask_deliveries (gpointer page, LdbInspector *inspector, GCancellable *cancellable,
                GAsyncReadyCallback answered, gpointer data)
{
  guint64 newest = insp_watch_log_get_newest (INSP_CHANGES_PAGE (page)->log);
  ldb_inspector_list_deliveries_async (inspector, newest, cancellable, answered, data);
}

static gboolean
take_deliveries (gpointer page, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) deliveries
      = ldb_inspector_list_deliveries_finish (inspector, result, error);
  if (deliveries == NULL)
    return FALSE;
  insp_watch_log_note_answer (INSP_CHANGES_PAGE (page)->log, g_get_real_time ());
  insp_watch_log_add (INSP_CHANGES_PAGE (page)->log, deliveries);
  return TRUE;
}

static void
insp_changes_page_refresh (InspPage *page)
{
  insp_refresher_ask (INSP_CHANGES_PAGE (page)->watches);
  insp_refresher_ask (INSP_CHANGES_PAGE (page)->deliveries);
}

/* ---- using ---- */

static void
insp_changes_page_search (InspPage *page)
{
  if (INSP_CHANGES_PAGE (page)->stream != NULL)
    insp_change_stream_focus_search (INSP_CHANGES_PAGE (page)->stream);
}

static void
insp_changes_page_export (InspPage *page)
{
  if (INSP_CHANGES_PAGE (page)->stream != NULL)
    insp_change_stream_export (INSP_CHANGES_PAGE (page)->stream);
  else
    insp_export_ask_tables (GTK_WIDGET (page), "changes");
}

/* ---- parts ---- */

static void
add_tiles (InspChangesPage *self, InspHistory *history)
{
  InspSeries *tiles[] = {
    insp_series_new_rate (history, _ ("Told"), INSP_UNIT_PER_SECOND, "watch_emissions"),
    insp_series_new_rate (history, _ ("Changes told"), INSP_UNIT_PER_SECOND, "watch_changes"),
    insp_series_new_rate (history, _ ("Summed up"), INSP_UNIT_PER_SECOND, "watch_coalesced"),
    insp_series_new_value (history, _ ("Told to read anew"), INSP_UNIT_COUNT, "watch_resyncs"),
  };
  insp_page_add (INSP_PAGE (self), insp_figure_new_tiles (tiles, G_N_ELEMENTS (tiles)));
}

static void
add_delays (InspChangesPage *self, InspHistory *history, InspAxis *axis)
{
  GtkWidget *card = insp_chart_card_new (_ ("Delay of the Main Loop Until a Watch Is Told"), axis);
  InspSeries *lines[] = {
    insp_series_new_percentile (history, _ ("Median"), "watch_delay", 0.5),
    insp_series_new_percentile (history, _ ("99 %"), "watch_delay", 0.99),
  };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      insp_chart_card_add (INSP_CHART_CARD (card), lines[i]);
      g_object_unref (lines[i]);
    }
  insp_chart_set_mark (insp_chart_card_get_chart (INSP_CHART_CARD (card)), AIM, _ ("12 ms"));
  insp_page_add (INSP_PAGE (self), card);
}

static void
add_watches (InspChangesPage *self, InspHistory *history, InspAxis *axis)
{
  insp_page_add (INSP_PAGE (self), insp_twin_new (_ ("From Commit to Delivery"),
                                                  insp_watch_lanes_new (self->log, axis, history),
                                                  insp_delivery_table_new (self->log)));
  insp_page_add_section (INSP_PAGE (self), _ ("Watches"), NULL, insp_watch_table_new (self->log));
}

static void
add_stream (InspChangesPage *self, InspSession *session)
{
  GtkWidget *stream = insp_change_stream_new (session);
  self->stream = INSP_CHANGE_STREAM (stream);
  insp_page_add_section (INSP_PAGE (self), _ ("Change Stream"), NULL, stream);
}

/* ---- the object ---- */

static void
insp_changes_page_dispose (GObject *object)
{
  InspChangesPage *self = INSP_CHANGES_PAGE (object);
  g_clear_pointer (&self->watches, insp_refresher_free);
  g_clear_pointer (&self->deliveries, insp_refresher_free);
  G_OBJECT_CLASS (insp_changes_page_parent_class)->dispose (object);
}

static void
insp_changes_page_class_init (InspChangesPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_changes_page_dispose;
  INSP_PAGE_CLASS (class)->refresh = insp_changes_page_refresh;
  INSP_PAGE_CLASS (class)->search = insp_changes_page_search;
  INSP_PAGE_CLASS (class)->export = insp_changes_page_export;
}

static void
insp_changes_page_init (InspChangesPage *self)
{
}

GtkWidget *
insp_changes_page_new (InspSession *session)
{
  InspChangesPage *self = g_object_new (INSP_TYPE_CHANGES_PAGE, "session", session, NULL);
  InspHistory *history = insp_session_get_history (session);
  InspAxis *axis = insp_session_get_axis (session);
  self->log = insp_session_get_watches (session);
  add_tiles (self, history);
  add_watches (self, history, axis);
  if (insp_session_get_state (session) != INSP_SESSION_RECORDED)
    add_stream (self, session);
  add_delays (self, history, axis);
  self->watches = insp_refresher_new (GTK_WIDGET (self), session, WATCHES_INTERVAL, ask_watches,
                                      take_watches, insp_page_tell_from);
  self->deliveries = insp_refresher_new (GTK_WIDGET (self), session, DELIVERIES_INTERVAL,
                                         ask_deliveries, take_deliveries, insp_page_tell_from);
  return GTK_WIDGET (self);
}
