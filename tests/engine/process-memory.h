/* SPDX-License-Identifier: MIT */
/*
 * process-memory: what this process takes, as docs/design/memory.md counts it: what the kernel
 * counts as anonymous, and what of the log's mappings is in memory.
 */
#ifndef LIGHTNING_TESTS_PROCESS_MEMORY_H
#define LIGHTNING_TESTS_PROCESS_MEMORY_H

#include "check.h"

#include <limits.h>
#include <string.h>

/* Anonymous bytes of all mappings at one moment; exact, unlike the kernel's running counts. smaps
 * lists a few at a time: what moves meanwhile, a memtable above all, would be counted twice. */
static inline uint64_t
process_anonymous_memory (void)
{
  FILE *rollup = fopen ("/proc/self/smaps_rollup", "r");
  char line[256];
  unsigned long value = 0;
  CHECK (rollup != NULL);
  while (fgets (line, sizeof line, rollup) != NULL)
    sscanf (line, "Anonymous: %lu kB", &value);
  fclose (rollup);
  return (uint64_t) value << 10;
}

/* Bytes of the mappings of the log of the database at `path` that are in memory. */
static inline uint64_t
process_log_memory (const char *path)
{
  FILE *maps = fopen ("/proc/self/smaps", "r");
  char line[PATH_MAX + 128];
  uint64_t bytes = 0;
  unsigned long value;
  bool is_log = false;
  CHECK (maps != NULL);
  while (fgets (line, sizeof line, maps) != NULL)
    if (strstr (line, " kB") == NULL && strchr (line, '-') != NULL)
      is_log = strstr (line, path) != NULL && strstr (line, ".log") != NULL;
    else if (is_log && sscanf (line, "Rss: %lu kB", &value) == 1)
      bytes += (uint64_t) value << 10;
  fclose (maps);
  return bytes;
}

#endif
