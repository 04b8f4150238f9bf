/* SPDX-License-Identifier: MIT */
#include "base/cpu.h"

#include <stdatomic.h>

#define UNKNOWN (-1)

static _Atomic int limit = CPU_AVX512;
static _Atomic int detected = UNKNOWN;

static enum cpu_level
detect (void)
{
#if defined(LIGHTNING_WITHOUT_SIMD)
  return CPU_SCALAR;
#elif defined(__x86_64__)
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512vl"))
    return CPU_AVX512;
  if (__builtin_cpu_supports ("avx2"))
    return CPU_AVX2;
  return CPU_SSE2;
#elif defined(__aarch64__)
  return CPU_SSE2;
#else
  return CPU_SCALAR;
#endif
}

enum cpu_level
cpu_level (void)
{
  int found = atomic_load_explicit (&detected, memory_order_relaxed);
  if (found == UNKNOWN)
    atomic_store_explicit (&detected, found = detect (), memory_order_relaxed);
  int at_most = atomic_load_explicit (&limit, memory_order_relaxed);
  return (enum cpu_level) (found < at_most ? found : at_most);
}

void
cpu_limit (enum cpu_level at_most)
{
  atomic_store_explicit (&limit, (int) at_most, memory_order_relaxed);
}
