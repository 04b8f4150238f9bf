/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the page through which a writing process tells others what is visible, with a writer
 * that seems to live and one that does not, beside files of a database that changes meanwhile.
 * Whatever the page says, a reader sees commits that are in the files, none of them in part, and
 * never goes back.
 *
 *   flags 1, then up to four states as they stand in the page, 72 bytes each (core/sharing.h)
 */
#include "fuzz-files.h"

#include "base/coding.h"
#include "core/sharing.h"
#include "engine.h"
#include "version/manifest-private.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define MENDED 1u      /* magic, version, database and checksum are as they should be */
#define LIVES 2u       /* somebody holds the lock of the life that the state tells of */
#define SHORT 4u       /* the page is cut */
#define NEAR 8u        /* the commits told of are near those that there are */
#define SWITCHES 16u   /* the files are those after a compaction before the second state */
#define FROM_LATER 32u /* they are from the beginning */
#define STATE_SIZE 72u /* bytes of the page up to the end of the words */
#define STATES_MAX 4u
#define COMMITS 60u /* each of one key; number 41 is a large value */
#define LARGE_VALUE 9000u
#define MANIFEST_MOST 65536u

/* What CURRENT and the manifest hold; segments and logs of all stages lie beside. */
struct stage
{
  char current[CURRENT_SIZE_MAX];
  char name[FILE_NAME_SIZE]; /* of the manifest */
  uint8_t manifest[MANIFEST_MOST];
  size_t size; /* of the manifest */
};

static char *path;             /* the files that a reader follows */
static struct stage stages[2]; /* before and after a compaction */
static uint8_t database_id[16];

/* ---- the database ---- */

static size_t
read_whole (const char *directory, const char *name, uint8_t *to, size_t room)
{
  char whole[PATH_MAX];
  snprintf (whole, sizeof whole, "%s/%s", directory, name);
  FILE *file = fopen (whole, "rb");
  CHECK (file != NULL);
  size_t size = fread (to, 1, room, file);
  fclose (file);
  return size;
}

static void
write_whole (const char *name, const void *content, size_t size)
{
  char whole[PATH_MAX];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  int descriptor = open (whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK (descriptor >= 0 && write (descriptor, content, size) == (ssize_t) size);
  close (descriptor);
}

static void
put_some (struct engine *engine, unsigned *commit, unsigned until)
{
  static uint8_t value[LARGE_VALUE];
  struct failure failure = FAILURE_INIT;
  char key[16];
  for (; *commit < until; ++*commit)
    {
      snprintf (key, sizeof key, "key-%03u", *commit);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                            BYTES (value, *commit == 40 ? LARGE_VALUE : 20 + *commit),
                            ENGINE_SYNC_ASYNC, NULL, &failure));
    }
}

/* Adds the files as they are now, as if the process were killed here. */
static void
keep_files (const char *from, unsigned stage)
{
  struct stage *kept = &stages[stage];
  char command[3 * PATH_MAX];
  snprintf (command, sizeof command, "cp -- '%s'/* '%s'/", from, path);
  CHECK (system (command) == 0);
  read_whole (from, CURRENT_NAME, (uint8_t *) kept->current, sizeof kept->current - 1);
  size_t length = strcspn (kept->current, "\n");
  CHECK (length < sizeof kept->name);
  memcpy (kept->name, kept->current, length);
  kept->name[length] = '\0';
  kept->size = read_whole (from, kept->name, kept->manifest, sizeof kept->manifest);
  CHECK (kept->size < sizeof kept->manifest);
}

static void
show_stage (const struct stage *stage)
{
  write_whole (stage->name, stage->manifest, stage->size);
  write_whole (CURRENT_NAME, stage->current, strlen (stage->current));
}

static void
begin (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  unsigned commit = 0;
  char *from = fuzz_files_directory ("written");
  path = fuzz_files_directory ("followed");
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.log_segment_size = 64 << 10;
  options.merge_enabled = false;
  options.change_retention = 1 << 20;
  CHECK_OK (engine_open (from, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  engine_database_id (engine, database_id);
  put_some (engine, &commit, 20);
  CHECK_OK (engine_flush (engine, &failure));
  put_some (engine, &commit, 30);
  CHECK_OK (engine_flush (engine, &failure));
  put_some (engine, &commit, 45);
  keep_files (from, 0);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  put_some (engine, &commit, COMMITS);
  keep_files (from, 1);
  CHECK (stages[0].size != stages[1].size || strcmp (stages[0].name, stages[1].name) != 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  fuzz_files_clear (from);
  free (from);
}

/* ---- the page ---- */

static struct shared_page *
open_page (void)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory;
  struct shared_page *page;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (shared_page_open (directory, SHARED_PAGE_NAME, true, &page, &failure));
  vfs_directory_close (directory);
  return page;
}

/* As a writer would tell it, of the numbers that stand in the bytes. */
static void
tell_mended (struct shared_page *page, const uint8_t *bytes, unsigned flags)
{
  struct shared_state state = { .live = true };
  memcpy (state.database_id, database_id, 16);
  state.life = load_u64 (bytes + 32);
  state.published = load_u64 (bytes + 40);
  state.files = load_u64 (bytes + 48);
  state.published
      = (flags & NEAR) != 0 ? state.published % (COMMITS + 3) : state.published & SEQUENCE_MAX;
  CHECK (shared_state_write (page, &state));
}

/* Puts one state into the page and takes the lock that goes with it. *locked: what was locked. */
static void
tell (struct shared_page *page, const uint8_t *bytes, unsigned flags, uint64_t *locked)
{
  struct shared_state state;
  uint32_t word = shared_word_read (page, SHARED_CHANGE) + 1;
  CHECK (shared_page_write (page, 0, bytes, STATE_SIZE));
  if ((flags & MENDED) != 0)
    tell_mended (page, bytes, flags);
  if (shared_state_read (page, &state) && (flags & LIVES) != 0 && state.life != 0)
    {
      uint64_t position = shared_alive (state.life);
      if (*locked != 0 && *locked != position)
        shared_page_unlock (page, *locked);
      if (shared_page_lock (page, position, true))
        *locked = position;
      state.live = true; /* else who opens waits a second for an answer */
      shared_state_write (page, &state);
    }
  shared_page_write (page, SHARED_CHANGE, &word, sizeof word);
  shared_page_wake (page, SHARED_CHANGE);
}

/* ---- the reader ---- */

/* Commit i is key i, so what is visible can be counted. */
static void
read_visible (struct engine *engine, uint64_t *before)
{
  struct failure failure = FAILURE_INIT;
  struct engine_snapshot *snapshot;
  struct engine_cursor *cursor;
  struct bytes value;
  uint64_t count = 0;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  uint64_t sequence = engine_snapshot_sequence (snapshot);
  CHECK (sequence >= *before && sequence <= COMMITS); /* O1 */
  *before = sequence;
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .snapshot = snapshot };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); count++)
    {
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      CHECK_INT (value.size, count == 40 ? LARGE_VALUE : 20 + count);
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  CHECK_INT (count, sequence);
  engine_cursor_free (cursor);
  engine_snapshot_free (snapshot);
}

/* All commits that are kept, as a feed tells them. */
static void
read_feed (struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  struct engine_feed *feed;
  struct engine_change change;
  struct engine_value value;
  uint64_t at = engine_history_oldest (engine), sequence;
  status result = engine_feed_new (engine, at, &feed, &failure);
  if (!fuzz_result (result, &failure))
    {
      CHECK_INT (result, STATUS_HISTORY_GONE);
      return;
    }
  while ((result = engine_feed_next_commit (feed, &sequence, &failure)) == STATUS_OK)
    {
      CHECK (sequence == ++at && sequence <= COMMITS);
      CHECK_OK (engine_feed_next_change (feed, &change, &failure));
      CHECK_INT (change.kind, ENGINE_CHANGE_PUT);
      CHECK_OK (engine_feed_value (feed, &value, &failure));
      CHECK_INT (value.data.size, sequence == 41 ? LARGE_VALUE : 20 + sequence - 1);
      engine_value_release (&value);
      CHECK_INT (engine_feed_next_change (feed, &change, &failure), STATUS_NOT_FOUND);
    }
  CHECK (result == STATUS_NOT_FOUND || result == STATUS_HISTORY_GONE);
  engine_feed_free (feed);
}

/* Gives the reader's thread a moment; what it makes of it is its own affair. */
static void
wait_for (struct engine *engine, uint64_t sequence)
{
  for (unsigned i = 0; i < 40 && engine_sequence (engine) < sequence; i++)
    usleep (100);
}

static void
follow (struct shared_page *page, const uint8_t *data, size_t size, unsigned flags)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  uint64_t seen = 0, locked = 0;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  tell (page, data, flags, &locked);
  if (!fuzz_result (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
                    &failure))
    return;
  read_visible (engine, &seen);
  for (unsigned i = 1; i < STATES_MAX && (i + 1) * STATE_SIZE <= size; i++)
    {
      if (i == 1 && (flags & SWITCHES) != 0)
        show_stage (&stages[1]);
      tell (page, data + i * STATE_SIZE, flags, &locked);
      wait_for (engine, seen + 1);
      read_visible (engine, &seen);
    }
  if (locked != 0)
    {
      shared_page_unlock (page, locked); /* the writer is gone */
      wait_for (engine, COMMITS);
      read_visible (engine, &seen);
    }
  read_feed (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (path == NULL)
    begin ();
  if (size < 1 + STATE_SIZE)
    return 0;
  unsigned flags = data[0];
  show_stage (&stages[(flags & FROM_LATER) != 0]);
  write_whole (SHARED_PAGE_NAME, "", 0);
  struct shared_page *page = open_page ();
  if ((flags & SHORT) != 0)
    write_whole (SHARED_PAGE_NAME, data, STATE_SIZE);
  follow (page, data + 1, size - 1, flags);
  shared_page_close (page);
  return 0;
}
