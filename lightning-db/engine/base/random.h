/* SPDX-License-Identifier: MIT */
/*
 * random: fresh random bytes for ids and salts (getrandom), and a small seeded generator
 * (xoshiro-like SplitMix64) for sampling and tests. The latter is not for secrets.
 */
#ifndef LIGHTNING_BASE_RANDOM_H
#define LIGHTNING_BASE_RANDOM_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Fills `to` from the kernel. Never blocks after boot; fails only where getrandom is missing. */
status random_bytes (void *to, size_t size, struct failure *failure);

struct random
{
  uint64_t state; /* any value is a valid seed */
};

static inline uint64_t
random_next (struct random *random)
{
  uint64_t z = (random->state += UINT64_C (0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Uniform in [0, bound); bound > 0. */
static inline uint64_t
random_below (struct random *random, uint64_t bound)
{
  return (uint64_t) (((unsigned __int128) random_next (random) * bound) >> 64);
}

#endif
