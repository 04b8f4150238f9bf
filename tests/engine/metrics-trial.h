/* SPDX-License-Identifier: MIT */
/*
 * metrics-trial: what a piece of work moved among an engine's metrics: exactly what the test says,
 * and nothing else.
 */
#ifndef LIGHTNING_TESTS_METRICS_TRIAL_H
#define LIGHTNING_TESTS_METRICS_TRIAL_H

#include "base/metrics.h"
#include "small-engine.h"

/* All that is counted, as it was when last looked at. A histogram's is how many values it holds. */
struct readings
{
  struct metrics_reader reader;
  uint64_t values[METRICS_NAMES];
};

struct moved
{
  const char *name;
  int64_t by;
};

void readings_begin (struct readings *readings, struct engine *engine);
uint64_t reading (const struct readings *readings, const char *name); /* as it is now */
/* Checks that since the last look each of `moves`, up to one whose name is NULL, moved by that much
 * and no other metric but memory accounts at all. Looks anew. */
void check_moved (struct readings *readings, const char *file, int line, const struct moved *moves);
#define MOVED(readings, ...)                                                                       \
  check_moved (readings, __FILE__, __LINE__, (const struct moved[]){ __VA_ARGS__, { NULL, 0 } })
#define NOTHING_MOVED(readings)                                                                    \
  check_moved (readings, __FILE__, __LINE__, (const struct moved[]){ { NULL, 0 } })
/* Whether any check of this process saw it move. */
bool was_moved (const char *name);

#endif
