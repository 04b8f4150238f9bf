/* SPDX-License-Identifier: MIT */
/*
 * timing: what a call of the engine spends its time on.
 *
 * Waits take a microsecond by their nature, so each is timed: it costs two looks at the clock, goes
 * to a histogram, and is added to what the thread has waited for since its present call began.
 * Steps are the short parts of a call, which are timed only in a call that is sampled: whoever takes
 * them is given a `struct steps`, or NULL.
 *
 * Invariants
 *   M3  Each wait is timed: a slow call is known though it was not sampled.
 *   Q1  Nothing counts twice: a wait within another is not part of the other's own time, and no
 *       part of a step. Steps and waits of a call add up to all of it but for what is between the
 *       last step and its end.
 *
 * Threads: a struct steps is its caller's; what was waited for is the thread's.
 */
#ifndef LIGHTNING_BASE_TIMING_H
#define LIGHTNING_BASE_TIMING_H

#include "base/metrics.h"

enum wait
{
  WAIT_PAGE_READ,  /* a page that was not in memory; without decompressing it */
  WAIT_DECOMPRESS, /* decompressing it */
  WAIT_BLOB_READ,  /* a large value that was not in memory */
  WAIT_LOCK,       /* until other commits let go of the pipeline */
  WAIT_STALL,      /* until a memtable was flushed */
  WAIT_NAP,        /* so that flushes and merges keep up, and readers get on */
  WAIT_LOG_CHANGE, /* the next segment of the log */
  WAIT_LOG_SYNC,   /* making the log durable, for itself and others */
  WAIT_TURN,       /* until the commit was visible: others made the log durable */
  WAITS,
};

enum step
{
  STEP_VISIBILITY, /* which view, which commits */
  STEP_MEMTABLES,
  STEP_HOT_RECORDS,
  STEP_FILTER, /* of a segment */
  STEP_INDEX,  /* which leaf */
  STEP_PAGE,   /* the leaf in the page table */
  STEP_LEAF,   /* the record in the leaf */
  STEP_COPY,   /* handing the value out */
  STEP_VALIDATE,
  STEP_LOG_APPEND,
  STEP_INSERT, /* into the memtable */
  STEP_OTHER,  /* everything else */
  STEPS,
};

/* What a thread knows of its present call of an engine. */
struct timing
{
  uint32_t calls_left; /* until the next that is sampled; each call has another number of them */
  uint32_t waiting;    /* which call `total` and those behind it are of */
  uint64_t total;      /* nanoseconds that it waited; 0 = it did not */
  uint64_t first;      /* when the first wait began; of use when there was one, like the next */
  uint64_t by[WAITS];  /* nanoseconds; they add up to `total` */
  uint64_t random;     /* what draws calls_left */
};

extern __thread struct timing timing
    __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));

/* A call of an engine begins. Whether it is the one in about `interval` that may be sampled: then
 * timing_draw is due. */
static inline bool
timing_begin (void)
{
  return __builtin_expect (timing.calls_left-- == 0, 0);
}

/* Draws after how many calls the next one is due, around `interval`, from 1. */
void timing_draw (uint32_t interval);

/* Whether anything was waited for in the present call, or in one before that nobody asked about. */
static inline bool
timing_may_have_waited (void)
{
  return __builtin_expect (timing.total != 0, 0);
}
/* Then: whether it was in this one. Nobody asks about the others any more. */
bool timing_has_waited (void);

struct wait_mark
{
  uint64_t started; /* nanoseconds */
  uint64_t before;  /* what had been waited for */
};

static inline struct wait_mark
wait_begin (void)
{
  uint64_t before = timing.waiting == timing.calls_left ? timing.total : 0;
  return (struct wait_mark){ metrics_now (), before };
}

/* `metrics` NULL: nobody counts. Returns how long it took, all told. */
uint64_t wait_end (struct metrics *metrics, enum wait wait, struct wait_mark mark);

struct steps
{
  uint64_t started;      /* nanoseconds */
  uint64_t last;         /* when the last step ended */
  uint64_t waited;       /* what had been waited for then */
  uint64_t taken[STEPS]; /* nanoseconds */
  uint32_t times[STEPS]; /* how often */
  bool on_request;       /* somebody wants to see it: it is no sample of what is done otherwise */
};

struct steps *steps_begin (struct steps *steps);
void step_take (struct steps *steps, enum step step);

/* What was done since the last step was this one. */
static inline void
step_done (struct steps *steps, enum step step)
{
  if (__builtin_expect (steps != NULL, 0))
    step_take (steps, step);
}

/* The call ends: adds its steps to the calling thread's counters. Returns how long it took. */
uint64_t steps_end (struct steps *steps, struct metrics *metrics, uint32_t line);

#endif
