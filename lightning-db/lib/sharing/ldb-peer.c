/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. While it is open the source polls for what it would act upon, and nothing else: to read
 *      unless it is held back, to write while something waits.
 *   2. It has a ready time exactly while the handshake is not done, something waits to go out, or
 *      messages that were read wait for their turn.
 *   3. After `ended` was called nothing of the owner's is.
 */
#include "config.h"

#include "ldb-peer-private.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_AT_ONCE ((gsize) 32 << 10) /* bytes in one turn */
#define MESSAGES_AT_ONCE 4              /* handled in one turn */

struct _LdbPeer
{
  GSource source;                /* attached to the owner's context */
  int descriptor;                /* the socket; -1 once it has ended */
  gpointer tag;                  /* of the descriptor in the source */
  GIOCondition polled;           /* what for; see 1 */
  const LdbPeerHandler *handler; /* borrowed */
  gpointer owner;                /* for it */
  char *guid;                    /* of the server; owned */
  LdbHandshake handshake;        /* until it is done */
  gboolean running;              /* it is */
  GByteArray *input;             /* read, and not yet handled; owned */
  GQueue output;                 /* of GBytes, owned: to be written */
  gsize written;                 /* bytes of the first of these that have gone */
  gsize waiting;                 /* bytes in all of them that have not */
  guint calls;                   /* under way */
  guint32 serial;                /* of the last message sent */
  gint64 deadline;               /* of the handshake, or of what waits; 0: none */
  gboolean again;                /* messages that were read wait for the next turn */
};

static gboolean
is_held_back (const LdbPeer *self)
{
  return self->calls >= LDB_PEER_CALLS_MAX || self->waiting > LDB_PEER_WAITING_MAX;
}

/* Restores 1 and 2. */
static void
adjust (LdbPeer *self)
{
  if (self->descriptor < 0)
    return;
  GIOCondition wanted = G_IO_HUP | G_IO_ERR;
  if (!is_held_back (self) && !self->again)
    wanted |= G_IO_IN;
  if (self->waiting > 0)
    wanted |= G_IO_OUT;
  if (wanted != self->polled)
    g_source_modify_unix_fd (&self->source, self->tag, wanted);
  self->polled = wanted;
  gboolean at_once = self->again && !is_held_back (self);
  g_source_set_ready_time (&self->source, at_once ? 0 : self->deadline > 0 ? self->deadline : -1);
}

void
ldb_peer_end (LdbPeer *self, LdbPeerEnd end)
{
  if (self->descriptor < 0)
    return;
  int descriptor = self->descriptor;
  g_source_remove_unix_fd (&self->source, self->tag);
  self->descriptor = -1;
  g_source_destroy (&self->source);
  g_queue_clear_full (&self->output, (GDestroyNotify) g_bytes_unref);
  self->waiting = 0;
  self->handler->ended (self->owner, end);
  close (descriptor); /* last: the owner knows its number */
}

/* ---- out ---- */

/* FALSE: it has ended. */
static gboolean
write_some (LdbPeer *self)
{
  GBytes *first;
  gboolean progress = FALSE;
  while ((first = g_queue_peek_head (&self->output)) != NULL)
    {
      gsize size;
      const char *data = g_bytes_get_data (first, &size);
      gssize count = send (self->descriptor, data + self->written, size - self->written,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        break;
      if (count < 0)
        {
          ldb_peer_end (self, LDB_PEER_LEFT);
          return FALSE;
        }
      progress = TRUE;
      self->written += (gsize) count;
      self->waiting -= (gsize) count;
      if (self->written == size)
        {
          g_bytes_unref (g_queue_pop_head (&self->output));
          self->written = 0;
        }
    }
  if (self->running)
    {
      if (self->waiting == 0)
        self->deadline = 0;
      else if (progress || self->deadline == 0)
        self->deadline = g_get_monotonic_time () + LDB_PEER_STUCK_TIME;
    }
  return TRUE;
}

static void
queue_bytes (LdbPeer *self, GBytes *bytes)
{
  if (g_bytes_get_size (bytes) == 0)
    {
      g_bytes_unref (bytes);
      return;
    }
  self->waiting += g_bytes_get_size (bytes);
  g_queue_push_tail (&self->output, bytes);
}

gboolean
ldb_peer_send (LdbPeer *self, GDBusMessage *message)
{
  gsize size;
  if (self->descriptor < 0)
    return FALSE;
  if (++self->serial == 0)
    self->serial = 1;
  g_dbus_message_set_serial (message, self->serial);
  guchar *blob = g_dbus_message_to_blob (message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  if (blob == NULL)
    return FALSE;
  gboolean first = self->waiting == 0;
  queue_bytes (self, g_bytes_new_take (blob, size));
  if (first && !write_some (self))
    return FALSE;
  adjust (self);
  return TRUE;
}

gsize
ldb_peer_get_waiting (LdbPeer *self)
{
  return self->waiting;
}

/* ---- in ---- */

/* FALSE: it has ended. */
static gboolean
read_some (LdbPeer *self)
{
  guint before = self->input->len;
  g_byte_array_set_size (self->input, before + READ_AT_ONCE);
  gssize count = recv (self->descriptor, self->input->data + before, READ_AT_ONCE, MSG_DONTWAIT);
  int code = errno;
  g_byte_array_set_size (self->input, before + (count > 0 ? (guint) count : 0));
  if (count > 0 || (count < 0 && (code == EAGAIN || code == EWOULDBLOCK || code == EINTR)))
    return TRUE;
  ldb_peer_end (self, LDB_PEER_LEFT);
  return FALSE;
}

/* FALSE: it has ended. */
static gboolean
shake_hands (LdbPeer *self)
{
  gsize used;
  GByteArray *answer = g_byte_array_new ();
  LdbHandshakeState state
      = ldb_handshake_take (&self->handshake, self->input->data, self->input->len, &used, answer);
  g_byte_array_remove_range (self->input, 0, (guint) used);
  queue_bytes (self, g_byte_array_free_to_bytes (answer));
  if (!write_some (self))
    return FALSE;
  if (state == LDB_HANDSHAKE_FAILED)
    {
      ldb_peer_end (self, LDB_PEER_HANDSHAKE);
      return FALSE;
    }
  if (state == LDB_HANDSHAKE_DONE)
    {
      self->running = TRUE;
      self->deadline = self->waiting > 0 ? g_get_monotonic_time () + LDB_PEER_STUCK_TIME : 0;
    }
  return TRUE;
}

/* GLib lets a call pass whose path or member is of another type than D-Bus says, and tells of it as if
 * it were not there. */
static gboolean
is_complete (GDBusMessage *message)
{
  return g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL
         || (g_dbus_message_get_path (message) != NULL
             && g_dbus_message_get_member (message) != NULL
             && g_dbus_message_get_serial (message) != 0);
}

/* What it takes to decode a message is known before it is: GLib makes an object of some hundred bytes of
 * each element of an array, which may have been one byte. */
static gboolean
is_worth_decoding (LdbPeer *self, gsize length)
{
  if (length <= LDB_PEER_PLAIN_FROM)
    return TRUE;
  const char *signature = ldb_peer_message_signature (self->input->data, length);
  return signature != NULL
         && (ldb_peer_signature_is_plain (signature)
             || self->handler->admits (self->owner, signature, length));
}

/* FALSE: it has ended. */
static gboolean
handle_message (LdbPeer *self, gsize length)
{
  if (!is_worth_decoding (self, length))
    {
      ldb_peer_end (self, LDB_PEER_MESSAGE);
      return FALSE;
    }
  g_autoptr (GDBusMessage) message = g_dbus_message_new_from_blob (
      self->input->data, length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  g_byte_array_remove_range (self->input, 0, (guint) length);
  if (message == NULL || !is_complete (message))
    {
      ldb_peer_end (self, LDB_PEER_MESSAGE);
      return FALSE;
    }
  self->handler->message (self->owner, message);
  return self->descriptor >= 0;
}

/* FALSE: it has ended. */
static gboolean
handle_input (LdbPeer *self)
{
  gsize length;
  self->again = FALSE;
  for (guint handled = 0;; handled++)
    {
      if (!ldb_peer_message_length (self->input->data, self->input->len, &length))
        {
          ldb_peer_end (self, LDB_PEER_MESSAGE);
          return FALSE;
        }
      if (length == 0 || length > self->input->len)
        break;
      self->again = handled == MESSAGES_AT_ONCE || is_held_back (self);
      if (self->again)
        break;
      if (!handle_message (self, length))
        return FALSE;
    }
  if (self->input->len == 0 && !self->again)
    {
      g_byte_array_unref (self->input);
      self->input = g_byte_array_new ();
    }
  return TRUE;
}

/* ---- the source ---- */

static gboolean
is_late (const LdbPeer *self)
{
  return self->deadline > 0 && g_get_monotonic_time () >= self->deadline;
}

/* FALSE: it has ended. */
static gboolean
take_turn (LdbPeer *self, GIOCondition condition)
{
  gsize waited = self->waiting;
  if ((condition & G_IO_OUT) != 0 && !write_some (self))
    return FALSE;
  if (is_late (self))
    {
      ldb_peer_end (self, LDB_PEER_SLOW);
      return FALSE;
    }
  gboolean may_read = !is_held_back (self) && !self->again;
  if ((condition & G_IO_IN) != 0 && may_read)
    {
      if (!read_some (self))
        return FALSE;
    }
  else if ((condition & (G_IO_HUP | G_IO_ERR)) != 0)
    {
      ldb_peer_end (self, LDB_PEER_LEFT);
      return FALSE;
    }
  if (!self->running && !shake_hands (self))
    return FALSE;
  if (self->running && !handle_input (self))
    return FALSE;
  if (waited > 0 && self->waiting == 0)
    self->handler->drained (self->owner);
  return self->descriptor >= 0;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  LdbPeer *self = (LdbPeer *) source;
  if (self->descriptor < 0)
    return G_SOURCE_REMOVE;
  g_source_ref (source);
  gboolean open = take_turn (self, g_source_query_unix_fd (source, self->tag));
  if (open)
    adjust (self);
  g_source_unref (source);
  return open ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  LdbPeer *self = (LdbPeer *) source;
  if (self->descriptor >= 0)
    close (self->descriptor);
  g_queue_clear_full (&self->output, (GDestroyNotify) g_bytes_unref);
  g_byte_array_unref (self->input);
  g_free (self->guid);
}

static GSourceFuncs functions = { .dispatch = dispatch, .finalize = finalize };

LdbPeer *
ldb_peer_new (int descriptor, guint user, const char *guid, GMainContext *context,
              const LdbPeerHandler *handler, gpointer owner)
{
  LdbPeer *self = (LdbPeer *) g_source_new (&functions, sizeof (LdbPeer));
  self->descriptor = descriptor;
  self->handler = handler;
  self->owner = owner;
  self->guid = g_strdup (guid);
  self->handshake = (LdbHandshake){ .user = user, .guid = self->guid };
  self->input = g_byte_array_new ();
  g_queue_init (&self->output);
  self->deadline = g_get_monotonic_time () + LDB_PEER_HANDSHAKE_TIME;
  self->polled = G_IO_IN | G_IO_HUP | G_IO_ERR;
  self->tag = g_source_add_unix_fd (&self->source, descriptor, self->polled);
  g_source_set_static_name (&self->source, "[lightning-db] inspector");
  g_source_set_ready_time (&self->source, self->deadline);
  g_source_attach (&self->source, context);
  return self;
}

LdbPeer *
ldb_peer_ref (LdbPeer *self)
{
  g_source_ref (&self->source);
  return self;
}

void
ldb_peer_unref (LdbPeer *self)
{
  g_source_unref (&self->source);
}

gboolean
ldb_peer_is_open (LdbPeer *self)
{
  return self->descriptor >= 0;
}

void
ldb_peer_begin_call (LdbPeer *self)
{
  self->calls++;
}

void
ldb_peer_end_call (LdbPeer *self)
{
  self->calls--;
  adjust (self);
}
