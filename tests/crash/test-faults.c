/* SPDX-License-Identifier: MIT */
/*
 * A disk operation or an allocation fails, each in turn, once or from then on, while a program of
 * calls runs on a simulated disk. Nothing may be lost that was acknowledged, nothing may be there
 * that was refused, no read may be wrong, nothing may leak, and once the fault is gone the database
 * opens, is whole, and takes writes.
 *
 *   test-faults                    the short form
 *   test-faults --long             every operation and allocation of many more programs
 *   test-faults --programs N STRIDE SEED   N programs, about every STRIDE-th operation
 *   test-faults --replay WHERE     the case that a failure named
 */
#include "crash-states.h"
#include "simulated-memory.h"
#include "simulated-threads.h"
#include "workload.h"

#include "base/epoch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MOST 16

enum fault_kind
{
  FAULT_IO_ONCE,
  FAULT_IO_FOR_EVER,
  FAULT_SPACE_ONCE,
  FAULT_SPACE_FOR_EVER,
  FAULT_MEMORY_ONCE,
  FAULT_MEMORY_FOR_EVER,
  FAULT_KINDS,
};

struct place
{
  unsigned variant;
  uint64_t seed;
  enum call_kind calls[CALLS_MOST];
  size_t call_count;
  enum fault_kind kind;
  uint64_t at; /* the operation or allocation, from 0; UINT64_MAX = none fails */
};

struct ordeal
{
  struct place place;
  struct workload workload;
  uint64_t operations; /* of the disk, while faults are on */
  uint64_t failed;     /* of them */
  bool on;             /* faults */
  bool unknown;        /* a call's outcome was reported as unknown: nothing is written any more */
  struct table maybe;  /* what is there if it succeeded */
  uint64_t sequence;   /* newest commit seen */
  uint64_t durable;    /* newest that was promised to survive a power cut */
  const char *doing;
};

static struct failure failure;
static bool tells; /* each call and its outcome */

/* ---- failing ---- */

static void
report_place (const struct place *place)
{
  char calls[CALLS_MOST + 1] = "";
  for (size_t i = 0; i < place->call_count; i++)
    calls[i] = (char) ('a' + place->calls[i]);
  fprintf (stderr, "replay: test-faults --replay %u:%llu:%s:%u:%llu\n", place->variant,
           (unsigned long long) place->seed, calls, place->kind, (unsigned long long) place->at);
}

static void __attribute__ ((noreturn)) broken (const struct ordeal *ordeal, const char *reason)
{
  memory_fault.armed = false;
  fprintf (stderr, "%s: %s\n", ordeal->doing, reason);
  abort ();
}

static void __attribute__ ((noreturn))
broken_status (const struct ordeal *ordeal, const char *what, status code, const char *message)
{
  char reason[700];
  snprintf (reason, sizeof reason, "%s: %s (%s)", what, status_name (code), message);
  broken (ordeal, reason);
}

static bool
takes_room (const char *operation)
{
  return strcmp (operation, "write") == 0 || strcmp (operation, "create") == 0
         || strcmp (operation, "allocate") == 0 || strcmp (operation, "rename") == 0
         || strcmp (operation, "link") == 0;
}

static int
decide (void *data, const char *operation, const char *name, uint64_t size, uint64_t *written)
{
  struct ordeal *ordeal = data;
  bool space = ordeal->place.kind == FAULT_SPACE_ONCE || ordeal->place.kind == FAULT_SPACE_FOR_EVER;
  if (!ordeal->on || ordeal->place.kind >= FAULT_MEMORY_ONCE || (space && !takes_room (operation)))
    return 0;
  uint64_t number = ordeal->operations++;
  bool for_ever
      = ordeal->place.kind == FAULT_IO_FOR_EVER || ordeal->place.kind == FAULT_SPACE_FOR_EVER;
  if (for_ever ? number < ordeal->place.at : number != ordeal->place.at)
    return 0;
  ordeal->failed++;
  if (written != NULL && ordeal->place.at % 2 == 1)
    *written = size * (ordeal->place.at % 7) / 7;
  return space ? ENOSPC : EIO;
}

static void
faults_on (struct ordeal *ordeal, bool on)
{
  ordeal->on = on;
  memory_fault.armed = on && ordeal->place.kind >= FAULT_MEMORY_ONCE;
}

static uint64_t
failed_so_far (const struct ordeal *ordeal)
{
  return ordeal->failed + memory_fault.failed;
}

/* ---- reading under faults ---- */

static bool
is_excused (const struct ordeal *ordeal, status code)
{
  return failed_so_far (ordeal) > 0
         && (code == STATUS_IO || code == STATUS_NO_MEMORY || code == STATUS_NO_SPACE);
}

/* Whether a comparison ended in an error, which is an answer while there are faults; wrong bytes or
 * a wrong absence never are. */
static bool
is_error (const struct ordeal *ordeal, const char *reason)
{
  return failed_so_far (ordeal) > 0
         && (strstr (reason, ": io (") != NULL || strstr (reason, ": no-memory (") != NULL);
}

static void
read_everything (struct ordeal *ordeal)
{
  struct engine *engine = ordeal->workload.engine;
  char reason[256], other[256];
  if (table_matches (&ordeal->workload.now, engine, reason) || is_error (ordeal, reason))
    return;
  if (ordeal->unknown
      && (table_matches (&ordeal->maybe, engine, other) || is_error (ordeal, other)))
    return;
  broken (ordeal, reason);
}

/* ---- opening and closing ---- */

static void
open_engine (struct ordeal *ordeal)
{
  struct workload *workload = &ordeal->workload;
  struct engine_options options;
  workload_options (workload->variant, &workload->disk->vfs, &options);
  failure = FAILURE_INIT;
  status result
      = engine_open (WORKLOAD_PATH, ENGINE_OPEN_CREATE, &options, &workload->engine, &failure);
  if (result == STATUS_OK)
    return;
  if (!is_excused (ordeal, result) && result != STATUS_UNKNOWN_OUTCOME)
    broken_status (ordeal, "opening", result, failure.message);
  faults_on (ordeal, false);
  epoch_collect (true);
  if (workload->disk->open > 0)
    broken (ordeal, "an open that failed left files open");
  failure = FAILURE_INIT;
  result = engine_open (WORKLOAD_PATH, ENGINE_OPEN_CREATE, &options, &workload->engine, &failure);
  if (result != STATUS_OK)
    broken_status (ordeal, "opening once the fault is gone", result, failure.message);
}

static void
check_found (struct ordeal *ordeal, struct engine *engine, uint64_t least)
{
  const struct workload *workload = &ordeal->workload;
  uint64_t commit = engine_sequence (engine);
  char reason[256];
  while (
      commit < least
      && memcmp (&workload->tables[least], &workload->tables[least - 1], sizeof *workload->tables)
             == 0)
    least--; /* an empty commit, of a bulk load that failed: nobody was told of it */
  if (commit < least)
    {
      snprintf (reason, sizeof reason, "lost: found commit %llu, %llu was promised",
                (unsigned long long) commit, (unsigned long long) least);
      broken (ordeal, reason);
    }
  if (commit < workload->table_count
          ? table_matches (&workload->tables[commit], engine, reason)
          : table_matches (&workload->now, engine, reason)
                || (ordeal->unknown && table_matches (&ordeal->maybe, engine, reason)))
    return;
  if (ordeal->unknown && commit >= ordeal->sequence
      && table_matches (&ordeal->maybe, engine, reason))
    return;
  broken (ordeal, reason);
}

static void
close_and_open (struct ordeal *ordeal)
{
  struct workload *workload = &ordeal->workload;
  failure = FAILURE_INIT;
  status result = engine_close (workload->engine, &failure);
  if (result != STATUS_OK && failed_so_far (ordeal) == 0)
    broken_status (ordeal, "closing", result, failure.message);
  engine_unref (workload->engine);
  workload->engine = NULL;
  open_engine (ordeal);
  bool were_on = ordeal->on;
  faults_on (ordeal, false);
  check_found (ordeal, workload->engine, ordeal->sequence);
  if (ordeal->unknown && table_matches (&ordeal->maybe, workload->engine, (char[256]){ 0 }))
    workload->now = ordeal->maybe;
  ordeal->unknown = false;
  ordeal->sequence = ordeal->durable = engine_sequence (workload->engine);
  workload_remember (workload, ordeal->sequence);
  workload->second = 0;
  if (workload->now.second
      && engine_store_open (workload->engine, "second", false, &workload->second, &failure)
             != STATUS_OK)
    broken (ordeal, "the second store is gone");
  faults_on (ordeal, were_on);
}

/* ---- the program ---- */

static void
note_outcome (struct ordeal *ordeal, enum call_kind kind, status result, const struct table *next,
              const char *message)
{
  struct workload *workload = &ordeal->workload;
  if (tells)
    fprintf (stderr, "%s: %s (%s); commit %llu; %llu failed\n", call_name (kind),
             status_name (result), message, (unsigned long long) engine_sequence (workload->engine),
             (unsigned long long) failed_so_far (ordeal));
  if (result == STATUS_OK)
    workload->now = *next;
  else if (failed_so_far (ordeal) == 0)
    broken_status (ordeal, call_name (kind), result, message);
  else if (result == STATUS_UNKNOWN_OUTCOME
           && (!ordeal->unknown
               || memcmp (&ordeal->maybe, &workload->now, sizeof workload->now) == 0))
    {
      ordeal->unknown = true;
      ordeal->maybe = *next;
    }
  if (message[0] == '\0' && result != STATUS_OK && result != STATUS_NOT_FOUND)
    broken (ordeal, "an error without a message");
  uint64_t sequence = engine_sequence (workload->engine);
  if (sequence > ordeal->sequence)
    ordeal->sequence = sequence;
  workload_remember (workload, ordeal->sequence);
  if (result == STATUS_OK && call_is_durable (kind))
    ordeal->durable = ordeal->sequence;
}

static void
run_call (struct ordeal *ordeal, enum call_kind kind)
{
  struct workload *workload = &ordeal->workload;
  ordeal->doing = call_name (kind);
  if (kind == CALL_REOPEN)
    {
      close_and_open (ordeal);
      return;
    }
  for (unsigned turns = kind == CALL_MANY ? 6 : 1; turns > 0; turns--)
    {
      struct table next = workload->now;
      const char *message;
      status result
          = workload_call (workload, kind == CALL_MANY ? CALL_LARGE : kind, &next, &message);
      bool were_on = ordeal->on;
      faults_on (ordeal, false);
      note_outcome (ordeal, kind, result, &next, message);
      faults_on (ordeal, were_on);
    }
  read_everything (ordeal);
}

static void
judge (struct ordeal *ordeal, struct disk *disk, uint64_t least, const char *when)
{
  struct engine_options options;
  struct engine *engine;
  ordeal->doing = when;
  workload_options (ordeal->workload.variant, &disk->vfs, &options);
  failure = FAILURE_INIT;
  status result = engine_open (WORKLOAD_PATH, ENGINE_OPEN_CREATE, &options, &engine, &failure);
  if (result != STATUS_OK)
    broken_status (ordeal, "opening", result, failure.message);
  check_found (ordeal, engine, least);
  struct engine_check_report report;
  result = engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure);
  if (result != STATUS_OK)
    broken_status (ordeal, "deep check", result, failure.message);
  result = engine_put (engine, ENGINE_STORE_DEFAULT, workload_mark_key (), BYTES ("1", 1),
                       ENGINE_SYNC_FULL, NULL, &failure);
  if (result != STATUS_OK)
    broken_status (ordeal, "writing", result, failure.message);
  result = engine_close (engine, &failure);
  if (result != STATUS_OK)
    broken_status (ordeal, "closing", result, failure.message);
  engine_unref (engine);
  disk_free (disk);
}

static struct disk *
durable_disk (const struct workload *workload)
{
  struct crash_walk walk;
  crash_walk_init (&walk, workload->empty, &workload->journal, CRASH_MINIMAL);
  while (crash_walk_next (&walk))
    ;
  struct disk *disk = disk_clone (walk.floor);
  crash_walk_clear (&walk);
  return disk;
}

/* Runs the program; tells how many operations and allocations there were to fail. */
static uint64_t
run_ordeal (const struct place *place)
{
  struct ordeal ordeal = { .place = *place, .doing = "opening" };
  struct workload *workload = &ordeal.workload;
  simulated_threads_begin (place->seed, 0);
  workload_prepare (workload, place->variant, place->seed);
  workload->disk->fault.decide = decide;
  workload->disk->fault.data = &ordeal;
  memory_fault
      = (struct memory_fault){ .at = place->at, .for_ever = place->kind == FAULT_MEMORY_FOR_EVER };
  faults_on (&ordeal, true);
  open_engine (&ordeal);
  workload_remember (workload, 0);
  run_call (&ordeal, CALL_DROP);
  for (size_t i = 0; i < place->call_count; i++)
    run_call (&ordeal, place->calls[i]);

  faults_on (&ordeal, false);
  disk_look (workload->disk);
  uint64_t count = place->kind >= FAULT_MEMORY_ONCE ? memory_fault.count : ordeal.operations;
  judge (&ordeal, disk_clone (workload->disk), ordeal.sequence, "after the process's death");
  judge (&ordeal, durable_disk (workload), ordeal.durable, "after a power cut");
  ordeal.doing = "closing and opening again";
  close_and_open (&ordeal);
  engine_close (workload->engine, &failure);
  engine_unref (workload->engine);
  epoch_collect (true);
  if (workload->disk->open > 0)
    broken (&ordeal, "files were left open");
  workload_clear (workload);
  return count;
}

/* ---- which ---- */

static struct place
numbered_program (uint64_t number, uint64_t seed)
{
  static const char *const first[]
      = { "abcdefg", "gjabk", "mgin", "nianh", "qqij", "ooghj", "pkbl" };
  struct place place = { .variant = number % WORKLOAD_VARIANTS, .seed = seed * 7919 + number };
  struct random random = { place.seed };
  uint64_t written = number / WORKLOAD_VARIANTS;
  place.call_count = 3 + random_below (&random, 6);
  for (size_t i = 0; i < place.call_count; i++)
    place.calls[i] = random_below (&random, CALLS);
  if (written < sizeof first / sizeof *first)
    {
      place.call_count = strlen (first[written]);
      for (size_t i = 0; i < place.call_count; i++)
        place.calls[i] = (enum call_kind) (first[written][i] - 'a');
    }
  return place;
}

/* In a process of its own, so that a failure ends one case only. */
static bool
run_apart (const struct place *place)
{
  int how;
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (60);
      run_ordeal (place);
      _exit (0);
    }
  return child > 0 && waitpid (child, &how, 0) == child && how == 0;
}

static uint64_t
count_faults (struct place place)
{
  int ends[2];
  uint64_t count = 0;
  place.at = UINT64_MAX;
  if (pipe (ends) != 0)
    abort ();
  pid_t child = fork ();
  if (child == 0)
    {
      count = run_ordeal (&place);
      if (write (ends[1], &count, sizeof count) != sizeof count)
        abort ();
      _exit (0);
    }
  close (ends[1]);
  if (read (ends[0], &count, sizeof count) != sizeof count)
    count = 0;
  close (ends[0]);
  waitpid (child, NULL, 0);
  return count;
}

static int
run_all (uint64_t programs, uint64_t stride, uint64_t seed)
{
  uint64_t cases = 0, bad = 0;
  struct random random = { seed };
  for (uint64_t number = 0; number < programs; number++)
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
      {
        struct place place = numbered_program (number, seed);
        place.kind = kind;
        uint64_t count = count_faults (place);
        if (count == 0)
          {
            bad++;
            fprintf (stderr, "program %llu fails without a fault\n", (unsigned long long) number);
          }
        for (place.at = random_below (&random, stride); place.at < count;
             place.at += 1 + random_below (&random, 2 * stride - 1))
          {
            cases++;
            if (run_apart (&place))
              continue;
            bad++;
            report_place (&place);
          }
      }
  printf ("%llu faults, %llu broken promises\n", (unsigned long long) cases,
          (unsigned long long) bad);
  return bad > 0;
}

static bool
place_parse (const char *from, struct place *place)
{
  char calls[CALLS_MOST + 1] = "";
  unsigned long long seed, at;
  unsigned kind;
  *place = (struct place){ 0 };
  if (sscanf (from, "%u:%llu:%16[a-z]:%u:%llu", &place->variant, &seed, calls, &kind, &at) != 5)
    return false;
  place->seed = seed;
  place->kind = kind;
  place->at = at;
  for (; calls[place->call_count] != '\0'; place->call_count++)
    place->calls[place->call_count] = (enum call_kind) (calls[place->call_count] - 'a');
  return true;
}

int
main (int argument_count, char **arguments)
{
  struct place place;
  const char *first = argument_count > 1 ? arguments[1] : "";
  if (strcmp (first, "--replay") == 0 && argument_count > 2 && place_parse (arguments[2], &place))
    {
      tells = true;
      run_ordeal (&place);
      printf ("as promised\n");
      return 0;
    }
  if (strcmp (first, "--programs") == 0 && argument_count > 4)
    return run_all (strtoull (arguments[2], NULL, 10), strtoull (arguments[3], NULL, 10),
                    strtoull (arguments[4], NULL, 10));
  if (strcmp (first, "--long") == 0)
    return run_all (200, 1, argument_count > 2 ? strtoull (arguments[2], NULL, 10) : 1);
  return run_all (28, 12, 1);
}
