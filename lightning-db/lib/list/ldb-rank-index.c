/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-rank-bucket-private.h"

#include <string.h>

struct _LdbRankIndex
{
  gatomicrefcount references;
  LdbBucket *root;          /* NULL: no rows */
  guint32 stamp;            /* what buckets that change are given */
  GDestroyNotify free_mark; /* or NULL */
};

/* ---- the index ---- */

LdbRankIndex *
ldb_rank_index_new (GDestroyNotify free_mark)
{
  LdbRankIndex *self = g_new0 (LdbRankIndex, 1);
  g_atomic_ref_count_init (&self->references);
  self->free_mark = free_mark;
  return self;
}

LdbRankIndex *
ldb_rank_index_ref (LdbRankIndex *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

static void
free_mark (gpointer mark, gpointer data)
{
  LdbRankIndex *self = data;
  self->free_mark (mark);
}

void
ldb_rank_index_unref (LdbRankIndex *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  ldb_bucket_tree_free (self->root, self->free_mark != NULL ? free_mark : NULL, self);
  g_free (self);
}

guint64
ldb_rank_index_get_total (const LdbRankIndex *self)
{
  return total_of (self->root);
}

LdbRankPlace
ldb_rank_index_find_rank (const LdbRankIndex *self, guint64 rank)
{
  LdbRankPlace place = { NULL, NULL, 0 };
  LdbBucket *tree = self->root;
  guint64 before = 0; /* rows of buckets left of the tree */
  while (tree != NULL)
    {
      guint64 here = before + total_of (tree->left);
      if (rank < here)
        {
          place.next = tree;
          tree = tree->left;
        }
      else if (rank >= here + tree->count)
        {
          before = here + tree->count;
          tree = tree->right;
        }
      else
        {
          LdbBucket *next = ldb_bucket_tree_first (tree->right);
          place.next = next != NULL ? next : place.next;
          place.bucket = tree;
          place.first = here;
          return place;
        }
    }
  return place;
}

LdbRankPlace
ldb_rank_index_find_key (const LdbRankIndex *self, struct bytes key)
{
  LdbRankPlace place = { NULL, NULL, 0 };
  LdbBucket *tree = self->root;
  guint64 before = 0; /* rows of buckets left of the tree */
  while (tree != NULL)
    if (bytes_compare (boundary_of (tree), key) <= 0)
      {
        place.bucket = tree;
        place.first = before + total_of (tree->left);
        before = place.first + tree->count;
        tree = tree->right;
      }
    else
      {
        place.next = tree;
        tree = tree->left;
      }
  if (place.bucket == NULL && place.next != NULL) /* the first one covers what is below it */
    {
      place.bucket = place.next;
      LdbBucket *next = ldb_bucket_tree_first (place.bucket->right);
      for (tree = self->root; next == NULL && tree != place.bucket; tree = tree->left)
        if (tree->left == place.bucket)
          next = tree;
      place.next = next;
    }
  return place;
}

/* ---- measuring ---- */

static void
measure (const LdbBucket *tree, gsize *buckets, gsize *bytes)
{
  for (; tree != NULL; tree = tree->right)
    {
      measure (tree->left, buckets, bytes);
      *buckets += 1;
      *bytes += sizeof *tree + tree->boundary_size;
      if (tree->marks != NULL)
        *bytes += sizeof (LdbMarks) + tree->marks->room * sizeof (LdbMark);
    }
}

gsize
ldb_rank_index_measure (const LdbRankIndex *self, gsize *bytes)
{
  gsize buckets = 0;
  *bytes = sizeof *self;
  measure (self->root, &buckets, bytes);
  return buckets;
}

static const char *
check_marks (const LdbBucket *bucket)
{
  for (guint i = 0; i < mark_count (bucket); i++)
    if (bucket->marks->items[i].offset >= bucket->count
        || (i > 0 && bucket->marks->items[i].offset <= bucket->marks->items[i - 1].offset))
      return "R4: marks out of order or of their bucket";
  return NULL;
}

static const char *
check (const LdbBucket *tree, const LdbBucket **previous)
{
  if (tree == NULL)
    return NULL;
  const char *fault = check (tree->left, previous);
  if (fault == NULL && *previous != NULL
      && bytes_compare (boundary_of (*previous), boundary_of (tree)) >= 0)
    fault = "R1: boundaries do not rise";
  *previous = tree;
  if (fault == NULL && tree->total != total_of (tree->left) + tree->count + total_of (tree->right))
    fault = "R2: a total is wrong";
  if (fault == NULL
      && tree->marked != marked_of (tree->left) + mark_count (tree) + marked_of (tree->right))
    fault = "R2: a number of marks is wrong";
  if (fault == NULL
      && ((tree->left != NULL && tree->left->priority > tree->priority)
          || (tree->right != NULL && tree->right->priority > tree->priority)))
    fault = "R3: a child has a higher priority";
  if (fault == NULL)
    fault = check_marks (tree);
  return fault != NULL ? fault : check (tree->right, previous);
}

const char *
ldb_rank_index_check (const LdbRankIndex *self)
{
  const LdbBucket *previous = NULL;
  return check (self->root, &previous);
}

/* ---- changing ---- */

void
ldb_rank_index_append (LdbRankIndex *self, struct bytes boundary, guint64 count)
{
  self->root = ldb_bucket_tree_join (self->root, ldb_bucket_new (boundary, count));
}

void
ldb_rank_index_prepend (LdbRankIndex *self, struct bytes boundary, guint64 count)
{
  self->root = ldb_bucket_tree_join (ldb_bucket_new (boundary, count), self->root);
}

void
ldb_rank_index_set_start (LdbRankIndex *self, struct bytes boundary)
{
  LdbBucket *first = ldb_bucket_tree_first (self->root);
  if (first == NULL || bytes_equal (boundary_of (first), boundary))
    return;
  g_assert (bytes_compare (boundary, boundary_of (first)) < 0);
  first = ldb_bucket_tree_take_first (&self->root);
  LdbBucket *fresh = ldb_bucket_new (boundary, first->count);
  fresh->marks = g_steal_pointer (&first->marks);
  fresh->stamp = first->stamp;
  ldb_bucket_free (first);
  self->root = ldb_bucket_tree_join (sum_up (fresh), self->root);
}

void
ldb_rank_index_join_behind (LdbRankIndex *self, LdbRankIndex *other)
{
  self->root = ldb_bucket_tree_join (self->root, g_steal_pointer (&other->root));
}

void
ldb_rank_index_join_before (LdbRankIndex *self, LdbRankIndex *other)
{
  self->root = ldb_bucket_tree_join (g_steal_pointer (&other->root), self->root);
}

void
ldb_rank_index_set_stamp (LdbRankIndex *self, guint32 stamp)
{
  self->stamp = stamp;
}

void
ldb_rank_index_touch (LdbRankIndex *self, struct bytes key)
{
  LdbRankPlace place = ldb_rank_index_find_key (self, key);
  if (place.bucket != NULL)
    place.bucket->stamp = self->stamp;
}

static void
bucket_edit (LdbRankIndex *self, LdbBucket *bucket, guint64 offset, guint64 removed, guint64 added,
             LdbMarkFunc gone, gpointer data)
{
  g_assert (offset <= bucket->count && removed <= bucket->count - offset);
  ldb_bucket_edit_marks (bucket, offset, removed, added, gone, data);
  bucket->count += added - removed;
  bucket->stamp = self->stamp;
}

void
ldb_rank_index_edit (LdbRankIndex *self, struct bytes key, guint64 rank, guint64 removed,
                     guint64 added, LdbMarkFunc gone, gpointer data)
{
  LdbRankPlace place = ldb_rank_index_find_key (self, key);
  if (place.bucket == NULL)
    {
      g_assert (rank == 0 && removed == 0);
      ldb_rank_index_append (self, key, added);
      return;
    }
  g_assert (rank >= place.first);
  bucket_edit (self, place.bucket, rank - place.first, removed, added, gone, data);
  ldb_bucket_tree_refresh (self->root, place.bucket);
}

/* Many edits, the one that is next, and what has to be told. */
typedef struct
{
  LdbRankIndex *index;
  const LdbRankEdit *edits;
  guint at, count;
  guint64 grown; /* rows added less rows removed so far; may wrap around */
  guint32 lost;  /* marks so far */
  LdbMarkFunc gone;
  gpointer data;
} Editing;

#define EDITS_AHEAD 4u /* whose buckets are sent for: memory is what edits wait for */

static inline void
prefetch_bucket (const Editing *editing, guint at)
{
  if (at >= editing->count)
    return;
  const char *bucket = (const char *) editing->edits[at].bucket;
  __builtin_prefetch (bucket);
  __builtin_prefetch (bucket + 64);
}

/* The next edit is of a bucket that comes before `bucket`; NULL comes after all. */
static inline gboolean
is_next_before (const Editing *editing, const LdbBucket *bucket)
{
  if (editing->at == editing->count)
    return FALSE;
  const LdbBucket *its = editing->edits[editing->at].bucket;
  return bucket == NULL
         || (its != bucket && bytes_compare (boundary_of (its), boundary_of (bucket)) < 0);
}

/* All edits of the bucket. */
static void
edit_bucket (LdbBucket *bucket, Editing *editing)
{
  guint64 shift = 0; /* by which earlier edits moved its rows; may wrap around */
  guint marks = mark_count (bucket);
  while (editing->at < editing->count && editing->edits[editing->at].bucket == bucket)
    {
      const LdbRankEdit *edit = &editing->edits[editing->at++];
      prefetch_bucket (editing, editing->at + EDITS_AHEAD);
      bucket_edit (editing->index, bucket, edit->offset + shift, edit->removed, edit->added,
                   editing->gone, editing->data);
      shift += edit->added - edit->removed;
    }
  editing->grown += shift;
  editing->lost += marks - mark_count (bucket);
}

/* In order, down to where there is something to do: the next edit is of a bucket of the tree, which
 * ends before `limit`. Sums are moved, not made anew: children with nothing to do are not looked
 * at. */
static void
edit_tree (LdbBucket *tree, const LdbBucket *limit, Editing *editing)
{
  guint64 grown = editing->grown;
  guint32 lost = editing->lost;
  if (is_next_before (editing, tree))
    edit_tree (tree->left, tree, editing);
  edit_bucket (tree, editing);
  if (is_next_before (editing, limit))
    edit_tree (tree->right, limit, editing);
  tree->total += editing->grown - grown;
  tree->marked -= editing->lost - lost;
}

void
ldb_rank_index_edit_many (LdbRankIndex *self, const LdbRankEdit *edits, guint count,
                          LdbMarkFunc gone, gpointer data)
{
  Editing editing = { self, edits, 0, count, 0, 0, gone, data };
  if (count > 0)
    edit_tree (self->root, NULL, &editing);
  g_assert (editing.at == count);
}

void
ldb_rank_index_remove_range (LdbRankIndex *self, struct bytes lower, struct bytes upper,
                             guint64 rank, guint64 removed, LdbMarkFunc gone, gpointer data)
{
  LdbBucket *before, *within, *behind = NULL, *last = NULL;
  ldb_bucket_tree_split (self->root, lower, &before, &within);
  if (upper.size > 0)
    ldb_bucket_tree_split (within, upper, &within, &behind);
  LdbBucket **first = within != NULL ? &within : &behind;
  if (before == NULL && *first != NULL) /* it also covers what is below its boundary */
    before = ldb_bucket_tree_take_first (first);
  guint64 left = removed;
  guint64 partly = MIN (removed, total_of (before) - rank);
  if (partly > 0)
    {
      LdbBucket *bucket = ldb_bucket_tree_last (before);
      guint64 offset = bucket->count - (total_of (before) - rank);
      bucket_edit (self, bucket, offset, partly, 0, gone, data);
      ldb_bucket_tree_refresh (before, bucket);
      left -= partly;
    }
  if (within != NULL)
    {
      last = ldb_bucket_tree_take_last (&within);
      g_assert (left >= total_of (within) && left - total_of (within) <= last->count);
      bucket_edit (self, last, 0, left - total_of (within), 0, gone, data);
      sum_up (last);
      ldb_bucket_tree_free (within, gone, data);
      LdbBucket *next = ldb_bucket_tree_first (behind);
      gboolean covered = next != NULL ? bytes_equal (boundary_of (next), upper) : upper.size == 0;
      if (covered)
        g_clear_pointer (&last, ldb_bucket_free);
    }
  else
    g_assert (left == 0);
  self->root = ldb_bucket_tree_join (ldb_bucket_tree_join (before, last), behind);
}

static void
stamp_all (LdbBucket *tree, guint32 stamp)
{
  for (; tree != NULL; tree = tree->right)
    {
      stamp_all (tree->left, stamp);
      tree->stamp = stamp;
    }
}

/* Gives each mark of `from` to the bucket that its row is in now. */
static void
spread_marks (LdbRankIndex *to, LdbBucket *from)
{
  for (guint i = 0; i < mark_count (from); i++)
    ldb_rank_index_mark (to, from->marks->items[i].offset, from->marks->items[i].mark);
  ldb_bucket_set_mark_count (from, 0);
}

void
ldb_rank_index_divide (LdbRankIndex *self, struct bytes key, LdbRankIndex *other)
{
  LdbBucket *before, *behind;
  LdbBucket *bucket = ldb_rank_index_find_key (self, key).bucket;
  ldb_bucket_tree_split (self->root, boundary_of (bucket), &before, &behind);
  LdbBucket *taken = ldb_bucket_tree_take_first (&behind);
  g_assert (taken == bucket && bucket->count == total_of (other->root));
  spread_marks (other, bucket);
  stamp_all (other->root, self->stamp);
  ldb_bucket_free (bucket);
  self->root = ldb_bucket_tree_join (ldb_bucket_tree_join (before, g_steal_pointer (&other->root)),
                                     behind);
}

/* Takes out the bucket, whose boundary is in the tree. */
static void
take_out (LdbRankIndex *self, LdbBucket *bucket)
{
  LdbBucket *before, *behind;
  ldb_bucket_tree_split (self->root, boundary_of (bucket), &before, &behind);
  LdbBucket *taken = ldb_bucket_tree_take_first (&behind);
  g_assert (taken == bucket);
  self->root = ldb_bucket_tree_join (before, behind);
}

/* Puts the rows of the second bucket, which comes behind the first, there. */
static void
unite (LdbRankIndex *self, LdbBucket *first, LdbBucket *second)
{
  take_out (self, second);
  ldb_bucket_move_marks (second, first, first->count);
  first->count += second->count;
  first->stamp = self->stamp;
  ldb_bucket_free (second);
  ldb_bucket_tree_refresh (self->root, first);
}

void
ldb_rank_index_tidy (LdbRankIndex *self, struct bytes key)
{
  LdbRankPlace place = ldb_rank_index_find_key (self, key);
  if (place.bucket == NULL)
    return;
  if (place.bucket->count == 0)
    {
      take_out (self, place.bucket);
      ldb_bucket_free (place.bucket);
      return;
    }
  if (place.next != NULL && place.bucket->count + place.next->count <= LDB_BUCKET_FILL)
    unite (self, place.bucket, place.next);
  if (place.first == 0)
    return;
  LdbRankPlace previous = ldb_rank_index_find_rank (self, place.first - 1);
  if (previous.next == place.bucket
      && previous.bucket->count + place.bucket->count <= LDB_BUCKET_FILL)
    unite (self, previous.bucket, place.bucket);
}

static GBytes *
boundary_bytes (const LdbBucket *bucket)
{
  return g_bytes_new (bucket->boundary, bucket->boundary_size);
}

gboolean
ldb_rank_index_trim_end (LdbRankIndex *self, guint64 rows, GBytes **edge, LdbMarkFunc gone,
                         gpointer data)
{
  LdbBucket *kept, *trimmed;
  LdbRankPlace place = ldb_rank_index_find_rank (self, rows > 0 ? rows - 1 : 0);
  if (place.next == NULL)
    return FALSE;
  *edge = boundary_bytes (place.next);
  ldb_bucket_tree_split (self->root, boundary_of (place.next), &kept, &trimmed);
  self->root = kept;
  ldb_bucket_tree_free (trimmed, gone, data);
  return TRUE;
}

gboolean
ldb_rank_index_trim_start (LdbRankIndex *self, guint64 rows, GBytes **edge, LdbMarkFunc gone,
                           gpointer data)
{
  LdbBucket *kept, *trimmed;
  guint64 total = total_of (self->root);
  if (rows >= total)
    return FALSE;
  LdbRankPlace place = ldb_rank_index_find_rank (self, total - MAX (rows, 1));
  if (place.first == 0)
    return FALSE;
  *edge = boundary_bytes (place.bucket);
  ldb_bucket_tree_split (self->root, boundary_of (place.bucket), &trimmed, &kept);
  self->root = kept;
  ldb_bucket_tree_free (trimmed, gone, data);
  return TRUE;
}

/* ---- marks ---- */

static void
foreach_mark (const LdbBucket *tree, LdbMarkFunc func, gpointer data)
{
  if (marked_of (tree) == 0)
    return;
  foreach_mark (tree->left, func, data);
  for (guint i = 0; i < mark_count (tree); i++)
    func (tree->marks->items[i].mark, data);
  foreach_mark (tree->right, func, data);
}

void
ldb_rank_index_foreach_mark (const LdbRankIndex *self, LdbMarkFunc func, gpointer data)
{
  foreach_mark (self->root, func, data);
}

/* `before`: rows of buckets left of the tree. */
static void
list_marks (const LdbBucket *tree, guint64 before, GArray *ranks)
{
  if (marked_of (tree) == 0)
    return;
  guint64 first = before + total_of (tree->left);
  list_marks (tree->left, before, ranks);
  for (guint i = 0; i < mark_count (tree); i++)
    {
      guint64 rank = first + tree->marks->items[i].offset;
      g_array_append_val (ranks, rank);
    }
  list_marks (tree->right, first + tree->count, ranks);
}

void
ldb_rank_index_list_marks (const LdbRankIndex *self, GArray *ranks)
{
  list_marks (self->root, 0, ranks);
}

gpointer
ldb_rank_index_get_mark (const LdbRankPlace *place, guint64 rank)
{
  const LdbMarks *marks = place->bucket->marks;
  guint64 offset = rank - place->first;
  guint at = ldb_bucket_find_mark (marks, offset);
  if (marks == NULL || at == marks->count || marks->items[at].offset != offset)
    return NULL;
  return marks->items[at].mark;
}

void
ldb_rank_index_mark (LdbRankIndex *self, guint64 rank, gpointer mark)
{
  LdbRankPlace place = ldb_rank_index_find_rank (self, rank);
  g_assert (place.bucket != NULL);
  ldb_bucket_insert_mark (place.bucket, rank - place.first, mark);
  ldb_bucket_tree_refresh_marked (self->root, place.bucket);
}

guint64
ldb_rank_index_count_marks (const LdbRankIndex *self, guint64 rank)
{
  guint64 before = 0;
  for (const LdbBucket *tree = self->root; tree != NULL;)
    {
      guint64 left = total_of (tree->left);
      if (rank < left)
        {
          tree = tree->left;
          continue;
        }
      before += marked_of (tree->left) + ldb_bucket_find_mark (tree->marks, rank - left);
      if (rank - left <= tree->count)
        break;
      rank -= left + tree->count;
      tree = tree->right;
    }
  return before;
}

/* Looking at marks, in the order of their rows. */
typedef struct
{
  guint64 rank; /* behind the last one that was looked at */
  guint left;   /* marks to be looked at */
  LdbMarkCheck keep;
  gpointer data;
} Sweep;

/* `first`: the rank of the bucket's first row. */
static void
sweep_bucket (LdbBucket *bucket, guint64 first, Sweep *sweep)
{
  guint from = sweep->rank > first ? ldb_bucket_find_mark (bucket->marks, sweep->rank - first) : 0;
  guint kept = from, at = from;
  for (; at < mark_count (bucket) && sweep->left > 0; at++, sweep->left--)
    {
      const LdbMark *mark = &bucket->marks->items[at];
      sweep->rank = first + mark->offset + 1;
      if (sweep->keep (mark->mark, sweep->data))
        bucket->marks->items[kept++] = *mark;
    }
  if (kept == at)
    return;
  guint behind = mark_count (bucket) - at;
  memmove (bucket->marks->items + kept, bucket->marks->items + at, behind * sizeof (LdbMark));
  ldb_bucket_set_mark_count (bucket, kept + behind);
}

/* `before`: rows of buckets left of the tree. */
static void
sweep_tree (LdbBucket *tree, guint64 before, Sweep *sweep)
{
  if (marked_of (tree) == 0 || sweep->left == 0 || before + tree->total <= sweep->rank)
    return;
  guint64 first = before + total_of (tree->left);
  sweep_tree (tree->left, before, sweep);
  sweep_bucket (tree, first, sweep);
  sweep_tree (tree->right, first + tree->count, sweep);
  sum_up_marked (tree);
}

guint64
ldb_rank_index_sweep (LdbRankIndex *self, guint64 rank, guint count, LdbMarkCheck keep,
                      gpointer data)
{
  Sweep sweep = { rank, count, keep, data };
  sweep_tree (self->root, 0, &sweep);
  return sweep.left == 0 ? sweep.rank : 0;
}
