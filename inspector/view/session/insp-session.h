/* SPDX-License-Identifier: MIT */
/*
 * InspSession: one database that is looked into: the connection, what was counted so far, and the
 * stretch of time that is shown of it. What its pages show they take from here.
 *
 * It looks four times a second while `looking`, at the memory that the database counts in, which the
 * application does not notice; where that is not shared, the application is asked for a copy. A session
 * outlives its application: what was seen stays.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-axis.h"
#include "insp-history.h"
#include "insp-seen.h"
#include "insp-watch-log.h"

G_BEGIN_DECLS

typedef enum
{
  INSP_SESSION_CONNECTING,
  INSP_SESSION_LIVE,
  INSP_SESSION_ENDED,    /* the application, or its database, is gone */
  INSP_SESSION_FAILED,   /* it could not be connected to; error says why */
  INSP_SESSION_RECORDED, /* what is shown was seen earlier, and comes from a file */
} InspSessionState;

#define INSP_TYPE_SESSION (insp_session_get_type ())
G_DECLARE_FINAL_TYPE (InspSession, insp_session, INSP, SESSION, GObject)

/* Connects at once. Properties: state, looking. Signal “moved” (LdbRunningDatabase *): what was shown is
 * shared anew, as another one. */
InspSession *insp_session_new (LdbRunningDatabase *running);

/* Shows what was seen earlier, up to `saved` (microseconds since 1970; 0: not known). */
InspSession *insp_session_new_recorded (const char *program, const char *path, InspHistory *history,
                                        gint64 saved);

LdbRunningDatabase *insp_session_get_running_database (InspSession *self); /* NULL: recorded */
LdbInspector *insp_session_get_inspector (InspSession *self);              /* NULL: not connected */

/* The handle that is shown, if this program opened it to look into it: it may be made to be written to.
 * NULL: it is somebody else's. */
LdbDatabase *insp_session_get_database (InspSession *self);
void insp_session_set_database (InspSession *self, LdbDatabase *database);

/* It was made to be written to, and is shared anew. */
void insp_session_move (InspSession *self, LdbRunningDatabase *running);

/* Whether the user allowed edits and knows what that means. */
gboolean insp_session_get_edits_agreed (InspSession *self);
void insp_session_set_edits_agreed (InspSession *self, gboolean agreed);

/* How many changes are staged, or being written, and would be lost with the session. */
guint insp_session_get_staged (InspSession *self);
void insp_session_set_staged (InspSession *self, guint staged);

InspSessionState insp_session_get_state (InspSession *self);
const char *insp_session_get_error (InspSession *self); /* NULL: none */
gint64 insp_session_get_ended (InspSession *self); /* when, monotonic microseconds; 0: not yet */
InspHistory *insp_session_get_history (InspSession *self);
InspAxis *insp_session_get_axis (InspSession *self);

/* What happened, as far as somebody asked for it: insp-seen.h. Borrowed. */
InspRowList *insp_session_get_events (InspSession *self);
InspRowList *insp_session_get_operations (InspSession *self);
InspWatchLog *insp_session_get_watches (InspSession *self);

/* Whether what the database counts can be looked at; else the application is asked. */
gboolean insp_session_has_counters (InspSession *self);

gboolean insp_session_get_looking (InspSession *self);
void insp_session_set_looking (InspSession *self, gboolean looking);

/* Up to when, of a recorded session, microseconds since 1970; 0 of another. */
gint64 insp_session_get_recorded (InspSession *self);

const char *insp_session_get_program (InspSession *self); /* may be empty */
const char *insp_session_get_path (InspSession *self); /* of the database, as the system has it */

/* As people call it: the program, or the folder. */
const char *insp_session_get_title (InspSession *self);

void insp_session_close (InspSession *self);

G_END_DECLS
