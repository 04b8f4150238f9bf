/* SPDX-License-Identifier: MIT */
/*
 * replacement: CAR (Bansal and Modha, FAST 2004), the clock form of ARC, by weight, with a ring for
 * scans beside it.
 *
 *     B1 ghosts ◄── T1 (seen once) ──referenced──► T2 (seen again) ──► B2 ghosts
 *                       ▲ target p moves with ghost hits ▼
 *     scan ring ──unreferenced──► gone without a ghost
 *
 * Invariants, in units (one unit = one page of page_size)
 *   R1  T1 + B1 ≤ c, and T1 + T2 + B1 + B2 ≤ 2c.
 *   R2  0 ≤ p ≤ c.
 *   R3  A page is in exactly one of T1, T2 and the ring. Ghosts are of pages outside T1 and T2.
 *   R4  Scans leave T1, T2, p and the ghosts alone: their pages come into the ring, which gives up
 *       its own before anything else once it is above a sixteenth of the cache. What readers refer
 *       to again after the scan has passed moves on into T1 or T2.
 */
#include "cache/cache-private.h"

#include <assert.h>

/* Pages one eviction may let pass because they were referred to. A cache whose every page was used
 * since the last eviction would otherwise be swept whole, under the lock, to find one. */
#define SECOND_CHANCES 64u

/* ---- lists ---- */

void
list_append (struct cache *cache, enum list_name name, struct frame *frame)
{
  struct frame_list *list = &cache->lists[name];
  frame->list = (uint8_t) name;
  frame->next = NULL;
  frame->previous = list->last;
  if (list->last != NULL)
    list->last->next = frame;
  else
    list->first = frame;
  list->last = frame;
  list->count++;
  list->weight += frame_weight (cache, frame);
}

void
list_remove (struct cache *cache, struct frame *frame)
{
  struct frame_list *list = &cache->lists[frame->list];
  if (frame->previous != NULL)
    frame->previous->next = frame->next;
  else
    list->first = frame->next;
  if (frame->next != NULL)
    frame->next->previous = frame->previous;
  else
    list->last = frame->previous;
  list->count--;
  list->weight -= frame_weight (cache, frame);
}

void
list_replace (struct cache *cache, struct frame *from, struct frame *to)
{
  struct frame_list *list = &cache->lists[from->list];
  to->list = from->list;
  to->next = from->next;
  to->previous = from->previous;
  if (to->previous != NULL)
    to->previous->next = to;
  else
    list->first = to;
  if (to->next != NULL)
    to->next->previous = to;
  else
    list->last = to;
}

static void
list_move (struct cache *cache, struct frame *frame, enum list_name name)
{
  list_remove (cache, frame);
  list_append (cache, name, frame);
}

/* ---- the hands ---- */

static uint64_t
ring_limit (const struct cache *cache)
{
  uint64_t least = cache->units / 2 < EVICTION_BATCH ? cache->units / 2 : EVICTION_BATCH;
  return cache->units / 16 > least ? cache->units / 16 : least;
}

/* Which hand moves; LISTS when none can. A list in `passed` had only pinned pages. */
static enum list_name
choose_list (const struct cache *cache, const bool passed[LISTS])
{
  const struct frame_list *lists = cache->lists;
  bool ready[LISTS];
  for (int name = 0; name < LISTS; name++)
    ready[name] = lists[name].first != NULL && !passed[name];
  if (ready[LIST_SCAN] && lists[LIST_SCAN].weight > ring_limit (cache))
    return LIST_SCAN;
  uint64_t least = cache->target > 0 ? cache->target : 1;
  if (ready[LIST_T1] && lists[LIST_T1].weight >= least)
    return LIST_T1;
  if (ready[LIST_T2])
    return LIST_T2;
  if (ready[LIST_T1])
    return LIST_T1;
  return ready[LIST_SCAN] ? LIST_SCAN : LISTS;
}

/* A scan page that was referred to stays one more round, since the scan itself may have done it;
 * then it joins the others where its history says. */
static void
promote_scan_page (struct cache *cache, struct frame *frame)
{
  unsigned list;
  if (!frame->seen)
    {
      frame->seen = true;
      list_move (cache, frame, LIST_SCAN);
    }
  else if (ghosts_take (&cache->ghosts, ghost_key (frame->table->owner, frame->page), &list))
    list_move (cache, frame, LIST_T2);
  else
    list_move (cache, frame, LIST_T1);
}

/* Moves a page on that may not go now: true. Otherwise its slot is empty from here on. `force`: a
 * reference does not save it. */
static bool
page_stays (struct cache *cache, struct frame *frame, bool force)
{
  if (atomic_load_explicit (&frame->pins, memory_order_relaxed) != 0)
    {
      list_move (cache, frame, frame->list);
      return true;
    }
  uintptr_t value = (uintptr_t) frame_page (frame);
  if (force)
    {
      atomic_exchange (frame->slot, 0);
      return false;
    }
  if (atomic_compare_exchange_strong (frame->slot, &value, 0))
    return false;
  assert (value == ((uintptr_t) frame_page (frame) | PAGE_REFERENCED));
  atomic_fetch_and_explicit (frame->slot, ~PAGE_REFERENCED, memory_order_relaxed);
  if (frame->list == LIST_SCAN)
    promote_scan_page (cache, frame);
  else
    list_move (cache, frame, LIST_T2);
  return true;
}

/* The page at a hand, which is out of its slot, leaves. Returns its frame's bytes. */
static size_t
evict (struct cache *cache, struct frame *frame, struct page_chunk **dead)
{
  enum list_name name = frame->list;
  uint64_t weight = frame_weight (cache, frame);
  size_t size = frame_charge (cache, frame);
  list_remove (cache, frame);
  if (name != LIST_SCAN)
    ghosts_add (cache, name == LIST_T2, ghost_key (frame->table->owner, frame->page), weight);
  page_table_forget (frame, dead);
  frame_retire (cache, frame);
  replacement_trim_ghosts (cache);
  cache->evictions++;
  if (cache->metrics != NULL)
    count_locked (cache->metrics, SHARED_CACHE_EVICTIONS, 1);
  return size;
}

size_t
replacement_evict (struct cache *cache, struct page_chunk **dead)
{
  bool passed[LISTS] = { false };
  uint64_t steps[LISTS] = { 0 };
  for (unsigned total = 0;; total++)
    {
      enum list_name name = choose_list (cache, passed);
      if (name == LISTS)
        return 0;
      struct frame *frame = cache->lists[name].first;
      if (!page_stays (cache, frame, total >= SECOND_CHANCES))
        return evict (cache, frame, dead);
      passed[name] = ++steps[name] > 2 * cache->lists[name].count + 2;
    }
}

void
replacement_trim_ghosts (struct cache *cache)
{
  struct ghost_list *b = cache->ghosts.lists;
  uint64_t t1 = cache->lists[LIST_T1].weight, t2 = cache->lists[LIST_T2].weight;
  while (b[0].first != 0 && t1 + b[0].weight > cache->units)
    ghosts_drop_oldest (&cache->ghosts, 0);
  while (b[1].first != 0 && t1 + t2 + b[0].weight + b[1].weight > 2 * cache->units)
    ghosts_drop_oldest (&cache->ghosts, 1);
}

/* ---- arrivals ---- */

/* A ghost hit says which clock was too small. `b` are the ghosts' weights before the hit. */
static void
adapt (struct cache *cache, unsigned list, const uint64_t b[2], uint64_t weight)
{
  uint64_t step = b[list] > 0 && b[1 - list] > b[list] ? b[1 - list] / b[list] : 1;
  step *= weight;
  if (list == 0)
    cache->target = cache->units - cache->target > step ? cache->target + step : cache->units;
  else
    cache->target = cache->target > step ? cache->target - step : 0;
}

void
replacement_enter (struct cache *cache, struct frame *frame, bool scan)
{
  struct ghost_list *lists = cache->ghosts.lists;
  uint64_t before[2] = { lists[0].weight, lists[1].weight };
  unsigned list;
  frame->seen = false;
  if (scan)
    list_append (cache, LIST_SCAN, frame); /* R4 */
  else if (ghosts_take (&cache->ghosts, ghost_key (frame->table->owner, frame->page), &list))
    {
      adapt (cache, list, before, frame_weight (cache, frame));
      cache->ghost_hits++;
      if (cache->metrics != NULL)
        count_locked (cache->metrics, SHARED_CACHE_GHOST_HITS, 1);
      list_append (cache, LIST_T2, frame);
    }
  else
    list_append (cache, LIST_T1, frame);
  replacement_trim_ghosts (cache);
}
