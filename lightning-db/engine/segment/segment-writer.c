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
 *       the compressor, and 512 KiB of pages while a dictionary is trained. Charged to
 *       LEDGER_MERGE. Of the settings' memory a quarter is the write buffer's, half the filter's.
 */
#include "base/hash.h"
#include "blob/blob.h"

#include "segment/segment-writer-private.h"

#include <stdlib.h>

#define TRAINING_SIZE ((size_t) 512 << 10)
#define TRAINING_PAGES_LEAST 16u
#define DICTIONARY_SIZE_MAX ((size_t) 16 << 10)

/* ---- memory ---- */

static void
recharge (struct segment_writer *writer)
{
  size_t now = leaf_builder_memory (&writer->leaf) + writer->page_room + writer->stored_room
               + writer->separator_room + writer->last_key_room + writer->directory.buffer.room
               + writer->pending.list.buffer.room + compressor_memory (writer->compressor);
  if (writer->settings.ledger == NULL || now == writer->charged)
    return;
  if (now > writer->charged)
    ledger_charge (writer->settings.ledger, LEDGER_MERGE, now - writer->charged);
  else
    ledger_refund (writer->settings.ledger, LEDGER_MERGE, writer->charged - now);
  writer->charged = now;
}

static status
replace_bytes (uint8_t **data, size_t *size, size_t *room, struct bytes with,
               struct failure *failure)
{
  status result = segment_grow (data, room, with.size > 64 ? with.size : 64, failure);
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

/* ---- pages ---- */

static status
write_page (struct segment_writer *writer, uint32_t number, struct bytes page,
            struct page_place *place, struct failure *failure)
{
  if (writer->compressor == NULL)
    return segment_output_raw_page (writer, number, page, true, place, failure);
  status result = segment_grow (&writer->stored, &writer->stored_room, page.size, failure);
  if (result != STATUS_OK)
    return result;
  size_t size = 0;
  enum codec codec = compressor_run (writer->compressor, page, writer->stored, &size);
  if (codec == CODEC_NONE)
    return segment_output_raw_page (writer, number, page, false, place, failure);
  struct bytes stored = BYTES (writer->stored, size);
  *place = (struct page_place){ segment_output_position (writer),
                                (uint32_t) (size + SEGMENT_TRAILER_SIZE), (uint32_t) page.size,
                                (uint8_t) codec };
  result = segment_output_append (writer, stored, failure);
  if (result != STATUS_OK)
    return result;
  return segment_output_trailer (writer, number, stored, failure);
}

static status
emit_leaf (struct segment_writer *writer, struct bytes page, struct bytes separator,
           struct failure *failure)
{
  uint32_t number = (uint32_t) writer->directory.count;
  struct page_place place;
  status result = write_page (writer, number, page, &place, failure);
  if (result != STATUS_OK)
    return result;
  segment_output_count_page (writer, &place);
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
  struct reader reader = reader_over (inner_list_bytes (&writer->pending.list));
  struct inner_entry entry;
  size_t total = 0;
  while (inner_list_take (&reader, &entry))
    {
      size_t size = 0;
      struct bytes page
          = BYTES (writer->pending.buffer.data + entry.place.offset, entry.place.logical);
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

  struct reader reader = reader_over (inner_list_bytes (&writer->pending.list));
  struct inner_entry entry;
  for (size_t i = 0; i < count && inner_list_take (&reader, &entry); i++)
    {
      sizes[i] = entry.place.logical;
      largest = sizes[i] > largest ? sizes[i] : largest;
    }
  result = dictionary_train (writer->pending.buffer.data, sizes, count, DICTIONARY_SIZE_MAX,
                             &dictionary, &dictionary_size, failure);
  if (result != STATUS_OK || dictionary_size == 0)
    goto out;
  result = segment_grow (&writer->stored, &writer->stored_room, largest, failure);
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
  struct reader reader = reader_over (inner_list_bytes (&pending->list));
  struct inner_entry entry;
  while (result == STATUS_OK && inner_list_take (&reader, &entry))
    result
        = emit_leaf (writer, BYTES (pending->buffer.data + entry.place.offset, entry.place.logical),
                     entry.suffix, failure);
  buffer_release (&pending->buffer, writer->settings.ledger, LEDGER_MERGE);
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
  if (pending->buffer.room < room
      && !buffer_resize (&pending->buffer, room, writer->settings.ledger, LEDGER_MERGE))
    return fail_memory (failure, room, "pages to train a dictionary on");
  memcpy (pending->buffer.data + pending->size, page.data, page.size);
  struct page_place place = { pending->size, 0, (uint32_t) page.size, 0 };
  pending->size = needed;
  status result = inner_list_append (&pending->list, &place, 0, separator, failure);
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
  status result = segment_output_claim (writer, size, &at, failure);
  if (result != STATUS_OK || at == NULL)
    return result;
  uint32_t number = (uint32_t) writer->directory.count;
  leaf_builder_write (&writer->leaf, at);
  struct page_place place
      = { segment_output_position (writer), (uint32_t) size, load_u32 (at + 8), CODEC_NONE };
  struct bytes stored = BYTES (at, size - SEGMENT_TRAILER_SIZE);
  store_u64 (at + stored.size, checksum (writer->seed, number, stored));
  writer->buffered += size;
  *done = true;
  segment_output_count_page (writer, &place);
  return inner_list_append (&writer->directory, &place, number,
                            BYTES (writer->separator, writer->separator_size), failure);
}

/* Tells the filter how many keys there will be, if it goes on as it does. */
static void
expect_keys (struct segment_writer *writer)
{
  uint64_t size = segment_writer_size (writer), goal = writer->settings.goal_size;
  if (writer->filter == NULL || size == 0 || goal == 0)
    return;
  double more = goal > size ? (double) goal / (double) size : 1;
  filter_builder_expect (writer->filter,
                         (uint64_t) ((double) writer->information.records * more * 1.05));
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
  expect_keys (writer);
  if (result == STATUS_OK && writer->settings.codec == CODEC_NONE)
    result = emit_in_place (writer, &done, failure);
  if (result != STATUS_OK || done)
    return result;

  size_t size = writer->leaf.units * writer->settings.page_size;
  result = segment_grow (&writer->page, &writer->page_room, size, failure);
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
  status result
      = segment_grow (&writer->separator, &writer->separator_room, next.size + 1, failure);
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
  return segment_output_position (writer) + writer->pending.size + writer->leaf.data_size;
}

struct bytes
segment_writer_last_key (const struct segment_writer *writer)
{
  return leaf_builder_last_key (&writer->leaf);
}

bool
segment_writer_is_full (const struct segment_writer *writer)
{
  if (writer->settings.memory == 0)
    return false;
  size_t filter = writer->filter != NULL ? filter_builder_memory (writer->filter) : 0;
  return filter + writer->directory.size > writer->settings.memory
         || (writer->filter != NULL && filter_builder_is_full (writer->filter));
}

/* ---- opening and giving up ---- */

/* A power of two, so that it is whole blocks. */
static size_t
write_buffer_size (const struct segment_settings *settings)
{
  size_t size = WRITE_BUFFER_MOST;
  while (settings->memory > 0 && size > WRITE_BUFFER_LEAST && size > settings->memory / 4)
    size /= 2;
  return size;
}

static status
write_header (struct segment_writer *writer, struct failure *failure)
{
  const struct segment_settings *settings = &writer->settings;
  uint8_t header[SEGMENT_HEADER_SIZE] = { 0 };
  memcpy (header, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
  store_u32 (header + HEADER_VERSION, SEGMENT_FORMAT_VERSION);
  memcpy (header + HEADER_DATABASE_ID, settings->database_id, 16);
  store_u64 (header + HEADER_NUMBER, settings->number);
  store_u32 (header + HEADER_PAGE_SIZE, (uint32_t) settings->page_size);
  store_u32 (header + HEADER_TRAILER_SIZE, SEGMENT_TRAILER_SIZE);
  header[HEADER_CODEC] = (uint8_t) settings->codec;
  header[HEADER_COMPRESSION_LEVEL] = (uint8_t) settings->compression_level;
  header[HEADER_FILTER] = (uint8_t) settings->filter;
  store_u64 (header + HEADER_CHECKSUM,
             checksum (writer->seed, SEGMENT_POSITION_HEADER, BYTES (header, HEADER_CHECKSUM)));
  return segment_output_append (writer, BYTES (header, sizeof header), failure);
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
    free ((void *) writer->ranges.items[i].start.data);
  free (writer->ranges.items);
  compressor_free (writer->compressor);
  if (writer->filter != NULL)
    filter_builder_free (writer->filter);
  segment_information_clear (&writer->information);
  buffer_release (&writer->pending.buffer, writer->settings.ledger, LEDGER_MERGE);
  buffer_release (&writer->buffer, writer->settings.ledger, LEDGER_MERGE);
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
  size_t room = write_buffer_size (settings);
  if (!buffer_resize (&writer->buffer, room, settings->ledger, LEDGER_MERGE))
    result = fail_memory (failure, room, "a segment's write buffer");
  if (result == STATUS_OK && settings->codec != CODEC_NONE)
    result = new_compressor (writer, BYTES_NONE, &writer->compressor, failure);
  if (result == STATUS_OK && settings->filter != FILTER_NONE)
    result = filter_builder_new (settings->filter, settings->memory / 2, settings->ledger,
                                 &writer->filter, failure);
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
  return result == STATUS_OK ? segment_writer_complete (writer, failure) : result;
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
