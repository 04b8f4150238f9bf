/* SPDX-License-Identifier: MIT */
/*
 * Records stand behind one another in chunks. What is sorted is an array with 16 bytes for each:
 * where it is, and its head, the eight bytes of its key behind what the keys of the group have in
 * common. A stable radix sort orders a group by its heads; where heads are the same the records
 * are a group of their own, with a longer prefix and new heads.
 */
#include "merge/sorter.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/coding.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_SIZE_LEAST ((size_t) 64 << 10)
#define CHUNK_SIZE_MOST BUFFER_HUGE_PAGE /* unless a record is larger */
#define ENTRIES_FIRST ((size_t) 256)
#define RADIX_LEAST 96u     /* records of a group; fewer are merged in order */
#define GROUP_DEPTH_MOST 8u /* groups inside groups; what is deeper is merged (O3) */
#define PREFETCH_DISTANCE 12u
#define DIGITS 256u
#define ENTRY_MEMORY (2 * sizeof (struct entry)) /* of one record: see struct sorter */

/* A record as it is kept: the value follows the key. */
struct held
{
  uint64_t sequence;
  uint64_t expiry;
  uint32_t key_size, value_size; /* bytes */
  uint8_t kind;                  /* enum record_kind */
  uint8_t bytes[];               /* key, value */
};

struct entry
{
  uint64_t head; /* of the key, as its group has it; big-endian order */
  const struct held *held;
};

struct chunk
{
  struct chunk *previous;
  size_t size; /* bytes of it, with this */
  bool mapped; /* a huge page, perhaps; else malloc'd */
};

struct sorter
{
  struct ledger *ledger; /* the creator's */
  struct chunk *chunks;  /* the one in use first; owned */
  size_t used;           /* bytes of that one */
  size_t filled;         /* bytes of the others */
  struct entry *entries; /* `capacity` of them, and as many again to sort with (O2); malloc'd */
  size_t count, capacity;
  size_t prefix;               /* bytes that all keys begin with */
  struct range_delete *ranges; /* their bytes are in the chunks; malloc'd */
  size_t range_count, range_capacity;
  size_t memory;                              /* bytes held and charged */
  uint64_t data_bytes;                        /* of keys and values, and of ranges */
  bool sorted;                                /* nothing was added since */
  uint32_t places[sizeof (uint64_t)][DIGITS]; /* of sort_by_head */
};

/* ---- life ---- */

static void
charge (struct sorter *sorter, size_t size)
{
  ledger_charge (sorter->ledger, LEDGER_MEMTABLE, size);
  sorter->memory += size;
}

status
sorter_new (struct ledger *ledger, struct sorter **out, struct failure *failure)
{
  struct sorter *sorter = calloc (1, sizeof *sorter);
  if (sorter == NULL)
    return fail_memory (failure, sizeof *sorter, "sorting");
  sorter->ledger = ledger;
  charge (sorter, sizeof *sorter);
  *out = sorter;
  return STATUS_OK;
}

/* Records are written one behind the other and read in any order: of the time that both took, page
 * faults and what the processor did not find in its table of pages were a third. */
static struct chunk *
chunk_new (const struct sorter *sorter, size_t size)
{
  bool mapped
      = size == BUFFER_HUGE_PAGE && sorter->ledger->budget >= LEDGER_HUGE_BUDGET;
  struct chunk *chunk
      = mapped ? buffer_map_aligned (size, size, PROT_READ | PROT_WRITE) : malloc (size);
  if (chunk == NULL)
    return NULL;
  if (mapped)
    madvise (chunk, size, MADV_HUGEPAGE); /* a hint */
  *chunk = (struct chunk){ .size = size, .mapped = mapped };
  return chunk;
}

static void
chunk_free (struct chunk *chunk)
{
  if (chunk->mapped)
    munmap (chunk, chunk->size);
  else
    free (chunk);
}

static void
release (struct sorter *sorter)
{
  while (sorter->chunks != NULL)
    {
      struct chunk *chunk = sorter->chunks;
      sorter->chunks = chunk->previous;
      chunk_free (chunk);
    }
  free (sorter->entries);
  free (sorter->ranges);
  ledger_refund (sorter->ledger, LEDGER_MEMTABLE, sorter->memory);
}

void
sorter_free (struct sorter *sorter)
{
  if (sorter == NULL)
    return;
  release (sorter);
  free (sorter);
}

void
sorter_clear (struct sorter *sorter)
{
  struct ledger *ledger = sorter->ledger;
  release (sorter);
  *sorter = (struct sorter){ .ledger = ledger };
  charge (sorter, sizeof *sorter);
}

/* ---- adding ---- */

static inline struct bytes
key_of (const struct held *held)
{
  return BYTES (held->bytes, held->key_size);
}

static void
reverse (struct entry *entries, size_t count)
{
  for (size_t i = 0; i < count / 2; i++)
    {
      struct entry entry = entries[i];
      entries[i] = entries[count - 1 - i];
      entries[count - 1 - i] = entry;
    }
}

/* O1, of entries in the order of their keys, among which those of one key came first first. */
static void
put_newest_first (struct entry *entries, size_t count)
{
  for (size_t first = 0; first < count;)
    {
      size_t end = first + 1;
      while (end < count && entries[end].head == entries[first].head
             && bytes_equal (key_of (entries[end].held), key_of (entries[first].held)))
        end++;
      reverse (entries + first, end - first);
      first = end;
    }
}

/* The next one is twice as large as the last, up to a limit. */
static bool
add_chunk (struct sorter *sorter, size_t least)
{
  size_t size = sorter->chunks != NULL ? 2 * sorter->chunks->size : CHUNK_SIZE_LEAST;
  size = size < CHUNK_SIZE_MOST ? size : CHUNK_SIZE_MOST;
  least += sizeof (struct chunk);
  size = size > least ? size : least;
  struct chunk *chunk = chunk_new (sorter, size);
  if (chunk == NULL)
    return false;
  chunk->previous = sorter->chunks;
  sorter->filled += sorter->used;
  sorter->chunks = chunk;
  sorter->used = sizeof *chunk;
  charge (sorter, size);
  return true;
}

/* `size` bytes that stay where they are. */
static void *
take (struct sorter *sorter, size_t size)
{
  size = (size + 7) & ~(size_t) 7;
  bool full = sorter->chunks == NULL || sorter->chunks->size - sorter->used < size;
  if (full && !add_chunk (sorter, size))
    return NULL;
  void *taken = (char *) sorter->chunks + sorter->used;
  sorter->used += size;
  return taken;
}

/* Room for one more in an array of *capacity elements; NULL, and the array as it was, when memory
 * is out. */
static void *
grow (struct sorter *sorter, void *array, size_t *capacity, size_t count, size_t element)
{
  if (count < *capacity)
    return array;
  size_t larger = *capacity > 0 ? 2 * *capacity : ENTRIES_FIRST;
  void *grown = reallocarray (array, larger, element);
  if (grown == NULL)
    return NULL;
  charge (sorter, (larger - *capacity) * element);
  *capacity = larger;
  return grown;
}

static inline size_t
held_size (size_t key_size, size_t value_size)
{
  return offsetof (struct held, bytes) + key_size + value_size;
}

size_t
sorter_used (const struct sorter *sorter)
{
  return sorter->filled + sorter->used + sorter->count * ENTRY_MEMORY
         + sorter->range_count * sizeof *sorter->ranges;
}

/* Of keys. */
static void
shorten_prefix (struct sorter *sorter, struct bytes key)
{
  if (sorter->count == 0)
    sorter->prefix = key.size;
  else if (sorter->prefix > key.size
           || !bytes_same (key.data, sorter->entries[0].held->bytes, sorter->prefix))
    sorter->prefix = bytes_common_prefix (key_of (sorter->entries[0].held), key);
}

status
sorter_add (struct sorter *sorter, const struct record *record, struct failure *failure)
{
  size_t size = held_size (record->key.size, record->value.size);
  if (sorter->count == UINT32_MAX)
    return fail (failure, STATUS_NO_MEMORY, "out of memory: too many records to be sorted at once");
  struct entry *entries
      = grow (sorter, sorter->entries, &sorter->capacity, sorter->count, ENTRY_MEMORY);
  if (entries == NULL)
    return fail_memory (failure, 2 * sorter->capacity * ENTRY_MEMORY, "sorting");
  sorter->entries = entries;
  struct held *held = take (sorter, size);
  if (held == NULL)
    return fail_memory (failure, size, "sorting");
  held->sequence = record->sequence;
  held->expiry = record->expiry;
  held->key_size = (uint32_t) record->key.size;
  held->value_size = (uint32_t) record->value.size;
  held->kind = (uint8_t) record->kind;
  memcpy (held->bytes, record->key.data, record->key.size);
  if (record->value.size > 0)
    memcpy (held->bytes + record->key.size, record->value.data, record->value.size);
  shorten_prefix (sorter, record->key);
  if (sorter->sorted) /* those of one key are to be in the order in which they came, again */
    put_newest_first (entries, sorter->count);
  sorter->sorted = false;
  entries[sorter->count++] = (struct entry){ 0, held };
  sorter->data_bytes += record->key.size + record->value.size;
  return STATUS_OK;
}

status
sorter_add_range (struct sorter *sorter, const struct range_delete *range, struct failure *failure)
{
  size_t size = range->start.size + range->end.size;
  struct range_delete *ranges
      = grow (sorter, sorter->ranges, &sorter->range_capacity, sorter->range_count, sizeof *ranges);
  if (ranges == NULL)
    return fail_memory (failure, 2 * sorter->range_capacity * sizeof *ranges, "sorting");
  sorter->ranges = ranges;
  uint8_t *bytes = take (sorter, size);
  if (bytes == NULL)
    return fail_memory (failure, size, "sorting");
  memcpy (bytes, range->start.data, range->start.size);
  memcpy (bytes + range->start.size, range->end.data, range->end.size);
  ranges[sorter->range_count++]
      = (struct range_delete){ BYTES (bytes, range->start.size),
                               BYTES (bytes + range->start.size, range->end.size),
                               range->sequence };
  sorter->data_bytes += size;
  return STATUS_OK;
}

bool
sorter_is_empty (const struct sorter *sorter)
{
  return sorter->count == 0 && sorter->range_count == 0;
}

size_t
sorter_memory (const struct sorter *sorter)
{
  return sorter->memory;
}

size_t
sorter_count (const struct sorter *sorter)
{
  return sorter->count;
}

uint64_t
sorter_data_bytes (const struct sorter *sorter)
{
  return sorter->data_bytes;
}

status
sorter_range_deletes (const struct sorter *sorter, struct range_set **out, struct failure *failure)
{
  return range_set_build (sorter->ranges, sorter->range_count, out, failure);
}

/* ---- sorting ---- */

/* Eight bytes of the key from `prefix` on, zeros where it has ended. */
static uint64_t
head_of (const struct held *held, size_t prefix)
{
  uint8_t bytes[8] = { 0 };
  size_t left = held->key_size - prefix;
  memcpy (bytes, held->bytes + prefix, left < sizeof bytes ? left : sizeof bytes);
  return __builtin_bswap64 (load_u64 (bytes));
}

/* How many bytes all keys begin with that begin with `least` the same ones. */
static size_t
common_prefix (const struct entry *entries, size_t count, size_t least)
{
  struct bytes first = key_of (entries[0].held);
  size_t prefix = first.size;
  for (size_t i = 1; i < count && prefix > least; i++)
    {
      struct bytes key = key_of (entries[i].held);
      size_t common = bytes_common_prefix (BYTES (first.data, prefix), key);
      prefix = common < prefix ? common : prefix;
    }
  return prefix;
}

static bool
heads_rise (const struct entry *entries, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (entries[i - 1].head > entries[i].head)
      return false;
  return true;
}

static inline unsigned
digit_of (const struct entry *entry, unsigned digit)
{
  return entry->head >> 8 * digit & (DIGITS - 1);
}

static void
exchange (struct entry **a, struct entry **b)
{
  struct entry *was = *a;
  *a = *b;
  *b = was;
}

/* Stable. A digit that is the same in all heads takes no pass. */
static void
sort_by_head (struct sorter *sorter, struct entry *entries, size_t count)
{
  struct entry *from = entries, *to = sorter->entries + sorter->capacity;
  memset (sorter->places, 0, sizeof sorter->places);
  for (size_t i = 0; i < count; i++)
    for (unsigned digit = 0; digit < sizeof (uint64_t); digit++)
      sorter->places[digit][digit_of (&entries[i], digit)]++;
  for (unsigned digit = 0; digit < sizeof (uint64_t); digit++)
    {
      uint32_t *places = sorter->places[digit], next = 0;
      if (places[digit_of (&from[0], digit)] == count)
        continue;
      for (unsigned value = 0; value < DIGITS; value++)
        {
          uint32_t here = places[value];
          places[value] = next;
          next += here;
        }
      for (size_t i = 0; i < count; i++)
        to[places[digit_of (&from[i], digit)]++] = from[i];
      exchange (&from, &to);
    }
  if (from != entries)
    memcpy (entries, from, count * sizeof *entries);
}

/* By head, then by key. */
static inline bool
is_above (const struct entry *a, const struct entry *b)
{
  if (a->head != b->head)
    return a->head > b->head;
  return bytes_compare (key_of (a->held), key_of (b->held)) > 0;
}

static bool
is_in_order (const struct entry *entries, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (is_above (&entries[i - 1], &entries[i]))
      return false;
  return true;
}

/* Stable; from the bottom up. */
static void
sort_by_key (struct sorter *sorter, struct entry *entries, size_t count)
{
  struct entry *from = entries, *to = sorter->entries + sorter->capacity;
  if (is_in_order (entries, count))
    return;
  for (size_t width = 1; width < count; width *= 2)
    {
      for (size_t start = 0; start < count; start += 2 * width)
        {
          size_t middle = start + width < count ? start + width : count;
          size_t end = start + 2 * width < count ? start + 2 * width : count;
          size_t left = start, right = middle;
          for (size_t i = start; i < end; i++)
            if (right == end || (left < middle && !is_above (&from[left], &from[right])))
              to[i] = from[left++];
            else
              to[i] = from[right++];
        }
      exchange (&from, &to);
    }
  if (from != entries)
    memcpy (entries, from, count * sizeof *entries);
}

/* How many entries from `first` on have the same head. */
static size_t
same_heads (const struct entry *entries, size_t count, size_t first)
{
  size_t end = first + 1;
  while (end < count && entries[end].head == entries[first].head)
    end++;
  return end - first;
}

/* All their keys begin with the same `prefix` bytes. */
static void
sort_group (struct sorter *sorter, struct entry *entries, size_t count, size_t prefix,
            unsigned depth)
{
  for (size_t i = 0; i < count; i++)
    entries[i].head = head_of (entries[i].held, prefix);
  if (count < RADIX_LEAST || depth == GROUP_DEPTH_MOST || same_heads (entries, count, 0) == count)
    {
      sort_by_key (sorter, entries, count);
      put_newest_first (entries, count);
      return;
    }
  if (!heads_rise (entries, count))
    sort_by_head (sorter, entries, count);
  for (size_t first = 0, same; first < count; first += same)
    {
      same = same_heads (entries, count, first);
      if (same > 1)
        sort_group (sorter, entries + first, same, common_prefix (entries + first, same, prefix),
                    depth + 1);
    }
}

void
sorter_sort (struct sorter *sorter)
{
  if (sorter->sorted)
    return; /* perhaps others read it */
  if (sorter->count > 0)
    sort_group (sorter, sorter->entries, sorter->count, sorter->prefix, 0);
  sorter->sorted = true;
}

/* ---- reading ---- */

struct bytes
sorter_key (const struct sorter *sorter, size_t index)
{
  assert (sorter->sorted && index < sorter->count);
  return key_of (sorter->entries[index].held);
}

struct sorter_source
{
  struct source base; /* what the caller sees; first */
  const struct sorter *sorter;
  size_t index; /* of the current entry, when valid */
};

static status
show (struct sorter_source *self, size_t index)
{
  const struct entry *entries = self->sorter->entries;
  self->base.valid = index < self->sorter->count;
  if (!self->base.valid)
    return STATUS_OK;
  if (index + PREFETCH_DISTANCE < self->sorter->count)
    {
      const char *ahead = (const char *) entries[index + PREFETCH_DISTANCE].held;
      __builtin_prefetch (ahead);
      __builtin_prefetch (ahead + 64);
      __builtin_prefetch (ahead + 128);
    }
  const struct held *held = entries[index].held;
  self->index = index;
  self->base.record = (struct record){
    .key = key_of (held),
    .value = BYTES (held->bytes + held->key_size, held->value_size),
    .sequence = held->sequence,
    .expiry = held->expiry,
    .kind = (enum record_kind) held->kind,
  };
  return STATUS_OK;
}

static status
sorter_source_first (struct source *source, struct failure *failure)
{
  (void) failure;
  return show ((struct sorter_source *) source, 0);
}

static status
sorter_source_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct sorter_source *self = (struct sorter_source *) source;
  size_t low = 0, high = self->sorter->count;
  (void) failure;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (bytes_compare (sorter_key (self->sorter, middle), key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return show (self, low);
}

static status
sorter_source_next (struct source *source, struct failure *failure)
{
  struct sorter_source *self = (struct sorter_source *) source;
  (void) failure;
  assert (source->valid);
  return show (self, self->index + 1);
}

static void
sorter_source_release (struct source *source)
{
  free (source);
}

static const struct source_operations operations = {
  .first = sorter_source_first,
  .seek = sorter_source_seek,
  .next = sorter_source_next,
  .release = sorter_source_release,
};

status
sorter_source_new (struct sorter *sorter, struct source **out, struct failure *failure)
{
  struct sorter_source *self = calloc (1, sizeof *self);
  if (self == NULL)
    return fail_memory (failure, sizeof *self, "a sorter's iterator");
  sorter_sort (sorter);
  self->base.operations = &operations;
  self->sorter = sorter;
  *out = &self->base;
  return STATUS_OK;
}
