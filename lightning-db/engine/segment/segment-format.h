/* SPDX-License-Identifier: MIT */
/*
 * segment-format: every byte position of a segment file outside its pages. The pages themselves are
 * leaf.h and inner.h. docs/design/format-segment.md says the same in prose.
 *
 *   0          header, 4096 bytes
 *   4096       leaves, then inner pages by rising level
 *   …          blocks: filter, dictionary, range deletes, blob use, properties
 *   size-4096  footer, 4096 bytes
 *
 * All integers are little-endian. Checksums are checksum (seed, position, bytes) of base/hash.h
 * with the seed of (database id, file number) and one of the positions below.
 */
#ifndef LIGHTNING_SEGMENT_FORMAT_H
#define LIGHTNING_SEGMENT_FORMAT_H

#include "base/coding.h"

#define SEGMENT_MAGIC "LDBSEG1\n"
#define SEGMENT_FOOTER_MAGIC "LDBSEGF\n"
#define SEGMENT_MAGIC_SIZE 8u
#define SEGMENT_FORMAT_VERSION 1u

#define SEGMENT_HEADER_SIZE 4096u
#define SEGMENT_FOOTER_SIZE 4096u
#define SEGMENT_ALIGNMENT 4096u /* of raw pages in a raw segment, of the footer, of the file */
#define SEGMENT_CHECKSUM_SIZE 8u
#define SEGMENT_TRAILER_SIZE 8u      /* written by this version */
#define SEGMENT_TRAILER_SIZE_MAX 64u /* read by this version; the checksum is its first 8 bytes */

/* Positions that seed checksums. Pages use their page number, which is below 2^32. */
#define SEGMENT_POSITION_HEADER (UINT64_C (1) << 62)
#define SEGMENT_POSITION_FOOTER ((UINT64_C (1) << 62) + 1)
#define SEGMENT_POSITION_BLOCK (UINT64_C (1) << 63) /* + enum segment_block */

/* Header fields. The checksum covers all bytes before it. */
#define HEADER_VERSION 8u       /* u32 */
#define HEADER_FEATURES 12u     /* u32: a reader that does not know a set bit refuses the file */
#define HEADER_DATABASE_ID 16u  /* 16 bytes */
#define HEADER_NUMBER 32u       /* u64 */
#define HEADER_PAGE_SIZE 40u    /* u32 */
#define HEADER_TRAILER_SIZE 44u /* u32 */
#define HEADER_KEY_EPOCH 48u    /* u32, 0: not encrypted */
#define HEADER_CODEC 52u        /* u8, what was asked for; each page says what it got */
#define HEADER_COMPRESSION_LEVEL 53u /* u8 */
#define HEADER_FILTER 54u            /* u8, what was asked for */
#define HEADER_CHECKSUM (SEGMENT_HEADER_SIZE - SEGMENT_CHECKSUM_SIZE)

/* Footer fields. */
#define FOOTER_LEAVES 8u       /* u32 */
#define FOOTER_INNER_PAGES 12u /* u32 */
#define FOOTER_DEPTH 16u       /* u32, levels with the leaves; 0 without records */
#define FOOTER_PAGES_END 20u   /* u64, end of the last page */
#define FOOTER_ROOT 28u        /* PAGE_PLACE_SIZE bytes; the root is the last page */
#define FOOTER_BLOCKS 64u      /* per block: u64 offset, u64 size, u64 checksum; size 0: absent */
#define FOOTER_BLOCK_SIZE 24u
#define FOOTER_CHECKSUM (SEGMENT_FOOTER_SIZE - SEGMENT_CHECKSUM_SIZE)

enum segment_block
{
  BLOCK_FILTER = 0,
  BLOCK_DICTIONARY = 1,
  BLOCK_RANGE_DELETES = 2,
  BLOCK_BLOB_USE = 3,
  BLOCK_PROPERTIES = 4,
  BLOCK_COUNT = 5,
};

/* Limits of what a file may ask of a reader. */
#define SEGMENT_DEPTH_MAX 33u /* each inner page but a lone root has two children */
#define SEGMENT_PAGES_MAX UINT32_MAX
#define PAGE_LOGICAL_MAX (UINT32_C (3) << 30) /* two records of 1 GiB and room to spare */

/* Where a page lies and how it is stored: the entry of a page directory. */
struct page_place
{
  uint64_t offset;  /* in the file, below 2^48 */
  uint32_t stored;  /* bytes in the file, trailer included */
  uint32_t logical; /* bytes once decoded: the page's own `used` */
  uint8_t codec;    /* enum codec */
};

#define PAGE_PLACE_SIZE 15u

static inline void
page_place_store (uint8_t *to, const struct page_place *place)
{
  store_u32 (to, (uint32_t) place->offset);
  store_u16 (to + 4, (uint16_t) (place->offset >> 32));
  store_u32 (to + 6, place->stored);
  store_u32 (to + 10, place->logical);
  to[14] = place->codec;
}

static inline struct page_place
page_place_load (const uint8_t *from)
{
  return (struct page_place){
    .offset = load_u32 (from) | (uint64_t) load_u16 (from + 4) << 32,
    .stored = load_u32 (from + 6),
    .logical = load_u32 (from + 10),
    .codec = from[14],
  };
}

#define PAGE_KIND_LEAF 1u
#define PAGE_KIND_INNER 2u
#define PAGE_FLAG_WIDE 1u /* offsets are 32-bit; set on pages of more than 64 KiB */

static inline size_t
round_up (size_t size, size_t unit)
{
  return (size + unit - 1) / unit * unit;
}

#endif
