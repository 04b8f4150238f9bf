/* SPDX-License-Identifier: MIT */
#include "core/snapshots.h"

#include <stdlib.h>

void
snapshots_init (struct snapshots *snapshots, struct metrics *metrics)
{
  snapshots->metrics = metrics;
  atomic_init (&snapshots->floor, 0);
  atomic_init (&snapshots->first.next, NULL);
  for (unsigned i = 0; i < SNAPSHOT_CHUNK_SLOTS; i++)
    atomic_init (&snapshots->first.slots[i], 0);
}

void
snapshots_clear (struct snapshots *snapshots)
{
  struct snapshot_chunk *chunk = atomic_load (&snapshots->first.next);
  while (chunk != NULL)
    {
      struct snapshot_chunk *next = atomic_load (&chunk->next);
      free (chunk);
      chunk = next;
    }
  atomic_store (&snapshots->first.next, NULL);
}

/* The chunk behind `chunk`, made if there is none; NULL when memory is out. */
static struct snapshot_chunk *
next_chunk (struct snapshot_chunk *chunk)
{
  struct snapshot_chunk *next = atomic_load (&chunk->next);
  if (next != NULL)
    return next;
  struct snapshot_chunk *fresh = calloc (1, sizeof *fresh);
  if (fresh == NULL)
    return NULL;
  if (atomic_compare_exchange_strong (&chunk->next, &next, fresh))
    return fresh;
  free (fresh);
  return next;
}

static snapshot_slot *
claim (struct snapshots *snapshots, uint64_t value)
{
  for (struct snapshot_chunk *chunk = &snapshots->first; chunk != NULL; chunk = next_chunk (chunk))
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_SLOTS; i++)
      {
        uint64_t free_value = 0;
        if (atomic_load_explicit (&chunk->slots[i], memory_order_relaxed) == 0
            && atomic_compare_exchange_strong (&chunk->slots[i], &free_value, value))
          return &chunk->slots[i];
      }
  return NULL;
}

status
snapshots_hold (struct snapshots *snapshots, const _Atomic uint64_t *published,
                snapshot_slot **slot, uint64_t *sequence, struct failure *failure)
{
  uint64_t now = atomic_load (published);
  snapshot_slot *mine = claim (snapshots, now + 1);
  if (mine == NULL)
    return fail_memory (failure, sizeof (struct snapshot_chunk), "a snapshot");
  while (atomic_load (&snapshots->floor) > now) /* P1: a merge may not have seen us; move up */
    {
      now = atomic_load (published);
      atomic_exchange (mine, now + 1);
    }
  gauge_add (snapshots->metrics, GAUGE_SNAPSHOTS_ACTIVE, 1);
  *slot = mine;
  *sequence = now;
  return STATUS_OK;
}

status
snapshots_share (struct snapshots *snapshots, uint64_t sequence, snapshot_slot **slot,
                 struct failure *failure)
{
  *slot = claim (snapshots, sequence + 1);
  if (*slot == NULL)
    return fail_memory (failure, sizeof (struct snapshot_chunk), "a snapshot");
  gauge_add (snapshots->metrics, GAUGE_SNAPSHOTS_ACTIVE, 1);
  return STATUS_OK;
}

void
snapshots_drop (struct snapshots *snapshots, snapshot_slot *slot)
{
  if (slot == NULL)
    return;
  gauge_add (snapshots->metrics, GAUGE_SNAPSHOTS_ACTIVE, -1);
  atomic_store_explicit (slot, 0, memory_order_release);
}

static int
compare_sequences (const void *a, const void *b)
{
  uint64_t left = *(const uint64_t *) a, right = *(const uint64_t *) b;
  return (left > right) - (left < right);
}

/* Appends what is held; one place stays free behind it. */
static status
list_slots (struct snapshots *snapshots, uint64_t **out, size_t *count, struct failure *failure)
{
  size_t found = 0, room = 64;
  uint64_t *sequences = malloc (room * sizeof *sequences);
  if (sequences == NULL)
    return fail_memory (failure, room * sizeof *sequences, "the list of snapshots");
  for (struct snapshot_chunk *chunk = &snapshots->first; chunk != NULL;
       chunk = atomic_load (&chunk->next))
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_SLOTS; i++)
      {
        uint64_t value = atomic_load (&chunk->slots[i]);
        if (value == 0)
          continue;
        if (found + 1 == room)
          {
            uint64_t *larger = realloc (sequences, 2 * room * sizeof *sequences);
            if (larger == NULL)
              {
                free (sequences);
                return fail_memory (failure, 2 * room * sizeof *sequences, "the list of snapshots");
              }
            sequences = larger;
            room *= 2;
          }
        sequences[found++] = value - 1;
      }
  *out = sequences;
  *count = found;
  return STATUS_OK;
}

status
snapshots_list (struct snapshots *snapshots, uint64_t **out, size_t *count, struct failure *failure)
{
  status result = list_slots (snapshots, out, count, failure);
  if (result == STATUS_OK)
    qsort (*out, *count, sizeof **out, compare_sequences);
  return result;
}

status
snapshots_collect (struct snapshots *snapshots, uint64_t published, uint64_t **out, size_t *count,
                   struct failure *failure)
{
  uint64_t floor = atomic_load (&snapshots->floor);
  while (floor < published && !atomic_compare_exchange_weak (&snapshots->floor, &floor, published))
    ;

  uint64_t *sequences;
  size_t found;
  status result = list_slots (snapshots, &sequences, &found, failure);
  if (result != STATUS_OK)
    return result;
  sequences[found++] = published; /* whoever comes next reads at it or above */
  qsort (sequences, found, sizeof *sequences, compare_sequences);
  size_t kept = 0;
  for (size_t i = 0; i < found; i++)
    if (kept == 0 || sequences[kept - 1] != sequences[i])
      sequences[kept++] = sequences[i];
  *out = sequences;
  *count = kept;
  return STATUS_OK;
}

uint64_t
snapshots_oldest (struct snapshots *snapshots, uint64_t otherwise)
{
  uint64_t oldest = UINT64_MAX;
  for (struct snapshot_chunk *chunk = &snapshots->first; chunk != NULL;
       chunk = atomic_load (&chunk->next))
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_SLOTS; i++)
      {
        uint64_t value = atomic_load (&chunk->slots[i]);
        if (value != 0 && value - 1 < oldest)
          oldest = value - 1;
      }
  return oldest == UINT64_MAX ? otherwise : oldest;
}
