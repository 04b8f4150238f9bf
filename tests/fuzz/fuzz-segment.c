/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a segment: it is verified, walked in both directions and past the cache, each key that
 * the walk gave is asked for, with and without the flat index, and each page is looked at.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "base/hash.h"
#include "segment/segment-format.h"
#include "segment/segment-look.h"
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

#define ASKED_MOST 64u

/* Keys that a walk gave, to be asked for together, and others near them. */
struct asked
{
  struct bytes keys[ASKED_MOST];
  uint64_t hashes[ASKED_MOST];
  unsigned count;
};

static void
ask_later (struct asked *asked, struct bytes key)
{
  if (asked->count == ASKED_MOST)
    return;
  uint8_t *copy = malloc (key.size + 1);
  CHECK (copy != NULL);
  memcpy (copy, key.data, key.size);
  asked->keys[asked->count] = BYTES (copy, key.size - (asked->count % 4 == 3 && key.size > 0));
  asked->hashes[asked->count] = key_hash (asked->keys[asked->count]);
  asked->count++;
}

static void
ask_together (struct segment *segment, const struct asked *asked)
{
  struct failure failure = FAILURE_INIT;
  struct segment_lookup found[ASKED_MOST], alone;
  struct segment *segments[ASKED_MOST];
  status results[ASKED_MOST];
  uint64_t newest;
  for (unsigned i = 0; i < asked->count; i++)
    {
      segments[i] = segment;
      results[i] = STATUS_BUSY;
    }
  epoch_enter ();
  segment_get_many (segments, asked->keys, asked->hashes, asked->count, SEQUENCE_MAX, found,
                    results, &failure);
  for (unsigned i = 0; i < asked->count; i++)
    {
      failure = FAILURE_INIT;
      CHECK (results[i] != STATUS_BUSY);
      if (results[i] == STATUS_OK)
        {
          fuzz_touch (found[i].record.value);
          if (found[i].page != NULL)
            cache_unpin (found[i].page);
        }
      status result = segment_newest (segment, asked->keys[i], asked->hashes[i], &newest, &failure);
      if (fuzz_result (result, &failure) && results[i] == STATUS_OK)
        CHECK_INT (newest, found[i].record.sequence);
      result = segment_get_cached (segment, asked->keys[i], asked->hashes[i], SEQUENCE_MAX,
                                   (i & 1) != 0, &alone);
      CHECK (result == STATUS_BUSY || results[i] == result);
    }
  epoch_leave ();
}

/* Walks from each key on, and to before it. */
static void
seek_each (struct segment *segment, const struct asked *asked, bool bypass)
{
  struct segment_source_settings settings = { .prefetch = 4, .bypass = bypass };
  struct failure failure = FAILURE_INIT;
  struct source *source;
  if (!fuzz_result (segment_source_new (segment, &settings, &source, &failure), &failure))
    return;
  for (unsigned i = 0; i < asked->count; i++)
    for (unsigned backward = 0; backward < 2; backward++)
      {
        failure = FAILURE_INIT;
        status result = backward ? source_seek_before (source, asked->keys[i], &failure)
                                 : source_seek (source, asked->keys[i], &failure);
        fuzz_result (result, &failure);
        for (unsigned steps = 0; result == STATUS_OK && source->valid && steps < 9; steps++)
          {
            fuzz_touch (source->record.key);
            fuzz_touch (source->record.value);
            source->operations->is_alone (source);
            if (!source->operations->step (source, backward))
              break;
          }
      }
  source_release (source);
}

static void
ask (struct segment *segment, struct asked *asked)
{
  struct segment_shape shape;
  ask_together (segment, asked);
  seek_each (segment, asked, false);
  seek_each (segment, asked, true);
  segment_shape (segment, &shape);
  if (asked->count > 0)
    segment_approximate_size (segment, asked->keys[0], asked->keys[asked->count / 2]);
  segment_approximate_size (segment, BYTES_NONE, BYTES_NONE);
  for (unsigned i = 0; i < asked->count; i++)
    free ((void *) asked->keys[i].data);
}

static void
walk (struct segment *segment, bool bypass, bool backward, struct asked *asked)
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
      if (asked != NULL)
        {
          look_up (segment, &source->record);
          ask_later (asked, source->record.key);
        }
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

/* What there is to say of it without reading a page. */
static void
look_at_details (struct segment *segment)
{
  struct segment_details details;
  struct segment_shape shape;
  segment_shape (segment, &shape);
  segment_details (segment, &details);
  CHECK (details.filter_bytes > 0 || (details.filter == FILTER_NONE && !details.filter_loaded));
  CHECK (details.cached_pages <= (uint64_t) shape.leaves + shape.inner_pages);
  CHECK (segment_file_name (segment)[0] != '\0');
}

/* Each page by itself, and where each key would be. */
static void
look_at_pages (struct segment *segment, const struct asked *asked)
{
  struct failure failure = FAILURE_INIT;
  struct segment_look *look;
  struct segment_shape shape;
  segment_shape (segment, &shape);
  CHECK_OK (segment_look_new (segment, &look, &failure));
  uint64_t pages = shape.leaves + shape.inner_pages;
  for (uint64_t number = 0; number <= pages && number < STEPS_MAX; number++)
    {
      struct segment_page page;
      struct bytes bytes;
      uint8_t heat;
      failure = FAILURE_INIT;
      if (!fuzz_result (segment_look_at (look, (uint32_t) number, &page, &failure), &failure))
        continue;
      CHECK (number < pages);
      fuzz_touch (page.separator);
      if (fuzz_result (segment_look_stored (look, &page, &bytes, &failure), &failure))
        fuzz_touch (bytes);
      failure = FAILURE_INIT;
      if (fuzz_result (segment_look_read (look, &page, &bytes, &failure), &failure))
        fuzz_touch (bytes);
      segment_heat (segment, (uint32_t) number, 1, &heat);
    }
  for (size_t i = 0; i < asked->count; i++)
    {
      struct segment_filter_answer answer;
      uint32_t leaf;
      failure = FAILURE_INIT;
      if (fuzz_result (segment_look_for (look, asked->keys[i], &leaf, &failure), &failure))
        CHECK (leaf < shape.leaves);
      failure = FAILURE_INIT;
      fuzz_result (segment_look_filter (segment, asked->hashes[i], &answer, &failure), &failure);
    }
  segment_look_free (look);
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
  struct asked asked = { .count = 0 };
  walk (segment, false, false, &asked);
  walk (segment, false, true, NULL);
  walk (segment, true, false, NULL);
  walk (segment, true, true, NULL);
  look_at_details (segment);
  look_at_pages (segment, &asked);
  ask (segment, &asked);
  look_at_details (segment); /* with what the questions have loaded */
  failure = FAILURE_INIT;
  if (segment_split_key (segment, 0.5, &split, &split_size, &failure) == STATUS_OK)
    free (split);
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
  settings.read_around = true;
  read_segment (&settings, number);
  settings.map_plain = true;
  read_segment (&settings, number);
  fuzz_remove (name);
  return 0;
}
