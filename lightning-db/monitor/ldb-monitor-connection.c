/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-connection-private.h"

#include "ldb-monitor-stream-private.h"

#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define REQUEST_MAX 8192 /* bytes of a request: its line and its fields */
#define WHAT_MAX 60      /* bytes shown of what a client sent, before they are escaped */
#define DRAIN_MAX 65536  /* bytes that are thrown away so that the client still gets its answer */

struct _MonitorConnection
{
  guint references;           /* of this */
  GList link;                 /* in the service's queue of those that are idle; its data is this */
  MonitorService *service;    /* outlives it */
  GSocket *socket;            /* owned */
  GIOStream *stream;          /* the socket's, then that of TLS; owned */
  MonitorEndpoints endpoints; /* of the port it came to */
  char *local;                /* see monitor_connection_get_local; owned */
  char *peer;                 /* the client's address, for the log; owned */
  GSource *deadline;          /* a reference; NULL once closed */
  GSource *arrival;           /* waits for the first bytes of a handshake; a reference */
  GSource *departure;         /* waits for the end of one that stays; a reference */
  void (*left) (gpointer);    /* told of that */
  gpointer left_data;         /* for it */
  GCancellable *handshake;    /* of the handshake under way, else NULL; owned */
  gboolean is_served;         /* libsoup has it */
  gboolean is_too_soon;       /* see monitor_connection_is_too_soon */
  gboolean is_leaving;        /* monitor_connection_make_way was called */
  gboolean is_closed;         /* monitor_connection_close was called */
};

MonitorConnection *
monitor_connection_ref (MonitorConnection *self)
{
  self->references++;
  return self;
}

void
monitor_connection_unref (MonitorConnection *self)
{
  if (--self->references > 0)
    return;
  g_clear_object (&self->stream);
  g_clear_object (&self->socket);
  g_free (self->local);
  g_free (self->peer);
  g_free (self);
}

MonitorService *
monitor_connection_get_service (MonitorConnection *self)
{
  return self->service;
}

MonitorEndpoints
monitor_connection_get_endpoints (MonitorConnection *self)
{
  return self->endpoints;
}

const char *
monitor_connection_get_local (MonitorConnection *self)
{
  return self->local;
}

gboolean
monitor_connection_is_too_soon (MonitorConnection *self)
{
  return self->is_too_soon;
}

GList *
monitor_connection_get_link (MonitorConnection *self)
{
  return &self->link;
}

gboolean
monitor_connection_is_leaving (MonitorConnection *self)
{
  return self->is_leaving;
}

/* Never a warning: those can be made to end a program, and anybody could cause one. */
static void
log_refusal (MonitorConnection *self, MonitorVerdict verdict, const char *what)
{
  const char *reason = monitor_verdict_name (verdict);
  LdbLogQueue *log = monitor_service_get_log (self->service);
  LdbLogLine *line = ldb_log_queue_begin (log, LDB_LOG_MONITOR_REFUSED);
  if (line == NULL)
    return;
  ldb_log_line_set (line, "LDB_PEER", "%s", self->peer);
  ldb_log_line_set (line, "LDB_REASON", "%s", reason);
  ldb_log_line_say (line, "The monitor refused a request from %s (%s)", self->peer, reason);
  g_autofree char *shown = what != NULL ? ldb_log_show (what, WHAT_MAX) : NULL;
  if (shown != NULL)
    ldb_log_line_say (line, ": “%s”", shown);
  ldb_log_queue_push (log, line);
}

void
monitor_connection_note_refusal (MonitorConnection *self, MonitorVerdict verdict, const char *what)
{
  monitor_service_count_refusal (self->service, verdict);
  log_refusal (self, verdict, what);
}

/* ---- the end ---- */

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* What is still to be read when a socket is closed makes the kernel tell the client of an error,
 * and the answer on its way is lost. */
static void
drain (MonitorConnection *self)
{
  char bytes[4096];
  g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
  for (gsize total = 0; total < DRAIN_MAX; total += sizeof bytes)
    if (g_socket_receive_with_blocking (self->socket, bytes, sizeof bytes, FALSE, NULL, NULL) <= 0)
      return;
}

static void
close_stream (MonitorConnection *self)
{
  /* The end of TLS is told only where that can't block: it is a few bytes. */
  if (G_IS_TLS_CONNECTION (self->stream)
      && (g_socket_condition_check (self->socket, G_IO_OUT | G_IO_HUP | G_IO_ERR) == G_IO_OUT))
    g_output_stream_close (g_io_stream_get_output_stream (self->stream), NULL, NULL);
  drain (self);
  g_socket_close (self->socket, NULL);
}

void
monitor_connection_close (MonitorConnection *self)
{
  if (self->is_closed)
    return;
  self->is_closed = TRUE;
  clear_source (&self->deadline);
  clear_source (&self->arrival);
  clear_source (&self->departure);
  monitor_handshakes_remove (self->service, self);
  if (self->handshake != NULL)
    {
      /* Another thread is at it: it goes on to shaken, which closes the socket. */
      g_cancellable_cancel (self->handshake);
      g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
    }
  else
    close_stream (self);
  monitor_service_remove (self->service, self);
}

void
monitor_connection_hang_up (MonitorConnection *self)
{
  if (self->is_served)
    g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
  else
    monitor_connection_close (self);
}

void
monitor_connection_make_way (MonitorConnection *self)
{
  g_autoptr (MonitorConnection) held = monitor_connection_ref (self);
  self->is_leaving = TRUE;
  monitor_connection_note_refusal (self, MONITOR_REFUSED_CONNECTIONS, NULL);
  clear_source (&self->deadline);
  monitor_connection_hang_up (self);
}

static gboolean
expire (gpointer data)
{
  MonitorConnection *self = monitor_connection_ref (data);
  monitor_connection_note_refusal (
      self, self->is_served ? MONITOR_REFUSED_TIMEOUT : MONITOR_REFUSED_HANDSHAKE, NULL);
  monitor_connection_hang_up (self);
  clear_source (&self->deadline);
  monitor_connection_unref (self);
  return G_SOURCE_REMOVE;
}

static gboolean
departed (GSocket *socket, GIOCondition condition, gpointer data)
{
  MonitorConnection *self = monitor_connection_ref (data);
  clear_source (&self->departure);
  self->left (self->left_data);
  monitor_connection_unref (self);
  return G_SOURCE_REMOVE;
}

void
monitor_connection_stay (MonitorConnection *self, void (*left) (gpointer data), gpointer data)
{
  clear_source (&self->deadline);
  self->left = left;
  self->left_data = data;
  self->departure = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->departure, G_SOURCE_FUNC (departed), self, NULL);
  g_source_attach (self->departure, monitor_service_get_context (self->service));
}

void
monitor_connection_cut_off (MonitorConnection *self, guint status)
{
  g_autofree char *answer = g_strdup_printf (
      "HTTP/1.1 %u Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);
  GOutputStream *output = g_io_stream_get_output_stream (self->stream);
  g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output), answer,
                                              strlen (answer), NULL, NULL);
  drain (self);
  monitor_connection_hang_up (self);
}

/* ---- with libsoup ---- */

static void
overflowed (gpointer data)
{
  MonitorConnection *self = data;
  monitor_connection_note_refusal (self, MONITOR_REFUSED_HEADER, NULL);
  monitor_connection_cut_off (self, monitor_verdict_status (MONITOR_REFUSED_HEADER));
}

static void
closed (gpointer data)
{
  MonitorConnection *self = data;
  monitor_connection_close (self);
  monitor_connection_unref (self);
}

static const MonitorStreamEvents stream_events = { overflowed, closed };

static GQuark
connection_quark (void)
{
  return g_quark_from_static_string ("ldb-monitor-connection");
}

MonitorConnection *
monitor_connection_of (SoupServerMessage *message)
{
  return g_object_get_qdata (G_OBJECT (soup_server_message_get_remote_address (message)),
                             connection_quark ());
}

/* libsoup takes the addresses of Unix sockets for such of the internet. The one of the client leads
 * back from its messages to the connection. */
static void
serve (MonitorConnection *self)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) there = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GIOStream) stream = monitor_stream_new (self->stream, REQUEST_MAX, &stream_events,
                                                     monitor_connection_ref (self));
  g_object_set_qdata_full (G_OBJECT (there), connection_quark (), monitor_connection_ref (self),
                           (GDestroyNotify) monitor_connection_unref);
  self->is_served = TRUE;
  soup_server_accept_iostream (monitor_service_get_soup (self->service), stream, here, there, NULL);
}

/* ---- TLS ---- */

static void
shaken (GObject *object, GAsyncResult *result, gpointer data)
{
  MonitorConnection *self = data;
  g_autoptr (GError) error = NULL;
  gboolean done = g_tls_connection_handshake_finish (G_TLS_CONNECTION (object), result, &error);
  g_clear_object (&self->handshake);
  if (self->is_closed)
    g_socket_close (self->socket, NULL);
  else if (done)
    serve (self);
  else
    {
      monitor_connection_note_refusal (self, MONITOR_REFUSED_HANDSHAKE, error->message);
      monitor_connection_close (self);
    }
  monitor_handshakes_done (self->service);
  monitor_connection_unref (self);
}

/* GIO asks of every client's certificate, also of one that an authority has signed. */
static gboolean
accept_certificate (GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors,
                    gpointer data)
{
  return errors == 0;
}

void
monitor_connection_shake_hands (MonitorConnection *self)
{
  const MonitorSettings *settings = monitor_service_get_settings (self->service);
  g_autoptr (GError) error = NULL;
  GIOStream *tls = g_tls_server_connection_new (self->stream, settings->certificate, &error);
  if (tls == NULL)
    {
      monitor_connection_note_refusal (self, MONITOR_REFUSED_HANDSHAKE, error->message);
      monitor_connection_close (self);
      monitor_handshakes_done (self->service);
      return;
    }
  g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (tls), FALSE);
  if (settings->authorities != NULL)
    {
      g_tls_connection_set_database (G_TLS_CONNECTION (tls), settings->authorities);
      g_object_set (tls, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
      g_signal_connect (tls, "accept-certificate", G_CALLBACK (accept_certificate), NULL);
    }
  g_object_unref (self->stream);
  self->stream = tls;
  self->handshake = g_cancellable_new ();
  g_tls_connection_handshake_async (G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT, self->handshake,
                                    shaken, monitor_connection_ref (self));
}

static gboolean
arrived (GSocket *socket, GIOCondition condition, gpointer data)
{
  MonitorConnection *self = data;
  clear_source (&self->arrival);
  monitor_handshakes_add (self->service, self);
  return G_SOURCE_REMOVE;
}

static void
await_handshake (MonitorConnection *self)
{
  self->arrival = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->arrival, G_SOURCE_FUNC (arrived), self, NULL);
  g_source_attach (self->arrival, monitor_service_get_context (self->service));
}

/* ---- the beginning ---- */

static char *
address_text (GSocketAddress *address)
{
  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static MonitorConnection *
connection_allocate (MonitorService *service, const MonitorPort *port, GSocket *socket)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) peer = g_socket_get_remote_address (socket, NULL);
  MonitorConnection *self = g_new0 (MonitorConnection, 1);
  self->references = 1;
  self->link.data = self;
  self->service = service;
  self->socket = socket;
  self->endpoints = port->endpoints;
  self->local = address_text (local);
  self->peer = address_text (peer);
  if (self->peer == NULL)
    self->peer = g_strdup (port->is_unix ? "the socket" : "a client");
  self->stream = G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
  g_socket_set_blocking (socket, FALSE);
  if (!port->is_unix)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  return self;
}

static void
set_deadline (MonitorConnection *self)
{
  self->deadline = g_timeout_source_new_seconds (
      monitor_service_get_settings (self->service)->request_timeout);
  g_source_set_callback (self->deadline, expire, self, NULL);
  g_source_attach (self->deadline, monitor_service_get_context (self->service));
}

void
monitor_connection_new (MonitorService *service, const MonitorPort *port, GSocket *socket)
{
  MonitorConnection *self = connection_allocate (service, port, socket);
  gboolean is_tls = monitor_service_get_settings (service)->certificate != NULL && !port->is_unix;
  self->is_too_soon = !monitor_service_take_turn (service, socket);
  if (!monitor_service_add (service, self))
    {
      monitor_connection_note_refusal (self, MONITOR_REFUSED_CONNECTIONS, NULL);
      g_socket_close (socket, NULL);
    }
  else if (self->is_too_soon && is_tls)
    {
      monitor_connection_note_refusal (self, MONITOR_REFUSED_RATE, NULL);
      monitor_connection_close (self);
    }
  else
    {
      set_deadline (self);
      if (is_tls)
        await_handshake (self);
      else
        serve (self);
    }
  monitor_connection_unref (self);
}
