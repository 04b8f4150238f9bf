/* SPDX-License-Identifier: MIT */
/*
 * lingering-reader: a thread that stays inside an epoch section, as a slow reader does: it posts
 * `entered` and goes on when `leave` is posted. The test initialises both.
 */
#ifndef LIGHTNING_TEST_LINGERING_READER_H
#define LIGHTNING_TEST_LINGERING_READER_H

#include "base/epoch.h"

#include <semaphore.h>
#include <stddef.h>

static sem_t entered, leave;

static inline void *
linger (void *data)
{
  (void) data;
  epoch_enter ();
  sem_post (&entered);
  sem_wait (&leave);
  epoch_leave ();
  return NULL;
}

#endif
