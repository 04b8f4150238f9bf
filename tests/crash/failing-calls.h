/* SPDX-License-Identifier: MIT */
/*
 * failing-calls: every place in the engine's source that calls the operating system, and faults in
 * them.
 *
 * The engine's files that make such calls are compiled once more with this header in front of them
 * (-include), and stand before the engine's library when the test is linked. Each call in their
 * text becomes a `struct call_site` of its own, which the linker collects: the list is complete by
 * itself. That no other file calls the system, and none a function that is not here, is what
 * `check-calls` sees to.
 *
 * A site fails in the ways that the system's manual has for its call; `kinds` are their bits.
 * EINTR, EAGAIN and EFAULT may last, but not for ever: whoever is right to try again would never
 * come to an end.
 */
#ifndef LIGHTNING_TESTS_FAILING_CALLS_H
#define LIGHTNING_TESTS_FAILING_CALLS_H

/* All that declares what is a macro below, or has a member of that name. */
#include "base/vfs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum call_fault
{
  CALL_IO,          /* EIO */
  CALL_SPACE,       /* ENOSPC */
  CALL_INTERRUPTED, /* EINTR */
  CALL_AGAIN,       /* EAGAIN */
  CALL_DESCRIPTORS, /* EMFILE */
  CALL_MEMORY,      /* ENOMEM */
  CALL_DENIED,      /* EACCES */
  CALL_INVALID,     /* EINVAL, which a descriptor that bypasses the page cache may give */
  CALL_FAULT,       /* EFAULT, of waiting at a shared page that cannot be brought in */
  CALL_SHORT,       /* a part is done */
  CALL_FAULTS,
};

#define CALL_LASTING_MOST 40 /* times that EINTR, EAGAIN and EFAULT last */
#define CALL_SITES_MOST 256
#define CALL_NAMES_MOST 128

struct call_site
{
  const char *call, *function; /* static */
  const char *file;            /* below lightning-db/engine; static */
  unsigned line;
  unsigned kinds; /* bits of enum call_fault */
  unsigned index; /* in call_sites(); set before any thread runs */
};

/* What is to fail, and what became of it. Set while no other thread runs. */
struct call_plan
{
  const struct call_site *site; /* NULL: none */
  enum call_fault kind;
  bool lasting;                  /* from there on: every site that has the kind */
  uint64_t at;                   /* which of the site's calls, from 0 */
  _Atomic bool armed;            /* also: calls are counted */
  _Atomic bool begun;            /* the call came */
  _Atomic uint64_t failed;       /* calls */
  _Atomic uint64_t synced_again; /* after a sync of the same file had failed */
  struct
  {
    _Atomic bool whole; /* may be read */
    char text[256];
  } names[CALL_NAMES_MOST]; /* of files, directories and paths at which a call failed, each once */
  _Atomic unsigned name_count; /* given out, also beyond them */
};
extern struct call_plan call_plan;
/* Of each site, while armed, in memory that children share: */
struct call_tally
{
  _Atomic uint64_t calls[CALL_SITES_MOST];
  _Atomic uint64_t failures[CALL_SITES_MOST];
};
extern struct call_tally *call_tally;
extern _Atomic int64_t call_mapped; /* bytes that the engine has mapped */
extern _Atomic int64_t
    call_blocks; /* that it has from malloc and its like, by the linker's --wrap */

/* In order of file and line. */
const struct call_site *const *call_sites (size_t *count);
int call_fault_error (enum call_fault kind); /* errno */
/* Whether a sync of the file failed since the database was opened. */
bool call_sync_failed (const struct stat *file);
/* Forgets which did: the database is opened anew. */
void call_forget_syncs (void);
/* Whether a call at what `message` names failed. */
bool call_names_file (const char *message);

/* What the macros call. `size`: of a read or write, to be made less. */
bool call_fails (struct call_site *site, int descriptor, const char *name, size_t *size);
bool call_sync_fails (struct call_site *site, int descriptor);

#define CALL_BIT(kind) (1u << CALL_##kind)
#define CALL_ANY CALL_BIT (IO)
#define CALL_NAME (CALL_BIT (IO) | CALL_BIT (MEMORY) | CALL_BIT (DENIED))
#define CALL_NEW_NAME (CALL_NAME | CALL_BIT (SPACE))
#define CALL_OPEN                                                                                  \
  (CALL_NEW_NAME | CALL_BIT (INTERRUPTED) | CALL_BIT (AGAIN) | CALL_BIT (DESCRIPTORS))
#define CALL_WAITS (CALL_BIT (IO) | CALL_BIT (INTERRUPTED) | CALL_BIT (AGAIN))
#define CALL_TRANSFER (CALL_WAITS | CALL_BIT (SHORT) | CALL_BIT (INVALID))

#define CALL_SITE(name, bits)                                                                      \
  ({                                                                                               \
    static struct call_site call_site_here = { #name, __func__, __FILE__, __LINE__, (bits), 0 };   \
    static struct call_site *const call_site_listed                                                \
        __attribute__ ((section ("call_site_list"), used))                                         \
        = &call_site_here;                                                                         \
    (void) call_site_listed;                                                                       \
    &call_site_here;                                                                               \
  })
#define CALL_FAILS(name, bits, descriptor, path)                                                   \
  call_fails (CALL_SITE (name, bits), descriptor, path, NULL)

#ifndef LIGHTNING_TESTS_FAILING_CALLS_THEMSELVES
#define open(path, ...) (CALL_FAILS (open, CALL_OPEN, -1, path) ? -1 : open (path, __VA_ARGS__))
#define openat(at, path, ...)                                                                      \
  (CALL_FAILS (openat, CALL_OPEN, at, path) ? -1 : openat (at, path, __VA_ARGS__))
#define mkdir(path, mode) (CALL_FAILS (mkdir, CALL_NEW_NAME, -1, path) ? -1 : mkdir (path, mode))
#define rmdir(path) (CALL_FAILS (rmdir, CALL_NAME, -1, path) ? -1 : rmdir (path))
#define chmod(path, mode) (CALL_FAILS (chmod, CALL_NAME, -1, path) ? -1 : chmod (path, mode))
#define lstat(path, to) (CALL_FAILS (lstat, CALL_NAME, -1, path) ? -1 : lstat (path, to))
#define realpath(path, to)                                                                         \
  ({                                                                                               \
    char *call_path = CALL_FAILS (realpath, CALL_NAME, -1, path) ? NULL : realpath (path, to);     \
    atomic_fetch_add (&call_blocks, call_path != NULL); /* it is the caller's to free */           \
    call_path;                                                                                     \
  })
#define renameat(from, name, to, new_name)                                                         \
  (CALL_FAILS (renameat, CALL_NEW_NAME, from, name) ? -1 : renameat (from, name, to, new_name))
#define linkat(from, name, to, new_name, flags)                                                    \
  (CALL_FAILS (linkat, CALL_NEW_NAME, to, new_name) ? -1 : linkat (from, name, to, new_name, flags))
#define unlinkat(at, name, flags)                                                                  \
  (CALL_FAILS (unlinkat, CALL_NAME, at, name) ? -1 : unlinkat (at, name, flags))
#define fdopendir(file)                                                                            \
  (CALL_FAILS (fdopendir, CALL_ANY | CALL_BIT (MEMORY), file, NULL) ? NULL : fdopendir (file))
#define readdir(stream)                                                                            \
  (CALL_FAILS (readdir, CALL_ANY, dirfd (stream), NULL) ? NULL : readdir (stream))
#define fchmod(file, mode) (CALL_FAILS (fchmod, CALL_ANY, file, NULL) ? -1 : fchmod (file, mode))
#define fstat(file, to)                                                                            \
  (CALL_FAILS (fstat, CALL_ANY | CALL_BIT (MEMORY), file, NULL) ? -1 : fstat (file, to))
#define statx(file, name, flags, wanted, to)                                                       \
  (CALL_FAILS (statx, CALL_ANY | CALL_BIT (MEMORY), file, NULL)                                    \
       ? -1                                                                                        \
       : statx (file, name, flags, wanted, to))
/* All are as if on tmpfs, so that everywhere the same calls are made: the log is mapped. */
#define fstatfs(file, to)                                                                          \
  (CALL_FAILS (fstatfs, CALL_ANY | CALL_BIT (MEMORY), file, NULL) || fstatfs (file, to) != 0       \
       ? -1                                                                                        \
       : ((to)->f_type = 0x01021994, 0))
#define fstatvfs(file, to)                                                                         \
  (CALL_FAILS (fstatvfs, CALL_ANY | CALL_BIT (MEMORY), file, NULL) ? -1 : fstatvfs (file, to))
#define fcntl(file, ...)                                                                           \
  (CALL_FAILS (fcntl, CALL_WAITS | CALL_BIT (INVALID), file, NULL) ? -1 : fcntl (file, __VA_ARGS__))
#define ioctl(file, ...)                                                                           \
  (CALL_FAILS (ioctl, CALL_BIT (IO) | CALL_BIT (SPACE), file, NULL) ? -1                           \
                                                                    : ioctl (file, __VA_ARGS__))
#define flock(file, operation)                                                                     \
  (CALL_FAILS (flock, CALL_WAITS | CALL_BIT (MEMORY), file, NULL) ? -1 : flock (file, operation))
#define fsync(file)                                                                                \
  (call_sync_fails (CALL_SITE (fsync, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (INTERRUPTED)),  \
                    file)                                                                          \
       ? -1                                                                                        \
       : fsync (file))
#define fdatasync(file)                                                                            \
  (call_sync_fails (                                                                               \
       CALL_SITE (fdatasync, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (INTERRUPTED)), file)     \
       ? -1                                                                                        \
       : fdatasync (file))
#define ftruncate(file, size)                                                                      \
  (CALL_FAILS (ftruncate, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (INTERRUPTED), file, NULL)   \
       ? -1                                                                                        \
       : ftruncate (file, size))
#define fallocate(file, mode, offset, size)                                                        \
  (CALL_FAILS (fallocate, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (INTERRUPTED), file, NULL)   \
       ? -1                                                                                        \
       : fallocate (file, mode, offset, size))
#define pread(file, to, size, offset)                                                              \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    call_fails (CALL_SITE (pread, CALL_TRANSFER), file, NULL, &call_size)                          \
        ? -1                                                                                       \
        : pread (file, to, call_size, offset);                                                     \
  })
#define pwrite(file, from, size, offset)                                                           \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    call_fails (CALL_SITE (pwrite, CALL_TRANSFER | CALL_BIT (SPACE)), file, NULL, &call_size)      \
        ? -1                                                                                       \
        : pwrite (file, from, call_size, offset);                                                  \
  })
#define getrandom(to, size, flags)                                                                 \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    call_fails (CALL_SITE (getrandom, CALL_WAITS | CALL_BIT (SHORT)), -1, NULL, &call_size)        \
        ? -1                                                                                       \
        : getrandom (to, call_size, flags);                                                        \
  })
#define sync_file_range(file, offset, size, flags)                                                 \
  (CALL_FAILS (sync_file_range, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (MEMORY), file, NULL)  \
       ? -1                                                                                        \
       : sync_file_range (file, offset, size, flags))
#define posix_fadvise(file, offset, size, advice)                                                  \
  (CALL_FAILS (posix_fadvise, CALL_ANY, file, NULL) ? errno                                        \
                                                    : posix_fadvise (file, offset, size, advice))
#define syscall(...)                                                                               \
  (CALL_FAILS (syscall, CALL_BIT (INTERRUPTED) | CALL_BIT (AGAIN) | CALL_BIT (FAULT), -1, NULL)    \
       ? -1                                                                                        \
       : syscall (__VA_ARGS__))
#define pthread_create(...)                                                                        \
  (CALL_FAILS (pthread_create, CALL_BIT (AGAIN) | CALL_BIT (MEMORY), -1, NULL)                     \
       ? errno                                                                                     \
       : pthread_create (__VA_ARGS__))
#define getrlimit(what, to) (CALL_FAILS (getrlimit, CALL_ANY, -1, NULL) ? -1 : getrlimit (what, to))
#define getpriority(which, who)                                                                    \
  (CALL_FAILS (getpriority, CALL_ANY, -1, NULL) ? -1 : getpriority (which, who))
#define setpriority(which, who, priority)                                                          \
  (CALL_FAILS (setpriority, CALL_ANY, -1, NULL) ? -1 : setpriority (which, who, priority))
#define sysconf(name) (CALL_FAILS (sysconf, CALL_ANY, -1, NULL) ? -1 : sysconf (name))
#define madvise(at, size, advice)                                                                  \
  (CALL_FAILS (madvise,                                                                            \
               CALL_BIT (IO) | CALL_BIT (INTERRUPTED) | CALL_BIT (AGAIN) | CALL_BIT (MEMORY), -1,  \
               NULL)                                                                               \
       ? -1                                                                                        \
       : madvise (at, size, advice))
#define mprotect(at, size, protection)                                                             \
  (CALL_FAILS (mprotect, CALL_BIT (MEMORY), -1, NULL) ? -1 : mprotect (at, size, protection))
#define mmap(at, size, protection, flags, file, offset)                                            \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    void *call_at = CALL_FAILS (mmap, CALL_BIT (MEMORY) | CALL_BIT (AGAIN), file, NULL)            \
                        ? MAP_FAILED                                                               \
                        : mmap (at, call_size, protection, flags, file, offset);                   \
    if (call_at != MAP_FAILED)                                                                     \
      atomic_fetch_add (&call_mapped, (int64_t) call_size);                                        \
    call_at;                                                                                       \
  })
#define mremap(at, before, size, flags)                                                            \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    void *call_at = CALL_FAILS (mremap, CALL_BIT (MEMORY) | CALL_BIT (AGAIN), -1, NULL)            \
                        ? MAP_FAILED                                                               \
                        : mremap (at, before, call_size, flags);                                   \
    if (call_at != MAP_FAILED)                                                                     \
      atomic_fetch_add (&call_mapped, (int64_t) call_size - (int64_t) (before));                   \
    call_at;                                                                                       \
  })
/* What gives something back has done so also when it says that it failed, as Linux's close does. */
#define munmap(at, size)                                                                           \
  ({                                                                                               \
    size_t call_size = (size);                                                                     \
    atomic_fetch_sub (&call_mapped, (int64_t) call_size);                                          \
    int call_result = munmap (at, call_size);                                                      \
    CALL_FAILS (munmap, CALL_BIT (MEMORY), -1, NULL) ? -1 : call_result;                           \
  })
#define close(file)                                                                                \
  ({                                                                                               \
    int call_file = (file);                                                                        \
    bool call_failed = CALL_FAILS (                                                                \
        close, CALL_BIT (IO) | CALL_BIT (SPACE) | CALL_BIT (INTERRUPTED), call_file, NULL);        \
    int call_error = errno, call_result = close (call_file);                                       \
    if (call_failed)                                                                               \
      errno = call_error;                                                                          \
    call_failed ? -1 : call_result;                                                                \
  })
#define closedir(stream)                                                                           \
  ({                                                                                               \
    int call_result = closedir (stream);                                                           \
    CALL_FAILS (closedir, CALL_ANY, -1, NULL) ? -1 : call_result;                                  \
  })
#endif

#endif
