/* SPDX-License-Identifier: MIT */
/*
 * Random operations over the whole API, each compared with an oracle.
 *
 *   test-engine-differential [--long] [--seed S] [--operations N] [--episodes E]
 *
 * Without arguments: the short form. --long: ten million operations. --seed: one episode of that
 * seed, as a difference prints it. Databases are made below $TMPDIR, or in memory and below /tmp.
 */
#include "differential.h"

#include <unistd.h>

#define EPISODE_OPERATIONS 50000u

static void
run_episode (uint64_t seed, uint64_t operations, struct trial_totals *totals)
{
  static struct trial trial;
  episode_begin (&trial, seed, operations, totals);
  printf ("episode of seed %llu: %lld keys, pages of %u, memtables of %llu KiB, "
          "compression %d\n",
          (unsigned long long) seed, (long long) trial.oracle.count, trial.options.page_size,
          (unsigned long long) trial.options.memtable_size >> 10, (int) trial.options.compression);
  fflush (stdout);
  while (trial.index < operations)
    episode_random_step (&trial);
  episode_end (&trial);
}

static void
report (const struct trial_totals *totals, bool check_shares)
{
  for (unsigned i = 0; i < KIND_COUNT; i++)
    {
      double share = 100.0 * (double) totals->kinds[i] / (double) totals->operations;
      printf ("%-28s %10llu  %5.2f %%\n", kind_name ((enum kind) i),
              (unsigned long long) totals->kinds[i], share);
      if (check_shares)
        CHECK (share >= 1.0);
    }
  printf ("%llu operations in %llu episodes, %llu commits, %llu conflicts, %llu flushes, "
          "%llu merges, %llu reopenings, %llu reads of snapshots, %llu loads, %llu backups, %llu "
          "repairs, %llu checks, %llu whole comparisons, %llu of a feed's replica: no difference\n",
          (unsigned long long) totals->operations, (unsigned long long) totals->episodes,
          (unsigned long long) totals->commits, (unsigned long long) totals->conflicts,
          (unsigned long long) totals->flushes, (unsigned long long) totals->merges,
          (unsigned long long) totals->reopenings, (unsigned long long) totals->snapshot_reads,
          (unsigned long long) totals->loads, (unsigned long long) totals->backups,
          (unsigned long long) totals->repairs, (unsigned long long) totals->checks,
          (unsigned long long) totals->verifications, (unsigned long long) totals->replicas);
}

int
main (int argc, char **argv)
{
  uint64_t seed = 1, operations = EPISODE_OPERATIONS, episodes = 6;
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      episodes = 200;
    else if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      {
        seed = strtoull (argv[++i], NULL, 10);
        episodes = 1;
      }
    else if (i + 1 < argc && strcmp (argv[i], "--operations") == 0)
      operations = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--episodes") == 0)
      episodes = strtoull (argv[++i], NULL, 10);
    else
      {
        fprintf (stderr, "usage: %s [--long] [--seed S] [--operations N] [--episodes E]\n",
                 argv[0]);
        return 2;
      }
  struct trial_totals totals = { .operations = 0 };
  for (uint64_t i = 0; i < episodes; i++)
    run_episode (seed + i, operations, &totals);
  report (&totals, totals.operations >= 100000);
  return 0;
}
