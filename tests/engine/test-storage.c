/* SPDX-License-Identifier: MIT */
/* The engine's calls that tell where everything lies: against what was written, against damage,
 * beside merges, and that they change nothing. */
#include "filled-engine.h"

#include "base/histogram.h"
#include "engine-storage.h"

#include <pthread.h>

#define STORES 12u
#define LARGE_SIZE 9000u /* of every 97th value: number_value */

/* ---- what there is, gathered ---- */

struct gathered
{
  unsigned stores, memtables, runs, blobs, faults;
  uint64_t memtable_records;
  uint64_t records, deletes, segment_bytes, used, stored, logical, leaves, inner_pages;
  uint64_t extent_records, extent_bytes, extents, inexact;
  uint64_t of_store[64]; /* records of extents, by store id */
  uint64_t blob_bytes, live_values, live_bytes, referred_values, referred_bytes;
  uint64_t file_bytes, cached;
  uint64_t numbers[4096]; /* of segments, in the order told */
  size_t segments;
  size_t longest;                     /* of their largest keys */
  struct engine_storage_segment last; /* without its keys */
  char reason[512];                   /* of the last fault */
  unsigned left;                      /* visits until it says stop; 0 = never */
};

static void
check_cut (struct bytes key, size_t whole)
{
  CHECK_INT (key.size, whole < ENGINE_STORAGE_KEY_MAX ? whole : ENGINE_STORAGE_KEY_MAX);
}

static bool
gather (void *data, const struct engine_storage_part *part)
{
  struct gathered *all = data;
  switch (part->kind)
    {
    case ENGINE_STORAGE_STORE:
      all->stores++;
      CHECK ((part->store.store == ENGINE_STORE_SYSTEM) == (part->store.name[0] == '\0'));
      break;
    case ENGINE_STORAGE_MEMTABLE:
      CHECK_INT (part->memtable.index, all->memtables++);
      all->memtable_records += part->memtable.records;
      break;
    case ENGINE_STORAGE_RUN:
      all->runs++;
      CHECK (part->run.segments > 0 && part->run.bytes > 0 && part->run.created > 0);
      break;
    case ENGINE_STORAGE_SEGMENT:
      CHECK (all->segments < sizeof all->numbers / sizeof *all->numbers);
      all->numbers[all->segments++] = part->segment.number;
      all->records += part->segment.records;
      all->deletes += part->segment.deletes;
      all->segment_bytes += part->segment.file_size;
      all->used += part->segment.used_bytes;
      all->stored += part->segment.stored_bytes;
      all->logical += part->segment.logical_bytes;
      all->leaves += part->segment.leaves;
      all->inner_pages += part->segment.inner_pages;
      all->referred_values += part->segment.blob_values;
      all->referred_bytes += part->segment.blob_bytes;
      all->cached += part->segment.cached_pages;
      all->last = part->segment;
      check_cut (part->segment.smallest, part->segment.smallest_size);
      check_cut (part->segment.largest, part->segment.largest_size);
      if (part->segment.largest_size > all->longest)
        all->longest = part->segment.largest_size;
      CHECK (part->segment.first_store <= part->segment.last_store);
      break;
    case ENGINE_STORAGE_EXTENT:
      CHECK_INT (part->extent.segment, all->last.number);
      all->extents++;
      all->inexact += !part->extent.exact;
      all->extent_records += part->extent.records;
      all->extent_bytes += part->extent.bytes;
      if (part->extent.store < 64)
        all->of_store[part->extent.store] += part->extent.records;
      break;
    case ENGINE_STORAGE_BLOB:
      all->blobs++;
      all->blob_bytes += part->blob.file_size;
      all->live_values += part->blob.live_values;
      all->live_bytes += part->blob.live_bytes;
      break;
    case ENGINE_STORAGE_FILE:
      all->file_bytes += part->file.size;
      break;
    case ENGINE_STORAGE_FAULT:
      all->faults++;
      snprintf (all->reason, sizeof all->reason, "%s", part->fault.reason);
      break;
    }
  return all->left == 0 || --all->left > 0;
}

static struct gathered *
gather_all (struct engine *engine)
{
  struct gathered *all = calloc (1, sizeof *all);
  CHECK_OK (engine_storage_visit (engine, gather, all, &failure));
  return all;
}

/* The same, with the statistics of the same moment: the log may get or lose a spare file meanwhile. */
static struct gathered *
gather_still (struct engine *engine, struct engine_statistics *statistics)
{
  for (;;)
    {
      struct engine_statistics before;
      engine_statistics (engine, &before);
      struct gathered *all = gather_all (engine);
      engine_statistics (engine, statistics);
      if (statistics->disk_bytes == before.disk_bytes)
        return all;
      free (all);
    }
}

struct paged
{
  uint64_t pages, leaves, records, deletes, used, stored, logical, cached, referenced, faults;
  uint64_t damaged;       /* number of the last page with a fault */
  uint64_t offsets[8192]; /* by page */
  uint64_t frequent;
  char reason[512];
  unsigned left;
};

static bool
page_in (void *data, const struct engine_storage_page *page)
{
  struct paged *all = data;
  CHECK (page->number < sizeof all->offsets / sizeof *all->offsets);
  all->offsets[page->number] = page->offset;
  all->pages++;
  all->leaves += page->level == 0;
  if (page->level == 0)
    all->records += page->records;
  all->deletes += page->deletes;
  all->used += page->used_size;
  all->stored += page->stored_size;
  all->logical += page->logical_size;
  all->cached += (page->heat & ENGINE_HEAT_CACHED) != 0;
  all->referenced += (page->heat & ENGINE_HEAT_REFERENCED) != 0;
  all->frequent += (page->heat & ENGINE_HEAT_FREQUENT) != 0;
  if (page->fault != NULL)
    {
      all->faults++;
      all->damaged = page->number;
      CHECK (!page->read);
      CHECK (strlen (page->fault->message) > 0);
      snprintf (all->reason, sizeof all->reason, "%s", page->fault->message);
    }
  return all->left == 0 || --all->left > 0;
}

static struct paged *
page_all (struct engine *engine, uint64_t segment, bool read)
{
  struct paged *all = calloc (1, sizeof *all);
  CHECK_OK (engine_storage_pages (engine, segment, 0, UINT64_MAX, read, page_in, all, &failure));
  return all;
}

/* ---- databases ---- */

static struct bytes
store_name (char to[32], unsigned i)
{
  return BYTES (to, (size_t) sprintf (to, "store-%u", i));
}

/* Three generations of 3,000 records in the default store, some deleted, and a few in each of many
 * others; every third written again, so that there are runs over each other. */
static void
fill_stores (struct engine *engine)
{
  char key[64], name[32];
  for (unsigned round = 0; round < 3; round++)
    {
      for (unsigned i = round; i < 3000; i += round + 1)
        put_range (engine, i, i + 1, round);
      for (unsigned i = 0; i < 3000; i += 50)
        CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, i + round),
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
      for (unsigned s = 0; s < STORES; s++)
        {
          engine_store store;
          store_name (name, s);
          CHECK_OK (engine_store_open (engine, name, true, &store, &failure));
          for (unsigned i = 0; i < 20 + s; i++)
            CHECK_OK (engine_put (engine, store, number_key (key, i), BYTES_LITERAL ("value"),
                                  ENGINE_SYNC_DEFAULT, NULL, &failure));
        }
      CHECK_OK (engine_flush (engine, &failure));
    }
}

static struct engine *
open_shaped (const char *path, enum engine_compression compression, uint32_t page_size)
{
  struct engine_options options = small_options ();
  options.compression = compression;
  options.page_size = page_size;
  options.merge_enabled = false;
  options.segment_file_size = 0;
  return open_with (path, &options);
}

/* ---- each page of a segment ---- */

static void
check_fields (const struct engine_page_contents *contents)
{
  struct engine_page_field field;
  size_t end = 0;
  unsigned count = 0;
  for (; engine_page_field (contents, count, &field); count++)
    {
      CHECK_INT (field.offset, end); /* they lie end to end */
      end += field.size;
      if (strcmp (field.name, "used") == 0)
        CHECK_INT (field.value, contents->decoded_size);
      if (strcmp (field.name, "count") == 0)
        CHECK_INT (field.value, contents->page.records);
    }
  CHECK (count > 8 && end <= contents->decoded_size);
}

static uint64_t
check_page (struct engine *engine, uint64_t segment, uint64_t number, uint64_t *large)
{
  struct engine_page_contents contents;
  struct engine_page_record record;
  uint8_t before[64];
  size_t before_size = 0;
  engine_store store = 0;
  CHECK_OK (engine_page_read (engine, segment, number, &contents, &failure));
  CHECK (contents.page.fault == NULL && contents.page.read);
  CHECK_INT (contents.stored_size, contents.page.stored_size);
  CHECK_INT (contents.decoded_size, contents.page.used_size);
  CHECK (strstr (contents.file, ".seg") != NULL);
  check_fields (&contents);
  unsigned slot = 0;
  for (; engine_page_record (&contents, slot, &record); slot++)
    {
      CHECK (record.offset + record.size <= contents.decoded_size);
      if (contents.page.level > 0)
        continue;
      if (slot == 0)
        CHECK (bytes_equal (record.key, contents.page.key) && record.store == contents.page.store);
      else if (store == record.store)
        CHECK (bytes_compare (BYTES (before, before_size), record.key) <= 0);
      CHECK (record.kind != ENGINE_RECORD_DELETE || record.value_size == 0);
      CHECK (record.kind == ENGINE_RECORD_PUT || record.value.data == NULL);
      if (record.kind == ENGINE_RECORD_BLOB)
        {
          CHECK_INT (record.value_size, LARGE_SIZE);
          CHECK (record.blob_file > 0);
          ++*large;
        }
      store = record.store;
      before_size = record.key.size;
      memcpy (before, record.key.data, before_size);
    }
  CHECK_INT (slot, contents.page.records);
  CHECK (!engine_page_record (&contents, slot, &record));
  uint64_t records = contents.page.level == 0 ? slot : 0;
  engine_page_clear (&contents);
  return records;
}

/* ---- keys ---- */

struct located
{
  unsigned deciding, found, filtered, absent, outside, faults, visits;
  uint64_t value_size, sequence, page, segment;
  enum engine_record_kind kind;
  uint64_t range_delete;
};

static bool
locate_in (void *data, const struct engine_location *location)
{
  struct located *all = data;
  all->visits++;
  all->found += location->verdict == ENGINE_LOCATION_FOUND;
  all->filtered += location->verdict == ENGINE_LOCATION_FILTERED;
  all->absent += location->verdict == ENGINE_LOCATION_ABSENT;
  all->outside += location->verdict == ENGINE_LOCATION_OUTSIDE;
  all->faults += location->verdict == ENGINE_LOCATION_FAULT;
  CHECK ((location->verdict == ENGINE_LOCATION_FAULT) == (location->fault != NULL));
  if (!location->decides)
    return true;
  all->deciding++;
  all->value_size = location->value_size;
  all->sequence = location->sequence;
  all->kind = location->kind;
  all->page = location->page;
  all->segment = location->segment;
  all->range_delete = location->range_delete;
  return true;
}

static struct located
locate (struct engine *engine, engine_store store, struct bytes key)
{
  struct located all = { 0 };
  CHECK_OK (engine_storage_locate (engine, store, key, locate_in, &all, &failure));
  CHECK (all.deciding <= 1);
  return all;
}

/* What it tells and what a get answers agree. */
static void
check_located (struct engine *engine, struct bytes key)
{
  struct engine_value value;
  struct located at = locate (engine, ENGINE_STORE_DEFAULT, key);
  status result = engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, key, &value, &failure);
  bool there = at.deciding == 1 && at.found > 0 && at.kind != ENGINE_RECORD_DELETE
               && at.range_delete <= at.sequence;
  CHECK_INT (there, result == STATUS_OK);
  if (result != STATUS_OK)
    return;
  CHECK_INT (at.value_size, value.data.size);
  CHECK_INT (at.sequence, value.sequence);
  engine_value_release (&value);
}

/* ---- sizes ---- */

static struct engine_sizes
sizes_of (struct engine *engine, engine_store store, uint64_t limit, uint32_t biggest)
{
  struct engine_sizes_settings settings
      = { .store = store, .time_limit = limit, .biggest = biggest };
  struct engine_sizes sizes;
  CHECK_OK (engine_storage_sizes (engine, &settings, NULL, NULL, &sizes, &failure));
  return sizes;
}

/* Against a walk with a cursor. */
static void
check_sizes (struct engine *engine)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 10);
  uint64_t records = 0, key_bytes = 0, value_bytes = 0, largest = 0, large = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); records++)
    {
      struct bytes value;
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      key_bytes += engine_cursor_key (cursor).size;
      value_bytes += value.size;
      largest = value.size > largest ? value.size : largest;
      large += value.size == LARGE_SIZE;
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
  CHECK_INT (sizes.records, records);
  CHECK_INT (sizes.key_bytes, key_bytes);
  CHECK_INT (sizes.value_bytes, value_bytes);
  CHECK (sizes.share == 1);
  CHECK_INT (sizes.faults, 0);
  CHECK_INT (histogram_count (sizes.keys), records);
  CHECK_INT (histogram_sum (sizes.values), value_bytes);
  CHECK_INT (histogram_maximum (sizes.values), largest);
  CHECK_INT (sizes.biggest_count, records < 10 ? records : 10);
  for (size_t i = 0; i < sizes.biggest_count; i++)
    {
      size_t size;
      struct bytes key = BYTES (sizes.biggest[i].key, sizes.biggest[i].key_size);
      CHECK (i == 0 || sizes.biggest[i - 1].value_size >= sizes.biggest[i].value_size);
      CHECK (large < 10 || sizes.biggest[i].value_size == LARGE_SIZE);
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, key, NULL, 0, &size, &failure));
      CHECK_INT (size, sizes.biggest[i].value_size);
    }
  engine_sizes_clear (&sizes);
}

/* ---- the tests ---- */

static void
check_shape (enum engine_compression compression, uint32_t page_size)
{
  char *path = fresh_directory ();
  struct engine *engine = open_shaped (path, compression, page_size);
  struct engine_statistics statistics;
  char key[64];
  fill_stores (engine);
  struct gathered *all = gather_still (engine, &statistics);
  CHECK_INT (all->faults, 0);
  CHECK_INT (all->stores, STORES + 2);
  CHECK (all->runs >= 3);
  CHECK_INT (all->runs, statistics.runs);
  CHECK_INT (all->segments, statistics.segments);
  CHECK_INT (all->segment_bytes, statistics.segment_bytes);
  CHECK_INT (all->segment_bytes + all->blob_bytes + all->file_bytes, statistics.disk_bytes);
  CHECK_INT (all->memtable_records, 0);
  CHECK (all->inexact > 0 && all->extents > all->segments);
  CHECK (all->extent_records + all->extents >= all->records
         && all->extent_records <= all->records + all->extents);
  for (unsigned s = 0; s < STORES; s++) /* each record of them is about as large as others */
    CHECK (all->of_store[2 + s] > 0);
  CHECK (all->live_values > 0);
  CHECK_INT (all->live_bytes, all->live_values * LARGE_SIZE);
  CHECK_INT (all->live_values, all->referred_values);

  uint64_t records = 0, deletes = 0, used = 0, stored = 0, logical = 0, pages = 0, large = 0;
  for (size_t i = 0; i < all->segments; i++)
    {
      struct paged *listed = page_all (engine, all->numbers[i], false);
      struct paged *read = page_all (engine, all->numbers[i], true);
      CHECK_INT (listed->records, 0);
      CHECK_INT (listed->pages, read->pages);
      CHECK_INT (listed->stored, read->stored);
      CHECK_INT (listed->faults + read->faults, 0);
      records += read->records;
      deletes += read->deletes;
      used += read->used;
      stored += read->stored;
      logical += read->logical;
      pages += read->pages;
      uint64_t seen = 0;
      for (uint64_t page = 0; page < read->pages; page++)
        seen += check_page (engine, all->numbers[i], page, &large);
      CHECK_INT (seen, read->records);
      free (listed);
      free (read);
    }
  CHECK_INT (records, all->records);
  CHECK_INT (deletes, all->deletes);
  CHECK_INT (used, all->used);
  CHECK_INT (stored, all->stored);
  CHECK_INT (logical, all->logical);
  CHECK_INT (pages, all->leaves + all->inner_pages);
  CHECK_INT (large, all->referred_values);
  for (unsigned i = 0; i < 3100; i += 7)
    check_located (engine, number_key (key, i));
  check_sizes (engine);
  put_range (engine, 100, 200, 9); /* in the memtable */
  for (unsigned i = 90; i < 210; i++)
    check_located (engine, number_key (key, i));
  check_sizes (engine);
  free (all);
  close_it (engine);

  struct engine_options options = small_options ();
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure));
  all = gather_all (engine); /* a reader's view */
  CHECK_INT (all->faults, 0);
  CHECK (all->records > 0);
  check_located (engine, number_key (key, 150));
  check_sizes (engine);
  free (all);
  close_it (engine);
  remove_directory (path);
}

static void
test_shapes (void)
{
  for (unsigned codec = 0; codec <= ENGINE_COMPRESSION_SNAPPY; codec++)
    check_shape ((enum engine_compression) codec, codec == ENGINE_COMPRESSION_LZ4 ? 65536 : 4096);
  check_shape (ENGINE_COMPRESSION_NONE, 65536);
}

static bool
refuse_progress (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) data, (void) done, (void) total, (void) step;
  return false;
}

static void
test_empty_and_closed (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_page_contents contents;
  struct paged *paged = calloc (1, sizeof *paged);
  struct gathered *all = gather_all (engine);
  CHECK_INT (all->stores, 2);
  CHECK_INT (all->memtables, 1);
  CHECK_INT (all->runs + all->segments + all->blobs + all->faults, 0);
  CHECK (all->file_bytes > 0);
  CHECK_INT (locate (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a")).absent, 1);
  struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 5);
  CHECK (sizes.records == 0 && sizes.share == 1 && sizes.biggest_count == 0);
  engine_sizes_clear (&sizes);
  CHECK_FAILS (engine_storage_pages (engine, 1, 0, 10, true, page_in, paged, &failure),
               STATUS_NOT_FOUND);
  CHECK (strstr (failure.message, "merged") != NULL);
  CHECK_FAILS (engine_page_read (engine, 1, 0, &contents, &failure), STATUS_NOT_FOUND);
  CHECK_FAILS (engine_storage_locate (engine, 1, BYTES_NONE, locate_in, NULL, &failure),
               STATUS_INVALID);
  struct engine_sizes_settings wrong
      = { .store = 1, .lower = BYTES_LITERAL ("b"), .upper = BYTES_LITERAL ("a") };
  CHECK_FAILS (engine_storage_sizes (engine, &wrong, NULL, NULL, &sizes, &failure), STATUS_INVALID);
  wrong.upper = wrong.lower; /* nothing is in it */
  CHECK_OK (engine_storage_sizes (engine, &wrong, NULL, NULL, &sizes, &failure));
  CHECK (sizes.records == 0 && sizes.share == 1);
  engine_sizes_clear (&sizes);
  wrong = (struct engine_sizes_settings){ .store = 1, .biggest = ENGINE_BIGGEST_MAX + 1 };
  CHECK_FAILS (engine_storage_sizes (engine, &wrong, NULL, NULL, &sizes, &failure), STATUS_INVALID);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_storage_visit (engine, gather, all, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_storage_pages (engine, 1, 0, 1, false, page_in, paged, &failure),
               STATUS_CLOSED);
  CHECK_FAILS (engine_page_read (engine, 1, 0, &contents, &failure), STATUS_CLOSED);
  CHECK_FAILS (engine_storage_locate (engine, 1, BYTES_LITERAL ("a"), locate_in, NULL, &failure),
               STATUS_CLOSED);
  wrong.biggest = 0;
  CHECK_FAILS (engine_storage_sizes (engine, &wrong, NULL, NULL, &sizes, &failure), STATUS_CLOSED);
  engine_unref (engine);
  free (paged);
  free (all);
  remove_directory (path);
}

/* At each place where a visitor or progress can say stop. */
static void
test_cancelling (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_NONE, 4096);
  fill_stores (engine);
  struct gathered *all = gather_all (engine);
  uint64_t number = all->numbers[0];
  unsigned stopped = 0;
  for (unsigned left = 1;; left++)
    {
      *all = (struct gathered){ .left = left };
      status result = engine_storage_visit (engine, gather, all, &failure);
      if (result == STATUS_OK)
        break;
      CHECK_INT (result, STATUS_CANCELLED);
      stopped++;
    }
  CHECK (stopped > 3 * STORES);
  struct paged paged = { .left = 2 };
  CHECK_FAILS (engine_storage_pages (engine, number, 0, 10, true, page_in, &paged, &failure),
               STATUS_CANCELLED);
  CHECK_INT (paged.pages, 2);
  struct engine_sizes_settings settings = { .store = ENGINE_STORE_DEFAULT, .biggest = 3 };
  struct engine_sizes sizes;
  CHECK_FAILS (engine_storage_sizes (engine, &settings, refuse_progress, NULL, &sizes, &failure),
               STATUS_CANCELLED);
  CHECK (sizes.keys == NULL && sizes.biggest == NULL);
  sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 1, 3); /* a microsecond */
  CHECK (sizes.share < 1 && sizes.records > 0);
  engine_sizes_clear (&sizes);
  free (all);
  close_it (engine);
  remove_directory (path);
}

/* Looking at everything leaves the cache as it was; what was read is told as warm. */
static void
test_heat (void)
{
  char *path = fresh_directory (), key[64], buffer[128];
  size_t size;
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_ZSTD, 4096);
  struct engine_statistics before, after;
  put_range (engine, 0, 3000, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (unsigned turn = 0; turn < 2; turn++)
    for (unsigned i = 1; i < 97; i++)
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, i), buffer,
                            sizeof buffer, &size, &failure));
  struct gathered *all = gather_all (engine);
  CHECK_INT (all->segments, 1);
  struct located at = locate (engine, ENGINE_STORE_DEFAULT, number_key (key, 50));
  engine_statistics (engine, &before);
  uint64_t number = all->numbers[0], cached = all->cached;
  struct paged *first = page_all (engine, number, true), *second = page_all (engine, number, false);
  for (unsigned i = 0; i < 3000; i += 31)
    locate (engine, ENGINE_STORE_DEFAULT, number_key (key, i));
  free (all);
  all = gather_all (engine);
  engine_statistics (engine, &after);
  CHECK_INT (all->cached, cached);
  CHECK_INT (first->cached, cached);
  CHECK_INT (second->cached, cached);
  CHECK_INT (second->referenced, first->referenced);
  CHECK_INT (second->frequent, first->frequent);
  CHECK_INT (after.cache_used, before.cache_used);
  CHECK_INT (after.cache_misses, before.cache_misses);
  CHECK_INT (after.cache_evictions, before.cache_evictions);
  CHECK (first->referenced > 0 && first->cached < first->pages);
  struct engine_page_contents contents;
  CHECK_OK (engine_page_read (engine, at.segment, at.page, &contents, &failure));
  CHECK ((contents.page.heat & ENGINE_HEAT_CACHED) != 0);
  engine_page_clear (&contents);
  struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 0);
  CHECK_INT (sizes.records, 3000);
  engine_sizes_clear (&sizes);
  free (second);
  second = page_all (engine, number, false);
  CHECK (second->cached <= cached + (second->pages - second->leaves)); /* inner pages, as a scan */
  CHECK_INT (second->frequent, first->frequent);
  CHECK_INT (engine_evict_cache (engine, 1) > 0, 1);
  free (second);
  second = page_all (engine, number, true);
  CHECK_INT (second->cached, 0);
  free (first);
  free (second);
  free (all);
  close_it (engine);
  remove_directory (path);
}

/* One bad page is told, by file and number; all others are as before. */
static void
test_damage (void)
{
  char *path = fresh_directory (), name[64], key[64];
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_LZ4, 4096);
  put_range (engine, 0, 20000, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, number_key (key, 0),
                                 number_key (name, 1), ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_evict_cache (engine, 1);
  CHECK_INT (find_files (path, ".seg", name), 1);
  struct gathered *all = gather_all (engine);
  uint64_t number = all->numbers[0];
  CHECK (all->inner_pages > 2 && all->last.depth == 3);
  struct paged *sound = page_all (engine, number, true);

  struct located at = locate (engine, ENGINE_STORE_DEFAULT, number_key (key, 10000));
  flip (path, name, (off_t) sound->offsets[at.page] + 20);
  struct paged *damaged = page_all (engine, number, true);
  CHECK_INT (damaged->faults, 1);
  CHECK_INT (damaged->damaged, at.page);
  CHECK (strstr (damaged->reason, name) != NULL && strstr (damaged->reason, "checksum") != NULL);
  CHECK_INT (damaged->pages, sound->pages);
  CHECK (damaged->records < sound->records && damaged->records > sound->records - 300);
  struct engine_page_contents contents;
  struct engine_page_record record;
  CHECK_OK (engine_page_read (engine, number, at.page, &contents, &failure));
  CHECK (contents.page.fault == &contents.fault && contents.decoded == NULL);
  CHECK_INT (contents.stored_size, contents.page.stored_size);
  CHECK (!engine_page_record (&contents, 0, &record));
  engine_page_clear (&contents);
  struct located lost = locate (engine, ENGINE_STORE_DEFAULT, number_key (key, 10000));
  CHECK (lost.faults == 1 && lost.deciding == 1);
  struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 5);
  CHECK (sizes.faults == 1 || sizes.faults == 2); /* the piece before may look at it to end there */
  CHECK (sizes.share < 1 && sizes.records > 19000 && sizes.records < 20000);
  CHECK (strstr (sizes.first_fault.message, name) != NULL);
  engine_sizes_clear (&sizes);
  CHECK_FAILS (engine_page_read (engine, number, sound->pages, &contents, &failure),
               STATUS_NOT_FOUND);
  free (damaged);

  flip (path, name, (off_t) sound->offsets[sound->leaves] + 20); /* the first inner page */
  damaged = page_all (engine, number, true);
  CHECK (damaged->faults > 20 && damaged->faults < sound->leaves);
  CHECK_INT (damaged->pages, sound->pages);
  CHECK_OK (engine_page_read (engine, number, 0, &contents, &failure)); /* below it */
  CHECK (contents.page.fault != NULL && contents.stored == NULL);
  CHECK (strstr (contents.fault.message, "can't be reached") != NULL);
  engine_page_clear (&contents);
  CHECK_OK (engine_page_read (engine, number, sound->leaves - 1, &contents, &failure));
  CHECK (contents.page.fault == NULL && contents.page.records > 0);
  engine_page_clear (&contents);
  free (damaged);

  flip (path, name, (off_t) sound->offsets[sound->pages - 1] + 20); /* the root */
  damaged = page_all (engine, number, true);
  CHECK_INT (damaged->faults, sound->pages);
  free (damaged);
  free (all);
  all = gather_all (engine); /* needs no page of it */
  CHECK_INT (all->faults, 0);
  free (all);
  free (sound);
  engine_close (engine, NULL);
  engine_unref (engine);
  remove_directory (path);
}

/* A segment of several stores whose pages are lost is told whole, beside the fault. */
static void
test_damaged_extents (void)
{
  char *path = fresh_directory (), name[64];
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_NONE, 4096);
  fill_stores (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (find_files (path, ".seg", name), 1);
  struct gathered *all = gather_all (engine);
  struct paged *pages = page_all (engine, all->numbers[0], false);
  CHECK_INT (all->extents, STORES + 2);
  uint64_t records = all->records;
  flip (path, name, (off_t) pages->offsets[pages->pages - 1] + 20);
  free (all);
  all = gather_all (engine);
  CHECK_INT (all->faults, 1);
  CHECK_INT (all->extents, 1);
  CHECK_INT (all->extent_records, records);
  CHECK (strstr (all->reason, name) != NULL);
  free (all);
  free (pages);
  engine_close (engine, NULL);
  engine_unref (engine);
  remove_directory (path);
}

/* Keys of every length and of any bytes. */
static void
test_long_keys (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_ADAPTIVE, 65536);
  uint8_t *key = malloc (KEY_SIZE_MAX), *value = calloc (1, 100000);
  for (unsigned i = 0; i < 256; i++)
    {
      size_t size = i == 255 ? KEY_SIZE_MAX : i * 255 + 1;
      memset (key, (int) i, size);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, size), BYTES (value, i * 300),
                            ENGINE_SYNC_DEFAULT, NULL, &failure));
    }
  CHECK_OK (engine_flush (engine, &failure));
  struct gathered *all = gather_all (engine);
  CHECK_INT (all->faults, 0);
  CHECK_INT (all->longest, KEY_SIZE_MAX);
  unsigned seen = 0;
  for (size_t s = 0; s < all->segments; s++)
    {
      struct paged *pages = page_all (engine, all->numbers[s], true);
      CHECK_INT (pages->faults, 0);
      for (uint64_t page = 0; page < pages->leaves; page++)
        {
          struct engine_page_contents contents;
          struct engine_page_record record;
          CHECK_OK (engine_page_read (engine, all->numbers[s], page, &contents, &failure));
          for (unsigned slot = 0; engine_page_record (&contents, slot, &record); slot++, seen++)
            {
              unsigned i = record.key.data[0];
              CHECK_INT (record.key.size, i == 255 ? KEY_SIZE_MAX : i * 255 + 1);
              CHECK_INT (record.key.data[record.key.size - 1], i);
              CHECK_INT (record.value_size, i * 300);
            }
          engine_page_clear (&contents);
        }
      free (pages);
    }
  CHECK_INT (seen, 256);
  for (unsigned i = 0; i < 256; i++)
    {
      size_t size = i == 255 ? KEY_SIZE_MAX : i * 255 + 1;
      memset (key, (int) i, size);
      check_located (engine, BYTES (key, size));
    }
  struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 3);
  CHECK_INT (sizes.records, 256);
  CHECK_INT (sizes.biggest_count, 3);
  for (unsigned i = 0; i < 3; i++)
    CHECK (sizes.biggest[i].value_size == (255 - i) * 300 && sizes.biggest[i].key[0] == 255 - i);
  CHECK_INT (sizes.biggest[0].key_size, KEY_SIZE_MAX);
  engine_sizes_clear (&sizes);
  free (all);
  free (key);
  free (value);
  close_it (engine);
  remove_directory (path);
}

/* A dropped store stays where it is until a merge, and is told without a name. */
static void
test_dropped_store (void)
{
  char *path = fresh_directory (), name[32];
  struct engine *engine = open_shaped (path, ENGINE_COMPRESSION_NONE, 4096);
  engine_store store;
  fill_stores (engine);
  store_name (name, 4);
  CHECK_OK (engine_store_open (engine, name, false, &store, &failure));
  struct gathered *all = gather_all (engine);
  uint64_t records = all->of_store[store];
  CHECK_INT (all->stores, STORES + 2);
  CHECK_OK (engine_store_drop (engine, name, &failure));
  struct located at = locate (engine, store, BYTES_LITERAL ("key-00000001"));
  CHECK (at.deciding == 1 && at.range_delete > 0);
  free (all);
  all = gather_all (engine);
  CHECK_INT (all->stores, STORES + 1);
  CHECK_INT (all->of_store[store], records);
  struct engine_sizes sizes = sizes_of (engine, store, 0, 5);
  CHECK_INT (sizes.records, 0);
  engine_sizes_clear (&sizes);
  CHECK_OK (engine_flush (engine, &failure));
  free (all);
  all = gather_all (engine); /* a segment of range deletes is among them */
  CHECK_INT (all->faults, 0);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  free (all);
  all = gather_all (engine);
  CHECK_INT (all->of_store[store], 0);
  free (all);
  close_it (engine);
  remove_directory (path);
}

/* More stores than are told of one segment: the rest is told as one. */
static void
test_very_many_stores (void)
{
  char *path = fresh_directory (), name[32];
  struct engine_options options = small_options ();
  options.merge_enabled = false;
  options.memtable_size = 4 << 20;
  options.segment_file_size = 0;
  struct engine *engine = open_with (path, &options);
  for (unsigned s = 0; s < 1200; s++)
    {
      engine_store store;
      store_name (name, s);
      CHECK_OK (engine_store_open (engine, name, true, &store, &failure));
      CHECK_OK (engine_put (engine, store, BYTES_LITERAL ("k"), BYTES_LITERAL ("v"),
                            ENGINE_SYNC_DEFAULT, NULL, &failure));
    }
  CHECK_OK (engine_flush (engine, &failure));
  struct gathered *all = gather_all (engine);
  CHECK_INT (all->stores, 1202);
  CHECK_INT (all->segments, 1);
  CHECK_INT (all->extents, 1024);
  CHECK_INT (all->faults, 0);
  free (all);
  close_it (engine);
  remove_directory (path);
}

/* ---- beside writers and merges ---- */

static void *
merge_beside (void *data)
{
  struct beside *beside = data;
  struct failure cause = FAILURE_INIT;
  for (unsigned round = 0; !atomic_load (&beside->stop); round++)
    {
      char key[64], value[9100];
      for (unsigned i = 0; i < 400; i++)
        CHECK (engine_put (beside->engine, ENGINE_STORE_DEFAULT, number_key (key, i * 7),
                           number_value (value, i * 7, round), ENGINE_SYNC_DEFAULT, NULL, &cause)
               == STATUS_OK);
      CHECK (engine_flush (beside->engine, &cause) == STATUS_OK);
      if (round % 4 == 3)
        CHECK (engine_compact (beside->engine, NULL, NULL, &cause) == STATUS_OK);
      atomic_fetch_add (&beside->commits, 1);
    }
  return NULL;
}

static void
test_beside_merges (void)
{
  char *path = fresh_directory (), key[64];
  struct engine *engine = open_small (path);
  struct beside beside = { .engine = engine };
  pthread_t thread;
  unsigned gone = 0, rounds = 0;
  put_range (engine, 0, 3000, 0);
  CHECK_INT (pthread_create (&thread, NULL, merge_beside, &beside), 0);
  for (; rounds < 60 || (atomic_load (&beside.commits) < 12 && rounds < 100000); rounds++)
    {
      struct gathered *all = gather_all (engine);
      CHECK_INT (all->faults, 0);
      for (size_t i = 0; i < all->segments; i += 3)
        {
          struct paged *pages = calloc (1, sizeof *pages);
          status result = engine_storage_pages (engine, all->numbers[i], 0, UINT64_MAX, true,
                                                page_in, pages, &failure);
          CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
          CHECK_INT (pages->faults, 0);
          gone += result == STATUS_NOT_FOUND;
          free (pages);
        }
      struct located at = locate (engine, ENGINE_STORE_DEFAULT, number_key (key, 1500));
      CHECK (at.deciding == 1 && at.faults == 0);
      struct engine_sizes sizes = sizes_of (engine, ENGINE_STORE_DEFAULT, 0, 4);
      CHECK_INT (sizes.records, 3000);
      CHECK_INT (sizes.faults, 0);
      engine_sizes_clear (&sizes);
      free (all);
    }
  atomic_store (&beside.stop, true);
  pthread_join (thread, NULL);
  printf ("%u rounds, %u segments were merged away between two calls\n", rounds, gone);
  struct gathered *all = gather_all (engine);
  uint64_t number = all->numbers[0];
  put_range (engine, 0, 100, 99);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct paged pages = { 0 };
  CHECK_FAILS (engine_storage_pages (engine, number, 0, 9, true, page_in, &pages, &failure),
               STATUS_NOT_FOUND);
  free (all);
  close_it (engine);
  remove_directory (path);
}

/* The visitor runs in the middle of a call: closing there does not wait for the rest. */
static bool
close_now (struct beside *beside)
{
  if (atomic_fetch_add (&beside->commits, 1) > 0)
    return true;
  atomic_store (&beside->stop, true);
  while (!engine_is_closed (beside->engine))
    nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
  return true;
}

static bool
close_within (void *data, const struct engine_storage_part *part)
{
  (void) part;
  return close_now (data);
}

static bool
close_at_page (void *data, const struct engine_storage_page *page)
{
  (void) page;
  return close_now (data);
}

static bool
close_while_measured (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) done, (void) total, (void) step;
  return close_now (data);
}

enum long_call
{
  CALL_VISIT,
  CALL_PAGES,
  CALL_SIZES,
  LONG_CALLS
};

static void *
close_beside (void *data)
{
  struct beside *beside = data;
  while (!atomic_load (&beside->stop))
    nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
  CHECK (engine_close (beside->engine, NULL) == STATUS_OK);
  return NULL;
}

static status
call_and_close (enum long_call call, struct beside *beside, uint64_t segment)
{
  struct engine_sizes_settings settings = { .store = ENGINE_STORE_DEFAULT };
  static struct engine_sizes sizes;
  if (call == CALL_VISIT)
    return engine_storage_visit (beside->engine, close_within, beside, &failure);
  if (call == CALL_PAGES)
    return engine_storage_pages (beside->engine, segment, 0, UINT64_MAX, true, close_at_page,
                                 beside, &failure);
  return engine_storage_sizes (beside->engine, &settings, close_while_measured, beside, &sizes,
                               &failure);
}

/* Z4 of core/storage.h. */
static void
test_closing_meanwhile (enum long_call call)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct beside beside = { .engine = engine };
  pthread_t thread;
  put_range (engine, 0, 3000, 0);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct gathered *all = gather_all (engine);
  CHECK_INT (pthread_create (&thread, NULL, close_beside, &beside), 0);
  CHECK_FAILS (call_and_close (call, &beside, all->numbers[0]), STATUS_CLOSED);
  CHECK_INT (beside.commits, 1);
  pthread_join (thread, NULL);
  engine_unref (engine);
  free (all);
  remove_directory (path);
}

int
main (void)
{
  test_shapes ();
  test_empty_and_closed ();
  test_cancelling ();
  test_heat ();
  test_damage ();
  test_damaged_extents ();
  test_long_keys ();
  test_dropped_store ();
  test_very_many_stores ();
  test_beside_merges ();
  for (enum long_call call = 0; call < LONG_CALLS; call++)
    test_closing_meanwhile (call);
  printf ("storage: all passed\n");
  return 0;
}
