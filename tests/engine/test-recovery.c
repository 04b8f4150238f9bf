/* SPDX-License-Identifier: MIT */
/* A long log becomes a run that several threads write, each a part of it. */
#include "base/random.h"
#include "check.h"
#include "directory-files.h"
#include "replaced-vfs.h"
#include "small-engine.h"
#include "sound-database.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 20000u
#define WRITES 60000u
#define VALUE_SIZE 150u

static struct failure failure;

/* All of the log fits one piece, and is enough for four parts. */
static struct engine_options
long_log_options (void)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = UINT64_C (256) << 20;
  options.memtable_size = UINT64_C (64) << 20;
  options.compression = ENGINE_COMPRESSION_NONE;
  options.merge_enabled = false;
  options.merge_workers = 4;
  return options;
}

/* What a key holds; 0: nothing. */
static uint32_t held[KEYS];

static struct bytes
value_of (uint8_t to[VALUE_SIZE], uint32_t write)
{
  memset (to, (int) (write % 251), VALUE_SIZE);
  memcpy (to, &write, sizeof write);
  return BYTES (to, VALUE_SIZE);
}

enum shape
{
  SHAPE_ALL,    /* all kinds of writes to all keys */
  SHAPE_ONE,    /* one key, put again and again */
  SHAPE_RANGES, /* nothing but deletes of ranges */
};

static void
do_write (struct engine *engine, enum shape shape, uint32_t write, struct random *random)
{
  char key[32], end[32];
  uint8_t value[VALUE_SIZE];
  unsigned first = shape == SHAPE_ONE ? 7 : (unsigned) random_below (random, KEYS);
  unsigned kind = shape == SHAPE_ONE ? 500 : (unsigned) random_below (random, 1000);
  if (shape == SHAPE_RANGES)
    kind = 0;
  if (kind < 2) /* a range, now and then nearly all of them */
    {
      unsigned most = kind == 0 ? 40 : KEYS - first;
      unsigned last = first + 1 + (unsigned) random_below (random, most);
      if (engine != NULL)
        CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, number_key (key, first),
                                       number_key (end, last), ENGINE_SYNC_DEFAULT, NULL,
                                       &failure));
      for (unsigned i = first; i < last && i < KEYS; i++)
        held[i] = 0;
      return;
    }
  bool deletes = kind < 150;
  if (engine != NULL && deletes)
    CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, first),
                             ENGINE_SYNC_DEFAULT, NULL, &failure));
  else if (engine != NULL)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, first),
                          value_of (value, write), ENGINE_SYNC_DEFAULT, NULL, &failure));
  held[first] = deletes ? 0 : write;
}

static void
do_writes (struct engine *engine, enum shape shape)
{
  struct random random = { .state = 11 + (unsigned) shape };
  memset (held, 0, sizeof held);
  for (uint32_t write = 1; write <= WRITES; write++)
    do_write (engine, shape, write, &random);
}

static void
leave_a_log (const char *path, enum shape shape)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct engine_options options = long_log_options ();
      do_writes (open_with (path, &options), shape);
      _exit (0);
    }
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  CHECK_INT (ended, 0);
}

/* By key, and in order. */
static void
check_contents (struct engine *engine)
{
  char key[32];
  uint8_t value[VALUE_SIZE];
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (unsigned i = 0; i < KEYS; i++)
    {
      struct engine_value found;
      status expected = held[i] != 0 ? STATUS_OK : STATUS_NOT_FOUND;
      CHECK_INT (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, i), &found,
                                   &failure),
                 expected);
      if (held[i] == 0)
        continue;
      CHECK (bytes_equal (found.data, value_of (value, held[i])));
      engine_value_release (&found);
      CHECK (engine_cursor_valid (cursor));
      CHECK (bytes_equal (engine_cursor_key (cursor), number_key (key, i)));
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  CHECK (!engine_cursor_valid (cursor));
  engine_cursor_free (cursor);
}

static void
test_parts (enum shape shape, unsigned segments)
{
  char *path = fresh_directory ();
  struct engine_options options = long_log_options ();
  struct engine_statistics statistics;
  leave_a_log (path, shape);
  struct engine *engine = open_with (path, &options);
  CHECK_INT (engine_sequence (engine), WRITES);
  do_writes (NULL, shape);
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, segments > 0 ? 1 : 0);
  CHECK_INT (statistics.segments, segments);
  check_contents (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_contents (engine);
  close_it (engine);
  check_sound (path);
  remove_directory (path);
}

/* Y4: who only reads, and replayed a log, reads the large values that it refers to when a writer has
 * long given their file up. */
static void
test_reader_holds_values (void)
{
  static const uint8_t value[20000] = { 1 };
  char *path = fresh_directory ();
  struct engine *reader, *writer;
  struct engine_value got;
  int ended;
  pid_t child = fork ();
  if (child == 0)
    {
      CHECK_OK (engine_put (open_small (path), ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"),
                            BYTES (value, sizeof value), ENGINE_SYNC_FULL, NULL, &failure));
      _exit (0);
    }
  CHECK (waitpid (child, &ended, 0) == child && ended == 0);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, NULL, &reader,
                         &failure));
  writer = open_small (path);
  CHECK_OK (engine_delete (writer, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
  close_it (writer);
  CHECK_INT (count_files (path, ".blob"), 0);
  CHECK_OK (engine_get_value (reader, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"), &got,
                              &failure));
  CHECK (bytes_equal (got.data, BYTES (value, sizeof value)));
  engine_value_release (&got);
  close_it (reader);
  remove_directory (path);
}

/* ---- a full disk ---- */

static _Atomic int64_t disk_left; /* bytes that segments may still take */

static status
disk_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
            struct failure *cause)
{
  if (strstr (file->name, ".seg") != NULL
      && atomic_fetch_sub (&disk_left, (int64_t) size) < (int64_t) size)
    return fail (cause, STATUS_NO_SPACE, "no room for %s", file->name);
  return vfs_posix ()->write (file, offset, from, size, cause);
}

/* T2 of core/flush-sorted.c: when one part finds no room, the others' files go, too. */
static void
test_part_without_room (void)
{
  char *path = fresh_directory ();
  struct engine_options options = long_log_options ();
  struct vfs disk = replaced_vfs ();
  struct engine *engine;
  disk.write = disk_write;
  options.vfs = &disk;
  leave_a_log (path, SHAPE_ALL);
  for (int64_t room = 64 << 10; room <= 768 << 10; room += 64 << 10)
    {
      atomic_store (&disk_left, room);
      CHECK_FAILS (engine_open (path, 0, &options, &engine, &failure), STATUS_NO_SPACE);
      CHECK_INT (count_files (path, ".seg"), 0);
    }
  atomic_store (&disk_left, INT64_MAX);
  engine = open_with (path, &options);
  do_writes (NULL, SHAPE_ALL);
  check_contents (engine);
  close_it (engine);
  remove_directory (path);
}

int
main (void)
{
  test_reader_holds_values ();
  test_parts (SHAPE_ALL, 4);
  test_parts (SHAPE_ONE, 1);
  test_parts (SHAPE_RANGES, 0); /* there is nothing to delete */
  test_part_without_room ();
  return 0;
}
