/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-server-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldb-log-private.h"
#include "ldb-monitor-port-private.h"

#define DEFAULT_ADDRESS "127.0.0.1"
#define DEFAULT_METRICS_PORT 9090
#define DEFAULT_PORT 8080
#define DEFAULT_MAX_CONNECTIONS 1000
#define DEFAULT_MAX_REQUESTS 100
#define DEFAULT_TIMEOUT 10
#define TOKEN_MIN 16  /* characters */
#define TOKEN_MAX 512 /* characters */

/**
 * LdbMonitorServer:
 *
 * Shows an open database to Prometheus, to whatever watches over services, and to people with a
 * browser or curl, over HTTP.
 *
 * ```c
 * g_autoptr(LdbMonitorServer) server = ldb_monitor_server_new (db);
 * if (!ldb_monitor_server_start (server, &error))
 *   g_warning ("%s", error->message);
 * ```
 *
 * | path | answer |
 * |---|---|
 * | `/metrics` | metrics in the Prometheus text format, on [property@LdbMonitor.Server:metrics-port] |
 * | `/health` | JSON: what [method@Ldb.Database.examine_health] finds; status 200, or 503 when it is critical or the database closed |
 * | `/ready` | JSON; status 200 while the database is open and does what it is there for, else 503 |
 * | `/stats.json` | JSON with everything that [struct@Ldb.Stats] has |
 * | `/events` | server-sent events: what happens, for as long as the client stays |
 *
 * Nothing listens before [method@LdbMonitor.Server.start]. Then it listens on a Unix socket
 * that only this user can connect to, if [property@LdbMonitor.Server:socket-path] is set, and
 * otherwise on the loopback interface. It listens beyond that only with TLS
 * ([method@LdbMonitor.Server.load_tls]) and a token ([method@LdbMonitor.Server.set_token]), and
 * fails to start without them. It only tells; nothing can be changed through it, and no key, value or
 * path of the database is told.
 *
 * Requests are answered on a thread of its own, which runs only while there are any; the
 * application's main loop is not held up. What is refused is counted, and logged in the main context
 * that was the thread's default when it was started, not often, with the log domain `LdbMonitor`.
 * Settings hold from the next start on.
 *
 * A server keeps its database from being freed, not from being closed: once it is closed `/health` and
 * `/ready` say so, until [method@LdbMonitor.Server.stop].
 *
 * Threads: one at a time; in the child of a fork only its last reference may be dropped. The
 * last unref stops it.
 *
 * Since: 0.1
 */

G_DEFINE_FINAL_TYPE (LdbMonitorServer, ldb_monitor_server, G_TYPE_OBJECT)

GParamSpec *ldb_monitor_server_properties[N_PROPERTIES];

/* ---- starting ---- */

static gboolean
set_error (GError **error, const char *message)
{
  g_set_error_literal (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* LIGHTNING_DB_METRICS_PORT, where the application has not set another one. */
static gboolean
get_metrics_port (LdbMonitorServer *self, int *port, GError **error)
{
  const char *text = g_getenv ("LIGHTNING_DB_METRICS_PORT");
  gint64 number;
  *port = self->metrics_port;
  if (self->metrics_port_is_set || text == NULL)
    return TRUE;
  if (!g_ascii_string_to_signed (text, 10, 0, G_MAXUINT16, &number, NULL))
    return set_error (error,
                      "LIGHTNING_DB_METRICS_PORT is no port; it is a number up to 65535, and "
                      "9090 when it is unset.");
  *port = (int) number;
  return TRUE;
}

/* What may listen where. */
static gboolean
check_reach (LdbMonitorServer *self, GInetAddress *address, GError **error)
{
  if (g_inet_address_get_is_loopback (address))
    return TRUE;
  if (self->certificate == NULL)
    return set_error (error,
                      "Beyond the loopback interface the monitor listens only with TLS and a "
                      "token; it has no certificate.");
  if (self->token_digest == NULL)
    return set_error (error,
                      "Beyond the loopback interface the monitor listens only with TLS and a "
                      "token; it has no token.");
  return TRUE;
}

static gboolean
listen_on (LdbMonitorServer *self, GPtrArray *ports, GInetAddress *address, int number,
           MonitorEndpoints endpoints, GError **error)
{
  if (number < 0)
    return TRUE;
  MonitorPort *port = monitor_port_listen (address, (guint16) number, endpoints, error);
  if (port == NULL)
    return FALSE;
  g_ptr_array_add (ports, port);
  g_autofree char *text = g_inet_address_to_string (address);
  gboolean is_ipv6 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  g_ptr_array_add (self->uris,
                   g_strdup_printf ("%s://%s%s%s:%u", self->certificate != NULL ? "https" : "http",
                                    is_ipv6 ? "[" : "", text, is_ipv6 ? "]" : "",
                                    monitor_port_number (port)));
  return TRUE;
}

static gboolean
listen_tcp (LdbMonitorServer *self, GPtrArray *ports, GError **error)
{
  int metrics_port;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (self->address);
  if (address == NULL)
    return set_error (error, "The monitor's address is no numeric IP address, such as 127.0.0.1.");
  if (!get_metrics_port (self, &metrics_port, error) || !check_reach (self, address, error))
    return FALSE;
  if (metrics_port < 0 && self->port < 0)
    return set_error (error, "The monitor has no port to listen on: both are -1.");
  if (metrics_port == self->port && metrics_port > 0)
    return listen_on (self, ports, address, metrics_port, MONITOR_METRICS | MONITOR_STATE, error);
  return listen_on (self, ports, address, metrics_port, MONITOR_METRICS, error)
         && listen_on (self, ports, address, self->port, MONITOR_STATE, error);
}

static gboolean
listen_unix (LdbMonitorServer *self, GPtrArray *ports, GError **error)
{
  MonitorPort *port = monitor_port_listen_unix (self->socket_path, self->identity, error);
  if (port == NULL)
    return FALSE;
  g_ptr_array_add (ports, port);
  g_ptr_array_add (self->uris, g_strconcat ("unix:", self->socket_path, NULL));
  self->bound_path = g_strdup (self->socket_path);
  return TRUE;
}

static MonitorSettings
get_settings (LdbMonitorServer *self)
{
  MonitorSettings settings = {
    .database = g_object_ref (self->database),
    .token_digest = g_strdup (self->token_digest),
    .certificate = self->certificate != NULL ? g_object_ref (self->certificate) : NULL,
    .authorities = self->authorities != NULL ? g_object_ref (self->authorities) : NULL,
    .allowed_hosts = g_strdupv (self->allowed_hosts),
    .max_connections = self->max_connections,
    .max_requests = self->max_requests,
    .request_timeout = self->request_timeout,
  };
  return settings;
}

static void
forget_place (LdbMonitorServer *self)
{
  if (self->bound_path != NULL && self->process == getpid ())
    monitor_port_remove (self->bound_path, self->identity);
  g_clear_pointer (&self->bound_path, g_free);
  g_ptr_array_set_size (self->uris, 0);
}

static void
log_start (LdbMonitorServer *self)
{
  LdbLogLine *line = ldb_log_line_new (LDB_LOG_MONITOR_STARTED);
  ldb_log_line_say (line, "The monitor listens at");
  for (guint i = 0; i < self->uris->len; i++)
    {
      const char *uri = g_ptr_array_index (self->uris, i);
      ldb_log_line_set (line, "LDB_PLACE", "%s", uri);
      ldb_log_line_say (line, "%s %s", i > 0 ? "," : "", uri);
    }
  ldb_log_line_write (line);
}

/**
 * ldb_monitor_server_start:
 * @self: a server
 * @error: return location for an error
 *
 * Begins to listen, on the socket or address and ports that the properties say.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when a setting is wrong, or when it would listen beyond
 * the loopback interface without TLS and a token; with %LDB_ERROR_EXISTS when it runs already; with a
 * code of [error@Gio.IOErrorEnum] when the system refuses, for instance a port that is taken. Waits for nothing.
 *
 * Returns: whether it listens
 *
 * Since: 0.1
 */
gboolean
ldb_monitor_server_start (LdbMonitorServer *self, GError **error)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), FALSE);
  if (self->database == NULL)
    return set_error (error, "The monitor has no database.");
  if (self->service != NULL)
    {
      g_set_error_literal (error, LDB_ERROR, LDB_ERROR_EXISTS,
                           "The monitor runs already; stop it first.");
      return FALSE;
    }
  GPtrArray *ports = g_ptr_array_new_with_free_func ((GDestroyNotify) monitor_port_free);
  self->process = getpid ();
  if (!(self->socket_path != NULL ? listen_unix (self, ports, error)
                                  : listen_tcp (self, ports, error)))
    {
      g_ptr_array_unref (ports);
      forget_place (self);
      return FALSE;
    }
  MonitorSettings settings = get_settings (self);
  self->service = monitor_service_start (&settings, ports, error);
  if (self->service == NULL)
    {
      forget_place (self);
      return FALSE;
    }
  log_start (self);
  g_object_notify_by_pspec (G_OBJECT (self), ldb_monitor_server_properties[PROP_RUNNING]);
  return TRUE;
}

/**
 * ldb_monitor_server_stop:
 * @self: a server
 *
 * Ends it: its sockets and all connections are closed, and the database is not used any more. It can be
 * started again.
 *
 * Waits for the request that is being answered, and for no client. Does nothing when it does not run.
 *
 * Since: 0.1
 */
void
ldb_monitor_server_stop (LdbMonitorServer *self)
{
  g_return_if_fail (LDB_MONITOR_IS_SERVER (self));
  if (self->service == NULL)
    return;
  /* The child of a fork has no such thread; what it inherited ends with it. */
  if (self->process == getpid ())
    monitor_service_stop (self->service);
  self->service = NULL;
  forget_place (self);
  g_object_notify_by_pspec (G_OBJECT (self), ldb_monitor_server_properties[PROP_RUNNING]);
}

/**
 * ldb_monitor_server_get_running: (get-property running)
 * @self: a server
 *
 * Gets whether it listens.
 *
 * Returns: whether it does
 *
 * Since: 0.1
 */
gboolean
ldb_monitor_server_get_running (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), FALSE);
  return self->service != NULL;
}

/**
 * ldb_monitor_server_list_uris:
 * @self: a server
 *
 * Gets where it listens: `http://127.0.0.1:9090` for metrics and `http://127.0.0.1:8080` for the rest,
 * in that order, one of them when both are one, or `unix:/path/of/the.socket`. A port that the system
 * chose is told here.
 *
 * Returns: (transfer full) (array zero-terminated=1): the addresses; none while it does not run
 *
 * Since: 0.1
 */
char **
ldb_monitor_server_list_uris (LdbMonitorServer *self)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), NULL);
  char **uris = g_new0 (char *, self->uris->len + 1);
  for (guint i = 0; i < self->uris->len; i++)
    uris[i] = g_strdup (self->uris->pdata[i]);
  return uris;
}

/* ---- the token ---- */

/**
 * ldb_monitor_server_set_token:
 * @self: a server
 * @token: (nullable): the token, or %NULL for none
 * @error: return location for an error
 *
 * Sets what a client has to send: `Authorization: Bearer` and the token, whatever it asks for and on a
 * Unix socket as well.
 *
 * It has 16 to 512 characters of printable ASCII without spaces; a random one, as
 * `openssl rand -hex 32` makes it, cannot be guessed. Only a digest of it is kept. Fails with
 * %LDB_ERROR_INVALID_ARGUMENT.
 *
 * Returns: whether it was taken
 *
 * Since: 0.1
 */
gboolean
ldb_monitor_server_set_token (LdbMonitorServer *self, const char *token, GError **error)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), FALSE);
  gsize length = token != NULL ? strlen (token) : 0;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (token[i]))
      return set_error (error, "A token has only printable ASCII characters, and no spaces.");
  if (token != NULL && (length < TOKEN_MIN || length > TOKEN_MAX))
    return set_error (error,
                      "A token has 16 to 512 characters; make one with: openssl rand -hex 32");
  g_free (self->token_digest);
  self->token_digest = token != NULL ? monitor_gate_digest (token, length) : NULL;
  return TRUE;
}

/* Bytes of a file that only its owner can read. */
static char *
read_secret (const char *path, GError **error)
{
  struct stat there;
  char text[TOKEN_MAX + 2];
  int file = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  gssize length = file >= 0 && fstat (file, &there) == 0 ? read (file, text, sizeof text) : -1;
  int code = errno;
  if (file >= 0)
    close (file);
  if (length < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "The token file “%s”: %s", path,
                 g_strerror (code));
  else if (!S_ISREG (there.st_mode))
    g_set_error (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT, "“%s” is no regular file.", path);
  else if ((there.st_mode & 077) != 0)
    g_set_error (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED,
                 "Others than its owner may read the token file “%s”: chmod 600.", path);
  else
    return g_strndup (text, (gsize) length);
  return NULL;
}

/**
 * ldb_monitor_server_load_token:
 * @self: a server
 * @path: (type filename): a file
 * @error: return location for an error
 *
 * Sets the token that the first line of a file has; see [method@LdbMonitor.Server.set_token].
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED when others than its owner may read or write the file, with
 * %LDB_ERROR_INVALID_ARGUMENT when what it has is no token, and with a code of
 * [error@Gio.IOErrorEnum] when it can't be read. Reads from a disk.
 *
 * Returns: whether it was taken
 *
 * Since: 0.1
 */
gboolean
ldb_monitor_server_load_token (LdbMonitorServer *self, const char *path, GError **error)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  g_autofree char *text = read_secret (path, error);
  if (text == NULL)
    return FALSE;
  text[strcspn (text, "\r\n")] = '\0';
  return ldb_monitor_server_set_token (self, text, error);
}

/* ---- TLS ---- */

/**
 * ldb_monitor_server_load_tls:
 * @self: a server
 * @certificate_path: (type filename): a file with the server's certificate, and those behind it, in PEM
 * @key_path: (type filename): a file with its private key, in PEM
 * @ca_path: (type filename) (nullable): a file with the certificates of those who sign clients'
 *   certificates, in PEM; %NULL: clients need none
 * @error: return location for an error
 *
 * Has the server speak TLS, and, with @ca_path, only to clients with a certificate that one of those
 * authorities has signed.
 *
 * Fails with an error of GIO's when a file can't be read or is wrong. Reads from a disk.
 *
 * Returns: whether all of it was taken
 *
 * Since: 0.1
 */
gboolean
ldb_monitor_server_load_tls (LdbMonitorServer *self, const char *certificate_path,
                             const char *key_path, const char *ca_path, GError **error)
{
  g_return_val_if_fail (LDB_MONITOR_IS_SERVER (self), FALSE);
  g_return_val_if_fail (certificate_path != NULL && key_path != NULL, FALSE);
  g_autoptr (GTlsDatabase) authorities = NULL;
  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_set_error_literal (error, LDB_ERROR, LDB_ERROR_UNSUPPORTED,
                           "GLib has no TLS here: install glib-networking.");
      return FALSE;
    }
  g_autoptr (GTlsCertificate) certificate
      = g_tls_certificate_new_from_files (certificate_path, key_path, error);
  if (certificate == NULL)
    return FALSE;
  if (ca_path != NULL)
    {
      g_autofree char *absolute = g_canonicalize_filename (ca_path, NULL);
      authorities = g_tls_file_database_new (absolute, error);
      if (authorities == NULL)
        return FALSE;
    }
  ldb_monitor_server_set_tls_certificate (self, certificate);
  ldb_monitor_server_set_tls_database (self, authorities);
  return TRUE;
}

/* ---- the object ---- */

static void
ldb_monitor_server_dispose (GObject *object)
{
  LdbMonitorServer *self = LDB_MONITOR_SERVER (object);
  ldb_monitor_server_stop (self);
  g_clear_object (&self->certificate);
  g_clear_object (&self->authorities);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_monitor_server_parent_class)->dispose (object);
}

static void
ldb_monitor_server_finalize (GObject *object)
{
  LdbMonitorServer *self = LDB_MONITOR_SERVER (object);
  g_ptr_array_unref (self->uris);
  g_strfreev (self->allowed_hosts);
  g_free (self->socket_path);
  g_free (self->address);
  g_free (self->token_digest);
  G_OBJECT_CLASS (ldb_monitor_server_parent_class)->finalize (object);
}

static void
ldb_monitor_server_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbMonitorServer *self = LDB_MONITOR_SERVER (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_RUNNING:
      g_value_set_boolean (value, ldb_monitor_server_get_running (self));
      break;
    case PROP_SOCKET_PATH:
      g_value_set_string (value, self->socket_path);
      break;
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_METRICS_PORT:
      g_value_set_int (value, self->metrics_port);
      break;
    case PROP_PORT:
      g_value_set_int (value, self->port);
      break;
    case PROP_TLS_CERTIFICATE:
      g_value_set_object (value, self->certificate);
      break;
    case PROP_TLS_DATABASE:
      g_value_set_object (value, self->authorities);
      break;
    case PROP_ALLOWED_HOSTS:
      g_value_set_boxed (value, self->allowed_hosts);
      break;
    case PROP_MAX_CONNECTIONS:
      g_value_set_uint (value, self->max_connections);
      break;
    case PROP_MAX_REQUESTS_PER_SECOND:
      g_value_set_uint (value, self->max_requests);
      break;
    case PROP_REQUEST_TIMEOUT:
      g_value_set_uint (value, self->request_timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_monitor_server_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LdbMonitorServer *self = LDB_MONITOR_SERVER (object);
  switch (id)
    {
    case PROP_DATABASE:
      self->database = g_value_dup_object (value);
      break;
    case PROP_SOCKET_PATH:
      ldb_monitor_server_set_socket_path (self, g_value_get_string (value));
      break;
    case PROP_ADDRESS:
      ldb_monitor_server_set_address (self, g_value_get_string (value));
      break;
    case PROP_METRICS_PORT:
      ldb_monitor_server_set_metrics_port (self, g_value_get_int (value));
      break;
    case PROP_PORT:
      ldb_monitor_server_set_port (self, g_value_get_int (value));
      break;
    case PROP_TLS_CERTIFICATE:
      ldb_monitor_server_set_tls_certificate (self, g_value_get_object (value));
      break;
    case PROP_TLS_DATABASE:
      ldb_monitor_server_set_tls_database (self, g_value_get_object (value));
      break;
    case PROP_ALLOWED_HOSTS:
      ldb_monitor_server_set_allowed_hosts (self, g_value_get_boxed (value));
      break;
    case PROP_MAX_CONNECTIONS:
      ldb_monitor_server_set_max_connections (self, g_value_get_uint (value));
      break;
    case PROP_MAX_REQUESTS_PER_SECOND:
      ldb_monitor_server_set_max_requests_per_second (self, g_value_get_uint (value));
      break;
    case PROP_REQUEST_TIMEOUT:
      ldb_monitor_server_set_request_timeout (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_places (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  /**
   * LdbMonitorServer:socket-path: (getter get_socket_path) (setter set_socket_path)
   *
   * The Unix socket that it listens on, for everything, or %NULL for TCP. Only the same user can connect to it.
   * A socket that a dead process has left there is replaced.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_SOCKET_PATH]
      = g_param_spec_string ("socket-path", NULL, NULL, NULL, flags);
  /**
   * LdbMonitorServer:address: (getter get_address) (setter set_address)
   *
   * The numeric address of the interface that it listens on.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_ADDRESS]
      = g_param_spec_string ("address", NULL, NULL, DEFAULT_ADDRESS, flags);
  /**
   * LdbMonitorServer:metrics-port: (getter get_metrics_port) (setter set_metrics_port)
   *
   * The port for `/metrics`; 0 for a free one, -1 for none. Where the application does not set
   * it, the environment variable `LIGHTNING_DB_METRICS_PORT` does.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_METRICS_PORT]
      = g_param_spec_int ("metrics-port", NULL, NULL, -1, G_MAXUINT16, DEFAULT_METRICS_PORT, flags);
  /**
   * LdbMonitorServer:port: (getter get_port) (setter set_port)
   *
   * The port for everything but `/metrics`; 0 for a free one, -1 for none.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_PORT]
      = g_param_spec_int ("port", NULL, NULL, -1, G_MAXUINT16, DEFAULT_PORT, flags);
}

static void
install_admission (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  /**
   * LdbMonitorServer:tls-certificate: (getter get_tls_certificate) (setter set_tls_certificate)
   *
   * Its certificate with its private key, or %NULL for plain HTTP.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_TLS_CERTIFICATE]
      = g_param_spec_object ("tls-certificate", NULL, NULL, G_TYPE_TLS_CERTIFICATE, flags);
  /**
   * LdbMonitorServer:tls-database: (getter get_tls_database) (setter set_tls_database)
   *
   * The authorities that sign clients' certificates, or %NULL when clients need none.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_TLS_DATABASE]
      = g_param_spec_object ("tls-database", NULL, NULL, G_TYPE_TLS_DATABASE, flags);
  /**
   * LdbMonitorServer:allowed-hosts: (getter get_allowed_hosts) (setter set_allowed_hosts)
   *
   * The names that clients may know it by, beside `localhost` and its addresses.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_ALLOWED_HOSTS]
      = g_param_spec_boxed ("allowed-hosts", NULL, NULL, G_TYPE_STRV, flags);
}

static void
install_limits (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  /**
   * LdbMonitorServer:max-connections: (getter get_max_connections) (setter set_max_connections)
   *
   * How many clients may be connected at once. One more takes the place of that which has been
   * silent for the longest; if all have sent their requests it is hung up on. The process keeps
   * half of the descriptors that it may have for itself, whatever this says.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_MAX_CONNECTIONS] = g_param_spec_uint (
      "max-connections", NULL, NULL, 1, 100000, DEFAULT_MAX_CONNECTIONS, flags);
  /**
   * LdbMonitorServer:max-requests-per-second: (getter get_max_requests_per_second) (setter set_max_requests_per_second)
   *
   * How many requests of all clients are answered in a second, and at most half as many of one; the
   * others get status 429.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_MAX_REQUESTS_PER_SECOND] = g_param_spec_uint (
      "max-requests-per-second", NULL, NULL, 1, 100000, DEFAULT_MAX_REQUESTS, flags);
  /**
   * LdbMonitorServer:request-timeout: (getter get_request_timeout) (setter set_request_timeout)
   *
   * How long a client has, from when it connects, for a request and its answer, in seconds.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_REQUEST_TIMEOUT]
      = g_param_spec_uint ("request-timeout", NULL, NULL, 1, 300, DEFAULT_TIMEOUT, flags);
}

static void
ldb_monitor_server_class_init (LdbMonitorServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_monitor_server_dispose;
  object_class->finalize = ldb_monitor_server_finalize;
  object_class->get_property = ldb_monitor_server_get_property;
  object_class->set_property = ldb_monitor_server_set_property;

  /**
   * LdbMonitorServer:database: (getter get_database)
   *
   * The database that it shows.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * LdbMonitorServer:running: (getter get_running)
   *
   * Whether it listens.
   *
   * Since: 0.1
   */
  ldb_monitor_server_properties[PROP_RUNNING]
      = g_param_spec_boolean ("running", NULL, NULL, FALSE,
                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  install_places ();
  install_admission ();
  install_limits ();
  g_object_class_install_properties (object_class, N_PROPERTIES, ldb_monitor_server_properties);
}

static void
ldb_monitor_server_init (LdbMonitorServer *self)
{
  self->address = g_strdup (DEFAULT_ADDRESS);
  self->metrics_port = DEFAULT_METRICS_PORT;
  self->port = DEFAULT_PORT;
  self->max_connections = DEFAULT_MAX_CONNECTIONS;
  self->max_requests = DEFAULT_MAX_REQUESTS;
  self->request_timeout = DEFAULT_TIMEOUT;
  self->allowed_hosts = g_new0 (char *, 1);
  self->uris = g_ptr_array_new_with_free_func (g_free);
}

/**
 * ldb_monitor_server_new:
 * @database: a database
 *
 * Makes a server for a database, open for writing or for reading. It does not listen yet.
 *
 * Returns: (transfer full): the server
 *
 * Since: 0.1
 */
LdbMonitorServer *
ldb_monitor_server_new (LdbDatabase *database)
{
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  return g_object_new (LDB_MONITOR_TYPE_SERVER, "database", database, NULL);
}
