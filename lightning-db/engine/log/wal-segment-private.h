/* SPDX-License-Identifier: MIT */
/*
 * The log's inside: its state, and the making, recycling and unlinking of segments.
 *
 * Locks: `mutex` guards the lists and is never held over a system call; `sync_mutex` keeps syncs in
 * line and is held over fdatasync, `history_mutex` guards what is kept of released segments and is
 * held over whatever that takes, so the appender takes neither. Order: sync_mutex, history_mutex,
 * mutex.
 */
#ifndef LIGHTNING_WAL_SEGMENT_PRIVATE_H
#define LIGHTNING_WAL_SEGMENT_PRIVATE_H

#include "log/wal-format-private.h"
#include "log/wal-reader.h"

#include <pthread.h>
#include <stdatomic.h>

#define WAL_SEGMENT_SIZE_LEAST (UINT64_C (64) << 10) /* also the unit of sizes and of zeroing */
#define WAL_SEGMENT_SIZE_MOST (UINT64_C (1) << 30)
#define WAL_SEGMENT_GROWTH 4u                /* each regular segment to the one before */
#define WAL_SPARES_MOST 16u                  /* recycled segments kept without a trim */
#define WAL_LONG_STRIDE_FIRST UINT64_C (512) /* between long records, doubled up to … */
#define WAL_LONG_STRIDE_MOST UINT64_C (4096)

struct wal_segment
{
  _Atomic size_t references;  /* the log's own, and one a reader; taken under the mutex */
  struct wal_segment *next;   /* in the list it is on; mutex */
  struct vfs_file *file;      /* owned; NULL: kept or spare, and nobody reads it */
  uint8_t *map;               /* the whole file, writable; NULL: written by calls, or full. Owner's;
                                 of a full live one, whoever made it `leaving` */
  uint64_t number;            /* of its name */
  uint64_t size;              /* bytes of the file; multiple of 64 KiB, unless loaded as history.
                                 Readers go by it: it stays when the file is cut to kept_size */
  uint64_t room;              /* bytes of it for records and header: without the note */
  uint64_t end;               /* offset behind its last record; set when it stops being current */
  uint64_t kept_size;         /* bytes of the file since it is kept; history_mutex */
  uint64_t salt;              /* of this use */
  struct wal_binding binding; /* what its records' checksums are bound to */
  bool own_size;              /* made for one large record: never recycled, never mapped */
  bool recycled;              /* holds stale bytes */
  bool sealed;                /* history on disk: of that name, and with a note */
  bool sync_failed;           /* while it was sealed: it must not be synced again */
  bool allocated;             /* its blocks are promised: may be mapped */
  bool name_durable;          /* the directory was synced since it got its name; preparer, syncer */
  uint64_t first_sequence;    /* set when it becomes current */
  _Atomic uint64_t last_sequence;  /* of the newest record; UINT64_MAX until it stops being current,
                                     first - 1 when empty then; stored under the mutex */
  _Atomic uint64_t oldest_file;    /* lowest number its records refer to; the appender's */
  _Atomic uint64_t referred_bytes; /* about, in files its records refer to; likewise */
};

struct wal
{
  struct wal_settings settings; /* as opened; fixed */

  /* The appender's (the caller's commit lock). `current` changes under the mutex too. */
  struct wal_segment *current; /* where records go; the last of the live ones; NULL before */
  uint64_t offset;             /* of the next record in it */
  uint64_t next_sequence;      /* of the next record */
  uint32_t log;                /* number of the first segment, low half */
  uint64_t next_long;          /* a record from this offset on is long */
  uint64_t long_stride;        /* bytes from the newest long record's block to the next one's */
  uint64_t claimed;            /* what the newest long record claims */
  bool stored_to;              /* whether the current segment has records that were stored */
  uint8_t *buffer;             /* a record is put together here before it is written */
  size_t buffer_size;          /* bytes of it */

  /* Any thread. */
  _Atomic uint64_t appended;    /* newest sequence appended; stored by the appender */
  _Atomic uint64_t synced;      /* newest sequence known durable; stored under the mutex */
  _Atomic bool failed;          /* W3: a sync or write failed; never cleared */
  _Atomic bool wants_preparing; /* the current segment fills and none is ready */
  _Atomic bool stores;      /* whether records are known to be stored, not written; the preparer's
                               hint */
  _Atomic bool may_map;     /* cleared for good when mapping fails */
  _Atomic uint64_t records;   /* appended since open; where there are no metrics */
  _Atomic uint64_t bytes;     /* payload of them */
  _Atomic uint64_t written;   /* with their heads; where there are no metrics */
  _Atomic uint64_t *records_at, *written_at; /* where these two are kept */
  _Atomic uint64_t syncs;   /* fdatasync calls */

  pthread_mutex_t mutex;       /* the lists below; never held over a system call */
  struct wal_segment *oldest;  /* live segments, in the order of their sequences, to `current` */
  struct wal_segment *spares;  /* released, unmapped, under their old names; oldest first */
  unsigned spare_count;        /* length of it */
  struct wal_segment *ready;   /* prepared to be the next; its number is above the current's */
  struct wal_segment *syncing; /* the live segment in fdatasync: must stay open */
  struct wal_segment *leaving; /* the live segment being unmapped: must stay open */
  bool unmap_later;            /* a full one was in fdatasync when it was to be unmapped */
  uint64_t released;           /* no record up to here is needed */
  uint64_t newest_number;      /* of the current segment */
  uint64_t segment_size;       /* bytes that regular segments grow to; the appender's, too */
  uint64_t next_size;          /* bytes of the next regular segment */

  struct wal_reader *readers; /* of this log; mutex */

  pthread_mutex_t sync_mutex; /* one sync at a time */

  pthread_mutex_t history_mutex;
  struct wal_segment *kept; /* released and kept for readers; oldest first, gapless up to the live
                                 ones; history_mutex */
  uint64_t kept_referred;   /* bytes they refer to; history_mutex */
  uint64_t kept_bytes;      /* that their files take; history_mutex */
  _Atomic uint64_t kept_first; /* first sequence of the oldest; UINT64_MAX: none */
};

/* Makes a segment of at least `size` bytes that is ready for wal_segment_start: a recycled or a new
 * one. `durable`: contents and name are on disk on return, unless commits are stored (S3). Nothing
 * is left behind on failure. */
status wal_segment_obtain (struct wal *wal, uint64_t size, bool durable, struct wal_segment **out,
                           struct failure *failure);

/* The same for one record above the segment size: allocated, neither zeroed nor mapped. */
status wal_segment_obtain_own (struct wal *wal, uint64_t size, struct wal_segment **out,
                               struct failure *failure);

/* Makes a segment that can take a record of `record_size` bytes the current one: appender only.
 * On failure nothing has changed. */
status wal_segment_rotate (struct wal *wal, uint64_t record_size, struct failure *failure);

void wal_segment_unmap (struct wal *wal, struct wal_segment *segment);
/* Unmaps the live segments that are full (S6). Any thread; does nothing while another is at it. */
void wal_segment_unmap_full (struct wal *wal);

/* Moves what is released from the live list to what is kept for readers, to the spares, or unlinks
 * it. Any thread; unless `wait`, not while another is at it. */
status wal_segment_reclaim (struct wal *wal, bool wait, struct failure *failure);
/* What is kept no longer: to the spares, or unlinks it. */
status wal_segment_retire (struct wal *wal, struct wal_segment *segment, struct failure *failure);

/* A new segment in memory, with one reference. */
struct wal_segment *wal_segment_new (uint64_t number, uint64_t size);
/* The live segment that holds the record, or will hold it, with a reference for a reader: its file
 * is neither closed nor recycled before wal_segment_unref. NULL: the record is released. Any
 * thread. */
struct wal_segment *wal_segment_pin (struct wal *wal, uint64_t sequence);
void wal_segment_unref (struct wal_segment *segment); /* the last one closes the file */

/* Unmaps, and gives the log's reference up; `unlink`: removes the name first. */
status wal_segment_discard (struct wal *wal, struct wal_segment *segment, bool unlink,
                            struct failure *failure);

/* ---- wal-history.c: released segments that readers may still want ---- */

/* Takes what an earlier log left of history. */
status wal_history_load (struct wal *wal, struct failure *failure);
/* Keeps a segment that left the live list: as history on disk, when changes are retained. No longer
 * mapped. history_mutex held. */
void wal_history_add (struct wal *wal, struct wal_segment *segment);
/* Lets go of the oldest ones that need not be kept. history_mutex held. */
status wal_history_review_locked (struct wal *wal, struct failure *failure);
/* The same by a reader that moved on. */
void wal_history_review (struct wal *wal);
/* Like wal_segment_pin, of those that are kept. */
status wal_history_pin (struct wal *wal, uint64_t sequence, struct wal_segment **out,
                        struct failure *failure);
void wal_history_close (struct wal *wal, bool unlink_held);

/* A file of the log or of history. */
struct log_name
{
  uint64_t number;
  bool sealed; /* its name is that of history */
};

struct log_names
{
  struct log_name *names; /* by rising number; malloc'd */
  size_t count, capacity;
  bool no_memory; /* it is not whole */
};
/* All of them; to be freed also on failure. */
status wal_list_names (struct vfs_directory *directory, struct log_names *out,
                       struct failure *failure);
void wal_print_name (const struct log_name *name, char to[WAL_NAME_SIZE]);
/* The file as its header says, opened with `flags` as vfs_open. NULL: it is no segment of this
 * database that was ever used under this name, or there is no memory. */
struct wal_segment *wal_segment_load (struct vfs_directory *directory,
                                      const uint8_t database_id[16], const struct log_name *name,
                                      unsigned flags);
/* Whether the open file still is what the segment was loaded from: it is not recycled. */
bool wal_segment_is_same (struct wal_segment *segment);
/* Fills in what the note of a history file says. False: there is none that verifies. */
bool wal_segment_load_note (struct wal_segment *segment);

/* ---- wal-reader.c ---- */

/* Where a reader finds segments. */
struct wal_source
{
  /* The segment that holds the record, with a reference. HISTORY_GONE: it is not kept. */
  status (*pin) (void *context, uint64_t sequence, struct wal_segment **out,
                 struct failure *failure);
  /* Another process writes: a record that should be in the segment does not verify. Finds out anew
   * which segments there are. NULL: we write, and it is damaged. */
  status (*look_again) (void *context, struct failure *failure);
  void *context;         /* for them */
  const char *path;      /* of the directory, for messages */
  struct ledger *ledger; /* charged for what the reader holds; may be NULL */
};
/* A reader that no log knows of. */
status wal_reader_new_from (const struct wal_source *source, uint64_t after,
                            struct wal_reader **out, struct failure *failure);
/* Where the next record would stand in its segment. */
uint64_t wal_reader_offset (const struct wal_reader *reader);
/* The oldest sequence that a reader of the log needs; UINT64_MAX: there is no reader. mutex
 * held. */
uint64_t wal_readers_need (const struct wal *wal);

/* W3's answer to everything after the log failed. */
status wal_fail_again (const struct wal *wal, struct failure *failure);

#endif
