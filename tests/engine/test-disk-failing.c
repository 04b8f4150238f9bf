/* SPDX-License-Identifier: MIT */
/* A disk that fails, and the order in which it is asked to sync. */
#include "disk-trial.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

/* ---- a failing disk ---- */

static void
failed_sync (bool unmapped, enum engine_sync sync)
{
  char *path = fresh_directory ();
  const struct vfs *vfs = faulty_disk_new (unmapped);
  struct engine *engine = open_on (path, vfs);
  put_numbers (engine, 0, 300);
  CHECK_OK (engine_sync (engine, &failure));
  faulty_disk_break (FAULTY_SYNC, EIO, ".log");
  if (sync == ENGINE_SYNC_FULL)
    {
      CHECK_INT (put_number (engine, 300, sync), STATUS_UNKNOWN_OUTCOME);
      CHECK (strstr (failure.message, ".log") != NULL);
      CHECK_INT (get_number (engine, 300), STATUS_NOT_FOUND); /* full: visible only once durable */
    }
  else
    {
      CHECK_OK (put_number (engine, 300, sync));
      CHECK_FAILS (engine_sync (engine, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK (strstr (failure.message, ".log") != NULL);
    }
  faulty_disk_mend (); /* a disk that works again proves nothing about what it lost */
  CHECK_INT (put_number (engine, 301, ENGINE_SYNC_DEFAULT), STATUS_UNKNOWN_OUTCOME);
  CHECK_INT (put_number (engine, 301, ENGINE_SYNC_FULL), STATUS_UNKNOWN_OUTCOME);
  CHECK_FAILS (engine_sync (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  check_numbers (engine, 0, 300);
  failure = FAILURE_INIT;
  engine_close (engine, &failure);
  engine_unref (engine);
  engine = open_on (path, vfs);
  check_numbers (engine, 0, 300);
  status after = get_number (engine, 300); /* unknown: there or not */
  CHECK (after == STATUS_OK || after == STATUS_NOT_FOUND);
  CHECK_INT (get_number (engine, 301), STATUS_NOT_FOUND);
  CHECK_OK (put_number (engine, 301, ENGINE_SYNC_FULL));
  engine_unref (engine);
  remove_directory (path);
}

void
test_failed_sync (void)
{
  failed_sync (false, ENGINE_SYNC_FULL);
  failed_sync (true, ENGINE_SYNC_FULL);
  failed_sync (false, ENGINE_SYNC_ASYNC);
  failed_sync (true, ENGINE_SYNC_ASYNC);
}

/* ---- the order of syncs ---- */

/* A commit that comes to the log while the one before it syncs its large value. */
static struct
{
  struct engine *engine;
  pthread_t first, second;     /* who commits */
  bool waits;                  /* the first one's next sync waits for the second's record */
  _Atomic unsigned blob_syncs; /* of files of large values */
} overlap;

static void *
commit_second (void *unused)
{
  char key[64];
  uint8_t value[10000];
  struct failure cause = FAILURE_INIT;
  (void) unused;
  CHECK (engine_put (overlap.engine, ENGINE_STORE_DEFAULT, number_key (key, 799),
                     number_value (value, 799), ENGINE_SYNC_FULL, NULL, &cause)
         == STATUS_OK);
  return NULL;
}

static status
overlapping_sync (struct vfs_file *file, struct failure *cause)
{
  if (strstr (file->name, ".blob") == NULL)
    return vfs_posix ()->sync_data (file, cause);
  status result = vfs_posix ()->sync_data (file, cause);
  overlap.blob_syncs++;
  if (pthread_equal (pthread_self (), overlap.first) && overlap.waits)
    {
      struct wal *wal = overlap.engine->wal;
      uint64_t before = wal_appended (wal);
      overlap.waits = false;
      CHECK (pthread_create (&overlap.second, NULL, commit_second, NULL) == 0);
      while (wal_appended (wal) == before)
        sched_yield ();
    }
  return result;
}

/* A sync of the log finds more records than those whose values were synced before it: these count
 * as synced only once their values are. */
void
test_value_before_record (void)
{
  char *path = fresh_directory ();
  faulty_disk_new (false);
  faulty_disk.vfs.sync_data = overlapping_sync;
  overlap.engine = open_on (path, &faulty_disk.vfs);
  overlap.first = pthread_self ();
  overlap.waits = true;
  CHECK_OK (put_number (overlap.engine, 399, ENGINE_SYNC_FULL));
  CHECK (!overlap.waits);
  CHECK (pthread_join (overlap.second, NULL) == 0);
  CHECK_INT (overlap.blob_syncs, 2);
  CHECK_OK (engine_close (overlap.engine, &failure));
  engine_unref (overlap.engine);
  remove_directory (path);
}

/* ---- what a failed sync leaves in the page cache ---- */

/* The kernel reports a page that it could not write once; from then on it is clean, and read from
 * memory until that is wanted for something else. */
static struct
{
  bool fails;                 /* the next sync of a file of large values */
  bool lost;                  /* one failed: what came since the last one is not on the disk */
  uint64_t on_disk, in_cache; /* bytes of the file */
} forgetful;

static status
forgetful_sync (struct vfs_file *file, struct failure *cause)
{
  struct vfs_file_information information;
  if (strstr (file->name, ".blob") == NULL || forgetful.lost)
    return vfs_posix ()->sync_data (file, cause);
  CHECK (vfs_information (file, &information, NULL) == STATUS_OK);
  forgetful.in_cache = information.size;
  if (forgetful.fails)
    {
      forgetful.lost = true;
      return fail_system (cause, EIO, "%s cannot be synced", file->name);
    }
  forgetful.on_disk = information.size;
  return vfs_posix ()->sync_data (file, cause);
}

/* From now on what the disk has is read. */
static void
forgetful_drop (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  static const uint8_t zeros[100000];
  if (strstr (file->name, ".blob") == NULL || !forgetful.lost)
    return;
  CHECK (offset == 0 && size >= forgetful.in_cache);
  uint64_t lost = forgetful.in_cache - forgetful.on_disk;
  CHECK (lost > 0 && lost < sizeof zeros);
  CHECK (vfs_posix ()->write (file, forgetful.on_disk, zeros, lost, NULL) == STATUS_OK);
}

static void
drop_blobs (struct engine *engine)
{
  char name[FILE_NAME_SIZE];
  struct vfs_file *file;
  for (uint64_t number = 1; number < 20; number++)
    {
      file_name (name, FILE_BLOB, number);
      if (vfs_open (engine->directory, name, VFS_WRITE, &file, NULL) != STATUS_OK)
        continue;
      forgetful_drop (file, 0, UINT64_MAX);
      vfs_close (file);
    }
  engine_evict_cache (engine, 1);
}

/* What an open finds of a large value whose sync failed stays so, whatever the memory is needed
 * for. */
void
test_unsynced_value (void)
{
  char *path = fresh_directory ();
  faulty_disk_new (false);
  faulty_disk.vfs.sync_data = forgetful_sync;
  faulty_disk.vfs.advise_drop = forgetful_drop;
  struct engine *engine = open_on (path, &faulty_disk.vfs);
  CHECK_OK (put_number (engine, 399, ENGINE_SYNC_FULL));
  forgetful.fails = true;
  CHECK_INT (put_number (engine, 799, ENGINE_SYNC_FULL), STATUS_UNKNOWN_OUTCOME);
  CHECK (forgetful.lost);
  failure = FAILURE_INIT;
  engine_close (engine, &failure);
  engine_unref (engine);
  engine = open_on (path, &faulty_disk.vfs);
  CHECK_INT (get_number (engine, 399), STATUS_OK);
  status found = get_number (engine, 799);
  CHECK (found == STATUS_OK || found == STATUS_NOT_FOUND);
  drop_blobs (engine);
  CHECK_INT (get_number (engine, 399), STATUS_OK);
  CHECK_INT (get_number (engine, 799), found);
  engine_unref (engine);
  remove_directory (path);
}

void
test_unreadable_page (void)
{
  char *path = fresh_directory ();
  make_settled (path);
  const struct vfs *vfs = faulty_disk_new (false);
  struct engine *engine = open_on (path, vfs);
  faulty_disk.read_from = 200000;
  faulty_disk.read_to = 200001;
  faulty_disk_break (FAULTY_READ, EIO, ".seg");
  unsigned unreadable = count_unreadable (engine, STATUS_IO);
  printf ("one unreadable page: %u of 2000 values\n", unreadable);
  CHECK (unreadable > 0 && unreadable < 100);
  faulty_disk_mend ();
  CHECK_INT (count_unreadable (engine, STATUS_IO), 0);
  engine_unref (engine);
  remove_directory (path);
}
