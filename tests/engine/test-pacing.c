/* SPDX-License-Identifier: MIT */
/*
 * Pacing, played: a writer puts as fast as it may, memtables become runs, and merges take runs away
 * at a rate of their own. Time is a number. However slow merges are, runs stay few.
 */
#include "check.h"
#include "core/pacing.h"

#define MEMTABLE 1250000u     /* bytes of user data */
#define FLUSH_RATE 200000000u /* bytes a second */
#define WRITE_RATE 100e6      /* bytes a second of a writer that nothing holds back */
#define MERGED_AT_ONCE 8u     /* runs */

static double
debt (unsigned frozen, double fill, unsigned crowding, size_t bytes)
{
  struct pacing pacing
      = { .frozen = frozen, .fill = fill, .crowding = crowding, .flush_rate = FLUSH_RATE };
  return pacing_debt (&pacing, bytes);
}

static void
test_debt (void)
{
  CHECK (debt (0, 0.9, 0, 1000) == 0);
  CHECK (debt (1, 0.5, 0, 1000) == 0); /* the next memtable fills freely at first */
  CHECK (debt (1, 1, 0, 1000) > 0);
  CHECK (debt (2, 1, 0, 1000) > debt (1, 1, 0, 1000));
  CHECK (debt (0, 0, 2, 1000) == 0); /* merges a little behind */
  double at = debt (0, 0, RUNS_CROWDED, 1000000);
  CHECK (at > 39999 && at < 40001);                        /* an eighth of the flush's rate */
  for (unsigned crowding = 8; crowding < 1000; crowding++) /* without an end (P2) */
    CHECK (debt (0, 0, crowding + 1, 1000) > debt (0, 0, crowding, 1000));
  struct pacing fresh = { .crowding = RUNS_CROWDED };
  CHECK (pacing_debt (&fresh, 1000) > 0); /* no rate is known yet */
}

static void
test_nap (void)
{
  CHECK_INT (pacing_nap (199, 116), 0);
  CHECK_INT (pacing_nap (200, 116), 200);
  CHECK (pacing_nap (1e9, 116) <= 5200);
  CHECK (pacing_nap (1e9, 1 << 20) > 200000); /* else large commits were not held back at all */
  CHECK (pacing_nap (1e12, (size_t) 1 << 31) <= 1100000);
}

/* P4: of what takes long by nature no more is paid for than of what takes its time to be written. */
static void
test_rest (void)
{
  CHECK (pacing_rest (600, 116) == PACING_REST * 0.6);
  CHECK (pacing_rest (1000000000, 116) == PACING_REST * 5.58);
  CHECK (pacing_rest (1000000, 1000000) == PACING_REST * 1000);
  CHECK (pacing_rest (UINT64_MAX, 1000000) == PACING_REST * 5005);
}

/* The most runs while `memtables` are written in commits of `size`, and merges work off so many
 * bytes a second. */
static unsigned
most_runs (unsigned memtables, size_t size, double merge_rate)
{
  double now = 0, owed = 0, merged_until = 0; /* seconds, microseconds, seconds */
  unsigned runs = 0, most = 0;
  bool merging = false;
  for (uint64_t bytes = 0, flushed = 0; flushed < memtables;)
    {
      unsigned crowding = runs > RUNS_CROWDED ? runs - RUNS_CROWDED : 0;
      owed += debt (0, 0, crowding, size);
      uint64_t nap = pacing_nap (owed, size);
      owed = nap > 0 ? 0 : owed;
      now += (double) nap / 1e6 + (double) size / WRITE_RATE;
      bytes += size;
      if (bytes >= (flushed + 1) * MEMTABLE)
        {
          flushed++;
          runs++;
        }
      if (merging && now >= merged_until)
        {
          runs -= MERGED_AT_ONCE - 1;
          merging = false;
        }
      if (!merging && runs >= RUNS_CROWDED)
        {
          merging = true;
          merged_until = now + MERGED_AT_ONCE * (double) MEMTABLE / merge_rate;
        }
      most = runs > most ? runs : most;
    }
  return most;
}

static void
test_runs_stay_few (void)
{
  static const size_t sizes[] = { 116, 116000, 1000000 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (double rate = 50e6; rate >= 1e6; rate /= 2)
      {
        unsigned most = most_runs (1000, sizes[i], rate);
        printf ("commits of %zu bytes, merges of %.1f MB/s: at most %u runs\n", sizes[i],
                rate / 1e6, most);
        CHECK (most <= 8 * RUNS_CROWDED);
        CHECK (rate < 10e6 || most <= 4 * RUNS_CROWDED);
      }
}

int
main (void)
{
  test_debt ();
  test_nap ();
  test_rest ();
  test_runs_stay_few ();
  return 0;
}
