/* SPDX-License-Identifier: MIT */
/*
 * Two libraries whose names begin with ldb_, each behind a shared library of its own, as a program
 * meets them: no source can include the headers of both.
 *
 * A story commits a transaction, rolls another back, and looks at what is there. It prints what is
 * wrong and returns how much. `directory` is its own.
 */
#ifndef LIGHTNING_TESTS_COEXISTENCE_STORY_H
#define LIGHTNING_TESTS_COEXISTENCE_STORY_H

#include <stdio.h>

#define STORY __attribute__ ((visibility ("default")))

STORY int samba_story (const char *directory);
STORY int lightning_story (const char *directory);
STORY int flat_story (const char *directory);

#define EXPECT(condition)                                                                          \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        fprintf (stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                   \
        wrong++;                                                                                   \
      }                                                                                            \
  while (0)

#endif
