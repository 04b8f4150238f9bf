/* SPDX-License-Identifier: MIT */
#include "metrics-trial.h"

#include <inttypes.h>
#include <string.h>

static struct failure failure;
static const char *seen[METRICS_NAMES]; /* names that moved */

bool
was_moved (const char *name)
{
  for (size_t i = 0; i < METRICS_NAMES && seen[i] != NULL; i++)
    if (strcmp (seen[i], name) == 0)
      return true;
  return false;
}

void
note_moved (const char *name)
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

int64_t
moved_by (const struct readings *readings, const char *name)
{
  struct metric metric;
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    if (metrics_reader_describe (&readings->reader, i, &metric) && strcmp (metric.name, name) == 0)
      return (int64_t) (metrics_reader_value (&readings->reader, &metric) - readings->values[i]);
  CHECK (false);
  return 0;
}

/* Those that move with every arena, page and commit; tests look at them one by one. */
static bool
is_free (const struct metric *metric)
{
  bool account = metric->index <= GAUGE_MEMORY_OTHER;
  bool cache = metric->index >= GAUGE_CACHE_CAPACITY && metric->index <= GAUGE_CACHE_TARGET;
  return (metric->kind == METRIC_GAUGE && (account || cache))
         || strcmp (metric->name, "log_bytes") == 0
         || strcmp (metric->name, "commit_lock") == 0 /* the flush thread looks, too */

         || strcmp (metric->name, "slow_calls") == 0 /* as the machine will have it */
         || strcmp (metric->name, "cache_evictions") == 0
         || strcmp (metric->name, "cache_ghost_hits") == 0;
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
        note_moved (move->name);
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
      if (by == expected || (expected == SOME && by > 0) || (!named && is_free (&metric)))
        continue;
      fprintf (stderr, "%s:%d: %s moved by %" PRIi64 ", not %" PRIi64 "\n", file, line, metric.name,
               by, expected);
      right = false;
    }
  CHECK (right);
  memcpy (readings->values, now, sizeof now);
}

/* ---- engines ---- */

struct engine_options
still_options (void)
{
  struct engine_options options = small_options ();
  options.merge_enabled = false; /* nothing is merged but what is asked for */
  options.memtable_size = 4 << 20;
  options.sync = ENGINE_SYNC_NONE;
  options.sampling_interval = 0;
  return options;
}

void
put (struct engine *engine, const char *name, const char *value)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (name, strlen (name)),
                        BYTES (value, strlen (value)), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

void
flush (struct engine *engine)
{
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
}

void
get (struct engine *engine, const char *name, status expected)
{
  char buffer[64];
  size_t size;
  status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (name, strlen (name)),
                              buffer, sizeof buffer, &size, NULL);
  CHECK_INT (result, expected);
}
