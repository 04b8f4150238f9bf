/* SPDX-License-Identifier: MIT */
#include "segment-trial.h"

#include "replaced-vfs.h"

#include <fcntl.h>

_Thread_local struct failure failure;

const uint8_t database_id[16] = "a test database";

void
model_add (struct model *model, struct bytes key, struct bytes value, uint64_t sequence,
           enum record_kind kind)
{
  if ((model->count & (model->count + 1)) == 0)
    model->records = realloc (model->records, (model->count + 1) * 2 * sizeof *model->records);
  uint8_t *copy = malloc (key.size + value.size + 1);
  memcpy (copy, key.data, key.size);
  if (value.size > 0)
    memcpy (copy + key.size, value.data, value.size);
  model->records[model->count++]
      = (struct record){ BYTES (copy, key.size), BYTES (copy + key.size, value.size), sequence, 0,
                         kind };
}

void
model_clear (struct model *model)
{
  for (size_t i = 0; i < model->count; i++)
    free ((void *) model->records[i].key.data);
  free (model->records);
  *model = (struct model){ 0 };
}

static int
compare_records (const void *left, const void *right)
{
  const struct record *a = left, *b = right;
  int order = bytes_compare (a->key, b->key);
  return order != 0 ? order : (a->sequence < b->sequence) - (a->sequence > b->sequence);
}

static void
model_sort (struct model *model)
{
  qsort (model->records, model->count, sizeof *model->records, compare_records);
  size_t kept = 0;
  for (size_t i = 0; i < model->count; i++)
    if (kept > 0 && compare_records (&model->records[kept - 1], &model->records[i]) == 0)
      free ((void *) model->records[i].key.data);
    else
      model->records[kept++] = model->records[i];
  model->count = kept;
}

size_t
model_seek (const struct model *model, struct bytes key)
{
  size_t low = 0, high = model->count;
  while (low < high)
    {
      size_t middle = (low + high) / 2;
      if (bytes_compare (model->records[middle].key, key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

const struct record *
model_get (const struct model *model, struct bytes key, uint64_t snapshot)
{
  for (size_t i = model_seek (model, key);
       i < model->count && bytes_equal (model->records[i].key, key); i++)
    if (model->records[i].sequence <= snapshot)
      return &model->records[i];
  return NULL;
}

static size_t
random_key (struct random *random, unsigned flavour, uint8_t *to)
{
  size_t size = 4;
  memcpy (to, "\0\0\0\1", 4);
  if (flavour == 1)
    size += (size_t) sprintf ((char *) to + size, "user:%08u",
                              (unsigned) random_below (random, 4000));
  else if (flavour == 2)
    {
      size_t more = 1 + random_below (random, 5);
      for (size_t i = 0; i < more; i++)
        to[size++] = (uint8_t) random_below (random, 4);
    }
  else if (flavour == 3)
    {
      memset (to + size, 'p', 1500);
      size += 1500;
      size += (size_t) sprintf ((char *) to + size, "%05u", (unsigned) random_below (random, 300));
      if (random_below (random, 4) == 0)
        for (unsigned i = 0; i < 300; i++)
          to[size++] = (uint8_t) random_next (random);
    }
  else
    for (unsigned i = 0; i < 12; i++)
      to[size++] = (uint8_t) random_next (random);
  return size;
}

void
model_fill (struct model *model, struct random *random, unsigned flavour, size_t count,
            size_t value_most)
{
  uint8_t key[KEY_ROOM];
  uint8_t *value = malloc (value_most + BLOB_REFERENCE_SIZE);
  for (size_t i = 0; i < count; i++)
    {
      size_t size = random_key (random, flavour, key);
      unsigned versions = 1;
      if (random_below (random, 4) == 0)
        versions = 1 + (unsigned) random_below (random, random_below (random, 50) == 0 ? 200 : 4);
      for (unsigned version = 0; version < versions; version++)
        {
          size_t value_size = random_below (random, value_most + 1);
          enum record_kind kind = RECORD_PUT;
          for (size_t at = 0; at < value_size; at++)
            value[at] = (uint8_t) (at % 16 == 0 ? random_next (random) : 'v');
          if (random_below (random, 6) == 0)
            {
              kind = RECORD_DELETE;
              value_size = 0;
            }
          else if (random_below (random, 8) == 0)
            {
              struct blob_reference reference = { 1 + random_below (random, 5), 4096, 20000 };
              blob_reference_store (value, &reference);
              kind = RECORD_BLOB;
              value_size = BLOB_REFERENCE_SIZE;
            }
          uint64_t sequence = random_below (random, 8) == 0 ? 0 : random_below (random, 1000000);
          model_add (model, BYTES (key, size), BYTES (value, value_size), sequence, kind);
        }
    }
  free (value);
  model_sort (model);
}

void
surroundings_open (struct surroundings *here, size_t page_size, uint64_t capacity)
{
  memset (here, 0, sizeof *here);
  here->path = fresh_directory ();
  here->ledger.budget = UINT64_C (64) << 20;
  CHECK_OK (vfs_directory_open (vfs_posix (), here->path, false, &here->directory, &failure));
  CHECK_OK (cache_new (&here->ledger, page_size, capacity, &here->cache, &failure));
}

void
surroundings_close (struct surroundings *here)
{
  epoch_collect (true);
  cache_free (here->cache);
  vfs_directory_close (here->directory);
  CHECK_INT (ledger_used (&here->ledger, LEDGER_INDEX), 0);
  CHECK_INT (ledger_used (&here->ledger, LEDGER_FILTER), 0);
  CHECK_INT (ledger_used (&here->ledger, LEDGER_MERGE), 0);
  remove_directory (here->path);
}

struct segment_settings
writer_settings (struct surroundings *here, size_t page_size)
{
  struct segment_settings settings = { .directory = here->directory,
                                       .number = 7,
                                       .page_size = page_size,
                                       .codec = CODEC_NONE,
                                       .compression_level = 3,
                                       .filter = FILTER_BLOOM,
                                       .ledger = &here->ledger };
  memcpy (settings.database_id, database_id, 16);
  return settings;
}

struct segment_reader_settings
reader_settings (struct surroundings *here)
{
  struct segment_reader_settings settings = { .directory = here->directory,
                                              .cache = here->cache,
                                              .ledger = &here->ledger,
                                              .build_index = true,
                                              .verify = true };
  memcpy (settings.database_id, database_id, 16);
  return settings;
}

status
write_model (const struct segment_settings *settings, const struct model *model,
             struct segment_information *out, struct failure *why)
{
  struct segment_writer *writer;
  status result = segment_writer_open (settings, &writer, why);
  if (result != STATUS_OK)
    return result;
  for (size_t i = 0; i < model->count && result == STATUS_OK; i++)
    result = segment_writer_add (writer, &model->records[i], why);
  if (result == STATUS_OK)
    return segment_writer_finish (writer, out, why);
  segment_writer_abort (writer);
  return result;
}

void
check_record (const struct record *found, const struct record *expected)
{
  CHECK (bytes_equal (found->key, expected->key));
  CHECK (bytes_equal (found->value, expected->value));
  CHECK (found->sequence == expected->sequence);
  CHECK_INT (found->kind, expected->kind);
}

struct bytes
probe_key (const struct model *model, struct random *random, unsigned flavour, uint8_t *room)
{
  if (random_below (random, 2) == 0)
    return model->records[random_below (random, model->count)].key;
  struct bytes key = BYTES (room, random_key (random, flavour, room));
  if (random_below (random, 8) == 0)
    key.size = 1 + random_below (random, key.size);
  return key;
}

uint64_t
random_snapshot (struct random *random)
{
  return random_below (random, 2) == 0 ? SEQUENCE_MAX : random_below (random, 1000000);
}

void
check_gets (struct segment *segment, const struct model *model, struct random *random,
            unsigned flavour, unsigned probes)
{
  uint8_t room[KEY_ROOM];
  for (unsigned probe = 0; probe < probes; probe++)
    {
      struct bytes key = probe_key (model, random, flavour, room);
      uint64_t snapshot = random_snapshot (random), hash = key_hash (key), newest;
      const struct record *expected = model_get (model, key, snapshot);
      struct segment_lookup lookup;
      epoch_enter ();
      status cached = segment_get_cached (segment, key, hash, snapshot, (hash & 1) != 0, &lookup);
      CHECK (cached == STATUS_BUSY || cached == (expected != NULL ? STATUS_OK : STATUS_NOT_FOUND));
      if (cached == STATUS_OK)
        check_record (&lookup.record, expected);
      failure = FAILURE_INIT;
      status result = segment_get (segment, key, hash, snapshot, &lookup, &failure);
      CHECK_INT (result, expected != NULL ? STATUS_OK : STATUS_NOT_FOUND);
      if (expected != NULL)
        check_record (&lookup.record, expected);
      CHECK_OK (segment_newest (segment, key, hash, &newest, &failure));
      epoch_leave ();
      const struct record *top = model_get (model, key, SEQUENCE_MAX);
      CHECK (newest == (top != NULL ? top->sequence : 0));
    }
}

#define MANY 100

void
check_get_many (struct segment *segment, const struct model *model, struct random *random,
                unsigned flavour)
{
  static uint8_t rooms[MANY][KEY_ROOM];
  struct bytes keys[MANY];
  uint64_t hashes[MANY], snapshot = random_snapshot (random);
  struct segment *segments[MANY];
  struct segment_lookup lookups[MANY];
  status results[MANY];
  for (size_t i = 0; i < MANY; i++)
    {
      segments[i] = segment;
      keys[i] = probe_key (model, random, flavour, rooms[i]);
      hashes[i] = key_hash (keys[i]);
      results[i] = i % 10 == 3 ? STATUS_CANCELLED : STATUS_BUSY;
    }
  epoch_enter ();
  segment_get_many (segments, keys, hashes, MANY, snapshot, lookups, results, &failure);
  epoch_leave ();
  for (size_t i = 0; i < MANY; i++)
    {
      const struct record *expected = model_get (model, keys[i], snapshot);
      if (i % 10 == 3)
        {
          CHECK_INT (results[i], STATUS_CANCELLED);
          continue;
        }
      CHECK_INT (results[i], expected != NULL ? STATUS_OK : STATUS_NOT_FOUND);
      if (expected == NULL)
        continue;
      check_record (&lookups[i].record, expected);
      if (lookups[i].page != NULL)
        cache_unpin (lookups[i].page);
    }
}

static void
check_stands (const struct source *source, const struct model *model, size_t at)
{
  CHECK (source->valid == (at < model->count));
  if (source->valid)
    check_record (&source->record, &model->records[at]);
}

void
check_whole_walks (struct source *source, const struct model *model)
{
  CHECK_OK (source_first (source, &failure));
  for (size_t i = 0; i < model->count; i++)
    {
      check_stands (source, model, i);
      CHECK_OK (source_next (source, &failure));
    }
  CHECK (!source->valid);
  CHECK_OK (source_last (source, &failure));
  for (size_t i = model->count; i-- > 0;)
    {
      check_stands (source, model, i);
      CHECK_OK (source_previous (source, &failure));
    }
  CHECK (!source->valid);
}

static bool
same_keys (const struct model *model, size_t at, size_t other)
{
  return other < model->count && bytes_equal (model->records[at].key, model->records[other].key);
}

/* Steps where they can be taken: never between versions of a key, and never alone beside one. */
static void
check_steps (struct source *source, const struct model *model, struct random *random,
             uint64_t leaves)
{
  uint64_t steps = 0;
  bool any_versions = false;
  size_t at = 0;
  CHECK_OK (source_first (source, &failure));
  for (unsigned i = 0; i < 4 * model->count && source->valid; i++)
    {
      bool backward = at > 0 && random_below (random, 8) == 0;
      size_t next = backward ? at - 1 : at + 1;
      any_versions |= same_keys (model, at, next);
      if (source_is_alone (source))
        CHECK (!same_keys (model, at, at - 1));
      if (source_step (source, backward))
        {
          CHECK (next < model->count && !same_keys (model, at, next));
          steps++;
        }
      else
        CHECK_OK (backward ? source_previous (source, &failure) : source_next (source, &failure));
      at = next;
      check_stands (source, model, at);
    }
  CHECK (any_versions || leaves > model->count / 8 || steps > model->count / 2);
}

static void
check_random_walks (struct source *source, const struct model *model, struct random *random,
                    unsigned flavour, unsigned probes)
{
  uint8_t room[KEY_ROOM];
  for (unsigned probe = 0; probe < probes; probe++)
    {
      struct bytes key = probe_key (model, random, flavour, room);
      size_t at = model_seek (model, key);
      if (probe % 2 == 0)
        CHECK_OK (source_seek (source, key, &failure));
      else
        {
          CHECK_OK (source_seek_before (source, key, &failure));
          at = at > 0 ? at - 1 : SIZE_MAX;
        }
      check_stands (source, model, at);
      for (unsigned step = 0; step < 30 && source->valid; step++)
        {
          if (random_below (random, 3) == 0)
            {
              CHECK_OK (source_previous (source, &failure));
              at = at > 0 ? at - 1 : SIZE_MAX;
            }
          else
            {
              CHECK_OK (source_next (source, &failure));
              at++;
            }
          check_stands (source, model, at);
        }
    }
}

void
check_sources (struct segment *segment, const struct model *model, struct random *random,
               unsigned flavour)
{
  static const struct segment_source_settings kinds[]
      = { { .prefetch = 0 }, { .prefetch = 8, .scan = true }, { .prefetch = 8, .bypass = true } };
  struct segment_shape shape;
  segment_shape (segment, &shape);
  for (size_t kind = 0; kind < 3; kind++)
    {
      struct source *source;
      CHECK_OK (segment_source_new (segment, &kinds[kind], &source, &failure));
      check_whole_walks (source, model);
      check_steps (source, model, random, shape.leaves);
      check_random_walks (source, model, random, flavour, 30);
      source_release (source);
    }
}

void
on_report (void *data, const char *file, uint64_t page, const struct failure *fault)
{
  struct visited *visited = data;
  CHECK (file != NULL && fault->code != STATUS_OK && fault->message[0] != 0);
  visited->reports++;
  visited->page = page;
}

status
on_visit (void *data, const struct record *record, struct failure *why)
{
  struct visited *visited = data;
  if (visited->in_order)
    check_record (record, &visited->model->records[visited->next]);
  visited->next++;
  return STATUS_OK;
}

void
check_verifies (struct segment *segment, const struct model *model)
{
  struct visited visited = { .model = model, .in_order = true };
  CHECK_OK (segment_verify (segment, on_report, on_visit, &visited, NULL, &failure));
  CHECK_INT (visited.reports, 0);
  CHECK_INT (visited.next, model->count);
  _Atomic bool cancel = true;
  if (model->count > 0)
    CHECK_FAILS (segment_verify (segment, on_report, NULL, &visited, &cancel, &failure),
                 STATUS_CANCELLED);
}

void
check_information (const struct segment_information *information, const struct model *model)
{
  uint64_t deletes = 0, values = 0, references = 0;
  for (size_t i = 0; i < model->count; i++)
    {
      deletes += model->records[i].kind == RECORD_DELETE;
      values += model->records[i].kind == RECORD_BLOB ? 0 : model->records[i].value.size;
    }
  for (size_t i = 0; i < information->blob_count; i++)
    {
      references += information->blobs[i].values;
      CHECK (information->blobs[i].bytes == information->blobs[i].values * 20000);
      CHECK (i == 0 || information->blobs[i - 1].file < information->blobs[i].file);
    }
  for (size_t i = 0; i < model->count; i++)
    references -= model->records[i].kind == RECORD_BLOB;
  CHECK_INT (references, 0);
  CHECK_INT (information->records, model->count);
  CHECK_INT (information->deletes, deletes);
  CHECK_INT (information->value_bytes, values);
  CHECK (bytes_equal (BYTES (information->smallest, information->smallest_size),
                      model->records[0].key));
  CHECK (bytes_equal (BYTES (information->largest, information->largest_size),
                      model->records[model->count - 1].key));
}

void
check_splits (struct segment *segment, const struct model *model)
{
  struct segment_shape shape;
  segment_shape (segment, &shape);
  uint64_t total = 0;
  for (size_t codec = 0; codec < CODEC_COUNT; codec++)
    total += shape.pages_by_codec[codec];
  CHECK_INT (total, shape.leaves + shape.inner_pages);
  CHECK (shape.used_bytes <= shape.logical_bytes);
  uint8_t *key;
  size_t size;
  if (shape.leaves < 2)
    {
      CHECK_INT (segment_split_key (segment, 0.5, &key, &size, &failure), STATUS_NOT_FOUND);
      return;
    }
  CHECK_OK (segment_split_key (segment, 0.5, &key, &size, &failure));
  size_t at = model_seek (model, BYTES (key, size));
  CHECK (at > 0 && at < model->count);
  struct bytes first = model->records[0].key, last = model->records[model->count - 1].key;
  uint64_t left = segment_approximate_size (segment, first, BYTES (key, size));
  uint64_t right = segment_approximate_size (segment, BYTES (key, size), last);
  CHECK (left > 0 || right > 0);
  CHECK (left + right <= shape.stored_bytes + shape.leaves * UINT64_C (4096));
  free (key);
}

struct vfs other_disk;

const struct vfs *
use_other_disk (struct vfs_directory *directory)
{
  const struct vfs *real = directory->vfs;
  other_disk = replaced_vfs ();
  directory->vfs = &other_disk;
  return real;
}
