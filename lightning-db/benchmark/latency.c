/* SPDX-License-Identifier: MIT */
#include "latency.h"

void
latency_merge (struct latency *into, const struct latency *from)
{
  for (size_t bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
    into->buckets[bucket] += from->buckets[bucket];
  into->count += from->count;
  into->sum += from->sum;
  if (from->maximum > into->maximum)
    into->maximum = from->maximum;
}

uint64_t
latency_bucket_middle (size_t bucket)
{
  size_t doubling = bucket >> LATENCY_PRECISION_BITS;
  if (doubling < 2)
    return bucket;
  unsigned shift = (unsigned) doubling - 1;
  uint64_t within = bucket & ((1u << LATENCY_PRECISION_BITS) - 1);
  return ((within + (1u << LATENCY_PRECISION_BITS)) << shift) + ((UINT64_C (1) << shift) - 1) / 2;
}

uint64_t
latency_percentile (const struct latency *latency, double fraction)
{
  if (latency->count == 0 || fraction >= 1)
    return latency->maximum;
  double wanted = fraction * (double) latency->count;
  uint64_t passed = 0;
  for (size_t bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
    {
      passed += latency->buckets[bucket];
      if (passed > 0 && (double) passed >= wanted)
        {
          uint64_t middle = latency_bucket_middle (bucket);
          return middle < latency->maximum ? middle : latency->maximum;
        }
    }
  return latency->maximum;
}
