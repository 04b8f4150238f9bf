/* SPDX-License-Identifier: MIT */
/*
 * A walk over all versions of a segment.
 *
 * Invariants
 *   R1  Between calls no epoch section is open: the present leaf is pinned, or in the source's own
 *       buffer, or in the segment's mapping; the segment is referenced.
 *   R2  `record` borrows its value from the present leaf and its key from `key`, where the leaf's
 *       prefix stays while the walk is inside the leaf.
 *   R3  While not valid, no leaf is held, except after running off an end.
 *   R4  The first `prefixed` keys of `ahead` begin with the present leaf's prefix.
 */
#include "base/hash.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <stdlib.h>

#define PLACES 64u                       /* of coming leaves, copied from an inner page at once */
#define CHUNK_LEAST ((size_t) 32 << 10)  /* of one read of a bypassing walk: doubles … */
#define CHUNK_MOST ((size_t) 256 << 10)  /* … up to this */
#define SMALL_COPY 16u                   /* bytes a short suffix is copied in */
#define LINES_AHEAD 10u                  /* of a coming leaf: header, arrays, two records */
#define LINES_SOUGHT 8u                  /* fetched of the records that a seek comes to … */
#define LINES_BEHIND 12u                 /* … and behind these, when one walks on */
#define RECORDS_SOUGHT 10u               /* a seek this near to a leaf's end fetches the next */
#define SEQUENTIAL_LEAVES 2u             /* leaves in a row that make a walk sequential */
#define WINDOW_MOST ((uint64_t) 1 << 20) /* bytes read ahead, unless more is asked for */

#define AHEAD_LEAST 4u /* records looked at ahead: after a seek; doubles … */
#define AHEAD_MOST 16u /* … up to this */
#define AHEAD_KEY 64u  /* bytes of the key of one */

/* What comes next in the present leaf. */
struct ahead
{
  struct record_place places[AHEAD_MOST];
  uint8_t keys[AHEAD_MOST][AHEAD_KEY]; /* theirs, with the store id */
};

/* Whether a leaf has one record of each key. */
enum distinction
{
  DISTINCTION_UNKNOWN,
  DISTINCTION_ALL,
  DISTINCTION_NOT_ALL
};

struct segment_source
{
  struct source source;                    /* first: what callers see */
  struct segment *segment;                 /* referenced */
  struct segment_source_settings settings; /* as given */
  struct leaf_view view;                   /* the present leaf; page NULL: none */
  enum distinction distinction;            /* of it, as far as it was looked at */
  uint32_t leaf;                           /* its number */
  uint32_t slot;                           /* of the present record */
  const uint8_t *pinned;                   /* cached page that is pinned, or NULL */
  const uint8_t *coming; /* the page behind it, to prefetch from; it may be gone; or NULL */
  uint8_t *key;          /* the present key; owned */
  size_t key_room;       /* bytes of it: what a key of the leaf can take */
  struct ahead *ahead;   /* NULL before it is wanted; owned */
  uint32_t prefixed;     /* R4 */
  uint32_t ahead_goal;   /* how many are looked at next */
  struct page_place places[PLACES];  /* of leaves from first_place on, checked */
  uint32_t first_place, place_count; /* which are known */
  unsigned run;                      /* leaves walked in one direction without a seek */
  uint64_t window;       /* bytes the kernel is asked for ahead; 0: it was not yet … */
  uint64_t asked;        /* … up to this offset (in the direction of the walk) */
  struct buffer chunk;   /* bypass: bytes of the file … */
  uint64_t chunk_start;  /* … from this offset … */
  size_t chunk_size;     /* … so many */
  size_t chunk_goal;     /* of the next read */
  struct buffer decoded; /* bypass: the present leaf, when it was compressed */
  size_t charged;        /* bypass: bytes of this and the key */
};

#define KEY_ROOM_STEP ((size_t) 1 << 10) /* many walks are open in a merge */
#define KEY_ROOM_MOST ((size_t) INTERNAL_KEY_SIZE_MAX + SMALL_COPY)

static inline struct segment_source *
self (struct source *source)
{
  return (struct segment_source *) source;
}

/* A bypassing walk's memory is a merge's. */
static status
grow (struct segment_source *walk, struct buffer *buffer, size_t size, struct failure *failure)
{
  if (!buffer_replace (buffer, size, walk->segment->settings.ledger, LEDGER_MERGE))
    return fail_memory (failure, size, "a walk over a segment");
  return STATUS_OK;
}

static void
charge (struct segment_source *walk, size_t size)
{
  struct ledger *ledger = walk->segment->settings.ledger;
  if (!walk->settings.bypass || ledger == NULL)
    return;
  ledger_charge (ledger, LEDGER_MERGE, size);
  walk->charged += size;
}

static size_t
chunk_least (const struct segment_source *walk)
{
  size_t most = walk->settings.chunk_most;
  return most > 0 && most < CHUNK_LEAST ? most : CHUNK_LEAST;
}

/* ---- places of leaves ---- */

/* `run`: leaves in a row that the walk counts as having behind it. */
static void
begin_run (struct segment_source *walk, unsigned run)
{
  walk->run = run;
  walk->asked = walk->window = 0;
  walk->ahead_goal = AHEAD_LEAST;
}

static enum page_access
access_of (const struct segment_source *walk)
{
  if (walk->settings.cached_only)
    return PAGE_CACHED;
  if (!walk->settings.scan && !walk->settings.bypass)
    return PAGE_READ;
  return walk->run > 0 ? PAGE_SCANNED : PAGE_SOUGHT;
}

/* Copies the places of leaves around `leaf` from its inner page, those before it for a walk
 * backward. */
static status
copy_places (struct segment_source *walk, uint32_t leaf, bool backward, struct failure *failure)
{
  struct segment *segment = walk->segment;
  struct page_position parent;
  const uint8_t *page = NULL;
  walk->place_count = 0;
  epoch_enter ();
  status result = segment_descend_to_leaf (segment, leaf, 1, access_of (walk), &parent, failure);
  if (result == STATUS_OK)
    result
        = segment_page_at (segment, parent.page, &parent.place, access_of (walk), &page, failure);
  if (result != STATUS_OK)
    goto out;
  uint32_t first = inner_first_child (page), count = inner_count (page);
  if (inner_level (page) != 1 || leaf < first || leaf - first >= count
      || count > segment->totals.leaves - first)
    {
      result = segment_corrupt (segment, parent.page, "it names children that it cannot have",
                                failure);
      goto out;
    }
  uint32_t from = leaf - first;
  if (backward)
    from = from >= PLACES ? from - PLACES + 1 : 0;
  uint32_t wanted = count - from < PLACES ? count - from : PLACES;
  for (uint32_t i = 0; i < wanted && result == STATUS_OK; i++)
    {
      walk->places[i] = inner_entry (page, from + i).place;
      result = segment_check_place (segment, first + from + i, &walk->places[i], failure);
      /* A bad place matters once its leaf is reached. */
      if (result != STATUS_OK && first + from + i > leaf)
        {
          result = STATUS_OK;
          wanted = i;
        }
    }
  walk->first_place = first + from;
  walk->place_count = result == STATUS_OK ? wanted : 0;
out:
  epoch_leave ();
  return result;
}

static status
find_place (struct segment_source *walk, uint32_t leaf, bool backward,
            const struct page_place **out, struct failure *failure)
{
  if (leaf < walk->first_place || leaf - walk->first_place >= walk->place_count)
    {
      status result = copy_places (walk, leaf, backward, failure);
      if (result != STATUS_OK)
        return result;
    }
  *out = &walk->places[leaf - walk->first_place];
  return STATUS_OK;
}

/* ---- holding a leaf ---- */

static void
let_go (struct segment_source *walk)
{
  if (walk->pinned != NULL)
    cache_unpin (walk->pinned);
  walk->pinned = NULL;
  walk->coming = NULL;
  walk->view.page = NULL;
  walk->distinction = DISTINCTION_UNKNOWN;
  walk->source.valid = false;
}

/* Room for any key of a leaf (R2): the prefix, and what the page can hold behind it. */
static status
key_reserve (struct segment_source *walk, const struct leaf_view *view, struct failure *failure)
{
  size_t room = (size_t) view->prefix_size + view->used + SMALL_COPY;
  if (__builtin_expect (room <= walk->key_room || walk->key_room == KEY_ROOM_MOST, 1))
    return STATUS_OK;
  room = (room + KEY_ROOM_STEP - 1) / KEY_ROOM_STEP * KEY_ROOM_STEP;
  room = room < KEY_ROOM_MOST ? room : KEY_ROOM_MOST;
  uint8_t *key = malloc (room);
  if (key == NULL)
    return fail_memory (failure, room, "a key");
  free (walk->key);
  charge (walk, room - walk->key_room);
  walk->key = key;
  walk->key_room = room;
  return STATUS_OK;
}

static status
hold (struct segment_source *walk, uint32_t leaf, const uint8_t *page, struct failure *failure)
{
  struct leaf_view view = leaf_view (page);
  status result = key_reserve (walk, &view, failure);
  if (result != STATUS_OK)
    return result;
  walk->view = view;
  walk->leaf = leaf;
  walk->prefixed = 0;
  memcpy (walk->key, view.prefix, view.prefix_size);
  return STATUS_OK;
}

/* Asks the kernel for the bytes that the coming leaves lie in, half a window at a time: from
 * `place`, where the walk stands, on. The window doubles as the walk goes on. */
static void
read_ahead (struct segment_source *walk, const struct page_place *place, bool backward)
{
  if (walk->settings.prefetch == 0 || walk->run < SEQUENTIAL_LEAVES)
    return;
  uint64_t start = place->offset, end = start + place->stored, asked = 0; /* bytes, already */
  if (walk->window > 0 && backward && walk->asked < start)
    asked = start - walk->asked;
  else if (walk->window > 0 && !backward && walk->asked > end)
    asked = walk->asked - end;
  if (walk->window > 0 && asked > walk->window / 2)
    return;
  if (walk->window == 0)
    walk->window = (uint64_t) walk->settings.prefetch * walk->segment->page_size;
  else if (walk->window < WINDOW_MOST)
    walk->window *= 2;
  uint64_t from = end + asked, to = end + walk->window;
  if (backward)
    {
      from = start > walk->window ? start - walk->window : 0;
      to = start - asked;
    }
  else if (to > walk->segment->pages_end)
    to = walk->segment->pages_end;
  if (to > from)
    vfs_advise_will_need (walk->segment->file, from, to - from);
  walk->asked = backward ? from : to;
}

/* Lines of the present leaf from a record on, in the direction of the walk. */
static inline void
fetch_lines (const uint8_t *record, bool backward, unsigned first, unsigned count)
{
  for (unsigned line = first; line < first + count; line++)
    __builtin_prefetch (backward ? record - 64 * line : record + 64 * line);
}

/* A seek came to `slot`: what a short walk from there on reads. Inside the section. */
static inline void
fetch_sought (struct segment_source *walk, uint32_t slot, bool backward)
{
  const struct leaf_view *view = &walk->view;
  struct segment *segment = walk->segment;
  if (slot < view->count)
    fetch_lines (view->page + leaf_offset (view, slot), backward, 0, LINES_SOUGHT);
  uint32_t next = backward ? walk->leaf - 1 : walk->leaf + 1;
  uint32_t left = backward ? slot : view->count - slot;
  if (left >= RECORDS_SOUGHT || next >= segment->totals.leaves || segment->mapped != NULL)
    return;
  const uint8_t *page = page_table_peek (&segment->table, next);
  if (page != NULL)
    fetch_lines (page, false, 0, LINES_AHEAD);
}

/* Starts fetching what the coming leaf's first records need, if it is cached: a leaf's first lines,
 * then, once those are there, what pinning it writes. Inside the section. */
static void
fetch_ahead (struct segment_source *walk, uint32_t leaf, bool backward)
{
  struct segment *segment = walk->segment;
  uint32_t leaves = segment->totals.leaves;
  uint32_t next = backward ? leaf - 1 : leaf + 1, after = backward ? leaf - 2 : leaf + 2;
  if (segment->mapped != NULL || next >= leaves) /* before the first one as well */
    return;
  const uint8_t *page = page_table_peek (&segment->table, next);
  walk->coming = page;
  if (page != NULL)
    {
      cache_prefetch_pin (page);
      if (backward) /* its last records */
        for (unsigned line = 1; line <= LINES_AHEAD; line++)
          __builtin_prefetch (page + segment->page_size - 64 * line);
    }
  page = after < leaves ? page_table_peek (&segment->table, after) : NULL;
  if (page != NULL)
    for (unsigned line = 0; line < LINES_AHEAD; line++)
      __builtin_prefetch (page + 64 * line);
}

/* Holds a leaf; with `key`, *slot is where that is or would be. Searching comes before pinning, so
 * that the line the pin writes is on its way meanwhile. */
static status
hold_cached (struct segment_source *walk, uint32_t leaf, bool backward, const struct bytes *key,
             uint32_t *slot, struct failure *failure)
{
  struct segment *segment = walk->segment;
  const struct page_place *place = NULL;
  status result = STATUS_OK;
  epoch_enter ();
  const uint8_t *page = segment_page_cached (segment, leaf);
  if (page != NULL)
    segment_count (segment, THREAD_PAGE_HITS, 1);
  else
    {
      epoch_leave ();
      if (walk->settings.cached_only)
        return STATUS_BUSY;
      result = find_place (walk, leaf, backward, &place, failure);
      if (result == STATUS_OK)
        read_ahead (walk, place, backward);
      epoch_enter ();
      if (result == STATUS_OK)
        result = segment_page_at (segment, leaf, place, access_of (walk), &page, failure);
    }
  if (result == STATUS_OK)
    {
      leaf_prefetch (page);
      if (key != NULL)
        leaf_prefetch_heads (page);
      if (segment->mapped == NULL)
        cache_prefetch_pin (page);
      result = hold (walk, leaf, page, failure);
    }
  if (result == STATUS_OK)
    {
      if (walk->run > 0)
        fetch_ahead (walk, leaf, backward);
      if (key != NULL)
        {
          *slot = leaf_lower_bound (&walk->view, *key);
          fetch_sought (walk, *slot, backward);
        }
      if (segment->mapped == NULL)
        {
          cache_pin (page);
          walk->pinned = page;
        }
    }
  epoch_leave ();
  return result;
}

/* Reads the bytes around a place that are not in the chunk: from it on, or up to its end. */
static status
fill_chunk (struct segment_source *walk, const struct page_place *place, bool backward,
            struct failure *failure)
{
  uint64_t end = place->offset + place->stored, limit = walk->segment->pages_end;
  size_t size = walk->chunk_goal > place->stored ? walk->chunk_goal : place->stored;
  uint64_t start = place->offset;
  if (backward)
    start = end > size ? end - size : 0;
  else
    end = limit - start > size ? start + size : limit;
  if (start < SEGMENT_HEADER_SIZE)
    start = SEGMENT_HEADER_SIZE;
  walk->chunk_size = 0;
  status result = grow (walk, &walk->chunk, (size_t) (end - start), failure);
  if (result == STATUS_OK)
    result = vfs_read_exact (walk->segment->file, start, walk->chunk.data, (size_t) (end - start),
                             failure);
  if (result != STATUS_OK)
    return result;
  walk->chunk_start = start;
  walk->chunk_size = (size_t) (end - start);
  size_t most = walk->settings.chunk_most > 0 ? walk->settings.chunk_most : CHUNK_MOST;
  walk->chunk_goal = walk->chunk_goal < most / 2 ? 2 * walk->chunk_goal : most;
  if (!backward && walk->settings.prefetch > 0 && end < limit)
    vfs_advise_will_need (walk->segment->file, end,
                          limit - end < walk->chunk_goal ? limit - end : walk->chunk_goal);
  return STATUS_OK;
}

static status
hold_own (struct segment_source *walk, uint32_t leaf, bool backward, struct failure *failure)
{
  const struct page_place *place;
  const uint8_t *page;
  status result = find_place (walk, leaf, backward, &place, failure);
  if (result != STATUS_OK)
    return result;
  if (walk->run == 0)
    walk->chunk_goal = chunk_least (walk);
  bool inside = place->offset >= walk->chunk_start
                && place->offset - walk->chunk_start <= walk->chunk_size
                && place->stored <= walk->chunk_size - (place->offset - walk->chunk_start);
  if (!inside)
    result = fill_chunk (walk, place, backward, failure);
  if (result == STATUS_OK && place->codec != CODEC_NONE)
    result = grow (walk, &walk->decoded, segment_page_room (walk->segment, place), failure);
  if (result != STATUS_OK)
    return result;
  result = segment_decode (walk->segment, leaf, place,
                           walk->chunk.data + (place->offset - walk->chunk_start),
                           walk->decoded.data, &page, failure);
  return result == STATUS_OK ? hold (walk, leaf, page, failure) : result;
}

static status
hold_leaf (struct segment_source *walk, uint32_t leaf, bool backward, struct failure *failure)
{
  let_go (walk);
  return walk->settings.bypass ? hold_own (walk, leaf, backward, failure)
                               : hold_cached (walk, leaf, backward, NULL, NULL, failure);
}

/* ---- standing on a record ---- */

/* As far into the coming page: by the time it is needed it is here. */
static inline void
prefetch_ahead (const struct segment_source *walk, const uint8_t *at)
{
  if (walk->coming == NULL)
    return;
  const uint8_t *ahead = walk->coming + (at - walk->view.page);
  __builtin_prefetch (ahead);
  __builtin_prefetch (ahead + 64);
}

static void
stand (struct segment_source *walk, uint32_t slot)
{
  const struct leaf_view *view = &walk->view;
  struct leaf_record record = leaf_record (view, slot);
  uint8_t *to = walk->key + view->prefix_size;
  size_t size = record.suffix.size;
  if (size <= SMALL_COPY && record.suffix.data + SMALL_COPY <= view->page + view->used)
    memcpy (to, record.suffix.data, SMALL_COPY);
  else
    memcpy (to, record.suffix.data, size);
  prefetch_ahead (walk, record.value.data);
  walk->slot = slot;
  walk->source.record.key = BYTES (walk->key, view->prefix_size + size);
  walk->source.record.value = record.value;
  walk->source.record.sequence = record.sequence;
  walk->source.record.expiry = record.expiry;
  walk->source.record.kind = (enum record_kind) record.kind;
  walk->source.valid = true;
}

static status
to_next_leaf (struct segment_source *walk, struct failure *failure)
{
  if (walk->leaf + 1 >= walk->segment->totals.leaves)
    {
      let_go (walk);
      return STATUS_OK;
    }
  status result = hold_leaf (walk, walk->leaf + 1, false, failure);
  walk->run++;
  if (result == STATUS_OK)
    stand (walk, 0);
  return result;
}

static status
to_previous_leaf (struct segment_source *walk, struct failure *failure)
{
  if (walk->leaf == 0)
    {
      let_go (walk);
      return STATUS_OK;
    }
  status result = hold_leaf (walk, walk->leaf - 1, true, failure);
  walk->run++;
  if (result == STATUS_OK)
    stand (walk, walk->view.count - 1u);
  return result;
}

/* ---- the operations ---- */

static status
find_leaf (struct segment_source *walk, struct bytes key, uint32_t *leaf, struct failure *failure)
{
  struct segment *segment = walk->segment;
  epoch_enter ();
  if (!walk->settings.bypass && !walk->settings.cached_only
      && atomic_load_explicit (&segment->index, memory_order_relaxed) == NULL
      && atomic_load_explicit (&segment->index_wanted, memory_order_relaxed))
    segment_provide_index (segment);
  status result = segment_find_leaf (segment, key, access_of (walk), leaf, failure);
  epoch_leave ();
  return result;
}

/* To the leaf where `key` is or would be, and its place in it. */
static status
position (struct segment_source *walk, struct bytes key, bool backward, uint32_t *slot,
          struct failure *failure)
{
  uint32_t leaf;
  begin_run (walk, 0);
  walk->source.valid = false;
  status result = find_leaf (walk, key, &leaf, failure);
  bool held = walk->view.page != NULL && walk->leaf == leaf;
  if (result == STATUS_OK && !held && !walk->settings.bypass)
    {
      let_go (walk);
      result = hold_cached (walk, leaf, backward, &key, slot, failure);
    }
  else if (result == STATUS_OK)
    {
      if (!held)
        result = hold_leaf (walk, leaf, backward, failure);
      if (result == STATUS_OK)
        *slot = leaf_lower_bound (&walk->view, key);
    }
  if (result != STATUS_OK)
    let_go (walk);
  return result;
}

static status
seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct segment_source *walk = self (source);
  uint32_t slot = 0;
  if (walk->segment->totals.leaves == 0)
    return STATUS_OK;
  status result = position (walk, key, false, &slot, failure);
  if (result != STATUS_OK)
    return result;
  if (slot == walk->view.count)
    return to_next_leaf (walk, failure);
  stand (walk, slot);
  return STATUS_OK;
}

static status
seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  struct segment_source *walk = self (source);
  uint32_t slot = 0;
  if (walk->segment->totals.leaves == 0)
    return STATUS_OK;
  status result = position (walk, key, true, &slot, failure);
  if (result != STATUS_OK)
    return result;
  if (slot == 0)
    return to_previous_leaf (walk, failure);
  stand (walk, slot - 1);
  return STATUS_OK;
}

static status
first (struct source *source, struct failure *failure)
{
  struct segment_source *walk = self (source);
  if (walk->segment->totals.leaves == 0)
    return STATUS_OK;
  begin_run (walk, SEQUENTIAL_LEAVES);
  status result = hold_leaf (walk, 0, false, failure);
  if (result == STATUS_OK)
    stand (walk, 0);
  return result;
}

static status
last (struct source *source, struct failure *failure)
{
  struct segment_source *walk = self (source);
  if (walk->segment->totals.leaves == 0)
    return STATUS_OK;
  begin_run (walk, SEQUENTIAL_LEAVES);
  status result = hold_leaf (walk, walk->segment->totals.leaves - 1, true, failure);
  if (result == STATUS_OK)
    stand (walk, walk->view.count - 1u);
  return result;
}

static status
next (struct source *source, struct failure *failure)
{
  struct segment_source *walk = self (source);
  if (!source->valid)
    return fail (failure, STATUS_INVALID, "the source stands on no record");
  if (__builtin_expect (walk->slot + 1 < walk->view.count, 1))
    {
      stand (walk, walk->slot + 1);
      return STATUS_OK;
    }
  return to_next_leaf (walk, failure);
}

static status
previous (struct source *source, struct failure *failure)
{
  struct segment_source *walk = self (source);
  if (!source->valid)
    return fail (failure, STATUS_INVALID, "the source stands on no record");
  if (walk->slot > 0)
    {
      stand (walk, walk->slot - 1);
      return STATUS_OK;
    }
  return to_previous_leaf (walk, failure);
}

/* What most records are, in few instructions: settled, below 128 bytes. FALSE: not of them. */
static inline bool
stand_quickly (struct segment_source *walk, uint32_t slot)
{
  const struct leaf_view *view = &walk->view;
  const uint8_t *at = view->page + leaf_offset (view, slot);
  uint8_t meta = at[0], suffix_size = at[1], value_size = at[2];
  at += 3;
  if ((meta & (LEAF_RECORD_SEQUENCE | LEAF_RECORD_EXPIRY)) != 0 || suffix_size > SMALL_COPY
      || value_size >= 0x80 || at + SMALL_COPY > view->page + view->used)
    return false;
  struct record *record = &walk->source.record;
  memcpy (walk->key + view->prefix_size, at, SMALL_COPY);
  at += suffix_size;
  prefetch_ahead (walk, at);
  walk->slot = slot;
  record->key.size = view->prefix_size + (size_t) suffix_size;
  record->value = BYTES (at, value_size);
  record->sequence = record->expiry = 0;
  record->kind = (enum record_kind) (meta & 3u);
  return true;
}

static __attribute__ ((noinline)) bool
look_at_distinction (struct segment_source *walk)
{
  if (walk->distinction == DISTINCTION_UNKNOWN)
    walk->distinction = leaf_is_distinct (&walk->view) ? DISTINCTION_ALL : DISTINCTION_NOT_ALL;
  return walk->distinction == DISTINCTION_ALL;
}

static inline bool
is_distinct (struct segment_source *walk)
{
  return __builtin_expect (walk->distinction == DISTINCTION_ALL, 1) || look_at_distinction (walk);
}

static bool
is_alone (struct source *source)
{
  struct segment_source *walk = self (source);
  return walk->slot > 0 && is_distinct (walk);
}

static bool
step (struct source *source, bool backward)
{
  struct segment_source *walk = self (source);
  uint32_t slot = backward ? walk->slot - 1 : walk->slot + 1; /* wraps below 0 */
  if (slot >= walk->view.count || !is_distinct (walk))
    return false;
  if (!stand_quickly (walk, slot))
    stand (walk, slot);
  return true;
}

/* Shows a record of the leaf as one of those ahead, whose key has the leaf's prefix already. FALSE:
 * it is none that they are for. */
static bool
place_ahead (struct segment_source *walk, uint32_t slot, uint64_t snapshot,
             struct record_place *place, uint8_t *suffix)
{
  const struct leaf_view *view = &walk->view;
  struct leaf_record record = leaf_record (view, slot);
  size_t size = view->prefix_size + record.suffix.size;
  if (record.kind == RECORD_DELETE || record.sequence > snapshot || record.expiry != 0
      || size > AHEAD_KEY)
    return false;
  memcpy (suffix, record.suffix.data, record.suffix.size);
  place->apart = record.kind == RECORD_BLOB;
  place->key.size = size - STORE_ID_SIZE;
  place->value = record.value;
  place->sequence = record.sequence;
  return true;
}

/* The same of what most records are, in few instructions (as stand_quickly). `at`: of the record;
 * `end`: of the leaf. FALSE: it is not of them. */
static inline bool
place_quickly (const uint8_t *at, const uint8_t *end, size_t prefix_size,
               struct record_place *place, uint8_t *suffix)
{
  uint8_t meta = at[0], suffix_size = at[1], value_size = at[2];
  at += 3;
  if ((meta | RECORD_BLOB) != RECORD_BLOB || suffix_size > SMALL_COPY || value_size >= 0x80
      || at + SMALL_COPY > end)
    return false;
  memcpy (suffix, at, SMALL_COPY);
  place->apart = meta == RECORD_BLOB;
  place->key.size = prefix_size + suffix_size - STORE_ID_SIZE;
  place->value = BYTES (at + suffix_size, value_size);
  place->sequence = 0;
  return true;
}

/* Room for so many ahead, with the prefix of the leaf (R4); FALSE: there is none, and one does
 * without. */
static bool
provide_ahead (struct segment_source *walk, uint32_t count)
{
  if (walk->ahead == NULL)
    {
      walk->ahead = malloc (sizeof *walk->ahead);
      if (walk->ahead == NULL)
        return false;
      charge (walk, sizeof *walk->ahead);
      for (uint32_t i = 0; i < AHEAD_MOST; i++)
        walk->ahead->places[i] = (struct record_place){
          .valid = true,
          .key = BYTES (walk->ahead->keys[i] + STORE_ID_SIZE, 0),
        };
    }
  for (; walk->prefixed < count; walk->prefixed++)
    memcpy (walk->ahead->keys[walk->prefixed], walk->view.prefix, walk->view.prefix_size);
  return true;
}

/* As many as can be, up to `room`. What is read for each of them stands in variables of its own:
 * what is written may be anything to the compiler. */
static uint32_t
place_all (struct segment_source *walk, bool backward, uint64_t snapshot, uint32_t room)
{
  const struct leaf_view view = walk->view;
  const uint8_t *end = view.page + view.used;
  const uint8_t *coming = walk->coming;
  struct record_place *place = walk->ahead->places;
  uint8_t *suffix = walk->ahead->keys[0] + view.prefix_size;
  uint32_t slot = walk->slot, step = backward ? UINT32_MAX : 1, count = 0;
  for (; count < room; count++, place++, suffix += AHEAD_KEY)
    {
      slot += step;
      if (!place_quickly (view.page + leaf_offset (&view, slot), end, view.prefix_size, place,
                          suffix)
          && !place_ahead (walk, slot, snapshot, place, suffix))
        break;
      if (coming != NULL)
        prefetch_ahead (walk, place->value.data);
    }
  return count;
}

/* The first record of a leaf is left to `step`, on the way back: one before it may have its key. */
static uint32_t
look_ahead (struct source *source, bool backward, uint64_t snapshot,
            const struct record_place **first)
{
  struct segment_source *walk = self (source);
  const struct leaf_view *view = &walk->view;
  uint32_t room = backward ? walk->slot - (walk->slot > 0) : view->count - 1u - walk->slot;
  if (room > walk->ahead_goal)
    room = walk->ahead_goal;
  if (room == 0 || view->prefix_size > AHEAD_KEY - SMALL_COPY || !is_distinct (walk)
      || !provide_ahead (walk, room))
    return 0;
  if (walk->ahead_goal < AHEAD_MOST)
    {
      fetch_lines (walk->source.record.value.data, backward, LINES_SOUGHT, LINES_BEHIND);
      walk->ahead_goal *= 2;
    }
  *first = walk->ahead->places;
  return place_all (walk, backward, snapshot, room);
}

static void
step_over (struct source *source, bool backward, uint32_t count)
{
  struct segment_source *walk = self (source);
  stand (walk, backward ? walk->slot - count : walk->slot + count);
}

static void
release (struct source *source)
{
  struct segment_source *walk = self (source);
  let_go (walk);
  buffer_release (&walk->chunk, walk->segment->settings.ledger, LEDGER_MERGE);
  buffer_release (&walk->decoded, walk->segment->settings.ledger, LEDGER_MERGE);
  if (walk->charged > 0)
    ledger_refund (walk->segment->settings.ledger, LEDGER_MERGE, walk->charged);
  segment_unref (walk->segment);
  free (walk->ahead);
  free (walk->key);
  free (walk);
}

static const struct source_operations operations = {
  .seek = seek,
  .seek_before = seek_before,
  .first = first,
  .last = last,
  .next = next,
  .previous = previous,
  .release = release,
  .step = step,
  .is_alone = is_alone,
  .look_ahead = look_ahead,
  .step_over = step_over,
};

status
segment_source_new (struct segment *segment, const struct segment_source_settings *settings,
                    struct source **out, struct failure *failure)
{
  *out = NULL;
  struct segment_source *walk = calloc (1, sizeof *walk);
  if (walk == NULL)
    return fail_memory (failure, sizeof *walk, "a walk over a segment");
  walk->source.operations = &operations;
  walk->source.page = &walk->source;
  walk->segment = segment_ref (segment);
  walk->settings = *settings;
  walk->chunk_goal = chunk_least (walk);
  charge (walk, sizeof *walk);
  *out = &walk->source;
  return STATUS_OK;
}
