/* SPDX-License-Identifier: MIT */
/*
 * The memtable's range deletes.
 *
 *   newest_range ──► 19 ► 18 ► 17 ► 16 … 1       every range delete, in the arena
 *   layers       ──► [ 1 … 12 ][ 13 … 16 ]       immutable sets of all up to `covered`
 *
 * A question walks the list down to what the layers cover, then searches each set. Each
 * RANGE_TAIL_MAX deletes the tail becomes a set of its own, together with the youngest sets as
 * long as they are small beside it: a delete is rebuilt O(log n) times and there are O(log n) sets.
 *
 * Invariants
 *   R1  Ordinals rise by one along the list; the layers cover 1 … covered without a gap.
 *   R2  Building sets is only an acceleration: without memory the tail stays long.
 *   R3  Layers are replaced by the writer; readers look at them inside an epoch section.
 */
#include "memtable/memtable-private.h"

#include <stdlib.h>

#define RANGE_TAIL_MAX 16u
#define RANGE_LAYERS_MAX 40u /* sets at least double: more than ordinals have bits */

struct range_layer
{
  struct range_set *set; /* a reference */
  uint32_t count;        /* range deletes in it */
};

struct range_layers
{
  struct epoch_link link;                      /* for when it is replaced */
  uint32_t covered;                            /* ordinal of the newest delete in a set */
  unsigned count;                              /* sets in use */
  size_t memory;                               /* bytes charged for it and its sets */
  struct range_layer layers[RANGE_LAYERS_MAX]; /* oldest first */
};

static struct range_entry *
range_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

static struct bytes
range_start (const struct range_entry *range)
{
  return BYTES (range->keys, range->start_size);
}

static struct bytes
range_end (const struct range_entry *range)
{
  return BYTES (range->keys + range->start_size, range->end_size);
}

static void
layers_free (struct range_layers *layers)
{
  if (layers == NULL)
    return;
  for (unsigned i = 0; i < layers->count; i++)
    range_set_unref (layers->layers[i].set);
  free (layers);
}

static void
layers_release (struct epoch_link *link)
{
  layers_free ((struct range_layers *) ((char *) link - offsetof (struct range_layers, link)));
}

/* A set of the `count` range deletes from `at` downward, whatever their ordinals. */
static status
build_set (const struct memtable *table, reference at, size_t count, struct range_set **out,
           struct failure *failure)
{
  size_t size;
  if (__builtin_mul_overflow (count, sizeof (struct range_delete), &size))
    return fail_memory (failure, SIZE_MAX, "a set of range deletes");
  struct range_delete *deletes = malloc (size);
  if (deletes == NULL)
    return fail_memory (failure, size, "a set of range deletes");
  for (size_t i = 0; i < count; i++)
    {
      const struct range_entry *range = range_at (table, at);
      deletes[i] = (struct range_delete){ range_start (range), range_end (range), range->sequence };
      at = range->previous;
    }
  status result = range_set_build (deletes, count, out, failure);
  free (deletes);
  return result;
}

/* Replaces `old`. R3. Inside an epoch section, so that the writer frees nothing that others
 * retired. */
static void
layers_publish (struct memtable *table, struct range_layers *old, struct range_layers *fresh)
{
  fresh->memory = sizeof *fresh;
  for (unsigned i = 0; i < fresh->count; i++)
    fresh->memory += range_set_memory (fresh->layers[i].set);
  ledger_charge (table->pool->ledger, LEDGER_MEMTABLE, fresh->memory);
  atomic_store_explicit (&table->layers, fresh, memory_order_release);
  if (old == NULL)
    return;
  ledger_refund (table->pool->ledger, LEDGER_MEMTABLE, old->memory);
  epoch_retire (&old->link, layers_release);
}

/* Gathers the tail, and the sets that are small beside it, into one set. R2. */
static void
gather_tail (struct memtable *table, reference newest)
{
  epoch_enter ();
  struct range_layers *old = atomic_load_explicit (&table->layers, memory_order_relaxed);
  uint32_t total = range_at (table, newest)->ordinal;
  uint32_t gathered = total - (old != NULL ? old->covered : 0);
  unsigned keep = old != NULL ? old->count : 0;
  while (keep > 0 && old->layers[keep - 1].count / 3 < gathered)
    gathered += old->layers[--keep].count;

  struct range_layers *fresh = calloc (1, sizeof *fresh);
  if (fresh != NULL && keep < RANGE_LAYERS_MAX
      && build_set (table, newest, gathered, &fresh->layers[keep].set, NULL) == STATUS_OK)
    {
      for (unsigned i = 0; i < keep; i++)
        {
          fresh->layers[i] = old->layers[i];
          range_set_ref (fresh->layers[i].set);
        }
      fresh->layers[keep].count = gathered;
      fresh->count = keep + 1;
      fresh->covered = total;
      layers_publish (table, old, fresh);
    }
  else
    free (fresh);
  epoch_leave ();
}

void
range_insert (struct memtable *table, const struct range_delete *range)
{
  reference newest = atomic_load_explicit (&table->newest_range, memory_order_relaxed);
  reference at
      = memtable_take (table, sizeof (struct range_entry) + range->start.size + range->end.size, 8);
  struct range_entry *entry = range_at (table, at);
  entry->sequence = range->sequence;
  entry->ordinal = newest != 0 ? range_at (table, newest)->ordinal + 1 : 1;
  entry->previous = newest;
  entry->start_size = (uint32_t) range->start.size;
  entry->end_size = (uint32_t) range->end.size;
  if (range->start.size > 0)
    memcpy (entry->keys, range->start.data, range->start.size);
  if (range->end.size > 0)
    memcpy (entry->keys + range->start.size, range->end.data, range->end.size);
  atomic_store_explicit (&table->newest_range, at, memory_order_release);
  if (entry->ordinal % RANGE_TAIL_MAX == 0)
    gather_tail (table, at);
}

uint64_t
memtable_cover (struct memtable *table, struct bytes key, uint64_t snapshot)
{
  reference at = atomic_load_explicit (&table->newest_range, memory_order_acquire);
  if (at == 0)
    return 0;

  uint64_t newest = 0;
  uint32_t covered = 0;
  epoch_enter ();
  const struct range_layers *layers = atomic_load_explicit (&table->layers, memory_order_acquire);
  if (layers != NULL)
    {
      covered = layers->covered;
      for (unsigned i = layers->count; i-- > 0;)
        {
          uint64_t found = range_set_cover (layers->layers[i].set, key, snapshot);
          if (found > newest)
            newest = found;
        }
    }
  epoch_leave ();

  for (; at != 0 && range_at (table, at)->ordinal > covered; at = range_at (table, at)->previous)
    {
      const struct range_entry *range = range_at (table, at);
      if (range->sequence <= snapshot && range->sequence > newest
          && bytes_compare (key, range_start (range)) >= 0
          && bytes_compare (key, range_end (range)) < 0)
        newest = range->sequence;
    }
  return newest;
}

bool
range_changed_since (struct memtable *table, struct bytes start, const struct bytes *end,
                     uint64_t since, struct bytes *key)
{
  bool found = false;
  reference at = atomic_load_explicit (&table->newest_range, memory_order_acquire);
  for (; at != 0 && range_at (table, at)->sequence > since; at = range_at (table, at)->previous)
    {
      const struct range_entry *range = range_at (table, at);
      struct bytes from = range_start (range);
      if (bytes_compare (start, range_end (range)) >= 0
          || (end != NULL && bytes_compare (from, *end) >= 0))
        continue;
      if (bytes_compare (from, start) <= 0)
        from = start;
      if (!found || bytes_compare (from, *key) < 0)
        *key = from;
      found = true;
    }
  return found;
}

status
memtable_range_deletes (struct memtable *table, struct range_set **out, struct failure *failure)
{
  reference newest = atomic_load_explicit (&table->newest_range, memory_order_acquire);
  *out = NULL;
  return newest != 0 ? build_set (table, newest, range_at (table, newest)->ordinal, out, failure)
                     : STATUS_OK;
}

bool
memtable_has_range_deletes (struct memtable *table)
{
  return atomic_load_explicit (&table->newest_range, memory_order_acquire) != 0;
}

void
range_release (struct memtable *table)
{
  struct range_layers *layers = atomic_load_explicit (&table->layers, memory_order_relaxed);
  if (layers == NULL)
    return;
  ledger_refund (table->pool->ledger, LEDGER_MEMTABLE, layers->memory);
  layers_free (layers);
}
