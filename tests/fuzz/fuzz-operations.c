/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a sequence of operations on a database, each compared with the oracle of the
 * differential test: two bytes are the seed of keys and options, then each three are the kind of an
 * operation and what it draws from.
 */
#include "../engine/differential.h"
#include "fuzz.h"

#define OPERATIONS_MAX 2000u

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct trial trial;
  struct trial_totals totals = { .operations = 0 };
  if (size < 5)
    return 0;
  fuzz_directory (); /* databases are made beside it, in memory */
  size_t operations = (size - 2) / 3;
  operations = operations < OPERATIONS_MAX ? operations : OPERATIONS_MAX;
  episode_begin (&trial, (uint64_t) data[0] << 8 | data[1], operations, &totals);
  for (size_t i = 0; i < operations; i++)
    {
      const uint8_t *at = data + 2 + 3 * i;
      trial.random.state = (uint64_t) at[1] << 8 | at[2];
      episode_step (&trial, (enum kind) (at[0] % KIND_COUNT));
    }
  episode_end (&trial);
  return 0;
}
