/* SPDX-License-Identifier: MIT */
/*
 * hot-records: copies of the records that are read again and again, so that a get of one costs two
 * or three cache lines instead of filter, index, page table, page and record.
 *
 *   memtables ─► hot records ─► runs
 *
 * It stands behind the memtables and in front of the runs, and holds what the runs say of a key.
 * Runs never change; when a view brings others, its runs_id is a new one and all that was kept is
 * of no use any more. So nothing is ever invalidated, and writers know nothing of it.
 *
 *   bucket     [ way 0 | way 1 ]     chosen by the key's hash
 *   way        3 cache lines: version, hash, runs_id, sequence, sizes, key, value
 *
 * Invariants
 *   H1  What is kept under a runs_id is the newest version of the key in those runs: it is entered
 *       only by a lookup that could see all they hold (view->runs_sequence), and only if it is a
 *       plain value that no range delete covers.
 *   H2  A way is read without locks; its version, odd while it is written, tells whether what was
 *       read is whole. A writer that finds it odd leaves it alone.
 *
 * It is adaptive: each thread looks for a while, and if too few lookups hit, it leaves it alone for
 * a longer while. The table is allocated once a thread looks, and is charged to the ledger.
 *
 * Threads: any. Called inside the epoch section in which the table was taken from its place.
 */
#ifndef LIGHTNING_HOT_RECORDS_H
#define LIGHTNING_HOT_RECORDS_H

#include "base/bytes.h"
#include "base/epoch.h"
#include "base/ledger.h"

#include <stdatomic.h>

struct hot_records;

/* How a thread gets on; zeros at first. Its own. */
struct hot_trial
{
  uint32_t left;  /* lookups until the next decision */
  uint32_t hits;  /* of this trial's lookups */
  uint32_t pause; /* lookups that the next pause lasts; 0 = never tried */
  bool on;        /* looks now */
};

/* Makes the table when there is none and the budget allows one; NULL: there is none. */
struct hot_records *hot_records_provide (_Atomic (struct hot_records *) *place,
                                         struct ledger *ledger);
/* When nobody can look any more. */
void hot_records_free (struct hot_records *records);
/* Frees what is there once nobody looks; the ledger must last until then. Returns its bytes. */
size_t hot_records_drop (_Atomic (struct hot_records *) *place);

/* There is no table: do not look for as long as can be said. */
void hot_trial_end (struct hot_trial *trial);
/* Decides, every few thousand lookups: whether this thread looks. */
bool hot_trial_turn (struct hot_trial *trial);
static inline bool
hot_trial_looks (struct hot_trial *trial)
{
  if (__builtin_expect (trial->left == 0, 0))
    return hot_trial_turn (trial);
  trial->left--;
  return trial->on;
}

/* Copies the value to `buffer` if it has at most `capacity` bytes; *size either way. False when it
 * is not kept or is newer than `sequence`: then the buffer may have been written to. */
bool hot_records_get (struct hot_records *records, uint64_t runs_id, struct bytes key,
                      uint64_t hash, uint64_t sequence, void *buffer, size_t capacity,
                      size_t *size);
/* H1 is the caller's. Does nothing when the record is too large. */
void hot_records_keep (struct hot_records *records, uint64_t runs_id, struct bytes key,
                       uint64_t hash, uint64_t sequence, struct bytes value);

#endif
