/* SPDX-License-Identifier: MIT */
/*
 * writer-lock: the writer role of a database directory. At most one holds it, of all processes.
 *
 * Invariants
 *   L1  The role is two locks: one on the file LOCK, which works over networks, and one on the
 *       directory itself, which no one can delete or replace while the database lives. Where the
 *       file system has no locks on directories the first must do.
 *   L2  The LOCK that is locked is the one that bears the name, when the role is taken: whoever
 *       opened it while another deleted it begins anew.
 *   L3  The role ends with writer_lock_release or the death of the process that took it; forked
 *       children don't have it (base/file-lock.h).
 *
 * A renamed or moved directory takes its role with it, and another directory at the old path is
 * another database.
 */
#ifndef LIGHTNING_WRITER_LOCK_H
#define LIGHTNING_WRITER_LOCK_H

#include "base/vfs.h"

#define WRITER_LOCK_NAME "LOCK"

/* Zeroed: not held. */
struct writer_lock
{
  struct vfs_file *file;           /* LOCK; NULL where it can't be written: L1's second lock does */
  struct vfs_directory *directory; /* locked; NULL where that is not supported. Not owned. */
};

/* LOCKED, ending in `remedy` ("close it there first"), when another holds the role. `create`: makes
 * LOCK if need be, and fails where it can't be opened for writing; else a missing or unwritable
 * LOCK (read-only media) is passed over. */
status writer_lock_take (struct writer_lock *lock, struct vfs_directory *directory, bool create,
                         const char *remedy, struct failure *failure);
void writer_lock_release (struct writer_lock *lock);

#endif
