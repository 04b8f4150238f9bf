/* SPDX-License-Identifier: MIT */
/* server: its inside, for its two files. Threads: as LdbMonitorServer says. */
#pragma once

#include "ldb-monitor-server.h"
#include "ldb-monitor-service-private.h"

struct _LdbMonitorServer
{
  GObject parent_instance;

  LdbDatabase *database;        /* owned; NULL when it was made by its type alone */
  char *socket_path;            /* or NULL; owned */
  char *address;                /* numeric; owned */
  int metrics_port;             /* -1: not served */
  int port;                     /* -1: not served */
  gboolean metrics_port_is_set; /* by the application, so the environment doesn't matter */
  char *token_digest;           /* see monitor_gate_digest; or NULL; owned */
  GTlsCertificate *certificate; /* or NULL; owned */
  GTlsDatabase *authorities;    /* or NULL; owned */
  char **allowed_hosts;         /* owned */
  guint max_connections;        /* at once */
  guint max_requests;           /* a second */
  guint request_timeout;        /* in seconds */

  MonitorService *service; /* while it runs; owned */
  GPtrArray *uris;         /* where it listens, while it runs; owned */
  char *bound_path;        /* of the Unix socket, while it runs; owned */
  guint64 identity[2];     /* of the Unix socket's file */
  pid_t process;           /* that started it */
};

enum
{
  PROP_DATABASE = 1,
  PROP_RUNNING,
  PROP_SOCKET_PATH,
  PROP_ADDRESS,
  PROP_METRICS_PORT,
  PROP_PORT,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_DATABASE,
  PROP_ALLOWED_HOSTS,
  PROP_MAX_CONNECTIONS,
  PROP_MAX_REQUESTS_PER_SECOND,
  PROP_REQUEST_TIMEOUT,
  N_PROPERTIES,
};

extern GParamSpec *ldb_monitor_server_properties[N_PROPERTIES];
