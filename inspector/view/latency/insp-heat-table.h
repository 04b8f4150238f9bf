/* SPDX-License-Identifier: MIT */
/*
 * What a heat map shows, as a table: a row for each of its cells in time, a column for each power of
 * ten.
 */
#pragma once

#include "insp-distribution.h"
#include "insp-row-list.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_HEAT_TABLE (insp_heat_table_get_type ())
G_DECLARE_FINAL_TYPE (InspHeatTable, insp_heat_table, INSP, HEAT_TABLE, GtkWidget)

GtkWidget *insp_heat_table_new (InspDistribution *distribution, InspAxis *axis);

/* Brings it up to date, though it is not shown: the newest cell first; those in which nothing was timed are left
 * out. */
void insp_heat_table_fill (InspHeatTable *self);

/* For tests. Free it. */
char *insp_heat_table_get_cell (InspHeatTable *self, guint row, guint column);

G_END_DECLS
