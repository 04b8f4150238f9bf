/* SPDX-License-Identifier: MIT */
#include "base/vfs.h"

status
vfs_read_exact (struct vfs_file *file, uint64_t offset, void *to, size_t size,
                struct failure *failure)
{
  size_t got = 0;
  status result = vfs_read (file, offset, to, size, &got, failure);
  if (result != STATUS_OK)
    return result;
  if (got < size)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s is cut short: %zu bytes at offset %llu were expected and %zu are there; "
                 "restore it from a backup or run a repair",
                 file->directory->path, file->name, size, (unsigned long long) offset, got);
  return STATUS_OK;
}
