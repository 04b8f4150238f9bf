/* SPDX-License-Identifier: MIT */
#include "core/pacing.h"

#include "base/timing.h"

#include <time.h>

#define RUN_PRESSURE 8.0              /* with twice the runs that are meant to be there */
#define PRESSURE_LEAST 0.1            /* below, nothing is owed */
#define FLUSH_RATE_ASSUMED 200000000u /* bytes a second, before the first flush */
#define REST_FOR 5000u                /* nanoseconds of a commit that are rested for, at most, */
#define REST_FOR_BYTE 5u              /* and for each byte of it */
#define NAP_LEAST 200u                /* microseconds: shorter ones are saved up */
#define NAP_MOST 5000u                /* microseconds, of a small commit */
#define NAP_BYTES 1u                  /* of the commit, for each microsecond more … */
#define NAP_LIMIT 1000000u            /* … up to this many */

static _Thread_local double due; /* microseconds to be slept; below 0: slept too much */

/* P1: the next memtable fills freely at first; the fuller it is, and the more wait, the slower. */
static double
flush_pressure (const struct pacing *pacing)
{
  if (pacing->frozen == 0)
    return 0;
  return pacing->frozen < FROZEN_MAX ? pacing->fill - 0.5 : pacing->fill;
}

/* P2: hardly at first, an eighth of the flush's rate with twice the runs that are meant to be
 * there. */
static double
run_pressure (const struct pacing *pacing)
{
  double part = (double) pacing->crowding / RUNS_CROWDED;
  return RUN_PRESSURE * part * part;
}

double
pacing_debt (const struct pacing *pacing, size_t bytes)
{
  double pressure = flush_pressure (pacing), runs = run_pressure (pacing);
  uint64_t rate = pacing->flush_rate > 0 ? pacing->flush_rate : FLUSH_RATE_ASSUMED;
  pressure = pressure > runs ? pressure : runs;
  return pressure > PRESSURE_LEAST ? pressure * (double) bytes * 1e6 / (double) rate : 0;
}

uint64_t
pacing_nap (double owed, size_t bytes)
{
  size_t more = bytes / NAP_BYTES;
  double most = (double) (NAP_MOST + (more < NAP_LIMIT ? more : NAP_LIMIT));
  return owed < NAP_LEAST ? 0 : (uint64_t) (owed < most ? owed : most);
}

double
pacing_rest (uint64_t took, size_t bytes)
{
  uint64_t most = REST_FOR + REST_FOR_BYTE * (uint64_t) bytes;
  return PACING_REST * (double) (took < most ? took : most) / 1000;
}

void
pacing_owe_rest (uint64_t began, size_t bytes)
{
  due += pacing_rest (metrics_now () - began, bytes);
}

static double
fill_of_active (struct engine *engine)
{
  epoch_enter ();
  struct view *view = atomic_load_explicit (&engine->view, memory_order_acquire);
  size_t memory = view != NULL && view->active != NULL ? memtable_memory (view->active->table) : 0;
  epoch_leave ();
  return (double) memory / (double) engine->memtable_size;
}

void
pacing_pay (struct engine *engine, size_t bytes)
{
  struct pacing pacing = {
    .frozen = atomic_load_explicit (&engine->frozen_count, memory_order_relaxed),
    .crowding = atomic_load_explicit (&engine->crowding, memory_order_relaxed),
    .flush_rate = atomic_load_explicit (&engine->flush_rate, memory_order_relaxed),
  };
  if (pacing.frozen > 0)
    pacing.fill = fill_of_active (engine);
  due += pacing_debt (&pacing, bytes);
  uint64_t nap = pacing_nap (due, bytes);
  if (nap == 0)
    return;
  struct wait_mark mark = wait_begin ();
  nanosleep (&(struct timespec){ (time_t) (nap / 1000000), (long) (nap % 1000000 * 1000) }, NULL);
  /* Who is woken late has that to his credit. */
  double late = (double) wait_end (engine->metrics, WAIT_NAP, mark) / 1000 - (double) nap;
  due = late < 0 ? 0 : late < NAP_MOST ? -late : -(double) NAP_MOST;
}
