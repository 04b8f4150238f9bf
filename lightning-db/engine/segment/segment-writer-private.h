/* SPDX-License-Identifier: MIT */
/*
 * segment-writer-private: the writer's parts.
 *
 *   segment-writer.c   opening, records, leaves, the dictionary
 *   segment-output.c   the write buffer and pages stored as they are
 *   segment-finish.c   inner pages, blocks, footer
 */
#ifndef LIGHTNING_SEGMENT_WRITER_PRIVATE_H
#define LIGHTNING_SEGMENT_WRITER_PRIVATE_H

#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#define WRITE_BUFFER_LEAST ((size_t) 64 << 10)
#define WRITE_BUFFER_MOST ((size_t) 1 << 20)

struct pending_pages
{
  struct buffer buffer;   /* decoded pages end to end; owned */
  size_t size;            /* bytes in use */
  struct inner_list list; /* per page: place.offset in data, place.logical, separator */
};

struct range_list
{
  struct range_delete *items; /* each owns its start and end in one allocation at start.data */
  size_t count, room;         /* entries in use, allocated */
};

struct segment_writer
{
  struct segment_settings settings; /* as given; directory and ledger borrowed */
  char name[SEGMENT_NAME_SIZE];     /* of the file */
  struct vfs_file *file;            /* owned */
  uint64_t seed;                    /* of checksums */
  status failed;                    /* W3: the first failure's code */

  struct buffer buffer; /* whole pages; owned */
  size_t buffered;      /* bytes in it */
  uint64_t flushed;     /* bytes written to the file: offset of the buffer's front */

  struct leaf_builder leaf;      /* the leaf under construction */
  uint8_t *page;                 /* scratch for a decoded page; owned */
  size_t page_room;              /* bytes allocated */
  uint8_t *stored;               /* scratch for a compressed page; owned */
  size_t stored_room;            /* bytes allocated */
  uint8_t *separator;            /* of the leaf under construction; owned */
  size_t separator_size;         /* bytes */
  size_t separator_room;         /* bytes allocated */
  struct inner_list directory;   /* of the leaves written */
  bool training;                 /* pages go to `pending` */
  struct pending_pages pending;  /* while training */
  struct compressor *compressor; /* NULL: raw */
  uint8_t *dictionary;           /* kept one; owned */
  size_t dictionary_size;        /* bytes; 0 = none */
  struct filter_builder *filter; /* NULL: none */

  uint8_t *last_key;                      /* of the leaf before the one under construction; owned */
  size_t last_key_size;                   /* bytes */
  size_t last_key_room;                   /* bytes allocated */
  uint64_t last_sequence;                 /* of the last record */
  struct range_list ranges;               /* range deletes so far */
  struct segment_information information; /* counted as records come */
  struct segment_totals totals;           /* of pages */
  struct
  {
    uint64_t offset, size, checksum;
  } blocks[BLOCK_COUNT]; /* written so far */
  size_t charged;        /* to LEDGER_MERGE, bytes: of all that does not charge itself */
};

/* Where the next byte goes in the file. */
uint64_t segment_output_position (const struct segment_writer *writer);
status segment_output_append (struct segment_writer *writer, struct bytes bytes,
                              struct failure *failure);
/* Zeros up to a multiple of `alignment`, which is at most SEGMENT_ALIGNMENT. */
status segment_output_pad (struct segment_writer *writer, size_t alignment,
                           struct failure *failure);
/* Writes what is whole blocks (W1). */
status segment_output_flush (struct segment_writer *writer, struct failure *failure);
/* *out: `size` bytes of the buffer, to be filled and added to `buffered` by the caller; NULL when
 * it cannot hold as many. */
status segment_output_claim (struct segment_writer *writer, size_t size, uint8_t **out,
                             struct failure *failure);
/* A page stored as it is and its trailer. `whole_units`: page.data has zeros behind page.size up to
 * whole units, and they are stored too. */
status segment_output_raw_page (struct segment_writer *writer, uint32_t number, struct bytes page,
                                bool whole_units, struct page_place *place,
                                struct failure *failure);
/* The trailer of a stored page. */
status segment_output_trailer (struct segment_writer *writer, uint32_t number, struct bytes stored,
                               struct failure *failure);
void segment_output_count_page (struct segment_writer *writer, const struct page_place *place);

/* Everything behind the leaves, and the sync: inner pages, blocks, footer. */
status segment_writer_complete (struct segment_writer *writer, struct failure *failure);

#endif
