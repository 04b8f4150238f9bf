/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include "simulated-threads.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool __attribute__ ((format (printf, 2, 3)))
broken (struct judge *judge, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (judge->reason, sizeof judge->reason, format, arguments);
  va_end (arguments);
  return false;
}

static struct engine *
open_again (struct judge *judge, struct disk *disk, const char *path, unsigned flags,
            status *result, struct failure *failure)
{
  struct engine_options options;
  struct engine *engine = NULL;
  workload_options (judge->workload->variant, &disk->vfs, &options);
  *failure = FAILURE_INIT;
  judge->recoveries++;
  *result = engine_open (path, flags, &options, &engine, failure);
  return *result == STATUS_OK ? engine : NULL;
}

static bool
close_again (struct judge *judge, struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_close (engine, &failure);
  engine_unref (engine);
  return result == STATUS_OK
         || broken (judge, "closing: %s (%s)", status_name (result), failure.message);
}

static bool
commit_is_promised (struct judge *judge, uint64_t commit)
{
  if (commit < judge->promise.least)
    return broken (judge, "lost: recovered commit %llu, but %llu was promised to survive",
                   (unsigned long long) commit, (unsigned long long) judge->promise.least);
  if (commit > judge->promise.most)
    return broken (judge, "recovered commit %llu, but only %llu were begun",
                   (unsigned long long) commit, (unsigned long long) judge->promise.most);
  return true;
}

static bool
contents_match (struct judge *judge, struct engine *engine, uint64_t commit, const char *when)
{
  char reason[256];
  if (commit >= judge->promise.gap
      && workload_matches (judge->workload, engine, judge->promise.gap - 1, reason))
    return true;
  return workload_matches (judge->workload, engine, commit, reason)
         || broken (judge, "%s, at commit %llu: %s", when, (unsigned long long) commit, reason);
}

static bool
judge_feed (struct judge *judge, struct engine *engine)
{
  char reason[256];
  return workload_feed_matches (judge->workload, engine, &judge->promise, judge->commit, reason)
         || broken (judge, "%s", reason);
}

/* What a reader finds, who writes nothing; 0 = no database yet. */
static bool
judge_reader (struct judge *judge, struct disk *disk, uint64_t *commit)
{
  status result;
  struct failure failure;
  struct engine *engine
      = open_again (judge, disk, WORKLOAD_PATH, ENGINE_OPEN_READ_ONLY, &result, &failure);
  *commit = 0;
  if (result == STATUS_NOT_FOUND && judge->promise.least == 0)
    return true;
  if (engine == NULL)
    return broken (judge, "opening read-only: %s (%s)", status_name (result), failure.message);
  *commit = engine_sequence (engine);
  bool good
      = commit_is_promised (judge, *commit) && contents_match (judge, engine, *commit, "read-only");
  return close_again (judge, engine) && good;
}

static bool
judge_backup (struct judge *judge, struct disk *disk)
{
  status result;
  struct failure failure;
  if (judge->promise.backup_most == 0)
    return true;
  struct engine *engine
      = open_again (judge, disk, WORKLOAD_BACKUP_PATH, ENGINE_OPEN_READ_ONLY, &result, &failure);
  if (engine == NULL)
    return judge->promise.backup_least == 0
           || broken (judge, "the backup: %s (%s)", status_name (result), failure.message);
  uint64_t commit = engine_sequence (engine);
  bool good = true;
  if (commit < judge->promise.backup_least || commit > judge->promise.backup_most)
    good = broken (judge, "the backup stands at commit %llu, not between %llu and %llu",
                   (unsigned long long) commit, (unsigned long long) judge->promise.backup_least,
                   (unsigned long long) judge->promise.backup_most);
  good = good && contents_match (judge, engine, commit, "the backup");
  return close_again (judge, engine) && good;
}

static void
note_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  struct judge *judge = data;
  broken (judge, "deep check: %s, page %lld: %s", file, (long long) page, reason);
}

static bool
judge_check (struct judge *judge, struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report;
  status result = engine_check_open (engine, true, note_fault, NULL, judge, &report, &failure);
  if (result == STATUS_CORRUPT)
    return false;
  return result == STATUS_OK
         || broken (judge, "deep check: %s (%s)", status_name (result), failure.message);
}

/* A backup that the crash cut short, or that is older, is continued, and then stands where the
 * database does. */
static bool
judge_back_up (struct judge *judge, struct disk *disk, struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  if (judge->promise.backup_most == 0)
    return true;
  status result = engine_backup (engine, WORKLOAD_BACKUP_PATH, true, NULL, NULL, NULL, &failure);
  if (result != STATUS_OK)
    return broken (judge, "backing up after recovery: %s (%s)", status_name (result),
                   failure.message);
  engine = open_again (judge, disk, WORKLOAD_BACKUP_PATH, ENGINE_OPEN_READ_ONLY, &result, &failure);
  if (engine == NULL)
    return broken (judge, "the backup made after recovery: %s (%s)", status_name (result),
                   failure.message);
  bool good = contents_match (judge, engine, judge->commit, "the backup made after recovery");
  return close_again (judge, engine) && good;
}

/* The recovered database takes a commit and still has everything when it is opened again. */
static bool
judge_use (struct judge *judge, struct disk *disk, struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_put (engine, ENGINE_STORE_DEFAULT, workload_mark_key (), BYTES ("1", 1),
                              ENGINE_SYNC_FULL, NULL, &failure);
  if (result != STATUS_OK)
    broken (judge, "writing after recovery: %s (%s)", status_name (result), failure.message);
  bool backed_up = result == STATUS_OK && judge_back_up (judge, disk, engine);
  if (!close_again (judge, engine) || !backed_up)
    return false;
  engine = open_again (judge, disk, WORKLOAD_PATH, 0, &result, &failure);
  if (engine == NULL)
    return broken (judge, "opening once more: %s (%s)", status_name (result), failure.message);
  char mark[8];
  size_t size;
  bool good = contents_match (judge, engine, judge->commit, "opened once more");
  result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, workload_mark_key (), mark, sizeof mark,
                       &size, &failure);
  if (good && (result != STATUS_OK || engine_sequence (engine) != judge->commit + 1))
    good = broken (judge, "what was written after recovery is not there: %s (%s)",
                   status_name (result), failure.message);
  return close_again (judge, engine) && good;
}

static bool
judge_recovered (struct judge *judge, struct disk *disk)
{
  uint64_t seen = 0;
  status result;
  struct failure failure;
  if (judge->thorough && (!judge_reader (judge, disk, &seen) || !judge_backup (judge, disk)))
    return false;
  if (judge->journal != NULL)
    {
      judge->base = disk_clone (disk);
      disk->journal = judge->journal;
    }
  struct engine *engine
      = open_again (judge, disk, WORKLOAD_PATH, ENGINE_OPEN_CREATE, &result, &failure);
  if (engine == NULL)
    return broken (judge, "opening: %s (%s)", status_name (result), failure.message);
  judge->commit = engine_sequence (engine);
  simulated_threads_settle ();
  disk_look (disk);
  if (judge->journal != NULL)
    judge->recovered = judge->journal->count;
  disk->journal = NULL;
  bool good = commit_is_promised (judge, judge->commit)
              && contents_match (judge, engine, judge->commit, "recovered");
  if (good && judge->thorough && seen != judge->commit)
    good = broken (judge, "a reader found commit %llu, the recovery %llu",
                   (unsigned long long) seen, (unsigned long long) judge->commit);
  if (good && (judge->workload->variant & WORKLOAD_RETAINED) != 0)
    good = judge_feed (judge, engine);
  if (good && judge->thorough)
    good = judge_check (judge, engine);
  if (good && judge->thorough)
    return judge_use (judge, disk, engine);
  return close_again (judge, engine) && good;
}

bool
judge_disk (struct judge *judge, struct disk *disk)
{
  judge->reason[0] = '\0';
  simulated_threads_begin (judge->seed, judge->one_in);
  bool good = judge_recovered (judge, disk);
  if (good || disk->open == 0)
    disk_free (disk);
  return good;
}
