/* SPDX-License-Identifier: MIT */
#include "memtable/memtable-node.h"

#include <sched.h>

#if defined(__x86_64__) && !MEMTABLE_SCALAR_ONLY
#include <immintrin.h>
#define HEAD_SEARCH_X86 1
#else
#define HEAD_SEARCH_X86 0
#endif
#if defined(__aarch64__) && !MEMTABLE_SCALAR_ONLY
#include <arm_neon.h>
#define HEAD_SEARCH_NEON 1
#else
#define HEAD_SEARCH_NEON 0
#endif

/* The writer is inside a node for tens of nanoseconds; when it was descheduled there, its
 * processor is what a waiter should give it. */
#define SPINS_BEFORE_YIELD 100

static inline void
pause_processor (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

uint32_t
node_begin_slow (const struct node *node)
{
  for (unsigned spins = 0;; spins++)
    {
      uint32_t version = __atomic_load_n (&node->version, __ATOMIC_ACQUIRE);
      if ((version & 1) == 0)
        return version;
      if (spins < SPINS_BEFORE_YIELD)
        pause_processor ();
      else
        sched_yield ();
    }
}

/* Binary search without branches on the data; ties are few, so they are counted one by one. */
static struct head_span
search_scalar (const uint32_t *heads, unsigned count, uint32_t head)
{
  unsigned base = 0;
  unsigned length = count;
  while (length > 0)
    {
      unsigned half = (length + 1) / 2;
      bool below = (int32_t) shared_load (&heads[base + half - 1]) < (int32_t) head;
      base += below ? half : 0;
      length = below ? length - half : half - 1;
    }
  unsigned through = base;
  while (through < count && shared_load (&heads[through]) == head)
    through++;
  return (struct head_span){ base, through };
}

#if HEAD_SEARCH_X86

static inline __attribute__ ((always_inline)) struct head_span
span_of (uint64_t below, uint64_t equal, unsigned count)
{
  uint64_t used = (UINT64_C (1) << count) - 1;
  uint32_t below_count = (uint32_t) __builtin_popcountll (below & used);
  uint32_t equal_count = (uint32_t) __builtin_popcountll (equal & used);
  return (struct head_span){ below_count, below_count + equal_count };
}

static struct head_span
search_sse2 (const uint32_t *heads, unsigned count, uint32_t head)
{
  const __m128i wanted = _mm_set1_epi32 ((int) head);
  uint64_t below = 0;
  uint64_t equal = 0;
  for (unsigned i = 0; i < count; i += 4)
    {
      __m128i block = _mm_loadu_si128 ((const __m128i *) (heads + i));
      below |= (uint64_t) _mm_movemask_ps (_mm_castsi128_ps (_mm_cmplt_epi32 (block, wanted))) << i;
      equal |= (uint64_t) _mm_movemask_ps (_mm_castsi128_ps (_mm_cmpeq_epi32 (block, wanted))) << i;
    }
  uint64_t used = count < 64 ? (UINT64_C (1) << count) - 1 : UINT64_MAX;
  uint32_t below_count = (uint32_t) __builtin_popcountll (below & used);
  return (struct head_span){ below_count,
                             below_count + (uint32_t) __builtin_popcountll (equal & used) };
}

/* The wider ones read all 64 words from the first head on, which are still the node, and mask what
 * lies behind the last: a loop up to `count` would be mispredicted once a node. */

#define AVX2_BLOCK(i)                                                                              \
  do                                                                                               \
    {                                                                                              \
      __m256i block = _mm256_loadu_si256 ((const __m256i *) (heads + (i) *8));                     \
      __m256 lower = _mm256_castsi256_ps (_mm256_cmpgt_epi32 (wanted, block));                     \
      __m256 same = _mm256_castsi256_ps (_mm256_cmpeq_epi32 (wanted, block));                      \
      below |= (uint64_t) (uint8_t) _mm256_movemask_ps (lower) << ((i) *8);                        \
      equal |= (uint64_t) (uint8_t) _mm256_movemask_ps (same) << ((i) *8);                         \
    }                                                                                              \
  while (0)

__attribute__ ((target ("avx2,popcnt"))) static struct head_span
search_avx2 (const uint32_t *heads, unsigned count, uint32_t head)
{
  const __m256i wanted = _mm256_set1_epi32 ((int) head);
  uint64_t below = 0;
  uint64_t equal = 0;
  AVX2_BLOCK (0);
  AVX2_BLOCK (1);
  AVX2_BLOCK (2);
  AVX2_BLOCK (3);
  AVX2_BLOCK (4);
  AVX2_BLOCK (5);
  AVX2_BLOCK (6);
  AVX2_BLOCK (7);
  return span_of (below, equal, count);
}

#define AVX512_BLOCK(i)                                                                            \
  do                                                                                               \
    {                                                                                              \
      __m512i block = _mm512_loadu_si512 (heads + (i) *16);                                        \
      below |= (uint64_t) _mm512_cmplt_epi32_mask (block, wanted) << ((i) *16);                    \
      equal |= (uint64_t) _mm512_cmpeq_epi32_mask (block, wanted) << ((i) *16);                    \
    }                                                                                              \
  while (0)

__attribute__ ((target ("avx512f,avx512bw,avx512vl,popcnt"))) static struct head_span
search_avx512 (const uint32_t *heads, unsigned count, uint32_t head)
{
  const __m512i wanted = _mm512_set1_epi32 ((int) head);
  uint64_t below = 0;
  uint64_t equal = 0;
  AVX512_BLOCK (0);
  AVX512_BLOCK (1);
  AVX512_BLOCK (2);
  AVX512_BLOCK (3);
  return span_of (below, equal, count);
}

#endif

#if HEAD_SEARCH_NEON

static struct head_span
search_neon (const uint32_t *heads, unsigned count, uint32_t head)
{
  const int32x4_t wanted = vdupq_n_s32 ((int32_t) head);
  uint32_t below = 0;
  uint32_t equal = 0;
  unsigned i = 0;
  for (; i + 4 <= count; i += 4)
    {
      int32x4_t block = vreinterpretq_s32_u32 (vld1q_u32 (heads + i));
      below += vaddvq_u32 (vshrq_n_u32 (vcltq_s32 (block, wanted), 31));
      equal += vaddvq_u32 (vshrq_n_u32 (vceqq_s32 (block, wanted), 31));
    }
  for (; i < count; i++)
    {
      uint32_t value = shared_load (&heads[i]);
      below += (int32_t) value < (int32_t) head;
      equal += value == head;
    }
  return (struct head_span){ below, below + equal };
}

#endif

head_search
head_search_for (enum cpu_level level)
{
#if HEAD_SEARCH_X86
  if (level >= CPU_AVX512)
    return search_avx512;
  if (level >= CPU_AVX2)
    return search_avx2;
  if (level >= CPU_SSE2)
    return search_sse2;
#elif HEAD_SEARCH_NEON
  if (level >= CPU_SSE2)
    return search_neon;
#endif
  return search_scalar;
}
