/* SPDX-License-Identifier: MIT */
/*
 * InspStatsTile: a figure that no counter says, as the size of all files: the application is asked for it,
 * now and then, as long as the tile can be seen.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"
#include "insp-unit.h"

G_BEGIN_DECLS

#define INSP_TYPE_STATS_TILE (insp_stats_tile_get_type ())
G_DECLARE_FINAL_TYPE (InspStatsTile, insp_stats_tile, INSP, STATS_TILE, GtkWidget)

/* `offset`: of a guint64 in LdbStats. */
GtkWidget *insp_stats_tile_new (InspSession *session, const char *title, InspUnit unit,
                                gsize offset);

G_END_DECLS
