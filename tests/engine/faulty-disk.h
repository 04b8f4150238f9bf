/* SPDX-License-Identifier: MIT */
/*
 * faulty-disk: the operating system's files, but an operation on files of one kind fails when the
 * test says so. Directories and files are the real ones with another table on them, so everything
 * else works as it does for users.
 *
 * Threads: faulty_disk_break and faulty_disk_mend may be called while the engine's threads work.
 */
#ifndef LIGHTNING_TESTS_FAULTY_DISK_H
#define LIGHTNING_TESTS_FAULTY_DISK_H

#include "replaced-vfs.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum faulty_operation
{
  FAULTY_WRITE = 1 << 0, /* and making room: creating, allocating, growing */
  FAULTY_SYNC = 1 << 1,  /* of files */
  FAULTY_READ = 1 << 2,  /* of [read_from, read_to) */
};

struct faulty_disk
{
  struct vfs vfs;              /* what the engine gets */
  _Atomic unsigned operations; /* which fail: enum faulty_operation */
  _Atomic int system_error;    /* with which errno */
  _Atomic (const char *) kind; /* in files whose name contains it; "" = all */
  _Atomic uint64_t read_from, read_to;
  _Atomic unsigned failed; /* how many operations failed */
  _Atomic bool unmapped;   /* the log is to be written, not mapped */
};

static struct faulty_disk faulty_disk;

static inline bool
faulty_hits (const char *name, unsigned operation)
{
  if ((faulty_disk.operations & operation) == 0 || strstr (name, faulty_disk.kind) == NULL)
    return false;
  faulty_disk.failed++;
  return true;
}

static inline status
faulty_fail (const struct vfs_directory *directory, const char *name, const char *what,
             struct failure *failure)
{
  return fail_system (failure, faulty_disk.system_error, "%s/%s cannot be %s", directory->path,
                      name, what);
}

static inline bool
faulty_mapping_is_safe (struct vfs_directory *directory)
{
  return !faulty_disk.unmapped && vfs_posix ()->directory_mapping_is_safe (directory);
}

static inline status
faulty_open (struct vfs_directory *directory, const char *name, unsigned flags,
             struct vfs_file **out, struct failure *failure)
{
  if ((flags & VFS_CREATE) != 0 && faulty_hits (name, FAULTY_WRITE))
    return faulty_fail (directory, name, "created", failure);
  return replaced_open (directory, name, flags, out, failure);
}

static inline status
faulty_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
             struct failure *failure)
{
  if (offset < faulty_disk.read_to && offset + size > faulty_disk.read_from
      && faulty_hits (file->name, FAULTY_READ))
    return faulty_fail (file->directory, file->name, "read", failure);
  return vfs_posix ()->read (file, offset, to, size, got, failure);
}

static inline status
faulty_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
              struct failure *failure)
{
  if (faulty_hits (file->name, FAULTY_WRITE))
    return faulty_fail (file->directory, file->name, "written", failure);
  return vfs_posix ()->write (file, offset, from, size, failure);
}

static inline status
faulty_sync_data (struct vfs_file *file, struct failure *failure)
{
  if (faulty_hits (file->name, FAULTY_SYNC))
    return faulty_fail (file->directory, file->name, "synced", failure);
  return vfs_posix ()->sync_data (file, failure);
}

static inline status
faulty_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  if (faulty_hits (file->name, FAULTY_WRITE))
    return faulty_fail (file->directory, file->name, "resized", failure);
  return vfs_posix ()->truncate (file, size, failure);
}

static inline status
faulty_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  if (faulty_hits (file->name, FAULTY_WRITE))
    return faulty_fail (file->directory, file->name, "given room", failure);
  return vfs_posix ()->allocate (file, offset, size, failure);
}

/* The table, with nothing broken. */
static inline const struct vfs *
faulty_disk_new (bool unmapped)
{
  faulty_disk.vfs = replaced_vfs ();
  faulty_disk.vfs.name = "faulty";
  faulty_disk.vfs.directory_mapping_is_safe = faulty_mapping_is_safe;
  faulty_disk.vfs.open = faulty_open;
  faulty_disk.vfs.read = faulty_read;
  faulty_disk.vfs.write = faulty_write;
  faulty_disk.vfs.sync_data = faulty_sync_data;
  faulty_disk.vfs.truncate = faulty_truncate;
  faulty_disk.vfs.allocate = faulty_allocate;
  faulty_disk.operations = 0;
  faulty_disk.kind = "";
  faulty_disk.read_from = 0;
  faulty_disk.read_to = UINT64_MAX;
  faulty_disk.failed = 0;
  faulty_disk.unmapped = unmapped;
  return &faulty_disk.vfs;
}

static inline void
faulty_disk_break (unsigned operations, int system_error, const char *kind)
{
  faulty_disk.failed = 0;
  faulty_disk.system_error = system_error;
  faulty_disk.kind = kind;
  faulty_disk.operations = operations;
}

static inline void
faulty_disk_mend (void)
{
  faulty_disk.operations = 0;
}

#endif
