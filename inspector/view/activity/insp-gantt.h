/* SPDX-License-Identifier: MIT */
/*
 * InspGantt: the work that a database did over time: a lane each for flushes, merges and stalls, a bar
 * for each job from its begin to its end. Those of one lane that overlap lie below one another.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-event-log.h"
#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_GANTT (insp_gantt_get_type ())
G_DECLARE_FINAL_TYPE (InspGantt, insp_gantt, INSP, GANTT, GtkWidget)

GtkWidget *insp_gantt_new (InspEventLog *log, InspSession *session);

/* In which of the rows of its lane each of some spans lies, such that none covers another: as few rows
 * as that takes, when the spans come by their begin. Returns how many rows there are. */
guint insp_gantt_place (const gint64 (*spans)[2], guint count, guint *rows);

G_END_DECLS
