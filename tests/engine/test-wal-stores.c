/* SPDX-License-Identifier: MIT */
/* The log's stores into its mapping, one by one: a kill may come between any two of them (W2, S2). */
#include "log/wal-segment-private.h"

#include "log-trial.h"
#include "stepped.h"

#include <sys/mman.h>

#define STATES_MOST 4000u

/* Two records that are appended to a segment which takes over from a full one. */
struct appending
{
  struct place *place;
  uint64_t sequence; /* of the first */
  const uint8_t *map;
  uint8_t (*states)[SEGMENT_SIZE]; /* before the first store, then behind each; STATES_MOST of them,
                                      of which few are touched */
  unsigned count;
};

static void
append_two (void *data)
{
  const struct appending *appending = data;
  struct failure failure;
  CHECK_OK (append_sized (appending->place, appending->sequence, 1000, true, &failure));
  CHECK_OK (append_sized (appending->place, appending->sequence + 1, 20, true, &failure));
}

static void
note_state (void *data, uint64_t step)
{
  struct appending *appending = data;
  (void) step;
  if (memcmp (appending->states[appending->count - 1], appending->map, 4096) == 0)
    return;
  CHECK (appending->count < STATES_MOST);
  memcpy (appending->states[appending->count++], appending->map, SEGMENT_SIZE);
}

/* Fills three segments and makes the fourth one ready. False: it can't be mapped here. */
static bool
prepare (struct place *place, bool recycled, uint64_t *next, uint64_t *released)
{
  struct failure failure;
  uint64_t sequence = 1;
  log_open (place, SEGMENT_SIZE, true, 1);
  for (; place->next_number < 4; sequence++)
    CHECK_OK (append_sized (place, sequence, 256, true, &failure));
  if (recycled)
    CHECK_OK (wal_release (place->wal, *released = sequence - 2, &failure));
  CHECK_OK (wal_prepare (place->wal, &failure));
  while (place->wal->current->room - place->wal->offset > 400)
    CHECK_OK (append_sized (place, sequence++, 256, true, &failure));
  *next = sequence;
  if (place->wal->ready->map == NULL)
    return false;
  CHECK_INT (place->wal->ready->number, 4);
  CHECK_INT (place->wal->ready->recycled, recycled);
  return true;
}

/* Whatever store was the last: recovery finds all records before, or the first of the two besides,
 * or both, and the byte behind is zero, which is where a process that reads beside stops. */
static void
check_states (struct appending *appending, uint64_t released)
{
  struct wal_segment_header header;
  uint64_t newest = appending->sequence - 1;
  for (unsigned i = 0; i < appending->count; i++)
    {
      const uint8_t *state = appending->states[i];
      file_store (segment_path (appending->place, 4), state, SEGMENT_SIZE);
      uint64_t found = recover_to (appending->place, released, NULL, NULL);
      CHECK (found >= newest && found <= appending->sequence + 1);
      newest = found;
      if (wal_header_decode (state, &header) && header.number == 4)
        CHECK_INT (state[record_offset (state, (unsigned) (found + 1 - appending->sequence))], 0);
    }
  CHECK_INT (newest, appending->sequence + 1);
}

void
test_stores (bool recycled)
{
  struct place place;
  uint64_t released = 0;
  place_open (&place);
  struct appending appending = { .place = &place, .count = 1 };
  if (STEPPED && prepare (&place, recycled, &appending.sequence, &released))
    {
      size_t size = STATES_MOST * sizeof *appending.states;
      appending.states = mmap (NULL, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      CHECK (appending.states != MAP_FAILED);
      appending.map = place.wal->ready->map;
      memcpy (appending.states[0], appending.map, SEGMENT_SIZE);
      step_through (append_two, note_state, &appending);
      CHECK_INT (place.wal->current->number, 4);
      log_close (&place, false);
      CHECK (appending.count > 30);
      check_states (&appending, released);
      munmap (appending.states, size);
    }
  place_close (&place);
}
