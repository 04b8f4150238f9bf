/* SPDX-License-Identifier: MIT */
/*
 * InspChartCard: a chart with its title, its legend, and the same figures as a table.
 *
 * The legend tells the figures of the moment that is pointed at, or the newest.
 */
#pragma once

#include "insp-chart.h"
#include "insp-sheet.h"

G_BEGIN_DECLS

#define INSP_TYPE_CHART_CARD (insp_chart_card_get_type ())
G_DECLARE_FINAL_TYPE (InspChartCard, insp_chart_card, INSP, CHART_CARD, GtkWidget)

GtkWidget *insp_chart_card_new (const char *title, InspAxis *axis);
void insp_chart_card_add (InspChartCard *self, InspSeries *series); /* takes a reference */
InspChart *insp_chart_card_get_chart (InspChartCard *self);

/* What is shown of time, for a file: the newest first, figures as they are, in the unit of their column. */
InspSheet *insp_chart_card_to_sheet (InspChartCard *self);

/* What the table shows in a row and a line's column: for tests. Free it. */
char *insp_chart_card_get_cell (InspChartCard *self, guint row, guint series);

G_END_DECLS
