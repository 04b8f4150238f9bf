/* SPDX-License-Identifier: MIT */
/*
 * latency: a histogram of durations in ns, in fixed memory, with the same relative error (1/128)
 * from the shortest to the longest: exact below 128 ns, 64 buckets a doubling above, up to 2^40 ns
 * (18 minutes). All zeros is an empty one.
 *
 * Threads: one at a time.
 */
#ifndef LIGHTNING_BENCHMARK_LATENCY_H
#define LIGHTNING_BENCHMARK_LATENCY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LATENCY_PRECISION_BITS 6
#define LATENCY_VALUE_BITS 40
#define LATENCY_BUCKETS                                                                            \
  ((LATENCY_VALUE_BITS - LATENCY_PRECISION_BITS + 1) << LATENCY_PRECISION_BITS)

struct latency
{
  uint64_t count;                    /* durations recorded */
  uint64_t maximum;                  /* the longest, exactly, in ns */
  uint64_t sum;                      /* of all, in ns */
  uint64_t buckets[LATENCY_BUCKETS]; /* how many fell in each */
};

/* Now, in ns since some moment in the past. */
static inline uint64_t
latency_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static inline void
latency_record (struct latency *latency, uint64_t duration)
{
  size_t bucket = LATENCY_BUCKETS - 1;
  if (duration < (UINT64_C (2) << LATENCY_PRECISION_BITS))
    bucket = (size_t) duration;
  else if (duration >> LATENCY_VALUE_BITS == 0)
    {
      unsigned shift = 63 - (unsigned) __builtin_clzll (duration) - LATENCY_PRECISION_BITS;
      bucket = ((size_t) shift << LATENCY_PRECISION_BITS) + (size_t) (duration >> shift);
    }
  latency->buckets[bucket]++;
  latency->count++;
  latency->sum += duration;
  if (duration > latency->maximum)
    latency->maximum = duration;
}

/* Adds what `from` holds to `into`. */
void latency_merge (struct latency *into, const struct latency *from);
/* A duration in the middle of those that a bucket takes, in ns. */
uint64_t latency_bucket_middle (size_t bucket);
/* The duration that `fraction` (0.99 for P99) of those recorded do not exceed; 0 when empty. */
uint64_t latency_percentile (const struct latency *latency, double fraction);

#endif
