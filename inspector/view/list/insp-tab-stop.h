/* SPDX-License-Identifier: MIT */
/*
 * A list in which Tab stops once: the arrow keys move in it, Tab goes on to what is behind. GTK's own
 * lists stop at each row, of which there may be millions.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_TAB_STOP (insp_tab_stop_get_type ())
G_DECLARE_FINAL_TYPE (InspTabStop, insp_tab_stop, INSP, TAB_STOP, GtkWidget)

/* Nothing in its rows is to be gone to. */
GtkWidget *insp_tab_stop_new (GtkWidget *list);

G_END_DECLS
