/* SPDX-License-Identifier: MIT */
#include "kill-judge.h"

#include "check.h"

#include <pthread.h>

char database[600], backup[600], restored[600], repaired[600], made[600];
struct kill_order *order;

static int pipe_end; /* where it tells what it did */
static _Atomic bool stop;

status
kill_open (const char *path, unsigned flags, uint64_t variant, struct engine **out,
               struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536 << (variant % 2);
  options.log_mapping = variant % 3 != 0;
  options.sync_interval = 5000;
  return engine_open (path, flags, &options, out, failure);
}

void
kill_open_stores (struct engine *engine, engine_store stores[WRITER_STORES])
{
  struct failure failure;
  stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "second", true, &stores[1], &failure));
}

struct bytes
kill_load_key (char to[32], unsigned key)
{
  return BYTES (to, (size_t) sprintf (to, "load/%03u", key));
}

struct bytes
kill_load_value (uint8_t to[LOAD_LARGE], unsigned key, uint64_t number)
{
  size_t size = key % 8 == 0 ? LOAD_LARGE : LOAD_VALUE;
  memset (to, (int) (number * 7 + key) & 0xff, size);
  memcpy (to, &number, sizeof number);
  return BYTES (to, size);
}

static void
load_once (struct engine *engine, uint64_t number)
{
  struct failure failure;
  struct engine_loader *loader;
  uint8_t value[LOAD_LARGE];
  char key[32];
  uint64_t sequence;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 0; i < LOAD_KEYS; i++)
    CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, kill_load_key (key, i),
                                 kill_load_value (value, i, number), &failure));
  failure = FAILURE_INIT;
  status result = engine_loader_commit (loader, &sequence, &failure);
  engine_loader_free (loader);
  CHECK (result == STATUS_OK || result == STATUS_BUSY); /* others commit faster than it can */
  if (result == STATUS_OK)
    acknowledge (pipe_end, (struct acknowledgement){ WRITERS, TOLD_LOAD, number, sequence });
}

/* What the child does beside its writers, over and over. */
static void
act (struct engine *engine, enum activity activity)
{
  struct failure failure;
  struct engine_backup_result result;
  uint64_t number = present.load;
  for (;;)
    {
      killing_disk_do (activity);
      switch (activity)
        {
        case ACTIVITY_CHECKPOINT:
          CHECK_OK (engine_checkpoint (engine, &failure));
          break;
        case ACTIVITY_COMPACT:
          CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
          break;
        case ACTIVITY_LOAD:
          load_once (engine, ++number);
          break;
        case ACTIVITY_BACKUP:
          CHECK_OK (engine_backup (engine, backup, false, NULL, NULL, &result, &failure));
          acknowledge (pipe_end,
                       (struct acknowledgement){ WRITERS, TOLD_BACKUP, 0, result.sequence });
          break;
        default:
          break;
        }
      killing_disk_do (ACTIVITY_NONE);
      usleep (3000);
    }
}

static void *
killed_writer_main (void *data)
{
  killing_disk_do (ACTIVITY_WRITE);
  return writer_main (data);
}

/* A database in use: writers, and something beside them. */
static _Noreturn void
child_use (enum activity activity, uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  pthread_t threads[WRITERS];
  struct writer writers[WRITERS];
  engine_store stores[WRITER_STORES];
  CHECK_OK (kill_open (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
  kill_open_stores (engine, stores);
  for (unsigned i = 0; i < WRITERS; i++)
    {
      writers[i] = (struct writer){
        engine, { stores[0], stores[1] }, i, present.done[i] + 1, pipe_end, NULL, &stop
      };
      CHECK (pthread_create (&threads[i], NULL, killed_writer_main, &writers[i]) == 0);
    }
  if (activity != ACTIVITY_CLOSE)
    act (engine, activity);
  usleep (10000);
  atomic_store (&stop, true);
  for (unsigned i = 0; i < WRITERS; i++)
    pthread_join (threads[i], NULL);
  killing_disk_do (ACTIVITY_CLOSE);
  CHECK_OK (engine_close (engine, &failure));
  _exit (0);
}

_Noreturn void
kill_child_main (enum activity activity, uint64_t variant, int end)
{
  struct failure failure;
  struct engine *engine;
  pipe_end = end;
  killing_disk_use (order);
  switch (activity)
    {
    case ACTIVITY_CREATE:
      killing_disk_do (activity);
      CHECK_OK (kill_open (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
      break;
    case ACTIVITY_RECOVER:
      killing_disk_do (activity);
      CHECK_OK (kill_open (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
      break;
    case ACTIVITY_RESTORE:
      killing_disk_do (activity);
      CHECK_OK (engine_restore (backup, restored, NULL, NULL, &failure));
      break;
    case ACTIVITY_REPAIR:
      killing_disk_do (activity);
      CHECK_OK (engine_repair (database, repaired, NULL, NULL, NULL, NULL, &failure));
      break;
    case ACTIVITY_DESTROY:
      killing_disk_do (activity);
      CHECK_OK (engine_destroy (made, NULL, &failure));
      break;
    default:
      child_use (activity, variant);
    }
  _exit (0);
}
