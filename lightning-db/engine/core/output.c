/* SPDX-License-Identifier: MIT */
/*
 * output: records in order become the segments of a run, or of a part of one.
 *
 *   write a segment ─► cut between two keys ─► sync it ─► … ─► sync the directory
 *
 * Invariants
 *   O1  The versions of one key never stand in two segments of a run.
 *   O2  Nothing refers to the files until they are installed: a failure removes them, a crash
 *       leaves orphans to the next open.
 *   O3  A part [start, end) holds no record and no range delete beyond its bounds.
 */
#include "core/memory.h"

#include "merge/picker.h"

#include <stdlib.h>

void
flushed_clear (struct flushed *flushed)
{
  for (size_t i = 0; i < flushed->count; i++)
    segment_information_clear (&flushed->segments[i].information);
  free (flushed->segments);
  *flushed = (struct flushed){ 0 };
}

void
flushed_unlink (struct engine *engine, const struct flushed *flushed)
{
  for (size_t i = 0; i < flushed->count; i++)
    {
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_SEGMENT, flushed->segments[i].information.number);
      vfs_unlink (engine->directory, name, NULL);
    }
}

/* ---- writing a run ---- */

struct output
{
  struct engine *engine;
  const struct output_settings *settings;
  const struct range_set *ranges; /* to be dealt out to the segments */
  struct segment_writer *writer;  /* NULL between segments */
  uint64_t file_size;             /* where a segment is cut */
  size_t memory;                  /* bytes for its writer */
  uint64_t done;                  /* file bytes of finished segments */
  struct flushed *out;
  size_t capacity; /* of out->segments */
  uint8_t *start;  /* first key that belongs to the present segment */
  size_t start_size;
  bool has_start; /* false: everything below the first cut */
};

#define TRAINING_BUDGET (UINT64_C (32) << 20) /* training a dictionary takes 3 MiB for a moment */

static enum codec
output_codec (const struct engine *engine, bool settled)
{
  switch (engine->options.compression)
    {
    case ENGINE_COMPRESSION_ADAPTIVE:
      return settled ? CODEC_ZSTD : CODEC_LZ4;
    case ENGINE_COMPRESSION_ZSTD:
      return CODEC_ZSTD;
    case ENGINE_COMPRESSION_LZ4:
      return CODEC_LZ4;
    case ENGINE_COMPRESSION_SNAPPY:
      return CODEC_SNAPPY;
    case ENGINE_COMPRESSION_NONE:
      break;
    }
  return CODEC_NONE;
}

static status
output_begin (struct output *output, struct failure *failure)
{
  struct engine *engine = output->engine;
  bool settled = output->settings->settled;
  struct segment_settings settings = {
    .directory = engine->directory,
    .number = manifest_next_number (engine->manifest),
    .page_size = engine->options.page_size,
    .codec = output_codec (engine, settled),
    .compression_level = engine->options.compression_level,
    .train_dictionary = settled && engine->options.compression != ENGINE_COMPRESSION_NONE
                        && engine->ledger.budget >= TRAINING_BUDGET,
    .filter = settled ? FILTER_FUSE8 : FILTER_BLOOM,
    .direct = !memory_is_large_for (output->settings->expected_bytes),
    .ledger = &engine->ledger,
    .memory = output->memory,
    .goal_size = output->file_size,
  };
  memcpy (settings.database_id, engine->database_id, sizeof settings.database_id);
  return segment_writer_open (&settings, &output->writer, failure);
}

/* The next range delete from *index on that touches [start of the segment, end), cut to it; end
 * data NULL: open. False when there is none. */
static bool
output_next_range (const struct output *output, struct bytes end, size_t *index,
                   struct range_delete *out)
{
  struct bytes start = BYTES (output->start, output->start_size);
  size_t count = range_set_delete_count (output->ranges);
  for (; *index < count; ++*index)
    {
      *out = range_set_delete (output->ranges, *index);
      if (end.data != NULL && bytes_compare (out->start, end) >= 0)
        return false;
      if (output->has_start && bytes_compare (out->end, start) <= 0)
        continue;
      if (output->has_start && bytes_compare (out->start, start) < 0)
        out->start = start;
      if (end.data != NULL && bytes_compare (out->end, end) > 0)
        out->end = end;
      return true;
    }
  return false;
}

static status
output_ranges (struct output *output, struct bytes end, struct failure *failure)
{
  struct range_delete range;
  for (size_t i = 0; output_next_range (output, end, &i, &range); i++)
    {
      status result = segment_writer_add_range_delete (output->writer, &range, failure);
      if (result != STATUS_OK)
        return result;
    }
  return STATUS_OK;
}

/* The next segment begins at `key`. */
static status
output_start_at (struct output *output, struct bytes key, struct failure *failure)
{
  uint8_t *start = realloc (output->start, key.size + 1);
  if (start == NULL)
    return fail_memory (failure, key.size, "a key");
  if (key.size > 0)
    memcpy (start, key.data, key.size);
  output->start = start;
  output->start_size = key.size;
  output->has_start = true;
  return STATUS_OK;
}

static status
output_finish (struct output *output, struct bytes end, struct failure *failure)
{
  struct flushed *out = output->out;
  status result = output->ranges != NULL ? output_ranges (output, end, failure) : STATUS_OK;
  if (result == STATUS_OK && out->count == output->capacity)
    {
      size_t capacity = output->capacity == 0 ? 4 : 2 * output->capacity;
      struct manifest_segment *segments = realloc (out->segments, capacity * sizeof *segments);
      if (segments == NULL)
        result = fail_memory (failure, capacity * sizeof *segments, "a list of segments");
      else
        {
          out->segments = segments;
          output->capacity = capacity;
        }
    }
  struct segment_writer *writer = output->writer;
  output->writer = NULL;
  if (result != STATUS_OK)
    {
      segment_writer_abort (writer);
      return result;
    }
  struct manifest_segment *segment = &out->segments[out->count];
  *segment = (struct manifest_segment){ .created = engine_wall () };
  result = segment_writer_finish (writer, &segment->information, failure);
  if (result != STATUS_OK)
    return result;
  out->count++;
  output->done += segment->information.file_size;
  return end.data != NULL ? output_start_at (output, end, failure) : STATUS_OK;
}

static status
output_add (struct output *output, const struct record *record, struct failure *failure)
{
  status result = STATUS_OK;
  if (output->writer != NULL
      && (segment_writer_size (output->writer) >= output->file_size
          || segment_writer_is_full (output->writer))
      && !bytes_equal (record->key, segment_writer_last_key (output->writer))) /* O1 */
    result = output_finish (output, record->key, failure);
  if (result == STATUS_OK && output->writer == NULL)
    result = output_begin (output, failure);
  if (result == STATUS_OK)
    result = segment_writer_add (output->writer, record, failure);
  return result;
}

static status
output_poll (struct output *output, struct failure *failure)
{
  const struct output_settings *settings = output->settings;
  if (settings->cancel != NULL && atomic_load_explicit (settings->cancel, memory_order_relaxed))
    return fail (failure, STATUS_CANCELLED, "the database is closing; nothing was changed");
  uint64_t bytes
      = output->done + (output->writer != NULL ? segment_writer_size (output->writer) : 0);
  if (settings->progress != NULL && !settings->progress (settings->progress_data, bytes))
    return fail (failure, STATUS_CANCELLED, "cancelled; nothing was changed");
  return STATUS_OK;
}

uint64_t
output_file_size (const struct engine *engine, uint64_t expected)
{
  if (engine->segment_file_size > 0)
    return engine->segment_file_size;
  uint64_t size = picker_segment_size (expected), most = memory_segment_size_most (engine);
  return size < most ? size : most;
}

status
output_write (struct engine *engine, struct source *source, const struct range_set *ranges,
              const struct output_settings *settings, struct flushed *out, struct failure *failure)
{
  *out = (struct flushed){ 0 };
  struct output output = {
    .engine = engine,
    .settings = settings,
    .ranges = ranges,
    .file_size = output_file_size (engine, settings->expected_bytes),
    .memory = settings->memory > 0 ? settings->memory : memory_of_merge (engine),
    .out = out,
  };
  struct bytes start = settings->start, end = settings->end;
  struct range_delete range;
  unsigned count = 0;
  memory_begin_writing (engine);
  status result = start.data != NULL ? output_start_at (&output, start, failure) : STATUS_OK;
  if (result == STATUS_OK)
    result = start.data != NULL ? source_seek (source, start, failure)
                                : source_first (source, failure);
  while (result == STATUS_OK && source->valid
         && (end.data == NULL || bytes_compare (source->record.key, end) < 0)) /* O3 */
    {
      result = output_add (&output, &source->record, failure);
      if (result == STATUS_OK && ++count % 1024 == 0)
        result = output_poll (&output, failure);
      if (result == STATUS_OK)
        result = source_next (source, failure);
    }
  if (result == STATUS_OK && output.writer == NULL && ranges != NULL
      && output_next_range (&output, end, &(size_t){ 0 }, &range))
    result = output_begin (&output, failure);
  if (result == STATUS_OK && output.writer != NULL)
    result = output_finish (&output, end, failure);
  if (result == STATUS_OK && out->count > 0 && !settings->part)
    result = vfs_directory_sync (engine->directory, failure);
  if (output.writer != NULL)
    segment_writer_abort (output.writer);
  memory_end_writing (engine);
  free (output.start);
  if (result != STATUS_OK)
    {
      flushed_unlink (engine, out); /* O2 */
      flushed_clear (out);
    }
  return result;
}
