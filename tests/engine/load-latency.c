/* SPDX-License-Identifier: MIT */
/* engine-load: the time that each put takes, and what the worst one waited for. */
#include "measured-engine.h"

#include <sys/resource.h>

#define SLOTS 4096u /* of a log-linear count: 64 a power of two, from 1/16 us */

static uint64_t slots[SLOTS];
static uint64_t events_seen; /* number of the newest */

/* What happened since the last look. */
static void
look_at_events (double *stalled, uint64_t *flushes, uint64_t *merges)
{
  static struct engine_event events[ENGINE_EVENTS_KEPT];
  size_t count = engine_events (engine, events_seen, events, ENGINE_EVENTS_KEPT, NULL);
  *stalled = 0;
  *flushes = *merges = 0;
  for (size_t i = 0; i < count; i++)
    {
      if (events[i].kind == ENGINE_EVENT_STALLED)
        *stalled += (double) events[i].microseconds;
      *flushes += events[i].kind == ENGINE_EVENT_FLUSHED;
      *merges += events[i].kind == ENGINE_EVENT_MERGED;
      events_seen = events[i].number;
    }
}

static void
count_latency (double microseconds)
{
  uint64_t units = (uint64_t) (microseconds * 16) + 64;
  unsigned power = 63 - (unsigned) __builtin_clzll (units);
  unsigned slot = (power - 6) * 64 + (unsigned) (units >> (power - 6) & 63);
  slots[slot < SLOTS ? slot : SLOTS - 1]++;
}

static double
latency_at (double share, uint64_t count)
{
  uint64_t wanted = (uint64_t) ((double) count * share), seen = 0;
  for (unsigned slot = 0; slot < SLOTS; slot++)
    if ((seen += slots[slot]) > wanted)
      return ((double) ((64 + slot % 64) << (slot / 64)) - 64) / 16;
  return 0;
}

struct worst
{
  double microseconds, stalled, second;
  long voluntary, involuntary, faults; /* of this thread, in the put and up to 255 before it */
  uint64_t flushes, merges;            /* that ended during it */
};

static bool bare; /* puts go to an array: what the machine does to any program */

static void
put_bare (uint64_t number)
{
  static uint8_t array[1 << 24];
  uint8_t *to = array + number % (sizeof array / 128) * 128;
  make_key (to, number);
  make_value (to + KEY_SIZE, number, 0);
}

/* The puts above 20 ms, by what their thread did meanwhile. */
struct slow
{
  uint64_t all, waited, preempted;
};

/* `count` puts, each timed. */
static void
put_timed (uint64_t count, struct worst *worst, struct slow *slow)
{
  struct rusage usage, usage_then = { 0 };
  double started = now ();
  memset (slots, 0, sizeof slots);
  for (uint64_t i = 0; i < count; i++)
    {
      if (i % 256 == 0)
        getrusage (RUSAGE_THREAD, &usage_then);
      uint64_t flushes, merges;
      double stalled;
      if (!bare && events_seen != engine_newest_event (engine)) /* what was before this put */
        look_at_events (&stalled, &flushes, &merges);
      double at = now ();
      if (bare)
        put_bare (i);
      else
        put (i, 0);
      double took = (now () - at) * 1e6;
      count_latency (took);
      if (took <= 20000 && took <= worst->microseconds)
        continue;
      getrusage (RUSAGE_THREAD, &usage);
      stalled = 0;
      flushes = merges = 0;
      if (!bare)
        look_at_events (&stalled, &flushes, &merges);
      struct worst this = { took,
                            stalled,
                            at - started,
                            usage.ru_nvcsw - usage_then.ru_nvcsw,
                            usage.ru_nivcsw - usage_then.ru_nivcsw,
                            usage.ru_minflt - usage_then.ru_minflt,
                            flushes,
                            merges };
      slow->all += took > 20000;
      slow->waited += took > 20000 && stalled > took / 2;
      slow->preempted += took > 20000 && stalled <= took / 2 && this.involuntary > 0;
      if (took > worst->microseconds)
        *worst = this;
    }
}

static void
print_latency (const char *what, uint64_t count, double took, const struct slow *slow,
               const struct worst *worst)
{
  printf ("  %s: %.0f puts/s: P50 %.2f us, P99 %.2f, P99.9 %.1f, P99.99 %.1f us; above 20 ms: %lu, "
          "of which %lu waited for a flush, %lu were preempted\n",
          what, (double) count / took, latency_at (0.5, count), latency_at (0.99, count),
          latency_at (0.999, count), latency_at (0.9999, count), slow->all, slow->waited,
          slow->preempted);
  printf (
      "    worst put: %.1f ms at second %.1f, of which it waited %.1f ms for a flush; its thread "
      "then had %ld voluntary and %ld involuntary switches and %ld page faults; %lu flushes and "
      "%lu merges ended meanwhile\n",
      worst->microseconds / 1e3, worst->second, worst->stalled / 1e3, worst->voluntary,
      worst->involuntary, worst->faults, worst->flushes, worst->merges);
}

static void *
burn (void *data)
{
  setpriority (PRIO_PROCESS, 0, getpriority (PRIO_PROCESS, 0) + (data != NULL ? 5 : 0));
  for (volatile uint64_t turns = 0; !atomic_load (&sampler.stop); turns++)
    ;
  return NULL;
}

/* The same loop on an array, for `seconds`, beside threads that are as busy as flush and merges. */
static void
measure_control (double seconds)
{
  struct worst worst = { 0 };
  struct slow slow = { 0 };
  pthread_t threads[3];
  uint64_t count = 0, part = 1000000;
  atomic_store (&sampler.stop, false);
  for (size_t i = 0; i < 3; i++)
    CHECK (pthread_create (&threads[i], NULL, burn, i > 0 ? &bare : NULL) == 0);
  bare = true;
  double started = now ();
  put_timed (part, &worst, &slow); /* how fast it is here */
  count = (uint64_t) ((double) part * seconds / (now () - started));
  worst = (struct worst){ 0 };
  slow = (struct slow){ 0 };
  started = now ();
  put_timed (count, &worst, &slow);
  double took = now () - started;
  bare = false;
  atomic_store (&sampler.stop, true);
  for (size_t i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  print_latency ("control, an array beside three busy threads", count, took, &slow, &worst);
}

void
measure_latency (void)
{
  struct engine_options options;
  struct engine_statistics statistics;
  struct worst worst = { 0 };
  struct slow slow = { 0 };
  uint64_t size = (megabytes > 0 ? megabytes : 4096) * MIB, count = size / RECORD_SIZE;
  choose_options (&options);
  new_directory ();
  open_database (&options);
  sampler.base = (struct memory){ 0 };
  sampler_start (false);
  double started = now ();
  put_timed (count, &worst, &slow);
  double loading = now () - started;
  printf ("latency: %lu MB; P99.99 %.1f us; limit 20 ms: %s\n", size / MIB,
          latency_at (0.9999, count), latency_at (0.9999, count) < 20000 ? "kept" : "MISSED");
  print_latency ("engine", count, loading, &slow, &worst);
  engine_statistics (engine, &statistics);
  settle ();
  sampler_stop ();
  double data = (double) count * RECORD_SIZE;
  printf ("  stalls: %lu, the worst %.1f ms; most disk used %.2f x the data; limit 2.2: %s; after "
          "settling %.2f x\n",
          statistics.stalls, (double) statistics.worst_stall_microseconds / 1e3,
          (double) sampler.most / data, (double) sampler.most / data <= 2.2 ? "kept" : "MISSED",
          (double) disk_bytes () / data);
  close_database ();
  drop_directory ();
  measure_control (loading < 10 ? loading : 10);
}
