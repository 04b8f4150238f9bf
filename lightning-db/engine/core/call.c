/* SPDX-License-Identifier: MIT */
#include "core/call.h"

#define NOT_SAMPLED 512u /* calls after which a thread looks whether that has changed */

static const enum metrics_histogram histograms[ENGINE_CALLS] = {
  [ENGINE_CALL_GET] = HISTOGRAM_GET,
  [ENGINE_CALL_MULTI_GET] = HISTOGRAM_MULTI_GET,
  [ENGINE_CALL_CONTAINS] = HISTOGRAM_CONTAINS,
  [ENGINE_CALL_SEEK] = HISTOGRAM_SEEK,
  [ENGINE_CALL_PUT] = HISTOGRAM_PUT,
  [ENGINE_CALL_DELETE] = HISTOGRAM_DELETE,
  [ENGINE_CALL_BATCH] = HISTOGRAM_BATCH,
  [ENGINE_CALL_TRANSACTION_COMMIT] = HISTOGRAM_TRANSACTION_COMMIT,
};

void
engine_set_sampling (struct engine *engine, uint32_t interval)
{
  gauge_set (engine->metrics, GAUGE_SAMPLING_INTERVAL, interval);
  timing.calls_left = 0; /* so that who asks for it has it at once */
}

bool
call_take_sample (struct engine *engine)
{
  uint32_t interval = (uint32_t) metrics_gauge (engine->metrics, GAUGE_SAMPLING_INTERVAL);
  timing_draw (interval > 0 ? interval : NOT_SAMPLED);
  return interval > 0;
}

void
call_end_slowly (struct engine *engine, struct steps *steps, enum engine_call kind,
                 engine_store store, struct bytes key, size_t size)
{
  struct metrics *metrics = engine->metrics;
  uint32_t line = metrics_line_number ();
  if (steps == NULL)
    return;
  uint64_t took = steps_end (steps, metrics, line);
  count_in_line (metrics, line, THREAD_SAMPLES, 1);
  metrics_record (metrics, histograms[kind], took);
  if (kind == ENGINE_CALL_PUT)
    {
      metrics_record (metrics, HISTOGRAM_KEY_SIZE, key.size);
      metrics_record (metrics, HISTOGRAM_VALUE_SIZE, size);
    }
}
