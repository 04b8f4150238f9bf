/* SPDX-License-Identifier: MIT */
/*
 * What a list model asks the database: how many keys there are in a range, in buckets of a rank
 * index; and what a frame of changes means in ranks, as edits of such an index.
 *
 * Everything here reads states of the database that are held, and an index that nobody changes
 * meanwhile: so it may run on a worker, or in the model's own thread as long as memory has all it
 * needs.
 *
 * Threads: one walk at a time on one of these structures; different ones on any threads.
 */
#pragma once

#include "ldb-change-private.h"
#include "ldb-rank-index-private.h"
#include "ldb-snapshot-private.h"

G_BEGIN_DECLS

/* Where and how to walk. */
typedef struct
{
  engine_store store;    /* of the database whose states are read */
  struct bytes lower;    /* inclusive; BYTES_NONE: open. Borrowed. */
  struct bytes upper;    /* exclusive; BYTES_NONE: open. Borrowed. */
  gboolean cached_only;  /* STATUS_BUSY where a page would have to be read */
  guint64 steps_max;     /* STATUS_BUSY beyond so many records; 0: no limit */
  const gint *cancelled; /* STATUS_CANCELLED soon after it becomes other than 0; atomic; or NULL */
} LdbListWalk;

/* A cursor over the walk's range, or a part of it, in a state of the database. */
status ldb_list_walk_cursor (const LdbListWalk *walk, LdbPin *state, struct bytes lower,
                             struct bytes upper, gboolean keys_only, struct engine_cursor **out,
                             struct failure *failure);

/* Puts keys, in rising order or, in reverse, in falling order, into buckets of an index. */
typedef struct
{
  LdbRankIndex *index; /* borrowed */
  gboolean reverse;    /* the order of the keys */
  guint64 count;       /* keys in the bucket that is being filled */
  guint64 rows;        /* keys so far */
  GString *boundary;   /* of that bucket; not in reverse; owned */
  GString *last;       /* the last key; owned */
} LdbBucketBuilder;

void ldb_bucket_builder_begin (LdbBucketBuilder *builder, LdbRankIndex *index, gboolean reverse,
                               struct bytes lower);
void ldb_bucket_builder_add (LdbBucketBuilder *builder, struct bytes key);
/* Frees what it has. In reverse the last bucket, which is the lowest one, begins at `lower`. */
void ldb_bucket_builder_end (LdbBucketBuilder *builder, struct bytes lower);

/* ---- counting ---- */

typedef struct
{
  LdbRankIndex *index; /* the buckets found; owned */
  guint64 rows;        /* in them */
  gboolean complete;   /* all of the range was counted */
  GBytes *edge; /* else: counted is what is below, or, in reverse, from here on; NULL: nothing;
                          owned */
} LdbListCount;

/* Counts the keys of the walk's range in a state of the database, from its start or, in reverse,
 * from its end on, until `rows` are counted or the monotonic time `until` has come. With
 * cached_only what was counted before a page was missing is given, too, with STATUS_BUSY. */
status ldb_list_count (const LdbListWalk *walk, LdbPin *state, gboolean reverse, guint64 rows,
                       gint64 until, LdbListCount *out, struct failure *failure);
void ldb_list_count_clear (LdbListCount *count);

/* ---- changes as edits ---- */

/* Rows that go and come at one place. Edits of a plan are in rising order; rows of different edits
 * do not touch unless the edits are of different buckets. */
typedef struct
{
  LdbBucket *bucket; /* in which it happens, or a span begins; NULL: the index is empty */
  guint64 offset;    /* of `rank` in it, before all edits */
  struct bytes key;  /* that the bucket covers, not above the first row */
  struct bytes last; /* the last key it is about, or the exclusive end of a span */
  gboolean span;     /* all rows in [key, last) go, whatever their buckets; last.size 0: open */
  guint64 rank;      /* of the first row that goes, or where new ones come; before all edits */
  guint64 removed;   /* rows */
  guint64 added;     /* rows */
  guint64 moved; /* rows added less rows removed, by the edits up to this one; may wrap around */
  guint ranks;   /* of the plan's `ranks`, up to this one */
  gboolean tidy; /* the bucket has become small */
  LdbRankIndex *division; /* takes the place of the bucket afterwards; owned, or NULL */
} LdbListEdit;

/* Edits that touch: rows go and come in one place. */
typedef struct
{
  guint64 rank;    /* of the first row, before all edits */
  guint64 removed; /* rows */
  guint64 added;   /* rows */
  guint end;       /* behind its last edit */
} LdbListRun;

/* Rows that stay between a run and the next one. */
typedef struct
{
  guint64 rows;
  guint run; /* which one is before them */
} LdbListGap;

/* What can be prepared on a worker, so that showing it looks at little of it. */
typedef struct
{
  GArray *edits; /* of LdbListEdit; owned */
  GArray *ranks; /* of LdbRankEdit: those of `edits` that are no span, and have a bucket; owned */
  GArray *rest;  /* of guint: edits with a span, a division or something to tidy; owned */
  GArray *runs;  /* of LdbListRun, in rising order; owned */
  GArray *gaps;  /* of LdbListGap, the widest first, when there are more than
                       * LDB_LIST_STEPS_MOST runs; owned */
  GPtrArray *updates; /* of LdbChange, borrowed from the frame: PUT of a row that stays, RESYNC */
  GStringChunk *keys; /* memory of keys that the frame does not have; owned */
} LdbListPlan;

/* Signals for a frame, unless it has runs that are far apart and between them rows that somebody
 * holds. */
#define LDB_LIST_STEPS_MOST 32

/* What `changes` (of a frame: disjoint and in rising order) mean to an index that stands for the
 * walk's range in the state `before`. What is outside the range is left out. */
status ldb_list_plan (const LdbListWalk *walk, const LdbRankIndex *index, LdbPin *before,
                      LdbPin *after, GPtrArray *changes, LdbListPlan *out, struct failure *failure);
void ldb_list_plan_clear (LdbListPlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdbListCount, ldb_list_count_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdbListPlan, ldb_list_plan_clear)

/* The bytes of a key; NULL is open. */
static inline struct bytes
ldb_bytes_of (GBytes *bytes)
{
  gsize size = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  return BYTES (data, size);
}

G_END_DECLS
