/* SPDX-License-Identifier: MIT */
#include "base/barrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS_EMPTY_NANOSECONDS                                                                  \
  1000000 /* in which every processor's stores have become visible */

bool barrier_asymmetric;

static pthread_once_t start_once = PTHREAD_ONCE_INIT;

static bool
membarrier (int command)
{
  return syscall (SYS_membarrier, command, 0, 0) == 0;
}

/* Asks the kernel for barriers in all threads of this process. */
static void
choose (void)
{
  barrier_asymmetric = membarrier (MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static void
start (void)
{
  choose ();
  pthread_atfork (NULL, NULL, choose);
}

void
barrier_start (void)
{
  pthread_once (&start_once, start);
}

void
barrier_all (void)
{
  struct timespec left = { 0, BUFFERS_EMPTY_NANOSECONDS };
  atomic_thread_fence (memory_order_seq_cst);
  if (barrier_asymmetric && !membarrier (MEMBARRIER_CMD_PRIVATE_EXPEDITED))
    while (nanosleep (&left, &left) != 0 && errno == EINTR)
      ;
  atomic_thread_fence (memory_order_seq_cst);
}
