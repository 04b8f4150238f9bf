/* SPDX-License-Identifier: MIT */
/* upkeep: durability, room, copies, checks, figures, version. */
#include "argument.h"
#include "place.h"

#include <stdio.h>

/* Runs an engine's call that takes nothing but the engine. */
static LightningDBError
run (LightningDB *db, status (*work) (struct engine *engine, struct failure *failure))
{
  struct use use;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  return use_end (&use, work (use.place->engine, &use.caller->failure));
}

LightningDBError
lightning_db_sync (LightningDB *db)
{
  return run (db, engine_sync);
}

LightningDBError
lightning_db_checkpoint (LightningDB *db)
{
  return run (db, engine_checkpoint);
}

static status
compact (struct engine *engine, struct failure *failure)
{
  return engine_compact (engine, NULL, NULL, failure);
}

LightningDBError
lightning_db_compact (LightningDB *db)
{
  return run (db, compact);
}

LightningDBError
lightning_db_evict_cache (LightningDB *db, double fraction)
{
  struct use use;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (!(fraction >= 0 && fraction <= 1))
    return use_end_error (&use,
                          caller_fail (use.caller, InvalidArgument,
                                       "the fraction is %g; it must be from 0 to 1", fraction));
  engine_evict_cache (use.place->engine, fraction);
  return use_end (&use, STATUS_OK);
}

/* ---- copies ---- */

LightningDBError
lightning_db_backup (LightningDB *db, const char *path)
{
  struct use use;
  struct engine_backup_result result;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  error = argument_text (use.caller, path, "the backup's path");
  if (error != Success)
    return use_end_error (&use, error);
  return use_end (&use, engine_backup (use.place->engine, path, true, NULL, NULL, &result,
                                       &use.caller->failure));
}

/* Of a call on a path: NOT_FOUND has no message of its own. */
static LightningDBError
answer_path (struct caller *caller, status result, const char *path)
{
  if (result == STATUS_NOT_FOUND && caller->failure.message[0] == '\0')
    return caller_fail (caller, NotFound, "there is no database at %.200s; check the path", path);
  return caller_answer (caller, result);
}

LightningDBError
lightning_db_restore (const char *backup, const char *path)
{
  struct caller *caller = caller_get ();
  if (caller == NULL)
    return OutOfMemory;
  LightningDBError error = argument_text (caller, backup, "the backup's path");
  if (error == Success)
    error = argument_text (caller, path, "the path");
  if (error != Success)
    return error;
  return answer_path (caller, engine_restore (backup, path, NULL, NULL, &caller->failure), backup);
}

/* ---- damage ---- */

struct first_fault
{
  char text[FAILURE_MESSAGE_SIZE]; /* empty: none yet */
};

static void
note_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  struct first_fault *fault = data;
  if (fault->text[0] != '\0')
    return;
  if (page == UINT64_MAX)
    snprintf (fault->text, sizeof fault->text, "%.150s: %.250s", file, reason);
  else
    snprintf (fault->text, sizeof fault->text, "%.150s, page %llu: %.250s", file,
              (unsigned long long) page, reason);
}

LightningDBError
lightning_db_check (const char *path, int deep)
{
  struct caller *caller = caller_get ();
  struct engine_check_report report;
  struct first_fault fault = { "" };
  if (caller == NULL)
    return OutOfMemory;
  LightningDBError error = argument_text (caller, path, "the path");
  if (error != Success)
    return error;
  status result
      = engine_check (path, deep != 0, note_fault, NULL, &fault, &report, &caller->failure);
  if (result == STATUS_CORRUPT && fault.text[0] != '\0')
    return caller_fail (caller, CorruptedData, "%s; restore a backup, or repair it", fault.text);
  return answer_path (caller, result, path);
}

static void
ignore_loss (void *data, const char *file, uint64_t page, const char *reason)
{
}

LightningDBError
lightning_db_repair (const char *path, const char *destination)
{
  struct caller *caller = caller_get ();
  struct engine_repair_report report;
  if (caller == NULL)
    return OutOfMemory;
  LightningDBError error = argument_text (caller, path, "the path");
  if (error == Success)
    error = argument_text (caller, destination, "the destination");
  if (error != Success)
    return error;
  status result
      = engine_repair (path, destination, ignore_loss, NULL, NULL, &report, &caller->failure);
  return answer_path (caller, result, path);
}

/* ---- figures ---- */

LightningDBError
lightning_db_stats (LightningDB *db, LightningDBStats *stats, size_t size)
{
  struct use use;
  struct engine_statistics now;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (stats == NULL)
    return use_end_null (&use, "where to store the figures");
  engine_statistics (use.place->engine, &now);
  const LightningDBStats all = {
    .sequence = now.sequence,
    .durable_sequence = now.durable_sequence,
    .approximate_keys = now.approximate_keys,
    .data_bytes = now.data_bytes,
    .disk_bytes = now.disk_bytes,
    .log_bytes = now.log_bytes,
    .segment_bytes = now.segment_bytes,
    .large_value_bytes = now.blob_bytes,
    .memory_used = now.memory_used,
    .memory_budget = now.memory_budget,
    .cache_hits = now.cache_hits,
    .cache_misses = now.cache_misses,
    .cache_evictions = now.cache_evictions,
    .gets = now.gets,
    .puts = now.puts,
    .deletes = now.deletes,
    .commits = now.commits,
    .transactions_active = now.transactions_active,
    .transactions_committed = now.transactions_committed,
    .transactions_aborted = now.transactions_aborted,
    .conflicts = now.conflicts,
    .tree_depth = now.tree_depth,
    .segments = now.segments,
    .pending_compact_bytes = now.pending_merge_bytes,
    .page_utilisation = now.page_utilisation,
    .compression_ratio = now.compression_ratio,
  };
  memset (stats, 0, size);
  memcpy (stats, &all, size < sizeof all ? size : sizeof all);
  return use_end (&use, STATUS_OK);
}

/* ---- versions ---- */

const char *
lightning_db_version (void)
{
  return LIGHTNING_DB_VERSION;
}

const char *
ldb_get_version (void)
{
  return LIGHTNING_DB_VERSION;
}

int
ldb_initialize (void)
{
  return 0;
}
