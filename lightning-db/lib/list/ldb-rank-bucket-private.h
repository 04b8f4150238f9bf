/* SPDX-License-Identifier: MIT */
/*
 * The buckets of an LdbRankIndex, whose invariants (R1 … R4) hold here: one bucket with its marks,
 * and the tree that they are.
 *
 * Only for ldb-rank-index.c, which looks at their fields.
 */
#pragma once

#include "ldb-rank-index-private.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 offset; /* of the row in the bucket */
  gpointer mark;  /* the owner's */
} LdbMark;

typedef struct
{
  guint count, room; /* marks; how many fit */
  LdbMark items[];   /* R4 */
} LdbMarks;

struct _LdbBucket
{
  LdbBucket *left, *right; /* lower and higher boundaries, or NULL */
  LdbMarks *marks;         /* NULL: none; owned */
  guint64 total;           /* rows of the tree below and here (R2) */
  guint64 count;           /* rows here */
  guint32 marked;          /* marks of the tree below and here (R2) */
  guint32 priority;        /* R3 */
  guint32 stamp;           /* the owner's */
  guint32 boundary_size;   /* bytes */
  guint8 boundary[];       /* the least key that is surely here */
};

/* ---- one bucket ---- */

static inline guint64
total_of (const LdbBucket *bucket)
{
  return bucket != NULL ? bucket->total : 0;
}

static inline guint32
marked_of (const LdbBucket *bucket)
{
  return bucket != NULL ? bucket->marked : 0;
}

static inline guint
mark_count (const LdbBucket *bucket)
{
  return bucket->marks != NULL ? bucket->marks->count : 0;
}

static inline struct bytes
boundary_of (const LdbBucket *bucket)
{
  return BYTES (bucket->boundary, bucket->boundary_size);
}

static inline void
sum_up_marked (LdbBucket *bucket)
{
  bucket->marked = marked_of (bucket->left) + mark_count (bucket) + marked_of (bucket->right);
}

/* Makes R2 true for a bucket whose children fulfil it. */
static inline LdbBucket *
sum_up (LdbBucket *bucket)
{
  bucket->total = total_of (bucket->left) + bucket->count + total_of (bucket->right);
  sum_up_marked (bucket);
  return bucket;
}

LdbBucket *ldb_bucket_new (struct bytes boundary, guint64 count);
/* Not the marks' owner's part. */
void ldb_bucket_free (LdbBucket *bucket);

/* ---- its marks ---- */

/* Which mark is the first one at or behind an offset. */
guint ldb_bucket_find_mark (const LdbMarks *marks, guint64 offset);
void ldb_bucket_insert_mark (LdbBucket *bucket, guint64 offset, gpointer mark);
/* Keeps the first `count`. */
void ldb_bucket_set_mark_count (LdbBucket *bucket, guint count);
/* Those of `removed` rows from `offset` on go, the ones behind move as `added` take their place. */
void ldb_bucket_edit_marks (LdbBucket *bucket, guint64 offset, guint64 removed, guint64 added,
                            LdbMarkFunc gone, gpointer data);
/* Marks of `from` move to `to`, where its rows begin at `shift`. */
void ldb_bucket_move_marks (LdbBucket *from, LdbBucket *to, guint64 shift);

/* ---- the tree ---- */

/* Buckets with a boundary below `key`, and the others. */
void ldb_bucket_tree_split (LdbBucket *tree, struct bytes key, LdbBucket **below, LdbBucket **rest);
/* All of `low` comes before all of `high`. */
LdbBucket *ldb_bucket_tree_join (LdbBucket *low, LdbBucket *high);
/* Out of a tree that is not empty. */
LdbBucket *ldb_bucket_tree_take_first (LdbBucket **tree);
LdbBucket *ldb_bucket_tree_take_last (LdbBucket **tree);
/* NULL: it is empty. */
LdbBucket *ldb_bucket_tree_first (LdbBucket *tree);
LdbBucket *ldb_bucket_tree_last (LdbBucket *tree);
/* After a change in `bucket`: R2 for all that stand above it. */
void ldb_bucket_tree_refresh (LdbBucket *tree, const LdbBucket *bucket);
/* The same after a change of its marks alone: others may be reading the rest. */
void ldb_bucket_tree_refresh_marked (LdbBucket *tree, const LdbBucket *bucket);
/* Frees a tree after telling of its marks. */
void ldb_bucket_tree_free (LdbBucket *tree, LdbMarkFunc gone, gpointer data);

G_END_DECLS
