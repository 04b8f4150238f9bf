/* SPDX-License-Identifier: MIT */
/*
 * Workers: the threads that run asynchronous calls, which come back to the main contexts they were
 * started in through an outbox.
 *
 * Everything shared is guarded by pthread mutexes of our own, not by GLib's: so ThreadSanitizer
 * sees each handing over although GLib is not built for it.
 *
 * Threads: any.
 */
#pragma once

#include "ldb-call-private.h"

G_BEGIN_DECLS

/* Has `call` run by a worker and delivered in `context` afterwards. FALSE, with an error, when
 * there is no thread and none can be started: the call is not taken then. */
gboolean ldb_worker_push (LdbCall *call, LdbWorkKind kind, GMainContext *context, GError **error);

/* The same for a call that has nothing left to do. */
void ldb_worker_skip (LdbCall *call, GMainContext *context);

/* Starts a thread that nobody joins. It takes no signals: they are the application's. 0, or an
 * errno. */
int ldb_worker_start_thread (void *(*run) (void *data), void *data);
/* First thing in such a thread. From outside it could not be named: it may have ended. */
void ldb_worker_name_thread (const char *name);

/* In the child of a fork: the threads stayed with the parent, and locks may be held by them. */
void ldb_worker_forget (void);

G_END_DECLS
