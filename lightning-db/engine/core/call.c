/* SPDX-License-Identifier: MIT */
#include "core/call.h"

#include <string.h>

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

/* Returns how long it took. */
static uint64_t
end_sample (struct engine *engine, struct steps *steps, enum engine_call kind,
            engine_store store, struct bytes key, size_t size)
{
  struct metrics *metrics = engine->metrics;
  uint32_t line = metrics_line_number ();
  uint64_t took = steps_end (steps, metrics, line);
  count_in_line (metrics, line, THREAD_SAMPLES, 1);
  metrics_record (metrics, histograms[kind], took);
  if (key.size > 0 && !steps->on_request)
    {
      if (kind == ENGINE_CALL_GET || kind == ENGINE_CALL_CONTAINS)
        hot_keys_note (engine, ENGINE_HOT_READS, store, key, 1, 0);
      else if (kind == ENGINE_CALL_PUT || kind == ENGINE_CALL_DELETE)
        hot_keys_note (engine, ENGINE_HOT_WRITES, store, key, 1, 0);
    }
  if (kind == ENGINE_CALL_PUT)
    {
      metrics_record (metrics, HISTOGRAM_KEY_SIZE, key.size);
      metrics_record (metrics, HISTOGRAM_VALUE_SIZE, size);
    }
  return took;
}

static void
tell_slow (struct engine *engine, const struct engine_slow_call *what, struct bytes key,
           bool has_waited)
{
  struct engine_slow_call call = *what;
  call.ended = engine_wall ();
  call.key_size = key.size;
  if (key.size > 0) /* a commit of many has none */
    memcpy (call.key, key.data, key.size < sizeof call.key ? key.size : sizeof call.key);
  if (has_waited)
    memcpy (call.waited, timing.by, sizeof call.waited);
  call_note_slow (engine, &call);
}

void
call_end_slowly (struct engine *engine, struct steps *steps, enum engine_call kind,
                 engine_store store, struct bytes key, size_t size)
{
  bool waited = timing_has_waited ();
  struct engine_slow_call call
      = { .call = kind, .sampled = steps != NULL, .store = store, .size = size };
  uint64_t threshold = atomic_load_explicit (&engine->slow_threshold, memory_order_relaxed);
  if (steps != NULL)
    call.duration = end_sample (engine, steps, kind, store, key, size);
  else if (waited && threshold != 0)
    call.duration = metrics_now () - timing.first;
  if (threshold != 0 && call.duration >= threshold)
    tell_slow (engine, &call, key, waited);
  timing.total = 0;
}
