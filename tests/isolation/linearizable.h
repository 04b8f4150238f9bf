/* SPDX-License-Identifier: MIT */
/*
 * linearizable: whether what several threads did to one register can have happened one operation at
 * a time, each at a moment between its call and its return.
 *
 * Wing and Gong's search ("Testing and Verifying Concurrent Objects", 1993), with Lowe's memory of
 * places it has been at ("Testing for Linearizability", 2017): the set of operations that are done,
 * and what the register holds. Linearizability is local (Herlihy and Wing, 1990): registers can be
 * judged one by one.
 *
 * The search may take time exponential in the operations that overlap: a window has at most 64.
 */
#ifndef LIGHTNING_TESTS_LINEARIZABLE_H
#define LIGHTNING_TESTS_LINEARIZABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WINDOW_OPERATIONS_MOST 64u

enum operation_kind
{
  REGISTER_READ,   /* gave `value` */
  REGISTER_WRITE,  /* put `value`; a delete writes 0 */
  REGISTER_CHANGE, /* found `expected` and put `value`, as one */
};

struct register_operation
{
  enum operation_kind kind;
  uint32_t thread;           /* for messages */
  uint64_t called, returned; /* moments of one clock; called < returned */
  uint64_t value, expected;  /* 0 = absent */
};

/* Whether there is an order, beginning with a register that holds `initial`. */
bool window_is_linearizable (const struct register_operation *operations, size_t count,
                             uint64_t initial);
void window_print (const struct register_operation *operations, size_t count, FILE *to);

#endif
