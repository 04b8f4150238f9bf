/* SPDX-License-Identifier: MIT */
#include "core/writer-lock.h"

#include <time.h>

#define ATTEMPTS_MAX                                                                               \
  16 /* a few milliseconds: who only asks whether there is a writer is gone by then */

enum attempt
{
  ATTEMPT_HELD,  /* LOCK is locked and bears the name, or is passed over */
  ATTEMPT_TAKEN, /* by another */
  ATTEMPT_STALE, /* it was deleted or replaced meanwhile: L2 */
};

static status
lock_file (struct writer_lock *lock, struct vfs_directory *directory, bool create,
           enum attempt *attempt, struct failure *failure)
{
  struct vfs_file *named;
  struct vfs_file_information mine, there;
  enum vfs_lock_result taken;
  unsigned flags = VFS_WRITE | (create ? VFS_CREATE : 0);
  *attempt = ATTEMPT_HELD;
  status result
      = vfs_open (directory, WRITER_LOCK_NAME, flags, &lock->file, create ? failure : NULL);
  if (result != STATUS_OK)
    {
      lock->file = NULL;
      return create ? result : STATUS_OK;
    }
  result = vfs_lock (lock->file, false, &taken, failure);
  if (result == STATUS_OK && taken == VFS_LOCK_HELD_BY_OTHER)
    {
      *attempt = ATTEMPT_TAKEN;
      return STATUS_OK;
    }
  if (result == STATUS_OK)
    result = vfs_information (lock->file, &mine, failure);
  if (result != STATUS_OK)
    return result;
  *attempt = ATTEMPT_STALE;
  result = vfs_open (directory, WRITER_LOCK_NAME, VFS_READ, &named, failure);
  if (result != STATUS_OK)
    return result == STATUS_NOT_FOUND ? STATUS_OK : result;
  result = vfs_information (named, &there, failure);
  vfs_close (named);
  if (result == STATUS_OK && mine.device == there.device && mine.inode == there.inode)
    *attempt = ATTEMPT_HELD;
  return result;
}

static status
lock_directory (struct writer_lock *lock, struct vfs_directory *directory, enum attempt *attempt,
                struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  enum vfs_lock_result taken;
  status result = vfs_directory_lock (directory, &taken, &cause);
  if (result == STATUS_UNSUPPORTED)
    return STATUS_OK; /* L1 */
  if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  if (taken == VFS_LOCK_HELD_BY_OTHER)
    *attempt = ATTEMPT_TAKEN;
  else
    lock->directory = directory;
  return STATUS_OK;
}

status
writer_lock_take (struct writer_lock *lock, struct vfs_directory *directory, bool create,
                  const char *remedy, struct failure *failure)
{
  enum attempt attempt = ATTEMPT_STALE;
  *lock = (struct writer_lock){ 0 };
  for (int i = 0; i < ATTEMPTS_MAX; i++)
    {
      status result = lock_file (lock, directory, create, &attempt, failure);
      if (result == STATUS_OK && attempt == ATTEMPT_HELD)
        result = lock_directory (lock, directory, &attempt, failure);
      if (result == STATUS_OK && attempt == ATTEMPT_HELD)
        return STATUS_OK;
      writer_lock_release (lock);
      if (result != STATUS_OK)
        return result;
      nanosleep (&(struct timespec){ 0, 500000 }, NULL);
    }
  return fail (failure, STATUS_LOCKED, "%s is open for writing elsewhere; %s", directory->path,
               remedy);
}

void
writer_lock_release (struct writer_lock *lock)
{
  if (lock->directory != NULL)
    vfs_directory_unlock (lock->directory);
  vfs_close (lock->file);
  *lock = (struct writer_lock){ 0 };
}
