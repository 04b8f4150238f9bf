/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-port-private.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 128 /* connections that the kernel holds until they are accepted */

static MonitorPort *
port_new (GSocket *socket, MonitorEndpoints endpoints, gboolean is_unix)
{
  MonitorPort *port = g_new0 (MonitorPort, 1);
  port->socket = socket;
  port->endpoints = endpoints;
  port->is_unix = is_unix;
  g_socket_set_blocking (socket, FALSE);
  return port;
}

MonitorPort *
monitor_port_listen (GInetAddress *address, guint16 number, MonitorEndpoints endpoints,
                     GError **error)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new (address, number);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  if (socket == NULL)
    return NULL;
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!g_socket_bind (socket, where, TRUE, error) || !g_socket_listen (socket, error))
    {
      g_autofree char *text = g_inet_address_to_string (address);
      g_prefix_error (error, "The monitor can't listen on %s port %u: ", text, number);
      return NULL;
    }
  return port_new (g_steal_pointer (&socket), endpoints, FALSE);
}

guint16
monitor_port_number (const MonitorPort *port)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (port->socket, NULL);
  return G_IS_INET_SOCKET_ADDRESS (address)
             ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address))
             : 0;
}

/* ---- Unix sockets ---- */

static gboolean
set_error_of_path (GError **error, int code, const char *path, const char *reason)
{
  g_set_error (error, G_IO_ERROR, code, "The monitor can't listen on “%s”: %s", path, reason);
  return FALSE;
}

/* Whether somebody listens there. */
static gboolean
is_in_use (GSocketAddress *address)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  if (socket == NULL)
    return TRUE;
  g_socket_set_blocking (socket, FALSE);
  return g_socket_connect (socket, address, NULL, &error)
         || !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* Removes what a dead process has left. */
static gboolean
make_room (const char *path, GSocketAddress *address, GError **error)
{
  struct stat there;
  if (lstat (path, &there) != 0)
    return errno == ENOENT
           || set_error_of_path (error, g_io_error_from_errno (errno), path, g_strerror (errno));
  if (!S_ISSOCK (there.st_mode))
    return set_error_of_path (error, G_IO_ERROR_EXISTS, path,
                              "there is something else than a socket; choose another name.");
  if (is_in_use (address))
    return set_error_of_path (error, G_IO_ERROR_ADDRESS_IN_USE, path,
                              "another program listens there; choose another name, or end it.");
  if (g_unlink (path) != 0 && errno != ENOENT)
    return set_error_of_path (error, g_io_error_from_errno (errno), path, g_strerror (errno));
  return TRUE;
}

/* Between bind and listen nobody can connect: the mode is right before anybody can. */
static gboolean
bind_privately (GSocket *socket, GSocketAddress *address, const char *path, guint64 identity[2],
                GError **error)
{
  struct stat made;
  if (!g_socket_bind (socket, address, FALSE, error))
    {
      g_prefix_error (error, "The monitor can't listen on “%s”: ", path);
      return FALSE;
    }
  if (lstat (path, &made) != 0 || chmod (path, 0600) != 0)
    return set_error_of_path (error, g_io_error_from_errno (errno), path, g_strerror (errno));
  identity[0] = made.st_dev;
  identity[1] = made.st_ino;
  return g_socket_listen (socket, error);
}

MonitorPort *
monitor_port_listen_unix (const char *path, guint64 identity[2], GError **error)
{
  if (!g_path_is_absolute (path) || strlen (path) >= sizeof ((struct sockaddr_un *) NULL)->sun_path)
    {
      set_error_of_path (error, G_IO_ERROR_INVALID_ARGUMENT, path,
                         "the path must be absolute and have at most 107 bytes.");
      return NULL;
    }
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  if (socket == NULL || !make_room (path, address, error))
    return NULL;
  g_socket_set_listen_backlog (socket, BACKLOG);
  identity[0] = identity[1] = 0;
  if (!bind_privately (socket, address, path, identity, error))
    {
      monitor_port_remove (path, identity);
      return NULL;
    }
  return port_new (g_steal_pointer (&socket), MONITOR_METRICS | MONITOR_STATE, TRUE);
}

void
monitor_port_remove (const char *path, const guint64 identity[2])
{
  struct stat there;
  if (lstat (path, &there) == 0 && there.st_dev == identity[0] && there.st_ino == identity[1])
    g_unlink (path);
}
