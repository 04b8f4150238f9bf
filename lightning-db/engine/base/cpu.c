/* SPDX-License-Identifier: MIT */
#include "base/cpu.h"

#include <stdatomic.h>

static _Atomic int limit = CPU_AVX512;

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
  enum cpu_level found = detect ();
  int at_most = atomic_load_explicit (&limit, memory_order_relaxed);
  return (int) found < at_most ? found : (enum cpu_level) at_most;
}

void
cpu_limit (enum cpu_level at_most)
{
  atomic_store_explicit (&limit, (int) at_most, memory_order_relaxed);
}
