/* SPDX-License-Identifier: MIT */
/*
 * Every place in the engine's source that calls the operating system (failing-calls.h) fails, in
 * each way that the call can, once or from then on, while a program creates, writes, follows,
 * closes; recovers, loads, merges; backs up, waits for a turn, repairs, restores, deletes, on files
 * of a real file system.
 *
 * Every answer is checked: what was refused is not there, what was acknowledged is, an outcome is
 * open only where it was called unknown; what was called durable had its log synced; an error says
 * what the system said, and of which file; no answer blames the files or the caller; interruptions
 * and parts of reads and writes go unnoticed; what failed to sync is not synced again. Once the
 * fault is gone the database opens, passes a deep check, takes writes and opens again; what a
 * backup, a repair and a deletion said they had done is done. No descriptor, mapping or memory is
 * left.
 *
 *   test-system-calls           each site, in a few ways
 *   test-system-calls --long    each site, in each way, at its first calls and some later ones
 *   test-system-calls --sites   the sites, and how often each program passes them
 *   test-system-calls --case PROGRAM SITE KIND once|lasting AT    as a failure printed it
 *
 * A site that never fails makes the test fail. The engine's own threads make some of the calls, so
 * the same number may be another call the next time; the first one of each site is always there.
 */
#include "system-call-program.h"

#include "base/random.h"

#include <string.h>
#include <sys/wait.h>

#define IN_MEMORY "/dev/shm"
#define LONG_FILLERS 2600u /* records of FILLER_SIZE bytes in a log that is long enough for two threads */
#define FILLER_SIZE 1900u

/* ---- one case ---- */

static unsigned
descriptors (void)
{
  unsigned count = 0;
  DIR *list = opendir ("/proc/self/fd");
  CHECK (list != NULL);
  while (readdir (list) != NULL)
    count++;
  closedir (list);
  return count;
}

struct fault_case
{
  unsigned program;             /* in programs */
  const struct call_site *site; /* NULL: nothing fails */
  enum call_fault kind;
  bool lasting;
  uint64_t at;
};

static char *killed; /* a directory with the databases that killed processes left */

static void
copy_killed (const char *name, const char *to)
{
  char command[1300];
  snprintf (command, sizeof command, "cp -r -- '%s/%s' '%s'", killed, name, to);
  CHECK (system (command) == 0);
}

static void
run_program (const struct fault_case *chosen, bool strict)
{
  struct program program = { .path = fresh_directory () };
  snprintf (program.database, sizeof program.database, "%s/database", program.path);
  snprintf (program.backup, sizeof program.backup, "%s/backup", program.path);
  snprintf (program.restored, sizeof program.restored, "%s/restored", program.path);
  snprintf (program.repaired, sizeof program.repaired, "%s/repaired", program.path);
  if (programs[chosen->program].killed != NULL)
    {
      copy_killed (programs[chosen->program].killed, program.database);
      for (; program.next < KILLED_KEYS; program.next++)
        program.keys[program.next] = PRESENT;
    }
  unsigned descriptors_before = descriptors ();
  int64_t mapped_before = call_mapped;
  int64_t blocks_before = call_blocks;

  call_plan.site = chosen->site;
  call_plan.kind = chosen->kind;
  call_plan.lasting = chosen->lasting;
  call_plan.at = chosen->at;
  call_plan.begun = false;
  call_plan.failed = call_plan.synced_again = 0;
  call_plan.name_count = 0;
  call_plan.armed = true;
  programs[chosen->program].run (&program);
  uint64_t failed = call_plan.failed;
  program_judge (&program);

  program.doing = "at the end";
  if (descriptors () != descriptors_before)
    program_broken (&program, "a descriptor is left open");
  if (call_mapped != mapped_before)
    program_broken (&program, "a mapping is left");
  if (strict && call_blocks != blocks_before)
    program_broken (&program, "memory is left");
  call_plan.failed = failed;
  remove_directory (program.path);
}

/* ---- many ---- */

static const char *const kind_names[CALL_FAULTS]
    = { "EIO",    "ENOSPC", "EINTR",  "EAGAIN", "EMFILE",
        "ENOMEM", "EACCES", "EINVAL", "EFAULT", "short" };

/* What the processes that run the cases tell the one that chooses them; shared memory. */
static struct call_tally *tally;

static const struct call_site *const *sites; /* in order */
static size_t site_count;
static uint64_t calls_of[PROGRAMS][CALL_SITES_MOST]; /* without a fault */
static bool passed[CALL_SITES_MOST];                 /* in any case */
static bool has_failed[CALL_SITES_MOST];             /* in any case */
static uint64_t cases, without_fault, broken_promises;

static void
print_case (const struct fault_case *chosen)
{
  fprintf (stderr, "%s:%u: %s in %s\n", chosen->site->file, chosen->site->line, chosen->site->call,
           chosen->site->function);
  fprintf (stderr, "replay: test-system-calls --case %s %u %s %s %llu\n",
           programs[chosen->program].name, chosen->site->index, kind_names[chosen->kind],
           chosen->lasting ? "lasting" : "once", (unsigned long long) chosen->at);
}

/* In a process of its own, so that the next case is run whatever becomes of this one. */
static bool
run_apart (const struct fault_case *chosen)
{
  int how = 0;
  memset (tally, 0, sizeof *tally);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (120);
      run_program (chosen, true);
      _exit (0);
    }
  bool fine = child > 0 && waitpid (child, &how, 0) == child && how == 0;
  uint64_t failures = 0;
  for (size_t i = 0; i < site_count; i++)
    {
      failures += tally->failures[i];
      passed[i] |= tally->calls[i] > 0;
      has_failed[i] |= tally->failures[i] > 0;
    }
  cases++;
  without_fault += failures == 0;
  broken_promises += !fine;
  if (!fine && chosen->site != NULL)
    print_case (chosen);
  return fine;
}

/* Records that nobody asks for, each a commit. */
static void
write_fillers (struct program *program, uint32_t count)
{
  static uint8_t value[FILLER_SIZE];
  for (uint32_t i = 0; i < count; i++)
    {
      uint8_t key[] = { 255, 255, 255, 255, (uint8_t) (i >> 8), (uint8_t) i };
      CHECK_OK (engine_put (program->engine, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                            BYTES (value, sizeof value), ENGINE_SYNC_NONE, NULL, &failure));
    }
}

static void
leave_killed (const char *name, bool long_log)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct program program = { .path = killed, .doing = "before", .long_log = long_log };
      program.budget = long_log ? LARGE_BUDGET : 0;
      snprintf (program.database, sizeof program.database, "%s/%s", killed, name);
      CHECK_OK (program_open_database (&program));
      program_write_some (&program, KILLED_KEYS / 2);
      if (long_log)
        write_fillers (&program, LONG_FILLERS);
      else
        CHECK_OK (engine_flush (program.engine, &failure));
      program_write_some (&program, KILLED_KEYS / 2);
      CHECK_OK (engine_sync (program.engine, &failure));
      _exit (0);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && how == 0);
}

/* What is made once in a process's life is there afterwards. */
static void
count_calls (void)
{
  for (unsigned i = 0; i < PROGRAMS; i++)
    {
      struct fault_case nothing = { .program = i };
      run_program (&nothing, false);
      CHECK (run_apart (&nothing));
      for (size_t site = 0; site < site_count; site++)
        calls_of[i][site] = tally->calls[site];
    }
  cases = without_fault = 0;
}

static void
print_sites (void)
{
  for (size_t i = 0; i < site_count; i++)
    {
      printf ("%zu %s:%u %s in %s:", i, sites[i]->file, sites[i]->line, sites[i]->call,
              sites[i]->function);
      for (unsigned program = 0; program < PROGRAMS; program++)
        printf (" %llu", (unsigned long long) calls_of[program][i]);
      printf ("\n");
    }
}

/* ---- all ---- */

/* Sites that no single fault makes fail: so many of a call in a function, at most. */
static const struct
{
  const char *function, *call;
  unsigned count;
  const char *reason;
} out_of_reach[] = {
  { "open_directory", "open", 1,
    "a directory that can't be opened, and again once its mode is set" },
  { "leave_direct", "fcntl", 1, "only where the file system takes O_DIRECT; see test-vfs" },
  { "buffer_map_aligned", "munmap", 1,
    "passed unless the system's address happens to be aligned" },
  { "frames_grow", "munmap", 1, "behind a failed allocation; see test-faults" },
  { "shared_page_open", "close", 1, "behind a failed allocation; see test-faults" },
};

static bool
is_out_of_reach (size_t site)
{
  /* Under AddressSanitizer no buffer is mapped. */
  if (!buffer_is_mapped (BUFFER_MAPPED_SIZE) && strcmp (sites[site]->file, "base/buffer.c") == 0)
    return true;
  for (size_t i = 0; i < sizeof out_of_reach / sizeof *out_of_reach; i++)
    {
      unsigned unfailed = 0;
      if (strcmp (out_of_reach[i].function, sites[site]->function) != 0
          || strcmp (out_of_reach[i].call, sites[site]->call) != 0)
        continue;
      for (size_t other = 0; other < site_count; other++)
        unfailed += !has_failed[other] && sites[other]->function == sites[site]->function
                    && strcmp (sites[other]->call, sites[site]->call) == 0;
      return unfailed <= out_of_reach[i].count;
    }
  return false;
}

/* What has to be the case once all have been run. */
static unsigned
check_sites (void)
{
  unsigned missing = 0, excused = 0;
  for (size_t i = 0; i < site_count; i++)
    if (!has_failed[i] && is_out_of_reach (i))
      excused++;
    else if (!has_failed[i])
      {
        fprintf (stderr, "%s:%u: %s in %s never failed%s\n", sites[i]->file, sites[i]->line,
                 sites[i]->call, sites[i]->function, passed[i] ? "" : " and was never passed");
        missing++;
      }
  printf ("%zu sites, %u of them out of reach; %llu faults, %llu broken promises\n", site_count,
          excused, (unsigned long long) (cases - without_fault),
          (unsigned long long) broken_promises);
  return missing;
}

static bool
is_passed_by (size_t site, unsigned program, bool rare)
{
  return programs[program].rare == rare && calls_of[program][site] > 0;
}

/* Of those that pass a site another one for each kind of fault. */
static unsigned
program_of (size_t site, enum call_fault kind)
{
  for (unsigned i = 0; i < 2 * PROGRAMS; i++)
    if (is_passed_by (site, (unsigned) (site + kind + i) % PROGRAMS, i >= PROGRAMS))
      return (unsigned) (site + kind + i) % PROGRAMS;
  return PROGRAMS;
}

#define FIRST_CALLS 3u /* of a site, which all fail in the long form */
#define LATER_CALLS 6u /* about so many more */

static void
run_site (size_t site, enum call_fault kind, unsigned program, bool in_full)
{
  struct random random = { site * CALL_FAULTS + kind };
  uint64_t count = calls_of[program][site];
  for (unsigned lasting = 0; lasting < 2; lasting++)
    for (uint64_t at = 0; at < count;
         at += at < FIRST_CALLS ? 1 : 1 + random_below (&random, 2 + count / LATER_CALLS))
      {
        struct fault_case chosen = { program, sites[site], kind, lasting, at };
        if (in_full
            || (at == 0
                && (lasting ? (kind == CALL_IO && !programs[program].rare) || program == 0
                            : program == program_of (site, kind))))
          run_apart (&chosen);
      }
}

static unsigned
run_all (bool in_full)
{
  for (size_t site = 0; site < site_count; site++)
    for (enum call_fault kind = 0; kind < CALL_FAULTS; kind++)
      for (unsigned program = 0; program < PROGRAMS; program++)
        if ((sites[site]->kinds & (1u << kind)) != 0)
          run_site (site, kind, program, in_full);
  return check_sites ();
}

static int
run_one (char **arguments)
{
  struct fault_case chosen = { .program = PROGRAMS, .kind = CALL_FAULTS };
  for (unsigned i = 0; i < PROGRAMS; i++)
    if (strcmp (arguments[0], programs[i].name) == 0)
      chosen.program = i;
  for (unsigned i = 0; i < CALL_FAULTS; i++)
    if (strcmp (arguments[2], kind_names[i]) == 0)
      chosen.kind = (enum call_fault) i;
  size_t site = strtoul (arguments[1], NULL, 10);
  CHECK (chosen.program < PROGRAMS && chosen.kind < CALL_FAULTS && site < site_count);
  chosen.site = sites[site];
  chosen.lasting = strcmp (arguments[3], "lasting") == 0;
  chosen.at = strtoull (arguments[4], NULL, 10);
  return run_apart (&chosen) ? 0 : 1;
}

int
main (int argument_count, char **arguments)
{
  const char *first = argument_count > 1 ? arguments[1] : "";
  if (access (IN_MEMORY, W_OK | X_OK) == 0)
    setenv ("TMPDIR", IN_MEMORY, 0); /* syncs take no time there, and fail all the same */
  tally = mmap (NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (tally != MAP_FAILED);
  call_tally = tally;
  sites = call_sites (&site_count);
  killed = fresh_directory ();
  leave_killed ("database", false);
  leave_killed ("long-log", true);
  count_calls ();
  int result = 0;
  if (strcmp (first, "--sites") == 0)
    print_sites ();
  else if (strcmp (first, "--case") == 0 && argument_count == 7)
    result = run_one (arguments + 2);
  else
    result = run_all (strcmp (first, "--long") == 0) > 0;
  remove_directory (killed);
  return result != 0 || broken_promises > 0;
}
