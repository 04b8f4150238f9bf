/* SPDX-License-Identifier: MIT */
/* What is done while a commit is being made durable. */
#include "disk-trial.h"

#include "replaced-vfs.h"

#include <pthread.h>
#include <semaphore.h>

static struct
{
  struct vfs disk;
  struct engine *engine;
  _Atomic bool wait;    /* each sync of the log … */
  sem_t begun, may_end; /* … posts one and waits for the other */
} syncs;

static status
waiting_sync (struct vfs_file *file, struct failure *cause)
{
  if (atomic_load (&syncs.wait) && strstr (file->name, ".log") != NULL)
    {
      sem_post (&syncs.begun);
      sem_wait (&syncs.may_end);
    }
  return vfs_posix ()->sync_data (file, cause);
}

static struct engine *
open_waiting (const char *path)
{
  struct engine_options options = small_options ();
  syncs.disk = replaced_vfs ();
  syncs.disk.sync_data = waiting_sync;
  options.vfs = &syncs.disk;
  return syncs.engine = open_with (path, &options);
}

static void *
put_full (void *data)
{
  struct failure mine = FAILURE_INIT;
  CHECK (engine_put (syncs.engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"),
                     BYTES (data, strlen (data)), ENGINE_SYNC_FULL, NULL, &mine)
         == STATUS_OK);
  return NULL;
}

static void *
flush (void *data)
{
  struct failure mine = FAILURE_INIT;
  (void) data;
  CHECK (engine_flush (syncs.engine, &mine) == STATUS_OK);
  return NULL;
}

static void
await_appended (uint64_t sequence)
{
  uint64_t last = 0;
  while (last < sequence)
    {
      usleep (1000);
      pthread_mutex_lock (&syncs.engine->commit_lock);
      last = syncs.engine->last_sequence;
      pthread_mutex_unlock (&syncs.engine->commit_lock);
    }
}

static void
check_key_is (const char *expected)
{
  char got[16];
  size_t size;
  CHECK_OK (engine_get (syncs.engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), got,
                        sizeof got, &size, &failure));
  CHECK (size == strlen (expected) && memcmp (got, expected, size) == 0);
}

/* A sync of the log has begun. */
static void
await_sync (void)
{
  for (unsigned i = 0; i < 20000; i++, usleep (1000))
    if (sem_trywait (&syncs.begun) == 0)
      return;
  CHECK (!"the log is synced");
}

/* F5: two versions of a key that are not visible yet are not flushed as one, since between the two
 * somebody will see the first. */
void
test_flush_of_invisible (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_waiting (path);
  pthread_t first, second, flushing;
  sem_init (&syncs.begun, 0, 0);
  sem_init (&syncs.may_end, 0, 0);
  atomic_store (&syncs.wait, true);
  pthread_create (&first, NULL, put_full, (void *) "one");
  await_sync ();
  pthread_create (&second, NULL, put_full, (void *) "two");
  await_appended (2);
  pthread_create (&flushing, NULL, flush, NULL);
  while (atomic_load (&engine->frozen_count) == 0)
    usleep (1000);
  for (unsigned i = 0; i < 100 && atomic_load (&engine->frozen_count) == 1; i++)
    usleep (1000); /* if it were to be flushed now, it has the time */
  CHECK_INT (atomic_load (&engine->frozen_count), 1);
  CHECK_INT (engine_sequence (engine), 0);
  sem_post (&syncs.may_end);
  await_sync ();
  CHECK_INT (engine_sequence (engine), 1);
  check_key_is ("one");
  atomic_store (&syncs.wait, false);
  sem_post (&syncs.may_end);
  pthread_join (first, NULL);
  pthread_join (second, NULL);
  pthread_join (flushing, NULL);
  check_key_is ("two");
  sem_destroy (&syncs.begun);
  sem_destroy (&syncs.may_end);
  close_it (engine);
  remove_directory (path);
}
