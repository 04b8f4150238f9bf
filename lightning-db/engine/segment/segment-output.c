/* SPDX-License-Identifier: MIT */
/* The way of a segment's bytes to its file: see W1 in segment-writer.c. */
#include "base/hash.h"
#include "segment/segment-writer-private.h"

#include <stdlib.h>

/* ---- the write buffer (W1) ---- */

status
segment_output_flush (struct segment_writer *writer, struct failure *failure)
{
  size_t whole = writer->buffered / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT;
  if (whole == 0)
    return STATUS_OK;
  status result = vfs_write (writer->file, writer->flushed, writer->buffer.data, whole, failure);
  if (result != STATUS_OK)
    return result;
  if (!writer->settings.direct)
    vfs_advise_write_back (writer->file, writer->flushed, whole);
  writer->flushed += whole;
  writer->buffered -= whole;
  memmove (writer->buffer.data, writer->buffer.data + whole, writer->buffered);
  return STATUS_OK;
}

uint64_t
segment_output_position (const struct segment_writer *writer)
{
  return writer->flushed + writer->buffered;
}

status
segment_output_claim (struct segment_writer *writer, size_t size, uint8_t **out,
                      struct failure *failure)
{
  *out = NULL;
  if (writer->buffer.room - writer->buffered < size)
    {
      status result = segment_output_flush (writer, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (writer->buffer.room - writer->buffered >= size)
    *out = writer->buffer.data + writer->buffered;
  return STATUS_OK;
}

status
segment_output_append (struct segment_writer *writer, struct bytes bytes, struct failure *failure)
{
  while (bytes.size > 0)
    {
      size_t room = writer->buffer.room - writer->buffered;
      size_t part = bytes.size < room ? bytes.size : room;
      memcpy (writer->buffer.data + writer->buffered, bytes.data, part);
      writer->buffered += part;
      bytes = BYTES (bytes.data + part, bytes.size - part);
      status result = writer->buffered == writer->buffer.room
                          ? segment_output_flush (writer, failure)
                          : STATUS_OK;
      if (result != STATUS_OK)
        return result;
    }
  return STATUS_OK;
}

status
segment_output_pad (struct segment_writer *writer, size_t alignment, struct failure *failure)
{
  static const uint8_t zeros[SEGMENT_ALIGNMENT];
  size_t over = (size_t) (segment_output_position (writer) % alignment);
  return over == 0 ? STATUS_OK
                   : segment_output_append (writer, BYTES (zeros, alignment - over), failure);
}

/* ---- pages ---- */

status
segment_output_trailer (struct segment_writer *writer, uint32_t number, struct bytes stored,
                        struct failure *failure)
{
  uint8_t trailer[SEGMENT_TRAILER_SIZE];
  store_u64 (trailer, checksum (writer->seed, number, stored));
  return segment_output_append (writer, BYTES (trailer, sizeof trailer), failure);
}

status
segment_output_raw_page (struct segment_writer *writer, uint32_t number, struct bytes page,
                         bool whole_units, struct page_place *place, struct failure *failure)
{
  size_t unit = whole_units ? writer->settings.page_size : 1;
  size_t stored = round_up (page.size + SEGMENT_TRAILER_SIZE, unit) - SEGMENT_TRAILER_SIZE;
  *place = (struct page_place){ segment_output_position (writer),
                                (uint32_t) (stored + SEGMENT_TRAILER_SIZE), (uint32_t) page.size,
                                CODEC_NONE };
  status result = segment_output_append (writer, BYTES (page.data, stored), failure);
  if (result != STATUS_OK)
    return result;
  return segment_output_trailer (writer, number, BYTES (page.data, stored), failure);
}

/* `page.data` has zeros behind page.size up to whole units. */
void
segment_output_count_page (struct segment_writer *writer, const struct page_place *place)
{
  size_t unit = writer->settings.page_size;
  writer->totals.stored += place->stored;
  writer->totals.logical += round_up ((size_t) place->logical + SEGMENT_TRAILER_SIZE, unit);
  writer->totals.used += place->logical;
  writer->totals.by_codec[place->codec]++;
}

/* W2 */