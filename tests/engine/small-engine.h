/* SPDX-License-Identifier: MIT */
/*
 * small-engine: an engine with so small a memtable, log and segments that some thousand records are
 * flushed, merged and spread over several files, and keys that are numbers.
 */
#ifndef LIGHTNING_TESTS_SMALL_ENGINE_H
#define LIGHTNING_TESTS_SMALL_ENGINE_H

#include "check.h"
#include "engine.h"

static inline struct engine_options
small_options (void)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 64 << 10;
  return options;
}

static inline struct engine *
open_with (const char *path, const struct engine_options *options)
{
  struct failure failure;
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, options, &engine, &failure));
  return engine;
}

static inline struct engine *
open_small (const char *path)
{
  struct engine_options options = small_options ();
  return open_with (path, &options);
}

static inline void
close_it (struct engine *engine)
{
  struct failure failure;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* Rising with the number. */
static inline struct bytes
number_key (char to[32], unsigned number)
{
  return BYTES (to, (size_t) snprintf (to, 32, "key-%08u", number));
}

#endif
