/* SPDX-License-Identifier: MIT */
#include "core/view.h"

#include "base/coding.h"
#include "merge/merge.h"

#include <assert.h>
#include <stdlib.h>

status
generation_new (struct memtable_pool *pool, struct generation **out, struct failure *failure)
{
  struct generation *generation = calloc (1, sizeof *generation);
  if (generation == NULL)
    return fail_memory (failure, sizeof *generation, "a memtable");
  status result = memtable_new (pool, &generation->table, failure);
  if (result != STATUS_OK)
    {
      free (generation);
      return result;
    }
  atomic_init (&generation->references, 1);
  atomic_init (&generation->oldest_blob, UINT64_MAX);
  *out = generation;
  return STATUS_OK;
}

/* One of the files lent to a memtable. */
struct lent_blob
{
  struct lent_blob *next;
  struct blob_file *file; /* owned */
};

status
generation_lend_blob (struct generation *generation, struct blob_file *file,
                      struct failure *failure)
{
  struct lent_blob *lent = malloc (sizeof *lent);
  if (lent == NULL)
    return fail_memory (failure, sizeof *lent, "a list of blob files");
  lent->file = blob_file_ref (file);
  lent->next = atomic_load_explicit (&generation->lent, memory_order_relaxed);
  atomic_store (&generation->lent, lent);
  return STATUS_OK;
}

static struct blob_file *
generation_blob (struct generation *generation, uint64_t number)
{
  struct lent_blob *lent = generation != NULL ? atomic_load (&generation->lent) : NULL;
  while (lent != NULL && blob_file_number (lent->file) != number)
    lent = lent->next;
  return lent != NULL ? lent->file : NULL;
}

struct generation *
generation_ref (struct generation *generation)
{
  atomic_fetch_add_explicit (&generation->references, 1, memory_order_relaxed);
  return generation;
}

void
generation_unref (struct generation *generation)
{
  if (generation == NULL
      || atomic_fetch_sub_explicit (&generation->references, 1, memory_order_acq_rel) != 1)
    return;
  for (struct lent_blob *lent = atomic_load (&generation->lent), *next; lent != NULL; lent = next)
    {
      next = lent->next;
      blob_file_unref (lent->file);
      free (lent);
    }
  memtable_unref (generation->table);
  free (generation);
}

static struct bytes
segment_largest (const struct segment *segment)
{
  const struct segment_information *information = segment_information (segment);
  return BYTES (information->largest, information->largest_size);
}

/* What run_find looks at: one array instead of a key behind two pointers for each comparison. */
static void
make_heads (struct run *run)
{
  run->prefix = run_smallest (run, 0);
  for (size_t i = 1; i < run->count; i++)
    run->prefix.size = bytes_common_prefix (run->prefix, run_smallest (run, i));
  run->heads = (uint64_t *) (void *) (run->segments + run->count);
  for (size_t i = 0; i < run->count; i++)
    run->heads[i] = key_head (run_smallest (run, i), run->prefix.size);
}

status
run_new (uint64_t id, uint64_t order, uint64_t created, struct segment **segments, size_t count,
         struct run **out, struct failure *failure)
{
  size_t size = sizeof (struct run) + count * (sizeof *segments + sizeof (uint64_t));
  struct run *run = calloc (1, size);
  if (run == NULL)
    {
      for (size_t i = 0; i < count; i++)
        segment_unref (segments[i]);
      return fail_memory (failure, size, "a run");
    }
  atomic_init (&run->references, 1);
  run->id = id;
  run->order = order;
  run->created = created;
  run->count = count;
  for (size_t i = 0; i < count; i++)
    {
      const struct segment_information *information = segment_information (segments[i]);
      run->segments[i] = segments[i];
      run->bytes += information->file_size;
      run->records += information->records;
      run->has_range_deletes |= information->range_deletes > 0;
      if (information->max_sequence > run->max_sequence)
        run->max_sequence = information->max_sequence;
    }
  make_heads (run);
  *out = run;
  return STATUS_OK;
}

struct run *
run_ref (struct run *run)
{
  atomic_fetch_add_explicit (&run->references, 1, memory_order_relaxed);
  return run;
}

void
run_unref (struct run *run)
{
  if (run == NULL || atomic_fetch_sub_explicit (&run->references, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < run->count; i++)
    segment_unref (run->segments[i]);
  for (size_t i = 0; run->bounds != NULL && i < run->count; i++)
    free ((void *) run->bounds[i].data);
  free (run->bounds);
  free (run);
}

status
run_narrow (struct run *run, size_t index, struct bytes bound, struct failure *failure)
{
  if (bound.data == NULL)
    return STATUS_OK;
  if (run->bounds == NULL)
    run->bounds = calloc (run->count, sizeof *run->bounds);
  uint8_t *copy = run->bounds != NULL ? malloc (bound.size + 1) : NULL;
  if (copy == NULL)
    return fail_memory (failure, bound.size, "the bound of a segment");
  if (bound.size > 0)
    memcpy (copy, bound.data, bound.size);
  free ((void *) run->bounds[index].data);
  run->bounds[index] = BYTES (copy, bound.size);
  make_heads (run);
  return STATUS_OK;
}

bool
run_is_narrowed (const struct run *run, size_t index)
{
  return run_bound (run, index).data != NULL || segment_is_narrowed (run->segments[index]);
}

/* Segments whose smallest key has a head below `head`. */
static size_t
heads_below (const struct run *run, uint64_t head)
{
  size_t low = 0;
  for (size_t left = run->count; left > 0;)
    {
      size_t half = left / 2;
      bool below = run->heads[low + half] < head;
      low += below ? half + 1 : 0;
      left = below ? left - half - 1 : half;
    }
  return low;
}

/* The same for a key without the shared prefix. */
static size_t
without_prefix (const struct run *run, struct bytes key)
{
  return bytes_compare (key, run->prefix) > 0 ? run->count : 0;
}

/* Segments whose smallest key is <= key. */
static inline size_t
segments_up_to (const struct run *run, struct bytes key)
{
  if (__builtin_expect (key.size < run->prefix.size
                            || !bytes_same (key.data, run->prefix.data, run->prefix.size),
                        0))
    return without_prefix (run, key);
  uint64_t head = key_head (key, run->prefix.size);
  size_t found = heads_below (run, head);
  while (found < run->count && run->heads[found] == head
         && bytes_compare (run_smallest (run, found), key) <= 0)
    found++;
  return found;
}

struct segment *
run_find_last (const struct run *run, struct bytes key)
{
  size_t found = segments_up_to (run, key);
  return found > 0 ? run->segments[found - 1] : NULL;
}

struct segment *
run_find (const struct run *run, struct bytes key)
{
  size_t found = segments_up_to (run, key);
  if (found == 0)
    return NULL;
  struct segment *segment = run->segments[found - 1];
  return bytes_compare (key, segment_largest (segment)) <= 0 ? segment : NULL;
}

/* ---- one source over the segments of a run ---- */

#define CURSOR_SEGMENTS_KEPT 8u

struct run_walk
{
  struct run *run;
  struct segment_source_settings settings;
};

static status
run_walk_open (void *context, size_t index, struct source **out, struct failure *failure)
{
  struct run_walk *walk = context;
  return segment_source_new (walk->run->segments[index], &walk->settings, out, failure);
}

static struct bytes
run_walk_smallest (void *context, size_t index)
{
  return run_smallest (((struct run_walk *) context)->run, index);
}

static struct bytes
run_walk_largest (void *context, size_t index)
{
  return segment_largest (((struct run_walk *) context)->run->segments[index]);
}

static bool
run_walk_narrowed (void *context, size_t index)
{
  return run_is_narrowed (((struct run_walk *) context)->run, index);
}

static void
run_walk_release (void *context)
{
  struct run_walk *walk = context;
  run_unref (walk->run);
  free (walk);
}

status
run_source (struct run *run, const struct segment_source_settings *settings, struct source **out,
            struct failure *failure)
{
  bool unique = run->max_sequence == 0; /* settled: nothing is left but one version of each key */
  if (run->count == 1 && !run_is_narrowed (run, 0))
    {
      status result = segment_source_new (run->segments[0], settings, out, failure);
      if (result == STATUS_OK)
        (*out)->unique = unique;
      return result;
    }

  struct run_walk *walk = malloc (sizeof *walk);
  if (walk == NULL)
    return fail_memory (failure, sizeof *walk, "a cursor over a run");
  walk->run = run_ref (run);
  walk->settings = *settings;
  struct run_source_settings walk_settings = {
    .count = run->count,
    .open = run_walk_open,
    .smallest = run_walk_smallest,
    .largest = run_walk_largest,
    .narrowed = run_walk_narrowed,
    .release = run_walk_release,
    .context = walk,
    .keep = settings->bypass ? 1 : CURSOR_SEGMENTS_KEPT, /* merges have large buffers */
  };
  status result = run_source_new (&walk_settings, out, failure);
  if (result == STATUS_OK)
    (*out)->unique = unique;
  return result;
}

/* ---- views ---- */

status
view_new (struct view **out, struct failure *failure)
{
  struct view *view = calloc (1, sizeof *view);
  if (view == NULL)
    return fail_memory (failure, sizeof *view, "a view");
  atomic_init (&view->references, 1);
  *out = view;
  return STATUS_OK;
}

status
view_reserve (size_t runs, size_t blobs, struct view **out, struct failure *failure)
{
  struct view *view = NULL;
  status result = view_new (&view, failure);
  if (result != STATUS_OK)
    return result;

  view->runs = calloc (runs + 1, sizeof *view->runs);
  view->blobs = calloc (blobs + 1, sizeof *view->blobs);
  if (view->runs == NULL || view->blobs == NULL)
    {
      free (view->runs);
      free (view->blobs);
      free (view);
      return fail_memory (failure, runs * sizeof *view->runs, "a view");
    }
  *out = view;
  return STATUS_OK;
}

static void
fill_files (struct view *view, const struct view *from)
{
  for (size_t i = 0; i < from->run_count; i++)
    view->runs[i] = run_ref (from->runs[i]);
  view->run_count = from->run_count;
  for (size_t i = 0; i < from->blob_count; i++)
    view->blobs[i] = blob_file_ref (from->blobs[i]);
  view->blob_count = from->blob_count;
  view->flushed_sequence = from->flushed_sequence;
  view->floor_sequence = from->floor_sequence;
}

void
view_fill (struct view *view, const struct view *from)
{
  if (from->active != NULL)
    view->active = generation_ref (from->active);
  for (unsigned i = 0; i < from->frozen_count; i++)
    view->frozen[i] = generation_ref (from->frozen[i]);
  view->frozen_count = from->frozen_count;
  fill_files (view, from);
}

status
view_copy (const struct view *from, size_t extra_runs, size_t extra_blobs, struct view **out,
           struct failure *failure)
{
  status result
      = view_reserve (from->run_count + extra_runs, from->blob_count + extra_blobs, out, failure);
  if (result == STATUS_OK)
    view_fill (*out, from);
  return result;
}

status
view_copy_files (const struct view *from, struct view **out, struct failure *failure)
{
  status result = view_reserve (from->run_count, from->blob_count, out, failure);
  if (result != STATUS_OK)
    return result;
  fill_files (*out, from);
  (*out)->runs_id = from->runs_id;
  (*out)->runs_sequence = from->runs_sequence;
  return STATUS_OK;
}

bool
view_try_ref (struct view *view)
{
  size_t references = atomic_load_explicit (&view->references, memory_order_relaxed);
  do
    if (references == 0)
      return false;
  while (!atomic_compare_exchange_weak_explicit (&view->references, &references, references + 1,
                                                 memory_order_acq_rel, memory_order_relaxed));
  return true;
}

/* Closes and unlinks files. */
static void
view_release_files (struct epoch_link *link)
{
  struct view *view = (struct view *) link;
  for (size_t i = 0; i < view->run_count; i++)
    run_unref (view->runs[i]);
  for (size_t i = 0; i < view->blob_count; i++)
    blob_file_unref (view->blobs[i]);
  free (view->runs);
  free (view->blobs);
  free (view);
}

static void
view_release (struct epoch_link *link)
{
  struct view *view = (struct view *) link;
  generation_unref (view->active);
  for (unsigned i = 0; i < view->frozen_count; i++)
    generation_unref (view->frozen[i]);
  epoch_defer (link, view_release_files);
}

bool
view_unref (struct view *view)
{
  bool last
      = view != NULL && atomic_fetch_sub_explicit (&view->references, 1, memory_order_acq_rel) == 1;
  if (last)
    epoch_retire (&view->link, view_release);
  return last;
}

struct blob_file *
view_blob (const struct view *view, uint64_t number)
{
  size_t low = 0, high = view->blob_count;
  while (low < high)
    {
      size_t middle = (low + high) / 2;
      uint64_t here = blob_file_number (view->blobs[middle]);
      if (here == number)
        return view->blobs[middle];
      if (here < number)
        low = middle + 1;
      else
        high = middle;
    }
  struct blob_file *file = generation_blob (view->active, number);
  for (unsigned i = 0; file == NULL && i < view->frozen_count; i++)
    file = generation_blob (view->frozen[i], number);
  return file;
}
