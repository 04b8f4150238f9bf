/* SPDX-License-Identifier: MIT */
/*
 * segment-look: the pages of an open segment, one by one, for people who look (core/storage.c).
 *
 * Pages are read from the file, past the cache: looking changes nothing, and a page that is damaged
 * on the disk is found though the cache has it. What does not verify is CORRUPT, naming file, page
 * and reason, for that page and for those that only it leads to; all others can be looked at.
 *
 * Threads: a look is one thread's; the functions on a segment are anyone's.
 */
#ifndef LIGHTNING_SEGMENT_LOOK_H
#define LIGHTNING_SEGMENT_LOOK_H

#include "segment/segment-format.h"
#include "segment/segment.h"

struct segment_look;

/* Reads the inner pages above the lowest ones. References the segment. NO_MEMORY only. */
status segment_look_new (struct segment *segment, struct segment_look **out,
                         struct failure *failure);
void segment_look_free (struct segment_look *look);

struct segment_page
{
  uint32_t number;         /* leaves, then inner pages */
  unsigned level;          /* 0: a leaf */
  struct page_place place; /* all zero when the call failed */
  size_t units;            /* bytes of it in memory, as whole units */
  struct bytes separator;  /* of a leaf; empty: the first. Borrowed until the next call */
};
/* NOT_FOUND, with a message, behind the last page. */
status segment_look_at (struct segment_look *look, uint32_t number, struct segment_page *out,
                        struct failure *failure);
/* The decoded page, verified and valid; borrowed until another one is read. */
status segment_look_read (struct segment_look *look, const struct segment_page *page,
                          struct bytes *out, struct failure *failure);
/* Its bytes in the file, whatever they are; borrowed until the next ones. */
status segment_look_stored (struct segment_look *look, const struct segment_page *page,
                            struct bytes *out, struct failure *failure);
/* The leaf where the versions of `key` begin or would. NOT_FOUND in a segment without records. */
status segment_look_for (struct segment_look *look, struct bytes key, uint32_t *leaf,
                         struct failure *failure);

struct segment_filter_answer
{
  enum filter_kind kind; /* FILTER_NONE: there is none */
  bool loaded;           /* it was in memory; else it was read for this question */
  bool may_contain;
};
status segment_look_filter (struct segment *segment, uint64_t hash,
                            struct segment_filter_answer *out, struct failure *failure);

/* What the cache, or the mapping, has of pages [first, first + count): enum page_heat each. */
#define PAGE_HEAT_MAPPED 32u /* verified in the mapping: used in place */
void segment_heat (struct segment *segment, uint32_t first, uint32_t count, uint8_t *to);

struct segment_details
{
  enum filter_kind filter; /* that it has; until it is loaded, that was asked for */
  uint64_t filter_bytes;   /* of it in the file */
  bool filter_loaded;
  uint64_t range_bytes;  /* of the range deletes in the file */
  uint64_t cached_pages; /* in the cache now */
};
void segment_details (struct segment *segment, struct segment_details *out);
/* Its name in the directory; as long as the segment. */
const char *segment_file_name (const struct segment *segment);

#endif
