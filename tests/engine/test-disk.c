/* SPDX-License-Identifier: MIT */
/* What users meet on a bad day: a full disk, a disk that fails, a directory that may not be read or
 * written, files that were damaged. Nothing acknowledged is lost, what can be read is read, every
 * error names the file, and it heals when the cause is gone. */
#include "faulty-disk.h"
#include "small-engine.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "core/engine-private.h"
#include "version/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct failure failure;

static struct engine *
open_on (const char *path, const struct vfs *vfs)
{
  struct engine_options options = small_options ();
  options.vfs = vfs;
  return open_with (path, &options);
}

/* 300 bytes that do not compress well; every 400th is a large value. */
static struct bytes
number_value (uint8_t to[10000], unsigned number)
{
  struct random random = { number * 7919 + 1 };
  size_t size = number % 400 == 399 ? 10000 : 300;
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
  return BYTES (to, size);
}

static status
put_number (struct engine *engine, unsigned number, enum engine_sync sync)
{
  char key[64];
  uint8_t value[10000];
  failure = FAILURE_INIT;
  return engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                     number_value (value, number), sync, NULL, &failure);
}

static status
get_number (struct engine *engine, unsigned number)
{
  char key[64];
  uint8_t expected[10000], got[10000];
  size_t size;
  failure = FAILURE_INIT;
  status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, number), got,
                              sizeof got, &size, &failure);
  if (result == STATUS_OK)
    CHECK (bytes_equal (BYTES (got, size), number_value (expected, number)));
  return result;
}

static void
put_numbers (struct engine *engine, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    CHECK_OK (put_number (engine, i, ENGINE_SYNC_DEFAULT));
}

static void
check_numbers (struct engine *engine, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    CHECK_OK (get_number (engine, i));
}

/* Puts from `next` on until one is refused with NO_SPACE; returns the first that was refused. */
static unsigned
put_until_full (struct engine *engine, unsigned next)
{
  for (unsigned i = next; i < next + 200000; i++)
    {
      status result = put_number (engine, i, ENGINE_SYNC_DEFAULT);
      if (result == STATUS_OK)
        continue;
      if (result != STATUS_NO_SPACE)
        fprintf (stderr, "%s: %s\n", status_name (result), failure.message);
      CHECK_INT (result, STATUS_NO_SPACE);
      CHECK (strchr (failure.message, '/') != NULL); /* names the file */
      return i;
    }
  CHECK (!"the disk never filled up");
  return 0;
}

/* There is room again: soon a put goes through. Returns the next number. */
static unsigned
put_once_healed (struct engine *engine, unsigned next)
{
  for (int attempt = 0; attempt < 500; attempt++)
    {
      status result = put_number (engine, next, ENGINE_SYNC_DEFAULT);
      if (result == STATUS_OK)
        return next + 1;
      CHECK_INT (result, STATUS_NO_SPACE);
      usleep (10000);
    }
  CHECK (!"it never healed");
  return 0;
}

/* ---- a full disk ---- */

/* No room for files of `kind`: puts are refused (at once, or when memory is full too), everything
 * acknowledged is read, then, after a reopening, and it heals by itself. */
static void
full_disk (const char *kind, bool unmapped)
{
  char *path = fresh_directory ();
  const struct vfs *vfs = faulty_disk_new (unmapped);
  struct engine *engine = open_on (path, vfs);
  put_numbers (engine, 0, 500);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, kind);
  unsigned next = put_until_full (engine, 500);
  CHECK (faulty_disk.failed > 0);
  check_numbers (engine, 0, next);
  CHECK_INT (get_number (engine, next), STATUS_NOT_FOUND);
  CHECK_INT (put_number (engine, next, ENGINE_SYNC_FULL), STATUS_NO_SPACE);
  faulty_disk_mend ();
  next = put_once_healed (engine, next);
  put_numbers (engine, next, next + 500);
  next += 500;
  CHECK_OK (engine_flush (engine, &failure));
  check_numbers (engine, 0, next);

  /* Closed while full: either the log keeps it, or close says so; the next open has it all. */
  put_numbers (engine, next, next + 20);
  next += 20;
  faulty_disk_break (FAULTY_WRITE, ENOSPC, kind);
  failure = FAILURE_INIT;
  status result = engine_close (engine, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NO_SPACE);
  engine_unref (engine);
  faulty_disk_mend ();
  engine = open_on (path, vfs);
  check_numbers (engine, 0, next);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_full_disk (void)
{
  full_disk (".log", false);
  full_disk (".log", true);
  full_disk (".seg", false);
  full_disk ("", true);
}

static unsigned
count_files (const char *path, const char *kind)
{
  unsigned count = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    count += strstr (entry->d_name, kind) != NULL;
  closedir (directory);
  return count;
}

static uint64_t
bytes_of (const char *path, const char *kind)
{
  uint64_t bytes = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  struct stat about;
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strstr (entry->d_name, kind) != NULL
        && fstatat (dirfd (directory), entry->d_name, &about, 0) == 0)
      bytes += (uint64_t) about.st_size;
  closedir (directory);
  return bytes;
}

/* Large values, alone and several at once, that are all refused. */
static void *
put_in_vain (void *data)
{
  struct engine *engine = data;
  uint8_t value[10000] = { 1 };
  char key[64];
  for (unsigned i = 0; i < 150; i++)
    {
      struct failure refused = FAILURE_INIT;
      enum engine_sync sync = i % 2 == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC;
      status result = engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                                  BYTES (value, sizeof value), sync, NULL, &refused);
      CHECK_INT (result, STATUS_NO_SPACE);
      struct engine_batch *batch;
      CHECK (engine_batch_new (&batch, &refused) == STATUS_OK);
      for (unsigned j = 0; j < 5; j++)
        CHECK (engine_batch_put (batch, ENGINE_STORE_DEFAULT, number_key (key, i + j),
                                 BYTES (value, sizeof value), &refused)
               == STATUS_OK);
      refused = FAILURE_INIT;
      result = engine_write (engine, batch, sync, NULL, &refused);
      CHECK_INT (result, STATUS_NO_SPACE);
      engine_batch_free (batch);
    }
  return NULL;
}

/* A disk that has no room for a segment, once, and says so late. */
static struct
{
  _Atomic int segments; /* that were asked for */
  _Atomic bool answers;
} late;

static status
late_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  if ((flags & VFS_CREATE) == 0 || strstr (name, ".seg") == NULL
      || atomic_fetch_add (&late.segments, 1) > 0)
    return faulty_open (directory, name, flags, out, cause);
  while (!atomic_load (&late.answers))
    usleep (1000);
  return fail_system (cause, ENOSPC, "%s cannot be created", name);
}

struct flushing
{
  struct engine *engine;
  status result;
};

static void *
flush_beside (void *data)
{
  struct flushing *flushing = data;
  flushing->result = engine_flush (flushing->engine, NULL);
  return NULL;
}

/* Who begins to wait while a flush is under way is not told what that one met: there may be room by
 * now. */
static void
test_full_at_first (void)
{
  char *path = fresh_directory ();
  faulty_disk_new (false);
  faulty_disk.vfs.open = late_open;
  struct engine *engine = open_on (path, &faulty_disk.vfs);
  struct flushing first = { engine, STATUS_OK }, second = { engine, STATUS_OK };
  pthread_t threads[2];
  put_numbers (engine, 0, 20);
  CHECK (pthread_create (&threads[0], NULL, flush_beside, &first) == 0);
  while (atomic_load (&late.segments) == 0)
    usleep (1000);
  put_numbers (engine, 20, 40);
  CHECK (pthread_create (&threads[1], NULL, flush_beside, &second) == 0);
  while (atomic_load (&engine->frozen_count) < 2)
    usleep (1000);
  atomic_store (&late.answers, true);
  for (unsigned i = 0; i < 2; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK_INT (first.result, STATUS_NO_SPACE);
  CHECK_INT (second.result, STATUS_OK);
  check_numbers (engine, 0, 40);
  engine_unref (engine);
  remove_directory (path);
}

/* Who tries again and again on a full disk does not fill what is left of it: large values are
 * written before their commit finds that there is no room for it. */
static void
test_full_with_large_values (void)
{
  char *path = fresh_directory ();
  const struct vfs *vfs = faulty_disk_new (false);
  struct engine *engine = open_on (path, vfs);
  put_numbers (engine, 0, 500);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  unsigned next = put_until_full (engine, 500);
  status result = STATUS_OK; /* not even references fit */
  for (int i = 0; i < 10000 && result == STATUS_OK; i++)
    result = engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES ("-", 1), ENGINE_SYNC_ASYNC, NULL,
                            &failure);
  CHECK_INT (result, STATUS_NO_SPACE);
  uint64_t before = bytes_of (path, ".blob");
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    CHECK (pthread_create (&threads[i], NULL, put_in_vain, engine) == 0);
  for (int i = 0; i < 3; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  uint64_t grown = bytes_of (path, ".blob") - before; /* 27 MB were refused */
  CHECK (grown <= 3 * 6 * (10000 + 16) + 64);
  check_numbers (engine, 0, next);

  faulty_disk_mend ();
  next = put_once_healed (engine, next);
  put_numbers (engine, next, next + 2000);
  next += 2000;
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_numbers (engine, 0, next);
  engine_unref (engine);
  engine = open_on (path, vfs);
  check_numbers (engine, 0, next);
  engine_unref (engine);
  remove_directory (path);
}

/* A bulk load whose commit met a full disk goes on, and is committed once there is room. */
static void
test_full_while_loading (void)
{
  char *path = fresh_directory (), key[64];
  uint8_t value[10000];
  struct engine *engine = open_on (path, faulty_disk_new (false));
  struct engine_loader *loader;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 0; i < 20; i++)
    {
      if (i == 10)
        {
          faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
          CHECK_FAILS (engine_loader_commit (loader, NULL, &failure), STATUS_NO_SPACE);
          CHECK_FAILS (engine_loader_commit (loader, NULL, &failure), STATUS_NO_SPACE);
        }
      if (i == 15)
        faulty_disk_mend ();
      CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, i),
                                   number_value (value, i), &failure));
    }
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
  check_numbers (engine, 0, 20);
  engine_unref (engine);
  remove_directory (path);
}

static void
test_full_while_merging (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  options.vfs = faulty_disk_new (false);
  options.merge_enabled = false;
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_numbers (engine, 0, 2000);
  CHECK_OK (engine_flush (engine, &failure));
  unsigned files = count_files (path, ".seg");
  CHECK (files > 3);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  CHECK_FAILS (engine_compact (engine, NULL, NULL, &failure), STATUS_NO_SPACE);
  CHECK_INT (count_files (path, ".seg"), files); /* nothing half-written is left */
  check_numbers (engine, 0, 2000);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, "MANIFEST");
  failure = FAILURE_INIT;
  status result = engine_compact (engine, NULL, NULL, &failure);
  CHECK (result == STATUS_NO_SPACE || result == STATUS_UNKNOWN_OUTCOME);
  check_numbers (engine, 0, 2000);
  faulty_disk_mend ();
  if (result == STATUS_NO_SPACE)
    CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_numbers (engine, 0, 2000);
  engine_unref (engine);
  engine = open_on (path, NULL);
  check_numbers (engine, 0, 2000);
  engine_unref (engine);
  remove_directory (path);
}

static void
fill (const char *path)
{
  char block[4096];
  memset (block, 'x', sizeof block);
  int descriptor = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK (descriptor >= 0);
  while (write (descriptor, block, sizeof block) > 0)
    ;
  close (descriptor);
}

/* A real one: a tmpfs of 6 MB, where it may be mounted. */
static void
test_small_file_system (void)
{
  char *path = fresh_directory (), filler[600], database[600];
  if (mount ("none", path, "tmpfs", 0, "size=6m") != 0)
    {
      printf ("small file system: skipped, mount: %s\n", strerror (errno));
      remove_directory (path);
      return;
    }
  snprintf (filler, sizeof filler, "%s/filler", path);
  snprintf (database, sizeof database, "%s/database", path);
  struct engine *engine = open_on (database, NULL);
  put_numbers (engine, 0, 1000);
  fill (filler);
  unsigned next = put_until_full (engine, 1000);
  check_numbers (engine, 0, next);
  CHECK (unlink (filler) == 0);
  next = put_once_healed (engine, next);
  check_numbers (engine, 0, next);
  fill (filler);
  failure = FAILURE_INIT;
  engine_close (engine, &failure);
  engine_unref (engine);
  CHECK (unlink (filler) == 0);
  engine = open_on (database, NULL);
  check_numbers (engine, 0, next);
  engine_unref (engine);
  CHECK (umount (path) == 0);
  remove_directory (path);
}

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

static void
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
static void
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
static void
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

/* Settles numbers [0, 2000) into one run of one file and closes. */
static void
make_settled (const char *path)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  options.segment_file_size = 0;
  options.blob_threshold = 1 << 20; /* no blobs here */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_numbers (engine, 0, 2000);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* How many of the 2000 cannot be read; each failure is `expected` and names the file. */
static unsigned
count_unreadable (struct engine *engine, status expected)
{
  unsigned unreadable = 0;
  for (unsigned i = 0; i < 2000; i++)
    {
      status result = get_number (engine, i);
      if (result == STATUS_OK)
        continue;
      CHECK_INT (result, expected);
      CHECK (strstr (failure.message, ".seg") != NULL);
      CHECK (strstr (failure.message, "page") != NULL);
      unreadable++;
    }
  return unreadable;
}

static void
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

/* ---- damaged files ---- */

static char *
join (const char *path, const char *name)
{
  char *joined;
  CHECK (asprintf (&joined, "%s/%s", path, name) > 0);
  return joined;
}

static uint8_t *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  CHECK (file != NULL && fseek (file, 0, SEEK_END) == 0);
  *size = (size_t) ftell (file);
  uint8_t *data = malloc (*size + 1);
  rewind (file);
  CHECK (fread (data, 1, *size, file) == *size);
  fclose (file);
  return data;
}

static void
write_file (const char *path, const uint8_t *data, size_t size)
{
  FILE *file = fopen (path, "wb");
  CHECK (file != NULL && fwrite (data, 1, size, file) == size && fclose (file) == 0);
}

static void
copy_directory (const char *from, const char *to)
{
  char command[1300];
  snprintf (command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
  CHECK (system (command) == 0);
}

static void
test_corrupt_page (void)
{
  char *path = fresh_directory (), *name = NULL;
  make_settled (path);
  DIR *directory = opendir (path);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strstr (entry->d_name, ".seg") != NULL)
      name = join (path, entry->d_name);
  closedir (directory);
  CHECK (name != NULL);
  size_t size;
  uint8_t *data = read_file (name, &size);
  data[200000] ^= 0x10;
  write_file (name, data, size);
  struct engine *engine = open_on (path, NULL);
  unsigned unreadable = count_unreadable (engine, STATUS_CORRUPT);
  printf ("one corrupt page: %u of 2000 values\n", unreadable);
  CHECK (unreadable > 0 && unreadable < 100);
  engine_unref (engine);
  free (data);
  free (name);
  remove_directory (path);
}

/* A database of a process that died: with a log, segments, blob files. */
static void
make_abandoned (const char *path, unsigned count)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct engine *engine = open_on (path, NULL);
      put_numbers (engine, 0, count - 100);
      if (engine_compact (engine, NULL, NULL, &failure) != STATUS_OK)
        _exit (1);
      put_numbers (engine, count - 100, count);
      if (engine_sync (engine, &failure) != STATUS_OK)
        _exit (1);
      _exit (0);
    }
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  CHECK_INT (ended, 0);
}

/* Opens what was damaged and reads all of it: a value, an error, or, where the log's end may be
 * gone, nothing; never wrong bytes (get_number). */
static void
use_damaged (const char *path, const char *name, unsigned count, bool may_forget)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  failure = FAILURE_INIT;
  alarm (60); /* never hang */
  status result = engine_open (path, 0, &options, &engine, &failure);
  if (result != STATUS_OK)
    {
      CHECK (result == STATUS_CORRUPT || result == STATUS_NOT_A_DATABASE
             || result == STATUS_NEWER_FORMAT || result == STATUS_NOT_FOUND);
      CHECK (strstr (failure.message, path) != NULL);
      if (result == STATUS_CORRUPT && strstr (failure.message, name) == NULL)
        printf ("  %s damaged: “%s”\n", name, failure.message);
      alarm (0);
      return;
    }
  unsigned missing = 0;
  for (unsigned i = 0; i < count; i++)
    {
      result = get_number (engine, i);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND || result == STATUS_CORRUPT);
      missing += result == STATUS_NOT_FOUND;
    }
  if (missing > 0 && !may_forget)
    fprintf (stderr, "%s: %u of %u values are missing without an error\n", name, missing, count);
  CHECK (missing == 0 || may_forget);
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  failure = FAILURE_INIT;
  result = engine_cursor_first (cursor, &failure);
  for (unsigned i = 0; result == STATUS_OK && engine_cursor_valid (cursor); i++)
    {
      CHECK (i < count);
      result = engine_cursor_next (cursor, &failure);
    }
  CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
  engine_cursor_free (cursor);
  failure = FAILURE_INIT;
  result = engine_compact (engine, NULL, NULL, &failure);
  CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
  engine_unref (engine);
  alarm (0);
}

/* One way to damage `size` bytes at `data`; returns the new size. */
static size_t
damage (unsigned way, uint8_t *data, size_t size, struct random *random)
{
  switch (way)
    {
    case 0:
      return 0;
    case 1:
      return size / 2;
    case 2:
      return size > 0 ? size - 1 : 0;
    case 3: /* all of it */
      for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t) random_next (random);
      return size;
    case 4: /* zeros */
      memset (data, 0, size);
      return size;
    case 5: /* the end */
      for (size_t i = size > 64 ? size - 64 : 0; i < size; i++)
        data[i] = (uint8_t) random_next (random);
      return size;
    default: /* a few bytes anywhere */
      for (unsigned i = 0; size > 0 && i < 4; i++)
        data[random_below (random, size)] ^= (uint8_t) (1 + random_below (random, 255));
      return size;
    }
}

#define DAMAGES 12u

static void
test_damaged_files (void)
{
  char *base = fresh_directory (), *copy = fresh_directory ();
  enum
  {
    COUNT = 900
  };
  make_abandoned (base, COUNT);
  struct random random = { 4711 };
  DIR *directory = opendir (base);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    for (unsigned way = 0; way < DAMAGES && entry->d_name[0] != '.'; way++)
      {
        size_t size;
        copy_directory (base, copy);
        char *name = join (copy, entry->d_name);
        uint8_t *data = read_file (name, &size);
        bool log = strstr (entry->d_name, ".log") != NULL;
        size = damage (way, data, size, &random);
        write_file (name, data, size);
        use_damaged (copy, entry->d_name, COUNT, log);
        copy_directory (base, copy); /* and gone altogether */
        CHECK (way > 0 || unlink (name) == 0);
        if (way == 0)
          use_damaged (copy, entry->d_name, COUNT, log);
        free (data);
        free (name);
      }
  closedir (directory);
  remove_directory (base);
  remove_directory (copy);
}

/* ---- newer formats ---- */

/* Sum over names and bytes of all files. */
static uint64_t
digest (const char *path)
{
  uint64_t sum = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (entry->d_name[0] != '.')
      {
        size_t size;
        char *name = join (path, entry->d_name);
        uint8_t *data = read_file (name, &size);
        uint64_t here = size * 31;
        for (size_t i = 0; i < size; i++)
          here = here * 1099511628211u + data[i];
        for (const char *at = entry->d_name; *at != '\0'; at++)
          here = here * 31 + (uint8_t) *at;
        sum += here;
        free (data);
        free (name);
      }
  closedir (directory);
  return sum;
}

/* docs/design/manifest.md: the header's format version is at 8, the database's id at 24, the
 * checksum of what is before it at 56. */
static void
raise_version (uint8_t *header, int by, const char *name)
{
  uint64_t number = strtoull (strrchr (name, '-') + 1, NULL, 10);
  header[8] = (uint8_t) (header[8] + by);
  store_u64 (header + 56, checksum (checksum_seed (header + 24, number), 0, BYTES (header, 56)));
}

static void
test_newer_format (void)
{
  char *path = fresh_directory ();
  make_abandoned (path, 600);
  DIR *directory = opendir (path);
  char *manifest = NULL;
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strncmp (entry->d_name, "MANIFEST-", 9) == 0)
      manifest = join (path, entry->d_name);
  closedir (directory);
  size_t size;
  uint8_t *data = read_file (manifest, &size);
  raise_version (data, 1, manifest);
  write_file (manifest, data, size);
  uint64_t before = digest (path);
  struct engine *engine;
  for (unsigned flags = 0; flags <= ENGINE_OPEN_READ_ONLY; flags += ENGINE_OPEN_READ_ONLY)
    {
      CHECK_FAILS (engine_open (path, flags, NULL, &engine, &failure), STATUS_NEWER_FORMAT);
      CHECK (strstr (failure.message, path) != NULL);
    }
  CHECK (digest (path) == before);
  raise_version (data, -1, manifest);
  write_file (manifest, data, size);
  engine = open_on (path, NULL);
  check_numbers (engine, 0, 600);
  engine_unref (engine);
  free (data);
  free (manifest);
  remove_directory (path);
}

/* ---- permissions ---- */

/* Runs `body` in a child that is not root, where it may. */
static void
as_nobody (void (*body) (const char *path), const char *path)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      if (getuid () == 0 && (setgid (65534) != 0 || setuid (65534) != 0))
        _exit (77);
      body (path);
      _exit (0);
    }
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  if (ended == 77 << 8)
    printf ("permissions: skipped, root cannot be dropped\n");
  else
    CHECK_INT (ended, 0);
}

static void
change_modes (const char *path, mode_t directory, mode_t file)
{
  char command[700];
  snprintf (command, sizeof command, "chmod %o '%s'/* && chmod %o '%s'", file, path, directory,
            path);
  CHECK (system (command) == 0);
}

static void
use_read_only (const char *path)
{
  struct engine *engine;
  for (unsigned flags = 0; flags <= ENGINE_OPEN_CREATE; flags += ENGINE_OPEN_CREATE)
    {
      CHECK_FAILS (engine_open (path, flags, NULL, &engine, &failure), STATUS_DENIED);
      CHECK (strstr (failure.message, path) != NULL);
      CHECK (strstr (failure.message, "ermission") != NULL);
    }
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, NULL, &engine, &failure));
  check_numbers (engine, 0, 600);
  CHECK_INT (put_number (engine, 1, ENGINE_SYNC_DEFAULT), STATUS_READ_ONLY);
  engine_unref (engine);
  char *below = join (path, "below");
  failure = FAILURE_INIT;
  status result = engine_open (below, ENGINE_OPEN_CREATE, NULL, &engine, &failure);
  CHECK (result == STATUS_READ_ONLY || result == STATUS_DENIED);
  CHECK (strstr (failure.message, below) != NULL);
  free (below);
}

static void
use_unreadable_current (const char *path)
{
  struct engine *engine;
  for (unsigned flags = 0; flags <= ENGINE_OPEN_READ_ONLY; flags += ENGINE_OPEN_READ_ONLY)
    {
      failure = FAILURE_INIT;
      status result = engine_open (path, flags, NULL, &engine, &failure);
      CHECK (result == STATUS_DENIED || result == STATUS_READ_ONLY);
      CHECK (strstr (failure.message, "CURRENT") != NULL);
    }
}

static void
use_unreadable_directory (const char *path)
{
  struct engine *engine;
  failure = FAILURE_INIT;
  status result = engine_open (path, 0, NULL, &engine, &failure);
  CHECK (result == STATUS_DENIED || result == STATUS_READ_ONLY);
  CHECK (strstr (failure.message, path) != NULL);
}

static void
test_permissions (void)
{
  char *path = fresh_directory (), *current = join (path, "CURRENT");
  make_abandoned (path, 600);
  uint64_t before = digest (path);
  change_modes (path, 0555, 0444);
  as_nobody (use_read_only, path);
  change_modes (path, 0777, 0666);
  CHECK (chmod (current, 0) == 0);
  as_nobody (use_unreadable_current, path);
  CHECK (chmod (current, 0600) == 0);
  CHECK (chmod (path, 0) == 0);
  as_nobody (use_unreadable_directory, path);
  CHECK (chmod (path, 0700) == 0);
  CHECK (digest (path) == before);
  struct engine *engine = open_on (path, NULL);
  check_numbers (engine, 0, 600);
  engine_unref (engine);
  free (current);
  remove_directory (path);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*run) (void);
  } tests[] = {
    { "full-disk", test_full_disk },
    { "full-at-first", test_full_at_first },
    { "full-with-large-values", test_full_with_large_values },
    { "full-while-loading", test_full_while_loading },
    { "full-while-merging", test_full_while_merging },
    { "small-file-system", test_small_file_system },
    { "failed-sync", test_failed_sync },
    { "value-before-record", test_value_before_record },
    { "unsynced-value", test_unsynced_value },
    { "unreadable-page", test_unreadable_page },
    { "corrupt-page", test_corrupt_page },
    { "damaged-files", test_damaged_files },
    { "newer-format", test_newer_format },
    { "permissions", test_permissions },
  };
  setvbuf (stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    if (argc < 2 || strcmp (argv[1], tests[i].name) == 0) /* all, or the one named */
      tests[i].run ();
  puts ("disk: all passed");
  return 0;
}
