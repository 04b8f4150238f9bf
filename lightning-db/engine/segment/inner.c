/* SPDX-License-Identifier: MIT */
#include "segment/inner.h"

#include <stdlib.h>

static inline bool
is_wide (const uint8_t *page)
{
  return (page[1] & PAGE_FLAG_WIDE) != 0;
}

static inline uint32_t
entry_offset (const uint8_t *page, unsigned index)
{
  const uint8_t *offsets = page + INNER_HEADER_SIZE;
  return is_wide (page) ? load_u32 (offsets + 4u * index) : load_u16 (offsets + 2u * index);
}

struct bytes
inner_prefix (const uint8_t *page)
{
  return BYTES (page + INNER_HEADER_SIZE + (size_t) inner_count (page) * (is_wide (page) ? 4 : 2),
                load_u16 (page + 4));
}

bool
inner_list_take (struct reader *reader, struct inner_entry *out)
{
  struct bytes place;
  if (!take_bytes (reader, PAGE_PLACE_SIZE, &place))
    return false;
  out->place = page_place_load (place.data);
  return take_u32 (reader, &out->first_leaf) && take_sized (reader, &out->suffix);
}

struct inner_entry
inner_entry (const uint8_t *page, unsigned index)
{
  uint32_t offset = entry_offset (page, index), used = load_u32 (page + 8);
  struct reader reader = reader_over (BYTES (page + offset, used - offset));
  struct inner_entry entry = { 0 };
  inner_list_take (&reader, &entry);
  return entry;
}

bool
inner_validate (struct bytes page, const char **reason)
{
  const uint8_t *data = page.data;
  *reason = "it is no inner page";
  if (page.size < INNER_HEADER_SIZE || data[0] != PAGE_KIND_INNER
      || (data[1] & ~PAGE_FLAG_WIDE) != 0 || data[6] == 0 || data[7] != 0)
    return false;
  *reason = "its size disagrees with the page directory";
  if (load_u32 (data + 8) != page.size)
    return false;
  size_t count = inner_count (data), prefix_size = load_u16 (data + 4);
  size_t entries = INNER_HEADER_SIZE + count * (is_wide (data) ? 4 : 2) + prefix_size;
  *reason = "its arrays run past its end";
  if (count == 0 || entries > page.size)
    return false;
  for (unsigned index = 0; index < count; index++)
    {
      uint32_t offset = entry_offset (data, index);
      *reason = "an entry lies outside its page";
      if (offset < entries || offset >= page.size)
        return false;
      struct reader reader = reader_over (BYTES (data + offset, page.size - offset));
      struct inner_entry entry;
      if (!inner_list_take (&reader, &entry))
        return false;
      *reason = "a separator is longer than a key may be";
      if (entry.suffix.size + prefix_size > INTERNAL_KEY_SIZE_MAX + 1)
        return false;
    }
  return true;
}

unsigned
inner_find_key (const uint8_t *page, struct bytes key)
{
  struct bytes prefix = inner_prefix (page);
  size_t compared = key.size < prefix.size ? key.size : prefix.size;
  int order = compared > 0 ? memcmp (prefix.data, key.data, compared) : 0;
  if (order > 0 || (order == 0 && key.size < prefix.size))
    return 0;
  if (order < 0)
    return inner_count (page) - 1;

  struct bytes suffix = bytes_behind (key, prefix.size);
  unsigned low = 1, high = inner_count (page); /* the first with a separator above the key */
  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (bytes_compare (inner_entry (page, middle).suffix, suffix) <= 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low - 1;
}

unsigned
inner_find_leaf (const uint8_t *page, uint32_t leaf)
{
  unsigned low = 1, high = inner_count (page);
  while (low < high)
    {
      unsigned middle = low + (high - low) / 2;
      if (inner_entry (page, middle).first_leaf <= leaf)
        low = middle + 1;
      else
        high = middle;
    }
  return low - 1;
}

/* ---- building ---- */

status
inner_list_append (struct inner_list *list, const struct page_place *place, uint32_t first_leaf,
                   struct bytes separator, struct failure *failure)
{
  size_t most = INNER_ENTRY_FIXED + VARINT_SIZE_MAX + separator.size;
  if (list->buffer.room - list->size < most)
    {
      size_t room = list->buffer.room + list->buffer.room / 2 + most + 1024;
      if (!buffer_resize (&list->buffer, room, NULL, LEDGER_MERGE))
        return fail_memory (failure, room, "a segment's page directory");
    }
  uint8_t *at = list->buffer.data + list->size;
  page_place_store (at, place);
  store_u32 (at + PAGE_PLACE_SIZE, first_leaf);
  at = varint_store (at + INNER_ENTRY_FIXED, separator.size);
  if (separator.size > 0)
    memcpy (at, separator.data, separator.size);
  list->size = (size_t) (at + separator.size - list->buffer.data);
  list->count++;
  return STATUS_OK;
}

static inline struct bytes
bytes_from (const struct inner_list *list, size_t at)
{
  return BYTES (list->buffer.data + at, list->size - at);
}

void
inner_list_clear (struct inner_list *list)
{
  buffer_release (&list->buffer, NULL, LEDGER_MERGE);
  *list = (struct inner_list){ 0 };
}

struct layout
{
  size_t count;       /* entries that go in */
  size_t prefix_size; /* common to them */
  size_t used;        /* bytes of the page */
};

static size_t
page_used (size_t count, size_t prefix_size, size_t separators)
{
  /* Suffix sizes are counted as if their varints took 3 bytes at worst and 1 where all are short;
   * the exact size is known once the prefix is. */
  size_t suffixes = separators - count * prefix_size;
  size_t narrow = INNER_HEADER_SIZE + prefix_size + suffixes + count * (INNER_ENTRY_FIXED + 2);
  return narrow;
}

/* The exact bytes of a page of `count` entries from `at` on. */
static size_t
measure (const struct inner_list *list, size_t at, size_t count, size_t prefix_size)
{
  struct reader reader = reader_over (bytes_from (list, at));
  size_t size = page_used (count, prefix_size, count * prefix_size);
  struct inner_entry entry;
  for (size_t i = 0; i < count && inner_list_take (&reader, &entry); i++)
    {
      size_t suffix_size = entry.suffix.size - prefix_size;
      size += varint_size (suffix_size) + suffix_size;
    }
  return size > 65536 ? size + 2 * count : size;
}

/* How many entries from `at` on fit. */
static struct layout
fit (const struct inner_list *list, size_t at, size_t capacity)
{
  struct reader reader = reader_over (bytes_from (list, at));
  struct layout best = { 0 };
  struct inner_entry first, entry;
  size_t prefix_size = 0, suffixes = 0; /* of varint and suffix, under prefix_size */
  for (size_t count = 1; count <= UINT16_MAX && reader_left (&reader) > 0; count++)
    {
      if (!inner_list_take (&reader, &entry))
        break;
      if (count == 1)
        {
          first = entry;
          prefix_size = entry.suffix.size < UINT16_MAX ? entry.suffix.size : UINT16_MAX;
        }
      size_t common = bytes_common_prefix (BYTES (first.suffix.data, prefix_size), entry.suffix);
      size_t used;
      if (common != prefix_size || count == 1)
        {
          prefix_size = common;
          used = measure (list, at, count, prefix_size);
          suffixes = used - page_used (count, prefix_size, count * prefix_size);
        }
      else
        {
          size_t suffix_size = entry.suffix.size - prefix_size;
          suffixes += varint_size (suffix_size) + suffix_size;
          used = page_used (count, prefix_size, count * prefix_size) + suffixes;
        }
      if (used > capacity && count > 2)
        break;
      best = (struct layout){ count, prefix_size, used };
    }
  best.used = measure (list, at, best.count, best.prefix_size);
  return best;
}

status
inner_build (const struct inner_list *list, size_t at, unsigned level, uint32_t first_child,
             size_t capacity, uint8_t **page, size_t *room, struct inner_built *out,
             struct failure *failure)
{
  struct layout layout = fit (list, at, capacity);
  if (*room < layout.used)
    {
      uint8_t *larger = realloc (*page, layout.used);
      if (larger == NULL)
        return fail_memory (failure, layout.used, "an inner page");
      *page = larger;
      *room = layout.used;
    }
  uint8_t *to = *page;
  bool wide = layout.used > 65536;
  memset (to, 0, INNER_HEADER_SIZE);
  to[0] = PAGE_KIND_INNER;
  to[1] = wide ? PAGE_FLAG_WIDE : 0;
  store_u16 (to + 2, (uint16_t) layout.count);
  store_u16 (to + 4, (uint16_t) layout.prefix_size);
  to[6] = (uint8_t) level;
  store_u32 (to + 8, (uint32_t) layout.used);
  store_u32 (to + 12, first_child);

  uint8_t *offsets = to + INNER_HEADER_SIZE;
  uint8_t *end = offsets + layout.count * (wide ? 4 : 2);
  struct reader reader = reader_over (bytes_from (list, at));
  for (size_t i = 0; i < layout.count; i++)
    {
      struct inner_entry entry = { 0 };
      inner_list_take (&reader, &entry);
      if (i == 0)
        {
          out->first_leaf = entry.first_leaf;
          out->separator = entry.suffix;
          memcpy (end, entry.suffix.data, layout.prefix_size);
          end += layout.prefix_size;
        }
      if (wide)
        store_u32 (offsets + 4 * i, (uint32_t) (end - to));
      else
        store_u16 (offsets + 2 * i, (uint16_t) (end - to));
      page_place_store (end, &entry.place);
      store_u32 (end + PAGE_PLACE_SIZE, entry.first_leaf);
      size_t suffix_size = entry.suffix.size - layout.prefix_size;
      end = varint_store (end + INNER_ENTRY_FIXED, suffix_size);
      memcpy (end, entry.suffix.data + layout.prefix_size, suffix_size);
      end += suffix_size;
    }
  out->used = layout.used;
  out->entries = layout.count;
  out->next = (size_t) (reader.at - list->buffer.data);
  return STATUS_OK;
}
