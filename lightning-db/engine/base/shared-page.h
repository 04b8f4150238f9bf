/* SPDX-License-Identifier: MIT */
/*
 * shared-page: one page of a file through which processes tell each other that something happened,
 * and locks that tell who is there.
 *
 * Its bytes are read and written by calls and never through the mapping, which only gives waiting
 * an address: whatever another process does to the file (cut it, fill it with garbage) is a failure
 * of a call and never a fault. Waiting and waking need no right to write.
 *
 * A lock is of one byte at some position, which need not exist. It belongs to this opening of the
 * page and ends with it, or with the process; a forked child has neither.
 *
 * Threads: any, all calls at once; close when nobody is in one.
 */
#ifndef LIGHTNING_BASE_SHARED_PAGE_H
#define LIGHTNING_BASE_SHARED_PAGE_H

#include "base/vfs.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHARED_PAGE_SIZE 4096u

struct shared_page;

/* `write`: for writing, and makes it when it is missing. NOT_FOUND; UNSUPPORTED as vfs_share. */
status shared_page_open (struct vfs_directory *directory, const char *name, bool write,
                         struct shared_page **out, struct failure *failure);
void shared_page_close (struct shared_page *page); /* NULL: nothing */

/* False when not all of it could be. */
bool shared_page_read (struct shared_page *page, size_t offset, void *to, size_t size);
bool shared_page_write (struct shared_page *page, size_t offset, const void *from, size_t size);

enum shared_page_event
{
  SHARED_PAGE_CHANGED,   /* woken, or the word is another: perhaps for no reason */
  SHARED_PAGE_TIMED_OUT, /* nothing came */
  SHARED_PAGE_LOST,      /* the file has no such page any more */
};
/* Waits while the word (4 bytes, native order) at `offset` is `expected`, until it is woken;
 * microseconds, 0 = for as long as it takes. */
enum shared_page_event shared_page_wait (struct shared_page *page, size_t offset, uint32_t expected,
                                         uint64_t timeout);
/* Wakes all who wait at `offset`, in any process. Whether there was anybody. Where the page is cut
 * nobody is, though they wait on. */
bool shared_page_wake (struct shared_page *page, size_t offset);
/* The same wait, on a thread of the page's owner that shared_page_end_waiter ends and that cannot
 * be cancelled anywhere else. One at a time. */
enum shared_page_event shared_page_wait_endable (struct shared_page *page, size_t offset,
                                                 uint32_t expected, uint64_t timeout);
/* Ends and joins the thread that waits at `offset` now and then, and ends by itself when it has
 * seen why; it sets `ended` last. One that cannot be woken is cancelled. */
void shared_page_end_waiter (struct shared_page *page, size_t offset, pthread_t thread,
                             const _Atomic bool *ended);

/* Locks the byte, exclusively or beside others who share it, if that is possible at once.
 * Exclusively: the page must be open for writing. */
bool shared_page_lock (struct shared_page *page, uint64_t position, bool exclusively);
void shared_page_unlock (struct shared_page *page, uint64_t position);
/* Whether another opening has locked it; with `exclusively` those who share it do not count. */
bool shared_page_is_locked (struct shared_page *page, uint64_t position, bool exclusively);
/* Waits until nobody has locked it exclusively. A cancellation point (pthread_cancel). False: it is
 * not possible. One thread at a time. */
bool shared_page_await_unlocked (struct shared_page *page, uint64_t position);

#endif
