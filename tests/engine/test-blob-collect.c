/* SPDX-License-Identifier: MIT */
/* Blob files give space back: overwritten and deleted values, stores emptied, a snapshot held, a
 * kill in the middle, and values that do not verify. */
#include "core/blob-collect.h"
#include "faulty-disk.h"
#include "small-engine.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define VALUE 50000u
#define KEYS 400u /* about 20 MB */

static struct failure failure;

static const struct vfs *disk; /* NULL = the operating system's */

static struct engine *
open_merging (const char *path, bool merging)
{
  struct engine_options options = small_options ();
  options.segment_file_size = 8 << 10;
  options.log_segment_size = 256 << 10;
  options.merge_enabled = merging;
  options.vfs = disk;
  return open_with (path, &options);
}

static struct bytes
number_value (uint8_t *to, unsigned number, unsigned round)
{
  uint32_t state = number * 2654435761u + round * 40503u;
  size_t size = VALUE + number % 1000;
  for (size_t i = 0; i < size; i++)
    {
      state = state * 1664525u + 1013904223u;
      to[i] = (uint8_t) (state >> 24);
    }
  return BYTES (to, size);
}

static void
put (struct engine *engine, unsigned number, unsigned round)
{
  static uint8_t value[VALUE + 1000];
  char key[64];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                        number_value (value, number, round), ENGINE_SYNC_ASYNC, NULL, &failure));
}

static void
check_number (struct engine *engine, struct engine_snapshot *snapshot, unsigned number,
              unsigned round)
{
  static uint8_t value[VALUE + 1000];
  struct engine_value got;
  char key[64];
  status result = engine_get_value (engine, snapshot, ENGINE_STORE_DEFAULT,
                                    number_key (key, number), &got, &failure);
  if (round == 0)
    {
      CHECK_INT (result, STATUS_NOT_FOUND);
      return;
    }
  CHECK_INT (result, STATUS_OK);
  CHECK (bytes_equal (got.data, number_value (value, number, round)));
  engine_value_release (&got);
}

static void
check_all (struct engine *engine, struct engine_snapshot *snapshot, const uint8_t *rounds)
{
  for (unsigned i = 0; i < KEYS; i++)
    check_number (engine, snapshot, i, rounds[i]);
}

static uint64_t
live_bytes (const uint8_t *rounds)
{
  uint64_t bytes = 0;
  for (unsigned i = 0; i < KEYS; i++)
    bytes += rounds[i] != 0 ? VALUE + i % 1000 : 0;
  return bytes;
}

static uint64_t
blob_bytes (struct engine *engine)
{
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  return statistics.blob_bytes;
}

static void
settle (struct engine *engine)
{
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
}

static void
write_all (struct engine *engine, uint8_t *rounds, unsigned step, unsigned round)
{
  for (unsigned i = 0; i < KEYS; i += step)
    {
      put (engine, i, round);
      rounds[i] = (uint8_t) round;
    }
}

/* The background collects by itself, also while a snapshot and a cursor stand on old values. */
static void
test_background (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_merging (path, true);
  static uint8_t rounds[KEYS], before[KEYS];
  memset (rounds, 0, sizeof rounds);
  write_all (engine, rounds, 1, 1);
  struct engine_snapshot *snapshot;
  struct engine_cursor *cursor; /* stands on a memtable whose values are then moved */
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  memcpy (before, rounds, sizeof before);
  for (unsigned round = 2; round <= 4; round++)
    {
      write_all (engine, rounds, 1, round);
      settle (engine);
    }
  check_all (engine, NULL, rounds);
  check_all (engine, snapshot, before);
  CHECK (blob_bytes (engine) < 5 * live_bytes (rounds));

  static uint8_t value[VALUE + 1000];
  for (unsigned i = 0; i < KEYS; i++)
    {
      struct bytes got;
      CHECK (engine_cursor_valid (cursor));
      CHECK_OK (engine_cursor_value (cursor, &got, &failure));
      CHECK (bytes_equal (got, number_value (value, i, 1)));
      CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
  engine_snapshot_free (snapshot);

  write_all (engine, rounds, 1, 5);
  settle (engine);
  CHECK (blob_bytes (engine) < 2 * live_bytes (rounds) + (6 << 20));
  check_all (engine, NULL, rounds);

  /* All but every tenth go, which only a merge of everything finds out. */
  for (unsigned i = 0; i < KEYS; i++)
    if (i % 10 != 0)
      {
        char key[64];
        CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                                 ENGINE_SYNC_ASYNC, NULL, &failure));
        rounds[i] = 0;
      }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK (blob_bytes (engine) < live_bytes (rounds) + (1 << 20));
  check_all (engine, NULL, rounds);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  engine = open_merging (path, true);
  check_all (engine, NULL, rounds);
  engine_unref (engine);
  remove_directory (path);
}

/* engine_compact leaves hardly anything that is dead; a store emptied by a range delete is gone. */
static void
test_compact (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_merging (path, false);
  static uint8_t rounds[KEYS];
  memset (rounds, 0, sizeof rounds);
  write_all (engine, rounds, 1, 1);
  CHECK_OK (engine_flush (engine, &failure));
  write_all (engine, rounds, 5, 2); /* a fifth of the first file is dead */
  CHECK_OK (engine_flush (engine, &failure));
  CHECK (blob_bytes (engine) > live_bytes (rounds) + live_bytes (rounds) / 6);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK (blob_bytes (engine) < live_bytes (rounds) + live_bytes (rounds) / 10);
  check_all (engine, NULL, rounds);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_all (engine, NULL, rounds);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  engine = open_merging (path, false);
  check_all (engine, NULL, rounds);
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
  memset (rounds, 0, sizeof rounds);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (blob_bytes (engine), 0);
  check_all (engine, NULL, rounds);
  engine_unref (engine);
  remove_directory (path);
}

/* Values that are overwritten before they are ever flushed leave nothing behind either. */
static void
test_overwritten_in_memory (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_merging (path, true);
  static uint8_t rounds[KEYS];
  memset (rounds, 0, sizeof rounds);
  for (unsigned i = 0; i < 1200; i++)
    put (engine, i % 3, 1 + i % 7);
  for (unsigned i = 0; i < 3; i++)
    {
      put (engine, i, 9);
      rounds[i] = 9;
    }
  settle (engine);
  CHECK (blob_bytes (engine) < (1 << 20));
  check_all (engine, NULL, rounds);
  engine_unref (engine);
  remove_directory (path);
}

/* A child overwrites and compacts without end; whenever it dies, what it acknowledged is there. */
static void
test_kill (void)
{
  char *path = fresh_directory ();
  for (unsigned attempt = 0; attempt < 4; attempt++)
    {
      int ends[2];
      CHECK (pipe (ends) == 0);
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          struct engine *engine = open_merging (path, true);
          for (unsigned round = 1 + attempt * 20;; round++)
            {
              for (unsigned i = 0; i < 60; i++)
                put (engine, i, round);
              if (write (ends[1], &round, sizeof round) != (ssize_t) sizeof round)
                _exit (1);
              CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
              if (round % 20 == 19)
                pause ();
            }
        }
      unsigned acknowledged = 0, round;
      close (ends[1]);
      CHECK (read (ends[0], &acknowledged, sizeof acknowledged) == (ssize_t) sizeof acknowledged);
      nanosleep (&(struct timespec){ 0, 60000000l + 70000000l * attempt }, NULL);
      kill (child, SIGKILL);
      CHECK (waitpid (child, NULL, 0) == child);
      while (read (ends[0], &round, sizeof round) == (ssize_t) sizeof round)
        acknowledged = round;
      close (ends[0]);
      struct engine *engine = open_merging (path, true);
      for (unsigned i = 0; i < 60; i++)
        {
          static uint8_t value[VALUE + 1000];
          struct engine_value got;
          char key[64];
          CHECK_OK (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, i), &got,
                                      &failure));
          CHECK (bytes_equal (got.data, number_value (value, i, acknowledged))
                 || bytes_equal (got.data, number_value (value, i, acknowledged + 1)));
          engine_value_release (&got);
        }
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      CHECK (blob_bytes (engine) < 2 * 60 * VALUE);
      engine_unref (engine);
    }
  remove_directory (path);
}

/* A damaged value is not carried on as if it were whole, and does not stop the rest. */
static void
test_damaged (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_merging (path, false);
  for (unsigned i = 0; i < 100; i++)
    put (engine, i, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  char command[700];
  snprintf (
      command, sizeof command,
      "for f in %s/*.blob; do printf x | dd of=$f bs=1 seek=2000 conv=notrunc 2>/dev/null; done",
      path);
  CHECK_INT (system (command), 0);
  engine = open_merging (path, false);
  for (unsigned i = 1; i < 80; i++)
    put (engine, i, 2);
  struct engine_statistics once, twice;
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  engine_statistics (engine, &once);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  engine_statistics (engine, &twice);
  CHECK_INT (twice.merges, once.merges + 1); /* none for what could not be read then */
  struct engine_value got;
  char key[64];
  CHECK_FAILS (
      engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, 0), &got, &failure),
      STATUS_CORRUPT);
  for (unsigned i = 1; i < 100; i++)
    check_number (engine, NULL, i, i < 80 ? 2 : 1);
  engine_unref (engine);
  remove_directory (path);
}

static void
delete_numbers (struct engine *engine, unsigned from, unsigned to)
{
  char key[64];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, i), ENGINE_SYNC_ASYNC,
                             NULL, &failure));
}

static bool
has_files_to_collect (struct engine *engine)
{
  struct blob_collection *collection;
  CHECK_OK (blob_collection_new (engine, true, &collection, &failure));
  bool has = collection != NULL;
  blob_collection_free (collection);
  return has;
}

/* C1: not while values may still come into a file, nor while commits that are only in memory refer
 * to it. */
static void
test_not_yet (void)
{
  char *path = fresh_directory ();
  disk = faulty_disk_new (false);
  struct engine *engine = open_merging (path, false);
  for (unsigned i = 0; i < 10; i++)
    put (engine, i, 1);
  delete_numbers (engine, 1, 10); /* before they are flushed: nine tenths of the file are dead */
  CHECK_OK (engine_flush (engine, &failure));
  CHECK (!has_files_to_collect (engine)); /* it takes new values */
  put (engine, 20, 1);
  CHECK_OK (commit_sync_blobs (engine, true, &failure));
  CHECK (!has_files_to_collect (engine)); /* the memtable refers to it, */
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
  CHECK (!has_files_to_collect (engine)); /* also when it waits to be flushed */
  faulty_disk_mend ();
  CHECK_OK (engine_flush (engine, &failure));
  CHECK (has_files_to_collect (engine));
  check_number (engine, NULL, 0, 1);
  check_number (engine, NULL, 20, 1);
  engine_unref (engine);
  remove_directory (path);
  disk = NULL;
}

/* A disk that fills up in the middle: the merge fails, nothing is lost, nothing half done is
 * left. */
static void
test_full_disk (void)
{
  char *path = fresh_directory ();
  disk = faulty_disk_new (false);
  struct engine *engine = open_merging (path, false);
  static uint8_t rounds[KEYS];
  memset (rounds, 0, sizeof rounds);
  write_all (engine, rounds, 1, 1);
  CHECK_OK (engine_flush (engine, &failure));
  write_all (engine, rounds, 3, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (blob_writer_seal (engine->blob_writer, &failure));
  uint64_t before = blob_bytes (engine);
  static const char *const kinds[] = { ".blob", ".seg", "MANIFEST" };
  for (unsigned i = 0; i < 3; i++)
    {
      faulty_disk_break (FAULTY_WRITE, ENOSPC, kinds[i]);
      CHECK_FAILS (engine_compact (engine, NULL, NULL, &failure), STATUS_NO_SPACE);
      faulty_disk_mend ();
      check_all (engine, NULL, rounds);
      CHECK (blob_bytes (engine) <= before);
    }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK (blob_bytes (engine) < live_bytes (rounds) + live_bytes (rounds) / 10);
  check_all (engine, NULL, rounds);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  disk = NULL;
  engine = open_merging (path, false);
  check_all (engine, NULL, rounds);
  engine_unref (engine);
  remove_directory (path);
}

/* A disk on which the edit that follows a new blob file can't be synced. */
static _Atomic bool blob_made;

static status
open_noting (struct vfs_directory *directory, const char *name, unsigned flags,
             struct vfs_file **out, struct failure *cause)
{
  if ((flags & VFS_CREATE) != 0 && strstr (name, ".blob") != NULL)
    blob_made = true;
  return replaced_open (directory, name, flags, out, cause);
}

static status
sync_refusing (struct vfs_file *file, struct failure *cause)
{
  if (blob_made && strstr (file->name, "MANIFEST") != NULL)
    return fail_system (cause, EIO, "%s cannot be synced", file->name);
  return vfs_posix ()->sync_data (file, cause);
}

/* Whether the edit that names the moved values' file is on the disk is unknown: the file stays. */
static void
test_unknown (void)
{
  char *path = fresh_directory ();
  static struct vfs noting;
  noting = replaced_vfs ();
  noting.open = open_noting;
  disk = &noting;
  struct engine *engine = open_merging (path, false);
  static uint8_t rounds[KEYS];
  memset (rounds, 0, sizeof rounds);
  write_all (engine, rounds, 1, 1);
  CHECK_OK (engine_flush (engine, &failure));
  write_all (engine, rounds, 3, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (blob_writer_seal (engine->blob_writer, &failure));
  blob_made = false;
  noting.sync_data = sync_refusing;
  CHECK_FAILS (engine_compact (engine, NULL, NULL, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK (blob_made);
  check_all (engine, NULL, rounds);
  failure = FAILURE_INIT;
  engine_close (engine, &failure);
  engine_unref (engine);
  disk = NULL;
  engine = open_merging (path, false);
  check_all (engine, NULL, rounds);
  engine_unref (engine);
  remove_directory (path);
}

/* A loader that lives for long keeps only what was written since it began. */
static void
test_beside_a_loader (void)
{
  char *path = fresh_directory (), key[64];
  struct engine *engine = open_merging (path, false);
  static uint8_t rounds[KEYS], value[VALUE + 1000];
  memset (rounds, 0, sizeof rounds);
  write_all (engine, rounds, 1, 1);
  CHECK_OK (engine_flush (engine, &failure));
  uint64_t before = blob_bytes (engine);
  struct engine_loader *loader;
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure)); /* so that the file is sealed */
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, KEYS),
                               number_value (value, KEYS, 1), &failure));
  for (unsigned i = 0; i < KEYS; i++)
    CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, i), ENGINE_SYNC_ASYNC,
                             NULL, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK (blob_bytes (engine) < before / 10);
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_number (engine, NULL, KEYS, 1);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

int
main (void)
{
  test_beside_a_loader ();
  test_kill ();
  test_compact ();
  test_background ();
  test_overwritten_in_memory ();
  test_damaged ();
  test_not_yet ();
  test_full_disk ();
  test_unknown ();
  return 0;
}
