/* SPDX-License-Identifier: MIT */
/*
 * hash: the two uses of XXH3-64 in the engine.
 *
 * key_hash      one hash of an internal key, computed once a lookup; memtable side hash, filters
 *               and leaf tags take their bits from it (bits 56..63 are the leaf tag).
 * checksum      seeded with where the bytes belong, so that a page, record or block that verifies
 *               in one place fails in every other.
 *
 * Both are part of the file format (filters and tags are stored).
 */
#ifndef LIGHTNING_BASE_HASH_H
#define LIGHTNING_BASE_HASH_H

#include "base/bytes.h"

uint64_t key_hash (struct bytes internal_key);

static inline uint8_t
key_tag (uint64_t hash)
{
  return (uint8_t) (hash >> 56);
}

/* The seed for everything in one file of one database: mixes the database id and file number. */
uint64_t checksum_seed (const uint8_t database_id[16], uint64_t file_number);

/* Checksum of `data` that belongs at `position` (a page number or byte offset) under `seed`. */
uint64_t checksum (uint64_t seed, uint64_t position, struct bytes data);

/* The same value for the concatenation of `parts`, for bytes that are nowhere in one piece. */
uint64_t checksum_parts (uint64_t seed, uint64_t position, const struct bytes *parts,
                         size_t part_count);

/* The same checksum of data that comes in parts. One thread at a time. new gives NULL when out of
 * memory. */
struct checksum_stream;
struct checksum_stream *checksum_stream_new (uint64_t seed, uint64_t position);
void checksum_stream_add (struct checksum_stream *stream, struct bytes part);
uint64_t checksum_stream_result (const struct checksum_stream *stream); /* of all parts so far */
void checksum_stream_free (struct checksum_stream *stream);

#endif
