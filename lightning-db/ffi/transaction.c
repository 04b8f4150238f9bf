/* SPDX-License-Identifier: MIT */
#include "transaction.h"

#include "argument.h"

#include <stdlib.h>

_Static_assert((int) LightningDBTransactionReadOnly == (int) ENGINE_TRANSACTION_READ_ONLY
                   && (int) LightningDBTransactionSerializable
                          == (int) ENGINE_TRANSACTION_SERIALIZABLE,
               "the engine takes the flags as they are");
_Static_assert((int) LightningDBSyncDefault == (int) ENGINE_SYNC_DEFAULT
                   && (int) LightningDBSyncFull == (int) ENGINE_SYNC_FULL
                   && (int) LightningDBSyncAsync == (int) ENGINE_SYNC_ASYNC
                   && (int) LightningDBSyncNone == (int) ENGINE_SYNC_NONE,
               "the engine takes the mode as it is");

/* ---- the database's list ---- */

/* False when the database was closed meanwhile. */
static bool
list_enter (struct transaction *transaction)
{
  struct database *database = transaction->database;
  pthread_mutex_lock (&database->lock);
  bool open = !database->closed;
  if (open)
    {
      transaction->next = database->transactions;
      if (transaction->next != NULL)
        transaction->next->previous = transaction;
      database->transactions = transaction;
    }
  pthread_mutex_unlock (&database->lock);
  return open;
}

static void
list_leave (struct transaction *transaction)
{
  struct database *database = transaction->database;
  pthread_mutex_lock (&database->lock);
  if (transaction->previous != NULL)
    transaction->previous->next = transaction->next;
  else
    database->transactions = transaction->next;
  if (transaction->next != NULL)
    transaction->next->previous = transaction->previous;
  pthread_mutex_unlock (&database->lock);
}

static void
transaction_free (struct transaction *transaction)
{
  engine_transaction_free (transaction->transaction);
  database_unref (transaction->database);
  free (transaction);
}

/* With the lock of its cell held, which is let go. */
static void
end (struct cell *cell)
{
  list_leave (cell->thing);
  transaction_free (cell_take (cell));
}

static uint64_t
first_number (struct database *database)
{
  pthread_mutex_lock (&database->lock);
  uint64_t number = database->transactions != NULL ? database->transactions->number : 0;
  pthread_mutex_unlock (&database->lock);
  return number;
}

void
transaction_end_all (struct caller *caller, struct database *database)
{
  struct cell *cell;
  uint64_t number;
  /* One that another thread ends at this moment is not found, and is off the list by then. */
  while ((number = first_number (database)) != 0)
    if (cell_enter (caller, CELL_TRANSACTION, number, "the transaction", &cell) == Success)
      end (cell);
}

/* ---- beginning and ending ---- */

LightningDBError
transaction_enter (struct caller *caller, const struct database *database, uint64_t number,
                   struct cell **cell, struct engine_transaction **out)
{
  LightningDBError error = cell_enter (caller, CELL_TRANSACTION, number, "the transaction", cell);
  if (error != Success)
    return error;
  struct transaction *transaction = (*cell)->thing;
  *out = transaction->transaction;
  if (transaction->database == database)
    return Success;
  cell_leave (*cell);
  return caller_fail (caller, InvalidTransaction,
                      "transaction %llu belongs to another database; pass the one it was begun on",
                      (unsigned long long) number);
}

/* Gives a transaction its number and lists it. Takes it over, also on failure. */
static LightningDBError
enlist (struct caller *caller, struct transaction *transaction, uint64_t *tx_id)
{
  struct cell *cell;
  LightningDBError error = cell_add (caller, CELL_TRANSACTION, transaction, &cell);
  if (error != Success)
    {
      transaction_free (transaction);
      return error;
    }
  uint64_t number = transaction->number = cell->number;
  if (!list_enter (transaction))
    {
      transaction_free (cell_take (cell));
      return caller_fail (caller, DatabaseClosed, "the database was freed meanwhile");
    }
  cell_leave (cell);
  *tx_id = number;
  return Success;
}

static LightningDBError
begin (struct use *use, uint32_t flags, uint64_t *tx_id)
{
  struct caller *caller = use->caller;
  if (use->place->snapshot != NULL)
    return caller_fail (caller, DatabaseReadOnly,
                        "a transaction can't be begun on a snapshot; begin it on the database");
  struct transaction *transaction = calloc (1, sizeof *transaction);
  if (transaction == NULL)
    return caller_answer (caller,
                          fail_memory (&caller->failure, sizeof *transaction, "a transaction"));
  status result = engine_transaction_begin (use->place->engine, flags, &transaction->transaction,
                                            &caller->failure);
  if (result != STATUS_OK)
    {
      free (transaction);
      return caller_fail_status (caller, result);
    }
  transaction->database = database_ref (use->place->database);
  return enlist (caller, transaction, tx_id);
}

LightningDBError
lightning_db_begin_transaction_with (LightningDB *db, uint32_t flags, uint64_t *tx_id)
{
  struct use use;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (tx_id == NULL)
    return use_end_null (&use, "where to store the transaction's number");
  *tx_id = 0;
  error = argument_flags (use.caller, flags,
                          LightningDBTransactionReadOnly | LightningDBTransactionSerializable);
  if (error == Success)
    error = begin (&use, flags, tx_id);
  return use_end_error (&use, error);
}

LightningDBError
lightning_db_begin_transaction (LightningDB *db, uint64_t *tx_id)
{
  return lightning_db_begin_transaction_with (db, LightningDBTransactionReadWrite, tx_id);
}

LightningDBError
lightning_db_commit_transaction_with (LightningDB *db, uint64_t tx_id, LightningDBSyncMode mode)
{
  struct use use;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  error = argument_sync_mode (use.caller, mode);
  struct cell *cell;
  struct engine_transaction *transaction;
  if (error == Success)
    error = transaction_enter (use.caller, use.place->database, tx_id, &cell, &transaction);
  if (error != Success)
    return use_end_error (&use, error);
  status result = engine_transaction_commit (transaction, (enum engine_sync) mode, NULL,
                                             &use.caller->failure);
  if (engine_transaction_is_active (transaction)) /* it may be tried again */
    cell_leave (cell);
  else
    end (cell);
  return use_end (&use, result);
}

LightningDBError
lightning_db_commit_transaction (LightningDB *db, uint64_t tx_id)
{
  return lightning_db_commit_transaction_with (db, tx_id, LightningDBSyncDefault);
}

/* ---- inside of one ---- */

/* What a call inside of a transaction uses while it runs. */
struct use_inside
{
  struct use use;
  struct cell *cell; /* locked */
  struct engine_transaction *transaction;
};

static LightningDBError
inside_begin (struct use_inside *inside, const LightningDB *handle, uint64_t tx_id)
{
  LightningDBError error = use_begin (&inside->use, handle);
  if (error != Success)
    return error;
  error = transaction_enter (inside->use.caller, inside->use.place->database, tx_id, &inside->cell,
                             &inside->transaction);
  return error == Success ? error : use_end_error (&inside->use, error);
}

static LightningDBError
inside_end_error (struct use_inside *inside, LightningDBError error)
{
  cell_leave (inside->cell);
  return use_end_error (&inside->use, error);
}

static LightningDBError
inside_end (struct use_inside *inside, status result)
{
  cell_leave (inside->cell);
  return use_end (&inside->use, result);
}

static LightningDBError
inside_end_null (struct use_inside *inside, const char *what)
{
  return inside_end_error (inside, caller_null (inside->use.caller, what));
}

LightningDBError
lightning_db_abort_transaction (LightningDB *db, uint64_t tx_id)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  end (inside.cell);
  return use_end_error (&inside.use, Success);
}

LightningDBError
lightning_db_put_tx (LightningDB *db, uint64_t tx_id, const uint8_t *key, size_t key_len,
                     const uint8_t *value, size_t value_len)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (key == NULL || (value == NULL && value_len > 0))
    return inside_end_null (&inside, key == NULL ? "the key" : "the value");
  return inside_end (&inside, engine_transaction_put (
                                  inside.transaction, inside.use.place->store, BYTES (key, key_len),
                                  BYTES (value, value_len), &inside.use.caller->failure));
}

LightningDBError
lightning_db_get_tx (LightningDB *db, uint64_t tx_id, const uint8_t *key, size_t key_len,
                     LightningDBResult *result)
{
  struct use_inside inside;
  if (result != NULL)
    *result = (LightningDBResult){ NULL, 0 };
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (key == NULL || result == NULL)
    return inside_end_null (&inside, key == NULL ? "the key" : "the result");
  struct engine_value value;
  struct caller *caller = inside.use.caller;
  status found = engine_transaction_get_value (inside.transaction, inside.use.place->store,
                                               BYTES (key, key_len), &value, &caller->failure);
  if (found != STATUS_OK)
    return inside_end (&inside, found == STATUS_NOT_FOUND ? STATUS_OK : found);
  error = result_copy (caller, value.data, result);
  engine_value_release (&value);
  return inside_end_error (&inside, error);
}

LightningDBError
lightning_db_contains_tx (LightningDB *db, uint64_t tx_id, const uint8_t *key, size_t key_len)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (key == NULL)
    return inside_end_null (&inside, "the key");
  status found = engine_transaction_contains (inside.transaction, inside.use.place->store,
                                              BYTES (key, key_len), &inside.use.caller->failure);
  return found == STATUS_NOT_FOUND ? inside_end_error (&inside, NotFound)
                                   : inside_end (&inside, found);
}

LightningDBError
lightning_db_delete_tx (LightningDB *db, uint64_t tx_id, const uint8_t *key, size_t key_len)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (key == NULL)
    return inside_end_null (&inside, "the key");
  return inside_end (&inside,
                     engine_transaction_delete (inside.transaction, inside.use.place->store,
                                                BYTES (key, key_len), &inside.use.caller->failure));
}

LightningDBError
lightning_db_delete_range_tx (LightningDB *db, uint64_t tx_id, const uint8_t *start,
                              size_t start_len, const uint8_t *end_key, size_t end_len)
{
  struct use_inside inside;
  struct bytes lower, upper;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  error = argument_range (inside.use.caller, start, start_len, end_key, end_len, &lower, &upper);
  if (error != Success)
    return inside_end_error (&inside, error);
  return inside_end (&inside,
                     engine_transaction_delete_range (inside.transaction, inside.use.place->store,
                                                      lower, upper, &inside.use.caller->failure));
}

LightningDBError
lightning_db_lock_key_tx (LightningDB *db, uint64_t tx_id, const uint8_t *key, size_t key_len)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (key == NULL)
    return inside_end_null (&inside, "the key");
  return inside_end (
      &inside, engine_transaction_lock_key (inside.transaction, inside.use.place->store,
                                            BYTES (key, key_len), &inside.use.caller->failure));
}

LightningDBError
lightning_db_savepoint_tx (LightningDB *db, uint64_t tx_id, uint64_t *savepoint)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  if (savepoint == NULL)
    return inside_end_null (&inside, "where to store the savepoint");
  return inside_end (&inside, engine_transaction_savepoint (inside.transaction, savepoint,
                                                            &inside.use.caller->failure));
}

LightningDBError
lightning_db_rollback_to_tx (LightningDB *db, uint64_t tx_id, uint64_t savepoint)
{
  struct use_inside inside;
  LightningDBError error = inside_begin (&inside, db, tx_id);
  if (error != Success)
    return error;
  return inside_end (&inside, engine_transaction_rollback_to (inside.transaction, savepoint,
                                                              &inside.use.caller->failure));
}
