/* SPDX-License-Identifier: MIT */
/*
 * The life of a log segment.
 *
 *            obtain            rotate              reclaim
 *   (none) ─────────▶ ready ─────────▶ live … ─────────────▶ spare ──┐
 *              ▲      zeroed or        header,               old     │
 *              │      stale, named     then records          name    │
 *              └─────────────────────────────────────────────────────┘ new number, new salt
 *
 * Invariants
 *   S1  The numbers of live segments rise in the order of their sequences. A ready segment that was
 *       overtaken by a higher number is not used under its own.
 *   S2  A segment's header is whole before any record of it is, and the first byte of the first
 *       record is zero before the header is whole: bytes that verify belong to this use of the
 *       file.
 *   S3  A ready segment has durable contents and a durable name, so that a commit pays for neither;
 *       not so where commits are stored, which don't wait for a disk: the next sync sees to both.
 *   S4  The current segment is never released: one segment of this log stays for a recovery to see.
 *   S5  A segment in fdatasync is not moved, unmapped or closed; one being unmapped neither.
 *   S6  What is mapped counts as memory, so a full segment is unmapped when the next one is made,
 *       long before it is released: at any time the current one, the one before and the next are
 *       mapped.
 *   S7  A segment that a reader refers to is not recycled: released, it loses its name, and its
 *       file lasts as long as the reference. A reader reaches no segment that is released.
 */
#include "log/wal-segment-private.h"

#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const uint8_t zeros[WAL_SEGMENT_SIZE_LEAST];

status
wal_fail_again (const struct wal *wal, struct failure *failure)
{
  return fail (failure, STATUS_UNKNOWN_OUTCOME,
               "%s: an earlier write or sync of the log failed, so what is durable is unknown and "
               "nothing more is written; close the database and open it again",
               wal->settings.directory->path);
}

void
wal_segment_unmap (struct wal *wal, struct wal_segment *segment)
{
  if (segment->map == NULL)
    return;
  vfs_unmap (segment->file, segment->map, segment->size);
  ledger_refund (wal->settings.ledger, LEDGER_LOG, segment->size);
  segment->map = NULL;
}

/* Maps and populates. Any failure means: write calls instead, from now on. */
static void
segment_map (struct wal *wal, struct wal_segment *segment)
{
  void *map = NULL;
  struct failure ignored = FAILURE_INIT;
  if (!segment->allocated || !atomic_load_explicit (&wal->may_map, memory_order_relaxed))
    return;
  if (vfs_map (segment->file, 0, segment->size, true, true, &map, &ignored) != STATUS_OK)
    {
      if (ignored.code != STATUS_NO_MEMORY)
        atomic_store_explicit (&wal->may_map, false, memory_order_relaxed);
      return;
    }
  segment->map = map;
  ledger_charge (wal->settings.ledger, LEDGER_LOG, segment->size);
}

struct wal_segment *
wal_segment_new (uint64_t number, uint64_t size)
{
  struct wal_segment *segment = calloc (1, sizeof *segment);
  if (segment == NULL)
    return NULL;
  segment->number = number;
  segment->size = size;
  atomic_init (&segment->references, 1);
  atomic_init (&segment->last_sequence, UINT64_MAX);
  atomic_init (&segment->oldest_file, WAL_NO_FILE);
  return segment;
}

void
wal_segment_unref (struct wal_segment *segment)
{
  if (segment == NULL
      || atomic_fetch_sub_explicit (&segment->references, 1, memory_order_acq_rel) != 1)
    return;
  vfs_close (segment->file);
  free (segment);
}

struct wal_segment *
wal_segment_pin (struct wal *wal, uint64_t sequence)
{
  pthread_mutex_lock (&wal->mutex);
  struct wal_segment *segment = wal->oldest;
  while (segment != NULL
         && atomic_load_explicit (&segment->last_sequence, memory_order_relaxed) < sequence)
    segment = segment->next;
  if (segment != NULL && segment->first_sequence > sequence)
    segment = NULL;
  if (segment != NULL)
    atomic_fetch_add_explicit (&segment->references, 1, memory_order_relaxed);
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

status
wal_segment_discard (struct wal *wal, struct wal_segment *segment, bool unlink,
                     struct failure *failure)
{
  status result = STATUS_OK;
  char name[WAL_NAME_SIZE];
  if (segment == NULL)
    return STATUS_OK;
  if (segment->sealed)
    wal_history_name (segment->number, name);
  else
    wal_name (segment->number, name);
  if (unlink)
    result = vfs_unlink (wal->settings.directory, name, failure);
  wal_segment_unmap (wal, segment);
  wal_segment_unref (segment);
  return result;
}

/* A new number and salt: what was in the file before can't verify from here on (S2). */
static status
segment_name (struct wal *wal, struct wal_segment *segment, char name[WAL_NAME_SIZE],
              struct failure *failure)
{
  status result = random_bytes (&segment->salt, sizeof segment->salt, failure);
  if (result != STATUS_OK)
    return result;
  segment->number = wal->settings.next_number (wal->settings.next_number_context);
  segment->binding = wal_bind (wal->settings.database_id, segment->number, segment->salt);
  segment->name_durable = false;
  wal_name (segment->number, name);
  return STATUS_OK;
}

/* Writes zeros in 64 KiB pieces: larger ones give larger folios, and one store into a folio makes
 * all of it dirty. */
static status
segment_zero (struct wal_segment *segment, struct failure *failure)
{
  for (uint64_t at = 0; at < segment->size; at += sizeof zeros)
    {
      status result = vfs_write (segment->file, at, zeros, sizeof zeros, failure);
      if (result != STATUS_OK)
        return result;
    }
  return STATUS_OK;
}

/* Allocates the file's blocks, if the file system can promise them. */
static status
segment_allocate (struct wal_segment *segment, struct failure *failure)
{
  struct failure reason = FAILURE_INIT;
  status result = vfs_allocate (segment->file, 0, segment->size, &reason);
  segment->allocated = result == STATUS_OK;
  if (result == STATUS_UNSUPPORTED)
    return vfs_truncate (segment->file, segment->size, failure);
  if (result != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = reason;
  return result;
}

static status
segment_create (struct wal *wal, uint64_t size, bool own_size, struct wal_segment **out,
                struct failure *failure)
{
  char name[WAL_NAME_SIZE];
  struct wal_segment *segment = wal_segment_new (0, size);
  if (segment == NULL)
    return fail_memory (failure, sizeof *segment, "a log segment");
  segment->own_size = own_size;

  status result = segment_name (wal, segment, name, failure);
  if (result == STATUS_OK)
    result = vfs_open (wal->settings.directory, name, VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE,
                       &segment->file, failure);
  if (result != STATUS_OK)
    {
      free (segment);
      return result;
    }

  result = segment_allocate (segment, failure);
  if (result == STATUS_OK && !own_size)
    result = segment_zero (segment, failure);
  if (result != STATUS_OK)
    {
      wal_segment_discard (wal, segment, true, NULL);
      return result;
    }
  *out = segment;
  return STATUS_OK;
}

/* Gives a spare a new number. It keeps its bytes, the header of its earlier use included, until
 * it becomes current: a recovery that meets it knows an unused one by the two numbers. */
static status
segment_recycle (struct wal *wal, struct wal_segment *segment, struct failure *failure)
{
  char old_name[WAL_NAME_SIZE], name[WAL_NAME_SIZE];
  if (segment->sealed)
    wal_history_name (segment->number, old_name);
  else
    wal_name (segment->number, old_name);
  assert (segment->map == NULL && !segment->own_size);
  segment->recycled = true;
  segment->sealed = false;

  status result = segment_name (wal, segment, name, failure);
  if (result == STATUS_OK)
    result = vfs_rename (wal->settings.directory, old_name, name, failure);
  if (result != STATUS_OK)
    {
      vfs_unlink (wal->settings.directory, old_name, NULL);
      return result;
    }

  vfs_close (segment->file);
  segment->file = NULL;
  return vfs_open (wal->settings.directory, name, VFS_WRITE, &segment->file, failure);
}

static struct wal_segment *
spare_take (struct wal *wal, uint64_t size)
{
  pthread_mutex_lock (&wal->mutex);
  struct wal_segment *segment = wal->spares;
  if (segment != NULL && segment->size >= size)
    {
      wal->spares = segment->next;
      wal->spare_count--;
      segment->next = NULL;
    }
  else
    segment = NULL;
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

/* Maps the segment, and makes it and its name durable where commits are written and synced (S3).
 * Populating makes every page dirty, which is flushed here then, and not by the first of them.
 * Where they are stored the pages stay dirty, since a flushed one costs a fault at its next store,
 * and a sync before that would only keep the appender waiting for a segment. */
static status
segment_settle (struct wal *wal, struct wal_segment *segment, struct failure *failure)
{
  segment_map (wal, segment);
  if (atomic_load_explicit (&wal->stores, memory_order_relaxed))
    return STATUS_OK;
  status result = STATUS_OK;
  if (segment->map != NULL || !segment->recycled)
    result = vfs_sync_data (segment->file, failure);
  if (result == STATUS_OK)
    result = vfs_directory_sync (wal->settings.directory, failure);
  segment->name_durable = result == STATUS_OK;
  return result;
}

/* *out NULL: there is no spare, or somebody deleted its file. */
static status
spare_reuse (struct wal *wal, uint64_t size, struct wal_segment **out, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  *out = spare_take (wal, size);
  if (*out == NULL || segment_recycle (wal, *out, &cause) == STATUS_OK)
    return STATUS_OK;
  if (cause.system_error == ENOENT)
    {
      wal_segment_discard (wal, *out, false, NULL);
      *out = NULL;
      return STATUS_OK;
    }
  if (failure != NULL && failure->code == STATUS_OK)
    *failure = cause;
  return cause.code;
}

status
wal_segment_obtain (struct wal *wal, uint64_t size, bool durable, struct wal_segment **out,
                    struct failure *failure)
{
  struct wal_segment *segment;
  status result = spare_reuse (wal, size, &segment, failure);
  if (segment == NULL)
    result = segment_create (wal, size, false, &segment, failure);

  if (result == STATUS_OK && durable)
    result = segment_settle (wal, segment, failure);
  else if (result == STATUS_OK)
    segment_map (wal, segment);
  if (result != STATUS_OK)
    {
      wal_segment_discard (wal, segment, true, NULL);
      return result;
    }
  *out = segment;
  return STATUS_OK;
}

status
wal_segment_obtain_own (struct wal *wal, uint64_t size, struct wal_segment **out,
                        struct failure *failure)
{
  uint64_t unit = WAL_SEGMENT_SIZE_LEAST;
  return segment_create (wal, (size + unit - 1) / unit * unit, true, out, failure);
}

/* S2: the first record's first byte, then the header, its checksum last. */
static status
segment_write_header (struct wal *wal, struct wal_segment *segment, struct failure *failure)
{
  uint8_t bytes[WAL_HEADER_SIZE + 1] = { 0 };
  struct wal_segment_header header = {
    .version = WAL_FORMAT_VERSION,
    .flags = segment->recycled ? WAL_FLAG_RECYCLED : 0,
    .log = wal->log,
    .number = segment->number,
    .salt = segment->salt,
    .first_sequence = wal->next_sequence,
  };
  memcpy (header.database_id, wal->settings.database_id, sizeof header.database_id);
  wal_header_encode (&header, bytes);
  if (segment->map == NULL)
    {
      /* Two writes: of one that fails any part may be there, and stale bytes behind a part of a
       * header would be taken for records. */
      status result
          = vfs_write (segment->file, WAL_HEADER_SIZE, bytes + WAL_HEADER_SIZE, 1, failure);
      return result == STATUS_OK ? vfs_write (segment->file, 0, bytes, WAL_HEADER_SIZE, failure)
                                 : result;
    }

  uint64_t word;
  memcpy (&word, bytes + 56, sizeof word);
  segment->map[WAL_HEADER_SIZE] = 0;
  atomic_signal_fence (memory_order_release); /* a kill leaves what the program stored up to it */
  memcpy (segment->map, bytes, 56);
  atomic_store_explicit ((_Atomic uint64_t *) (segment->map + 56), word, memory_order_release);
  return STATUS_OK;
}

/* Bytes of the next regular segment that can take `need`; 0 when it takes one of its own size. */
static uint64_t
regular_size (struct wal *wal, uint64_t need)
{
  pthread_mutex_lock (&wal->mutex);
  uint64_t size = wal->next_size, most = wal->segment_size;
  pthread_mutex_unlock (&wal->mutex);
  while (size < need && size < most)
    size *= WAL_SEGMENT_GROWTH;
  if (size > most)
    size = most;
  return size < need ? 0 : size;
}

static struct wal_segment *
ready_take (struct wal *wal, uint64_t need)
{
  struct wal_segment *segment = NULL;
  pthread_mutex_lock (&wal->mutex);
  if (wal->ready != NULL && wal->ready->size >= need)
    {
      segment = wal->ready;
      wal->ready = NULL;
    }
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

/* Keeps a segment that is not in use for a later one, under whatever name it has. Mutex held;
 * returns what is to be discarded instead. */
static struct wal_segment *
spare_put (struct wal *wal, struct wal_segment *segment)
{
  struct wal_segment **end = &wal->spares;
  if (segment->own_size || segment->map != NULL || segment->sync_failed
      || wal->spare_count >= WAL_SPARES_MOST || segment->kept_size != wal->segment_size
      || atomic_load_explicit (&segment->references, memory_order_acquire) > 1) /* S7 */
    return segment;
  while (*end != NULL)
    end = &(*end)->next;
  *end = segment;
  segment->next = NULL;
  wal->spare_count++;
  return NULL;
}

/* Bytes at the end of each segment that are kept free for the note of a history file, so that a
 * full disk takes no history away. */
static uint64_t
wal_note_room (const struct wal *wal)
{
  return wal->settings.retention > 0 ? WAL_NOTE_SIZE : 0;
}

/* The segment becomes the last live one; a ready one it overtook goes (S1). */
static void
segment_start (struct wal *wal, struct wal_segment *segment)
{
  struct wal_segment *overtaken = NULL;
  segment->first_sequence = wal->next_sequence;
  segment->room = segment->size - wal_note_room (wal);
  atomic_store_explicit (&segment->last_sequence, UINT64_MAX, memory_order_relaxed);
  atomic_store_explicit (&segment->oldest_file, WAL_NO_FILE, memory_order_relaxed);
  atomic_store_explicit (&segment->referred_bytes, 0, memory_order_relaxed);

  pthread_mutex_lock (&wal->mutex);
  if (wal->current != NULL)
    {
      atomic_store_explicit (&wal->current->last_sequence, wal->next_sequence - 1,
                             memory_order_release);
      wal->current->next = segment;
      wal->current->end = wal->offset;
    }
  else
    wal->oldest = segment;
  assert (segment->number > wal->newest_number);
  wal->newest_number = segment->number;
  if (!segment->own_size)
    {
      uint64_t next = segment->size * WAL_SEGMENT_GROWTH;
      wal->next_size = next < wal->segment_size ? next : wal->segment_size;
    }
  if (wal->ready != NULL && wal->ready->number < segment->number)
    {
      overtaken = wal->ready;
      wal->ready = NULL;
    }
  wal->current = segment;
  pthread_mutex_unlock (&wal->mutex);

  wal->offset = WAL_HEADER_SIZE;
  wal->next_long = 0;
  wal->long_stride = 0;
  wal->stored_to = false;
  atomic_store_explicit (&wal->wants_preparing, false, memory_order_relaxed);
  wal_segment_discard (wal, overtaken, true, NULL);
}

/* The oldest full segment that is mapped, held open (S5); NULL when none. */
static struct wal_segment *
unmap_begin (struct wal *wal)
{
  pthread_mutex_lock (&wal->mutex);
  struct wal_segment *segment = wal->leaving == NULL ? wal->oldest : wal->current;
  while (segment != wal->current && (segment->map == NULL || segment == wal->syncing))
    {
      wal->unmap_later |= segment->map != NULL;
      segment = segment->next;
    }
  if (segment == wal->current)
    segment = NULL;
  else
    wal->leaving = segment;
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

void
wal_segment_unmap_full (struct wal *wal)
{
  struct wal_segment *segment;
  while ((segment = unmap_begin (wal)) != NULL)
    {
      wal_segment_unmap (wal, segment);
      pthread_mutex_lock (&wal->mutex);
      wal->leaving = NULL;
      pthread_mutex_unlock (&wal->mutex);
    }
}

status
wal_segment_rotate (struct wal *wal, uint64_t record_size, struct failure *failure)
{
  uint64_t need = WAL_HEADER_SIZE + record_size + wal_note_room (wal);
  uint64_t size = regular_size (wal, need);
  struct wal_segment *segment = size != 0 ? ready_take (wal, need) : NULL;
  status result = STATUS_OK;
  if (segment == NULL && size != 0)
    {
      wal_segment_unmap_full (wal); /* who prepares is behind */
      result = wal_segment_obtain (wal, size, false, &segment, failure);
    }
  else if (segment == NULL)
    result = wal_segment_obtain_own (wal, need, &segment, failure);
  if (result != STATUS_OK)
    return result;

  if (wal->current == NULL)
    wal->log = (uint32_t) segment->number;
  result = segment_write_header (wal, segment, failure);
  if (result != STATUS_OK)
    {
      wal_segment_discard (wal, segment, true, NULL);
      return result;
    }
  segment_start (wal, segment);
  return STATUS_OK;
}

void
wal_set_segment_size (struct wal *wal, uint64_t size)
{
  struct wal_segment *large = NULL, *current = wal->current;
  pthread_mutex_lock (&wal->mutex);
  wal->segment_size = size;
  if (wal->next_size > size)
    wal->next_size = size;
  if (wal->ready != NULL && wal->ready->size > size)
    {
      large = wal->ready;
      wal->ready = NULL;
    }
  atomic_store_explicit (&wal->wants_preparing, true, memory_order_relaxed);
  pthread_mutex_unlock (&wal->mutex);
  if (current != NULL && current->size > size)
    current->room = wal->offset;
  struct failure ignored = FAILURE_INIT; /* a file that stays is found by the next opening */
  wal_segment_discard (wal, large, true, &ignored);
}

status
wal_prepare (struct wal *wal, struct failure *failure)
{
  if (wal_failed (wal))
    return wal_fail_again (wal, failure);
  wal_segment_unmap_full (wal);
  wal_segment_reclaim (wal, false, NULL); /* what was skipped meanwhile */

  pthread_mutex_lock (&wal->mutex);
  bool is_ready = wal->ready != NULL;
  uint64_t size = wal->next_size;
  pthread_mutex_unlock (&wal->mutex);

  struct wal_segment *segment = NULL;
  if (!is_ready)
    {
      status result = wal_segment_obtain (wal, size, true, &segment, failure);
      if (result != STATUS_OK)
        return result;
      pthread_mutex_lock (&wal->mutex);
      if (wal->ready == NULL && segment->number > wal->newest_number
          && segment->size <= wal->segment_size)
        {
          wal->ready = segment;
          segment = NULL;
        }
      pthread_mutex_unlock (&wal->mutex);
    }
  if (segment == NULL)
    atomic_store_explicit (&wal->wants_preparing, false, memory_order_relaxed);
  /* Overtaken by the appender (S1), which made its own in the meantime; or by a smaller size. */
  return wal_segment_discard (wal, segment, true, failure);
}

bool
wal_wants_preparing (struct wal *wal)
{
  return atomic_load_explicit (&wal->wants_preparing, memory_order_relaxed);
}

static bool
is_released (const struct wal *wal, const struct wal_segment *segment)
{
  return segment != NULL && segment != wal->current && segment != wal->syncing
         && segment != wal->leaving
         && atomic_load_explicit (&segment->last_sequence, memory_order_relaxed) <= wal->released;
}

/* Takes the oldest live segment off the list if it is released (S4, S5). It is kept from then on,
 * until it is known better. history_mutex held. */
static struct wal_segment *
released_take (struct wal *wal)
{
  pthread_mutex_lock (&wal->mutex);
  struct wal_segment *segment = wal->oldest;
  if (!is_released (wal, segment))
    segment = NULL;
  else
    {
      wal->oldest = segment->next;
      segment->next = NULL;
      if (atomic_load_explicit (&wal->kept_first, memory_order_relaxed) == UINT64_MAX)
        atomic_store_explicit (&wal->kept_first, segment->first_sequence, memory_order_relaxed);
    }
  pthread_mutex_unlock (&wal->mutex);
  return segment;
}

status
wal_segment_retire (struct wal *wal, struct wal_segment *segment, struct failure *failure)
{
  pthread_mutex_lock (&wal->mutex);
  segment = spare_put (wal, segment);
  pthread_mutex_unlock (&wal->mutex);
  return wal_segment_discard (wal, segment, true, failure);
}

status
wal_segment_reclaim (struct wal *wal, bool wait, struct failure *failure)
{
  pthread_mutex_lock (&wal->mutex);
  bool any = is_released (wal, wal->oldest);
  pthread_mutex_unlock (&wal->mutex);
  if (!any)
    return STATUS_OK;
  if (wait)
    pthread_mutex_lock (&wal->history_mutex);
  else if (pthread_mutex_trylock (&wal->history_mutex) != 0)
    return STATUS_OK;
  struct wal_segment *segment;
  while ((segment = released_take (wal)) != NULL)
    {
      wal_segment_unmap (wal, segment);
      wal_history_add (wal, segment);
    }
  status result = wal_history_review_locked (wal, failure);
  pthread_mutex_unlock (&wal->history_mutex);
  return result;
}

status
wal_release (struct wal *wal, uint64_t sequence, struct failure *failure)
{
  uint64_t appended = wal_appended (wal);
  if (wal_failed (wal))
    return STATUS_OK;
  if (sequence > appended)
    sequence = appended;

  pthread_mutex_lock (&wal->mutex);
  if (sequence > wal->released)
    wal->released = sequence;
  if (wal->released > atomic_load_explicit (&wal->synced, memory_order_relaxed))
    atomic_store_explicit (&wal->synced, wal->released, memory_order_release);
  pthread_mutex_unlock (&wal->mutex);
  return wal_segment_reclaim (wal, true, failure);
}

void
wal_trim (struct wal *wal, unsigned keep)
{
  for (;;)
    {
      struct wal_segment *segment = NULL;
      pthread_mutex_lock (&wal->mutex);
      unsigned have = wal->spare_count + (wal->ready != NULL);
      if (have > keep && wal->spares != NULL)
        {
          segment = wal->spares;
          wal->spares = segment->next;
          wal->spare_count--;
        }
      else if (have > keep && wal->current != NULL)
        {
          segment = wal->ready;
          wal->ready = NULL;
          atomic_store_explicit (&wal->wants_preparing, true, memory_order_relaxed);
        }
      pthread_mutex_unlock (&wal->mutex);
      if (segment == NULL)
        return;
      wal_segment_discard (wal, segment, true, NULL);
    }
}
