/* SPDX-License-Identifier: MIT */
/*
 * transaction-private: what the files of transactions share.
 *
 *   transaction.c       begin, reads, writes, savepoints, commit
 *   transaction-keys.c  which keys they are, for others to see
 *   validation.c        whether anything that a transaction depends on was changed
 */
#ifndef LIGHTNING_CORE_TRANSACTION_PRIVATE_H
#define LIGHTNING_CORE_TRANSACTION_PRIVATE_H

#include "core/engine-private.h"

/* ACTIVE ──commit──► COMMITTING ──► ENDED, or back to ACTIVE when it may be tried again
 * ACTIVE ──rollback──► ENDED        ACTIVE ──timer──► EXPIRED        ACTIVE ──abort──► REVOKED
 * Whoever makes the step out of ACTIVE owns what follows (the timer runs on another thread). */
enum transaction_state
{
  TRANSACTION_ACTIVE,
  TRANSACTION_COMMITTING,
  TRANSACTION_ENDED,
  TRANSACTION_EXPIRED,
  TRANSACTION_REVOKED,
};

struct savepoint
{
  size_t log_size; /* bytes of the log at that time */
};

struct engine_transaction
{
  struct engine_snapshot reading; /* references the engine */
  unsigned flags;                 /* enum engine_transaction_flags */
  uint64_t id;
  _Atomic int state;                          /* enum transaction_state */
  uint64_t began;                             /* nanoseconds, monotonic */
  uint64_t deadline;                          /* microseconds, monotonic; UINT64_MAX = none */
  struct engine_transaction *next, *previous; /* not read-only; engine's transactions_lock */
  _Atomic uint64_t operations, bytes;         /* of `log`, for other threads to see */
  _Atomic uint64_t dependencies;              /* in `reads` and `spans`, likewise */
  pthread_mutex_t looking;                    /* of those who look at log, reads and spans: T4 */
  _Atomic size_t log_shown, reads_shown;      /* bytes of these that they see */
  struct engine_batch log;                    /* the writes, in order */
  struct memtable *index;                     /* the writes, by key; NULL before the first */
  struct savepoint *savepoints;               /* malloc'd */
  size_t savepoint_count;
  struct engine_batch reads; /* keys to check, encoded as deletes */
  struct read_span *spans;
  bool locks_keys;    /* some of `reads` were locked: checked even without writes */
  engine_store drops; /* the store that it takes out of the catalogue; 0 = none */
};

/* A read-write one; NULL: there is none of that number. transactions_lock held, which keeps it there. */
struct engine_transaction *transaction_of_id (struct engine *engine, uint64_t id);

#endif
