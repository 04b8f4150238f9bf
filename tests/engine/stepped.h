/* SPDX-License-Identifier: MIT */
/*
 * stepped: a function that is run one instruction at a time, with something else done behind each:
 * what another thread could have done there, in one go. So every such interleaving of two functions
 * is tried, and none by chance.
 *
 * On x86-64, whose processors stop behind each instruction when asked to, and not under sanitizers,
 * which do much else between two. Elsewhere STEPPED is 0, and nothing is called.
 */
#ifndef LIGHTNING_TESTS_STEPPED_H
#define LIGHTNING_TESTS_STEPPED_H

#include "check.h"

#include <signal.h>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define STEPPED 1
#include <ucontext.h>

#define STEPPED_TRAP_FLAG 0x100 /* of the processor's flags */

static struct
{
  void (*between) (void *data, uint64_t step);
  void *data;
  uint64_t step; /* from 1 */
  bool on;
} stepped;

static void
stepped_on_trap (int number, siginfo_t *information, void *context)
{
  greg_t *flags = &((ucontext_t *) context)->uc_mcontext.gregs[REG_EFL];
  (void) number, (void) information;
  if (stepped.on)
    stepped.between (stepped.data, ++stepped.step);
  *flags = stepped.on ? *flags | STEPPED_TRAP_FLAG : *flags & ~STEPPED_TRAP_FLAG;
}

/* From within `between`: the rest is run as usual. */
static inline void
step_no_more (void)
{
  stepped.on = false;
}

/* Returns behind how many instructions `between` was called. */
static inline uint64_t
step_through (void (*run) (void *data), void (*between) (void *data, uint64_t step), void *data)
{
  struct sigaction trap = { .sa_sigaction = stepped_on_trap, .sa_flags = SA_SIGINFO }, before;
  stepped.between = between;
  stepped.data = data;
  stepped.step = 0;
  CHECK (sigaction (SIGTRAP, &trap, &before) == 0);
  stepped.on = true;
  raise (SIGTRAP);
  run (data);
  stepped.on = false;
  __asm__ volatile ("nop"); /* at the latest behind this one it is seen */
  CHECK (sigaction (SIGTRAP, &before, NULL) == 0);
  return stepped.step;
}

#else
#define STEPPED 0

static inline void
step_no_more (void)
{
}

static inline uint64_t
step_through (void (*run) (void *data), void (*between) (void *data, uint64_t step), void *data)
{
  (void) run, (void) between, (void) data;
  return 0;
}

#endif

#endif
