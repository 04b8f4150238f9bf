/* SPDX-License-Identifier: MIT */
/*
 * log-trial: one log in a fresh directory, on a disk that fails as it is told, and what its files
 * hold as bytes.
 */
#ifndef LIGHTNING_TESTS_LOG_TRIAL_H
#define LIGHTNING_TESTS_LOG_TRIAL_H

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "log/wal-reader.h"
#include "log/wal.h"

#include <stdatomic.h>

#define SEGMENT_SIZE (UINT64_C (64) << 10)

extern const uint8_t database_id[16];

struct fault_plan
{
  _Atomic int write_after;    /* writes until they fail; negative: never */
  _Atomic int write_error;    /* the errno of it */
  _Atomic bool write_half;    /* half of the failing write reaches the file */
  _Atomic int allocate_error; /* 0: none */
  _Atomic int sync_after;     /* syncs until they fail; negative: never */
  _Atomic int directory_sync_error;
  _Atomic int unlink_error;
  _Atomic int rename_error;
  _Atomic bool refuse_map;
  _Atomic int read_error;
  uint64_t hole;       /* from this offset on files are zeros that no disk is asked for; 0: none */
  uint64_t read_to;    /* the end of what was read of that */
  _Atomic int syncs;   /* seen */
  _Atomic int hide_in; /* listings of the directory in which a name is missing … */
  _Atomic uint64_t hide; /* … that of the log file of this number */
};

extern struct fault_plan plan;

/* Called once, in the middle of the next sync of a file, or before it is unmapped. */
extern void (*during_sync) (struct vfs_file *file);
extern void (*during_unmap) (struct vfs_file *file);

void plan_reset (void);

struct place
{
  char *path;
  struct vfs_directory *directory;
  struct ledger ledger;
  _Atomic uint64_t next_number;
  uint64_t retention; /* of the next log_open */
  struct wal *wal;
};

void place_open (struct place *place);
void place_close (struct place *place);
void log_open (struct place *place, uint64_t segment_size, bool map, uint64_t next_sequence);
void log_close (struct place *place, bool unlink_all);

/* The payload of a commit is a function of its sequence. */
size_t payload_size (uint64_t sequence);

status append_sized (struct place *place, uint64_t sequence, size_t size, bool store,
                     struct failure *failure);
void append (struct place *place, uint64_t from, uint64_t to, bool store);

struct seen
{
  uint64_t next; /* expected, unless gaps are allowed */
  bool gaps;
  size_t (*size) (uint64_t sequence);
  uint64_t digest;
  uint64_t stop_at; /* visit fails here; 0 never */
};

status see (void *data, uint64_t sequence, struct bytes payload, struct failure *failure);

/* Recovers and returns the newest sequence handed out, `after` when none. */
uint64_t recover_to (struct place *place, uint64_t after, size_t (*size) (uint64_t),
                     struct wal_recovery *out);

status recover_status (struct place *place, uint64_t after, struct failure *failure);

struct count
{
  unsigned files;
  uint64_t bytes;
  uint64_t highest;
  const char *path;
};

struct count count_files (struct place *place);
char *segment_path (struct place *place, uint64_t number);
uint8_t *file_load (const char *path, size_t *size);
void file_store (const char *path, const uint8_t *bytes, size_t size);
void file_patch (const char *path, uint64_t offset, const void *bytes, size_t size);

/* A record by the format alone, as docs/design/log.md has it. */
struct shape
{
  bool is_long;
  uint64_t head;     /* bytes before the payload */
  uint64_t size;     /* of the payload */
  uint64_t behind;   /* long: sequence - first sequence */
  uint64_t distance; /* long: sequence - synced up to */
};

struct shape record_shape (const uint8_t *bytes, uint64_t offset);

/* Offset of record `index` (from 0) in a segment. */
uint64_t record_offset (const uint8_t *bytes, unsigned index);

/* Where a byte of its checksum stands. */
uint64_t checksum_offset (const uint8_t *bytes, uint64_t offset);

/* Three segments; `sync_at`: synced up to there before the third begins. Returns the last. */
uint64_t three_segments (struct place *place, bool synced, uint64_t first[4]);

/* ---- the tests, by file ---- */

/* test-wal-recovery.c */
void test_torn_tail (bool map, bool synced);
void test_damage (void);
void test_stale (bool map);
void test_stale_number (bool map);
void test_missing_segment (void);
void test_segment_states (void);
void test_runs (void);
void test_run_ended_before (void);
void test_damaged_beginning (void);
void test_damaged_size (void);
void test_hostile (bool tags);
void test_endless (void);
void test_heads (void);
void test_lost_way (void);
void test_mutations (unsigned rounds);

/* test-wal-disk.c */
void test_failed_sync (bool directory);
void test_failed_later_sync (void);
void test_full_disk (bool map);
void test_failed_write (int error, bool half, size_t size, bool retryable);
void test_fallbacks (void);
void test_failed_header (void);
void test_missed_name (void);
void test_lost_end (void);
void test_prepared_for_stores (void);
void test_failed_housekeeping (void);
void test_unreadable (void);

/* test-wal-threads.c */
void test_threads (bool map);
void test_synced_is_true (void);
void test_unmapped_behind_sync (void);
void test_interleavings (void);
void test_killed (unsigned round);

/* test-wal-history.c */
void test_failed_seal (bool fails);
void test_failed_seal_kept (void);
void test_cut_history (void);
void test_room_for_note (void);

/* test-wal-stores.c */
void test_stores (bool recycled);

#endif
