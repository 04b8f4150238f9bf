/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "base/coding.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
key_hash (struct bytes internal_key)
{
  return XXH3_64bits (internal_key.data, internal_key.size);
}

uint64_t
checksum_seed (const uint8_t database_id[16], uint64_t file_number)
{
  uint8_t place[24];
  memcpy (place, database_id, 16);
  store_u64 (place + 16, file_number);
  return XXH3_64bits (place, sizeof place);
}

uint64_t
checksum (uint64_t seed, uint64_t position, struct bytes data)
{
  return XXH3_64bits_withSeed (data.data, data.size,
                               seed ^ (position * UINT64_C (0x9e3779b97f4a7c15)));
}

uint64_t
checksum_parts (uint64_t seed, uint64_t position, const struct bytes *parts, size_t part_count)
{
  XXH3_state_t state;
  XXH3_INITSTATE (&state);
  XXH3_64bits_reset_withSeed (&state, seed ^ (position * UINT64_C (0x9e3779b97f4a7c15)));
  for (size_t i = 0; i < part_count; i++)
    XXH3_64bits_update (&state, parts[i].data, parts[i].size);
  return XXH3_64bits_digest (&state);
}
