/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

static uint64_t
bucket_count (const struct histogram *histogram, size_t bucket)
{
  return atomic_load_explicit (&histogram->counts[bucket], memory_order_relaxed);
}

static uint64_t
bucket_middle (size_t bucket)
{
  size_t doubling = bucket >> HISTOGRAM_PRECISION_BITS;
  if (doubling < 2)
    return bucket;
  unsigned shift = (unsigned) doubling - 1;
  uint64_t within = bucket & ((1u << HISTOGRAM_PRECISION_BITS) - 1);
  uint64_t first = (within + (1u << HISTOGRAM_PRECISION_BITS)) << shift;
  return first + ((UINT64_C (1) << shift) - 1) / 2;
}

void
histogram_merge (struct histogram *into, const struct histogram *from)
{
  for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
    {
      uint64_t count = bucket_count (from, bucket);
      if (count > 0)
        atomic_fetch_add_explicit (&into->counts[bucket], count, memory_order_relaxed);
    }
  atomic_fetch_add_explicit (&into->sum, histogram_sum (from), memory_order_relaxed);

  uint64_t theirs = histogram_maximum (from), ours = histogram_maximum (into);
  while (theirs > ours
         && !atomic_compare_exchange_weak_explicit (&into->maximum, &ours, theirs,
                                                    memory_order_relaxed, memory_order_relaxed))
    ;
}

void
histogram_clear (struct histogram *histogram)
{
  for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
    atomic_store_explicit (&histogram->counts[bucket], 0, memory_order_relaxed);
  atomic_store_explicit (&histogram->sum, 0, memory_order_relaxed);
  atomic_store_explicit (&histogram->maximum, 0, memory_order_relaxed);
}

uint64_t
histogram_count (const struct histogram *histogram)
{
  uint64_t count = 0;
  for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
    count += bucket_count (histogram, bucket);
  return count;
}

uint64_t
histogram_sum (const struct histogram *histogram)
{
  return atomic_load_explicit (&histogram->sum, memory_order_relaxed);
}

uint64_t
histogram_maximum (const struct histogram *histogram)
{
  return atomic_load_explicit (&histogram->maximum, memory_order_relaxed);
}

uint64_t
histogram_walk_to (const struct histogram *histogram, struct histogram_walk *walk, uint64_t value)
{
  size_t end = histogram_bucket (value) + 1;
  if (end < walk->end)
    *walk = (struct histogram_walk){ 0 };
  for (; walk->end < end; walk->end++)
    walk->count += bucket_count (histogram, walk->end);
  return walk->count;
}

uint64_t
histogram_count_at_most (const struct histogram *histogram, uint64_t value)
{
  struct histogram_walk walk = { 0 };
  return histogram_walk_to (histogram, &walk, value);
}

/* Which of `count` ordered values is asked for, from 1. */
static uint64_t
rank_of (double fraction, uint64_t count)
{
  double place = fraction * (double) count;
  if (!(place > 1))
    return 1;
  if (place >= (double) count)
    return count;
  uint64_t rank = (uint64_t) place;
  return rank + ((double) rank < place);
}

uint64_t
histogram_percentile (const struct histogram *histogram, double fraction)
{
  uint64_t count = histogram_count (histogram), maximum = histogram_maximum (histogram);
  if (count == 0)
    return 0;
  if (fraction >= 1)
    return maximum;

  uint64_t rank = rank_of (fraction, count), passed = 0;
  for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
    {
      passed += bucket_count (histogram, bucket);
      if (passed >= rank)
        {
          uint64_t middle = bucket_middle (bucket);
          return middle < maximum ? middle : maximum;
        }
    }
  return maximum; /* cleared meanwhile */
}
