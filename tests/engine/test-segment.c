/* SPDX-License-Identifier: MIT */
/* Segments written, read back in every way, and compared with a sorted array of the same records.
 */
#include "base/coding.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"
#include "blob/blob.h"
#include "check.h"
#include "segment/segment-format.h"
#include "segment/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static _Thread_local struct failure failure;
static const uint8_t database_id[16] = "a test database";

/* ---- the model ---- */

struct model
{
  struct record *records; /* in the segment's order; keys and values owned */
  size_t count;
};

static void
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

static void
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

/* First record with key >= key. */
static size_t
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

static const struct record *
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

#define KEY_ROOM 4096

static void
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

/* ---- a database's surroundings ---- */

struct surroundings
{
  char *path;
  struct vfs_directory *directory;
  struct ledger ledger;
  struct cache *cache;
};

static void
surroundings_open (struct surroundings *here, size_t page_size, uint64_t capacity)
{
  memset (here, 0, sizeof *here);
  here->path = fresh_directory ();
  here->ledger.budget = UINT64_C (64) << 20;
  CHECK_OK (vfs_directory_open (vfs_posix (), here->path, false, &here->directory, &failure));
  CHECK_OK (cache_new (&here->ledger, page_size, capacity, &here->cache, &failure));
}

static void
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

static struct segment_settings
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

static struct segment_reader_settings
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

static status
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

/* ---- comparing ---- */

static void
check_record (const struct record *found, const struct record *expected)
{
  CHECK (bytes_equal (found->key, expected->key));
  CHECK (bytes_equal (found->value, expected->value));
  CHECK (found->sequence == expected->sequence);
  CHECK_INT (found->kind, expected->kind);
}

static struct bytes
probe_key (const struct model *model, struct random *random, unsigned flavour, uint8_t *room)
{
  if (random_below (random, 2) == 0)
    return model->records[random_below (random, model->count)].key;
  struct bytes key = BYTES (room, random_key (random, flavour, room));
  if (random_below (random, 8) == 0)
    key.size = 1 + random_below (random, key.size);
  return key;
}

static uint64_t
random_snapshot (struct random *random)
{
  return random_below (random, 2) == 0 ? SEQUENCE_MAX : random_below (random, 1000000);
}

static void
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
      status cached = segment_get_cached (segment, key, hash, snapshot, &lookup);
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

static void
check_get_many (struct segment *segment, const struct model *model, struct random *random,
                unsigned flavour)
{
  static uint8_t rooms[MANY][KEY_ROOM];
  struct bytes keys[MANY];
  uint64_t hashes[MANY], snapshot = random_snapshot (random);
  struct segment_lookup lookups[MANY];
  status results[MANY];
  for (size_t i = 0; i < MANY; i++)
    {
      keys[i] = probe_key (model, random, flavour, rooms[i]);
      hashes[i] = key_hash (keys[i]);
      results[i] = i % 10 == 3 ? STATUS_CANCELLED : STATUS_BUSY;
    }
  epoch_enter ();
  segment_get_many (segment, keys, hashes, MANY, snapshot, lookups, results, &failure);
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

static void
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

static void
check_sources (struct segment *segment, const struct model *model, struct random *random,
               unsigned flavour)
{
  static const struct segment_source_settings kinds[]
      = { { .prefetch = 0 }, { .prefetch = 8, .scan = true }, { .prefetch = 8, .bypass = true } };
  for (size_t kind = 0; kind < 3; kind++)
    {
      struct source *source;
      CHECK_OK (segment_source_new (segment, &kinds[kind], &source, &failure));
      check_whole_walks (source, model);
      check_random_walks (source, model, random, flavour, 30);
      source_release (source);
    }
}

struct visited
{
  const struct model *model; /* what should come */
  size_t next;               /* index of the next record */
  unsigned reports;          /* faults reported */
  uint64_t page;             /* of the last one */
  bool in_order;             /* compare */
};

static void
on_report (void *data, const char *file, uint64_t page, const char *reason)
{
  struct visited *visited = data;
  CHECK (file != NULL && reason != NULL && reason[0] != 0);
  visited->reports++;
  visited->page = page;
}

static status
on_visit (void *data, const struct record *record, struct failure *why)
{
  struct visited *visited = data;
  if (visited->in_order)
    check_record (record, &visited->model->records[visited->next]);
  visited->next++;
  return STATUS_OK;
}

static void
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

static void
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

static void
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

/* ---- the model test ---- */

static void
check_segment (struct surroundings *here, const struct segment_information *information,
               const struct model *model, struct random *random, unsigned flavour, unsigned round)
{
  struct segment_reader_settings settings = reader_settings (here);
  struct segment *segment;
  settings.build_index = round % 3 != 0;
  settings.map_plain = round / 8 % 2 == 1;
  if (round % 2 == 0)
    CHECK_OK (segment_open (&settings, information, &segment, &failure));
  else
    CHECK_OK (segment_open_alone (&settings, information->number, &segment, &failure));
  check_information (segment_information (segment), model);
  CHECK_INT (segment_information (segment)->file_size, information->file_size);
  check_verifies (segment, model);
  check_gets (segment, model, random, flavour, 300);
  check_get_many (segment, model, random, flavour);
  check_sources (segment, model, random, flavour);
  check_get_many (segment, model, random, flavour);
  check_splits (segment, model);
  struct segment_shape shape;
  segment_shape (segment, &shape);
  CHECK (!settings.build_index || shape.index_memory > 0);
  CHECK_INT (segment_trim (segment), shape.index_memory + shape.filter_memory);
  check_gets (segment, model, random, flavour, 50);
  segment_unref (segment);
}

static void
test_model (void)
{
  static const size_t page_sizes[] = { 4096, 16384, 65536, 8192, 32768 };
  struct random random = { 23 };
  for (unsigned round = 0; round < 40; round++)
    {
      unsigned flavour = round % 4;
      size_t page_size = page_sizes[round % 5];
      struct surroundings here;
      struct model model = { 0 };
      struct segment_information information;
      surroundings_open (&here, page_size, round % 3 == 1 ? 16 * page_size : UINT64_C (32) << 20);
      struct segment_settings settings = writer_settings (&here, page_size);
      settings.codec = (enum codec) (round / 2 % CODEC_COUNT);
      settings.train_dictionary = round % 2 == 0;
      settings.filter = (enum filter_kind) (round % 3);
      settings.direct = round % 4 == 1;
      model_fill (&model, &random, flavour,
                  round % 7 == 0 ? 3
                  : flavour == 3 ? 300
                                 : 2500,
                  round % 6 == 5 ? 6000 : 120);
      CHECK_OK (write_model (&settings, &model, &information, &failure));
      check_segment (&here, &information, &model, &random, flavour, round);
      segment_information_clear (&information);
      model_clear (&model);
      surroundings_close (&here);
    }
}

/* ---- edges ---- */

static void
test_edges (void)
{
  struct surroundings here;
  surroundings_open (&here, 4096, 8 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  struct segment_information information;
  struct segment *segment;
  struct source *source;
  struct model model = { 0 };
  struct random random = { 29 };

  /* Nothing but range deletes. */
  struct segment_writer *writer;
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  struct range_delete range = { BYTES_LITERAL ("bbbbb"), BYTES_LITERAL ("ccccc"), 5 };
  CHECK_OK (segment_writer_add_range_delete (writer, &range, &failure));
  struct range_delete bad = { BYTES_LITERAL ("x"), BYTES_LITERAL ("x"), 5 };
  CHECK_FAILS (segment_writer_add_range_delete (writer, &bad, &failure), STATUS_INVALID);
  CHECK_OK (segment_writer_finish (writer, &information, &failure));
  CHECK (bytes_equal (BYTES (information.smallest, information.smallest_size), range.start));
  CHECK (bytes_equal (BYTES (information.largest, information.largest_size), range.end));
  CHECK_INT (information.range_deletes, 1);
  CHECK_INT (information.max_sequence, 5);
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  CHECK_INT (range_set_cover (segment_range_deletes (segment), BYTES_LITERAL ("bcccc"), 9), 5);
  struct segment_source_settings plain = { 0 };
  CHECK_OK (segment_source_new (segment, &plain, &source, &failure));
  check_whole_walks (source, &model);
  CHECK_OK (source_seek (source, range.start, &failure));
  CHECK (!source->valid);
  source_release (source);
  struct segment_lookup lookup;
  epoch_enter ();
  CHECK_INT (segment_get (segment, range.start, key_hash (range.start), 9, &lookup, &failure),
             STATUS_NOT_FOUND);
  epoch_leave ();
  check_verifies (segment, &model);
  segment_mark_obsolete (segment);
  segment_unref (segment);
  segment_information_clear (&information);
  epoch_collect (true);
  CHECK_FAILS (segment_open_alone (&reading, 7, &segment, &failure), STATUS_CORRUPT);

  /* Values of a mebibyte, the longest key, one record alone. */
  uint8_t *large = calloc (1, 1 << 20);
  uint8_t *key = malloc (INTERNAL_KEY_SIZE_MAX);
  memset (key, 'k', INTERNAL_KEY_SIZE_MAX);
  for (unsigned i = 0; i < 9; i++)
    {
      memset (large, (int) i, 1 << 20);
      key[4] = (uint8_t) ('0' + i);
      model_add (&model, BYTES (key, i % 2 ? 5 : INTERNAL_KEY_SIZE_MAX),
                 BYTES (large, i % 3 == 0 ? 1 << 20 : 10), i, RECORD_PUT);
    }
  for (unsigned codec = 0; codec < CODEC_COUNT; codec++)
    {
      settings.codec = (enum codec) codec;
      CHECK_OK (write_model (&settings, &model, &information, &failure));
      CHECK_FAILS (segment_writer_open (&settings, &writer, &failure), STATUS_EXISTS);
      CHECK_OK (segment_open (&reading, &information, &segment, &failure));
      check_verifies (segment, &model);
      check_gets (segment, &model, &random, 1, 40);
      check_sources (segment, &model, &random, 1);
      segment_mark_obsolete (segment);
      segment_unref (segment);
      segment_information_clear (&information);
    }
  model_clear (&model);
  free (large);
  free (key);
  surroundings_close (&here);
}

static void
test_writer_refuses (void)
{
  struct surroundings here;
  surroundings_open (&here, 4096, 8 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_writer *writer;
  settings.page_size = 5000;
  CHECK_FAILS (segment_writer_open (&settings, &writer, &failure), STATUS_INVALID);
  settings.page_size = 4096;
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  struct record record = { BYTES_LITERAL ("bbbbb"), BYTES_LITERAL ("v"), 5, 0, RECORD_PUT };
  CHECK_OK (segment_writer_add (writer, &record, &failure));
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_INVALID);
  record.sequence = 6;
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_INVALID);
  record.key = BYTES_LITERAL ("aaaaa");
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_INVALID);
  record.key = BYTES_LITERAL ("ccccc");
  record.kind = RECORD_DELETE;
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_INVALID);
  record.kind = RECORD_BLOB;
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_INVALID);
  record.kind = RECORD_PUT;
  CHECK_OK (segment_writer_add (writer, &record, &failure));
  segment_writer_abort (writer);
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  segment_writer_abort (writer);
  surroundings_close (&here);
}

/* ---- other disks ---- */

/* The system's, with some operations replaced. Files that are opened through it are its own. */
static struct vfs other_disk;

static status
other_open (struct vfs_directory *directory, const char *name, unsigned flags,
            struct vfs_file **out, struct failure *why)
{
  status result = vfs_posix ()->open (directory, name, flags, out, why);
  if (result == STATUS_OK)
    (*out)->vfs = &other_disk;
  return result;
}

/* Gives the directory a disk of which nothing is replaced yet; returns the one it had. */
static const struct vfs *
use_other_disk (struct vfs_directory *directory)
{
  const struct vfs *real = directory->vfs;
  other_disk = *vfs_posix ();
  other_disk.open = other_open;
  directory->vfs = &other_disk;
  return real;
}

/* ---- reading around ---- */

static uint64_t asked[64]; /* offsets */
static size_t asked_count;

static void
note_will_need (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  (void) file;
  CHECK_INT (size, SURROUNDINGS_SIZE);
  CHECK (asked_count < 64);
  asked[asked_count++] = offset;
}

/* Each stretch of the file that pages are read from is asked for, once; none without the
 * setting. */
static void
test_reading_around (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 37 };
  struct segment_information information;
  struct segment *segment;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 12000, 300);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  const struct vfs *real = use_other_disk (here.directory);
  other_disk.advise_will_need = note_will_need;
  for (unsigned around = 0; around < 2; around++)
    {
      reading.read_around = around;
      asked_count = 0;
      CHECK_OK (segment_open (&reading, &information, &segment, &failure));
      check_gets (segment, &model, &random, 1, 4000);
      size_t once = asked_count;
      cache_evict_fraction (here.cache, 1);
      check_gets (segment, &model, &random, 1, 4000);
      CHECK_INT (asked_count, once);
      segment_unref (segment);
      epoch_collect (true);
      uint64_t stretches = (information.file_size - 1) / SURROUNDINGS_SIZE + 1;
      CHECK (stretches > 4);
      CHECK (around ? once + 1 >= stretches && once <= stretches : once == 0); /* the tail may have no page */
      for (size_t i = 0; i < once; i++)
        for (size_t j = 0; j < i; j++)
          CHECK (asked[i] % SURROUNDINGS_SIZE == 0 && asked[i] != asked[j]);
    }
  here.directory->vfs = real;
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- failing disks ---- */

static int64_t writes_left;

static status
faulty_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
              struct failure *why)
{
  if (writes_left-- <= 0)
    return fail_system (why, ENOSPC, "writing %s", file->name);
  return vfs_posix ()->write (file, offset, from, size, why);
}

static status
faulty_sync (struct vfs_file *file, struct failure *why)
{
  if (writes_left-- <= 0)
    return fail_system (why, EIO, "syncing %s", file->name);
  return vfs_posix ()->sync_data (file, why);
}

static void
test_full_disk (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 31 };
  struct segment_information information;
  struct segment *segment;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 12000, 300);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  const struct vfs *real = use_other_disk (here.directory);
  other_disk.write = faulty_write;
  other_disk.sync_data = faulty_sync;
  unsigned failures = 0;
  for (int64_t allowed = 0;; allowed++)
    {
      writes_left = allowed;
      failure = FAILURE_INIT;
      status result = write_model (&settings, &model, &information, &failure);
      if (result == STATUS_OK)
        break;
      CHECK (result == STATUS_NO_SPACE || result == STATUS_IO);
      CHECK (failure.message[0] != 0);
      CHECK_FAILS (segment_open_alone (&reading, 7, &segment, &failure), STATUS_CORRUPT);
      failures++;
    }
  CHECK (failures >= 3);
  here.directory->vfs = real;
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- damage ---- */

static uint8_t *
load_file (const struct surroundings *here, size_t *size)
{
  char path[600];
  struct stat information;
  snprintf (path, sizeof path, "%s/7.seg", here->path);
  int file = open (path, O_RDONLY);
  CHECK (file >= 0 && fstat (file, &information) == 0);
  *size = (size_t) information.st_size;
  uint8_t *bytes = malloc (*size);
  CHECK (read (file, bytes, *size) == (ssize_t) *size);
  close (file);
  return bytes;
}

/* Over what is there, which has the same size: truncating first would make ext4 write it out. */
static void
store_file (const struct surroundings *here, const uint8_t *bytes, size_t size)
{
  char path[600];
  snprintf (path, sizeof path, "%s/7.seg", here->path);
  int file = open (path, O_WRONLY);
  CHECK (file >= 0 && write (file, bytes, size) == (ssize_t) size);
  close (file);
}

/* One byte of one page flipped: gets of its keys name the page, all others answer. */
static void
test_damage (void)
{
  struct random random = { 37 };
  for (unsigned codec = 0; codec < CODEC_COUNT; codec++)
    {
      struct surroundings here;
      struct model model = { 0 };
      struct segment_information information;
      surroundings_open (&here, 4096, 8 << 20);
      struct segment_settings settings = writer_settings (&here, 4096);
      struct segment_reader_settings reading = reader_settings (&here);
      settings.codec = (enum codec) codec;
      model_fill (&model, &random, 1, 300, 100);
      CHECK_OK (write_model (&settings, &model, &information, &failure));
      size_t size;
      uint8_t *bytes = load_file (&here, &size);
      unsigned hit_pages = 0;
      for (size_t at = 4096; at < size; at += 1 + random_below (&random, codec == 0 ? 3000 : 800))
        {
          struct segment *segment;
          bytes[at] ^= 0x10;
          store_file (&here, bytes, size);
          bytes[at] ^= 0x10;
          failure = FAILURE_INIT;
          status opened = segment_open (&reading, &information, &segment, &failure);
          if (opened != STATUS_OK)
            {
              CHECK_INT (opened, STATUS_CORRUPT);
              CHECK (strstr (failure.message, "7.seg") != NULL);
              continue;
            }
          struct visited visited = { .model = &model };
          status verified = segment_verify (segment, on_report, on_visit, &visited, NULL, &failure);
          size_t lost = 0;
          for (size_t i = 0; i < model.count; i++)
            {
              struct segment_lookup lookup;
              const struct record *record = &model.records[i];
              failure = FAILURE_INIT;
              epoch_enter ();
              status result = segment_get (segment, record->key, key_hash (record->key),
                                           record->sequence, &lookup, &failure);
              if (result == STATUS_OK)
                check_record (&lookup.record, record);
              epoch_leave ();
              if (result == STATUS_OK)
                continue;
              CHECK_INT (result, STATUS_CORRUPT);
              CHECK (strstr (failure.message, "7.seg: page ") != NULL);
              lost++;
            }
          CHECK (lost == 0 || verified == STATUS_CORRUPT);
          /* Of a lost inner page also what it leads to. */
          CHECK (verified == STATUS_OK ? visited.reports == 0
                                       : visited.reports == 1 || visited.reports == 2);
          hit_pages += lost > 0;
          segment_unref (segment);
          epoch_collect (true);
        }
      CHECK (hit_pages > 5);
      free (bytes);
      segment_information_clear (&information);
      model_clear (&model);
      surroundings_close (&here);
    }
}

/* Anything at all in the file, with checksums out of the way: errors or wrong answers, no crash. */
static void
exercise (struct segment *segment, const struct model *model, struct random *random,
          unsigned flavour)
{
  uint8_t room[KEY_ROOM];
  struct bytes keys[8];
  uint64_t hashes[8];
  struct segment_lookup lookups[8];
  status results[8];
  for (size_t i = 0; i < 8; i++)
    {
      keys[i] = probe_key (model, random, flavour, room);
      if (keys[i].data == room)
        keys[i] = model->records[0].key;
      hashes[i] = key_hash (keys[i]);
      results[i] = STATUS_BUSY;
      epoch_enter ();
      segment_get (segment, keys[i], hashes[i], random_snapshot (random), &lookups[i], NULL);
      epoch_leave ();
    }
  epoch_enter ();
  segment_get_many (segment, keys, hashes, 8, SEQUENCE_MAX, lookups, results, NULL);
  epoch_leave ();
  for (size_t i = 0; i < 8; i++)
    if (results[i] == STATUS_OK && lookups[i].page != NULL)
      cache_unpin (lookups[i].page);
  for (unsigned kind = 0; kind < 2; kind++)
    {
      struct segment_source_settings settings = { .prefetch = 4, .bypass = kind == 1 };
      struct source *source;
      uint64_t sum = 0;
      CHECK_OK (segment_source_new (segment, &settings, &source, &failure));
      for (status result = source_first (source, NULL); result == STATUS_OK && source->valid;
           result = source_next (source, NULL))
        for (size_t i = 0; i < source->record.value.size; i++)
          sum += source->record.value.data[i];
      for (status result = source_last (source, NULL); result == STATUS_OK && source->valid;
           result = source_previous (source, NULL))
        sum += source->record.key.size > 0 ? source->record.key.data[source->record.key.size - 1]
                                           : 0;
      source_seek (source, keys[sum % 8], NULL);
      source_seek_before (source, keys[sum % 7], NULL);
      source_release (source);
    }
  uint8_t *key;
  size_t size;
  if (segment_split_key (segment, 0.4, &key, &size, NULL) == STATUS_OK)
    free (key);
  segment_approximate_size (segment, keys[0], keys[1]);
  segment_verify (segment, NULL, NULL, NULL, NULL, NULL);
}

static void
mutate (uint8_t *bytes, size_t size, struct random *random)
{
  for (unsigned change = 0; change < 1 + random_below (random, 4); change++)
    {
      size_t at = random_below (random, size);
      if (random_below (random, 3) == 0)
        at = size - 4096 + random_below (random, 200); /* the footer */
      else if (random_below (random, 4) == 0)
        at = size - 4096 - random_below (random, size - 4096 < 3000 ? size - 4096 : 3000);
      else if (random_below (random, 4) == 0)
        at = at / 4096 * 4096 + random_below (random, 64); /* the front of a page */
      uint8_t extremes[]
          = { 0, 0xff, 0x80, 0x7f, (uint8_t) (bytes[at] + 1), (uint8_t) (bytes[at] - 1) };
      bytes[at] = random_below (random, 2) ? (uint8_t) random_next (random)
                                           : extremes[random_below (random, sizeof extremes)];
    }
}

static void
test_hostile_files (void)
{
  struct random random = { 41 };
  unsigned opened = 0;
  for (unsigned kind = 0; kind < 6; kind++)
    {
      struct surroundings here;
      struct model model = { 0 };
      struct segment_information information;
      unsigned flavour = kind % 4;
      surroundings_open (&here, 4096, 1 << 20);
      struct segment_settings settings = writer_settings (&here, 4096);
      struct segment_reader_settings reading = reader_settings (&here);
      settings.codec = (enum codec) (kind % CODEC_COUNT);
      settings.filter = (enum filter_kind) (kind % 3);
      model_fill (&model, &random, flavour, flavour == 3 ? 60 : 400, 60);
      CHECK_OK (write_model (&settings, &model, &information, &failure));
      size_t size;
      uint8_t *bytes = load_file (&here, &size), *copy = malloc (size);
      reading.verify = false;
      for (unsigned round = 0; round < 700; round++)
        {
          struct segment *segment;
          memcpy (copy, bytes, size);
          mutate (copy, size, &random);
          store_file (&here, copy, size);
          reading.build_index = round % 2 == 0;
          reading.map_plain = round % 3 == 0;
          if (segment_open_alone (&reading, 7, &segment, NULL) != STATUS_OK)
            continue;
          opened++;
          exercise (segment, &model, &random, flavour);
          segment_unref (segment);
          epoch_collect (true);
        }
      free (bytes);
      free (copy);
      segment_information_clear (&information);
      model_clear (&model);
      surroundings_close (&here);
    }
  CHECK (opened > 1000);
}

/* Every field at the front of every inner page set to extremes, one at a time. */
static void
test_hostile_inner_pages (void)
{
  static const uint8_t extremes[] = { 0, 1, 3, 0x7f, 0x80, 0xff };
  struct random random = { 59 };
  struct surroundings here;
  struct model model = { 0 };
  struct segment_information information;
  struct segment_shape shape;
  struct segment *segment;
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  model_fill (&model, &random, 3, 60, 4000);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  segment_shape (segment, &shape);
  CHECK (shape.depth > 2);
  segment_unref (segment);
  size_t size;
  uint8_t *bytes = load_file (&here, &size);
  size_t end = load_u64 (bytes + size - 4096 + 20);
  unsigned pages = 0;
  reading.verify = false;
  for (size_t page = end - 4096; pages < shape.inner_pages; page -= 4096, pages++)
    for (size_t at = page; at < page + 48; at++)
      {
        uint8_t was = bytes[at];
        bytes[at] = extremes[random_below (&random, sizeof extremes)];
        reading.build_index = at % 2 == 0;
        store_file (&here, bytes, size);
        bytes[at] = was;
        if (segment_open_alone (&reading, 7, &segment, NULL) == STATUS_OK)
          {
            exercise (segment, &model, &random, 3);
            segment_unref (segment);
            epoch_collect (true);
          }
      }
  free (bytes);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- what verification finds behind good checksums ---- */

struct finding
{
  char reasons[4096]; /* all that were reported, one after the other */
  unsigned count;     /* of them */
};

static void
on_finding (void *data, const char *file, uint64_t page, const char *reason)
{
  struct finding *finding = data;
  size_t used = strlen (finding->reasons);
  snprintf (finding->reasons + used, sizeof finding->reasons - used, "%s\n", reason);
  finding->count++;
}

static void
swap_bytes (uint8_t *a, uint8_t *b, size_t size)
{
  for (size_t i = 0; i < size; i++)
    {
      uint8_t byte = a[i];
      a[i] = b[i];
      b[i] = byte;
    }
}

/* Damages the second leaf of a raw segment with 16-bit offsets in one way. */
static const char *
damage_leaf (uint8_t *leaf, unsigned kind)
{
  unsigned count = load_u16 (leaf + 2), prefix_size = load_u16 (leaf + 4);
  uint8_t *offsets = leaf + 12 + count, *heads = offsets + 2 * count + 8 + prefix_size;
  switch (kind)
    {
    case 0:
      leaf[12 + 5] ^= 1;
      return "tag";
    case 1:
      heads[4 * 3] ^= 1;
      return "head";
    case 2: /* two records, whole */
      swap_bytes (leaf + 12 + 4, leaf + 12 + 5, 1);
      swap_bytes (offsets + 2 * 4, offsets + 2 * 5, 2);
      swap_bytes (heads + 4 * 4, heads + 4 * 5, 4);
      return "out of order";
    case 3: /* the last key becomes a higher one that no other part knows of */
      leaf[load_u16 (offsets + 2 * (count - 1)) + 3] = 0xff;
      return NULL;
    default: /* the first key becomes one below the separator */
      heads[3] = leaf[load_u16 (offsets) + 3] = 0;
      return NULL;
    }
}

static void
test_verification (void)
{
  struct random random = { 61 };
  struct surroundings here;
  struct model model = { 0 };
  struct segment_information information;
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  settings.filter = FILTER_FUSE8;
  for (unsigned i = 0; i < 200; i++)
    {
      uint8_t key[12] = { 0, 0, 0, 1, (uint8_t) i };
      for (size_t at = 5; at < 12; at++)
        key[at] = (uint8_t) random_next (&random);
      model_add (&model, BYTES (key, 12),
                 BYTES_LITERAL ("one hundred bytes or so would be typical"), 0, RECORD_PUT);
    }
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  size_t size;
  uint8_t *bytes = load_file (&here, &size), *copy = malloc (size);
  reading.verify = false;
  for (unsigned kind = 0; kind < 5; kind++)
    {
      struct segment *segment;
      struct finding finding = { .count = 0 };
      memcpy (copy, bytes, size);
      const char *expected = damage_leaf (copy + 2 * 4096, kind);
      store_file (&here, copy, size);
      CHECK_OK (segment_open_alone (&reading, 7, &segment, &failure));
      CHECK_FAILS (segment_verify (segment, on_finding, NULL, &finding, NULL, &failure),
                   STATUS_CORRUPT);
      CHECK (finding.count >= 1);
      CHECK (expected == NULL || strstr (finding.reasons, expected) != NULL);
      segment_unref (segment);
      epoch_collect (true);
    }
  /* A filter that lost its fingerprints, then counts that the records do not bear out. */
  struct segment *segment;
  struct finding finding = { .count = 0 };
  memcpy (copy, bytes, size);
  uint64_t filter = load_u64 (bytes + size - 4096 + 64),
           filter_size = load_u64 (bytes + size - 4096 + 72);
  memset (copy + filter + 128, 0xaa, filter_size - 128);
  store_file (&here, copy, size);
  CHECK_OK (segment_open_alone (&reading, 7, &segment, &failure));
  CHECK_FAILS (segment_verify (segment, on_finding, NULL, &finding, NULL, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (finding.reasons, "filter") != NULL);
  segment_unref (segment);
  finding = (struct finding){ .count = 0 };
  store_file (&here, bytes, size);
  information.records++;
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  CHECK_FAILS (segment_verify (segment, on_finding, NULL, &finding, NULL, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (finding.reasons, "counts") != NULL);
  segment_unref (segment);
  free (bytes);
  free (copy);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

static void
seal_header (uint8_t *bytes)
{
  uint64_t seed = checksum_seed (bytes + HEADER_DATABASE_ID, load_u64 (bytes + HEADER_NUMBER));
  store_u64 (bytes + HEADER_CHECKSUM,
             checksum (seed, SEGMENT_POSITION_HEADER, BYTES (bytes, HEADER_CHECKSUM)));
}

static void
test_identity (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 43 };
  struct segment_information information;
  struct segment *segment;
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  model_fill (&model, &random, 1, 100, 60);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  reading.database_id[0] ^= 1;
  CHECK_FAILS (segment_open (&reading, &information, &segment, &failure), STATUS_CORRUPT);
  reading.database_id[0] ^= 1;
  information.file_size += 4096;
  CHECK_FAILS (segment_open (&reading, &information, &segment, &failure), STATUS_CORRUPT);
  information.file_size -= 4096;
  size_t size;
  uint8_t *bytes = load_file (&here, &size);
  static const unsigned newer[] = { HEADER_VERSION, HEADER_FEATURES, HEADER_KEY_EPOCH };
  for (size_t i = 0; i < sizeof newer / sizeof *newer; i++)
    {
      /* Damage is damage; what verifies is another version's. */
      bytes[newer[i]] ^= 2;
      store_file (&here, bytes, size);
      CHECK_FAILS (segment_open (&reading, &information, &segment, &failure), STATUS_CORRUPT);
      seal_header (bytes);
      store_file (&here, bytes, size);
      CHECK_FAILS (segment_open (&reading, &information, &segment, &failure), STATUS_NEWER_FORMAT);
      bytes[newer[i]] ^= 2;
      seal_header (bytes);
    }
  free (bytes);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- budgets ---- */

static void
test_budget (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 47 };
  struct segment_information information;
  struct segment_shape shape;
  struct segment *segment;
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  model_fill (&model, &random, 0, 3000, 100);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  here.ledger.budget = 1000;
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  check_gets (segment, &model, &random, 0, 100);
  segment_shape (segment, &shape);
  CHECK (shape.index_memory == 0 && shape.filter_memory == 0);
  here.ledger.budget = 1 << 20;
  check_gets (segment, &model, &random, 0, 100);
  segment_shape (segment, &shape);
  CHECK (shape.index_memory > 0 && shape.filter_memory > 0);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_INDEX), shape.index_memory);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_FILTER), shape.filter_memory);
  segment_unref (segment);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- threads ---- */

struct crowd
{
  struct segment *segment;
  const struct model *model;
  unsigned number; /* of the thread */
};

static void *
crowd_member (void *data)
{
  const struct crowd *crowd = data;
  struct random random = { 100 + crowd->number };
  uint8_t room[KEY_ROOM];
  for (unsigned probe = 0; probe < 4000; probe++)
    {
      struct bytes key = probe_key (crowd->model, &random, 1, room);
      uint64_t snapshot = random_snapshot (&random);
      const struct record *expected = model_get (crowd->model, key, snapshot);
      struct segment_lookup lookup;
      epoch_enter ();
      status result = segment_get (crowd->segment, key, key_hash (key), snapshot, &lookup, NULL);
      CHECK_INT (result, expected != NULL ? STATUS_OK : STATUS_NOT_FOUND);
      if (expected != NULL)
        check_record (&lookup.record, expected);
      epoch_leave ();
      if (crowd->number == 0 && probe % 200 == 0)
        segment_trim (crowd->segment);
      if (probe % 500 == 0)
        {
          struct segment_source_settings settings = { .scan = probe % 1000 == 0 };
          struct source *source;
          CHECK_OK (segment_source_new (crowd->segment, &settings, &source, NULL));
          CHECK_OK (source_seek (source, key, NULL));
          size_t at = model_seek (crowd->model, key);
          for (unsigned step = 0; step < 200 && source->valid; step++, at++)
            {
              check_record (&source->record, &crowd->model->records[at]);
              CHECK_OK (source_next (source, NULL));
            }
          source_release (source);
        }
    }
  return NULL;
}

static void
test_threads (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 53 };
  struct segment_information information;
  struct segment *segment;
  pthread_t threads[4];
  struct crowd crowds[4];
  surroundings_open (&here, 4096, 40 * 4096);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  settings.codec = CODEC_LZ4;
  model_fill (&model, &random, 1, 4000, 100);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  for (unsigned i = 0; i < 4; i++)
    {
      crowds[i] = (struct crowd){ segment, &model, i };
      CHECK (pthread_create (&threads[i], NULL, crowd_member, &crowds[i]) == 0);
    }
  for (unsigned i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  segment_unref (segment);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

int
main (void)
{
  test_model ();
  test_edges ();
  test_reading_around ();
  test_writer_refuses ();
  test_full_disk ();
  test_damage ();
  test_hostile_files ();
  test_hostile_inner_pages ();
  test_verification ();
  test_identity ();
  test_budget ();
  test_threads ();
  return 0;
}
