/* SPDX-License-Identifier: MIT */
/* What users meet on a bad day: a full disk, a disk that fails, a directory that may not be read or
 * written, files that were damaged. Nothing acknowledged is lost, what can be read is read, every
 * error names the file, and it heals when the cause is gone. */
#include "disk-trial.h"

#include "directory-files.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
count_all (const char *path)
{
  unsigned count = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    count += strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0;
  closedir (directory);
  return count;
}

/* A database that there is no room for is not there, nothing of it, and is made when there is. */
static void
test_full_at_creation (void)
{
  static const char *const kinds[] = { "LOCK", "MANIFEST", ".tmp", "" };
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  struct engine *engine;
  options.vfs = faulty_disk_new (false);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    {
      faulty_disk_break (FAULTY_WRITE, ENOSPC, kinds[i]);
      CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &options, &engine,
                                &failure),
                   STATUS_NO_SPACE);
      CHECK (faulty_disk.failed > 0);
      CHECK_INT (count_all (path), 0);
    }
  faulty_disk_mend ();
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &options, &engine,
                         &failure));
  put_numbers (engine, 0, 20);
  engine_unref (engine);

  /* One that is there stays. */
  faulty_disk_break (FAULTY_WRITE, ENOSPC, "");
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure),
               STATUS_NO_SPACE);
  faulty_disk_mend ();
  engine = open_on (path, options.vfs);
  check_numbers (engine, 0, 20);
  engine_unref (engine);
  remove_directory (path);
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

/* A disk that has no room for a segment, once, and says so late; the next one it makes when who
 * waited for the first knows. */
static struct
{
  _Atomic int segments; /* that were asked for */
  _Atomic bool answers;
  _Atomic bool told; /* the first to wait */
} late;

static status
late_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  if ((flags & VFS_CREATE) == 0 || strstr (name, ".seg") == NULL)
    return faulty_open (directory, name, flags, out, cause);
  bool first = atomic_fetch_add (&late.segments, 1) == 0;
  while (!atomic_load (first ? &late.answers : &late.told))
    usleep (1000);
  if (!first)
    return faulty_open (directory, name, flags, out, cause);
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
  CHECK (pthread_join (threads[0], NULL) == 0);
  atomic_store (&late.told, true);
  CHECK (pthread_join (threads[1], NULL) == 0);
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

/* A flush that fails before its edit, again and again, leaves nothing that takes room. */
static void
test_full_while_flushing (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_on (path, faulty_disk_new (false));
  put_numbers (engine, 0, 20);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, "MANIFEST");
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
  check_numbers (engine, 0, 20);
  CHECK_OK (engine_close (engine, &failure)); /* the log keeps them; nobody tries any more */
  engine_unref (engine);
  CHECK_INT (count_files (path, ".seg"), 0);
  faulty_disk_mend ();
  engine = open_on (path, NULL);
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
    { "full-at-creation", test_full_at_creation },
    { "full-at-first", test_full_at_first },
    { "full-with-large-values", test_full_with_large_values },
    { "full-while-loading", test_full_while_loading },
    { "full-while-flushing", test_full_while_flushing },
    { "full-while-merging", test_full_while_merging },
    { "small-file-system", test_small_file_system },
    { "failed-sync", test_failed_sync },
    { "value-before-record", test_value_before_record },
    { "flush-of-invisible", test_flush_of_invisible },
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
