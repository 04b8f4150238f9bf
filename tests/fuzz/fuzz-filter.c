/* SPDX-License-Identifier: MIT */
/* A filter block of any bytes, and filters built of any hashes: those never deny one. */
#include "fuzz.h"

#include "base/buffer.h"
#include "base/coding.h"
#include "segment/filter.h"

#include <string.h>

static void
read_block (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct filter filter;
  if (!fuzz_result (filter_parse (BYTES (data, size), &filter, &failure), &failure))
    return;
  for (size_t at = 0; at + 8 <= size && at < 512; at++)
    {
      uint64_t hash = load_u64 (data + at);
      filter_prefetch (&filter, hash);
      filter_may_contain (&filter, hash);
      filter_may_contain (&filter, ~hash);
    }
  filter_may_contain (&filter, 0);
  filter_may_contain (&filter, UINT64_MAX);
}

static void
build_block (enum filter_kind kind, const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct filter_builder *builder;
  struct filter filter;
  struct buffer block = { NULL, 0 };
  size_t block_size;
  CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
  for (size_t at = 0; at + 8 <= size; at += 8)
    CHECK_OK (filter_builder_add (builder, load_u64 (data + at), &failure));
  CHECK_OK (filter_builder_finish (builder, &block, &block_size, &failure));
  CHECK_OK (filter_parse (BYTES (block.data, block_size), &filter, &failure));
  for (size_t at = 0; at + 8 <= size; at += 8)
    CHECK (filter_may_contain (&filter, load_u64 (data + at)));
  buffer_release (&block, NULL, LEDGER_MERGE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  read_block (data, size);
  build_block (FILTER_BLOOM, data, size);
  build_block (FILTER_FUSE8, data, size);
  return 0;
}
