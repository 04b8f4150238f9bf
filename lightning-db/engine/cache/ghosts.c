/* SPDX-License-Identifier: MIT */
/*
 * ghosts: which pages were evicted lately, and from which of the two clocks.
 *
 * Entries of 24 bytes in one array, chained by index: two lists in order of eviction, hash buckets,
 * unused ones. The array comes zeroed from the system and is touched from the front, so room that
 * was never needed takes no memory. Pages are told apart by a 64-bit mix of owner and number; a
 * collision would cost one wrong guess.
 */
#include "cache/cache-private.h"

#include <stdlib.h>

uint64_t
ghost_key (uint64_t owner, uint64_t page)
{
  uint64_t key = owner * UINT64_C (0x9e3779b97f4a7c15) + page;
  key = (key ^ (key >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  key = (key ^ (key >> 27)) * UINT64_C (0x94d049bb133111eb);
  return key ^ (key >> 31);
}

static uint64_t
bucket_count (uint64_t count)
{
  uint64_t buckets = 16;
  while (buckets < count)
    buckets *= 2;
  return buckets;
}

size_t
ghosts_size (uint64_t count)
{
  return (size_t) ((count + 1) * sizeof (struct ghost) + bucket_count (count) * sizeof (uint32_t));
}

static void
unlink_entry (struct ghosts *ghosts, uint32_t index)
{
  struct ghost *ghost = &ghosts->entries[index];
  struct ghost_list *list = &ghosts->lists[ghost->weight & 1];
  if (ghost->previous != 0)
    ghosts->entries[ghost->previous].next = ghost->next;
  else
    list->first = ghost->next;
  if (ghost->next != 0)
    ghosts->entries[ghost->next].previous = ghost->previous;
  else
    list->last = ghost->previous;
  list->count--;
  list->weight -= ghost->weight >> 1;
}

static void
remove_entry (struct ghosts *ghosts, uint32_t index)
{
  struct ghost *ghost = &ghosts->entries[index];
  uint32_t *link = &ghosts->buckets[ghost->key & ghosts->bucket_mask];
  while (*link != index)
    link = &ghosts->entries[*link].chain;
  *link = ghost->chain;
  unlink_entry (ghosts, index);
  ghost->chain = ghosts->free;
  ghosts->free = index;
}

static uint32_t
find_entry (const struct ghosts *ghosts, uint64_t key)
{
  if (ghosts->capacity == 0)
    return 0;
  uint32_t index = ghosts->buckets[key & ghosts->bucket_mask];
  while (index != 0 && ghosts->entries[index].key != key)
    index = ghosts->entries[index].chain;
  return index;
}

bool
ghosts_take (struct ghosts *ghosts, uint64_t key, unsigned *list)
{
  uint32_t index = find_entry (ghosts, key);
  if (index == 0)
    return false;
  *list = ghosts->entries[index].weight & 1;
  remove_entry (ghosts, index);
  return true;
}

void
ghosts_drop_oldest (struct ghosts *ghosts, unsigned list)
{
  if (ghosts->lists[list].first != 0)
    remove_entry (ghosts, ghosts->lists[list].first);
}

static uint32_t
unused_entry (struct ghosts *ghosts)
{
  if (ghosts->free == 0 && ghosts->touched < ghosts->capacity)
    return ++ghosts->touched;
  if (ghosts->free == 0)
    ghosts_drop_oldest (ghosts, ghosts->lists[1].count > ghosts->lists[0].count);
  uint32_t index = ghosts->free;
  ghosts->free = ghosts->entries[index].chain;
  return index;
}

static void
insert (struct ghosts *ghosts, unsigned name, uint64_t key, uint64_t weight)
{
  uint32_t index = find_entry (ghosts, key);
  if (index != 0)
    remove_entry (ghosts, index);
  index = unused_entry (ghosts);
  struct ghost_list *list = &ghosts->lists[name];
  uint32_t *bucket = &ghosts->buckets[key & ghosts->bucket_mask];
  ghosts->entries[index] = (struct ghost){
    .key = key, .previous = list->last, .chain = *bucket, .weight = (uint32_t) weight << 1 | name
  };
  *bucket = index;
  if (list->last != 0)
    ghosts->entries[list->last].next = index;
  else
    list->first = index;
  list->last = index;
  list->count++;
  list->weight += weight;
}

void
ghosts_add (struct cache *cache, unsigned list, uint64_t key, uint64_t weight)
{
  if (cache->ghosts.capacity == 0)
    ghosts_resize (cache, cache->units);
  if (cache->ghosts.capacity > 0)
    insert (&cache->ghosts, list, key, weight);
}

void
ghosts_free (struct cache *cache)
{
  if (cache->ghosts.capacity > 0)
    cache_refund (cache, ghosts_size (cache->ghosts.capacity));
  free (cache->ghosts.entries);
  free (cache->ghosts.buckets);
  cache->ghosts = (struct ghosts){ NULL };
}

void
ghosts_resize (struct cache *cache, uint64_t count)
{
  struct ghosts fresh = { NULL }, old = cache->ghosts;
  if (count > UINT32_C (1) << 28)
    count = UINT32_C (1) << 28;
  fresh.entries = calloc (count + 1, sizeof *fresh.entries);
  fresh.buckets = calloc (bucket_count (count), sizeof *fresh.buckets);
  if (fresh.entries == NULL || fresh.buckets == NULL)
    {
      free (fresh.entries);
      free (fresh.buckets);
      return; /* the old ones do */
    }
  fresh.capacity = (uint32_t) count;
  fresh.bucket_mask = (uint32_t) (bucket_count (count) - 1);
  for (unsigned name = 0; name < 2; name++) /* oldest first: the newest stay when it is smaller */
    for (uint32_t index = old.lists[name].first; index != 0; index = old.entries[index].next)
      insert (&fresh, name, old.entries[index].key, old.entries[index].weight >> 1);
  ghosts_free (cache);
  cache->ghosts = fresh;
  cache_charge (cache, ghosts_size (count));
}
