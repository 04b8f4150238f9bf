/* SPDX-License-Identifier: MIT */
/*
 * LdbTransaction inside the library.
 *
 * Whoever works on the engine's transaction has claimed it: `busy` is taken by each call, in the
 * thread that makes it, and given back when the call has finished. The cursors of a transaction
 * share its claim, since they read what it writes.
 */
#pragma once

#include <pthread.h>

#include "engine.h"
#include "ldb-transaction.h"

G_BEGIN_DECLS

struct _LdbTransaction
{
  GObject parent_instance;

  LdbDatabase *database;                  /* owned */
  struct engine *engine;                  /* on which it was begun; borrowed from the database */
  struct engine_transaction *transaction; /* owned; set for life */
  LdbTransactionFlags flags;              /* as begun */
  guint64 commit_sequence;                /* 0 until it committed something */
  gboolean committed;                     /* with success, also of nothing; set before ended */
  gint ended;                             /* committed or rolled back; atomic */
  gint busy;                              /* claimed; see ldb_busy_enter */
  pthread_mutex_t cursors_lock;           /* guards the two lists */
  GPtrArray *cursors;                     /* open ones; borrowed, their dispose takes them off */
  GPtrArray *orphans;                     /* engine cursors to free with the next claim */
};

LdbTransaction *ldb_transaction_new (LdbDatabase *database, LdbTransactionFlags flags,
                                     GError **error);

/* FALSE with PENDING, CLOSED or FORKED. Leave it with ldb_busy_leave. */
gboolean ldb_transaction_claim (LdbTransaction *self, GError **error);

void ldb_transaction_add_cursor (LdbTransaction *self, LdbCursor *cursor);
/* Closes the cursor now, or when the call under way has finished. */
void ldb_transaction_remove_cursor (LdbTransaction *self, LdbCursor *cursor);

/* FALSE with an error: none of that number is open. */
gboolean ldb_transaction_refuse_number (guint64 id, GError **error);

G_END_DECLS
