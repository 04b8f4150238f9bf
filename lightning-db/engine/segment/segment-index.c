/* SPDX-License-Identifier: MIT */
/*
 * The flat index and the filter: made when first wanted, given back when memory is short.
 *
 * Invariants
 *   A1  Both only speed up: a get without them answers the same.
 *   A2  Together, over all segments, they hold at most a quarter of the ledger's budget.
 *   A3  They are published by one atomic pointer each, and freed through an epoch after it is gone.
 */
#include "base/hash.h"
#include "segment/inner.h"
#include "segment/segment-private.h"

#include <stdlib.h>

/* A2 */
static bool
within_budget (const struct segment *segment, size_t more)
{
  const struct ledger *ledger = segment->settings.ledger;
  if (ledger == NULL)
    return true;
  int64_t used = ledger_used (ledger, LEDGER_INDEX) + ledger_used (ledger, LEDGER_FILTER);
  uint64_t limit = ledger->budget / 4;
  return (used < 0 ? 0 : (uint64_t) used) + more <= limit;
}

static void
charge (struct segment *segment, enum ledger_account account, size_t size)
{
  if (segment->settings.ledger != NULL)
    ledger_charge (segment->settings.ledger, account, size);
}

/* ---- the filter ---- */

static size_t
filter_memory (const struct segment *segment)
{
  return segment->blocks[BLOCK_FILTER].size;
}

static void
filter_free (struct segment_filter *filter)
{
  buffer_release (&filter->block, filter->ledger, LEDGER_FILTER);
  free (filter);
}

static void
release_filter (struct epoch_link *link)
{
  filter_free (
      (struct segment_filter *) (void *) ((char *) link - offsetof (struct segment_filter, link)));
}

static struct segment_filter *
read_filter (struct segment *segment)
{
  size_t size = segment->blocks[BLOCK_FILTER].size;
  struct segment_filter *filter = calloc (1, sizeof *filter);
  if (filter == NULL)
    return NULL;
  filter->ledger = segment->settings.ledger;
  if (buffer_resize (&filter->block, filter_memory (segment), filter->ledger, LEDGER_FILTER))
    {
      uint8_t *block = filter->block.data;
      if (segment_read_block_to (segment, BLOCK_FILTER, block, NULL) == STATUS_OK
          && filter_parse (BYTES (block, size), &filter->filter, NULL) == STATUS_OK)
        return filter;
    }
  filter_free (filter);
  return NULL;
}

void
segment_provide_filter (struct segment *segment)
{
  if (!within_budget (segment, filter_memory (segment))
      || pthread_mutex_trylock (&segment->building) != 0)
    return;
  epoch_leave ();
  if (atomic_load_explicit (&segment->filter, memory_order_relaxed) == NULL)
    {
      struct segment_filter *filter = read_filter (segment);
      if (filter == NULL)
        atomic_store_explicit (&segment->filter_wanted, false, memory_order_relaxed);
      else
        {
          segment->filter_memory = filter->block.room;
          atomic_store_explicit (&segment->filter, filter, memory_order_release);
        }
    }
  pthread_mutex_unlock (&segment->building);
  ledger_balance (segment->settings.ledger);
  epoch_enter ();
}

/* ---- the index ---- */

#define STRETCH_OF_INDEX ((size_t) 256 << 10) /* bytes of a file that are read at once for it */

struct index_build
{
  struct flat_index *index; /* being filled; owned */
  uint8_t *page;            /* an inner page of the lowest level, if it was compressed; owned */
  size_t page_room;         /* bytes allocated */
  uint8_t *stretch;         /* bytes of the file, which inner pages are read in; owned */
  size_t stretch_room;      /* bytes allocated */
  size_t stretch_size;      /* bytes read … */
  uint64_t stretch_start;   /* … from this offset */
  uint8_t *separator;       /* prefix and suffix put together; owned */
  size_t separator_room;    /* bytes allocated */
};

static bool
grow (uint8_t **data, size_t *room, size_t size)
{
  if (*room >= size)
    return true;
  uint8_t *larger = realloc (*data, size);
  if (larger == NULL)
    return false;
  *data = larger;
  *room = size;
  return true;
}

/* The prefix that all separators share is that of the first and the last. */
static status
start_index (struct segment *segment, struct index_build *build, struct failure *failure)
{
  uint32_t leaves = segment->totals.leaves;
  uint8_t *first = NULL, *last = NULL;
  size_t first_size = 0, last_size = 0;
  status result = STATUS_OK;
  epoch_enter ();
  if (leaves > 1)
    result = segment_separator (segment, 1, &first, &first_size, failure);
  if (leaves > 1 && result == STATUS_OK)
    result = segment_separator (segment, leaves - 1, &last, &last_size, failure);
  epoch_leave ();
  if (result == STATUS_OK)
    {
      struct bytes prefix = BYTES (first, first_size);
      prefix.size = bytes_common_prefix (prefix, BYTES (last, last_size));
      result = flat_index_new (leaves - 1, prefix, &build->index, failure);
    }
  free (first);
  free (last);
  return result;
}

/* Inner pages lie together behind the leaves: they are read a stretch at a time. */
static status
read_inner (struct segment *segment, struct index_build *build,
            const struct page_position *position, const uint8_t **out, struct failure *failure)
{
  const struct page_place *place = &position->place;
  uint64_t into = place->offset - build->stretch_start;
  size_t room = segment_page_room (segment, place);
  if (!grow (&build->page, &build->page_room, room))
    return fail_memory (failure, room, "an inner page");
  if (place->offset < build->stretch_start || into + place->stored > build->stretch_size)
    {
      uint64_t left = segment->pages_end - place->offset;
      size_t size = left < STRETCH_OF_INDEX ? (size_t) left : STRETCH_OF_INDEX;
      size = size > place->stored ? size : place->stored;
      if (!grow (&build->stretch, &build->stretch_room, size))
        return fail_memory (failure, size, "inner pages");
      build->stretch_size = 0;
      status result = segment_read_stored (segment, position->page, place->offset, size,
                                           build->stretch, failure);
      if (result != STATUS_OK)
        return result;
      build->stretch_start = place->offset;
      build->stretch_size = size;
      into = 0;
    }
  return segment_decode (segment, position->page, place, build->stretch + into, build->page, out,
                         failure);
}

/* Adds the separators of the leaves below one page of the lowest inner level. */
static status
add_page (struct segment *segment, struct index_build *build, uint32_t leaf, uint32_t *next,
          struct failure *failure)
{
  struct page_position position;
  epoch_enter ();
  status result = segment_descend_to_leaf (segment, leaf, 1, PAGE_SCANNED, &position, failure);
  epoch_leave ();
  if (result != STATUS_OK)
    return result;
  const uint8_t *page;
  result = read_inner (segment, build, &position, &page, failure);
  if (result != STATUS_OK)
    return result;
  unsigned count = inner_count (page);
  if (inner_level (page) != 1 || inner_first_child (page) != leaf
      || count > segment->totals.leaves - leaf)
    return segment_corrupt (segment, position.page, "it names children that it cannot have",
                            failure);
  struct bytes prefix = inner_prefix (page);
  for (unsigned i = leaf == 0 ? 1 : 0; i < count && result == STATUS_OK; i++)
    {
      struct bytes suffix = inner_entry (page, i).suffix;
      if (!grow (&build->separator, &build->separator_room, prefix.size + suffix.size + 64))
        return fail_memory (failure, prefix.size + suffix.size, "a separator");
      if (prefix.size > 0)
        memcpy (build->separator, prefix.data, prefix.size);
      memcpy (build->separator + prefix.size, suffix.data, suffix.size);
      result = flat_index_add (build->index, BYTES (build->separator, prefix.size + suffix.size),
                               failure);
    }
  *next = leaf + count;
  return result;
}

/* Each page adds at least one leaf, so the loop ends. */
static status
build_index (struct segment *segment, struct flat_index **out, struct failure *failure)
{
  struct index_build build = { 0 };
  status result = start_index (segment, &build, failure);
  for (uint32_t leaf = 0; result == STATUS_OK && leaf < segment->totals.leaves;)
    result = add_page (segment, &build, leaf, &leaf, failure);
  if (result == STATUS_OK)
    result = flat_index_finish (build.index, failure);
  if (result == STATUS_OK)
    *out = build.index;
  else
    flat_index_free (build.index);
  free (build.page);
  free (build.stretch);
  free (build.separator);
  return result;
}

static void
publish_index (struct segment *segment, struct flat_index *index)
{
  size_t memory = flat_index_memory (index);
  if (!within_budget (segment, memory))
    {
      atomic_store_explicit (&segment->index_refused, memory, memory_order_relaxed);
      flat_index_free (index);
      return;
    }
  charge (segment, LEDGER_INDEX, memory);
  segment->index_memory = memory;
  atomic_store_explicit (&segment->index, index, memory_order_release);
}

void
segment_provide_index (struct segment *segment)
{
  size_t memory = atomic_load_explicit (&segment->index_refused, memory_order_relaxed);
  if (memory == 0)
    memory = flat_index_estimate (segment->totals.leaves);
  if (!within_budget (segment, memory) || pthread_mutex_trylock (&segment->building) != 0)
    return;
  epoch_leave ();
  if (atomic_load_explicit (&segment->index, memory_order_relaxed) == NULL)
    {
      struct flat_index *index = NULL;
      if (build_index (segment, &index, NULL) == STATUS_OK)
        publish_index (segment, index);
      else
        atomic_store_explicit (&segment->index_wanted, false, memory_order_relaxed);
    }
  pthread_mutex_unlock (&segment->building);
  ledger_balance (segment->settings.ledger);
  epoch_enter ();
}

/* ---- giving back ---- */

static size_t
take_away (struct segment *segment, struct flat_index **index, struct segment_filter **filter,
           size_t *index_memory)
{
  pthread_mutex_lock (&segment->building);
  *index = atomic_exchange (&segment->index, NULL);
  *filter = atomic_exchange (&segment->filter, NULL);
  *index_memory = segment->index_memory;
  size_t freed = segment->index_memory + segment->filter_memory;
  segment->index_memory = segment->filter_memory = 0;
  pthread_mutex_unlock (&segment->building);
  return freed;
}

size_t
segment_trim (struct segment *segment)
{
  struct flat_index *index;
  struct segment_filter *filter;
  size_t index_memory;
  size_t freed = take_away (segment, &index, &filter, &index_memory);
  if (index != NULL)
    flat_index_retire (index, segment->settings.ledger, index_memory);
  if (filter != NULL)
    epoch_retire (&filter->link, release_filter);
  return freed;
}

void
segment_drop_accelerators (struct segment *segment)
{
  struct flat_index *index;
  struct segment_filter *filter;
  size_t index_memory;
  take_away (segment, &index, &filter, &index_memory);
  if (index != NULL && segment->settings.ledger != NULL)
    ledger_refund (segment->settings.ledger, LEDGER_INDEX, index_memory);
  flat_index_free (index);
  if (filter != NULL)
    release_filter (&filter->link);
}
