/* SPDX-License-Identifier: MIT */
/*
 * buffer: memory that comes and goes in large pieces, charged to a ledger before it is taken.
 *
 * From BUFFER_MAPPED_SIZE on it is mapped for itself: given back, it is the system's again at once.
 * From the allocator's heap such pieces would be cut out beside small ones that stay, in a heap per
 * thread, which the allocator keeps: twice what was ever used at a time.
 *
 * Threads: one at a time.
 */
#ifndef LIGHTNING_BASE_BUFFER_H
#define LIGHTNING_BASE_BUFFER_H

#include "base/ledger.h"

#include <stdbool.h>

#define BUFFER_MAPPED_SIZE ((size_t) 8 << 10) /* bytes from which a buffer is whole pages */

struct buffer
{
  uint8_t *data; /* at a multiple of 64, a page's start from BUFFER_MAPPED_SIZE on; NULL = empty */
  size_t room;   /* bytes of it, all of them charged */
};

/* At least `size` bytes; those that fit stay as they are, the rest is undefined. False when memory
 * is out: then nothing has changed. `ledger` may be NULL; the same one for all calls. */
bool buffer_resize (struct buffer *buffer, size_t size, struct ledger *ledger,
                    enum ledger_account account);
/* The same when it is smaller than `size`, but what was in it is lost; empty on failure. */
bool buffer_replace (struct buffer *buffer, size_t size, struct ledger *ledger,
                     enum ledger_account account);
/* Whether one of so much room is a mapping of its own, which takes two calls of the system and the
 * clearing of each page. */
bool buffer_is_mapped (size_t room);
/* The room that a buffer of this size has when it is taken anew. */
size_t buffer_room (size_t size);
void buffer_release (struct buffer *buffer, struct ledger *ledger, enum ledger_account account);

/* Address space of `size` bytes, a multiple of the system's pages, that begins at a multiple of
 * `alignment`, a power of two; `protection` as for mmap. NULL when there is none. To be unmapped, not
 * charged. */
void *buffer_map_aligned (size_t size, size_t alignment, int protection);

#define BUFFER_HUGE_PAGE ((size_t) 2 << 20) /* bytes; what starts there may be one huge page */

#endif
