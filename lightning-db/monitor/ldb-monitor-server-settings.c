/* SPDX-License-Identifier: MIT */
/* What a server goes by; it holds from the next start on. */
#include "ldb-monitor-server-private.h"

/* Every setter ends here. */
static void
notify (LdbMonitorServer *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), ldb_monitor_server_properties[property]);
}

static void
set_text (LdbMonitorServer *self, char **place, const char *text, guint property)
{
  if (g_strcmp0 (*place, text) == 0)
    return;
  g_free (*place);
  *place = g_strdup (text);
  notify (self, property);
}

static void
set_number (LdbMonitorServer *self, guint *place, guint number, guint property)
{
  if (*place == number)
    return;
  *place = number;
  notify (self, property);
}

/**
 * ldb_monitor_server_get_database: (get-property database)
 * @self: a server
 *
 * Gets the database that it shows.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_monitor_server_get_database (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return self->database;
}

/**
 * ldb_monitor_server_get_socket_path: (get-property socket-path)
 * @self: a server
 *
 * Gets the Unix socket that it listens on.
 *
 * Returns: (transfer none) (nullable) (type filename): its path, or %NULL for TCP
 *
 * Since: 0.1
 */
const char *
ldb_monitor_server_get_socket_path (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return self->socket_path;
}

/**
 * ldb_monitor_server_set_socket_path: (set-property socket-path)
 * @self: a server
 * @socket_path: (nullable) (type filename): an absolute path of at most 107 bytes, or %NULL for TCP
 *
 * Sets the Unix socket that it listens on.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_socket_path (LdbMonitorServer *self, const char *socket_path)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  set_text (self, &self->socket_path, socket_path, PROP_SOCKET_PATH);
}

/**
 * ldb_monitor_server_get_address: (get-property address)
 * @self: a server
 *
 * Gets the address of the interface that it listens on.
 *
 * Returns: (transfer none): the numeric address
 *
 * Since: 0.1
 */
const char *
ldb_monitor_server_get_address (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return self->address;
}

/**
 * ldb_monitor_server_set_address: (set-property address)
 * @self: a server
 * @address: a numeric address
 *
 * Sets the address of the interface that it listens on.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_address (LdbMonitorServer *self, const char *address)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (address != NULL);
  set_text (self, &self->address, address, PROP_ADDRESS);
}

/**
 * ldb_monitor_server_get_metrics_port: (get-property metrics-port)
 * @self: a server
 *
 * Gets the port for `/metrics`.
 *
 * Returns: the port; 0 for a free one, -1 for none
 *
 * Since: 0.1
 */
int
ldb_monitor_server_get_metrics_port (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), -1);
  return self->metrics_port;
}

/**
 * ldb_monitor_server_set_metrics_port: (set-property metrics-port)
 * @self: a server
 * @metrics_port: a port; 0 for a free one, -1 for none
 *
 * Sets the port for `/metrics`. The environment variable `LIGHTNING_DB_METRICS_PORT` counts only where
 * this is not called.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_metrics_port (LdbMonitorServer *self, int metrics_port)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (metrics_port >= -1 && metrics_port <= G_MAXUINT16);
  self->metrics_port_is_set = TRUE;
  if (self->metrics_port == metrics_port)
    return;
  self->metrics_port = metrics_port;
  notify (self, PROP_METRICS_PORT);
}

/**
 * ldb_monitor_server_get_port: (get-property port)
 * @self: a server
 *
 * Gets the port for everything but `/metrics`.
 *
 * Returns: the port; 0 for a free one, -1 for none
 *
 * Since: 0.1
 */
int
ldb_monitor_server_get_port (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), -1);
  return self->port;
}

/**
 * ldb_monitor_server_set_port: (set-property port)
 * @self: a server
 * @port: a port; 0 for a free one, -1 for none
 *
 * Sets the port for everything but `/metrics`. When it is the same as
 * [property@LdbMonitor.Server:metrics-port], and not 0, one port answers everything.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_port (LdbMonitorServer *self, int port)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (port >= -1 && port <= G_MAXUINT16);
  if (self->port == port)
    return;
  self->port = port;
  notify (self, PROP_PORT);
}

/**
 * ldb_monitor_server_get_tls_certificate: (get-property tls-certificate)
 * @self: a server
 *
 * Gets its certificate.
 *
 * Returns: (transfer none) (nullable): the certificate, or %NULL for plain HTTP
 *
 * Since: 0.1
 */
GTlsCertificate *
ldb_monitor_server_get_tls_certificate (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return self->certificate;
}

/**
 * ldb_monitor_server_set_tls_certificate: (set-property tls-certificate)
 * @self: a server
 * @certificate: (nullable): a certificate with its private key, or %NULL for plain HTTP
 *
 * Sets its certificate; [method@LdbMonitor.Server.load_tls] reads it from files. A Unix socket
 * has no TLS.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_tls_certificate (LdbMonitorServer *self, GTlsCertificate *certificate)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  if (g_set_object (&self->certificate, certificate))
    notify (self, PROP_TLS_CERTIFICATE);
}

/**
 * ldb_monitor_server_get_tls_database: (get-property tls-database)
 * @self: a server
 *
 * Gets the authorities that sign clients' certificates.
 *
 * Returns: (transfer none) (nullable): the authorities, or %NULL when clients need no certificate
 *
 * Since: 0.1
 */
GTlsDatabase *
ldb_monitor_server_get_tls_database (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return self->authorities;
}

/**
 * ldb_monitor_server_set_tls_database: (set-property tls-database)
 * @self: a server
 * @database: (nullable): the authorities, or %NULL when clients need no certificate
 *
 * Sets the authorities that sign clients' certificates.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_tls_database (LdbMonitorServer *self, GTlsDatabase *database)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  if (g_set_object (&self->authorities, database))
    notify (self, PROP_TLS_DATABASE);
}

/**
 * ldb_monitor_server_get_allowed_hosts: (get-property allowed-hosts)
 * @self: a server
 *
 * Gets the names that clients may know it by.
 *
 * Returns: (transfer none) (array zero-terminated=1): the names, in lower case
 *
 * Since: 0.1
 */
const char *const *
ldb_monitor_server_get_allowed_hosts (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  return (const char *const *) self->allowed_hosts;
}

/**
 * ldb_monitor_server_set_allowed_hosts: (set-property allowed-hosts)
 * @self: a server
 * @allowed_hosts: (nullable) (array zero-terminated=1): names, without ports
 *
 * Sets the names that clients may know it by, beside `localhost` and its addresses: what the field Host
 * of a request may say. A page in a browser, whose author gave a name of his to our address,
 * gets no answer so.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_allowed_hosts (LdbMonitorServer *self, const char *const *allowed_hosts)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  for (gsize i = 0; allowed_hosts != NULL && allowed_hosts[i] != NULL; i++)
    {
      g_autofree char *name = g_ascii_strdown (allowed_hosts[i], -1);
      g_strv_builder_add (names, name);
    }
  g_auto (GStrv) made = g_strv_builder_end (names);
  if (g_strv_equal ((const char *const *) made, (const char *const *) self->allowed_hosts))
    return;
  g_strfreev (self->allowed_hosts);
  self->allowed_hosts = g_steal_pointer (&made);
  notify (self, PROP_ALLOWED_HOSTS);
}

/**
 * ldb_monitor_server_get_max_connections: (get-property max-connections)
 * @self: a server
 *
 * Gets how many clients may be connected at once.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
ldb_monitor_server_get_max_connections (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), 0);
  return self->max_connections;
}

/**
 * ldb_monitor_server_set_max_connections: (set-property max-connections)
 * @self: a server
 * @max_connections: a number, at least 1
 *
 * Sets how many clients may be connected at once.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_max_connections (LdbMonitorServer *self, guint max_connections)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (max_connections >= 1 && max_connections <= 100000);
  set_number (self, &self->max_connections, max_connections, PROP_MAX_CONNECTIONS);
}

/**
 * ldb_monitor_server_get_max_requests_per_second: (get-property max-requests-per-second)
 * @self: a server
 *
 * Gets how many requests of all clients are answered in a second.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
ldb_monitor_server_get_max_requests_per_second (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), 0);
  return self->max_requests;
}

/**
 * ldb_monitor_server_set_max_requests_per_second: (set-property max-requests-per-second)
 * @self: a server
 * @max_requests_per_second: a number, at least 1
 *
 * Sets how many requests of all clients are answered in a second: of one at most half as many.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_max_requests_per_second (LdbMonitorServer *self,
                                                guint max_requests_per_second)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (max_requests_per_second >= 1 && max_requests_per_second <= 100000);
  set_number (self, &self->max_requests, max_requests_per_second, PROP_MAX_REQUESTS_PER_SECOND);
}

/**
 * ldb_monitor_server_get_request_timeout: (get-property request-timeout)
 * @self: a server
 *
 * Gets how long a client has for a request and its answer.
 *
 * Returns: the seconds
 *
 * Since: 0.1
 */
guint
ldb_monitor_server_get_request_timeout (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), 0);
  return self->request_timeout;
}

/**
 * ldb_monitor_server_set_request_timeout: (set-property request-timeout)
 * @self: a server
 * @request_timeout: seconds, 1 to 300
 *
 * Sets how long a client has, from when it connects, for a request and its answer.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_set_request_timeout (LdbMonitorServer *self, guint request_timeout)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  g_return_if_fail (request_timeout >= 1 && request_timeout <= 300);
  set_number (self, &self->request_timeout, request_timeout, PROP_REQUEST_TIMEOUT);
}
