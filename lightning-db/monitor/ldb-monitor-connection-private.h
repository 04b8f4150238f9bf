/* SPDX-License-Identifier: MIT */
/*
 * connection: one client, from accepting to closing: one request, one answer, which may be one that
 * goes on (/events).
 *
 * A connection is in the service's table from when it was accepted until it is closed. It is closed once,
 * by whoever is first: libsoup when the answer is written, the deadline, a failed handshake, the
 * service's end. A request has REQUEST_MAX bytes at most, and until its deadline.
 *
 * TLS handshakes run on threads of GTask's pool, whether we want it or not, and block there. So
 * that clients who begin one and fall silent can't keep the application's own tasks from running, a
 * handshake begins when the client's first bytes are there, and HANDSHAKES_AT_ONCE of them run at
 * once; the others wait, within their deadlines.
 *
 * Threads: the monitor's thread.
 */
#pragma once

#include "ldb-monitor-service-private.h"

/* Takes the socket. */
void monitor_connection_new (MonitorService *service, const MonitorPort *port, GSocket *socket);
/* Closes it, whatever it was doing. */
void monitor_connection_close (MonitorConnection *self);
/* One that monitor_handshakes_add has queued may begin. */
void monitor_connection_shake_hands (MonitorConnection *self);

/* Closes it in favour of another one, as it has not said what it wants. */
void monitor_connection_make_way (MonitorConnection *self);
gboolean monitor_connection_is_leaving (MonitorConnection *self);
/* Its place in the service's queue. */
GList *monitor_connection_get_link (MonitorConnection *self);

MonitorConnection *monitor_connection_ref (MonitorConnection *self);
void monitor_connection_unref (MonitorConnection *self);

MonitorService *monitor_connection_get_service (MonitorConnection *self);
MonitorEndpoints monitor_connection_get_endpoints (MonitorConnection *self);
/* The address that the client connected to, as text; NULL for a Unix socket. */
const char *monitor_connection_get_local (MonitorConnection *self);
/* Its request comes when there were too many others this second. */
gboolean monitor_connection_is_too_soon (MonitorConnection *self);

/* Counts and logs. `what` is shown, and may be NULL. */
void monitor_connection_note_refusal (MonitorConnection *self, MonitorVerdict verdict,
                                      const char *what);
/* Writes the status of HTTP at once, without what libsoup would wait for, and hears no more. */
void monitor_connection_cut_off (MonitorConnection *self, guint status);
/* It has no deadline any more; `left` is called, once, when the client goes, or says more. */
void monitor_connection_stay (MonitorConnection *self, void (*left) (gpointer data), gpointer data);
/* Ends it from within: libsoup's side sees the end, and closes. */
void monitor_connection_hang_up (MonitorConnection *self);
/* The connection of a message of libsoup's. */
MonitorConnection *monitor_connection_of (SoupServerMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorConnection, monitor_connection_unref)
