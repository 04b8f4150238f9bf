/* SPDX-License-Identifier: MIT */
/*
 * The server's half of the D-Bus handshake, and the framing of messages: all that is made of bytes
 * of a client before GLib parses them.
 *
 * One mechanism, EXTERNAL: who is there was said by the kernel before the first byte. A client may
 * send all its lines, and its first message, at once.
 */
#include "config.h"

#include "ldb-peer-private.h"

#include <string.h>

#define MESSAGE_HEADER 16 /* bytes up to the header's fields */

static void
say (GByteArray *answer, const char *text)
{
  g_byte_array_append (answer, (const guint8 *) text, strlen (text));
}

/* Whether these hexadecimal digits are those of the user's number, written in decimal. */
static gboolean
is_user (const char *digits, guint user)
{
  char number[16];
  gsize length = (gsize) g_snprintf (number, sizeof number, "%u", user);
  if (strlen (digits) != 2 * length)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (g_ascii_xdigit_value (digits[2 * i]) * 16 + g_ascii_xdigit_value (digits[2 * i + 1])
        != number[i])
      return FALSE;
  return TRUE;
}

static void
accept_user (LdbHandshake *self, GByteArray *answer)
{
  self->accepted = TRUE;
  say (answer, "OK ");
  say (answer, self->guid);
  say (answer, "\r\n");
}

/* No identity means: whoever the kernel says it is. */
static void
take_identity (LdbHandshake *self, const char *digits, GByteArray *answer)
{
  self->asked = FALSE;
  if (digits[0] == '\0' || is_user (digits, self->user))
    accept_user (self, answer);
  else
    say (answer, "REJECTED EXTERNAL\r\n");
}

static LdbHandshakeState
take_line (LdbHandshake *self, const char *line, GByteArray *answer)
{
  if (self->accepted && strcmp (line, "BEGIN") == 0)
    return LDB_HANDSHAKE_DONE;
  if (self->accepted && strcmp (line, "NEGOTIATE_UNIX_FD") == 0)
    say (answer, "ERROR no descriptors are passed here\r\n");
  else if (!self->accepted && strcmp (line, "AUTH EXTERNAL") == 0)
    {
      self->asked = TRUE;
      say (answer, "DATA\r\n");
    }
  else if (!self->accepted && g_str_has_prefix (line, "AUTH EXTERNAL "))
    take_identity (self, line + strlen ("AUTH EXTERNAL "), answer);
  else if (self->asked && strcmp (line, "DATA") == 0)
    take_identity (self, "", answer);
  else if (self->asked && g_str_has_prefix (line, "DATA "))
    take_identity (self, line + strlen ("DATA "), answer);
  else if (strcmp (line, "BEGIN") == 0)
    return LDB_HANDSHAKE_FAILED;
  else
    {
      self->asked = self->accepted = FALSE;
      say (answer, "REJECTED EXTERNAL\r\n");
    }
  return LDB_HANDSHAKE_MORE;
}

LdbHandshakeState
ldb_handshake_take (LdbHandshake *self, const guint8 *data, gsize size, gsize *used,
                    GByteArray *answer)
{
  LdbHandshakeState state = LDB_HANDSHAKE_MORE;
  *used = 0;
  if (!self->greeted && size > 0)
    {
      if (data[0] != '\0')
        return LDB_HANDSHAKE_FAILED;
      self->greeted = TRUE;
      *used = 1;
    }
  while (state == LDB_HANDSHAKE_MORE && *used < size)
    {
      char line[LDB_PEER_LINE_MAX];
      const guint8 *begin = data + *used;
      gsize room = MIN (size - *used, sizeof line);
      const guint8 *end = memchr (begin, '\n', room);
      if (end == NULL)
        return room < sizeof line ? LDB_HANDSHAKE_MORE : LDB_HANDSHAKE_FAILED;
      gsize length = (gsize) (end - begin);
      if (length == 0 || begin[length - 1] != '\r' || memchr (begin, '\0', length) != NULL
          || ++self->lines > LDB_PEER_LINES_MAX)
        return LDB_HANDSHAKE_FAILED;
      memcpy (line, begin, length - 1);
      line[length - 1] = '\0';
      *used += length + 1;
      state = take_line (self, line, answer);
    }
  return state;
}

static guint32
number_at (const guint8 *data, gboolean big_endian)
{
  guint32 number;
  memcpy (&number, data, sizeof number);
  return big_endian ? GUINT32_FROM_BE (number) : GUINT32_FROM_LE (number);
}

gboolean
ldb_peer_message_length (const guint8 *data, gsize size, gsize *length)
{
  *length = 0;
  if (size < MESSAGE_HEADER)
    return TRUE;
  if ((data[0] != 'l' && data[0] != 'B') || data[3] != 1)
    return FALSE;
  guint64 body = number_at (data + 4, data[0] == 'B');
  guint64 fields = number_at (data + 12, data[0] == 'B');
  guint64 total = MESSAGE_HEADER + ((fields + 7) & ~G_GUINT64_CONSTANT (7)) + body;
  /* Fields may be of any type, and GLib takes up to eighty times their size for them. */
  if (total > LDB_PEER_MESSAGE_MAX || fields > LDB_PEER_FIELDS_MAX)
    return FALSE;
  *length = (gsize) total;
  return TRUE;
}

/* ---- what a body is made of ---- */

#define FIELD_SIGNATURE 8 /* its code */

/* Where it goes on after `count` bytes that are aligned; FALSE: it does not. */
static gboolean
skip (gsize *at, gsize end, gsize alignment, guint64 count)
{
  gsize begin = (*at + alignment - 1) & ~(alignment - 1);
  if (begin > end || count > end - begin)
    return FALSE;
  *at = begin + (gsize) count;
  return TRUE;
}

/* Takes a field's value of that type, which begins at *at. */
static gboolean
skip_value (const guint8 *data, gsize *at, gsize end, guint8 type)
{
  gsize begin;
  if (type == 'u')
    return skip (at, end, 4, 4);
  if (type == 'g')
    {
      begin = *at;
      return skip (at, end, 1, 1) && skip (at, end, 1, (guint64) data[begin] + 1);
    }
  if ((type != 's' && type != 'o') || !skip (at, end, 4, 4))
    return FALSE;
  return skip (at, end, 1, (guint64) number_at (data + *at - 4, data[0] == 'B') + 1);
}

const char *
ldb_peer_message_signature (const guint8 *data, gsize length)
{
  const char *signature = NULL;
  gsize at = MESSAGE_HEADER;
  if (length < MESSAGE_HEADER)
    return NULL;
  gsize fields = number_at (data + 12, data[0] == 'B');
  if (fields > length - MESSAGE_HEADER)
    return NULL;
  for (gsize end = MESSAGE_HEADER + fields; at < end;)
    {
      /* A byte, and a variant of one value: the length of its type, the type, a zero. */
      if (!skip (&at, end, 8, 4) || data[at - 3] != 1 || data[at - 1] != 0)
        return NULL;
      guint8 code = data[at - 4], type = data[at - 2];
      gsize value = at;
      if (!skip_value (data, &at, end, type))
        return NULL;
      if (code != FIELD_SIGNATURE)
        continue;
      if (type != 'g' || data[at - 1] != 0 || signature != NULL)
        return NULL;
      signature = (const char *) data + value + 1;
    }
  return signature;
}

gboolean
ldb_peer_signature_is_plain (const char *signature)
{
  for (; *signature != '\0'; signature++)
    {
      if (signature[0] == 'a' && signature[1] == 'y')
        signature++;
      else if (strchr ("ybnqiuxtdsogh", signature[0]) == NULL)
        return FALSE;
    }
  return TRUE;
}
