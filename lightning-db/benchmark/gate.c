/* SPDX-License-Identifier: MIT */
#include "gate.h"

void
gate_init (struct gate *gate, unsigned awaited)
{
  pthread_mutex_init (&gate->lock, NULL);
  pthread_cond_init (&gate->opened, NULL);
  gate->awaited = awaited;
  gate->arrived = 0;
}

void
gate_clear (struct gate *gate)
{
  pthread_cond_destroy (&gate->opened);
  pthread_mutex_destroy (&gate->lock);
}

void
gate_pass (struct gate *gate)
{
  pthread_mutex_lock (&gate->lock);
  gate->arrived++;
  pthread_cond_broadcast (&gate->opened);
  while (gate->arrived < gate->awaited)
    pthread_cond_wait (&gate->opened, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
}

void
gate_expect (struct gate *gate, unsigned awaited)
{
  pthread_mutex_lock (&gate->lock);
  gate->awaited = awaited;
  pthread_cond_broadcast (&gate->opened);
  pthread_mutex_unlock (&gate->lock);
}
