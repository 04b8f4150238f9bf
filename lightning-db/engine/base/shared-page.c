/* SPDX-License-Identifier: MIT */
#include "base/shared-page.h"

#include "base/file-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A thread that waits is woken so often, with such pauses, before it is cancelled. */
#define WAKES_MOST 1000u
#define WAKE_PAUSE_NANOSECONDS 100000

struct shared_page
{
  int descriptor;         /* -1 in a forked child */
  struct file_lock watch; /* has a forked child close it */
  struct flock awaited;   /* of shared_page_await_unlocked */
  struct timespec limit;  /* of shared_page_wait_endable */
  uint8_t *map;           /* an address for the kernel to wait at; never looked at from here */
};

status
shared_page_open (struct vfs_directory *directory, const char *name, bool write,
                  struct shared_page **out, struct failure *failure)
{
  static const uint8_t zeros[SHARED_PAGE_SIZE];
  int descriptor;
  status result = vfs_share (directory, name, write, &descriptor, failure);
  if (result != STATUS_OK)
    return result;
  struct shared_page *page = calloc (1, sizeof *page);
  if (page == NULL)
    {
      close (descriptor);
      return fail_memory (failure, sizeof *page, "a page shared with other processes");
    }
  page->descriptor = descriptor;
  file_lock_watch (&page->watch, &page->descriptor);

  uint8_t last;
  page->map = mmap (NULL, SHARED_PAGE_SIZE, PROT_READ, MAP_SHARED, descriptor, 0);
  if (page->map == MAP_FAILED)
    {
      page->map = NULL;
      result = fail_system (failure, errno, "%s/%s cannot be mapped", directory->path, name);
    }
  else if (madvise (page->map, SHARED_PAGE_SIZE, MADV_DONTFORK) != 0)
    result = fail_system (failure, errno, "%s/%s cannot be kept from forks", directory->path, name);
  else if (write && !shared_page_read (page, SHARED_PAGE_SIZE - 1, &last, 1)
           && !shared_page_write (page, 0, zeros, sizeof zeros))
    result = fail (failure, STATUS_NO_SPACE, "%s/%s cannot be made; make room on the disk",
                   directory->path, name);
  if (result != STATUS_OK)
    {
      shared_page_close (page);
      return result;
    }
  *out = page;
  return STATUS_OK;
}

void
shared_page_close (struct shared_page *page)
{
  if (page == NULL)
    return;
  file_lock_release (&page->watch);
  if (page->map != NULL)
    munmap (page->map, SHARED_PAGE_SIZE);
  if (page->descriptor >= 0)
    close (page->descriptor);
  free (page);
}

/* ---- bytes ---- */

bool
shared_page_read (struct shared_page *page, size_t offset, void *to, size_t size)
{
  ssize_t got;
  do
    got = pread (page->descriptor, to, size, (off_t) offset);
  while (got < 0 && errno == EINTR);
  return got == (ssize_t) size;
}

bool
shared_page_write (struct shared_page *page, size_t offset, const void *from, size_t size)
{
  ssize_t got;
  do
    got = pwrite (page->descriptor, from, size, (off_t) offset);
  while (got < 0 && errno == EINTR);
  return got == (ssize_t) size;
}

/* ---- waiting ---- */

static struct timespec
limit_of (uint64_t timeout)
{
  return (struct timespec){ (time_t) (timeout / 1000000), (long) (timeout % 1000000) * 1000 };
}

/* `limit` NULL: for as long as it takes. */
static enum shared_page_event
wait_at (struct shared_page *page, size_t offset, uint32_t expected, const struct timespec *limit)
{
  if (syscall (SYS_futex, page->map + offset, FUTEX_WAIT, expected, limit, NULL, 0) == 0
      || errno == EAGAIN || errno == EINTR)
    return SHARED_PAGE_CHANGED;
  return errno == ETIMEDOUT ? SHARED_PAGE_TIMED_OUT : SHARED_PAGE_LOST;
}

enum shared_page_event
shared_page_wait (struct shared_page *page, size_t offset, uint32_t expected, uint64_t timeout)
{
  struct timespec limit = limit_of (timeout);
  return wait_at (page, offset, expected, timeout > 0 ? &limit : NULL);
}

bool
shared_page_wake (struct shared_page *page, size_t offset)
{
  return syscall (SYS_futex, page->map + offset, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) > 0;
}

enum shared_page_event
shared_page_wait_endable (struct shared_page *page, size_t offset, uint32_t expected,
                          uint64_t timeout)
{
  page->limit = limit_of (timeout); /* not on the stack, which a cancellation leaves as it is */
  /* The call is no point of cancellation, so it is cancelled at any moment; nothing is held. */
  pthread_setcanceltype (PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, NULL);
  enum shared_page_event event
      = wait_at (page, offset, expected, timeout > 0 ? &page->limit : NULL);
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
  pthread_setcanceltype (PTHREAD_CANCEL_DEFERRED, NULL);
  return event;
}

void
shared_page_end_waiter (struct shared_page *page, size_t offset, pthread_t thread,
                        const _Atomic bool *ended)
{
  /* A wake between its last look and its wait is lost, so again. */
  for (unsigned i = 0; i < WAKES_MOST && !atomic_load (ended); i++)
    {
      shared_page_wake (page, offset);
      nanosleep (&(struct timespec){ 0, WAKE_PAUSE_NANOSECONDS }, NULL);
    }
  if (!atomic_load (ended))
    pthread_cancel (thread);
  pthread_join (thread, NULL);
}

/* ---- locks ---- */

static int
lock_byte (struct shared_page *page, int command, short type, struct flock *lock)
{
  uint64_t position = (uint64_t) lock->l_start;
  for (;;)
    {
      *lock = (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t) position, .l_len = 1
      };
      if (fcntl (page->descriptor, command, lock) == 0)
        return 0;
      if (errno != EINTR)
        return errno;
    }
}

bool
shared_page_lock (struct shared_page *page, uint64_t position, bool exclusively)
{
  struct flock lock = { .l_start = (off_t) position };
  return lock_byte (page, F_OFD_SETLK, exclusively ? F_WRLCK : F_RDLCK, &lock) == 0;
}

void
shared_page_unlock (struct shared_page *page, uint64_t position)
{
  struct flock lock = { .l_start = (off_t) position };
  lock_byte (page, F_OFD_SETLK, F_UNLCK, &lock);
}

bool
shared_page_is_locked (struct shared_page *page, uint64_t position, bool exclusively)
{
  struct flock lock = { .l_start = (off_t) position };
  return lock_byte (page, F_OFD_GETLK, exclusively ? F_RDLCK : F_WRLCK, &lock) == 0
         && lock.l_type != F_UNLCK;
}

bool
shared_page_await_unlocked (struct shared_page *page, uint64_t position)
{
  struct flock *lock = &page->awaited; /* not on the stack, which a cancellation leaves as it is */
  int error;
  do
    {
      lock->l_type = F_RDLCK;
      lock->l_whence = SEEK_SET;
      lock->l_start = (off_t) position;
      lock->l_len = 1;
      /* A lock of the old kind, which is the process's: valgrind lets no other thread run while one
       * waits for the new one. It conflicts with those all the same. */
      error = fcntl (page->descriptor, F_SETLKW, lock) == 0 ? 0 : errno;
    }
  while (error == EINTR);
  if (error != 0)
    return false;
  lock->l_type = F_UNLCK;
  fcntl (page->descriptor, F_SETLK, lock);
  return true;
}
