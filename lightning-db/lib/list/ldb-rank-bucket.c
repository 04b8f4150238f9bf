/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-rank-bucket-private.h"

#include <string.h>

#define MARKS_LEAST 4u /* a bucket's marks begin with room for so many */

/* Numbers that look random, the same in every run; one sequence for all indexes, so that trees that
 * are joined have nothing in common. */
static guint32
draw_priority (void)
{
  static gint drawn;
  guint64 mixed = ((guint64) (guint) g_atomic_int_add (&drawn, 1) + 1)
                  * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  return (guint32) (mixed >> 32) ^ (guint32) mixed;
}

LdbBucket *
ldb_bucket_new (struct bytes boundary, guint64 count)
{
  LdbBucket *bucket = g_malloc (sizeof *bucket + boundary.size);
  *bucket = (LdbBucket){
    .count = count,
    .priority = draw_priority (),
    .boundary_size = (guint32) boundary.size,
  };
  if (boundary.size > 0)
    memcpy (bucket->boundary, boundary.data, boundary.size);
  return sum_up (bucket);
}

void
ldb_bucket_free (LdbBucket *bucket)
{
  g_free (bucket->marks);
  g_free (bucket);
}

struct bytes
ldb_bucket_boundary (const LdbBucket *bucket)
{
  return boundary_of (bucket);
}

guint64
ldb_bucket_count (const LdbBucket *bucket)
{
  return bucket->count;
}

gboolean
ldb_bucket_changed (const LdbBucket *bucket, guint32 then, guint32 now)
{
  guint32 behind = bucket->stamp - then; /* may wrap around */
  return behind != 0 && behind <= now - then;
}

/* ---- marks of one bucket ---- */

guint
ldb_bucket_find_mark (const LdbMarks *marks, guint64 offset)
{
  guint low = 0, high = marks != NULL ? marks->count : 0;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (marks->items[middle].offset < offset)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
ldb_bucket_insert_mark (LdbBucket *bucket, guint64 offset, gpointer mark)
{
  guint count = mark_count (bucket);
  guint at = ldb_bucket_find_mark (bucket->marks, offset);
  if (bucket->marks == NULL || count == bucket->marks->room)
    {
      guint room = count > 0 ? 2 * count : MARKS_LEAST;
      bucket->marks = g_realloc (bucket->marks, sizeof (LdbMarks) + room * sizeof (LdbMark));
      bucket->marks->room = room;
    }
  LdbMark *items = bucket->marks->items;
  g_assert (at == count || items[at].offset != offset); /* R4 */
  memmove (items + at + 1, items + at, (count - at) * sizeof (LdbMark));
  items[at] = (LdbMark){ offset, mark };
  bucket->marks->count = count + 1;
}

void
ldb_bucket_set_mark_count (LdbBucket *bucket, guint count)
{
  if (bucket->marks == NULL)
    return;
  bucket->marks->count = count;
  if (count == 0)
    g_clear_pointer (&bucket->marks, g_free);
}

void
ldb_bucket_edit_marks (LdbBucket *bucket, guint64 offset, guint64 removed, guint64 added,
                       LdbMarkFunc gone, gpointer data)
{
  LdbMarks *marks = bucket->marks;
  if (marks == NULL)
    return;
  guint from = ldb_bucket_find_mark (marks, offset),
        to = ldb_bucket_find_mark (marks, offset + removed);
  for (guint i = to; i < marks->count; i++)
    marks->items[i].offset += added - removed;
  for (guint i = from; i < to; i++)
    if (gone != NULL)
      gone (marks->items[i].mark, data);
  memmove (marks->items + from, marks->items + to, (marks->count - to) * sizeof (LdbMark));
  ldb_bucket_set_mark_count (bucket, marks->count - (to - from));
}

void
ldb_bucket_move_marks (LdbBucket *from, LdbBucket *to, guint64 shift)
{
  for (guint i = 0; i < mark_count (from); i++)
    ldb_bucket_insert_mark (to, from->marks->items[i].offset + shift, from->marks->items[i].mark);
  ldb_bucket_set_mark_count (from, 0);
}

static void
give_up_marks (LdbBucket *bucket, LdbMarkFunc gone, gpointer data)
{
  for (guint i = 0; gone != NULL && i < mark_count (bucket); i++)
    gone (bucket->marks->items[i].mark, data);
  ldb_bucket_set_mark_count (bucket, 0);
}

void
ldb_bucket_foreach_mark (const LdbBucket *bucket, LdbBucketMarkFunc func, gpointer data)
{
  for (guint i = 0; i < mark_count (bucket); i++)
    func (bucket->marks->items[i].offset, bucket->marks->items[i].mark, data);
}

/* ---- the tree ---- */

void
ldb_bucket_tree_split (LdbBucket *tree, struct bytes key, LdbBucket **below, LdbBucket **rest)
{
  if (tree == NULL)
    *below = *rest = NULL;
  else if (bytes_compare (boundary_of (tree), key) < 0)
    {
      *below = tree;
      ldb_bucket_tree_split (tree->right, key, &tree->right, rest);
      sum_up (tree);
    }
  else
    {
      *rest = tree;
      ldb_bucket_tree_split (tree->left, key, below, &tree->left);
      sum_up (tree);
    }
}

LdbBucket *
ldb_bucket_tree_join (LdbBucket *low, LdbBucket *high)
{
  if (low == NULL || high == NULL)
    return low != NULL ? low : high;
  if (low->priority >= high->priority)
    {
      low->right = ldb_bucket_tree_join (low->right, high);
      return sum_up (low);
    }
  high->left = ldb_bucket_tree_join (low, high->left);
  return sum_up (high);
}

LdbBucket *
ldb_bucket_tree_take_first (LdbBucket **tree)
{
  LdbBucket *first = *tree;
  if (first->left != NULL)
    {
      LdbBucket *found = ldb_bucket_tree_take_first (&first->left);
      sum_up (first);
      return found;
    }
  *tree = first->right;
  first->right = NULL;
  return sum_up (first);
}

LdbBucket *
ldb_bucket_tree_take_last (LdbBucket **tree)
{
  LdbBucket *last = *tree;
  if (last->right != NULL)
    {
      LdbBucket *found = ldb_bucket_tree_take_last (&last->right);
      sum_up (last);
      return found;
    }
  *tree = last->left;
  last->left = NULL;
  return sum_up (last);
}

LdbBucket *
ldb_bucket_tree_first (LdbBucket *tree)
{
  while (tree != NULL && tree->left != NULL)
    tree = tree->left;
  return tree;
}

LdbBucket *
ldb_bucket_tree_last (LdbBucket *tree)
{
  while (tree != NULL && tree->right != NULL)
    tree = tree->right;
  return tree;
}

void
ldb_bucket_tree_refresh (LdbBucket *tree, const LdbBucket *bucket)
{
  if (tree != bucket)
    ldb_bucket_tree_refresh (
        bytes_compare (boundary_of (bucket), boundary_of (tree)) < 0 ? tree->left : tree->right,
        bucket);
  sum_up (tree);
}

void
ldb_bucket_tree_refresh_marked (LdbBucket *tree, const LdbBucket *bucket)
{
  if (tree != bucket)
    ldb_bucket_tree_refresh_marked (
        bytes_compare (boundary_of (bucket), boundary_of (tree)) < 0 ? tree->left : tree->right,
        bucket);
  sum_up_marked (tree);
}

/* It goes down one side and loops over the other. */
void
ldb_bucket_tree_free (LdbBucket *tree, LdbMarkFunc gone, gpointer data)
{
  while (tree != NULL)
    {
      LdbBucket *right = tree->right;
      ldb_bucket_tree_free (tree->left, gone, data);
      give_up_marks (tree, gone, data);
      ldb_bucket_free (tree);
      tree = right;
    }
}
