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

static uint64_t
placed_seed (uint64_t seed, uint64_t position)
{
  return seed ^ (position * UINT64_C (0x9e3779b97f4a7c15));
}

uint64_t
checksum (uint64_t seed, uint64_t position, struct bytes data)
{
  return XXH3_64bits_withSeed (data.data, data.size, placed_seed (seed, position));
}

struct checksum_stream *
checksum_stream_new (uint64_t seed, uint64_t position)
{
  XXH3_state_t *state = XXH3_createState ();
  if (state != NULL)
    XXH3_64bits_reset_withSeed (state, placed_seed (seed, position));
  return (struct checksum_stream *) state;
}

void
checksum_stream_add (struct checksum_stream *stream, struct bytes part)
{
  if (part.size > 0)
    XXH3_64bits_update ((XXH3_state_t *) stream, part.data, part.size);
}

uint64_t
checksum_stream_result (const struct checksum_stream *stream)
{
  return XXH3_64bits_digest ((const XXH3_state_t *) stream);
}

void
checksum_stream_free (struct checksum_stream *stream)
{
  XXH3_freeState ((XXH3_state_t *) stream);
}

uint64_t
checksum_parts (uint64_t seed, uint64_t position, const struct bytes *parts, size_t part_count)
{
  XXH3_state_t state;
  XXH3_INITSTATE (&state);
  XXH3_64bits_reset_withSeed (&state, placed_seed (seed, position));
  for (size_t i = 0; i < part_count; i++)
    XXH3_64bits_update (&state, parts[i].data, parts[i].size);
  return XXH3_64bits_digest (&state);
}
