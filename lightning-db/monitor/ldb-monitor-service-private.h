/* SPDX-License-Identifier: MIT */
/*
 * service: a monitor that runs: its thread with its main context, the sockets it listens on, and the
 * connections that it has accepted.
 *
 * Invariants
 *   1. What a request costs is spent on the service's thread: the application's main loop is not
 *      involved, but for the lines of the log.
 *   2. Once monitor_service_stop has returned nothing listens, no connection is open but those in the
 *      middle of a handshake, and the database is not touched any more.
 *   3. Nothing runs while no client is connected: no timer, no wake-up.
 *
 * Threads: start and stop on the application's, one at a time; the rest on the service's.
 */
#pragma once

#include "ldb-monitor-gate-private.h"
#include "ldb-log-private.h"

typedef struct _MonitorConnection MonitorConnection;
typedef struct _MonitorService MonitorService;

/* A socket that listens. */
typedef struct
{
  GSocket *socket;            /* owned */
  MonitorEndpoints endpoints; /* what it answers */
  gboolean is_unix;           /* a Unix socket: never TLS */
  GSource *source;            /* that accepts; a reference; NULL: not now */
} MonitorPort;

void monitor_port_free (MonitorPort *port);

/* Takes the settings and the ports (an array of MonitorPort), also when it fails. */
MonitorService *monitor_service_start (MonitorSettings *settings, GPtrArray *ports, GError **error);
void monitor_service_stop (MonitorService *self);

/* ---- for the service's own parts, on its thread ---- */

const MonitorSettings *monitor_service_get_settings (MonitorService *self);
LdbLogQueue *monitor_service_get_log (MonitorService *self);
GMainContext *monitor_service_get_context (MonitorService *self);
SoupServer *monitor_service_get_soup (MonitorService *self);
/* FALSE: there are too many connections, and all have said what they want; else the one that has been
 * silent for the longest makes way. */
gboolean monitor_service_add (MonitorService *self, MonitorConnection *connection);
void monitor_service_remove (MonitorService *self, MonitorConnection *connection);
/* It has said what it wants, and need not make way any more. */
void monitor_service_note_busy (MonitorService *self, MonitorConnection *connection);
/* FALSE: there were too many requests in the last second, of this client or of all. */
gboolean monitor_service_take_turn (MonitorService *self, GSocket *socket);
void monitor_service_count_refusal (MonitorService *self, MonitorVerdict verdict);
void monitor_service_count_answer (MonitorService *self);
struct _MonitorHealth *monitor_service_get_health (MonitorService *self);
struct _MonitorStreams *monitor_service_get_streams (MonitorService *self);
/* What the monitor counts of itself, for /metrics. */
void monitor_service_append_metrics (MonitorService *self, GString *out);

/* Begins a handshake, now or when one of those under way has ended. */
void monitor_handshakes_add (MonitorService *self, MonitorConnection *connection);
void monitor_handshakes_remove (MonitorService *self, MonitorConnection *connection);
/* One has ended, well or not. */
void monitor_handshakes_done (MonitorService *self);

/* request.c: has libsoup answer. */
void monitor_requests_serve (SoupServer *soup);
