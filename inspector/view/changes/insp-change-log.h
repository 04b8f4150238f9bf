/* SPDX-License-Identifier: MIT */
/*
 * InspChangeLog: what was committed while somebody looked, the newest first. While it is paused, what comes
 * in waits; a step lets the oldest batch of it in.
 *
 * Signal changed (): there are others, or others wait. Threads: the main one.
 */
#pragma once

#include "insp-row-list.h"

#include <lightning-db.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 number;    /* in the order in which they were told */
  gint64 time;       /* when that was, microseconds since 1970 */
  LdbChange *change; /* owned */
} InspChangeEntry;

#define INSP_TYPE_CHANGE_LOG (insp_change_log_get_type ())
G_DECLARE_FINAL_TYPE (InspChangeLog, insp_change_log, INSP, CHANGE_LOG, GObject)

InspChangeLog *insp_change_log_new (void);
/* Rows of InspChangeEntry. Borrowed. */
InspRowList *insp_change_log_get_list (InspChangeLog *self);

/* One batch, as it was told: LdbChange, in the order of commits. */
void insp_change_log_add (InspChangeLog *self, GPtrArray *changes, gint64 time);

gboolean insp_change_log_get_paused (InspChangeLog *self);
/* What waits comes in when it ends. */
void insp_change_log_set_paused (InspChangeLog *self, gboolean paused);
void insp_change_log_step (InspChangeLog *self);
guint insp_change_log_get_waiting (InspChangeLog *self); /* batches */

/* In words, and as a line of JSON with keys and values escaped as insp-bytes.h says. Free the line. */
const char *insp_change_kind_name (LdbChangeKind kind);
char *insp_change_entry_to_json (const InspChangeEntry *self);

G_END_DECLS
