/* SPDX-License-Identifier: MIT */
/*
 * measure: what the process and its database take from the machine: memory, bytes written,
 * processor time, disk. Linux only, from /proc; a figure that the system doesn't give is 0.
 */
#ifndef LIGHTNING_BENCHMARK_MEASURE_H
#define LIGHTNING_BENCHMARK_MEASURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

uint64_t measure_anonymous_memory (void);      /* resident, in bytes */
uint64_t measure_written (void);               /* handed to the disk so far, in bytes */
uint64_t measure_processor_time (void);        /* of all threads, in ns */
uint64_t measure_disk (const char *directory); /* allocated below it, in bytes */

/* Watches the anonymous memory on a thread of its own, every 20 ms. */
struct measure_peak
{
  pthread_t thread;
  atomic_bool stop;      /* set by the owner */
  _Atomic uint64_t peak; /* so far, in bytes; set by the thread, reset by the owner */
};

bool measure_peak_start (struct measure_peak *peak);
void measure_peak_stop (struct measure_peak *peak);

/* Waits until the process has neither computed nor written for a moment, `limit` ns at most. Gives
 * the ns from `since` to the last sign of work. */
uint64_t measure_wait_idle (uint64_t since, uint64_t limit);

#endif
