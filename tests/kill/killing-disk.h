/* SPDX-License-Identifier: MIT */
/*
 * killing-disk: the operating system's files, and a process that is killed at a point with a name:
 * before, amid or after the n-th time that somebody does something to a file of some kind.
 *
 * The linker's --wrap puts it in the place of vfs_posix, so that everything goes through it, repair
 * and restore too; the engine knows of nothing. Directories and files are the real ones with
 * another table on them. What was done is real, and stays in the page cache as it does when a
 * process dies.
 *
 * Who does it: a thread says what it is about (killing_disk_do); the engine's own threads are known
 * by their names.
 *
 * Threads: any. What is noted stands in memory that a parent process shares.
 */
#ifndef LIGHTNING_TESTS_KILLING_DISK_H
#define LIGHTNING_TESTS_KILLING_DISK_H

#include "base/vfs.h"

#include <stdatomic.h>

enum activity
{
  ACTIVITY_NONE,  /* nothing is counted */
  ACTIVITY_WRITE, /* a commit of the application's */
  ACTIVITY_LOG,   /* the log's thread: syncs in time, the next log file */
  ACTIVITY_FLUSH,
  ACTIVITY_MERGE,
  ACTIVITY_COMPACT, /* a merge that was asked for */
  ACTIVITY_CREATE,
  ACTIVITY_RECOVER, /* an open that finds a log */
  ACTIVITY_CHECKPOINT,
  ACTIVITY_LOAD,
  ACTIVITY_BACKUP,
  ACTIVITY_RESTORE,
  ACTIVITY_REPAIR,
  ACTIVITY_CLOSE,
  ACTIVITY_DESTROY,
  ACTIVITIES
};

enum operation
{
  OPERATION_CREATE,
  OPERATION_WRITE,
  OPERATION_SYNC,
  OPERATION_ALLOCATE,
  OPERATION_TRUNCATE,
  OPERATION_MAP, /* for writing */
  OPERATION_RENAME,
  OPERATION_UNLINK,
  OPERATION_LINK, /* or clone, whichever the file system can */
  OPERATIONS
};

enum file_kind
{
  KIND_LOG,
  KIND_SEGMENT,
  KIND_BLOB,
  KIND_MANIFEST,
  KIND_CURRENT, /* and the temporary file that becomes it */
  KIND_NOTE,    /* of a backup */
  KIND_LOCK,
  KIND_DIRECTORY,
  KIND_OTHER, /* other temporary files */
  KINDS
};

enum moment
{
  MOMENT_BEFORE,
  MOMENT_AMID, /* of a write: a part of the bytes is there */
  MOMENT_AFTER,
};

struct kill_point
{
  enum activity activity;
  enum operation operation;
  enum file_kind kind;
  enum moment moment;
};

/* What a process is to die of, and what it did. Shared. */
struct kill_order
{
  struct kill_point point;
  uint64_t turn;       /* the how manyth time; 0 = never */
  uint64_t part;       /* of 1000: how much of a write is done amid */
  _Atomic uint64_t at; /* times so far */
  _Atomic bool hit;    /* it was killed there */
  _Atomic uint64_t seen[ACTIVITIES][OPERATIONS][KINDS]; /* done */
};

/* From now on, in this process. */
void killing_disk_use (struct kill_order *order);
/* What the calling thread is about. */
void killing_disk_do (enum activity activity);

const char *activity_name (enum activity activity);
/* “backup: before the rename of CURRENT”; in static memory of the thread. */
const char *kill_point_name (const struct kill_point *point);

#endif
