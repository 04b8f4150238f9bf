/* SPDX-License-Identifier: MIT */
/*
 * InspSplit: two widgets beside each other where there is room, else one above the other. The bar
 * between them can be moved.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_SPLIT (insp_split_get_type ())
G_DECLARE_FINAL_TYPE (InspSplit, insp_split, INSP, SPLIT, GtkWidget)

/* `share`: of the room, for the first one, 0 … 1. */
GtkWidget *insp_split_new (GtkWidget *first, GtkWidget *second, double share);

G_END_DECLS
