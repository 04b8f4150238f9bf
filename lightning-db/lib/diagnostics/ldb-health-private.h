/* SPDX-License-Identifier: MIT */
/*
 * LdbHealth inside the library.
 *
 *   ldb-health-facts.c      what there is to know: gathered by one who may wait for the disk
 *   ldb-health-rules.c      what follows from it: a table of rules, each a pure function of the facts
 *   ldb-database-health.c   the calls; what changed since the last verdict
 *
 * Threads: facts and verdicts do not change once made.
 */
#pragma once

#include "engine.h"
#include "ldb-health-watch.h"
#include "ldb-health.h"
#include "ldb-json-private.h"

G_BEGIN_DECLS

/* What was counted in a stretch of time. */
typedef struct
{
  guint64 commits, log_syncs;
  guint64 log_sync_time;          /* nanoseconds */
  guint64 stalls, stall_time;     /* nanoseconds */
  guint64 page_reads, ghost_hits; /* pages read; of these: dropped from the cache just before */
  guint64 committed, unwritten;   /* transactions; of these: read-write ones without a write */
  guint64 conflicts;              /* transactions refused */
} LdbHealthCounts;

typedef struct
{
  struct engine_condition condition;
  gboolean read_only; /* the engine does not write */

  /* Options in force. */
  enum engine_sync sync;
  gboolean log_enabled, compression, merging;
  guint64 memory_budget; /* bytes */

  /* Load, in the last `span` microseconds, or since the database was opened. */
  gint64 span;
  LdbHealthCounts load;

  /* As it is now. */
  guint64 memory_used; /* bytes */
  guint64 runs;
  guint64 disk_bytes;    /* of all files of the database */
  guint64 segment_bytes; /* of its segments */
  guint64 memtable_size; /* bytes at which one is written out */

  /* The file system. */
  gboolean space_known;
  guint64 disk_total, disk_available; /* bytes */
  const char *foreign_file_system;    /* its name, where others may change files unseen; or NULL */
  gboolean network;                   /* these are on other machines */

  /* Who may get at the files. */
  guint directory_mode;   /* permissions; 0: not known */
  gboolean moved;         /* the directory is not where it was opened any more */
  guint exposed_files;    /* those that others may read or write */
  gboolean foreign_owner; /* the directory is somebody else's */

  /* The oldest read-write transaction; id 0: there is none. */
  guint64 transaction, transaction_age; /* nanoseconds */
  guint64 transaction_operations;

  /* The key that most conflicts were about. */
  GBytes *hot_key;       /* its beginning; owned, or NULL */
  guint64 hot_conflicts; /* of it, at least, of all since the opening: */
  guint64 kept_conflicts;

  /* Segments. */
  guint64 logical_bytes, stored_bytes; /* of pages: decoded, and in the files */
  guint64 dead_records, dead_deletes;  /* of the segment with the most deletes */
  guint64 dead_segment;                /* its number */
  char *dead_store;                    /* what store it begins with; owned, or NULL */
  guint64 blob_values, blob_bytes;     /* large values that segments refer to */
} LdbHealthFacts;

void ldb_health_facts_clear (LdbHealthFacts *facts);

/* What a rule fills in when it applies, beside what its row says. */
typedef struct
{
  LdbSeverity severity;    /* begins as the row's */
  const char *remedy;      /* likewise */
  LdbRemedy action;        /* likewise */
  char *summary;           /* owned */
  guint64 target;          /* of action */
  GBytes *key;             /* owned, or NULL */
  GVariantBuilder figures; /* a{sv} */
} LdbFinding;

typedef struct
{
  const char *id;
  LdbSeverity severity;
  LdbRemedy action;
  const char *remedy;
  gboolean (*applies) (const LdbHealthFacts *facts, LdbFinding *finding);
} LdbHealthRule;

extern const LdbHealthRule ldb_health_rules[]; /* ended by one without an id */

/* The verdict, at `time` microseconds since 1970. */
LdbHealth *ldb_health_judge (const LdbHealthFacts *facts, gint64 time);

/* ---- verdicts ---- */

/* Takes the issues (element-type LdbHealthIssue) over, which are in order. */
LdbHealth *ldb_health_new (gint64 time, GPtrArray *issues);
/* Whether the same is wrong, whatever the figures are. */
gboolean ldb_health_agrees (const LdbHealth *self, const LdbHealth *other);
/* "healthy", or what is wrong, in one line. */
char *ldb_health_name (const LdbHealth *self);
/* Members of an object that was begun. */
void ldb_health_write_json (const LdbHealth *self, LdbJson *json);
#define LDB_HEALTH_VARIANT_TYPE "(xa(sussuta{sv}ay))"
GVariant *ldb_health_to_variant (const LdbHealth *self);
LdbHealth *ldb_health_from_variant (GVariant *variant);

/* ---- of one engine ---- */

typedef struct _LdbVitals LdbVitals;

/* What is known of an engine's health; its handles share it. Any thread. */
LdbVitals *ldb_vitals_new (struct engine *engine);
LdbVitals *ldb_vitals_ref (LdbVitals *self);
void ldb_vitals_unref (LdbVitals *self);
/* Gathers facts and judges; notes an event when the verdict is another one. */
LdbHealth *ldb_vitals_examine (LdbVitals *self, const char *path);
/* The last verdict; a reference, or NULL. */
LdbHealth *ldb_vitals_get_newest (LdbVitals *self);

/* A watch that only tells of events. */
LdbHealthWatch *ldb_health_watch_new_of_events (LdbDatabase *database, GError **error);

/* Gathers all but `span` and `load`, which are the caller's; `now`: counts since the opening. */
void ldb_health_facts_gather (struct engine *engine, const char *path, LdbHealthFacts *out,
                              LdbHealthCounts *now);

G_END_DECLS
