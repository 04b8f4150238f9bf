/* SPDX-License-Identifier: MIT */
/*
 * leaf: one leaf page in its logical form, which is what the cache keeps.
 *
 *    0  u8   kind (1)             12  u8  tags[count]     key_tag of each record's key
 *    1  u8   flags: 1 = wide          u16 offsets[count]  of records (u32 when wide)
 *    2  u16  count, at least 1        u64 base            lowest sequence other than 0, or 0
 *    4  u16  prefix size              …   prefix          common to all keys of the leaf
 *    6  u16  0                        u32 heads[count]    4 bytes of key after the prefix
 *    8  u32  used                     …   records
 *
 * Frames put a page 16 bytes into a cache line, so that the line that brings the header brings the
 * first 36 tags. Nothing behind the header is aligned.
 *
 *   record   u8 meta: bits 0-1 kind, 2 has sequence, 3 has expiry, rest 0
 *            varint size of the suffix, varint size of the value
 *            [varint sequence - base] [u64 expiry] suffix, value
 *
 * A head is the suffix's first 4 bytes, zeros behind a shorter one, as a big-endian number (stored
 * little-endian like every other). Heads rise weakly with the keys.
 *
 * Invariant L1: after leaf_validate, no function here reads outside `used` bytes, except that
 * leaf_find reads whole vectors of tags: up to 64 bytes behind the last tag, which every frame has.
 * Sortedness is not validated: unsorted keys make wrong answers, never a wild access.
 */
#ifndef LIGHTNING_SEGMENT_LEAF_H
#define LIGHTNING_SEGMENT_LEAF_H

#include "base/coding.h"
#include "base/cpu.h"
#include "base/record.h"
#include "base/status.h"
#include "segment/segment-format.h"

#define LEAF_HEADER_SIZE 12u
#define LEAF_PREFIX_MAX 65535u
#define LEAF_RECORD_SEQUENCE 4u /* meta bits */
#define LEAF_RECORD_EXPIRY 8u
#define LEAF_RECORD_RESERVED 0xf0u
#define LEAF_TAGS_PER_VECTOR 64u

/* ---- reading ---- */

/* True when the page may be handed to the functions below; else *reason says why not. */
bool leaf_validate (struct bytes page, const char **reason);

/* The parts of a valid leaf, found once per visit. */
struct leaf_view
{
  const uint8_t *page;    /* borrowed */
  const uint8_t *offsets; /* of the record offsets */
  const uint8_t *prefix;  /* prefix_size bytes */
  const uint8_t *heads;   /* 4 bytes each */
  uint64_t base;          /* lowest sequence other than 0 */
  uint32_t used;          /* bytes of the page */
  uint16_t count;         /* records */
  uint16_t prefix_size;   /* bytes */
  bool wide;              /* 32-bit offsets */
};

static inline struct leaf_view
leaf_view (const uint8_t *page)
{
  struct leaf_view view = {
    .page = page,
    .used = load_u32 (page + 8),
    .count = load_u16 (page + 2),
    .prefix_size = load_u16 (page + 4),
    .wide = (page[1] & PAGE_FLAG_WIDE) != 0,
  };
  view.offsets = page + LEAF_HEADER_SIZE + view.count;
  const uint8_t *base = view.offsets + (size_t) view.count * (view.wide ? 4 : 2);
  view.base = load_u64 (base);
  view.prefix = base + 8;
  view.heads = view.prefix + view.prefix_size;
  return view;
}

static inline uint32_t
leaf_offset (const struct leaf_view *view, unsigned slot)
{
  return view->wide ? load_u32 (view->offsets + 4u * slot) : load_u16 (view->offsets + 2u * slot);
}

/* A record's fields; `suffix` is the key without the leaf's prefix. */
struct leaf_record
{
  struct bytes suffix; /* borrowed from the page */
  struct bytes value;  /* borrowed from the page */
  uint64_t sequence;   /* of the commit */
  uint64_t expiry;     /* 0 = never */
  unsigned kind;       /* enum record_kind */
};

/* A varint of a validated page. */
static inline const uint8_t *
leaf_varint (const uint8_t *at, uint64_t *out)
{
  uint64_t value = *at++;
  if (__builtin_expect (value >= 0x80, 0))
    {
      value &= 0x7f;
      for (unsigned shift = 7; shift < 64; shift += 7)
        {
          uint8_t byte = *at++;
          value |= (uint64_t) (byte & 0x7f) << shift;
          if (byte < 0x80)
            break;
        }
    }
  *out = value;
  return at;
}

static inline struct leaf_record
leaf_record (const struct leaf_view *view, unsigned slot)
{
  const uint8_t *at = view->page + leaf_offset (view, slot);
  uint8_t meta = *at++;
  uint64_t suffix_size, value_size;
  at = leaf_varint (at, &suffix_size);
  at = leaf_varint (at, &value_size);
  struct leaf_record record = { .kind = meta & 3u };
  if ((meta & LEAF_RECORD_SEQUENCE) != 0)
    {
      at = leaf_varint (at, &record.sequence);
      record.sequence += view->base;
    }
  if ((meta & LEAF_RECORD_EXPIRY) != 0)
    {
      record.expiry = load_u64 (at);
      at += 8;
    }
  record.suffix = BYTES (at, suffix_size);
  record.value = BYTES (at + suffix_size, value_size);
  return record;
}

enum leaf_result
{
  LEAF_FOUND,
  LEAF_ABSENT,    /* no version at or below the snapshot, here or in the next leaf */
  LEAF_CONTINUES, /* newer versions up to the leaf's end: the next leaf may hold one */
};

/* The newest version of `key` at or below `snapshot` by tags. `level`: which kernel may run.
 * record->key is `key` itself. */
enum leaf_result leaf_find (const uint8_t *page, struct bytes key, uint8_t tag, uint64_t snapshot,
                            enum cpu_level level, struct record *record);
/* The first slot that may hold `tag`, with the lines of its record prefetched (for batches). */
void leaf_prefetch_candidate (const uint8_t *page, uint8_t tag, enum cpu_level level);
/* Starts fetching the lines leaf_find reads first. */
static inline void
leaf_prefetch (const uint8_t *page)
{
  __builtin_prefetch (page);
  __builtin_prefetch (page + 48);
  __builtin_prefetch (page + 112);
}

/* Starts fetching the rest of what leaf_lower_bound reads, of a leaf of usual size. */
static inline void
leaf_prefetch_heads (const uint8_t *page)
{
  __builtin_prefetch (page + 176);
  __builtin_prefetch (page + 240);
}

/* The first slot whose key is >= `key`; count when there is none. */
unsigned leaf_lower_bound (const struct leaf_view *view, struct bytes key);

/* Whether all records of the leaf have different keys. */
bool leaf_is_distinct (const struct leaf_view *view);

/* Bit i set when tags[i] == tag, for 64 tags (all readable). Every level gives the same answer. */
uint64_t leaf_match_tags (enum cpu_level level, const uint8_t *tags, uint8_t tag);

/* The number heads are compared by. */
static inline uint32_t
leaf_head (struct bytes suffix)
{
  if (suffix.size >= 4)
    return load_u32_big (suffix.data);
  uint32_t head = 0;
  for (size_t i = 0; i < suffix.size; i++)
    head |= (uint32_t) suffix.data[i] << (24 - 8 * i);
  return head;
}

/* ---- building ---- */

struct leaf_item; /* a record waiting in the builder */

struct leaf_builder
{
  size_t page_size;        /* unit, bytes */
  size_t reserved;         /* bytes of the last unit kept free for the trailer */
  uint8_t *data;           /* keys and values end to end; owned */
  size_t data_size;        /* bytes in use */
  size_t data_room;        /* bytes allocated */
  struct leaf_item *items; /* owned */
  size_t count;            /* records */
  size_t item_room;        /* items allocated */
  size_t prefix_size;      /* common to all keys so far */
  uint64_t base;           /* lowest sequence other than 0 */
  size_t used;             /* bytes of the page as it stands */
  size_t units;            /* of page_size the page takes */
};

void leaf_builder_init (struct leaf_builder *builder, size_t page_size, size_t reserved);
void leaf_builder_clear (struct leaf_builder *builder); /* frees */
/* Adds a copy of the record, unless the leaf is full: then *added is false and the leaf is to be
 * finished first. An empty leaf takes any record, a leaf of one a second one. */
status leaf_builder_add (struct leaf_builder *builder, const struct record *record, uint8_t tag,
                         bool *added, struct failure *failure);
/* Writes the page: `used` bytes, zeros up to units * page_size; empties the builder. */
void leaf_builder_write (struct leaf_builder *builder, uint8_t *to);
/* The key of the last record added; borrowed until the next call. */
struct bytes leaf_builder_last_key (const struct leaf_builder *builder);
/* Bytes held. */
size_t leaf_builder_memory (const struct leaf_builder *builder);

#endif
