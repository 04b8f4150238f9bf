/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-range-map-private.h"

/* What is asked for: entries that start before `upper`, or at it when `inclusive`, and end behind
 * `lower`. */
typedef struct
{
  const LdbRangeMap *map;
  LdbBound lower, upper;
  gboolean inclusive;
  LdbRangeFunc visit;
  gpointer data;
} Question;

static LdbRangeEntry *
entry_at (const LdbRangeMap *map, guint index)
{
  return &g_array_index (map->entries, LdbRangeEntry, index);
}

void
ldb_range_map_init (LdbRangeMap *map)
{
  map->entries = g_array_new (FALSE, FALSE, sizeof (LdbRangeEntry));
}

void
ldb_range_map_clear (LdbRangeMap *map)
{
  g_clear_pointer (&map->entries, g_array_unref);
}

void
ldb_range_map_empty (LdbRangeMap *map)
{
  g_array_set_size (map->entries, 0);
}

void
ldb_range_map_add (LdbRangeMap *map, LdbBound lower, LdbBound upper, gpointer item)
{
  LdbRangeEntry entry = { .lower = lower, .upper = upper, .item = item };
  g_array_append_val (map->entries, entry);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const LdbRangeEntry *one = a, *other = b;
  return ldb_bound_compare (one->lower, other->lower);
}

static guint
greater (const LdbRangeMap *map, guint a, guint b)
{
  return ldb_bound_compare (entry_at (map, a)->upper, entry_at (map, b)->upper) < 0 ? b : a;
}

/* Of the entries from `first` on, before `end`; there is one. As deep as the tree: at most 32. */
static guint
seal_subtree (LdbRangeMap *map, guint first, guint end)
{
  guint root = first + (end - first) / 2;
  guint greatest = root;
  if (first < root)
    greatest = greater (map, greatest, seal_subtree (map, first, root));
  if (root + 1 < end)
    greatest = greater (map, greatest, seal_subtree (map, root + 1, end));
  entry_at (map, root)->greatest = greatest;
  return greatest;
}

void
ldb_range_map_seal (LdbRangeMap *map)
{
  g_array_sort (map->entries, compare_entries);
  if (map->entries->len > 0)
    seal_subtree (map, 0, map->entries->len);
}

static void
ask_subtree (const Question *question, guint first, guint end)
{
  if (first >= end)
    return;
  guint root = first + (end - first) / 2;
  LdbRangeEntry *entry = entry_at (question->map, root);
  if (ldb_bound_compare (entry_at (question->map, entry->greatest)->upper, question->lower) <= 0)
    return;
  ask_subtree (question, first, root);
  gint order = ldb_bound_compare (entry->lower, question->upper);
  if (order > 0 || (order == 0 && !question->inclusive))
    return;
  if (ldb_bound_compare (entry->upper, question->lower) > 0)
    question->visit (entry->item, question->data);
  ask_subtree (question, root + 1, end);
}

void
ldb_range_map_meet (const LdbRangeMap *map, LdbBound lower, LdbBound upper, LdbRangeFunc visit,
                    gpointer data)
{
  Question question = { map, lower, upper, FALSE, visit, data };
  ask_subtree (&question, 0, map->entries->len);
}

void
ldb_range_map_contain (const LdbRangeMap *map, LdbBound key, LdbRangeFunc visit, gpointer data)
{
  Question question = { map, key, key, TRUE, visit, data };
  ask_subtree (&question, 0, map->entries->len);
}

gsize
ldb_bound_fit_bytes (guint8 *bound, gsize size)
{
  if (size <= KEY_SIZE_MAX)
    return size;
  /* Of the keys that are as long as they can be it is the next one. */
  size = KEY_SIZE_MAX;
  while (size > 0 && bound[size - 1] == 0xff)
    size--;
  if (size > 0)
    bound[size - 1]++;
  return size;
}

gboolean
ldb_bound_fit (GByteArray *bound)
{
  gsize size = ldb_bound_fit_bytes (bound->data, bound->len);
  gboolean there = size > 0 || bound->len == 0;
  g_byte_array_set_size (bound, (guint) size);
  return there;
}
