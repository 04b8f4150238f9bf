/* SPDX-License-Identifier: MIT */
/*
 * memtable-arena: the memory of one memtable, two address ranges that never move.
 *
 *   data      records, nodes, the journal: handed out from the front, 8-byte units, so that a
 *             4-byte reference names any of 32 GiB
 *   buckets   the side hash, one array that grows at its end
 *
 * Address space is reserved whole and closed (PROT_NONE); a part is opened before it is used, and
 * becomes real memory when it is touched: by huge pages, behind the first, where the budget allows
 * it, so that a little database takes little and a search in a large memtable does not wait for the
 * table of pages, too. An arena that comes back from a dead memtable is kept
 * for the next one with its pages, because the first touch of a page costs more than the insert.
 *
 * Invariants
 *   A1  charged >= what was ever touched of a region, rounded up to ARENA_CHARGE_STEP, or behind the
 *       first huge page to such a page, or to the region's open end; the ledger holds exactly the sum
 *       of charged over all living arenas.
 *   A2  open <= reserved; nothing is touched beyond open.
 *
 * Threads: a region belongs to its memtable's writer; the pool has its own lock.
 */
#ifndef LIGHTNING_MEMTABLE_ARENA_H
#define LIGHTNING_MEMTABLE_ARENA_H

#include "base/buffer.h"
#include "memtable/memtable.h"

#include <pthread.h>

#define ARENA_CHARGE_STEP ((size_t) 64 << 10) /* bytes the ledger is told of at a time */
#define ARENA_OPEN_STEP BUFFER_HUGE_PAGE      /* bytes opened at a time */
#define ARENA_TOGETHER_MAX 3                  /* arenas in use and kept: more are not kept */
#define ARENA_KEPT_COUNTED_MAX 8              /* the same of a pool for short lives */

struct arena_region
{
  uint8_t *base;   /* start of the reserved addresses */
  size_t reserved; /* bytes of address space */
  size_t open;     /* bytes from base that may be touched */
  size_t charged;  /* bytes from base the ledger knows of */
  bool huge;       /* of huge pages behind the first */
};

struct arena
{
  struct arena *next;          /* in the pool's list of kept arenas */
  struct arena_region data;    /* records, nodes, journal */
  struct arena_region buckets; /* the side hash */
};

struct memtable_pool
{
  struct ledger *ledger; /* charged under LEDGER_MEMTABLE */
  _Atomic size_t arena_size; /* bytes a memtable is expected to reach */
  bool counted;          /* every reader holds a reference: no epoch to wait for */
  bool hashes_all;       /* nobody would catch up with what is put off: nothing is */
  pthread_mutex_t lock;  /* guards the fields below */
  struct arena *kept;    /* arenas waiting for a memtable */
  unsigned kept_count;   /* length of that list */
  size_t users;          /* memtables not yet released */
  bool closed;           /* memtable_pool_free was called: the last user frees the pool */
};

/* A kept arena or a new one. NULL when neither address space nor memory is to be had. */
struct arena *memtable_pool_take (struct memtable_pool *pool);
/* Takes an arena back from a memtable that is gone; `used` bytes of data were in use. */
void memtable_pool_give (struct memtable_pool *pool, struct arena *arena);

/* Gives back what is beyond what a memtable is expected to take, and beyond what of data and buckets, in
 * bytes, is in use. */
void arena_shrink (struct arena *arena, const struct memtable_pool *pool, size_t data,
                   size_t buckets);

/* Opens at least `size` bytes. False when the reservation or the system's memory is exhausted. */
bool arena_region_open (struct arena_region *region, size_t size);
/* Tells the ledger that `size` bytes from the base are (about to be) in use. */
void arena_region_charge (struct arena_region *region, struct ledger *ledger, size_t size);

#endif
