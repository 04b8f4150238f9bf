/* SPDX-License-Identifier: MIT */
/*
 * InspWatchLanes: what watches were told over time: a lane for each, a mark for each delivery, as far
 * up as it came late, with the line of 12 ms in its middle. A mark is the larger the more changes it has;
 * one that came later than 12 ms is hollow, and one that says “read anew” is as high as the lane.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-axis.h"
#include "insp-history.h"
#include "insp-watch-log.h"

G_BEGIN_DECLS

#define INSP_TYPE_WATCH_LANES (insp_watch_lanes_get_type ())
G_DECLARE_FINAL_TYPE (InspWatchLanes, insp_watch_lanes, INSP, WATCH_LANES, GtkWidget)

GtkWidget *insp_watch_lanes_new (InspWatchLog *log, InspAxis *axis, InspHistory *history);

/* How far up in its lane a delay (microseconds) lies: 0 to 1, 12 ms in the middle. */
double insp_watch_lanes_place (gint64 delay);

G_END_DECLS
