/* SPDX-License-Identifier: MIT */
/*
 * Committers of durable and of other commits, in every order that seeds give them: each of them
 * returns, sees what it wrote, and only then; nobody sleeps for ever (simulated-threads reports a
 * deadlock).
 */
#include "../check-condition.h"
#include "engine.h"
#include "simulated-disk.h"
#include "simulated-threads.h"

#include <pthread.h>
#include <stdlib.h>

#define SEEDS 1500u
#define THREADS_MOST 6u
#define ROUNDS 4u

struct committer
{
  struct engine *engine;
  unsigned number; /* of the thread */
  uint64_t seed;
};

static void *
commit_some (void *data)
{
  struct committer *committer = data;
  struct failure failure = FAILURE_INIT;
  for (unsigned round = 0; round < ROUNDS; round++)
    {
      uint32_t key[2] = { committer->number, round }, found = 0;
      bool full = (committer->seed >> (committer->number + round)) % 3 != 0;
      uint64_t sequence = 0;
      size_t size;
      CHECK (engine_put (committer->engine, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                         BYTES (&key[1], sizeof key[1]),
                         full ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC, &sequence, &failure)
             == STATUS_OK);
      CHECK (sequence > 0 && engine_sequence (committer->engine) >= sequence);
      CHECK (engine_get (committer->engine, NULL, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                         &found, sizeof found, &size, &failure)
             == STATUS_OK);
      CHECK (found == round);
    }
  return NULL;
}

static void
run (uint64_t seed)
{
  struct disk *disk = disk_new (seed % 2 == 0, NULL);
  struct engine_options options;
  struct engine *engine;
  struct failure failure = FAILURE_INIT;
  pthread_t threads[THREADS_MOST];
  struct committer committers[THREADS_MOST];
  unsigned count = 2 + (unsigned) (seed % (THREADS_MOST - 1));
  simulated_threads_begin (seed, 2 + (unsigned) (seed % 5));
  engine_options_init (&options);
  options.vfs = &disk->vfs;
  CHECK (engine_open ("/db", ENGINE_OPEN_CREATE, &options, &engine, &failure) == STATUS_OK);
  for (unsigned i = 0; i < count; i++)
    {
      committers[i] = (struct committer){ engine, i, seed * 0x9e3779b9 };
      CHECK (pthread_create (&threads[i], NULL, commit_some, &committers[i]) == 0);
    }
  for (unsigned i = 0; i < count; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK (engine_close (engine, &failure) == STATUS_OK);
  engine_unref (engine);
  disk_free (disk);
}

int
main (void)
{
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    run (seed);
  return 0;
}
