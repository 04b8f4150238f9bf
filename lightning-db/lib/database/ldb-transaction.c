/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-cursor-private.h"
#include "ldb-database-private.h"
#include "ldb-enum-types.h"
#include "ldb-error-private.h"
#include "ldb-transaction-private.h"

/**
 * LdbTransaction:
 *
 * Reads and writes, over all stores of a database, that take effect together or not at all.
 *
 * A transaction reads the state at which it began, with its own writes on top. Nothing waits:
 * whether another commit got in the way is found out by [method@Ldb.Transaction.commit], which then
 * fails with %LDB_ERROR_CONFLICT. [method@Ldb.Database.run_transaction] begins again by itself.
 *
 * ```c
 * g_autoptr(LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
 * ldb_transaction_put_string (transaction, NULL, "a", "1", &error);
 * ldb_transaction_put_string (transaction, people, "b", "2", &error);
 * ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
 * ```
 *
 * Threads: one thread at a time; a call while an asynchronous one is under way fails with
 * %LDB_ERROR_PENDING. After commit or rollback, or when its database handle is closed, calls fail
 * with %LDB_ERROR_CLOSED. The last unref rolls back what was not committed.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbTransaction, ldb_transaction, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_ID,
  PROP_FLAGS,
  PROP_SNAPSHOT_SEQUENCE,
  PROP_COMMIT_SEQUENCE,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_STATIC_ASSERT ((int) LDB_TRANSACTION_READ_ONLY == (int) ENGINE_TRANSACTION_READ_ONLY);
G_STATIC_ASSERT ((int) LDB_TRANSACTION_SERIALIZABLE == (int) ENGINE_TRANSACTION_SERIALIZABLE);

LdbTransaction *
ldb_transaction_new (LdbDatabase *database, LdbTransactionFlags flags, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_transaction *transaction;
  if (!ldb_check_flags (flags, LDB_TRANSACTION_READ_ONLY | LDB_TRANSACTION_SERIALIZABLE,
                        "LdbTransactionFlags", error))
    return NULL;
  struct engine *engine = (flags & LDB_TRANSACTION_READ_ONLY)
                              ? ldb_database_enter (database, error)
                              : ldb_database_enter_write (database, error);
  if (engine == NULL)
    return NULL;
  status code = engine_transaction_begin (engine, flags, &transaction, &failure);
  if (code == STATUS_TOO_MANY)
    {
      ldb_error_set (error, LDB_ERROR_TOO_MANY_TRANSACTIONS, "%s", failure.message);
      return NULL;
    }
  if (code != STATUS_OK)
    {
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  LdbTransaction *self = g_object_new (LDB_TYPE_TRANSACTION, NULL);
  self->database = g_object_ref (database);
  self->engine = engine;
  self->transaction = transaction;
  self->flags = flags;
  return self;
}

/* ---- the claim, and the cursors that share it ---- */

gboolean
ldb_transaction_claim (LdbTransaction *self, GError **error)
{
  return ldb_database_is_usable (self->database, error)
         && ldb_busy_enter (&self->busy, "transaction", error);
}

void
ldb_transaction_add_cursor (LdbTransaction *self, LdbCursor *cursor)
{
  pthread_mutex_lock (&self->cursors_lock);
  g_ptr_array_add (self->cursors, cursor);
  pthread_mutex_unlock (&self->cursors_lock);
}

void
ldb_transaction_remove_cursor (LdbTransaction *self, LdbCursor *cursor)
{
  gboolean claimed = ldb_busy_enter (&self->busy, "transaction", NULL);
  pthread_mutex_lock (&self->cursors_lock);
  g_ptr_array_remove_fast (self->cursors, cursor);
  if (claimed)
    ldb_cursor_close_claimed (cursor);
  else
    {
      struct engine_cursor *orphan = ldb_cursor_steal (cursor);
      if (orphan != NULL)
        g_ptr_array_add (self->orphans, orphan);
    }
  pthread_mutex_unlock (&self->cursors_lock);
  if (claimed)
    ldb_busy_leave (&self->busy);
}

/* With the transaction claimed, before it ends. */
static void
close_cursors (LdbTransaction *self)
{
  pthread_mutex_lock (&self->cursors_lock);
  for (guint i = 0; i < self->cursors->len; i++)
    ldb_cursor_close_claimed (g_ptr_array_index (self->cursors, i));
  g_ptr_array_set_size (self->orphans, 0);
  pthread_mutex_unlock (&self->cursors_lock);
}

/* ---- the object ---- */

static void
ldb_transaction_finalize (GObject *object)
{
  LdbTransaction *self = LDB_TRANSACTION (object);
  g_ptr_array_unref (self->orphans);
  g_ptr_array_unref (self->cursors);
  pthread_mutex_destroy (&self->cursors_lock);
  g_clear_pointer (&self->transaction, engine_transaction_free);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_transaction_parent_class)->finalize (object);
}

static void
ldb_transaction_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbTransaction *self = LDB_TRANSACTION (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_ID:
      g_value_set_uint64 (value, ldb_transaction_get_id (self));
      break;
    case PROP_FLAGS:
      g_value_set_flags (value, self->flags);
      break;
    case PROP_SNAPSHOT_SEQUENCE:
      g_value_set_uint64 (value, ldb_transaction_get_snapshot_sequence (self));
      break;
    case PROP_COMMIT_SEQUENCE:
      g_value_set_uint64 (value, self->commit_sequence);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_transaction_class_init (LdbTransactionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = ldb_transaction_finalize;
  object_class->get_property = ldb_transaction_get_property;

  /**
   * LdbTransaction:database:
   *
   * The database it works on.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE] = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbTransaction:id:
   *
   * A number that no other transaction of this opening of the database has.
   *
   * Since: 0.1
   */
  properties[PROP_ID] = g_param_spec_uint64 ("id", NULL, NULL, 0, G_MAXUINT64, 0,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbTransaction:flags:
   *
   * What it was begun with.
   *
   * Since: 0.1
   */
  properties[PROP_FLAGS] = g_param_spec_flags ("flags", NULL, NULL, LDB_TYPE_TRANSACTION_FLAGS, 0,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbTransaction:snapshot-sequence:
   *
   * The newest commit of others that it sees.
   *
   * Since: 0.1
   */
  properties[PROP_SNAPSHOT_SEQUENCE]
      = g_param_spec_uint64 ("snapshot-sequence", NULL, NULL, 0, G_MAXUINT64, 0,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbTransaction:commit-sequence:
   *
   * Its own sequence number once it has committed; 0 before, or when it wrote nothing.
   *
   * Since: 0.1
   */
  properties[PROP_COMMIT_SEQUENCE] = g_param_spec_uint64 (
      "commit-sequence", NULL, NULL, 0, G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_transaction_init (LdbTransaction *self)
{
  pthread_mutex_init (&self->cursors_lock, NULL);
  self->cursors = g_ptr_array_new ();
  self->orphans = g_ptr_array_new_with_free_func ((GDestroyNotify) engine_cursor_free);
}

/**
 * ldb_transaction_get_database:
 * @self: a transaction
 *
 * Gets the database it works on.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_transaction_get_database (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), NULL);
  return self->database;
}

/**
 * ldb_transaction_get_id:
 * @self: a transaction
 *
 * Gets [property@Ldb.Transaction:id].
 *
 * Any thread.
 *
 * Returns: the number, from 1
 *
 * Since: 0.1
 */
guint64
ldb_transaction_get_id (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), 0);
  return self->transaction != NULL ? engine_transaction_id (self->transaction) : 0;
}

/**
 * ldb_transaction_get_flags:
 * @self: a transaction
 *
 * Gets what it was begun with.
 *
 * Any thread.
 *
 * Returns: the flags
 *
 * Since: 0.1
 */
LdbTransactionFlags
ldb_transaction_get_flags (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), LDB_TRANSACTION_NONE);
  return self->flags;
}

/**
 * ldb_transaction_get_snapshot_sequence:
 * @self: a transaction
 *
 * Gets [property@Ldb.Transaction:snapshot-sequence].
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_transaction_get_snapshot_sequence (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), 0);
  return self->transaction != NULL ? engine_transaction_snapshot (self->transaction) : 0;
}

/**
 * ldb_transaction_get_commit_sequence:
 * @self: a transaction
 *
 * Gets [property@Ldb.Transaction:commit-sequence].
 *
 * The thread that committed it.
 *
 * Returns: the sequence number, below 2^53, or 0
 *
 * Since: 0.1
 */
guint64
ldb_transaction_get_commit_sequence (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), 0);
  return self->commit_sequence;
}

/**
 * ldb_transaction_is_active:
 * @self: a transaction
 *
 * Whether it has been neither committed nor rolled back, and its database is open.
 *
 * Any thread.
 *
 * Returns: %TRUE if it can be used
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_is_active (LdbTransaction *self)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  return g_atomic_int_get (&self->ended) == 0 && ldb_database_is_usable (self->database, NULL);
}

/* ---- savepoints and the end ---- */

/**
 * ldb_transaction_savepoint:
 * @self: a transaction
 * @error: return location for an error
 *
 * Marks a point that [method@Ldb.Transaction.rollback_to] can go back to.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_PENDING, %LDB_ERROR_TIMED_OUT or %LDB_ERROR_NO_MEMORY.
 * Does not block; one thread at a time.
 *
 * Returns: the savepoint, never 0; 0 on failure
 *
 * Since: 0.1
 */
guint64
ldb_transaction_savepoint (LdbTransaction *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), 0);
  struct failure failure = FAILURE_INIT;
  uint64_t savepoint = 0;
  if (!ldb_transaction_claim (self, error))
    return 0;
  status code = engine_transaction_savepoint (self->transaction, &savepoint, &failure);
  ldb_busy_leave (&self->busy);
  if (code == STATUS_OK)
    return savepoint;
  ldb_error_take_failure (error, code, &failure);
  return 0;
}

/**
 * ldb_transaction_rollback_to:
 * @self: a transaction
 * @savepoint: what [method@Ldb.Transaction.savepoint] returned
 * @error: return location for an error
 *
 * Undoes every write since a savepoint. The savepoint stays; later ones are gone.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when there is no such savepoint, and as
 * [method@Ldb.Transaction.savepoint] does. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it went back
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_rollback_to (LdbTransaction *self, guint64 savepoint, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  struct failure failure = FAILURE_INIT;
  if (savepoint == 0)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "There is no savepoint 0; pass what the savepoint call returned.");
  if (!ldb_transaction_claim (self, error))
    return FALSE;
  status code = engine_transaction_rollback_to (self->transaction, savepoint, &failure);
  ldb_busy_leave (&self->busy);
  return ldb_error_check (error, code, &failure);
}

/* With the transaction claimed. */
static gboolean
commit_claimed (LdbTransaction *self, LdbSyncMode sync, GError **error)
{
  struct failure failure = FAILURE_INIT;
  uint64_t sequence = 0;
  if (self->transaction == NULL)
    return ldb_database_is_usable (self->database, error); /* it was made by its type alone */
  if (!ldb_check_sync_mode (sync, error))
    return FALSE;
  close_cursors (self);
  status code
      = engine_transaction_commit (self->transaction, (enum engine_sync) sync, &sequence, &failure);
  if (code != STATUS_OK)
    engine_transaction_rollback (self->transaction); /* one that met a full disk is open still */
  self->commit_sequence = code == STATUS_OK ? sequence : 0;
  self->committed = code == STATUS_OK;
  g_atomic_int_set (&self->ended, 1);
  return ldb_error_check (error, code, &failure);
}

/**
 * ldb_transaction_commit:
 * @self: a transaction
 * @sync: when it has to be durable
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Commits all writes at once, and ends the transaction whatever comes of it. (An unknown @sync is
 * %LDB_ERROR_INVALID_ARGUMENT, and nothing has begun.)
 *
 * Fails with %LDB_ERROR_CONFLICT when another commit changed what this one depends on (the message
 * names the key), %LDB_ERROR_CLOSED, %LDB_ERROR_PENDING, %LDB_ERROR_TIMED_OUT,
 * %LDB_ERROR_READ_ONLY, %LDB_ERROR_NO_SPACE, %LDB_ERROR_RATE_LIMITED, %LDB_ERROR_IO or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Only the last leaves open whether it happened. Blocks for the log;
 * one thread at a time.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_commit (LdbTransaction *self, LdbSyncMode sync, GCancellable *cancellable,
                        GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_transaction_claim (self, error))
    return FALSE;
  gboolean committed = commit_claimed (self, sync, error);
  ldb_busy_leave (&self->busy);
  return committed;
}

static gboolean
run_commit (LdbCall *call, GError **error)
{
  return commit_claimed (call->place.transaction, (LdbSyncMode) call->flags, error);
}

/**
 * ldb_transaction_commit_async:
 * @self: a transaction
 * @sync: when it has to be durable
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Commits all writes at once, without blocking: see [method@Ldb.Transaction.commit].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_transaction_commit_async (LdbTransaction *self, LdbSyncMode sync, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_TRANSACTION (self));
  LdbPlace place = { .database = self->database, .transaction = self };
  LdbCall *call = ldb_call_new (run_commit, &place);
  call->flags = sync;
  ldb_call_start_alone (
      call, LDB_REPLY (self, ldb_transaction_commit_async, cancellable, callback, user_data),
      LDB_WORK_SHORT, &self->busy, "transaction");
}

/**
 * ldb_transaction_commit_finish:
 * @self: a transaction
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Transaction.commit_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_commit_finish (LdbTransaction *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_transaction_commit_async, error);
}

/**
 * ldb_transaction_rollback:
 * @self: a transaction
 * @error: return location for an error
 *
 * Drops all writes and ends the transaction. When it has ended already, nothing happens.
 *
 * Fails with %LDB_ERROR_PENDING only. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it has ended
 *
 * Since: 0.1
 */
gboolean
ldb_transaction_rollback (LdbTransaction *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_TRANSACTION (self), FALSE);
  if (!ldb_busy_enter (&self->busy, "transaction", error))
    return FALSE;
  close_cursors (self);
  if (g_atomic_int_compare_and_exchange (&self->ended, 0, 1) && self->transaction != NULL)
    engine_transaction_rollback (self->transaction);
  ldb_busy_leave (&self->busy);
  return TRUE;
}
