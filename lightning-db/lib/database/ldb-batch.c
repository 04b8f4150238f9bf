/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-batch-private.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-store-private.h"

/**
 * LdbBatch:
 *
 * Writes to any stores of a database, to be committed at once by
 * [method@Ldb.Database.write_batch].
 *
 * Later operations win over earlier ones. Writing leaves the batch as it is: it can be written
 * again, or emptied with [method@Ldb.Batch.clear], which keeps its memory for the next round.
 *
 * Threads: one thread at a time. A call while it is being written fails with %LDB_ERROR_PENDING.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbBatch, ldb_batch, G_TYPE_OBJECT)

static void
ldb_batch_finalize (GObject *object)
{
  LdbBatch *self = LDB_BATCH (object);
  g_clear_pointer (&self->batch, engine_batch_free);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_batch_parent_class)->finalize (object);
}

static void
ldb_batch_class_init (LdbBatchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ldb_batch_finalize;
}

static void
ldb_batch_init (LdbBatch *self)
{
}

/**
 * ldb_batch_new:
 *
 * Makes an empty batch.
 *
 * Any thread.
 *
 * Returns: (transfer full): the batch
 *
 * Since: 0.1
 */
LdbBatch *
ldb_batch_new (void)
{
  return g_object_new (LDB_TYPE_BATCH, NULL);
}

/* Makes sure that the batch is not being written, and finds the store's number. It is not claimed:
 * one thread at a time calls, so only a write in the background can be under way. */
static gboolean
enter (LdbBatch *self, LdbStore *store, engine_store *id, struct failure *failure, GError **error)
{
  *id = store != NULL ? store->place.store : ENGINE_STORE_DEFAULT;
  failure_reset (failure);
  if (!ldb_busy_check (&self->busy, "batch", error))
    return FALSE;
  if (G_UNLIKELY (store != NULL && store->place.database == NULL))
    return ldb_database_is_usable (NULL, error);
  if (store != NULL && self->database != NULL && self->database != store->place.database
      && !ldb_database_is_same (self->database, store->place.database))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The store \"%s\" belongs to another database than the batch's other "
                          "stores; use one batch for each database.",
                          store->name);
  if (store != NULL && self->database == NULL)
    self->database = g_object_ref (store->place.database);
  status code = self->batch != NULL ? STATUS_OK : engine_batch_new (&self->batch, failure);
  if (G_LIKELY (code == STATUS_OK))
    return TRUE;
  self->batch = NULL;
  return ldb_error_take_failure (error, code, failure);
}

/**
 * ldb_batch_put:
 * @self: a batch
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value; copied
 * @value_length: its bytes, up to 1 GiB
 * @error: return location for an error
 *
 * Adds the putting of a record.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_VALUE_TOO_LARGE,
 * %LDB_ERROR_PENDING or %LDB_ERROR_NO_MEMORY; the batch is then as before. Does not block; one
 * thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_put (LdbBatch *self, LdbStore *store, gconstpointer key, gsize key_length,
               gconstpointer value, gsize value_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), FALSE);
  struct failure failure;
  struct bytes key_bytes, value_bytes;
  engine_store id;
  if (!ldb_check_key (key, key_length, &key_bytes, error)
      || !ldb_check_value (value, value_length, &value_bytes, error)
      || !enter (self, store, &id, &failure, error))
    return FALSE;
  return ldb_error_check (
      error, engine_batch_put (self->batch, id, key_bytes, value_bytes, &failure), &failure);
}

/**
 * ldb_batch_put_bytes:
 * @self: a batch
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: the key
 * @value: the value
 * @error: return location for an error
 *
 * Adds the putting of a record: [method@Ldb.Batch.put] with bytes.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_put_bytes (LdbBatch *self, LdbStore *store, GBytes *key, GBytes *value, GError **error)
{
  g_return_val_if_fail (key != NULL && value != NULL, FALSE);
  gsize key_length, value_length;
  gconstpointer key_data = g_bytes_get_data (key, &key_length);
  gconstpointer value_data = g_bytes_get_data (value, &value_length);
  return ldb_batch_put (self, store, key_data, key_length, value_data, value_length, error);
}

/**
 * ldb_batch_put_string:
 * @self: a batch
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: the key
 * @value: the text
 * @error: return location for an error
 *
 * Adds the putting of text: [method@Ldb.Batch.put] without the terminating zeros.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_put_string (LdbBatch *self, LdbStore *store, const char *key, const char *value,
                      GError **error)
{
  g_return_val_if_fail (key != NULL && value != NULL, FALSE);
  return ldb_batch_put (self, store, key, strlen (key), value, strlen (value), error);
}

/**
 * ldb_batch_put_variant:
 * @self: a batch
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @value: the variant; a floating reference is taken
 * @error: return location for an error
 *
 * Adds the putting of a variant with its type.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_put_variant (LdbBatch *self, LdbStore *store, gconstpointer key, gsize key_length,
                       GVariant *value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_autoptr (GBytes) bytes = ldb_variant_to_bytes (value);
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return ldb_batch_put (self, store, key, key_length, data, length, error);
}

/**
 * ldb_batch_delete:
 * @self: a batch
 * @store: (nullable): where to delete; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes
 * @error: return location for an error
 *
 * Adds the deletion of a key.
 *
 * Fails as [method@Ldb.Batch.put] does. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_delete (LdbBatch *self, LdbStore *store, gconstpointer key, gsize key_length,
                  GError **error)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), FALSE);
  struct failure failure;
  struct bytes bytes;
  engine_store id;
  if (!ldb_check_key (key, key_length, &bytes, error) || !enter (self, store, &id, &failure, error))
    return FALSE;
  return ldb_error_check (error, engine_batch_delete (self->batch, id, bytes, &failure), &failure);
}

/**
 * ldb_batch_delete_string:
 * @self: a batch
 * @store: (nullable): where to delete; %NULL for the default store
 * @key: the key
 * @error: return location for an error
 *
 * Adds the deletion of a key that is text.
 *
 * Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_delete_string (LdbBatch *self, LdbStore *store, const char *key, GError **error)
{
  g_return_val_if_fail (key != NULL, FALSE);
  return ldb_batch_delete (self, store, key, strlen (key), error);
}

/**
 * ldb_batch_delete_range:
 * @self: a batch
 * @store: (nullable): where to delete; %NULL for the default store
 * @start: (nullable) (array length=start_length) (element-type guint8): the first key of the range
 * @start_length: its bytes; 0 leaves the range open
 * @end: (nullable) (array length=end_length) (element-type guint8): the first key behind the range
 * @end_length: its bytes; 0 leaves the range open
 * @error: return location for an error
 *
 * Adds the deletion of a range.
 *
 * Fails as [method@Ldb.Batch.put] does; %LDB_ERROR_INVALID_ARGUMENT also when the start does not
 * come before the end. Does not block; one thread at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_batch_delete_range (LdbBatch *self, LdbStore *store, gconstpointer start, gsize start_length,
                        gconstpointer end, gsize end_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), FALSE);
  struct failure failure;
  struct bytes lower, upper;
  engine_store id;
  if (!ldb_check_range (start, start_length, end, end_length, &lower, &upper, error)
      || !enter (self, store, &id, &failure, error))
    return FALSE;
  return ldb_error_check (
      error, engine_batch_delete_range (self->batch, id, lower, upper, &failure), &failure);
}

/**
 * ldb_batch_clear:
 * @self: a batch
 *
 * Forgets all operations and keeps the memory for new ones. While the batch is being written
 * nothing happens: clear it when that has finished.
 *
 * Does not block; one thread at a time.
 *
 * Since: 0.1
 */
void
ldb_batch_clear (LdbBatch *self)
{
  g_return_if_fail (LDB_IS_BATCH (self));
  if (!ldb_busy_enter (&self->busy, "batch", NULL))
    return;
  if (self->batch != NULL)
    engine_batch_clear (self->batch);
  g_clear_object (&self->database);
  ldb_busy_leave (&self->busy);
}

/**
 * ldb_batch_get_count:
 * @self: a batch
 *
 * Gets how many operations it holds.
 *
 * Does not block; one thread at a time.
 *
 * Returns: the number of operations
 *
 * Since: 0.1
 */
guint64
ldb_batch_get_count (LdbBatch *self)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), 0);
  return self->batch != NULL ? engine_batch_count (self->batch) : 0;
}

/**
 * ldb_batch_get_size:
 * @self: a batch
 *
 * Gets how many bytes of keys and values it holds.
 *
 * Does not block; one thread at a time.
 *
 * Returns: the number of bytes
 *
 * Since: 0.1
 */
guint64
ldb_batch_get_size (LdbBatch *self)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), 0);
  return self->batch != NULL ? engine_batch_size (self->batch) : 0;
}

/**
 * ldb_batch_get_sequence:
 * @self: a batch
 *
 * Gets the sequence number of the commit it was last written as.
 *
 * Does not block; one thread at a time.
 *
 * Returns: the sequence number, below 2^53; 0 when it was never written
 *
 * Since: 0.1
 */
guint64
ldb_batch_get_sequence (LdbBatch *self)
{
  g_return_val_if_fail (LDB_IS_BATCH (self), 0);
  return self->sequence;
}

gboolean
ldb_batch_write_claimed (LdbBatch *self, LdbDatabase *database, LdbSyncMode sync, GError **error)
{
  struct failure failure;
  uint64_t sequence = 0;
  struct engine *engine = ldb_database_enter_write (database, error);
  if (engine == NULL || !ldb_check_sync_mode (sync, error))
    return FALSE;
  if (self->database != NULL && !ldb_database_is_same (self->database, database))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The batch names stores of the database \"%s\", not of \"%s\"; write it "
                          "there.",
                          self->database->path, database->path);
  if (ldb_batch_get_count (self) == 0)
    return TRUE;
  failure_reset (&failure);
  status code = engine_write (engine, self->batch, (enum engine_sync) sync, &sequence, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  self->sequence = sequence;
  return TRUE;
}

/**
 * ldb_database_write_batch:
 * @self: a database
 * @batch: what to write
 * @sync: when it has to be durable
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Commits all operations of a batch at once. An empty batch commits nothing and succeeds.
 *
 * Fails as [method@Ldb.Database.put] does, and with %LDB_ERROR_PENDING or
 * %LDB_ERROR_LIMIT_EXCEEDED. Blocks for the log; any thread.
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_write_batch (LdbDatabase *self, LdbBatch *batch, LdbSyncMode sync,
                          GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  g_return_val_if_fail (LDB_IS_BATCH (batch), FALSE);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_busy_enter (&batch->busy, "batch", error))
    return FALSE;
  gboolean written = ldb_batch_write_claimed (batch, self, sync, error);
  ldb_busy_leave (&batch->busy);
  return written;
}

static gboolean
run_write_batch (LdbCall *call, GError **error)
{
  return ldb_batch_write_claimed (LDB_BATCH (call->subject), call->place.database,
                                  (LdbSyncMode) call->flags, error);
}

/**
 * ldb_database_write_batch_async:
 * @self: a database
 * @batch: what to write; not to be changed until it is done
 * @sync: when it has to be durable
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Commits all operations of a batch at once, without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_write_batch_async (LdbDatabase *self, LdbBatch *batch, LdbSyncMode sync,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (LDB_IS_BATCH (batch));
  LdbCall *call = ldb_call_new (run_write_batch, &self->place);
  call->subject = G_OBJECT (g_object_ref (batch));
  call->flags = sync;
  ldb_call_start_alone (
      call, LDB_REPLY (self, ldb_database_write_batch_async, cancellable, callback, user_data),
      LDB_WORK_SHORT, &batch->busy, "batch");
}

/**
 * ldb_database_write_batch_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.write_batch_async].
 *
 * Returns: %TRUE if it was committed
 *
 * Since: 0.1
 */
gboolean
ldb_database_write_batch_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_write_batch_async, error);
}
