/* SPDX-License-Identifier: MIT */
/*
 * overlay: a transaction's own writes as a source above all that was committed: what it wrote later
 * counts for more, and all of it for more than any commit.
 *
 * Threads: one at a time, the transaction's.
 */
#ifndef LIGHTNING_CORE_OVERLAY_H
#define LIGHTNING_CORE_OVERLAY_H

#include "base/source.h"
#include "memtable/memtable.h"

/* Over the index of a transaction's writes, to which the source refers. */
status overlay_source_new (struct memtable *index, struct source **out, struct failure *failure);

#endif
