/* SPDX-License-Identifier: MIT */
/*
 * filter: see filter.h.
 *
 * Invariants
 *   F1  A key that was added is always found: what lookup computes from a hash is what building
 *       computed, by the same functions.
 *   F2  After filter_parse no hash can lead outside the block: blocks and shards come from a
 *       multiply-high below their count, fuse positions stay below segment_count_length
 *       + 2 * segment_length because that length is a power of two that divides the count.
 *   F3  The SIMD and the scalar Bloom probe test the same bits.
 *   F4  Halving the blocks of a Bloom filter halves each key's block number, rounded down: a filter
 *       made too large is folded, neighbour onto neighbour, as often as its blocks are even.
 *
 * A fuse filter is cut into shards of at most SHARD_KEYS keys (fewer where memory is short) by the
 * top half of the hash, all of one shape, each with a seed of its own. Building then needs 24 bytes
 * a key of one shard (6 MiB) instead of all, and stays in the CPU's cache.
 *
 * Block, little-endian: header of 64 bytes
 *   0  u32 magic   4  u8 kind   5  u8 version   6  u16 zero   8  u64 keys (for people)
 *  16  u32 blocks (bloom) or shards (fuse8)    20  u32 segment length    24  u32 segment count
 *  28  … zero
 * then, bloom: blocks × 64 bytes; fuse8: shards × u64 seeds, zeroes up to a multiple of 64, shards
 * × (segment count + 2) × segment length fingerprints.
 */
#include "segment/filter.h"

#include "base/coding.h"
#include "base/cpu.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define FILTER_MAGIC UINT32_C (0x314c4946) /* "FIL1" */
#define FILTER_VERSION 1
#define HEADER_SIZE 64u
#define BLOCK_SIZE 64u
#define BLOOM_BITS_PER_KEY 10u
#define BLOOM_PROBES 6u
#define BLOOM_MULTIPLIER UINT32_C (0x9e3779b9)
#define SHARD_KEYS UINT64_C (250000)
#define SEGMENT_LENGTH_MAX (UINT32_C (1) << 18)
#define ATTEMPTS_MAX 64 /* seeds tried for one shard; one in a few hundred fails */
#define KEYS_MAX (UINT64_C (1) << 31)

#define SHARD_KEYS_LEAST UINT64_C (4096)
#define FOLDS_MAX 6u /* times that a Bloom filter built in place can be halved */

struct filter_builder
{
  enum filter_kind kind; /* what was asked for */
  struct ledger *ledger; /* LEDGER_MERGE */
  size_t memory;         /* bytes to get by with; 0 = no limit */
  struct buffer hashes;  /* u64 of all keys so far, until there are too many */
  struct buffer bloom;   /* then this block, which keys go straight into */
  uint32_t blocks;       /* of it; 0 = not yet */
  uint64_t capacity;     /* keys it was made for */
  uint64_t expected;     /* keys in the end, or 0 */
  uint64_t last;         /* hash added last */
  size_t count;          /* keys */
};

/* ---- placing ---- */

/* Scales the top half of a hash to [0, count). */
static inline uint32_t
scale (uint64_t hash, uint32_t count)
{
  return (uint32_t) (((hash >> 32) * count) >> 32);
}

static inline uint64_t
mix (uint64_t hash, uint64_t seed)
{
  hash += seed;
  hash = (hash ^ (hash >> 33)) * UINT64_C (0xff51afd7ed558ccd);
  hash = (hash ^ (hash >> 33)) * UINT64_C (0xc4ceb9fe1a85ec53);
  return hash ^ (hash >> 33);
}

static inline uint8_t
fingerprint (uint64_t mixed)
{
  return (uint8_t) (mixed ^ (mixed >> 32));
}

/* The three positions of a mixed hash, in three neighbouring segments. */
static inline void
fuse_positions (const struct filter *filter, uint64_t mixed, uint32_t at[3])
{
  uint32_t first = (uint32_t) (((unsigned __int128) mixed * filter->segment_count_length) >> 64);
  at[0] = first;
  at[1]
      = (first + filter->segment_length) ^ ((uint32_t) (mixed >> 18) & filter->segment_length_mask);
  at[2] = (first + 2 * filter->segment_length) ^ ((uint32_t) mixed & filter->segment_length_mask);
}

/* ---- collecting ---- */

status
filter_builder_new (enum filter_kind kind, size_t memory, struct ledger *ledger,
                    struct filter_builder **out, struct failure *failure)
{
  *out = NULL;
  if (kind != FILTER_NONE && kind != FILTER_BLOOM && kind != FILTER_FUSE8)
    return fail (failure, STATUS_INVALID, "there is no filter kind %d", (int) kind);
  struct filter_builder *builder = calloc (1, sizeof *builder);
  if (builder == NULL)
    return fail_memory (failure, sizeof *builder, "a filter");
  builder->kind = kind;
  builder->memory = memory;
  builder->ledger = ledger;
  *out = builder;
  return STATUS_OK;
}

void
filter_builder_free (struct filter_builder *builder)
{
  if (builder == NULL)
    return;
  buffer_release (&builder->hashes, builder->ledger, LEDGER_MERGE);
  buffer_release (&builder->bloom, builder->ledger, LEDGER_MERGE);
  free (builder);
}

static uint64_t *
hashes_of (const struct filter_builder *builder)
{
  return (uint64_t *) (void *) builder->hashes.data;
}

/* Hashes to keep: what is left of the memory is for the block and for building it. */
static size_t
hashes_most (const struct filter_builder *builder)
{
  uint64_t most = builder->memory > 0 ? builder->memory / 8 * 5 / sizeof (uint64_t) : KEYS_MAX;
  return most < KEYS_MAX ? (size_t) most : KEYS_MAX;
}

static void
store_header (uint8_t *block, enum filter_kind kind, uint64_t keys, uint32_t parts)
{
  store_u32 (block, FILTER_MAGIC);
  block[4] = (uint8_t) kind;
  block[5] = FILTER_VERSION;
  store_u64 (block + 8, keys);
  store_u32 (block + 16, parts);
}

static status
allocate_block (struct filter_builder *builder, size_t size, struct buffer *out,
                struct failure *failure)
{
  if (!buffer_resize (out, size, builder->ledger, LEDGER_MERGE))
    return fail_memory (failure, size, "a filter block");
  memset (out->data, 0, size);
  return STATUS_OK;
}

/* ---- Bloom ---- */

static uint64_t
bloom_blocks (uint64_t keys)
{
  return (keys * BLOOM_BITS_PER_KEY + BLOCK_SIZE * 8 - 1) / (BLOCK_SIZE * 8);
}

static size_t
bloom_size (uint64_t blocks)
{
  return HEADER_SIZE + (size_t) blocks * BLOCK_SIZE;
}

static inline void
bloom_set (uint8_t *blocks, uint32_t count, uint64_t hash)
{
  uint8_t *block = blocks + (size_t) scale (hash, count) * BLOCK_SIZE;
  uint32_t probe = (uint32_t) hash;
  for (unsigned k = 0; k < BLOOM_PROBES; k++, probe *= BLOOM_MULTIPLIER)
    block[probe >> 26] |= (uint8_t) (1u << ((probe >> 23) & 7));
}

static status
build_bloom (struct filter_builder *builder, struct buffer *out, size_t *size,
             struct failure *failure)
{
  uint32_t blocks = (uint32_t) bloom_blocks (builder->count);
  *size = bloom_size (blocks);
  status result = allocate_block (builder, *size, out, failure);
  if (result != STATUS_OK)
    return result;
  store_header (out->data, FILTER_BLOOM, builder->count, blocks);
  for (size_t i = 0; i < builder->count; i++)
    bloom_set (out->data + HEADER_SIZE, blocks, hashes_of (builder)[i]);
  return STATUS_OK;
}

/* From here on keys go straight into a block. */
static status
begin_bloom (struct filter_builder *builder, struct failure *failure)
{
  uint64_t keys = builder->expected, fits = builder->memory / 8 * 5 * 8 / BLOOM_BITS_PER_KEY;
  if (keys == 0 || keys > fits)
    keys = fits;
  if (keys < 2 * (uint64_t) builder->count)
    keys = 2 * (uint64_t) builder->count;
  uint32_t unit = UINT32_C (1) << FOLDS_MAX; /* F4 */
  uint64_t blocks = (bloom_blocks (keys) + unit - 1) / unit * unit;
  status result = allocate_block (builder, bloom_size (blocks), &builder->bloom, failure);
  if (result != STATUS_OK)
    return result;
  builder->blocks = (uint32_t) blocks;
  builder->capacity = keys;
  for (size_t i = 0; i < builder->count; i++)
    bloom_set (builder->bloom.data + HEADER_SIZE, builder->blocks, hashes_of (builder)[i]);
  buffer_release (&builder->hashes, builder->ledger, LEDGER_MERGE);
  return STATUS_OK;
}

/* Halves it as long as it keeps its bits for each key (F4). */
static void
finish_bloom (struct filter_builder *builder, struct buffer *out, size_t *size)
{
  uint8_t *bits = builder->bloom.data + HEADER_SIZE;
  uint64_t needed = bloom_blocks (builder->count);
  for (unsigned fold = 0; fold < FOLDS_MAX && builder->blocks / 2 >= needed; fold++)
    {
      builder->blocks /= 2;
      for (uint32_t block = 0; block < builder->blocks; block++)
        for (unsigned i = 0; i < BLOCK_SIZE; i++)
          bits[(size_t) block * BLOCK_SIZE + i] = bits[(size_t) block * 2 * BLOCK_SIZE + i]
                                                  | bits[((size_t) block * 2 + 1) * BLOCK_SIZE + i];
    }
  store_header (builder->bloom.data, FILTER_BLOOM, builder->count, builder->blocks);
  *size = bloom_size (builder->blocks);
  *out = builder->bloom;
  builder->bloom = (struct buffer){ 0 };
}

/* ---- adding ---- */

static status
filter_builder_grow (struct filter_builder *builder, struct failure *failure)
{
  size_t most = hashes_most (builder), room = builder->count + builder->count / 2 + 1024;
  room = room < most ? room : most;
  if (room <= builder->count && builder->memory > 0)
    return begin_bloom (builder, failure);
  if (room <= builder->count)
    return fail (failure, STATUS_TOO_MANY, "a filter holds at most %llu keys; use smaller segments",
                 (unsigned long long) KEYS_MAX);
  if (!buffer_resize (&builder->hashes, room * sizeof (uint64_t), builder->ledger, LEDGER_MERGE))
    return fail_memory (failure, room * sizeof (uint64_t), "a filter's hashes");
  return STATUS_OK;
}

status
filter_builder_add (struct filter_builder *builder, uint64_t hash, struct failure *failure)
{
  if (builder->kind == FILTER_NONE || (builder->count > 0 && builder->last == hash))
    return STATUS_OK; /* another version of the same key */
  if (builder->blocks == 0 && builder->count == builder->hashes.room / sizeof (uint64_t))
    {
      status result = filter_builder_grow (builder, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (builder->blocks == 0)
    hashes_of (builder)[builder->count] = hash;
  else if (builder->count < KEYS_MAX)
    bloom_set (builder->bloom.data + HEADER_SIZE, builder->blocks, hash);
  else
    return fail (failure, STATUS_TOO_MANY, "a filter holds at most %llu keys; use smaller segments",
                 (unsigned long long) KEYS_MAX);
  builder->last = hash;
  builder->count++;
  return STATUS_OK;
}

void
filter_builder_expect (struct filter_builder *builder, uint64_t keys)
{
  builder->expected = keys < KEYS_MAX ? keys : KEYS_MAX;
}

bool
filter_builder_is_full (const struct filter_builder *builder)
{
  return builder->blocks > 0 && builder->count > builder->capacity + builder->capacity / 4;
}

static bool
bloom_probe (const uint8_t *block, uint32_t probe)
{
  for (unsigned k = 0; k < BLOOM_PROBES; k++, probe *= BLOOM_MULTIPLIER)
    if ((block[probe >> 26] >> ((probe >> 23) & 7) & 1) == 0)
      return false;
  return true;
}

#if defined(__x86_64__)
/* All six probes at once: bit number = word (4 bits) and bit in it (5 bits); lanes 6 and 7 repeat
 * probes 0 and 1. */
__attribute__ ((target ("avx2"))) static bool
bloom_probe_avx2 (const uint8_t *block, uint32_t probe)
{
  const uint32_t m = BLOOM_MULTIPLIER, m2 = m * m, m3 = m2 * m, m4 = m3 * m, m5 = m4 * m;
  const __m256i powers
      = _mm256_setr_epi32 (1, (int) m, (int) m2, (int) m3, (int) m4, (int) m5, 1, (int) m);
  __m256i bits
      = _mm256_srli_epi32 (_mm256_mullo_epi32 (_mm256_set1_epi32 ((int) probe), powers), 23);
  __m256i word = _mm256_srli_epi32 (bits, 5);
  __m256i low = _mm256_permutevar8x32_epi32 (_mm256_loadu_si256 ((const __m256i *) block), word);
  __m256i high
      = _mm256_permutevar8x32_epi32 (_mm256_loadu_si256 ((const __m256i *) (block + 32)), word);
  __m256i in_high = _mm256_cmpgt_epi32 (word, _mm256_set1_epi32 (7));
  __m256i words = _mm256_blendv_epi8 (low, high, in_high);
  __m256i masks
      = _mm256_sllv_epi32 (_mm256_set1_epi32 (1), _mm256_and_si256 (bits, _mm256_set1_epi32 (31)));
  return _mm256_testc_si256 (words, masks);
}
#endif

/* ---- binary fuse: building ---- */

/* Working memory for one shard, sized for the largest. */
struct fuse_work
{
  struct buffer memory; /* of all that follows */
  uint64_t *order;      /* mixed hashes in the order they were peeled */
  uint8_t *found;       /* which of its three positions each was peeled at */
  uint8_t *counts;      /* per position: keys there * 4 | xor of their place (0, 1, 2) */
  uint64_t *sums;       /* per position: xor of the mixed hashes there */
  uint32_t *alone;      /* positions with one key left */
};

/* The published sizing for three positions: segments of 2^(log_3.33 n + 2.25), and a surplus of
 * 12.5 % at a million keys that rises to 20 % for small sets. */
static void
fuse_shape (struct filter *filter, uint64_t keys)
{
  unsigned exponent = 2;
  for (double bound = 2.4656; keys >= bound && exponent < 18; bound *= 3.33)
    exponent++;
  unsigned log = 63u - (unsigned) __builtin_clzll (keys | 1);
  double log2 = log + (double) (keys | 1) / (double) (UINT64_C (1) << log) - 1;
  double factor = log2 > 1 ? 0.875 + 0.25 * 19.93 / log2 : 4;
  if (factor < 1.125)
    factor = 1.125;
  uint32_t length = UINT32_C (1) << exponent;
  uint64_t segments = ((uint64_t) ((double) keys * factor) + length - 1) / length;
  segments = segments > 3 ? segments - 2 : 1;
  filter->segment_length = length;
  filter->segment_length_mask = length - 1;
  filter->segment_count_length = (uint32_t) segments * length;
  filter->shard_size = filter->segment_count_length + 2 * length;
}

/* Counts every key at its three positions. False when a position overflows its 6-bit count. */
static bool
fuse_count (const struct filter *filter, const uint64_t *hashes, size_t count, uint64_t seed,
            struct fuse_work *work)
{
  memset (work->counts, 0, filter->shard_size);
  memset (work->sums, 0, filter->shard_size * sizeof *work->sums);
  for (size_t i = 0; i < count; i++)
    {
      uint32_t at[3];
      uint64_t mixed = mix (hashes[i], seed);
      fuse_positions (filter, mixed, at);
      for (unsigned place = 0; place < 3; place++)
        {
          if (work->counts[at[place]] >= 252)
            return false;
          work->counts[at[place]] = (uint8_t) ((work->counts[at[place]] + 4) ^ place);
          work->sums[at[place]] ^= mixed;
        }
    }
  return true;
}

/* Peels keys that are alone at a position until none is left. Returns how many were peeled. */
static size_t
fuse_peel (const struct filter *filter, struct fuse_work *work)
{
  size_t alone = 0, peeled = 0;
  for (uint32_t i = 0; i < filter->shard_size; i++)
    if (work->counts[i] >> 2 == 1)
      work->alone[alone++] = i;
  while (alone > 0)
    {
      uint32_t index = work->alone[--alone], at[3];
      if (work->counts[index] >> 2 != 1)
        continue;
      uint64_t mixed = work->sums[index];
      unsigned found = work->counts[index] & 3;
      fuse_positions (filter, mixed, at);
      work->order[peeled] = mixed;
      work->found[peeled++] = (uint8_t) found;
      for (unsigned place = 0; place < 3; place++)
        {
          uint32_t other = at[place];
          if (place != found && work->counts[other] >> 2 == 2)
            work->alone[alone++] = other;
          work->counts[other] = (uint8_t) ((work->counts[other] - 4) ^ place);
          work->sums[other] ^= mixed;
        }
    }
  return peeled;
}

static void
fuse_assign (const struct filter *filter, const struct fuse_work *work, size_t count, uint8_t *to)
{
  for (size_t i = count; i-- > 0;)
    {
      uint32_t at[3];
      uint64_t mixed = work->order[i];
      fuse_positions (filter, mixed, at);
      to[at[work->found[i]]] = 0;
      to[at[work->found[i]]] = fingerprint (mixed) ^ to[at[0]] ^ to[at[1]] ^ to[at[2]];
    }
}

static int
compare_hashes (const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return (x > y) - (x < y);
}

static size_t
sort_and_unify (uint64_t *hashes, size_t count)
{
  size_t kept = 0;
  qsort (hashes, count, sizeof *hashes, compare_hashes);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || hashes[i] != hashes[i - 1])
      hashes[kept++] = hashes[i];
  return kept;
}

/* Builds one shard at `to` (zeroed). Versions of one key come in a row and were dropped; duplicates
 * that did not cannot be peeled, so the first failure sorts them out. */
static bool
fuse_build_shard (const struct filter *filter, uint64_t *hashes, size_t count,
                  struct fuse_work *work, uint8_t *to, uint64_t *seed)
{
  for (unsigned attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
    {
      *seed = mix (attempt + 1, UINT64_C (0x9e3779b97f4a7c15));
      if (fuse_count (filter, hashes, count, *seed, work) && fuse_peel (filter, work) == count)
        {
          fuse_assign (filter, work, count, to);
          return true;
        }
      if (attempt == 0)
        count = sort_and_unify (hashes, count);
    }
  return false;
}

/* Sorts the hashes by shard in place (American flag sort); ends[i] is where shard i ends. */
static void
partition (uint64_t *hashes, size_t count, uint32_t shards, size_t *ends, size_t *next)
{
  memset (ends, 0, shards * sizeof *ends);
  for (size_t i = 0; i < count; i++)
    ends[scale (hashes[i], shards)]++;
  size_t sum = 0;
  for (uint32_t shard = 0; shard < shards; shard++)
    {
      next[shard] = sum;
      sum += ends[shard];
      ends[shard] = sum;
    }
  for (uint32_t shard = 0; shard < shards; shard++)
    while (next[shard] < ends[shard])
      {
        uint64_t hash = hashes[next[shard]];
        uint32_t home = scale (hash, shards);
        hashes[next[shard]] = hashes[next[home]];
        hashes[next[home]++] = hash;
      }
}

static bool
fuse_work_allocate (struct filter_builder *builder, struct fuse_work *work, size_t keys,
                    size_t positions)
{
  size_t size
      = (keys + 1 + positions) * (sizeof *work->order + 1) + positions * sizeof *work->alone;
  if (!buffer_resize (&work->memory, size, builder->ledger, LEDGER_MERGE))
    return false;
  work->order = (uint64_t *) (void *) work->memory.data;
  work->sums = work->order + keys + 1;
  work->alone = (uint32_t *) (void *) (work->sums + positions);
  work->found = (uint8_t *) (work->alone + positions);
  work->counts = work->found + keys + 1;
  return true;
}

static size_t
fuse_seeds_size (uint32_t shards)
{
  return ((size_t) shards * 8 + 63) & ~(size_t) 63;
}

static uint32_t
fuse_shards (const struct filter_builder *builder)
{
  uint64_t most = builder->memory > 0 ? builder->memory / 8 / 24 : SHARD_KEYS;
  most = most < SHARD_KEYS_LEAST ? SHARD_KEYS_LEAST : most > SHARD_KEYS ? SHARD_KEYS : most;
  return (uint32_t) ((builder->count + most - 1) / most);
}

/* Builds into *out; NULL and OK when no seed works. */
static status
build_fuse (struct filter_builder *builder, struct buffer *out, size_t *size,
            struct failure *failure)
{
  struct filter filter = { .kind = FILTER_FUSE8, .shards = fuse_shards (builder) };
  struct fuse_work work = { .order = NULL };
  uint64_t *hashes = hashes_of (builder);
  size_t *ends = calloc (2 * (size_t) filter.shards, sizeof *ends);
  size_t largest = 0, start = 0;
  bool built = true;
  status result = STATUS_OK;
  if (ends == NULL)
    return fail_memory (failure, 16 * (size_t) filter.shards, "building a filter");
  partition (hashes, builder->count, filter.shards, ends, ends + filter.shards);
  for (uint32_t i = 0; i < filter.shards; i++)
    if (ends[i] - (i > 0 ? ends[i - 1] : 0) > largest)
      largest = ends[i] - (i > 0 ? ends[i - 1] : 0);
  fuse_shape (&filter, largest);
  size_t header = HEADER_SIZE + fuse_seeds_size (filter.shards);
  *size = (header + (size_t) filter.shards * filter.shard_size + 63) & ~(size_t) 63;
  if (!fuse_work_allocate (builder, &work, largest, filter.shard_size))
    result = fail_memory (failure, 24 * largest, "building a filter");
  if (result == STATUS_OK)
    result = allocate_block (builder, *size, out, failure);
  for (uint32_t i = 0; result == STATUS_OK && built && i < filter.shards; start = ends[i++])
    {
      uint64_t seed = 0;
      built = fuse_build_shard (&filter, hashes + start, ends[i] - start, &work,
                                out->data + header + (size_t) i * filter.shard_size, &seed);
      store_u64 (out->data + HEADER_SIZE + (size_t) i * 8, seed);
    }
  if (result == STATUS_OK && built)
    {
      store_header (out->data, FILTER_FUSE8, builder->count, filter.shards);
      store_u32 (out->data + 20, filter.segment_length);
      store_u32 (out->data + 24, filter.segment_count_length / filter.segment_length);
    }
  else
    {
      buffer_release (out, builder->ledger, LEDGER_MERGE);
    }
  buffer_release (&work.memory, builder->ledger, LEDGER_MERGE);
  free (ends);
  return result;
}

status
filter_builder_finish (struct filter_builder *builder, struct buffer *out, size_t *size,
                       struct failure *failure)
{
  status result = STATUS_OK;
  *out = (struct buffer){ 0 };
  *size = 0;
  if (builder->blocks > 0)
    finish_bloom (builder, out, size);
  else if (builder->count > 0 && builder->kind == FILTER_FUSE8)
    result = build_fuse (builder, out, size, failure);
  if (builder->count > 0 && result == STATUS_OK && out->data == NULL)
    result = build_bloom (builder, out, size, failure);
  if (result != STATUS_OK)
    *size = 0;
  filter_builder_free (builder);
  return result;
}

size_t
filter_builder_memory (const struct filter_builder *builder)
{
  return sizeof *builder + builder->hashes.room + builder->bloom.room;
}

/* ---- reading ---- */

static bool
all_zero (const uint8_t *at, size_t size)
{
  uint8_t any = 0;
  for (size_t i = 0; i < size; i++)
    any |= at[i];
  return any == 0;
}

static status
parse_bloom (struct bytes block, uint32_t blocks, struct filter *out, struct failure *failure)
{
  if (blocks == 0 || (uint64_t) HEADER_SIZE + (uint64_t) blocks * BLOCK_SIZE != block.size)
    return fail (failure, STATUS_CORRUPT, "a Bloom filter of %zu bytes claims %u blocks",
                 block.size, blocks);
  out->kind = FILTER_BLOOM;
  out->blocks = blocks;
  out->words = block.data + HEADER_SIZE;
  return STATUS_OK;
}

static status
parse_fuse (struct bytes block, uint32_t shards, struct filter *out, struct failure *failure)
{
  uint32_t length = load_u32 (block.data + 20), segments = load_u32 (block.data + 24);
  uint64_t shard_size, fingerprints, header;
  if (shards == 0 || shards > KEYS_MAX / SHARD_KEYS + 1 || length < 4 || length > SEGMENT_LENGTH_MAX
      || (length & (length - 1)) != 0 || segments == 0)
    return fail (failure, STATUS_CORRUPT,
                 "a fuse filter claims %u shards of %u segments of %u bytes", shards, segments,
                 length);
  shard_size = ((uint64_t) segments + 2) * length;
  if (shard_size > UINT32_MAX || __builtin_mul_overflow (shard_size, shards, &fingerprints))
    return fail (failure, STATUS_CORRUPT, "a fuse filter claims shards of %llu bytes",
                 (unsigned long long) shard_size);
  header = HEADER_SIZE + fuse_seeds_size (shards);
  if (block.size < header || fingerprints > block.size - header
      || block.size - header - fingerprints >= 64)
    return fail (failure, STATUS_CORRUPT, "a fuse filter of %zu bytes claims %llu", block.size,
                 (unsigned long long) (header + fingerprints));
  out->kind = FILTER_FUSE8;
  out->seeds = block.data + HEADER_SIZE;
  out->words = block.data + header;
  out->shards = shards;
  out->shard_size = (uint32_t) shard_size;
  out->segment_length = length;
  out->segment_length_mask = length - 1;
  out->segment_count_length = segments * length;
  return STATUS_OK;
}

status
filter_parse (struct bytes block, struct filter *out, struct failure *failure)
{
  *out = (struct filter){ FILTER_NONE };
  if (block.size == 0)
    return STATUS_OK;
  if (block.size < HEADER_SIZE || load_u32 (block.data) != FILTER_MAGIC
      || load_u16 (block.data + 6) != 0)
    return fail (failure, STATUS_CORRUPT, "a filter block of %zu bytes has no filter header",
                 block.size);
  if (block.data[5] != FILTER_VERSION)
    return fail (failure, STATUS_CORRUPT, "a filter block has the unknown version %u",
                 block.data[5]);
  uint32_t parts = load_u32 (block.data + 16);
  if (block.data[4] == FILTER_BLOOM && all_zero (block.data + 20, HEADER_SIZE - 20))
    return parse_bloom (block, parts, out, failure);
  if (block.data[4] == FILTER_FUSE8 && all_zero (block.data + 28, HEADER_SIZE - 28))
    return parse_fuse (block, parts, out, failure);
  return fail (failure, STATUS_CORRUPT, "a filter block has the unknown kind %u", block.data[4]);
}

static inline const uint8_t *
bloom_block (const struct filter *filter, uint64_t hash)
{
  return filter->words + (size_t) scale (hash, filter->blocks) * BLOCK_SIZE;
}

/* The shard's fingerprints, and the key's positions in it. */
static inline const uint8_t *
fuse_find (const struct filter *filter, uint64_t hash, uint64_t *mixed, uint32_t at[3])
{
  uint32_t shard = scale (hash, filter->shards);
  *mixed = mix (hash, load_u64 (filter->seeds + (size_t) shard * 8));
  fuse_positions (filter, *mixed, at);
  return filter->words + (size_t) shard * filter->shard_size;
}

bool
filter_may_contain (const struct filter *filter, uint64_t hash)
{
  if (filter->kind == FILTER_FUSE8)
    {
      uint64_t mixed;
      uint32_t at[3];
      const uint8_t *words = fuse_find (filter, hash, &mixed, at);
      return (words[at[0]] ^ words[at[1]] ^ words[at[2]]) == fingerprint (mixed);
    }
  if (filter->kind == FILTER_NONE)
    return true;
#if defined(__x86_64__)
  if (cpu_level () >= CPU_AVX2)
    return bloom_probe_avx2 (bloom_block (filter, hash), (uint32_t) hash);
#endif
  return bloom_probe (bloom_block (filter, hash), (uint32_t) hash);
}

void
filter_prefetch (const struct filter *filter, uint64_t hash)
{
  if (filter->kind == FILTER_BLOOM)
    __builtin_prefetch (bloom_block (filter, hash));
  else if (filter->kind == FILTER_FUSE8)
    {
      uint64_t mixed;
      uint32_t at[3];
      const uint8_t *words = fuse_find (filter, hash, &mixed, at);
      for (unsigned place = 0; place < 3; place++)
        __builtin_prefetch (words + at[place]);
    }
}
