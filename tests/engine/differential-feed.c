/* SPDX-License-Identifier: MIT */
/*
 * The differential test's change feed: it keeps a replica, from what it tells alone, which must
 * equal the oracle whenever it has caught up. It goes on over closings as far as history does.
 */
#include "differential.h"

#include "base/hash.h"

#define SUM_ABSENT UINT64_C (0)
#define SUM_UNKNOWN UINT64_C (2) /* its value is no longer kept */

static uint64_t
sum_of (struct bytes value)
{
  return checksum (5, value.size, value) | 1;
}

/* ---- the replica ---- */

void
replica_clear (struct trial *trial)
{
  struct trial_replica *replica = &trial->replica;
  for (size_t i = 0; i < replica->count; i++)
    free (replica->stores[i].sums);
  free (replica->stores);
  *replica = (struct trial_replica){ .feed = replica->feed };
}

static uint64_t *
sums_of (struct trial *trial, engine_store store)
{
  struct trial_replica *replica = &trial->replica;
  for (size_t i = 0; i < replica->count; i++)
    if (replica->stores[i].id == store)
      return replica->stores[i].sums;
  replica->stores = realloc (replica->stores, (replica->count + 1) * sizeof *replica->stores);
  uint64_t *sums = calloc ((size_t) trial->oracle.count, sizeof *sums);
  CHECK (replica->stores != NULL && sums != NULL);
  replica->stores[replica->count].id = store;
  replica->stores[replica->count++].sums = sums;
  return sums;
}

/* The first rank whose key is not below. */
static position
rank_from (const struct trial *trial, struct bytes key)
{
  position low = 0, high = trial->oracle.count;
  while (low < high)
    {
      position middle = (low + high) / 2;
      if (bytes_compare (oracle_key (&trial->oracle, 2 * middle), key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static struct oracle_store *
store_with (struct trial *trial, engine_store id)
{
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    if (trial->oracle.stores[i].used && trial->oracle.stores[i].id == id)
      return &trial->oracle.stores[i];
  return NULL; /* dropped, and nobody sees it any more */
}

/* What the oracle has there as of a commit. */
static uint64_t
sum_at (struct trial *trial, const struct oracle_store *store, position rank, uint64_t sequence)
{
  uint64_t ignored;
  struct oracle_value value = oracle_get (store, NULL, rank, sequence, &ignored);
  return value.size == ORACLE_ABSENT ? SUM_ABSENT : sum_of (oracle_bytes (&trial->oracle, value));
}

static void
compare_replica (struct trial *trial)
{
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      const struct oracle_store *store = &trial->oracle.stores[i];
      if (!store->used || store->dropped)
        continue;
      const uint64_t *sums = sums_of (trial, store->id);
      for (position rank = 0; rank < trial->oracle.count; rank++)
        EXPECT (sums[rank] == SUM_UNKNOWN
                    || sums[rank] == sum_at (trial, store, rank, trial->oracle.sequence),
                "the feed's replica differs at key %lld of store %u", (long long) rank, store->id);
    }
  trial->totals->replicas++;
}

/* Everything anew: the feed fell behind, or there was nothing to go on from. */
static void
copy_oracle (struct trial *trial)
{
  replica_clear (trial);
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      const struct oracle_store *store = &trial->oracle.stores[i];
      if (!store->used || store->dropped)
        continue;
      uint64_t *sums = sums_of (trial, store->id);
      for (position rank = 0; rank < trial->oracle.count; rank++)
        sums[rank] = sum_at (trial, store, rank, trial->oracle.sequence);
    }
  trial->replica.position = trial->oracle.sequence;
}

/* ---- changes ---- */

static void
apply_put (struct trial *trial, const struct engine_change *change)
{
  position rank = rank_from (trial, change->key);
  EXPECT (rank < trial->oracle.count
              && bytes_equal (oracle_key (&trial->oracle, 2 * rank), change->key),
          "the feed tells of a key that was never written");
  uint64_t sum = SUM_UNKNOWN;
  if (change->value.data != NULL)
    sum = sum_of (change->value);
  else
    {
      struct engine_value value;
      struct failure cause = FAILURE_INIT;
      status result = engine_feed_value (trial->replica.feed, &value, &cause);
      /* May be gone where there is no log, or what was overwritten before the feed was opened and
       * nobody wanted to be kept. */
      bool kept = trial->options.log_enabled
                  && (trial->options.change_retention > 0
                      || trial->replica.position >= trial->replica.opened_at);
      EXPECT (result == STATUS_OK || (result == STATUS_HISTORY_GONE && !kept),
              "a feed's value: %s (%s)", status_name (result), cause.message);
      if (result == STATUS_OK)
        sum = sum_of (value.data);
      engine_value_release (&value);
    }
  sums_of (trial, change->store)[rank] = sum;
}

static void
apply_span (struct trial *trial, const struct engine_change *change, uint64_t sequence)
{
  bool loaded = change->kind == ENGINE_CHANGE_LOADED;
  const struct oracle_store *store = store_with (trial, change->store);
  uint64_t *sums = sums_of (trial, change->store);
  position end = change->end.data != NULL ? rank_from (trial, change->end) : trial->oracle.count;
  position rank = change->key.data != NULL ? rank_from (trial, change->key) : 0;
  for (; rank < end; rank++)
    sums[rank] = loaded && store != NULL ? sum_at (trial, store, rank, sequence) : SUM_ABSENT;
}

static void
apply_change (struct trial *trial, const struct engine_change *change, uint64_t sequence)
{
  position rank;
  switch (change->kind)
    {
    case ENGINE_CHANGE_PUT:
      apply_put (trial, change);
      break;
    case ENGINE_CHANGE_DELETE:
      rank = rank_from (trial, change->key);
      if (rank < trial->oracle.count)
        sums_of (trial, change->store)[rank] = SUM_ABSENT;
      break;
    case ENGINE_CHANGE_DELETE_RANGE:
    case ENGINE_CHANGE_LOADED:
      apply_span (trial, change, sequence);
      break;
    }
}

/* False: there is no next commit. */
static bool
apply_commit (struct trial *trial)
{
  struct trial_replica *replica = &trial->replica;
  struct failure cause = FAILURE_INIT;
  struct engine_change change;
  uint64_t sequence;
  status result = engine_feed_next_commit (replica->feed, &sequence, &cause);
  if (result == STATUS_NOT_FOUND)
    return false;
  if (result == STATUS_HISTORY_GONE)
    {
      EXPECT (replica->position < engine_history_oldest (trial->engine),
              "a feed was passed at commit %llu, but history begins behind %llu",
              (unsigned long long) replica->position,
              (unsigned long long) engine_history_oldest (trial->engine));
      feed_free (trial);
      copy_oracle (trial);
      return false;
    }
  EXPECT (result == STATUS_OK && sequence == replica->position + 1,
          "the feed's next commit behind %llu: %s, %llu (%s)",
          (unsigned long long) replica->position, status_name (result),
          (unsigned long long) sequence, cause.message);
  while ((result = engine_feed_next_change (replica->feed, &change, &cause)) == STATUS_OK)
    apply_change (trial, &change, sequence);
  EXPECT (result == STATUS_NOT_FOUND, "a feed's change: %s (%s)", status_name (result),
          cause.message);
  replica->position = engine_feed_position (replica->feed);
  EXPECT (replica->position == sequence, "the feed is at %llu, not %llu",
          (unsigned long long) replica->position, (unsigned long long) sequence);
  return true;
}

/* ---- the feed ---- */

void
feed_free (struct trial *trial)
{
  engine_feed_free (trial->replica.feed);
  trial->replica.feed = NULL;
}

static void
feed_open (struct trial *trial)
{
  struct trial_replica *replica = &trial->replica;
  struct failure cause = FAILURE_INIT;
  replica->opened_at = trial->oracle.sequence;
  if (replica->count > 0)
    {
      status result = engine_feed_new (trial->engine, replica->position, &replica->feed, &cause);
      if (result == STATUS_OK)
        return;
      EXPECT (result == STATUS_HISTORY_GONE
                  && replica->position < engine_history_oldest (trial->engine),
              "a feed from commit %llu: %s (%s)", (unsigned long long) replica->position,
              status_name (result), cause.message);
    }
  EXPECT_OK (engine_feed_new (trial->engine, ENGINE_FEED_NOW, &replica->feed, &failure));
  copy_oracle (trial);
}

void
do_feed (struct trial *trial, enum kind kind)
{
  (void) kind;
  uint64_t shape = pick (trial, 20);
  if (trial->replica.feed == NULL)
    feed_open (trial);
  if (shape == 0)
    {
      feed_free (trial);
      return;
    }
  uint64_t most = shape < 4 ? pick (trial, 50) : UINT64_MAX;
  while (most-- > 0)
    if (!apply_commit (trial))
      break;
  if (trial->replica.position == trial->oracle.sequence && shape > 16)
    compare_replica (trial);
}
