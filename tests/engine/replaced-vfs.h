/* SPDX-License-Identifier: MIT */
/*
 * replaced-vfs: a table of a test's own: the operating system's files and directories, but for the
 * operations that the test replaces. What is opened through it carries it, so that these are called.
 */
#ifndef LIGHTNING_TESTS_REPLACED_VFS_H
#define LIGHTNING_TESTS_REPLACED_VFS_H

#include "base/vfs.h"

static inline status
replaced_directory_open (const struct vfs *vfs, const char *path, bool create,
                         struct vfs_directory **out, struct failure *cause)
{
  status result = vfs_posix ()->directory_open (vfs_posix (), path, create, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = vfs;
  return result;
}

static inline status
replaced_open (struct vfs_directory *directory, const char *name, unsigned flags,
               struct vfs_file **out, struct failure *cause)
{
  status result = vfs_posix ()->open (directory, name, flags, out, cause);
  if (result == STATUS_OK)
    (*out)->vfs = directory->vfs;
  return result;
}

/* With nothing replaced yet. */
static inline struct vfs
replaced_vfs (void)
{
  struct vfs vfs = *vfs_posix ();
  vfs.directory_open = replaced_directory_open;
  vfs.open = replaced_open;
  return vfs;
}

#endif
