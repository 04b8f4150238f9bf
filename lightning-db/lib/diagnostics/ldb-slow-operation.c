/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-slow-operation.h"

G_DEFINE_BOXED_TYPE (LdbSlowOperation, ldb_slow_operation, ldb_slow_operation_copy,
                     ldb_slow_operation_free)

G_STATIC_ASSERT ((int) LDB_OPERATION_GET == (int) ENGINE_CALL_GET
                 && (int) LDB_OPERATION_TRANSACTION_COMMIT == (int) ENGINE_CALL_TRANSACTION_COMMIT
                 && (int) LDB_OPERATION_TRANSACTION_COMMIT + 1 == (int) ENGINE_CALLS);

/**
 * ldb_slow_operation_copy:
 * @self: a slow operation
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbSlowOperation *
ldb_slow_operation_copy (const LdbSlowOperation *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbSlowOperation *copy = g_memdup2 (self, sizeof *self);
  if (copy->key != NULL)
    g_bytes_ref (copy->key);
  return copy;
}

/**
 * ldb_slow_operation_free:
 * @self: (transfer full): a slow operation
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_slow_operation_free (LdbSlowOperation *self)
{
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self);
}

static LdbSlowOperation *
slow_operation_new (const struct engine_slow_call *from)
{
  LdbSlowOperation *operation = g_new0 (LdbSlowOperation, 1);
  operation->number = from->number;
  operation->ended = (gint64) from->ended;
  operation->duration = from->duration;
  operation->kind = (LdbOperationKind) from->call;
  operation->sampled = from->sampled;
  if (from->key_size > 0)
    operation->key = g_bytes_new (from->key, MIN (from->key_size, sizeof from->key));
  operation->key_length = from->key_size;
  operation->size = from->size;
  operation->page_read = from->waited[ENGINE_WAIT_PAGE_READ];
  operation->decompress = from->waited[ENGINE_WAIT_DECOMPRESS];
  operation->blob_read = from->waited[ENGINE_WAIT_BLOB_READ];
  operation->lock = from->waited[ENGINE_WAIT_LOCK];
  operation->stall = from->waited[ENGINE_WAIT_STALL];
  operation->nap = from->waited[ENGINE_WAIT_NAP];
  operation->log_change = from->waited[ENGINE_WAIT_LOG_CHANGE];
  operation->log_sync = from->waited[ENGINE_WAIT_LOG_SYNC];
  operation->turn = from->waited[ENGINE_WAIT_TURN];
  return operation;
}

/**
 * ldb_database_list_slow_operations:
 * @self: a database
 * @after: the number of the last one that is known, or 0
 * @error: return location for an error
 *
 * Lists the operations that took longer than the threshold, 10 ms unless
 * [method@Ldb.Database.set_slow_threshold] set another, oldest first. The newest 256 are kept.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbSlowOperation): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_slow_operations (LdbDatabase *self, guint64 after, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  g_autofree struct engine_slow_call *calls = g_new (struct engine_slow_call, ENGINE_SLOW_CALLS);
  size_t count = engine_slow_calls (engine, after, calls, ENGINE_SLOW_CALLS);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_slow_operation_free);
  for (size_t i = 0; i < count; i++)
    g_ptr_array_add (list, slow_operation_new (&calls[i]));
  return list;
}

/**
 * ldb_database_set_slow_threshold:
 * @self: a database
 * @microseconds: from how long on an operation is slow; 0: none is
 * @error: return location for an error
 *
 * Sets which operations [method@Ldb.Database.list_slow_operations] lists from now on. All handles of
 * the database share it.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: %TRUE on success
 *
 * Since: 0.1
 */
gboolean
ldb_database_set_slow_threshold (LdbDatabase *self, guint64 microseconds, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return FALSE;
  engine_set_slow_threshold (engine, MIN (microseconds, G_MAXUINT64 / 1000) * 1000);
  return TRUE;
}
