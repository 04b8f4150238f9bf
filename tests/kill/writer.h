/* SPDX-License-Identifier: MIT */
/*
 * writer: threads of a process that will be killed, and what another process knows of them.
 *
 * Each writer owns its keys, in two stores, and goes through a sequence of operations that follows
 * from its number alone: puts, large values, deletes, range deletes, batches and transactions over
 * both stores, `async` and `full`. Behind each it writes into a pipe to the parent: its number, the
 * operation's and the commit's. So the parent knows for each writer the last acknowledged operation
 * n, and its keys must be exactly as after n operations, or, if the next one had got through
 * unacknowledged, as after n + 1: a lost commit, half a batch, or an older value all show.
 */
#ifndef LIGHTNING_TESTS_WRITER_H
#define LIGHTNING_TESTS_WRITER_H

#include "engine.h"

#include <stdatomic.h>

#define WRITERS 4u
#define WRITER_KEYS 48u /* of each in each store */
#define WRITER_STORES 2u

/* ---- in the process that is killed ---- */

struct acknowledgement
{
  uint32_t writer;   /* or WRITERS: something else than a writer's operation */
  uint32_t what;     /* then: the caller's own */
  uint64_t number;   /* of the writer's operation */
  uint64_t sequence; /* of its commit */
};
void acknowledge (int to, struct acknowledgement what); /* whole, or the process ends */

struct writer
{
  struct engine *engine;
  engine_store stores[WRITER_STORES];
  unsigned number; /* below WRITERS */
  uint64_t next;   /* operation */
  int pipe;        /* acknowledgements go there */
  /* Called after each operation, by the writer's thread; NULL or not. */
  void (*after) (struct writer *writer, uint64_t operation);
  const _Atomic bool *stop; /* it ends when this is true */
};
/* A thread's body; the data is a struct writer. */
void *writer_main (void *data);

/* ---- in its parent ---- */

struct writer_cell
{
  uint64_t number; /* of the operation that put it; 0 = absent */
  uint32_t size;   /* of its value */
};
typedef struct writer_cell writer_picture[WRITER_STORES][WRITER_KEYS]; /* one writer's keys */

/* The picture after one more operation. */
void writer_apply (writer_picture picture, unsigned writer, uint64_t number);
/* How a writer's keys differ from a picture; NULL when they don't. */
const char *writer_difference (struct engine *engine, const engine_store *stores, unsigned writer,
                               writer_picture picture, char *message, size_t size);

/* Reads one acknowledgement, waiting until the moment `until` (microseconds of writer_now). */
enum acknowledged
{
  ACKNOWLEDGED,
  ACKNOWLEDGED_LATE, /* nothing came */
  ACKNOWLEDGED_END,  /* the other end is closed */
};
enum acknowledged read_acknowledgement (int from, uint64_t until, struct acknowledgement *out);
uint64_t writer_now (void);

#endif
