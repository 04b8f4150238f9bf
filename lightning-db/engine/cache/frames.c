/* SPDX-License-Identifier: MIT */
/*
 * frames: the memory of cached pages.
 *
 * Unit pages lie in slabs (2 MiB of huge pages from a 32 MB budget on, less in small databases),
 * 16 bytes of header and the page, at multiples of 64 bytes. Slabs with idle frames are in the
 * `available` list and give from the front.
 *
 * A larger page is a slab of one frame in a buffer of its own (base/buffer.h). Mapping and clearing
 * one costs as much as reading it, so a few idle ones are kept as spares for pages of about their
 * size.
 *
 * Invariants
 *   M1  slab->live + idle + WAITING + PINNED frames = slab->frame_count.
 *   M2  free_frames is the sum of idle over available slabs; a slab is available exactly while it
 *       has idle frames and is neither large nor draining.
 *   M3  A WAITING frame's stamp is the clock at a moment when no slot led to it any more; it is
 *       reused only when epoch_oldest is beyond that stamp, and its pins are then 0 for good, or it
 *       is PINNED until its last unpin (no section that could add a pin is left).
 *   M4  A draining slab gives no frames; it is released when all its frames are idle.
 *   M5  A PASSING frame was never in a slot: only its reader can know it, and nobody pins it anew
 *       once that one's section is over.
 */
#include "cache/cache-private.h"

#include "base/buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SPARES_TRIED 8u      /* spares that are looked at for one of the right size */
#define SPARE_EXCESS_PART 4u /* of a page's size that its spare may be larger */

void
cache_charge (struct cache *cache, size_t size)
{
  cache->charged += size;
  if (cache->ledger != NULL)
    ledger_charge (cache->ledger, LEDGER_CACHE, size);
}

void
cache_refund (struct cache *cache, size_t size)
{
  cache->charged -= size;
  if (cache->ledger != NULL)
    ledger_refund (cache->ledger, LEDGER_CACHE, size);
}

uint64_t
frame_weight (const struct cache *cache, const struct frame *frame)
{
  return frame->slab->large ? (frame->slab->charge + cache->frame_cost - 1) / cache->frame_cost : 1;
}

size_t
frame_charge (const struct cache *cache, const struct frame *frame)
{
  return frame->slab->large ? frame->slab->charge : cache->frame_cost;
}

/* ---- slabs ---- */

static size_t
bookkeeping_size (uint32_t frame_count)
{
  return sizeof (struct slab) + frame_count * sizeof (struct frame); /* a multiple of 64 */
}

size_t
slab_charge_of (size_t memory_size, uint32_t frame_count)
{
  return memory_size + bookkeeping_size (frame_count);
}

/* Aligned to its size when huge pages are wanted, which it must be for them. */
static uint8_t *
map_slab (const struct cache *cache)
{
  size_t size = cache->slab_size;
  uint8_t *at = buffer_map_aligned (size, cache->huge ? size : 4096, PROT_READ | PROT_WRITE);
  if (at != NULL) /* a system that gives huge pages unasked would round up */
    madvise (at, size, cache->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return at;
}

static void
unmap_slab (struct slab *slab)
{
  if (slab->large)
    buffer_release (&(struct buffer){ slab->memory, slab->memory_size }, NULL, LEDGER_CACHE);
  else
    munmap (slab->memory, slab->memory_size);
  free (slab);
}

static struct slab *
slab_new (struct cache *cache, uint8_t *memory, size_t memory_size, size_t stride,
          uint32_t frame_count)
{
  size_t size = bookkeeping_size (frame_count);
  struct slab *slab = memory != NULL ? aligned_alloc (64, size) : NULL;
  if (slab == NULL)
    return NULL;
  memset (slab, 0, size);
  slab->memory = memory;
  slab->memory_size = memory_size;
  slab->stride = stride;
  slab->charge = slab_charge_of (memory_size, frame_count);
  slab->frame_count = frame_count;
  for (uint32_t i = 0; i < frame_count; i++)
    slab->frames[i].slab = slab;
  slab->next = cache->slabs;
  if (slab->next != NULL)
    slab->next->previous = slab;
  cache->slabs = slab;
  cache_charge (cache, slab->charge);
  return slab;
}

static void
slab_release (struct cache *cache, struct slab *slab)
{
  assert (slab->idle == slab->frame_count); /* M1 */
  if (slab->previous != NULL)
    slab->previous->next = slab->next;
  else
    cache->slabs = slab->next;
  if (slab->next != NULL)
    slab->next->previous = slab->previous;
  cache->draining_slabs -= slab->draining;
  cache_refund (cache, slab->charge);
  unmap_slab (slab);
}

static void
make_available (struct cache *cache, struct slab *slab)
{
  slab->available = true;
  slab->previous_available = NULL;
  slab->next_available = cache->available;
  if (cache->available != NULL)
    cache->available->previous_available = slab;
  cache->available = slab;
}

static void
make_unavailable (struct cache *cache, struct slab *slab)
{
  if (slab->previous_available != NULL)
    slab->previous_available->next_available = slab->next_available;
  else
    cache->available = slab->next_available;
  if (slab->next_available != NULL)
    slab->next_available->previous_available = slab->previous_available;
  slab->available = false;
}

static void
slab_drain (struct cache *cache, struct slab *slab)
{
  if (slab->available)
    {
      make_unavailable (cache, slab);
      cache->free_frames -= slab->idle;
    }
  slab->draining = true;
  cache->active_slabs--;
  cache->draining_slabs++;
}

static void
slab_undrain (struct cache *cache, struct slab *slab)
{
  slab->draining = false;
  cache->active_slabs++;
  cache->draining_slabs--;
  cache->free_frames += slab->idle;
  if (slab->idle > 0)
    make_available (cache, slab);
}

/* ---- spares ---- */

static void
spare_drop (struct cache *cache)
{
  struct slab *slab = cache->spares;
  cache->spares = slab->next_available;
  cache->spare_bytes -= slab->charge;
  slab_release (cache, slab);
}

void
frames_drop_spares (struct cache *cache, uint64_t most)
{
  while (cache->spare_bytes > most)
    spare_drop (cache);
}

/* Its frame is idle. Small ones, from the allocator's heap, cost nothing. */
static bool
spare_keep (struct cache *cache, struct slab *slab)
{
  if (cache->closed || !buffer_is_mapped (slab->memory_size)
      || cache->spare_bytes + slab->charge > spare_most (cache))
    return false;
  slab->next_available = cache->spares;
  cache->spares = slab;
  cache->spare_bytes += slab->charge;
  return true;
}

/* One of that size or a little more. When there is none, the one that was kept in vain goes. */
static struct slab *
spare_take (struct cache *cache, size_t memory_size)
{
  struct slab **link = &cache->spares;
  for (unsigned i = 0; i < SPARES_TRIED && *link != NULL; i++, link = &(*link)->next_available)
    {
      struct slab *slab = *link;
      if (slab->memory_size < memory_size
          || slab->memory_size - memory_size > memory_size / SPARE_EXCESS_PART)
        continue;
      *link = slab->next_available;
      cache->spare_bytes -= slab->charge;
      slab->free = NULL;
      slab->idle = 0;
      return slab;
    }
  if (cache->spares != NULL)
    spare_drop (cache);
  return NULL;
}

/* ---- idle frames ---- */

/* Its frame is idle again, whatever it was; large slabs, but for spares, and drained ones go. */
static void
frame_idle (struct cache *cache, struct frame *frame)
{
  struct slab *slab = frame->slab;
  atomic_store_explicit (&frame->pins, 0, memory_order_relaxed);
  frame->state = FRAME_FREE;
  frame->next = slab->free;
  slab->free = frame;
  slab->idle++;
  if (slab->large || slab->draining)
    {
      if (slab->idle == slab->frame_count && !(slab->large && spare_keep (cache, slab)))
        slab_release (cache, slab);
      return;
    }
  cache->free_frames++;
  if (!slab->available)
    make_available (cache, slab);
}

bool
frames_undrain (struct cache *cache)
{
  for (struct slab *slab = cache->draining_slabs > 0 ? cache->slabs : NULL; slab != NULL;
       slab = slab->next)
    if (slab->draining && slab->idle > 0)
      {
        slab_undrain (cache, slab);
        return true;
      }
  return false;
}

bool
frames_grow (struct cache *cache)
{
  uint8_t *memory = map_slab (cache);
  struct slab *slab = slab_new (cache, memory, cache->slab_size, cache->stride, cache->slab_frames);
  if (slab == NULL)
    {
      if (memory != NULL)
        munmap (memory, cache->slab_size);
      return false;
    }
  for (uint32_t i = slab->frame_count; i-- > 0;)
    {
      slab->frames[i].next = slab->free;
      slab->free = &slab->frames[i];
    }
  slab->idle = slab->frame_count;
  cache->active_slabs++;
  cache->free_frames += slab->idle;
  make_available (cache, slab);
  return true;
}

/* ---- frames ---- */

static void
count_live (struct cache *cache, struct frame *frame, bool more)
{
  struct slab *slab = frame->slab;
  if (more)
    slab->live++;
  else
    slab->live--;
  if (slab->passes)
    return; /* nothing is evicted for it */
  if (slab->large)
    cache->large_live += more ? slab->charge : -(uint64_t) slab->charge;
  else
    cache->small_live += more ? 1 : -(uint64_t) 1;
}

static struct frame *
frame_begin (struct cache *cache, struct frame *frame)
{
  frame->state = FRAME_FILLING;
  count_live (cache, frame, true);
  return frame;
}

struct frame *
frame_take (struct cache *cache)
{
  struct slab *slab = cache->available;
  if (slab == NULL)
    return NULL;
  struct frame *frame = slab->free;
  slab->free = frame->next;
  slab->idle--;
  cache->free_frames--;
  if (slab->idle == 0)
    make_unavailable (cache, slab);
  return frame_begin (cache, frame);
}

size_t
frame_large_charge (size_t size)
{
  if (size > UINT32_MAX)
    return 0;
  return buffer_room (size + FRAME_HEADER_SIZE) + bookkeeping_size (1);
}

struct frame *
frame_take_large (struct cache *cache, size_t size, bool passes)
{
  struct buffer memory = { 0 };
  struct slab *slab = spare_take (cache, buffer_room (size + FRAME_HEADER_SIZE));
  if (slab == NULL && buffer_resize (&memory, size + FRAME_HEADER_SIZE, NULL, LEDGER_CACHE))
    slab = slab_new (cache, memory.data, memory.room, memory.room, 1);
  if (slab == NULL)
    {
      buffer_release (&memory, NULL, LEDGER_CACHE);
      return NULL;
    }
  slab->large = true;
  slab->passes = passes;
  return frame_begin (cache, &slab->frames[0]);
}

void
frame_give_back (struct cache *cache, struct frame *frame)
{
  count_live (cache, frame, false);
  frame_idle (cache, frame);
}

void
frame_retire (struct cache *cache, struct frame *frame)
{
  count_live (cache, frame, false);
  frame->state = FRAME_WAITING;
  frame->page = 0;
  frame->next = NULL;
  if (cache->waiting != NULL)
    cache->waiting_last->next = frame;
  else
    cache->waiting = frame;
  cache->waiting_last = frame;
  cache->waiting_count++;
  cache->waiting_bytes += frame_charge (cache, frame);
  if (cache->unstamped == NULL)
    cache->unstamped = frame;
}

void
frame_pass (struct cache *cache, struct frame *frame)
{
  struct slab *slab = frame->slab;
  slab->visit = epoch_visit ();
  if (!slab->passes || slab->visit.slot == NULL)
    {
      frame_retire (cache, frame); /* waits for everybody's section, its reader's among them */
      return;
    }
  count_live (cache, frame, false);
  frame->state = FRAME_PASSING;
  frame->next = cache->passing;
  cache->passing = frame;
}

void
frames_stamp (struct cache *cache)
{
  if (cache->unstamped == NULL)
    return;
  uint64_t stamp = epoch_advance ();
  for (struct frame *frame = cache->unstamped; frame != NULL; frame = frame->next)
    frame->page = stamp;
  cache->unstamped = NULL;
}

/* No section is left in which anyone could pin it anew. */
static void
frame_let_go (struct cache *cache, struct frame *frame)
{
  if (atomic_fetch_or_explicit (&frame->pins, PIN_ORPHANED, memory_order_acq_rel) == 0)
    {
      frame_idle (cache, frame);
      return;
    }
  frame->state = FRAME_PINNED;
  cache->orphans++;
}

void
frames_reclaim_passing (struct cache *cache)
{
  for (struct frame **link = &cache->passing, *frame; (frame = *link) != NULL;)
    if (epoch_visit_is_over (&frame->slab->visit))
      {
        *link = frame->next;
        frame_let_go (cache, frame); /* M5 */
      }
    else
      link = &frame->next;
}

void
frames_reclaim (struct cache *cache)
{
  frames_reclaim_passing (cache);
  if (cache->waiting == NULL)
    return;
  frames_stamp (cache);
  uint64_t oldest = epoch_oldest ();
  while (cache->waiting != NULL && cache->waiting->page < oldest)
    {
      struct frame *frame = cache->waiting;
      cache->waiting = frame->next;
      cache->waiting_count--;
      cache->waiting_bytes -= frame_charge (cache, frame);
      frame_let_go (cache, frame); /* M3 */
    }
}

void
frame_unorphan (struct cache *cache, struct frame *frame)
{
  assert (frame->state == FRAME_PINNED);
  cache->orphans--;
  frame_idle (cache, frame);
}

/* ---- compaction ---- */

/* Puts a copy of a resident page in its place. Readers find one or the other: both hold the same
 * bytes. The old frame waits for its epoch like an evicted one. */
static void
frame_move (struct cache *cache, struct frame *from, struct frame *to)
{
  uintptr_t old = (uintptr_t) frame_page (from), new = (uintptr_t) frame_page (to);
  frame_write_header (cache, to);
  memcpy (frame_page (to), frame_page (from), from->size);
  to->size = from->size;
  to->slot = from->slot;
  to->table = from->table;
  to->page = from->page;
  to->seen = from->seen;
  to->state = FRAME_RESIDENT;
  list_replace (cache, from, to);
  uintptr_t value = atomic_load_explicit (from->slot, memory_order_relaxed);
  do
    assert ((value & ~PAGE_REFERENCED) == old);
  while (!atomic_compare_exchange_strong (from->slot, &value, new | (value & PAGE_REFERENCED)));
  (void) old;
  frame_retire (cache, from);
}

static void
slab_evacuate (struct cache *cache, struct slab *slab)
{
  for (uint32_t i = 0; i < slab->frame_count && cache->free_frames > 0; i++)
    {
      struct frame *frame = &slab->frames[i];
      if (frame->state == FRAME_RESIDENT
          && atomic_load_explicit (&frame->pins, memory_order_relaxed) == 0)
        frame_move (cache, frame, frame_take (cache));
    }
}

/* The active slab with the fewest live pages. */
static struct slab *
emptiest_slab (const struct cache *cache)
{
  struct slab *best = NULL;
  for (struct slab *slab = cache->slabs; slab != NULL; slab = slab->next)
    if (!slab->large && !slab->draining && (best == NULL || slab->live < best->live))
      best = slab;
  return best;
}

void
frames_release_idle (struct cache *cache)
{
  frames_drop_spares (cache, 0);
  for (struct slab *slab = cache->slabs, *next; slab != NULL; slab = next)
    {
      next = slab->next;
      if (slab->idle < slab->frame_count)
        continue;
      if (!slab->draining)
        slab_drain (cache, slab);
      slab_release (cache, slab);
    }
}

void
frames_compact (struct cache *cache, uint64_t allowed)
{
  while (cache->active_slabs > allowed)
    {
      struct slab *slab = emptiest_slab (cache);
      if (slab == NULL || cache->free_frames - slab->idle < slab->live)
        break;
      slab_drain (cache, slab);
      slab_evacuate (cache, slab);
      frames_stamp (cache);
      if (slab->idle == slab->frame_count)
        slab_release (cache, slab);
    }
  for (struct slab *slab = cache->draining_slabs > 0 ? cache->slabs : NULL; slab != NULL;
       slab = slab->next)
    if (slab->draining && slab->live > 0) /* what was pinned or being filled then */
      slab_evacuate (cache, slab);
  frames_stamp (cache);
}
