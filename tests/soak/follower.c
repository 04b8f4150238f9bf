/* SPDX-License-Identifier: MIT */
/*
 * A feed that is read while the workers write. What it tells is applied to versions that began as
 * the picture's, and in the end they have to be the picture's again.
 */
#include "soak.h"

#include <semaphore.h>
#include <string.h>

static struct
{
  const struct soak_database *database;
  struct engine_feed *feed;
  pthread_t thread;
  sem_t woken;
  _Atomic bool stop;
  bool lapsed; /* it fell too far behind */
  uint32_t versions[SOAK_WORKERS][SOAK_STORES][SOAK_SLOTS];
} follower;

static void
wake (void *data)
{
  (void) data;
  sem_post (&follower.woken);
}

static uint32_t
store_number (engine_store id)
{
  uint32_t store = 0;
  while (store < SOAK_STORES && follower.database->stores[store] != id)
    store++;
  return store;
}

static void
apply_range (uint32_t store, const struct engine_change *change)
{
  uint8_t name[SOAK_KEY_SIZE];
  for (unsigned worker = 0; worker < SOAK_WORKERS; worker++)
    for (uint32_t slot = 0; slot < SOAK_SLOTS; slot++)
      {
        struct bytes key = picture_key (name, worker, slot);
        if ((change->key.data == NULL || bytes_compare (key, change->key) >= 0)
            && (change->end.data == NULL || bytes_compare (key, change->end) < 0))
          follower.versions[worker][store][slot] = 0;
      }
}

static void
apply (const struct engine_change *change)
{
  struct failure failure;
  struct engine_value value;
  unsigned worker;
  uint32_t slot, store = store_number (change->store), version = 0;
  if (store == SOAK_STORES) /* one of a moment */
    return;
  if (change->kind == ENGINE_CHANGE_DELETE_RANGE)
    {
      apply_range (store, change);
      return;
    }
  CHECK (change->kind == ENGINE_CHANGE_PUT || change->kind == ENGINE_CHANGE_DELETE);
  if (!picture_key_parse (change->key, &worker, &slot))
    return; /* a counter */
  if (change->kind == ENGINE_CHANGE_PUT)
    {
      CHECK_OK (engine_feed_value (follower.feed, &value, &failure));
      version = picture_value_version (value.data);
      engine_value_release (&value);
    }
  follower.versions[worker][store][slot] = version;
}

/* Takes all that is there. */
static void
read_on (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_change change;
  uint64_t at = engine_feed_position (follower.feed), sequence;
  status result = STATUS_OK;
  while (!follower.lapsed
         && (result = engine_feed_next_commit (follower.feed, &sequence, &failure)) == STATUS_OK)
    {
      if (sequence != at + 1)
        soak_differs ("a feed gives commit %llu behind %llu", (unsigned long long) sequence,
                      (unsigned long long) at);
      at = sequence;
      while ((result = engine_feed_next_change (follower.feed, &change, &failure)) == STATUS_OK)
        apply (&change);
      if (result != STATUS_NOT_FOUND)
        soak_differs ("a feed's change: %s (%s)", status_name (result), failure.message);
    }
  if (result == STATUS_HISTORY_GONE)
    follower.lapsed = true;
  else if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    soak_differs ("a feed: %s (%s)", status_name (result), failure.message);
}

static void *
follow (void *data)
{
  (void) data;
  while (!atomic_load (&follower.stop))
    {
      read_on ();
      if (follower.lapsed)
        break;
      engine_await_commit (follower.database->engine, engine_feed_position (follower.feed), wake,
                           NULL);
      while (sem_wait (&follower.woken) != 0)
        ;
    }
  return NULL;
}

void
follower_start (const struct soak_database *database)
{
  struct failure failure;
  follower.database = database;
  follower.lapsed = false;
  atomic_store (&follower.stop, false);
  for (unsigned worker = 0; worker < SOAK_WORKERS; worker++)
    memcpy (follower.versions[worker], picture->versions[worker], sizeof follower.versions[worker]);
  CHECK_OK (engine_feed_new (database->engine, ENGINE_FEED_NOW, &follower.feed, &failure));
  CHECK (sem_init (&follower.woken, 0, 0) == 0);
  CHECK (pthread_create (&follower.thread, NULL, follow, NULL) == 0);
}

bool
follower_finish (void)
{
  atomic_store (&follower.stop, true);
  sem_post (&follower.woken);
  CHECK (pthread_join (follower.thread, NULL) == 0);
  engine_await_commit (follower.database->engine, 0, NULL, NULL);
  read_on ();
  for (unsigned worker = 0; worker < SOAK_WORKERS && !follower.lapsed; worker++)
    if (memcmp (follower.versions[worker], picture->versions[worker],
                sizeof follower.versions[worker])
        != 0)
      soak_differs ("a feed told of other changes than worker %u made", worker);
  engine_feed_free (follower.feed);
  sem_destroy (&follower.woken);
  return !follower.lapsed;
}
