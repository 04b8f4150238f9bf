/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase, by path: opening, creating and destroying.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-options-private.h"

static LdbDatabase *
new_handle (const LdbCall *call)
{
  LdbDatabase *handle = g_object_new (LDB_TYPE_DATABASE, "path", call->path, "flags", call->flags,
                                      "options", call->options, NULL);
  handle->later = call->other_path != NULL;
  if (handle->later)
    {
      g_free (handle->location);
      handle->location = g_strdup (call->other_path);
    }
  return handle;
}

static gboolean
run_open (LdbCall *call, GError **error)
{
  if (!ldb_check_flags (call->flags, LDB_OPEN_KNOWN, "LdbOpenFlags", error))
    return FALSE;
  g_autoptr (LdbDatabase) database = new_handle (call);
  if (!ldb_database_open_handle (database, call->cancellable, error))
    return FALSE;
  call->result = g_steal_pointer (&database);
  return TRUE;
}

/* A worker may come to it when the process has gone to another folder. */
static void
do_later (LdbCall *call)
{
  call->other_path = ldb_database_absolute_path (call->path);
}

static LdbCall *
new_open (LdbCallFunc run, const char *path, LdbOpenFlags flags, LdbOptions *options)
{
  LdbCall *call = ldb_call_new (run, NULL);
  call->path = g_strdup (path);
  call->flags = flags;
  call->options = options != NULL ? ldb_options_copy (options) : NULL;
  call->result_free = (GDestroyNotify) g_object_unref;
  return call;
}

/**
 * ldb_database_open:
 * @path: (type filename): the database directory
 * @flags: how to open it
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Opens a database, and with %LDB_OPEN_CREATE makes one. All handles of a process on one
 * directory share what they have in memory.
 *
 * One process writes, any number read: with %LDB_OPEN_READ_ONLY it is opened beside the writing
 * one, and follows it. With %LDB_OPEN_WAIT it becomes the writing one as soon as that ends, however
 * it ends; until then it can be read through another handle.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT, %LDB_ERROR_NOT_FOUND, %LDB_ERROR_EXISTS,
 * %LDB_ERROR_NOT_A_DATABASE, %LDB_ERROR_NEWER_FORMAT, %LDB_ERROR_LOCKED when another process
 * writes to it, %LDB_ERROR_OPTIONS_MISMATCH, %LDB_ERROR_CORRUPT, %LDB_ERROR_READ_ONLY,
 * %LDB_ERROR_UNSUPPORTED on a network file system (see
 * [property@Ldb.Options:network-file-systems]), %LDB_ERROR_NO_SPACE, %LDB_ERROR_IO or
 * %LDB_ERROR_NO_MEMORY. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_open (const char *path, LdbOpenFlags flags, LdbOptions *options,
                   GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  LdbCall *call = new_open (run_open, path, flags, options);
  return ldb_database_log_opened (ldb_call_now_pointer (call, cancellable, error));
}

/**
 * ldb_database_open_async:
 * @path: (type filename): the database directory
 * @flags: how to open it
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.open], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_open_async (const char *path, LdbOpenFlags flags, LdbOptions *options,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (path != NULL);
  LdbCall *call = new_open (run_open, path, flags, options);
  do_later (call);
  const LdbReply *reply
      = LDB_REPLY (NULL, ldb_database_open_async, cancellable, callback, user_data);
  if ((flags & LDB_OPEN_WAIT) == 0 || (flags & ~(guint) LDB_OPEN_KNOWN) != 0)
    {
      ldb_call_start (call, reply, LDB_WORK_LONG);
      return;
    }
  LdbDatabase *database = new_handle (call);
  call->subject = G_OBJECT (database);
  ldb_database_open_handle_later (database, call, reply);
}

/**
 * ldb_database_open_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.open_async].
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_open_finish (GAsyncResult *result, GError **error)
{
  return ldb_database_log_opened (
      ldb_call_finish_pointer (NULL, result, ldb_database_open_async, error));
}

/**
 * ldb_database_create:
 * @path: (type filename): the database directory; its parent has to exist
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes a new database and opens it: [func@Ldb.Database.open] with %LDB_OPEN_CREATE and
 * %LDB_OPEN_EXCLUSIVE.
 *
 * Fails as [func@Ldb.Database.open] does, with %LDB_ERROR_EXISTS when there is one already.
 * Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_create (const char *path, LdbOptions *options, GCancellable *cancellable,
                     GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  LdbCall *call = new_open (run_open, path, LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE, options);
  return ldb_database_log_opened (ldb_call_now_pointer (call, cancellable, error));
}

/**
 * ldb_database_create_async:
 * @path: (type filename): the database directory; its parent has to exist
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.create], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_create_async (const char *path, LdbOptions *options, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (path != NULL);
  LdbCall *call = new_open (run_open, path, LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE, options);
  do_later (call);
  ldb_call_start (call,
                  LDB_REPLY (NULL, ldb_database_create_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_create_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.create_async].
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_create_finish (GAsyncResult *result, GError **error)
{
  return ldb_database_log_opened (
      ldb_call_finish_pointer (NULL, result, ldb_database_create_async, error));
}

static LdbError
code_of_folder_error (int system_error)
{
  switch (system_error)
    {
    case ENOSPC:
    case EDQUOT:
      return LDB_ERROR_NO_SPACE;
    case EACCES:
    case EPERM:
      return LDB_ERROR_PERMISSION_DENIED;
    case EROFS:
      return LDB_ERROR_READ_ONLY;
    default:
      return LDB_ERROR_IO;
    }
}

static gboolean
run_open_default (LdbCall *call, GError **error)
{
  if (!g_application_id_is_valid (call->path))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "\"%s\" is no application id; it looks like \"org.example.Notes\".",
                          call->path);
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), call->path, NULL);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      int code = errno;
      return ldb_error_set (error, code_of_folder_error (code),
                            "The folder \"%s\" cannot be made: %s. Check the permissions of the "
                            "folders above it.",
                            folder, g_strerror (code));
    }
  g_free (call->path);
  call->path = g_build_filename (folder, "lightning-db", NULL);
  return run_open (call, error);
}

/**
 * ldb_database_open_default:
 * @application_id: the application's id, such as `org.example.Notes`
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Opens the application's own database, `lightning-db` in its folder of the user's data
 * directory, and makes it when it is missing. This is all that most applications need.
 *
 * Fails as [func@Ldb.Database.open] does, with %LDB_ERROR_INVALID_ARGUMENT for what is no
 * application id. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_open_default (const char *application_id, LdbOptions *options,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (application_id != NULL, NULL);
  LdbCall *call = new_open (run_open_default, application_id, LDB_OPEN_CREATE, options);
  return ldb_database_log_opened (ldb_call_now_pointer (call, cancellable, error));
}

/**
 * ldb_database_open_default_async:
 * @application_id: the application's id, such as `org.example.Notes`
 * @options: (nullable): how; %NULL for the defaults and the environment, or for those in force
 *   when the database is open already
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.open_default], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_open_default_async (const char *application_id, LdbOptions *options,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (application_id != NULL);
  LdbCall *call = new_open (run_open_default, application_id, LDB_OPEN_CREATE, options);
  ldb_call_start (
      call, LDB_REPLY (NULL, ldb_database_open_default_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_open_default_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.open_default_async].
 *
 * Returns: (transfer full): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_database_open_default_finish (GAsyncResult *result, GError **error)
{
  return ldb_database_log_opened (
      ldb_call_finish_pointer (NULL, result, ldb_database_open_default_async, error));
}

static gboolean
run_destroy (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  const char *path = call->other_path != NULL ? call->other_path : call->path;
  if (ldb_share_is_open (path))
    return ldb_error_set (error, LDB_ERROR_LOCKED,
                          "The database \"%s\" is open in this process; close all its handles "
                          "first.",
                          call->path);
  status code = engine_destroy (path, NULL, &failure);
  return ldb_error_check_path (error, code, &failure, call->path);
}

/**
 * ldb_database_destroy:
 * @path: (type filename): the database directory
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Deletes the files of a database, and its directory when nothing else is in it. There is no way
 * back.
 *
 * Fails with %LDB_ERROR_LOCKED while it is open in any process, %LDB_ERROR_NOT_FOUND,
 * %LDB_ERROR_NOT_A_DATABASE or %LDB_ERROR_IO. Blocks for the disk; any thread.
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_destroy (const char *path, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL, FALSE);
  LdbCall *call = ldb_call_new (run_destroy, NULL);
  call->path = g_strdup (path);
  return ldb_call_now (call, cancellable, error);
}

/**
 * ldb_database_destroy_async:
 * @path: (type filename): the database directory
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Database.destroy], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_destroy_async (const char *path, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (path != NULL);
  LdbCall *call = ldb_call_new (run_destroy, NULL);
  call->path = g_strdup (path);
  do_later (call);
  ldb_call_start (call,
                  LDB_REPLY (NULL, ldb_database_destroy_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_destroy_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Database.destroy_async].
 *
 * Returns: %TRUE if it is gone
 *
 * Since: 0.1
 */
gboolean
ldb_database_destroy_finish (GAsyncResult *result, GError **error)
{
  return ldb_call_finish (NULL, result, ldb_database_destroy_async, error);
}
