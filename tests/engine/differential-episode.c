/* SPDX-License-Identifier: MIT */
#include "differential.h"

#include <unistd.h>

struct operation_kind_row
{
  enum kind kind;
  const char *name;
  unsigned weight; /* of all weights' sum */
  void (*run) (struct trial *trial, enum kind kind);
};

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
  { KIND_LOADER, "loader", 16, do_loader },
  { KIND_FEED, "feed", 18, do_feed },
  { KIND_MISUSE, "misuse", 13, do_misuse },
  { KIND_UPKEEP, "upkeep", 13, do_upkeep },
};

const char *
kind_name (enum kind kind)
{
  return rows[kind].name;
}

/* ---- choosing ---- */

static enum kind
pick_kind (struct trial *trial)
{
  unsigned all = 0;
  for (unsigned i = 0; i < KIND_COUNT; i++)
    all += rows[i].weight;
  uint64_t at = pick (trial, all);
  for (unsigned i = 0;; i++)
    if (at < rows[i].weight)
      return rows[i].kind;
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

void
episode_random_step (struct trial *trial)
{
  reseed (trial);
  episode_step (trial, pick_kind (trial));
}

/* ---- episodes ---- */

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

void
episode_begin (struct trial *trial, uint64_t seed, uint64_t operations, struct trial_totals *totals)
{
  *trial = (struct trial){
    .seed = seed, .target = operations, .random = { seed }, .totals = totals, .doing = "start"
  };
  static const size_t pools[] = { 300, 2000, 8000, 20000 };
  size_t keys = pools[pick (trial, 4)];
  unsigned giants = (unsigned) pick (trial, 3) * 6;
  oracle_init (&trial->oracle, &trial->random, keys, giants);
  trial->hot = (position) pick (trial, (uint64_t) trial->oracle.count);
  oracle_store_new (&trial->oracle, "default", ENGINE_STORE_DEFAULT);
  trial->path = episode_directory (seed);
  trial_choose_options (trial);
  trial_open (trial, ENGINE_OPEN_CREATE);
}

void
episode_step (struct trial *trial, enum kind kind)
{
  trial->doing = rows[kind].name;
  if (trial->index % 16 == 0)
    trial_refresh_oldest (trial);
  if (trial->index % 8192 == 0 || (trial->oracle.history.count > 20000 && trial->index % 64 == 0))
    oracle_prune (&trial->oracle, trial_has_writers (trial));
  rows[kind].run (trial, kind);
  trial->totals->kinds[kind]++;
  trial->index++;
}

void
episode_end (struct trial *trial)
{
  trial_verify_everything (trial);
  trial_reopen (trial);
  trial_verify_everything (trial);
  trial_close (trial);
  trial_repair (trial);
  for (unsigned i = 0; i < HELD_MAX; i++)
    trial_release_held (trial, &trial->held[i]);
  replica_clear (trial);
  oracle_clear (&trial->oracle);
  remove_directory (trial->path);
  trial->totals->operations += trial->index;
  trial->totals->episodes++;
}
