/* SPDX-License-Identifier: MIT */
/*
 * histogram: how often which value occurred (a latency in ns, a size in bytes), in fixed memory,
 * with a relative error that is the same from the smallest to the largest.
 *
 * Values below 128 are counted exactly. Above, each doubling is cut into 64 buckets of equal width,
 * so a bucket is at most 1/64 of its values wide, and its middle, which is what percentiles give,
 * is at most 1/128 off.
 *
 *   value   0 … 127 │ 128, 130 … 254 │ 256, 260 … 508 │ … up to 2^40 (18 minutes in ns)
 *   width      1    │       2        │       4        │
 *
 * Larger values count in the last bucket; sum and maximum have them exactly.
 * All zeros is an empty histogram.
 *
 * Threads: anyone may record at any time (three relaxed atomics at most, no loop but for a new
 * maximum). What is read while others record is some state in between; counts never fall.
 */
#ifndef LIGHTNING_BASE_HISTOGRAM_H
#define LIGHTNING_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_PRECISION_BITS 6 /* 64 buckets a doubling */
#define HISTOGRAM_VALUE_BITS 40    /* the last bucket ends at 2^40 */
#define HISTOGRAM_BUCKETS                                                                          \
  ((HISTOGRAM_VALUE_BITS - HISTOGRAM_PRECISION_BITS + 1) << HISTOGRAM_PRECISION_BITS)

struct histogram
{
  _Atomic uint64_t maximum;                   /* greatest value recorded, exactly */
  _Atomic uint64_t sum;                       /* of all values, exactly (modulo 2^64) */
  _Atomic uint64_t counts[HISTOGRAM_BUCKETS]; /* values recorded, per bucket; 17.5 KiB */
};

static inline size_t
histogram_bucket (uint64_t value)
{
  if (value < (UINT64_C (2) << HISTOGRAM_PRECISION_BITS))
    return (size_t) value;
  if (value >> HISTOGRAM_VALUE_BITS != 0)
    return HISTOGRAM_BUCKETS - 1;
  unsigned shift = 63 - (unsigned) __builtin_clzll (value) - HISTOGRAM_PRECISION_BITS;
  return ((size_t) shift << HISTOGRAM_PRECISION_BITS) + (size_t) (value >> shift);
}

static inline void
histogram_record (struct histogram *histogram, uint64_t value)
{
  atomic_fetch_add_explicit (&histogram->counts[histogram_bucket (value)], 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&histogram->sum, value, memory_order_relaxed);
  uint64_t maximum = atomic_load_explicit (&histogram->maximum, memory_order_relaxed);
  while (value > maximum
         && !atomic_compare_exchange_weak_explicit (&histogram->maximum, &maximum, value,
                                                    memory_order_relaxed, memory_order_relaxed))
    ;
}

/* Adds what `from` holds to `into`. */
void histogram_merge (struct histogram *into, const struct histogram *from);
/* Starts again from nothing. What is recorded meanwhile may be lost or kept. */
void histogram_clear (struct histogram *histogram);

uint64_t histogram_count (const struct histogram *histogram); /* values recorded */
uint64_t histogram_sum (const struct histogram *histogram);
uint64_t histogram_maximum (const struct histogram *histogram);
/* Values recorded that are at most `value`; those that share its bucket all count. */
uint64_t histogram_count_at_most (const struct histogram *histogram, uint64_t value);
/* The same of one value after another: those that rise cost one walk through the buckets, and another that
 * does not begins anew. Zeroed at first. */
struct histogram_walk
{
  size_t end;     /* of the buckets that are counted */
  uint64_t count; /* of the values in them */
};
uint64_t histogram_walk_to (const struct histogram *histogram, struct histogram_walk *walk,
                            uint64_t value);
/* The value that `fraction` (0 … 1; 0.99 for P99) of the recorded ones do not exceed, at most 1/128
 * off; 0 when empty. 1 gives the maximum, exactly. */
uint64_t histogram_percentile (const struct histogram *histogram, double fraction);

#endif
