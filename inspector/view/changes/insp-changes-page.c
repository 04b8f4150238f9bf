/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-change-stream.h"
#include "insp-changes-page.h"
#include "insp-chart-card.h"
#include "insp-figure.h"

#define AIM 12e6 /* nanoseconds in which those who watch should be told */

struct _InspChangesPage
{
  InspPage parent_instance;

  InspChangeStream *stream;
};

G_DEFINE_FINAL_TYPE (InspChangesPage, insp_changes_page, INSP_TYPE_PAGE)

static void
insp_changes_page_search (InspPage *page)
{
  insp_change_stream_focus_search (INSP_CHANGES_PAGE (page)->stream);
}

static void
insp_changes_page_export (InspPage *page)
{
  insp_change_stream_export (INSP_CHANGES_PAGE (page)->stream);
}

static void
add_tiles (InspChangesPage *self, InspHistory *history)
{
  InspSeries *tiles[] = {
    insp_series_new_value (history, _ ("Watches"), INSP_UNIT_COUNT, "watches"),
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
insp_changes_page_class_init (InspChangesPageClass *class)
{
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
  add_tiles (self, history);
  self->stream = INSP_CHANGE_STREAM (insp_change_stream_new (session));
  insp_page_add_section (INSP_PAGE (self), _ ("Change Stream"), NULL, GTK_WIDGET (self->stream));
  add_delays (self, history, insp_session_get_axis (session));
  return GTK_WIDGET (self);
}
