/* SPDX-License-Identifier: MIT */
/*
 *   segment, pinned   [ header | records given | window: records whole when it was read | … ]
 *
 * The window is read with pread, not mapped: the page cache is the writer's mapping, no fault or
 * truncation reaches us, and what changes behind `whole` while it is copied is read again before it
 * is looked at (X2).
 */
#include "log/wal-reader.h"

#include "log/wal-segment-private.h"

#include <stdlib.h>

#define WINDOW_FIRST (UINT64_C (4) << 10)     /* bytes read for one commit after a quiet time */
#define WINDOW_MOST (UINT64_C (256) << 10)    /* … and doubled up to this while there is more */
#define WINDOW_KEPT_MOST (UINT64_C (1) << 20) /* a larger one, for a large record, is given back */

struct wal_reader
{
  struct wal *wal;             /* the caller's; outlives every call that needs it */
  struct wal_segment *segment; /* pinned; NULL before the first record */
  uint64_t offset;             /* in it, of the record `next` */
  uint64_t next;               /* sequence of the record at `offset` */
  uint64_t wanted;             /* the first sequence to be given: those below are stepped over */
  uint8_t *bytes;              /* the window; owned */
  uint64_t capacity;           /* bytes allocated */
  uint64_t start, filled;      /* what of the segment is in it */
  uint64_t whole;              /* records up to here were whole when it was read */
  uint64_t ahead;              /* bytes to read next */
};

status
wal_reader_new (struct wal *wal, uint64_t after, struct wal_reader **out, struct failure *failure)
{
  struct wal_reader *reader = calloc (1, sizeof *reader);
  if (reader == NULL)
    return fail_memory (failure, sizeof *reader, "a reader of the log");
  reader->wal = wal;
  reader->wanted = after + 1;
  reader->ahead = WINDOW_FIRST;
  *out = reader;
  return STATUS_OK;
}

void
wal_reader_free (struct wal_reader *reader)
{
  if (reader == NULL)
    return;
  wal_segment_unref (reader->segment);
  free (reader->bytes);
  free (reader);
}

/* ---- the window ---- */

static status
fail_bad (const struct wal_reader *reader, struct failure *failure)
{
  return fail (failure, STATUS_CORRUPT,
               "%s/%s: offset %" PRIu64 ": commit %" PRIu64 " does not verify; start from a newer "
               "commit, and run check",
               reader->wal->settings.directory->path, reader->segment->file->name, reader->offset,
               reader->next);
}

static status
window_reserve (struct wal_reader *reader, uint64_t size, struct failure *failure)
{
  bool excessive = reader->capacity > WINDOW_KEPT_MOST && size <= WINDOW_KEPT_MOST;
  if (reader->capacity >= size && !excessive)
    return STATUS_OK;
  uint8_t *bytes = size <= SIZE_MAX ? malloc ((size_t) size) : NULL;
  if (bytes == NULL)
    return fail_memory (failure, size, "reading the log");
  free (reader->bytes);
  reader->bytes = bytes;
  reader->capacity = size;
  return STATUS_OK;
}

/* Reads at least `length` bytes from the reader's offset on. */
static status
window_fill (struct wal_reader *reader, uint64_t length, uint64_t limit, struct failure *failure)
{
  uint64_t left = reader->segment->size - reader->offset;
  uint64_t size = length > reader->ahead ? length : reader->ahead;
  size_t got = 0;
  size = size < left ? size : left;
  reader->filled = 0;
  status result = window_reserve (reader, size, failure);
  if (result == STATUS_OK)
    result = vfs_read (reader->segment->file, reader->offset, reader->bytes, (size_t) size, &got,
                       failure);
  if (result == STATUS_OK && got < length)
    result = fail_bad (reader, failure);
  if (result != STATUS_OK)
    return result;
  reader->start = reader->offset;
  reader->filled = got;
  reader->whole = limit;
  return STATUS_OK;
}

/* `length` bytes at the reader's offset, of a time when its record was whole. NULL: they are not in
 * the window. */
static const uint8_t *
window_at (const struct wal_reader *reader, uint64_t length)
{
  if (reader->whole < reader->next || reader->offset < reader->start
      || reader->offset - reader->start > reader->filled
      || reader->filled - (reader->offset - reader->start) < length)
    return NULL;
  return reader->bytes + (reader->offset - reader->start);
}

static status
window_view (struct wal_reader *reader, uint64_t length, uint64_t limit, const uint8_t **out,
             struct failure *failure)
{
  status result = STATUS_OK;
  if (window_at (reader, length) == NULL)
    {
      bool more = reader->whole >= reader->next; /* it was too small, not too old */
      reader->ahead = !more                         ? WINDOW_FIRST
                      : reader->ahead < WINDOW_MOST ? 2 * reader->ahead
                                                    : WINDOW_MOST;
      result = window_fill (reader, length, limit, failure);
    }
  *out = reader->bytes + (reader->offset - reader->start);
  return result;
}

/* ---- records ---- */

static uint64_t
segment_last (const struct wal_segment *segment)
{
  return atomic_load_explicit (&segment->last_sequence, memory_order_acquire);
}

/* Goes to the segment that holds the next record. */
static status
enter_segment (struct wal_reader *reader, struct failure *failure)
{
  struct wal_segment *segment = wal_segment_pin (reader->wal, reader->wanted);
  if (segment == NULL)
    return fail (failure, STATUS_HISTORY_GONE,
                 "commit %" PRIu64 " is no longer kept in the log of %s; read the data anew and go "
                 "on from the newest commit, or raise change-retention",
                 reader->wanted, reader->wal->settings.directory->path);
  wal_segment_unref (reader->segment);
  reader->segment = segment;
  reader->offset = WAL_HEADER_SIZE;
  reader->next = segment->first_sequence;
  reader->filled = 0;
  reader->whole = 0;
  return STATUS_OK;
}

/* What of a record's head is in the segment, at most. */
static uint64_t
head_length (const struct wal_reader *reader)
{
  uint64_t left = reader->segment->size - reader->offset;
  return left < WAL_HEAD_MOST ? left : WAL_HEAD_MOST;
}

static status
decode_head (struct wal_reader *reader, uint64_t limit, struct wal_record_head *head,
             struct failure *failure)
{
  const uint8_t *at;
  const struct wal_segment *segment = reader->segment;
  uint64_t length = head_length (reader);
  if (length < WAL_RECORD_LEAST)
    return fail_bad (reader, failure);
  status result = window_view (reader, length, limit, &at, failure);
  if (result != STATUS_OK)
    return result;
  bool fine = wal_record_head_decode (BYTES (at, length), segment->binding.tag,
                                      segment->first_sequence, reader->next, head)
              && head->sequence == reader->next
              && head->size <= segment->size - reader->offset - head->payload;
  return fine ? STATUS_OK : fail_bad (reader, failure);
}

static bool
record_verifies (const struct wal_reader *reader, const struct wal_record_head *head,
                 const uint8_t *at)
{
  struct bytes checked = BYTES (at + head->checked, head->payload + head->size - head->checked);
  uint64_t seed = wal_record_seed (&reader->segment->binding, head->sequence);
  return head->checksum == wal_record_checksum (head, checksum (seed, reader->offset, checked));
}

/* Steps over the records in front of the one that is wanted; its own head comes out. What is stepped
 * over need not verify: the wanted one does not, if its place and number are not right. */
static status
find_wanted (struct wal_reader *reader, uint64_t limit, struct wal_record_head *head,
             struct failure *failure)
{
  for (;;)
    {
      if (reader->segment == NULL || segment_last (reader->segment) < reader->next)
        {
          status result = enter_segment (reader, failure);
          if (result != STATUS_OK)
            return result;
        }
      status result = decode_head (reader, limit, head, failure);
      if (result != STATUS_OK || reader->next == reader->wanted)
        return result;
      reader->offset += head->payload + head->size;
      reader->next++;
    }
}

static void
give (struct wal_reader *reader, const struct wal_record_head *head, const uint8_t *at,
      uint64_t *sequence, struct bytes *payload)
{
  *sequence = head->sequence;
  *payload = BYTES (at + head->payload, head->size);
  reader->offset += head->payload + head->size;
  reader->next++;
  reader->wanted = reader->next;
}

status
wal_reader_take (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                 struct bytes *payload)
{
  if (reader->wanted > limit)
    return STATUS_NOT_FOUND;
  if (reader->segment == NULL || reader->next != reader->wanted)
    return STATUS_BUSY;
  struct wal_record_head head;
  const uint8_t *at = window_at (reader, WAL_HEAD_MOST);
  if (at == NULL || segment_last (reader->segment) < reader->next
      || !wal_record_head_decode (BYTES (at, WAL_HEAD_MOST), reader->segment->binding.tag,
                                  reader->segment->first_sequence, reader->next, &head)
      || head.sequence != reader->next || window_at (reader, head.payload + head.size) == NULL
      || !record_verifies (reader, &head, at))
    return STATUS_BUSY;
  give (reader, &head, at, sequence, payload);
  return STATUS_OK;
}

status
wal_reader_next (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                 struct bytes *payload, struct failure *failure)
{
  struct wal_record_head head;
  const uint8_t *at;
  if (reader->wanted > limit)
    return STATUS_NOT_FOUND;
  status result = find_wanted (reader, limit, &head, failure);
  if (result == STATUS_OK)
    result = window_view (reader, head.payload + head.size, limit, &at, failure);
  if (result == STATUS_OK && !record_verifies (reader, &head, at))
    result = fail_bad (reader, failure); /* X1 */
  if (result == STATUS_OK)
    give (reader, &head, at, sequence, payload);
  return result;
}
