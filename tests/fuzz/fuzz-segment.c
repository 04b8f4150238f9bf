/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a segment: it is verified, walked in both directions and past the cache, and each
 * key that the walk gave is asked for, with and without the flat index.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "base/hash.h"
#include "segment/segment-format.h"
#include "segment/segment.h"

#include <inttypes.h>
#include <string.h>

#define STEPS_MAX 100000u /* of a walk; more cannot stand in a file this small */
#define CACHE_SIZE (UINT64_C (1) << 20)

static struct ledger ledger = { .budget = CACHE_SIZE };
static struct cache *cache;

static void
look_up (struct segment *segment, const struct record *record)
{
  struct failure failure = FAILURE_INIT;
  struct segment_lookup lookup;
  epoch_enter ();
  status result = segment_get (segment, record->key, key_hash (record->key), record->sequence,
                               &lookup, &failure);
  if (result == STATUS_OK)
    fuzz_touch (lookup.record.value);
  epoch_leave ();
  if (result != STATUS_NOT_FOUND) /* keys may be out of order: then a search misses them */
    fuzz_result (result, &failure);
}

static void
walk (struct segment *segment, bool bypass, bool backward)
{
  struct segment_source_settings settings = { .prefetch = 4, .bypass = bypass };
  struct failure failure = FAILURE_INIT;
  struct source *source;
  unsigned steps = 0;
  if (!fuzz_result (segment_source_new (segment, &settings, &source, &failure), &failure))
    return;
  status result = backward ? source_last (source, &failure) : source_first (source, &failure);
  while (result == STATUS_OK && source->valid)
    {
      CHECK (steps++ < STEPS_MAX);
      fuzz_touch (source->record.key);
      fuzz_touch (source->record.value);
      if (!bypass && !backward)
        look_up (segment, &source->record);
      result = backward ? source_previous (source, &failure) : source_next (source, &failure);
    }
  fuzz_result (result, &failure);
  source_release (source);
}

static status
visit (void *data, const struct record *record, struct failure *failure)
{
  (void) data;
  (void) failure;
  fuzz_touch (record->key);
  fuzz_touch (record->value);
  return STATUS_OK;
}

static void
note_fault (void *found, const char *file, uint64_t page, const struct failure *fault)
{
  CHECK_INT (fault->code, STATUS_CORRUPT); /* all of it can be read */
  fuzz_note_fault (found, file, page, fault->message);
}

static void
read_segment (const struct segment_reader_settings *settings, uint64_t number)
{
  struct failure failure = FAILURE_INIT;
  struct segment *segment;
  bool reported = false;
  uint8_t *split;
  size_t split_size;
  if (!fuzz_result (segment_open_alone (settings, number, &segment, &failure), &failure))
    return;
  status verified = segment_verify (segment, note_fault, visit, &reported, NULL, &failure);
  CHECK ((verified == STATUS_CORRUPT) == reported);
  walk (segment, false, false);
  walk (segment, false, true);
  walk (segment, true, false);
  failure = FAILURE_INIT;
  if (segment_split_key (segment, 0.5, &split, &split_size, &failure) == STATUS_OK)
    free (split);
  segment_approximate_size (segment, BYTES_NONE, BYTES_NONE);
  segment_unref (segment);
  epoch_collect (true);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  char name[40];
  if (size < SEGMENT_HEADER_SIZE)
    return 0;
  if (cache == NULL)
    CHECK_OK (cache_new (&ledger, 4096, CACHE_SIZE, &cache, &failure));
  uint64_t number = load_u64 (data + HEADER_NUMBER) & 0xffffffff;
  number = number > 0 ? number : 1;
  struct segment_reader_settings settings = {
    .directory = fuzz_directory (),
    .cache = cache,
    .ledger = &ledger,
    .build_index = true,
    .verify = true,
  };
  memcpy (settings.database_id, data + HEADER_DATABASE_ID, 16);
  snprintf (name, sizeof name, "%" PRIu64 ".seg", number);
  fuzz_write (name, BYTES (data, size));
  read_segment (&settings, number);
  settings.build_index = false;
  read_segment (&settings, number);
  fuzz_remove (name);
  return 0;
}
