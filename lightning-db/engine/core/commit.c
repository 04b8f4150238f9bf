/* SPDX-License-Identifier: MIT */
/*
 * commit: the one way in. Everything that changes the database passes through commit_run.
 *
 *   pace ─► lock ─► room ─► validate ─► log ─► memtable ─► visible ──────────────► return
 *                                                    └─► (full) wait for the group's sync ─► visible
 *
 * Invariants
 *   K1  Sequence numbers rise by one per commit, in log order; commits become visible in that
 *       order.
 *   K2  A full commit is visible only once durable, and nothing behind it before it (waiters). Where
 *       another program deleted the log it is acknowledged only once durable (flush_deleted_log).
 *   K3  Until the log append succeeded nothing has changed; after it nothing can fail but the sync.
 *   K4  After a failed append that left the log in doubt, or a failed sync, nothing is written
 *       again.
 *   K5  A record counts as synced only when the large values that it refers to are durable.
 *   K6  Who waits reads his group's word under the lock and sleeps while it is that; what he waits
 *       for (done, or nobody leads) changes under the lock before the word does. So no wake-up is
 *       lost. One that is meant for the next leader may reach somebody who is done: then all of his
 *       group are being woken.
 */
#include "core/call.h"
#include "core/feed.h"
#include "core/memory.h"
#include "core/pacing.h"
#include "core/recent.h"

#include "base/probes.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>

#define GATHER_MICROSECONDS 200u /* at most; see gather */

/* ---- blob guards ---- */

status
blob_guard_enter (struct engine *engine, struct blob_guard *guard, struct failure *failure)
{
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->blob_lock);
  guard->file = 0; /* guards everything: such commits are few and short */
  guard->next = engine->blob_guards;
  engine->blob_guards = guard;
  pthread_mutex_unlock (&engine->blob_lock);
  return STATUS_OK;
}

void
blob_guard_leave (struct engine *engine, struct blob_guard *guard)
{
  pthread_mutex_lock (&engine->blob_lock);
  struct blob_guard **link = &engine->blob_guards;
  while (*link != guard)
    link = &(*link)->next;
  *link = guard->next;
  pthread_mutex_unlock (&engine->blob_lock);
  engine_end (engine);
}

uint64_t
engine_oldest_unflushed_blob (struct engine *engine)
{
  /* Read first: a commit that begins behind this line refers to this file or a later one. */
  uint64_t open = blob_writer_first_open (engine->blob_writer);
  uint64_t referred = engine_oldest_referred_blob (engine);
  return open < referred ? open : referred;
}

/* What only past changes refer to. Closing ends the feeds, and keeps what is retained. */
static uint64_t
oldest_blob_of_history (struct engine *engine)
{
  bool wanted
      = engine->options.change_retention > 0 || atomic_load (&engine->state) == ENGINE_STATE_OPEN;
  return engine->wal != NULL && wanted ? wal_oldest_file (engine->wal) : UINT64_MAX;
}

uint64_t
engine_oldest_referred_blob (struct engine *engine)
{
  uint64_t oldest = UINT64_MAX;
  pthread_mutex_lock (&engine->blob_lock);
  for (struct blob_guard *guard = engine->blob_guards; guard != NULL; guard = guard->next)
    if (guard->file < oldest)
      oldest = guard->file;
  pthread_mutex_unlock (&engine->blob_lock);

  struct view *view = engine_view (engine);
  if (view == NULL)
    return 0;
  if (view->active != NULL)
    {
      uint64_t file = atomic_load (&view->active->oldest_blob);
      oldest = file < oldest ? file : oldest;
    }
  for (unsigned i = 0; i < view->frozen_count; i++)
    {
      uint64_t file = atomic_load (&view->frozen[i]->oldest_blob);
      oldest = file < oldest ? file : oldest;
    }
  view_unref (view);
  uint64_t past = oldest_blob_of_history (engine); /* last: what was a commit under way is in it */
  return past < oldest ? past : oldest;
}

/* ---- failing ---- */

void
commit_fail (struct engine *engine, status code, const struct failure *failure)
{
  if (!atomic_load (&engine->write_failed))
    {
      engine->write_failure = *failure;
      engine->write_failure.code = code;
      atomic_store (&engine->write_failed, true);
      engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_FAILED,
                                                 .failure = &engine->write_failure });
    }
  pthread_cond_broadcast (&engine->room);
}

static status
refuse_writes (struct engine *engine, struct failure *failure)
{
  return fail (failure, STATUS_UNKNOWN_OUTCOME,
               "writes to %s are refused since an earlier failure (%.200s); close every handle and "
               "open the database again",
               engine->path, engine->write_failure.message);
}

/* ---- durability ---- */

status
commit_sync_log (struct engine *engine, uint64_t sequence, struct failure *failure)
{
  if (engine->wal == NULL)
    return STATUS_OK;
  if (wal_synced (engine->wal) >= sequence && !wal_failed (engine->wal))
    return STATUS_OK;
  pthread_mutex_lock (&engine->sync_lock);
  status result = STATUS_OK;
  if (wal_synced (engine->wal) < sequence || wal_failed (engine->wal))
    {
      /* K5: the values of records up to here are written, and synced now. Of those that come
       * meanwhile that is not known. */
      uint64_t appended = wal_appended (engine->wal);
      struct wait_mark mark = wait_begin ();
      result = blob_writer_sync (engine->blob_writer, failure);
      if (result == STATUS_OK)
        result = wal_sync (engine->wal, appended, failure);
      if (result == STATUS_OK)
        atomic_store (&engine->log_deleted, wal_is_deleted (engine->wal));
      wait_end (engine->metrics, WAIT_LOG_SYNC, mark);
    }
  pthread_mutex_unlock (&engine->sync_lock);
  return result;
}

status
commit_sync_blobs (struct engine *engine, bool seal, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  status result = seal ? blob_writer_seal (engine->blob_writer, &cause)
                       : blob_writer_sync (engine->blob_writer, &cause);
  if (result == STATUS_OK)
    return STATUS_OK;
  if (result == STATUS_UNKNOWN_OUTCOME) /* K4 */
    {
      pthread_mutex_lock (&engine->commit_lock);
      commit_fail (engine, result, &cause);
      pthread_mutex_unlock (&engine->commit_lock);
    }
  return fail (failure, result, "%s", cause.message);
}

/* Makes visible, in order, every waiting commit up to the first full one that is not durable. Gives
 * the groups that have such, as bits. */
static unsigned
release_waiters (struct engine *engine, uint64_t durable, status result)
{
  unsigned count = 0, groups = 0;
  struct commit_waiter *waiter;
  while ((waiter = engine->first_waiter) != NULL)
    {
      if (result == STATUS_OK && waiter->full && waiter->sequence > durable)
        break; /* K2 */
      engine->first_waiter = waiter->next;
      if (engine->first_waiter == NULL)
        engine->last_waiter = NULL;
      if (result == STATUS_OK)
        atomic_store_explicit (&engine->published, waiter->sequence, memory_order_release);
      count += waiter->full;
      groups |= 1u << waiter->group;
      engine->waiting_full -= waiter->full;
      waiter->result = result;
      waiter->done = true;
    }
  engine->committers = count + engine->waiting_full;
  return groups;
}

/* Wakes those who were released, and one of the others, who is to lead. Without the lock, which
 * each of them takes. */
static void
wake_waiters (struct engine *engine, unsigned released, unsigned group, bool others)
{
  for (unsigned i = 0; i < 2; i++)
    if ((released & 1u << i) != 0)
      wait_word_wake (&engine->groups[i], UINT_MAX);
    else if (others && i == group)
      wait_word_wake (&engine->groups[i], 1);
}

/* Gives committers that are on their way a moment to join: as many as there were about the last
 * sync, those it covered and those who came meanwhile. Not for longer than half a sync: whoever
 * stayed away is not counted again. */
static void
gather (struct engine *engine)
{
  unsigned expected = engine->committers;
  if (engine->waiting_full >= expected)
    return;
  uint64_t most = engine->sync_microseconds / 2;
  uint64_t until = engine_now () + (most < GATHER_MICROSECONDS ? most : GATHER_MICROSECONDS);
  pthread_mutex_unlock (&engine->commit_lock);
  do
    sched_yield ();
  while (engine->waiting_full < expected && engine_now () < until);
  pthread_mutex_lock (&engine->commit_lock);
}

/* Syncs for everybody who waits by now. commit_lock held, dropped around the sync. */
static void
lead_group (struct engine *engine, struct failure *failure)
{
  gather (engine);
  uint64_t target = engine->last_sequence;
  engine->group ^= 1;
  pthread_mutex_unlock (&engine->commit_lock);
  struct failure cause = FAILURE_INIT;
  uint64_t started = engine_now ();
  status result = commit_sync_log (engine, target, &cause);
  uint64_t taken = engine_now () - started;
  pthread_mutex_lock (&engine->commit_lock);
  engine->sync_microseconds = taken;
  if (result != STATUS_OK)
    {
      result = STATUS_UNKNOWN_OUTCOME;
      commit_fail (engine, result, &cause);
      fail (failure, result, "%s", cause.message);
    }
  unsigned released = release_waiters (engine, target, result), group = engine->group;
  bool others = engine->first_waiter != NULL;
  engine->sync_led = false;
  pthread_mutex_unlock (&engine->commit_lock);
  wake_waiters (engine, released, group, others);
  pthread_mutex_lock (&engine->commit_lock);
}

/* Until this waiter's commit is visible: syncs for all of them when nobody does. */
static void
take_turn (struct engine *engine, struct commit_waiter *waiter, struct failure *failure)
{
  while (!waiter->done)
    if (!engine->sync_led)
      {
        engine->sync_led = true;
        lead_group (engine, failure);
      }
    else
      {
        wait_word *word = &engine->groups[waiter->group];
        uint32_t seen = atomic_load (word);
        pthread_mutex_unlock (&engine->commit_lock);
        wait_word_sleep (word, seen);
        pthread_mutex_lock (&engine->commit_lock);
      }
}

status
commit_wait_turn (struct engine *engine, uint64_t sequence, bool full, struct failure *failure)
{
  struct commit_waiter waiter = {
    .sequence = sequence,
    .full = full,
    .group = engine->group,
  };
  if (engine->last_waiter != NULL)
    engine->last_waiter->next = &waiter;
  else
    engine->first_waiter = &waiter;
  engine->last_waiter = &waiter;
  engine->waiting_full += full;

  struct wait_mark mark = wait_begin ();
  take_turn (engine, &waiter, failure);
  wait_end (engine->metrics, WAIT_TURN, mark);
  if (waiter.result != STATUS_OK)
    return fail (failure, waiter.result,
                 "whether this commit is on disk is unknown: %.250s; close every handle and open "
                 "the database again to see",
                 engine->write_failure.message);
  return STATUS_OK;
}

status
commit_await (struct engine *engine, uint64_t sequence, struct failure *failure)
{
  status result = STATUS_OK;
  if (atomic_load (&engine->published) >= sequence)
    return STATUS_OK;
  pthread_mutex_lock (&engine->commit_lock);
  if (engine->first_waiter != NULL)
    result = commit_wait_turn (engine, engine->last_sequence, false, failure);
  else if (atomic_load (&engine->write_failed)) /* their sync failed: they never will be */
    result = refuse_writes (engine, failure);
  struct wakes wakes;
  feed_take_wakes (engine, &wakes);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
  return result;
}

/* ---- room ---- */

/* Until a frozen memtable is flushed and its memory free, or another committer has switched
 * `before` meanwhile. */
static status
wait_for_place (struct engine *engine, const struct generation *before, struct failure *failure)
{
  struct wait_mark mark = wait_begin ();
  uint64_t begun = engine->flush_attempts;
  background_wake_flush (engine); /* what an attempt says that is under way may be out of date */
  gauge_add (engine->metrics, GAUGE_WRITERS_STALLED, 1);
  PROBE1 (stall_begin, engine->path);
  while (engine->active == before && !memory_has_place (engine)
         && !atomic_load (&engine->write_failed) && engine->failed_attempt <= begun
         && atomic_load (&engine->state) == ENGINE_STATE_OPEN)
    pthread_cond_wait (&engine->room, &engine->commit_lock);
  uint64_t waited = wait_end (engine->metrics, WAIT_STALL, mark);
  PROBE2 (stall_end, engine->path, waited);
  gauge_add (engine->metrics, GAUGE_WRITERS_STALLED, -1);
  count_locked (engine->metrics, SHARED_STALLS, 1);
  engine_note (engine,
               &(struct event_note){ .kind = ENGINE_EVENT_STALLED, .microseconds = waited / 1000 });
  if (atomic_load (&engine->write_failed))
    return refuse_writes (engine, failure);
  if (engine->active == before && atomic_load (&engine->frozen_count) == FROZEN_MAX
      && engine->failed_attempt > begun)
    return fail (failure, engine->flush_failed.code, "%s", engine->flush_failed.message);
  return engine_enter (engine, failure);
}

status
commit_switch (struct engine *engine, bool wait, struct failure *failure)
{
  if (memtable_is_empty (engine->active->table))
    return STATUS_OK;
  if (!memory_has_place (engine))
    {
      const struct generation *before = engine->active;
      status result = wait ? wait_for_place (engine, before, failure) : STATUS_BUSY;
      if (result != STATUS_OK || engine->active != before)
        return result;
    }

  struct generation *fresh;
  status result = generation_new (engine->pool, &fresh, failure);
  if (result != STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->view_lock);
  struct view *next;
  const struct view *present = atomic_load (&engine->view);
  result = view_copy (present, 0, 0, &next, failure);
  if (result == STATUS_OK)
    {
      memtable_freeze (next->active->table);
      for (unsigned i = next->frozen_count; i > 0; i--)
        next->frozen[i] = next->frozen[i - 1];
      next->frozen[0] = next->active;
      next->frozen_count++;
      next->active = fresh;
      next->runs_id = present->runs_id; /* the same runs */
      generation_unref (engine->active);
      engine->active = generation_ref (fresh);
      engine_view_replace (engine, next);
    }
  pthread_mutex_unlock (&engine->view_lock);
  if (result != STATUS_OK)
    {
      generation_unref (fresh);
      return result;
    }
  PROBE2 (memtable_switch, engine->path, engine->last_sequence);
  memory_look (engine, 0);
  background_wake_flush (engine);
  return STATUS_OK;
}

/* Room for the commit in the active memtable; switches it when full. commit_lock held. */
static status
make_room (struct engine *engine, const struct commit *commit, struct memtable **table,
           struct failure *failure)
{
  size_t memory = memtable_memory (engine->active->table);
  if (memory >= engine->memtable_size || engine->active->blob_bytes >= BLOB_BYTES_MAX)
    {
      status result = commit_switch (engine, true, failure);
      if (result != STATUS_OK)
        return result;
    }
  else if (memory >= engine->memtable_look)
    memory_look (engine, memory);
  *table = engine->active->table;
  return memtable_reserve (*table, commit->records, commit->record_bytes, commit->ranges,
                           commit->range_bytes, failure);
}

static status
take_rate_token (struct engine *engine, size_t operations, struct failure *failure)
{
  uint64_t rate = engine->options.rate_limit;
  if (rate == 0)
    return STATUS_OK;
  uint64_t now = engine_now (), passed = now - engine->rate_refilled;
  uint64_t earned;
  if (passed >= 1000000 || __builtin_mul_overflow (passed, rate, &earned))
    earned = rate; /* a second's worth is the most there is */
  else
    earned /= 1000000;
  if (earned > 0)
    {
      engine->rate_tokens
          = earned > rate - engine->rate_tokens ? rate : engine->rate_tokens + earned;
      engine->rate_refilled = now;
    }
  if (engine->rate_tokens < operations && engine->rate_tokens < rate)
    return fail (failure, STATUS_RATE_LIMITED,
                 "more than rate-limit-ops-per-second (%llu) operations; try again a little later "
                 "or raise the limit",
                 (unsigned long long) rate);
  engine->rate_tokens -= operations < engine->rate_tokens ? operations : engine->rate_tokens;
  return STATUS_OK;
}

static status
check_stores (struct engine *engine, const struct commit *commit, struct failure *failure)
{
  if (engine->dropped_count == 0)
    return STATUS_OK;
  struct operation operation;
  struct operation_reader reader;
  if (commit->batch != NULL)
    reader = operation_reader_over (BYTES (commit->batch->data, commit->batch->size));
  for (bool single = commit->batch == NULL;;)
    {
      if (single)
        operation.store = internal_key_store_of (commit->single.key);
      else if (operation_next (&reader, &operation, NULL) != STATUS_OK)
        return STATUS_OK;
      if (store_is_dropped (engine, operation.store)
          && !transaction_drops (commit->transaction, operation.store))
        return fail (failure, STATUS_NOT_FOUND,
                     "the store was dropped; open a store of that name again to make a new one");
      if (single)
        return STATUS_OK;
    }
}

/* ---- the pipeline ---- */

status
commit_log (struct engine *engine, uint64_t sequence, const struct bytes *parts, size_t part_count,
            bool store, struct failure *failure)
{
  struct failure cause;
  if (engine->wal == NULL)
    {
      if (engine->recent != NULL)
        recent_append (engine->recent, sequence, parts, part_count);
      return STATUS_OK;
    }
  failure_reset (&cause);
  status result = wal_append (engine->wal, sequence, parts, part_count, store, &cause);
  if (result == STATUS_OK)
    return STATUS_OK;
  if (wal_failed (engine->wal))
    {
      commit_fail (engine, STATUS_UNKNOWN_OUTCOME, &cause); /* K4 */
      result = STATUS_UNKNOWN_OUTCOME;
    }
  if (failure != NULL && failure->code == STATUS_OK)
    *failure = cause;
  return result;
}

/* Log and memtable. commit_lock held. */
static status
write_commit (struct engine *engine, struct commit *commit, struct memtable *table,
              struct failure *failure)
{
  uint64_t sequence = engine->last_sequence + 1;
  if (sequence > SEQUENCE_MAX)
    return fail (failure, STATUS_TOO_MANY,
                 "the database has seen 2^53 commits; dump it and load it into a new one");
  if (commit->batch == NULL) /* by the time the log has the record, the line is here */
    memtable_prefetch (table, commit->hash);
  status result = commit_log (engine, sequence, commit->parts, commit->part_count,
                              commit->sync != ENGINE_SYNC_FULL, failure);
  step_done (commit->steps, STEP_LOG_APPEND);
  if (result != STATUS_OK)
    return result;
  engine->last_sequence = sequence; /* K3: from here nothing fails */
  /* Now, not before: a commit that fails refers to nothing. Its guard still holds the files. */
  if (commit->oldest_blob
      < atomic_load_explicit (&engine->active->oldest_blob, memory_order_relaxed))
    atomic_store (&engine->active->oldest_blob, commit->oldest_blob);
  engine->active->blob_bytes += commit->blob_bytes;
  if (engine->wal != NULL)
    {
      if (commit->oldest_blob != UINT64_MAX)
        wal_note_files (engine->wal, commit->oldest_blob, commit->blob_bytes);
      if (commit->sync == ENGINE_SYNC_ASYNC
          && !atomic_load_explicit (&engine->sync_armed, memory_order_relaxed))
        background_arm_sync (engine);
      if (wal_wants_preparing (engine->wal)
          && !atomic_load_explicit (&engine->prepare_armed, memory_order_relaxed))
        background_arm_prepare (engine);
    }
  if (!atomic_load_explicit (&engine->settle_armed, memory_order_relaxed))
    background_arm_settle (engine);
  if (commit->batch != NULL)
    commit_apply (table, BYTES (commit->batch->data, commit->batch->size), sequence,
                  commit->scratch);
  else
    {
      commit->single.sequence = sequence;
      memtable_insert (table, commit->hash, &commit->single);
    }
  step_done (commit->steps, STEP_INSERT);
  return STATUS_OK;
}

static void
count_operations (struct engine *engine, const struct commit *commit)
{
  struct metrics *metrics = engine->metrics;
  bool single_delete = commit->batch == NULL && commit->single.kind == RECORD_DELETE;
  size_t deletes = commit->batch != NULL ? commit->batch->deletes : single_delete;
  count_locked (metrics, SHARED_COMMITS, 1);
  count_locked (metrics, SHARED_USER_BYTES, commit->user_bytes);
  count_locked (metrics, SHARED_PUTS, commit->records - deletes);
  count_locked (metrics, SHARED_DELETES, deletes);
  count_locked (metrics, SHARED_RANGE_DELETES, commit->ranges);
}

/* The commit's turn and its room. Waiting for room drops the lock: a bulk load may have begun, a
 * store may have been dropped, so nothing is decided before. commit_lock held. */
static status
await_room (struct engine *engine, const struct commit *commit, struct memtable **table,
            struct failure *failure)
{
  status result;
  do
    {
      while (__builtin_expect (engine->loading, 0))
        pthread_cond_wait (&engine->room, &engine->commit_lock);
      result = engine_enter (engine, failure);
      if (result != STATUS_OK)
        return result;
      if (atomic_load_explicit (&engine->write_failed, memory_order_relaxed))
        return refuse_writes (engine, failure);
      result = make_room (engine, commit, table, failure);
    }
  while (result == STATUS_OK && engine->loading);
  return result;
}

/* Everything under the lock up to visibility. A transaction was validated against the runs of all
 * that is flushed up to `validated`. BUSY: runs changed, validate them again. */
static status
commit_locked (struct engine *engine, struct commit *commit, uint64_t validated, uint64_t *sequence,
               struct failure *failure)
{
  struct memtable *table = NULL;
  status result = await_room (engine, commit, &table, failure);
  if (result == STATUS_OK)
    result = check_stores (engine, commit, failure);
  if (result == STATUS_OK && commit->transaction != NULL)
    {
      step_done (commit->steps, STEP_OTHER);
      struct view *view = engine_view (engine);
      result = view->flushed_sequence != validated
                   ? STATUS_BUSY
                   : transaction_validate_memory (commit->transaction, view, failure);
      view_unref (view);
      step_done (commit->steps, STEP_VALIDATE);
    }
  if (result == STATUS_OK) /* not before: BUSY comes again, and would pay twice */
    result = take_rate_token (engine, commit->operations, failure);
  step_done (commit->steps, STEP_OTHER);
  if (result == STATUS_OK)
    result = write_commit (engine, commit, table, failure);
  if (result != STATUS_OK)
    return result;

  count_operations (engine, commit);
  uint64_t mine = engine->last_sequence;
  bool full = commit->sync == ENGINE_SYNC_FULL && engine->wal != NULL;
  if (full || engine->first_waiter != NULL)
    result = commit_wait_turn (engine, mine, full, failure); /* K2 */
  else
    atomic_store_explicit (&engine->published, mine, memory_order_release);
  *sequence = mine;
  return result;
}

static inline void
take_commit_lock (struct engine *engine)
{
  if (__builtin_expect (pthread_mutex_trylock (&engine->commit_lock) == 0, 1))
    return;
  struct wait_mark mark = wait_begin ();
  pthread_mutex_lock (&engine->commit_lock);
  wait_end (engine->metrics, WAIT_LOCK, mark);
}

/* Validates, and goes through the lock, until no runs change in between. */
static inline status
validate_and_commit (struct engine *engine, struct commit *commit, uint64_t *sequence,
                     struct failure *failure)
{
  uint64_t validated = 0;
  status result;
  do
    {
      if (commit->transaction != NULL)
        {
          struct view *view = engine_view (engine);
          if (view == NULL)
            return engine_enter_slow (engine, failure);
          step_done (commit->steps, STEP_OTHER);
          result = transaction_validate_runs (commit->transaction, view, failure);
          validated = view->flushed_sequence;
          view_unref (view); /* R4: we may wait for room */
          step_done (commit->steps, STEP_VALIDATE);
          if (result != STATUS_OK)
            break;
        }
      take_commit_lock (engine);
      result = commit_locked (engine, commit, validated, sequence, failure);
      struct wakes wakes;
      feed_take_wakes (engine, &wakes);
      bool balance = memory_take_due (engine);
      pthread_mutex_unlock (&engine->commit_lock);
      feed_call (engine, &wakes);
      if (__builtin_expect (balance, 0))
        engine_rebalance (engine);
    }
  while (result == STATUS_BUSY);
  return result;
}

status
commit_run (struct engine *engine, struct commit *commit, uint64_t *sequence,
            struct failure *failure)
{
  uint64_t number = 0;
  if (engine->read_only)
    return fail (failure, STATUS_READ_ONLY,
                 "%s is open read-only; open it for writing to change it", engine->path);
  if (commit->sync == ENGINE_SYNC_DEFAULT)
    commit->sync = engine->options.sync;
  PROBE3 (commit_begin, engine->path, commit->record_bytes, (int) commit->sync);
  size_t bytes = commit->record_bytes + commit->range_bytes;
  uint64_t began = pacing_begin (engine, bytes);
  status result = validate_and_commit (engine, commit, &number, failure);
  pacing_end (began, bytes);
  if (result == STATUS_OK && commit->sync == ENGINE_SYNC_FULL)
    result = flush_deleted_log (engine, failure);
  PROBE3 (commit_end, engine->path, number, (int) result);
  if (result == STATUS_OK && sequence != NULL)
    *sequence = number;
  return result;
}

/* ---- all that was committed ---- */

static status
sync_everything (struct engine *engine, struct failure *failure)
{
  pthread_mutex_lock (&engine->commit_lock);
  uint64_t target = engine->last_sequence;
  bool failed = atomic_load (&engine->write_failed);
  pthread_mutex_unlock (&engine->commit_lock);
  if (failed)
    return refuse_writes (engine, failure);
  struct failure cause = FAILURE_INIT;
  status result = commit_sync_log (engine, target, &cause);
  if (result == STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->commit_lock);
  commit_fail (engine, STATUS_UNKNOWN_OUTCOME, &cause);
  pthread_mutex_unlock (&engine->commit_lock);
  return fail (failure, STATUS_UNKNOWN_OUTCOME, "%s", cause.message);
}

status
engine_sync (struct engine *engine, struct failure *failure)
{
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (!engine->read_only)
    result = sync_everything (engine, failure);
  if (result == STATUS_OK && !engine->read_only && engine->wal != NULL)
    {
      atomic_store (&engine->log_deleted,
                    wal_is_deleted (engine->wal)); /* also long after a sync */
      result = flush_deleted_log (engine, failure);
    }
  engine_end (engine);
  return result;
}
