/* SPDX-License-Identifier: MIT */
/*
 * Opening, lifetime and figures of a segment. What open reads is the header, the footer and the
 * small blocks (they lie together at the file's end); index and filter are read when first wanted.
 */
#include "segment/segment-private.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TAIL_SIZE ((size_t) 16 << 10) /* one read that usually brings footer and small blocks */
#define STORED_PAGE_LEAST 8u          /* bytes of a page beside its trailer, at the very least */
#define LISTED_SIZE ((size_t) 512)    /* bytes for it in runs, views and manifest, and its file */

void
segment_name (char to[SEGMENT_NAME_SIZE], uint64_t number)
{
  snprintf (to, SEGMENT_NAME_SIZE, "%" PRIu64 ".seg", number);
}

bool
segment_page_size_is_valid (size_t page_size)
{
  return page_size >= 4096 && page_size <= 65536 && (page_size & (page_size - 1)) == 0;
}

const char *
segment_block_name (enum segment_block block)
{
  static const char *const names[BLOCK_COUNT]
      = { "filter", "dictionary", "range deletes", "blob use", "properties" };
  return names[block];
}

static status
corrupt_file (const struct segment *segment, const char *part, const char *reason,
              struct failure *failure)
{
  return fail (failure, STATUS_CORRUPT, "%s/%s: %s: %s; restore a backup or repair the database",
               segment->settings.directory->path, segment->name, part, reason);
}

static bool
verifies (const struct segment *segment, uint64_t position, struct bytes bytes, uint64_t stored)
{
  return !segment->settings.verify || checksum (segment->seed, position, bytes) == stored;
}

/* ---- header and footer ---- */

status
segment_judge_header (const uint8_t *header, const char *directory, const char *name,
                      struct failure *failure)
{
  uint64_t seed = checksum_seed (header + HEADER_DATABASE_ID, load_u64 (header + HEADER_NUMBER));
  if (memcmp (header, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0
      || checksum (seed, SEGMENT_POSITION_HEADER, BYTES (header, HEADER_CHECKSUM))
             != load_u64 (header + HEADER_CHECKSUM))
    return STATUS_CORRUPT;
  if (load_u32 (header + HEADER_VERSION) <= SEGMENT_FORMAT_VERSION
      && load_u32 (header + HEADER_FEATURES) == 0 && load_u32 (header + HEADER_KEY_EPOCH) == 0)
    return STATUS_OK;
  return fail (failure, STATUS_NEWER_FORMAT,
               "%s/%s (format %u, features %x, key epoch %u) was written by a later version; open "
               "it with that one",
               directory, name, load_u32 (header + HEADER_VERSION),
               load_u32 (header + HEADER_FEATURES), load_u32 (header + HEADER_KEY_EPOCH));
}

static status
verify_header (const struct segment *segment, const uint8_t *header, struct failure *failure)
{
  bool ours = memcmp (header + HEADER_DATABASE_ID, segment->settings.database_id, 16) == 0
              && load_u64 (header + HEADER_NUMBER) == segment->information.number;
  if (memcmp (header, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0)
    return corrupt_file (segment, "header", "this is not a segment", failure);
  status result
      = segment_judge_header (header, segment->settings.directory->path, segment->name, failure);
  if (result == STATUS_CORRUPT && segment->settings.verify)
    return corrupt_file (segment, "header", "its checksum does not verify", failure);
  if (result == STATUS_NEWER_FORMAT)
    return result;
  return ours ? STATUS_OK
              : corrupt_file (segment, "header", "it belongs to another database or number",
                              failure);
}

static status
parse_header (struct segment *segment, const uint8_t *header, struct failure *failure)
{
  bool salvage = segment->settings.salvage;
  status result = verify_header (segment, header, salvage ? NULL : failure);
  if (result == STATUS_CORRUPT && salvage)
    {
      segment->header_lost = true;
      segment->page_size = segment->settings.page_size;
      segment->trailer_size = SEGMENT_TRAILER_SIZE;
      return STATUS_OK;
    }
  if (result != STATUS_OK)
    return salvage ? verify_header (segment, header, failure) : result;
  segment->plain = header[HEADER_CODEC] == CODEC_NONE;
  segment->filter_asked = header[HEADER_FILTER];
  segment->page_size = load_u32 (header + HEADER_PAGE_SIZE);
  segment->trailer_size = load_u32 (header + HEADER_TRAILER_SIZE);
  if (!segment_page_size_is_valid (segment->page_size)
      || segment->trailer_size < SEGMENT_CHECKSUM_SIZE
      || segment->trailer_size > SEGMENT_TRAILER_SIZE_MAX)
    return corrupt_file (segment, "header", "a size is impossible", failure);
  return STATUS_OK;
}

static status
parse_blocks (struct segment *segment, const uint8_t *footer, uint64_t file_size,
              struct failure *failure)
{
  uint64_t end = file_size - SEGMENT_FOOTER_SIZE;
  for (size_t block = 0; block < BLOCK_COUNT; block++)
    {
      const uint8_t *at = footer + FOOTER_BLOCKS + block * FOOTER_BLOCK_SIZE;
      struct block_place place = { load_u64 (at), load_u64 (at + 8), load_u64 (at + 16) };
      if (place.size > 0
          && (place.offset < segment->pages_end || place.offset > end
              || place.size > end - place.offset))
        return corrupt_file (segment, segment_block_name ((enum segment_block) block),
                             "it lies outside its part of the file", failure);
      segment->blocks[block] = place;
    }
  return STATUS_OK;
}

static status
parse_footer (struct segment *segment, const uint8_t *footer, uint64_t file_size,
              struct failure *failure)
{
  struct segment_totals *totals = &segment->totals;
  if (memcmp (footer, SEGMENT_FOOTER_MAGIC, SEGMENT_MAGIC_SIZE) != 0
      || !verifies (segment, SEGMENT_POSITION_FOOTER, BYTES (footer, FOOTER_CHECKSUM),
                    load_u64 (footer + FOOTER_CHECKSUM)))
    return corrupt_file (segment, "footer", "its checksum does not verify", failure);
  totals->leaves = load_u32 (footer + FOOTER_LEAVES);
  totals->inner_pages = load_u32 (footer + FOOTER_INNER_PAGES);
  totals->depth = load_u32 (footer + FOOTER_DEPTH);
  totals->root = page_place_load (footer + FOOTER_ROOT);
  segment->pages_end = load_u64 (footer + FOOTER_PAGES_END);

  uint64_t pages = (uint64_t) totals->leaves + totals->inner_pages;
  uint64_t least = segment->trailer_size + STORED_PAGE_LEAST;
  if (segment->pages_end < SEGMENT_HEADER_SIZE
      || segment->pages_end > file_size - SEGMENT_FOOTER_SIZE
      || pages > (segment->pages_end - SEGMENT_HEADER_SIZE) / least || pages > SEGMENT_PAGES_MAX)
    return corrupt_file (segment, "footer", "it claims more pages than the file can hold", failure);
  bool shaped = totals->leaves == 0 ? totals->inner_pages == 0 && totals->depth == 0
                                    : totals->inner_pages > 0 && totals->depth >= 2
                                          && totals->depth <= SEGMENT_DEPTH_MAX;
  if (!shaped)
    return corrupt_file (segment, "footer", "the tree it describes is impossible", failure);
  segment->page_count = (uint32_t) pages;
  status result = parse_blocks (segment, footer, file_size, failure);
  if (result == STATUS_OK && pages > 0)
    result = segment_check_place (segment, segment->page_count - 1, &totals->root, failure);
  return result;
}

/* ---- blocks ---- */

/* The file's last bytes, read at once. */
struct tail
{
  uint8_t *data;  /* owned */
  uint64_t start; /* file offset */
  size_t size;    /* bytes */
};

/* Reads and verifies a block that is there. */
static status
read_block_to (const struct segment *segment, enum segment_block block, const struct tail *tail,
               uint8_t *to, struct failure *failure)
{
  const struct block_place *place = &segment->blocks[block];
  status result = STATUS_OK;
  if (tail != NULL && place->offset >= tail->start)
    memcpy (to, tail->data + (place->offset - tail->start), place->size);
  else
    result = vfs_read_exact (segment->file, place->offset, to, place->size, failure);
  if (result == STATUS_OK
      && !verifies (segment, SEGMENT_POSITION_BLOCK + (uint64_t) block, BYTES (to, place->size),
                    place->checksum))
    result = corrupt_file (segment, segment_block_name (block), "its checksum does not verify",
                           failure);
  return result;
}

static status
read_block (const struct segment *segment, enum segment_block block, const struct tail *tail,
            uint8_t **out, struct failure *failure)
{
  const struct block_place *place = &segment->blocks[block];
  *out = NULL;
  if (place->size == 0)
    return STATUS_OK;
  uint8_t *data = malloc (place->size);
  if (data == NULL)
    return fail_memory (failure, place->size, "a block of a segment");
  status result = read_block_to (segment, block, tail, data, failure);
  if (result == STATUS_OK)
    *out = data;
  else
    free (data);
  return result;
}

status
segment_read_block_to (const struct segment *segment, enum segment_block block, uint8_t *to,
                       struct failure *failure)
{
  return read_block_to (segment, block, NULL, to, failure);
}

status
segment_read_block (const struct segment *segment, enum segment_block block, uint8_t **out,
                    struct failure *failure)
{
  return read_block (segment, block, NULL, out, failure);
}

static status
load_dictionary (struct segment *segment, const struct tail *tail, struct failure *failure)
{
  uint8_t *data;
  status result = read_block (segment, BLOCK_DICTIONARY, tail, &data, failure);
  if (result == STATUS_OK && data != NULL)
    result = dictionary_new (BYTES (data, segment->blocks[BLOCK_DICTIONARY].size),
                             &segment->dictionary, failure);
  free (data);
  return result;
}

/* Each entry takes at least 5 bytes, which bounds the count. */
static status
parse_range_deletes (struct segment *segment, struct bytes block, struct failure *failure)
{
  size_t room = block.size / 5 + 1, count = 0;
  struct range_delete *ranges = malloc (room * sizeof *ranges);
  if (ranges == NULL)
    return fail_memory (failure, room * sizeof *ranges, "range deletes of a segment");
  struct reader reader = reader_over (block);
  bool good = true;
  while (good && reader_left (&reader) > 0)
    {
      struct range_delete range;
      good = take_sized (&reader, &range.start) && take_sized (&reader, &range.end)
             && take_varint (&reader, &range.sequence) && range.sequence <= SEQUENCE_MAX
             && bytes_compare (range.start, range.end) < 0 && count < room;
      if (good)
        ranges[count++] = range;
    }
  status result = good ? range_set_build (ranges, count, &segment->ranges, failure)
                       : corrupt_file (segment, "range deletes", "an entry is malformed", failure);
  free (ranges);
  return result;
}

static status
load_range_deletes (struct segment *segment, const struct tail *tail, struct failure *failure)
{
  uint8_t *data;
  status result = read_block (segment, BLOCK_RANGE_DELETES, tail, &data, failure);
  if (result == STATUS_OK && data != NULL)
    result = parse_range_deletes (segment, BYTES (data, segment->blocks[BLOCK_RANGE_DELETES].size),
                                  failure);
  free (data);
  return result;
}

/* Each entry takes at least 3 bytes, which bounds the count. */
static status
load_blob_use (struct segment *segment, const struct tail *tail, struct failure *failure)
{
  struct segment_information *information = &segment->information;
  size_t size = segment->blocks[BLOCK_BLOB_USE].size, room = size / 3;
  uint8_t *data;
  status result = read_block (segment, BLOCK_BLOB_USE, tail, &data, failure);
  if (result != STATUS_OK || data == NULL)
    return result;
  struct blob_use *blobs = malloc ((room + 1) * sizeof *blobs);
  if (blobs == NULL)
    {
      free (data);
      return fail_memory (failure, room * sizeof *blobs, "blob use of a segment");
    }
  struct reader reader = reader_over (BYTES (data, size));
  size_t count = 0;
  bool good = true;
  while (good && reader_left (&reader) > 0)
    {
      struct blob_use use;
      take_varint (&reader, &use.file);
      take_varint (&reader, &use.values);
      take_varint (&reader, &use.bytes);
      good = !reader.bad && count < room && (count == 0 || blobs[count - 1].file < use.file);
      if (good)
        blobs[count++] = use;
    }
  free (data);
  information->blobs = blobs;
  information->blob_count = count;
  return good ? STATUS_OK : corrupt_file (segment, "blob use", "an entry is malformed", failure);
}

static bool
take_copy (struct reader *reader, uint8_t **out, size_t *size)
{
  struct bytes bytes;
  if (!take_sized (reader, &bytes) || bytes.size == 0)
    return !reader->bad;
  *out = malloc (bytes.size);
  if (*out == NULL)
    return false;
  memcpy (*out, bytes.data, bytes.size);
  *size = bytes.size;
  return true;
}

/* Fills totals always, the information only without `given`: else the manifest gave it. */
static status
load_properties (struct segment *segment, const struct tail *tail,
                 const struct segment_information *given, struct failure *failure)
{
  bool alone = given == NULL;
  struct segment_information read
      = { .number = segment->information.number, .file_size = segment->information.file_size };
  struct segment_totals *totals = &segment->totals;
  uint8_t *data;
  status result = read_block (segment, BLOCK_PROPERTIES, tail, &data, failure);
  if (result != STATUS_OK)
    return result;
  if (data == NULL)
    return corrupt_file (segment, "properties", "they are missing", failure);
  struct reader reader = reader_over (BYTES (data, segment->blocks[BLOCK_PROPERTIES].size));
  uint64_t *const numbers[] = {
    &read.records,     &read.deletes,      &read.range_deletes, &read.key_bytes,
    &read.value_bytes, &read.min_sequence, &read.max_sequence,  &totals->stored,
    &totals->logical,  &totals->used,
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    take_varint (&reader, numbers[i]);
  for (size_t codec = 0; codec < CODEC_COUNT; codec++)
    take_varint (&reader, &totals->by_codec[codec]);
  bool copied = !alone
                || (take_copy (&reader, &read.smallest, &read.smallest_size)
                    && take_copy (&reader, &read.largest, &read.largest_size));
  struct bytes smallest;
  if (!alone && take_sized (&reader, &smallest))
    segment->narrowed = bytes_compare (smallest, BYTES (given->smallest, given->smallest_size)) < 0;
  free (data);
  if (reader.bad)
    result = corrupt_file (segment, "properties", "they are malformed", failure);
  else if (!copied)
    result = fail_memory (failure, 2 * INTERNAL_KEY_SIZE_MAX, "bounds of a segment");
  if (result == STATUS_OK && alone)
    segment->information = read;
  else
    segment_information_clear (&read);
  return result;
}

/* ---- opening ---- */

static status
open_file (struct segment *segment, uint64_t expected_size, struct tail *tail,
           struct failure *failure)
{
  struct vfs_file_information file;
  uint8_t header[SEGMENT_HEADER_SIZE];
  status result
      = vfs_open (segment->settings.directory, segment->name, VFS_READ, &segment->file, failure);
  if (result == STATUS_NOT_FOUND)
    return corrupt_file (segment, "file", "it is missing", failure);
  if (result == STATUS_OK)
    result = vfs_information (segment->file, &file, failure);
  if (result != STATUS_OK)
    return result;
  if (file.size < SEGMENT_HEADER_SIZE + SEGMENT_FOOTER_SIZE
      || (expected_size != 0 && file.size != expected_size))
    return corrupt_file (segment, "file", "its size is not what it was when written", failure);
  segment->information.file_size = file.size;
  result = vfs_read_exact (segment->file, 0, header, sizeof header, failure);
  if (result == STATUS_OK)
    result = parse_header (segment, header, failure);
  if (result != STATUS_OK)
    return result;

  tail->size = file.size < TAIL_SIZE ? (size_t) file.size : TAIL_SIZE;
  tail->start = file.size - tail->size;
  tail->data = malloc (tail->size);
  if (tail->data == NULL)
    return fail_memory (failure, tail->size, "the end of a segment");
  result = vfs_read_exact (segment->file, tail->start, tail->data, tail->size, failure);
  if (result == STATUS_OK)
    result
        = parse_footer (segment, tail->data + tail->size - SEGMENT_FOOTER_SIZE, file.size, failure);
  return result;
}

/* Raw pages in place, where asked for and possible; else the cache serves. */
static void
map_file (struct segment *segment)
{
  void *map;
  if (!segment->settings.map_plain || !segment->plain || segment->totals.leaves == 0)
    return;
  if (vfs_map (segment->file, 0, segment->information.file_size, false, false, &map, NULL)
      != STATUS_OK)
    return;
  segment->mapped = calloc (segment->page_count, sizeof *segment->mapped);
  if (segment->mapped == NULL)
    vfs_unmap (segment->file, map, segment->information.file_size);
  else
    segment->map = map;
}

/* A bit for each stretch of the file. Without memory for them the surroundings are not asked
 * for. */
static void
begin_reading_around (struct segment *segment)
{
  uint64_t stretches = segment->pages_end / STRETCH_SIZE + 1;
  if (segment->settings.read_around && segment->mapped == NULL)
    segment->surroundings = calloc (stretches / 64 + 1, sizeof *segment->surroundings);
}

static void
segment_free (struct segment *segment)
{
  segment_drop_accelerators (segment);
  if (segment->table_ready)
    page_table_clear (&segment->table);
  if (segment->map != NULL)
    vfs_unmap (segment->file, (void *) segment->map, segment->information.file_size);
  free (segment->mapped);
  free (segment->surroundings);
  vfs_close (segment->file);
  if (segment->memory > 0)
    ledger_refund (segment->settings.ledger, LEDGER_SEGMENT, segment->memory);
  dictionary_free (segment->dictionary);
  range_set_unref (segment->ranges);
  segment_information_clear (&segment->information);
  pthread_mutex_destroy (&segment->building);
  free (segment);
}

/* What a salvage can do without. */
static status
pass_over (const struct segment *segment, status result)
{
  return segment->settings.salvage && result != STATUS_NO_MEMORY ? STATUS_OK : result;
}

static status
load_blocks (struct segment *segment, const struct tail *tail,
             const struct segment_information *information, struct failure *failure)
{
  bool salvage = segment->settings.salvage, alone = information == NULL;
  struct failure *told = salvage ? NULL : failure;
  status result = load_dictionary (segment, tail, failure); /* pages can't do without */
  if (result == STATUS_OK)
    {
      result = load_range_deletes (segment, tail, told);
      segment->ranges_lost = result != STATUS_OK;
      result = pass_over (segment, result);
    }
  if (result == STATUS_OK)
    result = pass_over (segment, load_properties (segment, tail, information, told));
  if (result == STATUS_OK && alone)
    result = pass_over (segment, load_blob_use (segment, tail, told));
  if (result == STATUS_OK && !alone)
    result = segment_information_copy (&segment->information, information, failure);
  return result == STATUS_NO_MEMORY && salvage ? fail_memory (failure, 0, "a segment") : result;
}

static status
open_parts (struct segment *segment, const struct segment_information *information,
            struct failure *failure)
{
  struct tail tail = { 0 };
  status result
      = open_file (segment, information == NULL ? 0 : information->file_size, &tail, failure);
  if (result == STATUS_OK)
    result = load_blocks (segment, &tail, information, failure);
  if (result == STATUS_OK)
    result = page_table_init (&segment->table, segment->settings.cache, segment->information.number,
                              segment->page_count, failure);
  segment->table_ready = result == STATUS_OK;
  free (tail.data);
  return result;
}

/* All it keeps beside pages, page table, index and filter. */
static void
charge (struct segment *segment)
{
  const struct segment_information *information = &segment->information;
  size_t bounds = information->smallest_size + information->largest_size;
  if (segment->settings.ledger == NULL)
    return;
  segment->memory = sizeof *segment + LISTED_SIZE + 2 * bounds
                    + information->blob_count * sizeof *information->blobs;
  if (segment->dictionary != NULL)
    segment->memory += dictionary_memory (segment->dictionary);
  if (segment->ranges != NULL)
    segment->memory += range_set_memory (segment->ranges);
  if (segment->mapped != NULL)
    segment->memory += segment->page_count * sizeof *segment->mapped;
  if (segment->surroundings != NULL)
    segment->memory += segment->pages_end / STRETCH_SIZE / 8;
  ledger_charge (segment->settings.ledger, LEDGER_SEGMENT, segment->memory);
}

static status
open_segment (const struct segment_reader_settings *settings, uint64_t number,
              const struct segment_information *information, struct segment **out,
              struct failure *failure)
{
  *out = NULL;
  struct segment *segment = calloc (1, sizeof *segment);
  if (segment == NULL)
    return fail_memory (failure, sizeof *segment, "a segment");
  segment->settings = *settings;
  segment->information.number = number;
  segment->level = cpu_level ();
  segment->seed = checksum_seed (settings->database_id, number);
  segment->references = 1;
  segment_name (segment->name, number);
  pthread_mutex_init (&segment->building, NULL);
  status result = open_parts (segment, information, failure);
  if (result != STATUS_OK)
    {
      segment_free (segment);
      return result;
    }
  map_file (segment);
  begin_reading_around (segment);
  charge (segment);
  segment->filter_wanted = segment->blocks[BLOCK_FILTER].size > 0;
  segment->index_wanted = settings->build_index && segment->totals.leaves > 0;
  *out = segment;
  return STATUS_OK;
}

status
segment_open (const struct segment_reader_settings *settings,
              const struct segment_information *information, struct segment **out,
              struct failure *failure)
{
  return open_segment (settings, information->number, information, out, failure);
}

status
segment_open_alone (const struct segment_reader_settings *settings, uint64_t number,
                    struct segment **out, struct failure *failure)
{
  return open_segment (settings, number, NULL, out, failure);
}

/* ---- lifetime (S5) ---- */

static void
release_slowly (struct epoch_link *link)
{
  segment_free ((struct segment *) (void *) ((char *) link - offsetof (struct segment, link)));
}

static void
release (struct epoch_link *link)
{
  epoch_defer (link, release_slowly); /* closing an unlinked file frees its blocks */
}

struct segment *
segment_ref (struct segment *segment)
{
  atomic_fetch_add_explicit (&segment->references, 1, memory_order_relaxed);
  return segment;
}

void
segment_unref (struct segment *segment)
{
  if (segment == NULL
      || atomic_fetch_sub_explicit (&segment->references, 1, memory_order_acq_rel) != 1)
    return;
  if (atomic_load_explicit (&segment->obsolete, memory_order_relaxed))
    vfs_unlink (segment->settings.directory, segment->name, NULL);
  epoch_retire (&segment->link, release);
}

void
segment_mark_obsolete (struct segment *segment)
{
  atomic_store_explicit (&segment->obsolete, true, memory_order_relaxed);
}

/* ---- figures ---- */

const struct segment_information *
segment_information (const struct segment *segment)
{
  return &segment->information;
}

bool
segment_is_narrowed (const struct segment *segment)
{
  return segment->narrowed;
}

const struct range_set *
segment_range_deletes (const struct segment *segment)
{
  return segment->ranges;
}

bool
segment_lacks_range_deletes (const struct segment *segment)
{
  return segment->ranges_lost;
}

void
segment_shape (struct segment *segment, struct segment_shape *out)
{
  const struct segment_totals *totals = &segment->totals;
  *out = (struct segment_shape){
    .leaves = totals->leaves,
    .inner_pages = totals->inner_pages,
    .depth = totals->depth,
    .stored_bytes = totals->stored,
    .logical_bytes = totals->logical,
    .used_bytes = totals->used,
  };
  memcpy (out->pages_by_codec, totals->by_codec, sizeof out->pages_by_codec);
  size_t chunks = ((size_t) segment->page_count + PAGE_CHUNK_SLOTS - 1) / PAGE_CHUNK_SLOTS;
  out->table_memory = chunks * sizeof *segment->table.chunks;
  for (size_t i = 0; i < chunks; i++)
    if (atomic_load_explicit (&segment->table.chunks[i], memory_order_relaxed) != NULL)
      out->table_memory += sizeof (struct page_chunk);
  pthread_mutex_lock (&segment->building);
  out->index_memory = segment->index_memory;
  out->filter_memory = segment->filter_memory;
  pthread_mutex_unlock (&segment->building);
}
