/* SPDX-License-Identifier: MIT */
/* sorted-keys: keys in an array, in the engine's order. */
#ifndef LIGHTNING_TESTS_SORTED_KEYS_H
#define LIGHTNING_TESTS_SORTED_KEYS_H

#include "base/bytes.h"

#include <stdlib.h>

static inline int
sorted_keys_compare (const void *left, const void *right)
{
  return bytes_compare (*(const struct bytes *) left, *(const struct bytes *) right);
}

static inline void
sorted_keys_sort (struct bytes *keys, size_t count)
{
  qsort (keys, count, sizeof *keys, sorted_keys_compare);
}

/* The index of a key; of one that is not there, of the next one. */
static inline uint32_t
sorted_keys_find (const struct bytes *keys, uint32_t count, struct bytes key)
{
  uint32_t low = 0, high = count;
  while (low < high)
    {
      uint32_t middle = (low + high) / 2;
      if (bytes_compare (keys[middle], key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

#endif
