/* SPDX-License-Identifier: MIT */
/*
 * background: the engine's own threads. Each sleeps on a condition without a timeout unless
 * something is due; a settled, quiet database wakes nobody.
 *
 *   log     one-shot timer of async syncs; makes the log's next segment ready
 *   flush   writes frozen memtables to runs; when a burst is over it hashes what it has put off
 *   merge   (merge_workers of them) merges runs; waits merge_interval at most for a due merge
 */
#include "core/memory.h"
#include "core/recovery.h"

#define RETRY_MICROSECONDS 1000000u /* after a flush that failed */
#define MERGE_NICENESS 5 /* about a third of the CPU time of a thread that it competes with */
#define SETTLE_FLUSH_SIZE (UINT64_C (1) << 20) /* bytes of memtable that are worth a file, */
#define SETTLE_BLOB_SIZE (UINT64_C (4) << 20)  /* or bytes of large values it refers to */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

uint64_t
engine_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

uint64_t
engine_wall (void)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void
wait_until (pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t due)
{
  struct timespec at = { (time_t) (due / 1000000), (long) (due % 1000000) * 1000 };
  pthread_cond_timedwait (condition, lock, &at);
}

/* ---- log ---- */

void
background_arm_sync (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  if (!engine->sync_wanted)
    {
      engine->sync_wanted = true;
      engine->sync_due = engine_now () + engine->options.sync_interval;
      atomic_store (&engine->sync_armed, true);
      pthread_cond_signal (&engine->log_work);
    }
  pthread_mutex_unlock (&engine->work_lock);
}

void
background_arm_prepare (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  engine->prepare_wanted = true;
  atomic_store (&engine->prepare_armed, true);
  pthread_cond_signal (&engine->log_work);
  pthread_mutex_unlock (&engine->work_lock);
}

/* work_lock held; dropped around the work. */
static void
log_prepare (struct engine *engine)
{
  engine->prepare_wanted = false;
  pthread_mutex_unlock (&engine->work_lock);
  wal_prepare (engine->wal, NULL); /* a full disk shows again, with its message, at the append */
  atomic_store (&engine->prepare_armed, false);
  pthread_mutex_lock (&engine->work_lock);
}

static void
log_sync (struct engine *engine)
{
  engine->sync_wanted = false;
  atomic_store (&engine->sync_armed, false); /* later commits arm the next round */
  pthread_mutex_unlock (&engine->work_lock);
  pthread_mutex_lock (&engine->commit_lock); /* who still saw it armed has appended by now */
  pthread_mutex_unlock (&engine->commit_lock);
  struct failure cause = FAILURE_INIT;
  if (commit_sync_log (engine, wal_appended (engine->wal), &cause) != STATUS_OK)
    {
      pthread_mutex_lock (&engine->commit_lock);
      commit_fail (engine, STATUS_UNKNOWN_OUTCOME, &cause);
      pthread_mutex_unlock (&engine->commit_lock);
    }
  else
    flush_deleted_log (engine, NULL); /* else with the next sync */
  pthread_mutex_lock (&engine->work_lock);
}

static void *
log_main (void *data)
{
  struct engine *engine = data;
  pthread_setname_np (pthread_self (), "ldb-log");
  pthread_mutex_lock (&engine->work_lock);
  while (!engine->stop)
    if (engine->prepare_wanted)
      log_prepare (engine);
    else if (!engine->sync_wanted)
      pthread_cond_wait (&engine->log_work, &engine->work_lock);
    else if (engine_now () >= engine->sync_due)
      log_sync (engine);
    else
      wait_until (&engine->log_work, &engine->work_lock, engine->sync_due);
  pthread_mutex_unlock (&engine->work_lock);
  return NULL;
}

/* ---- flush ---- */

void
background_wake_flush (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  engine->flush_wanted = true;
  engine->last_write = engine_now ();
  pthread_cond_signal (&engine->flush_work);
  pthread_mutex_unlock (&engine->work_lock);
}

/* Flushes until no frozen memtable is left. A failure is reported and tried again with the next
 * commit or after a second, so that a full disk heals by itself. */
static status
flush_all (struct engine *engine)
{
  bool did = true;
  while (did)
    {
      struct failure cause = FAILURE_INIT;
      pthread_mutex_lock (&engine->commit_lock);
      uint64_t attempt = ++engine->flush_attempts;
      pthread_mutex_unlock (&engine->commit_lock);
      status result = flush_oldest (engine, &did, &cause);
      if (result != STATUS_OK)
        {
          pthread_mutex_lock (&engine->commit_lock);
          atomic_store (&engine->flush_failure, (int) result);
          engine->flush_failed = cause;
          engine->failed_attempt = attempt;
          engine_note (engine,
                       &(struct event_note){ .kind = ENGINE_EVENT_FAILED, .failure = &cause });
          pthread_cond_broadcast (&engine->room);
          pthread_mutex_unlock (&engine->commit_lock);
          return result;
        }
    }
  return STATUS_OK;
}

void
background_arm_settle (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  atomic_store (&engine->settle_armed, true);
  engine->settle_due = engine_now () + QUIET_MICROSECONDS;
  engine->settle_sequence = engine->last_sequence;
  pthread_cond_signal (&engine->flush_work);
  pthread_mutex_unlock (&engine->work_lock);
}

void
background_arm_expiry (struct engine *engine, uint64_t due)
{
  pthread_mutex_lock (&engine->work_lock);
  if (atomic_load (&engine->expiry_due) == 0)
    {
      atomic_store (&engine->expiry_due, due);
      pthread_cond_signal (&engine->flush_work);
    }
  pthread_mutex_unlock (&engine->work_lock);
}

/* The earliest transaction may be due. One that ended meanwhile leaves the timer running until it
 * fires: at most one wake-up a timeout. work_lock held. */
static void
expiry_look (struct engine *engine)
{
  atomic_store (&engine->expiry_due,
                0); /* before looking: who comes behind the look arms it anew */
  uint64_t due = transactions_expire (engine, engine_now ());
  if (due != 0)
    atomic_store (&engine->expiry_due, due);
}

/* When the flush thread must look at something; UINT64_MAX = never. work_lock held. */
static uint64_t
next_look (const struct engine *engine)
{
  uint64_t due = UINT64_MAX, expiry = atomic_load (&engine->expiry_due);
  if (engine->settle_due != 0)
    due = engine->settle_due;
  if (expiry != 0 && expiry < due)
    due = expiry;
  if (engine->retry_due != 0 && engine->retry_due < due)
    due = engine->retry_due;
  return due;
}

/* Gives back what only a burst of writes, or a reader of past changes, needs. */
static void
settle_down (struct engine *engine)
{
  engine_collect ();
  blob_collect (engine);
  memtable_pool_trim (engine->pool);
  memtable_pool_trim (engine->transaction_pool);
  if (engine->wal != NULL)
    wal_trim (engine->wal, 0);
  codec_trim ();
  engine_rebalance (engine);
}

/* Keys that came in a long row are found as quickly as others from now on. Ends early when somebody
 * commits: then the memtable may be filling again, and there is a next look. */
static void
catch_up (struct engine *engine, uint64_t sequence)
{
  for (bool more = true; more;)
    {
      pthread_mutex_lock (&engine->commit_lock);
      more = engine->last_sequence == sequence && memtable_catch_up (engine->active->table);
      pthread_mutex_unlock (&engine->commit_lock);
    }
}

/* The burst may be over: when nothing was committed since the last look, a memtable worth it is
 * flushed, so that the log empties and reads find everything in runs. A small one stays where it
 * is: a program that writes a key a minute is not to write a file a minute. work_lock held, dropped
 * around the work. */
static void
settle_look (struct engine *engine)
{
  engine->settle_due = 0;
  pthread_mutex_unlock (&engine->work_lock);
  pthread_mutex_lock (&engine->commit_lock);
  uint64_t sequence = engine->last_sequence;
  bool quiet = sequence == engine->settle_sequence;
  bool wanted = memtable_is_wanted (engine->active->table); /* by who reads beside a slow writer */
  size_t worth = engine->memtable_size / 4 < SETTLE_FLUSH_SIZE ? engine->memtable_size / 4
                                                               : SETTLE_FLUSH_SIZE;
  if (quiet)
    {
      if (memtable_memory (engine->active->table) >= worth
          || engine->active->blob_bytes >= SETTLE_BLOB_SIZE)
        commit_switch (engine, false, NULL); /* no memory or no place: a later commit switches */
      atomic_store (&engine->settle_armed, false); /* the next commit arms it again */
    }
  pthread_mutex_unlock (&engine->commit_lock);
  if (quiet || wanted)
    catch_up (engine, sequence);
  pthread_mutex_lock (&engine->work_lock);
  if (quiet)
    pthread_cond_broadcast (&engine->merge_work);
  else
    {
      engine->settle_sequence = sequence;
      engine->settle_due = engine_now () + QUIET_MICROSECONDS;
    }
}

/* Waits for what is due next and looks at it. work_lock held, dropped around the work. */
static void
flush_rest (struct engine *engine)
{
  uint64_t due = next_look (engine), now = engine_now ();
  if (due == UINT64_MAX)
    pthread_cond_wait (&engine->flush_work, &engine->work_lock);
  else if (now < due)
    wait_until (&engine->flush_work, &engine->work_lock, due);
  else if (due == engine->settle_due)
    settle_look (engine);
  else if (due == engine->retry_due)
    engine->flush_wanted = true;
  else
    expiry_look (engine);
}

/* work_lock held, dropped around the work. */
static void
flush_turn (struct engine *engine)
{
  engine->flush_wanted = false;
  engine->retry_due = 0;
  engine->flush_running = true;
  pthread_mutex_unlock (&engine->work_lock);
  status result = flush_all (engine);
  pthread_mutex_lock (&engine->work_lock);
  engine->flush_running = false;
  if (result == STATUS_OK)
    {
      engine->merge_generation++;
      engine->merge_paused = false;
      engine->last_write = engine_now ();
      pthread_cond_broadcast (&engine->merge_work);
    }
  else if (!atomic_load (&engine->write_failed))
    engine->retry_due = engine_now () + RETRY_MICROSECONDS; /* the timers run on meanwhile */
  pthread_cond_broadcast (&engine->idle);
}

static void *
flush_main (void *data)
{
  struct engine *engine = data;
  pthread_setname_np (pthread_self (), "ldb-flush");
  recover_let_go (engine);
  pthread_mutex_lock (&engine->work_lock);
  while (!engine->stop)
    if (engine->flush_wanted)
      flush_turn (engine);
    else
      flush_rest (engine);
  pthread_mutex_unlock (&engine->work_lock);
  return NULL;
}

/* ---- merge ---- */

void
background_wake_merge (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  engine->merge_generation++;
  engine->merge_paused = false;
  pthread_cond_broadcast (&engine->merge_work);
  pthread_mutex_unlock (&engine->work_lock);
}

void
engine_set_saving (struct engine *engine, bool saving)
{
  bool before = atomic_exchange (&engine->saving, saving);
  if (before && !saving)
    background_wake_merge (engine);
}

/* Whether merges may settle. */
bool
background_is_quiet (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  bool quiet = !atomic_load (&engine->settle_armed) && !atomic_load (&engine->saving)
               && engine_now () >= engine->last_write + QUIET_MICROSECONDS;
  pthread_mutex_unlock (&engine->work_lock);
  return quiet;
}

/* Merges yield to the application and to flushes, for which writers may wait. Threads that share a
 * merge's parts inherit it. Only a hint: a system that refuses it loses nothing else. */
static void
lower_priority (void)
{
  errno = 0;
  int before = getpriority (PRIO_PROCESS, 0); /* of this thread */
  if (before != -1 || errno == 0)
    setpriority (PRIO_PROCESS, 0, before + MERGE_NICENESS);
}

static void *
merge_main (void *data)
{
  struct engine *engine = data;
  uint64_t seen = 0;       /* generation for which there was nothing to do */
  bool seen_quiet = false; /* and whether that was when the database was quiet */
  pthread_setname_np (pthread_self (), "ldb-merge");
  lower_priority ();
  pthread_mutex_lock (&engine->work_lock);
  while (!engine->stop)
    {
      uint64_t quiet_at = engine->last_write + QUIET_MICROSECONDS;
      /* The end of either wakes us: */
      bool bursting = atomic_load (&engine->settle_armed) || atomic_load (&engine->saving);
      bool quiet = !bursting && engine_now () >= quiet_at;
      bool crowded = engine->merges_running >= memory_merge_workers (engine); /* a smaller budget */
      if (engine->merge_paused || crowded
          || (seen == engine->merge_generation && (seen_quiet || !quiet)))
        {
          if (!engine->merge_paused && !crowded && !seen_quiet && !bursting)
            wait_until (&engine->merge_work, &engine->work_lock, quiet_at);
          else
            pthread_cond_wait (&engine->merge_work, &engine->work_lock);
          continue;
        }
      uint64_t generation = engine->merge_generation;
      engine->merges_running++;
      gauge_set (engine->metrics, GAUGE_MERGES_RUNNING, engine->merges_running);
      pthread_mutex_unlock (&engine->work_lock);
      if (quiet)
        atomic_store (&engine->collector_rests, true); /* before looking: see wake_collector */
      bool did = false;
      struct failure cause = FAILURE_INIT;
      status result = merge_one (engine, UINT64_MAX, &did, &cause);
      if (result == STATUS_OK && !did && quiet)
        settle_down (engine);
      if (result != STATUS_OK && result != STATUS_CANCELLED)
        engine_note (engine,
                     &(struct event_note){ .kind = ENGINE_EVENT_FAILED, .failure = &cause });
      pthread_mutex_lock (&engine->work_lock);
      engine->merges_running--;
      gauge_set (engine->metrics, GAUGE_MERGES_RUNNING, engine->merges_running);
      if (result != STATUS_OK && result != STATUS_CANCELLED)
        engine->merge_paused = true;
      else if (did)
        {
          engine->merge_generation++;
          pthread_cond_broadcast (&engine->merge_work);
        }
      else
        {
          seen = generation;
          seen_quiet = quiet;
          if (quiet)
            engine->settled_generation = generation;
        }
      pthread_cond_broadcast (&engine->idle);
    }
  pthread_mutex_unlock (&engine->work_lock);
  return NULL;
}

/* ---- all of them ---- */

status
engine_start_thread (pthread_t *thread, void *(*body) (void *), void *data, struct failure *failure)
{
  sigset_t all, before;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before); /* the application's signals stay its own */
  int error = pthread_create (thread, NULL, body, data);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return error == 0 ? STATUS_OK : fail_system (failure, error, "starting a database thread");
}

status
background_start (struct engine *engine, struct failure *failure)
{
  status result = STATUS_OK;
  if (engine->wal != NULL)
    {
      result = engine_start_thread (&engine->log_thread, log_main, engine, failure);
      if (result != STATUS_OK)
        return result;
      engine->log_thread_runs = true;
    }
  result = engine_start_thread (&engine->flush_thread, flush_main, engine, failure);
  if (result != STATUS_OK)
    return result;
  engine->flush_thread_runs = true;
  return background_start_merging (engine, failure);
}

status
background_start_merging (struct engine *engine, struct failure *failure)
{
  status result = STATUS_OK;
  unsigned workers = engine->options.merge_enabled ? memory_merge_workers (engine) : 0;
  while (engine->merge_thread_count < workers && result == STATUS_OK)
    {
      result = engine_start_thread (&engine->merge_threads[engine->merge_thread_count], merge_main,
                                    engine, failure);
      if (result == STATUS_OK)
        engine->merge_thread_count++;
    }
  background_wake_merge (engine);
  return result;
}

void
background_stop (struct engine *engine)
{
  atomic_store (&engine->cancel_merges, true);
  pthread_mutex_lock (&engine->work_lock);
  engine->stop = true;
  pthread_cond_broadcast (&engine->log_work);
  pthread_cond_broadcast (&engine->flush_work);
  pthread_cond_broadcast (&engine->merge_work);
  pthread_cond_broadcast (&engine->idle);
  pthread_mutex_unlock (&engine->work_lock);
  if (engine->log_thread_runs)
    pthread_join (engine->log_thread, NULL);
  if (engine->flush_thread_runs)
    pthread_join (engine->flush_thread, NULL);
  for (unsigned i = 0; i < engine->merge_thread_count; i++)
    pthread_join (engine->merge_threads[i], NULL);
  engine->log_thread_runs = engine->flush_thread_runs = false;
  engine->merge_thread_count = 0;
}

/* Whether a merging thread has still to look at what changed, which may give work. work_lock held. */
static bool
look_is_due (const struct engine *engine)
{
  return engine->options.merge_enabled && !engine->merge_paused && !atomic_load (&engine->saving)
         && engine->settled_generation != engine->merge_generation;
}

/* Between engine_begin and engine_end: the manifest is asked. */
static bool
is_settled (struct engine *engine)
{
  pthread_mutex_lock (&engine->work_lock);
  bool busy = atomic_load (&engine->frozen_count) > 0 || engine->flush_wanted
              || engine->flush_running || atomic_load (&engine->settle_armed)
              || engine->merges_running > 0 || look_is_due (engine)
              || engine_now () < engine->last_write + QUIET_MICROSECONDS;
  pthread_mutex_unlock (&engine->work_lock);
  return !busy && merge_pending_bytes (engine) == 0;
}

status
engine_wait_settled (struct engine *engine, uint64_t timeout, struct failure *failure)
{
  if (engine->read_only)
    return engine_enter (engine, failure);
  uint64_t until = engine_now () + timeout;
  for (;;)
    {
      status result = engine_begin (engine, failure); /* each time: close does not wait for us */
      if (result != STATUS_OK)
        return result;
      bool settled = is_settled (engine);
      engine_end (engine);
      if (settled)
        return STATUS_OK;
      uint64_t now = engine_now ();
      if (now >= until)
        return fail (failure, STATUS_TIMED_OUT,
                     "background work is still going on in %s; wait longer", engine->path);
      pthread_mutex_lock (&engine->work_lock);
      wait_until (&engine->idle, &engine->work_lock, now + 20000);
      pthread_mutex_unlock (&engine->work_lock);
    }
}
