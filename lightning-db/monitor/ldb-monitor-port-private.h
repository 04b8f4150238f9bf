/* SPDX-License-Identifier: MIT */
/*
 * port: the sockets that a monitor listens on, made so that nobody but whom they are for can connect.
 *
 * Threads: any; nothing waits for a client.
 */
#pragma once

#include "ldb-monitor-service-private.h"

/* A TCP socket on a numeric address; port 0 is one that is free. NULL: error. */
MonitorPort *monitor_port_listen (GInetAddress *address, guint16 port, MonitorEndpoints endpoints,
                                  GError **error);
/* A Unix socket of mode 0600. One that a dead process has left is replaced; one that is in use, or a
 * file of another kind, is an error. `identity` gets what monitor_port_remove wants. */
MonitorPort *monitor_port_listen_unix (const char *path, guint64 identity[2], GError **error);
/* Removes a Unix socket, unless another one has its name by now. */
void monitor_port_remove (const char *path, const guint64 identity[2]);
/* Its number; 0 for a Unix socket. */
guint16 monitor_port_number (const MonitorPort *port);
