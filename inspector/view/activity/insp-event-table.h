/* SPDX-License-Identifier: MIT */
/*
 * InspEventTable: what happened to a database, as a list: all of it, of one kind, with a text; or the
 * jobs of a chart.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-event-log.h"

G_BEGIN_DECLS

#define INSP_TYPE_EVENT_TABLE (insp_event_table_get_type ())
G_DECLARE_FINAL_TYPE (InspEventTable, insp_event_table, INSP, EVENT_TABLE, GtkWidget)

GtkWidget *insp_event_table_new (InspEventLog *log);
/* Flushes, merges and stalls alone, with their figures. */
GtkWidget *insp_event_table_new_of_work (InspEventLog *log);

/* -1: of all kinds. */
void insp_event_table_set_kind (InspEventTable *self, int kind);
/* What its text has to have in it, in any case; NULL: whatever it is. */
void insp_event_table_set_text (InspEventTable *self, const char *text);

/* For tests. Free it. */
char *insp_event_table_get_cell (InspEventTable *self, guint row, guint column);

G_END_DECLS
