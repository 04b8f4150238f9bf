/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-chart-card.h"
#include "insp-export.h"
#include "insp-figure.h"
#include "insp-flow.h"
#include "insp-health-tile.h"
#include "insp-overview-page.h"
#include "insp-path.h"
#include "insp-stats-tile.h"

#define MEMORY                                                                                     \
  "memory_cache_bytes memory_page_table_bytes memory_index_bytes memory_filter_bytes "             \
  "memory_memtable_bytes memory_log_bytes memory_merge_bytes memory_segment_bytes "                \
  "memory_other_bytes"

struct _InspOverviewPage
{
  GtkWidget parent_instance;

  InspSession *session; /* owned */
  InspHistory *history; /* of it; borrowed */
  InspAxis *axis;       /* of it; borrowed */
  GtkWidget *scroller;  /* child */
  InspChart *memory;    /* whose budget is a mark */
};

G_DEFINE_FINAL_TYPE (InspOverviewPage, insp_overview_page, GTK_TYPE_WIDGET)

static void
add_tiles (InspOverviewPage *self, GtkWidget *box)
{
  InspHistory *history = self->history;
  InspSeries *series[] = {
    insp_series_new_rate (history, _ ("Operations"), INSP_UNIT_PER_SECOND,
                          INSP_LOOKUPS " seeks " INSP_WRITES),
    insp_series_new_percentile (history, _ ("Reads, 99 of 100"), "get", 0.99),
    insp_series_new_percentile (history, _ ("Writes, 99 of 100"), "put delete batch", 0.99),
    insp_series_new_share (history, _ ("Reads from memory"), "gets_disk", INSP_LOOKUPS, TRUE),
    insp_series_new_rate (history, _ ("Log"), INSP_UNIT_BYTES_PER_SECOND, "log_bytes"),
    insp_series_new_value (history, _ ("Memory"), INSP_UNIT_BYTES, MEMORY),
  };
  GtkWidget *tiles = insp_figure_new_tiles (series, G_N_ELEMENTS (series));
  if (insp_session_get_state (self->session) != INSP_SESSION_RECORDED)
    insp_flow_add (tiles, insp_stats_tile_new (self->session, _ ("On disk"), INSP_UNIT_BYTES,
                                               G_STRUCT_OFFSET (LdbStats, disk_bytes)));
  insp_flow_add (tiles, insp_health_tile_new (self->session));
  gtk_box_append (GTK_BOX (box), tiles);
}

static InspChart *
add_chart (InspOverviewPage *self, GtkWidget *flow, const char *title, InspSeries **series,
           guint count)
{
  GtkWidget *card = insp_chart_card_new (title, self->axis);
  for (guint i = 0; i < count; i++)
    {
      insp_chart_card_add (INSP_CHART_CARD (card), series[i]);
      g_object_unref (series[i]);
    }
  insp_flow_add (flow, card);
  return insp_chart_card_get_chart (INSP_CHART_CARD (card));
}

static void
add_charts (InspOverviewPage *self, GtkWidget *flow)
{
  InspHistory *history = self->history;
  InspSeries *operations[] = {
    insp_series_new_rate (history, _ ("Lookups"), INSP_UNIT_PER_SECOND, INSP_LOOKUPS),
    insp_series_new_rate (history, _ ("Writes"), INSP_UNIT_PER_SECOND, INSP_WRITES),
    insp_series_new_rate (history, _ ("Seeks"), INSP_UNIT_PER_SECOND, "seeks"),
    insp_series_new_rate (history, _ ("Commits"), INSP_UNIT_PER_SECOND, "commits"),
  };
  InspSeries *reads[] = {
    insp_series_new_percentile (history, _ ("Median"), "get", 0.5),
    insp_series_new_percentile (history, _ ("99 %"), "get", 0.99),
    insp_series_new_percentile (history, _ ("99.9 %"), "get", 0.999),
  };
  InspSeries *writes[] = {
    insp_series_new_percentile (history, _ ("Median"), "put delete batch", 0.5),
    insp_series_new_percentile (history, _ ("99 %"), "put delete batch", 0.99),
    insp_series_new_percentile (history, _ ("99.9 %"), "put delete batch", 0.999),
  };
  InspSeries *hits[] = {
    insp_series_new_share (history, _ ("From memory"), "gets_disk", INSP_LOOKUPS, TRUE),
  };
  InspSeries *memory[] = {
    insp_series_new_value (history, _ ("Cache"), INSP_UNIT_BYTES, "memory_cache_bytes"),
    insp_series_new_value (history, _ ("Memory tables"), INSP_UNIT_BYTES, "memory_memtable_bytes"),
    insp_series_new_value (history, _ ("Filters and indexes"), INSP_UNIT_BYTES,
                           "memory_filter_bytes memory_index_bytes memory_page_table_bytes"),
    insp_series_new_value (history, _ ("Log"), INSP_UNIT_BYTES, "memory_log_bytes"),
    insp_series_new_value (history, _ ("Other"), INSP_UNIT_BYTES,
                           "memory_merge_bytes memory_segment_bytes memory_other_bytes"),
  };
  InspSeries *disk[] = {
    insp_series_new_rate (history, _ ("Log"), INSP_UNIT_BYTES_PER_SECOND, "log_bytes"),
    insp_series_new_rate (history, _ ("Flushes"), INSP_UNIT_BYTES_PER_SECOND, "flush_bytes"),
    insp_series_new_rate (history, _ ("Merges"), INSP_UNIT_BYTES_PER_SECOND, "merge_bytes_written"),
    insp_series_new_rate (history, _ ("Pages read"), INSP_UNIT_BYTES_PER_SECOND, "page_bytes_read"),
  };
  add_chart (self, flow, _ ("Operations"), operations, G_N_ELEMENTS (operations));
  add_chart (self, flow, _ ("Time of Reads"), reads, G_N_ELEMENTS (reads));
  add_chart (self, flow, _ ("Time of Writes"), writes, G_N_ELEMENTS (writes));
  add_chart (self, flow, _ ("Reads From Memory"), hits, G_N_ELEMENTS (hits));
  self->memory = add_chart (self, flow, _ ("Memory"), memory, G_N_ELEMENTS (memory));
  insp_chart_set_stacked (self->memory, TRUE);
  add_chart (self, flow, _ ("Disk"), disk, G_N_ELEMENTS (disk));
}

static void
mark_budget (InspOverviewPage *self)
{
  int column = insp_history_find (self->history, "memory_budget_bytes");
  guint64 end = insp_history_get_end (self->history);
  if (column >= 0 && end > insp_history_get_first (self->history))
    insp_chart_set_mark (self->memory,
                         (double) insp_history_get_value (self->history, end - 1, column),
                         _ ("Budget"));
}

/* ---- the object ---- */

static void
insp_overview_page_dispose (GObject *object)
{
  InspOverviewPage *self = INSP_OVERVIEW_PAGE (object);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_overview_page_parent_class)->dispose (object);
}

static void
insp_overview_page_class_init (InspOverviewPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_overview_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
insp_overview_page_init (InspOverviewPage *self)
{
}

GtkWidget *
insp_overview_page_new (InspSession *session)
{
  InspOverviewPage *self = g_object_new (INSP_TYPE_OVERVIEW_PAGE, NULL);
  self->session = g_object_ref (session);
  self->history = insp_session_get_history (session);
  self->axis = insp_session_get_axis (session);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  GtkWidget *charts = insp_flow_new_even (1, 3, 12);
  gtk_widget_add_css_class (box, "insp-page");
  gtk_widget_set_vexpand (charts, TRUE);
  add_tiles (self, box);
  add_charts (self, charts);
  gtk_box_append (GTK_BOX (box), charts);
  gtk_box_append (GTK_BOX (box), insp_path_new_for_reads (self->history));
  gtk_box_append (GTK_BOX (box), insp_path_new_for_writes (self->history));
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), box);
  gtk_widget_set_parent (self->scroller, GTK_WIDGET (self));
  g_signal_connect_object (self->history, "appended", G_CALLBACK (mark_budget), self,
                           G_CONNECT_SWAPPED);
  insp_export_offer (GTK_WIDGET (self), "overview");
  return GTK_WIDGET (self);
}
