/* SPDX-License-Identifier: MIT */
/*
 * blob-collect: blob files whose values are mostly dead give their space back.
 *
 *   measure: live bytes of each file, from what segments say they refer to ─► the files to collect
 *   a merge meets a reference into one ─► reads the value, verified ─► writes it to a newer file ─►
 *   the new reference stands in the output ─► edit: the new file appears, nothing refers to the old
 *   one ─► edit: the old file is dropped
 *
 * Invariants
 *   C1  Only files are collected to which no commit can refer any more but through segments:
 *       sealed, and below everything that memtables and commits under way may refer to.
 *   C2  A value is copied only after its checksum verified; what cannot be read stays where it is,
 *       and its file is not collected again by this engine.
 *   C3  New files are durable, and added, in the edit that makes their references permanent; until
 *       then a guard keeps them.
 *   C4  A file is dropped only when no segment of the manifest refers to it. Who reads an older
 *       view has it open: in the view, or through a memtable that was there when the file was
 *       installed.
 *
 * Threads: measuring and installing under the manifest lock; a collection is immutable.
 */
#ifndef LIGHTNING_BLOB_COLLECT_H
#define LIGHTNING_BLOB_COLLECT_H

#include "core/engine-private.h"

/* The files to be collected, and what that gives. */
struct blob_collection;

/* `everything`: every file with noticeable dead space; else those that are half dead. *out NULL:
 * there are none. Takes the manifest lock. */
status blob_collection_new (struct engine *engine, bool everything, struct blob_collection **out,
                            struct failure *failure);
void blob_collection_free (struct blob_collection *collection); /* may be NULL */
/* Whether the segment refers to a file to be collected. */
bool blob_collection_concerns (const struct blob_collection *collection,
                               const struct segment *segment);
/* Wraps a merge's survivors, which it takes over, also on failure. Forward only. */
status blob_collection_source (struct engine *engine, const struct blob_collection *collection,
                               struct source *survivors, struct source **out,
                               struct failure *failure);
/* The same when so much is dead that runs should be rewritten for it alone, else NULL. The file
 * that takes new values counts too, and is sealed if it is to be collected; not without `seal`,
 * then the answer is only good for looking. */
status blob_collection_due (struct engine *engine, bool seal, struct blob_collection **out,
                            struct failure *failure);
/* Bytes that collecting gives back. */
uint64_t blob_collection_dead (const struct blob_collection *collection);

/* A guard of files written from now on only. */
status blob_guard_enter_new (struct engine *engine, struct blob_guard *guard,
                             struct failure *failure);

/* Blob files that come with an edit. */
struct new_blobs
{
  struct manifest_blob *entries; /* malloc'd */
  struct blob_file **files;      /* malloc'd, owned references */
  size_t count;
};
/* Adds those that the segments refer to and the manifest does not know yet, opened. manifest_lock
 * held. */
status new_blobs_find (struct engine *engine, const struct flushed *flushed,
                       struct new_blobs *blobs, struct failure *failure);
/* C4: hands them to the memtables of the present view. Before the edit; manifest_lock held. */
status new_blobs_lend (struct engine *engine, const struct new_blobs *blobs,
                       struct failure *failure);
void new_blobs_clear (struct new_blobs *blobs);
/* In the edit of a view; it has room. */
void view_add_blobs (struct view *view, const struct new_blobs *blobs);

#endif
