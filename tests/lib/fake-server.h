/* SPDX-License-Identifier: MIT */
/*
 * A server in the place of an application's, which answers its clients as a test likes: a socket, the
 * handshake, and messages one after the other. Each client has a thread of its own.
 */
#pragma once

#include <gio/gio.h>

typedef struct _FakeServer FakeServer;

/* The server's side of the handshake, of which the client has said all. FALSE: it did not come about. */
typedef gboolean (*FakeHandshake) (FakeServer *server, int socket);
/* To one call. FALSE: that was the last. */
typedef gboolean (*FakeAnswer) (FakeServer *server, int socket, GDBusMessage *call);

struct _FakeServer
{
  FakeHandshake handshake; /* NULL: as it should be */
  FakeAnswer answer;       /* to each call; on the client's thread */
  int listener;            /* the socket */
  GThread *thread;         /* that accepts clients; owned */
  GMutex lock;             /* a leaf */
  GCond fewer;             /* a client has gone; with `lock` */
  GList *sockets;          /* of clients that are served; with `lock` */
};

/* Listens there. */
void fake_server_start (FakeServer *self, const char *path);
/* Hangs up on all who are still there. */
void fake_server_stop (FakeServer *self);

/* FALSE: the other side has closed the connection. */
gboolean fake_server_send (int socket, gconstpointer bytes, gsize size);
/* All of it, or the first half. FALSE: it is too large for a message. */
gboolean fake_server_send_message (int socket, GDBusMessage *message, guint32 serial,
                                   gboolean half);
/* As it should be. */
gboolean fake_server_shake_hands (int socket);
