/* SPDX-License-Identifier: MIT */
/* Loader, backup, restore, check and repair, through the engine's own header. */
#include "small-engine.h"

#include "base/random.h"
#include "base/vfs.h"
#include "core/batch.h"
#include "version/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct failure failure;

/* Short for most numbers; a large value, which goes to a blob file, for every 97th. */
static struct bytes
number_value (char *to, unsigned number, unsigned round)
{
  size_t size = (size_t) sprintf (to, "value %u of round %u %0*u", number, round,
                                  (int) (number % 90), number);
  if (number % 97 == 0)
    for (; size < 9000; size++)
      to[size] = (char) ('a' + (number + round + size * size) % 26);
  return BYTES (to, size);
}

static void
put_range (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  char key[64], value[9100];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                          number_value (value, i, round), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_one (struct engine *engine, engine_store store, unsigned number, unsigned round)
{
  char key[64], value[9100];
  struct engine_value got;
  struct bytes expected = number_value (value, number, round);
  CHECK_OK (engine_get_value (engine, NULL, store, number_key (key, number), &got, &failure));
  CHECK (bytes_equal (expected, got.data));
  engine_value_release (&got);
}

static void
check_range_of (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  for (unsigned i = from; i < to; i++)
    check_one (engine, ENGINE_STORE_DEFAULT, i, round);
}

static bool
has (struct engine *engine, engine_store store, unsigned number)
{
  char key[64], buffer[64];
  size_t size;
  status result = engine_get (engine, NULL, store, number_key (key, number), buffer, sizeof buffer,
                              &size, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  return result == STATUS_OK;
}

static unsigned
count_keys (struct engine *engine, engine_store store)
{
  struct engine_cursor_settings settings = { .store = store, .keys_only = true };
  struct engine_cursor *cursor;
  unsigned count = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); count++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  engine_cursor_free (cursor);
  return count;
}

/* Keys of all stores that there may be. */
static unsigned
count_all (struct engine *engine)
{
  engine_store store;
  unsigned count = count_keys (engine, ENGINE_STORE_DEFAULT);
  struct failure cause = FAILURE_INIT;
  if (engine_store_open (engine, "names", false, &store, &cause) == STATUS_OK
      || engine_store_open (engine, "recovered-2", false, &store, &cause) == STATUS_OK)
    count += count_keys (engine, store);
  return count;
}

/* Files in `path` whose name ends in `suffix`; the first one's name to `name` unless NULL. */
static unsigned
count_files (const char *path, const char *suffix, char *name)
{
  DIR *directory = opendir (path);
  unsigned count = 0;
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      size_t length = strlen (entry->d_name), tail = strlen (suffix);
      if (length < tail || strcmp (entry->d_name + length - tail, suffix) != 0)
        continue;
      if (count == 0 && name != NULL)
        strcpy (name, entry->d_name);
      count++;
    }
  closedir (directory);
  return count;
}

static char *
below (const char *path, const char *name)
{
  char *whole = malloc (strlen (path) + strlen (name) + 2);
  sprintf (whole, "%s/%s", path, name);
  return whole;
}

static void
flip (const char *path, const char *name, off_t offset)
{
  char *file = below (path, name);
  unsigned char byte;
  int descriptor = open (file, O_RDWR);
  CHECK (descriptor >= 0 && pread (descriptor, &byte, 1, offset) == 1);
  byte ^= 0x40;
  CHECK (pwrite (descriptor, &byte, 1, offset) == 1);
  close (descriptor);
  free (file);
}

/* ---- a disk that fills up and shares nothing ---- */

static struct vfs small_disk;     /* the operating system's, but for what follows */
static _Atomic int64_t disk_left; /* bytes that segments and blobs may still take */

static status
disk_directory_open (const struct vfs *vfs, const char *path, bool create,
                     struct vfs_directory **out, struct failure *cause)
{
  status result = vfs_posix ()->directory_open (vfs_posix (), path, create, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = vfs;
  return result;
}

static status
disk_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  status result = vfs_posix ()->open (directory, name, flags, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = directory->vfs;
  return result;
}

static status
disk_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
            struct failure *cause)
{
  if (strstr (file->name, ".seg") != NULL || strstr (file->name, ".blob") != NULL)
    if (atomic_fetch_sub (&disk_left, (int64_t) size) < (int64_t) size)
      return fail (cause, STATUS_NO_SPACE, "no room for %s", file->name);
  return vfs_posix ()->write (file, offset, from, size, cause);
}

static status
disk_shares_nothing (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                     const char *new_name, struct failure *cause)
{
  (void) from, (void) to, (void) new_name;
  return fail (cause, STATUS_UNSUPPORTED, "%s can't be shared here", name);
}

static struct engine *
open_on_disk (const char *path)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  small_disk = *vfs_posix ();
  small_disk.directory_open = disk_directory_open;
  small_disk.open = disk_open;
  small_disk.write = disk_write;
  small_disk.link = small_disk.clone = disk_shares_nothing;
  options.vfs = &small_disk;
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

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
  unsigned files = count_files (path, ".seg", NULL);
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  load_range (loader, ENGINE_STORE_DEFAULT, 50, 5000, 2);
  CHECK (count_files (path, ".seg", NULL) > files);
  engine_loader_free (loader);
  CHECK_INT (count_files (path, ".seg", NULL), files);
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
  unsigned pieces = count_files (path, ".seg", NULL);
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
  CHECK_INT (count_files (path, ".seg", NULL), pieces);
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
      CHECK_OK (engine_wait_settled (engine, 20000000, &failure));
      struct engine_statistics statistics;
      engine_statistics (engine, &statistics);
      close_it (engine);
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans);
      CHECK_INT (report.segments, count_files (path, ".seg", NULL));
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

struct beside
{
  struct engine *engine;
  _Atomic bool stop;
  _Atomic uint64_t commits;
  enum engine_sync sync;
  unsigned first;
};

static void *
write_beside (void *data)
{
  struct beside *beside = data;
  struct failure mine = FAILURE_INIT;
  char key[64], value[9100];
  for (unsigned i = 0; !atomic_load (&beside->stop); i++)
    {
      unsigned number = beside->first + i % 500;
      if (engine_put (beside->engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                      number_value (value, number, i / 500), beside->sync, NULL, &mine)
          != STATUS_OK)
        {
          fprintf (stderr, "%s\n", mine.message);
          abort ();
        }
      atomic_fetch_add (&beside->commits, 1);
    }
  return NULL;
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
      atomic_store (&writers[i].stop, true);
      pthread_join (threads[i], NULL);
      CHECK (atomic_load (&writers[i].commits) > 0);
    }
  atomic_store (&reader.stop, true);
  pthread_join (threads[3], NULL);
  close_it (engine);
  engine = open_small (path);
  check_range_of (engine, 0, 6000, 3);
  close_it (engine);
  remove_directory (path);
}

/* ---- backup ---- */

static void
fill (struct engine *engine)
{
  engine_store store;
  put_range (engine, 0, 8000, 1);
  put_range (engine, 2000, 3000, 2);
  CHECK_OK (engine_store_open (engine, "names", true, &store, &failure));
  char key[64];
  for (unsigned i = 0; i < 300; i++)
    CHECK_OK (engine_put (engine, store, number_key (key, i), BYTES_LITERAL ("x"),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, number_key (key, 4000),
                                 BYTES_LITERAL ("key-00004500"), ENGINE_SYNC_DEFAULT, NULL,
                                 &failure));
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, 5000),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_filled (const char *path)
{
  struct engine *engine = open_small (path);
  engine_store store;
  check_range_of (engine, 0, 2000, 1);
  check_range_of (engine, 2000, 3000, 2);
  check_range_of (engine, 3000, 4000, 1);
  check_range_of (engine, 5001, 8000, 1);
  CHECK (!has (engine, ENGINE_STORE_DEFAULT, 4000) && !has (engine, ENGINE_STORE_DEFAULT, 4499));
  CHECK (!has (engine, ENGINE_STORE_DEFAULT, 5000) && has (engine, ENGINE_STORE_DEFAULT, 4500));
  CHECK_OK (engine_store_open (engine, "names", false, &store, &failure));
  CHECK_INT (count_keys (engine, store), 300);
  close_it (engine);
}

static void
test_backup (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *copy = below (parent, "copy");
  struct engine *engine = open_small (path);
  struct engine_backup_result first, second, third;
  fill (engine);
  CHECK_OK (engine_wait_settled (engine, 20000000, &failure)); /* merges replace files */
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &first, &failure));
  CHECK_INT (first.sequence, engine_sequence (engine));
  CHECK_INT (first.files, count_files (backup, ".seg", NULL) + count_files (backup, ".blob", NULL));
  CHECK_INT (first.files,
             first.copied_files + first.linked_files + first.reflinked_files + first.kept_files);
  CHECK_INT (first.kept_files, 0);
  CHECK_INT (count_files (backup, ".log", NULL), 0);

  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &second, &failure));
  CHECK_INT (second.kept_files, second.files);
  put_range (engine, 20000, 20500, 1);
  CHECK_OK (engine_backup (engine, backup, false, NULL, NULL, &third, &failure));
  CHECK (third.files > third.kept_files && third.sequence == engine_sequence (engine));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &third, &failure));
  CHECK_INT (third.files, count_files (backup, ".seg", NULL) + count_files (backup, ".blob", NULL));
  put_range (engine, 0, 8000, 7); /* after the backup */

  CHECK_OK (engine_restore (backup, copy, NULL, NULL, &failure));
  check_filled (copy);
  CHECK_FAILS (engine_restore (backup, copy, NULL, NULL, &failure), STATUS_EXISTS);
  CHECK_FAILS (engine_restore (path, parent, NULL, NULL, &failure), STATUS_LOCKED);
  check_filled (copy);

  /* The backup as a database; written to, neither side changes the other. */
  check_filled (backup);
  struct engine *other = open_small (backup);
  put_range (other, 0, 4000, 5);
  CHECK_OK (engine_compact (other, NULL, NULL, &failure));
  CHECK_FAILS (engine_backup (engine, backup, false, NULL, NULL, &third, &failure), STATUS_EXISTS);
  close_it (other);
  check_range_of (engine, 0, 8000, 7);
  CHECK_FAILS (engine_backup (engine, backup, false, NULL, NULL, &third, &failure), STATUS_EXISTS);
  CHECK_OK (engine_destroy (backup, NULL, &failure));
  CHECK (access (backup, F_OK) != 0);
  close_it (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  free (backup);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}

static void
test_backup_refused (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  struct engine *engine = open_small (path), *other;
  put_range (engine, 0, 100, 1);
  CHECK_FAILS (engine_backup (engine, path, false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  char *inside = below (path, "inside"), *foreign = below (parent, "foreign");
  char *second = below (parent, "second"), *missing = below (parent, "no/such");
  CHECK_FAILS (engine_backup (engine, inside, false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  CHECK (access (inside, F_OK) != 0);
  CHECK_FAILS (engine_backup (engine, "", false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  CHECK_FAILS (engine_backup (engine, missing, false, NULL, NULL, NULL, &failure),
               STATUS_NOT_FOUND);
  mkdir (foreign, 0700);
  char *letter = below (foreign, "letter.txt");
  fclose (fopen (letter, "w"));
  CHECK_FAILS (engine_backup (engine, foreign, false, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_INT (count_files (foreign, "", NULL), 3); /* with . and .. */
  other = open_small (second);
  put_range (other, 0, 10, 3);
  close_it (other);
  CHECK_FAILS (engine_backup (engine, second, false, NULL, NULL, NULL, &failure), STATUS_EXISTS);
  other = open_small (second);
  check_range_of (other, 0, 10, 3);
  close_it (other);
  CHECK_FAILS (engine_restore (foreign, inside, NULL, NULL, &failure), STATUS_NOT_A_DATABASE);
  CHECK_FAILS (engine_restore (missing, inside, NULL, NULL, &failure), STATUS_NOT_FOUND);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_backup (engine, second, false, NULL, NULL, NULL, &failure), STATUS_CLOSED);
  engine_unref (engine);
  free (inside);
  free (foreign);
  free (second);
  free (missing);
  free (letter);
  remove_directory (parent);
  remove_directory (path);
}

static bool
cancel_at_once (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) done;
  (void) total;
  return strcmp (step, data) != 0;
}

struct within
{
  struct engine *engine, *other;
  int refused, done;
};

static bool
compact_within (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct within *within = data;
  struct failure why = FAILURE_INIT;
  (void) done;
  (void) total;
  (void) step;
  status result = engine_compact (within->engine, NULL, NULL, &why);
  within->refused += result == STATUS_BUSY && strstr (why.message, "being compacted") != NULL;
  within->done
      += within->other == NULL || engine_compact (within->other, NULL, NULL, NULL) == STATUS_OK;
  return true;
}

static bool
compact_other_within (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct within *within = data;
  struct failure why = FAILURE_INIT;
  (void) done;
  (void) total;
  (void) step;
  status result = engine_compact (within->other, compact_within,
                                  &(struct within){ .engine = within->engine }, &why);
  within->done += result == STATUS_OK;
  return true;
}

/* Told of its own progress, a compaction is not waited for by another one: that would never end. */
static void
test_compact_within_itself (void)
{
  char *path = fresh_directory (), *second = fresh_directory ();
  struct within within = { open_small (path), open_small (second), 0, 0 };
  put_range (within.engine, 0, 3000, 1);
  put_range (within.other, 0, 3000, 2);
  CHECK_OK (engine_compact (within.engine, compact_within, &within, &failure));
  CHECK (within.refused > 0 && within.done == within.refused);
  within.done = 0;
  put_range (within.engine, 0, 3000, 3);
  put_range (within.other, 0, 3000, 4);
  CHECK_OK (engine_compact (within.engine, compact_other_within, &within, &failure));
  CHECK (within.done > 0);
  check_range_of (within.engine, 0, 3000, 3);
  check_range_of (within.other, 0, 3000, 4);
  close_it (within.engine);
  close_it (within.other);
  free (path);
  free (second);
}

static void
test_backup_cancelled (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *copy = below (parent, "copy");
  struct engine *engine = open_small (path);
  put_range (engine, 0, 3000, 1);
  struct engine *opened;
  /* Before there is a backup: what is left can be taken up again, and is no database. */
  CHECK_FAILS (engine_backup (engine, backup, true, cancel_at_once, "large values", NULL, &failure),
               STATUS_CANCELLED);
  CHECK_FAILS (engine_open (backup, ENGINE_OPEN_CREATE, NULL, &opened, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  /* Cut short between its manifest and CURRENT. */
  char *current = below (backup, "CURRENT");
  CHECK_INT (unlink (current), 0);
  free (current);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  /* Later: the earlier backup stays whole. */
  put_range (engine, 0, 3000, 2);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_FAILS (engine_backup (engine, backup, true, cancel_at_once, "large values", NULL, &failure),
               STATUS_CANCELLED);
  CHECK_FAILS (engine_restore (backup, copy, cancel_at_once, "segments", &failure),
               STATUS_CANCELLED);
  CHECK_INT (access (copy, F_OK), -1); /* nothing is left behind */
  CHECK_OK (engine_restore (backup, copy, NULL, NULL, &failure));
  struct engine *other = open_small (copy);
  check_range_of (other, 0, 3000, 1);
  close_it (other);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  other = open_small (backup);
  check_range_of (other, 0, 3000, 2);
  close_it (other);
  close_it (engine);
  free (backup);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}

/* Where nothing can be shared: copies, a full destination, and a backup of another course. */
static void
test_backup_copies (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *twin = below (parent, "twin"), command[1200];
  struct engine_backup_result result;
  struct engine *engine = open_on_disk (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  close_it (engine);
  snprintf (command, sizeof command, "cp -r -- '%s' '%s'", path, twin);
  CHECK_INT (system (command), 0);
  engine = open_on_disk (path);
  atomic_store (&disk_left, 200000);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure),
               STATUS_NO_SPACE);
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.copied_files, result.files);
  CHECK (result.copied_bytes == result.bytes && result.bytes > 200000);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  CHECK_INT (result.copied_files, 0);
  put_range (engine, 10000, 12000, 1);
  atomic_store (&disk_left, 100000000);
  CHECK_OK (engine_flush (engine, &failure));
  atomic_store (&disk_left, 1000);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure),
               STATUS_NO_SPACE);
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK (result.kept_files > 0 && result.copied_files > 0);
  close_it (engine);

  /* A copy made by hand lives on by itself: its files take our numbers, with other contents. */
  engine = open_on_disk (twin);
  put_range (engine, 10000, 12000, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure), STATUS_EXISTS);
  close_it (engine);
  check_filled (backup);
  engine = open_small (backup);
  check_range_of (engine, 10000, 12000, 1);
  close_it (engine);
  free (backup);
  free (twin);
  remove_directory (parent);
  remove_directory (path);
}

/* Appends to a file, or changes a byte of it. */
static void
change_file (char *path, off_t offset, unsigned size)
{
  int file = open (path, O_RDWR);
  CHECK (file >= 0);
  for (unsigned i = 0; i < size; i++)
    {
      uint8_t byte = 0;
      CHECK (pread (file, &byte, 1, offset + i) >= 0);
      byte ^= 0x55;
      CHECK_INT (pwrite (file, &byte, 1, offset + i), 1);
    }
  close (file);
}

/* A value that was still arriving, or that no commit refers to, is no reason to refuse a backup; a
 * value that differs is one. */
static void
test_backup_of_growing_blobs (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), name[64];
  char *backup = below (parent, "backup");
  struct engine_backup_result result;
  struct engine *engine = open_on_disk (path);
  put_range (engine, 0, 400, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  close_it (engine);
  CHECK_INT (count_files (path, ".blob", name), 1);
  char *blob = below (path, name);
  struct stat before, after;
  CHECK_INT (stat (blob, &before), 0);

  change_file (blob, before.st_size, 9016); /* arrived after the copy was made */
  engine = open_on_disk (path);
  put_range (engine, 400, 500, 1);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK (result.kept_files > 0);
  char *copy = below (backup, name);
  CHECK_INT (stat (copy, &after), 0);
  CHECK_INT (after.st_size, before.st_size + 9016);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  close_it (engine);

  change_file (copy, 5000, 1); /* in the first value */
  engine = open_on_disk (path);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure), STATUS_EXISTS);
  close_it (engine);
  change_file (copy, 5000, 1);
  engine = open_on_disk (path);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  check_range_of (engine, 0, 500, 1);
  close_it (engine);
  engine = open_small (backup);
  check_range_of (engine, 0, 500, 1);
  close_it (engine);
  free (copy);
  free (blob);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

static void
test_backup_beside_writers (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup");
  struct engine *engine = open_small (path);
  struct beside writer = { .engine = engine, .sync = ENGINE_SYNC_ASYNC, .first = 100000 };
  put_range (engine, 0, 3000, 1);
  pthread_t thread;
  pthread_create (&thread, NULL, write_beside, &writer);
  for (unsigned i = 0; i < 5; i++)
    {
      struct engine_check_report report;
      CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
      CHECK_OK (engine_check (backup, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans && report.records >= 3000);
      CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
    }
  atomic_store (&writer.stop, true);
  pthread_join (thread, NULL);
  close_it (engine);
  engine = open_small (backup);
  check_range_of (engine, 0, 3000, 1);
  CHECK (has (engine, ENGINE_STORE_DEFAULT, 100000));
  close_it (engine);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

/* A database that is open read-only, from a directory nothing can be written to. */
static void
test_backup_read_only (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), command[700];
  char *backup = below (parent, "backup"), *other = below (parent, "other");
  struct engine_options options = small_options ();
  struct engine_backup_result result;
  struct engine_check_report report;
  struct engine *engine = open_small (path), *reader;
  fill (engine);
  CHECK_OK (engine_checkpoint (engine, &failure));
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_FAILS (engine_backup (reader, backup, true, NULL, NULL, NULL, &failure), STATUS_LOCKED);
  CHECK (strstr (failure.message, "make the backup there") != NULL);
  close_it (engine);
  close_it (reader);
  sprintf (command, "chmod 0444 '%s'/* && chmod 0555 '%s'", path, path);
  CHECK (system (command) == 0);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_OK (engine_backup (reader, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.sequence, engine_sequence (reader));
  CHECK_OK (engine_backup (reader, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  close_it (reader);
  sprintf (command, "chmod 0755 '%s' '%s' && chmod 0644 '%s'/* '%s'/*", path, backup, path, backup);
  CHECK (system (command) == 0);
  CHECK_OK (engine_check (backup, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans && report.records > 7000);
  check_filled (backup);

  /* What is only in the log of a crashed writer can't come along, and that is said. */
  pid_t child = fork ();
  if (child == 0)
    {
      engine = open_small (path);
      put_range (engine, 0, 1, 7);
      _exit (0);
    }
  int state;
  CHECK (waitpid (child, &state, 0) == child && state == 0);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_FAILS (engine_backup (reader, other, true, NULL, NULL, NULL, &failure), STATUS_READ_ONLY);
  CHECK (strstr (failure.message, "restore") != NULL);
  close_it (reader);
  free (backup);
  free (other);
  remove_directory (parent);
  remove_directory (path);
}

/* A crashed database is restored with what its log holds. */
static void
test_restore_after_kill (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *copy = below (parent, "copy");
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine *engine = open_small (path);
      fill (engine);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
  CHECK (count_files (path, ".log", NULL) > 0);
  CHECK_OK (engine_restore (path, copy, NULL, NULL, &failure));
  check_filled (copy);
  check_filled (path);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}

/* ---- check and repair ---- */

struct told
{
  unsigned count, pages;
  char file[64], reason[600];
  char span[600]; /* the last that names a span of keys */
};

static void
tell (void *data, const char *file, uint64_t page, const char *reason)
{
  struct told *told = data;
  told->count++;
  told->pages += page != UINT64_MAX;
  snprintf (told->file, sizeof told->file, "%s", file);
  snprintf (told->reason, sizeof told->reason, "%s", reason);
  if (strncmp (reason, "keys ", 5) == 0)
    snprintf (told->span, sizeof told->span, "%s", reason);
}

static char *
filled_database (char **parent)
{
  *parent = fresh_directory ();
  char *path = below (*parent, "database");
  struct engine *engine = open_small (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  put_range (engine, 6000, 6100, 1);
  close_it (engine);
  return path;
}

static void
test_check_and_repair_sound (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  CHECK_OK (engine_check (path, true, tell, NULL, &told, &report, &failure));
  CHECK_INT (told.count, 0);
  CHECK (report.page_checksums && report.tree_structure && report.log && report.no_orphans
         && report.blobs_intact && report.pages > 100 && report.records > 7000);
  CHECK_INT (report.segments, count_files (path, ".seg", NULL));
  CHECK_INT (report.blobs, count_files (path, ".blob", NULL));
  CHECK_OK (engine_check (path, false, tell, NULL, &told, &report, &failure));
  CHECK_INT (report.records, 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 0);
  CHECK (saved.records >= 7799 && saved.lost_pages == 0 && saved.files_skipped == 0);
  check_filled (repaired);
  CHECK_FAILS (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure), STATUS_EXISTS);
  CHECK_FAILS (engine_check (parent, true, NULL, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* The manifest of another database, put back by mistake, says nothing about these files. */
static void
test_foreign_manifest (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  char *other_parent, *other = filled_database (&other_parent), command[1200];
  struct engine_repair_report saved;
  struct told told = { 0 };
  snprintf (command, sizeof command,
            "rm -- '%s'/MANIFEST-* && cp -- '%s'/CURRENT '%s'/MANIFEST-* '%s'", path, other, other,
            path);
  CHECK_INT (system (command), 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK (told.count == 1 && strcmp (told.file, "CURRENT") == 0);
  CHECK (strstr (told.reason, "belongs to another database") != NULL);
  check_filled (repaired);
  free (repaired);
  free (path);
  free (other);
  remove_directory (parent);
  remove_directory (other_parent);
}

static void
test_damaged_page (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[300];
  CHECK (count_files (path, ".seg", name) > 0);
  flip (path, name, 4096 + 300); /* in the first leaf */
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count >= 1 && told.pages >= 1 && strcmp (told.file, name) == 0);
  CHECK (!report.page_checksums && report.log && report.blobs_intact);
  CHECK_INT (report.faults, told.count);
  CHECK_OK (engine_check (path, false, NULL, NULL, NULL, &report, &failure));
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.lost_pages, 1);
  CHECK_INT (told.pages, 2); /* it, and the span of its keys */
  struct engine *engine = open_small (repaired);
  unsigned keys = count_keys (engine, ENGINE_STORE_DEFAULT);
  CHECK (keys > 7000 && keys <= 7499);
  CHECK_INT (saved.records, count_all (engine));
  unsigned good = 0;
  for (unsigned i = 0; i < 2000; i++)
    if (has (engine, ENGINE_STORE_DEFAULT, i))
      {
        check_one (engine, ENGINE_STORE_DEFAULT, i, 1);
        good++;
      }
  CHECK (good > 1500);
  close_it (engine);
  CHECK_OK (engine_check (repaired, true, NULL, NULL, NULL, &report, &failure));
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* A long segment with keys of the default store. */
static void
pick_low_segment (const char *path, char name[FILE_NAME_SIZE])
{
  struct manifest_state state = { 0 };
  struct vfs_directory *directory;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (manifest_load (directory, &state, &failure));
  name[0] = '\0';
  for (size_t i = 0; name[0] == '\0' && i < state.segment_count; i++)
    {
      const struct segment_information *information = &state.segments[i].information;
      if (information->file_size > 24000 && information->smallest[3] <= 1)
        file_name (name, FILE_SEGMENT, information->number);
    }
  CHECK (name[0] != '\0');
  manifest_state_clear (&state);
  vfs_directory_close (directory);
}

/* A damaged header, or a small block, costs no record. */
static void
test_damaged_header (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[FILE_NAME_SIZE];
  pick_low_segment (path, name);
  flip (path, name, 1000);
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (strcmp (told.file, name) == 0 && strstr (told.reason, "header") != NULL);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1);
  CHECK (strcmp (told.file, name) == 0 && strstr (told.reason, "header") != NULL);
  CHECK_INT (saved.lost_pages, 0);
  CHECK_INT (saved.files_skipped, 0);
  check_filled (repaired);
  free (repaired);
  free (path);
  remove_directory (parent);
}

static bool
note_name (void *data, const char *name, engine_store store)
{
  if (strncmp (name, "recovered-", 10) == 0)
    *(engine_store *) data = store;
  return true;
}

/* The page with the names of the stores is lost: what is in them is still to be reached, and no
 * store that is made later gets one's id. */
static void
test_lost_catalogue (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired"), name[300];
  struct engine *engine = open_small (path);
  engine_store store, found = 0, other;
  CHECK_OK (engine_store_open (engine, "second", true, &store, &failure));
  CHECK_OK (engine_store_open (engine, "empty", true, &other, &failure));
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_INT (count_files (path, ".seg", name), 1);
  char key[64], value[9100];
  for (unsigned i = 0; i < 1000; i++)
    CHECK_OK (engine_put (engine, store, number_key (key, i), number_value (value, i, 0),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
  close_it (engine);
  flip (path, name, 4096 + 40); /* the names' only page */
  struct told told = { 0 };
  struct engine_repair_report saved;
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK (strcmp (told.file, "catalogue") == 0);
  CHECK_INT (saved.records, 1000);
  engine = open_small (repaired);
  CHECK_FAILS (engine_store_open (engine, "second", false, &other, &failure), STATUS_NOT_FOUND);
  CHECK_OK (engine_store_list (engine, note_name, &found, &failure));
  CHECK_INT (found, store);
  for (unsigned i = 0; i < 1000; i++)
    check_one (engine, found, i, 0);
  CHECK_OK (engine_store_open (engine, "new", true, &other, &failure));
  CHECK (other > store);
  CHECK_INT (count_keys (engine, other), 0);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* Which keys may be missing, or older than they were, is told: no other is. */
static void
test_lost_span (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[FILE_NAME_SIZE];
  bool had[8000];
  unsigned low = 0, high = 0, lost = 0;
  struct engine *engine = open_small (path);
  for (unsigned i = 0; i < 8000; i++)
    had[i] = has (engine, ENGINE_STORE_DEFAULT, i);
  close_it (engine);
  pick_low_segment (path, name);
  flip (path, name, 12000);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.lost_pages, 1);
  CHECK_INT (told.count, 2); /* the page, then its span */
  CHECK (strstr (told.span, "may be missing, or have an older value") != NULL);
  CHECK_INT (
      sscanf (told.span, "keys after \"key-%u\" (store 1) up to \"key-%u\" (store 1)", &low, &high),
      2);
  engine = open_small (repaired);
  for (unsigned i = 0; i < 8000; i++)
    if (had[i] && !has (engine, ENGINE_STORE_DEFAULT, i))
      {
        CHECK (i > low && i <= high);
        lost++;
      }
  CHECK (lost > 0 && high - low <= lost + 502); /* where a range was deleted */
  CHECK_INT (saved.records, count_all (engine));
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

static void
test_damaged_manifest (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char *current = below (path, "CURRENT");
  fclose (fopen (current, "w"));
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (!report.tree_structure && report.page_checksums && report.segments > 0);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1); /* the manifest itself */
  check_filled (repaired);
  free (current);
  free (repaired);
  free (path);
  remove_directory (parent);
}

static void
test_damaged_blob (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[300];
  CHECK (count_files (path, ".blob", name) > 0);
  flip (path, name, 64 + 100);
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count == 1 && !report.blobs_intact && report.page_checksums);
  CHECK (strcmp (told.file, name) == 0);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1);
  CHECK (strstr (told.reason, "key-00") != NULL);
  struct engine *engine = open_small (repaired);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 7498);
  close_it (engine);
  char *file = below (path, name);
  unlink (file);
  told = (struct told){ 0 };
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count >= 1 && !report.blobs_intact);
  free (file);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* The last segment of a database settled to one run; returns the records of the others. */
static uint64_t
pick_segment (const char *path, struct manifest_segment *out, struct manifest_state *state)
{
  struct vfs_directory *directory;
  uint64_t others = 0;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (manifest_load (directory, state, &failure));
  vfs_directory_close (directory);
  CHECK (state->segment_count > 1);
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct segment_information *information = &state->segments[i].information;
      CHECK (state->segments[i].run == state->segments[0].run);
      CHECK (information->deletes == 0 && information->range_deletes == 0);
      others += information->records;
    }
  *out = state->segments[state->segment_count - 1];
  return others - out->information.records;
}

static bool
segment_holds (const struct manifest_segment *segment, struct bytes key)
{
  uint8_t internal[100];
  const struct segment_information *information = &segment->information;
  struct bytes whole = internal_key_store (internal, ENGINE_STORE_DEFAULT, key);
  return bytes_compare (whole, BYTES (information->smallest, information->smallest_size)) >= 0
         && bytes_compare (whole, BYTES (information->largest, information->largest_size)) <= 0;
}

static void
test_missing_segment (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  struct manifest_state state = { 0 };
  struct manifest_segment gone;
  char name[300], key[64];
  struct engine *engine = open_small (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  unsigned before = count_keys (engine, ENGINE_STORE_DEFAULT);
  bool had[8000];
  for (unsigned i = 0; i < 8000; i++)
    had[i] = has (engine, ENGINE_STORE_DEFAULT, i);
  close_it (engine);
  uint64_t others = pick_segment (path, &gone, &state);
  file_name (name, FILE_SEGMENT, gone.information.number);
  char *file = below (path, name);
  CHECK (truncate (file, 5000) == 0);
  CHECK_FAILS (engine_check (path, false, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK_INT (told.count, 1);
  unlink (file);
  told = (struct told){ 0 };
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count == 1 && strcmp (told.file, name) == 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.files_skipped, 1);
  engine = open_small (repaired);
  CHECK (saved.records <= others && strstr (told.span, "keys from \"key-") != NULL);
  CHECK_INT (saved.records, count_all (engine));
  unsigned lost = 0;
  for (unsigned i = 0; i < 8000; i++)
    {
      bool held = segment_holds (&gone, number_key (key, i));
      lost += had[i] && held;
      CHECK_INT (has (engine, ENGINE_STORE_DEFAULT, i), had[i] && !held);
    }
  CHECK (lost > 0 && lost < before);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), before - lost);
  manifest_state_clear (&state);
  close_it (engine);
  /* Given up in the middle, nothing is left. */
  char *other = below (parent, "other");
  CHECK_FAILS (engine_repair (path, other, NULL, cancel_at_once, "log", NULL, &failure),
               STATUS_CANCELLED);
  CHECK (access (other, F_OK) != 0);
  free (other);
  free (file);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* What only the log holds, after a kill. */
static void
test_repair_log (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired");
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine *engine = open_small (path);
      fill (engine);
      put_range (engine, 30000, 30010, 1);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
  struct engine_check_report report;
  struct engine_repair_report saved;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.logs > 0);
  CHECK_OK (engine_repair (path, repaired, NULL, NULL, NULL, &saved, &failure));
  check_filled (repaired);
  struct engine *engine = open_small (repaired);
  check_range_of (engine, 30000, 30010, 1);
  CHECK_FAILS (engine_repair (repaired, path, NULL, NULL, NULL, &saved, &failure), STATUS_LOCKED);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

int
main (void)
{
  test_load_sorted ();
  test_load_unsorted ();
  test_load_given_up ();
  test_load_killed ();
  test_load_full_disk ();
  test_load_beside_writers ();
  test_backup ();
  test_backup_refused ();
  test_compact_within_itself ();
  test_backup_cancelled ();
  test_backup_copies ();
  test_backup_of_growing_blobs ();
  test_backup_beside_writers ();
  test_backup_read_only ();
  test_restore_after_kill ();
  test_check_and_repair_sound ();
  test_foreign_manifest ();
  test_damaged_page ();
  test_damaged_header ();
  test_lost_catalogue ();
  test_lost_span ();
  test_damaged_manifest ();
  test_damaged_blob ();
  test_missing_segment ();
  test_repair_log ();
  return 0;
}
