/* SPDX-License-Identifier: MIT */
/*
 * InspComparison: percentiles of how long an operation took, in what is shown and in up to two spans of
 * time that were marked, A and B: as curves, and as a table with what B differs from A.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-distribution.h"

G_BEGIN_DECLS

#define INSP_COMPARISON_SPANS 2u

#define INSP_TYPE_COMPARISON (insp_comparison_get_type ())
G_DECLARE_FINAL_TYPE (InspComparison, insp_comparison, INSP, COMPARISON, GtkWidget)

GtkWidget *insp_comparison_new (InspDistribution *distribution, InspAxis *axis);

/* `from` 0: it is not marked. */
void insp_comparison_set_span (InspComparison *self, guint index, gint64 from, gint64 to);

/* For tests. Free it. */
char *insp_comparison_get_cell (InspComparison *self, guint row, guint column);

G_END_DECLS
