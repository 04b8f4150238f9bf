/* SPDX-License-Identifier: MIT */
#include "memtable/memtable-arena.h"

#include "base/epoch.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* What a 4-byte reference of 8-byte units reaches; less where address space is short. */
#if UINTPTR_MAX > UINT32_MAX
#define DATA_RESERVED_MAX ((size_t) 32 << 30)
#else
#define DATA_RESERVED_MAX ((size_t) 256 << 20)
#endif
#define DATA_RESERVED_MIN ((size_t) 32 << 20)
#define LIMIT_PART 16      /* of a limit on address space (ulimit -v) that one arena may take */
#define BUCKETS_PER_DATA 4 /* address space of the data for one of the buckets */

static size_t
round_up (size_t size, size_t step)
{
  return (size + step - 1) / step * step;
}

/* Short lives take little, and begin with memory that the last one left. */
static bool
wants_huge_pages (const struct memtable_pool *pool)
{
  return pool->ledger != NULL && pool->ledger->budget >= LEDGER_HUGE_BUDGET
         && pool->arena_size > BUFFER_HUGE_PAGE;
}

static bool
region_reserve (struct arena_region *region, const struct memtable_pool *pool, size_t size)
{
  uint8_t *base = buffer_map_aligned (size, BUFFER_HUGE_PAGE, PROT_NONE);
  if (base == NULL)
    return false;
  *region = (struct arena_region){
    .base = base,
    .reserved = size,
    .huge = size > BUFFER_HUGE_PAGE && wants_huge_pages (pool),
  };
  if (region->huge)
    madvise (base + BUFFER_HUGE_PAGE, size - BUFFER_HUGE_PAGE, MADV_HUGEPAGE); /* a hint */
  else if (pool->ledger != NULL && pool->ledger->budget < LEDGER_HUGE_BUDGET)
    madvise (base, size, MADV_NOHUGEPAGE);
  return true;
}

static void
region_release (struct arena_region *region, struct ledger *ledger)
{
  if (region->base == NULL)
    return;
  munmap (region->base, region->reserved);
  ledger_refund (ledger, LEDGER_MEMTABLE, region->charged);
  *region = (struct arena_region){ 0 };
}

bool
arena_region_open (struct arena_region *region, size_t size)
{
  if (size <= region->open)
    return true;
  if (size > region->reserved)
    return false;
  size_t end = round_up (size, ARENA_OPEN_STEP);
  if (end > region->reserved)
    end = region->reserved;
  if (mprotect (region->base + region->open, end - region->open, PROT_READ | PROT_WRITE) != 0)
    return false;
  region->open = end;
  return true;
}

/* A1. */
static size_t
charge_end (const struct arena_region *region, size_t size)
{
  bool huge = region->huge && size > BUFFER_HUGE_PAGE;
  return round_up (size, huge ? BUFFER_HUGE_PAGE : ARENA_CHARGE_STEP);
}

void
arena_region_charge (struct arena_region *region, struct ledger *ledger, size_t size)
{
  if (size <= region->charged)
    return;
  size_t end = charge_end (region, size);
  if (end > region->open)
    end = region->open;
  if (end <= region->charged)
    return;
  ledger_charge (ledger, LEDGER_MEMTABLE, end - region->charged);
  region->charged = end;
}

/* Gives the memory beyond `size` back to the system and to the ledger. */
static void
region_shrink (struct arena_region *region, struct ledger *ledger, size_t size)
{
  size = charge_end (region, size);
  if (region->charged <= size)
    return;
  if (madvise (region->base + size, region->open - size, MADV_DONTNEED) != 0)
    return;
  ledger_refund (ledger, LEDGER_MEMTABLE, region->charged - size);
  region->charged = size;
}

void
arena_shrink (struct arena *arena, const struct memtable_pool *pool, size_t data, size_t buckets)
{
  size_t keep = pool->arena_size + pool->arena_size / 4;
  size_t keep_buckets = keep / BUCKETS_PER_DATA;
  region_shrink (&arena->data, pool->ledger, data > keep ? data : keep);
  region_shrink (&arena->buckets, pool->ledger, buckets > keep_buckets ? buckets : keep_buckets);
}

static void
arena_free (struct arena *arena, struct ledger *ledger)
{
  region_release (&arena->data, ledger);
  region_release (&arena->buckets, ledger);
  free (arena);
}

/* Where address space is limited an arena leaves most of it to stacks, mappings and other
 * arenas. */
static size_t
most_data (void)
{
  struct rlimit limit;
  size_t size = DATA_RESERVED_MAX;
  if (getrlimit (RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    while (size > DATA_RESERVED_MIN && size > limit.rlim_cur / LIMIT_PART)
      size /= 2;
  return size;
}

static struct arena *
arena_new (struct memtable_pool *pool)
{
  struct arena *arena = calloc (1, sizeof *arena);
  if (arena == NULL)
    return NULL;
  for (size_t size = most_data (); size >= DATA_RESERVED_MIN; size /= 2)
    {
      if (region_reserve (&arena->data, pool, size)
          && region_reserve (&arena->buckets, pool, size / BUCKETS_PER_DATA))
        return arena;
      region_release (&arena->data, pool->ledger);
    }
  free (arena);
  return NULL;
}

status
memtable_pool_new (struct ledger *ledger, size_t arena_size, struct memtable_pool **out,
                   struct failure *failure)
{
  struct memtable_pool *pool = calloc (1, sizeof *pool);
  if (pool == NULL)
    return fail_memory (failure, sizeof *pool, "a pool of memtables");
  pool->ledger = ledger;
  pool->arena_size = arena_size;
  pthread_mutex_init (&pool->lock, NULL);
  *out = pool;
  return STATUS_OK;
}

void
memtable_pool_set_size (struct memtable_pool *pool, size_t arena_size)
{
  atomic_store_explicit (&pool->arena_size, arena_size, memory_order_relaxed);
}

void
memtable_pool_set_counted (struct memtable_pool *pool)
{
  pool->counted = pool->hashes_all = true;
}

void
memtable_pool_hash_all (struct memtable_pool *pool)
{
  pool->hashes_all = true;
}

static void
pool_destroy (struct memtable_pool *pool)
{
  memtable_pool_trim (pool);
  pthread_mutex_destroy (&pool->lock);
  free (pool);
}

void
memtable_pool_trim (struct memtable_pool *pool)
{
  pthread_mutex_lock (&pool->lock);
  struct arena *list = pool->kept;
  pool->kept = NULL;
  pool->kept_count = 0;
  pthread_mutex_unlock (&pool->lock);

  while (list != NULL)
    {
      struct arena *next = list->next;
      arena_free (list, pool->ledger);
      list = next;
    }
}

size_t
memtable_pool_users (struct memtable_pool *pool)
{
  pthread_mutex_lock (&pool->lock);
  size_t users = pool->users;
  pthread_mutex_unlock (&pool->lock);
  return users;
}

void
memtable_pool_free (struct memtable_pool *pool)
{
  if (pool == NULL)
    return;
  pthread_mutex_lock (&pool->lock);
  bool waiting = pool->users > 0;
  pthread_mutex_unlock (&pool->lock);
  /* Memtables whose last reference is gone may still wait for their epoch. */
  if (waiting)
    epoch_collect (true);

  pthread_mutex_lock (&pool->lock);
  pool->closed = true;
  bool last = pool->users == 0;
  pthread_mutex_unlock (&pool->lock);
  if (last)
    pool_destroy (pool);
}

struct arena *
memtable_pool_take (struct memtable_pool *pool)
{
  pthread_mutex_lock (&pool->lock);
  struct arena *arena = pool->kept;
  if (arena != NULL)
    {
      pool->kept = arena->next;
      pool->kept_count--;
    }
  pool->users++;
  pthread_mutex_unlock (&pool->lock);

  if (arena == NULL)
    arena = arena_new (pool);
  if (arena == NULL)
    {
      pthread_mutex_lock (&pool->lock);
      pool->users--;
      pthread_mutex_unlock (&pool->lock);
      return NULL;
    }
  arena->next = NULL;
  arena_shrink (arena, pool, 0, 0); /* it may have been kept for larger ones */
  return arena;
}

void
memtable_pool_give (struct memtable_pool *pool, struct arena *arena)
{
  arena_shrink (arena, pool, 0, 0); /* one huge commit must not hold its memory for good */
  pthread_mutex_lock (&pool->lock);
  pool->users--;
  bool wanted = pool->counted ? pool->kept_count < ARENA_KEPT_COUNTED_MAX
                              : pool->kept_count + pool->users < ARENA_TOGETHER_MAX;
  if (!pool->closed && wanted)
    {
      arena->next = pool->kept;
      pool->kept = arena;
      pool->kept_count++;
      arena = NULL;
    }
  bool last = pool->closed && pool->users == 0;
  pthread_mutex_unlock (&pool->lock);

  if (arena != NULL)
    arena_free (arena, pool->ledger);
  if (last)
    pool_destroy (pool);
}
