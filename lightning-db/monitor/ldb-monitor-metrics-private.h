/* SPDX-License-Identifier: MIT */
/*
 * metrics: a database's figures in words: /metrics, /stats.json, /health and /ready.
 *
 * Threads: any; a database may be closed meanwhile.
 */
#pragma once

#include <lightning-db.h>

/* Everything but what the monitor counts of itself. A database that is closed is “up 0”. */
void monitor_metrics_append (GString *out, LdbDatabase *database);
/* A JSON object each; FALSE: the answer is no (503). */
gboolean monitor_stats_append (GString *out, LdbDatabase *database);
gboolean monitor_health_append (GString *out, LdbDatabase *database);
gboolean monitor_ready_append (GString *out, LdbDatabase *database);
