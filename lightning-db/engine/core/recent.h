/* SPDX-License-Identifier: MIT */
/*
 * recent: the newest commits of a database without a log, in memory, for its feeds.
 *
 *   oldest chunk ─► … ─► newest chunk: [ size 8, payload | size 8, payload | … ]
 *
 * Invariants
 *   N1  What is kept is gapless up to the newest commit. What memory cannot hold makes all before
 *       it go; appending never fails.
 *   N2  A chunk is only added to; a record is written before its commit is published, and who reads
 *       goes by what is published.
 *   N3  Chunks take about `bytes_most`, and one each a reader stands in; charged to the ledger.
 *
 * Threads: appending is the commit lock's holder's; a reader is one thread's at a time, beside it.
 */
#ifndef LIGHTNING_RECENT_H
#define LIGHTNING_RECENT_H

#include "base/bytes.h"
#include "base/ledger.h"
#include "base/status.h"

struct recent;
struct recent_reader;

/* Keeps commits from `next_sequence` on. */
status recent_new (struct ledger *ledger, uint64_t next_sequence, uint64_t bytes_most,
                   struct recent **out, struct failure *failure);
void recent_free (struct recent *recent); /* after its readers */
void recent_append (struct recent *recent, uint64_t sequence, const struct bytes *parts,
                    size_t part_count);
uint64_t recent_oldest (struct recent *recent); /* oldest kept sequence, or the next one */

/* Commits after `after`. */
status recent_reader_new (struct recent *recent, uint64_t after, struct recent_reader **out,
                          struct failure *failure);
/* The next one up to `limit`, which is published; the payload lasts until the next call. NOT_FOUND:
 * it is above. HISTORY_GONE without a message: it is not kept. */
status recent_reader_next (struct recent_reader *reader, uint64_t limit, uint64_t *sequence,
                           struct bytes *payload);
void recent_reader_free (struct recent_reader *reader);

#endif
