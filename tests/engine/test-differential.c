/* SPDX-License-Identifier: MIT */
/*
 * Random operations over the whole API, each compared with an oracle.
 *
 *   test-engine-differential [--long] [--seed S] [--operations N] [--episodes E]
 *
 * Without arguments: the short form. --long: ten million operations. --seed: one episode of that
 * seed, as a difference prints it. Databases are made below $TMPDIR, or in memory and below /tmp.
 */
#include "differential.h"

#include <unistd.h>

#define EPISODE_OPERATIONS 50000u

struct operation_kind_row
{
  enum kind kind;
  const char *name;
  unsigned weight; /* of all weights' sum */
  void (*run) (struct trial *trial, enum kind kind);
};

static void do_upkeep (struct trial *trial, enum kind kind);

static const struct operation_kind_row rows[KIND_COUNT] = {
  { KIND_PUT, "put", 140, do_put },
  { KIND_PUT_FULL, "put, full", 13, do_put },
  { KIND_PUT_ASYNC, "put, async", 13, do_put },
  { KIND_PUT_NONE, "put, none", 13, do_put },
  { KIND_GET, "get", 60, do_get },
  { KIND_GET_VALUE, "get value", 40, do_get_value },
  { KIND_GET_CACHED, "get value, cached", 20, do_get_value },
  { KIND_GET_MANY, "get many", 20, do_get_many },
  { KIND_DELETE, "delete", 45, do_delete },
  { KIND_DELETE_RANGE, "delete range", 14, do_delete_range },
  { KIND_BATCH, "batch", 35, do_batch },
  { KIND_SNAPSHOT_NEW, "snapshot", 14, do_snapshot },
  { KIND_SNAPSHOT_GET, "get from snapshot", 35, do_snapshot },
  { KIND_SNAPSHOT_FREE, "snapshot, free", 14, do_snapshot },
  { KIND_BEGIN, "transaction", 26, do_begin },
  { KIND_TRANSACTION_PUT, "transaction, put", 40, do_transaction },
  { KIND_TRANSACTION_GET, "transaction, get", 40, do_transaction },
  { KIND_TRANSACTION_DELETE, "transaction, delete", 16, do_transaction },
  { KIND_TRANSACTION_DELETE_RANGE, "transaction, delete range", 14, do_transaction },
  { KIND_LOCK_KEY, "transaction, lock key", 13, do_transaction },
  { KIND_SAVEPOINT, "savepoint", 16, do_transaction },
  { KIND_ROLLBACK_TO, "rollback to savepoint", 13, do_transaction },
  { KIND_COMMIT, "commit", 26, do_transaction },
  { KIND_ROLLBACK, "rollback", 13, do_transaction },
  { KIND_CURSOR_NEW, "cursor", 20, do_cursor_new },
  { KIND_CURSOR_FIRST, "cursor, first", 13, do_cursor },
  { KIND_CURSOR_LAST, "cursor, last", 13, do_cursor },
  { KIND_CURSOR_SEEK, "cursor, seek", 20, do_cursor },
  { KIND_CURSOR_SEEK_BEFORE, "cursor, seek before", 20, do_cursor },
  { KIND_CURSOR_NEXT, "cursor, next", 70, do_cursor },
  { KIND_CURSOR_PREVIOUS, "cursor, previous", 60, do_cursor },
  { KIND_CURSOR_VALUE, "cursor, value", 20, do_cursor },
  { KIND_CURSOR_FREE, "cursor, free", 13, do_cursor },
  { KIND_STORE_OPEN, "store, open", 14, do_store_open },
  { KIND_STORE_DROP, "store, drop", 13, do_store_drop },
  { KIND_MISUSE, "misuse", 13, do_misuse },
  { KIND_UPKEEP, "upkeep", 13, do_upkeep },
};

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

static void
verify_everything (struct trial *trial)
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

/* ---- opening and closing ---- */

static void
choose_options (struct trial *trial)
{
  struct engine_options *options = &trial->options;
  uint32_t page_size = options->page_size;
  engine_options_init (options);
  options->page_size = page_size != 0         ? page_size
                       : pick (trial, 8) == 0 ? 16384
                                              : 4096u << pick (trial, 2);
  options->memory_budget = (10 + pick (trial, 8)) << 20;
  options->compression = (enum engine_compression)pick (trial, 5);
  options->log_enabled = pick (trial, 12) != 0;
  options->log_segment_size = 65536 * (1 + pick (trial, 4));
  options->log_mapping = pick (trial, 2) == 0;
  options->blob_threshold = UINT64_C (512) << (2 * pick (trial, 3));
  options->transaction_timeout = 0;
  options->prefetch = pick (trial, 4) != 0;
  options->merge_workers = 1 + (uint32_t)pick (trial, 3);
  options->map_segments = pick (trial, 3) == 0;
  options->simd = pick (trial, 8) != 0;
  options->memtable_size = UINT64_C (32768) << pick (trial, 3);
  options->segment_file_size = UINT64_C (65536) << pick (trial, 5);
  options->sync_interval = 1000 + pick (trial, 100000);
}

static void
open_engine (struct trial *trial, unsigned flags)
{
  EXPECT_OK (engine_open (trial->path, flags, &trial->options, &trial->engine, &failure));
  EXPECT (engine_sequence (trial->engine) == trial->oracle.sequence,
          "after opening, commit %llu is the newest, not %llu",
          (unsigned long long)engine_sequence (trial->engine),
          (unsigned long long)trial->oracle.sequence);
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
static void
close_engine (struct trial *trial)
{
  bool first = pick (trial, 2) == 0;
  count_work (trial);
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

static void
reopen (struct trial *trial)
{
  close_engine (trial);
  choose_options (trial);
  if (pick (trial, 3) == 0)
    {
      open_engine (trial, ENGINE_OPEN_READ_ONLY);
      verify_everything (trial);
      EXPECT_STATUS (engine_put (trial->engine, 1, BYTES_LITERAL ("k"), BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure),
                     STATUS_READ_ONLY);
      EXPECT_OK (engine_close (trial->engine, &failure));
      engine_unref (trial->engine);
    }
  trial->doing = "reopening";
  open_engine (trial, ENGINE_OPEN_EXISTING);
  if (pick (trial, 2) == 0)
    verify_everything (trial);
  trial->totals->reopenings++;
}

/* ---- upkeep ---- */

static void
do_upkeep (struct trial *trial, enum kind kind)
{
  (void)kind;
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
    reopen (trial);
  else if (shape < 194)
    verify_everything (trial);
  else if (shape < 400)
    {
      EXPECT_OK (engine_sync (trial->engine, &failure));
      EXPECT (!trial->options.log_enabled
                  || engine_durable_sequence (trial->engine) >= trial->oracle.sequence,
              "sync left commits behind");
    }
  else if (shape < 800)
    engine_evict_cache (trial->engine, (double)pick (trial, 5) / 4);
  else
    {
      engine_statistics (trial->engine, &statistics);
      EXPECT (statistics.sequence == trial->oracle.sequence, "the statistics are of commit %llu",
              (unsigned long long)statistics.sequence);
    }
}

/* ---- episodes ---- */

static const struct operation_kind_row *
pick_operation (struct trial *trial, unsigned all)
{
  uint64_t at = pick (trial, all);
  for (unsigned i = 0;; i++)
    if (at < rows[i].weight)
      return &rows[i];
    else
      at -= rows[i].weight;
}

/* What one operation draws depends on its number only, so that a branch taken because of the moment
 * (a page that was not cached) does not lead to other operations later. */
static void
reseed (struct trial *trial)
{
  trial->random.state = trial->seed * UINT64_C (0x9e3779b97f4a7c15) + trial->index;
  trial->random.state = random_next (&trial->random);
}

/* The disk's syncs take most of the time there, so only every third episode is on it, unless
 * $TMPDIR says where. */
static char *
episode_directory (uint64_t seed)
{
  bool choose = getenv ("TMPDIR") == NULL && seed % 3 != 0 && access ("/dev/shm", W_OK) == 0;
  if (choose)
    setenv ("TMPDIR", "/dev/shm", 1);
  char *path = fresh_directory ();
  if (choose)
    unsetenv ("TMPDIR");
  return path;
}

static void
start_episode (struct trial *trial, uint64_t seed, uint64_t operations, struct trial_totals *totals)
{
  *trial = (struct trial){
    .seed = seed, .target = operations, .random = { seed }, .totals = totals, .doing = "start"
  };
  static const size_t pools[] = { 300, 2000, 8000, 20000 };
  size_t keys = pools[pick (trial, 4)];
  unsigned giants = (unsigned)pick (trial, 3) * 6;
  oracle_init (&trial->oracle, &trial->random, keys, giants);
  trial->hot = (position)pick (trial, (uint64_t)trial->oracle.count);
  oracle_store_new (&trial->oracle, "default", ENGINE_STORE_DEFAULT);
  trial->path = episode_directory (seed);
  choose_options (trial);
  printf ("episode of seed %llu: %lld keys (%u long), pages of %u, memtables of %llu KiB, "
          "compression %d\n",
          (unsigned long long)seed, (long long)trial->oracle.count, giants,
          trial->options.page_size, (unsigned long long)trial->options.memtable_size >> 10,
          (int)trial->options.compression);
  fflush (stdout);
  open_engine (trial, ENGINE_OPEN_CREATE);
}

static void
run_episode (uint64_t seed, uint64_t operations, struct trial_totals *totals)
{
  static struct trial of;
  struct trial *trial = &of;
  unsigned all = 0;
  for (unsigned i = 0; i < KIND_COUNT; i++)
    all += rows[i].weight;
  start_episode (trial, seed, operations, totals);
  for (; trial->index < operations; trial->index++)
    {
      reseed (trial);
      const struct operation_kind_row *row = pick_operation (trial, all);
      trial->doing = row->name;
      if (trial->index % 16 == 0)
        trial_refresh_oldest (trial);
      if (trial->index % 8192 == 0
          || (trial->oracle.history.count > 20000 && trial->index % 64 == 0))
        oracle_prune (&trial->oracle, trial_has_writers (trial));
      row->run (trial, row->kind);
      totals->kinds[row->kind]++;
    }
  verify_everything (trial);
  reopen (trial);
  verify_everything (trial);
  close_engine (trial);
  for (unsigned i = 0; i < HELD_MAX; i++)
    trial_release_held (trial, &trial->held[i]);
  oracle_clear (&trial->oracle);
  remove_directory (trial->path);
  totals->operations += operations;
  totals->episodes++;
}

static void
report (const struct trial_totals *totals, bool check_shares)
{
  for (unsigned i = 0; i < KIND_COUNT; i++)
    {
      double share = 100.0 * (double)totals->kinds[i] / (double)totals->operations;
      printf ("%-28s %10llu  %5.2f %%\n", rows[i].name, (unsigned long long)totals->kinds[i],
              share);
      if (check_shares)
        CHECK (share >= 1.0);
    }
  printf ("%llu operations in %llu episodes, %llu commits, %llu conflicts, %llu flushes, "
          "%llu merges, %llu reopenings, %llu reads of snapshots, %llu whole comparisons: no "
          "difference\n",
          (unsigned long long)totals->operations, (unsigned long long)totals->episodes,
          (unsigned long long)totals->commits, (unsigned long long)totals->conflicts,
          (unsigned long long)totals->flushes, (unsigned long long)totals->merges,
          (unsigned long long)totals->reopenings, (unsigned long long)totals->snapshot_reads,
          (unsigned long long)totals->verifications);
}

int
main (int argc, char **argv)
{
  uint64_t seed = 1, operations = EPISODE_OPERATIONS, episodes = 6;
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      episodes = 200;
    else if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      {
        seed = strtoull (argv[++i], NULL, 10);
        episodes = 1;
      }
    else if (i + 1 < argc && strcmp (argv[i], "--operations") == 0)
      operations = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--episodes") == 0)
      episodes = strtoull (argv[++i], NULL, 10);
    else
      {
        fprintf (stderr, "usage: %s [--long] [--seed S] [--operations N] [--episodes E]\n",
                 argv[0]);
        return 2;
      }
  struct trial_totals totals = { .operations = 0 };
  for (uint64_t i = 0; i < episodes; i++)
    run_episode (seed + i, operations, &totals);
  report (&totals, totals.operations >= 100000);
  return 0;
}
