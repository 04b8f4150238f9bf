/* SPDX-License-Identifier: MIT */
/*
 * cache: see cache.h and, for the parts, cache-private.h.
 *
 * Invariants
 *   A1  Unit frames live stay `reserve` below what the allowed slabs hold, so that an allocation
 *       finds a free or soon free frame without evicting. Allowed slabs are what the capacity holds
 *       beside large frames and ghosts, at least one.
 *   A2  Slabs above the allowed ones exist only while frames wait for their epoch or are pinned;
 *       then they are emptied by copying and given back.
 *   A3  While evicted frames cannot be reused, because a thread that is inside a section since
 *       before does not get the processor, no memory is taken beyond A2's, but for one passing
 *       frame a reader.
 *   A4  epoch_retire is never called under the lock: it may run releases of other organs, which may
 *       clear page tables.
 */
#include "cache/cache-private.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#define SLAB_SIZE_LEAST ((size_t) 64 << 10)
#define SLAB_SIZE_MOST ((size_t) 2 << 20)
#define SLAB_FRAMES_LEAST 8u
#define LARGE_PART 16u   /* of the budget, that one large page may take */
#define WAITING_PART 16u /* of the capacity, that frames may take while they wait for their epoch */

/* ---- limits ---- */

static uint64_t
allowed_slabs (const struct cache *cache, uint64_t large)
{
  uint64_t taken = cache->fixed + large;
  uint64_t slabs = cache->capacity > taken ? (cache->capacity - taken) / cache->slab_charge : 0;
  return slabs > 0 ? slabs : 1;
}

static uint64_t
large_taken (const struct cache *cache)
{
  return cache->large_live + cache->spare_bytes;
}

/* Frames kept free, and evicted at once. */
static uint64_t
reserve_of (uint64_t frames)
{
  uint64_t reserve = frames / 32;
  return reserve > EVICTION_BATCH ? EVICTION_BATCH : reserve > 0 ? reserve : 1;
}

/* Whether so much more of either kind would break A1 or C4. */
static bool
overfull (const struct cache *cache, uint64_t small, uint64_t large)
{
  large += large_taken (cache);
  small += cache->small_live;
  uint64_t frames = allowed_slabs (cache, large) * cache->slab_frames;
  if (small + reserve_of (frames) > frames)
    return true;
  uint64_t slab = small > 0 ? cache->slab_charge : 0;
  return large > 0 && cache->fixed + large + slab > cache->capacity;
}

static void
evict_until_room (struct cache *cache, uint64_t small, uint64_t large, struct page_chunk **dead)
{
  while (overfull (cache, small, large))
    if (replacement_evict (cache, dead) == 0)
      break;
  frames_stamp (cache);
}

/* Brings the number of slabs back to what is allowed; A2. */
static void
settle_slabs (struct cache *cache, uint64_t allowed)
{
  if (cache->active_slabs <= allowed && cache->draining_slabs == 0)
    return;
  frames_reclaim (cache);
  frames_compact (cache, allowed);
  frames_reclaim (cache);
}

/* Looking whether slabs can be given back costs a scan of the epochs and slabs, so small pages do
 * it now and then. Beside large frames one slab above the allowed ones is let be, so that a large
 * page coming and going does not empty and refill a slab each time (C4's slack). */
static void
settle_sometimes (struct cache *cache, bool large)
{
  uint64_t allowed = allowed_slabs (cache, large_taken (cache));
  uint64_t limit = allowed + (large_taken (cache) > 0);
  bool now = ++cache->allocations % EVICTION_BATCH == 0;
  if ((cache->active_slabs > limit && (large || now)) || (cache->draining_slabs > 0 && now))
    settle_slabs (cache, cache->active_slabs > limit ? allowed : limit);
}

static void
set_limits (struct cache *cache, uint64_t capacity)
{
  uint64_t units = capacity / (cache->frame_cost + 32);
  cache->capacity = capacity;
  cache->units = units > 0 ? units : 1;
  cache->fixed = sizeof *cache + ghosts_size (cache->units);
  if (cache->target > cache->units)
    cache->target = cache->units;
}

/* ---- making and freeing ---- */

static size_t
slab_size_for (const struct ledger *ledger, size_t stride)
{
  size_t size = SLAB_SIZE_LEAST;
  if (ledger->budget >= LEDGER_HUGE_BUDGET)
    return SLAB_SIZE_MOST;
  while (size < SLAB_SIZE_MOST && (size < ledger->budget / 64 || size < stride * SLAB_FRAMES_LEAST))
    size *= 2;
  return size;
}

status
cache_new (struct ledger *ledger, size_t page_size, uint64_t capacity, struct cache **out,
           struct failure *failure)
{
  *out = NULL;
  if (page_size < 4096 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
    return fail (failure, STATUS_INVALID,
                 "a page size of %zu is not a power of two from 4096 to 65536", page_size);
  struct cache *cache = calloc (1, sizeof *cache);
  if (cache == NULL)
    return fail_memory (failure, sizeof *cache, "the page cache");
  if (pthread_mutex_init (&cache->lock, NULL) != 0)
    {
      free (cache);
      return fail_memory (failure, sizeof *cache, "the page cache's lock");
    }
  size_t stride = (page_size + FRAME_HEADER_SIZE + 63) & ~(size_t) 63;
  cache->ledger = ledger;
  cache->page_size = page_size;
  cache->huge = ledger->budget >= LEDGER_HUGE_BUDGET;
  cache->slab_size = slab_size_for (ledger, stride);
  cache->slab_frames = (uint32_t) (cache->slab_size / stride);
  cache->stride = stride;
  cache->slab_charge = slab_charge_of (cache->slab_size, cache->slab_frames);
  cache->frame_cost = cache->slab_charge / cache->slab_frames;
  set_limits (cache, capacity);
  cache_charge (cache, sizeof *cache);
  *out = cache;
  return STATUS_OK;
}

void
cache_set_metrics (struct cache *cache, struct metrics *metrics)
{
  cache->metrics = metrics;
  gauge_set (metrics, GAUGE_CACHE_CAPACITY, (int64_t) cache->capacity);
}

void
cache_unlock (struct cache *cache)
{
  struct metrics *metrics = cache->metrics;
  if (metrics != NULL)
    {
      gauge_set (metrics, GAUGE_CACHE_CAPACITY, (int64_t) cache->capacity);
      gauge_set (metrics, GAUGE_CACHE_T1, (int64_t) cache->lists[LIST_T1].count);
      gauge_set (metrics, GAUGE_CACHE_T2, (int64_t) cache->lists[LIST_T2].count);
      gauge_set (metrics, GAUGE_CACHE_SCAN, (int64_t) cache->lists[LIST_SCAN].count);
      gauge_set (metrics, GAUGE_CACHE_B1, (int64_t) cache->ghosts.lists[0].count);
      gauge_set (metrics, GAUGE_CACHE_B2, (int64_t) cache->ghosts.lists[1].count);
      gauge_set (metrics, GAUGE_CACHE_TARGET, (int64_t) cache->target);
    }
  pthread_mutex_unlock (&cache->lock);
}

static void
cache_destroy (struct cache *cache)
{
  pthread_mutex_destroy (&cache->lock);
  free (cache);
}

void
cache_free (struct cache *cache)
{
  if (cache == NULL)
    return;
  assert (!epoch_inside ());
  pthread_mutex_lock (&cache->lock);
  assert (cache->small_live == 0 && cache->large_live == 0);
  for (frames_reclaim (cache); cache->waiting != NULL || cache->passing != NULL;
       frames_reclaim (cache))
    {
      pthread_mutex_unlock (&cache->lock);
      sched_yield ();
      pthread_mutex_lock (&cache->lock);
    }
  ghosts_free (cache);
  frames_release_idle (cache);
  frames_compact (cache, 0); /* slabs with pinned frames go with their last unpin */
  cache_refund (cache, cache->charged);
  cache->ledger = NULL;
  cache->metrics = NULL;
  cache->closed = true;
  bool last = cache->orphans == 0;
  pthread_mutex_unlock (&cache->lock);
  if (last)
    cache_destroy (cache);
}

void
cache_set_capacity (struct cache *cache, uint64_t capacity)
{
  struct page_chunk *dead = NULL;
  pthread_mutex_lock (&cache->lock);
  set_limits (cache, capacity);
  uint64_t room = cache->ghosts.capacity;
  if (room > 0 && (cache->units > room + room / 4 || cache->units < room - room / 4))
    ghosts_resize (cache, cache->units);
  replacement_trim_ghosts (cache);
  frames_drop_spares (cache, spare_most (cache));
  evict_until_room (cache, 0, 0, &dead);
  frames_reclaim (cache);
  settle_slabs (cache, allowed_slabs (cache, large_taken (cache)));
  cache_unlock (cache);
  page_chunks_retire (dead);
}

bool
cache_keeps (const struct cache *cache, size_t size)
{
  return size <= atomic_load_explicit (&cache->ledger->budget, memory_order_relaxed) / LARGE_PART;
}

uint64_t
cache_evict_fraction (struct cache *cache, double fraction)
{
  struct page_chunk *dead = NULL;
  uint64_t evicted = 0;
  pthread_mutex_lock (&cache->lock);
  double live = (double) (cache->small_live * cache->frame_cost + cache->large_live);
  double wanted = fraction >= 1 ? live : fraction > 0 ? live * fraction : 0;
  while ((double) evicted < wanted)
    {
      size_t size = replacement_evict (cache, &dead);
      if (size == 0)
        break;
      evicted += size;
    }
  frames_stamp (cache);
  frames_reclaim (cache);
  settle_slabs (cache, (cache->small_live + cache->slab_frames - 1) / cache->slab_frames);
  frames_release_idle (cache);
  cache_unlock (cache);
  page_chunks_retire (dead);
  return evicted;
}

/* ---- frames for callers ---- */

/* Whether so much waits for its epoch that nothing is to be evicted for more (A3). */
static bool
is_held_back (const struct cache *cache)
{
  return cache->waiting_bytes > cache->slab_charge + cache->capacity / WAITING_PART;
}

static struct frame *
take_small (struct cache *cache, struct page_chunk **dead)
{
  if (overfull (cache, 1, 0))
    evict_until_room (cache, reserve_of (cache->units), 0, dead);
  if (cache->free_frames == 0)
    frames_reclaim (cache);
  if (cache->free_frames > 0 || frames_undrain (cache))
    return frame_take (cache);
  struct frame *frame
      = is_held_back (cache) ? frame_take_large (cache, cache->page_size, true) : NULL;
  if (frame == NULL && !frames_grow (cache))
    {
      /* No memory: what can go makes room, if no reader is looking. */
      for (uint64_t i = 0; i < EVICTION_BATCH && replacement_evict (cache, dead) > 0; i++)
        ;
      frames_reclaim (cache);
    }
  return frame != NULL ? frame : frame_take (cache);
}

static struct frame *
take_large (struct cache *cache, size_t size, struct page_chunk **dead)
{
  size_t charge = frame_large_charge (size);
  if (charge == 0)
    return NULL;
  frames_reclaim (cache);
  if (is_held_back (cache))
    return frame_take_large (cache, size, true);
  evict_until_room (cache, 0, charge, dead);
  frames_reclaim (cache);
  return frame_take_large (cache, size, false);
}

uint8_t *
cache_allocate (struct cache *cache, size_t size)
{
  struct page_chunk *dead = NULL;
  assert (!epoch_inside ());
  pthread_mutex_lock (&cache->lock);
  frames_reclaim_passing (cache);
  struct frame *frame
      = size <= cache->page_size ? take_small (cache, &dead) : take_large (cache, size, &dead);
  if (frame != NULL)
    frame->size = (uint32_t) size;
  settle_sometimes (cache, size > cache->page_size);
  bool balance = cache->allocations % EVICTION_BATCH == 0;
  frames_stamp (cache);
  cache_unlock (cache);
  page_chunks_retire (dead);
  if (balance)
    ledger_balance (cache->ledger); /* indexes, filters and page tables grow with what is read */
  if (frame == NULL)
    return NULL;
  frame_write_header (cache, frame);
  return frame_page (frame);
}

void
cache_discard (struct cache *cache, uint8_t *page)
{
  if (page == NULL)
    return;
  pthread_mutex_lock (&cache->lock);
  struct frame *frame = header_of (page)->frame;
  assert (frame->state == FRAME_FILLING);
  frame_give_back (cache, frame);
  pthread_mutex_unlock (&cache->lock);
}

/* ---- pins ---- */

void
cache_pin (const uint8_t *page)
{
  atomic_fetch_add_explicit (&header_of (page)->frame->pins, 1, memory_order_relaxed);
}

void
cache_prefetch_pin (const uint8_t *page)
{
  __builtin_prefetch (&header_of (page)->frame->pins, 1);
}

void
cache_unpin (const uint8_t *page)
{
  struct frame *frame = header_of (page)->frame;
  struct cache *cache = header_of (page)->cache;
  uint32_t pins = atomic_fetch_sub_explicit (&frame->pins, 1, memory_order_acq_rel);
  assert ((pins & ~PIN_ORPHANED) > 0);
  if (pins != (PIN_ORPHANED | 1))
    return; /* from here on the frame may be anyone's */
  pthread_mutex_lock (&cache->lock);
  frame_unorphan (cache, frame);
  bool last = cache->closed && cache->orphans == 0;
  pthread_mutex_unlock (&cache->lock);
  if (last)
    cache_destroy (cache);
}

size_t
cache_page_size (const uint8_t *page)
{
  return header_of (page)->frame->size;
}

/* ---- figures ---- */

static uint64_t
count_pinned (const struct cache *cache)
{
  uint64_t pinned = 0;
  for (const struct slab *slab = cache->slabs; slab != NULL; slab = slab->next)
    for (uint32_t i = 0; i < slab->frame_count; i++)
      pinned += (atomic_load_explicit (&slab->frames[i].pins, memory_order_relaxed) & ~PIN_ORPHANED)
                > 0;
  return pinned;
}

void
cache_statistics (struct cache *cache, struct cache_statistics *out)
{
  pthread_mutex_lock (&cache->lock);
  *out = (struct cache_statistics){
    .capacity = cache->capacity,
    .used = cache->charged,
    .evictions = cache->evictions,
    .t1_pages = cache->lists[LIST_T1].count + cache->lists[LIST_SCAN].count,
    .t2_pages = cache->lists[LIST_T2].count,
    .b1_pages = cache->ghosts.lists[0].count,
    .b2_pages = cache->ghosts.lists[1].count,
    .scan_pages = cache->lists[LIST_SCAN].count,
    .target = cache->target,
    .ghost_hits = cache->ghost_hits,
    .pinned_pages = count_pinned (cache),
    .waiting_pages = cache->waiting_count,
  };
  pthread_mutex_unlock (&cache->lock);
}
