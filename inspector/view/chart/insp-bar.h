/* SPDX-License-Identifier: MIT */
/*
 * InspBar: a share as the length of a bar, with a figure behind it: a bar of a histogram, in a table.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_BAR (insp_bar_get_type ())
G_DECLARE_FINAL_TYPE (InspBar, insp_bar, INSP, BAR, GtkWidget)

/* `share`: 0 … 1, of the longest bar. `index`: in the palette. */
void insp_bar_set (InspBar *self, double share, const char *figure, guint index);

G_END_DECLS
