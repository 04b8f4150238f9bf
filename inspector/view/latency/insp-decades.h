/* SPDX-License-Identifier: MIT */
/*
 * A logarithmic scale of durations: whole powers of ten, from one to another.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  int low, high; /* exponents of ten, of nanoseconds; high is above low */
} InspDecades;

/* Such that all bars that are not empty are on it; of empty bars some scale. */
InspDecades insp_decades_of (const guint64 *bars);

/* 0 at the bottom, 1 at the top, and what is there. */
double insp_decades_place (InspDecades self, double nanoseconds);
double insp_decades_at (InspDecades self, double place);

/* Lines across a plot and what they stand for. */
void insp_decades_append_grid (InspDecades self, GtkWidget *widget, GtkSnapshot *snapshot);

G_END_DECLS
