/* SPDX-License-Identifier: MIT */
/*
 * range-set: elementary intervals between the sorted end points, and a segment tree over them.
 *
 * A list of all sequences per fragment would be quadratic: [0,1) [0,2) … [0,n), which is how a
 * queue is consumed, has n fragments under up to n deletes each. So a delete is filed at the
 * O(log n) tree nodes that together are its fragments, and a fragment's deletes are the lists on
 * the path from its leaf to the root:
 *
 *          1              node i has children 2i and 2i+1; the leaf of fragment j is count + j
 *        /   \            (any count: the tree need not be full)
 *       2     3
 *      / \   / \
 *     4   5 6   7
 *
 * The usual question, at a snapshot newer than everything, is answered by `newest` of the leaf.
 *
 * Invariants
 *   R1  points rise strictly; fragment j lies between points first_point[j] and first_point[j] + 1.
 *   R2  Every fragment is covered by at least one delete, and a delete's fragments are consecutive.
 *   R3  Each node's list falls strictly. newest of a leaf is the greatest on its path; newest of an
 *       inner node is the greatest of its children's.
 */
#include "base/range-set.h"

#include <stdatomic.h>
#include <stdlib.h>

#define TREE_LEVELS_MAX 34 /* node numbers are below 2^33 */

struct indexed_delete
{
  uint64_t sequence;   /* as given */
  uint32_t start, end; /* points */
};

struct range_set
{
  _Atomic uint32_t references;
  uint32_t point_count;           /* distinct end points */
  uint32_t delete_count;          /* without duplicates */
  uint32_t fragment_count;        /* covered elementary intervals; at least 1 */
  size_t memory;                  /* bytes of this and all arrays */
  struct bytes *points;           /* rising (R1); the bytes are in `keys` */
  uint8_t *keys;                  /* bytes of all points, end to end */
  struct indexed_delete *deletes; /* by start, end, falling sequence */
  uint32_t *first_point;          /* per fragment (R1) */
  uint64_t *newest;               /* per node, 2 * fragment_count; 0 and unused at 0 (R3) */
  size_t *list_start;             /* per node, and one more: where its list is in `sequences` */
  uint64_t *sequences;            /* lists of all nodes (R3) */
};

/* One end point of one delete, to sort by. */
struct edge
{
  struct bytes key;      /* the caller's */
  uint32_t delete_index; /* in the caller's array */
  bool is_end;           /* of that delete */
};

/* --- building --------------------------------------------------------------------------------- */

static void *
allocate (struct range_set *set, size_t count, size_t size)
{
  size_t total;
  if (__builtin_mul_overflow (count, size, &total)
      || __builtin_add_overflow (set->memory, total, &set->memory))
    return NULL;
  return calloc (count > 0 ? count : 1, size);
}

static int
compare_edges (const void *a, const void *b)
{
  return bytes_compare (((const struct edge *) a)->key, ((const struct edge *) b)->key);
}

static int
compare_deletes (const void *a, const void *b)
{
  const struct indexed_delete *x = a, *y = b;
  if (x->start != y->start)
    return x->start < y->start ? -1 : 1;
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;
  return (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

static int
compare_newest_first (const void *a, const void *b)
{
  const struct indexed_delete *x = a, *y = b;
  return (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

static status
check_deletes (const struct range_delete *deletes, size_t count, struct failure *failure)
{
  if (count > RANGE_SET_MAX)
    return fail (failure, STATUS_TOO_MANY,
                 "%zu range deletes are more than one set holds; compact the database", count);
  for (size_t i = 0; i < count; i++)
    {
      if (bytes_compare (deletes[i].start, deletes[i].end) >= 0)
        return fail (failure, STATUS_INVALID,
                     "range delete %zu (sequence %llu) ends before it starts; give start < end", i,
                     (unsigned long long) deletes[i].sequence);
      if (deletes[i].sequence > SEQUENCE_MAX)
        return fail (failure, STATUS_INVALID, "range delete %zu has no valid sequence (%llu)", i,
                     (unsigned long long) deletes[i].sequence);
    }
  return STATUS_OK;
}

/* Copies the distinct keys of the sorted edges (R1) and turns the deletes' ends into numbers. */
static bool
build_points (struct range_set *set, const struct edge *edges, size_t edge_count)
{
  size_t bytes = 0, distinct = 0;
  for (size_t i = 0; i < edge_count; i++)
    if (i == 0 || !bytes_equal (edges[i - 1].key, edges[i].key))
      {
        distinct++;
        if (__builtin_add_overflow (bytes, edges[i].key.size, &bytes))
          return false;
      }
  set->points = allocate (set, distinct, sizeof *set->points);
  set->keys = allocate (set, bytes, 1);
  if (set->points == NULL || set->keys == NULL)
    return false;

  uint8_t *at = set->keys;
  for (size_t i = 0; i < edge_count; i++)
    {
      const struct edge *edge = &edges[i];
      if (i == 0 || !bytes_equal (edges[i - 1].key, edge->key))
        {
          if (edge->key.size > 0)
            memcpy (at, edge->key.data, edge->key.size);
          set->points[set->point_count++] = BYTES (at, edge->key.size);
          at += edge->key.size;
        }
      struct indexed_delete *delete = &set->deletes[edge->delete_index];
      *(edge->is_end ? &delete->end : &delete->start) = set->point_count - 1;
    }
  return true;
}

static bool
index_deletes (struct range_set *set, const struct range_delete *deletes, size_t count)
{
  struct edge *edges = calloc (count, 2 * sizeof *edges);
  set->deletes = allocate (set, count, sizeof *set->deletes);
  bool built = edges != NULL && set->deletes != NULL;
  for (uint32_t i = 0; built && i < count; i++)
    {
      edges[2 * (size_t) i] = (struct edge){ deletes[i].start, i, false };
      edges[2 * (size_t) i + 1] = (struct edge){ deletes[i].end, i, true };
      set->deletes[i].sequence = deletes[i].sequence;
    }
  if (built)
    {
      qsort (edges, 2 * count, sizeof *edges, compare_edges);
      built = build_points (set, edges, 2 * count);
    }
  free (edges);
  if (!built)
    return false;

  qsort (set->deletes, count, sizeof *set->deletes, compare_deletes);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || compare_deletes (&set->deletes[i - 1], &set->deletes[i]) != 0)
      set->deletes[set->delete_count++] = set->deletes[i];
  return true;
}

/* Finds the covered intervals (R2). `fragment_of`: per point, the fragment that starts there. */
static bool
build_fragments (struct range_set *set, uint32_t *fragment_of)
{
  uint32_t next = 0, reach = 0;
  for (uint32_t point = 0; point < set->point_count; point++)
    {
      for (; next < set->delete_count && set->deletes[next].start == point; next++)
        if (set->deletes[next].end > reach)
          reach = set->deletes[next].end;
      fragment_of[point] = set->fragment_count;
      set->fragment_count += point < reach;
    }

  set->first_point = allocate (set, set->fragment_count, sizeof *set->first_point);
  if (set->first_point == NULL)
    return false;
  for (uint32_t point = 0; point + 1 < set->point_count; point++)
    if (fragment_of[point + 1] != fragment_of[point])
      set->first_point[fragment_of[point]] = point;
  return true;
}

/* Files each delete (newest first) at its nodes. First pass, `sequences` NULL: counts into
 * list_start[node + 1]. Second pass: fills lists. `last`: per node, what was filed there last. */
static void
file_deletes (struct range_set *set, const struct indexed_delete *newest_first,
              const uint32_t *fragment_of, uint64_t *last)
{
  size_t *count = set->list_start;
  for (uint32_t i = 0; i < set->delete_count; i++)
    {
      uint64_t sequence = newest_first[i].sequence;
      size_t nodes[2 * TREE_LEVELS_MAX], found = 0;
      size_t left = (size_t) fragment_of[newest_first[i].start] + set->fragment_count;
      size_t right = (size_t) fragment_of[newest_first[i].end] + set->fragment_count;
      for (; left < right; left >>= 1, right >>= 1)
        {
          if ((left & 1) != 0)
            nodes[found++] = left++;
          if ((right & 1) != 0)
            nodes[found++] = --right;
        }
      for (size_t n = 0; n < found; n++)
        if (last[nodes[n]] != sequence)
          {
            last[nodes[n]] = sequence;
            if (set->sequences != NULL)
              set->sequences[count[nodes[n]]] = sequence;
            count[nodes[n]]++;
          }
    }
}

/* Turns counts into starts, or (after filling) ends back into starts. */
static void
counts_to_starts (size_t *values, size_t count)
{
  size_t start = 0;
  for (size_t i = 0; i < count; i++)
    {
      size_t own = values[i];
      values[i] = start;
      start += own;
    }
}

static void
ends_to_starts (size_t *values, size_t count)
{
  for (size_t i = count - 1; i > 0; i--)
    values[i] = values[i - 1];
  values[0] = 0;
}

/* R3 */
static void
build_newest (struct range_set *set)
{
  size_t leaves = set->fragment_count;
  uint64_t *newest = set->newest;
  for (size_t node = 1; node < 2 * leaves; node++)
    {
      size_t start = set->list_start[node];
      uint64_t own = start < set->list_start[node + 1] ? set->sequences[start] : 0;
      uint64_t above = node > 1 ? newest[node / 2] : 0;
      newest[node] = own > above ? own : above;
    }
  for (size_t node = leaves - 1; node > 0; node--)
    newest[node]
        = newest[2 * node] > newest[2 * node + 1] ? newest[2 * node] : newest[2 * node + 1];
}

static bool
build_tree (struct range_set *set, struct indexed_delete *newest_first, const uint32_t *fragment_of)
{
  size_t nodes = 2 * (size_t) set->fragment_count;
  uint64_t *last = malloc (nodes * sizeof *last);
  set->newest = allocate (set, nodes, sizeof *set->newest);
  set->list_start = allocate (set, nodes + 1, sizeof *set->list_start);
  bool built = last != NULL && set->newest != NULL && set->list_start != NULL;
  if (built)
    {
      memcpy (newest_first, set->deletes, set->delete_count * sizeof *newest_first);
      qsort (newest_first, set->delete_count, sizeof *newest_first, compare_newest_first);
      memset (last, 0xff, nodes * sizeof *last);
      file_deletes (set, newest_first, fragment_of, last);
      counts_to_starts (set->list_start, nodes + 1);
      set->sequences = allocate (set, set->list_start[nodes], sizeof *set->sequences);
      built = set->sequences != NULL;
    }
  if (built)
    {
      memset (last, 0xff, nodes * sizeof *last);
      file_deletes (set, newest_first, fragment_of, last);
      ends_to_starts (set->list_start, nodes + 1);
      build_newest (set);
    }
  free (last);
  return built;
}

static bool
build (struct range_set *set, const struct range_delete *deletes, size_t count)
{
  bool built = index_deletes (set, deletes, count);
  uint32_t *fragment_of = NULL;
  struct indexed_delete *newest_first = NULL;
  if (built)
    {
      fragment_of = calloc (set->point_count, sizeof *fragment_of);
      newest_first = calloc (set->delete_count, sizeof *newest_first);
      built = fragment_of != NULL && newest_first != NULL && build_fragments (set, fragment_of)
              && build_tree (set, newest_first, fragment_of);
    }
  free (newest_first);
  free (fragment_of);
  return built;
}

static void
range_set_free (struct range_set *set)
{
  free (set->points);
  free (set->keys);
  free (set->deletes);
  free (set->first_point);
  free (set->newest);
  free (set->list_start);
  free (set->sequences);
  free (set);
}

status
range_set_build (const struct range_delete *deletes, size_t count, struct range_set **out,
                 struct failure *failure)
{
  *out = NULL;
  status result = check_deletes (deletes, count, failure);
  if (result != STATUS_OK || count == 0)
    return result;
  struct range_set *set = calloc (1, sizeof *set);
  if (set == NULL)
    return fail_memory (failure, sizeof *set, "a set of range deletes");
  set->references = 1;
  set->memory = sizeof *set;
  if (!build (set, deletes, count))
    {
      result = fail_memory (failure, set->memory, "a set of range deletes");
      range_set_free (set);
      return result;
    }
  *out = set;
  return STATUS_OK;
}

struct range_set *
range_set_ref (struct range_set *set)
{
  if (set != NULL)
    atomic_fetch_add_explicit (&set->references, 1, memory_order_relaxed);
  return set;
}

void
range_set_unref (struct range_set *set)
{
  if (set != NULL && atomic_fetch_sub_explicit (&set->references, 1, memory_order_acq_rel) == 1)
    range_set_free (set);
}

/* --- asking ----------------------------------------------------------------------------------- */

static struct bytes
fragment_start (const struct range_set *set, size_t index)
{
  return set->points[set->first_point[index]];
}

static struct bytes
fragment_end (const struct range_set *set, size_t index)
{
  return set->points[set->first_point[index] + 1];
}

size_t
range_set_find (const struct range_set *set, struct bytes key)
{
  size_t low = 0, high = range_set_fragment_count (set);
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (bytes_compare (fragment_end (set, middle), key) > 0)
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

/* Index of the first fragment that starts at or after `key`. */
static size_t
find_start (const struct range_set *set, struct bytes key)
{
  size_t low = 0, high = set->fragment_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (bytes_compare (fragment_start (set, middle), key) >= 0)
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

/* The greatest of a falling list that is at most `snapshot`, or 0. */
static uint64_t
list_newest (const uint64_t *list, const uint64_t *end, uint64_t snapshot)
{
  while (list < end)
    {
      const uint64_t *middle = list + (end - list) / 2;
      if (*middle <= snapshot)
        end = middle;
      else
        list = middle + 1;
    }
  return *list; /* see range_set_fragment_newest: there is one */
}

uint64_t
range_set_fragment_newest (const struct range_set *set, size_t index, uint64_t snapshot)
{
  size_t node = index + set->fragment_count;
  uint64_t newest = set->newest[node];
  if (newest <= snapshot)
    return newest;
  for (newest = 0; node > 0; node /= 2)
    {
      size_t start = set->list_start[node], end = set->list_start[node + 1];
      if (start == end || set->sequences[end - 1] > snapshot || set->sequences[start] <= newest)
        continue;
      uint64_t here = list_newest (set->sequences + start, set->sequences + end - 1, snapshot);
      if (here > newest)
        newest = here;
    }
  return newest;
}

uint64_t
range_set_cover (const struct range_set *set, struct bytes key, uint64_t snapshot)
{
  if (set == NULL)
    return 0;
  size_t index = range_set_find (set, key);
  if (index == set->fragment_count || bytes_compare (fragment_start (set, index), key) > 0)
    return 0;
  return range_set_fragment_newest (set, index, snapshot);
}

bool
range_set_touches (const struct range_set *set, struct bytes start, const struct bytes *end,
                   uint64_t since)
{
  if (set == NULL || (end != NULL && bytes_compare (start, *end) >= 0))
    return false;
  size_t left = range_set_find (set, start) + set->fragment_count;
  size_t right
      = (end != NULL ? find_start (set, *end) : set->fragment_count) + (size_t) set->fragment_count;
  for (; left < right; left >>= 1, right >>= 1)
    {
      if ((left & 1) != 0 && set->newest[left++] > since)
        return true;
      if ((right & 1) != 0 && set->newest[--right] > since)
        return true;
    }
  return false;
}

size_t
range_set_delete_count (const struct range_set *set)
{
  return set != NULL ? set->delete_count : 0;
}

struct range_delete
range_set_delete (const struct range_set *set, size_t index)
{
  const struct indexed_delete *delete = &set->deletes[index];
  return (struct range_delete){ set->points[delete->start], set->points[delete->end],
                                delete->sequence };
}

size_t
range_set_fragment_count (const struct range_set *set)
{
  return set != NULL ? set->fragment_count : 0;
}

struct range_fragment
range_set_fragment (const struct range_set *set, size_t index)
{
  return (struct range_fragment){ fragment_start (set, index), fragment_end (set, index),
                                  set->newest[index + set->fragment_count] };
}

size_t
range_set_memory (const struct range_set *set)
{
  return set != NULL ? set->memory : 0;
}
