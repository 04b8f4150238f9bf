/* SPDX-License-Identifier: MIT */
/*
 * The log of another process, by its files: which segments there are, and which of them holds a
 * record.
 *
 *   names in the directory ─► headers ─► list, by rising number and sequence ─► pin
 *
 * The list is a guess about what the writer does at the same moment. A segment may be renamed,
 * sealed, recycled or unlinked behind our back, so whoever reads checks afterwards
 * (wal_segment_is_same), and has the list made anew when something does not fit. A number is used
 * once: what an entry says of a number stays true for as long as its file lasts.
 */
#include "log/wal-segment-private.h"

#include <stdlib.h>

struct wal_follow
{
  struct vfs_directory *directory; /* the caller's */
  struct ledger *ledger;           /* charged for readers' windows */
  uint8_t database_id[16];         /* whose log it is */
  pthread_mutex_t mutex;           /* the list; held over system calls */
  struct wal_segment *oldest;      /* by rising number; each has the list's reference */
};

status
wal_follow_new (struct vfs_directory *directory, struct ledger *ledger,
                const uint8_t database_id[16], struct wal_follow **out, struct failure *failure)
{
  struct wal_follow *follow = calloc (1, sizeof *follow);
  if (follow == NULL)
    return fail_memory (failure, sizeof *follow, "following a log");
  follow->directory = directory;
  follow->ledger = ledger;
  memcpy (follow->database_id, database_id, sizeof follow->database_id);
  pthread_mutex_init (&follow->mutex, NULL);
  *out = follow;
  return STATUS_OK;
}

static void
list_free (struct wal_segment *segment)
{
  while (segment != NULL)
    {
      struct wal_segment *next = segment->next;
      wal_segment_unref (segment);
      segment = next;
    }
}

void
wal_follow_free (struct wal_follow *follow)
{
  if (follow == NULL)
    return;
  list_free (follow->oldest);
  pthread_mutex_destroy (&follow->mutex);
  free (follow);
}

/* ---- the list ---- */

/* Takes the entry of the number out of the list. NULL: there is none. */
static struct wal_segment *
list_take (struct wal_follow *follow, const struct log_name *name)
{
  struct wal_segment **link = &follow->oldest;
  while (*link != NULL && (*link)->number < name->number)
    link = &(*link)->next;
  struct wal_segment *segment = *link;
  if (segment == NULL || segment->number != name->number)
    return NULL;
  *link = segment->next;
  return segment;
}

/* A file that no reader stands in is closed. mutex held, so nobody pins it meanwhile. */
static void
close_idle (struct wal_segment *segment)
{
  if (atomic_load_explicit (&segment->references, memory_order_acquire) > 1)
    return;
  vfs_close (segment->file);
  segment->file = NULL;
}

/* What the name stands for: the entry that was there, or a new one. A segment that is prepared
 * bears the header of its earlier use, or none, and does not count yet. */
static struct wal_segment *
entry_of (struct wal_follow *follow, const struct log_name *name)
{
  struct wal_segment *segment = list_take (follow, name);
  if (segment == NULL)
    segment = wal_segment_load (follow->directory, follow->database_id, name, VFS_READ);
  if (segment == NULL)
    return NULL;
  segment->sealed = name->sealed;
  close_idle (segment);
  return segment;
}

/* Makes the list anew, keeping what is still right. mutex held. */
static status
list_again (struct wal_follow *follow, struct failure *failure)
{
  struct log_names names;
  struct wal_segment *oldest = NULL, **end = &oldest, *before = NULL;
  status result = wal_list_names (follow->directory, &names, failure);
  for (size_t i = 0; result == STATUS_OK && i < names.count; i++)
    {
      struct wal_segment *segment = entry_of (follow, &names.names[i]);
      if (segment == NULL)
        continue;
      segment->next = NULL;
      atomic_store_explicit (&segment->last_sequence, UINT64_MAX, memory_order_release);
      if (before != NULL)
        atomic_store_explicit (&before->last_sequence, segment->first_sequence - 1,
                               memory_order_release);
      *end = before = segment;
      end = &segment->next;
    }
  if (result == STATUS_OK)
    {
      list_free (follow->oldest); /* what is gone */
      follow->oldest = oldest;
    }
  free (names.names);
  return result;
}

static struct wal_segment *
list_find (const struct wal_follow *follow, uint64_t sequence)
{
  struct wal_segment *segment = follow->oldest;
  while (segment != NULL
         && atomic_load_explicit (&segment->last_sequence, memory_order_relaxed) < sequence)
    segment = segment->next;
  return segment != NULL && segment->first_sequence <= sequence ? segment : NULL;
}

/* Opens the entry's file and sees that it is what the entry says. mutex held. */
static bool
open_entry (struct wal_follow *follow, struct wal_segment *segment)
{
  struct log_name name = { segment->number, segment->sealed };
  char text[WAL_NAME_SIZE];
  wal_print_name (&name, text);
  if (segment->file == NULL
      && vfs_open (follow->directory, text, VFS_READ, &segment->file, NULL) != STATUS_OK)
    {
      segment->file = NULL;
      return false;
    }
  return wal_segment_is_same (segment);
}

/* ---- reading ---- */

static status
pin_by_name (void *context, uint64_t sequence, struct wal_segment **out, struct failure *failure)
{
  struct wal_follow *follow = context;
  status result = STATUS_OK;
  *out = NULL;
  pthread_mutex_lock (&follow->mutex);
  for (int attempt = 0; attempt < 2 && result == STATUS_OK && *out == NULL; attempt++)
    {
      struct wal_segment *segment = list_find (follow, sequence);
      if (segment != NULL && open_entry (follow, segment))
        *out = segment;
      else if (attempt == 0)
        result = list_again (follow, failure);
    }
  if (*out != NULL)
    atomic_fetch_add_explicit (&(*out)->references, 1, memory_order_relaxed);
  pthread_mutex_unlock (&follow->mutex);
  if (result != STATUS_OK || *out != NULL)
    return result;
  return fail (failure, STATUS_HISTORY_GONE,
               "%s no longer keeps commit %" PRIu64 " for feeds; read the data anew and go on from "
               "the newest commit, or raise change-retention where it is written",
               follow->directory->path, sequence);
}

static status
look_again (void *context, struct failure *failure)
{
  struct wal_follow *follow = context;
  pthread_mutex_lock (&follow->mutex);
  status result = list_again (follow, failure);
  pthread_mutex_unlock (&follow->mutex);
  return result;
}

status
wal_reader_new_following (struct wal_follow *follow, uint64_t after, struct wal_reader **out,
                          struct failure *failure)
{
  struct wal_source source = {
    .pin = pin_by_name,
    .look_again = look_again,
    .context = follow,
    .path = follow->directory->path,
    .ledger = follow->ledger,
  };
  return wal_reader_new_from (&source, after, out, failure);
}

/* Where the segment's records end for certain; UINT64_MAX: nothing says so but the next one. */
static uint64_t
certain_last (struct wal_follow *follow, struct wal_segment *segment)
{
  uint64_t last = UINT64_MAX, before = atomic_load (&segment->last_sequence);
  if (segment->sealed && open_entry (follow, segment) && wal_segment_load_note (segment))
    last = atomic_load (&segment->last_sequence);
  atomic_store (&segment->last_sequence, before);
  return last;
}

/* The first sequence of the oldest entry from which each leads to the next. mutex held. */
static uint64_t
chain_start (struct wal_follow *follow, uint64_t newest)
{
  uint64_t start = newest + 1;
  for (struct wal_segment *segment = follow->oldest; segment != NULL; segment = segment->next)
    {
      uint64_t next = segment->next != NULL ? segment->next->first_sequence : newest + 1;
      uint64_t last = certain_last (follow, segment);
      if (start == newest + 1)
        start = segment->first_sequence;
      if (last != UINT64_MAX && last + 1 < next)
        start = newest + 1; /* something is missing behind it */
    }
  return start <= newest ? start : newest + 1;
}

uint64_t
wal_follow_oldest (struct wal_follow *follow, uint64_t newest)
{
  uint64_t oldest = newest + 1;
  pthread_mutex_lock (&follow->mutex);
  if (list_again (follow, NULL) == STATUS_OK)
    oldest = chain_start (follow, newest);
  pthread_mutex_unlock (&follow->mutex);
  return oldest;
}
