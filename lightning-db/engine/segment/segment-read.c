/* SPDX-License-Identifier: MIT */
/*
 * Point gets. One get on memory costs the filter's line, the index (small, mostly in cache), the
 * page-table slot (prefetched before the index's last compare), the leaf's first lines (prefetched
 * together) and the record's lines (prefetched as soon as its offset is known).
 */
#include "base/hash.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <stdlib.h>

/* The key is not in a leaf: whether a filter should have said so. It may have come meanwhile. The
 * leaf where a key is found is its caller's to count (page_hits), who counts its outcome anyway. */
static __attribute__ ((noinline)) void
note_absent (const struct segment *segment, bool cached)
{
  if (cached)
    segment_count (segment, THREAD_PAGE_HITS, 1);
  if (atomic_load_explicit (&segment->filter, memory_order_relaxed) != NULL)
    segment_count (segment, THREAD_FILTERS_MISLED, 1);
}

/* Reads the filter in, if it is not there. */
static inline void
provide_filter (struct segment *segment)
{
  if (atomic_load_explicit (&segment->filter, memory_order_relaxed) == NULL
      && atomic_load_explicit (&segment->filter_wanted, memory_order_relaxed))
    segment_provide_filter (segment);
}

/* Whether the filter rules the key out. Reads the filter in, if it may. */
static inline bool
ruled_out (struct segment *segment, uint64_t hash, enum page_access access)
{
  struct segment_filter *filter = atomic_load_explicit (&segment->filter, memory_order_acquire);
  if (__builtin_expect (filter == NULL, 0))
    {
      if (access == PAGE_CACHED
          || !atomic_load_explicit (&segment->filter_wanted, memory_order_relaxed))
        return false;
      segment_provide_filter (segment);
      filter = atomic_load_explicit (&segment->filter, memory_order_acquire);
    }
  if (filter == NULL || filter_may_contain (&filter->filter, hash))
    return false;
  segment_count (segment, THREAD_FILTERS_EXCLUDED, 1);
  return true;
}

static inline const struct flat_index *
index_of (struct segment *segment, enum page_access access)
{
  struct flat_index *index = atomic_load_explicit (&segment->index, memory_order_acquire);
  if (__builtin_expect (index == NULL, 0) && access != PAGE_CACHED
      && atomic_load_explicit (&segment->index_wanted, memory_order_relaxed))
    {
      segment_provide_index (segment);
      index = atomic_load_explicit (&segment->index, memory_order_acquire);
    }
  return index;
}

/* The leaf where the key's versions begin, and its number. */
static inline status
first_leaf (struct segment *segment, struct bytes key, enum page_access access, uint32_t *leaf,
            const uint8_t **page, struct steps *steps, struct failure *failure)
{
  const struct flat_index *index = index_of (segment, access);
  if (__builtin_expect (index != NULL, 1))
    {
      *leaf = flat_index_find (index, key, segment->level, &segment->table);
      step_done (steps, STEP_INDEX);
      return segment_leaf_at (segment, *leaf, access, page, failure);
    }
  struct page_position position;
  status result = segment_descend_to_key (segment, key, 0, access, &position, failure);
  step_done (steps, STEP_INDEX);
  if (result != STATUS_OK)
    return result;
  *leaf = position.page;
  return segment_page_at (segment, position.page, &position.place, access, page, failure);
}

static inline void
fill_page (const struct segment *segment, const uint8_t *page, struct segment_lookup *out)
{
  out->page = segment->mapped == NULL ? page : NULL;
}

static inline __attribute__ ((always_inline)) status
get (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
     enum page_access access, struct segment_lookup *out, struct steps *steps,
     struct failure *failure)
{
  uint32_t leaf;
  const uint8_t *page;
  if (__builtin_expect (segment->totals.leaves == 0, 0))
    return STATUS_NOT_FOUND;
  bool excluded = ruled_out (segment, hash, access);
  step_done (steps, STEP_FILTER);
  if (excluded)
    return STATUS_NOT_FOUND;
  status result = first_leaf (segment, key, access, &leaf, &page, steps, failure);
  step_done (steps, STEP_PAGE);
  while (result == STATUS_OK)
    {
      leaf_prefetch (page);
      enum leaf_result found
          = leaf_find (page, key, key_tag (hash), snapshot, segment->level, &out->record);
      step_done (steps, STEP_LEAF);
      if (found == LEAF_FOUND)
        {
          fill_page (segment, page, out);
          return STATUS_OK;
        }
      if (found == LEAF_ABSENT || ++leaf == segment->totals.leaves)
        {
          note_absent (segment, access == PAGE_CACHED);
          return STATUS_NOT_FOUND;
        }
      if (access == PAGE_CACHED) /* this leaf; the next one counts as it turns out */
        segment_count (segment, THREAD_PAGE_HITS, 1);
      result = segment_leaf_at (segment, leaf, access, &page, failure);
      step_done (steps, STEP_PAGE);
    }
  return result;
}

status
segment_get (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
             struct segment_lookup *out, struct failure *failure)
{
  return get (segment, key, hash, snapshot, PAGE_READ, out, NULL, failure);
}

status
segment_get_timed (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
                   bool cached, struct segment_lookup *out, struct steps *steps,
                   struct failure *failure)
{
  return get (segment, key, hash, snapshot, cached ? PAGE_CACHED : PAGE_READ, out, steps, failure);
}

status
segment_get_cached (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
                    struct segment_lookup *out)
{
  return get (segment, key, hash, snapshot, PAGE_CACHED, out, NULL, NULL);
}

status
segment_newest (struct segment *segment, struct bytes key, uint64_t hash, uint64_t *out,
                struct failure *failure)
{
  struct segment_lookup lookup;
  status result = get (segment, key, hash, SEQUENCE_MAX, PAGE_READ, &lookup, NULL, failure);
  *out = result == STATUS_OK ? lookup.record.sequence : 0;
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* ---- many at once ---- */

struct group
{
  size_t count;                           /* keys still looked for */
  size_t at[FLAT_INDEX_BATCH];            /* index of each in the caller's arrays */
  struct bytes keys[FLAT_INDEX_BATCH];    /* the keys themselves, for the index */
  uint32_t leaves[FLAT_INDEX_BATCH];      /* where each begins */
  const uint8_t *pages[FLAT_INDEX_BATCH]; /* that leaf, or NULL: not cached */
};

static void
filter_group (struct segment *segment, struct group *group, const struct bytes *keys,
              const uint64_t *hashes, status *results)
{
  struct segment_filter *filter = atomic_load_explicit (&segment->filter, memory_order_acquire);
  size_t kept = 0;
  if (filter != NULL)
    for (size_t i = 0; i < group->count; i++)
      filter_prefetch (&filter->filter, hashes[group->at[i]]);
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      if (filter != NULL && !filter_may_contain (&filter->filter, hashes[at]))
        {
          results[at] = STATUS_NOT_FOUND;
          continue;
        }
      group->at[kept] = at;
      group->keys[kept++] = keys[at];
    }
  if (kept < group->count)
    segment_count (segment, THREAD_FILTERS_EXCLUDED, group->count - kept);
  group->count = kept;
}

/* Looks the group's keys up in what is cached; those it cannot answer keep STATUS_BUSY. */
static void
search_group (struct segment *segment, struct group *group, const uint64_t *hashes,
              uint64_t snapshot, const struct flat_index *index, struct segment_lookup *out,
              status *results)
{
  flat_index_find_many (index, group->keys, group->count, segment->level, &segment->table,
                        group->leaves);
  size_t there = 0;
  for (size_t i = 0; i < group->count; i++)
    {
      group->pages[i] = segment_page_cached (segment, group->leaves[i]);
      if (group->pages[i] == NULL)
        continue;
      leaf_prefetch (group->pages[i]);
      there++;
    }
  if (there > 0)
    segment_count (segment, THREAD_PAGE_HITS, there);
  for (size_t i = 0; i < group->count; i++)
    if (group->pages[i] != NULL)
      {
        leaf_prefetch_candidate (group->pages[i], key_tag (hashes[group->at[i]]), segment->level);
        if (segment->mapped == NULL)
          cache_prefetch_pin (group->pages[i]);
      }
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      if (group->pages[i] == NULL)
        continue;
      enum leaf_result found = leaf_find (group->pages[i], group->keys[i], key_tag (hashes[at]),
                                          snapshot, segment->level, &out[at].record);
      if (found == LEAF_CONTINUES && group->leaves[i] + 1 < segment->totals.leaves)
        continue;
      results[at] = found == LEAF_FOUND ? STATUS_OK : STATUS_NOT_FOUND;
      if (found != LEAF_FOUND)
        {
          note_absent (segment, false);
          continue;
        }
      fill_page (segment, group->pages[i], &out[at]);
      if (out[at].page != NULL)
        cache_pin (out[at].page);
    }
}

/* One by one: pages that must be read, versions that span leaves, segments without an index. What
 * was found before is pinned, so the section may be left. */
static void
finish_group (struct segment *segment, const struct group *group, const uint64_t *hashes,
              uint64_t snapshot, struct segment_lookup *out, status *results,
              struct failure *failure)
{
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      if (results[at] != STATUS_BUSY)
        continue;
      results[at] = segment_get (segment, group->keys[i], hashes[at], snapshot, &out[at], failure);
      if (results[at] == STATUS_OK && out[at].page != NULL)
        cache_pin (out[at].page);
    }
}

void
segment_get_many (struct segment *segment, const struct bytes *keys, const uint64_t *hashes,
                  size_t count, uint64_t snapshot, struct segment_lookup *out, status *results,
                  struct failure *failure)
{
  bool empty = segment->totals.leaves == 0;
  for (size_t next = 0; next < count;)
    {
      struct group group;
      group.count = 0;
      for (; next < count && group.count < FLAT_INDEX_BATCH; next++)
        if (results[next] == STATUS_BUSY && empty)
          results[next] = STATUS_NOT_FOUND;
        else if (results[next] == STATUS_BUSY)
          group.at[group.count++] = next;
      if (group.count == 0)
        continue;
      provide_filter (segment);
      const struct flat_index *index = index_of (segment, PAGE_READ);
      filter_group (segment, &group, keys, hashes, results);
      if (index != NULL)
        search_group (segment, &group, hashes, snapshot, index, out, results);
      finish_group (segment, &group, hashes, snapshot, out, results, failure);
    }
}

/* ---- approximations ---- */

/* The file offset of the leaf where a key is or would be. */
static status
offset_of_key (struct segment *segment, struct bytes key, uint64_t *out)
{
  struct page_position position;
  epoch_enter ();
  status result = segment_descend_to_key (segment, key, 0, PAGE_READ, &position, NULL);
  epoch_leave ();
  *out = result == STATUS_OK ? position.place.offset : 0;
  return result;
}

uint64_t
segment_approximate_size (struct segment *segment, struct bytes start, struct bytes end)
{
  uint64_t from, to;
  if (segment->totals.leaves == 0 || bytes_compare (start, end) >= 0)
    return 0;
  if (offset_of_key (segment, start, &from) != STATUS_OK)
    return 0;
  if (segment->information.largest_size > 0
      && bytes_compare (end,
                        BYTES (segment->information.largest, segment->information.largest_size))
             > 0)
    to = segment->pages_end;
  else if (offset_of_key (segment, end, &to) != STATUS_OK)
    return 0;
  return to > from ? to - from : 0;
}

status
segment_split_key (struct segment *segment, double fraction, uint8_t **out, size_t *size,
                   struct failure *failure)
{
  *out = NULL;
  *size = 0;
  uint32_t leaves = segment->totals.leaves;
  if (leaves < 2)
    return STATUS_NOT_FOUND;
  double wanted = fraction * leaves;
  uint32_t leaf = wanted < 1 ? 1 : wanted >= leaves ? leaves - 1 : (uint32_t) wanted;
  epoch_enter ();
  status result = segment_separator (segment, leaf, out, size, failure);
  epoch_leave ();
  return result;
}
