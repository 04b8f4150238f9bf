/* SPDX-License-Identifier: MIT */
/*
 * filter: "is this key perhaps in this segment" in one cache miss.
 *
 *   FILTER_BLOOM   blocked Bloom, 64-byte blocks, 10 bits a key: for fresh runs, built as keys come
 *   FILTER_FUSE8   binary fuse, 9 bits a key, 0.4 % false positives: for settled runs, built from
 *                  the hashes of all keys at the end (falls back to Bloom when building fails)
 *
 * Works on key_hash values; duplicates allowed when adding (versions of one key).
 * A filter block is self-describing; filter_parse checks every size before use, keeps a borrowed
 * view, and never reads outside it. Building memory is charged by the caller.
 */
#ifndef LIGHTNING_FILTER_H
#define LIGHTNING_FILTER_H

#include "base/bytes.h"
#include "base/status.h"

enum filter_kind { FILTER_NONE = 0, FILTER_BLOOM = 1, FILTER_FUSE8 = 2 };

struct filter_builder;
status filter_builder_new (enum filter_kind kind, struct filter_builder **out,
                           struct failure *failure);
status filter_builder_add (struct filter_builder *builder, uint64_t hash, struct failure *failure);
/* The block, malloc'd; empty for no keys. Frees the builder either way. */
status filter_builder_finish (struct filter_builder *builder, uint8_t **out, size_t *size,
                              struct failure *failure);
void filter_builder_free (struct filter_builder *builder);

struct filter {
  enum filter_kind kind;  /* FILTER_NONE: always "perhaps" */
  const uint8_t *words;   /* bits or fingerprints; borrowed from the block */
  uint64_t seed;          /* fuse8 */
  uint32_t blocks;        /* bloom: number of 64-byte blocks */
  uint32_t segment_length, segment_length_mask, segment_count_length; /* fuse8 */
};
/* CORRUPT when the block is malformed. */
status filter_parse (struct bytes block, struct filter *out, struct failure *failure);
/* No false negative, ever. */
bool filter_may_contain (const struct filter *filter, uint64_t hash);
void filter_prefetch (const struct filter *filter, uint64_t hash);

#endif
