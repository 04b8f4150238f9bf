/* SPDX-License-Identifier: MIT */
/*
 * LdbRankIndex: which position a key has, and which key a position, in a range of millions of keys,
 * without holding them: only one key in some dozens, and how many there are up to the next one.
 *
 *       bucket         bucket         bucket
 *     │ "a"    32    │ "cat"  25    │ "dog"  32    │ …
 *       rank 0 … 31    32 … 56        57 … 88
 *
 * A bucket covers the keys from its boundary up to the boundary of the next one; the first one also
 * covers what comes before its boundary, the last one all that follows. A boundary need not be a
 * key that exists. To find a row of a bucket, one walks the database from the boundary on, or back
 * from that of the next bucket: rows of one bucket are LDB_BUCKET_MOST at most, but for the time
 * between a change and the division that follows.
 *
 * A bucket may carry marks: pointers of the owner at single rows, which move with them.
 *
 * Invariants
 *   R1  Boundaries rise strictly.
 *   R2  `total` and `marked` of a bucket are the sums over the tree that it is the root of.
 *   R3  A bucket's priority is not less than that of its children.
 *   R4  Marks are in rising order of their offsets, each below the bucket's count, no two the same.
 *
 * The buckets are a treap: a binary tree in the order of their boundaries that is balanced because
 * each bucket has a random priority and stands above those of lesser ones. Split and join cost
 * O(log n), so that ranges are taken out and put in whole, whatever their size.
 *
 * Threads: one at a time; any number while nobody changes anything, and one of them may then set
 * and take marks while the others don't ask for any. Counted, so that a thread that
 * reads it can outlive its owner.
 */
#pragma once

#include <glib.h>

#include "base/bytes.h"

G_BEGIN_DECLS

#ifndef LDB_BUCKET_FILL    /* a test has smaller ones */
#define LDB_BUCKET_FILL 32 /* rows that a new bucket gets */
#define LDB_BUCKET_MOST 64 /* rows that it is divided above */
#endif

typedef struct _LdbRankIndex LdbRankIndex;
typedef struct _LdbBucket LdbBucket;

/* Where a search ended. */
typedef struct
{
  LdbBucket *bucket; /* NULL: the index is empty, or the rank beyond it */
  LdbBucket *next;   /* the one behind it, or NULL */
  guint64 first;     /* rank of the bucket's first row */
} LdbRankPlace;

/* Told of a mark whose row has gone; `data` is the caller's. */
typedef void (*LdbMarkFunc) (gpointer mark, gpointer data);
/* Whether a mark may stay. */
typedef gboolean (*LdbMarkCheck) (gpointer mark, gpointer data);

/* `free_mark` is called for marks that are there at the end; may be NULL. */
LdbRankIndex *ldb_rank_index_new (GDestroyNotify free_mark);
LdbRankIndex *ldb_rank_index_ref (LdbRankIndex *self);
void ldb_rank_index_unref (LdbRankIndex *self);

/* ---- looking ---- */

guint64 ldb_rank_index_get_total (const LdbRankIndex *self);
LdbRankPlace ldb_rank_index_find_rank (const LdbRankIndex *self, guint64 rank);
/* The bucket that covers the key. */
LdbRankPlace ldb_rank_index_find_key (const LdbRankIndex *self, struct bytes key);
struct bytes ldb_bucket_boundary (const LdbBucket *bucket);
guint64 ldb_bucket_count (const LdbBucket *bucket);
/* Buckets, and bytes that they take, about: walks over all of them. */
gsize ldb_rank_index_measure (const LdbRankIndex *self, gsize *bytes);
/* NULL, or which invariant does not hold. */
const char *ldb_rank_index_check (const LdbRankIndex *self);

/* ---- changing ---- */

/* A bucket behind all others; its boundary is above theirs. */
void ldb_rank_index_append (LdbRankIndex *self, struct bytes boundary, guint64 count);
/* A bucket before all others; its boundary is below theirs. */
void ldb_rank_index_prepend (LdbRankIndex *self, struct bytes boundary, guint64 count);
/* The first bucket begins at `boundary`, not above its own: what it covers before that stays its
 * own when others come before it. */
void ldb_rank_index_set_start (LdbRankIndex *self, struct bytes boundary);
/* Puts all buckets of `other`, which is left empty, behind or before those of `self`. */
void ldb_rank_index_join_behind (LdbRankIndex *self, LdbRankIndex *other);
void ldb_rank_index_join_before (LdbRankIndex *self, LdbRankIndex *other);
/* At `rank`, in the bucket that covers `key`: `removed` rows go, all of that bucket, and `added`
 * come. A bucket that is empty then stays for the time being. */
void ldb_rank_index_edit (LdbRankIndex *self, struct bytes key, guint64 rank, guint64 removed,
                          guint64 added, LdbMarkFunc gone, gpointer data);
/* Many of those at once, buckets rising, of one bucket in rising order; `offset` is where it
 * happens as it was before all of them. Costs less than one by one when they are close together. */
typedef struct
{
  LdbBucket *bucket;
  guint64 offset, removed, added;
} LdbRankEdit;
void ldb_rank_index_edit_many (LdbRankIndex *self, const LdbRankEdit *edits, guint count,
                               LdbMarkFunc gone, gpointer data);
/* The `removed` rows from `rank` on, which are all that there are in [lower, upper), go. */
void ldb_rank_index_remove_range (LdbRankIndex *self, struct bytes lower, struct bytes upper,
                                  guint64 rank, guint64 removed, LdbMarkFunc gone, gpointer data);
/* The buckets of `other`, which is left empty, take the place of the one that covers `key`; they
 * have as many rows. Their boundaries are not below its own, but for the first bucket of all. */
void ldb_rank_index_divide (LdbRankIndex *self, struct bytes key, LdbRankIndex *other);
/* The bucket that covers `key` goes if it is empty, and is joined with a neighbour if both are
 * small. */
void ldb_rank_index_tidy (LdbRankIndex *self, struct bytes key);
/* Takes whole buckets away at the end or at the beginning, as many as leave at least `rows`. TRUE
 * when there were some; `edge` then receives the first boundary that was taken away at the end, or
 * that is left at the beginning; owned by the caller. */
gboolean ldb_rank_index_trim_end (LdbRankIndex *self, guint64 rows, GBytes **edge, LdbMarkFunc gone,
                                  gpointer data);
gboolean ldb_rank_index_trim_start (LdbRankIndex *self, guint64 rows, GBytes **edge,
                                    LdbMarkFunc gone, gpointer data);

/* ---- marks ---- */

gpointer ldb_rank_index_get_mark (const LdbRankPlace *place, guint64 rank);
/* Where there is none yet. */
void ldb_rank_index_mark (LdbRankIndex *self, guint64 rank, gpointer mark);
/* Marks of rows with a lower rank. */
guint64 ldb_rank_index_count_marks (const LdbRankIndex *self, guint64 rank);
/* Adds the ranks of all marks to an array of guint64, in rising order. */
void ldb_rank_index_list_marks (const LdbRankIndex *self, GArray *ranks);
/* Looks at `count` marks from a rank on and takes away those that `keep` is false for. Returns the
 * rank to go on from; 0 when it came to the end. */
guint64 ldb_rank_index_sweep (LdbRankIndex *self, guint64 rank, guint count, LdbMarkCheck keep,
                              gpointer data);
typedef void (*LdbBucketMarkFunc) (guint64 offset, gpointer mark, gpointer data);
/* The functions change neither marks nor the index. */
void ldb_bucket_foreach_mark (const LdbBucket *bucket, LdbBucketMarkFunc func, gpointer data);
void ldb_rank_index_foreach_mark (const LdbRankIndex *self, LdbMarkFunc func, gpointer data);

/* ---- when ---- */

/* Every bucket that changes from now on is given the stamp, so that who looked at one before can
 * tell whether it is as it was. New ones have 0. Stamps rise, and begin anew behind the greatest. */
void ldb_rank_index_set_stamp (LdbRankIndex *self, guint32 stamp);
/* Gives it to the bucket that covers `key`. */
void ldb_rank_index_touch (LdbRankIndex *self, struct bytes key);
/* Whether the bucket was given a stamp behind `then`, up to `now`. */
gboolean ldb_bucket_changed (const LdbBucket *bucket, guint32 then, guint32 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbRankIndex, ldb_rank_index_unref)

G_END_DECLS
