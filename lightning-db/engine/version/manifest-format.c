/* SPDX-License-Identifier: MIT */
/*
 * manifest-format: the bytes of MANIFEST and CURRENT, exactly as docs/design/manifest.md gives
 * them.
 *
 *   F1  Every byte of an edit is under its checksum, which is bound to database, file and offset;
 *       the size has a check of its own, because it decides where the next edit is.
 *   F2  An edit but the first begins a sector, and nothing else begins in its last one: what a
 *       disk does to a sector it was writing concerns one edit.
 *   F3  A decoder believes no count: it makes room for an item only after it has read that item.
 */
#include "base/coding.h"
#include "base/hash.h"
#include "version/manifest-private.h"

#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Items of a payload: a tag, then its fields. */
enum item
{
  ITEM_NUMBERS = 1,        /* next number, next run, flushed sequence, debt base, user bytes */
  ITEM_ADD_SEGMENT = 2,    /* see put_segment */
  ITEM_REMOVE_SEGMENT = 3, /* number */
  ITEM_ADD_BLOB = 4,       /* number, file size, value bytes */
  ITEM_REMOVE_BLOB = 5,    /* number */
  ITEM_COPY = 6,           /* first of all: the offset of the edit that this one repeats */
  ITEM_END = 0xff,         /* nothing but padding follows */
};

/* ---- output ---- */

void
output_clear (struct output *output)
{
  free (output->data);
  *output = (struct output){ 0 };
}

/* Room for `size` more bytes at the end, or NULL and `failed`. */
static uint8_t *
output_room (struct output *output, size_t size)
{
  size_t needed, capacity;
  if (output->failed || __builtin_add_overflow (output->size, size, &needed))
    goto failed;
  if (needed > output->capacity)
    {
      if (__builtin_add_overflow (needed, needed / 2 + 256, &capacity))
        goto failed;
      uint8_t *data = realloc (output->data, capacity);
      if (data == NULL)
        goto failed;
      output->data = data;
      output->capacity = capacity;
    }
  return output->data + output->size;

failed:
  output->failed = true;
  return NULL;
}

static void
put_varint (struct output *output, uint64_t value)
{
  uint8_t *to = output_room (output, VARINT_SIZE_MAX);
  if (to != NULL)
    output->size += (size_t) (varint_store (to, value) - to);
}

static void
put_bytes (struct output *output, struct bytes bytes)
{
  uint8_t *to = output_room (output, bytes.size);
  if (to == NULL)
    return;
  if (bytes.size > 0)
    memcpy (to, bytes.data, bytes.size);
  output->size += bytes.size;
}

static void
put_zeros (struct output *output, size_t size)
{
  uint8_t *to = output_room (output, size);
  if (to == NULL)
    return;
  memset (to, 0, size);
  output->size += size;
}

/* ---- header ---- */

void
manifest_header_encode (uint8_t to[MANIFEST_HEADER_SIZE], const struct manifest_state *state,
                        uint64_t number)
{
  memset (to, 0, MANIFEST_HEADER_SIZE);
  memcpy (to, MANIFEST_MAGIC, MANIFEST_MAGIC_SIZE);
  store_u32 (to + 8, FORMAT_VERSION);
  store_u32 (to + 12, state->page_size);
  store_u64 (to + 16, state->features & FEATURES_KNOWN);
  memcpy (to + 24, state->database_id, 16);
  store_u64 (to + 40, number);
  store_u32 (to + 48, 0); /* key epoch: not encrypted */
  store_u32 (to + 52, 0);
  store_u64 (to + 56, checksum (checksum_seed (state->database_id, number), 0, BYTES (to, 56)));
}

static bool
page_size_is_sound (uint32_t size)
{
  return size >= 4096 && size <= 65536 && (size & (size - 1)) == 0;
}

status
manifest_header_decode (const uint8_t from[MANIFEST_HEADER_SIZE], uint64_t number, const char *file,
                        struct manifest_state *state, struct failure *failure)
{
  if (memcmp (from, MANIFEST_MAGIC, MANIFEST_MAGIC_SIZE) != 0)
    return fail (failure, STATUS_CORRUPT,
                 "%s does not begin as a manifest does; restore a backup or repair the database",
                 file);
  memcpy (state->database_id, from + 24, 16);
  uint64_t seed = checksum_seed (state->database_id, number);
  if (checksum (seed, 0, BYTES (from, 56)) != load_u64 (from + 56))
    return fail (failure, STATUS_CORRUPT,
                 "%s: the header does not match its checksum; restore a backup or repair the "
                 "database",
                 file);
  state->format_version = load_u32 (from + 8);
  state->page_size = load_u32 (from + 12);
  state->features = load_u64 (from + 16);
  if (state->format_version > FORMAT_VERSION)
    return fail (failure, STATUS_NEWER_FORMAT,
                 "%s has format %u, and this version reads up to %u; nothing was changed: open it "
                 "with a later version",
                 file, state->format_version, FORMAT_VERSION);
  if ((state->features & FEATURES_REQUIRED & ~FEATURES_KNOWN) != 0 || load_u32 (from + 48) != 0)
    return fail (failure, STATUS_NEWER_FORMAT,
                 "%s needs features 0x%llx that this version does not know; nothing was changed: "
                 "open it with a later version",
                 file, (unsigned long long) (state->features & FEATURES_REQUIRED));
  if (state->format_version == 0 || !page_size_is_sound (state->page_size)
      || load_u64 (from + 40) != number || load_u32 (from + 52) != 0)
    return fail (failure, STATUS_CORRUPT,
                 "%s: the header holds impossible values; restore a backup or repair the database",
                 file);
  return STATUS_OK;
}

/* ---- edits: frame ---- */

/* Independent of the payload: a wrong size would make the rest of the file unreadable. */
static uint32_t
size_check (uint64_t seed, uint64_t offset, const uint8_t size[4])
{
  return (uint32_t) checksum (~seed, offset, BYTES (size, 4));
}

/* Zeros up to a whole sector of the file; the output begins at one. */
void
output_fill_sector (struct output *output)
{
  put_zeros (output, (size_t) (next_sector (output->size) - output->size));
}

static uint64_t
round_up_8 (uint64_t size)
{
  return (size + 7) & ~UINT64_C (7);
}

uint64_t
edit_size (uint32_t payload_size)
{
  return EDIT_HEADER_SIZE + round_up_8 (payload_size);
}

uint64_t
edit_copy_size (uint32_t payload_size, uint64_t offset)
{
  return EDIT_HEADER_SIZE
         + round_up_8 (payload_size + varint_size (ITEM_COPY) + varint_size (offset));
}

bool
edit_header_decode (const uint8_t from[EDIT_HEADER_SIZE], uint64_t seed, uint64_t offset,
                    uint32_t *payload_size, uint64_t *edit_checksum)
{
  *edit_checksum = load_u64 (from);
  *payload_size = load_u32 (from + 8);
  return load_u32 (from + 12) == size_check (seed, offset, from + 8);
}

bool
edit_verifies (uint64_t seed, uint64_t offset, struct bytes edit, uint64_t edit_checksum)
{
  return checksum (seed, offset, BYTES (edit.data + 8, edit.size - 8)) == edit_checksum;
}

/* Closes the edit that began at `start` of the output and stands at `offset` of the file. */
static status
edit_seal (struct output *output, size_t start, uint64_t seed, uint64_t offset,
           struct failure *failure)
{
  uint8_t end = ITEM_END;
  put_bytes (output, BYTES (&end, 1));
  size_t payload = output->size - start - EDIT_HEADER_SIZE;
  put_zeros (output, (size_t) (round_up_8 (payload) - payload));
  if (output->failed)
    return fail_memory (failure, payload, "an edit of the manifest");
  if (payload > EDIT_PAYLOAD_MAX)
    return fail (failure, STATUS_TOO_MANY,
                 "the list of files takes %llu bytes, more than a manifest can hold; use larger "
                 "segment files or shorter keys",
                 (unsigned long long) payload);

  uint8_t *at = output->data + start;
  store_u32 (at + 8, (uint32_t) payload);
  store_u32 (at + 12, size_check (seed, offset, at + 8));
  store_u64 (at, checksum (seed, offset, BYTES (at + 8, output->size - start - 8)));
  return STATUS_OK;
}

/* ---- edits: items ---- */

static void
put_numbers (struct output *output, const struct manifest_state *state)
{
  put_varint (output, ITEM_NUMBERS);
  put_varint (output, state->next_number);
  put_varint (output, state->next_run);
  put_varint (output, state->flushed_sequence);
  put_varint (output, state->settle_debt_base);
  put_varint (output, state->user_bytes);
}

#define SEGMENT_NUMBER_COUNT 12

/* The plain numbers of a segment in the order they are stored. */
static void
segment_numbers (const struct manifest_segment *segment, uint64_t to[SEGMENT_NUMBER_COUNT])
{
  const struct segment_information *information = &segment->information;
  const uint64_t numbers[SEGMENT_NUMBER_COUNT] = {
    information->number,
    segment->run,
    segment->order,
    segment->created,
    information->file_size,
    information->records,
    information->deletes,
    information->range_deletes,
    information->key_bytes,
    information->value_bytes,
    information->min_sequence,
    information->max_sequence,
  };
  memcpy (to, numbers, sizeof numbers);
}

static void
put_segment (struct output *output, const struct manifest_segment *segment)
{
  const struct segment_information *information = &segment->information;
  uint64_t numbers[SEGMENT_NUMBER_COUNT];
  segment_numbers (segment, numbers);
  put_varint (output, ITEM_ADD_SEGMENT);
  for (size_t i = 0; i < SEGMENT_NUMBER_COUNT; i++)
    put_varint (output, numbers[i]);
  put_varint (output, information->smallest_size);
  put_bytes (output, BYTES (information->smallest, information->smallest_size));
  put_varint (output, information->largest_size);
  put_bytes (output, BYTES (information->largest, information->largest_size));
  put_varint (output, information->blob_count);
  for (size_t i = 0; i < information->blob_count; i++)
    {
      put_varint (output, information->blobs[i].file);
      put_varint (output, information->blobs[i].values);
      put_varint (output, information->blobs[i].bytes);
    }
}

static void
put_blob (struct output *output, const struct manifest_blob *blob)
{
  put_varint (output, ITEM_ADD_BLOB);
  put_varint (output, blob->number);
  put_varint (output, blob->file_size);
  put_varint (output, blob->value_bytes);
}

static void
put_removals (struct output *output, enum item item, const uint64_t *numbers, size_t count)
{
  for (size_t i = 0; i < count; i++)
    {
      put_varint (output, item);
      put_varint (output, numbers[i]);
    }
}

static void
put_additions (struct output *output, const struct manifest_segment *segments, size_t segment_count,
               const struct manifest_blob *blobs, size_t blob_count)
{
  for (size_t i = 0; i < segment_count; i++)
    put_segment (output, &segments[i]);
  for (size_t i = 0; i < blob_count; i++)
    put_blob (output, &blobs[i]);
}

status
edit_encode_state (struct output *output, uint64_t seed, uint64_t offset,
                   const struct manifest_state *state, struct failure *failure)
{
  size_t start = output->size;
  put_zeros (output, EDIT_HEADER_SIZE);
  put_numbers (output, state);
  put_additions (output, state->segments, state->segment_count, state->blobs, state->blob_count);
  return edit_seal (output, start, seed, offset, failure);
}

status
edit_encode (struct output *output, uint64_t seed, uint64_t offset,
             const struct manifest_state *after, const struct manifest_edit *edit, uint64_t copy_of,
             struct failure *failure)
{
  size_t start = output->size;
  put_zeros (output, EDIT_HEADER_SIZE);
  if (copy_of != 0)
    {
      put_varint (output, ITEM_COPY);
      put_varint (output, copy_of);
    }
  put_numbers (output, after);
  put_removals (output, ITEM_REMOVE_SEGMENT, edit->remove_segments, edit->remove_segment_count);
  put_removals (output, ITEM_REMOVE_BLOB, edit->remove_blobs, edit->remove_blob_count);
  put_additions (output, edit->add_segments, edit->add_segment_count, edit->add_blobs,
                 edit->add_blob_count);
  return edit_seal (output, start, seed, offset, failure);
}

static uint64_t
segment_item_size (const struct manifest_segment *segment)
{
  const struct segment_information *information = &segment->information;
  uint64_t numbers[SEGMENT_NUMBER_COUNT];
  uint64_t size = 1 + varint_size (information->smallest_size) + information->smallest_size
                  + varint_size (information->largest_size) + information->largest_size
                  + varint_size (information->blob_count);
  segment_numbers (segment, numbers);
  for (size_t i = 0; i < SEGMENT_NUMBER_COUNT; i++)
    size += varint_size (numbers[i]);
  for (size_t i = 0; i < information->blob_count; i++)
    size += varint_size (information->blobs[i].file) + varint_size (information->blobs[i].values)
            + varint_size (information->blobs[i].bytes);
  return size;
}

uint64_t
edit_state_size (const struct manifest_state *state)
{
  uint64_t size = 2 + varint_size (state->next_number) + varint_size (state->next_run)
                  + varint_size (state->flushed_sequence) + varint_size (state->settle_debt_base)
                  + varint_size (state->user_bytes); /* and 2: their tag and END */
  for (size_t i = 0; i < state->segment_count; i++)
    size += segment_item_size (&state->segments[i]);
  for (size_t i = 0; i < state->blob_count; i++)
    size += 1 + varint_size (state->blobs[i].number) + varint_size (state->blobs[i].file_size)
            + varint_size (state->blobs[i].value_bytes);
  return EDIT_HEADER_SIZE + round_up_8 (size);
}

/* ---- edits: reading ---- */

static status
take_numbers (struct reader *reader, struct edit_numbers *numbers)
{
  take_varint (reader, &numbers->next_number);
  take_varint (reader, &numbers->next_run);
  take_varint (reader, &numbers->flushed_sequence);
  take_varint (reader, &numbers->settle_debt_base);
  take_varint (reader, &numbers->user_bytes);
  return reader->bad ? STATUS_CORRUPT : STATUS_OK;
}

static status
take_key (struct reader *reader, uint8_t **to, size_t *size, struct failure *failure)
{
  struct bytes key;
  if (!take_sized (reader, &key) || key.size == 0 || key.size > INTERNAL_KEY_SIZE_MAX)
    return STATUS_CORRUPT;
  *to = malloc (key.size);
  if (*to == NULL)
    return fail_memory (failure, key.size, "a bound of a segment");
  memcpy (*to, key.data, key.size);
  *size = key.size;
  return STATUS_OK;
}

static status
take_blob_uses (struct reader *reader, struct segment_information *information,
                struct failure *failure)
{
  uint64_t count;
  if (!take_varint (reader, &count) || count > reader_left (reader) / 3)
    return STATUS_CORRUPT;
  if (count == 0)
    return STATUS_OK;
  information->blobs = calloc ((size_t) count, sizeof *information->blobs);
  if (information->blobs == NULL)
    return fail_memory (failure, count * sizeof *information->blobs, "a segment's use of blobs");
  information->blob_count = (size_t) count;
  for (size_t i = 0; i < information->blob_count; i++)
    {
      take_varint (reader, &information->blobs[i].file);
      take_varint (reader, &information->blobs[i].values);
      take_varint (reader, &information->blobs[i].bytes);
    }
  return reader->bad ? STATUS_CORRUPT : STATUS_OK;
}

/* On failure what was allocated stays in `segment`. */
static status
take_segment (struct reader *reader, struct manifest_segment *segment, struct failure *failure)
{
  struct segment_information *information = &segment->information;
  uint64_t *const fields[SEGMENT_NUMBER_COUNT] = {
    &information->number,
    &segment->run,
    &segment->order,
    &segment->created,
    &information->file_size,
    &information->records,
    &information->deletes,
    &information->range_deletes,
    &information->key_bytes,
    &information->value_bytes,
    &information->min_sequence,
    &information->max_sequence,
  };
  for (size_t i = 0; i < SEGMENT_NUMBER_COUNT; i++)
    take_varint (reader, fields[i]);
  if (reader->bad)
    return STATUS_CORRUPT;

  status code = take_key (reader, &information->smallest, &information->smallest_size, failure);
  if (code == STATUS_OK)
    code = take_key (reader, &information->largest, &information->largest_size, failure);
  if (code == STATUS_OK)
    code = take_blob_uses (reader, information, failure);
  return code;
}

static status
decode_segment (struct reader *reader, uint64_t ordinal, const char *file, struct history *history,
                struct failure *failure)
{
  struct manifest_segment segment = { 0 };
  status code = take_segment (reader, &segment, failure);
  const char *fault = code == STATUS_OK ? manifest_segment_fault (&segment) : NULL;
  if (fault != NULL)
    code = fail (failure, STATUS_CORRUPT,
                 "%s: segment %llu: %s; restore a backup or repair the database", file,
                 (unsigned long long) segment.information.number, fault);
  if (code != STATUS_OK)
    {
      segment_information_clear (&segment.information);
      return code;
    }
  return history_add_segment (history, ordinal, &segment, failure);
}

static status
decode_blob (struct reader *reader, uint64_t ordinal, struct history *history,
             struct failure *failure)
{
  struct manifest_blob blob;
  take_varint (reader, &blob.number);
  take_varint (reader, &blob.file_size);
  take_varint (reader, &blob.value_bytes);
  if (reader->bad || blob.number == 0 || blob.number > FILE_NUMBER_MAX)
    return STATUS_CORRUPT;
  return history_add_blob (history, ordinal, &blob, failure);
}

static status
decode_removal (struct reader *reader, uint64_t ordinal, bool blob, struct history *history,
                struct failure *failure)
{
  uint64_t number;
  if (!take_varint (reader, &number))
    return STATUS_CORRUPT;
  return history_remove (history, ordinal, number, blob, failure);
}

/* At ITEM_END: only padding, all of it zero, may follow; the payload's size excludes it. */
static status
decode_end (const struct reader *reader, bool numbers_seen)
{
  return reader_left (reader) == 0 && numbers_seen ? STATUS_OK : STATUS_CORRUPT;
}

static void
skip_copy (struct reader *reader)
{
  uint8_t item;
  uint64_t offset;
  take_u8 (reader, &item);
  take_varint (reader, &offset);
}

uint64_t
edit_copy_of (struct bytes payload)
{
  struct reader reader = reader_over (payload);
  uint8_t item;
  uint64_t offset;
  return take_u8 (&reader, &item) && item == ITEM_COPY && take_varint (&reader, &offset) ? offset
                                                                                         : 0;
}

static status
decode_items (struct reader *reader, uint64_t ordinal, const char *file, struct history *history,
              struct edit_numbers *numbers, struct failure *failure)
{
  bool numbers_seen = false;
  status code = STATUS_OK;
  while (code == STATUS_OK)
    {
      uint8_t item;
      if (!take_u8 (reader, &item))
        return STATUS_CORRUPT;
      switch (item)
        {
        case ITEM_NUMBERS:
          code = numbers_seen ? STATUS_CORRUPT : take_numbers (reader, numbers);
          numbers_seen = true;
          break;
        case ITEM_ADD_SEGMENT:
          code = decode_segment (reader, ordinal, file, history, failure);
          break;
        case ITEM_REMOVE_SEGMENT:
        case ITEM_REMOVE_BLOB:
          code = decode_removal (reader, ordinal, item == ITEM_REMOVE_BLOB, history, failure);
          break;
        case ITEM_ADD_BLOB:
          code = decode_blob (reader, ordinal, history, failure);
          break;
        case ITEM_END:
          return decode_end (reader, numbers_seen);
        default:
          return STATUS_CORRUPT;
        }
    }
  return code;
}

status
edit_decode (struct bytes payload, uint64_t ordinal, const char *file, struct history *history,
             struct edit_numbers *numbers, struct failure *failure)
{
  struct reader reader = reader_over (payload);
  if (edit_copy_of (payload) != 0)
    skip_copy (&reader);
  status code = decode_items (&reader, ordinal, file, history, numbers, failure);
  if (code == STATUS_CORRUPT)
    fail (failure, STATUS_CORRUPT,
          "%s: edit %llu is malformed %llu bytes into it; restore a backup or repair the database",
          file, (unsigned long long) ordinal, (unsigned long long) (reader.at - payload.data));
  return code;
}

/* ---- CURRENT ---- */

size_t
current_encode (char *to, uint64_t number)
{
  char name[FILE_NAME_SIZE];
  file_name (name, FILE_MANIFEST, number);
  int size = snprintf (to, CURRENT_SIZE_MAX, "%s\n", name);
  uint64_t sum = XXH3_64bits (to, (size_t) size);
  size += snprintf (to + size, CURRENT_SIZE_MAX - (size_t) size, "%016llx\n",
                    (unsigned long long) sum);
  return (size_t) size;
}

bool
current_decode (struct bytes content, uint64_t *number)
{
  char name[FILE_NAME_SIZE], expected[CURRENT_SIZE_MAX];
  enum file_kind kind;
  const uint8_t *end = content.size > 0 ? memchr (content.data, '\n', content.size) : NULL;
  size_t size = end != NULL ? (size_t) (end - content.data) : FILE_NAME_SIZE;
  if (size >= FILE_NAME_SIZE)
    return false;
  memcpy (name, content.data, size);
  name[size] = '\0';
  if (!file_name_parse (name, &kind, number) || kind != FILE_MANIFEST)
    return false;
  size_t expected_size = current_encode (expected, *number);
  return bytes_equal (content, BYTES (expected, expected_size));
}
