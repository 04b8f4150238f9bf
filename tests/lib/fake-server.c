/* SPDX-License-Identifier: MIT */
#include "fake-server.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What our own client says at once. */
#define HELLO_SIZE (sizeof "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n" - 1)

typedef struct
{
  FakeServer *server; /* outlives it */
  int socket;         /* owned */
} FakeClient;

gboolean
fake_server_send (int socket, gconstpointer bytes, gsize size)
{
  const char *at = bytes;
  while (size > 0)
    {
      gssize sent = send (socket, at, size, MSG_NOSIGNAL);
      if (sent <= 0)
        return FALSE;
      at += sent;
      size -= (gsize) sent;
    }
  return TRUE;
}

gboolean
fake_server_send_message (int socket, GDBusMessage *message, guint32 serial, gboolean half)
{
  gsize size;
  g_dbus_message_set_serial (message, serial);
  g_autofree guchar *blob
      = g_dbus_message_to_blob (message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  if (blob != NULL)
    fake_server_send (socket, blob, half ? size / 2 : size);
  return blob != NULL;
}

gboolean
fake_server_shake_hands (int socket)
{
  static const char answer[] = "DATA\r\nOK 00112233445566778899aabbccddeeff\r\n";
  return fake_server_send (socket, answer, sizeof answer - 1);
}

/* The next call; NULL: the client has gone. */
static GDBusMessage *
read_call (int socket)
{
  guint8 head[16];
  if (recv (socket, head, sizeof head, MSG_WAITALL) != sizeof head)
    return NULL;
  gssize size = g_dbus_message_bytes_needed (head, sizeof head, NULL);
  g_assert_cmpint (size, >=, (gssize) sizeof head); /* our own client's */
  g_autofree guint8 *blob = g_malloc ((gsize) size);
  memcpy (blob, head, sizeof head);
  gsize rest = (gsize) size - sizeof head;
  if (recv (socket, blob + sizeof head, rest, MSG_WAITALL) != (gssize) rest)
    return NULL;
  return g_dbus_message_new_from_blob (blob, (gsize) size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
}

static gboolean
shake_hands (FakeServer *self, int socket)
{
  char hello[HELLO_SIZE];
  if (recv (socket, hello, sizeof hello, MSG_WAITALL) != (gssize) sizeof hello)
    return FALSE;
  return self->handshake != NULL ? self->handshake (self, socket)
                                 : fake_server_shake_hands (socket);
}

static gpointer
serve (gpointer data)
{
  g_autofree FakeClient *client = data;
  FakeServer *server = client->server;
  gboolean more = shake_hands (server, client->socket);
  while (more)
    {
      g_autoptr (GDBusMessage) call = read_call (client->socket);
      more = call != NULL && server->answer (server, client->socket, call);
    }
  g_mutex_lock (&server->lock);
  close (client->socket);
  server->sockets = g_list_remove (server->sockets, GINT_TO_POINTER (client->socket));
  g_cond_signal (&server->fewer);
  g_mutex_unlock (&server->lock);
  return NULL;
}

static gpointer
accept_clients (gpointer data)
{
  FakeServer *self = data;
  int socket;
  while ((socket = accept (self->listener, NULL, NULL)) >= 0)
    {
      FakeClient *client = g_new (FakeClient, 1);
      *client = (FakeClient){ self, socket };
      g_mutex_lock (&self->lock);
      self->sockets = g_list_prepend (self->sockets, GINT_TO_POINTER (socket));
      g_mutex_unlock (&self->lock);
      g_thread_unref (g_thread_new ("fake-client", serve, client));
    }
  return NULL;
}

void
fake_server_start (FakeServer *self, const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_assert_cmpuint (g_strlcpy (address.sun_path, path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  self->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (self->listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (self->listener, 16), ==, 0);
  g_mutex_init (&self->lock);
  g_cond_init (&self->fewer);
  self->thread = g_thread_new ("fake-server", accept_clients, self);
}

void
fake_server_stop (FakeServer *self)
{
  shutdown (self->listener, SHUT_RDWR); /* wakes who accepts */
  g_thread_join (self->thread);
  close (self->listener);
  g_mutex_lock (&self->lock);
  for (GList *at = self->sockets; at != NULL; at = at->next)
    shutdown (GPOINTER_TO_INT (at->data), SHUT_RDWR);
  while (self->sockets != NULL)
    g_cond_wait (&self->fewer, &self->lock);
  g_mutex_unlock (&self->lock);
  g_cond_clear (&self->fewer);
  g_mutex_clear (&self->lock);
}
