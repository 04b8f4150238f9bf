/* SPDX-License-Identifier: MIT */
/*
 * cell: the handles that one thread at a time uses: configs, iterators, batches, and transactions
 * by their numbers.
 *
 * A cell holds one thing and a lock. Cells are never freed but used again, so that a stale number
 * may lead to a cell that has another thing by now: who enters locks first, then compares numbers.
 *
 * Invariants
 *   H1  A cell's number and thing change only with its lock held.
 *   H2  Whoever takes the thing out of its cell owns it: nobody else is at it or gets to it.
 *   H3  In a forked child what the parent made is never touched, but for configs: their memory is
 *       whole at every moment. A fork waits for no call that is under way.
 *
 * Locks: an iterator's cell before its transaction's, that before the list of a database's
 * transactions; the tables' and the pool's are leaves.
 * Threads: any.
 */
#ifndef LIGHTNING_FFI_CELL_H
#define LIGHTNING_FFI_CELL_H

#include "caller.h"
#include "number-table.h"

#include <pthread.h>

enum cell_kind
{
  CELL_CONFIG,
  CELL_ITERATOR,
  CELL_BATCH,
  CELL_TRANSACTION,
};

struct cell
{
  pthread_mutex_t lock;
  uint64_t number;          /* 0: none; lock */
  enum cell_kind kind;      /* lock */
  unsigned fork_generation; /* of the process that made it; lock */
  void *thing;              /* lock */
  struct cell *next_free;   /* the pool's */
  struct cell *next;        /* of all; never changes */
};

/* Puts a thing into a cell of its own, with its lock held until cell_leave. Numbers are from 2^30
 * on, so that they fit into 31 bits and differ from those of databases; those of transactions,
 * which have 64 bits, from 1 on. LimitExceeded or OutOfMemory: then there is no cell. */
LightningDBError cell_add (struct caller *caller, enum cell_kind kind, void *thing,
                           struct cell **out);
/* With its lock held until cell_leave. InvalidHandle or InvalidTransaction, ForkedProcess,
 * NullPointer (`what` names it): then there is no cell. */
LightningDBError cell_enter (struct caller *caller, enum cell_kind kind, uint64_t number,
                             const char *what, struct cell **out);
static inline void
cell_leave (struct cell *cell)
{
  pthread_mutex_unlock (&cell->lock);
}
/* Instead of cell_leave: takes the thing out (H2), and the number with it. */
void *cell_take (struct cell *cell);
/* Enters and takes. *thing NULL, though Success, when it is the parent's. */
LightningDBError cell_remove (struct caller *caller, enum cell_kind kind, uint64_t number,
                              const char *what, void **thing);

/* Whether the number is, or was a moment ago, that of anything here but a transaction. */
bool cell_knows (uint64_t number);

#endif
