/* SPDX-License-Identifier: MIT */
/*
 * settings: what a running monitor goes by: a copy of the server's properties that nobody changes
 * while the monitor runs, so that its thread reads it without a lock.
 */
#pragma once

#include <gio/gio.h>
#include <lightning-db.h>

/* Which paths a listening socket answers. */
typedef enum
{
  MONITOR_METRICS = 1 << 0, /* /metrics */
  MONITOR_STATE = 1 << 1,   /* /health, /ready, /stats.json, /events */
} MonitorEndpoints;

typedef struct
{
  LdbDatabase *database;        /* owned */
  char *token_digest;           /* SHA-256 in hex, or NULL: no token is asked for; owned */
  GTlsCertificate *certificate; /* NULL: no TLS; owned */
  GTlsDatabase *authorities;    /* who signs clients' certificates, or NULL; owned */
  char **allowed_hosts;         /* beside the loopback names, in lower case; owned */
  guint max_connections;        /* at once */
  guint max_requests;           /* a second, of all clients; half as many of one */
  guint request_timeout;        /* from accepting to the end of the answer, in seconds */
} MonitorSettings;

static inline void
monitor_settings_clear (MonitorSettings *settings)
{
  g_clear_object (&settings->database);
  g_clear_pointer (&settings->token_digest, g_free);
  g_clear_object (&settings->certificate);
  g_clear_object (&settings->authorities);
  g_clear_pointer (&settings->allowed_hosts, g_strfreev);
}
