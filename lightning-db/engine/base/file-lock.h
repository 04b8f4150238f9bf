/* SPDX-License-Identifier: MIT */
/*
 * file-lock: a lock on an open file or directory that ends with the process that took it.
 *
 * Such locks belong to the open file description, which a forked child shares: a child that lives
 * on after its parent was killed would keep them. So every lock is listed, and a forked child
 * closes the descriptors of all of them at once, without unlocking; they are -1 in the child from
 * then on. (What is made by vfork, posix_spawn or clone keeps them until it executes something: the
 * descriptors are close-on-exec.)
 *
 * Threads: any. A fork waits while a lock is being taken or released, but not while one is waited
 * for.
 */
#ifndef LIGHTNING_BASE_FILE_LOCK_H
#define LIGHTNING_BASE_FILE_LOCK_H

#include <stdbool.h>

/* Zeroed: no lock. It and *descriptor stay where they are while the lock is held. */
struct file_lock
{
  struct file_lock *next; /* in the list of all that are held; the list's mutex */
  int *descriptor;        /* NULL: not held; likewise */
};

/* Exclusive, of the first byte, which other programs' and machines' byte locks respect. Gives errno
 * or 0; EAGAIN or EACCES when it is held by another description. Taking it again is fine. */
int file_lock_take_byte (struct file_lock *lock, int *descriptor, bool wait);
/* Exclusive, of the whole file or directory, which need not be open for writing; never waits. Gives
 * errno or 0; EWOULDBLOCK when it is held by another description. */
int file_lock_take_whole (struct file_lock *lock, int *descriptor);
/* Takes none, but has a forked child close the descriptor all the same: for who locks other
 * bytes. */
void file_lock_watch (struct file_lock *lock, int *descriptor);
/* Releases what is held, also while another process shares the description. */
void file_lock_release (struct file_lock *lock);

#endif
