/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as one segment of a log, read by recovery, gently and as salvage does; every payload is
 * taken apart as a commit's operations.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "core/batch.h"
#include "log/wal.h"

#include <inttypes.h>

#define NUMBER_OFFSET 16u /* in the header of a segment (docs/design/log.md) */
#define ID_OFFSET 24u
#define HEADER_SIZE 64u

struct visits
{
  uint64_t last;  /* sequence of the record before, 0 = none */
  uint64_t count; /* of records */
  bool gaps;      /* there may be some */
};

static status
visit (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct visits *visits = data;
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  status result;
  CHECK (visits->last == 0
         || (visits->gaps ? sequence > visits->last : sequence == visits->last + 1)); /* W1 */
  visits->last = sequence;
  visits->count++;
  for (size_t bound = payload.size + 1;; bound--)
    {
      CHECK (bound > 0);
      struct failure cause = FAILURE_INIT;
      result = operation_next (&reader, &operation, &cause);
      if (result != STATUS_OK)
        break;
      fuzz_touch (operation.key);
      fuzz_touch (operation.value);
    }
  return result == STATUS_NOT_FOUND || visits->gaps
             ? STATUS_OK
             : fail (failure, STATUS_CORRUPT, "a commit cannot be read");
}

static void
recover (const uint8_t id[16], uint64_t after, bool salvage)
{
  struct failure failure = FAILURE_INIT;
  struct wal_recovery recovery;
  struct visits visits = { .gaps = salvage };
  status result
      = wal_recover (fuzz_directory (), id, after, salvage, visit, &visits, &recovery, &failure);
  if (fuzz_result (result, &failure))
    {
      CHECK_INT (recovery.records, visits.count);
      CHECK_INT (recovery.last_sequence, visits.last);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const uint8_t no_id[16];
  const uint8_t *id = size >= HEADER_SIZE ? data + ID_OFFSET : no_id;
  uint64_t number = size >= HEADER_SIZE ? load_u64 (data + NUMBER_OFFSET) & 0xffffffff : 1;
  char name[40];
  snprintf (name, sizeof name, "%" PRIu64 ".log", number > 0 ? number : 1);
  fuzz_write (name, BYTES (data, size));
  recover (id, 0, false);
  recover (id, 0, true);
  recover (id, 3, false);
  fuzz_remove (name);
  return 0;
}
