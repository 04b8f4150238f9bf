/* SPDX-License-Identifier: MIT */
/*
 * What takes how long, to the nanosecond: the clock of the thread that tests goes on by a microsecond
 * each time it is looked at. (The linker sends the engine's looks here.)
 */
#include "metrics-trial.h"

#include "core/engine-private.h"
#include "replaced-vfs.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define TICK 1000u /* nanoseconds */

int __real_clock_gettime (clockid_t clock, struct timespec *now);
int __wrap_clock_gettime (clockid_t clock, struct timespec *now);

static struct failure failure;
static _Thread_local uint64_t ticking; /* what the clock shows next; 0 = the system's time */

int
__wrap_clock_gettime (clockid_t clock, struct timespec *now)
{
  if (ticking == 0)
    return __real_clock_gettime (clock, now);
  *now = (struct timespec){ (time_t) (ticking / 1000000000), (long) (ticking % 1000000000) };
  ticking += TICK;
  return 0;
}

void __real_background_arm_settle (struct engine *engine);
void __wrap_background_arm_settle (struct engine *engine);

static bool without_timer; /* set before the engine is opened */

/* A commit that finds the timer idle looks at the clock once more, and when it is due the flush
 * thread takes the commit lock: not where looks and waits are counted. */
void
__wrap_background_arm_settle (struct engine *engine)
{
  if (!without_timer)
    __real_background_arm_settle (engine);
}

/* The sum of what a histogram holds. */
static uint64_t
total (const struct readings *readings, const char *name)
{
  static struct histogram histogram;
  struct metric metric;
  CHECK (metrics_reader_find (&readings->reader, name, &metric));
  histogram_clear (&histogram);
  CHECK (metrics_reader_histogram (&readings->reader, &metric, &histogram));
  return histogram_sum (&histogram);
}

/* ---- sampled calls ---- */

/* A step is one look at the clock, a call one more than its steps. */
static void
test_memtable_get (struct engine *engine, struct readings *readings)
{
  get (engine, "key", STATUS_OK);
  MOVED (readings, { "gets_memtable", 1 }, { "samples", 1 }, { "get", 1 }, { "step_visibility", 1 },
         { "step_visibility_time", TICK }, { "step_memtables", 1 }, { "step_memtables_time", TICK },
         { "step_copy", 1 }, { "step_copy_time", TICK }, { "step_other", 1 },
         { "step_other_time", TICK });
  CHECK_INT (total (readings, "get"), 4 * TICK);
}

static void
test_put (struct engine *engine, struct readings *readings)
{
  put (engine, "key", "value");
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "puts", 1 }, { "user_bytes", 8 },
         { "samples", 1 }, { "put", 1 }, { "key_size", 1 }, { "value_size", 1 },
         { "step_log_append", 1 }, { "step_log_append_time", TICK }, { "step_insert", 1 },
         { "step_insert_time", TICK }, { "step_other", 2 }, { "step_other_time", 2 * TICK });
  CHECK_INT (total (readings, "put"), 4 * TICK);
  CHECK_INT (total (readings, "key_size"), 3);
  CHECK_INT (total (readings, "value_size"), 5);
}

static void
test_other_writes (struct engine *engine, struct readings *readings)
{
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("gone"),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "deletes", 1 }, { "user_bytes", 4 },
         { "samples", 1 }, { "delete", 1 }, { "step_log_append", 1 },
         { "step_log_append_time", TICK }, { "step_insert", 1 }, { "step_insert_time", TICK },
         { "step_other", 2 }, { "step_other_time", 2 * TICK });
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("x"),
                                 BYTES_LITERAL ("y"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "range_deletes", 1 },
         { "user_bytes", 2 }, { "samples", 1 }, { "batch", 1 }, { "step_log_append", 1 },
         { "step_log_append_time", TICK }, { "step_insert", 1 }, { "step_insert_time", TICK },
         { "step_other", 2 }, { "step_other_time", 2 * TICK });
  CHECK_INT (total (readings, "delete"), 4 * TICK);
  CHECK_INT (total (readings, "batch"), 4 * TICK);
}

static void
test_transaction (struct engine *engine, struct readings *readings)
{
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"),
                                    BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_transaction_free (transaction);
  MOVED (readings, { "transactions_begun", 1 }, { "transactions_committed", 1 },
         { "transaction", 1 }, { "commits", 1 }, { "log_records", 1 }, { "puts", 1 },
         { "user_bytes", 2 }, { "samples", 1 }, { "transaction_commit", 1 }, { "step_validate", 2 },
         { "step_validate_time", 2 * TICK }, /* runs, then memory */
         { "step_log_append", 1 }, { "step_log_append_time", TICK }, { "step_insert", 1 },
         { "step_insert_time", TICK }, { "step_other", 4 }, { "step_other_time", 4 * TICK });
  CHECK_INT (total (readings, "transaction_commit"), 8 * TICK);
  CHECK_INT (total (readings, "transaction"), 10 * TICK);
}

/* From a run, whose index, filter and pages are there. */
static void
test_run_get (struct engine *engine, struct readings *readings)
{
  uint64_t before = total (readings, "get");
  get (engine, "key", STATUS_OK);
  MOVED (readings, { "gets_run", 1 }, { "samples", 1 }, { "get", 1 }, { "step_visibility", 1 },
         { "step_visibility_time", TICK }, { "step_filter", 1 }, { "step_filter_time", TICK },
         { "step_index", 1 }, { "step_index_time", TICK }, { "step_page", 1 },
         { "step_page_time", TICK }, { "step_leaf", 1 }, { "step_leaf_time", TICK },
         { "step_copy", 1 }, { "step_copy_time", TICK }, { "step_other", 1 },
         { "step_other_time", TICK }, { "page_hits", 1 });
  CHECK_INT (total (readings, "get") - before, 7 * TICK);
}

static void
test_hot_get (struct engine *engine, struct readings *readings)
{
  engine_set_sampling (engine, 0);
  for (unsigned i = 0; i < 60000; i++)
    get (engine, "key", STATUS_OK);
  engine_set_sampling (engine, 1);
  readings_begin (readings, engine);
  uint64_t before = total (readings, "get");
  get (engine, "key", STATUS_OK);
  MOVED (readings, { "gets_hot", 1 }, { "samples", 1 }, { "get", 1 }, { "step_visibility", 1 },
         { "step_visibility_time", TICK }, { "step_hot_records", 1 },
         { "step_hot_records_time", TICK }, { "step_copy", 1 }, { "step_copy_time", TICK },
         { "step_other", 1 }, { "step_other_time", TICK });
  CHECK_INT (total (readings, "get") - before, 4 * TICK);
}

static void
test_other_reads (struct engine *engine, struct readings *readings)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  struct bytes key = BYTES_LITERAL ("key");
  struct engine_value value;
  status result;
  CHECK_OK (engine_contains (engine, NULL, ENGINE_STORE_DEFAULT, key, false, &failure));
  MOVED (readings, { "gets_run", 1 }, { "contains", 1 }, { "samples", 1 }, { "contains_time", 1 },
         { "step_visibility", 1 }, { "step_visibility_time", TICK }, { "step_filter", 1 },
         { "step_filter_time", TICK }, { "step_index", 1 }, { "step_index_time", TICK },
         { "step_page", 1 }, { "step_page_time", TICK }, { "step_leaf", 1 },
         { "step_leaf_time", TICK }, { "step_other", 1 }, { "step_other_time", TICK },
         { "page_hits", 1 });
  CHECK_INT (total (readings, "contains_time"), 6 * TICK);
  CHECK_OK (
      engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, &key, 1, &value, &result, &failure));
  engine_value_release (&value);
  MOVED (readings, { "gets_run", 1 }, { "multi_gets", 1 }, { "multi_get_keys", 1 },
         { "samples", 1 }, { "multi_get", 1 }, { "step_other", 1 }, { "step_other_time", TICK },
         { "page_hits", 1 });
  CHECK_INT (total (readings, "multi_get"), TICK);
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  CHECK_OK (engine_cursor_seek_before (cursor, key, &failure));
  engine_cursor_free (cursor);
  MOVED (readings, { "cursors", 1 }, { "seeks", 2 }, { "samples", 2 }, { "seek", 2 },
         { "step_other", 2 }, { "step_other_time", 2 * TICK }, { "page_hits", 1 });
  CHECK_INT (total (readings, "seek"), 2 * TICK);
}

/* ---- the interval ---- */

static void
test_interval (struct engine *engine, struct readings *readings)
{
  engine_set_sampling (engine, 100);
  MOVED (readings, { "sampling_interval", 99 });
  for (unsigned i = 0; i < 100000; i++)
    get (engine, "key", STATUS_OK);
  uint64_t samples = (uint64_t) moved_by (readings, "samples");
  CHECK (samples > 950 && samples < 1050); /* drawn from a fixed beginning */
  engine_set_sampling (engine, 1);
  readings_begin (readings, engine);
}

/* ---- waits ---- */

static size_t served; /* bytes that reads of segments got */

static status
read_counting (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
               struct failure *cause)
{
  status result = vfs_posix ()->read (file, offset, to, size, got, cause);
  served += *got;
  return result;
}

/* The only page is not in memory, all else is. Looking for it in memory comes first; the second time
 * it is read, which belongs to the wait, not the step. */
static void
test_page_read (struct engine *engine, struct readings *readings)
{
  engine_evict_cache (engine, 1);
  readings_begin (readings, engine);
  uint64_t gets = total (readings, "get"), reads = total (readings, "page_read");
  uint64_t decompressed = total (readings, "decompress");
  served = 0;
  get (engine, "key", STATUS_OK);
  uint64_t pages = (uint64_t) moved_by (readings, "page_read");
  CHECK (pages > 0);
  int64_t unpacked = moved_by (readings, "decompress");
  MOVED (readings, { "gets_run", 1 }, { "gets_disk", 1 }, { "samples", 1 }, { "get", 1 },
         { "page_read", (int64_t) pages }, { "page_bytes_read", (int64_t) served },
         { "decompress", unpacked }, { "step_visibility", 1 }, { "step_visibility_time", TICK },
         { "step_filter", 2 }, { "step_filter_time", 2 * TICK }, { "step_index", 2 },
         { "step_index_time", 2 * TICK }, { "step_page", 2 },
         { "step_page_time", (int64_t) (2 + pages + (uint64_t) unpacked) * TICK },
         { "step_leaf", 1 }, { "step_leaf_time", TICK }, { "step_copy", 1 },
         { "step_copy_time", TICK }, { "step_other", 1 }, { "step_other_time", TICK });
  CHECK_INT (total (readings, "page_read") - reads, pages * TICK);
  CHECK_INT (total (readings, "decompress") - decompressed, unpacked * TICK);
  CHECK_INT (total (readings, "get") - gets, (10 + 2 * pages + 2 * (uint64_t) unpacked) * TICK);
}

static void
test_large_value (struct engine *engine, struct readings *readings)
{
  static char value[20000];
  static uint8_t back[sizeof value];
  size_t size;
  memset (value, 'v', sizeof value - 1);
  put (engine, "large", value);
  engine_evict_cache (engine, 1);
  readings_begin (readings, engine);
  for (unsigned i = 0; i < 2; i++) /* of a file that is being written nothing is kept */
    CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"), back,
                          sizeof back, &size, &failure));
  CHECK_INT (size, sizeof value - 1);
  CHECK_INT (total (readings, "blob_read"), 2 * TICK);
  int64_t reads = 2;
  MOVED (readings, { "gets_memtable", 2 }, { "samples", 2 }, { "get", 2 }, { "blob_read", reads },
         { "step_visibility", 2 }, { "step_visibility_time", 2 * TICK }, { "step_memtables", 2 },
         { "step_memtables_time", 2 * TICK }, { "step_copy", 2 },
         { "step_copy_time", (2 + reads) * TICK }, { "step_other", 2 },
         { "step_other_time", 2 * TICK });

  ticking = 0;
  flush (engine);
  for (unsigned i = 0; i < 2; i++) /* the second time it is in the cache */
    CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"), back,
                          sizeof back, &size, &failure));
  CHECK_INT (moved_by (readings, "blob_read"), 1);
  readings_begin (readings, engine);
  ticking = TICK;
}

/* A full commit that is alone leads its group: the sync's time is the sync's, not the turn's. */
static void
test_full_commit (struct engine *engine, struct readings *readings)
{
  uint64_t syncs = total (readings, "log_sync"), turns = total (readings, "commit_turn");
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("full"),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_FULL, NULL, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "puts", 1 }, { "user_bytes", 9 },
         { "samples", 1 }, { "put", 1 }, { "key_size", 1 }, { "value_size", 1 }, { "log_sync", 1 },
         { "commit_turn", 1 }, { "step_log_append", 1 }, { "step_log_append_time", TICK },
         { "step_insert", 1 }, { "step_insert_time", TICK }, { "step_other", 2 },
         { "step_other_time", SOME });
  CHECK_INT (total (readings, "log_sync") - syncs, TICK);
  CHECK (total (readings, "commit_turn") - turns >= 2 * TICK);
}

/* ---- slow calls and traces ---- */

static void
test_slow_calls (struct engine *engine, struct readings *readings)
{
  static struct engine_slow_call calls[ENGINE_SLOW_CALLS + 1];
  static uint8_t back[20000];
  size_t size, count;
  put (engine, "key", "value"); /* to the memtable, so that the times of a get are known */
  readings_begin (readings, engine);
  get (engine, "key", STATUS_OK);
  CHECK_INT (moved_by (readings, "slow_calls"), 0); /* four microseconds, and the limit is 10 ms */
  engine_set_slow_threshold (engine, 4 * TICK + 1);
  get (engine, "key", STATUS_OK);
  CHECK_INT (engine_slow_calls (engine, 0, calls, 10), 0);
  engine_set_slow_threshold (engine, 4 * TICK);
  get (engine, "key", STATUS_OK);
  CHECK_INT (engine_slow_calls (engine, 0, calls, 10), 1);
  CHECK_INT (calls[0].number, 1);
  CHECK_INT (calls[0].duration, 4 * TICK);
  CHECK (calls[0].call == ENGINE_CALL_GET && calls[0].sampled);
  CHECK_INT (calls[0].store, ENGINE_STORE_DEFAULT);
  CHECK_INT (calls[0].size, 5);
  CHECK_INT (calls[0].key_size, 3);
  CHECK (memcmp (calls[0].key, "key", 3) == 0);
  for (unsigned wait = 0; wait < ENGINE_WAITS; wait++)
    CHECK_INT (calls[0].waited[wait], 0);

  /* Not sampled: what is known begins with the first wait. */
  engine_set_sampling (engine, 0);
  engine_set_slow_threshold (engine, 2 * TICK);
  get (engine, "key", STATUS_OK); /* waits for nothing */
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  char long_key[100];
  memset (long_key, 'k', sizeof long_key);
  memset (back, 'v', sizeof back);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (long_key, sizeof long_key),
                        BYTES (back, sizeof back), ENGINE_SYNC_NONE, NULL, &failure));
  engine_snapshot_free (snapshot);
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (long_key, sizeof long_key), back,
                        sizeof back, &size, &failure));
  CHECK_INT (engine_slow_calls (engine, 1, calls, 10), 1);
  CHECK_INT (calls[0].number, 2);
  CHECK_INT (calls[0].duration, 2 * TICK);
  CHECK (calls[0].call == ENGINE_CALL_GET && !calls[0].sampled);
  CHECK_INT (calls[0].waited[ENGINE_WAIT_BLOB_READ], TICK);
  CHECK_INT (calls[0].key_size, sizeof long_key);
  CHECK (memcmp (calls[0].key, long_key, ENGINE_SLOW_KEY_MAX) == 0);
  CHECK_INT (calls[0].size, sizeof back);

  /* What a sync waited for, about which nobody asks, is no part of the next call's. */
  CHECK_OK (engine_sync (engine, &failure));
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("full"),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_FULL, NULL, &failure));
  CHECK_INT (engine_slow_calls (engine, 2, calls, 10), 1);
  CHECK (calls[0].call == ENGINE_CALL_PUT && !calls[0].sampled);
  CHECK_INT (calls[0].waited[ENGINE_WAIT_LOG_SYNC], TICK);
  uint64_t waited = 0;
  for (unsigned wait = 0; wait < ENGINE_WAITS; wait++)
    waited += calls[0].waited[wait];
  CHECK_INT (calls[0].duration, waited + TICK); /* the last look at the clock */

  /* The newest are kept. */
  engine_set_sampling (engine, 1);
  engine_set_slow_threshold (engine, 1);
  for (unsigned i = 0; i < ENGINE_SLOW_CALLS + 10; i++)
    get (engine, "key", STATUS_OK);
  CHECK_INT (moved_by (readings, "slow_calls"), 3 + ENGINE_SLOW_CALLS + 10);
  count = engine_slow_calls (engine, 0, calls, ENGINE_SLOW_CALLS + 1);
  CHECK_INT (count, ENGINE_SLOW_CALLS);
  for (size_t i = 0; i < count; i++)
    CHECK_INT (calls[i].number, 3 + 10 + 1 + i);
  CHECK_INT (engine_slow_calls (engine, 3 + ENGINE_SLOW_CALLS + 10, calls, 1), 0);
  CHECK_INT (engine_slow_calls (engine, UINT64_MAX, calls, 1), 0);
  CHECK_INT (engine_slow_calls (engine, 100, calls, 1), 1);
  CHECK_INT (calls[0].number, 101);
  engine_set_slow_threshold (engine, 0);
  get (engine, "key", STATUS_OK);
  CHECK_INT (moved_by (readings, "slow_calls"), 3 + ENGINE_SLOW_CALLS + 10);
  note_moved ("slow_calls");
  readings_begin (readings, engine);
}

static void
test_trace (struct engine *engine, struct readings *readings)
{
  struct engine_trace trace;
  struct engine_value value;
  CHECK_OK (engine_trace_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), &value,
                              &trace, &failure));
  CHECK (bytes_equal (value.data, BYTES_LITERAL ("value")));
  engine_value_release (&value);
  CHECK_INT (trace.duration, 4 * TICK);
  for (unsigned step = 0; step < ENGINE_STEPS; step++)
    {
      bool taken = step == ENGINE_STEP_VISIBILITY || step == ENGINE_STEP_MEMTABLES
                   || step == ENGINE_STEP_COPY || step == ENGINE_STEP_OTHER;
      CHECK_INT (trace.times[step], taken);
      CHECK_INT (trace.taken[step], taken ? TICK : 0);
    }
  readings_begin (readings, engine);
  ticking = 0;
  flush (engine);
  engine_evict_cache (engine, 1);
  ticking = TICK;
  uint64_t before = reading (readings, "page_read");
  CHECK_OK (engine_trace_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), &value,
                              &trace, &failure));
  engine_value_release (&value);
  uint64_t pages = reading (readings, "page_read") - before;
  CHECK (pages > 0);
  CHECK_INT (trace.waited[ENGINE_WAIT_PAGE_READ], pages * TICK);
  uint64_t total_taken = 0;
  for (unsigned step = 0; step < ENGINE_STEPS; step++)
    total_taken += trace.taken[step];
  for (unsigned wait = 0; wait < ENGINE_WAITS; wait++)
    total_taken += trace.waited[wait];
  CHECK_INT (total_taken, trace.duration); /* Q1 */
  CHECK_INT (engine_trace_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("nothing"),
                               &value, &trace, &failure),
             STATUS_NOT_FOUND);
  CHECK_FAILS (
      engine_trace_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_NONE, &value, &trace, &failure),
      STATUS_INVALID);
  CHECK_INT (trace.duration, 0);
  readings_begin (readings, engine);
}

/* ---- a lock that is taken ---- */

int __real_pthread_mutex_lock (pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock (pthread_mutex_t *mutex);

static _Atomic (pthread_mutex_t *) contended; /* held by the test */
static _Atomic bool met;                      /* somebody waits for it */

int
__wrap_pthread_mutex_lock (pthread_mutex_t *mutex)
{
  if (mutex == atomic_load (&contended))
    atomic_store (&met, true);
  return __real_pthread_mutex_lock (mutex);
}

static void *
put_one (void *engine)
{
  ticking = TICK;
  put (engine, "key", "value");
  return NULL;
}

static void
test_contention (struct engine *engine, struct readings *readings)
{
  pthread_t thread;
  pthread_mutex_lock (&engine->commit_lock);
  atomic_store (&contended, &engine->commit_lock);
  CHECK (pthread_create (&thread, NULL, put_one, engine) == 0);
  while (!atomic_load (&met))
    sched_yield ();
  atomic_store (&contended, NULL);
  pthread_mutex_unlock (&engine->commit_lock);
  CHECK (pthread_join (thread, NULL) == 0);
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "puts", 1 }, { "user_bytes", 8 },
         { "commit_lock", 1 }, { "samples", 1 }, { "put", 1 }, { "key_size", 1 },
         { "value_size", 1 }, { "step_log_append", 1 }, { "step_log_append_time", TICK },
         { "step_insert", 1 }, { "step_insert_time", TICK }, { "step_other", 2 },
         { "step_other_time", 3 * TICK }); /* one tick is between the wait and the lock */
  CHECK_INT (total (readings, "commit_lock"), TICK);
}

/* ---- filters and cache ---- */

static void
fill (struct engine *engine, unsigned from, unsigned to, unsigned step)
{
  char name[32], value[1000];
  memset (value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  for (unsigned i = from; i < to; i += step)
    put (engine, (const char *) number_key (name, i).data, value);
}

/* Every key that is not there is either ruled out by the filter or searched for in vain. */
static void
test_filters (void)
{
  struct engine_options options = still_options ();
  char *path = fresh_directory (), name[32];
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  fill (engine, 0, 4000, 2);
  flush (engine);
  for (unsigned i = 0; i < 4000; i += 2)
    get (engine, (const char *) number_key (name, i).data, STATUS_OK);
  readings_begin (&readings, engine);
  for (unsigned i = 1; i < 3999; i += 2)
    get (engine, (const char *) number_key (name, i).data, STATUS_NOT_FOUND);
  uint64_t misled = (uint64_t) moved_by (&readings, "filters_misled");
  CHECK (misled > 0 && misled < 100);
  MOVED (&readings, { "gets_missing", 1999 }, { "filters_misled", (int64_t) misled },
         { "filters_excluded", 1999 - (int64_t) misled }, { "page_hits", (int64_t) misled });
  for (unsigned i = 0; i < 4000; i += 2)
    get (engine, (const char *) number_key (name, i).data, STATUS_OK);
  MOVED (&readings, { "gets_run", moved_by (&readings, "gets_run") },
         { "gets_hot", moved_by (&readings, "gets_hot") },
         { "page_hits", moved_by (&readings, "gets_run") });
  close_it (engine);
  remove_directory (path);
}

static void
check_cache (struct engine *engine, const struct readings *readings)
{
  struct cache_statistics now;
  cache_statistics (engine->cache, &now);
  CHECK_INT (reading (readings, "cache_capacity_bytes"), now.capacity);
  CHECK_INT (reading (readings, "cache_t1_pages"), now.t1_pages - now.scan_pages);
  CHECK_INT (reading (readings, "cache_t2_pages"), now.t2_pages);
  CHECK_INT (reading (readings, "cache_scan_pages"), now.scan_pages);
  CHECK_INT (reading (readings, "cache_b1_ghosts"), now.b1_pages);
  CHECK_INT (reading (readings, "cache_b2_ghosts"), now.b2_pages);
  CHECK_INT (reading (readings, "cache_t1_target"), now.target);
  CHECK_INT (reading (readings, "cache_evictions"), now.evictions);
  CHECK_INT (reading (readings, "cache_ghost_hits"), now.ghost_hits);
}

/* What the cache counts about itself, while more is read than it holds. */
static void
test_cache (void)
{
  struct engine_options options = still_options ();
  options.compression = ENGINE_COMPRESSION_NONE;
  char *path = fresh_directory (), name[32];
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  fill (engine, 0, 12000, 1);
  flush (engine);
  readings_begin (&readings, engine);
  check_cache (engine, &readings);
  for (unsigned round = 0; round < 3; round++)
    for (unsigned i = 0; i < 12000; i += 3)
      {
        get (engine, (const char *) number_key (name, i).data, STATUS_OK);
        if (i % 999 == 0)
          check_cache (engine, &readings);
      }
  CHECK (reading (&readings, "cache_evictions") > 0);
  CHECK (reading (&readings, "cache_ghost_hits") > 0);
  CHECK (reading (&readings, "cache_t2_pages") > 0);
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  while (engine_cursor_valid (cursor))
    CHECK_OK (engine_cursor_next (cursor, &failure));
  engine_cursor_free (cursor);
  CHECK (reading (&readings, "cache_scan_pages") > 0);
  check_cache (engine, &readings);
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (reading (&readings, "log_bytes"), statistics.log_written_bytes);
  CHECK (statistics.log_written_bytes > 12000 * 1011);
  close_it (engine);
  remove_directory (path);
}

void
test_timing (void)
{
  struct vfs vfs = replaced_vfs ();
  struct engine_options options = still_options ();
  char *path = fresh_directory ();
  vfs.read = read_counting;
  options.vfs = &vfs;
  options.transaction_timeout = 0; /* by which clock? */
  without_timer = true;
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  put (engine, "key", "value");
  engine_set_sampling (engine, 1);
  readings_begin (&readings, engine);
  ticking = TICK;
  test_memtable_get (engine, &readings);
  test_put (engine, &readings);
  test_other_writes (engine, &readings);
  test_transaction (engine, &readings);
  ticking = 0;
  flush (engine);
  get (engine, "key", STATUS_OK);
  readings_begin (&readings, engine);
  ticking = TICK;
  test_run_get (engine, &readings);
  test_other_reads (engine, &readings);
  test_page_read (engine, &readings);
  test_hot_get (engine, &readings);
  test_interval (engine, &readings);
  test_large_value (engine, &readings);
  test_full_commit (engine, &readings);
  test_contention (engine, &readings);
  test_slow_calls (engine, &readings);
  test_trace (engine, &readings);
  ticking = 0;
  close_it (engine);
  without_timer = false;
  remove_directory (path);
  test_filters ();
  test_cache ();
}
