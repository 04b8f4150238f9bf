/* SPDX-License-Identifier: MIT */
/*
 * Writes one segment file front to back, in one pass.
 *
 *   record ─► leaf builder ─► page ─► (training buffer) ─► compress, trailer ─► write buffer ─►
 * file └──► directory: separator and place of every leaf, 25 bytes or so
 *
 * Invariants
 *   W1  Bytes reach the file in order; what is in the file is a multiple of 4096 bytes and of the
 *       buffer's front (O_DIRECT needs both).
 *   W2  A page's number is settled before its checksum: leaves are numbered as they are written,
 *       inner pages once the last leaf is.
 *   W3  After any failure the writer stays failed: every later call repeats the failure's code, and
 *       finish removes the file.
 *   W4  Memory: a write buffer, the leaf under construction, the directory, the filter's hashes,
 * and 1 MiB of pages while a dictionary is trained. Charged to LEDGER_MERGE.
 */
#include "base/hash.h"
#include "blob/blob.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITE_BUFFER_SIZE ((size_t)1 << 20)
#define TRAINING_SIZE ((size_t)1 << 20)
#define TRAINING_PAGES_LEAST 16u
#define DICTIONARY_SIZE_MAX ((size_t)16 << 10)

struct pending_pages
{
  uint8_t *data;          /* decoded pages end to end; owned */
  size_t size, room;      /* bytes in use, allocated */
  struct inner_list list; /* per page: place.offset in data, place.logical, separator */
};

struct range_list
{
  struct range_delete *items; /* each owns its start and end in one allocation at start.data */
  size_t count, room;         /* entries in use, allocated */
};

struct segment_writer
{
  struct segment_settings settings; /* as given; directory and ledger borrowed */
  char name[SEGMENT_NAME_SIZE];     /* of the file */
  struct vfs_file *file;            /* owned */
  uint64_t seed;                    /* of checksums */
  status failed;                    /* W3: the first failure's code */

  uint8_t *buffer;  /* WRITE_BUFFER_SIZE bytes, aligned; owned */
  size_t buffered;  /* bytes in it */
  uint64_t flushed; /* bytes written to the file: offset of the buffer's front */

  struct leaf_builder leaf;      /* the leaf under construction */
  uint8_t *page;                 /* scratch for a decoded page; owned */
  size_t page_room;              /* bytes allocated */
  uint8_t *stored;               /* scratch for a compressed page; owned */
  size_t stored_room;            /* bytes allocated */
  uint8_t *separator;            /* of the leaf under construction; owned */
  size_t separator_size;         /* bytes */
  size_t separator_room;         /* bytes allocated */
  struct inner_list directory;   /* of the leaves written */
  bool training;                 /* pages go to `pending` */
  struct pending_pages pending;  /* while training */
  struct compressor *compressor; /* NULL: raw */
  uint8_t *dictionary;           /* kept one; owned */
  size_t dictionary_size;        /* bytes; 0 = none */
  struct filter_builder *filter; /* NULL: none */

  uint8_t *last_key;                      /* of the leaf before the one under construction; owned */
  size_t last_key_size;                   /* bytes */
  size_t last_key_room;                   /* bytes allocated */
  uint64_t last_sequence;                 /* of the last record */
  struct range_list ranges;               /* range deletes so far */
  struct segment_information information; /* counted as records come */
  struct segment_totals totals;           /* of pages */
  struct
  {
    uint64_t offset, size, checksum;
  } blocks[BLOCK_COUNT]; /* written so far */
  size_t charged;        /* to LEDGER_MERGE, bytes */
};

/* ---- memory ---- */

static void
recharge (struct segment_writer *writer)
{
  size_t now = WRITE_BUFFER_SIZE + leaf_builder_memory (&writer->leaf) + writer->page_room
               + writer->stored_room + writer->separator_room + writer->last_key_room
               + writer->directory.room + writer->pending.room + writer->pending.list.room;
  if (writer->filter != NULL)
    now += (size_t)writer->information.records * 8;
  if (writer->settings.ledger == NULL || now == writer->charged)
    return;
  if (now > writer->charged)
    ledger_charge (writer->settings.ledger, LEDGER_MERGE, now - writer->charged);
  else
    ledger_refund (writer->settings.ledger, LEDGER_MERGE, writer->charged - now);
  writer->charged = now;
}

static status
grow (uint8_t **data, size_t *room, size_t size, struct failure *failure)
{
  if (*room >= size)
    return STATUS_OK;
  uint8_t *larger = realloc (*data, size);
  if (larger == NULL)
    return fail_memory (failure, size, "a segment under construction");
  *data = larger;
  *room = size;
  return STATUS_OK;
}

static status
replace_bytes (uint8_t **data, size_t *size, size_t *room, struct bytes with,
               struct failure *failure)
{
  status result = grow (data, room, with.size > 64 ? with.size : 64, failure);
  if (result != STATUS_OK)
    return result;
  if (with.size > 0)
    memcpy (*data, with.data, with.size);
  *size = with.size;
  return STATUS_OK;
}

static status
replace_owned (uint8_t **data, size_t *size, struct bytes with, struct failure *failure)
{
  size_t room = 0;
  free (*data);
  *data = NULL;
  *size = 0;
  return replace_bytes (data, size, &room, with, failure);
}

static status
repeat_failure (struct segment_writer *writer, struct failure *failure)
{
  return fail (failure, writer->failed, "segment %s failed earlier and cannot be continued",
               writer->name);
}

/* ---- the write buffer (W1) ---- */

static status
flush (struct segment_writer *writer, struct failure *failure)
{
  size_t whole = writer->buffered / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT;
  if (whole == 0)
    return STATUS_OK;
  status result = vfs_write (writer->file, writer->flushed, writer->buffer, whole, failure);
  if (result != STATUS_OK)
    return result;
  writer->flushed += whole;
  writer->buffered -= whole;
  memmove (writer->buffer, writer->buffer + whole, writer->buffered);
  return STATUS_OK;
}

static uint64_t
position (const struct segment_writer *writer)
{
  return writer->flushed + writer->buffered;
}

/* `size` bytes of the buffer to be filled next, or NULL when it cannot hold as many. */
static status
claim (struct segment_writer *writer, size_t size, uint8_t **out, struct failure *failure)
{
  *out = NULL;
  if (WRITE_BUFFER_SIZE - writer->buffered < size)
    {
      status result = flush (writer, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (WRITE_BUFFER_SIZE - writer->buffered >= size)
    *out = writer->buffer + writer->buffered;
  return STATUS_OK;
}

static status
append (struct segment_writer *writer, struct bytes bytes, struct failure *failure)
{
  while (bytes.size > 0)
    {
      size_t room = WRITE_BUFFER_SIZE - writer->buffered;
      size_t part = bytes.size < room ? bytes.size : room;
      memcpy (writer->buffer + writer->buffered, bytes.data, part);
      writer->buffered += part;
      bytes = BYTES (bytes.data + part, bytes.size - part);
      status result = writer->buffered == WRITE_BUFFER_SIZE ? flush (writer, failure) : STATUS_OK;
      if (result != STATUS_OK)
        return result;
    }
  return STATUS_OK;
}

static status
pad (struct segment_writer *writer, size_t alignment, struct failure *failure)
{
  static const uint8_t zeros[SEGMENT_ALIGNMENT];
  size_t over = (size_t)(position (writer) % alignment);
  return over == 0 ? STATUS_OK : append (writer, BYTES (zeros, alignment - over), failure);
}

/* ---- pages ---- */

static status
append_trailer (struct segment_writer *writer, uint32_t number, struct bytes stored,
                struct failure *failure)
{
  uint8_t trailer[SEGMENT_TRAILER_SIZE];
  store_u64 (trailer, checksum (writer->seed, number, stored));
  return append (writer, BYTES (trailer, sizeof trailer), failure);
}

/* A page that is stored as it is: the used bytes, and in a raw segment zeros up to whole units. */
static status
write_raw (struct segment_writer *writer, uint32_t number, struct bytes page, bool whole_units,
           struct page_place *place, struct failure *failure)
{
  size_t unit = whole_units ? writer->settings.page_size : 1;
  size_t stored = round_up (page.size + SEGMENT_TRAILER_SIZE, unit) - SEGMENT_TRAILER_SIZE;
  *place = (struct page_place){ position (writer), (uint32_t)(stored + SEGMENT_TRAILER_SIZE),
                                (uint32_t)page.size, CODEC_NONE };
  status result = append (writer, BYTES (page.data, stored), failure);
  if (result != STATUS_OK)
    return result;
  return append_trailer (writer, number, BYTES (page.data, stored), failure);
}

/* `page.data` has zeros behind page.size up to whole units. */
static status
write_page (struct segment_writer *writer, uint32_t number, struct bytes page,
            struct page_place *place, struct failure *failure)
{
  if (writer->compressor == NULL)
    return write_raw (writer, number, page, true, place, failure);
  status result = grow (&writer->stored, &writer->stored_room, page.size, failure);
  if (result != STATUS_OK)
    return result;
  size_t size = 0;
  enum codec codec = compressor_run (writer->compressor, page, writer->stored, &size);
  if (codec == CODEC_NONE)
    return write_raw (writer, number, page, false, place, failure);
  struct bytes stored = BYTES (writer->stored, size);
  *place = (struct page_place){ position (writer), (uint32_t)(size + SEGMENT_TRAILER_SIZE),
                                (uint32_t)page.size, (uint8_t)codec };
  result = append (writer, stored, failure);
  if (result != STATUS_OK)
    return result;
  return append_trailer (writer, number, stored, failure);
}

static void
count_page (struct segment_writer *writer, const struct page_place *place)
{
  size_t unit = writer->settings.page_size;
  writer->totals.stored += place->stored;
  writer->totals.logical += round_up ((size_t)place->logical + SEGMENT_TRAILER_SIZE, unit);
  writer->totals.used += place->logical;
  writer->totals.by_codec[place->codec]++;
}

/* W2 */
static status
emit_leaf (struct segment_writer *writer, struct bytes page, struct bytes separator,
           struct failure *failure)
{
  uint32_t number = (uint32_t)writer->directory.count;
  struct page_place place;
  status result = write_page (writer, number, page, &place, failure);
  if (result != STATUS_OK)
    return result;
  count_page (writer, &place);
  return inner_list_append (&writer->directory, &place, number, separator, failure);
}

/* ---- the dictionary ---- */

static status
new_compressor (struct segment_writer *writer, struct bytes dictionary, struct compressor **out,
                struct failure *failure)
{
  return compressor_new (writer->settings.codec, writer->settings.compression_level, dictionary,
                         out, failure);
}

/* What the pending pages take when compressed with `compressor`. */
static size_t
trial_size (struct segment_writer *writer, struct compressor *compressor)
{
  struct reader reader = reader_over (BYTES (writer->pending.list.data, writer->pending.list.size));
  struct inner_entry entry;
  size_t total = 0;
  while (inner_list_take (&reader, &entry))
    {
      size_t size = 0;
      struct bytes page = BYTES (writer->pending.data + entry.place.offset, entry.place.logical);
      bool packed = compressor_run (compressor, page, writer->stored, &size) != CODEC_NONE;
      total += packed ? size : page.size;
    }
  return total;
}

/* Trains on the pending pages; keeps the dictionary when pages and it together take at least a
 * sixteenth less than the pages without. */
static status
train (struct segment_writer *writer, struct failure *failure)
{
  size_t count = writer->pending.list.count, largest = 0;
  size_t *sizes = malloc (count * sizeof *sizes);
  uint8_t *dictionary = NULL;
  size_t dictionary_size = 0;
  struct compressor *with = NULL, *without = NULL;
  status result
      = sizes == NULL ? fail_memory (failure, count * sizeof *sizes, "training") : STATUS_OK;
  if (result != STATUS_OK)
    goto out;

  struct reader reader = reader_over (BYTES (writer->pending.list.data, writer->pending.list.size));
  struct inner_entry entry;
  for (size_t i = 0; i < count && inner_list_take (&reader, &entry); i++)
    {
      sizes[i] = entry.place.logical;
      largest = sizes[i] > largest ? sizes[i] : largest;
    }
  result = dictionary_train (writer->pending.data, sizes, count, DICTIONARY_SIZE_MAX, &dictionary,
                             &dictionary_size, failure);
  if (result != STATUS_OK || dictionary_size == 0)
    goto out;
  result = grow (&writer->stored, &writer->stored_room, largest, failure);
  if (result == STATUS_OK)
    result = new_compressor (writer, BYTES (dictionary, dictionary_size), &with, failure);
  if (result == STATUS_OK)
    result = new_compressor (writer, BYTES_NONE, &without, failure);
  if (result != STATUS_OK)
    goto out;
  size_t plain = trial_size (writer, without);
  if (trial_size (writer, with) + dictionary_size <= plain - plain / 16)
    {
      compressor_free (writer->compressor);
      writer->compressor = with;
      writer->dictionary = dictionary;
      writer->dictionary_size = dictionary_size;
      with = NULL;
      dictionary = NULL;
    }
out:
  compressor_free (with);
  compressor_free (without);
  free (dictionary);
  free (sizes);
  return result;
}

static status
end_training (struct segment_writer *writer, struct failure *failure)
{
  struct pending_pages *pending = &writer->pending;
  writer->training = false;
  status result = STATUS_OK;
  if (pending->list.count >= TRAINING_PAGES_LEAST)
    result = train (writer, failure);
  struct reader reader = reader_over (BYTES (pending->list.data, pending->list.size));
  struct inner_entry entry;
  while (result == STATUS_OK && inner_list_take (&reader, &entry))
    result = emit_leaf (writer, BYTES (pending->data + entry.place.offset, entry.place.logical),
                        entry.suffix, failure);
  free (pending->data);
  inner_list_clear (&pending->list);
  *pending = (struct pending_pages){ 0 };
  return result;
}

/* Pages wait end to end, as dictionary_train wants them. */
static status
keep_for_training (struct segment_writer *writer, struct bytes page, struct bytes separator,
                   struct failure *failure)
{
  struct pending_pages *pending = &writer->pending;
  size_t needed = pending->size + page.size;
  size_t room = needed > TRAINING_SIZE ? needed : TRAINING_SIZE;
  status result = grow (&pending->data, &pending->room, room, failure);
  if (result != STATUS_OK)
    return result;
  memcpy (pending->data + pending->size, page.data, page.size);
  struct page_place place = { pending->size, 0, (uint32_t)page.size, 0 };
  pending->size = needed;
  result = inner_list_append (&pending->list, &place, 0, separator, failure);
  if (result == STATUS_OK && pending->size >= TRAINING_SIZE)
    result = end_training (writer, failure);
  return result;
}

/* ---- leaves ---- */

/* A raw page is built where it will be written from. */
static status
emit_in_place (struct segment_writer *writer, bool *done, struct failure *failure)
{
  size_t size = writer->leaf.units * writer->settings.page_size;
  uint8_t *at;
  *done = false;
  status result = claim (writer, size, &at, failure);
  if (result != STATUS_OK || at == NULL)
    return result;
  uint32_t number = (uint32_t)writer->directory.count;
  leaf_builder_write (&writer->leaf, at);
  struct page_place place = { position (writer), (uint32_t)size, load_u32 (at + 8), CODEC_NONE };
  struct bytes stored = BYTES (at, size - SEGMENT_TRAILER_SIZE);
  store_u64 (at + stored.size, checksum (writer->seed, number, stored));
  writer->buffered += size;
  *done = true;
  count_page (writer, &place);
  return inner_list_append (&writer->directory, &place, number,
                            BYTES (writer->separator, writer->separator_size), failure);
}

static status
finish_leaf (struct segment_writer *writer, struct failure *failure)
{
  if (writer->directory.count + writer->pending.list.count >= SEGMENT_PAGES_MAX / 2)
    return fail (failure, STATUS_INVALID, "segment %s has too many pages", writer->name);
  bool done = false;
  status result = replace_bytes (&writer->last_key, &writer->last_key_size, &writer->last_key_room,
                                 leaf_builder_last_key (&writer->leaf), failure);
  recharge (writer);
  if (result == STATUS_OK && writer->settings.codec == CODEC_NONE)
    result = emit_in_place (writer, &done, failure);
  if (result != STATUS_OK || done)
    return result;

  size_t size = writer->leaf.units * writer->settings.page_size;
  result = grow (&writer->page, &writer->page_room, size, failure);
  if (result != STATUS_OK)
    return result;
  leaf_builder_write (&writer->leaf, writer->page);
  struct bytes page = BYTES (writer->page, load_u32 (writer->page + 8));
  struct bytes separator = BYTES (writer->separator, writer->separator_size);
  return writer->training ? keep_for_training (writer, page, separator, failure)
                          : emit_leaf (writer, page, separator, failure);
}

/* The shortest key above the last one and at most `next`; see inner.h for versions that span. */
static status
separate (struct segment_writer *writer, struct bytes next, struct failure *failure)
{
  struct bytes last = BYTES (writer->last_key, writer->last_key_size);
  size_t common = bytes_common_prefix (last, next);
  if (common < next.size)
    return replace_bytes (&writer->separator, &writer->separator_size, &writer->separator_room,
                          BYTES (next.data, common + 1), failure);
  status result = grow (&writer->separator, &writer->separator_room, next.size + 1, failure);
  if (result != STATUS_OK)
    return result;
  memcpy (writer->separator, next.data, next.size);
  writer->separator[next.size] = 0;
  writer->separator_size = next.size + 1;
  return STATUS_OK;
}

/* ---- records ---- */

static status
check_record (struct segment_writer *writer, const struct record *record, int order,
              struct failure *failure)
{
  if (order < 0 || (order == 0 && record->sequence >= writer->last_sequence))
    return fail (failure, STATUS_INVALID, "records for segment %s are out of order", writer->name);
  if (record->key.size == 0 || record->key.size > INTERNAL_KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE, "a key of %zu bytes cannot be stored in segment %s",
                 record->key.size, writer->name);
  if (record->value.size > VALUE_SIZE_MAX)
    return fail (failure, STATUS_VALUE_TOO_LARGE,
                 "a value of %zu bytes cannot be stored in segment %s", record->value.size,
                 writer->name);
  bool fits_kind = record->kind == RECORD_PUT
                   || (record->kind == RECORD_DELETE && record->value.size == 0)
                   || (record->kind == RECORD_BLOB && record->value.size == BLOB_REFERENCE_SIZE);
  if (!fits_kind || record->sequence > SEQUENCE_MAX)
    return fail (failure, STATUS_INVALID, "a record for segment %s is malformed", writer->name);
  return STATUS_OK;
}

/* The entry of a blob file, kept in rising order of its number. */
static status
blob_entry (struct segment_information *information, uint64_t file, struct blob_use **out,
            struct failure *failure)
{
  size_t low = 0, high = information->blob_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (information->blobs[middle].file < file)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == information->blob_count || information->blobs[low].file != file)
    {
      size_t count = information->blob_count;
      struct blob_use *blobs = realloc (information->blobs, (count + 1) * sizeof *blobs);
      if (blobs == NULL)
        return fail_memory (failure, (count + 1) * sizeof *blobs, "blob use of a segment");
      memmove (blobs + low + 1, blobs + low, (count - low) * sizeof *blobs);
      blobs[low] = (struct blob_use){ .file = file };
      information->blobs = blobs;
      information->blob_count = count + 1;
    }
  *out = &information->blobs[low];
  return STATUS_OK;
}

static void
count_sequence (struct segment_information *information, uint64_t sequence, bool first)
{
  if (first || sequence < information->min_sequence)
    information->min_sequence = sequence;
  if (sequence > information->max_sequence)
    information->max_sequence = sequence;
}

static status
count_record (struct segment_writer *writer, const struct record *record, struct failure *failure)
{
  struct segment_information *information = &writer->information;
  bool first = information->records + information->range_deletes == 0;
  if (record->kind == RECORD_BLOB)
    {
      struct blob_reference reference;
      struct blob_use *use = NULL;
      if (!blob_reference_load (record->value, &reference))
        return fail (failure, STATUS_INVALID, "a blob reference for segment %s is malformed",
                     writer->name);
      status result = blob_entry (information, reference.file, &use, failure);
      if (result != STATUS_OK)
        return result;
      use->values++;
      use->bytes += reference.size;
    }
  count_sequence (information, record->sequence, first);
  information->records++;
  information->deletes += record->kind == RECORD_DELETE;
  information->key_bytes += record->key.size;
  information->value_bytes += record->kind == RECORD_BLOB ? 0 : record->value.size;
  return STATUS_OK;
}

static status
add_to_leaf (struct segment_writer *writer, const struct record *record, uint8_t tag,
             struct failure *failure)
{
  bool added;
  status result = leaf_builder_add (&writer->leaf, record, tag, &added, failure);
  if (result != STATUS_OK || added)
    return result;
  result = finish_leaf (writer, failure);
  if (result == STATUS_OK)
    result = separate (writer, record->key, failure);
  if (result == STATUS_OK)
    result = leaf_builder_add (&writer->leaf, record, tag, &added, failure);
  return result;
}

status
segment_writer_add (struct segment_writer *writer, const struct record *record,
                    struct failure *failure)
{
  if (writer->failed != STATUS_OK)
    return repeat_failure (writer, failure);
  int order = 1;
  if (writer->leaf.count > 0)
    order = bytes_compare (record->key, leaf_builder_last_key (&writer->leaf));
  status result = check_record (writer, record, order, failure);
  if (result != STATUS_OK)
    return result;

  uint64_t hash = key_hash (record->key);
  if (writer->information.records == 0)
    result = replace_owned (&writer->information.smallest, &writer->information.smallest_size,
                            record->key, failure);
  if (result == STATUS_OK && order != 0 && writer->filter != NULL)
    result = filter_builder_add (writer->filter, hash, failure);
  if (result == STATUS_OK)
    result = count_record (writer, record, failure);
  if (result == STATUS_OK)
    result = add_to_leaf (writer, record, key_tag (hash), failure);
  writer->last_sequence = record->sequence;
  if (result != STATUS_OK)
    writer->failed = result;
  return result;
}

status
segment_writer_add_range_delete (struct segment_writer *writer, const struct range_delete *range,
                                 struct failure *failure)
{
  struct range_list *ranges = &writer->ranges;
  if (writer->failed != STATUS_OK)
    return repeat_failure (writer, failure);
  if (bytes_compare (range->start, range->end) >= 0 || range->sequence > SEQUENCE_MAX
      || range->end.size > INTERNAL_KEY_SIZE_MAX + 1
      || range->start.size > INTERNAL_KEY_SIZE_MAX + 1)
    return fail (failure, STATUS_INVALID, "a range delete for segment %s is malformed",
                 writer->name);
  if (ranges->count == ranges->room)
    {
      size_t room = ranges->room * 2 + 16;
      struct range_delete *items = realloc (ranges->items, room * sizeof *items);
      if (items == NULL)
        return fail_memory (failure, room * sizeof *items, "range deletes of a segment");
      ranges->items = items;
      ranges->room = room;
    }
  uint8_t *copy = malloc (range->start.size + range->end.size);
  if (copy == NULL)
    return fail_memory (failure, range->start.size + range->end.size, "a range delete");
  if (range->start.size > 0)
    memcpy (copy, range->start.data, range->start.size);
  memcpy (copy + range->start.size, range->end.data, range->end.size);
  ranges->items[ranges->count++]
      = (struct range_delete){ .start = BYTES (copy, range->start.size),
                               .end = BYTES (copy + range->start.size, range->end.size),
                               .sequence = range->sequence };
  struct segment_information *information = &writer->information;
  count_sequence (information, range->sequence,
                  information->records + information->range_deletes == 0);
  information->range_deletes++;
  return STATUS_OK;
}

uint64_t
segment_writer_size (const struct segment_writer *writer)
{
  return position (writer) + writer->pending.size + writer->leaf.data_size;
}

/* ---- opening and giving up ---- */

static status
write_header (struct segment_writer *writer, struct failure *failure)
{
  const struct segment_settings *settings = &writer->settings;
  uint8_t header[SEGMENT_HEADER_SIZE] = { 0 };
  memcpy (header, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
  store_u32 (header + HEADER_VERSION, SEGMENT_FORMAT_VERSION);
  memcpy (header + HEADER_DATABASE_ID, settings->database_id, 16);
  store_u64 (header + HEADER_NUMBER, settings->number);
  store_u32 (header + HEADER_PAGE_SIZE, (uint32_t)settings->page_size);
  store_u32 (header + HEADER_TRAILER_SIZE, SEGMENT_TRAILER_SIZE);
  header[HEADER_CODEC] = (uint8_t)settings->codec;
  header[HEADER_COMPRESSION_LEVEL] = (uint8_t)settings->compression_level;
  header[HEADER_FILTER] = (uint8_t)settings->filter;
  store_u64 (header + HEADER_CHECKSUM,
             checksum (writer->seed, SEGMENT_POSITION_HEADER, BYTES (header, HEADER_CHECKSUM)));
  return append (writer, BYTES (header, sizeof header), failure);
}

static void
writer_free (struct segment_writer *writer)
{
  if (writer->settings.ledger != NULL)
    ledger_refund (writer->settings.ledger, LEDGER_MERGE, writer->charged);
  vfs_close (writer->file);
  leaf_builder_clear (&writer->leaf);
  inner_list_clear (&writer->directory);
  inner_list_clear (&writer->pending.list);
  for (size_t i = 0; i < writer->ranges.count; i++)
    free ((void *)writer->ranges.items[i].start.data);
  free (writer->ranges.items);
  compressor_free (writer->compressor);
  if (writer->filter != NULL)
    filter_builder_free (writer->filter);
  segment_information_clear (&writer->information);
  free (writer->pending.data);
  free (writer->buffer);
  free (writer->page);
  free (writer->stored);
  free (writer->separator);
  free (writer->last_key);
  free (writer->dictionary);
  free (writer);
}

void
segment_writer_abort (struct segment_writer *writer)
{
  if (writer == NULL)
    return;
  if (writer->file != NULL)
    vfs_unlink (writer->settings.directory, writer->name, NULL);
  writer_free (writer);
}

status
segment_writer_open (const struct segment_settings *settings, struct segment_writer **out,
                     struct failure *failure)
{
  *out = NULL;
  if (!segment_page_size_is_valid (settings->page_size) || settings->codec >= CODEC_COUNT)
    return fail (failure, STATUS_INVALID,
                 "a page size of %zu bytes is not possible: use 4096 to 65536, a power of two",
                 settings->page_size);
  struct segment_writer *writer = calloc (1, sizeof *writer);
  if (writer == NULL)
    return fail_memory (failure, sizeof *writer, "a segment writer");
  writer->settings = *settings;
  writer->seed = checksum_seed (settings->database_id, settings->number);
  segment_name (writer->name, settings->number);
  leaf_builder_init (&writer->leaf, settings->page_size, SEGMENT_TRAILER_SIZE);
  writer->training = settings->train_dictionary && settings->codec == CODEC_ZSTD;
  writer->information.number = settings->number;

  status result = STATUS_OK;
  writer->buffer = aligned_alloc (SEGMENT_ALIGNMENT, WRITE_BUFFER_SIZE);
  if (writer->buffer == NULL)
    result = fail_memory (failure, WRITE_BUFFER_SIZE, "a segment's write buffer");
  if (result == STATUS_OK && settings->codec != CODEC_NONE)
    result = new_compressor (writer, BYTES_NONE, &writer->compressor, failure);
  if (result == STATUS_OK && settings->filter != FILTER_NONE)
    result = filter_builder_new (settings->filter, &writer->filter, failure);
  if (result == STATUS_OK)
    result = vfs_open (settings->directory, writer->name,
                       VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE | (settings->direct ? VFS_DIRECT : 0),
                       &writer->file, failure);
  if (result == STATUS_OK)
    result = write_header (writer, failure);
  if (result != STATUS_OK)
    {
      segment_writer_abort (writer);
      return result;
    }
  recharge (writer);
  *out = writer;
  return STATUS_OK;
}

/* ---- finishing ---- */

/* One level of inner pages over `below`, whose children are numbered from `first_child` on. */
static status
write_level (struct segment_writer *writer, const struct inner_list *below, unsigned level,
             uint32_t first_child, struct inner_list *above, struct failure *failure)
{
  size_t capacity = writer->settings.page_size - SEGMENT_TRAILER_SIZE;
  uint32_t number = first_child + (uint32_t)below->count;
  for (size_t at = 0; at < below->size;)
    {
      struct inner_built built;
      status result = inner_build (below, at, level, first_child, capacity, &writer->page,
                                   &writer->page_room, &built, failure);
      if (result != STATUS_OK)
        return result;
      size_t whole = round_up (built.used + SEGMENT_TRAILER_SIZE, writer->settings.page_size);
      result = grow (&writer->page, &writer->page_room, whole, failure);
      if (result != STATUS_OK)
        return result;
      memset (writer->page + built.used, 0, whole - built.used);
      struct page_place place;
      result = write_raw (writer, number, BYTES (writer->page, built.used),
                          writer->compressor == NULL, &place, failure);
      if (result != STATUS_OK)
        return result;
      count_page (writer, &place);
      result = inner_list_append (above, &place, built.first_leaf, built.separator, failure);
      if (result != STATUS_OK)
        return result;
      first_child += (uint32_t)built.entries;
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
  totals->leaves = (uint32_t)below.count;
  totals->depth = below.count > 0;
  while (result == STATUS_OK && below.count > 0 && (below.count > 1 || totals->depth == 1))
    {
      result = write_level (writer, &below, totals->depth, first_child, &above, failure);
      first_child += (uint32_t)below.count;
      totals->inner_pages += (uint32_t)above.count;
      totals->depth++;
      inner_list_clear (&below);
      below = above;
      above = (struct inner_list){ 0 };
    }
  if (result == STATUS_OK && below.count == 1)
    totals->root = page_place_load (below.data);
  inner_list_clear (&below);
  inner_list_clear (&above);
  return result;
}

static status
write_block (struct segment_writer *writer, enum segment_block block, struct bytes bytes,
             struct failure *failure)
{
  if (bytes.size == 0)
    return STATUS_OK;
  writer->blocks[block].offset = position (writer);
  writer->blocks[block].size = bytes.size;
  writer->blocks[block].checksum
      = checksum (writer->seed, SEGMENT_POSITION_BLOCK + (uint64_t)block, bytes);
  return append (writer, bytes, failure);
}

static status
write_filter (struct segment_writer *writer, struct failure *failure)
{
  uint8_t *block = NULL;
  size_t size = 0;
  if (writer->filter == NULL)
    return STATUS_OK;
  struct filter_builder *builder = writer->filter;
  writer->filter = NULL;
  status result = filter_builder_finish (builder, &block, &size, failure);
  if (result == STATUS_OK)
    result = write_block (writer, BLOCK_FILTER, BYTES (block, size), failure);
  free (block);
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
      = write_block (writer, BLOCK_RANGE_DELETES, BYTES (block, (size_t)(at - block)), failure);
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
      = write_block (writer, BLOCK_BLOB_USE, BYTES (block, (size_t)(at - block)), failure);
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
      = write_block (writer, BLOCK_PROPERTIES, BYTES (block, (size_t)(at - block)), failure);
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
  status result = pad (writer, SEGMENT_ALIGNMENT, failure);
  if (result == STATUS_OK)
    result = append (writer, BYTES (footer, sizeof footer), failure);
  if (result == STATUS_OK)
    result = flush (writer, failure);
  return result;
}

/* Bounds over records and range deletes. The smallest key is set from the first record. */
static status
settle_bounds (struct segment_writer *writer, struct failure *failure)
{
  struct segment_information *information = &writer->information;
  struct bytes smallest = BYTES (information->smallest, information->smallest_size);
  struct bytes largest = leaf_builder_last_key (&writer->leaf);
  bool bare = information->records == 0;
  for (size_t i = 0; i < writer->ranges.count; i++)
    {
      const struct range_delete *range = &writer->ranges.items[i];
      if ((bare && i == 0) || bytes_compare (range->start, smallest) < 0)
        smallest = range->start;
      if ((bare && i == 0) || bytes_compare (range->end, largest) > 0)
        largest = range->end;
    }
  status result
      = replace_owned (&information->largest, &information->largest_size, largest, failure);
  if (result == STATUS_OK && smallest.data != information->smallest)
    result = replace_owned (&information->smallest, &information->smallest_size, smallest, failure);
  return result;
}

static status
write_rest (struct segment_writer *writer, struct failure *failure)
{
  status result = settle_bounds (writer, failure);
  if (result == STATUS_OK && writer->leaf.count > 0)
    result = finish_leaf (writer, failure);
  if (result == STATUS_OK && writer->training)
    result = end_training (writer, failure);
  if (result == STATUS_OK)
    result = write_inner_pages (writer, failure);
  uint64_t pages_end = position (writer);
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

status
segment_writer_finish (struct segment_writer *writer, struct segment_information *out,
                       struct failure *failure)
{
  status result = writer->failed != STATUS_OK ? repeat_failure (writer, failure)
                                              : write_rest (writer, failure);
  if (result != STATUS_OK)
    {
      segment_writer_abort (writer);
      return result;
    }
  writer->information.file_size = writer->flushed;
  *out = writer->information;
  writer->information = (struct segment_information){ 0 };
  writer_free (writer);
  return STATUS_OK;
}
