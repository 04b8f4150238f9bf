/* SPDX-License-Identifier: MIT */
/*
 * Point gets. One get on memory costs the filter's lines, the index (small, mostly in cache), the
 * page-table slot (prefetched before the index's last compare), the leaf's first lines (prefetched
 * together) and the record's lines (prefetched as soon as its offset is known).
 *
 * A key that is there needs all of these, and the filter's answer only says so. Where that is to be
 * expected, by what was found lately, its lines are fetched beside the others instead of before
 * them. The answer is heeded all the same, before the leaf is looked at: nothing but time depends
 * on what was expected.
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

void
segment_prefetch_filter (const struct segment *segment, uint64_t hash)
{
  struct segment_filter *filter = atomic_load_explicit (&segment->filter, memory_order_acquire);
  if (filter != NULL)
    filter_prefetch (&filter->filter, hash);
}

/* ---- what is expected ---- */

#define EXPECTATIONS 64u  /* segments told apart, by the lowest bits of their numbers */
#define ABSENT_LIKELY 2u  /* from here on absence is expected … */
#define ABSENT_CERTAIN 3u /* … up to here */

static __thread uint8_t expectations[EXPECTATIONS];

static inline uint8_t *
expectation_of (const struct segment *segment)
{
  return &expectations[segment->table.owner % EXPECTATIONS];
}

static inline void
learn (uint8_t *expectation, bool excluded)
{
  if (excluded && *expectation < ABSENT_CERTAIN)
    ++*expectation;
  else if (!excluded && *expectation > 0)
    --*expectation;
}

/* Starts fetching all that a key which is there needs, as far as memory has it. FALSE: it has no
 * filter or no index; else the leaf where the key's versions begin. */
static inline bool
fetch (struct segment *segment, struct bytes key, uint64_t hash, uint32_t *leaf)
{
  struct segment_filter *filter = atomic_load_explicit (&segment->filter, memory_order_acquire);
  struct flat_index *index = atomic_load_explicit (&segment->index, memory_order_acquire);
  if (filter == NULL || index == NULL)
    return false;
  filter_prefetch (&filter->filter, hash);
  *leaf = flat_index_find (index, key, segment->level, &segment->table);
  const uint8_t *page = segment_page_peek (segment, *leaf);
  if (page != NULL)
    leaf_prefetch (page);
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

/* `pins`: see segment_get_cached. */
static inline __attribute__ ((always_inline)) status
get (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
     enum page_access access, bool pins, struct segment_lookup *out, struct steps *steps,
     struct failure *failure)
{
  uint32_t leaf;
  const uint8_t *page;
  if (__builtin_expect (segment->totals.leaves == 0, 0))
    return STATUS_NOT_FOUND;
  bool cached = access == PAGE_CACHED;
  uint8_t *expectation = expectation_of (segment);
  bool fetched = cached && *expectation < ABSENT_LIKELY && fetch (segment, key, hash, &leaf);
  if (fetched)
    step_done (steps, STEP_INDEX);
  bool excluded = ruled_out (segment, hash, access);
  step_done (steps, STEP_FILTER);
  if (cached)
    learn (expectation, excluded);
  if (excluded)
    return STATUS_NOT_FOUND;
  status result = fetched ? segment_leaf_at (segment, leaf, access, &page, failure)
                          : first_leaf (segment, key, access, &leaf, &page, steps, failure);
  step_done (steps, STEP_PAGE);
  while (result == STATUS_OK)
    {
      leaf_prefetch (page);
      if (pins && segment->mapped == NULL)
        cache_prefetch_pin (page);
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
          note_absent (segment, cached);
          return STATUS_NOT_FOUND;
        }
      if (cached) /* this leaf; the next one counts as it turns out */
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
  return get (segment, key, hash, snapshot, PAGE_READ, false, out, NULL, failure);
}

status
segment_get_timed (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
                   bool cached, struct segment_lookup *out, struct steps *steps,
                   struct failure *failure)
{
  return get (segment, key, hash, snapshot, cached ? PAGE_CACHED : PAGE_READ, false, out, steps,
              failure);
}

status
segment_get_cached (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
                    bool pins, struct segment_lookup *out)
{
  return pins ? get (segment, key, hash, snapshot, PAGE_CACHED, true, out, NULL, NULL)
              : get (segment, key, hash, snapshot, PAGE_CACHED, false, out, NULL, NULL);
}

status
segment_newest (struct segment *segment, struct bytes key, uint64_t hash, uint64_t *out,
                struct failure *failure)
{
  struct segment_lookup lookup;
  status result = get (segment, key, hash, SEQUENCE_MAX, PAGE_READ, false, &lookup, NULL, failure);
  *out = result == STATUS_OK ? lookup.record.sequence : 0;
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* ---- many at once ---- */

/* Some of the caller's keys, those still looked for first. */
struct group
{
  size_t count;                                     /* still looked for */
  size_t at[FLAT_INDEX_BATCH];                      /* index of each in the caller's arrays */
  struct segment *segments[FLAT_INDEX_BATCH];       /* where */
  struct flat_index_probe probes[FLAT_INDEX_BATCH]; /* of their indexes */
  const uint8_t *pages[FLAT_INDEX_BATCH];           /* where each begins, or NULL: not cached */
};

/* Reads in what is not there and may be. It leaves the section for that: so nothing is looked at
 * before all keys' segments have theirs. */
static void
provide_group (const struct group *group)
{
  for (size_t i = 0; i < group->count; i++)
    {
      provide_filter (group->segments[i]);
      index_of (group->segments[i], PAGE_READ);
    }
}

static void
filter_group (struct group *group, const uint64_t *hashes, status *results)
{
  const struct filter *filters[FLAT_INDEX_BATCH];
  for (size_t i = 0; i < group->count; i++)
    {
      struct segment_filter *filter
          = atomic_load_explicit (&group->segments[i]->filter, memory_order_acquire);
      filters[i] = filter != NULL ? &filter->filter : NULL;
      if (filter != NULL)
        filter_prefetch (filters[i], hashes[group->at[i]]);
    }
  size_t kept = 0;
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      struct segment *segment = group->segments[i];
      if (filters[i] != NULL && !filter_may_contain (filters[i], hashes[at]))
        {
          results[at] = STATUS_NOT_FOUND;
          segment_count (segment, THREAD_FILTERS_EXCLUDED, 1);
          continue;
        }
      group->at[kept] = at;
      group->segments[kept++] = segment;
    }
  group->count = kept;
}

/* Finds the leaves of those whose segment has an index, and starts fetching what they are searched
 * by. The others are no longer in the group. */
static void
find_leaves (struct group *group, const struct bytes *keys, const uint64_t *hashes)
{
  size_t kept = 0;
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      struct segment *segment = group->segments[i];
      const struct flat_index *index = index_of (segment, PAGE_CACHED);
      if (index == NULL)
        continue;
      group->at[kept] = at;
      group->segments[kept] = segment;
      group->probes[kept++] = (struct flat_index_probe){ index, &segment->table, keys[at], 0 };
    }
  group->count = kept;
  if (kept == 0)
    return;
  enum cpu_level level = group->segments[0]->level;
  flat_index_find_many (group->probes, kept, level);
  for (size_t i = 0; i < kept; i++)
    {
      group->pages[i] = segment_page_cached (group->segments[i], group->probes[i].found);
      if (group->pages[i] != NULL)
        leaf_prefetch (group->pages[i]);
    }
  for (size_t i = 0; i < kept; i++)
    if (group->pages[i] != NULL)
      {
        segment_count (group->segments[i], THREAD_PAGE_HITS, 1);
        leaf_prefetch_candidate (group->pages[i], key_tag (hashes[group->at[i]]), level);
        if (group->segments[i]->mapped == NULL)
          cache_prefetch_pin (group->pages[i]);
      }
}

/* Looks the group's keys up in what is cached; those it cannot answer keep STATUS_BUSY. */
static void
search_group (struct group *group, const uint64_t *hashes, uint64_t snapshot,
              struct segment_lookup *out, status *results)
{
  for (size_t i = 0; i < group->count; i++)
    {
      size_t at = group->at[i];
      const uint8_t *page = group->pages[i];
      struct segment *segment = group->segments[i];
      if (page == NULL)
        continue;
      enum leaf_result found = leaf_find (page, group->probes[i].key, key_tag (hashes[at]),
                                          snapshot, segment->level, &out[at].record);
      if (found == LEAF_CONTINUES && group->probes[i].found + 1 < segment->totals.leaves)
        continue;
      results[at] = found == LEAF_FOUND ? STATUS_OK : STATUS_NOT_FOUND;
      if (found != LEAF_FOUND)
        {
          note_absent (segment, false);
          continue;
        }
      fill_page (segment, page, &out[at]);
      if (out[at].page != NULL)
        cache_pin (out[at].page);
    }
}

/* One by one: pages that must be read, versions that span leaves, segments without an index. What
 * was found before is pinned, so the section may be left. */
static void
get_rest (struct segment *const *segments, const struct bytes *keys, const uint64_t *hashes,
          size_t count, uint64_t snapshot, struct segment_lookup *out, status *results,
          struct failure *failure)
{
  for (size_t i = 0; i < count; i++)
    {
      if (results[i] != STATUS_BUSY)
        continue;
      results[i] = segment_get (segments[i], keys[i], hashes[i], snapshot, &out[i], failure);
      if (results[i] == STATUS_OK && out[i].page != NULL)
        cache_pin (out[i].page);
    }
}

/* Keys a group, so that all are of one size: a last one of two would have nothing to overlap. */
static size_t
group_size (const status *results, size_t count)
{
  size_t open = 0;
  for (size_t i = 0; i < count; i++)
    open += results[i] == STATUS_BUSY;
  size_t groups = (open + FLAT_INDEX_BATCH - 1) / FLAT_INDEX_BATCH;
  return groups > 0 ? (open + groups - 1) / groups : 0;
}

void
segment_get_many (struct segment *const *segments, const struct bytes *keys, const uint64_t *hashes,
                  size_t count, uint64_t snapshot, struct segment_lookup *out, status *results,
                  struct failure *failure)
{
  size_t size = group_size (results, count);
  for (size_t next = 0; size > 0 && next < count;)
    {
      struct group group;
      group.count = 0;
      for (; next < count && group.count < size; next++)
        if (results[next] == STATUS_BUSY && segments[next]->totals.leaves == 0)
          results[next] = STATUS_NOT_FOUND;
        else if (results[next] == STATUS_BUSY)
          {
            group.at[group.count] = next;
            group.segments[group.count++] = segments[next];
          }
      provide_group (&group);
      filter_group (&group, hashes, results);
      find_leaves (&group, keys, hashes);
      search_group (&group, hashes, snapshot, out, results);
    }
  get_rest (segments, keys, hashes, count, snapshot, out, results, failure);
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
