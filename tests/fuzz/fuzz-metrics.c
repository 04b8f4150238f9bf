/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a block of metrics that another process has shared. What a reader takes for one is
 * read to the last number, and finds each metric by the name that it gave.
 *
 *   flags 1, padding 7, then the block
 */
#include "fuzz.h"

#include "base/metrics.h"

#include <string.h>

#define MENDED 1u /* magic, layout and size are as they should be */

/* Its value does not depend on how one came to the metric; a histogram holds no more than it
 * counts. */
static void
read_one (const struct metrics_reader *reader, const struct metric *metric)
{
  static struct histogram histogram;
  struct metric found;
  CHECK (metrics_reader_find (reader, metric->name, &found));
  CHECK (strcmp (found.name, metric->name) == 0);
  uint64_t value = metrics_reader_value (reader, metric);
  CHECK (value == metrics_reader_value (reader, metric));
  histogram_clear (&histogram);
  if (metrics_reader_histogram (reader, metric, &histogram))
    {
      CHECK (metric->kind == METRIC_HISTOGRAM && histogram_count (&histogram) == value);
      CHECK (histogram_percentile (&histogram, 0.5) <= histogram_maximum (&histogram));
      CHECK (histogram_count_at_most (&histogram, UINT64_MAX) == value);
    }
  else
    CHECK (metric->kind != METRIC_HISTOGRAM);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct metrics_reader reader;
  struct metric metric;
  if (size < 8)
    return 0;
  bool mended = (data[0] & MENDED) != 0;
  size -= 8;
  uint8_t *block = malloc (size > 0 ? size : 1); /* just so large, for a sanitizer to see */
  CHECK (block != NULL);
  memcpy (block, data + 8, size);
  if (mended && size >= sizeof (struct metrics_header))
    {
      struct metrics_header *header = (struct metrics_header *) (void *) block;
      memcpy (block, METRICS_MAGIC, 8);
      header->layout = METRICS_LAYOUT;
      header->size = size;
    }
  if (fuzz_result (metrics_reader_init (&reader, block, size, &failure), &failure))
    {
      metrics_reader_has_ended (&reader);
      for (uint32_t i = 0; i < metrics_reader_count (&reader); i++)
        if (metrics_reader_describe (&reader, i, &metric))
          read_one (&reader, &metric);
      CHECK (!metrics_reader_describe (&reader, metrics_reader_count (&reader), &metric));
    }
  free (block);
  return 0;
}
