/* SPDX-License-Identifier: MIT */
/*
 * Reads every golden database with this build and holds it against the story that it was made by:
 * records, stores, cursors both ways, the change feed; then checks, repairs, restores, recovers,
 * writes, compacts and opens it again.
 *
 *   test-golden DIRECTORY [NAME …]     the databases in DIRECTORY (golden-files.h), or some of them
 */
#include "../engine/sound-database.h"
#include "golden-files.h"
#include "story.h"

#include "base/coding.h"

#include <signal.h>

static struct failure failure;

/* ---- what it holds ---- */

struct holding
{
  const struct story *story;
  const uint32_t *table;
  const bool *present;
  struct engine *engine;
  engine_store stores[STORY_STORES];
  bool seen[STORY_STORES]; /* in the list of stores */
};

static bool
note_store (void *data, const char *name, engine_store store)
{
  struct holding *holding = data;
  unsigned index = 0;
  while (index < STORY_STORES && strcmp (name, story_store_names[index]) != 0)
    index++;
  CHECK (index < STORY_STORES && holding->present[index] && !holding->seen[index]);
  holding->stores[index] = store;
  holding->seen[index] = true;
  return true;
}

static uint32_t
number_at (const struct holding *holding, uint32_t store, uint32_t key)
{
  return holding->table[store * holding->story->keys + key];
}

static void
check_value (uint32_t number, struct bytes found)
{
  uint8_t expected[STORY_VALUE_MOST];
  CHECK (number != 0 && bytes_equal (story_value (number, expected), found));
}

static void
check_get (const struct holding *holding, uint32_t store, uint32_t key)
{
  uint8_t buffer[STORY_VALUE_MOST];
  uint32_t number = number_at (holding, store, key);
  struct bytes bytes = holding->story->key_pool[key];
  size_t size;
  failure = FAILURE_INIT;
  status result = engine_get (holding->engine, NULL, holding->stores[store], bytes, buffer,
                              sizeof buffer, &size, &failure);
  if (number == 0)
    CHECK_INT (result, STATUS_NOT_FOUND);
  else
    {
      CHECK_INT (result, STATUS_OK);
      check_value (number, BYTES (buffer, size));
    }
}

/* A step of a cursor in one direction: it must stand at the next key that the table has, or
 * nowhere. */
static uint32_t
check_step (const struct holding *holding, struct engine_cursor *cursor, uint32_t store,
            uint32_t from, int direction)
{
  struct bytes value;
  uint32_t key = from;
  while (key < holding->story->keys && number_at (holding, store, key) == 0)
    key += (uint32_t) direction; /* below 0: above all */
  CHECK_INT (engine_cursor_valid (cursor), key < holding->story->keys);
  if (key >= holding->story->keys)
    return key;
  CHECK (bytes_equal (engine_cursor_key (cursor), holding->story->key_pool[key]));
  CHECK_OK (engine_cursor_value (cursor, &value, &failure));
  check_value (number_at (holding, store, key), value);
  return key;
}

static void
check_order (const struct holding *holding, uint32_t store)
{
  struct engine_cursor_settings settings = { .store = holding->stores[store] };
  struct engine_cursor *cursor;
  uint32_t keys = holding->story->keys, key;
  CHECK_OK (engine_cursor_new (holding->engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (key = check_step (holding, cursor, store, 0, 1); key < keys;
       key = check_step (holding, cursor, store, key + 1, 1))
    CHECK_OK (engine_cursor_next (cursor, &failure));
  CHECK_OK (engine_cursor_last (cursor, &failure));
  for (key = check_step (holding, cursor, store, keys - 1, -1); key < keys;
       key = check_step (holding, cursor, store, key - 1, -1))
    CHECK_OK (engine_cursor_previous (cursor, &failure));
  for (uint32_t start = 0; start < keys; start++)
    {
      CHECK_OK (engine_cursor_seek (cursor, holding->story->key_pool[start], &failure));
      check_step (holding, cursor, store, start, 1);
      CHECK_OK (engine_cursor_seek_before (cursor, holding->story->key_pool[start], &failure));
      check_step (holding, cursor, store, start - 1, -1);
    }
  engine_cursor_free (cursor);
}

static void
check_holds (struct engine *engine, const struct story *story, const uint32_t *table,
             const bool *present)
{
  struct holding holding = { .story = story, .table = table, .present = present, .engine = engine };
  CHECK_OK (engine_store_list (engine, note_store, &holding, &failure));
  for (uint32_t store = 0; store < STORY_STORES; store++)
    {
      CHECK_INT (holding.seen[store], present[store]);
      if (!present[store])
        continue;
      for (uint32_t key = 0; key < story->keys; key++)
        check_get (&holding, store, key);
      check_order (&holding, store);
    }
}

static void
check_holds_all (struct engine *engine, const struct story *story)
{
  CHECK_INT (engine_sequence (engine), story->commits);
  check_holds (engine, story, story->tables[story->commits], story->present[story->commits]);
}

/* ---- the feed ---- */

struct replay
{
  const struct story *story;
  uint32_t *table;
  uint64_t commit;
  engine_store stores[STORY_STORES]; /* 0: not known yet */
};

/* The stores are numbered as they are made, and the dropped one is no longer in any list. */
static uint32_t
store_of (const struct replay *replay, engine_store store)
{
  for (uint32_t i = 0; i < STORY_STORES; i++)
    if (replay->stores[i] == store)
      return i;
  fprintf (stderr, "commit %llu changes the store %u\n", (unsigned long long) replay->commit,
           (unsigned) store);
  abort ();
}

/* The number of the value that the key has after the commit, or, when it is another one, a number
 * that no table has: then a later change of the same commit must follow. */
static uint32_t
find_number (const struct replay *replay, uint32_t store, uint32_t key, struct bytes value)
{
  uint8_t expected[STORY_VALUE_MOST];
  uint32_t number = story_at (replay->story, replay->commit, store, key);
  return number != 0 && bytes_equal (story_value (number, expected), value) ? number : UINT32_MAX;
}

static void
replay_change (struct replay *replay, struct engine_feed *feed, const struct engine_change *change)
{
  const struct story *story = replay->story;
  uint32_t store = store_of (replay, change->store);
  uint32_t key = change->key.data != NULL ? story_find_key (story, change->key) : 0;
  uint32_t end = change->end.data != NULL ? story_find_key (story, change->end) : story->keys;
  uint32_t *row = replay->table + store * story->keys;
  struct engine_value value;
  switch (change->kind)
    {
    case ENGINE_CHANGE_PUT:
      CHECK_OK (engine_feed_value (feed, &value, &failure));
      CHECK (key < story->keys && bytes_equal (story->key_pool[key], change->key));
      row[key] = find_number (replay, store, key, value.data);
      engine_value_release (&value);
      break;
    case ENGINE_CHANGE_DELETE:
      CHECK (key < story->keys && bytes_equal (story->key_pool[key], change->key));
      row[key] = 0;
      break;
    case ENGINE_CHANGE_DELETE_RANGE:
      memset (row + key, 0, (end - key) * sizeof *row);
      break;
    case ENGINE_CHANGE_LOADED:
      for (; key < end; key++)
        row[key] = story_at (story, replay->commit, store, key);
      break;
    }
}

/* From where its history begins each commit leads from one table to the next. */
static void
check_feed (struct engine *engine, const struct story *story)
{
  struct engine_feed *feed;
  struct engine_change change;
  struct replay replay = { .story = story, .commit = engine_history_oldest (engine) };
  size_t size = (size_t) STORY_STORES * story->keys * sizeof *replay.table;
  if (story->codec != ENGINE_COMPRESSION_LZ4) /* which keeps none (story_options) */
    CHECK_INT (replay.commit, 0);
  for (engine_store store = 0; store < STORY_STORES; store++)
    replay.stores[store] = ENGINE_STORE_DEFAULT + store;
  replay.table = malloc (size);
  CHECK (replay.table != NULL);
  memcpy (replay.table, story->tables[replay.commit], size);
  CHECK_OK (engine_feed_new (engine, replay.commit, &feed, &failure));
  while (replay.commit < story->commits)
    {
      uint64_t sequence;
      CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
      CHECK_INT (sequence, ++replay.commit);
      failure = FAILURE_INIT;
      status result;
      while ((result = engine_feed_next_change (feed, &change, &failure)) == STATUS_OK)
        replay_change (&replay, feed, &change);
      CHECK_INT (result, STATUS_NOT_FOUND);
      CHECK (memcmp (replay.table, story->tables[sequence], size) == 0);
    }
  engine_feed_free (feed);
  free (replay.table);
}

/* ---- opening, checking, copying ---- */

static struct engine *
open_golden (const char *path, const struct story *story, unsigned flags)
{
  struct engine_options options;
  struct engine *engine;
  story_options (story, NULL, &options);
  CHECK_OK (engine_open (path, flags, &options, &engine, &failure));
  return engine;
}

static void
close_golden (struct engine *engine)
{
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

static void
check_golden (const char *path)
{
  struct engine_check_report report = check_sound (path);
  CHECK (report.records > 0 && report.segments > 0 && report.blobs > 0);
}

/* Nothing that only reads leaves a byte changed. */
static void
read_only (const char *path, const struct story *story)
{
  uint64_t before = golden_sum (path);
  static const unsigned ways[]
      = { ENGINE_OPEN_READ_ONLY, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC };
  for (unsigned i = 0; i < 2; i++)
    {
      struct engine *engine = open_golden (path, story, ways[i]);
      check_holds_all (engine, story);
      check_feed (engine, story);
      close_golden (engine);
    }
  check_golden (path);
  CHECK (golden_sum (path) == before);
}

static void
repair_and_restore (const char *path, const struct story *story, const char *directory)
{
  char copy[GOLDEN_PATH_SIZE];
  struct engine_repair_report report;
  uint64_t before = golden_sum (path);
  snprintf (copy, sizeof copy, "%s/repaired", directory);
  CHECK_OK (engine_repair (path, copy, NULL, NULL, NULL, &report, &failure));
  CHECK_INT (report.lost_pages + report.files_skipped, 0);
  CHECK (golden_sum (path) == before);
  struct engine *engine = open_golden (copy, story, ENGINE_OPEN_EXISTING);
  check_holds (engine, story, story->tables[story->commits], story->present[story->commits]);
  close_golden (engine);

  snprintf (copy, sizeof copy, "%s/restored", directory);
  CHECK_OK (engine_restore (path, copy, NULL, NULL, &failure));
  engine = open_golden (copy, story, ENGINE_OPEN_EXISTING);
  check_holds_all (engine, story);
  close_golden (engine);
}

/* ---- going on with it ---- */

static void
write_more (struct engine *engine, const struct story *story, uint32_t *table)
{
  uint8_t value[STORY_VALUE_MOST];
  for (uint32_t i = 0; i < 12; i++)
    {
      uint32_t key = i * 9, number = 300000 + i; /* short, long and large ones */
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, story->key_pool[key],
                            story_value (number, value), ENGINE_SYNC_ASYNC, NULL, &failure));
      table[key] = number;
    }
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, story->key_pool[20], ENGINE_SYNC_FULL,
                           NULL, &failure));
  table[20] = 0;
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, story->key_pool[30],
                                 story->key_pool[40], ENGINE_SYNC_FULL, NULL, &failure));
  memset (table + 30, 0, 10 * sizeof *table);
}

static void
go_on (const char *path, const struct story *story)
{
  const bool *present = story->present[story->commits];
  size_t size = (size_t) STORY_STORES * story->keys * sizeof (uint32_t);
  uint32_t *table = malloc (size);
  CHECK (table != NULL);
  memcpy (table, story->tables[story->commits], size);
  struct engine *engine = open_golden (path, story, ENGINE_OPEN_EXISTING);
  check_holds_all (engine, story);
  check_feed (engine, story);
  write_more (engine, story, table);
  check_holds (engine, story, table, present);
  close_golden (engine);

  struct engine_options options;
  struct engine_check_report report;
  engine_options_init (&options); /* as a program opens it that has other ideas than its maker */
  CHECK_OK (engine_open (path, ENGINE_OPEN_EXISTING, &options, &engine, &failure));
  check_holds (engine, story, table, present);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_holds (engine, story, table, present);
  CHECK_OK (engine_check_open (engine, true, print_fault, NULL, NULL, &report, &failure));
  close_golden (engine);
  check_golden (path);
  engine = open_golden (path, story, ENGINE_OPEN_EXISTING);
  check_holds (engine, story, table, present);
  close_golden (engine);
  free (table);
}

/* ---- what there is in the files ---- */

struct kinds
{
  unsigned segments, blobs, logs, histories;          /* files */
  unsigned ranges, uses, dictionaries, fuses, blooms; /* segments that have them */
  unsigned depth;                                     /* of the deepest tree */
  unsigned recycled; /* segments of the log that were used before */
  size_t manifest;   /* bytes */
};

/* docs/design/format-segment.md */
static void
note_segment (struct kinds *kinds, const uint8_t *bytes, size_t size)
{
  const uint8_t *footer = bytes + size - 4096;
  kinds->segments++;
  kinds->blooms += bytes[54] == 1;
  kinds->fuses += bytes[54] == 2;
  kinds->depth = load_u32 (footer + 16) > kinds->depth ? load_u32 (footer + 16) : kinds->depth;
  kinds->dictionaries += load_u64 (footer + 64 + 24 + 8) > 0;
  kinds->ranges += load_u64 (footer + 64 + 48 + 8) > 0;
  kinds->uses += load_u64 (footer + 64 + 72 + 8) > 0;
}

static void
note_file (struct kinds *kinds, const char *name, const uint8_t *bytes, size_t size)
{
  const char *ending = strchr (name, '.');
  if (strncmp (name, "MANIFEST-", 9) == 0)
    kinds->manifest = size;
  else if (ending != NULL && strcmp (ending, ".seg") == 0)
    note_segment (kinds, bytes, size);
  else if (ending != NULL && strcmp (ending, ".blob") == 0)
    kinds->blobs++;
  else if (ending != NULL && strcmp (ending, ".history") == 0)
    kinds->histories++;
  else if (ending != NULL && strcmp (ending, ".log") == 0)
    {
      kinds->logs++;
      kinds->recycled += bytes[10];
    }
}

/* A golden database that lacks a structure would say nothing about it. */
static void
check_kinds (const char *path, const struct story *story)
{
  struct kinds kinds = { 0 };
  struct dirent *entry;
  DIR *list = opendir (path);
  CHECK (list != NULL);
  while ((entry = readdir (list)) != NULL)
    {
      char file[GOLDEN_PATH_SIZE + sizeof entry->d_name];
      uint8_t *bytes;
      if (entry->d_name[0] == '.')
        continue;
      snprintf (file, sizeof file, "%s/%s", path, entry->d_name);
      size_t size = golden_read_file (file, &bytes);
      note_file (&kinds, entry->d_name, bytes, size);
      free (bytes);
    }
  closedir (list);
  CHECK (kinds.segments >= 4 && kinds.blobs >= 2 && kinds.ranges > 0 && kinds.uses > 0);
  CHECK (kinds.fuses > 0 && kinds.blooms > 0);
  CHECK (kinds.manifest >= (story->killed ? 2048 : 512)); /* a close leaves one edit */
  CHECK_INT (kinds.dictionaries > 0, story->codec == ENGINE_COMPRESSION_ZSTD);
  CHECK_INT (kinds.depth > 2, story->codec == ENGINE_COMPRESSION_NONE);
  CHECK_INT (kinds.histories > 0, story->codec != ENGINE_COMPRESSION_LZ4);
  CHECK_INT (kinds.logs > 1, story->killed);
  CHECK_INT (kinds.recycled > 0, story->killed && story->codec == ENGINE_COMPRESSION_LZ4);
}

static void
test_one (const char *directory, unsigned codec, bool killed, const char *name)
{
  char *own = fresh_directory (), path[GOLDEN_PATH_SIZE];
  struct story story;
  story_write (&story, codec, killed);
  golden_copy (directory, name, own);
  snprintf (path, sizeof path, "%s/%s", own, name);
  check_kinds (path, &story);
  read_only (path, &story);
  repair_and_restore (path, &story, own);
  go_on (path, &story);
  printf ("%s: %llu commits, %u keys, as told\n", name, (unsigned long long) story.commits,
          story.keys);
  story_clear (&story);
  remove_directory (own);
}

static bool
is_asked_for (const char *name, int count, char **arguments)
{
  for (int i = 2; i < count; i++)
    if (strcmp (arguments[i], name) == 0)
      return true;
  return count <= 2;
}

static char present[1300]; /* what tests the database at hand alone */

static void
tell_again (int number)
{
  dprintf (2, "again:  %s\n", present);
  signal (number, SIG_DFL);
  raise (number);
}

int
main (int argument_count, char **arguments)
{
  unsigned tested = 0;
  signal (SIGABRT, tell_again);
  signal (SIGSEGV, tell_again);
  if (argument_count < 2)
    {
      fprintf (stderr, "usage: test-golden DIRECTORY [NAME …]\n");
      return 2;
    }
  for (unsigned codec = 0; codec < STORY_CODECS; codec++)
    for (int killed = 0; killed < 2; killed++)
      {
        char name[64];
        snprintf (name, sizeof name, "%s-%s", story_codec_names[codec],
                  killed ? "killed" : "closed");
        if (!is_asked_for (name, argument_count, arguments))
          continue;
        snprintf (present, sizeof present, "%s %s %s", arguments[0], arguments[1], name);
        test_one (arguments[1], codec, killed, name);
        tested++;
      }
  CHECK (tested > 0);
  return 0;
}
