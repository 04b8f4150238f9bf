/* SPDX-License-Identifier: MIT */
/*
 * The HTTP monitor of Lightning DB: metrics for Prometheus, health and statistics of an open
 * database.
 *
 *   LdbMonitorServer *server = ldb_monitor_server_new (db);
 *   ldb_monitor_server_start (server, &error);
 *
 * Nothing listens before that; then it is two ports on the loopback interface, or a Unix socket.
 */
#pragma once

#define LDB_MONITOR_INSIDE
#include "ldb-monitor-server.h"
#undef LDB_MONITOR_INSIDE
