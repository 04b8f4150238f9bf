/* SPDX-License-Identifier: MIT */
/*
 * Deletes a database, closed or left by a killed process, and crashes at every moment of that: what
 * is left opens and is as it was, whole, or is refused as damaged or no database; it can be deleted
 * to the end, so that nothing is left, and another be made in its place.
 */
#include "crash-states.h"
#include "simulated-threads.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct deletion
{
  struct workload workload;
  struct crash_walk walk;
  uint64_t commit;  /* that the database stands at */
  uint64_t *states; /* judged so far; shared with who started us */
};

static const struct disk_choice whole = { .applied = true, .tear = DISK_WHOLE };

static void __attribute__ ((noreturn))
broken (const struct deletion *deletion, const struct disk_choice *choices, const char *what,
        status result, const char *message)
{
  fprintf (stderr, "variant %u: %s: %s (%s)\n", deletion->workload.variant, what,
           status_name (result), message);
  crash_print (&deletion->walk, choices);
  exit (1);
}

static status
open_there (const struct deletion *deletion, struct disk *disk, unsigned flags,
            struct engine **engine, struct failure *failure)
{
  struct engine_options options;
  workload_options (deletion->workload.variant, &disk->vfs, &options);
  *failure = FAILURE_INIT;
  return engine_open (WORKLOAD_PATH, flags, &options, engine, failure);
}

static void
close_there (struct engine *engine)
{
  engine_close (engine, NULL);
  engine_unref (engine);
}

static bool
visit (void *data, const struct disk_choice *choices, bool kill)
{
  struct deletion *deletion = data;
  struct disk *disk = crash_build (&deletion->walk, choices);
  struct engine *engine;
  struct failure failure;
  char reason[256];
  (void) kill;
  ++*deletion->states;
  simulated_threads_begin (*deletion->states, 0);
  status result = open_there (deletion, disk, ENGINE_OPEN_READ_ONLY, &engine, &failure);
  if (result == STATUS_OK)
    {
      if (!workload_matches (&deletion->workload, engine, deletion->commit, reason))
        broken (deletion, choices, reason, result, "it opens");
      close_there (engine);
    }
  else if (result != STATUS_NOT_FOUND && result != STATUS_CORRUPT)
    broken (deletion, choices, "opening what is left", result, failure.message);
  failure = FAILURE_INIT;
  result = engine_destroy (WORKLOAD_PATH, &disk->vfs, &failure);
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    broken (deletion, choices, "deleting what is left", result, failure.message);
  for (size_t i = 0; i < disk->name_count; i++)
    if (strcmp (disk->directories[disk->names[i].directory], WORKLOAD_PATH) == 0)
      broken (deletion, choices, "it stays", result, disk->names[i].name);
  result
      = open_there (deletion, disk, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &engine, &failure);
  if (result != STATUS_OK)
    broken (deletion, choices, "making another", result, failure.message);
  close_there (engine);
  disk_free (disk);
  return true;
}

/* The disk when the last call but the closing had returned, and the process died. */
static struct disk *
killed_disk (const struct workload *workload)
{
  struct disk *disk = disk_clone (workload->empty);
  for (size_t i = 0; i < workload->calls[workload->call_count - 1].first; i++)
    if (workload->journal.changes[i].kind < DISK_SYNC_FILE)
      disk_apply (disk, &workload->journal.changes[i], whole);
  return disk;
}

static void
run_deletion (unsigned variant, bool killed, uint64_t *states)
{
  static const enum call_kind calls[]
      = { CALL_BATCH, CALL_LARGE, CALL_FLUSH, CALL_PUT_FULL, CALL_MANY, CALL_TRANSACTION };
  struct deletion deletion = { .states = states };
  struct disk_journal journal = { 0 };
  struct failure failure = FAILURE_INIT;
  workload_run (&deletion.workload, variant, 7, 0, calls, sizeof calls / sizeof *calls);
  deletion.commit = deletion.workload.calls[deletion.workload.call_count - 1].sequence;
  struct disk *disk
      = killed ? killed_disk (&deletion.workload) : disk_clone (deletion.workload.disk);
  struct disk *base = disk_clone (disk);
  disk->journal = &journal;
  if (engine_destroy (WORKLOAD_PATH, &disk->vfs, &failure) != STATUS_OK)
    broken (&deletion, NULL, "deleting", failure.code, failure.message);
  disk->journal = NULL;
  for (enum crash_profile profile = 0; profile < CRASH_PROFILES; profile++)
    {
      crash_walk_init (&deletion.walk, base, &journal, profile);
      while (crash_walk_next (&deletion.walk))
        crash_states (&deletion.walk, 6, variant, visit, &deletion);
      crash_walk_clear (&deletion.walk);
    }
}

int
main (void)
{
  uint64_t *states
      = mmap (NULL, sizeof *states, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int how = 0;
  if (states == MAP_FAILED)
    abort ();
  for (unsigned i = 0; how == 0 && i < 2 * WORKLOAD_VARIANTS; i++)
    {
      pid_t child = fork ();
      if (child == 0)
        {
          run_deletion (i / 2, i % 2 != 0, states);
          exit (0);
        }
      if (child < 0 || waitpid (child, &how, 0) != child)
        abort ();
    }
  printf ("%llu states of deletions\n", (unsigned long long) *states);
  return how != 0;
}
