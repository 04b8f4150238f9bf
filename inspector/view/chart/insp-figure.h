/* SPDX-License-Identifier: MIT */
/*
 * InspFigure: the newest figure of a series, with its name below: a tile of the overview, a line of a
 * step.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-series.h"

G_BEGIN_DECLS

#define INSP_TYPE_FIGURE (insp_figure_get_type ())
G_DECLARE_FINAL_TYPE (InspFigure, insp_figure, INSP, FIGURE, GtkWidget)

/* `large`: as a tile. Takes the series. */
GtkWidget *insp_figure_new (InspSeries *series, gboolean large);
/* A tile that says what it is told. */
GtkWidget *insp_figure_new_tile (const char *title);
void insp_figure_say (InspFigure *self, const char *text);
/* A row of tiles. Takes the series. */
GtkWidget *insp_figure_new_tiles (InspSeries **series, guint count);

G_END_DECLS
