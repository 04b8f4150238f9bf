/* SPDX-License-Identifier: MIT */
/*
 * vfs: every system call that touches a file goes through here.
 *
 * A `struct vfs` is a table of operations; vfs_posix() is the real one, tests put a simulated or
 * fault-injecting one in its place. Files are opened relative to a held directory, never through
 * symbolic links (O_NOFOLLOW), close-on-exec, mode 0600 whatever the umask; directories 0700.
 *
 * Rules for every implementation:
 *   - reads and writes are whole: short ones and EINTR are retried inside;
 *   - vfs_read at or beyond the end of the file is a short count, not a failure;
 *   - a failed sync is reported once and never retried by the engine;
 *   - messages name the file as "<directory>/<name>".
 *
 * Threads: a directory or file may be used by many threads at once (positional I/O only); open and
 * close are the owner's.
 */
#ifndef LIGHTNING_BASE_VFS_H
#define LIGHTNING_BASE_VFS_H

#include "base/bytes.h"
#include "base/status.h"

struct vfs_directory; /* a held directory; all names are relative to it */
struct vfs_file;      /* an open file */

enum vfs_open_flags
{
  VFS_READ = 0,
  VFS_WRITE = 1 << 0,     /* read and write */
  VFS_CREATE = 1 << 1,    /* create if missing */
  VFS_EXCLUSIVE = 1 << 2, /* with VFS_CREATE: fail with STATUS_EXISTS if it is there */
  VFS_TRUNCATE = 1 << 3,  /* start empty */
  VFS_DIRECT = 1 << 4,    /* bypass the page cache where the file system can; silently ignored else.
                             Offsets, sizes and memory of writes are then multiples of 4096. */
};

/* Who else changes the files of a directory. */
enum vfs_reach
{
  VFS_REACH_LOCAL, /* programs of this system, all through the same page cache */
  VFS_REACH_LAYERED, /* a program of this system serves them (FUSE): whoever gets at them another way is
                        not seen */
  VFS_REACH_NETWORK, /* other machines */
};

enum vfs_lock_result
{
  VFS_LOCK_TAKEN,
  VFS_LOCK_HELD_BY_OTHER
};

struct vfs_file_information
{
  uint64_t size;      /* bytes, logical */
  uint64_t allocated; /* bytes on disk */
  uint64_t device;    /* with inode: identity of the file */
  uint64_t inode;
  bool nameless; /* its names were deleted: it goes with the last who has it open. false, too, where
                    nobody knows */
};

struct vfs
{
  const char *name; /* "posix", … */
  void *context;    /* the implementation's own */

  /* Directories. `create`: make it (one level, 0700) when missing. NOT_FOUND when missing. */
  status (*directory_open) (const struct vfs *, const char *path, bool create,
                            struct vfs_directory **out, struct failure *);
  void (*directory_close) (struct vfs_directory *);
  /* Calls `visit` for each entry but "." and ".."; stops when it returns false. */
  status (*directory_list) (struct vfs_directory *, bool (*visit) (void *data, const char *name),
                            void *data, struct failure *);
  status (*directory_sync) (struct vfs_directory *, struct failure *);
  /* Whether stores to allocated, zeroed blocks of a shared mapping can never fault here (file
   * system type and a probe): ext4, xfs, tmpfs yes; btrfs, network, FUSE and unknown ones no. */
  bool (*directory_mapping_is_safe) (struct vfs_directory *);
  /* Exclusive lock on the directory itself, which no other name or file can stand in for; never
   * waits. UNSUPPORTED where the file system has none. Released by unlock, by close, and by the
   * death of the process. */
  status (*directory_lock) (struct vfs_directory *, enum vfs_lock_result *out, struct failure *);
  void (*directory_unlock) (struct vfs_directory *);

  /* Names. rename replaces. unlink of a missing name is OK. link: hard link into another directory,
   * UNSUPPORTED across file systems. clone: reflink (shares blocks), UNSUPPORTED where it can't. */
  status (*rename) (struct vfs_directory *, const char *from, const char *to, struct failure *);
  status (*unlink) (struct vfs_directory *, const char *name, struct failure *);
  status (*link) (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                  const char *new_name, struct failure *);
  status (*clone) (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                   const char *new_name, struct failure *);

  /* Files. */
  status (*open) (struct vfs_directory *, const char *name, unsigned flags, struct vfs_file **out,
                  struct failure *);
  void (*close) (struct vfs_file *);
  status (*read) (struct vfs_file *, uint64_t offset, void *to, size_t size, size_t *got,
                  struct failure *);
  status (*write) (struct vfs_file *, uint64_t offset, const void *from, size_t size,
                   struct failure *);
  status (*sync_data) (struct vfs_file *, struct failure *); /* fdatasync */
  status (*truncate) (struct vfs_file *, uint64_t size, struct failure *);
  status (*allocate) (struct vfs_file *, uint64_t offset, uint64_t size, struct failure *);
  status (*information) (struct vfs_file *, struct vfs_file_information *out, struct failure *);
  /* Asks the kernel to read a range ahead, or to begin to bring it to the disk, so that a later
   * sync has less to wait for. Advice: never fails, promises nothing. */
  void (*advise_will_need) (struct vfs_file *, uint64_t offset, uint64_t size);
  void (*advise_write_back) (struct vfs_file *, uint64_t offset, uint64_t size);
  /* To let go of a range's pages that are clean, so that the next read asks the disk. Advice,
   * too. */
  void (*advise_drop) (struct vfs_file *, uint64_t offset, uint64_t size);
  /* Shared mapping. `populate_write`: fault the pages in for writing now; UNSUPPORTED or an error
   * means: do not map, use write. A writable mapping is not inherited through fork(). */
  status (*map) (struct vfs_file *, uint64_t offset, size_t size, bool writable,
                 bool populate_write, void **out, struct failure *);
  void (*unmap) (struct vfs_file *, void *at, size_t size);
  /* Exclusive OFD lock on the first byte of the file; released by close or death of the process.
   * `wait`: block until it is free (never on a thread the application sees).
   * This lock and a directory's stay with the process that took them: a forked child neither holds
   * nor releases them, and can't use the locked file or directory any more. */
  status (*lock) (struct vfs_file *, bool wait, enum vfs_lock_result *out, struct failure *);

  /* Opens a file that processes share memory through (shared-page.h); `write`: for writing, and
   * creates it when missing. The descriptor is the caller's. NULL: there are no descriptors. */
  status (*share) (struct vfs_directory *, const char *name, bool write, int *descriptor,
                   struct failure *);
  /* `file_system`: what it is called, static, unless it is LOCAL. NULL: all is local. */
  enum vfs_reach (*reach) (struct vfs_directory *, const char **file_system);
  /* Of the file system, in bytes; `available`: to this process. NULL: nobody knows. */
  status (*space) (struct vfs_directory *, uint64_t *total, uint64_t *available, struct failure *);
};

/* The operating system. Static; never freed. */
const struct vfs *vfs_posix (void);

/* A directory and file know their vfs; the engine calls these, never the table. */
struct vfs_directory
{
  const struct vfs *vfs; /* who made it */
  char *path;            /* as given by the caller, for messages only; owned */
};

struct vfs_file
{
  const struct vfs *vfs;           /* who made it */
  struct vfs_directory *directory; /* outlives the file; not owned */
  char *name;                      /* for messages; owned */
};

static inline status
vfs_directory_open (const struct vfs *vfs, const char *path, bool create,
                    struct vfs_directory **out, struct failure *failure)
{
  return vfs->directory_open (vfs, path, create, out, failure);
}

static inline void
vfs_directory_close (struct vfs_directory *directory)
{
  if (directory != NULL)
    directory->vfs->directory_close (directory);
}

static inline status
vfs_directory_list (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
                    void *data, struct failure *failure)
{
  return directory->vfs->directory_list (directory, visit, data, failure);
}

static inline status
vfs_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  return directory->vfs->directory_sync (directory, failure);
}

static inline bool
vfs_directory_mapping_is_safe (struct vfs_directory *directory)
{
  return directory->vfs->directory_mapping_is_safe (directory);
}

static inline status
vfs_directory_lock (struct vfs_directory *directory, enum vfs_lock_result *out,
                    struct failure *failure)
{
  return directory->vfs->directory_lock (directory, out, failure);
}

static inline void
vfs_directory_unlock (struct vfs_directory *directory)
{
  directory->vfs->directory_unlock (directory);
}

static inline status
vfs_rename (struct vfs_directory *directory, const char *from, const char *to,
            struct failure *failure)
{
  return directory->vfs->rename (directory, from, to, failure);
}

static inline status
vfs_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  return directory->vfs->unlink (directory, name, failure);
}

static inline status
vfs_link (struct vfs_directory *from, const char *name, struct vfs_directory *to,
          const char *new_name, struct failure *failure)
{
  return from->vfs->link (from, name, to, new_name, failure);
}

static inline status
vfs_clone (struct vfs_directory *from, const char *name, struct vfs_directory *to,
           const char *new_name, struct failure *failure)
{
  return from->vfs->clone (from, name, to, new_name, failure);
}

static inline status
vfs_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
          struct failure *failure)
{
  return directory->vfs->open (directory, name, flags, out, failure);
}

static inline void
vfs_close (struct vfs_file *file)
{
  if (file != NULL)
    file->vfs->close (file);
}

static inline status
vfs_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
          struct failure *failure)
{
  return file->vfs->read (file, offset, to, size, got, failure);
}

static inline status
vfs_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
           struct failure *failure)
{
  return file->vfs->write (file, offset, from, size, failure);
}

static inline status
vfs_sync_data (struct vfs_file *file, struct failure *failure)
{
  return file->vfs->sync_data (file, failure);
}

static inline status
vfs_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  return file->vfs->truncate (file, size, failure);
}

static inline status
vfs_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  return file->vfs->allocate (file, offset, size, failure);
}

static inline status
vfs_information (struct vfs_file *file, struct vfs_file_information *out, struct failure *failure)
{
  return file->vfs->information (file, out, failure);
}

static inline void
vfs_advise_will_need (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  file->vfs->advise_will_need (file, offset, size);
}

static inline void
vfs_advise_write_back (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  file->vfs->advise_write_back (file, offset, size);
}

static inline void
vfs_advise_drop (struct vfs_file *file, uint64_t offset, uint64_t size)
{
  file->vfs->advise_drop (file, offset, size);
}

static inline status
vfs_map (struct vfs_file *file, uint64_t offset, size_t size, bool writable, bool populate_write,
         void **out, struct failure *failure)
{
  return file->vfs->map (file, offset, size, writable, populate_write, out, failure);
}

static inline void
vfs_unmap (struct vfs_file *file, void *at, size_t size)
{
  file->vfs->unmap (file, at, size);
}

static inline status
vfs_lock (struct vfs_file *file, bool wait, enum vfs_lock_result *out, struct failure *failure)
{
  return file->vfs->lock (file, wait, out, failure);
}

static inline status
vfs_share (struct vfs_directory *directory, const char *name, bool write, int *descriptor,
           struct failure *failure)
{
  if (directory->vfs->share == NULL)
    return fail (failure, STATUS_UNSUPPORTED, "%s: its files cannot be shared", directory->path);
  return directory->vfs->share (directory, name, write, descriptor, failure);
}

static inline enum vfs_reach
vfs_reach (struct vfs_directory *directory, const char **file_system)
{
  *file_system = NULL;
  return directory->vfs->reach != NULL ? directory->vfs->reach (directory, file_system)
                                       : VFS_REACH_LOCAL;
}

static inline status
vfs_space (struct vfs_directory *directory, uint64_t *total, uint64_t *available,
           struct failure *failure)
{
  if (directory->vfs->space == NULL)
    return fail (failure, STATUS_UNSUPPORTED, "%s: how much room there is cannot be told",
                 directory->path);
  return directory->vfs->space (directory, total, available, failure);
}

/* Exactly `size` bytes or STATUS_CORRUPT naming the file and the place. */
status vfs_read_exact (struct vfs_file *file, uint64_t offset, void *to, size_t size,
                       struct failure *failure);

#endif
