/* SPDX-License-Identifier: MIT */
/* One writer for each directory, whatever happens to its files meanwhile. */
#include "check.h"
#include "core/writer-lock.h"
#include "engine.h"
#include "replaced-vfs.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct failure failure;

/* The operating system, but without locks on directories, and with somebody who deletes LOCK just
 * after it was opened. */
static struct vfs poor;
static unsigned deletions; /* how often that still happens */

static status
poor_directory_lock (struct vfs_directory *directory, enum vfs_lock_result *out,
                     struct failure *cause)
{
  *out = VFS_LOCK_HELD_BY_OTHER;
  return fail (cause, STATUS_UNSUPPORTED, "%s has no locks", directory->path);
}

static status
poor_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  status result = replaced_open (directory, name, flags, out, cause);
  if (result == STATUS_OK && deletions > 0 && strcmp (name, WRITER_LOCK_NAME) == 0
      && (flags & VFS_WRITE) != 0)
    {
      deletions--;
      CHECK (vfs_unlink (directory, name, NULL) == STATUS_OK);
    }
  return result;
}

static const struct vfs *
poor_vfs (void)
{
  poor = replaced_vfs ();
  poor.directory_lock = poor_directory_lock;
  poor.open = poor_open;
  return &poor;
}

static status
open_with (const char *path, const struct vfs *vfs, struct engine **out)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.vfs = vfs;
  return engine_open (path, ENGINE_OPEN_CREATE, &options, out, &failure);
}

static void
put (struct engine *engine, const char *key)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_there (struct engine *engine, const char *key)
{
  char value[16];
  size_t size;
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)), value,
                        sizeof value, &size, &failure));
}

static void
remove_file (const char *path, const char *name)
{
  char file[600];
  snprintf (file, sizeof file, "%s/%s", path, name);
  CHECK (unlink (file) == 0);
}

/* LOCK is an ordinary file that anybody may delete: the writer stays the only one. */
static void
test_deleted_lock (void)
{
  char *path = fresh_directory (), *other = fresh_directory ();
  char copy[600];
  struct engine *first, *second;
  CHECK_OK (open_with (path, NULL, &first));
  put (first, "before");
  remove_file (path, WRITER_LOCK_NAME);
  CHECK_FAILS (open_with (path, NULL, &second), STATUS_LOCKED);
  CHECK (strstr (failure.message, path) != NULL);
  remove_file (path, WRITER_LOCK_NAME); /* the second one's */
  CHECK_FAILS (engine_destroy (path, NULL, &failure), STATUS_LOCKED);
  remove_file (path, WRITER_LOCK_NAME);
  snprintf (copy, sizeof copy, "%s/copy", other);
  CHECK_FAILS (engine_restore (path, copy, NULL, NULL, &failure), STATUS_LOCKED);
  CHECK_FAILS (engine_repair (path, copy, NULL, NULL, NULL, NULL, &failure), STATUS_LOCKED);
  put (first, "after");
  CHECK_OK (engine_close (first, &failure));
  CHECK_OK (open_with (path, NULL, &second)); /* though the first handle still exists */
  check_there (second, "before");
  check_there (second, "after");
  engine_unref (first);
  engine_unref (second);
  remove_directory (path);
  remove_directory (other);
}

/* Whoever deletes a database unlinks LOCK while others may just have opened it. */
static void
test_lock_deleted_while_opening (void)
{
  char *path = fresh_directory ();
  struct engine *first, *second;
  deletions = 3;
  CHECK_OK (open_with (path, poor_vfs (), &first));
  CHECK_INT (deletions, 0);
  CHECK_FAILS (open_with (path, poor_vfs (), &second), STATUS_LOCKED);
  engine_unref (first);
  CHECK_OK (open_with (path, poor_vfs (), &second));
  deletions = 1000000; /* for ever: an error, no endless attempts */
  struct engine *third;
  CHECK_FAILS (open_with (path, poor_vfs (), &third), STATUS_LOCKED);
  deletions = 0;
  engine_unref (second);
  remove_directory (path);
}

/* A directory keeps its writer when it is moved; another one in its place is another database. */
static void
test_moved_directory (void)
{
  char *parent = fresh_directory ();
  char path[600], moved[600];
  struct engine *first, *second, *third;
  snprintf (path, sizeof path, "%s/db", parent);
  snprintf (moved, sizeof moved, "%s/moved", parent);
  CHECK_OK (open_with (path, NULL, &first));
  put (first, "one");
  CHECK (rename (path, moved) == 0);
  CHECK_OK (open_with (path, NULL, &second));
  put (second, "two");
  CHECK_FAILS (open_with (moved, NULL, &third), STATUS_LOCKED);
  put (first, "three");
  CHECK_OK (engine_close (first, &failure));
  engine_unref (first);
  CHECK_OK (engine_close (second, &failure));
  engine_unref (second);
  CHECK_OK (open_with (moved, NULL, &first));
  check_there (first, "one");
  check_there (first, "three");
  engine_unref (first);
  CHECK_OK (open_with (path, NULL, &second));
  check_there (second, "two");
  engine_unref (second);
  remove_directory (parent);
}

/* Runs the writer, forks, and dies while its child lives on, as long as somebody holds `over` open. */
static void
die_before_child (const char *path, int told, const int over[2])
{
  struct engine *engine;
  close (over[1]);
  if (open_with (path, NULL, &engine) != STATUS_OK)
    _exit (1);
  pid_t child = fork ();
  if (child == 0)
    {
      char byte;
      _exit (read (over[0], &byte, 1) == 0 ? 0 : 1);
    }
  if (write (told, &child, sizeof child) != sizeof child)
    _exit (1);
  raise (SIGKILL);
}

/* The role ends with the process that took it: not with its last forked child, and not with its
 * first one either. */
static void
test_forked_child (void)
{
  char *path = fresh_directory ();
  int told[2], over[2], outcome;
  pid_t child;
  struct engine *engine, *second;
  CHECK (pipe (told) == 0 && pipe (over) == 0); /* this test's end closes both, however it comes */
  pid_t writer = fork ();
  CHECK (writer >= 0);
  if (writer == 0)
    die_before_child (path, told[1], over);
  CHECK (read (told[0], &child, sizeof child) == sizeof child);
  CHECK (waitpid (writer, &outcome, 0) == writer);
  CHECK (WIFSIGNALED (outcome));
  CHECK (kill (child, 0) == 0); /* it lives */
  CHECK_OK (open_with (path, NULL, &engine));
  close (over[1]);

  pid_t innocent = fork ();
  CHECK (innocent >= 0);
  if (innocent == 0)
    {
      engine_unref (engine);
      _exit (0);
    }
  CHECK (waitpid (innocent, &outcome, 0) == innocent);
  CHECK_INT (outcome, 0);
  CHECK_FAILS (open_with (path, NULL, &second), STATUS_LOCKED);
  engine_unref (engine);
  close (told[0]);
  close (told[1]);
  close (over[0]);
  remove_directory (path);
}

/* Media that can't be written: there is a role nevertheless, if only to keep copies consistent. */
static void
test_unwritable_lock (void)
{
  char *path = fresh_directory ();
  struct writer_lock first, second;
  struct vfs_directory *one, *two;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &one, &failure));
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &two, &failure));
  CHECK_OK (writer_lock_take (&first, one, false, "wait", &failure)); /* without a LOCK */
  CHECK (first.file == NULL && first.directory == one);
  CHECK_FAILS (writer_lock_take (&second, two, true, "wait", &failure), STATUS_LOCKED);
  CHECK (strstr (failure.message, "wait") != NULL);
  CHECK_FAILS (writer_lock_take (&second, two, false, "wait", &failure), STATUS_LOCKED);
  writer_lock_release (&first);
  CHECK_OK (writer_lock_take (&second, two, true, "wait", &failure));
  writer_lock_release (&second);
  writer_lock_release (&second);
  vfs_directory_close (one);
  vfs_directory_close (two);
  remove_directory (path);
}

int
main (void)
{
  test_deleted_lock ();
  test_lock_deleted_while_opening ();
  test_moved_directory ();
  test_forked_child ();
  test_unwritable_lock ();
  return 0;
}
