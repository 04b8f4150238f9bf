/* SPDX-License-Identifier: MIT */
/*
 * filled-engine: an engine with records whose values follow from their numbers and the round in
 * which they were written, large ones among them, and what upkeep leaves of it in other
 * directories.
 */
#ifndef LIGHTNING_TESTS_FILLED_ENGINE_H
#define LIGHTNING_TESTS_FILLED_ENGINE_H

#include "base/random.h"
#include "base/vfs.h"
#include "core/batch.h"
#include "directory-files.h"
#include "small-engine.h"
#include "version/manifest.h"

#include <stdatomic.h>

extern struct failure failure;

/* Short for most numbers; a large value, which goes to a blob file, for every 97th. */
struct bytes number_value (char *to, unsigned number, unsigned round);

void put_range (struct engine *engine, unsigned from, unsigned to, unsigned round);
void check_one (struct engine *engine, engine_store store, unsigned number, unsigned round);
void check_range_of (struct engine *engine, unsigned from, unsigned to, unsigned round);
bool has (struct engine *engine, engine_store store, unsigned number);
unsigned count_keys (struct engine *engine, engine_store store);

/* Keys of all stores that there may be. */
unsigned count_all (struct engine *engine);

char *below (const char *path, const char *name);
void flip (const char *path, const char *name, off_t offset);

extern _Atomic int64_t disk_left; /* bytes that segments and blobs may still take */

struct engine *open_on_disk (const char *path);

struct beside
{
  struct engine *engine;
  _Atomic bool stop;
  _Atomic uint64_t commits;
  enum engine_sync sync;
  unsigned first;
};

void *write_beside (void *data);
void fill (struct engine *engine);
void check_filled (const char *path);
bool cancel_at_once (void *data, uint64_t done, uint64_t total, const char *step);

/* ---- the tests, by file ---- */

/* test-upkeep-backup.c */
void test_backup (void);
void test_backup_refused (void);
void test_compact_within_itself (void);
void test_backup_cancelled (void);
void test_backup_copies (void);
void test_backup_of_growing_blobs (void);
void test_backup_of_open_blobs (void);
void test_backup_beside_writers (void);
void test_backup_read_only (void);
void test_backup_unreadable (void);
void test_restore_after_kill (void);

/* test-upkeep-repair.c */
void test_check_and_repair_sound (void);
void test_foreign_manifest (void);
void test_damaged_page (void);
void test_damaged_header (void);
void test_lost_catalogue (void);
void test_lost_span (void);
void test_lost_first_versions (void);
void test_repair_versions (void);
void test_damaged_manifest (void);
void test_damaged_blob (void);
void test_damaged_synced_value (void);
void test_unsynced_value (void);
void test_damage_everywhere (void);
void test_replaced_beside (void);
void test_missing_segment (void);
void test_repair_log (void);
void test_repair_cut_short (void);

#endif
