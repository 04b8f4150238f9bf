/* SPDX-License-Identifier: MIT */
/*
 * schedule: who decides which thread runs. schedule-kernel.c leaves it to the kernel, on the file
 * system's own files: real races, and no two runs alike. schedule-simulated.c has the threads run
 * one at a time in an order that follows from a seed, on a disk in memory (../crash): a run is a
 * function of its seed.
 */
#ifndef LIGHTNING_TESTS_SCHEDULE_H
#define LIGHTNING_TESTS_SCHEDULE_H

#include "base/vfs.h"

#include <stdbool.h>

/* Whether the same seed gives the same run. */
bool schedule_is_exact (void);
/* Before an episode: the directory for its database, and where its files are (NULL: the system).
 * `*path` is valid until the episode ends. `yields`: how many of a thousand places inside the
 * engine where threads meet let another run; only the kernel's schedule needs to be told. */
const struct vfs *schedule_begin (uint64_t seed, unsigned yields, const char **path);
/* Nothing is open any more. */
void schedule_end (void);
/* How often another thread was let run, so far. */
uint64_t schedule_changes (void);

#endif
