/* SPDX-License-Identifier: MIT */
/*
 * simulated-memory: allocations that fail when the test says so. The linker's --wrap leads the
 * engine's calls here; what the simulation itself needs comes from the kept_ functions, which never
 * fail.
 */
#ifndef LIGHTNING_TESTS_SIMULATED_MEMORY_H
#define LIGHTNING_TESTS_SIMULATED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_fault
{
  bool armed;      /* allocations are counted and may fail */
  bool for_ever;   /* all from `at` on fail, else that one */
  uint64_t at;     /* from 0 */
  uint64_t count;  /* allocations since it was armed */
  uint64_t failed; /* of them */
};
extern struct memory_fault memory_fault;

void *kept_malloc (size_t size);
void *kept_calloc (size_t count, size_t size);
void *kept_realloc (void *memory, size_t size);
char *kept_strdup (const char *string);

#endif
