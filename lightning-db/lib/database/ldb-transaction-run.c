/* SPDX-License-Identifier: MIT */
/*
 * run_transaction: begin, call the caller's function, commit; after a conflict, wait a little and
 * begin again. The function runs where the caller is, never on a thread of the library.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-transaction-private.h"

/* The wait before the n-th retry is about n times this, half more or less. */
#define BACK_OFF_MICROSECONDS 10000

static guint
back_off (guint attempt)
{
  guint middle = BACK_OFF_MICROSECONDS * attempt;
  return (guint) g_random_int_range ((gint32) (middle / 2), (gint32) (middle + middle / 2));
}

/* Begins and calls the function. The transaction, which it may have ended itself; or NULL. */
static LdbTransaction *
begin_and_call (LdbDatabase *database, LdbTransactionFlags flags, LdbTransactionFunc func,
                gpointer func_data, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (LdbTransaction) transaction = ldb_transaction_new (database, flags, error);
  if (transaction == NULL)
    return NULL;
  if (func (transaction, func_data, &local) && local == NULL)
    return g_steal_pointer (&transaction);
  ldb_transaction_rollback (transaction, NULL);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    ldb_error_set (error, LDB_ERROR_FAILED,
                   "The function of the transaction gave up without saying why; it was rolled "
                   "back.");
  return NULL;
}

/* What to say of a transaction that the function has ended itself. */
static gboolean
was_committed (LdbTransaction *transaction, GError **error)
{
  return transaction->committed
         || ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                           "The function of the transaction said that all is well, but it had "
                           "rolled it back, or its own commit had failed; leave the commit to the "
                           "caller, and return FALSE with an error to give up.");
}

static gboolean
run_once (LdbDatabase *database, LdbTransactionFlags flags, LdbTransactionFunc func,
          gpointer func_data, GCancellable *cancellable, GError **error)
{
  g_autoptr (LdbTransaction) transaction = begin_and_call (database, flags, func, func_data, error);
  if (transaction == NULL)
    return FALSE;
  if (g_atomic_int_get (&transaction->ended) != 0)
    return was_committed (transaction, error);
  return ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, cancellable, error);
}

/**
 * ldb_database_run_transaction:
 * @self: a database
 * @flags: what the transaction is for
 * @func: (scope call) (closure func_data): the work
 * @func_data: for @func
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Runs a function in a transaction and commits it, and does it again when the commit conflicts with
 * another one: up to [property@Ldb.Database:max-retries] times, with a short random wait before
 * each.
 *
 * The function is called in this thread. It must not have effects that it cannot repeat. When it
 * ends the transaction itself without committing it and returns %TRUE all the same, that fails with
 * %LDB_ERROR_INVALID_ARGUMENT.
 *
 * ```c
 * static gboolean
 * transfer (LdbTransaction *transaction, gpointer data, GError **error)
 * {
 *   …
 *   return ldb_transaction_put_string (transaction, NULL, "balance", text, error);
 * }
 * …
 * ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, transfer, NULL, NULL, &error);
 * ```
 *
 * Fails with what @func failed with, or as [method@Ldb.Database.begin] and
 * [method@Ldb.Transaction.commit] do. Blocks; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_run_transaction (LdbDatabase *self, LdbTransactionFlags flags, LdbTransactionFunc func,
                              gpointer func_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  guint retries = ldb_database_get_max_retries (self);
  for (guint attempt = 0;; attempt++)
    {
      g_autoptr (GError) local = NULL;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (run_once (self, flags, func, func_data, cancellable, &local))
        return TRUE;
      if (attempt >= retries || !g_error_matches (local, LDB_ERROR, LDB_ERROR_CONFLICT))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      g_usleep (back_off (attempt + 1));
    }
}

/* ---- without blocking ---- */

typedef struct
{
  LdbTransactionFlags flags;   /* as asked */
  LdbTransactionFunc func;     /* the caller's */
  gpointer func_data;          /* for it */
  GDestroyNotify func_destroy; /* of func_data, or NULL */
  guint attempt;               /* how often it was retried */
  guint retries;               /* how often it may be */
  GSource *timer;              /* the wait before the next, or NULL; owned */
} Run;

static void attempt_run (GTask *task);

static void
run_free (gpointer data)
{
  Run *run = data;
  if (run->timer != NULL)
    g_source_destroy (run->timer);
  g_clear_pointer (&run->timer, g_source_unref);
  if (run->func_destroy != NULL)
    run->func_destroy (run->func_data);
  g_free (run);
}

static gboolean
retry_after_wait (gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);
  Run *run = g_task_get_task_data (task);
  g_clear_pointer (&run->timer, g_source_unref);
  attempt_run (task);
  return G_SOURCE_REMOVE;
}

/* Ends the task with the error (taken over), or arms the timer of the next attempt. */
static void
retry_or_fail (GTask *task, GError *error)
{
  Run *run = g_task_get_task_data (task);
  if (run->attempt >= run->retries || !g_error_matches (error, LDB_ERROR, LDB_ERROR_CONFLICT))
    {
      g_task_return_error (task, error);
      return;
    }
  g_error_free (error);
  run->attempt++;
  run->timer = g_timeout_source_new (MAX (back_off (run->attempt) / 1000, 1));
  g_source_set_static_name (run->timer, "[lightning-db] retry");
  g_source_set_callback (run->timer, retry_after_wait, g_object_ref (task), g_object_unref);
  g_source_attach (run->timer, g_task_get_context (task));
}

static void
committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  if (ldb_transaction_commit_finish (LDB_TRANSACTION (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    retry_or_fail (task, error);
}

static void
attempt_run (GTask *task)
{
  Run *run = g_task_get_task_data (task);
  LdbDatabase *database = g_task_get_source_object (task);
  GError *error = NULL;
  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_autoptr (LdbTransaction) transaction
      = begin_and_call (database, run->flags, run->func, run->func_data, &error);
  if (transaction == NULL)
    retry_or_fail (task, error);
  else if (g_atomic_int_get (&transaction->ended) == 0)
    ldb_transaction_commit_async (transaction, LDB_SYNC_MODE_DEFAULT, g_task_get_cancellable (task),
                                  committed, g_object_ref (task));
  else if (was_committed (transaction, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
first_attempt (gpointer data)
{
  attempt_run (data);
  return G_SOURCE_REMOVE;
}

/**
 * ldb_database_run_transaction_async:
 * @self: a database
 * @flags: what the transaction is for
 * @func: (scope notified) (closure func_data) (destroy func_destroy): the work
 * @func_data: for @func
 * @func_destroy: (nullable): frees @func_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Runs a function in a transaction and commits it without blocking: see
 * [method@Ldb.Database.run_transaction]. The function is called in the thread-default main context
 * of this thread, once this call has returned; only the commit happens elsewhere.
 *
 * From Python, @func_data is a tuple of what @func gets besides the transaction, such as `()`.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_run_transaction_async (LdbDatabase *self, LdbTransactionFlags flags,
                                    LdbTransactionFunc func, gpointer func_data,
                                    GDestroyNotify func_destroy, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (func != NULL);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ldb_database_run_transaction_async);
  g_task_set_name (task, "ldb_database_run_transaction_async");
  g_task_set_check_cancellable (task, FALSE);
  Run *run = g_new0 (Run, 1);
  run->flags = flags;
  run->func = func;
  run->func_data = func_data;
  run->func_destroy = func_destroy;
  run->retries = ldb_database_get_max_retries (self);
  g_task_set_task_data (task, run, run_free);
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "[lightning-db] transaction");
  g_source_set_callback (source, first_attempt, task, g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

/**
 * ldb_database_run_transaction_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.run_transaction_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_run_transaction_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_run_transaction_async, error);
}
