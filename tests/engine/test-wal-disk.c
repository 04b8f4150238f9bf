/* SPDX-License-Identifier: MIT */
/* The log on a disk that is full, fails, or cannot do what is asked of it. */
#include "log-trial.h"

#include <errno.h>

static void
check_dead (struct place *place, uint64_t sequence)
{
  struct failure failure;
  CHECK (wal_failed (place->wal));
  uint64_t synced = wal_synced (place->wal);
  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_FAILS (append_sized (place, sequence, 10, i == 0, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (wal_sync (place->wal, 1, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (wal_prepare (place->wal, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_OK (wal_release (place->wal, sequence - 1, &failure));
    }
  CHECK_INT (wal_synced (place->wal), synced);
}

void
test_failed_sync (bool directory)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 10, true);
  if (directory)
    plan.directory_sync_error = EIO;
  else
    plan.sync_after = 0;
  CHECK_FAILS (wal_sync (place.wal, 10, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK_INT (failure.system_error, EIO);
  plan_reset ();
  CHECK_INT (wal_synced (place.wal), 0);
  check_dead (&place, 11);
  log_close (&place, false);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 10);
  place_close (&place);
}

/* The second of three segments fails to sync: what was synced before counts, no more. */
void
test_failed_later_sync (void)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, false, 1);
  for (; place.next_number <= 3; sequence++)
    append (&place, sequence, sequence, false);
  plan.sync_after = 1;
  CHECK_FAILS (wal_sync (place.wal, sequence - 1, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK (wal_synced (place.wal) > 0 && wal_synced (place.wal) < sequence - 2);
  check_dead (&place, sequence);
  place_close (&place);
}

void
test_full_disk (bool map)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, 2 * SEGMENT_SIZE, map, 1);

  plan.allocate_error = ENOSPC;
  CHECK_FAILS (append_sized (&place, 1, payload_size (1), true, &failure), STATUS_NO_SPACE);
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_NO_SPACE);
  CHECK (wal_wants_preparing (place.wal));
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();

  for (unsigned round = 0; round < 30; round++)
    {
      /* Up to the place where a new segment is needed, which can't be had. */
      plan.write_error = ENOSPC;
      plan.allocate_error = round % 2 == 0 ? ENOSPC : 0;
      status result;
      do
        {
          /* Writes of records go through; making a segment takes at least two. */
          plan.write_after = 1;
          failure = FAILURE_INIT;
          result = append_sized (&place, sequence, payload_size (sequence), map, &failure);
          sequence += result == STATUS_OK;
        }
      while (result == STATUS_OK);
      CHECK_INT (result, STATUS_NO_SPACE);
      unsigned files = count_files (&place).files;
      CHECK_FAILS (append_sized (&place, sequence, payload_size (sequence), map, &failure),
                   STATUS_NO_SPACE);
      CHECK_INT (count_files (&place).files, files);
      CHECK (!wal_failed (place.wal));
      plan_reset ();
      append (&place, sequence, sequence, map);
      sequence++;
      CHECK_OK (wal_sync (place.wal, sequence - 1, &failure));
      if (round % 4 == 3)
        CHECK_OK (wal_release (place.wal, 0, &failure));
    }
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), sequence - 1);
  place_close (&place);
}

/* A record's own write fails. */
void
test_failed_write (int error, bool half, size_t size, bool retryable)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, 64 * SEGMENT_SIZE, false, 1);
  append (&place, 1, 10, false);
  /* A segment for the large one first, so that only its own writes fail. */
  while (size > SEGMENT_SIZE && place.next_number < 5)
    append (&place, wal_appended (place.wal) + 1, wal_appended (place.wal) + 1, false);
  uint64_t sequence = wal_appended (place.wal) + 1;

  for (unsigned after = 0; after < (size > 1 << 20 ? 3 : 1); after++)
    {
      plan.write_after = (int) after;
      plan.write_error = error;
      plan.write_half = half;
      status expected = retryable ? STATUS_NO_SPACE : STATUS_UNKNOWN_OUTCOME;
      CHECK_FAILS (append_sized (&place, sequence, size, false, &failure), expected);
      CHECK (strstr (failure.message, "injected") != NULL);
      CHECK_INT (failure.system_error, error);
      plan_reset ();
      CHECK_INT (wal_appended (place.wal), sequence - 1);
      if (!retryable)
        {
          check_dead (&place, sequence);
          break;
        }
    }
  if (retryable)
    append (&place, sequence, sequence, false);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), retryable ? sequence : sequence - 1);
  place_close (&place);
}

void
test_fallbacks (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  place_open (&place);
  plan.refuse_map = true;
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1000, true);
  wal_statistics (place.wal, &statistics);
  CHECK (!statistics.mapped);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 1000);
  place_close (&place);

  place_open (&place);
  plan.allocate_error = EOPNOTSUPP;
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1000, true);
  CHECK_OK (append_sized (&place, 1001, 100000, true, &failure));
  CHECK_INT (recover_to (&place, 0, NULL, NULL), 1001);
  CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), 0);
  place_close (&place);
}

/* Of the header of a segment that is used again only a part is written, and its file cannot be
 * removed: it says that no record is in it, as it did before. */
void
test_failed_header (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics = { 0 };
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, false, 1);
  while (statistics.live_bytes < 6 * SEGMENT_SIZE)
    {
      append (&place, sequence, sequence, false);
      sequence++;
      wal_statistics (place.wal, &statistics);
    }
  CHECK_OK (wal_release (place.wal, sequence - 1, &failure));
  wal_statistics (place.wal, &statistics);
  CHECK (statistics.spare_bytes >= 4 * SEGMENT_SIZE);
  for (unsigned i = 0; i < 3; i++, sequence++)
    CHECK_OK (append_sized (&place, sequence, 20000, false, &failure));
  uint64_t released = sequence - 2;
  for (int half = 0; half < 2; half++)
    {
      plan.write_after = half; /* the byte behind the header; the header */
      plan.write_error = EIO;
      plan.write_half = true;
      plan.unlink_error = EIO;
      CHECK_FAILS (append_sized (&place, sequence, 60000, false, &failure), STATUS_IO);
      plan_reset ();
      CHECK (!wal_failed (place.wal));
      CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
    }
  CHECK_OK (append_sized (&place, sequence, 60000, false, &failure));
  CHECK_INT (recover_to (&place, released, NULL, NULL), sequence);
  place_close (&place);
}

/* Another process that reads misses a file in two listings of the directory, as may happen while it is
 * renamed: the file before it does not lead to the one behind it. It looks again. */
void
test_missed_name (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics = { 0 };
  struct wal_follow *follow;
  struct wal_reader *reader;
  struct bytes payload;
  uint64_t sequence = 1, found;
  place_open (&place);
  uint64_t first = place.next_number;
  log_open (&place, SEGMENT_SIZE, false, 1);
  while (statistics.live_bytes < 5 * SEGMENT_SIZE)
    {
      CHECK_OK (append_sized (&place, sequence++, 300, false, &failure));
      wal_statistics (place.wal, &statistics);
    }
  for (int hidden = 1; hidden <= 2; hidden++)
    {
      plan.hide = first + (uint64_t) hidden;
      plan.hide_in = 2;
      CHECK_OK (wal_follow_new (place.directory, &place.ledger, database_id, &follow, &failure));
      CHECK_OK (wal_reader_new_following (follow, 0, &reader, &failure));
      for (uint64_t i = 1; i < sequence; i++)
        {
          CHECK_OK (wal_reader_next (reader, sequence - 1, &found, &payload, &failure));
          CHECK_INT (found, i);
        }
      CHECK_INT (plan.hide_in, 0);
      wal_reader_free (reader);
      wal_follow_free (follow);
    }
  place_close (&place);
}

/* The newest segments are gone from under another process that reads: what it has is the log's end
 * then, which is no damage, though there should be more. */
void
test_lost_end (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics = { 0 };
  struct wal_follow *follow;
  struct wal_reader *reader;
  struct bytes payload;
  char name[32];
  uint64_t sequence = 1, found, last = 0;
  place_open (&place);
  uint64_t first = place.next_number;
  log_open (&place, SEGMENT_SIZE, false, 1);
  while (statistics.live_bytes < 4 * SEGMENT_SIZE)
    {
      CHECK_OK (append_sized (&place, sequence++, 300, false, &failure));
      wal_statistics (place.wal, &statistics);
    }
  for (uint64_t number = first + 2; number < place.next_number; number++)
    {
      snprintf (name, sizeof name, "%llu.log", (unsigned long long) number);
      vfs_unlink (place.directory, name, NULL);
    }
  CHECK_OK (wal_follow_new (place.directory, &place.ledger, database_id, &follow, &failure));
  CHECK_OK (wal_reader_new_following (follow, 0, &reader, &failure));
  status result;
  while ((result = wal_reader_next (reader, sequence - 1, &found, &payload, &failure)) == STATUS_OK)
    CHECK_INT (found, ++last);
  CHECK_INT (result, STATUS_HISTORY_GONE);
  CHECK (last > 0 && last < sequence - 1);
  wal_reader_free (reader);
  wal_follow_free (follow);
  place_close (&place);
}

/* Where commits are stored, a segment is prepared without the disk: the next sync sees to its name. */
void
test_prepared_for_stores (void)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  CHECK_OK (append_sized (&place, 1, 3000, true, &failure));
  CHECK (!wal_wants_preparing (place.wal));
  CHECK_OK (append_sized (&place, 2, 2000, true, &failure));
  CHECK (wal_wants_preparing (place.wal)); /* a sixteenth of it is full */
  CHECK_OK (append_sized (&place, 3, 35000, true, &failure));
  CHECK_OK (wal_sync (place.wal, 3, &failure));
  plan.sync_after = 0;
  plan.directory_sync_error = EIO;
  CHECK_OK (wal_prepare (place.wal, &failure));
  plan.sync_after = -1;
  CHECK_OK (append_sized (&place, 4, 40000, true, &failure)); /* into it */
  CHECK_INT (count_files (&place).files, 2);
  CHECK_FAILS (wal_sync (place.wal, 4, &failure), STATUS_UNKNOWN_OUTCOME);
  plan_reset ();
  CHECK_INT (wal_synced (place.wal), 3);
  place_close (&place);
}

/* Preparing and releasing fail softly. */
void
test_failed_housekeeping (void)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  plan.directory_sync_error = EIO;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();
  plan.sync_after = 0;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  CHECK (!wal_failed (place.wal));
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK_INT (count_files (&place).files, 1);
  CHECK (!wal_wants_preparing (place.wal));

  while (place.next_number < 6)
    append (&place, sequence, sequence, true), sequence++;
  CHECK_OK (append_sized (&place, sequence++, 70000, true, &failure));
  for (uint64_t number = place.next_number; place.next_number == number; sequence++)
    append (&place, sequence, sequence, true);
  CHECK_OK (wal_release (place.wal, 50, &failure));
  unsigned files = count_files (&place).files;
  plan.unlink_error = EACCES;
  CHECK_FAILS (wal_release (place.wal, sequence - 1, &failure), STATUS_DENIED);
  CHECK_INT (count_files (&place).files, files);
  plan_reset ();
  plan.rename_error = EIO;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  plan_reset ();
  CHECK_OK (wal_prepare (place.wal, &failure));
  append (&place, sequence, sequence + 1000, true);
  CHECK_INT (recover_to (&place, sequence - 1, payload_size, NULL), sequence + 1000);
  place_close (&place);
}

void
test_unreadable (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  uint64_t first[4], last = three_segments (&place, true, first);
  struct seen seen = { .next = 1, .size = payload_size };
  plan.read_error = EIO;
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_IO);
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, last);
  place_close (&place);
}
