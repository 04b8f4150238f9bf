/* SPDX-License-Identifier: MIT */
/*
 * The memtable's front: life, reserving, versions, the journal, reads by key.
 *
 * Beside M1 – M5 of the header:
 *   V1  An entry and a version are complete before the store that publishes them (newest, a slot of
 *       a node under its seqlock, a slot of a bucket), and constant after it, but for `newest`.
 *   V2  version_push keeps depth(v) = depth(older) + 1 and jumps that skip as in a skew-binary
 * list, so any version of a chain of n is found in O(log n) steps. V3  The journal names the entry
 * of every insert in order. So what changed since a sequence is found from the newest end, however
 * wide the range asked for.
 */
#include "memtable/memtable-private.h"

#include <stdlib.h>

/* What a reserve adds once: a journal chunk, overflow buckets, a chunk of those put off. */
#define RESERVE_FIXED                                                                              \
  (2 * sizeof (struct journal_chunk) + OVERFLOW_ROOM_FIRST + 2 * sizeof (struct put_off_chunk))

/* Entries that memtable_catch_up puts into buckets at once. */
#define CATCH_UP_TURN 256u

#define CHANGED_TREE_FIRST 128   /* entries of a range looked at before the journal is tried */
#define CHANGED_JOURNAL_MAX 8192 /* entries of the journal looked at before the tree is */

/* ---- life ---- */

reference
memtable_take (struct memtable *table, size_t size, size_t alignment)
{
  uint64_t used = atomic_load_explicit (&table->used, memory_order_relaxed);
  uint64_t start = (used + alignment - 1) & ~(uint64_t) (alignment - 1);
  uint64_t end = start + ((size + 7) & ~(size_t) 7);
  assert (end <= table->arena->data.open); /* M3 */
  if (end > table->charged)
    {
      arena_region_charge (&table->arena->data, table->pool->ledger, end);
      table->charged = table->arena->data.charged;
    }
  atomic_store_explicit (&table->used, end, memory_order_relaxed);
  return (reference) (start / 8);
}

static void
memtable_init (struct memtable *table, struct memtable_pool *pool, struct arena *arena)
{
  memset (table, 0, sizeof *table);
  table->pool = pool;
  table->arena = arena;
  table->data = arena->data.base;
  table->buckets = (struct bucket *) arena->buckets.base;
  table->search = head_search_for (cpu_level ());
  table->charged = arena->data.charged;
  atomic_init (&table->wanted, pool->hashes_all);
  atomic_init (&table->references, 1);
  atomic_init (&table->used, CACHE_LINE); /* reference 0 is none */
  hash_init (table);
  tree_init (table);
}

status
memtable_new (struct memtable_pool *pool, struct memtable **out, struct failure *failure)
{
  struct arena *arena = memtable_pool_take (pool);
  if (arena == NULL)
    return fail (failure, STATUS_NO_MEMORY,
                 "out of memory: no address space for a memtable's arena; close other databases or "
                 "raise the limit on virtual memory (ulimit -v)");
  struct memtable *table = aligned_alloc (CACHE_LINE, sizeof *table);
  if (table == NULL || !arena_region_open (&arena->data, ARENA_OPEN_STEP)
      || !arena_region_open (&arena->buckets, ARENA_OPEN_STEP))
    {
      free (table);
      memtable_pool_give (pool, arena);
      return fail_memory (failure, 2 * ARENA_OPEN_STEP, "a memtable");
    }
  arena_region_charge (&arena->buckets, pool->ledger, 1);
  memtable_init (table, pool, arena);
  *out = table;
  return STATUS_OK;
}

struct memtable *
memtable_ref (struct memtable *table)
{
  atomic_fetch_add_explicit (&table->references, 1, memory_order_relaxed);
  return table;
}

static void
memtable_release (struct epoch_link *link)
{
  struct memtable *table = (struct memtable *) ((char *) link - offsetof (struct memtable, link));
  range_release (table);
  memtable_pool_give (table->pool, table->arena);
  free (table);
}

void
memtable_unref (struct memtable *table)
{
  if (table == NULL)
    return;
  if (atomic_fetch_sub_explicit (&table->references, 1, memory_order_acq_rel) != 1)
    return;
  if (table->pool->counted)
    memtable_release (&table->link);
  else
    epoch_retire (&table->link, memtable_release);
}

void
memtable_freeze (struct memtable *table)
{
  atomic_store_explicit (&table->frozen, true, memory_order_relaxed);
}

/* ---- reserving ---- */

/* Adds `count` times `each` to *sum. */
static bool
add_product (size_t *sum, size_t count, size_t each)
{
  size_t product;
  return !__builtin_mul_overflow (count, each, &product)
         && !__builtin_add_overflow (*sum, product, sum);
}

static bool
reserve_size (const struct memtable *table, size_t records, size_t bytes, size_t range_deletes,
              size_t range_bytes, size_t *payload, size_t *size)
{
  size_t nodes, due = hash_due (table, records);
  *payload = (size_t) atomic_load_explicit (&table->used, memory_order_relaxed);
  if (!add_product (payload, bytes, 1) || !add_product (payload, range_bytes, 1)
      || !add_product (payload, records, RECORD_OVERHEAD_MAX)
      || !add_product (payload, range_deletes, RANGE_OVERHEAD_MAX))
    return false;
  *size = *payload;
  return tree_reserve_size (table, records, &nodes) && add_product (size, nodes, 1)
         && add_product (size, due, OVERFLOW_ROOM_PER_RECORD)
         && add_product (size, 1, RESERVE_FIXED);
}

/* Whether a small commit fits in what is open anyway, by a bound that needs no division: each
 * insert may split one node on each level. */
static bool
reserve_is_idle (const struct memtable *table, size_t records, size_t bytes)
{
  const size_t limit = ARENA_OPEN_STEP / 2;
  if (records > 16 || bytes > limit)
    return false;
  size_t nodes = (records + 1) * (table->depth + 2) * NODE_RESERVE;
  size_t due = hash_due (table, records);
  size_t size = (size_t) atomic_load_explicit (&table->used, memory_order_relaxed) + bytes + nodes
                + records * RECORD_OVERHEAD_MAX + due * OVERFLOW_ROOM_PER_RECORD + RESERVE_FIXED;
  uint32_t buckets = atomic_load_explicit (&table->bucket_count, memory_order_relaxed);
  return size <= table->arena->data.open && buckets + records + due < table->bucket_limit;
}

static void
give_overflow_room (struct memtable *table, size_t records)
{
  table->overflow_room
      = (records + hash_due (table, records)) * OVERFLOW_ROOM_PER_RECORD + OVERFLOW_ROOM_FIRST;
}

status
memtable_reserve (struct memtable *table, size_t records, size_t bytes, size_t range_deletes,
                  size_t range_bytes, struct failure *failure)
{
  size_t payload;
  size_t size;
  struct arena_region *data = &table->arena->data;
  if (range_deletes == 0 && reserve_is_idle (table, records, bytes))
    {
      give_overflow_room (table, records);
      return STATUS_OK;
    }
  if (!reserve_size (table, records, bytes, range_deletes, range_bytes, &payload, &size)
      || size > data->reserved)
    return fail (failure, STATUS_NO_MEMORY,
                 "out of memory: a commit of %zu records and %zu bytes does not fit in the %zu MiB "
                 "a memtable can address; split it into smaller commits",
                 records, bytes, data->reserved >> 20);
  if (!arena_region_open (data, size) || !hash_reserve (table, records))
    return fail_memory (failure, size, "a memtable");
  if (payload > table->charged)
    {
      arena_region_charge (data, table->pool->ledger, payload);
      table->charged = data->charged;
    }
  give_overflow_room (table, records);
  return STATUS_OK;
}

/* ---- versions ---- */

/* Following a jump is right when it does not go past what is sought. */
reference
version_find (const struct memtable *table, const struct entry *entry, uint64_t snapshot)
{
  reference at = entry_newest (entry);
  while (at != 0)
    {
      const struct version *version = version_at (table, at);
      if (version_sequence (version) <= snapshot)
        return at;
      const struct version_jump *jump = version_jump (version);
      if (jump != NULL && version_sequence (version_at (table, jump->jump)) > snapshot)
        at = jump->jump;
      else
        at = version->older;
    }
  return 0;
}

reference
version_above (const struct memtable *table, const struct entry *entry, reference at)
{
  reference above = entry_newest (entry);
  if (above == at)
    return 0;
  uint32_t depth = version_depth (version_at (table, at)) + 1;
  for (;;)
    {
      const struct version *version = version_at (table, above);
      if (version_depth (version) == depth)
        return above;
      const struct version_jump *jump = version_jump (version);
      if (version_depth (version_at (table, jump->jump)) >= depth)
        above = jump->jump;
      else
        above = version->older;
    }
}

reference
version_oldest (const struct memtable *table, const struct entry *entry)
{
  reference at = entry_newest (entry);
  for (;;)
    {
      const struct version_jump *jump = version_jump (version_at (table, at));
      if (jump == NULL)
        return at;
      at = jump->jump;
    }
}

void
version_read (const struct entry *entry, const struct version *version, struct record *out)
{
  const uint8_t *rest = version->rest;
  if ((version->word & VERSION_OVERWRITES) != 0)
    rest += sizeof (struct version_jump);
  out->expiry = 0;
  if ((version->word & VERSION_EXPIRES) != 0)
    {
      memcpy (&out->expiry, rest, sizeof out->expiry);
      rest += sizeof out->expiry;
    }
  out->key = entry_key (entry);
  out->value = BYTES (rest, version->value_size);
  out->sequence = version_sequence (version);
  out->kind = (enum record_kind) (version->word & VERSION_KIND_MASK);
}

static size_t
version_size (const struct record *record, bool overwrites)
{
  return sizeof (struct version) + (overwrites ? sizeof (struct version_jump) : 0)
         + (record->expiry != 0 ? sizeof record->expiry : 0) + record->value.size;
}

/* Writes a version that nobody sees yet; `jump` NULL for a key's first. */
static void
version_write (struct version *version, const struct record *record, reference older,
               const struct version_jump *jump)
{
  uint8_t *rest = version->rest;
  version->word = record->sequence << VERSION_SEQUENCE_SHIFT | (uint64_t) record->kind;
  version->older = older;
  version->value_size = (uint32_t) record->value.size;
  if (jump != NULL)
    {
      version->word |= VERSION_OVERWRITES;
      memcpy (rest, jump, sizeof *jump);
      rest += sizeof *jump;
    }
  if (record->expiry != 0)
    {
      version->word |= VERSION_EXPIRES;
      memcpy (rest, &record->expiry, sizeof record->expiry);
      rest += sizeof record->expiry;
    }
  if (record->value.size > 0)
    memcpy (rest, record->value.data, record->value.size);
}

/* V2. Where the version above `older` jumps to: as far as two equal jumps below it reach. */
static struct version_jump
jump_above (const struct memtable *table, reference older)
{
  const struct version *below = version_at (table, older);
  const struct version_jump *first = version_jump (below);
  if (first == NULL)
    return (struct version_jump){ older, 1 };
  struct version_jump jump = { older, first->depth + 1 };
  const struct version *landing = version_at (table, first->jump);
  const struct version_jump *second = version_jump (landing);
  uint32_t landing_depth = second != NULL ? second->depth : 0;
  if (second != NULL
      && first->depth - landing_depth
             == landing_depth - version_depth (version_at (table, second->jump)))
    jump.jump = second->jump;
  return jump;
}

static void
version_push (struct memtable *table, struct entry *entry, const struct record *record)
{
  reference older = atomic_load_explicit (&entry->newest, memory_order_relaxed);
  assert (version_sequence (version_at (table, older)) <= record->sequence); /* M4 */
  struct version_jump jump = jump_above (table, older);
  reference at = memtable_take (table, version_size (record, true), 8);
  version_write (version_at (table, at), record, older, &jump);
  atomic_store_explicit (&entry->newest, at, memory_order_release);
}

static reference
entry_new (struct memtable *table, const struct record *record)
{
  size_t key_part = entry_size (record->key.size);
  reference at = memtable_take (table, key_part + version_size (record, false), 8);
  struct entry *entry = entry_at (table, at);
  reference first = at + (reference) (key_part / 8);
  version_write (version_at (table, first), record, 0, NULL);
  entry->key_size = (uint32_t) record->key.size;
  bytes_copy (entry->key, record->key);
  atomic_init (&entry->newest, first);
  return at;
}

/* ---- journal ---- */

static struct journal_chunk *
journal_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

/* V3. */
static void
journal_append (struct memtable *table, reference entry, uint64_t sequence)
{
  reference at = atomic_load_explicit (&table->journal, memory_order_relaxed);
  struct journal_chunk *chunk = journal_at (table, at);
  uint32_t count = at != 0 ? atomic_load_explicit (&chunk->count, memory_order_relaxed) : 0;
  if (at != 0 && count < JOURNAL_CHUNK_ENTRIES)
    {
      chunk->entries[count] = entry;
      atomic_store_explicit (&chunk->count, count + 1, memory_order_release);
      return;
    }
  reference fresh = memtable_take (table, sizeof *chunk, 8);
  chunk = journal_at (table, fresh);
  chunk->first_sequence = sequence;
  chunk->previous = at;
  chunk->entries[0] = entry;
  atomic_init (&chunk->count, 1);
  atomic_store_explicit (&table->journal, fresh, memory_order_release);
}

/* ---- inserting ---- */

/* What readers and flushes ask of the memtable as a whole. */
static void
note_sequence (struct memtable *table, uint64_t sequence)
{
  if (atomic_load_explicit (&table->first_sequence, memory_order_relaxed) == 0)
    atomic_store_explicit (&table->first_sequence, sequence, memory_order_relaxed);
  atomic_store_explicit (&table->last_sequence, sequence, memory_order_release);
}

void
memtable_insert (struct memtable *table, uint64_t hash, const struct record *record)
{
  assert (!atomic_load_explicit (&table->frozen, memory_order_relaxed)); /* M5 */
  bool follows = tree_follows (table, record->key);
  reference at = follows ? 0 : hash_find (table, record->key, hash);
  if (at != 0)
    version_push (table, entry_at (table, at), record);
  else
    {
      at = entry_new (table, record);
      bool later = hash_puts_off (table, follows);
      tree_insert (table, at, follows);
      if (later)
        hash_put_off (table, hash, at);
      else
        hash_insert (table, hash, at);
    }
  if (table->first_put_off != 0 && atomic_load_explicit (&table->wanted, memory_order_relaxed))
    hash_catch_up (table, CATCH_UP);
  journal_append (table, at, record->sequence);
  counter_add (&table->records, 1);
  if (record->kind == RECORD_DELETE)
    counter_add (&table->deletes, 1);
  counter_add (&table->data_bytes, record->key.size + record->value.size);
  note_sequence (table, record->sequence);
}

bool
memtable_catch_up (struct memtable *table)
{
  if (table->first_put_off == 0
      || memtable_reserve (table, CATCH_UP_TURN / CATCH_UP, 0, 0, 0, NULL) != STATUS_OK)
    return false;
  hash_catch_up (table, CATCH_UP_TURN);
  return table->first_put_off != 0;
}

bool
memtable_is_wanted (struct memtable *table)
{
  return atomic_load_explicit (&table->wanted, memory_order_relaxed);
}

void
memtable_delete_range (struct memtable *table, const struct range_delete *range)
{
  assert (!atomic_load_explicit (&table->frozen, memory_order_relaxed)); /* M5 */
  range_insert (table, range);
  counter_add (&table->range_deletes, 1);
  counter_add (&table->data_bytes, range->start.size + range->end.size);
  note_sequence (table, range->sequence);
}

/* ---- reading ---- */

bool
memtable_get (struct memtable *table, struct bytes key, uint64_t hash, uint64_t snapshot,
              struct record *out)
{
  reference at = hash_find (table, key, hash);
  if (at == 0)
    return false;
  const struct entry *entry = entry_at (table, at);
  reference version = version_find (table, entry, snapshot);
  if (version == 0)
    return false;
  version_read (entry, version_at (table, version), out);
  return true;
}

static uint64_t
newest_sequence (const struct memtable *table, const struct entry *entry)
{
  return version_sequence (version_at (table, entry_newest (entry)));
}

uint64_t
memtable_newest (struct memtable *table, struct bytes key, uint64_t hash)
{
  reference at = hash_find (table, key, hash);
  return at != 0 ? newest_sequence (table, entry_at (table, at)) : 0;
}

/* ---- what changed ---- */

enum search_result
{
  SEARCH_ABSENT,  /* certain: nothing changed */
  SEARCH_FOUND,   /* certain: *key is the first */
  SEARCH_GAVE_UP, /* the limit was reached first */
};

/* Looks at the keys of [start, end) in order, at most about `limit` of them. */
static enum search_result
changed_in_tree (const struct memtable *table, struct bytes start, const struct bytes *end,
                 uint64_t since, size_t limit, struct bytes *key)
{
  struct leaf_copy copy;
  unsigned index = tree_copy_for (table, start, &copy);
  for (;;)
    {
      for (; index < copy.count; index++)
        {
          const struct entry *entry = entry_at (table, copy.entries[index]);
          if (end != NULL && bytes_compare (entry_key (entry), *end) >= 0)
            return SEARCH_ABSENT;
          if (newest_sequence (table, entry) <= since)
            continue;
          *key = entry_key (entry);
          return SEARCH_FOUND;
        }
      if (copy.next == 0)
        return SEARCH_ABSENT;
      if (limit <= copy.count)
        return SEARCH_GAVE_UP;
      limit -= copy.count;
      tree_copy_next (table, &copy);
      index = 0;
    }
}

/* Looks at what was inserted last, back to `since`. V3. */
static enum search_result
changed_in_journal (const struct memtable *table, struct bytes start, const struct bytes *end,
                    uint64_t since, struct bytes *key)
{
  bool found = false;
  size_t seen = 0;
  reference at = atomic_load_explicit (&table->journal, memory_order_acquire);
  while (at != 0)
    {
      const struct journal_chunk *chunk = journal_at (table, at);
      uint32_t count = atomic_load_explicit (&chunk->count, memory_order_acquire);
      for (uint32_t i = count; i-- > 0;)
        {
          const struct entry *entry = entry_at (table, chunk->entries[i]);
          struct bytes name = entry_key (entry);
          if (bytes_compare (name, start) < 0 || (end != NULL && bytes_compare (name, *end) >= 0)
              || newest_sequence (table, entry) <= since
              || (found && bytes_compare (name, *key) >= 0))
            continue;
          *key = name;
          found = true;
        }
      seen += count;
      if (chunk->first_sequence <= since)
        break;
      at = chunk->previous;
      if (at != 0 && seen >= CHANGED_JOURNAL_MAX)
        return SEARCH_GAVE_UP;
    }
  return found ? SEARCH_FOUND : SEARCH_ABSENT;
}

bool
memtable_changed_since (struct memtable *table, struct bytes start, const struct bytes *end,
                        uint64_t since, struct bytes *key)
{
  if (atomic_load_explicit (&table->last_sequence, memory_order_acquire) <= since
      || (end != NULL && bytes_compare (start, *end) >= 0))
    return false;
  struct bytes in_range;
  struct bytes in_record;
  bool range_changed = range_changed_since (table, start, end, since, &in_range);
  enum search_result result
      = changed_in_tree (table, start, end, since, CHANGED_TREE_FIRST, &in_record);
  if (result == SEARCH_GAVE_UP)
    result = changed_in_journal (table, start, end, since, &in_record);
  if (result == SEARCH_GAVE_UP)
    result = changed_in_tree (table, start, end, since, SIZE_MAX, &in_record);
  if (result != SEARCH_FOUND && !range_changed)
    return false;
  if (result != SEARCH_FOUND || (range_changed && bytes_compare (in_range, in_record) < 0))
    *key = in_range;
  else
    *key = in_record;
  return true;
}

void
memtable_trim (struct memtable *table)
{
  arena_shrink (table->arena, table->pool,
                (size_t) atomic_load_explicit (&table->used, memory_order_relaxed),
                atomic_load_explicit (&table->bucket_count, memory_order_relaxed)
                    * sizeof (struct bucket));
  table->charged = table->arena->data.charged;
}

/* ---- figures ---- */

size_t
memtable_memory (struct memtable *table)
{
  return (size_t) atomic_load_explicit (&table->used, memory_order_relaxed)
         + atomic_load_explicit (&table->bucket_count, memory_order_relaxed)
               * sizeof (struct bucket);
}

bool
memtable_is_empty (struct memtable *table)
{
  return atomic_load_explicit (&table->first_sequence, memory_order_relaxed) == 0;
}

void
memtable_statistics (struct memtable *table, struct memtable_statistics *out)
{
  out->records = atomic_load_explicit (&table->records, memory_order_relaxed);
  out->deletes = atomic_load_explicit (&table->deletes, memory_order_relaxed);
  out->range_deletes = atomic_load_explicit (&table->range_deletes, memory_order_relaxed);
  out->data_bytes = atomic_load_explicit (&table->data_bytes, memory_order_relaxed);
  out->memory = memtable_memory (table);
  out->first_sequence = atomic_load_explicit (&table->first_sequence, memory_order_relaxed);
  out->last_sequence = atomic_load_explicit (&table->last_sequence, memory_order_relaxed);
}
