/* SPDX-License-Identifier: MIT */
/*
 * gate: who may ask. Each request passes it, or is refused for the first reason that holds, before
 * anything is said about the database.
 *
 * Threads: no state; any thread.
 */
#pragma once

#include <libsoup/soup.h>

#include "ldb-monitor-settings-private.h"

/* Why a connection or request was refused; the name is the label in /metrics. */
typedef enum
{
  MONITOR_REFUSED_CONNECTIONS, /* there are too many at once */
  MONITOR_REFUSED_RATE,        /* too many requests a second */
  MONITOR_REFUSED_HANDSHAKE,   /* TLS: none, or no certificate that we trust */
  MONITOR_REFUSED_TIMEOUT,     /* it was not read, or its answer not taken, in time */
  MONITOR_REFUSED_HEADER,      /* more bytes than a request may have */
  MONITOR_REFUSED_MALFORMED,   /* it is not HTTP/1 */
  MONITOR_REFUSED_BODY,        /* it has a body */
  MONITOR_REFUSED_METHOD,      /* neither GET nor HEAD */
  MONITOR_REFUSED_HOST,        /* it was meant for another host, or does not say for which */
  MONITOR_REFUSED_ORIGIN,      /* a web page makes it */
  MONITOR_REFUSED_TOKEN,       /* none, or the wrong one */
  MONITOR_REFUSED_PATH,        /* there is nothing of that name */
  MONITOR_N_REFUSALS,
  MONITOR_ADMITTED = MONITOR_N_REFUSALS,
} MonitorVerdict;

const char *monitor_verdict_name (MonitorVerdict verdict);
/* The HTTP status that tells it. */
guint monitor_verdict_status (MonitorVerdict verdict);

/* `local` is the address that the client connected to, as text, or NULL. `host` is the value of the
 * field: a name or address, and perhaps a port. */
gboolean monitor_gate_admits_host (const MonitorSettings *settings, const char *local,
                                   const char *host);
/* The value of the field Authorization, or NULL. Takes as long for each wrong token of a length. */
gboolean monitor_gate_admits_token (const MonitorSettings *settings, const char *authorization);
/* Whether something is to follow the fields, or says so wrongly. */
gboolean monitor_gate_sees_body (SoupMessageHeaders *headers);
/* All but the path. `uri` may be NULL. */
MonitorVerdict monitor_gate_check (const MonitorSettings *settings, const char *local,
                                   const char *method, GUri *uri, SoupMessageHeaders *headers);
/* What is kept of a token. */
char *monitor_gate_digest (const char *token, gsize length);
