/* SPDX-License-Identifier: MIT */
/*
 * Single pages, for people who look: where each lies, what is in it, whether the cache has it.
 *
 * Invariants
 *   O1  Pages are read from the file, past the cache, so that looking changes nothing and tells what
 *       the disk has.
 *   O2  A page that does not verify hides those below it only: each of those says so, by name.
 *   O3  Memory: 40 bytes an inner page, and a page of each of two kinds.
 */
#include "segment/segment-look.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the page above says of an inner page. */
struct known_page
{
  struct page_place place; /* offset 0: not known, since a page above it does not verify */
  uint32_t first_leaf;     /* below it */
  uint8_t level;
};

/* A page of ours in memory. */
struct held_page
{
  uint8_t *decoded; /* owned */
  size_t room;      /* bytes of it */
  uint32_t number;  /* SEGMENT_PAGES_MAX: none */
};

struct segment_look
{
  struct segment *segment;  /* referenced */
  struct known_page *inner; /* by number, behind the leaves; owned */
  uint32_t *directory;      /* indexes in `inner` of the known ones of level 1, rising; owned */
  uint32_t directory_count; /* of them */
  struct held_page parent;  /* an inner page */
  struct held_page page;    /* what the caller asked for */
  uint8_t *stored;          /* its bytes in the file; owned */
  size_t stored_room;       /* bytes allocated */
  uint8_t *separator;       /* put together from prefix and suffix; owned */
  size_t separator_room;    /* bytes allocated */
};

/* O1 */
static status
hold (struct segment_look *look, struct held_page *held, uint32_t number,
      const struct page_place *place, struct failure *failure)
{
  if (held->number == number)
    return STATUS_OK;
  held->number = SEGMENT_PAGES_MAX;
  status result = segment_check_place (look->segment, number, place, failure);
  if (result == STATUS_OK)
    result = segment_grow (&held->decoded, &held->room, segment_page_room (look->segment, place),
                           failure);
  if (result == STATUS_OK)
    result = segment_read_page (look->segment, number, place, held->decoded, failure);
  if (result == STATUS_OK)
    held->number = number;
  return result;
}

/* An inner page, known to be on this level, in look->parent. */
static status
hold_inner (struct segment_look *look, uint32_t number, const struct page_place *place,
            unsigned level, struct failure *failure)
{
  status result = hold (look, &look->parent, number, place, failure);
  if (result == STATUS_OK)
    result = segment_check_inner (look->segment, number, level, look->parent.decoded, failure);
  return result;
}

/* ---- the pages above level 1: where all inner pages are ---- */

static void
learn (struct segment_look *look, unsigned level)
{
  const uint8_t *page = look->parent.decoded;
  for (unsigned i = 0; i < inner_count (page); i++)
    {
      struct inner_entry entry = inner_entry (page, i);
      look->inner[inner_first_child (page) + i - look->segment->totals.leaves]
          = (struct known_page){ entry.place, entry.first_leaf, (uint8_t) (level - 1) };
    }
}

/* Children have lower numbers than their parent (P2), so each page is known before it is read. */
static status
learn_all (struct segment_look *look, struct failure *failure)
{
  const struct segment_totals *totals = &look->segment->totals;
  uint32_t count = totals->inner_pages;
  look->inner[count - 1] = (struct known_page){ totals->root, 0, (uint8_t) (totals->depth - 1) };
  for (uint32_t i = count; i-- > 0;)
    {
      struct failure cause = FAILURE_INIT;
      const struct known_page known = look->inner[i];
      if (known.place.offset == 0 || known.level < 2)
        continue;
      status result = hold_inner (look, totals->leaves + i, &known.place, known.level, &cause);
      if (result == STATUS_NO_MEMORY)
        return fail (failure, result, "%s", cause.message);
      if (result == STATUS_OK)
        learn (look, known.level); /* else O2 */
    }
  for (uint32_t i = 0; i < count; i++)
    if (look->inner[i].place.offset != 0 && look->inner[i].level == 1)
      look->directory[look->directory_count++] = i;
  return STATUS_OK;
}

status
segment_look_new (struct segment *segment, struct segment_look **out, struct failure *failure)
{
  uint32_t inner_pages = segment->totals.inner_pages;
  struct segment_look *look = calloc (1, sizeof *look);
  if (look == NULL)
    return fail_memory (failure, sizeof *look, "a segment to look at");
  look->segment = segment_ref (segment);
  look->parent.number = look->page.number = SEGMENT_PAGES_MAX;
  look->inner = calloc ((size_t) inner_pages + 1, sizeof *look->inner);
  look->directory = calloc ((size_t) inner_pages + 1, sizeof *look->directory);
  status result
      = look->inner != NULL && look->directory != NULL
            ? STATUS_OK
            : fail_memory (failure, inner_pages * sizeof *look->inner, "a segment to look at");
  if (result == STATUS_OK && segment->totals.leaves > 0)
    result = learn_all (look, failure);
  if (result == STATUS_OK)
    *out = look;
  else
    segment_look_free (look);
  return result;
}

void
segment_look_free (struct segment_look *look)
{
  if (look == NULL)
    return;
  segment_unref (look->segment);
  free (look->inner);
  free (look->directory);
  free (look->parent.decoded);
  free (look->page.decoded);
  free (look->stored);
  free (look->separator);
  free (look);
}

/* ---- where a page is ---- */

/* The last known page of level 1 whose first leaf is not behind `leaf`; NULL: none. */
static const struct known_page *
parent_of (const struct segment_look *look, uint32_t leaf, uint32_t *number)
{
  uint32_t low = 0, high = look->directory_count;
  while (low < high)
    {
      uint32_t middle = low + (high - low) / 2;
      if (look->inner[look->directory[middle]].first_leaf <= leaf)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return NULL;
  *number = look->segment->totals.leaves + look->directory[low - 1];
  return &look->inner[look->directory[low - 1]];
}

static status
assemble (struct segment_look *look, struct bytes prefix, struct bytes suffix, struct bytes *out,
          struct failure *failure)
{
  size_t size = prefix.size + suffix.size;
  status result = segment_grow (&look->separator, &look->separator_room, size + 1, failure);
  if (result != STATUS_OK)
    return result;
  if (prefix.size > 0)
    memcpy (look->separator, prefix.data, prefix.size);
  if (suffix.size > 0)
    memcpy (look->separator + prefix.size, suffix.data, suffix.size);
  *out = BYTES (look->separator, size);
  return STATUS_OK;
}

static status
leaf_place (struct segment_look *look, uint32_t leaf, struct segment_page *out,
            struct failure *failure)
{
  uint32_t number = 0;
  const struct known_page *above = parent_of (look, leaf, &number);
  if (above == NULL)
    return segment_corrupt (look->segment, leaf, "no inner page that verifies leads to it",
                            failure);
  struct failure cause = FAILURE_INIT;
  status result = hold_inner (look, number, &above->place, 1, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  if (result != STATUS_OK)
    return fail (failure, STATUS_CORRUPT, "page %" PRIu32 " can't be reached: %.400s", leaf,
                 cause.message);
  const uint8_t *page = look->parent.decoded;
  uint32_t first = inner_first_child (page);
  if (leaf < first || leaf - first >= inner_count (page))
    return segment_corrupt (look->segment, leaf, "no inner page that verifies leads to it",
                            failure);
  struct inner_entry entry = inner_entry (page, leaf - first);
  out->place = entry.place;
  return assemble (look, inner_prefix (page), entry.suffix, &out->separator, failure);
}

status
segment_look_at (struct segment_look *look, uint32_t number, struct segment_page *out,
                 struct failure *failure)
{
  const struct segment *segment = look->segment;
  *out = (struct segment_page){ .number = number };
  if (number >= segment->page_count)
    return fail (failure, STATUS_NOT_FOUND, "%s has %" PRIu32 " pages, and no page %" PRIu32,
                 segment->name, segment->page_count, number);
  status result;
  if (number < segment->totals.leaves)
    result = leaf_place (look, number, out, failure);
  else
    {
      const struct known_page *known = &look->inner[number - segment->totals.leaves];
      out->level = known->level > 0 ? known->level : 1;
      out->place = known->place;
      result = known->place.offset != 0
                   ? STATUS_OK
                   : segment_corrupt (segment, number, "no inner page that verifies leads to it",
                                      failure);
    }
  if (result == STATUS_OK)
    result = segment_check_place (segment, number, &out->place, failure);
  if (result != STATUS_OK)
    out->place = (struct page_place){ 0 };
  else
    out->units = round_up ((size_t) out->place.logical + segment->trailer_size, segment->page_size);
  return result;
}

status
segment_look_read (struct segment_look *look, const struct segment_page *page, struct bytes *out,
                   struct failure *failure)
{
  *out = BYTES_NONE;
  status result = hold (look, &look->page, page->number, &page->place, failure);
  if (result == STATUS_OK && page->level > 0)
    result = segment_check_inner (look->segment, page->number, page->level, look->page.decoded,
                                  failure);
  if (result == STATUS_OK)
    *out = BYTES (look->page.decoded, page->place.logical);
  return result;
}

status
segment_look_stored (struct segment_look *look, const struct segment_page *page, struct bytes *out,
                     struct failure *failure)
{
  *out = BYTES_NONE;
  status result = segment_grow (&look->stored, &look->stored_room, page->place.stored, failure);
  if (result == STATUS_OK)
    result = vfs_read_exact (look->segment->file, page->place.offset, look->stored,
                             page->place.stored, failure);
  if (result == STATUS_OK)
    *out = BYTES (look->stored, page->place.stored);
  return result;
}

/* ---- where a key is ---- */

status
segment_look_for (struct segment_look *look, struct bytes key, uint32_t *leaf,
                  struct failure *failure)
{
  const struct segment_totals *totals = &look->segment->totals;
  struct page_place place = totals->root;
  uint32_t number = look->segment->page_count - 1;
  if (totals->leaves == 0)
    return STATUS_NOT_FOUND;
  for (unsigned level = totals->depth - 1; level > 0; level--)
    {
      status result = hold_inner (look, number, &place, level, failure);
      if (result != STATUS_OK)
        return result;
      unsigned index = inner_find_key (look->parent.decoded, key);
      place = inner_entry (look->parent.decoded, index).place;
      number = inner_first_child (look->parent.decoded) + index;
    }
  *leaf = number;
  return STATUS_OK;
}

status
segment_look_filter (struct segment *segment, uint64_t hash, struct segment_filter_answer *out,
                     struct failure *failure)
{
  *out = (struct segment_filter_answer){ .kind = FILTER_NONE, .may_contain = true };
  epoch_enter ();
  struct segment_filter *held = atomic_load_explicit (&segment->filter, memory_order_acquire);
  if (held != NULL)
    *out = (struct segment_filter_answer){ held->filter.kind, true,
                                           filter_may_contain (&held->filter, hash) };
  epoch_leave ();
  if (out->loaded || segment->blocks[BLOCK_FILTER].size == 0)
    return STATUS_OK;
  uint8_t *block;
  struct filter filter;
  status result = segment_read_block (segment, BLOCK_FILTER, &block, failure);
  if (result != STATUS_OK)
    return result;
  result = filter_parse (BYTES (block, segment->blocks[BLOCK_FILTER].size), &filter, failure);
  if (result == STATUS_OK)
    *out = (struct segment_filter_answer){ filter.kind, false, filter_may_contain (&filter, hash) };
  free (block);
  return result;
}

/* ---- what the cache knows ---- */

void
segment_heat (struct segment *segment, uint32_t first, uint32_t count, uint8_t *to)
{
  memset (to, 0, count);
  if (first >= segment->page_count || count > segment->page_count - first)
    return;
  page_table_heat (&segment->table, first, count, to);
  for (uint32_t i = 0; segment->mapped != NULL && i < count; i++)
    if (atomic_load_explicit (&segment->mapped[first + i], memory_order_relaxed) != 0)
      to[i] |= PAGE_HEAT_MAPPED;
}

const char *
segment_file_name (const struct segment *segment)
{
  return segment->name;
}

void
segment_details (struct segment *segment, struct segment_details *out)
{
  struct segment_filter *held;
  *out = (struct segment_details){
    .filter_bytes = segment->blocks[BLOCK_FILTER].size,
    .range_bytes = segment->blocks[BLOCK_RANGE_DELETES].size,
    .filter = (enum filter_kind) segment->filter_asked,
    .cached_pages = page_table_cached (&segment->table),
  };
  if (out->filter_bytes == 0)
    out->filter = FILTER_NONE;
  epoch_enter ();
  held = atomic_load_explicit (&segment->filter, memory_order_acquire);
  out->filter_loaded = held != NULL;
  if (held != NULL)
    out->filter = held->filter.kind;
  epoch_leave ();
}
