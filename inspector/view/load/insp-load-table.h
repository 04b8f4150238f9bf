/* SPDX-License-Identifier: MIT */
/*
 * InspLoadTable: what came of a load test, figure by figure, beside another one it is compared with.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-load-run.h"

G_BEGIN_DECLS

#define INSP_TYPE_LOAD_TABLE (insp_load_table_get_type ())
G_DECLARE_FINAL_TYPE (InspLoadTable, insp_load_table, INSP, LOAD_TABLE, GtkWidget)

GtkWidget *insp_load_table_new (void);

/* Either may be NULL. */
void insp_load_table_set (InspLoadTable *self, const InspLoadRun *run, const InspLoadRun *other);

G_END_DECLS
