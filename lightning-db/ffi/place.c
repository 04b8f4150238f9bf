/* SPDX-License-Identifier: MIT */
#include "place.h"

#include "cell.h"

#include <stdlib.h>

/* From 4096, below which some languages take a pointer for a mistake, to below 2^30. */
struct number_table place_table = NUMBER_TABLE_INIT (4096, (UINT64_C (1) << 30) - 1);

/* ---- using one ---- */

LightningDBError
place_refuse (struct caller *caller, const LightningDB *handle, const struct place *place)
{
  unsigned long long number = (uintptr_t) handle;
  bool inherited = place != NULL;
  atomic_store_explicit (&caller->uses, 0, memory_order_release);
  if (handle == NULL)
    return caller_null (caller, "the database handle");
  if (inherited)
    return caller_fail (caller, ForkedProcess,
                        "the database was opened by the parent process; open it in this process");
  return caller_fail (caller, InvalidHandle, "%#llx is no handle of a database: it %s", number,
                      cell_knows (number) ? "belongs to something else"
                                          : "was freed already, or never opened");
}

LightningDBError
use_begin_writing (struct use *use, const LightningDB *handle)
{
  LightningDBError error = use_begin (use, handle);
  if (error != Success || use->place->snapshot == NULL)
    return error;
  return use_end_error (use, caller_fail (use->caller, DatabaseReadOnly,
                                          "a snapshot can't be changed; write to the database"));
}

LightningDBError
result_copy (struct caller *caller, struct bytes bytes, LightningDBResult *result)
{
  uint8_t *data = malloc (bytes.size > 0 ? bytes.size : 1);
  if (data == NULL)
    return caller_answer (caller, fail_memory (&caller->failure, bytes.size, "a value"));
  if (bytes.size > 0)
    memcpy (data, bytes.data, bytes.size);
  *result = (LightningDBResult){ data, bytes.size };
  return Success;
}

/* ---- what places share ---- */

struct moment *
moment_ref (struct moment *moment)
{
  if (moment != NULL)
    atomic_fetch_add_explicit (&moment->references, 1, memory_order_relaxed);
  return moment;
}

void
moment_unref (struct moment *moment)
{
  if (moment == NULL
      || atomic_fetch_sub_explicit (&moment->references, 1, memory_order_acq_rel) != 1)
    return;
  engine_snapshot_free (moment->snapshot);
  free (moment);
}

struct database *
database_ref (struct database *database)
{
  atomic_fetch_add_explicit (&database->references, 1, memory_order_relaxed);
  return database;
}

void
database_unref (struct database *database)
{
  if (atomic_fetch_sub_explicit (&database->references, 1, memory_order_acq_rel) != 1)
    return;
  engine_unref (database->engine);
  pthread_mutex_destroy (&database->lock);
  free (database);
}
