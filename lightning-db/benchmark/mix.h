/* SPDX-License-Identifier: MIT */
/*
 * mix: operations of several kinds at once, each as often as its share says, on records drawn evenly,
 * from a hot hundredth, or in order. It runs by time alone, and what it did so far can be looked at
 * while it runs, on a board.
 *
 *   MIX_GET          a read of a record, verified
 *   MIX_MISSING      a read of a key that is not there
 *   MIX_PUT          the next version of a record
 *   MIX_SCAN         a seek, then ten records, each verified
 *   MIX_TRANSACTION  six reads, three puts, a delete, one commit
 *   MIX_DELETE       a delete of a record; a put brings it back
 *
 * A wrong value is counted, and the row goes on; an engine that fails ends it.
 *
 * Threads: a board may be used by any; a mix stays as it is while it runs.
 */
#ifndef LIGHTNING_BENCHMARK_MIX_H
#define LIGHTNING_BENCHMARK_MIX_H

#include "workload.h"

enum mix_kind
{
  MIX_GET,
  MIX_MISSING,
  MIX_PUT,
  MIX_SCAN,
  MIX_TRANSACTION,
  MIX_DELETE, /* the last: files have these numbers */
  MIX_KINDS,
};

/* How a kind and an order are called: in options and files, and by people, in English. */
struct mix_name
{
  const char *id;
  const char *title;
};

enum mix_order
{
  MIX_EVENLY,   /* any record as often as any other */
  MIX_HOT,      /* those of a hundredth, by Zipf's law (0.99) */
  MIX_IN_ORDER, /* one after the other */
  MIX_ORDERS,
};

extern const struct mix_name mix_kind_names[MIX_KINDS];
extern const struct mix_name mix_order_names[MIX_ORDERS];

/* What was done. All zeros: nothing. */
struct mix_tally
{
  uint64_t operations[MIX_KINDS];      /* transactions and scans count as one */
  uint64_t wrong;                      /* values that were not the right ones */
  struct latency latencies[MIX_KINDS]; /* of each operation, in ns */
};

struct mix_board
{
  pthread_mutex_t lock;
  struct mix_tally tally; /* of all workers so far; guarded by lock */
  char wrong[512];        /* the first wrong value, in words; "": none; guarded by lock */
};

struct mix
{
  unsigned shares[MIX_KINDS]; /* relative to their sum, which is not 0 */
  enum mix_order order;
  struct mix_board *board; /* borrowed */
};

/* A row of the benchmark as a mix. */
struct mix_preset
{
  const char *row; /* in workload_list */
  unsigned shares[MIX_KINDS];
  enum mix_order order;
  bool durable; /* each commit reaches the disk before it is acknowledged */
};

extern const struct mix_preset mix_presets[]; /* ended by one without a row */

/* The row that does what the benchmark's mix says. It is in no list: it needs a mix. */
extern const struct workload mix_workload;

/* Does a benchmark's mix delete records? FALSE also without a mix. */
bool mix_deletes (const struct benchmark *benchmark);

void mix_tally_add (struct mix_tally *into, const struct mix_tally *from);

void mix_board_init (struct mix_board *board);
void mix_board_clear (struct mix_board *board);
/* A copy of what was done so far. */
void mix_board_read (struct mix_board *board, struct mix_tally *tally);

#endif
