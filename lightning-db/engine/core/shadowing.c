/* SPDX-License-Identifier: MIT */
/*
 * shadowing: how much of a run hides older versions of the same keys, estimated from a sample.
 *
 *   records spread evenly over the run ─► is the key in an older run, too? ─► share of those that are
 *
 * Each record that has an older version below it is one dead version in the files, so the shares of
 * all runs say how many bytes merging everything would give back. Nothing else in the files tells:
 * a load of new keys and one that overwrites write runs that look the same.
 *
 * Older runs only ever change by merges, which keep a key as long as it lives: a run's share is
 * asked for once.
 */
#include "core/merge-private.h"

#include "base/hash.h"

#include <stdlib.h>

#define SAMPLES 32u /* records of a run; an error of one run is evened out by the others */

/* Stands on a record at about that part of the run, from 0 to 1. */
static status
stand_at (const struct run *run, struct source *source, double part, struct failure *failure)
{
  double bytes = part * (double) run->bytes;
  size_t index = 0;
  while (index + 1 < run->count
         && bytes >= (double) segment_information (run->segments[index])->file_size)
    bytes -= (double) segment_information (run->segments[index++])->file_size;
  double fraction = bytes / (double) segment_information (run->segments[index])->file_size;
  uint8_t *key;
  size_t size;
  status result
      = segment_split_key (run->segments[index], fraction < 1 ? fraction : 1, &key, &size, failure);
  if (result == STATUS_NOT_FOUND) /* a single leaf */
    return source_seek (source, run_smallest (run, index), failure);
  if (result != STATUS_OK)
    return result;
  result = source_seek (source, BYTES (key, size), failure);
  free (key);
  return result;
}

/* Whether a run older than runs[index] has the key. */
static status
is_older (const struct view *view, size_t index, struct bytes key, bool *found,
          struct failure *failure)
{
  uint64_t hash = key_hash (key);
  status result = STATUS_NOT_FOUND;
  epoch_enter ();
  for (size_t i = index + 1; i < view->run_count && result == STATUS_NOT_FOUND; i++)
    {
      struct segment *segment = run_find (view->runs[i], key);
      struct segment_lookup lookup;
      if (segment != NULL)
        result = segment_get (segment, key, hash, SEQUENCE_MAX, &lookup, failure);
    }
  epoch_leave ();
  *found = result == STATUS_OK;
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

static status
sample (struct engine *engine, const struct view *view, size_t index, unsigned *thousandths,
        struct failure *failure)
{
  struct run *run = view->runs[index];
  struct segment_source_settings settings = engine_source_settings (engine, false);
  settings.prefetch = 0;
  struct source *source;
  unsigned seen = 0, hits = 0;
  status result = run_source (run, &settings, &source, failure);
  if (result != STATUS_OK)
    return result;
  for (unsigned i = 0; result == STATUS_OK && i < SAMPLES; i++)
    {
      bool found = false;
      result = stand_at (run, source, (i + 0.5) / SAMPLES, failure);
      if (result != STATUS_OK || !source->valid)
        continue;
      result = is_older (view, index, source->record.key, &found, failure);
      seen++;
      hits += found;
    }
  source_release (source);
  *thousandths = seen > 0 ? 1000 * hits / seen : 0;
  return result;
}

uint64_t
run_shadowing_bytes (struct engine *engine, const struct view *view, size_t index)
{
  struct run *run = view->runs[index];
  unsigned known = atomic_load_explicit (&run->shadowing, memory_order_relaxed), thousandths;
  if (known == 0)
    {
      /* What can't be read counts as new: it is told by whoever needs it. */
      if (sample (engine, view, index, &thousandths, NULL) != STATUS_OK)
        thousandths = 0;
      known = thousandths + 1;
      atomic_store_explicit (&run->shadowing, known, memory_order_relaxed);
    }
  return run->bytes / 1000 * (known - 1);
}
