/* SPDX-License-Identifier: MIT */
/*
 * run-source: the segments of one run, end to end, each opened when the walk reaches it.
 *
 *   N1  The sources of some segments are kept open, so that seeks back and forth need not open
 *       them again; `child` is one of them. `valid` means that it stands on the current record.
 *   N2  A record below its segment's smallest bound does not exist: a merge that replaces a run
 *       part by part raises the bound of a segment it is half through. Forward that costs nothing
 *       (a segment is entered at its bound), backward one comparison a record of such a segment.
 */
#include "merge/merge.h"

#include <stdlib.h>

#define KEPT_MOST 8u

struct run_source
{
  struct source source;                /* what the caller sees; first member */
  struct run_source_settings settings; /* the caller's; `context` owned */
  struct source *child;                /* of segment `index`: in `kept`; NULL when none is open */
  size_t index;                        /* of that segment */
  struct bytes bound;                  /* its smallest bound; borrowed from `context` */
  bool narrowed;                       /* whether it has records below that */
  struct source *kept[KEPT_MOST];      /* of segment i at i modulo settings.keep; owned */
  size_t kept_index[KEPT_MOST];        /* which segment that is */
};

static inline struct run_source *
run_of (struct source *source)
{
  return (struct run_source *) source;
}

static struct bytes
smallest_of (struct run_source *run, size_t index)
{
  return run->settings.smallest (run->settings.context, index);
}

static struct bytes
largest_of (struct run_source *run, size_t index)
{
  return run->settings.largest (run->settings.context, index);
}

/* Index of the first segment whose largest bound is >= key; count when there is none. */
static size_t
first_reaching (struct run_source *run, struct bytes key)
{
  size_t low = 0, high = run->settings.count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (bytes_compare (largest_of (run, middle), key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Number of segments whose smallest bound is < key. */
static size_t
count_below (struct run_source *run, struct bytes key)
{
  size_t low = 0, high = run->settings.count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (bytes_compare (smallest_of (run, middle), key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static status
open_segment (struct run_source *run, size_t index, struct failure *failure)
{
  if (run->child != NULL && run->index == index)
    return STATUS_OK;
  size_t place = index % run->settings.keep;
  run->child = run->kept[place];
  run->index = index;
  run->bound = smallest_of (run, index);
  run->narrowed = run->settings.narrowed (run->settings.context, index);
  if (run->child != NULL && run->kept_index[place] == index)
    return STATUS_OK;
  source_release (run->child);
  run->child = run->kept[place] = NULL;
  run->kept_index[place] = index;
  status code = run->settings.open (run->settings.context, index, &run->child, failure);
  if (code == STATUS_OK)
    run->kept[place] = run->child;
  else
    run->child = NULL;
  return code;
}

static inline status
publish (struct run_source *run)
{
  run->source.valid = true;
  if (run->source.lean)
    {
      run->source.lent = &run->child->record;
      run->source.page = run->narrowed ? NULL : run->child->page;
    }
  else
    run->source.record = run->child->record;
  return STATUS_OK;
}

/* Stands on the first record of segment `index` or a later one; `from` may lie in that segment. */
static status
enter_forward (struct run_source *run, size_t index, const struct bytes *from,
               struct failure *failure)
{
  for (; index < run->settings.count; index++, from = NULL)
    {
      struct bytes start = smallest_of (run, index);
      if (from != NULL && bytes_compare (*from, start) > 0)
        start = *from;
      status code = open_segment (run, index, failure);
      if (code == STATUS_OK)
        code = source_seek (run->child, start, failure);
      if (code != STATUS_OK)
        return code;
      if (run->child->valid)
        return publish (run);
    }
  return STATUS_OK;
}

static inline bool
child_in_bounds (struct run_source *run)
{
  return run->child->valid
         && (!run->narrowed || bytes_compare (run->child->record.key, run->bound) >= 0);
}

/* Stands on the last record of the first `count` segments, below `before` if that is given. */
static status
enter_backward (struct run_source *run, size_t count, const struct bytes *before,
                struct failure *failure)
{
  for (; count > 0; count--, before = NULL)
    {
      status code = open_segment (run, count - 1, failure);
      if (code == STATUS_OK)
        code = before != NULL ? source_seek_before (run->child, *before, failure)
                              : source_last (run->child, failure);
      if (code != STATUS_OK)
        return code;
      if (child_in_bounds (run))
        return publish (run);
    }
  return STATUS_OK;
}

static status
run_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct run_source *run = run_of (source);
  source->valid = false;
  return enter_forward (run, first_reaching (run, key), &key, failure);
}

static status
run_seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  struct run_source *run = run_of (source);
  source->valid = false;
  return enter_backward (run, count_below (run, key), &key, failure);
}

static status
run_first (struct source *source, struct failure *failure)
{
  source->valid = false;
  return enter_forward (run_of (source), 0, NULL, failure);
}

static status
run_last (struct source *source, struct failure *failure)
{
  struct run_source *run = run_of (source);
  source->valid = false;
  return enter_backward (run, run->settings.count, NULL, failure);
}

static status
run_next (struct source *source, struct failure *failure)
{
  struct run_source *run = run_of (source);
  if (!source->valid)
    return STATUS_OK;
  source->valid = false;
  status code = source_next (run->child, failure);
  if (code != STATUS_OK)
    return code;
  if (run->child->valid)
    return publish (run);
  return enter_forward (run, run->index + 1, NULL, failure);
}

static status
run_previous (struct source *source, struct failure *failure)
{
  struct run_source *run = run_of (source);
  if (!source->valid)
    return STATUS_OK;
  source->valid = false;
  status code = source_previous (run->child, failure);
  if (code != STATUS_OK)
    return code;
  if (child_in_bounds (run))
    return publish (run);
  return enter_backward (run, run->index, NULL, failure);
}

static void
run_release (struct source *source)
{
  struct run_source *run = run_of (source);
  for (size_t i = 0; i < run->settings.keep; i++)
    source_release (run->kept[i]);
  if (run->settings.release != NULL)
    run->settings.release (run->settings.context);
  free (run);
}

static const struct source_operations run_operations = {
  run_seek, run_seek_before, run_first, run_last, run_next, run_previous, run_release,
};

status
run_source_new (const struct run_source_settings *settings, struct source **out,
                struct failure *failure)
{
  struct run_source *run = calloc (1, sizeof *run);
  *out = NULL;
  if (run == NULL)
    {
      if (settings->release != NULL)
        settings->release (settings->context);
      return fail_memory (failure, sizeof *run, "a walk over a run");
    }
  run->source.operations = &run_operations;
  run->settings = *settings;
  if (run->settings.keep == 0)
    run->settings.keep = 1;
  if (run->settings.keep > KEPT_MOST)
    run->settings.keep = KEPT_MOST;
  *out = &run->source;
  return STATUS_OK;
}
