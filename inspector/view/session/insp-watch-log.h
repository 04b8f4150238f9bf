/* SPDX-License-Identifier: MIT */
/*
 * InspWatchLog: who is told of changes, and what each was told while somebody looked, the newest first.
 * What inspectors follow themselves is left out.
 *
 * Signal changed (): there are others. Threads: the main one.
 */
#pragma once

#include "insp-row-list.h"

#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_WATCH_AIM 12000 /* microseconds within which a watch should be told */

#define INSP_TYPE_WATCH_LOG (insp_watch_log_get_type ())
G_DECLARE_FINAL_TYPE (InspWatchLog, insp_watch_log, INSP, WATCH_LOG, GObject)

InspWatchLog *insp_watch_log_new (void);
/* Rows of LdbActiveWatch, and of LdbWatchDelivery. Borrowed. */
InspRowList *insp_watch_log_get_watches (InspWatchLog *self);
InspRowList *insp_watch_log_get_deliveries (InspWatchLog *self);

/* Those there are now; takes what is in the array. */
void insp_watch_log_set_watches (InspWatchLog *self, GPtrArray *watches);
/* The newest number that is known: what is asked for comes after it. */
guint64 insp_watch_log_get_newest (InspWatchLog *self);
/* An answer at a moment of the clock, microseconds since 1970: an application notes what it tells from a
 * request on, for ten seconds. */
void insp_watch_log_note_answer (InspWatchLog *self, gint64 time);
/* From when until when it noted nothing, the first time before the first answer (`start` is 0 then). FALSE: there
 * is none of that number, from 0 on. */
gboolean insp_watch_log_get_gap (InspWatchLog *self, guint number, gint64 *start, gint64 *end);
/* More of them, the oldest first; takes what is in the array. */
void insp_watch_log_add (InspWatchLog *self, GPtrArray *deliveries);

/* What people call a watch, also one that is gone. Borrowed, until the log changes. */
const char *insp_watch_log_get_name (InspWatchLog *self, guint64 watch);

/* What it is, in a word; the keys that it is about, of a recording its number; both, and its store. Free
 * the last two. */
const char *insp_watch_kind_name (LdbWatchKind kind);
char *insp_watch_format_keys (const LdbActiveWatch *watch);
char *insp_watch_format (const LdbActiveWatch *watch);

/* The number of an LdbActiveWatch, and of an LdbWatchDelivery. */
guint64 insp_watch_get_id (gconstpointer contents);
guint64 insp_watch_get_number (gconstpointer contents);

/* Microseconds from the first commit to its delivery; -1: not known. */
gint64 insp_watch_get_delay (const LdbWatchDelivery *delivery);

G_END_DECLS
