/* SPDX-License-Identifier: MIT */
/*
 * InspKeyCell: a row of the list of keys: what happened to it, the key, and the beginning of its value.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-key.h"

G_BEGIN_DECLS

#define INSP_TYPE_KEY_CELL (insp_key_cell_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyCell, insp_key_cell, INSP, KEY_CELL, GtkWidget)

GtkWidget *insp_key_cell_new (void);
void insp_key_cell_set_key (InspKeyCell *self, InspKey *key); /* NULL: none */

G_END_DECLS
