/* SPDX-License-Identifier: MIT */
/*
 * The appending and syncing side of the log. wal.h has the invariants W1 … W6.
 *
 *   open ──append──▶ open          (appended rises by one)
 *   open ──sync────▶ open          (synced rises)
 *   open ──a write or sync fails──▶ failed   (for good: W3)
 *
 * A record becomes one by its first byte, which is stored last and is never zero; the byte after
 * the newest record is always zero. So a kill between any two stores leaves either no record or the
 * whole one (W2), and who follows the log in another process knows where to stop.
 *
 * A write call that fails can leave part of a record. Only when the disk was full and the record's
 * first byte still reads zero is the tail known to be clean, and the failure retryable (W4).
 */
#include "log/wal.h"

#include "base/probes.h"
#include "base/timing.h"
#include "log/wal-segment-private.h"

#include <assert.h>
#include <stdlib.h>

/* Records up to this are put together and written by one call; larger ones part by part. */
#define WRITE_TOGETHER_MOST (UINT64_C (1) << 20)
#define NEEDED_MOST 8 /* live segments that are looked at for who deleted them */
/* A buffer above this is given back after the record that needed it. */
#define BUFFER_KEPT_MOST (UINT64_C (256) << 10)
/* A segment whose records refer to so many bytes in other files takes no further ones. */
#define REFERRED_MOST (UINT64_C (16) << 20)

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
  struct metrics *metrics = settings->metrics;
  wal->records_at = metrics != NULL ? &metrics->shared[SHARED_LOG_RECORDS] : &wal->records;
  wal->written_at = metrics != NULL ? &metrics->shared[SHARED_LOG_BYTES] : &wal->written;
  wal->next_sequence = settings->next_sequence;
  wal->segment_size = settings->segment_size;
  wal->next_size = WAL_SEGMENT_SIZE_LEAST;
  wal->released = settings->next_sequence - 1;
  atomic_init (&wal->appended, settings->next_sequence - 1);
  atomic_init (&wal->synced, settings->next_sequence - 1);
  atomic_init (&wal->wants_preparing, true);
  atomic_init (&wal->stores, false);
  atomic_init (&wal->may_map,
               settings->allow_mapping && vfs_directory_mapping_is_safe (settings->directory));
  atomic_init (&wal->kept_first, UINT64_MAX);
  pthread_mutex_init (&wal->mutex, NULL);
  pthread_mutex_init (&wal->sync_mutex, NULL);
  pthread_mutex_init (&wal->history_mutex, NULL);
  status result = wal_history_load (wal, failure);
  if (result == STATUS_OK)
    *out = wal;
  else
    wal_close (wal, false);
  return result;
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
  const struct bytes *parts;   /* the payload's pieces; the caller's */
  size_t part_count;           /* how many */
  struct wal_record_head head; /* of the size and sequence, laid out for where it will stand */
  uint8_t head_bytes[WAL_HEAD_MOST]; /* the head but its checksum */
  uint64_t total;                    /* bytes in the segment */
};

/* Decides what kind of record stands at the log's offset, and lays out its head. A large one is
 * long for the sake of its longer checksum. */
static inline void
record_place (struct wal *wal, struct record *record)
{
  struct wal_record_head *head = &record->head;
  head->synced = atomic_load_explicit (&wal->synced, memory_order_acquire);
  head->is_long = wal->offset >= wal->next_long || head->synced != wal->claimed || head->size == 0
                  || head->size >= WAL_LONG_STRIDE_MOST;
  wal_record_head_encode (head, wal->current->binding.tag, wal->current->first_sequence,
                          record->head_bytes);
  record->total = head->payload + head->size;
}

/* Writes all of the record but its first byte. `to` is in the mapping or a buffer. */
static inline void
record_assemble (struct wal *wal, const struct record *record, uint8_t *to)
{
  const struct wal_record_head *head = &record->head;
  uint8_t *at = to + head->payload;
  for (size_t i = 0; i < record->part_count; i++)
    {
      bytes_copy (at, record->parts[i]);
      at += record->parts[i].size;
    }
  if (head->is_long)
    memcpy (to + 1, record->head_bytes + 1, head->payload - 1);
  else
    for (uint32_t i = 1; i < head->checksum_at; i++)
      to[i] = record->head_bytes[i];

  uint64_t sum = checksum (wal_record_seed (&wal->current->binding, head->sequence), wal->offset,
                           BYTES (to + head->checked, record->total - head->checked));
  if (head->is_long)
    store_u64 (to + head->checksum_at, sum);
  else
    store_u32 (to + head->checksum_at, (uint32_t) sum);
}

/* Whether another record's first byte fits behind this one. */
static inline bool
has_next (const struct wal *wal, const struct record *record)
{
  return wal->current->room - wal->offset > record->total;
}

static inline void
append_store (struct wal *wal, const struct record *record)
{
  uint8_t *to = wal->current->map + wal->offset;
  if (has_next (wal, record))
    to[record->total] = 0;
  record_assemble (wal, record, to);
  atomic_store_explicit ((_Atomic uint8_t *) to, record->head_bytes[0], memory_order_release);
  wal->stored_to = true;
}

/* A write of a record failed: is the log as it was before? */
static status
append_failed (struct wal *wal, status result, const struct failure *reason,
               struct failure *failure)
{
  uint8_t first = 1;
  size_t got = 0;
  if (result == STATUS_NO_SPACE
      && vfs_read (wal->current->file, wal->offset, &first, 1, &got, NULL) == STATUS_OK
      && (got == 0 || first == 0))
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

/* The record and the zero byte behind it, by one call. */
static status
append_write (struct wal *wal, const struct record *record, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  status result = buffer_reserve (wal, record->total + 1, failure);
  if (result != STATUS_OK)
    return result;

  record_assemble (wal, record, wal->buffer);
  wal->buffer[0] = record->head_bytes[0];
  wal->buffer[record->total] = 0;
  result = vfs_write (wal->current->file, wal->offset, wal->buffer,
                      record->total + has_next (wal, record), &reason);
  buffer_shrink (wal);
  return result == STATUS_OK ? STATUS_OK : append_failed (wal, result, &reason, failure);
}

/* The checksum of a long record whose payload is nowhere in one piece. */
static status
record_checksum_parts (struct wal *wal, const struct record *record, uint64_t *out,
                       struct failure *failure)
{
  const struct wal_record_head *head = &record->head;
  size_t count = record->part_count + 1;
  struct bytes *pieces = malloc (count * sizeof *pieces);
  if (pieces == NULL)
    return fail_memory (failure, count * sizeof *pieces, "a log record");
  pieces[0] = BYTES (record->head_bytes + head->checked, head->payload - head->checked);
  if (record->part_count != 0)
    memcpy (pieces + 1, record->parts, record->part_count * sizeof *pieces);
  *out = checksum_parts (wal_record_seed (&wal->current->binding, head->sequence), wal->offset,
                         pieces, count);
  free (pieces);
  return STATUS_OK;
}

/* A large record: the payload in place first, piece by piece, then the head. */
static status
append_write_parts (struct wal *wal, struct record *record, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  struct vfs_file *file = wal->current->file;
  static const uint8_t zero = 0;
  uint64_t at = wal->offset + record->head.payload, sum = 0;
  assert (record->head.is_long);
  status result = record_checksum_parts (wal, record, &sum, failure);
  if (result != STATUS_OK)
    return result;
  store_u64 (record->head_bytes + record->head.checksum_at, sum);

  for (size_t i = 0; result == STATUS_OK && i < record->part_count; i++)
    {
      if (record->parts[i].size != 0)
        result = vfs_write (file, at, record->parts[i].data, record->parts[i].size, &reason);
      at += record->parts[i].size;
    }
  if (result == STATUS_OK && has_next (wal, record))
    result = vfs_write (file, at, &zero, 1, &reason);
  if (result == STATUS_OK)
    result = vfs_write (file, wal->offset, record->head_bytes, record->head.payload, &reason);
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
                   record->head.sequence);
  record->head.size = size;
  return STATUS_OK;
}

/* Finds the record its place, in a new segment if there is none in this one. */
static status
record_make_room (struct wal *wal, struct record *record, struct failure *failure)
{
  if (wal->current != NULL)
    {
      record_place (wal, record);
      if (wal->current->room - wal->offset >= record->total)
        return STATUS_OK;
    }
  struct wait_mark mark = wait_begin ();
  status result = wal_segment_rotate (wal, WAL_HEAD_MOST + record->head.size, failure);
  wait_end (wal->settings.metrics, WAIT_LOG_CHANGE, mark);
  if (result == STATUS_OK)
    record_place (wal, record);
  return result;
}

/* The next long record is due in the next block of a stride; a new claim starts over with short
 * strides. */
static void
note_long (struct wal *wal, const struct record *record)
{
  bool is_new = record->head.synced != wal->claimed || wal->long_stride == 0;
  if (is_new)
    wal->long_stride = WAL_LONG_STRIDE_FIRST;
  else if (wal->long_stride < WAL_LONG_STRIDE_MOST)
    wal->long_stride *= 2;
  wal->claimed = record->head.synced;
  wal->next_long = (wal->offset / wal->long_stride + 1) * wal->long_stride;
}

/* From where on the current segment has the next one made. Of full ones as soon as may be: 4 MiB
 * are stored in 6 ms. While they grow, when it is known that there is need for more. */
static inline uint64_t
prepare_from (const struct wal *wal)
{
  uint64_t size = wal->current->size;
  return size < wal->segment_size ? size / 2 : size / 16;
}

/* The appender will want another segment. */
static void
want_preparing (struct wal *wal)
{
  atomic_store_explicit (&wal->stores, wal->stored_to, memory_order_relaxed);
  atomic_store_explicit (&wal->wants_preparing, true, memory_order_relaxed);
}

static void
append_account (struct wal *wal, const struct record *record)
{
  if (record->head.is_long)
    note_long (wal, record);
  wal->offset += record->total;
  wal->next_sequence++;
  atomic_store_explicit (&wal->appended, record->head.sequence, memory_order_release);
  counter_add (wal->records_at, 1);
  counter_add (&wal->bytes, record->head.size);
  counter_add (wal->written_at, record->total);
  uint64_t from = prepare_from (wal);
  if (wal->offset >= from && wal->offset - record->total < from)
    want_preparing (wal);
}

status
wal_append (struct wal *wal, uint64_t sequence, const struct bytes *parts, size_t part_count,
            bool store, struct failure *failure)
{
  struct record record;
  record.parts = parts;
  record.part_count = part_count;
  record.head.sequence = sequence;
  if (wal_failed (wal))
    return wal_fail_again (wal, failure);
  if (sequence != wal->next_sequence || sequence > SEQUENCE_MAX)
    return fail (failure, STATUS_INVALID,
                 "commit %" PRIu64 " cannot follow %" PRIu64 " in the log (W1)", sequence,
                 wal->next_sequence - 1);

  status result = record_measure (&record, failure);
  if (result == STATUS_OK)
    result = record_make_room (wal, &record, failure);
  if (result != STATUS_OK)
    return result;

  if (store && wal->current->map != NULL)
    append_store (wal, &record);
  else if (record.total <= WRITE_TOGETHER_MOST)
    result = append_write (wal, &record, failure);
  else
    result = append_write_parts (wal, &record, failure);
  if (result == STATUS_OK)
    append_account (wal, &record);
  PROBE3 (log_write, sequence, record.total, (int) result);
  return result;
}

void
wal_leave_segment (struct wal *wal)
{
  if (wal->current != NULL)
    wal->current->room = wal->offset;
}

void
wal_note_files (struct wal *wal, uint64_t oldest, uint64_t bytes)
{
  struct wal_segment *segment = wal->current;
  uint64_t before = atomic_load_explicit (&segment->referred_bytes, memory_order_relaxed);
  counter_add (&segment->referred_bytes, bytes);
  if (before < REFERRED_MOST / 2 && before + bytes >= REFERRED_MOST / 2)
    want_preparing (wal);
  if (before + bytes >= REFERRED_MOST)
    segment->room = wal->offset; /* full: what is kept for its sake stays in proportion */
  if (oldest < atomic_load_explicit (&segment->oldest_file, memory_order_relaxed))
    atomic_store_explicit (&segment->oldest_file, oldest, memory_order_release);
}

/* ---- sync ---- */

/* The newest sequence in a live segment. mutex held. */
static uint64_t
segment_last (struct wal *wal, const struct wal_segment *segment)
{
  return segment == wal->current
             ? wal_appended (wal)
             : atomic_load_explicit (&segment->last_sequence, memory_order_relaxed);
}

/* The oldest live segment with records that are not durable, held open (S5); NULL when none. *last:
 * the newest of them, but none behind `sequence`. */
static struct wal_segment *
sync_begin (struct wal *wal, uint64_t sequence, uint64_t *last)
{
  pthread_mutex_lock (&wal->mutex);
  uint64_t synced = atomic_load_explicit (&wal->synced, memory_order_relaxed);
  struct wal_segment *segment = wal->oldest;
  for (; segment != NULL; segment = segment->next)
    {
      *last = segment_last (wal, segment);
      if (*last > synced)
        break;
    }
  if (*last > sequence)
    *last = sequence;
  wal->syncing = segment;
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

/* `last`: newest sequence that is durable now, or 0 when the sync failed. Sets *unmap when a
 * segment waited to be unmapped until then. */
static void
sync_end (struct wal *wal, uint64_t last, bool *unmap)
{
  pthread_mutex_lock (&wal->mutex);
  wal->syncing = NULL;
  *unmap |= wal->unmap_later;
  wal->unmap_later = false;
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
  PROBE1 (log_sync_begin, segment->number);
  status result = vfs_sync_data (segment->file, &reason);
  PROBE2 (log_sync_end, segment->number, (int) result);
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

/* References to live segments with records that are needed, the oldest first. */
static size_t
pin_needed (struct wal *wal, struct wal_segment *pinned[NEEDED_MOST])
{
  size_t count = 0;
  pthread_mutex_lock (&wal->mutex);
  struct wal_segment *segment = wal->oldest;
  for (; segment != NULL && count < NEEDED_MOST; segment = segment->next)
    if (segment_last (wal, segment) > wal->released)
      {
        atomic_fetch_add_explicit (&segment->references, 1, memory_order_relaxed);
        pinned[count++] = segment;
      }
  pthread_mutex_unlock (&wal->mutex);
  return count;
}

bool
wal_is_deleted (struct wal *wal)
{
  struct wal_segment *pinned[NEEDED_MOST];
  size_t count = pin_needed (wal, pinned);
  bool deleted = false;
  for (size_t i = 0; i < count; i++)
    {
      struct vfs_file_information information;
      deleted |= vfs_information (pinned[i]->file, &information, NULL) == STATUS_OK
                 && information.nameless;
      wal_segment_unref (pinned[i]);
    }
  return deleted;
}

status
wal_sync (struct wal *wal, uint64_t sequence, struct failure *failure)
{
  status result = STATUS_OK;
  bool unmap = false;
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
      else if ((segment = sync_begin (wal, sequence, &last)) != NULL)
        result = sync_segment (wal, segment, failure);
      if (segment != NULL)
        sync_end (wal, result == STATUS_OK ? last : 0, &unmap);
      if (result != STATUS_OK || segment == NULL)
        break;
    }
  pthread_mutex_unlock (&wal->sync_mutex);
  if (unmap)
    wal_segment_unmap_full (wal);
  /* What was released during the sync waited for it. */
  if (result == STATUS_OK)
    wal_segment_reclaim (wal, false, NULL);
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

uint64_t
wal_oldest (struct wal *wal)
{
  pthread_mutex_lock (&wal->mutex);
  uint64_t oldest = wal->oldest != NULL ? wal->oldest->first_sequence : wal_appended (wal) + 1;
  uint64_t kept = atomic_load_explicit (&wal->kept_first, memory_order_relaxed);
  pthread_mutex_unlock (&wal->mutex);
  return kept < oldest ? kept : oldest;
}

static uint64_t
older_file (const struct wal_segment *segment, uint64_t than)
{
  uint64_t oldest = atomic_load_explicit (&segment->oldest_file, memory_order_acquire);
  return oldest < than ? oldest : than;
}

uint64_t
wal_oldest_file (struct wal *wal)
{
  uint64_t oldest = WAL_NO_FILE;
  pthread_mutex_lock (&wal->history_mutex);
  for (struct wal_segment *segment = wal->kept; segment != NULL; segment = segment->next)
    oldest = older_file (segment, oldest);
  pthread_mutex_lock (&wal->mutex);
  uint64_t need = wal->settings.retention > 0 ? 0 : wal_readers_need (wal);
  for (struct wal_segment *segment = wal->oldest; segment != NULL; segment = segment->next)
    if (segment_last (wal, segment) >= need)
      oldest = older_file (segment, oldest);
  pthread_mutex_unlock (&wal->mutex);
  pthread_mutex_unlock (&wal->history_mutex);
  return oldest;
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
    .records = atomic_load_explicit (wal->records_at, memory_order_relaxed),
    .bytes = atomic_load_explicit (&wal->bytes, memory_order_relaxed),
    .written_bytes = atomic_load_explicit (wal->written_at, memory_order_relaxed),
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
  pthread_mutex_lock (&wal->history_mutex);
  for (struct wal_segment *segment = wal->kept; segment != NULL; segment = segment->next)
    out->history_bytes += segment->kept_size;
  pthread_mutex_unlock (&wal->history_mutex);
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

/* The last segments become history as well, in so far as that is to be kept. */
static void
retain_live (struct wal *wal)
{
  if (wal->current != NULL)
    {
      wal->current->end = wal->offset;
      atomic_store_explicit (&wal->current->last_sequence, wal_appended (wal),
                             memory_order_release);
    }
  wal_segment_unmap_full (wal);
  while (wal->oldest != NULL)
    {
      struct wal_segment *segment = wal->oldest;
      wal->oldest = segment->next;
      wal_segment_unmap (wal, segment);
      wal_history_add (wal, segment);
    }
  wal_history_review_locked (wal, NULL);
}

void
wal_close (struct wal *wal, bool unlink_all)
{
  if (wal == NULL)
    return;
  assert (wal->readers == NULL);
  if (unlink_all && wal->settings.retention > 0)
    retain_live (wal);
  discard_list (wal, wal->spares, unlink_all);
  discard_list (wal, wal->ready, unlink_all);
  discard_list (wal, wal->oldest, unlink_all);
  wal_history_close (wal, unlink_all);
  pthread_mutex_destroy (&wal->history_mutex);
  pthread_mutex_destroy (&wal->mutex);
  pthread_mutex_destroy (&wal->sync_mutex);
  free (wal->buffer);
  free (wal);
}
