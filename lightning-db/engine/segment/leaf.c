/* SPDX-License-Identifier: MIT */
#include "segment/leaf.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- tags ---- */

/* Exactly one bit per equal byte, eight bytes at a time. */
static uint64_t
match_tags_scalar (const uint8_t *tags, uint8_t tag)
{
  const uint64_t low = UINT64_C (0x7f7f7f7f7f7f7f7f);
  uint64_t pattern = UINT64_C (0x0101010101010101) * tag;
  uint64_t matches = 0;
  for (unsigned word = 0; word < 8; word++)
    {
      uint64_t difference = load_u64 (tags + 8 * word) ^ pattern;
      uint64_t equal = ~(((difference & low) + low) | difference | low);
      uint64_t bits = ((equal >> 7) * UINT64_C (0x0102040810204080)) >> 56;
      matches |= bits << (8 * word);
    }
  return matches;
}

#if defined(__x86_64__)
static uint64_t
match_tags_sse2 (const uint8_t *tags, uint8_t tag)
{
  __m128i pattern = _mm_set1_epi8 ((char) tag);
  uint64_t matches = 0;
  for (unsigned part = 0; part < 4; part++)
    {
      __m128i these = _mm_loadu_si128 ((const __m128i *) (const void *) (tags + 16 * part));
      unsigned mask = (unsigned) _mm_movemask_epi8 (_mm_cmpeq_epi8 (these, pattern));
      matches |= (uint64_t) mask << (16 * part);
    }
  return matches;
}

__attribute__ ((target ("avx2"))) static uint64_t
match_tags_avx2 (const uint8_t *tags, uint8_t tag)
{
  __m256i pattern = _mm256_set1_epi8 ((char) tag);
  __m256i first = _mm256_loadu_si256 ((const __m256i *) (const void *) tags);
  __m256i second = _mm256_loadu_si256 ((const __m256i *) (const void *) (tags + 32));
  uint32_t low = (uint32_t) _mm256_movemask_epi8 (_mm256_cmpeq_epi8 (first, pattern));
  uint32_t high = (uint32_t) _mm256_movemask_epi8 (_mm256_cmpeq_epi8 (second, pattern));
  return low | (uint64_t) high << 32;
}

__attribute__ ((target ("avx512f,avx512bw"))) static uint64_t
match_tags_avx512 (const uint8_t *tags, uint8_t tag)
{
  return _mm512_cmpeq_epi8_mask (_mm512_loadu_si512 (tags), _mm512_set1_epi8 ((char) tag));
}
#endif

static inline uint64_t
match_tags (enum cpu_level level, const uint8_t *tags, uint8_t tag)
{
#if defined(__x86_64__)
  if (level == CPU_AVX512)
    return match_tags_avx512 (tags, tag);
  if (level == CPU_AVX2)
    return match_tags_avx2 (tags, tag);
  if (level == CPU_SSE2)
    return match_tags_sse2 (tags, tag);
#endif
  return match_tags_scalar (tags, tag);
}

uint64_t
leaf_match_tags (enum cpu_level level, const uint8_t *tags, uint8_t tag)
{
  return match_tags (level, tags, tag);
}

typedef uint64_t (*tag_matcher) (const uint8_t *tags, uint8_t tag);

/* The matches among the vector of tags that starts at slot `first`. */
static inline __attribute__ ((always_inline)) uint64_t
matches_from (const uint8_t *page, unsigned count, unsigned first, uint8_t tag, tag_matcher match)
{
  uint64_t matches = match (page + LEAF_HEADER_SIZE + first, tag);
  unsigned left = count - first;
  return left < LEAF_TAGS_PER_VECTOR ? matches & ((UINT64_C (1) << left) - 1) : matches;
}

/* ---- searching ---- */

static inline void
prefetch_record (const uint8_t *record)
{
  __builtin_prefetch (record);
  __builtin_prefetch (record + 64);
  __builtin_prefetch (record + 124);
}

/* One tag in 256 matches by chance, which in a leaf of 35 records is one get in eight: the first
 * few candidates are fetched together, so that the wrong one costs no miss of its own. */
#define CANDIDATES_FETCHED 3

static inline void
prefetch_candidates (const uint8_t *page, const uint8_t *offsets, bool wide, unsigned first,
                     uint64_t matches)
{
  for (unsigned i = 0; matches != 0 && i < CANDIDATES_FETCHED; i++, matches &= matches - 1)
    {
      size_t slot = first + (unsigned) __builtin_ctzll (matches);
      prefetch_record (page
                       + (wide ? load_u32 (offsets + 4 * slot) : load_u16 (offsets + 2 * slot)));
    }
}

static inline bool
slot_holds (const struct leaf_view *view, const struct leaf_record *record, struct bytes key)
{
  return key.size == view->prefix_size + record->suffix.size
         && bytes_same (record->suffix.data, key.data + view->prefix_size, record->suffix.size)
         && bytes_same (view->prefix, key.data, view->prefix_size);
}

static inline __attribute__ ((always_inline)) enum leaf_result
find (const uint8_t *page, struct bytes key, uint8_t tag, uint64_t snapshot, tag_matcher match,
      struct record *record)
{
  unsigned count = load_u16 (page + 2);
  unsigned newer = UINT32_MAX; /* last slot that holds the key, too new to be seen */
  for (unsigned first = 0; first < count; first += LEAF_TAGS_PER_VECTOR)
    {
      uint64_t matches = matches_from (page, count, first, tag, match);
      if (matches == 0)
        continue;
      struct leaf_view view = leaf_view (page);
      prefetch_candidates (page, view.offsets, view.wide, first, matches);
      for (; matches != 0; matches &= matches - 1)
        {
          unsigned slot = first + (unsigned) __builtin_ctzll (matches);
          struct leaf_record found = leaf_record (&view, slot);
          if (!slot_holds (&view, &found, key))
            continue;
          newer = slot;
          if (found.sequence > snapshot)
            continue;
          *record = (struct record){ key, found.value, found.sequence, found.expiry,
                                     (enum record_kind) found.kind };
          return LEAF_FOUND;
        }
    }
  return newer + 1 == count ? LEAF_CONTINUES : LEAF_ABSENT;
}

static inline __attribute__ ((always_inline)) void
fetch_candidate (const uint8_t *page, uint8_t tag, tag_matcher match)
{
  unsigned count = load_u16 (page + 2);
  bool wide = (page[1] & PAGE_FLAG_WIDE) != 0;
  for (unsigned first = 0; first < count; first += LEAF_TAGS_PER_VECTOR)
    {
      uint64_t matches = matches_from (page, count, first, tag, match);
      if (matches == 0)
        continue;
      prefetch_candidates (page, page + LEAF_HEADER_SIZE + count, wide, first, matches);
      return;
    }
}

/* One copy for each kernel, compiled for its instructions, so that the kernel is inlined. */
#define DEFINE_SEARCHES(NAME)                                                                      \
  TARGET_##NAME static enum leaf_result find_##NAME (const uint8_t *page, struct bytes key,        \
                                                     uint8_t tag, uint64_t snapshot,               \
                                                     struct record *record)                        \
  {                                                                                                \
    return find (page, key, tag, snapshot, match_tags_##NAME, record);                             \
  }                                                                                                \
  TARGET_##NAME static void fetch_##NAME (const uint8_t *page, uint8_t tag)                        \
  {                                                                                                \
    fetch_candidate (page, tag, match_tags_##NAME);                                                \
  }

#define TARGET_scalar
#define TARGET_sse2
#define TARGET_avx2 __attribute__ ((target ("avx2")))
#define TARGET_avx512 __attribute__ ((target ("avx512f,avx512bw")))
DEFINE_SEARCHES (scalar)
#if defined(__x86_64__)
DEFINE_SEARCHES (sse2)
DEFINE_SEARCHES (avx2)
DEFINE_SEARCHES (avx512)
#endif

enum leaf_result
leaf_find (const uint8_t *page, struct bytes key, uint8_t tag, uint64_t snapshot,
           enum cpu_level level, struct record *record)
{
#if defined(__x86_64__)
  if (level == CPU_AVX512)
    return find_avx512 (page, key, tag, snapshot, record);
  if (level == CPU_AVX2)
    return find_avx2 (page, key, tag, snapshot, record);
  if (level == CPU_SSE2)
    return find_sse2 (page, key, tag, snapshot, record);
#endif
  return find_scalar (page, key, tag, snapshot, record);
}

void
leaf_prefetch_candidate (const uint8_t *page, uint8_t tag, enum cpu_level level)
{
#if defined(__x86_64__)
  if (level == CPU_AVX512)
    return fetch_avx512 (page, tag);
  if (level == CPU_AVX2)
    return fetch_avx2 (page, tag);
  if (level == CPU_SSE2)
    return fetch_sse2 (page, tag);
#endif
  fetch_scalar (page, tag);
}

/* The suffix of a slot's key. */
static inline struct bytes
slot_suffix (const struct leaf_view *view, unsigned slot)
{
  return leaf_record (view, slot).suffix;
}

static inline uint32_t
head_at (const struct leaf_view *view, unsigned slot)
{
  return load_u32 (view->heads + 4u * slot);
}

/* Slots whose head is below `head`, as are those of the first `low`. */
static unsigned
heads_below (const struct leaf_view *view, unsigned low, uint32_t head)
{
  unsigned high = view->count;
  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (head_at (view, middle) < head)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* The end of the slots from `low` on whose head is `head`; mostly there is one, or none. */
static unsigned
heads_equal (const struct leaf_view *view, unsigned low, uint32_t head)
{
  for (unsigned end = low; end < low + 2; end++)
    if (end == view->count || head_at (view, end) != head)
      return end;
  return head == UINT32_MAX ? view->count : heads_below (view, low + 2, head + 1);
}

unsigned
leaf_lower_bound (const struct leaf_view *view, struct bytes key)
{
  size_t compared = key.size < view->prefix_size ? key.size : view->prefix_size;
  int order = compared > 0 ? memcmp (view->prefix, key.data, compared) : 0;
  if (order > 0 || (order == 0 && key.size < view->prefix_size))
    return 0;
  if (order < 0)
    return view->count;

  struct bytes suffix = bytes_behind (key, view->prefix_size);
  uint32_t head = leaf_head (suffix);
  unsigned low = heads_below (view, 0, head);
  if (low < view->count)
    prefetch_record (view->page + leaf_offset (view, low));
  unsigned high = heads_equal (view, low, head);
  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (bytes_compare (slot_suffix (view, middle), suffix) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

bool
leaf_is_distinct (const struct leaf_view *view)
{
  bool same_heads = false; /* of any two neighbours: without a branch for each */
  for (unsigned slot = 1; slot < view->count; slot++)
    same_heads |= load_u32 (view->heads + 4u * slot) == load_u32 (view->heads + 4u * (slot - 1));
  if (!same_heads)
    return true;
  struct bytes before = slot_suffix (view, 0);
  for (unsigned slot = 1; slot < view->count; slot++)
    {
      struct bytes suffix = slot_suffix (view, slot);
      if (bytes_equal (suffix, before))
        return false;
      before = suffix;
    }
  return true;
}

/* ---- validation ---- */

/* NULL, or what is wrong with the record at the head of `reader`. */
static const char *
check_record (struct reader *reader, size_t prefix_size, uint64_t base)
{
  uint8_t meta;
  uint64_t suffix_size, value_size, delta = 0, expiry;
  struct bytes skipped;
  take_u8 (reader, &meta);
  take_varint (reader, &suffix_size);
  take_varint (reader, &value_size);
  if (reader->bad)
    return "a record runs past the end of its page";
  if ((meta & LEAF_RECORD_RESERVED) != 0 || (meta & 3) > RECORD_BLOB)
    return "a record has an unknown kind or flag";
  if ((meta & LEAF_RECORD_SEQUENCE) != 0)
    take_varint (reader, &delta);
  if ((meta & LEAF_RECORD_EXPIRY) != 0)
    take_u64 (reader, &expiry);
  if (suffix_size > INTERNAL_KEY_SIZE_MAX || suffix_size + prefix_size > INTERNAL_KEY_SIZE_MAX)
    return "a record's key is longer than a key may be";
  if (suffix_size + prefix_size <= STORE_ID_SIZE)
    return "a record's key is shorter than a key may be";
  if (value_size > VALUE_SIZE_MAX)
    return "a record's value is longer than a value may be";
  if (delta > SEQUENCE_MAX || base > SEQUENCE_MAX - delta)
    return "a record's sequence number is too high";
  take_bytes (reader, (size_t) suffix_size, &skipped);
  take_bytes (reader, (size_t) value_size, &skipped);
  return reader->bad ? "a record runs past the end of its page" : NULL;
}

bool
leaf_validate (struct bytes page, const char **reason)
{
  const uint8_t *data = page.data;
  *reason = "it is no leaf page";
  if (page.size < LEAF_HEADER_SIZE || data[0] != PAGE_KIND_LEAF || (data[1] & ~PAGE_FLAG_WIDE) != 0
      || load_u16 (data + 6) != 0)
    return false;
  *reason = "its size disagrees with the page directory";
  if (load_u32 (data + 8) != page.size)
    return false;
  size_t count = load_u16 (data + 2), prefix_size = load_u16 (data + 4);
  size_t width = (data[1] & PAGE_FLAG_WIDE) != 0 ? 4 : 2;
  size_t records = LEAF_HEADER_SIZE + count * (1 + width + 4) + 8 + prefix_size;
  *reason = "its arrays run past its end";
  if (count == 0 || records > page.size)
    return false;

  struct leaf_view view = leaf_view (data);
  for (unsigned slot = 0; slot < count; slot++)
    {
      uint32_t offset = leaf_offset (&view, slot);
      *reason = "a record lies outside its page";
      if (offset < records || offset >= page.size)
        return false;
      struct reader reader = reader_over (BYTES (data + offset, page.size - offset));
      const char *wrong = check_record (&reader, prefix_size, view.base);
      if (wrong != NULL)
        {
          *reason = wrong;
          return false;
        }
    }
  return true;
}

/* ---- building ---- */

#define LEAF_GROWN_UNITS_MAX 4u

struct leaf_item
{
  size_t at;           /* of the key in `data`; the value follows it */
  uint64_t sequence;   /* of the commit */
  uint64_t expiry;     /* 0 = never */
  uint32_t key_size;   /* bytes */
  uint32_t value_size; /* bytes */
  uint8_t kind;        /* enum record_kind */
  uint8_t tag;         /* key_tag */
};

void
leaf_builder_init (struct leaf_builder *builder, size_t page_size, size_t reserved)
{
  *builder = (struct leaf_builder){ .page_size = page_size, .reserved = reserved, .units = 1 };
}

void
leaf_builder_clear (struct leaf_builder *builder)
{
  free (builder->data);
  free (builder->items);
  leaf_builder_init (builder, builder->page_size, builder->reserved);
}

size_t
leaf_builder_memory (const struct leaf_builder *builder)
{
  return builder->data_room + builder->item_room * sizeof *builder->items;
}

struct bytes
leaf_builder_last_key (const struct leaf_builder *builder)
{
  if (builder->count == 0)
    return BYTES_NONE;
  const struct leaf_item *last = &builder->items[builder->count - 1];
  return BYTES (builder->data + last->at, last->key_size);
}

static size_t
item_size (const struct leaf_item *item, size_t prefix_size, uint64_t base)
{
  size_t suffix_size = item->key_size - prefix_size;
  size_t size = 1 + varint_size (suffix_size) + varint_size (item->value_size) + suffix_size
                + item->value_size;
  if (item->sequence != 0)
    size += varint_size (item->sequence - base);
  if (item->expiry != 0)
    size += 8;
  return size;
}

/* Tag, offset and head of each record; `size` is the page without its arrays. */
static size_t
with_arrays (size_t size, size_t count)
{
  size_t narrow = size + count * 7;
  return narrow > 65536 ? size + count * 9 : narrow;
}

/* The page's size without arrays, from scratch: when the prefix or base changed. */
static size_t
recount (const struct leaf_builder *builder, size_t count, size_t prefix_size, uint64_t base)
{
  size_t size = LEAF_HEADER_SIZE + 8 + prefix_size;
  for (size_t i = 0; i < count; i++)
    size += item_size (&builder->items[i], prefix_size, base);
  return size;
}

static size_t
units_for (const struct leaf_builder *builder, size_t used)
{
  return (used + builder->reserved + builder->page_size - 1) / builder->page_size;
}

/* Whether the leaf should take more units rather than end: it must hold two records, and one that
 * wastes a quarter of its units is better longer. */
static bool
worth_growing (const struct leaf_builder *builder, size_t units)
{
  if (builder->count < 2)
    return true;
  size_t present = with_arrays (builder->used, builder->count);
  return units <= LEAF_GROWN_UNITS_MAX && present < builder->units * builder->page_size / 4 * 3;
}

static status
reserve (struct leaf_builder *builder, size_t more, struct failure *failure)
{
  if (builder->count == builder->item_room)
    {
      size_t room = builder->item_room > 0 ? builder->item_room * 2 : 64;
      struct leaf_item *items = realloc (builder->items, room * sizeof *items);
      if (items == NULL)
        return fail_memory (failure, room * sizeof *items, "a leaf page under construction");
      builder->items = items;
      builder->item_room = room;
    }
  if (builder->data_room - builder->data_size < more)
    {
      size_t room = builder->data_size + more + builder->page_size;
      uint8_t *data = realloc (builder->data, room);
      if (data == NULL)
        return fail_memory (failure, room, "a leaf page under construction");
      builder->data = data;
      builder->data_room = room;
    }
  return STATUS_OK;
}

static size_t
shared_prefix (const struct leaf_builder *builder, struct bytes key)
{
  if (builder->count == 0)
    return key.size < LEAF_PREFIX_MAX ? key.size : LEAF_PREFIX_MAX;
  const struct leaf_item *first = &builder->items[0];
  return bytes_common_prefix (BYTES (builder->data + first->at, builder->prefix_size), key);
}

/* A big value must not stay allocated behind the leaf it was for. */
static void
shrink (struct leaf_builder *builder)
{
  if (builder->data_room <= 16 * builder->page_size + (1u << 20))
    return;
  free (builder->data);
  builder->data = NULL;
  builder->data_room = 0;
}

status
leaf_builder_add (struct leaf_builder *builder, const struct record *record, uint8_t tag,
                  bool *added, struct failure *failure)
{
  struct leaf_item item = {
    .at = builder->data_size,
    .sequence = record->sequence,
    .expiry = record->expiry,
    .key_size = (uint32_t) record->key.size,
    .value_size = (uint32_t) record->value.size,
    .kind = (uint8_t) record->kind,
    .tag = tag,
  };
  size_t prefix_size = shared_prefix (builder, record->key);
  uint64_t base = builder->base;
  if (item.sequence != 0 && (base == 0 || item.sequence < base))
    base = item.sequence;
  size_t used = builder->used;
  if (builder->count == 0 || prefix_size != builder->prefix_size || base != builder->base)
    used = recount (builder, builder->count, prefix_size, base);
  used += item_size (&item, prefix_size, base);

  size_t units = units_for (builder, with_arrays (used, builder->count + 1));
  *added = units <= builder->units || worth_growing (builder, units);
  if (!*added)
    return STATUS_OK;
  status result = reserve (builder, record->key.size + record->value.size, failure);
  if (result != STATUS_OK)
    return result;

  memcpy (builder->data + item.at, record->key.data, record->key.size);
  if (record->value.size > 0)
    memcpy (builder->data + item.at + item.key_size, record->value.data, record->value.size);
  builder->data_size += record->key.size + record->value.size;
  builder->items[builder->count++] = item;
  builder->prefix_size = prefix_size;
  builder->base = base;
  builder->used = used;
  if (units > builder->units)
    builder->units = units;
  return STATUS_OK;
}

static uint8_t *
write_record (const struct leaf_builder *builder, const struct leaf_item *item, uint8_t *at)
{
  size_t suffix_size = item->key_size - builder->prefix_size;
  *at++ = (uint8_t) (item->kind | (item->sequence != 0 ? LEAF_RECORD_SEQUENCE : 0)
                     | (item->expiry != 0 ? LEAF_RECORD_EXPIRY : 0));
  at = varint_store (at, suffix_size);
  at = varint_store (at, item->value_size);
  if (item->sequence != 0)
    at = varint_store (at, item->sequence - builder->base);
  if (item->expiry != 0)
    {
      store_u64 (at, item->expiry);
      at += 8;
    }
  size_t size = suffix_size + item->value_size;
  memcpy (at, builder->data + item->at + builder->prefix_size, size);
  return at + size;
}

void
leaf_builder_write (struct leaf_builder *builder, uint8_t *to)
{
  size_t count = builder->count;
  size_t used = with_arrays (builder->used, count);
  bool wide = used != builder->used + count * 7;
  to[0] = PAGE_KIND_LEAF;
  to[1] = wide ? PAGE_FLAG_WIDE : 0;
  store_u16 (to + 2, (uint16_t) count);
  store_u16 (to + 4, (uint16_t) builder->prefix_size);
  store_u16 (to + 6, 0);
  store_u32 (to + 8, (uint32_t) used);

  uint8_t *tags = to + LEAF_HEADER_SIZE;
  uint8_t *offsets = tags + count;
  uint8_t *base = offsets + count * (wide ? 4 : 2);
  uint8_t *heads = base + 8 + builder->prefix_size;
  uint8_t *at = heads + count * 4;
  store_u64 (base, builder->base);
  if (builder->prefix_size > 0)
    memcpy (base + 8, builder->data + builder->items[0].at, builder->prefix_size);
  for (size_t slot = 0; slot < count; slot++)
    {
      const struct leaf_item *item = &builder->items[slot];
      const uint8_t *key = builder->data + item->at;
      tags[slot] = item->tag;
      if (wide)
        store_u32 (offsets + 4 * slot, (uint32_t) (at - to));
      else
        store_u16 (offsets + 2 * slot, (uint16_t) (at - to));
      store_u32 (heads + 4 * slot, leaf_head (BYTES (key + builder->prefix_size,
                                                     item->key_size - builder->prefix_size)));
      at = write_record (builder, item, at);
    }
  memset (at, 0, builder->units * builder->page_size - used);

  builder->count = 0;
  builder->data_size = 0;
  builder->prefix_size = 0;
  builder->base = 0;
  builder->used = 0;
  builder->units = 1;
  shrink (builder);
}
