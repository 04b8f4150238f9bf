/* SPDX-License-Identifier: MIT */
/* The log: what is appended is read again, in every form, whatever becomes of its segments. */
#include "log-trial.h"

#include <errno.h>

static void
test_round_trip (bool map, bool store)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  struct wal_statistics statistics;
  place_open (&place);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), 0);
  CHECK_INT (out.highest_number, 0);

  log_open (&place, 4 * SEGMENT_SIZE, map, 1);
  CHECK (wal_wants_preparing (place.wal));
  append (&place, 1, 1, store);
  CHECK_INT (count_files (&place).bytes, SEGMENT_SIZE); /* a small database starts small */
  append (&place, 2, 6000, store);
  CHECK_INT (wal_appended (place.wal), 6000);
  CHECK_INT (wal_synced (place.wal), 0);
  CHECK_OK (wal_sync (place.wal, 5000, &failure));
  CHECK_INT (wal_synced (place.wal), 5000); /* what was not asked for is not promised */
  CHECK_OK (wal_sync (place.wal, 6000, &failure));
  CHECK_INT (wal_synced (place.wal), 6000);
  CHECK_FAILS (wal_sync (place.wal, 6001, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6000, 1, store, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6002, 1, store, &failure), STATUS_INVALID);

  wal_statistics (place.wal, &statistics);
  CHECK_INT (statistics.records, 6000);
  CHECK (statistics.written_bytes >= statistics.bytes + 5 * 6000);
  CHECK (statistics.written_bytes <= statistics.bytes + 7 * 6000);
  CHECK_INT (statistics.live_bytes, count_files (&place).bytes);
  CHECK_INT (statistics.oldest_number, 1);
  if (statistics.mapped)
    CHECK (ledger_used (&place.ledger, LEDGER_LOG) > 0);
  if (!map)
    CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), 0);

  CHECK_INT (recover_to (&place, 0, payload_size, &out), 6000);
  CHECK_INT (out.bytes, statistics.bytes);
  CHECK_INT (out.torn_bytes, 0);
  CHECK_INT (out.highest_number, count_files (&place).highest);
  CHECK_INT (recover_to (&place, 4321, payload_size, &out), 6000);
  CHECK_INT (recover_to (&place, 6000, payload_size, &out), 6000);
  CHECK_INT (recover_to (&place, 7000, payload_size, &out), 7000);

  struct seen seen = { .next = 1, .size = payload_size, .stop_at = 77 };
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_CANCELLED);
  CHECK_INT (out.last_sequence, 76);
  log_close (&place, true);
  CHECK_INT (count_files (&place).files, 0);
  place_close (&place);
}

/* Stores and writes, and syncs in between, mixed at random. */
static void
test_mixed (void)
{
  struct place place;
  struct failure failure;
  struct random random = { 7 };
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 100);
  for (uint64_t sequence = 100; sequence < 3000; sequence++)
    {
      append (&place, sequence, sequence, random_below (&random, 2) == 0);
      if (random_below (&random, 50) == 0)
        CHECK_OK (wal_sync (place.wal, sequence - random_below (&random, 20), &failure));
      if (random_below (&random, 100) == 0)
        CHECK_OK (wal_prepare (place.wal, &failure));
    }
  CHECK_INT (recover_to (&place, 99, payload_size, NULL), 2999);
  place_close (&place);
}

/* S6: however much is live, three segments are mapped at most; with `late`, nobody prepares. */
static void
test_mapped_bounded (bool late)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  int64_t most = 0;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (; sequence <= 8000; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 200, true, &failure));
      if (!late && wal_wants_preparing (place.wal))
        CHECK_OK (wal_prepare (place.wal, &failure));
      int64_t mapped = ledger_used (&place.ledger, LEDGER_LOG);
      most = mapped > most ? mapped : most;
    }
  CHECK (count_files (&place).files > 10); /* all live */
  CHECK (most > 0 && most <= 3 * (int64_t) SEGMENT_SIZE);
  CHECK_INT (recover_to (&place, 0, NULL, NULL), sequence - 1);
  place_close (&place);
}

static void
test_recycling (bool map)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  uint64_t sequence = 1, released = 0;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  /* Equal sizes: stale records stand exactly where new ones would. */
  for (unsigned round = 0; round < 40; round++)
    {
      for (unsigned i = 0; i < 300; i++, sequence++)
        CHECK_OK (append_sized (&place, sequence, 200, i % 2 == 0, &failure));
      if (wal_wants_preparing (place.wal))
        CHECK_OK (wal_prepare (place.wal, &failure));
      CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
      released = sequence - 100;
      CHECK_OK (wal_release (place.wal, released, &failure));
      CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
    }
  wal_statistics (place.wal, &statistics);
  CHECK (statistics.spare_bytes > 0);
  CHECK_INT (count_files (&place).bytes, statistics.live_bytes + statistics.spare_bytes);
  CHECK (count_files (&place).files < 8);
  wal_trim (place.wal, 1);
  wal_statistics (place.wal, &statistics);
  CHECK (statistics.spare_bytes <= SEGMENT_SIZE);
  wal_trim (place.wal, 0);
  wal_statistics (place.wal, &statistics);
  CHECK_INT (statistics.spare_bytes, 0);
  CHECK_INT (count_files (&place).bytes, statistics.live_bytes);
  /* A segment made ready that was given back is wanted again; without one in use it stays. */
  while (!wal_wants_preparing (place.wal))
    CHECK_OK (append_sized (&place, sequence++, 200, true, &failure));
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK (!wal_wants_preparing (place.wal));
  wal_trim (place.wal, 0);
  CHECK (wal_wants_preparing (place.wal));
  CHECK_OK (append_sized (&place, sequence++, 200, true, &failure));
  CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
  log_close (&place, false);
  CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
  place_close (&place);
}

static size_t
big_size (uint64_t sequence)
{
  static const size_t sizes[] = { 10, 70000, 65440, 65441, 2500000, 0, 3, 1048576, 1 };
  return sizes[sequence % (sizeof sizes / sizeof *sizes)];
}

static void
test_big (bool map, uint64_t segment_size)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, segment_size, map, 1);
  for (uint64_t sequence = 1; sequence <= 40; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, big_size (sequence), sequence % 3 != 0, &failure));
      if (sequence % 5 == 0)
        CHECK_OK (wal_prepare (place.wal, &failure));
      if (sequence % 7 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
    }
  CHECK_INT (recover_to (&place, 0, big_size, NULL), 40);
  CHECK_OK (wal_release (place.wal, 40, &failure));
  CHECK_OK (append_sized (&place, 41, big_size (41), true, &failure));
  CHECK_INT (recover_to (&place, 40, big_size, NULL), 41);
  CHECK (count_files (&place).bytes < 3000000 + 8 * segment_size);
  place_close (&place);
}

/* A segment whose records refer to much in other files ends early, and the next one is ready by
 * then. */
static void
test_referring (void)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1, true);
  wal_note_files (place.wal, 7, 4 << 20);
  CHECK (!wal_wants_preparing (place.wal));
  append (&place, 2, 2, true);
  wal_note_files (place.wal, 8, 4 << 20);
  CHECK (wal_wants_preparing (place.wal));
  CHECK_OK (wal_prepare (place.wal, &failure));
  uint64_t number = place.next_number;
  append (&place, 3, 3, true);
  wal_note_files (place.wal, 9, 8 << 20);
  CHECK_INT (count_files (&place).files, 2);
  append (&place, 4, 4, true);
  CHECK_INT (place.next_number, number);
  CHECK_OK (wal_release (place.wal, 3, &failure));
  CHECK_INT (wal_oldest_file (place.wal), UINT64_MAX);
  place_close (&place);
}

static void
test_limits (void)
{
  struct place place;
  struct failure failure;
  uint8_t byte = 0;
  place_open (&place);
  struct wal *wal;
  struct wal_settings settings = {
    .directory = place.directory, .ledger = &place.ledger, .segment_size = 1000, .next_sequence = 1
  };
  CHECK_FAILS (wal_open (&settings, &wal, &failure), STATUS_INVALID);
  settings.segment_size = SEGMENT_SIZE;
  settings.next_sequence = 0;
  CHECK_FAILS (wal_open (&settings, &wal, &failure), STATUS_INVALID);
  log_open (&place, SEGMENT_SIZE, true, SEQUENCE_MAX);
  struct bytes huge[2] = { BYTES (&byte, UINT32_MAX), BYTES (&byte, 1) };
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX, huge, 2, true, &failure),
               STATUS_VALUE_TOO_LARGE);
  huge[1].size = SIZE_MAX;
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX, huge, 2, true, &failure),
               STATUS_VALUE_TOO_LARGE);
  CHECK_OK (wal_append (place.wal, SEQUENCE_MAX, NULL, 0, true, &failure));
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX + 1, NULL, 0, true, &failure), STATUS_INVALID);
  CHECK_INT (recover_to (&place, SEQUENCE_MAX - 1, NULL, NULL), SEQUENCE_MAX);
  place_close (&place);
}

/* ---- mutated files ---- */

int
main (void)
{
  for (unsigned round = 0; round < 20; round++)
    test_killed (round);
  test_round_trip (true, true);
  test_round_trip (true, false);
  test_round_trip (false, true);
  test_mixed ();
  test_mapped_bounded (false);
  test_mapped_bounded (true);
  for (unsigned map = 0; map < 2; map++)
    {
      test_recycling (map != 0);
      test_stale (map != 0);
      test_stale_number (map != 0);
      test_torn_tail (map != 0, false);
      test_torn_tail (map != 0, true);
      test_full_disk (map != 0);
      test_threads (map != 0);
      test_big (map != 0, SEGMENT_SIZE);
      test_big (map != 0, 64 * SEGMENT_SIZE);
    }
  test_referring ();
  test_limits ();
  test_damage ();
  test_missing_segment ();
  test_segment_states ();
  test_runs ();
  test_run_ended_before ();
  test_damaged_beginning ();
  test_damaged_size ();
  test_hostile (true);
  test_hostile (false);
  test_endless ();
  test_heads ();
  test_lost_way ();
  test_failed_sync (false);
  test_failed_sync (true);
  test_failed_later_sync ();
  test_failed_write (ENOSPC, false, 100, true);
  test_failed_write (ENOSPC, true, 100, false);
  test_failed_write (EIO, false, 100, false);
  test_failed_write (ENOSPC, false, 2 << 20, true);
  test_failed_write (EIO, true, 2 << 20, false);
  test_fallbacks ();
  test_failed_header ();
  test_missed_name ();
  test_lost_end ();
  test_prepared_for_stores ();
  test_failed_housekeeping ();
  test_unreadable ();
  test_failed_seal (false);
  test_failed_seal (true);
  test_failed_seal_kept ();
  test_cut_history ();
  test_room_for_note ();
  test_stores (false);
  test_stores (true);
  test_synced_is_true ();
  test_unmapped_behind_sync ();
  test_interleavings ();
  test_mutations (2000);
  return 0;
}
