/* SPDX-License-Identifier: MIT */
/*
 * write: from the application's operations and batches to a commit.
 *
 *   check ─► large values to blob files, under a guard ─► the log record's parts ─► commit_run
 *
 * What was refused gives the space of its large values back.
 */
#include "core/call.h"

#include "base/coding.h"

#include <stdlib.h>

/* ---- single operations ---- */

/* Moves a large value to a blob file; `reference` then is the record's value. */
static status
put_blob (struct engine *engine, struct bytes value, uint8_t reference[BLOB_REFERENCE_SIZE],
          uint64_t *oldest, struct failure *failure)
{
  struct blob_reference place;
  status result = blob_writer_put (engine->blob_writer, value, &place, failure);
  if (result != STATUS_OK)
    return result;
  blob_reference_store (reference, &place);
  if (place.file < *oldest)
    *oldest = place.file;
  return STATUS_OK;
}

/* The commit that refers to it was refused: nothing of it is in the log unless that is in doubt. */
static void
take_back_blob (struct engine *engine, struct bytes value)
{
  struct blob_reference place;
  if (!atomic_load (&engine->write_failed) && blob_reference_load (value, &place))
    blob_writer_take_back (engine->blob_writer, &place);
}

static status
commit_single (struct engine *engine, struct internal_key *internal, engine_store store,
               struct bytes key, struct bytes value, enum record_kind kind, uint64_t oldest_blob,
               enum engine_sync sync, struct steps *steps, uint64_t *sequence,
               struct failure *failure)
{
  uint8_t head[OPERATION_HEAD_SIZE_MAX], middle[VARINT_SIZE_MAX];
  enum operation_kind operation = kind == RECORD_PUT    ? OPERATION_PUT
                                  : kind == RECORD_BLOB ? OPERATION_BLOB
                                                        : OPERATION_DELETE;
  size_t head_size = (size_t) (operation_store_head (head, operation, store, key.size) - head);
  size_t middle_size
      = kind == RECORD_PUT ? (size_t) (varint_store (middle, value.size) - middle) : 0;
  struct blob_reference place;
  struct bytes parts[4] = { BYTES (head, head_size), key, BYTES (middle, middle_size), value };
  struct commit commit = {
    .parts = parts,
    .part_count = 4,
    .records = 1,
    .record_bytes = internal->bytes.size + value.size,
    .user_bytes = key.size + value.size,
    .operations = 1,
    .oldest_blob = oldest_blob,
    .blob_bytes = kind == RECORD_BLOB && blob_reference_load (value, &place) ? place.size : 0,
    .sync = sync,
    .single = { .key = internal->bytes, .value = value, .kind = kind },
    .steps = steps,
    .hash = key_hash (internal->bytes),
  };
  return commit_run (engine, &commit, sequence, failure);
}

status
engine_put (struct engine *engine, engine_store store, struct bytes key, struct bytes value,
            enum engine_sync sync, uint64_t *sequence, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result == STATUS_OK)
    result = check_value (value, failure);
  struct internal_key internal;
  if (result == STATUS_OK)
    result = internal_key_make (&internal, store, key, failure);
  if (result != STATUS_OK)
    return result;
  struct steps taken, *steps = call_begin (engine, &taken);

  if (value.size < engine->options.blob_threshold || engine->read_only)
    result = commit_single (engine, &internal, store, key, value, RECORD_PUT, UINT64_MAX, sync,
                            steps, sequence, failure);
  else
    {
      uint8_t reference[BLOB_REFERENCE_SIZE];
      uint64_t oldest = UINT64_MAX;
      struct blob_guard guard;
      result = blob_guard_enter (engine, &guard, failure);
      if (result != STATUS_OK)
        goto out;
      result = put_blob (engine, value, reference, &oldest, failure);
      if (result == STATUS_OK)
        {
          struct bytes place = BYTES (reference, sizeof reference);
          result = commit_single (engine, &internal, store, key, place, RECORD_BLOB, oldest, sync,
                                  steps, sequence, failure);
          if (result != STATUS_OK)
            take_back_blob (engine, place);
        }
      blob_guard_leave (engine, &guard);
    }
out:
  call_end (engine, steps, ENGINE_CALL_PUT, store, key, value.size);
  internal_key_clear (&internal);
  return result;
}

status
engine_delete (struct engine *engine, engine_store store, struct bytes key, enum engine_sync sync,
               uint64_t *sequence, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  struct internal_key internal;
  if (result == STATUS_OK)
    result = internal_key_make (&internal, store, key, failure);
  if (result != STATUS_OK)
    return result;
  struct steps taken, *steps = call_begin (engine, &taken);
  result = commit_single (engine, &internal, store, key, BYTES_NONE, RECORD_DELETE, UINT64_MAX,
                          sync, steps, sequence, failure);
  call_end (engine, steps, ENGINE_CALL_DELETE, store, key, 0);
  internal_key_clear (&internal);
  return result;
}

status
engine_delete_range (struct engine *engine, engine_store store, struct bytes start,
                     struct bytes end, enum engine_sync sync, uint64_t *sequence,
                     struct failure *failure)
{
  struct engine_batch batch;
  batch_init (&batch);
  status result = engine_batch_delete_range (&batch, store, start, end, failure);
  if (result == STATUS_OK)
    result = engine_write (engine, &batch, sync, sequence, failure);
  batch_clear_memory (&batch);
  return result;
}

/* ---- batches ---- */

/* A copy of the batch in which values from the threshold on are blob references. */
static status
resolve_blobs (struct engine *engine, const struct engine_batch *batch, struct engine_batch *out,
               uint64_t *oldest, struct failure *failure)
{
  struct operation_reader reader = operation_reader_over (BYTES (batch->data, batch->size));
  struct operation operation;
  status result;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      if (operation.dead)
        continue;
      uint8_t reference[BLOB_REFERENCE_SIZE];
      if (operation.kind == OPERATION_PUT && operation.value.size >= engine->options.blob_threshold)
        {
          result = put_blob (engine, operation.value, reference, oldest, failure);
          if (result != STATUS_OK)
            return result;
          operation.kind = OPERATION_BLOB;
          operation.value = BYTES (reference, sizeof reference);
        }
      result = batch_append (out, &operation, failure);
      if (result != STATUS_OK)
        return result;
    }
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

static void
take_back_blobs (struct engine *engine, const struct engine_batch *resolved)
{
  struct operation_reader reader = operation_reader_over (BYTES (resolved->data, resolved->size));
  struct operation operation;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    if (operation.kind == OPERATION_BLOB)
      take_back_blob (engine, operation.value);
}

/* Runs a batch whose large values are in blob files. `given`: as the caller made it, for
 * counting. */
static status
run_batch (struct engine *engine, const struct engine_batch *batch,
           const struct engine_batch *given, uint64_t oldest_blob, enum engine_sync sync,
           struct engine_transaction *transaction, struct steps *steps, uint64_t *sequence,
           struct failure *failure)
{
  uint8_t small[COMMIT_SCRATCH_SIZE (INTERNAL_KEY_INLINE)], *scratch = small;
  struct bytes part = BYTES (batch->data, batch->size);
  if (batch->largest_key > INTERNAL_KEY_INLINE)
    scratch = malloc (COMMIT_SCRATCH_SIZE (batch->largest_key));
  if (scratch == NULL)
    return fail_memory (failure, COMMIT_SCRATCH_SIZE (batch->largest_key), "a commit");
  struct commit commit = {
    .parts = &part,
    .part_count = 1,
    .records = batch->records,
    .record_bytes = batch->record_bytes,
    .ranges = batch->ranges,
    .range_bytes = batch->range_bytes,
    .user_bytes = given->user_bytes,
    .operations = given->count,
    .oldest_blob = oldest_blob,
    .blob_bytes = oldest_blob != UINT64_MAX ? given->user_bytes : 0,
    .sync = sync,
    .batch = batch,
    .scratch = scratch,
    .transaction = transaction,
    .steps = steps,
  };
  status result = commit_run (engine, &commit, sequence, failure);
  if (scratch != small)
    free (scratch);
  return result;
}

static status
write_batch (struct engine *engine, struct engine_batch *batch, enum engine_sync sync,
             struct engine_transaction *transaction, struct steps *steps, uint64_t *sequence,
             struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (batch->user_bytes > engine->options.transaction_bytes_max)
    return fail (
        failure, STATUS_TOO_MANY,
        "a commit of %zu bytes is above the limit of %llu; split it, or use the bulk loader",
        batch->user_bytes, (unsigned long long) engine->options.transaction_bytes_max);
  result = batch_normalise (batch, failure);
  if (result != STATUS_OK)
    return result;
  if (batch->largest_value < engine->options.blob_threshold || engine->read_only)
    return run_batch (engine, batch, batch, UINT64_MAX, sync, transaction, steps, sequence,
                      failure);

  struct engine_batch resolved;
  struct blob_guard guard;
  uint64_t oldest = UINT64_MAX;
  result = blob_guard_enter (engine, &guard, failure);
  if (result != STATUS_OK)
    return result;
  batch_init (&resolved);
  result = resolve_blobs (engine, batch, &resolved, &oldest, failure);
  if (result == STATUS_OK)
    result
        = run_batch (engine, &resolved, batch, oldest, sync, transaction, steps, sequence, failure);
  if (result != STATUS_OK)
    take_back_blobs (engine, &resolved);
  blob_guard_leave (engine, &guard);
  batch_clear_memory (&resolved);
  return result;
}

status
commit_batch (struct engine *engine, struct engine_batch *batch, enum engine_sync sync,
              struct engine_transaction *transaction, uint64_t *sequence, struct failure *failure)
{
  struct steps taken, *steps = call_begin (engine, &taken);
  status result = write_batch (engine, batch, sync, transaction, steps, sequence, failure);
  call_end (engine, steps, transaction != NULL ? ENGINE_CALL_TRANSACTION_COMMIT : ENGINE_CALL_BATCH,
            0, BYTES_NONE, batch->user_bytes);
  if (__builtin_expect (steps != NULL, 0) && result == STATUS_OK)
    hot_keys_note_operations (engine, BYTES (batch->data, batch->size), batch->count);
  return result;
}

status
engine_write (struct engine *engine, struct engine_batch *batch, enum engine_sync sync,
              uint64_t *sequence, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (batch->count == 0)
    {
      if (sequence != NULL)
        *sequence = engine_sequence (engine);
      return STATUS_OK;
    }
  return commit_batch (engine, batch, sync, NULL, sequence, failure);
}
