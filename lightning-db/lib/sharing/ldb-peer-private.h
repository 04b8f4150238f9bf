/* SPDX-License-Identifier: MIT */
/*
 * LdbPeer: one connection of an inspector, on our side: the D-Bus handshake, messages in, messages
 * out, each with its bounds (docs/design/inspection.md, Limits). It knows nothing of databases.
 *
 *   WAITING ──handshake──▶ RUNNING ──▶ ENDED
 *      └────────────────────────────────▲  end of file, too slow, too much, garbage
 *
 * Threads: all on the thread of the context it was made in.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LDB_PEER_LINE_MAX 256                        /* bytes of a line of the handshake */
#define LDB_PEER_LINES_MAX 8                         /* lines of a handshake */
#define LDB_PEER_MESSAGE_MAX ((gsize) 1 << 20)       /* bytes of a message in */
#define LDB_PEER_FIELDS_MAX 4096                     /* bytes of the fields of its header */
#define LDB_PEER_PLAIN_FROM 4096                     /* bytes: a longer one is plain, or admitted */
#define LDB_PEER_WAITING_MAX ((gsize) 2 << 20)       /* bytes out, beyond which nothing is read */
#define LDB_PEER_CALLS_MAX 16                        /* calls under way, likewise */
#define LDB_PEER_HANDSHAKE_TIME (5 * G_USEC_PER_SEC) /* until it has to be done */
#define LDB_PEER_STUCK_TIME (10 * G_USEC_PER_SEC) /* so long nothing may go out while some waits */

/* ---- the handshake ---- */

typedef enum
{
  LDB_HANDSHAKE_MORE,   /* it goes on */
  LDB_HANDSHAKE_DONE,   /* what follows are messages */
  LDB_HANDSHAKE_FAILED, /* there is no talking to this client */
} LdbHandshakeState;

typedef struct
{
  guint user;        /* who the kernel says it is */
  const char *guid;  /* of the server: 32 hexadecimal digits; borrowed */
  guint lines;       /* so far */
  gboolean greeted;  /* the zero byte was there */
  gboolean asked;    /* AUTH without an identity: DATA is to follow */
  gboolean accepted; /* OK was said */
} LdbHandshake;

/* Takes what is complete of `data`: `*used` bytes of it. Answers are appended to `answer`. */
LdbHandshakeState ldb_handshake_take (LdbHandshake *self, const guint8 *data, gsize size,
                                      gsize *used, GByteArray *answer);

/* The length of the message that begins with these bytes; 0: not known yet. FALSE: it is none, or
 * longer than LDB_PEER_MESSAGE_MAX or LDB_PEER_FIELDS_MAX. */
gboolean ldb_peer_message_length (const guint8 *data, gsize size, gsize *length);

/* The signature of the body of the whole message that begins with these bytes, as its header says, within
 * `data`; NULL: it has none, or its header is not to be understood. */
const char *ldb_peer_message_signature (const guint8 *data, gsize length);
/* Whether a body of that signature takes about as much memory decoded as it does in its message: it has
 * single values, and arrays of bytes. Of others each element becomes an object. */
gboolean ldb_peer_signature_is_plain (const char *signature);

/* ---- the connection ---- */

typedef struct _LdbPeer LdbPeer;

/* Why a connection ended. */
typedef enum
{
  LDB_PEER_LEFT,      /* the other side closed it, or died */
  LDB_PEER_DISMISSED, /* there is nothing for it here any longer */
  LDB_PEER_HANDSHAKE, /* it did not say who it is as D-Bus has it */
  LDB_PEER_MESSAGE,   /* it sent what is no message, or one that is too long */
  LDB_PEER_SLOW,      /* it took too long to say who it is, or takes no answers */
  LDB_PEER_CROWDED,   /* it makes way for another process's */
} LdbPeerEnd;

typedef struct
{
  /* Whether a message of that length, whose body is not plain, is to be decoded. */
  gboolean (*admits) (gpointer owner, const char *signature, gsize length);
  /* A call, a signal or a reply has come. */
  void (*message) (gpointer owner, GDBusMessage *message);
  /* All that waited has gone out. */
  void (*drained) (gpointer owner);
  /* It has ended; the last that is heard of it. Never from within ldb_peer_new. */
  void (*ended) (gpointer owner, LdbPeerEnd end);
} LdbPeerHandler;

/* Takes the descriptor over. `user` is who the kernel says the other side is. Attached to the
 * context. */
LdbPeer *ldb_peer_new (int descriptor, guint user, const char *guid, GMainContext *context,
                       const LdbPeerHandler *handler, gpointer owner);
LdbPeer *ldb_peer_ref (LdbPeer *self);
void ldb_peer_unref (LdbPeer *self);
/* RUNNING or WAITING. */
gboolean ldb_peer_is_open (LdbPeer *self);

/* Queues a message and gives it its serial number. FALSE: it has ended, or the message can't be
 * sent. */
gboolean ldb_peer_send (LdbPeer *self, GDBusMessage *message);
/* Bytes that the other side has not taken. */
gsize ldb_peer_get_waiting (LdbPeer *self);

/* A call is under way; and is not any more. */
void ldb_peer_begin_call (LdbPeer *self);
void ldb_peer_end_call (LdbPeer *self);

/* Ends it. */
void ldb_peer_end (LdbPeer *self, LdbPeerEnd end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbPeer, ldb_peer_unref)

G_END_DECLS
