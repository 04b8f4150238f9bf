/* SPDX-License-Identifier: MIT */
/*
 * LdbOutbox: the way from our threads into a main context. Each context has one, a source that
 * stays attached and is ready exactly while something is in it, so a burst costs one wake-up.
 *
 * Threads: any. What is pushed is delivered in the context, in order. A delivery may run the
 * context itself: the rest is delivered in there.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LdbOutbox LdbOutbox;
typedef struct _LdbDelivery LdbDelivery;

/* Part of what is delivered; in at most one outbox at a time. */
struct _LdbDelivery
{
  void (*deliver) (LdbDelivery *self); /* called in the context, when it is out of the outbox */
  LdbDelivery *next, *previous;        /* in the outbox; guarded by its lock */
};

/* The outbox of a context, good for as long as the caller keeps the context alive. */
LdbOutbox *ldb_outbox_of (GMainContext *context);

void ldb_outbox_push (LdbOutbox *self, LdbDelivery *delivery);

/* Takes back what was pushed. FALSE: it is not in there, so it is, or was, being delivered. */
gboolean ldb_outbox_withdraw (LdbOutbox *self, LdbDelivery *delivery);

/* In the child of a fork: an outbox may be locked by a thread that is not there. */
void ldb_outbox_forget (void);

G_END_DECLS
