/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a history file: a log that is opened behind it takes it for what its note says, or
 * removes it; a reader gives its records in order or says why not. Then the same bytes as a segment
 * of the log of a process that writes, which another one follows; and as one of a recovered log
 * that is to become history.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "core/batch.h"
#include "log/wal-reader.h"

#include <inttypes.h>

#define NUMBER_OFFSET 16u /* in the header of a segment (docs/design/log.md) */
#define ID_OFFSET 24u
#define HEADER_SIZE 64u
#define NOTE_SIZE 64u
#define NOTE_LAST 16u /* last sequence, in the note */

static uint64_t next_number;

static uint64_t
count_up (void *context)
{
  (void) context;
  return ++next_number;
}

static void
look (void *data, struct bytes payload, uint64_t *oldest, uint64_t *bytes)
{
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  (void) data;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    {
      fuzz_touch (operation.key);
      fuzz_touch (operation.value);
    }
  *oldest = 1;
  *bytes += payload.size;
}

/* All that a reader gives behind `at`, from its memory where it can. */
static void
read_on (struct wal_reader *reader, uint64_t at, uint64_t last)
{
  struct failure failure = FAILURE_INIT;
  struct bytes payload;
  uint64_t sequence;
  status result;
  for (;;)
    {
      result = wal_reader_take (reader, last, &sequence, &payload);
      if (result == STATUS_BUSY)
        result = wal_reader_next (reader, last, &sequence, &payload, &failure);
      if (result != STATUS_OK)
        break;
      CHECK (sequence == ++at);
      fuzz_touch (payload);
    }
  CHECK (result != STATUS_NOT_FOUND || at == last);
  CHECK (result == STATUS_NOT_FOUND || result == STATUS_CORRUPT || result == STATUS_HISTORY_GONE);
}

/* As a process that reads does with the log of one that writes. */
static void
follow_log (const uint8_t id[16], uint64_t last)
{
  static struct ledger ledger = { .budget = 1 << 20 };
  struct failure failure = FAILURE_INIT;
  struct wal_follow *follow;
  CHECK_OK (wal_follow_new (fuzz_directory (), &ledger, id, &follow, &failure));
  uint64_t oldest = wal_follow_oldest (follow, last);
  CHECK (oldest >= 1 && oldest <= last + 1);
  for (uint64_t after = oldest - 1;; after = 0)
    {
      struct wal_reader *reader;
      CHECK_OK (wal_reader_new_following (follow, after, &reader, &failure));
      read_on (reader, after, last);
      wal_reader_free (reader);
      if (after == 0)
        break;
    }
  wal_follow_free (follow);
}

/* Opens a log behind whatever history there is, reads it all and closes. */
static void
read_history (const uint8_t id[16], uint64_t last)
{
  struct failure failure = FAILURE_INIT;
  struct wal_settings settings = {
    .directory = fuzz_directory (),
    .segment_size = 64 << 10,
    .next_number = count_up,
    .next_sequence = last + 1,
    .retention = 1 << 30,
    .reader_bytes = 1 << 30,
    .reader_referred_bytes = 1 << 30,
  };
  struct wal *wal;
  struct wal_reader *reader;
  memcpy (settings.database_id, id, 16);
  if (!fuzz_result (wal_open (&settings, &wal, &failure), &failure))
    return;
  uint64_t at = wal_oldest (wal) - 1;
  CHECK (at <= last);
  CHECK_OK (wal_reader_new (wal, at, &reader, &failure));
  read_on (reader, at, last);
  wal_reader_free (reader);
  wal_close (wal, true);
}

static void
retire (const uint8_t id[16], bool keep, uint64_t last)
{
  struct failure failure = FAILURE_INIT;
  struct wal_retirement settings = {
    .directory = fuzz_directory (),
    .keep = keep,
    .last_sequence = last,
    .look = look,
  };
  memcpy (settings.database_id, id, 16);
  CHECK_OK (wal_retire (&settings, &failure));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const uint8_t no_id[16];
  const uint8_t *id = size >= HEADER_SIZE ? data + ID_OFFSET : no_id;
  uint64_t number = size >= HEADER_SIZE ? load_u64 (data + NUMBER_OFFSET) & 0xffffffff : 1;
  uint64_t last = size >= NOTE_SIZE ? load_u64 (data + size - NOTE_SIZE + NOTE_LAST) : 1;
  char name[40];
  last = last < SEQUENCE_MAX ? last : SEQUENCE_MAX - 1;
  number = number > 0 ? number : 1;
  next_number = number;
  snprintf (name, sizeof name, "%" PRIu64 ".history", number);
  fuzz_write (name, BYTES (data, size));
  read_history (id, last);
  snprintf (name, sizeof name, "%" PRIu64 ".log", number);
  fuzz_write (name, BYTES (data, size));
  follow_log (id, last);
  retire (id, true, last);
  read_history (id, last);
  retire (id, false, last);
  return 0;
}
