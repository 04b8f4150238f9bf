/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, upkeep: what keeps the files well.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-mark-private.h"

#define SETTLE_PIECE 50000 /* microseconds of a wait, between two looks at its cancellable */

static gboolean
run_sync (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  gint64 begun = ldb_mark_begin ();
  status code = engine_sync (engine, &failure);
  ldb_mark_end (begun, "sync", NULL);
  return ldb_error_check (error, code, &failure);
}

/**
 * ldb_database_sync:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes all commits so far durable, whatever mode they were made in.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_sync (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbCall *call = ldb_call_new (run_sync, &self->place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_sync_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.sync], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_sync_async (LdbDatabase *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_sync, &self->place);
  ldb_call_start (call, LDB_REPLY (self, ldb_database_sync_async, cancellable, callback, user_data),
                  LDB_WORK_SHORT);
}

/**
 * ldb_database_sync_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.sync_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_sync_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_sync_async, error);
}

static gboolean
run_flush (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL && ldb_error_check (error, engine_flush (engine, &failure), &failure);
}

/**
 * ldb_database_flush:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes the tables in memory out to sorted files.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_flush (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbCall *call = ldb_call_new (run_flush, &self->place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_flush_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.flush], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_flush_async (LdbDatabase *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_flush, &self->place);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_flush_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_flush_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.flush_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_flush_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_flush_async, error);
}

static gboolean
run_checkpoint (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL && ldb_error_check (error, engine_checkpoint (engine, &failure), &failure);
}

/**
 * ldb_database_checkpoint:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes everything to sorted files, so that the write-ahead log is empty and the next opening
 * has nothing to recover.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_checkpoint (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbCall *call = ldb_call_new (run_checkpoint, &self->place);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_checkpoint_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.checkpoint], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_checkpoint_async (LdbDatabase *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_checkpoint, &self->place);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_checkpoint_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_checkpoint_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.checkpoint_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_checkpoint_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_checkpoint_async, error);
}

static gboolean
run_wait_settled (LdbCall *call, GError **error)
{
  struct engine *engine = ldb_database_enter (call->place.database, error);
  guint64 left = call->number;
  while (engine != NULL)
    {
      /* In pieces, so that it can be given up. */
      struct failure failure = FAILURE_INIT;
      guint64 piece = call->cancellable != NULL ? MIN (left, SETTLE_PIECE) : left;
      status code = engine_wait_settled (engine, piece, &failure);
      left -= piece;
      if (code != STATUS_TIMED_OUT || left == 0)
        return ldb_error_check (error, code, &failure);
      if (g_cancellable_set_error_if_cancelled (call->cancellable, error))
        return FALSE;
    }
  return FALSE;
}

/**
 * ldb_database_wait_settled:
 * @self: a database
 * @timeout: the longest wait, in milliseconds
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Waits until the background work has nothing left to do: for tests and benchmarks.
 *
 * Fails with %LDB_ERROR_TIMED_OUT when it takes longer, or %LDB_ERROR_CLOSED. Blocks; any thread.
 *
 * Returns: %TRUE if all has settled
 *
 * Since: 0.1
 */
gboolean
ldb_database_wait_settled (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbCall *call = ldb_call_new (run_wait_settled, &self->place);
  call->number = (guint64) timeout * 1000;
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_wait_settled_async:
 * @self: a database
 * @timeout: the longest wait, in milliseconds
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.wait_settled], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_wait_settled_async (LdbDatabase *self, guint timeout, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_wait_settled, &self->place);
  call->number = (guint64) timeout * 1000;
  ldb_call_start (
      call, LDB_REPLY (self, ldb_database_wait_settled_async, cancellable, callback, user_data),
      LDB_WORK_ENDLESS);
}

/**
 * ldb_database_wait_settled_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.wait_settled_async].
 *
 * Returns: %TRUE if all has settled
 *
 * Since: 0.1
 */
gboolean
ldb_database_wait_settled_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_wait_settled_async, error);
}

static gboolean
run_compact (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  gint64 begun = ldb_mark_begin ();
  status code = engine_compact (engine, ldb_progress_report, &call->progress, &failure);
  ldb_mark_end (begun, "compaction", NULL);
  return ldb_error_check (error, code, &failure);
}

/**
 * ldb_database_compact:
 * @self: a database
 * @progress: (nullable) (scope call) (closure progress_data): told how it goes, in this thread
 * @progress_data: for @progress
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Merges everything into one sorted run, whatever it costs. A database does what is worth while
 * by itself; this is for before copying or measuring it.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_READ_ONLY, %LDB_ERROR_IO, %LDB_ERROR_NO_SPACE or
 * %LDB_ERROR_UNKNOWN_OUTCOME; with %LDB_ERROR_PENDING within @progress, as it would wait for
 * itself. Blocks for as long as it takes; any thread.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_compact (LdbDatabase *self, LdbProgressFunc progress, gpointer progress_data,
                      GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  LdbCall *call = ldb_call_new (run_compact, &self->place);
  ldb_call_tell_here (call, progress, progress_data);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_compact_async:
 * @self: a database
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how it goes, in the main context of this thread
 * @progress_data: for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.compact], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_compact_async (LdbDatabase *self, LdbProgressFunc progress, gpointer progress_data,
                            GDestroyNotify progress_destroy, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_compact, &self->place);
  ldb_call_tell_later (call, progress, progress_data, progress_destroy);
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_compact_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_compact_with_closure_async: (rename-to ldb_database_compact_async)
 * @self: a database
 * @progress: (nullable): told how it goes, in the main context of this thread: see
 *   [callback@Ldb.ProgressFunc]
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.compact], without blocking: the form of
 * ldb_database_compact_async() for language bindings, which call it by that name.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_compact_with_closure_async (LdbDatabase *self, GClosure *progress,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_database_compact_async (self, progress != NULL ? ldb_closure_progress : NULL,
                              ldb_closure_hold (progress), ldb_closure_release, cancellable,
                              callback, user_data);
}

/**
 * ldb_database_compact_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.compact_async].
 *
 * Returns: %TRUE if it was done
 *
 * Since: 0.1
 */
gboolean
ldb_database_compact_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_compact_async, error);
}

/**
 * ldb_database_evict_cache:
 * @self: a database
 * @fraction: how much of the cache, from 0 to 1
 * @error: return location for an error
 *
 * Gives memory back: a part of the cached pages, and what lies idle. The library does this by
 * itself when the system runs short of memory.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not touch
 * the disk; any thread.
 *
 * Returns: the bytes given back
 *
 * Since: 0.1
 */
guint64
ldb_database_evict_cache (LdbDatabase *self, double fraction, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  /* Written so that a NaN fails too. */
  if (!(fraction >= 0.0 && fraction <= 1.0))
    {
      ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                     "The fraction is %g; it must be from 0 to 1.", fraction);
      return 0;
    }
  struct engine *engine = ldb_database_enter (self, error);
  return engine != NULL ? engine_evict_cache (engine, fraction) : 0;
}

static gboolean
run_set_budget (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  return engine != NULL
         && ldb_error_check (error, engine_set_memory_budget (engine, call->number, &failure),
                             &failure);
}

static LdbCall *
new_set_budget (LdbDatabase *self, guint64 bytes)
{
  LdbCall *call = ldb_call_new (run_set_budget, &self->place);
  call->number = bytes;
  return call;
}

/**
 * ldb_database_set_memory_budget:
 * @self: a database
 * @bytes: the budget, 10,485,760 (10 MiB) or more
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Has all memory of the database keep to another budget from now on, for all of its handles in this
 * process: what [property@Ldb.Options:cache-size] was when it was opened. What is in force is
 * `memory_budget` of [struct@Ldb.Stats].
 *
 * A smaller one is kept to when this returns: cached pages go, and what is in memory only is written to
 * the disk, while others read and write on. What an application holds (values, cursors) and merges that
 * are under way come on top until they end. To give memory back once is
 * [method@Ldb.Database.evict_cache].
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when it is too small, %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED.
 * Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it is in force
 *
 * Since: 0.1
 */
gboolean
ldb_database_set_memory_budget (LdbDatabase *self, guint64 bytes, GCancellable *cancellable,
                                GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return ldb_call_now (new_set_budget (self, bytes), cancellable, error);
}

/**
 * ldb_database_set_memory_budget_async:
 * @self: a database
 * @bytes: the budget, 10,485,760 (10 MiB) or more
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.set_memory_budget], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_set_memory_budget_async (LdbDatabase *self, guint64 bytes, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (
      new_set_budget (self, bytes),
      LDB_REPLY (self, ldb_database_set_memory_budget_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_set_memory_budget_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.set_memory_budget_async].
 *
 * Returns: %TRUE if it is in force
 *
 * Since: 0.1
 */
gboolean
ldb_database_set_memory_budget_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_set_memory_budget_async, error);
}
