/* SPDX-License-Identifier: MIT */
/*
 * LdbMetrics inside the library: how it looks is in ldb-metrics.c, what its properties give in
 * ldb-metrics-properties.c, what is asked for by name in ldb-metrics-names.c.
 */
#pragma once

#include "base/metrics.h"
#include "ldb-metrics.h"

G_BEGIN_DECLS

struct _LdbMetrics
{
  GObject parent_instance;

  struct metrics_reader reader;
  struct engine *engine;     /* whose metrics they are; a reference; NULL: */
  GBytes *bytes;             /* a copy from elsewhere; owned … */
  int counters;              /* … that is taken anew from this file, which is owned; -1: never */
  GMainContext *context;     /* where it notifies; owned */
  GSource *timer;            /* looks now and then; NULL: nobody is connected; owned */
  guint interval;            /* milliseconds */
  struct histogram *scratch; /* for asking one; owned */
  gint64 looked;             /* when rates were reckoned last, monotonic microseconds; 0: never */
  guint64 reads, writes;     /* as they were then */
  double operations_per_second;   /* the property */
  double reads_per_second;        /* the property */
  double writes_per_second;       /* the property */
  double average_read_latency;    /* the property */
  double average_write_latency;   /* the property */
  double cache_hit_rate;          /* the property */
  guint64 total_reads;            /* the property */
  guint64 total_writes;           /* the property */
  guint64 active_transactions;    /* the property */
  guint64 committed_transactions; /* the property */
  guint64 aborted_transactions;   /* the property */
  guint64 conflicts;              /* the property */
  guint64 memory_used_bytes;      /* the property */
  guint64 memory_budget_bytes;    /* the property */
  guint64 active_snapshots;       /* the property */
  guint64 stalls;                 /* the property */
};

/* What another process counts in an open file (ldb-counters-private.h), which is taken over. */
LdbMetrics *ldb_metrics_new_for_counters (int counters, GError **error);

/* 0 of an unknown name. */
guint64 ldb_metrics_value_of (LdbMetrics *self, const char *name);
/* What the histogram of that name holds, until the next call; of an unknown one, nothing. */
const struct histogram *ldb_metrics_histogram_of (LdbMetrics *self, const char *name);

/* Somebody looks: whoever is connected by the time the timer fires is told from then on. */
void ldb_metrics_arm (LdbMetrics *self);

G_END_DECLS
