/* SPDX-License-Identifier: MIT */
/*
 * LdbFacts: what a report on a database says, gathered at one time; and the forms it is written in.
 *
 *   ldb-database-report.c   gathering, and the calls
 *   ldb-facts-text.c        for a terminal or a mail
 *   ldb-facts-json.c        for programs
 *   ldb-facts-html.c        for people, in one file: no script, nothing from elsewhere
 *   ldb-svg.c               its charts
 *
 * Keys are written only when asked for, values never. Whatever comes from the database or its path
 * is escaped.
 *
 * Threads: one at a time; facts do not change once gathered.
 */
#pragma once

#include "ldb-health.h"
#include "ldb-inspector.h"
#include "ldb-json-private.h"
#include "ldb-options.h"
#include "ldb-report.h"
#include "ldb-sizes.h"
#include "ldb-stats.h"
#include "ldb-storage-map-private.h"

G_BEGIN_DECLS

/* How large the keys and values of a store are. */
typedef struct
{
  char *store;     /* its name; owned */
  LdbSizes *sizes; /* owned */
} LdbStoreSizes;

/* How often something was timed, and what it took, in the unit of its histogram. */
typedef struct
{
  char *name;                 /* of the metric; owned */
  const char *text;           /* what is measured, in English; static */
  const char *unit;           /* "nanoseconds", "bytes" or "count"; static */
  gboolean is_time;           /* nanoseconds */
  guint64 count;              /* times */
  guint64 median, high, most; /* 50 %, 99 % and all of them took no more */
} LdbTiming;

/* An option in force. */
typedef struct
{
  const char *name; /* static */
  char *value;      /* as text; owned */
} LdbSetting;

typedef struct
{
  char *path, *id;     /* of the database; UTF-8; owned */
  gboolean read_only;  /* the handle is */
  gboolean keys;       /* keys are to be told */
  gint64 time;         /* microseconds since 1970 */
  LdbStats *stats;     /* owned */
  LdbHealth *health;   /* what was found; owned */
  LdbStorageMap *map;  /* owned */
  GPtrArray *sizes;    /* of LdbStoreSizes, the largest stores first; owned */
  GPtrArray *timings;  /* of LdbTiming: histograms that are not empty; owned */
  GPtrArray *settings; /* of LdbSetting; owned */
} LdbFacts;

/* Where facts come from: one of these. */
typedef struct
{
  LdbDatabase *database;   /* of this process */
  LdbInspector *inspector; /* of another one's */
} LdbReportSource;

/* Gathers and writes. May wait for long; any thread. */
char *ldb_report_write (const LdbReportSource *source, LdbReportFormat format, guint flags,
                        GCancellable *cancellable, GError **error);

/* What a figure is measured in. */
typedef enum
{
  LDB_FIGURE_COUNT,
  LDB_FIGURE_SIZE,
  LDB_FIGURE_SHARE, /* double, 0 … 1 */
  LDB_FIGURE_RATIO, /* double */
  LDB_FIGURE_MICROSECONDS,
} LdbFigureKind;

/* One field of LdbStats. */
typedef struct
{
  const char *name;  /* in JSON; NULL: `label` is the heading of those that follow */
  const char *label; /* for people */
  LdbFigureKind kind;
  gsize offset;
} LdbFigure;
/* All of them, under headings; ended by one without a label. */
extern const LdbFigure ldb_stats_figures[];
/* As people read it. */
char *ldb_figure_format (const LdbFigure *figure, const LdbStats *stats);
char *ldb_count_format (guint64 count);
/* An amount of a timing: 1.2 µs. */
char *ldb_timing_format (const LdbTiming *timing, guint64 amount);
/* "advice", "warning" or "critical". */
const char *ldb_severity_name (LdbSeverity severity);
/* Keys as one line of printable ASCII, cut. */
char *ldb_key_format (GBytes *key);

/* What every form begins with. */
double ldb_facts_hit_rate (const LdbFacts *facts);
/* Bytes that flushes and merges wrote for each byte that was committed; 0: nothing was. */
double ldb_facts_write_amplification (const LdbFacts *facts);
/* Segments, the largest first. */
GPtrArray *ldb_facts_list_segments (const LdbFacts *facts);

/* Each form, whole. */
char *ldb_facts_to_text (const LdbFacts *facts);
char *ldb_facts_to_json (const LdbFacts *facts);
char *ldb_facts_to_html (const LdbFacts *facts);

G_END_DECLS
