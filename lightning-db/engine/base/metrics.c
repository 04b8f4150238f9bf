/* SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t
metrics_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

/* ---- what there is ---- */

struct listed
{
  enum metric_kind kind;
  enum metric_unit unit;
  uint32_t index;   /* among its kind */
  const char *name; /* fits in METRICS_NAME_SIZE */
  const char *text; /* what it says */
};

#define CHECK_NAME(id, name, unit, text)                                                           \
  _Static_assert(sizeof (name) <= METRICS_NAME_SIZE, name " is too long");
METRICS_THREAD_COUNTERS (CHECK_NAME)
METRICS_SHARED_COUNTERS (CHECK_NAME)
METRICS_GAUGES (CHECK_NAME)
METRICS_HISTOGRAMS (CHECK_NAME)
#undef CHECK_NAME

static const struct listed list[METRICS_NAMES] = {
#define LISTED(id, name, unit, text) { METRIC_COUNTER, METRIC_##unit, THREAD_##id, name, text },
  METRICS_THREAD_COUNTERS (LISTED)
#undef LISTED
#define LISTED(id, name, unit, text)                                                               \
  { METRIC_SHARED_COUNTER, METRIC_##unit, SHARED_##id, name, text },
      METRICS_SHARED_COUNTERS (LISTED)
#undef LISTED
#define LISTED(id, name, unit, text) { METRIC_GAUGE, METRIC_##unit, GAUGE_##id, name, text },
          METRICS_GAUGES (LISTED)
#undef LISTED
#define LISTED(id, name, unit, text)                                                               \
  { METRIC_HISTOGRAM, METRIC_##unit, HISTOGRAM_##id, name, text },
              METRICS_HISTOGRAMS (LISTED)
#undef LISTED
};

const char *
metrics_text (const char *name)
{
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    if (strcmp (list[i].name, name) == 0)
      return list[i].text;
  return NULL;
}

/* ---- making ---- */

static uint64_t
magic (void)
{
  uint64_t value;
  memcpy (&value, METRICS_MAGIC, sizeof value);
  return value;
}

static void
describe (struct metrics *metrics, const struct metrics_origin *origin)
{
  struct metrics_header *header = &metrics->header;
  header->layout = METRICS_LAYOUT;
  header->name_count = METRICS_NAMES;
  header->thread_count = THREAD_COUNTERS;
  header->shared_count = SHARED_COUNTERS;
  header->gauge_count = GAUGES;
  header->histogram_count = HISTOGRAMS;
  header->line_count = METRICS_LINES;
  header->line_size = METRICS_LINE_SIZE;
  header->precision_bits = HISTOGRAM_PRECISION_BITS;
  header->value_bits = HISTOGRAM_VALUE_BITS;
  header->names = offsetof (struct metrics, names);
  header->lines = offsetof (struct metrics, lines);
  header->shared = offsetof (struct metrics, shared);
  header->gauges = offsetof (struct metrics, gauges);
  header->histograms = offsetof (struct metrics, histograms);
  header->size = sizeof *metrics;
  header->process = origin->process;
  header->process_started = origin->process_started;
  header->opened = origin->opened;
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    {
      metrics->names[i].kind = (uint16_t) list[i].kind;
      metrics->names[i].unit = (uint16_t) list[i].unit;
      metrics->names[i].index = list[i].index;
      strcpy (metrics->names[i].name, list[i].name);
    }
}

status
metrics_new (void *memory, const struct metrics_origin *origin, struct metrics **out,
             struct failure *failure)
{
  struct metrics *metrics = memory;
  if (memory == NULL)
    {
      size_t alignment = _Alignof(struct metrics), size = sizeof *metrics + alignment;
      /* calloc: pages of histograms that nothing is recorded in are never touched. */
      void **start = calloc (1, size + sizeof *start);
      if (start == NULL)
        return fail_memory (failure, size, "the metrics");
      uintptr_t at = ((uintptr_t) (start + 1) + alignment - 1) & ~(uintptr_t) (alignment - 1);
      metrics = (struct metrics *) at;
      ((void **) at)[-1] = start;
    }
  describe (metrics, origin);
  atomic_store_explicit (&metrics->header.magic, magic (), memory_order_release);
  *out = metrics;
  return STATUS_OK;
}

void
metrics_set_database (struct metrics *metrics, const uint8_t id[16])
{
  memcpy (metrics->header.database_id, id, sizeof metrics->header.database_id);
}

void
metrics_end (struct metrics *metrics)
{
  atomic_store_explicit (&metrics->header.ended, 1, memory_order_release);
}

void
metrics_free (struct metrics *metrics, bool lent)
{
  if (metrics != NULL && !lent)
    free (((void **) (void *) metrics)[-1]);
}

uint64_t
metrics_thread_total (const struct metrics *metrics, enum thread_counter which)
{
  uint64_t total = 0;
  for (unsigned line = 0; line < METRICS_LINES; line++)
    total += atomic_load_explicit (&metrics->lines[line].counters[which], memory_order_relaxed);
  return total;
}

/* ---- reading ---- */

/* Whether `count` things of `size` bytes lie where the header says (M5): all three are below 2^32
 * or checked against the whole. */
static bool
lies_within (const struct metrics_header *header, uint64_t offset, uint64_t count, uint64_t size)
{
  return offset % 8 == 0 && offset >= sizeof *header && offset <= header->size
         && count * size <= header->size - offset;
}

/* More than this of either is no block: whoever reads all of it goes through every line for every name. */
#define NAMES_MAX 4096u
#define LINES_MAX 1024u

static const char *
fault_of (const struct metrics_header *header, size_t size)
{
  if (header->size > size)
    return "it is cut short";
  if (header->name_count > NAMES_MAX || header->line_count > LINES_MAX)
    return "it has more names or lines than there can be";
  if (header->line_size % 8 != 0 || header->thread_count > header->line_size / 8)
    return "its lines are malformed";
  if (!lies_within (header, header->names, header->name_count, sizeof (struct metrics_name))
      || !lies_within (header, header->lines, header->line_count, header->line_size)
      || !lies_within (header, header->shared, header->shared_count, sizeof (uint64_t))
      || !lies_within (header, header->gauges, header->gauge_count, sizeof (int64_t))
      || !lies_within (header, header->histograms, header->histogram_count,
                       sizeof (struct histogram)))
    return "its parts lie outside of it";
  return NULL;
}

status
metrics_reader_init (struct metrics_reader *reader, const void *memory, size_t size,
                     struct failure *failure)
{
  const struct metrics_header *there = memory;
  struct metrics_header *header = &reader->header;
  const char *fault = NULL;
  *reader = (struct metrics_reader){ .memory = memory };
  if (size < sizeof *there || (uintptr_t) memory % 8 != 0
      || atomic_load_explicit (&there->magic, memory_order_acquire) != magic ())
    fault = "it does not begin as one";
  else
    {
      size_t from = offsetof (struct metrics_header, layout);
      memcpy ((uint8_t *) header + from, (const uint8_t *) there + from,
              offsetof (struct metrics_header, ended) - from);
      if (header->layout != METRICS_LAYOUT)
        return fail (failure, STATUS_UNSUPPORTED,
                     "the metrics have layout %u, and this version reads %u only; use the version "
                     "of the program that they are of",
                     header->layout, METRICS_LAYOUT);
      if (header->precision_bits != HISTOGRAM_PRECISION_BITS
          || header->value_bits != HISTOGRAM_VALUE_BITS)
        header->histogram_count = 0; /* another version's: all but these can be read */
      fault = fault_of (header, size);
    }
  return fault == NULL ? STATUS_OK
                       : fail (failure, STATUS_CORRUPT,
                               "this is no block of metrics: %s; the program that made it may have "
                               "ended, or be of another kind",
                               fault);
}

static uint32_t
count_of_kind (const struct metrics_reader *reader, unsigned kind)
{
  switch (kind)
    {
    case METRIC_COUNTER:
      return reader->header.thread_count;
    case METRIC_SHARED_COUNTER:
      return reader->header.shared_count;
    case METRIC_GAUGE:
      return reader->header.gauge_count;
    case METRIC_HISTOGRAM:
      return reader->header.histogram_count;
    default:
      return 0;
    }
}

static bool
is_name (const char name[METRICS_NAME_SIZE])
{
  size_t size = 0;
  while (size < METRICS_NAME_SIZE
         && ((name[size] >= 'a' && name[size] <= 'z') || name[size] == '_'
             || (size > 0 && name[size] >= '0' && name[size] <= '9')))
    size++;
  return size > 0 && size < METRICS_NAME_SIZE && name[size] == '\0';
}

bool
metrics_reader_describe (const struct metrics_reader *reader, uint32_t index, struct metric *out)
{
  struct metrics_name entry;
  if (index >= reader->header.name_count)
    return false;
  memcpy (&entry, reader->memory + reader->header.names + (uint64_t) index * sizeof entry,
          sizeof entry);
  if (entry.index >= count_of_kind (reader, entry.kind) || entry.unit >= METRIC_UNITS
      || !is_name (entry.name))
    return false;
  out->kind = (enum metric_kind) entry.kind;
  out->unit = (enum metric_unit) entry.unit;
  out->index = entry.index;
  memcpy (out->name, entry.name, sizeof out->name);
  return true;
}

bool
metrics_reader_find (const struct metrics_reader *reader, const char *name, struct metric *out)
{
  for (uint32_t i = 0; i < reader->header.name_count; i++)
    if (metrics_reader_describe (reader, i, out) && strcmp (out->name, name) == 0)
      return true;
  return false;
}

/* The number at an offset that was checked. */
static uint64_t
number_at (const struct metrics_reader *reader, uint64_t offset)
{
  const _Atomic uint64_t *at = (const void *) (reader->memory + offset);
  return atomic_load_explicit (at, memory_order_relaxed);
}

static const struct histogram *
histogram_of (const struct metrics_reader *reader, const struct metric *metric)
{
  const void *at = reader->memory + reader->header.histograms;
  return (const struct histogram *) at + metric->index;
}

uint64_t
metrics_reader_value (const struct metrics_reader *reader, const struct metric *metric)
{
  const struct metrics_header *header = &reader->header;
  uint64_t within = (uint64_t) metric->index * 8, sum = 0;
  if (metric->index >= count_of_kind (reader, metric->kind))
    return 0;
  switch (metric->kind)
    {
    case METRIC_COUNTER:
      for (uint64_t line = 0; line < header->line_count; line++)
        sum += number_at (reader, header->lines + line * header->line_size + within);
      return sum;
    case METRIC_SHARED_COUNTER:
      return number_at (reader, header->shared + within);
    case METRIC_GAUGE:
      return number_at (reader, header->gauges + within);
    case METRIC_HISTOGRAM:
      return histogram_count (histogram_of (reader, metric));
    case METRIC_KINDS:
      break;
    }
  return 0;
}

bool
metrics_reader_histogram (const struct metrics_reader *reader, const struct metric *metric,
                          struct histogram *out)
{
  if (metric->kind != METRIC_HISTOGRAM || metric->index >= reader->header.histogram_count)
    return false;
  histogram_merge (out, histogram_of (reader, metric));
  return true;
}

bool
metrics_reader_has_ended (const struct metrics_reader *reader)
{
  const struct metrics_header *there = (const void *) reader->memory;
  return atomic_load_explicit (&there->ended, memory_order_acquire) != 0;
}
