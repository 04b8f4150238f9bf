/* SPDX-License-Identifier: MIT */
#include "fed-engine.h"

struct failure failure;

struct engine *
open_with (const char *path, void (*change) (struct engine_options *options))
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.log_segment_size = 64 << 10;
  if (change != NULL)
    change (&options);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

void
release (struct engine *engine)
{
  CHECK_OK (engine_checkpoint (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
}

uint64_t
put (struct engine *engine, engine_store store, const char *key, const char *value)
{
  uint64_t sequence;
  CHECK_OK (engine_put (engine, store, TEXT (key), TEXT (value), ENGINE_SYNC_DEFAULT, &sequence,
                        &failure));
  return sequence;
}

struct engine_feed *
feed_from (struct engine *engine, uint64_t since)
{
  struct engine_feed *feed;
  CHECK_OK (engine_feed_new (engine, since, &feed, &failure));
  CHECK_INT (engine_feed_position (feed),
             since == ENGINE_FEED_NOW ? engine_sequence (engine) : since);
  return feed;
}

void
expect_commit (struct engine_feed *feed, uint64_t expected)
{
  uint64_t sequence;
  CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
  CHECK_INT (sequence, expected);
}

void
expect_change (struct engine_feed *feed, enum engine_change_kind kind, engine_store store,
               struct bytes key, struct bytes value)
{
  struct engine_change change;
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK_INT (change.kind, kind);
  CHECK_INT (change.store, store);
  CHECK (bytes_equal (change.key, key) && (change.key.data == NULL) == (key.data == NULL));
  struct bytes other = kind == ENGINE_CHANGE_PUT ? change.value : change.end;
  CHECK (bytes_equal (other, value) && (other.data == NULL) == (value.data == NULL));
}

void
expect_end (struct engine_feed *feed)
{
  struct engine_change change;
  uint64_t sequence;
  CHECK_INT (engine_feed_next_change (feed, &change, NULL), STATUS_NOT_FOUND);
  CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
}

void
small_log (struct engine_options *options)
{
  options->memtable_size = 128 << 10;
}

void
ample_log (struct engine_options *options)
{
  options->memtable_size = 1 << 20;
}

void
small_without_log (struct engine_options *options)
{
  small_log (options);
  options->log_enabled = false;
  options->memory_budget = 64 << 20; /* of which the feed may take 12 */
  options->blob_threshold = 1 << 20;
}

void
retaining_much (struct engine_options *options)
{
  small_log (options);
  options->change_retention = 1 << 30;
}

/* Commit number `sequence` of a run that anybody can check. */
static void
put_numbered (struct engine *engine, uint64_t sequence, size_t size)
{
  static uint8_t value[200000];
  char key[32];
  uint64_t got;
  snprintf (key, sizeof key, "key-%llu", (unsigned long long) sequence % 20);
  memset (value, (int) (sequence % 251), size);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT (key), BYTES (value, size),
                        ENGINE_SYNC_ASYNC, &got, &failure));
  CHECK_INT (got, sequence);
}

void
put_many (struct engine *engine, unsigned count, size_t size)
{
  uint64_t sequence = engine_sequence (engine);
  for (unsigned i = 0; i < count; i++)
    put_numbered (engine, ++sequence, size);
}

void
expect_numbered (struct engine_feed *feed, uint64_t sequence, size_t size)
{
  struct engine_change change;
  struct engine_value value;
  char key[32];
  expect_commit (feed, sequence);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  snprintf (key, sizeof key, "key-%llu", (unsigned long long) sequence % 20);
  CHECK (change.kind == ENGINE_CHANGE_PUT && bytes_equal (change.key, TEXT (key)));
  CHECK_OK (engine_feed_value (feed, &value, &failure));
  CHECK (value.data.size == size && value.data.data[0] == sequence % 251
         && value.data.data[size - 1] == sequence % 251);
  engine_value_release (&value);
}

void
retaining (struct engine_options *options)
{
  small_log (options);
  options->change_retention = 1 << 20;
}
