/* SPDX-License-Identifier: MIT */
/*
 * merge-plan: which segments a merge moves, and where it cuts the rest.
 *
 * All segments of the inputs, by rising smallest key, fall into clusters: a new one begins where a
 * segment lies above everything before it. A cluster of one is moved if that pays: a small one is
 * rewritten together with what is rewritten beside it, so that a run does not end up as a
 * thousand little files; and in a bottom merge one with deletes is rewritten, which drops them.
 */
#include "core/merge-private.h"

#include <stdlib.h>

#define SMALL_PART_OF_MEMTABLE 16u        /* segments below that part of a memtable are small, */
#define SMALL_BYTES (UINT64_C (64) << 10) /* and those below that many bytes */
#define SAMPLES_PER_PART 8u               /* precision with which parts are made equal */
#define PART_SEGMENTS 2u                  /* a part writes that many output segments at least */
#define PARTS_MAX 64u                     /* about so many parts a merge has at most */

struct placed
{
  struct segment *segment; /* borrowed */
  struct bytes smallest;   /* its least key that counts; borrowed from its run */
  struct bytes bound;      /* the same if its run narrows it, else data NULL; likewise */
  size_t run;              /* its input, 0 = newest */
  bool narrowed;           /* holds records that do not count */
  bool alone;              /* overlaps no other */
  bool moves;              /* is not rewritten */
};

static struct bytes
largest_of (const struct segment *segment)
{
  const struct segment_information *information = segment_information (segment);
  return BYTES (information->largest, information->largest_size);
}

static uint64_t
size_of (const struct segment *segment)
{
  return segment_information (segment)->file_size;
}

static int
compare_placed (const void *left, const void *right)
{
  const struct placed *a = left, *b = right;
  int order = bytes_compare (a->smallest, b->smallest);
  return order != 0 ? order : (a->run > b->run) - (a->run < b->run);
}

/* ---- clusters ---- */

/* Every segment of the runs, rising, with `alone` set; malloc'd. */
static status
lay_out (struct run *const *runs, size_t run_count, struct placed **out, size_t *count,
         struct failure *failure)
{
  size_t total = 0, filled = 0, cluster = 0;
  for (size_t i = 0; i < run_count; i++)
    total += runs[i]->count;
  struct placed *items = calloc (total + 1, sizeof *items);
  if (items == NULL)
    return fail_memory (failure, total * sizeof *items, "the plan of a merge");
  for (size_t i = 0; i < run_count; i++)
    for (size_t s = 0; s < runs[i]->count; s++)
      items[filled++] = (struct placed){
        .segment = runs[i]->segments[s],
        .smallest = run_smallest (runs[i], s),
        .bound = run_bound (runs[i], s),
        .narrowed = run_is_narrowed (runs[i], s),
        .run = i,
      };
  qsort (items, total, sizeof *items, compare_placed);

  struct bytes reach = BYTES_NONE; /* the largest key of the present cluster */
  for (size_t i = 0; i < total; i++)
    {
      struct bytes largest = largest_of (items[i].segment);
      if (i == 0 || bytes_compare (items[i].smallest, reach) > 0)
        {
          items[i].alone = true; /* until the next one turns out to overlap it */
          cluster = i;
          reach = largest;
          continue;
        }
      items[cluster].alone = false;
      if (bytes_compare (largest, reach) > 0)
        reach = largest;
    }
  *out = items;
  *count = total;
  return STATUS_OK;
}

static bool
has_deletes (const struct segment *segment)
{
  const struct segment_information *information = segment_information (segment);
  return information->deletes > 0 || information->range_deletes > 0;
}

static bool
is_small (const struct engine *engine, const struct segment *segment)
{
  uint64_t size = size_of (segment);
  return size < SMALL_BYTES || size < engine->memtable_size / SMALL_PART_OF_MEMTABLE;
}

/* A narrowed one is rewritten, so that what does not count of it gives its space back. */
static bool
may_move (const struct merge_job *job, const struct placed *item)
{
  if (!item->alone || item->narrowed || job->whole
      || blob_collection_concerns (job->collection, item->segment))
    return false;
  return job->only_collects || !(job->bottom && has_deletes (item->segment));
}

/* Marks what is moved. */
static void
choose_moves (struct engine *engine, const struct merge_job *job, struct placed *items,
              size_t count)
{
  for (size_t i = 0; i < count; i++)
    items[i].moves
        = may_move (job, &items[i]) && (job->only_collects || !is_small (engine, items[i].segment));
  for (size_t i = 0; i < count; i++) /* a small one by itself would only become small again */
    if (!items[i].moves && may_move (job, &items[i]) && (i == 0 || items[i - 1].moves)
        && (i + 1 == count || items[i + 1].moves))
      items[i].moves = true;
}

status
merge_apart_bytes (struct engine *engine, const struct view *view, uint64_t *apart,
                   struct failure *failure)
{
  struct placed *items;
  size_t count;
  status result = lay_out (view->runs, view->run_count, &items, &count, failure);
  if (result != STATUS_OK)
    return result;
  for (size_t i = 0; i < view->run_count; i++)
    apart[i] = 0;
  for (size_t i = 0; i < count; i++)
    if (items[i].alone && !items[i].narrowed && !has_deletes (items[i].segment)
        && !is_small (engine, items[i].segment))
      apart[items[i].run] += size_of (items[i].segment);
  free (items);
  return STATUS_OK;
}

/* ---- parts ---- */

static status
copy_key (struct bytes key, struct bytes *out, struct failure *failure)
{
  uint8_t *copy = malloc (key.size + 1);
  if (copy == NULL)
    return fail_memory (failure, key.size, "a key");
  if (key.size > 0)
    memcpy (copy, key.data, key.size);
  *out = BYTES (copy, key.size);
  return STATUS_OK;
}

void
merge_part_clear (struct merge_part *part)
{
  for (size_t i = 0; i < part->count; i++)
    run_unref (part->runs[i]);
  free (part->runs);
  free ((void *) part->start.data);
  free ((void *) part->end.data);
  free (part->from);
  flushed_clear (&part->output);
  *part = (struct merge_part){ 0 };
}

void
merge_plan_clear (struct merge_plan *plan)
{
  for (size_t i = 0; i < plan->part_count; i++)
    merge_part_clear (&plan->parts[i]);
  free (plan->parts);
  free (plan->moved);
  *plan = (struct merge_plan){ 0 };
}

static bool
reaches (const struct merge_part *part, const struct placed *item)
{
  return (part->end.data == NULL || bytes_compare (item->smallest, part->end) < 0)
         && (part->start.data == NULL
             || bytes_compare (largest_of (item->segment), part->start) >= 0);
}

/* The segments of input `run` that reach into the part, as a run of their own. `list` has room. */
static status
part_add_run (struct merge_part *part, const struct merge_job *job, size_t run,
              const struct placed *items, size_t count, struct segment **list,
              struct failure *failure)
{
  const struct run *input = job->runs[run];
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    if (items[i].run == run && reaches (part, &items[i]))
      list[found++] = segment_ref (items[i].segment);
  if (found == 0)
    return STATUS_OK;
  struct run *own;
  status result = run_new (input->id, input->order, input->created, list, found, &own, failure);
  if (result != STATUS_OK)
    return result;
  part->runs[part->count++] = own;
  found = 0;
  for (size_t i = 0; result == STATUS_OK && i < count; i++)
    if (items[i].run == run && reaches (part, &items[i]))
      result = run_narrow (own, found++, items[i].bound, failure);
  return result;
}

/* Whether a merge may be installed up to the part's end. J7: if not, up to the end of its
 * stretch. */
static bool
may_divide (const struct merge_part *part, const struct placed *items, size_t count)
{
  bool ranges = false;
  for (size_t i = 0; part->end.data != NULL && i < count; i++)
    ranges |= segment_information (items[i].segment)->range_deletes > 0;
  return !ranges;
}

/* Adds the part of items [0, count) between the bounds (which it takes over). */
static status
plan_add_part (struct merge_plan *plan, const struct merge_job *job, const struct placed *items,
               size_t count, struct bytes start, struct bytes end, struct failure *failure)
{
  struct merge_part *part = &plan->parts[plan->part_count];
  struct segment **list = malloc (count * sizeof *list);
  struct bytes from = start.data != NULL ? start : items[0].smallest;
  *part = (struct merge_part){ .start = start, .end = end, .moved_before = plan->moved_count };
  part->runs = calloc (job->count, sizeof *part->runs);
  part->divides = may_divide (part, items, count);
  plan->part_count++;
  status result = list != NULL && part->runs != NULL
                      ? copy_key (from, &from, failure)
                      : fail_memory (failure, count * sizeof *list, "the plan of a merge");
  if (result == STATUS_OK)
    {
      part->from = (uint8_t *) from.data;
      part->from_size = from.size;
    }
  for (size_t run = 0; result == STATUS_OK && run < job->count; run++)
    result = part_add_run (part, job, run, items, count, list, failure);
  free (list);
  return result;
}

/* ---- cutting a stretch ---- */

/* A key with about so many file bytes between it and the next one. */
struct sample
{
  struct bytes key; /* malloc'd */
  uint64_t weight;
};

struct samples
{
  struct sample *list;
  size_t count, capacity;
};

static void
samples_clear (struct samples *samples)
{
  for (size_t i = 0; i < samples->count; i++)
    free ((void *) samples->list[i].key.data);
  free (samples->list);
}

/* Takes over the key. */
static status
samples_add (struct samples *samples, struct bytes key, uint64_t weight, struct failure *failure)
{
  if (samples->count == samples->capacity)
    {
      size_t capacity = samples->capacity == 0 ? 32 : 2 * samples->capacity;
      struct sample *list = realloc (samples->list, capacity * sizeof *list);
      if (list == NULL)
        {
          free ((void *) key.data);
          return fail_memory (failure, capacity * sizeof *list, "the plan of a merge");
        }
      samples->list = list;
      samples->capacity = capacity;
    }
  samples->list[samples->count++] = (struct sample){ key, weight };
  return STATUS_OK;
}

static status
sample_segment (struct samples *samples, const struct placed *item, uint64_t step,
                struct failure *failure)
{
  struct segment *segment = item->segment;
  uint64_t pieces = size_of (segment) / step + 1;
  struct bytes key = BYTES_NONE;
  status result = copy_key (item->smallest, &key, failure);
  if (result == STATUS_OK)
    result = samples_add (samples, key, size_of (segment) / pieces, failure);
  for (uint64_t i = 1; result == STATUS_OK && i < pieces; i++)
    {
      uint8_t *data;
      size_t size;
      result = segment_split_key (segment, (double) i / (double) pieces, &data, &size, failure);
      if (result == STATUS_NOT_FOUND) /* a single leaf */
        return STATUS_OK;
      /* Below its bound; or what stands between versions of a longest key, a byte longer than any
       * bound. */
      if (result == STATUS_OK
          && (bytes_compare (BYTES (data, size), item->smallest) <= 0
              || size > INTERNAL_KEY_SIZE_MAX))
        free (data);
      else if (result == STATUS_OK)
        result = samples_add (samples, BYTES (data, size), size_of (segment) / pieces, failure);
    }
  return result;
}

static int
compare_samples (const void *left, const void *right)
{
  return bytes_compare (((const struct sample *) left)->key, ((const struct sample *) right)->key);
}

/* Cuts where another `bytes` / `parts` are passed; each cut begins a part. */
static status
cut_at_samples (struct merge_plan *plan, const struct merge_job *job, const struct placed *items,
                size_t count, const struct samples *samples, uint64_t bytes, size_t parts,
                struct failure *failure)
{
  status result = STATUS_OK;
  struct bytes start = BYTES_NONE;
  uint64_t passed = 0;
  size_t made = 0;
  for (size_t i = 0; i < samples->count && made + 1 < parts; i++)
    {
      struct bytes key = samples->list[i].key;
      bool rises = i > 0 && bytes_compare (key, samples->list[i - 1].key) > 0;
      if (rises && passed >= (made + 1) * (bytes / parts))
        {
          struct bytes end, next = BYTES_NONE;
          result = copy_key (key, &end, failure);
          if (result != STATUS_OK)
            break;
          made++;
          result = plan_add_part (plan, job, items, count, start, end, failure);
          start = BYTES_NONE;
          if (result == STATUS_OK)
            result = copy_key (key, &next, failure);
          if (result != STATUS_OK)
            return result;
          start = next;
        }
      passed += samples->list[i].weight;
    }
  if (result == STATUS_OK)
    return plan_add_part (plan, job, items, count, start, BYTES_NONE, failure);
  free ((void *) start.data);
  return result;
}

static status
plan_add_stretch (struct merge_plan *plan, const struct merge_job *job, const struct placed *items,
                  size_t count, uint64_t target, struct failure *failure)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += size_of (items[i].segment);
  size_t parts = (size_t) ((bytes + target / 2) / target);
  if (parts < 2)
    return plan_add_part (plan, job, items, count, BYTES_NONE, BYTES_NONE, failure);

  struct samples samples = { 0 };
  status result = STATUS_OK;
  uint64_t step = target / SAMPLES_PER_PART + 1;
  for (size_t i = 0; result == STATUS_OK && i < count; i++)
    result = sample_segment (&samples, &items[i], step, failure);
  if (result == STATUS_OK)
    {
      qsort (samples.list, samples.count, sizeof *samples.list, compare_samples);
      result = cut_at_samples (plan, job, items, count, &samples, bytes, parts, failure);
    }
  samples_clear (&samples);
  return result;
}

/* ---- the plan ---- */

/* Bytes of a part: what comes on top of the data while merging, so no more than does not make small
 * files; but not so little that there would be very many edits. */
static uint64_t
part_target (struct engine *engine, uint64_t rewritten)
{
  uint64_t least = PART_SEGMENTS * output_file_size (engine, rewritten);
  uint64_t most_parts = rewritten / PARTS_MAX + 1;
  return most_parts > least ? most_parts : least;
}

static status
plan_fill (struct merge_plan *plan, const struct merge_job *job, const struct placed *items,
           size_t count, uint64_t target, struct failure *failure)
{
  status result = STATUS_OK;
  for (size_t first = 0, end; result == STATUS_OK && first < count; first = end)
    {
      end = first + 1;
      if (items[first].moves)
        {
          plan->moved[plan->moved_count++] = items[first].segment;
          continue;
        }
      while (end < count && !items[end].moves)
        end++;
      result = plan_add_stretch (plan, job, items + first, end - first, target, failure);
    }
  return result;
}

status
merge_plan_make (struct engine *engine, const struct merge_job *job, struct merge_plan *out,
                 struct failure *failure)
{
  struct placed *items;
  size_t count, room;
  *out = (struct merge_plan){ 0 };
  status result = lay_out (job->runs, job->count, &items, &count, failure);
  if (result != STATUS_OK)
    return result;
  choose_moves (engine, job, items, count);
  for (size_t i = 0; i < count; i++)
    out->rewritten += items[i].moves ? 0 : size_of (items[i].segment);
  uint64_t target = part_target (engine, out->rewritten);
  room = count + (size_t) (out->rewritten / target) + 1; /* a stretch of b has b / target + 1 */
  out->moved = malloc (room * sizeof *out->moved);
  out->parts = calloc (room, sizeof *out->parts);
  result = out->moved != NULL && out->parts != NULL
               ? plan_fill (out, job, items, count, target, failure)
               : fail_memory (failure, room * sizeof *out->parts, "the plan of a merge");
  free (items);
  if (result != STATUS_OK)
    merge_plan_clear (out);
  return result;
}
