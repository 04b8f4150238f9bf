/* SPDX-License-Identifier: MIT */
/*
 * cache: decoded pages in memory, found through one array per segment, replaced by ARC in its
 * clock form (CAR: clocks T1 and T2, ghosts B1 and B2).
 *
 * A page table has one slot per page of its segment, in chunks of 64 slots that exist only where
 * pages are cached. A slot is the address of the page's bytes, its lowest bit the reference bit:
 *
 *     slot ──► [ 16 B frame header | page bytes … ]      64-byte aligned frames, header, page
 *                                                        header and tags share the first line
 *
 * A hit is two loads (chunk, slot) and, the first time, one exchange that sets the bit: no hash, no
 * lock, no list. Misses take the cache's lock to get a frame; a batch evictor (64 frames) moves
 * the clock hands and keeps a reserve of free frames, so that a miss rarely evicts.
 *
 * Frames of one unit (FRAME_PAGE_SIZE bytes) come from an arena of huge-page sized chunks
 * (madvise from a 32 MB budget on); larger pages are allocated one by one.
 *
 * Invariants
 *   C1  A frame's bytes never change while a slot, a pin or an epoch section can reach it.
 *   C2  Eviction clears the slot first and reuses the frame only when every epoch section that
 *       could have read the slot has ended and its pin count is 0.
 *   C3  A pin is taken inside an epoch section and may outlive it, the segment and the cache's
 *       capacity; pinned frames are charged and never reused.
 *   C4  What the cache holds (frames, ghosts) stays within its capacity, except for pins, for a
 *       slack of one arena chunk, one large page and a sixteenth, so that a cache of any capacity
 *       can serve a read, and for a page a reader. Frames that wait for their epoch are no
 *       exception: while it does not end pages are read without being kept.
 *   C5  Only verified pages are installed.
 *
 * The arena's chunks and the frames' bookkeeping are charged to LEDGER_CACHE, page tables to
 * LEDGER_PAGE_TABLE (chunks of slots come and go with the pages in them).
 *
 * Threads: all functions from any thread, except where stated.
 */
#ifndef LIGHTNING_CACHE_H
#define LIGHTNING_CACHE_H

#include "base/bytes.h"
#include "base/epoch.h"
#include "base/ledger.h"
#include "base/metrics.h"
#include "base/status.h"

#include <stdatomic.h>

#define PAGE_CHUNK_SLOTS 64u
#define PAGE_REFERENCED ((uintptr_t) 1)
#define FRAME_HEADER_SIZE 16u

struct cache;

struct page_chunk
{
  /* 0, or page address | PAGE_REFERENCED; eight in a line of the processor's cache. */
  _Alignas(64) _Atomic uintptr_t slots[PAGE_CHUNK_SLOTS];
  struct epoch_link link; /* an emptied chunk waits for its epoch */
  uint32_t used;          /* slots that are not 0; under the cache's lock */
};

struct page_table
{
  struct cache *cache; /* outlives the table */
  uint64_t owner;      /* the segment's file number, for ghosts */
  uint64_t page_count; /* slots */
  _Atomic (struct page_chunk *)
      *chunks; /* ceil (page_count / PAGE_CHUNK_SLOTS); NULL = none cached */
};

/* `page_size`: the database's unit (4096 … 65536); frames of one unit are pooled. */
status cache_new (struct ledger *ledger, size_t page_size, uint64_t capacity, struct cache **out,
                  struct failure *failure);
/* Where it counts; until it is freed. Before anybody else uses it. */
void cache_set_metrics (struct cache *cache, struct metrics *metrics);
/* After all page tables are cleared, outside an epoch section (it waits for the present ones to
 * end). Pinned frames live on by themselves, until their last unpin; the ledger is refunded in full
 * and not touched any more. */
void cache_free (struct cache *cache);
/* Bytes the cache may hold from now on; shrinking evicts before it returns (as far as pins allow).
 */
void cache_set_capacity (struct cache *cache, uint64_t capacity);
/* Evicts that part (0 … 1) of the cached bytes and gives arena chunks back to the system. Returns
 * the bytes of the evicted frames; the last readers' frames follow with their epoch. */
uint64_t cache_evict_fraction (struct cache *cache, double fraction);
/* Whether a page of that size, of one's own, is worth keeping beside all others. */
bool cache_keeps (const struct cache *cache, size_t size);

/* The table must stay where it is until it is cleared. */
status page_table_init (struct page_table *table, struct cache *cache, uint64_t owner,
                        uint64_t page_count, struct failure *failure);
/* Removes every page of it from the cache; the caller guarantees that no new lookup or installation
 * starts. Does nothing to a table that is cleared or was never initialised (all zero). */
void page_table_clear (struct page_table *table);

/* The page's bytes or NULL. Inside an epoch section only. */
static inline const uint8_t *
page_table_find (struct page_table *table, uint64_t page)
{
  struct page_chunk *chunk
      = atomic_load_explicit (&table->chunks[page / PAGE_CHUNK_SLOTS], memory_order_acquire);
  if (chunk == NULL)
    return NULL;
  _Atomic uintptr_t *slot = &chunk->slots[page % PAGE_CHUNK_SLOTS];
  uintptr_t value = atomic_load_explicit (slot, memory_order_acquire);
  uintptr_t expected = value; /* a failed exchange stores there what it met, without acquiring it */
  if (value != 0 && (value & PAGE_REFERENCED) == 0)
    atomic_compare_exchange_strong_explicit (slot, &expected, value | PAGE_REFERENCED,
                                             memory_order_relaxed, memory_order_relaxed);
  return (const uint8_t *) (value & ~PAGE_REFERENCED);
}

/* The same without saying that the page was used: for prefetching what is in it. */
static inline const uint8_t *
page_table_peek (struct page_table *table, uint64_t page)
{
  struct page_chunk *chunk
      = atomic_load_explicit (&table->chunks[page / PAGE_CHUNK_SLOTS], memory_order_acquire);
  if (chunk == NULL)
    return NULL;
  uintptr_t value
      = atomic_load_explicit (&chunk->slots[page % PAGE_CHUNK_SLOTS], memory_order_acquire);
  return (const uint8_t *) (value & ~PAGE_REFERENCED);
}

/* Starts fetching the slot's line. */
static inline void
page_table_prefetch (struct page_table *table, uint64_t page)
{
  struct page_chunk *chunk
      = atomic_load_explicit (&table->chunks[page / PAGE_CHUNK_SLOTS], memory_order_relaxed);
  if (chunk != NULL)
    __builtin_prefetch (&chunk->slots[page % PAGE_CHUNK_SLOTS]);
}

/* A frame for a decoded page of `size` bytes to be filled by the caller (who alone sees it):
 * page bytes, 16-byte aligned, writable. NULL when memory is out. Must be called outside an epoch
 * section: it may evict. Never waits for a reader: when none of the evicted frames is past its
 * epoch it gives one that will not be kept (C4). */
uint8_t *cache_allocate (struct cache *cache, size_t size);
/* Gives an unused frame back. */
void cache_discard (struct cache *cache, uint8_t *page);
/* Makes a filled, verified frame the cached page. If another thread was faster its page wins and
 * ours is discarded. Called INSIDE an epoch section, by the thread that uses the page; it is valid
 * as for find (when memory is out, or the frame is not to be kept, it is valid, but not cached).
 * `scan`: the page came from a sequential scan: it enters without displacing the working set. */
const uint8_t *cache_install (struct page_table *table, uint64_t page_number, uint8_t *page,
                              bool scan);

/* Keeps the bytes of a page beyond the epoch section (C3). Pin inside a section; unpin anywhere. */
void cache_pin (const uint8_t *page);
/* Starts fetching what cache_pin writes; the page's first line should be there already. */
void cache_prefetch_pin (const uint8_t *page);
void cache_unpin (const uint8_t *page);
size_t cache_page_size (const uint8_t *page); /* logical size given to cache_allocate */

/* What is known of a page, for people who look. */
enum page_heat
{
  PAGE_HEAT_CACHED = 1 << 0,
  PAGE_HEAT_REFERENCED = 1 << 1, /* since the clock's hand last passed it */
  PAGE_HEAT_FREQUENT = 1 << 2,   /* in T2; else in T1 */
  PAGE_HEAT_SCANNED = 1 << 3,    /* of T1's: brought in by a scan */
  PAGE_HEAT_PINNED = 1 << 4,
};
/* Of pages [first, first + count), which the table has. Changes nothing; takes the cache's lock for
 * a chunk at a time. */
void page_table_heat (struct page_table *table, uint64_t first, uint64_t count, uint8_t *to);
uint64_t page_table_cached (struct page_table *table); /* pages; likewise */

struct cache_statistics
{
  uint64_t capacity, used;                         /* bytes; used is what LEDGER_CACHE is charged */
  uint64_t evictions;                              /* pages */
  uint64_t t1_pages, t2_pages, b1_pages, b2_pages; /* CAR's lists; T1 includes scan pages */
  uint64_t scan_pages;                             /* of T1's */
  uint64_t target;                                 /* of T1, in pages of one unit */
  uint64_t ghost_hits;                             /* installs that found their ghost */
  uint64_t pinned_pages;                           /* frames with at least one pin, cached or not */
  uint64_t waiting_pages;                          /* evicted frames that wait for their epoch */
};
/* Looks at every frame to count pins: for people, not for hot paths. */
void cache_statistics (struct cache *cache, struct cache_statistics *out);

#endif
