/* SPDX-License-Identifier: MIT */
/*
 * gate: where the threads of a row wait for one another. Unlike a barrier it can do with fewer than it
 * was made for: when a thread cannot be started, those that were need not wait for it.
 */
#ifndef LIGHTNING_BENCHMARK_GATE_H
#define LIGHTNING_BENCHMARK_GATE_H

#include <pthread.h>

struct gate
{
  pthread_mutex_t lock;
  pthread_cond_t opened;
  unsigned awaited; /* who have to be there; guarded by lock */
  unsigned arrived; /* who are; guarded by lock */
};

void gate_init (struct gate *gate, unsigned awaited);
void gate_clear (struct gate *gate);
/* Returns once all are there. */
void gate_pass (struct gate *gate);
/* Only so many will come. */
void gate_expect (struct gate *gate, unsigned awaited);

#endif
