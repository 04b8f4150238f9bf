/* SPDX-License-Identifier: MIT */
/*
 * metrics: everything that a database counts about itself, in one block of memory that describes
 * itself, so that also another process that maps it can read it, of this version or another, and
 * while ours is stopped.
 *
 *   header      magic, layout version, how many there are of what follows and where
 *   names       of every metric: what kind it is, which of its kind, its unit
 *   lines       counters that each thread has for itself: METRICS_LINES times all of them
 *   shared      counters that threads have together
 *   gauges      states
 *   histograms  (base/histogram.h)
 *
 * Invariants
 *   M1  Counts are exact: each event is counted once, by the thread that it happened on, where it
 *       happened; nothing is published by a timer. What is read while threads count is some state
 *       in between, and a counter never goes back.
 *   M2  What memory answers pays for a counter (a load, an addition, a store), and a load and a
 *       branch: no locked instruction, no clock, no call.
 *   M4  Nothing in the block is a pointer, key, value or path.
 *   M5  Whatever bytes a reader is given, it reads no others. (M3: core/operation.h)
 *
 * Threads: any, but for making and freeing. A line is its thread's; the last one is shared by all
 * threads for which there is none.
 */
#ifndef LIGHTNING_BASE_METRICS_H
#define LIGHTNING_BASE_METRICS_H

#include "base/epoch.h"
#include "base/histogram.h"
#include "base/metrics-list.h"
#include "base/status.h"

#define METRICS_MAGIC "LDBMETR1"
#define METRICS_LAYOUT 1u      /* version */
#define METRICS_LINES 32u      /* the last one is shared */
#define METRICS_LINE_SIZE 512u /* bytes: whole cache lines, a power of two */
#define METRICS_NAME_SIZE 40u  /* bytes, with the terminating zero */

enum thread_counter
{
#define METRICS_ID(id, name, unit, text) THREAD_##id,
  METRICS_THREAD_COUNTERS (METRICS_ID)
#undef METRICS_ID
      THREAD_COUNTERS
};

enum shared_counter
{
#define METRICS_ID(id, name, unit, text) SHARED_##id,
  METRICS_SHARED_COUNTERS (METRICS_ID)
#undef METRICS_ID
      SHARED_COUNTERS
};

enum gauge
{
#define METRICS_ID(id, name, unit, text) GAUGE_##id,
  METRICS_GAUGES (METRICS_ID)
#undef METRICS_ID
      GAUGES
};

enum metrics_histogram
{
#define METRICS_ID(id, name, unit, text) HISTOGRAM_##id,
  METRICS_HISTOGRAMS (METRICS_ID)
#undef METRICS_ID
      HISTOGRAMS
};

#define METRICS_NAMES (THREAD_COUNTERS + SHARED_COUNTERS + GAUGES + HISTOGRAMS)

enum metric_kind
{
  METRIC_COUNTER,        /* of threads: the sum over all lines */
  METRIC_SHARED_COUNTER, /* likewise rising, in one place */
  METRIC_GAUGE,          /* signed; rises and falls */
  METRIC_HISTOGRAM,
  METRIC_KINDS,
};

enum metric_unit
{
  METRIC_COUNT,
  METRIC_BYTES,
  METRIC_NANOSECONDS,
  METRIC_UNITS,
};

/* ---- the block ---- */

struct metrics_header
{
  _Atomic uint64_t magic;   /* METRICS_MAGIC as bytes; written last */
  uint32_t layout;          /* METRICS_LAYOUT: another one is not to be read */
  uint32_t name_count;      /* of names: */
  uint32_t thread_count;    /* counters of a line, */
  uint32_t shared_count;    /* shared counters, */
  uint32_t gauge_count;     /* gauges, */
  uint32_t histogram_count; /* and histograms */
  uint32_t line_count;      /* lines */
  uint32_t line_size;       /* bytes of one */
  uint32_t precision_bits;  /* of histograms: HISTOGRAM_PRECISION_BITS */
  uint32_t value_bits;      /* HISTOGRAM_VALUE_BITS */
  uint64_t names;           /* offsets from the header, multiples of 8 */
  uint64_t lines;
  uint64_t shared;
  uint64_t gauges;
  uint64_t histograms;
  uint64_t size;            /* bytes of all of it */
  uint64_t process;         /* id of who counts; 0: not told */
  uint64_t process_started; /* when that began, as /proc/PID/stat has it: no other process ever has
                               both */
  uint64_t opened;          /* when counting began: microseconds since 1970 */
  uint8_t database_id[16];  /* zeros until it is known */
  _Atomic uint32_t ended;   /* 1: the database was closed, nothing changes any more */
  uint32_t zero[13];        /* up to whole cache lines; 0 */
};
_Static_assert(sizeof (struct metrics_header) == 192, "the header's layout is fixed");

struct metrics_name
{
  uint16_t kind;  /* enum metric_kind */
  uint16_t unit;  /* enum metric_unit */
  uint32_t index; /* among its kind */
  char name[METRICS_NAME_SIZE];
};
_Static_assert(sizeof (struct metrics_name) == 48, "the names' layout is fixed");

struct metrics_line
{
  _Alignas(64) _Atomic uint64_t counters[METRICS_LINE_SIZE / 8]; /* by enum thread_counter */
};
_Static_assert(THREAD_COUNTERS <= METRICS_LINE_SIZE / 8, "a line has room for all");

struct metrics
{
  struct metrics_header header;
  struct metrics_name names[METRICS_NAMES];
  struct metrics_line lines[METRICS_LINES];
  _Alignas(64) _Atomic uint64_t shared[SHARED_COUNTERS]; /* by enum shared_counter */
  _Alignas(64) _Atomic int64_t gauges[GAUGES];           /* by enum gauge */
  struct histogram histograms[HISTOGRAMS];               /* by enum metrics_histogram */
};

/* ---- making ---- */

struct metrics_origin
{
  uint64_t process, process_started, opened; /* as in the header */
};

/* `memory`: at least sizeof (struct metrics) bytes, zeros, aligned as that is, for the caller to keep
 * until nobody counts any more; NULL: the block's own. */
status metrics_new (void *memory, const struct metrics_origin *origin, struct metrics **out,
                    struct failure *failure);
/* Once it is known, by who opens the database. */
void metrics_set_database (struct metrics *metrics, const uint8_t id[16]);
/* What it counts is not to change any more. */
void metrics_end (struct metrics *metrics);
void metrics_free (struct metrics *metrics, bool lent);

/* ---- counting ---- */

/* Which line is the calling thread's. */
static inline uint32_t
metrics_line_number (void)
{
  uint32_t thread = epoch_thread_number ();
  return thread < METRICS_LINES - 1 ? thread : METRICS_LINES - 1;
}

/* Adds to a counter of the line; `line` is the calling thread's. */
static inline void
count_in_line (struct metrics *metrics, uint32_t line, enum thread_counter which, uint64_t by)
{
  _Atomic uint64_t *counter = &metrics->lines[line].counters[which];
  if (__builtin_expect (line < METRICS_LINES - 1, 1))
    atomic_store_explicit (counter, atomic_load_explicit (counter, memory_order_relaxed) + by,
                           memory_order_relaxed);
  else
    atomic_fetch_add_explicit (counter, by, memory_order_relaxed);
}

/* One to each of two counters. */
static inline void
count_both_in_line (struct metrics *metrics, uint32_t line, enum thread_counter one,
                    enum thread_counter other)
{
  _Atomic uint64_t *counters = metrics->lines[line].counters;
  if (__builtin_expect (line < METRICS_LINES - 1, 1))
    {
      uint64_t first = atomic_load_explicit (&counters[one], memory_order_relaxed);
      uint64_t second = atomic_load_explicit (&counters[other], memory_order_relaxed);
      atomic_store_explicit (&counters[one], first + 1, memory_order_relaxed);
      atomic_store_explicit (&counters[other], second + 1, memory_order_relaxed);
      return;
    }
  atomic_fetch_add_explicit (&counters[one], 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&counters[other], 1, memory_order_relaxed);
}

static inline void
count_in_thread (struct metrics *metrics, enum thread_counter which, uint64_t by)
{
  count_in_line (metrics, metrics_line_number (), which, by);
}

/* A counter that only the holder of some lock changes. */
static inline void
count_locked (struct metrics *metrics, enum shared_counter which, uint64_t by)
{
  _Atomic uint64_t *counter = &metrics->shared[which];
  atomic_store_explicit (counter, atomic_load_explicit (counter, memory_order_relaxed) + by,
                         memory_order_relaxed);
}

static inline void
count_shared (struct metrics *metrics, enum shared_counter which, uint64_t by)
{
  atomic_fetch_add_explicit (&metrics->shared[which], by, memory_order_relaxed);
}

static inline void
gauge_set (struct metrics *metrics, enum gauge which, int64_t value)
{
  atomic_store_explicit (&metrics->gauges[which], value, memory_order_relaxed);
}

/* Returns what it was before. */
static inline int64_t
gauge_add (struct metrics *metrics, enum gauge which, int64_t by)
{
  return atomic_fetch_add_explicit (&metrics->gauges[which], by, memory_order_relaxed);
}

static inline void
metrics_record (struct metrics *metrics, enum metrics_histogram which, uint64_t value)
{
  histogram_record (&metrics->histograms[which], value);
}

uint64_t metrics_now (void); /* nanoseconds, monotonic */

/* ---- asking one's own ---- */

uint64_t metrics_thread_total (const struct metrics *metrics, enum thread_counter which);

static inline uint64_t
metrics_shared_total (const struct metrics *metrics, enum shared_counter which)
{
  return atomic_load_explicit (&metrics->shared[which], memory_order_relaxed);
}

static inline int64_t
metrics_gauge (const struct metrics *metrics, enum gauge which)
{
  return atomic_load_explicit (&metrics->gauges[which], memory_order_relaxed);
}

/* ---- reading any ---- */

/* What was found to be in a block, which may go on changing: its header is not looked at again. */
struct metrics_reader
{
  const uint8_t *memory;        /* the block; the caller's */
  struct metrics_header header; /* as it was checked */
};

struct metric
{
  enum metric_kind kind;
  enum metric_unit unit;
  uint32_t index;               /* among its kind */
  char name[METRICS_NAME_SIZE]; /* lower case ASCII letters, digits and underscores */
};

/* Takes the bytes of a block for reading; `memory` is a multiple of 8 and stays until the caller is
 * done. It may be a mapping that another process goes on writing to, or a copy; it is not trusted
 * (M5), but a mapping of a file that is cut under us is the caller's to guard against. UNSUPPORTED
 * when it has another layout, CORRUPT when it is no block. */
status metrics_reader_init (struct metrics_reader *reader, const void *memory, size_t size,
                            struct failure *failure);
/* How many metrics it names; the index of one, from 0; whether that is one we can read. */
static inline uint32_t
metrics_reader_count (const struct metrics_reader *reader)
{
  return reader->header.name_count;
}
bool metrics_reader_describe (const struct metrics_reader *reader, uint32_t index,
                              struct metric *out);
bool metrics_reader_find (const struct metrics_reader *reader, const char *name,
                          struct metric *out);
/* Of a counter: the sum of it over all threads. Of a gauge: its bits are those of an int64_t. Of a
 * histogram: how many values it holds. */
uint64_t metrics_reader_value (const struct metrics_reader *reader, const struct metric *metric);
/* Adds what a histogram holds to `out`. False when it is none. */
bool metrics_reader_histogram (const struct metrics_reader *reader, const struct metric *metric,
                               struct histogram *out);
/* Whether its database was closed. */
bool metrics_reader_has_ended (const struct metrics_reader *reader);
/* What this build says of the metric of that name; NULL when it knows none. */
const char *metrics_text (const char *name);

#endif
