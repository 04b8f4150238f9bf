/* SPDX-License-Identifier: MIT */
/*
 * InspDiskTile: how large all files of the database are. No counter says that: the application looks at
 * them, now and then, as long as the tile can be seen.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_DISK_TILE (insp_disk_tile_get_type ())
G_DECLARE_FINAL_TYPE (InspDiskTile, insp_disk_tile, INSP, DISK_TILE, GtkWidget)

GtkWidget *insp_disk_tile_new (InspSession *session);

G_END_DECLS
