/* SPDX-License-Identifier: MIT */
/*
 * place: what a LightningDB handle stands for: a database, one of its stores, and perhaps a moment
 * of its past. A call uses its place without a lock and without writing to memory that other
 * threads read: it publishes the number in its caller. Who frees the handle withdraws the number
 * and waits until no caller uses it (base/barrier.h says why one of the two always sees the other).
 *
 * Invariants
 *   P1  A place is freed after its number was withdrawn and no caller uses that number any more.
 *   P2  A call uses at most one place, and none when it returns.
 *   P3  The place that an opening made is the database's own: its end closes the engine. Stores and
 *       snapshots keep the closed engine's shell, which answers STATUS_CLOSED.
 *   P4  Once `closed` is set, `transactions` only shrinks.
 *
 * Threads: any. In a forked child places of the parent give ForkedProcess and are never freed.
 */
#ifndef LIGHTNING_FFI_PLACE_H
#define LIGHTNING_FFI_PLACE_H

#include "base/barrier.h"
#include "caller.h"
#include "number-table.h"

#include <pthread.h>
#include <sys/types.h>

struct transaction;

struct database
{
  _Atomic size_t references; /* places and transactions */
  struct engine *engine;     /* referenced */
  uint64_t serial;           /* differs from that of every other opening in this process */
  dev_t device;              /* of the directory */
  ino_t inode;               /* of the directory */
  pthread_mutex_t lock;
  bool closed;                      /* lock */
  struct transaction *transactions; /* that are open; lock */
};

/* A snapshot that places and iterators share. */
struct moment
{
  _Atomic size_t references;
  struct engine_snapshot *snapshot; /* owned */
};

struct place
{
  struct engine *engine; /* the database's */
  engine_store store;
  struct engine_snapshot *snapshot; /* the moment's; NULL = now */
  struct database *database;        /* referenced */
  struct moment *moment;            /* referenced; NULL = now */
  bool own;                         /* P3 */
  unsigned fork_generation;         /* of the process that made it */
};

extern struct number_table place_table __attribute__ ((visibility ("hidden")));

/* What a call uses while it runs. */
struct use
{
  struct caller *caller;
  struct place *place;
};

LightningDBError place_refuse (struct caller *caller, const LightningDB *handle,
                               const struct place *place);

/* First thing of a call on a database. On failure there is nothing to end. */
static inline LightningDBError
use_begin (struct use *use, const LightningDB *handle)
{
  struct caller *caller = caller_get ();
  *use = (struct use){ caller, NULL };
  if (__builtin_expect (caller == NULL, 0))
    return OutOfMemory;
  uint64_t number = (uintptr_t) handle;
  barrier_publish (&caller->uses, number);
  struct place *place = use->place = number_table_find (&place_table, number);
  if (__builtin_expect (place == NULL || place->fork_generation != caller_fork_generation, 0))
    return place_refuse (caller, handle, place);
  return Success;
}

/* Last thing of it. */
static inline LightningDBError
use_end_error (struct use *use, LightningDBError error)
{
  atomic_store_explicit (&use->caller->uses, 0, memory_order_release);
  return error;
}

static inline LightningDBError
use_end (struct use *use, status result)
{
  return use_end_error (use, caller_answer (use->caller, result));
}

static inline LightningDBError
use_end_null (struct use *use, const char *what)
{
  return use_end_error (use, caller_null (use->caller, what));
}

/* use_begin for what changes the database: DatabaseReadOnly of a snapshot. */
LightningDBError use_begin_writing (struct use *use, const LightningDB *handle);

/* Copies bytes to a result that is the caller's from then on. */
LightningDBError result_copy (struct caller *caller, struct bytes bytes, LightningDBResult *result);

struct moment *moment_ref (struct moment *moment); /* NULL is one */
void moment_unref (struct moment *moment);
struct database *database_ref (struct database *database);
void database_unref (struct database *database);

#endif
