/* SPDX-License-Identifier: MIT */
/*
 * LdbWaiter: one handle that waits to be the writer while another process writes. All who wait in
 * this process for one directory are a queue that has one thread: it lies in the kernel for them
 * until the writer has ended, opens an engine for the first one, and has the others join that.
 *
 *            begin             locked           the writer ended
 *   (none) ─────────▶ trying ─────────▶ parked ──────────────────▶ trying ─▶ ended
 *      └──────────────── give_up, at any moment ───────────────────────────────┘
 *
 * Threads: every function, any thread. One lock guards all queues; no engine is opened and no
 * function of whoever waits is called with it.
 */
#pragma once

#include "ldb-call-private.h"

G_BEGIN_DECLS

typedef struct _LdbWaiter LdbWaiter;

struct _LdbWaiter
{
  LdbDatabase *handle; /* that is to write; whoever waits holds it */
  gboolean takes_over; /* it is open for reading; else it is new */
  /* Called once, on any thread, without locks; the waiter may be freed then. `error` (transfer
   * full) NULL: the handle writes. */
  void (*ended) (LdbWaiter *self, GError *error);

  /* Guarded by the queues' lock. */
  struct _LdbWaitQueue *queue; /* it is in; NULL before and after */
  GList link;                  /* in there */
  GError *reason;              /* why it was given up before it began, or while it was tried */
};

/* The handle is tried at once, and then whenever there is hope, until that says something else than
 * LOCKED. */
void ldb_waiter_begin (LdbWaiter *self);

/* Ends it with `reason` (transfer full), unless it has ended. When it is being tried just now, what
 * comes of that counts if it succeeds. */
void ldb_waiter_give_up (LdbWaiter *self, GError *reason);

/* The handle is closed: nobody waits for it any more. */
void ldb_waiter_close_handle (LdbDatabase *handle);

/* This process has opened an engine that writes: whoever waits looks whether he can join it. */
void ldb_waiter_rouse_all (void);

/* Tries in this thread; when another process writes, and it is to wait, it returns when that has
 * ended and the queue's thread has succeeded, or it was given up. FALSE: error. */
gboolean ldb_waiter_try (LdbDatabase *handle, gboolean takes_over, gboolean waits,
                         GCancellable *cancellable, GError **error);

/* The same for an asynchronous call, taken over; it fails, or has succeeded, whatever its function
 * would do. */
void ldb_waiter_start (LdbCall *call, const LdbReply *reply, LdbDatabase *handle,
                       gboolean takes_over);

/* In the child of a fork: the thread stayed with the parent, and the lock may be held by it. */
void ldb_waiter_forget (void);

G_END_DECLS
