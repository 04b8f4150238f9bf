/* SPDX-License-Identifier: MIT */
/*
 * Runs short programs of calls on a simulated disk, then recovers from every state in which a crash
 * could have left it, and judges what is found. See docs/reliability.md.
 *
 *   test-crash                     the short form: about 100,000 states
 *   test-crash --long              about two million
 *   test-crash --states N --seed S
 *   test-crash --replay WHERE      the state that a failure named
 *   test-crash --program WHERE     all states of its program, as far as the quota goes
 */
#include "judge.h"
#include "protocol.h"
#include "simulated-threads.h"

#include "base/epoch.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS_MOST 64
#define JOBS_MOST 64

/* Where a state is: enough to build it again. */
struct place
{
  unsigned variant, one_in;
  uint64_t seed;
  enum call_kind calls[CALLS_MOST];
  size_t call_count;
  enum crash_profile profile;
  size_t point;
  uint64_t state;
  bool inside; /* a second crash, inside the recovery */
  enum crash_profile inner_profile;
  size_t inner_point;
  uint64_t inner_state;
};

struct totals
{
  uint64_t programs, changes, points, possible, states, same, inner, recoveries, broken;
};

struct run
{
  struct place place;
  struct workload workload;
  struct totals *totals;
  uint64_t accept; /* a state is judged when the hash of its place is below */
  uint64_t *seen;  /* sums of judged disks; open addressing, 0 = free; malloc'd */
  size_t seen_count, seen_room;
  struct crash_walk walk;
  uint64_t state;           /* the enumeration's counter */
  const struct place *only; /* replay: this one */
  const struct crash_walk *inner_walk;
};

/* ---- naming states ---- */

static void
place_print (const struct place *place, char to[400])
{
  char calls[CALLS_MOST + 1];
  for (size_t i = 0; i < place->call_count; i++)
    calls[i] = (char) ('a' + place->calls[i]);
  calls[place->call_count] = '\0';
  int size = snprintf (to, 400, "%u:%u:%llu:%s:%u:%zu:%llu", place->variant, place->one_in,
                       (unsigned long long) place->seed, calls, place->profile, place->point,
                       (unsigned long long) place->state);
  if (place->inside)
    snprintf (to + size, 400 - (size_t) size, ":%u:%zu:%llu", place->inner_profile,
              place->inner_point, (unsigned long long) place->inner_state);
}

static bool
place_parse (const char *from, struct place *place)
{
  char calls[CALLS_MOST + 1] = "";
  unsigned long long seed, state, inner_state;
  unsigned profile, inner_profile;
  *place = (struct place){ 0 };
  int count = sscanf (from, "%u:%u:%llu:%64[a-z]:%u:%zu:%llu:%u:%zu:%llu", &place->variant,
                      &place->one_in, &seed, calls, &profile, &place->point, &state, &inner_profile,
                      &place->inner_point, &inner_state);
  if (count != 7 && count != 10)
    return false;
  place->seed = seed;
  place->profile = profile;
  place->state = state;
  place->inside = count == 10;
  if (place->inside)
    {
      place->inner_profile = inner_profile;
      place->inner_state = inner_state;
    }
  for (; calls[place->call_count] != '\0'; place->call_count++)
    {
      place->calls[place->call_count] = (enum call_kind) (calls[place->call_count] - 'a');
      if (place->calls[place->call_count] >= CALLS)
        return false;
    }
  return true;
}

static void
report (const struct run *run, const struct judge *judge, const struct crash_walk *walk,
        const struct disk_choice *choices)
{
  char where[400];
  place_print (&run->place, where);
  const struct call_record *call = &run->workload.calls[judge->promise.call];
  fprintf (stderr, "broken promise: %s\n", judge->reason);
  fprintf (stderr, "after call %zu (%s), promised commits %llu to %llu\n", judge->promise.call,
           call_name (call->kind), (unsigned long long) judge->promise.least,
           (unsigned long long) judge->promise.most);
  crash_print (walk, choices);
  fprintf (stderr, "replay: test-crash --replay %s\n", where);
}

/* ---- judging states ---- */

static bool keeps_going; /* --keep-going: report every broken promise */

static void
give_up (struct run *run)
{
  run->totals->broken++;
  if (!keeps_going)
    exit (1);
}

static uint64_t
place_hash (const struct place *place)
{
  uint64_t words[] = { place->seed,  place->variant,     place->profile,     place->point,
                       place->state, place->inner_point, place->inner_state, place->inside };
  return checksum (1, 2, BYTES ((const uint8_t *) words, sizeof words));
}

/* Whether such a disk was judged before, under a promise at least as hard. */
static bool
was_seen (struct run *run, struct disk *disk, uint64_t least)
{
  uint64_t sum = disk_sum (disk) + least * UINT64_C (0x9e3779b97f4a7c15);
  sum += sum == 0;
  if (run->seen_count * 2 >= run->seen_room)
    {
      size_t room = run->seen_room * 2 + 1024;
      uint64_t *before = run->seen;
      run->seen = calloc (room, sizeof *run->seen);
      if (run->seen == NULL)
        abort ();
      for (size_t i = 0; i < run->seen_room; i++)
        if (before[i] != 0)
          {
            size_t at = before[i] % room;
            while (run->seen[at] != 0)
              at = (at + 1) % room;
            run->seen[at] = before[i];
          }
      free (before);
      run->seen_room = room;
    }
  size_t at = sum % run->seen_room;
  while (run->seen[at] != 0 && run->seen[at] != sum)
    at = (at + 1) % run->seen_room;
  if (run->seen[at] == sum)
    return true;
  run->seen[at] = sum;
  run->seen_count++;
  return false;
}

static void judge_inside (struct run *run, const struct judge *outer, struct disk_journal *journal);

static bool
visit_state (void *data, const struct disk_choice *choices, bool kill)
{
  struct run *run = data;
  run->place.state = run->state++;
  uint64_t hash = place_hash (&run->place);
  if (run->only != NULL ? run->place.state != run->only->state : hash >= run->accept)
    return true;
  struct judge judge = {
    .workload = &run->workload,
    .seed = hash,
    .one_in = hash % 3 == 0 ? 5 : 0,
    .promise = workload_promise (&run->workload, run->walk.point, kill),
    .thorough = true,
  };
  struct disk *disk = crash_build (&run->walk, choices);
  if (run->only == NULL && was_seen (run, disk, judge.promise.least))
    {
      run->totals->same++;
      disk_free (disk);
      return true;
    }
  struct disk_journal journal = { 0 };
  if (run->only != NULL ? run->only->inside : hash % 4 == 1)
    judge.journal = &journal;
  run->totals->states++;
  if (run->only != NULL)
    {
      crash_print (&run->walk, choices);
      disk_print (disk);
    }
  if (!judge_disk (&judge, disk))
    {
      report (run, &judge, &run->walk, choices);
      give_up (run);
      disk_journal_clear (&journal);
      return true;
    }
  run->totals->recoveries += judge.recoveries;
  if (judge.journal != NULL)
    judge_inside (run, &judge, &journal);
  return true;
}

/* ---- crashes inside the recovery ---- */

struct inner
{
  struct run *run;
  const struct judge *outer;
  struct crash_walk walk;
  uint64_t state, accept;
};

/* What was done to a disk was done in an order that is safe at every moment. */
static void
judge_protocol (struct run *run, const struct disk *base, const struct disk_journal *journal,
                const struct workload *workload, uint64_t counted)
{
  char reason[256], where[400];
  size_t point;
  run->totals->changes += journal->count;
  if (protocol_holds (base, journal, workload, counted, reason, &point))
    return;
  place_print (&run->place, where);
  fprintf (stderr, "broken protocol at change %zu%s: %s\nreplay: test-crash --%s %s\n", point,
           workload == NULL ? " of a recovery" : "", reason,
           workload == NULL ? "replay" : "program", where);
  give_up (run);
}

static bool
visit_inner (void *data, const struct disk_choice *choices, bool kill)
{
  struct inner *inner = data;
  struct run *run = inner->run;
  run->place.inner_state = inner->state++;
  uint64_t hash = place_hash (&run->place);
  if (run->only != NULL ? run->place.inner_state != run->only->inner_state : hash >= inner->accept)
    return true;
  struct judge judge = {
    .workload = &run->workload,
    .seed = hash,
    .promise = inner->outer->promise,
  };
  judge.promise.least = judge.promise.most = inner->outer->commit;
  run->totals->inner++;
  run->totals->states++;
  if (!judge_disk (&judge, crash_build (&inner->walk, choices)))
    {
      fprintf (stderr, "crashed again, inside the recovery\n");
      report (run, &judge, &inner->walk, choices);
      give_up (run);
      return true;
    }
  run->totals->recoveries += judge.recoveries;
  return true;
}

static bool
count_inner (void *data, const struct disk_choice *choices, bool kill)
{
  ((struct inner *) data)->state++;
  return true;
}

/* A crash inside the recovery changes nothing: the next one finds the same commit. */
static void
judge_inside (struct run *run, const struct judge *outer, struct disk_journal *journal)
{
  struct inner inner = { .run = run, .outer = outer };
  enum crash_profile profile = run->only != NULL ? run->only->inner_profile : run->place.profile;
  judge_protocol (run, outer->base, journal, NULL, outer->commit);
  run->place.inside = true;
  run->place.inner_profile = profile;
  for (int turn = run->only != NULL; turn < 2; turn++)
    {
      /* First they are counted, so that about four are taken of however many there are. */
      inner.accept = inner.state > 4 ? UINT64_MAX / inner.state * 4 : UINT64_MAX;
      inner.state = 0;
      crash_walk_init (&inner.walk, outer->base, journal, profile);
      while (crash_walk_next (&inner.walk) && inner.walk.point <= outer->recovered)
        {
          run->place.inner_point = inner.walk.point;
          if (turn == 1)
            inner.state = 0;
          if (run->only == NULL || run->only->inner_point == inner.walk.point)
            crash_states (&inner.walk, 4, run->place.seed, turn == 0 ? count_inner : visit_inner,
                          &inner);
        }
      crash_walk_clear (&inner.walk);
    }
  run->place.inside = false;
  run->place.inner_point = run->place.inner_state = 0;
  disk_free (outer->base);
  disk_journal_clear (journal);
}

/* ---- programs ---- */

static bool
count_state (void *data, const struct disk_choice *choices, bool kill)
{
  (*(uint64_t *) data)++;
  return true;
}

static uint64_t
count_states (struct run *run, enum crash_profile profile)
{
  uint64_t count = 0;
  struct crash_walk walk;
  crash_walk_init (&walk, run->workload.empty, &run->workload.journal, profile);
  while (crash_walk_next (&walk))
    crash_states (&walk, 10, run->place.seed, count_state, &count);
  crash_walk_clear (&walk);
  return count;
}

static void
walk_states (struct run *run, enum crash_profile profile)
{
  run->place.profile = profile;
  crash_walk_init (&run->walk, run->workload.empty, &run->workload.journal, profile);
  while (crash_walk_next (&run->walk))
    {
      run->place.point = run->walk.point;
      run->state = 0;
      if (run->only == NULL || run->only->point == run->walk.point)
        crash_states (&run->walk, 10, run->place.seed, visit_state, run);
      run->totals->points++;
    }
  crash_walk_clear (&run->walk);
}

/* Runs a program and judges about `quota` of the states its crashes leave. */
static void
run_program (struct place place, uint64_t quota, const struct place *only, struct totals *totals)
{
  struct run run = { .place = place, .totals = totals, .only = only };
  epoch_collect (true); /* what an earlier program left to be freed is not to be met in this one */
  workload_run (&run.workload, place.variant, place.seed, place.one_in, place.calls,
                place.call_count);
  totals->programs++;
  if (only == NULL)
    judge_protocol (&run, run.workload.empty, &run.workload.journal, &run.workload, UINT64_MAX);
  for (enum crash_profile profile = 0; profile < CRASH_PROFILES; profile++)
    {
      if (only != NULL && only->profile != profile)
        continue;
      uint64_t count = count_states (&run, profile);
      uint64_t share = profile == CRASH_MINIMAL ? quota - quota / 4 : quota / 4;
      run.accept = count > share ? UINT64_MAX / count * share : UINT64_MAX;
      totals->possible += count;
      walk_states (&run, profile);
    }
  workload_clear (&run.workload);
  free (run.seen);
}

/* The numbered programs: all sequences of one, two and three calls in each variant, then random
 * ones of up to twelve calls of every kind, with threads that change at random. */
static struct place
numbered_program (uint64_t number, uint64_t seed)
{
  struct place place = { .seed = seed * UINT64_C (1000003) + number };
  uint64_t left = number / WORKLOAD_VARIANTS;
  place.variant = number % WORKLOAD_VARIANTS;
  for (size_t length = 1, sequences = CALLS_EXHAUSTIVE; length <= 3;
       length++, sequences *= CALLS_EXHAUSTIVE)
    {
      if (left < sequences)
        {
          place.call_count = length;
          for (size_t i = 0; i < length; i++, left /= CALLS_EXHAUSTIVE)
            place.calls[i] = left % CALLS_EXHAUSTIVE;
          return place;
        }
      left -= sequences;
    }
  struct random random = { place.seed };
  place.call_count = 3 + random_below (&random, 10);
  place.one_in = (unsigned) random_below (&random, 3) * 4;
  for (size_t i = 0; i < place.call_count; i++)
    place.calls[i] = random_below (&random, CALLS);
  return place;
}

#define EXHAUSTIVE_PROGRAMS (WORKLOAD_VARIANTS * (12u + 144u + 1728u))

struct settings
{
  uint64_t states, seed, quota;
  unsigned jobs;
};

/* For a death without a state's name: a deadlock, a failed check, a crash of the engine. */
static void
report_program (uint64_t number, uint64_t seed)
{
  char where[400];
  struct place place = numbered_program (number, seed);
  place_print (&place, where);
  fprintf (stderr, "a program ended early; all of it: test-crash --program %s\n", where);
}

/* One of `jobs` processes. Each program has a process of its own, so that it runs as it will when
 * it is replayed. A quarter of the states goes to random programs; of the exhaustive ones,
 * when there are more than can be looked at, every so many is taken. */
static void
run_job (const struct settings *settings, unsigned job, struct totals *totals)
{
  uint64_t programs = settings->states / settings->quota + 1;
  uint64_t exhaustive = programs - programs / 4, stride = 1;
  if (exhaustive < EXHAUSTIVE_PROGRAMS)
    stride = (EXHAUSTIVE_PROGRAMS + exhaustive - 1) / exhaustive | 1;
  uint64_t mine = settings->states / settings->jobs;
  for (uint64_t i = job; totals->states < mine; i += settings->jobs)
    {
      uint64_t number = i % 4 == 3 ? EXHAUSTIVE_PROGRAMS + i : (i - i / 4) * stride;
      if (number >= EXHAUSTIVE_PROGRAMS && i % 4 != 3)
        number = EXHAUSTIVE_PROGRAMS + i;
      pid_t child = fork ();
      int how;
      if (child == 0)
        {
          run_program (numbered_program (number, settings->seed), settings->quota, NULL, totals);
          _exit (0);
        }
      if (child < 0 || waitpid (child, &how, 0) < 0)
        abort ();
      if (how != 0)
        {
          totals->broken++;
          report_program (number, settings->seed);
          if (!keeps_going)
            return;
        }
    }
}

static double
seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now); /* the real one: this process simulates nothing */
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int
run_jobs (const struct settings *settings)
{
  struct totals *totals = mmap (NULL, JOBS_MOST * sizeof *totals, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  double started = seconds ();
  int failed = 0;
  if (totals == MAP_FAILED)
    abort ();
  for (unsigned job = 0; job < settings->jobs; job++)
    {
      pid_t child = fork ();
      if (child < 0)
        abort ();
      if (child == 0)
        {
          run_job (settings, job, &totals[job]);
          _exit (totals[job].broken > 0);
        }
    }
  for (unsigned job = 0; job < settings->jobs; job++)
    {
      int how = 0;
      if (wait (&how) < 0 || how != 0)
        failed = 1;
      if (WIFSIGNALED (how))
        fprintf (stderr, "one of the jobs was ended by signal %d: the figures are of what it did\n",
                 WTERMSIG (how));
    }
  struct totals sum = { 0 };
  for (unsigned job = 0; job < settings->jobs; job++)
    for (size_t i = 0; i < sizeof sum / sizeof (uint64_t); i++)
      ((uint64_t *) &sum)[i] += ((uint64_t *) &totals[job])[i];
  printf ("%llu states (%llu inside a recovery), %llu the same and left out, of %llu possible; "
          "%llu programs, %llu points, %llu recoveries, %llu changes in order; %.0f s\n",
          (unsigned long long) sum.states, (unsigned long long) sum.inner,
          (unsigned long long) sum.same, (unsigned long long) sum.possible,
          (unsigned long long) sum.programs, (unsigned long long) sum.points,
          (unsigned long long) sum.recoveries, (unsigned long long) sum.changes,
          seconds () - started);
  return failed;
}

int
main (int argument_count, char **arguments)
{
  struct settings settings = { .states = 100000, .seed = 1, .quota = 100, .jobs = 2 };
  for (int i = 1; i < argument_count; i++)
    {
      const char *value = i + 1 < argument_count ? arguments[i + 1] : "";
      struct totals totals = { 0 };
      struct place place;
      if (strcmp (arguments[i], "--long") == 0)
        /* So few of each program that each sequence is run in each variant. */
        settings = (struct settings){ 2000000, settings.seed, 99, settings.jobs };
      else if (strcmp (arguments[i], "--states") == 0)
        settings.states = strtoull (arguments[++i], NULL, 10);
      else if (strcmp (arguments[i], "--quota") == 0)
        settings.quota = strtoull (arguments[++i], NULL, 10);
      else if (strcmp (arguments[i], "--seed") == 0)
        settings.seed = strtoull (arguments[++i], NULL, 10);
      else if (strcmp (arguments[i], "--jobs") == 0)
        settings.jobs = (unsigned) strtoul (arguments[++i], NULL, 10);
      else if (strcmp (arguments[i], "--keep-going") == 0)
        keeps_going = true;
      else if (strcmp (arguments[i], "--program") == 0 && place_parse (value, &place))
        {
          run_program (place, settings.quota, NULL, &totals);
          printf ("%llu states, as promised\n", (unsigned long long) totals.states);
          return totals.broken > 0;
        }
      else if (strcmp (arguments[i], "--replay") == 0 && place_parse (value, &place))
        {
          run_program (place, 1, &place, &totals);
          printf ("%llu states, as promised\n", (unsigned long long) totals.states);
          return totals.states > 0 ? 0 : 2;
        }
      else
        {
          fprintf (stderr,
                   "usage: %s [--long] [--states N] [--quota N] [--seed N] [--jobs N] "
                   "[--keep-going] [--replay WHERE] [--program WHERE]\n",
                   arguments[0]);
          return 2;
        }
    }
  return run_jobs (&settings);
}
