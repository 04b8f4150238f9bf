/* SPDX-License-Identifier: MIT */
/*
 * ledger: the one memory budget of a database.
 *
 * Every large consumer (page cache, memtables, the mapped log, indexes, filters, pinned bytes)
 * charges what it takes here, before it takes it. The page cache is the one that gives way: it is
 * told a capacity of what the others leave (core/memory.h). Counters are atomics; nobody waits.
 */
#ifndef LIGHTNING_BASE_LEDGER_H
#define LIGHTNING_BASE_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below, memory must not be rounded up to huge pages. */
#define LEDGER_HUGE_BUDGET UINT64_C (32000000)

enum ledger_account
{
  LEDGER_CACHE,      /* frames of decoded pages, cache bookkeeping */
  LEDGER_PAGE_TABLE, /* page tables of open segments */
  LEDGER_INDEX,      /* flat indexes of segments */
  LEDGER_FILTER,     /* filters held in memory */
  LEDGER_MEMTABLE,   /* arenas of active and frozen memtables */
  LEDGER_LOG,        /* mapped log segments */
  LEDGER_MERGE,      /* buffers of flushes and merges */
  LEDGER_SEGMENT,    /* open segments themselves: bounds, dictionaries, range deletes */
  LEDGER_OTHER,      /* hot records, what has no account (core/memory.h) */
  LEDGER_ACCOUNTS,
};

struct ledger
{
  _Atomic uint64_t budget;               /* bytes; may be set while the database is open */
  _Atomic int64_t used[LEDGER_ACCOUNTS]; /* bytes held now, per account; unless they are kept: */
  _Atomic int64_t *elsewhere; /* among the metrics, likewise; NULL = not. Set before the first
                                 charge; lasts as long as this */
  /* Shares the budget out anew; NULL = nobody does. Set before the first charge. */
  void (*balance) (void *data);
  void *balance_data; /* for it */
};

/* For who charged something while the database may be at rest otherwise. Outside of epoch sections
 * and of all locks. */
static inline void
ledger_balance (struct ledger *ledger)
{
  if (ledger != NULL && ledger->balance != NULL)
    ledger->balance (ledger->balance_data);
}

static inline _Atomic int64_t *
ledger_account (struct ledger *ledger, enum ledger_account account)
{
  return (ledger->elsewhere != NULL ? ledger->elsewhere : ledger->used) + account;
}

static inline void
ledger_charge (struct ledger *ledger, enum ledger_account account, size_t size)
{
  atomic_fetch_add_explicit (ledger_account (ledger, account), (int64_t) size,
                             memory_order_relaxed);
}

static inline void
ledger_refund (struct ledger *ledger, enum ledger_account account, size_t size)
{
  atomic_fetch_sub_explicit (ledger_account (ledger, account), (int64_t) size,
                             memory_order_relaxed);
}

static inline int64_t
ledger_used (const struct ledger *ledger, enum ledger_account account)
{
  return atomic_load_explicit (ledger_account ((struct ledger *) ledger, account),
                               memory_order_relaxed);
}

static inline int64_t
ledger_total (const struct ledger *ledger)
{
  int64_t total = 0;
  for (int account = 0; account < LEDGER_ACCOUNTS; account++)
    total += ledger_used (ledger, (enum ledger_account) account);
  return total;
}

#endif
