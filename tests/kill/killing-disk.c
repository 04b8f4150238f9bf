/* SPDX-License-Identifier: MIT */
#include "killing-disk.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct vfs *__real_vfs_posix (void);
const struct vfs *__wrap_vfs_posix (void);

static struct kill_order *order; /* NULL: nothing is counted */
static _Thread_local enum activity mine;

/* ---- names ---- */

const char *
activity_name (enum activity activity)
{
  static const char *names[ACTIVITIES]
      = { "none",       "write", "log",    "flush",   "merge",  "compact", "create", "recover",
          "checkpoint", "load",  "backup", "restore", "repair", "close",   "destroy" };
  return names[activity];
}

const char *
kill_point_name (const struct kill_point *point)
{
  static _Thread_local char name[100];
  static const char *moments[] = { "before", "amid", "after" };
  static const char *operations[OPERATIONS]
      = { "creating", "writing",  "syncing",   "allocating", "truncating",
          "mapping",  "renaming", "unlinking", "linking" };
  static const char *kinds[KINDS]
      = { "a log",    "a segment", "a blob file", "a manifest",      "CURRENT",
          "the note", "the lock",  "a directory", "a temporary file" };
  snprintf (name, sizeof name, "%s: %s %s %s", activity_name (point->activity),
            moments[point->moment], operations[point->operation], kinds[point->kind]);
  return name;
}

static bool
ends_in (const char *name, const char *ending)
{
  size_t size = strlen (name), end = strlen (ending);
  return size >= end && strcmp (name + size - end, ending) == 0;
}

static enum file_kind
kind_of (const char *name)
{
  return ends_in (name, ".log")                ? KIND_LOG
         : ends_in (name, ".seg")              ? KIND_SEGMENT
         : ends_in (name, ".blob")             ? KIND_BLOB
         : strncmp (name, "MANIFEST-", 9) == 0 ? KIND_MANIFEST
         : strcmp (name, "CURRENT") == 0       ? KIND_CURRENT
         : strncmp (name, "BACKUP", 6) == 0    ? KIND_NOTE
         : strcmp (name, "LOCK") == 0          ? KIND_LOCK
         : ends_in (name, ".tmp")              ? KIND_CURRENT
                                               : KIND_OTHER;
}

/* ---- dying ---- */

void
killing_disk_use (struct kill_order *new_order)
{
  order = new_order;
}

void
killing_disk_do (enum activity activity)
{
  mine = activity;
}

/* The engine's own threads say what they are by their names. */
static enum activity
activity_now (void)
{
  static _Thread_local bool asked;
  char name[16] = "";
  if (mine != ACTIVITY_NONE || asked)
    return mine;
  asked = true;
  pthread_getname_np (pthread_self (), name, sizeof name);
  mine = strcmp (name, "ldb-log") == 0         ? ACTIVITY_LOG
         : strcmp (name, "ldb-flush") == 0     ? ACTIVITY_FLUSH
         : strncmp (name, "ldb-merge", 9) == 0 ? ACTIVITY_MERGE
                                               : ACTIVITY_NONE;
  return mine;
}

static void
die (void)
{
  atomic_store (&order->hit, true);
  kill (getpid (), SIGKILL);
  for (;;)
    pause ();
}

/* Whether the process dies of this one, and at which moment. Counts it. */
static bool
is_due (enum operation operation, enum file_kind kind, enum moment *moment)
{
  enum activity activity = order != NULL ? activity_now () : ACTIVITY_NONE;
  if (activity == ACTIVITY_NONE)
    return false;
  atomic_fetch_add (&order->seen[activity][operation][kind], 1);
  const struct kill_point *point = &order->point;
  if (order->turn == 0 || point->activity != activity || point->operation != operation
      || point->kind != kind)
    return false;
  *moment = point->moment;
  return atomic_fetch_add (&order->at, 1) + 1 == order->turn;
}

/* Runs `call` between the moments. */
#define AROUND(operation, kind, call)                                                              \
  do                                                                                               \
    {                                                                                              \
      enum moment moment;                                                                          \
      bool due = is_due (operation, kind, &moment);                                                \
      if (due && moment == MOMENT_BEFORE)                                                          \
        die ();                                                                                    \
      status around_result = call;                                                                 \
      if (due)                                                                                     \
        die ();                                                                                    \
      return around_result;                                                                        \
    }                                                                                              \
  while (0)

/* ---- the operations ---- */

static status
killing_directory_open (const struct vfs *vfs, const char *path, bool create,
                        struct vfs_directory **out, struct failure *failure)
{
  status result
      = __real_vfs_posix ()->directory_open (__real_vfs_posix (), path, create, out, failure);
  if (result == STATUS_OK)
    (*out)->vfs = vfs;
  return result;
}

static status
killing_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  AROUND (OPERATION_SYNC, KIND_DIRECTORY, __real_vfs_posix ()->directory_sync (directory, failure));
}

static status
killing_rename (struct vfs_directory *directory, const char *from, const char *to,
                struct failure *failure)
{
  AROUND (OPERATION_RENAME, kind_of (to),
          __real_vfs_posix ()->rename (directory, from, to, failure));
}

static status
killing_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  AROUND (OPERATION_UNLINK, kind_of (name), __real_vfs_posix ()->unlink (directory, name, failure));
}

static status
killing_link (struct vfs_directory *from, const char *name, struct vfs_directory *to,
              const char *new_name, struct failure *failure)
{
  AROUND (OPERATION_LINK, kind_of (new_name),
          __real_vfs_posix ()->link (from, name, to, new_name, failure));
}

static status
killing_clone (struct vfs_directory *from, const char *name, struct vfs_directory *to,
               const char *new_name, struct failure *failure)
{
  AROUND (OPERATION_LINK, kind_of (new_name),
          __real_vfs_posix ()->clone (from, name, to, new_name, failure));
}

static status
real_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *failure)
{
  status result = __real_vfs_posix ()->open (directory, name, flags, out, failure);
  if (result == STATUS_OK)
    (*out)->vfs = directory->vfs;
  return result;
}

static status
killing_open (struct vfs_directory *directory, const char *name, unsigned flags,
              struct vfs_file **out, struct failure *failure)
{
  if ((flags & VFS_CREATE) == 0)
    return real_open (directory, name, flags, out, failure);
  AROUND (OPERATION_CREATE, kind_of (name), real_open (directory, name, flags, out, failure));
}

static status
killing_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
               struct failure *failure)
{
  enum moment moment;
  bool due = is_due (OPERATION_WRITE, kind_of (file->name), &moment);
  if (due && moment != MOMENT_AFTER)
    {
      /* One that bypasses the page cache writes whole sectors. */
      size_t part = (size_t) ((unsigned __int128) size * order->part / 1000);
      if (size % 4096 == 0 && offset % 4096 == 0)
        part -= part % 4096;
      if (moment == MOMENT_AMID && part > 0)
        __real_vfs_posix ()->write (file, offset, from, part, failure);
      die ();
    }
  status result = __real_vfs_posix ()->write (file, offset, from, size, failure);
  if (due)
    die ();
  return result;
}

static status
killing_sync_data (struct vfs_file *file, struct failure *failure)
{
  AROUND (OPERATION_SYNC, kind_of (file->name), __real_vfs_posix ()->sync_data (file, failure));
}

static status
killing_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  AROUND (OPERATION_TRUNCATE, kind_of (file->name),
          __real_vfs_posix ()->truncate (file, size, failure));
}

static status
killing_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  AROUND (OPERATION_ALLOCATE, kind_of (file->name),
          __real_vfs_posix ()->allocate (file, offset, size, failure));
}

static status
killing_map (struct vfs_file *file, uint64_t offset, size_t size, bool writable,
             bool populate_write, void **out, struct failure *failure)
{
  if (!writable)
    return __real_vfs_posix ()->map (file, offset, size, writable, populate_write, out, failure);
  AROUND (OPERATION_MAP, kind_of (file->name),
          __real_vfs_posix ()->map (file, offset, size, writable, populate_write, out, failure));
}

static struct vfs killing_vfs;

static void
fill_table (void)
{
  killing_vfs = *__real_vfs_posix ();
  killing_vfs.name = "killing";
  killing_vfs.directory_open = killing_directory_open;
  killing_vfs.directory_sync = killing_directory_sync;
  killing_vfs.rename = killing_rename;
  killing_vfs.unlink = killing_unlink;
  killing_vfs.link = killing_link;
  killing_vfs.clone = killing_clone;
  killing_vfs.open = killing_open;
  killing_vfs.write = killing_write;
  killing_vfs.sync_data = killing_sync_data;
  killing_vfs.truncate = killing_truncate;
  killing_vfs.allocate = killing_allocate;
  killing_vfs.map = killing_map;
}

const struct vfs *
__wrap_vfs_posix (void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once (&once, fill_table);
  return &killing_vfs;
}
