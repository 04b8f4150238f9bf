/* SPDX-License-Identifier: MIT */
/*
 *   segment, pinned   [ header | records given | window: records whole when it was read | … ]
 *
 * The window is read with pread, not mapped: the page cache is the writer's mapping, no fault or
 * truncation reaches us, and what changes behind `whole` while it is copied is read again before it
 * is looked at (X2).
 */
#include "log/wal-reader.h"

#include "base/buffer.h"
#include "log/wal-segment-private.h"

#include <stdlib.h>

#define WINDOW_FIRST (UINT64_C (4) << 10)     /* bytes read for one commit after a quiet time */
#define WINDOW_MOST (UINT64_C (256) << 10)    /* … and doubled up to this while there is more */
#define LOOKS_MOST 8u                         /* at another process's log for one record */
#define WINDOW_KEPT_MOST (UINT64_C (1) << 20) /* a larger one, for a large record, is given back */

struct wal_reader
{
  struct wal_source source;       /* where segments come from */
  struct wal *wal;                /* the log that knows of it; NULL: none, or it left */
  struct wal_reader *next_reader; /* of the log; its mutex */
  _Atomic uint64_t needed;        /* oldest sequence that it may still ask something about */
  struct wal_segment *segment;    /* pinned; NULL before the first record */
  uint64_t offset;                /* in it, of the record `next` */
  uint64_t next;                  /* sequence of the record at `offset` */
  uint64_t wanted;                /* the first sequence to be given: those below are stepped over */
  struct buffer window;           /* bytes of the segment */
  uint64_t start, filled;         /* what of the segment is in it */
  uint64_t whole;                 /* records up to here were whole when it was read */
  uint64_t ahead;                 /* bytes to read next */
};

/* ---- beginning and end ---- */

status
wal_reader_new_from (const struct wal_source *source, uint64_t after, struct wal_reader **out,
                     struct failure *failure)
{
  struct wal_reader *reader = calloc (1, sizeof *reader);
  if (reader == NULL)
    return fail_memory (failure, sizeof *reader, "a reader of the log");
  reader->source = *source;
  reader->wanted = after + 1;
  reader->ahead = WINDOW_FIRST;
  atomic_init (&reader->needed, after + 1);
  *out = reader;
  return STATUS_OK;
}

static status
pin_of_log (void *context, uint64_t sequence, struct wal_segment **out, struct failure *failure)
{
  struct wal *wal = context;
  status result = STATUS_OK;
  *out = wal_segment_pin (wal, sequence);
  if (*out == NULL)
    result = wal_history_pin (wal, sequence, out, failure);
  if (result == STATUS_NOT_FOUND) /* perhaps it left the one list before it came to the other */
    {
      *out = wal_segment_pin (wal, sequence);
      result = *out != NULL ? STATUS_OK : STATUS_NOT_FOUND;
    }
  if (result != STATUS_NOT_FOUND)
    return result;
  return fail (failure, STATUS_HISTORY_GONE,
               "%s no longer keeps commit %" PRIu64 " for feeds; read the data anew and go on from "
               "the newest commit, or raise change-retention",
               wal->settings.directory->path, sequence);
}

status
wal_reader_new (struct wal *wal, uint64_t after, struct wal_reader **out, struct failure *failure)
{
  struct wal_source source = {
    .pin = pin_of_log,
    .context = wal,
    .path = wal->settings.directory->path,
    .ledger = wal->settings.ledger,
  };
  status result = wal_reader_new_from (&source, after, out, failure);
  if (result != STATUS_OK)
    return result;
  (*out)->wal = wal;
  pthread_mutex_lock (&wal->mutex);
  (*out)->next_reader = wal->readers;
  wal->readers = *out;
  pthread_mutex_unlock (&wal->mutex);
  return STATUS_OK;
}

void
wal_reader_leave (struct wal_reader *reader)
{
  struct wal *wal = reader->wal;
  if (wal == NULL)
    return;
  pthread_mutex_lock (&wal->mutex);
  struct wal_reader **link = &wal->readers;
  while (*link != reader)
    link = &(*link)->next_reader;
  *link = reader->next_reader;
  pthread_mutex_unlock (&wal->mutex);
  reader->wal = NULL;
}

/* That a reader went on, or left. */
static void
tell (const struct wal *wal)
{
  if (wal->settings.reader_went_on != NULL)
    wal->settings.reader_went_on (wal->settings.reader_went_on_context);
}

void
wal_reader_free (struct wal_reader *reader)
{
  if (reader == NULL)
    return;
  struct wal *wal = reader->wal;
  wal_reader_leave (reader);
  wal_segment_unref (reader->segment);
  if (wal != NULL)
    {
      wal_history_review (wal);
      tell (wal);
    }
  buffer_release (&reader->window, reader->source.ledger, LEDGER_LOG);
  free (reader);
}

uint64_t
wal_readers_need (const struct wal *wal)
{
  uint64_t need = UINT64_MAX;
  for (struct wal_reader *reader = wal->readers; reader != NULL; reader = reader->next_reader)
    {
      uint64_t needed = atomic_load_explicit (&reader->needed, memory_order_relaxed);
      need = needed < need ? needed : need;
    }
  return need;
}

uint64_t
wal_reader_offset (const struct wal_reader *reader)
{
  return reader->offset;
}

/* ---- the window ---- */

static status
fail_bad (const struct wal_reader *reader, struct failure *failure)
{
  return fail (failure, STATUS_CORRUPT,
               "%s/%s: offset %" PRIu64 ": commit %" PRIu64 " does not verify; start from a newer "
               "commit, and run check",
               reader->source.path, reader->segment->file->name, reader->offset, reader->next);
}

static status
window_reserve (struct wal_reader *reader, uint64_t size, struct failure *failure)
{
  if (reader->window.room > WINDOW_KEPT_MOST && size <= WINDOW_KEPT_MOST)
    buffer_release (&reader->window, reader->source.ledger, LEDGER_LOG);
  if (size <= SIZE_MAX
      && buffer_replace (&reader->window, (size_t) size, reader->source.ledger, LEDGER_LOG))
    return STATUS_OK;
  return fail_memory (failure, size, "reading the log");
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
    result = vfs_read (reader->segment->file, reader->offset, reader->window.data, (size_t) size,
                       &got, failure);
  bool same = reader->source.look_again == NULL || wal_segment_is_same (reader->segment);
  if (result == STATUS_OK && (got < length || !same))
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
  return reader->window.data + (reader->offset - reader->start);
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
  *out = reader->window.data + (reader->offset - reader->start);
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
  struct wal_segment *segment;
  status result = reader->source.pin (reader->source.context, reader->wanted, &segment, failure);
  if (result != STATUS_OK)
    return result;
  wal_segment_unref (reader->segment);
  reader->segment = segment;
  reader->offset = WAL_HEADER_SIZE;
  reader->next = segment->first_sequence;
  reader->filled = 0;
  reader->whole = 0;
  if (reader->wal != NULL)
    {
      wal_history_review (reader->wal); /* the segment before may go */
      tell (reader->wal);
    }
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

/* Steps over the records in front of the one that is wanted; its own head comes out. What is
 * stepped over need not verify: the wanted one does not, if its place and number are not right. */
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

/* All there is was given, and it is known that nothing that is there needs to stay. */
static bool
is_at_end (const struct wal_reader *reader)
{
  return atomic_load_explicit (&reader->needed, memory_order_relaxed) == reader->wanted;
}

static status
end_of_records (struct wal_reader *reader)
{
  if (is_at_end (reader))
    return STATUS_NOT_FOUND;
  atomic_store_explicit (&reader->needed, reader->wanted, memory_order_relaxed);
  if (reader->wal != NULL)
    tell (reader->wal);
  return STATUS_NOT_FOUND;
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
  atomic_store_explicit (&reader->needed, head->sequence, memory_order_relaxed);
}

status
wal_reader_take (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                 struct bytes *payload)
{
  if (reader->wanted > limit)
    return is_at_end (reader) ? STATUS_NOT_FOUND : STATUS_BUSY;
  if (reader->segment == NULL || reader->next != reader->wanted)
    return STATUS_BUSY;
  struct wal_record_head head = { 0 };
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

static status
next_record (struct wal_reader *reader, uint64_t limit, uint64_t *sequence, struct bytes *payload,
             struct failure *failure)
{
  struct wal_record_head head = { 0 };
  const uint8_t *at;
  status result = find_wanted (reader, limit, &head, failure);
  if (result == STATUS_OK)
    result = window_view (reader, head.payload + head.size, limit, &at, failure);
  if (result == STATUS_OK && !record_verifies (reader, &head, at))
    result = fail_bad (reader, failure); /* X1 */
  if (result == STATUS_OK)
    give (reader, &head, at, sequence, payload);
  return result;
}

/* X3: what another process writes may have been recycled while we read, or goes on in the next
 * segment. It is looked for once more; and again while that shows others than before: a file that is
 * renamed while the directory is listed may be missed under both of its names. */
static status
next_again (struct wal_reader *reader, uint64_t limit, uint64_t *sequence, struct bytes *payload,
            struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  uint64_t number = 0, last = 0;
  status result = STATUS_CORRUPT;
  bool is_sure = false;
  for (unsigned looks = 0; looks < LOOKS_MOST && !is_sure; looks++)
    {
      result = reader->source.look_again (reader->source.context, failure);
      if (result != STATUS_OK)
        return result;
      wal_segment_unref (reader->segment);
      reader->segment = NULL;
      result = next_record (reader, limit, sequence, payload, &cause);
      if (result != STATUS_CORRUPT)
        break;
      uint64_t last_now = segment_last (reader->segment);
      is_sure = looks > 0 && reader->segment->number == number && last_now == last;
      number = reader->segment->number;
      last = last_now;
    }
  if (result == STATUS_CORRUPT && segment_last (reader->segment) == UINT64_MAX)
    return fail (failure, STATUS_HISTORY_GONE,
                 "commit %" PRIu64
                 " is not in the log of %s any more; read the data anew and go on "
                 "from the newest commit",
                 reader->wanted, reader->source.path); /* it stood in a segment that is gone */
  return result == STATUS_OK ? result : fail (failure, result, "%s", cause.message);
}

status
wal_reader_next (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                 struct bytes *payload, struct failure *failure)
{
  if (reader->wanted > limit)
    return end_of_records (reader);
  if (reader->source.look_again == NULL)
    return next_record (reader, limit, sequence, payload, failure);
  status result = next_record (reader, limit, sequence, payload, NULL);
  if (result == STATUS_OK)
    return result;
  return next_again (reader, limit, sequence, payload, failure);
}
