/* SPDX-License-Identifier: MIT */
/*
 * Pointing and zooming in a picture over time: motion points, Ctrl and the wheel zoom, a double click
 * shows all again. Keys: Left and Right point, + and - zoom, Home shows all again, Escape points
 * nowhere.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-axis.h"
#include "insp-history.h"

G_BEGIN_DECLS

/* The widget holds both. `history`: whose samples the keys point at; one that is not known yet is set
 * later. */
void insp_pointing_add (GtkWidget *widget, InspAxis *axis, InspHistory *history);
void insp_pointing_set_history (GtkWidget *widget, InspHistory *history);

G_END_DECLS
