/* SPDX-License-Identifier: MIT */
/*
 * InspKeyCell: a row of the list of keys: what happened to it, the key, and the beginning of its value.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-edits.h"
#include "insp-key.h"

G_BEGIN_DECLS

#define INSP_TYPE_KEY_CELL (insp_key_cell_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyCell, insp_key_cell, INSP, KEY_CELL, GtkWidget)

GtkWidget *insp_key_cell_new (void);
void insp_key_cell_set_key (InspKeyCell *self, InspKey *key); /* NULL: none */
/* The cell says so when its key, of that store, has a staged change. */
void insp_key_cell_set_edits (InspKeyCell *self, InspEdits *edits, const char *store);

G_END_DECLS
