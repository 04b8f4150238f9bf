/* SPDX-License-Identifier: MIT */
/*
 * filter: "is this key perhaps in this segment" in one cache miss.
 *
 *   FILTER_BLOOM   blocked Bloom, 64-byte blocks, 10 bits a key, 1 % false positives: for fresh runs
 *   FILTER_FUSE8   binary fuse, 9.0 to 9.6 bits a key, 0.4 % false positives: for settled runs (falls
 *                  back to Bloom when building fails)
 *
 * Works on key_hash values; duplicates allowed when adding (versions of one key). Either kind keeps
 * the hashes of all keys until the end, 8 bytes each, as far as the builder's memory goes. Beyond
 * that it becomes a Bloom filter at once, which takes 1.25 bytes a key, of as many keys as it is
 * told to expect, and is full some time after those have come.
 *
 * A filter block is self-describing; filter_parse checks every size before use, keeps a borrowed
 * view, and never reads outside it. Layout, all little-endian: docs/design/filter.md. The memory of
 * a block should be aligned to 64 bytes, so that a Bloom lookup touches one line; any alignment
 * works.
 *
 * Threads: a builder is one thread's; a parsed filter is read by any number.
 */
#ifndef LIGHTNING_FILTER_H
#define LIGHTNING_FILTER_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

enum filter_kind
{
  FILTER_NONE = 0,
  FILTER_BLOOM = 1,
  FILTER_FUSE8 = 2
};

/* `memory`: bytes it should get by with; 0 = as many as it takes. `ledger` (LEDGER_MERGE; may be
 * NULL) outlives the builder. */
struct filter_builder;
status filter_builder_new (enum filter_kind kind, size_t memory, struct ledger *ledger,
                           struct filter_builder **out, struct failure *failure);
status filter_builder_add (struct filter_builder *builder, uint64_t hash, struct failure *failure);
/* How many keys there will be in the end, as far as is known; 0 = nothing is known. */
void filter_builder_expect (struct filter_builder *builder, uint64_t keys);
/* More keys would cost more false positives than promised: a quarter above those expected. */
bool filter_builder_is_full (const struct filter_builder *builder);
/* The block, *size bytes of *out, which the caller releases (LEDGER_MERGE); empty for no keys.
 * Frees the builder either way. */
status filter_builder_finish (struct filter_builder *builder, struct buffer *out, size_t *size,
                              struct failure *failure);
void filter_builder_free (struct filter_builder *builder);
size_t filter_builder_memory (const struct filter_builder *builder); /* bytes it holds now */

struct filter
{
  enum filter_kind kind; /* FILTER_NONE: always "perhaps" */
  const uint8_t *words;  /* bits or fingerprints; borrowed from the block */
  const uint8_t *seeds;  /* fuse8: one 64-bit seed a shard; borrowed */
  uint32_t blocks;       /* bloom: number of 64-byte blocks */
  uint32_t shards;       /* fuse8: parts, each a binary fuse filter of the same shape */
  uint32_t shard_size;   /* fuse8: fingerprints (bytes) of a shard */
  uint32_t segment_length, segment_length_mask, segment_count_length; /* fuse8 */
};
/* CORRUPT when the block is malformed. An empty block is FILTER_NONE. */
status filter_parse (struct bytes block, struct filter *out, struct failure *failure);
/* No false negative, ever. */
bool filter_may_contain (const struct filter *filter, uint64_t hash);
void filter_prefetch (const struct filter *filter, uint64_t hash);

#endif
