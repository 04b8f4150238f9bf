/* SPDX-License-Identifier: MIT */
/*
 * InspHealthTile: how well the database is, beside the figures of the overview; a click shows why. The
 * application examines its database for it, now and then, as long as it can be seen.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_HEALTH_TILE (insp_health_tile_get_type ())
G_DECLARE_FINAL_TYPE (InspHealthTile, insp_health_tile, INSP, HEALTH_TILE, GtkWidget)

GtkWidget *insp_health_tile_new (InspSession *session);

G_END_DECLS
