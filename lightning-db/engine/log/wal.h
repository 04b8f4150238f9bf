/* SPDX-License-Identifier: MIT */
/*
 * wal: the write-ahead log. Records in fixed, preallocated, zeroed segments named "<number>.log".
 *
 *   segment   64-byte header {magic, format version, flags, log, number, database id, salt, first
 *             sequence, checksum}, then records end to end, then zeros (or stale bytes of an
 *             earlier use, behind a zero byte)
 *   record    short: {size, checksum 4} payload: 5 bytes and the payload up to 126 of it;
 *             long: {mark, salt tag 4, checksum 8, size, sequence, synced-up-to} payload: the first
 *             of a segment, each with a new synced-up-to, one in about 4 KiB
 *
 * `synced-up-to` is the sequence number up to which the log was known durable when the record was
 * appended: when a needed record is missing or bad and a later one (in this or a later segment)
 * claims to be synced beyond it, that is corruption; otherwise it is the torn tail of a crash and
 * the log ends there. docs/design/log.md has the format byte by byte.
 * A segment that is reused gets a new number, a new random salt and a header written before any
 * record of it, so nothing stale can verify. A record larger than a segment gets a segment of its
 * own size, which is deleted instead of recycled.
 *
 * Where vfs_directory_mapping_is_safe, segments are mapped, and an append is plain stores into
 * blocks that were zeroed (in 64 KiB writes) and populated before use; elsewhere (or on any error
 * of populating) one write per append. A bus error can never reach the application.
 *
 * Invariants
 *   W1  Records stand in rising, gapless sequence order; one per commit.
 *   W2  wal_append returns only when the record would survive a kill of the process.
 *   W3  wal_sync returns OK only when everything up to its argument is durable, the segment's name
 *       included. After one failed sync every later append and sync fails: UNKNOWN_OUTCOME.
 *       The same after a write that failed and may have left part of a record.
 *   W4  A full disk fails an append before anything of it is written; the next append tries again.
 *   W5  A recovered log is never appended to.
 *   W6  A segment is recycled or unlinked only by wal_release, once no record of it is needed.
 *
 * Threads: append and close are serialised by the caller (the commit lock). sync, release, trim and
 * statistics may run beside appends, on any threads. Preparing the next segment is the caller's
 * chance to do work off the commit path: wal_prepare, any one thread, beside all of these.
 */
#ifndef LIGHTNING_WAL_H
#define LIGHTNING_WAL_H

#include "base/ledger.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/vfs.h"

struct wal;

struct wal_settings
{
  struct vfs_directory *directory; /* outlives the log */
  struct ledger *ledger;           /* charged for mapped segments */
  struct metrics *metrics;         /* where records are counted, beside; NULL: nowhere */
  uint8_t database_id[16];         /* bound into every segment */
  uint64_t segment_size;           /* bytes, multiple of 64 KiB, 64 KiB … 1 GiB */
  bool allow_mapping;              /* false: always write */
  /* A file number never used before, above all earlier ones. Called with no lock held, by the
   * appending and the preparing thread, perhaps at once. */
  uint64_t (*next_number) (void *context);
  void *next_number_context;
  uint64_t next_sequence; /* of the first record that will be appended; all below
                             is durable elsewhere: records claim so */
  uint64_t retention;     /* bytes of released segments, and of what they refer to, that are kept as
                             history, also by close; 0 = none */
  uint64_t reader_bytes;  /* of released segments, kept in any case while a reader needs them; more
                             than retention */
  uint64_t reader_referred_bytes; /* then of what they refer to */
  /* Called, without a lock of the log, when a reader left or came to the end of a segment or of all
   * records: wal_oldest_file may have risen. NULL: not wanted. */
  void (*reader_went_on) (void *context);
  void *reader_went_on_context;
};

/* Starts a fresh log behind what is left of history, which goes when it does not lead up to
 * next_sequence, or nothing is to be retained. Its first segment is made on the first append or
 * wal_prepare. A small database starts small: the first segment is 64 KiB long, following ones grow
 * to segment_size. What an earlier log left is in the tree by now, durably, and wal_retire was
 * called. */
status wal_open (const struct wal_settings *settings, struct wal **out, struct failure *failure);

/* Segments grow to another size from now on, and one that is larger takes no further commit. The
 * appender. */
void wal_set_segment_size (struct wal *wal, uint64_t size);

/* Appends one commit. The payload, below 4 GiB, is the concatenation of `parts`. `store`: through
 * the mapping (async) or, when false or impossible, by one write call (full). NO_SPACE, NO_MEMORY,
 * IO: nothing was appended, the same sequence may be tried again. UNKNOWN_OUTCOME: see W3. */
status wal_append (struct wal *wal, uint64_t sequence, const struct bytes *parts, size_t part_count,
                   bool store, struct failure *failure);

/* The record appended last refers to the file of this number and perhaps to later ones, and to
 * about so many bytes in them. The appender. */
void wal_note_files (struct wal *wal, uint64_t oldest, uint64_t bytes);
/* The lowest number that records which readers may ask for refer to; UINT64_MAX when to none. Any
 * thread; not under a lock that wal_release is called under. */
uint64_t wal_oldest_file (struct wal *wal);

/* Makes every record up to `sequence` durable. Later ones don't count as synced, though they may
 * be: what they refer to need not be durable yet. */
status wal_sync (struct wal *wal, uint64_t sequence, struct failure *failure);
/* Whether somebody deleted a file with records that are needed: they go with this process, synced or
 * not. Any thread. */
bool wal_is_deleted (struct wal *wal);
/* The next record goes to another segment. The appender. */
void wal_leave_segment (struct wal *wal);
uint64_t wal_synced (struct wal *wal);   /* newest sequence known durable; any thread */
uint64_t wal_appended (struct wal *wal); /* newest sequence appended; any thread */
uint64_t wal_oldest (struct wal *wal);   /* oldest sequence that a reader may ask for; when there is
                                            none, the next one; any thread */
bool wal_failed (struct wal *wal);       /* W3's sticky state */

/* Makes the next segment ready (create or recycle, zero, map, populate, and, unless commits are
 * stored, sync), off the commit path. OK and nothing done when one is ready. */
status wal_prepare (struct wal *wal, struct failure *failure);
/* Whether it is time to: nothing is there yet, or the current segment fills. One load.
 * Stays true after a wal_prepare that failed. */
bool wal_wants_preparing (struct wal *wal);

/* No record up to `sequence` is needed any more (it is in durable segments of the tree, and the
 * `after` of a recovery would be no less): recycles or unlinks log segments that hold nothing
 * newer, but never the one in use, unless they are kept for readers. Best effort: a failed unlink
 * is reported and the name stays for the next recovery to remove. Does nothing once the log has
 * failed. */
status wal_release (struct wal *wal, uint64_t sequence, struct failure *failure);
/* Unlinks spare segments until `keep` are left, the one made ready included: the next append wants
 * it made again. The very first one stays. */
void wal_trim (struct wal *wal, unsigned keep);

struct wal_statistics
{
  uint64_t records, bytes; /* appended since open: records, payload bytes */
  uint64_t written_bytes;  /* with their heads */
  uint64_t syncs;          /* fdatasync calls */
  uint64_t live_bytes;     /* of segments that are not released */
  uint64_t spare_bytes;    /* of spare segments and the one made ready */
  uint64_t history_bytes;  /* of segments that are kept for readers */
  uint64_t oldest_number;  /* of the oldest live segment; 0 when none */
  bool mapped;             /* whether stores are used; false after mapping failed */
};
void wal_statistics (struct wal *wal, struct wal_statistics *out);

/* Unmaps and closes. Does not sync. `unlink_all`: the tree has everything; remove all segments but
 * what is to be retained. Its readers are freed, or have left it (wal_reader_leave). */
void wal_close (struct wal *wal, bool unlink_all);

/* What to do with the log that was recovered. */
struct wal_retirement
{
  struct vfs_directory *directory;
  uint8_t database_id[16];
  bool keep;              /* as history, as far as it verifies; else it goes, history too */
  uint64_t last_sequence; /* the newest commit that counts */
  /* Lowers *oldest to the lowest number of a file that a record refers to, and adds about how many
   * bytes it refers to. */
  void (*look) (void *data, struct bytes payload, uint64_t *oldest, uint64_t *bytes);
  void *data; /* for it */
};
/* After a recovery, once all it found is in durable segments of the tree: when this returns OK no
 * log is left in the directory, durably. */
status wal_retire (const struct wal_retirement *settings, struct failure *failure);

/* ---- recovery (no struct wal) ---- */

struct wal_recovery
{
  uint64_t first_sequence, last_sequence; /* of the records handed out; 0, 0 when none */
  uint64_t records, bytes;
  uint64_t torn_bytes;      /* non-zero bytes after the last good record, dropped as a torn tail */
  uint64_t synced_sequence; /* newest sequence any record handed out says was synced before it */
  uint64_t lost;            /* salvage: commits that were synced and are missing */
  uint64_t highest_number;  /* of any *.log name seen, so that it is never used again */
};

/* NEWER_FORMAT, with a message, when the 64 bytes are the header of a segment, or of history, that
 * a later version wrote; CORRUPT, without one, when they are no header that verifies, whatever
 * database and number it names. `directory` and `name` are for the message. */
status wal_judge_header (const uint8_t *bytes, const char *directory, const char *name,
                         struct failure *failure);

/* Reads all "<number>.log" of the directory, lowest first, and hands each record with sequence >
 * `after` to `visit` in order; stops at the torn tail. visit's non-OK status ends it; the payload
 * is valid during the call. CORRUPT (file, offset, reason) when a record above `after` that was
 * synced does not verify or is missing, or a segment of another database stands here; damage below
 * is passed over, since the tree has those commits. `salvage`: instead of failing, skip what does
 * not verify and count it in `lost`. Writes nothing. Bounded memory: one MiB or the largest record.
 */
status wal_recover (struct vfs_directory *directory, const uint8_t database_id[16], uint64_t after,
                    bool salvage,
                    status (*visit) (void *data, uint64_t sequence, struct bytes payload,
                                     struct failure *failure),
                    void *data, struct wal_recovery *out, struct failure *failure);

/* Calls `visit` for every *.log name and number, for cleaning up and for checks. */
status wal_list (struct vfs_directory *directory,
                 bool (*visit) (void *data, const char *name, uint64_t number), void *data,
                 struct failure *failure);

#endif
