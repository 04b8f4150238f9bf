/* SPDX-License-Identifier: MIT */
/*
 * What differs between two values, as a box of lines: what was there by a minus sign, what is new by a plus
 * sign, and by colour.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* `name`: for assistive technology. */
GtkWidget *insp_difference_new (const char *name);
/* InspDiffLine, in place of what was shown. */
void insp_difference_show (GtkWidget *difference, GPtrArray *lines);

G_END_DECLS
