/* SPDX-License-Identifier: MIT */
/*
 * log: tells the application what the monitor refused, on the application's thread.
 *
 * Structured messages of the domain "LdbMonitor" with a field LDB_EVENT, in the main context that was the
 * default where the monitor was started: an application's log writer never runs on the monitor's
 * thread. Whoever floods the monitor does not flood the log: after a burst of LINES_AT_ONCE there is one
 * line in LINE_SECONDS, which says how many there were meanwhile, and at most LINES_AT_ONCE wait.
 *
 * Threads: monitor_log_refusal on the monitor's thread, the others on the application's.
 */
#pragma once

#include "ldb-monitor-gate-private.h"

typedef struct _MonitorLog MonitorLog;

/* The log goes to the thread-default main context of the caller. */
MonitorLog *monitor_log_new (void);
MonitorLog *monitor_log_ref (MonitorLog *self);
void monitor_log_unref (MonitorLog *self);
/* `what` may be NULL; it is whatever a client sent: it is escaped and cut. */
void monitor_log_refusal (MonitorLog *self, MonitorVerdict verdict, const char *peer,
                          const char *what);
/* Nothing is logged from here on. */
void monitor_log_close (MonitorLog *self);
