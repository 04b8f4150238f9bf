/* SPDX-License-Identifier: MIT */
/*
 * InspTreemap: the parts of something as rectangles, as large as they are, inside of those that they are
 * parts of; each with the colour of its step and as many dots, since colours alone tell nothing.
 *
 * A click or the arrow keys select one, Enter or a double click activates it. What is selected stays so
 * when there are new tiles with it.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-tile.h"

G_BEGIN_DECLS

#define INSP_TYPE_TREEMAP (insp_treemap_get_type ())
G_DECLARE_FINAL_TYPE (InspTreemap, insp_treemap, INSP, TREEMAP, GtkWidget)

/* Signals: selected (): another one is, or none; activated (). `title` names it. */
GtkWidget *insp_treemap_new (const char *title, int height);
/* InspTile, each before what is inside of it. Takes a reference. `ordered`: steps are from little to
 * much. */
void insp_treemap_set_tiles (InspTreemap *self, GPtrArray *tiles, gboolean ordered);

/* NULL: none. Valid until there are others. */
const InspTile *insp_treemap_get_selected (InspTreemap *self);
/* That of an id; an unknown one: none. */
void insp_treemap_select (InspTreemap *self, guint64 id);
void insp_treemap_move (InspTreemap *self, GtkDirectionType direction);

/* Where each of some tiles is in a rectangle. `rects`: as many. */
void insp_treemap_lay_out (GPtrArray *tiles, const graphene_rect_t *area, int title_height,
                           graphene_rect_t *rects);

/* The colour of a step (-1: of none) behind a widget's text, and that of the text on it. */
GdkRGBA insp_treemap_color (GtkWidget *widget, int step, gboolean ordered, GdkRGBA *text);
/* As many dots as a step says, from right to left. */
void insp_treemap_append_dots (GtkSnapshot *snapshot, double right, double bottom, int step,
                               const GdkRGBA *color);

G_END_DECLS
