/* SPDX-License-Identifier: MIT */
#include "base/timing.h"

#include "base/random.h"

#include <string.h>

__thread struct timing timing;

static const enum metrics_histogram histograms[WAITS] = {
  [WAIT_PAGE_READ] = HISTOGRAM_PAGE_READ,   [WAIT_DECOMPRESS] = HISTOGRAM_DECOMPRESS,
  [WAIT_BLOB_READ] = HISTOGRAM_BLOB_READ,   [WAIT_LOCK] = HISTOGRAM_COMMIT_LOCK,
  [WAIT_STALL] = HISTOGRAM_STALL,           [WAIT_NAP] = HISTOGRAM_NAP,
  [WAIT_LOG_CHANGE] = HISTOGRAM_LOG_CHANGE, [WAIT_LOG_SYNC] = HISTOGRAM_LOG_SYNC,
  [WAIT_TURN] = HISTOGRAM_COMMIT_TURN,
};

uint64_t
wait_end (struct metrics *metrics, enum wait wait, struct wait_mark mark)
{
  struct timing *self = &timing;
  uint64_t taken = metrics_now () - mark.started;
  if (metrics != NULL)
    metrics_record (metrics, histograms[wait], taken);
  if (!timing_has_waited ())
    {
      memset (self->by, 0, sizeof self->by);
      self->waiting = self->calls_left;
      self->first = mark.started;
      mark.before = 0;
    }
  else if (mark.started < self->first)
    self->first = mark.started;
  uint64_t within = self->total - mark.before;
  uint64_t own = taken > within ? taken - within : 0; /* Q1 */
  own += self->total + own == 0;                      /* that there was a wait must show */
  self->by[wait] += own;
  self->total += own;
  return taken;
}

bool
timing_has_waited (void)
{
  if (timing.waiting != timing.calls_left)
    timing.total = 0;
  return timing.total != 0;
}

void
timing_draw (uint32_t interval)
{
  struct random random = { timing.random != 0 ? timing.random : (uintptr_t) &timing };
  timing.calls_left = (interval - 1) / 2 + (uint32_t) random_below (&random, interval);
  timing.random = random.state;
  timing.total = 0; /* the numbers of calls begin anew */
}

/* ---- steps ---- */

struct steps *
steps_begin (struct steps *steps)
{
  timing.total = 0;
  *steps = (struct steps){ .waited = 0 };
  steps->started = steps->last = metrics_now ();
  return steps;
}

void
step_take (struct steps *steps, enum step step)
{
  uint64_t now = metrics_now (), taken = now - steps->last;
  uint64_t waited = timing.total > steps->waited ? timing.total - steps->waited : 0;
  steps->taken[step] += taken > waited ? taken - waited : 0; /* Q1 */
  steps->times[step]++;
  steps->last = now;
  steps->waited = timing.total;
}

/* The counters of steps stand in their order: how often, then how long. */
#define CHECK_STEP(id)                                                                             \
  _Static_assert((int) THREAD_STEP_##id == (int) THREAD_STEP_VISIBILITY + 2 * (int) STEP_##id      \
                     && (int) THREAD_STEP_##id##_TIME == (int) THREAD_STEP_##id + 1,               \
                 "counters and steps agree");
CHECK_STEP (VISIBILITY)
CHECK_STEP (MEMTABLES)
CHECK_STEP (HOT_RECORDS)
CHECK_STEP (FILTER)
CHECK_STEP (INDEX)
CHECK_STEP (PAGE)
CHECK_STEP (LEAF)
CHECK_STEP (COPY)
CHECK_STEP (VALIDATE)
CHECK_STEP (LOG_APPEND)
CHECK_STEP (INSERT)
CHECK_STEP (OTHER)
#undef CHECK_STEP

uint64_t
steps_end (struct steps *steps, struct metrics *metrics, uint32_t line)
{
  step_take (steps, STEP_OTHER);
  for (unsigned step = 0; step < STEPS; step++)
    if (steps->times[step] > 0)
      {
        enum thread_counter counter = (enum thread_counter) (THREAD_STEP_VISIBILITY + 2 * step);
        count_in_line (metrics, line, counter, steps->times[step]);
        count_in_line (metrics, line, (enum thread_counter) (counter + 1), steps->taken[step]);
      }
  return steps->last - steps->started;
}
