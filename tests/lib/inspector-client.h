/* SPDX-License-Identifier: MIT */
/*
 * An inspector by hand: a socket, the handshake in one go, and messages one after the other. So a
 * test decides about every byte, and when it reads.
 */
#pragma once

#include "ldb-test.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENT_HELLO "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
#define CLIENT_INTERFACE "org.lightningdb.Inspector1"

typedef struct
{
  int socket;       /* -1: not connected */
  GByteArray *read; /* and not looked at yet; owned */
  GQueue signals;   /* of GDBusMessage that came while a reply was waited for; owned */
  guint32 serial;   /* of the last message sent */
} Client;

/* The folder that this test's processes share databases in; free it. */
static inline char *
runtime_folder (void)
{
  return g_build_filename (g_get_user_runtime_dir (), "lightning-db-1", NULL);
}

/* The paths in it that end so; free them. */
static inline GPtrArray *
runtime_files (const char *suffix)
{
  g_autofree char *folder = runtime_folder ();
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (found, g_build_filename (folder, name, NULL));
  return found;
}

/* The one that ends so. */
static inline char *
runtime_file (const char *suffix)
{
  g_autoptr (GPtrArray) found = runtime_files (suffix);
  g_assert_cmpuint (found->len, ==, 1);
  return g_strdup (g_ptr_array_index (found, 0));
}

static inline int
connect_to (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int descriptor = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (descriptor, >=, 0);
  g_assert_cmpuint (g_strlcpy (address.sun_path, path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  if (connect (descriptor, (struct sockaddr *) &address, sizeof address) == 0)
    return descriptor;
  close (descriptor);
  return -1;
}

/* FALSE: the other side has closed the connection. */
static inline gboolean
send_bytes (int descriptor, gconstpointer data, gsize size)
{
  const char *at = data;
  while (size > 0)
    {
      gssize count = send (descriptor, at, size, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return FALSE;
      at += count;
      size -= (gsize) count;
    }
  return TRUE;
}

static inline void
wait_readable (int descriptor)
{
  struct pollfd wait = { .fd = descriptor, .events = POLLIN };
  int ready;
  while ((ready = poll (&wait, 1, 300000)) < 0 && errno == EINTR)
    ;
  g_assert_cmpint (ready, ==, 1);
}

/* Reads until the other side closes the connection; how many bytes came. */
static inline gsize
read_to_end (int descriptor)
{
  char buffer[4096];
  gsize total = 0;
  for (;;)
    {
      wait_readable (descriptor);
      gssize count = recv (descriptor, buffer, sizeof buffer, 0);
      if (count <= 0)
        return total;
      total += (gsize) count;
    }
}

/* FALSE: the connection has ended. */
static inline gboolean
client_fill (Client *self)
{
  guint8 buffer[65536];
  wait_readable (self->socket);
  gssize count = recv (self->socket, buffer, sizeof buffer, 0);
  if (count > 0)
    g_byte_array_append (self->read, buffer, (guint) count);
  return count > 0;
}

static inline void
client_close (Client *self)
{
  close (self->socket);
  self->socket = -1;
  g_byte_array_unref (self->read);
  g_queue_clear_full (&self->signals, g_object_unref);
}

/* FALSE: it was refused; nothing is left to be closed. */
static inline gboolean
client_try_connect (Client *self, const char *path)
{
  gboolean served;
  *self = (Client){ .socket = connect_to (path), .read = g_byte_array_new () };
  g_queue_init (&self->signals);
  g_assert_cmpint (self->socket, >=, 0);
  served = send_bytes (self->socket, CLIENT_HELLO, sizeof CLIENT_HELLO - 1);
  guint lines = 0; /* DATA, OK, ERROR */
  while (served && lines < 3)
    {
      const guint8 *end = NULL;
      if (self->read->len > 0)
        end = memchr (self->read->data, '\n', self->read->len);
      if (end == NULL)
        {
          served = client_fill (self);
          continue;
        }
      g_byte_array_remove_range (self->read, 0, (guint) (end - self->read->data) + 1);
      lines++;
    }
  if (!served)
    client_close (self);
  return served;
}

static inline void
client_connect (Client *self, const char *path)
{
  g_assert_true (client_try_connect (self, path));
}

/* To the one process that shares something. */
static inline void
client_open (Client *self)
{
  g_autofree char *path = runtime_file (".socket");
  client_connect (self, path);
}

/* The next message; NULL: the connection has ended. */
static inline GDBusMessage *
client_receive (Client *self)
{
  g_autoptr (GError) error = NULL;
  for (;;)
    {
      gssize needed = self->read->len < 16
                          ? 16
                          : g_dbus_message_bytes_needed (self->read->data, self->read->len, &error);
      g_assert_no_error (error);
      if (self->read->len >= 16 && self->read->len >= (gsize) needed)
        {
          GDBusMessage *message = g_dbus_message_new_from_blob (
              self->read->data, (gsize) needed, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
          g_assert_no_error (error);
          g_byte_array_remove_range (self->read, 0, (guint) needed);
          return message;
        }
      if (!client_fill (self))
        return NULL;
    }
}

static inline void
client_send (Client *self, GDBusMessage *message)
{
  gsize size;
  g_autoptr (GError) error = NULL;
  g_dbus_message_set_serial (message, ++self->serial);
  g_autofree guchar *blob
      = g_dbus_message_to_blob (message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  send_bytes (self->socket, blob, size);
}

static inline GDBusMessage *
client_make_call (guint object, const char *interface, const char *method, GVariant *arguments)
{
  g_autofree char *path = g_strdup_printf ("/org/lightningdb/Inspector1/%u", object);
  GDBusMessage *call = g_dbus_message_new_method_call (NULL, path, interface, method);
  if (arguments != NULL)
    g_dbus_message_set_body (call, arguments);
  return call;
}

/* The reply's body, or NULL with the error's name and message. */
static inline GVariant *
client_call_on (Client *self, guint object, const char *interface, const char *method,
                GVariant *arguments, char **error)
{
  g_autoptr (GDBusMessage) call = client_make_call (object, interface, method, arguments);
  *error = NULL;
  client_send (self, call);
  for (;;)
    {
      g_autoptr (GDBusMessage) message = client_receive (self);
      g_assert_nonnull (message);
      if (g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_SIGNAL)
        {
          g_queue_push_tail (&self->signals, g_steal_pointer (&message));
          continue;
        }
      g_assert_cmpuint (g_dbus_message_get_reply_serial (message), ==, self->serial);
      if (g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_ERROR)
        {
          *error = g_strdup_printf ("%s: %s", g_dbus_message_get_error_name (message),
                                    g_dbus_message_get_arg0 (message));
          return NULL;
        }
      GVariant *body = g_dbus_message_get_body (message);
      return body != NULL ? g_variant_ref (body) : g_variant_ref_sink (g_variant_new ("()"));
    }
}

/* Of the process's first database; it has to succeed. */
static inline GVariant *
client_call (Client *self, const char *method, GVariant *arguments)
{
  char *error;
  GVariant *reply = client_call_on (self, 1, CLIENT_INTERFACE, method, arguments, &error);
  if (reply == NULL)
    g_error ("%s: %s", method, error);
  return reply;
}

static inline void
client_do (Client *self, const char *method, GVariant *arguments)
{
  g_variant_unref (client_call (self, method, arguments));
}

/* It has to fail so. */
static inline void
client_fail (Client *self, const char *method, GVariant *arguments, const char *name)
{
  char *error;
  GVariant *reply = client_call_on (self, 1, CLIENT_INTERFACE, method, arguments, &error);
  g_assert_null (reply);
  if (!g_str_has_prefix (error, name))
    g_error ("%s: %s instead of %s", method, error, name);
  g_free (error);
}

/* The next signal's body, whose name is to be this. */
static inline GVariant *
client_next_signal (Client *self, const char *name)
{
  GDBusMessage *message = g_queue_pop_head (&self->signals);
  if (message == NULL)
    message = client_receive (self);
  g_assert_nonnull (message);
  g_assert_cmpstr (g_dbus_message_get_member (message), ==, name);
  GVariant *body = g_dbus_message_get_body (message);
  body = body != NULL ? g_variant_ref (body) : g_variant_ref_sink (g_variant_new ("()"));
  g_object_unref (message);
  return body;
}

static inline GVariant *
text_variant (const char *text)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, strlen (text), 1);
}

/* A runtime directory of the test's own, in memory if possible, before anything asks for one. */
static inline char *
runtime_directory_make (void)
{
  g_autoptr (GError) error = NULL;
  char *directory = g_strdup ("/dev/shm/ldb-run-XXXXXX");
  if (g_mkdtemp (directory) == NULL)
    {
      g_free (directory);
      directory = g_dir_make_tmp ("ldb-run-XXXXXX", &error);
    }
  g_assert_no_error (error);
  g_setenv ("XDG_RUNTIME_DIR", directory, TRUE);
  g_unsetenv ("FLATPAK_ID");
  g_unsetenv ("LIGHTNING_INSPECT");
  g_unsetenv ("GTK_DEBUG");
  return directory;
}
