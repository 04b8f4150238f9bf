/* SPDX-License-Identifier: MIT */
/* What the hard tests found in the engine once, each in its smallest form. */
#include "base/epoch.h"
#include "core/batch.h"
#include "faulty-disk.h"
#include "lingering-reader.h"
#include "small-engine.h"
#include "stepped.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>

static struct failure failure;

static void
put_range (struct engine *engine, unsigned from, unsigned to)
{
  char key[32];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                          BYTES_LITERAL ("a value of some length that fills pages"),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
}

/* Validation has to read pages when what changed was flushed and is not cached. */
static void
test_validation_reads_pages (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *one, *two;
  char key[32];
  CHECK_OK (engine_transaction_begin (engine, 0, &one, &failure));
  CHECK_OK (engine_transaction_begin (engine, 0, &two, &failure));
  put_range (engine, 0, 2000);
  CHECK_OK (engine_flush (engine, &failure));
  engine_evict_cache (engine, 1);
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, number_key (key, 1234),
                                    BYTES_LITERAL ("late"), &failure));
  CHECK_FAILS (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-0000123x"),
                                    BYTES_LITERAL ("new"), &failure));
  CHECK_OK (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_transaction_free (one);
  engine_transaction_free (two);
  engine_unref (engine);
  remove_directory (path);
}

/* The end of a range that is deleted is not in it, also when it is compared with what is in segments
 * by then. */
static void
test_range_ends (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  for (int round = 0; round < 3; round++)
    {
      bool inside = round == 1;
      struct engine_transaction *transaction;
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("b"), BYTES_LITERAL ("1"),
                            ENGINE_SYNC_DEFAULT, NULL, &failure)); /* its snapshot has it */
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      CHECK_OK (engine_transaction_delete_range (transaction, ENGINE_STORE_DEFAULT,
                                                 BYTES_LITERAL ("a"), BYTES_LITERAL ("c"),
                                                 &failure));
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT,
                            inside ? BYTES_LITERAL ("bzz") : BYTES_LITERAL ("c"),
                            BYTES_LITERAL ("1"), ENGINE_SYNC_DEFAULT, NULL, &failure));
      CHECK_OK (engine_flush (engine, &failure));
      failure = FAILURE_INIT;
      CHECK_INT (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure),
                 inside ? STATUS_CONFLICT : STATUS_OK);
      engine_transaction_free (transaction);
    }
  engine_unref (engine);
  remove_directory (path);
}

/* The file that large values are still appended to stays, even while nothing refers to it. */
static void
test_open_blob_file_stays (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  static uint8_t large[20000], back[20000];
  struct bytes key = BYTES_LITERAL ("large");
  size_t size;
  for (unsigned round = 0; round < 3; round++)
    {
      memset (large, 'a' + (int) round, sizeof large);
      CHECK_OK (engine_put (engine, 1, key, BYTES (large, sizeof large), 0, NULL, &failure));
      CHECK_OK (engine_get (engine, NULL, 1, key, back, sizeof back, &size, &failure));
      CHECK (size == sizeof large && memcmp (large, back, size) == 0);
      CHECK_OK (engine_flush (engine, &failure)); /* now segments refer to the file */
      CHECK_OK (engine_delete (engine, 1, key, 0, NULL, &failure));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure)); /* and now nothing does */
    }
  engine_unref (engine);
  remove_directory (path);
}

/* A file of large values that were all overwritten before a flush is removed by then. */
static void
test_unflushed_blob_files_go (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  static uint8_t large[20000];
  CHECK_OK (
      engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES (large, sizeof large), 0, NULL, &failure));
  CHECK_OK (engine_delete (engine, 1, BYTES_LITERAL ("k"), 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans);
  remove_directory (path);
}

/* A reader that is not scheduled for a while holds no transaction's memory back. */
static void
test_transactions_beside_a_slow_reader (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  pthread_t reader;
  sem_init (&entered, 0, 0);
  sem_init (&leave, 0, 0);
  CHECK (pthread_create (&reader, NULL, linger, NULL) == 0);
  sem_wait (&entered);
  for (unsigned i = 0; i < 8000; i++)
    {
      struct engine_transaction *transaction;
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      CHECK_OK (engine_transaction_put (transaction, 1, BYTES_LITERAL ("k"), BYTES_NONE, &failure));
      engine_transaction_free (transaction);
    }
  sem_post (&leave);
  pthread_join (reader, NULL);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- syncs that take as long as the test wants ---- */

static sem_t syncing, synced;     /* of the log, by threads that sync slowly */
static sem_t flushing, may_flush; /* of segments */
static _Thread_local bool syncs_slowly;

static status
slow_sync_data (struct vfs_file *file, struct failure *reason)
{
  if (syncs_slowly && strstr (file->name, ".log") != NULL)
    {
      sem_post (&syncing);
      sem_wait (&synced);
    }
  if (strstr (file->name, ".seg") != NULL)
    {
      sem_post (&flushing);
      sem_wait (&may_flush);
    }
  return faulty_sync_data (file, reason);
}

static struct engine *
open_slow (const char *path)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.vfs = faulty_disk_new (false);
  faulty_disk.vfs.sync_data = slow_sync_data;
  sem_init (&syncing, 0, 0);
  sem_init (&synced, 0, 0);
  sem_init (&flushing, 0, 0);
  sem_init (&may_flush, 0, 0);
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  /* The log's first segment is there: later syncs are those of commits. */
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("first"), BYTES_NONE,
                        ENGINE_SYNC_FULL, NULL, &failure));
  return engine;
}

struct full_put
{
  struct engine *engine;
  struct bytes value;
  pthread_t thread;
};

static void *
put_fully (void *data)
{
  struct full_put *put = data;
  struct failure reason = FAILURE_INIT;
  syncs_slowly = true;
  CHECK (engine_put (put->engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), put->value,
                     ENGINE_SYNC_FULL, NULL, &reason)
         == STATUS_OK);
  return NULL;
}

static void *
flush_all (void *data)
{
  struct failure reason = FAILURE_INIT;
  CHECK (engine_flush (data, &reason) == STATUS_OK);
  return NULL;
}

static void
await_commits (struct engine *engine, uint64_t commits)
{
  struct engine_statistics statistics;
  do
    {
      usleep (1000);
      engine_statistics (engine, &statistics);
    }
  while (statistics.commits < commits);
}

static void
check_value_is (struct engine *engine, struct engine_snapshot *snapshot, struct bytes expected)
{
  char value[32];
  size_t size;
  CHECK_OK (engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), value,
                        sizeof value, &size, &failure));
  CHECK (bytes_equal (BYTES (value, size), expected));
}

/* A flush keeps what a snapshot may still be taken at: commits that wait for their sync. */
static void
test_flush_beside_waiting_commits (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_slow (path);
  struct full_put one = { engine, BYTES_LITERAL ("one"), 0 };
  struct full_put two = { engine, BYTES_LITERAL ("two"), 0 };
  struct engine_snapshot *snapshot;
  pthread_t flusher;
  CHECK (pthread_create (&one.thread, NULL, put_fully, &one) == 0);
  sem_wait (&syncing);
  CHECK (pthread_create (&two.thread, NULL, put_fully, &two) == 0);
  await_commits (engine, 3);
  CHECK (pthread_create (&flusher, NULL, flush_all, engine) == 0);
  for (unsigned i = 0; i < 100; i++) /* time for a flush that does not wait */
    {
      usleep (1000);
      if (sem_trywait (&flushing) == 0)
        break;
    }
  sem_post (&synced);
  sem_wait (&syncing); /* the first is durable and visible, the second waits */
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  check_value_is (engine, snapshot, one.value);
  for (unsigned i = 0; i < 4; i++)
    sem_post (&may_flush);
  sem_post (&synced);
  pthread_join (one.thread, NULL);
  pthread_join (two.thread, NULL);
  pthread_join (flusher, NULL);
  check_value_is (engine, snapshot, one.value);
  check_value_is (engine, NULL, two.value);
  engine_snapshot_free (snapshot);
  engine_unref (engine);
  remove_directory (path);
}

/* Closing says so when it could not make durable what was acknowledged before. */
static void
test_close_after_failed_sync (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_slow (path);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), BYTES_NONE,
                        ENGINE_SYNC_ASYNC, NULL, &failure));
  faulty_disk_break (FAULTY_SYNC, EIO, ".log");
  CHECK_FAILS (engine_sync (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK_FAILS (engine_close (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  faulty_disk_mend ();
  engine_unref (engine);
  remove_directory (path);
}

/* Transactions that are too old end on a full disk too. */
static void
test_timeout_on_a_full_disk (void)
{
  char *path = fresh_directory ();
  struct engine_transaction *transaction;
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.transaction_timeout = 50000;
  options.vfs = faulty_disk_new (false);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_range (engine, 0, 100);
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
  CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
  while (engine_transaction_is_active (transaction)) /* for good, if it never ends */
    usleep (10000);
  faulty_disk_mend ();
  CHECK_OK (engine_flush (engine, &failure));
  engine_transaction_free (transaction);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- stores dropped by two at once ---- */

static _Atomic bool drop_stop;

static void *
drop_again_and_again (void *data)
{
  struct failure reason;
  while (!drop_stop)
    {
      reason = FAILURE_INIT;
      status result = engine_store_drop (data, "store", &reason);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
    }
  return NULL;
}

/* Whoever comes second does not drop the store that was made under the name meanwhile by half: once
 * a store is not in the catalogue nothing can be written to it. */
static void
test_drops_at_once (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  pthread_t droppers[3];
  for (unsigned i = 0; i < 3; i++)
    CHECK (pthread_create (&droppers[i], NULL, drop_again_and_again, engine) == 0);
  for (unsigned round = 0; round < 2000; round++)
    {
      engine_store store, again;
      CHECK_OK (engine_store_open (engine, "store", true, &store, &failure));
      while (engine_store_open (engine, "store", false, &again, &failure) == STATUS_OK)
        CHECK (again == store);
      CHECK_FAILS (engine_put (engine, store, BYTES_LITERAL ("key"), BYTES_NONE,
                               ENGINE_SYNC_DEFAULT, NULL, &failure),
                   STATUS_NOT_FOUND);
    }
  drop_stop = true;
  for (unsigned i = 0; i < 3; i++)
    pthread_join (droppers[i], NULL);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- loads among writers that wait for room ---- */

#define CROWD_SEQUENCES 4000000u

static _Atomic uint8_t sequence_taken[CROWD_SEQUENCES]; /* by a commit that was acknowledged */
static _Atomic bool crowd_stop;

static void
take_sequence (uint64_t sequence)
{
  CHECK (sequence < CROWD_SEQUENCES);
  CHECK (atomic_exchange (&sequence_taken[sequence], 1) == 0);
}

static void *
crowd_write (void *data)
{
  static const uint8_t value[2000];
  struct failure reason = FAILURE_INIT;
  uint64_t sequence;
  char key[32];
  for (unsigned i = 0; !crowd_stop; i++)
    {
      CHECK (engine_put (data, ENGINE_STORE_DEFAULT, number_key (key, i % 100),
                         BYTES (value, sizeof value), ENGINE_SYNC_DEFAULT, &sequence, &reason)
             == STATUS_OK);
      take_sequence (sequence);
    }
  return NULL;
}

/* A commit that waited for room waits for a load that began meanwhile too: each has its number. */
static void
test_loads_in_a_crowd (void)
{
  char *path = fresh_directory (), key[32];
  struct engine *engine = open_small (path);
  pthread_t writers[6];
  for (unsigned i = 0; i < 6; i++)
    CHECK (pthread_create (&writers[i], NULL, crowd_write, engine) == 0);
  for (unsigned round = 0; round < 10; round++)
    {
      struct engine_loader *loader;
      uint64_t sequence;
      CHECK_OK (engine_loader_new (engine, &loader, &failure));
      for (unsigned i = 0; i < 100; i++)
        CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, 1000 + i),
                                     BYTES_LITERAL ("loaded"), &failure));
      failure = FAILURE_INIT;
      status result = engine_loader_commit (loader, &sequence, &failure);
      CHECK (result == STATUS_OK || result == STATUS_BUSY); /* others may be too fast for it */
      if (result == STATUS_OK)
        take_sequence (sequence);
      engine_loader_free (loader);
    }
  crowd_stop = true;
  for (unsigned i = 0; i < 6; i++)
    pthread_join (writers[i], NULL);
  engine_unref (engine);
  remove_directory (path);
}

/* A directory that is deleted under a running database is an error, not an endless loop. */
static void
test_directory_goes (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  put_range (engine, 0, 1000);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure)); /* nobody makes files meanwhile */
  remove_directory (path);
  put_range (engine, 1000, 1010); /* not before: they would be flushed when nothing happens for long */
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_IO);
  CHECK (strstr (failure.message, "deleted") != NULL);
  engine_unref (engine);
}

/* ---- another thread amid a lookup ---- */

/* What a get found, and behind which of its instructions another thread comes. */
struct overtaken
{
  struct engine *engine;
  uint64_t at;
  uint64_t value; /* was put before, and the next one is put then */
  uint64_t found;
  status result;
};

static void
put_number (struct engine *engine, uint64_t value)
{
  struct failure own = FAILURE_INIT;
  CHECK (engine_put (engine, 1, BYTES_LITERAL ("key"), BYTES (&value, sizeof value), 0, NULL, &own)
         == STATUS_OK);
}

static void *
overwrite (void *data)
{
  struct overtaken *overtaken = data;
  struct failure own = FAILURE_INIT;
  put_number (overtaken->engine, overtaken->value + 1);
  CHECK (engine_flush (overtaken->engine, &own) == STATUS_OK); /* without what was before */
  return NULL;
}

static void
let_run (void *(*run) (void *data), void *data)
{
  pthread_t thread;
  CHECK (pthread_create (&thread, NULL, run, data) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
}

static void
get_number (void *data)
{
  struct overtaken *overtaken = data;
  size_t size;
  overtaken->result = engine_get (overtaken->engine, NULL, 1, BYTES_LITERAL ("key"),
                                  &overtaken->found, sizeof overtaken->found, &size, &failure);
}

static void
overwrite_at (void *data, uint64_t step)
{
  struct overtaken *overtaken = data;
  if (step < overtaken->at)
    return;
  step_no_more ();
  let_run (overwrite, overtaken);
}

static status
sync_nothing (struct vfs_file *file, struct failure *cause)
{
  (void) file, (void) cause;
  return STATUS_OK;
}

static status
sync_no_directory (struct vfs_directory *directory, struct failure *cause)
{
  (void) directory, (void) cause;
  return STATUS_OK;
}

/* L1 of core/read.c: wherever a lookup is when a key is overwritten and only the new value goes to a segment,
 * it finds the one or the other. */
static void
test_overtaken_lookup (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  options.vfs = faulty_disk_new (false);
  faulty_disk.vfs.sync_data = sync_nothing; /* it is done hundreds of times */
  faulty_disk.vfs.directory_sync = sync_no_directory;
  struct overtaken overtaken = { open_with (path, &options), 1, 0, 0, STATUS_OK };
  for (uint64_t steps = 0; overtaken.at == 1 || overtaken.at == steps + 1; overtaken.at++)
    {
      overtaken.value = 2 * overtaken.at;
      put_number (overtaken.engine, overtaken.value);
      steps = step_through (get_number, overwrite_at, &overtaken);
      CHECK_INT (overtaken.result, STATUS_OK);
      CHECK_INT (overtaken.found / 2, overtaken.at);
      CHECK_OK (engine_compact (overtaken.engine, NULL, NULL, &failure));
    }
  CHECK (!STEPPED || overtaken.at > 100);
  engine_unref (overtaken.engine);
  remove_directory (path);
}

static void *
overwrite_and_compact (void *data)
{
  struct engine *engine = data;
  struct failure own = FAILURE_INIT;
  put_number (engine, 2);
  CHECK (engine_compact (engine, NULL, NULL, &own) == STATUS_OK);
  epoch_collect (false); /* what nobody looks at goes at once */
  return NULL;
}

static struct engine *overwritten; /* once, while the next page is read; or NULL */

static status
read_and_overwrite (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
                    struct failure *cause)
{
  struct engine *engine = overwritten;
  if (engine != NULL && strstr (file->name, ".seg") != NULL)
    {
      CHECK (!epoch_inside ());
      overwritten = NULL;
      let_run (overwrite_and_compact, engine);
    }
  return faulty_read (file, offset, to, size, got, cause);
}

/* L3 of core/read.c: what a lookup needs stays while it reads a page, though nothing else refers to it any
 * more. Memory that is freed is overwritten. */
static void
test_view_goes_during_read (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  uint64_t value;
  size_t size;
  options.vfs = faulty_disk_new (false);
  faulty_disk.vfs.read = read_and_overwrite;
  mallopt (M_PERTURB, 0x5a);
  struct engine *engine = open_with (path, &options);
  for (unsigned round = 0; round < 10; round++)
    {
      put_number (engine, 1);
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      CHECK_OK (engine_get (engine, NULL, 1, BYTES_LITERAL ("key"), &value, sizeof value, &size,
                            &failure)); /* makes the index, with a lock held */
      engine_evict_cache (engine, 1);
      overwritten = engine;
      CHECK_OK (engine_get (engine, NULL, 1, BYTES_LITERAL ("key"), &value, sizeof value, &size,
                            &failure));
      CHECK (overwritten == NULL && value == 1);
    }
  engine_unref (engine);
  mallopt (M_PERTURB, 0);
  remove_directory (path);
}

/* ---- large values without a snapshot ---- */

static struct engine *racing;                /* what the next opening of a blob file is beside */
typedef void (*racer) (struct engine *engine);
static _Atomic (racer) race; /* what happens then; once, in whatever thread comes to it */
static struct vfs race_vfs;

static void
race_now (void)
{
  racer now = atomic_exchange (&race, NULL);
  if (now != NULL)
    now (racing);
}

static status
race_open (struct vfs_directory *directory, const char *name, unsigned flags, struct vfs_file **out,
           struct failure *cause)
{
  if (strstr (name, ".blob") != NULL && flags == VFS_READ)
    race_now ();
  return faulty_open (directory, name, flags, out, cause);
}

/* The value is overwritten in the same memtable, and its file, which never came into the manifest,
 * goes with the flush. */
static void
overwrite_and_collect (struct engine *engine)
{
  CHECK_OK (
      engine_put (engine, 1, BYTES_LITERAL ("large"), BYTES_LITERAL ("small"), 0, NULL, &failure));
  CHECK_OK (
      engine_put (engine, 1, BYTES_LITERAL ("other"), BYTES_LITERAL ("2"), 0, NULL, &failure));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
}

static void
begin_race (struct engine *engine)
{
  static uint8_t large[20000];
  CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("large"), BYTES (large, sizeof large), 0, NULL,
                        &failure));
  CHECK_OK (
      engine_put (engine, 1, BYTES_LITERAL ("other"), BYTES_LITERAL ("1"), 0, NULL, &failure));
  racing = engine;
  race = overwrite_and_collect;
}

/* A get without a snapshot finds what is there now, not a file that is gone. */
static void
test_stale_reference (void)
{
  static uint8_t back[20000];
  char *path = fresh_directory ();
  faulty_disk_new (false);
  race_vfs = faulty_disk.vfs;
  race_vfs.open = race_open;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.vfs = &race_vfs;
  struct engine *engine;
  struct engine_value value, values[3];
  size_t size;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));

  begin_race (engine);
  CHECK_OK (
      engine_get (engine, NULL, 1, BYTES_LITERAL ("large"), back, sizeof back, &size, &failure));
  CHECK (race == NULL && size == 5 && memcmp (back, "small", 5) == 0);

  begin_race (engine);
  CHECK_OK (engine_get_value (engine, NULL, 1, BYTES_LITERAL ("large"), &value, &failure));
  CHECK (race == NULL && bytes_equal (value.data, BYTES_LITERAL ("small")));
  engine_value_release (&value);

  /* All of a multi-get, though only one is stale: they are of one moment. */
  const struct bytes keys[]
      = { BYTES_LITERAL ("other"), BYTES_LITERAL ("large"), BYTES_LITERAL ("missing") };
  status results[3];
  begin_race (engine);
  CHECK_OK (engine_get_many (engine, NULL, 1, keys, 3, values, results, &failure));
  CHECK (race == NULL && failure.code == STATUS_OK);
  CHECK (results[0] == STATUS_OK && bytes_equal (values[0].data, BYTES_LITERAL ("2")));
  CHECK (results[1] == STATUS_OK && bytes_equal (values[1].data, BYTES_LITERAL ("small")));
  CHECK (results[2] == STATUS_NOT_FOUND);
  engine_value_release (&values[0]);
  engine_value_release (&values[1]);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Whether a key is there, and how large its value is, is known without reading the value. */
static void
test_contains_reads_no_value (void)
{
  static uint8_t large[20000], back[100];
  char *path = fresh_directory ();
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.vfs = faulty_disk_new (false);
  struct engine *engine;
  struct engine_transaction *transaction;
  size_t size;
  struct bytes key = BYTES_LITERAL ("large"), missing = BYTES_LITERAL ("missing");
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  CHECK_OK (engine_put (engine, 1, key, BYTES (large, sizeof large), 0, NULL, &failure));
  CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("gone"), BYTES_NONE, 0, NULL, &failure));
  CHECK_OK (engine_delete (engine, 1, BYTES_LITERAL ("gone"), 0, NULL, &failure));
  for (int flushed = 0; flushed < 2; flushed++)
    {
      faulty_disk_break (FAULTY_READ, EIO, ".blob");
      CHECK_OK (engine_contains (engine, NULL, 1, key, false, &failure));
      CHECK_OK (engine_contains (engine, NULL, 1, key, true, &failure));
      CHECK_FAILS (engine_contains (engine, NULL, 1, missing, false, &failure), STATUS_NOT_FOUND);
      CHECK_FAILS (engine_contains (engine, NULL, 1, BYTES_LITERAL ("gone"), false, &failure),
                   STATUS_NOT_FOUND);
      CHECK_OK (engine_get (engine, NULL, 1, key, back, sizeof back, &size, &failure));
      CHECK_INT (size, sizeof large);
      CHECK_OK (engine_transaction_begin (engine, ENGINE_TRANSACTION_SERIALIZABLE, &transaction,
                                          &failure));
      CHECK_OK (engine_transaction_contains (transaction, 1, key, &failure));
      CHECK_FAILS (engine_transaction_contains (transaction, 1, missing, &failure),
                   STATUS_NOT_FOUND);
      CHECK_OK (engine_transaction_put (transaction, 1, missing, BYTES_NONE, &failure));
      CHECK_OK (engine_transaction_delete (transaction, 1, key, &failure));
      CHECK_OK (engine_transaction_contains (transaction, 1, missing, &failure));
      CHECK_FAILS (engine_transaction_contains (transaction, 1, key, &failure), STATUS_NOT_FOUND);
      engine_transaction_free (transaction);
      CHECK_INT (faulty_disk.failed, 0);
      CHECK_FAILS (engine_get (engine, NULL, 1, key, large, sizeof large, &size, &failure),
                   STATUS_IO);
      faulty_disk_mend ();
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Serializable: that a key was missing is a read like another. */
static void
test_contains_is_validated (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_small (path);
  struct engine_transaction *transaction;
  CHECK_OK (
      engine_transaction_begin (engine, ENGINE_TRANSACTION_SERIALIZABLE, &transaction, &failure));
  CHECK_FAILS (engine_transaction_contains (transaction, 1, BYTES_LITERAL ("k"), &failure),
               STATUS_NOT_FOUND);
  CHECK_OK (engine_transaction_put (transaction, 1, BYTES_LITERAL ("x"), BYTES_NONE, &failure));
  CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure));
  CHECK_FAILS (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  engine_transaction_free (transaction);
  engine_unref (engine);
  remove_directory (path);
}

/* Who has the database open read-only keeps what it saw, though the writer goes on and removes the
 * files that only its log referred to. */
static void
test_reader_keeps_large_values (void)
{
  static uint8_t large[20000], back[20000];
  char *path = fresh_directory ();
  struct engine *writer = open_small (path), *reader;
  struct engine_options options;
  size_t size;
  memset (large, 'x', sizeof large);
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  CHECK_OK (engine_put (writer, 1, BYTES_LITERAL ("large"), BYTES (large, sizeof large), 0, NULL,
                        &failure));
  CHECK_OK (
      engine_open (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, &options, &reader, &failure));
  overwrite_and_collect (writer);
  CHECK_OK (
      engine_get (writer, NULL, 1, BYTES_LITERAL ("large"), back, sizeof back, &size, &failure));
  CHECK_INT (size, 5);
  CHECK_OK (
      engine_get (reader, NULL, 1, BYTES_LITERAL ("large"), back, sizeof back, &size, &failure));
  CHECK (size == sizeof large && memcmp (back, large, size) == 0);
  CHECK_OK (engine_close (reader, &failure));
  engine_unref (reader);
  engine_unref (writer);
  remove_directory (path);
}

/* ---- a reader that opens while the writer flushes ---- */

static atomic_uint lists_left; /* before the race */

static status
late_list (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
           void *data, struct failure *cause)
{
  if (atomic_load (&race) != NULL && atomic_fetch_sub (&lists_left, 1) == 0)
    race_now (); /* the manifest was read and the log is looked for */
  return vfs_posix ()->directory_list (directory, visit, data, cause);
}

/* Brings all to runs and removes the log. */
static void
close_now (struct engine *engine)
{
  CHECK_OK (engine_close (engine, &failure));
}

/* What was acknowledged before the opening began is there after it. */
static void
test_reader_is_not_behind (void)
{
  char *path = fresh_directory (), key[32];
  struct engine_options options;
  size_t size;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  faulty_disk_new (false);
  race_vfs = faulty_disk.vfs;
  race_vfs.directory_list = late_list;
  options.vfs = &race_vfs;
  for (unsigned round = 0; round < 4; round++)
    {
      struct engine *reader;
      racing = open_small (path);
      put_range (racing, round * 100, round * 100 + 100);
      race = close_now;
      lists_left = round;
      CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
      CHECK_OK (engine_get (reader, NULL, 1, number_key (key, round * 100 + 99), NULL, 0, &size,
                            &failure));
      race = NULL;
      engine_unref (reader);
      engine_unref (racing);
    }
  remove_directory (path);
}

/* Nobody writes beside it: what can't be read is tried a few times and not for long. */
static void
test_reader_gives_up (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  struct engine *engine = open_small (path);
  put_range (engine, 0, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.vfs = faulty_disk_new (false);
  faulty_disk_break (FAULTY_READ, EIO, ".seg");
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure), STATUS_IO);
  CHECK (strstr (failure.message, ".seg") != NULL);
  CHECK (faulty_disk.failed >= 2 && faulty_disk.failed <= 3);
  remove_directory (path);
}

/* A range delete in the log has a key in it; a bound that is empty is none. */
static void
test_empty_range_in_the_log (void)
{
  static const char ends[] = "jklm";
  for (unsigned i = 0; i < 4; i++)
    {
      uint8_t payload[] = { OPERATION_DELETE_RANGE | OPERATION_DEFAULT_STORE, 1, 'k', 1, ends[i] };
      struct operation_reader reader = operation_reader_over (BYTES (payload, sizeof payload));
      struct operation operation;
      if (ends[i] > 'k')
        CHECK_OK (operation_next (&reader, &operation, &failure));
      else
        CHECK_FAILS (operation_next (&reader, &operation, &failure), STATUS_CORRUPT);
    }
}

int
main (void)
{
  test_empty_range_in_the_log ();
  test_timeout_on_a_full_disk ();
  test_drops_at_once ();
  test_loads_in_a_crowd ();
  test_flush_beside_waiting_commits ();
  test_close_after_failed_sync ();
  test_validation_reads_pages ();
  test_range_ends ();
  test_open_blob_file_stays ();
  test_transactions_beside_a_slow_reader ();
  test_unflushed_blob_files_go ();
  test_directory_goes ();
  test_overtaken_lookup ();
  test_view_goes_during_read ();
  test_stale_reference ();
  test_contains_reads_no_value ();
  test_contains_is_validated ();
  test_reader_keeps_large_values ();
  test_reader_is_not_behind ();
  test_reader_gives_up ();
  puts ("regressions: all passed");
  return 0;
}
