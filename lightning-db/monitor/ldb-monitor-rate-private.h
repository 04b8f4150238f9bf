/* SPDX-License-Identifier: MIT */
/*
 * rate: how many requests may come: so many a second of all clients together, and half as many of one,
 * so that one which asks without end leaves the others something.
 *
 * Invariants
 *   1. What is kept of clients has a bound, CLIENTS_MAX, however many there were. Those beyond it share
 *      what one may have.
 *   2. A client that may ask as often as ever again is not kept when there is no room.
 *
 * Threads: one.
 */
#pragma once

#include <gio/gio.h>

typedef struct _MonitorRate MonitorRate;

/* `most` requests a second, at least 1. */
MonitorRate *monitor_rate_new (guint most);
void monitor_rate_free (MonitorRate *self);
/* Who the client is, as far as that can be told: its address, of IPv6 the network of it, or the process
 * at the other end of a Unix socket. */
char *monitor_rate_client (GSocket *socket);
/* Takes a turn at that time (monotonic, microseconds). FALSE: there were too many requests in the last
 * second, of this client or of all. */
gboolean monitor_rate_take (MonitorRate *self, const char *client, gint64 now);
/* How many clients are kept. */
guint monitor_rate_count (MonitorRate *self);
