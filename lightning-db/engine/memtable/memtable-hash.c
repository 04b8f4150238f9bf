/* SPDX-License-Identifier: MIT */
/*
 * The side hash: linear hashing over an array of cache lines that grows by one bucket at a time.
 *
 * A slot keeps 32 bits of the hash beside the reference; the bucket's number comes from those
 * bits too, so that splitting a bucket reads no key. Growing never stops the writer for more than
 * one bucket.
 *
 * Invariants
 *   H1  Every entry of the tree is in the chain of its bucket, or that chain ends with
 *       BUCKET_INCOMPLETE (then the tree has the last word), or the entry is put off (H4). So
 *       hashing cannot fail: what finds no room is simply left out.
 *   H2  While an entry is in its bucket it does not move: a split copies what leaves to the new
 *       bucket, publishes bucket_count, and only then clears the old slots. A reader that finds
 *       nothing looks at bucket_count again, and goes on only if it now names another bucket.
 *   H3  An overflow bucket taken out of a chain is empty; readers still in it find nothing wrong
 *       when it serves another chain (slots are compared with 31 bits of the hash, then the key).
 *   H4  The entries of a long rising row are put off as long as nobody looks for keys: `put_off` is
 *       set before the first of them is in the tree, and cleared when the last is in its chain. Who
 *       looks loads it before the chain; when it was set, the tree has the last word.
 */
#include "memtable/memtable-private.h"

#if defined(__SSE2__) && !MEMTABLE_SCALAR_ONLY
#include <emmintrin.h>
#define BUCKET_SSE2 1
#else
#define BUCKET_SSE2 0
#endif

#define TAIL (BUCKET_SLOTS - 1)
#define BUCKET_INCOMPLETE 2u
#define BUCKETS_FIRST 16u    /* buckets of an empty memtable */
#define CHAIN_OVERFLOW_MAX 2 /* overflow buckets of a chain */

/* Entries per bucket, times two, above which a bucket is split. The unsplit ones hold up to twice
 * the mean, and a bucket has eight slots. */
#define FILL_TIMES_TWO 7u

static inline uint64_t
slot_load (const uint64_t *slot)
{
  return __atomic_load_n (slot, __ATOMIC_ACQUIRE);
}

static inline void
slot_store (uint64_t *slot, uint64_t value)
{
  __atomic_store_n (slot, value, __ATOMIC_RELEASE);
}

static inline uint32_t
slot_hash (uint64_t hash)
{
  return (uint32_t) hash | 1;
}

static inline uint64_t
slot_make (uint32_t low, reference at)
{
  return (uint64_t) at << 32 | low;
}

static inline bool
slot_is_entry (uint64_t slot)
{
  return (slot & 1) != 0;
}

static inline reference
slot_reference (uint64_t slot)
{
  return (reference) (slot >> 32);
}

static inline bool
slot_is_link (uint64_t slot)
{
  return slot != 0 && (uint32_t) slot == 0;
}

static inline uint32_t
bucket_index (uint32_t hash, uint32_t count)
{
  uint32_t mask = UINT32_MAX >> __builtin_clz (count);
  uint32_t index = (hash >> 1) & mask;
  return index < count ? index : index & (mask >> 1);
}

static inline struct bucket *
bucket_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

#if BUCKET_SSE2

/* One bit for each 8-byte lane of the bucket whose low half equals that of `wanted`. */
static inline unsigned
lanes_equal (const struct bucket *bucket, __m128i wanted)
{
  const __m128i *pairs = (const __m128i *) bucket->slots;
  __m128i same0 = _mm_cmpeq_epi32 (_mm_load_si128 (pairs + 0), wanted);
  __m128i same1 = _mm_cmpeq_epi32 (_mm_load_si128 (pairs + 1), wanted);
  __m128i same2 = _mm_cmpeq_epi32 (_mm_load_si128 (pairs + 2), wanted);
  __m128i same3 = _mm_cmpeq_epi32 (_mm_load_si128 (pairs + 3), wanted);
  /* The low halves side by side, then as half words, then as bytes. */
  __m128i first = _mm_castps_si128 (_mm_shuffle_ps (
      _mm_castsi128_ps (same0), _mm_castsi128_ps (same1), _MM_SHUFFLE (2, 0, 2, 0)));
  __m128i second = _mm_castps_si128 (_mm_shuffle_ps (
      _mm_castsi128_ps (same2), _mm_castsi128_ps (same3), _MM_SHUFFLE (2, 0, 2, 0)));
  __m128i narrow = _mm_packs_epi32 (first, second);
  return (unsigned) _mm_movemask_epi8 (_mm_packs_epi16 (narrow, _mm_setzero_si128 ()));
}

#endif

/* One bit for each slot whose low half is `hash`. */
static inline unsigned
bucket_match (const struct bucket *bucket, uint32_t hash)
{
#if BUCKET_SSE2
  return lanes_equal (bucket, _mm_set1_epi32 ((int) hash));
#else
  unsigned match = 0;
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    match |= (unsigned) ((uint32_t) slot_load (&bucket->slots[i]) == hash) << i;
  return match;
#endif
}

/* One bit for each empty slot. No entry's low half is 0; a link's is, so the tail counts by its
 * whole word. */
static inline unsigned
bucket_empty (const struct bucket *bucket)
{
  unsigned tail = (unsigned) (bucket->slots[TAIL] == 0) << TAIL;
  return (bucket_match (bucket, 0) & ~(1u << TAIL)) | tail;
}

/* Whether the row that is coming in is put off. */
static inline bool
row_is_put_off (const struct memtable *table)
{
  return table->finger.rising >= PUT_OFF_AFTER
         && !atomic_load_explicit (&table->wanted, memory_order_relaxed);
}

void
memtable_prefetch_get (const struct memtable *table, uint64_t hash)
{
  uint32_t count = atomic_load_explicit (&table->bucket_count, memory_order_relaxed);
  __builtin_prefetch (&table->buckets[bucket_index (slot_hash (hash), count)]);
}

void
memtable_prefetch (struct memtable *table, uint64_t hash)
{
  if (!row_is_put_off (table))
    memtable_prefetch_get (table, hash);
}

/* Looks through one chain. `*complete` is false when the tree must be asked. */
static reference
chain_find (const struct memtable *table, const struct bucket *bucket, struct bytes key,
            uint32_t hash, bool *complete)
{
  *complete = true;
  for (;;)
    {
      for (unsigned match = bucket_match (bucket, hash); match != 0; match &= match - 1)
        {
          uint64_t slot = slot_load (&bucket->slots[__builtin_ctz (match)]);
          if ((uint32_t) slot != hash)
            continue;
          if (bytes_equal (entry_key (entry_at (table, slot_reference (slot))), key))
            return slot_reference (slot);
        }
      uint64_t tail = slot_load (&bucket->slots[TAIL]);
      if ((uint32_t) tail == BUCKET_INCOMPLETE)
        *complete = false;
      if (!slot_is_link (tail))
        return 0;
      bucket = bucket_at (table, slot_reference (tail));
    }
}

/* H4. From now on no more are put off. */
static __attribute__ ((noinline)) reference
find_put_off (struct memtable *table, struct bytes key)
{
  if (!atomic_load_explicit (&table->wanted, memory_order_relaxed))
    atomic_store_explicit (&table->wanted, true, memory_order_relaxed);
  return tree_find (table, key);
}

reference
hash_find (struct memtable *table, struct bytes key, uint64_t hash64)
{
  uint32_t hash = slot_hash (hash64);
  bool put_off = atomic_load_explicit (&table->put_off, memory_order_acquire); /* H4 */
  uint32_t count = atomic_load_explicit (&table->bucket_count, memory_order_acquire);
  uint32_t index = bucket_index (hash, count);
  for (;;)
    {
      bool complete;
      reference found = chain_find (table, &table->buckets[index], key, hash, &complete);
      if (found != 0)
        return found;
      if (!complete)
        return tree_find (table, key);
        /* H2. The loads of the slots were acquire loads; the count grows at most 27 times past the
         * bits that concern one hash, so this ends. */
#if !MEMTABLE_SCALAR_ONLY
      atomic_thread_fence (memory_order_acquire);
#endif
      count = atomic_load_explicit (&table->bucket_count, memory_order_acquire);
      uint32_t now = bucket_index (hash, count);
      if (now == index)
        return put_off ? find_put_off (table, key) : 0;
      index = now;
    }
}

void
hash_init (struct memtable *table)
{
  memset (table->buckets, 0, BUCKETS_FIRST * sizeof (struct bucket));
  atomic_store_explicit (&table->bucket_count, BUCKETS_FIRST, memory_order_relaxed);
  table->bucket_limit = table->arena->buckets.open / sizeof (struct bucket);
}

bool
hash_reserve (struct memtable *table, size_t records)
{
  struct arena_region *region = &table->arena->buckets;
  size_t most = region->reserved / sizeof (struct bucket);
  size_t coming = records + hash_due (table, records);
  size_t needed = (table->hashed + coming) * 2 / FILL_TIMES_TWO + BUCKETS_FIRST + 2;
  if (needed > most)
    needed = most;
  if (!arena_region_open (region, needed * sizeof (struct bucket)))
    return false;
  table->bucket_limit = region->open / sizeof (struct bucket);
  return true;
}

/* An empty overflow bucket, or 0 when none may be had without reserving. */
static reference
overflow_take (struct memtable *table)
{
  reference at = table->free_bucket;
  if (at != 0)
    {
      table->free_bucket = slot_reference (slot_load (&bucket_at (table, at)->slots[0]));
      slot_store (&bucket_at (table, at)->slots[0], 0);
      return at;
    }
  if (table->overflow_room < sizeof (struct bucket) + CACHE_LINE)
    return 0;
  table->overflow_room -= sizeof (struct bucket) + CACHE_LINE;
  at = memtable_take (table, sizeof (struct bucket), CACHE_LINE);
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    slot_store (&bucket_at (table, at)->slots[i], 0);
  return at;
}

/* A free bucket keeps the list in the high half of its first slot: readers that are still in it
 * take that for an even, so empty, slot. */
static void
overflow_give (struct memtable *table, reference at)
{
  slot_store (&bucket_at (table, at)->slots[0], slot_make (0, table->free_bucket));
  table->free_bucket = at;
}

static bool
chain_store (struct memtable *table, struct bucket *bucket, uint64_t slot)
{
  for (unsigned overflow = 0;; overflow++)
    {
      unsigned empty = bucket_empty (bucket);
      if (empty != 0)
        {
          slot_store (&bucket->slots[__builtin_ctz (empty)], slot);
          return true;
        }
      uint64_t tail = bucket->slots[TAIL];
      if (slot_is_link (tail))
        {
          bucket = bucket_at (table, slot_reference (tail));
          continue;
        }
      if ((uint32_t) tail == BUCKET_INCOMPLETE)
        return false;

      reference more = overflow < CHAIN_OVERFLOW_MAX ? overflow_take (table) : 0;
      if (more == 0)
        {
          /* H1: what stood in the tail is left to the tree as well. */
          slot_store (&bucket->slots[TAIL], slot_make (BUCKET_INCOMPLETE, 0));
          table->hashed--;
          return false;
        }
      struct bucket *next = bucket_at (table, more);
      slot_store (&next->slots[0], tail);
      slot_store (&next->slots[1], slot);
      slot_store (&bucket->slots[TAIL], slot_make (0, more));
      return true;
    }
}

static bool
chain_is_incomplete (const struct memtable *table, const struct bucket *bucket)
{
  while (slot_is_link (bucket->slots[TAIL]))
    bucket = bucket_at (table, slot_reference (bucket->slots[TAIL]));
  return (uint32_t) bucket->slots[TAIL] == BUCKET_INCOMPLETE;
}

/* Copies to `to` every slot of the chain whose hash has `bit`. */
static void
split_copy (struct memtable *table, const struct bucket *from, struct bucket *to, uint32_t bit)
{
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    slot_store (&to->slots[i], 0);
  if (chain_is_incomplete (table, from))
    slot_store (&to->slots[TAIL], slot_make (BUCKET_INCOMPLETE, 0));
  for (;;)
    {
      for (unsigned i = 0; i < BUCKET_SLOTS; i++)
        if (slot_is_entry (from->slots[i]) && ((uint32_t) from->slots[i] >> 1 & bit) != 0
            && !chain_store (table, to, from->slots[i]))
          table->hashed--;
      if (!slot_is_link (from->slots[TAIL]))
        return;
      from = bucket_at (table, slot_reference (from->slots[TAIL]));
    }
}

/* Clears what split_copy copied, and unlinks the last overflow bucket when it is empty then. One in
 * the middle stays: a reader inside it must still find the way on. */
static void
split_clear (struct memtable *table, struct bucket *from, uint32_t bit)
{
  struct bucket *before = NULL;
  for (;;)
    {
      for (unsigned i = 0; i < BUCKET_SLOTS; i++)
        if (slot_is_entry (from->slots[i]) && ((uint32_t) from->slots[i] >> 1 & bit) != 0)
          slot_store (&from->slots[i], 0);
      if (!slot_is_link (from->slots[TAIL]))
        break;
      before = from;
      from = bucket_at (table, slot_reference (from->slots[TAIL]));
    }
  if (before == NULL)
    return;
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    if (from->slots[i] != 0)
      return;
  reference gone = slot_reference (before->slots[TAIL]);
  slot_store (&before->slots[TAIL], 0);
  overflow_give (table, gone);
}

/* A split of a bucket that is no chain, the rule: no branch depends on the hashes. */
static void
split_single (struct memtable *table, struct bucket *from, uint32_t count, uint32_t bit)
{
  struct bucket *to = &table->buckets[count];
  uint64_t moved[BUCKET_SLOTS + 1] = { 0 };
  uint64_t kept[BUCKET_SLOTS];
  unsigned moves = 0;
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    {
      uint64_t slot = from->slots[i];
      bool goes = (slot & ((uint64_t) bit << 1)) != 0; /* an empty slot has no bits */
      moved[moves] = slot;
      moves += goes;
      kept[i] = slot & ((uint64_t) goes - 1);
    }
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    slot_store (&to->slots[i], moved[i] & -(uint64_t) (i < moves));
  atomic_store_explicit (&table->bucket_count, count + 1, memory_order_release);
  for (unsigned i = 0; i < BUCKET_SLOTS; i++)
    slot_store (&from->slots[i], kept[i]);
}

/* H2. */
static void
hash_grow (struct memtable *table)
{
  uint32_t count = atomic_load_explicit (&table->bucket_count, memory_order_relaxed);
  if (table->hashed * 2 <= (uint64_t) count * FILL_TIMES_TWO || count >= table->bucket_limit)
    return;
  uint32_t bit = UINT32_C (1) << (31 - __builtin_clz (count));
  struct bucket *from = &table->buckets[count - bit];
  __builtin_prefetch (from + 4, 1); /* what the next splits read */
  arena_region_charge (&table->arena->buckets, table->pool->ledger,
                       ((size_t) count + 1) * sizeof (struct bucket));
  uint64_t tail = from->slots[TAIL];
  if (tail == 0 || slot_is_entry (tail))
    {
      split_single (table, from, count, bit);
      return;
    }
  split_copy (table, from, &table->buckets[count], bit);
  atomic_store_explicit (&table->bucket_count, count + 1, memory_order_release);
  split_clear (table, from, bit);
}

static void
insert_slot (struct memtable *table, uint64_t slot)
{
  uint32_t count = atomic_load_explicit (&table->bucket_count, memory_order_relaxed);
  struct bucket *bucket = &table->buckets[bucket_index ((uint32_t) slot, count)];
  if (chain_store (table, bucket, slot))
    {
      table->hashed++;
      hash_grow (table);
    }
}

void
hash_insert (struct memtable *table, uint64_t hash, reference entry)
{
  insert_slot (table, slot_make (slot_hash (hash), entry));
}

/* ---- what is put off (H4) ---- */

static struct put_off_chunk *
put_off_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

bool
hash_puts_off (struct memtable *table, bool follows)
{
  if (!follows || !row_is_put_off (table))
    return false;
  if (table->first_put_off == 0)
    atomic_store_explicit (&table->put_off, true, memory_order_release);
  return true;
}

void
hash_put_off (struct memtable *table, uint64_t hash, reference entry)
{
  reference at = table->last_put_off;
  struct put_off_chunk *chunk = put_off_at (table, at);
  if (at == 0 || chunk->count == PUT_OFF_CHUNK)
    {
      reference fresh = memtable_take (table, sizeof *chunk, 8);
      if (at != 0)
        chunk->next = fresh;
      else
        table->first_put_off = fresh;
      table->last_put_off = fresh;
      chunk = put_off_at (table, fresh);
      chunk->next = 0;
      chunk->count = chunk->taken = 0;
    }
  chunk->slots[chunk->count++] = slot_make (slot_hash (hash), entry);
  table->put_off_count++;
}

size_t
hash_due (const struct memtable *table, size_t records)
{
  return table->put_off_count / CATCH_UP < records ? table->put_off_count : records * CATCH_UP;
}

void
hash_catch_up (struct memtable *table, size_t most)
{
  for (; most > 0 && table->first_put_off != 0; most--)
    {
      struct put_off_chunk *chunk = put_off_at (table, table->first_put_off);
      insert_slot (table, chunk->slots[chunk->taken++]);
      table->put_off_count--;
      if (chunk->taken < chunk->count)
        continue;
      table->first_put_off = chunk->next;
      if (chunk->next == 0)
        {
          table->last_put_off = 0;
          atomic_store_explicit (&table->put_off, false, memory_order_release);
        }
    }
}
