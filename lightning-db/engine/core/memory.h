/* SPDX-License-Identifier: MIT */
/*
 * memory: how the budget is shared out. docs/design/memory.md has the table.
 *
 * Invariants
 *   U1  What does not give way (three memtables, the mapped log, flushes and merges, indexes and
 *       filters) takes at most 15/16 of the budget, all at its most at once, and a megabyte that
 *       nobody charges by itself: thread stacks, codec contexts, what the allocator keeps. A single
 *       commit larger than a memtable, or a value larger than a merge's share, is the exception.
 *   U2  The page cache is told what the others leave, and in advance: while writes go on it leaves
 *       alone what flushes and merges may take, and the memtable's next step.
 *   U3  A flush and each merging thread are told how much they may take before they begin, and size
 *       their buffers by it.
 *   U4  No memtable is begun while three are in memory, flushed ones that readers still refer to
 *       among them: a writer waits, but not for long. What an application holds for longer (a
 *       cursor, or a read that was suspended) comes on top.
 *   U5  The budget is the ledger's, and may be another one from one moment to the next. What was taken
 *       under a larger one gives way in its own course: the cache at once, memtables by a flush, the
 *       log with the next commit, merges that are under way when they end.
 *
 * Threads: any.
 */
#ifndef LIGHTNING_CORE_MEMORY_H
#define LIGHTNING_CORE_MEMORY_H

#include "core/engine-private.h"

#define MEMORY_MEMTABLES 3u /* the active one and FROZEN_MAX */

/* Sets the sizes that depend on the budget, before anything else here. */
void memory_choose (struct engine *engine);
/* Bytes of a log segment: three of them are mapped at once. */
uint64_t memory_log_segment (const struct engine *engine);
/* Bytes of commits that are kept for feeds where there is no log: what its mapping might take. */
uint64_t memory_recent_bytes (const struct engine *engine);
/* Bytes of the log that are kept for a feed that is behind. */
uint64_t memory_reader_bytes (const struct engine *engine);
/* Threads that may merge at once. */
unsigned memory_merge_workers (const struct engine *engine);
/* Bytes that the writing of one memtable, or one thread's part of a merge, should get by with. */
size_t memory_of_flush (const struct engine *engine);
size_t memory_of_merge (const struct engine *engine);
/* Bytes to read at once from each of `inputs`. */
size_t memory_merge_chunk (const struct engine *engine, size_t inputs);
/* File bytes from which the pages and keys of a segment would take too much while it is written. */
uint64_t memory_segment_size_most (const struct engine *engine);

/* Whether so many bytes of files are little beside the system's memory: what is written is then
 * left in the system's page cache, and what is read is read with its surroundings. */
bool memory_is_large_for (uint64_t bytes);

/* Brackets a flush, a merge or a bulk load (U2). */
void memory_begin_writing (struct engine *engine);
void memory_end_writing (struct engine *engine);
/* Tells the cache what the other consumers leave, which may evict: not under the cache's lock or
 * that of the commit pipeline, nor in an epoch section. */
void engine_rebalance (struct engine *engine);
/* Whether a memtable may be begun. commit_lock held. */
bool memory_has_place (struct engine *engine);
/* A flush is about to take its memtable from the view: brackets that until its memory is free, or
 * was waited for. The flush thread, without locks. */
void memory_begin_release (struct engine *engine);
void memory_end_release (struct engine *engine);
/* The active memtable holds `memory` bytes, and has reached engine->memtable_look: engine_rebalance
 * is due. commit_lock held. */
void memory_look (struct engine *engine, size_t memory);
/* Whether it is, for who is about to let commit_lock go, and then calls it. */
static inline bool
memory_take_due (struct engine *engine)
{
  bool due = engine->balance_due;
  engine->balance_due = false;
  return due;
}

#endif
