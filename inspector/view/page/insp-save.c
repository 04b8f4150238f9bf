/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-save.h"

typedef struct
{
  GBytes *bytes; /* owned */
  GFileCreateFlags flags;
} Save;

static void
save_free (gpointer data)
{
  g_bytes_unref (((Save *) data)->bytes);
  g_free (data);
}

/* To close it with a cancellable that is cancelled drops what was written. */
static void
drop (GOutputStream *stream)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_output_stream_close (stream, cancelled, NULL);
}

static gboolean
save (GFile *file, const Save *self, GCancellable *cancellable, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (self->bytes, &size);
  g_autoptr (GFileOutputStream) stream
      = g_file_replace (file, NULL, FALSE, self->flags, cancellable, error);
  if (stream == NULL)
    return FALSE;
  GOutputStream *output = G_OUTPUT_STREAM (stream);
  if (g_output_stream_write_all (output, data, size, NULL, cancellable, error))
    return g_output_stream_close (output, cancellable, error);
  drop (output);
  return FALSE;
}

static void
save_in_thread (GTask *task, gpointer file, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  gboolean was_there = g_file_query_exists (file, NULL);
  if (save (file, data, cancellable, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (!was_there) /* it is written in its place then */
    g_file_delete (file, NULL, NULL);
  g_task_return_error (task, error);
}

void
insp_save_async (GFile *file, GBytes *bytes, GFileCreateFlags flags, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (file, cancellable, callback, data);
  Save *self = g_new (Save, 1);
  *self = (Save){ .bytes = g_bytes_ref (bytes), .flags = flags };
  g_task_set_source_tag (task, insp_save_async);
  g_task_set_task_data (task, self, save_free);
  g_task_run_in_thread (task, save_in_thread);
}

gboolean
insp_save_finish (GFile *file, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
