/* SPDX-License-Identifier: MIT */
/* Segments that become history, and what becomes of their files when that is let go. */
#include "log-trial.h"

#include <dirent.h>
#include <sys/stat.h>

/* Released segments are sealed at once, and let go. */
static void
open_with_history (struct place *place, uint64_t retention)
{
  place_open (place);
  place->retention = retention;
  log_open (place, SEGMENT_SIZE, true, 1);
}

static uint64_t
spare_bytes (struct place *place)
{
  struct wal_statistics statistics;
  wal_statistics (place->wal, &statistics);
  return statistics.spare_bytes;
}

/* Fills the first segment and begins the second one; returns the next sequence. */
static uint64_t
fill_first (struct place *place)
{
  uint64_t sequence = 1;
  for (; place->next_number < 3; sequence++)
    append (place, sequence, sequence, true);
  return sequence;
}

/* A file that failed to sync while it became history is not used again: what its blocks hold is
 * unknown, and no further sync would tell. */
void
test_failed_seal (bool fails)
{
  struct place place;
  struct failure failure;
  open_with_history (&place, 1);
  uint64_t sequence = fill_first (&place);
  plan.sync_after = fails ? 0 : -1;
  CHECK_OK (wal_release (place.wal, sequence - 2, &failure));
  plan_reset ();
  CHECK (!wal_failed (place.wal)); /* it costs history, and nothing else */
  CHECK_INT (spare_bytes (&place), fails ? 0 : SEGMENT_SIZE);
  CHECK_INT (access (segment_path (&place, 1), F_OK), -1);
  append (&place, sequence, sequence + 1000, true);
  CHECK_OK (wal_sync (place.wal, sequence + 1000, &failure));
  log_close (&place, false);
  CHECK_INT (recover_to (&place, sequence - 2, payload_size, NULL), sequence + 1000);
  place_close (&place);
}

/* Kept for who reads now, it is not synced again by a close, either. */
void
test_failed_seal_kept (void)
{
  struct place place;
  struct failure failure;
  open_with_history (&place, UINT64_C (1) << 30);
  uint64_t sequence = fill_first (&place);
  plan.sync_after = 0;
  CHECK_OK (wal_release (place.wal, sequence - 2, &failure));
  int syncs = plan.syncs;
  CHECK_INT (syncs, 1);
  log_close (&place, true);
  CHECK_INT (plan.syncs, syncs + 1); /* the second segment's, which becomes history now */
  place_close (&place);
}

/* Nor is one that was cut, since little is in it: its blocks are no longer there to be mapped. */
void
test_cut_history (void)
{
  struct place place;
  struct failure failure;
  open_with_history (&place, 1);
  append (&place, 1, 1, true);
  CHECK_OK (append_sized (&place, 2, SEGMENT_SIZE, true, &failure)); /* into a file of its own */
  append (&place, 3, 3, true);
  CHECK_OK (wal_release (place.wal, 2, &failure));
  CHECK_INT (spare_bytes (&place), 0);
  append (&place, 4, 2000, true);
  CHECK_INT (recover_to (&place, 2, payload_size, NULL), 2000);
  place_close (&place);
}

/* The note that ends a history file fits into the segment, however full that is: on a full disk it
 * takes nothing. */
void
test_room_for_note (void)
{
  struct place place;
  struct failure failure;
  unsigned found = 0;
  open_with_history (&place, UINT64_C (1) << 30);
  uint64_t sequence = 1;
  for (; place.next_number < 25; sequence++)
    append (&place, sequence, sequence, true);
  CHECK_OK (wal_release (place.wal, sequence - 2, &failure));
  DIR *directory = opendir (place.path);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strstr (entry->d_name, ".history") != NULL)
      {
        struct stat information;
        CHECK (fstatat (dirfd (directory), entry->d_name, &information, 0) == 0);
        CHECK_INT (information.st_size, SEGMENT_SIZE);
        found++;
      }
  closedir (directory);
  CHECK_INT (found, 23);
  place_close (&place);
}
