/* SPDX-License-Identifier: MIT */
/* What is read in another process numbering, on a mount for reading only, from other kinds of
 * disks; and who gets to write next. */
#include "followed-engine.h"

#include "replaced-vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs `body` in a child with its own mounts and process numbers, as a sandbox has them; what it
 * returns is the child's status. False where the system does not let us. */
static bool
run_in_namespace (int (*body) (const char *path), const char *path)
{
#ifdef __SANITIZE_THREAD__ /* it lets no forked child have threads */
  return false;
#endif
  fflush (NULL);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      if (unshare (CLONE_NEWPID | CLONE_NEWNS) != 0
          && unshare (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0)
        _exit (77);
      mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
      pid_t inner = fork (); /* the first process of the new numbers */
      if (inner == 0)
        _exit (body (path));
      int how;
      _exit (waitpid (inner, &how, 0) == inner && WIFEXITED (how) ? WEXITSTATUS (how) : 1);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how));
  if (WEXITSTATUS (how) == 77)
    return false;
  CHECK_INT (WEXITSTATUS (how), 0);
  return true;
}

/* Follows the parent's commits up to the key "end". */
static int
follow_to_end (const char *path)
{
  struct engine *engine = open_reader (path);
  char *end = NULL;
  for (uint64_t until = now () + PATIENCE; end == NULL && now () < until;)
    {
      await_for (engine, engine_sequence (engine) + 1, 1000000);
      end = get_at (engine, NULL, 1, "end");
    }
  int result = end == NULL;
  free (end);
  close_engine (engine);
  return result;
}

int
follow_in_sandbox (const char *path)
{
  CHECK_INT (getpid (), 1);
  return follow_to_end (path);
}

/* The same where the directory is mounted for reading only: nothing can be written, all is
 * followed. */
int
follow_read_only_mount (const char *path)
{
  if (mount (path, path, NULL, MS_BIND, NULL) != 0
      || mount (NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
    return 77;
  char file[600];
  snprintf (file, sizeof file, "%s/new", path);
  CHECK (open (file, O_RDWR | O_CREAT, 0600) < 0 && errno == EROFS);
  return follow_to_end (path);
}

struct writing
{
  struct engine *engine;
  _Atomic bool done;
};

static void *
write_slowly (void *data)
{
  struct writing *writing = data;
  struct failure cause = FAILURE_INIT;
  char value[32];
  for (int i = 0; !atomic_load (&writing->done); i++)
    {
      snprintf (value, sizeof value, "%d", i);
      const char *key = i >= 200 ? "end" : "key";
      CHECK (
          engine_put (writing->engine, 1, TEXT (key), TEXT (value), ENGINE_SYNC_ASYNC, NULL, &cause)
          == STATUS_OK);
      usleep (2000);
    }
  return NULL;
}

void
test_sandbox (const char *what, int (*body) (const char *path))
{
  char *path = fresh_directory ();
  struct writing writing = { .engine = open_writer (path) };
  pthread_t thread;
  CHECK (pthread_create (&thread, NULL, write_slowly, &writing) == 0);
  bool ran = run_in_namespace (body, path);
  atomic_store (&writing.done, true);
  pthread_join (thread, NULL);
  printf ("%s: %s\n", what, ran ? "followed" : "not tried here: it is not allowed");
  close_engine (writing.engine);
  remove_directory (path);
}

/* Read-only media: as they are. */
static int
read_medium (const char *path)
{
  char medium[600], command[1400];
  snprintf (medium, sizeof medium, "%s-medium", path);
  CHECK (mkdir (medium, 0700) == 0);
  if (mount ("none", medium, "tmpfs", 0, NULL) != 0)
    {
      rmdir (medium);
      return 77;
    }
  snprintf (command, sizeof command, "cp -r '%s' '%s/copy'", path, medium);
  CHECK (system (command) == 0
         && mount ("none", medium, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
  snprintf (command, sizeof command, "%s/copy", medium);
  struct engine *engine = open_reader (command);
  expect (engine, 1, "key", "value");
  expect (engine, 1, "logged", "only");
  CHECK (!await_for (engine, engine_sequence (engine) + 1, 20000));
  close_engine (engine);
  umount2 (medium, MNT_DETACH);
  rmdir (medium);
  return 0;
}

void
test_medium (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path);
  put (writer, 1, "key", "value");
  CHECK_OK (engine_checkpoint (writer, &failure));
  put (writer, 1, "logged", "only");
  bool ran = run_in_namespace (read_medium, path); /* a copy as a crash leaves it */
  printf ("a read-only medium: %s\n", ran ? "read" : "not tried here: it is not allowed");
  close_engine (writer);
  remove_directory (path);
}

/* Who writes once it is told to; its id. */
static pid_t
fork_writer (const char *path, int *go)
{
  int ends[2];
  char unused;
  CHECK (pipe (ends) == 0);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      close (ends[1]);
      CHECK (read (ends[0], &unused, 1) == 0);
      struct engine *engine = open_writer (path);
      put (engine, 1, "end", "here");
      close_engine (engine);
      _exit (0);
    }
  close (ends[0]);
  *go = ends[1];
  return child;
}

/* A database in the lower layer of an overlay, as in the image of a container. Who opens a file there
 * for reading has the lower one, until somebody opens it for writing and so makes another. */
static int
follow_overlay (const char *path)
{
  char layers[600], options[2000];
  snprintf (layers, sizeof layers, "%s-layers", path);
  CHECK (mkdir (layers, 0700) == 0);
  bool made = mount ("none", layers, "tmpfs", 0, NULL) == 0;
  snprintf (options, sizeof options, "%s/upper", layers);
  made = made && mkdir (options, 0700) == 0;
  snprintf (options, sizeof options, "%s/work", layers);
  made = made && mkdir (options, 0700) == 0;
  snprintf (options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", path, layers,
            layers);
  made = made && mount ("overlay", path, "overlay", 0, options) == 0;
  int result = 77;
  if (made)
    {
      int go, how;
      pid_t writer = fork_writer (path, &go);
      struct engine *engine = open_reader (path);
      uint64_t before = engine_sequence (engine);
      close (go);
      CHECK (waitpid (writer, &how, 0) == writer && WIFEXITED (how) && WEXITSTATUS (how) == 0);
      await (engine, before + 1);
      expect (engine, 1, "key", "value");
      expect (engine, 1, "end", "here");
      close_engine (engine);
      umount2 (path, MNT_DETACH);
      result = 0;
    }
  umount2 (layers, MNT_DETACH);
  rmdir (layers);
  return result;
}

void
test_overlay (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path);
  put (writer, 1, "key", "value");
  close_engine (writer);
  bool ran = run_in_namespace (follow_overlay, path);
  printf ("an overlay: %s\n", ran ? "followed" : "not tried here: it is not allowed");
  remove_directory (path);
}

/* Commits that wait for the disk. */
static _Atomic bool sync_held, sync_waits;

static status
sync_slowly (struct vfs_file *file, struct failure *cause)
{
  while (atomic_load (&sync_held) && strstr (file->name, ".log") != NULL)
    {
      atomic_store (&sync_waits, true);
      usleep (500);
    }
  return vfs_posix ()->sync_data (file, cause);
}

static void *
put_durably (void *data)
{
  struct failure cause = FAILURE_INIT;
  CHECK_OK (engine_put (data, 1, TEXT ("key"), TEXT ("durable"), ENGINE_SYNC_FULL, NULL, &cause));
  return NULL;
}

/* What is not durable yet, and so not visible to the writer, no reader sees either, though the log
 * has it. */
void
test_undurable (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *writer, *reader;
  struct vfs slow = replaced_vfs ();
  pthread_t thread;
  slow.sync_data = sync_slowly;
  choose (&options);
  options.vfs = &slow;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &writer, &failure));
  put (writer, 1, "key", "before");
  atomic_store (&sync_held, true);
  CHECK (pthread_create (&thread, NULL, put_durably, writer) == 0);
  AWAIT (atomic_load (&sync_waits));
  usleep (20000); /* by now it is in the log, whoever waits for the disk */
  reader = open_reader (path);
  CHECK_INT (engine_sequence (writer), 1);
  CHECK_INT (engine_sequence (reader), 1);
  expect (reader, 1, "key", "before");
  atomic_store (&sync_held, false);
  pthread_join (thread, NULL);
  await (reader, 2);
  expect (reader, 1, "key", "durable");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

static enum vfs_reach reach; /* of the directories of test_network */

static enum vfs_reach
reach_out (struct vfs_directory *directory, const char **file_system)
{
  (void) directory;
  *file_system = "a network";
  return reach;
}

/* Destroys what a reader is just opening. */
static enum vfs_reach
destroy_first (struct vfs_directory *directory, const char **file_system)
{
  (void) file_system;
  CHECK_OK (engine_destroy (directory->path, NULL, &failure));
  return VFS_REACH_LOCAL;
}

/* That is no damage: there is none any more. */
void
test_destroyed_while_opened (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct vfs destroying = replaced_vfs ();
  choose (&options);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put (engine, 1, "key", "value");
  close_engine (engine);
  destroying.reach = destroy_first;
  options.vfs = &destroying;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
               STATUS_NOT_FOUND);
  CHECK (strstr (failure.message, "there is no database in") != NULL);
  remove_directory (path);
}

/* A database that is being deleted, step by step, or made, as a test wants it: what is there at a
 * moment at which others happen to look. */
static struct
{
  _Atomic int unlinked; /* files so far */
  _Atomic int most;     /* as many may go */
  char path[600];       /* the database */
  bool done;            /* what happens once has happened */
} deletion;

static status
unlink_some (struct vfs_directory *directory, const char *name, struct failure *cause)
{
  AWAIT (atomic_load (&deletion.unlinked) < atomic_load (&deletion.most));
  status result = vfs_posix ()->unlink (directory, name, cause);
  atomic_fetch_add (&deletion.unlinked, 1);
  return result;
}

static void *
destroy_slowly (void *data)
{
  struct vfs slow = replaced_vfs ();
  struct failure cause = FAILURE_INIT;
  (void) data;
  slow.unlink = unlink_some;
  CHECK_OK (engine_destroy (deletion.path, &slow, &cause));
  return NULL;
}

static void
make_small (const char *path, const char *value)
{
  struct engine *engine = open_writer (path);
  put (engine, 1, "key", value);
  CHECK_OK (engine_flush (engine, &failure));
  close_engine (engine);
}

struct names
{
  char list[64][64];
  int count;
};

static bool
collect_name (void *data, const char *name)
{
  struct names *names = data;
  CHECK (names->count < 64);
  snprintf (names->list[names->count++], sizeof names->list[0], "%s", name);
  return true;
}

static void
expect_locked (unsigned flags)
{
  struct engine *engine;
  struct engine_options options;
  choose (&options);
  failure = FAILURE_INIT;
  CHECK_FAILS (engine_open (deletion.path, flags, &options, &engine, &failure), STATUS_LOCKED);
  CHECK (strstr (failure.message, "open for writing elsewhere") != NULL);
}

/* Whoever opens it while it goes, file by file, is told that somebody has it, and then that there is
 * none. It was "CURRENT is missing" before, or "files that are not a database". */
void
test_being_destroyed (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  pthread_t thread;
  struct vfs_directory *directory;
  struct names names = { .count = 0 };
  choose (&options);
  make_small (path, "value");
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (vfs_directory_list (directory, collect_name, &names, &failure));
  vfs_directory_close (directory);
  snprintf (deletion.path, sizeof deletion.path, "%s", path);
  atomic_store (&deletion.unlinked, 0);
  atomic_store (&deletion.most, 0);
  CHECK (pthread_create (&thread, NULL, destroy_slowly, NULL) == 0);
  /* CURRENT, then all, CURRENT once more among them, but the last two: the manifest and LOCK. */
  for (int gone = 1; gone <= names.count - 1; gone++)
    {
      atomic_store (&deletion.most, gone);
      AWAIT (atomic_load (&deletion.unlinked) >= gone);
      expect_locked (ENGINE_OPEN_READ_ONLY);
      expect_locked (ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC);
      expect_locked (0);
      expect_locked (ENGINE_OPEN_CREATE);
    }
  atomic_store (&deletion.most, names.count + 1);
  pthread_join (thread, NULL);
  CHECK (names.count >= 5);
  CHECK_INT (atomic_load (&deletion.unlinked), names.count + 1);
  failure = FAILURE_INIT;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
               STATUS_NOT_FOUND);
  failure = FAILURE_INIT;
  remove_directory (path);
}

/* What was listed is gone when it is looked at. */
static status
list_what_goes (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
                void *data, struct failure *cause)
{
  struct names names = { .count = 0 };
  status result = vfs_posix ()->directory_list (directory, collect_name, &names, cause);
  if (!deletion.done)
    CHECK_OK (engine_destroy (deletion.path, NULL, cause));
  deletion.done = true;
  for (int i = 0; result == STATUS_OK && i < names.count && visit (data, names.list[i]); i++)
    ;
  return result;
}

void
test_destroyed_while_listed (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct vfs going = replaced_vfs ();
  going.directory_list = list_what_goes;
  snprintf (deletion.path, sizeof deletion.path, "%s", path);
  const unsigned flags[] = { ENGINE_OPEN_READ_ONLY, 0 };
  for (int i = 0; i < 2; i++)
    {
      make_small (path, "value");
      deletion.done = false;
      choose (&options);
      options.vfs = &going;
      failure = FAILURE_INIT;
      CHECK_FAILS (engine_open (path, flags[i], &options, &engine, &failure), STATUS_NOT_FOUND);
      CHECK (strstr (failure.message, "there is no database in") != NULL);
      failure = FAILURE_INIT;
    }
  remove_directory (path);
}

static void
move_current (bool back)
{
  char inside[700], beside[700];
  snprintf (inside, sizeof inside, "%s/CURRENT", deletion.path);
  snprintf (beside, sizeof beside, "%s-CURRENT", deletion.path);
  CHECK (rename (back ? beside : inside, back ? inside : beside) == 0);
}

/* What was no database at every look is one again, just before the reader would have said so. */
static status
lock_what_came (struct vfs_directory *directory, enum vfs_lock_result *out, struct failure *cause)
{
  if (!deletion.done)
    move_current (true);
  deletion.done = true;
  return vfs_posix ()->directory_lock (directory, out, cause);
}

void
test_made_anew_while_opened (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct vfs coming = replaced_vfs ();
  coming.directory_lock = lock_what_came;
  choose (&options);
  make_small (path, "value");
  snprintf (deletion.path, sizeof deletion.path, "%s", path);
  move_current (false);
  failure = FAILURE_INIT;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
               STATUS_CORRUPT);
  CHECK (strstr (failure.message, "CURRENT is missing") != NULL);
  deletion.done = false;
  options.vfs = &coming;
  failure = FAILURE_INIT;
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure));
  expect (engine, 1, "key", "value");
  close_engine (engine);
  remove_directory (path);
}

/* A writer that makes a database stands still before it makes the page that tells others, until a
 * reader has looked for that in vain as often as the test says. */
static struct
{
  _Atomic int looks;           /* that are still to be in vain */
  _Atomic bool waits, is_open; /* the writer */
  struct engine *writer;
} making;

static status
share_late (struct vfs_directory *directory, const char *name, bool write, int *descriptor,
            struct failure *cause)
{
  if (write)
    atomic_store (&making.waits, true);
  AWAIT (!write || atomic_load (&making.looks) <= 0);
  return vfs_posix ()->share (directory, name, write, descriptor, cause);
}

static status
share_in_vain (struct vfs_directory *directory, const char *name, bool write, int *descriptor,
               struct failure *cause)
{
  status result = vfs_posix ()->share (directory, name, write, descriptor, cause);
  if (result == STATUS_NOT_FOUND && atomic_fetch_sub (&making.looks, 1) == 1)
    AWAIT (atomic_load (&making.is_open));
  return result;
}

static void *
make_late (void *data)
{
  struct vfs late = replaced_vfs ();
  struct engine_options options;
  struct failure cause = FAILURE_INIT;
  late.share = share_late;
  choose (&options);
  options.vfs = &late;
  CHECK_OK (engine_open (data, ENGINE_OPEN_CREATE, &options, &making.writer, &cause));
  atomic_store (&making.is_open, true);
  AWAIT (!atomic_load (&making.is_open));
  close_engine (making.writer);
  return NULL;
}

/* Who opens what is just being made follows it all the same. */
void
test_opened_while_made (void)
{
  for (int looks = 1; looks <= 3; looks++)
    {
      char *path = fresh_directory ();
      struct vfs vain = replaced_vfs ();
      struct engine_options options;
      struct engine *reader;
      pthread_t thread;
      atomic_store (&making.looks, looks);
      atomic_store (&making.waits, false);
      CHECK (pthread_create (&thread, NULL, make_late, path) == 0);
      AWAIT (atomic_load (&making.waits));
      vain.share = share_in_vain;
      choose (&options);
      options.vfs = &vain;
      CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
      CHECK (atomic_load (&making.looks) <= 0);
      await (reader, put (making.writer, 1, "key", "value"));
      expect (reader, 1, "key", "value");
      close_engine (reader);
      atomic_store (&making.is_open, false);
      pthread_join (thread, NULL);
      remove_directory (path);
    }
}

/* Where a reader would not see what others write it is told so, and may read what is there. */
void
test_network (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine;
  struct vfs network = replaced_vfs ();
  network.reach = reach_out;
  choose (&options);
  options.vfs = &network;
  reach = VFS_REACH_NETWORK;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure),
               STATUS_UNSUPPORTED);
  CHECK (strstr (failure.message, "(a network)") != NULL);
  reach = VFS_REACH_LAYERED; /* written by programs of one system, seen by who comes the same way */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put (engine, 1, "key", "value");
  close_engine (engine);
  for (reach = VFS_REACH_LAYERED; reach <= VFS_REACH_NETWORK; reach++)
    {
      CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure),
                   STATUS_UNSUPPORTED);
      CHECK (strstr (failure.message, "(a network)") != NULL);
    }
  reach = VFS_REACH_NETWORK;
  CHECK_OK (
      engine_open (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, &options, &engine, &failure));
  expect (engine, 1, "key", "value");
  close_engine (engine);

  struct engine *reader;
  options.network_allowed = true; /* told otherwise */
  CHECK_OK (engine_open (path, 0, &options, &engine, &failure));
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  await (reader, put (engine, 1, "key", "followed"));
  expect (reader, 1, "key", "followed");
  close_engine (reader);
  close_engine (engine);
  remove_directory (path);
}

/* Readers wait to write: until the writer closes, or is killed, or they give up; one after the
 * other; also when somebody deletes LOCK under the writer. */
void
test_turns (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  struct turn_taking taking[3];
  pthread_t threads[3];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t child = start ("--writer", path, file, 0);
  AWAIT (atomic_load (&board->acknowledged) >= 100);
  struct engine *reader = open_reader (path);
  for (int i = 0; i < 3; i++)
    begin_turn (&taking[i], path, &threads[i]);
  usleep (100000);
  uint64_t acknowledged = atomic_load (&board->acknowledged);
  engine_turn_cancel (taking[2].turn);
  pthread_join (threads[2], NULL);
  CHECK (taking[2].engine == NULL);
  uint64_t killed = now ();
  end (child, SIGKILL);
  AWAIT (atomic_load (&taking[0].at) != 0 || atomic_load (&taking[1].at) != 0);
  int first = atomic_load (&taking[0].at) != 0 ? 0 : 1;
  CHECK (atomic_load (&taking[1 - first].at) == 0);
  pthread_join (threads[first], NULL);
  printf ("a killed writer's successor was there after %llu ms\n",
          (unsigned long long) (taking[first].at - killed) / 1000);
  CHECK (read_number (taking[first].engine, NULL) >= acknowledged);
  uint64_t sequence = put (taking[first].engine, 1, "turn", "first");
  await (reader, sequence);
  expect (reader, 1, "turn", "first");
  snprintf (file, sizeof file, "%s/LOCK", path);
  CHECK (unlink (file) == 0); /* its other lock, and the lock of its life, do */
  usleep (50000);
  CHECK (atomic_load (&taking[1 - first].at) == 0);
  close_engine (taking[first].engine);
  AWAIT (atomic_load (&taking[1 - first].at) != 0);
  pthread_join (threads[1 - first], NULL);
  await (reader, put (taking[1 - first].engine, 1, "turn", "second"));
  expect (reader, 1, "turn", "second");
  close_engine (taking[1 - first].engine);
  for (int i = 0; i < 3; i++)
    engine_turn_free (taking[i].turn);
  close_engine (reader);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}
