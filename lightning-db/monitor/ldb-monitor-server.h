/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_MONITOR_INSIDE) && !defined(LDB_MONITOR_COMPILATION)
#error "Only <lightning-db-monitor.h> can be included directly."
#endif

#include <lightning-db.h>

/* Every public symbol carries one of these; all else is hidden. */
#ifdef LDB_MONITOR_COMPILATION
#define LDB_MONITOR_AVAILABLE_IN_ALL __attribute__ ((visibility ("default"))) extern
#else
#define LDB_MONITOR_AVAILABLE_IN_ALL extern
#endif

G_BEGIN_DECLS

#define LDB_MONITOR_TYPE_SERVER (ldb_monitor_server_get_type ())
LDB_MONITOR_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbMonitorServer, ldb_monitor_server, LDB_MONITOR, SERVER, GObject)

LDB_MONITOR_AVAILABLE_IN_ALL
LdbMonitorServer *ldb_monitor_server_new (LdbDatabase *database);
LDB_MONITOR_AVAILABLE_IN_ALL
gboolean ldb_monitor_server_start (LdbMonitorServer *self, GError **error);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_stop (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
gboolean ldb_monitor_server_get_running (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
char **ldb_monitor_server_list_uris (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
LdbDatabase *ldb_monitor_server_get_database (LdbMonitorServer *self);

/* Settings. They hold from the next start on. */
LDB_MONITOR_AVAILABLE_IN_ALL
const char *ldb_monitor_server_get_socket_path (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_socket_path (LdbMonitorServer *self, const char *socket_path);
LDB_MONITOR_AVAILABLE_IN_ALL
const char *ldb_monitor_server_get_address (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_address (LdbMonitorServer *self, const char *address);
LDB_MONITOR_AVAILABLE_IN_ALL
int ldb_monitor_server_get_metrics_port (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_metrics_port (LdbMonitorServer *self, int metrics_port);
LDB_MONITOR_AVAILABLE_IN_ALL
int ldb_monitor_server_get_port (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_port (LdbMonitorServer *self, int port);
LDB_MONITOR_AVAILABLE_IN_ALL
gboolean ldb_monitor_server_set_token (LdbMonitorServer *self, const char *token, GError **error);
LDB_MONITOR_AVAILABLE_IN_ALL
gboolean ldb_monitor_server_load_token (LdbMonitorServer *self, const char *path, GError **error);
LDB_MONITOR_AVAILABLE_IN_ALL
GTlsCertificate *ldb_monitor_server_get_tls_certificate (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_tls_certificate (LdbMonitorServer *self, GTlsCertificate *certificate);
LDB_MONITOR_AVAILABLE_IN_ALL
GTlsDatabase *ldb_monitor_server_get_tls_database (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_tls_database (LdbMonitorServer *self, GTlsDatabase *database);
LDB_MONITOR_AVAILABLE_IN_ALL
gboolean ldb_monitor_server_load_tls (LdbMonitorServer *self, const char *certificate_path,
                                      const char *key_path, const char *ca_path, GError **error);
LDB_MONITOR_AVAILABLE_IN_ALL
const char *const *ldb_monitor_server_get_allowed_hosts (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_allowed_hosts (LdbMonitorServer *self,
                                           const char *const *allowed_hosts);
LDB_MONITOR_AVAILABLE_IN_ALL
guint ldb_monitor_server_get_max_connections (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_max_connections (LdbMonitorServer *self, guint max_connections);
LDB_MONITOR_AVAILABLE_IN_ALL
guint ldb_monitor_server_get_max_requests_per_second (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_max_requests_per_second (LdbMonitorServer *self,
                                                     guint max_requests_per_second);
LDB_MONITOR_AVAILABLE_IN_ALL
guint ldb_monitor_server_get_request_timeout (LdbMonitorServer *self);
LDB_MONITOR_AVAILABLE_IN_ALL
void ldb_monitor_server_set_request_timeout (LdbMonitorServer *self, guint request_timeout);

/* What /metrics answers, for applications with an HTTP server of their own. */
LDB_MONITOR_AVAILABLE_IN_ALL
char *ldb_monitor_format_metrics (LdbDatabase *database);

G_END_DECLS
