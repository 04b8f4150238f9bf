/* SPDX-License-Identifier: MIT */
/*
 * workload: threads that run random transactions on a subject, and the history of what they saw.
 *
 * The threads work on a window of a few keys, which moves on, so that lists stay short. Keys are
 * numbers, and every key there could be is known: a scan over [a, b) reads each of them, those that
 * are not there as well, and a range delete clears each. So phantoms are seen as what they are, a
 * read of nothing that somebody's first append overwrites.
 */
#ifndef LIGHTNING_TESTS_WORKLOAD_H
#define LIGHTNING_TESTS_WORKLOAD_H

#include "history.h"

enum workload_mode
{
  WORKLOAD_SNAPSHOT,
  WORKLOAD_SERIALIZABLE,
  WORKLOAD_MIXED,  /* both, beside each other */
  WORKLOAD_LOCKED, /* snapshot isolation, but every key read is locked: no write skew left */
  WORKLOAD_MODES
};
const char *workload_mode_name (enum workload_mode mode);
/* The anomalies it may have: bits of anomalies.h. */
unsigned workload_allows (enum workload_mode mode);

struct workload
{
  enum workload_mode mode;
  bool clears;   /* keys are also deleted, and put outside of transactions */
  bool restless; /* flushes and merges come one after another */
  unsigned threads;
  uint32_t transactions; /* all threads together */
  uint32_t first_key;    /* the keys from here on are new */
  uint64_t seed;
  unsigned yields; /* of a thousand places between two steps, how many let another thread run */
};

struct workload_totals
{
  uint64_t transactions, committed, conflicts, rolled_back, steps;
};

/* On an open subject. Adds to the history, which ends with a transaction that reads all keys. */
void workload_run (const struct workload *workload, struct history *history,
                   struct workload_totals *totals);
/* Keys that a run of so many transactions may use. */
uint32_t workload_keys (uint32_t transactions);

#endif
