/* SPDX-License-Identifier: MIT */
/*
 * metrics-trial: what a piece of work moved among an engine's metrics: exactly what the test says,
 * and nothing else.
 */
#ifndef LIGHTNING_TESTS_METRICS_TRIAL_H
#define LIGHTNING_TESTS_METRICS_TRIAL_H

#include "base/metrics.h"
#include "small-engine.h"

#define SOME INT64_MIN /* by more than nothing */

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

/* No merge but what is asked for, no flush, no sync, no sample. */
struct engine_options still_options (void);
void put (struct engine *engine, const char *name, const char *value);
void get (struct engine *engine, const char *name, status expected);
/* Until the thread that did it has also counted it. */
void flush (struct engine *engine);

void readings_begin (struct readings *readings, struct engine *engine);
uint64_t reading (const struct readings *readings, const char *name); /* as it is now */
int64_t moved_by (const struct readings *readings, const char *name); /* since the last look */
/* Checks that since the last look each of `moves`, up to one whose name is NULL, moved by that much
 * and no other metric at all, but for those that is_free names. Looks anew. */
void check_moved (struct readings *readings, const char *file, int line, const struct moved *moves);
#define MOVED(readings, ...)                                                                       \
  check_moved (readings, __FILE__, __LINE__, (const struct moved[]){ __VA_ARGS__, { NULL, 0 } })
#define NOTHING_MOVED(readings)                                                                    \
  check_moved (readings, __FILE__, __LINE__, (const struct moved[]){ { NULL, 0 } })
void note_moved (const char *name); /* static; a test saw it by itself */
void test_timing (void);            /* test-metrics-timing.c */
/* Whether any check of this process saw it move. */
bool was_moved (const char *name);

#endif
