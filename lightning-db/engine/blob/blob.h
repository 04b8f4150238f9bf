/* SPDX-License-Identifier: MIT */
/*
 * blob: large values, each written once, at commit, to a file of their own kind, "<number>.blob".
 *
 *   file    64-byte header {magic, format version, number, database id, key epoch, checksum}, then
 *           values end to end, 8-byte aligned, each followed by a trailer with its checksum (the
 *           header names the trailer's size, so there is room for an AEAD tag). The full layout is
 *           docs/design/format-blob.md.
 *
 * A record of kind RECORD_BLOB holds a reference instead of the value.
 *
 * Invariants
 *   B1  A file is appended to only by the process run that created it, and sealed at blob_file_size
 *       or close. After that no space in it is handed out: it changes only where values already
 *       begun, to which nothing refers yet, arrive.
 *   B2  A reference is logged only after its bytes are written; made durable (full mode, log sync)
 *       only after blob_writer_sync.
 *       After a failed sync nothing is synced again: every later call gives UNKNOWN_OUTCOME.
 *   B3  A value's bytes are copied at most once on their way to the kernel.
 *   B4  Reads verify the whole value's checksum, bound to database, file and offset.
 *
 * Missing files are CORRUPT here, never NOT_FOUND: a reference says that they exist.
 *
 * Threads: a writer serialises itself with its own lock, held only while space is handed out; many
 * threads may write values at once. Readers are lock-free on an open file.
 */
#ifndef LIGHTNING_BLOB_H
#define LIGHTNING_BLOB_H

#include "base/status.h"
#include "base/vfs.h"
#include "cache/cache.h"

#define BLOB_REFERENCE_SIZE 24

struct blob_reference
{
  uint64_t file;   /* number */
  uint64_t offset; /* of the value's first byte in the file */
  uint64_t size;   /* bytes of the value */
};
void blob_reference_store (uint8_t to[BLOB_REFERENCE_SIZE], const struct blob_reference *reference);
/* False when malformed (size, offset beyond limits). */
bool blob_reference_load (struct bytes from, struct blob_reference *out);

struct blob_writer;
struct blob_writer_settings
{
  struct vfs_directory *directory;
  uint8_t database_id[16];
  uint64_t file_size;                      /* goal at which a file is sealed, bytes */
  uint64_t (*next_number) (void *context); /* a file number never used before; called under the
                                              writer's lock, must not call back into it */
  void *next_number_context;
};
status blob_writer_new (const struct blob_writer_settings *settings, struct blob_writer **out,
                        struct failure *failure);
/* Writes one value, straight from the caller's memory; on failure nothing has happened (NO_SPACE:
 * the next put tries again). */
status blob_writer_put (struct blob_writer *writer, struct bytes value, struct blob_reference *out,
                        struct failure *failure);
/* The commit of a value that was put failed, and its reference is neither in the log nor read by
 * anybody: its space may take another value. */
void blob_writer_take_back (struct blob_writer *writer, const struct blob_reference *reference);
/* Streams a value of `size` bytes (checked on end): begin, append …, then end or abort, each of
 * which frees the stream, also on failure. One thread at a time per stream. */
struct blob_stream;
status blob_stream_begin (struct blob_writer *writer, uint64_t size, struct blob_stream **out,
                          struct failure *failure);
status blob_stream_append (struct blob_stream *stream, struct bytes part, struct failure *failure);
status blob_stream_end (struct blob_stream *stream, struct blob_reference *out,
                        struct failure *failure);
void blob_stream_abort (struct blob_stream *stream);
/* Makes everything put before the call durable, names included. One load when nothing is dirty. */
status blob_writer_sync (struct blob_writer *writer, struct failure *failure);
/* Calls visit for every file this writer created, under its lock: number, bytes. */
void blob_writer_files (struct blob_writer *writer,
                        void (*visit) (void *data, uint64_t number, uint64_t size), void *data);
/* Every file below this number, created by this writer or an earlier one, is sealed: nothing is
 * appended to it any more but values already begun. UINT64_MAX when none was created yet. */
uint64_t blob_writer_first_open (struct blob_writer *writer);
/* The number of the file that takes new values, 0 = none. Later ones have higher numbers. */
uint64_t blob_writer_current (struct blob_writer *writer);
/* Stops appending to the current file (before a backup, at close). */
status blob_writer_seal (struct blob_writer *writer, struct failure *failure);
/* When no put or stream is under way. Does not sync. */
void blob_writer_free (struct blob_writer *writer);

/* NEWER_FORMAT, with a message, when the 64 bytes are the header of a file that a later version
 * wrote; CORRUPT, without one, when they are no header that verifies, whatever database and number
 * it names. The checksum is judged first: it has the same place in every version, and without it a
 * damaged version would pass for a later one. `directory` and `name` are for the message. */
status blob_judge_header (const uint8_t *header, const char *directory, const char *name,
                          struct failure *failure);

struct blob_file; /* open for reading; reference counted */
status blob_file_open (struct vfs_directory *directory, const uint8_t database_id[16],
                       uint64_t number, struct blob_file **out, struct failure *failure);
struct blob_file *blob_file_ref (struct blob_file *file);
void blob_file_unref (struct blob_file *file);
/* The whole value into `to` (reference->size bytes), verified. CORRUPT names file and offset. */
status blob_file_read (struct blob_file *file, const struct blob_reference *reference, uint8_t *to,
                       struct failure *failure);
/* From now on values that cache_keeps() are kept in the cache, which outlives the file (as it is
 * open here). `least`: bytes the file may grow to. Before the file is shared. What cannot be kept,
 * for lack of memory too, is read each time. */
void blob_file_set_cache (struct blob_file *file, struct cache *cache, uint64_t least);
/* Where reads into that are counted. Before anybody else uses it. */
void blob_file_set_metrics (struct blob_file *file, struct metrics *metrics);
/* The value's bytes in a cached page, which is pinned: cache_unpin (*page). OK and *page NULL: it
 * is none that is kept; read it. Outside an epoch section, by who holds a reference. */
status blob_file_lend (struct blob_file *file, const struct blob_reference *reference,
                       const uint8_t **page, struct bytes *value, struct failure *failure);
uint64_t blob_file_number (const struct blob_file *file);
status blob_file_size (const struct blob_file *file, uint64_t *out, struct failure *failure);

#endif
