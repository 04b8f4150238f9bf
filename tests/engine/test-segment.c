/* SPDX-License-Identifier: MIT */
/* Segments written, read back in every way, and compared with a sorted array of the same records.
 */
#include "segment-trial.h"
#include "segment/segment-private.h"

#include <pthread.h>

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

/* ---- keys of several segments at once ---- */

#define SEVERAL 4u
#define ASKED 100u

/* Each key is looked for in the segment that is named for it, which has it or not. */
static void
ask_several (struct segment *const *open, const struct model *models, struct random *random,
             unsigned flavour, size_t *found)
{
  static uint8_t rooms[ASKED][KEY_ROOM];
  struct bytes keys[ASKED];
  struct segment *segments[ASKED];
  struct segment_lookup lookups[ASKED];
  status results[ASKED];
  uint64_t hashes[ASKED], snapshot = random_snapshot (random);
  unsigned of[ASKED];
  for (size_t i = 0; i < ASKED; i++)
    {
      bool left_out = random_below (random, 10) == 0;
      of[i] = (unsigned) random_below (random, SEVERAL);
      segments[i] = left_out ? NULL : open[of[i]];
      results[i] = left_out ? STATUS_CANCELLED : STATUS_BUSY;
      unsigned whose
          = random_below (random, 4) > 0 ? of[i] : (unsigned) random_below (random, SEVERAL);
      keys[i] = probe_key (&models[whose], random, flavour, rooms[i]);
      hashes[i] = key_hash (keys[i]);
    }
  epoch_enter ();
  segment_get_many (segments, keys, hashes, ASKED, snapshot, lookups, results, &failure);
  epoch_leave ();
  for (size_t i = 0; i < ASKED; i++)
    {
      const struct record *expected
          = segments[i] != NULL ? model_get (&models[of[i]], keys[i], snapshot) : NULL;
      CHECK_INT (results[i], segments[i] == NULL ? STATUS_CANCELLED
                             : expected != NULL  ? STATUS_OK
                                                 : STATUS_NOT_FOUND);
      if (expected == NULL)
        continue;
      check_record (&lookups[i].record, expected);
      if (lookups[i].page != NULL)
        cache_unpin (lookups[i].page);
      ++*found;
    }
}

/* With and without filters, indexes and a mapping; in a cache that has all, or hardly anything. */
static void
test_several (void)
{
  struct random random = { 99 };
  size_t found = 0;
  for (unsigned round = 0; round < 24; round++)
    {
      struct surroundings here;
      struct model models[SEVERAL] = { { 0 } };
      struct segment *open[SEVERAL];
      struct segment_information information[SEVERAL];
      surroundings_open (&here, 4096, round % 2 == 1 ? 16 * 4096 : 32 << 20);
      for (unsigned i = 0; i < SEVERAL; i++)
        {
          struct segment_settings settings = writer_settings (&here, 4096);
          struct segment_reader_settings reading = reader_settings (&here);
          settings.number = 7 + i;
          settings.filter = (enum filter_kind) random_below (&random, 3);
          reading.build_index = random_below (&random, 3) > 0;
          reading.map_plain = random_below (&random, 3) == 0;
          model_fill (&models[i], &random, round % 3, 20 + random_below (&random, 3000), 200);
          CHECK_OK (write_model (&settings, &models[i], &information[i], &failure));
          CHECK_OK (segment_open (&reading, &information[i], &open[i], &failure));
        }
      for (unsigned turn = 0; turn < 20; turn++)
        {
          ask_several (open, models, &random, round % 3, &found);
          if (turn % 7 == 6)
            segment_trim (open[random_below (&random, SEVERAL)]);
        }
      for (unsigned i = 0; i < SEVERAL; i++)
        {
          segment_unref (open[i]);
          segment_information_clear (&information[i]);
          model_clear (&models[i]);
        }
      surroundings_close (&here);
    }
  CHECK (found > 10000);
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

/* ---- what is written ---- */

static uint64_t written; /* bytes of the file that is being written */
static unsigned writes;

static status
write_in_order (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
                struct failure *cause)
{
  CHECK_INT (offset, written);
  CHECK_INT (size % 4096, 0);
  CHECK_INT ((uintptr_t) from % 4096, 0);
  written += size;
  writes++;
  return vfs_posix ()->write (file, offset, from, size, cause);
}

/* W1 of segment-writer.c: whole units, one behind the other, as a disk without a cache before it wants
 * them. */
static void
test_written_in_order (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 53 };
  struct segment_information information;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 12000, 300);
  const struct vfs *real = use_other_disk (here.directory);
  other_disk.write = write_in_order;
  for (unsigned codec = 0; codec < CODEC_COUNT; codec++)
    {
      struct segment_settings settings = writer_settings (&here, 4096);
      settings.number = 100 + codec;
      settings.codec = (enum codec) codec;
      settings.memory = 1 << 20; /* for the buffer not to hold all of it */
      settings.direct = codec % 2 == 0;
      settings.train_dictionary = codec % 2 == 1;
      written = writes = 0;
      CHECK_OK (write_model (&settings, &model, &information, &failure));
      CHECK (writes > 3);
      CHECK_INT (written, information.file_size);
      segment_information_clear (&information);
    }
  here.directory->vfs = real;
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- walks ---- */

/* R1 and R3 of segment-source.c: a walk holds the leaf that it stands on, and no other; none behind the
 * last record. */
static void
test_held_leaf (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 41 };
  struct segment_information information;
  struct segment *segment;
  struct source *source;
  struct cache_statistics statistics;
  size_t seen = 0;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 2000, 300);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  CHECK_OK (
      segment_source_new (segment, &(struct segment_source_settings){ 0 }, &source, &failure));
  CHECK_OK (source_first (source, &failure));
  for (; source->valid; seen++)
    {
      cache_statistics (here.cache, &statistics);
      CHECK_INT (statistics.pinned_pages, 1);
      if (seen % 64 == 0)
        cache_evict_fraction (here.cache, 1);
      check_record (&source->record, &model.records[seen]);
      CHECK_OK (source_next (source, &failure));
    }
  CHECK_INT (seen, model.count);
  cache_statistics (here.cache, &statistics);
  CHECK_INT (statistics.pinned_pages, 0);
  source_release (source);
  segment_unref (segment);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* A3 of segment-index.c: who is inside a section since before an index and filter were given back may be
 * looking at them. */
static void
test_trimmed_beside (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 43 };
  struct segment_information information;
  struct segment *segment;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 20000, 100);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  check_gets (segment, &model, &random, 0, 2000);
  int64_t index = ledger_used (&here.ledger, LEDGER_INDEX);
  int64_t filter = ledger_used (&here.ledger, LEDGER_FILTER);
  CHECK (index > 0 && filter > 0);
  epoch_enter ();
  CHECK (segment_trim (segment) > 0);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_FILTER), filter);
  epoch_leave ();
  epoch_collect (true);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_INDEX), 0);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_FILTER), 0);
  check_gets (segment, &model, &random, 0, 2000);
  segment_unref (segment);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* W4 of segment-writer.c: it says that it is full before it has taken much more than it was given. */
static void
test_full_writer (void)
{
  struct surroundings here;
  struct segment_writer *writer;
  uint8_t key[8];
  struct record record = { BYTES (key, 8), BYTES_NONE, 5, 0, RECORD_PUT };
  surroundings_open (&here, 4096, 8 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  settings.memory = 256 << 10;
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  int64_t most = 0;
  for (uint64_t i = 0; !segment_writer_is_full (writer); i++)
    {
      CHECK (i < 2000000);
      store_u64 (key, __builtin_bswap64 (i));
      CHECK_OK (segment_writer_add (writer, &record, &failure));
      int64_t used = ledger_used (&here.ledger, LEDGER_MERGE);
      most = used > most ? used : most;
    }
  CHECK (most > 0 && most <= (int64_t) settings.memory * 3 / 2);
  segment_writer_abort (writer);
  CHECK_INT (ledger_used (&here.ledger, LEDGER_MERGE), 0);
  surroundings_close (&here);
}

/* ---- reading around ---- */

static struct asked
{
  uint64_t offset, size;
} asked[64];
static size_t asked_count;

static void
note_will_need (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  (void) file;
  CHECK (asked_count < 64);
  asked[asked_count++] = (struct asked){ offset, size };
}

/* ---- a cache that keeps nothing ---- */

#define FRAMES_SPOILT 48u

static struct cache *forgetful;

/* While a page is read all the others go, and other bytes come to where they were. */
static status
read_and_forget (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
                 struct failure *cause)
{
  uint8_t *frames[FRAMES_SPOILT];
  CHECK (!epoch_inside ());
  cache_evict_fraction (forgetful, 1);
  for (unsigned i = 0; i < FRAMES_SPOILT; i++)
    {
      frames[i] = cache_allocate (forgetful, 4096);
      CHECK (frames[i] != NULL);
      memset (frames[i], 0xee, 4096);
    }
  for (unsigned i = 0; i < FRAMES_SPOILT; i++)
    cache_discard (forgetful, frames[i]);
  return vfs_posix ()->read (file, offset, to, size, got, cause);
}

/* P3 of segment-page.c: nothing that was found before a page is read is looked at behind that. The tree has
 * several levels, and no index above it. */
static void
test_forgotten_amid (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 47 };
  struct segment_information information;
  struct segment *segment;
  struct segment_shape shape;
  surroundings_open (&here, 4096, 8 << 20);
  model_fill (&model, &random, 0, 12000, 300);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  reading.build_index = false;
  settings.filter = FILTER_NONE;
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  segment_shape (segment, &shape);
  CHECK (shape.depth > 2);
  forgetful = here.cache;
  const struct vfs *real = use_other_disk (here.directory);
  other_disk.read = read_and_forget;
  segment->file->vfs = &other_disk;
  check_gets (segment, &model, &random, 0, 1000);
  check_get_many (segment, &model, &random, 0);
  check_sources (segment, &model, &random, 0);
  check_splits (segment, &model);
  segment->file->vfs = real;
  here.directory->vfs = real;
  segment_unref (segment);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- reading around ---- */

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
  model_fill (&model, &random, 0, 30000, 300);
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
      uint64_t stretches = (information.file_size - 1) / STRETCH_SIZE + 1;
      CHECK (stretches > 4);
      CHECK (around ? once + 1 >= stretches && once <= stretches
                    : once == 0); /* the tail may have no page */
      for (size_t i = 0; i < once; i++)
        {
          CHECK_INT (asked[i].size, STRETCH_SIZE);
          CHECK_INT (asked[i].offset % STRETCH_SIZE, 0);
          for (size_t j = 0; j < i; j++)
            CHECK (asked[i].offset != asked[j].offset);
        }
    }
  here.directory->vfs = real;
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* ---- reading ahead ---- */

/* A walk over the whole file asks for its bytes in order, each once, ever more at a time. The pages
 * that it begins with were read before. */
static void
check_ahead (struct segment *segment, const struct model *model, unsigned distance, bool backward)
{
  struct segment_source_settings settings = { .scan = true, .prefetch = distance };
  struct source *source;
  uint64_t records = 0, expected = distance * UINT64_C (4096);
  CHECK_OK (segment_source_new (segment, &settings, &source, &failure));
  asked_count = 0;
  CHECK_OK (backward ? source_last (source, &failure) : source_first (source, &failure));
  for (; source->valid; records++)
    CHECK_OK (backward ? source_previous (source, &failure) : source_next (source, &failure));
  source_release (source);
  CHECK_INT (records, model->count);
  CHECK (distance == 0 ? asked_count == 0 : asked_count > 3);
  uint64_t covered = 0;
  for (size_t i = 0; i < asked_count; i++)
    {
      uint64_t window = expected;
      expected = expected < 1 << 20 ? 2 * expected : expected;
      bool is_last = i + 1 == asked_count;
      CHECK (asked[i].size <= window && asked[i].size > 0);
      CHECK (i == 0 || is_last || asked[i].size >= window / 2);
      if (i > 0 && backward)
        CHECK_INT (asked[i].offset + asked[i].size, asked[i - 1].offset);
      else if (i > 0)
        CHECK_INT (asked[i].offset, asked[i - 1].offset + asked[i - 1].size);
      covered += asked[i].size;
    }
  if (distance > 0)
    CHECK (covered <= segment->pages_end && covered + (128 << 10) >= segment->pages_end);
}

static void
test_reading_ahead (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 41 };
  struct segment_information information;
  struct segment *segment;
  surroundings_open (&here, 4096, 16 << 20);
  model_fill (&model, &random, 0, 12000, 300);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  const struct vfs *real = use_other_disk (here.directory);
  other_disk.advise_will_need = note_will_need;
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  for (unsigned distance = 0; distance <= 16; distance += 8)
    for (unsigned backward = 0; backward < 2; backward++)
      {
        cache_evict_fraction (here.cache, 1);
        check_ahead (segment, &model, distance, backward);
      }
  segment_unref (segment);
  here.directory->vfs = real;
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

/* Inner pages of many sizes, more of them than are read at once: some lie across the end of such a
 * stretch. Pairs of leaves have long keys in common, so every second separator is long. */
static void
test_index_of_long_separators (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct random random = { 71 };
  struct segment_information information;
  struct segment_shape shape;
  struct segment *segment;
  uint8_t key[912], value[1500] = { 0 };
  surroundings_open (&here, 4096, 32 << 20);
  here.ledger.budget = 256 << 20;
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  settings.codec = CODEC_ZSTD;
  for (uint32_t i = 0; i < 4000; i++)
    {
      store_u32_big (key, i / 4);
      for (size_t at = 4; i % 4 == 0 && at < sizeof key; at++)
        key[at] = (uint8_t) ('a' + random_below (&random, 16));
      key[sizeof key - 1] = (uint8_t) i;
      for (size_t at = 0; at < sizeof value; at++)
        value[at] = (uint8_t) random_next (&random);
      model_add (&model, BYTES (key, sizeof key), BYTES (value, sizeof value), 0, RECORD_PUT);
    }
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  check_gets (segment, &model, &random, 0, 2000);
  segment_shape (segment, &shape);
  CHECK (shape.index_memory > 0);
  CHECK (shape.inner_pages > 200); /* of two kilobytes and more */
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
  test_several ();
  test_edges ();
  test_reading_around ();
  test_reading_ahead ();
  test_writer_refuses ();
  test_full_writer ();
  test_full_disk ();
  test_failed_writer ();
  test_written_in_order ();
  test_held_leaf ();
  test_forgotten_amid ();
  test_trimmed_beside ();
  test_damage ();
  test_hostile_files ();
  test_hostile_inner_pages ();
  test_verification ();
  test_level ();
  test_separator ();
  test_empty_range ();
  test_identity ();
  test_budget ();
  test_index_of_long_separators ();
  test_threads ();
  return 0;
}
