/* SPDX-License-Identifier: MIT */
#include "metrics-trial.h"

#include <inttypes.h>
#include <string.h>

static const char *seen[METRICS_NAMES]; /* names that moved */

bool
was_moved (const char *name)
{
  for (size_t i = 0; i < METRICS_NAMES && seen[i] != NULL; i++)
    if (strcmp (seen[i], name) == 0)
      return true;
  return false;
}

static void
note (const char *name)
{
  size_t at = 0;
  if (was_moved (name))
    return;
  while (seen[at] != NULL)
    at++;
  seen[at] = name;
}

static void
look (struct readings *readings, uint64_t values[METRICS_NAMES])
{
  struct metric metric;
  CHECK_INT (metrics_reader_count (&readings->reader), METRICS_NAMES);
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    {
      CHECK (metrics_reader_describe (&readings->reader, i, &metric));
      values[i] = metrics_reader_value (&readings->reader, &metric);
    }
}

void
readings_begin (struct readings *readings, struct engine *engine)
{
  engine_metrics (engine, &readings->reader);
  look (readings, readings->values);
}

uint64_t
reading (const struct readings *readings, const char *name)
{
  struct metric metric;
  CHECK (metrics_reader_find (&readings->reader, name, &metric));
  return metrics_reader_value (&readings->reader, &metric);
}

/* Accounts move with every arena and page. */
static bool
is_account (const struct metric *metric)
{
  return metric->kind == METRIC_GAUGE && metric->index <= GAUGE_MEMORY_OTHER;
}

void
check_moved (struct readings *readings, const char *file, int line, const struct moved *moves)
{
  uint64_t now[METRICS_NAMES];
  bool right = true;
  look (readings, now);
  for (const struct moved *move = moves; move->name != NULL; move++)
    {
      struct metric metric;
      CHECK (metrics_reader_find (&readings->reader, move->name, &metric));
      if (move->by != 0)
        note (move->name);
    }
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    {
      struct metric metric;
      int64_t by = (int64_t) (now[i] - readings->values[i]), expected = 0;
      bool named = false;
      CHECK (metrics_reader_describe (&readings->reader, i, &metric));
      for (const struct moved *move = moves; move->name != NULL; move++)
        if (strcmp (metric.name, move->name) == 0)
          {
            expected = move->by;
            named = true;
          }
      if (by == expected || (!named && is_account (&metric)))
        continue;
      fprintf (stderr, "%s:%d: %s moved by %" PRIi64 ", not %" PRIi64 "\n", file, line, metric.name,
               by, expected);
      right = false;
    }
  CHECK (right);
  memcpy (readings->values, now, sizeof now);
}
