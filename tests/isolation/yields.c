/* SPDX-License-Identifier: MIT */
#include "yields.h"

#include "base/random.h"

#include <pthread.h>
#include <sched.h>

/* Nothing here may use an atomic operation of the language: that would lead here again. */
#define UNSEEN __attribute__ ((no_sanitize ("thread")))

static uint64_t seed;    /* while no other thread runs */
static unsigned rate;    /* of 10,000 atomic operations; locks: ten times as many */
static uint64_t threads; /* seen since the seed was set */
static uint64_t count;   /* yields */

static _Thread_local struct
{
  uint64_t seed; /* for which `random` was made */
  struct random random;
} mine;

UNSEEN void
yields_set (uint64_t new_seed, unsigned per_thousand)
{
  seed = new_seed + 1;
  rate = per_thousand;
  threads = 0;
}

UNSEEN uint64_t
yields_count (void)
{
  return count;
}

UNSEEN static void
maybe (unsigned of_ten_thousand)
{
  if (rate == 0)
    return;
  if (mine.seed != seed)
    {
      mine.seed = seed;
      mine.random.state = seed * 1021 + threads++; /* two that race draw the same: no harm */
    }
  if (random_below (&mine.random, 10000) >= of_ten_thousand)
    return;
  count++; /* a race may lose some */
  sched_yield ();
}

#define AROUND(type, name, parameters, arguments, odds)                                            \
  type __real_##name parameters;                                                                   \
  type __wrap_##name parameters;                                                                   \
  UNSEEN type __wrap_##name parameters                                                             \
  {                                                                                                \
    maybe (odds);                                                                                  \
    type result = __real_##name arguments;                                                         \
    maybe (odds);                                                                                  \
    return result;                                                                                 \
  }

AROUND (int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex), rate * 10)
AROUND (int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex), rate * 10)
AROUND (int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex), rate * 10)
AROUND (int, pthread_cond_signal, (pthread_cond_t * condition), (condition), rate * 10)
AROUND (int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition), rate * 10)
AROUND (int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex),
        (condition, mutex), rate * 10)

#ifdef __SANITIZE_THREAD__

/* GCC's names for what it makes of atomics; `order` is enum memory_order. */
#define ATOMICS(bits)                                                                              \
  AROUND (uint##bits##_t, __tsan_atomic##bits##_load,                                              \
          (const volatile uint##bits##_t *at, int order), (at, order), rate)                       \
  AROUND (uint##bits##_t, __tsan_atomic##bits##_exchange,                                          \
          (volatile uint##bits##_t * at, uint##bits##_t value, int order), (at, value, order),     \
          rate)                                                                                    \
  AROUND (uint##bits##_t, __tsan_atomic##bits##_fetch_add,                                         \
          (volatile uint##bits##_t * at, uint##bits##_t value, int order), (at, value, order),     \
          rate)                                                                                    \
  AROUND (uint##bits##_t, __tsan_atomic##bits##_fetch_sub,                                         \
          (volatile uint##bits##_t * at, uint##bits##_t value, int order), (at, value, order),     \
          rate)                                                                                    \
  AROUND (int, __tsan_atomic##bits##_compare_exchange_strong,                                      \
          (volatile uint##bits##_t * at, uint##bits##_t * expected, uint##bits##_t value,          \
           int order, int fail_order),                                                             \
          (at, expected, value, order, fail_order), rate)                                          \
  AROUND (int, __tsan_atomic##bits##_compare_exchange_weak,                                        \
          (volatile uint##bits##_t * at, uint##bits##_t * expected, uint##bits##_t value,          \
           int order, int fail_order),                                                             \
          (at, expected, value, order, fail_order), rate)                                          \
  void __real___tsan_atomic##bits##_store (volatile uint##bits##_t *, uint##bits##_t, int);        \
  void __wrap___tsan_atomic##bits##_store (volatile uint##bits##_t *, uint##bits##_t, int);        \
  UNSEEN void __wrap___tsan_atomic##bits##_store (volatile uint##bits##_t *at,                     \
                                                  uint##bits##_t value, int order)                 \
  {                                                                                                \
    maybe (rate);                                                                                  \
    __real___tsan_atomic##bits##_store (at, value, order);                                         \
    maybe (rate);                                                                                  \
  }

ATOMICS (8)
ATOMICS (32)
ATOMICS (64)

#endif
