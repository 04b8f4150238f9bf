/* SPDX-License-Identifier: MIT */
/*
 * InspHeatMap: how long an operation took, over time: the more of them took so long just then, the
 * stronger the colour, on a logarithmic scale.
 *
 * Pointer: as all pictures over time, but a drag selects a region. Keys: Shift with Left and Right
 * selects time, with Up and Down raises and lowers the least duration of what is selected, Escape ends
 * the selection.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-distribution.h"

G_BEGIN_DECLS

/* What is selected: moments on the axis, and nanoseconds. */
typedef struct
{
  gint64 from, to;
  double least, most;
} InspRegion;

#define INSP_TYPE_HEAT_MAP (insp_heat_map_get_type ())
G_DECLARE_FINAL_TYPE (InspHeatMap, insp_heat_map, INSP, HEAT_MAP, GtkWidget)

/* Signal: selected (), another region is, or none. */
GtkWidget *insp_heat_map_new (InspDistribution *distribution, InspAxis *axis);

/* NULL: nothing is selected. Borrowed. */
const InspRegion *insp_heat_map_get_region (InspHeatMap *self);
void insp_heat_map_set_region (InspHeatMap *self, const InspRegion *region);

/* A span of time that has a letter; `from` 0: it has none any more. */
void insp_heat_map_set_span (InspHeatMap *self, guint index, gint64 from, gint64 to);

/* How much time a cell stands for, and the one that a moment is in begins behind this one. */
gint64 insp_heat_map_step (InspAxis *axis);

G_END_DECLS
