/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "argument.h"
#include "cell.h"

#include <stdlib.h>

#define CACHE_SIZE_MIN (UINT64_C (10) << 20)
#define WHAT "the config"

LightningDBConfig *
lightning_db_config_new (void)
{
  struct caller *caller = caller_get ();
  struct cell *cell;
  if (caller == NULL)
    return NULL;
  struct engine_options *options = malloc (sizeof *options);
  if (options == NULL)
    {
      caller_answer (caller, fail_memory (&caller->failure, sizeof *options, "a config"));
      return NULL;
    }
  engine_options_init (options);
  if (cell_add (caller, CELL_CONFIG, options, &cell) != Success)
    {
      free (options);
      return NULL;
    }
  uint64_t number = cell->number;
  cell_leave (cell);
  return (LightningDBConfig *) (uintptr_t) number;
}

void
lightning_db_config_free (LightningDBConfig *config)
{
  struct caller *caller = caller_get ();
  void *options;
  if (config != NULL && caller != NULL
      && cell_remove (caller, CELL_CONFIG, (uintptr_t) config, WHAT, &options) == Success)
    free (options);
}

LightningDBError
config_read (struct caller *caller, const LightningDBConfig *config, struct engine_options *options)
{
  struct cell *cell;
  engine_options_init (options);
  if (config == NULL)
    return Success;
  LightningDBError error = cell_enter (caller, CELL_CONFIG, (uintptr_t) config, WHAT, &cell);
  if (error != Success)
    return error;
  *options = *(const struct engine_options *) cell->thing;
  cell_leave (cell);
  return Success;
}

/* ---- setters ---- */

/* Sets one field, unless the options as a whole would not pass. */
typedef void (*set_field) (struct engine_options *options, uint64_t value);

static LightningDBError
set (LightningDBConfig *config, set_field field, uint64_t value)
{
  struct caller *caller = caller_get ();
  struct cell *cell;
  if (caller == NULL)
    return OutOfMemory;
  LightningDBError error = cell_enter (caller, CELL_CONFIG, (uintptr_t) config, WHAT, &cell);
  if (error != Success)
    return error;
  struct engine_options *options = cell->thing;
  struct engine_options changed = *options;
  field (&changed, value);
  status result = engine_options_check (&changed, &caller->failure);
  if (result == STATUS_OK)
    *options = changed;
  cell_leave (cell);
  return caller_answer (caller, result);
}

/* lightning_db_config_set_NAME: `expression` of `value`, which no narrowing may have changed. */
#define SETTER(name, type, field, expression)                                                      \
  static void set_##name (struct engine_options *options, uint64_t value)                          \
  {                                                                                                \
    options->field = (__typeof__ (options->field)) (expression);                                   \
  }                                                                                                \
                                                                                                   \
  LightningDBError lightning_db_config_set_##name (LightningDBConfig *config, type value)          \
  {                                                                                                \
    return set (config, set_##name, (uint64_t) value);                                             \
  }

static uint64_t
at_most (uint64_t value, uint64_t most)
{
  return value < most ? value : most;
}

/* So many that the engine's own limit is passed, if this one is. */
static uint64_t
microseconds (uint64_t milliseconds)
{
  return at_most (milliseconds, UINT64_MAX / 1000) * 1000;
}

static enum engine_compression
compression_of (uint64_t value)
{
  static const enum engine_compression engine[] = {
    [LightningDBCompressionNone] = ENGINE_COMPRESSION_NONE,
    [LightningDBCompressionZstd] = ENGINE_COMPRESSION_ZSTD,
    [LightningDBCompressionLz4] = ENGINE_COMPRESSION_LZ4,
    [LightningDBCompressionSnappy] = ENGINE_COMPRESSION_SNAPPY,
    [LightningDBCompressionAdaptive] = ENGINE_COMPRESSION_ADAPTIVE,
  };
  /* What is none passes no check. */
  return value < sizeof engine / sizeof *engine ? engine[value]
                                                : (enum engine_compression) INT32_MAX;
}

SETTER (page_size, size_t, page_size, at_most (value, UINT32_MAX))
SETTER (cache_size, size_t, memory_budget, value < CACHE_SIZE_MIN ? CACHE_SIZE_MIN : value)
SETTER (compression, LightningDBCompression, compression, compression_of (value))
SETTER (compression_level, int, compression_level, (int) value)
SETTER (sync_mode, LightningDBSyncMode, sync,
        (int) value == LightningDBSyncDefault ? ENGINE_SYNC_ASYNC : (int) value)
SETTER (sync_interval, uint64_t, sync_interval, microseconds (value))
SETTER (wal_enabled, int, log_enabled, value != 0)
SETTER (wal_segment_size, size_t, log_segment_size, value)
SETTER (wal_mapping, int, log_mapping, value != 0)
SETTER (blob_threshold, size_t, blob_threshold, value)
SETTER (max_active_transactions, uint32_t, transactions_max, value)
SETTER (transaction_timeout, uint64_t, transaction_timeout, microseconds (value))
SETTER (max_transaction_size, uint64_t, transaction_bytes_max, value)
SETTER (prefetch_enabled, int, prefetch, value != 0)
SETTER (prefetch_distance, uint32_t, prefetch_distance, value)
SETTER (background_compaction, int, merge_enabled, value != 0)
SETTER (compaction_interval, uint64_t, merge_interval, microseconds (value))
SETTER (compaction_workers, uint32_t, merge_workers, value)
SETTER (mmap_enabled, int, map_segments, value != 0)
SETTER (rate_limit, uint64_t, rate_limit, value)
SETTER (sampling_interval, uint32_t, sampling_interval, value)
SETTER (change_retention, uint64_t, change_retention, value)
SETTER (use_simd, int, simd, value != 0)
SETTER (network_file_systems, int, network_allowed, value != 0)
