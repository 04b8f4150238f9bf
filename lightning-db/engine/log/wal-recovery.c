/* SPDX-License-Identifier: MIT */
/*
 * Reading the log back. Nothing is written, so doing it twice, or half and then again, changes
 * nothing.
 *
 * What is trusted
 *   R1  A segment takes part when its header verifies, names this database and carries the number
 *       of its file name. A header of zeros or of bytes that were never one of this database, a
 *       short file, or a header with another number (smaller: a spare that was renamed and not yet
 *       used; larger: one in use whose new name is not durable, so that no commit in it is) is an
 *       unused segment, unless another file bears its number: no crash leaves that.
 *   R2  A record is one that verifies at its offset under the segment's number and salt, in rising
 *       sequence. Everything else is bytes. Behind a place where none stands, the record that its
 *       size leads to counts, and the next long one, wherever it is.
 *   R3  Segments of one run of the writer share `log`. The run after a recovery starts at the
 *       sequence where that recovery ended; whatever an earlier run holds from there on is void.
 *   R4  Only records above `after` matter: what is missing below it is in the tree.
 *   R5  When a needed record is missing and a later valid record of the run says it was synced,
 *       that is corruption. When none says so, it is the torn tail of a crash: the run ends there.
 *
 * Each step of a walk moves forward by at least a byte or one segment, and the bytes checksummed
 * in vain have a budget per segment, so that a hostile file costs time in proportion to its size;
 * what lies beyond the largest that a segment can be is not looked at.
 */
#include "log/wal.h"

#include "log/wal-format-private.h"

#include <assert.h>
#include <stdlib.h>

#define WINDOW_SIZE (UINT64_C (1) << 20)
/* A segment is as large as its option may say, or as one record needs, and rounded up. */
#define SEGMENT_FILE_MOST (WAL_PAYLOAD_MAX + (UINT64_C (1) << 20))
/* Bytes checksummed in vain per byte of a segment before it counts as damaged, and a base. */
#define VAIN_FACTOR 4
#define VAIN_BASE (UINT64_C (1) << 20)
/* Records that do not verify and are stepped over by their size, before a long one is looked
 * for. */
#define HOPS_MOST 16

enum segment_state
{
  SEGMENT_UNUSED,  /* no record was ever promised to be in it */
  SEGMENT_VALID,   /* R1 */
  SEGMENT_DAMAGED, /* held records, and its header does not verify */
};

/* One file of the log. */
struct found_segment
{
  uint64_t number;          /* of its name */
  uint64_t own_number;      /* of its header; the same, but for salvage; 0 = it has none */
  uint64_t size;            /* bytes of the file that may count */
  uint64_t device, inode;   /* which file it is */
  enum segment_state state; /* as the header says */
  uint16_t flags;           /* from here on: of a valid header */
  uint32_t log;
  uint64_t first_sequence;
  struct wal_binding binding;
};

struct recovery
{
  struct vfs_directory *directory; /* the caller's */
  const uint8_t *database_id;      /* 16 bytes */
  bool salvage;                    /* skip what does not verify */
  struct found_segment *segments;  /* by rising number; owned */
  size_t count, capacity;          /* entries in use; allocated */
  bool out_of_memory;              /* a name could not be kept */
  uint64_t next;                   /* the sequence that must be handed out next */
  struct wal_recovery *out;        /* the caller's */
};

/* ---- names ---- */

struct listing
{
  bool (*visit) (void *data, const char *name, uint64_t number); /* the caller's */
  void *data;                                                    /* its own */
};

static bool
list_entry (void *data, const char *name)
{
  const struct listing *listing = data;
  uint64_t number;
  return !wal_name_parse (name, WAL_LOG_SUFFIX, &number)
         || listing->visit (listing->data, name, number);
}

status
wal_list (struct vfs_directory *directory,
          bool (*visit) (void *data, const char *name, uint64_t number), void *data,
          struct failure *failure)
{
  struct listing listing = { visit, data };
  return vfs_directory_list (directory, list_entry, &listing, failure);
}

static bool
segment_found (void *data, const char *name, uint64_t number)
{
  struct recovery *recovery = data;
  if (recovery->count == recovery->capacity)
    {
      size_t capacity = recovery->capacity != 0 ? 2 * recovery->capacity : 16;
      void *grown = reallocarray (recovery->segments, capacity, sizeof *recovery->segments);
      if (grown == NULL)
        {
          recovery->out_of_memory = true;
          return false;
        }
      recovery->segments = grown;
      recovery->capacity = capacity;
    }
  recovery->segments[recovery->count++] = (struct found_segment){ .number = number };
  return true;
}

static int
compare_numbers (const void *a, const void *b)
{
  uint64_t left = ((const struct found_segment *) a)->number;
  uint64_t right = ((const struct found_segment *) b)->number;
  return (left > right) - (left < right);
}

/* ---- a window on one file ---- */

/* A run of one file's bytes in memory. It grows to the largest record and no further. */
struct window
{
  struct recovery *recovery; /* whose directory */
  size_t segment;            /* index of the open file; meaningful while file != NULL */
  struct vfs_file *file;     /* owned */
  uint8_t *bytes;            /* owned */
  uint64_t capacity;         /* bytes allocated */
  uint64_t start, filled;    /* what of the file is in it */
};

static void
window_clear (struct window *window)
{
  vfs_close (window->file);
  free (window->bytes);
  window->file = NULL;
  window->bytes = NULL;
  window->capacity = window->start = window->filled = 0;
}

static status
window_open (struct window *window, size_t segment, struct failure *failure)
{
  char name[WAL_NAME_SIZE];
  if (window->file != NULL && window->segment == segment)
    return STATUS_OK;
  vfs_close (window->file);
  window->file = NULL;
  window->filled = 0;
  window->segment = segment;
  wal_name (window->recovery->segments[segment].number, name);
  status result = vfs_open (window->recovery->directory, name, VFS_READ, &window->file, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s: the log segment vanished while it was read; make sure that nothing else "
                 "changes the directory",
                 window->recovery->directory->path, name);
  return result;
}

/* Reads page by page, and zeros where the disk can't: salvage's way over bad sectors. */
static void
window_read_around (struct window *window, uint64_t offset, uint64_t length)
{
  for (uint64_t at = 0; at < length; at += 4096)
    {
      size_t got = 0, piece = length - at < 4096 ? (size_t) (length - at) : 4096;
      memset (window->bytes + at, 0, piece);
      if (vfs_read (window->file, offset + at, window->bytes + at, piece, &got, NULL) != STATUS_OK)
        memset (window->bytes + at, 0, piece);
    }
}

static status
window_fill (struct window *window, uint64_t offset, uint64_t length, struct failure *failure)
{
  size_t got = 0;
  struct failure reason = FAILURE_INIT;
  uint64_t size = window->recovery->segments[window->segment].size;
  if (length < WINDOW_SIZE)
    length = size - offset < WINDOW_SIZE ? size - offset : WINDOW_SIZE;
  if (length > window->capacity)
    {
      uint8_t *grown = length <= SIZE_MAX ? realloc (window->bytes, (size_t) length) : NULL;
      if (grown == NULL)
        return fail_memory (failure, length, "reading a log segment");
      window->bytes = grown;
      window->capacity = length;
    }

  window->filled = 0;
  status result = vfs_read (window->file, offset, window->bytes, (size_t) length, &got, &reason);
  if (result != STATUS_OK && window->recovery->salvage)
    window_read_around (window, offset, length);
  else if (result != STATUS_OK)
    {
      if (failure != NULL && failure->code == STATUS_OK)
        *failure = reason;
      return result;
    }
  else if (got < length) /* it shrank since it was measured: what is gone reads as zeros */
    memset (window->bytes + got, 0, (size_t) (length - got));
  window->start = offset;
  window->filled = length;
  return STATUS_OK;
}

/* `length` bytes of the open file at `offset`, both inside it; valid until the next view. */
static status
window_view (struct window *window, uint64_t offset, uint64_t length, const uint8_t **out,
             struct failure *failure)
{
  status result = STATUS_OK;
  if (offset < window->start || offset + length > window->start + window->filled)
    result = window_fill (window, offset, length, failure);
  *out = result == STATUS_OK ? window->bytes + (offset - window->start) : NULL;
  return result;
}

/* ---- headers ---- */

/* Whether bytes that do not verify were a header once: what is the same in all headers of this name
 * is there, or only that is damaged. A crash may leave anything in a file whose zeros had not
 * reached the disk, or that was being written again. */
static bool
was_header (const struct recovery *recovery, const uint8_t bytes[WAL_HEADER_SIZE], uint64_t number)
{
  uint8_t mended[WAL_HEADER_SIZE];
  struct wal_segment_header ignored;
  memcpy (mended, bytes, sizeof mended);
  memcpy (mended, WAL_MAGIC, 8);
  store_u64 (mended + 16, number);
  memcpy (mended + 24, recovery->database_id, 16);
  return memcmp (mended, bytes, sizeof mended) == 0 || wal_header_decode (mended, &ignored);
}

status
wal_judge_header (const uint8_t *bytes, const char *directory, const char *name,
                  struct failure *failure)
{
  struct wal_segment_header header;
  if (!wal_header_decode (bytes, &header))
    return STATUS_CORRUPT;
  if (header.version == WAL_FORMAT_VERSION && (header.flags & ~WAL_FLAGS_KNOWN) == 0)
    return STATUS_OK;
  return fail (failure, STATUS_NEWER_FORMAT,
               "%s/%s (format %u, features %x) was written by a later version; open the database "
               "with that one",
               directory, name, header.version, header.flags);
}

/* R1. `bytes` is the header and the first record's first byte. */
static status
segment_classify (struct recovery *recovery, struct found_segment *segment, const uint8_t *bytes,
                  struct failure *failure)
{
  struct wal_segment_header header;
  const char *path = recovery->directory->path;
  if (!wal_header_decode (bytes, &header))
    {
      /* The byte is zeroed before a header is written and stays so until the header is whole. */
      bool started = bytes[WAL_HEADER_SIZE] != 0 && was_header (recovery, bytes, segment->number);
      segment->state = started ? SEGMENT_DAMAGED : SEGMENT_UNUSED;
      return STATUS_OK;
    }
  char name[WAL_NAME_SIZE];
  wal_name (segment->number, name);
  if (wal_judge_header (bytes, path, name, failure) == STATUS_NEWER_FORMAT)
    return STATUS_NEWER_FORMAT;
  if (memcmp (header.database_id, recovery->database_id, 16) != 0)
    {
      if (recovery->salvage)
        return STATUS_OK;
      return fail (failure, STATUS_CORRUPT,
                   "%s/%" PRIu64 ".log belongs to another database; move it away", path,
                   segment->number);
    }
  segment->own_number = header.number;
  if (header.number != segment->number && !recovery->salvage)
    return STATUS_OK;
  if (header.first_sequence == 0 || header.first_sequence > SEQUENCE_MAX)
    {
      segment->state = SEGMENT_DAMAGED;
      return STATUS_OK;
    }
  segment->state = SEGMENT_VALID;
  segment->flags = header.flags;
  segment->log = header.log;
  segment->first_sequence = header.first_sequence;
  segment->binding = wal_bind (header.database_id, header.number, header.salt);
  return STATUS_OK;
}

static status
segment_inspect (struct window *window, size_t index, struct failure *failure)
{
  struct vfs_file_information information;
  struct recovery *recovery = window->recovery;
  struct found_segment *segment = &recovery->segments[index];
  status result = window_open (window, index, failure);
  if (result == STATUS_OK)
    result = vfs_information (window->file, &information, failure);
  if (result != STATUS_OK)
    return result;
  segment->size = information.size < SEGMENT_FILE_MOST ? information.size : SEGMENT_FILE_MOST;
  segment->device = information.device;
  segment->inode = information.inode;
  segment->state = SEGMENT_UNUSED;
  if (segment->size <= WAL_HEADER_SIZE)
    return STATUS_OK;

  /* Only the header: the window's read ahead would read each file twice. */
  uint8_t head[WAL_HEADER_SIZE + 1] = { 0 };
  size_t got = 0;
  result = vfs_read (window->file, 0, head, sizeof head, &got, failure);
  return result == STATUS_OK ? segment_classify (recovery, segment, head, failure) : result;
}

static status
segments_inspect (struct window *window, struct failure *failure)
{
  struct recovery *recovery = window->recovery;
  for (size_t i = 0; i < recovery->count; i++)
    {
      struct failure reason = FAILURE_INIT;
      status result = segment_inspect (window, i, &reason);
      if (result == STATUS_IO && recovery->salvage)
        recovery->segments[i].state = SEGMENT_UNUSED;
      else if (result != STATUS_OK)
        {
          if (failure != NULL && failure->code == STATUS_OK)
            *failure = reason;
          return result;
        }
    }
  return STATUS_OK;
}

static int
compare_own_numbers (const void *a, const void *b)
{
  const struct found_segment *left = a, *right = b;
  if (left->own_number != right->own_number)
    return left->own_number > right->own_number ? 1 : -1;
  return (left->number != left->own_number) - (right->number != right->own_number);
}

/* The file that bears this number in its name; NULL when there is none. */
static const struct found_segment *
segment_named (const struct recovery *recovery, uint64_t number)
{
  const struct found_segment wanted = { .number = number };
  if (recovery->count == 0)
    return NULL;
  return bsearch (&wanted, recovery->segments, recovery->count, sizeof wanted, compare_numbers);
}

/* A crash leaves a segment under a name that it had before, or will have, but never beside another
 * file that bears its own: then somebody renamed files, or copied one over another. */
static status
segments_check_names (const struct recovery *recovery, struct failure *failure)
{
  for (size_t i = 0; i < recovery->count && !recovery->salvage; i++)
    {
      const struct found_segment *segment = &recovery->segments[i];
      if (segment->own_number == 0 || segment->own_number == segment->number)
        continue;
      const struct found_segment *other = segment_named (recovery, segment->own_number);
      if (other != NULL && (other->device != segment->device || other->inode != segment->inode))
        return fail (failure, STATUS_CORRUPT,
                     "%s/%" PRIu64 ".log holds the log segment %" PRIu64 ": files were renamed, or "
                     "copied over others; give them their names back, restore a backup, or run "
                     "lightning-cli repair",
                     recovery->directory->path, segment->number, segment->own_number);
    }
  return STATUS_OK;
}

/* A damaged segment held records. It matters unless the segment behind it starts at or below what
 * is needed (R4). Afterwards only valid ones are left, in the order of their own numbers, each
 * once. */
static status
segments_check (struct recovery *recovery, struct failure *failure)
{
  bool needed = true; /* whether records before the segment at hand are missed */
  status result = segments_check_names (recovery, failure);
  for (size_t i = recovery->count; result == STATUS_OK && i-- > 0;)
    {
      const struct found_segment *segment = &recovery->segments[i];
      if (segment->state == SEGMENT_VALID)
        needed = segment->first_sequence > recovery->next;
      else if (segment->state == SEGMENT_DAMAGED && needed && !recovery->salvage)
        result
            = fail (failure, STATUS_CORRUPT,
                    "%s/%" PRIu64 ".log: offset 0: the header of a log segment with records does "
                    "not verify; restore a backup, or run lightning-cli repair",
                    recovery->directory->path, segment->number);
    }

  size_t kept = 0;
  for (size_t i = 0; i < recovery->count; i++)
    if (recovery->segments[i].state == SEGMENT_VALID)
      recovery->segments[kept++] = recovery->segments[i];
  if (kept > 0)
    qsort (recovery->segments, kept, sizeof *recovery->segments, compare_own_numbers);
  recovery->count = 0;
  for (size_t i = 0; i < kept; i++)
    if (recovery->count == 0
        || recovery->segments[recovery->count - 1].own_number != recovery->segments[i].own_number)
      recovery->segments[recovery->count++] = recovery->segments[i];
  return result;
}

/* ---- walking the records of one run of the writer ---- */

struct walk
{
  struct window *window; /* shared by walks: a view of one ends those of the others */
  size_t index, end;     /* segment at hand; one past the run's last */
  uint64_t offset;       /* next place to look at in it */
  uint64_t expected;     /* least sequence the next record may have; its own, unless lost */
  bool lost;             /* which record would stand at the offset is not known */
  uint64_t vain;         /* bytes that may still be checksummed in vain in this segment */
};

struct found_record
{
  size_t index;         /* of its segment */
  uint64_t offset;      /* in it */
  uint64_t total;       /* bytes it takes there; 0: nothing there looks like a record */
  uint64_t sequence;    /* its own */
  uint64_t synced;      /* what it says was durable before it; 0: it says nothing */
  struct bytes payload; /* in the window: valid until the next view */
};

static void
walk_enter (struct walk *walk, size_t index)
{
  walk->index = index;
  walk->offset = WAL_HEADER_SIZE;
  if (index >= walk->end)
    return;
  const struct found_segment *segment = &walk->window->recovery->segments[index];
  walk->lost = segment->first_sequence < walk->expected;
  if (!walk->lost)
    walk->expected = segment->first_sequence;
  walk->vain
      = (segment->size < UINT64_MAX / 8 ? segment->size * VAIN_FACTOR : segment->size) + VAIN_BASE;
}

static const struct found_segment *
walk_segment (const struct walk *walk)
{
  return &walk->window->recovery->segments[walk->index];
}

static bool
walk_has_room (const struct walk *walk)
{
  return walk->offset < walk_segment (walk)->size;
}

static status
vain_exhausted (struct walk *walk, struct failure *failure)
{
  const struct found_segment *segment = walk_segment (walk);
  if (walk->window->recovery->salvage)
    {
      walk->offset = segment->size;
      return STATUS_OK;
    }
  return fail (failure, STATUS_CORRUPT,
               "%s/%" PRIu64 ".log: offset %" PRIu64 ": too many bytes look like records and do "
               "not verify; restore a backup, or run lightning-cli repair",
               walk->window->recovery->directory->path, segment->number, walk->offset);
}

/* What the bytes at the walk's offset, which has room for one, say of a record. False: none. */
static status
walk_decode (struct walk *walk, struct wal_record_head *head, bool *plausible,
             struct failure *failure)
{
  const uint8_t *at;
  const struct found_segment *segment = walk_segment (walk);
  uint64_t left = segment->size - walk->offset;
  uint64_t length = left < WAL_HEAD_MOST ? left : WAL_HEAD_MOST;
  *plausible = false;
  status result = window_view (walk->window, walk->offset, length, &at, failure);
  if (result == STATUS_OK)
    *plausible
        = wal_record_head_decode (BYTES (at, length), segment->binding.tag, segment->first_sequence,
                                  walk->lost ? 0 : walk->expected, head)
          && head->size <= left - head->payload && head->sequence >= walk->expected
          && head->sequence <= SEQUENCE_MAX
          && head->sequence - segment->first_sequence
                 <= (walk->offset - WAL_HEADER_SIZE) / WAL_RECORD_LEAST;
  return result;
}

/* R2: is there a record at the walk's offset? There is room for one. */
static status
walk_test (struct walk *walk, struct found_record *record, bool *valid, struct failure *failure)
{
  const uint8_t *at;
  struct wal_record_head head;
  *valid = false;
  record->total = 0;
  bool plausible;
  status result = walk_decode (walk, &head, &plausible, failure);
  if (result != STATUS_OK || !plausible)
    return result;

  const struct found_segment *segment = walk_segment (walk);
  record->index = walk->index;
  record->offset = walk->offset;
  record->total = head.payload + head.size;
  record->sequence = head.sequence;
  record->synced = head.synced;
  result = window_view (walk->window, walk->offset, record->total, &at, failure);
  if (result != STATUS_OK)
    return result;
  record->payload = BYTES (at + head.payload, head.size);
  *valid = head.checksum
           == wal_record_checksum (
               &head, checksum (wal_record_seed (&segment->binding, head.sequence), walk->offset,
                                BYTES (at + head.checked, record->total - head.checked)));
  if (*valid)
    return STATUS_OK;
  if (walk->vain < record->total)
    return vain_exhausted (walk, failure);
  walk->vain -= record->total;
  return STATUS_OK;
}

/* What stands at the walk's offset looks like `record` and does not verify. When its size is right,
 * the next one (W1: of the next sequence) stands behind it; so for a few. */
static status
walk_hop (struct walk *walk, struct found_record *record, bool *found, struct failure *failure)
{
  struct walk ahead = *walk;
  status result = STATUS_OK;
  for (unsigned hop = 0; hop < HOPS_MOST && !*found && record->total != 0; hop++)
    {
      ahead.offset += record->total;
      ahead.expected++;
      if (!walk_has_room (&ahead))
        break;
      result = walk_test (&ahead, record, found, failure);
      if (result != STATUS_OK)
        break;
      if (*found && record->sequence != ahead.expected)
        {
          *found = false; /* a size was wrong, and led to a long record by chance */
          break;
        }
    }
  walk->vain = ahead.vain;
  if (*found)
    *walk = ahead;
  return result;
}

/* Moves on to the next place with the tag of a long record, or to the end of the segment. */
static status
walk_search (struct walk *walk, struct failure *failure)
{
  const struct found_segment *segment = walk_segment (walk);
  uint32_t tag = segment->binding.tag;
  walk->lost = true;
  walk->offset++;
  while (walk->offset < segment->size && segment->size - walk->offset >= WAL_LONG_HEAD_LEAST)
    {
      const uint8_t *at;
      status result = window_view (walk->window, walk->offset, WAL_LONG_HEAD_LEAST, &at, failure);
      if (result != STATUS_OK)
        return result;
      const uint8_t *begin = at;
      const uint8_t *end = walk->window->bytes + walk->window->filled - WAL_LONG_HEAD_LEAST + 1;
      while ((at = memchr (at, WAL_LONG_MARK, (size_t) (end - at))) != NULL
             && load_u32 (at + WAL_LONG_TAG) != tag)
        at++;
      walk->offset += (uint64_t) ((at != NULL ? at : end) - begin);
      if (at != NULL)
        return STATUS_OK;
    }
  walk->offset = segment->size;
  return STATUS_OK;
}

/* Whether the run goes on in its next segment exactly where this one stopped. */
static bool
walk_continues (const struct walk *walk)
{
  return walk->index + 1 < walk->end && walk_segment (walk)[1].first_sequence == walk->expected;
}

/* The next valid record of the run, wherever it is. */
static status
walk_next (struct walk *walk, struct found_record *record, bool *found, struct failure *failure)
{
  *found = false;
  record->total = 0;
  while (walk->index < walk->end)
    {
      status result = window_open (walk->window, walk->index, failure);
      if (result == STATUS_OK && walk_has_room (walk))
        result = walk_test (walk, record, found, failure);
      if (result != STATUS_OK)
        return result;
      bool goes_on = *found || (walk_has_room (walk) && !walk_continues (walk));
      if (!*found && goes_on && !walk->lost && record->total != 0)
        result = walk_hop (walk, record, found, failure);
      if (result != STATUS_OK)
        return result;
      if (*found)
        {
          walk->offset += record->total;
          walk->expected = record->sequence + 1;
          walk->lost = false;
          return STATUS_OK;
        }
      if (!goes_on)
        walk_enter (walk, walk->index + 1);
      else if ((result = walk_search (walk, failure)) != STATUS_OK)
        return result;
    }
  return STATUS_OK;
}

/* ---- the end of a run ---- */

/* What stands behind a place where the next record was expected and is not. */
struct survey
{
  uint64_t claim;   /* the newest sequence that a later valid record says was synced */
  uint64_t dropped; /* bytes of later valid records */
};

static status
survey_after (struct walk walk, uint64_t limit, struct survey *out, struct failure *failure)
{
  bool found;
  struct found_record record;
  *out = (struct survey){ 0, 0 };
  for (;;)
    {
      status result = walk_next (&walk, &record, &found, failure);
      if (result != STATUS_OK || !found || record.sequence >= limit)
        return result;
      if (record.synced > out->claim)
        out->claim = record.synced;
      out->dropped += record.total;
    }
}

static uint64_t
count_nonzero (const uint8_t *bytes, uint64_t size)
{
  uint64_t count = 0;
  for (uint64_t at = 0; at < size; at += 8)
    if (size - at < 8 || load_u64 (bytes + at) != 0)
      for (uint64_t i = at; i < size && i < at + 8; i++)
        count += bytes[i] != 0;
  return count;
}

/* Counts what a torn tail left in the segment where it starts: in a fresh one all that is not zero,
 * in a recycled one, where stale bytes stand, the attempt at one more record, at the least it may
 * have had. */
static status
torn_tail (struct walk *walk, uint64_t dropped, struct failure *failure)
{
  uint64_t count = 0;
  const uint8_t *at;
  if (walk_continues (walk))
    walk_enter (walk, walk->index + 1);
  const struct found_segment *segment = walk_segment (walk);
  status result = window_open (walk->window, walk->index, failure);
  if (result == STATUS_OK && (segment->flags & WAL_FLAG_RECYCLED) != 0)
    {
      count = dropped;
      if (dropped == 0 && walk_has_room (walk))
        {
          result = window_view (walk->window, walk->offset, 1, &at, failure);
          if (result == STATUS_OK && *at != 0)
            count = WAL_RECORD_LEAST;
        }
    }
  else
    for (uint64_t offset = walk->offset; result == STATUS_OK && offset < segment->size;)
      {
        uint64_t left = segment->size - offset;
        uint64_t piece = left < WINDOW_SIZE ? left : WINDOW_SIZE;
        result = window_view (walk->window, offset, piece, &at, failure);
        if (result == STATUS_OK)
          count += count_nonzero (at, piece);
        offset += piece;
      }
  walk->window->recovery->out->torn_bytes += count;
  return result;
}

static status
fail_missing (struct walk walk, uint64_t first, uint64_t last, struct failure *failure)
{
  if (walk_continues (&walk)) /* that is where the first of them would stand */
    walk_enter (&walk, walk.index + 1);
  return fail (failure, STATUS_CORRUPT,
               "%s/%" PRIu64 ".log: offset %" PRIu64 ": commits %" PRIu64 " to %" PRIu64
               " were synced and are missing or do not verify; restore a backup, or run "
               "lightning-cli repair",
               walk.window->recovery->directory->path, walk_segment (&walk)->number, walk.offset,
               first, last);
}

typedef status (*visit_record) (void *data, uint64_t sequence, struct bytes payload,
                                struct failure *failure);

static status
hand_out (struct recovery *recovery, const struct found_record *record, visit_record visit,
          void *data, struct failure *failure)
{
  struct wal_recovery *out = recovery->out;
  if (record->sequence < recovery->next)
    return STATUS_OK;
  status result = visit (data, record->sequence, record->payload, failure);
  if (result != STATUS_OK)
    return result;
  recovery->next = record->sequence + 1;
  if (record->synced > out->synced_sequence)
    out->synced_sequence = record->synced;
  if (out->records == 0)
    out->first_sequence = record->sequence;
  out->last_sequence = record->sequence;
  out->records++;
  out->bytes += record->payload.size;
  return STATUS_OK;
}

/* Hands out one run, segments first … end - 1, up to `limit` where the next run began (R3). */
static status
recover_run (struct window *window, size_t first, size_t end, uint64_t limit, visit_record visit,
             void *data, struct failure *failure)
{
  struct recovery *recovery = window->recovery;
  struct walk walk = { .window = window, .end = end }, before;
  struct survey survey = { 0, 0 };
  bool surveyed = false, found;
  struct found_record record;

  walk_enter (&walk, first);
  for (;;)
    {
      before = walk;
      status result = walk_next (&walk, &record, &found, failure);
      if (result != STATUS_OK)
        return result;
      if (!found || record.sequence >= limit)
        break;
      if (record.sequence > recovery->next)
        {
          if (!surveyed)
            {
              if ((result = survey_after (before, limit, &survey, failure)) != STATUS_OK)
                return result;
              surveyed = true;
            }
          if (survey.claim < recovery->next)
            break; /* R5: torn */
          if (!recovery->salvage)
            return fail_missing (before, recovery->next, record.sequence - 1, failure);
          recovery->out->lost += record.sequence - recovery->next;
          /* The survey moved the window: read the record again. */
          walk = before;
          if ((result = walk_next (&walk, &record, &found, failure)) != STATUS_OK)
            return result;
        }
      if ((result = hand_out (recovery, &record, visit, data, failure)) != STATUS_OK)
        return result;
    }
  return limit == UINT64_MAX ? torn_tail (&before, survey.dropped, failure) : STATUS_OK;
}

static status
recover_runs (struct window *window, visit_record visit, void *data, struct failure *failure)
{
  struct recovery *recovery = window->recovery;
  status result = STATUS_OK;
  for (size_t first = 0, end; result == STATUS_OK && first < recovery->count; first = end)
    {
      const struct found_segment *segments = recovery->segments;
      for (end = first + 1; end < recovery->count && segments[end].log == segments[first].log;)
        end++;
      uint64_t limit = end < recovery->count ? segments[end].first_sequence : UINT64_MAX;
      result = recover_run (window, first, end, limit, visit, data, failure);
    }
  return result;
}

status
wal_recover (struct vfs_directory *directory, const uint8_t database_id[16], uint64_t after,
             bool salvage, visit_record visit, void *data, struct wal_recovery *out,
             struct failure *failure)
{
  struct recovery recovery = {
    .directory = directory,
    .database_id = database_id,
    .salvage = salvage,
    .next = after + 1,
    .out = out,
  };
  struct window window = { .recovery = &recovery };
  *out = (struct wal_recovery){ 0 };
  if (after > SEQUENCE_MAX)
    return fail (failure, STATUS_INVALID, "recovery cannot start after sequence %" PRIu64, after);

  status result = wal_list (directory, segment_found, &recovery, failure);
  if (result == STATUS_OK && recovery.out_of_memory)
    result = fail_memory (failure, recovery.capacity * sizeof *recovery.segments,
                          "the list of log segments");
  if (result == STATUS_OK && recovery.count != 0)
    {
      qsort (recovery.segments, recovery.count, sizeof *recovery.segments, compare_numbers);
      out->highest_number = recovery.segments[recovery.count - 1].number;
      result = segments_inspect (&window, failure);
    }
  if (result == STATUS_OK)
    result = segments_check (&recovery, failure);
  if (result == STATUS_OK)
    {
      window.filled = 0; /* indexes moved */
      vfs_close (window.file);
      window.file = NULL;
      result = recover_runs (&window, visit, data, failure);
    }
  window_clear (&window);
  free (recovery.segments);
  return result;
}
