/* SPDX-License-Identifier: MIT */
/*
 * wal-reader: the commits of the log by number, while it is being written.
 *
 * Invariants
 *   X1  Records come in sequence order without a gap, each verified, or the reader fails and stays
 *       where it is.
 *   X2  Nothing is looked at beyond `limit`, up to which the caller knows the records to be whole.
 *   X3  What is read of one segment is of one use of its file: a pinned segment is not recycled,
 *       and one that another process writes is looked at again after copying.
 *
 * Threads: a reader is one thread's at a time, beside the appender and everybody else. No lock that
 * the appender takes for a record is ever taken.
 */
#ifndef LIGHTNING_WAL_READER_H
#define LIGHTNING_WAL_READER_H

#include "log/wal.h"

struct wal_reader;

/* Records after `after`; wal_reader_next says if the next one is not kept. The log keeps what the
 * reader has not read yet, up to reader_bytes of it. */
status wal_reader_new (struct wal *wal, uint64_t after, struct wal_reader **out,
                       struct failure *failure);
/* The next record, if it is in the reader's memory: does not touch the log, which may be closed by
 * now. NOT_FOUND: it is above `limit`, as it was before. BUSY: ask wal_reader_next. */
status wal_reader_take (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                        struct bytes *payload);
/* The next record; the payload is borrowed until the next call. NOT_FOUND: it is above `limit`.
 * HISTORY_GONE: it is not kept. CORRUPT, IO, NO_MEMORY. */
status wal_reader_next (struct wal_reader *reader, uint64_t limit, uint64_t *sequence,
                        struct bytes *payload, struct failure *failure);
/* The log forgets the reader, which can only be freed from now on. Not beside another call on
 * it. */
void wal_reader_leave (struct wal_reader *reader);
void wal_reader_free (struct wal_reader *reader);

/* ---- the log of another process ---- */

/* What its files tell. Any thread. */
struct wal_follow;
/* `directory` and `ledger` outlive it. */
status wal_follow_new (struct vfs_directory *directory, struct ledger *ledger,
                       const uint8_t database_id[16], struct wal_follow **out,
                       struct failure *failure);
void wal_follow_free (struct wal_follow *follow); /* after its readers; NULL: nothing */
/* Like wal_reader_new; nothing is kept for the reader. */
status wal_reader_new_following (struct wal_follow *follow, uint64_t after, struct wal_reader **out,
                                 struct failure *failure);
/* The oldest sequence from which on all can be read, `newest` being the newest; that plus one when
 * none can. */
uint64_t wal_follow_oldest (struct wal_follow *follow, uint64_t newest);

#endif
