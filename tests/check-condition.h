/* SPDX-License-Identifier: MIT */
/* CHECK: a condition that a test in C demands. Where it does not hold, file, line and the
 * expression are printed, then the program aborts, so that a core or a sanitizer's report stands at
 * the place. Never compiled out. */
#ifndef LIGHTNING_TESTS_CHECK_CONDITION_H
#define LIGHTNING_TESTS_CHECK_CONDITION_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        fprintf (stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);             \
        abort ();                                                                                  \
      }                                                                                            \
  while (0)

#endif
