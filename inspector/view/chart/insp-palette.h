/* SPDX-License-Identifier: MIT */
/*
 * Colours of lines and areas, which differ also in how light they are. Nothing is told by colour alone:
 * each line has its name and figure in the legend, in the order of the lines.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_PALETTE_SIZE 12u

/* Whether a widget's text is lighter than what is behind it. */
gboolean insp_palette_is_dark (GtkWidget *widget);

/* Whether the theme is one of high contrast: its borders stand out. */
gboolean insp_palette_is_high_contrast (GtkWidget *widget);

GdkRGBA insp_palette_color (guint index, gboolean dark);

/* A line of a grid, a crosshair: the text's colour, thinned; less so where the theme is one of high
 * contrast. */
GdkRGBA insp_palette_faint (GtkWidget *widget, double alpha);

G_END_DECLS
