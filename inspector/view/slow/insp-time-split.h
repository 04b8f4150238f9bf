/* SPDX-License-Identifier: MIT */
/*
 * InspTimeSplit: what an operation, or several, spent their time with: numbers for each part, a bar of
 * them and their text.
 */
#pragma once

#include <gtk/gtk.h>
#include <lightning-db.h>

G_BEGIN_DECLS

/* Waits as LdbSlowOperation has them, and all else. */
#define INSP_TIME_PARTS 10u

typedef struct
{
  guint64 parts[INSP_TIME_PARTS]; /* nanoseconds */
} InspTimeParts;

/* Adds an operation to them. */
void insp_time_parts_add (InspTimeParts *self, const LdbSlowOperation *operation);
guint64 insp_time_parts_sum (const InspTimeParts *self);
/* The parts that count, the longest first. Free it. */
char *insp_time_parts_format (const InspTimeParts *self);

#define INSP_TYPE_TIME_SPLIT (insp_time_split_get_type ())
G_DECLARE_FINAL_TYPE (InspTimeSplit, insp_time_split, INSP, TIME_SPLIT, GtkWidget)

void insp_time_split_show (InspTimeSplit *self, const InspTimeParts *parts);

G_END_DECLS
