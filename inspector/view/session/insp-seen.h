/* SPDX-License-Identifier: MIT */
/*
 * What happened while a session was looked at, as lists of rows, the newest first: events (LdbEvent) and
 * slow operations (LdbSlowOperation); and these, and what an InspWatchLog has, as a recording has them,
 * without keys.
 *
 * Threads: the main one, or, before others have a list, any.
 */
#pragma once

#include "insp-row-list.h"

#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_EVENTS_MOST 5000u     /* that are kept */
#define INSP_OPERATIONS_MOST 2000u /* likewise */
#define INSP_DELIVERIES_MOST 4000u /* likewise */
#define INSP_WATCHES_MOST 4000u    /* that are recorded */

InspRowList *insp_seen_events_new (void);
InspRowList *insp_seen_operations_new (void);

/* More of them, the oldest first; takes what is in the array. */
void insp_seen_add_events (InspRowList *list, GPtrArray *events);
void insp_seen_add_operations (InspRowList *list, GPtrArray *operations);

/* The newest number that is known: what is asked for comes after it. */
guint64 insp_seen_get_newest_event (InspRowList *list);
guint64 insp_seen_get_newest_operation (InspRowList *list);

/* The oldest first: number, kind, time, last, times, size, size read, duration, code, message. */
#define INSP_EVENTS_TYPE "a(tixxttttis)"
/* The oldest first: number, kind, end, duration, whether it was sampled, size, and the nanoseconds of
 * LdbSlowOperation in the order of its fields. */
#define INSP_OPERATIONS_TYPE "a(tixtbtttttttttt)"

/* By their numbers: number, kind, store ("": the default one, or all), how long start and end are, whether
 * it is paused, whether it is being told, and the numbers of LdbActiveWatch from the interval on. */
#define INSP_WATCHES_TYPE "a(tisttbbtttttt)"
#define INSP_EARLIER_WATCHES_TYPE "a(tisttbbttttt)" /* without what was put together */
/* The oldest first: number, watch, commit, delivery, changes, whether it says “read anew”. */
#define INSP_DELIVERIES_TYPE "a(ttxxtb)"

/* Floating. */
GVariant *insp_seen_events_to_variant (InspRowList *list);
GVariant *insp_seen_operations_to_variant (InspRowList *list);
GVariant *insp_seen_watches_to_variant (InspRowList *list);
GVariant *insp_seen_deliveries_to_variant (InspRowList *list);

/* What a variant of that type, or an earlier one, has, which may come from anybody. NULL with `error`: there are too many, or
 * numbers do not rise. What is of an unknown kind, or of no moment of a clock, is passed over. */
GPtrArray *insp_seen_events_from_variant (GVariant *events, GError **error);
GPtrArray *insp_seen_operations_from_variant (GVariant *operations, GError **error);
GPtrArray *insp_seen_watches_from_variant (GVariant *watches, GError **error);
GPtrArray *insp_seen_deliveries_from_variant (GVariant *deliveries, GError **error);

G_END_DECLS
