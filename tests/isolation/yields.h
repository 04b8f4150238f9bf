/* SPDX-License-Identifier: MIT */
/*
 * yields: other threads get to run at the places where it matters. The linker's --wrap leads the
 * engine's calls of locks and conditions here, and, when it is built for ThreadSanitizer, which
 * makes a call of every atomic operation, those too. Now and then such a call lets another thread
 * run first, or right after. The engine knows of nothing.
 */
#ifndef LIGHTNING_TESTS_YIELDS_H
#define LIGHTNING_TESTS_YIELDS_H

#include <stdint.h>

/* While no other thread runs. Of a thousand locks so many yield before and so many behind; of
 * atomic operations a tenth. 0: none. */
void yields_set (uint64_t seed, unsigned per_thousand);
/* How often it happened so far. */
uint64_t yields_count (void);

#endif
