/* SPDX-License-Identifier: MIT */
#include "core/readers.h"

/* Nanoseconds of a processor for a record: who takes longer does something else. */
#define READ_MOST 20000u
/* A cursor's steps that count as one lookup. */
#define STEPS_A_READ 16u

_Static_assert(METRICS_LINES <= 32, "each line has a bit");

static uint64_t
count (const struct metrics *metrics, uint32_t line, enum thread_counter which)
{
  return atomic_load_explicit (&metrics->lines[line].counters[which], memory_order_relaxed);
}

static uint64_t
count_reads (const struct metrics *metrics, uint32_t line)
{
  static const enum thread_counter lookups[]
      = { THREAD_GETS_HOT,     THREAD_GETS_MEMTABLE, THREAD_GETS_RUN,       THREAD_GETS_MISSING,
          THREAD_GETS_DELETED, THREAD_CONTAINS,      THREAD_MULTI_GET_KEYS, THREAD_SEEKS };
  uint64_t reads = count (metrics, line, THREAD_CURSOR_STEPS) / STEPS_A_READ;
  for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
    reads += count (metrics, line, lookups[i]);
  return reads;
}

/* D1, but for the commits: `elapsed` and `ran` in nanoseconds. */
static bool
is_fast (uint64_t elapsed, uint64_t ran, uint64_t reads)
{
  return ran >= elapsed / 2 && ran <= reads * READ_MOST;
}

void
readers_review (struct readers *readers, const struct metrics *metrics,
                const uint64_t times[METRICS_LINES], uint64_t now)
{
  uint32_t writers = atomic_exchange_explicit (&readers->writers, 0, memory_order_relaxed);
  uint64_t elapsed = now - readers->reviewed;
  bool fast = false;
  for (uint32_t line = 0; line < METRICS_LINES - 1; line++) /* D2 */
    {
      uint64_t reads = count_reads (metrics, line), before = readers->times[line];
      bool known = before != 0 && times[line] >= before; /* else it is another thread's by now */
      bool wrote = (writers >> line & 1) != 0;
      if (known && !wrote && is_fast (elapsed, times[line] - before, reads - readers->reads[line]))
        fast = true;
      readers->reads[line] = reads;
      readers->times[line] = times[line];
    }
  readers->reviewed = now;
  atomic_store_explicit (&readers->fast, fast, memory_order_relaxed);
}

void
readers_review_now (struct readers *readers, const struct metrics *metrics)
{
  uint64_t times[METRICS_LINES] = { 0 };
  for (uint32_t line = 0; line < METRICS_LINES - 1; line++)
    epoch_thread_time (line, &times[line]);
  readers_review (readers, metrics, times, metrics_now ());
}
