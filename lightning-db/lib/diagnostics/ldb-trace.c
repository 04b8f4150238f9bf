/* SPDX-License-Identifier: MIT */
/*
 * One get, step by step.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-store.h"
#include "ldb-trace.h"

G_DEFINE_BOXED_TYPE (LdbTrace, ldb_trace, ldb_trace_copy, ldb_trace_free)

/**
 * ldb_trace_copy:
 * @self: a trace
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbTrace *
ldb_trace_copy (const LdbTrace *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_trace_free:
 * @self: (transfer full) (nullable): a trace, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_trace_free (LdbTrace *self)
{
  g_free (self);
}

static LdbTrace *
trace_new (const struct engine_trace *from)
{
  LdbTrace *trace = g_new0 (LdbTrace, 1);
  trace->duration = from->duration;
  trace->visibility = from->taken[ENGINE_STEP_VISIBILITY];
  trace->memtables = from->taken[ENGINE_STEP_MEMTABLES];
  trace->hot_records = from->taken[ENGINE_STEP_HOT_RECORDS];
  trace->filter = from->taken[ENGINE_STEP_FILTER];
  trace->index = from->taken[ENGINE_STEP_INDEX];
  trace->page = from->taken[ENGINE_STEP_PAGE];
  trace->leaf = from->taken[ENGINE_STEP_LEAF];
  trace->handing_out = from->taken[ENGINE_STEP_COPY];
  trace->other = from->taken[ENGINE_STEP_OTHER];
  trace->page_read = from->waited[ENGINE_WAIT_PAGE_READ];
  trace->decompress = from->waited[ENGINE_WAIT_DECOMPRESS];
  trace->blob_read = from->waited[ENGINE_WAIT_BLOB_READ];
  trace->filters = from->times[ENGINE_STEP_FILTER];
  trace->leaves = from->times[ENGINE_STEP_LEAF];
  return trace;
}

static gboolean
run_trace (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_trace taken;
  struct engine_value value;
  struct bytes key;
  gsize size;
  const void *data = g_bytes_get_data (call->first, &size);
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL || !ldb_check_key (data, size, &key, error))
    return FALSE;
  status code = engine_trace_get (engine, NULL, call->place.store, key, &value, &taken, &failure);
  if (code != STATUS_NOT_FOUND && !ldb_error_check (error, code, &failure))
    return FALSE;
  LdbTrace *trace = trace_new (&taken);
  trace->found = code == STATUS_OK;
  trace->value_length = trace->found ? value.data.size : 0;
  engine_value_release (&value);
  call->result = trace;
  return TRUE;
}

static LdbCall *
new_trace (const LdbPlace *place, gconstpointer key, gsize key_length)
{
  LdbCall *call = ldb_call_new (run_trace, place);
  call->first = g_bytes_new (key, key != NULL ? key_length : 0);
  call->result_free = (GDestroyNotify) ldb_trace_free;
  return call;
}

/**
 * ldb_database_trace_get:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Looks a key up, as [method@Ldb.Database.get] does, and tells how long each step took. Where the key
 * lies tells [method@Ldb.Database.locate_key].
 *
 * It counts like any other lookup, and brings pages into memory like one: a second trace of the same
 * key shows what it takes from there.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_KEY_TOO_LARGE or what reading
 * fails with; not when the key is absent. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the trace
 *
 * Since: 0.1
 */
LdbTrace *
ldb_database_trace_get (LdbDatabase *self, LdbStore *store, gconstpointer key, gsize key_length,
                        GCancellable *cancellable, GError **error)
{
  LdbPlace place;
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail (store == NULL || LDB_IS_STORE (store), NULL);
  if (!ldb_place_init (&place, self, store, error))
    return NULL;
  return ldb_call_now_pointer (new_trace (&place, key, key_length), cancellable, error);
}

/**
 * ldb_database_trace_get_async:
 * @self: a database
 * @store: (nullable): a store of it, or %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key
 * @key_length: its length, 1 to 65,536 bytes
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.trace_get], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_trace_get_async (LdbDatabase *self, LdbStore *store, gconstpointer key,
                              gsize key_length, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  LdbPlace place;
  GError *error = NULL;
  g_return_if_fail (LDB_IS_DATABASE (self));
  g_return_if_fail (store == NULL || LDB_IS_STORE (store));
  const LdbReply *reply
      = LDB_REPLY (self, ldb_database_trace_get_async, cancellable, callback, user_data);
  if (ldb_place_init (&place, self, store, &error))
    ldb_call_start (new_trace (&place, key, key_length), reply, LDB_WORK_SHORT);
  else
    ldb_reply_error (reply, error);
}

/**
 * ldb_database_trace_get_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.trace_get_async].
 *
 * Returns: (transfer full): the trace
 *
 * Since: 0.1
 */
LdbTrace *
ldb_database_trace_get_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_trace_get_async, error);
}
