/* SPDX-License-Identifier: MIT */
/* Any bytes as what an inspector says first. The first byte chooses in which pieces they come: how
 * they are cut changes neither the answers nor the outcome. Nobody gets in without having been
 * accepted, nor is anything kept that is longer than a line. What follows is framed within bounds. */
#include "../check-condition.h"

#include "ldb-peer-private.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define GUID "0123456789abcdef0123456789abcdef"

typedef struct
{
  LdbHandshake handshake;  /* as far as it got */
  LdbHandshakeState state; /* of it */
  GByteArray *answer;      /* owned */
  gsize used;              /* bytes */
} Outcome;

/* In pieces of so many bytes; 0: all at once. */
static Outcome
shake_hands (const guint8 *data, gsize size, gsize piece)
{
  Outcome outcome = { .handshake = { .user = 1000, .guid = GUID }, .answer = g_byte_array_new () };
  gsize there = 0;
  while (outcome.state == LDB_HANDSHAKE_MORE && there < size)
    {
      gsize used;
      there = piece > 0 ? MIN (there + piece, size) : size;
      outcome.state = ldb_handshake_take (&outcome.handshake, data + outcome.used,
                                          there - outcome.used, &used, outcome.answer);
      CHECK (used <= there - outcome.used);
      outcome.used += used;
      CHECK (outcome.state != LDB_HANDSHAKE_MORE || there - outcome.used < LDB_PEER_LINE_MAX);
    }
  return outcome;
}

static gboolean
says (GByteArray *answer, const char *text)
{
  return memmem (answer->data, answer->len, text, strlen (text)) != NULL;
}

/* It is within the message, and the one that GLib finds. */
static void
check_signature (const guint8 *data, gsize length)
{
  const char *signature = ldb_peer_message_signature (data, length);
  g_autoptr (GDBusMessage) message = g_dbus_message_new_from_blob (
      (guchar *) data, length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  if (signature != NULL)
    {
      CHECK (signature > (const char *) data
             && memchr (signature, '\0', length - (gsize) (signature - (const char *) data)));
      CHECK (message == NULL || g_str_equal (g_dbus_message_get_signature (message), signature));
      ldb_peer_signature_is_plain (signature);
    }
}

static void
frame (const guint8 *data, gsize size)
{
  gsize length;
  while (ldb_peer_message_length (data, size, &length))
    {
      CHECK (length <= LDB_PEER_MESSAGE_MAX && (length == 0) == (size < 16));
      if (length == 0 || length > size)
        return;
      CHECK (length >= 16);
      gssize needed = g_dbus_message_bytes_needed ((guchar *) data, size, NULL);
      CHECK (needed < 0 || (gsize) needed == length);
      check_signature (data, length);
      data += length;
      size -= length;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  Outcome whole = shake_hands (data + 1, size - 1, 0);
  Outcome pieces = shake_hands (data + 1, size - 1, data[0] % 32 + 1);
  CHECK (whole.state == pieces.state && whole.used == pieces.used);
  CHECK (whole.answer->len == pieces.answer->len
         && (whole.answer->len == 0
             || memcmp (whole.answer->data, pieces.answer->data, whole.answer->len) == 0));
  CHECK (whole.handshake.lines <= LDB_PEER_LINES_MAX + 1);
  CHECK (whole.answer->len <= LDB_PEER_LINES_MAX * 64);
  if (whole.state == LDB_HANDSHAKE_DONE)
    {
      CHECK (whole.handshake.accepted && says (whole.answer, "OK " GUID "\r\n"));
      frame (data + 1 + whole.used, size - 1 - whole.used);
    }
  g_byte_array_unref (whole.answer);
  g_byte_array_unref (pieces.answer);
  return 0;
}
