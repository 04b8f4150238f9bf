/* SPDX-License-Identifier: MIT */
/*
 * close: from an engine back to files.
 *
 *   no new commit ─► threads end ─► flush what the log holds ─► cheap merge ─► condensed manifest ─►
 *   the log goes, or stays when not all could be flushed ─► views, memory, lock
 */
#include "core/memory.h"

#include "core/feed.h"
#include "core/follow.h"
#include "core/sharing.h"
#include "core/upkeep.h"

#include <time.h>

/* No commit starts after this; those under way have ended. */
static void
close_gate (struct engine *engine)
{
  const struct timespec moment = { 0, 200000 };
  pthread_mutex_lock (&engine->commit_lock);
  atomic_store (&engine->state, ENGINE_STATE_CLOSING);
  pthread_cond_broadcast (&engine->room);
  while (engine->first_waiter != NULL || engine->sync_led)
    {
      pthread_mutex_unlock (&engine->commit_lock);
      nanosleep (&moment, NULL);
      pthread_mutex_lock (&engine->commit_lock);
    }
  pthread_mutex_unlock (&engine->commit_lock);
  atomic_store (&engine->cancel_merges, true);
  while (atomic_load (&engine->operations) > 0)
    nanosleep (&moment, NULL);
}

/* Writes what only the log holds to runs. *flushed: all of it, so that the log may go. */
static status
close_flush_runs (struct engine *engine, bool *flushed, struct failure *failure)
{
  status result = STATUS_OK;
  bool did = true;
  while (result == STATUS_OK && did)
    result = flush_oldest (engine, &did, failure);
  if (result == STATUS_OK)
    {
      pthread_mutex_lock (&engine->commit_lock);
      result = commit_switch (engine, false, failure);
      pthread_mutex_unlock (&engine->commit_lock);
    }
  if (result == STATUS_OK)
    result = flush_oldest (engine, &did, failure);
  if (result == STATUS_OK && !atomic_load (&engine->write_failed))
    result = flush_numbers (engine, failure);
  /* Flushing does nothing once writes have failed, be it only while old files were collected. */
  *flushed = result == STATUS_OK && !atomic_load (&engine->write_failed);
  return result;
}

/* Makes everything durable: in runs, or where that is impossible at least in the log. */
static status
close_flush (struct engine *engine, bool *flushed, struct failure *failure)
{
  *flushed = false;
  if (engine->manifest == NULL || engine->active == NULL)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT, sync_cause = FAILURE_INIT;
  status result = close_flush_runs (engine, flushed, &cause);
  if (*flushed)
    return STATUS_OK;
  if (engine->wal != NULL
      && commit_sync_log (engine, engine->last_sequence, &sync_cause) == STATUS_OK)
    return STATUS_OK; /* durable in the log: the next open recovers it */
  if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  return fail (failure, engine->write_failure.code,
               "%s is closed; whether its last commits are on disk is unknown: %.250s; open it "
               "again to see",
               engine->path, engine->write_failure.message);
}

/* A program that opens, writes a little and closes leaves a run each time and never lives long
 * enough for a background merge: a merge that is due and cheap is made now. */
#define CLOSE_MERGE_BYTES (UINT64_C (2) << 20)

static void
close_merge (struct engine *engine)
{
  bool did;
  struct failure ignored = FAILURE_INIT; /* nothing is lost: it is due again at the next open */
  atomic_store (&engine->cancel_merges, false); /* the threads are gone */
  if (engine->options.merge_enabled)
    merge_one (engine, CLOSE_MERGE_BYTES, &did, &ignored);
}

/* What was deleted under us is told now: at the next open it is too late to ask who did it. */
static status
close_look_around (struct engine *engine, struct failure *failure)
{
  char missing[FILE_NAME_SIZE];
  if (engine->manifest == NULL || engine->active == NULL)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT;
  status result = manifest_secure (engine->manifest, &cause);
  if (result != STATUS_OK)
    return fail (failure, result, "%s",
                 engine->write_failed ? engine->write_failure.message : cause.message);
  result = upkeep_find_missing (engine->directory, manifest_state (engine->manifest), missing,
                                failure);
  if (result == STATUS_OK && missing[0] != '\0')
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s was deleted by another program while the database was open, and what it "
                 "held is lost; restore a backup, or run repair",
                 engine->directory->path, missing);
  return result;
}

/* Gives back the memory that a closed handle has no use for and nothing is pinned in: somebody may
 * keep the handle for long. The directory stays open: a file that is no longer part of the database
 * is deleted through it when the last value lent from it is released. */
static void
close_trim (struct engine *engine)
{
  if (engine->cache != NULL) /* an opening that failed may have come less far */
    cache_evict_fraction (engine->cache, 1);
  if (engine->pool != NULL)
    memtable_pool_trim (engine->pool);
  if (engine->transaction_pool != NULL)
    memtable_pool_trim (engine->transaction_pool);
  if (hot_records_drop (&engine->hot_records) > 0)
    engine_collect ();
  codec_trim ();
}

status
engine_close (struct engine *engine, struct failure *failure)
{
  if (engine_is_forked (engine))
    return STATUS_OK;
  int open = ENGINE_STATE_OPEN;
  if (!atomic_compare_exchange_strong (&engine->state, &open, ENGINE_STATE_CLOSING))
    {
      while (atomic_load (&engine->state) != ENGINE_STATE_CLOSED) /* another thread is at it */
        nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
      return STATUS_OK;
    }
  close_gate (engine);
  feed_close (engine);
  follow_stop (engine);
  background_stop (engine);
  bool flushed;
  status result = close_flush (engine, &flushed, failure);
  if (flushed)
    close_merge (engine);
  if (flushed && blob_writer_seal (engine->blob_writer, NULL) == STATUS_OK)
    blob_collect (engine);
  if (result == STATUS_OK)
    result = close_look_around (engine, failure);
  if (result == STATUS_OK && flushed && engine->manifest != NULL)
    manifest_condense (engine->manifest, NULL); /* as good as it can be */
  if (engine->blob_writer != NULL)
    blob_writer_free (engine->blob_writer);
  feed_detach_all (engine);
  if (engine->wal != NULL)
    wal_close (engine->wal, flushed);
  manifest_close (engine->manifest);
  engine->blob_writer = NULL;
  engine->wal = NULL;
  engine->manifest = NULL;
  pthread_mutex_lock (&engine->view_lock);
  engine_view_replace (engine, NULL);
  pthread_mutex_unlock (&engine->view_lock);
  generation_unref (engine->active);
  engine->active = NULL;
  engine_collect ();
  follow_free (engine);
  sharing_stop (engine); /* the last word: all is in files now */
  if (engine->unmade != STATUS_OK)
    destroy_unmade (engine);
  writer_lock_release (&engine->writer_lock);
  close_trim (engine);
  metrics_end (engine->metrics);
  atomic_store (&engine->state, ENGINE_STATE_CLOSED);
  return result;
}
