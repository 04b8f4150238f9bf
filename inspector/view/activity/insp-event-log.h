/* SPDX-License-Identifier: MIT */
/*
 * InspEventLog: what happened to a database while its session was looked at, and the last before, the
 * newest first. A widget asks for it while that is shown.
 *
 * Signal changed (): there are more. Threads: the main one.
 */
#pragma once

#include "insp-refresher.h"
#include "insp-row-list.h"

G_BEGIN_DECLS

#define INSP_TYPE_EVENT_LOG (insp_event_log_get_type ())
G_DECLARE_FINAL_TYPE (InspEventLog, insp_event_log, INSP, EVENT_LOG, GObject)

/* Of what a session has seen: insp-seen.h. */
InspEventLog *insp_event_log_new (InspRowList *list);
/* Rows of LdbEvent. Borrowed. */
InspRowList *insp_event_log_get_list (InspEventLog *self);

/* More of them, oldest first; takes what is in the array. */
void insp_event_log_add (InspEventLog *self, GPtrArray *events);

/* What people call a kind of event, and whether it is work that takes its time: a bar of a chart. */
const char *insp_event_name (LdbEventKind kind);
gboolean insp_event_is_work (LdbEventKind kind);

/* When it began and ended, microseconds since 1970. */
void insp_event_get_span (const LdbEvent *event, gint64 *from, gint64 *to);

G_END_DECLS
