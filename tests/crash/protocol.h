/* SPDX-License-Identifier: MIT */
/*
 * protocol: what the engine must have made durable before it does something else, looked for in the
 * journal of a disk. The states that a crash may leave show the same in the end, where the faulty
 * one is among those that are judged; this looks at each change.
 *
 *   P1  When a call returns that promises its commits, the log that is durable holds them, as far as
 *       no durable manifest says they are in segments, and so are the large values they refer to.
 *   P2  When a manifest is written that refers to a segment, the segment and its name are durable;
 *       of a blob file what was done to it for the commits that the manifest says are flushed.
 *   P3  When a segment or blob file is deleted, the manifest that is durable does not refer to it;
 *       when a log segment loses its name, that manifest says that its commits are in segments.
 */
#ifndef LIGHTNING_TESTS_PROTOCOL_H
#define LIGHTNING_TESTS_PROTOCOL_H

#include "crash-states.h"
#include "workload.h"

/* Goes through the changes that were made to `base`, by `workload`; NULL: by a recovery, which
 * promises nothing and found the commits up to `counted`. False with a reason and the change after
 * which it is so. Simulates threads. */
bool protocol_holds (const struct disk *base, const struct disk_journal *journal,
                     const struct workload *workload, uint64_t counted, char reason[256],
                     size_t *point);

#endif
