/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-events-private.h"

#include "ldb-monitor-text-private.h"

#include <string.h>

#define STREAMS_MAX 16u
#define WAITING_MAX ((gsize) 64 << 10)
#define SIGN_SECONDS 15 /* from one sign of life to the next */

struct _MonitorStreams
{
  MonitorService *service; /* outlives it */
  GPtrArray *streams;      /* Stream; owned */
};

/* A client that follows. */
typedef struct
{
  MonitorStreams *all;           /* that it is one of */
  MonitorConnection *connection; /* a reference */
  SoupServerMessage *message;    /* owned */
  LdbHealthWatch *watch;         /* owned */
  GSource *signs;                /* of life; owned */
  gsize waiting;                 /* bytes that were not taken yet */
  gsize taken;                   /* since the last sign of life */
} Stream;

/* ---- sending ---- */

static void
send_text (Stream *self, const char *text, gsize length)
{
  SoupMessageBody *body = soup_server_message_get_response_body (self->message);
  self->waiting += length;
  soup_message_body_append (body, SOUP_MEMORY_COPY, text, length);
  soup_server_message_unpause (self->message);
}

static void
note_taken (SoupServerMessage *message, guint size, gpointer data)
{
  Stream *self = data;
  self->waiting -= MIN (size, self->waiting);
  self->taken += size;
}

static void
append_event (GString *out, const LdbEvent *event)
{
  const char *kind = monitor_text_nick (LDB_TYPE_EVENT_KIND, event->kind);
  g_string_append_printf (out, "id: %" G_GUINT64_FORMAT "\nevent: %s\ndata: ", event->number, kind);
  GString *data = g_string_new (NULL);
  monitor_json_begin (data);
  monitor_json_count (data, "number", event->number);
  monitor_json_text (data, "kind", kind);
  monitor_json_count (data, "time", (guint64) event->time);
  if (event->times > 1)
    monitor_json_count (data, "times", event->times);
  if (event->size > 0)
    monitor_json_count (data, "size", event->size);
  if (event->size_read > 0)
    monitor_json_count (data, "size_read", event->size_read);
  if (event->duration > 0)
    monitor_json_count (data, "duration_ns", event->duration);
  if (event->code >= 0)
    monitor_json_text (data, "error", monitor_text_nick (LDB_TYPE_ERROR, event->code));
  if (event->kind == LDB_EVENT_HEALTH && event->message != NULL)
    monitor_json_text (data, "message", event->message); /* names of issues */
  monitor_json_end (data);
  g_string_append (out, data->str);
  g_string_append (out, "\n\n");
  g_string_free (data, TRUE);
}

static void
tell (LdbHealthWatch *watch, LdbEvent *event, gpointer data)
{
  Stream *self = data;
  if (self->waiting > WAITING_MAX)
    return;
  g_autoptr (GString) text = g_string_new (NULL);
  append_event (text, event);
  send_text (self, text->str, text->len);
}

/* ---- the end ---- */

static void
stream_free (gpointer data)
{
  Stream *self = data;
  g_signal_handlers_disconnect_by_data (self->message, self);
  g_signal_handlers_disconnect_by_data (self->watch, self);
  ldb_health_watch_close (self->watch);
  g_source_destroy (self->signs);
  g_source_unref (self->signs);
  g_object_unref (self->watch);
  g_object_unref (self->message);
  monitor_connection_unref (self->connection);
  g_free (self);
}

static void
finished (SoupServerMessage *message, gpointer data)
{
  Stream *self = data;
  g_ptr_array_remove_fast (self->all->streams, self);
}

/* Has it finish. */
static void
end_stream (Stream *self)
{
  g_autoptr (SoupServerMessage) message = g_object_ref (self->message);
  soup_message_body_complete (soup_server_message_get_response_body (message));
  soup_server_message_unpause (message);
}

/* It takes nothing, or is gone. */
static void
drop_stream (gpointer data)
{
  Stream *self = data;
  monitor_connection_hang_up (self->connection);
  end_stream (self);
}

/* A comment, so that the client, and what is between, knows that somebody is there. */
static gboolean
give_sign (gpointer data)
{
  Stream *self = data;
  gboolean stuck = self->waiting > 0 && self->taken == 0;
  self->taken = 0;
  if (stuck)
    monitor_connection_note_refusal (self->connection, MONITOR_REFUSED_TIMEOUT, NULL);
  if (stuck)
    drop_stream (self);
  else if (ldb_database_is_closed (monitor_service_get_settings (self->all->service)->database))
    end_stream (self);
  else
    send_text (self, ":\n\n", 3);
  return G_SOURCE_CONTINUE;
}

/* ---- the beginning ---- */

static void
begin_answer (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  gboolean old = soup_server_message_get_http_version (message) == SOUP_HTTP_1_0;
  soup_message_headers_replace (headers, "Content-Type", "text/event-stream");
  soup_message_headers_set_encoding (headers, old ? SOUP_ENCODING_EOF : SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
}

static void
start_signs (Stream *self)
{
  self->signs = g_timeout_source_new_seconds (SIGN_SECONDS);
  g_source_set_static_name (self->signs, "[lightning-db] monitor sign of life");
  g_source_set_callback (self->signs, give_sign, self, NULL);
  g_source_attach (self->signs, monitor_service_get_context (self->all->service));
}

/* What the client has seen, if it says so. */
static void
replay (Stream *self)
{
  guint64 after;
  const char *last = soup_message_headers_get_one (
      soup_server_message_get_request_headers (self->message), "Last-Event-ID");
  if (last != NULL && g_ascii_string_to_unsigned (last, 10, 0, G_MAXUINT64, &after, NULL))
    ldb_health_watch_replay (self->watch, after);
}

gboolean
monitor_streams_add (MonitorStreams *self, MonitorConnection *connection,
                     SoupServerMessage *message)
{
  LdbDatabase *database = monitor_service_get_settings (self->service)->database;
  LdbHealthWatch *watch
      = self->streams->len < STREAMS_MAX ? ldb_database_watch_health (database, 0, NULL) : NULL;
  if (watch == NULL)
    return FALSE;
  Stream *stream = g_new0 (Stream, 1);
  stream->all = self;
  stream->connection = monitor_connection_ref (connection);
  stream->message = g_object_ref (message);
  stream->watch = watch;
  g_ptr_array_add (self->streams, stream);
  monitor_connection_stay (connection, drop_stream, stream);
  begin_answer (message);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (note_taken), stream);
  g_signal_connect (message, "finished", G_CALLBACK (finished), stream);
  g_signal_connect (watch, "event", G_CALLBACK (tell), stream);
  start_signs (stream);
  send_text (stream, "retry: 3000\n\n", 13);
  replay (stream);
  return TRUE;
}

guint
monitor_streams_count (MonitorStreams *self)
{
  return self->streams->len;
}

MonitorStreams *
monitor_streams_new (MonitorService *service)
{
  MonitorStreams *self = g_new0 (MonitorStreams, 1);
  self->service = service;
  self->streams = g_ptr_array_new_with_free_func (stream_free);
  return self;
}

void
monitor_streams_free (MonitorStreams *self)
{
  g_ptr_array_unref (self->streams);
  g_free (self);
}
