/* SPDX-License-Identifier: MIT */
/*
 * Rows of things, as many beside one another as there is room for. Nothing of them is selected.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Of things that are used: the keyboard goes to what is inside. Each of them has something to go to. */
GtkWidget *insp_flow_new (guint most_in_a_row, guint spacing);
/* Of things that are only looked at: the keyboard passes them by. */
GtkWidget *insp_flow_new_of_figures (guint most_in_a_row, guint spacing);
void insp_flow_add (GtkWidget *flow, GtkWidget *child);

G_END_DECLS
