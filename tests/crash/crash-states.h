/* SPDX-License-Identifier: MIT */
/*
 * crash-states: every state in which a crash may leave a simulated disk.
 *
 * A walk goes through a journal change by change. At each point it knows what is durable (the
 * floor) and which changes are pending: made, but not covered by a sync. A crash at that point
 * leaves the floor and some of the pending changes, of which each write may be torn. What "some"
 * means is the file system's promise:
 *
 *   CRASH_MINIMAL   POSIX and no more. Any subset of the pending changes, in any order on the disk: a
 *                   file may be there without its name, a name without what its file held, the size
 *                   without the bytes, the bytes without the size. fdatasync makes one file's bytes
 *                   and size durable, syncing a directory its names. A renamed file may have both
 *                   names, never none.
 *   CRASH_ORDERED   ext4 with its default, data=ordered. Names, truncations and allocations reach
 *                   the disk in the order in which they were made; a file grows only with its
 *                   bytes; syncing a file that grew, or a directory, takes all names before it
 *                   along. Only bytes written over older ones are free.
 *
 * Writes are torn at multiples of 512 and 4096 bytes of the file. The torn part holds what was
 * there before, zeros, or garbage. What was durable beside a write in the same sector stays: a
 * drive that loses it breaks the promise ("powersafe overwrite") on which every log stands.
 *
 * States are numbered: walk, point and number give the same state on every run.
 */
#ifndef LIGHTNING_TESTS_CRASH_STATES_H
#define LIGHTNING_TESTS_CRASH_STATES_H

#include "simulated-disk.h"

enum crash_profile
{
  CRASH_MINIMAL,
  CRASH_ORDERED,
};
#define CRASH_PROFILES 2

struct crash_walk
{
  const struct disk_journal *journal;
  enum crash_profile profile;
  struct disk *floor; /* what is durable; owned */
  size_t point;       /* changes of the journal that were made */
  size_t *pending;    /* which of them are not durable, rising; malloc'd */
  size_t pending_count, pending_room;
};

/* At point 0: the disk is `base`, all durable. */
void crash_walk_init (struct crash_walk *walk, const struct disk *base,
                      const struct disk_journal *journal, enum crash_profile profile);
void crash_walk_clear (struct crash_walk *walk);
/* Moves to the next point; false at the journal's end. */
bool crash_walk_next (struct crash_walk *walk);

/* One choice for each pending change. `kill`: everything is there, as after the death of the
 * process alone. False ends the enumeration. */
typedef bool (*crash_visit) (void *data, const struct disk_choice *choices, bool kill);
/* Visits the states of the present point that differ from those of all earlier ones, as far as that
 * can be seen without building them: the newest change is involved, or it was a sync, behind which
 * more may be promised. Of up to `subsets_whole` pending changes all subsets are visited, of more
 * none, all, each prefix, all but one, each alone or with the newest, and random ones. */
void crash_states (const struct crash_walk *walk, unsigned subsets_whole, uint64_t seed,
                   crash_visit visit, void *data);
/* The disk that a choice leaves. */
struct disk *crash_build (const struct crash_walk *walk, const struct disk_choice *choices);
void crash_print (const struct crash_walk *walk, const struct disk_choice *choices);

#endif
