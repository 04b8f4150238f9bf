/* SPDX-License-Identifier: MIT */
/*
 * cpu: which SIMD kernels may run. Decided once, at load time; each kernel has a scalar twin that
 * gives the same answer. Off with cpu_limit (option use-simd, tests), or for a whole build with
 * -Dsimd=false.
 */
#ifndef LIGHTNING_BASE_CPU_H
#define LIGHTNING_BASE_CPU_H

#include <stdbool.h>

enum cpu_level
{
  CPU_SCALAR = 0,
  CPU_SSE2 = 1, /* also NEON: 128-bit */
  CPU_AVX2 = 2,
  CPU_AVX512 = 3, /* F + BW + VL */
};

enum cpu_level cpu_level (void);         /* what may be used now */
void cpu_limit (enum cpu_level at_most); /* process-wide; before databases are open */

#endif
