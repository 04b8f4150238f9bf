/* SPDX-License-Identifier: MIT */
/*
 * From a place in the file to a page that may be used.
 *
 * Invariants
 *   P1  A page is handed out only after its checksum verified (S3) and its structure was validated
 *       once: from then on nobody checks offsets inside it again.
 *   P2  Descending, each step goes down exactly one level and to a page number the parent may name,
 *       so that no chain of pages in a hostile file can loop (S4).
 *   P3  Nothing found in a section is used after the section was left around a read: steps carry
 *       page_position copies only.
 */
#include "base/hash.h"
#include "base/probes.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <inttypes.h>
#include <stdlib.h>

#define STACK_PAGE_SIZE 16384u

status
segment_corrupt (const struct segment *segment, uint32_t page, const char *reason,
                 struct failure *failure)
{
  return fail (failure, STATUS_CORRUPT,
               "%s/%s: page %" PRIu32 ": %s; restore a backup or repair the database",
               segment->settings.directory->path, segment->name, page, reason);
}

/* ---- loading ---- */

status
segment_check_place (const struct segment *segment, uint32_t page, const struct page_place *place,
                     struct failure *failure)
{
  const char *reason = NULL;
  if (place->offset < SEGMENT_HEADER_SIZE || place->offset > segment->pages_end
      || place->stored > segment->pages_end - place->offset)
    reason = "its place lies outside the file's pages";
  else if (place->codec >= CODEC_COUNT)
    reason = "its codec is unknown";
  else if (place->logical == 0 || place->logical > PAGE_LOGICAL_MAX
           || place->stored <= segment->trailer_size)
    reason = "its size is impossible";
  else if (place->codec == CODEC_NONE
           && (place->stored - segment->trailer_size < place->logical
               || place->stored - segment->trailer_size - place->logical >= segment->page_size))
    reason = "its stored size disagrees with its logical size";
  return reason == NULL ? STATUS_OK : segment_corrupt (segment, page, reason, failure);
}

size_t
segment_page_room (const struct segment *segment, const struct page_place *place)
{
  size_t needed = (size_t) place->logical + segment->trailer_size;
  if (place->codec == CODEC_NONE && place->stored > needed)
    needed = place->stored;
  return round_up (needed, segment->page_size);
}

static status
validate (const struct segment *segment, uint32_t page, struct bytes decoded,
          struct failure *failure)
{
  const char *reason;
  bool valid = page < segment->totals.leaves ? leaf_validate (decoded, &reason)
                                             : inner_validate (decoded, &reason);
  return valid ? STATUS_OK : segment_corrupt (segment, page, reason, failure);
}

/* `metrics` NULL: it is not timed. */
static status
decode (const struct segment *segment, struct metrics *metrics, uint32_t page,
        const struct page_place *place, const uint8_t *stored, uint8_t *to, const uint8_t **out,
        struct failure *failure)
{
  struct bytes body = BYTES (stored, place->stored - segment->trailer_size);
  if (segment->settings.verify
      && checksum (segment->seed, page, body) != load_u64 (stored + body.size))
    return segment_corrupt (segment, page, "its checksum does not verify", failure);
  *out = stored;
  if (place->codec != CODEC_NONE)
    {
      struct failure reason = FAILURE_INIT;
      struct wait_mark mark = metrics != NULL ? wait_begin () : (struct wait_mark){ 0 };
      status result = codec_decompress ((enum codec) place->codec, segment->dictionary, body, to,
                                        place->logical, &reason);
      if (metrics != NULL)
        {
          wait_end (metrics, WAIT_DECOMPRESS, mark);
          count_shared (metrics, SHARED_PAGE_BYTES_DECOMPRESSED, place->logical);
        }
      if (result == STATUS_CORRUPT)
        return segment_corrupt (segment, page, reason.message, failure);
      if (result != STATUS_OK)
        return fail (failure, result, "%s", reason.message);
      *out = to;
    }
  return validate (segment, page, BYTES (*out, place->logical), failure);
}

status
segment_decode (const struct segment *segment, uint32_t page, const struct page_place *place,
                const uint8_t *stored, uint8_t *to, const uint8_t **out, struct failure *failure)
{
  return decode (segment, NULL, page, place, stored, to, out, failure);
}

status
segment_read_stored (const struct segment *segment, uint32_t page, uint64_t offset, size_t size,
                     uint8_t *to, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct metrics *metrics = segment->settings.metrics;
  struct wait_mark mark = metrics != NULL ? wait_begin () : (struct wait_mark){ 0 };
  status result = vfs_read_exact (segment->file, offset, to, size, &cause);
  PROBE4 (page_read, segment->information.number, page, size, (int) result);
  if (metrics != NULL)
    {
      wait_end (metrics, WAIT_PAGE_READ, mark);
      count_shared (metrics, SHARED_PAGE_BYTES_READ, size);
    }
  if (result == STATUS_OK)
    return STATUS_OK;
  fail (failure, result, "page %u: %.420s", page, cause.message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = cause.system_error;
  return result;
}

status
segment_read_page (const struct segment *segment, uint32_t page, const struct page_place *place,
                   uint8_t *to, struct failure *failure)
{
  const uint8_t *decoded;
  status result;
  if (place->codec == CODEC_NONE)
    {
      result = segment_read_stored (segment, page, place->offset, place->stored, to, failure);
      return result != STATUS_OK ? result
                                 : decode (segment, segment->settings.metrics, page, place, to,
                                           NULL, &decoded, failure);
    }
  uint8_t near[STACK_PAGE_SIZE];
  uint8_t *stored = place->stored <= sizeof near ? near : malloc (place->stored);
  if (stored == NULL)
    return fail_memory (failure, place->stored, "a compressed page");
  result = segment_read_stored (segment, page, place->offset, place->stored, stored, failure);
  if (result == STATUS_OK)
    result
        = decode (segment, segment->settings.metrics, page, place, stored, to, &decoded, failure);
  if (stored != near)
    free (stored);
  return result;
}

status
segment_grow (uint8_t **data, size_t *room, size_t size, struct failure *failure)
{
  if (*room >= size)
    return STATUS_OK;
  uint8_t *larger = realloc (*data, size);
  if (larger == NULL)
    return fail_memory (failure, size, "pages of a segment");
  *data = larger;
  *room = size;
  return STATUS_OK;
}

/* ---- through the cache ---- */

/* A page of a mapped file: verified once, used in place. Outside an epoch section. */
static status
verify_mapped (struct segment *segment, uint32_t page, const struct page_place *place,
               const uint8_t **out, struct failure *failure)
{
  status result
      = segment_decode (segment, page, place, segment->map + place->offset, NULL, out, failure);
  if (result == STATUS_OK)
    atomic_store_explicit (&segment->mapped[page], place->offset, memory_order_release);
  return result;
}

/* Asks the kernel for the stretch of the file that a page was read from, once for each stretch: a
 * disk gives a stretch in hardly more time than a page, and a database that fits into memory is
 * wanted whole. After the page, which would be waited for longer behind the stretch. */
static void
read_around (struct segment *segment, const struct page_place *place)
{
  if (segment->surroundings == NULL)
    return;
  uint64_t stretch = place->offset / STRETCH_SIZE, bit = UINT64_C (1) << stretch % 64;
  _Atomic uint64_t *word = &segment->surroundings[stretch / 64];
  if ((atomic_load_explicit (word, memory_order_relaxed) & bit) == 0
      && (atomic_fetch_or_explicit (word, bit, memory_order_relaxed) & bit) == 0)
    vfs_advise_will_need (segment->file, stretch * STRETCH_SIZE, STRETCH_SIZE);
}

static status
read_frame (struct segment *segment, uint32_t page, const struct page_place *place,
            enum page_access access, uint8_t **out, struct failure *failure)
{
  size_t room = segment_page_room (segment, place);
  uint8_t *frame = cache_allocate (segment->settings.cache, room);
  if (frame == NULL)
    return fail_memory (failure, room, "a page");
  status result = segment_read_page (segment, page, place, frame, failure);
  if (access != PAGE_SCANNED)
    read_around (segment, place);
  if (result != STATUS_OK)
    cache_discard (segment->settings.cache, frame);
  else
    *out = frame;
  return result;
}

status
segment_page_at (struct segment *segment, uint32_t page, const struct page_place *place,
                 enum page_access access, const uint8_t **out, struct failure *failure)
{
  *out = segment_page_cached (segment, page);
  if (*out != NULL)
    return STATUS_OK;
  if (access == PAGE_CACHED)
    return STATUS_BUSY;
  PROBE2 (page_miss, segment->information.number, page);
  uint8_t *frame = NULL;
  bool mapped = segment->mapped != NULL;
  if (mapped && place->codec != CODEC_NONE)
    return segment_corrupt (segment, page, "it is compressed in a file of raw pages", failure);
  epoch_leave ();
  status result = mapped ? verify_mapped (segment, page, place, out, failure)
                         : read_frame (segment, page, place, access, &frame, failure);
  epoch_enter ();
  if (result == STATUS_OK && !mapped)
    *out = cache_install (&segment->table, page, frame, access >= PAGE_SOUGHT);
  return result;
}

/* ---- descent ---- */

/* P2: an inner page may name only pages of the level below. */
status
segment_check_inner (const struct segment *segment, uint32_t page, unsigned level,
                     const uint8_t *bytes, struct failure *failure)
{
  uint64_t first = inner_first_child (bytes), end = first + inner_count (bytes);
  uint32_t leaves = segment->totals.leaves;
  if (inner_level (bytes) != level)
    return segment_corrupt (segment, page, "it is on another level of the tree", failure);
  if (level == 1 ? end > leaves : first < leaves || end > page)
    return segment_corrupt (segment, page, "it names children that it cannot have", failure);
  return STATUS_OK;
}

static status
descend (struct segment *segment, const struct bytes *key, uint32_t leaf, unsigned level,
         enum page_access access, struct page_position *out, struct failure *failure)
{
  *out = (struct page_position){ segment->page_count - 1, segment->totals.root, 0 };
  for (unsigned now = segment->totals.depth - 1; now > level; now--)
    {
      const uint8_t *bytes;
      status result = segment_page_at (segment, out->page, &out->place, access, &bytes, failure);
      if (result == STATUS_OK)
        result = segment_check_inner (segment, out->page, now, bytes, failure);
      if (result != STATUS_OK)
        return result;
      unsigned index = key != NULL ? inner_find_key (bytes, *key) : inner_find_leaf (bytes, leaf);
      *out = (struct page_position){ inner_first_child (bytes) + index,
                                     inner_entry (bytes, index).place, index };
      result = segment_check_place (segment, out->page, &out->place, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (key == NULL && level == 0 && out->page != leaf)
    return segment_corrupt (segment, leaf, "no inner page leads to it", failure);
  return STATUS_OK;
}

status
segment_descend_to_key (struct segment *segment, struct bytes key, unsigned level,
                        enum page_access access, struct page_position *out, struct failure *failure)
{
  return descend (segment, &key, 0, level, access, out, failure);
}

status
segment_descend_to_leaf (struct segment *segment, uint32_t leaf, unsigned level,
                         enum page_access access, struct page_position *out,
                         struct failure *failure)
{
  return descend (segment, NULL, leaf, level, access, out, failure);
}

status
segment_leaf_at (struct segment *segment, uint32_t leaf, enum page_access access,
                 const uint8_t **out, struct failure *failure)
{
  *out = segment_page_cached (segment, leaf);
  if (*out != NULL)
    return STATUS_OK;
  if (access == PAGE_CACHED)
    return STATUS_BUSY;
  struct page_position position;
  status result = segment_descend_to_leaf (segment, leaf, 0, access, &position, failure);
  if (result != STATUS_OK)
    return result;
  return segment_page_at (segment, leaf, &position.place, access, out, failure);
}

status
segment_find_leaf (struct segment *segment, struct bytes key, enum page_access access,
                   uint32_t *out, struct failure *failure)
{
  const struct flat_index *index = atomic_load_explicit (&segment->index, memory_order_acquire);
  if (index != NULL)
    {
      *out = flat_index_find (index, key, segment->level, &segment->table);
      return STATUS_OK;
    }
  struct page_position position;
  status result = segment_descend_to_key (segment, key, 0, access, &position, failure);
  *out = position.page;
  return result;
}

status
segment_separator (struct segment *segment, uint32_t leaf, uint8_t **out, size_t *size,
                   struct failure *failure)
{
  struct page_position parent;
  const uint8_t *bytes;
  *out = NULL;
  status result = segment_descend_to_leaf (segment, leaf, 1, PAGE_READ, &parent, failure);
  if (result == STATUS_OK)
    result = segment_page_at (segment, parent.page, &parent.place, PAGE_READ, &bytes, failure);
  if (result == STATUS_OK)
    result = segment_check_inner (segment, parent.page, 1, bytes, failure);
  if (result != STATUS_OK)
    return result;
  uint32_t index = leaf - inner_first_child (bytes);
  if (index >= inner_count (bytes))
    return segment_corrupt (segment, leaf, "no inner page leads to it", failure);
  struct bytes prefix = inner_prefix (bytes), suffix = inner_entry (bytes, index).suffix;
  *size = prefix.size + suffix.size;
  *out = malloc (*size > 0 ? *size : 1);
  if (*out == NULL)
    return fail_memory (failure, *size, "a separator");
  if (prefix.size > 0)
    memcpy (*out, prefix.data, prefix.size);
  if (suffix.size > 0)
    memcpy (*out + prefix.size, suffix.data, suffix.size);
  return STATUS_OK;
}
