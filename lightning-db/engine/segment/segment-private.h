/* SPDX-License-Identifier: MIT */
/*
 * segment-private: what the files of this organ share.
 *
 *   segment.c          naming, opening, lifetime, figures
 *   segment-page.c     from a place in the file to a checked page, cached or not; descent
 *   segment-index.c    building and dropping the flat index and the filter
 *   segment-read.c     gets
 *   segment-source.c   walks
 *   segment-look.c     single pages, for people who look
 *   segment-verify.c   the whole file, checked
 *   segment-writer.c   the whole file, written
 */
#ifndef LIGHTNING_SEGMENT_PRIVATE_H
#define LIGHTNING_SEGMENT_PRIVATE_H

#include "base/cpu.h"
#include "base/epoch.h"
#include "base/timing.h"
#include "segment/flat-index.h"
#include "segment/segment-format.h"
#include "segment/segment.h"

#include <pthread.h>

#define SEGMENT_NAME_SIZE 32

#define STRETCH_SIZE ((uint64_t) 1 << 20) /* bytes of a file that are asked for at once */

void segment_name (char to[SEGMENT_NAME_SIZE], uint64_t number);
bool segment_page_size_is_valid (size_t page_size);

/* Figures of a file's pages: footer and properties. */
struct segment_totals
{
  uint32_t leaves;                /* pages 0 … leaves - 1 */
  uint32_t inner_pages;           /* the rest; the last is the root */
  uint32_t depth;                 /* levels, leaves included; 0 = no records */
  struct page_place root;         /* of the last page */
  uint64_t stored, logical, used; /* bytes of pages: in the file, as whole units, without padding */
  uint64_t by_codec[CODEC_COUNT]; /* pages */
};

/* A filter in memory. Immutable. */
struct segment_filter
{
  struct filter filter;   /* a view of the block */
  struct epoch_link link; /* for retiring */
  struct ledger *ledger;  /* LEDGER_FILTER, for the block */
  struct buffer block;    /* as in the file; aligned, so that a Bloom block is one line */
};

struct block_place
{
  uint64_t offset, size; /* in the file; size 0: absent */
  uint64_t checksum;     /* of the bytes */
};

struct segment
{
  /* What a get reads. */
  _Atomic (struct segment_filter *) filter; /* NULL: not in memory */
  _Atomic (struct flat_index *) index;      /* NULL: not built */
  struct page_table table;                  /* leaves, then inner pages */
  const uint8_t *map;                       /* the whole file, or NULL */
  _Atomic uint64_t *mapped;       /* with map: per page, its offset once it verified, or 0 */
  _Atomic uint64_t *surroundings; /* a bit for each stretch that was asked for; NULL: none is */
  uint32_t page_count;            /* of all pages */
  enum cpu_level level;           /* SIMD kernels that may run */
  struct segment_totals totals;   /* leaves, depth, root, figures */
  _Atomic bool filter_wanted;     /* there is one and reading it has not failed */
  _Atomic bool index_wanted;      /* may be built, and building it has not failed */
  _Atomic size_t index_refused;   /* bytes of one that was over budget; 0 = none was */

  struct segment_reader_settings settings; /* as given; what it points to is borrowed */
  char name[SEGMENT_NAME_SIZE];            /* of the file */
  struct vfs_file *file;                   /* owned */
  uint64_t seed;                           /* of checksums */
  size_t page_size;                        /* unit, bytes */
  size_t trailer_size;                     /* of each stored page, bytes */
  bool plain;                              /* the header asks for no codec: all pages are raw */
  bool header_lost, ranges_lost;           /* salvage: they did not verify */
  uint8_t filter_asked;                    /* enum filter_kind, as the header has it */
  uint64_t pages_end;                      /* no page ends behind this offset */
  struct block_place blocks[BLOCK_COUNT];  /* checked to lie in the file */
  struct dictionary *dictionary;           /* NULL: none; owned */
  struct range_set *ranges;                /* range deletes; NULL: none; owned */
  struct segment_information information;  /* owned */
  bool narrowed;                           /* its smallest key is below the information's bound */
  pthread_mutex_t building;                /* held while index or filter are built or dropped */
  bool table_ready;                        /* table was initialised */
  size_t index_memory, filter_memory;      /* bytes charged; under `building` */
  size_t memory;                           /* bytes charged to LEDGER_SEGMENT */

  _Atomic uint64_t references; /* S5 */
  _Atomic bool obsolete;       /* unlink with the last reference */
  struct epoch_link link;      /* for freeing */
};

/* CORRUPT, naming file, page and reason. */
status segment_corrupt (const struct segment *segment, uint32_t page, const char *reason,
                        struct failure *failure);

/* ---- pages: segment-page.c ---- */

/* Makes an owned buffer hold at least `size` bytes; its contents stay. */
status segment_grow (uint8_t **data, size_t *room, size_t size, struct failure *failure);

/* Whether a place read from the file can be one of this page (S4). */
status segment_check_place (const struct segment *segment, uint32_t page,
                            const struct page_place *place, struct failure *failure);
/* Bytes to allocate for a page at a checked place. */
size_t segment_page_room (const struct segment *segment, const struct page_place *place);
/* Verifies and validates a page whose stored bytes are in memory (S3, S4). Compressed ones are
 * decoded to `to` (segment_page_room bytes), raw ones stay where they are. */
status segment_decode (const struct segment *segment, uint32_t page, const struct page_place *place,
                       const uint8_t *stored, uint8_t *to, const uint8_t **out,
                       struct failure *failure);
/* Reads bytes of the file that hold `page`, which a failure names. */
status segment_read_stored (const struct segment *segment, uint32_t page, uint64_t offset,
                            size_t size, uint8_t *to, struct failure *failure);
/* Reads, verifies and decodes a page to `to` (segment_page_room bytes). The place is checked. */
status segment_read_page (const struct segment *segment, uint32_t page,
                          const struct page_place *place, uint8_t *to, struct failure *failure);

enum page_access
{
  PAGE_CACHED,  /* BUSY instead of reading */
  PAGE_READ,    /* reads and installs; asks the kernel for its surroundings */
  PAGE_SOUGHT,  /* the same, as a scan's first page */
  PAGE_SCANNED, /* as a scan's next page: what is around it was asked for, or is behind */
};
/* The page, valid in the present epoch section, which is left and re-entered around a read. */
status segment_page_at (struct segment *segment, uint32_t page, const struct page_place *place,
                        enum page_access access, const uint8_t **out, struct failure *failure);

/* The page if it is in memory. */
static inline const uint8_t *
segment_page_cached (struct segment *segment, uint32_t page)
{
  if (__builtin_expect (segment->mapped != NULL, 0))
    {
      uint64_t offset = atomic_load_explicit (&segment->mapped[page], memory_order_acquire);
      return offset != 0 ? segment->map + offset : NULL;
    }
  return page_table_find (&segment->table, page);
}

/* The same without saying that it was used: for prefetching what is in it. */
static inline const uint8_t *
segment_page_peek (struct segment *segment, uint32_t page)
{
  return segment->mapped == NULL ? page_table_peek (&segment->table, page)
                                 : segment_page_cached (segment, page);
}

static inline void
segment_count (const struct segment *segment, enum thread_counter which, uint64_t by)
{
  if (segment->settings.metrics != NULL)
    count_in_thread (segment->settings.metrics, which, by);
}

/* Whether an inner page may stand on this level and name the children it names (S4). */
status segment_check_inner (const struct segment *segment, uint32_t page, unsigned level,
                            const uint8_t *bytes, struct failure *failure);

/* Where a page is and what it is for. */
struct page_position
{
  uint32_t page;           /* number */
  struct page_place place; /* checked */
  uint32_t index;          /* among its parent's children; of no meaning for the root */
};

/* Down from the root to `level` (0 = leaves) along `key`. */
status segment_descend_to_key (struct segment *segment, struct bytes key, unsigned level,
                               enum page_access access, struct page_position *out,
                               struct failure *failure);
/* The same along a leaf's number. */
status segment_descend_to_leaf (struct segment *segment, uint32_t leaf, unsigned level,
                                enum page_access access, struct page_position *out,
                                struct failure *failure);
/* A leaf by number, cached or read. */
status segment_leaf_at (struct segment *segment, uint32_t leaf, enum page_access access,
                        const uint8_t **out, struct failure *failure);
/* The leaf where `key` is or would be, by index or inner pages. */
status segment_find_leaf (struct segment *segment, struct bytes key, enum page_access access,
                          uint32_t *out, struct failure *failure);
/* A copy of the separator of a leaf: malloc'd, at least one byte. */
status segment_separator (struct segment *segment, uint32_t leaf, uint8_t **out, size_t *size,
                          struct failure *failure);

/* ---- index and filter: segment-index.c ---- */

/* Builds or reads what is wanted, not there and within budget. Leaves the epoch section meanwhile;
 * what it could not do is not done, silently: both are only accelerators. */
void segment_provide_index (struct segment *segment);
void segment_provide_filter (struct segment *segment);
/* Frees both at once; nobody looks any more. */
void segment_drop_accelerators (struct segment *segment);

/* Reads one block, malloc'd, and verifies its checksum. */
/* The same to where the caller has room for all of it. */
status segment_read_block_to (const struct segment *segment, enum segment_block block, uint8_t *to,
                              struct failure *failure);
status segment_read_block (const struct segment *segment, enum segment_block block, uint8_t **out,
                           struct failure *failure);
const char *segment_block_name (enum segment_block block);

#endif
