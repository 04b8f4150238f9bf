/* SPDX-License-Identifier: MIT */
/*
 * Events in the log. Each goes there once, whatever the number of handles: in the main context of a
 * handle when that is run, and at the latest when one is opened or closed, on that thread.
 */
#pragma once

#include "ldb-database-private.h"
#include "ldb-event-relay-private.h"

G_BEGIN_DECLS

/* Whether an event of that kind is to go to the log. Any thread. */
gboolean ldb_event_log_wants (LdbEventKind kind);
/* Writes those of the engine that were not written yet, as of that database; L1 of ldb-log-private.h. */
void ldb_event_log_write (LdbEventRelay *relay, LdbDatabase *database);

G_END_DECLS
