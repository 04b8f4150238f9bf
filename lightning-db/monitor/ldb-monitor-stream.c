/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-stream-private.h"

/* ---- the side that is read ---- */

typedef struct
{
  GFilterInputStream parent_instance;
  gsize left;                        /* bytes that may still be read */
  const MonitorStreamEvents *events; /* static; NULL once the stream was closed */
  gpointer data;                     /* for these */
} MonitorInput;

typedef GFilterInputStreamClass MonitorInputClass;

static void pollable_init (GPollableInputStreamInterface *interface);
static GType monitor_input_get_type (void);
G_DEFINE_FINAL_TYPE_WITH_CODE (MonitorInput, monitor_input, G_TYPE_FILTER_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, pollable_init))

static GPollableInputStream *
base_of (gpointer input)
{
  return G_POLLABLE_INPUT_STREAM (G_FILTER_INPUT_STREAM (input)->base_stream);
}

/* The byte beyond the limit is the one that is too many, so it is read to know of it. */
static gssize
read_some (MonitorInput *self, void *buffer, gsize size, gboolean blocking,
           GCancellable *cancellable, GError **error)
{
  gssize count = g_pollable_stream_read (G_INPUT_STREAM (base_of (self)), buffer,
                                         MIN (size, self->left + 1), blocking, cancellable, error);
  if (count <= 0)
    return count;
  if ((gsize) count <= self->left)
    {
      self->left -= (gsize) count;
      return count;
    }
  self->left = 0;
  if (self->events != NULL)
    self->events->overflowed (self->data);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "The request is too large");
  return -1;
}

static gssize
monitor_input_read (GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
                    GError **error)
{
  return read_some ((MonitorInput *) stream, buffer, size, TRUE, cancellable, error);
}

static gssize
monitor_input_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize size,
                                GError **error)
{
  return read_some ((MonitorInput *) stream, buffer, size, FALSE, NULL, error);
}

static gboolean
monitor_input_is_readable (GPollableInputStream *stream)
{
  return g_pollable_input_stream_is_readable (base_of (stream));
}

static GSource *
monitor_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  g_autoptr (GSource) base = g_pollable_input_stream_create_source (base_of (stream), NULL);
  return g_pollable_source_new_full (stream, base, cancellable);
}

static void
pollable_init (GPollableInputStreamInterface *interface)
{
  interface->is_readable = monitor_input_is_readable;
  interface->read_nonblocking = monitor_input_read_nonblocking;
  interface->create_source = monitor_input_create_source;
}

static void
monitor_input_class_init (MonitorInputClass *class)
{
  G_INPUT_STREAM_CLASS (class)->read_fn = monitor_input_read;
}

static void
monitor_input_init (MonitorInput *self)
{
}

/* ---- both sides ---- */

typedef struct
{
  GIOStream parent_instance;
  GIOStream *base;                   /* owned */
  MonitorInput *input;               /* owned */
  const MonitorStreamEvents *events; /* static; NULL once closed */
  gpointer data;                     /* for these */
} MonitorStream;

typedef GIOStreamClass MonitorStreamClass;

static GType monitor_stream_get_type (void);
G_DEFINE_FINAL_TYPE (MonitorStream, monitor_stream, G_TYPE_IO_STREAM)

static GInputStream *
monitor_stream_get_input (GIOStream *stream)
{
  return G_INPUT_STREAM (((MonitorStream *) stream)->input);
}

static GOutputStream *
monitor_stream_get_output (GIOStream *stream)
{
  return g_io_stream_get_output_stream (((MonitorStream *) stream)->base);
}

static void
tell_closed (MonitorStream *self)
{
  const MonitorStreamEvents *events = g_steal_pointer (&self->events);
  self->input->events = NULL;
  if (events != NULL)
    events->closed (self->data);
}

static gboolean
monitor_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  tell_closed ((MonitorStream *) stream);
  return TRUE;
}

static void
monitor_stream_dispose (GObject *object)
{
  MonitorStream *self = (MonitorStream *) object;
  G_OBJECT_CLASS (monitor_stream_parent_class)->dispose (object); /* closes */
  if (self->input != NULL)
    tell_closed (self);
  g_clear_object (&self->input);
  g_clear_object (&self->base);
}

static void
monitor_stream_class_init (MonitorStreamClass *class)
{
  G_OBJECT_CLASS (class)->dispose = monitor_stream_dispose;
  class->get_input_stream = monitor_stream_get_input;
  class->get_output_stream = monitor_stream_get_output;
  class->close_fn = monitor_stream_close;
}

static void
monitor_stream_init (MonitorStream *self)
{
}

GIOStream *
monitor_stream_new (GIOStream *base, gsize limit, const MonitorStreamEvents *events, gpointer data)
{
  MonitorStream *self = g_object_new (monitor_stream_get_type (), NULL);
  self->base = g_object_ref (base);
  self->events = events;
  self->data = data;
  self->input
      = g_object_new (monitor_input_get_type (), "base-stream", g_io_stream_get_input_stream (base),
                      "close-base-stream", FALSE, NULL);
  self->input->left = limit;
  self->input->events = events;
  self->input->data = data;
  return G_IO_STREAM (self);
}
