/* SPDX-License-Identifier: MIT */
/*
 * Rows of things that are only looked at: as many beside one another as there is room for. Nothing of
 * them is selected, and the keyboard goes to what is inside.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

GtkWidget *insp_flow_new (guint most_in_a_row, guint spacing);
void insp_flow_add (GtkWidget *flow, GtkWidget *child);

G_END_DECLS
