/* SPDX-License-Identifier: MIT */
/* The log as a crash, a damaged disk or somebody else left it. */
#include "log-trial.h"

#include <inttypes.h>

/* ---- tests ---- */

/* The last record damaged from each of its bytes on: torn, whatever the damage is. */
void
test_torn_tail (bool map, bool synced)
{
  struct place place;
  struct failure failure;
  size_t size;
  struct random random = { 3 };
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  append (&place, 1, 19, map);
  if (synced)
    CHECK_OK (wal_sync (place.wal, 19, &failure));
  append (&place, 20, 20, map);
  log_close (&place, false);

  char *path = segment_path (&place, 1);
  uint8_t *whole = file_load (path, &size), *bytes = malloc (size);
  uint64_t start = record_offset (whole, 19), end = record_offset (whole, 20);
  CHECK (end < size);
  for (uint64_t at = start; at < end; at++)
    for (unsigned kind = 0; kind < 4; kind++)
      {
        size_t keep = kind == 2 ? at : size;
        memcpy (bytes, whole, size);
        if (kind == 0)
          memset (bytes + at, 0, end - at);
        else if (kind == 1)
          for (uint64_t i = at; i < end; i++)
            bytes[i] = (uint8_t) random_next (&random);
        else if (kind == 3)
          bytes[at] ^= (uint8_t) (1u << random_below (&random, 8));
        file_store (path, bytes, keep);
        bool same = keep == size && memcmp (bytes + start, whole + start, end - start) == 0;
        struct wal_recovery out;
        CHECK_INT (recover_to (&place, 0, payload_size, &out), same ? 20 : 19);
        if (kind == 1 && !same)
          CHECK (out.torn_bytes > 0);
      }
  free (bytes);
  free (whole);
  place_close (&place);
}

void
test_damage (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 6, true);
  CHECK_OK (wal_sync (place.wal, 6, &failure));
  append (&place, 7, 10, true);
  log_close (&place, false);
  char *path = segment_path (&place, 1);
  uint8_t *whole = file_load (path, &size);

  for (unsigned bad = 1; bad <= 10; bad++)
    {
      uint64_t offset = record_offset (whole, bad - 1), at = checksum_offset (whole, offset);
      uint8_t flipped = whole[at] ^ 4;
      char place_named[64];
      file_store (path, whole, size);
      file_patch (path, at, &flipped, 1);
      if (bad <= 6)
        {
          CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
          CHECK (strstr (failure.message, "/1.log") != NULL);
          snprintf (place_named, sizeof place_named, "offset %" PRIu64 ":", offset);
          CHECK (strstr (failure.message, place_named) != NULL);
          CHECK_FAILS (recover_status (&place, bad - 1, &failure), STATUS_CORRUPT);

          struct seen seen = { .next = 1, .gaps = true, .size = payload_size };
          CHECK_OK (
              wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
          CHECK_INT (out.records, 9);
          CHECK_INT (out.lost, 1);
          CHECK_INT (out.last_sequence, 10);
        }
      else
        CHECK_INT (recover_to (&place, 0, payload_size, &out), bad - 1);
      /* What the tree has already may be damaged. */
      CHECK_INT (recover_to (&place, bad, payload_size, NULL), 10);
    }

  /* No claim behind it: the same damage is a torn tail. */
  log_open (&place, SEGMENT_SIZE, false, 1);
  CHECK (unlink (path) == 0);
  append (&place, 1, 10, false);
  log_close (&place, false);
  path = segment_path (&place, 2);
  free (whole);
  whole = file_load (path, &size);
  for (unsigned bad = 1; bad <= 10; bad++)
    {
      uint64_t at = checksum_offset (whole, record_offset (whole, bad - 1)) + 1;
      uint8_t garbage = whole[at] ^ 0x80;
      file_store (path, whole, size);
      file_patch (path, at, &garbage, 1);
      CHECK_INT (recover_to (&place, 0, payload_size, &out), bad - 1);
      CHECK (out.torn_bytes > 0);
    }
  free (whole);
  place_close (&place);
}

/* Stale records of an earlier use, of the same size and at the same places, never verify. */
void
test_stale (bool map)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  for (; place.next_number < 4; sequence++)
    CHECK_OK (append_sized (&place, sequence, 256, map, &failure));
  CHECK_OK (wal_release (place.wal, sequence - 2, &failure));
  uint64_t released = sequence - 2;
  while (place.next_number < 5)
    CHECK_OK (append_sized (&place, sequence++, 256, map, &failure));
  CHECK_OK (append_sized (&place, sequence++, 256, map, &failure));
  log_close (&place, false);

  char *path = segment_path (&place, 4);
  uint8_t *whole = file_load (path, &size);
  CHECK_INT (load_u16 (whole + 10), 1);
  CHECK_INT (whole[record_offset (whole, 2)], 0);               /* a reader stops here */
  CHECK (load_u64 (whole + record_offset (whole, 2) + 1) != 0); /* stale bytes behind */
  CHECK_INT (recover_to (&place, released, NULL, &out), sequence - 1);
  CHECK_INT (out.torn_bytes, 0);

  /* The newest record torn: stale ones stand behind it. */
  whole[record_offset (whole, 1) + 20] ^= 1;
  file_store (path, whole, size);
  CHECK_INT (recover_to (&place, released, NULL, &out), sequence - 2);
  CHECK (out.torn_bytes > 0);
  free (whole);
  place_close (&place);
}

/* A file under the number of an earlier one, which a power cut took back before its name was
 * durable, in the same blocks: what was written to these then stands behind the new records, at the
 * places where they would be. It is of the same database, number and sequences, and void. */
void
test_stale_number (bool map)
{
  struct place place;
  struct wal_recovery out;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  append (&place, 1, 10, map);
  log_close (&place, false);
  uint8_t *before = file_load (segment_path (&place, 1), &size);
  CHECK (unlink (segment_path (&place, 1)) == 0);

  place.next_number = 1;
  log_open (&place, SEGMENT_SIZE, map, 1);
  append (&place, 1, 3, map);
  log_close (&place, false);
  uint8_t *now = file_load (segment_path (&place, 1), &size);
  uint64_t end = record_offset (now, 3), old_end = record_offset (before, 10);
  CHECK_INT (record_offset (before, 3), end);
  memcpy (now + end, before + end, old_end - end);
  file_store (segment_path (&place, 1), now, size);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), 3);
  CHECK (out.torn_bytes > 0);
  free (before);
  free (now);
  place_close (&place);
}

void
test_missing_segment (void)
{
  struct place place;
  struct failure failure;
  uint64_t first[4], last;

  last = three_segments (&place, true, first);
  CHECK (unlink (segment_path (&place, 2)) == 0);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_FAILS (recover_status (&place, first[3] - 2, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[3] - 1, payload_size, NULL), last);
  CHECK (unlink (segment_path (&place, 1)) == 0);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[3] - 1, payload_size, NULL), last);
  place_close (&place);

  last = three_segments (&place, false, first);
  CHECK (unlink (segment_path (&place, 2)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), first[2] - 1);
  CHECK_INT (recover_to (&place, first[3] + 1, payload_size, NULL), last);
  CHECK (unlink (segment_path (&place, 1)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 0);
  place_close (&place);

  /* The newest one gone: nothing claims that it was. */
  last = three_segments (&place, true, first);
  CHECK (unlink (segment_path (&place, 3)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), first[3] - 1);
  place_close (&place);
}

/* Files that a crash leaves before a segment is in use, and headers that are wrong. */
void
test_segment_states (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  uint64_t first[4], last;
  size_t size;
  static const uint8_t zeros[1000];

  last = three_segments (&place, true, first);
  uint8_t *one = file_load (segment_path (&place, 1), &size);
  uint8_t *spare = malloc (size); /* renamed, its old name is gone, its header is not written yet */
  memcpy (spare, one, size);
  store_u64 (spare + 16, 77);
  store_u64 (spare + 56, checksum (checksum_seed (database_id, 77), 0, BYTES (spare, 56)));
  file_store (segment_path (&place, 4), spare, size);
  free (spare);
  file_store (segment_path (&place, 5), zeros, 0);    /* created */
  file_store (segment_path (&place, 6), zeros, 1000); /* partly zeroed */
  file_store (segment_path (&place, 7), zeros, 65);   /* an odd size */
  file_store (segment_path (&place, 8), one, 30);     /* a piece of a header */
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  CHECK_INT (out.highest_number, 8);

  /* A header that is being written: the first record's word is zero. */
  uint8_t *partly = calloc (1, size);
  memcpy (partly, one, 50);
  file_store (segment_path (&place, 9), partly, size);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  free (partly);

  /* One that stands under another's name while its own is taken: no crash leaves that. Two names of
   * one file are what a rename leaves that a crash cut. */
  file_store (segment_path (&place, 10), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "/10.log") != NULL);
  CHECK (unlink (segment_path (&place, 10)) == 0);
  char from[600];
  strcpy (from, segment_path (&place, 1));
  CHECK (link (from, segment_path (&place, 10)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  CHECK (unlink (segment_path (&place, 10)) == 0);

  /* Two that changed names: salvage takes each for what it says it is. */
  char to[600], aside[620];
  strcpy (from, segment_path (&place, 1));
  strcpy (to, segment_path (&place, 3));
  snprintf (aside, sizeof aside, "%s.aside", from);
  for (int turn = 0; turn < 2; turn++)
    {
      CHECK (rename (from, aside) == 0 && rename (to, from) == 0 && rename (aside, to) == 0);
      if (turn == 0)
        {
          CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
          struct seen all = { .next = 1, .size = payload_size };
          CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &all, &out, &failure));
          CHECK_INT (out.last_sequence, last);
          CHECK_INT (out.lost, 0);
        }
    }
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);

  /* A damaged header in front of records matters only while they are needed. */
  file_patch (segment_path (&place, 1), 17, "\x55", 1);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_FAILS (recover_status (&place, first[2] - 2, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[2] - 1, payload_size, &out), last);
  file_store (segment_path (&place, 1), one, size);
  file_patch (segment_path (&place, 3), 41, "\x55\x66", 2);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "/3.log") != NULL);
  struct seen seen = { .next = 1, .size = payload_size };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, first[3] - 1);

  /* A segment under a lower number than its own. */
  CHECK (rename (segment_path (&place, 2), "/dev/null/no") != 0);
  uint8_t *two = file_load (segment_path (&place, 2), &size);
  file_store (segment_path (&place, 1), two, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  free (two);
  free (one);
  place_close (&place);

  /* Another database's, a later format's, one with features of later versions. */
  three_segments (&place, false, first);
  static const uint8_t other[16] = "another-database";
  struct seen none = { .next = 1 };
  CHECK_FAILS (wal_recover (place.directory, other, 0, false, see, &none, &out, &failure),
               STATUS_CORRUPT);
  CHECK_OK (wal_recover (place.directory, other, 0, true, see, &none, &out, &failure));
  CHECK_INT (out.records, 0);
  one = file_load (segment_path (&place, 1), &size);
  store_u16 (one + 8, 2);
  store_u64 (one + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (one, 56)));
  file_store (segment_path (&place, 1), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_NEWER_FORMAT);
  store_u16 (one + 8, 1);
  store_u16 (one + 10, 2);
  store_u64 (one + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (one, 56)));
  file_store (segment_path (&place, 1), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_NEWER_FORMAT);
  CHECK (strstr (failure.message, "features 2") != NULL);
  free (one);
  place_close (&place);
}

/* A torn log is recovered, a new one started, and the old files are still there at the next
 * recovery: what stands in them behind the torn place stays void. */
void
test_runs (void)
{
  struct place place;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 20, true);
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 1), &size);
  uint64_t at = checksum_offset (bytes, record_offset (bytes, 11));
  uint8_t flipped = bytes[at] ^ 1;
  file_patch (segment_path (&place, 1), at, &flipped, 1);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 11);

  log_open (&place, SEGMENT_SIZE, true, 12);
  CHECK_INT (recover_to (&place, 11, payload_size, NULL), 11);
  append (&place, 12, 14, true);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 14);
  CHECK_INT (recover_to (&place, 11, payload_size, NULL), 14);
  CHECK_INT (recover_to (&place, 12, payload_size, NULL), 14);
  /* 15 … 20 of the first run verify, and are not taken for what follows 14. */
  CHECK_INT (recover_to (&place, 14, payload_size, NULL), 14);
  log_close (&place, false);
  free (bytes);
  place_close (&place);
}

static size_t
hundred (uint64_t sequence)
{
  return 100;
}

/* R3: a recovery ended before a record that verifies (its large value was not there). The record of
 * its number is the one of the run that began then. */
void
test_run_ended_before (void)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 20, true);
  log_close (&place, false);
  log_open (&place, SEGMENT_SIZE, true, 12);
  for (uint64_t sequence = 12; sequence <= 14; sequence++)
    CHECK_OK (append_sized (&place, sequence, 100, true, &failure));
  log_close (&place, false);
  CHECK_INT (recover_to (&place, 0, NULL, NULL), 14);
  CHECK_INT (recover_to (&place, 11, hundred, NULL), 14);
  place_close (&place);
}

/* R2: the first record of a segment is damaged. Those behind it, which are short, are found all the
 * same. */
void
test_damaged_beginning (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  uint64_t sequence = 1, last;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (; place.next_number <= 2; sequence++)
    CHECK_OK (append_sized (&place, sequence, 100, true, &failure));
  for (last = sequence + 49; sequence <= last; sequence++)
    CHECK_OK (append_sized (&place, sequence, 100, true, &failure));
  CHECK_OK (wal_sync (place.wal, last, &failure));
  CHECK_OK (append_sized (&place, ++last, 100, true, &failure)); /* says so */
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 2), &size);
  CHECK (!record_shape (bytes, record_offset (bytes, 1)).is_long);
  bytes[record_offset (bytes, 1) - 1] ^= 1; /* the last byte of the first */
  file_store (segment_path (&place, 2), bytes, size);
  struct seen seen = { .next = 1, .gaps = true, .size = hundred };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.lost, 1);
  CHECK_INT (out.records, last - 1);
  seen = (struct seen){ .next = 1, .size = hundred };
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (failure.message, "2.log: offset 64: ") != NULL);
  free (bytes);
  place_close (&place);
}

static size_t
ten (uint64_t sequence)
{
  return 10;
}

/* R2: a damaged size leads to a later record, by chance: those in between are found all the same. */
void
test_damaged_size (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (uint64_t sequence = 1; sequence <= 10; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 10, true, &failure));
      CHECK_OK (wal_sync (place.wal, sequence, &failure)); /* the next one is long, and says so */
    }
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 1), &size);
  uint64_t second = record_offset (bytes, 1), sixth = record_offset (bytes, 5);
  struct shape shape = record_shape (bytes, second);
  CHECK (shape.is_long && shape.head + shape.size == 26 && sixth - second == 4 * 26);
  bytes[second + 13] = 10 + 3 * 26; /* its size */
  CHECK_INT (record_offset (bytes, 2), sixth);
  file_store (segment_path (&place, 1), bytes, size);
  struct seen seen = { .next = 1, .gaps = true, .size = ten };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.lost, 1);
  CHECK_INT (out.records, 9);
  free (bytes);
  place_close (&place);
}

/* Time in proportion to the size, however the file is made. */
void
test_hostile (bool tags)
{
  struct place place;
  struct failure failure;
  size_t size = 2 << 20;
  uint8_t *bytes = calloc (1, size);
  place_open (&place);
  memcpy (bytes, "LDB-LOG\n", 8);
  store_u16 (bytes + 8, 1);
  store_u64 (bytes + 16, 1);
  memcpy (bytes + 24, database_id, 16);
  store_u64 (bytes + 40, 0x11111);
  store_u64 (bytes + 48, 1);
  store_u64 (bytes + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (bytes, 56)));
  /* Each place looks like a long record of a megabyte, or like the head of a short one. */
  for (size_t at = 64; at + 24 < size; at += tags ? 20 : 3)
    if (tags)
      {
        bytes[at] = 1;
        store_u32 (bytes + at + 1, 0x11111);
        uint8_t *end = varint_store (bytes + at + 13, (size - at) / 2);
        end = varint_store (end, 0);
        varint_store (end, 1);
      }
    else
      varint_store (bytes + at, (size - at) / 2);
  file_store (segment_path (&place, 1), bytes, size);
  struct wal_recovery out;
  struct seen seen = { .next = 1 };
  if (tags)
    CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  else
    CHECK_OK (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure));
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.records, 0);
  free (bytes);
  place_close (&place);
}

/* Of a hole of a terabyte behind the records no more is read than the largest segment can have. */
void
test_endless (void)
{
  struct place place;
  struct wal_recovery out;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, false, 1);
  append (&place, 1, 9, false);
  log_close (&place, false);
  CHECK_INT (truncate (segment_path (&place, 1), INT64_C (1) << 40), 0);
  plan.hole = UINT64_C (1) << 20;
  CHECK_INT (recover_to (&place, 0, payload_size, &out), 9);
  CHECK_INT (out.torn_bytes, 0);
  CHECK (plan.read_to > 0 && plan.read_to <= (UINT64_C (1) << 32) + (1 << 20));
  plan_reset ();
  place_close (&place);
}

/* ---- the format ---- */

/* What each record costs, byte by byte, and where the long ones stand. */
void
test_heads (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  size_t size;
  static const size_t sizes[] = { 1, 126, 127, 16383, 16384, 0, 5000 };
  static const uint64_t totals[]
      = { 16 + 1, 5 + 126, 6 + 127, 17 + 16383, 18 + 16384, 16, 17 + 5000 };
  place_open (&place);
  log_open (&place, 16 * SEGMENT_SIZE, true, 1);
  for (uint64_t sequence = 1; sequence <= 7; sequence++)
    {
      uint64_t before;
      wal_statistics (place.wal, &statistics);
      before = statistics.written_bytes;
      CHECK_OK (append_sized (&place, sequence, sizes[sequence - 1], true, &failure));
      wal_statistics (place.wal, &statistics);
      CHECK_INT (statistics.written_bytes - before, totals[sequence - 1]);
    }
  place_close (&place);

  /* Long: the first, then one in a block of 512 bytes, 1 KiB, 2 KiB, 4 KiB, 4 KiB; a sync makes the
   * next one long and the distances short again. */
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (uint64_t sequence = 1; sequence <= 300; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 100, true, &failure));
      if (sequence == 200)
        CHECK_OK (wal_sync (place.wal, 200, &failure));
    }
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 1), &size);
  uint64_t next = 0, stride = 0, synced = 0;
  for (unsigned index = 0; index < 300; index++)
    {
      uint64_t offset = record_offset (bytes, index);
      struct shape shape = record_shape (bytes, offset);
      CHECK_INT (shape.size, 100);
      CHECK_INT (shape.is_long, offset >= next || index == 200);
      if (!shape.is_long)
        continue;
      CHECK_INT (shape.behind, index);
      CHECK_INT (shape.distance, index + 1 - (index < 200 ? 0 : 200));
      stride = stride == 0 || index == 200 ? 512 : stride < 4096 ? 2 * stride : 4096;
      next = (offset / stride + 1) * stride;
      synced++;
    }
  CHECK (synced > 10 && synced < 25);
  CHECK_INT (bytes[record_offset (bytes, 300)], 0);

  /* One sector gone, the synced records and the first claim of it: the claim's repetition tells. */
  uint64_t at = record_offset (bytes, 200) / 512 * 512;
  memset (bytes + at, 0, 512);
  file_store (segment_path (&place, 1), bytes, size);
  struct wal_recovery out;
  struct seen seen = { .next = 1, .size = hundred };
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_CORRUPT);
  failure = FAILURE_INIT;
  seen = (struct seen){ .next = 1, .gaps = true, .size = hundred };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, 300);
  CHECK (out.lost > 3 && out.lost < 15);
  CHECK_INT (out.records + out.lost, 300);
  free (bytes);
  place_close (&place);
}

/* Records that lost their size: the next long one is found, whatever stands in between. */
void
test_lost_way (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  struct random random = { 8 };
  place_open (&place);
  log_open (&place, 4 * SEGMENT_SIZE, false, 1);
  for (uint64_t sequence = 1; sequence <= 500; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 100, false, &failure));
      if (sequence % 100 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
    }
  log_close (&place, false);
  uint8_t *whole = file_load (segment_path (&place, 1), &size), *bytes = malloc (size);
  uint64_t end = record_offset (whole, 500);
  for (unsigned round = 0; round < 300; round++)
    {
      uint64_t at = record_offset (whole, 1 + (unsigned) random_below (&random, 350));
      uint64_t length = 1 + random_below (&random, 3000);
      memcpy (bytes, whole, size);
      if (round % 3 == 0) /* a size of its own, which leads elsewhere */
        bytes[at] = (uint8_t) (2 + random_below (&random, 120));
      else
        for (uint64_t i = at; i < at + length; i++)
          bytes[i] = round % 3 == 1 ? (uint8_t) random_next (&random) : 0;
      bool same = memcmp (bytes, whole, end) == 0;
      file_store (segment_path (&place, 1), bytes, size);
      struct seen seen = { .next = 1, .size = hundred };
      status result
          = wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure);
      CHECK_INT (result, same ? STATUS_OK : STATUS_CORRUPT);
      failure = FAILURE_INIT;
      seen = (struct seen){ .next = 1, .gaps = true, .size = hundred };
      CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
      CHECK_INT (out.last_sequence, 500);
      CHECK_INT (out.records + out.lost, 500);
      CHECK (out.lost <= (length + 2 * 4096) / 100 + 2);
    }
  free (bytes);
  free (whole);
  place_close (&place);
}

/* ---- mutated files ---- */

#define IMAGES_MOST 8

struct image
{
  uint64_t number;
  uint8_t *bytes;
  size_t size;
};

static void
mutate (struct random *random, const struct image *images, unsigned count, uint8_t *bytes,
        size_t *size)
{
  size_t at = (size_t) random_below (random, *size), length;
  length = (size_t) random_below (random, random_below (random, 2) ? *size - at : 64);
  if (length > *size - at)
    length = *size - at;
  const struct image *other = &images[random_below (random, count)];
  switch (random_below (random, 8))
    {
    case 0:
    case 1:
      bytes[at] ^= (uint8_t) (1u << random_below (random, 8));
      break;
    case 2:
      memset (bytes + at, (int) random_below (random, 256), length);
      break;
    case 3:
      memset (bytes + at, 0, length);
      break;
    case 4:
      *size = at;
      break;
    case 5: /* bytes of another place in the log */
      length = length < other->size ? length : other->size;
      memcpy (bytes + at, other->bytes + random_below (random, other->size - length + 1), length);
      break;
    case 6: /* a field of a header or record */
      at &= ~(size_t) 7;
      if (*size - at >= 8)
        store_u64 (bytes + at, random_next (random) >> random_below (random, 64));
      break;
    default: /* a header that verifies and is wrong */
      if (*size >= 64)
        {
          bytes[8 + random_below (random, 48)] ^= (uint8_t) (1u << random_below (random, 8));
          store_u64 (bytes + 56, checksum (checksum_seed (bytes + 24, load_u64 (bytes + 16)), 0,
                                           BYTES (bytes, 56)));
        }
      break;
    }
}

void
test_mutations (unsigned rounds)
{
  struct place place;
  struct failure failure;
  struct random random = { 20 };
  struct image images[IMAGES_MOST];
  unsigned count = 0;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (; place.next_number < 7; sequence++)
    {
      append (&place, sequence, sequence, true);
      if (sequence % 50 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
      if (place.next_number == 4)
        CHECK_OK (wal_release (place.wal, 350, &failure));
    }
  log_close (&place, false);
  for (uint64_t number = 1; number < 7; number++)
    if (access (segment_path (&place, number), R_OK) == 0)
      {
        images[count].number = number;
        images[count].bytes = file_load (segment_path (&place, number), &images[count].size);
        count++;
      }
  CHECK (count >= 4);

  uint8_t *bytes = malloc (SEGMENT_SIZE);
  unsigned outcomes[2] = { 0, 0 };
  for (unsigned round = 0; round < rounds; round++)
    {
      const struct image *image = &images[random_below (&random, count)];
      size_t size = image->size;
      memcpy (bytes, image->bytes, size);
      for (uint64_t i = 0, changes = 1 + random_below (&random, 4); i < changes && size > 0; i++)
        mutate (&random, images, count, bytes, &size);
      file_store (segment_path (&place, image->number), bytes, size);

      struct wal_recovery out;
      for (unsigned salvage = 0; salvage < 2; salvage++)
        {
          uint64_t after = random_below (&random, 2) ? 350 : random_below (&random, sequence);
          struct seen seen = { .next = after + 1, .gaps = salvage != 0, .size = payload_size };
          failure = FAILURE_INIT;
          status result = wal_recover (place.directory, database_id, after, salvage != 0, see,
                                       &seen, &out, &failure);
          CHECK (result == STATUS_OK || failure.code == result);
          CHECK (result == STATUS_OK || result == STATUS_CORRUPT || result == STATUS_NEWER_FORMAT);
          if (salvage == 0)
            outcomes[result == STATUS_OK]++;
        }
      /* Every other time the damage stays, so that it gathers. */
      if (round % 4 != 0)
        file_store (segment_path (&place, image->number), image->bytes, image->size);
      else if (round % 64 == 0)
        for (unsigned i = 0; i < count; i++)
          file_store (segment_path (&place, images[i].number), images[i].bytes, images[i].size);
    }
  CHECK (outcomes[0] > rounds / 20 && outcomes[1] > rounds / 20);
  for (unsigned i = 0; i < count; i++)
    free (images[i].bytes);
  free (bytes);
  place_close (&place);
}
