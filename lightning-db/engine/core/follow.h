/* SPDX-License-Identifier: MIT */
/*
 * follow: a reading process keeps up with the one that writes. docs/design/processes.md.
 *
 *   woken ─► state of the page ─► files: a view of the manifest ─► log: records up to `published` ─►
 *   memtable ─► visible here ─► listeners
 *
 * Invariants
 *   O1  What is visible here was visible there, and only grows.
 *   O2  Nothing is written, and no lock taken that a writer waits for.
 *   O3  A view and the newest commit that may be read in it go together: the runs of a view lack
 *       versions that nobody sees any more there, so it is not read below its floor; who holds a
 *       snapshot holds the view.
 *   O4  What is read is held open; what the writer has given up meanwhile, before it was open here,
 *       is in newer files: the manifest is read again.
 *   O5  Nothing in the page leads to more than work in vain: numbers in it are looked for in the
 *       files, which verify, or are not there.
 *
 * Threads: one that follows, one that waits for the writer's end; readers are not held up by
 * either.
 */
#ifndef LIGHTNING_FOLLOW_H
#define LIGHTNING_FOLLOW_H

#include "core/engine-private.h"
#include "log/wal-reader.h"

/* Opens what a writer tells through, unless `stand_still`, and waits until one that lives has told
 * what is visible. UNSUPPORTED where processes do not see what others write. */
status follow_begin (struct engine *engine, bool stand_still, struct failure *failure);
/* With the view of a manifest and an active memtable: brings all to it that is visible. To be tried
 * again with another view when it fails. */
status follow_load (struct engine *engine, struct failure *failure);
/* After that: whether it is this database's writer that is listened to. Else all of it is to be done
 * anew, since the database was made, or deleted and made, in the meantime. */
bool follow_is_right (struct engine *engine);
/* Starts the threads, if there is anything to follow. */
status follow_start (struct engine *engine, struct failure *failure);
/* Ends the threads. The engine is read as it is. */
void follow_stop (struct engine *engine);
/* Without threads, and when no feed reads any more. */
void follow_free (struct engine *engine);

/* A feed's source, and how far back it goes. Between engine_begin and engine_end. */
status follow_reader_new (struct engine *engine, uint64_t after, struct wal_reader **out,
                          struct failure *failure);
uint64_t follow_history_oldest (struct engine *engine);

#endif
