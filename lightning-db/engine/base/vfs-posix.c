/* SPDX-License-Identifier: MIT */
/*
 * vfs-posix: the operating system (Linux) behind vfs.h.
 *
 * Invariants
 *   P1  A name is one path component; it is resolved relative to the held directory descriptor and
 *       never through a symbolic link. Only regular files are opened, so that no open can block.
 *   P2  Whatever the umask, what is created here has mode 0600 (files) or 0700 (directories). The
 *       mode of what was there before is left alone.
 *   P3  Reads and writes are whole, or fail; EINTR never leaves this file.
 *   P4  A failed fdatasync or fsync is reported once; nothing here syncs a second time.
 *   P5  A directory made here is durable in its parent before directory_open returns.
 *   P6  No descriptor held here is 0, 1 or 2: what a program whose standard streams are closed
 *       prints cannot land in a database file.
 *   P7  A forked child closes the descriptors that hold locks at once, without unlocking: a lock
 *       ends with the process that took it, whatever its children do.
 */
#include "base/file-lock.h"
#include "base/vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

#define FILE_MODE 0600
#define DIRECTORY_MODE 0700
#define MAP_ALIGNMENT 4096u /* every page size is a multiple of it; the kernel checks the rest */
#define CREATE_ATTEMPTS 16  /* turns of "it is there", "now it is gone" before giving up */

struct posix_directory
{
  struct vfs_directory directory; /* what callers see; first, so that it may be cast back */
  int descriptor;                 /* held open, O_DIRECTORY; -1 in a child once it held a lock */
  struct file_lock lock;          /* of posix_directory_lock */
};

struct posix_file
{
  struct vfs_file file;  /* what callers see; first, so that it may be cast back */
  int descriptor;        /* owned; -1 in a child once it held a lock */
  struct file_lock lock; /* of posix_lock */
};

static int
directory_descriptor (const struct vfs_directory *directory)
{
  return ((const struct posix_directory *) directory)->descriptor;
}

static int
file_descriptor (const struct vfs_file *file)
{
  return ((const struct posix_file *) file)->descriptor;
}

/* Moves a new descriptor above 2 (P6). Gives the new one, or -1 with errno. */
static int
above_standard_streams (int descriptor)
{
  if (descriptor < 0 || descriptor > STDERR_FILENO)
    return descriptor;
  int moved = fcntl (descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int error = errno;
  close (descriptor);
  errno = error;
  return moved;
}

/* --- directories ------------------------------------------------------------------------------ */

/* Makes the name of the new directory durable. A parent that may not be read cannot be synced by
 * anyone; that alone is let pass. */
static int
sync_parent (int descriptor)
{
  int parent
      = TEMP_FAILURE_RETRY (openat (descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)); /* P3 */
  if (parent < 0)
    return errno == EACCES ? 0 : errno;
  int error = fsync (parent) == 0 || errno == EINVAL ? 0 : errno;
  close (parent);
  return error;
}

/* Opens `path`; when missing and `create`, makes it first (P2, P5). Gives errno or 0. */
static int
open_directory (const char *path, bool create, int *out)
{
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  *out = above_standard_streams (TEMP_FAILURE_RETRY (open (path, flags)));
  if (*out >= 0)
    return 0;
  if (errno != ENOENT || !create)
    return errno;

  bool made = mkdir (path, DIRECTORY_MODE) == 0;
  if (!made && errno != EEXIST)
    return errno;
  *out = above_standard_streams (TEMP_FAILURE_RETRY (open (path, flags)));
  if (*out < 0 && errno == EACCES && made && chmod (path, DIRECTORY_MODE) == 0)
    *out = above_standard_streams (
        TEMP_FAILURE_RETRY (open (path, flags))); /* a umask that takes even the owner's bits */
  if (*out < 0)
    return errno;
  if (!made)
    return 0;

  int error = fchmod (*out, DIRECTORY_MODE) == 0 || errno == EPERM || errno == EOPNOTSUPP
                  ? sync_parent (*out)
                  : errno;
  if (error != 0)
    {
      close (*out);
      *out = -1;
    }
  return error;
}

static status
directory_open_failed (const char *path, bool create, int error, struct failure *failure)
{
  struct stat information;
  if (error == ENOENT && lstat (path, &information) == 0 && S_ISLNK (information.st_mode))
    return fail (failure, STATUS_NOT_FOUND,
                 "%s is a symbolic link to something that is not there; create the directory it "
                 "points to, or remove the link",
                 path);
  if (error == ENOENT && create)
    return fail (failure, STATUS_NOT_FOUND,
                 "the directory %s cannot be created because its parent does not exist; create the "
                 "parent first",
                 path);
  if (error == ENOENT)
    return STATUS_NOT_FOUND;
  if (error == ENOTDIR)
    return fail (failure, STATUS_INVALID,
                 "%s is not a directory; a database is a directory, give its path", path);
  return fail_system (failure, error, "the directory %s cannot be opened", path);
}

static status
posix_directory_open (const struct vfs *vfs, const char *path, bool create,
                      struct vfs_directory **out, struct failure *failure)
{
  *out = NULL;
  struct posix_directory *opened = malloc (sizeof *opened);
  char *copy = strdup (path);
  int error = 0;
  if (opened == NULL || copy == NULL)
    {
      free (opened);
      free (copy);
      return fail_memory (failure, sizeof *opened + strlen (path) + 1, "an open directory");
    }

  *opened = (struct posix_directory){ .directory = { vfs, copy }, .descriptor = -1 };
  error = open_directory (path, create, &opened->descriptor);
  if (error != 0)
    {
      free (copy);
      free (opened);
      return directory_open_failed (path, create, error, failure);
    }
  *out = &opened->directory;
  return STATUS_OK;
}

static status
posix_directory_lock (struct vfs_directory *directory, enum vfs_lock_result *out,
                      struct failure *failure)
{
  struct posix_directory *posix = (struct posix_directory *) directory;
  int error = file_lock_take_whole (&posix->lock, &posix->descriptor);
  *out = error == 0 ? VFS_LOCK_TAKEN : VFS_LOCK_HELD_BY_OTHER;
  switch (error)
    {
    case 0:
    case EWOULDBLOCK:
      return STATUS_OK;
    case EBADF: /* a network file system that locks only what is open for writing */
    case EINVAL:
    case EISDIR:
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
      return fail (failure, STATUS_UNSUPPORTED,
                   "the file system of %s has no locks on directories; keep the database on a "
                   "local disk",
                   directory->path);
    default:
      return fail_system (failure, error, "the directory %s cannot be locked", directory->path);
    }
}

static void
posix_directory_unlock (struct vfs_directory *directory)
{
  file_lock_release (&((struct posix_directory *) directory)->lock);
}

static void
posix_directory_close (struct vfs_directory *directory)
{
  posix_directory_unlock (directory);
  if (directory_descriptor (directory) >= 0)
    close (directory_descriptor (directory));
  free (directory->path);
  free (directory);
}

static status
posix_directory_list (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
                      void *data, struct failure *failure)
{
  int descriptor = TEMP_FAILURE_RETRY (
      openat (directory_descriptor (directory), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *stream = descriptor >= 0 ? fdopendir (descriptor) : NULL;
  if (stream == NULL)
    {
      int error = errno;
      if (descriptor >= 0)
        close (descriptor);
      return fail_system (failure, error, "the directory %s cannot be listed", directory->path);
    }

  struct dirent *entry;
  errno = 0;
  while ((entry = readdir (stream)) != NULL)
    {
      if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0
          && !visit (data, entry->d_name))
        break;
      errno = 0;
    }
  int error = entry == NULL ? errno : 0;
  closedir (stream);
  if (error != 0)
    return fail_system (failure, error, "the directory %s cannot be listed", directory->path);
  return STATUS_OK;
}

static status
posix_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  /* EINVAL: this file system keeps names durable by itself, or cannot be asked to. */
  if (fsync (directory_descriptor (directory)) == 0 || errno == EINVAL)
    return STATUS_OK;
  return fail_system (failure, errno, "the directory %s could not be synced to disk",
                      directory->path);
}

#define PROBED_SIZE (MAP_ALIGNMENT * 16) /* bytes */

/* Whether a page of a fresh, zeroed, unnamed file can be faulted in for writing here. */
static bool
mapping_probe (int directory)
{
  bool safe = false;
  uint8_t *zeros = calloc (1, PROBED_SIZE);
  int descriptor = openat (directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, FILE_MODE);
  if (descriptor >= 0 && zeros != NULL
      && pwrite (descriptor, zeros, PROBED_SIZE, 0) == (ssize_t) PROBED_SIZE)
    {
      void *at = mmap (NULL, PROBED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
      if (at != MAP_FAILED)
        {
          safe = madvise (at, PROBED_SIZE, MADV_POPULATE_WRITE) == 0;
          munmap (at, PROBED_SIZE);
        }
    }
  if (descriptor >= 0)
    close (descriptor);
  free (zeros);
  return safe;
}

/* Only file systems that were measured never to fault on stores to allocated, zeroed blocks, even
 * when the disk is full. overlayfs does not say what it lies on, so it is not among them. */
static bool
posix_directory_mapping_is_safe (struct vfs_directory *directory)
{
  struct statfs information;
  int descriptor = directory_descriptor (directory);
  if (fstatfs (descriptor, &information) != 0)
    return false;
  switch ((unsigned long) information.f_type)
    {
    case EXT4_SUPER_MAGIC: /* ext2 and ext3 as well */
    case XFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return mapping_probe (descriptor);
    default:
      return false;
    }
}

/* --- names ------------------------------------------------------------------------------------ */

/* P1 */
static status
check_name (const struct vfs_directory *directory, const char *name, struct failure *failure)
{
  if (name[0] != '\0' && strchr (name, '/') == NULL && strcmp (name, ".") != 0
      && strcmp (name, "..") != 0)
    return STATUS_OK;
  return fail (failure, STATUS_INVALID,
               "\"%s\" is not the name of a file in %s; give one name without a slash", name,
               directory->path);
}

static status
posix_rename (struct vfs_directory *directory, const char *from, const char *to,
              struct failure *failure)
{
  int at = directory_descriptor (directory);
  status result = check_name (directory, from, failure);
  if (result == STATUS_OK)
    result = check_name (directory, to, failure);
  if (result != STATUS_OK)
    return result;
  if (renameat (at, from, at, to) != 0)
    return fail_system (failure, errno, "%s/%s cannot be renamed to %s", directory->path, from, to);
  return STATUS_OK;
}

static status
posix_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  status result = check_name (directory, name, failure);
  if (result != STATUS_OK)
    return result;
  if (unlinkat (directory_descriptor (directory), name, 0) != 0 && errno != ENOENT)
    return fail_system (failure, errno, "%s/%s cannot be deleted", directory->path, name);
  return STATUS_OK;
}

static status
posix_link (struct vfs_directory *from, const char *name, struct vfs_directory *to,
            const char *new_name, struct failure *failure)
{
  status result = check_name (from, name, failure);
  if (result == STATUS_OK)
    result = check_name (to, new_name, failure);
  if (result != STATUS_OK)
    return result;
  if (linkat (directory_descriptor (from), name, directory_descriptor (to), new_name, 0) == 0)
    return STATUS_OK;

  switch (errno)
    {
    case EEXIST:
      return fail (failure, STATUS_EXISTS, "%s/%s is already there; choose an empty directory",
                   to->path, new_name);
    case EXDEV:
    case EPERM: /* no hard links on this file system, or not to files of another user */
    case EMLINK:
    case EOPNOTSUPP:
      return fail (failure, STATUS_UNSUPPORTED,
                   "%s/%s cannot be hard-linked into %s; copy it instead", from->path, name,
                   to->path);
    default:
      return fail_system (failure, errno, "%s/%s cannot be linked to %s/%s", from->path, name,
                          to->path, new_name);
    }
}

/* --- opening files ---------------------------------------------------------------------------- */

/* Gives errno or 0. O_NONBLOCK lets a planted FIFO be opened, seen and refused (P1). */
static int
open_existing (int directory, const char *name, int access, int *out)
{
  do
    *out = above_standard_streams (
        openat (directory, name, access | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  while (*out < 0 && errno == EINTR);
  return *out < 0 ? errno : 0;
}

/* P2; file systems without modes (FAT) say EPERM or EOPNOTSUPP. */
static int
create_new (int directory, const char *name, int access, int *out)
{
  do
    *out = above_standard_streams (
        openat (directory, name, access | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE));
  while (*out < 0 && errno == EINTR);
  if (*out < 0)
    return errno;
  if (fchmod (*out, FILE_MODE) == 0 || errno == EPERM || errno == EOPNOTSUPP)
    return 0;
  int error = errno;
  close (*out);
  unlinkat (directory, name, 0);
  *out = -1;
  return error;
}

static int
open_or_create (int directory, const char *name, unsigned flags, int *out)
{
  int access = (flags & VFS_WRITE) != 0 ? O_RDWR : O_RDONLY;
  int error = ENOENT;
  for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++)
    {
      if ((flags & VFS_EXCLUSIVE) == 0)
        error = open_existing (directory, name, access, out);
      if (error != ENOENT || (flags & VFS_CREATE) == 0)
        return error;
      error = create_new (directory, name, access, out);
      if (error != EEXIST || (flags & VFS_EXCLUSIVE) != 0)
        return error;
    }
  return error;
}

/* Empties and marks an opened descriptor as `flags` ask. Gives errno or 0; EISDIR or ELOOP when it
 * is no regular file. */
static int
prepare_descriptor (int descriptor, unsigned flags)
{
  struct stat information;
  if (fstat (descriptor, &information) != 0)
    return errno;
  if (!S_ISREG (information.st_mode))
    return EISDIR;
  if ((flags & VFS_TRUNCATE) != 0 && information.st_size > 0)
    while (ftruncate (descriptor, 0) != 0)
      if (errno != EINTR)
        return errno;
  /* Set after opening, because an open that refuses O_DIRECT has already created the file. Where
   * it is not supported the page cache is used. */
  if ((flags & VFS_DIRECT) == 0 || fcntl (descriptor, F_SETFL, O_DIRECT) != 0)
    fcntl (descriptor, F_SETFL, 0);
  return 0;
}

static status
open_failed (const struct vfs_directory *directory, const char *name, int error,
             struct failure *failure)
{
  switch (error)
    {
    case ENOENT:
      return STATUS_NOT_FOUND;
    case EEXIST:
      return fail (failure, STATUS_EXISTS, "%s/%s is already there", directory->path, name);
    case ELOOP:
    case EISDIR:
    case ENXIO: /* a socket, or a device without a driver */
      return fail (
          failure, STATUS_INVALID,
          "%s/%s is not a regular file; symbolic links and special files are not followed, "
          "move it away",
          directory->path, name);
    default:
      return fail_system (failure, error, "%s/%s cannot be opened", directory->path, name);
    }
}

static status
posix_open (struct vfs_directory *directory, const char *name, unsigned flags,
            struct vfs_file **out, struct failure *failure)
{
  *out = NULL;
  status result = check_name (directory, name, failure);
  if (result != STATUS_OK)
    return result;
  if ((flags & VFS_TRUNCATE) != 0 && (flags & VFS_WRITE) == 0)
    return fail (failure, STATUS_INVALID, "%s/%s: truncating needs write access", directory->path,
                 name);

  struct posix_file *opened = malloc (sizeof *opened);
  char *copy = strdup (name);
  int error = ENOMEM, descriptor = -1;
  if (opened != NULL && copy != NULL)
    error = open_or_create (directory_descriptor (directory), name, flags, &descriptor);
  if (error == 0)
    error = prepare_descriptor (descriptor, flags);
  if (error == 0)
    {
      *opened = (struct posix_file){ .file = { directory->vfs, directory, copy },
                                     .descriptor = descriptor };
      *out = &opened->file;
      return STATUS_OK;
    }

  if (descriptor >= 0)
    close (descriptor);
  free (copy);
  free (opened);
  if (error == ENOENT && (flags & VFS_CREATE) != 0)
    return fail (failure, STATUS_IO,
                 "%s/%s cannot be created because the directory was deleted while it was in use; "
                 "close the database, then restore a backup or create it anew",
                 directory->path, name);
  return open_failed (directory, name, error, failure);
}

static void
posix_close (struct vfs_file *file)
{
  file_lock_release (&((struct posix_file *) file)->lock);
  if (file_descriptor (file) >= 0)
    close (file_descriptor (file)); /* never again after EINTR: the descriptor is gone */
  free (file->name);
  free (file);
}

static bool
clone_is_unsupported (int error)
{
  return error == EOPNOTSUPP || error == EXDEV || error == EINVAL || error == ENOTTY
         || error == ENOSYS || error == EPERM;
}

static status
posix_clone (struct vfs_directory *from, const char *name, struct vfs_directory *to,
             const char *new_name, struct failure *failure)
{
  int source = -1, target = -1;
  status result = check_name (from, name, failure);
  if (result == STATUS_OK)
    result = check_name (to, new_name, failure);
  if (result != STATUS_OK)
    return result;

  int error = open_existing (directory_descriptor (from), name, O_RDONLY, &source);
  if (error != 0)
    {
      if (error == ENOENT)
        return fail (failure, STATUS_NOT_FOUND, "%s/%s is not there", from->path, name);
      return open_failed (from, name, error, failure);
    }
  error = create_new (directory_descriptor (to), new_name, O_RDWR, &target);
  if (error != 0)
    result = error == EEXIST
                 ? open_failed (to, new_name, error, failure)
                 : fail_system (failure, error, "%s/%s cannot be created", to->path, new_name);
  else if (ioctl (target, FICLONE, source) != 0)
    {
      error = errno;
      unlinkat (directory_descriptor (to), new_name, 0);
      if (clone_is_unsupported (error))
        result = fail (failure, STATUS_UNSUPPORTED,
                       "%s/%s cannot share its blocks with a file in %s; copy it instead",
                       from->path, name, to->path);
      else
        result = fail_system (failure, error, "%s/%s cannot be cloned into %s", from->path, name,
                              to->path);
    }
  if (target >= 0)
    close (target);
  close (source);
  return result;
}

/* --- reading and writing ---------------------------------------------------------------------- */

static status
check_range (const struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  uint64_t end;
  if (!__builtin_add_overflow (offset, size, &end) && end <= INT64_MAX)
    return STATUS_OK;
  return fail (failure, STATUS_INVALID, "%s/%s: %llu bytes at offset %llu are beyond any file",
               file->directory->path, file->name, (unsigned long long) size,
               (unsigned long long) offset);
}

/* A direct descriptor refuses what is not aligned to the device's blocks: from then on this file
 * goes through the page cache. True when a retry makes sense. */
static bool
leave_direct (int descriptor)
{
  int flags = fcntl (descriptor, F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0
         && fcntl (descriptor, F_SETFL, flags & ~O_DIRECT) == 0;
}

static status
posix_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
            struct failure *failure)
{
  int descriptor = file_descriptor (file);
  uint8_t *at = to;
  *got = 0;
  status result = check_range (file, offset, size, failure);
  if (result != STATUS_OK)
    return result;
  while (*got < size)
    {
      ssize_t count = pread (descriptor, at + *got, size - *got, (off_t) (offset + *got));
      if (count == 0)
        break;
      if (count > 0)
        *got += (size_t) count;
      else if (errno != EINTR && !(errno == EINVAL && leave_direct (descriptor)))
        return fail_system (failure, errno, "%zu bytes at offset %llu of %s/%s cannot be read",
                            size, (unsigned long long) offset, file->directory->path, file->name);
    }
  return STATUS_OK;
}

static status
posix_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
             struct failure *failure)
{
  int descriptor = file_descriptor (file);
  const uint8_t *at = from;
  size_t done = 0;
  status result = check_range (file, offset, size, failure);
  if (result != STATUS_OK)
    return result;
  while (done < size)
    {
      ssize_t count = pwrite (descriptor, at + done, size - done, (off_t) (offset + done));
      int error = count == 0 ? EIO : errno;
      if (count > 0)
        done += (size_t) count;
      else if (error != EINTR && !(error == EINVAL && leave_direct (descriptor)))
        return fail_system (failure, error, "%zu bytes at offset %llu of %s/%s cannot be written",
                            size, (unsigned long long) offset, file->directory->path, file->name);
    }
  return STATUS_OK;
}

static status
posix_sync_data (struct vfs_file *file, struct failure *failure)
{
  if (fdatasync (file_descriptor (file)) == 0)
    return STATUS_OK;
  return fail_system (failure, errno, "%s/%s could not be synced to disk", file->directory->path,
                      file->name);
}

static status
posix_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  status result = check_range (file, size, 0, failure);
  if (result != STATUS_OK)
    return result;
  while (ftruncate (file_descriptor (file), (off_t) size) != 0)
    if (errno != EINTR)
      return fail_system (failure, errno, "%s/%s cannot be cut or grown to %llu bytes",
                          file->directory->path, file->name, (unsigned long long) size);
  return STATUS_OK;
}

static status
posix_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  status result = check_range (file, offset, size, failure);
  if (result != STATUS_OK || size == 0)
    return result;
  while (fallocate (file_descriptor (file), 0, (off_t) offset, (off_t) size) != 0)
    {
      if (errno == EOPNOTSUPP || errno == ENOSYS)
        return fail (failure, STATUS_UNSUPPORTED,
                     "the file system of %s cannot allocate blocks ahead; write zeros instead",
                     file->directory->path);
      if (errno != EINTR)
        return fail_system (failure, errno, "%llu bytes cannot be allocated for %s/%s",
                            (unsigned long long) size, file->directory->path, file->name);
    }
  return STATUS_OK;
}

/* Without the times: Linux 6.13 and later gives a file whose change time was asked for another one with its
 * next write, which makes the inode dirty, and with some file systems the next fdatasync write it as well. */
#define INFORMATION_ASKED (STATX_SIZE | STATX_BLOCKS | STATX_INO | STATX_NLINK)

static status
posix_information (struct vfs_file *file, struct vfs_file_information *out, struct failure *failure)
{
  struct statx information;
  if (statx (file_descriptor (file), "", AT_EMPTY_PATH, INFORMATION_ASKED, &information) != 0)
    return fail_system (failure, errno, "the size of %s/%s cannot be asked for",
                        file->directory->path, file->name);
  *out = (struct vfs_file_information){
    .size = information.stx_size,
    .allocated = information.stx_blocks * 512, /* in units of 512 always */
    .device = (uint64_t) makedev (information.stx_dev_major, information.stx_dev_minor),
    .inode = information.stx_ino,
    .nameless = information.stx_nlink == 0,
  };
  return STATUS_OK;
}

static void
advise (const struct vfs_file *file, uint64_t offset, uint64_t size, int advice)
{
  if (offset <= INT64_MAX && size <= INT64_MAX)
    posix_fadvise (file_descriptor (file), (off_t) offset, (off_t) size, advice);
}

static void
posix_advise_will_need (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  advise (file, offset, size, POSIX_FADV_WILLNEED);
}

static void
posix_advise_drop (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  advise (file, offset, size, POSIX_FADV_DONTNEED);
}

/* An error is not lost: the file's next sync reports it. */
static void
posix_advise_write_back (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  if (offset <= INT64_MAX && size <= INT64_MAX)
    sync_file_range (file_descriptor (file), (off_t) offset, (off_t) size, SYNC_FILE_RANGE_WRITE);
}

/* --- mappings and locks ----------------------------------------------------------------------- */

static status
populate_for_writing (const struct vfs_file *file, void *at, size_t size, struct failure *failure)
{
  while (madvise (at, size, MADV_POPULATE_WRITE) != 0)
    {
      if (errno == EINTR)
        continue;
      if (errno == EINVAL || errno == ENOSYS || errno == EFAULT || errno == EAGAIN)
        return fail (failure, STATUS_UNSUPPORTED,
                     "%s/%s cannot be faulted in for writing through a mapping; write it instead",
                     file->directory->path, file->name);
      return fail_system (failure, errno, "%s/%s cannot be written through a mapping",
                          file->directory->path, file->name);
    }
  return STATUS_OK;
}

static status
posix_map (struct vfs_file *file, uint64_t offset, size_t size, bool writable, bool populate_write,
           void **out, struct failure *failure)
{
  *out = NULL;
  status result = check_range (file, offset, size, failure);
  if (result != STATUS_OK)
    return result;
  if (size == 0 || offset % MAP_ALIGNMENT != 0 || (populate_write && !writable))
    return fail (failure, STATUS_INVALID,
                 "%s/%s: %zu bytes at offset %llu cannot be mapped; offsets are whole pages",
                 file->directory->path, file->name, size, (unsigned long long) offset);

  int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void *at = mmap (NULL, size, protection, MAP_SHARED, file_descriptor (file), (off_t) offset);
  if (at == MAP_FAILED)
    {
      if (errno == ENODEV || errno == EINVAL)
        return fail (failure, STATUS_UNSUPPORTED, "%s/%s cannot be mapped; read and write it",
                     file->directory->path, file->name);
      return fail_system (failure, errno, "%s/%s cannot be mapped", file->directory->path,
                          file->name);
    }
  if (writable)
    madvise (at, size, MADV_DONTFORK); /* a child must never write to its parent's files */
  if (populate_write)
    result = populate_for_writing (file, at, size, failure);
  if (result == STATUS_OK)
    *out = at;
  else
    munmap (at, size);
  return result;
}

static void
posix_unmap (struct vfs_file *file, void *at, size_t size)
{
  if (at != NULL)
    munmap (at, size);
}

static status
posix_lock (struct vfs_file *file, bool wait, enum vfs_lock_result *out, struct failure *failure)
{
  struct posix_file *posix = (struct posix_file *) file;
  *out = VFS_LOCK_HELD_BY_OTHER;
  int error = file_lock_take_byte (&posix->lock, &posix->descriptor, wait);
  switch (error)
    {
    case 0:
      *out = VFS_LOCK_TAKEN;
      return STATUS_OK;
    case EAGAIN:
    case EACCES:
      return STATUS_OK;
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
      return fail (failure, STATUS_UNSUPPORTED,
                   "the file system of %s has no locks; keep the database on a local disk",
                   file->directory->path);
    default:
      return fail_system (failure, error, "%s/%s cannot be locked", file->directory->path,
                          file->name);
    }
}

static const struct
{
  uint32_t magic;
  enum vfs_reach reach;
  const char *name;
} foreign_file_systems[] = {
  { NFS_SUPER_MAGIC, VFS_REACH_NETWORK, "NFS" },
  { SMB_SUPER_MAGIC, VFS_REACH_NETWORK, "SMB" },
  { UINT32_C (0xff534d42), VFS_REACH_NETWORK, "CIFS" },
  { UINT32_C (0xfe534d42), VFS_REACH_NETWORK, "SMB" },
  { AFS_SUPER_MAGIC, VFS_REACH_NETWORK, "AFS" },
  { UINT32_C (0x6b414653), VFS_REACH_NETWORK, "AFS" },
  { CODA_SUPER_MAGIC, VFS_REACH_NETWORK, "Coda" },
  { UINT32_C (0x00c36400), VFS_REACH_NETWORK, "Ceph" },
  { V9FS_MAGIC, VFS_REACH_NETWORK, "9P" },
  { OCFS2_SUPER_MAGIC, VFS_REACH_NETWORK, "OCFS2" },
  { UINT32_C (0x01161970), VFS_REACH_NETWORK, "GFS2" },
  { UINT32_C (0x0bd00bd0), VFS_REACH_NETWORK, "Lustre" },
  { UINT32_C (0x47504653), VFS_REACH_NETWORK, "GPFS" },
  { FUSE_SUPER_MAGIC, VFS_REACH_LAYERED, "FUSE" },
};

static enum vfs_reach
posix_reach (struct vfs_directory *directory, const char **file_system)
{
  struct statfs information;
  if (fstatfs (directory_descriptor (directory), &information) != 0)
    return VFS_REACH_LOCAL;
  for (size_t i = 0; i < sizeof foreign_file_systems / sizeof *foreign_file_systems; i++)
    if (foreign_file_systems[i].magic == (uint32_t) information.f_type)
      {
        *file_system = foreign_file_systems[i].name;
        return foreign_file_systems[i].reach;
      }
  return VFS_REACH_LOCAL;
}

static status
posix_space (struct vfs_directory *directory, uint64_t *total, uint64_t *available,
             struct failure *failure)
{
  struct statvfs information;
  if (fstatvfs (directory_descriptor (directory), &information) != 0)
    return fail_system (failure, errno, "%s: the free space cannot be told", directory->path);
  *total = (uint64_t) information.f_blocks * information.f_frsize;
  *available = (uint64_t) information.f_bavail * information.f_frsize;
  return STATUS_OK;
}

/* To read what others write, in the file that has this name for good: in an overlay that of a lower
 * layer has it until somebody opens it for writing. Who may not do so reads the one there is. */
static int
open_to_follow (int directory, const char *name, int *out)
{
  struct statfs information;
  if (fstatfs (directory, &information) == 0
      && (uint32_t) information.f_type == OVERLAYFS_SUPER_MAGIC
      && open_or_create (directory, name, VFS_WRITE, out) == 0)
    return 0;
  return open_or_create (directory, name, VFS_READ, out);
}

static status
posix_share (struct vfs_directory *directory, const char *name, bool write, int *out,
             struct failure *failure)
{
  *out = -1;
  int held = directory_descriptor (directory);
  int error = write ? open_or_create (held, name, VFS_WRITE | VFS_CREATE, out)
                    : open_to_follow (held, name, out);
  if (error == 0)
    error = prepare_descriptor (*out, 0);
  if (error == 0)
    return STATUS_OK;
  if (*out >= 0)
    close (*out);
  *out = -1;
  return open_failed (directory, name, error, failure);
}

const struct vfs *
vfs_posix (void)
{
  static const struct vfs posix = {
    .name = "posix",
    .directory_open = posix_directory_open,
    .directory_close = posix_directory_close,
    .directory_list = posix_directory_list,
    .directory_sync = posix_directory_sync,
    .directory_mapping_is_safe = posix_directory_mapping_is_safe,
    .directory_lock = posix_directory_lock,
    .directory_unlock = posix_directory_unlock,
    .rename = posix_rename,
    .unlink = posix_unlink,
    .link = posix_link,
    .clone = posix_clone,
    .open = posix_open,
    .close = posix_close,
    .read = posix_read,
    .write = posix_write,
    .sync_data = posix_sync_data,
    .truncate = posix_truncate,
    .allocate = posix_allocate,
    .information = posix_information,
    .advise_will_need = posix_advise_will_need,
    .advise_write_back = posix_advise_write_back,
    .advise_drop = posix_advise_drop,
    .map = posix_map,
    .unmap = posix_unmap,
    .lock = posix_lock,
    .share = posix_share,
    .reach = posix_reach,
    .space = posix_space,
  };
  return &posix;
}
