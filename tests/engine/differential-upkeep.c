/* SPDX-License-Identifier: MIT */
/* The differential test's upkeep: opening, closing, comparing everything, loading, copies. */
#include "differential.h"

/* ---- comparing everything ---- */

struct listing
{
  struct trial *trial;
  unsigned seen;
  char last[24];
};

static bool
visit_store (void *data, const char *name, engine_store id)
{
  struct listing *listing = data;
  struct trial *trial = listing->trial;
  bool known = false;
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      const struct oracle_store *store = &trial->oracle.stores[i];
      known |= store->used && !store->dropped && store->id == id && strcmp (store->name, name) == 0;
    }
  EXPECT (known, "store \"%s\" (%u) is listed", name, id);
  if (listing->seen > 1)
    EXPECT (strcmp (listing->last, name) < 0, "store \"%s\" is listed behind \"%s\"", name,
            listing->last);
  snprintf (listing->last, sizeof listing->last, "%s", name);
  listing->seen++;
  return true;
}

void
trial_verify_everything (struct trial *trial)
{
  struct listing listing = { .trial = trial };
  unsigned stores = 0;
  trial->doing = "verification";
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      struct oracle_store *store = &trial->oracle.stores[i];
      if (!store->used || store->dropped)
        continue;
      stores++;
      trial_verify_store (trial, store, false);
      trial_verify_store (trial, store, true);
    }
  EXPECT_OK (engine_store_list (trial->engine, visit_store, &listing, &failure));
  EXPECT (listing.seen == stores, "%u stores are listed, not %u", listing.seen, stores);
  trial->totals->verifications++;
}

/* ---- upkeep ---- */

static void
report_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  struct trial *trial = data;
  EXPECT (false, "a fault in %s, page %lld: %s", file, (long long) page, reason);
}

static void
check_closed (struct trial *trial, const char *path)
{
  struct engine_check_report report;
  EXPECT_OK (engine_check (path, true, report_fault, NULL, trial, &report, &failure));
  EXPECT (report.page_checksums && report.tree_structure && report.log && report.blobs_intact,
          "the check reports no fault, but something is not fine");
  EXPECT (report.no_orphans || trial->has_leftovers, "files are left over after a clean close");
  trial->totals->checks++;
}

static void
check_opened (struct trial *trial)
{
  struct engine_check_report report;
  EXPECT_OK (engine_check_open (trial->engine, true, report_fault, NULL, trial, &report, &failure));
  trial->totals->checks++;
}

/* Opens a copy and compares all of it. */
static void
compare_copy (struct trial *trial, const char *path)
{
  struct engine *original = trial->engine;
  EXPECT_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &trial->options, &trial->engine, &failure));
  trial_verify_everything (trial);
  EXPECT_OK (engine_close (trial->engine, &failure));
  engine_unref (trial->engine);
  trial->engine = original;
}

static void
place_beside (const struct trial *trial, const char *suffix, char to[600])
{
  snprintf (to, 600, "%s-%s", trial->path, suffix);
}

static void
back_up (struct trial *trial)
{
  char path[600], copy[600];
  struct engine_backup_result result;
  bool verify = pick (trial, 2) == 0, restore = pick (trial, 2) == 0;
  bool again = pick (trial, 3) != 0; /* onto the earlier one, which is brought up to date */
  trial->doing = "backup";
  place_beside (trial, "backup", path);
  place_beside (trial, "restored", copy);
  if (!again && access (path, F_OK) == 0)
    EXPECT_OK (engine_destroy (path, NULL, &failure));
  EXPECT_OK (engine_backup (trial->engine, path, verify, NULL, NULL, &result, &failure));
  EXPECT (result.sequence == trial->oracle.sequence, "the backup is of commit %llu, not %llu",
          (unsigned long long) result.sequence, (unsigned long long) trial->oracle.sequence);
  compare_copy (trial, path);
  if (restore)
    {
      trial->doing = "restore";
      EXPECT_OK (engine_restore (path, copy, NULL, NULL, &failure));
      compare_copy (trial, copy);
      EXPECT_OK (engine_destroy (copy, NULL, &failure));
    }
  trial->totals->backups++;
}

static void
report_lost (void *data, const char *file, uint64_t page, const char *reason)
{
  report_fault (data, file, page, reason);
}

void
trial_repair (struct trial *trial)
{
  char path[600];
  struct engine_repair_report report;
  trial->doing = "repair";
  place_beside (trial, "backup", path);
  if (access (path, F_OK) == 0)
    EXPECT_OK (engine_destroy (path, NULL, &failure));
  place_beside (trial, "repaired", path);
  EXPECT_OK (engine_repair (trial->path, path, report_lost, NULL, trial, &report, &failure));
  trial->renumbered = true;
  compare_copy (trial, path);
  trial->renumbered = false;
  EXPECT_OK (engine_destroy (path, NULL, &failure));
  trial->totals->repairs++;
}

/* ---- bulk loading ---- */

void
loader_free (struct trial *trial)
{
  engine_loader_free (trial->loader.loader);
  trial->loader.loader = NULL;
}

static void
loader_put (struct trial *trial)
{
  struct trial_loader *of = &trial->loader;
  for (uint64_t left = 1 + pick (trial, 25); left > 0 && of->writes.count < ORACLE_WRITES_MAX;
       left--)
    {
      struct oracle_store *store = pick_store (trial);
      position rank = pick_key (trial);
      struct oracle_value value = pick_value (trial);
      EXPECT_OK (engine_loader_put (of->loader, store->id, oracle_key (&trial->oracle, 2 * rank),
                                    oracle_bytes (&trial->oracle, value), &failure));
      oracle_write_add (&of->writes, store, false, 2 * rank, 0, value);
    }
  EXPECT (engine_loader_count (of->loader) == of->writes.count, "the loader counts %llu, not %zu",
          (unsigned long long) engine_loader_count (of->loader), of->writes.count);
}

static void
loader_commit (struct trial *trial)
{
  struct trial_loader *of = &trial->loader;
  uint64_t sequence = 0;
  bool dropped = false;
  for (size_t i = 0; i < of->writes.count; i++)
    dropped |= of->writes.list[i].store->dropped;
  EXPECT_STATUS (engine_loader_commit (of->loader, &sequence, &failure),
                 dropped ? STATUS_NOT_FOUND : STATUS_OK);
  if (!dropped && of->writes.count > 0)
    {
      EXPECT (sequence > trial->oracle.sequence, "the load is commit %llu, behind %llu",
              (unsigned long long) sequence, (unsigned long long) trial->oracle.sequence);
      trial->oracle.sequence = sequence - 1; /* empty commits fill the gap */
      trial_commit (trial, &of->writes, sequence);
      trial->totals->loads++;
    }
  else /* refused: empty commits may have been made */
    trial->oracle.sequence = engine_sequence (trial->engine);
  loader_free (trial);
}

void
do_loader (struct trial *trial, enum kind kind)
{
  (void) kind;
  struct trial_loader *of = &trial->loader;
  uint64_t shape = pick (trial, 10);
  if (of->loader == NULL)
    {
      of->writes.count = 0;
      of->sequence = trial->oracle.sequence;
      EXPECT_OK (engine_loader_new (trial->engine, &of->loader, &failure));
    }
  if (shape < 6)
    loader_put (trial);
  else if (shape < 9)
    loader_commit (trial);
  else
    loader_free (trial);
}

/* ---- opening and closing ---- */

void
trial_choose_options (struct trial *trial)
{
  struct engine_options *options = &trial->options;
  uint32_t page_size = options->page_size;
  engine_options_init (options);
  options->page_size = page_size != 0         ? page_size
                       : pick (trial, 8) == 0 ? 16384
                                              : 4096u << pick (trial, 2);
  options->memory_budget = (10 + pick (trial, 8)) << 20;
  options->compression = (enum engine_compression) pick (trial, 5);
  options->log_enabled = pick (trial, 12) != 0;
  options->log_segment_size = 65536 * (1 + pick (trial, 4));
  options->log_mapping = pick (trial, 2) == 0;
  options->change_retention = UINT64_C (1) << (16 + 4 * pick (trial, 4));
  if (pick (trial, 3) == 0)
    options->change_retention = 0;
  options->blob_threshold = UINT64_C (512) << (2 * pick (trial, 3));
  options->transaction_timeout = 0;
  options->prefetch = pick (trial, 4) != 0;
  options->merge_workers = 1 + (uint32_t) pick (trial, 3);
  options->map_segments = pick (trial, 3) == 0;
  options->simd = pick (trial, 8) != 0;
  options->memtable_size = UINT64_C (32768) << pick (trial, 3);
  options->segment_file_size = UINT64_C (65536) << pick (trial, 5);
  options->sync_interval = 1000 + pick (trial, 100000);
}

void
trial_open (struct trial *trial, unsigned flags)
{
  EXPECT_OK (engine_open (trial->path, flags, &trial->options, &trial->engine, &failure));
  EXPECT (engine_sequence (trial->engine) == trial->oracle.sequence,
          "after opening, commit %llu is the newest, not %llu",
          (unsigned long long) engine_sequence (trial->engine),
          (unsigned long long) trial->oracle.sequence);
}

static void
count_work (struct trial *trial)
{
  struct engine_statistics statistics;
  engine_statistics (trial->engine, &statistics);
  trial->totals->flushes += statistics.flushes;
  trial->totals->merges += statistics.merges;
  EXPECT (statistics.sequence == trial->oracle.sequence, "the statistics are of another commit");
}

/* Every handle of a closed engine says so. */
static void
expect_closed (struct trial *trial)
{
  size_t size;
  uint8_t byte;
  struct bytes key = BYTES_LITERAL ("k");
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    if (trial->cursors[i].cursor != NULL && pick (trial, 2) == 0)
      EXPECT_STATUS (engine_cursor_seek (trial->cursors[i].cursor, key, &failure), STATUS_CLOSED);
  for (unsigned i = 0; i < TRANSACTIONS_MAX; i++)
    if (trial->transactions[i].transaction != NULL)
      EXPECT_STATUS (engine_transaction_commit (trial->transactions[i].transaction,
                                                ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_CLOSED);
  EXPECT_STATUS (engine_get (trial->engine, NULL, 1, key, &byte, 1, &size, &failure),
                 STATUS_CLOSED);
  EXPECT_STATUS (engine_put (trial->engine, 1, key, key, ENGINE_SYNC_DEFAULT, NULL, &failure),
                 STATUS_CLOSED);
  EXPECT_STATUS (engine_flush (trial->engine, &failure), STATUS_CLOSED);
}

static void
free_handles (struct trial *trial)
{
  loader_free (trial);
  feed_free (trial);
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    cursor_free (&trial->cursors[i]);
  for (unsigned i = 0; i < TRANSACTIONS_MAX; i++)
    if (trial->transactions[i].transaction != NULL)
      transaction_free (trial, &trial->transactions[i]);
  for (unsigned i = 0; i < SNAPSHOTS_MAX; i++)
    {
      engine_snapshot_free (trial->snapshots[i].snapshot);
      trial->snapshots[i].snapshot = NULL;
    }
}

/* Held values stay: they outlive the engine they came from. */
void
trial_close (struct trial *trial)
{
  bool first = pick (trial, 2) == 0;
  count_work (trial);
  trial->has_leftovers = !first && trial->loader.loader != NULL; /* removed by the next open */
  bool release = pick (trial, 2) == 0; /* a value may keep the segment it was read from */
  for (unsigned i = 0; i < HELD_MAX; i++)
    {
      if (release)
        trial_release_held (trial, &trial->held[i]);
      trial->has_leftovers |= trial->held[i].used;
    }
  if (first)
    free_handles (trial);
  EXPECT_OK (engine_close (trial->engine, &failure));
  expect_closed (trial);
  if (pick (trial, 2) == 0)
    free_handles (trial);
  engine_unref (trial->engine);
  free_handles (trial);
  trial_refresh_oldest (trial);
  oracle_prune (&trial->oracle, false);
}

void
trial_reopen (struct trial *trial)
{
  trial_close (trial);
  trial_choose_options (trial);
  if (pick (trial, 3) == 0)
    {
      trial_open (trial, ENGINE_OPEN_READ_ONLY);
      trial_verify_everything (trial);
      EXPECT_STATUS (engine_put (trial->engine, 1, BYTES_LITERAL ("k"), BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_READ_ONLY);
      EXPECT_OK (engine_close (trial->engine, &failure));
      engine_unref (trial->engine);
    }
  trial->doing = "reopening";
  if (pick (trial, 4) == 0)
    check_closed (trial, trial->path);
  trial_open (trial, ENGINE_OPEN_EXISTING);
  if (pick (trial, 2) == 0)
    trial_verify_everything (trial);
  trial->totals->reopenings++;
}

void
do_upkeep (struct trial *trial, enum kind kind)
{
  (void) kind;
  uint64_t shape = pick (trial, 1000);
  struct engine_statistics statistics;
  if (shape < 120)
    EXPECT_OK (engine_flush (trial->engine, &failure));
  else if (shape < 150)
    EXPECT_OK (engine_checkpoint (trial->engine, &failure));
  else if (shape < 170)
    EXPECT_OK (engine_compact (trial->engine, NULL, NULL, &failure));
  else if (shape < 171)
    EXPECT_OK (engine_wait_settled (trial->engine, 60000000, &failure));
  else if (shape < 190)
    trial_reopen (trial);
  else if (shape < 194)
    trial_verify_everything (trial);
  else if (shape < 200)
    back_up (trial);
  else if (shape < 206)
    check_opened (trial);
  else if (shape < 400)
    {
      EXPECT_OK (engine_sync (trial->engine, &failure));
      EXPECT (!trial->options.log_enabled
                  || engine_durable_sequence (trial->engine) >= trial->oracle.sequence,
              "sync left commits behind");
    }
  else if (shape < 800)
    engine_evict_cache (trial->engine, (double) pick (trial, 5) / 4);
  else
    {
      engine_statistics (trial->engine, &statistics);
      EXPECT (statistics.sequence == trial->oracle.sequence, "the statistics are of commit %llu",
              (unsigned long long) statistics.sequence);
    }
}
