/* SPDX-License-Identifier: MIT */
/*
 * simulated-threads: the engine's threads, one at a time and in an order that follows from a seed.
 *
 * The program is linked with --wrap for every call by which threads wait for each other or ask for
 * the time (simulated-threads.wrap lists them). Threads stay real ones, with their own stacks and
 * thread-local state, but only the one that holds the baton runs. It gives it away when it waits,
 * and, if a seed says so, wherever threads meet: at locks, signals and disk operations. The clock
 * stands still while anybody can run; when all wait it jumps to the next deadline. So a run is a
 * function of its seed, takes no time for waiting, and a deadlock is found when it happens.
 *
 * Nothing of the engine knows of this: what runs is what ships.
 */
#ifndef LIGHTNING_TESTS_SIMULATED_THREADS_H
#define LIGHTNING_TESTS_SIMULATED_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the calling thread and those it starts are simulated. `one_in`: at a place where
 * threads meet, another goes on once in so many times; 0 = only when the running one waits. Random
 * bytes from the kernel follow from the seed too. May be called again for another run. */
void simulated_threads_begin (uint64_t seed, unsigned one_in);
/* A place where another thread may go on (disk operations). */
void simulated_threads_meet (void);
/* Lets the others work until all of them wait; no time passes. */
void simulated_threads_settle (void);
/* Lets so much time pass; the others work meanwhile. */
void simulated_time_pass (uint64_t microseconds);
/* What the whole process printed cannot tell: thread changes so far. */
uint64_t simulated_threads_changes (void);

#endif
