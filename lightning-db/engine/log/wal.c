/* SPDX-License-Identifier: MIT */
/*
 * The appending and syncing side of the log. wal.h has the invariants W1 … W6.
 *
 *   open ──append──▶ open          (appended rises by one)
 *   open ──sync────▶ open          (synced rises)
 *   open ──a write or sync fails──▶ failed   (for good: W3)
 *
 * A record becomes one by its first word, the checksum, which is stored last and is never zero;
 * the word after the newest record is always zero. So a kill between any two stores leaves either
 * no record or the whole one (W2), and who follows the log in another process knows where to stop.
 *
 * A write call that fails can leave part of a record. Only when the disk was full and the record's
 * first word still reads zero is the tail known to be clean, and the failure retryable (W4).
 */
#include "log/wal.h"

#include "log/wal-segment-private.h"

#include <assert.h>
#include <stdlib.h>

/* Records up to this are put together and written by one call; larger ones part by part. */
#define WRITE_TOGETHER_MOST (UINT64_C (1) << 20)
/* A buffer above this is given back after the record that needed it. */
#define BUFFER_KEPT_MOST (UINT64_C (256) << 10)

status
wal_open (const struct wal_settings *settings, struct wal **out, struct failure *failure)
{
  if (settings->segment_size < WAL_SEGMENT_SIZE_LEAST
      || settings->segment_size > WAL_SEGMENT_SIZE_MOST
      || settings->segment_size % WAL_SEGMENT_SIZE_LEAST != 0)
    return fail (failure, STATUS_INVALID,
                 "a log segment of %" PRIu64 " bytes was asked for; choose a multiple of 64 KiB "
                 "between 64 KiB and 1 GiB",
                 settings->segment_size);
  if (settings->next_sequence == 0 || settings->next_sequence > SEQUENCE_MAX)
    return fail (failure, STATUS_INVALID, "the log cannot start at sequence %" PRIu64,
                 settings->next_sequence);

  struct wal *wal = calloc (1, sizeof *wal);
  if (wal == NULL)
    return fail_memory (failure, sizeof *wal, "the log");
  wal->settings = *settings;
  wal->next_sequence = settings->next_sequence;
  wal->next_size = WAL_SEGMENT_SIZE_LEAST;
  wal->released = settings->next_sequence - 1;
  atomic_init (&wal->appended, settings->next_sequence - 1);
  atomic_init (&wal->synced, settings->next_sequence - 1);
  atomic_init (&wal->wants_preparing, true);
  atomic_init (&wal->stores, true);
  atomic_init (&wal->may_map,
               settings->allow_mapping && vfs_directory_mapping_is_safe (settings->directory));
  pthread_mutex_init (&wal->mutex, NULL);
  pthread_mutex_init (&wal->sync_mutex, NULL);
  *out = wal;
  return STATUS_OK;
}

/* ---- append ---- */

/* A counter with one writer: no locked instruction. */
static inline void
counter_add (_Atomic uint64_t *counter, uint64_t amount)
{
  atomic_store_explicit (counter, atomic_load_explicit (counter, memory_order_relaxed) + amount,
                         memory_order_relaxed);
}

/* One record on its way into the log. */
struct record
{
  const struct bytes *parts; /* the payload's pieces; the caller's */
  size_t part_count;         /* how many */
  uint32_t size;             /* bytes of the payload */
  uint64_t total;            /* bytes in the segment, padding included */
  uint64_t sequence;         /* its own */
};

/* Lays out all of the record but its first word, and returns that word. `to` is in the mapping or
 * a buffer; `offset` is where in the segment the record will stand. */
static inline uint64_t
record_assemble (struct wal *wal, const struct record *record, uint64_t offset, uint8_t *to)
{
  const struct wal_binding *binding = &wal->current->binding;
  uint8_t *at = to + WAL_RECORD_HEADER_SIZE;
  memset (to + record->total - WAL_ALIGNMENT, 0, WAL_ALIGNMENT);
  for (size_t i = 0; i < record->part_count; i++)
    if (record->parts[i].size != 0)
      {
        memcpy (at, record->parts[i].data, record->parts[i].size);
        at += record->parts[i].size;
      }
  wal_record_encode (to, record->size, binding->tag, record->sequence,
                     atomic_load_explicit (&wal->synced, memory_order_acquire));
  return wal_checksum_word (
      checksum (binding->seed, offset, BYTES (to + 8, WAL_RECORD_HEADER_SIZE - 8 + record->size)));
}

/* Whether a word for the next record fits behind this one. */
static inline bool
has_next_word (const struct wal *wal, const struct record *record)
{
  return wal->current->size - wal->offset - record->total >= WAL_ALIGNMENT;
}

static inline void
append_store (struct wal *wal, const struct record *record)
{
  uint8_t *to = wal->current->map + wal->offset;
  if (has_next_word (wal, record))
    memset (to + record->total, 0, WAL_ALIGNMENT);
  uint64_t word = record_assemble (wal, record, wal->offset, to);
  uint64_t encoded;
  store_u64 (&encoded, word);
  atomic_store_explicit ((_Atomic uint64_t *) to, encoded, memory_order_release);
  wal->stored_to = true;
}

/* A write of a record failed: is the log as it was before? */
static status
append_failed (struct wal *wal, status result, const struct failure *reason,
               struct failure *failure)
{
  uint64_t word = 1;
  size_t got = 0;
  if (result == STATUS_NO_SPACE
      && vfs_read (wal->current->file, wal->offset, &word, sizeof word, &got, NULL) == STATUS_OK
      && (got < sizeof word || word == 0))
    {
      if (failure != NULL && failure->code == STATUS_OK)
        *failure = *reason;
      return STATUS_NO_SPACE;
    }
  atomic_store_explicit (&wal->failed, true, memory_order_release);
  result = fail (failure, STATUS_UNKNOWN_OUTCOME,
                 "writing the log failed, and whether the commit is in it is unknown; close the "
                 "database and open it again: %.200s",
                 reason->message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = reason->system_error;
  return result;
}

static status
buffer_reserve (struct wal *wal, uint64_t size, struct failure *failure)
{
  if (wal->buffer_size >= size)
    return STATUS_OK;
  uint64_t rounded = (size + 4095) & ~UINT64_C (4095);
  uint8_t *buffer = realloc (wal->buffer, rounded);
  if (buffer == NULL)
    return fail_memory (failure, rounded, "a log record");
  wal->buffer = buffer;
  wal->buffer_size = rounded;
  return STATUS_OK;
}

static void
buffer_shrink (struct wal *wal)
{
  if (wal->buffer_size <= BUFFER_KEPT_MOST)
    return;
  free (wal->buffer);
  wal->buffer = NULL;
  wal->buffer_size = 0;
}

/* The record and the zero word behind it, by one call. */
static status
append_write (struct wal *wal, const struct record *record, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  status result = buffer_reserve (wal, record->total + WAL_ALIGNMENT, failure);
  if (result != STATUS_OK)
    return result;

  uint64_t length = record->total + (has_next_word (wal, record) ? WAL_ALIGNMENT : 0);
  store_u64 (wal->buffer, record_assemble (wal, record, wal->offset, wal->buffer));
  memset (wal->buffer + record->total, 0, WAL_ALIGNMENT);
  result = vfs_write (wal->current->file, wal->offset, wal->buffer, length, &reason);
  buffer_shrink (wal);
  return result == STATUS_OK ? STATUS_OK : append_failed (wal, result, &reason, failure);
}

/* A large record: the payload in place first, piece by piece, then the header. */
static status
append_write_parts (struct wal *wal, const struct record *record, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  struct vfs_file *file = wal->current->file;
  uint8_t header[WAL_RECORD_HEADER_SIZE], tail[2 * WAL_ALIGNMENT] = { 0 };
  uint64_t at = wal->offset + WAL_RECORD_HEADER_SIZE;
  struct bytes *pieces = malloc ((record->part_count + 1) * sizeof *pieces);
  if (pieces == NULL)
    return fail_memory (failure, (record->part_count + 1) * sizeof *pieces, "a log record");

  wal_record_encode (header, record->size, wal->current->binding.tag, record->sequence,
                     atomic_load_explicit (&wal->synced, memory_order_acquire));
  pieces[0] = BYTES (header + 8, WAL_RECORD_HEADER_SIZE - 8);
  if (record->part_count != 0)
    memcpy (pieces + 1, record->parts, record->part_count * sizeof *pieces);
  store_u64 (header, wal_checksum_word (checksum_parts (wal->current->binding.seed, wal->offset,
                                                        pieces, record->part_count + 1)));
  free (pieces);

  status result = STATUS_OK;
  for (size_t i = 0; result == STATUS_OK && i < record->part_count; i++)
    {
      if (record->parts[i].size != 0)
        result = vfs_write (file, at, record->parts[i].data, record->parts[i].size, &reason);
      at += record->parts[i].size;
    }
  size_t rest = (size_t) (wal->offset + record->total - at)
                + (has_next_word (wal, record) ? WAL_ALIGNMENT : 0);
  if (result == STATUS_OK && rest != 0)
    result = vfs_write (file, at, tail, rest, &reason);
  if (result == STATUS_OK)
    result = vfs_write (file, wal->offset, header, sizeof header, &reason);
  return result == STATUS_OK ? STATUS_OK : append_failed (wal, result, &reason, failure);
}

static status
record_measure (struct record *record, struct failure *failure)
{
  uint64_t size = 0;
  for (size_t i = 0; i < record->part_count; i++)
    if (__builtin_add_overflow (size, (uint64_t) record->parts[i].size, &size)
        || size > WAL_PAYLOAD_MAX)
      return fail (failure, STATUS_VALUE_TOO_LARGE,
                   "commit %" PRIu64 " is larger than 4 GiB; split it into smaller ones",
                   record->sequence);
  record->size = (uint32_t) size;
  record->total = wal_record_size (size);
  return STATUS_OK;
}

static void
append_account (struct wal *wal, const struct record *record)
{
  wal->offset += record->total;
  wal->next_sequence++;
  atomic_store_explicit (&wal->appended, record->sequence, memory_order_release);
  counter_add (&wal->records, 1);
  counter_add (&wal->bytes, record->size);
  counter_add (&wal->written, record->total);
  uint64_t half = wal->current->size / 2;
  if (wal->offset >= half && wal->offset - record->total < half)
    {
      atomic_store_explicit (&wal->stores, wal->stored_to, memory_order_relaxed);
      atomic_store_explicit (&wal->wants_preparing, true, memory_order_relaxed);
    }
}

status
wal_append (struct wal *wal, uint64_t sequence, const struct bytes *parts, size_t part_count,
            bool store, struct failure *failure)
{
  struct record record = { .parts = parts, .part_count = part_count, .sequence = sequence };
  if (wal_failed (wal))
    return wal_fail_again (wal, failure);
  if (sequence != wal->next_sequence || sequence > SEQUENCE_MAX)
    return fail (failure, STATUS_INVALID,
                 "commit %" PRIu64 " cannot follow %" PRIu64 " in the log (W1)", sequence,
                 wal->next_sequence - 1);

  status result = record_measure (&record, failure);
  if (result == STATUS_OK
      && (wal->current == NULL || wal->current->size - wal->offset < record.total))
    result = wal_segment_rotate (wal, record.total, failure);
  if (result != STATUS_OK)
    return result;

  assert (wal->offset % WAL_ALIGNMENT == 0);
  if (store && wal->current->map != NULL)
    append_store (wal, &record);
  else if (record.total <= WRITE_TOGETHER_MOST)
    result = append_write (wal, &record, failure);
  else
    result = append_write_parts (wal, &record, failure);
  if (result == STATUS_OK)
    append_account (wal, &record);
  return result;
}

/* ---- sync ---- */

/* The oldest live segment with records that are not durable, held open (S5); NULL when none. */
static struct wal_segment *
sync_begin (struct wal *wal, uint64_t *last)
{
  pthread_mutex_lock (&wal->mutex);
  uint64_t synced = atomic_load_explicit (&wal->synced, memory_order_relaxed);
  struct wal_segment *segment = wal->oldest;
  for (; segment != NULL; segment = segment->next)
    {
      *last = segment == wal->current ? wal_appended (wal) : segment->last_sequence;
      if (*last > synced)
        break;
    }
  wal->syncing = segment;
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

/* `last`: newest sequence that is durable now, or 0 when the sync failed. */
static void
sync_end (struct wal *wal, uint64_t last)
{
  pthread_mutex_lock (&wal->mutex);
  wal->syncing = NULL;
  if (last > atomic_load_explicit (&wal->synced, memory_order_relaxed))
    atomic_store_explicit (&wal->synced, last, memory_order_release);
  pthread_mutex_unlock (&wal->mutex);
}

/* Records and name of one segment. A failure is final: the kernel reports a lost page once. */
static status
sync_segment (struct wal *wal, struct wal_segment *segment, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  atomic_fetch_add_explicit (&wal->syncs, 1, memory_order_relaxed);
  status result = vfs_sync_data (segment->file, &reason);
  if (result == STATUS_OK && !segment->name_durable)
    {
      result = vfs_directory_sync (wal->settings.directory, &reason);
      segment->name_durable = result == STATUS_OK;
    }
  if (result == STATUS_OK)
    return STATUS_OK;

  atomic_store_explicit (&wal->failed, true, memory_order_release);
  result = fail (failure, STATUS_UNKNOWN_OUTCOME,
                 "syncing the log failed, and what is durable is unknown; close the database and "
                 "open it again: %.200s",
                 reason.message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = reason.system_error;
  return result;
}

status
wal_sync (struct wal *wal, uint64_t sequence, struct failure *failure)
{
  status result = STATUS_OK;
  if (wal_failed (wal))
    return wal_fail_again (wal, failure);
  if (sequence > wal_appended (wal))
    return fail (failure, STATUS_INVALID, "commit %" PRIu64 " is not in the log yet", sequence);

  pthread_mutex_lock (&wal->sync_mutex);
  while (wal_synced (wal) < sequence)
    {
      uint64_t last = 0;
      struct wal_segment *segment = NULL;
      if (wal_failed (wal))
        result = wal_fail_again (wal, failure);
      else if ((segment = sync_begin (wal, &last)) != NULL)
        result = sync_segment (wal, segment, failure);
      if (segment != NULL)
        sync_end (wal, result == STATUS_OK ? last : 0);
      if (result != STATUS_OK || segment == NULL)
        break;
    }
  pthread_mutex_unlock (&wal->sync_mutex);
  /* What was released during the sync waited for it. */
  if (result == STATUS_OK)
    wal_segment_reclaim (wal, NULL);
  return result;
}

uint64_t
wal_synced (struct wal *wal)
{
  return atomic_load_explicit (&wal->synced, memory_order_acquire);
}

uint64_t
wal_appended (struct wal *wal)
{
  return atomic_load_explicit (&wal->appended, memory_order_acquire);
}

bool
wal_failed (struct wal *wal)
{
  return atomic_load_explicit (&wal->failed, memory_order_acquire);
}

/* ---- statistics and end ---- */

void
wal_statistics (struct wal *wal, struct wal_statistics *out)
{
  *out = (struct wal_statistics){
    .records = atomic_load_explicit (&wal->records, memory_order_relaxed),
    .bytes = atomic_load_explicit (&wal->bytes, memory_order_relaxed),
    .written_bytes = atomic_load_explicit (&wal->written, memory_order_relaxed),
    .syncs = atomic_load_explicit (&wal->syncs, memory_order_relaxed),
    .mapped = atomic_load_explicit (&wal->may_map, memory_order_relaxed),
  };
  pthread_mutex_lock (&wal->mutex);
  if (wal->oldest != NULL)
    out->oldest_number = wal->oldest->number;
  for (struct wal_segment *segment = wal->oldest; segment != NULL; segment = segment->next)
    out->live_bytes += segment->size;
  for (struct wal_segment *segment = wal->spares; segment != NULL; segment = segment->next)
    out->spare_bytes += segment->size;
  if (wal->ready != NULL)
    out->spare_bytes += wal->ready->size;
  pthread_mutex_unlock (&wal->mutex);
}

static void
discard_list (struct wal *wal, struct wal_segment *segment, bool unlink)
{
  while (segment != NULL)
    {
      struct wal_segment *next = segment->next;
      wal_segment_discard (wal, segment, unlink, NULL);
      segment = next;
    }
}

void
wal_close (struct wal *wal, bool unlink_all)
{
  if (wal == NULL)
    return;
  discard_list (wal, wal->spares, unlink_all);
  discard_list (wal, wal->ready, unlink_all);
  discard_list (wal, wal->oldest, unlink_all);
  pthread_mutex_destroy (&wal->mutex);
  pthread_mutex_destroy (&wal->sync_mutex);
  free (wal->buffer);
  free (wal);
}
