/* SPDX-License-Identifier: MIT */
/* What stands behind the leaves of a segment: see segment-format.h. */
#include "base/hash.h"
#include "segment/segment-writer-private.h"

#include <stdlib.h>

/* ---- inner pages ---- */

/* One level of inner pages over `below`, whose children are numbered from `first_child` on. */
static status
write_level (struct segment_writer *writer, const struct inner_list *below, unsigned level,
             uint32_t first_child, struct inner_list *above, struct failure *failure)
{
  size_t capacity = writer->settings.page_size - SEGMENT_TRAILER_SIZE;
  uint32_t number = first_child + (uint32_t) below->count;
  for (size_t at = 0; at < below->size;)
    {
      struct inner_built built;
      status result = inner_build (below, at, level, first_child, capacity, &writer->page,
                                   &writer->page_room, &built, failure);
      if (result != STATUS_OK)
        return result;
      size_t whole = round_up (built.used + SEGMENT_TRAILER_SIZE, writer->settings.page_size);
      result = segment_grow (&writer->page, &writer->page_room, whole, failure);
      if (result != STATUS_OK)
        return result;
      memset (writer->page + built.used, 0, whole - built.used);
      struct page_place place;
      result = segment_output_raw_page (writer, number, BYTES (writer->page, built.used),
                                        writer->compressor == NULL, &place, failure);
      if (result != STATUS_OK)
        return result;
      segment_output_count_page (writer, &place);
      result = inner_list_append (above, &place, built.first_leaf, built.separator, failure);
      if (result != STATUS_OK)
        return result;
      first_child += (uint32_t) built.entries;
      number++;
      at = built.next;
    }
  return STATUS_OK;
}

/* All inner levels; `totals` gets counts, depth and the root's place. */
static status
write_inner_pages (struct segment_writer *writer, struct failure *failure)
{
  struct segment_totals *totals = &writer->totals;
  struct inner_list below = writer->directory, above = { 0 };
  status result = STATUS_OK;
  uint32_t first_child = 0;
  writer->directory = (struct inner_list){ 0 };
  totals->leaves = (uint32_t) below.count;
  totals->depth = below.count > 0;
  while (result == STATUS_OK && below.count > 0 && (below.count > 1 || totals->depth == 1))
    {
      result = write_level (writer, &below, totals->depth, first_child, &above, failure);
      first_child += (uint32_t) below.count;
      totals->inner_pages += (uint32_t) above.count;
      totals->depth++;
      inner_list_clear (&below);
      below = above;
      above = (struct inner_list){ 0 };
    }
  if (result == STATUS_OK && below.count == 1)
    totals->root = page_place_load (below.buffer.data);
  inner_list_clear (&below);
  inner_list_clear (&above);
  return result;
}

/* ---- blocks ---- */

static status
write_block (struct segment_writer *writer, enum segment_block block, struct bytes bytes,
             struct failure *failure)
{
  if (bytes.size == 0)
    return STATUS_OK;
  writer->blocks[block].offset = segment_output_position (writer);
  writer->blocks[block].size = bytes.size;
  writer->blocks[block].checksum
      = checksum (writer->seed, SEGMENT_POSITION_BLOCK + (uint64_t) block, bytes);
  return segment_output_append (writer, bytes, failure);
}

static status
write_filter (struct segment_writer *writer, struct failure *failure)
{
  struct buffer block;
  size_t size;
  if (writer->filter == NULL)
    return STATUS_OK;
  struct filter_builder *builder = writer->filter;
  writer->filter = NULL;
  status result = filter_builder_finish (builder, &block, &size, failure);
  if (result == STATUS_OK)
    result = write_block (writer, BLOCK_FILTER, BYTES (block.data, size), failure);
  buffer_release (&block, writer->settings.ledger, LEDGER_MERGE);
  return result;
}

static status
write_range_deletes (struct segment_writer *writer, struct failure *failure)
{
  const struct range_list *ranges = &writer->ranges;
  size_t size = 0;
  for (size_t i = 0; i < ranges->count; i++)
    size += ranges->items[i].start.size + ranges->items[i].end.size + 3 * VARINT_SIZE_MAX;
  if (size == 0)
    return STATUS_OK;
  uint8_t *block = malloc (size), *at = block;
  if (block == NULL)
    return fail_memory (failure, size, "range deletes of a segment");
  for (size_t i = 0; i < ranges->count; i++)
    {
      const struct range_delete *range = &ranges->items[i];
      at = varint_store (at, range->start.size);
      memcpy (at, range->start.data, range->start.size);
      at = varint_store (at + range->start.size, range->end.size);
      memcpy (at, range->end.data, range->end.size);
      at = varint_store (at + range->end.size, range->sequence);
    }
  status result
      = write_block (writer, BLOCK_RANGE_DELETES, BYTES (block, (size_t) (at - block)), failure);
  free (block);
  return result;
}

static status
write_blob_use (struct segment_writer *writer, struct failure *failure)
{
  const struct segment_information *information = &writer->information;
  if (information->blob_count == 0)
    return STATUS_OK;
  size_t size = information->blob_count * 3 * VARINT_SIZE_MAX;
  uint8_t *block = malloc (size), *at = block;
  if (block == NULL)
    return fail_memory (failure, size, "blob use of a segment");
  for (size_t i = 0; i < information->blob_count; i++)
    {
      at = varint_store (at, information->blobs[i].file);
      at = varint_store (at, information->blobs[i].values);
      at = varint_store (at, information->blobs[i].bytes);
    }
  status result
      = write_block (writer, BLOCK_BLOB_USE, BYTES (block, (size_t) (at - block)), failure);
  free (block);
  return result;
}

static status
write_properties (struct segment_writer *writer, struct failure *failure)
{
  const struct segment_information *information = &writer->information;
  const struct segment_totals *totals = &writer->totals;
  size_t size = 24 * VARINT_SIZE_MAX + information->smallest_size + information->largest_size;
  uint8_t *block = malloc (size), *at = block;
  if (block == NULL)
    return fail_memory (failure, size, "properties of a segment");
  const uint64_t numbers[] = {
    information->records,
    information->deletes,
    information->range_deletes,
    information->key_bytes,
    information->value_bytes,
    information->min_sequence,
    information->max_sequence,
    totals->stored,
    totals->logical,
    totals->used,
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    at = varint_store (at, numbers[i]);
  for (size_t codec = 0; codec < CODEC_COUNT; codec++)
    at = varint_store (at, totals->by_codec[codec]);
  at = varint_store (at, information->smallest_size);
  if (information->smallest_size > 0)
    memcpy (at, information->smallest, information->smallest_size);
  at = varint_store (at + information->smallest_size, information->largest_size);
  if (information->largest_size > 0)
    memcpy (at, information->largest, information->largest_size);
  at += information->largest_size;
  status result
      = write_block (writer, BLOCK_PROPERTIES, BYTES (block, (size_t) (at - block)), failure);
  free (block);
  return result;
}

static status
write_footer (struct segment_writer *writer, uint64_t pages_end, struct failure *failure)
{
  uint8_t footer[SEGMENT_FOOTER_SIZE] = { 0 };
  memcpy (footer, SEGMENT_FOOTER_MAGIC, SEGMENT_MAGIC_SIZE);
  store_u32 (footer + FOOTER_LEAVES, writer->totals.leaves);
  store_u32 (footer + FOOTER_INNER_PAGES, writer->totals.inner_pages);
  store_u32 (footer + FOOTER_DEPTH, writer->totals.depth);
  store_u64 (footer + FOOTER_PAGES_END, pages_end);
  page_place_store (footer + FOOTER_ROOT, &writer->totals.root);
  for (size_t block = 0; block < BLOCK_COUNT; block++)
    {
      uint8_t *at = footer + FOOTER_BLOCKS + block * FOOTER_BLOCK_SIZE;
      store_u64 (at, writer->blocks[block].offset);
      store_u64 (at + 8, writer->blocks[block].size);
      store_u64 (at + 16, writer->blocks[block].checksum);
    }
  store_u64 (footer + FOOTER_CHECKSUM,
             checksum (writer->seed, SEGMENT_POSITION_FOOTER, BYTES (footer, FOOTER_CHECKSUM)));
  status result = segment_output_pad (writer, SEGMENT_ALIGNMENT, failure);
  if (result == STATUS_OK)
    result = segment_output_append (writer, BYTES (footer, sizeof footer), failure);
  if (result == STATUS_OK)
    result = segment_output_flush (writer, failure);
  return result;
}

status
segment_writer_complete (struct segment_writer *writer, struct failure *failure)
{
  status result = write_inner_pages (writer, failure);
  uint64_t pages_end = segment_output_position (writer);
  if (result == STATUS_OK)
    result = write_filter (writer, failure);
  if (result == STATUS_OK)
    result = write_block (writer, BLOCK_DICTIONARY,
                          BYTES (writer->dictionary, writer->dictionary_size), failure);
  if (result == STATUS_OK)
    result = write_range_deletes (writer, failure);
  if (result == STATUS_OK)
    result = write_blob_use (writer, failure);
  if (result == STATUS_OK)
    result = write_properties (writer, failure);
  if (result == STATUS_OK)
    result = write_footer (writer, pages_end, failure);
  if (result == STATUS_OK)
    result = vfs_sync_data (writer->file, failure);
  return result;
}
