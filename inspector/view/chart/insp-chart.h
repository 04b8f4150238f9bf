/* SPDX-License-Identifier: MIT */
/*
 * InspChart: lines over time. What it shows is an axis's stretch of a history; it points where any chart
 * of that axis is pointed at.
 *
 * Pointer: motion points, a drag shows what was dragged over, a double click all again, Ctrl and the
 * wheel zoom. Keys: Left and Right point, + and - zoom, Home shows all again, Escape points nowhere.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-axis.h"
#include "insp-series.h"

G_BEGIN_DECLS

#define INSP_TYPE_CHART (insp_chart_get_type ())
G_DECLARE_FINAL_TYPE (InspChart, insp_chart, INSP, CHART, GtkWidget)

/* All series are of one history and one unit. `title` names it to assistive technology. */
GtkWidget *insp_chart_new (const char *title, InspAxis *axis);
void insp_chart_add (InspChart *self, InspSeries *series);
/* A line across at a value that matters. */
void insp_chart_set_mark (InspChart *self, double value, const char *name);

/* Whether the areas below lines are filled, each line on those before. */
void insp_chart_set_stacked (InspChart *self, gboolean stacked);

GListModel *insp_chart_get_series (InspChart *self); /* InspSeries; borrowed */
InspAxis *insp_chart_get_axis (InspChart *self);

G_END_DECLS
