/* SPDX-License-Identifier: MIT */
/*
 * ldb-counted-stats: those figures of LdbStats that follow from what another process counts, which
 * can be read without it. On the public API; lightning-cli and the monitor are compiled with it.
 * Threads: any.
 */
#pragma once

#include <lightning-db.h>

/* The other figures stay as they are. */
void ldb_counted_stats_take (LdbStats *stats, LdbMetrics *metrics);
/* Whether the figure there in LdbStats is one of them. */
gboolean ldb_counted_stats_have (gsize offset);
