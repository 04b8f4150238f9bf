/* SPDX-License-Identifier: MIT */
/*
 * What is kept of the log for those who read changes, when nobody needs it for recovery any more.
 *
 *   live ──release──▶ kept, under its own name            (a reader is behind it)
 *                └──▶ kept, sealed as "<number>.history"   (changes are retained) ──▶ … the next open
 *   kept ──too much, and no reader needs it or they are too far behind──▶ spare, or unlinked
 *
 * Invariants
 *   T1  What is kept and the live segments hold each sequence from the oldest kept one on. So where
 *       one segment is lost, those before it are.
 *   T2  A history file is durable, its note included, before it has its name; a recovery never
 *       looks at one: all its records are in the tree.
 *   T3  What is kept takes, with what its records refer to, at most `retention` bytes; or while a
 *       reader needs it `reader_bytes`, and as much again in what they refer to as the settings
 *       say.
 *   T4  A kept segment without a reader holds no file open.
 *   T5  A failure costs history, and nothing else.
 */
#include "log/wal-segment-private.h"

#include <stdlib.h>

#define HISTORY_UNIT UINT64_C (4096) /* sizes of history files that are cut */

static uint64_t
last_of (const struct wal_segment *segment)
{
  return atomic_load_explicit (&segment->last_sequence, memory_order_relaxed);
}

static uint64_t
referred_by (const struct wal_segment *segment)
{
  return atomic_load_explicit (&segment->referred_bytes, memory_order_relaxed);
}

static void
note_oldest (struct wal *wal)
{
  atomic_store_explicit (&wal->kept_first,
                         wal->kept != NULL ? wal->kept->first_sequence : UINT64_MAX,
                         memory_order_relaxed);
}

/* T4. history_mutex held, so nobody pins it meanwhile. */
static void
close_idle (struct wal_segment *segment)
{
  if (!segment->sealed || atomic_load_explicit (&segment->references, memory_order_acquire) > 1)
    return;
  vfs_close (segment->file);
  segment->file = NULL;
}

/* ---- sealing ---- */

/* Bytes of the history file: a segment that is mostly empty is cut. */
static uint64_t
sealed_size (const struct wal_segment *segment)
{
  uint64_t need = (segment->end + WAL_NOTE_SIZE + HISTORY_UNIT - 1) / HISTORY_UNIT * HISTORY_UNIT;
  return need > segment->size || need <= segment->size / 4 * 3 ? need : segment->size;
}

/* T2. The segment is open for writing, and holds a record. */
static status
seal (struct vfs_directory *directory, struct wal_segment *segment, struct failure *failure)
{
  uint8_t bytes[WAL_NOTE_SIZE];
  char old_name[WAL_NAME_SIZE], name[WAL_NAME_SIZE];
  uint64_t size = sealed_size (segment);
  struct wal_note note = {
    .first_sequence = segment->first_sequence,
    .last_sequence = last_of (segment),
    .end = segment->end,
    .oldest_file = atomic_load_explicit (&segment->oldest_file, memory_order_relaxed),
    .referred_bytes = referred_by (segment),
  };
  wal_note_encode (&note, &segment->binding, bytes);
  wal_name (segment->number, old_name);
  wal_history_name (segment->number, name);

  status result = STATUS_OK;
  if (size < segment->size)
    result = vfs_truncate (segment->file, size, failure);
  if (result == STATUS_OK)
    result = vfs_write (segment->file, size - WAL_NOTE_SIZE, bytes, sizeof bytes, failure);
  if (result == STATUS_OK)
    {
      result = vfs_sync_data (segment->file, failure);
      segment->sync_failed = result != STATUS_OK;
    }
  if (result == STATUS_OK)
    result = vfs_rename (directory, old_name, name, failure);
  if (result != STATUS_OK)
    return result;
  segment->kept_size = size;
  segment->sealed = true;
  return STATUS_OK;
}

/* ---- the list ---- */

void
wal_history_add (struct wal *wal, struct wal_segment *segment)
{
  segment->kept_size = segment->size;
  if (last_of (segment) < segment->first_sequence) /* no record came into it */
    {
      wal_segment_retire (wal, segment, NULL);
      return;
    }
  if (wal->settings.retention > 0 && seal (wal->settings.directory, segment, NULL) == STATUS_OK)
    close_idle (segment); /* else kept as it is, for those who read now (T5) */
  struct wal_segment **end = &wal->kept;
  while (*end != NULL)
    end = &(*end)->next;
  *end = segment;
  segment->next = NULL;
  wal->kept_bytes += segment->kept_size;
  wal->kept_referred += referred_by (segment);
  note_oldest (wal);
}

/* T3. */
static bool
is_worth_keeping (const struct wal *wal, const struct wal_segment *segment, uint64_t need)
{
  if (wal->kept_bytes + wal->kept_referred <= wal->settings.retention)
    return true;
  return last_of (segment) >= need && wal->kept_bytes <= wal->settings.reader_bytes
         && wal->kept_referred <= wal->settings.reader_referred_bytes;
}

status
wal_history_review_locked (struct wal *wal, struct failure *failure)
{
  status result = STATUS_OK;
  pthread_mutex_lock (&wal->mutex);
  uint64_t need = wal_readers_need (wal);
  pthread_mutex_unlock (&wal->mutex);
  while (wal->kept != NULL && !is_worth_keeping (wal, wal->kept, need))
    {
      struct wal_segment *segment = wal->kept;
      wal->kept = segment->next;
      wal->kept_bytes -= segment->kept_size;
      wal->kept_referred -= referred_by (segment);
      note_oldest (wal);
      close_idle (segment);
      status one = wal_segment_retire (wal, segment, failure);
      if (result == STATUS_OK)
        result = one;
    }
  for (struct wal_segment *segment = wal->kept; segment != NULL; segment = segment->next)
    close_idle (segment);
  return result;
}

void
wal_history_review (struct wal *wal)
{
  if (atomic_load_explicit (&wal->kept_first, memory_order_relaxed) == UINT64_MAX
      || pthread_mutex_trylock (&wal->history_mutex) != 0)
    return; /* nothing is kept, or who is at it looks too */
  wal_history_review_locked (wal, NULL);
  pthread_mutex_unlock (&wal->history_mutex);
}

status
wal_history_pin (struct wal *wal, uint64_t sequence, struct wal_segment **out,
                 struct failure *failure)
{
  char name[WAL_NAME_SIZE];
  status result = STATUS_OK;
  pthread_mutex_lock (&wal->history_mutex);
  struct wal_segment *segment = wal->kept;
  while (segment != NULL && last_of (segment) < sequence)
    segment = segment->next;
  if (segment == NULL || segment->first_sequence > sequence)
    result = STATUS_NOT_FOUND;
  else if (segment->file == NULL)
    {
      wal_history_name (segment->number, name);
      result = vfs_open (wal->settings.directory, name, VFS_READ, &segment->file, failure);
    }
  if (result == STATUS_OK)
    {
      atomic_fetch_add_explicit (&segment->references, 1, memory_order_relaxed);
      *out = segment;
    }
  pthread_mutex_unlock (&wal->history_mutex);
  return result;
}

void
wal_history_close (struct wal *wal, bool unlink_held)
{
  struct wal_segment *segment = wal->kept;
  while (segment != NULL)
    {
      struct wal_segment *next = segment->next;
      if (!segment->sealed && !segment->sync_failed && unlink_held && wal->settings.retention > 0)
        seal (wal->settings.directory, segment, NULL); /* what failed before, but for a sync */
      wal_segment_discard (wal, segment, !segment->sealed && unlink_held, NULL);
      segment = next;
    }
  wal->kept = NULL;
}

/* ---- what an earlier log left ---- */

static bool
note_name (void *data, const char *text)
{
  struct log_names *list = data;
  struct log_name name = { 0, false };
  if (!wal_name_parse (text, WAL_LOG_SUFFIX, &name.number))
    {
      name.sealed = wal_name_parse (text, WAL_HISTORY_SUFFIX, &name.number);
      if (!name.sealed)
        return true;
    }
  if (list->count == list->capacity)
    {
      size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
      void *names = realloc (list->names, capacity * sizeof *list->names);
      list->no_memory = names == NULL;
      if (names == NULL)
        return false;
      list->names = names;
      list->capacity = capacity;
    }
  list->names[list->count++] = name;
  return true;
}

static int
compare_names (const void *left, const void *right)
{
  uint64_t a = ((const struct log_name *) left)->number;
  uint64_t b = ((const struct log_name *) right)->number;
  return (a > b) - (a < b);
}

/* All of them, rising. */
status
wal_list_names (struct vfs_directory *directory, struct log_names *out, struct failure *failure)
{
  *out = (struct log_names){ 0 };
  status result = vfs_directory_list (directory, note_name, out, failure);
  if (result == STATUS_OK && out->no_memory)
    result
        = fail_memory (failure, 2 * out->capacity * sizeof *out->names, "the list of log segments");
  if (result == STATUS_OK && out->count > 0)
    qsort (out->names, out->count, sizeof *out->names, compare_names);
  return result;
}

void
wal_print_name (const struct log_name *name, char to[WAL_NAME_SIZE])
{
  if (name->sealed)
    wal_history_name (name->number, to);
  else
    wal_name (name->number, to);
}

struct wal_segment *
wal_segment_load (struct vfs_directory *directory, const uint8_t database_id[16],
                  const struct log_name *log_name, unsigned flags)
{
  char name[WAL_NAME_SIZE];
  uint64_t number = log_name->number;
  uint8_t bytes[WAL_HEADER_SIZE];
  struct wal_segment_header header;
  struct vfs_file_information information;
  struct vfs_file *file;
  wal_print_name (log_name, name);
  if (vfs_open (directory, name, flags, &file, NULL) != STATUS_OK)
    return NULL;
  struct wal_segment *segment = NULL;
  if (vfs_information (file, &information, NULL) == STATUS_OK
      && information.size > WAL_HEADER_SIZE + WAL_NOTE_SIZE
      && vfs_read_exact (file, 0, bytes, sizeof bytes, NULL) == STATUS_OK
      && wal_header_decode (bytes, &header) && header.version == WAL_FORMAT_VERSION
      && (header.flags & ~WAL_FLAGS_KNOWN) == 0 && header.number == number
      && memcmp (header.database_id, database_id, 16) == 0 && header.first_sequence >= 1
      && header.first_sequence <= SEQUENCE_MAX)
    segment = wal_segment_new (number, information.size);
  if (segment == NULL)
    {
      vfs_close (file);
      return NULL;
    }
  segment->file = file;
  segment->sealed = log_name->sealed;
  segment->kept_size = segment->size;
  segment->own_size = true; /* not recycled: nobody knows how its blocks came about */
  segment->salt = header.salt;
  segment->binding = wal_bind (database_id, number, header.salt);
  segment->first_sequence = header.first_sequence;
  return segment;
}

bool
wal_segment_is_same (struct wal_segment *segment)
{
  uint8_t bytes[WAL_HEADER_SIZE];
  struct wal_segment_header header;
  return vfs_read_exact (segment->file, 0, bytes, sizeof bytes, NULL) == STATUS_OK
         && wal_header_decode (bytes, &header) && header.number == segment->number
         && header.salt == segment->salt && header.first_sequence == segment->first_sequence;
}

bool
wal_segment_load_note (struct wal_segment *segment)
{
  uint8_t bytes[WAL_NOTE_SIZE];
  struct wal_note note;
  if (vfs_read_exact (segment->file, segment->size - WAL_NOTE_SIZE, bytes, sizeof bytes, NULL)
          != STATUS_OK
      || !wal_note_decode (bytes, &segment->binding, segment->size, &note)
      || note.first_sequence != segment->first_sequence)
    return false;
  segment->end = note.end;
  atomic_store_explicit (&segment->last_sequence, note.last_sequence, memory_order_relaxed);
  atomic_store_explicit (&segment->oldest_file, note.oldest_file, memory_order_relaxed);
  atomic_store_explicit (&segment->referred_bytes, note.referred_bytes, memory_order_relaxed);
  return true;
}

static struct wal_segment *
load_one (struct wal *wal, const struct log_name *name)
{
  struct wal_segment *segment
      = wal_segment_load (wal->settings.directory, wal->settings.database_id, name, VFS_READ);
  if (segment == NULL || !wal_segment_load_note (segment))
    {
      wal_segment_unref (segment);
      return NULL;
    }
  close_idle (segment);
  return segment;
}

/* T1: from the newest back, as far as one leads to the next. There is no other file of a log. */
status
wal_history_load (struct wal *wal, struct failure *failure)
{
  struct log_names list;
  uint64_t next = wal->settings.next_sequence;
  status result = wal_list_names (wal->settings.directory, &list, failure);
  bool goes_on = wal->settings.retention > 0;
  for (size_t i = list.count; result == STATUS_OK && i-- > 0;)
    {
      char name[WAL_NAME_SIZE];
      if (!list.names[i].sealed)
        continue;
      struct wal_segment *segment = goes_on ? load_one (wal, &list.names[i]) : NULL;
      goes_on = segment != NULL && last_of (segment) + 1 == next;
      if (goes_on)
        {
          next = segment->first_sequence;
          segment->next = wal->kept;
          wal->kept = segment;
          wal->kept_bytes += segment->kept_size;
          wal->kept_referred += referred_by (segment);
          continue;
        }
      wal_segment_unref (segment);
      wal_print_name (&list.names[i], name);
      vfs_unlink (wal->settings.directory, name, NULL);
    }
  free (list.names);
  note_oldest (wal);
  return result == STATUS_OK ? wal_history_review_locked (wal, failure) : result;
}

/* ---- after a recovery ---- */

static status
pin_only (void *context, uint64_t sequence, struct wal_segment **out, struct failure *failure)
{
  struct wal_segment *segment = context;
  if (sequence > last_of (segment))
    return fail (failure, STATUS_HISTORY_GONE, "commit %" PRIu64 " is in another segment",
                 sequence);
  atomic_fetch_add_explicit (&segment->references, 1, memory_order_relaxed);
  *out = segment;
  return STATUS_OK;
}

/* Reads all records that count, and finds out what the note will say. */
static status
measure (const struct wal_retirement *settings, struct wal_segment *segment)
{
  struct wal_source source
      = { .pin = pin_only, .context = segment, .path = settings->directory->path };
  struct wal_reader *reader;
  struct bytes payload;
  uint64_t sequence, oldest = WAL_NO_FILE, referred = 0;
  status result = wal_reader_new_from (&source, segment->first_sequence - 1, &reader, NULL);
  if (result != STATUS_OK)
    return result;
  while ((result = wal_reader_next (reader, last_of (segment), &sequence, &payload, NULL))
         == STATUS_OK)
    settings->look (settings->data, payload, &oldest, &referred);
  segment->end = wal_reader_offset (reader);
  wal_reader_free (reader);
  atomic_init (&segment->oldest_file, oldest);
  atomic_init (&segment->referred_bytes, referred);
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* Makes history of one segment of the recovered log, `last` being its last record that counts. */
static status
adopt (const struct wal_retirement *settings, struct wal_segment *segment, uint64_t last)
{
  if (last < segment->first_sequence)
    return STATUS_NOT_FOUND;
  atomic_init (&segment->last_sequence, last);
  status result = measure (settings, segment);
  return result == STATUS_OK ? seal (settings->directory, segment, NULL) : result;
}

/* One file, when all newer ones begin above *last; then so does this one. What can't be adopted is
 * unlinked: then what is before it leads nowhere, and goes at the next load (T1, T5). */
static status
retire_one (const struct wal_retirement *settings, const struct log_name *log_name, uint64_t *last,
            struct failure *failure)
{
  char name[WAL_NAME_SIZE];
  struct wal_segment *segment = NULL;
  bool kept = false;
  if (settings->keep)
    segment = wal_segment_load (settings->directory, settings->database_id, log_name,
                                log_name->sealed ? VFS_READ : VFS_WRITE);
  if (segment != NULL)
    kept = log_name->sealed || adopt (settings, segment, *last) == STATUS_OK;
  if (segment != NULL && segment->first_sequence <= *last)
    *last = segment->first_sequence - 1;
  wal_segment_unref (segment);
  wal_print_name (log_name, name);
  return kept ? STATUS_OK : vfs_unlink (settings->directory, name, failure);
}

/* From the newest back, so that it is known where each ends; an earlier recovery that was cut short
 * may have sealed some of them. */
status
wal_retire (const struct wal_retirement *settings, struct failure *failure)
{
  struct log_names list;
  uint64_t last = settings->last_sequence;
  status result = wal_list_names (settings->directory, &list, failure);
  bool any = false; /* something to do: after a clean close history is as it is to be */
  for (size_t i = 0; i < list.count; i++)
    any |= !list.names[i].sealed || !settings->keep;
  for (size_t i = any ? list.count : 0; result == STATUS_OK && i-- > 0;)
    result = retire_one (settings, &list.names[i], &last, failure);
  if (result == STATUS_OK && any)
    result = vfs_directory_sync (settings->directory, failure);
  free (list.names);
  return result;
}
