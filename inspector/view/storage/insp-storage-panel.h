/* SPDX-License-Identifier: MIT */
/*
 * InspStoragePanel: the storage of a database as a treemap with its legend, and as a table. It is asked
 * for again every few seconds while it is shown.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"
#include "insp-tile.h"

G_BEGIN_DECLS

#define INSP_TYPE_STORAGE_PANEL (insp_storage_panel_get_type ())
G_DECLARE_FINAL_TYPE (InspStoragePanel, insp_storage_panel, INSP, STORAGE_PANEL, GtkWidget)

/* Signals: loaded (): there is a newer map; selected (): another part is, or none; recolored (): there is
 * another lens. */
GtkWidget *insp_storage_panel_new (InspSession *session);
void insp_storage_panel_refresh (InspStoragePanel *self);

LdbStorageMap *insp_storage_panel_get_map (InspStoragePanel *self);       /* NULL: none yet */
LdbStorageNode *insp_storage_panel_get_selected (InspStoragePanel *self); /* NULL: none */
InspLens insp_storage_panel_get_lens (InspStoragePanel *self);
/* Selects a segment; FALSE when it is not there. */
gboolean insp_storage_panel_select_segment (InspStoragePanel *self, guint64 number);

G_END_DECLS
