/* SPDX-License-Identifier: MIT */
/* sound-database: the deep check of a database in which nothing may be wrong; what is, is
 * printed. */
#ifndef LIGHTNING_TESTS_SOUND_DATABASE_H
#define LIGHTNING_TESTS_SOUND_DATABASE_H

#include "check.h"
#include "engine.h"

/* For engine_check and engine_check_open. */
static inline void
print_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  (void) data;
  fprintf (stderr, "%s, page %lld: %s\n", file, (long long) page, reason);
}

/* Gives what there is, for more demands. */
static inline struct engine_check_report
check_sound (const char *path)
{
  struct failure failure;
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, print_fault, NULL, NULL, &report, &failure));
  CHECK_INT (report.faults, 0);
  return report;
}

#endif
