/* SPDX-License-Identifier: MIT */
/*
 * health: what /health and /ready tell. A database is examined when somebody asks, once in
 * VERDICT_AGE at most, on a thread of the library; who asks meanwhile waits for that one's verdict. So
 * nothing is examined while nobody asks, and however many ask it costs the same.
 *
 * What is told of an issue has no words of the system's or the disk's: they name paths.
 *
 * Threads: the monitor's thread, but for the functions that append: any.
 */
#pragma once

#include <libsoup/soup.h>
#include <lightning-db.h>

typedef struct _MonitorHealth MonitorHealth;

/* The verdict is there: NULL when the database was closed. */
typedef void (*MonitorHealthFunc) (SoupServerMessage *message, LdbHealth *health, gpointer data);

/* `database` is the service's. In the context that answers are to come in. */
MonitorHealth *monitor_health_new (LdbDatabase *database);
/* Has `func` called, now or once it was examined; not when the message has ended by then. */
void monitor_health_ask (MonitorHealth *self, SoupServerMessage *message, MonitorHealthFunc func,
                         gpointer data);
/* Calls nobody any more, and returns when nothing is examined any more. */
void monitor_health_free (MonitorHealth *self);

/* A JSON object each; FALSE: the answer is no (503). `health` may be NULL: it was closed. */
gboolean monitor_health_append (GString *out, LdbHealth *health);
gboolean monitor_ready_append (GString *out, LdbHealth *health);
/* Whether /health would say 200. */
gboolean monitor_health_is_good (LdbHealth *health);
