/* SPDX-License-Identifier: MIT */
/*
 * LdbInspectorView: recordings. What takes long, packing and unpacking, is done in a thread of its own.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-recording.h"
#include "insp-save.h"
#include "ldb-inspector-view-private.h"

#define FILE_SIZE_MOST ((gsize) 64 << 20) /* bytes: a quarter of an hour takes 2 MB */
#define CHUNK_SIZE ((gsize) 256 << 10)
#define ANSWER_MOST 2000 /* milliseconds that an application has to tell what happened */

/* ---- saving ---- */

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  if (insp_save_finish (G_FILE (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
pack_in_thread (GTask *task, gpointer source, gpointer recording, GCancellable *cancellable)
{
  GError *error = NULL;
  GBytes *bytes = insp_recording_pack (recording, &error);
  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
on_packed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);
  if (bytes == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  GFile *file = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  insp_save_async (file, bytes, G_FILE_CREATE_REPLACE_DESTINATION, cancellable, on_written,
                   g_steal_pointer (&task));
}

static void
pack (GTask *task)
{
  InspSession *session = g_object_get_data (G_OBJECT (task), "insp-session");
  g_autoptr (GTask) packing = g_task_new (g_task_get_source_object (task),
                                          g_task_get_cancellable (task), on_packed, task);
  g_task_set_source_tag (packing, pack_in_thread);
  g_task_set_task_data (packing, g_variant_ref_sink (insp_recording_new (session)),
                        (GDestroyNotify) g_variant_unref);
  g_task_run_in_thread (packing, pack_in_thread);
}

/* What is asked for before packing: what no page has shown yet. An application that does not answer in
 * time, or not at all, leaves what is known. */
typedef struct
{
  GTask *task;               /* that goes on */
  GCancellable *cancellable; /* owned */
  guint timer;               /* that cancels */
} Asking;

static gboolean
on_late (gpointer data)
{
  Asking *asking = data;
  asking->timer = 0;
  g_cancellable_cancel (asking->cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_watches (GObject *inspector, GAsyncResult *result, gpointer data)
{
  Asking *asking = data;
  InspSession *session = g_object_get_data (G_OBJECT (asking->task), "insp-session");
  g_autoptr (GPtrArray) watches
      = ldb_inspector_list_watches_finish (LDB_INSPECTOR (inspector), result, NULL);
  if (watches != NULL)
    insp_watch_log_set_watches (insp_session_get_watches (session), watches);
  pack (asking->task);
  g_clear_handle_id (&asking->timer, g_source_remove);
  g_object_unref (asking->cancellable);
  g_free (asking);
}

static void
on_operations (GObject *inspector, GAsyncResult *result, gpointer data)
{
  Asking *asking = data;
  InspSession *session = g_object_get_data (G_OBJECT (asking->task), "insp-session");
  g_autoptr (GPtrArray) operations
      = ldb_inspector_list_slow_operations_finish (LDB_INSPECTOR (inspector), result, NULL);
  if (operations != NULL)
    insp_seen_add_operations (insp_session_get_operations (session), operations);
  ldb_inspector_list_watches_async (LDB_INSPECTOR (inspector), asking->cancellable, on_watches,
                                    asking);
}

static void
on_events (GObject *inspector, GAsyncResult *result, gpointer data)
{
  Asking *asking = data;
  InspSession *session = g_object_get_data (G_OBJECT (asking->task), "insp-session");
  g_autoptr (GPtrArray) events
      = ldb_inspector_list_events_finish (LDB_INSPECTOR (inspector), result, NULL);
  if (events != NULL)
    insp_seen_add_events (insp_session_get_events (session), events);
  guint64 newest = insp_seen_get_newest_operation (insp_session_get_operations (session));
  ldb_inspector_list_slow_operations_async (LDB_INSPECTOR (inspector), newest, asking->cancellable,
                                            on_operations, asking);
}

static void
ask (GTask *task, InspSession *session)
{
  Asking *asking = g_new (Asking, 1);
  guint64 newest = insp_seen_get_newest_event (insp_session_get_events (session));
  *asking = (Asking){ .task = task, .cancellable = g_cancellable_new () };
  asking->timer = g_timeout_add (ANSWER_MOST, on_late, asking);
  ldb_inspector_list_events_async (insp_session_get_inspector (session), newest,
                                   asking->cancellable, on_events, asking);
}

/**
 * ldb_inspector_view_save_recording_async:
 * @self: a view
 * @file: where to; a file that is there is replaced once all is written
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is written
 * @user_data: for @callback
 *
 * Writes what was seen of the database in the last quarter of an hour to a file, for
 * [method@LdbInspector.View.open_recording_async]: what was counted, events, slow operations, watches and what
 * they were told, and the names of the program, of the folder of the database and of its stores. There are no
 * keys or values of it in the file.
 *
 * Since: 0.1
 */
void
ldb_inspector_view_save_recording_async (LdbInspectorView *self, GFile *file,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  g_return_if_fail (G_IS_FILE (file));
  InspSession *session = insp_view_get_session (self);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ldb_inspector_view_save_recording_async);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  if (session == NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                               _ ("No database is shown, so there is nothing to record."));
      g_object_unref (task);
      return;
    }
  g_object_set_data_full (G_OBJECT (task), "insp-session", g_object_ref (session), g_object_unref);
  if (insp_session_get_state (session) == INSP_SESSION_LIVE)
    ask (task, session);
  else
    pack (task);
}

/**
 * ldb_inspector_view_save_recording_finish:
 * @self: a view
 * @result: what the callback got
 * @error: return location for an error: of [error@Gio.IOErrorEnum]
 *
 * Ends [method@LdbInspector.View.save_recording_async].
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_save_recording_finish (LdbInspectorView *self, GAsyncResult *result,
                                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- opening ---- */

/* A pipe without a writer would be waited for. What else is wrong is found by who reads. */
static gboolean
is_file (GFile *file, GCancellable *cancellable, GError **error)
{
  if (g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, cancellable) != G_FILE_TYPE_SPECIAL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                       _ ("That is a pipe, a socket or a device. Choose a file that holds a "
                          "recording."));
  return FALSE;
}

/* All of a file; NULL with `error` when it is too large to be a recording. */
static GBytes *
read_file (GFile *file, GCancellable *cancellable, GError **error)
{
  if (!is_file (file, cancellable, error))
    return NULL;
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  gsize size = 0, got = CHUNK_SIZE;
  while (stream != NULL && got == CHUNK_SIZE && size < FILE_SIZE_MOST)
    {
      if (!g_input_stream_read_all (G_INPUT_STREAM (stream), chunk, CHUNK_SIZE, &got, cancellable,
                                    error))
        return NULL;
      g_output_stream_write_all (memory, chunk, got, NULL, NULL, NULL); /* memory: never refused */
      size += got;
    }
  if (stream == NULL)
    return NULL;
  g_output_stream_close (memory, NULL, NULL);
  if (size < FILE_SIZE_MOST)
    return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _ ("The file is too large to be a recording of this program."));
  return NULL;
}

static void
read_in_thread (GTask *task, gpointer source, gpointer file, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = read_file (file, cancellable, &error);
  InspSession *session = bytes != NULL ? insp_recording_read (bytes, &error) : NULL;
  if (session != NULL)
    g_task_return_pointer (task, session, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * ldb_inspector_view_open_recording_async:
 * @self: a view
 * @file: a file that [method@LdbInspector.View.save_recording_async] wrote
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is read
 * @user_data: for @callback
 *
 * Reads what was seen of a database earlier.
 *
 * Since: 0.1
 */
void
ldb_inspector_view_open_recording_async (LdbInspectorView *self, GFile *file,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  g_return_if_fail (G_IS_FILE (file));
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ldb_inspector_view_open_recording_async);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  g_task_run_in_thread (task, read_in_thread);
}

/**
 * ldb_inspector_view_open_recording_finish:
 * @self: a view
 * @result: what the callback got
 * @error: return location for an error: of [error@Gio.IOErrorEnum], %G_IO_ERROR_INVALID_DATA for what is no
 *   recording or a damaged one, %G_IO_ERROR_NOT_SUPPORTED for one of a later version,
 *   %G_IO_ERROR_NOT_REGULAR_FILE for a pipe
 *
 * Ends [method@LdbInspector.View.open_recording_async]: shows what was seen. What was shown before is
 * left; when there is an error, it stays.
 *
 * Returns: whether it is shown
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_open_recording_finish (LdbInspectorView *self, GAsyncResult *result,
                                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_autoptr (InspSession) session = g_task_propagate_pointer (G_TASK (result), error);
  if (session == NULL)
    return FALSE;
  insp_view_show (self, session);
  return TRUE;
}
