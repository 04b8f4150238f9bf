/* SPDX-License-Identifier: MIT */
/* snapshots.h: who begins to read and a merge that begins, interleaved at each instruction (P1). */
#include "core/snapshots.h"

#include "check.h"
#include "stepped.h"

struct meeting
{
  struct snapshots snapshots;
  _Atomic uint64_t published;
  uint64_t at; /* the step behind which the other comes */
  snapshot_slot *slot;
  uint64_t sequence; /* held by the reader */
  uint64_t *kept;    /* whose newest versions the merge keeps, and all that is newer */
  size_t count;
};

static void
read_begins (void *data)
{
  struct meeting *meeting = data;
  struct failure failure;
  CHECK_OK (snapshots_hold (&meeting->snapshots, &meeting->published, &meeting->slot,
                            &meeting->sequence, &failure));
}

static void
merge_begins (void *data)
{
  struct meeting *meeting = data;
  struct failure failure;
  atomic_store (&meeting->published, 9);
  CHECK_OK (snapshots_collect (&meeting->snapshots, 9, &meeting->kept, &meeting->count, &failure));
}

static void
merge_at (void *data, uint64_t step)
{
  struct meeting *meeting = data;
  if (step < meeting->at)
    return;
  step_no_more ();
  merge_begins (data);
}

static void
read_at (void *data, uint64_t step)
{
  struct meeting *meeting = data;
  if (step < meeting->at)
    return;
  step_no_more ();
  read_begins (data);
}

/* What the reader sees the merge keeps. */
static void
check_meeting (const struct meeting *meeting)
{
  bool kept = false;
  CHECK (meeting->count > 0 && meeting->kept[meeting->count - 1] == 9);
  for (size_t i = 0; i < meeting->count; i++)
    kept |= meeting->kept[i] == meeting->sequence;
  CHECK (kept || meeting->sequence > 9);
}

/* Returns how many instructions there were. */
static uint64_t
interleave (void (*run) (void *data), void (*between) (void *data, uint64_t step),
            void (*other) (void *data))
{
  uint64_t steps = 0;
  for (uint64_t at = 1; at == steps + 1; at++)
    {
      static struct metrics metrics;
      struct meeting meeting = { .at = at };
      snapshots_init (&meeting.snapshots, &metrics);
      atomic_store (&meeting.published, 8);
      steps = step_through (run, between, &meeting);
      if (steps < at) /* it had ended */
        other (&meeting);
      check_meeting (&meeting);
      snapshots_drop (&meeting.snapshots, meeting.slot);
      snapshots_clear (&meeting.snapshots);
      free (meeting.kept);
    }
  return steps;
}

int
main (void)
{
  if (!STEPPED)
    return 77;
  CHECK (interleave (read_begins, merge_at, merge_begins) > 50);
  CHECK (interleave (merge_begins, read_at, read_begins) > 50);
  return 0;
}
