/* SPDX-License-Identifier: MIT */
/*
 * cache: hits and misses, what replacement keeps (against plain LRU on the same trace), exact
 * accounting, pins across eviction, clearing and freeing, mixed page sizes under changing capacity,
 * and all of it from many threads at once. The bytes of every page derive from its owner and number
 * and are checked whenever one is found.
 */
#include "base/random.h"
#include "cache/cache-private.h"
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define PAGE 4096u
#define MIB (UINT64_C (1) << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct failure failure;

static uint64_t
word_of (uint64_t owner, uint64_t page, uint64_t index)
{
  struct random random = { owner << 40 ^ page << 12 ^ index };
  return random_next (&random);
}

/* A few words spread over the page, its first and last among them. */
static void
page_fill (uint8_t *page, uint64_t owner, uint64_t number, size_t size)
{
  for (size_t at = 0; at + 8 <= size; at += at + 264 <= size ? 256 : 8)
    memcpy (page + at, &(uint64_t){ word_of (owner, number, at) }, 8);
}

static void
page_check (const uint8_t *page, uint64_t owner, uint64_t number, size_t size)
{
  CHECK_INT (cache_page_size (page), size);
  for (size_t at = 0; at + 8 <= size; at += at + 264 <= size ? 256 : 8)
    CHECK (memcmp (page + at, &(uint64_t){ word_of (owner, number, at) }, 8) == 0);
}

/* Most pages are of one unit; with `mixed`, some take up to 40 of them. Fixed by number. */
static size_t
size_of (uint64_t number, bool mixed)
{
  if (!mixed || number % 11 != 3)
    return PAGE;
  return PAGE + (number * 7919) % (40 * PAGE);
}

/* A get of one page: true on a hit. The page is checked either way. */
static bool
touch (struct cache *cache, struct page_table *table, uint64_t number, bool mixed, bool scan)
{
  size_t size = size_of (number, mixed);
  epoch_enter ();
  const uint8_t *found = page_table_find (table, number);
  if (found != NULL)
    page_check (found, table->owner, number, size);
  epoch_leave ();
  if (found != NULL)
    return true;
  uint8_t *page = cache_allocate (cache, size);
  CHECK (page != NULL && ((uintptr_t) page & 15) == 0 && ((uintptr_t) (page - 16) & 63) == 0);
  page_fill (page, table->owner, number, size);
  epoch_enter ();
  page_check (cache_install (table, number, page, scan), table->owner, number, size);
  epoch_leave ();
  return false;
}

struct fixture
{
  struct ledger ledger;
  struct cache *cache;
  struct page_table table;
};

static void
set_up (struct fixture *fixture, uint64_t budget, uint64_t capacity, uint64_t pages)
{
  memset (fixture, 0, sizeof *fixture);
  fixture->ledger.budget = budget;
  CHECK_OK (cache_new (&fixture->ledger, PAGE, capacity, &fixture->cache, &failure));
  CHECK_OK (page_table_init (&fixture->table, fixture->cache, 7, pages, &failure));
}

static void
check_books (struct fixture *fixture)
{
  struct cache_statistics statistics;
  cache_statistics (fixture->cache, &statistics);
  CHECK_INT (ledger_used (&fixture->ledger, LEDGER_CACHE), statistics.used);
}

static void
tear_down (struct fixture *fixture)
{
  check_books (fixture);
  page_table_clear (&fixture->table);
  page_table_clear (&fixture->table); /* a second time does nothing */
  cache_free (fixture->cache);
  CHECK_INT (ledger_total (&fixture->ledger), 0);
  epoch_collect (true);
}

static void
test_basics (void)
{
  struct fixture f;
  struct cache_statistics statistics;
  set_up (&f, 8 * MIB, 4 * MIB, 1000);
  for (uint64_t i = 0; i < 500; i++)
    CHECK (!touch (f.cache, &f.table, i * 2, false, false));
  for (uint64_t i = 0; i < 500; i++)
    CHECK (touch (f.cache, &f.table, i * 2, false, false));
  epoch_enter ();
  page_table_prefetch (&f.table, 3);
  CHECK (page_table_find (&f.table, 3) == NULL);
  epoch_leave ();

  /* Two bring the same page: the first stays. */
  uint8_t *first = cache_allocate (f.cache, PAGE), *second = cache_allocate (f.cache, PAGE);
  page_fill (first, 7, 999, PAGE);
  page_fill (second, 7, 999, PAGE);
  epoch_enter ();
  CHECK (cache_install (&f.table, 999, first, false) == first);
  CHECK (cache_install (&f.table, 999, second, false) == first);
  CHECK (page_table_find (&f.table, 999) == first);
  epoch_leave ();
  cache_discard (f.cache, cache_allocate (f.cache, PAGE));
  cache_discard (f.cache, cache_allocate (f.cache, 10 * PAGE));
  cache_discard (f.cache, cache_allocate (f.cache, 100));
  cache_discard (f.cache, NULL);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.t1_pages + statistics.t2_pages, 501);
  CHECK_INT (statistics.evictions, 0);

  CHECK (cache_allocate (f.cache, SIZE_MAX) == NULL);
  CHECK (cache_allocate (f.cache, SIZE_MAX - 20) == NULL);
  CHECK (cache_allocate (f.cache, (size_t) UINT32_MAX + 1) == NULL);
  CHECK_FAILS (cache_new (&f.ledger, 5000, MIB, &(struct cache *){ NULL }, &failure),
               STATUS_INVALID);
  CHECK_FAILS (cache_new (&f.ledger, 1 << 17, MIB, &(struct cache *){ NULL }, &failure),
               STATUS_INVALID);
  struct page_table huge;
  CHECK_FAILS (page_table_init (&huge, f.cache, 8, UINT64_MAX, &failure), STATUS_NO_MEMORY);
  page_table_clear (&huge);
  CHECK_OK (page_table_init (&huge, f.cache, 8, 0, &failure));
  page_table_clear (&huge);
  tear_down (&f);
}

/* Chunks of slots exist only where pages are cached. */
static void
test_chunks (void)
{
  struct fixture f;
  set_up (&f, 8 * MIB, 2 * MIB, 1 << 20);
  int64_t empty = ledger_used (&f.ledger, LEDGER_PAGE_TABLE), most = 0;
  for (uint64_t i = 0; i < 16384; i++)
    {
      touch (f.cache, &f.table, i * 64, false, false);
      int64_t used = ledger_used (&f.ledger, LEDGER_PAGE_TABLE) - empty;
      most = used > most ? used : most;
    }
  CHECK (most <= (int64_t) (512 * sizeof (struct page_chunk)));
  cache_evict_fraction (f.cache, 1);
  CHECK_INT (ledger_used (&f.ledger, LEDGER_PAGE_TABLE), empty);
  tear_down (&f);
}

/* ---- replacement quality ---- */

/* Plain LRU over page numbers, for comparison. */
struct lru
{
  uint64_t capacity, clock;
  uint64_t *used; /* per page: when last used; 0 = not cached */
  uint64_t pages, count;
};

static bool
lru_touch (struct lru *lru, uint64_t page)
{
  bool hit = lru->used[page] != 0;
  lru->used[page] = ++lru->clock;
  if (!hit && ++lru->count > lru->capacity)
    {
      uint64_t oldest = page;
      for (uint64_t i = 0; i < lru->pages; i++)
        if (lru->used[i] != 0 && lru->used[i] < lru->used[oldest])
          oldest = i;
      lru->used[oldest] = 0;
      lru->count--;
    }
  return hit;
}

static uint64_t
resident_pages (struct cache *cache)
{
  struct cache_statistics statistics;
  cache_statistics (cache, &statistics);
  return statistics.t1_pages + statistics.t2_pages;
}

/* Skewed: page k of n about as 1/k. */
static uint64_t
zipf (struct random *random, uint64_t n)
{
  double u = (double) (random_next (random) >> 11) / (double) (UINT64_C (1) << 53), x = 1;
  for (double limit = (double) n; x < limit && u > 0.5 / 10; u -= 0.5 / 10) /* 20 octaves at most */
    x *= 2;
  uint64_t base = x < (double) n ? (uint64_t) x : n / 2;
  return base / 2 + random_below (random, base / 2 + 1);
}

enum trace
{
  TRACE_ZIPF,       /* skewed */
  TRACE_ZIPF_SCANS, /* skewed, and now and then a long run of pages, not declared as a scan */
  TRACE_DRIFT,      /* recency: a window that moves on */
  TRACE_LOOP,       /* frequency: a hot set, and cold pages between */
  TRACES,
};

static uint64_t
trace_page (enum trace trace, uint64_t step, struct random *random, uint64_t pages)
{
  switch (trace)
    {
    case TRACE_ZIPF:
      return zipf (random, pages) % pages;
    case TRACE_ZIPF_SCANS:
      return step % 8000 < 4000 ? zipf (random, pages / 4) % pages
                                : pages / 4 + step % (pages - pages / 4);
    case TRACE_DRIFT:
      return (step / 8 + random_below (random, 300)) % pages;
    default:
      return step % 3 == 0 ? random_below (random, 250) : 1000 + step % (pages - 1000);
    }
}

/* R1 and R2. (Pages that are pinned, or larger than what a smaller capacity holds, may keep T1 above c by
 * itself: then there are no ghosts.) */
static void
check_replacement (struct cache *cache)
{
  pthread_mutex_lock (&cache->lock);
  uint64_t t1 = cache->lists[LIST_T1].weight, t2 = cache->lists[LIST_T2].weight;
  uint64_t b1 = cache->ghosts.lists[0].weight, b2 = cache->ghosts.lists[1].weight;
  CHECK (b1 == 0 || t1 + b1 <= cache->units);
  CHECK (b2 == 0 || t1 + t2 + b1 + b2 <= 2 * cache->units);
  CHECK (cache->target <= cache->units);
  pthread_mutex_unlock (&cache->lock);
}

static void
test_replacement (void)
{
  static const char *names[] = { "zipf", "zipf and scans", "drifting window", "hot set and loop" };
  for (int trace = 0; trace < TRACES; trace++)
    {
      struct fixture f;
      struct cache_statistics statistics;
      struct random random = { 11 };
      const uint64_t pages = 4000, steps = 60000;
      uint64_t hits = 0, lru_hits = 0;
      set_up (&f, 8 * MIB, 2 * MIB, pages);
      for (uint64_t i = 0; i < 600; i++) /* how many pages it holds is its own affair */
        touch (f.cache, &f.table, i, false, false);
      struct lru lru = { .capacity = resident_pages (f.cache), .pages = pages };
      lru.used = calloc (pages, sizeof *lru.used);
      for (uint64_t i = 0; i < 600; i++)
        lru_touch (&lru, i);
      for (uint64_t step = 0; step < steps; step++)
        {
          uint64_t page = trace_page (trace, step, &random, pages);
          hits += touch (f.cache, &f.table, page, false, false);
          lru_hits += lru_touch (&lru, page);
          if (step % 16 == 0)
            check_replacement (f.cache);
        }
      cache_statistics (f.cache, &statistics);
      printf ("%-17s %4llu pages: cache %.1f %%, LRU %.1f %% hits; T1 %llu T2 %llu B1 %llu B2 %llu "
              "target %llu\n",
              names[trace], (unsigned long long) lru.capacity,
              100.0 * (double) hits / (double) steps, 100.0 * (double) lru_hits / (double) steps,
              (unsigned long long) statistics.t1_pages, (unsigned long long) statistics.t2_pages,
              (unsigned long long) statistics.b1_pages, (unsigned long long) statistics.b2_pages,
              (unsigned long long) statistics.target);
      if (trace == TRACE_LOOP)
        CHECK (hits > lru_hits * 3 / 2 && hits > steps / 4);
      else
        CHECK (hits + steps * 3 / 100 > lru_hits);
      free (lru.used);
      tear_down (&f);
    }
}

static uint64_t
count_cached (struct fixture *f, uint64_t from, uint64_t to)
{
  uint64_t cached = 0;
  epoch_enter ();
  for (uint64_t i = from; i < to; i++)
    {
      struct page_chunk *chunk = atomic_load (&f->table.chunks[i / PAGE_CHUNK_SLOTS]);
      cached += chunk != NULL && atomic_load (&chunk->slots[i % PAGE_CHUNK_SLOTS]) != 0;
    }
  epoch_leave ();
  return cached;
}

/* A declared scan of many times the cache leaves the hot set alone, whichever clock it is in, and
 * teaches the target nothing. What fits is cached all the same. */
static void
test_scan (void)
{
  for (int twice = 0; twice < 2; twice++)
    {
      struct fixture f;
      struct cache_statistics before, after;
      set_up (&f, 8 * MIB, 4 * MIB, 30000);
      for (int round = 0; round <= twice; round++)
        for (uint64_t i = 0; i < 600; i++)
          touch (f.cache, &f.table, i, false, false);
      for (uint64_t i = 600; i < 700; i++)
        touch (f.cache, &f.table, i, false, true);
      CHECK_INT (count_cached (&f, 0, 700), 700);
      cache_statistics (f.cache, &before);
      for (uint64_t i = 700; i < 20000; i++)
        for (int use = 0; use < 3; use++) /* the scan itself looks more than once */
          touch (f.cache, &f.table, i, false, true);
      cache_statistics (f.cache, &after);
      CHECK_INT (count_cached (&f, 0, 600), 600);
      CHECK (after.scan_pages > 0 && after.target == before.target);
      for (int use = 0; use < 40; use++) /* pages that others keep using move on */
        for (uint64_t i = 0; i < 16; i++)
          for (uint64_t step = 0; step < 5; step++)
            {
              touch (f.cache, &f.table, 25000 + i, false, true);
              touch (f.cache, &f.table, (uint64_t) use * 80 + i * 5 + step + 1000, false, true);
            }
      CHECK (count_cached (&f, 25000, 25016) >= 15);
      tear_down (&f);
    }
}

/* ---- accounting ---- */

static void
test_capacity (void)
{
  for (int huge = 0; huge < 2; huge++)
    {
      struct fixture f;
      struct random random = { 21 };
      struct cache_statistics statistics;
      const uint64_t most = huge ? 24 * MIB : 6 * MIB, slab = huge ? 2 * MIB : 128 << 10;
      set_up (&f, huge ? 64 * MIB : 8 * MIB, most, 20000);
      uint64_t capacity = most, overshoot = 0;
      for (int step = 0; step < 60000; step++)
        {
          uint64_t number = random_below (&random, 4000) * (step < 30000 ? 5 : 1);
          number += step < 15000 && number % 11 == 3; /* unit pages only at first */
          touch (f.cache, &f.table, number, true, random_below (&random, 4) == 0);
          check_replacement (f.cache);
          if (step % 2000 == 1999)
            {
              capacity = step % 4000 == 1999 ? random_below (&random, most) : most;
              cache_set_capacity (f.cache, capacity);
              cache_statistics (f.cache, &statistics);
              if (statistics.used > capacity + 2 * slab)
                printf ("step %d: %llu of %llu bytes\n", step, (unsigned long long) statistics.used,
                        (unsigned long long) capacity);
              CHECK (statistics.used <= capacity + 2 * slab);
            }
          if (step % 64 != 0)
            continue;
          cache_statistics (f.cache, &statistics);
          check_books (&f);
          CHECK_INT (statistics.capacity, capacity);
          CHECK (statistics.used <= capacity + 2 * slab + 41 * PAGE);
          if (statistics.used > capacity && statistics.used - capacity > overshoot)
            overshoot = statistics.used - capacity;
        }
      printf ("capacity up to %llu MiB: at most %llu KiB above it\n",
              (unsigned long long) (most / MIB), (unsigned long long) (overshoot >> 10));

      uint64_t used = (cache_statistics (f.cache, &statistics), statistics.used);
      uint64_t freed = cache_evict_fraction (f.cache, 0.5);
      cache_statistics (f.cache, &statistics);
      CHECK (freed > used / 4 && statistics.used < used * 3 / 4 + 2 * slab);
      CHECK_INT (cache_evict_fraction (f.cache, 0), 0);
      cache_evict_fraction (f.cache, 1);
      CHECK_INT (resident_pages (f.cache), 0);
      cache_statistics (f.cache, &statistics);
      CHECK (statistics.used < 1 * MIB); /* ghosts and books; all slabs are gone */
      CHECK_INT (cache_evict_fraction (f.cache, 1), 0);
      cache_set_capacity (f.cache, 0); /* still serves */
      for (uint64_t i = 0; i < 300; i++)
        touch (f.cache, &f.table, i, true, false);
      cache_statistics (f.cache, &statistics);
      CHECK (statistics.used <= slab + slab / 8 + 41 * PAGE);
      tear_down (&f);
    }
}

/* Larger units: 64 KiB frames in slabs that hold some of them. */
static void
test_large_unit (void)
{
  struct ledger ledger = { .budget = 4 * MIB };
  struct cache *cache;
  struct page_table table;
  CHECK_OK (cache_new (&ledger, 65536, 3 * MIB, &cache, &failure));
  CHECK_OK (page_table_init (&table, cache, 1, 100, &failure));
  for (uint64_t i = 0; i < 300; i++)
    touch (cache, &table, i % 100, true, false);
  page_table_clear (&table);
  cache_free (cache);
  CHECK_INT (ledger_total (&ledger), 0);
}

/* An idle large page serves the next one of about its size, within a bound; evicting lets it go. */
static void
test_large_spares (void)
{
#if !SANITIZED
  struct fixture f;
  set_up (&f, 64 * MIB, 32 * MIB, 16);
  uint64_t before = ledger_used (&f.ledger, LEDGER_CACHE);
  uint8_t *first = cache_allocate (f.cache, 100000);
  uint64_t charge = ledger_used (&f.ledger, LEDGER_CACHE) - before;
  cache_discard (f.cache, first);
  CHECK_INT (ledger_used (&f.ledger, LEDGER_CACHE), before + charge);
  CHECK (cache_allocate (f.cache, 90000) == first);
  uint8_t *smaller = cache_allocate (f.cache, 50000); /* one of half the size is no use for it */
  CHECK (smaller != NULL && smaller != first);
  cache_discard (f.cache, first);
  cache_discard (f.cache, smaller);
  uint8_t *many[64];
  for (unsigned i = 0; i < 64; i++)
    CHECK ((many[i] = cache_allocate (f.cache, 100000)) != NULL);
  for (unsigned i = 0; i < 64; i++)
    cache_discard (f.cache, many[i]);
  uint64_t kept = ledger_used (&f.ledger, LEDGER_CACHE) - before;
  CHECK (kept > 0 && kept <= 32 * MIB / 32);
  cache_evict_fraction (f.cache, 1);
  CHECK_INT (ledger_used (&f.ledger, LEDGER_CACHE), before);
  tear_down (&f);
#endif
}

/* What large pages took is the system's again, though small pieces were made beside them, and
 * stay. */
static void
test_large_return (void)
{
#if defined(__GLIBC__) && !SANITIZED
  enum
  {
    PAGES = 1000
  };
  static void *pieces[PAGES];
  struct fixture f;
  malloc_trim (0);
  size_t kept = mallinfo2 ().fordblks;
  set_up (&f, 8 * MIB, 6 * MIB, 20000);
  for (uint64_t i = 0; i < PAGES; i++)
    {
      touch (f.cache, &f.table, 11 * i + 3, true, false); /* of 4 to 164 KiB */
      CHECK ((pieces[i] = malloc (100)) != NULL);
    }
  tear_down (&f);
  size_t now = mallinfo2 ().fordblks;
  CHECK (now < kept + MIB / 2);
  for (unsigned i = 0; i < PAGES; i++)
    free (pieces[i]);
#endif
}

/* ---- pins ---- */

static const uint8_t *
pinned (struct fixture *f, uint64_t number)
{
  touch (f->cache, &f->table, number, true, false);
  epoch_enter ();
  const uint8_t *page = page_table_find (&f->table, number);
  CHECK (page != NULL);
  cache_pin (page);
  epoch_leave ();
  return page;
}

static void
test_pins (void)
{
  enum
  {
    PINS = 60
  };
  struct fixture f;
  struct cache_statistics statistics;
  const uint8_t *pages[PINS];
  set_up (&f, 8 * MIB, 1 * MIB, 20000);
  for (uint64_t i = 0; i < PINS; i++)
    pages[i] = pinned (&f, i);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.pinned_pages, PINS);
  for (uint64_t i = 1000; i < 3000; i++) /* eviction passes them by */
    touch (f.cache, &f.table, i, true, i % 2);
  for (uint64_t i = 0; i < PINS; i++)
    page_check (pages[i], 7, i, size_of (i, true));
  CHECK_INT (count_cached (&f, 0, PINS), PINS);
  cache_set_capacity (f.cache, 0);
  cache_evict_fraction (f.cache, 1);
  CHECK_INT (count_cached (&f, 0, PINS), PINS);
  cache_set_capacity (f.cache, MIB);

  /* Clearing the table takes the slots; the bytes stay until the last unpin. */
  page_table_clear (&f.table);
  CHECK_OK (page_table_init (&f.table, f.cache, 9, 20000, &failure));
  for (uint64_t i = 0; i < 2000; i++)
    touch (f.cache, &f.table, i, true, false);
  for (uint64_t i = 0; i < PINS; i++)
    page_check (pages[i], 7, i, size_of (i, true));
  cache_pin (pages[0]); /* a pin on a pin */
  for (uint64_t i = 0; i < PINS / 2; i++)
    cache_unpin (pages[i]);
  page_check (pages[0], 7, 0, PAGE);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.pinned_pages, PINS / 2 + 1);
  for (uint64_t i = 2000; i < 4000; i++)
    touch (f.cache, &f.table, i, true, false);
  cache_unpin (pages[0]);

  /* The rest outlives the cache and its ledger. */
  tear_down (&f);
  memset (&f, 0xee, sizeof f);
  for (uint64_t i = PINS / 2; i < PINS; i++)
    {
      page_check (pages[i], 7, i, size_of (i, true));
      cache_unpin (pages[i]);
    }
}

/* A pin taken between the eviction and the end of the section that saw the page keeps it. */
static void *
evict_all (void *cache)
{
  cache_evict_fraction (cache, 1);
  return NULL;
}

static void
test_late_pin (void)
{
  struct fixture f;
  struct cache_statistics statistics;
  pthread_t thread;
  set_up (&f, 8 * MIB, 2 * MIB, 100);
  for (uint64_t i = 0; i < 100; i++)
    touch (f.cache, &f.table, i, false, false);
  epoch_enter ();
  const uint8_t *page = page_table_find (&f.table, 5), *other = page_table_find (&f.table, 6);
  CHECK_INT (pthread_create (&thread, NULL, evict_all, f.cache), 0);
  pthread_join (thread, NULL);
  CHECK (page_table_find (&f.table, 5) == NULL);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.waiting_pages, 100);
  page_check (page, 7, 5, PAGE);
  page_check (other, 7, 6, PAGE);
  cache_pin (page);
  epoch_leave ();
  for (uint64_t i = 0; i < 1000; i++)
    touch (f.cache, &f.table, i % 100, false, false);
  cache_evict_fraction (f.cache, 1);
  page_check (page, 7, 5, PAGE);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.waiting_pages, 0);
  CHECK_INT (statistics.pinned_pages, 1);
  cache_unpin (page);
  cache_statistics (f.cache, &statistics);
  CHECK_INT (statistics.pinned_pages, 0);
  tear_down (&f);
}

struct retired
{
  struct epoch_link link; /* first, so that a link is its retired */
  struct cache *cache;    /* whose lock must be free by then */
};

static unsigned retired_released;

static void
release_retired (struct epoch_link *link)
{
  struct retired *retired = (struct retired *) link;
  CHECK_INT (pthread_mutex_trylock (&retired->cache->lock), 0);
  pthread_mutex_unlock (&retired->cache->lock);
  retired_released++;
  free (retired);
}

/* The next retirement is the one that releases all before it. */
static void
retire_all_but_one (struct cache *cache)
{
  epoch_collect (true);
  retired_released = 0;
  for (unsigned i = 0; i + 1 < EPOCH_BATCH; i++)
    {
      struct retired *retired = malloc (sizeof *retired);
      CHECK (retired != NULL);
      retired->cache = cache;
      epoch_retire (&retired->link, release_retired);
    }
  CHECK_INT (retired_released, 0);
}

/* A4: what the cache retires may be what releases others' things, which come back to the cache. Each page
 * is alone in its chunk, which goes with it. */
static void
test_retires_unlocked (void)
{
  struct fixture f;
  uint64_t number = 0;
  set_up (&f, 8 * MIB, 2 * MIB, 4000 * PAGE_CHUNK_SLOTS);
  for (; number < 1000; number++)
    touch (f.cache, &f.table, number * PAGE_CHUNK_SLOTS, false, false);
  retire_all_but_one (f.cache);
  for (unsigned i = 0; i < 200 && retired_released == 0; i++, number++)
    touch (f.cache, &f.table, number * PAGE_CHUNK_SLOTS, false, false);
  CHECK_INT (retired_released, EPOCH_BATCH - 1);
  retire_all_but_one (f.cache);
  cache_set_capacity (f.cache, MIB);
  CHECK (retired_released > 0);
  retire_all_but_one (f.cache);
  cache_evict_fraction (f.cache, 0.5);
  CHECK (retired_released > 0);
  retire_all_but_one (f.cache);
  page_table_clear (&f.table);
  CHECK (retired_released > 0);
  tear_down (&f);
}

#define STALL_CAPACITY (2 * MIB)
#define STALL_SLAB ((128u << 10) + 8192) /* of this budget, with its bookkeeping */
/* C4's: slabs, a large page and a sixteenth, and a page of one reader. */
#define STALL_SLACK (2 * STALL_SLAB + 42 * PAGE + STALL_CAPACITY / 16 + 42 * PAGE)

/* Reads a page that is not cached, and keeps it pinned. */
static const uint8_t *
pinned_miss (struct fixture *f, uint64_t number)
{
  size_t size = size_of (number, true);
  uint8_t *page = cache_allocate (f->cache, size);
  CHECK (page != NULL);
  page_fill (page, 7, number, size);
  epoch_enter ();
  const uint8_t *installed = cache_install (&f->table, number, page, false);
  cache_pin (installed);
  epoch_leave ();
  return installed;
}

/* Pages pass by without being kept, unless they are pinned, and for so long. */
static void *
miss_much (void *data)
{
  struct fixture *f = data;
  struct cache_statistics statistics;
  const uint8_t *held[2];
  uint64_t most = 0;
  for (uint64_t i = 0; i < 3000; i++)
    {
      touch (f->cache, &f->table, i, true, false);
      cache_statistics (f->cache, &statistics);
      most = statistics.used > most ? statistics.used : most;
    }
  CHECK (statistics.waiting_pages > 0); /* it did come to that */
  CHECK (most <= STALL_CAPACITY + STALL_SLACK);
  for (unsigned i = 0; i < 2; i++) /* a large one and a small one */
    held[i] = pinned_miss (f, 3006 + i);
  CHECK_INT (count_cached (f, 3006, 3008), 0);
  for (uint64_t i = 3100; i < 3300; i++)
    touch (f->cache, &f->table, i, true, false);
  cache_statistics (f->cache, &statistics);
  CHECK_INT (statistics.pinned_pages, 2);
  for (unsigned i = 0; i < 2; i++)
    {
      page_check (held[i], 7, 3006 + i, size_of (3006 + i, true));
      cache_unpin (held[i]);
    }
  cache_statistics (f->cache, &statistics);
  CHECK_INT (statistics.pinned_pages, 0);
  CHECK (statistics.used <= STALL_CAPACITY + STALL_SLACK);
  return NULL;
}

/* A reader that does not leave its section, as one that the scheduler has forgotten, holds frames
 * back: nobody waits for it, and no memory is taken instead. */
static void
test_stalled_reader (void)
{
  struct fixture f;
  struct cache_statistics statistics;
  pthread_t thread;
  set_up (&f, 8 * MIB, STALL_CAPACITY, 5000);
  touch (f.cache, &f.table, 4000, true, false);
  epoch_enter ();
  const uint8_t *page = page_table_find (&f.table, 4000);
  CHECK_INT (pthread_create (&thread, NULL, miss_much, &f), 0);
  pthread_join (thread, NULL);
  page_check (page, 7, 4000, size_of (4000, true));
  epoch_leave ();
  for (uint64_t i = 0; i < 300; i++)
    touch (f.cache, &f.table, i, true, false);
  cache_statistics (f.cache, &statistics);
  CHECK (statistics.used <= STALL_CAPACITY + STALL_SLAB + 42 * PAGE);
  CHECK (count_cached (&f, 290, 300) > 0); /* they are kept again */
  tear_down (&f);
}

/* Out of memory is an answer, not a crash. In a child, with little address space. */
static void
test_no_memory (void)
{
  if (SANITIZED)
    return;
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct fixture f;
      bool refused = false;
      set_up (&f, UINT64_C (1) << 40, UINT64_C (1) << 40, 1 << 20);
      touch (f.cache, &f.table, 1, false, false);
      struct rlimit limit = { 200 * MIB, 200 * MIB };
      CHECK_INT (setrlimit (RLIMIT_AS, &limit), 0);
      for (uint64_t i = 0; i < 100000 && !refused; i++)
        {
          uint8_t *page = cache_allocate (f.cache, i % 2 ? PAGE : 10 * PAGE);
          refused = page == NULL;
          if (page == NULL)
            continue;
          memset (page, 1, PAGE);
          epoch_enter ();
          cache_install (&f.table, i, page, false);
          epoch_leave ();
        }
      CHECK (refused);
      cache_set_capacity (f.cache, 16 * MIB);
      for (uint64_t i = 200000; i < 201000; i++) /* and with room again it serves */
        touch (f.cache, &f.table, i, false, false);
      tear_down (&f);
      _exit (0);
    }
  int result;
  CHECK (waitpid (child, &result, 0) == child);
  CHECK (WIFEXITED (result) && WEXITSTATUS (result) == 0);
}

/* ---- threads ---- */

#define TABLES 3
#define TABLE_PAGES 3000u

struct arena
{
  struct cache *cache;
  struct page_table tables[TABLES];
  _Atomic bool stop;
  _Atomic uint64_t readers, hits, misses;
};

/* Readers: gets, sometimes a pin held for a while. */
static void *
read_much (void *data)
{
  struct arena *arena = data;
  struct random random = { (uintptr_t) &random };
  const uint8_t *held[8] = { NULL };
  uint64_t held_owner[8], held_number[8], hits = 0, misses = 0;
  while (!atomic_load_explicit (&arena->stop, memory_order_relaxed))
    {
      struct page_table *table = &arena->tables[random_below (&random, TABLES)];
      uint64_t number = random_below (&random, random_below (&random, 2) ? TABLE_PAGES : 200);
      if (touch (arena->cache, table, number, true, random_below (&random, 8) == 0))
        hits++;
      else
        misses++;
      if (random_below (&random, 16) != 0)
        continue;
      uint64_t place = random_below (&random, 8);
      if (held[place] != NULL)
        {
          page_check (held[place], held_owner[place], held_number[place],
                      size_of (held_number[place], true));
          cache_unpin (held[place]);
        }
      epoch_enter ();
      held[place] = page_table_find (table, number);
      held_owner[place] = table->owner;
      held_number[place] = number;
      if (held[place] != NULL)
        cache_pin (held[place]);
      epoch_leave ();
    }
  for (int i = 0; i < 8; i++)
    if (held[i] != NULL)
      {
        page_check (held[i], held_owner[i], held_number[i], size_of (held_number[i], true));
        cache_unpin (held[i]);
      }
  atomic_fetch_add (&arena->hits, hits);
  atomic_fetch_add (&arena->misses, misses);
  return NULL;
}

/* Capacity goes up and down, parts are evicted, a table of its own comes and goes. */
static void *
disturb (void *data)
{
  struct arena *arena = data;
  struct random random = { 5 };
  for (uint64_t owner = 100; !atomic_load_explicit (&arena->stop, memory_order_relaxed); owner++)
    {
      struct page_table table;
      struct cache_statistics statistics;
      cache_set_capacity (arena->cache, random_below (&random, 6 * MIB));
      CHECK (page_table_init (&table, arena->cache, owner, 500, NULL) == STATUS_OK);
      for (uint64_t i = 0; i < 200; i++)
        touch (arena->cache, &table, random_below (&random, 500), true, i % 2);
      if (owner % 4 == 0)
        cache_evict_fraction (arena->cache, 0.3);
      cache_statistics (arena->cache, &statistics);
      page_table_clear (&table);
      sched_yield ();
    }
  return NULL;
}

static void
test_threads (void)
{
  struct ledger ledger = { .budget = 8 * MIB };
  struct arena arena = { NULL };
  pthread_t threads[5];
  CHECK_OK (cache_new (&ledger, PAGE, 4 * MIB, &arena.cache, &failure));
  for (uint64_t i = 0; i < TABLES; i++)
    CHECK_OK (page_table_init (&arena.tables[i], arena.cache, i, TABLE_PAGES, &failure));
  for (int i = 0; i < 5; i++)
    CHECK_INT (pthread_create (&threads[i], NULL, i < 4 ? read_much : disturb, &arena), 0);
  nanosleep (&(struct timespec){ 2, 0 }, NULL);
  atomic_store (&arena.stop, true);
  for (int i = 0; i < 5; i++)
    pthread_join (threads[i], NULL);
  struct cache_statistics statistics;
  cache_statistics (arena.cache, &statistics);
  printf ("threads: %llu hits, %llu misses, %llu evictions, %llu ghost hits\n",
          (unsigned long long) arena.hits, (unsigned long long) arena.misses,
          (unsigned long long) statistics.evictions, (unsigned long long) statistics.ghost_hits);
  CHECK_INT (statistics.pinned_pages, 0);
  CHECK_INT (statistics.used, ledger_used (&ledger, LEDGER_CACHE));
  for (int i = 0; i < TABLES; i++)
    page_table_clear (&arena.tables[i]);
  cache_free (arena.cache);
  CHECK_INT (ledger_total (&ledger), 0);
  epoch_collect (true);
}

/* Readers set reference bits on a few pages that come and go all the time. */
static void *
read_few (void *data)
{
  struct arena *arena = data;
  struct random random = { atomic_fetch_add (&arena->readers, 1) };
  while (!atomic_load_explicit (&arena->stop, memory_order_relaxed))
    for (int i = 0; i < 100; i++)
      touch (arena->cache, &arena->tables[0], random_below (&random, 4), false, false);
  return NULL;
}

static void
test_coming_and_going (void)
{
  struct ledger ledger = { .budget = 8 * MIB };
  struct arena arena = { NULL };
  pthread_t threads[2];
  CHECK_OK (cache_new (&ledger, PAGE, 4 * MIB, &arena.cache, &failure));
  CHECK_OK (page_table_init (&arena.tables[0], arena.cache, 1, 64, &failure));
  for (int i = 0; i < 2; i++)
    CHECK_INT (pthread_create (&threads[i], NULL, read_few, &arena), 0);
  for (int i = 0; i < 20000; i++)
    cache_evict_fraction (arena.cache, 1);
  atomic_store (&arena.stop, true);
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  page_table_clear (&arena.tables[0]);
  cache_free (arena.cache);
  CHECK_INT (ledger_total (&ledger), 0);
  epoch_collect (true);
}

int
main (void)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  test_no_memory (); /* forks: before there are threads */
  test_basics ();
  test_chunks ();
  test_replacement ();
  test_scan ();
  test_capacity ();
  test_large_unit ();
  test_large_return ();
  test_large_spares ();
  test_pins ();
  test_late_pin ();
  test_retires_unlocked ();
  test_stalled_reader ();
  test_coming_and_going ();
  test_threads ();
  return 0;
}
