/* SPDX-License-Identifier: MIT */
/*
 * Transactions that are open, as others see them.
 */
#include "config.h"

#include "ldb-active-transaction.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-transaction-private.h"

G_DEFINE_BOXED_TYPE (LdbActiveTransaction, ldb_active_transaction, ldb_active_transaction_copy,
                     ldb_active_transaction_free)

/**
 * ldb_active_transaction_copy:
 * @self: an active transaction
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbActiveTransaction *
ldb_active_transaction_copy (const LdbActiveTransaction *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_active_transaction_free:
 * @self: (transfer full) (nullable): an active transaction, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_active_transaction_free (LdbActiveTransaction *self)
{

  g_free (self);
}

gboolean
ldb_transaction_refuse_number (guint64 id, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "There is no open read-write transaction %" G_GUINT64_FORMAT
                        " (any more); list them again.",
                        id);
}

static LdbActiveTransaction *
active_transaction_new (const struct engine_transaction_information *from)
{
  LdbActiveTransaction *transaction = g_new0 (LdbActiveTransaction, 1);
  transaction->id = from->id;
  transaction->snapshot = from->snapshot;
  transaction->age = from->age;
  transaction->left = from->left;
  transaction->operations = from->operations;
  transaction->bytes = from->bytes;
  transaction->reads = from->reads;
  transaction->serializable = from->serializable;
  return transaction;
}

/**
 * ldb_database_list_transactions:
 * @self: a database
 * @error: return location for an error
 *
 * Lists the read-write transactions that are open in this process, of all handles.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbActiveTransaction): the transactions, the newest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_transactions (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  size_t room = engine_transactions (engine, NULL, 0) + 16; /* others may begin meanwhile */
  g_autofree struct engine_transaction_information *all
      = g_new (struct engine_transaction_information, room);
  size_t count = MIN (engine_transactions (engine, all, room), room);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_active_transaction_free);
  for (size_t i = 0; i < count; i++)
    g_ptr_array_add (list, active_transaction_new (&all[i]));
  return list;
}

/**
 * ldb_database_abort_transaction:
 * @self: a database
 * @id: the number of a transaction
 * @error: return location for an error
 *
 * Rolls back a transaction that somebody else holds, as if its timeout had passed: its owner is told
 * %LDB_ERROR_TIMED_OUT by its next call.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when no transaction of that number is open (any more), or it
 * is just being committed; %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: whether it was rolled back
 *
 * Since: 0.1
 */
gboolean
ldb_database_abort_transaction (LdbDatabase *self, guint64 id, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return FALSE;
  if (engine_transaction_abort (engine, id) == STATUS_OK)
    return TRUE;
  return ldb_transaction_refuse_number (id, error);
}
