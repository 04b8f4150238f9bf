/* SPDX-License-Identifier: MIT */
/*
 * Rectangles whose areas tell weights, in a rectangle that they fill: a squarified treemap (Bruls, Huizing,
 * van Wijk, 2000), of which each is as near to a square as that allows. And the way from one to another.
 *
 * Threads: no state.
 */
#pragma once

#include <graphene.h>
#include <gtk/gtk.h>

G_BEGIN_DECLS

/* `weights` and `rects`: `count` of each. What weighs nothing gets an empty rectangle. */
void insp_squarify (const double *weights, guint count, const graphene_rect_t *area,
                    graphene_rect_t *rects);

/* Which of `rects` lies beside that of `from`, where a direction points; `from` when none does. Empty ones
 * and those that `skip` says so of are passed by. */
guint insp_squarify_beside (const graphene_rect_t *rects, const gboolean *skip, guint count,
                            guint from, GtkDirectionType direction);

G_END_DECLS
