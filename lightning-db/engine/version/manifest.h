/* SPDX-License-Identifier: MIT */
/*
 * manifest: which files make up the database. A log of edits, "MANIFEST-<number>", named by the
 * small file "CURRENT" (replaced by rename).
 *
 *   MANIFEST  64-byte header {magic "LDBMAN1\n", format version, page size, feature flags, database
 *             id, number, key epoch, checksum}, then edits {checksum 8, payload size 4, check of
 *             the size 4, payload}, all but the first twice and each in sectors of its own
 *   CURRENT   "MANIFEST-<number>\n" and a checksum line
 *
 * A fresh manifest (one edit that states everything) is written by each writer's open, by its
 * close, and whenever the log of edits has grown to 8 times a fresh one (and 64 KiB). The layout,
 * byte by byte, and what each crash leaves behind: docs/design/manifest.md.
 *
 * Invariants
 *   V1  manifest_apply returns OK only when the edit is durable; until then nothing of it counts.
 *   V2  Files an edit adds are durable, names included, before the edit is written.
 *   V3  A failed append or sync is sticky: the manifest takes no further edits (UNKNOWN_OUTCOME).
 *       Only a full disk met before anything was synced is not: NO_SPACE, the state is unchanged,
 *       and the next edit goes to a fresh manifest.
 *   V4  Numbers are never used twice: next_number in the state is above every number ever handed
 *       out before the last edit, and loading raises it above every file name in the directory.
 *   V5  An acknowledged edit counts as long as one of its two copies verifies. Where neither does,
 *       and nothing behind them, is the end (a torn tail); where something does, CORRUPT.
 *   V6  A newer format version or an unknown required feature is refused before anything is
 *       written.
 *   V7  Within a run segments rise and do not overlap; one run has one order, one order one run.
 *       Bounds are authoritative: records of a file outside its segment's bounds do not count.
 *   V8  What an edit is acknowledged in is found by the next open: CURRENT and the file were in
 *       their places when it was begun.
 *   V9  A database that is unfinished, what a repair has saved so far, is none yet: it is refused,
 *       NOT_A_DATABASE, by whatever loads it.
 *
 * Threads: one at a time (the engine's manifest lock).
 */
#ifndef LIGHTNING_MANIFEST_H
#define LIGHTNING_MANIFEST_H

#include "base/status.h"
#include "base/vfs.h"
#include "segment/segment.h"

#define FORMAT_VERSION 1u

/* Bits of a state's features. */
#define MANIFEST_UNFINISHED UINT64_C (1) /* V9 */

/* A sorted run: segments that do not overlap, in key order. Runs with a higher `order` are newer:
 * whatever they say of a key wins. */
struct manifest_segment
{
  struct segment_information information; /* owned */
  uint64_t run;                           /* id of its run; never reused */
  uint64_t order;                         /* of the run; equal for all its segments */
  uint64_t created;                       /* microseconds since the epoch, wall clock */
};

struct manifest_blob
{
  uint64_t number;
  uint64_t file_size;
  uint64_t value_bytes; /* written to it, live or not */
};

/* The whole state, as loaded and kept up to date by manifest_apply. */
struct manifest_state
{
  uint8_t database_id[16];
  uint32_t format_version;
  uint64_t features;         /* bit set; unknown low 32 bits are required, high are optional */
  uint32_t page_size;        /* fixed at creation */
  uint64_t next_number;      /* next file number */
  uint64_t next_run;         /* next run id */
  uint64_t flushed_sequence; /* every commit up to it is in segments */
  uint64_t settle_debt_base; /* user bytes written when the last settling ended */
  uint64_t user_bytes;       /* user bytes written, ever (flushes add to it) */
  struct manifest_segment *segments; /* sorted by order falling (newest run first), then key */
  size_t segment_count, segment_capacity;
  struct manifest_blob *blobs; /* rising number */
  size_t blob_count, blob_capacity;
};
void manifest_state_clear (struct manifest_state *state);
status manifest_state_copy (struct manifest_state *to, const struct manifest_state *from,
                            struct failure *failure);

/* One change, all or nothing. Removals go first, so that an edit may remove a segment and add the
 * same number again, in another run (moved without rewriting) or with narrower bounds. */
struct manifest_edit
{
  const struct manifest_segment *add_segments; /* borrowed */
  size_t add_segment_count;
  const uint64_t *remove_segments; /* numbers */
  size_t remove_segment_count;
  const struct manifest_blob *add_blobs;
  size_t add_blob_count;
  const uint64_t *remove_blobs;
  size_t remove_blob_count;
  uint64_t flushed_sequence; /* 0 = unchanged */
  uint64_t user_bytes_added; /* by this flush */
  bool settled;              /* settle_debt_base = user_bytes */
};

struct manifest;

/* Whether the directory holds a database (perhaps a damaged one), is empty (or holds only LOCK and
 * what a crash during manifest_create leaves), or holds something else. Writes nothing. */
enum manifest_presence
{
  MANIFEST_PRESENT,
  MANIFEST_EMPTY,
  MANIFEST_FOREIGN
};
status manifest_probe (struct vfs_directory *directory, enum manifest_presence *out,
                       struct failure *failure);

/* Makes the first manifest of a new database, with a random id. The directory is synced. EXISTS and
 * NOT_A_DATABASE unless the directory is empty in manifest_probe's sense. */
status manifest_create (struct vfs_directory *directory, uint32_t page_size, struct manifest **out,
                        struct failure *failure);
/* The same of one that is unfinished until manifest_finish has succeeded (V9). */
status manifest_create_unfinished (struct vfs_directory *directory, uint32_t page_size,
                                   struct manifest **out, struct failure *failure);
status manifest_finish (struct manifest *manifest, struct failure *failure);
/* Whether that is what the directory holds; false also when it can't be told. Writes nothing. */
bool manifest_is_unfinished (struct vfs_directory *directory);
/* Reads the state only; writes nothing. For readers, tools and the first step of opening. NOT_FOUND
 * in an empty directory. Safe beside a writer. */
status manifest_load (struct vfs_directory *directory, struct manifest_state *out,
                      struct failure *failure);
/* In two halves, so that a writer looks at the files that the state names before a byte is written
 * (V6). manifest_read loads; until manifest_begin only manifest_state and manifest_close may be
 * called. manifest_begin starts a fresh manifest file and switches CURRENT to it; the old one is
 * unlinked. */
status manifest_read (struct vfs_directory *directory, struct manifest **out,
                      struct failure *failure);
status manifest_begin (struct manifest *manifest, struct failure *failure);
/* Both. */
status manifest_open (struct vfs_directory *directory, struct manifest **out,
                      struct failure *failure);
const struct manifest_state *manifest_state (const struct manifest *manifest);
/* INVALID (an edit that contradicts the state, nothing written), NO_MEMORY and NO_SPACE leave the
 * manifest as it was and usable; UNKNOWN_OUTCOME is V3. */
status manifest_apply (struct manifest *manifest, const struct manifest_edit *edit,
                       struct failure *failure);
uint64_t manifest_next_number (struct manifest *manifest); /* takes one; any thread (atomic) */
uint64_t manifest_next_run (struct manifest *manifest);
/* Makes sure that the directory still leads to this manifest: when CURRENT or the file were
 * deleted, a fresh one takes their place. CORRUPT when others stand there, which are left alone, IO
 * when the directory itself was deleted; both sticky like V3. manifest_apply does this first. */
status manifest_secure (struct manifest *manifest, struct failure *failure);
/* Leaves a manifest of one edit: any damage to it, and any page of it that is of an earlier time,
 * is found by the next open, while an edit at its end can't be told from one that a crash cut. For
 * when the log goes, which else would know. A failure changes nothing that counts. */
status manifest_condense (struct manifest *manifest, struct failure *failure);
bool manifest_failed (const struct manifest *manifest);
const char *manifest_file_name (const struct manifest *manifest);
uint64_t manifest_file_size (const struct manifest *manifest);
void manifest_close (struct manifest *manifest);

/* Writes the present state as the first manifest of a copy in another directory (backup): its
 * MANIFEST and CURRENT, synced. `keep_id`: a backup keeps the database id (pages are bound to
 * it). */
status manifest_write_copy (const struct manifest_state *state, struct vfs_directory *directory,
                            struct failure *failure);

/* Calls visit for each file that bears one of our names but belongs to no live state: segments and
 * blobs the state does not know, other manifests, temporaries. The caller unlinks, once recovery
 * has added the blobs that the log refers to. Logs and history are the log's; foreign files are
 * never named. */
status manifest_orphans (struct vfs_directory *directory, const struct manifest_state *state,
                         const char *manifest_name, void (*visit) (void *data, const char *name),
                         void *data, struct failure *failure);

/* What the writer tells other processes (core/sharing.h); of no state, and never removed but with
 * the database: who waits at it must find the next writer there. */
#define SHARED_PAGE_NAME "SHARED"

/* File names. `to` has room for FILE_NAME_SIZE. Numbers are decimal, from 1, without leading
 * zeros. */
#define FILE_NAME_SIZE 40
#define FILE_NUMBER_MAX ((UINT64_C (1) << 53) - 1)
enum file_kind
{
  FILE_LOG,
  FILE_SEGMENT,
  FILE_BLOB,
  FILE_MANIFEST,
  FILE_TEMPORARY,
  FILE_HISTORY, /* a log segment that is kept for feeds */
};
void file_name (char to[FILE_NAME_SIZE], enum file_kind kind, uint64_t number);
/* False when the name is not one of ours ("CURRENT" and "LOCK" are not numbered: false too). */
bool file_name_parse (const char *name, enum file_kind *kind, uint64_t *number);

#endif
