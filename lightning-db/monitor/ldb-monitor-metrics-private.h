/* SPDX-License-Identifier: MIT */
/*
 * metrics: a database's figures in words: /metrics and /stats.json.
 *
 * Threads: any; a database may be closed meanwhile.
 */
#pragma once

#include <lightning-db.h>

/* Everything but what the monitor counts of itself. A database that is closed is “up 0”. */
void monitor_metrics_append (GString *out, LdbDatabase *database);
/* A JSON object; FALSE: the answer is no (503). */
gboolean monitor_stats_append (GString *out, LdbDatabase *database);
