/* SPDX-License-Identifier: MIT */
/* merge-ranges: range deletes of several sources together, and those a merge carries over. */
#include "merge/merge.h"

#include <stdlib.h>

/* ---- joining ---- */

/* Copies the deletes of `set` that `wanted` accepts (all when it is NULL) behind `to`. */
static size_t
copy_deletes (struct range_delete *to, const struct range_set *set,
              bool (*wanted) (void *data, uint64_t sequence), void *data)
{
  size_t count = set != NULL ? range_set_delete_count (set) : 0, copied = 0;
  for (size_t i = 0; i < count; i++)
    {
      struct range_delete range = range_set_delete (set, i);
      if (wanted == NULL || wanted (data, range.sequence))
        to[copied++] = range;
    }
  return copied;
}

/* Room for `count` deletes, at least 1. */
static status
allocate_deletes (size_t count, struct range_delete **out, struct failure *failure)
{
  size_t bytes;
  *out = NULL;
  if (!__builtin_mul_overflow (count, sizeof **out, &bytes))
    *out = malloc (bytes);
  return *out != NULL ? STATUS_OK
                      : fail_memory (failure, count * sizeof **out, "range deletes of a merge");
}

status
range_sets_join (struct range_set *const *sets, size_t count, struct range_set **out,
                 struct failure *failure)
{
  size_t total = 0, copied = 0;
  struct range_delete *deletes;
  *out = NULL;
  for (size_t i = 0; i < count; i++)
    total += sets[i] != NULL ? range_set_delete_count (sets[i]) : 0;
  if (total == 0)
    return STATUS_OK;
  status code = allocate_deletes (total, &deletes, failure);
  if (code != STATUS_OK)
    return code;
  for (size_t i = 0; i < count; i++)
    copied += copy_deletes (deletes + copied, sets[i], NULL, NULL);
  code = range_set_build (deletes, copied, out, failure);
  free (deletes);
  return code;
}

/* ---- carrying over ---- */

/* Which sequences some snapshot sees as the newest over some fragment. */
struct visibility
{
  uint64_t *sequences;       /* of all deletes, rising; owned */
  bool *seen;                /* parallel to `sequences`; owned */
  size_t count;              /* of both */
  const uint64_t *snapshots; /* rising; the caller's */
  size_t snapshot_count;     /* of them */
  uint64_t oldest;           /* snapshot; UINT64_MAX if there is none */
  bool bottom;               /* see merge.h */
};

static int
compare_numbers (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
  return (a > b) - (a < b);
}

static status
list_sequences (struct visibility *visibility, const struct range_set *ranges,
                struct failure *failure)
{
  size_t total = range_set_delete_count (ranges);
  visibility->sequences = calloc (total, sizeof *visibility->sequences);
  visibility->seen = calloc (total, sizeof *visibility->seen);
  if (visibility->sequences == NULL || visibility->seen == NULL)
    return fail_memory (failure, total * (sizeof (uint64_t) + 1), "range deletes of a merge");
  for (size_t i = 0; i < total; i++)
    visibility->sequences[i] = range_set_delete (ranges, i).sequence;
  qsort (visibility->sequences, total, sizeof *visibility->sequences, compare_numbers);
  for (size_t i = 0; i < total; i++)
    if (i == 0 || visibility->sequences[i] != visibility->sequences[visibility->count - 1])
      visibility->sequences[visibility->count++] = visibility->sequences[i];
  return STATUS_OK;
}

/* The greatest snapshot below `sequence`, or 0. */
static uint64_t
snapshot_below (const struct visibility *visibility, uint64_t sequence)
{
  size_t low = 0, high = visibility->snapshot_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (visibility->snapshots[middle] < sequence)
        low = middle + 1;
      else
        high = middle;
    }
  return low > 0 ? visibility->snapshots[low - 1] : 0;
}

static bool *
seen_place (const struct visibility *visibility, uint64_t sequence)
{
  uint64_t *found = bsearch (&sequence, visibility->sequences, visibility->count, sizeof sequence,
                             compare_numbers);
  return found != NULL ? &visibility->seen[found - visibility->sequences] : NULL;
}

/* Each round goes on below the answer before: as many rounds as deletes are seen. */
static void
look_at_fragment (struct visibility *visibility, const struct range_set *ranges, size_t index)
{
  uint64_t sequence = range_set_fragment (ranges, index).newest;
  while (sequence > 0)
    {
      bool *seen = seen_place (visibility, sequence);
      if (seen != NULL)
        *seen = true;
      uint64_t snapshot = snapshot_below (visibility, sequence);
      sequence = snapshot > 0 ? range_set_fragment_newest (ranges, index, snapshot) : 0;
    }
}

static bool
is_carried (void *data, uint64_t sequence)
{
  const struct visibility *visibility = data;
  const bool *seen = seen_place (visibility, sequence);
  return seen != NULL && *seen && !(visibility->bottom && sequence <= visibility->oldest);
}

static status
build_carried (struct visibility *visibility, const struct range_set *ranges,
               struct range_set **out, struct failure *failure)
{
  struct range_delete *deletes;
  status code = allocate_deletes (range_set_delete_count (ranges), &deletes, failure);
  if (code != STATUS_OK)
    return code;
  size_t count = copy_deletes (deletes, ranges, is_carried, visibility);
  code = range_set_build (deletes, count, out, failure);
  free (deletes);
  return code;
}

status
merge_range_deletes (const struct range_set *ranges, const uint64_t *snapshots,
                     size_t snapshot_count, bool bottom, struct range_set **out,
                     struct failure *failure)
{
  struct visibility visibility = {
    .snapshots = snapshots,
    .snapshot_count = snapshot_count,
    .oldest = snapshot_count > 0 ? snapshots[0] : UINT64_MAX,
    .bottom = bottom,
  };
  *out = NULL;
  if (ranges == NULL || range_set_delete_count (ranges) == 0)
    return STATUS_OK;
  status code = list_sequences (&visibility, ranges, failure);
  if (code == STATUS_OK)
    {
      size_t fragments = range_set_fragment_count (ranges);
      for (size_t i = 0; i < fragments; i++)
        look_at_fragment (&visibility, ranges, i);
      code = build_carried (&visibility, ranges, out, failure);
    }
  free (visibility.sequences);
  free (visibility.seen);
  return code;
}
