/* SPDX-License-Identifier: MIT */
/* Upkeep through the engine's own header: the loader here, backup, restore, check and repair
 * beside. */
#include "filled-engine.h"

#include "replaced-vfs.h"

#include <pthread.h>
#include <sys/wait.h>

/* ---- loader ---- */

static void
load_range (struct engine_loader *loader, engine_store store, unsigned from, unsigned to,
            unsigned round)
{
  char key[64], value[9100];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_loader_put (loader, store, number_key (key, i), number_value (value, i, round),
                                 &failure));
}

static void
test_load_sorted (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_loader *loader;
  uint64_t sequence;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  load_range (loader, ENGINE_STORE_DEFAULT, 0, 20000, 1);
  CHECK_INT (engine_loader_count (loader), 20000);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 0);
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  CHECK_INT (sequence, 1); /* nobody else committed, so no number was skipped */
  CHECK_FAILS (
      engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"), BYTES_NONE, &failure),
      STATUS_CLOSED);
  engine_loader_free (loader);
  CHECK_INT (engine_sequence (engine), 1);
  CHECK_INT (engine_durable_sequence (engine), 1);
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  check_range_of (engine, 0, 20000, 1);
  put_range (engine, 20000, 20100, 1); /* the log goes on */
  CHECK_INT (engine_sequence (engine), 101);
  close_it (engine);
  engine = open_small (path);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 20100);
  check_range_of (engine, 19000, 20100, 1);
  close_it (engine);
  remove_directory (path);
}

static void
test_load_unsorted (void)
{
  enum
  {
    KEYS = 6000,
    PUTS = 40000
  };
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct random random = { 7 };
  unsigned *rounds = calloc (KEYS, sizeof *rounds);
  engine_store store;
  char key[64], value[9100];
  CHECK_OK (engine_store_open (engine, "other", true, &store, &failure));
  put_range (engine, 0, KEYS, 0); /* to be replaced */
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  struct engine_loader *loader;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 1; i <= PUTS; i++)
    {
      unsigned number = (unsigned) random_below (&random, KEYS);
      rounds[number] = i;
      CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, number),
                                   number_value (value, number, i), &failure));
      if (i % 4000 == 0) /* others commit beside it */
        put_range (engine, KEYS, KEYS + 50, i);
    }
  load_range (loader, store, 0, 500, 9);
  uint64_t sequence, before = engine_sequence (engine);
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  CHECK (sequence > before);
  CHECK_INT (engine_sequence (engine), sequence);
  for (int again = 0; again < 2; again++)
    {
      for (unsigned i = 0; i < KEYS; i++)
        check_one (engine, ENGINE_STORE_DEFAULT, i, rounds[i]);
      check_range_of (engine, KEYS, KEYS + 50, PUTS);
      for (unsigned i = 0; i < 500; i++)
        check_one (engine, store, i, 9);
      CHECK_INT (count_keys (engine, store), 500);
      if (again == 0)
        {
          struct engine_value old;
          CHECK_OK (engine_get_value (engine, snapshot, ENGINE_STORE_DEFAULT, number_key (key, 97),
                                      &old, &failure));
          CHECK (bytes_equal (old.data, number_value (value, 97, 0)));
          engine_value_release (&old);
          CHECK_FAILS (
              engine_get_value (engine, snapshot, store, number_key (key, 1), &old, &failure),
              STATUS_NOT_FOUND);
          engine_snapshot_free (snapshot);
          put_range (engine, KEYS + 60, KEYS + 70, 1);
          close_it (engine);
          engine = open_small (path);
        }
    }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (unsigned i = 0; i < KEYS; i += 7)
    check_one (engine, ENGINE_STORE_DEFAULT, i, rounds[i]);
  close_it (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  free (rounds);
  remove_directory (path);
}

static void
test_load_given_up (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_loader *loader;
  put_range (engine, 0, 100, 1);
  CHECK_OK (engine_flush (engine, &failure));
  unsigned files = count_files (path, ".seg");
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  load_range (loader, ENGINE_STORE_DEFAULT, 50, 5000, 2);
  CHECK (count_files (path, ".seg") > files);
  engine_loader_free (loader);
  CHECK_INT (count_files (path, ".seg"), files);
  check_range_of (engine, 0, 100, 1);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 100);

  CHECK_OK (engine_loader_new (engine, &loader, &failure)); /* nothing put: nothing committed */
  uint64_t sequence, before = engine_sequence (engine);
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  CHECK_INT (sequence, before);
  engine_loader_free (loader);

  CHECK_OK (engine_loader_new (engine, &loader, &failure)); /* closing does not wait for it */
  load_range (loader, ENGINE_STORE_DEFAULT, 50, 5000, 2);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_loader_commit (loader, &sequence, &failure), STATUS_CLOSED);
  engine_unref (engine);
  engine_loader_free (loader);
  engine = open_small (path);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 100);

  CHECK_OK (engine_loader_new (engine, &loader, &failure)); /* in a child it is of no use */
  load_range (loader, ENGINE_STORE_DEFAULT, 50, 5000, 2);
  unsigned pieces = count_files (path, ".seg");
  pid_t child = fork ();
  if (child == 0)
    {
      CHECK_FAILS (engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"), BYTES_NONE,
                                      &failure),
                   STATUS_FORKED);
      engine_loader_free (loader);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
  CHECK_INT (count_files (path, ".seg"), pieces);
  engine_loader_free (loader);

  engine_store store; /* a store that is dropped meanwhile takes nothing */
  CHECK_OK (engine_store_open (engine, "gone", true, &store, &failure));
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  load_range (loader, store, 0, 10, 1);
  CHECK_OK (engine_store_drop (engine, "gone", &failure));
  CHECK_FAILS (engine_loader_commit (loader, NULL, &failure), STATUS_NOT_FOUND);
  engine_loader_free (loader);
  CHECK_INT (count_keys (engine, store), 0);
  close_it (engine);
  remove_directory (path);
}

/* A process that dies before, and one that dies right after the commit. */
static void
test_load_killed (void)
{
  for (int committed = 0; committed < 2; committed++)
    {
      char *path = fresh_directory ();
      pid_t child = fork ();
      if (child == 0)
        {
          struct engine *engine = open_small (path);
          struct engine_loader *loader;
          put_range (engine, 0, 3000, 1);
          CHECK_OK (engine_loader_new (engine, &loader, &failure));
          load_range (loader, ENGINE_STORE_DEFAULT, 1000, 8000, 2);
          load_range (loader, ENGINE_STORE_DEFAULT, 500, 600, 2);
          if (committed)
            CHECK_OK (engine_loader_commit (loader, NULL, &failure));
          put_range (engine, 9000, 9100, 1);
          _exit (0);
        }
      int state;
      waitpid (child, &state, 0);
      CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
      struct engine_check_report report;
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.log && (committed || !report.no_orphans));
      struct engine *engine = open_small (path);
      check_range_of (engine, 0, 500, 1);
      check_range_of (engine, 500, 600, committed ? 2 : 1);
      check_range_of (engine, 1000, 3000, committed ? 2 : 1);
      check_range_of (engine, 9000, 9100, 1);
      CHECK_INT (has (engine, ENGINE_STORE_DEFAULT, 7000), committed);
      CHECK_OK (engine_wait_settled (engine, 300000000, &failure));
      struct engine_statistics statistics;
      engine_statistics (engine, &statistics);
      close_it (engine);
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans);
      CHECK_INT (report.segments, count_files (path, ".seg"));
      remove_directory (path);
    }
}

/* A load that meets a full disk can go on once there is room. */
static void
test_load_full_disk (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_on_disk (path);
  struct engine_loader *loader;
  char key[64], value[9100];
  unsigned refused = 0;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 4000; i-- > 0;)
    {
      if (i == 2000)
        atomic_store (&disk_left, 50000);
      struct failure cause = FAILURE_INIT;
      while (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, i),
                                number_value (value, i, 1), &cause)
             != STATUS_OK)
        {
          CHECK_INT (cause.code, STATUS_NO_SPACE);
          if (++refused % 3 == 0)
            atomic_store (&disk_left, INT64_MAX);
          cause = FAILURE_INIT;
        }
    }
  CHECK (refused > 0);
  CHECK_INT (engine_loader_count (loader), 4000);
  atomic_store (&disk_left, 0);
  CHECK_FAILS (engine_loader_commit (loader, NULL, &failure), STATUS_NO_SPACE);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 0);
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
  check_range_of (engine, 0, 4000, 1);
  close_it (engine);
  remove_directory (path);
}

/* A compaction that meets a full disk takes the room back that it took, wherever it was. */
static void
test_compact_full_disk (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_on_disk (path);
  struct engine_statistics statistics;
  put_range (engine, 0, 16000, 1);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  put_range (engine, 0, 16000, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  unsigned refused = 0;
  for (int64_t left = 30000;; left += 30000, refused++)
    {
      struct failure cause = FAILURE_INIT;
      atomic_store (&disk_left, left);
      status result = engine_compact (engine, NULL, NULL, &cause);
      engine_statistics (engine, &statistics);
      CHECK_INT (count_files (path, ".seg"), statistics.segments);
      if (result == STATUS_OK)
        break;
      CHECK_INT (result, STATUS_NO_SPACE);
    }
  CHECK (refused > 4 && statistics.segments > 1);
  atomic_store (&disk_left, INT64_MAX);
  check_range_of (engine, 0, 16000, 2);
  close_it (engine);
  remove_directory (path);
}

/* All or nothing at any time: readers see either no loaded key or all of them. */
static void *
read_beside (void *data)
{
  struct beside *beside = data;
  struct failure mine = FAILURE_INIT;
  char key[64], buffer[64];
  size_t size;
  while (!atomic_load (&beside->stop))
    {
      struct engine_snapshot *snapshot;
      CHECK (engine_snapshot_new (beside->engine, &snapshot, &mine) == STATUS_OK);
      int seen = -1;
      for (unsigned number = 0; number < 6000; number += 1999)
        {
          int there = engine_get (beside->engine, snapshot, ENGINE_STORE_DEFAULT,
                                  number_key (key, number), buffer, sizeof buffer, &size, &mine)
                      == STATUS_OK;
          CHECK (seen == -1 || seen == there);
          seen = there;
        }
      engine_snapshot_free (snapshot);
    }
  return NULL;
}

static void
test_load_beside_writers (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct beside writers[3] = {
    { .engine = engine, .sync = ENGINE_SYNC_ASYNC, .first = 100000 },
    { .engine = engine, .sync = ENGINE_SYNC_FULL, .first = 200000 },
    { .engine = engine, .sync = ENGINE_SYNC_FULL, .first = 300000 },
  };
  struct beside reader = { .engine = engine };
  pthread_t threads[4];
  for (int i = 0; i < 3; i++)
    pthread_create (&threads[i], NULL, write_beside, &writers[i]);
  pthread_create (&threads[3], NULL, read_beside, &reader);
  for (unsigned round = 1; round <= 3; round++)
    {
      struct engine_loader *loader;
      uint64_t sequence;
      CHECK_OK (engine_loader_new (engine, &loader, &failure));
      load_range (loader, ENGINE_STORE_DEFAULT, 3000, 6000, round);
      load_range (loader, ENGINE_STORE_DEFAULT, 0, 3500, round);
      CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
      engine_loader_free (loader);
      CHECK (engine_sequence (engine) >= sequence);
      check_range_of (engine, 0, 6000, round);
    }
  for (int i = 0; i < 3; i++)
    {
      while (atomic_load (&writers[i].commits) == 0) /* it has not got a core yet */
        usleep (1000);
      atomic_store (&writers[i].stop, true);
      pthread_join (threads[i], NULL);
    }
  atomic_store (&reader.stop, true);
  pthread_join (threads[3], NULL);
  close_it (engine);
  engine = open_small (path);
  check_range_of (engine, 0, 6000, 3);
  close_it (engine);
  remove_directory (path);
}

/* ---- a commit that comes in between ---- */

/* Somebody commits while the flush of a load's commit writes a segment: once, not again. */
static struct
{
  struct vfs disk;
  struct engine *engine;
  pthread_t loads; /* the thread that does: what it writes itself is the load */
  _Atomic bool armed;
  uint64_t sequence; /* of that commit */
} between;

static void *
commit_between (void *data)
{
  struct failure mine = FAILURE_INIT;
  CHECK (engine_put (data, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-00000007"),
                     BYTES_LITERAL ("in between"), ENGINE_SYNC_FULL, &between.sequence, &mine)
         == STATUS_OK);
  return NULL;
}

static status
write_between (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
               struct failure *cause)
{
  if (strstr (file->name, ".seg") != NULL && !pthread_equal (pthread_self (), between.loads)
      && atomic_exchange (&between.armed, false))
    {
      pthread_t thread;
      pthread_create (&thread, NULL, commit_between, between.engine);
      pthread_join (thread, NULL);
    }
  return vfs_posix ()->write (file, offset, from, size, cause);
}

/* B2, B3: somebody takes the very number that a load was written with, after it was last looked at:
 * the load gets another, and what it says of a key is the newer. */
static void
test_load_overtaken (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  struct engine_loader *loader;
  uint64_t sequence;
  between.disk = replaced_vfs ();
  between.disk.write = write_between;
  options.vfs = &between.disk;
  struct engine *engine = between.engine = open_with (path, &options);
  put_range (engine, 5000, 5010, 1); /* to be flushed first */
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  load_range (loader, ENGINE_STORE_DEFAULT, 0, 100, 2);
  between.loads = pthread_self ();
  atomic_store (&between.armed, true);
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  CHECK_INT (between.sequence, 11); /* as the load would have been, had nobody come */
  CHECK (sequence > between.sequence);
  CHECK_INT (engine_sequence (engine), sequence);
  for (int again = 0; again < 2; again++)
    {
      check_range_of (engine, 0, 100, 2);
      check_range_of (engine, 5000, 5010, 1);
      close_it (engine);
      engine = open_small (path);
    }
  close_it (engine);
  remove_directory (path);
}

int
main (void)
{
  test_load_sorted ();
  test_load_unsorted ();
  test_load_given_up ();
  test_load_killed ();
  test_load_full_disk ();
  test_compact_full_disk ();
  test_load_beside_writers ();
  test_load_overtaken ();
  test_backup ();
  test_backup_refused ();
  test_compact_within_itself ();
  test_backup_cancelled ();
  test_backup_copies ();
  test_backup_of_growing_blobs ();
  test_backup_of_open_blobs ();
  test_backup_beside_writers ();
  test_backup_read_only ();
  test_backup_unreadable ();
  test_restore_after_kill ();
  test_check_and_repair_sound ();
  test_foreign_manifest ();
  test_damaged_page ();
  test_damaged_header ();
  test_lost_catalogue ();
  test_lost_span ();
  test_lost_first_versions ();
  test_repair_versions ();
  test_damaged_manifest ();
  test_damaged_blob ();
  test_damaged_synced_value ();
  test_unsynced_value ();
  test_damage_everywhere ();
  test_replaced_beside ();
  test_missing_segment ();
  test_repair_log ();
  test_repair_cut_short ();
  return 0;
}
