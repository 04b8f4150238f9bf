/* SPDX-License-Identifier: MIT */
/*
 * cache-private: what the cache's files share.
 *
 *   frames.c       memory: slabs of frames, large frames, the queue that waits for its epoch
 *   ghosts.c       B1 and B2: keys of pages that were evicted
 *   replacement.c  T1, T2 and the scan ring: which page goes next
 *   page-table.c   slots
 *   cache.c        the calls of cache.h that tie them together
 *
 * A frame's life:
 *
 *     FREE ──allocate──► FILLING ──install──► RESIDENT ──evict, clear──► WAITING ──epoch──► FREE
 *      ▲                    │ discard                                      │ pinned
 *      └────────────────────┴──────────────────────────────── last unpin ── PINNED
 *
 * One that passes (its slab says so) is not installed: FILLING ──► PASSING ──its reader leaves──► FREE,
 * or PINNED likewise.
 *
 * All functions here are called with cache->lock held, unless they say otherwise.
 */
#ifndef LIGHTNING_CACHE_PRIVATE_H
#define LIGHTNING_CACHE_PRIVATE_H

#include "cache/cache.h"

#include <pthread.h>

#define EVICTION_BATCH 64u                /* frames freed at once, less in small caches */
#define PIN_ORPHANED (UINT32_C (1) << 31) /* in frame.pins: the last unpin gives the frame back */

enum frame_state
{
  FRAME_FREE,
  FRAME_FILLING,
  FRAME_RESIDENT,
  FRAME_WAITING,
  FRAME_PASSING,
  FRAME_PINNED,
};

enum list_name
{
  LIST_T1,   /* seen once lately */
  LIST_T2,   /* seen more than once lately */
  LIST_SCAN, /* brought in by scans: first to go */
  LISTS,
};

/* The bookkeeping of one frame, apart from its bytes, so that the clock hands do not touch them. */
struct frame
{
  /* In its list, the waiting queue, `passing`, or its slab's free frames; a line for each frame. */
  _Alignas(64) struct frame *next;
  struct frame *previous;   /* in its list */
  _Atomic uintptr_t *slot;  /* resident: where readers find it */
  struct page_table *table; /* resident: whose page it is */
  uint64_t page;            /* resident: page number; waiting: its stamp, 0 = not stamped yet */
  struct slab *slab;        /* which it is part of; never changes */
  _Atomic uint32_t pins;    /* plus PIN_ORPHANED */
  uint32_t size;            /* logical bytes of the page */
  uint8_t state;            /* enum frame_state */
  uint8_t list;             /* resident: enum list_name */
  bool seen;                /* in the scan ring: its first reference was already forgiven */
};

/* Directly before the page's bytes; always the same for one frame. */
struct frame_header
{
  _Alignas(FRAME_HEADER_SIZE) struct frame *frame; /* its bookkeeping */
  struct cache *cache;                             /* lives as long as the frame */
};
_Static_assert(sizeof (struct frame_header) == FRAME_HEADER_SIZE, "the header's size is fixed");

/* One piece of the arena: many frames of one unit, or one large frame. */
struct slab
{
  struct slab *next, *previous;                     /* in cache->slabs */
  struct slab *next_available, *previous_available; /* in cache->available, or spares, if there */
  uint8_t *memory;                                  /* frames, `stride` bytes apart */
  size_t memory_size;                               /* bytes of it */
  size_t stride;            /* bytes from header to header, a multiple of 64 */
  size_t charge;            /* bytes charged: memory and this */
  uint32_t frame_count;     /* frames */
  uint32_t live;            /* FILLING and RESIDENT ones */
  uint32_t idle;            /* FREE ones */
  bool large;               /* one frame in a buffer of its own; when idle a spare, or released */
  bool passes;              /* likewise, for a page that is not to be kept; `large`, too */
  struct epoch_visit visit; /* passes, PASSING: of its reader */
  bool draining;            /* gives no more frames; released when all are idle */
  bool available;           /* in cache->available: idle > 0, not large, not draining */
  struct frame *free;       /* the idle frames */
  struct frame frames[];    /* bookkeeping */
};

struct frame_list
{
  struct frame *first, *last; /* first: where the clock's hand stands */
  uint64_t count;             /* frames */
  uint64_t weight;            /* in units (frame_weight) */
};

struct ghost
{
  uint64_t key;            /* ghost_key */
  uint32_t next, previous; /* in its list; 0 = none */
  uint32_t chain;          /* in its hash bucket, or the free entries; 0 = none */
  uint32_t weight;         /* units << 1 | which list */
};

struct ghost_list
{
  uint32_t first, last; /* oldest and newest entry; 0 = none */
  uint64_t count;       /* ghosts */
  uint64_t weight;      /* units */
};

struct ghosts
{
  struct ghost *entries;      /* 1 … capacity; owned */
  uint32_t *buckets;          /* hash heads; owned */
  uint32_t bucket_mask;       /* buckets - 1 */
  uint32_t capacity;          /* entries */
  uint32_t touched;           /* entries ever used: those above were never written */
  uint32_t free;              /* chain of unused entries below */
  struct ghost_list lists[2]; /* B1, B2 */
};

struct cache
{
  pthread_mutex_t lock;  /* guards everything below, and all slots but their reference bits */
  struct ledger *ledger; /* NULL after cache_free */
  struct metrics *metrics; /* NULL: nobody counts; likewise */
  size_t page_size;      /* bytes of a unit page; fixed */
  size_t stride;         /* bytes from one unit frame to the next; fixed */
  size_t slab_size;      /* bytes of a slab's memory; fixed */
  size_t slab_charge;    /* bytes charged for a slab; fixed */
  uint32_t slab_frames;  /* frames of a slab; fixed */
  size_t frame_cost;     /* slab_charge / slab_frames: bytes of one unit; fixed */
  bool huge;             /* slabs ask for huge pages; fixed */

  uint64_t capacity; /* bytes */
  uint64_t units;    /* CAR's c: what the capacity holds, in units */
  uint64_t fixed;    /* bytes not for frames: this and the ghosts, even if not yet allocated */
  uint64_t charged;  /* bytes charged to LEDGER_CACHE */

  struct slab *slabs;     /* all of them */
  struct slab *available; /* those with idle frames to give */
  uint64_t active_slabs;  /* neither large nor draining */
  uint64_t draining_slabs;
  uint64_t free_frames;                 /* in available slabs */
  uint64_t small_live;                  /* unit frames FILLING or RESIDENT */
  uint64_t large_live;                  /* bytes charged for large frames FILLING or RESIDENT */
  struct slab *spares;                  /* large and idle, newest first, singly linked */
  uint64_t spare_bytes;                 /* charged for them */
  uint64_t orphans;                     /* frames PINNED */
  struct frame *waiting, *waiting_last; /* queue, stamps never decrease */
  struct frame *unstamped;              /* the first in the queue without a stamp */
  uint64_t waiting_count;               /* frames in the queue */
  uint64_t waiting_bytes;               /* what is charged for them */
  struct frame *passing;                /* the PASSING ones: a few, one a reader */

  struct frame_list lists[LISTS];
  struct ghosts ghosts;
  uint64_t target;      /* CAR's p: units that T1 should have */
  uint64_t evictions;   /* pages */
  uint64_t allocations; /* frames asked for */
  uint64_t ghost_hits;  /* installs that found their ghost */
  bool closed;          /* cache_free was called; orphans remain */
};

static inline struct frame_header *
header_of (const uint8_t *page)
{
  return (struct frame_header *) (uintptr_t) (page - FRAME_HEADER_SIZE);
}

static inline uint8_t *
frame_page (const struct frame *frame)
{
  const struct slab *slab = frame->slab;
  return slab->memory + (size_t) (frame - slab->frames) * slab->stride + FRAME_HEADER_SIZE;
}

/* Of a frame being filled; by its owner, with or without the lock. Not done when the slab is made,
 * so that memory of frames that were never used is never touched, and not under the lock, where the
 * first touch of a huge page would make everyone wait for the kernel to clear 2 MiB. */
static inline void
frame_write_header (struct cache *cache, struct frame *frame)
{
  *header_of (frame_page (frame)) = (struct frame_header){ frame, cache };
}

/* Lets the lock go, and has the metrics show what it guards. */
void cache_unlock (struct cache *cache);

/* ---- frames.c ---- */

void cache_charge (struct cache *cache, size_t size);
void cache_refund (struct cache *cache, size_t size);
size_t slab_charge_of (size_t memory_size, uint32_t frame_count); /* with its bookkeeping */
uint64_t frame_weight (const struct cache *cache, const struct frame *frame);
size_t frame_charge (const struct cache *cache, const struct frame *frame);
/* A frame to fill, or NULL: of one unit from an available slab, or a large one from the system. */
struct frame *frame_take (struct cache *cache);
struct frame *frame_take_large (struct cache *cache, size_t size, bool passes);
/* Bytes of spares that may be kept, and giving back what is above `most` of them. */
static inline uint64_t
spare_most (const struct cache *cache)
{
  return cache->capacity / 32;
}
void frames_drop_spares (struct cache *cache, uint64_t most);
/* Bytes that a large frame for `size` is charged; 0 when there is no such size. */
size_t frame_large_charge (size_t size);
/* More frames: a draining slab's again. */
bool frames_undrain (struct cache *cache);
/* More frames: a new slab's. */
bool frames_grow (struct cache *cache);
/* A FILLING frame nobody saw goes back. */
void frame_give_back (struct cache *cache, struct frame *frame);
/* A frame that left its slot, or never had one, waits for its epoch: it leaves the live ones. */
void frame_retire (struct cache *cache, struct frame *frame);
/* A filled one that passes, or whose page cannot be kept, is the calling thread's until its section
 * ends. */
void frame_pass (struct cache *cache, struct frame *frame);
/* Stamps what was retired; before the lock is released. */
void frames_stamp (struct cache *cache);
/* Makes waiting frames free whose epoch is over, and passing ones whose reader has left. */
void frames_reclaim (struct cache *cache);
/* The latter only, which costs nothing when there are none. */
void frames_reclaim_passing (struct cache *cache);
/* An orphan's last pin is gone. */
void frame_unorphan (struct cache *cache, struct frame *frame);
/* Empties slabs by copying their pages into free frames elsewhere, until no more than `allowed` are
 * active or there is no room for more copies. */
void frames_compact (struct cache *cache, uint64_t allowed);
/* Releases every slab that is wholly idle. */
void frames_release_idle (struct cache *cache);

/* ---- ghosts.c ---- */

uint64_t ghost_key (uint64_t owner, uint64_t page);
size_t ghosts_size (uint64_t count);                      /* bytes that room for `count` takes */
void ghosts_resize (struct cache *cache, uint64_t count); /* keeps the newest; best effort */
void ghosts_free (struct cache *cache);
void ghosts_add (struct cache *cache, unsigned list, uint64_t key, uint64_t weight);
/* Removes it if it is there; tells which list it was in. */
bool ghosts_take (struct ghosts *ghosts, uint64_t key, unsigned *list);
void ghosts_drop_oldest (struct ghosts *ghosts, unsigned list);

/* ---- replacement.c ---- */

void list_append (struct cache *cache, enum list_name name, struct frame *frame);
void list_remove (struct cache *cache, struct frame *frame);
/* `to` takes the place of `from` in its list. */
void list_replace (struct cache *cache, struct frame *from, struct frame *to);
/* Evicts one page and retires its frame; emptied chunks are added to *dead. Returns the bytes of
 * the frame, 0 when all are pinned. */
size_t replacement_evict (struct cache *cache, struct page_chunk **dead);
/* A page was installed: into which list, and what that teaches. */
void replacement_enter (struct cache *cache, struct frame *frame, bool scan);
/* Drops ghosts beyond what CAR allows. */
void replacement_trim_ghosts (struct cache *cache);

/* ---- page-table.c ---- */

/* Empties the frame's slot (already 0) in its table's books; an emptied chunk is added to *dead. */
void page_table_forget (struct frame *frame, struct page_chunk **dead);
/* Hands emptied chunks to the epoch. NOT under the lock: other organs' releases may run. */
void page_chunks_retire (struct page_chunk *dead);

#endif
