/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, the writer's role: a handle that reads becomes one that writes.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-waiter-private.h"

static gboolean
check_may_wait (LdbDatabase *self, GError **error)
{
  if (!ldb_database_is_usable (self, error))
    return FALSE;
  return (self->flags & LDB_OPEN_STATIC) == 0 || !ldb_database_is_read_only (self)
         || ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                           "The database \"%s\" was opened static, so it stays as it is; open it "
                           "read-only to follow the process that writes and take over.",
                           self->path);
}

/**
 * ldb_database_take_over:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes a handle that reads one that writes: waits until the process that writes has ended, by
 * closing the database or by dying, and takes its place. Whoever waited first in this process is
 * first; others that wait here share the role. On a handle that writes it does nothing.
 *
 * What was made from the handle goes on: a [class@Ldb.Watch], [class@Ldb.Entry],
 * [class@Ldb.ListModel] or [class@Ldb.Feed] misses nothing and is told nothing twice, and a
 * [class@Ldb.Snapshot], [class@Ldb.Cursor] or read-only [class@Ldb.Transaction] sees what it saw.
 * They follow this process as they followed the other one. (Who is far behind when the other one
 * dies may be told to resync, a feed %LDB_ERROR_HISTORY_GONE, as whenever the writer changes:
 * [property@Ldb.Options:change-retention] is against that.) What is begun afterwards, by whatever
 * thread, is done by an engine that writes, which sees all that the reading one saw.
 * [property@Ldb.Database:options] are as before, unless this process writes to the database already
 * through another handle: then that one's hold.
 *
 * The reading engine stays until the handle is closed, with a cache that is emptied, since what was
 * made before may read from it.
 *
 * ```c
 * g_autoptr(LdbDatabase) db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
 * g_autoptr(LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
 * …
 * ldb_database_take_over_async (db, cancellable, on_taken_over, self);
 * ```
 *
 * Fails with %LDB_ERROR_CLOSED, also when the handle is closed meanwhile, with
 * %LDB_ERROR_INVALID_ARGUMENT when it was opened with %LDB_OPEN_STATIC, %LDB_ERROR_NOT_FOUND when
 * the database is gone or another one is in its place, and as [func@Ldb.Database.open] does, as
 * with %LDB_ERROR_READ_ONLY where nothing can be written; the handle reads on then. When it was
 * cancelled too late it succeeds. Blocks for as long as the other process writes; any thread, in
 * which `notify::read-only` is emitted.
 *
 * Returns: %TRUE if the handle writes
 *
 * Since: 0.1
 */
gboolean
ldb_database_take_over (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  if (!check_may_wait (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_waiter_try (self, TRUE, TRUE, cancellable, error))
    return FALSE;
  ldb_database_tell_role (self);
  return TRUE;
}

/**
 * ldb_database_take_over_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when the handle writes
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.take_over], without blocking, and without a thread for each that
 * waits. Until then the handle reads as before.
 *
 * Any thread; completes in its thread-default main context, in which `notify::read-only` is emitted
 * right before.
 *
 * Since: 0.1
 */
void
ldb_database_take_over_async (LdbDatabase *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  const LdbReply *reply
      = LDB_REPLY (self, ldb_database_take_over_async, cancellable, callback, user_data);
  GError *error = NULL;
  LdbCall *call = ldb_call_new (NULL, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->succeeded = !ldb_database_is_read_only (self);
  if (!check_may_wait (self, &error) || call->succeeded)
    ldb_call_complete (call, reply, error);
  else
    ldb_waiter_start (call, reply, self, TRUE);
}

/**
 * ldb_database_take_over_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.take_over_async].
 *
 * Returns: %TRUE if the handle writes
 *
 * Since: 0.1
 */
gboolean
ldb_database_take_over_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_take_over_async, error);
}
