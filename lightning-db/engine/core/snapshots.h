/* SPDX-License-Identifier: MIT */
/*
 * snapshots: the sequence numbers that somebody still reads at, so that merges keep what they see.
 *
 * A reader claims a slot without a lock. The race with a merge that starts at the same moment is
 * closed as in Dekker's algorithm: the reader writes its slot, then reads the floor; the merge
 * raises the floor to the newest visible commit, then reads the slots. Either the merge sees the
 * slot, or the reader sees the floor and moves up to it.
 *
 * Invariants
 *   P1  Once a slot is held, no merge drops the newest version at or below its sequence.
 *   P2  Neither side waits for the other.
 *
 * Threads: any.
 */
#ifndef LIGHTNING_SNAPSHOTS_H
#define LIGHTNING_SNAPSHOTS_H

#include "base/metrics.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_CHUNK_SLOTS 62u

struct snapshot_chunk
{
  _Atomic (struct snapshot_chunk *) next;
  _Atomic uint64_t slots[SNAPSHOT_CHUNK_SLOTS]; /* sequence + 1; 0 = free */
};

struct snapshots
{
  _Atomic uint64_t floor;      /* the newest visible commit any merge has started from */
  struct metrics *metrics;     /* where GAUGE_SNAPSHOTS_ACTIVE counts the slots in use */
  struct snapshot_chunk first; /* more are linked on demand and kept */
};

typedef _Atomic uint64_t snapshot_slot;

void snapshots_init (struct snapshots *snapshots, struct metrics *metrics);
void snapshots_clear (struct snapshots *snapshots);
/* Holds the newest visible commit; *sequence is it. */
status snapshots_hold (struct snapshots *snapshots, const _Atomic uint64_t *published,
                       snapshot_slot **slot, uint64_t *sequence, struct failure *failure);
/* Holds `sequence` once more; the caller knows it is held already. */
status snapshots_share (struct snapshots *snapshots, uint64_t sequence, snapshot_slot **slot,
                        struct failure *failure);
void snapshots_drop (struct snapshots *snapshots, snapshot_slot *slot);
/* For a merge: raises the floor to `published` and lists the held sequences and `published` itself,
 * rising, without repeats, at least one; malloc'd. */
status snapshots_collect (struct snapshots *snapshots, uint64_t published, uint64_t **out,
                          size_t *count, struct failure *failure);
/* What is held now, as sequence numbers, rising, with repeats; malloc'd. */
status snapshots_list (struct snapshots *snapshots, uint64_t **out, size_t *count,
                       struct failure *failure);
/* The lowest held sequence, or `otherwise`. */
uint64_t snapshots_oldest (struct snapshots *snapshots, uint64_t otherwise);

#endif
