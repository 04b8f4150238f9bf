/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   Y1  The log is only read until everything in it stands in installed, synced runs.
 *   Y2  Old log files are gone, durably, or have become history, before a new log takes its first
 *       record, so that two logs are never mistaken for one.
 *   Y3  A commit whose large value is not wholly on disk ends the log there, as a torn record would
 *       (the value is written first, but only a sync orders the two on disk). It is read as the
 *       disk has it, behind a sync, before it counts.
 *   Y4  What a reader replayed it can read for as long as it is open, whatever a writer beside it
 *       removes: the files that its log refers to are held open.
 */
#include "core/recovery.h"

#include "base/probes.h"

#include <stdlib.h>

struct recovery
{
  struct engine *engine;
  struct sorter *sorter;         /* takes the records that become runs; or, NULL: */
  struct generation *generation; /* takes those that are read where they are */
  uint64_t last_sequence;        /* of the last record applied */
  uint64_t cut;                  /* Y3: sequence of the first commit dropped; 0 = none */
  struct failure cut_cause;      /* what is wrong with its large value */
  uint64_t synced_blob;          /* blob file already synced */
  uint8_t *scratch;              /* COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX) */
};

/* What is only in the page cache, perhaps: the process died, not the machine. Then that is let go:
 * where an earlier run's sync failed, it holds what never came to the disk, and no sync says so
 * again. A file that is missing is for the reading to report. */
static status
sync_blob (struct recovery *recovery, uint64_t number, struct failure *failure)
{
  struct engine *engine = recovery->engine;
  struct vfs_file_information information = { 0 };
  char name[FILE_NAME_SIZE];
  struct vfs_file *file;
  if (recovery->synced_blob == number)
    return STATUS_OK;
  file_name (name, FILE_BLOB, number);
  status result = vfs_open (engine->directory, name, VFS_WRITE, &file, failure);
  if (result == STATUS_NOT_FOUND)
    return STATUS_OK;
  if (result != STATUS_OK)
    return result;
  result = vfs_sync_data (file, failure);
  if (result == STATUS_OK)
    result = vfs_information (file, &information, failure);
  if (result == STATUS_OK)
    vfs_advise_drop (file, 0, information.size);
  vfs_close (file);
  if (result == STATUS_OK)
    result = vfs_directory_sync (engine->directory, failure);
  if (result == STATUS_OK)
    recovery->synced_blob = number;
  return result;
}

/* A reader keeps the files that its log refers to open (Y4). */
static status
keep_blob (struct recovery *recovery, uint64_t number, struct failure *cause)
{
  struct engine *engine = recovery->engine;
  struct blob_file *file;
  if (view_blob (atomic_load (&engine->view), number) != NULL)
    return STATUS_OK;
  status result = blob_file_open (engine->directory, engine->database_id, number, &file, cause);
  if (result != STATUS_OK)
    return result;
  result = generation_lend_blob (recovery->generation, file, cause);
  blob_file_unref (file);
  return result;
}

static status
verify_blob (void *data, struct bytes reference, struct record_needs *needs,
             struct failure *failure)
{
  struct recovery *recovery = data;
  struct engine *engine = recovery->engine;
  struct blob_reference place;
  if (!blob_reference_load (reference, &place))
    return fail (failure, STATUS_CORRUPT,
                 "%s: a blob reference in the log is malformed; run repair", engine->path);
  struct engine_value value;
  struct failure cause = FAILURE_INIT;
  struct view *view = atomic_load (&engine->view); /* nobody else replaces it yet */
  status result = recovery->sorter != NULL ? sync_blob (recovery, place.file, &cause)
                                           : keep_blob (recovery, place.file, &cause);
  if (result == STATUS_OK)
    result = blob_value (engine, view, reference, &value, &cause);
  if (result == STATUS_CORRUPT)
    {
      needs->blob_missing = true;
      recovery->cut_cause = cause;
      return STATUS_OK;
    }
  if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  engine_value_release (&value);
  if (place.file < needs->oldest_blob)
    needs->oldest_blob = place.file;
  return STATUS_OK;
}

status
record_measure (struct bytes payload,
                status (*refer) (void *data, struct bytes reference, struct record_needs *needs,
                                 struct failure *failure),
                void *data, struct record_needs *needs, struct failure *failure)
{
  *needs = (struct record_needs){ .oldest_blob = UINT64_MAX };
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  status result;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      if (operation.kind == OPERATION_LOADED)
        {
          needs->loaded = true;
          continue;
        }
      if (operation.kind == OPERATION_DELETE_RANGE)
        {
          needs->ranges++;
          needs->range_bytes += 2 * STORE_ID_SIZE + operation.key.size + operation.value.size;
          continue;
        }
      needs->records++;
      needs->record_bytes += STORE_ID_SIZE + operation.key.size + operation.value.size;
      if (operation.kind == OPERATION_BLOB && !operation.dead)
        result = refer (data, operation.value, needs, failure);
      if (result != STATUS_OK)
        return result;
    }
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* Writes what was sorted to a run, and starts anew. */
static status
spill (struct recovery *recovery, struct failure *failure)
{
  struct engine *engine = recovery->engine;
  struct sorter *sorter = recovery->sorter;
  if (sorter_is_empty (sorter))
    return STATUS_OK;
  struct flushed flushed = { 0 };
  atomic_store (&engine->published, recovery->last_sequence);
  status result = flush_write_sorted (engine, sorter, &flushed, failure);
  if (result == STATUS_OK)
    result = flush_install (engine, &flushed, NULL, recovery->last_sequence,
                            sorter_data_bytes (sorter), failure);
  flushed_clear (&flushed);
  sorter_clear (sorter);
  return result;
}

/* A commit of the log to the sorter. */
static status
replay_to_sorter (struct recovery *recovery, uint64_t sequence, struct bytes payload,
                  struct failure *failure)
{
  struct sorter *sorter = recovery->sorter;
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  status result = STATUS_OK;
  if (sorter_used (sorter) >= recovery->engine->memtable_size)
    result = spill (recovery, failure);
  while (result == STATUS_OK && operation_next (&reader, &operation, NULL) == STATUS_OK)
    {
      if (operation.dead || operation.kind == OPERATION_LOADED)
        continue;
      if (operation.kind == OPERATION_DELETE_RANGE)
        {
          struct range_delete range = operation_range (&operation, sequence, recovery->scratch);
          result = sorter_add_range (sorter, &range, failure);
        }
      else
        {
          struct record record = operation_record (&operation, sequence, recovery->scratch);
          result = sorter_add (sorter, &record, failure);
        }
    }
  return result;
}

/* A commit of the log to the memtable. */
static status
replay_to_memory (struct recovery *recovery, uint64_t sequence, struct bytes payload,
                  const struct record_needs *needs, struct failure *failure)
{
  struct generation *generation = recovery->generation;
  status result = memtable_reserve (generation->table, needs->records, needs->record_bytes,
                                    needs->ranges, needs->range_bytes, failure);
  if (result != STATUS_OK)
    return result;
  if (needs->oldest_blob < atomic_load (&generation->oldest_blob))
    atomic_store (&generation->oldest_blob, needs->oldest_blob);
  commit_apply (generation->table, payload, sequence, recovery->scratch);
  return STATUS_OK;
}

static status
replay (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct recovery *recovery = data;
  if (recovery->cut != 0)
    return STATUS_OK;
  struct record_needs needs;
  status result = record_measure (payload, verify_blob, recovery, &needs, failure);
  if (result != STATUS_OK)
    return result;
  if (needs.blob_missing)
    {
      recovery->cut = sequence;
      return STATUS_OK;
    }
  result = recovery->sorter != NULL
               ? replay_to_sorter (recovery, sequence, payload, failure)
               : replay_to_memory (recovery, sequence, payload, &needs, failure);
  if (result == STATUS_OK)
    recovery->last_sequence = sequence;
  return result;
}

static status
replay_log (struct recovery *recovery, struct wal_recovery *found, struct failure *failure)
{
  struct engine *engine = recovery->engine;
  recovery->last_sequence = engine->last_sequence;
  recovery->scratch = malloc (COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX));
  if (recovery->scratch == NULL)
    return fail_memory (failure, COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX), "recovery");
  PROBE1 (recovery_begin, engine->path);
  status result = wal_recover (engine->directory, engine->database_id, engine->last_sequence, false,
                               replay, recovery, found, failure);
  PROBE4 (recovery_end, engine->path, found->records, found->bytes, (int) result);
  free (recovery->scratch);
  recovery->scratch = NULL;
  if (result == STATUS_OK && recovery->cut != 0 && found->synced_sequence >= recovery->cut)
    return fail (failure, STATUS_CORRUPT,
                 "the large value of commit %llu is missing or damaged although it was synced; "
                 "restore a backup, or run lightning-cli repair: %.300s",
                 (unsigned long long) recovery->cut, recovery->cut_cause.message);
  return result;
}

/* ---- cleaning up ---- */

#define GONE_MOST 64u /* files held open; what is beyond is waited for */

/* What is about to be removed: see recover_let_go. Where it can't be held it is waited for. */
static void
hold (struct engine *engine, const char *name)
{
  if (engine->gone == NULL)
    engine->gone = calloc (GONE_MOST, sizeof *engine->gone);
  if (engine->gone != NULL && engine->gone_count < GONE_MOST
      && vfs_open (engine->directory, name, VFS_READ, &engine->gone[engine->gone_count], NULL)
             == STATUS_OK)
    engine->gone_count++;
}

static bool
hold_log (void *data, const char *name, uint64_t number)
{
  (void) number;
  hold (data, name);
  return true;
}

void
recover_let_go (struct engine *engine)
{
  for (size_t i = 0; i < engine->gone_count; i++)
    vfs_close (engine->gone[i]);
  free (engine->gone);
  engine->gone = NULL;
  engine->gone_count = 0;
}

struct name_list
{
  char (*names)[FILE_NAME_SIZE];
  size_t count, capacity;
  bool no_memory; /* it is not whole */
};

static void
remember_name (struct name_list *list, const char *name)
{
  if (strlen (name) >= FILE_NAME_SIZE)
    return;
  if (list->count == list->capacity)
    {
      size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
      void *names = realloc (list->names, capacity * sizeof *list->names);
      list->no_memory |= names == NULL;
      if (names == NULL)
        return;
      list->names = names;
      list->capacity = capacity;
    }
  strcpy (list->names[list->count++], name);
}

/* What a crash may have left, and what of it history still refers to. */
struct leftovers
{
  struct name_list names; /* to be removed */
  uint64_t oldest_blob;   /* blob files from this one on stay; UINT64_MAX: none */
  struct engine *engine;  /* notes those that stay */
};

static void
keep_left_blob (struct leftovers *leftovers, uint64_t number)
{
  struct engine *engine = leftovers->engine;
  uint64_t *blobs = realloc (engine->left_blobs, (engine->left_blob_count + 1) * sizeof *blobs);
  leftovers->names.no_memory |= blobs == NULL;
  if (blobs == NULL)
    return;
  engine->left_blobs = blobs;
  blobs[engine->left_blob_count++] = number;
}

static void
remember_orphan (void *data, const char *name)
{
  struct leftovers *leftovers = data;
  enum file_kind kind;
  uint64_t number;
  if (!file_name_parse (name, &kind, &number)) /* never what is not ours */
    return;
  if (kind == FILE_BLOB && number >= leftovers->oldest_blob)
    keep_left_blob (leftovers, number);
  else
    remember_name (&leftovers->names, name);
}

static status
remove_names (struct engine *engine, struct name_list *list, struct failure *failure)
{
  status result = STATUS_OK;
  if (list->no_memory)
    result = fail_memory (failure, 2 * list->capacity * sizeof *list->names, "a list of files");
  for (size_t i = 0; result == STATUS_OK && i < list->count; i++)
    {
      hold (engine, list->names[i]);
      result = vfs_unlink (engine->directory, list->names[i], failure);
    }
  if (result == STATUS_OK && list->count > 0)
    result = vfs_directory_sync (engine->directory, failure);
  return result;
}

status
recover_clean (struct engine *engine, struct failure *failure)
{
  struct leftovers leftovers = {
    .oldest_blob = engine->wal != NULL ? wal_oldest_file (engine->wal) : UINT64_MAX,
    .engine = engine,
  };
  status result = manifest_orphans (engine->directory, manifest_state (engine->manifest),
                                    manifest_file_name (engine->manifest), remember_orphan,
                                    &leftovers, failure);
  if (result == STATUS_OK)
    result = remove_names (engine, &leftovers.names, failure);
  free (leftovers.names.names);
  return result;
}

static void
look_for_blobs (void *data, struct bytes payload, uint64_t *oldest, uint64_t *bytes)
{
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  struct blob_reference place;
  (void) data;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    if (operation.kind == OPERATION_BLOB && blob_reference_load (operation.value, &place))
      {
        *oldest = place.file < *oldest ? place.file : *oldest;
        *bytes += place.size;
      }
}

/* Y2. */
static status
retire_log (struct engine *engine, struct failure *failure)
{
  struct wal_retirement settings = {
    .directory = engine->directory,
    .keep = engine->options.change_retention > 0 && engine->options.log_enabled,
    .last_sequence = engine->last_sequence,
    .look = look_for_blobs,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  wal_list (engine->directory, hold_log, engine, NULL);
  return wal_retire (&settings, failure);
}

status
recover_into_runs (struct engine *engine, struct failure *failure)
{
  struct recovery recovery = { .engine = engine };
  struct wal_recovery found = { 0 };
  uint64_t started = engine_now ();
  status result = sorter_new (&engine->ledger, &recovery.sorter, failure);
  if (result == STATUS_OK)
    result = replay_log (&recovery, &found, failure);
  if (result == STATUS_OK)
    result = spill (&recovery, failure);
  sorter_free (recovery.sorter);
  if (result != STATUS_OK)
    return result;
  engine->last_sequence = recovery.last_sequence;
  atomic_store (&engine->published, recovery.last_sequence);
  result = flush_numbers (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (found.records > 0)
    engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_RECOVERED,
                                               .bytes = found.bytes,
                                               .microseconds = engine_now () - started });
  return retire_log (engine, failure);
}

status
recover_into_memory (struct engine *engine, struct failure *failure)
{
  struct recovery recovery = { .engine = engine, .generation = engine->active };
  struct wal_recovery found = { 0 };
  status result = replay_log (&recovery, &found, failure);
  engine->last_sequence = recovery.last_sequence;
  atomic_store (&engine->published, recovery.last_sequence);
  return result;
}
