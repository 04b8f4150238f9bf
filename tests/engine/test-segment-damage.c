/* SPDX-License-Identifier: MIT */
/* Segments on disks that fail, and whose bytes are not those that were written. */
#include "segment-trial.h"

#include "segment/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

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

void
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

/* W3 of segment-writer.c: what failed once stays failed, also when there is room again. */
void
test_failed_writer (void)
{
  struct surroundings here;
  char value[1000];
  surroundings_open (&here, 4096, 8 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_information information;
  struct segment_writer *writer;
  struct segment *segment;
  struct segment_reader_settings reading = reader_settings (&here);
  status result = STATUS_OK;
  uint8_t key[8];
  const struct vfs *real = use_other_disk (here.directory);
  memset (value, 'v', sizeof value);
  settings.codec = CODEC_NONE;
  other_disk.write = faulty_write;
  writes_left = 1;
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  struct record record = { BYTES (key, 8), BYTES (value, sizeof value), 5, 0, RECORD_PUT };
  for (uint64_t i = 0; result == STATUS_OK; i++)
    {
      CHECK (i < 100000);
      store_u64 (key, __builtin_bswap64 (i));
      failure = FAILURE_INIT;
      result = segment_writer_add (writer, &record, &failure);
    }
  CHECK_INT (result, STATUS_NO_SPACE);
  writes_left = INT64_MAX;
  store_u64 (key, UINT64_MAX);
  CHECK_FAILS (segment_writer_add (writer, &record, &failure), STATUS_NO_SPACE);
  CHECK (strstr (failure.message, "failed earlier") != NULL);
  CHECK_FAILS (segment_writer_finish (writer, &information, &failure), STATUS_NO_SPACE);
  CHECK_FAILS (segment_open_alone (&reading, 7, &segment, &failure), STATUS_CORRUPT);
  here.directory->vfs = real;
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
void
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
  struct segment *segments[8];
  struct bytes keys[8];
  uint64_t hashes[8];
  struct segment_lookup lookups[8];
  status results[8];
  for (size_t i = 0; i < 8; i++)
    {
      segments[i] = segment;
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
  segment_get_many (segments, keys, hashes, 8, SEQUENCE_MAX, lookups, results, NULL);
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

void
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
void
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
on_finding (void *data, const char *file, uint64_t page, const struct failure *fault)
{
  struct finding *finding = data;
  size_t used = strlen (finding->reasons);
  snprintf (finding->reasons + used, sizeof finding->reasons - used, "%s\n", fault->message);
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
    case 3: /* a record that stands there twice, in the place of another */
      leaf[12 + 5] = leaf[12 + 4];
      memcpy (offsets + 2 * 5, offsets + 2 * 4, 2);
      memcpy (heads + 4 * 5, heads + 4 * 4, 4);
      return "out of order";
    case 4: /* the last key becomes a higher one that no other part knows of */
      leaf[load_u16 (offsets + 2 * (count - 1)) + 3] = 0xff;
      return NULL;
    default: /* the first key becomes one below the separator */
      heads[3] = leaf[load_u16 (offsets) + 3] = 0;
      return NULL;
    }
}

void
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
  for (unsigned kind = 0; kind < 6; kind++)
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

/* An inner page that says it is on another level: its name is told, no get is led astray. */
void
test_level (void)
{
  struct random random = { 67 };
  struct surroundings here;
  struct model model = { 0 };
  struct segment_information information;
  struct segment_shape shape;
  struct segment *segment;
  struct finding finding = { .count = 0 };
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  model_fill (&model, &random, 3, 60, 4000);
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  size_t size, corrupt = 0;
  uint8_t *bytes = load_file (&here, &size);
  size_t root = load_u64 (bytes + size - 4096 + 20) - 4096, page = root;
  while (bytes[page] == bytes[root] && bytes[page + 6] != 1)
    page -= 4096;
  CHECK_INT (bytes[page + 6], 1);
  bytes[page + 6] = 2;
  store_file (&here, bytes, size);
  reading.verify = false;
  CHECK_OK (segment_open (&reading, &information, &segment, &failure));
  segment_shape (segment, &shape);
  CHECK (shape.depth > 2);
  CHECK_FAILS (segment_verify (segment, on_finding, NULL, &finding, NULL, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (finding.reasons, "another level") != NULL);
  for (size_t i = 0; i < model.count; i++)
    {
      struct segment_lookup lookup;
      const struct record *record = &model.records[i];
      failure = FAILURE_INIT;
      epoch_enter ();
      status result = segment_get (segment, record->key, key_hash (record->key), record->sequence,
                                   &lookup, &failure);
      if (result == STATUS_OK)
        check_record (&lookup.record, record);
      epoch_leave ();
      CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
      corrupt += result == STATUS_CORRUPT;
    }
  CHECK (corrupt > 0 && corrupt < model.count);
  segment_unref (segment);
  free (bytes);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* A separator that is the last key of the leaf before it would lead past that key. */
void
test_separator (void)
{
  struct surroundings here;
  struct model model = { 0 };
  struct segment_information information;
  struct segment *segment;
  struct finding finding = { .count = 0 };
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  for (unsigned i = 0; i < 200; i++)
    {
      uint8_t key[5] = { 0, 0, 0, 1, (uint8_t) i };
      model_add (&model, BYTES (key, 5), BYTES_LITERAL ("one hundred bytes or so would be typical"),
                 0, RECORD_PUT);
    }
  CHECK_OK (write_model (&settings, &model, &information, &failure));
  size_t size;
  uint8_t *bytes = load_file (&here, &size);
  const uint8_t *root = bytes + load_u64 (bytes + size - 4096 + 20) - 4096;
  CHECK (inner_count (root) >= 2);
  struct bytes separator = inner_entry (root, 1).suffix;
  bytes[separator.data - bytes + (ptrdiff_t) separator.size - 1]--;
  store_file (&here, bytes, size);
  reading.verify = false;
  CHECK_OK (segment_open_alone (&reading, 7, &segment, &failure));
  CHECK_FAILS (segment_verify (segment, on_finding, NULL, &finding, NULL, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (finding.reasons, "separator is not above") != NULL);
  segment_unref (segment);
  epoch_collect (true);
  free (bytes);
  segment_information_clear (&information);
  model_clear (&model);
  surroundings_close (&here);
}

/* A range delete in a segment has something in it: one that ends where it starts is damage. */
void
test_empty_range (void)
{
  struct surroundings here;
  struct segment_information information;
  struct segment_writer *writer;
  struct segment *segment;
  surroundings_open (&here, 4096, 1 << 20);
  struct segment_settings settings = writer_settings (&here, 4096);
  struct segment_reader_settings reading = reader_settings (&here);
  struct range_delete range = { BYTES_LITERAL ("range:1"), BYTES_LITERAL ("range:2"), 5 };
  CHECK_OK (segment_writer_open (&settings, &writer, &failure));
  CHECK_OK (segment_writer_add_range_delete (writer, &range, &failure));
  CHECK_OK (segment_writer_finish (writer, &information, &failure));
  size_t size;
  unsigned found = 0;
  uint8_t *bytes = load_file (&here, &size);
  reading.verify = false;
  CHECK_OK (segment_open_alone (&reading, 7, &segment, &failure));
  segment_unref (segment);
  for (size_t at = 0; at + 7 <= size; at++)
    if (memcmp (bytes + at, "range:2", 7) == 0)
      {
        bytes[at + 6] = '1';
        found++;
      }
  CHECK (found > 0);
  store_file (&here, bytes, size);
  CHECK_FAILS (segment_open_alone (&reading, 7, &segment, &failure), STATUS_CORRUPT);
  free (bytes);
  segment_information_clear (&information);
  surroundings_close (&here);
}

static void
seal_header (uint8_t *bytes)
{
  uint64_t seed = checksum_seed (bytes + HEADER_DATABASE_ID, load_u64 (bytes + HEADER_NUMBER));
  store_u64 (bytes + HEADER_CHECKSUM,
             checksum (seed, SEGMENT_POSITION_HEADER, BYTES (bytes, HEADER_CHECKSUM)));
}

void
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
