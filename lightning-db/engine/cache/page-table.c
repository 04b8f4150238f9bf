/* SPDX-License-Identifier: MIT */
/*
 * page-table: the slots of one segment's pages.
 *
 * Invariants
 *   P1  Slots change only under the cache's lock, but for the reference bit, which readers set by a
 *       compare-and-exchange against the same page and so never on an empty or another slot.
 *   P2  chunk->used counts its slots that are not 0. A chunk with none is taken out of the table at
 *       once and freed by epoch, so that a table costs memory only where pages are cached.
 */
#include "cache/cache-private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The array of chunks, with what the epoch needs to free it. */
struct chunk_array
{
  struct epoch_link link;                 /* first, so that the link is the array */
  _Atomic (struct page_chunk *) chunks[]; /* what page_table.chunks points to */
};

static size_t
array_size (uint64_t page_count)
{
  uint64_t chunks = (page_count + PAGE_CHUNK_SLOTS - 1) / PAGE_CHUNK_SLOTS;
  return sizeof (struct chunk_array) + (size_t) chunks * sizeof (void *);
}

status
page_table_init (struct page_table *table, struct cache *cache, uint64_t owner, uint64_t page_count,
                 struct failure *failure)
{
  *table = (struct page_table){ .cache = cache, .owner = owner };
  if (page_count == 0)
    return STATUS_OK;
  if (page_count > SIZE_MAX / 16)
    return fail_memory (failure, page_count, "a page table");
  size_t size = array_size (page_count);
  struct chunk_array *array = calloc (1, size);
  if (array == NULL)
    return fail_memory (failure, size, "a page table");
  ledger_charge (cache->ledger, LEDGER_PAGE_TABLE, size);
  table->chunks = array->chunks;
  table->page_count = page_count;
  return STATUS_OK;
}

static void
array_release (struct epoch_link *link)
{
  free (link);
}

static void
chunk_release (struct epoch_link *link)
{
  free ((uint8_t *) link - offsetof (struct page_chunk, link));
}

void
page_chunks_retire (struct page_chunk *dead)
{
  while (dead != NULL)
    {
      struct page_chunk *next = (struct page_chunk *) dead->link.next;
      epoch_retire (&dead->link, chunk_release);
      dead = next;
    }
}

/* Takes chunk `index` out of the table. Until it is retired, link.next holds the list of dead. */
static void
remove_chunk (struct page_table *table, uint64_t index, struct page_chunk *chunk,
              struct page_chunk **dead)
{
  atomic_store_explicit (&table->chunks[index], NULL, memory_order_release);
  ledger_refund (table->cache->ledger, LEDGER_PAGE_TABLE, sizeof *chunk);
  chunk->link.next = (struct epoch_link *) *dead;
  *dead = chunk;
}

void
page_table_forget (struct frame *frame, struct page_chunk **dead)
{
  struct page_chunk *chunk = (struct page_chunk *) (frame->slot - frame->page % PAGE_CHUNK_SLOTS);
  assert (chunk->used > 0); /* P2 */
  if (--chunk->used == 0)
    remove_chunk (frame->table, frame->page / PAGE_CHUNK_SLOTS, chunk, dead);
}

/* The chunk of a page; NULL when there is none. */
static struct page_chunk *
present_chunk (struct page_table *table, uint64_t page)
{
  return atomic_load_explicit (&table->chunks[page / PAGE_CHUNK_SLOTS], memory_order_relaxed);
}

/* The same, made when missing; NULL when memory is out. */
static struct page_chunk *
chunk_for (struct page_table *table, uint64_t page)
{
  _Atomic (struct page_chunk *) *place = &table->chunks[page / PAGE_CHUNK_SLOTS];
  struct page_chunk *chunk = present_chunk (table, page);
  if (chunk != NULL)
    return chunk;
  chunk = aligned_alloc (_Alignof(struct page_chunk), sizeof *chunk);
  if (chunk == NULL)
    return NULL;
  memset (chunk, 0, sizeof *chunk);
  ledger_charge (table->cache->ledger, LEDGER_PAGE_TABLE, sizeof *chunk);
  atomic_store_explicit (place, chunk, memory_order_release);
  return chunk;
}

const uint8_t *
cache_install (struct page_table *table, uint64_t page_number, uint8_t *page, bool scan)
{
  struct cache *cache = table->cache;
  struct frame *frame = header_of (page)->frame;
  const uint8_t *installed = page;
  assert (epoch_inside ());
  assert (frame->state == FRAME_FILLING);
  pthread_mutex_lock (&cache->lock);
  struct page_chunk *chunk = NULL;
  if (page_number < table->page_count)
    chunk
        = frame->slab->passes ? present_chunk (table, page_number) : chunk_for (table, page_number);
  _Atomic uintptr_t *slot = chunk != NULL ? &chunk->slots[page_number % PAGE_CHUNK_SLOTS] : NULL;
  uintptr_t winner = slot != NULL ? atomic_load_explicit (slot, memory_order_acquire) : 0;
  if (winner != 0)
    {
      frame_give_back (cache, frame);
      installed = (const uint8_t *) (winner & ~PAGE_REFERENCED);
    }
  else if (slot == NULL || frame->slab->passes)
    frame_pass (cache, frame); /* the caller is inside a section: it lasts until that ends */
  else
    {
      frame->slot = slot;
      frame->table = table;
      frame->page = page_number;
      frame->state = FRAME_RESIDENT;
      chunk->used++;
      replacement_enter (cache, frame, scan);
      atomic_store_explicit (slot, (uintptr_t) page, memory_order_release);
    }
  frames_stamp (cache);
  cache_unlock (cache);
  return installed;
}

static uint8_t
heat_of (uintptr_t value)
{
  if (value == 0)
    return 0;
  const struct frame *frame = header_of ((const uint8_t *) (value & ~PAGE_REFERENCED))->frame;
  uint32_t pins = atomic_load_explicit (&frame->pins, memory_order_relaxed) & ~PIN_ORPHANED;
  return (uint8_t) (PAGE_HEAT_CACHED | ((value & PAGE_REFERENCED) != 0 ? PAGE_HEAT_REFERENCED : 0)
                    | (frame->list == LIST_T2 ? PAGE_HEAT_FREQUENT : 0)
                    | (frame->list == LIST_SCAN ? PAGE_HEAT_SCANNED : 0)
                    | (pins > 0 ? PAGE_HEAT_PINNED : 0));
}

void
page_table_heat (struct page_table *table, uint64_t first, uint64_t count, uint8_t *to)
{
  uint64_t end = first + count;
  assert (end <= table->page_count);
  while (first < end)
    {
      uint64_t next = (first / PAGE_CHUNK_SLOTS + 1) * PAGE_CHUNK_SLOTS;
      next = next < end ? next : end;
      pthread_mutex_lock (&table->cache->lock);
      const struct page_chunk *chunk = present_chunk (table, first);
      for (; first < next; first++)
        *to++ = chunk == NULL ? 0
                              : heat_of (atomic_load_explicit (
                                  &chunk->slots[first % PAGE_CHUNK_SLOTS], memory_order_relaxed));
      pthread_mutex_unlock (&table->cache->lock);
    }
}

uint64_t
page_table_cached (struct page_table *table)
{
  uint64_t chunks = (table->page_count + PAGE_CHUNK_SLOTS - 1) / PAGE_CHUNK_SLOTS, cached = 0;
  for (uint64_t index = 0; index < chunks;)
    {
      pthread_mutex_lock (&table->cache->lock);
      for (unsigned turn = 0; turn < 64 && index < chunks; turn++, index++)
        {
          const struct page_chunk *chunk = present_chunk (table, index * PAGE_CHUNK_SLOTS);
          cached += chunk != NULL ? chunk->used : 0;
        }
      pthread_mutex_unlock (&table->cache->lock);
    }
  return cached;
}

static void
clear_chunk (struct page_table *table, uint64_t index, struct page_chunk **dead)
{
  struct page_chunk *chunk = atomic_load_explicit (&table->chunks[index], memory_order_relaxed);
  for (unsigned i = 0; chunk != NULL && i < PAGE_CHUNK_SLOTS && chunk->used > 0; i++)
    {
      uintptr_t value = atomic_exchange (&chunk->slots[i], 0);
      if (value == 0)
        continue;
      struct frame *frame = header_of ((const uint8_t *) (value & ~PAGE_REFERENCED))->frame;
      list_remove (table->cache, frame);
      page_table_forget (frame, dead);
      frame_retire (table->cache, frame);
    }
}

void
page_table_clear (struct page_table *table)
{
  struct cache *cache = table->cache;
  if (table->chunks == NULL || table->page_count == 0)
    return;
  uint64_t chunks = (table->page_count + PAGE_CHUNK_SLOTS - 1) / PAGE_CHUNK_SLOTS;
  for (uint64_t index = 0; index < chunks;) /* in turns, so that misses get the lock in between */
    {
      struct page_chunk *dead = NULL;
      pthread_mutex_lock (&cache->lock);
      for (unsigned turn = 0; turn < 64 && index < chunks; turn++)
        clear_chunk (table, index++, &dead);
      frames_stamp (cache);
      cache_unlock (cache);
      page_chunks_retire (dead);
    }
  size_t size = array_size (table->page_count);
  ledger_refund (cache->ledger, LEDGER_PAGE_TABLE, size);
  table->page_count = 0;
  epoch_retire (
      &((struct chunk_array *) ((uint8_t *) table->chunks - offsetof (struct chunk_array, chunks)))
           ->link,
      array_release);
}
