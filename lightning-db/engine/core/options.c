/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <stddef.h>

#define MIB (UINT64_C (1) << 20)
#define SECOND UINT64_C (1000000)

void
engine_options_init (struct engine_options *options)
{
  *options = (struct engine_options){
    .page_size = 4096,
    .memory_budget = 64 * MIB,
    .compression = ENGINE_COMPRESSION_ADAPTIVE,
    .compression_level = 3,
    .sync = ENGINE_SYNC_ASYNC,
    .sync_interval = 1 * SECOND,
    .log_enabled = true,
    .log_segment_size = 4 * MIB,
    .log_mapping = true,
    .blob_threshold = 8192,
    .transactions_max = 1000,
    .transaction_timeout = 30 * SECOND,
    .transaction_bytes_max = UINT64_C (2) << 30,
    .prefetch = true,
    .prefetch_distance = 8,
    .merge_enabled = true,
    .merge_interval = 60 * SECOND,
    .merge_workers = 2,
    .simd = true,
    .sampling_interval = 1024,
  };
}

struct option_range
{
  const char *name;
  uint64_t value, least, most;
};

status
engine_options_check (const struct engine_options *options, struct failure *failure)
{
  const struct option_range ranges[] = {
    { "page-size", options->page_size, 4096, 65536 },
    { "cache-size", options->memory_budget, ENGINE_MEMORY_BUDGET_LEAST,
      ENGINE_MEMORY_BUDGET_MOST },
    { "compression-type", options->compression, ENGINE_COMPRESSION_ADAPTIVE,
      ENGINE_COMPRESSION_SNAPPY },
    { "compression-level", (uint64_t) options->compression_level, 1, 19 },
    { "wal-sync-mode", options->sync, ENGINE_SYNC_FULL, ENGINE_SYNC_NONE },
    { "sync-interval", options->sync_interval, 1000, 3600 * SECOND },
    { "wal-segment-size", options->log_segment_size, 65536, UINT64_C (1) << 30 },
    { "change-retention", options->change_retention, 0, UINT64_C (1) << 50 },
    { "blob-threshold", options->blob_threshold, 512, UINT64_C (1) << 31 },
    { "max-active-transactions", options->transactions_max, 1, 1000000 },
    { "transaction-timeout", options->transaction_timeout, 0, UINT64_C (86400) * 365 * SECOND },
    { "max-transaction-size", options->transaction_bytes_max, 65536, UINT64_C (1) << 40 },
    { "sampling-interval", options->sampling_interval, 0, 1000000 },
    { "prefetch-distance", options->prefetch_distance, 0, 1024 },
    { "compaction-interval", options->merge_interval, 1 * SECOND, UINT64_C (86400) * SECOND },
    { "parallel-compaction-workers", options->merge_workers, 1, 16 },
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
      return fail (failure, STATUS_INVALID, "option %s is %llu; it must be from %llu to %llu",
                   ranges[i].name, (unsigned long long) ranges[i].value,
                   (unsigned long long) ranges[i].least, (unsigned long long) ranges[i].most);
  if ((options->page_size & (options->page_size - 1)) != 0)
    return fail (failure, STATUS_INVALID,
                 "option page-size is %u; it must be a power of two from 4096 to 65536",
                 options->page_size);
  if (options->metrics_memory != NULL
      && (options->metrics_memory_size < engine_metrics_size ()
          || (uintptr_t) options->metrics_memory % 64 != 0))
    return fail (failure, STATUS_INVALID,
                 "the memory lent for metrics has %zu bytes; it must have %zu or more, at a "
                 "multiple of 64",
                 options->metrics_memory_size, engine_metrics_size ());
  if (options->log_segment_size % 65536 != 0)
    return fail (failure, STATUS_INVALID,
                 "option wal-segment-size is %llu; it must be a multiple of 65536",
                 (unsigned long long) options->log_segment_size);
  return STATUS_OK;
}
