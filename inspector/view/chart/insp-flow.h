/* SPDX-License-Identifier: MIT */
/*
 * Rows of things, as many beside one another as there is room for. Nothing of them is selected; the
 * keyboard goes to what is in them, and passes by what it has no use for.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_FLOW (insp_flow_get_type ())
G_DECLARE_FINAL_TYPE (InspFlow, insp_flow, INSP, FLOW, GtkWidget)

GtkWidget *insp_flow_new (guint most_in_a_row, guint spacing);
/* Of things that are all as large as the largest, in rows that are about as long as one another. */
GtkWidget *insp_flow_new_even (guint least_in_a_row, guint most_in_a_row, guint spacing);
void insp_flow_add (GtkWidget *self, GtkWidget *child);
/* One that was added; NULL: there are fewer. Borrowed. */
GtkWidget *insp_flow_get (GtkWidget *self, guint index);
void insp_flow_remove_all (GtkWidget *self);
/* The others are there, and not seen. */
void insp_flow_show_first (GtkWidget *self, guint count);

G_END_DECLS
