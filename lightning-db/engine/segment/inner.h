/* SPDX-License-Identifier: MIT */
/*
 * inner: one inner page. On the lowest level it is the page directory of its leaves.
 *
 *    0  u8   kind (2)              16  u16 offsets[count]  of entries (u32 when wide)
 *    1  u8   flags: 1 = wide           …   prefix          common to all separators of the page
 *    2  u16  count, at least 1         …   entries
 *    4  u16  prefix size
 *    6  u8   level, 1 = above leaves   entry  page place (15 bytes), u32 first leaf below the
 * child, 7  u8   0                                varint size of the suffix, suffix 8  u32  used 12
 * u32  page number of the first child; the others follow it
 *
 * An entry's separator is at most every key below its child and above every key before it; the
 * separator of the leftmost child of a level is empty. Where the versions of a key K span leaves,
 * the later ones have the separator K 00, the first key behind K: a search for K ends at the leaf
 * where K begins.
 *
 * Invariant I1: after inner_validate, no function here reads outside `used` bytes.
 */
#ifndef LIGHTNING_SEGMENT_INNER_H
#define LIGHTNING_SEGMENT_INNER_H

#include "base/buffer.h"
#include "base/status.h"
#include "segment/segment-format.h"

#define INNER_HEADER_SIZE 16u
#define INNER_ENTRY_FIXED (PAGE_PLACE_SIZE + 4u)

bool inner_validate (struct bytes page, const char **reason);

struct inner_entry
{
  struct page_place place; /* of the child */
  uint32_t first_leaf;     /* number of the first leaf below the child */
  struct bytes suffix;     /* of the separator, behind the page's prefix; borrowed */
};

static inline unsigned
inner_count (const uint8_t *page)
{
  return load_u16 (page + 2);
}

static inline unsigned
inner_level (const uint8_t *page)
{
  return page[6];
}

static inline uint32_t
inner_first_child (const uint8_t *page)
{
  return load_u32 (page + 12);
}

struct bytes inner_prefix (const uint8_t *page);
struct inner_entry inner_entry (const uint8_t *page, unsigned index);
/* The child to descend to: the last whose separator is <= key; 0 when none is. */
unsigned inner_find_key (const uint8_t *page, struct bytes key);
/* The last child whose first leaf is <= leaf; 0 when none is. */
unsigned inner_find_leaf (const uint8_t *page, uint32_t leaf);

/* ---- building ---- */

/* Entries waiting to become a level: a compact list, two cursors of which one appends and one
 * reads. Each is a page place, first leaf, varint size of the separator, separator. */
struct inner_list
{
  struct buffer buffer; /* owned; charged by the list's owner */
  size_t size;          /* bytes in use */
  size_t count;         /* entries */
};

static inline struct bytes
inner_list_bytes (const struct inner_list *list)
{
  return BYTES (list->buffer.data, list->size);
}

status inner_list_append (struct inner_list *list, const struct page_place *place,
                          uint32_t first_leaf, struct bytes separator, struct failure *failure);
/* The next entry of a reader over a list (or a page's entries); false when none is left that fits.
 * The whole separator is in `suffix`. */
bool inner_list_take (struct reader *reader, struct inner_entry *out);
void inner_list_clear (struct inner_list *list);

struct inner_built
{
  size_t used;            /* bytes of the page */
  size_t entries;         /* taken from the list */
  size_t next;            /* where in the list the next page starts */
  uint32_t first_leaf;    /* of the page */
  struct bytes separator; /* of the page; borrowed from the list */
};

/* Lays out a page from the list's entries from byte `at` on: as many as one unit of `capacity`
 * bytes takes, at least two if there are two. *page (malloc'd, *room bytes) grows as needed. */
status inner_build (const struct inner_list *list, size_t at, unsigned level, uint32_t first_child,
                    size_t capacity, uint8_t **page, size_t *room, struct inner_built *out,
                    struct failure *failure);

#endif
