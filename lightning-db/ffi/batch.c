/* SPDX-License-Identifier: MIT */
/* batch: an engine's batch under a handle, which remembers whose stores it was filled for. */
#include "argument.h"
#include "cell.h"
#include "place.h"

#include <stdlib.h>

struct batch
{
  struct engine_batch *operations; /* owned */
  uint64_t serial;                 /* of the database whose stores were named; 0 = none yet */
};

#define WHAT "the batch"

static void
batch_free (struct batch *batch)
{
  if (batch != NULL)
    engine_batch_free (batch->operations);
  free (batch);
}

LightningDBBatch *
lightning_db_batch_new (void)
{
  struct caller *caller = caller_get ();
  struct cell *cell;
  if (caller == NULL)
    return NULL;
  struct batch *batch = calloc (1, sizeof *batch);
  status result = batch != NULL ? engine_batch_new (&batch->operations, &caller->failure)
                                : fail_memory (&caller->failure, sizeof *batch, "a batch");
  if (caller_answer (caller, result) != Success
      || cell_add (caller, CELL_BATCH, batch, &cell) != Success)
    {
      batch_free (batch);
      return NULL;
    }
  uint64_t number = cell->number;
  cell_leave (cell);
  return (LightningDBBatch *) (uintptr_t) number;
}

void
lightning_db_batch_free (LightningDBBatch *batch)
{
  struct caller *caller = caller_get ();
  void *thing;
  if (batch != NULL && caller != NULL
      && cell_remove (caller, CELL_BATCH, (uintptr_t) batch, WHAT, &thing) == Success)
    batch_free (thing);
}

/* ---- filling ---- */

/* What a call that fills a batch uses while it runs. */
struct filling
{
  struct use use; /* place NULL: the default store */
  struct cell *cell;
  struct batch *batch;
  engine_store store;
};

static LightningDBError
filling_end_error (struct filling *filling, LightningDBError error)
{
  if (filling->cell != NULL)
    cell_leave (filling->cell);
  return use_end_error (&filling->use, error);
}

/* Stores are known by numbers, which mean something else in another database. */
static LightningDBError
name_database (struct filling *filling)
{
  const struct place *place = filling->use.place;
  if (place == NULL)
    return Success;
  filling->store = place->store;
  uint64_t serial = place->database->serial;
  if (filling->batch->serial != 0 && filling->batch->serial != serial)
    return caller_fail (filling->use.caller, InvalidArgument,
                        "the batch has operations on another database's stores; use one batch for "
                        "each database");
  filling->batch->serial = serial;
  return Success;
}

static LightningDBError
filling_begin (struct filling *filling, LightningDBBatch *handle, LightningDB *store)
{
  *filling = (struct filling){ .use.caller = caller_get (), .store = ENGINE_STORE_DEFAULT };
  if (filling->use.caller == NULL)
    return OutOfMemory;
  LightningDBError error = store != NULL ? use_begin (&filling->use, store) : Success;
  if (error != Success)
    return error;
  error = cell_enter (filling->use.caller, CELL_BATCH, (uintptr_t) handle, WHAT, &filling->cell);
  if (error == Success)
    {
      filling->batch = filling->cell->thing;
      error = name_database (filling);
    }
  return error == Success ? error : filling_end_error (filling, error);
}

static LightningDBError
filling_end (struct filling *filling, status result)
{
  return filling_end_error (filling, caller_answer (filling->use.caller, result));
}

LightningDBError
lightning_db_batch_put (LightningDBBatch *batch, LightningDB *store, const uint8_t *key,
                        size_t key_len, const uint8_t *value, size_t value_len)
{
  struct filling filling;
  LightningDBError error = filling_begin (&filling, batch, store);
  if (error != Success)
    return error;
  if (key == NULL || (value == NULL && value_len > 0))
    return filling_end_error (
        &filling, caller_null (filling.use.caller, key == NULL ? "the key" : "the value"));
  return filling_end (&filling, engine_batch_put (filling.batch->operations, filling.store,
                                                  BYTES (key, key_len), BYTES (value, value_len),
                                                  &filling.use.caller->failure));
}

LightningDBError
lightning_db_batch_delete (LightningDBBatch *batch, LightningDB *store, const uint8_t *key,
                           size_t key_len)
{
  struct filling filling;
  LightningDBError error = filling_begin (&filling, batch, store);
  if (error != Success)
    return error;
  if (key == NULL)
    return filling_end_error (&filling, caller_null (filling.use.caller, "the key"));
  return filling_end (&filling,
                      engine_batch_delete (filling.batch->operations, filling.store,
                                           BYTES (key, key_len), &filling.use.caller->failure));
}

LightningDBError
lightning_db_batch_delete_range (LightningDBBatch *batch, LightningDB *store, const uint8_t *start,
                                 size_t start_len, const uint8_t *end, size_t end_len)
{
  struct filling filling;
  struct bytes lower, upper;
  LightningDBError error = filling_begin (&filling, batch, store);
  if (error != Success)
    return error;
  struct caller *caller = filling.use.caller;
  error = argument_range (caller, start, start_len, end, end_len, &lower, &upper);
  if (error != Success)
    return filling_end_error (&filling, error);
  return filling_end (&filling, engine_batch_delete_range (filling.batch->operations, filling.store,
                                                           lower, upper, &caller->failure));
}

/* ---- the whole ---- */

LightningDBError
lightning_db_batch_count (LightningDBBatch *batch, size_t *count)
{
  struct filling filling;
  LightningDBError error = filling_begin (&filling, batch, NULL);
  if (error != Success)
    return error;
  if (count == NULL)
    return filling_end_error (&filling,
                              caller_null (filling.use.caller, "where to store the count"));
  *count = engine_batch_count (filling.batch->operations);
  return filling_end (&filling, STATUS_OK);
}

LightningDBError
lightning_db_batch_clear (LightningDBBatch *batch)
{
  struct filling filling;
  LightningDBError error = filling_begin (&filling, batch, NULL);
  if (error != Success)
    return error;
  engine_batch_clear (filling.batch->operations);
  filling.batch->serial = 0;
  return filling_end (&filling, STATUS_OK);
}

LightningDBError
lightning_db_write_batch (LightningDB *db, LightningDBBatch *batch, LightningDBSyncMode mode)
{
  struct use use;
  struct cell *cell;
  LightningDBError error = use_begin_writing (&use, db);
  if (error != Success)
    return error;
  struct caller *caller = use.caller;
  error = argument_sync_mode (caller, mode);
  if (error == Success)
    error = cell_enter (caller, CELL_BATCH, (uintptr_t) batch, WHAT, &cell);
  if (error != Success)
    return use_end_error (&use, error);
  const struct batch *taken = cell->thing;
  if (taken->serial != 0 && taken->serial != use.place->database->serial)
    error = caller_fail (caller, InvalidArgument,
                         "the batch has operations on another database's stores; write it there");
  else
    error = caller_answer (caller, engine_write (use.place->engine, taken->operations,
                                                 (enum engine_sync) mode, NULL, &caller->failure));
  cell_leave (cell);
  return use_end_error (&use, error);
}
