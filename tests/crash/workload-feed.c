/* SPDX-License-Identifier: MIT */
/*
 * What the change feed of a recovered database tells: from where its history begins each commit
 * must lead from one remembered table to the next.
 */
#include "base/hash.h"
#include "workload.h"

#include <stdio.h>
#include <string.h>

/* A table of which each value's checksum is known; 0 = absent. */
struct replica
{
  uint64_t sums[WORKLOAD_STORES][WORKLOAD_KEYS];
};

static uint64_t
sum_of (struct bytes value)
{
  return checksum (3, value.size, value) | 1;
}

static void
replica_from (struct replica *replica, const struct table *table)
{
  for (unsigned store = 0; store < WORKLOAD_STORES; store++)
    for (unsigned key = 0; key < WORKLOAD_KEYS; key++)
      {
        uint32_t number = table->values[store][key];
        replica->sums[store][key] = number != 0 ? sum_of (workload_value (number)) : 0;
      }
}

/* Calls for the keys of a span. */
static void
set_span (struct replica *replica, unsigned store, struct bytes start, struct bytes end,
          const struct replica *from)
{
  for (unsigned key = 0; key < WORKLOAD_KEYS; key++)
    {
      struct bytes bytes = workload_key (key);
      if ((start.data == NULL || bytes_compare (bytes, start) >= 0)
          && (end.data == NULL || bytes_compare (bytes, end) < 0))
        replica->sums[store][key] = from->sums[store][key];
    }
}

static void
set_key (struct replica *replica, unsigned store, struct bytes key, uint64_t sum)
{
  for (unsigned i = 0; i < WORKLOAD_KEYS; i++)
    if (bytes_equal (workload_key (i), key))
      replica->sums[store][i] = sum;
}

/* `after`: what the commit leaves; of a bulk load the feed tells only where it was. */
static status
apply_change (struct replica *replica, struct engine_feed *feed, const struct engine_change *change,
              const struct replica *after, struct failure *failure)
{
  static const struct replica nothing;
  unsigned store = change->store != ENGINE_STORE_DEFAULT; /* there is only one other at a time */
  struct engine_value value;
  status result = STATUS_OK;
  switch (change->kind)
    {
    case ENGINE_CHANGE_PUT:
      result = engine_feed_value (feed, &value, failure);
      if (result == STATUS_OK)
        {
          set_key (replica, store, change->key, sum_of (value.data));
          engine_value_release (&value);
        }
      break;
    case ENGINE_CHANGE_DELETE:
      set_key (replica, store, change->key, 0);
      break;
    case ENGINE_CHANGE_DELETE_RANGE:
      set_span (replica, store, change->key, change->end, &nothing);
      break;
    case ENGINE_CHANGE_LOADED:
      set_span (replica, store, change->key, change->end, after);
      break;
    }
  return result;
}

static status
apply_commit (struct replica *replica, struct engine_feed *feed, const struct replica *after,
              struct failure *failure)
{
  struct engine_change change;
  status result;
  while ((result = engine_feed_next_change (feed, &change, failure)) == STATUS_OK
         && (result = apply_change (replica, feed, &change, after, failure)) == STATUS_OK)
    ;
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* Walks the feed up to `commit`; *at is the commit reached. */
static status
walk (const struct workload *workload, struct engine_feed *feed, uint64_t commit, uint64_t *at,
      bool *same, struct failure *failure)
{
  static const struct table nothing;
  struct replica replica, after;
  status result = STATUS_OK;
  *same = true;
  replica_from (&replica, *at > 0 ? &workload->tables[*at] : &nothing);
  while (result == STATUS_OK && *same && *at < commit)
    {
      uint64_t sequence;
      result = engine_feed_next_commit (feed, &sequence, failure);
      if (result != STATUS_OK)
        break;
      *same = sequence == *at + 1;
      *at = sequence;
      replica_from (&after, &workload->tables[sequence]);
      result = apply_commit (&replica, feed, &after, failure);
      *same = *same && memcmp (&replica, &after, sizeof after) == 0;
    }
  return result;
}

bool
workload_feed_matches (const struct workload *workload, struct engine *engine,
                       const struct promise *promise, uint64_t commit, char reason[256])
{
  struct failure cause = FAILURE_INIT;
  struct engine_feed *feed = NULL;
  uint64_t at = engine_history_oldest (engine);
  bool same = true;
  if (promise->kill && at > 0)
    {
      snprintf (reason, 256, "a killed process's history begins behind commit %llu only",
                (unsigned long long) at);
      return false;
    }
  /* A load that was cut short has numbers, and perhaps nothing else. */
  uint64_t end = commit < promise->gap ? commit : promise->gap - 1;
  status result = engine_feed_new (engine, at, &feed, &cause);
  if (result == STATUS_OK)
    result = walk (workload, feed, end, &at, &same, &cause);
  engine_feed_free (feed);
  if (result != STATUS_OK || !same)
    snprintf (reason, 256, "the feed, at commit %llu of %llu: %s", (unsigned long long) at,
              (unsigned long long) end,
              result == STATUS_OK ? "it tells something else" : cause.message);
  return result == STATUS_OK && same;
}
