/* SPDX-License-Identifier: MIT */
/*
 * events: /events: what happens to the database, as server-sent events, for as long as the client
 * stays. A client that comes back says which event it knows (Last-Event-ID), and gets those after it
 * that are kept.
 *
 * Invariants
 *   1. STREAMS_MAX clients follow at once; further ones are refused.
 *   2. At most WAITING_MAX bytes wait for a client. Beyond that events are left out for it, which their
 *      numbers show; who takes nothing from one sign of life to the next is dropped.
 *   3. No event is told with a key, nor with words of the system's or the disk's, which name paths.
 *
 * Threads: the monitor's thread.
 */
#pragma once

#include "ldb-monitor-connection-private.h"

typedef struct _MonitorStreams MonitorStreams;

MonitorStreams *monitor_streams_new (MonitorService *service);
/* FALSE: there are too many, or the database was closed. */
gboolean monitor_streams_add (MonitorStreams *self, MonitorConnection *connection,
                              SoupServerMessage *message);
guint monitor_streams_count (MonitorStreams *self);
/* The database is not followed any more; connections are the service's to close. */
void monitor_streams_free (MonitorStreams *self);
